"""Judging a large estate in parts, so that memory is bound by the largest of them; with several processes, at once.

The report is that of judging the estate whole, byte for byte. It takes three looks at the documents: what belongs
together (survey.py), what each destination receives, and the judgement.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, Final, Literal, Protocol

import msgspec

from auditor.acceptances import Acceptances
from auditor.assemble import Shared, assemble, places_of
from auditor.documents import Collection, Document, Run, subscription_of
from auditor.facts.places import Places
from auditor.judge import judge
from auditor.merge import Merger
from auditor.report import Report
from auditor.rule import AllOf, AnyOf, Exists, Requirement, Rule
from auditor.survey import Part, Survey, looked_up

SIZE: Final = 100_000  # documents of a part
_WHOLE: Final = 2**62
Rules = Sequence[Rule]


class Store(Protocol):
    """Documents by groups, each of which holds all of its subscriptions."""

    run: Run

    def groups(self) -> Sequence[str]:
        """The names of the groups, in order."""

    def documents(self, group: str) -> list[Document]:
        """The documents of one group."""

    @property
    def count(self) -> int:
        """How many documents there are."""

    def collection(self) -> Collection:
        """All of them at once."""


class Held:
    """A collection that is in memory already, as a store."""

    def __init__(self, collection: Collection) -> None:
        self.run = collection.run
        self.count = len(collection.documents)
        self._collection = collection
        self._groups: dict[str, list[Document]] = {}
        for document in collection.documents:
            self._groups.setdefault(subscription_of(str(document.get("id") or "")), []).append(document)

    def collection(self) -> Collection:
        """The collection."""
        return self._collection

    def groups(self) -> Sequence[str]:
        """Subscription ids, and "" for what is in none."""
        return sorted(self._groups)

    def documents(self, group: str) -> list[Document]:
        """The documents of one subscription."""
        return self._groups[group]


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What parts are judged by. Other processes are sent it, and load the rules, which cannot be sent, themselves."""

    store: Store
    load: Callable[[], Rules]
    now: str  # RFC 3339
    acceptances: Acceptances
    named: frozenset[str]
    shared: Shared


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """Where a part's resources send their logs, and those of its documents that every part must know."""

    places: Places
    looked_up: list[Document]


def judge_in_parts(
    store: Store,
    load: Callable[[], Rules],
    *,
    now: str = "",
    jobs: int = 1,
    size: int = 0,
    acceptances: Acceptances | None = None,
) -> Report:
    """Judge documents part by part in this many processes, with the rules that `load` gives.

    A part has about `size` documents (by default SIZE). `now` (RFC 3339) is the time of judging, by default that of
    the evidence. With several `jobs`, store and `load` are sent to other processes.
    """
    rules = load()
    survey = Survey(looked_for(rules))
    for group in store.groups():
        survey.add(group, store.documents(group), store.run)
    apart = all("subscription" in rule.per for rule in rules if rule.per)
    parts = survey.parts((size or SIZE) if apart else _WHOLE)
    shared = Shared(
        judged=frozenset(),
        documents=survey.documents,
        categories=survey.categories,
        protected=survey.protected,
        accounts=survey.accounts,
    )
    task = Task(
        store=store,
        load=load,
        now=now or store.run.finished_at,
        acceptances=acceptances or Acceptances(),
        named=frozenset(survey.named),
        shared=shared,
    )
    del survey
    found: list[Document] = []
    places = Places()
    for sent in _each("sent", task, parts, jobs):
        places.add(sent.places)
        found += sent.looked_up
    shared = msgspec.structs.replace(shared, documents=[*shared.documents, *found], places=places)
    merger = Merger(rules)
    for report in _each("judged", msgspec.structs.replace(task, shared=shared), parts, jobs):
        merger.add(report)
    return merger.report()


def looked_for(rules: Iterable[Rule]) -> set[str]:
    """The patterns of types that rules look for in every subscription."""

    def of(require: Requirement) -> Iterator[str]:
        if isinstance(require, Exists) and ("subscription", "subscription") not in require.keys:
            yield require.resource
        inner = require.parts if isinstance(require, AllOf | AnyOf) else ()
        for one in inner:
            yield from of(one)

    return {pattern for rule in rules for pattern in of(rule.require)}


# --- here, or in other processes --------------------------------------------------------------------------------------


class _Worker:
    """Looks at parts."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._rules: Rules = ()

    def sent(self, part: Part) -> Sent:
        own = self._own(part)
        places = places_of(own, self._shared(part), today=self._task.now[:10])
        return Sent(places=places, looked_up=list(looked_up(own.documents, self._task.named)))

    def judged(self, part: Part) -> Report:
        self._rules = self._rules or self._task.load()
        inventory = assemble(self._own(part), today=self._task.now[:10], shared=self._shared(part))
        return judge(inventory, self._rules, generated_at=self._task.now, acceptances=self._task.acceptances)

    def _own(self, part: Part) -> Collection:
        store = self._task.store
        return Collection(documents=[doc for group in part.groups for doc in store.documents(group)], run=store.run)

    def _shared(self, part: Part) -> Shared:
        return msgspec.structs.replace(self._task.shared, judged=part.judged)


def _each(look: Literal["sent", "judged"], task: Task, parts: Sequence[Part], jobs: int) -> Iterator[Any]:
    """What a worker says of each part, in order."""
    if min(jobs, len(parts)) < 2:
        worker = _Worker(task)
        for part in parts:
            yield getattr(worker, look)(part)
        return
    # Spawned, not forked: the same on every system, and safe whatever threads this process has.
    with ProcessPoolExecutor(min(jobs, len(parts)), get_context("spawn"), _begin, (task,)) as pool:
        waiting = [pool.submit(_ask, look, part) for part in parts]
        waiting.reverse()
        while waiting:
            told = waiting.pop().result()
            yield msgspec.json.decode(told, type=Report) if isinstance(told, bytes) else told


_here: list[_Worker] = []  # of a worker process: the one that all its parts are given to


def _begin(task: Task) -> None:
    gc.disable()  # what is made has no cycles, and goes when a part is done
    _here.append(_Worker(task))


def _ask(look: str, part: Part) -> Sent | bytes:
    told = getattr(_here[0], look)(part)
    return msgspec.json.encode(told) if isinstance(told, Report) else told

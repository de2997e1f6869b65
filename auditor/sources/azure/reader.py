"""One run's hands: reads a thing once, makes a document of whatever came of it, and keeps count."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from functools import partial
from typing import Any, TypedDict, Unpack
from urllib.parse import quote

import msgspec

from auditor import documents as d
from auditor.named import Named
from auditor.sources.azure.arm_batch import Batcher
from auditor.sources.azure.auth import Identity
from auditor.sources.azure.buckets import bucket_of_id
from auditor.sources.azure.cloud import Options
from auditor.sources.azure.outage import Watch
from auditor.sources.azure.pages import Lost, Pages
from auditor.sources.azure.pipeline import Answer, Counts, Pipelines, Refused, send
from auditor.sources.azure.plan import Plan
from auditor.sources.azure.progress import Progress
from auditor.sources.azure.reads import Read
from auditor.sources.azure.refusals import refused
from auditor.sources.azure.transport import NoAnswer
from auditor.sources.azure.work import Job, Work, working
from auditor.sources.journal import Journal
from auditor.sources.spool import Spool

Listed = tuple[list[d.Document], d.Document | None]
"""The items of a list, and the document of the failure if not all came."""
Listing = Callable[[Read, str], Awaitable[Listed]]
_UNSENDABLE = re.compile(r"[\x00-\x1f\x7f]|(^|/)\.{1,2}(/|$)")


class Hooks(TypedDict, total=False):
    """Who watches a collection: each is called, or asked, while it goes on."""

    progress: Callable[[Progress], None] | None
    keep: Callable[[d.Document], None] | None  # is given each document as soon as it is there
    notice: Callable[[str], None] | None  # is told what the person who started it ought to know
    clock: Callable[[], datetime]
    journal: Journal | None  # to go on with, and to write answers into


class Reader:
    """Reads by table row; every outcome ends as a document, none as an exception."""

    def __init__(
        self,
        options: Options,
        pipelines: Pipelines,
        identity: Identity,
        counts: Counts,
        **hooks: Unpack[Hooks],
    ) -> None:
        self.options = options
        self.pipelines = pipelines
        self.identity = identity
        self.counts = counts
        self.spool = Spool()
        self.named = Named()
        self.answered: set[str] = set()  # lower-case types of which something was read
        self.failed: set[str] = set()  # and of which something was not
        self.resources: list[d.Document] = []  # what was listed, without what only judging needs
        self.plan = Plan()
        self.journal = hooks.get("journal")
        self.batcher: Batcher | None = None
        self.watch: Watch | None = None  # for a run that can go on later
        self.denied = 0
        self.helped_out = False  # Resource Manager listed what Resource Graph did not show
        self.tenant = ""  # id, once known
        self.deep: Callable[[d.Document], bool] = lambda _: True  # of which resources log settings are read
        self.narrowed = False  # of some of them alone, since the filters allow it
        self.api_versions: dict[str, str] = {}
        self._progress = hooks.get("progress")
        self._keep = hooks.get("keep")
        self._notice = hooks.get("notice")
        self._asked: dict[tuple[str, str], asyncio.Event] = {}  # (id, type) of what is being read

    # --- keeping ---

    def keep(self, document: d.Document) -> bool:
        """Add a finished document, unless one of the same id and type is there already; returns whether it is new."""
        if not self.spool.add(document):
            return False
        self.named.add(document)
        (self.failed if d.marker(document) else self.answered).add(str(document["type"]).lower())
        # A failure was a read, planned or not.
        if d.marker(document) or self.plan.has(str(document["id"]), str(document["type"])):
            self.plan.end(document["id"], document["type"], document)
        unknown = document.get("$unknown")
        self.denied += isinstance(unknown, dict) and unknown.get("status") in (401, 403)
        if self._keep is not None:
            self._keep(document)
        return True

    def kept(self, doc_id: str, doc_type: str) -> d.Document | None:
        """The document of this id and type, if it was read already."""
        return self.spool.get(doc_id, doc_type)

    def tell(self, sentence: str) -> None:
        """Say something that the person who started the run ought to know."""
        if self._notice is not None:
            self._notice(sentence)

    # --- asking ---

    def url(self, path: str, api_version: str) -> str:
        """The Resource Manager address of a path (an id); ids come from answers, so each character is made harmless."""
        tidy = re.sub(r"/+", "/", f"/{path}")
        if _UNSENDABLE.search(tidy) or len(tidy) > 4000:
            raise Refused("it is not an id that Azure could have")
        return f"{self.options.cloud.resource_manager}{quote(tidy, safe='/()!$*,;:@=~')}?api-version={api_version}"

    async def document(self, read: Read, of: str = "") -> d.Document:
        """Read one thing about something, once, and keep what came of it."""
        doc_id = read.id(of)
        known, key = self.kept(doc_id, read.type), (d.normal_id(doc_id), read.type)
        while known is None and (asked := self._asked.get(key)) is not None:
            await asked.wait()  # somebody else asks for it right now
            known = self.kept(doc_id, read.type)
        if known is None:
            asked = self._asked[key] = asyncio.Event()
            try:
                known = await self.fetch(read, of)
                self.keep(known)
            finally:
                del self._asked[key]
                asked.set()
        self.plan.end(doc_id, read.type, known)
        return known

    async def fetch(self, read: Read, of: str = "") -> d.Document:
        """Read one thing and return its document without keeping it."""
        return await self.once(read.id(of), read.type, read.api_version, partial(self._ask, read, of))

    async def once(
        self, doc_id: str, doc_type: str, api_version: str, ask: Callable[[], Awaitable[d.Document]]
    ) -> d.Document:
        """What the journal holds of a read; else what asking for it gives, which the journal then holds."""
        if self.journal is None:
            return await ask()
        known = self.journal.document(doc_id, doc_type)
        if known is None:
            known = await ask()
            self.journal.note(doc_id, doc_type, known)
        else:
            self.api_versions.setdefault(doc_type, api_version)
        return known

    async def _ask(self, read: Read, of: str) -> d.Document:
        doc_id = read.id(of)
        if read.is_list:
            items, failure = await self.items(read, of)
            return failure or {"id": doc_id, "type": read.type, "value": items}
        try:
            url = self.url(doc_id, read.api_version)
        except Refused as error:
            return d.unreadable(doc_id, read.type, reason=str(error))
        body = await self.json(read, doc_id, url)
        if d.marker(body):
            return body
        shown = body.get("id")
        same = isinstance(shown, str) and d.normal_id(shown) == d.normal_id(doc_id)
        told = body.get("type")
        alike = isinstance(told, str) and told.lower() == read.type.lower()
        return {**body, "id": shown if same else doc_id, "type": told if alike else read.type}

    async def listing(self, read: Read, of: str = "", ask: Listing | None = None) -> Listed:
        """Like `items`, for a list whose items are documents themselves: from the journal, if it has the whole list.

        `ask` is another way to ask for it.
        """
        name = f"{read.type} {read.id(of)}"
        known = self.journal.items(name) if self.journal is not None else None
        if known is not None:
            self.api_versions.setdefault(read.type, read.api_version)
            return list(known), None
        items, failure = await (ask or self.items)(read, of)
        if self.journal is not None and failure is None:
            self.journal.note_items(name, items)
        return items, failure

    async def items(self, read: Read, of: str = "") -> Listed:
        """Every item of a list, over its pages; and the document of the failure if not all came."""
        try:
            url = self.url(read.id(of), read.api_version)
        except Refused as error:
            return [], d.unreadable(read.id(of), read.type, reason=str(error))
        return await self.pages(read, read.id(of), url)

    async def pages(self, read: Read, doc_id: str, url: str, *, pipeline: Any = None) -> Listed:
        """Follow a list from its first page to its last."""
        pages = Pages()
        while url:
            body = await self.json(read, doc_id, url, pipeline=pipeline)
            if d.marker(body):
                return pages.items, body
            try:
                url = pages.take(url, body)
            except Lost as error:
                return pages.items, d.unreadable(doc_id, read.type, reason=str(error))
        return pages.items, None

    async def json(self, read: Read, doc_id: str, url: str, *, pipeline: Any = None, method: str = "GET") -> d.Document:
        """One request: the JSON object that came, or the document of its failure."""
        self.api_versions.setdefault(read.type, read.api_version)
        try:
            answer = None
            if self.batcher is not None and pipeline is None and method == "GET":
                answer = await self.batcher.answer(url)
            if answer is None:
                answer = await send(pipeline or self.pipelines.resource_manager, method, url)
        except (NoAnswer, Refused) as error:
            if self.watch is not None and pipeline is None:
                await self.watch.heard(error)
            return d.unreadable(doc_id, read.type, reason=str(error))
        if self.watch is not None and pipeline is None:
            await self.watch.heard(answer)
        return self.body_of(read, doc_id, answer)

    def body_of(self, read: Read, doc_id: str, answer: Answer) -> d.Document:
        """The JSON object in an answer, or the document that stands for what came instead."""
        if answer.status != 200:
            return refused(read, doc_id, answer, self.identity)
        try:
            body = msgspec.json.decode(answer.body.removeprefix(b"\xef\xbb\xbf"))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return d.unreadable(doc_id, read.type, reason="the answer is not JSON", status=200)
        if not isinstance(body, dict) or d.marker(body):
            return d.unreadable(doc_id, read.type, reason="the answer is not a JSON object", status=200)
        return body

    # --- doing many at once ---

    def job(self, read: Read, of: str = "") -> Job:
        """The reading of one thing, planned now, to be done with others by `each`."""
        self.plan.add(read.id(of), read.type)
        return of, partial(self.document, read, of)

    def work(self, stage: str, places: int = 1) -> AbstractAsyncContextManager[Work]:
        """Jobs of so many subscriptions, done while the block goes on adding to them."""
        return working(partial(self._tell, stage), places, self.options.concurrency)

    async def each(self, stage: str, jobs: Iterable[Job]) -> None:
        """Do all jobs, telling how far it is."""
        known = list(jobs)
        async with self.work(stage, len({bucket_of_id(place) for place, _ in known})) as work:
            work.add(known)
            work.announce()

    def _tell(self, stage: str, done: int, total: int, seconds: float, floor: float) -> None:
        if self._progress is not None:
            self._progress(
                Progress(
                    stage=stage,
                    done=done,
                    total=total,
                    denied=self.denied,
                    throttled=self.counts.throttled,
                    seconds=seconds,
                    floor=floor,
                )
            )

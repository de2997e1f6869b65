"""Whatever an answer looks like, judging never breaks; and what could not be read is never taken for an answer.

Both are tried on Contoso, whose documents have the shapes of Azure's: some parts of some of them are dropped, nulled,
made of another type or marked as unreadable.
"""

from __future__ import annotations

import copy
from random import Random

import msgspec
import pytest

from auditor.assemble import assemble
from auditor.documents import unreadable
from auditor.formats.json import render
from auditor.judge import judge
from auditor.rule import load_rules

DENIED = {"reason": "not allowed", "status": 403}
# Everything that JSON can say where something else is due.
ODD = [
    None, True, False, 0, -1, 1.5, 2**70, "", " ", "*", "a/b", "//", "é" * 5, "\u202e", [], [None], [1, "x"], [[]], [{}],
    {}, {"id": None}, {"id": 7}, {"id": {"$unknown": DENIED}}, {"$unknown": DENIED}, {"$unknown": None},
    {"$unknown": "x"}, {"$absent": {}}, {"$absent": {"status": "x", "code": 1}}, {"$unsupported": None}, {"value": []},
]  # fmt: skip


def judged(collection, documents):
    return judge(assemble(msgspec.structs.replace(collection, documents=documents)), load_rules())


def statuses(report):
    return {(finding.rule, finding.subject.id.lower()): finding.status for finding in report.findings}


def places(value, path=()):
    """The path of every part of a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in items:
        yield (*path, key)
        yield from places(part, (*path, key))


def spoiled(document, random):
    """The document with a few of its parts dropped or replaced."""
    document = copy.deepcopy(document)
    for _ in range(random.choice([1, 1, 2, 5])):
        found = list(places(document))
        if not found:
            break
        path = random.choice(found)
        holder = document
        for step in path[:-1]:
            holder = holder[step]
        if random.random() < 0.3:
            del holder[path[-1]]
        else:
            holder[path[-1]] = copy.deepcopy(random.choice(ODD))
    return document


@pytest.mark.parametrize("seed", range(20))
def test_no_answer_breaks_judging(collection, seed):
    random = Random(seed)
    share = random.choice([0.01, 0.05, 0.3, 0.9])
    documents = [spoiled(doc, random) if random.random() < share else doc for doc in collection.documents]
    assert render(judged(collection, documents))


def mark_of(document):
    return next((key for key in document if key.startswith("$")), "")


@pytest.fixture(scope="module")
def by_kind(collection):
    """The positions of documents, by their type and mark."""
    found: dict[tuple[str, str], list[int]] = {}
    for position, document in enumerate(collection.documents):
        found.setdefault((document["type"].lower(), mark_of(document)), []).append(position)
    return [found[key] for key in sorted(found)]


def tells_of_a_loss(document):
    """Whether this may be what says that a destination is gone.

    One that cannot be read counts as living, because a central destination that the auditor may not read is the
    normal case; so without this answer what failed for the loss passes. Nothing else may.
    """
    return mark_of(document) == "$absent" or document["type"].lower().startswith("microsoft.eventhub/namespaces")


@pytest.mark.parametrize("seed", range(40))
def test_an_unreadable_document_turns_no_answer_into_its_opposite(collection, report, by_kind, seed):
    """Only to `unknown`; or the subject is not known any more, or one that may be a subject now is all right."""
    random = Random(seed)
    position = random.choice(random.choice(by_kind))
    original = collection.documents[position]
    documents = list(collection.documents)
    documents[position] = unreadable(original["id"], original["type"], **DENIED)
    before, after = statuses(report), statuses(judged(collection, documents))
    allowed = {(None, "pass")} | ({("fail", "pass")} if tells_of_a_loss(original) else set())
    changes = {
        key: (before.get(key), status)
        for key, status in after.items()
        if status not in ("unknown", before.get(key)) and (before.get(key), status) not in allowed
    }
    assert changes == {}, f"without {original['id']}"


def without(collection, doc_type):
    return [
        unreadable(doc["id"], doc["type"], **DENIED) if doc["type"].lower() == doc_type.lower() else doc
        for doc in collection.documents
    ]


@pytest.mark.parametrize("doc_type", ["Microsoft.Resources/subscriptions", "Microsoft.Network/networkWatchers"])
def test_a_whole_type_unreadable_turns_no_answer_into_its_opposite(collection, report, doc_type):
    before, after = statuses(report), statuses(judged(collection, without(collection, doc_type)))
    changed = {(before.get(key), status) for key, status in after.items() if status != before.get(key)}
    assert changed <= {("pass", "unknown"), ("fail", "unknown"), (None, "unknown"), (None, "pass")}

"""How did the planned reads end: answered, not supported, or unknown with its reason?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from auditor import documents as d
from auditor.documents import Document, marker
from auditor.facts.shapes import mapping, text
from auditor.inventory import Unread
from auditor.match import to_unknown


def unread_in(documents: Iterable[Document]) -> Iterator[Unread]:
    """Every read that failed, in the order of the documents."""
    for document in documents:
        if marker(document) == "$unknown" and not d.is_undecided(document):
            shown = text(document.get("id"))
            yield Unread(id=shown, type=text(document.get("type")), why=to_unknown(document["$unknown"]))


_LISTED = d.ABOUT | {d.LOG_PROFILES.lower(), d.DELETED_VAULTS.lower()}


def count_reads(documents: Iterable[Document], *, within: Iterable[Document] = ()) -> dict[str, int]:
    """How the planned reads ended: `answered`, `not_supported`, `unknown`.

    A read is a list or a policy that was asked for by itself, a place outside the scan that was looked up, and the
    listing of each subscription's resources; the rows of such a listing are not counted again, but for those whose
    properties could not be read. A live source counts its plan while it reads: `Run.planned` and the three with it.
    `within` are the documents of all that is known, where these are but a part of it.
    """
    counts = {"answered": 0, "not_supported": 0, "unknown": 0}
    listing, subscription = d.RESOURCE_LIST.lower(), d.SUBSCRIPTION.lower()
    unlisted, scanned = set[str](), set[str]()
    for document in within or documents:
        kind = text(document.get("type")).lower()
        if kind == subscription or (kind == listing and marker(document)):
            (scanned if kind == subscription else unlisted).add(d.subscription_of(text(document.get("id"))))
    for document in documents:
        kind, mark = text(document.get("type")).lower(), marker(document)
        if kind == d.ACCEPTED_IN_CODE.lower() or d.is_undecided(document):
            continue
        if mark == "$unknown" or (not mark and _failed(mapping(document.get("properties")))):
            counts["unknown"] += 1
        elif mark == "$unsupported":
            counts["not_supported"] += 1
        elif mark or kind in _LISTED or isinstance(document.get("value"), list):
            counts["answered"] += 1
        elif owner := d.subscription_of(text(document.get("id"))):
            # A subscription stands for its listing, unless something else does.
            counts["answered"] += owner not in (unlisted if kind == subscription else scanned or {owner})
    return counts


def _failed(properties: Mapping[str, object]) -> bool:
    """Whether a resource's properties were asked for in vain."""
    return "$unknown" in properties and properties["$unknown"] != d.NOT_ASKED

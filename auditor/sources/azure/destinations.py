"""The places that log settings name, and what flow logs watch: found in what was read, and read themselves, once."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any, Final

from auditor import documents as d
from auditor.sources.azure import reads
from auditor.sources.azure.reader import Reader
from auditor.sources.azure.work import Job

_SETTING_TYPES: Final = frozenset({d.DIAGNOSTIC_SETTINGS.lower(), d.ENTRA_SETTINGS.lower()})
_TYPES: Final = {
    "log-analytics": "Microsoft.OperationalInsights/workspaces",
    "storage": "Microsoft.Storage/storageAccounts",
    "event-hub": "Microsoft.EventHub/namespaces",
}
_DETAILS: Final = {
    "log-analytics": (reads.TABLES,),
    "storage": (reads.LIFECYCLE, reads.CONTAINERS),
    "event-hub": (reads.EVENT_HUBS,),
}


def named_destinations(documents: Iterable[d.Document]) -> dict[str, tuple[str, str]]:
    """Every place that a setting or a flow log names: normal id → (kind, id as written), in id order."""
    found: dict[str, tuple[str, str]] = {}
    for document in documents:
        for kind, named in _named_by(document):
            place = d.event_hub_namespace(named) if kind == "event-hub" else named
            key = d.normal_id(place)
            # Documents come in no order of their own; of several spellings always the same one is taken.
            found[key] = min(found.get(key, (kind, place)), (kind, place))
    return dict(sorted(found.items()))


def watched_targets(documents: Iterable[d.Document]) -> list[str]:
    """Ids of what flow logs watch; for a subnet that of its network, since it has no life of its own."""
    found: dict[str, str] = {}
    for document in documents:
        if str(document.get("type") or "").lower() != d.FLOW_LOGS.lower():
            continue
        for properties in _properties_in(document):
            target = properties.get("targetResourceId")
            if isinstance(target, str) and target.strip():
                place = re.split(r"/subnets/", target.strip(), flags=re.IGNORECASE)[0]
                found[d.normal_id(place)] = min(found.get(d.normal_id(place), place), place)
    return [place for _, place in sorted(found.items())]


def _named_by(document: d.Document) -> Iterator[tuple[str, str]]:
    doc_type = str(document.get("type") or "").lower()
    for properties in _properties_in(document):
        if doc_type in _SETTING_TYPES:
            yield from d.destinations_of(properties)
        elif doc_type == d.FLOW_LOGS.lower():
            yield from _of_flow_log(properties)


def _properties_in(document: d.Document) -> Iterator[Mapping[str, Any]]:
    """The `properties` of a document, or of each item of a list."""
    value = document.get("value")
    for entry in value if isinstance(value, list) else [document]:
        properties = entry.get("properties") if isinstance(entry, Mapping) else None
        if isinstance(properties, Mapping):
            yield properties


def _of_flow_log(properties: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    storage = properties.get("storageId")
    if isinstance(storage, str) and storage.strip():
        yield "storage", storage.strip().rstrip("/")
    outer = properties.get("flowAnalyticsConfiguration")
    inner = outer.get("networkWatcherFlowAnalyticsConfiguration") if isinstance(outer, Mapping) else None
    workspace = inner.get("workspaceResourceId") if isinstance(inner, Mapping) else None
    if isinstance(workspace, str) and workspace.strip():
        yield "log-analytics", workspace.strip().rstrip("/")


async def read_destinations(reader: Reader, resources: Iterable[d.Document]) -> None:
    """Read each named place that the inventory does not hold, then what decides how long each keeps its logs.

    What a flow log watches is looked up too where it was not listed: only a 404 says for certain that it is gone.
    """
    known = {d.normal_id(resource["id"]) for resource in resources}
    await reader.each("destinations", place_jobs(reader, known))
    await reader.each("retention", detail_jobs(reader, known))


def place_jobs(reader: Reader, known: Container[str]) -> list[Job]:
    """The lookups of what is named and watched, but not among the known (by normal id)."""
    jobs = []
    for key, (kind, place) in named_destinations(reader.documents).items():
        if key not in known and (read := _read_of(reader, kind, place)) is not None:
            jobs.append(_lookup(reader, read, "/" + place.strip("/")))
    for place in watched_targets(reader.documents):
        read = reads.resource_read(d.type_of(place))
        if read is not None and d.normal_id(place) not in known:
            jobs.append(_lookup(reader, read, place))
    return jobs


def detail_jobs(reader: Reader, known: Container[str]) -> list[Job]:
    """The reads of what decides how long each place keeps its logs."""
    return [
        reader.job(read, place)
        for key, (kind, place) in named_destinations(reader.documents).items()
        for read in _DETAILS.get(kind, ())
        if key in known or _was_read(reader, kind, place)
    ]


def _read_of(reader: Reader, kind: str, place: str) -> reads.Read | None:
    """How a place is looked up; one of which that is not known is kept as unknown."""
    place = "/" + place.strip("/")
    place_type = d.type_of(place)
    expected = _TYPES.get(kind, place_type)
    read = reads.partner_read(place_type) if kind == "partner" else reads.resource_read(expected)
    if read is None or place_type.lower() != expected.lower():
        what = "partner solutions of its kind are" if kind == "partner" else "a place with such an id is"
        # Of the type that it is used as: an odd id must not add a subscription, or a vault, to what is judged.
        told = expected if "/providers/" in place.lower() else ""
        reader.keep(d.unreadable(place, _TYPES.get(kind) or told or kind, reason=f"{what} not read"))
        return None
    return read


def _lookup(reader: Reader, read: reads.Read, place: str) -> Job:
    reader.plan.add(read.id(place), read.type)

    async def look() -> None:
        document = await reader.document(read, place)
        scanned = reader.kept(f"/subscriptions/{d.subscription_of(place)}", d.SUBSCRIPTION) is not None
        if scanned and d.marker(document) is None:
            reader.plan.drop(read.id(place), read.type)  # made since the listing, of which it is a late row

    return place, look


def _was_read(reader: Reader, kind: str, place: str) -> bool:
    document = reader.kept(place, _TYPES[kind]) if kind in _TYPES else None
    return document is not None and d.marker(document) is None

"""The places that log settings name, what flow logs watch, whom alerts call: found in what was read, and read once."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from typing import Final

from auditor import documents as d
from auditor.sources.azure import reads
from auditor.sources.azure.reader import Reader
from auditor.sources.azure.work import Job

_TYPES: Final = {
    "log-analytics": "Microsoft.OperationalInsights/workspaces",
    "storage": "Microsoft.Storage/storageAccounts",
    "event-hub": "Microsoft.EventHub/namespaces",
}
_RULE: Final = "Microsoft.Insights/dataCollectionRules"
_DETAILS: Final = {
    "log-analytics": (reads.TABLES, reads.SENTINEL),
    "storage": (reads.LIFECYCLE, reads.CONTAINERS, reads.BLOB_SERVICE),
    "event-hub": (reads.EVENT_HUBS, reads.HUB_RULES, reads.HUB_NETWORK),
}


async def read_destinations(reader: Reader, resources: Iterable[d.Document]) -> None:
    """Read each named place that the inventory does not hold, then what decides how long each keeps its logs.

    What a flow log watches and whom an alert calls is looked up too where it was not listed: only a 404 says for
    certain that it is gone.
    """
    known = {d.normal_id(resource["id"]) for resource in resources}
    await reader.each("destinations", rule_jobs(reader, known))
    await reader.each("destinations", place_jobs(reader, known))
    await reader.each("retention", detail_jobs(reader, known))
    await reader.each("sentinel", list(_sentinel_jobs(reader)))


def rule_jobs(reader: Reader, known: Container[str]) -> list[Job]:
    """The lookups of data collection rules that are associated, but not among the known (by normal id)."""
    read = reads.resource_read(_RULE)
    return [
        _lookup(reader, read, rule)
        for rule in reader.named.associated()
        if read is not None and d.normal_id(rule) not in known and d.type_of(rule).lower() == _RULE.lower()
    ]


def place_jobs(reader: Reader, known: Container[str]) -> list[Job]:
    """The lookups of what is named, watched and called, but not among the known (by normal id)."""
    jobs = []
    for key, (kind, place) in reader.named.destinations().items():
        if key not in known and (read := _read_of(reader, kind, place)) is not None:
            jobs.append(_lookup(reader, read, "/" + place.strip("/")))
    for place in (*reader.named.watched(), *reader.named.called()):
        read = reads.resource_read(d.type_of(place))
        if read is not None and d.normal_id(place) not in known:
            jobs.append(_lookup(reader, read, place))
    return jobs


def detail_jobs(reader: Reader, known: Container[str]) -> list[Job]:
    """The reads of what decides how long and how safely each place keeps its logs."""
    places = [
        (kind, place)
        for key, (kind, place) in reader.named.destinations().items()
        if kind in _DETAILS and (key in known or _was_read(reader, kind, place))
    ]
    subscriptions = sorted({d.subscription_of(place) for _, place in places} - {""})
    return [
        *(reader.job(read, place) for kind, place in places for read in _DETAILS[kind]),
        *(reader.job(reads.LOCKS, f"/subscriptions/{subscription}") for subscription in subscriptions),
    ]


def _sentinel_jobs(reader: Reader) -> Iterator[Job]:
    """The reads of what tells how Microsoft Sentinel is set up, where it is on."""
    for kind, place in reader.named.destinations().values():
        state = reader.kept(reads.SENTINEL.id(place), d.SENTINEL) if kind == "log-analytics" else None
        if state is not None and d.marker(state) is None:
            yield reader.job(reads.SENTINEL_CONNECTORS, place)
            yield reader.job(reads.SETTINGS, d.sentinel_health_id(place))


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

"""How each resource logs: its diagnostic settings, flow logs and classic storage logging, and what it could log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from auditor import documents as d
from auditor.catalog import can_log
from auditor.sources.azure import reads
from auditor.sources.azure.classic import read_classic
from auditor.sources.azure.reader import Reader
from auditor.sources.azure.type_reads import collects_by_rules, reads_of
from auditor.sources.azure.work import Job, Work

_STORAGE: Final = "microsoft.storage/storageaccounts"
_TRIES: Final = 5  # resources of a kind that are asked for its categories before it counts as unknown


def settings_jobs(reader: Reader, resources: Iterable[d.Document]) -> list[Job]:
    """Diagnostic settings of all that can log, and the other ways of logging.

    Where the run has a focus, settings are read of what `reader.deep` names; the other reads are of all, because
    resources are judged by their neighbours.
    """
    jobs: list[Job] = []
    for resource in sorted(resources, key=_id):
        deep = reader.deep(resource)
        for kind, part in _parts(resource) if deep else ():
            if kind[0] == _STORAGE or can_log(kind[0]):
                jobs.append(reader.job(reads.SETTINGS, part["id"]))
        for service in d.classic_services(resource) if deep and d.kind_key(resource)[0] == _STORAGE else ():
            reader.plan.add(d.storage_analytics_id(resource["id"], service), d.STORAGE_ANALYTICS)
            jobs.append(("//storage", partial(read_classic, reader, resource, service)))
        jobs.extend(reader.job(read, resource["id"]) for read in reads_of(str(resource["type"])))
        collecting = collects_by_rules(resource)
        read = reads.COLLECTION_RULE_ASSOCIATIONS
        if collecting and not reader.plan.has(read.id(collecting), read.type):  # two agents are one question
            jobs.append(reader.job(read, collecting))
    return jobs


def slim(resource: d.Document) -> d.Document:
    """A resource with no more than these two ask for: a large estate's wait in memory until all are listed."""
    if d.kind_key(resource)[0] == _STORAGE:
        return resource
    properties = resource.get("properties")
    inner = {"sku": properties["sku"]} if isinstance(properties, Mapping) and "sku" in properties else {}
    return {key: resource[key] for key in ("id", "type", "kind", "sku") if key in resource} | {"properties": inner}


def category_jobs(reader: Reader, resources: Iterable[d.Document], work: Work | None = None) -> list[Job]:
    """What each kind of resource could log, asked of its first members: so all resources must be known.

    Where a type that the catalog does not hold turns out to log, the settings of its resources are added to the work.
    """
    kinds: dict[tuple[str, ...], list[d.Document]] = {}
    wanted: set[tuple[str, ...]] = set()
    for resource in sorted(resources, key=_id):
        for kind, part in _parts(resource):
            kinds.setdefault(kind, []).append(part)
            if reader.deep(resource):
                wanted.add(kind)
    jobs: list[Job] = []
    for _, members in sorted((kind, members) for kind, members in kinds.items() if kind in wanted):
        reader.plan.add(reads.CATEGORIES.id(members[0]["id"]), d.DIAGNOSTIC_CATEGORIES)
        jobs.append((members[0]["id"], partial(_read_categories, reader, members, work)))
    return jobs


def _id(resource: d.Document) -> str:
    return str(resource["id"]).lower()


def _parts(resource: d.Document) -> Iterator[tuple[tuple[str, ...], d.Document]]:
    """What of a resource logs, with its kind: itself, but of a storage account, whose own id has metrics only, each
    service."""
    kind = d.kind_key(resource)
    if kind[0] != _STORAGE:
        yield kind, resource
        return
    for service in d.storage_services(resource):
        yield (*kind, service), {"id": d.storage_service_id(resource["id"], service), "type": f"{kind[0]}/{service}"}


async def _read_categories(reader: Reader, members: Sequence[d.Document], work: Work | None) -> None:
    """Ask resources of one kind for its categories until one answers."""
    kind = str(members[0]["type"]).lower()
    catalogued = kind.startswith(_STORAGE) or can_log(kind)
    read = reads.KNOWN_CATEGORIES if catalogued else reads.CATEGORIES
    for resource in members[:_TRIES]:
        answer = await reader.document(read, resource["id"])
        if d.marker(answer) is None:
            if not catalogued and _offers_logs(answer["value"]) and work is not None:
                work.add([reader.job(reads.SETTINGS, member["id"]) for member in filter(reader.deep, members)])
            return
        if not catalogued and d.marker(answer) == "$unsupported":
            return


def _offers_logs(categories: Iterable[Any]) -> bool:
    return any(
        isinstance(category, dict)
        and isinstance(properties := category.get("properties"), dict)
        and str(properties.get("categoryType") or "").lower() == "logs"
        for category in categories
    )

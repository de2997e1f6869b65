"""How each resource logs: its diagnostic settings, flow logs and classic storage logging, and what it could log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, Final

from auditor import documents as d
from auditor.catalog import can_log
from auditor.sources.azure import reads
from auditor.sources.azure.classic import read_classic
from auditor.sources.azure.reader import Job, Reader
from auditor.sources.azure.sql_audit import audit_jobs
from auditor.sources.azure.type_reads import reads_of

_STORAGE: Final = "microsoft.storage/storageaccounts"
_TRIES: Final = 5  # resources of a kind that are asked for its categories before it counts as unknown


async def read_settings(reader: Reader, resources: Sequence[d.Document]) -> None:
    """Read how each resource logs, and what each kind of resource could log."""
    unlisted: list[d.Document] = []
    await reader.each("settings", settings_jobs(reader, resources, unlisted))
    await reader.each("settings", [reader.job(reads.SETTINGS, r["id"]) for r in unlisted])
    await reader.each("settings", audit_jobs(reader, resources))


def settings_jobs(reader: Reader, resources: Iterable[d.Document], unlisted: list[d.Document]) -> list[Job]:
    """Diagnostic settings of all that can log, categories once for each kind, and the other ways of logging."""
    kinds: dict[tuple[str, ...], list[d.Document]] = {}
    jobs: list[Job] = []
    for resource in sorted(resources, key=lambda r: str(r["id"]).lower()):
        kind = d.kind_key(resource)
        if kind[0] == _STORAGE:  # its own id carries metrics only; each service logs by itself
            for service in d.storage_services(resource):
                part = {"id": d.storage_service_id(resource["id"], service), "type": f"{kind[0]}/{service}"}
                kinds.setdefault((*kind, service), []).append(part)
                jobs.append(reader.job(reads.SETTINGS, part["id"]))
            for service in d.classic_services(resource):
                reader.plan.add(d.storage_analytics_id(resource["id"], service), d.STORAGE_ANALYTICS)
                jobs.append(("//storage", partial(read_classic, reader, resource, service)))
            jobs.extend(reader.job(read, resource["id"]) for read in reads_of(kind[0]))
            continue
        kinds.setdefault(kind, []).append(resource)
        if can_log(kind[0]):
            jobs.append(reader.job(reads.SETTINGS, resource["id"]))
        jobs.extend(reader.job(read, resource["id"]) for read in reads_of(kind[0]))
    for _, members in sorted(kinds.items()):
        reader.plan.add(reads.CATEGORIES.id(members[0]["id"]), d.DIAGNOSTIC_CATEGORIES)
        jobs.append((members[0]["id"], partial(_read_categories, reader, members, unlisted)))
    return jobs


async def _read_categories(reader: Reader, members: Sequence[d.Document], unlisted: list[d.Document]) -> None:
    """Ask resources of one kind for its categories until one answers.

    The resources of a type that the catalog does not hold, but that turns out to log, are put into `unlisted`.
    """
    kind = str(members[0]["type"]).lower()
    catalogued = kind.startswith(_STORAGE) or can_log(kind)
    read = reads.KNOWN_CATEGORIES if catalogued else reads.CATEGORIES
    for resource in members[:_TRIES]:
        answer = await reader.document(read, resource["id"])
        if d.marker(answer) is None:
            if not catalogued and _offers_logs(answer["value"]):
                unlisted.extend(members)
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

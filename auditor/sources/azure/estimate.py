"""How much a scan would read, told by how many resources of each type there are."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from auditor.catalog import can_log
from auditor.focus import DESTINATION_TYPES, Sight
from auditor.sources.azure import reads
from auditor.sources.azure.buckets import seconds_allowed
from auditor.sources.azure.capabilities import Estimate
from auditor.sources.azure.pipeline import Refused, send
from auditor.sources.azure.reader import Reader
from auditor.sources.azure.transport import NoAnswer
from auditor.sources.azure.type_reads import OF_SUBSCRIPTION, OF_TENANT, reads_of

BY_BOTH: Final = "resources | summarize count() by type, subscriptionId | order by type asc, subscriptionId asc"
BY_GROUP: Final = (
    "resources | summarize count() by type, subscriptionId, resourceGroup"
    " | order by type asc, subscriptionId asc, resourceGroup asc"
)
BY_TYPE: Final = "resources | summarize count() by type | order by type asc"
_TENANT: Final = 4 + len(OF_TENANT)  # subscriptions, tenants, management groups, licence, and what a table tells
_PAGE: Final = 1000  # rows of Resource Graph
_MOST_SUBSCRIPTIONS: Final = 1000  # in one query
_MOST_PAGES: Final = 5
_STORAGE: Final = "microsoft.storage/storageaccounts"
Tally = dict[tuple[str, str], int]  # (type, subscription id) → resources; no id where the split is not known


async def count_resources(reader: Reader, guids: list[str]) -> tuple[Tally | None, str]:
    """How many resources Resource Graph shows, by type and subscription; None and the reason if it does not tell."""
    counted, reason = await _counted(reader, guids, (BY_BOTH, BY_TYPE))
    if counted is None:
        return None, reason
    tally: Tally = {}
    for kind, guid, _, number in counted:
        tally[kind, guid] = tally.get((kind, guid), 0) + number
    return tally, ""


async def count_judged(reader: Reader, guids: list[str]) -> tuple[Tally | None, bool]:
    """How many of them the filters by type and resource group choose, and whether that is exact.

    None where it cannot be told. Tags are not looked at: counted by their values, an estate has too many of them.
    """
    focus = reader.options.focus
    grouped = bool(focus.resource_groups or focus.exclude_resource_groups)
    counted, _ = await _counted(reader, guids, (BY_GROUP, BY_BOTH) if grouped else (BY_BOTH,))
    if counted is None:
        return None, False
    sight = Sight([msgspec.structs.replace(focus, tags=(), exclude_tags=())], {})
    tally: Tally = {}
    for kind, guid, group, number in counted:
        place = f"/subscriptions/{guid}/resourcegroups/{group}" if group else ""
        if sight.sees(place, kind):
            tally[kind, guid] = tally.get((kind, guid), 0) + number
    told = not grouped or all(group for _, _, group, _ in counted)
    return tally, told and not focus.tags and not focus.exclude_tags


async def _counted(
    reader: Reader, guids: list[str], queries: tuple[str, ...]
) -> tuple[list[tuple[str, str, str, int]] | None, str]:
    """(type, subscription, resource group, number) as the first query tells that has an end; or why none has."""
    counted: list[tuple[str, str, str, int]] = []
    for start in range(0, len(guids), _MOST_SUBSCRIPTIONS):
        chunk = guids[start : start + _MOST_SUBSCRIPTIONS]
        for query in queries:
            rows, reason = await all_rows(reader, chunk, query)
            if rows is not None or reason:  # else there are too many to tell one by one
                break
        if rows is None:
            return None, reason or "there are too many types of resources to count"
        for row in rows:
            kind, guid, group, number = (row.get(key) for key in ("type", "subscriptionId", "resourceGroup", "count_"))
            if isinstance(kind, str) and isinstance(number, int) and not isinstance(number, bool) and number > 0:
                counted.append((kind.lower(), _folded(guid), _folded(group), number))
    return counted, ""


def _folded(value: object) -> str:
    return value.lower() if isinstance(value, str) else ""


async def all_rows(reader: Reader, guids: list[str], query: str) -> tuple[list[dict[str, Any]] | None, str]:
    """The rows that a Resource Graph query gives; None and the reason where it fails, without one if it has no end."""
    rows: list[dict[str, Any]] = []
    url = reader.url(reads.RESOURCE_GRAPH.path, reads.RESOURCE_GRAPH.api_version)
    for _ in range(_MOST_PAGES):
        options = {"$top": _PAGE, "$skip": len(rows), "resultFormat": "objectArray"}
        question = {"subscriptions": guids, "query": query, "options": options}
        try:
            answer = await send(reader.pipelines.resource_manager, "POST", url, body=question)
        except (NoAnswer, Refused) as error:
            return None, str(error)
        page = reader.body_of(reads.RESOURCE_GRAPH, reads.RESOURCE_GRAPH.path, answer)
        unknown = page.get("$unknown")
        data = page.get("data")
        if not isinstance(data, list):
            reason = unknown.get("reason") if isinstance(unknown, dict) else None
            return None, str(reason or "the answer holds no rows")
        rows.extend(row for row in data if isinstance(row, dict))
        if str(page.get("resultTruncated", "false")).lower() != "true" and not page.get("$skipToken"):
            return rows, ""
        if not data:
            return None, ""
    return None, ""


def estimate(
    tally: Tally,
    subscriptions: Iterable[str],
    groups: int,
    inventory: str = "graph",
    judged: Tally | None = None,
    *,
    exact: bool = True,
) -> Estimate:
    """The reads of a scan of these subscriptions, and the time that Azure's limits alone make it take.

    With filters, `judged` is what they choose: if logs can be sent to none of it, log settings are read of it alone.
    What log settings name is not known yet, so the reads of destinations are not in it.
    """
    guids = list(subscriptions)
    deep = tally if judged is None or any(kind in DESTINATION_TYPES for kind, _ in judged) else judged
    resources = sum(tally.values())
    managed = Counter(dict.fromkeys(guids, len(OF_SUBSCRIPTION)))
    elsewhere = _TENANT + groups + bool(groups) + math.ceil(resources / _PAGE) + len({kind for kind, _ in tally})
    for (kind, guid), number in tally.items():
        managed[guid] += len(reads_of(kind)) * number
        asked = deep.get((kind, guid), 0)
        if kind == _STORAGE:
            managed[guid] += 4 * asked  # blob, queue, table and file log by themselves
            elsewhere += 3 * asked  # and all but file can have classic logging, told by the storage service
        elif can_log(kind):
            managed[guid] += asked
    if inventory == "arm":
        from auditor.sources.azure.arm_inventory import listing_reads

        elsewhere -= math.ceil(resources / _PAGE)
        managed += listing_reads(tally, guids)
    unsplit = managed.pop("", 0)
    fullest = min(managed, key=lambda guid: (-managed[guid], guid), default="")
    most = managed[fullest] if fullest else 0
    if unsplit:  # no subscription can have fewer than all have on average
        fullest, most = "", most + math.ceil(unsplit / max(1, len(guids)))
    return Estimate(
        resources=resources,
        reads=managed.total() + unsplit + elsewhere,
        seconds=math.ceil(seconds_allowed({fullest: most})),
        fullest=fullest,
        fullest_reads=most,
        judged=sum(judged.values()) if judged is not None else None,
        at_most=not exact,
    )

"""Does a Log Analytics workspace take logs, and how long does each of its tables keep them?

Total retention is how long a record exists at all, interactive how long it can be queried at once; both are days.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from auditor.catalog import AZURE_DIAGNOSTICS, catalog
from auditor.documents import SENTINEL, Document, marker, normal_id
from auditor.facts.numbers import number
from auditor.facts.shapes import mapping, text
from auditor.facts.unread import fields, listed, unclear, unread
from auditor.inventory import Unknown

Days = float | Unknown
Kept = tuple[Days, Days]  # total, interactive

_FREE_TIER_DAYS: Final = 7.0
_FREE_TABLES: Final = frozenset({"azureactivity", "usage"})  # 90 days at no charge, whatever the workspace's default
_FREE_TABLE_DAYS: Final = 90.0
_LOOK_UP_DAYS: Final = 30.0  # Basic and Auxiliary tables can be queried for 30 days
_DEFAULT_DAYS: Final = 30.0  # of a workspace that names none
_REFUSING: Final = {
    "forceoff": "ingestion is switched off",
    "overquota": "its daily cap is reached",
    "subscriptionsuspended": "its subscription is suspended",
}
# Filled by agents, products and the workspace itself, so they never hold a category that the catalog cannot place.
_OTHER_TABLES: Final = frozenset(
    {
        "alert",
        "azuremetrics",
        "commonsecuritylog",
        "event",
        "heartbeat",
        "insightsmetrics",
        "operation",
        "perf",
        "securityalert",
        "securityevent",
        "securityincident",
        "syslog",
        "update",
        "usage",
        "windowsevent",
    }
)
_OTHER_PREFIXES: Final = ("app", "container", "device", "email", "kube", "identity", "threatintel")
_OTHER_SUFFIXES: Final = ("_cl", "_rst", "_srch", "_krst")


def workspace_refusal(workspace: Mapping[str, Any]) -> str | Unknown:
    """Why the workspace takes in no logs now; empty where it does."""
    properties = fields(workspace.get("properties"))
    if properties is None:
        return unclear("the workspace", workspace.get("properties"))
    status = mapping(properties.get("workspaceCapping")).get("dataIngestionStatus")
    return _REFUSING.get(text(status).lower(), "")


def daily_cap_gb(workspace: Mapping[str, Any]) -> float | Unknown | None:
    """Gigabytes a day after which everything is dropped, security tables too; None for no cap (-1)."""
    properties = fields(workspace.get("properties"))
    if properties is None:
        return unclear("the workspace's daily cap", workspace.get("properties"))
    capping = properties.get("workspaceCapping")
    if capping is None:
        return None
    capped = fields(capping)
    quota = -1 if capped is not None and capped.get("dailyQuotaGb") is None else (capped or {}).get("dailyQuotaGb")
    cap = number(quota)
    if cap is None:
        return unclear("the workspace's daily cap", capping if capped is None else quota)
    return None if cap < 0 else cap


def sentinel_on(documents: Mapping[str, Document], workspace: str) -> bool | Unknown:
    """Whether Sentinel is switched on in a workspace (normal id): it says so itself, or its solution is there."""
    state = documents.get(normal_id(f"{workspace}/providers/{SENTINEL}/default"))
    mark = marker(state) if state is not None else "$unknown"
    if state is not None and mark is None:
        named = text(state.get("name")).lower() == "default"
        return True if named else unclear("whether Microsoft Sentinel is on")
    if mark == "$absent":
        return False
    group, _, name = workspace.rpartition("/providers/microsoft.operationalinsights/workspaces/")
    solution = documents.get(f"{group}/providers/microsoft.operationsmanagement/solutions/securityinsights({name})")
    if solution is not None and marker(solution) is None:
        return True
    return unread(state, "whether Microsoft Sentinel is on")


def workspace_keeps(workspace: Mapping[str, Any]) -> Days:
    """The workspace's default retention, which tables without a value of their own inherit."""
    properties = fields(workspace.get("properties"))
    if properties is None:
        return unclear("the workspace", workspace.get("properties"))
    raw = properties.get("retentionInDays")
    days = _DEFAULT_DAYS if raw is None else number(raw)
    if days is None or days <= 0:
        return unclear("the workspace's retention", raw)
    if mapping(properties.get("features")).get("immediatePurgeDataOn30Days") is True and days <= 31:
        days = min(days, _LOOK_UP_DAYS)  # otherwise a 30-day workspace may keep the 31st day
    return min(days, _FREE_TIER_DAYS) if _free_tier(workspace) else days


def _free_tier(workspace: Mapping[str, Any]) -> bool:
    skus = (workspace.get("sku"), mapping(workspace.get("properties")).get("sku"))
    return any(text(mapping(sku).get("name")).lower() == "free" for sku in skus)


def table_keeps(workspace: Mapping[str, Any], name: str, table: Mapping[str, Any] | None) -> Kept:
    """(total, interactive) of one table; `table` None for one without values of its own."""
    default = workspace_keeps(workspace)
    if isinstance(default, Unknown):
        return default, default
    if name.lower() in _FREE_TABLES and not _free_tier(workspace):
        default = max(default, _FREE_TABLE_DAYS)
    properties = {} if table is None else fields(table.get("properties"))
    if properties is None:
        why = unclear(f"the table {name}", mapping(table).get("properties"))
        return why, why
    interactive = _own(properties.get("retentionInDays"), default, name)
    if str(properties.get("plan")).lower() in ("basic", "auxiliary"):
        interactive = _LOOK_UP_DAYS
    total = _total(properties, interactive, name)
    if _free_tier(workspace):
        total = interactive = _FREE_TIER_DAYS
    return total, interactive


def _own(raw: object, inherited: Days, name: str) -> Days:
    """A table's value; null and -1 inherit."""
    if raw is None:
        return inherited
    days, what = number(raw), f"the retention of the table {name}"
    if days == -1:
        return inherited
    if days is None or days <= 0:
        return unclear(what, raw)
    return days


def _total(properties: Mapping[str, Any], interactive: Days, name: str) -> Days:
    raw, archive = properties.get("totalRetentionInDays"), number(properties.get("archiveRetentionInDays"))
    if raw is None and archive and archive > 0 and not isinstance(interactive, Unknown):
        return interactive + archive
    return _own(raw, interactive, name)


def tables_of(
    documents: Mapping[str, Document], workspace_id: str, declared: bool = False
) -> dict[str, Document] | Unknown:
    """Lower-case table name → its document, from the list of a workspace's tables.

    `declared`: the documents are what someone declared, where a list that is not there holds nothing.
    """
    document = documents.get(f"{workspace_id}/tables")
    if document is None and declared:
        return {}
    items = listed(document, "the workspace's tables")
    return items if isinstance(items, Unknown) else {str(name).lower(): item for item, name in _named(items)}


def _named(value: list[Any]) -> Iterator[tuple[Document, str]]:
    for item in value:
        if isinstance(item, dict):
            name = item.get("name") or str(item.get("id", "")).rpartition("/")[2]
            if isinstance(name, str) and name:
                yield item, name.rpartition("/")[2]


def keeper(
    documents: Mapping[str, Document], workspace: Mapping[str, Any], workspace_id: str, declared: bool
) -> Callable[[str | None], Kept]:
    """A function from table name to (total, interactive); None asks for the default, "" for a table not published.

    `declared` as in `tables_of`.
    """
    default = workspace_keeps(workspace)
    listed = tables_of(documents, workspace_id, declared)

    def table(name: str) -> Kept:
        own = documents.get(normal_id(f"{workspace_id}/tables/{name}"))
        if own is not None and marker(own) is None:
            return table_keeps(workspace, name, own)
        if isinstance(listed, Unknown):
            return listed, listed
        return table_keeps(workspace, name, listed.get(name.lower()))

    def keeps(name: str | None) -> Kept:
        if name is None:
            return default, default
        if name:
            return table(name)
        if isinstance(listed, Unknown):
            return listed, listed
        names = [AZURE_DIAGNOSTICS, *(name for name in listed if _may_hold_any(name))]
        answers = {(default, default), *map(table, names)}
        return answers.pop() if len(answers) == 1 else (_VARIOUS, _VARIOUS)

    return keeps


_VARIOUS: Final = Unknown(
    reason="which table holds this category is not published, and the workspace's tables are kept for various times"
)


def _may_hold_any(name: str) -> bool:
    lower = name.lower()
    return not (
        lower in _documented()
        or lower in _OTHER_TABLES
        or lower.startswith(_OTHER_PREFIXES)
        or lower.endswith(_OTHER_SUFFIXES)
    )


@lru_cache(maxsize=1)
def _documented() -> frozenset[str]:
    return frozenset(
        name.lower()
        for known in catalog().values()
        for category in known.categories
        for name in (category.table, *category.alt_tables)
        if name
    )

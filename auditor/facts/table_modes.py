"""Do a resource's logs land in workspace tables of their own, or in the one that types share?"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from auditor.catalog import categories_of, has_own_table
from auditor.facts.settings import identity_of
from auditor.facts.shapes import entries, mapping, text
from auditor.facts.unread import unclear, undecided
from auditor.inventory import UNPUBLISHED, LogSetting, Unknown

_MODE = "the table mode of a diagnostic setting"


def table_facts(
    document: Mapping[str, Any] | None, settings: tuple[LogSetting, ...] | Unknown, resource_type: str
) -> dict[str, Any]:
    """Facts about workspace tables, of a resource that sends a workspace what could have a table of its own.

    `table_mode`: `shared` where any of it lands in AzureDiagnostics, else `own`. `in_shared_table`: which categories.
    """
    if isinstance(settings, Unknown):
        return {"table_mode": settings, "in_shared_table": settings} if _has_choice(resource_type) else {}
    modes = {identity_of(item, i)[0]: _mode(item) for i, item in enumerate(entries(mapping(document).get("value")))}
    own, shared, unsure = set[str](), set[str](), list[Unknown]()
    for setting in settings:
        if setting.kind != "diagnostic-setting" or not any(place.kind == "log-analytics" for place in setting.living):
            continue
        certain = {name for name in setting.categories if has_own_table(resource_type, name)}
        perhaps = {name for name in setting.possible if has_own_table(resource_type, name)}
        mode = modes.get(setting.id, False)
        if isinstance(mode, Unknown):
            unsure += [mode] if certain or perhaps else []
        elif mode:
            own |= certain
        else:
            shared |= certain
            unsure += [UNPUBLISHED] if perhaps - certain else []
    if shared:
        return {"table_mode": "shared", "in_shared_table": sorted(shared)}
    if unsure:
        return {"table_mode": unsure[0], "in_shared_table": unsure[0]}
    return {"table_mode": "own", "in_shared_table": []} if own else {}


@lru_cache(maxsize=1024)
def _has_choice(resource_type: str) -> bool:
    return any(has_own_table(resource_type, name) for name in categories_of(resource_type))


def _mode(item: Mapping[str, Any]) -> bool | Unknown:
    """Whether a setting asks for tables of their own."""
    written = mapping(item.get("properties")).get("logAnalyticsDestinationType")
    return unclear(_MODE, written) if undecided(written) else text(written).lower() == "dedicated"

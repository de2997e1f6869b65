"""Inventory → what of it Azure retires, or has retired."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from auditor import retirements as r
from auditor.inventory import Inventory, Resource
from auditor.report import RetirementInfo

MOST_EXAMPLES = 5
_TYPES = {
    "microsoft.dbforpostgresql/servers": r.POSTGRESQL_SINGLE,
    "microsoft.dbformysql/servers": r.MYSQL_SINGLE,
    "microsoft.insights/logprofiles": r.LOG_PROFILES,
}
_AGENTS = frozenset({"microsoftmonitoringagent", "omsagentforlinux"})


def retiring(inventory: Inventory) -> list[RetirementInfo]:
    """Each retirement that concerns something there, soonest first; what could not be read is left to the findings."""
    found: dict[str, list[str]] = {}
    for resource in inventory.resources:
        known = not resource.is_stand_in and resource.facts.get("in_scope") is True
        if known and inventory.is_own(resource.subscription):
            for key in _keys(resource):
                found.setdefault(key, []).append(resource.name)
    return in_order(
        RetirementInfo(
            **msgspec.structs.asdict(r.retirement(key)), count=len(names), examples=sorted(names)[:MOST_EXAMPLES]
        )
        for key, names in found.items()
    )


def in_order(infos: Iterable[RetirementInfo]) -> list[RetirementInfo]:
    """By day, those without one last."""
    return sorted(infos, key=lambda info: (not info.ends, info.ends, info.key))


def together(one: RetirementInfo, other: RetirementInfo) -> RetirementInfo:
    """What two parts of an estate have of the same retirement."""
    examples = sorted([*one.examples, *other.examples])[:MOST_EXAMPLES]
    return msgspec.structs.replace(one, count=one.count + other.count, examples=examples)


def _keys(resource: Resource) -> Iterator[str]:
    kind = resource.type.lower()
    if kind in _TYPES:
        yield _TYPES[kind]
    facts = resource.facts
    if facts.get("target_kind") == "nsg":
        yield r.NSG_FLOW_LOGS
    if facts.get("classic") in ("full", "partly"):
        yield r.CLASSIC_STORAGE
    if isinstance(facts.get("settings_with_retention"), list) and facts["settings_with_retention"]:
        yield r.SETTING_RETENTION
    properties = resource.properties
    if not isinstance(properties, Mapping):
        return
    if kind.endswith(("machines/extensions", "virtualmachinescalesets/extensions")):
        if _text(properties, "type") in _AGENTS:
            yield r.LOG_ANALYTICS_AGENT
    elif kind == "microsoft.insights/components" and _text(properties, "IngestionMode") == "applicationinsights":
        yield r.CLASSIC_INSIGHTS


def _text(properties: Mapping[str, Any], name: str) -> str:
    value = properties.get(name)
    return value.lower() if isinstance(value, str) else ""

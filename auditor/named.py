"""Which places does a document name: where logs are sent, what flow logs watch, whom alerts call?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from auditor import documents as d

_ACTION_GROUP: Final = "microsoft.insights/actiongroups"
_CALLERS: Final = frozenset({"microsoft.insights/activitylogalerts", "microsoft.alertsmanagement/actionrules"})
_SETTING_TYPES: Final = frozenset(kind.lower() for kind in (d.DIAGNOSTIC_SETTINGS, d.ENTRA_SETTINGS, d.INTUNE_SETTINGS))


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


def called_groups(documents: Iterable[d.Document]) -> list[str]:
    """Ids of the action groups that alert rules, and the rules that process alerts, call."""
    found: dict[str, str] = {}
    for document in documents:
        kind = str(document.get("type") or "").lower()
        if kind not in _CALLERS:
            continue
        for properties in _properties_in(document):
            for group in _called_by(properties.get("actions")):
                if d.type_of(group).lower() == _ACTION_GROUP:
                    found[d.normal_id(group)] = min(found.get(d.normal_id(group), group), group)
    return [group for _, group in sorted(found.items())]


def _called_by(actions: object) -> Iterator[str]:
    groups = actions.get("actionGroups") if isinstance(actions, Mapping) else actions
    for entry in groups if isinstance(groups, list) else ():
        if isinstance(entry, Mapping):
            several = entry.get("actionGroupIds")
            ids = several if isinstance(several, list) else [entry.get("actionGroupId")]
            yield from ("/" + group.strip().strip("/") for group in ids if isinstance(group, str) and group.strip())


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

"""Which places does a document name: where logs are sent, what flow logs watch, what collects, whom alerts call?"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any, Final

from auditor import documents as d

_RULES: Final = "microsoft.insights/datacollectionrules"
_RULE_PLACES: Final = {  # kind of destination in a data collection rule → (kind of place, where its id is)
    "logAnalytics": ("log-analytics", "workspaceResourceId"),
    "eventHubs": ("event-hub", "eventHubResourceId"),
    "eventHubsDirect": ("event-hub", "eventHubResourceId"),
    "storageAccounts": ("storage", "storageAccountResourceId"),
    "storageBlobsDirect": ("storage", "storageAccountResourceId"),
    "storageTablesDirect": ("storage", "storageAccountResourceId"),
}
AUTOMATIONS: Final = "microsoft.security/automations"
_ACTION_GROUP: Final = "microsoft.insights/actiongroups"
_CALLERS: Final = frozenset({"microsoft.insights/activitylogalerts", "microsoft.alertsmanagement/actionrules"})
_SETTING_TYPES: Final = frozenset(kind.lower() for kind in (d.DIAGNOSTIC_SETTINGS, d.ENTRA_SETTINGS, d.INTUNE_SETTINGS))

AUDIT_POLICIES: Final = frozenset(
    kind.lower()
    for kind in (
        *(d.SQL_AUDIT, d.SQL_EXTENDED_AUDIT, d.SQL_SUPPORT_AUDIT, d.SQL_DATABASE_AUDIT),
        *(d.SYNAPSE_AUDIT, d.SYNAPSE_POOL_AUDIT),
    )
)
_ACCOUNT: Final = "microsoft.storage/storageaccounts"


def named_destinations(documents: Iterable[d.Document]) -> dict[str, tuple[str, str]]:
    """Every place that something which logs names: normal id → (kind, id as written), in id order."""
    found: dict[str, tuple[str, str]] = {}
    for document in documents:
        for kind, named in _named_by(document):
            place = d.event_hub_namespace(named) if kind == "event-hub" else named
            key = d.normal_id(place)
            # Documents come in no order of their own; of several spellings always the same one is taken.
            found[key] = min(found.get(key, (kind, place)), (kind, place))
    return dict(sorted(found.items()))


def audit_accounts(policy: d.Document) -> set[str]:
    """The names of the storage accounts that an auditing policy names."""
    return {d.endpoint_account(told.get("storageEndpoint")) for told in _properties_in(policy)} - {""}


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


def associated_rules(documents: Iterable[d.Document]) -> list[str]:
    """Ids of the data collection rules that associations name."""
    found: dict[str, str] = {}
    for document in documents:
        if str(document.get("type") or "").lower() == d.COLLECTION_RULE_ASSOCIATIONS.lower():
            for properties in _properties_in(document):
                rule = properties.get("dataCollectionRuleId")
                if isinstance(rule, str) and rule.strip():
                    found[d.normal_id(rule)] = min(found.get(d.normal_id(rule), rule.strip()), rule.strip())
    return [rule for _, rule in sorted(found.items())]


def places_of_rule(properties: Mapping[str, Any], wanted: Container[str] | None = None) -> Iterator[tuple[str, str]]:
    """(kind, id) of the places in a data collection rule's properties; `wanted` are the names in lower case."""
    destinations = properties.get("destinations")
    for key, (kind, where) in _RULE_PLACES.items():
        several = destinations.get(key) if isinstance(destinations, Mapping) else None
        for one in several if isinstance(several, list) else ():
            place = one.get(where) if isinstance(one, Mapping) else None
            if not isinstance(place, str) or not place.strip():
                continue
            if wanted is None or str(one.get("name")).lower() in wanted:
                yield kind, place.strip().rstrip("/")


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
        elif doc_type == _RULES:
            yield from places_of_rule(properties)
        elif doc_type == AUTOMATIONS:
            yield from _of_export(properties)


def _of_export(properties: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Where a continuous export of Defender for Cloud sends alerts."""
    actions = properties.get("actions")
    for action in actions if isinstance(actions, list) else ():
        if isinstance(action, Mapping):
            for key, kind in (("workspaceResourceId", "log-analytics"), ("eventHubResourceId", "event-hub")):
                place = action.get(key)
                if isinstance(place, str) and place.strip():
                    yield kind, "/" + place.strip().strip("/")


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


_NAMED: Final = {d.FLOW_LOGS.lower(), AUTOMATIONS, _RULES, d.COLLECTION_RULE_ASSOCIATIONS.lower()}
_NAMING: Final = _SETTING_TYPES | _CALLERS | _NAMED


class Named:
    """The places that documents name, gathered while they come; each by the first of its spellings."""

    def __init__(self) -> None:
        self._destinations: dict[str, tuple[str, str]] = {}
        self._watched: dict[str, str] = {}
        self._called: dict[str, str] = {}
        self._associated: dict[str, str] = {}
        self._accounts: dict[str, str] = {}  # storage accounts by name, which is unique in all of Azure
        self._audited_to: set[str] = set()

    def add(self, document: d.Document) -> None:
        """Take in what one document names."""
        kind = str(document.get("type") or "").lower()
        if kind == _ACCOUNT and d.marker(document) is None:
            self._accounts[d.name_of(document["id"]).lower()] = document["id"]
        elif kind in AUDIT_POLICIES:
            self._audited_to |= audit_accounts(document)
        if kind not in _NAMING:
            return
        for key, named in named_destinations([document]).items():
            self._destinations[key] = min(self._destinations.get(key, named), named)
        for place in watched_targets([document]):
            self._watched[d.normal_id(place)] = min(self._watched.get(d.normal_id(place), place), place)
        for place in called_groups([document]):
            self._called[d.normal_id(place)] = min(self._called.get(d.normal_id(place), place), place)
        for rule in associated_rules([document]):
            self._associated[d.normal_id(rule)] = min(self._associated.get(d.normal_id(rule), rule), rule)

    def destinations(self) -> dict[str, tuple[str, str]]:
        """As `named_destinations`; with the storage accounts that auditing policies name by their endpoints."""
        audited_to = [self._accounts[name] for name in self._audited_to & self._accounts.keys()]
        found = {d.normal_id(account): ("storage", account) for account in audited_to}
        return dict(sorted({**found, **self._destinations}.items()))

    def watched(self) -> list[str]:
        """As `watched_targets`."""
        return [place for _, place in sorted(self._watched.items())]

    def called(self) -> list[str]:
        """As `called_groups`."""
        return [place for _, place in sorted(self._called.items())]

    def associated(self) -> list[str]:
        """As `associated_rules`."""
        return [rule for _, rule in sorted(self._associated.items())]

"""Which places does a document name: where logs are sent, what flow logs watch, what collects, whom alerts call?"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from typing import Any, Final, TypeVar

from auditor import documents as d

Said = TypeVar("Said", str, tuple[str, str])
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

_AUDIT_POLICIES: Final = frozenset(
    kind.lower()
    for kind in (
        *(d.SQL_AUDIT, d.SQL_EXTENDED_AUDIT, d.SQL_SUPPORT_AUDIT, d.SQL_DATABASE_AUDIT),
        *(d.SYNAPSE_AUDIT, d.SYNAPSE_POOL_AUDIT),
    )
)
_NAMING: Final = (
    {d.FLOW_LOGS.lower(), d.COLLECTION_RULE_ASSOCIATIONS.lower(), AUTOMATIONS, _RULES}
    | _SETTING_TYPES
    | _CALLERS
    | _AUDIT_POLICIES
)
_ACCOUNT: Final = "microsoft.storage/storageaccounts"
_ENDPOINT: Final = re.compile(r"(?:https?://)?([a-z0-9]{3,24})\.", re.IGNORECASE)


def endpoint_account(endpoint: object) -> str:
    """The storage account, in lower case, that an endpoint (`https://name.blob…`) is of; empty where it names none."""
    found = _ENDPOINT.match(endpoint.strip()) if isinstance(endpoint, str) else None
    return found[1].lower() if found else ""


def audit_carrier(key: str, kind: str) -> str:
    """The id of what carries a resource's SQL audit events to Azure Monitor by its settings; empty for other types.

    For a server and its databases that is the database `master`, for a Synapse workspace and its pools the workspace.
    """
    kind = kind.lower()
    if kind in ("microsoft.sql/servers", "microsoft.sql/servers/databases"):
        return f"{key if kind.endswith('servers') else d.parent_of(key)}/databases/master"
    if kind in ("microsoft.synapse/workspaces", "microsoft.synapse/workspaces/sqlpools"):
        return key if kind.endswith("workspaces") else d.parent_of(key)
    return ""


def event_hub_namespace(destination_id: str) -> str:
    """The namespace's id of an event-hub destination, whether it names a hub or the namespace."""
    return re.split(r"/eventhubs/", destination_id, flags=re.IGNORECASE)[0]


class Named:
    """The places that documents name, gathered while they come; each by the first of its spellings.

    Documents come in no order of their own, and of several spellings always the same one is to be taken.
    """

    def __init__(self) -> None:
        self._destinations: dict[str, tuple[str, str]] = {}
        self._watched: dict[str, str] = {}
        self._called: dict[str, str] = {}
        self._associated: dict[str, str] = {}
        self._accounts: dict[str, str] = {}  # storage accounts by name, which is unique in all of Azure
        self._audited_to: set[str] = set()  # names of the accounts that auditing policies name by their endpoints

    def add(self, document: d.Document) -> None:
        """Take in what one document names."""
        kind = str(document.get("type") or "").lower()
        if kind == _ACCOUNT and d.marker(document) is None:
            self._accounts[d.name_of(str(document["id"])).lower()] = str(document["id"])
        if kind not in _NAMING:
            return
        for properties in _properties_in(document):
            if kind in _AUDIT_POLICIES and (account := endpoint_account(properties.get("storageEndpoint"))):
                self._audited_to.add(account)
            for said, named in _named_by(kind, properties):
                place = event_hub_namespace(named) if said == "event-hub" else named
                _note(self._destinations, place, (said, place))
            for place in _watched_by(kind, properties):
                _note(self._watched, place, place)
            for group in _called_by(kind, properties):
                _note(self._called, group, group)
            for rule in _associated_by(kind, properties):
                _note(self._associated, rule, rule)

    def audited_accounts(self) -> dict[str, str]:
        """The storage accounts among the documents that auditing policies name: name → id as written."""
        return {name: self._accounts[name] for name in self._audited_to & self._accounts.keys()}

    def destinations(self) -> dict[str, tuple[str, str]]:
        """Every place that something which logs names: normal id → (kind, id as written), in id order."""
        found = {d.normal_id(account): ("storage", account) for account in self.audited_accounts().values()}
        return dict(sorted({**found, **self._destinations}.items()))

    def watched(self) -> list[str]:
        """Ids of what flow logs watch; for a subnet that of its network, since it has no life of its own."""
        return _in_order(self._watched)

    def called(self) -> list[str]:
        """Ids of the action groups that alert rules, and the rules that process alerts, call."""
        return _in_order(self._called)

    def associated(self) -> list[str]:
        """Ids of the data collection rules that associations name."""
        return _in_order(self._associated)


def _note(found: dict[str, Said], place: str, said: Said) -> None:
    key = d.normal_id(place)
    found[key] = min(found.get(key, said), said)


def _in_order(found: Mapping[str, str]) -> list[str]:
    return [place for _, place in sorted(found.items())]


def _watched_by(kind: str, properties: Mapping[str, Any]) -> Iterator[str]:
    target = properties.get("targetResourceId") if kind == d.FLOW_LOGS.lower() else None
    if isinstance(target, str) and target.strip():
        yield re.split(r"/subnets/", target.strip(), flags=re.IGNORECASE)[0]


def _associated_by(kind: str, properties: Mapping[str, Any]) -> Iterator[str]:
    rule = properties.get("dataCollectionRuleId") if kind == d.COLLECTION_RULE_ASSOCIATIONS.lower() else None
    if isinstance(rule, str) and rule.strip():
        yield rule.strip()


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


def _called_by(kind: str, properties: Mapping[str, Any]) -> Iterator[str]:
    actions = properties.get("actions") if kind in _CALLERS else None
    groups = actions.get("actionGroups") if isinstance(actions, Mapping) else actions
    for entry in groups if isinstance(groups, list) else ():
        if isinstance(entry, Mapping):
            several = entry.get("actionGroupIds")
            ids = several if isinstance(several, list) else [entry.get("actionGroupId")]
            named = ("/" + group.strip().strip("/") for group in ids if isinstance(group, str) and group.strip())
            yield from (group for group in named if d.type_of(group).lower() == _ACTION_GROUP)


def _named_by(kind: str, properties: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(kind, id) of the places that logs are sent to."""
    if kind in _SETTING_TYPES:
        yield from d.destinations_of(properties)
    elif kind == d.FLOW_LOGS.lower():
        yield from _of_flow_log(properties)
    elif kind == _RULES:
        yield from places_of_rule(properties)
    elif kind == AUTOMATIONS:
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

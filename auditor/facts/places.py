"""Which places do settings send logs to, and what does each receive?"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from auditor.catalog import relevance
from auditor.documents import (
    FLOW_LOGS,
    LOG_DESTINATION,
    RESOURCE_LIST,
    STORAGE_SERVICES,
    TABLES,
    Document,
    access_rules,
    marker,
    name_of,
    resource_group_of,
    subscription_of,
    type_of,
)
from auditor.facts.archives import flow_container
from auditor.facts.destination_words import destination_details
from auditor.facts.destinations import Documents, Resolver, destination_facts
from auditor.facts.settings import Route
from auditor.facts.shapes import mapping, text
from auditor.facts.workspaces import table_keeps
from auditor.focus import Sight
from auditor.inventory import LogSetting, Resource, Unknown
from auditor.named import event_hub_namespace


class Place(msgspec.Struct):
    """One destination as the settings of an estate use it."""

    kind: str
    id: str
    in_use: bool = False  # something that is judged sends here
    sources: int = 0  # judged log sources that send here
    senders: int = 0  # log sources that send here, judged or not
    near: int = 0  # of these, those in the place's own subscription
    receives: set[str] = msgspec.field(
        default_factory=set
    )  # tables, containers or hubs of security-relevant categories
    rules: set[str] = msgspec.field(default_factory=set)  # of an event hub's namespace, that settings send with


class Places:
    """Every destination that a setting names, gathered while the settings are read."""

    def __init__(self, documents: Iterable[Document] = ()) -> None:
        """`documents` tell what could not be listed, and may send logs anywhere."""
        self._places: dict[tuple[str, str], Place] = {}
        self._owners: dict[str, list[Place]] = {}
        self._unsure: dict[str, float] = {}  # subscription → log sources of which it is not known where they send
        for document in documents:
            if text(document.get("type")).lower() == RESOURCE_LIST.lower() and marker(document):
                self.doubt(subscription_of(text(document.get("id"))), math.inf)

    def name(self, settings: Iterable[LogSetting], *, in_use: bool = True) -> None:
        """Note the destinations of a resource's settings, and how many of its categories go to each.

        Those of what filters leave out (`in_use` is False) are known, but not counted.
        """
        sent: dict[tuple[str, str], set[str]] = {}
        near: dict[tuple[str, str], bool] = {}
        for setting in settings:
            if setting.kind == "storage-analytics":
                continue  # the account's own $logs is no place that someone chose
            for destination in setting.destinations:
                if destination.id:
                    key = (destination.kind, destination.id)
                    sent.setdefault(key, set()).update(setting.categories)
                    near[key] = subscription_of(setting.id) == subscription_of(destination.id)
            self.doubt(subscription_of(setting.id), len(setting.possible - setting.categories))
        for key, categories in sent.items():
            place = self.at(*key)
            place.in_use |= in_use
            place.sources += len(categories) if in_use else 0
            place.senders += len(categories)
            place.near += len(categories) * near[key]

    def doubt(self, subscription: str, sources: float, unlisted: str = "") -> None:
        """Note that this many log sources of a subscription may send anywhere: their settings were not read.

        `unlisted` is a type whose list was not read; there may be any number of flow logs.
        """
        if unlisted.lower() == FLOW_LOGS.lower():
            sources = math.inf
        self._unsure[subscription] = self._unsure.get(subscription, 0) + sources

    def access(self, written: Iterable[object]) -> None:
        """Note the access rules of event hubs that the `properties` of settings send with."""
        for properties in written:
            for place_id, rule in access_rules(mapping(properties)):
                self.at("event-hub", place_id).rules.add(rule)

    def route(self, resource_type: str, routes: Iterable[Route]) -> None:
        """Note the tables (containers, hubs) that security-relevant categories land in."""
        for route in routes:
            if route.part and relevance(resource_type, route.category) != "operational":
                self.at(route.kind, route.destination).receives.add(route.part.lower())

    def audited(self, resources: Iterable[Resource]) -> None:
        """Note where auditing policies send the audit events of databases."""
        for resource in resources:
            if "audited" in resource.facts and not isinstance(resource.settings, Unknown):
                sent = [setting for setting in resource.settings if setting.kind == "sql-audit"]
                self.name(sent, in_use=resource.in_focus)

    def flow_log(self, setting: LogSetting, *, in_use: bool = True) -> None:
        """Note the destinations of a flow log, and the container that it writes to."""
        self.name([setting], in_use=in_use)
        for destination in setting.destinations:
            if destination.kind == "storage" and destination.id:
                self.at("storage", destination.id).receives.add(flow_container(retiring=setting.ends is not None))

    def add(self, others: Places) -> None:
        """Take in what other resources send."""
        for other in others.all():
            place = self.at(other.kind, other.id)
            place.in_use |= other.in_use
            place.sources += other.sources
            place.senders += other.senders
            place.near += other.near
            place.receives |= other.receives
            place.rules |= other.rules
        for subscription, sources in others._unsure.items():
            self.doubt(subscription, sources)

    def unsure_of(self, subscription: str) -> tuple[float, float]:
        """How many log sources may send anywhere: those of this subscription, and those of all others."""
        near = self._unsure.get(subscription, 0)
        return near, sum(sources for key, sources in self._unsure.items() if key != subscription)

    def at(self, kind: str, place_id: str) -> Place:
        """The place with this kind and normal id, new or known."""
        place = self._places.get((kind, place_id))
        if place is None:
            place = self._places[kind, place_id] = Place(kind, place_id)
            owner = event_hub_namespace(place_id) if kind == "event-hub" else place_id
            self._owners.setdefault(owner, []).append(place)
        return place

    def all(self) -> list[Place]:
        """Every place, in id order."""
        return sorted(self._places.values(), key=lambda place: (place.id, place.kind))

    def of_resource(self, resource_id: str) -> list[Place]:
        """The places that are this resource, or hubs in this namespace."""
        return self._owners.get(resource_id, [])


_ONE: Final = Unknown(reason="one subscription alone does not show who else sends logs here")
_MORE: Final = Unknown(reason="what could not be read may send logs here, too")


def _near_shares(place: Place, places: Places, scope: frozenset[str]) -> dict[str, float | Unknown]:
    """How many of a hundred log sources that send here are in the place's own subscription: at least, at most.

    Whatever could not be read may send here; so may all that a scan of one subscription does not see.
    """
    near, far = places.unsure_of(subscription_of(place.id))
    alone = place.near > 0 and len(scope) < 2
    least = _share(place.near, place.senders + (math.inf if alone else far))
    most = _share(place.near + near, place.senders + near)
    exact = least if least == most else _ONE if alone else _MORE
    return {"near_share": exact, "near_share_least": least, "near_share_most": most}


def _share(part: float, whole: float) -> float:
    if part == math.inf:
        return 100.0
    return round(100 * part / whole, 1) if whole else 0.0


def place_resources(
    chosen: Iterable[Place],
    places: Places,
    documents: Documents,
    resolve: Resolver,
    scope: frozenset[str],
    sight: Sight,
    *,
    declared: bool,
) -> Iterator[Resource]:
    """The destinations that are judged themselves, or receive logs of something that is."""
    for place in chosen:
        found = _place_resource(place, places, documents, resolve, scope, sight, declared=declared)
        if found.in_focus or place.in_use:
            yield found


def _place_resource(
    place: Place,
    places: Places,
    documents: Documents,
    resolve: Resolver,
    scope: frozenset[str],
    sight: Sight,
    *,
    declared: bool,
) -> Resource:
    """A destination as something that rules can judge, whether it exists or not."""
    owner = event_hub_namespace(place.id) if place.kind == "event-hub" else place.id
    document: Mapping[str, Any] = documents.get(owner) or {}
    shown = str(document.get("id") or owner)
    shown += place.id[len(owner) :]
    subscription = subscription_of(place.id)
    found = resolve(place.kind, place.id, None)
    facts = destination_facts(
        documents,
        place.kind,
        place.id,
        resolve,
        receives=place.receives,
        rules=place.rules,
        declared=declared,
    )
    return Resource(
        id=place.id,
        shown_id=shown,
        type=LOG_DESTINATION,
        name=name_of(shown),
        kind=place.kind,
        subscription=subscription,
        resource_group=resource_group_of(shown),
        location=str(document.get("location") or "").replace(" ", "").lower(),
        facts={
            **facts,
            "kind": place.kind,
            "exists": found.exists,
            "sources": place.sources,
            **_near_shares(place, places, scope),
            "receives": sorted(place.receives),
            "in_scope": not scope or subscription in scope,
            "details": destination_details(documents, place.kind, place.id, receives=place.receives, declared=declared),
        },
        in_focus=sight.sees(owner, type_of(owner), named_only=True),
    )


_KINDS: Final = {
    "microsoft.operationalinsights/workspaces": "log-analytics",
    "microsoft.storage/storageaccounts": "storage",
    "microsoft.eventhub/namespaces": "event-hub",
}
_STORAGE_SERVICES: Final = frozenset(
    f"microsoft.storage/storageaccounts/{service}".lower() for service in STORAGE_SERVICES.values()
)


def as_destination(
    resource: Resource, places: Places, documents: Documents, resolve: Resolver, *, declared: bool
) -> Resource:
    """A resource that logs are, or could be, sent to, or a workspace's table, with its facts as such."""
    kind = _KINDS.get(resource.type.lower())
    if kind is not None:
        used = places.of_resource(resource.id)
        facts: dict[str, Any] = {"destination": bool(used), "exists": True}
        if used:
            receives = set[str]().union(*(place.receives for place in used))
            rules = set[str]().union(*(place.rules for place in used))
            facts |= destination_facts(
                documents, kind, resource.id, resolve, receives=receives, rules=rules, declared=declared
            )
            facts["receives"] = sorted(receives)
        return msgspec.structs.replace(resource, facts={**resource.facts, **facts})
    if resource.type.lower() in _STORAGE_SERVICES and not resource.is_stand_in:
        holds = bool(places.of_resource(resource.parent))
        return msgspec.structs.replace(resource, facts={**resource.facts, "holds_logs": holds})
    if resource.type.lower() == TABLES.lower() and not resource.is_stand_in:
        return msgspec.structs.replace(resource, facts={**resource.facts, **_table_facts(resource, places, documents)})
    return resource


def _table_facts(table: Resource, places: Places, documents: Documents) -> dict[str, Any]:
    workspace = documents.get(table.parent, {})
    received = {name for place in places.of_resource(table.parent) for name in place.receives}
    total, interactive = table_keeps(workspace, table.name, documents.get(table.id))
    properties = mapping(table.properties) if not isinstance(table.properties, Unknown) else {}
    return {
        "receives": table.name.lower() in received,
        "retention_days": total,
        "interactive_days": interactive,
        "plan": text(properties.get("plan")),
    }

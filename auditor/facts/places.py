"""Which places do settings send logs to, and what does each receive?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from auditor.catalog import relevance
from auditor.documents import (
    LOG_DESTINATION,
    STORAGE_SERVICES,
    TABLES,
    event_hub_namespace,
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


class Place(msgspec.Struct):
    """One destination as the settings of an estate use it."""

    kind: str
    id: str
    in_use: bool = False  # something that is judged sends here
    sources: int = 0  # judged log sources that send here
    receives: set[str] = msgspec.field(
        default_factory=set
    )  # tables, containers or hubs of security-relevant categories


class Places:
    """Every destination that a setting names, gathered while the settings are read."""

    def __init__(self) -> None:
        self._places: dict[tuple[str, str], Place] = {}
        self._owners: dict[str, list[Place]] = {}

    def name(self, settings: Iterable[LogSetting], *, in_use: bool = True) -> None:
        """Note the destinations of a resource's settings, and how many of its categories go to each.

        Those of what filters leave out (`in_use` is False) are known, but not counted.
        """
        sent: dict[tuple[str, str], set[str]] = {}
        for setting in settings:
            if setting.kind == "storage-analytics":
                continue  # the account's own $logs is no place that someone chose
            for destination in setting.destinations:
                if destination.id:
                    sent.setdefault((destination.kind, destination.id), set()).update(setting.categories)
        for key, categories in sent.items():
            place = self.at(*key)
            place.in_use |= in_use
            place.sources += len(categories) if in_use else 0

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
            place.receives |= other.receives

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


def place_resources(
    places: Iterable[Place],
    documents: Documents,
    resolve: Resolver,
    scope: frozenset[str],
    sight: Sight,
    *,
    declared: bool,
) -> Iterator[Resource]:
    """The destinations that are judged themselves, or receive logs of something that is."""
    for place in places:
        found = _place_resource(place, documents, resolve, scope, sight, declared=declared)
        if found.in_focus or place.in_use:
            yield found


def _place_resource(
    place: Place, documents: Documents, resolve: Resolver, scope: frozenset[str], sight: Sight, *, declared: bool
) -> Resource:
    """A destination as something that rules can judge, whether it exists or not."""
    owner = event_hub_namespace(place.id) if place.kind == "event-hub" else place.id
    document: Mapping[str, Any] = documents.get(owner) or {}
    shown = str(document.get("id") or owner)
    shown += place.id[len(owner) :]
    subscription = subscription_of(place.id)
    found = resolve(place.kind, place.id, None)
    facts = destination_facts(documents, place.kind, place.id, resolve, receives=place.receives, declared=declared)
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
            "accepts": found.accepts,
            "sources": place.sources,
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
            facts |= destination_facts(documents, kind, resource.id, resolve, receives=receives, declared=declared)
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

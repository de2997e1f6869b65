"""Does this destination exist, does it accept logs, and how long does it keep them?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec

from auditor.documents import Document, event_hub_namespace, marker, normal_id
from auditor.facts.archives import (
    FLOW_CONTAINERS,
    account_accepts,
    append_blocked,
    container_days,
    containers_of,
    expiries,
    lifecycle_days,
)
from auditor.facts.event_hubs import TRANSIT, capture_of, find_hub, hub_accepts, namespace_accepts
from auditor.facts.shapes import mapping
from auditor.facts.unread import unclear, undecided, unread
from auditor.facts.workspaces import Kept, daily_cap_gb, keeper, sentinel_on, workspace_accepts
from auditor.inventory import Destination, Unknown

Documents = Mapping[str, Document]
# (kind, id, part) → Destination. `part` is where in the place a category lands: a workspace's table, a storage
# account's container, the event hub that Azure Monitor makes; None asks for the place's own answer, and "" for a
# table that is not published.
Resolver = Callable[[str, str, str | None], Destination]

_GONE: Final = Unknown(reason="the destination does not exist")
_PARTNER: Final = Unknown(reason="what a partner solution keeps is not visible")
# ARM hides what is in another tenant behind these, so that nothing is certain about the destination.
_FOREIGN_CODES: Final = frozenset({"subscriptionnotfound", "invalidauthenticationtokentenant", "invalidsubscriptionid"})


def destination_index(documents: Documents, *, declared: bool = False) -> Resolver:
    """A resolver over documents by their normal id: resources, and the lists and policies of destinations.

    `declared`: the documents are what someone declared (a template, a plan), where a list that is not there holds
    nothing; otherwise what was not read is Unknown. Answers are remembered: it is asked once per exported category.
    """
    known: dict[tuple[str, str, str | None], Destination] = {}
    places: dict[tuple[str, str], Callable[[str | None], Destination]] = {}

    def resolve(kind: str, raw_id: str, part: str | None = None) -> Destination:
        key = (kind, raw_id, part)
        found = known.get(key)
        if found is None:
            place_id = normal_id(raw_id) if raw_id else ""
            place = places.get((kind, place_id))
            if place is None:
                place = places[kind, place_id] = _place(documents, kind, place_id, declared)
            found = known[key] = place(part)
        return found

    return resolve


def existence(documents: Documents, place_id: str) -> bool | Unknown:
    """Whether the place is there: False only for a 404 that speaks of the place itself."""
    document = documents.get(place_id)
    mark = marker(document) if document is not None else None
    if document is not None and mark is None:
        return True
    why = unread(document, "the destination")
    if mark == "$absent" and (why.code or "").lower() not in _FOREIGN_CODES and why.status in (404, 410, None):
        return False
    return why


def _place(documents: Documents, kind: str, place_id: str, declared: bool) -> Callable[[str | None], Destination]:
    owner = event_hub_namespace(place_id) if kind == "event-hub" else place_id
    exists = existence(documents, owner) if place_id else Unknown(reason="the destination's id is not known")
    if exists is not True:
        why = _GONE if exists is False else exists
        known = _destination(kind, place_id, exists, False if exists is False else why, (why, why))
        if exists is not False:
            known = msgspec.structs.replace(known, tags=why, sentinel=why if kind == "log-analytics" else False)
        return lambda part: known
    document = documents[owner]
    kept_by = {"log-analytics": _workspace, "storage": _account, "event-hub": _event_hub}.get(kind, _partner)
    inner, tags = kept_by(documents, document, place_id, declared), _tags(document)
    return lambda part: msgspec.structs.replace(inner(part), tags=tags)


def _tags(document: Document) -> tuple[str, ...] | Unknown:
    told = document.get("tags")
    if undecided(told):
        return unclear("the tags of the destination", told)
    return tuple(sorted(f"{name}={value}" for name, value in mapping(told).items() if isinstance(value, str)))


def _partner(_: Documents, __: Document, place_id: str, ___: bool) -> Callable[[str | None], Destination]:
    return lambda part: _destination("partner", place_id, True, True, (_PARTNER, _PARTNER))


def _destination(kind: str, place_id: str, exists: bool | Unknown, accepts: bool | Unknown, kept: Kept) -> Destination:
    return Destination(
        kind=kind, id=place_id, exists=exists, accepts=accepts, retention_days=kept[0], interactive_days=kept[1]
    )


def _workspace(
    documents: Documents, document: Document, place_id: str, declared: bool
) -> Callable[[str | None], Destination]:
    keeps = keeper(documents, document, place_id, declared)
    accepts, sentinel = workspace_accepts(document), sentinel_on(documents, place_id)
    return lambda table: msgspec.structs.replace(
        _destination("log-analytics", place_id, True, accepts, keeps(table)), sentinel=sentinel
    )


def _account(
    documents: Documents, document: Document, place_id: str, declared: bool
) -> Callable[[str | None], Destination]:
    rules = expiries(documents.get(f"{place_id}/managementpolicies/default"), declared)
    containers = containers_of(documents, place_id)
    accepts = account_accepts(document)

    def container(part: str | None) -> Destination:
        name = (part or "").lower()
        days = container_days(rules, name) if name else lifecycle_days(rules)
        takes = accepts
        if name and accepts is True and not isinstance(containers, Unknown) and name in containers:
            blocked = append_blocked(containers[name])
            takes = not blocked if blocked is not None else unclear(f"the immutability of the container {name}")
        return _destination("storage", place_id, True, takes, (days, 0.0))  # an archive cannot be queried at once

    return container


def _event_hub(
    documents: Documents, namespace: Document, place_id: str, declared: bool
) -> Callable[[str | None], Destination]:
    base = namespace_accepts(documents, namespace)

    def hub(default: str | None) -> Destination:
        found = find_hub(documents, place_id, (default or "").lower())
        if found is None:
            return _destination("event-hub", place_id, False, False, (_GONE, _GONE))
        named = "/eventhubs/" in place_id
        if isinstance(found, Unknown):
            exists: bool | Unknown = found if named else True
            return _destination(
                "event-hub", place_id, exists, found if named and base is True else base, (TRANSIT, TRANSIT)
            )
        takes = hub_accepts(found) if base is True else base
        return _destination("event-hub", place_id, True, takes, _captured(documents, found, declared))

    return hub


def _captured(documents: Documents, hub: Mapping[str, Any], declared: bool) -> Kept:
    capture = capture_of(hub)
    if capture is None:
        return TRANSIT, TRANSIT
    account_id, container = capture
    exists = existence(documents, account_id)
    if exists is not True:
        return (_GONE, _GONE) if exists is False else (exists, exists)
    rules = expiries(documents.get(f"{account_id}/managementpolicies/default"), declared)
    return container_days(rules, container, "blockBlob"), 0.0  # Capture writes whole blobs


def destination_facts(
    documents: Documents,
    kind: str,
    place_id: str,
    resolve: Resolver,
    *,
    receives: Iterable[str] = (),
    declared: bool = False,
) -> dict[str, Any]:
    """What rules read of a place: whether it accepts, for how long it keeps, and what is particular to its kind.

    `receives` names what is written to it; `declared` as in `destination_index`.
    """
    place = resolve(kind, place_id, None)
    facts: dict[str, Any] = {
        "accepts": place.accepts,
        "retention_days": place.retention_days,
        "interactive_days": place.interactive_days,
    }
    document = documents.get(normal_id(place_id))
    if kind == "storage":
        facts["lifecycle_days"] = place.retention_days
        if place.exists is True and not FLOW_CONTAINERS.isdisjoint(receives):
            rules = expiries(documents.get(f"{place.id}/managementpolicies/default"), declared)
            facts["lifecycle_days"] = lifecycle_days(rules, flows=True)
    if kind == "log-analytics":
        readable = document is not None and marker(document) is None
        facts["daily_cap_gb"] = daily_cap_gb(document or {}) if readable else unread(document, "the workspace")
    return facts

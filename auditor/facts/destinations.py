"""Does this destination exist, does it accept logs, and how long does it keep them?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec

from auditor.documents import Document, marker, normal_id
from auditor.facts.archives import (
    FLOW_CONTAINERS,
    account_refusal,
    append_blocked,
    container_days,
    containers_of,
    expiries,
    lifecycle_days,
)
from auditor.facts.custody import (
    customer_key,
    immutability,
    locks_on,
    missing_rules,
    namespace_rules,
    network_open,
    public_containers,
    soft_delete_days,
)
from auditor.facts.event_hubs import TRANSIT, capture_of, find_hub, hub_refusal, namespace_refusal
from auditor.facts.shapes import mapping
from auditor.facts.unread import unclear, undecided, unread
from auditor.facts.workspaces import Kept, daily_cap_gb, keeper, sentinel_on, workspace_refusal
from auditor.inventory import Destination, Unknown
from auditor.named import event_hub_namespace

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


def _takes(refusal: str | Unknown) -> bool | Unknown:
    return refusal if isinstance(refusal, Unknown) else not refusal


def _workspace(
    documents: Documents, document: Document, place_id: str, declared: bool
) -> Callable[[str | None], Destination]:
    keeps = keeper(documents, document, place_id, declared)
    accepts, sentinel = _takes(workspace_refusal(document)), sentinel_on(documents, place_id)
    return lambda table: msgspec.structs.replace(
        _destination("log-analytics", place_id, True, accepts, keeps(table)), sentinel=sentinel
    )


def _account(
    documents: Documents, document: Document, place_id: str, declared: bool
) -> Callable[[str | None], Destination]:
    rules = expiries(documents.get(f"{place_id}/managementpolicies/default"), declared)
    containers = containers_of(documents, place_id)
    accepts = _takes(account_refusal(document))

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
    base = _takes(namespace_refusal(documents, namespace))

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
        takes = _takes(hub_refusal(found)) if base is True else base
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


def refusal_of(
    documents: Documents, kind: str, place_id: str, receives: Iterable[str] = (), *, declared: bool = False
) -> str | Unknown:
    """Why a place does not take all that is sent to it; empty where it does.

    `receives` names what is written to it (tables, containers, hubs); `declared` as in `destination_index`.
    """
    owner = event_hub_namespace(place_id) if kind == "event-hub" else place_id
    exists = existence(documents, owner)
    if exists is not True:
        return "it does not exist" if exists is False else exists
    document = documents[owner]
    if kind == "log-analytics":
        return workspace_refusal(document)
    if kind == "storage":
        return _first(account_refusal(document), lambda: _blocked(documents, place_id, receives, declared))
    if kind == "event-hub":
        return _first(namespace_refusal(documents, document), lambda: _hub_refusal(documents, place_id))
    return ""


def _first(refusal: str | Unknown, then: Callable[[], str | Unknown]) -> str | Unknown:
    return then() if refusal == "" else refusal


def _blocked(documents: Documents, account_id: str, receives: Iterable[str], declared: bool) -> str | Unknown:
    containers = containers_of(documents, account_id)
    if isinstance(containers, Unknown):
        return "" if declared else containers
    found = {name: append_blocked(containers[name]) for name in sorted(receives) if name in containers}
    blocked = [name for name, answer in found.items() if answer]
    if blocked:
        return f"the immutability of {blocked[0]} lets nothing be appended"
    return next((unclear(f"the immutability of the container {name}") for name in found if found[name] is None), "")


def _hub_refusal(documents: Documents, place_id: str) -> str | Unknown:
    if "/eventhubs/" not in place_id:
        return ""  # Azure Monitor makes hubs of its own
    found = find_hub(documents, place_id, "")
    if found is None:
        return "it does not exist"
    return found if isinstance(found, Unknown) else hub_refusal(found)


def destination_facts(
    documents: Documents,
    kind: str,
    place_id: str,
    resolve: Resolver,
    *,
    receives: Iterable[str] = (),
    rules: Iterable[str] = (),
    declared: bool = False,
) -> dict[str, Any]:
    """What rules read of a place: whether it accepts, for how long it keeps, and what is particular to its kind.

    `receives` names what is written to it, `rules` the access rules that settings send with; `declared` as in
    `destination_index`.
    """
    receives = frozenset(receives)
    place = resolve(kind, place_id, None)
    refusal = refusal_of(documents, kind, normal_id(place_id), receives, declared=declared)
    facts: dict[str, Any] = {
        "accepts": _takes(refusal),
        "refuses_because": refusal,
        "retention_days": place.retention_days,
        "interactive_days": place.interactive_days,
        "tags": place.tags,
        "locks": locks_on(documents, place_id, declared=declared),
    }
    document = documents.get(normal_id(event_hub_namespace(place_id)))
    readable = document if document is not None and marker(document) is None else None
    if kind in _CUSTODY:
        facts |= _CUSTODY[kind](documents, readable or {"properties": document}, normal_id(place_id), rules, declared)
    exists = existence(documents, normal_id(event_hub_namespace(place_id)))
    if isinstance(exists, Unknown):  # nothing fails that may not be there at all
        own = facts.keys() - {"accepts", "refuses_because", "retention_days", "interactive_days", "tags", "locks"}
        facts |= dict.fromkeys({*own, "locks"} if facts["locks"] == [] else own, exists)
    if kind == "storage":
        facts["lifecycle_days"] = place.retention_days
        if place.exists is True and not FLOW_CONTAINERS.isdisjoint(receives):
            policy = expiries(documents.get(f"{place.id}/managementpolicies/default"), declared)
            facts["lifecycle_days"] = lifecycle_days(policy, flows=True)
    if kind == "log-analytics":
        facts["daily_cap_gb"] = daily_cap_gb(readable) if readable else unread(document, "the workspace")
    return facts


def _of_workspace(
    documents: Documents, workspace: Mapping[str, Any], _: str, __: Iterable[str], ___: bool
) -> dict[str, Any]:
    return {"customer_key": customer_key(documents, workspace)}


def _of_account(
    documents: Documents, account: Mapping[str, Any], account_id: str, _: Iterable[str], declared: bool
) -> dict[str, Any]:
    return {
        **immutability(documents, account, account_id),
        "public_containers": public_containers(documents, account, account_id),
        "soft_delete_days": soft_delete_days(documents, account_id, declared=declared),
        "network_open": network_open(account),
    }


def _of_namespace(
    documents: Documents, namespace: Mapping[str, Any], place_id: str, rules: Iterable[str], declared: bool
) -> dict[str, Any]:
    namespace_id = event_hub_namespace(place_id)
    return {
        "network_open": network_open(namespace, namespace_rules(documents, namespace_id, declared=declared)),
        "missing_rules": missing_rules(documents, namespace_id, rules, declared=declared),
    }


_CUSTODY: Final = {"log-analytics": _of_workspace, "storage": _of_account, "event-hub": _of_namespace}

"""Where a deployment goes, and the ids that follow from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from auditor.documents import NO_SUBSCRIPTION
from auditor.sources.arm.values import Sym, Value, joined, spelled, split, token

Id = str | Sym

_SUBSCRIPTION: Final = token("subscription().subscriptionId")
_GROUP: Final = token("resourceGroup().name")
_MANAGEMENT_GROUP: Final = token("managementGroup().name")


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """What a template is deployed to: a resource group, a subscription, a management group or a tenant."""

    level: str = "resourceGroup"
    subscription: Id = _SUBSCRIPTION
    group: Id = _GROUP
    management_group: Id = _MANAGEMENT_GROUP

    @property
    def scope(self) -> Id:
        """The id that the ids of its resources begin with."""
        if self.level == "tenant":
            return ""
        if self.level == "managementGroup":
            return joined(["/providers/Microsoft.Management/managementGroups/", self.management_group])
        subscription = joined(["/subscriptions/", self.subscription])
        return subscription if self.level == "subscription" else joined([subscription, "/resourceGroups/", self.group])


_LEVELS: Final = {
    "deploymenttemplate.json": "resourceGroup",
    "subscriptiondeploymenttemplate.json": "subscription",
    "managementgroupdeploymenttemplate.json": "managementGroup",
    "tenantdeploymenttemplate.json": "tenant",
}


def place_of(schema: object) -> Place:
    """Where a template goes, as its `$schema` says."""
    name = str(schema or "").rstrip("#").rpartition("/")[2].lower()
    return Place(level=_LEVELS.get(name, "resourceGroup"))


def below(scope: Id, kind: str, names: Sequence[Id]) -> Id | None:
    """The id of a resource of a type, of whose names each stands for one part; None where these do not fit."""
    provider, *kinds = kind.strip("/").split("/")
    if len(kinds) != len(names) or not kinds:
        return None
    pieces: list[Id] = [scope, "/providers/", provider]
    for part, name in zip(kinds, names, strict=True):
        pieces += ["/", part, "/", name]
    return joined(pieces)


def names_in(name: Id) -> list[Id]:
    """`vault/secret` as its parts."""
    return split(name)


def resource_id(place: Place, given: Sequence[Value], *, of: str) -> Id | None:
    """What `resourceId(…)` and its sisters give; None where a part of it is not told."""
    at = next((n for n, one in enumerate(given) if isinstance(one, str) and "/" in one and not one.startswith("/")), -1)
    if at < 0 or not all(isinstance(one, str | Sym) for one in given):
        return None
    head, kind = list(given[:at]), str(given[at])
    names = [part for one in given[at + 1 :] for part in names_in(one)]
    if of == "tenant":
        scope: Id = ""
    elif of == "extension":
        scope = head.pop() if head else ""
    elif of == "managementGroup":
        place = msgspec.structs.replace(
            place, level="managementGroup", management_group=(head or [_MANAGEMENT_GROUP])[0]
        )
        scope = place.scope
    else:
        scope = _resource_scope(place, head, of)
    if kind.lower() == "microsoft.resources/resourcegroups" and len(names) == 1:
        return (
            joined([scope.partition("/resourceGroups/")[0], "/resourceGroups/", names[0]])
            if isinstance(scope, str)
            else joined(["/subscriptions/", place.subscription, "/resourceGroups/", names[0]])
        )
    return below(scope, kind, names)


def _resource_scope(place: Place, head: list[Any], of: str) -> Id:
    changes: dict[str, Id] = {}
    if of == "subscription":
        changes = {"subscription": head[0]} if head else {}
        return msgspec.structs.replace(place, level="subscription", **changes).scope
    if len(head) > 1:
        changes = {"subscription": head[-2], "group": head[-1]}
    elif head:
        changes = {"group": head[0]}
    if not head:
        return place.scope
    return msgspec.structs.replace(place, level="resourceGroup", **changes).scope


def own_id(place: Place, kind: str, name: Id) -> Id | None:
    """The id of what a template makes of a type and a name, which may be spelled with `/providers/` inside."""
    names = names_in(name)
    if kind.lower() in ("microsoft.resources/resourcegroups", "microsoft.resources/subscriptions/resourcegroups"):
        return joined(["/subscriptions/", place.subscription, "/resourceGroups/", names[-1]])
    return below(place.scope, kind, names)


def scoped_id(place: Place, scope: Id) -> Id | None:
    """The id that `scope` names: as a whole, or by type and name below the place of the deployment."""
    first = scope if isinstance(scope, str) else scope.parts[0]
    if not isinstance(first, str):
        return None
    if first.startswith("/"):
        return scope if isinstance(scope, Sym) else scope.rstrip("/")
    if first.lower().startswith("microsoft.management/managementgroups/"):
        return joined(["/providers/", scope])
    return joined([place.scope, "/providers/", scope])


def key_of(value: Id) -> str:
    """An id for comparing."""
    if isinstance(value, str):
        return value.rstrip("/").lower()
    return "".join(part.lower() if isinstance(part, str) else f"[{part.key}]" for part in value.parts).rstrip("/")


def told(value: Id) -> str:
    """An id as a document holds it."""
    return spelled(value).replace("[subscription().subscriptionId]", NO_SUBSCRIPTION)


def kind_of(value: Id) -> str:
    """The type, in lower case, of what an id speaks of."""
    parts = [one if isinstance(one, str) else "" for one in split(value)]
    at = max((n for n, part in enumerate(parts) if part.lower() == "providers"), default=-1)
    if at < 0:
        return "microsoft.resources/subscriptions" if len(parts) == 3 else ""
    return "/".join([parts[at + 1], *parts[at + 2 :: 2]]).lower()

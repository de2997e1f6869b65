"""How safely does a place keep the logs that it was sent: who can delete them, reach them, or turn the place off?"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from auditor.documents import LOCKS, Document, marker, normal_id, subscription_of
from auditor.facts.archives import log_containers
from auditor.facts.numbers import number
from auditor.facts.shapes import entries, mapping, name, text
from auditor.facts.unread import fields, listed, unclear, undecided, unread
from auditor.inventory import Unknown

Documents = Mapping[str, Document]
_LOCK_PART: Final = f"/providers/{LOCKS}/".lower()
_LEVELS: Final = frozenset({"cannotdelete", "readonly"})
_CLOSED: Final = frozenset({"disabled", "securedbyperimeter"})


# --- anything ---------------------------------------------------------------------------------------------------------


def locks_on(documents: Documents, place_id: str, *, declared: bool = False) -> list[str] | Unknown:
    """Names of the locks that keep a place from being deleted: its own, its resource group's, its subscription's.

    `declared`: the documents are what someone declared. Locks of a resource group or subscription seldom stand beside
    what they keep, so that without one it is unknown whether there is any.
    """
    list_id = normal_id(f"/subscriptions/{subscription_of(place_id)}/providers/{LOCKS}")
    document = documents.get(list_id)
    apart = document is None and declared
    if apart:
        items: Iterable[Mapping[str, Any]] = (documents[key] for key in documents if _LOCK_PART in key)
    else:
        found = listed(document, "the locks of its subscription")
        if isinstance(found, Unknown):
            return found
        items = entries(found)
    place = normal_id(place_id) + "/"
    names = sorted(
        name(item)
        for item in items
        if text(mapping(item.get("properties")).get("level")).lower() in _LEVELS
        and (scope := normal_id(text(item.get("id"))).rpartition(_LOCK_PART)[0])
        and place.startswith(f"{scope}/")
    )
    return names if names or not apart else Unknown(reason="its locks: none is declared here, and elsewhere may be one")


def network_open(document: Mapping[str, Any], rules: object = None) -> bool | Unknown:
    """Whether a storage account or namespace answers to every network; `rules` are a namespace's network rules.

    Not where public access is off, or where only chosen networks are let in.
    """
    properties = fields(document.get("properties"))
    if properties is None:
        return unclear("its network access", document.get("properties"))
    public, acls = properties.get("publicNetworkAccess"), properties.get("networkAcls") if rules is None else rules
    if text(public).lower() in _CLOSED:
        return False
    if text(mapping(acls).get("defaultAction")).lower() == "deny":
        return False
    for part in (public, acls):
        if isinstance(part, Unknown):
            return part
        if undecided(part):
            return unclear("its network access", part)
    return True


def namespace_rules(documents: Documents, namespace_id: str, *, declared: bool = False) -> object:
    """A namespace's network rules, for `network_open`; none at all let everybody in."""
    document = documents.get(normal_id(f"{namespace_id}/networkRuleSets/default"))
    if (document is None and declared) or (document is not None and marker(document) in ("$absent", "$unsupported")):
        return {}
    if document is None or marker(document):
        return unread(document, "the namespace's network rules")
    return document.get("properties")


# --- workspaces -------------------------------------------------------------------------------------------------------


def customer_key(documents: Documents, workspace: Mapping[str, Any]) -> bool | Unknown:
    """Whether a workspace is encrypted with a customer's key, or twice: that is its cluster's doing."""
    properties = fields(workspace.get("properties"))
    if properties is None:
        return unclear("the workspace", workspace.get("properties"))
    linked = mapping(properties.get("features")).get("clusterResourceId")
    if undecided(linked):
        return unclear("the workspace's cluster", linked)
    cluster_id = text(linked)
    if not cluster_id:
        return False
    cluster = documents.get(normal_id(cluster_id))
    if cluster is None or marker(cluster):
        return unread(cluster, "the workspace's cluster")
    held = fields(cluster.get("properties"))
    if held is None:
        return unclear("the workspace's cluster", cluster.get("properties"))
    if undecided(held.get("keyVaultProperties")):
        return unclear("the key of the workspace's cluster", held.get("keyVaultProperties"))
    key = mapping(held.get("keyVaultProperties"))
    return (
        bool(text(key.get("keyVaultUri")) and text(key.get("keyName"))) or held.get("isDoubleEncryptionEnabled") is True
    )


# --- storage accounts -------------------------------------------------------------------------------------------------


def public_containers(documents: Documents, account: Mapping[str, Any], account_id: str) -> list[str] | Unknown:
    """Log containers that anybody can read without signing in: they say so, and their account lets them."""
    properties = fields(account.get("properties"))
    if properties is None:
        return unclear("the storage account", account.get("properties"))
    if properties.get("allowBlobPublicAccess") is False:
        return []
    containers = log_containers(documents, account_id)
    if isinstance(containers, Unknown):
        return containers
    found = []
    for key, container in containers.items():
        held = fields(container.get("properties"))
        if held is None:
            return unclear(f"the access to the container {key}", container.get("properties"))
        if text(held.get("publicAccess")).lower() not in ("", "none"):
            found.append(key)
    return sorted(found)


def immutability(documents: Documents, account: Mapping[str, Any], account_id: str) -> dict[str, Any]:
    """For how many days nobody can delete or change a log blob, by the account's own policy and in every container.

    `immutability_locked` is whether nobody can shorten that either.
    """
    days, locked = _account_policy(account)
    containers = log_containers(documents, account_id)
    if isinstance(containers, Unknown):
        everywhere: tuple[float | Unknown, bool | Unknown] = (containers, containers)
    else:
        everywhere = _least(_stronger((days, locked), _container_policy(c)) for c in containers.values())
        if not containers:
            everywhere = days, locked
    return {
        "account_immutable_days": days,
        "immutable_days": everywhere[0],
        "immutability_locked": everywhere[1],
    }


_Held = tuple[float | Unknown, bool | Unknown]


def _account_policy(account: Mapping[str, Any]) -> _Held:
    held = fields(account.get("properties"))
    if held is None or undecided(held.get("immutableStorageWithVersioning")):
        why = unclear("the account's immutability", account.get("properties"))
        return why, why
    versioned = mapping(held.get("immutableStorageWithVersioning"))
    policy = mapping(versioned.get("immutabilityPolicy"))
    state = text(policy.get("state")).lower()
    if versioned.get("enabled") is not True or state not in ("locked", "unlocked"):
        return 0.0, False
    days = number(policy.get("immutabilityPeriodSinceCreationInDays"))
    return (days if days is not None else unclear("the account's immutability")), state == "locked"


def _container_policy(container: Mapping[str, Any]) -> _Held:
    held = fields(container.get("properties"))
    if held is None:
        why = unclear("a container's immutability", container.get("properties"))
        return why, why
    if held.get("hasLegalHold") is True:
        return math.inf, False  # until whoever may clears it
    if held.get("hasImmutabilityPolicy") is not True:
        return 0.0, False
    policy = mapping(mapping(held.get("immutabilityPolicy")).get("properties"))
    days = number(policy.get("immutabilityPeriodSinceCreationInDays"))
    if days is None:
        why = unclear("a container's immutability", held.get("immutabilityPolicy"))
        return why, why
    return days, text(policy.get("state")).lower() == "locked"


def _stronger(one: _Held, other: _Held) -> _Held:
    """What holds where two policies do: the longer."""
    for held in (one, other):
        if isinstance(held[0], Unknown):
            return held
    return max(one, other, key=lambda held: (held[0], held[1] is True))


def _least(several: Iterable[_Held]) -> _Held:
    held = list(several)
    for one in held:
        if isinstance(one[0], Unknown):
            zero = next((other for other in held if other[0] == 0), None)
            return zero or one  # one container without any is enough to know the least
    if not held:
        return 0.0, False
    days = min(one[0] for one in held if not isinstance(one[0], Unknown))
    return days, all(one[1] is True for one in held)


def soft_delete_days(documents: Documents, account_id: str, *, declared: bool = False) -> float | Unknown:
    """For how many days a deleted blob can be brought back; 0 where it is gone at once."""
    document = documents.get(normal_id(f"{account_id}/blobServices/default"))
    if document is None and declared:
        return 0.0
    if document is None or marker(document):
        return unread(document, "the account's blob service")
    properties = fields(document.get("properties"))
    policy = properties.get("deleteRetentionPolicy") if properties is not None else None
    if properties is None or undecided(policy):
        return unclear("the account's soft delete", policy or document.get("properties"))
    if mapping(policy).get("enabled") is not True:
        return 0.0
    days = number(mapping(policy).get("days"))
    return days if days is not None else unclear("the account's soft delete")


# --- event hubs -------------------------------------------------------------------------------------------------------


def missing_rules(
    documents: Documents, namespace_id: str, named: Iterable[str], *, declared: bool = False
) -> list[str] | Unknown:
    """Access rules that settings send with and the namespace does not have, or that may not send."""
    document = documents.get(normal_id(f"{namespace_id}/authorizationRules"))
    if document is None and declared:
        return []  # a template hardly ever declares the rule that Azure makes with every namespace
    found = listed(document, "the namespace's access rules")
    if isinstance(found, Unknown):
        return found
    able = {key.lower() for key in _sending(entries(found))}
    return sorted(rule for rule in named if rule.lower() not in able)


def _sending(items: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for item in items:
        rights = mapping(item.get("properties")).get("rights")
        if not isinstance(rights, list) or {"send", "manage"} & {text(right).lower() for right in rights}:
            yield name(item).rpartition("/")[2]

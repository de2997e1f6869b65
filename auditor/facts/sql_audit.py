"""What a SQL auditing policy says: is auditing on, where do its events go, what does it record, and for how long?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from auditor.documents import Document, marker, normal_id
from auditor.facts.look import Look
from auditor.facts.numbers import number
from auditor.facts.shapes import mapping, text
from auditor.facts.unread import fields, unclear, undecided, unread
from auditor.inventory import Destination, Unknown
from auditor.named import endpoint_account

CONTAINER: Final = "sqldbauditlogs"  # audit events in storage, whatever the server
# What Microsoft recommends: every batch and procedure, and every sign-in that succeeded or failed.
WANTED_GROUPS: Final = (
    "BATCH_COMPLETED_GROUP",
    "FAILED_DATABASE_AUTHENTICATION_GROUP",
    "SUCCESSFUL_DATABASE_AUTHENTICATION_GROUP",
)
_WHAT: Final = "the auditing policy"
Told = bool | Unknown


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """An auditing policy. A target counts only while auditing is on; `days` is `inf` where nothing expires."""

    enabled: Told
    monitor: Told = False
    storage: Told = False
    endpoint: str = ""
    subscription: str = ""  # of the storage account
    days: float | Unknown = math.inf
    groups: tuple[str, ...] | Unknown = ()
    identity: Told = False


OFF: Final = Policy(enabled=False)


def policy_of(document: Mapping[str, Any] | None, *, declared: bool = False) -> Policy:
    """What a policy's document says; one that was not read, or whose answer is empty, is neither on nor off.

    `declared`: the documents are what someone declared, where a policy that is not there is off.
    """
    if document is None and declared:
        return OFF
    if document is not None and marker(document) == "$unsupported":
        return OFF  # the database cannot have a policy of its own
    if document is None or marker(document):
        return unread_policy(unread(document, _WHAT))
    told = fields(document.get("properties"))
    state = text(mapping(told).get("state")).lower()
    if told is None or state not in ("enabled", "disabled"):
        return unread_policy(unclear(_WHAT, told if told is None else told.get("state")))
    if state == "disabled":
        return OFF
    endpoint = told.get("storageEndpoint")
    return Policy(
        enabled=True,
        monitor=_flag(told.get("isAzureMonitorTargetEnabled")),
        storage=unclear(_WHAT, endpoint) if undecided(endpoint) else bool(endpoint_account(endpoint)),
        endpoint=text(endpoint),
        subscription=text(told.get("storageAccountSubscriptionId")).lower(),
        days=_days(told.get("retentionDays")),
        groups=_groups(told.get("auditActionsAndGroups")),
        identity=_flag(told.get("isManagedIdentityInUse")),
    )


def unread_policy(why: Unknown) -> Policy:
    """A policy of which nothing is known."""
    return Policy(enabled=why, monitor=why, storage=why, days=why, groups=why, identity=why)


def _flag(value: object) -> Told:
    if isinstance(value, bool):
        return value
    if undecided(value):
        return unclear(_WHAT, value)
    return text(value).lower() == "true"


def _days(value: object) -> float | Unknown:
    """0 days, and none at all, mean that nothing expires."""
    if value is None:
        return math.inf
    days = number(value)
    return unclear("the retention of audit events", value) if days is None or days < 0 else days or math.inf


def _groups(value: object) -> tuple[str, ...] | Unknown:
    if not isinstance(value, list) or any(undecided(one) for one in value):
        return unclear("the action groups of the auditing policy", value)
    return tuple(sorted({text(one).upper() for one in value} - {""}))


def groups_missing(policy: Policy) -> list[str] | Unknown:
    """The recommended action groups that a policy does not record."""
    if isinstance(policy.groups, Unknown):
        return policy.groups
    return [group for group in WANTED_GROUPS if group not in policy.groups]


def filtered(extended: Mapping[str, Any] | None, *, declared: bool = False) -> Told:
    """Whether a policy leaves events out by a predicate, which only the extended form of it tells."""
    if extended is None and declared:
        return False
    if extended is None or marker(extended):
        return unread(extended, "the auditing policy's filter")
    told = fields(extended.get("properties"))
    if told is None or undecided(told.get("predicateExpression")):
        return unclear("the auditing policy's filter")
    return bool(text(told.get("predicateExpression")))


# --- where events go ------------------------------------------------------------------------------------------------


def storage_of(policy: Policy, look: Look) -> Destination | None:
    """The storage account that events are written to, with the shorter of the two retentions; None where none is.

    The policy names the account by its endpoint. One that is not found by its name has no id, and may be there.
    """
    name = endpoint_account(policy.endpoint)
    if policy.storage is False or not name:
        return None
    account = look.accounts.get(name)
    if account is None:
        why = Unknown(reason=f"the storage account {name} was not found in what was read")
        return Destination(kind="storage", id="", exists=why, accepts=why, retention_days=why, interactive_days=0.0)
    place = look.resolve("storage", account, CONTAINER)
    kept = place.retention_days
    if not isinstance(kept, Unknown):
        kept = policy.days if isinstance(policy.days, Unknown) else min(kept, policy.days)
    return msgspec.structs.replace(place, retention_days=kept)


def storage_reached(policy: Policy, place: Destination | None, look: Look) -> Told:
    """Whether events reach storage: a foreign account counts, one that ought to have been found is not certain."""
    if isinstance(policy.storage, Unknown):
        return policy.storage
    if place is None:
        return False
    if place.exists is False:
        return False
    if not isinstance(place.exists, Unknown) or place.id:
        return True
    foreign = bool(policy.subscription) and look.get(f"/subscriptions/{policy.subscription}") is None
    return True if foreign and policy.subscription.strip("0-") else place.exists


def container_days(policy: Policy, look: Look) -> float | Unknown:
    """After how many days the account itself deletes audit events by a lifecycle rule."""
    name = endpoint_account(policy.endpoint)
    account = look.accounts.get(name)
    if account is None:
        return Unknown(reason=f"the storage account {name} was not found in what was read")
    return look.resolve("storage", account, CONTAINER).retention_days


def policy_in(look: Look, owner: str, *names: str) -> Document | None:
    """The first of a resource's policies that there is: `auditingSettings`, or the extended form of it."""
    found = (look.get(f"{normal_id(owner)}/{name}/default") for name in names)
    return next((document for document in found if document is not None), None)


# --- truths ---------------------------------------------------------------------------------------------------------


def either(*told: Told) -> Told:
    """True if any is, else the first that is not known, else False."""
    if any(one is True for one in told):
        return True
    return next((one for one in told if isinstance(one, Unknown)), False)

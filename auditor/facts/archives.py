"""Does a storage account take logs, and when does a lifecycle rule delete them?"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from auditor.documents import Document, marker
from auditor.facts.numbers import number
from auditor.facts.shapes import mapping, text
from auditor.facts.unread import fields, listed, unclear, undecided, unread
from auditor.inventory import Unknown
from auditor.truth import Truth

ACTIVITY_CONTAINER: Final = "insights-activity-logs"
_LOG_CONTAINERS: Final = ("insights-logs-", ACTIVITY_CONTAINER)
# Azure Monitor appends to append blobs; Network Watcher writes block blobs.
FLOW_CONTAINERS: Final = frozenset({"insights-logs-flowlogflowevent", "insights-logs-networksecuritygroupflowevent"})
_ACTIVITY_TYPES: Final = (
    "microsoft.resources/subscriptions",
    "microsoft.management/managementgroups",
)


def container_of(resource_type: str, category: str) -> str:
    """The container in a storage account that a resource type's category is written to."""
    return ACTIVITY_CONTAINER if resource_type.lower() in _ACTIVITY_TYPES else f"insights-logs-{category.lower()}"


def flow_container(*, retiring: bool) -> str:
    """The container that flow logs are written to; those of security groups, which retire, have one of their own."""
    return "insights-logs-networksecuritygroupflowevent" if retiring else "insights-logs-flowlogflowevent"


class Expiry(msgspec.Struct, frozen=True):
    """One enabled rule that deletes blobs: after how many days, of which types, below which prefixes (none: all)."""

    days: float
    blob_types: frozenset[str]
    prefixes: tuple[str, ...]

    def touches(self, container: str, blob_type: str) -> Truth:
        """Whether it deletes this container's blobs; None where it deletes some of them."""
        if self.blob_types and blob_type.lower() not in self.blob_types:
            return False
        if not self.prefixes or any(f"{container}/".startswith(prefix) for prefix in self.prefixes):
            return True
        return None if any(prefix.startswith(f"{container}/") for prefix in self.prefixes) else False

    def touches_logs(self, *, flows: bool = False) -> bool:
        """Whether it deletes any blob that Azure Monitor appends logs to; `flows`: or that flow logs are written to."""
        return self._touches_any("appendblob", _LOG_CONTAINERS) or (
            flows and self._touches_any("blockblob", FLOW_CONTAINERS)
        )

    def _touches_any(self, blob_type: str, containers: Iterable[str]) -> bool:
        if self.blob_types and blob_type not in self.blob_types:
            return False
        return not self.prefixes or any(
            prefix.startswith(log) or log.startswith(prefix) for prefix in self.prefixes for log in containers
        )


def expiries(lifecycle: Mapping[str, Any] | None, declared: bool = False) -> tuple[Expiry, ...] | Unknown:
    """The rules of a lifecycle policy that delete blobs; a policy that does not exist (404) has none.

    `declared`: the documents are what someone declared, where a policy that is not there does not exist.
    """
    what = "the account's lifecycle policy"
    if lifecycle is None and declared:
        return ()
    if lifecycle is None or marker(lifecycle):
        absent = lifecycle is not None and marker(lifecycle) == "$absent"
        return () if absent else unread(lifecycle, what)
    properties = mapping(lifecycle.get("properties"))
    policy = properties.get("policy")
    rules = mapping(policy).get("rules")
    if not isinstance(rules, list):
        return unclear(what, next((part for part in (properties, policy, rules) if undecided(part)), None))
    found = []
    for rule in rules:
        expiry = _expiry(rule)
        if isinstance(expiry, Unknown):
            return expiry
        if expiry is not None:
            found.append(expiry)
    return tuple(found)


def _expiry(rule: object) -> Expiry | Unknown | None:
    what = "a lifecycle rule"
    enabled = rule.get("enabled", True) if isinstance(rule, Mapping) else None
    if enabled is False or text(enabled).lower() == "false":
        return None
    definition = fields(mapping(rule).get("definition"))
    actions = fields(mapping(definition).get("actions"))
    if definition is None or actions is None:
        return unclear(what)
    base = actions.get("baseBlob")
    delete = base if undecided(base) else mapping(base).get("delete")
    if delete is None:
        return None  # it tiers, or deletes versions and snapshots only
    ages = [
        number(value) for key, value in mapping(delete).items() if value is not None and key.startswith("daysAfter")
    ]
    filters = definition.get("filters") or {}
    if mapping(filters).get("blobIndexMatch"):
        return None  # log blobs carry no index tags
    types, prefixes = mapping(filters).get("blobTypes") or [], mapping(filters).get("prefixMatch") or []
    if fields(filters) is None or not isinstance(types, list) or not isinstance(prefixes, list):
        return unclear(what)
    if not ages or any(age is None or age < 0 for age in ages) or enabled not in (True, "true", "True"):
        return unclear(what)
    return Expiry(
        min(age for age in ages if age is not None),
        frozenset(str(t).lower() for t in types),
        tuple(p.lstrip("/") if isinstance(p, str) else "" for p in prefixes),
    )


def lifecycle_days(rules: tuple[Expiry, ...] | Unknown, *, flows: bool = False) -> float | Unknown:
    """The smallest age at which a rule deletes any log blob; `inf` where none does. `flows`: also flow logs."""
    if isinstance(rules, Unknown):
        return rules
    return min((rule.days for rule in rules if rule.touches_logs(flows=flows)), default=math.inf)


def container_days(
    rules: tuple[Expiry, ...] | Unknown, container: str, blob_type: str | None = None
) -> float | Unknown:
    """How long a container's logs are kept; Unknown where a rule deletes some of its blobs earlier than others."""
    if isinstance(rules, Unknown):
        return rules
    kind = blob_type or ("blockBlob" if container in FLOW_CONTAINERS else "appendBlob")
    whole = min((rule.days for rule in rules if rule.touches(container, kind)), default=math.inf)
    part = min((rule.days for rule in rules if rule.touches(container, kind) is None), default=math.inf)
    if part < whole:
        return Unknown(reason=f"a lifecycle rule deletes part of the container {container} after {part:g} days")
    return whole


def account_refusal(account: Mapping[str, Any]) -> str | Unknown:
    """Why Azure Monitor cannot write to the account; empty where it can."""
    sku = account.get("sku")
    tier = mapping(sku).get("name")
    if text(tier).lower().startswith("premium"):
        return "a premium storage account takes no logs"
    if str(account.get("kind")).lower() in ("blockblobstorage", "filestorage"):
        return "a storage account of its kind takes no logs"
    properties = fields(account.get("properties"))
    if properties is None or undecided(sku) or undecided(tier):
        return unclear("the storage account", account.get("properties"))
    if text(properties.get("dnsEndpointType")).lower() == "azurednszone":
        return "a storage account with partitioned DNS takes no logs"
    through = _through_firewall(properties)
    if isinstance(through, Unknown):
        return through
    return "" if through else "its firewall does not let Azure Monitor through"


def _through_firewall(properties: Mapping[str, Any]) -> bool | Unknown:
    acls = mapping(properties.get("networkAcls"))
    action, bypass, public = acls.get("defaultAction"), acls.get("bypass"), properties.get("publicNetworkAccess")
    # Azure's own default is AzureServices; Logging and Metrics mean classic analytics, not Azure Monitor.
    if bypass is None or "azureservices" in {part.strip() for part in text(bypass).lower().split(",")}:
        if not undecided(acls):
            return True
    elif text(action).lower() == "deny" and isinstance(bypass, str):
        return False
    if text(action or "Allow").lower() == "allow" and text(public or "Enabled").lower() == "enabled":
        return unclear("the account's network rules", acls) if undecided(acls) else True
    return Unknown(reason="whether the account's network rules let Azure Monitor through is not known")


def append_blocked(container: Mapping[str, Any]) -> Truth:
    """Whether a container's immutability stops logs from being appended; None where it does not say."""
    properties = container.get("properties")
    if not isinstance(properties, Mapping):
        return None
    answers = [
        _blocks(properties.get("hasImmutabilityPolicy"), properties.get("immutabilityPolicy")),
        _blocks(properties.get("hasLegalHold"), properties.get("legalHold")),
    ]
    return True if True in answers else None if None in answers else False


def _blocks(has: object, policy: object) -> Truth:
    if has is not True:
        return False
    if not isinstance(policy, Mapping):
        return None
    inner = policy.get("properties", policy.get("protectedAppendWritesHistory"))
    allowed = inner if isinstance(inner, Mapping) else policy
    return not (
        allowed.get("allowProtectedAppendWrites") is True or allowed.get("allowProtectedAppendWritesAll") is True
    )


def log_containers(documents: Mapping[str, Document], account_id: str) -> dict[str, Document] | Unknown:
    """Like `containers_of`, with those that data export and classic logging write to."""
    items = listed(documents.get(f"{account_id}/blobservices/default/containers"), "the account's containers")
    return items if isinstance(items, Unknown) else dict(_log_containers(items, (*_LOG_CONTAINERS, "am-", "$logs")))


def containers_of(documents: Mapping[str, Document], account_id: str) -> dict[str, Document] | Unknown:
    """The account's containers by name; Unknown where their list was not read."""
    items = listed(documents.get(f"{account_id}/blobservices/default/containers"), "the account's containers")
    return items if isinstance(items, Unknown) else dict(_log_containers(items))


def _log_containers(value: list[Any], prefixes: tuple[str, ...] = _LOG_CONTAINERS) -> Iterator[tuple[str, Document]]:
    for item in value:
        name = item.get("name") if isinstance(item, dict) else None
        if isinstance(name, str) and name.startswith(prefixes):
            yield name, item

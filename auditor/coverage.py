"""Inventory → the matrix of log sources: which category of which resource is expected, and whether it is exported.

A *log source* is one resource and one category expected of it. Expected are the categories that the resource offers,
that the catalog marks as audit, security or traffic evidence and whose events can come about there; for a subscription
the four that CIS asks for; for a virtual network with workloads its flow log.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from auditor.catalog import relevance
from auditor.documents import LOG_DESTINATION, RESOURCE_LIST, subscription_of
from auditor.facts.evidence import cannot_tell, evidence_of
from auditor.inventory import Inventory, LogSetting, Resource, Unknown
from auditor.report import Cell, DestinationInfo, Row, State, UnreadInfo

FLOW_LOG = "FlowLog"
_NETWORK = "microsoft.network/virtualnetworks"


def coverage_rows(inventory: Inventory) -> list[Row]:
    """One row per resource of which any log is expected, in id order."""
    rows = []
    for resource in sorted(inventory.resources, key=lambda r: r.id):
        if not resource.in_focus or not inventory.is_own(resource.subscription):
            continue
        cells = list(_cells(resource, inventory.ddos_protected))
        if cells:
            rows.append(
                Row(
                    id=resource.shown_id,
                    type=resource.type,
                    name=resource.name,
                    subscription=resource.subscription,
                    location=resource.location,
                    resource_group=resource.resource_group,
                    managed_by=resource.managed_by,
                    cells=cells,
                )
            )
    return rows


def _cells(resource: Resource, ddos: bool) -> Iterator[Cell]:
    kind = resource.type.lower()
    if resource.is_stand_in or kind.startswith("auditor/") or resource.facts.get("in_scope") is False:
        return
    if kind == _NETWORK and resource.facts.get("observable") is not False:
        yield Cell(category=FLOW_LOG, state=_flow_state(resource), evidence_class="network",
                   destinations=_destinations(resource, FLOW_LOG), kept=kept_for(resource, FLOW_LOG))  # fmt: skip
    settings = () if isinstance(resource.settings, Unknown) else resource.settings
    living = [setting for setting in settings if setting.living]
    if resource.offers or resource.may_offer:
        exported = {category for setting in living for category in setting.categories}
        for category in evidence_of(resource, ddos=ddos, exported=exported):
            state, destinations = _state(resource, category, living)
            kept = kept_for(resource, category) if destinations else ""
            yield Cell(category=category, state=state, destinations=destinations, kept=kept,
                       evidence_class=evidence_class(kind, category))  # fmt: skip


def _flow_state(resource: Resource) -> State:
    cover = resource.facts.get("flow_coverage")
    if isinstance(cover, Unknown) or isinstance(resource.facts.get("observable"), Unknown):
        return "exported" if cover == "covered" else "unassessed"
    states: dict[Any, State] = {"covered": "exported", "filtered": "partly", "partial": "partly"}
    return states.get(cover, "missing")


def _state(resource: Resource, category: str, living: list[LogSetting]) -> tuple[State, list[str]]:
    if isinstance(resource.settings, Unknown):
        return "unassessed", []
    sure = [s for s in living if category in s.categories]
    if any(s.kind != "storage-analytics" and s.partial is None for s in sure):
        return "exported", _destinations(resource, category)
    if any(category in s.possible for s in living):
        return "unassessed", []
    if sure:  # classic storage logs stay in the account itself, where its owner can delete them (domain.md 4.1)
        return "partly", _destinations(resource, category)
    doubtful = category in resource.may_offer or cannot_tell(resource, category) is not None
    return ("unassessed" if doubtful else "missing"), []


def _destinations(resource: Resource, category: str) -> list[str]:
    if isinstance(resource.settings, Unknown):
        return []
    return sorted({d.id for s in resource.settings if category in s.categories for d in s.living})


def kept_for(resource: Resource, category: str) -> str:
    """For how long the place that keeps a category's records longest keeps them; empty where nothing is sent."""
    settings = () if isinstance(resource.settings, Unknown) else resource.settings
    places = [d for s in settings if category in s.categories for d in s.living]
    days = [d.retention_days for d in places if not isinstance(d.retention_days, Unknown)]
    if not places or float("inf") in days:
        return "no expiry" if places else ""
    # An event hub passes events on, so that it adds nothing; of any other place it could have been read.
    unread = any(isinstance(d.retention_days, Unknown) and d.kind != "event-hub" for d in places)
    if days:
        return f"{'at least ' if unread else ''}{int(max(days))} days"
    return "unknown" if unread else "passed on"


# --- evidence classes: the columns of the coverage map ----------------------------------------------------------------

EVIDENCE_CLASSES = {
    "control-plane": "Control plane",
    "identity": "Identity and sign-in",
    "data": "Data access",
    "network": "Network and edge",
    "host": "Host and platform",
}
_NAMESPACES = {
    "microsoft.aad": "identity",
    "microsoft.aadiam": "identity",
    "microsoft.intune": "identity",
    "microsoft.network": "network",
    "microsoft.cdn": "network",
    "microsoft.compute": "host",
    "microsoft.containerservice": "host",
    "microsoft.hybridcompute": "host",
    "microsoft.resources": "control-plane",
    "microsoft.management": "control-plane",
    "microsoft.automation": "control-plane",
    "microsoft.recoveryservices": "control-plane",
    "microsoft.dataprotection": "control-plane",
    "microsoft.operationalinsights": "control-plane",
}
_SIGN_IN_WORDS = ("login", "signin", "authentication", "connectedclient")


@lru_cache(maxsize=4096)
def evidence_class(resource_type: str, category: str) -> str:
    """Which column of the coverage map a log source belongs to; data access where nothing else fits."""
    namespace = resource_type.partition("/")[0]
    if namespace in _NAMESPACES:
        return _NAMESPACES[namespace]
    if any(word in category.lower() for word in _SIGN_IN_WORDS):
        return "identity"
    return "network" if relevance(resource_type, category) == "traffic" else "data"


# --- destinations and gaps ------------------------------------------------------------------------------------------


def destination_rows(inventory: Inventory) -> list[DestinationInfo]:
    """Every place that a log setting names, in id order."""
    rows = []
    for place in inventory.by_type.get(LOG_DESTINATION.lower(), ()):
        facts = place.facts
        rows.append(
            DestinationInfo(
                id=place.shown_id,
                kind=str(facts.get("kind", "")),
                name=place.name,
                subscription=place.subscription,
                location=place.location,
                exists=_told(facts.get("exists")),
                accepts=_told(facts.get("accepts")),
                retention=_kept(facts.get("retention_days")),
                retention_days=_days(facts.get("retention_days")),
                interactive_days=_days(facts.get("interactive_days")),
                details={str(k): str(v) for k, v in sorted(facts.get("details", {}).items())},
                sources=int(facts.get("sources", 0)),
            )
        )
    return rows


def _told(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _days(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) and value != float("inf") else None


def _kept(value: object) -> str:
    if isinstance(value, Unknown):
        return f"unknown: {value.reason}"
    if value is None:
        return ""
    return "no expiry" if value == float("inf") else f"{_days(value)} days"


def unread_rows(inventory: Inventory) -> list[UnreadInfo]:
    """Every read that failed, in id order."""
    return [
        UnreadInfo(
            id=unread.id,
            type=unread.type,
            scope=subscription_of(unread.id) or "tenant",
            why=unread.why,
            lists=unread.type.lower() == RESOURCE_LIST.lower(),
        )
        for unread in sorted(inventory.unread, key=lambda u: (u.id.lower(), u.type.lower()))
        if inventory.is_own(subscription_of(unread.id))
    ]

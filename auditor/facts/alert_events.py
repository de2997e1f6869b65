"""Does an Activity Log alert rule fire for every event of a kind, or does its condition let some pass unseen?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from auditor.facts.answers import Answer, all_of, any_of
from auditor.facts.unread import undecided
from auditor.inventory import Unknown

Clause = Mapping[str, Any]
"""Fields of an event with the values that each may have; met as soon as one field has one of its values."""

ADMINISTRATIVE: Final = "administrative"
_LEVELS: Final = frozenset({"critical", "error", "warning", "informational"})
# Every change that comes to pass has an event with each of these; with the others only some have.
_SURE_STATUS: Final = frozenset({"started", "succeeded"})
_NARROW: Final = frozenset({"caller", "resourcegroup", "resourceid", "substatus"})


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of Activity Log event: an operation on a type of resource, or all events of another category."""

    category: str
    operation: str = ""
    type: str = ""  # of the resource that the operation is done to

    @property
    def provider(self) -> str:
        """The resource provider's namespace."""
        return self.type.partition("/")[0]


def event_of(name: str) -> Event:
    """The kind of event that a rule names: `Microsoft.Sql/servers/firewallRules/write`, or a category."""
    lower = name.lower()
    if "/" not in lower:
        return Event(category=lower)
    head, _, verb = lower.rpartition("/")
    return Event(category=ADMINISTRATIVE, operation=lower, type=head.rpartition("/")[0] if verb == "action" else head)


def raises(alerts: object, name: str) -> Answer:
    """Whether some living alert rule among the fact `alerts` of a subscription fires for every event of this name."""
    if isinstance(alerts, Unknown):
        return alerts
    event = event_of(name)
    return any_of(_fires(alert, event) for alert in alerts) if isinstance(alerts, list) else False


def concerns(alerts: object, name: str) -> bool:
    """Whether any alert rule among the fact `alerts`, alive or not, is about events of this name."""
    event = event_of(name)
    told = (
        [alert.get("conditions") for alert in alerts if isinstance(alert, Mapping)] if isinstance(alerts, list) else []
    )
    return any(isinstance(one, Unknown) or meets_all(one or (), event) is not False for one in told)


def _fires(alert: object, event: Event) -> Answer:
    if isinstance(alert, Unknown):
        return alert
    if not isinstance(alert, Mapping):
        return False
    conditions = alert.get("conditions")
    meets = conditions if isinstance(conditions, Unknown) else meets_all(conditions or (), event)
    return all_of((meets, alert.get("live", False)))


def meets_all(clauses: Iterable[Clause], event: Event) -> Answer:
    """Whether every event of a kind meets all clauses of a condition."""
    return all_of(any_of(_meets(field.lower(), clause[field], event) for field in clause) for clause in clauses)


def _meets(field: str, raw: object, event: Event) -> Answer:
    if undecided(raw) or isinstance(raw, Unknown):
        return raw if isinstance(raw, Unknown) else _unclear(field)
    given = raw if isinstance(raw, list) else [raw]
    values = frozenset(value.lower() for value in given if isinstance(value, str))
    match field:
        case "category":
            return event.category in values
        case "operationname":
            return bool(event.operation) and event.operation in values
        case "resourcetype":
            return bool(event.type) and event.type in values
        case "resourceprovider":
            return bool(event.type) and event.provider in values
        case "status":
            return not values.isdisjoint(_SURE_STATUS if event.category == ADMINISTRATIVE else {"active"})
        case "level":
            return _level(values)
    if field in _NARROW:
        return False
    return _property(field, values, event)


def _level(values: frozenset[str]) -> Answer:
    if values >= _LEVELS:
        return True
    return _unclear("level") if "informational" in values else False  # most changes are informational, perhaps not all


def _property(field: str, values: frozenset[str], event: Event) -> Answer:
    if not field.startswith("properties"):
        return _unclear(field)
    if event.category == "servicehealth":
        if field == "properties.incidenttype":
            return "incident" in values  # what everybody calls an outage; the rest is planned, or advice
        if field.startswith("properties.impactedservices"):
            return Unknown(reason="an alert rule names services or regions, which may or may not be all that are used")
    return False


def _unclear(field: str) -> Unknown:
    return Unknown(reason=f"whether an alert rule's condition on {field} leaves events out cannot be told")

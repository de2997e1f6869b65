"""Which Activity Log alert rules watch a whole subscription, and does anybody hear of it when one fires?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from auditor.documents import ACTIVITY_ALERTS, Document, marker, normal_id, subscription_of
from auditor.facts.alert_events import Clause
from auditor.facts.answers import Answer, all_of, any_of
from auditor.facts.destinations import existence
from auditor.facts.look import Look
from auditor.facts.shapes import entries, mapping, name, props, short, text
from auditor.facts.unread import fields, unclear, undecided, unread
from auditor.inventory import Unknown

_PROCESSING: Final = "Microsoft.AlertsManagement/actionRules"
_ELSEWHERE: Final = Unknown(reason="alert rules made elsewhere than in this file may raise it")
_MUTES: Final = "removeallactiongroups"
_ADDS: Final = "addactiongroups"
_STATUS_TELLS: Final = frozenset({"emailreceivers", "smsreceivers"})  # people can unsubscribe from these


class _Processing(msgspec.Struct, frozen=True, kw_only=True):
    """An alert processing rule at work all the time: it mutes alerts of its scopes, or calls more groups for them."""

    name: str
    scopes: frozenset[str]
    groups: tuple[str, ...] | None  # None: it mutes
    doubt: Unknown | None = None  # it works only on some alerts


def alert_facts(key: str, _document: Document, look: Look) -> dict[str, Any]:
    """The alert rules that bear on a subscription, alive or not; and in words, what is wrong with those that are not.

    What could not be listed may hold any rule: an Unknown among the alerts stands for it.
    """
    found = look.once(_by_subscription).get(subscription_of(key), [])
    gap = look.unlisted(key)
    missing = [unread(gap, "the alert rules")] if gap is not None else []
    if look.declared:
        missing = [_ELSEWHERE]
    return {
        "alerts": [*found, *missing],
        "alerts_elsewhere": look.declared,
        "alert_problems": [f"{a['name']}: {a['why']}" for a in found if isinstance(a, Mapping) and a["why"]],
    }


def _by_subscription(look: Look) -> dict[str, list[Mapping[str, Any] | Unknown]]:
    processing = [rule for key in look.of_type(_PROCESSING) if (rule := _processing(look.documents[key])) is not None]
    found: dict[str, list[Mapping[str, Any] | Unknown]] = {}
    for key in look.of_type(ACTIVITY_ALERTS):
        document = look.documents[key]
        if marker(document) in ("$absent", "$unsupported"):
            continue
        what = f"the alert rule {name(document) or short(key)}"
        properties = fields(document.get("properties"))
        if properties is None or marker(document):  # it may watch the subscription that it is in
            why = unread(document, what) if marker(document) else unclear(what, document.get("properties"))
            found.setdefault(subscription_of(key), []).append(why)
            continue
        for subscription, whole in _scopes(properties, key):
            found.setdefault(subscription, []).append(_entry(key, document, properties, whole, processing, look))
    return found


def _scopes(properties: Mapping[str, Any], key: str) -> Iterator[tuple[str, Answer]]:
    """(subscription, whether the rule's scopes hold the whole of it)."""
    raw = properties.get("scopes")
    if undecided(raw) or not isinstance(raw, list):
        yield subscription_of(key), unclear("the alert rule's scope", raw)
        return
    scopes = {normal_id(scope) for scope in raw if isinstance(scope, str) and scope.strip()}
    for subscription in sorted({subscription_of(scope) for scope in scopes} - {""}):
        yield subscription, f"/subscriptions/{subscription}" in scopes


def _entry(
    key: str,
    document: Document,
    properties: Mapping[str, Any],
    whole: Answer,
    processing: Iterable[_Processing],
    look: Look,
) -> Mapping[str, Any]:
    written = properties.get("scopes")
    scopes = {normal_id(text(scope)) for scope in (written if isinstance(written, list) else ()) if text(scope)}
    places = {*scopes, key, key.partition("/providers/")[0], f"/subscriptions/{subscription_of(key)}"}
    heard, why = _heard(properties, [rule for rule in processing if rule.scopes & places], look)
    enabled = _enabled(properties, "the alert rule")
    live = all_of((enabled, whole, heard))
    if enabled is False:
        why = "it is switched off"
    elif whole is False:
        why = "it watches only part of the subscription"
    return {
        "name": name(document) or short(key),
        "live": live,
        "why": why if live is False else "",
        "conditions": _clauses(properties.get("condition")),
    }


def _enabled(properties: Mapping[str, Any], what: str) -> Answer:
    value = properties.get("enabled")
    if undecided(value):
        return unclear(what, value)
    return value is not False


def _clauses(condition: object) -> list[Clause] | Unknown:
    """A condition's parts, of which all must be met; the alternatives of an `anyOf` become one clause."""
    parts = mapping(condition).get("allOf")
    if undecided(condition) or not isinstance(parts, list) or not parts:
        return unclear("an alert rule's condition", condition)
    clauses: list[Clause] = []
    for part in parts:
        inner = mapping(part).get("anyOf")
        leaves = entries(inner) if isinstance(inner, list) and inner else entries([part])
        clause: dict[str, Any] = {}
        for leaf in leaves:
            _add_leaf(clause, leaf)
        if not clause:
            return unclear("an alert rule's condition", part)
        clauses.append(clause)
    return clauses


def _add_leaf(clause: dict[str, Any], leaf: Mapping[str, Any]) -> None:
    field = text(leaf.get("field")).lower()
    values = leaf.get("containsAny")
    if not isinstance(values, list) or not values:
        values = [leaf.get("equals")]
    if not field:
        return
    if any(map(undecided, values)):
        clause[field] = unclear(f"an alert rule's condition on {field}")
    elif not isinstance(clause.get(field), Unknown):
        clause[field] = [*clause.get(field, ()), *(value for value in values if isinstance(value, str))]


# --- who hears of it ------------------------------------------------------------------------------------------------


def _heard(properties: Mapping[str, Any], processing: list[_Processing], look: Look) -> tuple[Answer, str]:
    """Whether somebody is told when an alert rule fires, and if not, why."""
    actions = properties.get("actions")
    if undecided(actions) or undecided(mapping(actions).get("actionGroups")):
        return unclear("the alert rule's action groups", actions), ""
    own = [text(entry.get("actionGroupId")) for entry in entries(mapping(actions).get("actionGroups"))]
    added = [rule for rule in processing if rule.groups is not None]
    muted = any_of(True if rule.doubt is None else rule.doubt for rule in processing if rule.groups is None)
    if muted is True:
        muting = next(rule for rule in processing if rule.groups is None and rule.doubt is None)
        return False, f"the alert processing rule {muting.name} mutes it"
    calls = [*filter(None, own), *(group for rule in added if rule.doubt is None for group in rule.groups or ())]
    answers: list[Answer] = [_group_answers(group, look)[0] for group in calls]
    heard = any_of([*answers, *(rule.doubt for rule in added if rule.doubt is not None)])
    if heard is False:
        return False, _group_answers(calls[0], look)[1] if calls else "it calls no action group"
    return all_of((heard, muted if isinstance(muted, Unknown) else True)), ""


def _group_answers(group: str, look: Look) -> tuple[Answer, str]:
    """Whether an action group is there, switched on, and tells somebody; and if not, why."""
    key, shown = normal_id(group), f"its action group {short(group)}"
    exists = existence(look.documents, key)
    if exists is False:
        return False, f"{shown} does not exist"
    if isinstance(exists, Unknown):
        return unread(look.get(key), f"the action group {short(group)}"), ""
    properties = fields(look.documents[key].get("properties"))
    if properties is None:
        return unclear(f"the action group {short(group)}", look.documents[key].get("properties")), ""
    enabled = _enabled(properties, f"the action group {short(group)}")
    if enabled is False:
        return False, f"{shown} is switched off"
    receives = any_of(_receives(group, properties))
    return all_of((enabled, receives)), f"{shown} has no receiver that is enabled" if receives is False else ""


def _receives(group: str, properties: Mapping[str, Any]) -> Iterator[Answer]:
    for field, value in properties.items():
        lower = field.lower()
        if not lower.endswith("receivers"):
            continue
        if undecided(value):
            yield unclear(f"the receivers of the action group {short(group)}", value)
        for receiver in entries(value):
            status = text(receiver.get("status")).lower() if lower in _STATUS_TELLS else ""
            if status == "notspecified":
                yield Unknown(reason=f"whether a receiver of the action group {short(group)} is enabled is not told")
            else:
                yield status != "disabled"


def _processing(document: Document) -> _Processing | None:
    """An alert processing rule; None for one that is off, or works only for a time: maintenance, most often."""
    properties = props(document)
    if marker(document) or properties.get("enabled") is False or mapping(properties.get("schedule")):
        return None
    groups: list[str] = []
    mutes = False
    for action in entries(properties.get("actions")):
        kind = text(action.get("actionType")).lower()
        mutes = mutes or kind == _MUTES
        if kind == _ADDS:
            groups += [text(group) for group in action.get("actionGroupIds") or () if text(group)]
    if not mutes and not groups:
        return None
    called = name(document)
    filtered = bool(entries(properties.get("conditions")))
    doubt = Unknown(reason=f"the alert processing rule {called} works on some alerts only") if filtered else None
    scopes = frozenset(normal_id(text(scope)) for scope in properties.get("scopes") or () if text(scope))
    return _Processing(name=called, scopes=scopes, groups=None if mutes else tuple(groups), doubt=doubt)

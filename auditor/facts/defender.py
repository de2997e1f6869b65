"""Defender for Cloud in a subscription: which plans raise alerts, where these go, and who gets a mail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from auditor.documents import (
    DEFENDER_PLANS,
    SECURITY_CONTACT,
    Document,
    marker,
    normal_id,
    subscription_of,
)
from auditor.facts.alerts import alert_facts
from auditor.facts.answers import Answer, all_of, any_of
from auditor.facts.look import Look, TypeFacts
from auditor.facts.sentinel import connected
from auditor.facts.shapes import entries, mapping, props, text
from auditor.facts.unread import fields, listed, unclear, undecided, unread
from auditor.inventory import Unknown

_AUTOMATIONS: Final = "Microsoft.Security/automations"
_NO_ALERTS: Final = frozenset({"cloudposture", "foundationalcspm", "discovery"})  # plans that look for weaknesses only
_SEVERITIES: Final = frozenset({"high", "medium", "low"})


def defender_facts(key: str, _document: Document, look: Look) -> dict[str, Any]:
    """What rules read of Defender for Cloud in a subscription."""
    return {
        "defender_plans": plans(key, look),
        "defender_alerts_kept": _alerts_kept(key, look),
        "security_contact": _contact(key, look),
    }


def subscription_facts(key: str, document: Document, look: Look) -> dict[str, Any]:
    """What rules read of a subscription: its alert rules, and Defender for Cloud in it."""
    return alert_facts(key, document, look) | defender_facts(key, document, look)


def plan_facts(plan: str) -> TypeFacts:
    """`defender`: whether this plan of Defender for Cloud is on in the subscription of a resource."""

    def facts(key: str, _document: Document, look: Look) -> dict[str, Any]:
        subscription = f"/subscriptions/{subscription_of(key)}"
        found = plans(subscription, look)
        if isinstance(found, list) and plan not in found and look.declared and not _named(subscription, plan, look):
            found = Unknown(reason=f"the plan {plan} of Defender for Cloud is not among those that are declared")
        return {"defender": found if isinstance(found, Unknown) else plan in found}

    return facts


def _named(subscription: str, plan: str, look: Look) -> bool:
    """Whether a plan is declared, on or off."""
    items = entries(mapping(look.get(f"{subscription}/providers/{DEFENDER_PLANS}")).get("value"))
    return any(text(item.get("name")).lower() == plan.lower() for item in items)


def plans(subscription: str, look: Look) -> list[str] | Unknown:
    """The names of the paid plans that watch for attacks; none where the subscription does not know the product."""
    document = look.get(f"{subscription}/providers/{DEFENDER_PLANS}")
    if _unregistered(document):
        return []
    items = listed(document, "the plans of Defender for Cloud")
    if isinstance(items, Unknown):
        return items
    found = []
    for item in entries(items):
        name, properties = text(item.get("name")), props(item)
        on = text(properties.get("pricingTier")).lower() == "standard" and properties.get("deprecated") is not True
        if on and name.lower() not in _NO_ALERTS:
            found.append(name)
    return sorted(found)


def _unregistered(document: Document | None) -> bool:
    """Whether a "no" says that the subscription never used the product, and not that the question was wrong."""
    answer = mapping(mapping(document).get("$absent") or mapping(document).get("$unsupported"))
    return "notregistered" in text(answer.get("code")).lower().replace(" ", "") or (
        text(answer.get("code")).lower() == "missingsubscriptionregistration"
    )


# --- where alerts go ------------------------------------------------------------------------------------------------


def _alerts_kept(key: str, look: Look) -> Answer:
    """Whether all alerts of a subscription leave Defender for Cloud: by continuous export, or for Sentinel."""
    subscription = subscription_of(key)
    sentinel = look.once(connected)
    answers: list[Answer] = [*look.once(_exports).get(subscription, ())]
    answers.append(sentinel.tenant or subscription in sentinel.subscriptions)
    gap = look.unlisted(key)
    if gap is not None:
        answers.append(unread(gap, "the continuous exports"))
    if sentinel.doubt is not None:
        answers.append(sentinel.doubt)
    return any_of(answers)


def _exports(look: Look) -> dict[str, list[Answer]]:
    """By subscription, whether each of its continuous exports sends every alert to a place that is there."""
    found: dict[str, list[Answer]] = {}
    for key in look.of_type(_AUTOMATIONS):
        document = look.documents[key]
        if marker(document) in ("$absent", "$unsupported"):
            continue
        properties = None if marker(document) else fields(document.get("properties"))
        answer = unread(document, "a continuous export") if properties is None else _export(key, properties, look)
        found.setdefault(subscription_of(key), []).append(answer)
    return found


def _export(key: str, properties: Mapping[str, Any], look: Look) -> Answer:
    parts = [properties.get(name) for name in ("isEnabled", "scopes", "sources", "actions")]
    if any(map(undecided, parts)):
        return unclear("a continuous export", next(part for part in parts if undecided(part)))
    whole = f"/subscriptions/{subscription_of(key)}"
    scopes = {normal_id(text(scope.get("scopePath"))) for scope in entries(parts[1]) if text(scope.get("scopePath"))}
    sources = [source for source in entries(parts[2]) if text(source.get("eventSource")).lower() == "alerts"]
    return all_of(
        (
            parts[0] is not False,
            whole in scopes,
            any(_unfiltered(source.get("ruleSets")) for source in sources),
            any(_places(entries(parts[3]), look)),
        )
    )


def _unfiltered(rule_sets: object) -> bool:
    """Whether alerts of every severity that calls for action pass; of several sets of rules one has to hold."""
    sets = entries(rule_sets)
    if not sets:
        return True
    passed: set[str] = set()
    for one in sets:
        rules = entries(one.get("rules"))
        if not rules:
            return True
        if len(rules) == 1 and text(rules[0].get("propertyJPath")).lower().removeprefix("properties.") == "severity":
            passed.add(text(rules[0].get("expectedValue")).lower())
    return passed >= _SEVERITIES


def _places(actions: list[Mapping[str, Any]], look: Look) -> Iterator[bool]:
    for action in actions:
        for field, kind in (("workspaceResourceId", "log-analytics"), ("eventHubResourceId", "event-hub")):
            place = text(action.get(field))
            if place:  # as for logs: what cannot be proved to be gone counts
                yield look.resolve(kind, "/" + place.strip("/"), None).exists is not False


# --- who gets a mail ------------------------------------------------------------------------------------------------


def _contact(key: str, look: Look) -> Mapping[str, Any] | Unknown:
    """Who is told of alerts: `roles` and `emails`, and from which `severity` on; nobody where none was set up."""
    document, gap = look.get(f"{key}/providers/{SECURITY_CONTACT}/default"), look.unlisted(key)
    if gap is not None and document is not None and marker(document):
        return unread(gap, "the subscription")  # it shows nothing at all, so that a 404 is no answer
    nobody: Mapping[str, Any] = {"roles": [], "emails": 0, "severity": ""}
    what = "the security contact"
    if _unregistered(document) or (document is not None and marker(document) == "$absent"):
        return nobody
    if document is None or marker(document):
        return unread(document, what)
    properties = fields(document.get("properties"))
    if properties is None:
        return unclear(what, document.get("properties"))
    if properties.get("isEnabled") is False:
        return nobody
    by_role = mapping(properties.get("notificationsByRole"))
    roles = by_role.get("roles") if text(by_role.get("state")).lower() == "on" else []
    emails = [mail for mail in text(properties.get("emails")).replace(",", ";").split(";") if mail.strip()]
    return {
        "roles": sorted(role for role in roles if isinstance(role, str)) if isinstance(roles, list) else [],
        "emails": len(emails),
        "severity": _least_severity(properties),
    }


def _least_severity(properties: Mapping[str, Any]) -> str:
    for source in entries(properties.get("notificationsSources")):
        if text(source.get("sourceType")).lower() == "alert":
            return text(source.get("minimalSeverity")).lower()
    older = mapping(properties.get("alertNotifications"))
    return text(older.get("minimalSeverity")).lower() if text(older.get("state")).lower() == "on" else ""

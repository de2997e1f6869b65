"""Does a resource meet a requirement: are its logs exported, do its events raise alerts, do its own fields hold …?"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from auditor.catalog import relevance
from auditor.facts.alert_events import concerns, raises
from auditor.inventory import Destination, Inventory, LogSetting, Resource, Unknown
from auditor.match import Matcher, Scope, lookup
from auditor.rule import Alerts, AllOf, Exists, Logs, Match, Requirement
from auditor.truth import Truth, every, some


class Verdict(msgspec.Struct, frozen=True):
    """How one requirement came out for one subject."""

    truth: Truth
    applies: bool = True
    missing: tuple[str, ...] = ()  # log categories not exported, events that raise no alert
    unsure: tuple[str, ...] = ()  # those of which it cannot be told


def meet(require: Requirement, resource: Resource, scope: Scope, inventory: Inventory, index: Candidates) -> Verdict:
    """Judge one requirement for one resource; what could not be read is noted in the scope."""
    if isinstance(require, Logs):
        return _logs(require, resource, scope)
    if isinstance(require, Alerts):
        return _alerts(require, resource, scope)
    if isinstance(require, Match):
        return Verdict(require.matcher(resource, scope))
    if isinstance(require, Exists):
        return Verdict(_exists(require, resource, scope, inventory, index))
    if isinstance(require, AllOf):
        return _all_of(require, resource, scope, inventory, index)
    verdicts = [meet(option, resource, scope, inventory, index) for option in require.parts]
    applying = [verdict for verdict in verdicts if verdict.applies]
    if not applying:
        return Verdict(None, applies=False)
    truth = some(verdict.truth for verdict in applying)
    missing = () if truth else tuple(dict.fromkeys(c for verdict in applying for c in verdict.missing))
    return Verdict(truth, missing=missing)


def _all_of(require: AllOf, resource: Resource, scope: Scope, inventory: Inventory, index: Candidates) -> Verdict:
    verdicts = [meet(part, resource, scope, inventory, index) for part in require.parts]
    return Verdict(
        every(verdict.truth for verdict in verdicts),
        applies=all(verdict.applies for verdict in verdicts),
        missing=tuple(dict.fromkeys(c for verdict in verdicts for c in verdict.missing)),
        unsure=tuple(dict.fromkeys(c for verdict in verdicts for c in verdict.unsure)),
    )


def _alerts(require: Alerts, resource: Resource, scope: Scope) -> Verdict:
    alerts = resource.facts.get("alerts")
    if resource.facts.get("alerts_elsewhere") and not any(concerns(alerts, event) for event in require.events):
        return Verdict(None, applies=False)  # a file that makes no such alert rule says nothing of it
    missing: list[str] = []
    unsure: list[str] = []
    for event in require.events:
        answer = raises(alerts, event)
        if isinstance(answer, Unknown):
            scope.seen.append(answer)
            unsure.append(event)
        elif not answer:
            missing.append(event)
    return Verdict(False if missing else None if unsure else True, missing=tuple(missing), unsure=tuple(unsure))


def _logs(require: Logs, resource: Resource, scope: Scope) -> Verdict:
    if not require.categories:
        return _exported(require, resource, scope)
    settings = resource.settings
    offers = {name.casefold() for name in resource.offers}
    perhaps = {name.casefold() for name in resource.may_offer}
    if isinstance(settings, Unknown):
        wanted = tuple(c for c in require.categories if resource.is_stand_in or c.casefold() in offers | perhaps)
        if wanted:
            scope.seen.append(settings)
        return Verdict(None, unsure=wanted, applies=bool(wanted))
    missing: list[str] = []
    unsure: list[str] = []
    applies = False
    for category in require.categories:
        folded = category.casefold()
        truth = some(_exports(setting, folded, require, scope) for setting in settings)
        if truth is True:
            applies = True
        elif folded in offers:
            applies = True
            (missing if truth is False else unsure).append(category)
        elif folded in perhaps:
            applies = True
            unsure.append(category)
            why = resource.facts.get("why_may_offer")
            if isinstance(why, Unknown):
                scope.seen.append(why)
    truth = False if missing else None if unsure else True
    return Verdict(truth, applies=applies, missing=tuple(missing), unsure=tuple(unsure))


def _exported(require: Logs, resource: Resource, scope: Scope) -> Verdict:
    """Whether each relevant category that diagnostic settings export reaches, by whatever way, what is asked for."""
    settings = resource.settings
    if isinstance(settings, Unknown):
        scope.seen.append(settings)
        return Verdict(None)
    sent = [s for s in settings if s.kind == "diagnostic-setting" and s.living]
    certain = {c for s in sent for c in s.categories if relevance(resource.type, c) != "operational"}
    perhaps = {c for s in sent for c in s.possible if relevance(resource.type, c) != "operational"}
    missing: list[str] = []
    unsure: list[str] = []
    for category in sorted(certain | perhaps):
        truth = some(_exports(setting, category.casefold(), require, scope) for setting in settings)
        if truth is not True:
            (missing if truth is False and category in certain else unsure).append(category)
    verdict = False if missing else None if unsure else True
    return Verdict(verdict, applies=bool(certain | perhaps), missing=tuple(missing), unsure=tuple(unsure))


def _exports(setting: LogSetting, category: str, require: Logs, scope: Scope) -> Truth:
    """Whether one setting sends a category to a destination that is not known to be gone and meets `to`."""
    if setting.partial is not None:
        return False  # it sees only some of what there is
    if any(category == name.casefold() for name in setting.categories):
        enabled: Truth = True
    elif any(category == name.casefold() for name in setting.possible):
        enabled = None
        if setting.doubt is not None:
            scope.seen.append(setting.doubt)
    else:
        return False
    reached = some(True if require.to is None else _meets(require.to, d, scope) for d in setting.living)
    return every([enabled, reached])


def _meets(to: Matcher, destination: Destination, scope: Scope) -> Truth:
    """Whether a destination is what is asked for; one of which not even the id is known may be."""
    truth = to(destination, scope)
    if truth is False and not destination.id and isinstance(destination.exists, Unknown):
        scope.seen.append(destination.exists)
        return None
    return truth


class Candidates:
    """Resources by the values that an `exists` looks them up by, so that it need not go through all of them."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        self._index: dict[tuple[str, str], tuple[dict[str, list[Resource]], list[Resource]]] = {}
        self._unread: dict[str, list[tuple[str, Unknown]]] = {}

    def of(self, require: Exists, subject: Resource) -> Iterable[Resource]:
        """Every resource that may be what a requirement asks to exist for a subject."""
        for path, reference in require.keys:
            wanted = lookup(subject, reference.split("."))
            if isinstance(wanted, str):
                known, unsure = self._by(require.resource, path)
                return [*known.get(wanted.casefold(), ()), *unsure]
        return self._inventory.of_type(require.resource)

    def unread(self, pattern: str) -> list[tuple[str, Unknown]]:
        """(subscription, why) of those of which not even the region could be read: each may be the one asked for."""
        if pattern not in self._unread:
            self._unread[pattern] = [
                (resource.subscription, resource.properties)
                for resource in self._inventory.of_type(pattern)
                if isinstance(resource.properties, Unknown) and not resource.location and not resource.is_stand_in
            ]
        return self._unread[pattern]

    def _by(self, pattern: str, path: str) -> tuple[dict[str, list[Resource]], list[Resource]]:
        if (pattern, path) not in self._index:
            known: dict[str, list[Resource]] = {}
            unsure: list[Resource] = []
            for resource in self._inventory.of_type(pattern):
                value = lookup(resource, path.split("."))
                if isinstance(value, str):
                    known.setdefault(value.casefold(), []).append(resource)
                else:
                    unsure.append(resource)
            self._index[pattern, path] = (known, unsure)
        return self._index[pattern, path]


def _exists(require: Exists, subject: Resource, scope: Scope, inventory: Inventory, index: Candidates) -> Truth:
    found = some(
        True if require.where is None else require.where(candidate, scope) for candidate in index.of(require, subject)
    )
    if found is False:
        for subscription, why in index.unread(require.resource):
            if subscription in ("", subject.subscription):
                scope.seen.append(why)
                return None
        for unread in inventory.unread_scopes():  # what was not listed may hold it
            if not subject.subscription or subject.subscription in unread.id.lower() or unread.id in ("/", ""):
                scope.seen.append(unread.why)
                return None
    return found

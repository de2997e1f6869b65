"""Why did a subject of a rule's test come out as it did: which line of which requirement decided?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from auditor.inventory import Destination, Inventory, LogSetting, Resource, Unknown
from auditor.judge import plain
from auditor.match import Scope, compile_match, lookup
from auditor.meet import Candidates, meet
from auditor.rule import VERBS, Rule, compile_rule
from auditor.rule_tests import Difference, estate_of
from auditor.strict_yaml import Lines, load
from auditor.truth import Truth

Path = tuple[str | int, ...]
Say = Callable[[Path, str], str]

MOST_SHOWN = 100
MOST_CANDIDATES = 3
_HOLDS = {True: "holds", False: "does not hold", None: "cannot be told"}


def explain(text: str, rule: Rule, test: int, difference: Difference) -> list[str]:
    """What decided about a subject of the rule's n-th test, by line of the rule file `text`."""
    subject = difference.subject
    raw, lines = load(text, rule.file)
    judged, inventory = estate_of(rule, rule.tests[test], rule.test_lines[test])
    resource = next((r for r in inventory.resources if subject in (r.name, r.id, _group(rule, r))), None)
    if resource is None:
        return [f"line {rule.test_lines[test]}: the test gives no such subject"]
    told = _Teller(raw, lines, judged, resource, inventory)
    wanted, got = difference.expected.partition(" "), difference.got.partition(" ")
    return list(told.severities() if wanted[0] == got[0] else told.all())


def _group(rule: Rule, resource: Resource) -> str:
    return "/".join(str(getattr(resource, field) or "") for field in rule.per)


class _Teller:
    """What all the lines of one explanation need."""

    def __init__(
        self, raw: Mapping[str, Any], lines: Lines, rule: Rule, subject: Resource, inventory: Inventory
    ) -> None:
        self._raw, self._lines, self._rule = raw, lines, rule
        self._subject, self._inventory = subject, inventory

    def all(self) -> Iterator[str]:
        """Whether it is judged at all, then what decided."""
        if not any(self._subject in self._inventory.of_type(pattern) for pattern in self._rule.resources):
            yield self._say(("resource",), f"its type {self._subject.type} is none that the rule judges")
            return
        if "where" in self._raw:
            inside = self._match(self._raw["where"], ("where",), self._subject, True)
            if inside is not True:
                yield from self._matched(self._raw["where"], ("where",), self._subject, inside)
            if inside is False:
                return
        yield from self._requirement(self._raw["require"], ("require",))

    def severities(self) -> Iterator[str]:
        """Which case gave the severity."""
        for i, case in enumerate(self._raw.get("severity_when", ())):
            truth = self._match(case["where"], ("severity_when", i, "where"), self._subject, True)
            yield self._say(("severity_when", i), f"severity {case['severity']}: its case {_HOLDS[truth]}")

    def _say(self, path: Path, text: str) -> str:
        return f"line {self._lines.of(path) or 1}: {text}"

    # --- requirements -----------------------------------------------------------------------------------------------

    def _truth(self, raw: Mapping[str, Any]) -> tuple[Truth, bool]:
        """How a requirement comes out, and whether it applies at all."""
        rule = compile_rule({**self._raw, "require": raw}, self._lines, self._rule.file)
        verdict = meet(rule.require, self._subject, self._scope(), self._inventory, Candidates(self._inventory))
        return verdict.truth, verdict.applies

    def _scope(self) -> Scope:
        return Scope(self._subject, self._rule.info.params)

    def _requirement(self, raw: Mapping[str, Any], path: Path) -> Iterator[str]:
        """The lines that came out as the whole did: with all of several to be met, or one, those decide."""
        truth, applies = self._truth(raw)
        verb = next(verb for verb in VERBS if raw.get(verb) is not None)
        if verb == "match":
            yield from self._matched(raw[verb], (*path, verb), self._subject, truth)
        elif verb == "exists":
            yield from self._exists(raw[verb], (*path, verb), truth)
        elif verb == "logs":
            yield from self._logs(raw, path)
        else:
            for i, part in enumerate(raw[verb]):
                if self._truth(part) == (truth, applies):
                    yield from self._requirement(part, (*path, verb, i))

    def _logs(self, raw: Mapping[str, Any], path: Path) -> Iterator[str]:
        settings = self._subject.settings
        if isinstance(settings, Unknown):
            yield self._say((*path, "logs"), f"the settings are not known: {settings.reason}")
            return
        offers = {name.casefold() for name in self._subject.offers | self._subject.may_offer}
        for i, category in enumerate(raw["logs"]):
            truth, applies = self._truth({**raw, "logs": [category]})
            here = (*path, "logs", i)
            if not applies:
                yield self._say(here, f"{category} is not among what the subject offers, so it is not asked for")
                continue
            found = [s for s in settings if category.casefold() in {c.casefold() for c in s.categories | s.possible}]
            word = {True: "is exported", False: "is not exported", None: "cannot be told"}[truth]
            if not found:
                offered = "" if category.casefold() in offers else " (and it is not offered)"
                yield self._say(here, f"{category} {word}: no setting has it{offered}")
            for setting in found:
                yield self._say(here, f"{category} {word}: {self._setting(setting, raw, category)}")

    def _setting(self, setting: LogSetting, raw: Mapping[str, Any], category: str) -> str:
        has = "has it" if category.casefold() in {c.casefold() for c in setting.categories} else "may have it"
        if setting.partial:
            return f"{setting.name} sees only part ({setting.partial})"
        places = [self._destination(place, raw) for place in setting.destinations]
        return f"{setting.name} {has} and sends it to {', '.join(places) or 'no destination'}"

    def _destination(self, place: Destination, raw: Mapping[str, Any]) -> str:
        if place.exists is False:
            return f"{place.kind} (gone)"
        to = raw.get("to")
        if to is None:
            return place.kind
        wanted = to if isinstance(to, Mapping) else {"kind": to}
        truth = self._match(wanted, (), place, True)
        if truth is True:
            return place.kind
        failing = [line for line in self._each(wanted, (), place) if line[1] == truth]
        return f"{place.kind} ({'; '.join(text for _, _, text in failing)})"

    def _exists(self, raw: Mapping[str, Any], path: Path, truth: Truth) -> Iterator[str]:
        candidates = list(self._inventory.of_type(raw["resource"]))
        if not candidates:
            yield self._say(path, f"no {raw['resource']} is given")
        where = raw.get("where")
        if where is None:
            if candidates:
                yield self._say(path, f"{candidates[0].name} is one")
            return
        answered = [c for c in candidates if self._match(where, (*path, "where"), c, True) is truth]
        for candidate in answered[: 1 if truth else MOST_CANDIDATES]:
            for line in self._matched(where, (*path, "where"), candidate, truth):
                number, _, text = line.partition(": ")
                yield f"{number}: {candidate.name}: {text}"
        if len(answered) > MOST_CANDIDATES and truth is not True:
            yield self._say(path, f"and {len(answered) - MOST_CANDIDATES} more like that")

    # --- matches ----------------------------------------------------------------------------------------------------

    def _match(self, raw: Mapping[str, Any], path: Path, thing: Any, nothing: Truth) -> Truth:
        return compile_match(raw, path, [])(thing, self._scope()) if raw else nothing

    def _matched(self, raw: Mapping[str, Any], path: Path, thing: Any, truth: Truth) -> Iterator[str]:
        for line, answer, text in self._each(raw, path, thing):
            if answer == truth:
                yield self._say(line, text)

    def _each(self, raw: Mapping[str, Any], path: Path, thing: Any) -> Iterator[tuple[Path, Truth, str]]:
        for key, condition in raw.items():
            truth = self._match({key: condition}, path, thing, True)
            text = f"`{key}: {_short(condition)}` {_HOLDS[truth]}"
            if key != "any_of":
                text += f"; it is {_short(plain(lookup(thing, key.split('.'))))}"
            yield (*path, key), truth, text


def _short(value: Any) -> str:
    text = msgspec.json.encode(value).decode() if not isinstance(value, str) else value
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"

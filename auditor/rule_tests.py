"""The tests inside rule files: resources in shorthand, judged by the very engine that judges Azure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from auditor.catalog import canonical_type, categories_of, category
from auditor.documents import Run, normal_location
from auditor.errors import RuleError
from auditor.inventory import Destination, Inventory, LogSetting, Resource, Unknown
from auditor.judge import judge_rule
from auditor.match import lookup
from auditor.rule import Rule
from auditor.rule_file import TestFile

_UNREAD = Unknown(reason="the test says so")
_FIELDS = frozenset(
    ("name", "id", "type", "location", "subscription", "resource_group", "kind", "sku", "tags", "properties",
     "settings", "facts", "offers", "may_offer", "parent", "groups")
)  # fmt: skip


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One subject that did not come out as the test says."""

    subject: str
    expected: str
    got: str

    def __str__(self) -> str:
        return f"{self.subject}: expected {self.expected}, got {self.got}"


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How one test of one rule came out; `differences` is empty when it passed."""

    rule: str
    name: str
    line: int
    differences: tuple[Difference, ...]


def run_tests(rule: Rule) -> Iterator[Outcome]:
    """Run every test of a rule."""
    for test, line in zip(rule.tests, rule.test_lines, strict=True):
        yield Outcome(rule=rule.id, name=test.name, line=line, differences=tuple(_differences(rule, test, line)))


def estate_of(rule: Rule, test: TestFile, line: int) -> tuple[Rule, Inventory]:
    """The rule with the parameters of a test, and the estate that the test makes up."""
    resources = [_resource(given, rule, line) for given in test.given]
    info = msgspec.structs.replace(rule.info, params={**rule.info.params, **test.params})
    return msgspec.structs.replace(rule, info=info), Inventory(resources=tuple(resources), run=Run())


def _differences(rule: Rule, test: TestFile, line: int) -> Iterator[Difference]:
    judged, inventory = estate_of(rule, test, line)
    names = {r.id: r.name for r in inventory.resources}
    found = {names.get(f.subject.id, f.subject.id): f for f in judge_rule(judged, inventory)}
    for subject in sorted(found.keys() | test.expect.keys()):
        finding, wanted = found.get(subject), test.expect.get(subject, "not judged")
        got = "not judged"
        if finding:
            got = f"{finding.status} {finding.severity}" if " " in wanted else finding.status
        if got != wanted:
            yield Difference(subject=subject, expected=wanted, got=got)


def unmet_paths(rule: Rule) -> list[str]:
    """Paths the rule reads that no resource of its tests has: a typo, most often."""
    resources = [_resource(given, rule, 1) for test in rule.tests for given in test.given]
    return [path for path in rule.paths if all(lookup(r, path.split(".")) is None for r in resources)]


# --- shorthand ------------------------------------------------------------------------------------------------------


def _resource(given: Mapping[str, Any], rule: Rule, line: int) -> Resource:
    odd = sorted(set(given) - _FIELDS)
    if odd:
        raise RuleError(rule.file, line, f'a test resource has no "{odd[0]}"', f"fields: {', '.join(sorted(_FIELDS))}")
    name = str(given["name"])
    resource_type = canonical_type(str(given.get("type") or rule.resources[0].replace("*", "any")))
    subscription = str(given.get("subscription", "sub"))
    resource_id = str(given.get("id") or f"/test/{resource_type}/{name}").lower()
    offers = given.get("offers")
    offered = frozenset(categories_of(resource_type) if offers is None else map(str, offers))
    return Resource(
        id=resource_id,
        shown_id=resource_id,
        type=resource_type,
        name=name,
        kind=str(given.get("kind", "")),
        sku=given.get("sku"),
        subscription=subscription,
        resource_group=str(given.get("resource_group", "rg")),
        location=normal_location(given.get("location", "westeurope")),
        parent=str(given.get("parent", "")),
        tags=given.get("tags", {}),
        properties=_value(given.get("properties", {})),
        settings=_settings(given.get("settings", []), resource_type, offered, given.get("groups"), rule, line),
        offers=offered,
        may_offer=frozenset(map(str, given.get("may_offer", ()))),
        facts={str(k): _value(v) for k, v in (given.get("facts") or {}).items()},
    )


def _value(value: Any) -> Any:
    """`unknown` stands for what could not be read, `unlimited` for no expiry."""
    if value == "unknown":
        return _UNREAD
    if value == "unlimited":
        return float("inf")
    if isinstance(value, Mapping):
        return {key: _value(inner) for key, inner in value.items()}
    return [_value(inner) for inner in value] if isinstance(value, list) else value


def _settings(
    given: Any, resource_type: str, offered: frozenset[str], groups: Any, rule: Rule, line: int
) -> tuple[LogSetting, ...] | Unknown:
    if given == "unknown":
        return _UNREAD
    if not isinstance(given, list):
        raise RuleError(rule.file, line, "settings is a list, or `unknown`")
    return tuple(_setting(s, i, resource_type, offered, groups or {}, rule, line) for i, s in enumerate(given))


def _setting(
    given: Any, i: int, resource_type: str, offered: frozenset[str], groups: Mapping[str, Any], rule: Rule, line: int
) -> LogSetting:
    known = {
        "name",
        "kind",
        "categories",
        "groups",
        "without",
        "possible",
        "to",
        "retention_days",
        "interactive_days",
        "ends",
        "partial",
    }
    if not isinstance(given, Mapping) or set(given) - known:
        raise RuleError(rule.file, line, f"a test setting is a mapping of {', '.join(sorted(known))}")
    to = given.get("to", [])
    kept = {key: given[key] for key in ("retention_days", "interactive_days") if key in given}
    categories = {_spelled(resource_type, str(c)) for c in given.get("categories", ())}
    possible = {_spelled(resource_type, str(c)) for c in given.get("possible", ())}
    for group in map(str, given.get("groups", ())):
        if group.lower() == "alllogs":
            categories |= offered
        elif group in groups:
            categories |= {str(c) for c in groups[group]}
        elif group.lower() != "audit":
            raise RuleError(rule.file, line, f'the test resource has no group "{group}"', "list it under groups:")
        else:
            for name in offered:
                found = category(resource_type, name)
                member = found.audit if found else None
                if member is not False:
                    (categories if member else possible).add(name)
    lacks = {str(c).casefold() for c in given.get("without", ())}  # every category of a group but these
    categories = {c for c in categories if c.casefold() not in lacks}
    return LogSetting(
        id=f"setting-{i}",
        name=str(given.get("name", f"setting-{i}")),
        kind=str(given.get("kind", "diagnostic-setting")),
        categories=frozenset(categories),
        possible=frozenset(possible - categories),
        groups=tuple(map(str, given.get("groups", ()))),
        destinations=tuple(_destination(d, j, kept) for j, d in enumerate(to if isinstance(to, list) else [to])),
        ends=given.get("ends"),
        partial=given.get("partial"),
    )


def _spelled(resource_type: str, name: str) -> str:
    found = category(resource_type, name)
    return found.name if found else name


def _destination(given: Any, i: int, kept: Mapping[str, Any]) -> Destination:
    fields = {"kind": given} if isinstance(given, str) else dict(given)
    fields = {"id": f"/destination-{i}", **kept, **fields}
    told: dict[str, Any] = {str(key): _value(value) for key, value in fields.items()}
    if isinstance(told.get("tags"), list):
        told["tags"] = tuple(told["tags"])
    return Destination(**told)

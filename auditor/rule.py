"""Rules: what ought to be logged, one YAML file each, read strictly and compiled once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template
from typing import Any

import msgspec

from auditor.catalog import catalog, category, known_category
from auditor.documents import SUBSCRIPTION
from auditor.errors import RuleError
from auditor.match import ConditionError, Matcher, compile_condition, compile_match, is_reference, params_used
from auditor.report import SEVERITIES, RuleInfo, Severity, SeverityCase
from auditor.rule_file import RequireFile, RuleFile, TestFile
from auditor.shipped import shipped, walk
from auditor.strict_yaml import Lines, convert, load


class Logs(msgspec.Struct, frozen=True):
    """Each category exported, with a destination that meets `to` in the same setting.

    No categories: those with relevance for security that the resource's diagnostic settings export already.
    """

    categories: tuple[str, ...]
    to: Matcher | None


class Alerts(msgspec.Struct, frozen=True):
    """Each event of a subscription's Activity Log (an operation, or a category) raises an alert that somebody hears."""

    events: tuple[str, ...]


class Exists(msgspec.Struct, frozen=True):
    """Some resource of a type meets a match; `keys` are its lines that are plain references, to look up by."""

    resource: str
    where: Matcher | None
    keys: tuple[tuple[str, str], ...]


class Match(msgspec.Struct, frozen=True):
    """The resource's own fields meet a match; `paths` are those of its lines."""

    matcher: Matcher
    paths: frozenset[str] = frozenset()


class AnyOf(msgspec.Struct, frozen=True):
    """One of several requirements holds."""

    parts: tuple[Requirement, ...]


class AllOf(msgspec.Struct, frozen=True):
    """All of several requirements hold; where one of them does not apply, none does."""

    parts: tuple[Requirement, ...]


Requirement = Logs | Alerts | Exists | Match | AnyOf | AllOf
VERBS = ("logs", "alerts", "exists", "match", "any_of", "all_of")


class Raise(msgspec.Struct, frozen=True):
    """Another severity, higher or lower, for subjects that certainly meet a match."""

    where: Matcher
    severity: Severity
    because: str


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A compiled rule, ready to judge with."""

    info: RuleInfo
    file: str
    resources: tuple[str, ...]
    where: Matcher | None
    per: tuple[str, ...]
    require: Requirement
    severity_when: tuple[Raise, ...] = ()
    message: Template
    evidence: tuple[tuple[str, tuple[str, ...]], ...]  # path, and its steps
    tests: tuple[TestFile, ...]
    test_lines: tuple[int, ...]
    paths: tuple[str, ...]  # every path that the rule reads, to warn of those no test has
    optional: bool = False  # it judges only where its id is named: on the command line, or in a profile

    @property
    def id(self) -> str:
        """The rule's kebab-case id, equal to its file's name."""
        return self.info.id


PER_FIELDS = ("subscription", "location", "resource_group", "type", "kind", "parent")
PLACEHOLDERS = ("id", "name", "type", "location", "subscription", "subscription_name", "resource_group", "kind",
                "missing")  # fmt: skip
FILL_IN = "FILL-IN"  # what a rule file to start from leaves to its author
STATUSES = ("pass", "fail", "unknown", "not-applicable")
_OPERATION = re.compile(r"[A-Za-z]+(\.[A-Za-z]+)+(/[A-Za-z0-9]+)+/(write|delete|action)", re.IGNORECASE)
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


# --- reading --------------------------------------------------------------------------------------------------------


def parse_rule(text: str, file: str) -> Rule:
    """Read and compile one rule; every problem is a `RuleError` with file and line."""
    raw, lines = load(text, file)
    if not isinstance(raw, Mapping):
        raise RuleError(file, 1, "a rule file is a mapping of keys", "start from `auditor rules new <id>`")
    return compile_rule(raw, lines, file)


def compile_rule(raw: Mapping[str, Any], lines: Lines, file: str) -> Rule:
    """Compile what a rule file says; `lines` knows where each part stands."""
    written = convert(raw, RuleFile, lines, file)
    _check(written, lines, file)
    paths: list[str] = []
    try:
        where = compile_match(written.where, ("where",), paths) if written.where is not None else None
        require = _requirement(written.require, ("require",), lines, file, paths)
        severity_when = tuple(
            Raise(compile_match(case.where, ("severity_when", i, "where"), paths), case.severity, case.because.strip())
            for i, case in enumerate(written.severity_when)
        )
    except ConditionError as error:
        raise RuleError(file, lines.of(error.path), error.problem, error.hint) from None
    resources = [written.resource] if isinstance(written.resource, str) else written.resource
    return Rule(
        info=RuleInfo(
            id=written.id,
            title=written.title.strip(),
            severity=written.severity,
            severity_when=[SeverityCase(severity=c.severity, because=c.because) for c in severity_when],
            resource=", ".join(resources),
            rationale=written.rationale.strip(),
            remediation={k: v for k, v in msgspec.to_builtins(written.remediation).items() if v.strip()},
            blind_to=written.blind_to,
            frameworks=written.frameworks,
            references=written.references,
            params=written.params,
        ),
        file=file,
        resources=tuple(resources),
        where=where,
        per=tuple(written.per or ()),
        require=require,
        severity_when=severity_when,
        message=Template(written.message.strip() or f"{written.title.strip()}: not so for $name."),
        evidence=tuple((path, tuple(path.split("."))) for path in written.evidence),
        tests=tuple(written.tests),
        test_lines=tuple(lines.of(("tests", i)) or 1 for i in range(len(written.tests))),
        paths=tuple(path for path in dict.fromkeys(paths) if not path.startswith("params.")),
        optional=written.optional,
    )


def _check(rule: RuleFile, lines: Lines, file: str) -> None:
    def fail(path: Sequence[str | int], problem: str, hint: str = "") -> None:
        raise RuleError(file, lines.of(path), problem, hint)

    written = msgspec.to_builtins(rule)
    for where, param in params_used({part: written[part] for part in ("where", "require", "severity_when")}):
        if param not in rule.params:
            fail(where, f'there is no parameter "{param}"', f"parameters: {', '.join(rule.params) or 'none'}")
    stem = Path(file).stem
    if not _ID.fullmatch(rule.id):
        fail(["id"], f'the id "{rule.id}" is not kebab-case', "small letters, digits and single hyphens")
    if rule.id != stem:
        fail(["id"], f'the id "{rule.id}" differs from the file name "{stem}"')
    if not rule.resource or (isinstance(rule.resource, list) and not all(rule.resource)):
        fail(["resource"], "a resource type is missing")
    for i, case in enumerate(rule.severity_when):
        if not case.because.strip():
            fail(["severity_when", i, "because"], "it is not said why the severity differs", 'such as "it is public"')
    for i, field in enumerate(rule.per or []):
        if field not in PER_FIELDS:
            fail(["per", i], f'"per" cannot be "{field}"', f"fields: {', '.join(PER_FIELDS)}")
    if not any(value.strip() for value in msgspec.structs.astuple(rule.remediation)):
        fail(["remediation"], "no remediation is given", "at least one of cli, bicep, terraform, portal")
    known = (*PLACEHOLDERS, *rule.params)
    for name in _placeholders(rule.message):
        if name not in known:
            fail(["message"], f'"${name}" is no placeholder', f"placeholders: {', '.join(known)}")
    _check_tests(rule, fail)


def _placeholders(text: str) -> Iterable[str]:
    return Template(text).get_identifiers()


def _check_tests(rule: RuleFile, fail: Callable[..., None]) -> None:
    if not rule.tests:
        fail(["id"], "the rule has no tests", "give it at least one subject that passes and one that fails")
    for i, test in enumerate(rule.tests):
        for j, given in enumerate(test.given):
            if not isinstance(given.get("name"), str):
                fail(["tests", i, "given", j], "a test resource needs a name")
        for subject, expected in test.expect.items():
            status, _, severity = expected.partition(" ")
            if status not in STATUSES:
                fail(["tests", i, "expect", subject], f'"{status}" is no status', f"statuses: {', '.join(STATUSES)}")
            if severity and (severity not in SEVERITIES or status not in ("fail", "unknown")):
                fail(["tests", i, "expect", subject], f'"{expected}" is not understood',
                     f"a severity after fail or unknown: {', '.join(SEVERITIES)}")  # fmt: skip
    wanted = {status.partition(" ")[0] for test in rule.tests for status in test.expect.values()}
    for status in ("pass", "fail"):
        if status not in wanted:
            fail(["tests"], f"no test expects {status}")


# --- compiling ------------------------------------------------------------------------------------------------------


def _requirement(
    raw: RequireFile, path: tuple[str | int, ...], lines: Lines, file: str, paths: list[str]
) -> Requirement:
    given = [name for name in VERBS if getattr(raw, name) is not None]
    if len(given) != 1:
        raise ConditionError(path, f"a requirement is exactly one of {', '.join(VERBS)}")
    if raw.to is not None and raw.logs is None:
        raise ConditionError((*path, "to"), '"to" goes with "logs"')
    if raw.logs == "exported":
        if raw.to is None:
            raise ConditionError((*path, "logs"), 'logs: exported asks where to, so it needs "to"')
        return Logs((), _destination_matcher(raw.to, (*path, "to")))
    if raw.logs is not None:
        return Logs(tuple(_categories(raw.logs, (*path, "logs"))), _destination_matcher(raw.to, (*path, "to")))
    if raw.alerts is not None:
        paths.append("facts.alerts")
        return Alerts(tuple(_events(raw.alerts, (*path, "alerts"))))
    if raw.exists is not None:
        where = raw.exists.where
        # Paths of the other resource are its own, and it is in the same test: they count as paths too.
        matcher = compile_match(where, (*path, "exists", "where"), paths) if where is not None else None
        keys = tuple((k, v[1:]) for k, v in (where or {}).items() if is_reference(v) and not v.startswith("$params."))
        return Exists(raw.exists.resource, matcher, keys)
    if raw.match is not None:
        read: list[str] = []
        matcher = compile_match(raw.match, (*path, "match"), read)
        paths += read
        return Match(matcher, frozenset(read))
    verb, several = given[0], raw.any_of or raw.all_of
    if not several:
        raise ConditionError((*path, verb), f"{verb} takes a list of requirements")
    parts = tuple(_requirement(r, (*path, verb, i), lines, file, paths) for i, r in enumerate(several))
    return AnyOf(parts) if raw.any_of else AllOf(parts)


def _categories(names: list[str], path: tuple[str | int, ...]) -> Iterable[str]:
    if not names:
        raise ConditionError(path, "no category is named")
    for i, name in enumerate(names):
        if not known_category(name):
            near = get_close_matches(name, _all_categories(), n=1)
            hint = f'did you mean "{near[0]}"?' if near else "see the catalog of log categories"
            raise ConditionError((*path, i), f'no resource type has a log category "{name}"', hint)
        yield name


def _events(names: list[str], path: tuple[str | int, ...]) -> Iterable[str]:
    if not names:
        raise ConditionError(path, "no event is named")
    for i, name in enumerate(names):
        if not _OPERATION.fullmatch(name) and category(SUBSCRIPTION, name) is None:
            hint = "an operation such as Microsoft.KeyVault/vaults/delete, or a category of the Activity Log"
            raise ConditionError((*path, i), f'the Activity Log has no event "{name}"', hint)
        yield name


def _all_categories() -> list[str]:
    return sorted({known.name for log_type in catalog().values() for known in log_type.categories})


def _destination_matcher(to: Any, path: tuple[str | int, ...]) -> Matcher | None:
    if to is None:
        return None
    if isinstance(to, Mapping):
        return compile_match(to, path, [])
    kind = compile_condition(to, path, [])
    return lambda destination, scope: kind(destination.kind, scope)


def unfilled(rule: Rule) -> list[str]:
    """The keys in which the author has not yet written what `rules new` left open."""
    info = rule.info
    questions = " ".join(info.blind_to.questions) if info.blind_to else ""
    texts = {
        "title": info.title, "message": rule.message.template, "rationale": info.rationale,
        "remediation": " ".join(info.remediation.values()), "blind_to": questions,
    }  # fmt: skip
    return [key for key, text in texts.items() if FILL_IN in text]


# --- finding rule files ---------------------------------------------------------------------------------------------


def load_rules(folder: Path | Traversable | None = None) -> list[Rule]:
    """Every rule below a folder (the shipped ones by default), sorted by id; a repeated id is an error."""
    return list(_shipped_rules()) if folder is None else _rules_in(folder)


@lru_cache(maxsize=1)
def _shipped_rules() -> tuple[Rule, ...]:
    """Read once: a scan asks for them several times, and reading them takes as long as judging a plan."""
    return tuple(_rules_in(shipped("rules")))


def _rules_in(root: Path | Traversable) -> list[Rule]:
    if not root.is_dir():
        raise RuleError(str(root), None, "there is no such folder of rules")
    rules: dict[str, Rule] = {}
    for file in walk(root):
        if not file.name.endswith((".yaml", ".yml")):
            continue
        shown = str(file)
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise RuleError(shown, None, f"cannot be read: {error}") from None
        rule = parse_rule(text, shown)
        if rule.id in rules:
            raise RuleError(shown, 1, f'the id "{rule.id}" is taken by {rules[rule.id].file}')
        rules[rule.id] = rule
    return [rules[key] for key in sorted(rules)]


def area(rule: Rule) -> str:
    """The folder that the rule's file is in."""
    return Path(rule.file).parent.name


def with_severity(rule: Rule, severity: Severity) -> Rule:
    """The rule with one severity for whatever fails it: who sets it has weighed the cases."""
    info = msgspec.structs.replace(rule.info, severity=severity, severity_when=[])
    return msgspec.structs.replace(rule, info=info, severity_when=())

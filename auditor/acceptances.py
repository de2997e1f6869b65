"""Accepted risks: which failures somebody has accepted, why, and until when.

An acceptance speaks of a rule and of a scope: ids with `*`, tags, or both. It holds for a year at the most and never
raises coverage; one that has expired lets its findings fail again. What could not be told is never accepted away.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

import msgspec

from auditor.documents import normal_id
from auditor.errors import RuleError
from auditor.focus import has_tag
from auditor.report import AcceptanceInfo, AcceptanceState, Baseline, Cell, Finding, Report, Row
from auditor.strict_yaml import convert, load

MOST_DAYS: Final = 366
_SERVICE: Final = re.compile(r"/(?:blob|queue|table|file)services/default$")
_LITERAL: Final = str.maketrans({"[": "[[]", "?": "[?]"})
_MOST_TEXT: Final = 2000  # characters of one value


class AcceptanceFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One acceptance as written: days as `2027-03-31`, `rule` an id with `*`, at least one of `scope` and `tags`."""

    rule: str
    scope: str = ""
    tags: list[str] = []
    reason: str
    approved_by: str
    created: str
    expires: str
    ticket: str = ""


class Acceptance(msgspec.Struct, frozen=True, kw_only=True):
    """One acceptance, and where it is written."""

    key: str  # of rule, scope and tags
    written: AcceptanceFile
    file: str
    line: int | None


class Acceptances(msgspec.Struct, frozen=True, kw_only=True):
    """Those that were made, as of a day (ISO): in a file of their own, and in the code beside resources (`inline`)."""

    all: tuple[Acceptance, ...] = ()
    beside: Mapping[str, tuple[Acceptance, ...]] = {}  # by normal id
    today: str = ""

    @property
    def every(self) -> tuple[Acceptance, ...]:
        """All of both kinds, each once; those in code by where they stand."""
        beside = {each.key: each for found in self.beside.values() for each in found}
        return (*self.all, *sorted(beside.values(), key=lambda each: (each.file, each.line or 0, each.written.rule)))

    def of(self, rule: str, subject_id: str, tags: Mapping[str, Any]) -> Acceptance | None:
        """The acceptance that speaks of a finding, one in force before one that has expired."""
        meant = [each for each in self.all if _speaks_of(each.written, rule, subject_id, tags)]
        if self.beside:
            meant += [each for each in self._code_of(subject_id) if each.written.rule == rule]
        return next((each for each in meant if self.holds(each)), meant[0] if meant else None)

    def holds(self, acceptance: Acceptance) -> bool:
        """Whether it is in force: it ends with its last day."""
        return self.today <= acceptance.written.expires

    def _code_of(self, subject_id: str) -> tuple[Acceptance, ...]:
        key = normal_id(subject_id)
        whole = _SERVICE.sub("", key)  # a storage service has no code of its own
        return (*self.beside.get(key, ()), *(self.beside.get(whole, ()) if whole != key else ()))


def _matches(text: str, pattern: str) -> bool:
    """Whether a text is as a pattern says, in which only `*` is wild: the names of code hold brackets."""
    return fnmatchcase(text, pattern.translate(_LITERAL))


def _speaks_of(written: AcceptanceFile, rule: str, subject_id: str, tags: Mapping[str, Any]) -> bool:
    if not _matches(rule, written.rule):
        return False
    if written.scope and not _matches(subject_id.lower(), written.scope.lower()):
        return False
    return all(has_tag(tags, word) for word in written.tags)


# --- reading --------------------------------------------------------------------------------------------------------


def read_acceptances(file: Path, rules: Iterable[str], today: str) -> Acceptances:
    """The acceptances of a file. Raises `RuleError` with file and line for whatever is wrong with one."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise RuleError(str(file), None, error.strerror or "cannot be read", "give the path of a YAML file") from None
    except UnicodeDecodeError:
        raise RuleError(str(file), None, "is not UTF-8 text") from None
    return Acceptances(all=tuple(parse_acceptances(text, str(file), rules)), today=today)


def parse_acceptances(text: str, file: str, rules: Iterable[str]) -> list[Acceptance]:
    """The acceptances in a YAML list, in order; `rules` are the ids that there are."""
    value, lines = load(text, file)
    known = sorted(rules)
    found: list[Acceptance] = []
    for position, written in enumerate(convert(value if value is not None else [], list[AcceptanceFile], lines, file)):

        def wrong(problem: str, key: str, hint: str = "", at: int = position) -> RuleError:
            return RuleError(file, lines.of([at, key]), problem, hint)

        _check(written, known, wrong)
        key = _key(written)
        if any(other.key == key for other in found):
            raise wrong("this rule and scope are accepted twice", "rule", "keep one of the two")
        found.append(Acceptance(key=key, written=written, file=file, line=lines.of([position, "rule"])))
    return found


def as_of(made: tuple[Acceptance, ...], today: str) -> Acceptances:
    """Acceptances as of a day. Raises `RuleError` for one from so far ahead that it would hold for years."""
    for each in made:
        ahead = (date.fromisoformat(each.written.created) - date.fromisoformat(today)).days
        if ahead > MOST_DAYS:  # old evidence may be judged with later decisions
            hint = "give the day on which it was decided"
            raise RuleError(each.file, each.line, f'"created" is {ahead:,} days ahead', hint)
    return Acceptances(all=made, today=today)


def _key(written: AcceptanceFile) -> str:
    said = "\n".join([written.rule, written.scope.lower(), *sorted(tag.casefold() for tag in written.tags)])
    return hashlib.sha256(said.encode()).hexdigest()[:12]


def _check(written: AcceptanceFile, rules: Sequence[str], wrong: Any) -> None:
    for key in ("rule", "reason", "approved_by"):
        if not getattr(written, key).strip():
            raise wrong(f'"{key}" is empty', key)
    for key in ("rule", "scope", "reason", "approved_by", "ticket"):
        if len(getattr(written, key)) > _MOST_TEXT:
            raise wrong(f'"{key}" is longer than {_MOST_TEXT:,} characters', key)
    if not any(_matches(rule, written.rule) for rule in rules):
        near = get_close_matches(written.rule, rules, n=1)
        raise wrong(
            f'there is no rule "{written.rule}"', "rule", f'did you mean "{near[0]}"?' if near else "auditor rules list"
        )
    if not written.scope.strip() and not written.tags:
        raise wrong("it names no scope", "rule", "give `scope` (an id, * for any part of it) or `tags`")
    if any(not tag.partition("=")[0].strip() for tag in written.tags):
        raise wrong("a tag without a name", "tags", "write name or name=value")
    created, expires = (_day(getattr(written, key), key, wrong) for key in ("created", "expires"))
    if expires < created:
        raise wrong("it expires before it was created", "expires")
    if (expires - created).days > MOST_DAYS:
        raise wrong(
            f"it is to last {(expires - created).days} days",
            "expires",
            "12 months at most; then somebody looks at it again",
        )


def _day(text: str, key: str, wrong: Any) -> date:
    try:
        if len(text) == 10:
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise wrong(f'"{key}" is not a day', key, "write it like 2027-03-31")


# --- into the report ------------------------------------------------------------------------------------------------


def with_acceptances(report: Report, acceptances: Acceptances) -> Report:
    """The report with what was accepted told: of each acceptance what became of it, and of each log source too.

    A source counts as accepted where a finding that misses it is accepted, and none that still fails misses it.
    """
    every = acceptances.every
    if not every:
        return report
    speaking: dict[str, list[Finding]] = {}
    accepted: dict[str, set[str]] = {}
    failing: dict[str, set[str]] = {}
    for finding in report.findings:
        if finding.acceptance:
            speaking.setdefault(finding.acceptance, []).append(finding)
        if finding.status in ("accepted", "fail"):
            missing = {str(name) for name in finding.evidence.get("missing") or ()}
            gaps = accepted if finding.status == "accepted" else failing
            gaps.setdefault(normal_id(finding.subject.id), set()).update(missing)
    coverage = [_accepted_row(row, accepted, failing) for row in report.coverage]
    infos = [_info(each, acceptances, speaking.get(each.key, [])) for each in every]
    return msgspec.structs.replace(report, coverage=coverage, acceptances=infos)


def _accepted_row(row: Row, accepted: Mapping[str, set[str]], failing: Mapping[str, set[str]]) -> Row:
    key = normal_id(row.id)
    names = accepted.get(key, set()) - failing.get(key, set())
    if not names:
        return row
    return msgspec.structs.replace(row, cells=[_accepted_cell(cell, names) for cell in row.cells])


def _accepted_cell(cell: Cell, names: set[str]) -> Cell:
    if cell.category in names and cell.state in ("missing", "partly"):
        return msgspec.structs.replace(cell, state="accepted")
    return cell


def _info(acceptance: Acceptance, acceptances: Acceptances, findings: Sequence[Finding]) -> AcceptanceInfo:
    written = acceptance.written
    state: AcceptanceState = "in force" if findings else "unused"
    if not acceptances.holds(acceptance):
        state = "expired"
    return AcceptanceInfo(
        **{**msgspec.structs.asdict(written), "reason": written.reason.strip()},
        key=acceptance.key,
        days_left=(date.fromisoformat(written.expires) - date.fromisoformat(acceptances.today)).days,
        state=state,
        findings=len(findings),
        subjects=sorted({finding.subject.name for finding in findings})[:20],
        file="" if written.created else acceptance.file,
        line=None if written.created else acceptance.line,
    )


# --- what was known before ------------------------------------------------------------------------------------------


_KNOWN_AS: Final[dict[str, tuple[str, ...]]] = {
    "fail": ("fail", "accepted"),
    "unknown": ("fail", "accepted", "unknown"),  # for gates that count it
}


def compare(report: Report, earlier: Report, revision: str = "") -> Report:
    """The report with each failure told to be new or known, by an earlier findings file of the same rules and scope.

    Or by the findings of an earlier `revision` of the same code, as people call it.
    """
    then = {finding.fingerprint: finding.status for finding in earlier.findings}
    findings = [
        msgspec.structs.replace(finding, is_new=then.get(finding.fingerprint, "") not in _KNOWN_AS[finding.status])
        if finding.status in _KNOWN_AS
        else finding
        for finding in report.findings
    ]
    now = {finding.fingerprint: finding.status for finding in findings}
    failed_then = [each for each, status in then.items() if status in _KNOWN_AS["fail"]]
    return msgspec.structs.replace(
        report,
        findings=findings,
        baseline=Baseline(
            generated_at=earlier.generated_at,
            revision=revision,
            new=sum(finding.is_new is True for finding in findings if finding.status == "fail"),
            known=sum(finding.is_new is False for finding in findings if finding.status == "fail"),
            fixed=sum(now.get(each) == "pass" for each in failed_then),
            gone=sum(now.get(each) in (None, "not-applicable") for each in failed_then),
        ),
    )

"""All that a format is given: findings, coverage, what was not read, and the arithmetic every format shares.

The JSON form of `Report` (`--format json`) is the canonical findings file: other tools build on it, and
`auditor report` renders every other format from it.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable
from functools import cached_property
from typing import Any, Literal

import msgspec

from auditor.documents import Run
from auditor.inventory import Origin, Subscription, Unknown

SCHEMA_VERSION = 1

Status = Literal["pass", "fail", "accepted", "unknown", "not-applicable"]
AcceptanceState = Literal["in force", "unused", "expired"]
Severity = Literal["critical", "high", "medium", "low", "info"]
State = Literal["exported", "partly", "missing", "accepted", "unassessed"]

# The worst first. "not-judged": rules that it maps to were left out; "not-covered": no rule maps to it.
ControlStatus = Literal["fail", "unknown", "not-judged", "pass", "not-applicable", "not-covered"]

SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low", "info")
CONTROL_STATUSES: tuple[ControlStatus, ...] = ("fail", "unknown", "not-judged", "pass", "not-applicable", "not-covered")
STATES: tuple[State, ...] = ("exported", "partly", "missing", "accepted", "unassessed")


class BlindTo(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an investigator cannot answer when the rule fails."""

    questions: list[str]
    attack: list[str] = []  # ATT&CK technique ids
    attack_version: str = ""


class SeverityCase(msgspec.Struct, frozen=True, kw_only=True):
    """The severity that a rule gives to subjects of which more is known than that they fail."""

    severity: Severity
    because: str


class RuleInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a report says of a rule."""

    id: str
    title: str
    severity: Severity  # of a failure of which nothing more is known
    severity_when: list[SeverityCase] = []
    resource: str
    rationale: str
    remediation: dict[str, str]
    blind_to: BlindTo | None = None
    frameworks: dict[str, list[str]] = {}
    references: list[str] = []
    params: dict[str, Any] = {}


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What a finding judges: a resource, or a group such as `<subscription id>/<region>`."""

    id: str  # as Azure writes it
    type: str
    name: str
    subscription: str = ""  # id
    location: str = ""
    resource_group: str = ""
    managed_by: str = ""  # id of the service that made the resource group for itself
    origin: Origin | None = None


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One rule met one subject: the status, and what decided it."""

    rule: str
    status: Status
    severity: Severity
    severity_because: str = ""  # why it is not the rule's own
    message: str
    fingerprint: str  # 16 hex digits, stable over scans: rule + subject
    subject: Subject
    evidence: dict[str, Any] = {}
    why_unknown: list[Unknown] = []  # for status unknown: the reads that failed
    acceptance: str = ""  # key of the acceptance that speaks of it; it fails again once that has expired
    is_new: bool | None = None  # of a failure: whether the baseline did not have it; None without a baseline


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One log source: one category of one resource, whether it is exported and where to."""

    category: str
    state: State
    destinations: list[str] = []  # ids
    kept: str = ""  # where it is kept longest: "365 days", "at least 90 days", "no expiry", "passed on", "unknown"
    evidence_class: str = ""  # control-plane, identity, data, network, host: columns of the coverage map


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One resource in the coverage matrix, with each category that is expected of it."""

    id: str
    type: str
    name: str
    subscription: str = ""
    location: str = ""
    resource_group: str = ""
    managed_by: str = ""  # id of the service that made the resource group for itself
    cells: list[Cell] = []


class DestinationInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One place that logs go to, and how long it keeps them."""

    id: str
    kind: str
    name: str
    subscription: str = ""
    location: str = ""
    exists: bool | None = True  # None: could not be read
    accepts: bool | None = True
    retention: str = ""  # "365 days", "no expiry", "unknown: reason"
    retention_days: int | None = None  # None: no expiry or unknown
    interactive_days: int | None = None
    details: dict[str, str] = {}  # plan, daily cap, lifecycle, immutability ... as words
    sources: int = 0  # log sources that send here


class UnreadInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One read that failed, with the permission or change that would make it succeed."""

    id: str
    type: str
    scope: str  # the subscription's id, or the tenant
    why: Unknown
    lists: bool = False  # it was to list resources: what is below is not known at all


class RetirementInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Something in use that Azure retires, or has retired; days as ISO dates, empty where none was announced."""

    key: str
    what: str
    ends: str = ""
    closed: str = ""  # since then no new one can be made
    effect: str
    instead: str
    source: str
    count: int
    examples: list[str] = []  # names


class AcceptanceInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One accepted risk and what became of it: whose, why, until when, and how many findings it speaks of."""

    key: str
    rule: str
    scope: str = ""
    tags: list[str] = []
    reason: str
    approved_by: str
    created: str
    expires: str
    ticket: str = ""
    days_left: int
    state: AcceptanceState
    findings: int
    subjects: list[str] = []  # names of some


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """How the failures compare with an earlier findings file."""

    generated_at: str
    new: int
    known: int
    fixed: int  # failed then, pass now
    gone: int  # failed then, not there any more


class UncataloguedInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A log category of a resource type that was seen, and that the catalog does not know.

    `category` is empty for a type of which not even the categories could be read.
    """

    type: str
    category: str = ""
    new_type: bool = False  # the catalog does not know the type at all
    audit: bool = False  # the resource's own list puts it into the group `audit`, so that it is expected
    resources: int
    exported: int = 0
    unread: int = 0  # resources of which it cannot be told whether they export it, or offer it
    examples: list[str] = []  # names


class Completeness(msgspec.Struct, frozen=True, kw_only=True):
    """How every planned read ended. The three add up to `planned`."""

    planned: int
    answered: int
    not_supported: int
    unknown: int

    @property
    def share(self) -> float:
        """The share of planned reads that were answered or answered "not supported", 0 to 1; 1 for none planned."""
        return (self.planned - self.unknown) / self.planned if self.planned else 1.0


class ChangeInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A rule's severity or parameter that is not the rule's own."""

    rule: str
    what: str  # "severity", or a parameter's name
    value: Any
    default: Any
    by: str  # "profile NAME", or "configuration"


class ProfileInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What was expected: the profile that chose the rules, and what it and the configuration changed of them."""

    name: str
    title: str = ""
    extends: list[str] = []  # the nearest first
    changes: list[ChangeInfo] = []


class ControlInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One numbered demand of a framework: the worst that its rules say of it."""

    id: str
    title: str = ""
    status: ControlStatus
    because: str = ""  # why no rule says more
    note: str = ""  # where the rules ask for something else than the control's letter
    rules: list[str] = []


class FrameworkInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A framework's controls, with what this scan says of each."""

    name: str
    profile: str
    title: str = ""
    about: str = ""
    controls: list[ControlInfo] = []


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The result of judging one estate at one time."""

    schema_version: int = SCHEMA_VERSION
    generated_at: str = ""  # the clock of judging: the evidence's end, or SOURCE_DATE_EPOCH
    title: str = "Azure logging coverage"
    run: Run
    subscriptions: list[Subscription] = []
    resource_count: int = 0
    rules: list[RuleInfo] = []
    rules_left_out: list[str] = []  # ids of those that cannot be asked of what was read, such as a plan
    findings: list[Finding] = []
    coverage: list[Row] = []
    destinations: list[DestinationInfo] = []
    retirements: list[RetirementInfo] = []
    uncatalogued: list[UncataloguedInfo] = []
    unread: list[UnreadInfo] = []
    acceptances: list[AcceptanceInfo] = []
    baseline: Baseline | None = None
    profile: ProfileInfo | None = None
    frameworks: list[FrameworkInfo] = []
    completeness: Completeness


# --- arithmetic (report.md 4.2) -------------------------------------------------------------------------------------


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """How many log sources are in each state. A log source is one resource and one category expected of it."""

    exported: int = 0
    partly: int = 0
    missing: int = 0
    accepted: int = 0
    unassessed: int = 0

    @property
    def expected(self) -> int:
        """All five states together."""
        return self.exported + self.partly + self.missing + self.accepted + self.unassessed

    @property
    def assessed(self) -> int:
        """Everything that could be read."""
        return self.expected - self.unassessed

    @property
    def coverage(self) -> float | None:
        """Exported of assessed, 0 to 1; None where nothing was assessed. Nothing else raises it."""
        return self.exported / self.assessed if self.assessed else None

    @property
    def low(self) -> float:
        """Coverage if every unassessed source were missing."""
        return self.exported / self.expected if self.expected else 0.0

    @property
    def high(self) -> float:
        """Coverage if every unassessed source were exported."""
        return (self.exported + self.unassessed) / self.expected if self.expected else 1.0

    @property
    def percent(self) -> str:
        """`44%`, or `unknown`; 100% only when nothing is missing or partly exported."""
        return "unknown" if self.coverage is None else percent(self.coverage)

    @property
    def range(self) -> str:
        """`40–49%` where something was not assessed, `9%` where that is too little to tell, else empty."""
        if not self.unassessed:
            return ""
        low, high = percent(self.low), percent(self.high)
        return high if low == high else f"{low[:-1]}–{high}"


def percent(share: float) -> str:
    """Whole percent; `100%` means all and `0%` none, whatever rounding would say."""
    if share >= 1:
        return "100%"
    if share <= 0:
        return "0%"
    return f"{min(99, max(1, math.floor(share * 100 + 0.5)))}%"


def tally(cells: Iterable[Cell]) -> Tally:
    """Count cells by state."""
    counts = Counter(cell.state for cell in cells)
    return Tally(**{state: counts[state] for state in STATES})


def tally_rows(rows: Iterable[Row]) -> Tally:
    """Count every cell of these rows by state."""
    return tally(cell for row in rows for cell in row.cells)


class RuleResult(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One rule with how its subjects came out."""

    info: RuleInfo
    findings: list[Finding]

    def count(self, status: Status) -> int:
        """How many subjects have this status."""
        return sum(finding.status == status for finding in self.findings)

    @cached_property
    def failed(self) -> list[Finding]:
        """The findings that failed, gravest first."""
        return _gravest_first(finding for finding in self.findings if finding.status == "fail")

    @cached_property
    def unknown(self) -> list[Finding]:
        """The findings that could not be told, gravest first."""
        return _gravest_first(finding for finding in self.findings if finding.status == "unknown")

    @cached_property
    def severity(self) -> Severity:
        """The gravest severity of what failed, or of what could not be told; the rule's own where neither is."""
        found = self.failed or self.unknown
        return found[0].severity if found else self.info.severity

    @property
    def severities(self) -> dict[Severity, int]:
        """How many failures have each severity, gravest first."""
        counts = Counter(finding.severity for finding in self.failed)
        return {severity: counts[severity] for severity in SEVERITIES if counts[severity]}

    @property
    def assessed(self) -> int:
        """How many subjects passed or failed, accepted ones too."""
        return self.count("pass") + self.count("fail") + self.count("accepted")

    @property
    def outcome(self) -> str:
        """`failed`, `unknown`, `accepted`, `passed` or `not applicable`: nothing judged never counts as passed."""
        if self.count("fail"):
            return "failed"
        if self.count("unknown"):
            return "unknown"
        if self.count("accepted"):
            return "accepted"
        return "passed" if self.count("pass") else "not applicable"


def _gravest_first(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))


def by_rule(report: Report) -> list[RuleResult]:
    """Every rule with its findings: by the gravest that fails, then by its own severity, most failures, id."""
    grouped: dict[str, list[Finding]] = {}
    for finding in report.findings:
        grouped.setdefault(finding.rule, []).append(finding)
    results = [RuleResult(info=info, findings=grouped.get(info.id, [])) for info in report.rules]
    order = SEVERITIES.index
    return sorted(results, key=lambda r: (order(r.severity), order(r.info.severity), -r.count("fail"), r.info.id))


def count_findings(report: Report) -> dict[str, int]:
    """How many findings have each status; `critical` … `info` count the failed ones."""
    counts: Counter[str] = Counter(finding.status for finding in report.findings)
    counts.update(finding.severity for finding in report.findings if finding.status == "fail")
    return {key: counts[key] for key in ("fail", "pass", "accepted", "unknown", "not-applicable", *SEVERITIES)}


def last_line(report: Report) -> str:
    """What a run ends with: everything is counted, hidden things too."""
    counts = count_findings(report)
    worst = ", ".join(f"{counts[s]} {s}" for s in SEVERITIES if counts[s])
    share = report.completeness.share * 100
    readable = "100" if share >= 100 else f"{min(share, 99.9):.1f}"
    left_out = f" · filtered: {report.run.left_out:,} resources left out" if report.run.focus else ""
    if report.rules_left_out:
        left_out += f" · {len(report.rules_left_out):,} rules about whole subscriptions or tenants left out"
    new = f", {report.baseline.new} new" if report.baseline else ""
    accepted = f", {counts['accepted']} accepted" if report.acceptances else ""
    return (
        f"{counts['fail']} failed{f' ({worst}{new})' if worst else ''}, {counts['pass']} passed, "
        f"{counts['unknown']} unknown{accepted}, {counts['not-applicable']} not applicable · "
        f"{readable} % readable{left_out}"
    )


def fingerprint(rule: str, subject_id: str) -> str:
    """Sixteen hex digits that stay the same over scans for one rule and one subject, whatever the id's case."""
    return hashlib.sha256(f"{rule}\n{subject_id.lower()}".encode()).hexdigest()[:16]

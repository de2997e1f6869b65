"""All that a format is given: findings, coverage, what was not read, and the arithmetic every format shares.

The JSON form of `Report` (`--format json`) is the canonical findings file: other tools build on it, and
`auditor report` renders every other format from it.
"""

from __future__ import annotations

import hashlib
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
    # Of a failure, or what could not be told: whether the baseline did not have it; None without a baseline.
    is_new: bool | None = None


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
    file: str = ""  # where in the code it stands, beside what it accepts; nobody is named there, and no first day
    line: int | None = None


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """How the failures compare with an earlier findings file, or with the code of an earlier revision."""

    generated_at: str
    revision: str = ""  # what was asked for, and the commit: `origin/main (1a2b3c4d)`
    new: int
    known: int
    fixed: int  # failed then, pass now
    gone: int  # failed then, not there any more


class GateInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked of the scan, and whether it holds; the counts are of what counted against it, by severity."""

    fail_on: Severity | Literal[""] = ""  # empty where only completeness was asked for
    strict: bool = False  # findings that could not be told count as failures do
    passed: bool = False
    incomplete: bool = False  # too much could not be read, or there was nothing to judge
    failed: dict[str, int] = {}
    unknown: dict[str, int] = {}


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
    gate: GateInfo | None = None  # None where none was asked for
    profile: ProfileInfo | None = None
    frameworks: list[FrameworkInfo] = []
    completeness: Completeness


def fingerprint(rule: str, subject_id: str) -> str:
    """Sixteen hex digits that stay the same over scans for one rule and one subject, whatever the id's case."""
    return hashlib.sha256(f"{rule}\n{subject_id.lower()}".encode()).hexdigest()[:16]

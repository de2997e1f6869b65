"""The arithmetic that every format shares: log sources by state, rules and findings by how they came out."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

import msgspec

from auditor.report import SEVERITIES, STATES, Cell, Finding, Report, Row, RuleInfo, Severity, Status

_TYPES_SHOWN = 3


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


def _not_mapped(types: Mapping[str, int]) -> str:
    """`7 resources not judged: azurerm_x (4), azurerm_y (2) and 1 more type`."""
    most = sorted(types, key=lambda name: (-types[name], name))
    shown = ", ".join(f"{name} ({types[name]})" for name in most[:_TYPES_SHOWN])
    rest = len(most) - _TYPES_SHOWN
    more = f" and {rest} more type{'s' if rest > 1 else ''}" if rest > 0 else ""
    total = sum(types.values())
    return f"{total:,} resource{'s' if total != 1 else ''} of no type known to log: {shown}{more}"


MOST_APART = 10  # findings that say the same of a whole input, and are still told one by one


def without_settings(report: Report) -> list[Finding]:
    """The failures of a file that sets no log on anything, the gravest first: told as one; none where they are few."""
    cells = [cell for row in report.coverage for cell in row.cells]
    nothing = all(cell.state in ("missing", "accepted") for cell in cells) and not report.destinations
    if report.run.source == "azure" or not cells or not nothing:
        return []
    found = [
        finding
        for finding in report.findings
        if finding.status == "fail"
        and ("missing" in finding.evidence or finding.evidence.get("facts.settings_count") == 0)
    ]
    found.sort(key=lambda f: (SEVERITIES.index(f.severity), f.rule, f.subject.id.lower()))
    return found if len(found) > MOST_APART else []


def as_one(findings: Sequence[Finding]) -> str:
    """`No log is set on anything here: 412 findings of 9 rules about 105 resources fail for that`."""
    rules, subjects = {f.rule for f in findings}, {f.subject.id.lower() for f in findings}
    return (
        f"No log is set on anything here: {len(findings):,} findings of {len(rules):,} "
        f"{'rule' if len(rules) == 1 else 'rules'} about {len(subjects):,} resources fail for that"
    )


def last_line(report: Report) -> str:
    """What a run ends with: everything is counted, hidden things too."""
    counts = count_findings(report)
    worst = ", ".join(f"{counts[s]} {s}" for s in SEVERITIES if counts[s])
    left_out = f" · filtered: {report.run.left_out:,} resources left out" if report.run.focus else ""
    if report.rules_left_out:
        left_out += f" · {len(report.rules_left_out):,} rules about whole subscriptions or tenants left out"
    if report.run.not_mapped:
        left_out += f" · {_not_mapped(report.run.not_mapped)}"
    new = f", {report.baseline.new} new" if report.baseline else ""
    accepted = f", {counts['accepted']} accepted" if report.acceptances else ""
    return (
        f"{counts['fail']} failed{f' ({worst}{new})' if worst else ''}, {counts['pass']} passed, "
        f"{counts['unknown']} unknown{accepted}, {counts['not-applicable']} not applicable · "
        f"{readable(report)}{left_out}"
    )


def readable(report: Report) -> str:
    """`99.9 % readable`; a file is read whole, but for the parts that it is told of."""
    share, unread = report.completeness.share * 100, report.completeness.unknown
    if report.run.source != "azure":
        return f"{unread:,} parts not readable" if unread > 1 else "1 part not readable" if unread else "all readable"
    return f"{'100' if share >= 100 else f'{min(share, 99.9):.1f}'} % readable"

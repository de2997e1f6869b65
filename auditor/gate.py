"""Does the scan hold what was asked of it? What the exit code means, as part of the report."""

from __future__ import annotations

from collections import Counter

import msgspec

from auditor.report import SEVERITIES, Finding, GateInfo, Report, Severity


def reaches(severity: str, threshold: str) -> bool:
    """Whether a severity is at or above a threshold."""
    return SEVERITIES.index(severity) <= SEVERITIES.index(threshold)


def counts(finding: Finding, gate: GateInfo | None) -> bool:
    """Whether a finding fails the gate: a new failure that reaches it, and if it is strict also what cannot be told.

    Such a finding stays `unknown`: the gate fails, not the resource.
    """
    return (
        gate is not None
        and bool(gate.fail_on)
        and (finding.status == "fail" or (gate.strict and finding.status == "unknown"))
        and finding.is_new is not False
        and reaches(finding.severity, gate.fail_on)
    )


def with_gate(report: Report, fail_on: Severity | None, *, strict: bool, incomplete: bool) -> Report:
    """The report with what the gate says; `strict` alone asks it at every severity."""
    gate = GateInfo(fail_on=fail_on or (SEVERITIES[-1] if strict else ""), strict=strict, incomplete=incomplete)
    if not gate.fail_on and not incomplete:
        return report
    found = [finding for finding in report.findings if counts(finding, gate)]
    failed = Counter(finding.severity for finding in found if finding.status == "fail")
    unknown = Counter(finding.severity for finding in found if finding.status == "unknown")
    gate = msgspec.structs.replace(
        gate,
        passed=not found and not incomplete,
        failed={severity: failed[severity] for severity in SEVERITIES if failed[severity]},
        unknown={severity: unknown[severity] for severity in SEVERITIES if unknown[severity]},
    )
    return msgspec.structs.replace(report, gate=gate)

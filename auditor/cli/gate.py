"""What decides the exit code of a scan."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Mapping

import msgspec

from auditor.config import Configuration, unassessed_limit
from auditor.formats.locations import unread_told
from auditor.formats.words import SOURCES, count, listing
from auditor.gate import counts, with_gate
from auditor.report import GateInfo, Report, Severity

EXIT_GATE, EXIT_INCOMPLETE, EXIT_INTERRUPTED = 1, 3, 130


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of a scan, by flag, else by configuration."""

    fail_on: Severity | None
    strict: bool
    limit: str | int | None


def asked(arguments: argparse.Namespace, configuration: Configuration) -> Asked:
    """What is asked of this scan; a mistake in it is told before anything is done."""
    gate = configuration.gate
    limit = arguments.max_unassessed if arguments.max_unassessed is not None else gate.max_unassessed
    unassessed_limit(limit, 0)
    return Asked(fail_on=arguments.fail_on or gate.fail_on, strict=arguments.strict or gate.strict, limit=limit)


def answered(report: Report, asked: Asked) -> Report:
    """The report with the gate's answer, if one was asked for; nothing to judge is never an answer."""
    return with_gate(
        report, asked.fail_on, strict=asked.strict, incomplete=_too_little(report, asked) or is_empty(report)
    )


def is_empty(report: Report) -> bool:
    """Whether nothing was judged: no rule asked anything, or a file held no resource, as where a folder was renamed."""
    return not report.findings and (not report.rules or (report.run.source != "azure" and not report.resource_count))


def _limit(asked: Asked) -> str | int | None:
    """How much may be unread; a gate that could not look must not pass."""
    return 0 if asked.limit is None and (asked.fail_on or asked.strict) else asked.limit


def _too_little(report: Report, asked: Asked) -> bool:
    allowed = unassessed_limit(_limit(asked), report.completeness.planned)
    return allowed is not None and report.completeness.unknown > allowed


def told(report: Report, asked: Asked) -> int:
    """Say on stderr what the gate says, and give the exit code. Findings outrank incompleteness; both are told."""
    gate = report.gate
    if _too_little(report, asked):
        print(f"Incomplete: {unread_told(report)}; --max-unassessed allows {_limit(asked)}.", file=sys.stderr)
    where = SOURCES.get(report.run.source, "the target")
    if is_empty(report) and not report.rules:
        left = count(len(report.rules_left_out), "rule")
        asked_of = f", and {left} cannot be asked of {where}" if report.rules_left_out else ""
        print(f"Nothing to judge: no rule is chosen{asked_of}.", file=sys.stderr)
    elif is_empty(report):
        left = "what the filters leave" if report.run.focus else where
        print(f"Nothing to judge: no resource that the auditor knows is in {left}.", file=sys.stderr)
    if gate is None:
        return 0
    if gate.failed or gate.unknown:
        new = "new " if report.baseline else ""
        parts = [_by_severity(gate.failed, new)] if gate.failed else []
        if gate.unknown:
            parts.append(f"{_by_severity(gate.unknown, new)} that cannot be told ({_unknown(report, gate)})")
        strict = ", --strict" if gate.strict else ""
        print(
            f"Gate failed: {'; '.join(parts)}; --fail-on is {gate.fail_on}{strict}. Exit {EXIT_GATE}.", file=sys.stderr
        )
        return EXIT_GATE
    if gate.incomplete:
        return EXIT_INCOMPLETE
    print(
        f"Gate passed: {_nothing(report, gate)} at or above {gate.fail_on}{_not_told(report, gate)}.", file=sys.stderr
    )
    return 0


def _nothing(report: Report, gate: GateInfo) -> str:
    new = "new " if report.baseline else ""
    return f"no {new}failure" + (f", and nothing {new}that cannot be told," if gate.strict else "")


def _not_told(report: Report, gate: GateInfo) -> str:
    """What passed only since nobody knows."""
    strict = msgspec.structs.replace(gate, strict=True)
    number = sum(finding.status == "unknown" and counts(finding, strict) for finding in report.findings)
    return (
        f"; {count(number, 'finding')} there cannot be told, which --strict counts"
        if number and not gate.strict
        else ""
    )


def _by_severity(numbers: Mapping[str, int], new: str) -> str:
    return ", ".join(f"{number:,} {new}{severity}" for severity, number in numbers.items())


def _unknown(report: Report, gate: GateInfo) -> str:
    rules = Counter(f.rule for f in report.findings if f.status == "unknown" and counts(f, gate))
    return listing([f"{rule} {number:,}" for rule, number in rules.items()])

"""What decides the exit code of a scan."""

from __future__ import annotations

import sys
from collections import Counter

from auditor.config import severity_reaches, unassessed_limit
from auditor.report import Report

EXIT_GATE, EXIT_INCOMPLETE, EXIT_INTERRUPTED = 1, 3, 130


def gate(report: Report, fail_on: str | None, limit: str | int | None) -> int:
    """Findings outrank incompleteness; both are told."""
    done = report.completeness
    if limit is None and fail_on:
        limit = 0  # a gate that could not look must not pass
    allowed = unassessed_limit(limit, done.planned)
    incomplete = allowed is not None and done.unknown > allowed
    code = EXIT_INCOMPLETE if incomplete else 0
    if incomplete:
        print(
            f"Incomplete: {done.unknown:,} of {done.planned:,} reads failed; --max-unassessed allows {limit}.",
            file=sys.stderr,
        )
    if fail_on:
        new = [f for f in report.findings if f.status == "fail" and f.is_new is not False]
        counts: Counter[str] = Counter(finding.severity for finding in new)
        reached = [
            s for s in ("critical", "high", "medium", "low", "info") if severity_reaches(s, fail_on) and counts[s]
        ]
        if reached:
            told = ", ".join(f"{counts[s]} {'new ' if report.baseline else ''}{s}" for s in reached)
            print(f"Gate failed: {told}; --fail-on is {fail_on}. Exit {EXIT_GATE}.", file=sys.stderr)
            return EXIT_GATE
        if not incomplete:
            print(f"Gate passed: no {'new ' if report.baseline else ''}failure at or above {fail_on}.", file=sys.stderr)
    return code

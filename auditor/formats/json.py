"""The findings file: the canonical output, from which `auditor report` makes every other."""

from __future__ import annotations

from typing import Any

import msgspec

from auditor.errors import SourceError
from auditor.report import SCHEMA_VERSION, STATES, Report, Tally, count_findings, last_line, tally_rows


class FindingsFile(Report, frozen=True, kw_only=True):
    """A report with its sums, as `--format json` writes it. `summary` is for readers; it is never read back."""

    summary: dict[str, Any] = {}


def render(report: Report) -> str:
    """The report as indented JSON, fields in a fixed order, ending with a newline."""
    fields = {name: getattr(report, name) for name in report.__struct_fields__}
    file = FindingsFile(**fields, summary=summary(report))
    return msgspec.json.format(msgspec.json.encode(file)).decode() + "\n"


def summary(report: Report) -> dict[str, Any]:
    """The sums of a report: findings by status, coverage by state."""
    tally: Tally = tally_rows(report.coverage)
    return {
        "findings": count_findings(report),
        "coverage": {
            "expected": tally.expected,
            **{state: getattr(tally, state) for state in STATES},
            "percent": tally.percent,
            "range": tally.range,
        },
        "line": last_line(report),
    }


def parse(text: bytes, name: str) -> Report:
    """Read a findings file; raises `SourceError` for anything else."""
    try:
        head = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        version = int(msgspec.json.decode(head.get("schema_version", msgspec.Raw(b"0"))))
    except (msgspec.DecodeError, ValueError, TypeError, UnicodeDecodeError):
        hint = f"auditor scan {name}" if text.startswith(b"PK") else "write one with `auditor scan … -f json=FILE`"
        raise SourceError(f"{name}: not a findings file (no JSON)", hint) from None
    if version != SCHEMA_VERSION:
        told = f"schema version {version}" if version else "no schema_version"
        raise SourceError(
            f"{name}: not a findings file that this version reads ({told}, wanted {SCHEMA_VERSION})",
            "write one with `auditor scan … -f json=FILE`",
        )
    try:
        return msgspec.json.decode(text, type=Report)
    except msgspec.DecodeError as error:
        raise SourceError(f"{name}: a broken findings file: {error}", "write it again with `auditor scan`") from None

"""Failures as a code quality report of GitLab, which shows them in the merge request and on its changed lines."""

from __future__ import annotations

from typing import Final

import msgspec

from auditor.formats.locations import Block, blocks, failing, placer
from auditor.formats.safe import visible
from auditor.report import Report, Severity

MOST_RESULTS: Final = 5_000
MOST_TEXT: Final = 1_000
SEVERITIES: Final[dict[Severity, str]] = {
    "critical": "blocker",
    "high": "critical",
    "medium": "major",
    "low": "minor",
    "info": "info",
}


def render(report: Report) -> str:
    """A JSON array, the gravest first; neither accepted nor known failures are in it."""
    issues = [_issue(block) for block in blocks(failing(report), placer(report))[:MOST_RESULTS]]
    return msgspec.json.format(msgspec.json.encode(issues)).decode() + "\n"


def _issue(block: Block) -> dict[str, object]:
    text = visible(block.text)
    return {
        "description": text if len(text) <= MOST_TEXT else f"{text[: MOST_TEXT - 1]}…",
        "check_name": visible(block.first.rule),
        "fingerprint": block.key,
        "severity": SEVERITIES[block.first.severity],
        "location": {"path": visible(block.place.file), "lines": {"begin": block.place.line or 1}},
    }

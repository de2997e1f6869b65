"""The findings as a table for a spreadsheet: a row for each rule and subject."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from auditor.formats.locations import placer
from auditor.formats.safe import visible
from auditor.formats.view import scope_names
from auditor.report import Report

HEAD = (
    "Fingerprint", "Rule", "Severity", "Status", "New", "Title", "What was found", "Subject", "Type", "Subscription",
    "Resource group", "Location", "File", "Line", "Address", "Acceptance", "Id",
)  # fmt: skip
_NEW = {True: "new", False: "known", None: ""}
_FORMULA = "=+-@＝＋－＠"  # what a spreadsheet may take for the start of a formula


def render(report: Report) -> str:
    """Every finding, the gravest first, in UTF-8 with a mark by which spreadsheets know it."""
    return "".join(chunks(report))


def chunks(report: Report) -> Iterator[str]:
    """The same row by row."""
    place_of, names = placer(report), scope_names(report)
    titles = {info.id: info.title for info in report.rules}
    yield "\ufeff" + row(HEAD)
    for finding in report.findings:
        subject, place = finding.subject, place_of(finding.subject)
        yield row(
            (
                *(finding.fingerprint, finding.rule, finding.severity, finding.status, _NEW[finding.is_new]),
                *(titles.get(finding.rule, ""), finding.message, subject.name, subject.type),
                *(names.get(subject.subscription.lower(), subject.subscription), subject.resource_group),
                *(subject.location, place.file if place.written else "", place.line or "", place.address),
                *(finding.acceptance, subject.id),
            )
        )


def row(cells: Iterable[object]) -> str:
    """One line of RFC 4180."""
    return ",".join(map(cell, cells)) + "\r\n"


def cell(value: object) -> str:
    """A value in quotes where it needs them; one that would be a formula gets an apostrophe, which makes it text."""
    text = visible(value)
    if text.lstrip()[:1] in _FORMULA and text.strip():
        text = f"'{text}"
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in ',";') else text

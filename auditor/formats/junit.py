"""The findings as JUnit XML, for the test page of a pipeline: a suite for each rule, a case for each subject."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from auditor.formats.locations import Place, placer
from auditor.formats.remedies import remedies
from auditor.formats.safe import visible
from auditor.formats.view import scope_names
from auditor.formats.words import REMEDIES, accepted_by, capital, count, day, moment
from auditor.gate import counts
from auditor.report import Finding, Report, RuleInfo, Subject

MOST_TEXT: Final = 1_000
MOST_FIX: Final = 2_000


def render(report: Report) -> str:
    """What fails as failures; what is unknown, accepted or known from the baseline as skipped; what passes as passed.

    What a rule does not apply to is no case. With a strict gate, what is unknown and counts against it is a failure of
    the type `unknown`.
    """
    return "".join(chunks(report))


def chunks(report: Report) -> Iterator[str]:
    """The same, suite by suite."""
    judged = [finding for finding in report.findings if finding.status != "not-applicable"]
    when = moment(report.generated_at)
    stamp = f' timestamp="{when:%Y-%m-%dT%H:%M:%S}"' if when else ""
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f'<testsuites name="Azure Logging Auditor" {_counts(judged, report)}>\n'
    rules = {info.id: info for info in report.rules}
    case = _case_writer(report)
    for rule, members in groupby(sorted(judged, key=lambda finding: finding.rule), key=lambda finding: finding.rule):
        findings = list(members)
        yield f"  <testsuite name={_attribute(rule)} {_counts(findings, report)}{stamp}>\n"
        for finding in findings:
            yield case(finding, rules.get(rule))
        yield "  </testsuite>\n"
    yield "</testsuites>\n"


def _counts(findings: list[Finding], report: Report) -> str:
    failures = sum(_fails(finding) or _strict(finding, report) for finding in findings)
    skipped = sum(finding.status != "pass" for finding in findings) - failures
    return f'tests="{len(findings)}" failures="{failures}" errors="0" skipped="{skipped}" time="0"'


def _fails(finding: Finding) -> bool:
    return finding.status == "fail" and finding.is_new is not False


def _strict(finding: Finding, report: Report) -> bool:
    return finding.status == "unknown" and counts(finding, report.gate)


def _case_writer(report: Report) -> Callable[[Finding, RuleInfo | None], str]:
    place_of, names = placer(report), scope_names(report)
    reasons = {one.key: f"{one.reason} ({accepted_by(one)}, until {day(one.expires)})" for one in report.acceptances}

    def outcome(finding: Finding, info: RuleInfo | None, place: Place) -> str:
        if finding.status == "pass":
            return ""
        if _fails(finding):
            fix = _fix(finding, info, names)
            because = f"\n{capital(finding.severity)}: {finding.severity_because}" if finding.severity_because else ""
            told = f"{finding.message}{because}\n{_where(place, finding.subject)}{fix}"
            head = f"message={_attribute(finding.message)} type={_attribute(finding.severity)}"
            return f"<failure {head}>{_text(told)}</failure>"
        if _strict(finding, report):
            told = f"{finding.message}\nThe gate is strict, so it fails for this.\n{_where(place, finding.subject)}"
            return f'<failure message={_attribute(finding.message)} type="unknown">{_text(told)}</failure>'
        if finding.status == "fail":
            why = f"Fails, as it did in the baseline: {finding.message}"
        elif finding.status == "accepted":
            why = f"Accepted: {reasons.get(finding.acceptance, finding.acceptance)}"
        else:
            why = finding.message
        return f"<skipped message={_attribute(why)}/>"

    def case(finding: Finding, info: RuleInfo | None) -> str:
        place = place_of(finding.subject)
        where = f" file={_attribute(place.file)}" if place.written else ""
        where += f' line="{place.line}"' if place.line else ""
        name = place.address or finding.subject.id
        head = f'    <testcase classname={_attribute(finding.rule)} name={_attribute(name)}{where} time="0"'
        inner = outcome(finding, info, place)
        return f"{head}>{inner}</testcase>\n" if inner else f"{head}/>\n"

    return case


def _where(place: Place, subject: Subject) -> str:
    line = f":{place.line}" if place.line else ""
    return f"{place.file}{line}\n{subject.id}" if place.written else subject.id


def _fix(finding: Finding, info: RuleInfo | None, names: dict[str, str]) -> str:
    """How to mend it, in the way that fits best."""
    if info is None or not info.remediation:
        return ""
    way, text = remedies(finding, info.remediation, names)[0]
    shown = text.strip()
    if len(shown) > MOST_FIX:
        more = count(len(shown) - MOST_FIX, "character")
        shown = f"{shown[:MOST_FIX]}\n… {more} more: auditor rules show {finding.rule}"
    return f"\n\nHow to mend it ({REMEDIES.get(way, (way, ''))[0]}):\n{shown}"


def _attribute(text: str) -> str:
    shown = visible(text)
    return quoteattr(shown if len(shown) <= MOST_TEXT else f"{shown[: MOST_TEXT - 1]}…")


def _text(text: str) -> str:
    return escape(visible(text, lines=True))

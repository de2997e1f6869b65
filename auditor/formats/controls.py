"""The framework view for a terminal: control → status → rules."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from auditor.formats.console import WIDTH, clean
from auditor.formats.frameworks import CONTROL_WORDS, changed, in_short, named, outcome
from auditor.formats.words import when
from auditor.report import FrameworkInfo, Report
from auditor.sums import RuleResult, by_rule

_INDENT = " " * 4


def render(report: Report) -> str:
    """Every control of every framework shown, as plain text."""
    return "\n".join(clean(line).rstrip() for line in _lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield f"{report.title}  {when(report.generated_at)}"
    if report.profile:
        yield f"Profile {named(report.profile)}"
        for change in report.profile.changes:
            yield f"  {change.rule}: {changed(change)} ({change.by})"
    if not report.frameworks:
        yield "No framework is shown: its profile names none."
    results = {result.info.id: result for result in by_rule(report)}
    for framework in report.frameworks:
        yield ""
        yield from _framework(framework, results)


def _framework(framework: FrameworkInfo, results: dict[str, RuleResult]) -> Iterator[str]:
    yield f"{framework.name}: {in_short(framework)}"
    wide = max((len(control.id) for control in framework.controls), default=0)
    for control in framework.controls:
        yield f"  {CONTROL_WORDS[control.status]:<15} {control.id:<{wide}}  {control.title}"
        for rule in control.rules:
            told = outcome(results[rule]) if rule in results else ""
            yield f"{_INDENT}{rule}{': ' + told if told else ''}"
        for text in (control.because, control.note):
            yield from (_INDENT + line for line in wrap(text, WIDTH - len(_INDENT)))

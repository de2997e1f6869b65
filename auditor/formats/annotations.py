"""Failures as annotations on the changed lines: the commands that GitHub Actions and Azure Pipelines read in a log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from auditor.formats.locations import Block, blocks, failing, placer, unread_told
from auditor.formats.safe import visible
from auditor.formats.words import count
from auditor.report import SEVERITIES, Report, Severity

MOST_TEXT: Final = 1_000
MOST_OF_A_KIND: Final = 10  # both show no more of a step

_GITHUB: Final[dict[Severity, str]] = {
    "critical": "error",
    "high": "error",
    "medium": "warning",
    "low": "notice",
    "info": "notice",
}
_AZURE: Final[dict[Severity, str]] = {
    "critical": "error",
    "high": "error",
    "medium": "warning",
    "low": "warning",
    "info": "warning",
}


def render_github(report: Report) -> str:
    """Workflow commands of GitHub Actions, the gravest first; what is left out is counted in the last."""
    return _rendered(report, _GITHUB, "notice", _github, lambda kind, text: f"::{kind}::{_github_text(text)}")


def render_azure(report: Report) -> str:
    """Logging commands of Azure Pipelines, the gravest first; what is left out is counted in the last."""
    return _rendered(report, _AZURE, "warning", _azure, lambda kind, text: _azure_issue({"type": kind}, text))


def _rendered(
    report: Report,
    kinds: dict[Severity, str],
    last: str,
    line_of: Callable[[Block, str, str], str],
    told: Callable[[str, str], str],
) -> str:
    titles = {info.id: info.title for info in report.rules}
    found = blocks(failing(report), placer(report))
    shown = _bounded(found, kinds, last)
    lines = [line_of(block, kinds[block.first.severity], titles.get(block.first.rule, "")) for block in shown]
    unknown = sum(finding.status == "unknown" for finding in report.findings)
    unknown -= sum(len(block.findings) for block in found if block.first.status == "unknown")
    rest = [unread] if (unread := unread_told(report)) else []
    rest += _rest(found, shown) + ([f"{count(unknown, 'finding')} could not be told"] if unknown else [])
    if rest:
        lines.append(told(last, f"Azure Logging Auditor: {'; '.join(rest)}. The report has all of it."))
    return "".join(f"{line}\n" for line in lines)


def _bounded(found: Sequence[Block], kinds: dict[Severity, str], last: str) -> list[Block]:
    """As many of each kind as are shown, the gravest first, with room for the line that counts the rest."""
    used: Counter[str] = Counter({last: 1})
    shown = []
    for block in found:
        kind = kinds[block.first.severity]
        if used[kind] < MOST_OF_A_KIND:
            used[kind] += 1
            shown.append(block)
    return shown


def _rest(found: Sequence[Block], shown: Sequence[Block]) -> list[str]:
    left = Counter(block.first.severity for block in found) - Counter(block.first.severity for block in shown)
    told = ", ".join(f"{left[severity]:,} {severity}" for severity in SEVERITIES if left[severity])
    number = left.total()
    return [f"{number:,} more {'fails' if number == 1 else 'fail'} ({told})"] if number else []


def _github(block: Block, kind: str, title: str) -> str:
    place = block.place
    values = {"title": f"{block.first.rule}: {title}" if title else block.first.rule}
    if place.written:
        lines = {"line": str(place.line), "endLine": str(place.end_line or place.line)} if place.line else {}
        values = {"file": place.file, **lines, **values}
    told = ",".join(f"{key}={_github_value(value)}" for key, value in values.items())
    return f"::{kind} {told}::{_github_text(_said(block))}"


def _azure(block: Block, kind: str, title: str) -> str:
    place = block.place
    values = {"type": kind}
    if place.written:
        values |= {"sourcepath": place.file, **({"linenumber": str(place.line)} if place.line else {})}
    return _azure_issue({**values, "code": block.first.rule}, _said(block))


def _azure_issue(values: dict[str, str], text: str) -> str:
    told = "".join(f"{key}={_azure_value(value)};" for key, value in values.items())
    return f"##vso[task.logissue {told}]{_azure_text(text)}"


def _said(block: Block) -> str:
    """What is wrong; with the id where no file says which resource it is."""
    return block.text if block.place.written else f"{block.text} ({block.first.subject.id})"


def _plain(text: str) -> str:
    shown = visible(text)
    return shown if len(shown) <= MOST_TEXT else f"{shown[: MOST_TEXT - 1]}…"


def _github_text(text: str) -> str:
    return _plain(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _github_value(text: str) -> str:
    return _github_text(text).replace(":", "%3A").replace(",", "%2C")


def _azure_text(text: str) -> str:
    return _plain(text).replace("%", "%AZP25").replace("\r", "%0D").replace("\n", "%0A")


def _azure_value(text: str) -> str:
    return _azure_text(text).replace(";", "%3B").replace("]", "%5D")

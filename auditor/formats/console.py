"""What a terminal shows at the end of a run: the sums, the failed rules, what was not read, one last line."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator

from auditor.report import STATES, Report, RuleResult, Tally, by_rule, last_line, tally_rows

WIDTH = 100
MAX_RULES = 15
MAX_GAPS = 8
_BAR = {"exported": "█", "partly": "▓", "missing": "·", "accepted": "-", "unassessed": "?"}
_WORDS = {"unassessed": "not assessed"}


def render(report: Report) -> str:
    """The summary as plain text, without colour, at most 100 columns; its last line counts everything."""
    tally = tally_rows(report.coverage)
    lines = [*_head(report), "", *_figures(report, tally), "", *_bar(tally), "", *_rules(report), *_gaps(report)]
    return "\n".join([*lines, last_line(report)]) + "\n"


def _head(report: Report) -> Iterator[str]:
    run = report.run
    when = report.generated_at.replace("T", " ").replace("Z", " UTC")
    yield f"{report.title}  {when}".rstrip()
    scope = f"{len(report.subscriptions)} subscriptions, {report.resource_count:,} resources"
    yield clean(f"{scope}, tenant {run.tenant}" if run.tenant else scope)


def _figures(report: Report, tally: Tally) -> Iterator[str]:
    note = f"    {tally.range} counting those not assessed" if tally.range else ""
    yield f"  Coverage      {tally.percent:>7}   {tally.exported:,} of {tally.assessed:,} assessed log sources{note}"
    unlisted = sum(unread.lists for unread in report.unread)
    more = f"; {unlisted} scope{'s' if unlisted > 1 else ''} not listed" if unlisted else ""
    yield f"  Not assessed  {tally.unassessed:>7,}   of {tally.expected:,} expected log sources{more}"
    done = report.completeness
    yield (
        f"  Reads         {done.planned:>7,}   {done.answered:,} answered, {done.not_supported:,} not supported, "
        f"{done.unknown:,} unknown"
    )


def _bar(tally: Tally) -> Iterator[str]:
    if not tally.expected:
        return
    width = 60
    shares = {state: getattr(tally, state) * width / tally.expected for state in STATES}
    cells = {state: int(share) for state, share in shares.items()}
    rest = sorted(STATES, key=lambda state: cells[state] - shares[state])
    for state in rest[: width - sum(cells.values())]:
        cells[state] += 1
    yield "  " + "".join(_BAR[state] * cells[state] for state in STATES)
    counts = ((state, getattr(tally, state)) for state in STATES)
    yield "  " + "   ".join(f"{_BAR[s]} {_WORDS.get(s, s)} {n:,}" for s, n in counts if n or s != "accepted")


def _rules(report: Report) -> Iterator[str]:
    failed = [result for result in by_rule(report) if result.failed]
    if not failed:
        yield "  No rule failed."
        yield ""
        return
    yield f"  {'Severity':<9} {'Rule':<36} {'Affected'}"
    for result in failed[:MAX_RULES]:
        yield _rule(result)
    if len(failed) > MAX_RULES:
        counts = Counter(result.info.severity for result in failed[MAX_RULES:])
        yield f"  {len(failed) - MAX_RULES} more rules: {', '.join(f'{n} {s}' for s, n in counts.items())}"
    yield ""


def _rule(result: RuleResult) -> str:
    unknown = f", {len(result.unknown)} unknown" if result.unknown else ""
    affected = f"{len(result.failed)} of {result.assessed}{unknown}"
    line = f"  {result.info.severity:<9} {result.info.id:<36} {affected}"
    return clean(line)[:WIDTH]


def _gaps(report: Report) -> Iterator[str]:
    if not report.unread:
        return
    groups: Counter[tuple[str, str]] = Counter()
    names = {s.id: s.name for s in report.subscriptions}
    for unread in report.unread:
        scope = names.get(unread.scope, unread.scope)
        groups[scope, unread.why.action or unread.why.reason] += 1
    yield "  Not assessed: could not be read"
    for (scope, why), count in sorted(groups.items(), key=lambda item: (-item[1], item[0]))[:MAX_GAPS]:
        reads = "read " if count == 1 else "reads"
        yield clean(f"  {scope[:24]:<24} {count:>4} {reads}  {why}")[:WIDTH]
    if len(groups) > MAX_GAPS:
        yield f"  and {len(groups) - MAX_GAPS} more reasons"
    yield "  The report has the command that would grant each (-f markdown or html, section 3)."
    yield ""


def clean(text: str) -> str:
    """Text of someone else's making, with control and direction characters made harmless for a terminal."""
    return "".join("\ufffd" if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") else c for c in text)

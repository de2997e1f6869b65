"""What a terminal shows at the end of a run: the sums, the failed rules, what was not read, one last line."""

from __future__ import annotations

import textwrap
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping

from auditor.formats.frameworks import changes_of, named
from auditor.formats.gaps import ELSEWHERE, Gap, gaps
from auditor.formats.safe import no_command
from auditor.formats.undecided import undecided
from auditor.formats.view import scope_names, tenant_name
from auditor.formats.words import (
    accepted_state,
    accepted_where,
    compared,
    count,
    gravest,
    not_enabled,
    part_of,
    scope,
    when,
)
from auditor.gate import counts
from auditor.report import STATES, Report
from auditor.sums import RuleResult, Tally, as_one, by_rule, last_line, tally_rows, without_settings

DEFAULT = "recommended"  # the profile that goes without saying
WIDTH = 80
MAX_RULES = 15
MAX_GAPS = 8
MAX_NAME = 40
_BAR = {"exported": "█", "partly": "▓", "missing": "·", "accepted": "-", "unassessed": "?"}
_WORDS = {"unassessed": "not assessed"}


def render(report: Report) -> str:
    """The summary as plain text, without colour, at most 80 columns but for its last line, which counts everything."""
    tally = tally_rows(report.coverage)
    figures = [*_head(report), "", *_figures(report, tally), "", *_bar(tally), ""]
    lines = [*figures, *_rules(report), *_strict(report), *_accepted(report), *_gaps(report)]
    return "\n".join([*lines, last_line(report)]) + "\n"


def _head(report: Report) -> Iterator[str]:
    run = report.run
    yield clean(f"{report.title}  {when(report.generated_at)}".rstrip())
    if run.tenant:
        yield clean(_cut(f"Tenant {tenant_name(report)}"))
    yield scope(report)
    odd = Counter(state for s in report.subscriptions if (state := not_enabled(s.state)))
    if odd:
        told = ", ".join(f"{number:,} {state}" for state, number in sorted(odd.items()))
        yield clean(_cut(f"{told} among the subscriptions"))
    part = part_of(run)
    if part:
        yield from textwrap.wrap(clean(part), WIDTH)
    if report.profile and (report.profile.name != DEFAULT or report.profile.changes):
        changes = changes_of(report.profile)
        yield clean(_cut(f"Profile {named(report.profile)}{'; ' + changes if changes else ''}"))


def _figures(report: Report, tally: Tally) -> Iterator[str]:
    yield f"  Coverage      {tally.percent:>7}   {tally.exported:,} of {tally.assessed:,} assessed log sources"
    if tally.range:
        yield f"{'':<24} {tally.range} counting those not assessed"
    unlisted = sum(unread.lists for unread in report.unread)
    more = f"; {count(unlisted, 'scope')} not listed" if unlisted else ""
    yield f"  Not assessed  {tally.unassessed:>7,}   of {tally.expected:,} expected log sources{more}"
    done = report.completeness
    if report.run.source != "azure":
        if done.unknown:
            yield f"  Not readable  {done.unknown:>7,}   of the parts of the input"
        return
    yield (
        f"  Reads         {done.planned:>7,}   {done.answered:,} answered, {done.not_supported:,} not supported, "
        f"{done.unknown:,} failed"
    )


def _bar(tally: Tally) -> Iterator[str]:
    if not tally.expected:
        return
    width = 60
    shares = {state: getattr(tally, state) * width / tally.expected for state in STATES}
    cells = {state: max(int(share), share > 0) for state, share in shares.items()}  # what there is shows
    while sum(cells.values()) > width:
        cells[max(STATES, key=lambda state: cells[state])] -= 1
    rest = sorted(STATES, key=lambda state: cells[state] - shares[state])
    for state in rest[: width - sum(cells.values())]:
        cells[state] += 1
    for state in STATES:  # what there is shows, however little it is
        if shares[state] and not cells[state]:
            cells[state] += 1
            cells[max(STATES, key=lambda other: cells[other])] -= 1
    yield "  " + "".join(_BAR[state] * cells[state] for state in STATES)
    counts = ((state, getattr(tally, state)) for state in STATES)
    yield "  " + "   ".join(f"{_BAR[s]} {_WORDS.get(s, s)} {n:,}" for s, n in counts if n or s != "accepted")


def _rules(report: Report) -> Iterator[str]:
    failed = [result for result in by_rule(report) if result.failed]
    alike = without_settings(report)
    if alike:
        yield from textwrap.wrap(f"{as_one(alike)}.", WIDTH, initial_indent="  ", subsequent_indent="  ")
        yield ""
        folded = {id(finding) for finding in alike}
        failed = [result for result in failed if not all(id(finding) in folded for finding in result.failed)]
        if not failed:
            return
    if not failed:
        yield "  No rule failed."
        yield ""
        return
    wide = min(MAX_NAME, max(len(result.info.id) for result in failed[:MAX_RULES]))
    yield f"  {'Severity':<9} {'Rule':<{wide}} {'Affected'}"
    for result in failed[:MAX_RULES]:
        yield _rule(result, wide)
    if len(failed) > MAX_RULES:
        counts = Counter(result.severity for result in failed[MAX_RULES:])
        more = ", ".join(f"{n} {severity}" for severity, n in counts.items())
        yield f"  {count(len(failed) - MAX_RULES, 'more rule')}: {more}"
    yield ""


def _strict(report: Report) -> Iterator[str]:
    """The rules whose unknown findings fail a strict gate: they fail it, and stay unknown."""
    if report.gate is None or not report.gate.unknown:
        return
    number = sum(report.gate.unknown.values())
    yield f"  Cannot be told, and fails the gate, which is strict: {count(number, 'finding')}"
    found = [(result, [f for f in result.unknown if counts(f, report.gate)]) for result in by_rule(report)]
    found = [(result, unknown) for result, unknown in found if unknown]
    for result, unknown in found[:MAX_RULES]:
        start = f"  {result.severity:<9} {_middle(result.info.id, MAX_NAME)} {len(unknown):,}"
        why = unknown[0].why_unknown[0].reason if unknown[0].why_unknown else ""
        yield clean(_cut(f"{start}: {why}" if why else start))
    if len(found) > MAX_RULES:
        yield f"  {count(len(found) - MAX_RULES, 'more rule')}"
    yield ""


def _accepted(report: Report) -> Iterator[str]:
    if report.baseline is not None:
        yield clean(f"  {compared(report.baseline)}")
        yield ""
    odd = [info for info in report.acceptances if info.state != "in force"]
    for info in odd[:MAX_GAPS]:
        yield clean(_cut(f"  Acceptance of {_middle(info.rule, 32)} {accepted_state(info)}: {accepted_where(info)}"))
    if len(odd) > MAX_GAPS:
        yield f"  {count(len(odd) - MAX_GAPS, 'more acceptance')} expired or unused"
    if odd:
        yield ""


def _rule(result: RuleResult, wide: int) -> str:
    unknown = f", {len(result.unknown)} unknown" if result.unknown else ""
    start = (
        f"  {result.severity:<9} {_middle(result.info.id, wide):<{wide}} {len(result.failed):,} of {result.assessed:,}"
    )
    line = f"{start}{gravest(result)}{unknown}"
    return clean(line if len(line) <= WIDTH else _cut(start + unknown))  # no number is cut in two


def _gaps(report: Report) -> Iterator[str]:
    found = [*gaps(report, scope_names(report)), *undecided(report)]
    if not found:
        return
    yield f"  {'Not assessed':<28} {'Effect':<14}  To close it"
    for gap in found[:MAX_GAPS]:
        where, remedy = gap.where.removesuffix(ELSEWHERE), gap.remedy.removesuffix(f" on {gap.where}")
        yield clean(_cut(f"  {_middle(where, 28):<28} {_effect(gap):<14}  {remedy}"))
    if len(found) > MAX_GAPS:
        yield f"  {count(len(found) - MAX_GAPS, 'more reason')}"
    what = (
        "What was refused, and what grants it" if report.run.source == "azure" else "What it is, and of which resources"
    )
    yield f"  {what}: -f html or markdown, section 3"
    yield ""


def _effect(gap: Gap) -> str:
    if gap.unlisted_scope:
        return "not listed"
    if gap.sources:
        return count(gap.sources, "log source")
    return count(gap.findings, "finding") if gap.findings else "-"


def _cut(line: str) -> str:
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…"


def _middle(name: str, most: int) -> str:
    """A name with its middle left out: the ends of names tell them apart."""
    if len(name) <= most:
        return name
    return f"{name[: most // 2]}…{name[len(name) - (most - most // 2 - 1) :]}"


# What stands for our own characters where the terminal has none of them.
_PLAIN = str.maketrans({"█": "#", "▓": "+", "·": ".", "–": "-", "…": "~", "’": "'", "“": '"', "”": '"'})


def fitted(text: str, encoding: str | None, environ: Mapping[str, str]) -> str:
    """The summary as a terminal can show it: in ASCII for a dumb one, or one whose encoding lacks our characters."""
    encoding = encoding or "ascii"
    try:
        text.encode(encoding)
        able = environ.get("TERM") != "dumb"
    except (UnicodeEncodeError, LookupError):
        able = False
    return text if able else text.translate(_PLAIN).encode("ascii", "replace").decode()


def clean(text: str) -> str:
    """Text of someone else's making, harmless for a terminal and for the pipeline whose log it is in."""
    shown = "".join("\ufffd" if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") else c for c in text)
    return no_command(shown)

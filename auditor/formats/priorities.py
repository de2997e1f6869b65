"""What would help most: the rules whose fixing gains most log sources, computed from the findings alone."""

from __future__ import annotations

import msgspec

from auditor.documents import normal_id
from auditor.report import Report, RuleResult, Tally, percent

MOST = 5

Source = tuple[str, str]  # normal id of a resource, category in lower case


class Priority(msgspec.Struct, frozen=True, kw_only=True):
    """One rule to fix next, and the log sources that gains beyond the ones listed before it."""

    result: RuleResult
    gained: int


class Priorities(msgspec.Struct, frozen=True, kw_only=True):
    """Rules to fix, best first, and the coverage of assessed sources once all of them are met."""

    rules: list[Priority]
    after: str  # `64%`; empty where nothing would be gained


def priorities(report: Report, results: list[RuleResult], total: Tally) -> Priorities:
    """The rules to fix first: each next one is that which gains most sources not gained already."""
    gains = _gains(report, results)
    gained: set[Source] = set()
    chosen: list[Priority] = []
    while gains and len(chosen) < MOST:
        best = max(gains, key=lambda index: (len(gains[index] - gained), -index))  # results come gravest first
        new = gains.pop(best) - gained
        if not new:
            break
        gained |= new
        chosen.append(Priority(result=results[best], gained=len(new)))
    after = percent((total.exported + len(gained)) / total.assessed) if gained and total.assessed else ""
    return Priorities(rules=chosen, after=after)


def _gains(report: Report, results: list[RuleResult]) -> dict[int, set[Source]]:
    """By place in `results`: the sources that are not exported and that a rule's failures speak of.

    A failure speaks of the categories that its evidence names as missing; one that names none, such as a retention
    that is too short, gains no source, however much it matters.
    """
    lacking: dict[str, set[Source]] = {}
    for row in report.coverage:
        place = normal_id(row.id)
        for cell in row.cells:
            if cell.state in ("missing", "partly"):
                lacking.setdefault(place, set()).add((place, cell.category.casefold()))
    gains: dict[int, set[Source]] = {}
    for index, result in enumerate(results):
        found: set[Source] = set()
        for finding in result.failed:
            place = normal_id(finding.subject.id)
            named = finding.evidence.get("missing")
            if isinstance(named, list):
                wanted = {(place, str(category).casefold()) for category in named}
                found |= wanted & lacking.get(place, set())
        if found:
            gains[index] = found
    return gains

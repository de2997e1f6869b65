"""What would help most: the rules to fix first, gravest first, and the log sources that fixing them gains."""

from __future__ import annotations

import msgspec

from auditor.documents import ENTRA, INTUNE, SUBSCRIPTION, normal_id
from auditor.report import SEVERITIES, Report
from auditor.sums import RuleResult, Tally, percent

MOST = 7
GRAVE = ("critical", "high")

Source = tuple[str, str]  # normal id of a resource, category in lower case

# One setting there records what is done in everything below.
_WHOLE = frozenset({ENTRA.lower(), INTUNE.lower(), SUBSCRIPTION.lower(), "microsoft.management/managementgroups"})


class Priority(msgspec.Struct, frozen=True, kw_only=True):
    """One rule to fix next, and the log sources that gains beyond the ones listed before it."""

    result: RuleResult
    gained: int  # 0 for a rule such as one about retention, which gains no source


class Priorities(msgspec.Struct, frozen=True, kw_only=True):
    """Rules to fix, first things first, and the coverage of assessed sources once all of them are met."""

    rules: list[Priority]
    after: str  # `64%`; empty where nothing would be gained
    grave_left: int  # critical and high rules that fail and are not listed


def priorities(report: Report, results: list[RuleResult], total: Tally) -> Priorities:
    """The rules to fix first: by severity, then tenant and subscriptions, then sources gained, then failures.

    A rule all of whose sources are gained by those before it is left out: nothing remains to be done for it.
    """
    gains = _gains(report, results)
    left = {index for index, result in enumerate(results) if result.failed}
    gained: set[Source] = set()
    chosen: list[Priority] = []

    def urgency(index: int) -> tuple[int, bool, int, int, int]:
        result = results[index]
        return (
            SEVERITIES.index(result.severity),
            result.info.resource.lower() not in _WHOLE,
            -len(gains.get(index, set()) - gained),
            -result.count("fail"),
            index,
        )

    while left and len(chosen) < MOST:
        best = min(left, key=urgency)
        left.remove(best)
        new = gains.get(best, set()) - gained
        if not new and best in gains:
            continue
        gained |= new
        chosen.append(Priority(result=results[best], gained=len(new)))
    after = percent((total.exported + len(gained)) / total.assessed) if gained and total.assessed else ""
    grave = sum(bool(result.failed) and result.severity in GRAVE for result in results)
    listed = sum(item.result.severity in GRAVE for item in chosen)
    return Priorities(rules=chosen, after=after, grave_left=grave - listed)


_NAMING_ONE = {"facts.flow_coverage": "flowlog"}  # a fact that speaks of one log source


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
            for key, named in finding.evidence.items():
                if key in _NAMING_ONE:
                    found |= {(place, _NAMING_ONE[key])} & lacking.get(place, set())
                elif key.endswith("missing") and isinstance(named, list):  # `missing`, `facts.audit_missing`
                    found |= {(place, str(category).casefold()) for category in named} & lacking.get(place, set())
        if found:
            gains[index] = found
    return gains

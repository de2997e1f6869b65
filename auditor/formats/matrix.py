"""The coverage matrix summed up: by subscription, and by log category of each resource type."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec

from auditor.report import STATES, Report
from auditor.sums import Tally, tally_rows

NOT_LISTED = "not listed"  # a destination that the report says nothing of


class CategorySum(msgspec.Struct, frozen=True, kw_only=True):
    """One log category of one resource type: its log sources by state, by kind of destination and by time kept.

    A source that goes to two kinds of places counts for both.
    """

    type: str
    category: str
    tally: Tally
    kinds: dict[str, int]
    kept: dict[str, int]


def categories(report: Report) -> list[CategorySum]:
    """Every log category that is expected of any resource, by type and name."""
    kind_of = {place.id.lower(): place.kind for place in report.destinations}
    states: dict[tuple[str, str], Counter[str]] = {}
    kinds: dict[tuple[str, str], Counter[str]] = {}
    kept: dict[tuple[str, str], Counter[str]] = {}
    for row in report.coverage:
        for cell in row.cells:
            key = (row.type, cell.category)
            states.setdefault(key, Counter())[cell.state] += 1
            for kind in sorted({kind_of.get(place.lower(), NOT_LISTED) for place in cell.destinations}):
                kinds.setdefault(key, Counter())[kind] += 1
            if cell.kept:
                kept.setdefault(key, Counter())[cell.kept] += 1
    return [
        CategorySum(
            type=key[0],
            category=key[1],
            tally=Tally(**{state: states[key][state] for state in STATES}),
            kinds=dict(sorted(kinds.get(key, Counter[str]()).items())),
            kept=dict(sorted(kept.get(key, Counter[str]()).items())),
        )
        for key in sorted(states, key=lambda key: (key[0].lower(), key[1].lower(), key))
    ]


def by_category(report: Report) -> list[dict[str, Any]]:
    """The same as JSON tells it, one flat record each."""
    return [
        {"type": one.type, "category": one.category, **_states(one.tally), "goes_to": one.kinds, "kept": one.kept}
        for one in categories(report)
    ]


def by_subscription(report: Report) -> list[dict[str, Any]]:
    """Log sources by state of every subscription, and first of what is in none (the tenant)."""
    names = {subscription.id.lower(): subscription.name for subscription in report.subscriptions}
    rows: dict[str, list[Any]] = {key: [] for key in names}
    for row in report.coverage:
        rows.setdefault(row.subscription.lower(), []).append(row)
    return [
        {"id": key, "name": names.get(key, ""), "resources": len(rows[key]), **_states(tally_rows(rows[key]))}
        for key in sorted(rows)
    ]


def _states(tally: Tally) -> dict[str, Any]:
    states: dict[str, int] = {state: getattr(tally, state) for state in STATES}
    return {"expected": tally.expected, **states, "percent": tally.percent}

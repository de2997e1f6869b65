"""What the readable reports show, computed once, so that every table and every format agrees.

Figures follow one definition: a log source is one resource and one log category expected of it, and each is in one of
the states of `auditor.report.Tally`.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable

import msgspec

from auditor.coverage import EVIDENCE_CLASSES
from auditor.documents import ENTRA, NO_SUBSCRIPTION, normal_id
from auditor.formats.affected import Affected, affected
from auditor.formats.blindspots import BlindSpot, blind_spots
from auditor.formats.frameworks import outcome
from auditor.formats.gaps import CODE, NOT_TOLD, TENANT, Gap, gaps, unexplained
from auditor.formats.matrix import CategorySum
from auditor.formats.matrix import categories as category_sums
from auditor.formats.priorities import Priorities, priorities
from auditor.formats.undecided import NOT_KNOWN, undecided
from auditor.formats.words import (
    DESTINATION_KINDS,
    count,
    listing,
    not_enabled,
    shares,
    state_of,
    type_label,
    type_order,
)
from auditor.report import SEVERITIES, STATES, Cell, DestinationInfo, Report, Row, State
from auditor.sums import (
    RuleResult,
    Tally,
    as_one,
    by_rule,
    count_findings,
    percent,
    tally,
    tally_rows,
    without_settings,
)

MOST_FINDINGS = 5000  # up to so many, all are shown; above, the first `rows` of each rule
MOST_RESOURCES = 5000
MOST_GAPS = 2  # in the summary
MOST_MISSING = 3
OTHER = "other"  # evidence class of a source that names none


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """The tenant or one subscription with its log sources."""

    id: str
    name: str
    tally: Tally
    listed: bool = True  # False: what it holds is not known
    state: str = ""  # of a subscription that is not enabled: `disabled`, `past due` …


class TypeRow(msgspec.Struct, frozen=True, kw_only=True):
    """One resource type: its log sources by evidence class and by category."""

    type: str
    label: str
    anchor: str
    resources: int
    total: Tally
    classes: dict[str, Tally]
    categories: list[tuple[str, Tally]]
    goes_to: dict[str, str]  # category → kinds of places, with how many sources go there
    kept: dict[str, str]  # category → for how long, with how many sources


class ResourceRow(msgspec.Struct, frozen=True, kw_only=True):
    """One resource of the appendix."""

    row: Row
    anchor: str
    label: str
    scope: str
    tally: Tally
    state: State
    word: str


class View(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the HTML and Markdown reports show, in their order."""

    report: Report
    total: Tally
    states: list[State]  # `accepted` only when something is
    answer: str  # Yes, Partly, No or Unknown
    sentences: list[str]  # why
    unset: str  # what fails since a whole input sets no log, told as one; empty where it sets any
    unset_rules: frozenset[str]  # the rules that fail for nothing else
    low: str  # coverage if every unassessed source were missing
    high: str
    unassessed_share: str
    readable: str  # percent of planned reads that were answered, as in the last line of a run
    counts: dict[str, int]  # findings by status, failed ones by severity
    results: list[RuleResult]
    outcomes: dict[str, int]  # rules by outcome
    rule_outcomes: dict[str, str]  # rule id → what it says for its controls
    priorities: Priorities
    scopes: list[Scope]
    unlisted: list[str]  # names of scopes whose resources are not known
    blind_spots: list[BlindSpot]
    blind_of: dict[str, list[str]]  # rule id → ids of its blind spots
    attack_versions: list[str]
    gaps: list[Gap]
    best_gaps: list[Gap]  # those whose closing opens most
    unexplained: int  # sources not assessed for no reason of the gaps
    classes: dict[str, str]  # columns of the coverage map
    types: list[TypeRow]
    most_missing: list[TypeRow]  # types that lack most log sources
    affected: list[Affected]  # rules with a failed or unknown finding
    severities: dict[str, int]  # of those rules
    accepted: list[tuple[ResourceRow, list[str]]]
    resources: list[ResourceRow]
    resources_left_out: int
    destinations: list[DestinationInfo]
    scope_names: dict[str, str]
    tenant: str  # with its name, where that was read
    managed: bool  # something lies in a resource group that a service made for itself


def build_view(report: Report, rows: int = 200) -> View:
    """The view of a report; above `MOST_FINDINGS`, `rows` findings of each rule are shown."""
    results = by_rule(report)
    total = tally_rows(report.coverage)
    names = scope_names(report)
    found_gaps = [*gaps(report, names), *undecided(report)]
    hidden = {gap.scope: gap.where for gap in found_gaps if gap.unlisted_scope}
    unlisted = sorted(hidden.values(), key=str.lower)
    spots = blind_spots(results, unlisted)
    counts = count_findings(report)
    outcomes = Counter(result.outcome for result in results)
    resources = _resources(report, names)
    types = _types(report)
    everything = counts["fail"] + counts["unknown"] <= MOST_FINDINGS
    blind_of: dict[str, list[str]] = {}
    for spot in spots:
        for rule in spot.rules:
            blind_of.setdefault(rule, []).append(spot.id)
    answer, sentences = _answer(total, counts, spots, results, unlisted)
    open_results = [result for result in results if result.outcome in ("failed", "unknown")]
    severities = Counter(result.severity for result in open_results)
    share = report.completeness.share * 100
    alike = without_settings(report)
    folded = {id(finding) for finding in alike}
    unset_rules = {r.info.id for r in results if r.failed and all(id(finding) in folded for finding in r.failed)}
    return View(
        report=report,
        total=total,
        states=[state for state in STATES if state != "accepted" or total.accepted],
        answer=answer,
        sentences=sentences,
        unset=as_one(alike) if alike else "",
        unset_rules=frozenset(unset_rules),
        low=percent(total.low),
        high=percent(total.high),
        unassessed_share=percent(total.unassessed / total.expected) if total.expected else "0%",
        readable="100" if share >= 100 else f"{min(share, 99.9):.1f}",
        counts=counts,
        results=results,
        outcomes={key: outcomes[key] for key in ("failed", "unknown", "accepted", "passed", "not applicable")},
        rule_outcomes={result.info.id: outcome(result) for result in results} if report.frameworks else {},
        priorities=priorities(report, results, total),
        scopes=_scopes(report, names, hidden),
        unlisted=unlisted,
        blind_spots=spots,
        blind_of=blind_of,
        attack_versions=sorted({r.info.blind_to.attack_version for r in results if r.info.blind_to} - {""}),
        gaps=found_gaps,
        best_gaps=[gap for gap in found_gaps if _can_be_closed(gap)][:MOST_GAPS],
        unexplained=unexplained(report) if report.run.source == "azure" else 0,
        classes=_classes(report.coverage),
        types=types,
        most_missing=sorted((t for t in types if t.total.missing), key=lambda t: -t.total.missing)[:MOST_MISSING],
        affected=[
            affected(result, names, None if everything else rows, evidence=counts["fail"] <= 1000)
            for result in sorted(
                open_results, key=lambda r: (r.outcome != "failed", r.info.id in unset_rules)
            )  # stable
        ],
        severities={name: severities[name] for name in SEVERITIES if severities[name]},
        accepted=[
            (resource, [cell.category for cell in resource.row.cells if cell.state == "accepted"])
            for resource in resources
            if resource.tally.accepted
        ],
        resources=resources[:MOST_RESOURCES],
        resources_left_out=max(0, len(resources) - MOST_RESOURCES),
        destinations=sorted(report.destinations, key=lambda d: (-d.sources, d.name.lower(), d.id)),
        scope_names=names,
        tenant=tenant_name(report),
        managed=any(row.managed_by for row in report.coverage) or any(f.subject.managed_by for f in report.findings),
    )


# --- the answer -----------------------------------------------------------------------------------------------------


def _answer(
    total: Tally, counts: dict[str, int], spots: list[BlindSpot], results: list[RuleResult], unlisted: list[str]
) -> tuple[str, list[str]]:
    """Could an attack be reconstructed? One word, and the sentences that bear it out."""
    open_ends = bool(total.unassessed or counts["unknown"] or unlisted)
    if not total.assessed or (not total.exported and total.unassessed > total.assessed):
        word = "Unknown"
    elif not total.exported:
        word = "No"
    elif total.exported < total.assessed or counts["fail"]:
        word = "Partly"
    else:
        word = "Unknown" if open_ends else "Yes"
    if total.assessed:
        sentences = [
            f"{total.exported:,} of the {count(total.assessed, 'log source')} that could be assessed "
            f"{'is' if total.exported == 1 else 'are'} exported to a destination that exists."
        ]
    else:
        sentences = ["No log source could be assessed."]
    unanswered = [question for spot in spots if spot.answer == "No" and spot.rules for question in spot.questions]
    if unanswered:
        sentences.append(
            f"{count(len(unanswered), 'question')} of an investigation would go without any answer"
            f"{', first of all' if len(unanswered) > 1 else ''}: “{unanswered[0]}”"
        )
    failed = [result for result in results if result.failed]
    if failed:
        among = Counter(result.severity for result in failed)
        grave = [f"{among[s]:,} {s}" for s in ("critical", "high") if among[s]]
        sentences.append(
            f"{len(failed):,} of {count(len(results), 'rule')} {'fails' if len(failed) == 1 else 'fail'}"
            f"{f', {listing(grave)} among them' if grave else ''}."
        )
    if total.unassessed:
        sentences.append(
            f"{count(total.unassessed, 'log source')} could not be assessed: "
            f"{'it counts' if total.unassessed == 1 else 'they count'} neither as exported nor as missing."
        )
    if unlisted:
        sentences.append(f"Nothing is known of the resources of {listing(unlisted)}, which could not be listed.")
    if word == "Yes":
        sentences.append("Every rule that applies is met.")
    return word, sentences


# --- groupings ------------------------------------------------------------------------------------------------------


def scope_names(report: Report) -> dict[str, str]:
    """Subscription id in lower case → display name, with the id's start where two share one; the tenant likewise."""
    shared = Counter(subscription.name for subscription in report.subscriptions)
    names = {
        s.id.lower(): (f"{s.name} ({s.id[:8]})" if shared[s.name] > 1 else s.name) or s.id for s in report.subscriptions
    }
    names |= {made: NOT_TOLD if place == "." else f"{NOT_TOLD}: {place}" for made, place in report.run.places.items()}
    if report.run.source != "azure":
        names.setdefault(NO_SUBSCRIPTION, NOT_TOLD)
    whole = TENANT if report.run.source == "azure" else CODE
    return names | {key: whole for key in ("", "tenant", report.run.tenant.lower()) if key not in names}


def tenant_name(report: Report) -> str:
    """The tenant as people call it, `contoso.com (5cd90244-…)`, where its name was read; else its id."""
    tenant = report.run.tenant
    named = (row.name for row in report.coverage if row.type.lower() == ENTRA.lower())
    judged = (f.subject.name for f in report.findings if f.subject.type.lower() == ENTRA.lower())
    name = next((name for name in (*named, *judged) if name and name.lower() != tenant.lower()), "")
    return f"{name} ({tenant})" if name and tenant else tenant or name


def _scopes(report: Report, names: dict[str, str], hidden: dict[str, str]) -> list[Scope]:
    """The tenant, every subscription by tenant and name, and last the scopes that could not be listed."""
    known = {subscription.id.lower(): subscription for subscription in report.subscriptions}
    home = report.run.tenant.lower()

    def tenant(key: str) -> str:
        """The customer's id for a subscription seen through Azure Lighthouse; the own tenant comes first."""
        of = known[key].tenant if key in known else ""
        return "" if of == home else of

    cells: dict[str, list[Cell]] = {key: [] for key in [*(s.id.lower() for s in report.subscriptions), *hidden]}
    for row in report.coverage:
        cells.setdefault(row.subscription.lower(), []).extend(row.cells)
    scopes = [
        Scope(
            id=key,
            name=names.get(key) or hidden.get(key) or key,
            tally=tally(members),
            listed=key not in hidden,
            state=not_enabled(known[key].state) if key in known else "",
        )
        for key, members in cells.items()
    ]
    return sorted(scopes, key=lambda s: (s.id != "", not s.listed, tenant(s.id), s.name.lower(), s.id))


def _can_be_closed(gap: Gap) -> bool:
    return gap.remedy != NOT_KNOWN and bool(gap.unlisted_scope or gap.sources or gap.findings)


def _classes(rows: Iterable[Row]) -> dict[str, str]:
    """The columns of the map: the known classes of which a log is expected, and one more if a source fits none."""
    used = {cell.evidence_class for row in rows for cell in row.cells}
    return {key: name for key, name in EVIDENCE_CLASSES.items() if key in used} | (
        {OTHER: "Other"} if used - set(EVIDENCE_CLASSES) else {}
    )


def _types(report: Report) -> list[TypeRow]:
    grouped: dict[str, list[Row]] = {}
    for row in report.coverage:
        grouped.setdefault(row.type.lower(), []).append(row)
    sums: dict[str, list[CategorySum]] = {}
    for one in category_sums(report):
        sums.setdefault(one.type.lower(), []).append(one)
    return [_type_row(key, grouped[key], sums.get(key, [])) for key in sorted(grouped, key=type_order)]


def _type_row(key: str, rows: list[Row], sums: list[CategorySum]) -> TypeRow:
    classes: dict[str, list[Cell]] = {}
    categories: dict[str, list[Cell]] = {}
    for row in rows:
        for cell in row.cells:
            known = cell.evidence_class if cell.evidence_class in EVIDENCE_CLASSES else OTHER
            classes.setdefault(known, []).append(cell)
            categories.setdefault(cell.category, []).append(cell)
    return TypeRow(
        type=rows[0].type,
        label=type_label(rows[0].type),
        anchor=anchor("c", key),
        resources=len(rows),
        total=tally_rows(rows),
        classes={name: tally(cells) for name, cells in classes.items()},
        categories=[(name, tally(categories[name])) for name in sorted(categories, key=lambda c: (c.lower(), c))],
        goes_to={one.category: shares(one.kinds, DESTINATION_KINDS) for one in sums},
        kept={one.category: shares(one.kept) for one in sums},
    )


def _resources(report: Report, names: dict[str, str]) -> list[ResourceRow]:
    labels = {row.type: (type_order(row.type), type_label(row.type)) for row in report.coverage}
    found = []
    for row in report.coverage:
        counted = tally(row.cells)
        state, word = state_of(counted)
        found.append(
            ResourceRow(
                row=row,
                anchor=anchor("r", normal_id(row.id)),
                label=labels[row.type][1],
                scope=names.get(row.subscription.lower(), row.subscription),
                tally=counted,
                state=state,
                word=word,
            )
        )
    return sorted(found, key=lambda r: (r.scope.lower(), labels[r.row.type][0], r.row.name.lower(), r.row.id))


def anchor(kind: str, text: str) -> str:
    """A short id for the address of a row, the same in every report."""
    return f"{kind}-{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:8]}"

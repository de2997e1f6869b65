"""Report × profile → the framework view: each control, with the worst that its rules say of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from auditor.documents import ENTRA, SUBSCRIPTION
from auditor.profile import Choice, ControlFile, Profile, read_profile
from auditor.report import ControlInfo, ControlStatus, FrameworkInfo, ProfileInfo, Report
from auditor.rule import Rule
from auditor.sums import RuleResult, by_rule

NO_RULE = "no rule maps to it"
PART = "only of the part of the estate that was judged"
_LISTED_APART = frozenset({ENTRA.lower(), SUBSCRIPTION.lower()})  # judged even where nothing could be listed


def with_controls(report: Report, choice: Choice) -> Report:
    """The report with the profile it was judged by, and what it says of the controls of frameworks."""
    profile = choice.profile
    info = ProfileInfo(name=profile.name, title=profile.title, extends=profile.extends, changes=choice.changes)
    shown = [profile] if profile.framework else []
    shown += [read_profile(name) for name in profile.show if name not in (profile.name, *profile.extends)]
    results = {result.info.id: result for result in by_rule(report)}
    unlisted = sum(unread.lists for unread in report.unread)
    part = bool(report.run.focus) or report.run.source != "azure"  # a plan is not the whole estate
    frameworks = [
        FrameworkInfo(
            name=one.framework,
            profile=one.name,
            title=one.title,
            about=one.about.strip(),
            controls=list(_controls(one, choice, results, unlisted, part=part)),
        )
        for one in shown
    ]
    return msgspec.structs.replace(report, profile=info, frameworks=frameworks)


def rules_by_control(framework: str, rules: Sequence[Rule]) -> dict[str, list[Rule]]:
    """Which rules name which control of a framework."""
    found: dict[str, list[Rule]] = {}
    for rule in rules:
        for control in rule.info.frameworks.get(framework, []):
            found.setdefault(control, []).append(rule)
    return found


def _controls(
    profile: Profile, choice: Choice, results: Mapping[str, RuleResult], unlisted: int, part: bool
) -> Iterator[ControlInfo]:
    """The profile's controls in its order, then those that only rules name."""
    named = rules_by_control(profile.framework, choice.known)
    mine = profile.name in (choice.profile.name, *choice.profile.extends)
    written = profile.controls
    for key in [*written, *sorted(set(named) - set(written))]:
        control = written.get(key) or ControlFile(title="")
        rules = named.get(key, [])
        # An optional rule asks what others ask already, only more to the letter: left out, nothing is missing.
        rules = [rule for rule in rules if rule.id in results or not rule.optional] or rules
        others = (
            [] if mine else [rule for rule in rules if rule.id in results and _other_limits(profile, rule, results)]
        )
        status, because = _status([rule for rule in rules if rule not in others], results, unlisted)
        if others and status != "fail":
            told = ", ".join(sorted(rule.id for rule in others))
            status, because = "not-judged", f"judged with other limits than {profile.name} sets: {told}"
        if part and status in ("pass", "not-applicable"):
            because = PART
        yield ControlInfo(
            id=key,
            title=control.title,
            status=status,
            because=(control.not_covered.strip() or NO_RULE) if status == "not-covered" else because,
            note=control.note.strip(),
            rules=sorted(rule.id for rule in rules if rule.id in results),
        )


def _other_limits(profile: Profile, rule: Rule, results: Mapping[str, RuleResult]) -> bool:
    """Whether a rule was judged with other numbers, such as days, than this profile asks for."""
    wanted = dict(rule.info.params)
    for step in profile.steps:
        wanted |= step.written.rules.params.get(rule.id, {})
    used = results[rule.id].info.params
    return any(isinstance(value, int | float) and used.get(name) != value for name, value in wanted.items())


def _status(rules: Sequence[Rule], results: Mapping[str, RuleResult], unlisted: int) -> tuple[ControlStatus, str]:
    """The worst of a control's rules; it passes only if all were judged, wherever there could be subjects."""
    if not rules:
        return "not-covered", ""
    outcomes = {results[rule.id].outcome for rule in rules if rule.id in results}
    if "failed" in outcomes:
        return "fail", ""
    if "accepted" in outcomes:
        return "fail", "what fails is an accepted risk"
    if "unknown" in outcomes:
        return "unknown", ""
    left_out = sorted(rule.id for rule in rules if rule.id not in results)
    if left_out:
        return "not-judged", f"left out of this scan: {', '.join(left_out)}"
    if unlisted and any(not _LISTED_APART.issuperset(kind.lower() for kind in rule.resources) for rule in rules):
        return "unknown", f"{unlisted} {'scope' if unlisted == 1 else 'scopes'} could not be listed"
    return ("pass" if "passed" in outcomes else "not-applicable"), ""

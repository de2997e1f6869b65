"""The framework view in words: how many controls came out how, and what each rule of a control says."""

from __future__ import annotations

from collections import Counter
from typing import Final

from auditor.formats.words import count, setting
from auditor.report import CONTROL_STATUSES, ChangeInfo, ControlStatus, FrameworkInfo, ProfileInfo
from auditor.sums import RuleResult

CONTROL_WORDS: Final[dict[ControlStatus, str]] = {
    "fail": "Fails",
    "unknown": "Unknown",
    "not-judged": "Not judged",
    "pass": "Passes",
    "not-applicable": "Not applicable",
    "not-covered": "Not covered",
}


def by_status(framework: FrameworkInfo) -> dict[ControlStatus, int]:
    """How many controls have each status, in the order of statuses."""
    counts = Counter(control.status for control in framework.controls)
    return {status: counts[status] for status in CONTROL_STATUSES}


def in_short(framework: FrameworkInfo) -> str:
    """`12 fail, 1 unknown, 3 pass, 8 not covered`, without what none is."""
    said = {"fail": "fail", "pass": "pass", **{s: s.replace("-", " ") for s in CONTROL_STATUSES if "-" in s}}
    return ", ".join(f"{n} {said.get(status, status)}" for status, n in by_status(framework).items() if n) or "none"


def outcome(result: RuleResult) -> str:
    """`2 of 5 fail`, `1 unknown`, `passes`, `not applicable`: what a rule says for its controls."""
    if result.outcome == "failed":
        failed = result.count("fail")
        return f"{failed:,} of {result.assessed:,} {'fails' if failed == 1 else 'fail'}"
    if result.outcome == "unknown":
        return f"{result.count('unknown'):,} unknown"
    return "passes" if result.outcome == "passed" else result.outcome


def named(profile: ProfileInfo) -> str:
    """A profile with what it extends: `acme, which extends pci-4.0.1`."""
    return f"{profile.name}{''.join(f', which extends {name}' for name in profile.extends)}"


def changed(change: ChangeInfo) -> str:
    """`severity low instead of high`, `days = 913 instead of 365`."""
    if change.what == "severity":
        return f"severity {change.value} instead of {change.default}"
    return f"{change.what} = {setting(change.value) or 'none'} instead of {setting(change.default) or 'none'}"


def changes_of(profile: ProfileInfo) -> str:
    """`3 settings changed`, or empty."""
    return f"{count(len(profile.changes), 'setting')} changed" if profile.changes else ""

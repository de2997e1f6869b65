"""Which rules can be asked of a source: a plan is not the whole subscription, so what it lacks may be elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from auditor import documents as d
from auditor.rule import Alerts, AllOf, AnyOf, Exists, Logs, Match, Requirement, Rule

# What exists once in a subscription or tenant, and is seldom made by the plan that is judged.
_ONCE: Final = frozenset(
    kind.lower()
    for kind in (d.SUBSCRIPTION, d.MANAGEMENT_GROUP, d.TENANT, d.ENTRA, d.INTUNE, d.LOG_PROFILES, d.DELETED_VAULTS)
)


# Of these, what settings that a file makes tell truly, wherever others are made: they can only add to it.
_TOLD: Final = frozenset({"facts.exported", "facts.sent_twice"})


def applicable(rules: Sequence[Rule], source: str, declares: Collection[str] = ()) -> list[Rule]:
    """The rules that can be asked of this source (`Run.source`): all, where Azure itself was read.

    Of what exists once, only that of which a file makes settings (`Run.declares`) is asked about: those may pass, and
    what they lack is not known, since others may be made elsewhere.
    """
    once = {kind.lower() for kind in declares}
    return list(rules) if source == "azure" else [rule for rule in rules if not asks_elsewhere(rule, once)]


def asks_elsewhere(rule: Rule, declares: Collection[str] = ()) -> bool:
    """Whether a rule asks about a whole subscription or tenant, or that something exists anywhere in it."""
    if all(pattern.lower() in _ONCE for pattern in rule.resources):
        return not _told(rule.require, all(pattern.lower() in declares for pattern in rule.resources), declares)
    return _looks_around(rule.require)


def _told(require: Requirement, has_settings: bool, declares: Collection[str]) -> bool:
    """Whether the settings and alert rules of a file can meet a requirement."""
    if isinstance(require, AnyOf):
        return any(_told(part, has_settings, declares) for part in require.parts)
    if isinstance(require, AllOf):
        return all(_told(part, has_settings, declares) for part in require.parts)
    if isinstance(require, Alerts):
        return d.ACTIVITY_ALERTS.lower() in declares
    return has_settings and (isinstance(require, Logs) or (isinstance(require, Match) and require.paths <= _TOLD))


def _looks_around(require: Requirement) -> bool:
    if isinstance(require, AllOf | AnyOf):
        return any(_looks_around(part) for part in require.parts)
    return isinstance(require, Exists)

"""Which rules can be asked of a source: a plan is not the whole subscription, so what it lacks may be elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from auditor import documents as d
from auditor.rule import AllOf, AnyOf, Exists, Requirement, Rule

# What exists once in a subscription or tenant, and is seldom made by the plan that is judged.
_ONCE: Final = frozenset(
    kind.lower() for kind in (d.SUBSCRIPTION, d.MANAGEMENT_GROUP, d.TENANT, d.ENTRA, d.LOG_PROFILES, d.DELETED_VAULTS)
)


def applicable(rules: Sequence[Rule], source: str) -> list[Rule]:
    """The rules that can be asked of this source (`Run.source`): all, where Azure itself was read."""
    return list(rules) if source == "azure" else [rule for rule in rules if not asks_elsewhere(rule)]


def asks_elsewhere(rule: Rule) -> bool:
    """Whether a rule asks about a whole subscription or tenant, or that something exists anywhere in it."""
    return all(pattern.lower() in _ONCE for pattern in rule.resources) or _looks_around(rule.require)


def _looks_around(require: Requirement) -> bool:
    if isinstance(require, AllOf | AnyOf):
        return any(_looks_around(part) for part in require.parts)
    return isinstance(require, Exists)

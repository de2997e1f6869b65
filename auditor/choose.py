"""Which rules are meant by words: ids, globs, areas, severities."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches

from auditor.errors import RuleError
from auditor.report import SEVERITIES
from auditor.rule import Rule, area

FLAGS = "--select/--ignore"


def choose(
    rules: Sequence[Rule],
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    within: Collection[str] | None = None,
) -> list[Rule]:
    """Only the rules that meet one of `select` (all, if empty) and none of `ignore`.

    Words narrow `within`, the ids that a profile chose (without one: all rules that are not optional); only a rule
    that is named by its id is taken from outside. Raises `RuleError` for a word that meets no rule.
    """
    inside = {rule.id for rule in rules if not rule.optional} if within is None else set(within)
    keep: set[str] = set() if select else inside
    for word in select:
        hits = matching(rules, word)
        keep |= hits & (inside | {word.lower()})
        if not keep & hits:
            raise RuleError(FLAGS, None, f'the profile leaves out every rule that matches "{word}"',
                            "name a rule by its id, or choose another profile")  # fmt: skip
    for word in ignore:
        keep -= matching(rules, word)
    return [rule for rule in rules if rule.id in keep]


def matching(rules: Iterable[Rule], word: str) -> set[str]:
    """The ids of the rules that a word means: an id, a glob of ids or of `area/id`, or a severity."""
    pattern = re.compile(re.escape(word.lower()).replace(r"\*", ".*").replace(r"\?", "."))
    rules = list(rules)
    hits = {
        rule.id
        for rule in rules
        if pattern.fullmatch(rule.id)
        or pattern.fullmatch(f"{area(rule)}/{rule.id}".lower())
        or (word.lower() in SEVERITIES and rule.info.severity == word.lower())
    }
    if not hits:
        hint = near_ids(word, (rule.id for rule in rules)) or "auditor rules list"
        raise RuleError(FLAGS, None, f'no rule matches "{word}"', hint)
    return hits


def near_ids(word: str, ids: Iterable[str]) -> str:
    """The ids that were perhaps meant, as a hint; empty where none is near."""
    near = get_close_matches(word, list(ids), n=3, cutoff=0.4)
    return f"did you mean {', '.join(near)}?" if near else ""

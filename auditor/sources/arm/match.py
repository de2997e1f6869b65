"""On which of a template's resources is a setting: certainly, perhaps, or on nothing that is here?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from auditor.sources.arm.place import Id, key_of, kind_of
from auditor.sources.arm.values import Token, split

_UNIQUE = 13  # letters of a `uniqueString`


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """Something that settings can be on."""

    id: Id
    shown: str  # its id in its document
    conditions: frozenset[str] = frozenset()


class Candidates:
    """All that a template's settings can be on, by id."""

    def __init__(self, candidates: Iterable[Candidate]) -> None:
        self._by_key: dict[str, list[Candidate]] = {}
        self._by_kind: dict[str, list[Candidate]] = {}
        for one in candidates:
            self._by_key.setdefault(key_of(one.id), []).append(one)
            self._by_kind.setdefault(kind_of(one.id), []).append(one)

    def exactly(self, target: Id) -> list[Candidate]:
        """Those whose id comes to the same as this one."""
        return self._by_key.get(key_of(target), [])

    def perhaps(self, target: Id) -> list[Candidate]:
        """Those whose id may turn out to be this one."""
        return [one for one in self._by_kind.get(kind_of(target), []) if may_equal(one.id, target)]


def may_equal(first: Id, second: Id) -> bool:
    """Whether two ids may turn out to be the same once everything is known."""
    ours, theirs = split(first), split(second)
    if len(ours) != len(theirs):
        return False
    return all(_part_may_equal(a, b) for a, b in zip(ours, theirs, strict=True))


def _part_may_equal(first: Id, second: Id) -> bool:
    if isinstance(first, str) and isinstance(second, str):
        return first.lower() == second.lower()
    a, b = _atoms(first), _atoms(second)
    while a and b and a[0] == b[0]:
        a, b = a[1:], b[1:]
    while a and b and a[-1] == b[-1]:
        a, b = a[:-1], b[:-1]
    if not a or not b:
        return all(isinstance(one, Token) for one in [*a, *b])
    for at in (0, -1):
        if isinstance(a[at], str) and isinstance(b[at], str):
            return False
    return _fits(a, b) and _fits(b, a)


def _fits(of: Sequence[str | Token], text: Sequence[str | Token]) -> bool:
    """Whether a text is long enough for what has to be in it."""
    if any(isinstance(one, Token) for one in text):
        return True
    least = sum(1 if isinstance(one, str) else _UNIQUE if one.text.startswith("uniqueString(") else 0 for one in of)
    return len(text) >= least


def _atoms(value: Id) -> list[str | Token]:
    """Letters and tokens, so that equal ones compare equal."""
    if isinstance(value, str):
        return list(value.lower())
    found: list[str | Token] = []
    for part in value.parts:
        found += list(part.lower()) if isinstance(part, str) else [Token(part.key)]
    return found

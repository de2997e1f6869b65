"""What an expression of a template is worth: plain JSON, or text and other values that only the deployment knows.

What has no value before the deployment is a *token*: its own expression, spelled one way. Two expressions that come to
the same tokens are equal, whatever their value will be.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

_MOST_SHOWN: Final = 120
_MOST_NAMED: Final = 80
# What templates write for texts that are made of several parts.
_WRITTEN: Final = {
    ("/subscriptions/", "subscription().subscriptionId"): "subscription().id",
    ("/subscriptions/", "subscription().subscriptionId", "/resourceGroups/", "resourceGroup().name"): (
        "resourceGroup().id"
    ),
}


class Token(msgspec.Struct, frozen=True):
    """Something only the deployment knows. `text` is its expression; `folded` that of the same without regard to case.

    `options` are what it is one of, where a condition that is not known chooses. `nothing` tells whether it may be
    null; None: as its options do.
    """

    text: str
    folded: str = ""
    options: tuple[Any, ...] = ()
    nothing: bool | None = None

    def __hash__(self) -> int:
        return hash(self.text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Token) and other.text == self.text

    @property
    def key(self) -> str:
        """What it is compared by in an id, where case does not matter."""
        return (self.folded or self.text).lower()


class Sym(msgspec.Struct, frozen=True):
    """A value with tokens: one token alone may be anything; with more parts it is text."""

    parts: tuple[str | Token, ...]

    @property
    def only(self) -> Token | None:
        """The token that is the whole value."""
        return self.parts[0] if len(self.parts) == 1 and isinstance(self.parts[0], Token) else None

    @property
    def words(self) -> str:
        """The value as its reader would write it, without the outer brackets."""
        if self.only:
            return self.only.text
        known = _WRITTEN.get(tuple(part if isinstance(part, str) else part.text for part in self.parts))
        if known:
            return known
        return f"concat({', '.join(show(part) if isinstance(part, str) else part.text for part in self.parts)})"


Value = Any  # JSON, with Sym wherever something is not known


def token(text: str, *, folded: str = "", options: tuple[Any, ...] = (), nothing: bool | None = None) -> Sym:
    """The value of one expression that cannot be worked out."""
    if len(text) > 4 * _MOST_SHOWN:
        text = f"{text[: 2 * _MOST_SHOWN]}…{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    return Sym((Token(text, folded, options, nothing),))


def joined(values: Iterable[str | Sym]) -> str | Sym:
    """Texts one after the other."""
    parts: list[str | Token] = []
    for value in values:
        for part in (value,) if isinstance(value, str) else value.parts:
            if isinstance(part, str) and parts and isinstance(parts[-1], str):
                parts[-1] += part
            elif part != "":
                parts.append(part)
    if all(isinstance(part, str) for part in parts):
        return "".join(str(part) for part in parts)
    return Sym(tuple(parts))


def show(value: Value, depth: int = 0) -> str:
    """A value as it stands inside an expression, the same for equal values."""
    if isinstance(value, Sym):
        return value.words
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, bool):
        return "true()" if value else "false()"
    if value is None:
        return "null()"
    if isinstance(value, list):
        if depth > 20:
            return "createArray(…)"
        return f"createArray({', '.join(show(item, depth + 1) for item in value)})"
    if isinstance(value, Mapping):
        if depth > 20:
            return "createObject(…)"
        return f"createObject({', '.join(f'{show(k)}, {show(v, depth + 1)}' for k, v in value.items())})"
    return str(value)


def known(value: Value) -> bool:
    """Whether nothing in a value waits for the deployment."""
    if isinstance(value, Sym):
        return False
    if isinstance(value, Mapping):
        return all(map(known, value.values()))
    return all(map(known, value)) if isinstance(value, list) else True


def split(value: str | Sym, sign: str = "/") -> list[str | Sym]:
    """The parts of a text between a sign, which a token is taken not to hold."""
    if isinstance(value, str):
        return list(value.split(sign))
    pieces: list[list[str | Sym]] = [[]]
    for part in value.parts:
        if isinstance(part, Token):
            pieces[-1].append(Sym((part,)))
            continue
        first, *rest = part.split(sign)
        pieces[-1].append(first)
        pieces += [[one] for one in rest]
    return [joined(piece) for piece in pieces]


def tokens(value: Value) -> Iterator[Token]:
    """Every token in a value."""
    if isinstance(value, Sym):
        yield from (part for part in value.parts if isinstance(part, Token))
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from tokens(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from tokens(inner)


def may_be_nothing(value: Value) -> bool:
    """Whether it is told that a value may turn out to be null or empty."""
    if not isinstance(value, Sym):
        return value is None or value == ""
    only = value.only
    if only is None or only.nothing is not None:
        return only is not None and bool(only.nothing)
    return any(map(may_be_nothing, only.options))


def renamed(value: str | Sym, mark: str) -> str | Sym:
    """A text whose tokens are those of another template."""
    if isinstance(value, str):
        return value
    return Sym(tuple(part if isinstance(part, str) else Token(f"{mark}: {part.text}") for part in value.parts))


def shown(value: str | Sym) -> str:
    """A text for a reader: tokens between brackets."""
    if isinstance(value, str):
        return value
    return "".join(part if isinstance(part, str) else f"[{_short(part.text)}]" for part in value.parts)


def spelled(value: str | Sym) -> str:
    """A text as one part of an id: tokens between brackets, without slashes."""
    if isinstance(value, str):
        return value
    return "".join(
        part if isinstance(part, str) else f"[{_short(part.folded or part.text).replace('/', '%2F')}]"
        for part in value.parts
    )


def _short(text: str) -> str:
    if len(text) <= _MOST_SHOWN:
        return text
    return f"{text[:_MOST_NAMED]}…{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def words_of(value: Value) -> str:
    """What a value that is not known waits for, short enough for a reason."""
    told = value.words if isinstance(value, Sym) else json.dumps(value, default=str)
    return told if len(told) <= _MOST_SHOWN else f"{told[:_MOST_SHOWN]}…"


class Later(Exception):  # noqa: N818
    """Only the deployment can tell."""


def sure(value: Value) -> Value:
    """A value nothing of which waits. Raises `Later`."""
    if not known(value):
        raise Later
    return value


def here(value: Value) -> Value:
    """A value whose shape is known, whatever is in it."""
    if isinstance(value, Sym):
        raise Later
    return value


def member(of: Value, key: Value) -> Value:
    """`of.key` or `of[key]`; keys have no case. Raises `LookupError` where there is none."""
    of, key = here(of), here(key)
    if isinstance(of, Mapping):
        if key in of:
            return of[key]
        wanted = str(key).lower()
        return next(v for k, v in of.items() if k.lower() == wanted) if has(of, wanted) else _missing(key)
    if isinstance(of, list) and isinstance(key, int) and 0 <= key < len(of):
        return of[key]
    return _missing(key)


def _missing(key: object) -> Value:
    raise LookupError(key)


def has(of: Mapping[str, Any], key: str) -> bool:
    """Whether an object has a key, given in lower case."""
    return any(k.lower() == key for k in of)

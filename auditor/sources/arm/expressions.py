"""The template language: what an expression between `[` and `]` says, as a tree."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

import msgspec

MAX_LENGTH: Final = 200_000
MAX_DEPTH: Final = 100

_SIGN: Final = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d{1,30}(?:\.\d{1,30})?)|(?P<name>[A-Za-z_$][\w$]*)|(?P<sign>[().,\[\]?]))"
)


class Wrong(Exception):  # noqa: N818
    """An expression that is not one."""


class Literal(msgspec.Struct, frozen=True):
    """Text or a number."""

    value: Any


class Call(msgspec.Struct, frozen=True):
    """A function, with its name in lower case and its arguments."""

    name: str
    arguments: tuple[Node, ...]
    spelled: str


class Member(msgspec.Struct, frozen=True):
    """`of.key` or `of[key]`; `safe` where it may be missing (`.?key`)."""

    of: Node
    key: Node
    safe: bool = False


Node = Literal | Call | Member


def expression_of(text: str) -> str | None:
    """What is between the brackets of an expression; None for plain text."""
    if len(text) > 2 and text[0] == "[" and text[-1] == "]" and text[1] != "[":
        return text[1:-1]
    return None


def plain(text: str) -> str:
    """Plain text as it is meant: `[[x]` is `[x]`."""
    return text[1:] if text.startswith("[[") and text.endswith("]") else text


@lru_cache(maxsize=20_000)
def parse(text: str) -> Node:
    """The tree of an expression. Raises `Wrong`."""
    if len(text) > MAX_LENGTH:
        raise Wrong("it is too long")
    parser = _Parser(text)
    node = parser.expression(0)
    if parser.kind:
        raise Wrong(f'"{parser.sign}" is not expected')
    return node


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self.kind = ""
        self.sign = ""
        self._next()

    def _next(self) -> None:
        found = _SIGN.match(self._text, self._at)
        if found is None:
            if self._text[self._at :].strip():
                raise Wrong(f'"{self._text[self._at :].strip()[:1]}" is not expected')
            self.kind = self.sign = ""
            return
        self.kind = str(found.lastgroup)
        self.sign = found[self.kind]
        self._at = found.end()

    def _take(self, sign: str) -> None:
        if self.kind != "sign" or self.sign != sign:
            raise Wrong(f'"{sign}" is expected')
        self._next()

    def _is(self, sign: str) -> bool:
        return self.kind == "sign" and self.sign == sign

    def expression(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise Wrong("it is nested too deeply")
        node = self._first(depth)
        for _ in range(MAX_DEPTH):
            if self._is("."):
                self._next()
                safe = self._is("?")
                if safe:
                    self._next()
                if self.kind != "name":
                    raise Wrong("a name is expected")
                node = Member(node, Literal(self.sign), safe)
                self._next()
            elif self._is("["):
                self._next()
                safe = self._is("?")
                if safe:
                    self._next()
                node = Member(node, self.expression(depth + 1), safe)
                self._take("]")
            else:
                return node
        raise Wrong("it is nested too deeply")

    def _first(self, depth: int) -> Node:
        kind, sign = self.kind, self.sign
        if kind == "text":
            self._next()
            return Literal(sign[1:-1].replace("''", "'"))
        if kind == "number":
            self._next()
            return Literal(float(sign) if "." in sign else int(sign))
        if kind != "name":
            raise Wrong(f'"{sign}" is not expected' if sign else "it ends too early")
        self._next()
        while self._is("."):  # a function of somebody's own: `contoso.name()`
            self._next()
            if self.kind != "name":
                raise Wrong("a name is expected")
            sign = f"{sign}.{self.sign}"
            self._next()
        self._take("(")
        arguments: list[Node] = []
        while not self._is(")"):
            arguments.append(self.expression(depth + 1))
            if not self._is(","):
                break
            self._next()
        self._take(")")
        return Call(sign.lower(), tuple(arguments), sign)

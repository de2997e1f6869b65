"""How a name reads in its template, where what it comes to would be a long expression.

`st[uniqueString(resourceGroup().id)]` or `[variables('st')]`, whichever a reader finds sooner. Nothing is compared
by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from auditor.sources.arm.expressions import Call, Literal, Node, Wrong, expression_of, parse, plain
from auditor.sources.arm.values import Sym, show, shown

if TYPE_CHECKING:
    from auditor.sources.arm.evaluate import Env

MAX_NAME: Final = 80  # letters of what it comes to, from which it is told as it is written
_DEEP: Final = 12
_MOST: Final = 200
_HOLE: Final = re.compile(r"\{(\d{1,2})\}")


def written(raw: Any, env: Env) -> str:
    """A name as it is written, with what is known filled in."""
    return _Reader().text(raw, env, 0)


def last_part(name: str) -> str:
    """`secret` of `vault/secret`; in an expression a slash stays, in the way that ids hold it."""
    depth = start = 0
    for at, sign in enumerate(name):
        depth += (sign == "[") - (sign == "]")
        if sign == "/" and depth == 0:
            start = at + 1
    return name[start:].replace("/", "%2F")


def short(name: str) -> bool:
    """Whether a name can be read as it is."""
    return len(name) <= MAX_NAME


class _Reader:
    def __init__(self) -> None:
        self._left = _MOST

    def text(self, raw: Any, env: Env, depth: int) -> str:
        if not isinstance(raw, str):
            return show(raw)
        inner = expression_of(raw)
        if inner is None:
            return plain(raw)
        try:
            return self._node(parse(inner), env, depth)
        except Wrong:
            return raw

    def _node(self, node: Node, env: Env, depth: int) -> str:
        self._left -= 1
        value = env.node(node)
        if isinstance(value, str | int):
            return str(value)
        if isinstance(value, Sym) and short(shown(value)):
            return shown(value)
        if isinstance(node, Call) and depth < _DEEP and self._left > 0:
            found = self._inside(node, env, depth + 1)
            if found is not None and short(found):
                return found
        words = source(node)
        return f"[{words}]" if len(words) <= _MOST else f"[{words[:MAX_NAME]}…]"

    def _inside(self, node: Call, env: Env, depth: int) -> str | None:
        """What a call reads as if what it asks for is written in its place."""
        if node.name == "concat":
            return "".join(self._node(one, env, depth) for one in node.arguments)
        first = node.arguments[0].value if node.arguments and isinstance(node.arguments[0], Literal) else None
        if not isinstance(first, str):
            return None
        if node.name == "format":
            return "".join(self._filled(first, node.arguments[1:], env, depth))
        if node.name not in ("parameters", "variables") or env.own is not None:
            return None
        asked = env.frame.asked(node.name, first)
        return None if asked is None else self.text(asked[0], asked[1], depth)

    def _filled(self, pattern: str, given: tuple[Node, ...], env: Env, depth: int) -> Iterator[str]:
        at = 0
        for hole in _HOLE.finditer(pattern):
            yield pattern[at : hole.start()]
            at = hole.end()
            if int(hole[1]) < len(given):
                yield self._node(given[int(hole[1])], env, depth)
        yield pattern[at:]


def source(node: Node) -> str:
    """An expression as its template spells it."""
    if isinstance(node, Literal):
        return show(node.value)
    if isinstance(node, Call):
        return f"{node.spelled}({', '.join(map(source, node.arguments))})"
    mark = "?" if node.safe else ""
    if isinstance(node.key, Literal) and isinstance(node.key.value, str):
        return f"{source(node.of)}.{mark}{node.key.value}"
    return f"{source(node.of)}[{mark}{source(node.key)}]"

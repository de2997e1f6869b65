"""What the evaluator says of a block's values, less all that it only guessed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from auditor.sources.hcl.certain import Certainty, Doubt
from auditor.sources.hcl.code import Call
from auditor.sources.hcl.expression import UNTOLD, Expr
from auditor.sources.hcl.syntax import Block

UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
META: Final = "__tfmeta"
# What steers a block and is no value of the resource.
STEERS: Final = frozenset(
    {"count", "for_each", "provider", "providers", "depends_on", "lifecycle", "source", "version"}
)
_OWN: Final = frozenset({META, "id", *STEERS})
_DEEPEST: Final = 60
Substitute = Callable[[str], Any]


def open_value(word: str) -> dict[str, Any]:
    """The value of an expression in doubt."""
    if word.startswith("var."):
        told = {"code": f"unresolved-variable({word})", "grant": "--var-file with a value for it"}
        return {"$unknown": {"reason": f"depends on {word}, which has no value in the code", **told}}
    return {"$unknown": {"reason": f"depends on {word}, which the code does not tell", "code": f"unresolved({word})"}}


class Values:
    """The values of one block in one instance of its module."""

    def __init__(self, certainty: Certainty, call: Call, block: Block, substitute: Substitute) -> None:
        self._certainty = certainty
        self._call = call
        self._block = block
        self._substitute = substitute

    def told(self, told: Mapping[str, Any] | None) -> dict[str, Any]:
        """The values: as evaluated, or, without that, as far as they are written out."""
        return self._body(self._block, told, 0)

    def _body(self, block: Block, told: Mapping[str, Any] | None, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, expr in block.attributes.items():
            if key not in _OWN:
                value = self._value(expr, UNTOLD if told is None else told.get(key), depth)
                if value is not None:
                    found[key] = value
        for kind in dict.fromkeys(b.labels[0] if b.kind == "dynamic" and b.labels else b.kind for b in block.blocks):
            if kind not in _OWN:
                inner = self._blocks(block, kind, None if told is None else told.get(kind), told is None, depth + 1)
                if inner != []:
                    found[kind] = inner
        if not block.line and told is not None:  # JSON syntax does not tell blocks from objects
            found |= {
                key: [self._body(_unwritten(block), one, depth + 1) | _plain(one) for one in _listed(value)]
                for key, value in told.items()
                if key not in _OWN and _is_block(value)
            }
        return found

    def _blocks(self, block: Block, kind: str, told: Any, unevaluated: bool, depth: int) -> Any:
        """The blocks of one kind; one that is open among them where a `dynamic` may make more."""
        written = [inner for inner in block.blocks if inner.kind == kind]
        dynamic = [inner for inner in block.blocks if inner.kind == "dynamic" and inner.labels[:1] == (kind,)]
        evaluated = _listed(told)
        found: list[Any] = []
        if unevaluated or depth > _DEEPEST:
            found = [self._body(inner, None, depth) for inner in written]
            return [*found, open_value(f"dynamic {kind}")] if dynamic else found
        word = ""
        made = [(inner, content) for inner in dynamic for content in inner.blocks if content.kind == "content"]
        for one in evaluated:
            line = one.get(META, {}).get("line_start") if isinstance(one.get(META), Mapping) else None
            fixed = next((inner for inner in written if inner.line == line), None)
            source = fixed or next((c for i, c in made if i.line <= (line or 0) <= i.end), None)
            if source is None and (written or made):
                source = (written or [content for _, content in made])[0]
            found.append(self._body(source, one, depth) if source is not None else _plain(one))
        for inner in dynamic:
            doubt = self._certainty.of(inner.attributes.get("for_each"), self._call, self._block)
            if doubt.word or (doubt.resources and len(evaluated) <= len(written)):
                word = word or doubt.word or inner.attributes["for_each"].text
                found = [one for one, raw in zip(found, evaluated, strict=True) if not _between(raw, inner)]
                evaluated = [raw for raw in evaluated if not _between(raw, inner)]
        if len(evaluated) < len(written):  # what is written is there
            word = word or f"{kind} of {block.labels[-1] if block.labels else block.kind}"
        if not word:
            return found
        return [*found, open_value(word)] if found else open_value(word)

    def _value(self, expr: Expr, told: Any, depth: int) -> Any:
        if depth > _DEEPEST:
            return open_value(expr.text)
        literal = expr.literal
        if literal is not UNTOLD:
            return literal
        items = expr.items
        if items is not None:
            inner = told if isinstance(told, Mapping) else {}
            found = {k: self._value(e, inner.get(k, UNTOLD), depth + 1) for k, e in items.items()}
            return {key: value for key, value in found.items() if value is not None}
        members = expr.members
        if members is not None:
            same = isinstance(told, list) and len(told) == len(members)
            return [self._value(e, told[at] if same else UNTOLD, depth + 1) for at, e in enumerate(members)]
        encoded = expr.argument("jsonencode")
        if encoded is not None:
            return self._value(encoded, _decoded(told), depth + 1)
        return self._settled(expr, told)

    def _settled(self, expr: Expr, told: Any) -> Any:
        """The value of an expression that has to be computed, if it could be."""
        doubt = self._certainty.of(expr, self._call, self._block)
        if doubt.word or told is UNTOLD:
            return open_value(doubt.word or expr.text)
        if told is None or (isinstance(told, Mapping) and "__attribute__" in told):
            return open_value(expr.text) if doubt.resources else None
        return self._clean(told, expr, doubt)

    def _clean(self, told: Any, expr: Expr, doubt: Doubt) -> Any:
        """A computed value with ids put in their places; open where any part of it is missing."""
        if isinstance(told, str):
            return open_value(expr.text) if "${" in told or "%{" in told else self._substitute(told)
        if isinstance(told, Mapping):
            if "__attribute__" in told or (doubt.resources and any(value is None for value in told.values())):
                return open_value(expr.text)
            return {k: self._clean(v, expr, doubt) for k, v in told.items() if k != META and v is not None}
        if isinstance(told, list):
            if doubt.resources and any(value is None for value in told):
                return open_value(expr.text)
            return [self._clean(value, expr, doubt) for value in told]
        return told


def _unwritten(block: Block) -> Block:
    return Block(kind="", labels=(), file=block.file, line=0, end=0, attributes={}, blocks=())


def _is_block(value: Any) -> bool:
    return all(META in one for one in _listed(value)) and bool(_listed(value))


def _plain(one: Mapping[str, Any]) -> dict[str, Any]:
    """A block that the source does not tell of: plain values are as they are, others open."""
    return {
        key: value if isinstance(value, str | int | float) and "${" not in str(value) else open_value(key)
        for key, value in one.items()
        if key not in _OWN and value is not None
    }


def _listed(told: Any) -> list[Any]:
    items = told if isinstance(told, list) else [] if told is None else [told]
    return [item for item in items if isinstance(item, Mapping)]


def _between(raw: Mapping[str, Any], block: Block) -> bool:
    meta = raw.get(META)
    line = meta.get("line_start") if isinstance(meta, Mapping) else None
    return isinstance(line, int) and block.line <= line <= block.end


def _decoded(told: Any) -> Any:
    if isinstance(told, str):
        try:
            return msgspec.json.decode(told)
        except (ValueError, RecursionError):
            return UNTOLD
    return UNTOLD

"""Expressions of Terraform's language as they are written: what they name, what they call, and their literals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tree_sitter import Node

_MOST_WORDS: Final = 100  # characters of an expression in a reason
DEEPEST: Final = 200  # nested expressions
_FOLLOWS: Final = frozenset({"get_attr", "index", "splat"})
UNTOLD: Final = object()
_NOTHING: Final = frozenset({"null", '""'})
# Functions that look at the letters of a text.
LETTERS: Final = frozenset(
    (
        *("base64decode", "base64encode", "basename", "dirname", "endswith", "indent", "index", "md5", "regex"),
        *("regexall", "replace", "sha1", "sha256", "sort", "split", "startswith", "strrev", "substr", "title"),
        *("trim", "trimprefix", "trimspace", "trimsuffix", "urlencode"),
    )
)


class Expr:
    """One expression as it is written."""

    def __init__(self, node: Node, bound: frozenset[str] = frozenset()) -> None:
        self.node = node
        self.bound = bound

    @cached_property
    def text(self) -> str:
        """The expression in one line, cut where it is long."""
        words = " ".join((self.node.text or b"")[: 4 * _MOST_WORDS].decode("utf-8", "replace").split())
        return words if len(words) <= _MOST_WORDS else f"{words[:_MOST_WORDS]}…"

    @cached_property
    def refs(self) -> tuple[str, ...]:
        """What it names, as Terraform writes it, without the variables of its own `for`."""
        found: dict[str, None] = {}
        self._walk(self.node, self.bound, found, {}, 0)
        return tuple(found)

    @cached_property
    def functions(self) -> tuple[str, ...]:
        """The names of the functions that it calls."""
        found: dict[str, None] = {}
        self._walk(self.node, self.bound, {}, found, 0)
        return tuple(found)

    @cached_property
    def bent(self) -> tuple[Expr, ...]:
        """What it takes apart by its letters, where it does."""
        calls = (node for node in descend(self.node) if node.type == "function_call")
        letters = [call for call in calls if text_of(call.children[0]) in LETTERS]
        return tuple(
            Expr(child, self.bound) for call in letters for child in call.children if child.type == "function_arguments"
        )

    @cached_property
    def compared(self) -> tuple[Expr, ...]:
        """The comparisons in it, but for those with nothing."""
        found = []
        for node in descend(self.node):
            words = {text_of(child) for child in node.children} if node.type == "binary_operation" else set()
            if not words.isdisjoint(("==", "!=")) and words.isdisjoint(_NOTHING):
                found.append(Expr(node, self.bound))
        return tuple(found)

    def _walk(
        self, node: Node, bound: frozenset[str], refs: dict[str, None], calls: dict[str, None], depth: int
    ) -> None:
        if depth > DEEPEST:
            refs["(nested too deeply)"] = None
            return
        if node.type in ("for_tuple_expr", "for_object_expr"):
            intro = next((child for child in node.children if child.type == "for_intro"), None)
            if intro is not None:
                bound = bound | {text_of(child) for child in intro.children if child.type == "identifier"}
        if node.type == "function_call":
            calls["".join(text_of(child) for child in node.children if child.type in ("identifier", "::"))] = None
        children = node.children
        for at, child in enumerate(children):
            if child.type == "variable_expr":
                if node.type == "expression" and _is_key(node, len(children)):
                    continue
                ref = _reference(child, children[at + 1 :])
                if ref.partition(".")[0].partition("[")[0] not in bound:
                    refs[ref] = None
            elif child.is_named and child.type != "comment":
                self._walk(child, bound, refs, calls, depth + 1)

    @cached_property
    def inner(self) -> Expr:
        """The expression without parentheses around it."""
        node = self.node
        while node.type == "expression":
            named = [child for child in node.children if child.type not in ("(", ")", "comment")]
            if len(named) != 1:
                break
            node = named[0]
        return Expr(node, self.bound)

    @cached_property
    def literal(self) -> Any:
        """Its value where it is text, a number, `true`, `false` or `null`; else `UNTOLD`."""
        node = self.inner.node
        if node.type == "literal_value" and node.children:
            return literal_of(node.children[0])
        return "" if node.type == "quoted_template" and len(node.named_children) <= 2 else UNTOLD

    @cached_property
    def inner_reference(self) -> tuple[str, str]:
        """Type and name, where the expression is nothing but a resource; else empty."""
        words = self.inner.node.parent if self.inner.node.type == "variable_expr" else self.inner.node
        told = text_of(words).strip("() ") if words is not None else ""
        parts = told.split(".")
        return (parts[0], parts[1]) if self.refs == (told,) and len(parts) == 2 else ("", "")

    @cached_property
    def items(self) -> dict[str, Expr] | None:
        """The values of an object that is written out, by key; None for anything else, and for a key to be computed."""
        node = _collection(self.inner.node, "object")
        if node is None:
            return None
        found: dict[str, Expr] = {}
        for element in node.children:
            if element.type == "object_elem":
                parts = [child for child in element.children if child.type == "expression"]
                key = _key(parts[0]) if len(parts) == 2 else None
                if key is None:
                    return None
                found[key] = Expr(parts[1], self.bound)
        return found

    @cached_property
    def members(self) -> list[Expr] | None:
        """The values of a list that is written out; None for anything else."""
        node = _collection(self.inner.node, "tuple")
        if node is None:
            return None
        return [Expr(child, self.bound) for child in node.children if child.type == "expression"]

    def argument(self, function: str) -> Expr | None:
        """What is given to a function, where the expression is nothing but a call of it with one value."""
        node = self.inner.node
        if node.type != "function_call" or text_of(node.children[0]) != function:
            return None
        given = next((child for child in node.children if child.type == "function_arguments"), None)
        parts = [child for child in given.children if child.type == "expression"] if given else []
        return Expr(parts[0], self.bound) if len(parts) == 1 else None

    @cached_property
    def parts(self) -> list[str | Expr] | None:
        """Text and expressions of a template, in order; None for anything else."""
        node = self.inner.node
        quoted = node.children[0] if node.type == "template_expr" and node.children else node
        if quoted.type != "quoted_template":
            return None
        found: list[str | Expr] = []
        for child in quoted.named_children:
            if child.type == "template_literal":
                found.append(_unescaped(text_of(child)))
            elif child.type == "template_interpolation":
                inside = next((one for one in child.children if one.type == "expression"), None)
                if inside is None:
                    return None
                found.append(Expr(inside, self.bound))
            elif not child.type.startswith("quoted_template_"):
                return None
        return found


def descend(root: Node) -> Iterator[Node]:
    """A node and all below it, in the order in which they are written."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += reversed(node.children)


def text_of(node: Node) -> str:
    """What is written at a node."""
    return (node.text or b"").decode("utf-8", "replace")


def _unescaped(text: str) -> str:
    plain = text.replace("$${", "${").replace("%%{", "%{")
    try:
        return str(json.loads(f'"{plain}"'))
    except ValueError:
        return plain


def literal_of(node: Node) -> Any:
    """The value of a literal; `UNTOLD` for whatever is none."""
    told = text_of(node)
    if node.type == "string_lit":
        return _unescaped(told.strip()[1:-1])
    if node.type == "numeric_lit":
        try:
            return json.loads(told)
        except ValueError:
            return UNTOLD
    return {"true": True, "false": False, "null": None}.get(told, UNTOLD)


def _collection(node: Node, kind: str) -> Node | None:
    if node.type == "collection_value" and node.children:
        node = node.children[0]
    return node if node.type == kind else None


def _key(node: Node) -> str | None:
    """The key of an object's element: a bare word, or text."""
    inner = Expr(node).inner.node
    if inner.type == "variable_expr":
        return text_of(inner)
    told = Expr(node).literal
    return told if isinstance(told, str) else str(told) if isinstance(told, int) else None


def _is_key(expression: Node, parts: int) -> bool:
    """Whether an expression is the bare word before `=` in an object."""
    parent = expression.parent
    if parts != 1 or parent is None or parent.type != "object_elem":
        return False
    first = next((child for child in parent.children if child.type == "expression"), None)
    return first == expression


def _reference(first: Node, rest: list[Node]) -> str:
    """`azurerm_key_vault.a[0].id`; cut before an index or splat that is not a plain key."""
    told = text_of(first)
    for node in rest:
        if node.type not in _FOLLOWS:
            break
        if node.type == "get_attr":
            told += f".{text_of(node.children[-1])}"
            continue
        key = _index(node) if node.type == "index" else None
        if key is None:
            break
        told += f"[{key}]"
    return told


def _index(node: Node) -> str | None:
    inner = next((child for child in node.children if child.type == "new_index"), node)
    expression = next((child for child in inner.children if child.type == "expression"), None)
    value = Expr(expression).literal if expression is not None else UNTOLD
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return json.dumps(value, ensure_ascii=False)

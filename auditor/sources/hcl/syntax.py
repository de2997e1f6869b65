"""Terraform's language as a syntax tree: which blocks a file holds, on which lines, and what their expressions name.

Nothing is computed here. The tree stands even where a file has mistakes, and those are told with their lines.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Final

import msgspec

from auditor.errors import SourceError

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

HINT: Final = "pip install 'azure-logging-auditor[iac]'"
_MOST_WORDS: Final = 100  # characters of an expression in a reason
_DEEPEST: Final = 200  # nested expressions
_BRACKETS: Final = re.compile(rb"[\[\](){}]")
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


@lru_cache(maxsize=1)
def _parser() -> Parser:
    try:
        import tree_sitter
        import tree_sitter_hcl
    except ImportError:
        raise SourceError("reading Terraform's own files needs two parsers that are not installed", HINT) from None
    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_hcl.language()))


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
        found: list[Expr] = []
        waiting = [self.node]
        while waiting:
            node = waiting.pop()
            waiting += [child for child in node.children if child.is_named]
            if node.type == "function_call" and _text(node.children[0]) in LETTERS:
                found += [Expr(child, self.bound) for child in node.children if child.type == "function_arguments"]
        return tuple(found)

    @cached_property
    def compared(self) -> tuple[Expr, ...]:
        """The comparisons in it, but for those with nothing."""
        found: list[Expr] = []
        waiting = [self.node]
        while waiting:
            node = waiting.pop()
            waiting += [child for child in node.children if child.is_named]
            if node.type == "binary_operation" and not _NOTHING.isdisjoint(_text(child) for child in node.children):
                continue
            if node.type == "binary_operation" and any(_text(child) in ("==", "!=") for child in node.children):
                found.append(Expr(node, self.bound))
        return tuple(found)

    def _walk(
        self, node: Node, bound: frozenset[str], refs: dict[str, None], calls: dict[str, None], depth: int
    ) -> None:
        if depth > _DEEPEST:
            refs["(nested too deeply)"] = None
            return
        if node.type in ("for_tuple_expr", "for_object_expr"):
            intro = next((child for child in node.children if child.type == "for_intro"), None)
            if intro is not None:
                bound = bound | {_text(child) for child in intro.children if child.type == "identifier"}
        if node.type == "function_call":
            calls["".join(_text(child) for child in node.children if child.type in ("identifier", "::"))] = None
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
            return _literal(node.children[0])
        return "" if node.type == "quoted_template" and len(node.named_children) <= 2 else UNTOLD

    @cached_property
    def inner_reference(self) -> tuple[str, str]:
        """Type and name, where the expression is nothing but a resource; else empty."""
        words = self.inner.node.parent if self.inner.node.type == "variable_expr" else self.inner.node
        told = _text(words).strip("() ") if words is not None else ""
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
        if node.type != "function_call" or _text(node.children[0]) != function:
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
                found.append(_unescaped(_text(child)))
            elif child.type == "template_interpolation":
                inside = next((one for one in child.children if one.type == "expression"), None)
                if inside is None:
                    return None
                found.append(Expr(inside, self.bound))
            elif not child.type.startswith("quoted_template_"):
                return None
        return found


class Block(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One block: `resource "azurerm_key_vault" "app" { … }`."""

    kind: str
    labels: tuple[str, ...]
    file: str
    line: int
    end: int
    attributes: dict[str, Expr]
    blocks: tuple[Block, ...]
    changed: bool = False  # whether an override file changes more than how many there are
    steered_in: str = ""  # where override files have part in it, the file with the `count` or `for_each` that holds


class Mistake(msgspec.Struct, frozen=True, kw_only=True):
    """What a file holds that cannot be read."""

    file: str
    line: int | None
    text: str


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A file's blocks and comments (line, text), and what is wrong with it."""

    name: str
    blocks: tuple[Block, ...] = ()
    comments: tuple[tuple[int, str], ...] = ()
    mistakes: tuple[Mistake, ...] = ()


def parse(data: bytes, name: str) -> File:
    """The blocks of a `.tf` file. Mistakes are told, and what is around them is still there."""
    if b"\0" in data[:8192]:
        return File(name=name, mistakes=(Mistake(file=name, line=None, text="it is not text"),))
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return File(name=name, mistakes=(Mistake(file=name, line=line, text="it is not UTF-8"),))
    if _nesting(data) > _DEEPEST:
        return File(name=name, mistakes=(Mistake(file=name, line=None, text="it is nested too deeply"),))
    root = _parser().parse(data.removeprefix(b"\xef\xbb\xbf")).root_node
    mistakes: list[Mistake] = []
    if root.has_error:
        lines = sorted({node.start_point.row + 1 for node in _errors(root)})
        mistakes = [Mistake(file=name, line=line, text="syntax error") for line in lines[:3]]
    comments: list[tuple[int, str]] = []
    blocks = [block for child in root.children if child.type == "body" for block in _blocks(child, name, comments, 0)]
    comments += [(child.start_point.row + 1, _text(child)) for child in root.children if child.type == "comment"]
    return File(name=name, blocks=tuple(blocks), comments=tuple(sorted(comments)), mistakes=tuple(mistakes))


def _nesting(data: bytes) -> int:
    """How deep brackets are in brackets, at most."""
    depth = deepest = 0
    for found in _BRACKETS.finditer(data):
        depth = depth + 1 if found[0] in b"[{(" else max(depth - 1, 0)
        deepest = max(deepest, depth)
    return deepest


def variables_in(data: bytes, *, as_json: bool) -> list[str]:
    """The names of the variables that a file of them sets; those in doubt are left out."""
    if as_json:
        try:
            told = json.loads(data)
        except (ValueError, RecursionError):
            return []
        return [name for name, value in told.items() if value is not None] if isinstance(told, dict) else []
    root = _parser().parse(data.removeprefix(b"\xef\xbb\xbf")).root_node
    bodies = [child for child in root.children if child.type == "body"]
    return [
        _text(child.children[0])
        for body in bodies
        for child in body.children
        if child.type == "attribute" and not child.has_error
    ]


def raw_expression(written: str) -> Expr | None:
    """The expression of a text in Terraform's language, of which JSON is a part."""
    root = _parser().parse(f"x = {written}\n".encode()).root_node
    if root.has_error:
        return None
    found = next((node for node in _descend(root) if node.type == "expression"), None)
    return Expr(found) if found is not None else None


def _blocks(body: Node, name: str, comments: list[tuple[int, str]], depth: int) -> Iterator[Block]:
    for child in body.children:
        if child.type == "comment":
            comments.append((child.start_point.row + 1, _text(child)))
        elif child.type == "block" and depth < _DEEPEST:
            yield _block(child, name, comments, depth)
        elif child.type == "attribute":
            comments += [(n.start_point.row + 1, _text(n)) for n in _descend(child) if n.type == "comment"]


def _block(node: Node, name: str, comments: list[tuple[int, str]], depth: int) -> Block:
    words = [child for child in node.children if child.type in ("identifier", "string_lit")]
    body = next((child for child in node.children if child.type == "body"), None)
    comments += [(child.start_point.row + 1, _text(child)) for child in node.children if child.type == "comment"]
    attributes: dict[str, Expr] = {}
    for child in body.children if body is not None else ():
        if child.type == "attribute":
            value = next((one for one in child.children if one.type == "expression"), None)
            if value is not None:
                attributes[_text(child.children[0])] = Expr(value)
    return Block(
        kind=_text(words[0]) if words else "",
        labels=tuple(str(_label(word)) for word in words[1:]),
        file=name,
        line=node.start_point.row + 1,
        end=node.end_point.row + 1,
        attributes=attributes,
        blocks=tuple(_blocks(body, name, comments, depth + 1)) if body is not None else (),
    )


def _label(node: Node) -> Any:
    return _text(node) if node.type == "identifier" else _literal(node)


def _errors(root: Node) -> Iterator[Node]:
    for node in _descend(root):
        if node.is_error or node.is_missing:
            yield node


def _descend(root: Node) -> Iterator[Node]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += reversed(node.children)


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")


def _unescaped(text: str) -> str:
    plain = text.replace("$${", "${").replace("%%{", "%{")
    try:
        return str(json.loads(f'"{plain}"'))
    except ValueError:
        return plain


def _literal(node: Node) -> Any:
    told = _text(node)
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
        return _text(inner)
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
    told = _text(first)
    for node in rest:
        if node.type not in _FOLLOWS:
            break
        if node.type == "get_attr":
            told += f".{_text(node.children[-1])}"
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

"""Terraform's language as a syntax tree: which blocks a file holds, on which lines, and what their expressions name.

Nothing is computed here. The tree stands even where a file has mistakes, and those are told with their lines.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import msgspec

from auditor.errors import SourceError
from auditor.sources.hcl.expression import DEEPEST, Expr, descend, literal_of, text_of

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

HINT: Final = "pip install 'azure-logging-auditor[iac]'"
_BRACKETS: Final = re.compile(rb"[\[\](){}]")


@lru_cache(maxsize=1)
def _parser() -> Parser:
    try:
        import tree_sitter
        import tree_sitter_hcl
    except ImportError:
        raise SourceError("reading Terraform's own files needs two parsers that are not installed", HINT) from None
    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_hcl.language()))


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
    if _nesting(data) > DEEPEST:
        return File(name=name, mistakes=(Mistake(file=name, line=None, text="it is nested too deeply"),))
    root = _parser().parse(data.removeprefix(b"\xef\xbb\xbf")).root_node
    mistakes: list[Mistake] = []
    if root.has_error:
        lines = sorted({node.start_point.row + 1 for node in _errors(root)})
        mistakes = [Mistake(file=name, line=line, text="syntax error") for line in lines[:3]]
    comments: list[tuple[int, str]] = []
    blocks = [block for child in root.children if child.type == "body" for block in _blocks(child, name, comments, 0)]
    comments += [(child.start_point.row + 1, text_of(child)) for child in root.children if child.type == "comment"]
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
        text_of(child.children[0])
        for body in bodies
        for child in body.children
        if child.type == "attribute" and not child.has_error
    ]


def raw_expression(written: str) -> Expr | None:
    """The expression of a text in Terraform's language, of which JSON is a part."""
    root = _parser().parse(f"x = {written}\n".encode()).root_node
    if root.has_error:
        return None
    found = next((node for node in descend(root) if node.type == "expression"), None)
    return Expr(found) if found is not None else None


def _blocks(body: Node, name: str, comments: list[tuple[int, str]], depth: int) -> Iterator[Block]:
    for child in body.children:
        if child.type == "comment":
            comments.append((child.start_point.row + 1, text_of(child)))
        elif child.type == "block" and depth < DEEPEST:
            yield _block(child, name, comments, depth)
        elif child.type == "attribute":
            comments += [(n.start_point.row + 1, text_of(n)) for n in descend(child) if n.type == "comment"]


def _block(node: Node, name: str, comments: list[tuple[int, str]], depth: int) -> Block:
    words = [child for child in node.children if child.type in ("identifier", "string_lit")]
    body = next((child for child in node.children if child.type == "body"), None)
    comments += [(child.start_point.row + 1, text_of(child)) for child in node.children if child.type == "comment"]
    attributes: dict[str, Expr] = {}
    for child in body.children if body is not None else ():
        if child.type == "attribute":
            value = next((one for one in child.children if one.type == "expression"), None)
            if value is not None:
                attributes[text_of(child.children[0])] = Expr(value)
    return Block(
        kind=text_of(words[0]) if words else "",
        labels=tuple(str(_label(word)) for word in words[1:]),
        file=name,
        line=node.start_point.row + 1,
        end=node.end_point.row + 1,
        attributes=attributes,
        blocks=tuple(_blocks(body, name, comments, depth + 1)) if body is not None else (),
    )


def _label(node: Node) -> Any:
    return text_of(node) if node.type == "identifier" else literal_of(node)


def _errors(root: Node) -> Iterator[Node]:
    for node in descend(root):
        if node.is_error or node.is_missing:
            yield node

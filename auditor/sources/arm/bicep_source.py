"""Where in Bicep code the resources and modules are declared. The compiler's output does not tell."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import msgspec

from auditor.sources.arm.expressions import Call, Literal, Node, Wrong, expression_of, parse

MAX_BYTES: Final = 4 * 1024**2
_STATEMENT: Final = re.compile(r"^[ \t]*(resource|module)[ \t]+(\w+)[ \t]+(')", re.MULTILINE)
_EXISTING: Final = re.compile(r"\s*(existing)?\s*=")
_FIELD: Final = re.compile(r"^[ \t]*(name|parent)[ \t]*:[ \t]*", re.MULTILINE)
_DECORATOR: Final = re.compile(r"^[ \t]*@", re.MULTILINE)
_HOLE: Final = re.compile(r"\{(\d+)\}")
_INSIDE: Final = re.compile(r"\$\{([^{}']*)\}")

Skeleton = tuple[str, ...]  # of a name: its letters, and the last word of each thing that is put in


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """One `resource` or `module`: its symbol, its whole type or path, and its lines."""

    word: str
    symbol: str
    what: str
    line: int
    end: int
    existing: bool = False
    name: Skeleton = ()


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """One Bicep file."""

    path: Path
    shown: str
    statements: tuple[Statement, ...]
    comments: tuple[tuple[int, str], ...]

    def called(self, word: str, symbol: str) -> Statement | None:
        """The statement with a symbol; of a child, `parent::child` is the whole."""
        own = symbol.rpartition("::")[2].lower()
        found = [one for one in self.statements if one.word == word and one.symbol.lower() == own]
        return found[0] if len(found) == 1 else None

    def of_type(self, kind: str, name: Any) -> Statement | None:
        """The resource of a type, if there is but one, or one with that name."""
        made = (one for one in self.statements if one.word == "resource" and not one.existing)
        return _one([one for one in made if one.what.lower() == kind.lower()], name)

    def module(self, name: Any) -> Statement | None:
        """The module that a deployment is made of, if there is but one, or one with that name."""
        found = [one for one in self.statements if one.word == "module"]
        told = skeleton_of(name)
        made = [one for one in found if told[:1] == (f"{one.symbol.lower()}-",)]  # a name that the compiler made
        return _one(found, name) or (made[0] if len(made) == 1 else None)


def _one(found: list[Statement], name: Any) -> Statement | None:
    if len(found) == 1:
        return found[0]
    told = skeleton_of(name)
    named = [one for one in found if one.name and (one.name == told or one.name == told[-len(one.name) :])]
    return named[0] if len(named) == 1 else None


def read(path: Path, shown: str) -> Code | None:
    """A Bicep file; None where it cannot be read."""
    try:
        if path.stat().st_size > MAX_BYTES:
            return None
        text = path.read_text(encoding="utf-8-sig", errors="replace").replace("\r\n", "\n")
    except OSError:
        return None
    bare, comments = masked(text)
    decorators = (match.start() for match in _DECORATOR.finditer(bare))
    comments += [(text.count("\n", 0, at) + 1, "") for at in decorators]  # a comment above them is above all of it
    return Code(path=path, shown=shown, statements=tuple(_statements(text, bare)), comments=tuple(comments))


def _statements(text: str, bare: str) -> list[Statement]:
    found: list[tuple[int, int, Statement]] = []
    for match in _STATEMENT.finditer(bare):
        close = bare.find("'", match.end())
        after = _EXISTING.match(bare, close + 1) if close > 0 else None
        if after is None:
            continue
        start, end = match.start(2), _end(bare, after.end())
        what = text[match.end() : close].partition("@")[0] if match[1] == "resource" else text[match.end() : close]
        fields = _fields(text, bare, after.end(), end)
        around = [one for begin, stop, one in found if begin < start < stop]
        parents = [one for _, _, one in found if one.symbol == fields.get("parent")] if "." not in what else []
        if match[1] == "resource" and "." not in what.partition("/")[0] and (around or parents):
            what = f"{(around or parents)[-1].what}/{what}"
        found.append((
            start, end,
            Statement(
                word=match[1], symbol=match[2], what=what, existing=bool(after[1]),
                line=text.count("\n", 0, start) + 1, end=text.count("\n", 0, end) + 1,
                name=_written(fields.get("name", "")),
            ),
        ))  # fmt: skip
    return [one for _, _, one in found]


def _end(bare: str, at: int) -> int:
    """Where the brackets that open after a `=` are all closed again."""
    depth = 0
    for number in range(at, len(bare)):
        sign = bare[number]
        if sign in "{[(":
            depth += 1
        elif sign in "}])":
            depth -= 1
            if depth <= 0 and sign != ")":
                return number
    return len(bare)


def _fields(text: str, bare: str, start: int, end: int) -> dict[str, str]:
    """The first `name` and `parent` of a body, as they are written."""
    found: dict[str, str] = {}
    for match in _FIELD.finditer(bare, start, end):
        line = text.find("\n", match.end())
        found.setdefault(match[1], text[match.end() : line if line >= 0 else end].strip())
    return found


def _written(name: str) -> Skeleton:
    """The skeleton of a name in Bicep: `'${prefix}-kv'` or `vaultName`."""
    if not name.startswith("'") or name.startswith("'''"):
        return (name.rpartition(".")[2].lower(),) if re.fullmatch(r"[\w.]+", name) else ()
    pieces = _INSIDE.split(name.strip("'"))
    return tuple(piece.rpartition(".")[2].strip().lower() for piece in pieces if piece)


def skeleton_of(name: Any) -> Skeleton:
    """The skeleton of a name in a compiled template."""
    if not isinstance(name, str):
        return ()
    inner = expression_of(name)
    if inner is None:
        return (name.lower(),)
    try:
        return _skeleton(parse(inner))
    except Wrong:
        return ()


def _skeleton(node: Node) -> Skeleton:
    if isinstance(node, Literal):
        return (str(node.value).lower(),)
    if not isinstance(node, Call):
        return (str(node.key.value).lower(),) if isinstance(node.key, Literal) else ()
    if node.name in ("parameters", "variables") and node.arguments and isinstance(node.arguments[0], Literal):
        return (str(node.arguments[0].value).lower(),)
    if node.name == "format" and node.arguments and isinstance(node.arguments[0], Literal):
        pieces = _HOLE.split(str(node.arguments[0].value))
        found: list[str] = []
        for at, piece in enumerate(pieces):
            if at % 2 == 0:
                found += [piece.lower()] if piece else []
            elif int(piece) + 1 < len(node.arguments):
                found += _skeleton(node.arguments[int(piece) + 1])
        return tuple(found)
    return ()


def masked(text: str) -> tuple[str, list[tuple[int, str]]]:
    """The code with what is in texts and comments blanked, its length and lines kept; and the comments."""
    out = list(text)
    comments: list[tuple[int, str]] = []
    stack: list[int] = []  # for each text that an expression is inside of, the brackets open in it
    at, size = 0, len(text)

    def blank(start: int, stop: int) -> None:
        for number in range(start, min(stop, size)):
            if out[number] != "\n":
                out[number] = " "

    def letters(start: int) -> int:
        """Past the letters of a text, up to its end or to an expression in it."""
        number = start
        while number < size and text[number] not in "'\n":
            if text.startswith("${", number):
                stack.append(0)
                blank(start, number + 2)
                return number + 2
            number += 2 if text[number] == "\\" else 1
        blank(start, number + 1 if stack else number)
        return number + 1

    while at < size:
        if text.startswith("//", at):
            end = text.find("\n", at)
            end = size if end < 0 else end
            comments.append((text.count("\n", 0, at) + 1, text[at:end]))
            blank(at, end)
            at = end
        elif text.startswith("/*", at):
            end = text.find("*/", at + 2)
            end = size if end < 0 else end + 2
            comments.append((text.count("\n", 0, at) + 1, text[at:end]))
            blank(at, end)
            at = end
        elif text.startswith("'''", at):
            end = text.find("'''", at + 3)
            end = size if end < 0 else end + 3
            blank(at, end)
            at = end
        elif text[at] == "'":
            blank(at, at + 1 if stack else at)
            at = letters(at + 1)
        elif stack and text[at] == "{":
            stack[-1] += 1
            blank(at, at + 1)
            at += 1
        elif stack and text[at] == "}":
            if stack[-1] == 0:
                stack.pop()
                blank(at, at + 1)
                at = letters(at + 1)
            else:
                stack[-1] -= 1
                blank(at, at + 1)
                at += 1
        else:
            if stack:
                blank(at, at + 1)
            at += 1
    return "".join(out), comments

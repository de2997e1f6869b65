"""JSON as Azure Resource Manager takes it: comments, commas before a bracket, text over several lines; with lines."""

from __future__ import annotations

import re
from bisect import bisect_right
from pathlib import Path
from typing import Any, Final

from auditor.errors import SourceError

MAX_BYTES: Final = 64 * 1024**2
MAX_DEPTH: Final = 200
_HINT: Final = "an ARM template is JSON, with comments if need be"
_MARKS: Final = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig"))

_BLANK: Final = re.compile(r"(?:[\s\ufeff]+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_COMMENT: Final = re.compile(r'"(?:[^"\\]|\\.)*"|(//[^\n]*|/\*.*?\*/)', re.DOTALL)
_TEXT: Final = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"', re.DOTALL)
_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_NUMBER: Final = re.compile(r"-?\d{1,400}(\.\d{1,400})?([eE][+-]?\d{1,3})?")
_WORDS: Final = {"true": True, "false": False, "null": None}
_LETTERS: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


class Object(dict[str, Any]):
    """An object that knows where it begins and ends, and where each of its keys is; and another file it came from."""

    __slots__ = ("end", "file", "line", "lines")

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.end = line
        self.file = ""
        self.lines: dict[str, int] = {}


class Array(list[Any]):
    """An array that knows where it begins, and where each of its items is."""

    __slots__ = ("line", "lines")

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: list[int] = []


class _Wrong(Exception):  # noqa: N818
    def __init__(self, what: str, at: int) -> None:
        super().__init__(what)
        self.at = at


def load(path: Path, limit: int = MAX_BYTES) -> tuple[Any, str]:
    """The value in a file, and the file's text. Raises `SourceError`, with the line, for what is no JSON."""
    try:
        if path.stat().st_size > limit:
            raise SourceError(f"{path}: larger than {limit // 1024**2} MB", "Azure takes templates of 4 MB at most")
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}", _HINT) from None
    text = decoded(data, str(path))
    return parsed(text, str(path)), text


def decoded(data: bytes, name: str) -> str:
    """Text of a file in UTF-8, or in what PowerShell's `>` makes of it."""
    encoding = next((encoding for mark, encoding in _MARKS if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding).replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SourceError(f"{name}:{line}: not text in UTF-8", "save it as UTF-8") from None


def parsed(text: str, name: str) -> Any:
    """The value that a text holds, its objects and arrays with their lines."""
    reader = _Reader(text)
    try:
        value, at = reader.value(reader.skip(0), 0)
        at = reader.skip(at)
        if at < len(text):
            raise _Wrong("there is more after its end", at)
    except _Wrong as wrong:
        raise SourceError(f"{name}:{reader.line(wrong.at)}: not JSON: {wrong}", _HINT) from None
    return value


def comments(text: str) -> list[tuple[int, str]]:
    """(line, comment) of each comment, with its marks."""
    starts = _starts(text)
    return [(bisect_right(starts, match.start(1)), match[1]) for match in _COMMENT.finditer(text) if match[1]]


def _starts(text: str) -> list[int]:
    return [0, *(match.end() for match in re.finditer("\n", text))]


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self._starts = _starts(text)

    def line(self, at: int) -> int:
        return bisect_right(self._starts, at)

    def skip(self, at: int) -> int:
        found = _BLANK.match(self.text, at)
        return found.end() if found else at

    def value(self, at: int, depth: int) -> tuple[Any, int]:
        if depth > MAX_DEPTH:
            raise _Wrong(f"nested more than {MAX_DEPTH} deep", at)
        sign = self.text[at : at + 1]
        if sign == '"':
            return self._text(at)
        if sign == "{":
            return self._object(at, depth)
        if sign == "[":
            return self._array(at, depth)
        for word, value in _WORDS.items():
            if self.text.startswith(word, at):
                return value, at + len(word)
        number = _NUMBER.match(self.text, at)
        if number is None:
            what = f'"{sign}" is not expected here' if sign.isprintable() and sign else "it ends too early"
            raise _Wrong(what if at >= len(self.text) or sign.isprintable() else "not text", at)
        told = number[0]
        return (float(told) if number[1] or number[2] else int(told)), number.end()

    def _text(self, at: int) -> tuple[str, int]:
        found = _TEXT.match(self.text, at)
        if found is None:
            raise _Wrong("a text has no end", at)
        told = found[1]
        return (_ESCAPE.sub(_unescaped, told) if "\\" in told else told), found.end()

    def _object(self, at: int, depth: int) -> tuple[Object, int]:
        made = Object(self.line(at))
        at = self.skip(at + 1)
        while self.text[at : at + 1] != "}":
            line = self.line(at)
            if self.text[at : at + 1] != '"':
                raise _Wrong("a name between quotes is expected" if at < len(self.text) else "it ends too early", at)
            key, at = self._text(at)
            at = self.skip(at)
            if self.text[at : at + 1] != ":":
                raise _Wrong('":" is expected', at)
            made[key], at = self.value(self.skip(at + 1), depth + 1)
            made.lines[key] = line
            at = self._after(at, "}")
        made.end = self.line(at)
        return made, at + 1

    def _array(self, at: int, depth: int) -> tuple[Array, int]:
        made = Array(self.line(at))
        at = self.skip(at + 1)
        while self.text[at : at + 1] != "]":
            made.lines.append(self.line(at))
            value, at = self.value(at, depth + 1)
            made.append(value)
            at = self._after(at, "]")
        return made, at + 1

    def _after(self, at: int, end: str) -> int:
        """Past a comma, which may stand before the end too."""
        at = self.skip(at)
        if self.text[at : at + 1] == ",":
            return self.skip(at + 1)
        if self.text[at : at + 1] != end:
            raise _Wrong(f'"," or "{end}" is expected' if at < len(self.text) else "it ends too early", at)
        return at


def _unescaped(found: re.Match[str]) -> str:
    if found[1]:
        code = int(found[1], 16)
        return chr(code) if not 0xD800 <= code < 0xE000 else "\ufffd"
    return _LETTERS.get(found[2], found[2])

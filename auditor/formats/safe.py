"""Making other people's words harmless: names, tags and answers are hostile input in every format."""

from __future__ import annotations

import re
import unicodedata

from markupsafe import Markup, escape

_HIDDEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
_CLUSTER = frozenset({"\u200d"})  # joins emoji; between two of them it hides nothing
# Azure Pipelines and GitHub obey the first wherever it stands in a log, GitHub the second at the start of a line.
_COMMAND = re.compile(r"##(?=(?:vso)?\[)|^\s*::(?=[a-z_-]+(?: |::))", re.IGNORECASE | re.MULTILINE)


def visible(text: object, *, lines: bool = False) -> str:
    """The text with every character that has no shape of its own written out: `‹U+202E›`.

    Direction overrides, zero-width and control characters can make one name look like another. With `lines`, line
    feeds and tabs stay, for text that is shown as it was written. What the log of a pipeline would take for a command
    is broken up.
    """
    text = no_command(str(text))
    if text.isascii() and text.isprintable():
        return text
    if lines:
        text = text.replace("\r\n", "\n")
    return "".join(_shown(text, index, lines) for index in range(len(text)))


def no_command(text: str) -> str:
    """The text, so that no pipeline that logs it finds a command (`##vso[…]`, `::error::`) in it."""
    if "##" not in text and "::" not in text:
        return text
    return _COMMAND.sub(lambda found: f"{found[0][:-1]}‹U+{ord(found[0][-1]):04X}›", text)


def _shown(text: str, index: int, lines: bool) -> str:
    char = text[index]
    if char.isprintable() or (lines and char in "\n\t"):
        return char
    if unicodedata.category(char) not in _HIDDEN:
        return " "  # unusual spaces
    if char in _CLUSTER and 0 < index < len(text) - 1:
        around = text[index - 1], text[index + 1]
        if all(unicodedata.category(c) in ("So", "Sk", "Mn") for c in around):
            return char
    return f"‹U+{ord(char):04X}›"


def h(text: object) -> Markup:
    """Text for HTML, in an element or a quoted attribute."""
    return escape(visible(text))


def h_lines(text: object) -> Markup:
    """Text of several lines for a `<pre>`."""
    return escape(visible(text, lines=True))


_CODE = re.compile(r"`([^`\n]+)`")


def h_prose(text: str) -> Markup:
    """A rule's prose as paragraphs; `back-quoted` words become code. Line ends inside a paragraph are spaces."""
    paragraphs = [" ".join(part.split()) for part in re.split(r"\n\s*\n", text.strip())]
    shown = [_CODE.sub(r"<code>\1</code>", str(h(part))) for part in paragraphs if part]
    return Markup("".join(f"<p>{part}</p>" for part in shown))  # noqa: S704 - every part went through `h`


_MARKS = re.compile(r"([\\`*\[\]|~$])")
_EDGE_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")  # inside a word it is not emphasis
# GitHub finds mentions, addresses and bare links in the text it has rendered, so that a backslash does not stop
# them; an empty comment does, and shows nowhere.
_AUTOLINKS = re.compile(r"@|(?<=:)(?=//)|(?<=[wW]{3})(?=\.)")
_LINE_START = re.compile(r"^(\s*)([#+=-]|&gt;|\d+(?=[.)](?:\s|$)))")
_COMMENT = "<!-- -->"


def m(text: object) -> str:
    """Text for one line of Markdown, in a table cell or in prose: no markup, no mention, no link comes of it."""
    return _m(visible(text))


def _m(text: str) -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = _MARKS.sub(r"\\\1", text)
    text = _EDGE_UNDERSCORE.sub(r"\\_", text)
    text = _AUTOLINKS.sub(lambda found: f"{found[0]}{_COMMENT}", text)
    return _LINE_START.sub(_plain_start, text)


def _plain_start(found: re.Match[str]) -> str:
    """A heading, list, rule or quote mark at the start of a line, as a character that is none."""
    space, start = found[1], found[2]
    return f"{space}{start}\\" if start.isdigit() else found[0] if start == "&gt;" else f"{space}\\{start}"


def m_prose(text: str) -> str:
    """A rule's prose in Markdown: paragraphs, and `back-quoted` words as code."""
    paragraphs = [" ".join(visible(part, lines=True).split()) for part in re.split(r"\n\s*\n", text.strip())]
    return "\n\n".join(_code_and_text(part) for part in paragraphs if part)


def _code_and_text(text: str) -> str:
    pieces = _CODE.split(text)  # text, code, text, code ... text
    return "".join(f"`{piece}`" if index % 2 else _m(piece) for index, piece in enumerate(pieces))


def m_code(text: object) -> str:
    """A short value as a code span that fits a table cell."""
    shown = visible(text).strip()
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if shown.startswith("`") or shown.endswith("`") or not shown else ""
    # A pipe ends the cell even inside a code span; the backslash is taken off by the table, not by the span.
    return f"{fence}{pad}{shown}{pad}{fence}".replace("|", "\\|")


def m_block(text: object, language: str = "") -> str:
    """Text of several lines as a fenced block that it cannot close itself."""
    shown = visible(text, lines=True).rstrip()
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{shown}\n{fence}"

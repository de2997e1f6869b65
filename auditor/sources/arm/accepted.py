"""What comments in a template accept, given to the documents of the resources that they stand inside or above."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from auditor.documents import Document, normal_id
from auditor.sources.comments import Record, acceptances_in, loose

_CROWDED: Final = "auditor:accept: more than one resource is written on this line"
_APART: Final = "write each on lines of its own"

Comments = Iterable[tuple[int, str]]  # line on which it begins, text


def with_accepted(documents: list[Document], comments: Comments, file: str) -> list[Document]:
    """The documents with `$accept`, and one for what stands beside none of them."""
    comments = list(comments)
    covered = {line + n for line, text in comments for n in range(text.count("\n") + 1)}
    ranges = sorted({span for document in documents if (span := _range(document, file))})
    crowded = _crowded(documents, file)
    by_range: dict[tuple[int, int], list[Record]] = {}
    lost: list[Record] = []
    for line, text in comments:
        found = acceptances_in(text, file, line) if "auditor:" in text.lower() else []
        if not found:
            continue
        span = _beside(line, line + text.count("\n"), covered, ranges)
        if span is None:
            lost += found
        elif span in crowded:
            lost += [{"file": one["file"], "line": one["line"], "problem": _CROWDED, "hint": _APART} for one in found]
        else:
            by_range.setdefault(span, []).extend(found)
    made = [_accepting(document, by_range.get(_range(document, file) or (0, 0), [])) for document in documents]
    return [*made, *loose(lost)]


def _crowded(documents: list[Document], file: str) -> set[tuple[int, int]]:
    """The single lines on which more than one resource is written, besides the parts of one."""
    held: dict[tuple[int, int], list[str]] = {}
    for document in documents:
        span = _range(document, file)
        if span is not None and span[0] == span[1]:
            held.setdefault(span, []).append(normal_id(str(document.get("id") or "")))
    return {span for span, ids in held.items() if any(not f"{one}/".startswith(f"{min(ids, key=len)}/") for one in ids)}


def _range(document: Mapping[str, Any], file: str) -> tuple[int, int] | None:
    origin = document.get("$origin")
    if not isinstance(origin, Mapping) or origin.get("file") != file or not isinstance(origin.get("line"), int):
        return None
    return origin["line"], origin.get("end_line") or origin["line"]


def _beside(first: int, last: int, covered: set[int], ranges: list[tuple[int, int]]) -> tuple[int, int] | None:
    """The innermost resource around a comment, else the one on the line after it and the comments below it."""
    following = last + 1
    while following in covered:
        following += 1
    above = [span for span in ranges if span[0] == following]
    around = [span for span in ranges if span[0] <= first <= span[1]]
    ending = [span for span in around if span[1] < following]
    if ending:  # it stands on their last line
        return min(ending, key=lambda span: span[1] - span[0])
    if above and (not around or max(around)[0] < following):
        return min(above, key=lambda span: span[1] - span[0])
    return min(around, key=lambda span: span[1] - span[0]) if around else None


def _accepting(document: Document, records: list[Record]) -> Document:
    return {**document, "$accept": [*document.get("$accept", ()), *records]} if records else document

"""Acceptances written in the code itself, beside what they accept.

`# auditor:accept keyvault-audit-logs reason="Lab, no secrets" until=2027-03-31`, in a comment of any kind: one or more
rules, why, and the last day. A source puts what these functions return into `$accept` of the document that the comment
stands beside, or, where it stands beside none, into the document of `loose`. A mistake is returned like an acceptance,
with `problem` and `hint`, so that its author hears of it. Which rules there are and what day it is is asked later.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any, Final

from auditor.documents import ACCEPTED_IN_CODE, Document

MOST_RULES: Final = 50  # in one line
MOST_TEXT: Final = 2000  # characters of one line
MOST_LINES: Final = 1000  # acceptances in one comment, or in one file beside nothing
_FORM: Final = 'write: auditor:accept RULE reason="why" until=2027-03-31'
_DIRECTIVE: Final = re.compile(r"(?<![\w-])auditor:(accept|ignore|skip|suppress|disable)(?![\w-])", re.IGNORECASE)
_RULES: Final = re.compile(r"\s*([A-Za-z0-9_-]+(?:\s*,\s*[A-Za-z0-9_-]+)*)(?=\s|$)(?!\s*=)")
_WORD: Final = re.compile(r'\s*([A-Za-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))(?=\s|$)')

Record = dict[str, Any]


def acceptances_in(comment: str, file: str, line: int) -> list[Record]:
    """What a comment accepts, with or without its delimiters; `line` is where it starts."""
    found: list[Record] = []
    for number, text in enumerate(comment.splitlines(), line):
        start = _DIRECTIVE.search(text) if "auditor:" in text.lower() else None
        if start is not None and len(found) < MOST_LINES:
            where = {"file": file, "line": number}
            if start[1].lower() != "accept":
                found.append(_problem(where, f'"{start[0]}" means nothing here', _FORM))
            elif len(text) > MOST_TEXT:
                found.append(_problem(where, f"longer than {MOST_TEXT:,} characters", "give the reason in fewer words"))
            else:
                found += _written(text[start.end() :], where)
    return found


def acceptances_of(value: object, file: str, line: int | None) -> list[Record]:
    """What a template accepts without a comment: `"metadata": {"auditor": {"accept": [{"rule", "reason", "until"}]}}`.

    `value` is that `metadata`; `line` where the resource starts.
    """
    told = value.get("auditor") if isinstance(value, Mapping) else None
    told = told.get("accept") if isinstance(told, Mapping) else None
    where: Record = {"file": file, "line": line}
    if told is None:
        return []
    entries = told if isinstance(told, list) else [told]
    found: list[Record] = []
    for entry in entries[:MOST_LINES]:
        said = {key: entry.get(key) for key in ("rule", "reason", "until")} if isinstance(entry, Mapping) else {}
        if not said or not all(value is None or isinstance(value, str) for value in said.values()):
            found.append(_problem(where, "metadata.auditor.accept is no list of rule, reason and until", ""))
        else:
            rules = [rule.strip() for rule in (said["rule"] or "").split(",") if rule.strip()]
            found += _checked(rules, said["reason"] or "", said["until"] or "", where)
    return found


def loose(records: Iterable[Record]) -> Iterator[Document]:
    """The document of what a file accepts beside nothing: it holds for nothing, and its author is to hear of it."""
    by_file: dict[str, list[Record]] = {}
    for record in records:
        by_file.setdefault(str(record["file"]), []).append(record)
    for file, told in sorted(by_file.items()):
        yield {"id": f"/auditor/acceptances/{file}", "type": ACCEPTED_IN_CODE, "$accept": told[:MOST_LINES]}


def _written(text: str, where: Record) -> Iterator[Record]:
    text = text.rstrip().removesuffix("*/")
    rules = _RULES.match(text)
    if rules is None:
        yield _problem(where, "auditor:accept names no rule", _FORM)
        return
    at, said = rules.end(), {"reason": "", "until": ""}
    while at < len(text) and text[at:].strip():
        word = _WORD.match(text, at)
        if word is None or word[1].lower() not in said:
            odd = text[at:].split()[0][:40]
            yield _problem(where, f'auditor:accept: "{odd}" is not understood', _FORM)
            return
        said[word[1].lower()] = re.sub(r"\\(.)", r"\1", word[2]) if word[2] is not None else word[3]
        at = word.end()
    yield from _checked([rule.strip() for rule in rules[1].split(",")], said["reason"], said["until"], where)


def _checked(rules: list[str], reason: str, until: str, where: Record) -> Iterator[Record]:
    problem = ""
    if not rules or len(rules) > MOST_RULES:
        problem = f"names more than {MOST_RULES} rules" if rules else "names no rule"
    elif not reason.strip():
        problem = "gives no reason"
    elif len(reason) > MOST_TEXT:
        problem = f"gives a reason of more than {MOST_TEXT:,} characters"
    elif not until:
        problem = "gives no last day"
    elif not _is_day(until):
        problem = f'"{until[:40]}" is not a day'
    if problem:
        yield _problem(where, f"auditor:accept {problem}" if problem[0] != '"' else f"auditor:accept: {problem}", _FORM)
        return
    for rule in dict.fromkeys(rules):
        yield {"rule": rule, "reason": reason.strip(), "until": until, **where}


def _is_day(text: str) -> bool:
    try:
        return len(text) == 10 and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _problem(where: Record, problem: str, hint: str) -> Record:
    return {**where, "problem": problem, "hint": hint}

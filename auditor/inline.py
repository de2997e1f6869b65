"""Acceptances written in the code: what holds for which resource, and what is wrong with the others.

A comment speaks of the resource that it stands beside, whatever that is called in the end, and of the parts of it that
have no code of their own, such as the services of a storage account. It ends with its last day, which is 12 months
ahead at most: whoever reads the code later is to look at it again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date
from difflib import get_close_matches
from typing import Any

import msgspec

from auditor.acceptances import MOST_DAYS, Acceptance, AcceptanceFile, Acceptances
from auditor.documents import Collection, normal_id


class Mistake(msgspec.Struct, frozen=True, kw_only=True):
    """An acceptance that does not hold, because of how it is written."""

    file: str
    line: int | None
    problem: str
    hint: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.problem}{f' ({self.hint})' if self.hint else ''}"


def with_written(
    acceptances: Acceptances, collection: Collection, rules: Iterable[str]
) -> tuple[Acceptances, list[Mistake]]:
    """The acceptances with those that the documents of files carry, and the mistakes in these; `rules` are all ids.

    Of Azure itself nothing is accepted this way: what it holds is not its reader's to accept.
    """
    if collection.run.source == "azure":
        return acceptances, []
    known = sorted(rules)
    beside: dict[str, list[Acceptance]] = {}
    mistakes: dict[Mistake, None] = {}
    for document in collection.documents:
        told = document.get("$accept")
        for record in told if isinstance(told, list) else ():
            found = _read(record, known, acceptances.today)
            if isinstance(found, Mistake):
                mistakes[found] = None
            elif found not in (here := beside.setdefault(normal_id(str(document.get("id") or "")), [])):
                here.append(found)
    made = {key: tuple(sorted(found, key=_place)) for key, found in sorted(beside.items())}
    return msgspec.structs.replace(acceptances, beside=made), sorted(mistakes, key=_where)


def _read(record: Mapping[str, Any], known: list[str], today: str) -> Acceptance | Mistake:
    file, line = str(record.get("file") or ""), record.get("line")

    def wrong(problem: str, hint: str = "") -> Mistake:
        return Mistake(file=file, line=line, problem=problem, hint=hint)

    if "problem" in record:
        return wrong(str(record["problem"]), str(record.get("hint") or ""))
    rule, until = str(record["rule"]), str(record["until"])
    if rule not in known:
        near = get_close_matches(rule, known, n=1)
        return wrong(
            f'auditor:accept: there is no rule "{rule}"', f'did you mean "{near[0]}"?' if near else "auditor rules list"
        )
    days = (date.fromisoformat(until) - date.fromisoformat(today)).days if today else 0
    if days > MOST_DAYS:
        return wrong(f"auditor:accept until {until} is {days} days ahead", "12 months at most")
    written = AcceptanceFile(rule=rule, reason=str(record["reason"]), approved_by="", created="", expires=until)
    said = "\n".join(["in code", rule, file, str(line), until, written.reason])
    return Acceptance(key=hashlib.sha256(said.encode()).hexdigest()[:12], written=written, file=file, line=line)


def _place(acceptance: Acceptance) -> tuple[str, int, str]:
    return acceptance.file, acceptance.line or 0, acceptance.key


def _where(mistake: Mistake) -> tuple[str, int, str]:
    return mistake.file, mistake.line or 0, mistake.problem

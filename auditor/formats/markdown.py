"""The report as Markdown: all of it for a wiki or an archive, and a summary for pull requests and job pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from itertools import count
from typing import Any

import jinja2

from auditor.formats import frameworks, words
from auditor.formats.affected import Affected, columns
from auditor.formats.locations import Block, blocks, failing, placer
from auditor.formats.safe import m, m_block, m_code, m_prose
from auditor.formats.templates import environment
from auditor.formats.view import View, build_view
from auditor.report import Report
from auditor.sums import last_line

MOST_AFFECTED = 50  # of each rule
MOST_UNSET = 10  # of a rule that fails only since no log is set at all
SUMMARY = "summary.md.j2"
MOST_RULES = 10  # in the summary
MOST_PLACES = 10  # in the summary
MOST_CHARACTERS = 30_000  # of the summary: GitHub takes 65,536, and others write into the same comment
CUT = "\n\n*Shortened; the full report has the rest.*\n"


class Markdown(str):
    """Text that is Markdown already: everything else is escaped when it is written."""

    __slots__ = ()


def render(report: Report) -> str:
    """The whole report: the sections and figures of the HTML report, in tables of GitHub's Markdown."""
    return _written("report.md.j2", build_view(report))


def render_summary(report: Report) -> str:
    """At most ten rules and 30,000 characters; the first line is a marker that names the comment to replace."""
    view = build_view(report)
    text = ""
    for less in ({}, {"gaps_shown": 0}, {"gaps_shown": 0, "places": []}):  # never cut inside of a `<details>`
        text = _written(SUMMARY, view, **less)
        if len(text) <= MOST_CHARACTERS:
            return text
    return text[: MOST_CHARACTERS - len(CUT)].rpartition("\n")[0] + CUT


def places(report: Report) -> list[tuple[str, str, str, str]]:
    """Severity, rule, what fails and where it is written, gravest first, of what somebody has to mend.

    That is what is new, where there is a baseline, and else everything in code; nothing where Azure was read alone.
    """
    if report.baseline is None and report.run.source == "azure":
        return []
    made = blocks(failing(report), placer(report))
    return [(block.first.severity, block.first.rule, block.text, _where(block)) for block in made]


def _where(block: Block) -> str:
    place = block.place
    if not place.written:
        return block.first.subject.name
    return f"{place.file}:{place.line}" if place.line else f"{place.file} {place.address}".strip()


def _written(name: str, view: View, **more: Any) -> str:
    template = _environment().get_template(name)
    text = template.render(
        view=view,
        report=view.report,
        words=words,
        frameworks=frameworks,
        last_line=last_line(view.report),
        head=partial(_heading, count(1)),
        most_affected=MOST_AFFECTED,
        most_unset=MOST_UNSET,
        most_rules=MOST_RULES,
        most_places=MOST_PLACES,
        **({"gaps_shown": MOST_RULES, "places": places(view.report) if name == SUMMARY else []} | more),
    )
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE)).strip() + "\n"


def _heading(numbers: Iterator[int], target: str, title: str) -> Markdown:
    """The next section's heading under an address that is the same wherever the file is shown."""
    return Markdown(f'<a id="{target}"></a>\n\n## {next(numbers)}. {title}')


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    return environment(
        lambda value: value if isinstance(value, Markdown | int) else m(value),
        autoescape=False,
        filters={
            "n": _made(lambda value: f"{value:,}" if value else "–"),
            "num": _made(lambda value: f"{value:,}"),
            "prose": _made(m_prose),
            "block": _made(m_block),
            "code": _made(m_code),
            "link": _made(lambda text, target: f"[{m(text)}](#{target_of(target)})"),
            "anchor": _made(lambda target: f'<a id="{target_of(target)}"></a>'),
            "url": _made(url),
            "marker": _made(lambda text: target_of(text)[:80] or "none"),
            "cells": _made(lambda values: " | ".join(m(value) for value in values)),
            "affected": _made(affected_table),
            "short": lambda text, most=120: text if len(text) <= most else f"{text[:most]}…",
        },
    )


def _made(make: Callable[..., str]) -> Callable[..., Markdown]:
    return lambda *given: Markdown(make(*given))


def affected_table(item: Affected, most: int) -> str:
    """The affected resources of a rule as a table, without columns in which nothing stands."""
    used = columns(item)
    rows = item.rows[:most]
    detail = any(row.text or row.evidence for row in rows)
    heads = ["Subject", *(head for head, _ in used), "State", *(["What was found"] if detail else [])]
    lines = [heads, ["-"] * len(heads)]
    for row in rows:
        found = f"{m(row.text)} ({m(row.evidence)})" if row.text and row.evidence else m(row.text or row.evidence)
        lines.append(
            [
                f'<a id="{target_of(row.anchor)}"></a>{m(row.name)}',
                *(m(get(row)) for _, get in used),
                words.STATUS_WORDS[row.finding.status],
                *([found] if detail else []),
            ]
        )
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def target_of(text: str) -> str:
    """An id that is safe in an attribute and in the address of a link; rule ids stay as they are."""
    return re.sub(r"[^\w.]+", "-", text, flags=re.ASCII).strip("-")


def url(address: str) -> str:
    """A reference as a link where it is a plain https address, else as text."""
    return f"<{address}>" if re.fullmatch(r"https://[\w./?=&%#~+:,;@-]+", address, re.ASCII) else m(address)

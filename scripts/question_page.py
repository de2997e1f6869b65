"""The page of what the library was to answer: each question with its rules, or why it has none."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from rule_pages import ROOT

from auditor.formats.rule_page import area_name
from auditor.formats.safe import m
from auditor.formats.words import count
from auditor.strict_yaml import load

WRITTEN, FILE = ROOT / "docs" / "questions.yaml", "docs/questions.md"
AREAS = {
    "AL": "activity", "SK": "destinations", "EN": "entra", "NW": "network", "ST": "storage", "KV": "keyvault",
    "DB": "databases", "AP": "compute", "DG": "general", "AT": "alerts", "DF": "defender",
}  # fmt: skip
INTRO = """\
# What is asked

{total}, by area, with the rules that ask each. What stands under *left out* is not judged, for the reason given;
the README tells what helps meanwhile. A rule's page says exactly what it asks, and what its tests hold it to.
"""


def questions() -> list[dict[str, Any]]:
    """The questions as written."""
    written, _ = load(WRITTEN.read_text(encoding="utf-8"), str(WRITTEN))
    return list(written)


def page() -> str:
    """The questions by area, with links to the pages of their rules."""
    listed = questions()
    lines = [INTRO.format(total=count(len(listed), "question"))]
    for prefix, members in groupby(listed, key=lambda one: str(one["row"])[:2]):
        lines += [f"## {area_name(AREAS[prefix])}", "", "| | Question | Rules | Left out |", "|-|-|-|-|"]
        for one in members:
            named = ", ".join(f"[{rule}](rules/{rule}.md)" for rule in one.get("rules", []))
            lines.append(f"| {m(one['row'])} | {m(one['asks'])} | {named} | {m(one.get('not', ''))} |")
        lines.append("")
    return "\n".join(lines)

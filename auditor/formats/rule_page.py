"""A rule as a page of Markdown: what it asks, why, how to mend it, what its tests say counts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from string import Template

from auditor.formats.safe import m, m_block, m_code, m_prose
from auditor.formats.words import REMEDIES, count, setting, technique
from auditor.rule import PLACEHOLDERS, Rule, area

AREAS = {
    "activity": "Activity Log",
    "destinations": "Where logs go",
    "entra": "Entra ID and Intune",
    "network": "Network",
    "storage": "Storage",
    "keyvault": "Secrets",
    "databases": "Databases",
    "compute": "Compute and applications",
    "general": "Every resource",
    "alerts": "Alerts",
    "defender": "Defender and Sentinel",
}
_PLACES = {name: f"<{name}>" for name in PLACEHOLDERS}  # what a report fills in for each subject
_CONDITION = ("resource", "where", "per", "require", "severity_when", "params")


def area_name(key: str) -> str:
    """What an area is called."""
    return AREAS.get(key, key.replace("-", " ").capitalize() or "Rules")


def by_area(rules: Iterable[Rule]) -> list[tuple[str, list[Rule]]]:
    """The rules of each area by id, areas in their usual order, those of one's own last."""
    order = list(AREAS)

    def place(rule: Rule) -> tuple[int, str]:
        key = area(rule)
        return (order.index(key) if key in AREAS else len(order), key)

    ordered = sorted(rules, key=lambda rule: (place(rule), rule.id))
    return [(key, list(members)) for (_, key), members in groupby(ordered, key=place)]


def page(rule: Rule, text: str) -> str:
    """The page of one rule; `text` is its file, of which what it asks is shown as it is written."""
    return "\n\n".join(part for part in _parts(rule, text) if part) + "\n"


def _parts(rule: Rule, text: str) -> Iterator[str]:
    info = rule.info
    yield f"# {m(info.title)}"
    yield f"{m_code(info.id)} · {info.severity} · {m(area_name(area(rule)))}"
    if rule.optional:
        yield "Optional: it judges only where its id is named, by `--select` or under `rules.select` of a profile."
    if info.severity_when:
        yield "\n".join(f"- {case.severity} if {m(case.because)}" for case in info.severity_when)
    yield m_prose(info.rationale)
    yield "## What is asked"
    yield m_block("\n".join(_condition(text)), "yaml")
    if info.params:
        yield "Your own values for its parameters go under `rules.params` of the configuration:"
        yield "\n".join(f"- {m_code(key)}: {m(setting(value))}" for key, value in info.params.items())
    if info.blind_to:
        yield "## What nobody can answer without it"
        yield "\n".join(f"- {m(question)}" for question in info.blind_to.questions)
        if info.blind_to.attack:
            version = f" (version {m(info.blind_to.attack_version)})" if info.blind_to.attack_version else ""
            yield f"ATT&CK{version}: {'; '.join(m(technique(one)) for one in info.blind_to.attack)}"
    yield "## How to mend it"
    for way, told in info.remediation.items():
        label, language = REMEDIES.get(way, (way, ""))
        yield f"{m(label)}:"
        shown = Template(told).safe_substitute(_PLACES)
        yield m_prose(shown) if way == "portal" else m_block(shown, language)
    yield "## What counts"
    yield "Its tests say:"
    yield "\n".join(f"- {m(test.name)}" for test in rule.tests)
    if info.frameworks:
        yield "## What it maps to"
        lines = [f"| {m(name)} | {m(', '.join(controls))} |" for name, controls in info.frameworks.items()]
        yield "\n".join(["| Framework | Controls |", "|-|-|", *lines])
    if info.references:
        yield "## References"
        yield "\n".join(f"- {_link(link)}" for link in info.references)


def _condition(text: str) -> Iterator[str]:
    """The lines of the file that say what is judged, and what is asked of it."""
    inside = False
    for line in text.splitlines():
        key = re.match(r"([a-z_]+):", line)
        if key:
            inside = key[1] in _CONDITION
        elif line and not line[0].isspace():
            inside = False
        if inside and line.strip():
            yield line


def _link(address: str) -> str:
    plain = re.fullmatch(r"https://[\w./?=&%#~+:,;@-]+", address, re.ASCII)
    return f"<{address}>" if plain else m(address)


def index(rules: Sequence[Rule]) -> str:
    """The list of all rules by area, each with a link to its page."""
    lines = ["# Rules", "", f"{count(len(rules), 'rule')}, by area. Each page is made from the rule's own file."]
    for key, members in by_area(rules):
        lines += ["", f"## {m(area_name(key))}", "", "| Rule | What ought to hold | Severity |", "|-|-|-|"]
        for rule in members:
            graver = ", ".join(dict.fromkeys(case.severity for case in rule.info.severity_when))
            severity = f"{rule.info.severity} (or {graver})" if graver else rule.info.severity
            severity += ", optional" if rule.optional else ""
            lines.append(f"| [{m(rule.id)}]({rule.id}.md) | {m(rule.info.title)} | {severity} |")
    return "\n".join(lines) + "\n"

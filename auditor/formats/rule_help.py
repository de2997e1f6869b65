"""What to read and do about a rule that fails, for places that show one finding at a time."""

from __future__ import annotations

import re
from string import Template
from typing import Final

from auditor.formats.safe import m, m_block, m_prose, visible
from auditor.formats.words import REMEDIES, capital, technique
from auditor.report import RuleInfo

# What a report fills in for each subject; the text of a rule is the same for all.
PLACES: Final = {
    name: f"<{name}>"
    for name in ("id", "name", "type", "location", "subscription", "subscription_name", "resource_group", "missing")
}
_HTTPS = re.compile(r"https://[\w./?=&%#~+:,;@-]+", re.ASCII)


def pascal(rule_id: str) -> str:
    """A rule's id as `KeyvaultAuditLogs`."""
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^0-9A-Za-z]+", rule_id)) or "Rule"


def first_link(info: RuleInfo) -> str:
    """The first of a rule's references that is a plain https address; empty where none is."""
    return next((link for link in info.references if _HTTPS.fullmatch(link)), "")


def prose(text: str, most: int) -> str:
    """A rule's prose in one line, cut where it is too long."""
    words = " ".join(visible(text, lines=True).split())
    return words if len(words) <= most else f"{words[: most - 1]}…"


def help_text(info: RuleInfo) -> str:
    """Why it matters and how to mend it, in plain text."""
    parts = [prose(info.rationale, 4000)]
    if info.blind_to and info.blind_to.questions:
        parts.append(
            "\n".join(["Nobody can answer without it:", *(f"- {visible(q)}" for q in info.blind_to.questions)])
        )
    parts += [f"{visible(label)}:\n{visible(text, lines=True).rstrip()}" for label, _, text in _remedies(info)]
    return "\n\n".join(part for part in parts if part)


def help_markdown(info: RuleInfo) -> str:
    """The same in Markdown, with the rule's references."""
    parts = [m_prose(info.rationale)]
    if info.blind_to and info.blind_to.questions:
        parts.append("**Nobody can answer without it**")
        parts.append("\n".join(f"- {m(question)}" for question in info.blind_to.questions))
        if info.blind_to.attack:
            parts.append(f"ATT&amp;CK: {'; '.join(m(technique(one)) for one in info.blind_to.attack)}")
    for label, language, text in _remedies(info):
        parts.append(f"**{m(label)}**")
        parts.append(m_block(text, language) if language else m_prose(text))
    links = [f"- <{link}>" for link in info.references if _HTTPS.fullmatch(link)]
    parts += ["**References**", "\n".join(links)] if links else []
    return "\n\n".join(part for part in parts if part)


def _remedies(info: RuleInfo) -> list[tuple[str, str, str]]:
    """Each way to mend it: its label, the language of its text, the text with words for what a subject fills in."""
    return [
        (*REMEDIES.get(way, (capital(way), "")), Template(text).safe_substitute(PLACES))
        for way, text in info.remediation.items()
    ]

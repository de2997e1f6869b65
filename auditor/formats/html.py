"""The report as one HTML file: no request, complete with scripts off, from a phone to printed A4."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import jinja2
from markupsafe import Markup

from auditor.documents import name_of
from auditor.formats import frameworks, words
from auditor.formats.affected import Affected, columns
from auditor.formats.safe import h, h_lines, h_prose, visible
from auditor.formats.templates import environment, source
from auditor.formats.view import View, build_view
from auditor.report import Report, State, Status
from auditor.sums import Tally

STATE_CLASS: dict[State, str] = {"exported": "e", "partly": "p", "missing": "x", "accepted": "a", "unassessed": "q"}
STATUS_CLASS: dict[Status, str] = {"pass": "e", "fail": "x", "unknown": "q", "not-applicable": "a", "accepted": "a"}
PRINTED_ROWS = 25  # of each rule, as in report.css; the rest is on screen and in the JSON


def render(report: Report, rows: int = 200) -> str:
    """The whole report; above 5,000 findings the first `rows` of each rule."""
    view = build_view(report, rows)
    return _environment().get_template("report.html.j2").render(view=view, report=report, **_globals())


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    return environment(
        lambda value: value if isinstance(value, Markup | int) else visible(value),
        autoescape=True,
        filters={
            "n": number,
            "num": lambda value: f"{value:,}",
            "prose": h_prose,
            "lines": h_lines,
            "path": breakable,
            "host": link_text,
            "affected_rows": affected_rows,
            "affected_heads": affected_heads,
            "codes": lambda items: Markup(", ").join(Markup("<code>{}</code>").format(visible(i)) for i in items),
        },
    )


@lru_cache(maxsize=1)
def _globals() -> dict[str, Any]:
    style, script = squeeze(source("report.css")), source("report.js").strip()
    return {
        "style": Markup(style),  # noqa: S704 - ours
        "script": Markup(script),  # noqa: S704 - ours
        "style_hash": digest(style),
        "script_hash": digest(script),
        "bar": bar,
        "strip": strip,
        "level": level,
        "resource_rows": resource_rows,
        "state_class": STATE_CLASS,
        "status_class": STATUS_CLASS,
        "printed_rows": PRINTED_ROWS,
        "name_of": name_of,
        "words": words,
        "frameworks": frameworks,
    }


def digest(text: str) -> str:
    """What a Content-Security-Policy calls a style or script by."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def squeeze(css: str) -> str:
    """A style sheet without comments, indentation and line ends."""
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    return re.sub(r"\s*\n\s*", "", css).strip()


def number(value: int) -> str:
    """`1,284`; a dash for nothing, so that what is there stands out."""
    return f"{value:,}" if value else "–"


def link_text(url: str) -> str:
    """A reference as a link is named: its host and its last part."""
    parts = urlsplit(url)
    last = name_of(parts.path)
    return f"{parts.netloc.removeprefix('www.')}{f': {last}' if last else ''}"


def breakable(path: str) -> Markup:
    """A path that may wrap after its slashes."""
    return Markup(str(h(path)).replace("/", "/<wbr>"))  # noqa: S704 - escaped before


# --- pictures: lengths are path data, because the policy allows no style attribute ----------------------------------


def bar(tally: Tally, width: float, height: float, gap: float) -> Markup:
    """The composition of a tally as stroked paths, exported first; nothing that exists is too thin to see."""
    parts = [(STATE_CLASS[state], getattr(tally, state)) for state in STATE_CLASS if getattr(tally, state)]
    if not parts:
        return Markup("")
    least = width / 125
    free = width - gap * (len(parts) - 1)
    lengths = [max(least, free * value / tally.expected) for _, value in parts]
    scale = free / sum(lengths)
    paths, x = [], 0.0
    for (name, _), length in zip(parts, lengths, strict=True):
        paths.append(f'<path class={name} d="M{x:.5g} {height / 2:g}h{length * scale:.4g}"/>')
        x += length * scale + gap
    return Markup("").join(map(Markup, paths))


def strip(tally: Tally) -> Markup:
    """Coverage on a line: exported of assessed as a mark, the range that the unassessed leave open as a hatch."""
    if not tally.expected:
        return Markup("")
    low, high = tally.low * 120, tally.high * 120
    parts = ["<path class=t stroke-width=1 d=M0,4.5h120 />"]
    if low:
        parts.append(f'<path class=e d="M0 4.5h{low:.4g}"/>')
    if high > low:
        parts.append(f'<path class=q d="M{low:.4g} 4.5h{high - low:.4g}"/>')
    if tally.coverage is not None:
        parts.append(f'<path class=i stroke-width=9 d="M{min(118.0, max(0.0, tally.coverage * 120 - 1)):.4g} 4.5h2"/>')
    return Markup("").join(map(Markup, parts))


def level(tally: Tally) -> str:
    """The class of a cell of the map: how much of what was assessed is exported."""
    if not tally.assessed:
        return "q"
    if tally.accepted == tally.assessed:
        return "a"
    share = tally.coverage or 0
    return "e full" if share >= 1 else "e most" if share >= 0.5 else "p some" if share else "x"


# --- rows: thousands of them, so they are joined here ---------------------------------------------------------------


def affected_heads(item: Affected) -> list[str]:
    """The heads of the table of affected resources: only columns in which something stands."""
    detail = ["What was found"] if any(row.text or row.evidence for row in item.rows) else []
    kind = words.subjects(item.result, 1)
    return [kind[:1].upper() + kind[1:], *(head for head, _ in columns(item)), "State", *detail]


def affected_rows(item: Affected) -> Markup:
    """One row for every finding of a rule that failed or could not be told."""
    used = [get for _, get in columns(item)]
    detail = any(row.text or row.evidence for row in item.rows)
    told: dict[str, str] = {}
    lines = []
    for row in item.rows:
        status = row.finding.status
        cells = "".join(f"<td>{_once(get(row), told)}" for get in used)
        note = ""
        if detail:
            note = f"<td>{_once(row.text, told)}"
            if row.evidence:
                note += f" <small>{_once(row.evidence, told)}</small>"
        lines.append(
            f'<tr id="{h(row.anchor)}"><th>{h(row.name)}{cells}'
            f"<td><i class={STATUS_CLASS[status]}>{words.STATUS_WORDS[status]}</i>{note}"
        )
    return Markup("\n".join(lines))  # noqa: S704 - every value went through `h`


def resource_rows(view: View) -> Markup:
    """One row for every resource of appendix A."""
    told: dict[str, str] = {}
    lines = []
    for resource in view.resources:
        row, counted = resource.row, resource.tally
        figures = "".join(f"<td>{number(getattr(counted, state))}" for state in view.states)
        lines.append(
            f"<tr id={resource.anchor}><th>{h(row.name)}<td>{_once(resource.label, told)}"
            f"<td>{_once(words.group_of(row), told)}<td>{_once(resource.scope, told)}"
            f"<td>{counted.expected:,}{figures}<td><i class={STATE_CLASS[resource.state]}>{resource.word}</i>"
        )
    return Markup("\n".join(lines))  # noqa: S704 - every value went through `h`


def _once(text: str, told: dict[str, str]) -> str:
    """Escaped once for every distinct value: groups, scopes and regions repeat in thousands of rows."""
    if text not in told:
        told[text] = str(h(text))
    return told[text]

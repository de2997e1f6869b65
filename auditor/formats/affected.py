"""The findings of one rule as a table shows them: what they share said once, the rest row by row."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from auditor.documents import name_of
from auditor.formats.remedies import remedies
from auditor.formats.words import apart, capital, group_of, listing, type_label
from auditor.report import Finding
from auditor.sums import RuleResult

MOST_EVIDENCE = 200  # characters of evidence in a row
LINE = 100
MOST_LINES = 6000  # characters of evidence in full


class AffectedRow(msgspec.Struct, frozen=True, kw_only=True):
    """One failed or unknown finding."""

    finding: Finding
    anchor: str  # f-<8 hex digits>, stable over scans
    name: str
    scope: str
    severity: str  # where not all have one: with the reason for what is not the rule's own
    kind: str  # its type, where the rule judges several
    place: str  # resource group, or file and line of a template
    text: str  # what was found, where it differs from what all share
    evidence: str  # in short, where it differs from what most failures share


class Affected(msgspec.Struct, frozen=True, kw_only=True):
    """One rule with its failed findings first, then those that could not be told."""

    result: RuleResult
    shared: str  # what was found, said once for all that fail
    usual: str  # the evidence that most failures share, in short
    rows: list[AffectedRow]
    left_out: int
    evidence_of: str  # name of the subject whose evidence is in full
    evidence: str  # JSON
    from_template: bool
    remedies: list[tuple[str, str]]  # way and text, written for the first subject
    remedy_for: str


def affected(result: RuleResult, names: Mapping[str, str], most: int | None, *, evidence: bool) -> Affected:
    """The rule's failed and unknown findings, at most `most` of them; `evidence`: a word of it in every row."""
    findings = [*result.failed, *result.unknown]
    shown = findings if most is None else findings[:most]
    texts = Counter(_text(finding) for finding in result.failed)
    most_said, times = texts.most_common(1)[0] if texts else ("", 0)
    shared = most_said if times > 1 or len(result.failed) == 1 else ""
    first = next((f for f in findings if f.evidence), None)
    usual = _usual(result.failed) if evidence else {}
    mixed = any(finding.severity_because for finding in findings)
    several = len({finding.subject.type.lower() for finding in findings}) > 1
    rows = [
        AffectedRow(
            finding=finding,
            anchor=f"f-{finding.fingerprint[:8]}",
            name=subject_name(finding, names),
            scope=_scope(finding, names),
            severity=_severity(finding) if mixed else "",
            kind=type_label(finding.subject.type) if several else "",
            place=_place(finding),
            text="" if _text(finding) == shared else _text(finding),
            evidence=_apart(finding, usual) if evidence and len(findings) > 1 else "",
        )
        for finding in shown
    ]
    return Affected(
        result=result,
        shared=result.failed[0].message if len(result.failed) == 1 else shared,
        usual=_short(usual) if len(result.failed) > 1 else "",
        rows=rows,
        left_out=len(findings) - len(shown),
        evidence_of=subject_name(first, names) if first else "",
        evidence=_full(first.evidence) if first else "",
        from_template=any(finding.subject.origin is not None for finding in shown),
        remedies=remedies(findings[0], result.info.remediation, names),
        remedy_for=subject_name(findings[0], names),
    )


def columns(item: Affected) -> list[tuple[str, Callable[[AffectedRow], str]]]:
    """How grave it is for the affected, and where they are: only columns in which something stands."""
    possible: tuple[tuple[str, Callable[[AffectedRow], str]], ...] = (
        ("Severity", lambda row: row.severity),
        ("Type", lambda row: row.kind),
        ("Written in" if item.from_template else "Resource group", lambda row: row.place),
        ("Subscription", lambda row: row.scope),
        ("Location", lambda row: row.finding.subject.location),
    )
    return [(head, get) for head, get in possible if any(get(row) for row in item.rows)]


def subject_name(finding: Finding, names: Mapping[str, str]) -> str:
    """The subject's name; in that of a group, such as `<subscription id>/westeurope`, the subscription's name."""
    subject = finding.subject
    if subject.name != subject.id or subject.id.startswith("/"):
        return subject.name or subject.id
    return " / ".join(names.get(part.lower(), part) for part in subject.name.split("/"))


def _text(finding: Finding) -> str:
    """The message as the rest of a line that starts with the subject's name."""
    name, message = finding.subject.name, finding.message
    for start, lead in ((f"Cannot tell for {name}: ", ""), (f"{name} ", "… "), (f"{name}: ", "")):
        if name and message.startswith(start):
            return lead + message[len(start) :].removeprefix(f"({finding.subject.type}) ")
    return re.sub(rf"(?<![\w./-]){re.escape(name)}(?![\w/-])", "…", message, count=1) if name else message


def _severity(finding: Finding) -> str:
    """`Critical: a management port is open`, or `High`."""
    word = capital(finding.severity)
    return f"{word}: {finding.severity_because}" if finding.severity_because else word


def _scope(finding: Finding, names: Mapping[str, str]) -> str:
    subscription = finding.subject.subscription
    return names.get(subscription.lower(), subscription) if subscription else ""


def _place(finding: Finding) -> str:
    origin = finding.subject.origin
    if origin is None:
        return group_of(finding.subject)
    return f"{origin.file}:{origin.line}" if origin.line else origin.address or origin.file


def _full(evidence: Mapping[str, Any]) -> str:
    text = _json(evidence)
    return text if len(text) <= MOST_LINES else f"{text[:MOST_LINES]}\n… more in the JSON"


def _json(value: Any, indent: str = "") -> str:
    """JSON that takes a line for what fits into one."""
    flat = json.dumps(value, ensure_ascii=False, default=str)
    if len(indent) + len(flat) <= LINE or not value or not isinstance(value, dict | list | tuple):
        return flat
    inner = indent + "  "
    if isinstance(value, dict):
        items = [f"{inner}{json.dumps(str(key), ensure_ascii=False)}: {_json(v, inner)}" for key, v in value.items()]
        return "{\n" + ",\n".join(items) + f"\n{indent}}}"
    return "[\n" + ",\n".join(f"{inner}{_json(item, inner)}" for item in value) + f"\n{indent}]"


# Evidence that a row says elsewhere: in its columns, in its message, in its state.
_SAID = frozenset({"id", "name", "type", "location", "subscription", "resource_group", "missing", "unsure"})


def _usual(failed: Sequence[Finding]) -> dict[str, Any]:
    """The evidence on which more than half of the failures agree."""
    values: dict[str, Any] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for finding in failed:
        for key, value in finding.evidence.items():
            written = json.dumps(value, default=str)
            counts[key, written] += 1
            values[key + written] = value
    return {key: values[key + written] for (key, written), times in counts.items() if times * 2 > len(failed)}


def _apart(finding: Finding, usual: Mapping[str, Any]) -> str:
    """What sets a finding apart from most; what is unknown is said in its message."""
    differs = {k: v for k, v in finding.evidence.items() if k not in usual or usual[k] != v}
    if finding.status == "unknown":
        differs = {k: v for k, v in differs.items() if not (isinstance(v, str) and v.startswith("unknown"))}
    return _short(differs)


def _short(evidence: Mapping[str, Any]) -> str:
    """`exposed ports: tcp/22 · settings: to-law`: a glance; the JSON has all of it."""
    alike: dict[str, list[str]] = {}  # what two names say alike is said once
    for key, value in evidence.items():
        if key not in _SAID:
            glance = _glance(value)
            alike.setdefault(glance if isinstance(value, list | tuple) and value else f"{key} {glance}", []).append(key)
    text = " · ".join(
        f"{listing([_plain_words(k) for k in keys])}: {_glance(evidence[keys[0]])}" for keys in alike.values()
    )
    return text if len(text) <= MOST_EVIDENCE else f"{text[:MOST_EVIDENCE]}…"


def _plain_words(path: str) -> str:
    """`facts.settings_count` as `log settings`, `properties.retentionInDays` as `retention in days`."""
    last = path.removeprefix("facts.").removeprefix("properties.")
    return _CALLED.get(last) or apart(last.replace("_", " ").replace(".", " "))


_CALLED = {
    "settings_count": "log settings",
    "settings_without_logs": "log settings without any log",
    "classic": "classic logging",
    "classic_retention_days": "days kept by classic logging",
    "retention_days": "days kept",
    "interactive_days": "days searchable",
    "lifecycle_days": "days until a lifecycle rule deletes",
    "daily_cap_gb": "daily cap in GB",
    "only_cover": "the only cover",
}


def _glance(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(_glance(item) for item in value) or "none"
    if isinstance(value, Mapping) and isinstance(value.get("destinations"), list):  # a log setting
        categories = value.get("categories") or ["no log"]
        places = [str(place).rpartition("/")[2] for place in value["destinations"]] or ["nowhere"]
        return f"{value.get('name')} ({listing(list(map(str, categories)))} → {listing(places)})"
    if isinstance(value, Mapping):
        return str(value["name"]) if "name" in value else json.dumps(value, ensure_ascii=False, default=str)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    text = str(value)
    return name_of(text) if text.lower().startswith("/subscriptions/") else text  # an id's end tells enough

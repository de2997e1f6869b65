"""The failures as SARIF 2.1.0, in the subset and within the limits of GitHub code scanning."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

import msgspec

from auditor.formats.locations import Block, Place, blocks, failing, placer, unread_told
from auditor.formats.rule_help import first_link, help_markdown, help_text, pascal, prose
from auditor.formats.safe import visible
from auditor.formats.words import count, moment
from auditor.report import Finding, Report, RuleInfo, Severity

MOST_RESULTS: Final = 5_000  # GitHub keeps as many of a run, the gravest
MOST_TEXT: Final = 1_000
MOST_TAGS: Final = 10
MOST_REASONS: Final = 3
MOST_FINDINGS: Final = 100
SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS: Final[dict[Severity, str]] = {
    "critical": "error",
    "high": "error",
    "medium": "warning",
    "low": "note",
    "info": "note",
}
# GitHub reads its severities from these figures: critical is over 9.0, high from 7.0, medium from 4.0.
_SCORES: Final[dict[Severity, str]] = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "3.0", "info": "1.0"}


def render(report: Report) -> str:
    """One run: what fails as results, what could not be told as notifications; neither accepted nor known failures.

    With a strict gate, what could not be told and counts against it is a result as well, and says so.
    """
    place_of = placer(report)
    found = blocks(failing(report), place_of)
    shown = found[:MOST_RESULTS]
    unknown = [finding for finding in report.findings if finding.status == "unknown"]
    told = {block.first.rule for block in shown} | {finding.rule for finding in unknown}
    rules = [info for info in report.rules if info.id in told]
    index = {info.id: number for number, info in enumerate(rules)}
    run = {
        "tool": {
            "driver": {
                "name": "Azure Logging Auditor",
                "fullName": f"Azure Logging Auditor {visible(report.run.tool_version)}".strip(),
                **({"semanticVersion": report.run.tool_version} if _is_version(report.run.tool_version) else {}),
                "rules": [_rule(info) for info in rules],
            }
        },
        "automationDetails": {"id": _automation(report, [block.place for block in found])},
        "invocations": [_invocation(report, unknown, index, found, len(shown))],
        "columnKind": "utf16CodeUnits",
        "results": [_result(block, index) for block in shown],
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return msgspec.json.format(msgspec.json.encode(log)).decode() + "\n"


def _rule(info: RuleInfo) -> dict[str, Any]:
    link = first_link(info)
    attack = info.blind_to.attack if info.blind_to else []
    tags = ["security", "azure", "logging", *(visible(one)[:60] for one in attack)]
    return {
        "id": visible(info.id),
        "name": pascal(info.id)[:255],
        "shortDescription": {"text": prose(info.title, MOST_TEXT)},
        "fullDescription": {"text": prose(info.rationale or info.title, MOST_TEXT)},
        **({"helpUri": link} if link else {}),
        "help": {"text": help_text(info), "markdown": help_markdown(info)},
        "defaultConfiguration": {"level": LEVELS[info.severity]},
        "properties": {
            "precision": "high",
            "security-severity": _SCORES[info.severity],
            "tags": list(dict.fromkeys(tags))[:MOST_TAGS],
        },
    }


def _result(block: Block, index: dict[str, int]) -> dict[str, Any]:
    first, place = block.first, block.place
    more: dict[str, Any] = {"severity": first.severity}
    if block.key != first.fingerprint:  # by which the findings file has them
        more["findings"] = [finding.fingerprint for finding in block.findings[:MOST_FINDINGS]]
    if first.status == "unknown":
        more["status"] = "unknown"
    if first.severity_because:
        more["severityBecause"] = _text(first.severity_because)
    return {
        "ruleId": visible(first.rule),
        **({"ruleIndex": index[first.rule]} if first.rule in index else {}),
        "kind": "fail",
        "level": LEVELS[first.severity],
        "message": {"text": _text(block.text)},
        "locations": [_location(place, first)],
        "partialFingerprints": {
            "auditor/v1": block.key,
            # Without a line there is nothing that an upload could work it out from, and alerts would become one.
            **({} if place.line else {"primaryLocationLineHash": f"{block.key}:1"}),
        },
        "properties": more,
    }


def _location(place: Place, finding: Finding) -> dict[str, Any]:
    region = {"startLine": place.line, **({"endLine": place.end_line} if place.end_line else {})} if place.line else {}
    names = [place.address, finding.subject.id]
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(visible(place.file), safe="/")},
            "region": region or {"startLine": 1},
        },
        "logicalLocations": [
            {"fullyQualifiedName": _text(name), "kind": "resource"} for name in dict.fromkeys(names) if name
        ],
    }


def _invocation(
    report: Report, unknown: Sequence[Finding], index: dict[str, int], found: Sequence[Block], shown: int
) -> dict[str, Any]:
    left_out = len(found) - shown
    results = sum(len(block.findings) for block in found if block.first.status == "unknown")
    notes = [_note(f"{count(left_out, 'result')} left out: only the gravest {MOST_RESULTS:,} are here.")]
    notes = notes if left_out else []
    if report.run.interrupted:
        notes.append(_note("The collection was interrupted; only what was read is judged."))
    if unread := unread_told(report):
        notes.append(_note(f"{unread}; what is in there is not judged."))
    if unknown:
        subjects = count(len(unknown), "finding")
        here = f"{'is' if len(unknown) == 1 else 'are'} no result here"
        if results:  # each in words that say so
            here = (
                f"{results:,} of them {'is a result' if results == 1 else 'are results'} here, since the gate is strict"
            )
        notes.append(_note(f"{subjects} could not be told, and {here}."))
    of_rule: dict[str, list[Finding]] = {}
    for finding in unknown:
        of_rule.setdefault(finding.rule, []).append(finding)
    for rule, findings in sorted(of_rule.items()):
        reasons = Counter(why.reason for finding in findings for why in finding.why_unknown)
        told = "; ".join(f"{reason} ({number:,})" for reason, number in reasons.most_common(MOST_REASONS))
        more = f"; and {len(reasons) - MOST_REASONS:,} more reasons" if len(reasons) > MOST_REASONS else ""
        text = f"{rule} could not be told for {len(findings):,}: {told or findings[0].message}{more}"
        number = {"index": index[rule]} if rule in index else {}
        notes.append({**_note(text), "associatedRule": {"id": visible(rule), **number}})
    times = {"startTimeUtc": report.run.started_at, "endTimeUtc": report.run.finished_at}
    return {
        "executionSuccessful": not report.run.interrupted,
        **{key: f"{when:%Y-%m-%dT%H:%M:%SZ}" for key, text in times.items() if (when := moment(text))},
        "toolExecutionNotifications": notes,
    }


def _note(text: str) -> dict[str, Any]:
    return {"level": "warning", "message": {"text": _text(text)}}


def _automation(report: Report, places: Sequence[Place]) -> str:
    """What keeps uploads of several inputs apart: what was read, and the tenant, or the one file."""
    files = {place.file for place in places if place.written}
    one = next(iter(files)) if len(files) == 1 else ""
    what = [report.run.source, report.run.tenant or report.run.root or one]
    return "".join(f"{re.sub(r'[^A-Za-z0-9_.-]+', '-', part)[:200]}/" for part in ["auditor", *what] if part)


def _text(text: str) -> str:
    """One message: nothing hidden in it, nothing that becomes a link, and not too long."""
    shown = visible(text).replace("](", "] (")
    return shown if len(shown) <= MOST_TEXT else f"{shown[: MOST_TEXT - 1]}…"


def _is_version(text: str) -> bool:
    return re.fullmatch(r"\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.-]+)?", text) is not None

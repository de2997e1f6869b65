"""The words that reports share: resource types, ATT&CK techniques, states and times as people say them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from auditor.documents import Run, name_of
from auditor.focus import words_of
from auditor.formats.names import TECHNIQUES, TYPES
from auditor.report import (
    AcceptanceInfo,
    Baseline,
    DestinationInfo,
    GateInfo,
    Report,
    RetirementInfo,
    Row,
    State,
    Status,
    Subject,
)
from auditor.sums import RuleResult, Tally

if TYPE_CHECKING:
    from auditor.formats.affected import Affected
    from auditor.formats.view import TypeRow

_TYPE_ORDER = {name: place for place, name in enumerate(TYPES)}

STATE_WORDS: dict[State, str] = {
    "exported": "exported",
    "partly": "partly",
    "missing": "missing",
    "accepted": "accepted",
    "unassessed": "not assessed",
}

STATUS_WORDS: dict[Status, str] = {
    "pass": "Passes",
    "fail": "Fails",
    "accepted": "Accepted",
    "unknown": "Unknown",
    "not-applicable": "Not applicable",
}

# What was read, where that is not Azure itself.
SOURCES = {
    "terraform-plan": "a Terraform plan",
    "terraform-state": "a Terraform state",
    "terraform": "Terraform code",
    "arm": "an ARM template",
    "bicep": "Bicep code",
    "what-if": "the result of a what-if",
    "bicep-snapshot": "a Bicep snapshot",
    "folder": "a folder of code",
}
LISTED_BY = {"arm": "Resource Manager", "graph+arm": "Resource Graph, and Resource Manager where that was silent"}

DESTINATION_KINDS = {
    "log-analytics": "Log Analytics",
    "storage": "Storage account",
    "event-hub": "Event hub",
    "partner": "Partner",
}

# What a destination tells of itself that bears on its logs; the findings file has all of it.
_ABOUT_LOGS = (
    "plan", "daily cap", "kept for less", "lifecycle", "immutability", "soft delete", "purge",
    "workspace transformation", "network rule", "shared keys", "shared access keys", "events stay", "clean-up",
    "capture",
)  # fmt: skip
_AS_USUAL = {
    "network rule": "Allow by default",
    "plan": "PerGB2018",
    "shared keys": "not allowed",
    "clean-up": "Delete",
}


def about(place: DestinationInfo) -> list[str]:
    """What a reader of the logs at a destination has to know, in a fixed order; first, why something is unknown."""
    details = place.details
    why = place.retention.removeprefix("unknown: ").removeprefix("the destination: ")
    shown = [key for key in details if key in _ABOUT_LOGS or key.endswith(" tables")]
    shown.sort(key=lambda key: (key not in _ABOUT_LOGS, _ABOUT_LOGS.index(key) if key in _ABOUT_LOGS else 0, key))
    open_end = place.retention.startswith("unknown: ") and place.exists is not False
    return [capital(why)] * open_end + [
        f"{key}: {details[key]}"
        for key in shown
        if not (key in _AS_USUAL and details[key].startswith(_AS_USUAL[key])) and not details[key].startswith("unknown")
    ]


REMEDIES = {
    "cli": ("Azure CLI", "sh"),
    "bicep": ("Bicep", "bicep"),
    "terraform": ("Terraform", "hcl"),
    "portal": ("Azure portal", ""),
}


def type_label(resource_type: str) -> str:
    """What people call a resource type; made from its name where it is not a well-known one."""
    label = TYPES.get(resource_type.lower())
    if label or not resource_type:
        return label or "Other"
    words = apart(resource_type.rpartition("/")[2])
    return words[:1].upper() + words[1:]


def type_order(resource_type: str) -> tuple[int, str]:
    """Where a type stands in the coverage map."""
    return _TYPE_ORDER.get(resource_type.lower(), len(_TYPE_ORDER)), resource_type.lower()


def apart(camel: str) -> str:
    """`retentionInDays` as `retention in days`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2})", " ", camel).split()
    return " ".join(word if re.fullmatch("[A-Z]{2,}s?", word) else word.lower() for word in words)


def noun(resource_type: str, number: int) -> str:
    """`1 vault`'s and `2 vaults`' word, from the last part of a resource type."""
    parts = re.fullmatch(r"[A-Za-z0-9.]+(?:/[A-Za-z0-9]+)+", resource_type)
    words = apart(resource_type.rpartition("/")[2]) if parts else "resources"
    if number == 1:
        if words.endswith("ies"):
            return f"{words[:-3]}y"
        if words.endswith("sses"):
            return words[:-2]
        return words[:-1] if words.endswith("s") and not words.endswith(("ss", "redis")) else words
    return words


def subjects(result: RuleResult, number: int) -> str:
    """The word for what a rule judges: resources of its type, or groups of them such as regions."""
    kind = result.findings[0].subject.type if result.findings else ""
    if " × " not in kind:
        return noun(result.info.resource, number)
    return noun("a/regions" if "location" in kind else "a/groups", number)


def technique(attack_id: str) -> str:
    """An ATT&CK technique as `T1530 Data from Cloud Storage`."""
    name = TECHNIQUES.get(attack_id)
    return f"{attack_id} {name}" if name else attack_id


def count(number: int, singular: str, plural: str = "") -> str:
    """`1 rule`, `1,284 rules`."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def group_of(place: Subject | Row) -> str:
    """The resource group of something, with the service that made it for itself."""
    manager = name_of(place.managed_by) if place.managed_by else ""
    return f"{place.resource_group} (managed by {manager})" if manager else place.resource_group


def not_enabled(state: str) -> str:
    """The state of a subscription that is not enabled, in words; empty for one that is."""
    return "" if state.lower() == "enabled" else apart(state[:40]).lower()


def part_of(run: Run) -> str:
    """What is not in the report, so that nobody takes a part for the whole; empty where all of Azure was read."""
    what = SOURCES.get(run.source, run.source)
    told = "" if run.source == "azure" else f"Only what is in {what} is judged: what is made elsewhere is not known."
    if not run.focus:
        return told
    filters = "; and ".join(map(words_of, run.focus))
    left = "1 resource is" if run.left_out == 1 else f"{run.left_out:,} resources are"
    return f"{told} Only a part of the estate is judged ({filters}): {left} left out.".strip()


def question(run: Run) -> str:
    """What a report answers: for an estate, or for what a file would make."""
    if run.source == "azure":
        return "Could an attack on this estate be reconstructed from the logs it keeps today?"
    return "Could an attack on what is made here be reconstructed from the logs that are set here?"


def logs_of(run: Run) -> str:
    """Which logs a report answers from."""
    return "configured on the day of the scan" if run.source == "azure" else "that are set here"


def time_of(report: Report) -> tuple[str, str]:
    """What the time of a report is called, and the time; code has none of its own."""
    time = period(report.run.started_at, report.run.finished_at)
    if report.run.source == "azure":
        return "Evidence collected", time or "time not recorded"
    return ("Made", time) if time else ("Judged", when(report.generated_at) or "time not recorded")


def gaps_title(run: Run) -> str:
    """The heading over what could not be assessed."""
    return (
        f"Not assessed: {'permission and collection gaps' if run.source == 'azure' else 'what the code does not tell'}"
    )


def scope(report: Report) -> str:
    """`3 subscriptions, 450 resources`; of a file the resources alone, since what it is deployed to is not in it."""
    resources = count(report.resource_count, "resource")
    if report.run.source != "azure":
        return resources
    return f"{count(len(report.subscriptions), 'subscription')}, {resources}"


def reads(report: Report) -> str:
    """How the reads ended; of a file, what of it could not be read."""
    done = report.completeness
    if report.run.source != "azure":
        left = f"{count(done.unknown, 'part')} of it could not be read" if done.unknown else "read"
        return f"{capital(SOURCES.get(report.run.source, report.run.source))}: {left}"
    return (
        f"{count(done.planned, 'planned read')}: {done.answered:,} answered, "
        f"{done.not_supported:,} not supported by the resource, {done.unknown:,} failed"
    )


def outcomes(counts: dict[str, int]) -> str:
    """`28 failed, 1 could not be told`: how many rules came out how, without what none did."""
    said = {
        "failed": "failed",
        "unknown": "could not be told",
        "accepted": "accepted",
        "passed": "passed",
        "not applicable": "not applicable",
    }
    return ", ".join(f"{counts[key]:,} {text}" for key, text in said.items() if counts[key]) or "none"


def accepted_where(info: AcceptanceInfo) -> str:
    """What an acceptance speaks of: `*/rg-lab/* and tag env=lab`, or `main.tf:12` for what stands there in code."""
    if info.file:
        return f"{info.file}:{info.line}" if info.line else info.file
    return " and ".join([*([info.scope] if info.scope else []), *(f"tag {tag}" for tag in info.tags)])


def accepted_by(info: AcceptanceInfo) -> str:
    """Who answers for an acceptance; for one in code, whoever wrote it."""
    return info.approved_by or "in the code"


def accepted_until(info: AcceptanceInfo) -> str:
    """`31 March 2027, 129 days left`, or since when it is not accepted any more."""
    days = count(abs(info.days_left), "day")
    return f"{day(info.expires)}, {f'{days} left' if info.days_left >= 0 else f'expired {days} ago'}"


def accepted_state(info: AcceptanceInfo) -> str:
    """What became of an acceptance: how many findings it holds back, lets fail again, or that it meets none."""
    if info.state == "unused":
        return "meets no finding"
    if info.state == "in force":
        return f"{count(info.findings, 'finding')} accepted"
    return f"expired: {count(info.findings, 'finding')} {'fails' if info.findings == 1 else 'fail'} again"


def compared(baseline: Baseline) -> str:
    """How the failures compare with the baseline, in one sentence."""
    since = baseline.revision or day(baseline.generated_at) or "the baseline"
    told = f"Compared with {since}: {baseline.new:,} new, {baseline.known:,} known"
    gone = f", {baseline.gone:,} not there any more" if baseline.gone else ""
    return f"{told}, {baseline.fixed:,} fixed{gone}."


def gate_told(gate: GateInfo) -> str:
    """`Gate failed (at or above high, strict): 2 high fail; 3 medium cannot be told.`, with what it asked."""
    asked = [f"at or above {gate.fail_on}"] if gate.fail_on else []
    asked += ["strict: what cannot be told counts"] if gate.strict else []
    parts = [f"{number:,} {severity} fail" for severity, number in gate.failed.items()]
    parts += [f"{number:,} {severity} cannot be told" for severity, number in gate.unknown.items()]
    parts += ["too little could be read"] if gate.incomplete else []
    what = f" ({'; '.join(asked)})" if asked else ""
    said = f": {', '.join(parts)}" if parts else ""
    return f"Gate {'passed' if gate.passed else 'failed'}{what}{said}."


def capital(text: str) -> str:
    """The text as a sentence starts."""
    return text[:1].upper() + text[1:]


def by_severity(failed: Sequence[Affected]) -> str:
    """`6 high, 9 medium`: rules by severity, gravest first."""
    counts = Counter(item.result.severity for item in failed)
    return ", ".join(f"{number:,} {severity}" for severity, number in counts.items())


def mixed(result: RuleResult) -> str:
    """`2 critical, 15 high`: the failures of a rule, where they are not all alike."""
    counts = result.severities
    return ", ".join(f"{number:,} {severity}" for severity, number in counts.items()) if len(counts) > 1 else ""


def gravest(result: RuleResult) -> str:
    """` (2 critical)` after a number of failures that are not all alike."""
    counts = result.severities
    return f" ({counts[result.severity]:,} {result.severity})" if len(counts) > 1 else ""


def setting(value: object) -> str:
    """The value of a parameter as people write it."""
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def retires(info: RetirementInfo, today: str) -> str:
    """`until 30 Sep 2027`, `ended 15 Sep 2026`, or that no day was announced."""
    if not info.ends:
        return "no day announced"
    return f"{'until' if not today or today[:10] < info.ends else 'ended'} {day(info.ends)}"


def shares(counts: Mapping[str, int], names: Mapping[str, str] | None = None) -> str:
    """`Log Analytics 12, storage account 3`, most first; the number is left out where there is only one kind."""
    told = [((names or {}).get(key, key), number) for key, number in counts.items()]
    told.sort(key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{name} {number:,}" if len(told) > 1 else name for name, number in told)


def together(rules: int) -> str:
    """How a sentence about the gain of some rules starts."""
    return "The rule takes" if rules == 1 else f"The {rules:,} rules together take"


def missing_of(types: Sequence[TypeRow]) -> list[str]:
    """Resource types with how many log sources of each are missing: `file storage (126)`."""
    return [f"{row.label} ({row.total.missing:,})" for row in types]


def listing(names: Sequence[str], most: int = 3) -> str:
    """`a`, `a and b`, `a, b and c`, `a, b, c and 4 more`."""
    shown = list(names[:most])
    if len(names) > most:
        return f"{', '.join(shown)} and {len(names) - most:,} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def state_of(tally: Tally) -> tuple[State, str]:
    """The state that a group of log sources shows, and the word for it."""
    if not tally.assessed:
        return "unassessed", "Not assessed"
    if tally.exported == tally.assessed:
        return ("exported", "All exported") if not tally.unassessed else ("unassessed", "Partly assessed")
    if tally.accepted == tally.assessed:
        return "accepted", "Accepted"
    if tally.exported:
        return "partly", "Some missing"
    return ("partly", "Partly") if tally.partly else ("missing", "Missing")


def moment(stamp: str) -> datetime | None:
    """An RFC 3339 time in UTC; None for what is none."""
    try:
        found = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def day(stamp: str) -> str:
    """`22 Nov 2026`; what is no time stays as it is."""
    found = moment(stamp)
    return f"{found.day} {found:%b %Y}" if found else stamp


def when(stamp: str) -> str:
    """`22 Nov 2026, 07:14 UTC`."""
    found = moment(stamp)
    return f"{found.day} {found:%b %Y, %H:%M} UTC" if found else stamp


def period(start: str, end: str) -> str:
    """`22 Nov 2026, 07:14–07:20 UTC`."""
    first, last = moment(start), moment(end)
    if first is None or last is None or first.replace(second=0) == last.replace(second=0):
        return when(start or end)
    if first.date() == last.date():
        return f"{first.day} {first:%b %Y, %H:%M}–{last:%H:%M} UTC"
    return f"{first.day} {first:%b %Y, %H:%M} – {when(end)}"


def duration(start: str, end: str) -> str:
    """`6 min 41 s`; empty where a time is missing."""
    first, last = moment(start), moment(end)
    if first is None or last is None or last < first:
        return ""
    seconds = int((last - first).total_seconds())
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    parts = [f"{hours} h" if hours else "", f"{minutes} min" if hours or minutes else "", f"{seconds} s"]
    return " ".join(part for part in parts if part)

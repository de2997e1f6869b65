"""Inventory × rules → Report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from auditor.acceptances import Acceptances
from auditor.coverage import coverage_rows, destination_rows, unread_rows
from auditor.documents import DELETED_VAULTS, LOG_PROFILES, TABLES
from auditor.elsewhere import of_file
from auditor.inventory import Destination, Inventory, LogSetting, Resource, Unknown
from auditor.match import Scope, lookup
from auditor.meet import Candidates, Verdict, meet
from auditor.report import SEVERITIES, Completeness, Finding, Report, Severity, Status, Subject, fingerprint
from auditor.retiring import retiring
from auditor.rule import AllOf, AnyOf, Logs, Rule
from auditor.truth import Truth
from auditor.uncatalogued import uncatalogued

MAX_REASONS = 5
MAX_EVIDENCE = 50  # members of one list
MAX_TEXT = 1000  # characters of one value


def judge(
    inventory: Inventory, rules: Sequence[Rule], generated_at: str = "", acceptances: Acceptances | None = None
) -> Report:
    """Judge an estate with these rules; the same inventory, rules and clock give the same report.

    A failure that an acceptance in force speaks of is accepted; the report tells no more of acceptances yet
    (`with_acceptances`).
    """
    findings: list[Finding] = []
    for rule in in_report_order(rules):
        judged = judge_rule(rule, inventory)
        if acceptances is not None and (acceptances.all or acceptances.beside):
            judged = _accepted(judged, inventory, acceptances)
        if inventory.run.source != "azure":
            judged = map(of_file, judged)
        findings += sorted(judged, key=by_subject)
    reads = inventory.reads
    return Report(
        generated_at=generated_at or inventory.run.finished_at,
        run=inventory.run,
        subscriptions=list(inventory.subscriptions),
        resource_count=sum(
            r.in_focus and _is_listed(r) for r in inventory.by_id.values() if inventory.is_own(r.subscription)
        ),
        rules=[rule.info for rule in rules],
        findings=findings,
        coverage=coverage_rows(inventory),
        destinations=destination_rows(inventory),
        retirements=retiring(inventory),
        uncatalogued=uncatalogued(inventory),
        unread=unread_rows(inventory),
        completeness=Completeness(
            planned=sum(reads.values()),
            answered=reads.get("answered", 0),
            not_supported=reads.get("not_supported", 0),
            unknown=reads.get("unknown", 0),
        ),
    )


def _accepted(findings: Iterable[Finding], inventory: Inventory, acceptances: Acceptances) -> Iterator[Finding]:
    for finding in findings:
        found = None
        if finding.status == "fail":
            subject = inventory.get(finding.subject.id)
            found = acceptances.of(finding.rule, finding.subject.id, subject.tags if subject else {})
        if found is None:
            yield finding
        elif acceptances.holds(found):
            yield msgspec.structs.replace(finding, status="accepted", acceptance=found.key)
        else:
            yield msgspec.structs.replace(finding, acceptance=found.key)


def in_report_order(rules: Iterable[Rule]) -> list[Rule]:
    """Rules as a report lists their findings: the worst first."""
    return sorted(rules, key=lambda rule: (SEVERITIES.index(rule.info.severity), rule.id))


def by_subject(finding: Finding) -> tuple[str, str]:
    """The order of one rule's findings."""
    return finding.subject.id.lower(), finding.subject.id


# Parts of resources that Azure does not list as resources of their own.
_PARTS = frozenset(kind.lower() for kind in (TABLES, LOG_PROFILES, DELETED_VAULTS))


def _is_listed(resource: Resource) -> bool:
    """Whether this is a resource of the scan, as the portal would list it."""
    kind = resource.type.lower()
    part = kind in _PARTS or (kind.startswith("microsoft.storage/storageaccounts/") and kind.endswith("services"))
    return (
        "/providers/" in resource.id
        and resource.facts.get("in_scope") is True
        and bool(resource.subscription)
        and not part
    )


def judge_rule(rule: Rule, inventory: Inventory) -> Iterator[Finding]:
    """The findings of one rule: one for each subject that is, or may be, in its scope."""
    index = Candidates(inventory)
    scoped = _in_scope(rule, inventory)
    if rule.per:
        yield from _judge_groups(rule, inventory, index, scoped)
        return
    for resource, scope, in_scope in scoped:
        if not resource.in_focus:
            continue
        verdict = meet(rule.require, resource, scope, inventory, index)
        status = _status(verdict, in_scope)
        severity, because = _severity(rule, [resource], status)
        yield Finding(
            rule=rule.id,
            status=status,
            severity=severity,
            severity_because=because,
            message=_message(rule, inventory, resource, status, verdict, scope),
            fingerprint=fingerprint(rule.id, resource.id),
            subject=_subject(resource),
            evidence=_evidence(rule, resource, verdict, status),
            why_unknown=_reasons(scope) if status == "unknown" else [],
        )


def _in_scope(rule: Rule, inventory: Inventory) -> Iterator[tuple[Resource, Scope, Truth]]:
    for resource in _subjects(rule, inventory):
        if not inventory.is_own(resource.subscription):
            continue
        scope = Scope(resource, rule.info.params)
        inside: Truth = True if rule.where is None else rule.where(resource, scope)
        if inside is True and resource.perhaps is not None:
            inside = None
            scope.seen.append(resource.perhaps)
        if inside is not False:
            yield resource, scope, inside


def _subjects(rule: Rule, inventory: Inventory) -> Iterator[Resource]:
    """Every resource of the rule's types, once however many of its patterns it meets."""
    if len(rule.resources) == 1:
        yield from inventory.of_type(rule.resources[0])
        return
    seen: set[tuple[str, str]] = set()
    for pattern in rule.resources:
        for resource in inventory.of_type(pattern):
            if (resource.id, resource.type) not in seen:
                seen.add((resource.id, resource.type))
                yield resource


def _judge_groups(
    rule: Rule, inventory: Inventory, index: Candidates, scoped: Iterable[tuple[Resource, Scope, Truth]]
) -> Iterator[Finding]:
    groups: dict[tuple[str, ...], list[tuple[Resource, Scope, Truth]]] = {}
    for resource, scope, inside in scoped:
        key = tuple(str(getattr(resource, field) or "") for field in rule.per)
        if all(key) and "global" not in key:  # without a region there is nothing regional to ask
            groups.setdefault(key, []).append((resource, scope, inside))
    for key, members in sorted(groups.items()):
        names = [member[0].name for member in members if member[0].in_focus]
        if not names:
            continue
        members.sort(key=lambda member: (member[2] is not True, member[0].id))
        resource, scope, inside = members[0]
        verdict = meet(rule.require, resource, scope, inventory, index)
        status = _status(verdict, inside)
        subject_id = "/".join(key)
        named = dict(zip(rule.per, key, strict=True))
        severity, because = _severity(rule, [member[0] for member in members], status)
        yield Finding(
            rule=rule.id,
            status=status,
            severity=severity,
            severity_because=because,
            message=_message(rule, inventory, resource, status, verdict, scope, shown=subject_id),
            fingerprint=fingerprint(rule.id, subject_id),
            subject=Subject(
                id=subject_id,
                type=" × ".join(rule.per),
                name=subject_id,
                subscription=named.get("subscription", ""),
                location=named.get("location", ""),
            ),
            evidence={
                **_evidence(rule, resource, verdict, status),
                "resources": sorted(set(names))[:MAX_EVIDENCE],
                "count": len(names),
            },
            why_unknown=_reasons(scope) if status == "unknown" else [],
        )


def _status(verdict: Verdict, inside: Truth) -> Status:
    """A resource that only *may* be in scope can pass, but never fail."""
    if not verdict.applies:
        return "not-applicable"
    if verdict.truth is True:
        return "pass"
    return "fail" if verdict.truth is False and inside is True else "unknown"


def _severity(rule: Rule, resources: Sequence[Resource], status: Status) -> tuple[Severity, str]:
    """The rule's severity, or the first other one whose match certainly holds for one of these; and why."""
    for case in rule.severity_when if status in ("fail", "unknown") else ():
        # A scope of its own: what cannot be told here is no reason for the status.
        if any(case.where(resource, Scope(resource, rule.info.params)) is True for resource in resources):
            return case.severity, case.because
    return rule.info.severity, ""


# --- telling --------------------------------------------------------------------------------------------------------


def _subject(resource: Resource) -> Subject:
    return Subject(
        id=resource.shown_id,
        type=resource.type,
        name=resource.name,
        subscription=resource.subscription,
        location=resource.location,
        resource_group=resource.resource_group,
        managed_by=resource.managed_by,
        origin=resource.origin,
    )


def _message(
    rule: Rule,
    inventory: Inventory,
    resource: Resource,
    status: Status,
    verdict: Verdict,
    scope: Scope,
    *,
    shown: str = "",
) -> str:
    if status == "pass":
        return _lasting(rule, resource)
    if status == "not-applicable":
        why = resource.facts.get("why_not_offered")
        if isinstance(rule.require, Logs) and not rule.require.categories:
            return f"{shown or resource.name} exports no log that matters for security."
        return str(why) if isinstance(why, str) and why else f"{shown or resource.name} does not offer these logs."
    if status == "unknown":
        why = scope.seen[0].reason if scope.seen else "not everything it depends on could be read"
        return f"Cannot tell for {shown or resource.name}: {why}"
    return rule.message.safe_substitute(
        rule.info.params,
        id=resource.shown_id,
        name=resource.name,
        type=resource.type,
        location=resource.location,
        subscription=resource.subscription,
        subscription_name=inventory.subscription_names.get(resource.subscription, resource.subscription),
        resource_group=resource.resource_group,
        kind=resource.kind,
        missing=", ".join(verdict.missing),
    )


def _lasting(rule: Rule, resource: Resource) -> str:
    """What holds, with `, until 2027-09-30` where it rests on something that retires."""
    ends = resource.facts.get("flow_ends")
    told = isinstance(ends, str) and any(path == "facts.flow_ends" for path, _ in rule.evidence)
    return f"{rule.info.title}, until {ends}" if told else rule.info.title  # millions of findings share the title


def _reasons(scope: Scope) -> list[Unknown]:
    return list(dict.fromkeys(scope.seen))[:MAX_REASONS]


def _evidence(rule: Rule, resource: Resource, verdict: Verdict, status: Status) -> dict[str, Any]:
    evidence: dict[str, Any] = {}
    for path, steps in rule.evidence if status != "pass" else ():
        value = lookup(resource, steps)
        if value is not None:
            evidence[path] = plain(value)
    if verdict.missing:
        evidence["missing"] = list(verdict.missing)
    if verdict.unsure:
        evidence["unsure"] = list(verdict.unsure)
    if (
        isinstance(rule.require, Logs | AnyOf | AllOf)
        and not isinstance(resource.settings, Unknown)
        and resource.settings
    ):
        evidence["settings"] = [_setting(setting) for setting in resource.settings][:MAX_EVIDENCE]
        unread = sorted(
            {d.id for s in resource.settings for d in s.destinations if d.id and isinstance(d.exists, Unknown)}
        )
        if unread:
            evidence["destinations_not_read"] = unread
    return evidence


def _setting(setting: LogSetting) -> dict[str, Any]:
    told: dict[str, Any] = {"name": setting.name, "kind": setting.kind, "categories": sorted(setting.categories)}
    if setting.groups:
        told["groups"] = list(setting.groups)
    if setting.possible - setting.categories:
        told["perhaps"] = sorted(setting.possible - setting.categories)
    told["destinations"] = [_destination(d) for d in setting.destinations]
    if setting.ends:
        told["ends"] = setting.ends
    return told


def _destination(destination: Destination) -> str:
    if not destination.id:
        return f"{destination.kind} (not known)"
    if destination.exists is True:
        return destination.id
    return f"{destination.id} ({'deleted' if destination.exists is False else 'not readable'})"


def plain(value: Any) -> Any:
    """A value as JSON can hold it, bounded: evidence is for reading."""
    if isinstance(value, str):
        return value if len(value) <= MAX_TEXT else value[:MAX_TEXT]
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return "no expiry" if value == float("inf") else int(value) if value.is_integer() else value
    if isinstance(value, Unknown):
        return f"unknown: {value.reason}"
    if isinstance(value, dict | Mapping):
        return {str(k): plain(value[k]) for k in sorted(value, key=str)[:MAX_EVIDENCE]}
    if isinstance(value, list | tuple | frozenset | set):
        items = sorted(value, key=str) if isinstance(value, frozenset | set) else value
        return [plain(v) for v in list(items)[:MAX_EVIDENCE]]
    return str(value)[:MAX_TEXT]

"""What could not be assessed, grouped by what would close it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable

import msgspec

from auditor.documents import ENTRA, INTUNE, RESOURCE_LIST, normal_id, subscription_of
from auditor.formats.safe import visible
from auditor.inventory import Unknown
from auditor.report import Finding, Report, Row, UnreadInfo

EXAMPLES = 3
ELSEWHERE = " (not part of this scan)"
TENANT = "Tenant"
CODE = "the unread code"
NOT_TOLD = "subscription not told"

Key = tuple[object, ...]


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """One refusal or failure: the permission that was missing, or the reason, and how many reads it stopped."""

    reason: str  # empty where the permission and the code say all of it
    action: str
    answer: str  # HTTP status and Azure's code
    reads: int
    examples: list[str]  # names of the resources that were asked about


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Reads of one scope that one change would let succeed, and what their failing leaves open."""

    scope: str  # subscription id in lower case; empty for the tenant
    where: str  # the scope as people call it
    causes: list[Cause]
    reads: int
    unlisted_scope: bool  # the resources of the scope are not known at all
    sources: int  # log sources that are not assessed because of it
    findings: int  # findings that cannot be told because of it
    remedy: str  # in words
    command: str  # closes the gap; empty where no command is certain to


def gaps(report: Report, scope_name: dict[str, str]) -> list[Gap]:
    """Failed reads by scope and remedy: scopes never listed first, then those that leave most log sources open."""
    groups: dict[Key, list[UnreadInfo]] = {}
    for unread in report.unread:
        why = unread.why
        remedy = (why.grant,) if why.grant else (why.reason, why.status, why.code, why.action)
        groups.setdefault((unread.scope.lower(), *remedy), []).append(unread)
    rows = _Rows(report.coverage)
    doubtful = _findings_by_read(report.findings)
    found = [_gap(report, group, scope_name, rows, doubtful) for group in groups.values()]
    return sorted(
        found,
        key=lambda g: (not g.unlisted_scope, -g.sources, -g.findings, -g.reads, g.where.lower(), g.remedy, g.command),
    )


def _gap(
    report: Report,
    group: list[UnreadInfo],
    scope_name: dict[str, str],
    rows: _Rows,
    doubtful: dict[Key, set[str]],
) -> Gap:
    scope = group[0].scope.lower()
    unlisted = any(unread.type.lower() == RESOURCE_LIST.lower() for unread in group)
    where = scope_name.get(scope) or f"{group[0].scope}{'' if unlisted else ELSEWHERE}"
    blocked = {row.id: row for unread in group for row in rows.of(unread.id)}
    command = _command(report, group)
    return Gap(
        scope="" if scope == "tenant" else scope,
        where=where,
        causes=_causes(group),
        reads=len(group),
        unlisted_scope=unlisted,
        sources=sum(cell.state == "unassessed" for row in blocked.values() for cell in row.cells),
        findings=len({f for unread in group for f in doubtful.get(_read_key(unread.why), ())}),
        remedy=_remedy(group[0].why, command, where),
        command=command,
    )


def _causes(group: list[UnreadInfo]) -> list[Cause]:
    alike: dict[Key, list[UnreadInfo]] = {}
    for unread in group:
        alike.setdefault((unread.why.action, unread.why.reason, unread.why.status, unread.why.code), []).append(unread)
    causes = []
    for members in alike.values():
        why = members[0].why
        action, code = why.action or "", why.code or ""
        names = sorted({_subject_name(unread) for unread in members} - {""}, key=lambda name: (name.lower(), name))
        causes.append(
            Cause(
                reason="" if action and action in why.reason else why.reason.removesuffix(f" ({code})"),
                action=action,
                answer=" ".join(part for part in (str(why.status or ""), code) if part),
                reads=len(members),
                examples=names[:EXAMPLES] + (["…"] if len(names) > EXAMPLES else []),
            )
        )
    return sorted(causes, key=lambda c: (-c.reads, c.action, c.reason, c.answer))


def unexplained(report: Report) -> int:
    """How many log sources are not assessed although no failed read speaks of their resource alone."""
    rows = _Rows(report.coverage)
    blocked = {row.id for unread in report.unread for row in rows.of(unread.id)}
    return sum(cell.state == "unassessed" for row in report.coverage if row.id not in blocked for cell in row.cells)


def _subject_name(unread: UnreadInfo) -> str:
    """The resource that a failed read asked about; empty for one about the whole scope."""
    head, found, tail = unread.id.rpartition("/providers/")
    if found and "/providers/" in head:
        tail = head.rpartition("/providers/")[2]
    parts = tail.strip("/").split("/")
    return parts[2] if found and len(parts) > 2 else ""


class _Rows:
    """Coverage rows, found by the id of a read about them."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows: dict[str, Row] = {}
        self._entra: list[Row] = []
        self._intune: list[Row] = []
        for row in rows:
            self._rows[normal_id(row.id)] = row
            if row.type.lower() == ENTRA.lower():
                self._entra.append(row)
            if row.type.lower() == INTUNE.lower():
                self._intune.append(row)

    def of(self, read_id: str) -> list[Row]:
        """The row of the resource that was to be read, or whose settings or categories were."""
        path = normal_id(read_id)
        if path.startswith("/providers/microsoft.aadiam/diagnosticsettings"):
            return self._entra
        if path.startswith("/providers/microsoft.intune/diagnosticsettings"):
            return self._intune
        owner = _ABOUT.sub("", path)
        return [self._rows[owner]] if owner in self._rows else []


_ABOUT = re.compile(r"(?:/providers/microsoft\.insights/diagnosticsettings(?:categories)?|/storageanalytics)$")


def _findings_by_read(findings: Iterable[Finding]) -> dict[Key, set[str]]:
    found: dict[Key, set[str]] = {}
    for finding in findings:
        if finding.status == "unknown":
            for why in finding.why_unknown:
                found.setdefault(_read_key(why), set()).add(finding.fingerprint)
    return found


def _read_key(why: Unknown) -> Key:
    """What tells one failed read from another; a fact puts words of its own before the reason."""
    key = (why.status, why.code, why.action, (why.scope or "").lower(), why.grant)
    return key if any(key) else (why.reason,)


def _remedy(why: Unknown, command: str, where: str) -> str:
    """What would close the gap, in words."""
    role = _GRANTED.search(command)
    if role:
        return f"{next(filter(None, role.groups()))} on {where}"
    if why.grant:
        return f"{why.grant[:1].upper()}{why.grant[1:]}"
    if why.status is None or why.status in (408, 429) or why.status >= 500:
        return "Scan again"
    return "Not known: the answer names no permission"


_GRANTED = re.compile(r"""^az role assignment create\b.*?\s--role (?:'([^']+)'|"([^"]+)"|(\S+))""", re.DOTALL)


# --- the command that closes a gap ----------------------------------------------------------------------------------

_ROLES = re.compile(r"\b(Storage Blob Data Reader|Log Analytics Reader|Monitoring Reader|Key Vault Reader|Reader)\b")
_DIRECTORY = re.compile(r"\b(Global|Security|Directory|Reports) Reader\b|\.Read\.All\b")
_OBJECT = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[\w.+-]+@[\w.-]+")


def _command(report: Report, group: list[UnreadInfo]) -> str:
    """The role assignment that makes these reads succeed; only for refusals that an Azure role mends."""
    why = group[0].why
    grant = why.grant or ""
    if grant.startswith("az "):
        return grant
    if why.status != 403 or _DIRECTORY.search(grant):
        return ""
    role = _ROLES.search(grant)
    if grant and not role:
        return ""
    scope = _scope(group)
    if not scope:
        return ""
    principal = _OBJECT.search(report.run.principal)
    assignee = shlex.quote(principal[0]) if principal else "<object id of the auditing identity>"
    name = shlex.quote(role[0] if role else "Reader")
    place = shlex.quote(visible(scope))
    return f"az role assignment create --role {name} \\\n  --assignee {assignee} \\\n  --scope {place}"


def _scope(group: list[UnreadInfo]) -> str:
    """One scope that holds all of these reads: their own if they share it, else their subscription."""
    scopes = {unread.why.scope or "" for unread in group}
    if len(scopes) == 1:
        [only] = scopes
        if only.startswith("/"):
            return only
    for provider in ("/providers/Microsoft.aadiam", "/providers/microsoft.intune"):
        if all(unread.id.lower().startswith(provider.lower()) for unread in group):
            return provider
    subscriptions = {subscription_of(unread.id) for unread in group}
    if len(subscriptions) == 1:
        [subscription] = subscriptions
        return f"/subscriptions/{subscription}" if subscription else ""
    return ""

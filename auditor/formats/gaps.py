"""What could not be assessed, grouped by what would close it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable

import msgspec

from auditor.documents import ENTRA, RESOURCE_LIST, name_of, normal_id, subscription_of
from auditor.formats.safe import visible
from auditor.inventory import Unknown
from auditor.report import Report, Row, UnreadInfo

EXAMPLES = 5
TENANT = "Tenant"


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Reads of one scope that failed for one reason, and what their failing leaves open."""

    scope: str  # subscription id in lower case; empty for the tenant
    where: str  # the scope as people call it
    why: Unknown  # of the first read; all share reason, permission and remedy
    reads: int
    examples: list[str]  # names of what was to be read
    lists: bool  # what is below is not known at all
    unlisted_scope: bool  # all resources of the scope are unknown
    sources: int  # log sources that are not assessed because of it
    findings: int  # findings that cannot be told because of it
    command: str  # closes the gap; empty where no command is certain to


def gaps(report: Report, scope_name: dict[str, str]) -> list[Gap]:
    """Failed reads by scope, reason and remedy: scopes never listed first, then the most log sources left open."""
    groups: dict[tuple[object, ...], list[UnreadInfo]] = {}
    for unread in report.unread:
        why = unread.why
        key = (unread.scope.lower(), unread.lists, why.reason, why.status, why.code, why.action, why.grant)
        groups.setdefault(key, []).append(unread)
    rows = _Rows(report.coverage)
    doubtful = _findings_by_reason(report)
    found = [_gap(report, group, scope_name, rows, doubtful) for group in groups.values()]
    return sorted(
        found, key=lambda g: (not g.unlisted_scope, -g.sources, -g.findings, -g.reads, g.where.lower(), g.why.reason)
    )


def _gap(
    report: Report,
    group: list[UnreadInfo],
    scope_name: dict[str, str],
    rows: _Rows,
    doubtful: dict[Unknown, set[str]],
) -> Gap:
    first = group[0]
    blocked = {row.id: row for unread in group for row in rows.of(unread.id)}
    reasons = {unread.why for unread in group}
    names = sorted({_subject_name(unread) for unread in group}, key=str.lower)
    scope = first.scope.lower()
    return Gap(
        scope="" if scope == "tenant" else scope,
        where=scope_name.get(scope, first.scope) or TENANT,
        why=first.why,
        reads=len(group),
        examples=names[:EXAMPLES],
        lists=first.lists,
        unlisted_scope=any(unread.type.lower() == RESOURCE_LIST.lower() for unread in group),
        sources=sum(cell.state == "unassessed" for row in blocked.values() for cell in row.cells),
        findings=len({f for reason in reasons for f in doubtful.get(reason, ())}),
        command=_command(report, group),
    )


def unexplained(report: Report) -> int:
    """How many log sources are not assessed although no failed read speaks of their resource."""
    rows = _Rows(report.coverage)
    blocked = {row.id for unread in report.unread for row in rows.of(unread.id)}
    return sum(cell.state == "unassessed" for row in report.coverage if row.id not in blocked for cell in row.cells)


def _subject_name(unread: UnreadInfo) -> str:
    """The resource that a failed read asked about, not the list it asked for."""
    head, found, _ = unread.id.rpartition("/providers/")
    nested = found and "/providers/" in head
    return name_of(head if nested else unread.id) or unread.type


class _Rows:
    """Coverage rows, found by the id of a read about them."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows: dict[str, Row] = {}
        self._entra: list[Row] = []
        for row in rows:
            self._rows[normal_id(row.id)] = row
            if row.type.lower() == ENTRA.lower():
                self._entra.append(row)

    def of(self, read_id: str) -> list[Row]:
        """The row of the resource itself, or of the nearest one above what was to be read."""
        path = normal_id(read_id)
        if path.startswith("/providers/microsoft.aadiam"):
            return self._entra
        while path.strip("/"):
            if path in self._rows:
                return [self._rows[path]]
            path = path.rpartition("/")[0]
        return []


def _findings_by_reason(report: Report) -> dict[Unknown, set[str]]:
    found: dict[Unknown, set[str]] = {}
    for finding in report.findings:
        if finding.status == "unknown":
            for why in finding.why_unknown:
                found.setdefault(why, set()).add(finding.fingerprint)
    return found


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
    if all(unread.id.lower().startswith("/providers/microsoft.aadiam") for unread in group):
        return "/providers/Microsoft.aadiam"
    subscriptions = {subscription_of(unread.id) for unread in group}
    if len(subscriptions) == 1:
        [subscription] = subscriptions
        return f"/subscriptions/{subscription}" if subscription else ""
    return ""

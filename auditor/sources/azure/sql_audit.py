"""The auditing policies of single databases, read only where their server's policy may not cover them."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import Any, Final

import msgspec

from auditor import documents as d
from auditor.named import audit_carrier, endpoint_account, event_hub_namespace
from auditor.sources.azure import reads
from auditor.sources.azure.reader import Reader
from auditor.sources.azure.reads import Read
from auditor.sources.azure.work import Job

_ACCOUNT: Final = "microsoft.storage/storageaccounts"


class _Part(msgspec.Struct, frozen=True):
    """The policies of a type's own and of its parent."""

    own: Read
    parents: Read


_PARTS: Final[Mapping[str, _Part]] = {
    "microsoft.sql/servers/databases": _Part(reads.SQL_DATABASE_AUDIT, reads.SQL_AUDIT),
    "microsoft.synapse/workspaces/sqlpools": _Part(reads.SYNAPSE_POOL_AUDIT, reads.SYNAPSE_AUDIT),
}


def audit_jobs(reader: Reader, resources: Iterable[d.Document]) -> list[Job]:
    """The policies of databases and pools whose parent's auditing is not seen to send events to a listed place."""
    parts = []
    places, accounts = set[str](), set[str]()
    for resource in resources:
        kind = str(resource["type"]).lower()
        places.add(d.normal_id(resource["id"]))
        if kind == _ACCOUNT:
            accounts.add(d.name_of(resource["id"]).lower())
        elif kind in _PARTS and reader.deep(resource) and d.name_of(resource["id"]).lower() != "master":
            parts.append(resource)
    covered: dict[str, bool] = {}
    jobs = []
    for resource in sorted(parts, key=lambda r: str(r["id"]).lower()):
        part, parent = _PARTS[str(resource["type"]).lower()], d.parent_of(resource["id"])
        if d.normal_id(parent) not in covered:
            covered[d.normal_id(parent)] = _covers(reader, part, parent, places, accounts)
        if not covered[d.normal_id(parent)]:
            jobs.append(reader.job(part.own, resource["id"]))
    return jobs


def _covers(reader: Reader, part: _Part, parent: str, places: Container[str], accounts: Container[str]) -> bool:
    document = reader.kept(part.parents.id(parent), part.parents.type) or {}
    policy = document.get("properties")
    if not isinstance(policy, Mapping) or str(policy.get("state")).lower() != "enabled":
        return False
    if endpoint_account(policy.get("storageEndpoint")) in accounts:
        return True
    if str(policy.get("isAzureMonitorTargetEnabled")).lower() != "true":
        return False
    carrier = audit_carrier(parent, d.type_of(parent))
    settings = reader.kept(d.settings_id(carrier), d.DIAGNOSTIC_SETTINGS) or {}
    return any(_carries(setting, places) for setting in settings.get("value") or ())


def _carries(setting: Any, places: Container[str]) -> bool:
    """Whether a diagnostic setting sends the audit events to a place that was listed, as far as its words tell."""
    properties = setting.get("properties") if isinstance(setting, Mapping) else None
    if not isinstance(properties, Mapping) or not isinstance(properties.get("logs"), list):
        return False
    enabled = any(
        isinstance(log, Mapping)
        and log.get("enabled") is True
        and (
            str(log.get("category")).lower() == "sqlsecurityauditevents"
            or str(log.get("categoryGroup")).lower() == "alllogs"
        )
        for log in properties["logs"]
    )
    named = (
        event_hub_namespace(place) if kind == "event-hub" else place for kind, place in d.destinations_of(properties)
    )
    return enabled and any(d.normal_id(place) in places for place in named)

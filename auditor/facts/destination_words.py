"""What should a reader of the report know of a destination, in a few words each?"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from auditor.documents import Document, marker, name_of, normal_id
from auditor.facts.archives import FLOW_CONTAINERS, append_blocked, containers_of, expiries, lifecycle_days
from auditor.facts.event_hubs import capture_of, find_hub
from auditor.facts.numbers import number
from auditor.facts.shapes import mapping, text
from auditor.facts.workspaces import daily_cap_gb, table_keeps, tables_of, workspace_keeps
from auditor.inventory import Unknown
from auditor.named import event_hub_namespace

_SHOWN = 8  # names listed before "and n more"


def destination_details(
    documents: Mapping[str, Document],
    kind: str,
    place_id: str,
    *,
    receives: Iterable[str] = (),
    declared: bool = False,
) -> dict[str, str]:
    """Words about one place, by heading; empty where it could not be read. Facts that were not read are left out.

    `receives` names what is written to it.
    """
    place_id = normal_id(place_id)
    owner = event_hub_namespace(place_id) if kind == "event-hub" else place_id
    document = documents.get(owner)
    if document is None or marker(document) is not None:
        return {}
    words = {
        "log-analytics": _workspace,
        "storage": _account,
        "event-hub": _event_hub,
    }.get(kind, _nothing)(documents, document, place_id, declared)
    if kind == "storage":
        rules = expiries(documents.get(f"{place_id}/managementpolicies/default"), declared)
        words["lifecycle"] = _lifecycle(lifecycle_days(rules, flows=not FLOW_CONTAINERS.isdisjoint(receives)))
    return {heading: said for heading, said in words.items() if said}


def _nothing(_: Mapping[str, Document], __: Document, ___: str, ____: bool) -> dict[str, str]:
    return {}


def _sku(document: Mapping[str, Any]) -> str:
    inner = mapping(mapping(document.get("properties")).get("sku")).get("name")
    return text(mapping(document.get("sku")).get("name")) or text(inner)


def _days(days: float | Unknown) -> str:
    if isinstance(days, Unknown):
        return f"unknown: {days.reason}"
    return "no expiry" if math.isinf(days) else f"{days:g} days"


def _either(value: object, yes: str, no: str) -> str:
    return yes if value is True else no if value is False else ""


def _names(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _workspace(documents: Mapping[str, Document], document: Document, place_id: str, declared: bool) -> dict[str, str]:
    properties = mapping(document.get("properties"))
    features, capping = mapping(properties.get("features")), mapping(properties.get("workspaceCapping"))
    cap = daily_cap_gb(document)
    by_resource = features.get("enableLogAccessUsingOnlyResourcePermissions")
    return {
        "plan": _sku(document),
        "default retention": _days(workspace_keeps(document)),
        "daily cap": "none" if cap is None else "" if isinstance(cap, Unknown) else f"{cap:g} GB",
        "ingestion": text(capping.get("dataIngestionStatus")),
        "purge": _either(features.get("immediatePurgeDataOn30Days"), "at exactly 30 days", ""),
        **_tables(documents, document, place_id, declared),
        "access": _either(by_resource, "by workspace or resource", "by workspace only"),
        "queries from public networks": text(properties.get("publicNetworkAccessForQuery")),
        "workspace transformation": f"{name_of(rule)} may filter rows or drop columns"
        if (rule := text(properties.get("defaultDataCollectionRuleResourceId")))
        else "",
    }


def _tables(documents: Mapping[str, Document], document: Document, place_id: str, declared: bool) -> dict[str, str]:
    tables, default = tables_of(documents, place_id, declared), workspace_keeps(document)
    if isinstance(tables, Unknown) or isinstance(default, Unknown):
        return {}
    plans: dict[str, list[str]] = {}
    shorter = []
    for lower, table in sorted(tables.items()):
        shown = text(table.get("name")).rpartition("/")[2] or lower
        plan = text(mapping(table.get("properties")).get("plan"))
        if plan.lower() in ("basic", "auxiliary"):
            plans.setdefault(plan.capitalize(), []).append(shown)
        total, _ = table_keeps(document, shown, table)
        if not isinstance(total, Unknown) and total < default:
            shorter.append(f"{shown} {_days(total)}")
    return {
        **{f"{plan} tables": _names(names) for plan, names in sorted(plans.items())},
        "kept for less": _names(shorter),
    }


def _account(documents: Mapping[str, Document], document: Document, place_id: str, declared: bool) -> dict[str, str]:
    properties = mapping(document.get("properties"))
    acls = mapping(properties.get("networkAcls"))
    action, bypass = text(acls.get("defaultAction")), text(acls.get("bypass"))
    return {
        "SKU": _sku(document),
        "lifecycle": "",  # said beside what the account receives
        "immutability": _immutability(documents, properties, place_id),
        "network rule": f"{action} by default, let through: {bypass or 'AzureServices'}" if action else "",
        "public network access": text(properties.get("publicNetworkAccess")),
        "anonymous access": _either(properties.get("allowBlobPublicAccess"), "allowed", "not allowed"),
        "shared keys": _either(properties.get("allowSharedKeyAccess"), "allowed", "not allowed"),
        "minimum TLS": text(properties.get("minimumTlsVersion")),
        "encryption": "with a customer's key"
        if text(mapping(properties.get("encryption")).get("keySource")).lower() == "microsoft.keyvault"
        else "",
        "soft delete": _soft_delete(documents.get(f"{place_id}/blobservices/default")),
    }


def _lifecycle(days: float | Unknown) -> str:
    if isinstance(days, Unknown):
        return f"unknown: {days.reason}"
    return "no rule deletes log blobs" if math.isinf(days) else f"log blobs are deleted after {days:g} days"


def _immutability(documents: Mapping[str, Document], properties: Mapping[str, Any], place_id: str) -> str:
    if mapping(properties.get("immutableStorageWithVersioning")).get("enabled") is True:
        return "version-level, for the whole account"
    containers = containers_of(documents, place_id)
    if isinstance(containers, Unknown) or not containers:
        return ""
    counts: Counter[str] = Counter()
    for container in containers.values():
        held = mapping(container.get("properties"))
        state = text(mapping(mapping(held.get("immutabilityPolicy")).get("properties")).get("state"))
        if held.get("hasImmutabilityPolicy") is True:
            counts[state.lower() or "policy"] += 1
        if held.get("hasLegalHold") is True:
            counts["legal hold"] += 1
        if append_blocked(container) is True:
            counts["appending blocked"] += 1
    if not counts:
        return "none"
    said = ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))
    return f"{said} (of {len(containers)} log containers)"


def _soft_delete(service: Document | None) -> str:
    policy = mapping(mapping(mapping(service).get("properties")).get("deleteRetentionPolicy"))
    if policy.get("enabled") is True:
        days = number(policy.get("days"))
        return f"{days:g} days" if days else "on"
    return "off" if policy.get("enabled") is False else ""


def _event_hub(documents: Mapping[str, Document], document: Document, place_id: str, _: bool) -> dict[str, str]:
    properties = mapping(document.get("properties"))
    hub = find_hub(documents, place_id, "") if "/eventhubs/" in place_id else None
    found = {} if hub is None or isinstance(hub, Unknown) else hub
    held = mapping(found.get("properties"))
    retention = mapping(held.get("retentionDescription"))
    hours, days = number(retention.get("retentionTimeInHours")), number(held.get("messageRetentionInDays"))
    capture = capture_of(found)
    return {
        "SKU": _sku(document),
        "status": text(held.get("status")) or text(properties.get("status")),
        "events stay": f"{hours:g} hours" if hours and hours > 0 else f"{days:g} days" if days and days > 0 else "",
        "clean-up": text(retention.get("cleanupPolicy")),
        "capture": f"to {name_of(capture[0])}" if capture else "off" if held else "",
        "public network access": text(properties.get("publicNetworkAccess")),
        "shared access keys": _either(properties.get("disableLocalAuth"), "not allowed", "allowed"),
    }

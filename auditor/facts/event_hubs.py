"""Does an event hub take logs, and does anything in Azure keep what passes through it?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from auditor.documents import Document, marker, normal_id
from auditor.facts.shapes import entries, mapping, name, text
from auditor.facts.unread import fields, listed, unclear, undecided, unread
from auditor.inventory import Unknown
from auditor.named import event_hub_namespace

TRANSIT: Final = Unknown(reason="an event hub passes events on; what its readers keep is not visible")


def hubs_of(documents: Mapping[str, Document], namespace_id: str) -> dict[str, Document] | Unknown:
    """Lower-case hub name → its document, from the list of a namespace's hubs."""
    items = listed(documents.get(f"{namespace_id}/eventhubs"), "the namespace's event hubs")
    if isinstance(items, Unknown):
        return items
    return {name(item).rpartition("/")[2].lower(): dict(item) for item in entries(items)}


def find_hub(documents: Mapping[str, Document], destination_id: str, default: str) -> Document | Unknown | None:
    """The hub that a destination names, or the one Azure Monitor makes where it names none; None for certainly gone.

    Without a name, the hub comes to be with the first event: one that is not there yet is Unknown, not gone.
    """
    namespace = event_hub_namespace(destination_id)
    named = destination_id.partition("/eventhubs/")[2]
    own = documents.get(normal_id(f"{namespace}/eventhubs/{named or default}")) if named or default else None
    if own is not None:
        absent = marker(own) == "$absent"
        return None if absent else unread(own, "the event hub") if marker(own) else own
    hubs = hubs_of(documents, namespace)
    if isinstance(hubs, Unknown):
        return hubs
    found = hubs.get(named or default)
    if found is None and not named:
        return Unknown(reason="no event hub is named, and none has been made yet")
    return found


def namespace_refusal(documents: Mapping[str, Document], namespace: Mapping[str, Any]) -> str | Unknown:
    """Why Azure Monitor cannot send to the namespace; empty where it can."""
    properties = fields(namespace.get("properties"))
    if properties is None:
        return unclear("the event hub namespace", namespace.get("properties"))
    if text(properties.get("status")).lower() in ("disabled", "senddisabled"):
        return "the namespace is disabled"
    rules = documents.get(normal_id(f"{namespace.get('id', '')}/networkRuleSets/default"))
    rule = mapping(rules).get("properties")
    trusted = mapping(rule).get("trustedServiceAccessEnabled")
    public = properties.get("publicNetworkAccess") or "Enabled"
    if rules is None or marker(rules) or undecided(rule):
        if text(public).lower() == "enabled":
            return ""
        return Unknown(
            reason="public access to the namespace is not enabled; whether trusted services are is not known"
        )
    closed = text(mapping(rule).get("defaultAction")).lower() == "deny" or text(public).lower() == "disabled"
    return "its firewall does not let Azure Monitor through" if closed and trusted is not True else ""


def hub_refusal(hub: Mapping[str, Any]) -> str | Unknown:
    """Why Azure Monitor cannot send to the hub; empty where it can. One that compacts keeps the last event per key."""
    properties = fields(hub.get("properties"))
    if properties is None:
        return unclear("the event hub", hub.get("properties"))
    if text(properties.get("status")).lower() in ("disabled", "senddisabled", "deleting"):
        return "the event hub is disabled"
    policy = mapping(properties.get("retentionDescription")).get("cleanupPolicy")
    return "the event hub is compacted" if "compact" in text(policy).lower() else ""


def capture_of(hub: Mapping[str, Any]) -> tuple[str, str] | None:
    """(storage account id, container) that Capture stores a hub's events in; None where it is not on."""
    capture = mapping(mapping(hub.get("properties")).get("captureDescription"))
    if capture.get("enabled") is not True:
        return None
    target = mapping(mapping(capture.get("destination")).get("properties"))
    account, container = text(target.get("storageAccountResourceId")), text(target.get("blobContainer"))
    return (normal_id(account), container) if account else None

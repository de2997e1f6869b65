"""Management groups: what is below one and what is above a subscription, as far as the estate's documents tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from auditor.documents import MANAGEMENT_GROUP, Document, name_of, normal_id
from auditor.emulator.estate import Estate


def descendants(estate: Estate, group: Document) -> Iterable[dict[str, Any]]:
    """Everything below a management group, from what groups and subscriptions say of their parents and children."""
    found: dict[str, dict[str, Any]] = {}

    def add(item: Mapping[str, Any], parent: str) -> None:
        bare = name_of(item["id"])
        entry = {
            "id": item["id"],
            "type": "/subscriptions" if str(item["id"]).lower().startswith("/subscriptions/") else MANAGEMENT_GROUP,
            "name": bare,
            "properties": {"displayName": item.get("displayName") or bare, "parent": {"id": parent}},
        }
        if normal_id(item["id"]) not in found and normal_id(item["id"]) != normal_id(group["id"]):
            found[normal_id(item["id"])] = entry
            visit(item, item["id"])

    def visit(item: Mapping[str, Any], item_id: str) -> None:
        properties = item.get("properties") or {}
        for child in [*(properties.get("children") or ()), *(item.get("children") or ())]:
            if isinstance(child, dict) and isinstance(child.get("id"), str):
                add(child, item_id)
        for other in estate.by_type.get(MANAGEMENT_GROUP.lower(), ()):
            parent = ((other.get("properties") or {}).get("details") or {}).get("parent") or {}
            if normal_id(str(parent.get("id") or "-")) == normal_id(item_id):
                add({**other, "displayName": (other.get("properties") or {}).get("displayName")}, item_id)
        for subscription in estate.subscriptions.values():
            chain = ancestors(subscription)
            if chain and chain[0].lower() == name_of(item_id).lower():
                add({**subscription, "displayName": display_name(subscription)}, item_id)

    visit(group, group["id"])
    return [found[key] for key in sorted(found)]


def ancestors(subscription: Document) -> list[str]:
    """Names of the management groups above a subscription, the nearest first."""
    inner = subscription.get("properties")
    chain = subscription.get("managementGroupAncestorsChain") or (
        inner.get("managementGroupAncestorsChain") if isinstance(inner, dict) else None
    )
    return [str(step["name"]) for step in chain or () if isinstance(step, dict) and step.get("name")]


def display_name(subscription: Document) -> str:
    """The name of a subscription, which Azure writes in other places in other answers."""
    inner = subscription.get("properties")
    told = subscription.get("displayName") or (inner.get("displayName") if isinstance(inner, dict) else None)
    return str(told or subscription.get("name") or name_of(subscription["id"]))

"""Which resource groups did an Azure service make for itself (AKS, Databricks, managed applications)?

Their owner sees what is in them, but a deny assignment or the service itself undoes what the owner changes there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from auditor.documents import RESOURCE_GROUPS, Document, marker, normal_id, resource_group_of, subscription_of
from auditor.facts.shapes import entries, text
from auditor.facts.unread import unread
from auditor.inventory import Unknown

Managed = Mapping[str, str | Unknown]
"""Normal id of a resource group → id of what manages it; of a subscription whose groups were not read → why."""


def managed_groups(documents: Iterable[Document]) -> Managed:
    """The resource groups that are managed by something, as the lists of resource groups tell."""
    found: dict[str, str | Unknown] = {}
    for document in documents:
        if text(document.get("type")).lower() != RESOURCE_GROUPS.lower():
            continue
        owner = subscription_of(text(document.get("id")))
        if marker(document) == "$unknown":
            found[f"/subscriptions/{owner}"] = unread(document, "the list of resource groups")
        for group in entries(document.get("value")):
            manager, shown = text(group.get("managedBy")).strip(), text(group.get("id"))
            if manager and subscription_of(shown) == owner:
                found[normal_id(shown)] = manager
    return found


def managed_facts(resource_id: str, managed: Managed) -> dict[str, Any]:
    """`managed` and `managed_by` of what lies in such a group; nothing of what lies in one of its owner's."""
    group = resource_group_of(resource_id) if managed else ""
    if not group:
        return {}
    within = f"/subscriptions/{subscription_of(resource_id)}"
    manager = managed.get(f"{within}/resourcegroups/{group}", managed.get(within))
    if manager is None:
        return {}
    return {"managed": manager if isinstance(manager, Unknown) else True, "managed_by": manager}

"""How a resource of any kind is placed, in the group of its application."""

from __future__ import annotations

from typing import Any

from scenes.estate import DEV, LOGS, PROD, RETIRED, SHARED, WE, Doc, Estate, Plan, rid
from scenes.places import (
    LAW_SEC,
    only,
)

GROUP = {PROD: "prod", DEV: "dev", SHARED: "shared", RETIRED: "old"}


def place(
    estate: Estate,
    kind: str,
    name: str,
    plan: Plan | None,
    *,
    app: str = "shared",
    subscription: str = PROD,
    region: str = WE,
    parents: tuple[str, ...] = (),
    sku: str | Doc = "",
    flavour: str = "",
    tags: dict[str, str] | None = None,
    **properties: Any,
) -> str:
    """Place a resource of any kind in the group of its application."""
    suffix = GROUP[subscription]
    resource_id = rid(subscription, f"rg-{app}-{suffix}", kind, *parents, name)
    document: Doc = {
        "id": resource_id,
        "type": kind,
        "name": "/".join([*parents, name]) if parents else name,
        "location": region,
        "tags": tags or {"app": app, "env": suffix},
    }
    if flavour:
        document["kind"] = flavour
    if sku:
        document["sku"] = {"name": sku, "tier": sku.partition("_")[0]} if isinstance(sku, str) else sku
    document["properties"] = {"provisioningState": "Succeeded", **properties}
    if kind not in LOGS and plan is not None:
        raise ValueError(kind)
    return estate.add(document, plan)


def part(why: str, audit: str, *categories: str, dedicated: bool = False) -> Plan:
    return only(LAW_SEC, *categories, audit=audit, why=why, dedicated=dedicated)

"""Azure Resource Manager: what a GET of a path answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from auditor.documents import (
    DIAGNOSTIC_CATEGORIES,
    DIAGNOSTIC_SETTINGS,
    ENTRA,
    ENTRA_CATEGORIES,
    ENTRA_SETTINGS,
    FLOW_LOGS,
    HEALTH_SERVICES,
    INTUNE_SETTINGS,
    MANAGEMENT_GROUP,
    SUBSCRIPTION,
    TENANT,
    Document,
    categories_id,
    marker,
    name_of,
    normal_id,
    parent_of,
    resource_group_of,
    subscription_of,
    type_of,
)
from auditor.emulator.answers import (
    Answer,
    action_of,
    error,
    is_collection,
    marked,
    not_found,
    ok,
    refused,
    scope_of,
    unsupported,
)
from auditor.emulator.estate import Estate, kind_of
from auditor.emulator.lists import page, with_endpoints
from auditor.emulator.loggable import can_log, categories_of
from auditor.emulator.management_groups import descendants, display_name
from auditor.emulator.regions import REGIONS

_SETTINGS, _CATEGORIES = DIAGNOSTIC_SETTINGS.lower(), DIAGNOSTIC_CATEGORIES.lower()


def arm_answer(estate: Estate, path: str, query: Mapping[str, str], host: str) -> Answer:
    """The answer to a GET with a good token; `path` has single slashes, `host` is what the client asked."""
    if not query.get("api-version"):
        return error(
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    path = re.sub(r"/providers(?=/)", "/providers", path, flags=re.IGNORECASE)  # the one part we split at
    key = normal_id(path)
    subscription = subscription_of(key)
    headers = (
        {"x-ms-ratelimit-remaining-subscription-reads": "249"}
        if subscription
        else {"x-ms-ratelimit-remaining-tenant-reads": "249"}
    )
    if subscription in estate.denied and key != f"/subscriptions/{subscription}":
        return refused(estate, action_of(path), scope_of(path))
    found = _lookup(estate, path, key, query)
    if isinstance(found, Answer):
        return found
    if isinstance(found, dict):
        return ok(with_endpoints(_shown(found), host), headers)
    return page(estate, found, path, query, host, headers)


def _lookup(estate: Estate, path: str, key: str, query: Mapping[str, str]) -> Answer | Document | list[Any]:
    """One resource, the members of a list, or an error."""
    document = estate.find(key)
    if document is not None:
        if marker(document) is not None:
            return marked(estate, document, path)
        return document["value"] if isinstance(document.get("value"), list) else document
    special = _TENANT_LISTS.get(key)
    if special is not None:
        return special(estate)
    if key.startswith("/providers/microsoft.management/managementgroups/"):
        below = _management_group(estate, path, key)
        if below is not None:
            return below
    blocked = _blocked(estate, path, key)
    if blocked is not None:
        return blocked
    if key.endswith((f"/providers/{_SETTINGS}", f"/providers/{_CATEGORIES}")):
        return _diagnostics(estate, path, key)
    if re.fullmatch(r"/subscriptions/[^/]+(/resourcegroups/[^/]+)?/(resources|locations|resourcegroups)", key):
        return _of_subscription(estate, path, key, query)
    if is_collection(path):
        return _collection(estate, path, key)
    return not_found(estate, path)


def _shown(document: Document) -> Document:
    """A subscription has its fields at the top in ARM, but under `properties` in Resource Graph."""
    if kind_of(document).lower() != SUBSCRIPTION.lower():
        return document
    inner = document.get("properties")
    shown = {**(inner if isinstance(inner, dict) else {}), **document}
    for key in ("type", "name", "properties", "managementGroupAncestorsChain"):
        shown.pop(key, None)
    shown.setdefault("subscriptionId", name_of(document["id"]))
    shown["displayName"] = display_name(document)
    shown.setdefault("state", "Enabled")
    return shown


def _subscriptions(estate: Estate) -> list[Any]:
    return [{"tenantId": estate.tenant.id, **_shown(d)} for _, d in sorted(estate.subscriptions.items())]


def _tenants(estate: Estate) -> list[Any]:
    told = estate.by_type.get(TENANT.lower(), ())
    tenant = estate.tenant
    own = {
        "id": f"/tenants/{tenant.id}",
        "tenantId": tenant.id,
        "displayName": tenant.display_name,
        "defaultDomain": tenant.default_domain,
        "tenantCategory": "Home",
    }
    return [{**own, **_lifted(d)} for d in told] or [own]


def _lifted(document: Document) -> dict[str, Any]:
    inner = document.get("properties")
    return {
        **(inner if isinstance(inner, dict) else {}),
        **{k: v for k, v in document.items() if k not in ("type", "name", "properties")},
    }


_TENANT_LISTS: Final[dict[str, Callable[[Estate], list[Any]]]] = {
    "/subscriptions": _subscriptions,
    "/tenants": _tenants,
    f"/providers/{MANAGEMENT_GROUP.lower()}": lambda estate: list(estate.by_type.get(MANAGEMENT_GROUP.lower(), ())),
    f"/providers/{ENTRA_SETTINGS.lower()}": lambda estate: [],
    f"/providers/{INTUNE_SETTINGS.lower()}": lambda estate: [],
    f"/providers/{HEALTH_SERVICES.lower()}": lambda estate: [],
    f"/providers/{ENTRA_CATEGORIES.lower()}": lambda estate: _categories(ENTRA, ENTRA_CATEGORIES, "", groups=False),
}


def _management_group(estate: Estate, path: str, key: str) -> Answer | list[Any] | None:
    group, _, rest = key.removeprefix("/providers/microsoft.management/managementgroups/").partition("/")
    group_id = f"/providers/microsoft.management/managementgroups/{group}"
    known = estate.find(group_id)
    if known is None or marker(known) is not None:
        return refused(estate, action_of(path), scope_of(path)) if known is None else marked(estate, known, path)
    if rest == "descendants":
        return list(descendants(estate, known))
    return None


def _blocked(estate: Estate, path: str, key: str) -> Answer | None:
    """The refusal for a path below something that is itself unreadable, gone, or in a subscription not seen."""
    if subscription_of(key) in estate.foreign:
        return refused(estate, action_of(path), scope_of(path))
    above, document = key, None
    while document is None and above.count("/") > 2:
        above = above.rpartition("/")[0]
        document = estate.find(above)
    mark = marker(document) if document else None
    if document is None or mark is None:
        return None
    if mark == "$unknown" and document[mark].get("code", "AuthorizationFailed") == "AuthorizationFailed":
        return refused(estate, action_of(path), scope_of(path))
    return marked(estate, document, above)


def _diagnostics(estate: Estate, path: str, key: str) -> Answer | list[Any]:
    """Settings or categories that no document tells: the catalog knows which types can log."""
    resource_id = path.rpartition("/providers/")[0]
    resource_key = key.rpartition("/providers/")[0]
    asked_categories = key.endswith(_CATEGORIES)
    if re.fullmatch(r"/subscriptions/[^/]+", resource_key) or resource_key.startswith(
        "/providers/microsoft.management/managementgroups/"
    ):
        if subscription_of(resource_key) not in {*estate.subscriptions, ""}:
            return not_found(estate, resource_id)
        # The categories of an activity log cannot be asked for; its settings can.
        return unsupported(SUBSCRIPTION) if asked_categories else []
    resource = estate.find(resource_key)
    if resource is None or "value" in resource:
        return not_found(estate, resource_id)
    kind = kind_of(resource)
    told = estate.by_id.get(normal_id(categories_id(resource_key)))
    if not can_log(kind) and (told is None or marker(told) is not None):
        return unsupported(kind)
    return _categories(kind, DIAGNOSTIC_CATEGORIES, resource_id) if asked_categories else []


def _categories(kind: str, list_type: str, resource_id: str, *, groups: bool = True) -> list[Any]:
    entries: list[tuple[str, dict[str, Any]]] = []
    for name, its_groups in categories_of(kind):
        entries.append((name, {"categoryType": "Logs", **({"categoryGroups": its_groups} if groups else {})}))
    if groups:
        entries.append(("AllMetrics", {"categoryType": "Metrics", "categoryGroups": []}))
    return [
        {"id": f"{resource_id}/providers/{list_type}/{name}", "type": list_type, "name": name, "properties": properties}
        for name, properties in entries
    ]


_FILTER = re.compile(r"\s*resourceType\s+eq\s+'([^']*)'\s*", re.IGNORECASE)


def _of_subscription(estate: Estate, path: str, key: str, query: Mapping[str, str]) -> Answer | list[Any]:
    scope, _, what = key.rpartition("/")
    if estate.find(scope) is None:
        return not_found(estate, path.rpartition("/")[0])
    subscription = subscription_of(key)
    if what == "locations":
        return [
            {"id": f"/subscriptions/{subscription}/locations/{name}", "name": name, "type": "Region",
             "displayName": shown, "regionalDisplayName": shown, "metadata": {"regionType": "Physical"}}
            for name, shown in REGIONS
        ]  # fmt: skip
    if what == "resourcegroups":
        return [d for k, d in sorted(estate.resource_groups.items()) if subscription_of(k) == subscription]
    wanted = query.get("$filter", "")
    clauses = [_FILTER.fullmatch(clause) for clause in re.split(r"\sor\s", wanted, flags=re.IGNORECASE)]
    if wanted and not all(clauses):
        return error(400, "InvalidFilterInQueryString", f"Invalid $filter '{wanted}' specified in the query string.")
    kinds = {clause.group(1).lower() for clause in clauses if clause} if wanted else None
    shown_keys = ("id", "name", "type", "kind", "managedBy", "location", "sku", "plan", "tags", "identity", "zones")
    return [
        {k: d[k] for k in shown_keys if k in d}
        for d in estate.resources
        if normal_id(d["id"]).startswith(scope + "/") and (kinds is None or kind_of(d).lower() in kinds)
    ]


def _collection(estate: Estate, path: str, key: str) -> Answer | list[Any]:
    """A list that no document tells: the resources of that type below its scope."""
    kind = type_of(f"{key}/x")
    # What a list is of: a parent resource, or the resource group, subscription or tenant before `/providers/`.
    scope = parent_of(f"{path}/x") or path.rpartition("/providers/")[0]
    if scope and estate.find(normal_id(scope)) is None:
        return not_found(estate, scope)
    if kind == FLOW_LOGS.lower():  # members of other lists are children too, as they are of their watcher
        return list(estate.children(kind, normal_id(scope)))
    group, subscription = resource_group_of(key), subscription_of(key)
    return [
        d
        for d in estate.by_type.get(kind, ())
        if (not parent_of(f"{key}/x") or normal_id(d["id"]).startswith(key + "/"))
        and subscription_of(d["id"]) == subscription
        and (not group or resource_group_of(d["id"]).lower() == group)
    ]

"""Small estates for tests: documents in the shapes of Azure's answers, and what the shipped rules say of them."""

from __future__ import annotations

from functools import lru_cache

import pytest

from auditor.assemble import assemble
from auditor.documents import Collection, Run, categories_id, settings_id, unreadable
from auditor.judge import judge
from auditor.parts import Held, judge_in_parts
from auditor.rule import load_rules

S = "11111111-1111-1111-1111-111111111111"  # the subscription that most things are in
CENTRAL = "22222222-2222-2222-2222-222222222222"  # the one for logging
TENANT = "99999999-9999-9999-9999-999999999999"
TODAY = "2026-11-22"
INSIGHTS = "Microsoft.Insights/diagnosticSettings"


def rid(kind, name, sub=S, group="rg-app"):
    """An ARM id; children by name `parent/child`."""
    namespace, *types = kind.split("/")
    tail = "/".join(f"{t}/{n}" for t, n in zip(types, name.split("/"), strict=True))
    return f"/subscriptions/{sub}/resourceGroups/{group}/providers/{namespace}/{tail}"


def res(kind, name, properties=None, sub=S, /, location="westeurope", **more):
    shown = rid(kind, name, sub)
    return {
        "id": shown, "type": kind.lower(), "name": name, "location": location, "tags": {},
        "properties": properties or {}, **more,
    }  # fmt: skip


def subscription(sub=S, state="Enabled", name="sub"):
    return {
        "id": f"/subscriptions/{sub}", "type": "Microsoft.Resources/subscriptions", "subscriptionId": sub,
        "displayName": name, "state": state,
    }  # fmt: skip


SUB = f"/subscriptions/{S}"
VAULT = rid("Microsoft.KeyVault/vaults", "kv")
HSM = rid("Microsoft.KeyVault/managedHSMs", "hsm")
LAW = rid("Microsoft.OperationalInsights/workspaces", "law")
LAW2 = rid("Microsoft.OperationalInsights/workspaces", "law2", CENTRAL)
ARCHIVE = rid("Microsoft.Storage/storageAccounts", "starchive")
HUBS = rid("Microsoft.EventHub/namespaces", "evhns")
PARTNER = rid("Microsoft.Datadog/monitors", "dd")
ACCOUNT = rid("Microsoft.Storage/storageAccounts", "stdata")
ENTRA = f"/providers/microsoft.aadiam/tenants/{TENANT}"


def on(*names, enabled=True):
    return [{"category": name, "categoryGroup": None, "enabled": enabled} for name in names]


def group(*names, enabled=True):
    return [{"category": None, "categoryGroup": name, "enabled": enabled} for name in names]


def to(*places):
    """The destination keys of a setting; null for those it does not have."""
    keys = dict.fromkeys(("storageAccountId", "workspaceId", "eventHubAuthorizationRuleId", "marketplacePartnerId"))
    for place in places:
        lower = place.lower()
        if "/microsoft.eventhub/" in lower:
            keys["eventHubAuthorizationRuleId"] = f"{place}/authorizationRules/RootManageSharedAccessKey"
        elif "/microsoft.storage/" in lower:
            keys["storageAccountId"] = place
        elif "/workspaces/" in lower:
            keys["workspaceId"] = place
        else:
            keys["marketplacePartnerId"] = place
    return keys


def settings(resource, *items):
    """The list of a resource's settings: each item is (destinations, logs) or a setting's properties."""
    value = []
    for n, item in enumerate(items):
        body = {**to(*item[0]), "logs": item[1], "metrics": []} if isinstance(item, tuple) else item
        value.append({"id": f"{settings_id(resource)}/s{n}", "name": f"s{n}", "type": INSIGHTS, "properties": body})
    return {"id": settings_id(resource), "type": INSIGHTS, "value": value}


def categories(resource, **groups):
    """A live category list: category → its groups."""
    value = [
        {"name": name, "properties": {"categoryType": "Logs", "categoryGroups": listed}}
        for name, listed in groups.items()
    ]
    value.append({"name": "AllMetrics", "properties": {"categoryType": "Metrics", "categoryGroups": None}})
    return {"id": categories_id(resource), "type": f"{INSIGHTS}Categories", "value": value}


def denied(shown, kind, status=403, code="AuthorizationFailed"):
    return unreadable(shown, kind, reason="not allowed", status=status, code=code)


def gone(shown, kind, code="ResourceNotFound"):
    return {"id": shown, "type": kind, "$absent": {"status": 404, "code": code}}


def unsupported(shown, kind):
    return {"id": shown, "type": kind, "$unsupported": {"status": 400, "code": "ResourceTypeNotSupported"}}


def vault(**properties):
    return res("Microsoft.KeyVault/vaults", "kv", {"sku": {"name": "standard"}, **properties})


def workspace(place=LAW, days=365, sub=S, **properties):
    body = {"retentionInDays": days, "sku": {"name": "PerGB2018"}, "workspaceCapping": {"dailyQuotaGb": -1}}
    return {
        **res("Microsoft.OperationalInsights/workspaces", place.rpartition("/")[2], {**body, **properties}, sub),
        "id": place,
    }


def tables(place, **found):
    """The list of a workspace's tables: name → properties."""
    kind = "Microsoft.OperationalInsights/workspaces/tables"
    value = [{"id": f"{place}/tables/{n}", "name": n, "type": kind, "properties": p} for n, p in found.items()]
    return {"id": f"{place}/tables", "type": kind, "value": value}


def kept(days, total=None, plan="Analytics"):
    return {"retentionInDays": days, "totalRetentionInDays": days if total is None else total, "plan": plan}


def account(place=ARCHIVE, sub=S, kind="StorageV2", sku="Standard_LRS", endpoints="blob queue table file", **more):
    name = place.rpartition("/")[2]
    body = {
        "primaryEndpoints": {service: f"https://{name}.{service}.core.windows.net/" for service in endpoints.split()},
        "networkAcls": {"defaultAction": "Allow", "bypass": "AzureServices"},
        "publicNetworkAccess": "Enabled",
        "provisioningState": "Succeeded",
        **more,
    }
    document = res("Microsoft.Storage/storageAccounts", name, body, sub, kind=kind, sku={"name": sku})
    return {**document, "id": place}


POLICIES = "Microsoft.Storage/storageAccounts/managementPolicies"


def lifecycle(place=ARCHIVE, *rules):
    shown = f"{place}/managementPolicies/default"
    if not rules:
        return gone(shown, POLICIES, "ManagementPolicyNotFound")
    return {"id": shown, "type": POLICIES, "properties": {"policy": {"rules": list(rules)}}}


def expire(
    days, types=("blockBlob", "appendBlob"), prefixes=None, enabled=True, key="daysAfterModificationGreaterThan"
):
    filters = {"blobTypes": list(types)} | ({"prefixMatch": prefixes} if prefixes else {})
    actions = {"baseBlob": {"delete": {key: days}}}
    return {
        "enabled": enabled,
        "name": "r",
        "type": "Lifecycle",
        "definition": {"filters": filters, "actions": actions},
    }


@lru_cache(maxsize=1)
def rules():
    return load_rules()


def judged(documents, today=TODAY):
    run = Run(tenant=TENANT, finished_at=f"{today}T07:00:00Z", started_at=f"{today}T06:59:00Z")
    collection = Collection(documents=list(documents), run=run)
    whole = judge(assemble(collection), rules())
    assert judge_in_parts(Held(collection), rules, size=1) == whole, "judged in parts, it comes out differently"
    return whole


def check(documents, expected, today=TODAY):
    report = judged(documents, today)
    found = {(f.rule, f.subject.id.lower()): f.status for f in report.findings}
    answers = {(rule, subject): found.get((rule, subject.lower())) for rule, subject in expected}
    assert answers == expected
    return report


def case(name, documents, expected, today=TODAY):
    return pytest.param(documents, expected, today, id=name)


PLACES = [workspace(), tables(LAW), account(), lifecycle()]
GONE_LAW = gone(LAW, "Microsoft.OperationalInsights/workspaces")

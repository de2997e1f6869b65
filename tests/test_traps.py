"""Situations that fool auditors of Azure logging, end to end: documents as Azure returns them, and what each rule says.

Every case is a small estate and the statuses that named rules must give named subjects; None means that the rule says
nothing of the subject. Traps are numbered as in the product's research, sections of peers' faults likewise.
"""

from __future__ import annotations

import pytest
from estates import (
    ARCHIVE,
    CENTRAL,
    ENTRA,
    GONE_LAW,
    HSM,
    HUBS,
    INSIGHTS,
    LAW,
    LAW2,
    PARTNER,
    PLACES,
    POLICIES,
    SUB,
    TENANT,
    VAULT,
    account,
    case,
    categories,
    check,
    denied,
    expire,
    gone,
    group,
    judged,
    kept,
    lifecycle,
    on,
    res,
    rid,
    settings,
    subscription,
    tables,
    to,
    unsupported,
    vault,
    workspace,
)

from auditor.documents import categories_id, normal_id, settings_id

# --- one vault, its settings and its destinations: traps 6 to 14 and 20 to 28 --------------------------------------------


def kv(*items, more=(), status="pass", listed=True, **others):
    """One vault with these settings, and what `keyvault-audit-logs` says; other rules by keyword."""
    live = [categories(VAULT, AuditEvent=["audit", "allLogs"], AzurePolicyEvaluationDetails=["allLogs"])]
    expected = {("keyvault-audit-logs", VAULT): status}
    expected |= {(rule.replace("_", "-"), VAULT): value for rule, value in others.items()}
    return [subscription(), vault(), settings(VAULT, *items), *(live if listed else ()), *more], expected


SETTINGS = [
    case("section 3 (1): two settings that complete each other", *kv(
        ([LAW], on("AuditEvent")), ([ARCHIVE], on("AzurePolicyEvaluationDetails")), more=PLACES,
        resource_audit_logs_exported="pass", resource_logs_exported="pass")),
    case("trap 7, section 3 (2): allLogs alone is audit and everything else", *kv(
        ([LAW], group("allLogs")), more=PLACES, resource_audit_logs_exported="pass")),
    case("section 3 (3): the group audit alone", *kv(
        ([LAW], group("audit")), more=PLACES, resource_audit_logs_exported="pass")),
    case("section 3 (4): the category alone", *kv(
        ([LAW], on("AuditEvent")), more=PLACES, resource_audit_logs_exported="pass")),
    case("section 3 (21): case and order of categories", *kv(
        ([LAW], [*on("AzurePolicyEvaluationDetails", enabled=False), *on("auditevent")]), more=PLACES)),
    case("a category that is not an audit one", *kv(
        ([LAW], on("AzurePolicyEvaluationDetails")), more=PLACES, status="fail",
        resource_audit_logs_exported="fail", resource_logs_exported="pass")),
    case("trap 6, section 3 (5): metrics only", *kv(
        {**to(LAW), "logs": [], "metrics": [{"category": "AllMetrics", "enabled": True}]}, more=PLACES, status="fail",
        resource_logs_exported="fail", diagnostic_setting_without_logs="fail")),
    case("trap 6, section 3 (6): every log listed and switched off", *kv(
        ([LAW], [*on("AuditEvent", "AzurePolicyEvaluationDetails", enabled=False), *group("audit", enabled=False)]),
        more=PLACES, status="fail", diagnostic_setting_without_logs="fail", resource_logs_exported="fail")),
    case("trap 6, section 3 (7): a log that goes nowhere", *kv(
        {"workspaceId": "", "storageAccountId": None, "logs": on("AuditEvent")}, status="fail",
        resource_logs_exported="fail")),
    case("logs null", *kv({**to(LAW), "logs": None}, more=PLACES, status="fail")),
    case("no setting at all is an answer", *kv(status="fail", resource_logs_exported="fail",
                                               diagnostic_setting_without_logs=None)),
    case("trap 12: retention left in a setting is of no matter", *kv(
        {**to(LAW), "logs": [{"category": "AuditEvent", "enabled": True,
                              "retentionPolicy": {"enabled": True, "days": 7}}]}, more=PLACES)),
    case("trap 21, section 3 (8): the workspace is deleted", *kv(
        ([LAW], group("allLogs")), more=[GONE_LAW], status="fail", resource_logs_exported="fail",
        resource_audit_logs_exported="fail")),
    case("trap 21: the resource group of the workspace is deleted", *kv(
        ([LAW], group("allLogs")), more=[gone(LAW, "x", "ResourceGroupNotFound")], status="fail")),
    case("one destination of two is gone", *kv(([LAW, ARCHIVE], group("audit")), more=[GONE_LAW, *PLACES[2:]])),
    case("trap 22, section 3 (20): a central workspace that may not be read counts", *kv(
        ([LAW2], group("audit")), more=[denied(LAW2, "Microsoft.OperationalInsights/workspaces")])),
    case("section 3 (20): a destination in another tenant counts", *kv(
        ([LAW2], group("audit")), more=[denied(LAW2, "Microsoft.OperationalInsights/workspaces", 401,
                                               "InvalidAuthenticationTokenTenant")])),
    case("a subscription that is not found here may be another tenant's", *kv(
        ([LAW2], group("audit")), more=[gone(LAW2, "Microsoft.OperationalInsights/workspaces",
                                             "SubscriptionNotFound")])),
    case("trap 25: an event hub delivers", *kv(([HUBS], on("AuditEvent")), more=[
        res("Microsoft.EventHub/namespaces", "evhns", sku={"name": "Standard"})])),
    case("an event hub namespace that is deleted", *kv(
        ([HUBS], on("AuditEvent")), more=[gone(HUBS, "Microsoft.EventHub/namespaces")], status="fail")),
    case("a partner solution", *kv(([PARTNER], on("AuditEvent")), more=[res("Microsoft.Datadog/monitors", "dd")])),
    case("a partner solution that could not be looked up", *kv(([PARTNER], on("AuditEvent")))),
    case("section 3 (9): settings not readable", [
        subscription(), vault(), denied(settings_id(VAULT), INSIGHTS)],
        {("keyvault-audit-logs", VAULT): "unknown", ("resource-logs-exported", VAULT): "unknown",
         ("resource-audit-logs-exported", VAULT): "unknown", ("diagnostic-setting-without-logs", VAULT): "unknown"}),
    case("traps 20 and 51, section 3 (9): settings never answered (429 in a batch)", [
        subscription(), vault(), denied(settings_id(VAULT), INSIGHTS, 429, "TooManyRequests")],
        {("keyvault-audit-logs", VAULT): "unknown"}),
    case("settings that were not asked for", [subscription(), vault()], {("keyvault-audit-logs", VAULT): "unknown"}),
    case("section 3 (9): categories not readable, the catalog knows them", [
        subscription(), vault(), settings(VAULT, ([LAW], group("audit"))), *PLACES,
        denied(categories_id(VAULT), f"{INSIGHTS}Categories")],
        {("keyvault-audit-logs", VAULT): "pass", ("resource-audit-logs-exported", VAULT): "pass"}),
    case("trap 46: a vault that was deleted since it was listed", [
        subscription(), vault(), gone(settings_id(VAULT), INSIGHTS)],
        {("keyvault-audit-logs", VAULT): None, ("resource-logs-exported", VAULT): None}),
    case("a vault on its way out is still judged", [
        subscription(), vault(provisioningState="Deleting"), settings(VAULT)],
        {("keyvault-audit-logs", VAULT): "fail"}),
    case("trap 1, section 3 (17): ids in any case", [
        subscription(), {**vault(), "id": VAULT.upper().replace("/SUBSCRIPTIONS", "/subscriptions")},
        settings(VAULT.lower() + "/", ([LAW.upper()], on("AuditEvent"))), *PLACES],
        {("keyvault-audit-logs", VAULT): "pass", ("log-destination-exists", LAW): "pass"}),
    case("a resource listed twice in different case is judged once", [
        subscription(), vault(), {**vault(), "id": VAULT.lower()}, settings(VAULT, ([LAW], on("AuditEvent"))), *PLACES],
        {("keyvault-audit-logs", VAULT): "pass"}),
    case("one switch of a group is not decided yet", *kv(
        {**to(LAW), "logs": [{"categoryGroup": "audit", "enabled": {"$unknown": {"reason": "known after apply"}}}]},
        more=PLACES, status="unknown", resource_audit_logs_exported="unknown", resource_logs_exported="unknown")),
    case("a group that the live list does not name", *kv(
        ([LAW], group("security")), more=PLACES, status="unknown", resource_logs_exported="unknown")),
    case("destination that is a name nobody knows", *kv(
        {"workspaceId": {"$unknown": {"reason": "later"}}, "logs": on("AuditEvent")})),
]  # fmt: skip


@pytest.mark.parametrize(("documents", "expected", "today"), SETTINGS)
def test_settings_of_a_vault(documents, expected, today):
    check(documents, expected, today)


def test_a_resource_listed_twice_is_one_finding():
    report = judged([subscription(), vault(), {**vault(), "id": VAULT.lower()}, settings(VAULT)])
    assert [f.rule for f in report.findings].count("keyvault-audit-logs") == 1
    assert report.resource_count == 1


# --- what a type offers: traps 11, 14, 15, 16, 45 and section 3 (11), (12) -------------------------------------------------

BASTION = rid("Microsoft.Network/bastionHosts", "bas")
CDN = rid("Microsoft.Cdn/profiles", "afd")
SITE = rid("Microsoft.Web/sites", "app")
SITE2 = rid("Microsoft.Web/sites", "app2")
CLUSTER = rid("Microsoft.ContainerService/managedClusters", "aks")
SERVER = rid("Microsoft.Sql/servers", "sql")
MASTER = rid("Microsoft.Sql/servers/databases", "sql/master")
NEW = rid("Microsoft.Contoso/things", "new")


def site(name="app", kind="app"):
    return res("Microsoft.Web/sites", name, kind=kind)


OFFERS = [
    case("section 3 (11): a type whose live list has no group audit", [
        subscription(), res("Microsoft.ContainerService/managedClusters", "aks", sku={"name": "Base"}),
        categories(CLUSTER, **{"kube-audit": [], "guard": []}),
        settings(CLUSTER, ([LAW], on("guard"))), *PLACES],
        {("resource-audit-logs-exported", CLUSTER): None, ("resource-logs-exported", CLUSTER): "pass"}),
    case("trap 11: audit leaves out a category that allLogs has", [
        subscription(), site(), categories(SITE, AppServiceAuditLogs=["audit", "allLogs"], AppServiceHTTPLogs=["allLogs"]),
        settings(SITE, ([LAW], on("AppServiceAuditLogs"))), *PLACES],
        {("resource-audit-logs-exported", SITE): "pass", ("resource-logs-exported", SITE): "pass"}),
    case("allLogs covers audit whatever audit contains", [
        subscription(), site(), denied(categories_id(SITE), f"{INSIGHTS}Categories"),
        settings(SITE, ([LAW], group("allLogs"))), *PLACES],
        {("resource-audit-logs-exported", SITE): "pass"}),
    case("one list of categories serves all of a kind and SKU", [
        subscription(), site(), site("app2"), categories(SITE, AppServiceHTTPLogs=["allLogs"]),
        settings(SITE), settings(SITE2, ([LAW], on("AppServiceHTTPLogs"))), *PLACES],
        {("resource-audit-logs-exported", SITE2): None, ("resource-logs-exported", SITE2): "pass",
         ("resource-logs-exported", SITE): "fail"}),
    case("trap 15: a SKU that emits nothing", [
        subscription(), res("Microsoft.Network/bastionHosts", "bas", sku={"name": "Developer"}),
        categories(BASTION), settings(BASTION)],
        {("resource-logs-exported", BASTION): None, ("resource-audit-logs-exported", BASTION): None}),
    case("trap 14: a type whose settings are refused logs nothing, whatever the list of categories says", [
        subscription(), site(), categories(SITE, AppServiceHTTPLogs=["allLogs"]),
        unsupported(settings_id(SITE), INSIGHTS)],
        {("resource-logs-exported", SITE): None, ("diagnostic-setting-without-logs", SITE): None}),
    case("trap 45: a category that no catalog has is still a log", [
        subscription(), res("Microsoft.Contoso/things", "new"), categories(NEW, BrandNewLogs=["audit"]),
        settings(NEW, ([LAW], on("BrandNewLogs"))), *PLACES],
        {("resource-logs-exported", NEW): "pass", ("resource-audit-logs-exported", NEW): "pass"}),
    case("a type that nobody knows and that does not tell logs nothing that one could ask for", [
        subscription(), res("Microsoft.Contoso/things", "new"), settings(NEW)],
        {("resource-logs-exported", NEW): None}),
    case("trap 17: the database master is no exception", [
        subscription(), res("Microsoft.Sql/servers", "sql", kind="v12.0"),
        {**res("Microsoft.Sql/servers/databases", "sql/master", kind="v12.0,system"), "id": MASTER}, settings(MASTER),
        {"id": f"{SERVER}/auditingSettings/default", "type": "Microsoft.Sql/servers/auditingSettings",
         "properties": {"state": "Disabled"}}],
        {("resource-logs-exported", SERVER): None, ("resource-logs-exported", MASTER): "fail"}),
    case("trap 3: a thing of no region", [
        subscription(), res("Microsoft.Cdn/profiles", "afd", location="Global", sku={"name": "Premium_AzureFrontDoor"}),
        settings(CDN)],
        {("resource-logs-exported", CDN): "fail"}),
    case("a name that is not ASCII", [
        subscription(), {**vault(), "id": VAULT.replace("/kv", "/schlüssel"), "name": "schlüssel"},
        settings(VAULT.replace("/kv", "/schlüssel"), ([LAW], on("AuditEvent"))), *PLACES],
        {("keyvault-audit-logs", VAULT.replace("/kv", "/SCHLÜSSEL").lower()): "pass"}),
    case("managed HSM", [
        subscription(), res("Microsoft.KeyVault/managedHSMs", "hsm", sku={"name": "Standard_B1", "family": "B"}),
        settings(HSM, ([LAW], group("allLogs"))), *PLACES],
        {("managed-hsm-audit-logs", HSM): "pass"}),
    case("managed HSM without", [subscription(), res("Microsoft.KeyVault/managedHSMs", "hsm"), settings(HSM)],
         {("managed-hsm-audit-logs", HSM): "fail"}),
    case("trap 49: a soft-deleted vault is not judged", [
        subscription(), {"id": f"{SUB}/providers/Microsoft.KeyVault/deletedVaults",
                         "type": "Microsoft.KeyVault/deletedVaults", "value": [
            {"id": f"{SUB}/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/kv", "name": "kv",
             "type": "Microsoft.KeyVault/deletedVaults", "properties": {"vaultId": VAULT, "location": "westeurope"}}]}],
        {("keyvault-audit-logs", VAULT): None}),
]  # fmt: skip


@pytest.mark.parametrize(("documents", "expected", "today"), OFFERS)
def test_what_a_type_offers(documents, expected, today):
    check(documents, expected, today)


# --- Activity Log: section 1, trap 28, and AL-001 to AL-007 ----------------------------------------------------------------

SECURITY = ("Administrative", "Security", "Policy", "Alert")
OPERATIONS = ("ServiceHealth", "ResourceHealth", "Recommendation", "Autoscale")
EVERY = (*SECURITY, *OPERATIONS)
ROOT_GROUP = "/providers/Microsoft.Management/managementGroups/root"
AL = {"exported": "activity-log-exported", "security": "activity-log-security-categories",
      "operational": "activity-log-operational-categories", "retention": "activity-log-retention"}  # fmt: skip


def al(*items, more=(), state="Enabled", **expected):
    return [subscription(state=state), settings(SUB, *items), *more], {
        (AL[key], SUB): status for key, status in expected.items()
    }


PROFILES = f"{SUB}/providers/Microsoft.Insights/logProfiles"
PROFILE = {
    "id": f"{PROFILES}/default", "name": "default", "type": "Microsoft.Insights/logProfiles",
    "properties": {"categories": ["Write", "Delete", "Action"], "locations": ["global"],
                   "retentionPolicy": {"enabled": True, "days": 365}, "storageAccountId": ARCHIVE},
}  # fmt: skip
ACTIVITY = [
    case("all eight to a workspace that keeps a year", *al(
        ([LAW], on(*EVERY)), more=[workspace(), tables(LAW, AzureActivity=kept(365))],
        exported="pass", security="pass", operational="pass", retention="pass")),
    case("trap 9: categories split over settings", *al(
        ([LAW], on("Administrative", "Security")), ([ARCHIVE], on("Policy", "Alert")), more=PLACES,
        exported="pass", security="pass", operational="fail", retention="pass")),
    case("trap 10: the group allLogs", *al(([LAW], group("allLogs")), more=PLACES, security="pass", operational="pass")),
    case("ServiceHealth alone", *al(([LAW], on("ServiceHealth")), more=PLACES, exported="pass", security="fail",
                                    operational="fail", retention=None)),
    case("nothing", *al(exported="fail", security="fail", operational="fail", retention=None)),
    case("settings not readable", [subscription(), denied(settings_id(SUB), INSIGHTS)],
         {(rule, SUB): "unknown" for rule in AL.values()}),
    case("trap 28: exported by a management group only", [
        subscription(), settings(SUB), {"id": ROOT_GROUP, "type": "Microsoft.Management/managementGroups",
                                        "name": "root", "properties": {"displayName": "Root"}},
        settings(ROOT_GROUP, ([LAW], on("Administrative", "Policy"))), *PLACES],
        {("activity-log-exported", SUB): "fail", ("activity-log-security-categories", SUB): "fail",
         ("log-destination-exists", LAW): "pass"}),
    case("trap 2: a management group's id without its slash, doubled ones elsewhere", [
        subscription(), {**settings(SUB, ([LAW], on(*EVERY))), "id": f"/{SUB}//providers/microsoft.insights/diagnosticSettings"},
        *PLACES],
        {("activity-log-exported", SUB): "pass"}),
    case("trap 47: a disabled subscription is judged like any other", *al(state="Disabled", exported="fail")),
    case("a subscription past due", *al(([LAW], on(*EVERY)), more=PLACES, state="PastDue", exported="pass")),
    case("the workspace is deleted", *al(([LAW], on(*EVERY)), more=[GONE_LAW], exported="fail", security="fail",
                                         operational="fail", retention=None)),
    case("AzureActivity keeps 90 days at no charge, which is not a year", *al(
        ([LAW], on(*SECURITY)), more=[workspace(days=30), tables(LAW, AzureActivity=kept(None, -1))],
        exported="pass", retention="fail")),
    case("AzureActivity keeps a year where the workspace keeps 30 days", *al(
        ([LAW], on(*SECURITY)), more=[workspace(days=30), tables(LAW, AzureActivity=kept(90, 365))], retention="pass")),
    case("the table keeps less than its workspace", *al(
        ([LAW], on(*SECURITY)), more=[workspace(days=730), tables(LAW, AzureActivity=kept(90, 90))], retention="fail")),
    case("null and -1 inherit the workspace", *al(
        ([LAW], on(*SECURITY)), more=[workspace(days=400), tables(LAW, AzureActivity=kept(-1, None))],
        retention="pass")),
    case("a workspace in the Free tier keeps 7 days", *al(
        ([LAW], on(*SECURITY)), more=[workspace(days=730, sku={"name": "free"}), tables(LAW)], retention="fail")),
    case("the tables may not be read", *al(
        ([LAW], on(*SECURITY)), more=[workspace(), denied(f"{LAW}/tables", "Microsoft.OperationalInsights/workspaces/tables")],
        exported="pass", retention="unknown")),
    case("the workspace may not be read", *al(
        ([LAW2], on(*SECURITY)), more=[denied(LAW2, "Microsoft.OperationalInsights/workspaces")],
        exported="pass", security="pass", retention="unknown")),
    case("trap 13: an account without a lifecycle rule keeps for ever", *al(
        ([ARCHIVE], on(*SECURITY)), more=[account(), lifecycle()], retention="pass")),
    case("trap 12: days left in the setting are of no matter", *al(
        {**to(ARCHIVE), "logs": [{"category": c, "enabled": True, "retentionPolicy": {"enabled": True, "days": 30}}
                                 for c in SECURITY]}, more=[account(), lifecycle()], retention="pass")),
    case("a lifecycle rule deletes after 30 days", *al(
        ([ARCHIVE], on(*SECURITY)), more=[account(), lifecycle(ARCHIVE, expire(30))], exported="pass",
        retention="fail")),
    case("a lifecycle rule that is switched off", *al(
        ([ARCHIVE], on(*SECURITY)), more=[account(), lifecycle(ARCHIVE, expire(30, enabled=False))], retention="pass")),
    case("a lifecycle rule for block blobs does not touch appended logs", *al(
        ([ARCHIVE], on(*SECURITY)), more=[account(), lifecycle(ARCHIVE, expire(30, types=["blockBlob"]))],
        retention="pass")),
    case("a lifecycle rule for another prefix", *al(
        ([ARCHIVE], on(*SECURITY)), more=[account(), lifecycle(ARCHIVE, expire(30, prefixes=["images/"]))],
        retention="pass")),
    case("a lifecycle rule for the activity log, by creation", *al(
        ([ARCHIVE], on(*SECURITY)), more=[account(), lifecycle(
            ARCHIVE, expire(30, prefixes=["insights-activity"], key="daysAfterCreationGreaterThan"))],
        retention="fail")),
    case("a lifecycle rule that takes part of the container", *al(
        ([ARCHIVE], on(*SECURITY)), more=[account(), lifecycle(
            ARCHIVE, expire(30, prefixes=["insights-activity-logs/resourceId=/SUBSCRIPTIONS/1"]))],
        retention="unknown")),
    case("the lifecycle policy may not be read", *al(
        ([ARCHIVE], on(*SECURITY)), more=[account(), denied(f"{ARCHIVE}/managementPolicies/default", POLICIES)],
        retention="unknown")),
    case("a short workspace beside a long archive", *al(
        ([LAW, ARCHIVE], on(*SECURITY)), more=[workspace(days=30), tables(LAW), account(), lifecycle()],
        retention="pass")),
    case("trap 25: an event hub keeps nothing that can be seen", *al(
        ([HUBS], on(*SECURITY)), more=[res("Microsoft.EventHub/namespaces", "evhns", sku={"name": "Standard"})],
        exported="pass", security="pass", retention="unknown")),
    case("a partner solution keeps what nobody sees", *al(
        ([PARTNER], on(*SECURITY)), more=[res("Microsoft.Datadog/monitors", "dd")], exported="pass",
        retention="unknown")),
    case("section 3 (23): a log profile beside a setting", [
        subscription(), settings(SUB, ([LAW], on(*EVERY))), *PLACES,
        {"id": PROFILES, "type": "Microsoft.Insights/logProfiles", "value": [PROFILE]}],
        {("activity-log-exported", SUB): "pass", ("activity-log-profile-retired", f"{PROFILES}/default"): "fail"}),
    case("a log profile alone exports nothing any more", [
        subscription(), settings(SUB), {"id": PROFILES, "type": "Microsoft.Insights/logProfiles", "value": [PROFILE]}],
        {("activity-log-exported", SUB): "fail", ("activity-log-profile-retired", f"{PROFILES}/default"): "fail"}),
    case("log profiles not readable", [
        subscription(), settings(SUB), denied(PROFILES, "Microsoft.Insights/logProfiles")],
        {("activity-log-profile-retired", PROFILES): "unknown"}),
    case("log profiles answer 404 or nothing", [
        subscription(), settings(SUB), gone(PROFILES, "Microsoft.Insights/logProfiles")],
        {("activity-log-profile-retired", PROFILES): None}),
    case("section 3 (18): two subscriptions of one name", [
        subscription(name="Production"), subscription(CENTRAL, name="Production"), settings(SUB, ([LAW], on(*EVERY))),
        settings(f"/subscriptions/{CENTRAL}"), *PLACES],
        {("activity-log-exported", SUB): "pass", ("activity-log-exported", f"/subscriptions/{CENTRAL}"): "fail"}),
    case("a subscription that would not tell its own name", [
        denied(SUB, "Microsoft.Resources/subscriptions"), subscription(CENTRAL), vault(), settings(VAULT),
        settings(SUB, ([LAW], on(*EVERY))), *PLACES],
        {("activity-log-exported", SUB): "pass", ("keyvault-audit-logs", VAULT): "fail"}),
]  # fmt: skip


@pytest.mark.parametrize(("documents", "expected", "today"), ACTIVITY)
def test_activity_log(documents, expected, today):
    check(documents, expected, today)


# --- Entra ID: section 2, traps 42 to 45, section 3 (24) ---------------------------------------------------------------------

P1, P2 = "41781fb2-bc02-4b7c-bd55-b576c07bb09d", "eec0eb4f-6444-4f95-aba0-50c24d67f998"
AAD_SETTINGS = "/providers/microsoft.aadiam/diagnosticSettings"
SKUS = "/providers/microsoft.graph/subscribedSkus"
SIGN_INS = ("SignInLogs", "NonInteractiveUserSignInLogs", "ServicePrincipalSignInLogs", "ManagedIdentitySignInLogs")
TOLD = {"id": f"/tenants/{TENANT}", "type": "Microsoft.Resources/tenants", "tenantId": TENANT,
        "displayName": "Contoso", "defaultDomain": "contoso.example"}  # fmt: skip


def sku(*plans, status="Enabled", enabled=5, provisioning="Success", **units):
    listed = [{"servicePlanId": plan, "provisioningStatus": provisioning, "servicePlanName": "x"} for plan in plans]
    return {"skuPartNumber": "X", "capabilityStatus": status, "servicePlans": listed,
            "prepaidUnits": {"enabled": enabled, "warning": 0, "suspended": 0, "lockedOut": 0, **units}}  # fmt: skip


def licences(*skus):
    return {"id": SKUS, "type": "microsoft.graph/subscribedSkus", "value": list(skus)}


def entra_settings(*items):
    value = [
        {"id": f"{AAD_SETTINGS}/s{n}", "name": f"s{n}", "type": None,
         "properties": {**to(*places), "logs": [{"category": c, "enabled": True} for c in names]}}
        for n, (places, names) in enumerate(items)
    ]  # fmt: skip
    return {"id": AAD_SETTINGS, "type": "microsoft.aadiam/diagnosticSettings", "value": value}


def entra(*documents, audit, sign_in, graph):
    expected = {("entra-audit-logs", ENTRA): audit, ("entra-sign-in-logs", ENTRA): sign_in,
                ("entra-graph-activity-logs", ENTRA): graph}  # fmt: skip
    return [TOLD, subscription(), *PLACES, *documents], expected


FULL = entra_settings(([LAW], ["AuditLogs", *SIGN_INS, "MicrosoftGraphActivityLogs"]))
NO_SKUS = denied(SKUS, "microsoft.graph/subscribedSkus", 403, "Authorization_RequestDenied")
PASS = {"audit": "pass", "sign_in": "pass", "graph": "pass"}
FAIL = {"audit": "fail", "sign_in": "fail", "graph": "fail"}
GAP = {"audit": "pass", "sign_in": "not-applicable", "graph": "not-applicable"}
AUDIT_ONLY = entra_settings(([LAW], ["AuditLogs"]))
ENTRA_CASES = [
    case("everything", *entra(FULL, licences(sku(P1)), **PASS)),
    case("nothing", *entra(entra_settings(), licences(sku(P2)), **FAIL)),
    case("section 3 (24), trap 42: a Free tenant has a licence gap", *entra(AUDIT_ONLY, licences(), **GAP)),
    case("Office without Entra premium is a Free tenant", *entra(AUDIT_ONLY, licences(sku("other")), **GAP)),
    case("trap 42: a trial counts while it runs", *entra(AUDIT_ONLY, licences(sku(P2, enabled=25)), audit="pass",
                                                        sign_in="fail", graph="fail")),
    case("trap 42: in grace it counts", *entra(AUDIT_ONLY, licences(sku(P1, status="Warning", enabled=0, warning=5)),
                                              audit="pass", sign_in="fail", graph="fail")),
    case("trap 42: suspended does not", *entra(AUDIT_ONLY, licences(sku(P1, status="Suspended", enabled=0, suspended=5)),
                                              **GAP)),
    case("trap 42: locked out does not", *entra(AUDIT_ONLY, licences(sku(P1, status="LockedOut", enabled=0, lockedOut=5)),
                                               **GAP)),
    case("a plan that is disabled in its SKU", *entra(AUDIT_ONLY, licences(sku(P1, provisioning="Disabled")), **GAP)),
    case("no seats", *entra(AUDIT_ONLY, licences(sku(P1, enabled=0)), **GAP)),
    case("trap 43: licence unknown, nothing exported", *entra(
        entra_settings(), NO_SKUS, audit="fail", sign_in="unknown", graph="unknown")),
    case("trap 43: licence unknown, everything exported", *entra(FULL, NO_SKUS, **PASS)),
    case("trap 43: settings not readable", *entra(
        denied(AAD_SETTINGS, "microsoft.aadiam/diagnosticSettings"), licences(sku(P1)), audit="unknown",
        sign_in="unknown", graph="unknown")),
    case("neither readable", *entra(denied(AAD_SETTINGS, "microsoft.aadiam/diagnosticSettings"), NO_SKUS,
                                    audit="unknown", sign_in="unknown", graph="unknown")),
    case("settings not readable in a Free tenant", *entra(
        denied(AAD_SETTINGS, "microsoft.aadiam/diagnosticSettings"), licences(), audit="unknown",
        sign_in="not-applicable", graph="not-applicable")),
    case("one kind of sign-in is missing", *entra(
        entra_settings(([LAW], ["AuditLogs", *SIGN_INS[:3]])), licences(sku(P1)), audit="pass", sign_in="fail",
        graph="fail")),
    case("trap 9: split over two settings", *entra(
        entra_settings(([LAW], SIGN_INS[:2]), ([ARCHIVE], [*SIGN_INS[2:], "AuditLogs"])), licences(sku(P1)),
        audit="pass", sign_in="pass", graph="fail")),
    case("a setting left over from a licence that lapsed exports nothing", *entra(FULL, licences(), **GAP)),
    case("the names in another case", *entra(
        entra_settings(([LAW], ["auditlogs", *(s.upper() for s in SIGN_INS)])), licences(sku(P1)), audit="pass",
        sign_in="pass", graph="fail")),
]  # fmt: skip


@pytest.mark.parametrize(("documents", "expected", "today"), ENTRA_CASES)
def test_entra(documents, expected, today):
    check(documents, expected, today)


def test_a_licence_gap_says_so():
    report = judged(entra(AUDIT_ONLY, licences(), **GAP)[0])
    found = next(f for f in report.findings if f.rule == "entra-sign-in-logs")
    assert "licence" in found.message


# --- what counts as a log source: nothing that cannot come about, nothing twice ----------------------------------------


def cells(documents, shown):
    rows = {normal_id(row.id): row for row in judged(documents).coverage}
    row = rows.get(normal_id(shown))
    return {cell.category: cell.state for cell in row.cells} if row else {}


PIP = rid("Microsoft.Network/publicIPAddresses", "pip")
DDOS = ("DDoSMitigationFlowLogs", "DDoSMitigationReports", "DDoSProtectionNotifications")
FIREWALL = rid("Microsoft.Network/azureFirewalls", "afw")
COSMOS = rid("Microsoft.DocumentDB/databaseAccounts", "cosmos")
STRUCTURED = ("AZFWApplicationRule", "AZFWNetworkRule", "AZFWDnsQuery")
LEGACY = ("AzureFirewallApplicationRule", "AzureFirewallNetworkRule", "AzureFirewallDnsProxy")


def public_ip(mode=None):
    return res("Microsoft.Network/publicIPAddresses", "pip", {"ddosSettings": {"protectionMode": mode}})


@pytest.mark.parametrize(
    ("mode", "protected", "counted"),
    [(None, False, False), ("VirtualNetworkInherited", False, False), ("VirtualNetworkInherited", True, True),
     ("Enabled", False, True), ("Disabled", True, False)],
)  # fmt: skip
def test_ddos_logs_count_only_where_something_is_protected(mode, protected, counted):
    network = res("Microsoft.Network/virtualNetworks", "v", {"enableDdosProtection": protected, "subnets": []})
    documents = [subscription(), network, public_ip(mode), settings(PIP)]
    assert cells(documents, PIP) == (dict.fromkeys(DDOS, "missing") if counted else {})
    alerts = "VMProtectionAlerts" in cells([*documents, settings(network["id"])], network["id"])
    assert alerts is protected


@pytest.mark.parametrize(
    ("sent", "counted", "left_out"),
    [((), STRUCTURED, LEGACY), (STRUCTURED, STRUCTURED, LEGACY), (LEGACY, LEGACY, STRUCTURED),
     ((*STRUCTURED, *LEGACY), STRUCTURED, LEGACY)],
)  # fmt: skip
def test_firewall_logs_of_either_form_are_enough(sent, counted, left_out):
    documents = [subscription(), res("Microsoft.Network/azureFirewalls", "afw"), *PLACES,
                 settings(FIREWALL, ([LAW], on(*sent)))]  # fmt: skip
    found = cells(documents, FIREWALL)
    assert {found[name] for name in counted} == {"exported" if sent else "missing"}
    assert not set(left_out) & set(found)


@pytest.mark.parametrize(("kind", "capability", "name"), [
    ("MongoDB", "EnableMongo", "MongoRequests"), ("GlobalDocumentDB", "EnableCassandra", "CassandraRequests"),
    ("GlobalDocumentDB", "EnableGremlin", "GremlinRequests"), ("GlobalDocumentDB", "EnableTable", "TableApiRequests"),
    ("GlobalDocumentDB", "EnableServerless", None),
])  # fmt: skip
def test_cosmos_requests_of_the_api_that_an_account_has(kind, capability, name):
    account = res(
        "Microsoft.DocumentDB/databaseAccounts", "cosmos", {"capabilities": [{"name": capability}]}, kind=kind
    )
    found = set(cells([subscription(), account, settings(COSMOS)], COSMOS))
    assert found == {"ControlPlaneRequests", "DataPlaneRequests"} | ({name} if name else set())


APPI = rid("Microsoft.Insights/components", "appi")


@pytest.mark.parametrize(
    ("workspace", "places", "status", "counted"),
    [(LAW, PLACES, None, False), (LAW2, [denied(LAW2, "Microsoft.OperationalInsights/workspaces")], None, False),
     (None, [], "fail", True), (LAW, [GONE_LAW], "fail", True)],
    ids=["with a workspace", "with one that may not be read", "classic", "whose workspace was deleted"],
)  # fmt: skip
def test_application_insights_with_a_workspace_needs_no_setting(workspace, places, status, counted):
    """Its records are in the workspace already; a setting would only send them twice."""
    component = res("Microsoft.Insights/components", "appi", {"WorkspaceResourceId": workspace})
    documents = [subscription(), component, settings(APPI), *places]
    check(documents, {("resource-logs-exported", APPI): status}, "2026-11-22")
    assert cells(documents, APPI) == (dict.fromkeys(("AppPageViews", "AppRequests"), "missing") if counted else {})


def test_trap_45_a_new_category_counts_where_azure_says_that_it_is_audit():
    documents = [subscription(), vault(), settings(VAULT), categories(
        VAULT, AuditEvent=["audit", "allLogs"], NewAudit=["audit", "allLogs"], NewNoise=["allLogs"])]  # fmt: skip
    assert cells(documents, VAULT) == {"AuditEvent": "missing", "NewAudit": "missing"}

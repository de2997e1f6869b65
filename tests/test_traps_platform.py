"""What fools auditors of databases, applications, alerts and whole estates, end to end."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from estates import (
    ARCHIVE,
    CENTRAL,
    ENTRA,
    LAW,
    PLACES,
    SUB,
    TENANT,
    VAULT,
    account,
    case,
    categories,
    check,
    expire,
    group,
    lifecycle,
    on,
    res,
    rid,
    settings,
    subscription,
    vault,
)

from auditor.documents import normal_id

# --- SQL: traps 11, 17 and section 3 (15), (16) --------------------------------------------------------------------------

SQL, DATABASES = "Microsoft.Sql/servers", "Microsoft.Sql/servers/databases"
SERVER, MASTER, APP = rid(SQL, "sql"), rid(DATABASES, "sql/master"), rid(DATABASES, "sql/app")
AUDITED, KEPT, CARRIED, EACH = (
    "sql-server-auditing",
    "sql-audit-retention",
    "sql-audit-on-master",
    "sql-database-auditing",
)
EVENTS = "SQLSecurityAuditEvents"
ENDPOINT = "https://starchive.blob.core.windows.net/"


def policy(**told):
    return {"id": f"{SERVER}/auditingSettings/Default", "type": f"{SQL}/auditingSettings", "name": "Default",
            "properties": told}  # fmt: skip


def own_policy(**told):
    return {"id": f"{APP}/auditingSettings/Default", "type": f"{DATABASES}/auditingSettings", "name": "Default",
            "properties": told}  # fmt: skip


def sql(*documents, own=None, **expected):
    """A server with one database, whose own policy is off; what the rules say of server and database."""
    rules = {"audited": (AUDITED, SERVER), "kept": (KEPT, SERVER), "carried": (CARRIED, SERVER), "each": (EACH, APP),
             "master": ("resource-audit-logs-exported", MASTER), "health": ("sql-database-health-logs", APP)}  # fmt: skip
    base = [subscription(), res(SQL, "sql", kind="v12.0"), *PLACES,
            {**res(DATABASES, "sql/master", kind="v12.0,system"), "id": MASTER},
            {**res(DATABASES, "sql/app", kind="v12.0,user"), "id": APP}, own or own_policy(state="Disabled")]  # fmt: skip
    replaced = {normal_id(doc["id"]) for doc in documents}
    return [*(doc for doc in base if normal_id(doc["id"]) not in replaced), *documents], {
        rules[key]: status for key, status in expected.items()
    }


def monitored(days=0):
    return policy(state="Enabled", isAzureMonitorTargetEnabled=True, storageEndpoint="", retentionDays=days)


def stored(days):
    return policy(state="Enabled", isAzureMonitorTargetEnabled=False, storageEndpoint=ENDPOINT, retentionDays=days)


CARRYING = settings(MASTER, ([LAW], on(EVENTS)))
LISTED = categories(MASTER, **{EVENTS: ["audit"], "Errors": []})
SQL_CASES = [
    case("section 3 (15): audited to a workspace, where 0 days say nothing", *sql(
        monitored(), CARRYING, audited="pass", carried="pass", kept=None, each="pass")),
    case("section 3 (15): to storage, where 0 days are for ever", *sql(
        stored(0), settings(MASTER), audited="pass", kept="pass", carried=None)),
    case("section 3 (15): to storage, 30 days", *sql(stored(30), settings(MASTER), audited="pass", kept="fail")),
    case("to storage for a year, and a lifecycle rule deletes sooner", *sql(
        stored(365), settings(MASTER), lifecycle(ARCHIVE, expire(30)), audited="pass", kept="fail")),
    case("section 3 (16): an empty policy is neither on nor off", *sql(
        policy(), CARRYING, audited="unknown", each="unknown")),
    case("section 3 (16): an empty list of policies likewise", *sql(
        {"id": f"{SERVER}/auditingSettings", "type": f"{SQL}/auditingSettings", "value": []}, CARRYING,
        audited="unknown", each="unknown")),
    case("trap 11: the group audit of master is not auditing", *sql(
        policy(state="Disabled"), settings(MASTER, ([LAW], group("audit"))), LISTED, audited="fail", each="fail",
        master="fail")),
    case("trap 17: auditing to Azure Monitor, which a setting on another database does not carry", *sql(
        monitored(), settings(MASTER), settings(APP, ([LAW], on(EVENTS))), audited="fail", carried="fail")),
    case("a database audited by its own policy", *sql(
        policy(state="Disabled"), settings(MASTER), own=own_policy(state="Enabled", storageEndpoint=ENDPOINT),
        audited="fail", each="pass")),
]  # fmt: skip


@pytest.mark.parametrize(("documents", "expected", "today"), SQL_CASES)
def test_sql_auditing(documents, expected, today):
    check(documents, expected, today)


# --- what is a resource of its own: traps 5, 18, 53 ----------------------------------------------------------------------

SITE, SLOT = rid("Microsoft.Web/sites", "app"), rid("Microsoft.Web/sites/slots", "app/staging")
SPACE = "Microsoft.MachineLearningServices/workspaces"
ML, ENDPOINT_ID = rid(SPACE, "ml"), rid(f"{SPACE}/onlineEndpoints", "ml/score")
CLASSIC = rid("Microsoft.ClassicStorage/storageAccounts", "stold")
CLASSIC_NSG = rid("Microsoft.ClassicNetwork/networkSecurityGroups", "nsgold")
DELETED = "Microsoft.KeyVault/deletedVaults"
WEB = ([LAW], on("AppServiceHTTPLogs"))
RESOURCES = [
    case("trap 5: a setting that a deleted namesake left is the new one's", [
        subscription(), vault(), settings(VAULT, ([LAW], on("AuditEvent"))), *PLACES,
        {"id": f"{SUB}/providers/{DELETED}", "type": DELETED, "value": [
            {"id": f"{SUB}/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/kv", "name": "kv",
             "type": DELETED, "properties": {"vaultId": VAULT, "location": "westeurope"}}]}],
        {("keyvault-audit-logs", VAULT): "pass"}),
    case("trap 18: a slot is not logged by its app's setting", [
        subscription(), res("Microsoft.Web/sites", "app", kind="app"), settings(SITE, WEB), *PLACES,
        {**res("Microsoft.Web/sites/slots", "app/staging", kind="app"), "id": SLOT}, settings(SLOT)],
        {("app-service-http-logs", SITE): "pass", ("app-service-http-logs", SLOT): "fail"}),
    case("trap 18: nor an app by its slot's", [
        subscription(), res("Microsoft.Web/sites", "app", kind="app"), settings(SITE), *PLACES,
        {**res("Microsoft.Web/sites/slots", "app/staging", kind="app"), "id": SLOT}, settings(SLOT, WEB)],
        {("app-service-http-logs", SITE): "fail", ("app-service-http-logs", SLOT): "pass"}),
    case("trap 18: an endpoint of Machine Learning has settings of its own", [
        subscription(), res(SPACE, "ml", kind="Default"), settings(ML, ([LAW], group("allLogs"))), *PLACES,
        {**res(f"{SPACE}/onlineEndpoints", "ml/score"), "id": ENDPOINT_ID}, settings(ENDPOINT_ID)],
        {("machine-learning-logs", ML): "pass", ("machine-learning-logs", ENDPOINT_ID): "fail",
         ("resource-logs-exported", ENDPOINT_ID): "fail"}),
    case("trap 18: so has each database", *sql(
        monitored(), settings(MASTER, ([LAW], group("allLogs"))), settings(APP), health="fail", carried="pass")),
    case("trap 18: nor does a database's own carry what the server's audit is", *sql(
        monitored(), settings(MASTER), settings(APP, ([LAW], group("allLogs"))), health="pass", carried="fail")),
    case("trap 53: a classic account is no storage account, and has no logs that one could ask for", [
        subscription(), res("Microsoft.ClassicStorage/storageAccounts", "stold"), settings(CLASSIC)],
        {("resource-logs-exported", CLASSIC): None, ("storage-blob-access-logs", f"{CLASSIC}/blobServices/default"): None}),
    case("trap 53: a classic security group has, and is asked like anything", [
        subscription(), res("Microsoft.ClassicNetwork/networkSecurityGroups", "nsgold"), settings(CLASSIC_NSG)],
        {("resource-logs-exported", CLASSIC_NSG): "fail", ("public-nsg-flow-logs", CLASSIC_NSG): None}),
]  # fmt: skip


@pytest.mark.parametrize(("documents", "expected", "today"), RESOURCES)
def test_what_is_a_resource_of_its_own(documents, expected, today):
    check(documents, expected, today)


# --- alerts: section 3 (19) and traps 29, 30 -----------------------------------------------------------------------------

WRITE = "Microsoft.Network/networkSecurityGroups/write"
ALERTS, GROUPS = "Microsoft.Insights/activityLogAlerts", "Microsoft.Insights/actionGroups"
TEAM = rid(GROUPS, "ag")
ADMINISTRATIVE = {"field": "category", "equals": "Administrative"}
CREATED = {"field": "operationName", "equals": WRITE}


def alert(*conditions, scopes=(SUB,), **more):
    body = {"enabled": True, "scopes": list(scopes), "condition": {"allOf": list(conditions)},
            "actions": {"actionGroups": [{"actionGroupId": TEAM}]}, **more}  # fmt: skip
    return res(ALERTS, "alert", body, location="Global")


def team(**more):
    mail = [{"name": "soc", "emailAddress": "soc@example.com", "status": "Enabled"}]
    return res(GROUPS, "ag", {"enabled": True, "emailReceivers": mail, **more}, location="Global")


def hears(status, *documents):
    return [subscription(), settings(SUB), *documents], {("alert-network-security-group-write", SUB): status}


ALERT_CASES = [
    case("on the whole subscription", *hears("pass", team(), alert(ADMINISTRATIVE, CREATED))),
    case("section 3 (19), trap 29: one of several operations, in any case", *hears("pass", team(), alert(
        ADMINISTRATIVE, {"anyOf": [{"field": "operationName", "equals": "x.y/z/delete"},
                                   {"field": "OperationName", "equals": WRITE.upper()}]}))),
    case("trap 29: a list of operations", *hears("pass", team(), alert(
        ADMINISTRATIVE, {"field": "operationName", "containsAny": ["Microsoft.Sql/servers/write", WRITE]}))),
    case("trap 29: only what one person does", *hears("fail", team(), alert(
        ADMINISTRATIVE, CREATED, {"field": "caller", "equals": "eve@example.com"}))),
    case("section 3 (19), trap 30: on one resource group", *hears("fail", team(), alert(
        ADMINISTRATIVE, CREATED, scopes=[f"{SUB}/resourceGroups/rg-app"]))),
    case("trap 30: switched off", *hears("fail", team(), alert(ADMINISTRATIVE, CREATED, enabled=False))),
    case("section 3 (19): a dead action group", *hears("fail", alert(ADMINISTRATIVE, CREATED), {
        "id": TEAM, "type": GROUPS, "$absent": {"status": 404, "code": "ResourceNotFound"}})),
    case("trap 30: an action group that nobody is in", *hears(
        "fail", team(emailReceivers=[]), alert(ADMINISTRATIVE, CREATED))),
    case("an action group that may not be read", *hears("unknown", alert(ADMINISTRATIVE, CREATED), {
        "id": TEAM, "type": GROUPS, "$unknown": {"reason": "not allowed", "status": 403}})),
]  # fmt: skip


@pytest.mark.parametrize(("documents", "expected", "today"), ALERT_CASES)
def test_alerts(documents, expected, today):
    check(documents, expected, today)


# --- whole estates: traps 40, 48, 50 -------------------------------------------------------------------------------------


def test_trap_40_what_a_service_made_for_itself_is_judged_and_told_apart():
    cluster = rid("Microsoft.ContainerService/managedClusters", "aks")
    groups = {"id": f"{SUB}/resourcegroups", "type": "Microsoft.Resources/subscriptions/resourceGroups", "value": [
        {"id": f"{SUB}/resourceGroups/rg-app", "name": "rg-app", "location": "westeurope", "managedBy": cluster}]}  # fmt: skip
    report = check([subscription(), groups, vault(), settings(VAULT)], {("keyvault-audit-logs", VAULT): "fail"})
    found = next(f for f in report.findings if f.rule == "keyvault-audit-logs")
    assert found.subject.managed_by == cluster


@pytest.mark.parametrize("level", ["ReadOnly", "CanNotDelete"])
def test_trap_48_a_lock_of_either_level_hides_nothing(level):
    """A ReadOnly lock bars reading keys, which nothing here needs."""
    locks = "Microsoft.Authorization/locks"
    listed = {"id": f"{SUB}/providers/{locks}", "type": locks, "value": [
        {"id": f"{ARCHIVE}/providers/{locks}/keep", "name": "keep", "type": locks, "properties": {"level": level}}]}  # fmt: skip
    documents = [
        subscription(),
        vault(),
        settings(VAULT, ([ARCHIVE], on("AuditEvent"))),
        account(),
        lifecycle(),
        listed,
    ]
    check(documents, {("log-destination-delete-lock", ARCHIVE): "pass", ("log-storage-lifecycle", ARCHIVE): "pass",
                      ("keyvault-audit-logs", VAULT): "pass"})  # fmt: skip


def test_trap_50_a_customers_subscription_is_judged_for_itself():
    customer = "88888888-8888-8888-8888-888888888888"
    theirs, every = f"/subscriptions/{CENTRAL}", on("Administrative", "Security", "Policy", "Alert")
    documents = [{**subscription(), "tenantId": TENANT}, settings(SUB, ([LAW], every)), *PLACES,
                 {**subscription(CENTRAL), "tenantId": TENANT, "homeTenantId": customer}, settings(theirs),
                 {"id": f"/tenants/{TENANT}", "type": "Microsoft.Resources/tenants", "tenantId": TENANT,
                  "displayName": "Contoso", "defaultDomain": "contoso.example"}]  # fmt: skip
    report = check(documents, {("activity-log-exported", SUB): "pass", ("activity-log-exported", theirs): "fail"})
    tenants = {f.subject.id for f in report.findings if f.rule == "entra-audit-logs"}
    assert tenants <= {ENTRA}, "another tenant's Entra ID shows only to a scan that is signed in to it"
    assert [one.name.rpartition(" (")[2] for one in report.subscriptions] == ["tenant 99999999)", "tenant 88888888)"]


# --- every trap has its case ---------------------------------------------------------------------------------------------

NO_RULE = {
    4: "the workspace's own data is never queried",
    19: "what Azure Policy finds is never taken for a verdict",
    44: "whether anything arrived is never judged",
    56: "paths and times of records are never read",
}  # fmt: skip


def test_every_trap_is_a_named_case():
    """Numbers are those of the research: traps of Azure itself, and in section 3 the faults of other tools."""
    files = sorted(Path(__file__).parent.rglob("*.py"))
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    text = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    named = re.findall(r"[Tt]raps? [\d, and]*\d", text) + re.findall(r"test_trap_\d+", text)
    traps = {int(number) for one in named for number in re.findall(r"\d+", one)}
    faults = {int(number) for number in re.findall(r"section 3 \((\d+)\)", text)}
    assert set(range(1, 57)) - traps - set(NO_RULE) == set()
    assert set(range(1, 25)) - faults == set()

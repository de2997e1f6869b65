"""What fools auditors of storage logs and of the places that logs are sent to, end to end."""

from __future__ import annotations

import pytest
from estates import (
    ACCOUNT,
    ARCHIVE,
    CENTRAL,
    GONE_LAW,
    HUBS,
    INSIGHTS,
    LAW,
    LAW2,
    PARTNER,
    PLACES,
    POLICIES,
    SUB,
    VAULT,
    S,
    account,
    case,
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
    settings,
    subscription,
    tables,
    vault,
    workspace,
)

from auditor.documents import normal_id, settings_id

SERVICES = {"blob": "blobServices", "queue": "queueServices", "table": "tableServices", "file": "fileServices"}
ACCESS = ("StorageRead", "StorageWrite", "StorageDelete")
SERVICE = {service: f"{ACCOUNT}/{part}/default" for service, part in SERVICES.items()}
RULE = {service: f"storage-{service}-access-logs" for service in SERVICES}
CLASSIC = "Auditor/storageAnalytics"
NONE = dict.fromkeys(SERVICES)


def classic(service, read=False, write=False, delete=False, days=None):
    policy = {"enabled": days is not None, "days": days}
    logging = {"version": "1.0", "read": read, "write": write, "delete": delete, "retentionPolicy": policy}
    return {"id": f"{SERVICE[service]}/storageAnalytics", "type": CLASSIC, "properties": {"logging": logging}}


ALL = {"read": True, "write": True, "delete": True}


def no_classic(*services):
    return [classic(service) for service in services or ("blob", "queue", "table")]


def bare():
    return [settings(place) for place in SERVICE.values()]


def data(*documents, legacy=None, **expected):
    """The account with these documents, and what the rules say of its services."""
    answers = {(RULE[service], SERVICE[service]): status for service, status in expected.items()}
    if legacy is not None:
        answers["storage-classic-logging-only", SERVICE["blob"]] = legacy
    return [subscription(), account(ACCOUNT), *documents], answers


def kinds(expected, **more):
    """An account of some kind, and which of its services are judged at all."""
    wanted = dict.fromkeys(SERVICES, None) | expected
    documents = [subscription(), account(ACCOUNT, **more), *bare(), *no_classic()]
    return documents, {(RULE[service], SERVICE[service]): status for service, status in wanted.items()}


BLOB = SERVICE["blob"]
STORAGE = [
    case("trap 16, section 3 (12): a setting on the account is no log of its services", *data(
        settings(ACCOUNT, {"workspaceId": LAW, "logs": [], "metrics": [{"category": "Transaction", "enabled": True}]}),
        *bare(), *no_classic(), *PLACES, blob="fail", queue="fail", table="fail", file="fail")),
    case("each service has its own setting", *data(
        settings(BLOB, ([LAW], on(*ACCESS))), *bare()[1:], *no_classic(), *PLACES, blob="pass", queue="fail",
        table="fail", file="fail")),
    case("allLogs", *data(settings(BLOB, ([LAW], group("allLogs"))), *no_classic(), *PLACES, blob="pass")),
    case("reads are missing", *data(settings(BLOB, ([LAW], on(*ACCESS[1:]))), *no_classic(), *PLACES, blob="fail")),
    case("trap 26, section 3 (22): an account that logs to itself still logs", *data(
        settings(BLOB, ([ACCOUNT], on(*ACCESS))), *no_classic(), lifecycle(ACCOUNT), blob="pass")),
    case("classic logging of all three counts", *data(settings(BLOB), classic("blob", **ALL, days=7), blob="pass",
                                                      legacy="fail")),
    case("classic logging of reads alone does not", *data(settings(BLOB), classic("blob", read=True), blob="fail",
                                                          legacy="fail")),
    case("classic and Azure Monitor together", *data(
        settings(BLOB, ([LAW], on(*ACCESS))), classic("blob", **ALL), *PLACES, blob="pass", legacy="pass")),
    case("reads by classic, the rest by Azure Monitor", *data(
        settings(BLOB, ([LAW], on(*ACCESS[1:]))), classic("blob", read=True), *PLACES, blob="pass", legacy="fail")),
    case("settings not readable, classic logging on", *data(
        denied(settings_id(BLOB), INSIGHTS), classic("blob", **ALL), blob="pass", legacy="unknown")),
    case("settings not readable, classic logging off", *data(
        denied(settings_id(BLOB), INSIGHTS), classic("blob"), blob="unknown", legacy=None)),
    case("trap 55: a firewall hides classic logging", *data(
        settings(BLOB), denied(f"{BLOB}/storageAnalytics", CLASSIC, 403, "AuthorizationFailure"), blob="unknown",
        legacy="unknown")),
    case("trap 55: a firewall hides it, and Azure Monitor has everything", *data(
        settings(BLOB, ([LAW], on(*ACCESS))), denied(f"{BLOB}/storageAnalytics", CLASSIC), *PLACES, blob="pass",
        legacy="pass")),
    case("classic logging cannot be asked of this service", *data(
        settings(BLOB), {"id": f"{BLOB}/storageAnalytics", "type": CLASSIC, "$unsupported": {"status": 400}},
        blob="fail")),
    case("the destination is gone, classic logging is off", *data(
        settings(BLOB, ([LAW], on(*ACCESS))), classic("blob"), GONE_LAW, blob="fail")),
    case("general purpose", *kinds(dict.fromkeys(SERVICES, "fail"))),
    case("general purpose, version 1", *kinds(dict.fromkeys(SERVICES, "fail"), kind="Storage")),
    case("blobs alone", *kinds({"blob": "fail"}, kind="BlobStorage", endpoints="blob")),
    case("trap 54: premium block blobs", *kinds({"blob": "fail"}, kind="BlockBlobStorage", sku="Premium_LRS")),
    case("trap 54: premium files", *kinds({"file": "fail"}, kind="FileStorage", sku="Premium_ZRS")),
    case("trap 54: premium page blobs", *kinds({"blob": "fail"}, sku="Premium_LRS", endpoints="blob")),
    case("hierarchical namespace", *kinds(dict.fromkeys(SERVICES, "fail"), isHnsEnabled=True)),
    case("an endpoint that is not there", *kinds(dict.fromkeys(("blob", "file"), "fail"), endpoints="blob file")),
    case("trap 46: a service that is gone", *data(
        gone(settings_id(BLOB), INSIGHTS, "ParentResourceNotFound"), *bare()[1:], *no_classic(), blob=None,
        queue="fail")),
]  # fmt: skip


@pytest.mark.parametrize(("documents", "expected", "today"), STORAGE)
def test_storage_services(documents, expected, today):
    check(documents, expected, today)


# --- destinations ------------------------------------------------------------------------------------------------------------

AUDIT = settings(VAULT, ([LAW], on("AuditEvent")))
TO_ARCHIVE = settings(VAULT, ([ARCHIVE], on("AuditEvent")))
BASE = [subscription(), vault()]
EXISTS, WORKSPACE, LIFE = "log-destination-exists", "workspace-retention", "log-storage-lifecycle"
SQL_SETTING = {"workspaceId": LAW, "logAnalyticsDestinationType": "Dedicated", "logs": on("AuditEvent")}
AZKV = f"{LAW}/tables/AZKVAuditLogs"
SHARED = f"{LAW}/tables/AzureDiagnostics"
FLOWS = "insights-logs-flowlogflowevent"


def hub_setting(name=""):
    rule = f"{HUBS}/authorizationRules/RootManageSharedAccessKey"
    return settings(VAULT, {"eventHubAuthorizationRuleId": rule, "eventHubName": name, "logs": on("AuditEvent")})


def hubs(*names):
    kind = "Microsoft.EventHub/namespaces/eventhubs"
    value = [{"id": f"{HUBS}/eventhubs/{n}", "name": n, "properties": {"status": "Active"}} for n in names]
    return {"id": f"{HUBS}/eventhubs", "type": kind, "value": value}


NAMESPACE = res("Microsoft.EventHub/namespaces", "evhns", {"status": "Active"}, sku={"name": "Standard"})
DESTINATIONS = [
    case("a workspace that exists and keeps a year", [*BASE, AUDIT, workspace(), tables(LAW)],
         {(EXISTS, LAW): "pass", (WORKSPACE, LAW): "pass"}),
    case("trap 21: soft-deleted, so gone", [*BASE, AUDIT, GONE_LAW],
         {(EXISTS, LAW): "fail", (WORKSPACE, LAW): None}),
    case("not readable", [*BASE, settings(VAULT, ([LAW2], on("AuditEvent"))),
                          denied(LAW2, "Microsoft.OperationalInsights/workspaces")],
         {(EXISTS, LAW2): "unknown", (WORKSPACE, LAW2): "unknown"}),
    case("never looked up", [*BASE, settings(VAULT, ([LAW2], on("AuditEvent")))], {(EXISTS, LAW2): "unknown"}),
    case("a workspace in another subscription of the scan", [
        *BASE, subscription(CENTRAL), settings(VAULT, ([LAW2], on("AuditEvent"))), workspace(LAW2, 90, CENTRAL)],
        {(EXISTS, LAW2): "pass", (WORKSPACE, LAW2): "fail"}),
    case("a workspace that nothing is sent to is not asked", [subscription(), workspace(days=30)],
         {(WORKSPACE, LAW): None}),
    case("30 days", [*BASE, AUDIT, workspace(days=30)], {(WORKSPACE, LAW): "fail"}),
    case("no retention said is 30 days", [*BASE, AUDIT, workspace(days=None)], {(WORKSPACE, LAW): "fail"}),
    case("0 days make no sense for a workspace", [*BASE, AUDIT, workspace(days=0)], {(WORKSPACE, LAW): "unknown"}),
    case("trap 27: Free tier", [*BASE, AUDIT, workspace(days=730, sku={"name": "Free"})], {(WORKSPACE, LAW): "fail"}),
    case("trap 27: a daily cap does not shorten what is kept", [
        *BASE, AUDIT, workspace(workspaceCapping={"dailyQuotaGb": 0.5, "dataIngestionStatus": "OverQuota"})],
        {(WORKSPACE, LAW): "pass", (EXISTS, LAW): "pass"}),
    case("the shared table of the older mode receives it", [
        *BASE, AUDIT, workspace(), tables(LAW, AzureDiagnostics=kept(30, 30), AZKVAuditLogs=kept(30, 30))],
        {("table-retention", SHARED): "fail", ("table-retention", AZKV): None}),
    case("the table of its own in dedicated mode", [
        *BASE, settings(VAULT, SQL_SETTING), workspace(),
        tables(LAW, AzureDiagnostics=kept(30, 30), AZKVAuditLogs=kept(90, 365))],
        {("table-retention", AZKV): "pass", ("table-retention", SHARED): None}),
    case("trap 27: a Basic table is ready for 30 days only", [
        *BASE, settings(VAULT, SQL_SETTING), workspace(), tables(LAW, AZKVAuditLogs=kept(30, 365, "Basic"))],
        {("table-retention", AZKV): "fail"}),
    case("trap 27: an Auxiliary table likewise", [
        *BASE, settings(VAULT, SQL_SETTING), workspace(), tables(LAW, AZKVAuditLogs=kept(365, 365, "Auxiliary"))],
        {("table-retention", AZKV): "fail"}),
    case("a table that inherits", [
        *BASE, settings(VAULT, SQL_SETTING), workspace(), tables(LAW, AZKVAuditLogs=kept(None, None))],
        {("table-retention", AZKV): "pass"}),
    case("tables not readable", [
        *BASE, AUDIT, workspace(), denied(f"{LAW}/tables", "Microsoft.OperationalInsights/workspaces/tables")],
        {("table-retention", f"{LAW}/tables"): "unknown", (WORKSPACE, LAW): "pass"}),
    case("an account that keeps for ever", [*BASE, TO_ARCHIVE, account(), lifecycle()],
         {(EXISTS, ARCHIVE): "pass", (LIFE, ARCHIVE): "pass"}),
    case("a rule of 30 days", [*BASE, TO_ARCHIVE, account(), lifecycle(ARCHIVE, expire(30))], {(LIFE, ARCHIVE): "fail"}),
    case("a rule of 400 days", [*BASE, TO_ARCHIVE, account(), lifecycle(ARCHIVE, expire(400))],
         {(LIFE, ARCHIVE): "pass"}),
    case("of several rules the shortest", [*BASE, TO_ARCHIVE, account(), lifecycle(ARCHIVE, expire(400), expire(7))],
         {(LIFE, ARCHIVE): "fail"}),
    case("a rule that is off", [*BASE, TO_ARCHIVE, account(), lifecycle(ARCHIVE, expire(7, enabled=False))],
         {(LIFE, ARCHIVE): "pass"}),
    case("block blobs are not what logs are appended to", [
        *BASE, TO_ARCHIVE, account(), lifecycle(ARCHIVE, expire(7, types=["blockBlob"]))], {(LIFE, ARCHIVE): "pass"}),
    case("a rule for other prefixes", [
        *BASE, TO_ARCHIVE, account(), lifecycle(ARCHIVE, expire(7, prefixes=["images", "tmp/"]))],
        {(LIFE, ARCHIVE): "pass"}),
    case("a rule for log prefixes, by creation", [
        *BASE, TO_ARCHIVE, account(), lifecycle(ARCHIVE, expire(7, prefixes=["insights-logs-audit"],
                                                               key="daysAfterCreationGreaterThan"))],
        {(LIFE, ARCHIVE): "fail"}),
    case("the policy may not be read", [
        *BASE, TO_ARCHIVE, account(), denied(f"{ARCHIVE}/managementPolicies/default", POLICIES)],
        {(LIFE, ARCHIVE): "unknown"}),
    case("an account that receives nothing is not asked", [subscription(), account(), lifecycle(ARCHIVE, expire(7))],
         {(LIFE, ARCHIVE): None}),
    case("trap 25: a named hub that exists", [*BASE, hub_setting("audit"), NAMESPACE, hubs("audit")],
         {(EXISTS, f"{HUBS}/eventhubs/audit"): "pass"}),
    case("a named hub that is gone from a namespace that exists", [*BASE, hub_setting("audit"), NAMESPACE, hubs("x")],
         {(EXISTS, f"{HUBS}/eventhubs/audit"): "fail", ("keyvault-audit-logs", VAULT): "fail"}),
    case("hubs not readable", [*BASE, hub_setting("audit"), NAMESPACE, denied(
        f"{HUBS}/eventhubs", "Microsoft.EventHub/namespaces/eventhubs")],
        {(EXISTS, f"{HUBS}/eventhubs/audit"): "unknown", ("keyvault-audit-logs", VAULT): "pass"}),
    case("a hub that comes to be with the first event", [*BASE, hub_setting(), NAMESPACE, hubs()],
         {(EXISTS, HUBS): "pass", ("keyvault-audit-logs", VAULT): "pass"}),
    case("a namespace that is deleted", [*BASE, hub_setting("audit"), gone(HUBS, "Microsoft.EventHub/namespaces")],
         {(EXISTS, f"{HUBS}/eventhubs/audit"): "fail"}),
    case("a partner that is gone", [*BASE, settings(VAULT, ([PARTNER], on("AuditEvent"))),
                                    gone(PARTNER, "Microsoft.Datadog/monitors")],
         {(EXISTS, PARTNER): "fail", ("keyvault-audit-logs", VAULT): "fail"}),
    case("an account in another tenant", [*BASE, TO_ARCHIVE, denied(
        ARCHIVE, "Microsoft.Storage/storageAccounts", 401, "InvalidAuthenticationTokenTenant")],
        {(EXISTS, ARCHIVE): "unknown", ("keyvault-audit-logs", VAULT): "pass"}),
    case("an account outside the scan is judged as a destination only", [
        *BASE, settings(VAULT, ([ARCHIVE.replace(S, CENTRAL)], on("AuditEvent"))),
        account(ARCHIVE.replace(S, CENTRAL), CENTRAL), lifecycle(ARCHIVE.replace(S, CENTRAL), expire(7))],
        {(LIFE, ARCHIVE.replace(S, CENTRAL)): "fail",
         ("storage-blob-access-logs", f"{ARCHIVE.replace(S, CENTRAL)}/blobServices/default"): None}),
]  # fmt: skip


@pytest.mark.parametrize(("documents", "expected", "today"), DESTINATIONS)
def test_destinations(documents, expected, today):
    check(documents, expected, today)


def evidence(documents, rule, subject):
    found = (f for f in judged(documents).findings if f.rule == rule and normal_id(f.subject.id) == normal_id(subject))
    return next(found).evidence


def test_evidence_names_what_was_not_read_and_nothing_nameless():
    documents = [*BASE, settings(VAULT, {"workspaceId": {"$unknown": {"reason": "later"}}, "logs": on("AuditEvent")})]
    told = evidence(documents, "keyvault-audit-logs", VAULT)
    assert told["settings"][0]["destinations"] == ["log-analytics (not known)"]
    assert "destinations_not_read" not in told


def test_evidence_of_what_may_be_exported_says_what():
    documents = [*BASE, settings(VAULT, ([LAW], group("security"))), *PLACES]
    told = evidence(documents, "keyvault-audit-logs", VAULT)
    assert told["unsure"] == ["AuditEvent"]
    assert told["settings"][0]["perhaps"] == ["AuditEvent", "AzurePolicyEvaluationDetails"]


def test_evidence_of_a_deleted_destination():
    told = evidence([*BASE, AUDIT, GONE_LAW], "keyvault-audit-logs", VAULT)
    assert told["missing"] == ["AuditEvent"]
    assert told["settings"][0]["destinations"] == [f"{normal_id(LAW)} (deleted)"]


def test_a_subscription_that_was_not_listed_judges_what_was_seen():
    documents = [*BASE, denied(f"{SUB}/resources", "Microsoft.Resources/subscriptions/resources"), AUDIT, *PLACES]
    check(documents, {("keyvault-audit-logs", VAULT): "pass"})

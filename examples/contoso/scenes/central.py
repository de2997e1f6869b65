"""Central logging: the workspaces, archive accounts and event hubs of Contoso, and how long each keeps what it gets."""

from __future__ import annotations

from typing import Any

from scenes.accounts import SERVICES, Service, account, delete_after, exporting, lifecycle, silent
from scenes.estate import NE, PROD, SE, SHARED, UK, WE, Doc, Estate, Place, Plan, guid, rid, setting
from scenes.places import (
    ALL_DEV,
    ALL_SEC,
    ARCH_DENIED,
    ARCH_GONE,
    ARCH_NE,
    ARCH_PAUSED,
    ARCH_PREFIX,
    ARCH_SE,
    ARCH_UK,
    ARCH_WE,
    ARCH_WIDE,
    AUDIT_SEC,
    DATADOG,
    DENIED,
    FLOW_NE,
    FLOW_SE,
    FLOW_UK,
    FLOW_WE,
    HUBS,
    LAW,
    LAW_ABROAD,
    LAW_APP,
    LAW_DEV,
    LAW_FABRIKAM,
    LAW_LAB,
    LAW_MSP,
    LAW_MSP_SHARED,
    LAW_NET,
    LAW_OLD,
    LAW_SEC,
    LOGS_GROUP,
    NOTHING,
    everything,
)

OWNER = {"owner": "secops@contoso.com", "costCenter": "4711", "env": "prod"}


def build(estate: Estate) -> None:
    """Place everything that receives logs."""
    _workspaces(estate)
    _archives(estate)
    _hubs(estate)
    _rules(estate)
    _elsewhere(estate)
    estate.add(
        {
            "id": DATADOG.id,
            "type": "Microsoft.Datadog/monitors",
            "name": "dd-contoso",
            "location": "westus2",
            "tags": OWNER,
            "properties": {"provisioningState": "Succeeded", "monitoringStatus": "Enabled"},
        }
    )


# --- workspaces -------------------------------------------------------------------------------------------------------


def workspace(place_id: str, region: str, days: int, sku: str = "PerGB2018", cap: float = -1) -> Doc:
    """A Log Analytics workspace; `days` is its default retention, `cap` its daily cap in GB (-1: none)."""
    name = place_id.rpartition("/")[2]
    return {
        "id": place_id,
        "type": LAW,
        "name": name,
        "location": region,
        "tags": OWNER,
        "properties": {
            "customerId": guid(f"workspace/{name}"),
            "provisioningState": "Succeeded",
            "sku": {"name": sku, "lastSkuUpdate": "2022-01-18T10:01:12.0000000Z"},
            "retentionInDays": days,
            "features": {"legacy": 0, "searchVersion": 1, "enableLogAccessUsingOnlyResourcePermissions": True},
            "workspaceCapping": {"dailyQuotaGb": cap, "dataIngestionStatus": "RespectQuota"},
            "publicNetworkAccessForIngestion": "Enabled",
            "publicNetworkAccessForQuery": "Enabled",
        },
    }


def _table(place: Place, name: str, interactive: int, total: int, plan: str, default: int) -> Doc:
    return {
        "id": f"{place.id}/tables/{name}",
        "name": name,
        "type": f"{LAW}/tables",
        "properties": {
            "plan": plan,
            "retentionInDays": interactive,
            "totalRetentionInDays": total,
            "archiveRetentionInDays": total - interactive,
            "retentionInDaysAsDefault": interactive == default,
            "totalRetentionInDaysAsDefault": total == default,
            "provisioningState": "Succeeded",
            "schema": {"name": name, "tableType": "Microsoft"},
        },
    }


# Each line: table, days interactive, days in all, plan, and what a line of the answer sheet says (None: no audit or
# security log goes there, so that nobody asks).
Line = tuple[str, int, int, str, str | None]
KEPT = "pass: kept for a year and more, 90 days of it at hand"


def _tables(estate: Estate, place: Place, default: int, lines: list[Line]) -> None:
    items = [_table(place, name, hot, total, plan, default) for name, hot, total, plan, _ in lines]
    estate.listing(f"{place.id}/tables", f"{LAW}/tables", items)
    for name, _hot, _total, _plan, verdict in lines:
        if verdict:
            status, _, why = verdict.partition(": ")
            estate.answer("table-retention", f"{place.id}/tables/{name}", status, why)  # type: ignore[arg-type]


def _workspaces(estate: Estate) -> None:
    estate.add(workspace(LAW_SEC.id, WE, 365), everything(LAW_SEC))  # queries of the log store are logged in it
    estate.answer("workspace-retention", LAW_SEC.id, "pass", "365 days by default")
    _tables(
        estate,
        LAW_SEC,
        365,
        [
            ("AADManagedIdentitySignInLogs", 365, 365, "Analytics", None),  # Entra does not send this category
            ("AKSAuditAdmin", 30, 730, "Analytics", "fail: kept for two years, but only 30 days of it at hand"),
            ("AZKVAuditLogs", 90, 400, "Analytics", KEPT),
            ("AuditLogs", 365, 730, "Analytics", KEPT),
            ("AzureActivity", 365, 730, "Analytics", KEPT),
            ("AzureDiagnostics", 365, 365, "Analytics", KEPT),
            ("Heartbeat", 30, 30, "Analytics", None),  # agents write it, no log setting
            ("SecurityEvent", 90, 90, "Analytics", None),
            ("SigninLogs", 365, 730, "Analytics", KEPT),
            ("StorageBlobLogs", 30, 90, "Basic", "fail: plan Basic, gone after 90 days"),
            ("StorageQueueLogs", 90, 180, "Analytics", "fail: gone after 180 days"),
            ("StorageTableLogs", 90, 365, "Analytics", "pass: just long enough in both"),
            ("Usage", 90, 90, "Analytics", None),
        ],
    )
    estate.add(workspace(LAW_NET.id, WE, 730, cap=5), AUDIT_SEC)
    estate.answer(
        "workspace-retention", LAW_NET.id, "pass", "730 days by default; that it has a daily cap is no matter"
    )
    _tables(
        estate,
        LAW_NET,
        730,
        [
            ("AZFWNetworkRule", 730, 730, "Analytics", KEPT),
            ("AZFWApplicationRule", 60, 365, "Analytics", "fail: kept for a year, but only 60 days of it at hand"),
            ("NTANetAnalytics", 730, 730, "Analytics", None),  # Traffic Analytics, which is no log setting's category
        ],
    )
    estate.add(workspace(LAW_APP.id, WE, 90), NOTHING)
    estate.answer("workspace-retention", LAW_APP.id, "fail", "gone after 90 days")
    tables = f"{LAW_APP.id}/tables"
    estate.unread(tables, f"{LAW}/tables", f"{LAW}/tables/read")
    estate.answer("table-retention", tables, "unknown", "ARM refuses to list the tables")
    estate.add(workspace(LAW_DEV.id, NE, 30), ALL_DEV)
    estate.answer("workspace-retention", LAW_DEV.id, "fail", "30 days, the default of a new workspace")
    _tables(
        estate,
        LAW_DEV,
        30,
        [
            ("AzureActivity", 90, 90, "Analytics", "fail: gone after 90 days"),
            ("AzureDiagnostics", 30, 30, "Analytics", "fail: gone after 30 days, as the workspace says"),
        ],
    )
    estate.add(workspace(LAW_LAB.id, NE, 7, sku="Free"), DENIED)
    estate.answer("workspace-retention", LAW_LAB.id, "fail", "the free tier keeps 7 days")
    _tables(estate, LAW_LAB, 7, [])
    unused = rid(PROD, LOGS_GROUP, LAW, "law-contoso-uk")
    estate.add(workspace(unused, UK, 30), NOTHING)  # nothing names it, so its 30 days hurt nobody
    estate.listing(f"{unused}/tables", f"{LAW}/tables", [])


# --- archives ---------------------------------------------------------------------------------------------------------


def _archives(estate: Estate) -> None:
    blob_only = {"queue": silent(), "table": silent(), "file": silent()}

    def archive(place: Place, region: str, blob: Service, **more: Any) -> None:
        name, subscription = place.id.rpartition("/")[2], place.id.split("/")[2]
        services = {"blob": blob, **blob_only}
        more = {"sku": "Standard_GRS", "tags": OWNER, "grave": tuple(SERVICES), **more}  # logs are kept there
        account(estate, subscription, LOGS_GROUP, name, region, services, **more)

    def kept(place: Place, status: str, why: str) -> None:
        estate.answer("log-storage-lifecycle", place.id, status, why)  # type: ignore[arg-type]

    watched = exporting(ALL_SEC)
    archive(ARCH_WE, WE, watched, immutableStorageWithVersioning={"enabled": True})
    lifecycle(estate, ARCH_WE, delete_after("expire", 400))
    kept(ARCH_WE, "pass", "log blobs are deleted after 400 days")
    archive(ARCH_NE, NE, watched)
    kept(ARCH_NE, "pass", "it has no lifecycle rules: kept for ever")
    itself = Plan(
        "everything goes into the same account, so that every write makes another",
        "pass",
        "pass",
        settings=(setting("self", ARCH_UK, groups=("allLogs",)),),
    )
    archive(ARCH_UK, UK, Service(itself, "pass", loop="fail"))
    lifecycle(estate, ARCH_UK, delete_after("cleanup", 30))
    kept(ARCH_UK, "fail", "log blobs are deleted after 30 days")
    archive(ARCH_SE, SE, watched)
    lifecycle(estate, ARCH_SE, delete_after("block-blobs", 30, append=False))
    kept(ARCH_SE, "pass", "the rule deletes block blobs; diagnostic logs are append blobs")
    archive(ARCH_PREFIX, WE, watched)
    lifecycle(estate, ARCH_PREFIX, delete_after("exports", 30, prefix="exports/"))
    kept(ARCH_PREFIX, "pass", "the rule deletes exports, not logs")
    archive(ARCH_PAUSED, WE, watched)
    lifecycle(estate, ARCH_PAUSED, delete_after("paused", 10, enabled=False))
    kept(ARCH_PAUSED, "pass", "the rule is switched off")
    archive(ARCH_WIDE, WE, watched)
    lifecycle(estate, ARCH_WIDE, delete_after("old", 730), delete_after("insights", 180, prefix="insights-logs-"))
    kept(ARCH_WIDE, "fail", "the narrower of two rules deletes resource logs after 180 days")
    archive(ARCH_DENIED, WE, silent())
    estate.unread(
        f"{ARCH_DENIED.id}/managementPolicies/default",
        "Microsoft.Storage/storageAccounts/managementPolicies",
        "Microsoft.Storage/storageAccounts/managementPolicies/read",
    )
    kept(ARCH_DENIED, "unknown", "ARM refuses to show its lifecycle rules")
    archive(FLOW_WE, WE, watched)
    kept(FLOW_WE, "pass", "it has no lifecycle rules: kept for ever")
    archive(FLOW_NE, NE, watched)
    lifecycle(estate, FLOW_NE, delete_after("flows", 60, prefix="insights-logs-flowlogflowevent"))
    kept(FLOW_NE, "fail", "flow logs are deleted after 60 days")
    archive(FLOW_UK, UK, watched)
    kept(FLOW_UK, "pass", "it has no lifecycle rules: kept for ever")
    archive(FLOW_SE, SE, watched)
    kept(FLOW_SE, "pass", "it has no lifecycle rules: kept for ever")


# --- event hubs -------------------------------------------------------------------------------------------------------


def namespace(name: str, group: str, subscription: str, region: str, sku: str = "Standard") -> Doc:
    """An Event Hubs namespace."""
    return {
        "id": rid(subscription, group, HUBS, name),
        "type": HUBS,
        "name": name,
        "location": region,
        "sku": {"name": sku, "tier": sku, "capacity": 2},
        "tags": OWNER,
        "properties": {
            "provisioningState": "Succeeded",
            "status": "Active",
            "minimumTlsVersion": "1.2",
            "publicNetworkAccess": "Enabled",
            "disableLocalAuth": False,
            "zoneRedundant": True,
            "isAutoInflateEnabled": True,
            "maximumThroughputUnits": 10,
            "kafkaEnabled": True,
            "serviceBusEndpoint": f"https://{name}.servicebus.windows.net:443/",
        },
    }


def hub(namespace_id: str, name: str, hours: int = 168, cleanup: str = "Delete") -> Doc:
    """One event hub."""
    return {
        "id": f"{namespace_id}/eventhubs/{name}",
        "type": f"{HUBS}/eventhubs",
        "name": name,
        "location": WE,
        "properties": {
            "messageRetentionInDays": max(1, hours // 24),
            "retentionDescription": {"cleanupPolicy": cleanup, "retentionTimeInHours": hours},
            "partitionCount": 8,
            "status": "Active",
        },
    }


def _hubs(estate: Estate) -> None:
    space = estate.add(namespace("evhns-contoso-siem", LOGS_GROUP, SHARED, WE), ALL_SEC)
    hubs = [hub(space, "insights-logs"), hub(space, "asset-state", -1, "Compact")]
    estate.listing(f"{space}/eventhubs", f"{HUBS}/eventhubs", hubs)


# --- collection rules, and what belongs to others ---------------------------------------------------------------------


def _rules(estate: Estate) -> None:
    security = {"name": "security", "xPathQueries": ["Security!*[System[(EventID=4624 or EventID=4625)]]"]}
    logins = {
        "name": "logins",
        "facilityNames": ["auth", "authpriv", "daemon"],
        "logLevels": ["Info", "Warning", "Error"],
    }
    figures = {"name": "figures", "samplingFrequencyInSeconds": 60, "counterSpecifiers": ["\\Processor(_Total)\\*"]}
    for name, stream, source, plan in (
        ("dcr-windows-security", "Microsoft-SecurityEvent", ("windowsEventLogs", security), ALL_SEC),
        ("dcr-linux-syslog", "Microsoft-Syslog", ("syslog", logins), NOTHING),
        ("dcr-vm-performance", "Microsoft-Perf", ("performanceCounters", figures), NOTHING),
    ):
        estate.add(
            {
                "id": rid(SHARED, LOGS_GROUP, "Microsoft.Insights/dataCollectionRules", name),
                "type": "Microsoft.Insights/dataCollectionRules",
                "name": name,
                "location": WE,
                "kind": "Linux" if "linux" in name else "Windows",
                "tags": OWNER,
                "properties": {
                    "provisioningState": "Succeeded",
                    "immutableId": f"dcr-{guid(name).replace('-', '')}",
                    "dataSources": {source[0]: [{"streams": [stream], **source[1]}]},
                    "dataFlows": [{"streams": [stream], "destinations": ["sec"]}],
                    "destinations": {"logAnalytics": [{"name": "sec", "workspaceResourceId": LAW_SEC.id}]},
                },
            },
            plan,
        )
    for name, mail in (("ag-secops", "secops@contoso.com"), ("ag-platform", "platform@contoso.com")):
        estate.add(
            {
                "id": rid(SHARED, LOGS_GROUP, "Microsoft.Insights/actionGroups", name),
                "type": "Microsoft.Insights/actionGroups",
                "name": name,
                "location": "Global",
                "tags": OWNER,
                "properties": {
                    "groupShortName": name[3:],
                    "enabled": True,
                    "emailReceivers": [{"name": "mail", "emailAddress": mail, "status": "Enabled"}],
                },
            }
        )


def _elsewhere(estate: Estate) -> None:
    shared = workspace(LAW_MSP_SHARED.id, WE, 365)
    estate.put(shared)  # of another subscription: readable, but not Contoso's to judge as a resource
    estate.answer("workspace-retention", LAW_MSP_SHARED.id, "pass", "the provider keeps Contoso's logs for 365 days")
    estate.listing(f"{LAW_MSP_SHARED.id}/tables", f"{LAW}/tables", [])
    for place, status, code in (
        (LAW_MSP, 403, "AuthorizationFailed"),
        (LAW_ABROAD, 401, "InvalidAuthenticationTokenTenant"),
    ):
        detail = {"reason": f"HTTP {status} {code}", "status": status, "code": code, "action": f"{LAW}/read"}
        estate.put({"id": place.id, "type": LAW, "$unknown": {**detail, "scope": place.id}})
        estate.answer("workspace-retention", place.id, "unknown", f"logs go there, but {place.why}")
    for place, code in ((LAW_OLD, "ResourceNotFound"), (LAW_FABRIKAM, "ResourceGroupNotFound")):
        estate.put({"id": place.id, "type": LAW, "$absent": {"status": 404, "code": code}})
    estate.put(
        {
            "id": ARCH_GONE.id,
            "type": "Microsoft.Storage/storageAccounts",
            "$absent": {"status": 404, "code": "ResourceNotFound"},
        }
    )

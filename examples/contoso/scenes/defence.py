"""Defender for Cloud and Microsoft Sentinel: what is watched, whose alerts are kept, and who is told."""

from __future__ import annotations

from scenes.estate import DEV, MA, PROD, RETIRED, SHARED, TENANT, Doc, Estate, Place, Status, denied, guid, setting
from scenes.places import LAW_ABROAD, LAW_APP, LAW_MSP, LAW_MSP_SHARED, LAW_NET, LAW_SEC
from scenes.things import place

PLANS = "Microsoft.Security/pricings"
CONTACTS = "Microsoft.Security/securityContacts"
INSIGHTS = "Microsoft.SecurityInsights"
KEPT, CONTACT, BLIND = "defender-alerts-kept", "security-contact", "resource-manager-logs-or-defender"
ADDRESS = "security-contact-address"
SEEN, HEALTH, VAULTS = "activity-log-in-sentinel", "sentinel-health-logs", "keyvault-logs-or-defender"
SERVERS, BLOBS = "sql-audit-or-defender", "storage-logs-or-defender"
SQL_STATE = "Microsoft.Sql/servers/advancedThreatProtectionSettings"
STORAGE_STATE = "Microsoft.Security/defenderForStorageSettings"
WATCHED = DEV  # where Defender for Key Vault is on


def build(estate: Estate) -> None:
    """Place them; the vaults have to be there already."""
    _plans(estate)
    _alerts(estate)
    _contacts(estate)
    _sentinel(estate)
    _vaults(estate)
    _servers(estate)


def _plans(estate: Estate) -> None:
    on = {PROD: ("Arm", "SqlServers"), SHARED: ("Arm",), DEV: ("KeyVaults", "CloudPosture", "StorageAccounts")}
    for subscription, bought in on.items():
        list_id = f"/subscriptions/{subscription}/providers/{PLANS}"
        items: list[Doc] = [
            {
                "id": f"{list_id}/{name}",
                "name": name,
                "type": PLANS,
                "properties": {"pricingTier": "Standard" if name in bought else "Free"},
            }
            for name in ("Arm", "CloudPosture", "KeyVaults", "SqlServers", "StorageAccounts", "VirtualMachines")
        ]
        estate.listing(list_id, PLANS, items)
    unregistered = {"status": 400, "code": "Subscription Not Registered"}
    estate.put({"id": f"/subscriptions/{RETIRED}/providers/{PLANS}", "type": PLANS, "$unsupported": unregistered})
    for subscription, status, why in (
        (PROD, "pass", "Administrative events are exported, and Defender for Resource Manager is on"),
        (SHARED, "pass", "Administrative events are exported, and Defender for Resource Manager is on"),
        (DEV, "pass", "Administrative events are exported"),
        (RETIRED, "fail", "events go to a workspace that was deleted, and there is no plan"),
        (MA, "unknown", "neither its settings nor its plans may be read"),
    ):
        estate.answer(BLIND, f"/subscriptions/{subscription}", status, why)  # type: ignore[arg-type]


def _export(estate: Estate, subscription: str, name: str, scope: str, *severities: str) -> None:
    rules = [
        {"rules": [{"propertyJPath": "Severity", "propertyType": "String", "operator": "Equals", "expectedValue": s}]}
        for s in severities
    ]
    place(
        estate,
        "Microsoft.Security/automations",
        name,
        None,
        app="defender",
        subscription=subscription,
        isEnabled=True,
        scopes=[{"description": "", "scopePath": scope}],
        sources=[{"eventSource": "Alerts", "ruleSets": rules or None}],
        actions=[{"actionType": "Workspace", "workspaceResourceId": LAW_SEC.id}],
    )


def _alerts(estate: Estate) -> None:
    def judge(subscription: str, status: Status, why: str) -> None:
        estate.answer(KEPT, f"/subscriptions/{subscription}", status, why)

    _export(estate, PROD, "ExportToWorkspace", f"/subscriptions/{PROD}", "High", "Medium", "Low")
    judge(PROD, "pass", "a continuous export of all but informational alerts")
    group = f"/subscriptions/{SHARED}/resourceGroups/rg-logging"
    _export(estate, SHARED, "ExportToWorkspace", group)
    judge(SHARED, "fail", "its continuous export is of one resource group")
    judge(DEV, "pass", "a Sentinel connector takes its alerts in")
    judge(MA, "unknown", "neither its plans nor its exports may be read")


def _contacts(estate: Estate) -> None:
    def contact(subscription: str, severity: str, *roles: str) -> None:
        properties = {
            "isEnabled": True,
            "emails": "secops@contoso.com",
            "phone": "",
            "notificationsByRole": {"state": "On" if roles else "Off", "roles": list(roles)},
            "notificationsSources": [{"sourceType": "Alert", "minimalSeverity": severity}] if severity else [],
        }
        contact_id = f"/subscriptions/{subscription}/providers/{CONTACTS}/default"
        estate.put({"id": contact_id, "name": "default", "type": CONTACTS, "properties": properties})

    contact(PROD, "Medium", "Owner")
    contact(SHARED, "High")
    contact(RETIRED, "", "Owner")
    told: tuple[tuple[str, Status, Status, str], ...] = (
        (PROD, "pass", "pass", "owners hear of alerts from medium severity on"),
        (SHARED, "fail", "pass", "a mail address, but no role"),
        (DEV, "fail", "fail", "none was ever set up"),
        (RETIRED, "fail", "pass", "owners, but no alerts; an address"),
        (MA, "unknown", "unknown", "its security contact may not be read"),
    )
    for subscription, owners, address, why in told:
        estate.answer(CONTACT, f"/subscriptions/{subscription}", owners, why)
        estate.answer(ADDRESS, f"/subscriptions/{subscription}", address, why)


# --- Sentinel ---------------------------------------------------------------------------------------------------------


def _onboard(estate: Estate, workspace: Place) -> None:
    state = f"{workspace.id}/providers/{INSIGHTS}/onboardingStates"
    estate.put({"id": f"{state}/default", "name": "default", "type": f"{INSIGHTS}/onboardingStates",
                "properties": {"customerManagedKey": False}})  # fmt: skip


def _sentinel(estate: Estate) -> None:
    health = "settings/SentinelHealth"
    for workspace in (LAW_SEC, LAW_NET):
        _onboard(estate, workspace)
    connectors = f"{LAW_SEC.id}/providers/{INSIGHTS}/dataConnectors"
    state = {"alerts": {"state": "Enabled"}}
    one = {
        "id": f"{connectors}/{guid('connector/dev')}",
        "name": guid("connector/dev"),
        "kind": "AzureSecurityCenter",
        "properties": {"subscriptionId": DEV, "dataTypes": state},
    }
    estate.listing(connectors, f"{INSIGHTS}/dataConnectors", [one])
    estate.settings(
        f"{LAW_SEC.id}/providers/{INSIGHTS}/{health}", setting("health", LAW_SEC, groups=("allLogs",)), answers=False
    )
    connected = setting("health", LAW_NET, categories=("DataConnectors",))
    estate.settings(f"{LAW_NET.id}/providers/{INSIGHTS}/{health}", connected, answers=False)
    refused = f"{LAW_APP.id}/providers/{INSIGHTS}/onboardingStates/default"
    estate.unread(refused, f"{INSIGHTS}/onboardingStates", f"{INSIGHTS}/onboardingStates/read")
    estate.answer(HEALTH, LAW_SEC.id, "pass", "all of Sentinel's own logs stay in the workspace")
    estate.answer(HEALTH, LAW_NET.id, "fail", "its connectors only, not its rules and playbooks")
    for hidden in (LAW_APP, LAW_MSP, LAW_MSP_SHARED, LAW_ABROAD):
        estate.answer(HEALTH, hidden.id, "unknown", "whether Sentinel is on there may not be read")
    for subscription, status, why in (
        (PROD, "fail", "Policy and Alert events go to an archive only"),
        (SHARED, "pass", "everything goes to law-contoso-sec, which Sentinel watches"),
        (DEV, "fail", "law-contoso-dev is without Sentinel, and gets two categories only"),
        (RETIRED, "fail", "its workspace was deleted"),
        (MA, "unknown", "its settings may not be read"),
    ):
        estate.answer(SEEN, f"/subscriptions/{subscription}", status, why)  # type: ignore[arg-type]
    tenant = f"/providers/microsoft.aadiam/tenants/{TENANT}"
    estate.answer("entra-logs-in-sentinel", tenant, "pass", "AuditLogs go to law-contoso-sec, which Sentinel watches")


def _vaults(estate: Estate) -> None:
    for subject, status, why, *_ in list(estate.answers["keyvault-audit-logs"].values()):
        if status == "not-applicable" or f"/{WATCHED}/".lower() not in subject.lower():
            estate.answer(VAULTS, subject, status, f"Defender for Key Vault is off; the log: {why}")
        else:
            estate.answer(VAULTS, subject, "pass", "Defender for Key Vault is on in its subscription")


def _servers(estate: Estate) -> None:
    """Defender for SQL is on in contoso-prod, where all servers are; one is left out, and one does not tell."""
    for subject, status, why, *_ in list(estate.answers["sql-server-auditing"].values()):
        name = subject.rpartition("/")[2]
        document: Doc = {
            "id": f"{subject}/advancedThreatProtectionSettings/Default",
            "name": "Default",
            "type": SQL_STATE,
        }
        if name == "sql-lab-prod":
            estate.put({**document, "properties": {"state": "Disabled"}})
            estate.answer(SERVERS, subject, "fail", f"Defender for SQL was switched off for it; auditing: {why}")
        elif name == "sql-risk-prod":
            estate.put({**document, "$unknown": denied(f"{SQL_STATE}/read", subject)})
            estate.answer(SERVERS, subject, "unknown", "ARM refuses to show whether Defender watches it")
        else:
            state = {"state": "New" if name < "sql-m" else "Enabled"}
            estate.put({**document, "properties": state})
            estate.answer(SERVERS, subject, "pass", f"Defender for SQL is on in its subscription; auditing: {status}")


def blobs(estate: Estate) -> None:
    """Defender for Storage is on in contoso-dev; elsewhere for one account, and of another that cannot be told."""
    for account, logged, log in estate.blobs:
        name = account.rpartition("/")[2].lower()
        document: Doc = {"id": f"{account}/providers/{STORAGE_STATE}/current", "name": "current", "type": STORAGE_STATE}
        on = f"/subscriptions/{DEV}/" in account
        status: Status = "pass" if on else logged
        why = "Defender for Storage is on in its subscription" if on else log
        if name == "stdocsdev01":
            own = {"isEnabled": False, "overrideSubscriptionLevelSettings": True}
            estate.put({**document, "properties": own})
            status, why = logged, f"Defender for Storage was switched off for it; {log}"
        elif name == "stshopprod03":
            own = {"isEnabled": True, "overrideSubscriptionLevelSettings": True}
            estate.put({**document, "properties": own})
            status, why = "pass", "Defender for Storage is on for this account alone"
        elif name == "stlakeprod02":
            estate.put({**document, "$unknown": denied(f"{STORAGE_STATE}/read", account)})
            status, why = "unknown", "ARM refuses to show whether Defender watches it, and it logs nothing"
        elif on:
            own = {"isEnabled": True, "overrideSubscriptionLevelSettings": False}
            estate.put({**document, "properties": own})
        estate.answer(BLOBS, f"{account}/blobServices/default", status, why)

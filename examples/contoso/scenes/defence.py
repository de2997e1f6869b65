"""Defender for Cloud and Microsoft Sentinel: what is watched, whose alerts are kept, and who is told."""

from __future__ import annotations

from scenes.estate import DEV, MA, PROD, RETIRED, SHARED, TENANT, Doc, Estate, Place, Status, guid, setting
from scenes.places import LAW_ABROAD, LAW_APP, LAW_MSP, LAW_MSP_SHARED, LAW_NET, LAW_SEC
from scenes.things import place

PLANS = "Microsoft.Security/pricings"
CONTACTS = "Microsoft.Security/securityContacts"
INSIGHTS = "Microsoft.SecurityInsights"
KEPT, CONTACT, BLIND = "defender-alerts-kept", "security-contact", "resource-manager-logs-or-defender"
ADDRESS = "security-contact-address"
SEEN, HEALTH, VAULTS = "activity-log-in-sentinel", "sentinel-health-logs", "keyvault-logs-or-defender"
WATCHED = DEV  # where Defender for Key Vault is on


def build(estate: Estate) -> None:
    """Place them; the vaults have to be there already."""
    _plans(estate)
    _alerts(estate)
    _contacts(estate)
    _sentinel(estate)
    _vaults(estate)


def _plans(estate: Estate) -> None:
    on = {PROD: ("Arm", "SqlServers"), SHARED: ("Arm",), DEV: ("KeyVaults", "CloudPosture")}
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

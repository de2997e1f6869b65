"""Identity beside Entra's own sign-ins: what it passes on, Intune, managed domains, and tenants for customers."""

from __future__ import annotations

from scenes.central import OWNER
from scenes.estate import DEV, NE, PROD, SHARED, TENANT, WE, Estate, Plan, guid, rid, setting
from scenes.places import LAW_DEV, LAW_SEC
from scenes.tenant import HOLLOW

ENTRA = f"/providers/microsoft.aadiam/tenants/{TENANT}"
INTUNE = f"/providers/microsoft.intune/tenants/{TENANT}"
DOMAINS = "Microsoft.AAD/domainServices"
DIRECTORIES = "Microsoft.AzureActiveDirectory"


def build(estate: Estate) -> None:
    """Place Intune, AD FS, the managed domains and the linked tenants."""
    _entra(estate)
    _intune(estate)
    _domains(estate)
    _linked(estate)


def _entra(estate: Estate) -> None:
    estate.listing(
        "/providers/Microsoft.ADHybridHealthService/services",
        "Microsoft.ADHybridHealthService/services",
        [
            {
                "id": guid("health/sts"),
                "serviceId": guid("health/sts"),
                "serviceName": "AdFederationService-sts.contoso.com",
                "displayName": "sts.contoso.com",
                "type": "AdFederationService",
                "tenantId": TENANT,
                "health": "Healthy",
                "disabled": False,
            },
            {
                "id": guid("health/sync"),
                "serviceId": guid("health/sync"),
                "serviceName": "AadSyncService-contoso.onmicrosoft.com",
                "type": "AadSyncService",
                "tenantId": TENANT,
                "health": "Healthy",
                "disabled": False,
            },
        ],
    )
    why = "the tenant has P1, and neither P2 nor Workload Identities"
    estate.answer("entra-risk-logs", ENTRA, "not-applicable", why)
    estate.answer("entra-provisioning-logs", ENTRA, "fail", "no setting has ProvisioningLogs")
    why = "sts.contoso.com reports to Connect Health, and no setting has ADFSSignInLogs"
    estate.answer("entra-federation-sign-in-logs", ENTRA, "fail", why)
    why = "AuditLogs and SignInLogs are kept for two years, but the non-interactive sign-ins go nowhere"
    estate.answer("entra-logs-retention", ENTRA, "fail", why)
    estate.answer("entra-new-log-categories", ENTRA, "pass", "Entra ID lists nothing that is new")
    estate.answers.setdefault("entra-network-access-logs", {})  # no plan of Global Secure Access is held


def _intune(estate: Estate) -> None:
    base = "/providers/microsoft.intune/diagnosticSettings"
    given = (
        setting("intune-audit", LAW_SEC, categories=("AuditLogs",), disabled=("OperationalLogs",)),
        setting("intune-devices", LAW_DEV, categories=("DeviceComplianceOrg", "Devices")),
    )
    items = []
    for one in given:
        for place in one.places:
            estate.name_place(place)
        logs = [{k: v for k, v in log.items() if k != "categoryGroup"} for log in one.properties["logs"]]
        properties = {k: v for k, v in one.properties.items() if k != "metrics"} | {"logs": logs}
        items.append({"id": f"{base}/{one.name}", "type": None, "name": one.name, "properties": properties})
    estate.listing(base, "microsoft.intune/diagnosticSettings", items)
    estate.answer("intune-audit-logs", INTUNE, "fail", "OperationalLogs is switched off")
    estate.answer("intune-device-logs", INTUNE, "pass", "both go to law-contoso-dev")
    estate.answer(HOLLOW, INTUNE, "pass", "each of its settings sends some logs")
    estate.answer("diagnostic-setting-room", INTUNE, "pass", "two of five settings")
    estate.answer("resource-logs-sent-twice", INTUNE, "pass", "no category is in both settings")


def _domains(estate: Estate) -> None:
    audits = ("AccountLogon", "AccountManagement", "DirectoryServiceAccess", "LogonLogoff", "PolicyChange",
              "PrivilegeUse", "SystemSecurity")  # fmt: skip
    whole = Plan("the group audit goes to law-contoso-sec", "pass", "pass",
                 settings=(setting("to-law", LAW_SEC, groups=("audit",)),))  # fmt: skip
    named = Plan("what matters goes to law-contoso-dev, but not every category of audit", "pass", "fail",
                 settings=(setting("to-law", LAW_DEV, categories=audits),))  # fmt: skip
    part = Plan("only sign-ins go to law-contoso-dev", "pass", "fail",
                settings=(setting("sign-ins", LAW_DEV, categories=("AccountLogon", "LogonLogoff")),))  # fmt: skip
    hidden = Plan("ARM refuses to show its settings", "unknown", "unknown", "unknown", denied=True)
    for subscription, name, region, plan, status in (
        (SHARED, "aadds.contoso.com", WE, whole, "pass"),
        (DEV, "aadds-lab.contoso.com", NE, named, "pass"),
        (DEV, "aadds-test.contoso.com", NE, part, "fail"),
        (PROD, "aadds-branch.contoso.com", WE, hidden, "unknown"),
    ):
        domain = estate.add(
            {
                "id": rid(subscription, "rg-identity", DOMAINS, name),
                "type": DOMAINS,
                "name": name,
                "location": region,
                "tags": OWNER,
                "properties": {
                    "domainName": name,
                    "tenantId": TENANT,
                    "sku": "Enterprise",
                    "domainConfigurationType": "FullySynced",
                    "provisioningState": "Succeeded",
                },
            },
            plan,
        )
        estate.answer("domain-services-audit-logs", domain, status, plan.why)  # type: ignore[arg-type]


def _linked(estate: Estate) -> None:
    for kind, name in (("b2cDirectories", "contosoloans.onmicrosoft.com"), ("ciamDirectories", "contosoclub")):
        tenant = estate.add(
            {
                "id": rid(PROD, "rg-identity", f"{DIRECTORIES}/{kind}", name),
                "type": f"{DIRECTORIES}/{kind}",
                "name": name,
                "location": "Europe",
                "tags": OWNER,
                "sku": {"name": "PremiumP1", "tier": "A0"},
                "properties": {"tenantId": guid(f"tenant/{name}"), "billingConfig": {"billingType": "MAU"}},
            }
        )
        estate.answer("linked-tenant-logs", tenant, "unknown", "its settings are behind a sign-in of its own")

"""The tenant: its licence and Entra logs, its subscriptions and their Activity Logs, its management groups."""

from __future__ import annotations

from scenes.estate import DEV, MA, NE, PROD, RETIRED, SHARED, TENANT, WE, Estate, Setting, denied, guid, setting
from scenes.places import ARCH_WE, LAW_APP, LAW_DEV, LAW_OLD, LAW_SEC, SIEM, SIEM_MISSING

PROFILES = "Microsoft.Insights/logProfiles"
SETTINGS = "Microsoft.Insights/diagnosticSettings"
GROUPS = "Microsoft.Management/managementGroups"
NAMES = {
    PROD: "contoso-prod",
    SHARED: "contoso-shared",
    DEV: "contoso-dev",
    MA: "contoso-ma-legacy",
    RETIRED: "contoso-retired",
}
ABOVE = {DEV: "mg-contoso-sandbox", RETIRED: "mg-contoso-sandbox", MA: "mg-contoso-legacy"}  # others: landing zones
RULES = ("activity-log-exported", "activity-log-security-categories", "activity-log-operational-categories")
HOLLOW = "diagnostic-setting-without-logs"


def build(estate: Estate) -> None:
    """Place everything that is above or beside the resources."""
    _tenant(estate)
    _subscriptions(estate)
    _activity_logs(estate)
    _log_profiles(estate)
    _management_groups(estate)
    _entra(estate)


def _tenant(estate: Estate) -> None:
    estate.put(
        {
            "id": f"/tenants/{TENANT}",
            "type": "Microsoft.Resources/tenants",
            "tenantId": TENANT,
            "displayName": "Contoso",
            "defaultDomain": "contoso.com",
            "domains": ["contoso.com", "contoso.onmicrosoft.com"],
            "countryCode": "NL",
            "tenantCategory": "Home",
            "tenantType": "AAD",
        }
    )


def _subscriptions(estate: Estate) -> None:
    for subscription, name in NAMES.items():
        above = ABOVE.get(subscription, "mg-contoso-landing")
        estate.put(
            {
                "id": f"/subscriptions/{subscription}",
                "type": "Microsoft.Resources/subscriptions",
                "name": name,
                "subscriptionId": subscription,
                "tenantId": TENANT,
                "displayName": name,
                "state": "Disabled" if subscription == RETIRED else "Enabled",
                "subscriptionPolicies": {"spendingLimit": "Off", "quotaId": "EnterpriseAgreement_2014-09-01"},
                "authorizationSource": "RoleBased",
                "tags": {"owner": "platform@contoso.com"},
                "managementGroupAncestorsChain": [
                    {"name": above, "displayName": above},
                    {"name": TENANT, "displayName": "Tenant Root Group"},
                ],
            }
        )
        if subscription != MA:
            estate.listing(f"/subscriptions/{subscription}/providers/Microsoft.KeyVault/deletedVaults",
                           "Microsoft.KeyVault/deletedVaults", _deleted(subscription))  # fmt: skip
    # Nothing below this subscription may be read, so that Resource Graph has no rows of it either.
    everything = f"/subscriptions/{MA}/resources"
    detail = denied("Microsoft.Resources/subscriptions/resources/read", f"/subscriptions/{MA}")
    estate.put({"id": everything, "type": "Microsoft.Resources/subscriptions/resources", "$unknown": detail})


def _deleted(subscription: str) -> list[dict[str, object]]:
    if subscription != PROD:
        return []
    base = f"/subscriptions/{PROD}"
    return [
        {
            "id": f"{base}/providers/Microsoft.KeyVault/locations/{WE}/deletedVaults/kv-loans-prod-02",
            "name": "kv-loans-prod-02",
            "type": "Microsoft.KeyVault/deletedVaults",
            "properties": {
                "vaultId": f"{base}/resourceGroups/rg-loans-prod/providers/Microsoft.KeyVault/vaults/kv-loans-prod-02",
                "location": WE,
                "deletionDate": "2026-10-30T13:02:44Z",
                "scheduledPurgeDate": "2027-01-28T13:02:44Z",
                "purgeProtectionEnabled": True,
                "tags": {},
            },
        }
    ]


# --- Activity Log -----------------------------------------------------------------------------------------------------


def _activity_logs(estate: Estate) -> None:
    def judge(subscription: str, answers: str, kept: str | None, why: str, *given: Setting) -> None:
        subject = f"/subscriptions/{subscription}"
        if given:
            estate.settings(subject, *given)
            estate.answer(HOLLOW, subject, "pass", "each of its settings sends some events")
        words = {"p": "pass", "f": "fail"}
        for rule, letter in zip(RULES, answers, strict=True):
            estate.answer(rule, subject, words[letter], why)  # type: ignore[arg-type]
        estate.answer("activity-log-sent-twice", subject, "fail" if subscription == SHARED else "pass", why)
        if kept:
            estate.answer("activity-log-retention", subject, words[kept], why)  # type: ignore[arg-type]

    judge(
        PROD, "ppf", "p",
        "two settings together send all four security categories, but of the others only two; both places keep a year",
        setting("to-law", LAW_SEC, categories=("Administrative", "Security", "ServiceHealth"), disabled=("Autoscale",)),
        setting("archive", ARCH_WE, categories=("Policy", "Alert", "ResourceHealth"), disabled=("Administrative",)),
    )  # fmt: skip
    judge(
        SHARED, "ppp", "p",
        "all eight go to law-contoso-sec, kept there for two years; two settings send Administrative to the SIEM",
        setting("activity-to-law", LAW_SEC, SIEM, groups=("allLogs",)),
        setting("siem-before-2023", SIEM, categories=("Administrative",), disabled=("Policy",)),
    )  # fmt: skip
    judge(
        DEV, "pff", "f",
        "Administrative and Policy go to law-contoso-dev, which forgets after 90 days; Security and Alert go nowhere",
        setting("dev", LAW_DEV, categories=("Administrative", "Policy"), disabled=("Security", "Alert")),
    )  # fmt: skip
    judge(
        RETIRED, "fff", None,
        "its setting sends to a workspace that was deleted; only a retired log profile is left",
        setting("to-old-workspace", LAW_OLD, groups=("allLogs",)),
    )  # fmt: skip
    asked = ("activity-log-retention", "activity-log-sent-twice", "diagnostic-setting-room")
    for rule in (*RULES, *asked, "diagnostic-setting-retention-days", HOLLOW):
        estate.answer(rule, f"/subscriptions/{MA}", "unknown", "ARM refuses to show anything of this subscription")


def _log_profiles(estate: Estate) -> None:
    for subscription in (PROD, SHARED, DEV, RETIRED):
        list_id = f"/subscriptions/{subscription}/providers/{PROFILES}"
        profile = f"/subscriptions/{subscription}/providers/microsoft.insights/logprofiles/default"
        left = subscription in (SHARED, RETIRED)
        items = [
            {
                "id": profile,
                "name": "default",
                "type": None,
                "location": None,
                "properties": {
                    "storageAccountId": ARCH_WE.id,
                    "serviceBusRuleId": None,
                    "locations": ["global", WE, NE],
                    "categories": ["Write", "Delete", "Action"],
                    "retentionPolicy": {"enabled": True, "days": 365},
                },
            }
        ]
        estate.listing(list_id, PROFILES, items if left else [])
        if left:
            why = "still there beside a diagnostic setting" if subscription == SHARED else "all that seems to export"
            estate.answer("activity-log-profile-retired", profile, "fail", why)
    refused = f"/subscriptions/{MA}/providers/{PROFILES}"
    estate.answer("activity-log-profile-retired", refused, "unknown", "ARM refuses to list its log profiles")


# --- management groups, Entra -----------------------------------------------------------------------------------------


def _management_groups(estate: Estate) -> None:
    for name, shown, parent in (
        (TENANT, "Tenant Root Group", None),
        ("mg-contoso-landing", "Landing zones", TENANT),
        ("mg-contoso-sandbox", "Sandbox", TENANT),
        ("mg-contoso-legacy", "Bought companies", TENANT),
    ):
        details = {"version": 4, "parent": {"id": f"/providers/{GROUPS}/{parent}"} if parent else None}
        properties = {"tenantId": TENANT, "displayName": shown, "details": details}
        group_id = f"/providers/{GROUPS}/{name}"
        estate.put({"id": group_id, "type": GROUPS, "name": name, "properties": properties})
    # One group exports its events. It stands in for no subscription below it: Security and Alert never come this way.
    landing = f"/providers/{GROUPS}/mg-contoso-landing"
    estate.settings(landing, setting("mg-to-law", LAW_SEC, categories=("Administrative", "Policy")))
    estate.answer(HOLLOW, landing, "pass", "its setting sends both categories")
    legacy = f"/providers/{GROUPS}/mg-contoso-legacy"
    estate.deny_settings(legacy)
    estate.answer(HOLLOW, legacy, "unknown", "ARM refuses to show its settings")
    for group, status, why in (
        (f"/providers/{GROUPS}/{TENANT}", "fail", "nobody made a setting for the root group"),
        (landing, "pass", "its own setting sends both categories to law-contoso-sec"),
        (f"/providers/{GROUPS}/mg-contoso-sandbox", "fail", "neither it nor the root group has a setting"),
        (legacy, "unknown", "its own settings are refused, and the root group has none"),
    ):
        estate.answer("management-group-activity-exported", group, status, why)  # type: ignore[arg-type]
    for subscription, status, severity, why in (
        (PROD, "pass", "", "it exports some itself"),
        (SHARED, "pass", "", "it exports everything itself"),
        (DEV, "pass", "", "it exports some itself, though no group above it does"),
        (RETIRED, "fail", "low", "its workspace is gone, and no group above it exports; it is disabled"),
        (MA, "unknown", "", "its own settings and those of the group above it are refused"),
    ):
        rule = "subscription-outside-exporting-tree"
        estate.answer(rule, f"/subscriptions/{subscription}", status, why, severity)  # type: ignore[arg-type]


_PLANS = {
    "EXCHANGE_S_ENTERPRISE": "efb87545-963c-4e0d-99df-69c6916d9eb0",
    "SHAREPOINTENTERPRISE": "5dbe027f-2339-4123-9542-606e4d348a72",
    "AAD_PREMIUM": "41781fb2-bc02-4b7c-bd55-b576c07bb09d",
    "INTUNE_A": "c1ec4a95-1f05-45b3-a911-aa3fa01094f5",
}


def _entra(estate: Estate) -> None:
    def sku(name: str, seats: int, used: int, state: str, *plans: str) -> dict[str, object]:
        return {
            "id": f"{TENANT}_{guid(f'sku/{name}')}",
            "accountName": "contoso",
            "appliesTo": "User",
            "skuId": guid(f"sku/{name}"),
            "skuPartNumber": name,
            "capabilityStatus": state,
            "consumedUnits": used,
            "prepaidUnits": {"enabled": seats, "warning": 0, "suspended": 0, "lockedOut": 0},
            "servicePlans": [
                {
                    "servicePlanId": _PLANS.get(plan, "eec0eb4f-6444-4f95-aba0-50c24d67f998"),
                    "servicePlanName": plan,
                    "provisioningStatus": "Success",
                    "appliesTo": "User",
                }
                for plan in plans
            ],
        }

    estate.listing(
        "/providers/microsoft.graph/subscribedSkus",
        "microsoft.graph/subscribedSkus",
        [
            sku("SPE_E3", 1200, 1143, "Enabled", *_PLANS),
            sku("AAD_PREMIUM_P2", 0, 0, "Suspended", "AAD_PREMIUM_P2"),  # a trial that has ended: still P1
        ],
    )
    base = "/providers/microsoft.aadiam/diagnosticSettings"
    given = [
        setting("entra-to-law", LAW_SEC, categories=("AuditLogs", "SignInLogs"), disabled=("RiskyUsers",)),
        setting("entra-to-siem", SIEM, categories=("ServicePrincipalSignInLogs",)),
        setting("entra-managed", SIEM_MISSING, categories=("ManagedIdentitySignInLogs",)),
        setting("app-team", LAW_APP, disabled=("AuditLogs", "SignInLogs")),
    ]
    items = []
    for one in given:
        for place in one.places:
            estate.name_place(place)
        logs = [{k: v for k, v in log.items() if k != "categoryGroup"} for log in one.properties["logs"]]
        properties = {k: v for k, v in one.properties.items() if k != "metrics"} | {"logs": logs}
        items.append({"id": f"{base}/{one.name}", "type": None, "name": one.name, "properties": properties})
    estate.listing(base, "microsoft.aadiam/diagnosticSettings", items)
    tenant = f"/providers/microsoft.aadiam/tenants/{TENANT}"
    estate.answer("entra-audit-logs", tenant, "pass", "AuditLogs go to law-contoso-sec")
    why = "the non-interactive sign-ins go nowhere, those of managed identities to an event hub that is not there"
    estate.answer("entra-sign-in-logs", tenant, "fail", why)
    estate.answer("entra-graph-activity-logs", tenant, "fail", "no setting has MicrosoftGraphActivityLogs")
    estate.answer(HOLLOW, tenant, "fail", "the setting app-team names a workspace and sends nothing")
    estate.answer("diagnostic-setting-room", tenant, "pass", "four of five settings")
    estate.answer("resource-logs-sent-twice", tenant, "pass", "each category is on in one setting only")

"""Who hears of changes: Activity Log alerts, the action groups that they call, and those that call nobody."""

from __future__ import annotations

from typing import Any

from scenes.estate import DEV, MA, MSP, PROD, RETIRED, SHARED, Doc, Estate, Status, denied, rid
from scenes.places import LOGS_GROUP
from scenes.things import place

RULES = "Microsoft.Insights/activityLogAlerts"
GROUPS = "Microsoft.Insights/actionGroups"
SECOPS = rid(SHARED, LOGS_GROUP, GROUPS, "ag-secops")
LEAVERS = rid(SHARED, "rg-alerts-shared", GROUPS, "ag-leavers")
GONE = rid(PROD, "rg-alerts-prod", GROUPS, "ag-old")
FOREIGN = rid(MSP, "rg-soc", GROUPS, "ag-msp-soc")

POLICY = "Microsoft.Authorization/policyAssignments"
NSG = "Microsoft.Network/networkSecurityGroups"
SOLUTION = "Microsoft.Security/securitySolutions"
FIREWALL = "Microsoft.Sql/servers/firewallRules"
ADDRESS = "Microsoft.Network/publicIPAddresses"
HEALTH = "alert-service-health"
PAIRS = {
    "policy-assignment": POLICY,
    "network-security-group": NSG,
    "security-solution": SOLUTION,
    "sql-firewall-rule": FIREWALL,
    "public-ip-address": ADDRESS,
}
PRIVILEGE = (
    "Microsoft.Authorization/roleAssignments/write",
    "Microsoft.KeyVault/vaults/delete",
    "Microsoft.KeyVault/locations/deletedVaults/purge/action",
    "Microsoft.Storage/storageAccounts/regenerateKey/action",
)
ASKED = (
    *(f"alert-{name}-{verb}" for name in PAIRS for verb in ("write", "delete")),
    "alert-security-rule-changes",
    "alert-log-tampering",
    "alert-privilege-and-key-operations",
    HEALTH,
)


def build(estate: Estate) -> None:
    """Place alert rules in three subscriptions; one has none, and one may not be looked into."""
    _groups(estate)
    _prod(estate)
    _others(estate)
    for rule in ASKED:
        estate.answer(rule, f"/subscriptions/{RETIRED}", "fail", "it has no alert rule")
        estate.answer(rule, f"/subscriptions/{MA}", "unknown", "its alert rules may not be listed")


def leaf(field: str, *values: str) -> Doc:
    """One field and the values that it may have."""
    return {"field": field, "equals": values[0]} if len(values) == 1 else {"field": field, "containsAny": list(values)}


ADMIN = leaf("category", "Administrative")


def _groups(estate: Estate) -> None:
    estate.put({"id": GONE, "type": GROUPS, "$absent": {"status": 404, "code": "ResourceNotFound"}})
    estate.put({"id": FOREIGN, "type": GROUPS, "$unknown": denied(f"{GROUPS}/read", FOREIGN)})
    left = [{"name": "jane", "emailAddress": "jane@contoso.com", "status": "Disabled"}]
    place(estate, GROUPS, "ag-leavers", None, app="alerts", subscription=SHARED, region="Global",
          groupShortName="leavers", enabled=True, emailReceivers=left)  # fmt: skip


def _rule(
    estate: Estate,
    subscription: str,
    name: str,
    *conditions: Doc,
    groups: tuple[str, ...] = (SECOPS,),
    scope: str = "",
    enabled: bool = True,
) -> None:
    more: dict[str, Any] = {
        "enabled": enabled,
        "scopes": [scope or f"/subscriptions/{subscription}"],
        "condition": {"allOf": list(conditions)},
        "actions": {"actionGroups": [{"actionGroupId": group, "webhookProperties": {}} for group in groups]},
    }
    place(estate, RULES, name, None, app="alerts", subscription=subscription, region="Global", **more)


def _either(*operations: str) -> Doc:
    return {"anyOf": [leaf("operationName", operation) for operation in operations]}


def _both(kind: str) -> Doc:
    return _either(f"{kind}/write", f"{kind}/delete")


def _prod(estate: Estate) -> None:
    subject = f"/subscriptions/{PROD}"

    def judge(rule: str, status: Status, why: str) -> None:
        estate.answer(f"alert-{rule}", subject, status, why)

    def pair(name: str, status: Status, why: str) -> None:
        for verb in ("write", "delete"):
            judge(f"{name}-{verb}", status, why)

    _rule(estate, PROD, "ala-policy", ADMIN, _both(POLICY))
    pair("policy-assignment", "pass", "one rule for both operations, by anyOf")
    group = f"{subject}/resourceGroups/rg-network-prod"
    _rule(estate, PROD, "ala-nsg-write", ADMIN, leaf("operationName", f"{NSG}/write"), scope=group)
    judge("network-security-group-write", "fail", "its rule watches one resource group")
    upper = leaf("operationName", f"{NSG}/delete".upper())
    _rule(estate, PROD, "ala-nsg-delete", ADMIN, upper, scope=subject.upper())
    judge("network-security-group-delete", "pass", "a rule of its own, in capital letters")
    _rule(estate, PROD, "ala-solutions", ADMIN, _both(SOLUTION), enabled=False)
    pair("security-solution", "fail", "its rule is switched off")
    _rule(estate, PROD, "ala-sql-firewall", ADMIN, _both(FIREWALL), groups=(GONE,))
    pair("sql-firewall-rule", "fail", "its action group was deleted")
    _rule(estate, PROD, "ala-addresses", ADMIN, leaf("resourceType", ADDRESS), groups=(GONE, SECOPS))
    pair("public-ip-address", "pass", "every operation on the type; of its two action groups one is there")
    _rule(estate, PROD, "ala-security-rules", ADMIN, leaf("operationName", f"{NSG}/securityRules/write"))
    judge("security-rule-changes", "fail", "only for new and changed rules, not for removed ones")
    _rule(estate, PROD, "ala-tampering", ADMIN, leaf("operationName", "Microsoft.Insights/diagnosticSettings/delete"))
    judge("log-tampering", "fail", "of eight operations only one raises an alert")
    _rule(estate, PROD, "ala-privilege", ADMIN, leaf("operationName", *PRIVILEGE), leaf("status", "Succeeded"))
    judge("privilege-and-key-operations", "pass", "one rule for all of them, once they have succeeded")
    _rule(estate, PROD, "ala-health", leaf("category", "ServiceHealth"), leaf("properties.incidentType", "Incident"))
    judge("service-health", "pass", "outages, of whatever service and region")


def _others(estate: Estate) -> None:
    _rule(estate, SHARED, "ala-everything", ADMIN)
    services = leaf("properties.impactedServices[*].ServiceName", "Event Hubs", "Log Analytics")
    _rule(estate, SHARED, "ala-health", leaf("category", "ServiceHealth"), services)
    _rule(estate, DEV, "ala-failures", ADMIN, leaf("status", "Failed"))
    _rule(estate, DEV, "ala-nsg", ADMIN, _both(NSG), groups=(FOREIGN,))
    _rule(estate, DEV, "ala-policy", ADMIN, _both(POLICY), groups=(LEAVERS,))
    why = {
        "network-security-group": "its action group is the provider's, and may not be read",
        "policy-assignment": "whoever got its mails has unsubscribed",
    }
    for rule in ASKED:
        kind = rule.removeprefix("alert-").rpartition("-")[0]
        if rule == HEALTH:
            told = "its rule names two services, which may or may not be all that are used"
            estate.answer(rule, f"/subscriptions/{SHARED}", "unknown", told)
            estate.answer(rule, f"/subscriptions/{DEV}", "fail", "it has no rule for it")
            continue
        estate.answer(rule, f"/subscriptions/{SHARED}", "pass", "one rule for all administrative operations")
        status: Status = "unknown" if kind == "network-security-group" else "fail"
        told = why.get(kind, "its only rule fires for operations that failed")
        estate.answer(rule, f"/subscriptions/{DEV}", status, told)

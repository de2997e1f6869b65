"""Defender for Cloud and Sentinel: plans, where alerts go, who gets mails, and what Sentinel logs of itself."""

import pytest
from estates import CENTRAL, LAW, SUB, S, rid

from auditor.documents import normal_id
from auditor.facts.defender import defender_facts, plan_facts
from auditor.facts.destinations import destination_index
from auditor.facts.look import Look
from auditor.facts.sentinel import sentinel_facts
from auditor.inventory import Unknown

UNREAD = "unknown"
DENIED = {"reason": "denied", "status": 403}
PLANS = "Microsoft.Security/pricings"
CONTACTS = "Microsoft.Security/securityContacts"
AUTOMATION = "Microsoft.Security/automations"
CONNECTORS = "Microsoft.SecurityInsights/dataConnectors"
ONBOARDING = "Microsoft.SecurityInsights/onboardingStates"
SETTINGS = "Microsoft.Insights/diagnosticSettings"
HUB = rid("Microsoft.EventHub/namespaces", "ns") + "/eventhubs/alerts"


def look(*documents):
    index = {normal_id(document["id"]): document for document in documents}
    return Look(documents=index, resolve=destination_index(index))


def told(value):
    return UNREAD if isinstance(value, Unknown) else value


def fact(name, *documents):
    return told(defender_facts(normal_id(SUB), {}, look(*documents))[name])


# --- plans ------------------------------------------------------------------------------------------------------------


def plans(*items, **instead):
    document = {"id": f"{SUB}/providers/{PLANS}", "type": PLANS}
    return {**document, **(instead or {"value": list(items)})}


def plan(name, tier="Standard", **more):
    return {"name": name, "properties": {"pricingTier": tier, **more}}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        pytest.param(plans(plan("KeyVaults"), plan("Arm", "standard"), plan("Api", "Free")), ["Arm", "KeyVaults"],
                     id="those that are on"),
        pytest.param(plans(plan("Dns", deprecated=True)), [], id="a plan that was given up"),
        pytest.param(plans(plan("CloudPosture"), plan("FoundationalCspm")), [], id="plans without alerts"),
        pytest.param(plans(plan("Arm", None), "text", {"name": "Arm"}), [], id="odd entries"),
        pytest.param(plans(), [], id="an empty list"),
        pytest.param(plans(**{"$unsupported": {"status": 400, "code": "Subscription Not Registered"}}), [],
                     id="not registered"),
        pytest.param(plans(**{"$absent": {"status": 409, "code": "MissingSubscriptionRegistration"}}), [],
                     id="not registered, said otherwise"),
        pytest.param(plans(**{"$unsupported": {"status": 400, "code": "InvalidApi"}}), UNREAD, id="a wrong question"),
        pytest.param(plans(**{"$absent": {"status": 404, "code": "NotFound"}}), UNREAD, id="404"),
        pytest.param(plans(**{"$unknown": DENIED}), UNREAD, id="403"),
        pytest.param(None, UNREAD, id="never read"),
    ],
)  # fmt: skip
def test_plans(document, expected):
    documents = [document] if document else []
    assert fact("defender_plans", *documents) == expected
    watched = told(plan_facts("KeyVaults")(normal_id(rid("Microsoft.KeyVault/vaults", "kv")), {}, look(*documents))
                   ["defender"])  # fmt: skip
    assert watched == (UNREAD if expected == UNREAD else "KeyVaults" in expected)


# --- where alerts go --------------------------------------------------------------------------------------------------

WORKSPACE = {"id": LAW, "type": "Microsoft.OperationalInsights/workspaces", "properties": {}}
GONE = {**WORKSPACE, "$absent": {"status": 404, "code": "ResourceNotFound"}}
ALERTS = {"eventSource": "Alerts", "ruleSets": None}


def severities(*values):
    return [
        {"rules": [{"propertyJPath": "Severity", "operator": "Equals", "expectedValue": value}]} for value in values
    ]


def export(*sources, scope=SUB, to=None, **more):
    properties = {
        "isEnabled": True,
        "scopes": [{"scopePath": scope}],
        "sources": list(sources) or [ALERTS],
        "actions": [to or {"actionType": "Workspace", "workspaceResourceId": LAW}],
        **more,
    }
    return {"id": rid(AUTOMATION, "export"), "type": AUTOMATION, "properties": properties}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        pytest.param(export(), True, id="to a workspace"),
        pytest.param(export(scope=SUB.upper() + "/"), True, id="scope in any case"),
        pytest.param(export(to={"eventHubResourceId": HUB}), True, id="to a hub that could not be looked at"),
        pytest.param(export(to={"logicAppResourceId": LAW}), False, id="to a playbook: nothing is kept"),
        pytest.param(export(actions=None), False, id="to nowhere"),
        pytest.param(export(isEnabled=False), False, id="switched off"),
        pytest.param(export(isEnabled={"$unknown": DENIED}), UNREAD, id="perhaps switched off"),
        pytest.param(export(scope=f"{SUB}/resourceGroups/rg"), False, id="of one resource group"),
        pytest.param(export({"eventSource": "Assessments"}), False, id="recommendations only"),
        pytest.param(export({"eventSource": "Assessments"}, ALERTS), True, id="alerts too"),
        pytest.param(export({**ALERTS, "ruleSets": severities("High", "medium", "LOW")}), True, id="by severity"),
        pytest.param(export({**ALERTS, "ruleSets": severities("High")}), False, id="high ones only"),
        pytest.param(export({**ALERTS, "ruleSets": [{"rules": []}]}), True, id="no rules"),
        pytest.param(
            export({**ALERTS, "ruleSets": [{"rules": [{"propertyJPath": "AlertDisplayName", "expectedValue": "x"}]}]}),
            False, id="by another property"),
        pytest.param(
            export({**ALERTS, "ruleSets": [{"rules": severities("High")[0]["rules"] * 2} for _ in range(3)]}),
            False, id="by several properties"),
        pytest.param({**export(), "properties": {"$unknown": DENIED}}, UNREAD, id="properties denied"),
        pytest.param({"id": rid(AUTOMATION, "x"), "type": AUTOMATION, "$absent": {"status": 404}}, False, id="gone"),
        pytest.param({**export(), "id": rid(AUTOMATION, "export", CENTRAL)}, False, id="in another subscription"),
    ],
)  # fmt: skip
def test_continuous_export(document, expected):
    assert fact("defender_alerts_kept", document, WORKSPACE) == expected


def test_an_export_to_what_is_gone_keeps_nothing():
    assert fact("defender_alerts_kept", export(), GONE) is False


def connectors(*items, **instead):
    document = {"id": f"{LAW}/providers/{CONNECTORS}", "type": CONNECTORS}
    return {**document, **(instead or {"value": list(items)})}


def connector(kind, state="Enabled", subscription=S, of="alerts", name="1234"):
    inner = {"subscriptionId": subscription, "dataTypes": {of: {"state": state}}}
    return {"kind": kind, "name": name, "properties": inner}


TENANT = "MicrosoftDefenderForCloudTenantBased"


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        pytest.param(connectors(connector("AzureSecurityCenter")), True, id="of this subscription"),
        pytest.param(connectors(connector("AzureSecurityCenter", subscription=S.upper())), True, id="in any case"),
        pytest.param(connectors(connector("AzureSecurityCenter", "Disabled")), False, id="switched off"),
        pytest.param(connectors(connector("AzureSecurityCenter", subscription=CENTRAL)), False, id="of another"),
        pytest.param(connectors(connector("StaticUI", name=TENANT)), True, id="of the tenant"),
        pytest.param(connectors({"kind": TENANT}), True, id="of the tenant, without details"),
        pytest.param(connectors(connector(TENANT, "Disabled")), False, id="of the tenant, switched off"),
        pytest.param(connectors(connector("MicrosoftThreatProtection", of="incidents")), UNREAD, id="Defender XDR"),
        pytest.param(connectors(connector("MicrosoftThreatProtection", "Disabled")), False, id="Defender XDR, off"),
        pytest.param(connectors(connector("Office365")), False, id="something else"),
        pytest.param(
            connectors(*[connector("MicrosoftThreatProtection", of="incidents")] * 2), UNREAD, id="Defender XDR, twice"
        ),
        pytest.param(connectors(**{"$unknown": DENIED}), UNREAD, id="403"),
        pytest.param(connectors(**{"$absent": {"status": 404}}), False, id="404"),
    ],
)
def test_sentinel_takes_alerts_in(document, expected):
    assert fact("defender_alerts_kept", document) == expected


def test_a_subscription_that_is_not_visible_may_export():
    hidden = {"id": SUB, "type": "Microsoft.Resources/subscriptions", "$unknown": DENIED}
    assert fact("defender_alerts_kept", hidden) == UNREAD


def test_what_was_not_listed_may_export():
    gap = {"id": f"{SUB}/resources", "type": "Microsoft.Resources/subscriptions/resources", "$unknown": DENIED}
    assert fact("defender_alerts_kept", gap) == UNREAD
    assert fact("defender_alerts_kept", gap, connectors(connector("AzureSecurityCenter"))) is True


# --- who gets a mail --------------------------------------------------------------------------------------------------

OWNERS = {"state": "On", "roles": ["Owner", "Contributor"]}
HIGH = [{"sourceType": "AttackPath", "minimalRiskLevel": "Low"}, {"sourceType": "Alert", "minimalSeverity": "High"}]
NOBODY = {"roles": [], "emails": 0, "severity": ""}


def contact(**properties):
    return {"id": f"{SUB}/providers/{CONTACTS}/default", "type": CONTACTS, "properties": properties}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        pytest.param(contact(notificationsByRole=OWNERS, notificationsSources=HIGH, emails="a@x.com;b@x.com"),
                     {"roles": ["Contributor", "Owner"], "emails": 2, "severity": "high"}, id="as of 2023"),
        pytest.param(contact(notificationsByRole=OWNERS, alertNotifications={"state": "On", "minimalSeverity": "Low"}),
                     {"roles": ["Contributor", "Owner"], "emails": 0, "severity": "low"}, id="as of 2020"),
        pytest.param(contact(alertNotifications={"state": "Off", "minimalSeverity": "Low"}), NOBODY, id="alerts off"),
        pytest.param(contact(notificationsByRole={**OWNERS, "state": "Off"}), NOBODY, id="roles off"),
        pytest.param(contact(notificationsByRole=OWNERS, notificationsSources=HIGH, isEnabled=False), NOBODY,
                     id="switched off"),
        pytest.param(contact(notificationsByRole={"state": "On", "roles": None}, emails=" ; "), NOBODY, id="nulls"),
        pytest.param({**contact(), "$absent": {"status": 404, "code": "NotFound"}}, NOBODY, id="none set up"),
        pytest.param({**contact(), "$unsupported": {"code": "Subscription Not Registered"}}, NOBODY, id="unregistered"),
        pytest.param({**contact(), "$unsupported": {"code": "BadRequest"}}, UNREAD, id="a wrong question"),
        pytest.param({**contact(), "$unknown": DENIED}, UNREAD, id="403"),
        pytest.param({**contact(), "properties": {"$unknown": DENIED}}, UNREAD, id="properties denied"),
        pytest.param(None, UNREAD, id="never read"),
    ],
)  # fmt: skip
def test_security_contact(document, expected):
    assert fact("security_contact", *([document] if document else [])) == expected


def test_a_404_of_a_subscription_that_shows_nothing_is_no_answer():
    gap = {"id": f"{SUB}/resources", "type": "Microsoft.Resources/subscriptions/resources", "$unknown": DENIED}
    absent = {"id": f"{SUB}/providers/{CONTACTS}/default", "type": CONTACTS,
              "$absent": {"status": 404, "code": "NotFound"}}  # fmt: skip
    assert fact("security_contact", absent, gap) == UNREAD


# --- Sentinel ---------------------------------------------------------------------------------------------------------


def onboarding(**instead):
    return {"id": f"{LAW}/providers/{ONBOARDING}/default", "type": ONBOARDING, **(instead or {"name": "default"})}


SOLUTION = {
    "id": LAW.partition("/providers/")[0] + "/providers/Microsoft.OperationsManagement/solutions/SecurityInsights(law)",
    "type": "Microsoft.OperationsManagement/solutions",
}


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        pytest.param([onboarding()], True, id="onboarded"),
        pytest.param([onboarding(**{"$absent": {"status": 404}})], False, id="not onboarded"),
        pytest.param([onboarding(**{"$absent": {"status": 404}}), SOLUTION], False, id="only its solution is left"),
        pytest.param([onboarding(**{"$unknown": DENIED})], UNREAD, id="403"),
        pytest.param([onboarding(**{"$unknown": DENIED}), SOLUTION], True, id="403, but its solution is there"),
        pytest.param([onboarding(value=[])], UNREAD, id="an answer to another question"),
        pytest.param([SOLUTION], True, id="its solution"),
        pytest.param([], UNREAD, id="never read"),
    ],
)
def test_sentinel_is_on(documents, expected):
    found = look(WORKSPACE, *documents)
    assert told(sentinel_facts(normal_id(LAW), {}, found)["sentinel"]) == expected
    assert told(found.resolve("log-analytics", LAW, None).sentinel) == expected


def test_what_is_no_workspace_or_not_there_is_not_watched():
    assert look(GONE, onboarding()).resolve("log-analytics", LAW, None).sentinel is False
    assert isinstance(look(onboarding()).resolve("log-analytics", LAW, None).sentinel, Unknown)
    assert look().resolve("storage", rid("Microsoft.Storage/storageAccounts", "st"), None).sentinel is False


def health(*logs, **instead):
    base = f"{LAW}/providers/Microsoft.SecurityInsights/settings/SentinelHealth/providers/{SETTINGS}"
    setting = {"name": "health", "properties": {"workspaceId": LAW, "logs": list(logs)}}
    return {"id": base, "type": SETTINGS, **(instead or {"value": [setting] if logs else []})}


@pytest.mark.parametrize(
    ("documents", "missing"),
    [
        pytest.param([onboarding(), health({"categoryGroup": "allLogs", "enabled": True})], [], id="all"),
        pytest.param([onboarding(), health({"category": "DataConnectors", "enabled": True})],
                     ["Analytics", "Automation"], id="connectors only"),
        pytest.param([onboarding(), health()], ["Analytics", "Automation", "DataConnectors"], id="none"),
        pytest.param([onboarding(), health(**{"$unknown": DENIED})], UNREAD, id="403"),
        pytest.param([onboarding()], UNREAD, id="never read"),
        pytest.param([onboarding(**{"$absent": {"status": 404}})], [], id="without Sentinel"),
        pytest.param([onboarding(**{"$unknown": DENIED})], UNREAD, id="perhaps without Sentinel"),
    ],
)  # fmt: skip
def test_sentinel_health(documents, missing):
    facts = sentinel_facts(normal_id(LAW), {}, look(WORKSPACE, *documents))
    assert told(facts["sentinel_health_missing"]) == missing

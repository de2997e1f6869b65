"""Activity Log alerts: which rules watch a whole subscription, for which events, and does anybody hear of it?"""

import pytest
from estates import CENTRAL, SUB, S, rid

from auditor.documents import normal_id
from auditor.facts.alert_events import raises
from auditor.facts.alerts import alert_facts
from auditor.facts.destinations import destination_index
from auditor.facts.look import Look
from auditor.inventory import Unknown

NSG = "Microsoft.Network/networkSecurityGroups/write"
ALERTS = "Microsoft.Insights/activityLogAlerts"
GROUPS = "Microsoft.Insights/actionGroups"
PROCESSING = "Microsoft.AlertsManagement/actionRules"
GROUP = rid(GROUPS, "ag", CENTRAL)
OTHER = "44444444-4444-4444-4444-444444444444"
UNREAD = "unknown"


def leaf(field, *values):
    return {"field": field, "equals": values[0]} if len(values) == 1 else {"field": field, "containsAny": list(values)}


ADMIN = leaf("category", "Administrative")
WRITE = leaf("operationName", NSG)


def rule(*parts, name="alert", sub=S, scopes=(SUB,), groups=(GROUP,), **more):
    properties = {
        "enabled": True,
        "scopes": list(scopes),
        "condition": {"allOf": list(parts) or [ADMIN, WRITE]},
        "actions": {"actionGroups": [{"actionGroupId": group} for group in groups]},
        **more,
    }
    return {"id": rid(ALERTS, name, sub), "type": ALERTS.lower(), "name": name, "properties": properties}


def action_group(group=GROUP, **properties):
    mail = [{"name": "m", "emailAddress": "a@example.com", "status": "Enabled"}]
    return {"id": group, "type": GROUPS.lower(), "properties": {"enabled": True, "emailReceivers": mail, **properties}}


def processing(*actions, scopes=(SUB,), **more):
    properties = {"enabled": True, "scopes": list(scopes), "actions": list(actions), **more}
    return {"id": rid(PROCESSING, "apr"), "type": PROCESSING.lower(), "name": "apr", "properties": properties}


MUTE = {"actionType": "RemoveAllActionGroups"}
ADD = {"actionType": "AddActionGroups", "actionGroupIds": [GROUP]}


def facts_of(*documents, subscription=SUB):
    index = {normal_id(document["id"]): document for document in documents}
    return alert_facts(normal_id(subscription), {}, Look(documents=index, resolve=destination_index(index)))


def answer(*documents, event=NSG, subscription=SUB):
    found = raises(facts_of(*documents, subscription=subscription)["alerts"], event)
    return UNREAD if isinstance(found, Unknown) else found


# --- conditions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        pytest.param([ADMIN, WRITE], True, id="category and operation"),
        pytest.param([leaf("Category", "ADMINISTRATIVE"), leaf("OPERATIONNAME", NSG.upper())], True, id="any case"),
        pytest.param([ADMIN], True, id="all administrative events"),
        pytest.param([WRITE], True, id="operation only"),
        pytest.param([ADMIN, leaf("operationName", NSG, "Microsoft.Sql/servers/write")], True, id="containsAny"),
        pytest.param([{"anyOf": [WRITE, leaf("operationName", "x/y/write")]}, ADMIN], True, id="trap 29: anyOf"),
        pytest.param([{"anyOf": [leaf("caller", "eve"), WRITE]}], True, id="anyOf of several fields"),
        pytest.param([{"anyOf": [leaf("caller", "eve"), leaf("level", "Error")]}], False, id="anyOf of narrow fields"),
        pytest.param([ADMIN, leaf("resourceType", "Microsoft.Network/networkSecurityGroups")], True, id="its type"),
        pytest.param([ADMIN, leaf("resourceType", "Microsoft.Network/publicIPAddresses")], False, id="another type"),
        pytest.param([ADMIN, leaf("resourceProvider", "microsoft.network")], True, id="its provider"),
        pytest.param([ADMIN, leaf("resourceProvider", "Microsoft.Sql")], False, id="another provider"),
        pytest.param([ADMIN, leaf("operationName", NSG.replace("write", "delete"))], False, id="another operation"),
        pytest.param([leaf("category", "Security"), WRITE], False, id="another category"),
        pytest.param([ADMIN, WRITE, leaf("caller", "eve@example.com")], False, id="one caller"),
        pytest.param([ADMIN, WRITE, leaf("resourceGroup", "rg-app")], False, id="one resource group"),
        pytest.param([ADMIN, WRITE, leaf("resourceId", f"{SUB}/x")], False, id="one resource"),
        pytest.param([ADMIN, WRITE, leaf("subStatus", "Created")], False, id="one sub-status"),
        pytest.param([ADMIN, WRITE, leaf("properties.x", "y")], False, id="a property"),
        pytest.param([ADMIN, WRITE, leaf("status", "Failed")], False, id="failures only"),
        pytest.param([ADMIN, WRITE, leaf("status", "Accepted")], False, id="not every change is accepted first"),
        pytest.param([ADMIN, WRITE, leaf("status", "Succeeded")], True, id="whatever succeeds"),
        pytest.param([ADMIN, WRITE, leaf("status", "Failed", "Succeeded")], True, id="successes too"),
        pytest.param([ADMIN, WRITE, leaf("status", "Started")], True, id="whatever starts"),
        pytest.param([ADMIN, WRITE, leaf("level", "Error")], False, id="errors only"),
        pytest.param([ADMIN, WRITE, leaf("level", "Informational")], UNREAD, id="informational may be all"),
        pytest.param(
            [ADMIN, WRITE, leaf("level", "Critical", "Error", "Warning", "Informational")], True, id="all levels"
        ),
        pytest.param([ADMIN, WRITE, leaf("claims", "x")], UNREAD, id="a field that is not known"),
        pytest.param([ADMIN, {"field": "operationName"}], False, id="a field without a value meets nothing"),
        pytest.param([ADMIN, {}], UNREAD, id="a condition without a field"),
        pytest.param(["text"], UNREAD, id="no condition at all"),
        pytest.param([ADMIN, leaf("operationName", {"$unknown": {"reason": "later"}})], UNREAD, id="not decided yet"),
        pytest.param(
            [leaf("category", "Security"), leaf("operationName", {"$unknown": {"reason": "later"}})],
            False,
            id="not decided yet, and no matter",
        ),
    ],
)
def test_a_condition_meets_every_event_or_not(parts, expected):
    assert answer(rule(*parts), action_group()) == expected


ACTION = "Microsoft.Storage/storageAccounts/regenerateKey/action"


@pytest.mark.parametrize(
    ("event", "parts", "expected"),
    [
        pytest.param(ACTION, [ADMIN, leaf("operationName", ACTION)], True, id="an action"),
        pytest.param(ACTION, [leaf("resourceType", "Microsoft.Storage/storageAccounts")], True, id="its type"),
        pytest.param("ServiceHealth", [leaf("category", "ServiceHealth")], True, id="a category"),
        pytest.param("ServiceHealth", [ADMIN], False, id="another category"),
        pytest.param("ServiceHealth", [leaf("category", "ServiceHealth"), WRITE], False, id="no operation"),
        pytest.param("ServiceHealth", [leaf("resourceType", "x/y")], False, id="no type"),
        pytest.param("ServiceHealth", [leaf("resourceProvider", "")], False, id="no provider"),
        pytest.param("ServiceHealth", [leaf("properties.incidentType", "Incident")], True, id="outages"),
        pytest.param("ServiceHealth", [leaf("properties.incidentType", "Maintenance", "Informational")], False,
                     id="no outages"),
        pytest.param("ServiceHealth", [leaf("properties.impactedServices[*].ServiceName", "SQL")], UNREAD,
                     id="some services"),
        pytest.param("ServiceHealth", [leaf("status", "Active")], True, id="active events"),
        pytest.param("ServiceHealth", [leaf("status", "Resolved")], False, id="only when it is over"),
        pytest.param("Security", [leaf("category", "Security"), leaf("properties.incidentType", "Incident")], False,
                     id="a property of others"),
    ],
)  # fmt: skip
def test_other_events(event, parts, expected):
    assert answer(rule(*parts), action_group(), event=event) == expected


# --- rules ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("alert", "expected", "problem"),
    [
        pytest.param(rule(), True, "", id="alive"),
        pytest.param(rule(scopes=[SUB.upper() + "/"]), True, "", id="scope in any case"),
        pytest.param(rule(scopes=["", None, SUB]), True, "", id="odd scopes beside the right one"),
        pytest.param(rule(sub=CENTRAL), True, "", id="the rule is in another subscription"),
        pytest.param(rule(enabled=None), True, "", id="enabled is the default"),
        pytest.param(rule(enabled=False), False, "alert: it is switched off", id="trap 30: disabled"),
        pytest.param(rule(enabled={"$unknown": {"reason": "later"}}), UNREAD, "", id="perhaps disabled"),
        pytest.param(rule(scopes=[f"{SUB}/resourceGroups/rg"]), False,
                     "alert: it watches only part of the subscription", id="section 3 (19): one resource group"),
        pytest.param(rule(scopes=[f"/subscriptions/{OTHER}"]), False, "", id="another subscription"),
        pytest.param(rule(scopes=[]), False, "", id="no scope"),
        pytest.param(rule(scopes=["/"]), False, "", id="no subscription is in scope"),
        pytest.param({**rule(), "properties": {**rule()["properties"], "scopes": {"$unknown": {"reason": "later"}}}},
                     UNREAD, "", id="scopes not decided yet"),
        pytest.param(rule(condition=None), UNREAD, "", id="no condition"),
        pytest.param(rule(groups=[]), False, "alert: it calls no action group", id="no action group"),
        pytest.param(rule(actions=None), False, "alert: it calls no action group", id="no actions"),
        pytest.param(rule(actions={"$unknown": {"reason": "later"}}), UNREAD, "", id="actions not decided yet"),
        pytest.param({"id": rid(ALERTS, "a"), "type": ALERTS, "$unknown": {"reason": "denied"}}, UNREAD, "",
                     id="a rule that could not be read"),
        pytest.param({**rule(), "properties": {"$unknown": {"reason": "denied"}}}, UNREAD, "", id="its properties"),
        pytest.param({"id": rid(ALERTS, "a"), "type": ALERTS, "$absent": {"status": 404}}, False, "", id="gone"),
    ],
)  # fmt: skip
def test_a_rule_lives_or_not(alert, expected, problem):
    assert answer(alert, action_group()) == expected
    assert facts_of(alert, action_group())["alert_problems"] == [problem] * bool(problem)


def test_one_living_rule_is_enough():
    dead = rule(name="dead", enabled=False)
    doubtful = {**rule(name="doubtful"), "properties": {"$unknown": {"reason": "denied"}}}
    assert answer(dead, doubtful, rule(), action_group()) is True
    assert answer(dead, doubtful, action_group()) == UNREAD


def test_a_rule_of_another_subscription_that_could_not_be_read_is_no_matter():
    elsewhere = {**rule(sub=CENTRAL), "properties": {"$unknown": {"reason": "denied"}}}
    assert answer(elsewhere, action_group()) is False


def test_what_was_not_listed_may_hold_any_rule():
    gap = {"id": f"{SUB}/resources", "type": "Microsoft.Resources/subscriptions/resources",
           "$unknown": {"reason": "denied", "status": 403}}  # fmt: skip
    assert answer(gap) == UNREAD
    assert answer(gap, rule(), action_group()) is True
    other = {**gap, "id": f"/subscriptions/{CENTRAL}/resources"}
    assert answer(other) is False


@pytest.mark.parametrize("shown", ["/subscriptions", SUB])
def test_a_subscription_that_is_not_visible_may_have_any_rule(shown):
    hidden = {"id": shown, "type": "Microsoft.Resources/subscriptions", "$unknown": {"reason": "denied"}}
    assert answer(hidden, subscription=shown) == UNREAD


def test_without_the_fact_nothing_raises_an_alert():
    assert raises(None, NSG) is False
    assert isinstance(raises(Unknown(reason="not read"), NSG), Unknown)
    assert raises(["text"], NSG) is False


# --- who hears of it --------------------------------------------------------------------------------------------------

NOBODY = "alert: its action group ag has no receiver that is enabled"


@pytest.mark.parametrize(
    ("group", "expected", "problem"),
    [
        pytest.param(action_group(), True, "", id="a mail address"),
        pytest.param(action_group(enabled=None), True, "", id="enabled is the default"),
        pytest.param(action_group(enabled=False), False, "alert: its action group ag is switched off", id="off"),
        pytest.param(action_group(emailReceivers=[]), False, NOBODY, id="section 3 (19): no receiver"),
        pytest.param(action_group(emailReceivers=None), False, NOBODY, id="null receivers"),
        pytest.param(action_group(emailReceivers=[{"status": "Disabled"}]), False, NOBODY, id="unsubscribed"),
        pytest.param(action_group(emailReceivers=[{"status": "Disabled"}, {"status": "Enabled"}]), True, "",
                     id="one of two"),
        pytest.param(action_group(emailReceivers=[{"status": "NotSpecified"}]), UNREAD, "", id="not told"),
        pytest.param(action_group(emailReceivers=[{"emailAddress": "a@example.com"}]), True, "", id="as declared"),
        pytest.param(action_group(emailReceivers={"$unknown": {"reason": "later"}}), UNREAD, "", id="later"),
        pytest.param(action_group(emailReceivers=[], webhookReceivers=[{"serviceUri": "x"}]), True, "", id="a hook"),
        pytest.param(action_group(emailReceivers=[], armRoleReceivers=[{"roleId": "x"}]), True, "", id="a role"),
        pytest.param(action_group(emailReceivers=[], smsReceivers=[{"status": "Disabled"}]), False, NOBODY, id="sms"),
        pytest.param({"id": GROUP, "type": GROUPS, "$absent": {"status": 404, "code": "ResourceNotFound"}}, False,
                     "alert: its action group ag does not exist", id="section 3 (19): deleted"),
        pytest.param({"id": GROUP, "type": GROUPS, "$absent": {"status": 404, "code": "SubscriptionNotFound"}},
                     UNREAD, "", id="of another tenant"),
        pytest.param({"id": GROUP, "type": GROUPS, "$unknown": {"reason": "denied"}}, UNREAD, "", id="denied"),
        pytest.param({"id": GROUP, "type": GROUPS, "properties": {"$unknown": {"reason": "denied"}}}, UNREAD, "",
                     id="properties denied"),
        pytest.param({"id": f"{SUB}/x", "type": "x/y"}, UNREAD, "", id="never read"),
    ],
)  # fmt: skip
def test_an_action_group_answers_or_not(group, expected, problem):
    assert answer(rule(), group) == expected
    assert facts_of(rule(), group)["alert_problems"] == [problem] * bool(problem)


def test_one_living_group_is_enough():
    gone = rid(GROUPS, "gone")
    absent = {"id": gone, "type": GROUPS, "$absent": {"status": 404, "code": "ResourceNotFound"}}
    assert answer(rule(groups=[gone, "", GROUP]), absent, action_group()) is True


@pytest.mark.parametrize(
    ("alert", "process", "expected"),
    [
        pytest.param(rule(), processing(MUTE), False, id="muted"),
        pytest.param(rule(), processing(MUTE, scopes=[rid(ALERTS, "alert").upper()]), False, id="the rule itself"),
        pytest.param(rule(), processing(MUTE, scopes=[f"{SUB}/resourceGroups/RG-APP"]), False, id="its group"),
        pytest.param(rule(), processing(MUTE, scopes=[f"{SUB}/resourceGroups/other"]), True, id="another group"),
        pytest.param(rule(), processing(MUTE, enabled=False), True, id="a muting rule that is off"),
        pytest.param(rule(), processing(MUTE, schedule={"effectiveFrom": "2026-01-01"}), True, id="for a time only"),
        pytest.param(rule(), processing(MUTE, conditions=[{"field": "Severity"}]), UNREAD, id="some alerts only"),
        pytest.param(rule(), processing({"actionType": "Other"}), True, id="something else"),
        pytest.param(rule(groups=[]), processing(ADD), True, id="a group is added"),
        pytest.param(rule(groups=[]), processing(ADD, conditions=[{"field": "Severity"}]), UNREAD, id="to some alerts"),
        pytest.param(rule(groups=[]), processing(ADD, enabled=False), False, id="an adding rule that is off"),
        pytest.param(rule(), processing(ADD, conditions=[{"field": "Severity"}]), True, id="beside its own"),
    ],
)
def test_alert_processing_rules(alert, process, expected):
    assert answer(alert, process, action_group()) == expected


def test_a_muted_rule_says_so():
    problems = facts_of(rule(), processing(MUTE), action_group())["alert_problems"]
    assert problems == ["alert: the alert processing rule apr mutes it"]

"""How safely places keep what they are sent: locks, networks, keys, immutability, access rules."""

import math
from typing import Any

import pytest

from auditor.documents import access_rules, normal_id
from auditor.facts.custody import (
    customer_key,
    immutability,
    locks_on,
    missing_rules,
    namespace_rules,
    network_open,
    public_containers,
    soft_delete_days,
)
from auditor.facts.destinations import destination_facts, destination_index, refusal_of
from auditor.facts.places import Places, place_resources
from auditor.focus import Sight
from auditor.inventory import Destination, LogSetting, Unknown

SUB = "/subscriptions/S"
GROUP = f"{SUB}/resourceGroups/RG-Logs"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/archive"
WORKSPACE = f"{GROUP}/providers/Microsoft.OperationalInsights/workspaces/law"
NAMESPACE = f"{GROUP}/providers/Microsoft.EventHub/namespaces/siem"
CLUSTER = f"{GROUP}/providers/Microsoft.OperationalInsights/clusters/c"
LOCKS = f"{SUB}/providers/Microsoft.Authorization/locks"
UNREAD = {"$unknown": {"reason": "HTTP 403", "status": 403, "grant": "Reader"}}


def docs(*documents: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {normal_id(d["id"]): d for d in documents}


def plain(value: Any) -> Any:
    return "unknown" if isinstance(value, Unknown) else value


# --- locks ------------------------------------------------------------------------------------------------------------


def lock(scope: str, name: str = "keep", level: Any = "CanNotDelete") -> dict[str, Any]:
    return {
        "id": f"{scope}/providers/Microsoft.Authorization/locks/{name}",
        "name": name,
        "properties": {"level": level},
    }


@pytest.mark.parametrize(
    ("given", "found"),
    [
        pytest.param([lock(ACCOUNT)], ["keep"], id="its own"),
        pytest.param([lock(GROUP)], ["keep"], id="its group's"),
        pytest.param([lock(SUB)], ["keep"], id="its subscription's"),
        pytest.param([lock(ACCOUNT.upper(), level="readonly")], ["keep"], id="read-only, in other letters"),
        pytest.param([lock(ACCOUNT, "b"), lock(GROUP, "a")], ["a", "b"], id="several"),
        pytest.param([lock(f"{GROUP}-2")], [], id="a group whose name begins alike"),
        pytest.param([lock(f"{ACCOUNT}2")], [], id="an account whose name begins alike"),
        pytest.param([lock(WORKSPACE)], [], id="a neighbour's"),
        pytest.param([lock(f"{ACCOUNT}/blobServices/default")], [], id="one below it"),
        pytest.param([lock(ACCOUNT, level="NotSpecified")], [], id="of no level"),
        pytest.param([{"id": "odd", "properties": {"level": "CanNotDelete"}}, 7, None], [], id="odd items"),
        pytest.param([], [], id="none"),
    ],
)
def test_locks(given: list[Any], found: list[str]) -> None:
    assert locks_on(docs({"id": LOCKS, "value": given}), ACCOUNT) == found


def test_locks_that_were_not_read_are_unknown_and_declared_ones_are_found_one_by_one() -> None:
    assert plain(locks_on({}, ACCOUNT)) == "unknown"
    found = locks_on(docs({"id": LOCKS, **UNREAD}), ACCOUNT)
    assert isinstance(found, Unknown) and found.grant == "Reader"
    assert isinstance(locks_on({}, ACCOUNT, declared=True), Unknown), "its subscription's may be declared elsewhere"
    assert locks_on(docs(lock(GROUP), lock(WORKSPACE, "other")), ACCOUNT, declared=True) == ["keep"]


# --- networks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("properties", "is_open"),
    [
        pytest.param({"publicNetworkAccess": "Enabled", "networkAcls": {"defaultAction": "Allow"}}, True, id="open"),
        pytest.param({}, True, id="as Azure makes them"),
        pytest.param({"publicNetworkAccess": "Disabled"}, False, id="no public access"),
        pytest.param({"publicNetworkAccess": "SecuredByPerimeter"}, False, id="within a perimeter"),
        pytest.param({"publicNetworkAccess": "Enabled", "networkAcls": {"defaultAction": "deny"}}, False, id="chosen"),
        pytest.param({"networkAcls": {"$unknown": "later"}}, "unknown", id="not decided yet"),
        pytest.param({"publicNetworkAccess": {"$unknown": "later"}}, "unknown", id="access not decided yet"),
        pytest.param({"$unknown": "later"}, "unknown", id="not readable"),
    ],
)
def test_networks_of_an_account(properties: Any, is_open: Any) -> None:
    assert (
        plain(network_open({"properties": properties})) is is_open
        or plain(network_open({"properties": properties})) == is_open
    )


def test_networks_of_a_namespace() -> None:
    def is_open(document: dict[str, Any] | None, declared: bool = False, **properties: Any) -> Any:
        documents = docs({"id": f"{NAMESPACE}/networkRuleSets/default", **document}) if document else {}
        rules = namespace_rules(documents, NAMESPACE, declared=declared)
        return plain(network_open({"properties": properties}, rules))

    assert is_open({"properties": {"defaultAction": "Allow"}}) is True
    assert is_open({"properties": {"defaultAction": "Deny"}}) is False
    assert is_open({"$absent": {"status": 404}}) is True
    assert is_open(None) == "unknown"
    assert is_open(UNREAD) == "unknown"
    assert is_open(UNREAD, publicNetworkAccess="Disabled") is False
    assert is_open(None, declared=True) is True


# --- keys -------------------------------------------------------------------------------------------------------------


def test_a_workspaces_key_is_its_clusters() -> None:
    key = {"keyVaultProperties": {"keyVaultUri": "https://kv.vault.azure.net", "keyName": "k"}}
    workspace = {"properties": {"features": {"clusterResourceId": CLUSTER.upper()}}}

    def ask(*documents: dict[str, Any]) -> Any:
        return plain(customer_key(docs(*documents), workspace))

    assert ask({"id": CLUSTER, "properties": key}) is True
    assert ask({"id": CLUSTER, "properties": {"isDoubleEncryptionEnabled": True}}) is True
    assert ask({"id": CLUSTER, "properties": {"keyVaultProperties": {"keyName": "k"}}}) is False
    assert ask({"id": CLUSTER, "properties": {"keyVaultProperties": {"keyVaultUri": "https://kv"}}}) is False
    assert ask({"id": CLUSTER, **UNREAD}) == "unknown"
    assert ask() == "unknown"
    assert customer_key({}, {"properties": {"features": {}}}) is False
    assert plain(customer_key({}, {"properties": UNREAD})) == "unknown"


# --- containers -------------------------------------------------------------------------------------------------------


def container(name: str, **properties: Any) -> dict[str, Any]:
    return {"name": name, "properties": properties}


def containers(*value: Any) -> dict[str, Any]:
    return {"id": f"{ACCOUNT}/blobServices/default/containers", "value": list(value)}


@pytest.mark.parametrize("name", ["insights-logs-auditevent", "insights-activity-logs", "am-securityevent", "$logs"])
def test_a_log_container_that_anybody_can_read(name: str) -> None:
    lists = docs(containers(container(name, publicAccess="Container"), container("photos", publicAccess="Blob")))
    assert public_containers(lists, {"properties": {"allowBlobPublicAccess": True}}, normal_id(ACCOUNT)) == [name]
    assert public_containers(lists, {"properties": {}}, normal_id(ACCOUNT)) == [name]  # as old accounts allow it
    assert public_containers(lists, {"properties": {"allowBlobPublicAccess": False}}, normal_id(ACCOUNT)) == []


def test_private_containers_and_lists_that_could_not_be_read() -> None:
    key, allowed = normal_id(ACCOUNT), {"properties": {"allowBlobPublicAccess": True}}
    assert public_containers(docs(containers(container("insights-logs-x", publicAccess="None"))), allowed, key) == []
    assert public_containers(docs(containers(container("insights-logs-x", publicAccess=None))), allowed, key) == []
    assert plain(public_containers({}, allowed, key)) == "unknown"
    assert public_containers({}, {"properties": {"allowBlobPublicAccess": False}}, key) == []
    odd = docs(containers({"name": "insights-logs-x", "properties": None}))
    assert plain(public_containers(odd, allowed, key)) == "unknown"
    assert plain(public_containers({}, {"properties": UNREAD}, key)) == "unknown"


def policy(days: Any, state: str = "Locked") -> dict[str, Any]:
    inner = {"immutabilityPeriodSinceCreationInDays": days, "state": state, "allowProtectedAppendWrites": True}
    return {"hasImmutabilityPolicy": True, "immutabilityPolicy": {"properties": inner}}


def versioned(days: Any, state: str) -> dict[str, Any]:
    return {"enabled": True, "immutabilityPolicy": {"immutabilityPeriodSinceCreationInDays": days, "state": state}}


LOG = "insights-logs-auditevent"


@pytest.mark.parametrize(
    ("account", "held", "days", "locked"),
    [
        pytest.param(None, [container(LOG, **policy(365))], 365, True, id="a locked policy"),
        pytest.param(None, [container(LOG, **policy(365, "Unlocked"))], 365, False, id="one that can be shortened"),
        pytest.param(None, [container(LOG, hasLegalHold=True)], math.inf, False, id="a legal hold"),
        pytest.param(None, [container(LOG)], 0, False, id="none"),
        pytest.param(None, [container(LOG, **policy(365)), container("insights-logs-b")], 0, False, id="one without"),
        pytest.param(None, [container(LOG, **policy(365)), container("photos")], 365, True, id="others do not count"),
        pytest.param(None, [container(LOG, **policy(90)), container("am-x", **policy(365))], 90, True, id="the least"),
        pytest.param(None, [], 0, False, id="no container yet"),
        pytest.param(versioned(400, "Locked"), [], 400, True, id="the account's"),
        pytest.param(versioned(400, "Unlocked"), [container(LOG)], 400, False, id="the account's, for its containers"),
        pytest.param(versioned(400, "Locked"), [container(LOG, **policy(30))], 400, True, id="the longer of two"),
        pytest.param(versioned(400, "Disabled"), [container(LOG)], 0, False, id="the account's is switched off"),
        pytest.param({"enabled": True}, [container(LOG)], 0, False, id="versions without a policy"),
        pytest.param(None, None, "unknown", "unknown", id="containers not read"),
        pytest.param(versioned(400, "Locked"), None, "unknown", "unknown", id="containers not read, beside a policy"),
        pytest.param(None, [container(LOG, hasImmutabilityPolicy=True)], "unknown", "unknown", id="no days"),
        pytest.param(None, [container(LOG, hasImmutabilityPolicy=True), container("insights-logs-b")], 0, False,
                     id="one unknown, one certainly without"),
    ],
)  # fmt: skip
def test_immutability(account: Any, held: Any, days: Any, locked: Any) -> None:
    lists = docs(containers(*held)) if held is not None else {}
    properties = {} if account is None else {"immutableStorageWithVersioning": account}
    found = immutability(lists, {"properties": properties}, normal_id(ACCOUNT))
    assert (plain(found["immutable_days"]), plain(found["immutability_locked"])) == (days, locked)
    wanted = 400 if account and account.get("immutabilityPolicy", {}).get("state", "Disabled") != "Disabled" else 0
    assert found["account_immutable_days"] == wanted


def test_immutability_of_an_account_that_could_not_be_read() -> None:
    assert plain(immutability({}, {"properties": UNREAD}, normal_id(ACCOUNT))["account_immutable_days"]) == "unknown"


@pytest.mark.parametrize(
    ("properties", "days"),
    [
        ({"deleteRetentionPolicy": {"enabled": True, "days": 30}}, 30),
        ({"deleteRetentionPolicy": {"enabled": False, "days": 30}}, 0),
        ({"deleteRetentionPolicy": None}, 0),
        ({}, 0),
        ({"deleteRetentionPolicy": {"enabled": True}}, "unknown"),
        ({"deleteRetentionPolicy": UNREAD}, "unknown"),
        (UNREAD, "unknown"),
    ],
)
def test_soft_delete(properties: Any, days: Any) -> None:
    service = docs({"id": f"{ACCOUNT}/blobServices/default", "properties": properties})
    assert plain(soft_delete_days(service, ACCOUNT)) == days
    assert plain(soft_delete_days({}, ACCOUNT)) == "unknown"
    assert soft_delete_days({}, ACCOUNT, declared=True) == 0


# --- access rules of event hubs ---------------------------------------------------------------------------------------


def rules(*value: Any) -> dict[str, dict[str, Any]]:
    return docs({"id": f"{NAMESPACE}/authorizationRules", "value": list(value)})


def test_access_rules() -> None:
    send = {"name": "Logs", "properties": {"rights": ["Send"]}}
    listen = {"name": "reader", "properties": {"rights": ["Listen"]}}
    assert missing_rules(rules(send, listen), NAMESPACE, ["logs"]) == []
    assert missing_rules(rules(send, listen), NAMESPACE, ["logs", "reader", "gone"]) == ["gone", "reader"]
    assert (
        missing_rules(rules({"name": "all", "properties": {"rights": ["Manage", "Listen"]}}), NAMESPACE, ["all"]) == []
    )
    assert missing_rules(rules({"name": "vague"}), NAMESPACE, ["vague"]) == []
    assert plain(missing_rules({}, NAMESPACE, ["logs"])) == "unknown"
    assert missing_rules({}, NAMESPACE, ["logs"], declared=True) == []


def test_which_access_rule_a_setting_sends_with() -> None:
    rule = f"{NAMESPACE}/authorizationrules/Logs"
    assert list(access_rules({"eventHubAuthorizationRuleId": rule})) == [(normal_id(NAMESPACE), "Logs")]
    named = {"serviceBusRuleId": rule, "eventHubName": "audit"}
    assert list(access_rules(named)) == [(normal_id(f"{NAMESPACE}/eventhubs/audit"), "Logs")]
    for odd in ({}, {"eventHubAuthorizationRuleId": None}, {"eventHubAuthorizationRuleId": NAMESPACE},
                {"eventHubAuthorizationRuleId": f"{NAMESPACE}/authorizationRules/"}):  # fmt: skip
        assert list(access_rules(odd)) == []


# --- does it take all that it is sent? --------------------------------------------------------------------------------


def test_why_a_place_refuses() -> None:
    closed = {"networkAcls": {"defaultAction": "Deny", "bypass": "None"}}
    account = {"id": ACCOUNT, "kind": "StorageV2", "sku": {"name": "Standard_LRS"}, "properties": {}}
    held = container(LOG, hasImmutabilityPolicy=True, immutabilityPolicy={"properties": {}})
    over = {"properties": {"workspaceCapping": {"dataIngestionStatus": "OverQuota"}}}
    key = normal_id(ACCOUNT)

    def ask(*documents: dict[str, Any]) -> Any:
        return plain(refusal_of(docs(*documents), "storage", key, [LOG]))

    assert ask(account, containers()) == ""
    assert ask({**account, "properties": closed}) == "its firewall does not let Azure Monitor through"
    assert ask({**account, "sku": {"name": "Premium_LRS"}}) == "a premium storage account takes no logs"
    assert ask(account, containers(held)) == f"the immutability of {LOG} lets nothing be appended"
    assert ask(account, containers({**held, "name": "insights-logs-other"})) == ""
    assert ask(account) == "unknown"  # its containers were not read
    assert ask() == "unknown"
    assert ask({"id": ACCOUNT, "$absent": {"status": 404}}) == "it does not exist"
    workspace = docs({"id": WORKSPACE, **over})
    assert refusal_of(workspace, "log-analytics", normal_id(WORKSPACE)) == "its daily cap is reached"
    hub = f"{NAMESPACE}/eventhubs/state"
    compacted = {"id": hub, "name": "state", "properties": {"retentionDescription": {"cleanupPolicy": "Compact"}}}
    space = docs({"id": NAMESPACE, "properties": {}}, {"id": f"{NAMESPACE}/eventhubs", "value": [compacted]})
    assert refusal_of(space, "event-hub", normal_id(hub)) == "the event hub is compacted"
    assert refusal_of(space, "event-hub", normal_id(NAMESPACE)) == ""
    assert refusal_of(space, "event-hub", normal_id(f"{NAMESPACE}/eventhubs/none")) == "it does not exist"


def test_facts_of_a_place_that_could_not_be_read_say_why() -> None:
    for kind, place in (("storage", ACCOUNT), ("log-analytics", WORKSPACE), ("event-hub", NAMESPACE)):
        documents = docs({"id": place, **UNREAD})
        facts = destination_facts(documents, kind, place, destination_index(documents))
        for name in ("accepts", "refuses_because", "tags", "locks"):
            assert isinstance(facts[name], Unknown), name
        unread = [value for value in facts.values() if isinstance(value, Unknown)]
        assert any(value.grant == "Reader" for value in unread)


# --- whose logs are they? ---------------------------------------------------------------------------------------------


def sent(from_subscription: str, *categories: str) -> LogSetting:
    place = Destination(kind="log-analytics", id=normal_id(WORKSPACE))
    setting = f"/subscriptions/{from_subscription}/resourcegroups/rg/providers/x/y/z/providers/d/s"
    return LogSetting(id=setting, name="s", categories=frozenset(categories), destinations=(place,))


ALL = frozenset({"s", "t"})


@pytest.mark.parametrize(
    ("settings", "unread", "scope", "share"),
    [
        pytest.param([sent("s", "A"), sent("t", "A", "B", "C")], {}, ALL, (25.0, 25.0, 25.0), id="a quarter"),
        pytest.param([sent("s", "A"), sent("s", "B")], {}, ALL, (100.0, 100.0, 100.0), id="all"),
        pytest.param([sent("t", "A")], {}, ALL, (0.0, 0.0, 0.0), id="none"),
        pytest.param([sent("t", "A")], {}, {"t"}, (0.0, 0.0, 0.0), id="none, whoever else there is"),
        pytest.param([sent("s", "A")], {}, {"s"}, ("unknown", 0.0, 100.0), id="one subscription does not tell"),
        pytest.param([sent("t", "A")], {"u": 4}, ALL, (0.0, 0.0, 0.0), id="others that were not read"),
        pytest.param([sent("s", "A"), sent("t", "A")], {"u": 2}, ALL, ("unknown", 25.0, 50.0), id="they may lower it"),
        pytest.param([sent("t", "A")], {"s": 3}, ALL, ("unknown", 0.0, 75.0), id="near ones may raise it"),
        pytest.param([sent("s", "A")], {"u": math.inf}, ALL, ("unknown", 0.0, 100.0), id="nobody knows how many"),
        pytest.param([sent("t", "A")], {"s": math.inf}, ALL, ("unknown", 0.0, 100.0), id="nobody knows how many near"),
        pytest.param([sent("s")], {}, ALL, (0.0, 0.0, 0.0), id="nothing is sent"),
    ],
)
def test_share_of_log_sources_in_the_places_own_subscription(
    settings: Any, unread: Any, scope: Any, share: Any
) -> None:
    documents = docs({"id": WORKSPACE, "type": "w", "properties": {}})
    parts = [Places(), Places()]
    for number, setting in enumerate(settings):
        parts[number % 2].name([setting])
    for subscription, sources in unread.items():
        parts[0].doubt(subscription, sources)
    places = Places()
    for part in parts:
        places.add(part)
    (place,) = places.all()
    resolve = destination_index(documents)
    made = place_resources([place], places, documents, resolve, frozenset(scope), Sight([], documents), declared=False)
    facts = next(iter(made)).facts
    found = (facts["near_share"], facts["near_share_least"], facts["near_share_most"])
    assert tuple(map(plain, found)) == share


def test_a_place_that_may_not_be_there_fails_nothing() -> None:
    locks = {"id": LOCKS, "value": []}
    documents = docs({"id": WORKSPACE, **UNREAD}, locks)
    facts = destination_facts(documents, "log-analytics", WORKSPACE, destination_index(documents))
    assert isinstance(facts["locks"], Unknown) and isinstance(facts["customer_key"], Unknown)
    locked = docs({"id": WORKSPACE, **UNREAD}, {**locks, "value": [lock(GROUP)]})
    assert destination_facts(locked, "log-analytics", WORKSPACE, destination_index(locked))["locks"] == ["keep"]

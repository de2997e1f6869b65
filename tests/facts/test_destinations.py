import math
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.documents import normal_id
from auditor.facts.destination_words import destination_details
from auditor.facts.destinations import destination_facts, destination_index
from auditor.inventory import Destination, Unknown

GROUP = "/subscriptions/S/resourceGroups/rg/providers"
WORKSPACE = f"{GROUP}/Microsoft.OperationalInsights/workspaces/central"
ACCOUNT = f"{GROUP}/Microsoft.Storage/storageAccounts/archive"
NAMESPACE = f"{GROUP}/Microsoft.EventHub/namespaces/siem"
PARTNER = f"{GROUP}/Microsoft.Datadog/monitors/dog"
DENIED = {"reason": "denied", "status": 403, "code": "AuthorizationFailed", "grant": "Reader"}


def docs(*documents: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {normal_id(d["id"]): d for d in documents}


def workspace(**properties: Any) -> dict[str, Any]:
    return {"id": WORKSPACE, "type": "w", "properties": {"retentionInDays": 30, **properties}}


def tables(*value: Any, **marks: Any) -> dict[str, Any]:
    return {"id": f"{WORKSPACE}/tables", "type": "t", **(marks or {"value": list(value)})}


def table(name: str, **properties: Any) -> dict[str, Any]:
    return {"id": f"{WORKSPACE}/tables/{name}", "name": name, "properties": {"plan": "Analytics", **properties}}


def account(sku: str = "Standard_LRS", kind: str = "StorageV2", **properties: Any) -> dict[str, Any]:
    return {"id": ACCOUNT, "type": "s", "kind": kind, "sku": {"name": sku}, "properties": properties}


def lifecycle(*rules: Any) -> dict[str, Any]:
    return {
        "id": f"{ACCOUNT}/managementPolicies/default",
        "type": "m",
        "properties": {"policy": {"rules": list(rules)}},
    }


def rule(days: Any = 90, types: Any = ("appendBlob",), prefixes: Any = None, enabled: Any = True) -> dict[str, Any]:
    filters = {"blobTypes": list(types), **({} if prefixes is None else {"prefixMatch": prefixes})}
    delete = days if isinstance(days, dict) else {"daysAfterModificationGreaterThan": days}
    return {
        "enabled": enabled,
        "name": "r",
        "definition": {"filters": filters, "actions": {"baseBlob": {"delete": delete}}},
    }


NO_RULES = {"id": f"{ACCOUNT}/managementPolicies/default", "type": "m", "$absent": {"status": 404}}


def containers(*value: Any) -> dict[str, Any]:
    return {"id": f"{ACCOUNT}/blobServices/default/containers", "type": "c", "value": list(value)}


def namespace(**properties: Any) -> dict[str, Any]:
    return {"id": NAMESPACE, "type": "e", "properties": {"status": "Active", **properties}}


def hubs(*value: Any, **marks: Any) -> dict[str, Any]:
    return {"id": f"{NAMESPACE}/eventhubs", "type": "h", **(marks or {"value": list(value)})}


def hub(name: str = "logs", **properties: Any) -> dict[str, Any]:
    return {"id": f"{NAMESPACE}/eventhubs/{name}", "name": name, "properties": {"status": "Active", **properties}}


def ask(kind: str, place: str, part: str | None, *documents: dict[str, Any], declared: bool = False) -> Destination:
    return destination_index(docs(*documents), declared=declared)(kind, place, part)


def plain(value: Any) -> Any:
    return "unknown" if isinstance(value, Unknown) else value


# --- does it exist (domain 6.2) -------------------------------------------------------------------------------------


def stand(place: str, mark: str, **detail: Any) -> dict[str, Any]:
    return {"id": place, "type": "x", mark: detail}


@pytest.mark.parametrize(("kind", "place"), [("log-analytics", WORKSPACE), ("storage", ACCOUNT), ("partner", PARTNER)])
@pytest.mark.parametrize(
    ("mark", "detail", "exists", "accepts"),
    [
        pytest.param("$absent", {"status": 404, "code": "ResourceNotFound"}, False, False, id="trap 21: deleted"),
        pytest.param("$absent", {"status": 404, "code": "ResourceGroupNotFound"}, False, False, id="group deleted"),
        pytest.param("$absent", {}, False, False, id="gone without a reason"),
        pytest.param("$unknown", DENIED, "unknown", "unknown", id="trap 22: foreign and unreadable"),
        pytest.param(
            "$absent", {"status": 404, "code": "SubscriptionNotFound"}, "unknown", "unknown", id="another tenant's"
        ),
        pytest.param(
            "$absent",
            {"status": 401, "code": "InvalidAuthenticationTokenTenant"},
            "unknown",
            "unknown",
            id="Lighthouse",
        ),
        pytest.param("$unsupported", {"status": 400}, "unknown", "unknown", id="an id that Azure refuses"),
    ],
)
def test_existence(kind: str, place: str, mark: str, detail: dict[str, Any], exists: Any, accepts: Any) -> None:
    found = ask(kind, place, None, stand(place, mark, **detail))
    assert (plain(found.exists), plain(found.accepts)) == (exists, accepts)
    assert (plain(found.retention_days), plain(found.interactive_days)) == ("unknown", "unknown")


def test_what_was_not_read_is_unknown_and_keeps_its_reason() -> None:
    assert isinstance(ask("storage", ACCOUNT, None).exists, Unknown)
    assert isinstance(ask("storage", "", None).exists, Unknown)
    why = ask("log-analytics", WORKSPACE, "AuditLogs", stand(WORKSPACE, "$unknown", **DENIED)).retention_days
    assert isinstance(why, Unknown)
    assert (why.status, why.code, why.grant) == (403, "AuthorizationFailed", "Reader")


def test_a_partner_is_there_but_what_it_keeps_is_not_visible() -> None:
    found = ask("partner", PARTNER, "x", {"id": PARTNER, "type": "p", "properties": {}})
    assert (found.exists, found.accepts) == (True, True)
    assert isinstance(found.retention_days, Unknown)


def test_trap_1_ids_compare_without_case_and_slashes_and_answers_are_remembered() -> None:
    resolve = destination_index(docs(workspace(), tables()))
    first = resolve("log-analytics", WORKSPACE.upper() + "/", "AuditLogs")
    assert first.id == normal_id(WORKSPACE)
    assert first.exists is True
    assert resolve("log-analytics", WORKSPACE.upper() + "/", "AuditLogs") is first


# --- workspaces (domain 7.1) ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "name", "total", "interactive"),
    [
        pytest.param({}, "T", 180, 180, id="nothing of its own inherits"),
        pytest.param({"retentionInDays": -1, "totalRetentionInDays": -1}, "T", 180, 180, id="-1 inherits"),
        pytest.param({"retentionInDays": None, "totalRetentionInDays": None}, "T", 180, 180, id="null inherits"),
        pytest.param({"retentionInDays": 90}, "T", 90, 90, id="own, shorter than the workspace"),
        pytest.param({"retentionInDays": "90"}, "T", 90, 90, id="as text"),
        pytest.param({"retentionInDays": -1, "totalRetentionInDays": 4383}, "T", 4383, 180, id="twelve years in all"),
        pytest.param({"retentionInDays": 90, "totalRetentionInDays": 365}, "T", 365, 90, id="interactive is not total"),
        pytest.param({"retentionInDays": 90, "archiveRetentionInDays": 275}, "T", 365, 90, id="older answers: archive"),
        pytest.param({"plan": "Basic", "totalRetentionInDays": 365}, "T", 365, 30, id="trap 27: Basic"),
        pytest.param({"plan": "Basic", "retentionInDays": 180}, "T", 30, 30, id="Basic without total"),
        pytest.param({"plan": "auxiliary", "totalRetentionInDays": 400}, "T", 400, 30, id="trap 27: Auxiliary"),
        pytest.param({"retentionInDays": 0}, "T", "unknown", "unknown", id="0 means nothing here"),
        pytest.param({"retentionInDays": {"$unknown": "set later"}}, "T", "unknown", "unknown", id="decided later"),
        pytest.param(
            {"retentionInDays": 90, "totalRetentionInDays": []}, "T", "unknown", 90, id="total of a wrong type"
        ),
    ],
)
def test_table_retention(own: dict[str, Any], name: str, total: Any, interactive: Any) -> None:
    read = (workspace(retentionInDays=180), tables(table(name, **own)))
    found = ask("log-analytics", WORKSPACE, name, *read)
    assert (plain(found.retention_days), plain(found.interactive_days)) == (total, interactive)


@pytest.mark.parametrize(
    ("properties", "name", "days"),
    [
        pytest.param({"retentionInDays": 30}, "AzureActivity", 90, id="AzureActivity is free for 90 days"),
        pytest.param({"retentionInDays": 30}, "usage", 90, id="so is Usage"),
        pytest.param({"retentionInDays": 365}, "AzureActivity", 365, id="more than that is kept"),
        pytest.param({"retentionInDays": None}, "AuditLogs", 30, id="30 days where none is said"),
        pytest.param({"retentionInDays": 30, "sku": {"name": "Free"}}, "AuditLogs", 7, id="trap 27: the Free tier"),
        pytest.param({"retentionInDays": 30, "sku": {"name": "free"}}, "AzureActivity", 7, id="there all is gone at 7"),
        pytest.param(
            {"retentionInDays": 31, "features": {"immediatePurgeDataOn30Days": True}},
            "AuditLogs",
            30,
            id="purged at 30",
        ),
        pytest.param(
            {"retentionInDays": 365, "features": {"immediatePurgeDataOn30Days": True}},
            "AuditLogs",
            365,
            id="not at 365",
        ),
        pytest.param({"retentionInDays": "soon"}, "AuditLogs", "unknown", id="no number"),
        pytest.param(
            {"retentionInDays": {"$unknown": {"reason": "later"}}}, "AuditLogs", "unknown", id="decided later"
        ),
    ],
)
def test_workspace_retention(properties: dict[str, Any], name: str, days: Any) -> None:
    found = ask("log-analytics", WORKSPACE, name, workspace(**properties), tables())
    assert plain(found.retention_days) == days


def test_a_table_shorter_than_the_free_minimum_is_believed() -> None:
    found = ask(
        "log-analytics", WORKSPACE, "AzureActivity", workspace(), tables(table("AzureActivity", retentionInDays=45))
    )
    assert found.retention_days == 45


@pytest.mark.parametrize(
    ("read", "declared", "days"),
    [
        pytest.param((), False, "unknown", id="never read"),
        pytest.param((), True, 30, id="none declared"),
        pytest.param((tables(**{"$unknown": DENIED}),), False, "unknown", id="denied"),
        pytest.param((tables(**{"$unknown": DENIED}),), True, "unknown", id="denied, declared"),
        pytest.param((tables(),), False, 30, id="an empty list is an answer"),
        pytest.param(
            (tables(None, "x", table("AuditLogs", retentionInDays=9)),), False, 9, id="odd entries are passed by"
        ),
        pytest.param(({**table("auditlogs", retentionInDays=9), "type": "t"},), True, 9, id="a table of its own"),
        pytest.param((tables(value={}),), False, "unknown", id="a list that is none"),
    ],
)
def test_the_list_of_tables(read: tuple[dict[str, Any], ...], declared: bool, days: Any) -> None:
    found = ask("log-analytics", WORKSPACE, "AuditLogs", workspace(), *read, declared=declared)
    assert (plain(found.retention_days), found.exists) == (days, True)


@pytest.mark.parametrize(
    ("value", "days"),
    [
        pytest.param([], 30, id="all alike"),
        pytest.param([table("AzureDiagnostics", retentionInDays=30)], 30, id="explicitly alike"),
        pytest.param([table("AzureDiagnostics", retentionInDays=180)], "unknown", id="the shared table differs"),
        pytest.param([table("NSPNewLogs", retentionInDays=4)], "unknown", id="a table nobody documents differs"),
        pytest.param([table("SigninLogs", totalRetentionInDays=400)], 30, id="a table known to hold something else"),
        pytest.param(
            [table("SecurityEvent", retentionInDays=4), table("Mine_CL", retentionInDays=4)], 30, id="agents'"
        ),
    ],
)
def test_a_category_whose_table_is_not_published(value: list[Any], days: Any) -> None:
    assert plain(ask("log-analytics", WORKSPACE, "", workspace(), tables(*value)).retention_days) == days


@pytest.mark.parametrize(
    ("properties", "accepts"),
    [
        ({}, True),
        ({"workspaceCapping": {"dataIngestionStatus": "RespectQuota", "dailyQuotaGb": 5}}, True),
        ({"workspaceCapping": {"dataIngestionStatus": "OverQuota"}}, False),
        ({"workspaceCapping": {"dataIngestionStatus": "ForceOff"}}, False),
        ({"workspaceCapping": {"dataIngestionStatus": "SubscriptionSuspended"}}, False),
        ({"workspaceCapping": None}, True),
        ({"publicNetworkAccessForIngestion": "Disabled"}, True),  # diagnostic settings use a channel of their own
    ],
)
def test_trap_27_a_workspace_that_drops_what_comes(properties: dict[str, Any], accepts: bool) -> None:
    assert ask("log-analytics", WORKSPACE, None, workspace(**properties), tables()).accepts is accepts


def test_a_workspace_whose_properties_could_not_be_read_exists() -> None:
    found = ask("log-analytics", WORKSPACE, "T", {**workspace(), "properties": {"$unknown": DENIED}}, tables())
    assert found.exists is True
    assert plain(found.accepts) == plain(found.retention_days) == "unknown"


@pytest.mark.parametrize(
    ("capping", "cap"),
    [
        (None, None),
        ({}, None),
        ({"dailyQuotaGb": -1}, None),
        ({"dailyQuotaGb": -1.0}, None),
        ({"dailyQuotaGb": 2.5}, 2.5),
        ({"dailyQuotaGb": "10"}, 10),
        ({"dailyQuotaGb": {"$unknown": "later"}}, "unknown"),
        ({"$unknown": "later"}, "unknown"),
        ("none", "unknown"),
    ],
)
def test_daily_cap(capping: Any, cap: Any) -> None:
    documents = docs(workspace(workspaceCapping=capping), tables())
    facts = destination_facts(documents, "log-analytics", WORKSPACE, destination_index(documents))
    assert plain(facts["daily_cap_gb"]) == cap
    assert facts["retention_days"] == facts["interactive_days"] == 30


# --- storage accounts (domain 7.2) ----------------------------------------------------------------------------------

AUDIT = "insights-logs-auditevent"


@pytest.mark.parametrize(
    ("read", "container", "whole"),
    [
        pytest.param([NO_RULES], math.inf, math.inf, id="no policy is for ever"),
        pytest.param([lifecycle()], math.inf, math.inf, id="no rule is for ever"),
        pytest.param([lifecycle(rule(90))], 90, 90, id="append blobs everywhere"),
        pytest.param([lifecycle(rule(90, ["blockBlob"]))], math.inf, math.inf, id="block blobs only"),
        pytest.param([lifecycle(rule(90, ["blockBlob", "appendBlob"]))], 90, 90, id="both types"),
        pytest.param([lifecycle(rule(90, []))], 90, 90, id="no type named means all"),
        pytest.param([lifecycle(rule(365), rule(30))], 30, 30, id="the smallest age"),
        pytest.param([lifecycle(rule(30, enabled=False), rule(365))], 365, 365, id="only enabled rules"),
        pytest.param([lifecycle(rule(30, prefixes=["backups/"]))], math.inf, math.inf, id="other containers"),
        pytest.param([lifecycle(rule(30, prefixes=[]))], 30, 30, id="no prefix in the list"),
        pytest.param([lifecycle(rule(30, prefixes=["insights-"]))], 30, 30, id="a prefix of all log containers"),
        pytest.param([lifecycle(rule(30, prefixes=["x", "insights-logs-audit"]))], 30, 30, id="a prefix of this one"),
        pytest.param([lifecycle(rule(30, prefixes=[f"{AUDIT}/"]))], 30, 30, id="exactly this container"),
        pytest.param(
            [lifecycle(rule(30, prefixes=["insights-activity-logs/"]))], math.inf, 30, id="another log container"
        ),
        pytest.param(
            [lifecycle(rule(30, prefixes=[f"{AUDIT}/resourceId=/SUBSCRIPTIONS/DEV"]))], "unknown", 30, id="part of it"
        ),
        pytest.param(
            [lifecycle(rule(20), rule(30, prefixes=[f"{AUDIT}/resourceId=/X"]))], 20, 20, id="part of it, but later"
        ),
        pytest.param([lifecycle(rule({"daysAfterCreationGreaterThan": 60}))], 60, 60, id="by creation"),
        pytest.param(
            [
                lifecycle(
                    rule({"daysAfterCreationGreaterThan": 60, "daysAfterModificationGreaterThan": None}),
                )
            ],
            60,
            60,
            id="null beside an age",
        ),
        pytest.param([lifecycle(rule(0))], 0, 0, id="0 days deletes at once"),
        pytest.param(
            [lifecycle({"enabled": True, "definition": {"actions": {"baseBlob": {"tierToCool": {}}}}})],
            math.inf,
            math.inf,
            id="a rule that only tiers",
        ),
        pytest.param(
            [lifecycle({"enabled": True, "definition": {"actions": {"version": {"delete": {"daysAfter": 1}}}}})],
            math.inf,
            math.inf,
            id="a rule for versions",
        ),
        pytest.param([lifecycle(rule(-1))], "unknown", "unknown", id="an age below 0"),
        pytest.param([], "unknown", "unknown", id="never read"),
        pytest.param([{**NO_RULES, "$unknown": DENIED}], "unknown", "unknown", id="denied"),
        pytest.param([lifecycle(rule({"$unknown": "later"}))], "unknown", "unknown", id="an age decided later"),
        pytest.param(
            [lifecycle(rule(prefixes={"$unknown": "later"}))], "unknown", "unknown", id="prefixes decided later"
        ),
        pytest.param([lifecycle(rule(enabled={"$unknown": "later"}))], "unknown", "unknown", id="switched on later"),
        pytest.param([lifecycle(None)], "unknown", "unknown", id="a rule that is none"),
        pytest.param([{**lifecycle(), "properties": {}}], "unknown", "unknown", id="a policy that is none"),
    ],
)
def test_lifecycle(read: list[Any], container: Any, whole: Any) -> None:
    documents = docs(account(), *({k: v for k, v in r.items() if k != "$absent" or "$unknown" not in r} for r in read))
    resolve = destination_index(documents)
    assert plain(resolve("storage", ACCOUNT, AUDIT).retention_days) == container
    facts = destination_facts(documents, "storage", ACCOUNT, resolve)
    assert (plain(facts["lifecycle_days"]), plain(facts["retention_days"])) == (whole, whole)
    assert facts["interactive_days"] == 0


def test_a_rule_for_tagged_blobs_never_meets_a_log() -> None:
    tagged = rule(1)
    tagged["definition"]["filters"]["blobIndexMatch"] = [{"name": "keep", "op": "==", "value": "no"}]
    assert ask("storage", ACCOUNT, AUDIT, account(), lifecycle(tagged)).retention_days == math.inf


def test_flow_logs_are_block_blobs() -> None:
    read = (account(), lifecycle(rule(90, ["blockBlob"]), rule(30, ["appendBlob"])))
    assert ask("storage", ACCOUNT, "insights-logs-flowlogflowevent", *read).retention_days == 90
    assert ask("storage", ACCOUNT, AUDIT, *read).retention_days == 30


def test_no_policy_declared_is_for_ever() -> None:
    assert ask("storage", ACCOUNT, AUDIT, account(), declared=True).retention_days == math.inf


def deny(bypass: Any) -> dict[str, Any]:
    return {"networkAcls": {"defaultAction": "Deny", "bypass": bypass}}


@pytest.mark.parametrize(
    ("made", "accepts"),
    [
        pytest.param(account(), True, id="open"),
        pytest.param(account(**deny("AzureServices")), True, id="trusted services"),
        pytest.param(account(**deny("Logging, Metrics, AzureServices")), True, id="trusted services among others"),
        pytest.param(account(**deny("azureservices")), True, id="in other case"),
        pytest.param(account(**deny("None")), False, id="trap 24: firewalled"),
        pytest.param(account(**deny("Logging, Metrics")), False, id="trap 24: classic analytics only"),
        pytest.param(account(**deny("")), False, id="trap 24: nothing let through"),
        pytest.param(account(**deny(None)), True, id="Azure's default lets trusted services through"),
        pytest.param(account(**deny({"$unknown": "later"})), "unknown", id="decided later"),
        pytest.param(account(networkAcls={"$unknown": "later"}), "unknown", id="rules decided later"),
        pytest.param(account(networkAcls={"defaultAction": "Allow", "bypass": "None"}), True, id="open to all"),
        pytest.param(
            account(publicNetworkAccess="Disabled", networkAcls={"defaultAction": "Allow", "bypass": "None"}),
            "unknown",
            id="public access off, trusted services not let through",
        ),
        pytest.param(account(publicNetworkAccess="Disabled", **deny("AzureServices")), True, id="private, but trusted"),
        pytest.param(account("Premium_LRS"), False, id="premium"),
        pytest.param(account("premium_zrs", "BlockBlobStorage"), False, id="premium block blobs"),
        pytest.param(account("Standard_LRS", "FileStorage"), False, id="files only"),
        pytest.param(account(dnsEndpointType="AzureDnsZone"), False, id="DNS-zone endpoints"),
        pytest.param({**account(), "sku": {"$unknown": "later"}}, "unknown", id="SKU decided later"),
        pytest.param({**account(), "properties": {"$unknown": DENIED}}, "unknown", id="properties unread"),
        pytest.param({**account(), "properties": None}, "unknown", id="no properties"),
    ],
)
def test_storage_accepts(made: dict[str, Any], accepts: Any) -> None:
    found = ask("storage", ACCOUNT, AUDIT, made, NO_RULES)
    assert (plain(found.accepts), found.exists) == (accepts, True)


def held(name: str = AUDIT, **properties: Any) -> dict[str, Any]:
    return {"name": name, "properties": properties}


@pytest.mark.parametrize(
    ("container", "accepts"),
    [
        pytest.param(held(hasImmutabilityPolicy=False, hasLegalHold=False), True, id="plain"),
        pytest.param(
            held(hasImmutabilityPolicy=True, immutabilityPolicy={"properties": {"allowProtectedAppendWrites": True}}),
            True,
            id="immutable, appending allowed",
        ),
        pytest.param(
            held(hasImmutabilityPolicy=True, immutabilityPolicy={"properties": {"state": "Locked"}}),
            False,
            id="immutable, appending stopped",
        ),
        pytest.param(held(hasImmutabilityPolicy=True), "unknown", id="immutable, nothing said"),
        pytest.param(
            held(
                hasLegalHold=True, legalHold={"protectedAppendWritesHistory": {"allowProtectedAppendWritesAll": True}}
            ),
            True,
            id="legal hold, appending allowed",
        ),
        pytest.param(held(hasLegalHold=True, legalHold={"hasLegalHold": True}), False, id="legal hold"),
        pytest.param(held("backups", hasImmutabilityPolicy=True, immutabilityPolicy={}), True, id="another container"),
    ],
)
def test_an_immutable_container_needs_to_allow_appending(container: dict[str, Any], accepts: Any) -> None:
    assert plain(ask("storage", ACCOUNT, AUDIT, account(), NO_RULES, containers(container)).accepts) == accepts


# --- event hubs (domain 7.3) ----------------------------------------------------------------------------------------

HUB = f"{NAMESPACE}/eventhubs/Logs"


@pytest.mark.parametrize(
    ("place", "read", "exists", "accepts"),
    [
        pytest.param(HUB, [hubs(hub("logs"))], True, True, id="the hub is there, whatever its case"),
        pytest.param(HUB, [hubs(hub("other"))], False, False, id="the hub is not in its namespace"),
        pytest.param(HUB, [hubs()], False, False, id="no hub at all"),
        pytest.param(HUB, [hubs(**{"$unknown": DENIED})], "unknown", "unknown", id="hubs denied"),
        pytest.param(HUB, [], "unknown", "unknown", id="hubs never read"),
        pytest.param(HUB, [{**hub(), "type": "h"}], True, True, id="a hub of its own"),
        pytest.param(HUB, [hubs(hub(retentionDescription={"cleanupPolicy": "Compact"}))], True, False, id="compacted"),
        pytest.param(
            HUB, [hubs(hub(retentionDescription={"cleanupPolicy": "Delete"}))], True, True, id="not compacted"
        ),
        pytest.param(HUB, [hubs(hub(status="SendDisabled"))], True, False, id="sending switched off"),
        pytest.param(NAMESPACE, [hubs()], True, True, id="no name: Azure Monitor makes the hub"),
        pytest.param(NAMESPACE, [], True, True, id="no name, hubs never read"),
        pytest.param(NAMESPACE, [hubs(hub(AUDIT, status="Disabled"))], True, False, id="the hub it made is off"),
    ],
)
def test_event_hub(place: str, read: list[Any], exists: Any, accepts: Any) -> None:
    found = ask("event-hub", place, AUDIT, namespace(), *read)
    assert (plain(found.exists), plain(found.accepts)) == (exists, accepts)


def test_trap_25_an_event_hub_keeps_nothing() -> None:
    found = ask("event-hub", HUB, AUDIT, namespace(), hubs(hub(messageRetentionInDays=7)))
    assert isinstance(found.retention_days, Unknown)
    assert found.retention_days.reason == "an event hub passes events on; what its readers keep is not visible"


def test_a_deleted_namespace_takes_its_hubs_along() -> None:
    found = ask("event-hub", HUB, AUDIT, stand(NAMESPACE, "$absent", status=404))
    assert (found.exists, found.accepts) == (False, False)


CAPTURE = {
    "enabled": True,
    "destination": {"properties": {"storageAccountResourceId": ACCOUNT, "blobContainer": "captured"}},
}


@pytest.mark.parametrize(
    ("capture", "read", "days"),
    [
        pytest.param(CAPTURE, [account(), NO_RULES], math.inf, id="into an account without rules"),
        pytest.param(CAPTURE, [account(), lifecycle(rule(90, ["blockBlob"]))], 90, id="captured blobs are block blobs"),
        pytest.param(CAPTURE, [account(), lifecycle(rule(90))], math.inf, id="append blobs are other logs"),
        pytest.param(CAPTURE, [], "unknown", id="into an account that was not read"),
        pytest.param(CAPTURE, [stand(ACCOUNT, "$absent", status=404)], "unknown", id="into a deleted account"),
        pytest.param({**CAPTURE, "enabled": False}, [account(), NO_RULES], "unknown", id="switched off"),
        pytest.param({"enabled": True}, [account(), NO_RULES], "unknown", id="into nothing"),
        pytest.param(None, [], "unknown", id="none"),
    ],
)
def test_capture_stores_what_passes(capture: Any, read: list[Any], days: Any) -> None:
    found = ask("event-hub", HUB, AUDIT, namespace(), hubs(hub(captureDescription=capture)), *read)
    assert plain(found.retention_days) == days


def rules(**properties: Any) -> dict[str, Any]:
    return {"id": f"{NAMESPACE}/networkRuleSets/default", "type": "n", "properties": properties}


@pytest.mark.parametrize(
    ("made", "read", "accepts"),
    [
        pytest.param(namespace(), [rules(defaultAction="Allow")], True, id="open"),
        pytest.param(namespace(), [rules(defaultAction="Deny")], False, id="trap 24: firewalled"),
        pytest.param(
            namespace(), [rules(defaultAction="Deny", trustedServiceAccessEnabled=True)], True, id="trusted services"
        ),
        pytest.param(namespace(publicNetworkAccess="Disabled"), [], "unknown", id="closed, rules not read"),
        pytest.param(namespace(status="Disabled"), [], False, id="switched off"),
        pytest.param({**namespace(), "properties": {"$unknown": DENIED}}, [], "unknown", id="properties unread"),
    ],
)
def test_namespace_accepts(made: dict[str, Any], read: list[Any], accepts: Any) -> None:
    assert plain(ask("event-hub", HUB, None, made, hubs(hub()), *read).accepts) == accepts


# --- words ----------------------------------------------------------------------------------------------------------


def test_words_about_a_workspace() -> None:
    documents = docs(
        workspace(
            sku={"name": "PerGB2018"},
            workspaceCapping={"dailyQuotaGb": 2.5, "dataIngestionStatus": "RespectQuota"},
            defaultDataCollectionRuleResourceId="/x/dataCollectionRules/trim",
        ),
        tables(table("B", plan="Basic"), table("A", plan="Basic"), table("Short", retentionInDays=7), table("Like")),
    )
    assert destination_details(documents, "log-analytics", WORKSPACE) == {
        "plan": "PerGB2018",
        "default retention": "30 days",
        "daily cap": "2.5 GB",
        "ingestion": "RespectQuota",
        "Basic tables": "A, B",
        "kept for less": "Short 7 days",
        "workspace transformation": "trim may filter rows or drop columns",
    }


def test_words_about_an_account() -> None:
    documents = docs(
        account(allowSharedKeyAccess=False, **deny("None")),
        lifecycle(rule(90)),
        containers(
            held(hasImmutabilityPolicy=True, immutabilityPolicy={"properties": {"state": "Locked"}}),
            held("insights-activity-logs"),
            held("other", hasLegalHold=True),
        ),
        {
            "id": f"{ACCOUNT}/blobServices/default",
            "properties": {"deleteRetentionPolicy": {"enabled": True, "days": 14}},
        },
    )
    assert destination_details(documents, "storage", ACCOUNT) == {
        "SKU": "Standard_LRS",
        "lifecycle": "log blobs are deleted after 90 days",
        "immutability": "1 appending blocked, 1 locked (of 2 log containers)",
        "network rule": "Deny by default, let through: None",
        "shared keys": "not allowed",
        "soft delete": "14 days",
    }


def test_words_about_an_event_hub() -> None:
    made = hub(retentionDescription={"cleanupPolicy": "Delete", "retentionTimeInHours": 24}, captureDescription=CAPTURE)
    documents = docs({**namespace(disableLocalAuth=True), "sku": {"name": "Standard"}}, hubs(made))
    assert destination_details(documents, "event-hub", HUB) == {
        "SKU": "Standard",
        "status": "Active",
        "events stay": "24 hours",
        "clean-up": "Delete",
        "capture": "to archive",
        "shared access keys": "not allowed",
    }


@pytest.mark.parametrize("kind", ["log-analytics", "storage", "event-hub", "partner"])
def test_nothing_is_said_of_what_could_not_be_read(kind: str) -> None:
    assert destination_details({}, kind, ACCOUNT) == {}
    assert destination_details(docs(stand(ACCOUNT, "$unknown", **DENIED)), kind, ACCOUNT) == {}
    odd: dict[str, Any] = {"id": ACCOUNT, "type": 7, "sku": 7, "properties": {"$unknown": "later"}}
    words = destination_details(docs(odd), kind, ACCOUNT)
    assert all(isinstance(word, str) and word for word in words.values())


# --- whatever Azure answers -----------------------------------------------------------------------------------------

KEYS = [
    "actions",
    "baseBlob",
    "blobTypes",
    "bypass",
    "captureDescription",
    "cleanupPolicy",
    "daysAfterModificationGreaterThan",
    "defaultAction",
    "definition",
    "delete",
    "destination",
    "enabled",
    "features",
    "filters",
    "hasImmutabilityPolicy",
    "id",
    "immutabilityPolicy",
    "name",
    "networkAcls",
    "plan",
    "policy",
    "prefixMatch",
    "properties",
    "retentionDescription",
    "retentionInDays",
    "rules",
    "sku",
    "status",
    "totalRetentionInDays",
    "value",
    "workspaceCapping",
    "dailyQuotaGb",
    "dataIngestionStatus",
    "$unknown",
]
odd = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 400)
    | st.sampled_from(["", "x", "Free", "Deny", "AuditLogs", AUDIT, "7"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=30,
)


@hypothesis.settings(deadline=None, derandomize=True, max_examples=200)
@given(st.dictionaries(st.sampled_from(KEYS[:-1]), odd), odd, st.booleans())
def test_no_shape_is_too_odd(properties: Any, value: Any, declared: bool) -> None:
    body = {"id": "x", "type": "x", "sku": value, "properties": properties}
    documents = {normal_id(place): body for place in (WORKSPACE, ACCOUNT, NAMESPACE, HUB, PARTNER)}
    documents[normal_id(f"{ACCOUNT}/managementPolicies/default")] = {"properties": {"policy": {"rules": value}}}
    for part in (
        "tables",
        "eventhubs",
        "blobServices/default/containers",
        "blobServices/default",
        "authorizationRules",
        "networkRuleSets/default",
    ):
        for place in (WORKSPACE, ACCOUNT, NAMESPACE):
            documents[normal_id(f"{place}/{part}")] = {"value": value, "properties": value}
    documents["/subscriptions/s/providers/microsoft.authorization/locks"] = {"value": value}
    resolve = destination_index(documents, declared=declared)
    for kind, place in (
        ("log-analytics", WORKSPACE),
        ("storage", ACCOUNT),
        ("event-hub", HUB),
        ("event-hub", NAMESPACE),
    ):
        for part in (None, "", AUDIT, "AuditLogs"):
            found = resolve(kind, place, part)
            for days in (found.retention_days, found.interactive_days):
                assert isinstance(days, Unknown) or days >= 0
        words = destination_details(documents, kind, place, declared=declared)
        assert all(isinstance(word, str) and word for word in words.values())
        facts = destination_facts(documents, kind, place, resolve, rules=["r"], receives=["insights-logs-a"])
        assert facts["accepts"] is not None

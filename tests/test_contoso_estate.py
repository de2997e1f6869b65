"""The Contoso estate file: current, believable in size, and with every trap that the shipped rules must not fall into."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor import catalog
from auditor.documents import (
    ENTRA_SETTINGS,
    destinations_of,
    normal_id,
    normal_location,
    storage_services,
    subscription_of,
)
from auditor.emulator.estate import load_estate
from auditor.named import endpoint_account

CONTOSO = Path(__file__).parents[1] / "examples" / "contoso"
RULES = Path(__file__).parents[1] / "rules"
Doc = dict[str, Any]


@pytest.fixture(scope="module")
def estate() -> Any:
    return load_estate(CONTOSO / "estate.json")


@pytest.fixture(scope="module")
def documents(estate: Any) -> dict[str, Doc]:
    return {normal_id(d["id"]): d for d in estate.documents}


@pytest.fixture(scope="module")
def expected() -> dict[str, dict[str, dict[str, str]]]:
    return yaml.safe_load((CONTOSO / "expected.yaml").read_text(encoding="utf-8"))


def test_both_files_are_what_the_scenes_say() -> None:
    done = subprocess.run(
        [sys.executable, "-B", str(CONTOSO / "make_estate.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_line_of_the_file_is_one_document(estate: Any) -> None:
    lines = (CONTOSO / "estate.json").read_text(encoding="utf-8").splitlines()
    start = lines.index(' "documents": [') + 1
    ids = [json.loads(line.rstrip(","))["id"].lower() for line in lines[start:-1]]
    assert len(ids) == len(estate.documents)
    assert ids == sorted(ids)


def test_the_estate_is_of_a_believable_size(estate: Any) -> None:
    kinds = Counter(d["type"].lower() for d in estate.resources)
    assert len(estate.resources) >= 400
    assert len(kinds) >= 25
    assert len(estate.subscriptions) == 5
    assert len(estate.denied) == 1
    regions = {normal_location(d.get("location")) for d in estate.resources}
    assert {"westeurope", "northeurope", "uksouth", "swedencentral"} <= regions
    assert len(estate.resources) > 5 * estate.page_size, "lists have to page"


def test_the_generator_and_the_catalog_agree_on_what_can_log() -> None:
    sys.path.insert(0, str(CONTOSO))
    try:
        from scenes.estate import LOGS
    finally:
        sys.path.remove(str(CONTOSO))
    from auditor.emulator.loggable import categories_of

    for kind, audit in LOGS.items():
        assert catalog.can_log(kind), kind
        assert any("audit" in groups for _, groups in categories_of(kind)) == audit, kind


def test_every_resource_that_can_log_is_in_the_generators_table(estate: Any) -> None:
    sys.path.insert(0, str(CONTOSO))
    try:
        from scenes.estate import LOGS
    finally:
        sys.path.remove(str(CONTOSO))
    known = {kind.lower() for kind in LOGS}
    assert {d["type"].lower() for d in estate.resources if catalog.can_log(d["type"])} <= known


# --- the answer sheet -------------------------------------------------------------------------------------------------


def test_the_answers_speak_of_every_shipped_rule(expected: dict[str, Any]) -> None:
    assert {file.stem for file in RULES.rglob("*.yaml")} == set(expected)


@pytest.mark.parametrize(
    ("rule", "statuses"),
    [
        ("activity-log-exported", "pass fail unknown"),
        ("activity-log-security-categories", "pass fail unknown"),
        ("activity-log-operational-categories", "pass fail unknown"),
        ("activity-log-retention", "pass fail unknown"),
        ("activity-log-profile-retired", "fail unknown"),
        ("entra-audit-logs", "pass"),
        ("entra-sign-in-logs", "fail"),
        ("entra-graph-activity-logs", "fail"),
        ("network-watcher-per-region", "pass fail"),
        ("virtual-network-flow-logs", "pass fail unknown"),
        ("public-nsg-flow-logs", "pass fail unknown"),
        ("flow-log-delivers", "pass fail unknown"),
        ("flow-log-traffic-analytics", "pass fail unknown"),
        ("flow-log-retention", "pass fail unknown"),
        ("nsg-flow-log-retirement", "pass fail unknown"),
        ("storage-blob-access-logs", "pass fail unknown not-applicable"),
        ("storage-queue-access-logs", "pass fail unknown"),
        ("storage-table-access-logs", "pass fail unknown"),
        ("storage-file-access-logs", "pass fail unknown"),
        ("storage-classic-logging-only", "pass fail unknown"),
        ("keyvault-audit-logs", "pass fail unknown"),
        ("managed-hsm-audit-logs", "pass fail unknown"),
        ("cosmos-db-audit-logs", "pass fail unknown"),
        ("cosmos-db-mongo-cluster-logs", "pass fail unknown"),
        ("data-explorer-audit-logs", "pass fail unknown"),
        ("data-factory-run-logs", "pass fail unknown"),
        ("databricks-audit-logs", "pass fail unknown"),
        ("mysql-audit-logs", "pass fail unknown"),
        ("postgresql-connection-logs", "pass fail unknown"),
        ("postgresql-pgaudit", "pass fail unknown"),
        ("redis-connection-logs", "pass fail unknown"),
        ("sql-audit-action-groups", "pass fail unknown"),
        ("sql-audit-managed-identity", "pass fail unknown"),
        ("sql-audit-on-master", "pass fail unknown"),
        ("sql-audit-retention", "pass fail unknown"),
        ("sql-database-auditing", "pass fail unknown"),
        ("sql-database-health-logs", "pass fail unknown"),
        ("sql-managed-instance-audit-logs", "pass fail unknown"),
        ("sql-server-auditing", "pass fail unknown"),
        ("sql-support-auditing", "pass fail unknown"),
        ("stream-analytics-logs", "pass fail unknown"),
        ("synapse-audit-logs", "pass fail unknown"),
        ("synapse-audit-retention", "pass fail unknown"),
        ("synapse-sql-auditing", "pass fail unknown"),
        ("resource-logs-exported", "pass fail unknown"),
        ("resource-audit-logs-exported", "pass fail unknown"),
        ("diagnostic-setting-without-logs", "pass fail unknown"),
        ("log-destination-exists", "pass fail unknown"),
        ("workspace-retention", "pass fail unknown"),
        ("table-retention", "pass fail unknown"),
        ("log-storage-lifecycle", "pass fail unknown"),
    ],
)
def test_the_estate_brings_each_rule_to_each_status_it_can_bring_it_to(
    expected: dict[str, Any], rule: str, statuses: str
) -> None:
    assert {answer["status"] for answer in expected[rule].values()} == set(statuses.split())


def test_every_answer_gives_a_reason(expected: dict[str, Any]) -> None:
    for rule, answers in expected.items():
        for subject, answer in answers.items():
            assert answer["why"].strip(), (rule, subject)


def test_every_subject_is_something_the_estate_holds(expected: dict[str, Any], estate: Any, documents: Any) -> None:
    held = {*documents, *estate.items, *estate.services}
    tenants = {f"/providers/microsoft.{part}/tenants/{estate.tenant.id}" for part in ("aadiam", "intune")}
    regions = {f"{subscription_of(d['id'])}/{normal_location(d.get('location'))}" for d in estate.resources}
    denied = {f"/subscriptions/{s}/providers/microsoft.insights/logprofiles" for s in estate.denied}
    for rule, answers in expected.items():
        for subject in answers:
            if rule == "network-watcher-per-region":
                assert subject in regions
            elif rule == "application-insights-present":
                assert subject.removesuffix("/Microsoft.Web/sites") in estate.subscriptions
            elif rule != "log-destination-exists":
                assert normal_id(subject) in held | tenants | denied, (rule, subject)


def test_the_destination_rule_asks_of_exactly_the_places_that_settings_name(
    expected: dict[str, Any], estate: Any
) -> None:
    named = {normal_id(place) for _, _, properties in _settings(estate) for _, place in destinations_of(properties)}
    named |= {normal_id(log["properties"]["storageId"]) for log in _flow_logs(estate)}
    # Auditing policies name storage accounts by their endpoints.
    policies = [
        d["properties"]
        for d in estate.documents
        if d["type"].lower().endswith("auditingsettings") and "properties" in d
    ]
    audited_to = {endpoint_account(policy["storageEndpoint"]) for policy in policies} - {""}
    named |= {normal_id(estate.accounts[name]["id"]) for name in audited_to}
    asked = {normal_id(subject) for subject in expected["log-destination-exists"]}
    # Classic logging stays in the account itself, which nobody chose as a place for logs.
    assert asked == named


# --- the traps --------------------------------------------------------------------------------------------------------


def _settings(estate: Any) -> Iterator[tuple[str, Doc, Doc]]:
    """(resource id, setting, properties) of every diagnostic setting."""
    for key, document in estate.by_id.items():
        if document["type"].lower() in ("microsoft.insights/diagnosticsettings", ENTRA_SETTINGS.lower()):
            for item in document.get("value", ()):
                yield key.partition("/providers/microsoft.insights/diag")[0], item, item["properties"]


def _flow_logs(estate: Any) -> list[Doc]:
    return [
        item
        for d in estate.documents
        if d["type"].lower() == "microsoft.network/networkwatchers/flowlogs"
        for item in d.get("value", ())
    ]


def _on(properties: Doc, key: str) -> set[str]:
    return {log[key] for log in properties["logs"] if log["enabled"] and log.get(key)}


def _some_setting(check: Callable[[Doc], bool]) -> Callable[[Any], bool]:
    return lambda estate: any(check(properties) for _, _, properties in _settings(estate))


def _some_flow_log(check: Callable[[Doc], bool]) -> Callable[[Any], bool]:
    return lambda estate: any(check(item["properties"]) for item in _flow_logs(estate))


def _refused(suffix: str, code: str = "AuthorizationFailed") -> Callable[[Any], bool]:
    return lambda estate: any(
        key.endswith(suffix) and d.get("$unknown", {}).get("code") == code for key, d in estate.by_id.items()
    )


def _some(kind: str, check: Callable[[Doc], bool]) -> Callable[[Any], bool]:
    return lambda estate: any(check(d) for d in estate.by_type.get(kind.lower(), ()))


def _rules_of(group: Doc) -> list[Doc]:
    return [rule["properties"] for rule in group["properties"]["securityRules"]]


def _complementary(estate: Any) -> bool:
    seen: dict[str, list[set[str]]] = {}
    for resource, _, properties in _settings(estate):
        seen.setdefault(resource, []).append(_on(properties, "category"))
    return any(len([s for s in sets if s]) == 2 and not sets[0] & sets[1] for sets in seen.values() if len(sets) == 2)


def _gone(estate: Any) -> bool:
    gone = {key for key, d in estate.by_id.items() if "$absent" in d}
    return any(normal_id(place) in gone for _, _, p in _settings(estate) for _, place in destinations_of(p))


def _itself(estate: Any) -> bool:
    return any(
        resource.startswith(normal_id(place) + "/blobservices/")
        for resource, _, p in _settings(estate)
        for kind, place in destinations_of(p)
        if kind == "storage"
    )


def _targets(kind: str) -> Callable[[Any], bool]:
    return _some_flow_log(lambda p: p["targetResourceId"].lower().rpartition("/")[0].endswith(kind))


def _listed(estate: Any, resource_id: str) -> bool:
    return any(d["id"].lower() == resource_id.lower() for d in estate.resources)


def _foreign(estate: Any) -> set[str]:
    own = set(estate.subscriptions)
    return {
        normal_id(place)
        for _, _, p in _settings(estate)
        for _, place in destinations_of(p)
        if subscription_of(place) not in own
    }


NSG = "Microsoft.Network/networkSecurityGroups"
ACCOUNTS = "Microsoft.Storage/storageAccounts"
LB = "Microsoft.Network/loadBalancers"
NIC = "Microsoft.Network/networkInterfaces"

TRAPS: dict[str, Callable[[Any], bool]] = {
    "two complementary settings": _complementary,
    "allLogs only": _some_setting(lambda p: _on(p, "categoryGroup") == {"allLogs"} and not _on(p, "category")),
    "audit only": _some_setting(lambda p: _on(p, "categoryGroup") == {"audit"}),
    "category only": _some_setting(lambda p: _on(p, "category") == {"AuditEvent"}),
    "a category in other letters": _some_setting(lambda p: "AUDITEVENT" in _on(p, "category")),
    "metrics only": _some_setting(lambda p: not p["logs"] and p.get("metrics", [{}])[0].get("enabled") is True),
    "all logs disabled": _some_setting(lambda p: bool(p["logs"]) and not any(log["enabled"] for log in p["logs"])),
    "an enabled log and the destination ''": _some_setting(
        lambda p: any(log["enabled"] for log in p["logs"]) and p.get("workspaceId") == ""
    ),
    "an enabled log and the destination null": _some_setting(
        lambda p: any(log["enabled"] for log in p["logs"]) and "workspaceId" in p and not any(destinations_of(p))
    ),
    "a destination that was deleted": _gone,
    "a setting refused (403)": _refused("/providers/microsoft.insights/diagnosticsettings"),
    "a category list refused (403)": _refused("/providers/microsoft.insights/diagnosticsettingscategories"),
    "a list of flow logs refused (403)": _refused("/flowlogs"),
    "a list of tables refused (403)": _refused("/tables"),
    "lifecycle rules refused (403)": _refused("/managementpolicies/default"),
    "classic logging behind a firewall": _refused("/storageanalytics", "AuthorizationFailure"),
    "a destination in another tenant": _refused("/law-msp-abroad", "InvalidAuthenticationTokenTenant"),
    "a foreign destination that is refused": lambda e: any("$unknown" in e.by_id.get(i, {}) for i in _foreign(e)),
    "a foreign destination that is readable": lambda e: any("properties" in e.by_id.get(i, {}) for i in _foreign(e)),
    "a setting Azure does not support": lambda e: any(
        "$unsupported" in d and key.endswith("/diagnosticsettings") for key, d in e.by_id.items()
    ),
    "settings at the root of a storage account": lambda e: any(
        e.by_id.get(resource, {}).get("type") == ACCOUNTS for resource, _, _ in _settings(e)
    ),
    "a storage account that logs to itself": _itself,
    "an account without queues and tables": _some(ACCOUNTS, lambda d: set(storage_services(d)) == {"blob"}),
    "an account with files alone": _some(ACCOUNTS, lambda d: set(storage_services(d)) == {"file"}),
    "an account of the first generation": _some(ACCOUNTS, lambda d: d["kind"] == "Storage"),
    "a data lake": _some(ACCOUNTS, lambda d: d["properties"].get("isHnsEnabled") is True),
    "classic logging, full": _some(
        "Auditor/storageAnalytics", lambda d: all(d["properties"]["logging"][k] for k in ("read", "write", "delete"))
    ),
    "classic logging, partly": _some(
        "Auditor/storageAnalytics",
        lambda d: len({bool(d["properties"]["logging"][k]) for k in ("read", "write", "delete")}) == 2,
    ),
    "ids and types in other letters": lambda e: any("/resourcegroups/RG-" in d["id"] for d in e.resources),
    "a region as it is displayed": lambda e: any(d.get("location") == "West Europe" for d in e.resources),
    "a flow log on a security group": _targets("/networksecuritygroups"),
    "a flow log on a network": _targets("/virtualnetworks"),
    "a flow log on a subnet": _targets("/subnets"),
    "a flow log on an interface": _targets("/networkinterfaces"),
    "a flow log that is disabled": _some_flow_log(lambda p: not p["enabled"]),
    "a flow log that failed": _some_flow_log(lambda p: p["provisioningState"] == "Failed"),
    "a flow log with a filter": _some_flow_log(lambda p: bool(p["enabledFilteringCriteria"])),
    "a flow log of beginnings only": _some_flow_log(lambda p: p["recordTypes"] == "B"),
    "retention of 0 days, enabled": _some_flow_log(lambda p: p["retentionPolicy"] == {"enabled": True, "days": 0}),
    "retention of 0 days, not enabled": _some_flow_log(lambda p: p["retentionPolicy"] == {"enabled": False, "days": 0}),
    "no retention policy": _some_flow_log(lambda p: p["retentionPolicy"] is None),
    "a watcher that failed": _some(
        "Microsoft.Network/networkWatchers", lambda d: d["properties"]["provisioningState"] == "Failed"
    ),
    "a log profile beside a diagnostic setting": lambda e: any(
        key.endswith("/logprofiles")
        and d.get("value")
        and e.by_id.get(key.replace("/logprofiles", "/diagnosticsettings"), {}).get("value")
        for key, d in e.by_id.items()
    ),
    "a soft-deleted vault": lambda e: any(
        key.endswith("/deletedvaults") and d.get("value") for key, d in e.by_id.items()
    ),
    "a compacted hub": lambda e: any(
        i["properties"].get("retentionDescription", {}).get("cleanupPolicy") == "Compact"
        for i in e.items.values()
        if "/eventhubs/" in i["id"]
    ),
    "a hub that is missing": lambda e: any(
        "/eventhubs/" in place and e.find(normal_id(place)) is None
        for _, _, p in _settings(e)
        for _, place in destinations_of(p)
    ),
    "a workspace with a daily cap": _some(
        "Microsoft.OperationalInsights/workspaces", lambda d: d["properties"]["workspaceCapping"]["dailyQuotaGb"] > 0
    ),
    "a table on the Basic plan": lambda e: any(
        i.get("properties", {}).get("plan") == "Basic" for i in e.items.values()
    ),
    "a lifecycle rule for block blobs only": _some(
        f"{ACCOUNTS}/managementPolicies",
        lambda d: d["properties"]["policy"]["rules"][0]["definition"]["filters"]["blobTypes"] == ["blockBlob"],
    ),
    "a lifecycle rule of 30 days": _some(
        f"{ACCOUNTS}/managementPolicies",
        lambda d: '"daysAfterModificationGreaterThan": 30' in json.dumps(d) and "prefixMatch" not in json.dumps(d),
    ),
    "E1: a public IP on an interface": _some(
        NIC, lambda d: "publicIPAddress" in d["properties"]["ipConfigurations"][0]["properties"]
    ),
    "E2: a public load balancer's rule": _some(
        LB,
        lambda d: (
            bool(d["properties"]["loadBalancingRules"])
            and "publicIPAddress" in d["properties"]["frontendIPConfigurations"][0]["properties"]
        ),
    ),
    "E3: a NAT rule": _some(LB, lambda d: bool(d["properties"]["inboundNatRules"])),
    "E4: a scale set with public IPs": _some(
        "Microsoft.Compute/virtualMachineScaleSets", lambda d: "publicIPAddressConfiguration" in json.dumps(d)
    ),
    "E5: an application gateway": _some("Microsoft.Network/applicationGateways", lambda d: True),
    "E9: a NAT gateway": _some("Microsoft.Network/natGateways", lambda d: True),
    "a deny that shadows an allow": _some(
        NSG, lambda d: [r["access"] for r in sorted(_rules_of(d), key=lambda r: r["priority"])][:1] == ["Deny"]
    ),
    "a split prefix": _some(NSG, lambda d: any("128.0.0.0/1" in r["sourceAddressPrefixes"] for r in _rules_of(d))),
    "IPv6 only": _some(NSG, lambda d: [r["sourceAddressPrefix"] for r in _rules_of(d)] == ["::/0"]),
    "a service tag only": _some(
        NSG, lambda d: {r["sourceAddressPrefix"] for r in _rules_of(d)} == {"AzureFrontDoor.Backend"}
    ),
    "a group attached to nothing": _some(
        NSG, lambda d: not d["properties"].get("subnets") and not d["properties"].get("networkInterfaces")
    ),
    "a load balancer that cannot be read": _some(
        NIC,
        lambda d: "lb-ma-frontdoor" in json.dumps(d["properties"]["ipConfigurations"]),
    ),
    "a Basic public IP": _some("Microsoft.Network/publicIPAddresses", lambda d: d["sku"]["name"] == "Basic"),
    "hostile names and tags": lambda e: all(
        any(text in json.dumps(d.get("tags") or {}, ensure_ascii=False) for d in e.resources)
        for text in ("</script>", "=cmd|", "\u202e", "c|d")
    ),
    "a disabled subscription": lambda e: any(s.get("state") == "Disabled" for s in e.subscriptions.values()),
    "a trial licence that has ended": lambda e: any(i.get("capabilityStatus") == "Suspended" for i in e.items.values()),
}


@pytest.mark.parametrize("trap", TRAPS)
def test_the_estate_has_the_trap(estate: Any, trap: str) -> None:
    assert TRAPS[trap](estate)


def test_a_hidden_subscription_shows_nothing(estate: Any) -> None:
    (denied,) = estate.denied
    assert not [d for d in estate.resources if subscription_of(d["id"]) == denied]
    assert not _listed(estate, f"/subscriptions/{denied}")

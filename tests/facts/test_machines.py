"""Machines and clusters: agents, associations, rules, and what keeps the records from arriving."""

from typing import Any

import pytest
from estates import CENTRAL, LAW, S, res, rid

from auditor.documents import normal_id
from auditor.facts.clusters import cluster_facts
from auditor.facts.destinations import destination_index
from auditor.facts.look import Look
from auditor.facts.machines import machine_facts
from auditor.inventory import Unknown

VM_TYPE = "Microsoft.Compute/virtualMachines"
VM = rid(VM_TYPE, "vm")
DCR = rid("Microsoft.Insights/dataCollectionRules", "dcr")
AKS = rid("Microsoft.ContainerService/managedClusters", "aks")
ASSOCIATIONS = "Microsoft.Insights/dataCollectionRuleAssociations"
FORBIDDEN = {"reason": "HTTP 403", "status": 403}


def look(*documents: Any, declared: bool = False) -> Look:
    by_id = {normal_id(d["id"]): d for d in documents}
    return Look(documents=by_id, resolve=destination_index(by_id, declared=declared), declared=declared)


def vm(system: str = "Windows", **more: Any) -> dict[str, Any]:
    return res(VM_TYPE, "vm", {"storageProfile": {"osDisk": {"osType": system}}, **more})


def extension(kind: str, name: str = "agent", state: str = "Succeeded") -> dict[str, Any]:
    return res(f"{VM_TYPE}/extensions", f"vm/{name}", {"type": kind, "provisioningState": state})


def associated(*rules: str, of: str = VM, endpoint: bool = False) -> dict[str, Any]:
    items = [{"id": f"{of}/x/{i}", "properties": {"dataCollectionRuleId": rule}} for i, rule in enumerate(rules)]
    if endpoint:
        items.append({"id": f"{of}/x/e", "properties": {"dataCollectionEndpointId": "/e"}})
    return {"id": f"{of}/providers/{ASSOCIATIONS}", "type": ASSOCIATIONS, "value": items}


def rule(sources: dict[str, Any], streams: Any = ("Microsoft-SecurityEvent",), **more: Any) -> dict[str, Any]:
    flow = {"streams": list(streams), "destinations": ["sec"], **more.pop("flow", {})}
    places = {"logAnalytics": [{"name": "sec", "workspaceResourceId": LAW}]}
    properties = {"dataSources": sources, "dataFlows": [flow], "destinations": places, **more}
    return res("Microsoft.Insights/dataCollectionRules", "dcr", properties)


def windows(*queries: str) -> dict[str, Any]:
    return {"windowsEventLogs": [{"streams": ["Microsoft-SecurityEvent"], "xPathQueries": list(queries)}]}


def syslog(facilities: Any, levels: Any = ("Info", "Warning")) -> dict[str, Any]:
    return {"syslog": [{"streams": ["Microsoft-Syslog"], "facilityNames": facilities, "logLevels": list(levels)}]}


SECURITY = windows("Security!*")
LAW_DOC = res("Microsoft.OperationalInsights/workspaces", "law", {})
AMA = extension("AzureMonitorWindowsAgent")


def facts(*documents: Any, machine: Any = None, declared: bool = False) -> dict[str, Any]:
    machine = machine or vm()
    return dict(machine_facts(normal_id(machine["id"]), machine, look(machine, *documents, declared=declared)))


@pytest.mark.parametrize(
    ("documents", "truth", "gap"),
    [
        pytest.param((AMA, associated(DCR), rule(SECURITY)), True, None, id="agent, rule, workspace"),
        pytest.param((AMA, associated(DCR.upper()), rule(SECURITY)), True, None, id="ids in other case"),
        pytest.param(
            (AMA, associated(DCR), rule(windows("security!*[System[(EventID=4624)]]"))), True, None, id="part"
        ),
        pytest.param((associated(DCR), rule(SECURITY)), False, "Azure Monitor Agent", id="no agent"),
        pytest.param((AMA, associated()), False, "no data collection rule", id="no association"),
        pytest.param((AMA, associated(endpoint=True)), False, "no data collection rule", id="an endpoint is no rule"),
        pytest.param((AMA, associated(DCR), rule(windows("System!*"))), False, "Security event log", id="system log"),
        pytest.param((AMA, associated(DCR), rule({})), False, "Security event log", id="nothing collected"),
        pytest.param((AMA, associated(DCR), rule(SECURITY, ["Microsoft-Perf"])), False, "nowhere", id="no flow"),
        pytest.param(
            (AMA, associated(DCR), rule(SECURITY, flow={"destinations": ["x"]})), False, "no place", id="name"
        ),
        pytest.param((AMA, associated(DCR), rule(SECURITY, flow={"transformKql": "source"})), True, None, id="source"),
        pytest.param((AMA, associated(DCR), rule(syslog(["*"]))), False, "Security event log", id="another system's"),
        pytest.param(
            (AMA, associated(DCR), {"id": DCR, "type": "x", "$absent": {"status": 404}}),
            False,
            "deleted",
            id="rule gone",
        ),
    ],
)
def test_security_events(documents: Any, truth: bool, gap: str | None) -> None:
    found = facts(*documents, LAW_DOC)
    assert found["security_events"] is truth
    assert found["security_gap"] is None if gap is None else gap in found["security_gap"]


def test_a_workspace_that_is_gone_keeps_nothing_and_a_foreign_one_may() -> None:
    documents = (AMA, associated(DCR), rule(SECURITY))
    gone = {"id": LAW, "type": "x", "$absent": {"status": 404, "code": "ResourceNotFound"}}
    found = facts(*documents, gone)
    assert found["security_events"] is False
    assert "law" in found["security_gap"]
    assert facts(*documents, {"id": LAW, "type": "x", "$unknown": FORBIDDEN})["security_events"] is True


@pytest.mark.parametrize(
    "documents",
    [
        pytest.param((AMA,), id="associations not read"),
        pytest.param((AMA, {"id": f"{VM}/providers/{ASSOCIATIONS}", "type": "x", "$unknown": FORBIDDEN}), id="refused"),
        pytest.param((AMA, associated(DCR)), id="rule not read"),
        pytest.param(
            (AMA, associated(DCR), rule(SECURITY, flow={"transformKql": "source | take 1"})), id="transformed"
        ),
        pytest.param(
            (extension("AzureMonitorWindowsAgent", state="Failed"), associated(DCR), rule(SECURITY)), id="agent failed"
        ),
        pytest.param(
            (res(f"{VM_TYPE}/extensions", "vm/a", {"$unknown": FORBIDDEN}), associated(DCR), rule(SECURITY)),
            id="extension not readable",
        ),
    ],
)
def test_what_could_not_be_read_is_unknown(documents: Any) -> None:
    assert isinstance(facts(*documents, LAW_DOC)["security_events"], Unknown)


@pytest.mark.parametrize(
    ("source", "truth"),
    [
        pytest.param(syslog(["auth", "authpriv"]), True, id="both facilities"),
        pytest.param(syslog(["*"], ["*"]), True, id="all"),
        pytest.param(syslog(["AUTH", "AuthPriv", "cron"], ["debug", "info"]), True, id="case"),
        pytest.param(syslog(["auth"]), False, id="auth alone misses the logins of others"),
        pytest.param(syslog(["auth", "authpriv"], ["Warning", "Error"]), False, id="logins are told at info"),
        pytest.param(syslog(None), False, id="no facilities"),
        pytest.param({"syslog": None}, False, id="null"),
    ],
)
def test_linux(source: Any, truth: bool) -> None:
    agent = extension("AzureMonitorLinuxAgent")
    documents = (agent, associated(DCR), rule(source, ["Microsoft-Syslog"]), LAW_DOC)
    assert facts(*documents, machine=vm("Linux"))["security_events"] is truth


def test_an_unknown_system_is_enough_only_where_both_are_collected() -> None:
    both = rule({**SECURITY, **syslog(["*"], ["*"])}, ["Microsoft-SecurityEvent", "Microsoft-Syslog"])
    machine = res(VM_TYPE, "vm", {})
    assert facts(AMA, associated(DCR), both, LAW_DOC, machine=machine)["security_events"] is True
    assert isinstance(facts(AMA, associated(DCR), rule(SECURITY), LAW_DOC, machine=machine)["security_events"], Unknown)
    assert facts(AMA, associated(), machine=machine)["security_events"] is False


def test_agents_are_told_apart() -> None:
    old = [extension(kind, kind) for kind in ("MicrosoftMonitoringAgent", "IaaSDiagnostics", "CustomScriptExtension")]
    found = facts(*old)
    assert found["agent"] is False
    assert found["retired_agents"] == ["diagnostics-extension", "log-analytics-agent"]
    assert facts(*old, AMA)["agents"] == ["azure-monitor-agent", "diagnostics-extension", "log-analytics-agent"]
    unread = facts(res(f"{VM_TYPE}/extensions", "vm/a", {"$unknown": FORBIDDEN}))
    assert isinstance(unread["agents"], Unknown)
    assert isinstance(unread["retired_agents"], Unknown)
    assert isinstance(unread["agent"], Unknown)


def scale_set(mode: str = "Uniform", **profile: Any) -> dict[str, Any]:
    disk = {"storageProfile": {"osDisk": {"osType": "Linux"}}}
    shape = {"orchestrationMode": mode, "virtualMachineProfile": {**disk, **profile}}
    return res("Microsoft.Compute/virtualMachineScaleSets", "vmss", shape)


def test_a_scale_set_carries_its_agent_in_its_profile() -> None:
    agent = {"extensions": [{"name": "a", "properties": {"type": "AzureMonitorLinuxAgent"}}]}
    machine = scale_set(extensionProfile=agent)
    documents = (associated(DCR, of=machine["id"]), rule(syslog(["*"], ["*"]), ["Microsoft-Syslog"]), LAW_DOC)
    assert facts(*documents, machine=machine)["security_events"] is True
    assert facts(*documents, machine=scale_set())["agent"] is False
    assert facts(machine=scale_set())["machines_apart"] is False
    assert facts(machine=scale_set("Flexible"))["machines_apart"] is True
    kind = "Microsoft.Compute/virtualMachineScaleSets"
    unreadable = {"id": rid(kind, "vmss"), "type": kind, "$unknown": FORBIDDEN}
    for hidden in (res(kind, "vmss", {"$unknown": FORBIDDEN}), unreadable):
        found = facts(machine=hidden)
        assert isinstance(found["agent"], Unknown)
        assert isinstance(found["machines_apart"], Unknown)


def test_an_arc_machine_is_a_machine() -> None:
    machine = res("Microsoft.HybridCompute/machines", "srv", {"osType": "windows"})
    agent = res("Microsoft.HybridCompute/machines/extensions", "srv/ama", {"type": "AzureMonitorWindowsAgent"})
    documents = (agent, associated(DCR, of=machine["id"]), rule(SECURITY), LAW_DOC)
    assert facts(*documents, machine=machine)["security_events"] is True


def test_nodes_that_azure_runs_are_told_by_the_cluster_and_not_by_a_tag() -> None:
    cluster = res("Microsoft.ContainerService/managedClusters", "aks", {"nodeResourceGroup": "RG-APP"})
    assert facts(cluster)["run_by_azure"] is True
    assert facts(machine=vm(tags={"aks-managed": "true"}))["run_by_azure"] is False
    elsewhere = res("Microsoft.ContainerService/managedClusters", "aks", {"nodeResourceGroup": "rg-app"}, CENTRAL)
    assert facts(elsewhere)["run_by_azure"] is False
    spark = res(
        "Microsoft.Databricks/workspaces", "d", {"managedResourceGroupId": f"/subscriptions/{S}/resourceGroups/rg-app"}
    )
    assert facts(spark)["run_by_azure"] is True


def test_a_cluster_that_could_not_be_read_may_own_any_node_of_its_subscription() -> None:
    cluster = {"id": AKS, "type": "Microsoft.ContainerService/managedClusters", "$unknown": FORBIDDEN}
    assert isinstance(facts(cluster)["run_by_azure"], Unknown)
    elsewhere = {**cluster, "id": rid("Microsoft.ContainerService/managedClusters", "aks", CENTRAL)}
    assert facts(elsewhere)["run_by_azure"] is False


def test_a_template_declares_its_associations() -> None:
    link = {"id": f"{VM}/providers/{ASSOCIATIONS}/l", "type": ASSOCIATIONS, "properties": {"dataCollectionRuleId": DCR}}
    assert facts(AMA, link, rule(SECURITY), LAW_DOC, declared=True)["security_events"] is True
    assert facts(AMA, rule(SECURITY), LAW_DOC, declared=True)["security_events"] is False
    later = {**link, "properties": {"dataCollectionRuleId": {"$unknown": "known after apply"}}}
    assert isinstance(facts(AMA, later, declared=True)["security_events"], Unknown)


# --- clusters ---------------------------------------------------------------------------------------------------------


def cluster(addon: Any = None, name: str = "omsagent") -> dict[str, Any]:
    return res("Microsoft.ContainerService/managedClusters", "aks", {"addonProfiles": {name: addon} if addon else None})


def insights(*streams: str) -> dict[str, Any]:
    return {"extensions": [{"extensionName": "ContainerInsights", "streams": list(streams)}]}


BY_RULE = {"enabled": True, "config": {"useAADAuth": "true", "logAnalyticsWorkspaceResourceID": LAW}}
BY_KEY = {"enabled": True, "config": {"logAnalyticsWorkspaceResourceID": LAW}}
LOGS = ("Microsoft-ContainerLogV2", "Microsoft-Perf")


@pytest.mark.parametrize(
    ("addon", "documents", "truth", "gap"),
    [
        pytest.param(None, (), False, "not switched on", id="no addon"),
        pytest.param({"enabled": False}, (), False, "not switched on", id="switched off"),
        pytest.param(BY_KEY, (LAW_DOC,), True, None, id="by workspace key"),
        pytest.param(BY_KEY, ({"id": LAW, "type": "x", "$absent": {"status": 404}},), False, "deleted", id="gone"),
        pytest.param(BY_RULE, (associated(of=AKS),), False, "no data collection rule", id="no rule"),
        pytest.param(
            BY_RULE, (associated(DCR, of=AKS), rule(insights(*LOGS), LOGS), LAW_DOC), True, None, id="by rule"
        ),
        pytest.param(
            BY_RULE,
            (associated(DCR, of=AKS), rule(insights(*LOGS), ["Microsoft-Perf"]), LAW_DOC),
            False,
            "nowhere",
            id="the flow carries figures only",
        ),
        pytest.param(
            BY_RULE,
            (associated(DCR, of=AKS), rule(insights("Microsoft-Perf")), LAW_DOC),
            False,
            "containers",
            id="figures",
        ),
    ],
)
def test_container_logs(addon: Any, documents: Any, truth: bool, gap: str | None) -> None:
    document = cluster(addon)
    found = cluster_facts(normal_id(AKS), document, look(document, *documents))
    assert found["container_logs"] is truth
    assert found["container_gap"] is None if gap is None else gap in found["container_gap"]


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(cluster(BY_RULE), id="associations not read"),
        pytest.param(cluster({"enabled": {"$unknown": "later"}}), id="decided later"),
        pytest.param(cluster({"enabled": True}), id="no workspace named"),
        pytest.param(res("Microsoft.ContainerService/managedClusters", "aks", {"$unknown": FORBIDDEN}), id="refused"),
        pytest.param(
            {"id": AKS, "type": "Microsoft.ContainerService/managedClusters", "$unknown": FORBIDDEN}, id="all"
        ),
    ],
)
def test_container_logs_not_known(document: Any) -> None:
    assert isinstance(cluster_facts(normal_id(AKS), document, look(document))["container_logs"], Unknown)


def test_an_addon_is_found_whatever_its_case() -> None:
    document = cluster(BY_KEY, "omsAgent")
    assert cluster_facts(normal_id(AKS), document, look(document, LAW_DOC))["container_logs"] is True

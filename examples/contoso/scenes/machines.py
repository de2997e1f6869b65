"""Agents on machines, data collection rules and the logs of containers, for what other scenes placed."""

from __future__ import annotations

from scenes.estate import MSP, PROD, SHARED, WE, Estate, Status, denied, rid
from scenes.places import LAW_OLD, LAW_SEC, LOGS_GROUP, NOTHING
from scenes.things import place

VM, SET, ARC = (
    "Microsoft.Compute/virtualMachines",
    "Microsoft.Compute/virtualMachineScaleSets",
    "Microsoft.HybridCompute/machines",
)
RULE = "Microsoft.Insights/dataCollectionRules"
ASSOCIATIONS = "Microsoft.Insights/dataCollectionRuleAssociations"
AKS = "Microsoft.ContainerService/managedClusters"
EVENTS, RETIRED_ONLY, CONTAINERS = "machine-security-events", "machine-retired-agent", "kubernetes-container-logs"
AMA_W, AMA_L, MMA, OMS, WAD = (
    "AzureMonitorWindowsAgent",
    "AzureMonitorLinuxAgent",
    "MicrosoftMonitoringAgent",
    "OmsAgentForLinux",
    "IaaSDiagnostics",
)


def build(estate: Estate) -> None:
    """Give some machines agents, and answer for all of them."""
    _agents(estate)
    _everyone_else(estate)
    _clusters(estate)


def _rule_id(name: str) -> str:
    return rid(SHARED, LOGS_GROUP, RULE, name)


def _agents(estate: Estate) -> None:
    windows, linux, figures = map(_rule_id, ("dcr-windows-security", "dcr-linux-syslog", "dcr-vm-performance"))
    abroad = rid(MSP, "rg-soc", RULE, "dcr-msp-servers")
    estate.put({"id": abroad, "type": RULE, "$unknown": denied(f"{RULE}/read", abroad)})
    gone = rid(PROD, "rg-docs-prod", RULE, "dcr-docs-old")
    estate.put({"id": gone, "type": RULE, "$absent": {"status": 404, "code": "ResourceNotFound"}})
    told: tuple[tuple[str, str, tuple[str, ...], str | None, Status, str], ...] = (
        ("claims-sql-1", "", (AMA_W,), windows, "pass", "agent, association and a rule that takes in the Security log"),
        ("claims-web-1", "", (AMA_L,), linux, "pass", "agent, association and a rule that takes in auth and authpriv"),
        ("claims-web-2", "", (AMA_L,), figures, "fail", "its rule collects figures only"),
        ("crm-sql-1", "fail", (MMA, WAD), None, "fail", "two retired agents and no other"),
        ("crm-web-1", "pass", (AMA_L, OMS), "denied", "unknown", "its associations are not readable"),
        ("crm-web-2", "", (AMA_L,), windows, "fail", "its rule takes in what only Windows has"),
        ("docs-sql-1", "", (AMA_W,), gone, "fail", "its rule was deleted"),
        ("docs-web-1", "", (AMA_L,), "", "fail", "it has an agent and no association"),
        ("docs-web-2", "unknown", (f"{AMA_L} Failed", OMS), linux, "unknown", "its agent did not provision"),
        ("fleet-web-1", "", (AMA_L,), abroad, "unknown", "its rule is the provider's, and not readable"),
    )
    for name, retired, extensions, rule, status, why in told:
        group = f"rg-{name.partition('-')[0]}-prod"
        machine = rid(PROD, group, VM, f"vm-{name}")
        for extension in extensions:
            kind, _, state = extension.partition(" ")
            _extension(estate, machine, f"{VM}/extensions", kind, state or "Succeeded")
        if any(extension.startswith("Azure") for extension in extensions):
            _associate(estate, machine, rule)
        estate.answer(EVENTS, machine, status, why)
        if retired:
            estate.answer(RETIRED_ONLY, machine, retired, why)  # type: ignore[arg-type]
    server = place(estate, ARC, "srv-branch-1", None, app="branch", osType="windows", status="Connected")
    _extension(estate, server, f"{ARC}/extensions", AMA_W, "Succeeded")
    _associate(estate, server, windows)
    estate.answer(EVENTS, server, "pass", "a server elsewhere with agent, association and rule")


def _extension(estate: Estate, machine: str, kind: str, extension: str, state: str) -> None:
    estate.add(
        {
            "id": f"{machine}/extensions/{extension}",
            "type": kind,
            "name": extension,
            "location": WE,
            "tags": {},
            "properties": {
                "publisher": "Microsoft.Azure.Monitor"
                if extension.startswith("Azure")
                else "Microsoft.EnterpriseCloud",
                "type": extension,
                "typeHandlerVersion": "1.33",
                "autoUpgradeMinorVersion": True,
                "provisioningState": state,
            },
        }
    )


def _associate(estate: Estate, resource_id: str, rule: str | None) -> None:
    list_id = f"{resource_id}/providers/{ASSOCIATIONS}"
    if rule == "denied":
        estate.unread(list_id, ASSOCIATIONS, f"{ASSOCIATIONS}/read")
        return
    item = {
        "id": f"{list_id}/collection",
        "name": "collection",
        "type": ASSOCIATIONS,
        "properties": {"dataCollectionRuleId": rule, "provisioningState": "Succeeded"},
    }
    estate.listing(list_id, ASSOCIATIONS, [item] if rule else [])


def _everyone_else(estate: Estate) -> None:
    """No other machine of Contoso has any agent; the nodes of a cluster are not judged."""
    for document in list(estate.documents.values()):
        judged = document["type"] in (VM, SET) and "/MC_" not in document["id"]
        if judged and document["id"].lower() not in estate.answers[EVENTS]:
            estate.answer(EVENTS, document["id"], "fail", "it has no agent")


def _clusters(estate: Estate) -> None:
    """How `platform` placed them: by rule, by the key of a deleted workspace, or not at all."""
    rule = {
        "id": rid(PROD, "rg-pos-prod", RULE, "MSCI-westeurope-aks-pos-prod"),
        "type": RULE,
        "name": "MSCI-westeurope-aks-pos-prod",
        "location": WE,
        "kind": "Linux",
        "tags": {},
        "properties": {
            "dataSources": {
                "extensions": [
                    {
                        "name": "ContainerInsightsExtension",
                        "extensionName": "ContainerInsights",
                        "streams": ["Microsoft-ContainerInsights-Group-Default"],
                    }
                ]
            },
            "destinations": {"logAnalytics": [{"name": "sec", "workspaceResourceId": LAW_SEC.id}]},
            "dataFlows": [{"streams": ["Microsoft-ContainerInsights-Group-Default"], "destinations": ["sec"]}],
            "provisioningState": "Succeeded",
        },
    }
    told: tuple[tuple[str, str | None, Status, str], ...] = (
        ("pos", estate.add(rule, NOTHING), "pass", "Container Insights with a rule that takes in container logs"),
        ("web", None, "fail", f"Container Insights sends to {LAW_OLD.id.rpartition('/')[2]}, which was deleted"),
        ("lake", None, "fail", "Container Insights is not switched on"),
        ("fleet", None, "fail", "Container Insights is not switched on"),
        ("loans", "denied", "unknown", "Container Insights collects by rules, which are not readable"),
    )
    for app, association, status, why in told:
        cluster = rid(PROD, f"rg-{app}-prod", AKS, f"aks-{app}-prod")
        if association:
            _associate(estate, cluster, association)
        elif app == "web":
            _associate(estate, cluster, "")
        estate.answer(CONTAINERS, cluster, status, why)

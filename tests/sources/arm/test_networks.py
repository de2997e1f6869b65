"""Networks in templates: flow logs and where they stand, and what is no flow log."""

from __future__ import annotations

import json

import pytest

from auditor.applicable import applicable
from auditor.assemble import assemble
from auditor.judge import judge
from auditor.rule import load_rules
from auditor.sources import open_file

SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
RULES = load_rules()
HERE = "[resourceGroup().location]"


def resource(kind, name, properties=None, **more):
    return {"type": f"Microsoft.Network/{kind}", "apiVersion": "2024-05-01", "name": name, "location": HERE,
            "properties": properties or {}, **more}  # fmt: skip


def flow_log(target, enabled=True, **more):
    return resource("networkWatchers/flowLogs", "[format('NetworkWatcher_{0}/{1}', resourceGroup().location, 'flow')]", {
        "targetResourceId": f"[resourceId('Microsoft.Network/{target}', 'net')]", "enabled": enabled,
        "storageId": "[resourceId('Microsoft.Storage/storageAccounts', 'logs')]",
        "retentionPolicy": {"days": 90, "enabled": True}, "format": {"type": "JSON", "version": 2},
    }, **more)  # fmt: skip


NETWORK = resource("virtualNetworks", "net", {
    "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
    "subnets": [{"name": "a", "properties": {
        "addressPrefix": "10.0.0.0/24",
        "networkSecurityGroup": {"id": "[resourceId('Microsoft.Network/networkSecurityGroups', 'net')]"}}}],
})  # fmt: skip
GROUP = resource("networkSecurityGroups", "net", {"securityRules": [{"name": "in", "properties": {
    "priority": 100, "direction": "Inbound", "access": "Allow", "protocol": "*", "sourceAddressPrefix": "*",
    "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "22"}}]})  # fmt: skip
ADDRESS = resource("publicIPAddresses", "ip", sku={"name": "Standard"})
INTERFACE = resource("networkInterfaces", "nic", {"ipConfigurations": [{"name": "x", "properties": {
    "subnet": {"id": "[resourceId('Microsoft.Network/virtualNetworks/subnets', 'net', 'a')]"},
    "publicIPAddress": {"id": "[resourceId('Microsoft.Network/publicIPAddresses', 'ip')]"}}}]})  # fmt: skip
LOGS = {"type": "Microsoft.Storage/storageAccounts", "name": "logs", "location": HERE, "kind": "StorageV2",
        "sku": {"name": "Standard_LRS"}, "properties": {}}  # fmt: skip
EVENTS = {"type": "Microsoft.Insights/diagnosticSettings", "name": "audit",
          "scope": "[resourceId('Microsoft.Network/networkSecurityGroups', 'net')]",
          "properties": {"workspaceId": "[resourceId('Microsoft.OperationalInsights/workspaces', 'log')]",
                         "logs": [{"categoryGroup": "allLogs", "enabled": True}]}}  # fmt: skip
CHILD = {"type": "Microsoft.Network/networkWatchers", "name": "NetworkWatcher_x", "location": HERE, "properties": {},
         "resources": [{**flow_log("virtualNetworks"), "type": "flowLogs", "name": "flow"}]}  # fmt: skip


@pytest.fixture
def statuses(tmp_path):
    def judged(rule, *resources):
        path = tmp_path / "app.json"
        told = {"$schema": SCHEMA, "parameters": {"log": {"type": "bool"}}, "resources": list(resources)}
        path.write_text(json.dumps(told))
        collection = open_file(path)
        asked = applicable([one for one in RULES if one.id == rule], "arm")
        return {f.subject.name: f.status for f in judge(assemble(collection), asked).findings}

    return judged


PUBLIC = (NETWORK, GROUP, ADDRESS, INTERFACE, LOGS)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ([], "fail"),
        ([flow_log("networkSecurityGroups")], "pass"),
        ([flow_log("virtualNetworks")], "pass"),
        ([CHILD], "pass"),
        ([flow_log("networkSecurityGroups", enabled=False)], "fail"),
        ([flow_log("networkSecurityGroups", enabled="[parameters('log')]")], "unknown"),
        ([flow_log("networkSecurityGroups", condition="[parameters('log')]")], "unknown"),
        ([EVENTS], "fail"),  # its events and counters are no flows
    ],
)
def test_a_public_security_group_needs_a_flow_log(more, expected, statuses):
    assert statuses("public-nsg-flow-logs", *PUBLIC, *more) == {"net": expected}


def test_what_may_be_public_may_be_judged(statuses):
    doubtful = [{**INTERFACE, "condition": "[parameters('log')]"}]
    assert statuses("public-nsg-flow-logs", NETWORK, GROUP, ADDRESS, LOGS, *doubtful) == {"net": "unknown"}
    assert statuses("public-nsg-flow-logs", NETWORK, GROUP, LOGS).get("net") != "fail"


def test_rules_and_subnets_of_their_own_are_parts(statuses):
    group = {**GROUP, "properties": {}}
    rule = resource(
        "networkSecurityGroups/securityRules", "net/in", GROUP["properties"]["securityRules"][0]["properties"]
    )
    network = {**NETWORK, "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}}
    subnet = resource("virtualNetworks/subnets", "net/a", NETWORK["properties"]["subnets"][0]["properties"])
    assert statuses("public-nsg-flow-logs", network, subnet, group, rule, ADDRESS, INTERFACE, LOGS) == {"net": "fail"}


def test_a_flow_log_beside_the_watcher_in_its_own_group_is_found(statuses):
    inner = {"$schema": SCHEMA, "parameters": {"id": {"type": "string"}, "logs": {"type": "string"}}, "resources": [
        {**flow_log("virtualNetworks"), "name": "NetworkWatcher_westeurope/flow"}]}  # fmt: skip
    inner["resources"][0]["properties"] = {**inner["resources"][0]["properties"],
                                           "targetResourceId": "[parameters('id')]", "storageId": "[parameters('logs')]"}  # fmt: skip
    deployment = {"type": "Microsoft.Resources/deployments", "name": "flow", "resourceGroup": "NetworkWatcherRG", "properties": {
        "expressionEvaluationOptions": {"scope": "inner"}, "template": inner, "parameters": {
            "id": {"value": "[resourceId('Microsoft.Network/virtualNetworks', 'net')]"},
            "logs": {"value": "[resourceId('Microsoft.Storage/storageAccounts', 'logs')]"}}}}  # fmt: skip
    assert statuses("virtual-network-flow-logs", *PUBLIC, deployment) == {"net": "pass"}
    assert statuses("virtual-network-flow-logs", *PUBLIC) == {"net": "fail"}

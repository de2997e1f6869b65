"""What is read beside log settings: associations with data collection rules, of what collects by them."""

import pytest
from estates import res

from auditor.sources.azure.type_reads import collects_by_rules

VM, SET, ARC, AKS = (
    "Microsoft.Compute/virtualMachines", "Microsoft.Compute/virtualMachineScaleSets", "Microsoft.HybridCompute/machines",
    "Microsoft.ContainerService/managedClusters",
)  # fmt: skip
HIDDEN = {"$unknown": {"reason": "not in Resource Graph"}}
PROFILE = {"extensionProfile": {"extensions": [{"properties": {"type": "AzureMonitorLinuxAgent"}}]}}


@pytest.mark.parametrize(
    ("kind", "name", "properties", "of"),
    [
        pytest.param(f"{VM}/extensions", "vm/a", {"type": "AzureMonitorLinuxAgent"}, "vm", id="agent of a machine"),
        pytest.param(f"{ARC}/extensions", "srv/a", {"type": "azuremonitorwindowsagent"}, "srv", id="agent elsewhere"),
        pytest.param(f"{VM}/extensions", "vm/a", HIDDEN, "vm", id="an extension of which nothing is known"),
        pytest.param(f"{VM}/extensions", "vm/a", {"type": "OmsAgentForLinux"}, "", id="a retired agent"),
        pytest.param(VM, "vm", {}, "", id="a machine by itself"),
        pytest.param(SET, "set", {"virtualMachineProfile": PROFILE}, "set", id="scale set with the agent"),
        pytest.param(SET, "set", {"virtualMachineProfile": {}}, "", id="scale set without"),
        pytest.param(SET, "set", HIDDEN, "set", id="scale set not known"),
        pytest.param(
            AKS, "aks", {"addonProfiles": {"omsAgent": {"enabled": True}}}, "aks", id="cluster with the addon"
        ),
        pytest.param(AKS, "aks", {"addonProfiles": None}, "", id="cluster without"),
        pytest.param("Microsoft.KeyVault/vaults", "kv", HIDDEN, "", id="something else"),
    ],
)
def test_associations_are_read_of_what_collects_by_rules(kind, name, properties, of):
    assert collects_by_rules(res(kind, name, properties)).rpartition("/")[2] == of

"""Whose resource group is it: its owner's, or one that a service made for itself?"""

import pytest

from auditor.documents import RESOURCE_GROUPS
from auditor.facts.managed import managed_facts, managed_groups
from auditor.inventory import Unknown

S, T = "/subscriptions/aaaaaaaa-0000-4000-8000-000000000001", "/subscriptions/aaaaaaaa-0000-4000-8000-000000000002"
CLUSTER = f"{S}/resourceGroups/rg-app/providers/Microsoft.ContainerService/managedClusters/aks"
WORKSPACE = f"{S}/resourceGroups/rg-app/providers/Microsoft.Databricks/workspaces/dbw"
GROUPS = {
    "id": f"{S}/resourcegroups",
    "type": RESOURCE_GROUPS,
    "value": [
        {"id": f"{S}/resourceGroups/MC_app_aks_westeurope", "managedBy": CLUSTER},
        {"id": f"{S}/resourceGroups/databricks-rg-dbw", "managedBy": WORKSPACE},
        {"id": f"{S}/resourceGroups/MC_by_hand", "managedBy": None},
        {"id": f"{S}/resourceGroups/rg-app"},
        {"id": None, "managedBy": CLUSTER},
        "not a group",
    ],
}
REFUSED = {"id": f"{T}/resourcegroups", "type": RESOURCE_GROUPS, "$unknown": {"reason": "not permitted"}}


@pytest.mark.parametrize(
    ("place", "facts"),
    [
        (
            f"{S}/resourcegroups/mc_app_aks_westeurope/providers/x.y/z/n".lower(),
            {"managed": True, "managed_by": CLUSTER},
        ),
        (f"{S}/resourcegroups/databricks-rg-dbw/providers/x.y/z/n", {"managed": True, "managed_by": WORKSPACE}),
        (f"{S}/resourcegroups/mc_by_hand/providers/x.y/z/n", {}),  # a name proves nothing
        (f"{S}/resourcegroups/rg-app/providers/x.y/z/n", {}),
        (f"{S}/resourcegroups/never-seen/providers/x.y/z/n", {}),
        (S, {}),
        ("/providers/microsoft.aadiam/tenants/t", {}),
        (T, {}),
    ],
)
def test_a_resource_is_managed(place, facts):
    assert managed_facts(place, managed_groups([GROUPS, REFUSED])) == facts


def test_groups_that_were_not_read_leave_it_open():
    facts = managed_facts(f"{T}/resourcegroups/rg/providers/x.y/z/n", managed_groups([GROUPS, REFUSED]))
    assert isinstance(facts["managed"], Unknown)
    assert "not permitted" in facts["managed"].reason
    assert facts["managed_by"] == facts["managed"]


def test_a_snapshot_without_the_lists_says_nothing_of_it():
    assert managed_facts(f"{S}/resourcegroups/rg/providers/x.y/z/n", managed_groups([])) == {}

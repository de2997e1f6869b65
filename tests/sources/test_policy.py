"""Log settings that a policy makes: what a file assigns is unknown until Azure is read, and nothing else is."""

import json

import pytest

from auditor.assemble import assemble
from auditor.documents import Collection, Run
from auditor.judge import judge
from auditor.rule import load_rules
from auditor.sources.policy import with_policies

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000001"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg"
BUILT_IN = "/providers/Microsoft.Authorization/policyDefinitions/"
INITIATIVE = "/providers/Microsoft.Authorization/policySetDefinitions/f5b29bc4-feca-4cc6-a58a-772dd5e290a5"
ASKED = {"keyvault-audit-logs", "storage-blob-access-logs", "virtual-network-flow-logs"}
RULES = [rule for rule in load_rules() if rule.id in ASKED]
KINDS = {"kv": "Microsoft.KeyVault/vaults", "st": "Microsoft.Storage/storageAccounts",
         "vnet": "Microsoft.Network/virtualNetworks"}  # fmt: skip


def resource(name, kind, **properties):
    return {"id": f"{GROUP}/providers/{kind}/{name}", "type": kind, "name": name, "location": "westeurope",
            "properties": properties}  # fmt: skip


def estate():
    network = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/vnet"
    subnets = [{"id": f"{network}/subnets/s", "name": "s", "properties": {"addressPrefix": "10.0.0.0/24"}}]
    inner = {"subnet": {"id": subnets[0]["id"]}}
    interface = resource("nic", "Microsoft.Network/networkInterfaces",
                         ipConfigurations=[{"name": "ip", "properties": inner}])  # fmt: skip
    named = [resource(name, kind, **({"subnets": subnets} if name == "vnet" else {})) for name, kind in KINDS.items()]
    return [*named, interface]


def assigned(policy, *, scope=SUBSCRIPTION, name="logs", **more):
    shown = f"{scope}/providers/Microsoft.Authorization/policyAssignments/{name}"
    return {"id": shown, "type": "Microsoft.Authorization/policyAssignments", "name": name,
            "properties": {"policyDefinitionId": policy, **more}}  # fmt: skip


def definition(name, rule, **more):
    shown = f"{SUBSCRIPTION}{BUILT_IN}{name}"
    return {"id": shown, "type": "Microsoft.Authorization/policyDefinitions", "name": name,
            "properties": {"policyRule": rule, **more}}  # fmt: skip


def makes(condition, kind="Microsoft.Insights/diagnosticSettings", effect="DeployIfNotExists"):
    return {"if": condition, "then": {"effect": effect, "details": {"type": kind}}}


def statuses(*documents, source="terraform"):
    run = Run(source=source, finished_at="2026-11-22T00:00:00Z")
    report = judge(assemble(with_policies(Collection(documents=[*estate(), *documents], run=run))), RULES)
    own = [finding for finding in report.findings if finding.subject.name in ("kv", "st/blob", "vnet")]
    return {finding.subject.name: finding.status for finding in own}, report


ALL_FAIL = {"kv": "fail", "st/blob": "fail", "vnet": "fail"}
VAULT_TYPE = {"field": "type", "equals": "Microsoft.KeyVault/vaults"}
CASES = {
    "none": ([], ALL_FAIL),
    "the audit initiative, which has no storage service": ([assigned(INITIATIVE)], {**ALL_FAIL, "kv": "unknown"}),
    "in another case": ([assigned(INITIATIVE.upper())], {**ALL_FAIL, "kv": "unknown"}),
    "narrowed to another type": (
        [assigned(INITIATIVE, parameters={"resourceTypeList": {"value": ["Microsoft.Web/sites"]}})], ALL_FAIL),
    "not enforced": ([assigned(INITIATIVE, enforcementMode="DoNotEnforce")], ALL_FAIL),
    "switched off": ([assigned(INITIATIVE, parameters={"effect": {"value": "Disabled"}})], ALL_FAIL),
    "switched off, as Terraform holds it": (
        [assigned(INITIATIVE, parameters='{"effect": {"value": "AuditIfNotExists"}}')], ALL_FAIL),
    "one policy for vaults": ([assigned(BUILT_IN + "951af2fa-529b-416e-ab6e-066fd85ac459")],
                              {**ALL_FAIL, "kv": "unknown"}),
    "one policy for blobs": ([assigned(BUILT_IN + "b4fe1a3b-0715-4c6c-a5ea-ffc33cf823cb")],
                             {**ALL_FAIL, "st/blob": "unknown"}),
    "one that only looks": ([assigned(BUILT_IN + "cf820ca0-f99e-4f3e-84fb-66e913812d21")], ALL_FAIL),
    "one about something else": ([assigned(BUILT_IN + "e56962a6-4747-49cd-b67b-bf8b01975c4c",
                                           displayName="diagnostics in allowed locations")], ALL_FAIL),
    "flow logs": ([assigned(BUILT_IN + "cd6f7aff-2845-4dab-99f2-6d1754a754b0")], {**ALL_FAIL, "vnet": "unknown"}),
    "another resource group": ([assigned(INITIATIVE, scope=f"{SUBSCRIPTION}/resourceGroups/other")], ALL_FAIL),
    "the resource group": ([assigned(INITIATIVE, scope=GROUP.upper())], {**ALL_FAIL, "kv": "unknown"}),
    "a definition of one's own": (
        [definition("own", makes({"allOf": [VAULT_TYPE, {"field": "location", "in": ["x"]}]})),
         assigned(f"{SUBSCRIPTION}{BUILT_IN}own")], {**ALL_FAIL, "kv": "unknown"}),
    "as a text, in a set": (
        [definition("own", json.dumps(makes(VAULT_TYPE, effect="[parameters('effect')]"))),
         {**definition("set", None), "id": f"{SUBSCRIPTION}/providers/Microsoft.Authorization/policySetDefinitions/set",
          "type": "Microsoft.Authorization/policySetDefinitions",
          "properties": {"policyDefinitions": [{"policyDefinitionId": f"{SUBSCRIPTION}{BUILT_IN}own"}]}},
         assigned(f"{SUBSCRIPTION}/providers/Microsoft.Authorization/policySetDefinitions/set")],
        {**ALL_FAIL, "kv": "unknown"}),
    "defined, never assigned": ([definition("own", makes(VAULT_TYPE))], ALL_FAIL),
    "one's own that deploys something else": (
        [definition("own", makes(VAULT_TYPE, kind="Microsoft.Security/pricings")),
         assigned(f"{SUBSCRIPTION}{BUILT_IN}own")], ALL_FAIL),
    "not known which, but named for it": (
        [assigned({"$unknown": {"reason": "var.policy"}}, displayName="Diagnostics to the workspace")],
        {**ALL_FAIL, "kv": "unknown", "st/blob": "unknown"}),
    "not known which": ([assigned({"$unknown": {"reason": "var.policy"}}, displayName="Locations")], ALL_FAIL),
    "another subscription": (
        [assigned(INITIATIVE, scope="/subscriptions/11111111-1111-1111-1111-111111111111")], {**ALL_FAIL, "kv": "unknown"}),
    "a management group": (
        [assigned(INITIATIVE, scope="/providers/Microsoft.Management/managementGroups/mg")],
        {**ALL_FAIL, "kv": "unknown"}),
    "another resource": (
        [assigned(INITIATIVE, scope=f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv2")], ALL_FAIL),
    "the resource itself": (
        [assigned(INITIATIVE, scope=f"{GROUP}/providers/Microsoft.KeyVault/vaults/KV")],
        {**ALL_FAIL, "kv": "unknown"}),
    "all but this resource group": ([assigned(INITIATIVE, notScopes=[GROUP.upper()])], ALL_FAIL),
    "all but another resource group": (
        [assigned(INITIATIVE, notScopes=[GROUP + "2", "", 7])], {**ALL_FAIL, "kv": "unknown"}),
    "one's own that is off unless it is said": (
        [definition("own", makes(VAULT_TYPE, effect="[parameters('How')]"),
                    parameters=json.dumps({"How": {"type": "String", "defaultValue": "Disabled"}})),
         assigned(f"{SUBSCRIPTION}{BUILT_IN}own")], ALL_FAIL),
    "one's own that is off, as it is said": (
        [definition("own", makes(VAULT_TYPE, effect="[parameters('logEffect')]"),
                    parameters={"logEffect": {"defaultValue": "DeployIfNotExists"}}),
         assigned(f"{SUBSCRIPTION}{BUILT_IN}own", parameters={"logEffect": {"value": "Disabled"}})], ALL_FAIL),
    "one's own that is off unless it is said, and it is said": (
        [definition("own", makes(VAULT_TYPE, effect="[parameters('how')]"),
                    parameters={"how": {"defaultValue": "Disabled"}}),
         assigned(f"{SUBSCRIPTION}{BUILT_IN}own", parameters={"how": {"value": "DeployIfNotExists"}})],
        {**ALL_FAIL, "kv": "unknown"}),
    "elsewhere, named as one that only looks": (
        [assigned("/providers/Microsoft.Management/managementGroups/mg" + BUILT_IN + "Audit-Diagnostics")], ALL_FAIL),
    "elsewhere, named as one that sets": (
        [assigned("/providers/Microsoft.Management/managementGroups/mg" + BUILT_IN + "Deploy-Diagnostics-Vault")],
        {**ALL_FAIL, "kv": "unknown", "st/blob": "unknown"}),
    "nonsense": ([assigned(7, parameters=[1], scope=3), definition("x", [1], displayName=4)], ALL_FAIL),
}  # fmt: skip


@pytest.mark.parametrize(("documents", "wanted"), CASES.values(), ids=CASES)
def test_what_a_policy_covers_is_unknown_and_nothing_else(documents, wanted):
    assert statuses(*documents)[0] == wanted


def test_the_reason_the_code_and_the_way_out_are_told():
    _, report = statuses(assigned(INITIATIVE))
    (why,) = next(finding for finding in report.findings if finding.subject.name == "kv").why_unknown
    assert why.reason.endswith("set by policy (logs): verify live")
    assert (why.code, why.grant) == ("set-by-policy", "scan Azure itself once the policy has been applied")
    assert report.completeness.unknown == 0 and report.unread == []


def test_a_setting_in_the_code_still_passes():
    workspace = f"{GROUP}/providers/Microsoft.OperationalInsights/workspaces/law"
    shown = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv/providers/Microsoft.Insights/diagnosticSettings"
    properties = {"workspaceId": workspace, "logs": [{"categoryGroup": "audit", "enabled": True}]}
    own = {"id": shown, "type": "Microsoft.Insights/diagnosticSettings",
           "value": [{"id": f"{shown}/x", "name": "x", "properties": properties}]}  # fmt: skip
    law = resource("law", "Microsoft.OperationalInsights/workspaces")
    assert statuses(own, law, assigned(INITIATIVE))[0] == {**ALL_FAIL, "kv": "pass"}


def test_azure_itself_needs_no_such_guess():
    documents = [*estate(), assigned(INITIATIVE)]
    collection = Collection(documents=documents, run=Run())
    assert with_policies(collection) is collection


def test_an_assignment_to_a_subscription_speaks_of_no_other(monkeypatch):
    real = "/subscriptions/22222222-2222-2222-2222-222222222222"
    monkeypatch.setattr(f"{__name__}.GROUP", f"{real}/resourceGroups/rg")
    flows = BUILT_IN + "cd6f7aff-2845-4dab-99f2-6d1754a754b0"
    for policy, name in ((INITIATIVE, "kv"), (flows, "vnet")):
        there = assigned(policy, scope="/subscriptions/11111111-1111-1111-1111-111111111111")
        assert statuses(there)[0] == ALL_FAIL
        assert statuses(assigned(policy, scope=real.upper()))[0] == {**ALL_FAIL, name: "unknown"}
        assert statuses(assigned(policy))[0] == {**ALL_FAIL, name: "unknown"}  # it does not tell which


def test_a_name_tells_nothing_of_a_resource_group_in_its_words():
    assert statuses(assigned(INITIATIVE, scope=f"{GROUP}2"))[0] == ALL_FAIL

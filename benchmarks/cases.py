"""What `run.py` measures, one case a process: `python benchmarks/cases.py judge`."""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from auditor.catalog import categories_of
from auditor.documents import Collection, Document, Run, categories_id, settings_id, type_of

SUBSCRIPTIONS = 50
RESOURCES = 100_000
# type → share of a large estate, roughly as Resource Graph counts them in one
MIX = {
    "Microsoft.KeyVault/vaults": 6,
    "Microsoft.Storage/storageAccounts": 8,
    "Microsoft.Network/networkSecurityGroups": 8,
    "Microsoft.Network/networkInterfaces": 18,
    "Microsoft.Network/publicIPAddresses": 5,
    "Microsoft.Network/virtualNetworks": 4,
    "Microsoft.Compute/virtualMachines": 16,
    "Microsoft.Compute/disks": 18,
    "Microsoft.Web/sites": 7,
    "Microsoft.Sql/servers/databases": 5,
    "Microsoft.ManagedIdentity/userAssignedIdentities": 5,
}
REGIONS = ("westeurope", "northeurope", "uksouth", "eastus")


def documents(count: int = RESOURCES, spread: int = SUBSCRIPTIONS) -> Iterator[Document]:
    """A synthetic estate: plausible shapes, a fixed seed, settings on most of what can log; `spread` subscriptions."""
    choose = random.Random(7)
    subscriptions = [f"00000000-0000-0000-0000-{n:012d}" for n in range(spread)]
    central = f"/subscriptions/{subscriptions[0]}/resourceGroups/rg-logs/providers/Microsoft.OperationalInsights/workspaces/law"
    for subscription in subscriptions:
        yield {"id": f"/subscriptions/{subscription}", "type": "Microsoft.Resources/subscriptions",
               "subscriptionId": subscription, "displayName": f"sub-{subscription[-3:]}", "state": "Enabled"}  # fmt: skip
        yield {"id": settings_id(f"/subscriptions/{subscription}"), "type": "Microsoft.Insights/diagnosticSettings",
               "value": [setting(central, ["Administrative", "Security", "Policy", "Alert"])]}  # fmt: skip
        for region in REGIONS:
            watcher = resource(subscription, "Microsoft.Network/networkWatchers", f"nw-{region}", region,
                               {"provisioningState": "Succeeded"})  # fmt: skip
            yield watcher
            yield {"id": f"{watcher['id']}/flowLogs", "type": "Microsoft.Network/networkWatchers/flowLogs", "value": []}
            network = network_id(subscription, region)
            subnets = [{"id": f"{network}/subnets/s{n}", "name": f"s{n}", "properties": {}} for n in range(5)]
            yield resource(subscription, "Microsoft.Network/virtualNetworks", f"vnet-{region}", region,
                           {"addressSpace": {"addressPrefixes": ["10.0.0.0/8"]}, "subnets": subnets})  # fmt: skip
    yield {"id": central, "type": "Microsoft.OperationalInsights/workspaces", "name": "law", "location": "westeurope",
           "properties": {"retentionInDays": 90, "sku": {"name": "PerGB2018"}, "features": {}}}  # fmt: skip
    yield {"id": f"{central}/tables", "type": "Microsoft.OperationalInsights/workspaces/tables",
           "value": [{"id": f"{central}/tables/{t}", "name": t, "properties": {"retentionInDays": 90,
                      "totalRetentionInDays": 365, "plan": "Analytics"}}
                     for t in ("AzureActivity", "AZKVAuditLogs", "AzureDiagnostics", "StorageBlobLogs")]}  # fmt: skip
    kinds = choose.choices(list(MIX), list(MIX.values()), k=count)
    listed: set[str] = set()
    for n, kind in enumerate(kinds):
        subscription = subscriptions[n % spread]
        for document in one(choose, subscription, kind, n, choose.choice(REGIONS), central):
            yield document
            scope = document["id"].partition("/providers/Microsoft.Insights")[0]
            logged = type_of(scope).lower()
            if scope != document["id"] and logged not in listed:  # read once for each kind, as a scan does
                listed.add(logged)
                yield {"id": categories_id(scope), "type": "Microsoft.Insights/diagnosticSettingsCategories", "value": [
                    {"name": name, "properties": {"categoryType": "Logs", "categoryGroups": ["audit", "allLogs"]}}
                    for name in categories_of(logged) if name != "FlowLog"]}  # fmt: skip


def one(choose: random.Random, subscription: str, kind: str, n: int, region: str, central: str) -> Iterator[Document]:
    """One resource with what is read beside it."""
    name = f"{kind.rpartition('/')[2][:4].lower()}{n:06d}"
    properties: dict[str, object] = {"provisioningState": "Succeeded"}
    scopes: list[str] = []
    made = resource(subscription, kind, name, region, properties, n)
    if kind == "Microsoft.Storage/storageAccounts":
        properties["primaryEndpoints"] = {
            s: f"https://{name}.{s}.core.windows.net/" for s in ("blob", "queue", "table", "file")
        }
        made |= {"kind": "StorageV2", "sku": {"name": "Standard_LRS"}}
        scopes = [f"{made['id']}/{s}Services/default" for s in ("blob", "queue", "table", "file")]
    elif kind == "Microsoft.Network/networkSecurityGroups":
        properties["securityRules"] = [{"name": "in", "properties": {
            "direction": "Inbound", "access": "Allow", "protocol": "Tcp", "priority": 100, "destinationPortRange": "443",
            "sourceAddressPrefix": "*" if n % 3 else "10.0.0.0/8", "destinationAddressPrefix": "*"}}]  # fmt: skip
        scopes = [made["id"]]
    elif kind == "Microsoft.Network/networkInterfaces":
        properties["ipConfigurations"] = [{"id": f"{made['id']}/ipConfigurations/a", "properties": {
            "subnet": {"id": f"{network_id(subscription, region)}/subnets/s{n % 5}"}, "privateIPAddress": "10.0.0.4"}}]  # fmt: skip
    elif kind not in ("Microsoft.Compute/virtualMachines", "Microsoft.Compute/disks",
                      "Microsoft.ManagedIdentity/userAssignedIdentities"):  # fmt: skip
        scopes = [made["id"]]
    yield made
    for scope in scopes:
        roll = choose.random()
        document: Document = {"id": settings_id(scope), "type": "Microsoft.Insights/diagnosticSettings"}
        if roll < 0.02:
            document["$unknown"] = {"reason": "no permission", "status": 403, "code": "AuthorizationFailed"}
        else:
            document["value"] = [setting(central, None)] if roll < 0.7 else []
        yield document


def network_id(subscription: str, region: str) -> str:
    """The id of a subscription's network in a region."""
    return resource(subscription, "Microsoft.Network/virtualNetworks", f"vnet-{region}", region, {})["id"]


def resource(
    subscription: str, kind: str, name: str, region: str, properties: dict[str, object], n: int = 0
) -> Document:
    """An ARM resource."""
    return {
        "id": f"/subscriptions/{subscription}/resourceGroups/rg-{n % 200}/providers/{kind.replace('/databases', f'/srv-{n % 500}/databases')}/{name}",
        "type": kind.lower(),
        "name": name,
        "location": region,
        "tags": {"env": "prod", "owner": f"team-{n % 20}"},
        "properties": properties,
    }


def setting(workspace: str, categories: list[str] | None) -> Document:
    """A diagnostic setting with these categories, or with the group allLogs."""
    logs: list[Document] = [{"categoryGroup": "allLogs", "enabled": True}]
    if categories is not None:
        logs = [{"category": c, "enabled": True} for c in categories]
    return {"name": "central", "properties": {"workspaceId": workspace, "logs": logs, "metrics": []}}


def judge_case() -> None:
    """Documents → report."""
    from auditor.cli.run import judged
    from auditor.rule import load_rules

    collection = Collection(documents=list(documents()), run=Run(finished_at="2026-11-22T07:20:00Z"))
    began = time.process_time()
    report = judged(collection, load_rules(), "Benchmark")
    spent = time.process_time() - began
    print(f"{spent:.1f} s of it judging, the rest making the documents; {len(report.findings):,} findings")


def html_case() -> None:
    """5,000 failing findings and 3,000 resources → HTML."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "formats"))
    from conftest import big_report

    from auditor.formats.html import render

    report = big_report(findings=5_000, resources=3_000)
    began = time.process_time()
    text = render(report)
    print(f"{time.process_time() - began:.1f} s of it rendering; {len(text.encode()) / 1_000_000:.2f} MB")


def yardstick_case() -> None:
    """The standard library's json over the same documents."""
    text = json.dumps(list(documents()))
    print(f"{len(json.loads(text)):,} documents, {len(text) / 1_000_000:.0f} MB")


if __name__ == "__main__":
    {"judge": judge_case, "html": html_case, "yardstick": yardstick_case}[sys.argv[1]]()

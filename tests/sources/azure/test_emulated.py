"""The whole scan against an emulated Azure: what the estate holds is what is collected."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from auditor.documents import Collection, storage_analytics_id
from auditor.emulator import Emulator, Fault, running
from auditor.sources.azure.collect import collect_now

TENANT = "11111111-aaaa-4aaa-8aaa-000000000001"
SUB = "aaaaaaaa-0000-4000-8000-000000000001"
CLOSED = "aaaaaaaa-0000-4000-8000-000000000002"
FAR = "aaaaaaaa-0000-4000-8000-000000000003"
RG = f"/subscriptions/{SUB}/resourceGroups/rg-app/providers"
VAULT = f"{RG}/Microsoft.KeyVault/vaults/kv-one"
STALE = f"{RG}/Microsoft.KeyVault/vaults/kv-two"
ACCOUNT = f"{RG}/Microsoft.Storage/storageAccounts/stone"
WATCHER = f"{RG}/Microsoft.Network/networkWatchers/nw"
WORKSPACE = f"{RG}/Microsoft.OperationalInsights/workspaces/law"
GONE = f"{RG}/Microsoft.OperationalInsights/workspaces/gone"
CENTRAL = f"/subscriptions/{FAR}/resourceGroups/logs/providers/Microsoft.OperationalInsights/workspaces/central"
ROOT = "/providers/Microsoft.Management/managementGroups/root"
SETTINGS = "Microsoft.Insights/diagnosticSettings"
LIST = "Microsoft.Resources/subscriptions/resources"
LOGGING = {"version": "2.0", "read": True, "write": True, "delete": False,
           "retentionPolicy": {"enabled": True, "days": 30}}  # fmt: skip


def setting(of: str, name: str, **properties: Any) -> dict[str, Any]:
    return {"id": f"{of}/providers/{SETTINGS}/{name}", "type": SETTINGS, "name": name, "properties": properties}


def resource(resource_id: str, of_type: str, **rest: Any) -> dict[str, Any]:
    name = resource_id.rpartition("/")[2]
    return {"id": resource_id, "type": of_type, "name": name, "location": "westeurope", "properties": {}, **rest}


def documents() -> list[dict[str, Any]]:
    endpoints = {s: f"https://stone.{s}.core.windows.net/" for s in ("blob", "queue", "table", "file")}
    denied = {"reason": "no", "status": 403, "code": "AuthorizationFailed"}
    flow_log = resource(f"{WATCHER}/flowLogs/fl", "Microsoft.Network/networkWatchers/flowLogs")
    return [
        {"id": f"/subscriptions/{SUB}", "type": "Microsoft.Resources/subscriptions", "displayName": "Open",
         "state": "Enabled"},
        {"id": f"/subscriptions/{CLOSED}", "type": "Microsoft.Resources/subscriptions", "displayName": "Closed",
         "state": "Disabled"},
        {"id": f"/subscriptions/{CLOSED}/resources", "type": "Microsoft.Resources/subscriptions/resources",
         "$unknown": denied},
        {"id": ROOT, "type": "Microsoft.Management/managementGroups", "name": "root", "properties": {}},
        resource(VAULT, "Microsoft.KeyVault/vaults", tags={"env": "prod"}),
        {"id": f"{VAULT}/providers/{SETTINGS}", "type": SETTINGS,
         "value": [setting(VAULT, n, workspaceId=w) for n, w in (("a", WORKSPACE), ("b", GONE), ("c", CENTRAL))]},
        resource(STALE, "Microsoft.KeyVault/vaults"),
        {"id": f"{STALE}/providers/{SETTINGS}", "type": SETTINGS,
         "$absent": {"status": 404, "code": "ResourceNotFound"}},
        resource(ACCOUNT, "Microsoft.Storage/storageAccounts", kind="StorageV2", sku={"name": "Standard_LRS"},
                 properties={"primaryEndpoints": endpoints}),
        {"id": storage_analytics_id(ACCOUNT, "blob"), "type": "Auditor/storageAnalytics",
         "properties": {"logging": LOGGING}},
        {"id": storage_analytics_id(ACCOUNT, "queue"), "type": "Auditor/storageAnalytics",
         "$unknown": {"reason": "firewall", "status": 403, "code": "AuthorizationPermissionMismatch"}},
        resource(WATCHER, "Microsoft.Network/networkWatchers"),
        {"id": f"{WATCHER}/flowLogs", "type": "Microsoft.Network/networkWatchers/flowLogs",
         "value": [{**flow_log, "properties": {"storageId": ACCOUNT}}]},
        resource(WORKSPACE, "Microsoft.OperationalInsights/workspaces"),
        {"id": f"{WORKSPACE}/tables", "type": "Microsoft.OperationalInsights/workspaces/tables",
         "value": [{"id": f"{WORKSPACE}/tables/{n}", "name": n} for n in ("A", "B", "C", "D", "E", "F")]},
        {"id": GONE, "type": "Microsoft.OperationalInsights/workspaces",
         "$absent": {"status": 404, "code": "ResourceNotFound"}},
        {"id": CENTRAL, "type": "Microsoft.OperationalInsights/workspaces", "$unknown": denied},
        {"id": "/providers/microsoft.graph/subscribedSkus", "type": "microsoft.graph/subscribedSkus",
         "value": [{"skuPartNumber": "SPE_E5"}]},
    ]  # fmt: skip


@pytest.fixture
def estate(tmp_path: Path) -> Path:
    file = tmp_path / "estate.json"
    tenant = {"id": TENANT, "displayName": "Tiny", "defaultDomain": "tiny.example"}
    file.write_text(json.dumps({"format": 1, "tenant": tenant, "pageSize": 3, "documents": documents()}))
    return file


def scan(emulator: Emulator, **options: Any) -> Collection:
    calls: dict[str, Callable[..., None]] = {k: options.pop(k) for k in ("keep", "progress") if k in options}
    return collect_now(emulator.scan_options(**{"retry_backoff": 0.001, **options}), **calls)


def index(collection: Collection) -> dict[tuple[str, str], dict[str, Any]]:
    return {(doc["id"].lower(), doc["type"].lower()): doc for doc in collection.documents}


def test_what_the_estate_holds_is_what_is_collected(estate: Path) -> None:
    with running(estate) as emulator:
        collection = scan(emulator)

    found = index(collection)
    for expected in documents():
        document = found[expected["id"].lower(), expected["type"].lower()]
        for key in ("value", "$absent", "name", "tags", "sku", "displayName", "state"):
            assert document.get(key) == expected.get(key), (expected["id"], key)
        if "$unknown" in expected:
            assert document["$unknown"]["code"] == expected["$unknown"]["code"]
        elif "Endpoints" not in str(expected):  # the emulator puts its own in their place
            assert document.get("properties") == expected.get("properties"), expected["id"]
    assert emulator.writes == []
    assert collection.run.tenant == TENANT
    assert collection.run.requests == sum(emulator.requests.values()) - emulator.requests["POST /*/oauth2/v2.0/token"]


def test_a_denied_subscription_is_unknown_and_says_what_to_grant(estate: Path) -> None:
    with running(estate) as emulator:
        collection = scan(emulator)

    why = index(collection)[f"/subscriptions/{CLOSED}/resources", "microsoft.resources/subscriptions/resources"]
    assert why["$unknown"]["action"].lower().endswith("/read")
    assert why["$unknown"]["grant"] == (
        f"az role assignment create --assignee {emulator.client_id} --role Reader --scope /subscriptions/{CLOSED}"
    )
    denied = [doc for doc in collection.documents if doc.get("$unknown", {}).get("status") == 403]
    assert collection.run.denied == len(denied) > 1


def test_both_ways_to_list_an_estate_give_the_same(estate: Path) -> None:
    def no_resource_graph(method: str, path: str, nth: int) -> Fault | None:
        return Fault(status=403) if method == "POST" and "resourcegraph" in path.lower() else None

    with running(estate) as emulator:
        by_graph = scan(emulator)
    with running(estate, faults=no_resource_graph) as emulator:
        by_arm = scan(emulator)

    def essence(collection: Collection) -> dict[tuple[str, str], Any]:
        return {
            key: doc.get("value") or doc.get("$absent") or doc.get("$unknown") or doc.get("name")
            for key, doc in index(collection).items()
        }

    assert essence(by_arm) == essence(by_graph)
    assert index(by_arm)[VAULT.lower(), "microsoft.keyvault/vaults"]["properties"] == {}


def test_passing_faults_change_nothing(estate: Path) -> None:
    kinds = [
        Fault(status=429, headers={"Retry-After": "0"}),
        Fault(status=503),
        Fault(reset=True),
        Fault(truncate=True),
    ]

    def first_time(method: str, path: str, nth: int) -> Fault | None:
        return kinds[len(path) % 4] if nth == 1 and "oauth2" not in path else None

    with running(estate) as emulator:
        calm = scan(emulator)
    with running(estate, faults=first_time) as emulator:
        stormy = scan(emulator)

    assert [(d["id"], d["type"]) for d in stormy.documents] == [(d["id"], d["type"]) for d in calm.documents]
    assert [d.get("$unknown") for d in stormy.documents] == [d.get("$unknown") for d in calm.documents]
    assert stormy.run.requests > calm.run.requests
    assert stormy.run.throttled > 0


def test_an_interrupted_scan_gives_what_was_read(estate: Path) -> None:
    def interrupt(document: dict[str, Any]) -> None:
        if document["id"].lower() == f"{VAULT}/providers/{SETTINGS}".lower():
            os.kill(os.getpid(), signal.SIGINT)

    with running(estate) as emulator:
        collection = scan(emulator, keep=interrupt, concurrency=1)

    assert collection.run.interrupted
    found = index(collection)
    assert (VAULT.lower(), "microsoft.keyvault/vaults") in found
    tables = found[f"{WORKSPACE}/tables".lower(), "microsoft.operationalinsights/workspaces/tables"]
    assert tables["$unknown"] == {"reason": "interrupted before it was read"}


@pytest.mark.parametrize("step", ["tenant", "management_groups", "resources"])
def test_what_an_interrupted_scan_did_not_list_is_a_gap(
    estate: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    async def interrupted(reader: Any, *_: Any) -> None:
        reader.keep({"id": f"/subscriptions/{CLOSED}/resources", "type": LIST, "$unknown": {"reason": "refused"}})
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(60)

    monkeypatch.setattr(f"auditor.sources.azure.inventory.{step}", interrupted)
    with running(estate) as emulator:
        collection = scan(emulator)

    assert collection.run.interrupted
    gaps = {doc["id"]: doc["$unknown"]["reason"] for doc in collection.documents if doc["type"] == LIST}
    assert "interrupted" in gaps[f"/subscriptions/{SUB}/resources"]
    assert gaps[f"/subscriptions/{CLOSED}/resources"] == "refused"

"""The estate as Resource Manager lists it: the same findings, nothing written, nothing lost, as it came on the wire."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
from conftest import AS_OF, CONTOSO
from faulty import RULES, changes, documents, serving, sum_is_intact

from auditor.cli.run import judged
from auditor.documents import NOT_ASKED, RESOURCE_LIST, Collection, marker
from auditor.emulator import Fault, running
from auditor.formats.json import render
from auditor.sources import journal as journals
from auditor.sources.azure import arm_clients, arm_inventory, collect, reads
from auditor.sources.azure.collect import collect_now

NO = (403, {"error": {"code": "AuthorizationFailed", "message": "no"}})


def at(azure: Any, of_type: str, name: str) -> str:
    return f"/subscriptions/{azure.SUB}/resourceGroups/rg/providers/{of_type}/{name}"


def nsg(azure: Any, name: str, **properties: Any) -> dict[str, Any]:
    kind = "Microsoft.Network/networkSecurityGroups"
    return {"id": at(azure, kind, name), "name": name, "type": kind, "location": "westeurope", "properties": properties}


def listed(azure: Any, *resources: dict[str, Any]) -> None:
    """What the list of all resources shows: no properties."""
    rows = [{key: value for key, value in one.items() if key != "properties"} for one in resources]
    azure[f"/subscriptions/{azure.SUB}/resources"] = {"value": rows}


def typed(azure: Any, of_type: str, answer: Any) -> str:
    path = f"/subscriptions/{azure.SUB}/providers/{of_type}"
    azure[path] = answer
    return path.lower()


def asked(azure: Any) -> Counter[str]:
    return Counter(f"{seen.method} {seen.path}" for seen in azure.seen)


# --- the same as by Resource Graph ---


def test_contoso_gives_the_same_report_either_way(contoso: Any, collection: Collection) -> None:
    before = Counter(contoso.asked)
    other = collect_now(contoso.scan_options(inventory="arm"), clock=lambda: AS_OF)

    def essence(of: Collection) -> str:
        report = judged(of, RULES, "Contoso")
        run = msgspec.structs.replace(report.run, requests=0, api_versions={}, inventory="")
        return render(msgspec.structs.replace(report, run=run))

    assert essence(other) == essence(collection)
    assert (collection.run.inventory, other.run.inventory) == ("graph", "arm")
    assert contoso.writes == []
    now = contoso.asked - before
    assert {request for request, times in now.items() if times > 1 and "oauth2" not in request} == set()
    assert not [request for request in now if "resourcegraph" in request.lower()]


def test_what_rules_look_into_can_be_read_one_by_one() -> None:
    looked_into = {
        kind for rule in RULES for kind in rule.resources if any(path.startswith("properties.") for path in rule.paths)
    }
    elsewhere = {  # not in any list of resources: a source makes them, or they are read in a way of their own
        "microsoft.resources/subscriptions",
        "microsoft.insights/logprofiles",
        "microsoft.storage/storageaccounts/blobservices",
    }
    unreadable = {kind for kind in looked_into if "*" not in kind and reads.resource_read(kind) is None}
    assert {kind.lower() for kind in unreadable} <= elsewhere


# --- as it came ---


def test_what_no_model_knows_is_kept_as_it_came(azure: Any) -> None:
    group = nsg(azure, "web", securityRules=[], fromTheFuture={"a": [None, 1.50, "x"]}, provisioningState=None)
    group["oddField"] = {"$x": "{endpoint}"}
    listed(azure, group)
    path = typed(azure, "Microsoft.Network/networkSecurityGroups", {"value": [group]})
    alert = {"id": at(azure, "Microsoft.Insights/activityLogAlerts", "a"), "name": "a",
             "type": "Microsoft.Insights/ActivityLogAlerts", "properties": {"later": {"b": None}}}  # fmt: skip
    typed(azure, "Microsoft.Insights/activityLogAlerts", {"value": [alert]})

    collection = azure.scan(inventory="arm")

    assert azure.one(collection, group["id"]) == group
    assert azure.one(collection, alert["id"]) == alert, "what only its service's list shows is there too"
    seen = next(seen for seen in azure.seen if seen.path == path)
    assert seen.query["api-version"] == reads.RESOURCE_VERSIONS["Microsoft.Network/networkSecurityGroups"]
    assert asked(azure)[f"GET {group['id'].lower()}"] == 0, "listed with its properties, it is not read again"


def test_every_typed_list_asks_for_what_it_says(azure: Any) -> None:
    listed(azure)
    paths = {
        typed(azure, row.read.type, {"value": []}): row.read.api_version for row in arm_inventory.TYPED_LISTS
    }  # fmt: skip

    collection = azure.scan(inventory="arm")

    versions = {seen.path: seen.query["api-version"] for seen in azure.seen if seen.path in paths}
    assert versions == paths
    assert collection.run.api_versions.items() >= {
        (row.read.type, row.read.api_version) for row in arm_inventory.TYPED_LISTS
    }


def test_a_type_without_a_list_of_its_own_is_read_by_id_or_left_unknown(azure: Any) -> None:
    gateway = {"id": at(azure, "Microsoft.Network/virtualNetworkGateways", "vpn"), "name": "vpn",
               "type": "Microsoft.Network/virtualNetworkGateways", "properties": {"gatewayType": "Vpn"}}  # fmt: skip
    disk = {"id": at(azure, "Microsoft.Compute/disks", "d"), "name": "d", "type": "Microsoft.Compute/disks"}
    listed(azure, gateway, disk)
    azure[gateway["id"]] = gateway

    collection = azure.scan(inventory="arm")

    assert azure.one(collection, gateway["id"]) == gateway
    assert azure.one(collection, disk["id"])["properties"] == {"$unknown": NOT_ASKED}
    assert not [doc for doc in collection.documents if doc.get("$unknown", {}).get("reason") == NOT_ASKED["reason"]]


def test_flow_logs_are_told_by_their_watchers_list(azure: Any) -> None:
    watcher = {"id": at(azure, "Microsoft.Network/networkWatchers", "nw"), "name": "nw",
               "type": "Microsoft.Network/networkWatchers", "properties": {}}  # fmt: skip
    flow = {"id": f"{watcher['id']}/flowLogs/f", "name": "f", "properties": {"enabled": True}}
    listed(azure, watcher, {**flow, "type": "Microsoft.Network/networkWatchers/flowLogs"})
    typed(azure, "Microsoft.Network/networkWatchers", {"value": [watcher]})
    azure[f"{watcher['id']}/flowLogs"] = {"value": [flow]}

    collection = azure.scan(inventory="arm")

    assert azure.one(collection, flow["id"])["properties"] == {"enabled": True}
    assert asked(azure)[f"GET {watcher['id'].lower()}/flowlogs"] == 1
    assert asked(azure)[f"GET {flow['id'].lower()}"] == 0


# --- honest ---


@pytest.mark.parametrize("answer", [NO, (500, ""), (200, "<html>"), {"value": "odd"}, {"value": [1]}])
def test_a_list_that_fails_loses_nothing_that_is_known(azure: Any, answer: Any) -> None:
    readable, secret, gone = (nsg(azure, name, securityRules=[]) for name in ("readable", "secret", "gone"))
    listed(azure, readable, secret, gone)
    typed(azure, "Microsoft.Network/networkSecurityGroups", answer)
    azure[readable["id"]], azure[secret["id"]] = readable, NO

    collection = azure.scan(inventory="arm")

    assert azure.one(collection, readable["id"])["properties"] == {"securityRules": []}
    unknown = azure.one(collection, secret["id"])
    assert unknown["name"] == "secret" and unknown["properties"]["$unknown"]["status"] == 403
    assert gone["id"] not in {doc["id"] for doc in collection.documents}, "404: deleted since it was listed"
    assert collection.run.unknown >= 1
    assert collection.run.planned == collection.run.answered + collection.run.not_supported + collection.run.unknown


def test_a_throttled_list_is_asked_for_again(azure: Any) -> None:
    group = nsg(azure, "web")
    listed(azure, group)
    path = typed(
        azure, "Microsoft.Network/networkSecurityGroups", [(429, "", {"Retry-After": "0"}), {"value": [group]}]
    )

    collection = azure.scan(inventory="arm")

    assert azure.one(collection, group["id"])["properties"] == {}
    assert asked(azure)[f"GET {path}"] == 2
    assert collection.run.throttled == 1


def test_a_subscription_that_cannot_be_listed_is_unknown_though_services_answer(azure: Any) -> None:
    group = nsg(azure, "web")
    azure[f"/subscriptions/{azure.SUB}/resources"] = NO
    typed(azure, "Microsoft.Network/networkSecurityGroups", {"value": [group]})

    collection = azure.scan(inventory="arm")

    assert azure.one(collection, group["id"]) == group
    assert azure.one(collection, f"/subscriptions/{azure.SUB}/resources", RESOURCE_LIST)["$unknown"]["status"] == 403


def test_items_of_another_place_or_type_are_not_taken(azure: Any) -> None:
    foreign = nsg(azure, "foreign")
    foreign["id"] = foreign["id"].replace(azure.SUB, azure.OTHER)
    odd = {**nsg(azure, "odd"), "type": "Microsoft.Network/loadBalancers"}
    listed(azure)
    typed(azure, "Microsoft.Network/networkSecurityGroups", {"value": [foreign, odd, {"id": 7}, {}]})

    collection = azure.scan(inventory="arm")

    assert not [doc for doc in collection.documents if "networksecuritygroups" in doc["id"].lower()]


# --- pages ---


@pytest.mark.parametrize(
    "kind", ["Microsoft.Network/networkSecurityGroups", "Microsoft.KeyVault/vaults", "Microsoft.Insights/actionGroups"]
)
def test_pages_are_followed(azure: Any, kind: str) -> None:
    def page(seen: Any) -> Any:
        number = int(seen.query.get("$skiptoken", "p{0} ")[2])
        item = {"id": at(azure, kind, f"r{number}"), "name": f"r{number}", "type": kind, "properties": {"n": number}}
        link = f"{{manager}}{path}?api-version=2000-01-01&$skiptoken=p%7B{number + 1}%7D%20"
        return {"value": [item], **({"nextLink": link} if number < 2 else {})}

    listed(azure)
    path = typed(azure, kind, page)

    collection = azure.scan(inventory="arm")

    assert [azure.one(collection, at(azure, kind, f"r{n}"))["properties"]["n"] for n in range(3)] == [0, 1, 2]


@pytest.mark.parametrize(
    "link", ["https://elsewhere.example/x", "{manager}{path}?again", "{manager}/{endpoint.x}?a={b", 7, "http://["]
)
@pytest.mark.parametrize("kind", ["Microsoft.Network/networkSecurityGroups", "Microsoft.KeyVault/vaults"])
def test_pages_that_lead_astray_are_not_followed_and_nothing_is_lost(azure: Any, kind: str, link: Any) -> None:
    one = {"id": at(azure, kind, "one"), "name": "one", "type": kind, "properties": {}}
    two = {**one, "id": at(azure, kind, "two"), "name": "two"}
    listed(azure, one, two)
    path = f"/subscriptions/{azure.SUB}/providers/{kind}"
    written = link.replace("{path}", path) if isinstance(link, str) else link
    typed(azure, kind, {"value": [one], "nextLink": written})
    azure[two["id"]] = two

    collection = azure.scan(inventory="arm")

    assert azure.one(collection, one["id"]) == one
    assert azure.one(collection, two["id"]) == two, "it is on a page that was not reached, so it is read by itself"
    assert asked(azure)[f"GET {path.lower()}"] <= 3


# --- nothing is written ---


def test_a_subscription_not_registered_for_a_service_is_not_registered(azure: Any) -> None:
    message = "The subscription is not registered to use namespace 'Microsoft.Network'."
    refusal = (409, {"error": {"code": "MissingSubscriptionRegistration", "message": message}})
    listed(azure)
    for row in arm_inventory.TYPED_LISTS:
        typed(azure, row.read.type, refusal)

    collection = azure.scan(inventory="arm")

    assert {seen.method for seen in azure.seen} == {"GET"}
    assert not [doc for doc in collection.documents if doc["id"].startswith(f"/subscriptions/{azure.SUB}/providers/")
                and marker(doc) == "$unknown" and doc["$unknown"].get("status") == 409]  # fmt: skip
    assert azure.one(collection, f"/subscriptions/{azure.SUB}")


def test_a_typed_client_that_would_write_is_refused(azure: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []

    async def write(reader: Any, *_: Any) -> None:
        walk = arm_clients._Walk(reader, reads.RESOURCES, "/x")
        client = arm_clients._client(reader, arm_inventory.TYPED_LISTS[-1], azure.SUB)
        with pytest.raises(arm_clients._Failed) as failed:
            await client.storage_accounts.list_keys("rg", "stone", walk=walk)
        told.append(failed.value.failure["$unknown"]["reason"])

    monkeypatch.setattr(collect, "read_destinations", write)
    azure.scan(inventory="arm")

    (reason,) = told
    assert reason.startswith("POST ") and reason.endswith("would not be a read")
    assert {seen.method for seen in azure.seen} == {"GET"}


# --- imported only when asked for ---


def test_resource_graph_needs_no_typed_client(tmp_path: Path) -> None:
    tenant = {"id": "11111111-aaaa-4aaa-8aaa-000000000001", "displayName": "Tiny", "defaultDomain": "tiny.example"}
    (tmp_path / "estate.json").write_text(
        json.dumps({"format": 1, "tenant": tenant, "documents": list(documents())}), encoding="utf-8"
    )
    program = """
import sys
from auditor.emulator import running
from auditor.sources.azure.collect import collect_now
with running(sys.argv[1]) as azure:
    for inventory in ("graph", "arm"):
        assert collect_now(azure.scan_options(inventory=inventory)).documents
        print(sorted(m for m in sys.modules if m.startswith("azure.mgmt.") and m.count(".") == 2))
"""
    ran = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "estate.json")],
        capture_output=True, text=True, check=True, cwd=CONTOSO.parents[1],
    )  # fmt: skip
    graph, arm = ran.stdout.splitlines()
    assert graph == "['azure.mgmt.core']"
    assert "azure.mgmt.network" in arm and "azure.mgmt.storage" in arm


# --- faults, interruptions ---


def test_refusals_and_faults_of_lists_change_no_finding_but_to_unknown(tmp_path: Path) -> None:
    kinds = [Fault(status=403), Fault(status=500), Fault(truncate=True), Fault(reset=True), Fault(status=429)]

    def storm(method: str, path: str, nth: int) -> Fault | None:
        place = sum(path.encode())
        return kinds[place % len(kinds)] if "/providers/" in path and place % 2 == 0 else None

    with serving(tmp_path) as faulty:
        calm, by_graph = faulty.scan(inventory="arm"), faulty.scan()
        stormy = faulty.scan(storm, inventory="arm")
        assert faulty.emulator.writes == []

    assert changes(by_graph, calm) == changes(calm, by_graph) == {}
    assert changes(calm, stormy) == {}
    assert sum_is_intact(stormy) and sum_is_intact(calm)


def test_a_collection_cut_off_goes_on_and_asks_no_list_again(tmp_path: Path) -> None:
    estate, count, stop = tmp_path / "estate.json", Counter[str](), [0]
    tenant = {"id": "11111111-aaaa-4aaa-8aaa-000000000001", "displayName": "Tiny", "defaultDomain": "tiny.example"}
    estate.write_text(json.dumps({"format": 1, "tenant": tenant, "documents": list(documents())}), encoding="utf-8")

    def fault(method: str, path: str, nth: int) -> Fault | None:
        count["all"] += 1
        if "oauth2" not in path:
            count[path.lower()] += 1
        if stop[0] and count["all"] == stop[0]:
            os.kill(os.getpid(), signal.SIGINT)
        return None

    with running(estate, faults=fault) as emulator:
        options = emulator.scan_options(inventory="arm", concurrency=2)
        whole = collect_now(options)
        answered = {path for path in count if path.endswith(("/vaults", "/storageaccounts", "/virtualnetworks"))}
        assert len(answered) == 6
        for moment in (12, 30, 45, 60):
            count.clear()
            stop[0] = moment
            with journals.open_journal(tmp_path / "s") as journal:
                assert collect_now(options, journal=journal).run.interrupted
        assert not answered & count.keys(), "the lists had come to their ends"
        stop[0] = 0
        with journals.open_journal(tmp_path / "s") as journal:
            again = collect_now(options, journal=journal)

    def same(run: Any) -> Any:
        return msgspec.structs.replace(run, started_at="", finished_at="", requests=0, throttled=0, resumed=0)

    assert again.documents == whole.documents
    assert same(again.run) == same(whole.run)

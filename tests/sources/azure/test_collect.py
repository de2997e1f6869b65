"""What is asked, how often, and what is made of it."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.documents import categories_id, marker, settings_id, storage_service_id

DISK = "Microsoft.Compute/disks"


def categories(*names: str, kind: str = "Logs") -> dict[str, Any]:
    return {"value": [{"name": name, "properties": {"categoryType": kind}} for name in names]}


def asked(azure, path: str) -> int:
    return sum(seen.path == path.lower() for seen in azure.seen)


def thing(azure, name: str, **extra: Any) -> dict[str, Any]:
    resource_id = f"/subscriptions/{azure.SUB}/resourceGroups/rg/providers/{DISK}/{name}"
    return {"id": resource_id, "type": DISK.lower(), "name": name, "properties": {}, **extra}


def test_nothing_is_asked_twice(azure) -> None:
    destination = {"workspaceId": f"{azure.VAULT}-x/providers/Microsoft.OperationalInsights/workspaces/w"}
    azure.resources(azure.vault("a"), azure.vault("b"), azure.vault("b"), azure.account(), thing(azure, "d"))
    for name in ("a", "b"):
        azure[settings_id(azure.vault(name)["id"])] = {"value": [{"properties": destination}]}

    azure.scan()

    repeated = {(seen.method, seen.path, str(seen.query)) for seen in azure.seen}
    assert len(repeated) == len(azure.seen)


def test_categories_are_read_once_for_each_kind(azure) -> None:
    premium = {**azure.vault("c"), "properties": {"sku": {"name": "premium"}}}
    azure.resources(azure.vault("a"), azure.vault("b"), premium)
    for name in ("a", "b", "c"):
        azure[categories_id(azure.vault(name)["id"])] = categories("AuditEvent")

    azure.scan()

    assert [asked(azure, categories_id(azure.vault(name)["id"])) for name in ("a", "b", "c")] == [1, 0, 1]
    assert all(asked(azure, settings_id(azure.vault(name)["id"])) == 1 for name in ("a", "b", "c"))


@pytest.mark.parametrize("first", [(404, {"error": {"code": "ResourceNotFound"}}), (400, {"code": "X"}), (403, "")])
def test_another_resource_is_asked_where_the_first_does_not_tell_its_categories(azure, first: Any) -> None:
    azure.resources(azure.vault("a"), azure.vault("b"), azure.vault("c"))
    azure[categories_id(azure.vault("a")["id"])] = first
    azure[categories_id(azure.vault("b")["id"])] = categories("AuditEvent")

    collection = azure.scan()

    assert azure.one(collection, categories_id(azure.vault("b")["id"]))["value"]
    assert asked(azure, categories_id(azure.vault("c")["id"])) == 0


def test_categories_without_an_azure_code_are_unknown_not_none(azure) -> None:
    azure.resources(azure.vault())
    azure[categories_id(azure.VAULT)] = (404, "<html>not found")

    assert "$unknown" in azure.one(azure.scan(), categories_id(azure.VAULT))


def test_a_type_that_the_catalog_does_not_hold_is_asked_once_whether_it_logs(azure) -> None:
    azure.resources(thing(azure, "a"), thing(azure, "b"))
    azure[categories_id(thing(azure, "a")["id"])] = (400, {"code": "ResourceTypeNotSupported"})

    azure.scan()

    assert asked(azure, categories_id(thing(azure, "a")["id"])) == 1
    assert asked(azure, categories_id(thing(azure, "b")["id"])) == 0
    assert asked(azure, settings_id(thing(azure, "a")["id"])) == 0


def test_a_type_that_the_catalog_does_not_hold_but_that_logs_has_its_settings_read(azure) -> None:
    azure.resources(thing(azure, "a"), thing(azure, "b"))
    azure[categories_id(thing(azure, "a")["id"])] = categories("NewLogs")

    azure.scan()

    assert [asked(azure, settings_id(thing(azure, name)["id"])) for name in ("a", "b")] == [1, 1]


def test_a_type_with_nothing_but_metrics_does_not_log(azure) -> None:
    azure.resources(thing(azure, "a"))
    azure[categories_id(thing(azure, "a")["id"])] = categories("AllMetrics", kind="Metrics")

    azure.scan()

    assert asked(azure, settings_id(thing(azure, "a")["id"])) == 0


def test_storage_is_asked_at_its_services(azure) -> None:
    row = azure.account(primaryEndpoints={s: f"{{storage}}/stone/{s}/" for s in ("blob", "queue", "table", "file")})
    azure.resources(row)

    azure.scan()

    for service in ("blob", "queue", "table", "file"):
        assert asked(azure, settings_id(storage_service_id(azure.ACCOUNT, service))) == 1
        assert asked(azure, categories_id(storage_service_id(azure.ACCOUNT, service))) == 1
    assert asked(azure, settings_id(azure.ACCOUNT)) == 0, "the account itself carries metrics only"
    assert {seen.path for seen in azure.seen if seen.place == "storage"} == {
        "/stone/blob/",
        "/stone/queue/",
        "/stone/table/",
    }


def test_flow_logs_are_listed_at_their_watcher(azure) -> None:
    watcher = f"/subscriptions/{azure.SUB}/resourceGroups/nw/providers/Microsoft.Network/networkWatchers/w"
    azure.resources({"id": watcher, "type": "microsoft.network/networkwatchers", "name": "w", "properties": {}})
    azure[f"{watcher}/flowLogs"] = {"value": [{"id": f"{watcher}/flowLogs/f", "name": "f", "properties": {}}]}

    assert azure.one(azure.scan(), f"{watcher}/flowLogs")["value"][0]["name"] == "f"


def test_everything_about_a_subscription_and_the_tenant_is_asked(azure) -> None:
    scope = f"/subscriptions/{azure.SUB}"
    paths = {
        f"{scope}/locations": "2022-12-01",
        f"{scope}/providers/microsoft.insights/diagnosticsettings": "2021-05-01-preview",
        f"{scope}/providers/microsoft.insights/logprofiles": "2016-03-01",
        f"{scope}/providers/microsoft.keyvault/deletedvaults": "2022-07-01",
        "/providers/microsoft.aadiam/diagnosticsettings": "2017-04-01",
        "/providers/microsoft.aadiam/diagnosticsettingscategories": "2017-04-01-preview",
        "/providers/microsoft.management/managementgroups": "2023-04-01",
        "/tenants": "2022-12-01",
    }
    azure["/v1.0/subscribedSkus"] = {"value": [{"skuPartNumber": "AAD_PREMIUM"}]}

    collection = azure.scan()

    versions = {seen.path: seen.query.get("api-version") for seen in azure.seen}
    assert paths.items() <= versions.items()
    assert azure.one(collection, "/providers/microsoft.graph/subscribedSkus")["value"][0]["skuPartNumber"]


@pytest.mark.parametrize(
    ("path", "doc_id", "grant"),
    [
        (
            "/providers/microsoft.aadiam/diagnosticsettings",
            "/providers/microsoft.aadiam/diagnosticSettings",
            "az role assignment create --assignee {app} --role Reader --scope /providers/Microsoft.aadiam",
        ),
        (
            "/v1.0/subscribedskus",
            "/providers/microsoft.graph/subscribedSkus",
            "Microsoft Graph application permission LicenseAssignment.Read.All, with an administrator's consent",
        ),
    ],
)
def test_a_refusal_names_the_grant(azure, path: str, doc_id: str, grant: str) -> None:
    azure[path] = (403, {"error": {"code": "Authorization_RequestDenied", "message": "Insufficient privileges"}})

    document = azure.one(azure.scan(), doc_id)

    assert document["$unknown"]["grant"] == grant.format(app=azure.APP)


# --- destinations ---

ELSEWHERE = "/subscriptions/eeeeeeee-0000-4000-8000-00000000000e/resourceGroups/logs/providers"
WORKSPACE = f"{ELSEWHERE}/Microsoft.OperationalInsights/workspaces/central"
ARCHIVE = f"{ELSEWHERE}/Microsoft.Storage/storageAccounts/archive"
HUB = f"{ELSEWHERE}/Microsoft.EventHub/namespaces/hub"
PARTNER = f"{ELSEWHERE}/Microsoft.Datadog/monitors/dog"


def setting(**properties: Any) -> dict[str, Any]:
    return {"value": [{"name": "s", "properties": {"logs": [], **properties}}]}


def test_a_destination_outside_the_scan_is_read_once_however_many_name_it(azure) -> None:
    azure.resources(azure.vault("a"), azure.vault("b"))
    azure[settings_id(azure.vault("a")["id"])] = setting(
        workspaceId=WORKSPACE,
        storageAccountId=ARCHIVE,
        eventHubAuthorizationRuleId=f"{HUB}/authorizationRules/Root",
        eventHubName="logs",
    )
    azure[settings_id(azure.vault("b")["id"])] = setting(
        workspaceId=f"{WORKSPACE.upper()}/", eventHubAuthorizationRuleId=f"{HUB}/eventhubs/other/authorizationRules/R"
    )
    azure["/providers/microsoft.aadiam/diagnosticSettings"] = setting(workspaceId=WORKSPACE, storageAccountId="")
    azure[WORKSPACE] = {"id": WORKSPACE, "type": "Microsoft.OperationalInsights/workspaces", "properties": {"a": 1}}
    azure[ARCHIVE] = {"id": ARCHIVE, "type": "Microsoft.Storage/storageAccounts", "properties": {}}
    azure[HUB] = {"id": HUB, "type": "Microsoft.EventHub/namespaces", "properties": {}}
    azure[f"{WORKSPACE}/tables"] = {"value": [{"name": "T"}]}
    azure[f"{HUB}/eventhubs"] = {"value": []}
    azure[f"{ARCHIVE}/blobServices/default/containers"] = {"value": []}
    azure[f"{ARCHIVE}/managementPolicies/default"] = {"id": f"{ARCHIVE}/managementPolicies/DefaultManagementPolicy",
                                                      "properties": {"policy": {}}}  # fmt: skip

    collection = azure.scan()

    assert azure.one(collection, WORKSPACE).get("properties") == {"a": 1}, azure.one(collection, WORKSPACE)
    assert azure.one(collection, f"{WORKSPACE}/tables")["value"] == [{"name": "T"}]
    assert azure.one(collection, f"{HUB}/eventhubs")["value"] == []
    assert azure.one(collection, f"{ARCHIVE}/blobServices/default/containers")["value"] == []
    policy = azure.one(collection, f"{ARCHIVE}/managementPolicies/default")
    assert policy["properties"] == {"policy": {}}
    assert [asked(azure, place) for place in (WORKSPACE, ARCHIVE, HUB)] == [1, 1, 1]
    versions = {seen.path: seen.query.get("api-version") for seen in azure.seen}
    assert [versions[place.lower()] for place in (WORKSPACE, ARCHIVE, HUB)] == [
        "2023-09-01",
        "2023-05-01",
        "2024-01-01",
    ]


def test_a_destination_in_the_inventory_is_not_read_again(azure) -> None:
    azure.resources(azure.vault(), azure.account())
    azure[settings_id(azure.VAULT)] = setting(storageAccountId=azure.ACCOUNT.upper())

    collection = azure.scan()

    assert asked(azure, azure.ACCOUNT) == 0
    assert "$absent" in azure.one(collection, f"{azure.ACCOUNT}/managementPolicies/default")


@pytest.mark.parametrize(
    ("answer", "mark", "reason"),
    [
        ((404, {"error": {"code": "ResourceNotFound", "message": ""}}), "$absent", ""),
        ((404, {"error": {"code": "ResourceGroupNotFound", "message": ""}}), "$absent", ""),
        ((404, {"error": {"code": "SubscriptionNotFound", "message": ""}}), "$unknown", "another tenant"),
        ((401, {"error": {"code": "InvalidAuthenticationTokenTenant"}}), "$unknown", "another tenant"),
        ((403, {"error": {"code": "AuthorizationFailed", "message": ""}}), "$unknown", "not permitted"),
        ((404, "<html>"), "$unknown", "HTTP 404"),
    ],
)
def test_a_destination_that_is_not_shown(azure, answer: Any, mark: str, reason: str) -> None:
    azure.resources(azure.vault())
    azure[settings_id(azure.VAULT)] = setting(workspaceId=WORKSPACE)
    azure[WORKSPACE] = answer

    collection = azure.scan()

    document = azure.one(collection, WORKSPACE)
    assert document.keys() == {"id", "type", mark}
    assert document["type"] == "Microsoft.OperationalInsights/workspaces"
    assert reason in document[mark].get("reason", "")
    assert asked(azure, f"{WORKSPACE}/tables") == 0


def test_the_places_of_flow_logs_are_read(azure) -> None:
    watcher = f"/subscriptions/{azure.SUB}/resourceGroups/nw/providers/Microsoft.Network/networkWatchers/w"
    analytics = {"networkWatcherFlowAnalyticsConfiguration": {"enabled": True, "workspaceResourceId": WORKSPACE}}
    azure.resources(
        {"id": watcher, "type": "microsoft.network/networkwatchers", "name": "w", "properties": {}},
        {"id": f"{watcher}/flowLogs/g", "type": "microsoft.network/networkwatchers/flowlogs", "name": "g",
         "properties": {"storageId": ARCHIVE}},
    )  # fmt: skip
    azure[f"{watcher}/flowLogs"] = {"value": [{"properties": {"flowAnalyticsConfiguration": analytics}}, {"a": 1}]}

    azure.scan()

    assert [asked(azure, place) for place in (WORKSPACE, ARCHIVE)] == [1, 1]


@pytest.mark.parametrize("below", ["", "/subnets/front", "/SUBNETS/front"])
def test_what_a_flow_log_watches_is_looked_up_where_it_was_not_listed(azure, below: str) -> None:
    watcher = f"/subscriptions/{azure.SUB}/resourceGroups/nw/providers/Microsoft.Network/networkWatchers/w"
    network = f"/subscriptions/{azure.SUB}/resourceGroups/nw/providers/Microsoft.Network/virtualNetworks/vnet"
    azure.resources(
        {"id": watcher, "type": "microsoft.network/networkwatchers", "name": "w", "properties": {}}, azure.vault()
    )
    logs = [{"properties": {"targetResourceId": target}} for target in (f"{network}{below}", azure.VAULT, "x", "", 7)]
    azure[f"{watcher}/flowLogs"] = {"value": logs}

    collection = azure.scan()

    assert azure.one(collection, network)["$absent"] == {"status": 404, "code": "ResourceNotFound"}
    assert asked(azure, network) == 1
    assert asked(azure, azure.VAULT) == 0, "it was listed"


@pytest.mark.parametrize(
    "place",
    [
        "x",
        "https://evil.example/x",
        "@evil.example/providers/Microsoft.OperationalInsights/workspaces/w",
        f"{ELSEWHERE}/../../../Microsoft.OperationalInsights/workspaces/w",
        f"{ELSEWHERE}/Microsoft.OperationalInsights/workspaces/..",
        f"{WORKSPACE}?api-version=2015-01-01&x=",
        f"{WORKSPACE}#x",
        f"{WORKSPACE}\n\r\nHost: evil.example",
        f"{ELSEWHERE}/Microsoft.OperationalInsights/workspaces/{'w' * 5000}",
        f"{ELSEWHERE}/Microsoft.Compute/virtualMachines/vm",
        "/subscriptions/not-an-id",
        {"id": WORKSPACE},
    ],
)
def test_a_place_with_an_odd_id_harms_nothing(azure, place: Any) -> None:
    azure.resources(azure.vault())
    azure[settings_id(azure.VAULT)] = setting(workspaceId=place)

    collection = azure.scan()

    assert {seen.headers["host"].rsplit(":")[0] for seen in azure.seen} <= {"127.0.0.1", "localhost"}
    assert all(".." not in seen.path for seen in azure.seen)
    assert asked(azure, WORKSPACE) == 0
    named = [doc for doc in collection.documents if doc["type"].lower().endswith("/workspaces")]
    assert all("$unknown" in doc or "$absent" in doc for doc in named)
    assert len(named) == isinstance(place, str), "it is a place for logs, and nothing else to be judged"


@pytest.mark.parametrize(
    ("answer", "mark"),
    [
        ((404, {"error": {"code": "ResourceNotFound"}}), "$absent"),
        ((403, {"error": {"code": "AuthorizationFailed"}}), "$unknown"),
        ({"properties": {"provisioningState": "Succeeded"}}, None),
    ],
)
def test_a_partner_outside_the_inventory_is_looked_up(azure, answer: Any, mark: str | None) -> None:
    azure.resources(azure.vault())
    azure[settings_id(azure.VAULT)] = setting(marketplacePartnerId=PARTNER)
    azure[PARTNER] = answer

    document = azure.one(azure.scan(), PARTNER)

    assert document["type"] == "Microsoft.Datadog/monitors"
    assert marker(document) == mark


def test_a_partner_of_an_unknown_kind_is_unknown(azure) -> None:
    azure.resources(azure.vault())
    azure[settings_id(azure.VAULT)] = setting(marketplacePartnerId=PARTNER.replace("Datadog", "Newcomer"))

    document = azure.one(azure.scan(), PARTNER.replace("Datadog", "Newcomer"))

    assert document["type"] == "Microsoft.Newcomer/monitors"
    assert "partner" in document["$unknown"]["reason"]


# --- the run ---


def test_the_run_tells_how_it_went(azure) -> None:
    azure.resources(azure.vault())
    azure[settings_id(azure.VAULT)] = [(429, "", {"Retry-After": "0.01"}), (403, "")]

    run = azure.scan().run

    assert run.source == "azure"
    assert run.cloud == "custom"
    assert run.tenant == azure.TENANT
    assert run.principal == f"auditor ({azure.APP})"
    assert run.started_at == run.finished_at == "2026-11-22T12:00:00Z"
    assert run.requests == len(azure.seen)
    assert (run.throttled, run.denied) == (1, 1)
    assert run.api_versions["Microsoft.ResourceGraph/resources"] == "2022-10-01"
    assert list(run.api_versions) == sorted(run.api_versions)
    assert not run.interrupted


def test_two_runs_give_the_same_documents_in_the_same_order(azure) -> None:
    azure.resources(*[azure.vault(f"kv{n}") for n in range(20)], azure.account())
    azure["/v1.0/subscribedskus"] = {"value": []}

    first, second = azure.scan(concurrency=1).documents, azure.scan(concurrency=32).documents

    strip = [{k: v for k, v in doc.items() if k != "properties"} for doc in first]  # ports differ between the runs
    assert strip == [{k: v for k, v in doc.items() if k != "properties"} for doc in second]
    keys = [(doc["id"].lower(), doc["type"].lower()) for doc in first]
    assert keys == sorted(set(keys))


def test_documents_are_handed_over_as_they_come_and_progress_is_told(azure) -> None:
    azure.resources(azure.vault())
    kept: list[Any] = []
    told: list[Any] = []

    collection = azure.scan(keep=kept.append, progress=told.append)

    assert sorted(kept, key=str) == sorted(collection.documents, key=str)
    stages = list(dict.fromkeys(progress.stage for progress in told))
    assert stages.index("inventory") < stages.index("settings") < stages.index("destinations")
    assert all(0 <= progress.done <= progress.total for progress in told)
    assert told[-1].done == told[-1].total


def test_no_more_reads_than_allowed_are_under_way(azure) -> None:
    import asyncio

    under_way, most = 0, 0
    original = azure._handle

    async def slow(request: Any) -> Any:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.005)
        try:
            return await original(request)
        finally:
            under_way -= 1

    azure._handle = slow
    azure.resources(*[azure.vault(f"kv{n}") for n in range(30)])

    azure.scan(concurrency=3)

    assert 1 < most <= 3

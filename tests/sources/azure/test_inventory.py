"""What there is: subscriptions, Resource Graph and its gaps, management groups."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.assemble import assemble
from auditor.documents import NOT_ASKED, RESOURCE_LIST, settings_id
from auditor.errors import AuditorError
from auditor.sources.azure.inventory import QUERY


def ids(collection: Any, doc_type: str) -> list[str]:
    return [doc["id"] for doc in collection.documents if doc["type"].lower() == doc_type.lower()]


def test_the_estate_is_listed_by_resource_graph(azure) -> None:
    azure.resources({**azure.vault(), "kind": None, "zones": None, "tags": {"a": "b"}})

    collection = azure.scan()

    document = azure.one(collection, azure.VAULT)
    assert document == {**azure.vault(), "tags": {"a": "b"}}, "what the projection filled with null is not there"
    (query,) = [seen.body for seen in azure.seen if seen.method == "POST"]
    assert query["subscriptions"] == [azure.SUB]
    assert query["query"] == QUERY
    assert query["options"]["$top"] == 1000
    assert not [seen for seen in azure.seen if seen.path.endswith("/resources") and seen.method == "GET"]


def test_pages_of_resource_graph_are_followed(azure) -> None:
    """Trap 52: without an order, pages repeat rows and lose others."""

    def answer(seen: Any) -> Any:
        page = int(seen.body["options"].get("$skipToken", "0"))
        rows = {"data": [azure.vault(f"kv{page}")], "totalRecords": 3, "resultTruncated": "false"}
        return rows if page == 2 else {**rows, "$skipToken": str(page + 1)}

    azure[azure.QUERY] = answer

    collection = azure.scan()

    assert len(ids(collection, "Microsoft.KeyVault/vaults")) == 3
    assert QUERY.endswith(" | order by id asc")


def test_rows_given_as_a_table_are_read_too(azure) -> None:
    row = azure.vault()
    azure[azure.QUERY] = {"data": {"columns": [{"name": k} for k in row], "rows": [list(row.values())]}}

    assert azure.one(azure.scan(), azure.VAULT)["properties"] == row["properties"]


def test_resources_of_other_subscriptions_are_not_part_of_the_scan(azure) -> None:
    azure.resources(azure.vault(), azure.vault("foreign", azure.OTHER))

    assert ids(azure.scan(), "Microsoft.KeyVault/vaults") == [azure.VAULT]


def test_an_odd_row_is_left_out(azure) -> None:
    azure.resources({"id": 7, "type": "x"}, {"type": "x"}, {"id": "/x", "type": "y"}, azure.vault())
    azure[f"/subscriptions/{azure.SUB}/resources"] = {"value": []}

    assert ids(azure.scan(), "Microsoft.KeyVault/vaults") == [azure.VAULT]


LISTED = {"name": "kv", "type": "Microsoft.KeyVault/vaults", "location": "westeurope"}


def test_a_subscription_of_which_resource_graph_shows_nothing_is_asked_itself(azure) -> None:
    disk = f"/subscriptions/{azure.SUB}/resourceGroups/rg/providers/Microsoft.Compute/disks/d"
    azure[f"/subscriptions/{azure.SUB}/resources"] = {
        "value": [{**LISTED, "id": azure.VAULT}, {"id": disk, "type": "Microsoft.Compute/disks", "name": "d"}]
    }
    azure[azure.VAULT] = {**LISTED, "id": azure.VAULT, "properties": {"a": 1}}

    collection = azure.scan()

    assert azure.one(collection, azure.VAULT)["properties"] == {"a": 1}
    assert azure.one(collection, disk)["properties"] == {"$unknown": NOT_ASKED}
    assert azure.one(collection, settings_id(azure.VAULT)), "its settings are read all the same"


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ((403, {"error": {"code": "AuthorizationFailed", "message": "no"}}), 403),
        ((404, {"error": {"code": "ResourceNotFound", "message": "no"}}), 404),
        ((500, ""), 500),
    ],
)
def test_a_subscription_that_cannot_be_listed_is_unknown(azure, answer: Any, status: int) -> None:
    azure[f"/subscriptions/{azure.SUB}/resources"] = answer

    document = azure.one(azure.scan(), f"/subscriptions/{azure.SUB}/resources", RESOURCE_LIST)

    assert document["$unknown"]["status"] == status
    if status == 403:
        assert document["$unknown"]["grant"] == (
            f"az role assignment create --assignee {azure.APP} --role Reader --scope /subscriptions/{azure.SUB}"
        )


def test_an_empty_subscription_is_no_gap(azure) -> None:
    azure[f"/subscriptions/{azure.SUB}/resources"] = {"value": []}

    assert ids(azure.scan(), RESOURCE_LIST) == []


@pytest.mark.parametrize(
    "graph",
    [
        pytest.param((403, {"error": {"code": "AuthorizationFailed", "message": "no"}}), id="refused"),
        pytest.param("reset", id="unreachable"),
        pytest.param({"data": [], "resultTruncated": "true"}, id="cut short without a next page"),
        pytest.param({"data": [], "totalRecords": 4}, id="fewer rows than counted"),
        pytest.param({"value": []}, id="another kind of answer"),
        pytest.param((200, "{}", {"x-ms-tenant-subscription-limit-hit": "true"}), id="too many subscriptions"),
        pytest.param({"data": [], "$skipToken": "again"}, id="going round in circles"),
    ],
)
def test_without_resource_graph_the_estate_is_listed_by_arm(azure, graph: Any) -> None:
    azure[azure.QUERY] = graph
    azure[f"/subscriptions/{azure.SUB}/resources"] = {
        "value": [{**LISTED, "id": azure.VAULT}, {**LISTED, "id": f"{azure.VAULT}-deleted", "name": "kv-deleted"}]
    }
    azure[azure.VAULT] = {**LISTED, "id": azure.VAULT, "properties": {"a": 1}}
    told: list[str] = []

    collection = azure.scan(notice=told.append)

    assert ids(collection, "Microsoft.KeyVault/vaults") == [azure.VAULT], "one that answers 404 is gone"
    assert azure.one(collection, azure.VAULT)["properties"] == {"a": 1}
    assert collection.run.inventory == "graph+arm"
    assert [sentence.partition(" (")[0] for sentence in told] == ["Resource Graph did not list everything"]


def test_who_listed_the_estate_is_told(azure) -> None:
    told: list[str] = []
    azure.resources(azure.vault())
    assert azure.scan(notice=told.append).run.inventory == "graph"
    assert told == []
    azure.resources()
    azure[f"/subscriptions/{azure.SUB}/resources"] = {"value": []}
    assert azure.scan(notice=told.append).run.inventory == "graph", "an empty subscription is no silence"
    assert told == []
    azure[f"/subscriptions/{azure.SUB}/resources"] = {"value": [{**LISTED, "id": azure.VAULT}]}
    assert azure.scan(notice=told.append).run.inventory == "graph+arm"
    assert "Resource Graph is silent" in told[0] and len(told) == 1


def test_resource_graph_is_not_asked_when_resource_manager_is_to_list(azure) -> None:
    azure.resources(azure.vault("elsewhere"))
    azure[f"/subscriptions/{azure.SUB}/resources"] = {"value": [{**LISTED, "id": azure.VAULT}]}
    azure[azure.VAULT] = {**LISTED, "id": azure.VAULT, "properties": {"a": 1}}

    collection = azure.scan(inventory="arm")

    assert ids(collection, "Microsoft.KeyVault/vaults") == [azure.VAULT]
    assert azure.QUERY not in {seen.path for seen in azure.seen}
    assert collection.run.inventory == "arm"


def test_what_cannot_be_read_one_by_one_is_there_but_unknown(azure) -> None:
    azure[azure.QUERY] = (500, "")
    azure[f"/subscriptions/{azure.SUB}/resources"] = {"value": [{**LISTED, "id": azure.VAULT}]}
    azure[azure.VAULT] = (403, {"error": {"code": "AuthorizationFailed", "message": "no"}})

    document = azure.one(azure.scan(), azure.VAULT)

    assert document["name"] == "kv"
    assert document["properties"]["$unknown"]["status"] == 403


# --- which subscriptions ---


def test_disabled_subscriptions_are_read(azure) -> None:
    azure["/subscriptions"] = {"value": [azure.subscription(azure.SUB, "Old", "Disabled")]}

    collection = azure.scan()

    assert azure.one(collection, f"/subscriptions/{azure.SUB}")["state"] == "Disabled"
    assert any(seen.path.startswith(f"/subscriptions/{azure.SUB}/providers") for seen in azure.seen)


@pytest.mark.parametrize(
    "wanted",
    [
        "bbbbbbbb-0000-4000-8000-00000000000b",
        "TEST",
        "/subscriptions/BBBBBBBB-0000-4000-8000-00000000000b",
        "/Subscriptions/bbbbbbbb-0000-4000-8000-00000000000b/",
    ],
)
def test_subscriptions_are_chosen_by_id_or_name(azure, wanted: str) -> None:
    azure["/subscriptions"] = {
        "value": [azure.subscription(azure.SUB, "Prod"), azure.subscription(azure.OTHER, "Test")]
    }

    collection = azure.scan(subscriptions=(wanted,))

    assert ids(collection, "Microsoft.Resources/subscriptions") == [f"/subscriptions/{azure.OTHER}"]
    assert not [seen for seen in azure.seen if azure.SUB in seen.path]


def test_a_subscription_that_is_not_visible_is_a_mistake_of_usage(azure) -> None:
    with pytest.raises(AuditorError, match="no visible subscription is called 'Tset'") as got:
        azure.scan(subscriptions=("Tset",))

    assert got.value.exit_code == 2
    assert f"Production ({azure.SUB})" in got.value.hint


def test_a_second_page_of_subscriptions_that_fails_is_told(azure) -> None:
    azure["/subscriptions"] = [
        {"value": [azure.subscription(azure.SUB, "Prod")], "nextLink": "{manager}/subscriptions?page=2"},
        (500, ""),
    ]

    collection = azure.scan()

    assert azure.one(collection, "/subscriptions")["$unknown"]["status"] == 500
    assert azure.one(collection, f"/subscriptions/{azure.SUB}")


# --- management groups ---

GROUPS = "/providers/Microsoft.Management/managementGroups"


def group(name: str) -> dict[str, Any]:
    return {"id": f"{GROUPS}/{name}", "type": "Microsoft.Management/managementGroups", "name": name, "properties": {}}


def test_management_groups_and_their_settings_are_read(azure) -> None:
    azure[GROUPS] = {"value": [group("root")]}
    azure[settings_id(f"{GROUPS}/root")] = (
        400,
        {
            "code": "BadRequest",
            "message": "Configuration 'managementgroupactivitylogdiagnosticsettingconfig' doesn't exist",
        },
    )

    collection = azure.scan()

    assert azure.one(collection, f"{GROUPS}/root")["name"] == "root"
    assert "$unsupported" in azure.one(collection, settings_id(f"{GROUPS}/root"))


def test_management_groups_that_cannot_be_listed_are_unknown(azure) -> None:
    azure[GROUPS] = (403, {"error": {"code": "AuthorizationFailed", "message": "no"}})

    document = azure.one(azure.scan(), GROUPS)

    assert document["$unknown"]["grant"] == (
        f"az role assignment create --assignee {azure.APP} --role 'Management Group Reader' "
        f"--scope {GROUPS}/{azure.TENANT}"
    )


def test_only_what_is_below_a_management_group_is_scanned(azure) -> None:
    hidden = "dddddddd-0000-4000-8000-00000000000d"
    azure["/subscriptions"] = {
        "value": [azure.subscription(azure.SUB, "Prod"), azure.subscription(azure.OTHER, "Test")]
    }
    azure[f"{GROUPS}/corp/descendants"] = {
        "value": [
            {"id": f"/subscriptions/{azure.SUB}", "type": "/subscriptions", "name": azure.SUB},
            {"id": f"{GROUPS}/x", "type": "/providers/Microsoft.Management/managementGroups", "name": "x"},
            {"id": f"{GROUPS}/x/subscriptions/{hidden}", "type": "Microsoft.Management/managementGroups/subscriptions",
             "name": hidden},
        ]
    }  # fmt: skip

    collection = azure.scan(management_group="corp")

    assert ids(collection, "Microsoft.Resources/subscriptions") == [f"/subscriptions/{azure.SUB}"]
    gap = azure.one(collection, f"/subscriptions/{hidden}/resources", RESOURCE_LIST)
    assert "not visible" in gap["$unknown"]["reason"]


def test_a_management_group_that_cannot_be_read_is_a_mistake_of_usage(azure) -> None:
    azure[f"{GROUPS}/corp/descendants"] = (403, {"error": {"code": "AuthorizationFailed", "message": "no"}})

    with pytest.raises(AuditorError, match="management group 'corp' could not be read") as got:
        azure.scan(management_group="corp")

    assert "az role assignment create" in got.value.hint


# --- the tenant ---


def test_only_the_own_tenant_is_told(azure) -> None:
    other = {"id": "/tenants/9", "tenantId": "99999999-2222-4333-8444-000000000001", "displayName": "a customer"}
    azure["/tenants"] = {"value": [other, {"tenantId": azure.TENANT.upper(), "displayName": "Contoso"}]}

    collection = azure.scan()

    assert ids(collection, "Microsoft.Resources/tenants") == [f"/tenants/{azure.TENANT}"]
    assert collection.run.tenant == azure.TENANT


def test_a_tenant_that_cannot_be_read_is_unknown(azure) -> None:
    azure["/tenants"] = (403, "")

    collection = azure.scan()

    assert azure.one(collection, f"/tenants/{azure.TENANT}")["$unknown"]["status"] == 403


def test_what_a_sparse_answer_leaves_out_is_told_by_ids(azure) -> None:
    azure["/subscriptions"] = {"value": [{"id": f"/subscriptions/{azure.SUB}", "displayName": "Prod"}]}
    azure.resources({"id": azure.VAULT, "properties": {}})

    assert azure.one(azure.scan(), azure.VAULT)["type"] == "Microsoft.KeyVault/vaults"


# --- leaving subscriptions out ---


def two(azure, first: str = "Prod", second: str = "Test") -> dict[str, Any]:
    return {"value": [azure.subscription(azure.SUB, first), azure.subscription(azure.OTHER, second)]}


@pytest.mark.parametrize(
    "unwanted", ["bbbbbbbb-0000-4000-8000-00000000000b", "tEST", "/subscriptions/BBBBBBBB-0000-4000-8000-00000000000b"]
)
def test_an_excluded_subscription_is_not_asked_anything(azure, unwanted: str) -> None:
    azure["/subscriptions"] = two(azure)

    collection = azure.scan(exclude_subscriptions=(unwanted,))

    assert ids(collection, "Microsoft.Resources/subscriptions") == [f"/subscriptions/{azure.SUB}"]
    assert not [seen for seen in azure.seen if azure.OTHER in seen.path]


def test_an_exclusion_that_meets_nothing_is_a_mistake_of_usage(azure) -> None:
    azure["/subscriptions"] = two(azure)

    with pytest.raises(AuditorError, match="no visible subscription is called 'Tset'") as got:
        azure.scan(exclude_subscriptions=("Tset",))

    assert got.value.exit_code == 2
    assert f"Prod ({azure.SUB})" in got.value.hint and f"Test ({azure.OTHER})" in got.value.hint


def test_excluding_everything_is_a_mistake_of_usage(azure) -> None:
    azure["/subscriptions"] = two(azure)

    with pytest.raises(AuditorError, match="every subscription of the scope is excluded"):
        azure.scan(subscriptions=("Prod",), exclude_subscriptions=("Prod",))


def test_a_subscription_excluded_by_its_id_is_no_gap_below_its_management_group(azure) -> None:
    azure[f"{GROUPS}/corp/descendants"] = {
        "value": [{"type": "/subscriptions", "name": azure.SUB}, {"type": "/subscriptions", "name": azure.OTHER}]
    }

    seen_gap = azure.scan(management_group="corp")
    without = azure.scan(management_group="corp", exclude_subscriptions=(azure.OTHER,))

    gap = f"/subscriptions/{azure.OTHER}/resources"
    assert gap in ids(seen_gap, RESOURCE_LIST)
    assert gap not in ids(without, RESOURCE_LIST)


@pytest.mark.parametrize("option", ["subscriptions", "exclude_subscriptions"])
def test_a_name_that_several_share_means_all_and_is_told(azure, option: str) -> None:
    third = "dddddddd-0000-4000-8000-00000000000d"
    azure["/subscriptions"] = {"value": [*two(azure, "Twin", "twin")["value"], azure.subscription(third, "Single")]}
    told: list[str] = []

    collection = azure.scan(**{option: ("Twin",)}, notice=told.append)

    kept = [azure.SUB, azure.OTHER] if option == "subscriptions" else [third]
    assert ids(collection, "Microsoft.Resources/subscriptions") == [f"/subscriptions/{guid}" for guid in kept]
    assert told == [f"2 subscriptions are called 'Twin', all are meant: {azure.SUB}, {azure.OTHER}"]


# --- several tenants ---


def test_subscriptions_of_another_tenant_are_marked(azure) -> None:
    customer = "99999999-2222-4333-8444-000000000001"
    delegated = {**azure.subscription(azure.OTHER, "Prod"), "tenantId": azure.TENANT, "homeTenantId": customer.upper()}
    azure["/subscriptions"] = {"value": [azure.subscription(azure.SUB, "Prod"), delegated]}

    ours, theirs = assemble(azure.scan()).subscriptions

    assert (ours.name, ours.tenant) == ("Prod (tenant 11111111)", azure.TENANT)
    assert (theirs.name, theirs.tenant) == ("Prod (tenant 99999999)", customer)


def test_one_tenant_alone_is_not_written_behind_every_name(azure) -> None:
    (only,) = assemble(azure.scan()).subscriptions

    assert (only.name, only.tenant) == ("Production", azure.TENANT)

"""Resource Graph over HTTP: scope, paging, formats, refusals."""

from __future__ import annotations

from typing import Any

import pytest

Ids = dict[str, str]
IDS = "resources | project id | order by id asc"


def details(answer: Any) -> tuple[int, str, str]:
    return answer.status, answer.json["error"]["code"], answer.json["error"]["details"][0]["code"]


def test_rows_have_the_columns_of_the_service(client: Any, at: Ids) -> None:
    answer = client.query("resources | where name =~ 'KV-ONE'")
    (row,) = answer.json["data"]
    assert (row["id"], row["type"], row["location"]) == (at["VAULT"], "microsoft.keyvault/vaults", "westeurope")
    assert (row["subscriptionId"], row["resourceGroup"], row["tenantId"]) == (at["OPEN"], "rg-app", at["TENANT"])
    assert (row["kind"], row["sku"], row["tags"]) == ("", None, {"env": "prod"})
    assert row["properties"]["sku"] == {"name": "standard"}
    assert answer.headers["x-ms-user-quota-remaining"] == "14"
    assert answer.headers["x-ms-user-quota-resets-after"] == "00:00:05"


def test_pages_by_token_until_the_end(client: Any, at: Ids) -> None:
    found: list[str] = []
    options: dict[str, Any] = {"$top": 1000}
    while True:
        answer = client.query(IDS, options=options).json
        assert answer["resultTruncated"] == "false"
        assert answer["count"] == len(answer["data"]) <= 3
        found += [row["id"] for row in answer["data"]]
        if "$skipToken" not in answer:
            break
        options["$skipToken"] = answer["$skipToken"]
    assert len(found) == answer["totalRecords"] == len(set(found)) == 12
    # Flow logs are resources; tables, settings and storage services are not.
    assert sum("/flowLogs/" in name for name in found) == 5
    assert not any("/tables/" in name or "diagnosticSettings" in name or "Services/" in name for name in found)


def test_a_denied_subscription_is_left_out_without_a_word(client: Any, at: Ids) -> None:
    both = client.query("resources | count", subscriptions=[at["OPEN"], at["DENIED"].upper()])
    assert (both.status, both.json["data"]) == (200, [{"Count": 12}])
    none = client.query("resources | count", subscriptions=[at["DENIED"]])
    assert details(none) == (400, "BadRequest", "NoValidSubscriptionsInQueryRequest")


@pytest.mark.parametrize(("group", "count"), [("mg-app", 12), ("TENANT", 12)])
def test_management_groups_scope(client: Any, at: Ids, group: str, count: int) -> None:
    answer = client.query("resources | count", managementGroups=[at.get(group, group)])
    assert answer.json["data"] == [{"Count": count}]
    assert client.query("resources | count", managementGroups=["mg-other"]).status == 400


def test_containers(client: Any, at: Ids) -> None:
    query = "resourcecontainers | where type =~ 'microsoft.resources/subscriptions' | project name, subscriptionId, c = properties.managementGroupAncestorsChain[0].name"
    assert client.query(query).json["data"] == [{"name": "Open", "subscriptionId": at["OPEN"], "c": "mg-app"}]
    groups = client.query(
        "resourcecontainers | where type == 'microsoft.management/managementgroups' | summarize count()"
    )
    assert groups.json["data"] == [{"count_": 2}]


@pytest.mark.parametrize(
    "query",
    ["resources | project name", "resources | take 10"],
    ids=["no-id-column", "take"],
)
def test_without_a_way_to_page_the_result_is_cut_and_says_so(client: Any, query: str) -> None:
    answer = client.query(query).json
    assert (answer["count"], answer["resultTruncated"]) == (3, "true")
    assert "$skipToken" not in answer


def test_top_skip_and_table_format(client: Any) -> None:
    answer = client.query(
        "resources | where name has 'kv' | project id, name | order by name asc",
        options={"$top": 1, "$skip": 1, "resultFormat": "table"},
    ).json
    assert answer["data"]["columns"] == [{"name": "id", "type": "string"}, {"name": "name", "type": "string"}]
    assert [row[1] for row in answer["data"]["rows"]] == ["kv-two"]


def test_endpoints_lead_back_here(client: Any) -> None:
    answer = client.query("resources | where name == 'stone' | project b = properties.primaryEndpoints.blob").json
    assert answer["data"] == [{"b": f"https://{client.host}/$storage/stone/blob/"}]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"query": "resources | extend x = 1"}, "InvalidQuery"),
        ({"query": 7}, "InvalidPayload"),
        ({}, "InvalidPayload"),
        ({"query": IDS, "options": {"$top": 0}}, "InvalidPayload"),
        ({"query": IDS, "options": {"$top": "many"}}, "InvalidPayload"),
        ({"query": IDS, "options": {"$skipToken": "xyz"}}, "InvalidPayload"),
        (b"\xff{", "InvalidPayload"),
        (b"[" * 100_000, "InvalidPayload"),
    ],
    ids=["operator", "query-no-text", "empty", "top-0", "top-text", "foreign-token", "no-json", "deep-json"],
)
def test_bad_questions(client: Any, body: Any, code: str) -> None:
    path = "/providers/microsoft.resourcegraph/resources"
    headers = {"Authorization": f"Bearer {client.token()}"}
    answer = client.send("POST", f"{path}?api-version=2022-10-01", body=body, headers=headers)
    assert details(answer) == (400, "BadRequest", code)
    answer = client.send("POST", path, body=body, headers=headers)
    assert answer.json["error"]["code"] == "MissingApiVersionParameter"


def test_the_offending_piece_is_named(client: Any) -> None:
    answer = client.query("resources | where colour == 'red'")
    assert "colour" in answer.json["error"]["message"]

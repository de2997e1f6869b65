"""Resource Manager as the emulator plays it: reads, lists, and refusals in Azure's words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

Ids = dict[str, str]


def error_of(answer: Any) -> tuple[int, str, str]:
    """(status, code, message), whether or not the error is nested."""
    inner = answer.json.get("error", answer.json)
    return answer.status, inner["code"], inner["message"]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        pytest.param("{VAULT}", "kv-one", id="as-written"),
        pytest.param("//{VAULT}//", "kv-one", id="doubled-slashes"),
        pytest.param("{WATCHER}/flowLogs/FL-2", "fl-2", id="member-of-a-list"),
        pytest.param("{VAULT}/{SETTINGS}/c", "c", id="one-setting"),
        pytest.param("{ACCOUNT}/blobServices/default", "default", id="storage-service"),
        pytest.param("{GROUP}", "rg-App", id="resource-group"),
        pytest.param("/providers/Microsoft.Management/managementGroups/mg-app", "mg-app", id="management-group"),
    ],
)
@pytest.mark.parametrize("case", [str, str.upper, str.lower], ids=["same", "upper", "lower"])
def test_reads_one_resource(client: Any, at: Ids, path: str, name: str, case: Callable[[str], str]) -> None:
    answer = client.get(case(path.format(**at)))
    assert (answer.status, answer.json["name"]) == (200, name)


def test_a_resource_is_given_as_the_estate_says(client: Any, at: Ids) -> None:
    answer = client.get(at["VAULT"])
    assert answer.json["properties"] == {"enableSoftDelete": True, "sku": {"name": "standard"}}
    assert answer.json["tags"] == {"env": "prod"}
    assert answer.headers["x-ms-ratelimit-remaining-subscription-reads"] == "249"


def test_subscriptions_have_the_shape_of_arm(client: Any, at: Ids) -> None:
    answer = client.get("/subscriptions").json
    assert [(s["subscriptionId"], s["displayName"], s["state"]) for s in answer["value"]] == [
        (at["OPEN"], "Open", "Enabled"),
        (at["DENIED"], "Closed", "Enabled"),
    ]
    assert "managementGroupAncestorsChain" not in answer["value"][0]
    assert client.get(f"/subscriptions/{at['OPEN']}").json["displayName"] == "Open"


def test_tenants(client: Any, at: Ids) -> None:
    (tenant,) = client.get("/tenants").json["value"]
    assert (tenant["id"], tenant["tenantId"]) == (f"/tenants/{at['TENANT']}", at["TENANT"])
    assert tenant["defaultDomain"] == "tiny.example"


@pytest.mark.parametrize("version", [None, ""], ids=["none", "empty"])
def test_the_api_version_is_required(client: Any, at: Ids, version: str | None) -> None:
    answer = client.get(at["VAULT"] + ("?api-version=" if version == "" else ""), version=None)
    assert error_of(answer)[:2] == (400, "MissingApiVersionParameter")


@pytest.mark.parametrize(
    ("path", "status", "code", "words"),
    [
        pytest.param("{GONE}", 404, "ResourceNotFound", "workspaces/law-gone", id="absent"),
        pytest.param("{GONE}/tables", 404, "ResourceNotFound", "law-gone", id="below-absent"),
        pytest.param("{VAULT}x", 404, "ResourceNotFound", "vaults/kv-onex' under resource group 'rg-App'", id="unknown"),
        pytest.param(
            "/subscriptions/{OPEN}/resourceGroups/none/providers/Microsoft.KeyVault/vaults/k",
            404, "ResourceGroupNotFound", "Resource group 'none'", id="unknown-group",
        ),
        pytest.param("/subscriptions/0000/locations", 404, "SubscriptionNotFound", "'0000'", id="unknown-subscription"),
        pytest.param(
            "/subscriptions/0000/resourceGroups/a/providers/Microsoft.KeyVault/vaults/k/{SETTINGS}",
            404, "SubscriptionNotFound", "'0000'", id="settings-in-unknown-subscription",
        ),
        pytest.param("{VAULT}x/{SETTINGS}", 404, "ResourceNotFound", "kv-onex", id="settings-of-unknown-resource"),
        pytest.param(
            "{ACCOUNT}/managementPolicies/default", 404, "ManagementPolicyNotFound", "stone", id="no-lifecycle"
        ),
        pytest.param("{DISK}/{SETTINGS}", 400, "ResourceTypeNotSupported", "'microsoft.compute/disks'", id="no-logs"),
        pytest.param("{DISK}/{CATEGORIES}", 400, "ResourceTypeNotSupported", "compute/disks", id="no-categories"),
        pytest.param(
            "/subscriptions/{OPEN}/{CATEGORIES}", 400, "ResourceTypeNotSupported", "subscriptions", id="activity-log"
        ),
        pytest.param(
            "{NSG}/{SETTINGS}", 403, "AuthorizationFailed",
            "The client 'app-id' with object id 'object-id' does not have authorization to perform action "
            "'Microsoft.Insights/diagnosticSettings/read' over scope '{NSG}'", id="denied-read",
        ),
        pytest.param(
            "{FAR}", 403, "AuthorizationFailed", "'Microsoft.OperationalInsights/workspaces/read' over scope '{FAR}'",
            id="foreign",
        ),
        pytest.param(
            "{FAR}/tables", 403, "AuthorizationFailed",
            "'Microsoft.OperationalInsights/workspaces/tables/read' over scope '{FAR}'", id="below-foreign",
        ),
        pytest.param(
            "/subscriptions/{FOREIGN}/locations", 403, "AuthorizationFailed",
            "'Microsoft.Resources/subscriptions/locations/read' over scope '/subscriptions/{FOREIGN}'",
            id="foreign-subscription",
        ),
        pytest.param(
            "/providers/Microsoft.Management/managementGroups/other", 403, "AuthorizationFailed",
            "'Microsoft.Management/managementGroups/read'", id="other-management-group",
        ),
    ],
)  # fmt: skip
def test_refusals(client: Any, at: Ids, path: str, status: int, code: str, words: str) -> None:
    told = error_of(client.get(path.format(**at)))
    assert told[:2] == (status, code)
    assert words.format(**at) in told[2]


@pytest.mark.parametrize(
    ("path", "action", "scope"),
    [
        ("/resources", "Microsoft.Resources/subscriptions/resources", ""),
        ("/locations", "Microsoft.Resources/subscriptions/locations", ""),
        ("/{SETTINGS}", "Microsoft.Insights/diagnosticSettings", ""),
        ("/providers/Microsoft.KeyVault/deletedVaults", "Microsoft.KeyVault/locations/deletedVaults", ""),
        (
            "/resourceGroups/rg-x/providers/Microsoft.KeyVault/vaults/kv-hidden",
            "Microsoft.KeyVault/vaults",
            "/resourceGroups/rg-x/providers/Microsoft.KeyVault/vaults/kv-hidden",
        ),
        (
            "/resourceGroups/rg-x/providers/Microsoft.KeyVault/vaults/kv-hidden/{SETTINGS}",
            "Microsoft.Insights/diagnosticSettings",
            "/resourceGroups/rg-x/providers/Microsoft.KeyVault/vaults/kv-hidden",
        ),
    ],
)
def test_a_denied_subscription_refuses_everything_below(
    client: Any, at: Ids, path: str, action: str, scope: str
) -> None:
    below = f"/subscriptions/{at['DENIED']}"
    status, code, message = error_of(client.get(below + path.format(**at)))
    assert (status, code) == (403, "AuthorizationFailed")
    assert f"action '{action}/read' over scope '{below}{scope}'" in message
    assert client.get(below).json["displayName"] == "Closed"


def test_settings_come_in_one_piece_whatever_the_page_size(client: Any, at: Ids) -> None:
    answer = client.get(f"{at['VAULT'].lower()}/{at['SETTINGS'].upper()}").json
    assert [setting["name"] for setting in answer["value"]] == ["a", "b", "c", "d"]
    assert "nextLink" not in answer
    assert len(client.get(f"{at['WORKSPACE']}/tables").json["value"]) == 4


@pytest.mark.parametrize(
    "path",
    [
        "{BARE_VAULT}/{SETTINGS}",
        "{ACCOUNT}/fileServices/default/{SETTINGS}",
        "/subscriptions/{OPEN}/{SETTINGS}",
        "/providers/Microsoft.Management/managementGroups/mg-app/{SETTINGS}",
        "/providers/microsoft.aadiam/diagnosticSettings",
        "/subscriptions/{OPEN}/providers/Microsoft.Insights/logProfiles",
        "/subscriptions/{OPEN}/providers/Microsoft.KeyVault/deletedVaults",
        "{ACCOUNT}/blobServices/default/containers",
        "{WORKSPACE}/dataExports",
    ],
)
def test_what_is_not_there_is_an_empty_list(client: Any, at: Ids, path: str) -> None:
    answer = client.get(path.format(**at))
    assert (answer.status, answer.json) == (200, {"value": []})


def test_categories_come_from_the_catalog(client: Any, at: Ids) -> None:
    told = {c["name"]: c["properties"] for c in client.get(f"{at['VAULT']}/{at['CATEGORIES']}").json["value"]}
    assert told["AuditEvent"] == {"categoryType": "Logs", "categoryGroups": ["audit", "allLogs"]}
    assert told["AzurePolicyEvaluationDetails"]["categoryType"] == "Logs"
    assert told["AllMetrics"]["categoryType"] == "Metrics"
    network = {c["name"] for c in client.get(f"{at['NSG']}/{at['CATEGORIES']}").json["value"]}
    assert network == {"NetworkSecurityGroupEvent", "NetworkSecurityGroupRuleCounter", "AllMetrics"}
    storage = client.get(f"{at['ACCOUNT']}/blobServices/default/{at['CATEGORIES']}").json["value"]
    assert {"StorageRead", "StorageWrite", "StorageDelete"} <= {c["name"] for c in storage}
    entra = client.get("/providers/microsoft.aadiam/diagnosticSettingsCategories").json["value"]
    sign_ins = next(c for c in entra if c["name"] == "SignInLogs")
    assert sign_ins["properties"] == {"categoryType": "Logs"}, "this provider knows no category groups"


def test_a_told_list_of_categories_makes_a_type_loggable(serving: Callable[..., Any], at: Ids) -> None:
    kind, subscription = "Contoso.Custom/things", f"/subscriptions/{at['OPEN']}"
    thing = f"{at['GROUP']}/providers/{kind}/one"
    client = serving(
        [
            {"id": subscription, "type": "Microsoft.Resources/subscriptions"},
            {"id": thing, "type": kind, "name": "one"},
            {
                "id": f"{thing}/{at['CATEGORIES']}",
                "type": "Microsoft.Insights/diagnosticSettingsCategories",
                "value": [{"name": "Own", "properties": {"categoryType": "Logs"}}],
            },
        ]
    )
    assert client.get(f"{thing}/{at['SETTINGS']}").json == {"value": []}
    assert [c["name"] for c in client.get(f"{thing}/{at['CATEGORIES']}").json["value"]] == ["Own"]


def test_lists_page_by_next_link(client: Any, at: Ids) -> None:
    names, sizes = [], []
    answer = client.get(f"{at['WATCHER']}/flowLogs", version="2025-05-01")
    while True:
        names += [item["name"] for item in answer.json["value"]]
        sizes.append(len(answer.json["value"]))
        if "nextLink" not in answer.json:
            break
        link = urlsplit(answer.json["nextLink"])
        assert (link.scheme, link.netloc) == ("https", client.host)
        assert "api-version=2025-05-01" in link.query
        answer = client.get(f"{link.path}?{link.query}", version=None)
    assert (names, sizes) == ([f"fl-{n}" for n in range(5)], [3, 2])


def test_the_next_link_leads_to_the_host_that_was_asked(client: Any, at: Ids) -> None:
    answer = client.get(f"{at['WATCHER']}/flowLogs", Host="management.azure.com")
    assert answer.json["nextLink"].startswith("https://management.azure.com/subscriptions/")


def test_a_foreign_page_token_is_refused(client: Any, at: Ids) -> None:
    assert error_of(client.get(f"{at['WATCHER']}/flowLogs?$skiptoken=nonsense"))[:2] == (400, "InvalidSkipToken")


def collected(client: Any, path: str) -> list[dict[str, Any]]:
    """Every member of a paged list."""
    found: list[dict[str, Any]] = []
    answer = client.get(path)
    while True:
        found += answer.json["value"]
        if "nextLink" not in answer.json:
            return found
        link = urlsplit(answer.json["nextLink"])
        answer = client.get(f"{link.path}?{link.query}", version=None)


def test_the_list_of_resources_has_no_properties(client: Any, at: Ids) -> None:
    found = collected(client, f"/subscriptions/{at['OPEN']}/resources")
    names = {item["name"] for item in found}
    assert {"kv-one", "kv-two", "disk-one", "stone", "nsg-one", "nw", "law", "fl-0"} <= names
    assert not names & {"kv-hidden", "central", "law-gone", "A", "a"}
    assert not any("properties" in item for item in found)
    vaults = collected(
        client, f"/subscriptions/{at['OPEN']}/resources?$filter=resourceType eq 'microsoft.keyvault/vaults'"
    )
    assert [item["name"] for item in vaults] == ["kv-one", "kv-two"]
    bad = client.get(f"/subscriptions/{at['OPEN']}/resources?$filter=location eq 'x'")
    assert error_of(bad)[:2] == (400, "InvalidFilterInQueryString")


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/subscriptions/{OPEN}/providers/Microsoft.KeyVault/vaults", ["kv-one", "kv-two"]),
        ("{GROUP}/providers/Microsoft.KeyVault/vaults", ["kv-one", "kv-two"]),
        ("/subscriptions/{OPEN}/resourceGroups/NetworkWatcherRG/providers/Microsoft.KeyVault/vaults", []),
        ("/subscriptions/{OPEN}/providers/Microsoft.Network/networkWatchers", ["nw"]),
        ("/subscriptions/{OPEN}/resourceGroups", ["rg-App", "NetworkWatcherRG"]),
    ],
)
def test_lists_by_type(client: Any, at: Ids, path: str, names: list[str]) -> None:
    assert sorted(item["name"] for item in client.get(path.format(**at)).json["value"]) == sorted(names)


def test_flow_logs_are_listed_from_documents_of_their_own(serving: Callable[..., Any], at: Ids) -> None:
    kind = "Microsoft.Network/networkWatchers/flowLogs"
    client = serving(
        [
            {"id": f"/subscriptions/{at['OPEN']}", "type": "Microsoft.Resources/subscriptions"},
            {"id": at["WATCHER"], "type": "Microsoft.Network/networkWatchers", "name": "nw"},
            {"id": f"{at['WATCHER'].upper()}/flowLogs/solo", "type": kind, "name": "solo"},
            {"id": f"{at['WATCHER']}-2/flowLogs/other", "type": kind, "name": "other"},
        ]
    )
    assert [f["name"] for f in client.get(f"{at['WATCHER']}/flowLogs").json["value"]] == ["solo"]


def test_locations_have_a_default(client: Any, at: Ids) -> None:
    answer = client.get(f"/subscriptions/{at['OPEN']}/locations").json
    assert {"name": "westeurope", "displayName": "West Europe"}.items() <= next(
        x for x in answer["value"] if x["name"] == "westeurope"
    ).items()
    assert "nextLink" not in answer


def test_management_groups_and_what_is_below(client: Any, at: Ids) -> None:
    root = "/providers/Microsoft.Management/managementGroups"
    assert [g["name"] for g in client.get(root).json["value"]] == [at["TENANT"], "mg-app"]
    below = client.get(f"{root}/{at['TENANT']}/descendants").json["value"]
    assert [(d["type"], d["name"], d["properties"]["displayName"]) for d in below] == [
        ("Microsoft.Management/managementGroups", "mg-app", "App"),
        ("/subscriptions", at["OPEN"], "Open"),
    ]
    assert below[1]["properties"]["parent"]["id"] == f"{root}/mg-app"
    assert len(client.get(f"{root}/mg-app/descendants").json["value"]) == 1


def test_endpoints_lead_back_here_unless_the_client_thinks_this_is_azure(client: Any, at: Ids) -> None:
    ours = client.get(at["ACCOUNT"]).json["properties"]["primaryEndpoints"]
    assert ours["blob"] == f"https://{client.host}/$storage/stone/blob/"
    real = client.get(at["ACCOUNT"], Host="management.azure.com").json["properties"]["primaryEndpoints"]
    assert real["blob"] == "https://stone.blob.core.windows.net/"
    listed = collected(client, f"/subscriptions/{at['OPEN']}/providers/Microsoft.Storage/storageAccounts")
    assert listed[0]["properties"]["primaryEndpoints"] == ours


def test_a_list_that_is_refused_refuses_its_members_too(serving: Callable[..., Any], at: Ids) -> None:
    kind = "Microsoft.Network/networkWatchers/flowLogs"
    client = serving(
        [
            {"id": f"/subscriptions/{at['OPEN']}", "type": "Microsoft.Resources/subscriptions"},
            {"id": at["WATCHER"], "type": "Microsoft.Network/networkWatchers"},
            {"id": f"{at['WATCHER']}/flowLogs", "type": kind, "$unknown": {"reason": "denied", "status": 403}},
            {"id": f"{at['WATCHER']}/flowLogs/told", "type": kind, "name": "told"},
        ]
    )
    assert error_of(client.get(f"{at['WATCHER']}/flowLogs"))[:2] == (403, "AuthorizationFailed")
    assert error_of(client.get(f"{at['WATCHER']}/flowLogs/one"))[:2] == (403, "AuthorizationFailed")
    assert client.get(f"{at['WATCHER']}/flowLogs/told").json["name"] == "told"
    assert client.get(at["WATCHER"]).status == 200


@pytest.mark.parametrize("status", [429, 503])
def test_a_throttled_document_says_when_to_come_back(serving: Callable[..., Any], at: Ids, status: int) -> None:
    client = serving(
        [
            {"id": f"/subscriptions/{at['OPEN']}", "type": "Microsoft.Resources/subscriptions"},
            {"id": at["VAULT"], "type": "Microsoft.KeyVault/vaults", "$unknown": {"reason": "busy", "status": status}},
        ]
    )
    answer = client.get(at["VAULT"])
    assert (answer.status, answer.headers["Retry-After"]) == (status, "1")

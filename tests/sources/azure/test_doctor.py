"""What the doctor finds out, and how little it asks for that."""

from __future__ import annotations

import asyncio
import socket
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from auditor.errors import AuditorError
from auditor.sources.azure import capabilities as c
from auditor.sources.azure.arm_inventory import TYPED_LISTS
from auditor.sources.azure.auth import Identity
from auditor.sources.azure.cloud import USGOV, Options, custom_cloud
from auditor.sources.azure.doctor import MOST_PROBED, examine, sign_in_page
from auditor.sources.azure.estimate import estimate
from auditor.sources.azure.probes import entra_check, licence_check

GROUPS = "/providers/Microsoft.Management/managementGroups"
ENTRA = "/providers/microsoft.aadiam/diagnosticSettings"
SKUS = "/v1.0/subscribedSkus"
DENIED = (403, {"error": {"code": "AuthorizationFailed", "message": "no"}})
EMPTY: dict[str, Any] = {"value": []}


def settings_of(guid: str) -> str:
    return f"/subscriptions/{guid}/providers/Microsoft.Insights/diagnosticSettings"


@pytest.fixture
def healthy(azure):
    """An Azure that shows everything: one subscription with a vault and a storage account."""
    azure[GROUPS] = {"value": [{"id": f"{GROUPS}/root", "name": "root"}]}
    azure[ENTRA] = EMPTY
    azure[SKUS] = EMPTY
    azure[settings_of(azure.SUB)] = EMPTY
    logging = (
        "<StorageServiceProperties><Logging><Version>1.0</Version><Read>true</Read><Write>true</Write>"
        "<Delete>true</Delete><RetentionPolicy><Enabled>false</Enabled></RetentionPolicy></Logging>"
        "</StorageServiceProperties>"
    )
    azure["/stone/blob/"] = (200, logging)
    rows(azure, {"microsoft.keyvault/vaults": 3, "microsoft.storage/storageaccounts": 1}, azure.account())
    return azure


def rows(azure, counts: dict[str, int], *accounts: dict[str, Any]) -> None:
    """What Resource Graph answers to the doctor's two questions."""

    def answer(seen: Any) -> Any:
        if "summarize" in seen.body["query"]:
            guid = seen.body["subscriptions"][0]
            told = [{"type": kind, "subscriptionId": guid, "count_": n} for kind, n in counts.items()]
            return {"data": told, "resultTruncated": "false"}
        return {"data": list(accounts), "resultTruncated": "false"}

    azure[azure.QUERY] = answer


def doctor(azure, *, clock=lambda: datetime.now(UTC), notice=None, **options: Any) -> c.Examination:
    async def run() -> c.Examination:
        async with azure.serving():
            given = {key: value(azure) if callable(value) else value for key, value in options.items()}
            return await examine(azure.options(**given), clock=clock, notice=notice)

    return asyncio.run(run())


def check(found: c.Examination, capability: c.Capability) -> c.Check:
    (one,) = [one for one in found.checks if one.capability == capability.key]
    return one


def states(found: c.Examination) -> dict[str, str]:
    return {one.capability: one.state for one in found.checks}


def place(found: c.Examination, name: str) -> c.Place:
    (one,) = [one for one in found.places if one.name == name]
    return one


# --- what is there ---


def test_a_healthy_tenant(healthy) -> None:
    found = doctor(healthy)

    assert states(found) == {
        "subscriptions": "yes",
        "management-groups": "yes",
        "entra-settings": "yes",
        "intune-settings": "yes",
        "entra-licence": "yes",
        "resource-graph": "yes",
        "storage-data-plane": "yes",
        "destinations-elsewhere": "not probed",
    }
    assert [(p.name, p.state, p.reason) for p in found.places] == [
        ("sign-in", "reachable", ""),
        ("Resource Manager", "reachable", ""),
        ("Microsoft Graph", "reachable", ""),
        ("storage", "reachable", ""),
    ]
    assert (found.principal.kind, found.principal.application, found.tenant) == (
        "application",
        healthy.APP,
        healthy.TENANT,
    )
    assert not [gap for one in found.checks for gap in one.gaps]


def test_it_asks_little_and_writes_nothing(healthy) -> None:
    found = doctor(healthy)

    asked = sorted((seen.method, seen.path) for seen in healthy.seen)
    assert asked == sorted(
        [
            ("GET", f"/{healthy.TENANT}/v2.0/.well-known/openid-configuration"),
            ("GET", "/subscriptions"),
            ("GET", GROUPS.lower()),
            ("GET", ENTRA.lower()),
            ("GET", "/providers/microsoft.intune/diagnosticsettings"),
            ("GET", SKUS.lower()),
            ("GET", settings_of(healthy.SUB).lower()),
            ("POST", healthy.QUERY),
            ("POST", healthy.QUERY),
            ("GET", "/stone/blob/"),
        ]
    )
    assert found.requests == len(asked)
    assert [seen.audience for seen in healthy.seen if "openid" in seen.path] == [""], (
        "no token goes to the sign-in page"
    )


def test_no_more_than_some_subscriptions_are_probed(healthy) -> None:
    guids = [f"{n:08x}-0000-4000-8000-000000000000" for n in range(MOST_PROBED + 7)]
    healthy["/subscriptions"] = {"value": [healthy.subscription(guid, f"s{guid[:8]}") for guid in guids]}
    for guid in guids:
        healthy[settings_of(guid)] = EMPTY

    found = doctor(healthy)

    assert (
        len(
            [
                seen
                for seen in healthy.seen
                if seen.path.endswith("/diagnosticsettings") and "/subscriptions/" in seen.path
            ]
        )
        == MOST_PROBED
    )
    assert check(found, c.SUBSCRIPTIONS).detail == "50 of 50 can be read; 7 more were not probed"
    assert [s.readable for s in found.subscriptions].count("not probed") == 7


def test_only_the_scope_is_probed_and_shared_names_are_told(healthy) -> None:
    third = "dddddddd-0000-4000-8000-00000000000d"
    healthy["/subscriptions"] = {
        "value": [healthy.subscription(g, n) for g, n in ((healthy.SUB, "A"), (healthy.OTHER, "twin"), (third, "Twin"))]
    }
    told: list[str] = []

    found = doctor(healthy, exclude_subscriptions=("TWIN",), notice=told.append)

    assert [s.name for s in found.subscriptions] == ["A"]
    assert len(told) == 1 and told[0].startswith("2 subscriptions are called 'TWIN'")
    with pytest.raises(AuditorError, match="no visible subscription is called 'B'"):
        doctor(healthy, subscriptions=("B",))


def test_states_and_tenants_of_subscriptions_are_told(healthy) -> None:
    customer = "99999999-2222-4333-8444-000000000001"
    theirs = {**healthy.subscription(healthy.OTHER, "Customer", "Warned"), "tenantId": customer}
    healthy["/subscriptions"] = {"value": [healthy.subscription(healthy.SUB, "Ours"), theirs]}
    healthy[settings_of(healthy.OTHER)] = EMPTY

    found = doctor(healthy)

    assert [(s.name, s.state, s.tenant, s.readable) for s in found.subscriptions] == [
        ("Ours", "Enabled", healthy.TENANT, "yes"),
        ("Customer", "Warned", customer, "yes"),
    ]


# --- what is missing, and the grant ---


def test_a_denied_subscription(healthy) -> None:
    healthy["/subscriptions"] = {
        "value": [healthy.subscription(healthy.SUB, "Open"), healthy.subscription(healthy.OTHER, "Shut")]
    }
    healthy[settings_of(healthy.OTHER)] = DENIED

    one = check(doctor(healthy), c.SUBSCRIPTIONS)

    assert (one.state, one.detail, one.all_at_once) == ("partly", "1 of 2 can be read", None)
    (gap,) = one.gaps
    assert gap.what == "Shut"
    assert gap.grant == c.Grant(
        role="Reader",
        scope=f"/subscriptions/{healthy.OTHER}",
        command=f"az role assignment create --assignee {healthy.APP} --role Reader --scope /subscriptions/{healthy.OTHER}",
    )


def test_several_denied_subscriptions_have_one_grant_for_all(healthy) -> None:
    healthy["/subscriptions"] = {
        "value": [healthy.subscription(healthy.SUB, "Shut"), healthy.subscription(healthy.OTHER, "Shut too")]
    }
    healthy[settings_of(healthy.SUB)] = healthy[settings_of(healthy.OTHER)] = DENIED

    one = check(doctor(healthy), c.SUBSCRIPTIONS)

    assert one.state == "no"
    assert one.all_at_once is not None and one.all_at_once.scope == f"{GROUPS}/{healthy.TENANT}"


def test_a_subscription_that_fails_otherwise_is_unknown_and_no_role_is_advised(healthy) -> None:
    healthy[settings_of(healthy.SUB)] = (404, {"error": {"code": "SubscriptionNotFound", "message": "gone"}})

    one = check(doctor(healthy), c.SUBSCRIPTIONS)

    assert one.state == "unknown"
    assert [gap.grant for gap in one.gaps] == [None]
    assert "subscription is gone" in one.gaps[0].reason


def test_a_subscription_without_the_provider_can_be_read(healthy) -> None:
    healthy[settings_of(healthy.SUB)] = (409, {"error": {"code": "MissingSubscriptionRegistration", "message": "x"}})

    assert check(doctor(healthy), c.SUBSCRIPTIONS).state == "yes"


def test_no_subscription_at_all(healthy) -> None:
    healthy["/subscriptions"] = EMPTY

    found = doctor(healthy)

    one = check(found, c.SUBSCRIPTIONS)
    assert one.state == "no"
    assert one.gaps[0].grant is not None and one.gaps[0].grant.scope == f"{GROUPS}/{healthy.TENANT}"
    assert states(found)["resource-graph"] == states(found)["storage-data-plane"] == "not probed"
    assert found.estimate is None


@pytest.mark.parametrize(
    ("path", "capability", "role", "scope", "command"),
    [
        (GROUPS, c.MANAGEMENT_GROUPS, "Management Group Reader", f"{GROUPS}/{{tenant}}", "az role assignment create"),
        (ENTRA, c.ENTRA, "Reader", "/providers/Microsoft.aadiam", "az role assignment create"),
        (SKUS, c.LICENCE, "LicenseAssignment.Read.All (application permission)", "Microsoft Graph", "az ad app permission"),
    ],
)  # fmt: skip
def test_a_denied_read_of_the_tenant(healthy, path, capability, role, scope, command) -> None:
    healthy[path] = DENIED

    found = doctor(healthy)

    one = check(found, capability)
    assert one.state == "no"
    grant = one.gaps[0].grant
    assert (grant.role, grant.scope) == (role, scope.format(tenant=healthy.TENANT))
    assert grant.command.startswith(command) and healthy.APP in grant.command
    assert [s for key, s in states(found).items() if key != capability.key].count("no") == 0
    assert {p.state for p in found.places} == {"reachable"}, "a refusal comes from somewhere"


def test_a_service_that_fails_is_not_a_missing_permission(healthy) -> None:
    healthy[ENTRA] = (500, "")

    one = check(doctor(healthy), c.ENTRA)

    assert one.state == "unknown"
    assert one.gaps[0].grant is None and "HTTP 500" in one.gaps[0].reason


DOC = {"id": ENTRA, "type": "x", "$unknown": {"reason": "not permitted", "status": 403, "grant": "az …"}}
OBJECT = "12345678-0000-4000-8000-00000000000a"


@pytest.mark.parametrize("judge", [entra_check, licence_check])
def test_a_person_needs_a_role_of_the_directory(judge) -> None:
    person = Identity(tenant="t", principal="ann (12)", assignee="ann", object_id=OBJECT)

    grant = judge(person, DOC, "https://graph.microsoft.us").gaps[0].grant

    assert grant.role == "Global Reader (Entra ID)"
    assert grant.command == (
        "az rest --method POST --url https://graph.microsoft.us/v1.0/roleManagement/directory/roleAssignments "
        f'--body \'{{"principalId":"{OBJECT}","roleDefinitionId":"f2ef992c-3afb-46b9-b7cf-a126ee74c451","directoryScopeId":"/"}}\''
    )


def test_a_token_cannot_write_into_a_command() -> None:
    odd = Identity(principal="x", assignee="a'; rm -rf /", application="a'; rm -rf /", object_id="' && reboot '")

    assert "<object id>" in entra_check(Identity(object_id=odd.object_id), DOC, "https://g").gaps[0].grant.command
    for judge in (entra_check, licence_check):
        assert "'a'\"'\"'; rm -rf /'" in judge(odd, DOC, "https://g").gaps[0].grant.command


def test_a_managed_identity_has_no_registration_to_change() -> None:
    managed = Identity(principal="vm (1)", assignee="1", application="1", managed=True)

    assert licence_check(managed, DOC, "https://g").gaps[0].grant.command == ""


# --- Resource Graph, storage, the estimate ---


def test_without_resource_graph_there_is_no_estimate(healthy) -> None:
    healthy[healthy.QUERY] = DENIED

    found = doctor(healthy)

    assert check(found, c.RESOURCE_GRAPH).state == "unknown"
    assert found.estimate is None
    assert check(found, c.STORAGE).state == place(found, "storage").state == "not probed"


def test_counts_come_in_pages(healthy) -> None:
    def answer(seen: Any) -> Any:
        skipped = seen.body["options"]["$skip"]
        row = {"type": f"microsoft.keyvault/vaults{skipped}", "subscriptionId": healthy.SUB, "count_": 2}
        return {"data": [row], "resultTruncated": "true" if skipped < 2 else "false"}

    healthy[healthy.QUERY] = answer

    assert doctor(healthy).estimate.resources == 6


def test_too_many_kinds_are_counted_without_their_subscription(healthy) -> None:
    def answer(seen: Any) -> Any:
        if "subscriptionId" in seen.body["query"]:
            return {"data": [{"type": "a/b", "subscriptionId": healthy.SUB, "count_": 1}], "resultTruncated": "true"}
        return {"data": [{"type": "microsoft.keyvault/vaults", "count_": 10_000}], "resultTruncated": "false"}

    healthy[healthy.QUERY] = answer

    found = doctor(healthy)
    assert (found.estimate.resources, found.estimate.fullest, found.estimate.fullest_reads) == (10_000, "", 10_007)


def test_odd_counts_are_left_out(healthy) -> None:
    odd = [{"type": 7, "count_": 1}, {"type": "x"}, {"type": "x", "count_": True}, {"type": "x", "count_": -4}, "row"]
    healthy[healthy.QUERY] = {"data": odd, "resultTruncated": "false"}

    assert doctor(healthy).estimate.resources == 0


def test_a_storage_account_behind_a_firewall_is_asked_last_and_needs_no_role(healthy) -> None:
    closed = healthy.account("shut", networkAcls={"defaultAction": "Deny"})
    rows(healthy, {"microsoft.storage/storageaccounts": 2}, closed, healthy.account())
    assert check(doctor(healthy), c.STORAGE).state == "yes"

    rows(healthy, {"microsoft.storage/storageaccounts": 1}, closed)
    healthy["/shut/blob/"] = (403, "", {"x-ms-error-code": "AuthorizationFailure"})
    found = doctor(healthy)
    (gap,) = check(found, c.STORAGE).gaps
    assert gap.grant is None and "firewall" in gap.reason and "network" in gap.remedy
    assert place(found, "storage").state == "reachable"


def test_a_storage_service_that_is_not_permitted(healthy) -> None:
    healthy["/stone/blob/"] = (403, "", {"x-ms-error-code": "AuthorizationPermissionMismatch"})

    one = check(doctor(healthy), c.STORAGE)

    assert one.state == "no"
    assert one.gaps[0].grant.scope == f"/subscriptions/{healthy.SUB}"


def test_no_token_goes_to_a_storage_host_of_nobody(healthy) -> None:
    healthy.storage_domains = ("example.invalid",)

    found = doctor(healthy)

    assert check(found, c.STORAGE).state == "unknown"
    assert not [seen for seen in healthy.seen if seen.place == "storage"]


def test_the_estimate() -> None:
    tally = {
        ("microsoft.keyvault/vaults", "a"): 1000,
        ("microsoft.storage/storageaccounts", "a"): 10,
        ("microsoft.network/networkwatchers", "b"): 2,
        ("microsoft.compute/disks", "b"): 5000,
    }

    told = estimate(tally, ["a", "b"], groups=3)

    assert told.resources == 6012
    assert (told.fullest, told.fullest_reads) == ("a", 7 + 1000 + 50)
    assert told.reads == (7 + 1000 + 50) + (7 + 2) + 30 + (8 + 3 + 1) + 7 + 4
    assert told.seconds == 35, "1,057 reads: 225 at once, and the rest at 24 a second"


def test_the_estimate_where_resource_manager_lists() -> None:
    tally = {
        ("microsoft.keyvault/vaults", "a"): 1000,
        ("microsoft.sql/servers", "a"): 3,
        ("microsoft.network/networkwatchers/flowlogs", "b"): 2,
        ("microsoft.compute/disks", "b"): 2500,
    }

    by_graph, told = (estimate(tally, ["a", "b", "c"], 0, inventory) for inventory in ("graph", "arm"))

    lists = len(TYPED_LISTS)
    of_a, of_b, of_c = lists + 2 + 3, lists + 3, lists + 1  # pages of everything, and what no list shows whole
    assert told.reads == by_graph.reads - 4 + of_a + of_b + of_c
    assert told.fullest_reads == by_graph.fullest_reads + of_a


# --- endpoints and the clock ---


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


def graph_at(url: str):
    return lambda azure: custom_cloud(
        resource_manager=azure.urls["manager"],
        authority=azure.urls["manager"],
        graph=url,
        storage_domains=("localhost",),
    )


def test_a_host_that_refuses_or_has_no_name(healthy) -> None:
    refused = place(doctor(healthy, cloud=graph_at(f"https://127.0.0.1:{closed_port()}")), "Microsoft Graph")
    nameless = place(doctor(healthy, cloud=graph_at("https://graph.invalid")), "Microsoft Graph")

    assert (refused.state, refused.reason) == ("not reachable", "the host refused the connection")
    assert (nameless.state, nameless.reason, nameless.host) == (
        "not reachable",
        "the host name does not resolve (DNS)",
        "graph.invalid",
    )


def test_a_host_that_says_nothing(healthy) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        found = doctor(healthy, cloud=graph_at(url), connect_timeout=0.2, read_timeout=0.2)

    assert place(found, "Microsoft Graph").state == "not reachable"
    assert place(found, "Microsoft Graph").reason == "no answer in time"
    assert check(found, c.LICENCE).state == "unknown"
    assert check(found, c.SUBSCRIPTIONS).state == "yes", "the rest is told all the same"


def test_a_certificate_that_nobody_vouches_for(healthy) -> None:
    found = doctor(healthy, ca_file=None)

    assert found.principal is None
    assert {p.state for p in found.places} == {"not reachable"}
    assert all("TLS" in p.reason for p in found.places)
    assert found.clock_skew is None


def test_a_proxy_that_is_not_there(healthy, monkeypatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{closed_port()}")
    monkeypatch.setenv("NO_PROXY", "")

    found = doctor(healthy)

    assert {(p.state, p.reason) for p in found.places} == {
        ("not reachable", "the proxy could not be reached or refused")
    }


def test_an_endpoint_that_is_ill_is_reachable_but_told(healthy) -> None:
    healthy[f"/{healthy.TENANT}/v2.0/.well-known/openid-configuration"] = (503, "")

    assert place(doctor(healthy), "sign-in").reason == "but it answers with HTTP 503"


def test_without_an_identity_the_endpoints_and_the_clock_are_told(healthy) -> None:
    found = doctor(healthy, auth="client-secret", client_secret=None)

    assert found.principal is None and found.checks == []
    assert "AZURE_CLIENT_SECRET" in found.problem and found.hint.startswith("az login")
    assert [(p.name, p.state) for p in found.places] == [
        ("sign-in", "reachable"),
        ("Resource Manager", "reachable"),
        ("Microsoft Graph", "reachable"),
    ]
    assert found.clock_skew is not None
    assert {seen.audience for seen in healthy.seen} == {""}


@pytest.mark.parametrize("seconds", [-4000, 900])
def test_a_clock_that_is_off(healthy, seconds: int) -> None:
    found = doctor(healthy, clock=lambda: datetime.now(UTC) + timedelta(seconds=seconds))

    assert found.clock_skew is not None and abs(found.clock_skew - seconds) < 60


@pytest.mark.parametrize("date", ["yesterday", "", "Sun, 99 Nov 2026 99:99:99 GMT"])
def test_a_date_that_is_none(healthy, date: str) -> None:
    healthy[f"/{healthy.TENANT}/v2.0/.well-known/openid-configuration"] = (200, "{}", {"Date": date})

    assert doctor(healthy).clock_skew is None


def test_the_subscriptions_cannot_be_listed(healthy) -> None:
    healthy["/subscriptions"] = "reset"

    found = doctor(healthy, subscriptions=("Production",))

    assert place(found, "Resource Manager").state == "not reachable"
    one = check(found, c.SUBSCRIPTIONS)
    assert (one.state, one.gaps[0].what) == ("unknown", "the list of subscriptions")


def test_a_hidden_subscription_below_the_management_group(healthy) -> None:
    members = [{"type": "/subscriptions", "name": guid} for guid in (healthy.SUB, healthy.OTHER)]
    healthy[f"{GROUPS}/corp/descendants"] = {"value": members}

    one = check(doctor(healthy, management_group="corp"), c.SUBSCRIPTIONS)
    without = check(doctor(healthy, management_group="corp", exclude_subscriptions=(healthy.OTHER,)), c.SUBSCRIPTIONS)

    assert one.state == "partly"
    assert [(gap.what, gap.grant.scope) for gap in one.gaps] == [(healthy.OTHER, f"/subscriptions/{healthy.OTHER}")]
    assert without.state == "yes"


def test_a_token_that_is_refused_says_nothing_about_the_endpoint(healthy, monkeypatch) -> None:
    issue = healthy._token

    def token(raw: bytes) -> web.Response:
        body = {"error": "invalid_scope", "error_description": "AADSTS65001: consent is missing"}
        return web.json_response(body, status=400) if b"graph" in raw else issue(raw)

    monkeypatch.setattr(healthy, "_token", token)

    found = doctor(healthy)

    graph = place(found, "Microsoft Graph")
    assert graph.state == "not probed" and "AADSTS65001" in graph.reason
    assert (check(found, c.LICENCE).state, check(found, c.LICENCE).gaps[0].grant) == ("unknown", None)


@pytest.mark.parametrize(
    ("named", "page"),
    [
        (None, "https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration"),
        ("login.example.org/", "https://login.example.org/common/v2.0/.well-known/openid-configuration"),
        ("http://login.example.org", "http://login.example.org/common/v2.0/.well-known/openid-configuration"),
    ],
)
def test_where_signing_in_happens(monkeypatch, named: str | None, page: str) -> None:
    if named:
        monkeypatch.setenv("AZURE_AUTHORITY_HOST", named)

    assert sign_in_page(Options()) == page
    assert sign_in_page(Options(cloud=USGOV, tenant="a/b")).startswith("https://login.microsoftonline.us/a%2Fb/v2.0/")

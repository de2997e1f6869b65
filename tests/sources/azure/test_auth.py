"""Signing in, and who the token says we are."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from auditor.errors import AuditorError, IdentityError
from auditor.sources.azure.auth import Credential, Identity, explain, identity_of, open_credential
from auditor.sources.azure.cloud import AUTH_METHODS, CLOUDS, PUBLIC, Options, custom_cloud, in_domain, origin

CHAIN = """DefaultAzureCredential failed to retrieve a token from the included credentials.
Attempted credentials:
\tEnvironmentCredential: EnvironmentCredential authentication unavailable. Environment variables are not set.
Visit https://aka.ms/azsdk/python/identity/environmentcredential/troubleshoot to troubleshoot this issue.
\tAzureCliCredential: Please run 'az login' to set up an account
To mitigate this issue, please refer to the troubleshooting guidelines here at https://aka.ms/x."""


def test_a_failed_chain_is_told_part_by_part() -> None:
    assert explain(ClientAuthenticationError(message=CHAIN)).splitlines() == [
        "every way to sign in failed",
        "  EnvironmentCredential  EnvironmentCredential authentication unavailable. Environment variables are not set.",
        "  AzureCliCredential     Please run 'az login' to set up an account",
    ]


def test_any_other_failure_is_told_on_one_line() -> None:
    said = explain(ClientAuthenticationError(message="AADSTS700016: no\r\n such\x1b[31m app " + "x" * 1000))

    assert said.startswith("AADSTS700016: no such [31m app x")
    assert len(said) <= 240


def test_an_identity_that_is_refused_ends_the_run(azure, monkeypatch) -> None:
    monkeypatch.setattr(
        azure,
        "_token",
        lambda raw: __import__("aiohttp").web.json_response(
            {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."},
            status=401,
        ),
    )

    with pytest.raises(IdentityError, match=r"no Azure identity is usable: .*AADSTS7000215") as got:
        azure.scan()

    assert got.value.exit_code == 4
    assert got.value.hint == f"az login --tenant {azure.TENANT}"
    assert azure.seen == []


def test_the_default_chain_finds_the_environment(azure, monkeypatch) -> None:
    """As a container or another tool's set-up has it: everything in the environment, nothing on the command line."""
    for name, value in (
        ("AZURE_TENANT_ID", azure.TENANT),
        ("AZURE_CLIENT_ID", azure.APP),
        ("AZURE_CLIENT_SECRET", "not-a-secret"),
        ("SSL_CERT_FILE", str(azure.ca_file)),
    ):
        monkeypatch.setenv(name, value)

    collection = azure.scan(auth="auto", ca_file=None, client_id=None, client_secret=None, tenant=None)

    assert collection.run.principal == f"auditor ({azure.APP})"


def test_an_identity_of_another_tenant_is_not_used(azure) -> None:
    with pytest.raises(IdentityError, match=f"belongs to tenant {azure.TENANT}, not to 99999999"):
        azure.scan(tenant="99999999-9999-4999-8999-999999999999")


@pytest.mark.parametrize("method", [m for m in AUTH_METHODS if m not in ("device-code", "browser")])
def test_every_way_to_sign_in_can_be_set_up(method: str, monkeypatch) -> None:
    for name in ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_FEDERATED_TOKEN_FILE"):
        monkeypatch.setenv(name, "11111111-2222-4333-8444-000000000001")
    monkeypatch.delenv("AZURE_CLIENT_CERTIFICATE_PATH", raising=False)
    if method == "client-certificate":
        with pytest.raises(IdentityError, match="AZURE_CLIENT_CERTIFICATE_PATH is not set"):
            open_credential(Options(auth=method), object())
        return

    assert isinstance(open_credential(Options(auth=method), object()), Credential)


def test_an_unknown_way_to_sign_in_is_refused() -> None:
    with pytest.raises(AuditorError, match="unknown way to sign in: 'magic'"):
        open_credential(Options(auth="magic"), object())


def test_missing_settings_are_named(monkeypatch) -> None:
    for name in ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)

    with pytest.raises(IdentityError, match="AZURE_TENANT_ID and AZURE_CLIENT_ID and AZURE_CLIENT_SECRET are not set"):
        open_credential(Options(auth="client-secret"), object())


@pytest.mark.parametrize(
    ("claims", "identity"),
    [
        (
            {"tid": "T-1", "appid": "a-1", "app_displayname": "auditor", "oid": "o"},
            Identity(tenant="t-1", principal="auditor (a-1)", assignee="a-1", application="a-1", object_id="o"),
        ),
        (
            {"tid": "t", "appid": "a-1", "oid": "o-2", "xms_mirid": "/subscriptions/s/…/userAssignedIdentities/me"},
            Identity(tenant="t", principal="a-1", assignee="a-1", application="a-1", object_id="o-2", managed=True),
        ),
        (
            {"tid": "t", "upn": "ada@contoso.com", "oid": "o-1", "appid": "04b07795"},
            Identity(tenant="t", principal="ada@contoso.com (o-1)", assignee="ada@contoso.com", object_id="o-1"),
        ),
        ({"tid": "t", "oid": "o-1"}, Identity(tenant="t", principal="o-1", assignee="o-1", object_id="o-1")),
        ({"tid": 7, "appid": None}, Identity()),
        ([], Identity()),
    ],
)
def test_the_token_says_who_we_are(claims: Any, identity: Identity) -> None:
    import base64
    import json

    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")

    assert identity_of(f"h.{payload}.s") == identity


@pytest.mark.parametrize("token", ["", "opaque", "a.b.c", "a..", "a.!!!.c", "\x00.\x00.\x00"])
def test_a_token_that_cannot_be_looked_into_is_borne(token: str) -> None:
    assert identity_of(token) == Identity()


class Inner:
    def __init__(self, *outcomes: Any) -> None:
        self.outcomes = list(outcomes)
        self.asked: list[Any] = []

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        self.asked.append((scopes, options))
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def test_a_token_is_kept_while_it_lasts() -> None:
    soon, later = AccessToken("1", 1), AccessToken("2", 2**40)
    inner = Inner(soon, later)
    credential = Credential(inner, "contoso.com")

    async def run() -> list[str]:
        return [(await credential.get_token("s")).token for _ in range(4)]

    assert asyncio.run(run()) == ["1", "2", "2", "2"]
    assert inner.asked == [(("s",), {"tenant_id": "contoso.com"})] * 2


@pytest.mark.parametrize("failure", [ClientAuthenticationError(message="no"), RuntimeError("az: cannot be run")])
def test_a_refusal_is_asked_for_once(failure: Exception) -> None:
    inner = Inner(failure, failure)
    credential = Credential(inner)

    async def run() -> None:
        for _ in range(3):
            with pytest.raises(ClientAuthenticationError, match=r"no|az: cannot be run"):
                await credential.get_token("s")

    asyncio.run(run())
    assert len(inner.asked) == 1


def test_new_claims_get_a_new_token() -> None:
    inner = Inner(AccessToken("1", 2**40), AccessToken("2", 2**40))
    credential = Credential(inner)

    async def run() -> list[str]:
        return [(await credential.get_token("s")).token, (await credential.get_token("s", claims="{}")).token,
                (await credential.get_token("s")).token]  # fmt: skip

    assert asyncio.run(run()) == ["1", "2", "2"]


# --- clouds ---


def test_every_cloud_has_its_own_hosts() -> None:
    assert sorted(CLOUDS) == ["china", "public", "usgov"]
    for field in ("authority", "resource_manager", "graph"):
        hosts = [getattr(cloud, field) for cloud in CLOUDS.values()]
        assert len(set(hosts)) == len(hosts)
        assert all(host.startswith("https://") for host in hosts)


@pytest.mark.parametrize("place", ["authority", "resource_manager", "graph"])
def test_a_token_needs_tls(place: str) -> None:
    addresses = {"authority": "https://a", "resource_manager": "https://b", "graph": "https://c"}

    with pytest.raises(AuditorError, match="is not an https:// address"):
        custom_cloud(**{**addresses, place: "http://127.0.0.1:8080"})


def test_a_custom_cloud_has_its_storage_on_the_same_host_too() -> None:
    cloud = custom_cloud(
        resource_manager="https://127.0.0.1:1/", authority="https://127.0.0.1:1", graph="https://127.0.0.1:1"
    )

    assert in_domain("https://127.0.0.1:1/$storage/a/blob", cloud.storage_domains)
    assert in_domain("https://a.blob.core.windows.net/", cloud.storage_domains)
    assert cloud.resource_manager == "https://127.0.0.1:1"
    assert not in_domain("https://a.blob.core.windows.net/", CLOUDS["china"].storage_domains)
    assert in_domain("https://a.z1.blob.storage.azure.net/", PUBLIC.storage_domains)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://management.azure.com/x", "https://MANAGEMENT.azure.com:443/y", True),
        ("https://management.azure.com", "http://management.azure.com", False),
        ("https://management.azure.com", "https://management.azure.com:8443", False),
        ("https://management.azure.com", "https://management.azure.com.evil.example", False),
        ("https://management.azure.com", "https://management.azure.com@evil.example", False),
    ],
)
def test_two_addresses_are_of_one_origin(one: str, other: str, same: bool) -> None:
    assert (origin(one) == origin(other)) is same

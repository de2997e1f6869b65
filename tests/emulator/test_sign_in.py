"""Signing in: tokens, audiences, Graph, and the identity libraries that real clients use."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import time
from typing import Any

import aiohttp
import pytest
from azure.core import AsyncPipelineClient, PipelineClient
from azure.core.exceptions import ClientAuthenticationError
from azure.core.pipeline.policies import AsyncBearerTokenCredentialPolicy, BearerTokenCredentialPolicy
from azure.core.pipeline.transport import AioHttpTransport
from azure.core.rest import HttpRequest
from azure.identity import ClientSecretCredential
from azure.identity.aio import ClientSecretCredential as AsyncClientSecretCredential

from auditor.emulator.entra import Tokens
from auditor.emulator.estate import parse_estate

Ids = dict[str, str]
ARM, GRAPH, STORAGE = "https://management.azure.com", "https://graph.microsoft.com", "https://storage.azure.com"


def claims_of(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def test_a_token_says_who_and_for_what(client: Any, at: Ids) -> None:
    answer = client.sign_in().json
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 3599)
    claims = claims_of(answer["access_token"])
    assert {
        "aud": ARM, "tid": at["TENANT"], "appid": "app-id", "oid": "object-id", "app_displayname": "tiny-auditor",
    }.items() <= claims.items()  # fmt: skip
    assert claims["exp"] - time.time() == pytest.approx(3599, abs=60)


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"client_secret": ""}, 401, "AADSTS7000216"),
        ({"client_id": "someone"}, 400, "AADSTS700016"),
        ({"grant_type": "password"}, 400, "AADSTS70003"),
        ({"scope": "https://contoso.example/.default"}, 400, "AADSTS500011"),
        ({"scope": ARM}, 400, "AADSTS1002012"),
    ],
)
def test_refused_sign_ins(client: Any, change: dict[str, str], status: int, code: str) -> None:
    answer = client.sign_in(**change)
    assert answer.status == status
    assert answer.json["error_description"].startswith(f"{code}: ")


def test_any_other_secret_is_accepted(client: Any) -> None:
    assert client.sign_in(client_secret="whatever").status == 200
    assert client.sign_in(client_secret="", client_assertion="a.b.c").status == 200


def test_another_tenant_is_not_here(client: Any) -> None:
    answer = client.sign_in(tenant="99999999-0000-4000-8000-000000000000")
    assert (answer.status, answer.json["error"]) == (400, "invalid_request")
    assert answer.json["error_description"].startswith("AADSTS90002: Tenant '99999999-")
    assert client.sign_in(tenant="tiny.example").status == 200


def test_discovery(client: Any, at: Ids) -> None:
    told = client.send("GET", f"/{at['TENANT']}/v2.0/.well-known/openid-configuration").json
    assert told["token_endpoint"] == f"https://{client.host}/{at['TENANT']}/oauth2/v2.0/token"
    metadata = client.send("GET", "/common/discovery/instance?api-version=1.1").json["metadata"]
    assert "login.microsoftonline.com" in metadata[0]["aliases"]


PLACES = {
    "arm": (ARM, "/subscriptions?api-version=2022-12-01"),
    "graph": (GRAPH, "/v1.0/subscribedSkus"),
    "storage": (STORAGE, "/$storage/stone/blob/?restype=service&comp=properties"),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("audience", PLACES)
def test_audiences_are_kept_apart(client: Any, place: str, audience: str) -> None:
    headers = {"Authorization": f"Bearer {client.token(PLACES[audience][0])}", "x-ms-version": "2021-12-02"}
    answer = client.send("GET", PLACES[place][1], headers=headers)
    assert answer.status == (200 if place == audience else 401)
    if place != audience:
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    if place == "arm" != audience:
        assert answer.json["error"]["code"] == "InvalidAuthenticationTokenAudience"


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        (None, "AuthenticationFailed"),
        ("Bearer", "InvalidAuthenticationToken"),
        ("Bearer a.b.c", "InvalidAuthenticationToken"),
        ("Basic abc", "InvalidAuthenticationToken"),
    ],
)
def test_without_a_good_token_nothing_is_told(client: Any, at: Ids, authorization: str | None, code: str) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    answer = client.send("GET", f"{at['VAULT']}?api-version=1", headers=headers)
    assert (answer.status, answer.json["error"]["code"]) == (401, code)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer authorization_uri=")


def test_a_token_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = Tokens(parse_estate(b'{"format": 1, "tenant": {"id": "t"}, "documents": []}'))
    token = tokens.issue(ARM, "arm", "https://localhost")
    assert tokens.problem(f"Bearer {token}", "arm") == ""
    later = time.time() + 3600
    monkeypatch.setattr(time, "time", lambda: later)
    assert tokens.problem(f"Bearer {token}", "arm") == "expired"


def test_graph(client: Any, at: Ids) -> None:
    headers = {"Authorization": f"Bearer {client.token(GRAPH)}"}
    skus = client.send("GET", "/v1.0//subscribedSkus", headers=headers).json
    assert skus["value"] == [{"skuPartNumber": "SPE_E5"}]
    (organization,) = client.send("GET", "/v1.0/organization", headers=headers).json["value"]
    assert (organization["id"], organization["verifiedDomains"][0]["name"]) == (at["TENANT"], "tiny.example")
    assert client.send("GET", "/v1.0/users", headers=headers).status == 400


def test_graph_refusal(serving: Any) -> None:
    kind = "microsoft.graph/subscribedSkus"
    client = serving([{"id": f"/providers/{kind}", "type": kind, "$unknown": {"reason": "no grant", "status": 403}}])
    answer = client.send("GET", "/v1.0/subscribedSkus", headers={"Authorization": f"Bearer {client.token(GRAPH)}"})
    assert (answer.status, answer.json["error"]["code"]) == (403, "Authorization_RequestDenied")


# --- the identity library and the pipeline that real clients use ---------------------------------------------------


def test_the_blocking_sdk_signs_in_and_reads(client: Any, at: Ids) -> None:
    emulator = client.emulator
    options = {"authority": emulator.url, "connection_verify": str(emulator.ca_file)}
    credential = ClientSecretCredential(
        emulator.tenant, emulator.client_id, emulator.client_secret, disable_instance_discovery=True, **options
    )
    policy = BearerTokenCredentialPolicy(credential, f"{ARM}/.default")
    with credential, PipelineClient(emulator.url, policies=[policy], connection_verify=str(emulator.ca_file)) as sdk:
        answer = sdk.send_request(HttpRequest("GET", f"{emulator.url}{at['VAULT']}?api-version=2022-07-01"))
        assert (answer.status_code, answer.json()["name"]) == (200, "kv-one")


async def _read_async(client: Any, path: str, tenant: str) -> Any:
    emulator = client.emulator
    context = ssl.create_default_context(cafile=str(emulator.ca_file))
    # As the live source does: one session for signing in and reading, so that connections are reused.
    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context), auto_decompress=False)
    transport = AioHttpTransport(session=session, session_owner=False, use_env_settings=False)
    credential = AsyncClientSecretCredential(
        tenant, emulator.client_id, emulator.client_secret, authority=emulator.url, transport=transport
    )
    policy = AsyncBearerTokenCredentialPolicy(credential, f"{ARM}/.default")
    async with session, AsyncPipelineClient(emulator.url, policies=[policy], transport=transport) as sdk:
        answer = await sdk.send_request(HttpRequest("GET", f"{emulator.url}{path}?api-version=2022-07-01"))
        return answer.status_code, answer.json()


def test_the_async_sdk_signs_in_and_reads(client: Any, at: Ids) -> None:
    # The list is long enough to be sent packed, which the SDK has to undo.
    status, body = asyncio.run(_read_async(client, f"/subscriptions/{at['OPEN']}/locations", at["TENANT"]))
    assert status == 200
    assert len(body["value"]) == 20


def test_the_async_sdk_says_that_the_tenant_is_wrong(client: Any, at: Ids) -> None:
    with pytest.raises(ClientAuthenticationError, match="AADSTS90002"):
        asyncio.run(_read_async(client, at["VAULT"], "99999999-0000-4000-8000-000000000000"))

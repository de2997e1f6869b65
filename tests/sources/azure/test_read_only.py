"""Nothing but reads leaves, and a token goes to the host it is for, whatever the other side answers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.pipeline.policies import SansIOHTTPPolicy

from auditor.sources.azure.pipeline import Counts, Pipelines, Refused, may_send, send
from auditor.sources.azure.transport import open_transport, proxy_for

WORKSPACE = "0a0a0a0a-0000-4000-8000-000000000001"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/subscriptions", True),
        ("POST", "/providers/Microsoft.ResourceGraph/resources", True),
        ("POST", "/providers/microsoft.resourcegraph/resources", True),
        ("POST", f"/v1/workspaces/{WORKSPACE}/query", True),
        (
            "POST",
            "/subscriptions/s/resourceGroups/rg/providers/Microsoft.X/y/z/providers/Microsoft.Insights/logs",
            True,
        ),
        ("POST", "/subscriptions/s/providers/Microsoft.Insights/register", False),
        ("POST", "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/a/listKeys", False),
        ("POST", "/providers/Microsoft.ResourceGraph/resourcesX", False),
        ("POST", "/x/providers/Microsoft.ResourceGraph/resources", False),
        ("POST", "/providers/Microsoft.ResourceGraph/resources/../../subscriptions/s/register", False),
        ("POST", "/providers/Microsoft.ResourceGraph/resources%2f..%2fregister", False),
        ("POST", "/batch", False),
        ("PUT", "/providers/Microsoft.ResourceGraph/resources", False),
        ("DELETE", "/subscriptions/s", False),
        ("PATCH", "/subscriptions/s", False),
        ("HEAD", "/subscriptions/s", False),
        ("get", "/subscriptions", False),
    ],
)
def test_only_reads_may_leave(method: str, path: str, allowed: bool) -> None:
    assert may_send(method, f"https://management.azure.com{path}?api-version=1") is allowed


class FixedToken:
    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        return AccessToken("a.b.c", 2**40)


async def _send(azure, name: str, method: str, url: str, meddle: SansIOHTTPPolicy | None = None) -> int:
    async with azure.serving():
        options = azure.options()
        transport = open_transport(options)
        try:
            pipeline = getattr(Pipelines(options, FixedToken(), transport, Counts()), name)
            if meddle is not None:  # behind the first guard
                runner = pipeline._impl_policies[5]
                original = runner.send

                async def send_meddled(request: Any) -> Any:
                    meddle.on_request(request)
                    return await original(request)

                runner.send = send_meddled
            for place, address in azure.urls.items():
                url = url.replace(f"{{{place}}}", address)
            return (await send(pipeline, method, url)).status
        finally:
            await transport.session.close()


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "POST"])
def test_a_request_that_is_no_read_does_not_reach_the_network(azure, method: str) -> None:
    with pytest.raises(Refused, match="would not be a read"):
        asyncio.run(_send(azure, "resource_manager", method, "{manager}/subscriptions"))

    assert azure.seen == []


@pytest.mark.parametrize(
    ("pipeline", "url"),
    [
        ("resource_manager", "{graph}/subscriptions"),
        ("resource_manager", "{storage}/subscriptions"),
        ("resource_manager", "https://evil.example/subscriptions"),
        ("resource_manager", "https://127.0.0.1@evil.example/subscriptions"),
        ("resource_manager", "http://127.0.0.1/subscriptions"),
        ("graph", "{manager}/v1.0/subscribedSkus"),
        ("storage", "https://core.windows.net.evil.example/"),
        ("storage", "https://evilcore.windows.net/"),
        ("storage", "http://a.blob.core.windows.net/"),
    ],
)
def test_a_token_does_not_travel_to_another_host(azure, pipeline: str, url: str) -> None:
    with pytest.raises(Refused, match="not a host to send a token to"):
        asyncio.run(_send(azure, pipeline, "GET", url))

    assert azure.seen == []


def test_the_guard_sees_the_request_as_it_finally_is(azure) -> None:
    class TurnIntoWrite(SansIOHTTPPolicy[Any, Any]):
        def on_request(self, request: Any) -> None:
            request.http_request.method = "PUT"

    with pytest.raises(Refused, match="PUT /subscriptions would not be a read"):
        asyncio.run(_send(azure, "resource_manager", "GET", "{manager}/subscriptions", TurnIntoWrite()))

    assert azure.seen == []


def test_an_unregistered_provider_is_not_registered(azure) -> None:
    missing = (409, {"error": {"code": "MissingSubscriptionRegistration", "message": "not registered to use …"}})
    azure.resources(azure.vault(), azure.account())
    azure.answers = {
        path: answer if path in ("/subscriptions", "/tenants", azure.QUERY) else missing
        for path, answer in azure.answers.items()
    }
    for path in (
        f"{azure.VAULT}/providers/Microsoft.Insights/diagnosticSettings",
        f"{azure.VAULT}/providers/Microsoft.Insights/diagnosticSettingsCategories",
        f"/subscriptions/{azure.SUB}/providers/Microsoft.Insights/diagnosticSettings",
        f"/subscriptions/{azure.SUB}/providers/Microsoft.KeyVault/deletedVaults",
    ):
        azure[path] = missing

    collection = azure.scan()

    assert {(seen.method, seen.path) for seen in azure.seen if seen.method != "GET"} == {("POST", azure.QUERY)}
    document = azure.one(collection, f"/subscriptions/{azure.SUB}/providers/Microsoft.KeyVault/deletedVaults")
    assert document["$absent"] == {"status": 409, "code": "MissingSubscriptionRegistration"}


def test_each_host_gets_its_own_token(azure) -> None:
    azure.resources(azure.account())
    azure["/stone/blob/"] = (403, "")
    azure["/v1.0/subscribedskus"] = {"value": []}

    azure.scan()

    audiences = {(seen.place, seen.audience) for seen in azure.seen}
    assert audiences == {
        ("manager", "https://management.azure.com"),
        ("graph", "https://graph.microsoft.com"),
        ("storage", "https://storage.azure.com"),
    }


def test_a_challenge_for_other_claims_sends_nothing_but_the_read_again(azure) -> None:
    challenge = {"WWW-Authenticate": 'Bearer error="insufficient_claims", claims="eyJhIjoxfQ=="'}
    azure["/tenants"] = [(401, "", challenge), {"value": []}]

    collection = azure.scan()

    assert [seen.method for seen in azure.seen if seen.path == "/tenants"] == ["GET", "GET"]
    assert collection.run.denied == 0


@pytest.mark.parametrize(
    ("url", "environment", "expected"),
    [
        ("https://management.azure.com/", {"HTTPS_PROXY": "http://proxy:3128"}, "http://proxy:3128"),
        ("https://management.azure.com/", {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": ".azure.com"}, None),
        ("https://127.0.0.1:8443/", {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "127.0.0.1"}, None),
        ("http://169.254.169.254/metadata", {"HTTP_PROXY": "http://proxy:3128"}, None),
        ("https://management.azure.com/", {}, None),
    ],
)
def test_the_proxy_of_the_environment_is_used(monkeypatch, url: str, environment: dict[str, str], expected) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert proxy_for(url) == expected


def test_requests_go_through_the_proxy(azure, monkeypatch) -> None:
    """A proxy that refuses everything: nothing may reach Azure past it."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.delenv("no_proxy", raising=False)

    with pytest.raises(Exception, match=r"could not be reached|no Azure identity|Cannot connect"):
        azure.scan()

    assert azure.seen == []

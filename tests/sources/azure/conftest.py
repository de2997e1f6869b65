"""An Azure of a few answers over HTTPS, for faults that a well-behaved emulator does not have."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import json
import socket
import ssl
from collections import Counter
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import pytest
from aiohttp import web

from auditor.documents import Collection
from auditor.emulator.tls import issue
from auditor.sources.azure.cloud import Options, custom_cloud
from auditor.sources.azure.collect import collect

TENANT = "11111111-2222-4333-8444-000000000001"
SUB = "aaaaaaaa-0000-4000-8000-00000000000a"
OTHER = "bbbbbbbb-0000-4000-8000-00000000000b"
APP = "cccccccc-0000-4000-8000-00000000000c"
GROUP = f"/subscriptions/{SUB}/resourceGroups/rg"
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/stone"
GRAPH_QUERY = "/providers/microsoft.resourcegraph/resources"
CLOCK = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


class Seen(NamedTuple):
    """One request as it came in."""

    place: str  # manager, graph or storage
    method: str
    path: str  # lower case
    query: dict[str, str]
    audience: str  # of the token it carried
    body: Any
    headers: dict[str, str]


class FakeAzure:
    """Answers by lower-case path.

    An answer is a JSON object, or (status, body[, headers]), or `reset` (the connection is broken off), or `cut` (half
    a body), or a function of the request, or a list of answers, given one after the other, the last again and again.
    """

    TENANT, SUB, OTHER, APP = TENANT, SUB, OTHER, APP
    VAULT, ACCOUNT, QUERY = VAULT, ACCOUNT, GRAPH_QUERY

    def __init__(self, folder: Path) -> None:
        self.ca_file, self._context = certificates(folder)
        self.answers: dict[str, Any] = {
            "/subscriptions": {"value": [self.subscription(SUB, "Production")]},
            "/tenants": {"value": [{"id": f"/tenants/{TENANT}", "tenantId": TENANT, "displayName": "Contoso"}]},
            GRAPH_QUERY: {"data": [], "resultTruncated": "false"},
        }
        self.seen: list[Seen] = []
        self.urls: dict[str, str] = {}
        self.storage_domains: tuple[str, ...] = ("localhost",)
        self.tokens: Counter[str] = Counter()  # handed out, by audience
        self._counts: Counter[str] = Counter()

    # --- setting up ---

    def resources(self, *rows: dict[str, Any]) -> None:
        """What Resource Graph shows."""
        self.answers[GRAPH_QUERY] = {"data": list(rows), "totalRecords": len(rows), "resultTruncated": "false"}

    def __setitem__(self, path: str, answer: Any) -> None:
        self.answers[path.lower()] = answer

    # --- running ---

    def scan(self, **options: Any) -> Collection:
        """Collect from this Azure, with short waits."""
        return asyncio.run(self._scan(options))

    async def _scan(self, options: dict[str, Any]) -> Collection:
        extra = {key: options.pop(key) for key in ("progress", "keep", "notice") if key in options}
        async with self.serving():
            return await collect(self.options(**options), clock=lambda: CLOCK, **extra)

    def options(self, **given: Any) -> Options:
        """Options that point here."""
        cloud = custom_cloud(
            resource_manager=self.urls["manager"],
            authority=self.urls["manager"],
            graph=self.urls["graph"],
            storage_domains=self.storage_domains,
        )
        settings = {
            "cloud": cloud,
            "tenant": TENANT,
            "auth": "client-secret",
            "client_id": APP,
            "client_secret": "not-a-secret",
            "ca_file": str(self.ca_file),
            "retry_backoff": 0.001,
            "read_timeout": 2,
        }
        return Options(**{**settings, **given})

    @asynccontextmanager
    async def serving(self):
        """Listen on three ports: Resource Manager and sign-in, Graph, storage."""
        runner = web.ServerRunner(web.Server(self._handle, access_log=None), shutdown_timeout=0.1)
        await runner.setup()
        self.ports = {}
        for place, host in (("manager", "127.0.0.1"), ("graph", "127.0.0.1"), ("storage", "localhost")):
            sock = socket.create_server(("127.0.0.1", 0))
            self.ports[sock.getsockname()[1]] = place
            self.urls[place] = f"https://{host}:{sock.getsockname()[1]}"
            await web.SockSite(runner, sock, ssl_context=self._context).start()
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        raw = await request.read()
        path = request.path.lower()
        if request.method == "POST" and path.endswith("/oauth2/v2.0/token"):
            return self._token(raw)
        seen = Seen(
            place=self.ports[request.transport.get_extra_info("sockname")[1]],
            method=request.method,
            path=path,
            query=dict(request.query),
            audience=audience_in(request.headers.get("Authorization", "")),
            body=json.loads(raw) if raw else None,
            headers={key.lower(): value for key, value in request.headers.items()},
        )
        self.seen.append(seen)
        answer = self.answers.get(path, (404, {"error": {"code": "ResourceNotFound", "message": "not here"}}))
        if callable(answer):
            answer = answer(seen)
        if isinstance(answer, list):
            self._counts[path] += 1
            answer = answer[min(self._counts[path], len(answer)) - 1]
        return await self._say(request, answer)

    def _token(self, raw: bytes) -> web.Response:
        audience = parse_qs(raw.decode())["scope"][0].removesuffix("/.default")
        self.tokens[audience] += 1
        claims = {"aud": audience, "tid": TENANT, "appid": APP, "app_displayname": "auditor"}
        token = jwt({**claims, "uti": str(self.tokens[audience])})
        return web.json_response({"token_type": "Bearer", "expires_in": 3600, "access_token": token})

    async def _say(self, request: web.BaseRequest, answer: Any) -> web.StreamResponse:
        if answer == "reset":
            request.transport.abort()
            return web.Response()
        if answer == "cut":
            response = web.StreamResponse(headers={"Content-Length": "1000"})
            await response.prepare(request)
            await response.write(b'{"value": [')
            request.transport.close()
            return response
        status, body, headers = (*answer, {})[:3] if isinstance(answer, tuple) else (200, answer, {})
        if isinstance(body, str):
            body = body.encode()
        elif not isinstance(body, bytes):
            body = json.dumps(self._filled(body)).encode()
        return web.Response(status=status, body=body, headers=headers)

    def _filled(self, body: Any) -> Any:
        """Put the addresses of this run in place of `{manager}`, `{graph}` and `{storage}`."""
        text = json.dumps(body)
        for place, url in self.urls.items():
            text = text.replace(f"{{{place}}}", url)
        return json.loads(text)

    # --- pieces ---

    @staticmethod
    def subscription(guid: str, name: str, state: str = "Enabled") -> dict[str, Any]:
        return {
            "id": f"/subscriptions/{guid}",
            "subscriptionId": guid,
            "displayName": name,
            "state": state,
            "tenantId": TENANT,
        }

    @staticmethod
    def vault(name: str = "kv", guid: str = SUB) -> dict[str, Any]:
        return {
            "id": f"/subscriptions/{guid}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/{name}",
            "name": name,
            "type": "microsoft.keyvault/vaults",
            "location": "westeurope",
            "properties": {"sku": {"name": "standard"}},
        }

    @staticmethod
    def account(name: str = "stone", **properties: Any) -> dict[str, Any]:
        return {
            "id": f"{GROUP}/providers/Microsoft.Storage/storageAccounts/{name}",
            "name": name,
            "type": "microsoft.storage/storageaccounts",
            "kind": "StorageV2",
            "sku": {"name": "Standard_LRS"},
            "location": "westeurope",
            "properties": {"primaryEndpoints": {"blob": f"{{storage}}/{name}/blob/"}, **properties},
        }

    @staticmethod
    def one(collection: Collection, doc_id: str, doc_type: str = "") -> dict[str, Any]:
        """The one document of this id."""
        found = [
            doc
            for doc in collection.documents
            if doc["id"].lower() == doc_id.lower() and doc_type.lower() in ("", doc["type"].lower())
        ]
        assert len(found) == 1, f"{len(found)} documents of {doc_id}"
        return found[0]


@pytest.fixture(scope="session")
def certificate_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture
def fake_azure(certificate_folder: Path, monkeypatch: pytest.MonkeyPatch) -> FakeAzure:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "AZURE_AUTHORITY_HOST"):
        monkeypatch.delenv(name, raising=False)
    return FakeAzure(certificate_folder)


@pytest.fixture
def azure(fake_azure: FakeAzure) -> FakeAzure:
    return fake_azure


def jwt(claims: dict[str, Any]) -> str:
    parts = ({"typ": "JWT", "alg": "none"}, claims)
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + ".x"


def audience_in(header: str) -> str:
    if not header.startswith("Bearer "):
        return ""
    payload = header.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["aud"]


def certificates(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A throw-away authority's file, and a context for a server it vouches for; made once per folder."""
    ca_file, chain = folder / "ca.pem", folder / "server.pem"
    if not ca_file.exists():
        _issue(ca_file, chain)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return ca_file, context


def _issue(ca_file: Path, chain: Path) -> None:
    issued = issue()
    ca_file.write_bytes(issued.authority)
    chain.write_bytes(issued.key + issued.chain)

"""Classic storage logging, read from Microsoft's own storage emulator with a token, over HTTPS."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import socket
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from azure.core.credentials import AccessToken

from auditor.documents import storage_analytics_id
from auditor.emulator.tls import issue
from auditor.sources.azure.auth import Identity
from auditor.sources.azure.classic import read_classic
from auditor.sources.azure.cloud import Options, custom_cloud
from auditor.sources.azure.pipeline import Counts, Pipelines
from auditor.sources.azure.reader import Reader
from auditor.sources.azure.transport import open_transport

pytestmark = pytest.mark.azurite

ROOT = Path(__file__).parents[2]
BINARY = ROOT / "node_modules" / ".bin" / ("azurite.cmd" if os.name == "nt" else "azurite")
SERVICES = ("blob", "queue", "table")
ACCOUNT_ID = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/devstoreaccount1"
MISSING = "Azurite is not installed: run `npm install --no-package-lock` to test against it"


class Azurite(NamedTuple):
    """A running emulator: its service addresses, and the authority that vouches for it."""

    endpoints: dict[str, str]
    ca_file: Path


@pytest.fixture(scope="module")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    if not BINARY.exists() or shutil.which("node") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(MISSING)
    folder = tmp_path_factory.mktemp("azurite")
    ca, cert, key = certificate(folder)
    ports = free_ports(len(SERVICES))
    command = [
        *(str(BINARY), "--silent", "--inMemoryPersistence", "--disableTelemetry", "--oauth", "basic"),
        *("--cert", str(cert), "--key", str(key)),
        *(part for service, port in zip(SERVICES, ports, strict=True) for part in (f"--{service}Port", str(port))),
    ]
    log = folder / "log"
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output, cwd=folder) as process:
        try:
            for port in ports:
                wait_for(port, process, log)
            yield Azurite(
                {
                    service: f"https://127.0.0.1:{port}/devstoreaccount1"
                    for service, port in zip(SERVICES, ports, strict=True)
                },
                ca,
            )
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(sock.getsockname()[1]) for sock in sockets]
    for sock in sockets:
        sock.close()
    return ports


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(300):
        if process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"Azurite did not start: {log.read_text(errors='replace')[-2000:]}")


def certificate(folder: Path) -> tuple[Path, Path, Path]:
    """A server's certificate and key, and the authority that vouches for it."""
    issued = issue()
    ca, cert, key = folder / "ca.pem", folder / "cert.pem", folder / "key.pem"
    for file, text in ((ca, issued.authority), (cert, issued.chain), (key, issued.key)):
        file.write_bytes(text)
    return ca, cert, key


def token(**claims: Any) -> str:
    """A token as Entra words it; Azurite looks at issuer, audience and times, not at the signature."""
    now = int(time.time())
    told = {
        "aud": "https://storage.azure.com",
        "iss": "https://sts.windows.net/11111111-2222-4333-8444-000000000001/",
        "iat": now,
        "nbf": now - 60,
        "exp": now + 3600,
        **claims,
    }
    parts = [base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in ({"alg": "none"}, told)]
    return ".".join([*parts, "x"])


def switch(azurite: Azurite, service: str, logging: dict[str, str], days: int | None) -> None:
    """Set a service's classic logging, as an administrator would."""
    kept = f"<Enabled>true</Enabled><Days>{days}</Days>" if days else "<Enabled>false</Enabled>"
    switches = "".join(f"<{name}>{value}</{name}>" for name, value in logging.items())
    body = (
        '<?xml version="1.0" encoding="utf-8"?><StorageServiceProperties><Logging><Version>1.0</Version>'
        f"{switches}<RetentionPolicy>{kept}</RetentionPolicy></Logging></StorageServiceProperties>"
    )
    request = urllib.request.Request(
        f"{azurite.endpoints[service]}/?restype=service&comp=properties",
        data=body.encode(),
        method="PUT",
        headers={
            "Authorization": f"Bearer {token()}",
            "x-ms-version": "2021-12-02",
            "Content-Type": "application/xml",
        },
    )
    context = ssl.create_default_context(cafile=str(azurite.ca_file))
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    with opener.open(request, timeout=10) as response:
        assert response.status == 202


class Fixed:
    def __init__(self, text: str) -> None:
        self.text = text

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        assert scopes == ("https://storage.azure.com/.default",)
        return AccessToken(self.text, 2**40)


def read(azurite: Azurite, service: str, text: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    nowhere = "https://127.0.0.1:1"
    options = Options(
        cloud=custom_cloud(resource_manager=nowhere, authority=nowhere, graph=nowhere), ca_file=str(azurite.ca_file)
    )
    account = {"id": ACCOUNT_ID, "properties": {"primaryEndpoints": azurite.endpoints}}

    async def run() -> dict[str, Any]:
        transport = open_transport(options)
        try:
            counts = Counts()
            reader = Reader(options, Pipelines(options, Fixed(text), transport, counts), Identity(), counts)
            await read_classic(reader, account, service)
        finally:
            await transport.session.close()
        (document,) = reader.spool.collection().documents
        return document

    return asyncio.run(run())


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    ("logging", "days"),
    [
        ({"Delete": "true", "Read": "true", "Write": "true"}, 30),
        ({"Delete": "true", "Read": "false", "Write": "true"}, None),
        ({"Delete": "false", "Read": "false", "Write": "false"}, None),
    ],
    ids=["all on", "reads are not logged", "all off"],
)
def test_what_was_set_is_what_is_read(azurite: Azurite, service: str, logging: dict, days, monkeypatch) -> None:
    switch(azurite, service, logging, days)

    document = read(azurite, service, token(), monkeypatch)

    assert document == {
        "id": storage_analytics_id(ACCOUNT_ID, service),
        "type": "Auditor/storageAnalytics",
        "properties": {
            "logging": {
                "version": "1.0",
                **{name.lower(): value == "true" for name, value in logging.items()},
                "retentionPolicy": {"enabled": True, "days": days} if days else {"enabled": False},
            }
        },
    }


@pytest.mark.parametrize("service", SERVICES)
def test_a_token_that_is_not_accepted_leaves_it_unknown(azurite: Azurite, service: str, monkeypatch) -> None:
    document = read(azurite, service, token(aud="https://management.azure.com"), monkeypatch)

    assert document["$unknown"]["status"] in (401, 403)
    assert document["$unknown"]["code"] == "AuthenticationFailed"

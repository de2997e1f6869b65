"""A small estate, the emulator serving it, and a plain HTTPS client of the standard library."""

from __future__ import annotations

import gzip
import http.client
import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from auditor.emulator import Emulator, running

TENANT = "11111111-aaaa-4aaa-8aaa-000000000001"
OPEN = "aaaaaaaa-0000-4000-8000-000000000001"  # seen and readable
DENIED = "aaaaaaaa-0000-4000-8000-000000000002"  # seen, nothing in it readable
FOREIGN = "aaaaaaaa-0000-4000-8000-000000000003"  # not seen, in the same tenant
GROUP = f"/subscriptions/{OPEN}/resourceGroups/rg-App"
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv-one"
BARE_VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv-two"
DISK = f"{GROUP}/providers/Microsoft.Compute/disks/disk-one"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/stone"
NSG = f"{GROUP}/providers/Microsoft.Network/networkSecurityGroups/nsg-one"
WATCHER = f"/subscriptions/{OPEN}/resourceGroups/NetworkWatcherRG/providers/Microsoft.Network/networkWatchers/nw"
WORKSPACE = f"{GROUP}/providers/Microsoft.OperationalInsights/workspaces/law"
GONE = f"{GROUP}/providers/Microsoft.OperationalInsights/workspaces/law-gone"
FAR = f"/subscriptions/{FOREIGN}/resourceGroups/rg-logs/providers/Microsoft.OperationalInsights/workspaces/central"
HIDDEN = f"/subscriptions/{DENIED}/resourceGroups/rg-x/providers/Microsoft.KeyVault/vaults/kv-hidden"
SETTINGS = "providers/Microsoft.Insights/diagnosticSettings"
CATEGORIES = "providers/Microsoft.Insights/diagnosticSettingsCategories"


def flow_log(name: str) -> dict[str, Any]:
    """One flow log of the watcher, as ARM lists it."""
    kind = "Microsoft.Network/networkWatchers/flowLogs"
    return {"id": f"{WATCHER}/flowLogs/{name}", "name": name, "type": kind, "properties": {"enabled": True}}


def estate() -> dict[str, Any]:
    """The estate as the file says it."""
    subscription = {"type": "Microsoft.Resources/subscriptions", "state": "Enabled"}
    chain = [{"name": "mg-app", "displayName": "App"}, {"name": TENANT, "displayName": "Root"}]
    return {
        "format": 1,
        "tenant": {"id": TENANT, "displayName": "Tiny", "defaultDomain": "tiny.example"},
        "principal": {"appId": "app-id", "objectId": "object-id", "name": "tiny-auditor"},
        "pageSize": 3,
        "documents": [
            {
                "id": f"/subscriptions/{OPEN}",
                "displayName": "Open",
                "managementGroupAncestorsChain": chain,
                **subscription,
            },
            {"id": f"/subscriptions/{DENIED}", "displayName": "Closed", **subscription},
            {
                "id": f"/subscriptions/{DENIED}/resources",
                "type": "Microsoft.Resources/subscriptions/resources",
                "$unknown": {"reason": "no", "status": 403, "code": "AuthorizationFailed"},
            },
            {"id": HIDDEN, "type": "Microsoft.KeyVault/vaults", "name": "kv-hidden", "properties": {}},
            {
                "id": f"/providers/Microsoft.Management/managementGroups/{TENANT}",
                "type": "Microsoft.Management/managementGroups",
                "name": TENANT,
                "properties": {"displayName": "Root"},
            },
            {
                "id": "/providers/Microsoft.Management/managementGroups/mg-app",
                "type": "Microsoft.Management/managementGroups",
                "name": "mg-app",
                "properties": {
                    "displayName": "App",
                    "details": {"parent": {"id": f"/providers/Microsoft.Management/managementGroups/{TENANT}"}},
                },
            },
            {
                "id": VAULT,
                "type": "Microsoft.KeyVault/vaults",
                "name": "kv-one",
                "location": "westeurope",
                "tags": {"env": "prod"},
                "properties": {"enableSoftDelete": True, "sku": {"name": "standard"}},
            },
            {
                "id": f"{VAULT}/{SETTINGS}",
                "type": "Microsoft.Insights/diagnosticSettings",
                "value": [
                    {"id": f"{VAULT}/{SETTINGS}/{name}", "name": name, "properties": {"workspaceId": WORKSPACE}}
                    for name in ("a", "b", "c", "d")
                ],
            },
            {"id": BARE_VAULT, "type": "Microsoft.KeyVault/vaults", "name": "kv-two", "location": "North Europe"},
            {"id": DISK, "type": "Microsoft.Compute/disks", "name": "disk-one", "location": "westeurope"},
            {
                "id": NSG,
                "type": "Microsoft.Network/networkSecurityGroups",
                "name": "nsg-one",
                "location": "westeurope",
                "properties": {"securityRules": [{"name": "ssh", "properties": {"destinationPortRange": "22"}}]},
            },
            {
                "id": f"{NSG}/{SETTINGS}",
                "type": "Microsoft.Insights/diagnosticSettings",
                "$unknown": {
                    "reason": "denied",
                    "status": 403,
                    "code": "AuthorizationFailed",
                    "action": "Microsoft.Insights/diagnosticSettings/read",
                    "scope": NSG,
                },
            },
            {
                "id": ACCOUNT,
                "type": "Microsoft.Storage/storageAccounts",
                "name": "stone",
                "kind": "StorageV2",
                "location": "westeurope",
                "sku": {"name": "Standard_LRS"},
                "properties": {
                    "primaryEndpoints": {
                        service: f"https://stone.{service}.core.windows.net/"
                        for service in ("blob", "queue", "table", "file")
                    }
                },
            },
            {
                "id": f"{ACCOUNT}/blobServices/default/storageAnalytics",
                "type": "Auditor/storageAnalytics",
                "properties": {
                    "logging": {
                        "version": "2.0",
                        "read": True,
                        "write": True,
                        "delete": False,
                        "retentionPolicy": {"enabled": True, "days": 30},
                    }
                },
            },
            {
                "id": f"{ACCOUNT}/queueServices/default/storageAnalytics",
                "type": "Auditor/storageAnalytics",
                "$unknown": {"reason": "firewall", "status": 403, "code": "AuthorizationFailure"},
            },
            {"id": WATCHER, "type": "Microsoft.Network/networkWatchers", "name": "nw", "location": "westeurope"},
            {
                "id": f"{WATCHER}/flowLogs",
                "type": "Microsoft.Network/networkWatchers/flowLogs",
                "value": [flow_log(f"fl-{n}") for n in range(5)],
            },
            {"id": WORKSPACE, "type": "Microsoft.OperationalInsights/workspaces", "name": "law", "properties": {}},
            {
                "id": f"{WORKSPACE}/tables",
                "type": "Microsoft.OperationalInsights/workspaces/tables",
                "value": [{"id": f"{WORKSPACE}/tables/{n}", "name": n} for n in ("A", "B", "C", "D")],
            },
            {
                "id": GONE,
                "type": "Microsoft.OperationalInsights/workspaces",
                "$absent": {"status": 404, "code": "ResourceNotFound"},
            },
            {
                "id": FAR,
                "type": "Microsoft.OperationalInsights/workspaces",
                "$unknown": {
                    "reason": "foreign",
                    "status": 403,
                    "code": "AuthorizationFailed",
                    "action": "Microsoft.OperationalInsights/workspaces/read",
                    "scope": FAR,
                },
            },
            {
                "id": "/providers/microsoft.graph/subscribedSkus",
                "type": "microsoft.graph/subscribedSkus",
                "value": [{"skuPartNumber": "SPE_E5"}],
            },
        ],
    }


class Client:
    """One kept-alive connection, and tokens by audience."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        place = urlsplit(emulator.url)
        self.host = f"{place.hostname}:{place.port}"
        self.context = ssl.create_default_context(cafile=str(emulator.ca_file))
        self.connection = http.client.HTTPSConnection(str(place.hostname), place.port, context=self.context, timeout=10)
        self.tokens: dict[str, str] = {}

    def close(self) -> None:
        """End the connection."""
        self.connection.close()

    def send(
        self, method: str, target: str, *, body: Any = None, headers: dict[str, str] | None = None
    ) -> SimpleNamespace:
        """Status, headers, raw and decoded body of one request."""
        raw = body if isinstance(body, bytes | type(None)) else json.dumps(body).encode()
        self.connection.request(method, target.replace(" ", "%20"), body=raw, headers=headers or {})
        response = self.connection.getresponse()
        data = response.read()
        if response.headers.get("Content-Encoding") == "gzip":
            data = gzip.decompress(data)
        is_json = "json" in response.headers.get("Content-Type", "")
        return SimpleNamespace(
            status=response.status,
            headers=response.headers,
            raw=data,
            json=json.loads(data) if is_json and data else None,
        )

    def sign_in(
        self, resource: str = "https://management.azure.com", tenant: str = TENANT, **form: str
    ) -> SimpleNamespace:
        """The token endpoint's answer."""
        fields = {
            "grant_type": "client_credentials",
            "client_id": self.emulator.client_id,
            "client_secret": self.emulator.client_secret,
            "scope": f"{resource}/.default",
            **form,
        }
        return self.send("POST", f"/{tenant}/oauth2/v2.0/token", body=urlencode(fields).encode())

    def token(self, resource: str = "https://management.azure.com") -> str:
        """A token, fetched once."""
        if resource not in self.tokens:
            self.tokens[resource] = self.sign_in(resource).json["access_token"]
        return self.tokens[resource]

    def get(self, path: str, *, version: str | None = "2021-04-01", **headers: str) -> SimpleNamespace:
        """GET from Resource Manager with its token; `version` None leaves the api-version out."""
        mark = "&" if "?" in path else "?"
        target = f"{path}{mark}api-version={version}" if version else path
        return self.send("GET", target, headers={"Authorization": f"Bearer {self.token()}", **headers})

    def query(self, text: str, **body: Any) -> SimpleNamespace:
        """Ask Resource Graph."""
        return self.send(
            "POST",
            "/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01",
            body={"query": text, **body},
            headers={"Authorization": f"Bearer {self.token()}"},
        )


@pytest.fixture(scope="session")
def at() -> dict[str, str]:
    """The ids of the estate by name, for filling into paths."""
    return {name: value for name, value in globals().items() if name.isupper() and isinstance(value, str)}


@pytest.fixture(scope="session")
def estate_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("estate") / "estate.json"
    file.write_text(json.dumps(estate()), encoding="utf-8")
    return file


@pytest.fixture(scope="session")
def emulator(estate_file: Path) -> Iterator[Emulator]:
    with running(estate_file) as started:
        yield started


@pytest.fixture(scope="session")
def client(emulator: Emulator) -> Iterator[Client]:
    with closing(Client(emulator)) as plain:
        yield plain


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Callable[..., Client]]:
    """Serve a changed estate, or the same one with faults, and give a client for it."""
    with ExitStack() as stack:

        def start(documents: list[dict[str, Any]] | None = None, **options: Any) -> Client:
            changed = estate() if documents is None else {**estate(), "documents": documents}
            file = tmp_path / "estate.json"
            file.write_text(json.dumps(changed), encoding="utf-8")
            started = stack.enter_context(running(file, **options))
            return stack.enter_context(closing(Client(started)))

        yield start

"""The server: certificates, what is counted and refused, faults on demand, starting and ending."""

from __future__ import annotations

import gzip
import http.client
import json
import ssl
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

import auditor
from auditor.emulator import Fault, running, serve
from auditor.emulator.estate import load_estate, parse_estate
from auditor.emulator.server import pattern_of
from auditor.errors import AuditorError

Ids = dict[str, str]


@pytest.mark.parametrize(
    "name",
    ["localhost", "management.azure.com", "login.microsoftonline.com", "graph.microsoft.com",
     "stone.blob.core.windows.net", "stone.table.core.windows.net"],
)  # fmt: skip
def test_the_certificate_is_good_for_azures_names(client: Any, name: str) -> None:
    import socket

    host, port = client.host.split(":")
    with socket.create_connection((host, int(port)), timeout=5) as plain:
        strict = ssl.create_default_context(cafile=str(client.emulator.ca_file))
        strict.verify_flags |= ssl.VERIFY_X509_STRICT  # the default of newer Pythons
        with strict.wrap_socket(plain, server_hostname=name) as secure:
            assert secure.version() in ("TLSv1.2", "TLSv1.3")


def test_nobody_else_trusts_it(client: Any) -> None:
    host, port = client.host.split(":")
    connection = http.client.HTTPSConnection(host, int(port), timeout=5, context=ssl.create_default_context())
    with pytest.raises(ssl.SSLCertVerificationError):
        connection.request("GET", "/")


def test_settings_for_clients(client: Any) -> None:
    emulator = client.emulator
    assert emulator.environment() == {
        "AZURE_AUTHORITY_HOST": emulator.url,
        "AZURE_TENANT_ID": emulator.tenant,
        "AZURE_CLIENT_ID": "app-id",
        "AZURE_CLIENT_SECRET": emulator.client_secret,
        "SSL_CERT_FILE": str(emulator.ca_file),
        "REQUESTS_CA_BUNDLE": str(emulator.ca_file),
    }
    written = yaml.safe_load(emulator.config_file.read_text(encoding="utf-8"))
    assert written == yaml.safe_load(emulator.configuration())
    assert written == {"endpoints": dict.fromkeys(("authority", "resource_manager", "graph"), emulator.url)}


@pytest.mark.skipif(sys.platform == "win32", reason="no such permissions there")
def test_its_files_are_private_and_go_away(estate_file: Path) -> None:
    before = set(threading.enumerate())
    with running(estate_file) as emulator:
        (thread,) = set(threading.enumerate()) - before
        folder = emulator.ca_file.parent
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert sorted(file.name for file in folder.iterdir()) == ["auditor.yaml", "ca.pem"], "no private key is left"
        assert b"PRIVATE" not in emulator.ca_file.read_bytes()
    assert not folder.exists()
    assert not thread.is_alive()


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "POST", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("path", ["{VAULT}", "/v1.0/subscribedSkus", "/$storage/stone/blob/", "/{TENANT}/oauth2/x"])
def test_writes_are_refused_and_kept(serving: Any, at: Ids, method: str, path: str) -> None:
    client = serving()
    answer = client.send(method, path.format(**at), headers={"Authorization": f"Bearer {client.token()}"})
    assert (answer.status, answer.headers["Allow"]) == (405, "GET")
    assert client.emulator.writes == [f"{method} {path.format(**at)}"]


def test_reads_are_no_writes(client: Any, at: Ids) -> None:
    before = list(client.emulator.writes)
    client.get(at["VAULT"])
    client.query("resources | count")
    assert client.emulator.writes == before == []


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("/subscriptions", "/subscriptions"),
        ("/Subscriptions/x", "/subscriptions/*"),
        ("/subscriptions/x/locations", "/subscriptions/*/locations"),
        (
            "/subscriptions/x/resourceGroups/g/providers/Microsoft.KeyVault/vaults/k/providers/Microsoft.Insights/diagnosticSettings",
            "/subscriptions/*/resourcegroups/*/providers/microsoft.keyvault/vaults/*/providers/microsoft.insights/diagnosticsettings",
        ),
        ("/providers/Microsoft.ResourceGraph/resources", "/providers/microsoft.resourcegraph/resources"),
        ("/contoso/oauth2/v2.0/token", "/*/oauth2/v2.0/token"),
        ("/$storage/stone/blob/", "/$storage/*/blob"),
        ("/v1.0/subscribedSkus", "/v1.0/subscribedskus"),
        ("/", "/"),
    ],
)
def test_patterns(path: str, pattern: str) -> None:
    assert pattern_of(path) == pattern


def test_requests_are_counted_by_pattern(serving: Any, at: Ids) -> None:
    client = serving()
    for path in (at["VAULT"], at["BARE_VAULT"], "/subscriptions"):
        client.get(path)
    vaults = "GET /subscriptions/*/resourcegroups/*/providers/microsoft.keyvault/vaults/*"
    assert client.emulator.requests == {"POST /*/oauth2/v2.0/token": 1, vaults: 2, "GET /subscriptions": 1}


@pytest.mark.parametrize(("accept", "encoding"), [("gzip, deflate", "gzip"), ("deflate", None), ("identity", None)])
def test_only_gzip_or_nothing(client: Any, at: Ids, accept: str, encoding: str | None) -> None:
    path = f"/subscriptions/{at['OPEN']}/locations?api-version=1"
    headers = {"Authorization": f"Bearer {client.token()}", "Accept-Encoding": accept}
    client.connection.request("GET", path, headers=headers)
    response = client.connection.getresponse()
    raw = response.read()
    assert response.headers.get("Content-Encoding") == encoding
    assert len(json.loads(gzip.decompress(raw) if encoding else raw)["value"]) == 20


def test_a_body_too_large_is_refused(client: Any) -> None:
    path = "/providers/Microsoft.ResourceGraph/resources?api-version=1"
    headers = {"Authorization": f"Bearer {client.token()}", "Connection": "close"}
    answer = client.send("POST", path, body=b"x" * (1024 * 1024 + 1), headers=headers)
    assert (answer.status, answer.json["error"]["code"]) == (413, "RequestEntityTooLarge")


# --- faults --------------------------------------------------------------------------------------------------------


def failing(serving: Any, fault: Fault, times: int = 1) -> tuple[Any, list[tuple[str, str, int]]]:
    """A client of an emulator whose first reads of a vault go wrong, and what the callable was asked."""
    asked: list[tuple[str, str, int]] = []

    def faults(method: str, path: str, count: int) -> Fault | None:
        asked.append((method, path, count))
        return fault if path.endswith("/kv-one") and count <= times else None

    return serving(faults=faults), asked


def test_a_status_on_demand_then_the_truth(serving: Any, at: Ids) -> None:
    fault = Fault(status=429, body={"error": {"code": "TooManyRequests"}}, headers={"Retry-After": "7"})
    client, asked = failing(serving, fault, times=2)
    answers = [client.get(at["VAULT"]) for _ in range(3)]
    assert [a.status for a in answers] == [429, 429, 200]
    assert (answers[0].headers["Retry-After"], answers[0].json["error"]["code"]) == ("7", "TooManyRequests")
    assert asked[1:] == [("GET", at["VAULT"], n) for n in (1, 2, 3)]


def test_another_content_type_on_demand(serving: Any, at: Ids) -> None:
    client, _ = failing(serving, Fault(status=502, body="<h1>Bad gateway</h1>", headers={"Content-Type": "text/html"}))
    answer = client.get(at["VAULT"])
    assert (answer.status, answer.headers["Content-Type"], answer.raw) == (502, "text/html", b"<h1>Bad gateway</h1>")


def test_a_connection_is_reset(serving: Any, at: Ids) -> None:
    client, _ = failing(serving, Fault(reset=True))
    client.token()
    with pytest.raises((ConnectionError, ssl.SSLError, http.client.RemoteDisconnected)):
        client.get(at["VAULT"])
    client.close()
    assert client.get(at["VAULT"]).status == 200


def test_a_connection_is_closed_without_an_answer(serving: Any, at: Ids) -> None:
    client, _ = failing(serving, Fault(hang_up=True))
    client.token()
    with pytest.raises(http.client.RemoteDisconnected):
        client.get(at["VAULT"])
    client.close()
    assert client.get(at["VAULT"]).status == 200


def test_a_body_is_cut_short(serving: Any, at: Ids) -> None:
    client, _ = failing(serving, Fault(truncate=True))
    with pytest.raises(http.client.IncompleteRead) as raised:
        client.get(at["VAULT"])
    assert raised.value.partial.startswith(b'{"id":')
    client.close()
    assert client.get(at["VAULT"]).json["name"] == "kv-one"


def test_an_answer_is_late(serving: Any, at: Ids) -> None:
    client, _ = failing(serving, Fault(delay=0.2))
    client.token()
    started = time.monotonic()
    assert client.get(at["VAULT"]).status == 200
    assert time.monotonic() - started >= 0.2


# --- estate files and starting -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not an estate file"),
        ("[]", "not an estate file"),
        ('{"format": 1}', "tenant"),
        ('{"format": 1, "tenant": {}, "documents": []}', "$.tenant"),
        ('{"format": 2, "tenant": {"id": "t"}, "documents": []}', "format 2"),
        ('{"format": 1, "tenant": {"id": " "}, "documents": []}', "no id"),
        ('{"format": 1, "tenant": {"id": "t"}, "pageSize": 0, "documents": []}', "pageSize"),
        ('{"format": 1, "tenant": {"id": "t"}, "documents": [7]}', "$.documents[0]"),
        ('{"format": 1, "tenant": {"id": "t"}, "documents": [{"type": "a/b"}]}', "documents[0]: no id"),
        ('{"format": 1, "tenant": {"id": "t"}, "documents": [{"id": "/a"}]}', "documents[0]: no type"),
        ('{"format": 1, "tenant": {"id": "t"}, "documents": [{"id": "/a", "type": "b", "value": 1}]}', "not a list"),
        ('{"format": 1, "tenant": {"id": "t"}, "documents": [{"id": "/a", "type": "b", "$unknown": 1}]}', "$unknown"),
        (
            '{"format": 1, "tenant": {"id": "t"}, "documents": [{"id": "/a", "type": "b"}, {"id": "/A/", "type": "B"}]}',
            "documents[1]: /A/ is there already",
        ),
    ],
)
def test_a_file_that_is_no_estate(text: str, words: str) -> None:
    with pytest.raises(AuditorError) as raised:
        parse_estate(text.encode(), "my.json")
    assert raised.value.message.startswith("my.json: ")
    assert words in raised.value.message
    assert raised.value.hint


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(AuditorError, match=r"cannot read the estate file"):
        load_estate(tmp_path / "none.json")


def test_a_port_in_use(client: Any, estate_file: Path) -> None:
    port = int(client.host.split(":")[1])
    with pytest.raises(AuditorError, match="cannot listen on") as raised, running(estate_file, port=port):
        pass
    assert raised.value.hint
    with pytest.raises(AuditorError, match="cannot listen on"), running(estate_file, port=99_999):
        pass


def test_two_at_once_do_not_share_anything(client: Any, serving: Any, at: Ids) -> None:
    other = serving()
    answer = other.send("GET", f"{at['VAULT']}?api-version=1", headers={"Authorization": f"Bearer {client.token()}"})
    assert answer.json["error"]["code"] == "InvalidAuthenticationToken"


@pytest.mark.skipif(sys.platform == "win32", reason="no such signal there")
def test_a_polite_kill_leaves_nothing_behind(estate_file: Path) -> None:
    say = "lambda line: print(line, flush=True)"
    code = f"import sys; from auditor.emulator import serve; serve(sys.argv[1], '127.0.0.1', 0, {say})"
    command, here = [sys.executable, "-c", code, str(estate_file)], Path(auditor.__file__).parents[1]
    with subprocess.Popen(command, cwd=here, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = next(line for line in process.stdout if line.startswith("export SSL_CERT_FILE="))
        folder = Path(line.partition("=")[2].strip().strip("'")).parent
        assert folder.exists()
        process.terminate()
        assert process.wait(timeout=10) == 0
    assert not folder.exists()


def test_serve_announces_and_runs_until_interrupted(estate_file: Path) -> None:
    told: list[str] = []

    def announce(line: str) -> None:
        told.append(line)
        if "configuration file" in line:
            raise KeyboardInterrupt

    serve(estate_file, "127.0.0.1", 0, announce)
    text = "\n".join(told)
    assert "export AZURE_CLIENT_ID=app-id" in text
    assert "auditor scan azure --config " in text
    folder = Path(text.partition("export SSL_CERT_FILE=")[2].split("\n")[0].strip("'")).parent
    assert folder.name.startswith("auditor-emulator-")
    assert not folder.exists()

"""An Azure that misbehaves, seen from the command line: which exit code, and what is said."""

import json

import pytest
from conftest import CONTOSO

from auditor.cli import main
from auditor.emulator import Fault, running


@pytest.fixture
def scan(monkeypatch, capsys, tmp_path):
    """Scan one subscription of Contoso with faults; gives (exit code, stdout, stderr, emulator)."""

    def run(faults, *argv):
        with running(CONTOSO / "estate.json", faults=faults) as azure:
            for name, value in azure.environment().items():
                monkeypatch.setenv(name, value)
            monkeypatch.setenv("AUDITOR_CONFIG", str(azure.config_file))
            monkeypatch.chdir(tmp_path)
            code = main(["scan", "-q", "-f", "json", *argv])
        out, err = capsys.readouterr()
        return code, out, err, azure

    return run


def test_a_tenant_where_nothing_is_readable(scan):
    body = {"error": {"code": "AuthorizationFailed", "message": "The client does not have authorization."}}

    def deny(method, path, count):
        return None if "oauth2" in path else Fault(status=403, body=json.dumps(body).encode())

    code, out, err, _ = scan(deny)
    assert code == 4
    assert out == ""
    assert err.startswith("error: nothing could be read")
    assert "hint: " in err and "az role assignment create" in err


def test_an_endpoint_that_resets(scan):
    def reset(method, path, count):
        return None if "oauth2" in path else Fault(reset=True)

    code, _, err, _ = scan(reset)
    assert code == 4
    assert "nothing could be read" in err
    assert "Traceback" not in err


def test_an_answer_that_is_not_json(scan):
    def garble(method, path, count):
        return (
            Fault(status=200, body=b"<html>proxy login</html>")
            if path.lower().endswith("/diagnosticsettings")
            else None
        )

    code, out, _, _ = scan(garble, "-s", "contoso-shared")
    assert code == 0
    findings = [f for f in json.loads(out)["findings"] if f["rule"] == "keyvault-audit-logs"]
    assert findings and {f["status"] for f in findings} == {"unknown"}
    assert all("not JSON" in f["why_unknown"][0]["reason"] for f in findings)


def test_a_next_link_to_another_host_is_not_followed(scan):
    def lure(method, path, count):
        if not path.lower().endswith("/flowlogs"):
            return None
        page = {"value": [], "nextLink": "https://attacker.example/steal"}
        return Fault(status=200, body=json.dumps(page).encode())

    code, out, _, _ = scan(lure, "-s", "contoso-shared")
    assert code == 0
    refused = [u for u in json.loads(out)["unread"] if u["id"].lower().endswith("/flowlogs")]
    assert refused and all("attacker.example" in u["why"]["reason"] for u in refused)


def test_one_throttled_read_is_asked_again(scan):
    def throttle(method, path, count):
        busy = path.lower().endswith("/diagnosticsettings") and count == 1
        return Fault(status=429, headers={"Retry-After": "0"}) if busy else None

    code, out, _, _ = scan(throttle, "-s", "contoso-shared", "--select", "keyvault-audit-logs")
    assert code == 0
    assert {f["status"] for f in json.loads(out)["findings"]} <= {"pass", "fail"}
    assert json.loads(out)["run"]["throttled"] > 0


def test_an_unregistered_provider_is_not_registered(scan):
    body = {"error": {"code": "MissingSubscriptionRegistration", "message": "The subscription is not registered."}}

    def unregistered(method, path, count):
        conflict = path.lower().endswith("/diagnosticsettings")
        return Fault(status=409, body=json.dumps(body).encode()) if conflict else None

    code, _, _, azure = scan(unregistered, "-s", "contoso-shared")
    assert code == 0
    assert azure.writes == []


def test_sign_in_that_is_refused(scan):
    def refuse(method, path, count):
        wrong = {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."}
        return Fault(status=401, body=json.dumps(wrong).encode()) if "oauth2" in path else None

    code, _, err, _ = scan(refuse)
    assert code == 4
    assert "AADSTS7000215" in err
    assert "hint: " in err

"""Plans with the code that they were made of: lines, and answers that a plan alone does not give."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hcl_code import findings, statuses, write

from auditor.cli import main
from auditor.errors import SourceError
from auditor.sources import open_file
from auditor.sources.ways import Ways

PLANS = Path(__file__).parents[1] / "terraform"
CODE = {"app.tf": (PLANS / "app.tf").read_text(), "m/kv/main.tf": (PLANS / "module" / "main.tf").read_text()}


def sourced(tmp_path, plan="app", files=None, notice=lambda _: None):
    root = write(tmp_path / "code", files or CODE)
    return open_file(PLANS / f"{plan}.plan.json", Ways(source_root=root, notice=notice))


def test_every_finding_has_its_line(tmp_path):
    heard = []
    collection = sourced(tmp_path, notice=heard.append)
    assert heard == []
    places = {f.subject.origin.address: (f.subject.origin.file, f.subject.origin.line) for f in findings(collection)}
    lines = CODE["app.tf"].splitlines()
    for address, (file, line) in places.items():
        kind, name = address.rpartition("]")[2].split(".")[-2:] if "[" not in address else ("", "")
        if file == "app.tf" and kind:
            assert lines[line - 1] == f'resource "{kind}" "{name}" {{'
    assert places['module.kv["a/b"].azurerm_key_vault.this'] == ("m/kv/main.tf", 4)
    assert places['azurerm_key_vault.fe["two"]'] == places['azurerm_key_vault.fe["one"]'] == ("app.tf", 59)
    end = next(f for f in findings(collection) if f.subject.origin.address == "azurerm_key_vault.app")
    assert end.subject.origin.end_line == 37


def test_suffixes_and_bodies_that_a_plan_loses_are_read(tmp_path):
    collection = sourced(tmp_path)
    by_name = {f.subject.name: f.status for f in findings(collection, "storage-blob-access-logs")}
    assert by_name == {"stapp/blob": "pass", "steach/blob": "pass"}
    by_name = {f.subject.name: f.status for f in findings(collection, "storage-queue-access-logs")}
    assert by_name == {"stapp/queue": "fail", "steach/queue": "pass"}
    assert [f.status for f in findings(collection, "sql-server-auditing")] == ["pass"]
    assert statuses(collection)["azapi_resource.kv2"] == "pass"


def test_a_local_that_a_plan_does_not_tell_is_followed(tmp_path):
    text = (PLANS / "target_in_local.tf").read_text()
    found = statuses(sourced(tmp_path, "target_in_local", {"main.tf": text}))
    assert {address[-3]: status for address, status in found.items()} == {
        "a": "pass", "b": "pass", "c": "fail", "d": "fail",
    }  # fmt: skip


def test_code_that_is_not_that_of_the_plan_is_not_believed(tmp_path):
    other = CODE["app.tf"].replace(
        '"${azurerm_storage_account.sa.id}/blobServices/default"', "azurerm_storage_account.each.id"
    )
    collection = sourced(tmp_path, files={**CODE, "app.tf": other})
    by_name = {f.subject.name: f.status for f in findings(collection, "storage-blob-access-logs")}
    assert by_name["stapp/blob"] == "unknown"


def test_what_the_code_does_not_hold_keeps_the_plan_s_own_place_and_is_told(tmp_path):
    heard = []
    collection = sourced(tmp_path, files={"app.tf": CODE["app.tf"]}, notice=heard.append)
    assert len(heard) == 1
    assert "module.bare.azurerm_key_vault.this" in heard[0]
    places = {f.subject.origin.address: f.subject.origin for f in findings(collection)}
    assert places["module.bare.azurerm_key_vault.this"].line is None
    assert places["azurerm_key_vault.app"].line == 31


def test_modules_that_init_fetched_are_found(tmp_path):
    fetched = {
        "Modules": [{"Key": "", "Dir": "."}, {"Key": "kv", "Source": "registry", "Dir": ".terraform/modules/kv"}]
    }
    files = {
        "app.tf": CODE["app.tf"].replace('source    = "./m/kv"', 'source    = "example/kv/azurerm"'),
        ".terraform/modules/modules.json": json.dumps(fetched),
        ".terraform/modules/kv/main.tf": CODE["m/kv/main.tf"],
        "m/kv/main.tf": CODE["m/kv/main.tf"],
    }
    places = {f.subject.origin.address: f.subject.origin.file for f in findings(sourced(tmp_path, files=files))}
    assert places['module.kv["c"].azurerm_key_vault.this'] == ".terraform/modules/kv/main.tf"


def test_a_state_has_lines_too(tmp_path):
    values = {"id": "/subscriptions/s/resourceGroups/r/providers/Microsoft.KeyVault/vaults/kv-app", "name": "kv-app"}
    one = {
        "address": "azurerm_key_vault.app",
        "mode": "managed",
        "type": "azurerm_key_vault",
        "name": "app",
        "values": values,
    }
    state = tmp_path / "state.json"
    state.write_text(json.dumps({"format_version": "1.0", "values": {"root_module": {"resources": [one]}}}))
    collection = open_file(state, Ways(source_root=write(tmp_path / "code", CODE)))
    (found,) = findings(collection)
    assert (found.subject.origin.file, found.subject.origin.line) == ("app.tf", 31)


def test_acceptances_in_the_code_hold_for_its_plan(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795000000")
    text = CODE["app.tf"].replace(
        'resource "azurerm_key_vault" "app2"',
        '# auditor:accept keyvault-audit-logs reason="metrics do" until=2027-03-31\nresource "azurerm_key_vault" "app2"',
    )
    root = write(tmp_path / "code", {**CODE, "app.tf": text})
    assert main(["scan", str(PLANS / "app.plan.json"), "--source-root", str(root), "-f", "json"]) == 0
    report = json.loads(capsys.readouterr().out)
    accepted = [f for f in report["findings"] if f["status"] == "accepted"]
    assert [f["subject"]["origin"]["address"] for f in accepted] == ["azurerm_key_vault.app2"]


def test_a_source_root_without_code_or_for_something_else_is_an_error(tmp_path):
    with pytest.raises(SourceError, match="no Terraform code"):
        open_file(PLANS / "app.plan.json", Ways(source_root=tmp_path))
    with pytest.raises(SourceError, match="not a Terraform plan"):
        open_file(write(tmp_path / "code", CODE), Ways(source_root=tmp_path))

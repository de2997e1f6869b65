"""Folders with several inputs: found, judged together, and apart where they are apart."""

from __future__ import annotations

import pytest
from hcl_code import PROVIDER, SETTING, VAULT, WORKSPACE, findings, write

from auditor.cli import main
from auditor.sources import folder, open_file
from auditor.sources.folder import made_subscription
from auditor.sources.ways import Ways

pytestmark = pytest.mark.usefixtures("in_process")
BARE = 'provider "azurerm" {\n  features {}\n}\n'
ROOT = BARE + VAULT + WORKSPACE
TO_VARIABLE = 'variable "t" {}\n' + SETTING.replace("azurerm_key_vault.a.id", "var.t") + WORKSPACE


def prints(collection):
    return {(f.subject.origin.file, f.status): f.fingerprint for f in findings(collection)}


def test_ids_are_made_apart_and_stay_when_a_root_is_added(tmp_path):
    before = prints(open_file(write(tmp_path / "x", {"prod/main.tf": ROOT})))
    after = prints(open_file(write(tmp_path / "x", {"dev/main.tf": ROOT, "prod/log.tf": SETTING})))
    assert list(before) == [("prod/main.tf", "fail")]
    assert set(after) == {("prod/main.tf", "pass"), ("dev/main.tf", "fail")}
    assert after["prod/main.tf", "pass"] == before["prod/main.tf", "fail"]
    elsewhere = prints(open_file(write(tmp_path / "y" / "z", {"prod/main.tf": ROOT})))
    assert elsewhere == before
    assert made_subscription("prod") != made_subscription("dev") != made_subscription(".")


def test_two_roots_that_make_the_same_id_make_two(tmp_path):
    told = PROVIDER + VAULT + WORKSPACE
    found = prints(open_file(write(tmp_path, {"dev/main.tf": told, "prod/main.tf": told + SETTING})))
    assert set(found) == {("dev/main.tf", "fail"), ("prod/main.tf", "pass")}
    assert len(set(found.values())) == 2


def test_what_one_root_sets_on_what_it_does_not_tell_may_be_on_what_another_makes(tmp_path):
    collection = open_file(write(tmp_path, {"log/main.tf": BARE + TO_VARIABLE, "app/main.tf": ROOT}))
    (found,) = findings(collection)
    assert found.status == "unknown"
    assert "log/main.tf:" in found.message
    assert "var.t" in found.message


def test_a_setting_by_id_covers_what_another_root_makes(tmp_path):
    vault = VAULT.replace('"kv-a"', '"kv-a"\n  resource_group_name = "rg"')
    shown = (
        "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/RG/providers/Microsoft.KeyVault/vaults/kv-a"
    )
    by_id = SETTING.replace("azurerm_key_vault.a.id", f'"{shown}"')
    files = {"app/main.tf": PROVIDER + vault, "log/main.tf": PROVIDER + by_id + WORKSPACE}
    assert [f.status for f in findings(open_file(write(tmp_path, files)))] == ["pass"]


def test_modules_that_nothing_calls_are_left_out_and_said_once(tmp_path):
    said = []
    library = 'variable "n" {}\n' + VAULT
    files = {"main.tf": ROOT, "modules/a/main.tf": library, "modules/b/main.tf": library}
    collection = open_file(write(tmp_path, files), Ways(notice=said.append))
    assert [f.subject.origin.file for f in findings(collection)] == ["main.tf"]
    assert len(said) == 1
    assert "modules/a, modules/b" in said[0]


def test_a_module_and_its_example_are_judged_through_the_example(tmp_path):
    files = {
        "main.tf": 'variable "n" {}\n' + VAULT,
        "examples/plain/main.tf": BARE + 'module "kv" {\n  source = "../../"\n  n = "x"\n}\n',
    }
    (found,) = findings(open_file(write(tmp_path, files)))
    assert (found.status, found.subject.origin.file) == ("fail", "main.tf")
    assert found.subject.origin.address == "module.kv.azurerm_key_vault.a in examples/plain"


def test_a_folder_is_scanned_by_the_command(tmp_path, capsys, monkeypatch):
    write(tmp_path / "infra", {"prod/main.tf": ROOT, "dev/main.tf": ROOT + SETTING, "prod/x.tfvars": "a = 1\n"})
    monkeypatch.chdir(tmp_path)
    assert main(["scan", "infra", "--select", "keyvault-audit-logs", "--fail-on", "high"]) == 1
    assert "1 failed" in capsys.readouterr().out


ACCEPT = '# auditor:accept keyvault-audit-logs reason="Lab, no secrets" until=2027-03-31\n'


def judged(tmp_path, files, capsys):
    import json

    assert main(["scan", str(write(tmp_path, files)), "--select", "keyvault-audit-logs", "-f", "json"]) == 0
    out = capsys.readouterr()
    report = json.loads(out.out)
    return {f["subject"]["origin"]["address"]: f["status"] for f in report["findings"]}, report, out.err


def test_a_comment_above_or_inside_a_block_accepts_what_is_found_there(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795000000")
    two = VAULT.replace('"a"', '"b"').replace("kv-a", "kv-b").replace("{\n", "{\n  " + ACCEPT, 1)
    three = VAULT.replace('"a"', '"c"').replace("kv-a", "kv-c")
    above = "// why it is so\n" + ACCEPT + "# more\n" + VAULT
    found, report, _ = judged(tmp_path, {"main.tf": BARE + above + two + "\n" + three}, capsys)
    assert found == {
        "azurerm_key_vault.a": "accepted", "azurerm_key_vault.b": "accepted", "azurerm_key_vault.c": "fail",
    }  # fmt: skip
    assert {(a["file"], a["line"]) for a in report["acceptances"]} == {("main.tf", 5), ("main.tf", 11)}


def test_a_comment_on_a_call_accepts_what_the_module_makes_and_one_on_nothing_is_told(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795000000")
    call = ACCEPT + 'module "kv" {\n  source = "./m"\n}\n'
    files = {"main.tf": BARE + call + "\n\n" + ACCEPT + "\n\n" + WORKSPACE, "m/main.tf": VAULT}
    found, report, _ = judged(tmp_path, files, capsys)
    assert found == {"module.kv.azurerm_key_vault.a": "accepted"}
    assert [(one["line"], one["state"]) for one in report["acceptances"]] == [(4, "in force"), (10, "unused")]


def test_a_report_names_the_folder_in_place_of_the_made_up_subscription(tmp_path, capsys):
    write(tmp_path, {"prod/main.tf": ROOT, "dev/main.tf": ROOT, "dev/bad.tf": "x {"})
    assert main(["scan", str(tmp_path), "--select", "keyvault-audit-logs", "-f", "markdown"]) == 0
    told = capsys.readouterr().out
    assert "| subscription not told: prod | 0% |" in told
    assert "dev/bad.tf" in told
    assert "Tenant" not in told.partition("## 4")[0]


def test_a_folder_that_cannot_be_looked_into_is_no_pass(tmp_path, capsys, monkeypatch):
    write(tmp_path, {"main.tf": PROVIDER + WORKSPACE + VAULT + SETTING, "closed/main.tf": VAULT})
    deep = "/".join(["d"] * 42)
    write(tmp_path, {f"{deep}/main.tf": VAULT})
    listed = folder._entries

    def entries(place):
        if place.name == "closed":
            raise PermissionError(13, "Permission denied")
        return listed(place)

    monkeypatch.setattr(folder, "_entries", entries)
    assert main(["scan", str(tmp_path), "--select", "keyvault-audit-logs", "--fail-on", "high"]) == 3
    err = capsys.readouterr().err
    assert "closed: cannot be looked into: Permission denied" in err
    assert "not looked into, being more than 40 folders deep" in err
    assert "Incomplete: 2 of " in err and "passed" not in err

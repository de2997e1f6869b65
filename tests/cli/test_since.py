"""`--changed-since`: only what a change introduces fails the gate, wherever in the tree its cause lies."""

from __future__ import annotations

import json
import subprocess

import pytest

from auditor.cli import main

VAULT = 'resource "azurerm_key_vault" "{name}" {{\n  name                = "kv-{name}"\n  location            = "westeurope"\n  resource_group_name = "rg"\n}}\n'
LAW = 'resource "azurerm_log_analytics_workspace" "law" {\n  name = "law"\n  location = "westeurope"\n  resource_group_name = "rg"\n}\n'
SETTING = """resource "azurerm_monitor_diagnostic_setting" "{name}" {{
  name                       = "audit"
  target_resource_id         = azurerm_key_vault.{name}.id
  log_analytics_workspace_id = azurerm_log_analytics_workspace.law.id
  enabled_log {{
    category_group = "audit"
  }}
}}
"""


def git(folder, *words):
    who = ("-c", "user.name=T", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, "-C", str(folder), *words], check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository whose first commit has a watched vault and one that is not; the second is the work tree."""
    folder = tmp_path / "repository"
    infra = folder / "infra"
    infra.mkdir(parents=True)
    git(tmp_path, "init", "-q", "-b", "main", str(folder))
    (infra / "vaults.tf").write_text(VAULT.format(name="good") + VAULT.format(name="bad"))
    (infra / "logs.tf").write_text(LAW + SETTING.format(name="good"))
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "First")
    git(folder, "checkout", "-qb", "change")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def scan(capsys):
    def run(*options, target="infra", ref="main"):
        more = ("--select", "keyvault-audit-logs", "--fail-on", "low", "--max-unassessed", "100%")
        code = main(["scan", target, "--changed-since", ref, *more, *options])
        return code, *capsys.readouterr()

    return run


def test_only_what_the_change_introduces_fails_the_gate(repository, scan):
    code, out, err = scan()
    assert (code, "Gate passed: no new failure" in err) == (0, True)
    assert "Compared with main (" in out and "0 new, 1 known" in out
    (repository / "infra/logs.tf").write_text(LAW)  # the cause lies in another file than the vault
    code, out, err = scan("-f", "json")
    assert (code, "Gate failed: 1 new high" in err) == (1, True)
    told = {f["subject"]["name"]: f["is_new"] for f in json.loads(out)["findings"]}
    assert told == {"kv-good": True, "kv-bad": False}


def test_what_was_fixed_and_what_is_new_is_counted(repository, scan):
    (repository / "infra/logs.tf").write_text(LAW + SETTING.format(name="good") + SETTING.format(name="bad"))
    (repository / "infra/more.tf").write_text(VAULT.format(name="new"))
    code, out, _ = scan()
    assert (code, "1 new, 0 known, 1 fixed" in out) == (1, True)


def test_what_was_done_on_the_other_branch_since_is_no_part_of_the_change(repository, scan):
    git(repository, "checkout", "-q", "main")
    (repository / "infra/logs.tf").write_text(LAW + SETTING.format(name="good") + SETTING.format(name="bad"))
    git(repository, "commit", "-qam", "Mended on main")
    git(repository, "checkout", "-q", "change")
    assert scan()[0] == 0


def test_a_folder_that_was_not_there_is_new(repository, scan):
    other = repository / "other"
    other.mkdir()
    (other / "main.tf").write_text(VAULT.format(name="x"))
    code, _, err = scan(target="other")
    assert code == 1
    assert "has no other, so all of it is new" in err


def test_one_template(repository, scan):
    vault = {"type": "Microsoft.KeyVault/vaults", "apiVersion": "2023-07-01", "name": "kv", "location": "westeurope"}
    schema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
    head = {"$schema": schema, "contentVersion": "1.0.0.0"}
    file = repository / "azuredeploy.json"
    file.write_text(json.dumps({**head, "resources": [vault]}))
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "A template")
    assert scan(target="azuredeploy.json", ref="HEAD")[0] == 0
    file.write_text(json.dumps({**head, "resources": [vault, {**vault, "name": "two"}]}))
    code, _, err = scan(target="azuredeploy.json", ref="HEAD")
    assert (code, "Gate failed: 1 new high" in err) == (1, True)


def test_nothing_of_the_repository_is_run_or_changed(repository, scan):
    marker = repository.parent / "ran"
    (repository / ".gitattributes").write_text("* filter=evil export-ignore\n")
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "Attributes")
    for hook in ("post-checkout", "post-index-change"):
        file = repository / f".git/hooks/{hook}"
        file.write_text(f"#!/bin/sh\ntouch {marker}\n")
        file.chmod(0o755)
    for key in ("filter.evil.smudge", "core.fsmonitor"):
        git(repository, "config", key, f"touch {marker}; cat")
    marker.unlink(missing_ok=True)
    before = sorted(str(path) for path in (repository / ".git").rglob("*"))
    assert scan(ref="HEAD")[0] == 0
    assert not marker.exists()
    assert sorted(str(path) for path in (repository / ".git").rglob("*")) == before


REFUSED = {
    "an option": ("--output=x", "is no git revision", "origin/main"),
    "words": ("a b", "is no git revision", "origin/main"),
    "no such revision": ("nowhere", 'this repository has no revision "nowhere"', "is it fetched?"),
    "a range": ("main..change", "has no revision", "is it fetched?"),
}


@pytest.mark.parametrize(("ref", "problem", "hint"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_revision_is_refused(repository, capsys, ref, problem, hint):
    assert main(["scan", "infra", f"--changed-since={ref}"]) == 2
    err = capsys.readouterr().err
    assert problem in err and hint in err


def test_what_is_no_code_is_refused_with_the_other_way(repository, capsys):
    plan = repository / "plan.json"
    empty = {"format_version": "1.2", "planned_values": {"root_module": {}}, "configuration": {}}
    plan.write_text(json.dumps(empty))
    for words, problem in (
        (["scan", "plan.json", "--changed-since", "main"], "compares code"),
        (["scan", "--changed-since", "main"], "the target is Azure itself"),
        (["scan", "infra", "--changed-since", "main", "--baseline", "x.json"], "both say what is known"),
    ):
        assert main(words) == 2
        err = capsys.readouterr().err
        assert problem in err and ("--baseline" in err)


def test_outside_of_any_repository(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    (tmp_path / "main.tf").write_text(VAULT.format(name="x"))
    assert main(["scan", str(tmp_path), "--changed-since", "main"]) == 2
    assert "not in a git repository" in capsys.readouterr().err


def test_a_checkout_of_another_user_is_told_as_one(repository, scan, monkeypatch):
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    code, _, err = scan()
    assert (code, "git does not answer for the repository that it is in" in err) == (2, True)
    assert "safe.directory" in err


def test_links_and_names_that_lead_out_are_left_out(repository, scan):
    outside = repository.parent / "outside"
    outside.mkdir()
    (outside / "main.tf").write_text(VAULT.format(name="outside"))
    (repository / "infra/away").symlink_to(outside)
    (repository / "infra/inside").symlink_to("vaults.tf")
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "Links")
    assert scan(ref="HEAD")[0] == 0

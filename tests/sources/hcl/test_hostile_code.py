"""Code that is broken or made to harm: a clear error or an unknown, in time; never a crash, never a pass."""

from __future__ import annotations

import os
import sys
import time

import pytest
from hcl_code import PROVIDER, SETTING, VAULT, WORKSPACE, findings, statuses, write

from auditor.cli import main
from auditor.errors import SourceError
from auditor.sources import open_file
from auditor.sources.hcl import Code, answered, built, documents, evaluator, question

BASE = PROVIDER + WORKSPACE
DEEP = "x = " + "[" * 20_000 + "]" * 20_000
NAUGHTY = [
    ("binary", b"\x7fELF\x00\x01\x02" * 200),
    ("not UTF-8", b'resource "azurerm_key_vault" "z" {\n  name = "\xff\xfe"\n}\n'),
    ("UTF-16", 'resource "azurerm_key_vault" "z" {}\n'.encode("utf-16")),
    ("nested deeply", f'resource "azurerm_key_vault" "z" {{\n  {DEEP}\n}}\n'.encode()),
    ("blocks in blocks", b"a {\n" * 5_000 + b"}\n" * 5_000),
    ("cut off", b'resource "azurerm_key_vault" "z" {\n  name = "${'),
]


@pytest.mark.parametrize("data", [n[1] for n in NAUGHTY], ids=[n[0] for n in NAUGHTY])
def test_a_file_that_cannot_be_read_leaves_nothing_certain(tmp_path, data):
    started = time.monotonic()
    collection = open_file(write(tmp_path, {"main.tf": BASE + VAULT, "z.tf": data}))
    assert time.monotonic() - started < 10
    found = {f.subject.origin.address: f.status for f in findings(collection)}
    assert found["azurerm_key_vault.a"] == "unknown"
    assert any("z.tf" in d["id"] for d in collection.documents if "$unknown" in d)


def test_a_mark_at_the_beginning_and_windows_line_ends_are_no_mistakes(tmp_path):
    text = "\ufeff" + (BASE + VAULT + SETTING).replace("\n", "\r\n")
    collection = open_file(write(tmp_path, {"main.tf": text}))
    assert [(f.status, f.subject.origin.line) for f in findings(collection)] == [("pass", 8)]


def hangs(tmp_path, monkeypatch, script):
    """The documents of a folder of which the evaluator is another script."""
    fake = tmp_path / "bin" / "python"
    write(tmp_path / "bin", {"python": f"#!{sys.executable}\n{script}\n"})
    fake.chmod(0o755)
    monkeypatch.setattr(evaluator.sys, "executable", str(fake))
    code = Code(write(tmp_path / "code", {"main.tf": BASE + VAULT + SETTING + VAULT.replace('"a"', '"b"')}))
    asked = question(code)
    return documents(built(asked, answered(asked, 0.3)))


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("import time; time.sleep(60)", "more than 0.3 s"),
        ("import os; os.abort()", "broke off"),
        ("print('[' * 100000)", "cannot be read"),
        ("print('[1, 2]')", "cannot be read"),
        ("import sys; sys.stderr.write('no such thing'); sys.exit(1)", "no such thing"),
    ],
    ids=["hangs", "dies", "nonsense", "another shape", "refuses"],
)
def test_an_evaluator_that_fails_is_told_of_and_what_is_written_out_is_still_read(tmp_path, monkeypatch, script, said):
    from auditor.documents import Collection, Run

    found = hangs(tmp_path, monkeypatch, script)
    assert any(said in d["$unknown"]["reason"] for d in found if "$unknown" in d)
    judged = statuses(Collection(documents=found, run=Run(source="terraform")))
    assert judged == {"azurerm_key_vault.a": "pass", "azurerm_key_vault.b": "fail"}


def test_links_that_lead_out_or_round_in_a_circle_are_not_followed(tmp_path):
    outside = write(tmp_path / "outside", {"main.tf": BASE + VAULT.replace('"a"', '"stolen"')})
    root = write(tmp_path / "root", {"main.tf": BASE + VAULT})
    os.symlink(outside, root / "more")
    os.symlink(root, root / "again")
    os.symlink(outside / "main.tf", root / "linked.tf")
    os.symlink(root / "nothing", root / "dangling.tf")
    collection = open_file(root)
    assert "stolen" not in str(collection.documents)
    assert statuses(collection) == {"azurerm_key_vault.a": "unknown"}  # since a file of the root was not read


def test_files_outside_are_not_shown(tmp_path):
    secret = write(tmp_path, {"secret.txt": "hunter2"}) / "secret.txt"
    text = BASE + f'resource "azurerm_key_vault" "a" {{\n  name = file("{secret}")\n}}\n'
    text += 'resource "azurerm_key_vault" "b" {\n  name = trimspace(file("../secret.txt"))\n}\n'
    text += 'locals {\n  f = "../secret.txt"\n}\nresource "azurerm_key_vault" "c" {\n  name = file(local.f)\n}\n'
    collection = open_file(write(tmp_path / "root", {"main.tf": text}))
    assert len(findings(collection)) == 3
    assert "hunter2" not in str(collection.documents)


def test_nothing_in_the_folder_that_is_scanned_is_run(tmp_path, monkeypatch):
    trap = f"open({str(tmp_path / 'run')!r}, 'w').close()\n"
    names = ("tfparse.py", "json.py", "resource.py", "auditor/__init__.py", "sitecustomize.py")
    write(tmp_path / "code", {"main.tf": BASE + VAULT + SETTING, **dict.fromkeys(names, trap)})
    monkeypatch.chdir(tmp_path / "code")
    assert statuses(open_file(tmp_path / "code")) == {"azurerm_key_vault.a": "pass"}
    assert not (tmp_path / "run").exists()


def test_a_folder_without_anything_to_scan_is_an_error_and_no_pass(tmp_path, capsys):
    write(tmp_path, {"README.md": "x", ".terraform/modules/m/main.tf": VAULT, "node_modules/m/main.tf": VAULT})
    with pytest.raises(SourceError, match="nothing to scan"):
        open_file(tmp_path)
    assert main(["scan", str(tmp_path)]) == 2
    assert "hint:" in capsys.readouterr().err


def test_without_the_parsers_it_says_what_to_install(tmp_path, monkeypatch):
    from auditor.sources.hcl import syntax

    write(tmp_path, {"main.tf": BASE + VAULT})
    syntax._parser.cache_clear()
    monkeypatch.setitem(sys.modules, "tree_sitter", None)
    with pytest.raises(SourceError) as refused:
        open_file(tmp_path)
    assert "azure-logging-auditor[iac]" in refused.value.hint
    syntax._parser.cache_clear()


def test_a_variable_file_that_is_not_there_is_an_error(tmp_path, capsys):
    write(tmp_path, {"main.tf": BASE + VAULT})
    assert main(["scan", str(tmp_path), "--var-file", str(tmp_path / "no.tfvars")]) == 2
    assert "there is no such file" in capsys.readouterr().err


def test_a_part_of_a_balancer_that_is_known_beside_one_of_a_balancer_that_is_not(tmp_path):
    text = BASE + 'variable "b" {}\nresource "azurerm_lb" "a" {\n  name = "lb"\n}\n'
    for name, target in (("one", "var.b"), ("two", "azurerm_lb.a.id")):
        text += f'resource "azurerm_lb_rule" "{name}" {{\n  name = "{name}"\n  loadbalancer_id = {target}\n}}\n'
    documents = {d.get("name"): d for d in open_file(write(tmp_path, {"main.tf": text})).documents}
    assert "$unknown" in documents["lb"]["properties"]["loadBalancingRules"]


def test_variables_reach_a_folder_that_is_named_by_a_link(tmp_path, capsys):
    code = tmp_path / "deep" / "er" / "code"
    code.mkdir(parents=True)
    vault = 'resource "azurerm_key_vault" "kv" {\n  count = var.on ? 1 : 0\n  name  = "kv"\n}\nvariable "on" {}\n'
    (code / "main.tf").write_text('provider "azurerm" {}\n' + vault)
    (tmp_path / "prod.tfvars").write_text("on = true\n")
    (tmp_path / "link").symlink_to(code)
    told = ["--var-file", str(tmp_path / "prod.tfvars"), "--select", "keyvault-audit-logs", "--fail-on", "high"]
    assert main(["scan", str(tmp_path / "link"), *told]) == 1
    assert "Gate failed: 1 high;" in capsys.readouterr().err

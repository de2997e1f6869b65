"""`accept`, `--acceptances` and `--baseline` on the command line."""

import json
import re

import pytest
from conftest import CONTOSO

from auditor.cli import main
from auditor.sources import snapshot

VAULT = "*/vaults/kv-hr-dev-*"
WHO = ("--reason", 'Lab "vaults"\n- rule: x', "--approved-by", "P. Nilsen")


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795417200")  # 2026-11-23

    def call(*argv):
        code = main([str(word) for word in argv])
        out, err = capsys.readouterr()
        return code, out, err

    return call


@pytest.fixture
def saved(collection, tmp_path):
    snapshot.write(tmp_path / "contoso.snapshot", collection)
    return "contoso.snapshot"


def test_what_is_added_is_listed_and_expires(run, tmp_path):
    code, out, _ = run("accept", "add", "keyvault-audit-logs", "--scope", VAULT, *WHO, "--ticket", "SEC-1")
    assert code == 0
    assert out.startswith("acceptances.yaml:2: 2027-05-22 (180 days left)  keyvault-audit-logs  ")
    file = tmp_path / "acceptances.yaml"
    file.write_text(file.read_text() + "# kept\n")
    assert run("accept", "add", "storage-*", "--tag", "env=lab", *WHO, "--expires", "2026-12-01")[0] == 0
    assert "# kept\n- rule" in file.read_text()
    code, out, err = run("accept", "list")
    assert (code, err) == (0, "2 acceptances\n")
    assert [line.split()[0] for line in out.splitlines()] == ["2026-12-01", "2027-05-22"]
    assert "\n- rule: x" not in out
    assert run("accept", "expiring")[:2] == (1, out.splitlines(keepends=True)[0])
    assert run("accept", "expiring", "--within", "3")[0] == 0


BAD = [
    (("keyvault-audit-lgs", "--scope", "x"), 'there is no rule "keyvault-audit-lgs"', "keyvault-audit-logs"),
    (("keyvault-audit-logs",), "names no scope", "tags"),
    (("keyvault-audit-logs", "--scope", "x", "--expires", "2028-01-01"), "to last 404 days", "12 months"),
    (("keyvault-audit-logs", "--scope", "x", "--expires", "soon"), "not a day", "2027-03-31"),
]


@pytest.mark.parametrize(("words", "problem", "hint"), BAD)
def test_a_bad_acceptance_leaves_the_file_alone(run, tmp_path, words, problem, hint):
    run("accept", "add", "keyvault-audit-logs", "--scope", VAULT, *WHO)
    before = (tmp_path / "acceptances.yaml").read_bytes()
    code, out, err = run("accept", "add", *words, *WHO)
    assert (code, out) == (2, "")
    assert problem in err.splitlines()[0]
    assert err.splitlines()[1].startswith("hint: ")
    assert hint in err.splitlines()[1]
    assert (tmp_path / "acceptances.yaml").read_bytes() == before


def test_a_file_that_nothing_can_be_added_to_is_left_alone(run, tmp_path):
    written = (
        "[{rule: keyvault-audit-logs, scope: a, reason: b, approved_by: c, created: 2026-11-01, expires: 2026-12-01}]\n"
    )
    (tmp_path / "acceptances.yaml").write_text(written)
    code, _, err = run("accept", "add", "keyvault-audit-logs", "--scope", VAULT, *WHO)
    assert code == 2
    assert "nothing can be added at its end" in err
    assert (tmp_path / "acceptances.yaml").read_text() == written


def test_a_list_of_a_file_that_is_not_there(run):
    code, _, err = run("accept", "list")
    assert code == 2
    assert err.startswith("error: acceptances.yaml: No such file")


def test_accepted_failures_do_not_fail_the_gate(run, saved):
    only = ("scan", saved, "--select", "storage-blob-access-logs", "--max-unassessed", "100%")
    assert run(*only, "--fail-on", "low")[0] == 1
    run("accept", "add", "storage-blob-access-logs", "--scope", "*", *WHO)
    code, out, err = run(*only, "--fail-on", "low", "--acceptances", "acceptances.yaml")
    assert (code, "Gate passed" in err) == (0, True)
    assert re.search(r"^0 failed, \d+ passed, \d+ unknown, \d+ accepted, ", out.splitlines()[-1])


def test_the_configuration_names_the_file_and_the_baseline(run, saved, tmp_path):
    assert run("scan", saved, "-f", "json=before.json")[0] == 0
    (tmp_path / "auditor.yaml").write_text(
        f"acceptances: {CONTOSO / 'acceptances.yaml'}\ngate: {{fail_on: low, max_unassessed: 100%, baseline: before.json}}\n"
    )
    code, out, err = run("scan", saved)
    assert (code, "Gate passed: no new failure" in err) == (0, True)
    assert " 4 accepted" in out
    assert "expired: 1 finding fails again" in out


def test_only_new_failures_fail_the_gate(run, saved, tmp_path):
    run("scan", saved, "-f", "json=before.json")
    findings = json.loads((tmp_path / "before.json").read_text())
    one = next(f for f in findings["findings"] if f["status"] == "fail" and f["severity"] == "high")
    findings["findings"].remove(one)
    (tmp_path / "before.json").write_text(json.dumps(findings))
    code, out, err = run("scan", saved, "--baseline", "before.json", "--fail-on", "low", "--max-unassessed", "100%")
    assert (code, "Gate failed: 1 new high" in err) == (1, True)
    assert "Compared with" in out


@pytest.mark.parametrize("content", ["{}", "PK", None])
def test_a_baseline_that_is_none(run, saved, tmp_path, content):
    if content is not None:
        (tmp_path / "b.json").write_text(content)
    code, out, err = run("scan", saved, "--baseline", "b.json")
    assert (code, out) == (2, "")
    assert err.startswith("error: b.json: ")

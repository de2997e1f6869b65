"""`--profile`, `profile:` and `-f controls` on the command line."""

import json

import pytest

from auditor.cli import main
from auditor.profile import apply, read_profile
from auditor.rule import load_rules
from auditor.sources import snapshot

MINE = """
extends: dora
rules:
  select: [destinations/*]
  params: {table-retention: {days: 700}}
"""


@pytest.fixture(scope="session")
def saved(collection, tmp_path_factory):
    file = tmp_path_factory.mktemp("profiles") / "contoso.snapshot"
    snapshot.write(file, collection)
    return str(file)


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    def call(*argv):
        code = main(list(argv))
        out, err = capsys.readouterr()
        return code, out, err

    return call


def findings(run, *argv):
    code, out, _ = run("scan", *argv, "-f", "json")
    assert code == 0
    return json.loads(out)


def test_rules_list_shows_the_rules_of_a_profile(run):
    code, out, err = run("rules", "list", "--profile", "cis-azure-3.0")
    assert code == 0
    assert {line.split()[1] for line in out.splitlines()} == {
        rule.id for rule in apply(read_profile("cis-azure-3.0"), load_rules()).rules
    }
    assert "of profile cis-azure-3.0" in err


def test_a_scan_by_a_profile_of_ones_own(run, saved, tmp_path):
    (tmp_path / "mine.yaml").write_text(MINE, encoding="utf-8")
    (tmp_path / "c.yaml").write_text("profile: ./mine.yaml\nrules: {params: {workspace-retention: {days: 31}}}\n")
    told = findings(run, saved, "-c", "c.yaml")
    assert told["profile"]["name"] == "mine" and told["profile"]["extends"] == ["dora"]
    changes = {(c["rule"], c["what"]): (c["value"], c["by"]) for c in told["profile"]["changes"]}
    assert changes["table-retention", "days"] == (700, "profile mine")
    assert changes["workspace-retention", "days"] == (31, "configuration")
    assert {r["id"]: r["params"] for r in told["rules"]}["table-retention"]["days"] == 700
    assert [f["name"] for f in told["frameworks"]] == ["DORA RTS (EU) 2024/1774"]
    flagged = findings(run, saved, "-c", "c.yaml", "--profile", "soc2")
    assert flagged["profile"]["name"] == "soc2" and flagged["frameworks"][0]["profile"] == "soc2"
    _, out, _ = run("scan", saved, "-c", "c.yaml")
    assert "Profile mine, which extends dora; 2 settings changed\n" in out


def test_in_two_processes_it_is_the_same(run, saved):
    _, one, _ = run("scan", saved, "--profile", "m-21-31", "-f", "json")
    _, two, _ = run("scan", saved, "--profile", "m-21-31", "-f", "json", "--jobs", "2")
    assert one == two and '"name": "m-21-31"' in one


def test_the_console_shows_controls_on_demand(run, saved, tmp_path):
    code, out, _ = run("scan", saved, "--profile", "nis2", "-f", "controls")
    assert code == 0
    lines = out.splitlines()
    assert "Profile nis2" in lines
    assert "  Not covered     3.2.1        There are procedures and tools for monitoring and logging" in lines
    at = next(n for n, line in enumerate(lines) if " 9.2(c)(vii) " in line)
    assert lines[at].startswith("  Fails") and lines[at + 1].startswith("    keyvault-audit-logs: ")
    run("scan", saved, "--profile", "nis2", "-f", "json=f.json")
    assert run("report", "f.json", "-f", "controls")[1] == out


def test_a_mistake_in_a_profile_names_file_and_line(run, tmp_path):
    (tmp_path / "mine.yaml").write_text("extends: soc2\nrules:\n  ignore: [entra-audit-log]\n", encoding="utf-8")
    code, out, err = run("scan", "x", "--profile", "mine.yaml")
    assert (code, out) == (2, "")
    assert err.startswith('error: mine.yaml:3: no rule matches "entra-audit-log"\nhint: did you mean entra-audit-logs')

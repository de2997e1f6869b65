"""Large estates on the command line: judged part by part, in several processes, with the same findings file."""

import json

import pytest
from conftest import CONTOSO

from auditor.cli import main
from auditor.cli import run as commands
from auditor.emulator import running
from auditor.sources import snapshot


@pytest.fixture
def saved(collection, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    snapshot.write(tmp_path / "contoso.snapshot", collection)
    return "contoso.snapshot"


def test_a_large_snapshot_gives_the_same_findings(saved, tmp_path, monkeypatch):
    assert main(["scan", saved, "-f", "json=whole.json"]) == 0
    looked = []
    original = snapshot.Snapshot.documents
    monkeypatch.setattr(
        snapshot.Snapshot, "documents", lambda self, group: looked.append(group) or original(self, group)
    )
    monkeypatch.setattr(commands, "MOST_AT_ONCE", 10)
    assert main(["scan", saved, "-f", "json=parts.json"]) == 0
    assert len(looked) >= 3 * 5, "three looks at each subscription"
    assert (tmp_path / "parts.json").read_bytes() == (tmp_path / "whole.json").read_bytes()


def test_several_processes_give_the_same_findings_by_the_same_rules(saved, tmp_path, monkeypatch):
    monkeypatch.setattr("auditor.parts.SIZE", 100)
    chosen = ["scan", saved, "--select", "keyvault-audit-logs,log-destination-exists"]
    assert main([*chosen, "-f", "json=whole.json"]) == 0
    assert main([*chosen, "--jobs", "2", "-f", "json=jobs.json"]) == 0
    assert (tmp_path / "jobs.json").read_bytes() == (tmp_path / "whole.json").read_bytes()


def test_a_large_tenant_is_judged_in_parts_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1763795640")
    with running(CONTOSO / "estate.json") as azure:
        for name, value in {**azure.environment(), "AUDITOR_CONFIG": str(azure.config_file)}.items():
            monkeypatch.setenv(name, value)
        assert main(["scan", "-q", "-f", "json=whole.json"]) == 0
        monkeypatch.setattr(commands, "MOST_AT_ONCE", 10)
        assert main(["scan", "-q", "-f", "json=parts.json"]) == 0
    whole, parts = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("whole", "parts"))
    for report in (whole, parts):  # when it was read, and how often a lucky answer came at once
        report["run"] = {k: v for k, v in report["run"].items() if k not in ("started_at", "finished_at", "requests")}
    assert parts == whole


@pytest.mark.parametrize("number", ["0", "-1", "two"])
def test_jobs_is_a_number_of_processes(saved, number, capsys):
    assert main(["scan", saved, "--jobs", number]) == 2
    assert "--jobs" in capsys.readouterr().err

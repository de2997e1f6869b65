"""Templates and Bicep in a folder, among other things."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from auditor.applicable import applicable
from auditor.assemble import assemble
from auditor.errors import SourceError
from auditor.judge import judge
from auditor.rule import load_rules
from auditor.sources import open_file
from auditor.sources.ways import Ways

BICEP = Path(__file__).parent / "bicep"
SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
RULE = [rule for rule in load_rules() if rule.id == "keyvault-audit-logs"]


def vault(name):
    return {"type": "Microsoft.KeyVault/vaults", "name": name, "properties": {}}


def setting(scope):
    properties = {"workspaceId": "/subscriptions/s/x", "logs": [{"category": "AuditEvent", "enabled": True}]}
    return {"type": "Microsoft.Insights/diagnosticSettings", "scope": scope, "name": "a", "properties": properties}


@pytest.fixture
def folder(tmp_path):
    def written(**files):
        for name, resources in files.items():
            path = tmp_path / f"{name.replace('__', '/')}.json"
            path.parent.mkdir(exist_ok=True, parents=True)
            content = (
                resources if isinstance(resources, str) else json.dumps({"$schema": SCHEMA, "resources": resources})
            )
            path.write_text(content)
        return tmp_path

    return written


def judged(path, heard=None):
    collection = open_file(path, Ways(notice=(heard if heard is not None else []).append))
    report = judge(assemble(collection), applicable(RULE, collection.run.source))
    found = {(f.subject.origin.file, f.subject.name): f.status for f in report.findings if f.subject.origin}
    return collection.run.source, found


def test_templates_of_a_folder_are_judged_together_and_apart(folder):
    path = folder(
        a__app=[
            vault("[parameters('name')]"),
            setting("[resourceId('Microsoft.KeyVault/vaults', parameters('name'))]"),
        ],
        b__app=[vault("[parameters('name')]")],  # the same words, and another vault
        c__app=[vault("kv-x"), vault("kv-y")],
        d__audit=[setting("Microsoft.KeyVault/vaults/kv-x")],  # perhaps in the same resource group
        package='{"name": "not a template"}',
    )
    source, found = judged(path)
    assert source == "arm"
    assert found == {
        ("a/app.json", "[parameters('name')]"): "pass",
        ("b/app.json", "[parameters('name')]"): "unknown",  # which may be called kv-x
        ("c/app.json", "kv-x"): "unknown",
        ("c/app.json", "kv-y"): "fail",
    }


def test_a_template_that_is_broken_is_named_and_the_others_are_judged(folder):
    heard = []
    _, found = judged(folder(a=[vault("kv")], b=f'{{"$schema": "{SCHEMA}",\n oops'), heard)
    assert found == {("a.json", "kv"): "fail"}
    assert "b.json:2: not JSON" in heard[0]
    documents = open_file(folder()).documents
    assert [d["id"] for d in documents if "$unknown" in d] == ["b.json"]


def test_what_was_compiled_beside_its_code_counts_once(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("AZURE_CONFIG_DIR", str(tmp_path))
    shutil.copytree(BICEP, tmp_path / "infra")
    (tmp_path / "infra" / "main.symbolic.json").unlink()
    heard = []
    source, found = judged(tmp_path / "infra", heard)
    assert source == "bicep"
    assert {file for file, _ in found} == {"main.bicep", "modules/vault.bicep"}  # modules through their caller only
    assert len(found) == 3
    assert "no Bicep compiler" in heard[0]


def test_parameters_are_for_one_template(folder, tmp_path):
    path = folder(a=[vault("kv")], b=[vault("kv")])
    with pytest.raises(SourceError, match="several templates"):
        open_file(path, Ways(parameters=tmp_path / "p.json"))

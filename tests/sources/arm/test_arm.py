"""ARM templates: which resource a setting is on, however both are written, and what must stay unknown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from auditor.applicable import applicable
from auditor.assemble import assemble
from auditor.errors import SourceError
from auditor.judge import judge
from auditor.rule import load_rules
from auditor.sources import arm, open_file

HERE = Path(__file__).parent
VAULT_RULE = "keyvault-audit-logs"
SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
AUDIT = {"workspaceId": "[resourceId('Microsoft.OperationalInsights/workspaces', 'log')]",
         "logs": [{"category": "AuditEvent", "enabled": True}]}  # fmt: skip
SETTING = "Microsoft.Insights/diagnosticSettings"
RULES = load_rules()


def vault(name, **more):
    return {"type": "Microsoft.KeyVault/vaults", "apiVersion": "2023-07-01", "name": name, "properties": {}, **more}


def setting(scope, name="audit", properties=AUDIT, **more):
    return {"type": SETTING, "apiVersion": "2021-05-01-preview", "scope": scope, "name": name,
            "properties": properties, **more}  # fmt: skip


def template(*resources, **more):
    return {"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": list(resources), **more}


def findings(path, rule=VAULT_RULE):
    collection = open_file(path)
    asked = [one for one in applicable(RULES, collection.run.source) if one.id == rule]
    return judge(assemble(collection), asked).findings


def told(path, rule=VAULT_RULE):
    """name → (status, message) of one rule's findings."""
    return {f.subject.name: (f.status, f.message) for f in findings(path, rule)}


@pytest.fixture
def write(tmp_path):
    def written(content, name="app.json"):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    return written


@pytest.fixture
def statuses(write):
    def judged(content, rule=VAULT_RULE):
        return {name: status for name, (status, _) in told(write(content), rule).items()}

    return judged


def test_a_template_is_judged_with_file_line_and_address():
    found = {f.subject.name: f for f in findings(HERE / "vault.json")}
    assert {name: f.status for name, f in found.items()} == {
        "[parameters('vaultName')]": "pass",
        "[parameters('vaultName')]2": "fail",  # a name that holds the other's
    }
    failed = found["[parameters('vaultName')]2"].subject
    assert failed.origin.file.endswith("tests/sources/arm/vault.json")
    assert failed.origin.line == 20
    assert failed.origin.address == "Microsoft.KeyVault/vaults/[parameters('vaultName')]2"
    assert open_file(HERE / "vault.json").run.source == "arm"


def test_a_resource_that_may_not_be_there_can_pass_but_never_fail(statuses):
    with_setting = vault("kv-a", condition="[parameters('deploy')]")
    found = statuses(template(
        with_setting,
        setting("Microsoft.KeyVault/vaults/kv-a"),
        vault("kv-b", condition="[parameters('deploy')]"),
        vault("kv-c", condition="[not(true())]"),
        parameters={"deploy": {"type": "bool"}},
    ))  # fmt: skip
    assert found == {"kv-a": "pass", "kv-b": "unknown"}


def test_what_is_no_template_is_told_so(write):
    with pytest.raises(SourceError, match=r"app\.json:3: not JSON"):
        open_file(write(f'{{"$schema": "{SCHEMA}",\n "resources": [\n }}'))
    assert not arm.recognises(write({"$schema": SCHEMA.replace("Template", "Parameters")}))

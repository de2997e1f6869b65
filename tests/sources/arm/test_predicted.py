"""What-if results and Bicep snapshots, in the form that their documentation shows."""

from __future__ import annotations

import json

import pytest

from auditor.applicable import applicable
from auditor.assemble import assemble
from auditor.errors import SourceError
from auditor.judge import judge
from auditor.rule import load_rules
from auditor.sources import open_file

GROUP = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-app/providers"
VAULT = f"{GROUP}/Microsoft.KeyVault/vaults"
LOG = f"{GROUP}/Microsoft.OperationalInsights/workspaces/log"
RULE = [rule for rule in load_rules() if rule.id == "keyvault-audit-logs"]


def vault(name):
    return {"id": f"{VAULT}/{name}", "type": "Microsoft.KeyVault/vaults", "name": name, "location": "westeurope",
            "apiVersion": "2023-07-01", "properties": {}}  # fmt: skip


def setting(name, enabled=True):
    logs = [{"categoryGroup": "allLogs", "enabled": False}, {"category": "AuditEvent", "enabled": enabled}]
    return {"id": f"{VAULT}/{name}/providers/Microsoft.Insights/diagnosticSettings/audit", "name": "audit",
            "type": "Microsoft.Insights/diagnosticSettings", "apiVersion": "2021-05-01-preview",
            "properties": {"workspaceId": LOG, "logs": logs}}  # fmt: skip


def change(kind, after=None, before=None, **more):
    return {"resourceId": (after or before)["id"], "changeType": kind, "after": after, "before": before, **more}


@pytest.fixture
def statuses(tmp_path):
    def judged(content, source):
        path = tmp_path / "result.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        collection = open_file(path)
        assert collection.run.source == source
        report = judge(assemble(collection), applicable(RULE, source))
        return {f.subject.name: f.status for f in report.findings}

    return judged


def what_if(*changes, **more):
    return {"status": "Succeeded", "error": None, "changes": list(changes), "potentialChanges": None,
            "diagnostics": [], **more}  # fmt: skip


def test_a_what_if_tells_what_will_be(statuses):
    found = statuses(what_if(
        change("Create", vault("new")), change("Create", setting("new")),
        change("Modify", vault("regressed"), vault("regressed")),
        change("Modify", setting("regressed", enabled=False), setting("regressed")),
        change("NoChange", vault("deleted"), vault("deleted")), change("Delete", before=setting("deleted")),
        change("NoChange", vault("kept"), vault("kept")), change("Ignore", before=setting("kept")),
        change("Ignore", before=vault("elsewhere")),
        change("Modify", vault("short"), vault("short")),
        {"resourceId": setting("short")["id"], "changeType": "Deploy"},
    ), "what-if")  # fmt: skip
    assert found == {"new": "pass", "regressed": "fail", "deleted": "fail", "kept": "pass", "short": "unknown"}


def test_what_is_not_predicted_proves_nothing_missing(statuses):
    lost = {"resourceId": "[resourceId('Microsoft.KeyVault/vaults', reference('x').outputs.name.value)]",
            "changeType": "Unsupported", "unsupportedReason": "not calculated until the deployment is under way"}  # fmt: skip
    changes = [change("Create", vault("bare")), change("Create", vault("done")), change("Create", setting("done"))]
    assert statuses(what_if(*changes), "what-if") == {"bare": "fail", "done": "pass"}
    assert statuses(what_if(*changes, lost), "what-if") == {"bare": "unknown", "done": "pass"}
    stopped = [{"code": "NestedDeploymentShortCircuited", "level": "Warning", "target": f"{GROUP}/x", "message": ""}]
    assert statuses(what_if(*changes, diagnostics=stopped), "what-if") == {"bare": "unknown", "done": "pass"}


def test_a_setting_that_is_not_supported_or_only_potential_is_not_known(statuses):
    changes = [change("Create", vault("a")), {"resourceId": setting("a")["id"], "changeType": "Unsupported"}]
    assert statuses(what_if(*changes), "what-if") == {"a": "unknown"}
    changes = [change("Create", vault("a"))]
    found = statuses(what_if(*changes, potentialChanges=[change("Create", setting("a"))]), "what-if")
    assert found == {"a": "unknown"}


def test_the_answer_of_the_api_has_its_changes_inside(statuses):
    inner = {"changes": [change("Create", vault("a"))], "correlationId": "x"}
    assert statuses({"status": "Succeeded", "properties": inner}, "what-if") == {"a": "fail"}


def test_a_what_if_that_failed_is_no_result(tmp_path):
    path = tmp_path / "result.json"
    path.write_text(json.dumps(what_if(change("Create", vault("a")), status="Failed", error={"code": "X"})))
    with pytest.raises(SourceError, match="the what-if failed"):
        open_file(path)


def test_a_snapshot_of_bicep_is_judged_like_a_plan(statuses):
    loose = setting("b") | {
        "id": "[extensionResourceId(reference('x').outputs.id.value, 'Microsoft.Insights/diagnosticSettings', 'audit')]"
    }
    resources = [vault("a"), setting("a"), vault("b")]
    assert statuses({"predictedResources": resources, "diagnostics": []}, "bicep-snapshot") == {
        "a": "pass",
        "b": "fail",
    }
    assert statuses({"predictedResources": [*resources, loose], "diagnostics": []}, "bicep-snapshot") == {
        "a": "pass", "b": "unknown",
    }  # fmt: skip

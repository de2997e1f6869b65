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
from auditor.sources.ways import Ways

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


# --- spellings of a setting -----------------------------------------------------------------------------------------

OUTER = template(setting("[resourceId('Microsoft.KeyVault/vaults', 'kv')]"))


def nested(inner, name="inner", scope="inner", parameters=None, **more):
    properties = {"mode": "Incremental", "template": inner, "parameters": parameters or {}}
    if scope:
        properties["expressionEvaluationOptions"] = {"scope": scope}
    return {"type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": name,
            "properties": properties, **more}  # fmt: skip


SPELLINGS = {
    "scope by resourceId": [vault("kv"), setting("[resourceId('Microsoft.KeyVault/vaults', 'kv')]")],
    "scope by format": [vault("kv"), setting("[format('Microsoft.KeyVault/vaults/{0}', 'kv')]")],
    "scope as plain text": [vault("kv"), setting("Microsoft.KeyVault/vaults/kv")],
    "type and names in one": [
        vault("kv"),
        {"type": "Microsoft.KeyVault/vaults/providers/diagnosticSettings", "name": "kv/Microsoft.Insights/audit",
         "properties": AUDIT},
    ],
    "type and names in one, joined": [
        vault("[parameters('kv')]"),
        {"type": "microsoft.keyvault/vaults/providers/diagnosticsettings",
         "name": "[concat(parameters('kv'), '/Microsoft.Insights/audit')]", "properties": AUDIT},
    ],
    "child with a short type": [
        vault("kv", resources=[
            {"type": "providers/diagnosticSettings", "name": "Microsoft.Insights/audit", "properties": AUDIT},
        ]),
    ],
    "sibling deployments": [
        nested(template(vault("kv")), "one"),
        nested(OUTER, "two"),
    ],
    "outer scope": [vault("[parameters('kv')]"), nested(template(setting(
        "[resourceId('Microsoft.KeyVault/vaults', parameters('kv'))]")), scope="outer")],
    "id through outputs of a sibling": [
        nested(template(
            vault("[parameters('name')]"),
            parameters={"name": {"type": "string"}},
            outputs={"id": {"type": "string", "value": "[resourceId('Microsoft.KeyVault/vaults', parameters('name'))]"}},
        ), "vault", parameters={"name": {"value": "[concat('kv-', uniqueString(resourceGroup().id))]"}}),
        nested(template(
            setting("[parameters('id')]"), parameters={"id": {"type": "string"}},
        ), "audit", parameters={"id": {"value": "[reference('vault').outputs.id.value]"}}),
    ],
    "id through outputs, two deep": [
        nested(template(
            nested(template(vault("kv"), outputs={"id": {"value": "[resourceId('Microsoft.KeyVault/vaults', 'kv')]"}}), "low"),
            outputs={"id": {"value": "[reference(resourceId('Microsoft.Resources/deployments', 'low'), '2022-09-01').outputs.id.value]"}},
        ), "high"),
        setting("[reference('high').outputs.id.value]"),
    ],
    "another resource group": [
        nested(template(vault("kv")), "one", resourceGroup="rg-other"),
        nested(OUTER, "two", resourceGroup="RG-OTHER"),
    ],
    "a loop over both": [
        vault("[parameters('names')[copyIndex()]]", copy={"name": "v", "count": "[length(parameters('names'))]"}),
        setting("[resourceId('Microsoft.KeyVault/vaults', parameters('names')[copyIndex()])]",
                copy={"name": "s", "count": "[length(parameters('names'))]"}),
    ],
    "a group of categories in a loop of properties": [
        vault("kv"),
        setting("Microsoft.KeyVault/vaults/kv", properties={
            "workspaceId": "[parameters('log')]",
            "copy": [{"name": "logs", "count": "[length(variables('groups'))]",
                      "input": {"categoryGroup": "[variables('groups')[copyIndex('logs')]]", "enabled": True}}],
        }),
    ],
    "the same condition on both": [
        vault("kv", condition="[parameters('deploy')]"),
        setting("Microsoft.KeyVault/vaults/kv", condition="[parameters('deploy')]"),
    ],
    "case differs": [vault("KV-App"), setting("[toLower(resourceId('microsoft.keyvault/Vaults', 'KV-App'))]")],
    "an escaped bracket": [vault("[[kv]"), setting("[concat('Microsoft.KeyVault/vaults/', '[kv]')]")],
}  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_setting_is_found_however_it_is_written(spelling, statuses):
    found = statuses(template(
        *SPELLINGS[spelling],
        parameters={"kv": {"type": "string"}, "names": {"type": "array"}, "deploy": {"type": "bool"}, "log": {"type": "string"}},
        variables={"groups": ["audit"]},
    ))  # fmt: skip
    assert list(found.values()) == ["pass"]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_without_logs_the_same_setting_covers_nothing(spelling, statuses):
    raw = json.dumps(template(
        *SPELLINGS[spelling],
        parameters={"kv": {"type": "string"}, "names": {"type": "array"}, "deploy": {"type": "bool"}, "log": {"type": "string"}},
        variables={"groups": ["audit"]},
    ))  # fmt: skip
    found = statuses(json.loads(raw.replace('"enabled": true', '"enabled": false')))
    assert list(found.values()) == [
        "unknown" if spelling in ("a loop over both", "the same condition on both") else "fail"
    ]


def test_resources_by_symbolic_name(statuses):
    found = statuses(template(languageVersion="2.0") | {"resources": {
        "old": {"existing": True, "type": "Microsoft.KeyVault/vaults", "name": "kv-old"},
        "app": vault("kv-app"),
        "bare": vault("kv-bare"),
        "onOld": setting("[format('Microsoft.KeyVault/vaults/{0}', 'kv-old')]"),
        "onApp": setting("[resourceInfo('app').id]", dependsOn=["app"]),
    }})  # fmt: skip
    assert found == {"kv-app": "pass", "kv-bare": "fail"}


# --- traps ----------------------------------------------------------------------------------------------------------


def test_metrics_are_no_logs_and_names_are_no_targets(statuses):
    metrics = {"workspaceId": "[parameters('log')]", "metrics": [{"category": "AllMetrics", "enabled": True}]}
    found = statuses(template(
        vault("kv-metrics"), setting("Microsoft.KeyVault/vaults/kv-metrics", properties=metrics),
        vault("kv-named"), setting("Microsoft.KeyVault/vaults/kv", name="kv-named"),
        vault("kv-named-2"),
        setting("Microsoft.Storage/storageAccounts/kv-named-2/blobServices/default"),
    ))  # fmt: skip
    assert found == {"kv-metrics": "fail", "kv-named": "fail", "kv-named-2": "fail"}


def test_a_target_that_a_condition_decides_may_be_either(write):
    found = told(write(template(
        vault("kv-a"), vault("kv-b"), vault("kv-c"),
        setting("[if(parameters('primary'), resourceId('Microsoft.KeyVault/vaults', 'kv-a'), resourceId('Microsoft.KeyVault/vaults', 'kv-b'))]"),
        parameters={"primary": {"type": "bool"}},
    )))  # fmt: skip
    assert {name: status for name, (status, _) in found.items()} == {
        "kv-a": "unknown",
        "kv-b": "unknown",
        "kv-c": "fail",
    }
    assert "parameters('primary')" in found["kv-a"][1]


def test_a_target_that_only_the_deployment_knows_may_be_any_it_can_be(statuses):
    assert statuses(template(
        vault("kv-a"), vault("app-b"), setting("[concat('Microsoft.KeyVault/vaults/kv-', parameters('which'))]"),
        parameters={"which": {"type": "string"}},
    )) == {"kv-a": "unknown", "app-b": "fail"}  # fmt: skip
    assert statuses(template(
        vault("kv-a"), setting("[parameters('id')]"), parameters={"id": {"type": "string"}},
    )) == {"kv-a": "unknown"}  # fmt: skip


def test_a_setting_that_may_not_be_made_covers_nothing_for_certain(write):
    found = told(write(template(
        vault("kv-a"), setting("Microsoft.KeyVault/vaults/kv-a", condition="[not(empty(parameters('log')))]"),
        vault("kv-b"), setting("Microsoft.KeyVault/vaults/kv-b", condition="[equals(1, 2)]"),
        parameters={"log": {"type": "string"}},
    )))  # fmt: skip
    assert {name: status for name, (status, _) in found.items()} == {"kv-a": "unknown", "kv-b": "fail"}
    assert "not(empty(parameters('log')))" in found["kv-a"][1]


def test_a_library_template_is_not_judged_for_what_its_caller_decides(statuses):
    module = template(
        vault("[parameters('name')]"),
        setting(
            "[format('Microsoft.KeyVault/vaults/{0}', parameters('name'))]",
            name="[coalesce(tryGet(coalesce(parameters('diagnosticSettings'), createArray())[copyIndex()], 'name'), 'd')]",
            properties={
                "workspaceId": "[tryGet(coalesce(parameters('diagnosticSettings'), createArray())[copyIndex()], 'workspaceResourceId')]",
                "copy": [{
                    "name": "logs",
                    "count": "[length(coalesce(tryGet(coalesce(parameters('diagnosticSettings'), createArray())[copyIndex()], 'logs'), createArray(createObject('categoryGroup', 'allLogs'))))]",
                    "input": {
                        "categoryGroup": "[tryGet(coalesce(tryGet(coalesce(parameters('diagnosticSettings'), createArray())[copyIndex()], 'logs'), createArray(createObject('categoryGroup', 'allLogs')))[copyIndex('logs')], 'categoryGroup')]",
                        "enabled": True,
                    },
                }],
            },
            copy={"name": "s", "count": "[length(coalesce(parameters('diagnosticSettings'), createArray()))]"},
        ),
        parameters={"name": {"type": "string"}, "diagnosticSettings": {"type": "array", "nullable": True}},
    )  # fmt: skip
    assert statuses(module) == {"[parameters('name')]": "unknown"}
    called = nested(module, "kv", parameters={"name": {"value": "kv"}})
    assert statuses(template(called)) == {"kv": "fail"}  # nothing given: nothing set
    called["properties"]["parameters"]["diagnosticSettings"] = {
        "value": [{"workspaceResourceId": "[parameters('log')]"}]
    }
    assert statuses(template(called, parameters={"log": {"type": "string"}})) == {"kv": "pass"}


def test_what_is_elsewhere_may_hold_the_setting(write):
    link = {"type": "Microsoft.Resources/deployments", "name": "linked",
            "properties": {"templateLink": {"uri": "[uri(deployment().properties.templateLink.uri, 'audit.json')]"}}}  # fmt: skip
    (finding,) = findings(write(template(vault("kv"), link)))
    assert finding.status == "unknown"
    assert "linked" in finding.message
    assert {why.code for why in finding.why_unknown} == {"linked-template"}


def test_an_unknown_says_which_parameter_would_tell(write):
    path = write(template(
        vault("kv"), setting("Microsoft.KeyVault/vaults/kv", condition="[parameters('audit')]"),
        parameters={"audit": {"type": "bool"}},
    ))  # fmt: skip
    (finding,) = findings(path)
    assert [(why.code, why.grant) for why in finding.why_unknown] == [
        ("unresolved-parameter(audit)", "--parameters with a value for it"),
    ]


def test_parts_of_accounts_and_servers_are_told_apart(statuses, write):
    logs = {"workspaceId": "[parameters('log')]", "logs": [{"categoryGroup": "allLogs", "enabled": True}]}
    account = {
        "type": "Microsoft.Storage/storageAccounts",
        "name": "st",
        "kind": "StorageV2",
        "sku": {"name": "Standard_LRS"},
    }
    blob = {
        "type": "Microsoft.Storage/storageAccounts/blobServices/providers/diagnosticSettings",
        "name": "st/default/Microsoft.Insights/audit",
        "properties": logs,
    }
    queue = setting(
        "[concat(resourceId('Microsoft.Storage/storageAccounts', 'st'), '/queueServices/default')]", properties=logs
    )
    found = {f.subject.name: f.status for f in findings(write(template(
        account, blob, queue, parameters={"log": {"type": "string"}})), "storage-blob-access-logs")}  # fmt: skip
    assert found == {"st/blob": "pass"}
    found = {f.subject.name: f.status for f in findings(write(template(
        account, queue, parameters={"log": {"type": "string"}})), "storage-blob-access-logs")}  # fmt: skip
    assert found == {"st/blob": "fail"}


# --- beside the template ----------------------------------------------------------------------------------------------


def test_parameters_are_those_beside_it_or_those_that_are_named(write):
    path = write(template(
        vault("kv"), setting("Microsoft.KeyVault/vaults/kv", condition="[parameters('audit')]"),
        parameters={"audit": {"type": "bool"}},
    ))  # fmt: skip
    assert told(path)["kv"][0] == "unknown"
    write({"parameters": {"AUDIT": {"value": True}}}, "app.parameters.json")
    heard = []
    assert open_file(path).documents == arm.read(path, Ways(notice=heard.append)).documents
    assert heard == ["app.json is read with the parameters of app.parameters.json beside it"]
    assert told(path)["kv"][0] == "pass"
    off = write({"parameters": {"audit": {"value": False}}}, "prod.json")
    assert not any(d["type"] == SETTING for d in arm.read(path, Ways(parameters=off)).documents)


def test_what_a_vault_holds_is_known_at_deployment(write):
    path = write(template(
        vault("kv"), setting("Microsoft.KeyVault/vaults/kv", condition="[equals(parameters('mode'), 'on')]"),
        parameters={"mode": {"type": "string", "defaultValue": "off"}},
    ))  # fmt: skip
    secret = {"reference": {"keyVault": {"id": "/subscriptions/s"}, "secretName": "mode"}}
    write({"parameters": {"mode": secret}}, "app.parameters.json")
    assert told(path)["kv"][0] == "unknown"


def test_comments_accept_what_they_stand_in_or_above(write):
    lines = [
        "{",
        f'  "$schema": "{SCHEMA}",',
        '  "resources": [',
        '    // auditor:accept keyvault-audit-logs reason="Lab" until=2027-03-31',
        '    {"type": "Microsoft.KeyVault/vaults", "name": "kv-above"},',
        "    {",
        '      "type": "Microsoft.KeyVault/vaults", /* auditor:accept keyvault-audit-logs reason="Lab" until=2027-03-31 */',
        '      "name": "kv-inside"',
        "    },",
        '    {"type": "Microsoft.KeyVault/vaults", "name": "kv-none", "tags": {"a": "// auditor:accept x"}}',
        "  ]",
        "}",
    ]
    documents = open_file(write("\r\n".join(lines))).documents
    told = {d["name"]: [(r["rule"], r["line"]) for r in d.get("$accept", ())] for d in documents}
    assert told == {"kv-above": [(VAULT_RULE, 4)], "kv-inside": [(VAULT_RULE, 7)], "kv-none": []}


def test_a_comment_at_the_end_of_a_resource_accepts_nothing_of_the_next(write):
    said = 'auditor:accept keyvault-audit-logs reason="Lab" until=2027-03-31'
    first, second = (json.dumps(vault(name)) for name in ("kv-one", "kv-one-two"))
    head = f'{{"$schema": "{SCHEMA}", "resources": ['
    for text in (f"{head}\n{first}, // {said}\n{second}\n]}}", f"{head}\n{first[:-1]}\n}}, // {said}\n{second}\n]}}"):
        documents = open_file(write(text)).documents
        assert {d["name"]: len(d.get("$accept", ())) for d in documents} == {"kv-one": 1, "kv-one-two": 0}


def test_a_comment_on_a_line_with_several_resources_accepts_none_and_is_told(write):
    said = 'auditor:accept keyvault-audit-logs reason="Lab" until=2027-03-31'
    first, second = (json.dumps(vault(name)) for name in ("kv-one", "kv-one-two"))
    documents = open_file(write(f'{{"$schema": "{SCHEMA}", "resources": [{first}, {second} /* {said} */]}}')).documents
    told = {str(d.get("name")): [r.get("problem", "accepted") for r in d.get("$accept", ())] for d in documents}
    assert told.pop("kv-one") == told.pop("kv-one-two") == []
    assert list(told.values()) == [["auditor:accept: more than one resource is written on this line"]]


def test_metadata_accepts_too(write):
    entry = {"rule": VAULT_RULE, "reason": "Lab", "until": "2027-03-31"}
    path = write(template(vault("kv", metadata={"auditor": {"accept": [entry]}})))
    (document,) = open_file(path).documents
    assert document["$accept"][0]["rule"] == VAULT_RULE


# --- other places -----------------------------------------------------------------------------------------------------


def test_a_subscriptions_own_log_and_what_it_deploys_below(write):
    schema = SCHEMA.replace("deploymentTemplate", "subscriptionDeploymentTemplate").replace("2019-04-01", "2018-05-01")
    logs = [{"category": one, "enabled": True} for one in ("Administrative", "Security", "Policy", "Alert")]
    activity = {"type": SETTING, "name": "activity", "properties": {"workspaceId": "[parameters('log')]", "logs": logs}}
    group = {"type": "Microsoft.Resources/resourceGroups", "name": "rg", "location": "westeurope"}
    below = nested(OUTER | {"resources": [vault("kv"), *OUTER["resources"]]}, resourceGroup="rg")
    path = write(template(activity, group, below, parameters={"log": {"type": "string"}}) | {"$schema": schema})
    collection = open_file(path)
    shown = {d["type"]: d["id"] for d in collection.documents}
    assert shown["Microsoft.KeyVault/vaults"].endswith(
        "000000000000/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv"
    )
    assert told(path)["kv"][0] == "pass"
    asked = applicable(RULES, "arm", collection.run.declares)
    found = judge(assemble(collection), [r for r in asked if r.id == "activity-log-security-categories"]).findings
    assert [f.status for f in found] == ["pass"]


def test_a_tenants_sign_in_logs(write):
    schema = SCHEMA.replace("deploymentTemplate", "tenantDeploymentTemplate")
    logs = [{"category": "AuditLogs", "enabled": True}]
    entra = {
        "type": "microsoft.aadiam/diagnosticSettings",
        "name": "entra",
        "properties": {"workspaceId": "/subscriptions/s/w", "logs": logs},
    }
    (document,) = open_file(write(template(entra) | {"$schema": schema})).documents
    assert document["id"] == "/providers/microsoft.aadiam/diagnosticSettings"
    assert [one["name"] for one in document["value"]] == ["entra"]


def test_sql_auditing_is_read_where_it_is_written(write):
    server = {"type": "Microsoft.Sql/servers", "name": "sql", "location": "westeurope", "properties": {}, "resources": [
        {"type": "auditingSettings", "name": "default", "properties": {"state": "Enabled", "isAzureMonitorTargetEnabled": True}},
    ]}  # fmt: skip
    events = setting("[resourceId('Microsoft.Sql/servers/databases', 'sql', 'master')]", properties={
        **AUDIT, "logs": [{"category": "SQLSecurityAuditEvents", "enabled": True}]})  # fmt: skip
    path = write(template(server, events))
    assert told(path, "sql-server-auditing") == told(path, "sql-server-auditing")
    assert {s for s, _ in told(path, "sql-server-auditing").values()} == {"pass"}
    server["resources"][0]["condition"] = "[parameters('x')]"
    path = write(template(server, events, parameters={"x": {"type": "bool"}}))
    assert {s for s, _ in told(path, "sql-server-auditing").values()} == {"unknown"}
    assert {s for s, _ in told(write(template({**server, "resources": []})), "sql-server-auditing").values()} == {
        "fail"
    }


def test_it_is_scanned_from_the_command_line(capsys, monkeypatch, tmp_path):
    from auditor.cli import main

    monkeypatch.chdir(HERE)
    assert main(["scan", "vault.json", "--select", VAULT_RULE, "--fail-on", "high", "-f", "sarif"]) == 1
    (result,) = json.loads(capsys.readouterr().out)["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"].endswith("vault.json")
    assert place["region"]["startLine"] == 20
    given = tmp_path / "given.json"
    given.write_text(json.dumps({"parameters": {"vaultName": {"value": "kv-app"}}}))
    main(["scan", "vault.json", "--select", VAULT_RULE, "--parameters", str(given), "-f", "json"])
    names = [f["subject"]["name"] for f in json.loads(capsys.readouterr().out)["findings"]]
    assert names == ["kv-app", "kv-app2"]
    assert main(["scan", "bicep/main.bicep", "--bicep", str(tmp_path / "none")]) == 2
    assert "hint: install it" in capsys.readouterr().err

"""What real templates do that is easy to get wrong: destinations that may be null, what exists already, many settings."""

from __future__ import annotations

import json

import pytest
from sources.arm.test_arm import AUDIT, findings, nested, setting, template, vault

from auditor.applicable import applicable
from auditor.assemble import assemble
from auditor.judge import judge
from auditor.rule import load_rules
from auditor.sources import open_file

KV = "Microsoft.KeyVault/vaults/kv"
LOG = {"log": {"type": "string"}}


@pytest.fixture
def judged(tmp_path):
    def found(content, rule="keyvault-audit-logs"):
        path = tmp_path / "app.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        return {f.subject.name: f.status for f in findings(path, rule)}

    return found


def by_symbol(**resources):
    return template(languageVersion="2.0") | {"resources": resources}


@pytest.mark.parametrize(
    ("place", "status"),
    [
        ("", "fail"),
        (None, "fail"),
        ("[json('null')]", "fail"),
        ("[tryGet(createObject('a', 1), 'b')]", "fail"),
        ("[parameters('log')]", "pass"),
        ("[coalesce(parameters('perhaps'), parameters('log'))]", "pass"),
        ("[parameters('perhaps')]", "unknown"),
        ("[coalesce(null(), parameters('perhaps'))]", "unknown"),
        ("[parameters('log').?id]", "unknown"),
        ("[if(empty(parameters('log')), null(), parameters('log'))]", "unknown"),
        ("[if(empty(parameters('log')), '', parameters('log'))]", "unknown"),
    ],
)
def test_a_destination_that_may_be_nothing_is_none_for_certain(place, status, judged):
    asked = LOG | {"perhaps": {"type": "string", "nullable": True}}
    content = template(vault("kv"), setting(KV, properties={**AUDIT, "workspaceId": place}), parameters=asked)
    assert judged(content) == {"kv": status}
    both = {**AUDIT, "workspaceId": place, "storageAccountId": "[parameters('log')]"}
    content = template(vault("kv"), setting(KV, properties=both), parameters=asked)
    assert judged(content) == {"kv": "pass"}  # the other one is told


def test_what_is_named_as_existing_and_made_as_well_is_one_resource(judged):
    old, new = vault("kv", existing=True), vault("kv")
    assert judged(by_symbol(old=old, new=new, audit=setting(KV))) == {"kv": "pass"}
    assert judged(by_symbol(new=new, old=old, older=old, audit=setting(KV))) == {"kv": "pass"}
    assert judged(by_symbol(old=old, audit=setting(KV), inner=nested(by_symbol(new=new)))) == {"kv": "pass"}
    assert judged(by_symbol(old=old, new=new)) == {"kv": "fail"}


def test_a_setting_that_exists_already_may_export_anything(judged):
    bare = {key: value for key, value in setting(KV, existing=True).items() if key != "properties"}
    assert judged(by_symbol(kv=vault("kv"), audit=bare)) == {"kv": "unknown"}
    assert judged(by_symbol(kv=vault("kv"), audit=setting(KV, existing=True))) == {"kv": "unknown"}
    assert "fail" not in judged(by_symbol(kv=vault("kv"), audit=bare), "diagnostic-setting-without-logs").values()


def test_the_keys_of_a_setting_have_no_case(judged):
    shouted = {"WORKSPACEID": "/x/y", "Logs": [{"Category": "AuditEvent", "Enabled": True}]}
    assert judged(template(vault("kv"), setting(KV, properties=shouted))) == {"kv": "pass"}
    shouted["Logs"][0]["Enabled"] = False
    assert judged(template(vault("kv"), setting(KV, properties=shouted))) == {"kv": "fail"}


def test_settings_that_may_not_be_made_leave_room(judged):
    rule = "diagnostic-setting-room"
    many = [setting(KV, name=f"s{n}", condition="[parameters('log')]") for n in range(5)]
    assert judged(template(vault("kv"), *many, parameters=LOG), rule) == {"kv": "unknown"}
    many = [setting(KV, name=f"s{n}") for n in range(5)]
    assert judged(template(vault("kv"), *many), rule) == {"kv": "fail"}
    old = [{**vault("kv", existing=True)} for _ in range(6)]
    looped = setting(KV, copy={"name": "s", "count": "[length(parameters('log'))]"})
    found = judged(
        by_symbol(kv=vault("kv"), audit=looped, **{f"o{n}": o for n, o in enumerate(old)}) | {"parameters": LOG}, rule
    )
    assert found == {}


def test_a_subscriptions_settings_to_places_that_are_not_told(tmp_path):
    schema = template()["$schema"].replace("deploymentTemplate", "subscriptionDeploymentTemplate")
    logs = [{"category": "Security", "enabled": True}]
    settings = [
        {"type": "Microsoft.Insights/diagnosticSettings", "name": name,
         "properties": {"logs": logs, "workspaceId": f"[parameters('{name}')]"}}
        for name in ("one", "two")
    ]  # fmt: skip
    asked = {"one": {"type": "string"}, "two": {"type": "string"}}
    path = tmp_path / "app.json"
    path.write_text(json.dumps(template(*settings, parameters=asked) | {"$schema": schema}))
    collection = open_file(path)
    asked_rules = applicable(load_rules(), "arm", collection.run.declares)
    found = {f.rule: f.status for f in judge(assemble(collection), asked_rules).findings}
    assert found["activity-log-security-categories"] == "unknown"
    assert found["activity-log-sent-twice"] == "unknown"


def test_what_is_given_to_a_deployment_in_a_loop_or_by_a_condition(judged):
    module = template(
        vault("[parameters('name')]"),
        setting(
            "[resourceId('Microsoft.KeyVault/vaults', parameters('name'))]",
            properties={"workspaceId": "[parameters('settings')[copyIndex()].workspaceId]", "logs": AUDIT["logs"]},
            copy={"name": "s", "count": "[length(parameters('settings'))]"},
        ),
        parameters={"name": {"type": "string"}, "settings": {"type": "array"}},
    )

    def called(settings, name="kv"):
        given = {"name": {"value": name} if isinstance(name, str) else name["as"], "settings": settings}
        return template(
            nested(module, parameters=given),
            parameters=LOG | {"names": {"type": "array", "defaultValue": ["a", "b"]}},
        )

    one = {"workspaceId": "[parameters('log')]"}
    loop = {"name": "value", "count": "[length(parameters('names'))]", "input": one}
    assert judged(called({"copy": [loop]})) == {"kv": "pass"}
    assert judged(called({"copy": [{**loop, "count": 0}]})) == {"kv": "fail"}
    chosen = "[if({}, createObject('value', createArray(createObject('workspaceId', '/w'))), createObject('value', createArray()))]"
    assert judged(called(chosen.format("true()"))) == {"kv": "pass"}
    assert judged(called(chosen.format("false()"))) == {"kv": "fail"}
    assert judged(called(chosen.format("equals(parameters('log'), 'on')"))) == {"kv": "unknown"}
    name = {"as": "[if(empty(parameters('log')), createObject('value', 'kv-a'), createObject('value', 'kv-b'))]"}
    assert list(judged(called({"value": [one]}, name)).values()) == ["pass"]

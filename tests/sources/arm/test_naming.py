"""Names that only the deployment knows read as their template writes them, and their ids stay apart."""

from __future__ import annotations

import json

import pytest
from sources.arm.test_arm import nested, template, vault

from auditor.sources import open_file

LONG = "replace(toLower(concat(parameters('solution'), parameters('environment'), parameters('location'))), '-', '')"


@pytest.fixture
def named(tmp_path):
    def found(content):
        path = tmp_path / "app.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        vaults = [d for d in open_file(path).documents if d["type"] == "Microsoft.KeyVault/vaults"]
        assert len({d["id"].lower() for d in vaults}) == len(vaults)
        return [d["name"] for d in vaults]

    return found


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("kv", "kv"),
        ("[concat('kv', uniqueString(resourceGroup().id))]", "kv[uniqueString(resourceGroup().id)]"),
        ("[format('kv{0}', uniqueString(subscription().id))]", "kv[uniqueString(subscription().id)]"),
        ("[variables('short')]", "kv-[parameters('solution')]"),
        ("[variables('long')]", "[variables('long')]"),
        ("[concat('kv-', variables('long'))]", "kv-[variables('long')]"),
        ("[take(format('kv-{0}', variables('long')), 24)]", "[take(format('kv-{0}', variables('long')), 24)]"),
        ("[concat('kv', split('a/b', parameters('solution'))[0])]", "kv[split('a%2Fb', parameters('solution'))[0]]"),
    ],
)
def test_a_name_reads_as_it_is_written(written, name, named):
    asked = {one: {"type": "string"} for one in ("solution", "environment", "location")}
    variables = {"short": "[concat('kv-', parameters('solution'))]", "long": f"[{LONG}]"}
    assert named(template(vault(written), parameters=asked, variables=variables)) == [name]
    module = template(vault("[parameters('name')]"), parameters={"name": {"type": "string"}})
    called = nested(module, parameters={"name": {"value": written}})
    assert named(template(called, parameters=asked, variables=variables)) == [name]


def test_long_names_that_read_alike_are_still_two_vaults(named):
    asked = {one: {"type": "string"} for one in ("solution", "environment", "location")}
    module = template(
        vault("[variables('name')]"),
        parameters=asked | {"which": {"type": "string"}},
        variables={"name": f"[concat(parameters('which'), {LONG})]"},
    )
    given = {one: {"value": f"[parameters('{one}')]"} for one in asked}
    calls = [nested(module, name, parameters=given | {"which": {"value": name}}) for name in ("hub", "spoke")]
    assert len(named(template(*calls, parameters=asked))) == 2


def test_a_name_made_of_itself_many_times_is_read_in_time(named):
    variables = {f"v{n}": f"[concat(variables('v{n + 1}'), variables('v{n + 1}'))]" for n in range(14)}
    variables["v14"] = f"[{LONG}]"
    (name,) = named(template(vault("[variables('v0')]"), variables=variables))
    assert name == "[concat(variables('v1'), variables('v1'))]"

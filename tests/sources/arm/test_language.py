"""The template language and its JSON: what is worked out, what stays a token, and what comes to an end."""

from __future__ import annotations

import json
import time

import pytest

from auditor.errors import SourceError
from auditor.sources import arm
from auditor.sources.arm import evaluate, jsonc
from auditor.sources.arm.evaluate import Budget, Frame, TooMuch
from auditor.sources.arm.place import Place, told
from auditor.sources.arm.values import Sym, shown, spelled

SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
TEMPLATE = {
    "parameters": {
        "p": {"type": "string"},
        "q": {"type": "string"},
        "joined": {"type": "string", "defaultValue": "[concat(parameters('p'), '-x')]"},
        "list": {"type": "array", "defaultValue": [{"name": "a", "n": 2}, {"name": "b", "n": 1}]},
        "object": {"type": "object", "defaultValue": {"A": {"b": [1, 2, 3]}, "none": None}},
        "id": {"type": "string", "defaultValue": "[newGuid()]"},
        "id2": {"type": "string", "defaultValue": "[newGuid()]"},
        "maybe": {"type": "string", "nullable": True},
    },
    "variables": {
        "loop": "[variables('pool')]",
        "pool": "[variables('loop')]",
        "copy": [{"name": "made", "count": 3, "input": "[format('n{0}', copyIndex('made', 1))]"}],
        "inner": {"copy": [{"name": "items", "count": 2, "input": {"at": "[copyIndex('items')]"}}], "other": 1},
        "vault": "[resourceId('Microsoft.KeyVault/vaults', parameters('p'))]",
    },
    "functions": [{"namespace": "our", "members": {"name": {
        "parameters": [{"name": "base", "type": "string"}],
        "output": {"type": "string", "value": "[toLower(concat(parameters('base'), '-kv'))]"},
    }}}],
}  # fmt: skip
KNOWN = {
    "concat('a', 'b', 1)": "ab1",
    "concat(createArray(1), createArray(2))": [1, 2],
    "format('{0}-{1:D3} {{x}}', 'a', 7)": "a-007 {x}",
    "parameters('LIST')[1].NAME": "b",
    "parameters('object').a.B[2]": 3,
    "first(split('a,b', ','))": "a",
    "last(createArray(1, 2))": 2,
    "toUpper(substring('abcdef', 1, 2))": "BC",
    "replace('a-b-c', '-', '')": "abc",
    "padLeft(5, 3, '0')": "005",
    "if(equals('A', 'a'), 'same', 'other')": "same",
    "and(true(), not(false()), or(false(), true()))": True,
    "and(false(), parameters('p'))": False,
    "empty(parameters('joined'))": False,
    "coalesce(null(), 'x')": "x",
    "union(createObject('a', createObject('x', 1)), createObject('A', createObject('y', 2)))": {"a": {"x": 1, "y": 2}},
    "union(createArray(1, 2), createArray(2, 3))": [1, 2, 3],
    "intersection(createArray(1, 2), createArray(2))": [2],
    "contains(parameters('object'), 'a')": True,
    "contains('abc', 'b')": True,
    "length(variables('made'))": 3,
    "variables('made')": ["n1", "n2", "n3"],
    "variables('inner').items[1].at": 1,
    "map(parameters('list'), lambda('i', lambdaVariables('i').name))": ["a", "b"],
    "filter(parameters('list'), lambda('i', greater(lambdaVariables('i').n, 1)))": [{"name": "a", "n": 2}],
    "reduce(createArray(1, 2, 3), 0, lambda('a', 'b', add(lambdaVariables('a'), lambdaVariables('b'))))": 6,
    "map(sort(parameters('list'), lambda('a', 'b', less(lambdaVariables('a').n, lambdaVariables('b').n))), lambda('i', lambdaVariables('i').n))": [1, 2],
    "toObject(parameters('list'), lambda('i', lambdaVariables('i').name), lambda('i', lambdaVariables('i').n))": {"a": 2, "b": 1},
    "items(createObject('b', 1, 'a', 2))[0].key": "a",
    "range(2, 3)": [2, 3, 4],
    "skip(take(range(0, 5), 4), 3)": [3],
    "flatten(createArray(createArray(1), createArray(2)))": [1, 2],
    "base64ToString(base64('x'))": "x",
    "json('{\"a\": [1, null]}').a[1]": None,
    "uri('https://x/a/b.json', 'c.json')": "https://x/a/c.json",
    "uriComponentToString(uriComponent('a b/c'))": "a b/c",
    "int('7')": 7,
    "div(7, 2)": 3,
    "mod(7, 2)": 1,
    "max(createArray(1, 5, 2))": 5,
    "startsWith('ABC', 'ab')": True,
    "tryGet(parameters('object'), 'nope', 'never')": None,
    "cidrSubnet('10.0.0.0/16', 24, 1)": "10.0.1.0/24",
    "our.name('ABC')": "abc-kv",
    "string(createArray(1, 'a'))": '[1,"a"]',
    "indexOf('abc', 'c')": 2,
    "last(split(resourceId('Microsoft.KeyVault/vaults', 'kv'), '/'))": "kv",
    "equals(variables('vault'), resourceId('Microsoft.KeyVault/vaults', parameters('p')))": True,
    "equals(parameters('joined'), null())": False,
}  # fmt: skip
TOKENS = {
    "parameters('p')": "[parameters('p')]",
    "parameters('joined')": "[parameters('p')]-x",
    "variables('loop')": "[variables('loop')]",
    "uniqueString(resourceGroup().id, parameters('p'))": None,
    "equals(parameters('p'), parameters('q'))": "[equals(parameters('p'), parameters('q'))]",
    "if(parameters('p'), 1, 2)": "[if(parameters('p'), 1, 2)]",
    "reference(variables('vault')).vaultUri": None,
    "parameters('maybe')": "[parameters('maybe')]",  # a caller may give it
    "last(split(parameters('p'), '/'))": "[last(split(parameters('p'), '/'))]",
    "resourceGroup().location": "[resourceGroup().location]",
    "parameters('object').nope": None,
    "noSuchFunction(1)": "[nosuchfunction(1)]",
    "concat('a'": "[concat('a']",
    "substring('abc', 2, 5)": "[substring('abc', 2, 5)]",
    "div(1, 0)": "[div(1, 0)]",
    "range(0, 100000000)": "[range(0, 100000000)]",
    "padLeft('a', 100000000)": "[padLeft('a', 100000000)]",
    "mul(9000000000000000000, 9000000000000000000)": "[mul(9000000000000000000, 9000000000000000000)]",
}


def frame(template=TEMPLATE, budget=None):
    return Frame(template, Place(), budget or Budget())


@pytest.mark.parametrize("expression", KNOWN)
def test_what_is_known_is_worked_out(expression):
    found = frame().env().value(f"[{expression}]")
    assert found == KNOWN[expression]
    assert type(found) is type(KNOWN[expression])


@pytest.mark.parametrize("expression", TOKENS)
def test_what_is_not_known_is_a_token(expression):
    found = frame().env().value(f"[{expression}]")
    assert isinstance(found, Sym)
    assert frame().env().value(f"[{expression}]") == found  # the same again
    if TOKENS[expression]:
        assert shown(found) == TOKENS[expression]


def test_two_that_are_made_anew_differ_and_two_of_the_same_do_not():
    env = frame().env()
    assert env.value("[parameters('id')]") != env.value("[parameters('id2')]")
    assert env.value("[uniqueString(parameters('p'))]") == env.value("[UNIQUESTRING(parameters('P'))]")


def test_what_azure_makes_of_parts_is_shown_as_templates_write_it():
    env = frame().env()
    made = env.value("[uniqueString(resourceGroup().id, subscription().id)]")
    assert shown(made) == "[uniqueString(resourceGroup().id, subscription().id)]"
    parts = "concat('/subscriptions/', subscription().subscriptionId, '/resourceGroups/', resourceGroup().name)"
    assert env.value(f"[uniqueString({parts}, subscription().id)]") == made
    assert "%2F" not in spelled(made)


def test_plain_text_is_no_expression():
    env = frame().env()
    assert env.value("[[parameters('p')]") == "[parameters('p')]"
    assert env.value("[not closed") == "[not closed"
    assert env.value("a [b]") == "a [b]"


def test_ids_are_made_as_azure_makes_them():
    env = frame().env()
    group = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups"
    assert told(env.value("[resourceId('Microsoft.KeyVault/vaults/secrets', 'a', 'b')]")) == (
        f"{group}/[resourceGroup().name]/providers/Microsoft.KeyVault/vaults/a/secrets/b"
    )
    assert told(env.value("[resourceId('rg', 'Microsoft.KeyVault/vaults', 'a')]")) == (
        f"{group}/rg/providers/Microsoft.KeyVault/vaults/a"
    )
    assert env.value("[resourceId('s', 'rg', 'Microsoft.KeyVault/vaults', 'a')]") == (
        "/subscriptions/s/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/a"
    )
    assert env.value("[tenantResourceId('Microsoft.Management/managementGroups', 'm')]") == (
        "/providers/Microsoft.Management/managementGroups/m"
    )
    assert told(
        env.value("[extensionResourceId(variables('vault'), 'Microsoft.Insights/diagnosticSettings', 'x')]")
    ).endswith("/vaults/[parameters('p')]/providers/Microsoft.Insights/diagnosticSettings/x")
    assert told(env.value("[concat(resourceGroup().id, '/providers/Microsoft.X/y/z')]")) == (
        f"{group}/[resourceGroup().name]/providers/Microsoft.X/y/z"
    )
    assert "%2F" in told(env.value("[resourceId('Microsoft.KeyVault/vaults', reference('a/b').name)]"))


# --- JSON -----------------------------------------------------------------------------------------------------------


def test_json_with_all_that_azure_takes_and_its_lines():
    text = '{\n // one\n "a": [1, -2.5e3, true,], /* two\n lines */\n "b": {"c": "x\ny\\u0041\\n",},\n}'
    found = jsonc.parsed(text, "x.json")
    assert found == {"a": [1, -2500.0, True], "b": {"c": "x\nyA\n"}}
    assert (found.line, found.end, found.lines["b"], found["b"].line) == (1, 7, 5, 5)
    assert jsonc.comments(text + ' "// no"') == [(2, "// one"), (3, "/* two\n lines */")]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"a": 1', "x.json:1: not JSON: it ends too early"),
        ('{"a"\n 1}', 'x.json:2: not JSON: ":" is expected'),
        ("{a: 1}", "x.json:1: not JSON: a name between quotes"),
        ('["a" "b"]', 'x.json:1: not JSON: "," or "]" is expected'),
        ('{"a": "b', "x.json:1: not JSON: a text has no end"),
        ("{} {}", "there is more after its end"),
        ("[" * 100_000, "nested more than 200 deep"),
        ('{"a":' * 100_000, "nested more than 200 deep"),
        ("", "it ends too early"),
        ("[\x00]", "not text"),
    ],
)
def test_what_is_no_json_is_told_with_its_line(text, problem):
    with pytest.raises(SourceError) as error:
        jsonc.parsed(text, "x.json")
    assert problem in str(error.value)


@pytest.mark.parametrize("data", [b'{"a": "\xff\xfe\xfa"}', b"\x00\x01\x02\x89PNG", b"\n\n\xc3("])
def test_what_is_no_text_is_told_so(tmp_path, data):
    path = tmp_path / "x.json"
    path.write_bytes(data)
    with pytest.raises(SourceError):
        jsonc.load(path)


def test_marks_of_utf_16_and_of_utf_8_are_read(tmp_path):
    path = tmp_path / "x.json"
    text = json.dumps({"$schema": SCHEMA, "resources": []})
    for encoding in ("utf-16", "utf-8-sig"):
        path.write_bytes(text.replace(",", ",\r\n").encode(encoding))
        assert arm.recognises(path)
        assert arm.read(path).documents == []


def test_a_file_that_is_too_large_is_refused(tmp_path):
    path = tmp_path / "x.json"
    path.write_text("{}" + " " * 2000)
    with pytest.raises(SourceError, match="larger than"):
        jsonc.load(path, limit=1000)


# --- what does not end ----------------------------------------------------------------------------------------------

VAULT = {"type": "Microsoft.KeyVault/vaults", "name": "[concat('kv', copyIndex())]"}
DOUBLED = {f"v{n}": f"[concat(variables('v{n - 1}'), variables('v{n - 1}'))]" for n in range(1, 60)}
ARRAYS = {f"v{n}": f"[createArray(variables('v{n - 1}'), variables('v{n - 1}'))]" for n in range(1, 60)}


def deployment(inner):
    return {"type": "Microsoft.Resources/deployments", "name": "d", "properties": {
        "expressionEvaluationOptions": {"scope": "inner"}, "template": inner}}  # fmt: skip


def deep(levels):
    inner = {"resources": []}
    for _ in range(levels):
        inner = {"resources": [deployment(inner)]}
    return inner


ENDLESS = {
    "a loop of a milliard": {"resources": [{**VAULT, "copy": {"name": "c", "count": 1_000_000_000}}]},
    "loops in loops": {"resources": [
        {**VAULT, "copy": {"name": "c", "count": 9000},
         "properties": {"copy": [{"name": "x", "count": 9000, "input": "[copyIndex('x')]"}]}},
    ]},
    "a text that doubles": {"variables": {"v0": "x" * 1000, **DOUBLED}, "resources": [{**VAULT, "name": "[variables('v59')]"}]},
    "a token that doubles": {
        "parameters": {"p": {"type": "string"}},
        "variables": {"v0": "[parameters('p')]", **DOUBLED},
        "resources": [{**VAULT, "name": "[variables('v59')]"}],
    },
    "an array that doubles": {"variables": {"v0": "x", **ARRAYS}, "resources": [{**VAULT, "name": "kv", "tags": "[variables('v59')]"}]},
    "variables without end": {
        "variables": {"v0": "x", **{f"v{n}": f"[variables('v{n - 1}')]" for n in range(1, 3000)}},
        "resources": [{**VAULT, "name": "[variables('v2999')]"}],
    },
    "deployments without end": deep(35),
    "a function that calls itself": {
        "functions": [{"namespace": "our", "members": {"f": {"parameters": [], "output": {"value": "[our.f()]"}}}}],
        "resources": [{**VAULT, "name": "[our.f()]"}],
    },
}  # fmt: skip


@pytest.mark.parametrize("case", ENDLESS)
def test_what_does_not_end_is_an_error_in_time(case, tmp_path, monkeypatch):
    monkeypatch.setattr(evaluate, "MAX_STEPS", 400_000)  # a tenth of what a template may take, so that tests are fast
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"$schema": SCHEMA, **ENDLESS[case]}))
    began = time.monotonic()
    with pytest.raises(SourceError, match=r"copies|come to an end|refers to itself|nested too deeply"):
        arm.read(path)
    assert time.monotonic() - began < 10


def test_deployments_whose_outputs_ask_for_each_other_stay_unknown(tmp_path):
    def one(name, other):
        return {"type": "Microsoft.Resources/deployments", "name": name, "properties": {"template": {
            "resources": [], "outputs": {"x": {"value": f"[reference('{other}').outputs.x.value]"}}}}}  # fmt: skip

    path = tmp_path / "x.json"
    vault = {**VAULT, "name": "[reference('a').outputs.x.value]"}
    path.write_text(json.dumps({"$schema": SCHEMA, "resources": [one("a", "b"), one("b", "a"), vault]}))
    (document,) = arm.read(path).documents
    assert document["name"].startswith("[reference(")


def test_the_budget_is_for_all_of_a_template():
    with pytest.raises(TooMuch):
        frame(budget=Budget(50)).env().value("[map(range(0, 100), lambda('x', lambdaVariables('x')))]")

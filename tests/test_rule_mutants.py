"""The check of rules' tests: each part of a rule dropped or turned round."""

import pytest

from auditor.rule_mutants import survivors

HEAD = """\
id: my-rule
title: Vaults are logged
severity: high
resource: Microsoft.KeyVault/vaults
"""
TAIL = """\
rationale: Because.
remediation: {cli: az}
params: {days: 90}
tests:
  - name: all
    given:
"""
LOGS = "require: {logs: [AuditEvent, AzurePolicyEvaluationDetails], to: [storage, log-analytics]}\n"
MATCH = "require: {match: {properties.on: true, properties.days: {at_least: 1, at_most: $params.days}}}\n"


def of(body, given, expect):
    text = HEAD + body + TAIL + "".join(f"      - {line}\n" for line in given) + f"    expect: {{{expect}}}\n"
    tried, found = survivors(text, "my-rule.yaml")
    assert tried >= len(found)
    return [mutant.name for mutant in found]


CASES = [
    ("categories and kinds of destinations", LOGS,
     ["{name: a, settings: [{groups: [allLogs], to: storage}]}", "{name: b}"], "a: pass, b: fail",
     ["require.logs.0: dropped", "require.logs.1: dropped", "require.to: dropped", "require.to.1: dropped"]),
    ("all of them noticed", LOGS,
     ["{name: a, settings: [{groups: [allLogs], to: storage}]}", "{name: b, settings: [{groups: [allLogs], to: log-analytics}]}",
      "{name: c, settings: [{groups: [allLogs], to: event-hub}]}",
      "{name: d, settings: [{groups: [allLogs], without: [auditevent], to: storage}]}",
      "{name: e, settings: [{groups: [allLogs], without: [AzurePolicyEvaluationDetails], to: storage}]}"],
     "a: pass, b: pass, c: fail, d: fail, e: fail", []),
    ("lines and operators", MATCH,
     ["{name: a, properties: {on: true, days: 9}}", "{name: b, properties: {on: false, days: 9}}"], "a: pass, b: fail",
     ["require.match.properties.days: dropped", "require.match.properties.days.at_least: dropped",
      "require.match.properties.days.at_most: dropped"]),
    ("a where that nothing is outside of", "where: {tags.env: prod}\nrequire: {match: {properties.on: true}}\n",
     ["{name: a, tags: {env: prod}, properties: {on: true}}", "{name: b, tags: {env: prod}}"], "a: pass, b: fail",
     ["where: always met"]),
    ("what is in lists and nested lines",
     "require: {match: {properties.rules: {any: {access: allow, port: [22, 3389]}}, any_of: [{name: a}, {kind: x}]}}\n",
     ["{name: a, properties: {rules: [{access: allow, port: 22}]}}", "{name: b, properties: {rules: []}}"], "a: pass, b: fail",
     ["require.match.properties.rules: dropped", "require.match.properties.rules.any.access: dropped",
      "require.match.properties.rules.any.port: dropped", "require.match.properties.rules.any.port.1: dropped",
      "require.match.any_of: dropped", "require.match.any_of.1: dropped", "require.match.any_of.0: always met",
      "require.match.any_of.1: always met", "require.match.any_of.1.kind: turned round"]),
    ("requirements side by side", "require: {any_of: [{match: {name: a}}, {exists: {resource: x/y, where: {name: a}}}]}\n",
     ["{name: a}", "{name: b}"], "a: pass, b: fail",
     ["require.any_of.1: never met", "require.any_of.1.exists.where: always met",
      "require.any_of.1.exists.where.name: turned round"]),
    ("severities",
     "severity_when: [{where: {tags.env: prod}, severity: low, because: x}]\nrequire: {match: {properties.on: true}}\n",
     ["{name: a, properties: {on: true}}", "{name: b, tags: {env: prod}}", "{name: c}"], "a: pass, b: fail low, c: fail",
     ["severity_when.0.where: always met"]),
]  # fmt: skip


@pytest.mark.parametrize(("body", "given", "expect", "left"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_what_no_test_notices(body, given, expect, left):
    assert of(body, given, expect) == left


def test_a_survivor_names_its_line_and_what_stands_there():
    body = "where:\n  # said above\n  tags.env: prod\n  name: {like: '*'}\nrequire: {match: {properties.on: true}}\n"
    given = "      - {name: a, tags: {env: prod}, properties: {on: true}}\n      - {name: b, tags: {env: prod}}\n"
    tried, found = survivors(HEAD + body + TAIL + given + "    expect: {a: pass, b: fail}\n", "my-rule.yaml")
    assert tried > 5
    assert [(m.line, m.part, m.change, m.was) for m in found] == [
        (7, "where.tags.env", "dropped", '"prod"'),
        (8, "where.name", "dropped", '{"like":"*"}'),
    ]

"""What a failed test of a rule is told to come from: the lines that decided."""

import pytest

from auditor.rule import parse_rule
from auditor.rule_explain import explain
from auditor.rule_tests import run_tests

HEAD = """\
id: my-rule
title: Vaults are logged
severity: high
resource: Microsoft.KeyVault/vaults
"""
TAIL = """\
rationale: Because.
remediation: {cli: az}
tests:
  - name: all
    given:
      - {name: good, properties: {on: true, days: 9}, settings: [{groups: [allLogs], to: storage}]}
      - {name: bad, tags: {env: prod}, properties: {on: false, days: 1}}
      - GIVEN
    expect: {good: pass, bad: fail, x: EXPECTED}
"""
MATCH = "require:\n  match:\n    properties.on: true\n    properties.days: {at_least: 5}\n"
LOGS = "require:\n  logs: [AuditEvent]\n"
SOME = "require:\n  any_of:\n    - logs: [AuditEvent]\n    - match: {properties.on: true}\n"

CASES = [
    ("only the line that failed", MATCH, "properties: {on: true, days: 4}", "pass",
     ["line 8: `properties.days: {\"at_least\":5}` does not hold; it is 4"]),
    ("every line of what passed", MATCH, "properties: {on: true, days: 5}", "fail",
     ["line 7: `properties.on: true` holds; it is true", "line 8: `properties.days: {\"at_least\":5}` holds; it is 5"]),
    ("what was not known", MATCH, "properties: {on: true, days: unknown}", "fail",
     ["line 8: `properties.days: {\"at_least\":5}` cannot be told; it is unknown: the test says so"]),
    ("outside of where", "where: {tags.env: {not: dev}}\n" + MATCH, "tags: {env: dev}", "fail",
     ["line 5: `tags.env: {\"not\":\"dev\"}` does not hold; it is dev"]),
    ("perhaps inside of where", "where: {properties.in: true}\n" + MATCH.replace("require", "require"),
     "properties: {in: unknown, on: false, days: 9}", "fail",
     ["line 5: `properties.in: true` cannot be told; it is unknown: the test says so",
      "line 8: `properties.on: true` does not hold; it is false"]),
    ("another type", MATCH, "type: Microsoft.Sql/servers", "pass",
     ["line 4: its type Microsoft.Sql/servers is none that the rule judges"]),
    ("no setting", LOGS, "kind: x", "pass", ["line 6: AuditEvent is not exported: no setting has it"]),
    ("a place that is gone", LOGS, "settings: [{name: a, groups: [allLogs], to: {kind: storage, exists: false}}]", "pass",
     ["line 6: AuditEvent is not exported: a has it and sends it to storage (gone)"]),
    ("no place", LOGS, "settings: [{name: a, groups: [allLogs]}]", "pass",
     ["line 6: AuditEvent is not exported: a has it and sends it to no destination"]),
    ("another kind of place", "require:\n  logs: [AuditEvent]\n  to: {kind: storage, retention_days: {at_least: 90}}\n",
     "settings: [{name: a, groups: [allLogs], to: {kind: storage, retention_days: 30}}]", "pass",
     ["line 6: AuditEvent is not exported: a has it and sends it to storage "
      "(`retention_days: {\"at_least\":90}` does not hold; it is 30)"]),
    ("not offered", LOGS, "offers: []", "fail",
     ["line 6: AuditEvent is not among what the subject offers, so it is not asked for"]),
    ("settings not read", LOGS, "settings: unknown", "fail", ["line 6: the settings are not known: the test says so"]),
    ("all of several", SOME, "properties: {on: false}", "pass",
     ["line 7: AuditEvent is not exported: no setting has it", "line 8: `properties.on: true` does not hold; it is false"]),
    ("the one of several", SOME, "properties: {on: true}", "fail", ["line 8: `properties.on: true` holds; it is true"]),
    ("another that must exist", "require:\n  exists: {resource: Microsoft.KeyVault/vaults, where: {name: good-$$}}\n"
     .replace("good-$$", "$properties.by"), "properties: {by: good}", "fail",
     ["line 6: good: `name: $properties.by` holds; it is good"]),
    ("nothing of the type is given", "require:\n  exists: {resource: a/b}\n", "kind: x", "pass", ["line 6: no a/b is given"]),
    ("a severity", "severity_when:\n  - {where: {tags.env: prod}, severity: low, because: y}\n" + MATCH,
     "tags: {env: prod}, properties: {on: false}", "fail critical", ["line 6: severity low: its case holds"]),
]  # fmt: skip


@pytest.mark.parametrize(("body", "given", "expected", "lines"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_what_decided(body, given, expected, lines):
    text = HEAD + body + TAIL.replace("GIVEN", f"{{name: x, {given}}}").replace("EXPECTED", expected)
    rule = parse_rule(text, "my-rule.yaml")
    [outcome] = run_tests(rule)
    [difference] = [d for d in outcome.differences if d.subject == "x"]
    assert explain(text, rule, 0, difference) == lines


def test_a_subject_that_the_test_does_not_give():
    text = HEAD + MATCH + TAIL.replace("GIVEN", "{name: y}").replace("EXPECTED", "fail")
    rule = parse_rule(text, "my-rule.yaml")
    [outcome] = run_tests(rule)
    difference = next(d for d in outcome.differences if d.subject == "x")
    assert explain(text, rule, 0, difference) == ["line 12: the test gives no such subject"]

"""Rule files: what is refused, and where the error points."""

import json
import re

import jsonschema
import pytest
import yaml

from auditor.choose import choose
from auditor.errors import RuleError
from auditor.rule import load_rules, parse_rule
from auditor.rule_schema import rule_schema
from auditor.rule_tests import run_tests

GOOD = """\
id: my-rule
title: Vaults are logged
severity: high
resource: Microsoft.KeyVault/vaults
require:
  logs: [AuditEvent]
message: $name lacks $missing.
rationale: Because.
remediation:
  cli: az monitor
tests:
  - name: both ways
    given:
      - {name: yes-it-does, settings: [{categories: [AuditEvent], to: storage}]}
      - {name: no}
    expect: {yes-it-does: pass, no: fail}
"""

WRONG = [
    ("an unknown key", ("severity: high", "severty: high"), 3, 'unknown key "severty"'),
    ("an unknown key inside", ("  logs: [AuditEvent]", "  logs: [AuditEvent]\n  too: storage"), 7, 'unknown key "too"'),
    ("a repeated key", ("severity: high", "severity: high\nseverity: low"), 4, "is there twice"),
    ("a missing key", ("title: Vaults are logged\n", ""), 1, '"title" is missing'),
    ("no such severity", ("severity: high", "severity: hihg"), 3, "invalid enum value"),
    ("a category nobody has", ("[AuditEvent]\nmessage", "[AuditEvnt]\nmessage"), 6, 'log category "AuditEvnt"'),
    ("an id unlike the file", ("id: my-rule", "id: my-ruel"), 1, "differs from the file name"),
    ("an id that is not kebab-case", ("id: my-rule", "id: My_Rule"), 1, "not kebab-case"),
    ("two verbs", ("  logs: [AuditEvent]", "  logs: [AuditEvent]\n  match: {name: x}"), 5, "exactly one of"),
    ("no verb", ("  logs: [AuditEvent]", "  to: storage"), 5, "exactly one of"),
    ("an operator misspelt", ("require:\n  logs: [AuditEvent]", "require:\n  match:\n    a: {at_least: 1, atmost: 2}"), 7,
     '"atmost" is no operator'),
    ("a placeholder nobody fills", ("$missing", "$mising"), 7, '"$mising" is no placeholder'),
    ("no remediation", ("cli: az monitor", "cli: ''"), 9, "no remediation"),
    ("no tests", (GOOD[GOOD.index("tests:"):], ""), 1, "no tests"),
    ("no test that fails", ("no: fail", "no: pass"), 11, "no test expects fail"),
    ("a status nobody knows", ("no: fail", "no: failed"), 16, '"failed" is no status'),
    ("a number for a control", ("tests:", "frameworks: {CIS: [7.10]}\ntests:"), 11, "expected `str`"),
    ("a tag", ("title: Vaults", "title: !!python/name:os.system Vaults"), 2, "not allowed"),
    ("not a mapping", (GOOD, "- a\n- b\n"), 1, "mapping of keys"),
    ("not YAML", ("title: Vaults", "title: [Vaults"), None, ""),
    ("no reason for a severity", ("require:", "severity_when: [{where: {name: x}, severity: low, because: ''}]\nrequire:"), 5,
     "why the severity differs"),
    ("no such severity of a case", ("require:", "severity_when: [{where: {name: x}, severity: lo, because: y}]\nrequire:"), 5,
     "invalid enum value"),
    ("a case without a match", ("require:", "severity_when: [{where: {}, severity: low, because: y}]\nrequire:"), 5,
     "a match is one or more lines"),
    ("a severity nobody knows", ("no: fail", "no: fail grave"), 16, '"fail grave" is not understood'),
    ("a severity of what passes", ("yes-it-does: pass,", "yes-it-does: pass high,"), 16, '"pass high" is not understood'),
    ("a per nobody has", ("require:", "per: [colour]\nrequire:"), 5, '"per" cannot be "colour"'),
]  # fmt: skip


@pytest.mark.parametrize(("change", "line", "said"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_a_mistake_is_told_with_file_and_line(change, line, said):
    text = GOOD.replace(*change)
    assert text != GOOD
    with pytest.raises(RuleError) as error:
        parse_rule(text, "rules/my-rule.yaml")
    assert said in error.value.message
    if line is not None:
        assert error.value.message.startswith(f"rules/my-rule.yaml:{line}: ")


def test_a_near_miss_gets_a_suggestion():
    with pytest.raises(RuleError) as error:
        parse_rule(GOOD.replace("severity: high", "severty: high"), "my-rule.yaml")
    assert error.value.hint == 'did you mean "severity"?'


def test_yaml_is_read_as_people_think(tmp_path):
    rule = parse_rule(GOOD.replace("require:\n  logs: [AuditEvent]", "require:\n  match: {properties.log_checkpoints: on}"),
                      "my-rule.yaml")  # fmt: skip
    from auditor.match import Scope

    assert rule.require.matcher({"properties": {"log_checkpoints": "ON"}}, Scope(None)) is True


def test_an_alias_bomb_is_refused():
    bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{','.join([f'*{chr(97 + i)}'] * 10)}]\n" for i in range(8)
    )
    with pytest.raises(RuleError, match="too deeply"):
        parse_rule(bomb, "bomb.yaml")


def test_the_same_id_twice_is_refused(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "my-rule.yaml").write_text(GOOD)
    with pytest.raises(RuleError, match="is taken by"):
        load_rules(tmp_path)


def test_choosing():
    rules = [parse_rule(GOOD, "my-rule.yaml")]
    assert choose(rules, ["my-*"]) == choose(rules, ["high"]) == rules
    assert choose(rules, [], ["my-rule"]) == []
    with pytest.raises(RuleError, match='no rule matches "my-rul"') as error:
        choose(rules, ["my-rul"])
    assert "my-rule" in error.value.hint


def test_every_shipped_rule_meets_the_schema_for_editors():
    schema = json.loads(rule_schema())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for rule in load_rules():
        with open(rule.file, encoding="utf-8") as file:
            errors = list(validator.iter_errors(yaml.safe_load(file)))
        assert not errors, f"{rule.file}: {errors[0].message}"


def test_a_message_may_name_a_parameter():
    text = GOOD.replace("$name lacks $missing.", "$name lacks $missing for $days days.") + "params: {days: 90}\n"
    assert parse_rule(text, "my-rule.yaml").message.safe_substitute(days=90) == "$name lacks $missing for 90 days."
    with pytest.raises(RuleError, match='"\\$dais" is no placeholder'):
        parse_rule(text.replace("$days", "$dais"), "my-rule.yaml")


@pytest.mark.parametrize("used", ["$params.dais", "params.dais"])
def test_a_parameter_that_is_not_there_is_refused(used):
    line = f"tags.days: {used}" if used.startswith("$") else f"{used}: {{present: true}}"
    text = GOOD.replace("require:", f"where:\n  {line}\nrequire:") + "params: {days: 90}\n"
    with pytest.raises(RuleError, match='there is no parameter "dais"'):
        parse_rule(text, "my-rule.yaml")


def test_what_is_exported_already_needs_a_place_to_ask_for():
    with pytest.raises(RuleError, match='needs "to"'):
        parse_rule(re.sub(r"logs: \[.*\]", "logs: exported", GOOD), "my-rule.yaml")


ALL_OF = GOOD.replace(
    "  logs: [AuditEvent]",
    "  all_of:\n    - match: {kind: {not: odd}}\n    - any_of:\n        - logs: [AuditEvent]\n        - match: {kind: free}",
).partition("tests:")[0]


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ("kind: plain, settings: [{categories: [AuditEvent], to: storage}]", "pass"),
        ("kind: free", "pass"),
        ("kind: odd, settings: [{categories: [AuditEvent], to: storage}]", "fail"),
        ("kind: plain", "fail"),
        ("kind: odd, settings: unknown", "fail"),
        ("kind: plain, settings: unknown", "unknown"),
    ],
)
def test_all_of_needs_each_of_its_parts(given, status):
    tests = (
        f"tests:\n  - name: it\n    given: [{{name: it, {given}}}, {{name: yes, kind: free}}, {{name: no}}]\n"
        f"    expect: {{it: {status}, yes: pass, no: fail}}\n"
    )
    assert [outcome.differences for outcome in run_tests(parse_rule(ALL_OF + tests, "my-rule.yaml"))] == [()]


def test_all_of_does_not_apply_where_one_of_its_logs_is_not_offered():
    both = ALL_OF.replace(
        "    - any_of:\n        - logs: [AuditEvent]\n        - match: {kind: free}", "    - logs: [AuditEvent]"
    )
    tests = (
        "tests:\n  - name: it\n    given: [{name: none, offers: []}, {name: no}, "
        "{name: yes, settings: [{categories: [AuditEvent], to: storage}]}]\n"
        "    expect: {none: not-applicable, yes: pass, no: fail}\n"
    )
    assert [outcome.differences for outcome in run_tests(parse_rule(both + tests, "my-rule.yaml"))] == [()]


ALERTING = """\
id: my-rule
title: Deleted vaults raise an alert
severity: high
resource: Microsoft.Resources/subscriptions
require:
  alerts: [Microsoft.KeyVault/vaults/delete, ServiceHealth]
message: $name lacks $missing.
rationale: Because.
remediation:
  cli: az monitor
tests:
  - name: each event
    given:
      - {name: both, facts: {alerts: [{live: true, conditions: [{operationName: Microsoft.KeyVault/vaults/delete}]}, {live: true, conditions: [{category: ServiceHealth}]}]}}
      - {name: one, facts: {alerts: [{live: true, conditions: [{operationName: Microsoft.KeyVault/vaults/delete}]}]}}
      - {name: perhaps, facts: {alerts: [{live: true, conditions: [{operationName: Microsoft.KeyVault/vaults/delete}]}, unknown]}}
      - {name: none}
    expect: {both: pass, one: fail, perhaps: unknown, none: fail}
"""


def test_alerts_need_each_event():
    rule = parse_rule(ALERTING, "my-rule.yaml")
    assert [outcome.differences for outcome in run_tests(rule)] == [()]
    assert "facts.alerts" in rule.paths


@pytest.mark.parametrize(
    "event", ["vaults/delete", "Microsoft.KeyVault/vaults/read", "Microsoft.KeyVault/vaults", "ServicHealth", "a b"]
)
def test_an_event_that_the_activity_log_never_has_is_refused(event):
    with pytest.raises(RuleError) as error:
        parse_rule(ALERTING.replace("[Microsoft.KeyVault/vaults/delete,", f"[{event},"), "my-rule.yaml")
    assert f'no event "{event}"' in str(error.value)
    assert error.value.line == 6

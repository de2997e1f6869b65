"""A rule's severity, and what raises or lowers it for one subject."""

import pytest

from auditor.documents import Run
from auditor.inventory import Inventory, Resource, Unknown
from auditor.judge import judge, judge_rule
from auditor.rule import parse_rule, with_severity
from auditor.sums import by_rule, count_findings

RULE = """\
id: my-rule
title: Things are on
severity: medium
severity_when:
  - where: {facts.tested: true}
    severity: info
    because: it is for tests only
  - where: {facts.public: true, tags: {tagged: $params.tags}}
    severity: critical
    because: it is public
  - where: {facts.public: true}
    severity: high
    because: it is nearly public
resource: Microsoft.Test/things
PER
require:
  match: {properties.on: true}
rationale: Because.
remediation: {cli: az}
params: {tags: [env=prod]}
tests:
  - name: both
    given: [{name: a, properties: {on: true}}, {name: b}]
    expect: {a: pass, b: fail medium}
"""
U = Unknown(reason="403")


def thing(name, facts=None, on=False, tags=None):
    return Resource(
        id=f"/{name}", shown_id=f"/{name}", type="Microsoft.Test/things", name=name, subscription="s",
        location="westeurope", facts=facts or {}, properties={"on": on}, tags=tags or {},
    )  # fmt: skip


def rule(per=""):
    return parse_rule(RULE.replace("PER\n", per), "my-rule.yaml")


def judged(*things, made=None):
    inventory = Inventory(resources=tuple(things), run=Run())
    return {f.subject.id.strip("/"): f for f in judge_rule(made or rule(), inventory)}


CASES = [
    ("nothing more is known", {}, {}, "medium", ""),
    ("the case holds", {"public": True}, {}, "high", "it is nearly public"),
    ("the first that holds wins", {"public": True, "tested": True}, {}, "info", "it is for tests only"),
    ("all lines of a case count", {"public": True}, {"ENV": "Prod"}, "critical", "it is public"),
    ("what cannot be told changes nothing", {"public": U}, {"env": "prod"}, "medium", ""),
    ("and lets later cases speak", {"tested": U, "public": True}, {}, "high", "it is nearly public"),
]


@pytest.mark.parametrize(("facts", "tags", "severity", "because"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_severity_of_a_failure(facts, tags, severity, because):
    [found] = judged(thing("a", facts, tags=tags)).values()
    assert (found.status, found.severity, found.severity_because) == ("fail", severity, because)
    assert found.why_unknown == []


def test_what_passes_keeps_the_rule_s_severity():
    [found] = judged(thing("a", {"public": True}, on=True)).values()
    assert (found.status, found.severity, found.severity_because) == ("pass", "medium", "")


def test_what_cannot_be_told_has_the_severity_that_its_failure_would_have():
    [found] = judged(thing("a", {"public": True, "tested": U}, on=U)).values()
    assert (found.status, found.severity) == ("unknown", "high")
    assert len(found.why_unknown) == 1


def test_one_member_is_enough_for_a_group():
    found = judged(thing("a"), thing("b", {"public": True}), made=rule("per: [subscription, location]\n"))
    assert {key: f.severity for key, f in found.items()} == {"s/westeurope": "high"}


def test_a_severity_of_the_user_s_outranks_the_cases():
    made = with_severity(rule(), "low")
    assert {f.severity for f in judged(thing("a"), thing("b", {"public": True}), made=made).values()} == {"low"}
    assert made.info.severity_when == []


def test_sums_and_order_go_by_the_severity_of_findings():
    other = parse_rule(
        RULE.replace("my-rule", "other").replace("severity: medium", "severity: high")
        .replace("PER\n", "").replace("fail medium", "fail high"),
        "other.yaml",
    )  # fmt: skip
    things = [thing("a"), thing("b"), thing("c", {"public": True}, tags={"env": "prod"})]
    report = judge(Inventory(resources=tuple(things), run=Run()), [rule(), with_severity(other, "high")])
    counts = count_findings(report)
    assert (counts["critical"], counts["high"], counts["medium"]) == (1, 3, 2)
    first, second = by_rule(report)
    assert (first.info.id, first.severity, first.severities) == ("my-rule", "critical", {"critical": 1, "medium": 2})
    assert [f.subject.name for f in first.failed] == ["c", "a", "b"]
    assert (second.severity, second.severities) == ("high", {"high": 3})

"""The framework view: a control is as its worst rule, and passes only on all that it asks."""

import msgspec
import pytest

from auditor.controls import NO_RULE, PART, rules_by_control, with_controls
from auditor.documents import SUBSCRIPTION, Focus, Run
from auditor.formats.frameworks import by_status
from auditor.inventory import Unknown
from auditor.profile import Settings, apply, built_in, read_profile
from auditor.report import CONTROL_STATUSES, Completeness, Finding, Report, Subject, UnreadInfo
from auditor.rule import load_rules, parse_rule

RULES = load_rules()
FRAMEWORK = "SOC 2"
TEXT = """
id: {id}
title: Something is so
severity: low
resource: {resource}
require: {{match: {{location: x}}}}
rationale: Because.
remediation: {{portal: Do it.}}
frameworks: {{"{framework}": {controls}}}
optional: {optional}
params: {{days: 30}}
tests:
  - {{name: both, given: [{{name: a, location: x}}, {{name: b}}], expect: {{a: pass, b: fail}}}}
"""


def rule(name, controls, resource="Microsoft.KeyVault/vaults", optional=False, framework=FRAMEWORK):
    text = TEXT.format(
        id=name, controls=controls, resource=resource, optional=str(optional).lower(), framework=framework
    )
    return parse_rule(text, f"mine/{name}.yaml")


def finding(name, status):
    return Finding(rule=name, status=status, severity="low", message="", fingerprint="0" * 16,
                   subject=Subject(id=f"/{name}/{status}", type="x", name="x"))  # fmt: skip


def control(statuses, key, select=(), unlisted=False, profile="soc2", configured=None, shown="soc2", focus=()):
    """The control `key` of SOC 2, after judging rules with these statuses: (rule, statuses)."""
    known = [one for one, _ in statuses]
    choice = apply(read_profile(profile), known, select, configured=configured)
    judged = {one.id for one in choice.rules}
    why = Unknown(reason="no")
    report = Report(
        run=Run(focus=focus),
        rules=[one.info for one in choice.rules],
        findings=[finding(one.id, s) for one, found in statuses for s in found if one.id in judged],
        unread=[UnreadInfo(id="/s", type="list", scope="s", why=why, lists=True)] if unlisted else [],
        completeness=Completeness(planned=0, answered=0, not_supported=0, unknown=0),
    )
    framework = next(f for f in with_controls(report, choice).frameworks if f.profile == shown)
    return next(c for c in framework.controls if c.id == key)


A, B = rule("a", '["CC7.2"]'), rule("b", '["CC7.2", "CC6.1"]')


@pytest.mark.parametrize(
    ("a", "b", "status"),
    [
        (["pass"], ["pass"], "pass"),
        (["pass"], ["not-applicable"], "pass"),
        (["not-applicable"], [], "not-applicable"),
        (["pass", "fail"], ["pass"], "fail"),
        (["unknown"], ["fail"], "fail"),
        (["pass", "unknown"], ["pass"], "unknown"),
        ([], [], "not-applicable"),
    ],
)
def test_the_worst_rule_decides(a, b, status):
    found = control([(A, a), (B, b)], "CC7.2")
    assert (found.status, found.rules) == (status, ["a", "b"])


def test_without_a_rule_it_is_not_covered_for_the_reason_that_the_profile_gives():
    assert control([(A, ["pass"])], "CC7.4").status == "not-covered"
    assert "no configuration tells" in control([(A, ["pass"])], "CC7.4").because
    assert control([(A, ["pass"])], "CC6.1").because == NO_RULE


@pytest.mark.parametrize(
    ("a", "status"),
    [("pass", "not-judged"), ("fail", "fail"), ("unknown", "unknown"), ("not-applicable", "not-judged")],
)
def test_a_control_does_not_pass_while_one_of_its_rules_is_left_out(a, status):
    found = control([(A, [a]), (B, ["pass"])], "CC7.2", select=["a"])
    assert found.status == status and found.rules == ["a"]
    assert ("left out of this scan: b" in found.because) == (status == "not-judged")


def test_a_control_of_which_all_rules_are_left_out_is_not_judged():
    assert control([(A, ["pass"]), (B, ["pass"])], "CC6.1", select=["a"]).status == "not-judged"


def test_an_optional_rule_that_is_not_asked_for_leaves_no_gap():
    letter = rule("letter", '["CC7.2"]', optional=True)
    assert control([(A, ["pass"]), (letter, ["fail"])], "CC7.2").status == "pass"
    assert control([(A, ["pass"]), (letter, ["fail"])], "CC7.2", select=["a", "letter"]).status == "fail"
    alone = rule("alone", '["CC6.1"]', optional=True)
    assert control([(A, ["pass"]), (alone, ["pass"])], "CC6.1").status == "not-judged"


@pytest.mark.parametrize(
    ("resource", "status"),
    [("Microsoft.KeyVault/vaults", "unknown"), (SUBSCRIPTION, "pass"), ("microsoft.aadiam/tenants", "pass"),
     (f"[{SUBSCRIPTION}, Microsoft.KeyVault/vaults]", "unknown")],
)  # fmt: skip
def test_what_could_not_be_listed_may_fail(resource, status):
    found = control([(rule("a", '["CC7.2"]', resource), ["pass"])], "CC7.2", unlisted=True)
    assert found.status == status
    assert found.because == ("1 scope could not be listed" if status == "unknown" else "")
    assert control([(rule("a", '["CC7.2"]', resource), ["fail"])], "CC7.2", unlisted=True).status == "fail"


def test_a_filtered_scan_speaks_only_of_a_part():
    focus = (Focus(exclude_tags=("env=dev",)),)
    found = control([(A, ["pass"]), (B, ["pass"])], "CC7.2", focus=focus)
    assert (found.status, found.because) == ("pass", PART)
    assert control([(A, ["fail"])], "CC7.2", focus=focus).because == ""


def test_a_control_that_only_rules_name_is_shown_last():
    assert control([(rule("a", '["CC9.9"]'), ["pass"])], "CC9.9").title == ""


def test_other_limits_than_a_framework_asks_for_say_nothing_of_it(tmp_path):
    """PCI asks flow logs for twelve months; a scan that asked for three cannot say that they are kept so long."""
    kept = next(r for r in RULES if r.id == "flow-log-retention")
    keys = {"profile": "recommended", "shown": "pci-4.0.1"}
    named = rule("other", '["10.5.1"]', framework="PCI DSS 4.0.1")
    known = [msgspec.structs.replace(kept, info=msgspec.structs.replace(
        kept.info, frameworks={"PCI DSS 4.0.1": ["10.5.1"]})), named, *(
            r for r in RULES if r.id != kept.id and "PCI DSS 4.0.1" not in r.info.frameworks)]  # fmt: skip
    known += [msgspec.structs.replace(r, info=msgspec.structs.replace(r.info, frameworks={})) for r in RULES
              if "PCI DSS 4.0.1" in r.info.frameworks]  # fmt: skip
    passed = [(r, ["pass"]) for r in known]
    found = control(passed, "10.5.1", **keys)
    assert found.status == "not-judged"
    assert found.because == "judged with other limits than pci-4.0.1 sets: flow-log-retention"
    failed = [(r, ["fail"] if r.id == "other" else s) for r, s in passed]
    assert control(failed, "10.5.1", **keys).status == "fail"
    year = Settings(by="configuration", params={"flow-log-retention": {"days": 365}})
    assert control(passed, "10.5.1", **keys, configured=year).status == "pass"


def test_the_report_says_by_which_profile(report):
    choice = apply(read_profile("m-21-31"), RULES)
    told = with_controls(report, choice)
    assert told.profile.name == "m-21-31" and told.profile.extends == ["recommended"] and told.profile.changes
    names = [framework.profile for framework in told.frameworks]
    assert names[0] == "m-21-31" and len(names) == len(set(names)) == 9
    for framework in told.frameworks:
        assert sum(by_status(framework).values()) == len(framework.controls)
        assert all(c.status in CONTROL_STATUSES and c.title for c in framework.controls)


# --- rules and shipped profiles agree ---------------------------------------------------------------------------------


FRAMEWORKS = {profile.framework: profile for name in built_in() if (profile := read_profile(name)).framework}


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_every_control_has_a_rule_or_a_reason(framework):
    controls, named = FRAMEWORKS[framework].controls, set(rules_by_control(framework, RULES))
    bare = sorted(key for key, one in controls.items() if key not in named and not one.not_covered)
    assert not bare, f"no rule names {framework} {bare}: say under not_covered why none can"
    both = sorted(key for key in named & set(controls) if controls[key].not_covered)
    assert not both, f"rules name {framework} {both}, of which the profile says that none can"
    assert not named - set(controls), "rules name controls that the profile does not know"


def test_every_framework_that_a_rule_names_has_a_profile():
    assert {name for rule in RULES for name in rule.info.frameworks} <= set(FRAMEWORKS)

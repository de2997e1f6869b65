"""The tests inside every shipped rule, each with a pytest id of its own."""

import pytest

from auditor.rule import load_rules
from auditor.rule_tests import run_tests, unmet_paths

RULES = load_rules()
NO_BICEP = {"activity-log-profile-retired"}  # a template cannot delete
OUTCOMES = [outcome for rule in RULES for outcome in run_tests(rule)]


@pytest.mark.parametrize("outcome", OUTCOMES, ids=[f"{o.rule}-{o.name}" for o in OUTCOMES])
def test_rule(outcome):
    assert not outcome.differences


@pytest.mark.parametrize("rule", RULES, ids=[rule.id for rule in RULES])
def test_every_path_is_met_by_some_test_resource(rule):
    assert unmet_paths(rule) == []


@pytest.mark.parametrize("rule", RULES, ids=[rule.id for rule in RULES])
def test_a_shipped_rule_is_complete(rule):
    info = rule.info
    assert {"cli", "terraform"} <= info.remediation.keys()
    assert "bicep" in info.remediation or rule.id in NO_BICEP
    assert info.blind_to is not None and info.blind_to.questions
    assert info.frameworks
    assert info.references and all(link.startswith("https://") for link in info.references)

"""The tests inside every shipped rule, each with a pytest id of its own."""

from pathlib import Path

import pytest
import yaml

from auditor.rule import load_rules
from auditor.rule_mutants import survivors
from auditor.rule_tests import run_tests, unmet_paths

RULES = load_rules()
# A template cannot delete; of the provider of Intune there is no published schema.
NO_BICEP = {"activity-log-profile-retired", "activity-log-sent-twice", "intune-audit-logs", "intune-device-logs"}
EQUIVALENT = yaml.safe_load((Path(__file__).parent / "equivalent_mutants.yaml").read_text(encoding="utf-8")) or {}
OUTCOMES = [outcome for rule in RULES for outcome in run_tests(rule)]


@pytest.mark.parametrize("outcome", OUTCOMES, ids=[f"{o.rule}-{o.name}" for o in OUTCOMES])
def test_rule(outcome):
    assert not outcome.differences


@pytest.mark.parametrize("rule", RULES, ids=[rule.id for rule in RULES])
def test_every_path_is_met_by_some_test_resource(rule):
    assert unmet_paths(rule) == []


@pytest.mark.parametrize("rule", RULES, ids=[rule.id for rule in RULES])
def test_no_part_of_a_rule_can_be_dropped_or_turned_round_without_a_test_of_its_own_failing(rule):
    _, found = survivors(Path(rule.file).read_text(encoding="utf-8"), rule.file)
    assert {f"line {m.line}: {m.name} ({m.was})" for m in found if m.name not in EQUIVALENT.get(rule.id, {})} == set()


def test_every_exception_is_needed_and_has_a_reason():
    rules = {rule.id: rule for rule in RULES}
    for rule_id, excepted in EQUIVALENT.items():
        file = Path(rules[rule_id].file)
        _, found = survivors(file.read_text(encoding="utf-8"), str(file))
        assert set(excepted) <= {m.name for m in found}
        assert all(excepted.values())


@pytest.mark.parametrize("rule", RULES, ids=[rule.id for rule in RULES])
def test_a_shipped_rule_is_complete(rule):
    info = rule.info
    assert {"cli", "terraform"} <= info.remediation.keys()
    assert "bicep" in info.remediation or rule.id in NO_BICEP
    assert info.blind_to is not None and info.blind_to.questions
    assert info.frameworks
    assert info.references and all(link.startswith("https://") for link in info.references)

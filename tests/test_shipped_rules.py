"""The tests inside every shipped rule, each with a pytest id of its own."""

from pathlib import Path

import pytest
import yaml

from auditor.profile import built_in, read_profile
from auditor.rule import load_rules
from auditor.rule_mutants import survivors
from auditor.rule_tests import run_tests, unmet_paths

RULES = load_rules()
PROFILES = {profile.framework: profile for profile in map(read_profile, built_in()) if profile.framework}
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


@pytest.mark.parametrize("rule", RULES, ids=[rule.id for rule in RULES])
def test_the_controls_that_a_rule_names_are_known_to_the_profile_of_their_framework(rule):
    families = {name.rpartition(" ")[0]: name for name in PROFILES}
    for framework, controls in rule.info.frameworks.items():
        family = framework.rpartition(" ")[0]
        assert framework in PROFILES or family not in families, (
            f"{rule.file}: no profile speaks for {framework}; did you mean {families.get(family)}?"
        )
        profile = PROFILES.get(framework)
        for control in controls if profile else ():
            file = f"profiles/{profile.name}.yaml"
            assert control in profile.controls, (
                f"{rule.file} names {framework} {control}, which {file} does not know: check the number, or add it "
                f'there under controls, such as  "{control}": {{title: ...}}'
            )
            assert not profile.controls[control].not_covered, (
                f"{rule.file} names {framework} {control}, but {file} says that no rule can: take away its not_covered"
            )

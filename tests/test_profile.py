"""Profiles: which rules they choose, what outranks what, and what is refused."""

import re

import jsonschema
import msgspec
import pytest
import yaml

from auditor.errors import AuditorError
from auditor.profile import (
    DEFAULT,
    AcceptedDestinations,
    ProfileFile,
    Settings,
    apply,
    built_in,
    chosen_by,
    read_profile,
)
from auditor.rule import load_rules, parse_rule
from auditor.shipped import shipped

RULES = load_rules()
OWN = """
id: {id}
title: Something is so
severity: low
resource: Microsoft.KeyVault/vaults
require: {{match: {{location: x}}}}
rationale: Because.
remediation: {{portal: Do it.}}
frameworks: {{"CIS Azure Foundations 6.0.0": ["6.1.1.4"]}}
optional: {optional}
tests:
  - {{name: both, given: [{{name: a, location: x}}, {{name: b}}], expect: {{a: pass, b: fail}}}}
"""
LITERAL = parse_rule(OWN.format(id="to-the-letter", optional="true"), "mine/to-the-letter.yaml")


def ids(choice):
    return {rule.id for rule in choice.rules}


def params(choice, rule_id):
    return next(rule.info.params for rule in choice.rules if rule.id == rule_id)


@pytest.fixture
def write(tmp_path):
    def written(text, name="mine.yaml"):
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        return str(file)

    return written


def test_all_that_was_promised_is_shipped():
    wanted = {"recommended", *(f"cis-azure-{v}" for v in ("2.0", "2.1", "3.0", "4.0", "5.0", "6.0")), "mcsb", "pci-4.0.1",
              "iso-27001-2022", "nist-800-53r5", "soc2", "nis2", "dora", "m-21-31"}  # fmt: skip
    assert set(built_in()) == wanted and built_in()[0] == DEFAULT


@pytest.mark.parametrize("name", built_in())
def test_a_shipped_profile_applies_and_fits_its_schema(name):
    choice = apply(read_profile(name), RULES)
    assert choice.rules and choice.profile.name == name and choice.profile.title
    text = shipped("profiles").joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    jsonschema.validate(yaml.safe_load(text), msgspec.json.schema(ProfileFile))


def test_the_default_is_every_rule_that_is_not_optional():
    choice = apply(read_profile(), [*RULES, LITERAL])
    assert ids(choice) == {rule.id for rule in RULES if not rule.optional}
    assert choice.changes == []


def test_a_framework_chooses_the_rules_that_name_it():
    choice = apply(read_profile("cis-azure-6.0"), [*RULES, LITERAL])
    assert ids(choice) == {r.id for r in RULES if "CIS Azure Foundations 6.0.0" in r.info.frameworks and not r.optional}


@pytest.mark.parametrize("select", [["to-the-letter"], ["To-The-Letter"]])
def test_an_optional_rule_is_named_by_its_id(select, write):
    assert ids(apply(read_profile(), [*RULES, LITERAL], select)) == {"to-the-letter"}
    file = write(f"extends: cis-azure-6.0\nrules: {{select: {select}}}")
    assert "to-the-letter" in ids(apply(read_profile(file), [*RULES, LITERAL]))


@pytest.mark.parametrize("word", ["to-*", "mine/*"])
def test_a_glob_does_not_name_an_optional_rule(word, write):
    with pytest.raises(AuditorError, match="leaves out every rule that matches"):
        apply(read_profile(), [*RULES, LITERAL], [word])
    with pytest.raises(AuditorError, match="chooses no rule"):
        chosen_by(read_profile(write(f"rules: {{select: ['{word}']}}")), [*RULES, LITERAL])


def test_flags_narrow_a_profile_and_an_id_reaches_beyond_it():
    nis2 = read_profile("nis2")
    assert ids(apply(nis2, RULES, ["alerts/*"])) == {r for r in ids(apply(nis2, RULES)) if r.startswith("alert-")}
    assert ids(apply(nis2, RULES, ["storage-queue-access-logs"])) == {"storage-queue-access-logs"}
    assert "entra-audit-logs" not in ids(apply(nis2, RULES, [], ["entra/*"]))
    with pytest.raises(AuditorError) as error:
        apply(read_profile("cis-azure-6.0"), RULES, ["storage-queue-*"])
    assert "the profile leaves out" in error.value.message and error.value.hint


def test_m_21_31_asks_for_twelve_months_active_and_thirty_in_all():
    choice = apply(read_profile("m-21-31"), RULES)
    assert params(choice, "table-retention") == {"days": 913, "interactive_days": 365}
    assert {r.id for r in RULES if not r.optional} <= ids(choice)
    change = next(c for c in choice.changes if (c.rule, c.what) == ("table-retention", "days"))
    assert (change.value, change.default, change.by) == (913, 365, "profile m-21-31")


def test_configuration_outranks_profile_and_profile_the_rule(write):
    file = write("""
extends: m-21-31
rules:
  params: {table-retention: {days: 1000}, flow-log-retention: {days: 100}}
  severity: {table-retention: low, keyvault-audit-logs: low}
  accepted_destinations: {ids: [profile-id], tags: [a=b]}
""")
    configured = Settings(
        by="configuration",
        params={"table-retention": {"days": 400}},
        severity={"keyvault-audit-logs": "info"},
        accepted=AcceptedDestinations(ids=["configured-id"]),
    )
    choice = apply(read_profile(file), RULES, configured=configured)
    assert params(choice, "table-retention") == {"days": 400, "interactive_days": 365}
    assert params(choice, "flow-log-retention") == {"days": 100}
    assert params(choice, "resource-logs-accepted-destination")["accepted"] == ["configured-id"]
    assert params(choice, "resource-logs-accepted-destination")["accepted_tags"] == ["a=b"]
    severities = {rule.id: (rule.info.severity, rule.severity_when) for rule in choice.rules}
    assert severities["table-retention"] == ("low", ()) and severities["keyvault-audit-logs"] == ("info", ())
    said = {(c.rule, c.what): c.by for c in choice.changes}
    assert said["table-retention", "days"] == said["keyvault-audit-logs", "severity"] == "configuration"
    assert said["table-retention", "interactive_days"] == said["table-retention", "severity"] == "profile mine"


def test_what_is_set_back_to_the_rules_own_is_no_change(write):
    choice = apply(
        read_profile("m-21-31"), RULES, configured=Settings(by="c", params={"table-retention": {"days": 365}})
    )
    assert ("table-retention", "days") not in {(c.rule, c.what) for c in choice.changes}


def test_a_profile_adds_to_what_it_extends_and_takes_from_it(write):
    base = write("extends: dora\nrules: {select: [storage/*], ignore: [entra-audit-logs]}", "base.yaml")
    chosen = ids(apply(read_profile(base), RULES))
    assert {"storage-queue-access-logs", "keyvault-audit-logs"} <= chosen and "entra-audit-logs" not in chosen
    again = read_profile(write("extends: ./base.yaml\nrules: {select: [entra-audit-logs]}"))
    assert again.extends == ["base", "dora"]
    assert ids(apply(again, RULES)) == chosen | {"entra-audit-logs"}
    assert again.framework == "DORA RTS (EU) 2024/1774" and "Art. 12(3)" in again.controls


def test_controls_of_an_extended_profile_can_be_told_better(write):
    mine = read_profile(write("extends: soc2\ncontrols: {CC7.4: {title: Ours}, CC9.9: {title: New}}"))
    assert mine.controls["CC7.4"].title == "Ours" and mine.controls["CC7.2"].title and mine.controls["CC9.9"]
    other = read_profile(write("extends: soc2\nframework: Acme\ncontrols: {A-1: {title: Ours}}", "acme.yaml"))
    assert list(other.controls) == ["A-1"]


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("extends: recomended", r'mine.yaml:1: there is no profile "recomended"', "did you mean recommended"),
        ("extends: ./gone.yaml", r"mine.yaml:1: ./gone.yaml: there is no such profile", "it would be the file"),
        ("extends: ./mine.yaml", r"mine.yaml:1: profiles go round in a circle: mine extends mine", ""),
        ("extends: soc2\nextend: x", r'mine.yaml:2: unknown key "extend"', 'did you mean "extends"'),
        ("extends: soc2\nextends: soc2", r'mine.yaml:2: the key "extends" is there twice', ""),
        ("[]", r"mine.yaml:1: a profile is a mapping of keys", "extends: recommended"),
        ("title: Empty", r"mine.yaml: the profile chooses no rule", "extends: recommended"),
        ("extends: soc2\nshow: [soc3]", r'mine.yaml:2: there is no profile "soc3"', "soc2"),
        ("extends: soc2\nrules:\n  select: [keyvault-audit-log]", r'mine.yaml:3: no rule matches "keyvault-audit-log"',
         "did you mean keyvault-audit-logs"),
        ("extends: soc2\nrules:\n  ignore:\n  - entra-audit-logs\n  - nothing-like-it*", r"mine.yaml:5: no rule matches", ""),
        ("extends: soc2\nrules:\n  severity: {keyvault-audits-logs: low}",
         r'mine.yaml:3: there is no rule "keyvault-audits-logs"', "did you mean keyvault-audit-logs"),
        ("extends: soc2\nrules:\n  params: {table-retention: {dais: 3}}",
         r'mine.yaml:3: table-retention has no parameter "dais"', "parameters: days, interactive_days"),
        ("extends: soc2\nrules:\n  severity: {table-retention: grave}", r"mine.yaml:3: .*'grave'", ""),
    ],
)  # fmt: skip
def test_mistakes_are_told_with_their_line_and_a_way_on(text, message, hint, write):
    with pytest.raises(AuditorError) as error:
        apply(read_profile(write(text)), RULES)
    assert re.search(message, error.value.message), error.value.message
    assert hint in error.value.hint


def test_a_long_circle_is_told_with_its_links(write):
    write("extends: b.yaml", "a.yaml")
    write("extends: c.yaml", "b.yaml")
    with pytest.raises(
        AuditorError, match=r"c\.yaml:1: profiles go round in a circle: a extends b extends c extends a"
    ):
        read_profile(write("extends: a.yaml", "c.yaml").replace("c.yaml", "a.yaml"))


@pytest.mark.parametrize("word", ["recomended", "nis", "x"])
def test_a_profile_that_is_not_there(word):
    with pytest.raises(AuditorError, match=f'there is no profile "{word}"') as error:
        read_profile(word)
    assert "did you mean" in error.value.hint or "profiles: recommended" in error.value.hint

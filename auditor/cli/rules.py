"""`rules list`, `show`, `test`, `new`, `schema`."""

from __future__ import annotations

import argparse
import sys
import textwrap
from pathlib import Path

from auditor.cli.output import write_text
from auditor.cli.run import chosen_rules
from auditor.config import read_configuration
from auditor.errors import AuditorError, RuleError
from auditor.formats.console import clean
from auditor.formats.words import setting
from auditor.report import SEVERITIES
from auditor.rule import Rule, load_rules
from auditor.rule_schema import rule_schema
from auditor.rule_tests import run_tests, unmet_paths


def list_rules(arguments: argparse.Namespace) -> int:
    """One line a rule, worst severity first."""
    rules = chosen_rules(arguments, read_configuration(arguments.config))
    for rule in sorted(rules, key=lambda r: (SEVERITIES.index(r.info.severity), r.id)):
        print(f"{rule.info.severity:<9} {rule.id:<38} {rule.info.title}")
    print(f"{len(rules)} rules", file=sys.stderr)
    return 0


def show(arguments: argparse.Namespace) -> int:
    """Everything a rule says of itself."""
    arguments.select, arguments.ignore = [arguments.rule], []
    try:
        rules = chosen_rules(arguments, read_configuration(arguments.config))
    except RuleError as error:
        if error.file != "--select/--ignore":
            raise
        raise AuditorError(f'there is no rule "{arguments.rule}"', error.hint) from None
    for rule in rules:
        _show(rule)
    return 0


def _show(rule: Rule) -> None:
    info = rule.info
    print(f"{info.id}  ({info.severity})\n{info.title}\n\n{_wrapped(info.rationale)}\n")
    print(f"Judges  {info.resource}")
    for case in info.severity_when:
        print(f"        {case.severity} if {case.because}")
    if info.params:
        print("Params  " + "; ".join(f"{k} = {setting(v)}" for k, v in info.params.items()))
    if info.blind_to:
        print("\nWithout it nobody can answer:")
        for question in info.blind_to.questions:
            print(f"  {question}")
        if info.blind_to.attack:
            print(f"  ATT&CK {info.blind_to.attack_version}: {', '.join(info.blind_to.attack)}")
    for way, text in info.remediation.items():
        print(f"\nFix ({way})")
        print("\n".join(f"  {line}" for line in text.rstrip().splitlines()))
    if info.frameworks:
        print("\nMaps to")
        for framework, controls in info.frameworks.items():
            print(f"  {framework}: {', '.join(controls)}")
    for link in info.references:
        print(f"  {link}")
    print(f"\n{len(rule.tests)} tests in {clean(rule.file)}")


def _wrapped(text: str) -> str:
    paragraphs = [" ".join(part.split()) for part in text.strip().split("\n\n")]
    return "\n\n".join(textwrap.fill(part, 80) for part in paragraphs)


def test(arguments: argparse.Namespace) -> int:
    """Run the tests inside rule files; exit 1 if one differs."""
    rules = load_rules(Path(arguments.folder) if arguments.folder else None)
    if not rules:
        raise AuditorError(f"{arguments.folder}: there is no rule in it", "auditor rules new my-first-rule -o DIR")
    failed = passed = 0
    for rule in rules:
        for outcome in run_tests(rule):
            if outcome.differences:
                failed += 1
                print(f"FAILED {rule.id}: {outcome.name}")
                for difference in outcome.differences:
                    print(f"  {difference}")
            else:
                passed += 1
        for path in unmet_paths(rule):
            print(f'warning: {rule.file}: no test resource has "{path}"', file=sys.stderr)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def new(arguments: argparse.Namespace) -> int:
    """Write a rule file to start from; it loads and its tests pass as it stands."""
    file = Path(arguments.output) / f"{arguments.id}.yaml"
    if file.exists():
        raise AuditorError(f"{file}: is there already", "choose another id, or edit that file")
    text = _NEW.replace("RULE-ID", arguments.id)
    from auditor.rule import parse_rule

    try:
        parse_rule(text, str(file))
    except RuleError as error:
        raise AuditorError(error.problem, error.hint) from None
    write_text(file, text)
    print(f"{file}\ntest it:  auditor rules test {arguments.output}", file=sys.stderr)
    return 0


def schema(_: argparse.Namespace) -> int:
    """Print the JSON schema of rule files."""
    sys.stdout.write(rule_schema())
    return 0


_NEW = """\
# yaml-language-server: $schema=rule.schema.json
id: RULE-ID
title: Container registry sign-ins are exported
severity: medium
resource: Microsoft.ContainerRegistry/registries
require:
  logs: [ContainerRegistryLoginEvents]
message: $name does not export $missing.
rationale: |
  Without the sign-in events nobody can tell who pulled or pushed an image.
  Say in two sentences why anyone should care.
remediation:
  cli: |
    az monitor diagnostic-settings create --name security-audit --resource "$id" \\
      --workspace "$$WORKSPACE_ID" --logs '[{"categoryGroup": "audit", "enabled": true}]'
blind_to:
  questions: [Who pulled this image?]
tests:
  - name: the category counts when it reaches a destination
    given:
      - {name: exported, settings: [{categories: [ContainerRegistryLoginEvents], to: log-analytics}]}
      - {name: all-logs, settings: [{groups: [allLogs], to: storage}]}
      - {name: bare}
      - {name: denied, settings: unknown}
    expect: {exported: pass, all-logs: pass, bare: fail, denied: unknown}
"""

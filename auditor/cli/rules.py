"""`rules list`, `show`, `test`, `schema`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from auditor.cli.choosing import choice, chosen_rules
from auditor.config import read_configuration
from auditor.errors import AuditorError, RuleError
from auditor.formats.console import clean
from auditor.formats.rule_page import area_name, by_area, page
from auditor.formats.words import count
from auditor.report import SEVERITIES
from auditor.rule import FILL_IN, Rule, load_rules, unfilled
from auditor.rule_explain import explain
from auditor.rule_schema import rule_schema
from auditor.rule_tests import Outcome, run_tests, unmet_paths


def list_rules(arguments: argparse.Namespace) -> int:
    """One line a rule, worst severity first."""
    chosen = choice(arguments, read_configuration(arguments.config))
    rules = chosen.rules
    for rule in sorted(rules, key=lambda r: (SEVERITIES.index(r.info.severity), r.id)):
        print(f"{rule.info.severity:<9} {rule.id:<38} {rule.info.title}")
    areas = ", ".join(f"{len(members)} {area_name(key)}" for key, members in by_area(rules))
    print(
        f"{count(len(rules), 'rule')} of profile {clean(chosen.profile.name)}: {areas}" if rules else "no rule",
        file=sys.stderr,
    )
    left_out = sorted(rule.id for rule in chosen.known if rule.optional and rule not in rules)
    if left_out:
        print(f"Optional, and asked for only by name: {', '.join(left_out)}", file=sys.stderr)
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
    """The rule's page; on a terminal as it is meant to look, elsewhere as the Markdown that it is."""
    text = page(rule, Path(rule.file).read_text(encoding="utf-8"))
    if not sys.stdout.isatty():
        sys.stdout.write(text)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(text, code_theme="ansi_dark"))


def test(arguments: argparse.Namespace) -> int:
    """Run the tests inside rule files; exit 1 if one differs."""
    rules = load_rules(Path(arguments.folder) if arguments.folder else None)
    if not rules:
        raise AuditorError(f"{arguments.folder}: there is no rule in it", "auditor rules new my-first-rule -o DIR")
    failed = passed = 0
    for rule in rules:
        for number, outcome in enumerate(run_tests(rule)):
            if outcome.differences:
                failed += 1
                _explain(rule, number, outcome)
            else:
                passed += 1
        left = unfilled(rule)
        if left:
            print(f"warning: {clean(rule.file)}: to be filled in ({FILL_IN}): {', '.join(left)}", file=sys.stderr)
        for path in unmet_paths(rule):
            print(f'warning: {rule.file}: no test resource has "{path}"', file=sys.stderr)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def _explain(rule: Rule, number: int, outcome: Outcome) -> None:
    """A failed test: what differs, and the lines of the rule that made it so."""
    print(clean(f"FAILED {rule.id}: {outcome.name}  ({rule.file}:{outcome.line})"))
    text = Path(rule.file).read_text(encoding="utf-8")
    for difference in outcome.differences:
        print(clean(f"  {difference}"))
        for line in explain(text, rule, number, difference):
            print(clean(f"    {line}"))


def schema(_: argparse.Namespace) -> int:
    """Print the JSON schema of rule files."""
    sys.stdout.write(rule_schema())
    return 0

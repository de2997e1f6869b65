"""Which rules are asked: the shipped ones and one's own, as flags, configuration and profile choose."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from auditor.config import Configuration
from auditor.documents import Run
from auditor.errors import AuditorError
from auditor.profile import Choice
from auditor.rule import Rule


def available_rules(arguments: argparse.Namespace, configuration: Configuration) -> dict[str, Rule]:
    """The shipped rules and one's own, by id."""
    from auditor.rule import load_rules

    rules = {rule.id: rule for rule in load_rules()}
    for folder in [*configuration.rules.folders, *arguments.rules]:
        for rule in load_rules(Path(folder)):
            if rule.id in rules:
                raise AuditorError(
                    f'{rule.file}: the id "{rule.id}" is taken by {rules[rule.id].file}', "rename the rule"
                )
            rules[rule.id] = rule
    return rules


def choice(arguments: argparse.Namespace, configuration: Configuration) -> Choice:
    """The shipped rules and one's own, as flags, configuration and profile choose, rate and parametrise them."""
    from auditor.profile import DEFAULT, Settings, apply, read_profile

    rules = available_rules(arguments, configuration)
    _check_known(configuration, rules)
    own = configuration.rules
    return apply(
        read_profile(arguments.profile or configuration.profile or DEFAULT),
        [rules[key] for key in sorted(rules)],
        _words(arguments.select) or own.select,
        _words(arguments.ignore) or own.ignore,
        Settings(by="configuration", severity=own.severity, params=own.params, accepted=own.accepted_destinations),
    )


def chosen_rules(arguments: argparse.Namespace, configuration: Configuration) -> list[Rule]:
    """The rules of `choice`."""
    return choice(arguments, configuration).rules


def asked_of(rules: Sequence[Rule], run: Run) -> tuple[list[Rule], list[str]]:
    """The rules that can be asked of what was read, and the ids of the others."""
    from auditor.applicable import applicable

    asked = applicable(rules, run.source, run.declares)
    return asked, sorted({rule.id for rule in rules} - {rule.id for rule in asked})


def rule_loader(
    arguments: argparse.Namespace, configuration: Configuration, rules: Sequence[Rule], jobs: int, run: Run
) -> Callable[[], Sequence[Rule]]:
    """What gives the rules: to other processes they cannot be sent, so these choose them again."""
    if jobs == 1:
        return lambda: rules
    told = {key: value for key, value in vars(arguments).items() if key not in ("run", "parser")}
    return partial(_chosen_for, argparse.Namespace(**told), configuration, run)


def _chosen_for(arguments: argparse.Namespace, configuration: Configuration, run: Run) -> Sequence[Rule]:
    return asked_of(chosen_rules(arguments, configuration), run)[0]


def _words(given: Sequence[str]) -> list[str]:
    return [word for text in given for word in text.split(",") if word]


def _check_known(configuration: Configuration, rules: dict[str, Rule]) -> None:
    for key, named in (("severity", configuration.rules.severity), ("params", configuration.rules.params)):
        for rule_id in named:
            if rule_id not in rules:
                raise AuditorError(f'rules.{key}: there is no rule "{rule_id}"', "auditor rules list")
    for rule_id, params in configuration.rules.params.items():
        odd = sorted(set(params) - set(rules[rule_id].info.params))
        if odd:
            known = ", ".join(rules[rule_id].info.params) or "none"
            raise AuditorError(f'rules.params.{rule_id}: there is no parameter "{odd[0]}"', f"parameters: {known}")

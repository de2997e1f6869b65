"""`doctor`: what this identity could assess, before the first scan."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

import msgspec

from auditor import documents as d
from auditor.catalog import category
from auditor.cli.choosing import chosen_rules
from auditor.cli.doctor_text import render
from auditor.cli.gate import EXIT_INCOMPLETE
from auditor.cli.reading import azure_options, note
from auditor.config import read_configuration
from auditor.inventory import Resource, Unknown
from auditor.match import Scope
from auditor.rule import AllOf, AnyOf, Logs, Requirement, Rule
from auditor.sources.azure.capabilities import CAPABILITIES, Capability, Examination

EXIT_NO_IDENTITY = 4
# What Resource Manager does not list below a subscription.
_OF_THE_TENANT = frozenset({d.ENTRA.lower(), d.INTUNE.lower(), d.MANAGEMENT_GROUP.lower()})


def doctor(arguments: argparse.Namespace) -> int:
    """`auditor doctor`: probe, tell, and give the exit code."""
    configuration = read_configuration(arguments.config)
    rules = chosen_rules(arguments, configuration)
    options = azure_options(arguments, configuration)
    from auditor.sources.azure.doctor import examine_now

    found = examine_now(options, notice=note)
    unlocks = {capability.key: unlocked(capability, rules) for capability in CAPABILITIES}
    code = exit_code(found)
    if arguments.format == "json":
        sys.stdout.write(as_json(found, unlocks, code))
    else:
        sys.stdout.write(render(found, unlocks, code))
    return code


def exit_code(found: Examination) -> int:
    """4 without an identity, 3 if something that a scan needs is missing or could not be found out, else 0."""
    if found.principal is None:
        return EXIT_NO_IDENTITY
    essential = {capability.key for capability in CAPABILITIES if capability.essential}
    short_of = [check for check in found.checks if check.capability in essential and check.state not in _FINE]
    return EXIT_INCOMPLETE if short_of else 0


_FINE = ("yes", "not probed")


def as_json(found: Examination, unlocks: dict[str, list[str]], code: int) -> str:
    """Everything that was found out, for machines."""
    told = msgspec.to_builtins(found)
    reads = {capability.key: capability.reads for capability in CAPABILITIES}
    for check in told["checks"]:
        check["reads"] = list(reads[check["capability"]])
        check["rules"] = unlocks[check["capability"]]
    return json.dumps({**told, "exit_code": code}, indent=2, ensure_ascii=False) + "\n"


# --- which rules need what ---


def unlocked(capability: Capability, rules: Sequence[Rule]) -> list[str]:
    """Ids of the rules that judge by what a capability shows."""
    return [rule.id for rule in rules if any(_depends(rule, pattern, capability) for pattern in rule.resources)]


def _depends(rule: Rule, pattern: str, capability: Capability) -> bool:
    pattern = pattern.lower()
    if "*" in capability.judges:
        return pattern not in _OF_THE_TENANT
    judged = [kind for kind in capability.judges if fnmatchcase(kind.lower(), pattern)]
    if pattern not in {kind.lower() for kind in judged}:
        # A pattern is about everything in the subscriptions; about something of the tenant where the rule allows it.
        judged = [kind for kind in judged if kind.lower() in _OF_THE_TENANT and _may_judge(rule, kind)]
    return bool(judged) and (not capability.licensed or any(_licensed(kind, rule.require) for kind in judged))


def _may_judge(rule: Rule, kind: str) -> bool:
    """Whether a rule could apply to a resource of a type of which nothing else is known."""
    if rule.where is None:
        return True
    nothing = Unknown(reason="not read")
    facts = dict.fromkeys((path.removeprefix("facts.").split(".")[0] for path in rule.paths), nothing)
    subject = Resource(id=f"/{kind.lower()}", shown_id=f"/{kind}", type=kind, name="", properties=nothing, facts=facts)
    return rule.where(subject, Scope(subject, rule.info.params)) is not False


def _licensed(kind: str, require: Requirement) -> bool:
    """Whether a requirement names a log category that only a licence offers."""
    return any((known := category(kind, name)) and known.licence not in ("", "Free") for name in _categories(require))


def _categories(require: Requirement) -> Iterator[str]:
    if isinstance(require, Logs):
        yield from require.categories
    elif isinstance(require, AnyOf | AllOf):
        for option in require.parts:
            yield from _categories(option)

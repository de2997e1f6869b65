"""`rules new`: a rule file to start from, filled in with what the catalog knows of the type."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from auditor.catalog import Category, LogType, canonical_type, catalog, known_type
from auditor.cli.output import write_text
from auditor.errors import AuditorError, RuleError
from auditor.formats.words import capital, noun
from auditor.rule import FILL_IN, parse_rule

WIDTH = 110


def new(arguments: argparse.Namespace) -> int:
    """Write a rule file that loads, and whose tests pass, as it stands."""
    file = Path(arguments.output) / f"{arguments.id}.yaml"
    if file.exists():
        raise AuditorError(f"{file}: is there already", "choose another id, or edit that file")
    text = rule_text(arguments.id, arguments.resource)
    try:
        parse_rule(text, str(file))
    except RuleError as error:
        raise AuditorError(error.problem, error.hint) from None
    write_text(file, [text])
    print(f"{file}\ntest it:  auditor rules test {arguments.output}", file=sys.stderr)
    return 0


_TYPE = r"[A-Za-z][A-Za-z0-9.]*(/[A-Za-z0-9]+)+"


def rule_text(rule_id: str, resource_type: str) -> str:
    """A rule about the logs of a type; about its properties where no log of it is known."""
    known = catalog().get(resource_type.lower())
    if not known_type(resource_type):
        names = [log_type.name for log_type in catalog().values()]
        near = get_close_matches(resource_type, names, n=1, cutoff=0.8)
        if near or not re.fullmatch(_TYPE, resource_type, re.ASCII):
            raise AuditorError(
                f'"{resource_type}" is no resource type that is known to log',
                f'did you mean "{near[0]}"?' if near else "write it as Azure does: Microsoft.KeyVault/vaults",
            )
    categories = _wanted(known) if known else []
    name = canonical_type(resource_type)
    return "\n".join(_logs(rule_id, name, known, categories) if known and categories else _fields(rule_id, name)) + "\n"


def _wanted(known: LogType) -> list[Category]:
    """What is worth asking for: audit and security, else traffic, else everything."""
    offered = [category for category in known.categories if not category.own]
    audit = [c for c in offered if c.audit or c.relevance in ("audit", "security")]
    return audit or [c for c in offered if c.relevance == "traffic"] or offered


def _logs(rule_id: str, name: str, known: LogType, wanted: list[Category]) -> Iterator[str]:
    names = [_plain(c.name) for c in wanted]
    rest = [c for c in known.categories if c not in wanted and not c.own]
    things = noun(name, 2)
    yield "# yaml-language-server: $schema=rule.schema.json"
    yield f"id: {rule_id}"
    yield f"title: {capital(things)} export their {'audit ' if rest else ''}logs"
    yield from ("severity: medium", f"resource: {name}", "require:")
    yield from _listed("  logs: ", names)
    if rest:
        yield "  # It can log these as well, which are about its operation:"
        yield from (
            f"  #   {c.name}{f' ({c.display_name})' if c.display_name not in ('', c.name) else ''}" for c in rest
        )
    yield "message: $name sends no $missing log to any destination that exists."
    yield from _why(f"Which questions about {things} stay open?")
    yield from _remediation(wanted, pseudo=known.pseudo)
    yield from (
        "",
        "tests:",
        "  - name: each category counts when it reaches a destination that is not gone",
        "    given:",
    )
    yield from _listed("      - {name: exported, settings: [{categories: ", names, ", to: log-analytics}]}")
    yield "      - {name: all-logs, settings: [{groups: [allLogs], to: storage}]}"
    yield "      - {name: deleted-workspace, settings: [{groups: [allLogs], to: {kind: log-analytics, exists: false}}]}"
    yield from ("      - {name: bare}", "      - {name: denied, settings: unknown}")
    yield "    expect: {exported: pass, all-logs: pass, deleted-workspace: fail, bare: fail, denied: unknown}"
    if len(names) > 1:
        yield from ("  - name: each of the categories is asked for", "    given:")
        for number, one in enumerate(names, 1):
            lacking = f"{{groups: [allLogs], without: [{one}], to: storage}}"
            yield f"      - {{name: without-{number}, settings: [{lacking}]}}"
        yield "    expect:"
        yield from (f"      without-{number}: fail" for number in range(1, len(names) + 1))
    yield "  - name: what does not offer them is not judged by them"
    yield from ("    given: [{name: other-tier, offers: []}]", "    expect: {other-tier: not-applicable}")


def _fields(rule_id: str, name: str) -> Iterator[str]:
    things = noun(name, 2)
    yield "# yaml-language-server: $schema=rule.schema.json"
    yield f"# No log of {name} is known, so this asks for one of its properties."
    yield f"id: {rule_id}"
    yield f"title: {FILL_IN} the state of {things} that ought to hold"
    yield from ("severity: medium", f"resource: {name}", "require:", "  match: {properties.enabled: true}")
    yield f"message: $name {FILL_IN} what is wrong with it."
    yield "evidence: [properties.enabled]"
    yield from _why(f"Which questions about {things} stay open?")
    yield from ("remediation:", "  cli: |", f"    # {FILL_IN} the command", '    az resource update --ids "$id"')
    yield from ("", "tests:", "  - name: the property decides", "    given:")
    yield "      - {name: enabled, properties: {enabled: true}}"
    yield from (
        "      - {name: disabled, properties: {enabled: false}}",
        "      - {name: unreadable, properties: unknown}",
    )
    yield "    expect: {enabled: pass, disabled: fail, unreadable: unknown}"


def _why(question: str) -> Iterator[str]:
    yield from ("", "rationale: >-", f"  {FILL_IN} in two sentences why anyone should care.")
    yield from ("blind_to:", f'  questions: ["{FILL_IN} {question}"]')


def _remediation(wanted: list[Category], *, pseudo: bool) -> Iterator[str]:
    if pseudo:
        yield from ("remediation:", "  portal: >-", f"    {FILL_IN} where such a setting is made.")
        return
    logs = [f'{{"category": "{c.name}", "enabled": true}}' for c in wanted]
    yield from ("remediation:", "  cli: |")
    yield '    az monitor diagnostic-settings create --name audit-to-workspace --resource "$id" \\'
    yield '      --workspace "$$WORKSPACE_ID" \\'
    for i, log in enumerate(logs):
        start, end = "      --logs '[" if i == 0 else " " * 15, "]'" if i == len(logs) - 1 else ","
        yield f"{start}{log}{end}"
    yield from ("  terraform: |", '    resource "azurerm_monitor_diagnostic_setting" "audit" {')
    yield '      name                       = "audit-to-workspace"'
    yield '      target_resource_id         = "$id"'
    yield "      log_analytics_workspace_id = var.workspace_id"
    yield ""
    for category in wanted:
        yield from ("      enabled_log {", f"        category = {json.dumps(category.name)}", "      }")
    yield "    }"


def _plain(name: str) -> str:
    """A name as YAML takes it without a second meaning."""
    odd = name.lower() in ("on", "off", "yes", "no", "true", "false", "null", "y", "n")
    return name if re.fullmatch(r"[A-Za-z][\w.-]*", name) and not odd else json.dumps(name)


def _listed(start: str, names: list[str], end: str = "") -> Iterator[str]:
    """A list in brackets, over as many lines as it takes."""
    line, indent = f"{start}[", " " * (len(start) + 1)
    for i, name in enumerate(names):
        piece = name + ("," if i < len(names) - 1 else f"]{end}")
        if len(line) + len(piece) > WIDTH and line.strip() not in ("", "["):
            yield line.rstrip()
            line = indent
        line += f"{piece} "
    yield line.rstrip()

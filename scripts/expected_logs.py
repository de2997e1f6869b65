"""The page of which logs are expected of which type, and which rule asks for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from itertools import groupby
from pathlib import Path

from rule_pages import ROOT, rules

from auditor.catalog import Category as CatalogCategory
from auditor.catalog import LogType, as_of, catalog
from auditor.facts.evidence import expected_when
from auditor.formats.safe import m, m_code
from auditor.formats.words import count, type_label
from auditor.rule import AllOf, AnyOf, Logs, Requirement, Rule
from auditor.strict_yaml import load

FILE = "docs/expected-logs.md"
SECURITY, AUDIT = "resource-security-logs-exported", "resource-audit-logs-exported"
# Rules that ask for a log by a fact, which is more than its category in a setting: (rule, type, category).
BY_FACT = (
    ("management-group-activity-exported", "Microsoft.Management/managementGroups", "Administrative"),
    ("management-group-activity-exported", "Microsoft.Management/managementGroups", "Policy"),
    ("public-nsg-flow-logs", "Microsoft.Network/networkSecurityGroups", "FlowLog"),
    ("sql-audit-on-master", "Microsoft.Sql/servers/databases", "SQLSecurityAuditEvents"),
    ("sql-database-auditing", "Microsoft.Sql/servers/databases", "SQLSecurityAuditEvents"),
    ("sql-support-auditing", "Microsoft.Sql/servers/databases", "DevOpsOperationsAudit"),
    ("synapse-sql-auditing", "Microsoft.Synapse/workspaces", "SQLSecurityAuditEvents"),
    ("sql-database-auditing", "Microsoft.Synapse/workspaces/sqlPools", "SQLSecurityAuditEvents"),
    ("virtual-network-flow-logs", "Microsoft.Network/virtualNetworks", "FlowLog"),
)
INTRO = """\
# Which logs are expected

{types} with {categories} of logs, as of {as_of}. Of a resource only what it says itself that it offers is
expected: its own list of categories outranks this page. A type or category that this page does not know is reported,
and never judged by guess; but what a resource's group `audit` holds is expected, new or not.

- **Kind**: what a category is evidence of. `audit`: who did what; `security`: what a protection saw; `traffic`: who
  talked to whom; `operational`: how the service fares.
- **Expected**: whether it counts as a log source in the coverage map, and as a gap where it is not exported.
- **Asked for by**: the rules that fail without it, with their severity; a dash where only the map tells. Beyond these,
  [{audit}](rules/{audit}.md) asks for all that the group `audit` holds, of which Azure
  publishes little, and [{any}](rules/{any}.md) for any one log of every type.

Machines log by agents, and not by categories: [{machines}](rules/{machines}.md).
"""


def page() -> str:
    """Every type that can log by namespace, with each of its categories."""
    known = catalog()
    total = sum(len(one.categories) for one in known.values())
    lines = [INTRO.format(types=count(len(known), "type"), categories=f"{total} categories", as_of=as_of(), audit=AUDIT,
                          any="resource-logs-exported", machines="machine-security-events")]  # fmt: skip
    ordered = sorted(known.items())
    for _, members in groupby(ordered, key=lambda item: item[0].partition("/")[0]):
        types = [one for _, one in members]
        lines += [f"## {m(types[0].name.partition('/')[0])}", ""]
        lines += ["| Type | Category | Kind | Expected | Asked for by |", "|-|-|-|-|-|"]
        lines += [line for one in types for line in _rows(one)]
        lines.append("")
    return "\n".join(lines)


def asked_by(resource_type: str, category: CatalogCategory) -> list[Rule]:
    """The rules that ask for a category of a type by name, or else the one that asks for whatever is evidence."""
    kind, name = resource_type.lower(), category.name.lower()
    named = {rule for rule, of, what in BY_FACT if (of.lower(), what.lower()) == (kind, name)}
    named |= {rule.id for rule in rules() if name in _categories(rule.require) and _judges(rule, kind)}
    if category.audit:
        named.add(AUDIT)
    if not named and kind not in _with_own_rules() and expected_when(resource_type, category.name):
        named.add(SECURITY)
    return [rule for rule in rules() if rule.id in named]


def _rows(one: LogType) -> Iterator[str]:
    shown = f"{m(type_label(one.name))}<br>{m_code(one.name)}"
    if not one.categories:
        yield f"| {shown} | none is published | | what it offers in its group `audit` | {_link(AUDIT)} |"
    for category in sorted(one.categories, key=lambda c: c.name.lower()):
        when = expected_when(one.name, category.name)
        asking = ", ".join(_told(rule) for rule in asked_by(one.name, category))
        yield f"| {shown} | {m(category.name)} | {category.relevance} | {m(when) or 'no'} | {asking or '–'} |"
        shown = ""


def _told(rule: Rule) -> str:
    graver = "".join(f" or {case.severity}" for case in rule.info.severity_when[:1])
    return f"{_link(rule.id)} ({rule.info.severity}{graver}{', optional' if rule.optional else ''})"


def _link(rule_id: str) -> str:
    return f"[{rule_id}](rules/{rule_id}.md)"


def _categories(require: Requirement) -> frozenset[str]:
    if isinstance(require, Logs):
        return frozenset(name.lower() for name in require.categories)
    if isinstance(require, AnyOf | AllOf):
        return frozenset[str]().union(*(_categories(part) for part in require.parts))
    return frozenset()


def _judges(rule: Rule, kind: str) -> bool:
    return any(fnmatchcase(kind, pattern.lower()) for pattern in rule.resources)


@cache
def _with_own_rules() -> frozenset[str]:
    """The types that the rule on whatever is evidence leaves to others, as its file says."""
    file = next(rule.file for rule in rules() if rule.id == SECURITY)
    written, _ = load(Path(ROOT, file).read_text(encoding="utf-8"), file)
    where: Mapping[str, Mapping[str, list[str]]] = written["where"]
    return frozenset(name.lower() for name in where["type"]["not"])

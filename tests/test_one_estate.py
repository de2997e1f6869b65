"""One estate, every input: what a file tells of Contoso is judged as Contoso itself is, and each exception has its why.

The answers are those of `expected.yaml`, decided by hand for the estate that is read from Azure. A form of it in code
holds part of the resources; of what both hold, rule by rule, the same must be found.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field

import pytest
import yaml
from conftest import CONTOSO

from auditor.applicable import applicable
from auditor.assemble import assemble
from auditor.judge import judge
from auditor.rule import load_rules
from auditor.sources import open_file

# Rules of which a file may not know what Azure tells: its answer may be `unknown`, or none. It is never another one.
NOT_TOLD = {
    "keyvault-logs-or-defender": "which plans of Defender are on is not in the file",
    "sql-audit-or-defender": "which plans of Defender are on is not in the file",
    "keyvault-policy-evaluation-logs": "what the group audit contains is told by Azure alone",
    "log-destination-delete-lock": "the lock of a resource group stands elsewhere",
    "flow-log-delivers": "the storage account is another team's",
    "flow-log-retention": "the storage account is another team's, and a rule there may delete sooner",
    "resource-logs-same-region": "the places are other teams', and so are their regions",
    "sql-audit-retention": "the storage account is another team's",
    "table-retention": "the tables that Azure makes are in no file",
    "virtual-network-dns-logs": "policies of DNS are made elsewhere",
    "api-management-portal-logs": "azurerm does not say whether the developer portal is on",
}
# Rules that ask about what Azure lists of each resource; a file has the catalog instead, which differs.
OF_AZURE = {"resource-audit-logs-exported": "what the group audit contains is told by Azure alone"}
# What stands in the file as part of something else.
NOT_THERE = {"master": "Azure makes the database master with its server; no file declares it"}


@dataclass
class Form:
    """A form of Contoso: where it is, and what is particular to it: (rule, name of the subject) → (status, why)."""

    place: str
    least: int  # answers that are the same
    odd: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)


_SUFFIX = "a plan does not tell the database master from its server"
_PERHAPS = {
    ("diagnostic-setting-without-logs", "sqldb-crm"),
    ("diagnostic-setting-without-logs", "sqldb-pay"),
    ("resource-logs-sent-twice", "sqldb-pay"),
    ("sql-audit-on-master", "sql-crm-prod"),
    ("sql-audit-on-master", "sql-pay-prod"),
    ("sql-database-auditing", "sqldb-crm"),
    ("sql-database-auditing", "sqldb-pay"),
    ("sql-server-auditing", "sql-crm-prod"),
    ("sql-server-auditing", "sql-pay-prod"),
    ("sql-support-auditing", "sql-pay-prod"),
}
FORMS = {
    "terraform-plan": Form(
        place="contoso.plan.json",
        least=300,
        odd={
            **dict.fromkeys(_PERHAPS, ("unknown", _SUFFIX)),
            **{
                ("diagnostic-setting-room", name): ("pass", f"{_SUFFIX}, so that this one may have two settings")
                for name in ("sqldb-crm", "sqldb-pay")
            },
            ("resource-logs-sent-twice", "sqldb-crm"): ("pass", f"{_SUFFIX}, so that this one may have two settings"),
        },
    ),
    "terraform": Form(place="terraform", least=300),
    "arm": Form(place="contoso.template.json", least=300),
}
RULES = load_rules()


@pytest.fixture(scope="module")
def expected():
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    sheet = yaml.load((CONTOSO / "expected.yaml").read_text(encoding="utf-8"), Loader=loader)
    return {
        (rule, subject.lower()): answer["status"]
        for rule, answers in sheet.items()
        for subject, answer in answers.items()
    }


@pytest.mark.parametrize("name", FORMS)
def test_a_form_of_the_estate_is_judged_as_the_estate_is(name, expected):
    form = FORMS[name]
    collection = open_file(CONTOSO / form.place)
    asked = applicable(RULES, collection.run.source, collection.run.declares)
    report = judge(assemble(collection, today="2026-11-22"), asked)
    told = {(f.rule, f.subject.id.lower()): f.status for f in report.findings if f.status != "not-applicable"}
    made = [str(document["id"]).lower() for document in collection.documents if "properties" in document]
    rules = {rule.id for rule in asked}
    found = {key: status for key, status in told.items() if _is_made(key[1], made)}
    wanted = {
        (rule, subject): status
        for (rule, subject), status in expected.items()
        if rule in rules and status != "not-applicable" and _is_made(subject, made)
    }
    same, wrong, odd, used = 0, [], {}, set()
    for rule, subject in sorted(wanted.keys() | found.keys()):
        called, want, got = subject.rpartition("/")[2], wanted.get((rule, subject)), found.get((rule, subject))
        if (rule, called) in form.odd and got == form.odd[rule, called][0]:
            odd[rule, called] = got
        elif want == got:
            same += 1
        elif rule in OF_AZURE or (got is None and called in NOT_THERE):
            continue
        elif rule in NOT_TOLD and (got in ("unknown", None) or want == "unknown"):
            used.add(rule)
        else:
            wrong.append(f"{rule}: {subject}: {want} of the estate, {got} of the file")
    assert wrong == []
    assert odd.keys() == form.odd.keys(), "exceptions that are none any more"
    assert name != "terraform-plan" or used == NOT_TOLD.keys(), "exceptions that are none any more"
    assert same >= form.least


def test_the_template_is_what_the_estate_says():
    command = [sys.executable, "-B", str(CONTOSO / "make_template.py"), "--check"]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr


def _is_made(subject, made):
    """Whether a resource is in the file, or below one that is."""
    return any(subject == key or subject.startswith(f"{key}/") for key in made)

"""The page of which logs are expected, against the catalog and the rules."""

import importlib
from pathlib import Path

import pytest

from auditor.catalog import catalog, category
from auditor.facts.evidence import expected_when
from auditor.rule import load_rules

SCRIPTS = Path(__file__).parents[1] / "scripts"


@pytest.fixture(scope="module")
def script():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPTS))
        yield importlib.import_module("expected_logs")


def test_every_category_of_every_type_has_a_row(script):
    rows = [line for line in script.page().splitlines() if line.startswith("| ") and not line.startswith("| Type ")]
    assert len(rows) == sum(max(len(one.categories), 1) for one in catalog().values())
    assert {line.replace(" | | ", " |  | ").count(" | ") for line in rows} == {4}


def test_a_dash_stands_only_where_other_rules_judge_the_type(script):
    """So that no type goes unasked for only because nobody wrote a rule for it."""
    judged = {kind.lower() for rule in load_rules() for kind in rule.resources}
    for kind, known in catalog().items():
        for one in known.categories:
            if expected_when(kind, one.name) and not script.asked_by(kind, one):
                assert kind in judged, (kind, one.name)


def test_what_rules_ask_for_by_a_fact_is_there(script):
    known = {rule.id for rule in load_rules()}
    for rule, kind, name in script.BY_FACT:
        assert rule in known and category(kind, name) is not None


@pytest.mark.parametrize(
    ("kind", "name", "rules"),
    [
        ("Microsoft.KeyVault/vaults", "AuditEvent",
         {"keyvault-audit-logs", "keyvault-logs-or-defender", "resource-audit-logs-exported"}),
        ("Microsoft.Kubernetes/connectedClusters", "kube-audit-admin", {"kubernetes-audit-logs"}),
        ("nginx.nginxplus/nginxDeployments", "NginxSecurityLogs", {"resource-security-logs-exported"}),
        ("Microsoft.Databricks/workspaces", "dbfs", set()),
    ],
)  # fmt: skip
def test_who_asks(script, kind, name, rules):
    assert rules <= {rule.id for rule in script.asked_by(kind, category(kind, name))}
    if not rules:
        assert script.asked_by(kind, category(kind, name)) == []

"""The rules that keep silent until somebody says what counts, on Contoso and with Contoso's own configuration."""

from argparse import Namespace

import pytest
from conftest import CONTOSO

from auditor.assemble import assemble
from auditor.cli.choosing import chosen_rules
from auditor.config import AcceptedDestinations, Configuration, RulesFile, read_configuration
from auditor.judge import judge

ALL = Namespace(rules=[], select=["*-accepted-destination", "log-destination-location"], ignore=[], profile=None)
# Rule → the end of a subject's id → status, decided by hand. Accepted are law-contoso-sec and -net, the SIEM's hubs,
# and what carries the tag logs=central, which nothing does.
ANSWERS = {
    "activity-log-accepted-destination": {
        "contoso-prod": "fail",  # Policy and Alert go to an archive only
        "contoso-shared": "pass",  # all of it goes to law-contoso-sec
        "contoso-dev": "fail",  # what is exported goes to law-contoso-dev
        "contoso-ma-legacy": "unknown",  # nothing of it may be read
    },
    "entra-logs-accepted-destination": {
        "contoso.com": "fail"  # the non-interactive sign-ins go nowhere
    },
    "log-destination-location": {
        "law-contoso-sec": "pass",  # West Europe
        "stcontosoarchuks": "fail",  # UK South
        "law-msp-soc": "unknown",  # may not be read
        "law-contoso-old": None,  # is gone
    },
    "resource-logs-accepted-destination": {
        "kv-pay-prod-01": "pass",  # to law-contoso-sec
        "kv-shop-prod-02": "pass",  # the audit events go to the SIEM
        "kv-shop-prod-04": "fail",  # to an archive
        "kv-crm-prod-03": "fail",  # to a partner
        "kv-crm-prod-04": "unknown",  # to a workspace whose tags may not be read
        "kv-crm-prod-05": "fail",  # to the provider's workspace, which carries no such tag
        "kv-hr-prod-02": "pass",  # to both
        "kv-docs-dev-01": "fail",  # to law-contoso-dev
        "kv-board-prod-01": "unknown",  # its settings may not be read
    },
}


def statuses(collection, configuration):
    """Rule → subject's name → status."""
    found = {rule: {} for rule in ANSWERS}
    for finding in judge(assemble(collection), chosen_rules(ALL, configuration)).findings:
        found[finding.rule][finding.subject.name] = finding.status
    return found


@pytest.fixture(scope="module")
def named(collection):
    return statuses(collection, read_configuration(str(CONTOSO / "auditor.yaml")))


@pytest.mark.parametrize("rule", ANSWERS)
def test_answers_once_destinations_are_accepted(rule, named):
    assert {name: named[rule].get(name) for name in ANSWERS[rule]} == ANSWERS[rule]


def test_only_exporting_resources_of_the_scan_are_asked(named):
    assert "kv-loans-prod-03" not in named["resource-logs-accepted-destination"]  # metrics only
    assert "contoso-retired" not in named["activity-log-accepted-destination"]  # its only destination is gone


def test_nothing_is_asked_by_default(collection):
    assert not any(statuses(collection, Configuration()).values())


def test_ids_alone_leave_no_doubt_about_tags(collection):
    accepted = AcceptedDestinations(ids=["*/workspaces/law-contoso-sec"])
    found = statuses(collection, Configuration(rules=RulesFile(accepted_destinations=accepted)))
    assert found["resource-logs-accepted-destination"]["kv-crm-prod-04"] == "fail"


def test_a_rules_own_parameters_outrank_what_is_said_once(collection):
    rules = RulesFile(
        accepted_destinations=AcceptedDestinations(ids=["nowhere"]),
        params={"activity-log-accepted-destination": {"accepted": ["log-analytics"]}},
    )
    found = statuses(collection, Configuration(rules=rules))
    assert found["activity-log-accepted-destination"]["contoso-shared"] == "pass"
    assert found["resource-logs-accepted-destination"]["kv-pay-prod-01"] == "fail"

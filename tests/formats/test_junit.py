"""JUnit XML: what a pipeline's page of tests makes of the findings."""

import xml.etree.ElementTree as ET

import msgspec
import pytest
from coded import CAP, ID, RULE, at, coded_report, found

from auditor.formats import junit
from auditor.report import AcceptanceInfo

ACCEPTANCE = AcceptanceInfo(key="a-1", rule=RULE.id, reason="Synthetic secrets", approved_by="P. Nilsen",
                            created="2026-01-01", expires="2027-03-31", days_left=129, state="in force", findings=1)  # fmt: skip


def read(report):
    return ET.fromstring(junit.render(report))


@pytest.fixture(scope="module")
def suites():
    return read(coded_report(acceptances=[ACCEPTANCE]))


def case(suites, name):
    return next(case for case in suites.iter("testcase") if case.get("name") == name)


def test_a_suite_for_each_rule_and_a_case_for_each_subject_that_it_judged(suites):
    told = {
        suite.get("name"): {key: suite.get(key) for key in ("tests", "failures", "skipped", "errors")}
        for suite in suites
    }
    assert told == {
        RULE.id: {"tests": "10", "failures": "6", "skipped": "3", "errors": "0"},
        CAP.id: {"tests": "1", "failures": "1", "skipped": "0", "errors": "0"},
    }
    assert (suites.get("tests"), suites.get("failures"), suites.get("skipped")) == ("11", "7", "3")


def test_the_sums_are_those_of_the_cases(suites, realistic):
    for tree in (suites, read(realistic)):
        for part in (tree, *tree):
            cases = list(part.iter("testcase"))
            assert int(part.get("tests")) == len(cases)
            assert int(part.get("failures")) == sum(one.find("failure") is not None for one in cases)
            assert int(part.get("skipped")) == sum(one.find("skipped") is not None for one in cases)


def test_a_failure_says_what_where_and_how_to_mend_it(suites):
    one = case(suites, "azurerm_key_vault.one")
    assert (one.get("classname"), one.get("file"), one.get("line")) == (RULE.id, "infra/prod/main.tf", "12")
    (failure,) = one
    assert failure.get("type") == "high"
    assert failure.get("message") == "kv-one sends no AuditEvent log to any destination that exists."
    assert failure.text.splitlines()[1:] == [
        "infra/prod/main.tf:12",
        f"{ID}kv-one",
        "",
        "How to mend it (Azure CLI):",
        f'az monitor diagnostic-settings create --resource "{ID}kv-one"',
    ]


def test_a_graver_failure_says_why(suites):
    (failure,) = case(suites, 'azurerm_key_vault.each["b"]')
    assert failure.get("type") == "critical"
    assert "\nCritical: it is prod\n" in failure.text


def test_what_passes_is_a_case_too(suites):
    assert list(case(suites, "azurerm_key_vault.ok")) == []


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("unknown", "Cannot tell for kv-unknown: var.workspace is known after the apply"),
        ("accepted", "Accepted: Synthetic secrets (P. Nilsen, until 31 Mar 2027)"),
        ("known", "Fails, as it did in the baseline: kv-known sends no AuditEvent log to any destination that exists."),
    ],
)
def test_what_the_gate_lets_pass_is_skipped_with_the_reason(suites, name, why):
    (skipped,) = case(suites, f"azurerm_key_vault.{name}")
    assert skipped.tag == "skipped"
    assert skipped.get("message") == why


def test_what_no_file_makes_is_named_by_its_id_alone(realistic):
    cases = list(read(realistic).iter("testcase"))
    assert len(cases) == sum(finding.status != "not-applicable" for finding in realistic.findings)
    assert not any(one.get("file") for one in cases)
    assert any(one.get("name").startswith("/subscriptions/") for one in cases)


def test_nothing_to_judge_and_names_of_others(empty, hostile):
    assert list(read(empty)) == []
    assert len(list(read(hostile).iter("failure"))) == sum(finding.status == "fail" for finding in hostile.findings)


def test_long_texts_are_cut():
    rule = msgspec.structs.replace(RULE, remediation={"cli": "x" * 9000})
    report = coded_report([found("kv", origin=at(1, "a" * 5000), message="m" * 5000)])
    (one,) = read(msgspec.structs.replace(report, rules=[rule])).iter("testcase")
    assert len(one.get("name")) == 1000
    assert one[0].text.endswith("… 7,000 characters more: auditor rules show keyvault-audit-logs")

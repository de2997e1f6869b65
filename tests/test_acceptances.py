"""Accepted risks: what a file may say, what it changes in a report, and what it never changes."""

import msgspec
import pytest
from conftest import CONTOSO

from auditor.acceptances import Acceptances, as_of, compare, parse_acceptances, read_acceptances, with_acceptances
from auditor.assemble import assemble
from auditor.controls import with_controls
from auditor.errors import RuleError
from auditor.formats.json import parse, render
from auditor.judge import judge
from auditor.parts import Held, judge_in_parts
from auditor.profile import apply, read_profile
from auditor.rule import load_rules
from auditor.sums import by_rule, count_findings, last_line, tally_rows

RULES = ["keyvault-audit-logs", "storage-blob-access-logs", "storage-queue-access-logs"]
TODAY = "2026-11-22"
GOOD = {
    "rule": "keyvault-audit-logs",
    "scope": "*/kv-lab-*",
    "reason": "Lab",
    "approved_by": "P. Nilsen",
    "created": "2026-09-30",
    "expires": "2027-03-31",
}


def text(*entries):
    return msgspec.yaml.encode(list(entries)).decode()


def made(*entries, today=TODAY):
    return Acceptances(all=tuple(parse_acceptances(text(*entries), "a.yaml", RULES)), today=today)


BAD = {
    "a rule that is none": ({"rule": "keyvault-audit-log"}, "there is no rule", 'did you mean "keyvault-audit-logs"?'),
    "an empty reason": ({"reason": " "}, '"reason" is empty', ""),
    "nobody": ({"approved_by": ""}, '"approved_by" is empty', ""),
    "no scope": ({"scope": ""}, "names no scope", "tags"),
    "a tag without a name": ({"tags": ["=x"]}, "a tag without a name", "name=value"),
    "a day that is none": ({"expires": "2027-02-30"}, '"expires" is not a day', "2027-03-31"),
    "a day in another form": ({"created": "20260930"}, '"created" is not a day', ""),
    "longer than a year": ({"expires": "2027-10-02"}, "to last 367 days", "12 months"),
    "backwards": ({"expires": "2026-09-01"}, "before it was created", ""),
    "very long": ({"reason": "x" * 3000}, "longer than 2,000", ""),
}


@pytest.mark.parametrize(("change", "problem", "hint"), BAD.values(), ids=BAD)
def test_what_is_refused(change, problem, hint):
    with pytest.raises(RuleError, match=r"a\.yaml:\d+: ") as error:
        made({**GOOD, "rule": "storage-*", "scope": "x"}, {**GOOD, **change})
    assert problem in error.value.problem
    assert hint in error.value.hint


def test_one_from_years_ahead_is_refused_and_a_decision_after_the_evidence_holds():
    far = made({**GOOD, "created": "2062-09-30", "expires": "2063-03-31"}).all
    with pytest.raises(RuleError, match=r"a\.yaml:\d+: .created. is 13,096 days ahead"):
        as_of(far, TODAY)
    (later,) = made({**GOOD, "created": "2027-01-30"}).all
    assert as_of((later,), TODAY).holds(later)


def test_a_misspelt_key_names_its_line_and_the_one_meant():
    with pytest.raises(RuleError, match='unknown key "approver"') as error:
        parse_acceptances("- rule: keyvault-audit-logs\n  approver: x\n", "a.yaml", RULES)
    assert error.value.line == 2


def test_twice_is_refused():
    with pytest.raises(RuleError, match="accepted twice"):
        made(GOOD, {**GOOD, "scope": GOOD["scope"].upper(), "reason": "again"})


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(RuleError, match="No such file"):
        read_acceptances(tmp_path / "none.yaml", RULES, TODAY)


def test_an_empty_file_accepts_nothing():
    assert parse_acceptances("# nothing yet\n", "a.yaml", RULES) == []


SPEAKS = [
    ({}, "keyvault-audit-logs", "/subscriptions/S/resourceGroups/R/providers/Microsoft.KeyVault/vaults/KV-LAB-1", {}, True),
    ({}, "keyvault-audit-logs", "/subscriptions/s/resourceGroups/r/providers/Microsoft.KeyVault/vaults/kv-prod", {}, False),
    ({}, "storage-blob-access-logs", "/x/kv-lab-1", {}, False),
    ({"rule": "storage-*"}, "storage-blob-access-logs", "/x/kv-lab-1", {}, True),
    ({"scope": "*/kv[0]"}, "keyvault-audit-logs", "/x/kv[0]", {}, True),
    ({"scope": "*/kv[0]"}, "keyvault-audit-logs", "/x/kv0", {}, False),
    ({"scope": "*/st[uniqueString(*)]"}, "keyvault-audit-logs", "/x/st[uniqueString(a, b)]", {}, True),
    ({"scope": "*/kv?"}, "keyvault-audit-logs", "/x/kv1", {}, False),
    ({"scope": "", "tags": ["env=lab"]}, "keyvault-audit-logs", "/x", {"Env": "LAB"}, True),
    ({"scope": "", "tags": ["env=lab"]}, "keyvault-audit-logs", "/x", {"env": "prod"}, False),
    ({"scope": "", "tags": ["env"]}, "keyvault-audit-logs", "/x", {"env": "prod"}, True),
    ({"scope": "", "tags": ["env=lab", "team=a*"]}, "keyvault-audit-logs", "/x", {"env": "lab", "team": "b"}, False),
    ({"tags": ["env=lab"]}, "keyvault-audit-logs", "/x/kv-lab-1", {}, False),
]  # fmt: skip


@pytest.mark.parametrize(("change", "rule", "subject", "tags", "speaks"), SPEAKS)
def test_what_an_acceptance_speaks_of(change, rule, subject, tags, speaks):
    assert (made({**GOOD, **change}).of(rule, subject, tags) is not None) is speaks


@pytest.mark.parametrize(("today", "holds"), [("2027-03-31", True), ("2027-04-01", False)])
def test_the_last_day_still_counts(today, holds):
    acceptances = made(GOOD, today=today)
    assert acceptances.holds(acceptances.all[0]) is holds


def test_one_in_force_is_found_before_one_that_expired():
    old = {**GOOD, "scope": "*/kv-*", "created": "2026-01-01", "expires": "2026-02-01"}
    assert made(old, GOOD).of("keyvault-audit-logs", "/x/kv-lab-1", {}).written.expires == "2027-03-31"


# --- in a report ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def acceptances():
    return read_acceptances(CONTOSO / "acceptances.yaml", [rule.id for rule in load_rules()], TODAY)


@pytest.fixture(scope="module")
def accepted(collection, acceptances):
    return with_acceptances(judge(assemble(collection), load_rules(), acceptances=acceptances), acceptances)


def test_only_failures_change_and_only_to_accepted(report, accepted):
    changed = [
        (was, now) for was, now in zip(report.findings, accepted.findings, strict=True) if was.status != now.status
    ]
    assert {(was.status, now.status) for was, now in changed} == {("fail", "accepted")}
    assert {now.subject.resource_group for _, now in changed} == {"rg-docs-dev"}
    assert len(changed) == 4


def test_what_became_of_each(accepted):
    assert [(info.state, info.findings, info.days_left) for info in accepted.acceptances] == [
        ("in force", 4, 129),
        ("expired", 1, -21),
        ("unused", 0, 39),
    ]
    expired = [f for f in accepted.findings if f.acceptance == accepted.acceptances[1].key]
    assert [(f.status, f.subject.name) for f in expired] == [("fail", "kv-hr-dev-01")]


def test_accepting_never_raises_coverage(report, accepted):
    before, after = tally_rows(report.coverage), tally_rows(accepted.coverage)
    assert after.accepted == 9  # three categories of each service but of blobs, which another rule asks for, too
    assert (after.exported, after.expected, after.assessed) == (before.exported, before.expected, before.assessed)
    assert after.coverage == before.coverage
    assert after.missing + after.partly == before.missing + before.partly - 9


def test_it_is_counted(report, accepted):
    counts, before = count_findings(accepted), count_findings(report)
    assert counts["accepted"] == 4
    assert counts["fail"] == before["fail"] - 4
    assert ", 4 accepted, " in last_line(accepted)
    blob = next(result for result in by_rule(accepted) if result.info.id == "storage-blob-access-logs")
    assert blob.assessed == next(r for r in by_rule(report) if r.info.id == blob.info.id).assessed


def test_a_rule_whose_failures_are_all_accepted_is_accepted_not_passed(report):
    result = next(r for r in by_rule(report) if r.failed and not r.unknown)
    findings = [
        msgspec.structs.replace(f, status="accepted" if f.status == "fail" else f.status) for f in result.findings
    ]
    assert msgspec.structs.replace(result, findings=findings).outcome == "accepted"


def test_a_control_is_not_met_by_accepting(report):
    """Whoever accepts every failure of a rule has not met what the framework asks."""
    choice = apply(read_profile("cis-azure-3.0"), load_rules())
    kept = [f for f in report.findings if f.rule == "keyvault-audit-logs" and f.status in ("fail", "pass")]
    findings = [msgspec.structs.replace(f, status="accepted" if f.status == "fail" else "pass") for f in kept]
    told = with_controls(msgspec.structs.replace(report, findings=findings), choice)
    (control,) = (c for f in told.frameworks if f.profile == "cis-azure-3.0" for c in f.controls if c.id == "6.1.4")
    assert (control.status, control.because) == ("fail", "what fails is an accepted risk")


def test_in_parts_it_comes_out_the_same(collection, accepted, acceptances):
    parts = judge_in_parts(Held(collection), load_rules, size=1, acceptances=acceptances)
    assert with_acceptances(parts, acceptances) == accepted


def test_the_findings_file_holds_it(accepted):
    assert parse(render(accepted).encode(), "f.json") == accepted


def test_a_source_that_another_rule_still_misses_is_not_accepted(collection, report):
    """Several rules miss AuditEvent; while one of them fails, the gap is open."""
    vault = next(f for f in report.findings if f.rule == "keyvault-audit-logs" and f.status == "fail")
    entry = {**GOOD, "rule": "keyvault-*", "scope": vault.subject.id}
    acceptances = made(entry)
    judged = judge(assemble(collection), load_rules(), acceptances=acceptances)
    other = msgspec.structs.replace(
        next(f for f in judged.findings if f.fingerprint == vault.fingerprint), rule="another", status="fail"
    )
    both = msgspec.structs.replace(judged, findings=[*judged.findings, other])

    def states(report):
        row = next(row for row in report.coverage if row.id == vault.subject.id)
        return {cell.category: cell.state for cell in row.cells}

    assert states(with_acceptances(judged, acceptances))["AuditEvent"] == "accepted"
    assert states(with_acceptances(both, acceptances))["AuditEvent"] == "missing"


# --- the baseline ---------------------------------------------------------------------------------------------------


def test_the_same_again_has_nothing_new(report):
    again = compare(report, report)
    fails = count_findings(report)["fail"]
    assert (again.baseline.new, again.baseline.known, again.baseline.fixed, again.baseline.gone) == (0, fails, 0, 0)
    assert {f.is_new for f in again.findings if f.status not in ("fail", "unknown")} == {None}


def test_new_known_fixed_and_gone(report):
    fails = [f for f in report.findings if f.status == "fail"]
    passed = next(f for f in report.findings if f.status == "pass")
    before = [f for f in report.findings if f is not fails[0]]
    before = [msgspec.structs.replace(f, status="fail") if f is passed else f for f in before]
    before.append(msgspec.structs.replace(fails[1], fingerprint="0" * 16))
    told = compare(report, msgspec.structs.replace(report, findings=before))
    assert (told.baseline.new, told.baseline.known) == (1, len(fails) - 1)
    assert (told.baseline.fixed, told.baseline.gone) == (1, 1)
    assert [f.fingerprint for f in told.findings if f.is_new] == [fails[0].fingerprint]
    assert f"{told.baseline.new} new" in last_line(told)

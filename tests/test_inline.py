"""Acceptances in code: what they hold for, for how long, and what they never change."""

import msgspec
import pytest

from auditor.acceptances import Acceptances, with_acceptances
from auditor.assemble import assemble
from auditor.documents import Collection, Run, storage_service_id
from auditor.formats.console import render
from auditor.formats.html import render as render_html
from auditor.formats.markdown import render as render_markdown
from auditor.inline import with_written
from auditor.judge import judge
from auditor.parts import Held, judge_in_parts
from auditor.rule import load_rules
from auditor.sources.comments import acceptances_in, loose
from auditor.sums import tally_rows

RULES = [r for r in load_rules() if r.id in ("keyvault-audit-logs", "storage-blob-access-logs")]
KNOWN = [rule.id for rule in load_rules()]
TODAY = "2026-11-22"
GROUP = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg"


def accepting(rule="keyvault-audit-logs", until="2027-03-31", line=7):
    return acceptances_in(f'# auditor:accept {rule} reason="Lab" until={until}', "main.tf", line)


def vault(name="kv", accept=()):
    shown = f"{GROUP}/providers/Microsoft.KeyVault/vaults/{name}"
    document = {"id": shown, "type": "Microsoft.KeyVault/vaults", "name": name, "properties": {}}
    return {**document, **({"$accept": list(accept)} if accept else {})}


def account(accept):
    shown = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/st"
    return {"id": shown, "type": "Microsoft.Storage/storageAccounts", "name": "st", "kind": "StorageV2",
            "properties": {}, "$accept": list(accept)}  # fmt: skip


def judged(*documents, source="terraform", today=TODAY, parts=False):
    """(report, mistakes) of these documents."""
    collection = Collection(documents=list(documents), run=Run(source=source, finished_at=f"{today}T00:00:00Z"))
    acceptances, mistakes = with_written(Acceptances(today=today), collection, KNOWN)
    if parts:
        report = judge_in_parts(Held(collection), lambda: RULES, now=f"{today}T00:00:00Z", acceptances=acceptances)
    else:
        report = judge(assemble(collection, today=today), RULES, acceptances=acceptances)
    return with_acceptances(report, acceptances), [str(mistake) for mistake in mistakes]


def statuses(report):
    return {finding.subject.name: finding.status for finding in report.findings}


@pytest.mark.parametrize("parts", [False, True])
def test_it_holds_for_what_it_stands_beside_and_for_nothing_else(parts):
    report, mistakes = judged(vault("kv", accepting()), vault("kv2"), parts=parts)
    assert statuses(report) == {"kv": "accepted", "kv2": "fail"}
    assert mistakes == []
    (info,) = report.acceptances
    assert (info.file, info.line, info.state, info.findings, info.subjects) == ("main.tf", 7, "in force", 1, ["kv"])


def test_one_comment_over_several_instances_is_one_acceptance():
    report, _ = judged(vault("a", accepting()), vault("b", accepting()))
    (info,) = report.acceptances
    assert (info.findings, info.subjects) == (2, ["a", "b"])


def test_coverage_does_not_rise():
    before, after = judged(vault())[0], judged(vault("kv", accepting()))[0]
    assert tally_rows(after.coverage).percent == tally_rows(before.coverage).percent
    assert tally_rows(after.coverage).accepted == tally_rows(before.coverage).missing == 1


def test_the_services_of_an_account_have_no_code_of_their_own():
    report, _ = judged(account(accepting("storage-blob-access-logs")))
    (finding,) = report.findings
    assert finding.subject.id == storage_service_id(account([])["id"], "blob")
    assert finding.status == "accepted"


def test_one_that_has_expired_lets_its_findings_fail_again():
    report, mistakes = judged(vault("kv", accepting(until="2026-11-21")))
    assert (statuses(report), mistakes) == ({"kv": "fail"}, [])
    assert report.acceptances[0].state == "expired"
    assert "main.tf:7" in render(report)
    assert judged(vault("kv", accepting(until="2026-11-22")))[0].acceptances[0].state == "in force"


def test_one_in_force_outranks_one_that_has_expired():
    report, _ = judged(vault("kv", accepting(until="2026-01-01", line=6) + accepting()))
    assert statuses(report) == {"kv": "accepted"}
    assert [info.state for info in report.acceptances] == ["expired", "in force"]


@pytest.mark.parametrize(
    ("accept", "told"),
    [
        (accepting("keyvault-audit-log"), 'main.tf:7: auditor:accept: there is no rule "keyvault-audit-log" (did you'),
        (accepting(until="2027-11-24"), "main.tf:7: auditor:accept until 2027-11-24 is 367 days ahead (12 months at"),
        (accepting(until="soon"), 'main.tf:7: auditor:accept: "soon" is not a day (write: '),
    ],
)
def test_a_mistake_holds_for_nothing_and_is_told_once(accept, told):
    report, mistakes = judged(vault("kv", accept), vault("kv2", accept))
    assert set(statuses(report).values()) == {"fail"}
    assert report.acceptances == []
    (mistake,) = mistakes
    assert mistake.startswith(told)


def test_what_stands_beside_nothing_is_unused():
    report, _ = judged(vault(), *loose(accepting()))
    assert statuses(report) == {"kv": "fail"}
    assert [(info.state, info.line) for info in report.acceptances] == [("unused", 7)]
    assert report.completeness == judged(vault())[0].completeness
    assert "main.tf:7" in render(report)


def test_what_cannot_be_told_is_not_accepted():
    unread = {"id": f"{vault()['id']}/providers/Microsoft.Insights/diagnosticSettings",
              "type": "Microsoft.Insights/diagnosticSettings", "$unknown": {"reason": "var.x is not known"}}  # fmt: skip
    report, _ = judged(vault("kv", accepting()), unread)
    assert statuses(report) == {"kv": "unknown"}


def test_azure_itself_accepts_nothing():
    report, mistakes = judged(vault("kv", accepting()), vault("kv2", accepting("none")), source="azure")
    assert (report.acceptances, mistakes) == ([], [])
    assert "accepted" not in statuses(report).values()


def test_reports_name_the_line():
    report, _ = judged(vault("kv", accepting()))
    for text in (render_markdown(report), render_html(report)):
        assert "main.tf:7" in text
        assert "in the code" in text
    told = msgspec.json.decode(msgspec.json.encode(report.acceptances[0]))
    assert (told["file"], told["line"], told["approved_by"], told["created"]) == ("main.tf", 7, "", "")

"""The main job end to end: Contoso over real HTTPS, judged by the shipped rules, against the hand-decided answers."""

from collections import Counter
from dataclasses import dataclass

import msgspec
import pytest
import yaml
from conftest import AS_OF, CONTOSO

from auditor.assemble import assemble
from auditor.formats.json import parse, render
from auditor.judge import judge
from auditor.rule import load_rules
from auditor.sources import open_file, snapshot
from auditor.sources.azure.collect import collect_now

# What cannot happen in a whole estate; the rules' own tests have it.
NEVER = {
    "activity-log-profile-retired": {"pass"},  # whatever is left of one fails
    # Silent without parameters; tests/test_accepted.py has them.
    "activity-log-accepted-destination": {"pass", "fail", "unknown"},
    "entra-logs-accepted-destination": {"pass", "fail", "unknown"},
    "log-destination-location": {"pass", "fail", "unknown"},
    "resource-logs-accepted-destination": {"pass", "fail", "unknown"},
    "log-destination-segregated": {"fail"},  # what contoso-ma-legacy hides may send anywhere
    "resource-sku-can-log": {"unknown"},  # whoever lists a resource tells its SKU
    "entra-network-access-logs": {"pass", "fail", "unknown"},  # Contoso holds no plan of it
    "linked-tenant-logs": {"pass", "fail"},  # only a scan that signs in to such a tenant can tell
    "network-watcher-per-region": {"unknown"},  # a region is only known to be in use where its resources were listed
    "function-app-logs": {"fail"},  # live, nobody but the readers of secrets sees that an app is not linked
    "application-insights-present": {"unknown"},  # a subscription that is not listed has no applications to ask about
    **{
        f"app-insights-{what}": {"unknown"} for what in ("workspace", "local-auth", "public-ingestion")
    },  # listed is read
}
RULE_IDS = [rule.id for rule in load_rules()]


@pytest.fixture(scope="module")
def expected():
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load((CONTOSO / "expected.yaml").read_text(encoding="utf-8"), Loader=loader)


@pytest.fixture(scope="module")
def found(report):
    answers: dict[str, dict[str, str]] = {}
    for finding in report.findings:
        answers.setdefault(finding.rule, {})[finding.subject.id.lower()] = finding.status
    return answers


def test_the_sheet_answers_every_rule(expected):
    assert sorted(expected) == sorted(RULE_IDS)


@pytest.mark.parametrize("rule", RULE_IDS)
def test_answers(rule, expected, found):
    wanted = {subject.lower(): answer["status"] for subject, answer in expected[rule].items()}
    assert found.get(rule, {}) == wanted


@pytest.mark.parametrize("rule", RULE_IDS)
def test_severities(rule, expected, report):
    own = next(info.severity for info in report.rules if info.id == rule)
    wanted = {subject.lower(): answer.get("severity", own) for subject, answer in expected[rule].items()}
    found = {f.subject.id.lower(): f.severity for f in report.findings if f.rule == rule}
    assert {key: found[key] for key in wanted if found[key] != wanted[key]} == {}


@pytest.mark.parametrize("rule", RULE_IDS)
def test_every_status_of_a_rule_is_somewhere(rule, expected):
    statuses = {answer["status"] for answer in expected[rule].values()}
    single = rule.startswith(("entra-", "intune-"))  # one tenant has one answer; the rule's own tests have the others
    needed = set() if single else {"pass", "fail", "unknown"} - NEVER.get(rule, set())
    assert statuses >= needed
    assert statuses or rule in NEVER


def test_nothing_but_reads_left(contoso, collection):
    assert contoso.writes == []
    assert collection.run.requests > 500


def test_live_snapshot_and_findings_file_agree(collection, report, tmp_path):
    file = tmp_path / "contoso.snapshot"
    snapshot.write(file, collection)
    again = judge(assemble(open_file(file)), load_rules())
    assert render(again) == render(report)
    assert render(parse(render(report).encode(), "findings.json")) == render(report)


def test_a_second_live_scan_gives_the_same_bytes(contoso, report):
    second = collect_now(contoso.scan_options(), clock=lambda: AS_OF)
    assert render(judge(assemble(second), load_rules())) == render(report)


def test_reads_add_up(report):
    done = report.completeness
    assert done.planned == done.answered + done.not_supported + done.unknown
    assert done.unknown == len(report.unread)
    assert done.planned > 900


def test_every_unread_thing_names_what_would_fix_it(report):
    for unread in report.unread:
        assert unread.why.reason
        abroad = unread.why.code == "InvalidAuthenticationTokenTenant"  # no grant in this tenant would help
        assert unread.why.grant or abroad, unread


def test_an_unknown_finding_says_why(report):
    vague = [f.subject.id for f in report.findings if f.status == "unknown" and not f.why_unknown]
    assert vague == []


def test_the_denied_subscription_is_named(report):
    unlisted = [unread for unread in report.unread if unread.lists]
    names = {s.id: s.name for s in report.subscriptions}
    assert [names[unread.scope] for unread in unlisted] == ["contoso-ma-legacy"]


def test_fingerprints_are_unique(report):
    repeated = [f for f, n in Counter(finding.fingerprint for finding in report.findings).items() if n > 1]
    assert repeated == []


@dataclass
class Change:
    """Some way of spelling the same estate differently."""

    name: str

    def apply(self, document):
        text = msgspec.json.encode(document).decode()
        if self.name == "resource groups in lower case":
            return msgspec.json.decode(text.replace("/resourceGroups/", "/resourcegroups/"))
        return msgspec.json.decode(text.replace("Microsoft.Insights", "microsoft.insights"))


@pytest.mark.parametrize("change", [Change("resource groups in lower case"), Change("provider in lower case")],
                         ids=lambda change: change.name)  # fmt: skip
def test_case_never_matters(change, collection, found):
    changed = msgspec.structs.replace(collection, documents=[change.apply(d) for d in collection.documents])
    for finding in judge(assemble(changed), load_rules()).findings:
        assert found[finding.rule][finding.subject.id.lower()] == finding.status

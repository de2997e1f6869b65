"""The HTML report: what it must hold, what it must never hold, how large and how slow it may be."""

import base64
import hashlib
import re
import time

import msgspec
import pytest

from auditor.formats import html
from auditor.sums import by_rule


@pytest.fixture(scope="module")
def page(realistic):
    return html.render(realistic)


def policy(page):
    found = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    return dict(part.strip().split(" ", 1) for part in found[1].split(";"))


@pytest.mark.parametrize(("element", "directive"), [("style", "style-src"), ("script", "script-src")])
def test_the_policy_allows_exactly_the_one_style_and_the_one_script(page, element, directive):
    [text] = re.findall(rf"<{element}>(.*?)</{element}>", page, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    assert policy(page)[directive] == f"'sha256-{digest}'"


def test_the_policy_allows_nothing_else(page):
    rules = policy(page)
    assert rules.pop("style-src") and rules.pop("script-src")
    assert rules == {
        "default-src": "'none'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def test_style_and_script_are_the_same_for_every_report(page, empty):
    assert policy(page) == policy(html.render(empty))


def test_nothing_is_fetched_and_nothing_is_inline(page):
    head, _, body = page.partition("</style>")
    assert not re.search(r"<[^>]+\sstyle=", body)
    assert not re.search(r"<[^>]+\son\w+=", body)
    assert not re.search(r"\ssrc=|<link|@import|url\((?!#)", page)
    assert "charset" in head.split("Content-Security-Policy")[0]


def test_sections_come_in_the_order_of_the_design(page):
    found = re.findall(r'<section id="?([\w-]+)', page)
    assert found == ["summary", "blind-spots", "not-assessed", "map", "findings", "destinations", "frameworks", "method", "resources",
                     "categories", "rules"]  # fmt: skip


def test_accepted_risks_have_a_section_only_when_there_are_some(hostile, page):
    assert "<section id=accepted>" in html.render(hostile)
    assert "<section id=accepted>" not in page


def test_every_failed_and_unknown_finding_has_a_row_of_its_own(page, realistic):
    wanted = {f"f-{f.fingerprint[:8]}" for f in realistic.findings if f.status in ("fail", "unknown")}
    assert len(wanted) > 60
    assert set(re.findall(r'<tr id="(f-[0-9a-f]{8})">', page)) == wanted


def test_every_rule_has_an_address_and_every_link_a_target(page, realistic):
    ids = re.findall(r'\sid="?([^\s">]+)', page)
    assert len(ids) == len(set(ids)), "an id is used twice"
    assert {rule.id for rule in realistic.rules} <= set(ids)
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)


def test_only_the_first_rule_is_open(page):
    opened = re.findall(r'<details class=f id="([^"]+)"[^>]* open>', page)
    assert opened == listed(page)[:1]


def listed(page):
    return re.findall(r'<details class=f id="([^"]+)"', page)


def test_rules_are_listed_gravest_first(page, realistic):
    failed = [result.info.id for result in by_rule(realistic) if result.outcome == "failed"]
    unknown = [result.info.id for result in by_rule(realistic) if result.outcome == "unknown"]
    assert listed(page) == failed + unknown


def test_a_gap_names_the_permission_and_the_command(page):
    assert "Microsoft.Insights/<wbr>diagnosticSettings/<wbr>read" in page
    assert (
        "az role assignment create --role Reader \\\n  --assignee 6f0e33c4-1111-4222-8333-44445555c41b \\\n"
        "  --scope /subscriptions/40000000-aaaa-bbbb-cccc-411111111111"
    ) in page


def test_a_scope_that_was_not_listed_is_named_beside_the_figure(page):
    figure = re.search(r"Coverage of assessed sources.*?</div>", page, flags=re.DOTALL)[0]
    assert "No percentage counts contoso-sandbox, which could not be listed" in figure


def test_only_https_references_become_links(realistic):
    failed = next(result.info for result in by_rule(realistic) if result.outcome == "failed")
    rule = msgspec.structs.replace(
        failed, references=["https://a.example/b", "http://c.example", "javascript:alert(1)", "HTTPS://d"]
    )
    page = html.render(msgspec.structs.replace(realistic, rules=[rule]))
    assert 'href="https://a.example/b"' in page
    assert not re.search(r'href="(?!#|https://)', page)


def test_a_report_of_nothing_says_so_and_claims_nothing(empty):
    page = html.render(empty)
    assert "<b>Unknown.</b> No log source could be assessed." in page
    assert "Coverage of assessed sources<p class=v>unknown" in page
    assert "No rule failed, and none was left unknown." in page


def test_the_same_report_gives_the_same_bytes(realistic, page):
    assert html.render(realistic) == page


def test_a_masked_or_strange_time_does_not_stop_it(realistic):
    run = msgspec.structs.replace(realistic.run, started_at="yesterday", finished_at="")
    assert "yesterday" in html.render(msgspec.structs.replace(realistic, run=run, generated_at="?"))


class TestLarge:
    def test_five_thousand_findings_and_three_thousand_resources_stay_in_budget(self, big):
        start = time.perf_counter()
        page = html.render(big)
        assert time.perf_counter() - start < 3
        assert len(page.encode()) <= 1_500_000
        assert len(re.findall(r'<tr id="f-', page)) == 5000
        assert len(re.findall(r"<tr id=r-", page)) == 3000

    def test_above_that_each_rule_keeps_its_first_rows_and_says_how_many_are_left_out(self, big):
        extra = [msgspec.structs.replace(f, fingerprint=f"{n:016x}") for n, f in enumerate(big.findings[:40])]
        page = html.render(msgspec.structs.replace(big, findings=big.findings + extra), rows=100)
        assert len(re.findall(r'<tr id="f-', page)) == 40 * 100
        assert page.count("26 more in the JSON") == 40

"""The Markdown report and its summary: the same sections and figures, tables that hold, addresses that work."""

import re

import msgspec
import pytest
from coded import at, coded_report, found

from auditor.formats import markdown
from auditor.inventory import Unknown
from auditor.report import Baseline, UnreadInfo
from auditor.sums import last_line


@pytest.fixture(scope="module")
def text(realistic):
    return markdown.render(realistic)


@pytest.fixture(scope="module")
def summary(realistic):
    return markdown.render_summary(realistic)


def test_it_has_the_sections_of_the_html_report(text):
    assert re.findall(r"^## (.+)$", text, flags=re.MULTILINE) == [
        "1. Executive summary",
        "2. Blind spots: what you could not investigate",
        "3. Not assessed: permission and collection gaps",
        "4. Coverage map",
        "5. Findings by rule",
        "6. Log destinations",
        "7. Frameworks",
        "8. Method and integrity",
        "A. Resources",
        "B. Log categories",
        "C. Rules",
    ]


def test_accepted_risks_have_a_section_only_when_there_are_some(hostile, text):
    assert "## 6. Accepted risks" in markdown.render(hostile)
    assert "Accepted risks" not in text


def test_every_link_leads_to_an_anchor_that_is_written_out(text, realistic):
    anchors = re.findall(r'<a id="([^"]+)"></a>', text)
    assert len(anchors) == len(set(anchors))
    assert {rule.id for rule in realistic.rules} <= set(anchors)
    assert {f"f-{f.fingerprint[:8]}" for f in realistic.findings if f.status in ("fail", "unknown")} <= set(anchors)
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= set(anchors)


def test_affected_resources_stop_at_fifty_of_a_rule(big):
    text = markdown.render(big)
    assert len(re.findall(r'<a id="f-', text)) == 40 * 50
    assert text.count("75 more in the JSON.") == 40


def test_a_gap_names_the_permission_and_the_command(text):
    assert "`Microsoft.Insights/diagnosticSettings/read`" in text
    assert "```sh\naz role assignment create --role Reader \\\n  --assignee 6f0e33c4" in text


def test_it_ends_with_one_line_feed_and_has_no_trailing_spaces(text, summary):
    for one in (text, summary):
        assert one.endswith("\n") and not one.endswith("\n\n")
        assert not re.search(r"[ \t]$", one, flags=re.MULTILINE)
        assert "\n\n\n" not in one


def test_the_same_report_gives_the_same_text(realistic, text):
    assert markdown.render(realistic) == text


def test_a_report_of_nothing_says_so(empty):
    text = markdown.render(empty)
    assert "**Unknown.** No log source could be assessed." in text
    assert "**No rule failed, and none was left unknown.**" in text


class TestSummary:
    def test_its_first_line_is_the_marker_that_the_next_run_looks_for(self, summary, realistic):
        assert summary.splitlines()[0] == f"<!-- auditor:summary {realistic.run.tenant} -->"

    def test_it_names_the_ten_gravest_rules_and_counts_the_rest(self, summary):
        rows = re.findall(r"^\| (critical|high|medium|low|info) \|", summary, flags=re.MULTILINE)
        assert rows == ["critical"] * 3 + ["high"] * 7
        assert "17 more rules fail: " in summary

    def test_it_names_what_was_not_listed_beside_the_figure(self, summary):
        figure = next(line for line in summary.splitlines() if line.startswith("**42%**"))
        assert "36–51% counting 27 not assessed" in figure
        assert "No percentage counts contoso-sandbox, which could not be listed." in figure

    def test_it_counts_everything_in_its_last_line(self, summary, realistic):
        assert last_line(realistic) in summary

    @pytest.mark.parametrize("length", [100, 5_000, 200_000])
    def test_it_never_grows_beyond_thirty_thousand_characters(self, realistic, length):
        word = "|`<@" * (length // 4)
        unread = [
            UnreadInfo(id=f"/x/{n}", type="t", scope=word + str(n), why=Unknown(reason=word + str(n), grant=word))
            for n in range(50)
        ]
        rules = [msgspec.structs.replace(rule, title=word, id=rule.id) for rule in realistic.rules]
        run = msgspec.structs.replace(realistic.run, tool_version=word)
        report = msgspec.structs.replace(realistic, unread=unread, rules=rules, run=run, title=word)
        summary = markdown.render_summary(report)
        assert len(summary) <= 30_000
        assert summary.startswith("<!-- auditor:summary")
        assert summary.count("<details>") == summary.count("</details>")

    def test_without_failures_it_does_not_speak_of_success_where_rules_are_unknown(self, realistic):
        findings = [f for f in realistic.findings if f.status == "unknown"]
        summary = markdown.render_summary(msgspec.structs.replace(realistic, findings=findings))
        assert f"No rule failed. {len({f.rule for f in findings})} rules could not be told." in summary


def test_summaries_of_different_folders_have_markers_of_their_own():
    heads = {
        markdown.render_summary(coded_report(root=root)).partition("\n")[0] for root in ("infra/prod", "infra/dev", "")
    }
    assert heads == {
        "<!-- auditor:summary terraform-infra-prod -->",
        "<!-- auditor:summary terraform-infra-dev -->",
        "<!-- auditor:summary terraform -->",
    }


class TestSummaryOfCode:
    def test_it_says_where_to_mend_what(self):
        text = markdown.render_summary(coded_report())
        assert (
            "| high | infra/prod/main.tf:12 | keyvault-audit-logs: kv-one sends no AuditEvent log to any destination"
            in text
        )
        assert "kv-known" not in text, "that is in the baseline"
        assert text.count("<details>") == text.count("</details>") > 0

    def test_with_a_baseline_it_counts_what_is_new(self):
        told = Baseline(generated_at="2026-11-01", revision="main (1a2b3c4d)", new=1, known=2, fixed=3, gone=0)
        text = markdown.render_summary(coded_report(baseline=told))
        assert "**1 failure new**, 2 known, 3 fixed since main (1a2b3c4d)." in text

    @pytest.mark.parametrize("length", [100, 5_000, 200_000])
    def test_it_stays_short_and_whole_whatever_is_found(self, length):
        word = "|`<@" * (length // 4)
        odd = [found(f"kv-{n}", message=word, origin=at(n + 1, word, file=f"{word}{n}.tf")) for n in range(40)]
        text = markdown.render_summary(coded_report(odd, title=word))
        assert len(text) <= 30_000
        assert text.count("<details>") == text.count("</details>")

    def test_of_azure_itself_it_has_rules_alone(self, realistic):
        assert "What fails" not in markdown.render_summary(realistic)

"""The coverage matrix by subscription and by category: it adds up, and says where logs go and how long they are kept."""

from collections import Counter

import pytest

from auditor.coverage import kept_for
from auditor.formats import renderer
from auditor.formats.json import summary
from auditor.formats.words import shares
from auditor.inventory import Destination, LogSetting, Resource, Unknown
from auditor.report import STATES
from auditor.sums import tally_rows

U = Unknown(reason="403")
EVER = float("inf")


def place(days, kind="log-analytics", exists=True):
    return Destination(kind=kind, id="/p", exists=exists, retention_days=days)


KEPT = [
    ("one place", [place(365.0)], "365 days"),
    ("the longer of two", [place(30.0), place(365.0, "storage")], "365 days"),
    ("for ever", [place(30.0), place(EVER, "storage")], "no expiry"),
    ("for ever, whatever else was not read", [place(U), place(EVER, "storage")], "no expiry"),
    ("not read", [place(U)], "unknown"),
    ("one of two not read", [place(90.0), place(U)], "at least 90 days"),
    ("only passed on", [place(U, "event-hub")], "passed on"),
    ("passed on, and kept", [place(U, "event-hub"), place(90.0)], "90 days"),
    ("a partner's", [place(U, "partner")], "unknown"),
    ("a place that is gone", [place(365.0, exists=False)], ""),
    ("no place", [], ""),
]


@pytest.mark.parametrize(("places", "told"), [k[1:] for k in KEPT], ids=[k[0] for k in KEPT])
def test_how_long_a_category_is_kept(places, told):
    one = LogSetting(id="s", name="s", categories=frozenset({"AuditEvent"}), destinations=tuple(places))
    vault = Resource(id="/r", shown_id="/r", type="Microsoft.KeyVault/vaults", name="r", settings=(one,))
    assert kept_for(vault, "AuditEvent") == told
    assert kept_for(vault, "AzurePolicyEvaluationDetails") == ""


def test_nothing_is_known_where_settings_were_not_read():
    vault = Resource(id="/r", shown_id="/r", type="Microsoft.KeyVault/vaults", name="r", settings=U)
    assert kept_for(vault, "AuditEvent") == ""


def test_contoso_says_of_every_source_that_arrives_how_long_it_is_kept(report):
    told = Counter(c.kept for r in report.coverage for c in r.cells if c.destinations and c.state == "exported")
    assert "" not in told and {"no expiry", "passed on", "unknown"} < set(told)
    assert any(words.endswith(" days") for words in told)
    assert all(not c.kept for r in report.coverage for c in r.cells if not c.destinations)


@pytest.mark.parametrize("by", ["by_subscription", "by_category"])
def test_the_parts_add_up_to_the_whole(by, report):
    rows, total = summary(report)["coverage"][by], tally_rows(report.coverage)
    for state in (*STATES, "expected"):
        assert sum(row[state] for row in rows) == getattr(total, state)


def test_every_subscription_is_there_also_one_of_which_nothing_is_expected(report):
    rows = summary(report)["coverage"]["by_subscription"]
    assert {s.id for s in report.subscriptions} <= {row["id"] for row in rows}
    assert next(row for row in rows if not row["id"])["expected"] > 0, "the tenant"


def test_a_category_says_where_it_goes(report):
    rows = {(r["type"], r["category"]): r for r in summary(report)["coverage"]["by_category"]}
    vaults = rows["Microsoft.KeyVault/vaults", "AuditEvent"]
    assert {"log-analytics", "storage", "event-hub"} <= set(vaults["goes_to"])
    assert max(vaults["goes_to"].values()) <= vaults["expected"]
    assert sum(vaults["kept"].values()) <= vaults["expected"]


@pytest.mark.parametrize("name", ["html", "markdown"])
def test_reports_show_both(name, report):
    told = renderer(name)(report)
    assert "Log Analytics 2" in told or "Log Analytics 3" in told
    assert "no expiry" in told and "passed on" in told


def test_shares():
    assert shares({}) == ""
    assert shares({"storage": 3}, {"storage": "Storage account"}) == "Storage account"
    assert shares({"b": 1, "a": 1, "c": 1200}) == "c 1,200, a 1, b 1"

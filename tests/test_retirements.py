"""What Azure retires: the table, what of it is found in an estate, and that rules and facts tell the same days."""

import re
from datetime import date, datetime
from pathlib import Path

import msgspec
import pytest

from auditor.assemble import assemble
from auditor.documents import Collection, Run
from auditor.facts.flow_logs import RETIREMENT
from auditor.formats import renderer
from auditor.formats.words import retires
from auditor.inventory import Inventory, Resource, Unknown
from auditor.retirements import RETIREMENTS, end_of
from auditor.retiring import in_order, retiring, together
from auditor.rule import load_rules

U = Unknown(reason="403")


def thing(name, kind, properties=None, **facts):
    return Resource(
        id=f"/subscriptions/s/{name}", shown_id=name, type=kind, name=name, subscription="s",
        properties={} if properties is None else properties, facts={"in_scope": True, **facts},
    )  # fmt: skip


def found(*things):
    return {info.key: (info.count, info.examples) for info in retiring(Inventory(resources=things, run=Run()))}


EXTENSION = "Microsoft.Compute/virtualMachines/extensions"
CASES = [
    ("a flow log of a security group", thing("a", "Microsoft.Network/networkWatchers/flowLogs", target_kind="nsg"), "nsg-flow-logs"),
    ("a flow log of a network", thing("a", "Microsoft.Network/networkWatchers/flowLogs", target_kind="vnet"), None),
    ("a flow log of which nothing is known", thing("a", "Microsoft.Network/networkWatchers/flowLogs", target_kind=U), None),
    ("a log profile", thing("a", "microsoft.insights/LOGPROFILES"), "log-profiles"),
    ("a list of them that could not be read", thing("a", "microsoft.insights/logprofiles", stand_in=True), None),
    ("classic logging", thing("a", "Microsoft.Storage/storageAccounts/blobServices", classic="partly"), "classic-storage-logging"),
    ("no classic logging", thing("a", "Microsoft.Storage/storageAccounts/blobServices", classic="off"), None),
    ("a setting with days", thing("a", "Microsoft.KeyVault/vaults", settings_with_retention=["x"]), "setting-retention"),
    ("settings without", thing("a", "Microsoft.KeyVault/vaults", settings_with_retention=[]), None),
    ("the old agent", thing("a", EXTENSION, {"type": "OmsAgentForLinux"}), "log-analytics-agent"),
    ("the old agent on Arc", thing("a", "Microsoft.HybridCompute/machines/extensions", {"type": "MicrosoftMonitoringAgent"}), "log-analytics-agent"),
    ("the new agent", thing("a", EXTENSION, {"type": "AzureMonitorLinuxAgent"}), None),
    ("an extension that could not be read", thing("a", EXTENSION, U), None),
    ("classic Application Insights", thing("a", "Microsoft.Insights/components", {"IngestionMode": "ApplicationInsights"}), "classic-application-insights"),
    ("one with a workspace", thing("a", "Microsoft.Insights/components", {"IngestionMode": "LogAnalytics"}), None),
    ("a single server", thing("a", "Microsoft.DBforPostgreSQL/servers"), "postgresql-single-server"),
    ("a flexible server", thing("a", "Microsoft.DBforPostgreSQL/flexibleServers"), None),
    ("what is outside of the scan", thing("a", "Microsoft.DBforMySQL/servers", in_scope=False), None),
]  # fmt: skip


@pytest.mark.parametrize(("resource", "key"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_what_is_found(resource, key):
    assert found(resource) == ({key: (1, ["a"])} if key else {})


def test_many_are_counted_and_five_are_named_whichever_part_they_are_in():
    things = [thing(f"m{n}", "Microsoft.DBforMySQL/servers") for n in range(7)]
    whole = retiring(Inventory(resources=tuple(things), run=Run()))
    parts = [retiring(Inventory(resources=tuple(half), run=Run())) for half in (things[3:], things[:3])]
    assert [(i.count, i.examples) for i in whole] == [(7, ["m0", "m1", "m2", "m3", "m4"])]
    assert [together(parts[0][0], parts[1][0])] == whole


def test_the_table_is_dated_and_sourced_and_in_order_of_days():
    assert len({one.key for one in RETIREMENTS}) == len(RETIREMENTS)
    for one in RETIREMENTS:
        for day in (one.ends, one.closed):
            assert not day or date.fromisoformat(day)
        assert one.source.startswith("https://learn.microsoft.com/azure/")
    things = [
        thing("a", "Microsoft.DBforMySQL/servers"),
        thing("b", "x/y", classic="full"),
        thing("c", "x/y", target_kind="nsg"),
    ]
    assert [i.key for i in in_order(retiring(Inventory(resources=tuple(things), run=Run())))] == [
        "mysql-single-server", "nsg-flow-logs", "classic-storage-logging",
    ]  # fmt: skip


def test_facts_take_the_day_from_the_table():
    assert end_of("nsg-flow-logs") == RETIREMENT


def test_rules_tell_no_other_day():
    known = {day for one in RETIREMENTS for day in (one.ends, one.closed) if day}
    for rule in load_rules():
        text = " ".join(Path(rule.file).read_text(encoding="utf-8").split("\ntests:")[0].split())
        for told in re.findall(r"\b(\d{1,2} (?:[A-Z][a-z]+) 20\d\d)\b", text):
            assert datetime.strptime(told, "%d %B %Y").date().isoformat() in known, f"{rule.id}: {told}"


def test_words_for_the_day():
    [info] = retiring(Inventory(resources=(thing("c", "x/y", target_kind="nsg"),), run=Run()))
    assert retires(info, "2026-11-22T07:14:00Z") == "until 30 Sep 2027"
    assert retires(info, "2027-09-30T00:00:00Z") == "ended 30 Sep 2027"
    [info] = retiring(Inventory(resources=(thing("c", "x/y", classic="full"),), run=Run()))
    assert retires(info, "2026-11-22T07:14:00Z") == "no day announced"


def test_a_log_profile_is_retired_from_its_day_on():
    document = {
        "id": "/subscriptions/s/providers/microsoft.insights/logprofiles/default",
        "type": "Microsoft.Insights/logProfiles",
    }
    collection = Collection(documents=[document], run=Run())

    def retired(today):
        [profile] = assemble(collection, today=today).by_type["microsoft.insights/logprofiles"]
        return profile.facts["retired"]

    assert (retired("2026-09-14"), retired("2026-09-15"), retired("")) == (False, True, True)


def test_what_passes_on_something_that_retires_says_until_when(report):
    told = [f.message for f in report.findings if f.rule == "public-nsg-flow-logs" and f.status == "pass"]
    assert "Network security groups open to the internet are covered by flow logs, until 2027-09-30" in told
    assert "Network security groups open to the internet are covered by flow logs" in told


def test_contoso_has_some(report):
    assert {"nsg-flow-logs", "log-profiles", "classic-storage-logging"} <= {info.key for info in report.retirements}


@pytest.mark.parametrize("name", ["html", "markdown"])
def test_reports_list_them_with_their_days_and_no_section_where_there_are_none(report, name):
    told = renderer(name)(report)
    assert "What retires" in told and "Flow logs of network security groups" in told and "30 Sep 2027" in told
    none = renderer(name)(msgspec.structs.replace(report, retirements=[]))
    assert "What retires" not in none


def test_names_in_them_are_hostile(report):
    [first, *_] = report.retirements
    bad = msgspec.structs.replace(first, examples=["<script>alert(1)</script>", "a|b"], source="javascript:alert(1)")
    odd = msgspec.structs.replace(report, retirements=[bad])
    assert "<script>alert" not in renderer("html")(odd)
    assert 'href="javascript' not in renderer("html")(odd)
    assert "<script>" not in renderer("markdown")(odd) and "a\\|b" in renderer("markdown")(odd)

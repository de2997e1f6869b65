"""Judged in parts, an estate comes out as it does judged whole. (Every trap is judged both ways too: estates.py.)"""

import random
import re

import msgspec
import pytest
from estates import CENTRAL, LAW2, S, check, res, rid, subscription

from auditor.assemble import assemble
from auditor.controls import with_controls
from auditor.documents import SUBSCRIPTION, Collection, Run
from auditor.formats.json import render
from auditor.judge import judge
from auditor.parts import Held, judge_in_parts, looked_for
from auditor.profile import apply, read_profile
from auditor.rule import load_rules
from auditor.sources import snapshot
from auditor.survey import Survey

GROUP = re.compile(r"/subscriptions/([0-9a-f-]{36})(/resourcegroups/[^/\"]+)", re.IGNORECASE)


def scattered(collection, seed):
    """The same estate with its resource groups dealt out to many subscriptions, so that everything is elsewhere."""
    dice = random.Random(seed)
    guids = [f"{n:08d}-0000-4000-8000-000000000000" for n in range(60)]
    one = {"type": SUBSCRIPTION, "state": "Enabled"}
    more = [{**one, "id": f"/subscriptions/{g}", "subscriptionId": g, "displayName": g[:8]} for g in guids]
    text = msgspec.json.encode([*collection.documents, *more]).decode()
    homes = {}

    def move(found):
        home = homes.setdefault((found[1] + found[2]).lower(), dice.choice(guids))
        return f"/subscriptions/{home}{found[2]}"

    return Collection(documents=msgspec.json.decode(GROUP.sub(move, text)), run=collection.run)


def sizes(collection):
    survey = Survey(looked_for(load_rules()))
    held = Held(collection)
    for group in held.groups():
        survey.add(group, held.documents(group), held.run)
    return [len(part.groups) for part in survey.parts(1)]


def test_contoso_in_parts(collection, report):
    assert len(sizes(collection)) >= 4, "there is something to put together"
    assert render(judge_in_parts(Held(collection), load_rules, size=1)) == render(report)


@pytest.mark.parametrize("size", [100, 2000])
def test_the_size_of_parts_does_not_matter(size, collection, report):
    assert judge_in_parts(Held(collection), load_rules, size=size) == report


@pytest.mark.parametrize("seed", range(4))
def test_wherever_things_are(seed, collection):
    elsewhere = scattered(collection, seed)
    assert len(sizes(elsewhere)) > 10
    whole = judge(assemble(elsewhere), load_rules())
    assert render(judge_in_parts(Held(elsewhere), load_rules, size=1)) == render(whole)


def test_from_a_snapshot_in_two_processes(collection, report, tmp_path):
    file = tmp_path / "contoso.snapshot"
    snapshot.write(file, collection)
    parts = snapshot.open_parts(file)
    assert render(judge_in_parts(parts, load_rules, jobs=2, size=1)) == render(report)


def test_the_framework_view_is_the_same(collection, report):
    chosen = apply(read_profile(), load_rules())
    whole = with_controls(report, chosen)
    assert whole.frameworks
    assert render(with_controls(judge_in_parts(Held(collection), load_rules, size=1), chosen)) == render(whole)


def test_an_empty_estate_is_one_part():
    empty = Collection(documents=[], run=Run(finished_at="2026-11-22T00:00:00Z"))
    assert judge_in_parts(Held(empty), load_rules) == judge(assemble(empty), load_rules())


def test_what_rules_look_for_everywhere_is_found_however_deep(tmp_path):
    (tmp_path / "looks.yaml").write_text(RULE, encoding="utf-8")
    assert looked_for(load_rules(tmp_path)) == {"Microsoft.Network/networkWatchers", "Microsoft.KeyVault/vaults"}


RULE = """
id: looks
title: Something is somewhere
severity: low
resource: Microsoft.Network/virtualNetworks
require:
  any_of:
    - all_of:
        - exists: {resource: Microsoft.Network/networkWatchers, where: {location: $location}}
        - exists: {resource: Microsoft.Storage/storageAccounts, where: {subscription: $subscription}}
    - exists: {resource: Microsoft.KeyVault/vaults}
rationale: Because.
remediation: {portal: Do it.}
tests:
  - name: a vault is enough
    given: [{name: a}, {name: kv, type: Microsoft.KeyVault/vaults}]
    expect: {a: pass}
  - name: nothing
    given: [{name: a}]
    expect: {a: fail}
"""


def test_a_place_that_only_a_collection_rule_names_is_known_in_every_part():
    """The machine, the rule and the workspace are in three subscriptions, and no log setting names the workspace."""
    third = "33333333-3333-3333-3333-333333333333"
    rule = rid("Microsoft.Insights/dataCollectionRules", "dcr", third)
    machine = rid("Microsoft.Compute/virtualMachines", "vm")
    kind = "Microsoft.Insights/dataCollectionRuleAssociations"
    source = {"windowsEventLogs": [{"streams": ["Microsoft-SecurityEvent"], "xPathQueries": ["Security!*"]}]}
    sends = {
        "dataSources": source,
        "dataFlows": [{"streams": ["Microsoft-SecurityEvent"], "destinations": ["sec"]}],
        "destinations": {"logAnalytics": [{"name": "sec", "workspaceResourceId": LAW2}]},
    }
    agent = {"type": "AzureMonitorWindowsAgent", "provisioningState": "Succeeded"}
    documents = [
        *(subscription(sub) for sub in (S, CENTRAL, third)),
        res("Microsoft.Compute/virtualMachines", "vm", {"storageProfile": {"osDisk": {"osType": "Windows"}}}),
        res("Microsoft.Compute/virtualMachines/extensions", "vm/ama", agent),
        {"id": f"{machine}/providers/{kind}", "type": kind, "value": [{"id": f"{machine}/x", "properties": {"dataCollectionRuleId": rule}}]},
        res("Microsoft.Insights/dataCollectionRules", "dcr", sends, third),
    ]  # fmt: skip
    there = res("Microsoft.OperationalInsights/workspaces", "law2", {"retentionInDays": 90}, CENTRAL)
    gone = {"id": LAW2, "type": there["type"], "$absent": {"status": 404, "code": "ResourceNotFound"}}
    check([*documents, there], {("machine-security-events", machine): "pass"})
    check([*documents, gone], {("machine-security-events", machine): "fail"})

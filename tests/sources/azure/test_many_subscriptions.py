"""More subscriptions than one query may name, and subscriptions in every state that Azure knows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor.assemble import assemble
from auditor.documents import RESOURCE_LIST, SUBSCRIPTION
from auditor.emulator import Emulator, running
from auditor.judge import judge
from auditor.report import Report
from auditor.rule import load_rules
from auditor.sources.azure.collect import collect_now
from auditor.sources.azure.doctor import examine_now
from auditor.sources.azure.type_reads import OF_SUBSCRIPTION

MANY = 1205
TENANT = "11111111-cccc-4ccc-8ccc-000000000001"
VAULTS = "Microsoft.KeyVault/vaults"


def guid(number: int) -> str:
    return f"aaaaaaaa-0000-4000-8000-{number:012}"


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    known: list[dict] = []
    for number in range(MANY):
        shown = f"/subscriptions/{guid(number)}"
        known.append({"id": shown, "type": SUBSCRIPTION, "displayName": f"sub-{number}", "state": "Enabled"})
        if number % 100 == 0:
            vault = f"{shown}/resourceGroups/rg/providers/{VAULTS}/kv-{number}"
            known.append(
                {"id": vault, "type": VAULTS, "name": f"kv-{number}", "location": "westeurope", "properties": {}}
            )
    file: Path = tmp_path_factory.mktemp("many") / "estate.json"
    file.write_text(json.dumps({"format": 1, "tenant": {"id": TENANT}, "pageSize": 1000, "documents": known}))
    with running(file) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def found(azure: Emulator) -> Report:
    return judge(assemble(collect_now(azure.scan_options())), load_rules())


def test_every_one_of_more_than_a_thousand_is_judged(found: Report) -> None:
    judged = {f.subject.id for f in found.findings if f.rule == "activity-log-exported"}
    assert judged == {f"/subscriptions/{guid(n)}" for n in range(MANY)}
    vaults = {f.subject.name for f in found.findings if f.rule == "keyvault-audit-logs"}
    assert vaults == {f"kv-{n}" for n in range(0, MANY, 100)}


def test_the_plan_of_more_than_a_thousand_adds_up(found: Report) -> None:
    done = found.completeness
    assert done.planned == done.answered + done.not_supported + done.unknown
    assert done.unknown == 0
    vaults = len(range(0, MANY, 100))
    of_all = MANY * (len(OF_SUBSCRIPTION) + 1)  # and its resources
    assert of_all + vaults < done.planned < of_all + vaults + 20


def test_it_takes_few_queries_but_more_than_one(azure: Emulator, found: Report) -> None:
    queries = sum(
        number for path, number in azure.requests.items() if path.startswith("POST") and "graph" in path.lower()
    )
    assert 2 <= queries <= 20


def test_the_doctor_counts_in_all_of_them(azure: Emulator) -> None:
    told = examine_now(azure.scan_options())
    assert len(told.subscriptions) == MANY
    assert told.estimate is not None
    assert told.estimate.resources == len(range(0, MANY, 100))


# --- states ---


@pytest.mark.parametrize("state", ["Disabled", "Warned", "PastDue"])
def test_a_subscription_that_is_not_enabled_is_read_like_any_other(fake_azure, state: str) -> None:
    fake_azure["/subscriptions"] = {"value": [fake_azure.subscription(fake_azure.SUB, "Old", state)]}
    fake_azure.resources(fake_azure.vault())

    collection = fake_azure.scan()

    assert [d["state"] for d in collection.documents if d["type"] == SUBSCRIPTION] == [state]
    asked = {seen.path for seen in fake_azure.seen}
    assert f"{fake_azure.VAULT}/providers/microsoft.insights/diagnosticsettings".lower() in asked


def test_what_a_deleted_subscription_holds_is_unknown_and_not_nothing(fake_azure) -> None:
    gone = (404, {"error": {"code": "SubscriptionNotFound", "message": "The subscription could not be found."}})
    fake_azure["/subscriptions"] = {"value": [fake_azure.subscription(fake_azure.SUB, "Gone", "Deleted")]}
    for path in ("resources", "providers/microsoft.insights/diagnosticsettings"):
        fake_azure[f"/subscriptions/{fake_azure.SUB}/{path}"] = gone

    collection = fake_azure.scan()
    report = judge(assemble(collection), load_rules())

    assert [s.state for s in report.subscriptions] == ["Deleted"]
    assert any(d["type"] == RESOURCE_LIST and "$unknown" in d for d in collection.documents)
    status = {f.rule: f.status for f in report.findings if f.subject.id.endswith(fake_azure.SUB)}
    assert set(status.values()) == {"unknown"}

from typing import Any

import pytest

from auditor.documents import Document, normal_id
from auditor.facts.look import Look
from auditor.facts.watched import blob_facts, server_facts
from auditor.inventory import Unknown

SUB = "/subscriptions/s"
ACCOUNT = f"{SUB}/resourcegroups/rg/providers/microsoft.storage/storageaccounts/a"
SERVER = f"{SUB}/resourcegroups/rg/providers/microsoft.sql/servers/q"
REFUSED = {"$unknown": {"status": 403, "reason": "HTTP 403"}}
ABSENT = {"$absent": {"status": 404, "code": "ResourceNotFound"}}
BOTH = "Defender for Storage is on for the subscription, and off at the account"


def look(plans: Any, own: Any, own_id: str, declared: bool = False) -> Look:
    listed = plans if isinstance(plans, dict) else {"value": [plan(name) for name in plans]}
    documents: list[Document] = [{"id": f"{SUB}/providers/Microsoft.Security/pricings", **listed}]
    documents += [] if own is None else [{"id": own_id, **own}]
    return Look(
        documents={normal_id(str(one["id"])): one for one in documents}, resolve=lambda *_: None, declared=declared
    )


def plan(name: str) -> Document:
    return {"name": name, "properties": {"pricingTier": "Standard"}}


def told(facts: dict[str, Any]) -> Any:
    found = facts["defender"]
    return found.reason.rpartition(": ")[2] if isinstance(found, Unknown) else found


def account(on: Any, own: Any = False) -> dict[str, Any]:
    return {"properties": {"isEnabled": on, "overrideSubscriptionLevelSettings": own}}


@pytest.mark.parametrize(
    ("plans", "own", "answer"),
    [
        pytest.param(["StorageAccounts"], account(True), True, id="on for all"),
        pytest.param([], account(True, True), True, id="on for this one"),
        pytest.param([], account(False), False, id="off"),
        pytest.param(["StorageAccounts"], account(False, True), False, id="left out"),
        pytest.param(["StorageAccounts"], account(False), BOTH, id="an older plan, or a tag"),
        pytest.param(["StorageAccounts"], ABSENT, True, id="nothing of its own, with the plan"),
        pytest.param(["SqlServers"], ABSENT, False, id="nothing of its own, without it"),
        pytest.param(["StorageAccounts"], REFUSED, "HTTP 403", id="refused, so that it may be left out"),
        pytest.param(["StorageAccounts"], None, "not read", id="not read"),
        pytest.param(REFUSED, ABSENT, "HTTP 403", id="plans refused"),
        pytest.param(REFUSED, account(True), True, id="plans refused, but on"),
        pytest.param([], account({"$unknown": "later"}), "later", id="decided later"),
        pytest.param([], account(None), "the answer could not be understood", id="nonsense"),
        pytest.param([], {"properties": {"$unknown": "later"}}, "later", id="all of it later"),
    ],
)
def test_blobs(plans: Any, own: Any, answer: Any) -> None:
    shown = f"{ACCOUNT}/providers/Microsoft.Security/defenderForStorageSettings/current"
    assert told(blob_facts(f"{ACCOUNT}/blobservices/default", {}, look(plans, own, shown))) == answer


@pytest.mark.parametrize(
    ("plans", "own", "answer"),
    [
        pytest.param([], {"properties": {"state": "Enabled"}}, True, id="on"),
        pytest.param(["SqlServers"], {"properties": {"state": "disabled"}}, False, id="left out"),
        pytest.param(["SqlServers"], {"properties": {"state": "New"}}, True, id="never touched, with the plan"),
        pytest.param(["StorageAccounts"], {"properties": {"state": "New"}}, False, id="never touched, without it"),
        pytest.param(["SqlServers"], ABSENT, True, id="nothing of its own"),
        pytest.param(["SqlServers"], REFUSED, "HTTP 403", id="refused"),
        pytest.param(["SqlServers"], None, "not read", id="not read"),
        pytest.param(REFUSED, {"properties": {"state": "New"}}, "HTTP 403", id="plans refused"),
        pytest.param([], {"properties": {"state": {"$unknown": "later"}}}, "later", id="decided later"),
    ],
)
def test_servers(plans: Any, own: Any, answer: Any) -> None:
    found = server_facts(SERVER, {}, look(plans, own, f"{SERVER}/advancedThreatProtectionSettings/Default"))
    assert told(found) == answer


def test_a_plan_that_declares_nothing_leaves_it_to_the_subscription() -> None:
    assert told(server_facts(SERVER, {}, look(["SqlServers"], None, "", declared=True))) is True
    assert told(blob_facts(f"{ACCOUNT}/blobservices/default", {}, look([], None, "", declared=True))) is False

"""Facts of logs that come back to the storage account that they are about."""

import pytest

from auditor.documents import normal_id
from auditor.facts.log_loops import loop_facts
from auditor.facts.look import Look
from auditor.inventory import Unknown

REFUSED = {"$unknown": {"status": 403, "reason": "HTTP 403"}}


def account(name, sub="s"):
    return f"/subscriptions/{sub}/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/{name}"


def sends(name, *targets, service="blobServices", sub="s", logs=True, **marks):
    """The settings of an account's service, one for each account it sends to."""
    settings = f"{account(name, sub)}/{service}/default/providers/Microsoft.Insights/diagnosticSettings"
    value = [
        {"properties": {"storageAccountId": account(t).upper(), "logs": [{"category": "StorageRead", "enabled": logs}]}}
        for t in targets
    ]
    return {"id": settings, "type": "Microsoft.Insights/diagnosticSettings", **(marks or {"value": value})}


def loop(*documents, service="blobServices", declared=False, accounts=("a", "b", "c")):
    known = [{"id": account(name), "type": "Microsoft.Storage/storageAccounts"} for name in accounts]
    index = {normal_id(d["id"]): d for d in (*known, *documents)}
    look = Look(documents=index, resolve=lambda *_: None, declared=declared)
    found = loop_facts(normal_id(f"{account('a')}/{service}/default"), known[0], look)["log_loop"]
    return "unknown" if isinstance(found, Unknown) else found


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        ([sends("a")], []),
        ([sends("a", "a")], ["a"]),
        ([sends("a", "b", "a")], ["a"]),
        ([sends("a", "a", logs=False)], []),  # metrics alone
        ([sends("a", "b"), sends("b")], []),
        ([sends("a", "b"), sends("b", "a")], ["b", "a"]),
        ([sends("a", "b"), sends("b", "c"), sends("c", "a")], ["b", "c", "a"]),
        ([sends("a", "b"), sends("b", "c"), sends("c", "b")], []),  # a circle that it is no part of
        ([sends("a", "b"), sends("b", **REFUSED)], "unknown"),
        ([sends("a", "b", "c"), sends("b", **REFUSED), sends("c", "a")], ["c", "a"]),
        ([sends("a", "b"), sends("b", **{"$absent": {"status": 404}})], []),
        ([sends("a", "b"), sends("b", **{"$unsupported": {"status": 400}})], []),
        ([sends("a", "b")], "unknown"),
        ([sends("a", "gone")], []),
        ([sends("a", **REFUSED)], "unknown"),
        ([], "unknown"),
    ],
)
def test_logs_of_blobs_come_back_at_once_or_by_way_of_others(documents, expected):
    assert loop(*documents) == expected


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        ([sends("a", "a", service="queueServices")], ["a"]),  # beside what they are about
        ([sends("a", "b", service="queueServices"), sends("b", "a")], []),  # the way back starts at the blobs
    ],
)
def test_logs_of_other_services_only_come_back_at_once(documents, expected):
    assert loop(*documents, service="queueServices") == expected


def test_accounts_of_other_subscriptions_are_not_followed():
    into = sends("a")
    into["value"] = [{"properties": {"storageAccountId": account("b", "other"), "logs": [{"enabled": True}]}}]
    assert loop(into, sends("b", "a", sub="other"), {"id": account("b", "other")}) == []


def test_a_template_that_declares_no_setting_has_none():
    assert loop(declared=True) == []
    assert loop(sends("a", "b"), declared=True) == []

"""What a network and a cloud can do in an hour: each ends with the right findings, or with the right unknown."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from faulty import ONE, TWO, VAULT, Faulty, Plan, changes, serving, statuses, sum_is_intact

from auditor.documents import Focus
from auditor.emulator import Fault
from auditor.report import Report

GRAPH_QUERY = re.compile(r"/providers/microsoft\.resourcegraph/resources", re.IGNORECASE)
OF_VAULTS = re.compile(r".*/vaults/.*/diagnosticsettings", re.IGNORECASE)
SETTINGS = re.compile(r".*/providers/microsoft\.insights/diagnosticsettings", re.IGNORECASE)
ONE_VAULT = re.compile(re.escape(f"{VAULT}/providers/Microsoft.Insights/diagnosticSettings"), re.IGNORECASE)
EVERYTHING = re.compile(r".*")
PASSING = 2  # tries that fail before it works
PERMANENT = 10**6


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faulty]:
    with serving(tmp_path_factory.mktemp("faults")) as faulty:
        yield faulty


@pytest.fixture(scope="module")
def calm(azure: Faulty) -> Report:
    report = azure.scan()
    assert not report.unread
    return report


def on(where: re.Pattern[str], fault: Fault, times: int) -> Plan:
    return lambda method, path, nth: fault if nth <= times and where.fullmatch(path) else None


def denied() -> Fault:
    body = {"error": {"code": "AuthorizationFailed", "message": "does not have authorization to perform action"}}
    return Fault(status=403, body=body)


# --- throttling ---


def throttled(share: int, **headers: str) -> Plan:
    """A share of all requests, in percent, always the same ones; sent again, one is another request."""
    body = {"error": {"code": "TooManyRequests", "message": ""}}
    fault = Fault(status=429, body=body, headers={key.replace("_", "-"): value for key, value in headers.items()})
    return lambda method, path, nth: fault if zlib.crc32(f"{method} {path} {nth}".encode()) % 100 < share else None


@pytest.mark.parametrize("share", [5, 50])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Retry_After": "1"},
        {"Retry_After": "0"},
        {"retry_after_ms": "250"},
        {"Retry_After": "Sun, 22 Nov 2026 12:00:02 GMT", "Date": "Sun, 22 Nov 2026 12:00:00 GMT"},
        {"Retry_After": "soon"},
    ],
    ids=str,
)
def test_throttling_costs_time_and_nothing_else(azure: Faulty, calm: Report, share: int, headers: Any) -> None:
    stormy = azure.scan(throttled(share, **headers))

    assert stormy.run.throttled > 0
    assert stormy.findings == calm.findings
    assert stormy.completeness == calm.completeness
    assert sum_is_intact(stormy)


@pytest.mark.parametrize("share", [5, 50])
@pytest.mark.parametrize("wait", ["100000", "Sun, 22 Nov 2099 12:00:00 GMT"])
def test_a_wait_beyond_bearing_makes_those_reads_unknown(azure: Faulty, calm: Report, share: int, wait: str) -> None:
    def plan(method: str, path: str, nth: int) -> Fault | None:
        return throttled(share, Retry_After=wait)(method, path, nth) if SETTINGS.fullmatch(path) else None

    stormy = azure.scan(plan)

    assert not changes(calm, stormy)
    assert stormy.unread
    assert all(unread.why.reason.startswith("Azure throttled the read") for unread in stormy.unread)
    assert stormy.completeness.unknown == len(stormy.unread)
    assert stormy.completeness.planned == calm.completeness.planned
    assert sum_is_intact(stormy)


# --- refusals ---


def test_a_token_refused_in_the_middle_is_renewed_once(fake_azure: Any) -> None:
    vaults = [fake_azure.vault(f"kv{n:02d}") for n in range(40)]
    fake_azure.resources(*vaults)
    old: list[str] = []
    expired = (401, {"error": {"code": "ExpiredAuthenticationToken", "message": "The access token expiry …"}},
               {"WWW-Authenticate": 'Bearer authorization_uri="https://login.example/", error="invalid_token"'})  # fmt: skip

    def answer(seen: Any) -> Any:
        old.append(seen.headers["authorization"])
        return expired if len(old) > 10 and seen.headers["authorization"] == old[0] else {"value": []}

    for vault in vaults:
        fake_azure[f"{vault['id']}/providers/Microsoft.Insights/diagnosticSettings"] = answer

    collection = fake_azure.scan(concurrency=8)

    read = [doc for doc in collection.documents if doc["id"].lower().endswith("/diagnosticsettings") and "value" in doc]
    assert sum("/vaults/kv" in doc["id"] for doc in read) == 40
    assert len(set(old)) == 2
    assert fake_azure.tokens["https://management.azure.com"] == 2


def test_a_token_that_is_never_accepted_again_is_not_renewed_without_end(fake_azure: Any) -> None:
    vaults = [fake_azure.vault(f"kv{n:02d}") for n in range(40)]
    fake_azure.resources(*vaults)
    for vault in vaults:
        fake_azure[f"{vault['id']}/providers/Microsoft.Insights/diagnosticSettings"] = (401, {"error": {"code": "X"}})

    collection = fake_azure.scan(concurrency=1)

    refused = [doc for doc in collection.documents if doc.get("$unknown", {}).get("status") == 401]
    assert len(refused) == 40
    assert fake_azure.tokens["https://management.azure.com"] <= 5


def test_another_tenant_s_refusal_renews_nothing(fake_azure: Any) -> None:
    fake_azure.resources(fake_azure.vault())
    body = {"error": {"code": "InvalidAuthenticationTokenTenant", "message": "wrong issuer"}}
    fake_azure[f"{fake_azure.VAULT}/providers/Microsoft.Insights/diagnosticSettings"] = (401, body)

    fake_azure.scan()

    assert fake_azure.tokens["https://management.azure.com"] == 1


@pytest.mark.parametrize(
    "where",
    [
        pytest.param(re.compile(f"/subscriptions/{TWO}/.*", re.IGNORECASE), id="one subscription"),
        pytest.param(SETTINGS, id="settings only"),
        pytest.param(re.compile(r"/\$storage/.*", re.IGNORECASE), id="data plane only"),
    ],
)
def test_what_is_denied_is_unknown_and_nothing_else_is(azure: Faulty, calm: Report, where: re.Pattern[str]) -> None:
    stormy = azure.scan(on(where, denied(), PERMANENT))

    assert not changes(calm, stormy)
    assert stormy.run.denied == len(stormy.unread) > 0
    assert {unread.why.status for unread in stormy.unread} == {403}
    assert all(unread.why.grant for unread in stormy.unread)
    vanished = statuses(calm).keys() - statuses(stormy).keys()
    # Which tables keep logs is known from the settings alone.
    assert {rule for rule, _ in vanished} <= {"table-retention"}
    assert sum_is_intact(stormy)


SHARE = "log-destination-segregated"


def test_a_denied_subscription_leaves_the_other_as_it_was(azure: Faulty, calm: Report) -> None:
    stormy = azure.scan(on(re.compile(f"/subscriptions/{TWO}/.*", re.IGNORECASE), denied(), PERMANENT))

    def of_one(report: Report) -> dict[tuple[str, str], str]:
        return {key: status for key, status in statuses(report).items() if ONE in key[1] and key[0] != SHARE}

    assert of_one(stormy) == of_one(calm)
    # Whose logs a place holds is a question to the whole estate: what cannot be seen may send there as well.
    assert {status for (rule, _), status in statuses(stormy).items() if rule == SHARE} <= {"pass", "unknown"}


# --- a broken service, a broken wire ---

BROKEN = {
    "500": Fault(status=500),
    "502 with a page of a gateway": Fault(status=502, body="<html>Bad Gateway</html>", headers={"Content-Type": "text/html"}),
    "503 with a wait": Fault(status=503, headers={"Retry-After": "3"}),
    "reset": Fault(reset=True),
    "closed without an answer": Fault(hang_up=True),
    "cut short": Fault(truncate=True),
    "silence": Fault(delay=0.8),
}  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN)
def test_a_passing_burst_changes_nothing(azure: Faulty, calm: Report, kind: str) -> None:
    where = OF_VAULTS if kind == "silence" else EVERYTHING
    stormy = azure.scan(on(where, BROKEN[kind], PASSING))

    assert stormy.run.requests > calm.run.requests
    assert stormy.findings == calm.findings
    assert stormy.completeness == calm.completeness


LASTING = {
    **{kind: (fault, "") for kind, fault in BROKEN.items()},
    "truncated JSON": (Fault(status=200, body='{"value": [{"name": "a", '), "not JSON"),
    "HTML instead of JSON": (Fault(status=200, body="<html>Sign in to the network</html>"), "not JSON"),
    "an empty body": (Fault(status=200), "not JSON"),
    "a page repeated": (Fault(status=200, body={"value": [], "nextLink": "?api-version=2021-05-01-preview"}), "do not end"),
    "a page on another host": (Fault(status=200, body={"value": [], "nextLink": "https://evil.example/x"}), "another host"),
}  # fmt: skip


@pytest.mark.parametrize("kind", LASTING)
def test_what_stays_broken_is_unknown(azure: Faulty, calm: Report, kind: str) -> None:
    fault, reason = LASTING[kind]

    stormy = azure.scan(on(ONE_VAULT, fault, PERMANENT))

    assert not changes(calm, stormy)
    assert [unread.id.lower() for unread in stormy.unread] == [
        f"{VAULT}/providers/Microsoft.Insights/diagnosticSettings".lower()
    ]
    assert reason in stormy.unread[0].why.reason
    assert stormy.completeness.unknown == 1
    assert stormy.completeness.planned == calm.completeness.planned
    assert statuses(stormy)["keyvault-audit-logs", VAULT.lower()] == "unknown"


def test_a_chain_of_pages_without_end_is_unknown(azure: Faulty, calm: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditor.sources.azure.pages.MAX_PAGES", 7)

    def plan(method: str, path: str, nth: int) -> Fault | None:
        if not ONE_VAULT.fullmatch(path):
            return None
        return Fault(status=200, body={"value": [], "nextLink": f"?page={nth}"})

    stormy = azure.scan(plan)

    assert not changes(calm, stormy)
    assert ["do not end" in unread.why.reason for unread in stormy.unread] == [True]


def test_what_vanishes_between_list_and_read_is_no_failure(azure: Faulty, calm: Report) -> None:
    gone = Fault(status=404, body={"error": {"code": "ResourceNotFound", "message": "was not found"}})

    stormy = azure.scan(on(ONE_VAULT, gone, PERMANENT))

    assert statuses(calm)["keyvault-audit-logs", VAULT.lower()] == "pass"
    assert statuses(stormy).get(("keyvault-audit-logs", VAULT.lower())) != "fail"
    assert {key: s for key, s in changes(calm, stormy).items() if key[1] != VAULT.lower()} == {}
    assert not stormy.unread
    assert sum_is_intact(stormy)


def test_an_odd_refusal_of_categories_does_not_mean_that_a_type_cannot_log(azure: Faulty, calm: Report) -> None:
    odd = Fault(status=400, body={"error": {"code": "BadRequest", "message": "no"}})

    stormy = azure.scan(on(re.compile(r".*/diagnosticsettingscategories", re.IGNORECASE), odd, PERMANENT))

    assert not changes(calm, stormy)
    assert {unread.why.code for unread in stormy.unread} == {"BadRequest"}
    assert not {unread.id for unread in stormy.unread if "/disks/" in unread.id}, "of a type unknown to us it does"


@pytest.mark.parametrize(
    "where",
    [
        pytest.param(SETTINGS, id="settings"),
        pytest.param(GRAPH_QUERY, id="Resource Graph"),
        pytest.param(re.compile(f"/subscriptions/{TWO}/.*", re.IGNORECASE), id="one subscription"),
    ],
)
@pytest.mark.parametrize("focus", [Focus(types=("Microsoft.KeyVault",)), Focus(resource_groups=("rg",))], ids=str)
def test_a_part_of_the_estate_is_judged_as_the_whole_through_faults(
    azure: Faulty, calm: Report, focus: Focus, where: re.Pattern[str]
) -> None:
    stormy = azure.scan(on(where, denied(), PERMANENT), focus=focus)

    assert not changes(calm, stormy)
    assert stormy.findings
    assert sum_is_intact(stormy)


# --- Resource Graph ---


def graph_row(name: str) -> dict[str, Any]:
    return {"id": VAULT, "name": name, "type": "microsoft.keyvault/vaults", "properties": {}}


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault(status=200, body={"data": [], "totalRecords": 0, "resultTruncated": "false"}), id="empty"),
        pytest.param(Fault(status=200, body={"data": [graph_row("kv-0")], "totalRecords": 1, "resultTruncated": "true"}), id="truncated"),
        pytest.param(Fault(status=200, body={"data": [graph_row("kv-0")], "totalRecords": 9000}), id="fewer than it counts"),
        pytest.param(denied(), id="refused"),
        pytest.param(Fault(status=200, body="<html>"), id="no JSON"),
        pytest.param(Fault(status=200, body=json.dumps({"data": None})), id="no rows"),
        pytest.param(Fault(reset=True), id="broken off"),
        pytest.param(Fault(status=429, headers={"Retry-After": "100000"}), id="throttled for a day"),
        pytest.param(Fault(status=200, body={"data": [graph_row("kv-0")], "$skipToken": "x"}), id="the same page for ever"),
    ],
)  # fmt: skip
def test_without_resource_graph_the_estate_is_listed_the_other_way(azure: Faulty, calm: Report, fault: Fault) -> None:
    stormy = azure.scan(on(GRAPH_QUERY, fault, PERMANENT))

    assert not changes(calm, stormy)
    assert statuses(calm).keys() <= statuses(stormy).keys()
    assert stormy.resource_count == calm.resource_count
    assert sum_is_intact(stormy)

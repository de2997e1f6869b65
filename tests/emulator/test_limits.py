"""The emulator throttling and dawdling as Azure does."""

from __future__ import annotations

import statistics
import time
from typing import Any

import pytest

from auditor.emulator import Limits
from auditor.emulator.limits import Gate, delays

SUB = "/subscriptions/aaaaaaaa-0000-4000-8000-000000000001"
QUERY = "/providers/Microsoft.ResourceGraph/resources"


def admitted(gate: Gate, path: str, count: int) -> int:
    return sum(gate.admit(path)[0] is None for _ in range(count))


def test_a_bucket_holds_what_azure_documents_and_fills_as_it_does() -> None:
    now = [0.0]
    gate = Gate(Limits(), clock=lambda: now[0])

    assert admitted(gate, f"{SUB}/resources", 300) == 250
    now[0] = 2
    assert admitted(gate, f"{SUB}/resources", 300) == 50
    now[0] = 1000
    assert admitted(gate, f"{SUB}/resources", 300) == 250, "never fuller than full"


def test_subscriptions_the_tenant_and_resource_graph_have_buckets_of_their_own() -> None:
    gate = Gate(Limits(), clock=lambda: 0.0)

    assert admitted(gate, f"{SUB}/resources", 300) == 250
    assert admitted(gate, f"{SUB}b/resources".upper(), 300) == 250
    assert admitted(gate, "/tenants", 300) == 250
    assert admitted(gate, QUERY, 300) == 15


@pytest.mark.parametrize(
    ("path", "header", "left"),
    [
        (SUB, "x-ms-ratelimit-remaining-subscription-reads", "249"),
        ("/tenants", "x-ms-ratelimit-remaining-tenant-reads", "249"),
        (QUERY, "x-ms-user-quota-remaining", "14"),
    ],
)
def test_answers_tell_what_is_left(path: str, header: str, left: str) -> None:
    assert Gate(Limits(), clock=lambda: 0.0).admit(path)[1][header] == left


def test_a_refusal_says_when_to_come_back() -> None:
    gate = Gate(Limits(reads_at_once=1, reads_a_second=0.2), clock=lambda: 0.0)
    gate.admit(SUB)

    refusal, headers = gate.admit(SUB)

    assert refusal is not None
    assert (refusal.status, refusal.headers["Retry-After"]) == (429, "5")
    assert headers["x-ms-ratelimit-remaining-subscription-reads"] == "0"


def test_the_server_throttles_reads_and_never_sign_in(serving: Any, at: dict[str, str]) -> None:
    client = serving(limits=Limits(reads_at_once=2, reads_a_second=0.001, queries_at_once=1, queries_a_second=0.001))

    answers = [client.get(at["VAULT"]) for _ in range(3)]

    assert [answer.status for answer in answers] == [200, 200, 429]
    assert [answer.headers["x-ms-ratelimit-remaining-subscription-reads"] for answer in answers] == ["1", "0", "0"]
    assert [client.query("resources | project id").status for _ in range(2)] == [200, 429]
    assert client.sign_in().status == 200
    assert client.emulator.asked[f"GET {at['VAULT']}?api-version=2021-04-01"] == 3


def test_the_server_takes_its_time(serving: Any, at: dict[str, str]) -> None:
    client = serving(latency=0.05)
    client.token()
    began = time.monotonic()

    for _ in range(4):
        client.get(at["VAULT"])

    assert time.monotonic() - began > 4 * 0.05 / 4


def test_delays_have_the_median_that_was_asked_for() -> None:
    wait = delays(0.08)

    assert statistics.median(wait() for _ in range(2001)) == pytest.approx(0.08, rel=0.05)

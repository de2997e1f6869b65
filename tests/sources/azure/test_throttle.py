"""How long the reads of a scope hold back."""

from __future__ import annotations

import time

import pytest

from auditor.sources.azure.throttle import pause_after, scope_of


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (200, {}, 0),
        (200, {"x-ms-ratelimit-remaining-subscription-reads": "249"}, 0),
        (200, {"x-ms-ratelimit-remaining-subscription-reads": "0"}, 1.6),
        (200, {"x-ms-ratelimit-remaining-subscription-reads": "30"}, 0.4),
        (
            200,
            {"x-ms-ratelimit-remaining-subscription-reads": "11999", "x-ms-ratelimit-remaining-tenant-reads": "20"},
            0.8,
        ),
        (200, {"x-ms-ratelimit-remaining-subscription-reads": "many"}, 0),
        (200, {"x-ms-user-quota-remaining": "0", "x-ms-user-quota-resets-after": "00:00:05"}, 5),
        (200, {"x-ms-user-quota-remaining": "3", "x-ms-user-quota-resets-after": "00:00:05"}, 0),
        (429, {"Retry-After": "17"}, 17),
        (429, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, 0),
        (429, {}, 0),
        (503, {"Retry-After": "17"}, 0),
    ],
)
def test_pause(status: int, headers: dict[str, str], seconds: float) -> None:
    assert pause_after(status, headers) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("url", "scope"),
    [
        ("https://management.azure.com/subscriptions/ABC/providers/x?y", "abc"),
        ("https://management.azure.com/tenants", "management.azure.com"),
        ("https://stone.blob.core.windows.net/?a", "stone.blob.core.windows.net"),
    ],
)
def test_scope(url: str, scope: str) -> None:
    assert scope_of(url) == scope


def test_one_throttled_read_makes_the_others_of_its_subscription_wait(azure) -> None:
    azure.resources(*[azure.vault(f"kv{n}") for n in range(6)])
    arrivals: list[float] = []

    def answer(seen):
        arrivals.append(time.monotonic())
        return (429, "", {"Retry-After": "1"}) if len(arrivals) == 1 else {"value": []}

    for n in range(6):
        azure[f"{azure.VAULT}{n}/providers/Microsoft.Insights/diagnosticSettings"] = answer

    collection = azure.scan(concurrency=1)

    assert collection.run.throttled == 1
    assert arrivals[1] - arrivals[0] >= 0.95

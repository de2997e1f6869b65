"""Azure's speed limits kept on our side: the arithmetic of the buckets, and what answers say about them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.sources.azure import buckets
from auditor.sources.azure.buckets import Bucket, bucket_of, bucket_of_id, new_bucket, seconds_allowed
from auditor.sources.azure.throttle import Limits, Time, clock_time, learn, wait_asked

steady = settings(deadline=None, derandomize=True, max_examples=200)
SUB = "aaaaaaaa-0000-4000-8000-00000000000a"


class Clock:
    """Time that passes only when everybody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self._sleeping: list[tuple[float, int, asyncio.Future[None]]] = []

    @property
    def time(self) -> Time:
        return Time(now=lambda: self.now, sleep=self.sleep)

    async def sleep(self, seconds: float) -> None:
        until: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleeping.append((self.now + seconds, len(self._sleeping), until))
        await until

    async def run(self, *work: Awaitable[Any]) -> None:
        tasks = [asyncio.ensure_future(one) for one in work]
        while not all(task.done() for task in tasks):
            for _ in range(20):  # until nobody can go on without time passing
                await asyncio.sleep(0)
            if self._sleeping:
                self._sleeping.sort(key=lambda entry: entry[:2])
                at, _, until = self._sleeping.pop(0)
                self.now = max(self.now, at)
                until.set_result(None)
        await asyncio.gather(*tasks)


# --- arithmetic ---

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("pass"), st.floats(0, 20)),
        st.tuples(st.just("ask"), st.integers(1, 60)),
        st.tuples(st.just("lower"), st.integers(0, 300)),
        st.tuples(st.just("freeze"), st.floats(0, 30)),
    ),
    max_size=40,
)


@steady
@given(st.integers(1, 250), st.floats(0.5, 50), STEPS)
def test_a_bucket_never_lets_through_more_than_it_holds(capacity: int, rate: float, steps: list[Any]) -> None:
    bucket, now, went, frozen = Bucket(capacity, rate, 0.0), 0.0, list[float](), 0.0
    for what, amount in steps:
        if what == "pass":
            now += amount
        elif what == "lower":
            bucket.lower(amount, now)
        elif what == "freeze":
            bucket.freeze(amount, now)
            frozen = max(frozen, now + amount)
        else:
            for _ in range(amount):
                if bucket.wait(now) == 0:
                    assert now >= frozen, "frozen means none"
                    bucket.take(now)
                    went.append(now)
    for first, since in enumerate(went):  # over every span of time, not only from the start on
        assert len(went) - first <= capacity + rate * (went[-1] - since) + 1e-6


@steady
@given(st.integers(1, 50), st.floats(0.5, 50), STEPS)
def test_whoever_waits_as_long_as_told_may_go(capacity: int, rate: float, steps: list[Any]) -> None:
    bucket, now = Bucket(capacity, rate, 0.0), 0.0
    for what, amount in steps:
        if what == "pass":
            now += amount
        elif what != "ask":
            getattr(bucket, what)(amount, now)
        else:
            now += bucket.wait(now)
            assert bucket.wait(now) < 1e-6
            bucket.take(now)


def test_a_full_bucket_empties_at_once_and_fills_by_its_rate() -> None:
    bucket = Bucket(3, 2, 0.0)
    for _ in range(3):
        assert bucket.wait(0) == 0
        bucket.take(0)

    assert bucket.wait(0) == pytest.approx(0.5)
    assert bucket.wait(0.5) == 0
    assert bucket.wait(0.4) == 0, "a clock that goes backwards takes nothing away"


def test_what_azure_has_not_counted_yet_makes_no_room_for_more() -> None:
    """Answers are slow, Azure's bucket is full all the time, and at last everything arrives there at once."""
    bucket, now = Bucket(225, 24, 0.0), 0.0
    for _ in range(1000):
        if bucket.wait(now) == 0:
            bucket.take(now)
            bucket.send()
        now += 0.01

    assert bucket.under_way <= 225


def test_an_answer_that_was_overtaken_is_not_believed() -> None:
    bucket = Bucket(225, 24, 0.0)
    for _ in range(225):
        bucket.take(0.0)
    for _ in range(200):
        bucket.send()
    bucket.under_way = 0
    bucket.raise_to(50, 0.0)
    bucket.raise_to(249, 0.0)  # the first that Azure counted, but the last that came
    assert sum(1 for _ in iter(lambda: bucket.wait(0.0) == 0 and bucket.take(0.0) is None, False)) == 50 - 8

    bucket.send()
    bucket.under_way = 0
    bucket.raise_to(249, 0.0)
    assert bucket.wait(0.0) == 0, "nothing was under way beside this one"


def test_azure_is_believed_when_it_says_that_less_is_left() -> None:
    bucket = new_bucket(SUB, 0.0)
    bucket.lower(9, 0.0)
    bucket.take(0)

    assert bucket.wait(0) == pytest.approx(1 / buckets.READS_A_SECOND)
    bucket.lower(11999, 0)
    assert bucket.wait(0) > 0, "lowering never raises"


def test_a_host_without_a_known_limit_is_only_ever_frozen() -> None:
    bucket = new_bucket("//stone.blob.core.windows.net", 0.0)
    for _ in range(10_000):
        assert bucket.wait(0) == 0
        bucket.take(0)
    bucket.lower(0, 0.0)
    assert bucket.wait(0) == 0
    bucket.freeze(3, 0.0)
    assert bucket.wait(1) == 2
    assert bucket.wait(3) == 0


@pytest.mark.parametrize(
    ("url", "manager", "bucket"),
    [
        ("https://management.azure.com/subscriptions/ABC/providers/x?y", True, "abc"),
        ("https://management.azure.com/subscriptions?api-version=1", True, buckets.TENANT),
        ("https://management.azure.com/tenants", True, buckets.TENANT),
        ("https://management.azure.com/providers/Microsoft.ResourceGraph/resources?x", True, buckets.QUERIES),
        ("https://stone.blob.core.windows.net/?a", False, "//stone.blob.core.windows.net"),
        ("https://graph.microsoft.com/subscriptions/abc", False, "//graph.microsoft.com"),
    ],
)
def test_what_a_request_is_counted_against(url: str, manager: bool, bucket: str) -> None:
    assert bucket_of(url, manager=manager) == bucket


@steady
@given(st.dictionaries(st.sampled_from(["a", "b", buckets.TENANT, "//storage"]), st.integers(0, 5000)))
def test_the_fullest_bucket_decides_how_long_it_takes(reads: dict[str, int]) -> None:
    expected = 0.0
    for key, count in reads.items():
        bucket, now = new_bucket(key, 0.0), 0.0
        for _ in range(count):
            now += bucket.wait(now)
            bucket.take(now)
        expected = max(expected, now)

    assert seconds_allowed(reads) == pytest.approx(expected, abs=1e-3)


def test_an_id_belongs_to_its_subscription() -> None:
    assert bucket_of_id(f"/Subscriptions/{SUB.upper()}/resourceGroups/x") == SUB
    assert bucket_of_id("") == buckets.TENANT


# --- waiting ---


def test_reads_of_one_bucket_go_in_the_order_they_came_and_never_too_fast() -> None:
    clock, went = Clock(), list[tuple[int, float]]()

    async def main() -> None:
        limits = Limits(1000, clock.time)

        async def read(n: int) -> None:
            await limits.turn(SUB)
            went.append((n, clock.now))

        await clock.run(*(read(n) for n in range(300)))

    asyncio.run(main())

    assert [n for n, _ in went] == list(range(300))
    assert sum(at == 0 for _, at in went) == buckets.READS_AT_ONCE
    assert went[-1][1] == pytest.approx(seconds_allowed({SUB: 300}))


def test_a_frozen_bucket_holds_back_even_those_that_wait_already_and_nobody_else() -> None:
    clock, went = Clock(), dict[str, float]()

    async def main() -> None:
        limits = Limits(1000, clock.time)
        held = await limits.turn("a")
        for _ in range(buckets.READS_AT_ONCE - 1):
            await limits.turn("a")

        async def read(key: str, name: str) -> None:
            await limits.turn(key)
            went[name] = clock.now

        async def refuse() -> None:
            await clock.sleep(0.01)  # while the first one sleeps for its turn
            learn(held, 429, {"retry-after": "17"}, clock.time, 120)

        await clock.run(read("a", "waiting"), read("a", "behind it"), refuse(), read("b", "elsewhere"))

    asyncio.run(main())

    assert went["elsewhere"] == 0
    assert went["waiting"] == pytest.approx(17.01)
    assert went["behind it"] >= 17.01


# --- what answers say ---


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "17"}, 17),
        ({"retry-after": "0"}, 0),
        ({"retry-after": " 0.05 "}, 0.05),
        ({"retry-after-ms": "700"}, 0.7),
        ({"x-ms-retry-after-ms": "600", "retry-after": "1"}, 0.6),
        ({"x-ms-retry-after-ms": "soon", "retry-after": "1"}, 1),
        ({"retry-after": "Sun, 22 Nov 2026 12:00:30 GMT", "date": "Sun, 22 Nov 2026 12:00:00 GMT"}, 30),
        ({"retry-after": "Sun, 22 Nov 2026 11:00:00 GMT", "date": "Sun, 22 Nov 2026 12:00:00 GMT"}, 0),
        ({"retry-after": "tomorrow"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "1e9"}, None),
        ({"retry-after": "٣"}, None),
        ({"retry-after": "Sun, 99 Nov 2026 12:00:30 GMT"}, None),
        ({"retry-after": "9" * 5000}, None),
    ],
)
def test_the_wait_that_is_asked_for(headers: dict[str, str], seconds: float | None) -> None:
    assert wait_asked(headers) == seconds


def test_a_date_without_the_service_s_clock_is_measured_by_ours() -> None:
    in_a_minute = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 60))

    assert wait_asked({"retry-after": in_a_minute}) == pytest.approx(60, abs=5)


@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [
        (200, {}, 0),
        (200, {"x-ms-ratelimit-remaining-subscription-reads": "249"}, 0),
        (200, {"x-ms-ratelimit-remaining-subscription-reads": "3"}, 1 / 24),
        (200, {"x-ms-ratelimit-remaining-subscription-reads": "999", "x-ms-ratelimit-remaining-tenant-reads": "0"}, 1 / 24),
        (200, {"x-ms-ratelimit-remaining-subscription-reads": "many"}, 0),
        (200, {"x-ms-user-quota-remaining": "0", "x-ms-user-quota-resets-after": "00:00:05"}, 5),
        (200, {"x-ms-user-quota-remaining": "0", "x-ms-user-quota-resets-after": "23:00:00"}, 120),
        (200, {"x-ms-user-quota-remaining": "0", "x-ms-user-quota-resets-after": "later"}, 0),
        (200, {"x-ms-user-quota-remaining": "3", "x-ms-user-quota-resets-after": "00:00:05"}, 0),
        (429, {"retry-after": "17"}, 17),
        (429, {"retry-after-ms": "1500"}, 1.5),
        (429, {}, 1 / 24),
        (429, {"retry-after": "100000"}, 0),  # beyond the cap: of this read alone
        (503, {"retry-after": "17"}, 0),
    ],
)  # fmt: skip
def test_what_an_answer_does_to_its_bucket(status: int, headers: dict[str, str], wait: float) -> None:
    bucket, clock = new_bucket(SUB, 0.0), Clock()

    learn(bucket, status, headers, clock.time, 120)

    assert bucket.wait(0) == pytest.approx(wait)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("00:00:05", 5), ("01:02:03", 3723), ("7", 7), ("", None), ("a:b", None), ("1:1:1:1", None), (None, None)],
)
def test_clock_time(text: str | None, seconds: float | None) -> None:
    assert clock_time(text) == seconds


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


@pytest.mark.parametrize(
    ("left", "under_way", "allowed"),
    [(249, 0, 241), (249, 100, 141), (11_999, 100, 11_891), (100, 93, 0), (8, 0, 0)],
    ids=[
        "all is left",
        "some may not be counted yet",
        "an identity that is allowed more",
        "perhaps none",
        "none to spare",
    ],
)
def test_azure_is_believed_when_more_is_left_than_we_thought(left: int, under_way: int, allowed: int) -> None:
    bucket = Bucket(225, 24, 0.0)
    for _ in range(225):
        bucket.take(0.0)
    bucket.under_way = under_way
    bucket.raise_to(left, 0.0)
    sent = 0
    while bucket.wait(0.0) == 0:
        bucket.take(0.0)
        sent += 1
    assert sent == allowed

"""Keeping to Azure's speed limits: requests wait for their bucket's turn, and answers correct what we think of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final

import msgspec
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncHTTPPolicy

from auditor.sources.azure.buckets import Bucket, bucket_of, new_bucket

_REMAINING: Final = ("x-ms-ratelimit-remaining-subscription-reads", "x-ms-ratelimit-remaining-tenant-reads")
_TOGETHER: Final = 24  # requests of one bucket that wait for each other
_MILLISECONDS: Final = ("retry-after-ms", "x-ms-retry-after-ms")


class Time(msgspec.Struct, frozen=True, kw_only=True):
    """A clock in seconds and how to wait by it, so that a test need not live through an hour."""

    now: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]


REAL_TIME: Final = Time(now=time.monotonic, sleep=asyncio.sleep)


class Limits:
    """The buckets of one run, shared by all ways out, and how many requests may be under way at once."""

    def __init__(self, concurrency: int, time: Time = REAL_TIME) -> None:
        self.time = time
        self.slots = asyncio.Semaphore(max(1, concurrency))
        self._buckets: dict[str, tuple[Bucket, asyncio.Lock]] = {}

    async def turn(self, key: str) -> Bucket:
        """Wait until the bucket lets one more request through; first come, first served.

        An empty bucket is left to fill until some of those who wait can go together: nobody is done later for it, and
        a process that wakes for each request by itself spends several times the CPU on it.
        """
        held = self._buckets.get(key)
        if held is None:
            held = self._buckets[key] = (new_bucket(key, self.time.now()), asyncio.Lock())
        bucket, queue = held
        bucket.waiting += 1
        try:
            async with queue:
                # Looked at again after each wait: meanwhile an answer may have frozen the bucket.
                while bucket.wait(self.time.now()) > 0:
                    await self.time.sleep(bucket.wait(self.time.now(), min(bucket.waiting, _TOGETHER)))
                bucket.take(self.time.now())
        finally:
            bucket.waiting -= 1
        return bucket


class Throttle(AsyncHTTPPolicy[Any, Any]):
    """Lets a request go when its bucket and the number of those under way allow, and learns from the answer."""

    def __init__(self, limits: Limits, cap: float, *, manager: bool) -> None:
        super().__init__()
        self._limits = limits
        self._cap = cap
        self._manager = manager

    async def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """Wait for the turn, send, and learn."""
        bucket = await self._limits.turn(bucket_of(request.http_request.url, manager=self._manager))
        bucket.send()
        try:
            async with self._limits.slots:
                response = await self.next.send(request)
        finally:
            bucket.under_way -= 1
        learn(bucket, response.http_response.status_code, response.http_response.headers, self._limits.time, self._cap)
        return response


def learn(bucket: Bucket, status: int, headers: Mapping[str, str], time: Time, cap: float) -> None:
    """Correct a bucket by what an answer says of it; a wait beyond the cap concerns the one read alone."""
    if status == 429:
        pause = wait_asked(headers) or 0
        if pause <= cap:
            bucket.freeze(pause, time.now())
        return
    quota = _number(headers.get("x-ms-user-quota-remaining"))
    if quota is not None:  # Resource Graph counts in a window: with none left nothing goes until it ends
        window = clock_time(headers.get("x-ms-user-quota-resets-after"))
        if quota == 0 and window is not None:
            bucket.freeze(min(window, cap), time.now())
        return
    left = min((n for name in _REMAINING if (n := _number(headers.get(name))) is not None), default=None)
    if left is not None:
        bucket.lower(left, time.now())
        bucket.raise_to(left, time.now())


def wait_asked(headers: Mapping[str, str]) -> float | None:
    """Seconds that an answer asks to wait, in whichever form it says so; None for none or nonsense."""
    for name in _MILLISECONDS:
        milliseconds = _decimal(headers.get(name))
        if milliseconds is not None:
            return milliseconds / 1000
    said = headers.get("retry-after")
    seconds = _decimal(said)
    if seconds is not None or not said:
        return seconds
    until = _date(said)
    # Measured by the service's own clock where it tells it, since ours may be wrong.
    since = _date(headers.get("date")) or time.time()
    return None if until is None else max(0.0, until - since)


def clock_time(value: str | None) -> float | None:
    """Seconds from the `hh:mm:ss` that Resource Graph sends."""
    parts = (value or "").strip().split(":")
    if len(parts) > 3 or not all(part.isascii() and part.isdecimal() and len(part) < 10 for part in parts):
        return None
    return float(sum(int(part) * 60**place for place, part in enumerate(reversed(parts))))


def _number(value: str | None) -> int | None:
    value = (value or "").strip()
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 16 else None


def _decimal(value: str | None) -> float | None:
    whole, _, rest = (value or "").strip().partition(".")
    digits = whole + rest
    return float(f"{whole or 0}.{rest or 0}") if digits.isascii() and digits.isdecimal() and len(digits) < 100 else None


def _date(value: str | None) -> float | None:
    try:
        return parsedate_to_datetime(value).timestamp() if value else None
    except (ValueError, TypeError, OverflowError):
        return None

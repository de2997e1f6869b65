"""The speed limits and slowness of Azure, as the emulator plays them: token buckets, 429, and answers that take time.

Nothing of it is on unless asked for, since a demonstration should not wait.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from typing import Final

import msgspec

from auditor.documents import normal_id, subscription_of
from auditor.emulator.answers import Answer, error
from auditor.emulator.resource_graph import PATH as RESOURCE_GRAPH

_SPREAD: Final = 0.35  # of the logarithm of a delay: a few answers take twice as long as most


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How fast the emulator lets itself be asked; the defaults are what Resource Manager documents."""

    reads_at_once: int = 250  # for each subscription, and for what belongs to the tenant
    reads_a_second: float = 25
    queries_at_once: int = 15  # of Resource Graph
    queries_a_second: float = 3


class Gate:
    """Counts requests against their buckets, and refuses those that come too fast."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._levels: dict[str, tuple[float, float]] = {}  # bucket → (level, when it was so)

    def admit(self, path: str) -> tuple[Answer | None, dict[str, str]]:
        """The refusal of a request that comes too fast, if it does, and the headers that tell how many may follow."""
        key = normal_id(path)
        queried = key == RESOURCE_GRAPH
        subscription = subscription_of(key)
        most, rate = (
            (self._limits.queries_at_once, self._limits.queries_a_second)
            if queried
            else (self._limits.reads_at_once, self._limits.reads_a_second)
        )
        bucket = RESOURCE_GRAPH if queried else subscription or "tenant"
        now = self._clock()
        level, since = self._levels.get(bucket, (float(most), now))
        level = min(float(most), level + (now - since) * rate)
        admitted = level >= 1
        self._levels[bucket] = (level - admitted, now)
        left = int(level - admitted)
        if queried:
            resets = math.ceil((most - level) / rate)
            headers = {"x-ms-user-quota-remaining": str(left), "x-ms-user-quota-resets-after": f"00:00:{resets:02d}"}
        else:
            headers = {f"x-ms-ratelimit-remaining-{'subscription' if subscription else 'tenant'}-reads": str(left)}
        if admitted:
            return None, headers
        wait = {"Retry-After": str(max(1, math.ceil((1 - level) / rate)))}
        code = "RateLimiting" if queried else "SubscriptionRequestsThrottled" if subscription else "TooManyRequests"
        return error(429, code, "Too many requests; try again after the time in Retry-After.", headers=wait), headers


def delays(median: float, seed: int = 7) -> Callable[[], float]:
    """Seconds that answers take, the same in each run: half of them more than the median, a few much more."""
    choose = random.Random(seed)  # noqa: S311 (no secret)
    return lambda: median * choose.lognormvariate(0, _SPREAD)

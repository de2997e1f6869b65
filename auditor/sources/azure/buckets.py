"""Azure's own speed limits, kept on our side: an allowance a subscription, one a tenant, one for Resource Graph.

Nothing here asks Azure or waits; it is the arithmetic of who may go when. No Azure SDK is needed to read this.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from auditor.sources.azure.batch_form import PATH

# Resource Manager documents 250 reads at once and 25 more a second, for each subscription and for the tenant; Resource
# Graph 15 queries in 5 seconds. A little below, since Azure's clock is not ours and others may ask as well.
READS_AT_ONCE: Final = 225
READS_A_SECOND: Final = 24.0
_QUERIES_AT_ONCE: Final = 14
_QUERIES_A_SECOND: Final = 2.9
_RESERVE: Final = 8  # reads that Azure still allows when we think that there are none left
_ROUNDING: Final = 1e-9  # of a token, so that nobody waits for nothing

TENANT: Final = "tenant"
QUERIES: Final = "resource graph"
BATCHES: Final = "//batch"  # what is in one has a turn of its own

_SUBSCRIPTION = re.compile(r"/subscriptions/([^/?]+)", re.IGNORECASE)
_QUERY_PATH: Final = "/providers/microsoft.resourcegraph/"


class Bucket:
    """One allowance: so many requests at once, so many more a second, and none at all while it is frozen."""

    __slots__ = ("_at", "_least", "_level", "capacity", "frozen_until", "rate", "under_way", "waiting")

    def __init__(self, capacity: float, rate: float, now: float) -> None:
        self.capacity = capacity
        self.rate = rate
        self.frozen_until = now
        self.under_way = 0  # sent, and not answered yet
        self._least = math.inf  # that answers said was left, since nothing was under way
        self.waiting = 0  # not sent yet
        self._level = capacity
        self._at = now

    def wait(self, now: float, together: int = 1) -> float:
        """Seconds until the next request may go, or so many together; 0 when they may go now."""
        missing = together - self._filled(now)
        missing = 0 if missing <= _ROUNDING else missing / self.rate
        return max(self.frozen_until - now, missing, 0)

    def take(self, now: float) -> None:
        """Count a request that goes now."""
        self._level = self._filled(now) - 1

    def send(self) -> None:
        """Note that a request leaves; whoever has its answer, or none, counts `under_way` down."""
        if not self.under_way:
            self._least = math.inf
        self.under_way += 1

    def lower(self, left: float, now: float) -> None:
        """Believe Azure when it says that fewer requests are left than we thought."""
        if self.capacity < math.inf:
            self._level = min(self._filled(now), max(0.0, left - _RESERVE))

    def raise_to(self, left: float, now: float) -> None:
        """Believe Azure when it says that more are left than we thought: some identities are allowed more.

        Those under way may not have been counted yet, so what is left without them is sure. Answers overtake each
        other, so of those to requests sent together only the least is to be believed.
        """
        self._least = min(self._least, left)
        sure = self._least - _RESERVE - self.under_way
        if sure > self._filled(now):
            self.capacity = max(self.capacity, sure + self.under_way)
            self._level = sure

    def freeze(self, seconds: float, now: float) -> None:
        """Let nothing through for a while: Azure's bucket is empty, so ours is too."""
        self.frozen_until = max(self.frozen_until, now + seconds)
        if self.capacity < math.inf:
            self._level = min(self._filled(now), 0.0)

    def _filled(self, now: float) -> float:
        passed = now - self._at
        if passed > 0:
            self._at = now
            if self.capacity < math.inf:
                # Azure's bucket may be full, and still have to count those under way: so nothing fills in their place.
                most = max(self._level, self.capacity - self.under_way)
                self._level = min(most, self._level + passed * self.rate)
        return self._level


def new_bucket(key: str, now: float) -> Bucket:
    """The full allowance of a key that `bucket_of` gives; hosts have none that is known, but can be frozen."""
    if key == QUERIES:
        return Bucket(_QUERIES_AT_ONCE, _QUERIES_A_SECOND, now)
    if key.startswith("//"):
        return Bucket(math.inf, 0, now)
    return Bucket(READS_AT_ONCE, READS_A_SECOND, now)


def bucket_of(url: str, *, manager: bool = True) -> str:
    """What Azure counts a request against: Resource Graph, a subscription or the tenant; else the host, as `//host`."""
    split = urlsplit(url)
    if not manager:
        return f"//{split.netloc.lower()}"
    if split.path == PATH:
        return BATCHES
    if split.path.lower().startswith(_QUERY_PATH):
        return QUERIES
    return bucket_of_id(split.path)


def bucket_of_id(resource_id: str) -> str:
    """The bucket of reading something in Resource Manager: its subscription, else the tenant."""
    found = _SUBSCRIPTION.match(resource_id)
    return found.group(1).lower() if found else TENANT


def seconds_allowed(reads: Mapping[str, int]) -> float:
    """The least time that so many reads a bucket take, however fast everything else is: the fullest bucket decides."""
    counted = (count for key, count in reads.items() if not key.startswith("//"))
    return max(0.0, max(counted, default=0) - READS_AT_ONCE) / READS_A_SECOND

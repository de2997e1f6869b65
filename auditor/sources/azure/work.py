"""Reads done side by side, as they come: a queue and workers for each subscription."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, Final

from auditor.sources.azure.buckets import bucket_of_id, seconds_allowed

_WORKERS: Final = 48  # reads of one subscription waiting for their turn or answers: at 25 a second, for slow ones too
_ALL_WORKERS: Final = 4096

Do = Callable[[], Awaitable[Any]]
Job = tuple[str, Do]
"""What a job is about (an id, or `//` and the name of what is not Resource Manager's), and how to do it."""
Tell = Callable[[int, int, float, float], None]
"""Told how many jobs are done, how many there are, since how many seconds, and how many all take at the least."""


class Work:
    """Jobs under way, to which more can be added until the last is done; see `working`.

    Every subscription has a queue and workers of its own, so that all of them are read at the speed that Azure allows
    each, and a throttled one keeps nobody waiting. The pipeline bounds what is under way at once.
    """

    def __init__(self, group: asyncio.TaskGroup, places: int, concurrency: int, tell: Tell) -> None:
        self._group = group
        self._workers = max(1, min(_WORKERS, concurrency, _ALL_WORKERS // max(1, places)))
        self._concurrency = concurrency
        self._tell = tell
        self._queues: dict[str, deque[Do]] = {}
        self._at_work = Counter[str]()
        self._counts = Counter[str]()  # of all jobs, by bucket
        self._done = 0
        self._floor = 0.0
        self._open = False
        self._began = time.monotonic()

    def add(self, jobs: Iterable[Job], *, first: bool = False) -> None:
        """Have these done too; `first` before what waits already."""
        for place, do in jobs:
            key = place if place.startswith("//") else bucket_of_id(place)
            queue = self._queues.setdefault(key, deque())
            (queue.appendleft if first else queue.append)(do)
            self._counts[key] += 1
            # What is not Resource Manager's knows no limit but that on all that is under way.
            if self._at_work[key] < (self._concurrency if key.startswith("//") else self._workers):
                self._at_work[key] += 1
                self._group.create_task(self._work(key, queue))
        self._floor = seconds_allowed(self._counts)

    def announce(self) -> None:
        """From now on it is told how far the work is: it is known what there is to do."""
        self._open = True
        self._say()

    async def _work(self, key: str, queue: deque[Do]) -> None:
        while queue:
            await queue.popleft()()
            self._done += 1
            if self._open:
                self._say()
        self._at_work[key] -= 1

    def _say(self) -> None:
        self._tell(self._done, self._counts.total(), time.monotonic() - self._began, self._floor)


@asynccontextmanager
async def working(tell: Tell, places: int, concurrency: int) -> AsyncIterator[Work]:
    """Work on about so many places, left when all is done; whatever ends a job or the block ends everything, once."""
    try:
        async with asyncio.TaskGroup() as group:
            yield Work(group, places, concurrency, tell)
    except ExceptionGroup as several:
        raise several.exceptions[0] from None

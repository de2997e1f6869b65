"""Reads done side by side: each subscription at its own speed, more of them at any time, and all begun early."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest
from conftest import CONTOSO

from auditor.emulator import Fault, running
from auditor.sources.azure.collect import collect_now
from auditor.sources.azure.work import Work, working

A, B = (f"/subscriptions/aaaaaaaa-0000-4000-8000-00000000000{n}/x" for n in (1, 2))
Told = list[tuple[int, int]]


def run(block: Callable[[Work], Awaitable[None]], places: int = 2, concurrency: int = 8) -> Told:
    told: Told = []

    async def main() -> None:
        async with working(lambda done, total, *_: told.append((done, total)), places, concurrency) as work:
            await block(work)

    asyncio.run(main())
    return told


def note(into: list[str], name: str) -> Callable[[], Coroutine[Any, Any, None]]:
    async def do() -> None:
        await asyncio.sleep(0)
        into.append(name)

    return do


def test_what_jobs_add_is_done_too_and_what_is_first_before_the_rest() -> None:
    done: list[str] = []

    async def block(work: Work) -> None:
        async def more() -> None:
            work.add([(A, note(done, "late"))])
            work.add([(A, note(done, "urgent"))], first=True)

        work.add([(A, more), (A, note(done, "second")), (A, note(done, "third"))])

    run(block, concurrency=1)

    assert done == ["urgent", "second", "third", "late"]


def test_a_place_that_hangs_keeps_no_other_waiting() -> None:
    done: list[str] = []

    async def block(work: Work) -> None:
        free = asyncio.Event()

        async def release() -> None:
            free.set()

        work.add([(A, free.wait)] * 100)
        work.add([(B, note(done, "b"))] * 3 + [(B, release)])

    run(block, concurrency=4)

    assert done == ["b"] * 3


def test_nothing_is_told_before_it_is_known_what_there_is_to_do() -> None:
    async def block(work: Work) -> None:
        work.add([(A, note([], "a"))] * 3)
        await asyncio.sleep(0.01)
        work.add([(A, note([], "a"))] * 2)
        work.announce()

    assert run(block) == [(3, 5), (4, 5), (5, 5)]


def test_what_ends_one_job_ends_all_as_itself() -> None:
    async def fail() -> None:
        raise LookupError("gone")

    async def block(work: Work) -> None:
        work.add([(A, fail), (B, asyncio.Event().wait)])
        await asyncio.Event().wait()

    with pytest.raises(LookupError, match="gone"):
        run(block)


def test_settings_are_asked_for_while_resources_are_still_listed() -> None:
    order: list[str] = []

    def watch(method: str, path: str, nth: int) -> Fault | None:
        order.append("list" if "resourcegraph" in path.lower() else path.lower())
        return Fault(delay=0.5) if method == "POST" and "resourcegraph" in path.lower() and nth == 3 else None

    with running(CONTOSO / "estate.json", faults=watch) as azure:
        collect_now(azure.scan_options(page_size=50))

    pages = [n for n, what in enumerate(order) if what == "list"]
    early = [what for what in order[: pages[-1]] if what.endswith("/diagnosticsettings")]
    assert len(pages) > 3
    assert len(early) > 20


def test_a_list_that_two_ask_for_at_once_is_read_once() -> None:
    """Flow logs: read to list them, where Resource Manager lists the estate, and as settings of their watcher."""
    with running(CONTOSO / "estate.json", latency=0.02) as azure:
        collect_now(azure.scan_options(inventory="arm"))

    asked: Counter[str] = Counter()
    for line, count in azure.asked.items():
        asked[line.lower()] += count
    assert {line: count for line, count in asked.items() if count > 1 and line.startswith("get ")} == {}

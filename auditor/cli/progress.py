"""Progress on stderr: a live line on a terminal, a plain line a stage otherwise, nothing with `--quiet`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from auditor.sources.azure.progress import Progress

Show = Callable[["Progress"], None]
EVERY = 30  # seconds


@contextmanager
def shown(*, quiet: bool) -> Iterator[Show | None]:
    """A function to show progress with, while the block runs; None when quiet."""
    if quiet:
        yield None
    elif sys.stderr.isatty():
        with _live() as show:
            yield show
    else:
        with _plain() as show:
            yield show


@contextmanager
def _live() -> Iterator[Show]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("  {task.description:<24}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("denied {task.fields[denied]}  throttled {task.fields[throttled]}"),
    )
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def show(progress: Progress) -> None:
            counts: dict[str, Any] = {"denied": progress.denied, "throttled": progress.throttled}
            if progress.stage not in tasks:
                tasks[progress.stage] = bars.add_task(progress.stage, total=progress.total or None, **counts)
            bars.update(tasks[progress.stage], completed=progress.done, total=progress.total or None, **counts)

        yield show


@contextmanager
def _plain(clock: Callable[[], float] = time.monotonic) -> Iterator[Show]:
    """A line when a stage ends, and every half minute of a long one: a log is read afterwards."""
    last: list[Progress] = []
    told = clock()

    def show(progress: Progress) -> None:
        nonlocal told
        if last and last[0].stage != progress.stage:
            _say(last[0])
            told = clock()
        elif clock() - told >= EVERY:
            _say(progress)
            told = clock()
        last[:] = [progress]

    try:
        yield show
    finally:
        if last:
            _say(last[0])


def _say(progress: Progress) -> None:
    total = f"/{progress.total:,}" if progress.total else ""
    counts = f"denied {progress.denied:,}  throttled {progress.throttled:,}"
    print(f"{progress.stage}: {progress.done:,}{total}  {counts}", file=sys.stderr, flush=True)

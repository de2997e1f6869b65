"""Progress on stderr: live bars on a terminal, a plain line a stage otherwise, nothing with `--quiet`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from auditor.sources.azure.progress import Progress

Show = Callable[["Progress"], None]
_LONG: Final = "settings"  # the stage that takes most of a run: one read for each resource
EVERY: Final = 30  # seconds after which a plain line tells that it still goes on


@contextmanager
def shown(*, quiet: bool) -> Iterator[Show | None]:
    """A function to show progress with, while the block runs; None when quiet."""
    if quiet:
        yield None
        return
    with _live() if sys.stderr.isatty() else _plain() as show:
        yield _summed(show)


def _summed(show: Show) -> Show:
    """Shows a stage that comes in several rounds as one."""
    import msgspec

    rounds: dict[str, tuple[int, int]] = {}  # of the rounds that are over: done, total
    last: dict[str, Progress] = {}

    def summed(progress: Progress) -> None:
        before, stage = last.get(progress.stage), progress.stage
        if before is not None and progress.done < before.done:
            done, total = rounds.get(stage, (0, 0))
            rounds[stage] = done + before.done, total + before.total
        last[stage] = progress
        done, total = rounds.get(stage, (0, 0))
        show(msgspec.structs.replace(progress, done=done + progress.done, total=total + progress.total))

    return summed


@contextmanager
def _live() -> Iterator[Show]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("  {task.description:<14}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("denied {task.fields[denied]}  throttled {task.fields[throttled]}"),
    )
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, TaskID] = {}
        told: set[str] = set()

        def show(progress: Progress) -> None:
            if _is_news(progress, told):
                bars.console.print(f"  {outlook(progress)}", highlight=False, markup=False)
            counts: dict[str, Any] = {
                "denied": progress.denied,
                "throttled": progress.throttled,
                "rate": rate(progress),
            }
            if progress.stage not in tasks:
                for task in bars.tasks:  # what went before is over
                    bars.update(task.id, total=task.completed or 1, completed=task.completed or 1)
                tasks[progress.stage] = bars.add_task(progress.stage, total=progress.total or None, **counts)
            bars.update(tasks[progress.stage], completed=progress.done, total=progress.total or None, **counts)

        yield show


@contextmanager
def _plain(clock: Callable[[], float] = time.monotonic) -> Iterator[Show]:
    """A line when a stage ends, and every half minute of a long one: a log is read afterwards."""
    last: list[Progress] = []
    news: set[str] = set()
    told = clock()

    def show(progress: Progress) -> None:
        nonlocal told
        if last and last[0].stage != progress.stage:
            _say(last[0])
            told = clock()
        elif clock() - told >= EVERY:
            _say(progress)
            told = clock()
        if _is_news(progress, news):
            print(outlook(progress), file=sys.stderr, flush=True)
        last[:] = [progress]

    try:
        yield show
    finally:
        if last:
            _say(last[0])


def _say(progress: Progress) -> None:
    far = f"{progress.done:,} of {progress.total:,}" if progress.total else "done"
    speed = f"  {rate(progress)}" if rate(progress) else ""
    counts = f"denied {progress.denied:,}  throttled {progress.throttled:,}"
    print(f"{progress.stage}: {far}{speed}  {counts}", file=sys.stderr, flush=True)


def _is_news(progress: Progress, told: set[str]) -> bool:
    """Whether the long part is about to begin."""
    if progress.stage != _LONG or progress.stage in told:
        return False
    told.add(progress.stage)
    return progress.done < progress.total


def outlook(progress: Progress) -> str:
    """How much longer a stage will take at the least: Azure gives each subscription so many reads a second."""
    minutes = (progress.floor - progress.seconds) / 60
    least = f"at least {minutes:.0f} min" if minutes >= 1.5 else "about a minute or less"
    return f"{progress.total - progress.done:,} reads to go, {least}: Azure allows 25 a second for each subscription"


def rate(progress: Progress) -> str:
    """Reads a second since the stage began; empty while there is nothing to tell."""
    if progress.done < 2 or progress.seconds < 1:
        return ""
    return f"{progress.done / progress.seconds:.1f}/s"

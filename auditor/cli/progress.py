"""Progress on stderr: a live line on a terminal, plain lines otherwise, nothing with `--quiet`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from auditor.sources.azure.progress import Progress

Show = Callable[["Progress"], None]
_LONG: Final = "settings"  # the stage that takes most of a run: one read for each resource
_EVERY: Final = 30  # seconds after which a plain line tells that it still goes on


@contextmanager
def shown(*, quiet: bool) -> Iterator[Show | None]:
    """A function to show progress with, while the block runs; None when quiet."""
    if quiet:
        yield None
    elif sys.stderr.isatty():
        with _live() as show:
            yield show
    else:
        yield _plain()


@contextmanager
def _live() -> Iterator[Show]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("  {task.description:<24}"),
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
                tasks[progress.stage] = bars.add_task(progress.stage, total=progress.total or None, **counts)
            bars.update(tasks[progress.stage], completed=progress.done, total=progress.total or None, **counts)

        yield show


def _plain() -> Show:
    last: dict[str, tuple[int, float]] = {}  # stage → quarter and seconds of its last line
    told: set[str] = set()

    def show(progress: Progress) -> None:
        if _is_news(progress, told):
            print(outlook(progress), file=sys.stderr)
        finished = bool(progress.total) and progress.done >= progress.total
        quarter = 4 if finished else progress.done * 4 // progress.total if progress.total else 0
        told_quarter, told_at = last.get(progress.stage, (-1, 0.0))
        if quarter <= told_quarter and progress.seconds < told_at + _EVERY:
            return
        last[progress.stage] = (max(quarter, told_quarter), progress.seconds)
        total = f"/{progress.total}" if progress.total else ""
        speed = rate(progress)
        print(
            f"{progress.stage}: {progress.done}{total}{f'  {speed}' if speed else ''}"
            f"  denied {progress.denied}  throttled {progress.throttled}",
            file=sys.stderr,
        )

    return show


def _is_news(progress: Progress, told: set[str]) -> bool:
    """Whether the long part is about to begin."""
    if progress.stage != _LONG or progress.done or not progress.total or progress.stage in told:
        return False
    told.add(progress.stage)
    return True


def outlook(progress: Progress) -> str:
    """How long a stage will take at the least: Azure gives each subscription so many reads a second."""
    minutes = progress.floor / 60
    least = f"at least {minutes:.0f} min" if minutes >= 1.5 else "about a minute or less"
    return f"{progress.total:,} reads to go, {least}: Azure allows 25 a second for each subscription"


def rate(progress: Progress) -> str:
    """Reads a second since the stage began; empty while there is nothing to tell."""
    if progress.done < 2 or progress.seconds < 1:
        return ""
    return f"{progress.done / progress.seconds:.1f}/s"

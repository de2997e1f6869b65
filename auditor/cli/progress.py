"""Progress on stderr: a live line on a terminal, a plain line a stage otherwise, nothing with `--quiet`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from auditor.sources.azure.progress import Progress

Show = Callable[["Progress"], None]


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


def _plain() -> Show:
    told: set[tuple[str, int]] = set()

    def show(progress: Progress) -> None:
        finished = bool(progress.total) and progress.done >= progress.total
        quarter = progress.done * 4 // progress.total if progress.total else 0
        if (progress.stage, 4 if finished else quarter) in told:
            return
        told.add((progress.stage, 4 if finished else quarter))
        total = f"/{progress.total}" if progress.total else ""
        print(
            f"{progress.stage}: {progress.done}{total}  denied {progress.denied}  throttled {progress.throttled}",
            file=sys.stderr,
        )

    return show

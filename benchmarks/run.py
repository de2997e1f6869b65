"""Measure judging, start-up, rendering and collecting, each in processes of its own, and write benchmarks/README.md.

Every figure is CPU time and peak memory of that whole process as the operating system accounts it, the median of
several runs. The ratio compares it with a yardstick run on the same machine in the same session, because seconds of
one machine say little about another.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent
YARDSTICK = ("yardstick", "encode and decode 100,000 documents with the standard library's json", ["yardstick"])
CASES = (
    ("judge", "judge 100,000 synthetic resources with every shipped rule", ["judge"], "under 10 s, under 1.5 GB"),
    ("html", "render the HTML report of 5,000 findings and 3,000 resources", ["html"], "under 3 s, at most 1.5 MB"),
)
ESTATES = ((20, 500), (1, 5000))  # subscriptions, resources in each
START = ("start", "`auditor --version`", "under 150 ms")


def main() -> int:
    """Run every case and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    runs = parser.parse_args().runs
    collected = [collecting(*estate) for estate in ESTATES]
    rows = []
    yard = measure([sys.executable, str(HERE / "cases.py"), *YARDSTICK[2]], runs)
    rows.append((YARDSTICK[1], yard, "1", "–", ""))
    bare = measure([sys.executable, "-c", "pass"], runs * 3)
    for _, what, command, aim in CASES:
        result = measure([sys.executable, str(HERE / "cases.py"), *command], runs)
        rows.append((what, result, f"{result[0] / yard[0]:.2f} × yardstick", aim, result[2]))
    start = measure([sys.executable, "-m", "auditor", "--version"], runs * 3)
    rows.append((START[1], start, f"{start[0] / bare[0]:.1f} × bare interpreter", START[2], ""))
    text = table(rows) + collection_table(collected)
    (HERE / "README.md").write_text(text, encoding="utf-8")
    print(text)
    return 0


def measure(command: Sequence[str], runs: int) -> tuple[float, float, str]:
    """Median CPU seconds and peak megabytes of a command, and the last line that it printed."""
    seconds, memory, said = [], [], ""
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent), "PYTHONHASHSEED": "0"}
    for _ in range(runs):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        assert process.stdout is not None
        said = process.stdout.read().strip().rpartition("\n")[2]
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{' '.join(command)} failed with {process.returncode}")
        seconds.append(usage.ru_utime + usage.ru_stime)
        memory.append(usage.ru_maxrss / 1024)
    return statistics.median(seconds), statistics.median(memory), said


def collecting(subscriptions: int, each: int) -> str:
    """One line of the table of collecting; once, since Azure's limits make it last minutes."""
    command = [sys.executable, str(HERE / "collect.py"), "measure", str(subscriptions), str(each)]
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent), "PYTHONHASHSEED": "0"}
    said = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment, check=True).stdout
    got = json.loads(said)
    over = f"{got['wall'] / got['floor']:.2f}" if got["floor"] else "–"
    return (
        f"| {subscriptions} × {each:,} | {got['requests']:,} | {got['per_resource']:.2f} | {got['wall']:.0f} "
        f"| {got['floor']:.0f} | {over} | {got['cpu']:.1f} "
        f"| {got['cpu_per_request'] / got['bare_per_request']:.2f} | {got['megabytes']:.0f} "
        f"| {got['throttled']:,} | {got['lost']:,} |"
    )


def collection_table(lines: Sequence[str]) -> str:
    """How collecting went, as Markdown."""
    return "\n".join(
        [
            "",
            "## Collecting",
            "",
            "From the emulator in a process of its own, with a median latency of 80 ms and Resource Manager's documented",
            "limits (250 reads at once and 25 a second for each subscription, 15 queries in 5 seconds). The floor is the",
            "time that those limits alone allow for these requests; aims: wall ≤ 1.15 × floor, CPU for a request ≤ 2.5 ×",
            "that of bare aiohttp sending the same GETs, nothing lost. Wall time needs an idle machine to mean anything.",
            "",
            "| Estate | Requests | A resource | Wall s | Floor s | Wall ÷ floor | CPU s | CPU ÷ bare | Peak MB | 429 | Lost |",
            "|---|-:|-:|-:|-:|-:|-:|-:|-:|-:|-:|",
            *lines,
            "",
        ]
    )


def table(rows: Sequence[tuple[str, tuple[float, float, str], str, str, str]]) -> str:
    """The page as Markdown."""
    lines = [
        "# Benchmarks",
        "",
        "Written by `make bench`. Each figure is the median CPU time (user and system) and peak memory of a whole",
        f"process on {os.cpu_count()} cores, Python {platform.python_version()}. Compare ratios, not seconds.",
        "",
        "| What | CPU s | Peak MB | Ratio | Aim | Note |",
        "|---|-:|-:|-:|---|---|",
    ]
    for what, (seconds, memory, _), ratio, aim, note in rows:
        lines.append(f"| {what} | {seconds:.2f} | {memory:,.0f} | {ratio} | {aim} | {note} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.exit(main())

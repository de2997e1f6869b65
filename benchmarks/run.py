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
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import iac
from collect import SERVICES

HERE = Path(__file__).parent
YARDSTICK = ("yardstick", "encode and decode 100,000 documents with the standard library's json", ["yardstick"])
CASES = (
    ("judge", "judge 100,000 synthetic resources with every shipped rule", ["judge"], "under 10 s, under 1.5 GB"),
    ("html", "render the HTML report of 5,000 findings and 3,000 resources", ["html"], "under 3 s, at most 1.5 MB"),
)
ESTATES = ((20, 500), (1, 5000))  # subscriptions, resources in each
SCOUT_VERSION = "5.14.0"
CITED = (
    "On another day, on an emulated estate of 20 × 500 at 80 ms, it took 43 s and 25 CPU s\n"
    "for a part of these questions, without any setting of a vault or storage account."
)
LARGE = "judge a snapshot of 1,000,000 resources in 200 subscriptions, and write the findings file"
JUDGING = (
    "Judging takes longer than its aim of 10 s, which was set for a fifth of today's rules: more than half of it goes",
    "into the facts of each resource (settings, destinations, exposure, coverage), the rest into 165 rules. No",
    "single fact or rule stands out in a profile. `--jobs` shares a snapshot's parts among processes.",
)
START = ("start", "`auditor --version`", "under 150 ms")


def main() -> int:
    """Run every case and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    runs = parser.parse_args().runs
    collected = [collecting(*estate, listed_by) for estate in ESTATES for listed_by in ("graph", "arm")]
    compared = peer(*ESTATES[0])
    rows = []
    yard = measure([sys.executable, str(HERE / "cases.py"), *YARDSTICK[2]], runs)
    rows.append((YARDSTICK[1], yard, "1", "–", ""))
    bare = measure([sys.executable, "-c", "pass"], runs * 3)
    for _, what, command, aim in CASES:
        result = measure([sys.executable, str(HERE / "cases.py"), *command], runs)
        rows.append((what, result, f"{result[0] / yard[0]:.2f} × yardstick", aim, result[2]))
    large = judging_a_million()
    rows.append((LARGE, large, f"{large[0] / yard[0]:.0f} × yardstick", "within 4 GB", large[2]))
    start = measure([sys.executable, "-m", "auditor", "--version"], runs * 3)
    rows.append((START[1], start, f"{start[0] / bare[0]:.1f} × bare interpreter", START[2], ""))
    checkov = shutil.which("checkov") or ""
    text = (
        table(rows, runs)
        + collection_table(collected)
        + compared
        + "\n## Infrastructure code\n"
        + iac.table(runs, checkov)
    )
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


def judging_a_million() -> tuple[float, float, str]:
    """`auditor scan` of a snapshot of a million resources, once."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "million.snapshot"
        environment = {**os.environ, "PYTHONPATH": str(HERE.parent)}
        subprocess.run([sys.executable, str(HERE / "large.py"), "write", str(file)], env=environment, check=True)
        report = Path(folder) / "findings.json"
        command = [sys.executable, "-m", "auditor", "scan", str(file), "-q", "-f", f"json={report}"]
        seconds, memory, _ = measure(command, 1)
        sizes = f"snapshot {file.stat().st_size / 1e6:,.0f} MB, findings file {report.stat().st_size / 1e9:.1f} GB"
    return seconds, memory, sizes


def told(*arguments: object) -> dict[str, float]:
    """What a part of `collect.py` measures; once, since Azure's limits make it last minutes."""
    command = [sys.executable, str(HERE / "collect.py"), *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent), "PYTHONHASHSEED": "0"}
    said: dict[str, float] = json.loads(
        subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment, check=True).stdout
    )
    return said


def peer(subscriptions: int, each: int) -> str:
    """How ScoutSuite fares in the same run; where it cannot be run, what it took on another day."""
    scout = scout_suite()
    why = "it could not be installed here" if scout is None else ""
    if scout is not None and (not sys.platform.startswith("linux") or os.geteuid() or not shutil.which("unshare")):
        why = "only root on Linux can lead it to the emulator"
    if not why:
        try:
            got = told("peer", subscriptions, each, scout)
        except subprocess.CalledProcessError:
            why = "it did not run to its end"
    estate = f"{subscriptions} × {each:,}"
    if why:
        return "\n".join(["", f"ScoutSuite was not measured in this run: {why}. {CITED}", ""])
    return "\n".join(
        [
            "",
            f"In the same run ScoutSuite {SCOUT_VERSION} scanned {estate} under the same limits, asked for what logs alone",
            f"(`--services {' '.join(SERVICES)}`): {got['wall']:.0f} s, {got['cpu']:.1f} CPU s, "
            f"{got['requests']:,.0f} requests,",
            f"{got['megabytes']:.0f} MB, {got['errors']:,.0f} errors in its log. The emulator has no activity log to ask, "
            "which it takes for errors.",
            "It asks no vault and no storage account for its settings.",
            "",
        ]
    )


def scout_suite() -> Path | None:
    """ScoutSuite in an environment of its own, made where there is none; None if that fails."""
    if "SCOUTSUITE" in os.environ:
        return Path(os.environ["SCOUTSUITE"])
    place = HERE.parent / ".venv" / "scoutsuite"
    if not (place / "bin" / "scout").exists():
        make = (
            [sys.executable, "-m", "venv", place],
            [place / "bin" / "pip", "install", "-q", f"ScoutSuite=={SCOUT_VERSION}"],
        )
        for command in make:
            if subprocess.run(command, check=False, stdout=sys.stderr).returncode:
                return None
    return place / "bin" / "scout"


def collecting(subscriptions: int, each: int, listed_by: str) -> str:
    """One line of the table of collecting."""
    got = told("measure", subscriptions, each, listed_by)
    over = f"{got['wall'] / got['floor']:.2f}" if got["floor"] else "–"
    return (
        f"| {subscriptions} × {each:,} | {listed_by} | {got['requests']:,} | {got['per_resource']:.2f} | {got['wall']:.0f} "
        f"| {got['floor']:.0f} | {over} | {got['cpu']:.1f} "
        f"| {got['cpu_per_request'] / got['bare_per_request']:.2f} "
        f"| {got['cpu_per_request'] / got['bare_paced']:.2f} | {got['megabytes']:.0f} "
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
            "that of bare aiohttp sending the same GETs as fast as it can, nothing lost. A process that wakes 25 times a",
            "second pays more for each request than a busy one; `÷ paced` compares with bare aiohttp at that pace. Wall",
            "time needs an idle machine to mean anything.",
            "",
            "| Estate | Inventory | Requests | A resource | Wall s | Floor s | Wall ÷ floor | CPU s | CPU ÷ bare | ÷ paced "
            "| Peak MB | 429 | Lost |",
            "|---|---|-:|-:|-:|-:|-:|-:|-:|-:|-:|-:|-:|",
            *lines,
            "",
            "What is above the floor is 1 to 3 s in each estate (start, sign-in, listing, the last answers): a small part of a",
            "long scan, and too much of one that the allowances of 20 subscriptions let end after 10 s.",
            "",
        ]
    )


def table(rows: Sequence[tuple[str, tuple[float, float, str], str, str, str]], runs: int) -> str:
    """The page as Markdown."""
    lines = [
        "# Benchmarks",
        "",
        f"Written by `make bench`. Each figure is the CPU time (user and system) and peak memory of a whole process, "
        f"{f'the median of {runs} runs' if runs > 1 else 'in one run'},",
        f"on {os.cpu_count()} cores, Python {platform.python_version()}. Compare ratios, not seconds.",
        "",
        "| What | CPU s | Peak MB | Ratio | Aim | Note |",
        "|---|-:|-:|-:|---|---|",
    ]
    for what, (seconds, memory, _), ratio, aim, note in rows:
        lines.append(f"| {what} | {seconds:.2f} | {memory:,.0f} | {ratio} | {aim} | {note} |")
    return "\n".join([*lines, "", *JUDGING, ""])


if __name__ == "__main__":
    sys.exit(main())

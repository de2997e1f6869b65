"""`demo` and `emulate`: Azure on this machine."""

from __future__ import annotations

import argparse
import sys
import time
from datetime import datetime
from importlib.resources import as_file
from pathlib import Path

from auditor.cli.output import DEFAULT_NAMES, Output, write_outputs
from auditor.cli.progress import shown
from auditor.cli.run import judged
from auditor.controls import with_controls
from auditor.errors import AuditorError
from auditor.profile import apply, read_profile
from auditor.rule import load_rules
from auditor.shipped import shipped

DEMO_FORMATS = ("html", "markdown", "markdown-summary", "json")


def demo(arguments: argparse.Namespace) -> int:
    """Serve Contoso on a free loopback port, scan it as any Azure is scanned, and write the reports."""
    from auditor.emulator import running
    from auditor.sources import snapshot
    from auditor.sources.azure.collect import collect_now

    folder = Path(arguments.output)
    if folder.exists() and not folder.is_dir():
        raise AuditorError(f"{folder}: is a file", "-o names the folder to write the reports into")
    folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with as_file(shipped("contoso").joinpath("estate.json")) as estate, running(estate) as azure:
        print(f"Contoso is served at {azure.url}", file=sys.stderr)
        as_of = datetime.fromisoformat(azure.as_of)  # Contoso's own day, so that its reports stay as they are
        with shown(quiet=arguments.quiet) as progress:
            collection = collect_now(azure.scan_options(), progress=progress, clock=lambda: as_of)
    chosen = apply(read_profile(), load_rules())
    report = with_controls(judged(collection, chosen.rules, "Azure logging coverage"), chosen)
    snapshot.write(folder / "contoso.snapshot", collection)
    outputs = [Output(name, str(folder / DEFAULT_NAMES[name])) for name in DEMO_FORMATS]
    write_outputs(report, outputs)
    print(f"read, judged and written in {time.monotonic() - began:.1f} s\n", file=sys.stderr)
    print("Written")
    for output in outputs:
        print(f"  {output.file}")
    print(f"  {folder / 'contoso.snapshot'}")
    print("\nTry next")
    print(f"  auditor scan {folder / 'contoso.snapshot'} --fail-on high")
    print("  auditor rules show entra-sign-in-logs")
    print("  az login && auditor scan -f console -f html=report.html\n")
    write_outputs(report, [Output("console", "-")])
    return 0


def emulate(arguments: argparse.Namespace) -> int:
    """Serve an estate file until Ctrl-C, and print what points a client at it."""
    from auditor.emulator import serve

    if arguments.estate:
        serve(Path(arguments.estate), arguments.host, arguments.port, _say)
    else:
        with as_file(shipped("contoso").joinpath("estate.json")) as estate:
            serve(estate, arguments.host, arguments.port, _say)
    return 0


def _say(text: str) -> None:
    print(text, flush=True)

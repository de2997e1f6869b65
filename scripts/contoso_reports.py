"""The reports of Contoso that are checked in: what every format looks like, and what a change of it changes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from functools import cache
from pathlib import Path

import msgspec

from auditor.acceptances import read_acceptances, with_acceptances
from auditor.assemble import assemble
from auditor.controls import with_controls
from auditor.emulator import running
from auditor.formats import renderer
from auditor.judge import judge
from auditor.profile import apply, read_profile
from auditor.report import Report
from auditor.rule import load_rules
from auditor.sources.azure.collect import collect_now

ROOT = Path(__file__).parents[1]
ESTATE = ROOT / "examples" / "contoso" / "estate.json"
SMALL = "contoso-dev"  # a subscription in which something passes, fails, and cannot be read

# Formats that repeat much for each finding are shown for some rules only.
PART = ("keyvault", "entra-audit", "activity-log-", "network-security-group", "workspace-", "flow-log-", "table-")
PARTIAL = frozenset({"sarif", "junit", "csv", "gitlab"})

# file → (format, subscriptions; none for all of Contoso; and "accepted" for one with its accepted risks)
REPORTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "summary.txt": ("console", ()),
    "summary.md": ("markdown-summary", ()),
    f"{SMALL}.txt": ("console", (SMALL,)),
    f"{SMALL}-controls.txt": ("controls", (SMALL,)),
    f"{SMALL}.json": ("json", (SMALL,)),
    f"{SMALL}.md": ("markdown", (SMALL,)),
    f"{SMALL}-summary.md": ("markdown-summary", (SMALL,)),
    f"{SMALL}.html": ("html", (SMALL,)),
    f"{SMALL}.sarif": ("sarif", (SMALL,)),
    f"{SMALL}-junit.xml": ("junit", (SMALL,)),
    f"{SMALL}.csv": ("csv", (SMALL,)),
    f"{SMALL}-coverage.csv": ("csv-coverage", (SMALL,)),
    f"{SMALL}-github.txt": ("github", (SMALL,)),
    f"{SMALL}-azure-pipelines.txt": ("azure-pipelines", (SMALL,)),
    f"{SMALL}-gitlab.json": ("gitlab", (SMALL,)),
    f"{SMALL}-accepted.txt": ("console", (SMALL, "accepted")),
    f"{SMALL}-accepted.md": ("markdown", (SMALL, "accepted")),
}

# file → what the command line is given: Contoso's plan, code and template, as a gate judges them
GATE = ["--select", ",".join(f"{name}*" for name in PART)]
CODE: dict[str, list[str]] = {
    "code-plan.sarif": ["contoso.plan.json", "--source-root", "terraform", *GATE, "-f", "sarif"],
    "code-template.sarif": ["contoso.template.json", *GATE, "-f", "sarif"],
    "code-terraform.txt": ["terraform", "-f", "console"],
    "code-terraform-summary.md": ["terraform", "-f", "markdown-summary"],
}


def of_code(arguments: list[str]) -> str:
    """What `auditor scan` prints of a part of Contoso in code, run where Contoso lies."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AZURE_", "AUDITOR_"))}
    environment |= {"PYTHONPATH": str(ROOT), "SOURCE_DATE_EPOCH": "1795331640", "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(  # noqa: S603 (ours)
        [sys.executable, "-m", "auditor", "scan", "-q", *arguments],
        cwd=ESTATE.parent,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
        check=True,
    ).stdout


@cache
def scanned(subscriptions: tuple[str, ...]) -> Report:
    """Contoso, or these subscriptions of it, served, read and judged as of Contoso's own day."""
    for name in [name for name in os.environ if name.startswith(("AZURE_", "AUDITOR_"))]:
        del os.environ[name]  # whoever runs it
    wanted = tuple(name for name in subscriptions if name != "accepted")
    rules = load_rules()
    with running(ESTATE) as azure:
        as_of = datetime.fromisoformat(azure.as_of)
        collection = collect_now(azure.scan_options(subscriptions=wanted), clock=lambda: as_of)
    now, chosen = collection.run.finished_at, apply(read_profile(), rules)
    if wanted == subscriptions:
        return with_controls(judge(assemble(collection), chosen.rules, generated_at=now), chosen)
    acceptances = read_acceptances(ESTATE.with_name("acceptances.yaml"), [rule.id for rule in rules], now[:10])
    report = judge(assemble(collection), chosen.rules, generated_at=now, acceptances=acceptances)
    return with_acceptances(with_controls(report, chosen), acceptances)


def rendered(name: str, report: Report) -> str:
    """A report in a format, as it is checked in."""
    if name in PARTIAL:
        report = msgspec.structs.replace(
            report,
            rules=[rule for rule in report.rules if rule.id.startswith(PART)],
            findings=[finding for finding in report.findings if finding.rule.startswith(PART)],
        )
    return renderer(name)(report)


def readme() -> str:
    """The README with the summary of Contoso as it is today: its head, the gravest rules, the first gaps, the end."""
    lines = renderer("console")(scanned(())).splitlines()
    rules = next(n for n, line in enumerate(lines) if line.startswith("  Severity"))
    gaps = next(n for n, line in enumerate(lines) if line.startswith("  Not assessed") and "To close it" in line)
    sample = [*lines[: rules + 8], "…", *lines[gaps : gaps + 4], "…", lines[-1]]
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    head, _, rest = text.partition("```\nAzure logging coverage ")
    return head + "\n".join(["```", *sample, "```"]) + rest[rest.index("\n```") + 4 :]


def makers() -> dict[str, Callable[[], str]]:
    """Every checked-in report by its path, with what makes it."""
    reports = {
        f"examples/contoso/reports/{file}": lambda name=name, only=only: rendered(name, scanned(only))
        for file, (name, only) in REPORTS.items()
    }
    code = {f"examples/contoso/reports/{file}": lambda told=told: of_code(told) for file, told in CODE.items()}
    return {**reports, **code, "README.md": readme}

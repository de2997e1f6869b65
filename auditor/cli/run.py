"""`scan` and `report`."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from auditor.acceptances import Acceptances, as_of, compare, read_acceptances, with_acceptances
from auditor.cli.choosing import asked_of, available_rules, choice, rule_loader
from auditor.cli.gate import EXIT_GATE, EXIT_INCOMPLETE, EXIT_INTERRUPTED, answered, asked, told
from auditor.cli.output import Output, write_outputs
from auditor.cli.reading import check_narrowing, focus_of, note, read_azure, warn, ways_of
from auditor.cli.repository import in_repository
from auditor.cli.since import Revision, check_source, read_before, revision_of
from auditor.config import Configuration, read_configuration
from auditor.controls import with_controls
from auditor.documents import Collection, Run
from auditor.errors import AuditorError
from auditor.focus import focused, is_active
from auditor.report import Report
from auditor.rule import Rule
from auditor.sources.spool import Spool
from auditor.sums import last_line

if TYPE_CHECKING:
    from auditor.parts import Store

MOST_AT_ONCE = 100_000  # documents; where there are more, they are judged part by part


def scan(arguments: argparse.Namespace) -> int:
    """`auditor scan`: read, judge, report, apply the gate."""
    configuration = read_configuration(arguments.config)
    chosen = choice(arguments, configuration)
    outputs = Output.parse(arguments.formats or configuration.report.formats, arguments.output)
    gate = asked(arguments, configuration)
    accepting = _acceptances(arguments, configuration)
    revision = revision_of(arguments)
    earlier = _earlier(arguments.baseline or configuration.gate.baseline) if revision is None else None
    store = _place(arguments, configuration)
    jobs = 1 if isinstance(store, Spool) else arguments.jobs
    run = store.run
    if revision is not None:
        check_source(run.source)
    rules, left_out = asked_of(chosen.rules, run)
    now = clock(run.finished_at)
    acceptances = accepting(now[:10])
    if run.source != "azure":
        acceptances = in_code(acceptances, store, available_rules(arguments, configuration))
    report = _judged(store, rule_loader(arguments, configuration, rules, jobs, run), jobs, now, acceptances)
    report = with_controls(msgspec.structs.replace(report, rules_left_out=left_out), chosen)
    report = msgspec.structs.replace(with_acceptances(report, acceptances), title=configuration.report.title)
    if revision is not None:
        earlier = _before(revision, arguments, configuration, chosen.rules, now)
        report = compare(report, earlier, f"{revision.asked} ({revision.commit[:8]})")
    elif earlier is not None:
        report = compare(report, earlier)
    report = answered(report, gate)
    if run.source != "azure":
        report = in_repository(report, Path(arguments.target), arguments.source_root)
    write_outputs(report, outputs)
    if all(output.file != "-" for output in outputs):
        print(last_line(report), file=sys.stderr)
    if run.interrupted:
        print("interrupted: the report covers what was read", file=sys.stderr)
        return EXIT_INTERRUPTED
    code = told(report, gate)
    return 0 if arguments.exit_zero and code in (EXIT_GATE, EXIT_INCOMPLETE) else code


def _place(arguments: argparse.Namespace, configuration: Configuration) -> Store:
    """The documents of the target, wherever they are held."""
    if arguments.target == "azure":
        return read_azure(arguments, configuration)
    from auditor.parts import Held
    from auditor.sources import open_file, snapshot

    check_narrowing(arguments)
    file = Path(arguments.target)
    parts = snapshot.open_parts(file) if snapshot.recognises(file) else None
    focus = focus_of(arguments, configuration)
    if parts is not None and (not is_active(focus) or focus in parts.run.focus):
        return parts
    return Held(
        focused(open_file(file, ways_of(arguments)), focus, notice=note)
    )  # what a filter chooses is told by all of it


def _before(
    revision: Revision, arguments: argparse.Namespace, configuration: Configuration, rules: Sequence[Rule], now: str
) -> Report:
    """The findings of the target as it was, by today's rules and clock: accepted or not, they are known."""
    from auditor.sources import open_file

    ways = msgspec.structs.replace(ways_of(arguments), notice=lambda _: None)
    focus = focus_of(arguments, configuration)
    collection = read_before(revision, lambda path: focused(open_file(path, ways), focus), note)
    if collection is None:
        collection = Collection(documents=[], run=Run(source="folder"))
    return judged(collection, asked_of(rules, collection.run)[0], now=now)


def _acceptances(arguments: argparse.Namespace, configuration: Configuration) -> Callable[[str], Acceptances]:
    """The accepted risks as of a day, read before anything else is done."""
    file = arguments.acceptances or configuration.acceptances
    if not file:
        return lambda today: Acceptances(today=today)
    made = read_acceptances(Path(file), available_rules(arguments, configuration), "").all
    return lambda today: as_of(made, today)


def in_code(acceptances: Acceptances, store: Store, rules: Iterable[str]) -> Acceptances:
    """The acceptances with those that the code beside resources makes; each mistake in these is told."""
    from auditor.inline import with_written

    made, mistakes = with_written(acceptances, store.collection(), rules)
    for mistake in mistakes:
        warn(str(mistake))
    return made


def _earlier(file: str) -> Report | None:
    return _findings(file) if file else None


def _judged(store: Store, load: Callable[[], Sequence[Rule]], jobs: int, now: str, acceptances: Acceptances) -> Report:
    """Judge documents whole, or part by part where they are many, or several processes are to share them."""
    if store.count <= MOST_AT_ONCE and jobs == 1:
        return judged(store.collection(), load(), now=now, acceptances=acceptances)
    from auditor.parts import judge_in_parts

    with without_collector():
        return judge_in_parts(store, load, now=now, jobs=jobs, acceptances=acceptances)


def judged(
    collection: Collection,
    rules: Sequence[Rule],
    title: str = "",
    *,
    now: str = "",
    acceptances: Acceptances | None = None,
) -> Report:
    """Judge documents as of a moment: by default that of their collection, or of `SOURCE_DATE_EPOCH`."""
    from auditor.assemble import assemble
    from auditor.judge import judge

    now = now or clock(collection.run.finished_at)
    with without_collector():
        report = judge(assemble(collection, today=now[:10]), rules, generated_at=now, acceptances=acceptances)
    return msgspec.structs.replace(report, title=title) if title else report


@contextmanager
def without_collector() -> Iterator[None]:
    """Judge without Python's cycle collector: what is made here stays, has no cycles, and costs it half the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()  # nor need it be looked through when the process ends
        if was_on:
            gc.enable()


def clock(evidence_time: str) -> str:
    """The time of judging: `SOURCE_DATE_EPOCH`, else the evidence's own, so that old evidence judges as it did."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if epoch:
        try:
            return datetime.fromtimestamp(int(epoch), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        except (ValueError, OverflowError, OSError):
            raise AuditorError(f'SOURCE_DATE_EPOCH: "{epoch}" is not a number of seconds') from None
    return evidence_time or datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def report(arguments: argparse.Namespace) -> int:
    """`auditor report`: a findings file in other formats."""
    outputs = Output.parse(arguments.formats, arguments.output)
    write_outputs(_findings(arguments.findings), outputs)
    return 0


def _findings(file: str) -> Report:
    from auditor.formats.json import parse

    try:
        text = Path(file).read_bytes()
    except OSError as error:
        why = "there is no such file" if isinstance(error, FileNotFoundError) else error.strerror
        raise AuditorError(f"{file}: {why}", "give a file written with -f json=FILE") from None
    return parse(text, file)

"""`scan`, `collect` and `report`."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from auditor.acceptances import Acceptances, compare, read_acceptances, with_acceptances
from auditor.cli.output import Output, write_outputs
from auditor.config import Configuration, cloud_of, read_configuration, severity_reaches, unassessed_limit
from auditor.controls import with_controls
from auditor.documents import Collection, Focus
from auditor.errors import AuditorError
from auditor.focus import checked, focused, is_active
from auditor.profile import Choice
from auditor.report import Report
from auditor.rule import Rule
from auditor.sources.azure.cloud import Options
from auditor.sources.journal import Journal, open_journal
from auditor.sources.spool import Spool
from auditor.sums import last_line

if TYPE_CHECKING:
    from auditor.parts import Store

MOST_AT_ONCE = 100_000  # documents; where there are more, they are judged part by part
EXIT_GATE, EXIT_INCOMPLETE, EXIT_INTERRUPTED = 1, 3, 130


def scan(arguments: argparse.Namespace) -> int:
    """`auditor scan`: read, judge, report, apply the gate."""
    configuration = read_configuration(arguments.config)
    chosen = choice(arguments, configuration)
    outputs = Output.parse(arguments.formats or configuration.report.formats, arguments.output)
    fail_on = arguments.fail_on or configuration.gate.fail_on
    limit = arguments.max_unassessed if arguments.max_unassessed is not None else configuration.gate.max_unassessed
    unassessed_limit(limit, 0)  # a mistake in it is told before anything is done
    accepting = _acceptances(arguments, configuration)
    earlier = _earlier(arguments.baseline or configuration.gate.baseline)
    store = _place(arguments, configuration)
    jobs = 1 if isinstance(store, Spool) else arguments.jobs
    run = store.run
    asked, left_out = _asked(chosen.rules, run.source)
    now = clock(run.finished_at)
    acceptances = accepting(now[:10])
    report = _judged(store, _loader(arguments, configuration, asked, jobs, run.source), jobs, now, acceptances)
    report = with_controls(msgspec.structs.replace(report, rules_left_out=left_out), chosen)
    report = msgspec.structs.replace(with_acceptances(report, acceptances), title=configuration.report.title)
    report = compare(report, earlier) if earlier is not None else report
    write_outputs(report, outputs)
    if all(output.file != "-" for output in outputs):
        print(last_line(report), file=sys.stderr)
    if run.interrupted:
        print("interrupted: the report covers what was read", file=sys.stderr)
        return EXIT_INTERRUPTED
    code = _gate(report, fail_on, limit)
    return 0 if arguments.exit_zero and code in (EXIT_GATE, EXIT_INCOMPLETE) else code


def _place(arguments: argparse.Namespace, configuration: Configuration) -> Store:
    """The documents of the target, wherever they are held."""
    if arguments.target == "azure":
        return read_azure(arguments, configuration)
    from auditor.parts import Held
    from auditor.sources import open_file, snapshot

    _check_narrowing(arguments)
    file = Path(arguments.target)
    parts = snapshot.open_parts(file) if snapshot.recognises(file) else None
    focus = focus_of(arguments, configuration)
    if parts is not None and (not is_active(focus) or focus in parts.run.focus):
        return parts
    return Held(focused(open_file(file), focus, notice=note))  # what a filter chooses is told by all of it


def _asked(rules: Sequence[Rule], source: str) -> tuple[list[Rule], list[str]]:
    """The rules that can be asked of a source, and the ids of the others."""
    from auditor.applicable import applicable

    asked = applicable(rules, source)
    return asked, sorted({rule.id for rule in rules} - {rule.id for rule in asked})


def _loader(
    arguments: argparse.Namespace, configuration: Configuration, rules: Sequence[Rule], jobs: int, source: str
) -> Callable[[], Sequence[Rule]]:
    """What gives the rules: to other processes they cannot be sent, so these choose them again."""
    if jobs == 1:
        return lambda: rules
    told = {key: value for key, value in vars(arguments).items() if key not in ("run", "parser")}
    return partial(_chosen_for, argparse.Namespace(**told), configuration, source)


def _chosen_for(arguments: argparse.Namespace, configuration: Configuration, source: str) -> Sequence[Rule]:
    return _asked(chosen_rules(arguments, configuration), source)[0]


def _acceptances(arguments: argparse.Namespace, configuration: Configuration) -> Callable[[str], Acceptances]:
    """The accepted risks as of a day, read before anything else is done."""
    file = arguments.acceptances or configuration.acceptances
    if not file:
        return lambda today: Acceptances(today=today)
    made = read_acceptances(Path(file), available_rules(arguments, configuration), "").all
    return lambda today: Acceptances(all=made, today=today)


def _earlier(file: str) -> Report | None:
    return _findings(file) if file else None


def _judged(store: Store, load: Callable[[], Sequence[Rule]], jobs: int, now: str, acceptances: Acceptances) -> Report:
    """Judge documents whole, or part by part where they are many, or several processes are to share them."""
    if store.count <= MOST_AT_ONCE and jobs == 1:
        return judged(store.collection(), load(), now=now, acceptances=acceptances)
    from auditor.parts import judge_in_parts

    with without_collector():
        return judge_in_parts(store, load, now=now, jobs=jobs, acceptances=acceptances)


def _check_narrowing(arguments: argparse.Namespace) -> None:
    """Refuse what would narrow a scan of Azure where a file is judged: it would be more than was asked for."""
    for option in (
        "subscription",
        "management_group",
        "tenant",
        "auth",
        "cloud",
        "inventory",
        "arm_batch",
        "concurrency",
    ):
        if getattr(arguments, option):  # never judge more than was asked for, or as somebody else
            raise AuditorError(
                f"--{option.replace('_', '-')} says how to read Azure, but the target is a file, which is judged whole",
                "leave it out; or narrow `auditor collect`, which writes the file",
            )


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


def collect(arguments: argparse.Namespace) -> int:
    """`auditor collect`: read Azure into a snapshot."""
    from auditor.sources import snapshot

    configuration = read_configuration(arguments.config)
    unassessed_limit(arguments.max_unassessed, 0)
    file = Path(arguments.output)
    if file.is_dir():
        raise AuditorError(f"{file}: is a folder", "-o names the snapshot file to write")
    with open_journal(file, fresh=arguments.fresh) as journal:
        snapshot.remove_leftovers(file)
        try:
            spool = read_azure(arguments, configuration, journal)
        except KeyboardInterrupt:  # a second Ctrl-C, or one before anything was asked
            return _interrupted(journal)
        if spool.run.interrupted:
            return _interrupted(journal)
        snapshot.write_spool(file, spool)
        journal.finish()
    run = spool.run
    print(
        f"{file}: {spool.count:,} documents; {run.planned:,} reads: {run.answered:,} answered, "
        f"{run.not_supported:,} not supported, {run.unknown:,} failed",
        file=sys.stderr,
    )
    limit = unassessed_limit(arguments.max_unassessed, run.planned)
    return EXIT_INCOMPLETE if limit is not None and run.unknown > limit else 0


def _interrupted(journal: Journal) -> int:
    kept = f"{journal.answers:,} answers are kept in {journal.path}; " if journal.answers else ""
    print(f"interrupted: {kept}the same command continues", file=sys.stderr)
    return EXIT_INTERRUPTED


def read_azure(arguments: argparse.Namespace, configuration: Configuration, journal: Journal | None = None) -> Spool:
    """Read a live tenant, with progress on stderr."""
    from auditor.cli.progress import shown

    options = azure_options(arguments, configuration)
    from auditor.sources.azure.collect import spool_now

    with shown(quiet=arguments.quiet) as progress:
        return spool_now(options, progress=progress, notice=note, journal=journal)


def azure_options(arguments: argparse.Namespace, configuration: Configuration) -> Options:
    """What is to be read, and as whom: by flag, else by configuration, else everything that is visible."""
    return Options(
        cloud=cloud_of(configuration, arguments.cloud),
        tenant=arguments.tenant or configuration.scope.tenant or None,
        subscriptions=tuple(arguments.subscription or configuration.scope.subscriptions),
        exclude_subscriptions=tuple(arguments.exclude_subscription or configuration.scope.exclude),
        management_group=arguments.management_group or configuration.scope.management_group or None,
        focus=focus_of(arguments, configuration),
        auth=arguments.auth or configuration.collect.auth,
        inventory=arguments.inventory or configuration.collect.inventory,
        arm_batch=arguments.arm_batch or configuration.collect.arm_batch,
        concurrency=arguments.concurrency or configuration.collect.concurrency,
    )


def focus_of(arguments: argparse.Namespace, configuration: Configuration) -> Focus:
    """What is to be judged: by flag, else by configuration, each kind of filter by itself; else everything."""
    chosen = {
        field: tuple(getattr(arguments, field.removesuffix("s")) or getattr(configuration.scope, field))
        for field in Focus.__struct_fields__
    }
    return checked(Focus(**chosen))


def note(sentence: str) -> None:
    """Print something worth knowing on stderr."""
    from auditor.formats.console import clean

    print(f"note: {clean(sentence)}", file=sys.stderr)


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


def available_rules(arguments: argparse.Namespace, configuration: Configuration) -> dict[str, Rule]:
    """The shipped rules and one's own, by id."""
    from auditor.rule import load_rules

    rules = {rule.id: rule for rule in load_rules()}
    for folder in [*configuration.rules.folders, *arguments.rules]:
        for rule in load_rules(Path(folder)):
            if rule.id in rules:
                raise AuditorError(
                    f'{rule.file}: the id "{rule.id}" is taken by {rules[rule.id].file}', "rename the rule"
                )
            rules[rule.id] = rule
    return rules


def choice(arguments: argparse.Namespace, configuration: Configuration) -> Choice:
    """The shipped rules and one's own, as flags, configuration and profile choose, rate and parametrise them."""
    from auditor.profile import DEFAULT, Settings, apply, read_profile

    rules = available_rules(arguments, configuration)
    _check_known(configuration, rules)
    own = configuration.rules
    return apply(
        read_profile(arguments.profile or configuration.profile or DEFAULT),
        [rules[key] for key in sorted(rules)],
        _words(arguments.select) or own.select,
        _words(arguments.ignore) or own.ignore,
        Settings(by="configuration", severity=own.severity, params=own.params, accepted=own.accepted_destinations),
    )


def chosen_rules(arguments: argparse.Namespace, configuration: Configuration) -> list[Rule]:
    """The rules of `choice`."""
    return choice(arguments, configuration).rules


def _words(given: Sequence[str]) -> list[str]:
    return [word for text in given for word in text.split(",") if word]


def _check_known(configuration: Configuration, rules: dict[str, Rule]) -> None:
    for key, named in (("severity", configuration.rules.severity), ("params", configuration.rules.params)):
        for rule_id in named:
            if rule_id not in rules:
                raise AuditorError(f'rules.{key}: there is no rule "{rule_id}"', "auditor rules list")
    for rule_id, params in configuration.rules.params.items():
        odd = sorted(set(params) - set(rules[rule_id].info.params))
        if odd:
            known = ", ".join(rules[rule_id].info.params) or "none"
            raise AuditorError(f'rules.params.{rule_id}: there is no parameter "{odd[0]}"', f"parameters: {known}")


def _gate(report: Report, fail_on: str | None, limit: str | int | None) -> int:
    """Findings outrank incompleteness; both are told."""
    done = report.completeness
    if limit is None and fail_on:
        limit = 0  # a gate that could not look must not pass
    allowed = unassessed_limit(limit, done.planned)
    incomplete = allowed is not None and done.unknown > allowed
    code = EXIT_INCOMPLETE if incomplete else 0
    if incomplete:
        print(
            f"Incomplete: {done.unknown:,} of {done.planned:,} reads failed; --max-unassessed allows {limit}.",
            file=sys.stderr,
        )
    if fail_on:
        new = [f for f in report.findings if f.status == "fail" and f.is_new is not False]
        counts: Counter[str] = Counter(finding.severity for finding in new)
        reached = [
            s for s in ("critical", "high", "medium", "low", "info") if severity_reaches(s, fail_on) and counts[s]
        ]
        if reached:
            told = ", ".join(f"{counts[s]} {'new ' if report.baseline else ''}{s}" for s in reached)
            print(f"Gate failed: {told}; --fail-on is {fail_on}. Exit {EXIT_GATE}.", file=sys.stderr)
            return EXIT_GATE
        if not incomplete:
            print(f"Gate passed: no {'new ' if report.baseline else ''}failure at or above {fail_on}.", file=sys.stderr)
    return code

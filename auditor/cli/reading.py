"""What a command reads: Azure, as flags and configuration say; and `collect`, which keeps it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from auditor.cli.gate import EXIT_INCOMPLETE, EXIT_INTERRUPTED
from auditor.config import Configuration, cloud_of, read_configuration, unassessed_limit
from auditor.documents import Focus
from auditor.errors import AuditorError
from auditor.focus import checked
from auditor.sources.azure.cloud import Options
from auditor.sources.journal import Journal, open_journal
from auditor.sources.spool import Spool
from auditor.sources.ways import Ways


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


def check_narrowing(arguments: argparse.Namespace) -> None:
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


def note(sentence: str) -> None:
    """Print something worth knowing on stderr."""
    from auditor.formats.console import clean

    print(f"note: {clean(sentence)}", file=sys.stderr)


def warn(sentence: str) -> None:
    """Print on stderr what does not do what its author meant."""
    from auditor.formats.console import clean

    print(f"warning: {clean(sentence)}", file=sys.stderr)


def ways_of(arguments: argparse.Namespace) -> Ways:
    """How files and folders are to be read."""
    return Ways(
        variables=tuple(Path(file) for file in arguments.var_file),
        source_root=Path(arguments.source_root) if arguments.source_root else None,
        parameters=Path(arguments.parameters) if arguments.parameters else None,
        bicep=arguments.bicep or "",
        notice=note,
    )

"""`accept add`, `list`, `expiring`: the file of accepted risks."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

from auditor.acceptances import Acceptance, AcceptanceFile, Acceptances, parse_acceptances, read_acceptances
from auditor.cli.choosing import available_rules
from auditor.cli.output import write_text
from auditor.cli.run import clock
from auditor.config import Configuration, read_configuration
from auditor.errors import AuditorError, RuleError
from auditor.formats.console import clean
from auditor.formats.words import count

EXIT_EXPIRING = 1
_HEADER = "# Accepted risks. Each holds until the day it expires, a year after it was created at the latest.\n"


def add(arguments: argparse.Namespace) -> int:
    """Write one more acceptance at the end of the file, which else stays as it is."""
    configuration = read_configuration(arguments.config)
    file = acceptance_file(arguments, configuration)
    if file is None:
        file = Path("acceptances.yaml")
    today = _today()
    entry = AcceptanceFile(
        rule=arguments.rule,
        scope=arguments.scope or "",
        tags=arguments.tag,
        reason=arguments.reason,
        approved_by=arguments.approved_by,
        created=today,
        expires=arguments.expires or (date.fromisoformat(today) + timedelta(days=180)).isoformat(),
        ticket=arguments.ticket or "",
    )
    rules = available_rules(arguments, configuration)
    known = file.read_text(encoding="utf-8") if file.is_file() else _HEADER
    if file.is_file():
        parse_acceptances(known, str(file), rules)  # what is wrong already is told first
    parse_acceptances(_written(entry), "the acceptance", rules)
    text = f"{known.rstrip()}\n{_written(entry)}"
    try:
        made = parse_acceptances(text, str(file), rules)
    except RuleError as error:
        if "twice" in error.problem:
            raise AuditorError(f"{file}: {error.problem}", "change the one that is there") from None
        raise AuditorError(
            f"{file}: nothing can be added at its end: {error.problem}", "write it as a list, each item at `- rule:`"
        ) from None
    write_text(file, [text])
    print(f"{file}:{made[-1].line}: {_words(made[-1], Acceptances(today=today))}")
    return 0


def _written(entry: AcceptanceFile) -> str:
    """The item as YAML; JSON texts are YAML texts, whatever is in them."""
    told = [f"- rule: {json.dumps(entry.rule)}"]
    if entry.scope:
        told.append(f"  scope: {json.dumps(entry.scope)}")
    if entry.tags:
        told.append(f"  tags: {json.dumps(entry.tags)}")
    told += [f"  {key}: {json.dumps(getattr(entry, key))}" for key in ("reason", "approved_by")]
    told += [f"  created: {entry.created}", f"  expires: {entry.expires}"]
    if entry.ticket:
        told.append(f"  ticket: {json.dumps(entry.ticket)}")
    return "\n".join(told) + "\n"


def list_acceptances(arguments: argparse.Namespace) -> int:
    """One line an acceptance, the next to expire first."""
    made = _read(arguments)
    _print(made.all, made)
    return 0


def expiring(arguments: argparse.Namespace) -> int:
    """Those that have expired or do so soon; exit 1 if there are any."""
    made = _read(arguments)
    until = (date.fromisoformat(made.today) + timedelta(days=arguments.within)).isoformat()
    soon = [each for each in made.all if each.written.expires <= until]
    _print(soon, made)
    return EXIT_EXPIRING if soon else 0


def _read(arguments: argparse.Namespace) -> Acceptances:
    configuration = read_configuration(arguments.config)
    file = acceptance_file(arguments, configuration) or Path("acceptances.yaml")
    return read_acceptances(file, available_rules(arguments, configuration), _today())


def acceptance_file(arguments: argparse.Namespace, configuration: Configuration) -> Path | None:
    """The file of acceptances: by flag, else by configuration; None for none."""
    named = arguments.acceptances or configuration.acceptances
    return Path(named) if named else None


def _print(several: Iterable[Acceptance], made: Acceptances) -> None:
    ordered = sorted(several, key=lambda each: (each.written.expires, each.written.rule, each.key))
    for each in ordered:
        print(_words(each, made))
    print(count(len(ordered), "acceptance"), file=sys.stderr)


def _words(each: Acceptance, made: Acceptances) -> str:
    written = each.written
    days = (date.fromisoformat(written.expires) - date.fromisoformat(made.today)).days
    when = f"{written.expires} ({f'{days} days left' if days >= 0 else f'expired {-days} days ago'})"
    where = " and ".join([*([written.scope] if written.scope else []), *(f"tag {tag}" for tag in written.tags)])
    ticket = f", {written.ticket}" if written.ticket else ""
    return clean(f"{when}  {written.rule}  {where}: {written.reason.strip()} ({written.approved_by}{ticket})")


def _today() -> str:
    return clock("")[:10]

"""The command line: the only room that prints or sets an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from auditor.errors import AuditorError

EXIT_INTERRUPTED = 130
EXIT_INTERNAL = 5


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code; every expected failure is `error:` and `hint:` on stderr."""
    from auditor.cli.parser import parse

    if hasattr(sys.stdout, "reconfigure"):  # no character is worth a crash
        sys.stdout.reconfigure(errors="replace")
    try:
        arguments = parse(sys.argv[1:] if argv is None else list(argv))
    except SystemExit as stop:
        return int(stop.code or 0)
    try:
        code: int = arguments.run(arguments)
        sys.stdout.flush()
        return code
    except AuditorError as error:
        tell(error)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 - the reader went away; nothing more can be told
        return 0
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        tell(AuditorError(f"{place}{error.strerror or error}"))
        return 2
    except Exception as error:
        if os.environ.get("AUDITOR_DEBUG"):
            raise
        print(f"error: an internal error, a bug: {type(error).__name__}: {error}", file=sys.stderr)
        print("hint: please report it with what AUDITOR_DEBUG=1 prints", file=sys.stderr)
        return EXIT_INTERNAL


def tell(error: AuditorError) -> None:
    """Print an error as `error:` and `hint:` on stderr."""
    from auditor.formats.console import clean

    said = "\n".join(clean(line) for line in error.message.split("\n"))  # one line for each way of signing in
    print(f"error: {said}", file=sys.stderr)
    if error.hint:
        print(f"hint: {clean(error.hint)}", file=sys.stderr)

"""What the auditor says when it cannot go on: one sentence, and the next step."""

from __future__ import annotations

from pathlib import Path


class AuditorError(Exception):
    """A mistake the user can mend: `message` says what and where, `hint` the next step."""

    exit_code = 2

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class SourceError(AuditorError):
    """A place could not be read at all: a broken snapshot, a file that is none of the known kinds."""


class IdentityError(SourceError):
    """No usable identity, or nothing at all could be read (exit code 4)."""

    exit_code = 4


class ConnectionLostError(SourceError):
    """Reading was cut off, and can be taken up again (exit code 130)."""

    exit_code = 130


class RuleError(AuditorError):
    """A rule file is wrong; the message starts with `file:line`."""

    def __init__(self, file: Path | str, line: int | None, problem: str, hint: str = "") -> None:
        place = f"{file}:{line}" if line else str(file)
        super().__init__(f"{place}: {problem}", hint)
        self.file = str(file)
        self.line = line
        self.problem = problem

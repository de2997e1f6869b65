"""Let a child process evaluate a folder of Terraform, within limits."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from auditor.errors import SourceError
from auditor.sources.hcl.syntax import HINT

TIME_LIMIT: Final = 60.0  # seconds
MOST_OUTPUT: Final = 512 * 1024**2


class LostError(Exception):
    """The evaluator gave no answer; the message says why."""


def evaluate(
    folder: Path, variables: Sequence[str] = (), *, limit: float = TIME_LIMIT
) -> Mapping[str, list[Mapping[str, Any]]]:
    """What each block of a folder comes to, by kind. Raises `LostError` where the evaluator hangs, dies or gives up."""
    # By its file and with -P, so that nothing in the folder where the command runs is imported: it may be the very
    # code that is scanned.
    command = [sys.executable, "-P", str(Path(__file__).with_name("child.py")), str(folder.resolve()), *variables]
    with tempfile.TemporaryFile() as output:
        try:
            done = subprocess.run(  # noqa: S603 - our own module, and no shell
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.PIPE, timeout=limit, check=False
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise LostError(f"it took more than {limit:g} s to evaluate") from None
        if done.returncode == 3:
            raise SourceError("evaluating Terraform's own files needs a parser that is not installed", HINT)
        if done.returncode != 0:
            lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
            said = lines[0][:200] if done.returncode == 1 and lines else "the evaluator broke off"
            raise LostError(said)
        output.seek(0, os.SEEK_END)
        size = output.tell()
        if size > MOST_OUTPUT:
            raise LostError(f"it comes to more than {MOST_OUTPUT // 1024**2} MB")
        output.seek(0)
        return _decoded(output.read())


def _decoded(data: bytes) -> Mapping[str, list[Mapping[str, Any]]]:
    try:
        told = msgspec.json.decode(data)
    except (ValueError, RecursionError):
        raise LostError("the evaluator's answer cannot be read") from None
    return shaped(told)


def shaped(told: object) -> Mapping[str, list[Mapping[str, Any]]]:
    """The evaluator's answer, as far as it has the shape that it ought to have."""
    if not isinstance(told, dict):
        raise LostError("the evaluator's answer cannot be read")
    return {
        kind: [item for item in (items if isinstance(items, list) else [items]) if isinstance(item, dict)]
        for kind, items in told.items()
    }

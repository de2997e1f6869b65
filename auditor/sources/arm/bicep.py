"""Bicep → documents: compiled by the compiler that is on this machine, and judged as the template it comes to.

Nothing is downloaded: modules of registries count if they were restored before.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Final

import msgspec

from auditor.documents import Collection
from auditor.errors import SourceError
from auditor.sources.arm import jsonc
from auditor.sources.arm.bicep_lines import Lines
from auditor.sources.arm.parameters import beside, given_by, given_in
from auditor.sources.arm.reading import Deployed, collection_from, deployed
from auditor.sources.ways import Ways

TIME_LIMIT: Final = 180.0  # seconds
_NONE: Final = "install it, name it with --bicep PATH, or scan the JSON that it compiles to"
_RESTORE: Final = "fetch its modules first: bicep restore {}"
_ERROR: Final = re.compile(r"^(?P<file>.+?)\((?P<line>\d+),\d+\)\s*:\s*Error\s+(?P<text>.+)$", re.MULTILINE)
_USING: Final = re.compile(r"^[ \t]*using[ \t]+'([^'\n]+)'", re.MULTILINE)


def recognises(path: Path) -> bool:
    """Whether a file is Bicep code or a file of Bicep parameters, by its name: neither says so inside."""
    return path.suffix.lower() in (".bicep", ".bicepparam") and path.is_file()


class NoCompilerError(SourceError):
    """There is no Bicep compiler."""


def read(path: Path, ways: Ways | None = None) -> Collection:
    """The documents of what a Bicep file deploys, with the values of a parameter file as for a template."""
    return collection_from(opened(path, ways or Ways()))


def opened(path: Path, ways: Ways, shown: str = "", template: Mapping[str, Any] | None = None) -> Deployed:
    """What a Bicep file, or a file of Bicep parameters, deploys; the first is said to be `shown`.

    `template` is what it was compiled to already.
    """
    parameters = ways.parameters
    given: dict[str, Any] | None
    if template is not None:
        given, code = _given(path, ways), path
    elif is_parameters(path) or (parameters is not None and is_parameters(parameters)):
        own = path if is_parameters(path) or parameters is None else parameters
        template, given = _with_parameters(own, ways)
        code = path if own is not path else used_by(path)
        shown = shown if own is not path else ""
    else:
        template, given, code = compiled(path, ways), _given(path, ways), path
    file = shown or code.as_posix()
    lines = Lines(code, file)
    lines.place(template)
    made = deployed(template, given, file, "bicep")
    return msgspec.structs.replace(made, comments=tuple((one.shown, one.comments) for one in lines.files))


def is_parameters(path: Path) -> bool:
    """Whether a file is one of Bicep parameters."""
    return path.suffix.lower() == ".bicepparam"


def _given(path: Path, ways: Ways) -> dict[str, Any] | None:
    file = ways.parameters or beside(path)
    if file is not None and ways.parameters is None:
        ways.notice(f"{path.name} is read with the parameters of {file.name} beside it")
    return given_by(file)


def compiled(path: Path, ways: Ways) -> Mapping[str, Any]:
    """The template that a Bicep file comes to."""
    return _template(run(path, "build", ways.bicep), path)


def _with_parameters(path: Path, ways: Ways) -> tuple[Mapping[str, Any], dict[str, Any]]:
    told = jsonc.parsed(run(path, "build-params", ways.bicep), str(path))
    parts = told if isinstance(told, Mapping) else {}
    template, parameters = parts.get("templateJson"), parts.get("parametersJson")
    if not isinstance(template, str) or not isinstance(parameters, str):
        raise SourceError(f"{path}: its template was not compiled with it", "scan the .bicep file that it is for")
    return _template(template, path), given_in(jsonc.parsed(parameters, str(path)), str(path))


def _template(text: str, path: Path) -> Mapping[str, Any]:
    told = jsonc.parsed(text, f"{path} (compiled)")
    if not isinstance(told, Mapping) or "resources" not in told:
        raise SourceError(f"{path}: the Bicep compiler gave no template", "does `bicep build --stdout` work by itself?")
    return told


def used_by(path: Path) -> Path:
    """The Bicep file that a file of parameters is for; itself, where that is not told."""
    try:
        found = _USING.search(path.read_text(encoding="utf-8-sig", errors="replace"))
    except OSError:
        return path
    code = Path(os.path.normpath(path.parent / found[1])) if found else path
    return code if code.is_file() else path


# --- the compiler -----------------------------------------------------------------------------------------------------


def compiler(asked: str) -> list[str]:
    """The command that compiles: as asked, else `bicep` on PATH, else the one that `az bicep install` put down."""
    if asked:
        found = shutil.which(asked)
        if found is None:
            raise NoCompilerError(f"--bicep {asked}: there is no such program", _NONE)
    else:
        name = "bicep.exe" if os.name == "nt" else "bicep"
        config = os.environ.get("AZURE_CONFIG_DIR")
        own = (Path(config) if config else Path.home() / ".azure") / "bin" / name
        found = shutil.which("bicep") or shutil.which(str(own))  # `az bicep` itself would download one
    if not found:
        raise NoCompilerError("Bicep has to be compiled, and there is no `bicep` on PATH nor one of `az bicep`", _NONE)
    is_az = Path(found).stem.lower() == "az"
    return [found, "bicep"] if is_az else [found]


def run(path: Path, word: str, asked: str = "", limit: float = TIME_LIMIT) -> str:
    """What the compiler prints of a file. Raises `SourceError` with its first error."""
    command = compiler(asked)
    file = str(path.resolve())
    files = ["--file", file] if len(command) > 1 else [file]
    argv = [*command, word, "--stdout", "--no-restore", *files]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            with subprocess.Popen(  # noqa: S603 - an argument list, no shell; the program is the user's own
                argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
            ) as process:
                code = _ended(process, limit)
        except OSError as error:
            raise SourceError(f"{command[0]}: {error.strerror}", _NONE) from None
        if code is None:
            raise SourceError(f"{path}: the Bicep compiler did not end within {limit:.0f} s", "does it work by itself?")
        told, errors = _text(out, path), _text(err, path)
    if code != 0:
        raise _refused(path, errors)
    return told


def _ended(process: subprocess.Popen[bytes], limit: float) -> int | None:
    """The exit code; None for one that had to be stopped."""
    try:
        return process.wait(timeout=limit)
    except subprocess.TimeoutExpired:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.wait()
        return None


def _text(file: IO[bytes], path: Path) -> str:
    file.seek(0)
    data = file.read(jsonc.MAX_BYTES + 1)
    if len(data) > jsonc.MAX_BYTES:
        raise SourceError(f"{path}: compiles to more than {jsonc.MAX_BYTES // 1024**2} MB", "scan its parts")
    return jsonc.decoded(data, f"{path} (compiled)")


def _refused(path: Path, errors: str) -> SourceError:
    hint = "correct it, then scan again"
    if "not been restored" in errors:
        hint = _RESTORE.format(path.name)
    found = _ERROR.search(errors)
    if found is None:
        return SourceError(f"{path}: it does not compile: {' '.join(errors.split())[:300]}", hint)
    where = Path(found["file"]).name
    name = path if where == path.name else where
    return SourceError(f"{name}:{found['line']}: it does not compile: {found['text'].strip()[:300]}", hint)

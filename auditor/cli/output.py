"""Where reports go: `-f name[=file]` and `-o`."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from auditor.errors import AuditorError
from auditor.formats import FORMATS, pieces
from auditor.report import Report

DEFAULT_NAMES = {
    "console": "summary.txt",
    "controls": "controls.txt",
    "json": "findings.json",
    "markdown": "report.md",
    "markdown-summary": "summary.md",
    "html": "report.html",
    "sarif": "auditor.sarif",
    "junit": "junit.xml",
    "csv": "findings.csv",
    "csv-coverage": "coverage.csv",
    "github": "annotations-github.txt",
    "azure-pipelines": "annotations-azure-pipelines.txt",
    "gitlab": "gl-code-quality-report.json",
}


class Output(msgspec.Struct, frozen=True):
    """One format and the file it goes to; `-` is stdout."""

    format: str
    file: str

    @staticmethod
    def parse(formats: Sequence[str], output: str | None) -> list[Output]:
        """Read `-f` and `-o`. One format without a file goes to `-o` or stdout; several go into the folder `-o`."""
        words = [word for text in formats for word in text.split(",") if word] or ["console"]
        wanted = [(name, file) for name, _, file in (word.partition("=") for word in words)]
        for name, _ in wanted:
            if name not in FORMATS:
                raise AuditorError(f'there is no format "{name}"', f"formats: {', '.join(FORMATS)}")
        if output in FORMATS and not formats:
            raise AuditorError("-o names a file", f"did you mean -f {output}?")
        bare = [name for name, file in wanted if not file]
        folder = (
            output is not None and output != "-" and (len(bare) > 1 or output.endswith("/") or Path(output).is_dir())
        )
        if len(bare) > 1 and not folder:
            raise AuditorError(
                f"{len(bare)} formats, but one output", "name files (-f html=report.html) or a folder (-o out/)"
            )
        outputs = []
        for name, file in wanted:
            place = file or (str(Path(output or "") / DEFAULT_NAMES[name]) if folder else output or "-")
            outputs.append(Output(name, place))
        files = [o.file for o in outputs]
        if len(set(files)) != len(files):
            raise AuditorError(
                "two formats would go to the same place", "name files: -f html=report.html -f json=findings.json"
            )
        return outputs


def write_outputs(report: Report, outputs: Sequence[Output]) -> None:
    """Render every format; a file is replaced only when its text is complete."""
    for output in outputs:
        made = pieces(output.format, report)
        if output.file == "-":
            _print(output.format, made)
        else:
            write_text(Path(output.file), made)


def _print(name: str, made: Iterable[str]) -> None:
    """Write to stdout: what is for a terminal in what the terminal can show, all else as the UTF-8 that files are."""
    if name in ("console", "controls"):
        from auditor.formats.console import fitted

        sys.stdout.write(fitted("".join(made), sys.stdout.encoding, os.environ))
        return
    binary = getattr(sys.stdout, "buffer", None)
    if binary is None:
        sys.stdout.writelines(made)
        return
    sys.stdout.flush()
    binary.writelines(text.encode("utf-8", "backslashreplace") for text in made)


def write_text(path: Path, text: Iterable[str]) -> None:
    """Write a file whole or not at all; what is no plain file (a pipe, /dev/null) is written to as it is."""
    if path.exists() and not path.is_file():
        with path.open("w", encoding="utf-8", newline="\n", errors="backslashreplace") as stream:
            stream.writelines(text)
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise AuditorError(f"{path}: cannot be written: {error.strerror}", "name a file that can be written") from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n", errors="backslashreplace") as file:
            file.writelines(text)
        umask = os.umask(0)
        os.umask(umask)
        Path(name).chmod(0o666 & ~umask)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise

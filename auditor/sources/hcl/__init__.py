"""A folder of Terraform code → documents, as Azure would give them after an apply, as far as the code decides it.

Values come from an evaluator that guesses and leaves out (`evaluate`); a syntax tree tells what there is, where, and
whose value is certain (`syntax`, `code`, `certain`). What both make is a plan like Terraform's own (`build`).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from auditor import __version__
from auditor import documents as d
from auditor.documents import Collection, Document, Run
from auditor.errors import SourceError
from auditor.sources.hcl.build import Builder
from auditor.sources.hcl.code import Code, is_terraform
from auditor.sources.hcl.evaluate import TIME_LIMIT, LostError, evaluate
from auditor.sources.hcl.syntax import Mistake, variables_in
from auditor.sources.once import declares_of
from auditor.sources.terraform import documents_of, not_mapped
from auditor.sources.terraform.plan import Instance

_TOLD: Final = 3  # mistakes in a reason


def recognises(path: Path) -> bool:
    """Whether a folder holds Terraform code by itself, not only in folders below."""
    return path.is_dir() and any(is_terraform(entry.name) for entry in path.iterdir())


def read(
    path: Path, variables: Sequence[Path] = (), *, shown: str = "", subscription: str = "", limit: float = TIME_LIMIT
) -> Collection:
    """The documents of the root module in a folder. Paths in them begin with `shown`."""
    code = Code(path, shown)
    files = _variable_files(path, variables)
    given = frozenset(name for file in files for name in _set_in(path / file))
    lost: list[Mistake] = []
    answer = None
    try:
        _check_calls(code)
        answer = evaluate(path, files, limit=limit)
    except LostError as error:
        lost.append(Mistake(file=".", line=None, text=str(error)))
    builder = Builder(code, answer, given, subscription)
    mistakes = [*code.mistakes]
    plan = builder.plan(_lacking(mistakes, code))
    documents = documents_of(plan, lambda instance: _place(code, instance))
    documents += [_unread(code, mistake) for mistake in [*mistakes, *lost]]
    run = Run(
        source="terraform",
        tool_version=__version__,
        declares=declares_of(documents),
        not_mapped=not_mapped(plan),
    )
    return Collection(documents=documents, run=run)


def _check_calls(code: Code) -> None:
    """Walk all modules: one that calls itself would keep the evaluator busy for ever."""
    waiting: list[tuple[str, ...]] = [()]
    while waiting:
        call = code.call(waiting.pop())
        for name in call.module.calls if call is not None else ():
            assert call is not None  # noqa: S101 - as the line above says
            waiting.append((*call.names, name))
    if any(mistake.text == "the module calls itself" for mistake in code.mistakes):
        raise LostError("a module calls itself, so it was not evaluated")


def _variable_files(root: Path, variables: Sequence[Path]) -> list[str]:
    """The files of variables, relative to the root: those that Terraform loads by itself, then those given."""
    own = sorted(
        entry.name for entry in root.iterdir()
        if entry.name in ("terraform.tfvars", "terraform.tfvars.json")
        or entry.name.endswith((".auto.tfvars", ".auto.tfvars.json"))
    )  # fmt: skip
    own.sort(key=lambda name: ".auto." in name)
    given = []
    for file in variables:
        if not file.is_file():
            raise SourceError(
                f"{file}: there is no such file", "--var-file names a file of variables, such as prod.tfvars"
            )
        given.append(Path(_relative(file, root)).as_posix())
    return [*own, *given]


def _relative(file: Path, root: Path) -> str:
    return os.path.relpath(file.resolve(), root.resolve())


def _set_in(file: Path) -> list[str]:
    try:
        return variables_in(file.read_bytes(), as_json=file.name.endswith(".json"))
    except OSError:
        return []


def _lacking(mistakes: Sequence[Mistake], code: Code) -> str:
    """Why part of the code is missing, and with it perhaps a setting of anything."""
    told = [_told(code, mistake) for mistake in mistakes[:_TOLD]]
    more = f" and {len(mistakes) - _TOLD} more" if len(mistakes) > _TOLD else ""
    return f"part of the code could not be read: {'; '.join(told)}{more}" if told else ""


def _told(code: Code, mistake: Mistake) -> str:
    return f"{code.path(mistake.file)}{f':{mistake.line}' if mistake.line else ''}: {mistake.text}"


def _place(code: Code, instance: Instance) -> dict[str, Any]:
    call = code.call(tuple(name for name, _ in instance.module))
    if call is None:
        return {"file": code.path(".")}
    blocks = call.module
    block = blocks.calls.get(instance.name) if instance.type == "module" else blocks.resources.get(
        (instance.type, instance.name)
    )  # fmt: skip
    if block is None:
        return {"file": code.path(".")}
    lines = {"line": block.line, "end_line": block.end} if block.line else {}
    return {"file": code.path(block.file), **lines}


def _unread(code: Code, mistake: Mistake) -> Document:
    shown = f"{code.path(mistake.file)}{f':{mistake.line}' if mistake.line else ''}"
    origin: dict[str, Any] = {"file": code.path(mistake.file)} | ({"line": mistake.line} if mistake.line else {})
    return {
        "id": shown,
        "type": d.RESOURCE_LIST,
        "$unknown": {"reason": mistake.text, "code": f"parse-error({shown})"},
        "$origin": origin,
    }

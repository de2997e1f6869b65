"""A folder of Terraform code → documents, as Azure would give them after an apply, as far as the code decides it.

Values come from an evaluator that guesses and leaves out (`evaluator`); a syntax tree tells what there is, where, and
whose value is certain (`syntax`, `code`, `certain`). What both make is a plan like Terraform's own (`build`).
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from auditor import documents as d
from auditor.documents import Document
from auditor.errors import SourceError
from auditor.sources.hcl.beside import accepted, with_accepted
from auditor.sources.hcl.build import Answer, Builder
from auditor.sources.hcl.code import Code, is_terraform
from auditor.sources.hcl.evaluator import TIME_LIMIT, LostError, evaluate
from auditor.sources.hcl.place import place_of
from auditor.sources.hcl.remote import Away, away, unread
from auditor.sources.hcl.syntax import Mistake, variables_in
from auditor.sources.terraform import documents_of
from auditor.sources.terraform.plan import Instance, Plan
from auditor.sources.terraform.settings import Setting, set_elsewhere

__all__ = ["Built", "Code", "answered", "built", "calls_of", "documents", "is_library", "is_terraform", "question"]
_TOLD: Final = 3  # mistakes in a reason
_ENDLESS: Final = "it was not evaluated, since its modules never end"
_MEND: Final = "correct the code, or scan its plan"
_LIBRARY: Final = "it is a module without a provider, so its callers decide what else there is"


class Built(msgspec.Struct, frozen=True, kw_only=True):
    """What one root module comes to; `abroad` are settings on what is made elsewhere."""

    code: Code
    plan: Plan
    mistakes: tuple[Mistake, ...]
    abroad: tuple[Setting, ...]
    away: tuple[Away, ...]


def calls_of(code: Code, place: str) -> set[str]:
    """The folders that the modules called by a root lie in, where that root lies at `place`."""
    sources = [block.attributes["source"].literal for block in code.main.module.calls.values()
               if "source" in block.attributes]  # fmt: skip
    return {
        posixpath.normpath(posixpath.join(place, source))
        for source in sources
        if isinstance(source, str) and source.startswith(("./", "../"))
    }


def is_library(code: Code) -> bool:
    """Whether a module is made to be called: azurerm needs a provider block in the root, and a library has none."""
    module = code.main.module
    blocks = [block for file in module.files for block in file.blocks]
    rooted = any(
        block.kind == "provider"
        or (block.kind == "terraform" and any(b.kind in ("backend", "cloud") for b in block.blocks))
        for block in blocks
    )
    return not rooted and bool(module.variables or module.outputs)


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What the evaluator is asked of a root module; `lost` tells why it cannot be asked."""

    code: Code
    files: tuple[str, ...]  # of variables
    lost: str = ""


def question(code: Code, variables: Sequence[Path] = ()) -> Question:
    """Read a root module and all that it calls. Raises `SourceError` where a variable file is missing."""
    files = tuple(_variable_files(code.root, variables))
    _read_calls(code)
    return Question(code=code, files=files, lost=_ENDLESS if code.endless else "")


def answered(asked: Question, limit: float = TIME_LIMIT) -> Answer | str:
    """What the evaluator says of a root module, or why it says nothing. Several may be asked at once."""
    try:
        return asked.lost or evaluate(asked.code.root, asked.files, limit=limit)
    except LostError as error:
        return str(error)


def built(asked: Question, answer: Answer | str, *, subscription: str = "") -> Built:
    """A root module as it was evaluated, with what is certain of that."""
    code = asked.code
    given = frozenset(name for file in asked.files for name in _set_in(code.root / file))
    lost = [Mistake(file=".", line=None, text=answer)] if isinstance(answer, str) else []
    builder = Builder(code, None if isinstance(answer, str) else answer, given, subscription)
    mistakes = tuple(code.mistakes)
    plan = builder.plan(_lacking(mistakes, code) or (_LIBRARY if is_library(code) else ""))
    abroad = tuple(set_elsewhere(plan, lambda one: _shown(_place(code, one))))
    return Built(code=code, plan=plan, mistakes=(*mistakes, *lost), abroad=abroad, away=tuple(away(code, plan)))


def documents(made: Built, abroad: Iterable[Setting] = ()) -> list[Document]:
    """The documents of a root module; `abroad` are settings of others that may be on what it makes."""
    code = made.code
    found = documents_of(made.plan, lambda instance: _place(code, instance), abroad)
    records = accepted(code)
    return [
        *with_accepted(found, made.plan, code, records, lambda one: _place(code, one)),
        *(_unread(code, mistake) for mistake in made.mistakes),
        *unread(made.away),
    ]


def _read_calls(code: Code) -> None:
    """Walk all modules: one that calls itself would keep the evaluator busy for ever."""
    waiting: list[tuple[str, ...]] = [()]
    while waiting:
        call = code.call(waiting.pop())
        for name in call.module.calls if call is not None else ():
            assert call is not None  # noqa: S101 - as the line above says
            waiting.append((*call.names, name))


def _variable_files(root: Path, variables: Sequence[Path]) -> list[str]:
    """The files of variables, relative to the root: those that Terraform loads by itself, then those given."""
    names = sorted(entry.name for entry in root.iterdir())
    own = [name for name in names if name in ("terraform.tfvars", "terraform.tfvars.json")]
    own += [name for name in names if name.endswith((".auto.tfvars", ".auto.tfvars.json"))]
    for file in variables:
        if not file.is_file():
            raise SourceError(f"{file}: there is no such file", "--var-file names a file of variables: prod.tfvars")
        own.append(Path(os.path.relpath(file.resolve(), root.resolve())).as_posix())
    return own


def _set_in(file: Path) -> list[str]:
    try:
        return variables_in(file.read_bytes(), as_json=file.name.endswith(".json"))
    except OSError:
        return []


def _lacking(mistakes: Sequence[Mistake], code: Code) -> str:
    """Why part of the code is missing, and with it perhaps a setting of anything."""
    told = [f"{_at(code, mistake)}: {mistake.text}" for mistake in mistakes[:_TOLD]]
    more = f" and {len(mistakes) - _TOLD} more" if len(mistakes) > _TOLD else ""
    return f"part of the code could not be read: {'; '.join(told)}{more}" if told else ""


def _at(code: Code, mistake: Mistake) -> str:
    return f"{code.path(mistake.file)}{f':{mistake.line}' if mistake.line else ''}"


def _place(code: Code, instance: Instance) -> dict[str, Any]:
    """File and lines; in a module that other roots may call too, with the root that calls it here."""
    told = place_of(code, instance) or {"file": code.path(".")}
    if code.shown and instance.module and not told["file"].startswith(f"{code.shown}/"):
        told["address"] = f"{instance.address} in {code.shown}"
    return told


def _shown(place: dict[str, Any]) -> str:
    return f"{place['file']}:{place['line']}" if place.get("line") else str(place["file"])


def _unread(code: Code, mistake: Mistake) -> Document:
    """The document that stands for a part of the code that could not be read."""
    shown = _at(code, mistake)
    origin: dict[str, Any] = {"file": code.path(mistake.file)} | ({"line": mistake.line} if mistake.line else {})
    detail = {"reason": mistake.text, "code": f"parse-error({shown})", "grant": _MEND}
    return {"id": shown, "type": d.RESOURCE_LIST, "$unknown": detail, "$origin": origin}

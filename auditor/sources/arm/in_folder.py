"""The templates and Bicep files of a folder, each an input of its own."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from auditor import documents as d
from auditor.documents import Document
from auditor.errors import SourceError
from auditor.sources import arm
from auditor.sources.arm import bicep, bicep_source, jsonc
from auditor.sources.arm.reading import Deployed, documents_from
from auditor.sources.ways import Ways

if TYPE_CHECKING:
    from auditor.sources.folder import Input, Tree

_COMPILED: Final = re.compile(rb'"_generator"\s*:\s*\{[^{}]{0,300}"name"\s*:\s*"bicep"')
_START: Final = 64 * 1024


def inputs(tree: Tree, ways: Ways) -> Iterator[Input]:
    """Every template and Bicep file that nothing else in the folder is made of."""
    from auditor.sources.folder import Input, made_subscription

    code = list(_bicep(tree))
    templates = [place for place in _templates(tree) if not _compiled_here(tree, place, code)]
    if ways.parameters is not None and len(code) + len(templates) > 1:
        raise SourceError("--parameters: there are several templates in the folder", "scan the one that it is for")
    made: dict[str, Deployed] = {}
    lost: dict[str, SourceError] = {}
    for place in sorted([*code, *templates]):
        try:
            made[place] = _opened(tree, place, ways)
        except SourceError as error:
            lost[place] = error
            ways.notice(str(error))
    for place, one in made.items():
        abroad = [(other.file, each) for name, other in made.items() if name != place for each in other.abroad]
        read = partial(documents_from, one, abroad, subscription=made_subscription(place))
        yield Input(place=place, source=one.source, read=read)
    for place, why in lost.items():
        source = "arm" if place.endswith(".json") else "bicep"
        yield Input(place=place, source=source, read=partial(_unread, place, why))


def _opened(tree: Tree, place: str, ways: Ways) -> Deployed:
    path = tree.root / place
    if path.suffix.lower() == ".json":
        return arm.opened(path, ways, place)
    try:
        return bicep.opened(path, ways, place)
    except bicep.NoCompilerError:
        template = _compiled(path.with_suffix(".json"))
        if template is None:
            raise
        ways.notice(f"{place} is judged by the template beside it, since there is no Bicep compiler")
        return bicep.opened(path, ways, place, template)


def _unread(place: str, error: SourceError) -> list[Document]:
    """The document that stands for a template that could not be read."""
    detail = {"reason": str(error), "code": f"parse-error({place})", "grant": error.hint}
    told = {key: value for key, value in detail.items() if value}
    return [{"id": place, "type": d.RESOURCE_LIST, "$unknown": told, "$origin": {"file": place}}]


def _places(tree: Tree, *ends: str) -> Iterator[str]:
    for folder, names in sorted(tree.files.items()):
        for name in names:
            if name.lower().endswith(ends):
                yield name if folder == "." else f"{folder}/{name}"


def _templates(tree: Tree) -> Iterator[str]:
    return (place for place in _places(tree, ".json", ".jsonc") if arm.recognises(tree.root / place))


def _bicep(tree: Tree) -> Iterator[str]:
    """Bicep files that no other one calls; with the one file of parameters that is for them, that file."""
    files = list(_places(tree, ".bicep"))
    called: set[str] = set()
    for place in files:
        code = bicep_source.read(tree.root / place, place)
        for one in code.statements if code is not None else ():
            if one.word == "module" and ":" not in one.what:
                called.add(posixpath.normpath(posixpath.join(posixpath.dirname(place), one.what)))
    used: dict[str, list[str]] = {}
    for place in _places(tree, ".bicepparam"):
        using = bicep.used_by(tree.root / place)
        if using.is_relative_to(tree.root):
            used.setdefault(using.relative_to(tree.root).as_posix(), []).append(place)
    for place in [one for one in files if one not in called] or files:
        given = used.get(place, [])
        yield given[0] if len(given) == 1 else place


def _compiled_here(tree: Tree, place: str, code: list[str]) -> bool:
    """Whether a template is what Bicep code beside it was compiled to, so that it counts once."""
    stem = place.rpartition(".")[0]
    beside = any(one.rpartition(".")[0] == stem for one in code) or (tree.root / f"{stem}.bicep").is_file()
    return beside and _is_compiled(tree.root / place)


def _is_compiled(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return _COMPILED.search(file.read(_START)) is not None
    except OSError:
        return False


def _compiled(path: Path) -> Mapping[str, Any] | None:
    if not path.is_file() or not _is_compiled(path):
        return None
    template, _ = jsonc.load(path)
    return template if isinstance(template, Mapping) else None

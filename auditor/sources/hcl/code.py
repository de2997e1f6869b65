"""The modules of a Terraform configuration as they lie on disk: what each declares, and which other it calls."""

from __future__ import annotations

import json
import os
import posixpath
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from auditor.errors import SourceError
from auditor.sources.hcl.expression import Expr
from auditor.sources.hcl.syntax import Block, File, Mistake, parse, raw_expression

MOST_FILES: Final = 20_000
MOST_BYTES: Final = 256 * 1024**2
LARGEST_FILE: Final = 8 * 1024**2
DEEPEST: Final = 16  # modules in modules
MOST_CALLS: Final = 2_000
_ENDINGS: Final = (".tf", ".tofu")
_JSON_ENDINGS: Final = (".tf.json", ".tofu.json")


class Module(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One folder of Terraform files; `place` is it as a path with forward slashes, `.` for the root."""

    place: str
    files: tuple[File, ...]
    resources: Mapping[tuple[str, str], Block]
    data: Mapping[tuple[str, str], Block]
    calls: Mapping[str, Block]
    variables: Mapping[str, Block]
    outputs: Mapping[str, Block]
    locals: Mapping[str, Expr]
    providers: tuple[Block, ...]
    mistakes: tuple[Mistake, ...]


class Call(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A module where it is called from; the root is called by nothing."""

    module: Module
    names: tuple[str, ...] = ()
    block: Block | None = None
    outer: Call | None = None


class Code:
    """The configuration below one root folder, each module read once."""

    def __init__(self, root: Path, shown: str = "", within: Path | None = None) -> None:
        self.root = root
        self.within = (within or root).resolve()  # links that lead out of it are not followed
        self.shown = shown  # what paths in results begin with
        self.endless = False  # whether an evaluator would go round in it for ever
        self.count = 0
        self.size = 0
        self.mistakes: list[Mistake] = []
        self._modules: dict[str, Module] = {}
        self._calls: dict[tuple[str, ...], Call | None] = {}
        self._fetched = _fetched(root)

    def path(self, name: str) -> str:
        """A file of the configuration as results name it."""
        return posixpath.normpath(posixpath.join(self.shown, name)) if self.shown else name

    @property
    def main(self) -> Call:
        """The root module."""
        found = self.call(())
        assert found is not None  # noqa: S101 - the root is always there
        return found

    @property
    def modules(self) -> tuple[Module, ...]:
        """The modules that were read so far."""
        return tuple(self._modules.values())

    def call(self, names: tuple[str, ...]) -> Call | None:
        """The module that calls of these names lead to; None where it is not on disk, or calls itself."""
        if names not in self._calls:
            self._calls[names] = self._called(names)
        return self._calls[names]

    def _called(self, names: tuple[str, ...]) -> Call | None:
        if not names:
            return Call(module=self.module("."))
        outer = self.call(names[:-1])
        block = outer.module.calls.get(names[-1]) if outer is not None else None
        if outer is None or block is None:
            return None
        if len(names) > DEEPEST or len(self._calls) > MOST_CALLS:
            self._never_ends(block, "modules are called too deeply, or too many")
            return None
        place = self._place(outer.module, block, names)
        if place is None:
            return None
        above: Call | None = outer
        while above is not None:
            if above.module.place == place:
                self._never_ends(block, "the module calls itself")
                return None
            above = above.outer
        return Call(module=self.module(place), names=names, block=block, outer=outer)

    def _place(self, outer: Module, block: Block, names: tuple[str, ...]) -> str | None:
        source = block.attributes["source"].literal if "source" in block.attributes else None
        if isinstance(source, str) and source.startswith(("./", "../")):
            place = posixpath.normpath(posixpath.join(outer.place, source))
        else:
            place = self._fetched.get(".".join(names), "")
        return place if place and (self.root / place).is_dir() and self.holds(place) else None

    def holds(self, name: str) -> bool:
        """Whether a path is where it seems to be, or a link within the folder that is scanned."""
        try:
            real = (self.root / name).resolve()
        except (OSError, RuntimeError):
            return False
        written = Path(os.path.normpath(self.root.resolve() / name))
        return real == written or real.is_relative_to(self.within)

    def _never_ends(self, block: Block, text: str) -> None:
        self.endless = True
        found = Mistake(file=block.file, line=block.line, text=text)
        if found not in self.mistakes:
            self.mistakes.append(found)

    def module(self, place: str) -> Module:
        """The module in a folder."""
        if place not in self._modules:
            files = [self._file(place, name) for name in terraform_files(self.root / place)]
            self._modules[place] = _module(place, files)
            self.mistakes += self._modules[place].mistakes
        return self._modules[place]

    def _file(self, place: str, name: str) -> File:
        shown = name if place == "." else posixpath.join(place, name)
        path = self.root / place / name
        self.count += 1
        try:
            size = path.stat().st_size
            if not path.is_file():
                return _broken(shown, "it is not a file")
            if not self.holds(shown):
                return _broken(shown, "it is a link that leads out of the folder")
            if size > LARGEST_FILE:
                return _broken(shown, f"it is larger than {LARGEST_FILE // 1024**2} MB")
            self.size += size
            if self.count > MOST_FILES or self.size > MOST_BYTES:
                raise SourceError(
                    f"{self.root}: more than {MOST_FILES:,} files or {MOST_BYTES // 1024**2} MB of Terraform",
                    "scan its parts by themselves",
                )
            data = path.read_bytes()
        except OSError as error:
            return _broken(shown, error.strerror or "it cannot be read")
        return _of_json(data, shown) if name.endswith(_JSON_ENDINGS) else parse(data, shown)


def _broken(name: str, why: str) -> File:
    return File(name=name, mistakes=(Mistake(file=name, line=None, text=why),))


def terraform_files(folder: Path) -> list[str]:
    """The names of a folder's Terraform files, overrides last, as Terraform reads them."""
    try:
        names = [entry.name for entry in os.scandir(folder) if is_terraform(entry.name)]
    except OSError:
        return []
    return sorted(names, key=lambda name: (is_override(name), name))


def is_terraform(name: str) -> bool:
    """Whether a file of this name is Terraform's code."""
    return name.endswith((*_ENDINGS, *_JSON_ENDINGS)) and not name.startswith(".")


def is_override(name: str) -> bool:
    """Whether Terraform lays a file of this name over the others."""
    stem = posixpath.basename(name).removesuffix(".json").rpartition(".")[0]
    return stem == "override" or stem.endswith("_override")


def _fetched(root: Path) -> dict[str, str]:
    """Where `terraform init` put each module, by the names of the calls that lead to it."""
    try:
        told = msgspec.json.decode((root / ".terraform/modules/modules.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    found: dict[str, str] = {}
    for entry in told.get("Modules") or () if isinstance(told, dict) else ():
        key, place = (entry.get("Key"), entry.get("Dir")) if isinstance(entry, dict) else (None, None)
        if isinstance(key, str) and key and isinstance(place, str) and not posixpath.isabs(place):
            found[key] = posixpath.normpath(place.replace("\\", "/"))
    return found


def _module(place: str, files: list[File]) -> Module:
    kinds: dict[str, dict[tuple[str, ...], Block]] = {}
    local: dict[str, Expr] = {}
    providers: list[Block] = []
    for file in files:
        for block in _all(file):
            if block.kind == "locals":
                local |= block.attributes
            elif block.kind == "provider":
                providers.append(block)
            else:
                known = kinds.setdefault(block.kind, {})
                before = known.get(block.labels)
                known[block.labels] = _over(before, block) if before is not None and is_override(file.name) else block
    calls = kinds.get("module", {})
    return Module(
        place=place,
        files=tuple(files),
        resources={(k[0], k[1]): block for k, block in kinds.get("resource", {}).items() if len(k) == 2},
        data={(k[0], k[1]): block for k, block in kinds.get("data", {}).items() if len(k) == 2},
        calls={k[0]: block for k, block in calls.items() if len(k) == 1},
        variables={k[0]: block for k, block in kinds.get("variable", {}).items() if len(k) == 1},
        outputs={k[0]: block for k, block in kinds.get("output", {}).items() if len(k) == 1},
        locals=local,
        providers=tuple(providers),
        mistakes=tuple(mistake for file in files for mistake in file.mistakes),
    )


def _all(file: File) -> list[Block]:
    """The blocks of a file; behind a mistake, one may look as if it were inside another."""
    found = list(file.blocks)
    if file.mistakes:
        for block in found:
            found += [inner for inner in block.blocks if inner.kind in ("resource", "module") and inner.labels]
    return found


def _over(below: Block, above: Block) -> Block:
    """A block with one of an override file laid over it: what that sets replaces what was set."""
    kinds = {block.labels if block.kind == "dynamic" else (block.kind,) for block in above.blocks}
    kept = [b for b in below.blocks if (b.labels if b.kind == "dynamic" else (b.kind,)) not in kinds]
    attributes = {**below.attributes, **above.attributes}
    steers = {"count", "for_each"}
    steered_in = above.file if steers & above.attributes.keys() else below.steered_in or below.file
    return msgspec.structs.replace(
        below,
        attributes=attributes,
        blocks=(*kept, *above.blocks),
        changed=below.changed or bool(above.attributes.keys() - steers or above.blocks),
        steered_in=steered_in if steers & attributes.keys() else "",
    )


# --- JSON syntax ------------------------------------------------------------------------------------------------------

_LABELS: Final = {"resource": 2, "data": 2, "module": 1, "variable": 1, "output": 1, "provider": 1, "locals": 0}


def _of_json(data: bytes, name: str) -> File:
    """A file in Terraform's JSON syntax; it tells no lines."""
    try:
        told = msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError):
        return _broken(name, "it is not JSON")
    if not isinstance(told, dict):
        return _broken(name, "it is not JSON of Terraform")
    blocks: list[Block] = []
    for kind, depth in _LABELS.items():
        for labels, body in _labelled(told.get(kind), depth, ()):
            blocks.append(_json_block(kind, labels, body, name))
    return File(name=name, blocks=tuple(blocks))


def _labelled(value: Any, depth: int, labels: tuple[str, ...]) -> list[tuple[tuple[str, ...], dict[str, Any]]]:
    items = value if isinstance(value, list) else [value]
    found: list[tuple[tuple[str, ...], dict[str, Any]]] = []
    for item in items:
        if isinstance(item, dict):
            if depth == 0:
                found.append((labels, item))
            else:
                for key, inner in item.items():
                    found += _labelled(inner, depth - 1, (*labels, key))
    return found


def _json_block(kind: str, labels: tuple[str, ...], body: dict[str, Any], name: str) -> Block:
    attributes = {key: expr for key, value in body.items() if (expr := _json_expression(value)) is not None}
    return Block(kind=kind, labels=labels, file=name, line=0, end=0, attributes=attributes, blocks=())


def _json_expression(value: Any) -> Expr | None:
    """A value of JSON syntax as an expression: its texts are templates, as between quotes."""
    return raw_expression(json.dumps(value, ensure_ascii=False))

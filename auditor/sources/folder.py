"""A folder of infrastructure code → documents: every input in it is found, and all are judged together.

Ids are made up apart for each input (`made_subscription`), by where it lies in the folder: so they stay when another
input is added, and are the same in every checkout.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec

from auditor import __version__
from auditor import documents as d
from auditor.documents import Collection, Document, Run
from auditor.errors import SourceError
from auditor.sources import hcl
from auditor.sources.arm import in_folder
from auditor.sources.hcl import remote
from auditor.sources.once import declares_of
from auditor.sources.terraform import not_mapped
from auditor.sources.terraform.ids import escaped
from auditor.sources.ways import Ways

MOST_FOLDERS: Final = 50_000
MOST_FILES: Final = 500_000
DEEPEST: Final = 40
_MOST_TOLD: Final = 3
_MOST_AT_ONCE: Final = 4  # evaluators
_LEFT_OUT: Final = "left out: modules that nothing here calls, since callers decide for them"
_LIBRARIES: Final = "modules without a caller here: what a caller decides for them fails nothing"
_SKIPPED: Final = frozenset({".git", ".terraform", ".terragrunt-cache", "node_modules", ".venv", "__pycache__"})


class Tree(msgspec.Struct, frozen=True, kw_only=True):
    """The files below a folder: names by the path of their folder (`.` for itself), with forward slashes.

    `lost` are the folders that were not looked into, and why.
    """

    root: Path
    files: Mapping[str, tuple[str, ...]]
    lost: Mapping[str, str] = {}


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """One thing in a folder that can be judged: where it lies, what it is (as `Run.source`), and how to read it."""

    place: str
    source: str
    read: Callable[[], list[Document]]
    not_mapped: Mapping[str, int] = {}  # types that are not judged: how many resources


# What finds the inputs of each kind in a folder.
FINDERS: Final[dict[str, Callable[[Tree, Ways], Iterable[Input]]]] = {"arm": in_folder.inputs}


def recognises(path: Path) -> bool:
    """Whether this is a folder; what is in it is found out when it is read."""
    return path.is_dir()


def read(path: Path, ways: Ways | None = None) -> Collection:
    """The documents of all inputs in a folder. Raises `SourceError` where there are none."""
    ways = ways or Ways()
    tree = tree_of(path)
    for place, why in sorted(tree.lost.items())[:_MOST_TOLD]:
        ways.notice(f"{path / place}: {why}")
    inputs = sorted(
        (found for find in (*FINDERS.values(), _terraform) for found in find(tree, ways)),
        key=lambda found: (found.place, found.source),
    )
    if not inputs:
        raise SourceError(
            f"{path}: nothing to scan: no Terraform code and no template below it",
            "name the folder that holds the code; .terraform, .git and node_modules are not looked into",
        )
    documents = [*merged((found.place, found.read()) for found in inputs), *_unread(tree)]
    sources = {found.source for found in inputs}
    source = sources.pop() if len(sources) == 1 else "folder"
    unknown: Counter[str] = Counter()
    for one in inputs:
        unknown.update(one.not_mapped)
    run = Run(
        source=source,
        tool_version=__version__,
        declares=declares_of(documents),
        places=_places(inputs, documents),
        not_mapped=dict(sorted(unknown.items())),
    )
    return Collection(documents=documents, run=run)


def _places(inputs: Iterable[Input], documents: Iterable[Document]) -> dict[str, str]:
    """Which folder each made-up subscription stands for that anything is in."""
    used = {d.subscription_of(str(document["id"])) for document in documents}
    return {made: one.place for one in inputs if (made := made_subscription(one.place)) in used}


def tree_of(root: Path) -> Tree:
    """The files below a folder, without what tools put there, and without links that lead out of it."""
    files: dict[str, tuple[str, ...]] = {}
    lost: dict[str, str] = {}
    count = 0
    top = root.resolve()
    waiting: list[tuple[str, int]] = [(".", 0)]
    while waiting:
        place, depth = waiting.pop()
        names = []
        try:
            entries = _entries(root / place)
        except OSError as error:
            lost[place] = f"cannot be looked into: {error.strerror or error}"
            continue
        for entry in entries:
            if entry.is_symlink() and not _inside(Path(entry.path), top):
                continue
            if entry.is_dir(follow_symlinks=False):
                inner = entry.name if place == "." else f"{place}/{entry.name}"
                if entry.name not in _SKIPPED and depth < DEEPEST:
                    waiting.append((inner, depth + 1))
                elif entry.name not in _SKIPPED:
                    lost[inner] = f"not looked into, being more than {DEEPEST} folders deep"
            elif entry.is_file():
                names.append(entry.name)
        files[place] = tuple(sorted(names))
        count += len(names)
        if len(files) > MOST_FOLDERS or count > MOST_FILES:
            raise SourceError(
                f"{root}: more than {MOST_FOLDERS:,} folders or {MOST_FILES:,} files", "scan its parts by themselves"
            )
    return Tree(root=root, files=files, lost=lost)


def _unread(tree: Tree) -> Iterator[Document]:
    """The documents that stand for what may be in folders that were not looked into."""
    for place, why in sorted(tree.lost.items()):
        told = {"reason": f"{place}: {why}", "code": f"folder-not-read({place})", "grant": "scan it by itself"}
        yield {"id": place, "type": d.RESOURCE_LIST, "$unknown": told, "$origin": {"file": place}}


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as found:
        return sorted(found, key=lambda entry: entry.name)


def _inside(path: Path, top: Path) -> bool:
    try:
        return path.resolve(strict=True).is_relative_to(top)
    except (OSError, RuntimeError):
        return False


def made_subscription(place: str) -> str:
    """The subscription of an input at this path that names none; zeros for the folder itself."""
    if place == ".":
        return d.NO_SUBSCRIPTION
    told = hashlib.sha256(place.encode("utf-8", "surrogatepass")).hexdigest()
    return f"00000000-0000-0000-{told[:4]}-{told[4:16]}"


def merged(told: Iterable[tuple[str, list[Document]]]) -> list[Document]:
    """The documents of all inputs in the order of their ids.

    What several inputs set on one resource is one list. Where two make a resource of the same id, these are two.
    """
    found: dict[tuple[str, str], Document] = {}
    for place, documents in told:
        made = {d.normal_id(str(one["id"])): str(one["type"]).lower() for one in documents if "$origin" in one}
        twice = {key for key, kind in made.items() if (key, kind) in found}
        for written in documents:
            document = _apart(written, twice, f"~{escaped(place)}") if twice else written
            key = (d.normal_id(str(document["id"])), str(document["type"]).lower())
            before = found.get(key)
            if before is None:
                found[key] = document
            elif isinstance(before.get("value"), list) and isinstance(document.get("value"), list):
                found[key] = {**before, "value": [*before["value"], *document["value"]]}
    return [found[key] for key in sorted(found)]


def _apart(value: Any, twice: set[str], mark: str) -> Any:
    """A value in which the ids of some resources, and of what is below them, bear a mark."""
    if isinstance(value, str) and value.startswith("/"):
        told = value.lower()
        ends = (at for at in (*(n for n, sign in enumerate(told) if sign == "/"), len(told)) if told[:at] in twice)
        end = next(ends, None)
        return value if end is None else f"{value[:end]}{mark}{value[end:]}"
    if isinstance(value, dict):
        return {key: _apart(inner, twice, mark) for key, inner in value.items()}
    return [_apart(inner, twice, mark) for inner in value] if isinstance(value, list) else value


# --- Terraform --------------------------------------------------------------------------------------------------------


def _terraform(tree: Tree, ways: Ways) -> Iterator[Input]:
    """The root modules below a folder: those that no other calls."""
    codes = {
        place: hcl.Code(tree.root / place, "" if place == "." else place, tree.root)
        for place, names in sorted(tree.files.items())
        if any(map(hcl.is_terraform, names))
    }
    called = {one for place, code in codes.items() for one in hcl.calls_of(code, place) if one != place}
    roots = [place for place in codes if place not in called] or list(codes)
    judged = [place for place in roots if not hcl.is_library(codes[place])]
    left = [place for place in roots if place not in judged]
    if left:
        shown = ", ".join(left[:3]) + (f" and {len(left) - 3} more" if len(left) > 3 else "")
        ways.notice(f"{_LEFT_OUT if judged else _LIBRARIES}: {shown}")
    asked = {place: hcl.question(codes[place], ways.variables) for place in judged or roots}
    with ThreadPoolExecutor(max_workers=min(os.cpu_count() or 1, _MOST_AT_ONCE)) as pool:
        answers = pool.map(hcl.answered, asked.values())
    made = {
        place: hcl.built(one, answer, subscription=made_subscription(place))
        for (place, one), answer in zip(asked.items(), answers, strict=True)
    }
    missing = remote.note(call for built in made.values() for call in built.away)
    if missing:
        ways.notice(missing)
    for place, built in made.items():
        abroad = [setting for other, one in made.items() if other != place for setting in one.abroad]
        yield Input(
            place=place,
            source="terraform",
            read=partial(hcl.documents, built, abroad),
            not_mapped=not_mapped(built.plan),
        )

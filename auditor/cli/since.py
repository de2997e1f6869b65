"""`--changed-since REF`: the same code as it was at a git revision, so that only what a change introduces counts.

The whole tree of the revision is written to a folder of its own, since what a change breaks may lie in a file that it
does not touch. Nothing of the repository is checked out, changed or run: no hook, filter or attribute has a say.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec

from auditor.documents import Collection
from auditor.errors import AuditorError, SourceError

CODE: Final = frozenset({"terraform", "arm", "bicep", "folder"})  # what a repository holds, as `Run.source`
MOST_BYTES: Final = 2 * 1024**3
MOST_FILES: Final = 500_000
_LINK: Final = "120000"
_TIME_LIMIT: Final = 120  # seconds for one answer of git
_HINT: Final = "write its findings with -f json=FILE, and give that as --baseline FILE the next time"


class Revision(msgspec.Struct, frozen=True, kw_only=True):
    """A commit to compare with, and where the target lies in its tree."""

    asked: str
    commit: str
    top: Path
    place: str  # of the target, from the top of the repository


def revision_of(arguments: argparse.Namespace) -> Revision | None:
    """What `--changed-since` means; None where it is not given. Raises `AuditorError` for what git does not know."""
    ref = arguments.changed_since
    if not ref:
        return None
    if arguments.baseline:
        raise AuditorError("--changed-since and --baseline both say what is known", "give one of them")
    if arguments.target == "azure":
        raise AuditorError("--changed-since compares code, but the target is Azure itself", _HINT)
    target = Path(arguments.target)
    if not target.exists():
        raise SourceError(f"{target}: there is no such file", "a target is `azure` or a file, such as a snapshot")
    if ref.startswith("-") or any(ord(c) < 33 or ord(c) == 127 for c in ref):
        raise AuditorError(
            f'--changed-since: "{ref}" is no git revision', "a branch, tag or commit, such as origin/main"
        )
    folder = target.resolve() if target.is_dir() else target.resolve().parent
    top = _git(folder, "rev-parse", "--show-toplevel")
    if not top:
        if any((place / ".git").exists() for place in (folder, *folder.parents)):
            hint = f"where another user owns the checkout: git config --global --add safe.directory {folder}"
            raise AuditorError(f"{target}: git does not answer for the repository that it is in", hint)
        raise AuditorError(f"{target}: not in a git repository, so nothing is known of how it was", _HINT)
    commit = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    if not commit:
        hint = "is it fetched? a shallow clone has one commit only (fetch-depth: 0 in GitHub's checkout)"
        raise AuditorError(f'--changed-since: this repository has no revision "{ref}"', hint)
    common = _git(
        folder, "merge-base", commit, "HEAD"
    )  # what has happened on the branch since is no part of the change
    root = Path(top).resolve()
    return Revision(asked=ref, commit=common or commit, top=root, place=target.resolve().relative_to(root).as_posix())


def check_source(source: str) -> None:
    """Refuse what is no code of a repository: a plan, a state and a snapshot are no part of a revision."""
    if source not in CODE:
        raise AuditorError("--changed-since compares code, but the target was made from it, or from Azure", _HINT)


@contextmanager
def tree_at(revision: Revision) -> Iterator[Path]:
    """The target as it was, in a folder that is gone afterwards; it may not be there."""
    with tempfile.TemporaryDirectory(prefix="auditor-") as name:
        folder = Path(name).resolve()
        _write(revision, folder)
        yield folder / revision.place


def _write(revision: Revision, folder: Path) -> None:
    listed = _run(revision.top, ("ls-tree", "-r", "-z", "-l", "--full-tree", revision.commit), needed=True)
    files: list[tuple[str, str, Path]] = []
    size = 0
    for entry in listed.split(b"\0"):
        about, _, name = entry.partition(b"\t")
        words = about.decode("ascii", "replace").split()
        if len(words) != 4 or words[1] != "blob" or words[0] not in ("100644", "100755", _LINK):
            continue  # a submodule is not in this repository
        mode, _, blob, told = words
        path = _inside(folder, os.fsdecode(name))
        if path is None:
            continue
        size += int(told) if told.isdecimal() else 0
        files.append((mode, blob, path))
        if len(files) > MOST_FILES or size > MOST_BYTES:
            raise AuditorError(f'--changed-since: the tree of "{revision.asked}" is too large to compare with', _HINT)
    links: list[tuple[Path, str]] = []
    for (mode, _, path), content in zip(files, _blobs(revision.top, [blob for _, blob, _ in files]), strict=True):
        if mode == _LINK:
            links.append((path, os.fsdecode(content)))
            continue
        with suppress(OSError):  # no two names in the way of each other: git itself makes no such tree
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    for path, target in links:  # the last, so that nothing is written through one
        if _inside(folder, os.path.normpath(path.parent.relative_to(folder) / target)):
            with suppress(OSError, ValueError):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.symlink_to(target)


def _inside(folder: Path, name: str) -> Path | None:
    """Where a file of the tree is written; None for a name that would lead elsewhere."""
    parts = name.split("/")
    if not name or name.startswith("/") or any(part in ("", ".", "..") or part.lower() == ".git" for part in parts):
        return None
    return folder.joinpath(*parts)


def _blobs(top: Path, blobs: Sequence[str]) -> Iterator[bytes]:
    """The contents of files, in order, from one process."""
    command = _command(top, ("cat-file", "--batch"))
    with tempfile.TemporaryFile() as asked:
        asked.write("".join(f"{blob}\n" for blob in blobs).encode())
        asked.seek(0)
        with subprocess.Popen(command, stdin=asked, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:  # noqa: S603
            assert process.stdout is not None  # noqa: S101 - a pipe was asked for
            for blob in blobs:
                head = process.stdout.readline(200).split()
                if len(head) != 3 or not head[2].isdigit():
                    raise AuditorError(f"--changed-since: git cannot read {blob}", "git fsck tells what is broken")
                content = process.stdout.read(int(head[2]))
                process.stdout.read(1)
                yield content


def _command(folder: Path, words: Sequence[str]) -> list[str]:
    return ["git", "-c", "core.fsmonitor=false", "-C", str(folder), "--no-replace-objects", *words]


def _run(folder: Path, words: Sequence[str], *, needed: bool = False) -> bytes:
    try:
        done = subprocess.run(  # noqa: S603 - a list of words; the revision was checked
            _command(folder, words), capture_output=True, timeout=_TIME_LIMIT, check=False, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError:
        raise AuditorError("--changed-since needs git, which is not on this machine", _HINT) from None
    except subprocess.TimeoutExpired:
        raise AuditorError(f"--changed-since: git gave no answer in {_TIME_LIMIT} seconds", _HINT) from None
    if needed and done.returncode:
        raise AuditorError(f"--changed-since: git {words[0]} failed", "git fsck tells what is broken")
    return done.stdout if done.returncode == 0 else b""


def _git(folder: Path, *words: str) -> str:
    return os.fsdecode(_run(folder, words)).strip()


def read_before(
    revision: Revision, read: Callable[[Path], Collection], notice: Callable[[str], None]
) -> Collection | None:
    """What `read` makes of the target as it was; None where it was not there, or could not be read."""
    with tree_at(revision) as path:
        try:
            if path.exists():
                return read(path)
            notice(f"{revision.asked} ({revision.commit[:8]}) has no {revision.place}, so all of it is new")
        except AuditorError as error:  # also filters that met nothing then
            said = error.message.replace(str(path), revision.place)
            notice(f"at {revision.asked} ({revision.commit[:8]}), {said}; so all of it counts as new")
    return None

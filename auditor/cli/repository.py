"""Where in its repository a target lies: services that show findings beside the code want paths from its top."""

from __future__ import annotations

from pathlib import Path


def root_of(target: Path) -> str:
    """The folder that the files of a target are named from, as a path from the top of its git repository.

    The files of a folder are named from that folder, a single file from where the command runs. Outside of any
    repository, paths are from where the command runs; where the folder is not below that either, it is empty.
    A single file that is named by its absolute path has for its root the top itself.
    """
    if target.is_absolute() and not target.is_dir():
        return next((place.as_posix() for place in target.parents if (place / ".git").exists()), "")
    here = Path.cwd().resolve()
    folder = target.resolve() if target.is_dir() else here
    top = next((place for place in (folder, *folder.parents) if (place / ".git").exists()), here)
    if not folder.is_relative_to(top):
        return ""
    return "" if folder == top else folder.relative_to(top).as_posix()

"""Where in its repository a target lies: services that show findings beside the code want paths from its top."""

from __future__ import annotations

import os
from pathlib import Path, PurePath

import msgspec

from auditor.report import Finding, Report


def in_repository(report: Report, target: Path, source_root: str | None = None) -> Report:
    """The report of a file or folder with what names its files from the top of the repository.

    Where a single file was named by its absolute path, its own paths become those from the top, so that no report
    tells where on a machine a checkout lies. With the folder that a plan was made from, what is written there is named
    from that folder, and what only the plan tells of is in the plan, wherever that lies.
    """
    if source_root:
        folder, file = Path(source_root).resolve(), target.resolve()
        beside = Path(os.path.relpath(file, folder)) if file.drive == folder.drive else Path(file.name)
        findings = [_moved(finding, target, beside) for finding in report.findings]
        run = msgspec.structs.replace(report.run, root=root_of(folder))
        return msgspec.structs.replace(report, run=run, findings=findings)
    if not target.is_absolute() or target.is_dir():
        return msgspec.structs.replace(report, run=msgspec.structs.replace(report.run, root=root_of(target)))
    top = next((place for place in target.parents if (place / ".git").exists()), None)
    if top is None:
        return report
    return msgspec.structs.replace(report, findings=[_moved(finding, top, PurePath()) for finding in report.findings])


def _moved(finding: Finding, place: PurePath, to: PurePath) -> Finding:
    """The finding, with what lies at or below a place named from another."""
    origin = finding.subject.origin
    if origin is None or not PurePath(origin.file).is_relative_to(place):
        return finding
    file = (to / PurePath(origin.file).relative_to(place)).as_posix()
    subject = msgspec.structs.replace(finding.subject, origin=msgspec.structs.replace(origin, file=file))
    return msgspec.structs.replace(finding, subject=subject)


def root_of(target: Path) -> str:
    """The folder that the files of a target are named from, as a path from the top of its git repository.

    The files of a folder are named from that folder, a single file from where the command runs. Outside of any
    repository, paths are from where the command runs; where the folder is not below that either, it is empty.
    """
    here = Path.cwd().resolve()
    folder = target.resolve() if target.is_dir() else here
    top = next((place for place in (folder, *folder.parents) if (place / ".git").exists()), here)
    if not folder.is_relative_to(top):
        return ""
    return "" if folder == top else folder.relative_to(top).as_posix()

"""Where in its repository a target lies: services that show findings beside the code want paths from its top."""

from __future__ import annotations

from pathlib import Path, PurePath

import msgspec

from auditor.report import Finding, Report


def in_repository(report: Report, target: Path) -> Report:
    """The report of a file or folder with what names its files from the top of the repository.

    Where a single file was named by its absolute path, its own paths become those from the top, so that no report
    tells where on a machine a checkout lies.
    """
    if not target.is_absolute() or target.is_dir():
        return msgspec.structs.replace(report, run=msgspec.structs.replace(report.run, root=root_of(target)))
    top = next((place for place in target.parents if (place / ".git").exists()), None)
    if top is None:
        return report
    return msgspec.structs.replace(report, findings=[_from_top(finding, top) for finding in report.findings])


def _from_top(finding: Finding, top: PurePath) -> Finding:
    origin = finding.subject.origin
    if origin is None or not PurePath(origin.file).is_relative_to(top):
        return finding
    file = PurePath(origin.file).relative_to(top).as_posix()
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

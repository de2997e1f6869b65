"""In: a place → documents. `azure` is a live tenant; anything else is a file, recognised by its content."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from auditor.documents import Collection
from auditor.errors import SourceError
from auditor.sources import arm, folder, snapshot, terraform
from auditor.sources.policy import with_policies
from auditor.sources.ways import Ways

# name → (recognises(path), read(path)); asked in this order
SOURCES: dict[str, tuple[Callable[[Path], bool], Callable[[Path], Collection]]] = {
    "snapshot": (snapshot.recognises, snapshot.read),
    "terraform": (terraform.recognises, terraform.read),
    "arm": (arm.recognises, arm.read),
}


def open_file(path: Path, ways: Ways | None = None) -> Collection:
    """The documents of a file or folder; raises `SourceError` for one that no source knows."""
    if not path.exists():
        raise SourceError(f"{path}: there is no such file", "a target is `azure` or a file, such as a snapshot")
    for recognises, read in SOURCES.values():
        if recognises(path):
            return with_policies(read(path))
    if folder.recognises(path):
        return with_policies(folder.read(path, ways))
    if _raw_state(path):
        hint = "in its folder, `terraform show -json > state.json`, and scan that"
        raise SourceError(f"{path}: Terraform's own form of a state, which changes with its versions", hint)
    if _findings(path):
        raise SourceError(f"{path}: findings, which are judged already", f"auditor report {path} -f html")
    raise SourceError(
        f"{path}: not a file the auditor knows",
        "it reads snapshots of `auditor collect`, plans of `terraform show -json`, folders of Terraform code and "
        "ARM templates; or scan `azure` itself",
    )


def _findings(path: Path) -> bool:
    """Whether this looks like what `-f json` writes."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(64).lstrip().startswith(b'{\n  "schema_version"')


def _raw_state(path: Path) -> bool:
    """Whether this looks like a `terraform.tfstate`."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        start = file.read(1024)
    return start.lstrip()[:1] == b"{" and b'"terraform_version"' in start and b'"lineage"' in start

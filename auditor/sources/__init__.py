"""In: a place → documents. `azure` is a live tenant; anything else is a file, recognised by its content."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from auditor.documents import Collection
from auditor.errors import SourceError
from auditor.sources import arm, folder, snapshot, terraform
from auditor.sources.arm import bicep, predicted
from auditor.sources.hcl import sourced
from auditor.sources.policy import with_policies
from auditor.sources.ways import Ways

# name → (recognises(path), read(path)); asked in this order
SOURCES: dict[str, tuple[Callable[[Path], bool], Callable[[Path], Collection]]] = {
    "snapshot": (snapshot.recognises, snapshot.read),
    "terraform": (terraform.recognises, terraform.read),
    "what-if": (predicted.is_what_if, predicted.read_what_if),
    "bicep-snapshot": (predicted.is_snapshot, predicted.read_snapshot),
}
# The same for those that flags say more about.
WAYS: dict[str, tuple[Callable[[Path], bool], Callable[[Path, Ways | None], Collection]]] = {
    "arm": (arm.recognises, arm.read),
    "bicep": (bicep.recognises, bicep.read),
    "folder": (folder.recognises, folder.read),
}


def open_file(path: Path, ways: Ways | None = None) -> Collection:
    """The documents of a file or folder, with what policies in it may set; raises `SourceError` for one not known."""
    return with_policies(_read(path, ways))


def _read(path: Path, ways: Ways | None) -> Collection:
    if not path.exists():
        raise SourceError(f"{path}: there is no such file", "a target is `azure` or a file, such as a snapshot")
    if ways is not None and ways.source_root is not None:
        if not terraform.recognises(path):
            raise SourceError(f"{path}: not a Terraform plan or state", "--source-root is for these; leave it out")
        return sourced.read(path, ways.source_root, ways.notice)
    for recognises, read in SOURCES.values():
        if recognises(path):
            if ways is not None and ways.parameters is not None:
                raise SourceError(
                    f"{path}: neither an ARM nor a Bicep template", "--parameters is for these; leave it out"
                )
            return read(path)
    for recognises, read_so in WAYS.values():
        if recognises(path):
            return read_so(path, ways)
    if _raw_state(path):
        hint = "in its folder, `terraform show -json > state.json`, and scan that"
        raise SourceError(f"{path}: Terraform's own form of a state, which changes with its versions", hint)
    if _findings(path):
        raise SourceError(f"{path}: findings, which are judged already", f"auditor report {path} -f html")
    raise SourceError(
        f"{path}: not a file the auditor knows",
        "it reads snapshots of `auditor collect`, plans of `terraform show -json`, folders of Terraform code, ARM "
        "and Bicep templates, and results of what-if; or scan `azure` itself",
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

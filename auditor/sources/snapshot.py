"""Snapshots: documents saved by `collect` as one portable file, and read again without a network.

A snapshot is a zip archive: `manifest.json` (format, run, and size, count and SHA-256 of each part) and
`documents/<subscription>.jsonl`, one document a line as Azure gave it. The archive's comment holds the manifest's own
SHA-256. Nothing in it is ever written to disk by name, so a hostile archive has no path to escape by.
"""

from __future__ import annotations

import glob
import hashlib
import os
import re
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from auditor.documents import Collection, Document, Run, subscription_of
from auditor.errors import SourceError
from auditor.sources.spool import Spool

FORMAT = "azure-logging-auditor snapshot"
VERSION = 2  # in 1, the parts were providers
MAX_PART = 4 * 1024**3  # bytes, unpacked
MAX_RATIO = 1000  # unpacked to packed: JSON of one estate compresses to about a tenth, a bomb to a thousandth
_COMMENT = b"azure-logging-auditor sha256:"
_FROM = "snapshots come from `auditor collect`"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_MANIFEST = "manifest.json"
_DECODER: msgspec.json.Decoder[Any] = msgspec.json.Decoder()


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One file inside the archive."""

    name: str
    documents: int
    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a snapshot says of itself."""

    format: str
    version: int
    run: Run
    parts: list[Part]


def recognises(path: Path) -> bool:
    """Whether a file looks like a zip archive, whole or cut short."""
    try:
        with path.open("rb") as file:
            return file.read(4) == b"PK\x03\x04"
    except OSError:
        return False


def write(path: Path, collection: Collection) -> None:
    """Save documents as one file; an existing file is replaced only when the new one is complete."""
    write_groups(path, _by_subscription(collection.documents), collection.run)


def write_spool(path: Path, spool: Spool) -> None:
    """Save what was collected, one subscription after the other."""
    named: dict[str, list[str]] = {}
    for group in spool.groups():
        named.setdefault(part_name(group), []).append(group)
    groups = (
        (name, sorted((doc for group in named[name] for doc in spool.documents(group)), key=by_id))
        for name in sorted(named)
    )
    write_groups(path, groups, spool.run)


def write_groups(path: Path, groups: Iterable[tuple[str, Sequence[Document]]], run: Run) -> None:
    """Save documents group by group, each (name of the part, all documents of its subscriptions, in order)."""
    parts: list[Part] = []
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".partial")
    try:
        with os.fdopen(handle, "wb") as file, zipfile.ZipFile(file, "w") as archive:
            for group, documents in groups:
                data = b"".join(msgspec.json.encode(d) + b"\n" for d in documents)
                _add(archive, group, data)
                parts.append(
                    Part(name=group, documents=len(documents), bytes=len(data), sha256=_sha256(data)),
                )
            manifest = msgspec.json.format(
                msgspec.json.encode(Manifest(format=FORMAT, version=VERSION, run=run, parts=parts))
            )
            _add(archive, _MANIFEST, manifest)
            archive.comment = _COMMENT + _sha256(manifest).encode()
        with Path(name).open("rb+") as written:  # a power cut must not leave the name without the contents
            os.fsync(written.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def remove_leftovers(path: Path) -> None:
    """Remove what was left by writers of this file that were killed; nobody else may be writing it now."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.partial"):
        left.unlink(missing_ok=True)


def part_name(subscription: str) -> str:
    """The name of the part that holds a subscription's documents; that of the tenant's for ""."""
    return f"documents/{re.sub(r'[^a-z0-9-]', '_', subscription.lower())[:100] or 'tenant'}.jsonl"


def by_id(document: Document) -> tuple[str, str]:
    """The order of documents in a snapshot."""
    return str(document.get("id")).lower(), str(document.get("type")).lower()


def _by_subscription(documents: Iterable[Document]) -> list[tuple[str, list[Document]]]:
    groups: dict[str, list[Document]] = {}
    for document in documents:
        groups.setdefault(part_name(subscription_of(str(document.get("id")))), []).append(document)
    return [(name, sorted(groups[name], key=by_id)) for name in sorted(groups)]


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o600 << 16
    archive.writestr(info, data, compresslevel=6)


def read(path: Path) -> Collection:
    """The documents of a snapshot. Raises `SourceError` for a truncated, tampered or foreign file."""
    with opened(path) as (archive, manifest):
        documents = [d for part in manifest.parts for d in _documents(archive, part, path)]
    documents.sort(key=by_id)
    return Collection(documents=documents, run=manifest.run)


class Snapshot:
    """A snapshot that is read part by part; made by `open_parts`."""

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.run = manifest.run
        self._path = path
        self._parts = {part.name: part for part in manifest.parts}

    @property
    def count(self) -> int:
        """How many documents it holds."""
        return sum(part.documents for part in self._parts.values())

    def collection(self) -> Collection:
        """All of it in memory."""
        return read(self._path)

    def groups(self) -> Sequence[str]:
        """The names of its parts, in order."""
        return sorted(self._parts)

    def documents(self, group: str) -> list[Document]:
        """The documents of one part, in order."""
        with opened(self._path) as (archive, _):
            return sorted(_documents(archive, self._parts[group], self._path), key=by_id)


def open_parts(path: Path) -> Snapshot | None:
    """A snapshot to be read part by part; None for one of a version whose parts are not whole subscriptions."""
    with opened(path) as (_, manifest):
        return Snapshot(path, manifest) if manifest.version > 1 else None


@contextmanager
def opened(path: Path) -> Iterator[tuple[zipfile.ZipFile, Manifest]]:
    """The archive and its manifest; whatever is wrong with either is a `SourceError`."""
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = _manifest(archive, path)
            listed = {_MANIFEST, *(part.name for part in manifest.parts)}
            odd = sorted(set(archive.namelist()) ^ listed)
            if odd or len(archive.namelist()) != len(listed):
                raise _refused(path, f"its parts are not those of its manifest ({', '.join(odd[:3]) or 'repeated'})")
            yield archive, manifest
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        if isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError):
            hint = "give the path of a file written by `auditor collect`"
            raise SourceError(f"{path}: {error.strerror}", hint) from None
        raise SourceError(
            f"{path}: not a whole snapshot ({str(error)[:120]})",
            "it may be cut short: copy it again, or collect again with `auditor collect -o FILE`",
        ) from None


def _manifest(archive: zipfile.ZipFile, path: Path) -> Manifest:
    if "tfplan" in archive.namelist():
        hint = f"write it out with `terraform show -json {path} > plan.json`, and scan that"
        raise SourceError(f"{path}: a saved Terraform plan, which only Terraform reads", hint)
    if _MANIFEST not in archive.namelist():
        raise SourceError(f"{path}: a zip archive, but no snapshot of this tool", _FROM)
    data = _part(archive, _MANIFEST, path)
    if len(archive.comment) < len(_COMMENT) + 64:
        raise ValueError("its end is missing")
    if archive.comment != _COMMENT + _sha256(data).encode():
        raise _refused(path, "its manifest was changed")
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _refused(path, f"its manifest cannot be read: {error}") from None
    if manifest.format != FORMAT:
        raise SourceError(f"{path}: no snapshot of this tool", _FROM)
    if manifest.version > VERSION:
        raise SourceError(
            f"{path}: written by a later version ({manifest.run.tool_version})", "pip install -U azure-logging-auditor"
        )
    return manifest


def _part(archive: zipfile.ZipFile, name: str, path: Path) -> bytes:
    info = archive.getinfo(name)
    if info.file_size > MAX_PART or info.file_size > MAX_RATIO * max(info.compress_size, 1024):
        raise _refused(path, f"{name} unpacks to {info.file_size:,} bytes")
    with archive.open(info) as file:
        return file.read(info.file_size + 1)


def _documents(archive: zipfile.ZipFile, part: Part, path: Path) -> list[Document]:
    data = _part(archive, part.name, path)
    if _sha256(data) != part.sha256:
        raise _refused(path, f"{part.name} was changed: its SHA-256 is not the manifest's")
    try:
        documents = _DECODER.decode_lines(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _refused(path, f"{part.name} holds no JSON lines: {error}") from None
    if not all(isinstance(d, dict) and isinstance(d.get("id"), str) for d in documents):
        raise _refused(path, f"{part.name} holds something that is no document")
    return documents


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _refused(path: Path, why: str) -> SourceError:
    hint = "collect again, or get an untouched copy"
    return SourceError(f"{path}: the snapshot is not as it was written: {why}", hint)

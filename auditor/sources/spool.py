"""Documents on their way: kept on disk as they come, found again one by one or subscription by subscription.

A tenant's documents take several times the memory of what must be known of them; here it is a hash and a place in a
temporary file for each, which the system removes however the process ends.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from array import array
from collections.abc import Sequence
from typing import Final

import msgspec

from auditor.documents import Collection, Document, Run, normal_id, subscription_of
from auditor.errors import SourceError

_BITS: Final = 30  # of a place that tell the length, the others where it begins: documents of 1 GiB, 16 GiB in all


class Spool:
    """One collection's documents, each (id, type) once. `run` is set when all are there."""

    def __init__(self) -> None:
        self.run = Run()
        self._file = tempfile.TemporaryFile(prefix="auditor-")  # noqa: SIM115 - closed by `close`
        self._size = 0
        self._flushed = 0
        self._places: dict[int, int] = {}  # hash of (id, type) → place in the file
        self._groups: dict[str, array[int]] = {}  # subscription → places

    @property
    def count(self) -> int:
        """How many documents there are."""
        return len(self._places)

    def add(self, document: Document) -> bool:
        """Keep a document; returns False for one of an id and type that is there already."""
        doc_id = str(document["id"])
        key = key_of(doc_id, str(document["type"]))
        if key in self._places:
            return False
        data = msgspec.json.encode(document)
        place = packed(self._size, len(data))
        try:
            self._file.write(data)
        except OSError as error:
            room = f"make room in {tempfile.gettempdir()}, or set TMPDIR"
            raise SourceError(f"what was read cannot be kept: {error.strerror}", room) from error
        self._size += len(data)
        self._places[key] = place
        self._groups.setdefault(subscription_of(doc_id), array("Q")).append(place)
        return True

    def get(self, doc_id: str, doc_type: str) -> Document | None:
        """The document of this id and type, whatever their case."""
        place = self._places.get(key_of(doc_id, doc_type))
        return None if place is None else self._read(place)

    def groups(self) -> Sequence[str]:
        """Subscription ids, and "" for what is in none, in order."""
        return sorted(self._groups)

    def documents(self, group: str) -> list[Document]:
        """The documents of one subscription, in no order of their own."""
        return [self._read(place) for place in self._groups[group]]

    def collection(self) -> Collection:
        """All documents in memory, by id and type."""
        documents = [self._read(place) for place in self._places.values()]
        documents.sort(key=lambda doc: (str(doc["id"]).lower(), str(doc["type"]).lower()))
        return Collection(documents=documents, run=self.run)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    __del__ = close

    def _read(self, place: int) -> Document:
        offset, length = unpacked(place)
        if offset + length > self._flushed:
            self._file.flush()
            self._flushed = self._size
        self._file.seek(offset)
        data = self._file.read(length)
        self._file.seek(0, os.SEEK_END)
        document: Document = msgspec.json.decode(data)
        return document


def key_of(doc_id: str, doc_type: str) -> int:
    """What a document of this id and type is found by, whatever their case."""
    text = f"{normal_id(doc_id)}\n{doc_type.lower()}"
    return int.from_bytes(hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest())


def packed(offset: int, length: int) -> int:
    """A place in a file as one number."""
    place = offset << _BITS | length
    if place >> 64 or length >> _BITS:
        raise SourceError("there is more to read than can be kept", "scan fewer subscriptions at a time")
    return place


def unpacked(place: int) -> tuple[int, int]:
    """(offset, length) of a place in a file."""
    return place >> _BITS, place & (1 << _BITS) - 1

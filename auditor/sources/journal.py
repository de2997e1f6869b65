"""Journals: what a collection has read so far, so that one that was cut off is taken up again where it stood.

`collect -o FILE` appends each answer to `FILE.partial` as it comes. A line is a JSON array of a checksum and an entry;
each checksum covers its own entry and all lines before it. So a line torn by a crash, changed, moved or left out ends
what counts, and all before it still does. The first line says what was being collected: answers of another tenant,
identity, scope or version never end up in one snapshot.

Only answers are written down: documents, "not there", "not supported", and lists that came to their end. Whatever could
not be read is read again, a refusal too: the permission may have been granted since.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import time
from array import array
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Final

import msgspec

from auditor.documents import Document, marker
from auditor.errors import SourceError
from auditor.sources.spool import key_of, packed, unpacked

FORMAT: Final = "azure-logging-auditor journal"
VERSION: Final = 1
_SYNC_EVERY: Final = 5.0  # seconds of answers that a power cut may cost; a killed process costs none
_MAX_LINE: Final = 256 * 2**20  # bytes, four times what is read of an answer
_START: Final = len(b'["0123456789abcdef",')
_LOCK_AT: Final = 2**31 - 2  # Windows locks bytes, which no other process may then read: so it is one far behind
_BUSY: Final = "wait until it is done, or give another -o"


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The first line: which collection this is."""

    format: str = FORMAT
    version: int = VERSION
    began: str = ""
    scope: dict[str, str] = {}  # whatever decides what is read: tenant, cloud, principal …


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Any other line: a read's document, an item of a list, the end of a list, or a new start."""

    id: str = ""
    type: str = ""
    document: Document | None = None
    list: str = ""
    item: Document | None = None
    end: int | None = None  # how many items the list has
    resumed: str = ""  # when the collection was taken up again


_HEAD: Final = msgspec.json.Decoder(Head)
_ENTRY: Final = msgspec.json.Decoder(Entry)


class Journal:
    """One collection's journal, held open and locked; see `open_journal`."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self.path = path
        self.began = ""
        self.resumed = 0  # how often the collection was taken up again
        self._file = file
        self._head: Head | None = None
        self._chain = b""
        self._end = 0  # of the last good line
        # Of a large tenant, the answers would not go into memory: here is where in the file they are.
        self._documents: dict[int, int] = {}
        self._lists: dict[str, array[int]] = {}
        self._open: dict[str, array[int]] = {}  # lists whose end is not noted yet
        self._synced = time.monotonic()

    @property
    def answers(self) -> int:
        """How many reads it holds the answers of."""
        return len(self._documents)

    def begin(self, scope: Mapping[str, str], now: str) -> bool:
        """Start, or go on if there is something of the same scope to go on with; returns whether it goes on."""
        going_on = self._head is not None
        if self._head is None:
            self._head = Head(began=now, scope=dict(scope))
        odd = [name for name in sorted({*scope, *self._head.scope}) if scope.get(name) != self._head.scope.get(name)]
        if odd:
            told = "; ".join(f"{n} {self._head.scope.get(n) or 'none'}, now {scope.get(n) or 'none'}" for n in odd)
            raise SourceError(f"{self.path}: belongs to another collection ({told})", _elsewhere(self.path))
        self._file.truncate(self._end)
        self._file.seek(self._end)
        self.began = self._head.began
        if going_on:
            self.resumed += 1
            self._write(Entry(resumed=now))
        else:
            self._write(self._head)
        self._sync()
        return going_on

    def document(self, doc_id: str, doc_type: str) -> Document | None:
        """What a read was answered, if it was."""
        place = self._documents.get(key_of(doc_id, doc_type))
        return None if place is None else self._entry(place).document

    def note(self, doc_id: str, doc_type: str, document: Document) -> None:
        """Write down what a read was answered; what could not be read is no answer."""
        if marker(document) != "$unknown":
            place = self._write(Entry(id=doc_id, type=doc_type, document=document))
            self._documents[key_of(doc_id, doc_type)] = place

    def items(self, name: str) -> Iterator[Document] | None:
        """The items of a list that had come to its end."""
        places = self._lists.get(name)
        return None if places is None else (item for place in places if (item := self._entry(place).item) is not None)

    def note_page(self, name: str, items: list[Document]) -> None:
        """Write down some items of a list, which count once its end is noted too."""
        places = self._open.setdefault(name, array("Q"))
        places.extend(self._write(Entry(list=name, item=item)) for item in items)

    def note_end(self, name: str) -> None:
        """Write down that a list is whole. An empty one is not written down: it may fill when permission is granted."""
        places = self._open.pop(name, None)
        if places:
            self._write(Entry(list=name, end=len(places)))
            self._lists[name] = places

    def note_items(self, name: str, items: list[Document]) -> None:
        """Write down a whole list."""
        self.note_page(name, items)
        self.note_end(name)

    def finish(self) -> None:
        """Remove the journal: what it was for is done."""
        if sys.platform == "win32":  # which removes no open file
            self._file.close()
            self.path.unlink(missing_ok=True)
        else:  # removed while it is still locked: afterwards the name may be another process's
            self.path.unlink(missing_ok=True)
            self._file.close()

    def close(self) -> None:
        """Let go of the journal, and of the file too where it holds nothing worth going on with."""
        if self._file.closed:
            return
        if not self._documents and (self._head is not None or self._end == os.fstat(self._file.fileno()).st_size):
            self.finish()
            return
        if self.began:
            with contextlib.suppress(OSError):
                self._sync()
        self._file.close()

    # --- lines ---

    def _entry(self, place: int) -> Entry:
        offset, length = unpacked(place)
        self._file.seek(offset)
        data = self._file.read(length)
        self._file.seek(self._end)
        return _ENTRY.decode(data)

    def _write(self, entry: Head | Entry) -> int:
        data = msgspec.json.encode(entry)
        self._chain = _next(self._chain, data)
        try:
            self._file.write(b'["' + self._chain + b'",' + data + b"]\n")
            self._file.flush()
            if time.monotonic() - self._synced > _SYNC_EVERY:
                self._sync()
        except OSError as error:
            raise SourceError(
                f"{self.path}: cannot be written: {error.strerror}", "make room; then the same command continues"
            ) from error
        return self._pass(data)

    def _pass(self, data: bytes) -> int:
        """Go past a line that holds this; returns where in the file it is."""
        place = packed(self._end + _START, len(data))
        self._end += _START + len(data) + len(b"]\n")
        return place

    def _sync(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._synced = time.monotonic()

    def load(self) -> None:
        """Take in the good lines from the first on."""
        open_lists: dict[str, array[int]] = {}
        for data in self._good_lines():
            try:
                if self._head is None:
                    self._head = _HEAD.decode(data)
                    self._check_head()
                else:
                    self._take(_ENTRY.decode(data), packed(self._end + _START, len(data)), open_lists)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                return
            self._chain = _next(self._chain, data)
            self._pass(data)
        if self._head is None:
            self._check_empty()

    def _good_lines(self) -> Iterator[bytes]:
        self._file.seek(0)
        while line := self._file.readline(_MAX_LINE):
            data = line[_START:-2]
            if line != b'["' + _next(self._chain, data) + b'",' + data + b"]\n":
                return
            yield data

    def _take(self, entry: Entry, place: int, open_lists: dict[str, array[int]]) -> None:
        if entry.document is not None:
            self._documents[key_of(entry.id, entry.type)] = place
        elif entry.item is not None:
            open_lists.setdefault(entry.list, array("Q")).append(place)
        elif entry.end is not None:
            # A list that was cut off and read anew stands here twice: its last items are the whole one.
            self._lists[entry.list] = open_lists.pop(entry.list, array("Q"))[-entry.end :]
        else:
            self.resumed += bool(entry.resumed)

    def _check_head(self) -> None:
        if self._head is None or self._head.format != FORMAT:
            raise _foreign(self.path)
        if self._head.version != VERSION:
            raise SourceError(f"{self.path}: written by another version of the auditor", _elsewhere(self.path))

    def _check_empty(self) -> None:
        """A first line torn by a crash is no loss; a file that is not ours would be one."""
        self._file.seek(0)
        start = self._file.read(4096)
        if start.strip(b"\0") and not start.startswith(b'["'):
            raise _foreign(self.path)


@contextlib.contextmanager
def open_journal(output: Path, *, fresh: bool = False) -> Iterator[Journal]:
    """The journal beside a snapshot to be written, for this process alone, with what an earlier one left in it.

    Raises `SourceError` while another process holds it, and for a file that is no journal.
    """
    path = output.with_name(f"{output.name}.partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    file = _locked(path)
    try:
        if fresh:
            file.truncate(0)
        journal = Journal(path, file)
        journal.load()
        try:
            yield journal
        finally:
            journal.close()
    finally:
        file.close()


def _locked(path: Path) -> IO[bytes]:
    while True:
        try:
            file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600), "r+b")
        except OSError as error:
            raise SourceError(f"{path}: {error.strerror}", "give another -o") from error
        try:
            _lock(file)
        except OSError:
            file.close()
            raise SourceError(f"{path}: another process is collecting into this file", _BUSY) from None
        # Whoever had it may have finished, and removed it, between the opening and the locking.
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return file
        file.close()


def _lock(file: IO[bytes]) -> None:
    """Take the file for this process, or raise OSError; the system lets go of it however the process ends."""
    if sys.platform == "win32":
        import msvcrt

        file.seek(_LOCK_AT)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        file.seek(0)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _next(chain: bytes, data: bytes) -> bytes:
    return hashlib.blake2b(chain + data, digest_size=8).hexdigest().encode()


def _foreign(path: Path) -> SourceError:
    return SourceError(f"{path}: in the way, and not a journal of the auditor", _elsewhere(path))


def _elsewhere(path: Path) -> str:
    return f"delete {path.name} (or give --fresh) to begin anew, or give another -o"


def scope_of(values: Mapping[str, Any]) -> dict[str, str]:
    """What decides a collection, as text for the first line; empty values are left out."""
    shown = {name: ", ".join(value) if isinstance(value, tuple) else str(value or "") for name, value in values.items()}
    return {name: text for name, text in shown.items() if text}

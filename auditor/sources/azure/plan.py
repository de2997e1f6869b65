"""The reads that a run plans, and how each of them ended: the completeness that a report stands on."""

from __future__ import annotations

from typing import Final

from auditor.documents import Document, marker, normal_id

_ENDS: Final = {"$unknown": "unknown", "$unsupported": "not_supported"}  # "it is not there" is an answer


class Plan:
    """Every planned read by the document it is to give; one that never ended was not read."""

    def __init__(self) -> None:
        self._reads: dict[tuple[str, str], tuple[str, str]] = {}
        self._ends: dict[tuple[str, str], str] = {}

    def add(self, doc_id: str, doc_type: str) -> None:
        """Plan a read; planned twice, it is one."""
        self._reads.setdefault(_key(doc_id, doc_type), (doc_id, doc_type))

    def drop(self, doc_id: str, doc_type: str) -> None:
        """Take a read out of the plan: it turned out to be part of another."""
        self._reads.pop(_key(doc_id, doc_type), None)

    def end(self, doc_id: str, doc_type: str, document: Document | None = None) -> None:
        """Note how a read ended; without a document, it was answered by many."""
        self.add(doc_id, doc_type)
        self._ends[_key(doc_id, doc_type)] = _ENDS.get((document and marker(document)) or "", "answered")

    def has(self, doc_id: str, doc_type: str) -> bool:
        """Whether a read is planned."""
        return _key(doc_id, doc_type) in self._reads

    def open(self) -> list[tuple[str, str]]:
        """(id, type) of what was planned and not read, in the order of planning."""
        return [read for key, read in self._reads.items() if key not in self._ends]

    def counts(self) -> dict[str, int]:
        """How many reads ended as `answered`, `not_supported` and `unknown`: together all that were planned."""
        ends = [self._ends.get(key, "unknown") for key in self._reads]
        return {end: ends.count(end) for end in ("answered", "not_supported", "unknown")}


def _key(doc_id: str, doc_type: str) -> tuple[str, str]:
    return normal_id(doc_id), doc_type.lower()

"""The reports of an estate's parts → its report."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec.structs import force_setattr

from auditor.documents import normal_id
from auditor.judge import by_subject, in_report_order
from auditor.report import (
    Cell,
    Completeness,
    DestinationInfo,
    Finding,
    Report,
    RetirementInfo,
    Row,
    Subject,
    UncataloguedInfo,
    UnreadInfo,
)
from auditor.retiring import in_order, together
from auditor.rule import Rule
from auditor.uncatalogued import in_order as by_type
from auditor.uncatalogued import together as both


class Merger:
    """Takes the parts' reports one after the other, and holds what they have in common once."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._findings: dict[str, list[Finding]] = {rule.id: [] for rule in in_report_order(rules)}
        self._rows: list[Row] = []
        self._destinations: list[DestinationInfo] = []
        self._retirements: dict[str, RetirementInfo] = {}
        self._uncatalogued: dict[tuple[str, str], UncataloguedInfo] = {}
        self._unread: list[UnreadInfo] = []
        self._count = 0
        self._reads = {"planned": 0, "answered": 0, "not_supported": 0, "unknown": 0}
        self._first: Report | None = None
        self._held: dict[Any, Any] = {}

    def add(self, report: Report) -> None:
        """Take in one part's report, which is not to be used afterwards."""
        subjects: dict[tuple[str, str], Subject] = {}
        for finding in report.findings:
            subject = finding.subject
            force_setattr(finding, "subject", subjects.setdefault((subject.id, subject.type), subject))
            for field in ("rule", "status", "severity", "message", "acceptance"):
                value = getattr(finding, field)
                force_setattr(finding, field, self._held.setdefault(value, value))
            for field in ("evidence", "why_unknown"):  # settings deployed by policy are told alike of thousands
                told = getattr(finding, field)
                force_setattr(finding, field, self._held.setdefault(msgspec.json.encode(told), told))
            self._findings[finding.rule].append(finding)
        for row in report.coverage:
            cells = [self._cell(cell) for cell in row.cells]
            force_setattr(row, "cells", self._held.setdefault(tuple(map(id, cells)), cells))
            self._rows.append(row)
        self._destinations += report.destinations
        for info in report.retirements:
            known = self._retirements.get(info.key)
            self._retirements[info.key] = info if known is None else together(known, info)
        for new in report.uncatalogued:
            key = (new.type.lower(), new.category.lower())
            seen = self._uncatalogued.get(key)
            self._uncatalogued[key] = new if seen is None else both(seen, new)
        self._unread += report.unread
        self._count += report.resource_count
        for count in self._reads:
            self._reads[count] += getattr(report.completeness, count)
        if self._first is None:
            self._first = msgspec.structs.replace(report, findings=[], coverage=[], destinations=[], unread=[])

    def _cell(self, cell: Cell) -> Cell:
        key = (cell.category, cell.state, cell.evidence_class, cell.kept, *cell.destinations)
        return self._held.setdefault(key, cell)  # type: ignore[no-any-return]

    def report(self) -> Report:
        """The whole, in the order of a report."""
        if self._first is None:
            raise ValueError("nothing was judged")
        for findings in self._findings.values():
            findings.sort(key=by_subject)
        return msgspec.structs.replace(
            self._first,
            resource_count=self._count,
            findings=[finding for findings in self._findings.values() for finding in findings],
            coverage=sorted(self._rows, key=lambda row: normal_id(row.id)),
            destinations=sorted(self._destinations, key=lambda place: normal_id(place.id)),
            retirements=in_order(self._retirements.values()),
            uncatalogued=by_type(self._uncatalogued.values()),
            unread=sorted(self._unread, key=lambda unread: (unread.id.lower(), unread.type.lower())),
            completeness=Completeness(**self._reads),
        )

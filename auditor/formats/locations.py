"""Where the subject of a finding is written down, and which findings are about the same block there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable

import msgspec

from auditor.gate import counts
from auditor.inventory import Origin
from auditor.report import SEVERITIES, Finding, Report, Subject, fingerprint
from auditor.sums import as_one, without_settings

_ABSOLUTE = re.compile(r"[/\\]|[A-Za-z]:[/\\]")
_INDEX = re.compile(r'\[(?:\d+|"(?:[^"\\]|\\.)*")\]')  # of an instance that `count` or `for_each` makes


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a subject is written: the file from the top of the repository, its lines and its address in there.

    `line` is None where only the file is known. `written` is False for what no file makes, such as a vault that was
    read from Azure: its `file` is then its id, which keeps it apart from every other.
    """

    file: str
    line: int | None = None
    end_line: int | None = None
    address: str = ""
    written: bool = True


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """The findings of one rule about one written block: several where `count` or `for_each` makes more than one."""

    place: Place
    findings: list[Finding]  # the gravest first
    key: str  # sixteen hex digits that stay the same over scans, whatever moves above it and however many it makes

    @property
    def first(self) -> Finding:
        """The gravest of them."""
        return self.findings[0]

    @property
    def text(self) -> str:
        """What is wrong, with the names of those that the block makes besides the first."""
        more = [finding.subject.name for finding in self.findings[1:]]
        strict = " The gate is strict, so it fails for this." if self.first.status == "unknown" else ""
        if not more:
            return f"{self.first.message.rstrip('.')}.{strict}" if strict else self.first.message
        named = ", ".join(more[:10]) + (f" and {len(more) - 10:,} more" if len(more) > 10 else "")
        fail = "cannot be told" if strict else "fails" if len(more) == 1 else "fail"
        return (
            f"{self.first.message.rstrip('.')}. Written in the same place, {len(more):,} more {fail}: {named}.{strict}"
        )


def placer(report: Report) -> Callable[[Subject], Place]:
    """The function that tells where a subject is written.

    What a file does not name is placed in the file that was judged, where that is only one.
    """
    origins = (finding.subject.origin for finding in report.findings)
    files = {origin.file for origin in origins if origin is not None}
    root = report.run.root
    only = next(iter(files)) if len(files) == 1 and report.run.source != "azure" else ""

    def place_of(subject: Subject) -> Place:
        origin = subject.origin or (Origin(file=only) if only else None)
        if origin is None:
            return Place(file=_path(subject.id) or "unknown", written=False)
        line = origin.line if origin.line and origin.line > 0 else None
        last = origin.end_line if line and origin.end_line and origin.end_line >= line else None
        file = _path(origin.file if _ABSOLUTE.match(origin.file) else f"{root}/{origin.file}")
        return Place(file=file or "unknown", line=line, end_line=last, address=origin.address or "")

    return place_of


def blocks(findings: Iterable[Finding], place_of: Callable[[Subject], Place]) -> list[Block]:
    """Findings folded by rule and written block, the gravest first, then by rule and place."""
    found: dict[tuple[str, str, str, int | None, str], list[tuple[Place, Finding]]] = {}
    for finding in findings:
        place = place_of(finding.subject)
        block = "" if place.line else _INDEX.sub("", place.address) or finding.subject.id.lower()
        found.setdefault((finding.rule, finding.status, place.file, place.line, block), []).append((place, finding))
    for members in found.values():
        members.sort(key=lambda pair: (SEVERITIES.index(pair[1].severity), pair[1].subject.id.lower()))
    made, used = [], Counter[str]()
    for members in sorted(found.values(), key=lambda members: _rank(*members[0])):
        place, first = members[0]
        key = _key(place, first)
        used[key] += 1
        if used[key] > 1:  # two blocks of one address: each keeps its place in the order of lines
            key = fingerprint(first.rule, f"{key}\n{used[key]}")
        made.append(Block(place=place, findings=[finding for _, finding in members], key=key))
    return made


def _key(place: Place, first: Finding) -> str:
    if not place.address:
        return first.fingerprint
    said = f"{place.file}\n{_INDEX.sub('', place.address)}"
    return fingerprint(first.rule, f"{said}\nunknown" if first.status == "unknown" else said)


def failing(report: Report) -> list[Finding]:
    """What a gate is about: the failures that are neither accepted nor in the baseline already.

    With a strict gate also what cannot be told and counts against it, in words that say so. What fails since a whole
    input sets no log on anything is told once, by the gravest of it.
    """
    found = [
        finding
        for finding in report.findings
        if (finding.status == "fail" and finding.is_new is not False)
        or (finding.status == "unknown" and counts(finding, report.gate))
    ]
    alike = [finding for finding in without_settings(report) if finding.is_new is not False]
    if len(alike) < 2:
        return found
    first = msgspec.structs.replace(alike[0], message=f"{as_one(alike)}. The gravest: {alike[0].message}")
    folded = {id(finding) for finding in alike}
    return [first, *(finding for finding in found if id(finding) not in folded)]


def unread_told(report: Report) -> str:
    """`1 of 3 inputs could not be read`, so that nobody takes silence about it for a pass; empty where all were."""
    done = report.completeness
    if not done.unknown:
        return ""
    what = "reads failed" if report.run.source == "azure" else "inputs could not be read"
    return f"{done.unknown:,} of {done.planned:,} {what}"


def _rank(place: Place, first: Finding) -> tuple[int, bool, str, str, int, str]:
    unknown = first.status == "unknown"
    return SEVERITIES.index(first.severity), unknown, first.rule, place.file, place.line or 0, first.subject.id.lower()


def _path(file: str) -> str:
    """A relative path with forward slashes; what would lead out of the folder is left away."""
    parts: list[str] = []
    for part in file.replace("\\", "/").split("/"):
        if part == "..":
            del parts[-1:]
        elif part and part != ".":
            parts.append(part)
    return "/".join(parts)

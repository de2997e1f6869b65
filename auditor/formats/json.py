"""The findings file: the canonical output, from which `auditor report` makes every other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from auditor.errors import SourceError
from auditor.formats.matrix import by_category, by_subscription
from auditor.report import SCHEMA_VERSION, STATES, Report
from auditor.sums import Tally, count_findings, last_line, tally_rows


class FindingsFile(Report, frozen=True, kw_only=True):
    """A report with its sums, as `--format json` writes it. `summary` is for readers; it is never read back."""

    summary: dict[str, Any] = {}


_LONG: Final = ("findings", "coverage")
_BATCH: Final = 2000  # items that are text at once


def render(report: Report) -> str:
    """The report as indented JSON, fields in a fixed order, ending with a newline."""
    return "".join(chunks(report))


def chunks(report: Report) -> Iterator[str]:
    """The same piece by piece: of a large estate, the whole text takes more memory than the report itself."""
    fields = {name: getattr(report, name) for name in report.__struct_fields__}
    file = FindingsFile(**{**fields, **{name: [] for name in _LONG}}, summary=summary(report))
    rest = _written(file)
    for name in _LONG:
        # Nothing else can look like this: inside of texts, quotes and ends of lines are escaped.
        before, here, rest = rest.partition(f'\n  "{name}": []')
        yield before + here.removesuffix("]")
        yield from _items(getattr(report, name))
        yield "]"
    yield rest + "\n"


def _items(items: Sequence[Any]) -> Iterator[str]:
    for start in range(0, len(items), _BATCH):
        text = _written(items[start : start + _BATCH])
        yield ("," if start else "") + text[1:-2].replace("\n", "\n  ")
    if items:
        yield "\n  "


def _written(value: object) -> str:
    """Indented JSON in which a pipeline that logs it finds no command (`##vso[…]`); read back, it is what it was."""
    return msgspec.json.format(msgspec.json.encode(value)).decode().replace("##", "#\\u0023")


def summary(report: Report) -> dict[str, Any]:
    """The sums of a report: findings by status, coverage by state, in all and for each subscription and category."""
    tally: Tally = tally_rows(report.coverage)
    return {
        "findings": count_findings(report),
        "coverage": {
            "expected": tally.expected,
            **{state: getattr(tally, state) for state in STATES},
            "percent": tally.percent,
            "range": tally.range,
            "by_subscription": by_subscription(report),
            "by_category": by_category(report),
        },
        "line": last_line(report),
    }


def parse(text: bytes, name: str) -> Report:
    """Read a findings file; raises `SourceError` for anything else."""
    try:
        head = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        version = int(msgspec.json.decode(head.get("schema_version", msgspec.Raw(b"0"))))
    except (msgspec.DecodeError, ValueError, TypeError, UnicodeDecodeError):
        hint = f"auditor scan {name}" if text.startswith(b"PK") else "write one with `auditor scan … -f json=FILE`"
        raise SourceError(f"{name}: not a findings file (no JSON)", hint) from None
    if version != SCHEMA_VERSION:
        told = f"schema version {version}" if version else "no schema_version"
        raise SourceError(
            f"{name}: not a findings file that this version reads ({told}, wanted {SCHEMA_VERSION})",
            "write one with `auditor scan … -f json=FILE`",
        )
    try:
        return msgspec.json.decode(text, type=Report)
    except msgspec.DecodeError as error:
        raise SourceError(f"{name}: a broken findings file: {error}", "write it again with `auditor scan`") from None

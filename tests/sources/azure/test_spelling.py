"""Azure spells one id differently from answer to answer: whatever the case, the findings are the same (trap 1)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from random import Random
from typing import Any

import pytest
from conftest import AS_OF, CONTOSO

from auditor.assemble import assemble
from auditor.emulator import running
from auditor.judge import judge
from auditor.report import Report
from auditor.rule import load_rules
from auditor.sources.azure.collect import collect_now

ID = re.compile(r"/(subscriptions|providers)/", re.IGNORECASE)


def otherwise(value: Any, chance: Random, key: str = "") -> Any:
    """The same JSON with each id, type and region in a case of its own, each time that it stands somewhere."""
    if isinstance(value, dict):
        return {name: otherwise(inner, chance, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [otherwise(inner, chance, key) for inner in value]
    if isinstance(value, str) and (ID.match(value) or key in ("type", "location")):
        return "".join(chance.choice((letter.upper(), letter.lower())) for letter in value)
    return value


@pytest.fixture(scope="module")
def respelled(tmp_path_factory: pytest.TempPathFactory) -> Report:
    estate = json.loads((CONTOSO / "estate.json").read_text(encoding="utf-8"))
    estate["documents"] = otherwise(estate["documents"], Random(5))
    file: Path = tmp_path_factory.mktemp("spelling") / "estate.json"
    file.write_text(json.dumps(estate), encoding="utf-8")
    with running(file) as emulator:
        collection = collect_now(emulator.scan_options(), clock=lambda: AS_OF)
    return judge(assemble(collection), load_rules())


def test_no_finding_depends_on_how_ids_are_spelled(report: Report, respelled: Report) -> None:
    def claims(found: Report) -> dict[tuple[str, str], tuple[str, str]]:
        return {(f.rule, f.subject.id.lower()): (f.status, f.severity) for f in found.findings}

    plain, odd = claims(report), claims(respelled)
    assert {key: (plain.get(key), odd.get(key)) for key in plain | odd if plain.get(key) != odd.get(key)} == {}


def test_no_figure_depends_on_how_ids_are_spelled(report: Report, respelled: Report) -> None:
    def cells(found: Report) -> dict[str, list[tuple[str, str, list[str]]]]:
        return {row.id.lower(): [(c.category, c.state, c.destinations) for c in row.cells] for row in found.coverage}

    assert cells(respelled) == cells(report)
    assert respelled.resource_count == report.resource_count
    assert respelled.completeness == report.completeness
    places = [{(d.id.lower(), d.kind, d.exists, d.retention_days, d.sources) for d in found.destinations}
              for found in (report, respelled)]  # fmt: skip
    assert places[0] == places[1]

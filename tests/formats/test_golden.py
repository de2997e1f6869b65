"""The reports that are checked in beside Contoso are what every format says of it today.

A change that is meant shows there for review: `python scripts/make_generated.py` (or `make format`) writes them anew.
"""

import importlib.util
import json
from pathlib import Path

import jsonschema
import pytest

from auditor.formats import FORMATS
from auditor.formats.json import parse

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "contoso" / "reports"


def _script():
    spec = importlib.util.spec_from_file_location("contoso_reports", ROOT / "scripts" / "contoso_reports.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GOLDEN = _script()
SMALL = {name: file for file, (name, only) in GOLDEN.REPORTS.items() if len(only) == 1}


def test_every_format_has_a_report_to_look_at():
    assert set(SMALL) == set(FORMATS)


@pytest.mark.parametrize("file", GOLDEN.REPORTS)
def test_a_report_is_as_it_is_checked_in(file):
    name, only = GOLDEN.REPORTS[file]
    made = GOLDEN.rendered(name, GOLDEN.scanned(only))
    assert (FOLDER / file).read_bytes().decode() == made, "if it is meant: python scripts/make_generated.py"


@pytest.mark.parametrize("file", GOLDEN.CODE)
def test_a_report_on_code_is_as_it_is_checked_in(file):
    made = GOLDEN.of_code(GOLDEN.CODE[file])
    assert (FOLDER / file).read_bytes().decode() == made, "if it is meant: python scripts/make_generated.py"


@pytest.mark.parametrize("name", FORMATS)
def test_a_report_made_from_the_findings_file_is_the_same(name):
    findings = parse((FOLDER / SMALL["json"]).read_bytes(), "findings.json")
    assert GOLDEN.rendered(name, findings) == (FOLDER / SMALL[name]).read_bytes().decode()


def test_the_findings_file_meets_its_schema():
    schema = json.loads((ROOT / "reports" / "findings.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    told = json.loads((FOLDER / SMALL["json"]).read_text(encoding="utf-8"))
    jsonschema.validate(told, schema, cls=jsonschema.Draft202012Validator)
    told["findings"][0]["status"] = "passed"
    with pytest.raises(jsonschema.ValidationError, match="'passed' is not one of"):
        jsonschema.validate(told, schema, cls=jsonschema.Draft202012Validator)


def test_the_readme_shows_the_summary_of_contoso():
    assert (ROOT / "README.md").read_text(encoding="utf-8") == GOLDEN.readme(), "python scripts/make_generated.py"


def test_a_report_to_look_at_is_small_enough_to_look_at():
    assert max(file.stat().st_size for file in FOLDER.iterdir()) < 1_500_000

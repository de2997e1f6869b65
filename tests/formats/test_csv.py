"""The two tables: read back by Python's own reader, and no cell is a formula."""

import csv
import io

import pytest
from coded import RULE, coded_report

from auditor.formats import renderer
from auditor.formats.csv import cell
from auditor.formats.words import STATE_WORDS


def read(name, report):
    text = renderer(name)(report)
    assert text.startswith("\ufeff") and text.endswith("\r\n")
    assert text.count("\n") == text.count("\r\n")
    head, *rows = csv.reader(io.StringIO(text[1:], newline=""))
    assert {len(row) for row in rows} <= {len(head)}
    return [dict(zip(head, row, strict=True)) for row in rows]


def test_every_finding_is_a_row():
    report = coded_report()
    rows = read("csv", report)
    assert [row["Status"] for row in rows] == [finding.status for finding in report.findings]
    one = rows[0]
    assert (one["Rule"], one["Severity"], one["Subject"]) == (RULE.id, "high", "kv-one")
    assert (one["File"], one["Line"], one["Address"]) == ("infra/prod/main.tf", "12", "azurerm_key_vault.one")
    assert (one["New"], rows[8]["New"], rows[7]["Acceptance"]) == ("", "known", "a-1")


def test_every_log_source_is_a_row(realistic):
    rows = read("csv-coverage", realistic)
    cells = [cell for row in realistic.coverage for cell in row.cells]
    assert [row["Category"] for row in rows] == [cell.category for cell in cells]
    assert [row["State"] for row in rows] == [STATE_WORDS[cell.state] for cell in cells]
    assert {row["Destinations"] for row in rows} == {"", "law-contoso-sec"}
    assert {row["Subscription"] for row in rows} >= {"contoso-prod", "contoso-ma-legacy"}


@pytest.mark.parametrize("name", ["csv", "csv-coverage"])
def test_no_cell_is_a_formula(name, hostile):
    rows = read(name, hostile)
    assert rows
    for row in rows:
        for value in row.values():
            assert value.lstrip()[:1] not in tuple("=+-@＝＋－＠\t\r"), value


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("kv-1", "kv-1"),
        (12, "12"),
        ("", ""),
        ("=1+1", "'=1+1"),
        (" -1", "' -1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("＝1", "'＝1"),
        ('a,"b"', '"a,""b"""'),
        ("a;b", '"a;b"'),
        ("=1,2", '"\'=1,2"'),
        ("a\nb", "a‹U+000A›b"),
    ],
)
def test_cells(value, written):
    assert cell(value) == written


@pytest.mark.parametrize("name", ["csv", "csv-coverage"])
def test_an_empty_report_is_the_head_alone(name, empty):
    assert read(name, empty) == []

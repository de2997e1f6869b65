"""The query language subset: what it answers, and that it refuses the rest."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.emulator.graph_query import QueryError, Table, run_query

ROWS: list[dict[str, Any]] = [
    {"id": "/1", "name": "Alpha", "type": "a/x", "location": "westeurope", "properties": {"on": True, "n": 3}},
    {
        "id": "/2",
        "name": "beta",
        "type": "a/y",
        "location": "northeurope",
        "properties": {"on": False, "l": ["u", "v"]},
    },
    {"id": "/3", "name": "Gamma ray", "type": "A/X", "location": "", "properties": {"deep": {"a.b": "it's"}}},
    {"id": "/4", "name": "delta-ray", "type": "b/x", "location": "westeurope", "properties": None},
]
TABLES = {"resources": Table(columns=["id", "name", "type", "location", "properties"], rows=ROWS)}


def ids(query: str) -> str:
    return "".join(row["id"].strip("/") for row in run_query(query, TABLES).rows)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("type =~ 'A/x'", "13"),
        ("type == 'a/x'", "1"),
        ("type != 'a/x'", "234"),
        ("type !~ 'a/x'", "24"),
        ('name == "beta"', "2"),
        ("type in~ ('A/X', 'b/x')", "134"),
        ("type in ('a/x','b/x')", "14"),
        ("type !in ('a/x','b/x')", "23"),
        ("type !in~ ('a/x','b/x')", "2"),
        ("name contains 'RAY'", "34"),
        ("name !contains 'ray'", "12"),
        ("name has 'ray'", "34"),
        ("name has 'ra'", ""),
        ("name startswith 'AL'", "1"),
        ("name !startswith 'al'", "234"),
        ("name endswith 'ray'", "34"),
        ("properties.on == true", "1"),
        ("properties.on == 'true'", "1"),
        ("properties.on =~ 'TRUE'", "1"),
        ("properties.on != true", "234"),
        ("properties.n == 3", "1"),
        ("properties.on == 1", ""),
        ("properties.l[1] == 'v'", "2"),
        ("properties.l[7] == 'v'", ""),
        ("properties['deep']['a.b'] == \"it's\"", "3"),
        (r"properties.deep['a.b'] == 'it\'s'", "3"),
        ("tolower(type) == 'a/x'", "13"),
        ("isempty(location)", "3"),
        ("isnotempty(location)", "124"),
        ("isnull(properties)", "4"),
        ("isnotnull(properties.deep)", "3"),
        ("type =~ 'a/x' and location == 'westeurope' or name == 'beta'", "12"),
        ("type =~ 'a/x' and (location == 'westeurope' or name == 'beta')", "1"),
        ("not(type =~ 'a/x')", "24"),
        ("((((type =~ 'b/x'))))", "4"),
    ],
)
def test_where(condition: str, expected: str) -> None:
    assert ids(f"resources | where {condition} | order by id asc") == expected


def test_where_may_follow_where() -> None:
    assert ids("Resources\n| where type =~ 'a/x' // only these\n| where location == ''") == "3"


def test_project_renames_and_reaches_into_properties() -> None:
    table = run_query("resources | project id, kind=type, properties.n, on = tostring(properties.on)", TABLES)
    assert table.columns == ["id", "kind", "properties_n", "on"]
    assert table.rows[0] == {"id": "/1", "kind": "a/x", "properties_n": 3, "on": "true"}
    assert table.rows[3] == {"id": "/4", "kind": "b/x", "properties_n": None, "on": ""}


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("id asc", "1234"),
        ("id desc", "4321"),
        pytest.param("id", "4321", id="descending-unless-told"),
        ("location asc, id desc", "3241"),
        pytest.param("properties.n asc, id asc", "2341", id="null-first"),
    ],
)
def test_order(order: str, expected: str) -> None:
    assert ids(f"resources | order by {order}") == expected


def test_take_and_limit_end_paging() -> None:
    assert ids("resources | order by id asc | take 2") == "12"
    assert run_query("resources | limit 1", TABLES).taken


def test_count_and_summarize() -> None:
    assert run_query("resources | where type =~ 'a/x' | count", TABLES).rows == [{"Count": 2}]
    assert run_query("resources | summarize count() by location", TABLES).rows == [
        {"location": "", "count_": 1},
        {"location": "northeurope", "count_": 1},
        {"location": "westeurope", "count_": 2},
    ]
    assert run_query("resources | summarize n=count() by kind=tolower(type) | where n == 2", TABLES).rows == [
        {"kind": "a/x", "n": 2}
    ]
    assert run_query("resources | summarize count()", TABLES).rows == [{"count_": 4}]


@pytest.mark.parametrize(
    ("query", "piece"),
    [
        ("", "end of query"),
        ("nothing", "nothing"),
        ("resources | extend x = 1", "extend"),
        ("resources | join resources on id", "join"),
        ("resources | where colour == 'red'", "colour"),
        ("resources | where type matches regex 'a'", "matches"),
        ("resources | where type == 'a/x", "'a/x"),
        ("resources | where type", "end of query"),
        ("resources | where (type == 'a'", "end of query"),
        ("resources | where type in ()", ")"),
        ("resources | where type == name", "name"),
        ("resources | project id | where type == 'a'", "type"),
        ("resources | project id, id", "id"),
        ("resources | take many", "many"),
        ("resources | take -1", "-1"),
        ("resources type", "type"),
        ("resources | where id == 'x'; drop", ";"),
        ("resources | where " + "(" * 60, "("),
        ("resources | where id == '" + "x" * 300_000 + "'", "characters"),
        ("resources | where " + "not(" * 60, "not"),
        ("resources | where " + "tolower(" * 60, "tolower"),
    ],
)
def test_refuses_with_the_offending_piece(query: str, piece: str) -> None:
    with pytest.raises(QueryError) as raised:
        run_query(query, TABLES)
    assert piece in raised.value.piece

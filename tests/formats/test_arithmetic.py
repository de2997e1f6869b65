"""The five states sum to expected in every table, and every format shows the figures of `tally_rows`."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.documents import Run
from auditor.formats import html, markdown
from auditor.formats.view import build_view
from auditor.inventory import Subscription
from auditor.report import STATES, Cell, Completeness, Report, Row
from auditor.sums import Tally, tally, tally_rows

TYPES = ["Microsoft.KeyVault/vaults", "Microsoft.Web/sites", "microsoft.aadiam/tenants", "Contoso.Odd/thingBoxes", "x"]
WORDS = ["Exported", "Partly", "Missing", "Accepted", "Not assessed"]

cells = st.lists(
    st.builds(
        Cell,
        category=st.sampled_from(["AuditEvent", "Reads", "writes", "a|b", "_"]),
        state=st.sampled_from(STATES),
        evidence_class=st.sampled_from(["control-plane", "identity", "data", "network", "host", "", "odd"]),
    ),
    max_size=5,
    unique_by=lambda cell: cell.category,
)
rows = st.lists(
    st.builds(
        Row,
        id=st.uuids().map(lambda value: f"/r/{value}"),
        type=st.sampled_from(TYPES),
        name=st.sampled_from(["one", "two", "<b>", "a|b"]),
        subscription=st.sampled_from(["", "s1", "s2", "unheard-of"]),
        resource_group=st.just("rg"),
        cells=cells,
    ),
    max_size=14,
    unique_by=lambda row: row.id,
)


@st.composite
def reports(draw):
    return Report(
        run=Run(tenant="t"),
        subscriptions=[Subscription(id="S1", name="prod"), Subscription(id="s2", name="dev")],
        coverage=draw(rows),
        completeness=Completeness(planned=1, answered=1, not_supported=0, unknown=0),
    )


class Tables(HTMLParser):
    """The cells' text of every table that has an id; text for screen readers left out."""

    def __init__(self):
        super().__init__()
        self.tables, self.rows, self.cell, self.skip = {}, None, False, 0

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "table":
            self.rows = self.tables.setdefault(attrs.get("id", ""), [])
        elif tag == "tr" and self.rows is not None:
            self.rows.append([])
        elif tag in ("td", "th") and self.rows:
            self.rows[-1].append("")
        elif attrs.get("class") == "vh":
            self.skip = 1

    def handle_endtag(self, tag):
        if tag == "table":
            self.rows = None
        elif tag == "span":
            self.skip = 0

    def handle_data(self, data):
        if self.rows and self.rows[-1] and not self.skip:
            self.rows[-1][-1] += data.strip("\n")


def html_tables(report):
    reader = Tables()
    reader.feed(html.render(report))
    return reader.tables


def markdown_tables(report):
    """Heading without its number → rows of the last table below it."""
    found = {}
    for section in re.split(r"^#+ ", markdown.render(report), flags=re.MULTILINE)[1:]:
        title = re.sub(r"^(?:\d+|[A-C])\. ", "", section.partition("\n")[0])
        for block in re.findall(r"(?:^\|.*\n)+", section, flags=re.MULTILINE):
            lines = [[c.strip() for c in re.split(r"(?<!\\)\|", line)[1:-1]] for line in block.splitlines()]
            found[title] = [lines[0], *lines[2:]]
    return found


def figure(text):
    return 0 if text in ("–", "") else int(text.replace(",", ""))


def counted(head, row):
    """The tally that a row of a table shows, and what it gives as expected and as coverage."""
    by_name = dict(zip(head, row, strict=True))
    shown = Tally(**{state: figure(by_name.get(word, "–")) for state, word in zip(STATES, WORDS, strict=True)})
    return shown, figure(by_name["Expected"]), by_name.get("Coverage")


def check(table, parts, total=None):
    """Every row sums up, gives its own percentage, and the rows are `parts` (and `total`, last)."""
    head, *body = table
    shown = []
    for row in body:
        found, expected, coverage = counted(head, row)
        assert found.expected == expected
        assert coverage in (None, found.percent)
        shown.append(found)
    wanted = [*parts, *([total] if total is not None else [])]
    assert sorted(map(repr, shown)) == sorted(map(repr, wanted))
    if total is not None:
        assert shown[-1] == total


def expected_parts(report):
    by_scope, by_category = {"s1": [], "s2": []}, {}
    for row in report.coverage:
        by_scope.setdefault(row.subscription, []).extend(row.cells)
        for cell in row.cells:
            by_category.setdefault((row.type, cell.category), []).append(cell)
    return [tally(c) for c in by_scope.values()], [tally(c) for c in by_category.values()]


def map_cells(table):
    """(exported, assessed, unassessed) of every cell of the map that is not a dash."""
    return [
        (figure(found[1]), figure(found[2]), figure(found[3] or ""))
        for row in table[1:]
        for cell in row[2:]
        if (found := re.fullmatch(r"([\d,]+) of ([\d,]+)\s*(?:\+([\d,]+))?", cell.strip()))
    ]


NAMES = {
    html_tables: ("by-scope", "coverage-map", "all-resources", "all-categories"),
    markdown_tables: ("By scope", "Coverage map", "Resources", "Log categories"),
}
RELAXED = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@RELAXED
@given(reports())
def test_the_view_agrees_with_tally_rows(report):
    view, total = build_view(report), tally_rows(report.coverage)
    assert view.total == total
    for group in (
        [scope.tally for scope in view.scopes],
        [row.total for row in view.types],
        [cell for row in view.types for cell in row.classes.values()],
        [cell for row in view.types for _, cell in row.categories],
        [resource.tally for resource in view.resources],
    ):
        for state in STATES:
            assert sum(getattr(one, state) for one in group) == getattr(total, state)


@RELAXED
@given(reports())
@pytest.mark.parametrize("read", [html_tables, markdown_tables])
def test_every_table_sums_up(read, report):
    tables, total = read(report), tally_rows(report.coverage)
    scopes, categories = expected_parts(report)
    scope, types, resources, exact = NAMES[read]
    check(tables[scope], scopes, total)
    if not report.coverage:
        return
    cells = map_cells(tables[types])
    assert sum(exported for exported, _, _ in cells) == total.exported
    assert sum(assessed for _, assessed, _ in cells) == total.assessed
    assert sum(left for _, _, left in cells) == total.unassessed
    check(tables[resources], [tally(row.cells) for row in report.coverage])
    head, *body = tables[exact]
    check([head, *(row for row in body if len(row) == len(head))], categories, total)  # without the types' headings


@RELAXED
@given(reports())
def test_the_headline_is_the_tally_s_percentage_in_every_format(report):
    total = tally_rows(report.coverage)
    page, text, summary = html.render(report), markdown.render(report), markdown.render_summary(report)
    shown = re.search(r"<p class=v>(?:unknown|(\d+)<small>%)", page)
    assert (f"{shown[1]}%" if shown[1] else "unknown") == total.percent
    assert f"**Coverage of assessed sources: {total.percent}**" in text
    assert f"**{total.percent}** of assessed log sources exported ({total.exported} of {total.assessed}" in summary
    if total.unassessed:
        assert total.range in summary and total.range in text

"""Types and categories that the catalog does not hold: told, counted, and judged only by what the resource says."""

import msgspec
import pytest

from auditor.documents import Run
from auditor.facts.offers import unread_offers
from auditor.formats import renderer
from auditor.inventory import Destination, Inventory, LogSetting, Resource, Unknown
from auditor.uncatalogued import MOST_EXAMPLES, in_order, together, uncatalogued

U = Unknown(reason="403")
NEW = "Fabrikam.Ledger/ledgers"
VAULT = "Microsoft.KeyVault/vaults"
HERE = (Destination(kind="log-analytics", id="/w"),)
GONE = (Destination(kind="log-analytics", id="/w", exists=False),)


def thing(name, kind, offers=(), sent=(), to=HERE, settings=None, focus=True, **facts):
    one = (LogSetting(id="s", name="s", categories=frozenset(sent), destinations=to),)
    return Resource(
        id=f"/subscriptions/s/{name}", shown_id=name, type=kind, name=name, subscription="s", in_focus=focus,
        offers=frozenset(offers), settings=one if settings is None else settings, facts={"in_scope": True, **facts},
    )  # fmt: skip


def found(*things):
    told = uncatalogued(Inventory(resources=things, run=Run()))
    return [(i.category, i.new_type, i.audit, i.resources, i.exported, i.unread) for i in told]


CASES = [
    ("a new type", thing("a", NEW, ["Access"]), [("Access", True, False, 1, 0, 0)]),
    ("that calls it audit", thing("a", NEW, ["Access"], audit_offered=["Access"]), [("Access", True, True, 1, 0, 0)]),
    ("and exports it", thing("a", NEW, ["Access"], ["Access"]), [("Access", True, False, 1, 1, 0)]),
    ("to a place that is gone", thing("a", NEW, ["Access"], ["Access"], GONE), [("Access", True, False, 1, 0, 0)]),
    ("with settings not readable", thing("a", NEW, ["Access"], settings=U), [("Access", True, False, 1, 0, 1)]),
    ("with a list not readable", thing("a", NEW, offered=U), [("", True, False, 1, 0, 1)]),
    ("that logs nothing", thing("a", NEW), []),
    ("a new category", thing("a", VAULT, ["AuditEvent", "Recovery"]), [("Recovery", False, False, 1, 0, 0)]),
    ("one that only a setting names", thing("a", VAULT, ["AuditEvent"], ["Old"]), [("Old", False, False, 1, 1, 0)]),
    ("known ones, whatever the case", thing("a", VAULT.upper(), ["AUDITEVENT"]), []),
    ("outside of the scan", thing("a", NEW, ["Access"], in_scope=False), []),
    ("a list that stands in", thing("a", NEW, ["Access"], stand_in=True), []),
    ("out of focus", thing("a", NEW, ["Access"], focus=False), []),
]


@pytest.mark.parametrize(("resource", "told"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_what_is_told(resource, told):
    assert found(resource) == told


def test_it_comes_out_the_same_in_parts_whatever_their_order():
    things = [thing(f"r{n}", NEW.upper() if n % 2 else NEW, ["Access"], ["Access"] if n < 3 else []) for n in range(8)]
    [whole] = uncatalogued(Inventory(resources=tuple(things), run=Run()))
    assert (whole.resources, whole.exported, len(whole.examples)) == (8, 3, MOST_EXAMPLES)
    halves = [uncatalogued(Inventory(resources=tuple(half), run=Run()))[0] for half in (things[:3], things[3:])]
    assert together(*halves) == together(*reversed(halves)) == whole
    assert in_order([whole, msgspec.structs.replace(whole, category="A")])[1] == whole


@pytest.mark.parametrize(
    ("kind", "document", "unknown"),
    [
        (NEW, {"$unknown": {"reason": "403"}}, True),
        (NEW, {"$unsupported": {}}, False),
        (NEW, {"value": []}, False),
        (NEW, None, False),
        (VAULT, {"$unknown": {"reason": "403"}}, False),  # the catalog knows
        ("Microsoft.Compute/disks", {"$unknown": {"reason": "403"}}, False),  # known to log nothing
    ],
)
def test_nobody_knows_what_a_new_type_offers_whose_list_could_not_be_read(kind, document, unknown):
    assert ("offered" in unread_offers(kind, document)) is unknown


def test_contoso_has_a_new_type_judged_by_what_it_says_of_itself(report):
    told = {(i.type, i.category): (i.resources, i.exported, i.audit) for i in report.uncatalogued}
    assert told[("Fabrikam.Ledger/ledgers", "LedgerAccess")] == (2, 1, True)
    assert told[("Fabrikam.Ledger/ledgers", "LedgerTrace")] == (2, 0, False)
    assert ("Fabrikam.Ledger/mirrors", "") in told
    cells = {r.name: [(c.category, c.state) for c in r.cells] for r in report.coverage if "Fabrikam" in r.type}
    assert cells == {"ledger-orders": [("LedgerAccess", "exported")], "ledger-stock": [("LedgerAccess", "missing")]}


@pytest.mark.parametrize("name", ["html", "markdown"])
def test_reports_list_them_and_say_nothing_where_there_are_none(report, name):
    told = renderer(name)(report)
    assert "Not known to the catalog" in told and "LedgerTrace" in told and "categories could not be read" in told
    assert "not known to the catalog" not in renderer(name)(msgspec.structs.replace(report, uncatalogued=[])).lower()


def test_names_in_them_are_hostile(report):
    bad = msgspec.structs.replace(
        report.uncatalogued[0], type="x/<script>alert(1)</script>", category="<b>|x", examples=["<script>alert(2)"]
    )
    odd = msgspec.structs.replace(report, uncatalogued=[bad])
    html, markdown = renderer("html")(odd), renderer("markdown")(odd)
    assert "<script>alert" not in html and "<b>|x" not in html
    assert "<script>" not in markdown and "\\|x" in markdown

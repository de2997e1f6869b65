"""What the general rules have to say: types and categories that no catalog knows."""

from __future__ import annotations

from scenes.estate import PROD, WE, Doc, Estate, rid, setting
from scenes.places import ALL_SEC, DENIED, LAW_SEC, NOTHING, only
from scenes.things import place

LEDGER = "Fabrikam.Ledger/ledgers"
MIRROR = "Fabrikam.Ledger/mirrors"
CATEGORIES = "Microsoft.Insights/diagnosticSettingsCategories"
GROUP = "rg-ledger-prod"
RULE = "resource-security-logs-exported"


def build(estate: Estate) -> None:
    """Place all of them."""
    _unknown_types(estate)
    _without_a_rule(estate)


def _without_a_rule(estate: Estate) -> None:
    """A type that no rule names and that has no group audit: its AuditLogs are evidence, its DiagnosticLogs are not."""
    some = only(LAW_SEC, "DiagnosticLogs", audit="fail", why="its diagnostic logs are sent, AuditLogs is not")
    for name, plan, status in (
        ("fhir-claims", ALL_SEC, "pass"),
        ("fhir-trials", some, "fail"),
        ("fhir-wards", NOTHING, "fail"),
        ("fhir-staff", DENIED, "unknown"),
    ):
        shown = place(estate, "Microsoft.HealthcareApis/services", name, plan)
        estate.answer(RULE, shown, status, plan.why)
    nat = next(key for key in estate.documents if key.endswith("/natgateways/ng-dmz"))
    estate.answer(RULE, estate.documents[nat]["id"], "fail", "its flow logs are not sent")


def _unknown_types(estate: Estate) -> None:
    """A partner's types, which Azure Monitor lists categories for; of one, the list may not be read."""
    for name, settings in (
        ("ledger-orders", (setting("to-sec", LAW_SEC, groups=("audit",)),)),
        ("ledger-stock", ()),
    ):
        ledger = _place(estate, LEDGER, name)
        listed = [_category(ledger, "LedgerAccess", "audit", "allLogs"), _category(ledger, "LedgerTrace", "allLogs")]
        estate.listing(f"{ledger}/providers/{CATEGORIES}", CATEGORIES, listed)
        estate.settings(ledger, *settings)
        status, why = ("pass", "its group audit is sent") if settings else ("fail", "nothing is sent")
        for rule in ("resource-logs-exported", "resource-audit-logs-exported"):
            estate.answer(rule, ledger, status, f"a type that the catalog lacks, and that lists its logs: {why}")
        if settings:
            estate.answer("diagnostic-setting-without-logs", ledger, "pass", why)
    mirror = _place(estate, MIRROR, "mirror-orders")
    estate.unread(f"{mirror}/providers/{CATEGORIES}", CATEGORIES, f"{CATEGORIES}/read")
    estate.answer(
        "resource-logs-exported", mirror, "unknown", "a type that the catalog lacks, and whose list may not be read"
    )


def _place(estate: Estate, kind: str, name: str) -> str:
    shown = rid(PROD, GROUP, kind, name)
    document: Doc = {"id": shown, "type": kind, "name": name, "location": WE, "tags": {}, "properties": {}}
    return estate.put(document)


def _category(owner: str, name: str, *groups: str) -> Doc:
    shown = f"{owner}/providers/{CATEGORIES}/{name}"
    return {
        "id": shown,
        "type": CATEGORIES,
        "name": name,
        "properties": {"categoryType": "Logs", "categoryGroups": list(groups)},
    }

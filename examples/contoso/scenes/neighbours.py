"""What can be said only when all is placed: who sends logs to another region, and what else watches accounts."""

from __future__ import annotations

from scenes.defence import blobs
from scenes.estate import Doc, Estate, Place

RULE = "resource-logs-same-region"
SETTINGS = "/providers/microsoft.insights/diagnosticsettings"


def build(estate: Estate) -> None:
    """Answer for every resource in a region that has settings, or whose settings are hidden, and for every account."""
    blobs(estate)
    for key, listed in list(estate.documents.items()):
        if not key.endswith(SETTINGS):
            continue
        owner = key.removesuffix(SETTINGS)
        home = _region(_home(estate, owner))
        if "/providers/microsoft.securityinsights/" in owner or home in ("", "global"):
            continue
        if "$unknown" in listed:
            estate.answer(RULE, owner, "unknown", "ARM refuses to show its settings")
            continue
        regions = [
            _where(estate, place)
            for item in listed.get("value", ())
            if any(log["enabled"] for log in item["properties"]["logs"])
            for place in _regional(item["properties"])
            if estate.named[place.id.lower()].exists != "fail"
        ]
        if any(region not in ("", home) for region in regions):
            estate.answer(RULE, owner, "fail", f"it is in {home}, and what it sends to is elsewhere")
        elif "" in regions:
            estate.answer(RULE, owner, "unknown", "where that place is cannot be read")
        elif regions:
            estate.answer(RULE, owner, "pass", f"both are in {home}")


def _home(estate: Estate, owner: str) -> Doc:
    """The resource, or the storage account whose service this is."""
    account, service, _ = owner.partition("services/default")
    return estate.documents.get(account.rpartition("/")[0] if service else owner, {})


def _region(document: Doc) -> str:
    return str(document.get("location") or "").replace(" ", "").lower()


def _regional(properties: Doc) -> list[Place]:
    account, rule = properties.get("storageAccountId"), properties.get("eventHubAuthorizationRuleId")
    hub = properties.get("eventHubName")
    namespace = str(rule or "").lower().partition("/authorizationrules/")[0]
    found = [Place("storage", account)] if account else []
    return found + ([Place("event-hub", f"{namespace}/eventhubs/{hub}" if hub else namespace)] if namespace else [])


def _where(estate: Estate, place: Place) -> str:
    owner = estate.documents.get(place.id.lower().partition("/eventhubs/")[0], {})
    return _region(owner)

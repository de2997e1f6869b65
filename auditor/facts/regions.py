"""Are the storage accounts and event hubs that a resource's settings name in its own region, as Azure demands?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from auditor.documents import Document, marker, normal_location
from auditor.facts.shapes import short
from auditor.facts.unread import unclear, undecided, unread
from auditor.inventory import LogSetting, Unknown
from auditor.named import event_hub_namespace

_NO_REGION: Final = frozenset({"", "global"})


def region_facts(
    location: str, settings: tuple[LogSetting, ...] | Unknown, documents: Mapping[str, Document]
) -> dict[str, Any]:
    """`destination_region` of a regional resource that exports to storage accounts or event hubs: `same`, `other`.

    `far_destinations` are those in another region. A workspace may be anywhere, and so may what a global resource
    exports to.
    """
    if location in _NO_REGION:
        return {}
    if isinstance(settings, Unknown):
        return {"destination_region": settings, "far_destinations": settings}
    places = {
        (place.kind, place.id)
        for setting in settings
        if setting.kind == "diagnostic-setting" and (setting.categories or setting.possible)
        for place in setting.living
        if place.kind in ("storage", "event-hub")
    }
    if not places:
        return {}
    regions = {place: _region(*place, documents) for place in sorted(places)}
    far = [f"{short(place[1])} ({region})" for place, region in regions.items() if region != location and _told(region)]
    doubts = [region for region in regions.values() if isinstance(region, Unknown)]
    if not far and doubts:
        return {"destination_region": doubts[0], "far_destinations": doubts[0]}
    return {"destination_region": "other" if far else "same", "far_destinations": far}


def _told(region: str | Unknown) -> bool:
    return not isinstance(region, Unknown)


def _region(kind: str, place: str, documents: Mapping[str, Document]) -> str | Unknown:
    what = "the region of a destination"
    document = documents.get(event_hub_namespace(place) if kind == "event-hub" else place)
    if document is None or marker(document):
        return unread(document, what)
    location = document.get("location")
    found = normal_location(location) if isinstance(location, str) else ""
    return found or unclear(what, location if undecided(location) else None)

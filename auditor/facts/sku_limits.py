"""Which log categories does a resource of this SKU never write, whatever its list of categories says?

Azure lists categories by type, so that a lower tier shows some that stay empty for ever (domain.md, trap 15).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from auditor.documents import Document, marker
from auditor.facts.shapes import mapping, props, text
from auditor.facts.unread import properties_of, unclear, undecided, unread
from auditor.inventory import Unknown

Find = Callable[[str], Document | None]  # the document with this id, whatever its case; None where it was not read


class Withheld(msgspec.Struct, frozen=True):
    """Categories in lower case, `*` for all of them, and the SKU that lacks them; empty where nothing is lacking.

    Where the SKU could not be read, `unsure` says why, and the categories are those that it perhaps lacks.
    """

    categories: frozenset[str] = frozenset()
    sku: str = ""
    unsure: Unknown | None = None

    def has(self, category: str) -> bool:
        """Whether the SKU lacks a category."""
        return "*" in self.categories or category.lower() in self.categories

    def facts(self) -> dict[str, Any]:
        """What rules and messages read: `not_in_sku`, and why something is not offered, or only perhaps."""
        if not self.categories:
            return {}
        if self.unsure is not None:
            return {"why_may_offer": self.unsure}
        told = sorted(self.categories) if "*" not in self.categories else ["all"]
        return {"not_in_sku": told, "why_not_offered": f"Its SKU ({self.sku}) does not offer these logs."}


NOTHING: Final = Withheld()
_LOWER_TIERS: Final = frozenset({"basic", "standard"})
# Runtime audit and application metrics come with Premium and Dedicated, as do keys and networks of one's own.
_HUBS: Final = frozenset({"runtimeauditlogs", "applicationmetricslogs", "customermanagedkeyuserlogs"})
_BUS: Final = frozenset({"runtimeauditlogs", "applicationmetricslogs", "vnetandipfilteringlogs"})
_EVERY: Final = frozenset("*")
_SITE: Final = frozenset({"appservicefileauditlogs", "appserviceantivirusscanauditlogs"})
_SITE_TIERS: Final = frozenset({"free", "shared", "basic", "standard", "dynamic"})


def withheld(document: Mapping[str, Any], find: Find) -> Withheld:
    """What the SKU of a resource keeps it from logging; a SKU that is not known keeps nothing back."""
    kind = text(document.get("type")).lower()
    if kind not in _OF_TYPE:
        return NOTHING
    if marker(document):
        return Withheld(_CATEGORIES[kind], unsure=unread(document, "the SKU"))
    return _OF_TYPE[kind](document, find)


def _sku(document: Mapping[str, Any]) -> str:
    sku = mapping(document.get("sku"))
    return text(sku.get("tier")) or text(sku.get("name"))


def _event_hubs(document: Mapping[str, Any], _: Find) -> Withheld:
    limits = _lower(document, _HUBS)
    if not limits.categories:
        return NOTHING
    properties = properties_of(document, "whether the namespace is in a dedicated cluster")
    if isinstance(properties, Unknown):
        return Withheld(_HUBS, unsure=properties)
    cluster = properties.get("clusterArmId")  # there, the namespace's own SKU says nothing
    if undecided(cluster):
        return Withheld(_HUBS, unsure=unclear("whether the namespace is in a dedicated cluster", cluster))
    return NOTHING if text(cluster) else limits


def _service_bus(document: Mapping[str, Any], _: Find) -> Withheld:
    return _lower(document, _BUS)


def _lower(document: Mapping[str, Any], categories: frozenset[str]) -> Withheld:
    if undecided(document.get("sku")):
        return Withheld(categories, unsure=unclear("the SKU", document.get("sku")))
    sku = _sku(document)
    return Withheld(categories, sku) if sku.lower() in _LOWER_TIERS else NOTHING


def _gateway(document: Mapping[str, Any], _: Find) -> Withheld:
    if undecided(document.get("sku")):
        return Withheld(_EVERY, unsure=unclear("the SKU", document.get("sku")))
    sku = _sku(document)
    return Withheld(_EVERY, sku) if sku.lower() == "consumption" else NOTHING


def _site(document: Mapping[str, Any], find: Find) -> Withheld:
    tier = plan_tier(document, find)
    if not tier and (plan_id := text(props(document).get("serverFarmId"))):
        return Withheld(_SITE, unsure=unread(find(plan_id), "the App Service plan"))
    return Withheld(_SITE, tier) if tier.lower() in _SITE_TIERS else NOTHING


def plan_tier(site: Mapping[str, Any], find: Find) -> str:
    """The tier of the App Service plan that an app or a slot runs on; empty where it is not known."""
    properties = props(site)
    plan_id = text(properties.get("serverFarmId"))
    plan = find(plan_id) if plan_id else None
    plan = None if plan is not None and marker(plan) else plan
    return (_sku(plan) if plan is not None else "") or text(properties.get("sku"))


_OF_TYPE: Final[Mapping[str, Callable[[Mapping[str, Any], Find], Withheld]]] = {
    "microsoft.apimanagement/service": _gateway,
    "microsoft.eventhub/namespaces": _event_hubs,
    "microsoft.servicebus/namespaces": _service_bus,
    "microsoft.web/sites": _site,
    "microsoft.web/sites/slots": _site,
}
_CATEGORIES: Final[Mapping[str, frozenset[str]]] = {
    "microsoft.apimanagement/service": _EVERY,
    "microsoft.eventhub/namespaces": _HUBS,
    "microsoft.servicebus/namespaces": _BUS,
    "microsoft.web/sites": _SITE,
    "microsoft.web/sites/slots": _SITE,
}

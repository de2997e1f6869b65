"""Inventory → what its resources can log that the catalog does not know, so that nobody judges it by guess.

Azure brings new resource types and log categories all the time. Whether a new category is evidence nobody has said
yet, unless the resource's own list puts it into the group `audit`: it is reported, and expected only then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from auditor.catalog import catalog, category
from auditor.inventory import Inventory, Resource, Unknown
from auditor.report import UncataloguedInfo

MOST_EXAMPLES = 5


def uncatalogued(inventory: Inventory) -> list[UncataloguedInfo]:
    """Every log category, by resource type, that was seen and is not in the catalog."""
    found: dict[tuple[str, str], UncataloguedInfo] = {}
    for resource in inventory.resources:
        known = resource.in_focus and not resource.is_stand_in and resource.facts.get("in_scope") is True
        if known and inventory.is_own(resource.subscription) and not resource.type.startswith("Auditor/"):
            for info in _seen(resource):
                key = (info.type.lower(), info.category.lower())
                found[key] = together(found[key], info) if key in found else info
    return in_order(found.values())


def _seen(resource: Resource) -> Iterator[UncataloguedInfo]:
    new_type = resource.type.lower() not in catalog()
    if new_type and isinstance(resource.facts.get("offered"), Unknown):
        yield UncataloguedInfo(type=resource.type, new_type=True, resources=1, unread=1, examples=[resource.name])
        return
    settings = () if isinstance(resource.settings, Unknown) else resource.settings
    sent = {name for setting in settings if setting.living for name in setting.categories}
    audit = resource.facts.get("audit_offered")
    for name in resource.offers | resource.may_offer | sent:
        if category(resource.type, name) is None:
            yield UncataloguedInfo(
                type=resource.type,
                category=name,
                new_type=new_type,
                audit=isinstance(audit, list) and name in audit,
                resources=1,
                exported=int(name in sent),
                unread=int(isinstance(resource.settings, Unknown)),
                examples=[resource.name],
            )


def in_order(infos: Iterable[UncataloguedInfo]) -> list[UncataloguedInfo]:
    """By type and category."""
    return sorted(infos, key=lambda info: (info.type.lower(), info.category.lower()))


def together(one: UncataloguedInfo, other: UncataloguedInfo) -> UncataloguedInfo:
    """What two resources, or two parts of an estate, have of the same category."""
    return msgspec.structs.replace(
        one,
        type=min(one.type, other.type),
        category=min(one.category, other.category),  # whatever the order, should they be spelled differently
        audit=one.audit or other.audit,
        resources=one.resources + other.resources,
        exported=one.exported + other.exported,
        unread=one.unread + other.unread,
        examples=sorted([*one.examples, *other.examples])[:MOST_EXAMPLES],
    )

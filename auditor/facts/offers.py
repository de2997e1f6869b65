"""Which log categories does this resource offer, and which of them does each category group contain?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from auditor.catalog import catalog, category, known_type
from auditor.documents import marker
from auditor.facts.shapes import entries, mapping, text
from auditor.facts.sku_limits import Withheld
from auditor.facts.unread import unread
from auditor.inventory import Unknown

ENTRA: Final = "microsoft.aadiam/tenants"
_HELD: Final = {"free": ("Free",), "p1": ("Free", "P1"), "p2": ("Free", "P1", "P2")}
_TIERS: Final = frozenset({"Free", "P1", "P2"})
_NO_SUCH_TYPE: Final = frozenset({"resourcetypenotsupported", "resourcetypenotfound", "invalidresourcetype"})


class Members(msgspec.Struct, frozen=True):
    """The categories of one group: those certainly in it, and those of which it is not published."""

    certain: frozenset[str]
    possible: frozenset[str] = frozenset()


Groups = Mapping[str, Members]  # by lower-case name of the group


def offers_of(
    resource_type: str,
    categories: Mapping[str, Any] | None,
    *,
    settings: Mapping[str, Any] | None = None,
) -> tuple[frozenset[str], Groups]:
    """(categories offered, groups) of a resource, from its list of categories, else from the catalog.

    A resource whose categories or `settings` answered that it has none offers nothing but what is ours (flow logs).
    """
    known = catalog().get(resource_type.lower())
    ours = frozenset(c.name for c in known.categories if c.own) if known else frozenset()
    if offers_none(categories, settings):
        return ours, {}
    live = _live(resource_type, categories)
    if live is None:
        return _catalogued(resource_type)
    groups: dict[str, set[str]] = {}
    for name, names in live.items():
        for group in names:
            groups.setdefault(group.lower(), set()).add(name)
    made = {group: Members(frozenset(names)) for group, names in groups.items()}
    made["alllogs"] = Members(frozenset(live))
    return frozenset(live) | ours, made


def without(limits: Withheld, offers: frozenset[str], groups: Groups) -> tuple[frozenset[str], frozenset[str], Groups]:
    """(offered, perhaps offered, groups) of a resource whose SKU lacks some of its type's categories, or may do so."""
    if not limits.categories:
        return offers, frozenset(), groups
    lacking = frozenset(name for name in offers if limits.has(name))
    perhaps = frozenset[str]() if limits.unsure is None else lacking
    left = {g: Members(m.certain - lacking, (m.possible - lacking) | (m.certain & perhaps)) for g, m in groups.items()}
    return offers - lacking, perhaps, left


def offers_none(categories: Mapping[str, Any] | None, settings: Mapping[str, Any] | None) -> bool:
    """Whether the answers say that a resource has no log categories.

    An answer that does not speak of its type says so only if its settings are not there either: 409 means that nobody
    registered Azure Monitor, and any other 400 or 404 that the list could not be had.
    """
    if settings is not None and marker(settings) == "$unsupported":
        return True
    if categories is None or marker(categories) not in ("$absent", "$unsupported"):
        return False
    return _answer(categories)[1] in _NO_SUCH_TYPE or (settings is not None and _answer(settings)[0] == 404)


def unread_offers(resource_type: str, categories: Mapping[str, Any] | None) -> dict[str, Unknown]:
    """`offered` as a fact, where nobody knows it: the type is not known, and its categories could not be read."""
    if categories is None or marker(categories) != "$unknown" or known_type(resource_type):
        return {}
    return {"offered": unread(categories, "the list of log categories")}


def _answer(document: Mapping[str, Any]) -> tuple[object, str]:
    """Status and lower-case code of an answered "no"."""
    no = mapping(document.get("$absent") or document.get("$unsupported"))
    return no.get("status"), text(no.get("code")).lower()


def _live(resource_type: str, categories: Mapping[str, Any] | None) -> dict[str, list[str]] | None:
    """Category → its groups, as the resource's own list says; None where that was not read."""
    value = categories.get("value") if categories is not None and marker(categories) is None else None
    if not isinstance(value, list) or len(entries(value)) != len(value):
        return None
    live: dict[str, list[str]] = {}
    for item in entries(value):
        properties, name = mapping(item.get("properties")), text(item.get("name"))
        known = category(resource_type, name)
        kind = text(properties.get("categoryType")).lower() or ("logs" if known else "")
        if name and kind == "logs":
            groups = properties.get("categoryGroups")
            live[known.name if known else name] = (
                [text(g) for g in groups if text(g)] if isinstance(groups, list) else []
            )
    return live


def _catalogued(resource_type: str) -> tuple[frozenset[str], Groups]:
    known = catalog().get(resource_type.lower())
    if known is None:
        return frozenset(), {}
    azure = [c for c in known.categories if not c.own]
    groups = {"alllogs": Members(frozenset(c.name for c in azure))}
    if known.groups is None or known.groups_partial or "audit" in known.groups:
        groups["audit"] = Members(
            frozenset(c.name for c in azure if c.audit is True), frozenset(c.name for c in azure if c.audit is None)
        )
    return frozenset(c.name for c in known.categories), groups


def entra_offers(
    categories: Mapping[str, Any] | None,
    licence: str | Unknown,
    workload_identities: bool | Unknown | None = None,
    *,
    secure_access: bool | Unknown | None = None,
    settings: Mapping[str, Any] | None = None,
) -> tuple[frozenset[str], frozenset[str]]:
    """(offered, perhaps offered) categories of the Entra tenant under its licence.

    What a plan other than P1 or P2 offers is perhaps offered, unless `workload_identities` tells, or `secure_access`
    says that it is held (part of that comes without it); so is a category that only the tenant's own list names. Azure
    lists every category whatever the licence, so the list only narrows.
    """
    if offers_none(categories, settings):
        return frozenset(), frozenset()
    live = _live(ENTRA, categories)
    names = frozenset(c.name for c in catalog()[ENTRA].categories) if live is None else frozenset(live)
    offered: set[str] = set()
    perhaps: set[str] = set()
    for name in names:
        held = _held(name, licence, workload_identities)
        if held is None and secure_access is True and _is_secure_access(name):
            held = True
        if held is not False:
            documented = (known := category(ENTRA, name)) is not None and known.documented
            (offered if held and (documented or live is not None) else perhaps).add(name)
    return frozenset(offered), frozenset(perhaps)


def entra_withheld(licence: str | Unknown, workload_identities: bool | Unknown | None = None) -> frozenset[str]:
    """The categories that the Entra tenant certainly does not export under its licence."""
    names = (known.name for known in catalog()[ENTRA].categories)
    return frozenset(name for name in names if _held(name, licence, workload_identities) is False)


def _is_secure_access(name: str) -> bool:
    known = category(ENTRA, name)
    return known is not None and known.licence == "Global Secure Access"


def _held(name: str, licence: str | Unknown, workload_identities: bool | Unknown | None) -> bool | None:
    known = category(ENTRA, name)
    if known is None or not known.licence:
        return None
    if known.licence == "Free":
        return True
    if known.licence == "Workload ID" and isinstance(workload_identities, bool):
        return workload_identities
    if isinstance(licence, Unknown):
        return None
    if known.licence in _TIERS or licence == "free":
        return known.licence in _HELD.get(licence, ())
    return None

"""Which management groups are above a subscription or group, and what of the Activity Log do they export?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from auditor import documents as d
from auditor.catalog import catalog
from auditor.documents import Document, marker, normal_id
from auditor.facts.look import Look
from auditor.facts.offers import Members
from auditor.facts.settings import settings_of
from auditor.facts.shapes import entries, mapping, ref, same_id, short, text
from auditor.facts.unread import unread
from auditor.inventory import Unknown

_GROUPS: Final = f"/providers/{d.MANAGEMENT_GROUP}"
_DEEPEST: Final = 20  # Azure allows six levels; a circle must not hold us
Parents = Mapping[str, str]  # normal id of a subscription or group → that of the group above; "" at the top


def inherited_facts(key: str, document: Document, look: Look) -> dict[str, Any]:
    """What the groups above a subscription export of it (`inherited`), and which those groups are (`groups_above`)."""
    above = [same_id(f"{_GROUPS}/{name}") for name in _chain(document)]
    if not above:
        above, whole = _above(key, look)
    else:
        whole = True
    return _told(above, whole, look, enough=1)


def group_facts(key: str, _document: Document, look: Look) -> dict[str, Any]:
    """What a management group and those above it export of the events below them."""
    above, whole = _above(key, look)
    told = _told([key, *above], whole, look, enough=len(_categories()))
    return told | {"groups_above": [short(group) for group in above]}


def _told(groups: list[str], whole: bool, look: Look, *, enough: int) -> dict[str, Any]:
    """The facts; `enough` certain categories answer, whatever else could not be read: no group takes any away."""
    exported: set[str] = set()
    doubts: list[Unknown] = []
    for group in groups:
        known = look.once(_exports)
        found = known[group] if group in known else _exported(group, look)
        if isinstance(found, Unknown):
            doubts.append(found)
        else:
            exported |= found
    if not whole:
        doubts.append(Unknown(reason="which management groups are above it: not read"))
    return {
        "inherited": doubts[0] if doubts and len(exported) < enough else sorted(exported),
        "groups_above": [short(group) for group in groups],
    }


def _chain(document: Document) -> list[str]:
    """Names of the groups above a subscription as Resource Graph writes them into it, the nearest first."""
    inner = document.get("managementGroupAncestorsChain") or mapping(document.get("properties")).get(
        "managementGroupAncestorsChain"
    )
    return [text(step.get("name")) for step in entries(inner) if text(step.get("name"))]


def _above(key: str, look: Look) -> tuple[list[str], bool]:
    """(groups above, the nearest first; whether that is all of them)."""
    tree, found = look.once(parents), list[str]()
    roots = {same_id(f"{_GROUPS}/{tenant}") for tenant in look.once(_tenants)}
    here = key
    while here not in roots and len(found) < _DEEPEST:
        parent = tree.get(here)
        if parent is None:
            return found, look.declared
        if not parent:
            break
        found.append(parent)
        here = parent
    return found, True


def _tenants(look: Look) -> list[str]:
    return [text(look.documents[key].get("tenantId")).lower() for key in look.of_type(d.TENANT)]


def parents(look: Look) -> dict[str, str]:
    """The parent of each group and subscription, from the lists of what is below a group and the groups themselves."""
    found: dict[str, str] = {}
    for key in look.of_type(d.MANAGEMENT_GROUP):
        details = mapping(mapping(look.documents[key].get("properties")).get("details"))
        if "parent" in details:
            found[key] = ref(details.get("parent"))
    for key in look.of_type(d.DESCENDANTS):
        found |= dict(_links(look.documents[key]))
    return found


def _links(document: Document) -> Iterator[tuple[str, str]]:
    for item in entries(document.get("value")):
        bare = text(item.get("name")) or short(text(item.get("id")))
        parent = ref(mapping(item.get("properties")).get("parent"))
        if bare and parent:
            is_subscription = text(item.get("type")).lower().endswith("/subscriptions")
            yield same_id(f"/subscriptions/{bare}" if is_subscription else f"{_GROUPS}/{bare}"), parent


def _exports(look: Look) -> dict[str, frozenset[str] | Unknown]:
    return {key: _exported(key, look) for key in look.of_type(d.MANAGEMENT_GROUP)}


def _exported(group: str, look: Look) -> frozenset[str] | Unknown:
    """The categories that a group's own settings send to some place that is not known to be gone."""
    names = _categories()
    document = look.get(normal_id(d.settings_id(group)))
    if document is None and look.declared:
        return frozenset()
    if document is not None and marker(document) == "$unknown":
        return unread(document, f"the settings of management group {short(group)}")
    found = settings_of(document, d.MANAGEMENT_GROUP, names, {"alllogs": Members(names)}, look.resolve)
    if isinstance(found, Unknown):
        return found
    return frozenset[str]().union(*(setting.categories for setting in found if setting.living))


def _categories() -> frozenset[str]:
    return frozenset(category.name for category in catalog()[d.MANAGEMENT_GROUP.lower()].categories)

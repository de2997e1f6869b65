"""Reading ARM documents whose shape cannot be trusted: null lists, missing keys, wrong types, unreadable parts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from auditor.documents import normal_id
from auditor.inventory import Unknown

_EMPTY: Mapping[str, Any] = MappingProxyType({})

same_id = lru_cache(maxsize=262_144)(normal_id)


def mapping(value: object) -> Mapping[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else _EMPTY


def entries(value: object) -> list[Mapping[str, Any]]:
    """The objects in a list; whatever else is in it is left out."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def props(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """The `properties` of a document or of a part of one, empty if it has none."""
    return mapping(item.get("properties"))


def text(value: object) -> str:
    """The value if it is text, else empty."""
    return value.strip() if isinstance(value, str) else ""


def ref(value: object) -> str:
    """The normal id in `{"id": …}`; empty where there is none."""
    found = value.get("id") if isinstance(value, Mapping) else None
    return same_id(found) if isinstance(found, str) and found.strip() else ""


def refs(value: object) -> tuple[str, ...]:
    """The normal ids in a list of `{"id": …}`."""
    if not isinstance(value, list):
        return ()
    return tuple(found for found in map(ref, value) if found)


def child_id(parent: str, part: str, item: Mapping[str, Any]) -> str:
    """The normal id of a part of a document, made from its name where a template gives none."""
    return ref(item) or same_id(f"{parent}/{part}/{text(item.get('name'))}")


def name(item: Mapping[str, Any], fallback: str = "") -> str:
    """What a document or a part of one is called: its name, else the last part of its id."""
    return text(item.get("name")) or text(item.get("id")).rstrip("/").rpartition("/")[2] or fallback


def location(document: Mapping[str, Any]) -> str:
    """A document's region, for comparing."""
    return text(document.get("location")).replace(" ", "").lower()


def explain(value: object, what: str) -> Unknown:
    """The reason in an unreadable document or value, said of `what`."""
    detail = mapping(value).get("$unknown")
    if not isinstance(detail, Mapping):
        return Unknown(reason=f"{what}: {detail}" if text(detail) else what)
    status = detail.get("status")
    return Unknown(
        reason=f"{what}: {text(detail.get('reason'))}" if text(detail.get("reason")) else what,
        status=status if isinstance(status, int) else None,
        **{key: text(detail.get(key)) or None for key in ("code", "action", "scope", "grant")},
    )


def is_unknown(value: object) -> bool:
    """Whether a value, or the id in it, is one that could not be read."""
    return isinstance(value, Mapping) and ("$unknown" in value or "$unknown" in mapping(value.get("id")))


def short(resource_id: str) -> str:
    """An id as a reader wants it in a sentence: its last part."""
    return resource_id.rpartition("/")[2] or resource_id


def first_of(reasons: list[Unknown]) -> Unknown:
    """One reason for several, always the same one; it says how many more there are."""
    ordered = sorted(set(reasons), key=lambda why: (why.reason, why.status or 0, why.scope or ""))
    head = ordered[0]
    if len(ordered) == 1:
        return head
    return Unknown(
        reason=f"{head.reason} (and {len(ordered) - 1} more)",
        status=head.status,
        code=head.code,
        action=head.action,
        scope=head.scope,
        grant=head.grant,
    )

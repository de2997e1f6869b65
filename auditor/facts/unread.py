"""Why is the answer not known, and is this part of a document an answer at all?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.documents import marker
from auditor.facts.shapes import explain, mapping
from auditor.inventory import Unknown


def unread(document: object, what: str) -> Unknown:
    """The Unknown that a missing, unreadable or unanswering document means, said of `what`."""
    if document is None:
        return Unknown(reason=f"{what}: not read")
    if "$unknown" in mapping(document):
        return explain(document, what)
    answer = mapping(mapping(document).get("$absent") or mapping(document).get("$unsupported"))
    status, code = answer.get("status"), answer.get("code")
    return Unknown(
        reason=f"{what}: no answer",
        status=status if isinstance(status, int) else None,
        code=code if isinstance(code, str) else None,
    )


def unclear(what: str, value: object = None) -> Unknown:
    """The Unknown for an answer that makes no sense, or whose value `{"$unknown": …}` is not decided yet."""
    if "$unknown" in mapping(value):
        return explain(value, what)
    return Unknown(reason=f"{what}: the answer could not be understood")


def listed(document: Mapping[str, Any] | None, what: str) -> list[Any] | Unknown:
    """The items of a list document; Unknown where it was not read, or is no list."""
    if document is None or marker(document):
        return unread(document, what)
    value = document.get("value")
    return value if isinstance(value, list) else unclear(what, value)


def fields(value: object) -> Mapping[str, Any] | None:
    """The value if it is an object that could be read."""
    return value if isinstance(value, Mapping) and "$unknown" not in value else None


def undecided(value: object) -> bool:
    """Whether a value is one that could not be read, or that only a later deployment decides."""
    return "$unknown" in mapping(value)


def properties_of(document: Mapping[str, Any], what: str) -> Mapping[str, Any] | Unknown:
    """A document's properties, empty if it has none; Unknown where it, or they, could not be read."""
    if marker(document):
        return unread(document, what)
    properties = document.get("properties")
    return unclear(what, properties) if undecided(properties) else mapping(properties)

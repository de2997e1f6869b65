"""What a file that declares resources tells of whole subscriptions and tenants: the little that it makes of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from auditor import documents as d
from auditor.documents import Document

_SUBSCRIPTION: Final = re.compile(r"/subscriptions/([^/]+)", re.IGNORECASE)
_OF_TENANT: Final = {d.ENTRA_SETTINGS.lower(): d.ENTRA, d.INTUNE_SETTINGS.lower(): d.INTUNE}


def subscriptions_in(documents: Iterable[Document]) -> list[Document]:
    """The subscriptions that documents set something of, and that are not among them.

    That a subscription is there at all is told by its diagnostic settings and its alert rules alone, so that a file
    that makes neither is not asked about either.
    """
    every = list(documents)
    found: dict[str, Document] = {}
    for document in every:
        for shown in _spoken_of(document):
            told = {"id": shown, "type": d.SUBSCRIPTION, **_origin(document)}
            found.setdefault(d.normal_id(shown), told)
    known = {d.normal_id(str(document.get("id"))) for document in every}
    return [found[key] for key in sorted(found) if key not in known]


def declares_of(documents: Iterable[Document]) -> tuple[str, ...]:
    """Of the types that exist once those that a file sets logs of, and alert rules where it makes any."""
    found: set[str] = set()
    for document in documents:
        kind = str(document.get("type")).lower()
        if kind in _OF_TENANT:
            found.add(_OF_TENANT[kind])
        elif any(_spoken_of(document)):
            found.add(d.ACTIVITY_ALERTS if kind == d.ACTIVITY_ALERTS.lower() else d.SUBSCRIPTION)
    return tuple(sorted(found))


def _spoken_of(document: Document) -> Iterator[str]:
    """The subscriptions that a document sets something of."""
    kind = str(document.get("type")).lower()
    if kind == d.DIAGNOSTIC_SETTINGS.lower():
        whole = _SUBSCRIPTION.fullmatch(str(document.get("id")).partition("/providers/")[0])
        if whole is not None and "/providers/" in str(document.get("id")):
            yield whole[0]
    elif kind == d.ACTIVITY_ALERTS.lower():
        properties = document.get("properties")
        scopes = properties.get("scopes") if isinstance(properties, Mapping) else None
        for scope in scopes if isinstance(scopes, list) else ():
            whole = _SUBSCRIPTION.fullmatch(scope.rstrip("/")) if isinstance(scope, str) else None
            if whole is not None:
                yield whole[0]


def _origin(document: Document) -> dict[str, Any]:
    """Where the first thing that is set of a subscription is written."""
    value = document.get("value")
    for item in [*(value if isinstance(value, list) else ()), document]:
        if isinstance(item, Mapping) and isinstance(item.get("$origin"), Mapping):
            return {"$origin": item["$origin"]}
    return {}

"""Lists in Resource Manager's shape: pages, the tokens that lead to the next, and addresses that lead back here."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from auditor.documents import (
    DIAGNOSTIC_CATEGORIES,
    DIAGNOSTIC_SETTINGS,
    ENTRA_CATEGORIES,
    ENTRA_SETTINGS,
    INTUNE_SETTINGS,
    LOG_PROFILES,
    TABLES,
    Document,
    name_of,
    type_of,
)
from auditor.emulator.answers import Answer, error, ok
from auditor.emulator.estate import Estate, kind_of

# Lists that the real service gives in one piece; a client that looks for no nextLink there is right.
_UNPAGED: Final = frozenset(
    kind.lower()
    for kind in (
        *(DIAGNOSTIC_SETTINGS, DIAGNOSTIC_CATEGORIES, ENTRA_SETTINGS, ENTRA_CATEGORIES),
        *(INTUNE_SETTINGS, LOG_PROFILES, TABLES),
    )
)


def with_endpoints(document: Document, host: str) -> Document:
    """A storage account whose data-plane endpoints lead back to this server, unless the client thinks it is Azure."""
    properties = document.get("properties")
    if not isinstance(properties, dict) or not host or host.partition(":")[0].lower() == "management.azure.com":
        return document
    endpoints = properties.get("primaryEndpoints")
    if not isinstance(endpoints, dict):
        return document
    if kind_of(document).lower() != "microsoft.storage/storageaccounts":
        return document
    account = str(document.get("name") or name_of(document["id"])).lower()
    ours = {
        service: f"https://{host}/$storage/{account}/{service}/" if isinstance(value, str) and value else value
        for service, value in endpoints.items()
    }
    return {**document, "properties": {**properties, "primaryEndpoints": ours}}


def page(
    estate: Estate,
    found: list[Any],
    path: str,
    query: Mapping[str, str],
    host: str,
    headers: Mapping[str, str],
) -> Answer:
    """The members of a list that a request is for, with the address of the next ones."""
    if type_of(f"{path}/x").lower() in _UNPAGED or path.lower().endswith("/locations"):
        return ok({"value": found}, headers)
    try:
        start = decode_token(query.get("$skiptoken") or query.get("$skipToken") or "")
    except ValueError:
        return error(400, "InvalidSkipToken", "The provided skip token is invalid.")
    chosen = found[start : start + estate.page_size]
    body: dict[str, Any] = {"value": [with_endpoints(d, host) if isinstance(d, dict) else d for d in chosen]}
    if start + len(chosen) < len(found):
        rest = {k: v for k, v in query.items() if k.lower() != "$skiptoken"}
        rest["$skiptoken"] = encode_token(start + len(chosen))
        body["nextLink"] = f"https://{host}{path}?{urlencode(rest)}"
    return ok(body, headers)


def encode_token(position: int) -> str:
    """An opaque token for the page that starts at a position."""
    return base64.urlsafe_b64encode(f"page:{position}".encode()).decode()


def decode_token(token: str) -> int:
    """The position that a token stands for; 0 for none, ValueError for one that is none of ours."""
    if not token:
        return 0
    try:
        text = base64.urlsafe_b64decode(token.encode()).decode()
    except (binascii.Error, UnicodeError) as problem:
        raise ValueError("not a page token") from problem
    if not re.fullmatch(r"page:\d{1,9}", text):
        raise ValueError("not a page token")
    return int(text[5:])

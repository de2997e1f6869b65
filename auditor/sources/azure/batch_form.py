"""What a request to Resource Manager's batch endpoint looks like, and whether one only reads; nothing is sent here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

PATH: Final = "/batch"
API_VERSION: Final = "2020-06-01"
MOST: Final = 20  # reads in one request; with more it answers later, at another address
# Log settings and categories: what there is one read apiece of. An odd name goes by itself, so that nothing hangs on
# how the endpoint unquotes it.
_OURS: Final = re.compile(
    r"(/[^/?#%\s\\]+)+/providers/Microsoft\.Insights/diagnosticSettings(Categories)?\?api-version=[\w.-]+"
)
_DOTS: Final = re.compile(r"/\.{1,2}/")
_KEYS: Final = frozenset({"httpMethod", "name", "relativeUrl"})


def fits(relative: str) -> bool:
    """Whether a path with its query is one of the reads that may go in a batch."""
    return _OURS.fullmatch(relative) is not None and _DOTS.search(relative) is None


def batch_of(reads: Mapping[str, str]) -> bytes:
    """The body for reads, by the name that each answer is to bear."""
    wanted = [{"httpMethod": "GET", "name": name, "relativeUrl": relative} for name, relative in reads.items()]
    return msgspec.json.encode({"requests": wanted})


def only_reads(method: str, url: str, body: Any) -> bool:
    """Whether a request is a batch of nothing but our own GETs at the same host."""
    if method != "POST" or urlsplit(url).path != PATH or not isinstance(body, bytes):
        return False
    try:
        told = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    if not isinstance(told, dict) or told.keys() != {"requests"} or not isinstance(told["requests"], list):
        return False
    return 1 <= len(told["requests"]) <= MOST and all(_is_read(one) for one in told["requests"])


def _is_read(one: Any) -> bool:
    return (
        isinstance(one, dict)
        and one.keys() == _KEYS
        and one["httpMethod"] == "GET"
        and isinstance(one["relativeUrl"], str)
        and fits(one["relativeUrl"])
    )

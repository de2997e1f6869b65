"""Sharing the waiting: when Azure throttles one read of a subscription, the others of it wait as well."""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any
from urllib.parse import urlsplit

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncHTTPPolicy

_SUBSCRIPTION = re.compile(r"/subscriptions/([^/]+)", re.IGNORECASE)
_REMAINING = ("x-ms-ratelimit-remaining-subscription-reads", "x-ms-ratelimit-remaining-tenant-reads")
_REFILL = 25  # reads a second that Azure gives back to a subscription's (and a tenant's) allowance
_RESERVE = 40  # reads left below which we slow down instead of running into the wall


class Throttle(AsyncHTTPPolicy[Any, Any]):
    """Holds back requests of a scope (a subscription, or a host) while its allowance is used up."""

    def __init__(self, cap: float) -> None:
        self._cap = cap
        self._open_at: dict[str, float] = {}

    async def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """Wait for the scope's turn, send, and learn from the answer."""
        scope = scope_of(request.http_request.url)
        wait = self._open_at.get(scope, 0) - time.monotonic()
        if wait > 0:
            await asyncio.sleep(min(wait, self._cap))
        response = await self.next.send(request)
        pause = pause_after(response.http_response.status_code, response.http_response.headers)
        if 0 < pause <= self._cap:
            self._open_at[scope] = max(self._open_at.get(scope, 0), time.monotonic() + pause)
        return response


def scope_of(url: str) -> str:
    """What Azure counts a request against: the subscription, else the host."""
    split = urlsplit(url)
    found = _SUBSCRIPTION.match(split.path)
    return found.group(1).lower() if found else split.netloc.lower()


def pause_after(status: int, headers: Any) -> float:
    """Seconds for which an answer advises to send nothing more to its scope."""
    if status == 429:
        return _seconds(headers.get("Retry-After"))
    if _number(headers.get("x-ms-user-quota-remaining")) == 0:  # Resource Graph: 15 queries in 5 seconds
        return _seconds(headers.get("x-ms-user-quota-resets-after"))
    left = min((n for name in _REMAINING if (n := _number(headers.get(name))) is not None), default=None)
    return (_RESERVE - left) / _REFILL if left is not None and left < _RESERVE else 0


def _number(value: str | None) -> int | None:
    return int(value) if value and value.strip().isdecimal() else None


def _seconds(value: str | None) -> float:
    """Seconds from `7`, or from the `hh:mm:ss` that Resource Graph sends; 0 for none (or a date)."""
    parts = (value or "").strip().split(":")
    if not all(part.isdecimal() for part in parts) or len(parts) > 3:
        return 0
    return float(sum(int(part) * 60**place for place, part in enumerate(reversed(parts))))

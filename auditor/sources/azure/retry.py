"""Asking again: patiently when throttled, a few times when something broke, and never without end."""

from __future__ import annotations

import random
import ssl
from typing import Any, Final

import aiohttp
from azure.core.exceptions import AzureError, ServiceRequestError, ServiceResponseError
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncHTTPPolicy

from auditor.sources.azure.cloud import Options
from auditor.sources.azure.throttle import Time, wait_asked

_RETRIED: Final = frozenset({408, 429, 500, 502, 503, 504})
_FAULTS: Final = 4  # answers of a broken service, and connections that break: not worth more tries each
_BREAKS: Final = 3
_REFUSALS: Final = 20  # a throttled read waits patiently
_PATIENCE: Final = 900  # seconds from the first try to the last
_LONGEST: Final = 30  # seconds of waiting that nobody asked for


class Retry(AsyncHTTPPolicy[Any, Any]):
    """Sends again what met a passing fault; ours are all reads, so that nothing happens twice."""

    def __init__(self, options: Options, time: Time) -> None:
        super().__init__()
        self._cap = options.retry_after_cap
        self._first = options.retry_backoff
        self._time = time

    async def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """Send until there is an answer to keep, or no sense in going on."""
        began = self._time.now()
        breaks = faults = refusals = 0
        while True:
            try:
                response = await self.next.send(request)
            except (ServiceRequestError, ServiceResponseError) as error:
                breaks += 1
                if breaks >= _BREAKS or _hopeless(error):
                    raise
                await self._time.sleep(self._backoff(breaks))
                continue
            status = response.http_response.status_code
            if status not in _RETRIED:
                return response
            asked = wait_asked(response.http_response.headers)
            if status == 429:
                refusals += 1
                # Where a wait was asked for, the whole bucket keeps it.
                wait = 0.0 if asked else self._backoff(refusals)
            else:
                faults += 1
                wait = self._backoff(faults) if asked is None else asked
            over = self._time.now() - began + (asked or wait) > _PATIENCE
            if over or (asked or 0) > self._cap or faults >= _FAULTS or refusals > _REFUSALS:
                return response
            if wait:
                await self._time.sleep(wait)

    def _backoff(self, nth: int) -> float:
        """Seconds to wait before the next try: doubling, and never the same for all that failed together."""
        return float(min(self._first * 2 ** (nth - 1), _LONGEST) * random.uniform(0.5, 1))  # noqa: S311 (no secret)


def _hopeless(error: AzureError) -> bool:
    """Whether the next try can only end the same way: a certificate does not change by asking again."""
    cause = error.inner_exception or error.__cause__
    return isinstance(cause, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError | ssl.SSLError)

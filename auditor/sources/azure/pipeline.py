"""How requests leave: read-only, over one session, retried with patience, and never with a token for another host."""

from __future__ import annotations

import re
import ssl
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import msgspec
from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.core.pipeline import AsyncPipeline, PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import (
    AsyncBearerTokenCredentialPolicy,
    AsyncHTTPPolicy,
    AsyncRetryPolicy,
    SansIOHTTPPolicy,
    UserAgentPolicy,
)
from azure.core.rest import HttpRequest
from azure.mgmt.core.policies import AsyncARMChallengeAuthenticationPolicy

from auditor.sources.azure.cloud import Options, in_domain, origin, scope
from auditor.sources.azure.throttle import Throttle
from auditor.sources.azure.transport import NoAnswer, ReadBody, SharedTransport

_RETRIED: Final = frozenset({408, 429, 500, 502, 503, 504})
_SERVER_ATTEMPTS: Final = 4  # a throttled read waits patiently, a broken service is not worth eight tries each
_READING_POSTS: Final = re.compile(
    r"/providers/microsoft\.resourcegraph/resources"
    r"|/v1/workspaces/[0-9a-f-]{36}/query"
    r"|(/[\w.()-]+)+/providers/microsoft\.insights/logs",
    re.IGNORECASE,
)

_TOKEN_SPENT: Final = re.compile(
    rb"\b(ExpiredAuthenticationToken|InvalidAuthenticationToken|InvalidAuthenticationInfo)\b", re.IGNORECASE
)


class Refused(Exception):  # noqa: N818
    """A request that this tool does not send: it would change something, or carry a token to a stranger."""


class Counts:
    """How a run went, counted as it goes."""

    def __init__(self) -> None:
        self.requests = 0
        self.throttled = 0


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP answer, read to its end."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes


def may_send(method: str, url: str) -> bool:
    """Whether a request only reads: GET, or one of the POSTs that are queries."""
    if method == "GET":
        return True
    return method == "POST" and _READING_POSTS.fullmatch(urlsplit(url).path) is not None


class Guard(SansIOHTTPPolicy[Any, Any]):
    """Refuses what does not read, and any host but those a token is for.

    It stands both first and last: last, so that whatever a retry or a challenge made of the request is seen as sent.
    """

    def __init__(self, allowed: Callable[[str], bool]) -> None:
        self._allowed = allowed

    def on_request(self, request: PipelineRequest[Any]) -> None:
        """Raise `Refused` for a request that must not leave."""
        http = request.http_request
        if not may_send(http.method, http.url):
            raise Refused(f"{http.method} {urlsplit(http.url).path} would not be a read")
        if not http.url.lower().startswith("https://") or not self._allowed(http.url):
            raise Refused(f"{'://'.join(str(part) for part in origin(http.url)[:2])} is not a host to send a token to")


class PatientRetry(AsyncRetryPolicy[Any, Any]):
    """Microsoft's retry, with an upper limit to the waiting a service may ask for."""

    def __init__(self, options: Options) -> None:
        self._cap = options.retry_after_cap
        super().__init__(
            retry_total=10,
            retry_status=8,
            retry_connect=2,
            retry_read=2,
            retry_backoff_factor=options.retry_backoff,
            retry_backoff_max=30,
            timeout=900,
        )

    def get_retry_after(self, response: PipelineResponse[Any, Any]) -> float | None:
        """Seconds to wait as the service asked; None for none or nonsense."""
        try:
            return super().get_retry_after(response)
        except (ValueError, OverflowError, TypeError):
            return None

    def is_retry(self, settings: dict[str, Any], response: PipelineResponse[Any, Any]) -> bool:
        """Whether to ask again: only for passing faults, and only if the wait is one we would bear."""
        status = response.http_response.status_code
        if status not in _RETRIED or (self.get_retry_after(response) or 0) > self._cap:
            return False
        # Microsoft's policy would retry no POST, but ours are queries.
        return status == 429 or len(settings["history"]) < _SERVER_ATTEMPTS - 1

    def _is_method_retryable(self, settings: Any, request: Any, response: Any = None) -> bool:
        return True


class Renew(AsyncHTTPPolicy[Any, Any]):
    """Asks once more, with a new token, where the service calls the token expired or invalid."""

    def __init__(self, forget: Callable[[str], None]) -> None:
        super().__init__()
        self._forget = forget

    async def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """Send a request, at most twice."""
        response = await self.next.send(request)
        if response.http_response.status_code != 401 or not _TOKEN_SPENT.search(response.context["body"][:10_000]):
            return response
        self._forget(request.http_request.headers.get("Authorization", "").removeprefix("Bearer "))
        return await self.next.send(request)


class Meter(SansIOHTTPPolicy[Any, Any]):
    """Counts what is sent and what is throttled; retries count too."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts

    def on_request(self, request: PipelineRequest[Any]) -> None:
        """Count a request."""
        self._counts.requests += 1

    def on_response(self, request: PipelineRequest[Any], response: PipelineResponse[Any, Any]) -> None:
        """Count an answer that says "too many"."""
        self._counts.throttled += response.http_response.status_code == 429


class Pipelines:
    """The three ways out: Resource Manager, Graph and storage, each with a token for its own hosts alone."""

    def __init__(self, options: Options, credential: Any, transport: SharedTransport, counts: Counts) -> None:
        cloud = options.cloud

        # A policy of the SDK knows its successor, so none may be in two pipelines: tokens would cross over.
        def build(auth: Any, allowed: Callable[[str], bool]) -> AsyncPipeline[Any, Any]:
            name, guard = f"azure-logging-auditor/{options.tool_version}", Guard(allowed)
            user_agent = UserAgentPolicy(name, user_agent_overwrite=True)
            return AsyncPipeline(
                transport,
                [
                    guard,
                    user_agent,
                    PatientRetry(options),
                    Throttle(options.retry_after_cap),
                    Renew(credential.forget),
                    auth,
                    guard,
                    Meter(counts),
                    ReadBody(),
                ],
            )

        manager, graph = origin(cloud.resource_manager), origin(cloud.graph)
        self.resource_manager = build(
            AsyncARMChallengeAuthenticationPolicy(credential, scope(cloud.resource_manager_audience)),
            lambda url: origin(url) == manager,
        )
        self.graph = build(
            AsyncBearerTokenCredentialPolicy(credential, scope(cloud.graph_audience)),
            lambda url: origin(url) == graph,
        )
        self.storage = build(
            AsyncBearerTokenCredentialPolicy(credential, scope(cloud.storage_audience)),
            lambda url: in_domain(url, cloud.storage_domains),
        )


async def send(
    pipeline: AsyncPipeline[Any, Any],
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: Any = None,
) -> Answer:
    """One request and its answer; `NoAnswer` when none came, `Refused` when it must not be sent."""
    head = {"Accept-Encoding": "gzip", **(headers or {})}
    content = {} if body is None else {"json": body}
    request = HttpRequest(method, url, headers=head, **content)
    try:
        response = await pipeline.run(request)
    except AzureError as error:
        raise NoAnswer(_why(error)) from error
    http = response.http_response
    return Answer(
        status=http.status_code,
        headers={name.lower(): value for name, value in http.headers.items()},
        body=response.context["body"],
    )


def _why(error: AzureError) -> str:
    """A transport fault in words that a reader of a report understands."""
    if isinstance(error, ClientAuthenticationError):
        return f"sign-in failed: {short(error.message)}"
    cause: BaseException = error.inner_exception or error.__cause__ or error
    if isinstance(cause, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError | ssl.SSLError):
        return f"the TLS certificate or handshake was not accepted ({short(cause)})"
    if isinstance(cause, aiohttp.ClientConnectorDNSError):
        return "the host name does not resolve (DNS)"
    if isinstance(cause, TimeoutError):
        return "no answer in time"
    if isinstance(cause, aiohttp.ClientProxyConnectionError | aiohttp.ClientHttpProxyError):
        return "the proxy could not be reached or refused"
    if isinstance(cause, aiohttp.ClientConnectorError):
        return f"the host could not be reached ({short(cause.os_error)})"
    if isinstance(cause, aiohttp.ClientPayloadError | zlib.error):
        return "the answer was cut short"
    if isinstance(cause, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError | ConnectionError):
        return "the connection was broken off"
    return f"no answer ({short(error)})"


_BREAKS = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")


def short(text: object, limit: int = 240) -> str:
    """Someone else's text on one line, without control characters, cut to length."""
    line = _BREAKS.sub(" ", str(text)).strip()
    return line if len(line) <= limit else f"{line[: limit - 1]}…"

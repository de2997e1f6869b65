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
from azure.core.pipeline.policies import AsyncHTTPPolicy
from azure.core.rest import HttpRequest

from auditor import __version__
from auditor.sources.azure.batch_form import only_reads
from auditor.sources.azure.bearer import Bearer
from auditor.sources.azure.cloud import Options, in_domain, origin, scope
from auditor.sources.azure.retry import Retry
from auditor.sources.azure.throttle import REAL_TIME, Limits, Throttle, Time
from auditor.sources.azure.transport import NoAnswer, ReadBody, SharedTransport

_READING_POSTS: Final = re.compile(
    r"/providers/microsoft\.resourcegraph/resources"
    r"|/v1/workspaces/[0-9a-f-]{36}/query"
    r"|(/[\w.()-]+)+/providers/microsoft\.insights/logs",
    re.IGNORECASE,
)


_USER_AGENT: Final = f"azure-logging-auditor/{__version__}"


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


class Guard(AsyncHTTPPolicy[Any, Any]):
    """Refuses what does not read, and any host but those a token is for.

    It stands both first and last: last, so that whatever a retry or a challenge made of the request is seen as sent.
    """

    def __init__(self, allowed: Callable[[str], bool], *, batches: bool = False) -> None:
        super().__init__()
        self._allowed = allowed
        self._batches = batches

    async def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """Send on, or raise `Refused` for a request that must not leave."""
        http = request.http_request
        if not may_send(http.method, http.url) and not (
            self._batches and only_reads(http.method, http.url, http.content)
        ):
            raise Refused(f"{http.method} {urlsplit(http.url).path} would not be a read")
        if not http.url.lower().startswith("https://") or not self._allowed(http.url):
            raise Refused(f"{'://'.join(str(part) for part in origin(http.url)[:2])} is not a host to send a token to")
        return await self.next.send(request)


class Meter(AsyncHTTPPolicy[Any, Any]):
    """Counts what is sent and what is throttled; retries count too."""

    def __init__(self, counts: Counts) -> None:
        super().__init__()
        self._counts = counts

    async def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """Count a request, and an answer that says "too many"."""
        self._counts.requests += 1
        response = await self.next.send(request)
        self._counts.throttled += response.http_response.status_code == 429
        return response


class Pipelines:
    """The three ways out: Resource Manager, Graph and storage, each with a token for its own hosts alone.

    Each is as short as it can be, since it is walked for every resource: Microsoft's own list of policies costs as much
    time again as the request itself.
    """

    def __init__(
        self,
        options: Options,
        credential: Any,
        transport: SharedTransport,
        counts: Counts,
        time: Time = REAL_TIME,
    ) -> None:
        cloud = options.cloud
        limits = self.limits = Limits(options.concurrency, time)

        # A policy of the SDK knows its successor, so none may be in two pipelines: tokens would cross over.
        def build(audience: str, allowed: Callable[[str], bool], *, manager: bool = False) -> AsyncPipeline[Any, Any]:
            return AsyncPipeline(
                transport,
                [
                    Guard(allowed, batches=manager and options.arm_batch),
                    Retry(options, time),
                    Throttle(limits, options.retry_after_cap, manager=manager),
                    Bearer(credential, scope(audience)),
                    Guard(allowed, batches=manager and options.arm_batch),
                    Meter(counts),
                    ReadBody(),
                ],
            )

        self.resource_manager = build(cloud.resource_manager_audience, _at(cloud.resource_manager), manager=True)
        self.graph = build(cloud.graph_audience, _at(cloud.graph))
        self.storage = build(cloud.storage_audience, lambda url: in_domain(url, cloud.storage_domains))


def _at(place: str) -> Callable[[str], bool]:
    """Whether an address is at a place; most begin with it letter by letter, and need no taking apart."""
    start, wanted = f"{place}/", origin(place)
    return lambda url: url.startswith(start) or origin(url) == wanted


async def send(
    pipeline: AsyncPipeline[Any, Any],
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: Any = None,
    content: bytes | None = None,
) -> Answer:
    """One request and its answer; `NoAnswer` when none came, `Refused` when it must not be sent."""
    head = {"User-Agent": _USER_AGENT, "Accept-Encoding": "gzip", **(headers or {})}
    carried: dict[str, Any] = {} if body is None else {"json": body}
    if content is not None:
        head["Content-Type"], carried = "application/json", {"content": content}
    request = HttpRequest(method, url, headers=head, **carried)
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
    if isinstance(cause, aiohttp.ClientConnectorError) and isinstance(cause.os_error, ConnectionRefusedError):
        return "the host refused the connection"
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

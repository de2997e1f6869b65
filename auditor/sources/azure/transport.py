"""The wire: one session with one TLS context for everything, and answers read to their end but not beyond a bound."""

from __future__ import annotations

import ssl
import urllib.request
import zlib
from collections.abc import Mapping
from typing import Any, Final

import aiohttp
import msgspec
from azure.core.exceptions import (
    ServiceRequestError,
    ServiceRequestTimeoutError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncHTTPPolicy
from azure.core.pipeline.transport import AioHttpTransport

from auditor.errors import AuditorError
from auditor.sources.azure.cloud import Options, origin

MAX_BODY: Final = 64 * 2**20  # bytes, after decompression: no Azure answer of ours comes near


class NoAnswer(Exception):  # noqa: N818
    """A request that got no usable answer; the text says why in a few words."""


class ReadBody(AsyncHTTPPolicy[Any, Any]):
    """Reads an answer to its end, but not beyond `MAX_BODY`, inside the retry: a body cut short is asked for again."""

    async def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """Send, and leave the body under `body` in the context."""
        request.context.options["stream"] = True
        response = await self.next.send(request)
        http = response.http_response
        try:
            response.context["body"] = await _bounded(http.internal_response)
        except (aiohttp.ClientError, TimeoutError, zlib.error) as error:
            http.internal_response.close()
            raise ServiceResponseError(error, error=error) from error
        except BaseException:
            http.internal_response.close()  # the connection is in the middle of a body, and good for nothing else
            raise
        return response


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    """The decoded body; a small compressed one can unfold to any size, so the bound is on what comes out."""
    coding = response.headers.get("Content-Encoding", "").strip().lower()
    if coding not in ("", "identity", "gzip", "x-gzip", "deflate"):
        raise NoAnswer("the answer is compressed in an unknown way")
    decoder = None if coding in ("", "identity") else zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    pieces: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_chunked(2**16):
        if decoder is None:
            piece = chunk
        else:
            try:
                piece = decoder.decompress(chunk, MAX_BODY + 1 - size)
            except zlib.error:
                if pieces or coding != "deflate":
                    raise
                decoder = zlib.decompressobj(wbits=-zlib.MAX_WBITS)  # "deflate" is sent with and without its header
                piece = decoder.decompress(chunk, MAX_BODY + 1 - size)
        size += len(piece)
        if size > MAX_BODY:
            raise NoAnswer("the answer is too large")
        pieces.append(piece)
    if decoder is not None and pieces and not decoder.eof:
        raise zlib.error("the compressed answer is cut short")
    return b"".join(pieces)


class Raw(msgspec.Struct, frozen=True, kw_only=True):
    """An answer of which the body is still to be read; the names are those that the SDK's policies ask for."""

    status_code: int
    headers: Mapping[str, str]  # in any case
    internal_response: aiohttp.ClientResponse


class SharedTransport(AioHttpTransport):  # type: ignore[misc]
    """The SDK's transport over our session, so that sign-in and reads trust the same certificates and proxy."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._timeout = aiohttp.ClientTimeout(
            sock_connect=options["connection_timeout"], sock_read=options["read_timeout"]
        )
        self._proxies: dict[str, str | None] = {}  # by scheme and host: asking the environment costs as much as a read

    async def send(self, request: Any, **config: Any) -> Any:
        """Send one request, through the proxy that the environment names for its host."""
        place = "/".join(request.url.split("/", 3)[:3])
        if place not in self._proxies:
            self._proxies[place] = proxy_for(request.url)
        proxy = self._proxies[place]
        if config.get("stream"):
            return await self._read(request, proxy)
        if proxy and not config.get("proxy"):
            config["proxy"] = proxy
        return await super().send(request, **config)

    async def _read(self, request: Any, proxy: str | None) -> Raw:
        """Send a read, for `ReadBody` alone: the response that the SDK makes of each answer costs as much as half of
        the read, and nobody looks at it."""
        try:
            answer = await self.session.request(
                request.method,
                request.url,
                headers=dict(request.headers),
                data=request.content,
                timeout=self._timeout,
                allow_redirects=False,
                proxy=proxy,
                skip_auto_headers=() if request.content else ("Content-Type",),
            )
        except aiohttp.ClientResponseError as error:
            raise ServiceResponseError(error, error=error) from error
        except aiohttp.ConnectionTimeoutError as error:
            raise ServiceRequestTimeoutError(error, error=error) from error
        except TimeoutError as error:
            raise ServiceResponseTimeoutError(error, error=error) from error
        except aiohttp.ClientError as error:
            raise ServiceRequestError(error, error=error) from error
        return Raw(status_code=answer.status, headers=answer.headers, internal_response=answer)


def proxy_for(url: str) -> str | None:
    """The proxy that `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` give for an address."""
    scheme, host, _ = origin(url)
    # A managed identity's endpoint is on this machine's own link, where no proxy can reach.
    if not host or host == "169.254.169.254":
        return None
    proxies = urllib.request.getproxies()
    chosen = proxies.get(scheme) or proxies.get("all")
    return None if not chosen or urllib.request.proxy_bypass(host) else chosen


def open_transport(options: Options) -> SharedTransport:
    """One session for everything: one TLS context made now (so `SSL_CERT_FILE` set by now counts), no cookies."""
    context = ssl.create_default_context()
    if options.ca_file:
        try:
            context.load_verify_locations(options.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise AuditorError(
                f"{options.ca_file}: the certificates could not be read: {error}", "give a file of PEM certificates"
            ) from error
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=max(8, options.concurrency + 4), ssl=context),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,  # it would look into .netrc, in a thread, for every request
    )
    return SharedTransport(
        session=session,
        session_owner=False,
        use_env_settings=False,
        connection_timeout=options.connect_timeout,
        read_timeout=options.read_timeout,
    )

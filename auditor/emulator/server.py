"""The HTTPS server: which service a request is for, what is counted, and faults on demand."""

from __future__ import annotations

import asyncio
import gzip
import re
import ssl
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, Final

import msgspec
from aiohttp import web

from auditor.documents import normal_id
from auditor.emulator.answers import Answer, error
from auditor.emulator.arm import arm_answer
from auditor.emulator.batch import PATH as BATCH
from auditor.emulator.batch import batch_answer
from auditor.emulator.dataplane import place_of, storage_answer
from auditor.emulator.entra import Tokens, entra_answer, msgraph_answer
from auditor.emulator.estate import Estate
from auditor.emulator.limits import Gate, Limits, delays
from auditor.emulator.resource_graph import PATH as RESOURCE_GRAPH
from auditor.emulator.resource_graph import graph_answer

_MOST_BYTES: Final = 1024 * 1024  # of a request's body
_RESOURCE_MANAGER: Final = re.compile(r"/(subscriptions|tenants|providers)(/|$)", re.IGNORECASE)
_COMPRESS_FROM: Final = 4096  # bytes; below, packing costs more than it saves


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """What goes wrong with one request: first the delay, then the first of reset, hanging up, truncation, status.

    With none of them the request is answered as usual, only later. `truncate` promises the whole body, and sends half;
    `hang_up` closes the connection politely, but says nothing.
    """

    delay: float = 0.0  # seconds
    reset: bool = False
    hang_up: bool = False
    truncate: bool = False
    status: int | None = None
    body: bytes | str | dict[str, Any] = b""
    headers: dict[str, str] = {}


Faults = Callable[[str, str, int], Fault | None]
"""(method, path, how often these two were seen, from 1) → what goes wrong. Called in the server's thread."""


class Server:
    """One estate behind one socket, in a thread with its own event loop."""

    def __init__(
        self,
        estate: Estate,
        context: ssl.SSLContext,
        faults: Faults | None = None,
        limits: Limits | None = None,
        latency: float = 0,
    ) -> None:
        self.estate = estate
        self.requests: Counter[str] = Counter()  # "GET /subscriptions/*/locations" → how often
        self.batched: Counter[str] = Counter()  # likewise, of those that came in a batch
        self.writes: list[str] = []  # "PUT /…": whatever was refused for not being a read
        self.asked: Counter[str] = Counter()  # "GET /subscriptions?api-version=…" → how often; bodies are not looked at
        self._seen: Counter[tuple[str, str]] = Counter()
        self._tokens = Tokens(estate)
        self._context = context
        self._faults = faults
        self._gate = Gate(limits) if limits else None
        self._delay = delays(latency) if latency else None
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread: threading.Thread | None = None

    def start(self, host: str, port: int) -> int:
        """Listen, and give the port; OSError when that cannot be done."""
        bound: Future[int] = Future()
        self._thread = threading.Thread(
            target=lambda: self._loop.run_until_complete(self._run(host, port, bound)),
            name="azure-emulator",
            daemon=True,
        )
        self._thread.start()
        return bound.result()

    def stop(self) -> None:
        """Close every connection and end the thread."""
        if self._thread is not None:
            if self._thread.is_alive():
                self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(timeout=10)
        self._loop.close()

    async def _run(self, host: str, port: int, bound: Future[int]) -> None:
        listener = web.Server(self._handle, access_log=None, keepalive_timeout=75.0)
        runner = web.ServerRunner(listener, shutdown_timeout=0.5)
        try:
            await runner.setup()
            site = web.TCPSite(runner, host, port, ssl_context=self._context, backlog=512)
            await site.start()
            bound.set_result(runner.addresses[0][1])
        except BaseException as problem:
            bound.set_exception(problem)
            await runner.cleanup()
            return
        await self._stop.wait()
        for connection in listener.connections:  # idle ones would be waited for, for the end of their TLS sessions
            if connection.transport is not None:
                connection.transport.abort()
        await runner.cleanup()
        await asyncio.sleep(0)  # lets the aborted connections end before the loop does

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        # Some SDKs join an address that ends in a slash to a path that starts with one.
        path = re.sub(r"/{2,}", "/", request.path)
        self.requests[f"{request.method} {pattern_of(path)}"] += 1
        self.asked[f"{request.method} {request.path_qs}"] += 1
        self._seen[request.method, path] += 1
        fault = self._faults(request.method, path, self._seen[request.method, path]) if self._faults else None
        if fault is not None and fault.delay:
            await asyncio.sleep(fault.delay)
        if self._delay is not None:
            await asyncio.sleep(self._delay())
        if fault is not None and fault.reset:
            return _reset(request)
        if fault is not None and fault.hang_up:
            return _hung_up(request)
        if fault is not None and fault.status is not None:
            answer = _broken(fault)
        else:
            try:
                answer = self._limited(request, path, await _body(request))
            except web.HTTPRequestEntityTooLarge:
                answer = error(413, "RequestEntityTooLarge", f"The body is larger than {_MOST_BYTES} bytes.")
        if fault is not None and fault.truncate:
            return await _truncated(request, answer)
        return self._response(request, answer)

    def _limited(self, request: web.BaseRequest, path: str, body: bytes) -> Answer:
        if self._gate is None or not _RESOURCE_MANAGER.match(path):
            return self._answer(request, path, body)
        refusal, headers = self._gate.admit(path)
        answer = refusal or self._answer(request, path, body)
        return msgspec.structs.replace(answer, headers={**answer.headers, **headers})

    def _answer(self, request: web.BaseRequest, path: str, body: bytes) -> Answer:
        host = request.headers.get("Host", "")
        authorization = request.headers.get("Authorization")
        signing_in = entra_answer(self.estate, self._tokens, request.method, path, request.query, body, host)
        if signing_in is not None:
            return signing_in
        is_query = request.method == "POST" and normal_id(path) == RESOURCE_GRAPH
        is_batch = request.method == "POST" and normal_id(path) == BATCH
        if request.method != "GET" and not is_query and not is_batch:
            self.writes.append(f"{request.method} {path}")
            message = f"The requested resource does not support http method '{request.method}'."
            return error(405, "HttpMethodNotAllowed", message, headers={"Allow": "GET"})
        place = place_of(path, host)
        if place is not None:
            return storage_answer(self.estate, self._tokens, place, request.query, request.headers, host)
        if path.lower().startswith("/v1.0/"):
            return msgraph_answer(self.estate, self._tokens, authorization, path, host)
        problem = self._tokens.problem(authorization, "arm")
        if problem:
            return _unauthenticated(self.estate, problem, host)
        if is_query:
            return graph_answer(self.estate, body, request.query, host)
        if is_batch:
            return batch_answer(body, partial(self._one_of_batch, host))
        return arm_answer(self.estate, path.rstrip("/") or "/", request.query, host)

    def _one_of_batch(self, host: str, method: str, path: str, query: dict[str, str]) -> Answer:
        """A request in a batch is counted, limited and refused as one that comes by itself."""
        if method != "GET" or not _RESOURCE_MANAGER.match(path):
            self.writes.append(f"{method} {path}")
            return error(
                405, "HttpMethodNotAllowed", f"The requested resource does not support http method '{method}'."
            )
        self.batched[f"{method} {pattern_of(path)}"] += 1
        self._seen[method, path] += 1
        fault = self._faults(method, path, self._seen[method, path]) if self._faults else None
        if fault is not None and (fault.reset or fault.hang_up or fault.truncate):
            return error(502, "BadGateway", "The service broke the connection off.")
        if fault is not None and fault.status is not None:
            return _broken(fault)
        refusal, headers = self._gate.admit(path) if self._gate is not None else (None, {})
        answer = refusal or arm_answer(self.estate, path.rstrip("/") or "/", query, host)
        return msgspec.structs.replace(answer, headers={**answer.headers, **headers})

    def _response(self, request: web.BaseRequest, answer: Answer) -> web.Response:
        headers = {
            **answer.headers,
            "Content-Type": answer.content_type,
            "x-ms-request-id": f"00000000-0000-4000-8000-{self.requests.total():012x}",
        }
        body = answer.body
        # Never deflate: azure-core takes it for the raw kind and fails on the wrapped one that servers send.
        if len(body) >= _COMPRESS_FROM and "gzip" in request.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, 1, mtime=0)
            headers["Content-Encoding"] = "gzip"
        return web.Response(status=answer.status, body=body, headers=headers)


async def _body(request: web.BaseRequest) -> bytes:
    return await request.read() if request.can_read_body else b""


def _reset(request: web.BaseRequest) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()  # goes nowhere: the connection is gone


def _hung_up(request: web.BaseRequest) -> web.Response:
    if request.transport is not None:
        request.transport.close()
    return web.Response()


def _broken(fault: Fault) -> Answer:
    body = msgspec.json.encode(fault.body) if isinstance(fault.body, dict) else fault.body
    return Answer(
        status=fault.status or 500,
        body=body.encode() if isinstance(body, str) else body,
        headers={k: v for k, v in fault.headers.items() if k.lower() != "content-type"},
        content_type=next(
            (v for k, v in fault.headers.items() if k.lower() == "content-type"), "application/json; charset=utf-8"
        ),
    )


async def _truncated(request: web.BaseRequest, answer: Answer) -> web.StreamResponse:
    headers = {**answer.headers, "Content-Type": answer.content_type, "Content-Length": str(len(answer.body))}
    response = web.StreamResponse(status=answer.status, headers=headers)
    await response.prepare(request)
    await response.write(answer.body[: len(answer.body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response


_PROBLEMS: Final = {
    "missing": ("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing."),
    "invalid": ("InvalidAuthenticationToken", "The access token is invalid."),
    "expired": ("ExpiredAuthenticationToken", "The access token expiry UTC time is in the past."),
    "audience": (
        "InvalidAuthenticationTokenAudience",
        "The access token has been obtained for wrong audience or resource. It should exactly match with one of the "
        "allowed audiences 'https://management.core.windows.net/','https://management.core.windows.net',"
        "'https://management.azure.com/','https://management.azure.com'.",
    ),
}


def _unauthenticated(estate: Estate, problem: str, host: str) -> Answer:
    code, message = _PROBLEMS[problem]
    challenge = f'Bearer authorization_uri="https://{host}/{estate.tenant.id}", error="invalid_token"'
    return error(401, code, message, headers={"WWW-Authenticate": f'{challenge}, error_description="{message}"'})


def pattern_of(path: str) -> str:
    """A path with `*` for names, in lower case: what requests are counted by."""
    parts = path.lower().strip("/").split("/")
    if parts[0] == "$storage":
        return "/" + "/".join(["$storage", "*", *parts[2:]])
    if parts[0] in ("v1.0", "common"):
        return "/" + "/".join(parts)
    if parts[0] not in ("subscriptions", "providers", "tenants") and len(parts) > 1:
        return "/" + "/".join(["*", *parts[1:]])  # the tenant, of a sign-in address
    shown, at = [], 0
    while at < len(parts):
        if parts[at] == "providers" and at + 1 < len(parts):
            shown += parts[at : at + 2]  # `providers/Microsoft.X`: the name is part of the kind
            at += 2
            continue
        shown.append(parts[at])
        if at + 1 < len(parts):
            shown.append("*")
        at += 2
    return "/" + "/".join(shown)

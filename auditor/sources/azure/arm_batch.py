"""Resource Manager's batch endpoint: up to twenty reads in one request.

The portal uses it; Microsoft does not document it, and may change it on any day. So it is off unless asked for, carries
only log settings and categories, and is never believed in doubt: an answer in it that is not a plain one is asked for
again by itself, and an endpoint that is refused or odd is not used any more. Each read in it takes its turn at the
bucket of its subscription, as if it went alone.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from auditor.sources.azure.batch_form import API_VERSION, MOST, PATH, batch_of, fits
from auditor.sources.azure.buckets import bucket_of
from auditor.sources.azure.cloud import Options
from auditor.sources.azure.pipeline import Answer, Pipelines, Refused, send
from auditor.sources.azure.refusals import problem_of
from auditor.sources.azure.throttle import learn
from auditor.sources.azure.transport import NoAnswer

_LINGER: Final = 0.1  # seconds that a read waits for others to go with
_VAIN: Final = 3  # batches in a row without one usable answer, after which there are no more
# Refusals that are believed. That something is not there is a strong word, and a sign-in or a limit may pass.
_BELIEVED: Final = frozenset({400, 403, 405, 409})


class _Item(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    name: str
    http_status_code: int
    headers: dict[str, Any] | None = None
    content: msgspec.Raw = msgspec.Raw(b"")


class _Batch(msgspec.Struct, frozen=True, kw_only=True):
    responses: list[msgspec.Raw]


class Batcher:
    """Gathers reads that are under way at the same time, and sends them together."""

    def __init__(self, options: Options, pipelines: Pipelines, tell: Callable[[str], None]) -> None:
        self._place = options.cloud.resource_manager
        self._cap = options.retry_after_cap
        self._pipelines = pipelines
        self._tell = tell
        self._waiting: dict[str, tuple[str, asyncio.Future[Answer | None]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._sent = 0
        self._vain = 0
        self._off = False

    async def answer(self, url: str) -> Answer | None:
        """The answer to a GET; None if it has to be asked for by itself."""
        relative = url.removeprefix(self._place)
        if self._off or not fits(relative):
            return None
        limits = self._pipelines.limits
        bucket = await limits.turn(bucket_of(url))
        if self._off:
            return None
        bucket.send()
        try:
            answer = await self._joined(relative)
        finally:
            bucket.under_way -= 1
        if answer is not None:
            learn(bucket, answer.status, answer.headers, limits.time, self._cap)
        return answer if answer is not None and _is_plain(answer) else None

    async def _joined(self, relative: str) -> Answer | None:
        self._sent += 1
        future: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        name = str(uuid.UUID(int=self._sent))
        self._waiting[name] = (relative, future)
        if len(self._waiting) >= MOST:
            self._start(self._send(self._taken()))
        elif len(self._waiting) == 1:
            self._start(self._linger(name))
        try:
            return await future
        except asyncio.CancelledError:  # the run ends
            for task in self._tasks:
                task.cancel()
            raise

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _taken(self) -> dict[str, tuple[str, asyncio.Future[Answer | None]]]:
        taken, self._waiting = self._waiting, {}
        return taken

    async def _linger(self, first: str) -> None:
        """Send what has come together since the first of it, however few."""
        await self._pipelines.limits.time.sleep(_LINGER)
        if first in self._waiting:
            await self._send(self._taken())

    async def _send(self, taken: Mapping[str, tuple[str, asyncio.Future[Answer | None]]]) -> None:
        answers: Mapping[str, Answer] = {}
        try:
            if not self._off:
                answers = await self._ask({name: relative for name, (relative, _) in taken.items()})
        finally:  # whatever happens, nobody waits for ever
            for name, (_, future) in taken.items():
                if not future.done():
                    future.set_result(answers.get(name))

    async def _ask(self, reads: Mapping[str, str]) -> Mapping[str, Answer]:
        url = f"{self._place}{PATH}?api-version={API_VERSION}"
        try:
            came = await send(self._pipelines.resource_manager, "POST", url, content=batch_of(reads))
        except (NoAnswer, Refused) as error:
            self._stop(str(error))
            return {}
        if came.status != 200:
            self._stop(f"HTTP {came.status} {problem_of(came).code}".strip())
            return {}
        answers = _answers(came, reads)
        self._vain = 0 if any(map(_is_plain, answers.values())) else self._vain + 1
        if self._vain >= _VAIN:
            self._stop("its answers could not be used")
        return answers

    def _stop(self, why: str) -> None:
        if not self._off:
            self._off = True
            self._tell(f"Resource Manager's batch endpoint is not used any more ({why}): each read goes by itself")


def _answers(came: Answer, reads: Mapping[str, str]) -> dict[str, Answer]:
    """What can be told apart in a batch's answer; an answer that comes twice is none."""
    try:
        told = msgspec.json.decode(came.body.removeprefix(b"\xef\xbb\xbf"), type=_Batch).responses
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    found: dict[str, Answer] = {}
    odd = set[str]()
    for one in told:
        try:
            item = msgspec.json.decode(one, type=_Item)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        name = item.name.lower()
        if name not in reads or name in found:
            odd.add(name)
            continue
        headers = {key.lower(): value for key, value in (item.headers or {}).items() if isinstance(value, str)}
        found[name] = Answer(status=item.http_status_code, headers=headers, body=bytes(item.content))
    return {name: answer for name, answer in found.items() if name not in odd}


def _is_plain(answer: Answer) -> bool:
    """Whether an answer needs no second asking: a JSON object, and with a refusal Azure's own name for it."""
    if not answer.body.startswith(b"{"):
        return False
    return answer.status == 200 or (answer.status in _BELIEVED and bool(problem_of(answer).code))

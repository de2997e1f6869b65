"""Resource Manager's batch endpoint, which Microsoft does not document: several requests in one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from auditor.emulator.answers import Answer, error, ok

PATH: Final = "/batch"
_AT_ONCE: Final = 20  # with more than these the real one answers later, at another address
One = Callable[[str, str, dict[str, str]], Answer]
"""(method, path, query) → the answer of one request."""


def batch_answer(body: bytes, one: One) -> Answer:
    """The answers to the requests in a batch, each as `one` has it."""
    try:
        told = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        told = None
    requests = told.get("requests") if isinstance(told, dict) else None
    if not isinstance(requests, list) or not requests or not all(isinstance(each, dict) for each in requests):
        return error(400, "InvalidRequestContent", "The request content was invalid and could not be deserialized.")
    if len(requests) > _AT_ONCE:
        return Answer(status=202, headers={"Retry-After": "1", "Location": "https://management.azure.com/batch/later"})
    return ok({"responses": list(_answers(requests, one))})


def _answers(requests: list[dict[str, Any]], one: One) -> Iterator[dict[str, Any]]:
    for number, each in enumerate(requests):
        split = urlsplit(str(each.get("relativeUrl") or each.get("url") or ""))
        answer = one(str(each.get("httpMethod") or ""), unquote(split.path), dict(parse_qsl(split.query)))
        yield {
            "name": str(each.get("name") or number),
            "httpStatusCode": answer.status,
            "headers": {"Content-Type": answer.content_type, **answer.headers},
            "content": _content(answer.body),
            "contentLength": len(answer.body),
        }


def _content(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body.decode(errors="replace")

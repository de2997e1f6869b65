"""The data plane of storage accounts: the service properties of blob, queue, table and file, with classic logging."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from xml.sax.saxutils import escape

from auditor.documents import marker, normal_id, storage_analytics_id, storage_services
from auditor.emulator.answers import Answer
from auditor.emulator.entra import STORAGE_HOST_KINDS, Tokens
from auditor.emulator.estate import Estate

_HOST = re.compile(rf"([a-z0-9]{{3,24}})\.({'|'.join(STORAGE_HOST_KINDS)})\.core\.windows\.net")
_PATH = re.compile(rf"/\$storage/([^/]+)/({'|'.join(STORAGE_HOST_KINDS)})(/.*)?", re.IGNORECASE)
# The first service versions that take an OAuth token.
_OAUTH_SINCE: Final = {"table": "2020-12-06"}
_OAUTH_SINCE_ELSEWHERE: Final = "2017-11-09"

_MESSAGES: Final = {
    "AuthorizationFailure": "This request is not authorized to perform this operation.",
    "AuthorizationPermissionMismatch": (
        "This request is not authorized to perform this operation using this permission."
    ),
    "KeyBasedAuthenticationNotPermitted": "Key based authentication is not permitted on this storage account.",
    "InvalidQueryParameterValue": "Value for one of the query parameters specified in the request URI is invalid.",
    "FeatureNotSupportedForAccount": "This feature is not supported for this account.",
    "ServerBusy": "The server is busy.",
}


def place_of(path: str, host: str) -> tuple[str, str, str] | None:
    """(account, service, rest of the path) of a data-plane request, told by its host name or by our own path."""
    by_host = _HOST.fullmatch(host.partition(":")[0].lower())
    if by_host:
        return by_host.group(1), by_host.group(2), path
    by_path = _PATH.fullmatch(path)
    return (by_path.group(1).lower(), by_path.group(2).lower(), by_path.group(3) or "/") if by_path else None


def storage_answer(
    estate: Estate,
    tokens: Tokens,
    place: tuple[str, str, str],
    query: Mapping[str, str],
    headers: Mapping[str, str],
    host: str,
) -> Answer:
    """The answer to a GET on a storage account's data plane."""
    account_name, service, rest = place
    account = estate.accounts.get(account_name)
    if account is None or service not in _services(account):
        return _error(404, "ResourceNotFound", "The specified resource does not exist.")
    problem = tokens.problem(headers.get("Authorization"), "storage")
    if problem:
        return _unauthenticated(estate, problem, host)
    version = headers.get("x-ms-version", "")
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", version):
        return _error(400, "MissingRequiredHeader", "A mandatory HTTP header is not specified.")
    if version < _OAUTH_SINCE.get(service, _OAUTH_SINCE_ELSEWHERE):
        return _error(403, "AuthenticationFailed", "Server failed to authenticate the request.")
    document = estate.by_id.get(normal_id(storage_analytics_id(account["id"], service))) if service != "dfs" else None
    mark = marker(document) if document else None
    if document is not None and mark is not None:
        return _marked(document[mark])
    properties = (query.get("restype"), query.get("comp")) == ("service", "properties") and rest == "/"
    if not properties or service == "dfs":  # a Reader has no data roles, so nothing else is open to it
        return _error(403, "AuthorizationPermissionMismatch", _MESSAGES["AuthorizationPermissionMismatch"])
    sku = account.get("sku")
    premium = isinstance(sku, dict) and str(sku.get("name", "")).lower().startswith("premium")
    if premium and str(account.get("kind") or "").lower() in ("storage", "storagev2"):  # page blobs only
        return _error(400, "InvalidQueryParameterValue", _MESSAGES["InvalidQueryParameterValue"])
    inner = (document or {}).get("properties")
    logging = inner.get("logging") if isinstance(inner, dict) else None
    return _xml(200, _properties(service, logging if isinstance(logging, dict) else {}))


def _services(account: Mapping[str, Any]) -> set[str]:
    found = set(storage_services(account))
    return found | {"dfs"} if "blob" in found else found


def _properties(service: str, logging: Mapping[str, Any]) -> str:
    off = "<Enabled>false</Enabled>"
    metrics = f"<Version>1.0</Version>{off}<RetentionPolicy>{off}</RetentionPolicy>"
    rest = f"<HourMetrics>{metrics}</HourMetrics><MinuteMetrics>{metrics}</MinuteMetrics><Cors />"
    if service != "file":  # files have no classic logging
        rest = f"<Logging>{_logging(logging)}</Logging>{rest}"
    return f"<StorageServiceProperties>{rest}</StorageServiceProperties>"


def _logging(logging: Mapping[str, Any]) -> str:
    policy = logging.get("retentionPolicy")
    policy = policy if isinstance(policy, dict) else {}
    enabled = policy.get("enabled") is True
    days = f"<Days>{escape(str(policy.get('days')))}</Days>" if enabled and policy.get("days") is not None else ""
    switches = "".join(
        f"<{name}>{'true' if logging.get(name.lower()) is True else 'false'}</{name}>"
        for name in ("Read", "Write", "Delete")
    )
    version = escape(str(logging.get("version") or "1.0"))
    return (
        f"<Version>{version}</Version>{switches}"
        f"<RetentionPolicy><Enabled>{'true' if enabled else 'false'}</Enabled>{days}</RetentionPolicy>"
    )


def _marked(detail: Mapping[str, Any]) -> Answer:
    status = detail.get("status")
    status = status if isinstance(status, int) and 400 <= status <= 599 else 403
    fallback = {403: "AuthorizationFailure", 400: "InvalidQueryParameterValue", 503: "ServerBusy"}
    code = str(detail.get("code") or fallback.get(status, "ResourceNotFound"))
    return _error(status, code, _MESSAGES.get(code) or str(detail.get("reason") or "The request failed."))


def _unauthenticated(estate: Estate, problem: str, host: str) -> Answer:
    challenge = f"Bearer authorization_uri=https://{host}/{estate.tenant.id}/oauth2/authorize "
    headers = {"WWW-Authenticate": f"{challenge}resource_id=https://storage.azure.com"}
    if problem == "missing":
        return _error(
            401, "NoAuthenticationInformation", "Server failed to authenticate the request. Please refer to the "
            "information in the www-authenticate header.", headers,
        )  # fmt: skip
    why = {"audience": "Audience validation failed.", "expired": "Lifetime validation failed. The token is expired."}
    text = why.get(problem, "Signature validation failed.")
    return _error(401, "InvalidAuthenticationInfo", f"Server failed to authenticate the request. {text}", headers)


def _error(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    body = f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
    return _xml(status, body, {"x-ms-error-code": code, **(headers or {})})


def _xml(status: int, body: str, headers: Mapping[str, str] | None = None) -> Answer:
    # Storage starts its XML with a byte order mark.
    text = f'\ufeff<?xml version="1.0" encoding="utf-8"?>{body}'
    return Answer(status=status, body=text.encode(), content_type="application/xml", headers=headers or {})

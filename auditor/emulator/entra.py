"""Microsoft Entra ID and Microsoft Graph: signing in, tokens, and the two Graph reads an audit makes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from typing import Any, Final, Literal
from urllib.parse import parse_qs, urlsplit

import msgspec

from auditor.documents import SUBSCRIBED_SKUS, marker
from auditor.emulator.answers import Answer, error, ok
from auditor.emulator.estate import Estate

Audience = Literal["arm", "graph", "storage"]

_LIFETIME: Final = 3599  # seconds, as Entra gives applications
_AUDIENCES: Final[dict[str, Audience]] = {
    "https://management.azure.com": "arm",
    "https://management.core.windows.net": "arm",
    "797f4846-ba00-4fd7-ba43-dac1f8f63013": "arm",
    "https://graph.microsoft.com": "graph",
    "00000003-0000-0000-c000-000000000000": "graph",
    "https://storage.azure.com": "storage",
}
STORAGE_HOST_KINDS: Final = ("blob", "queue", "table", "file", "dfs")


class Tokens:
    """Issues tokens, and takes none but its own: they end with the emulator."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._key = secrets.token_bytes(32)
        self._known: dict[str, tuple[Audience, float]] = {}  # token → what it is for, and when it ends

    def issue(self, resource: str, audience: Audience, issuer: str) -> str:
        """A signed token for one resource."""
        now, who = int(time.time()), self._estate.principal
        claims = {
            "aud": resource,
            "iss": f"{issuer}/{self._estate.tenant.id}/",
            "iat": now,
            "nbf": now,
            "exp": now + _LIFETIME,
            "appid": who.app_id,
            "appidacr": "1",
            "app_displayname": who.name,
            "idtyp": "app",
            "oid": who.object_id,
            "sub": who.object_id,
            "tid": self._estate.tenant.id,
            "ver": "1.0",
        }
        head = _part(msgspec.json.encode({"typ": "JWT", "alg": "HS256"}))
        signed = f"{head}.{_part(msgspec.json.encode(claims))}"
        token = f"{signed}.{self._sign(signed)}"
        self._known[token] = (audience, now + _LIFETIME)
        return token

    def _sign(self, text: str) -> str:
        return _part(hmac.new(self._key, text.encode(), hashlib.sha256).digest())

    def problem(self, authorization: str | None, wanted: Audience) -> str:
        """Why a request is not let in: `missing`, `invalid`, `expired`, `audience`; empty for a good token."""
        if not authorization:
            return "missing"
        scheme, _, token = authorization.partition(" ")
        known = self._known.get(token.strip()) if scheme.lower() == "bearer" else None
        if known is None:
            return "invalid"
        audience, ends = known
        if time.time() >= ends:
            return "expired"
        return "" if audience == wanted else "audience"


def _part(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def audience_of(resource: str) -> Audience | None:
    """Which service a token for this resource is for."""
    known = _AUDIENCES.get(resource.rstrip("/").lower())
    if known:
        return known
    host = (urlsplit(resource).hostname or "").lower()
    kind = host.partition(".")[2]
    return "storage" if kind.endswith(".core.windows.net") and kind.split(".")[0] in STORAGE_HOST_KINDS else None


def entra_answer(
    estate: Estate, tokens: Tokens, method: str, path: str, query: Mapping[str, str], body: bytes, host: str
) -> Answer | None:
    """The answer of the sign-in service; None for a path that is not its own."""
    lower = path.lower().rstrip("/")
    if lower == "/common/discovery/instance":
        return _instance(host)
    tenant, _, rest = path.strip("/").partition("/")
    rest = rest.lower().rstrip("/")
    if rest not in ("v2.0/.well-known/openid-configuration", "oauth2/v2.0/token"):
        return None
    if tenant.lower() not in {estate.tenant.id.lower(), estate.tenant.default_domain.lower()} - {""}:
        return _refusal(
            400,
            "invalid_request",
            90002,
            f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the "
            "correct cloud. Check with your subscription administrator, this may happen if there are no active "
            "subscriptions for the tenant.",
        )
    if rest == "oauth2/v2.0/token":
        return _token(estate, tokens, method, body, host)
    base = f"https://{host}/{estate.tenant.id}"
    return ok(
        {
            "issuer": f"{base}/v2.0",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
            "response_types_supported": ["code"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid"],
        }
    )


def _instance(host: str) -> Answer:
    aliases = [host, "login.microsoftonline.com", "login.windows.net"]
    return ok(
        {
            "tenant_discovery_endpoint": f"https://{host}/common/v2.0/.well-known/openid-configuration",
            "api-version": "1.1",
            "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": aliases}],
        }
    )


def _token(estate: Estate, tokens: Tokens, method: str, body: bytes, host: str) -> Answer:
    if method != "POST":
        return _refusal(405, "invalid_request", 900561, "The endpoint only accepts POST requests.")
    try:
        form = {key: values[0] for key, values in parse_qs(body.decode(), max_num_fields=50).items()}
    except ValueError:
        return _refusal(400, "invalid_request", 900144, "The request body is not a form.")
    if form.get("grant_type") != "client_credentials":
        return _refusal(
            400, "unsupported_grant_type", 70003, f"The grant type '{form.get('grant_type', '')}' is not supported."
        )
    if form.get("client_id", "").lower() != estate.principal.app_id.lower():
        return _refusal(
            400,
            "unauthorized_client",
            700016,
            f"Application with identifier '{form.get('client_id', '')}' was not found in the directory "
            f"'{estate.tenant.display_name or estate.tenant.id}'.",
        )
    if not (form.get("client_secret") or form.get("client_assertion")):
        return _refusal(
            401,
            "invalid_client",
            7000216,
            "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.",
        )
    scope = form.get("scope", "").split(" ")[0]
    resource = scope.removesuffix("/.default")
    audience = audience_of(resource) if resource != scope else None
    if audience is None:
        return _refusal(
            400,
            "invalid_resource" if resource != scope else "invalid_scope",
            500011 if resource != scope else 1002012,
            f"The resource principal named {resource} was not found in the tenant named "
            f"{estate.tenant.display_name or estate.tenant.id}.",
        )
    token = tokens.issue(resource, audience, f"https://{host}")
    return ok(
        {"token_type": "Bearer", "expires_in": _LIFETIME, "ext_expires_in": _LIFETIME, "access_token": token},
        {"Cache-Control": "no-store", "Pragma": "no-cache"},
    )


def _refusal(status: int, name: str, number: int, text: str) -> Answer:
    body = {
        "error": name,
        "error_description": f"AADSTS{number}: {text}",
        "error_codes": [number],
        "timestamp": time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime()),
        "trace_id": "00000000-0000-0000-0000-000000000000",
        "correlation_id": "00000000-0000-0000-0000-000000000000",
    }
    return Answer(status=status, body=msgspec.json.encode(body))


_GRAPH_PROBLEMS: Final = {
    "missing": "Access token is empty.",
    "invalid": "CompactToken validation failed with reason code: 80049228.",
    "expired": "Lifetime validation failed, the token is expired.",
    "audience": "Access token validation failure. Invalid audience.",
}


def msgraph_answer(estate: Estate, tokens: Tokens, authorization: str | None, path: str, host: str) -> Answer:
    """The answer of Microsoft Graph to a GET."""
    problem = tokens.problem(authorization, "graph")
    if problem:
        headers = {"WWW-Authenticate": f'Bearer realm="", authorization_uri="https://{host}/common/oauth2/authorize"'}
        return error(401, "InvalidAuthenticationToken", _GRAPH_PROBLEMS[problem], headers=headers)
    what = path.rstrip("/").lower().removeprefix("/v1.0/")
    context = f"https://{host}/v1.0/$metadata#"
    if what == "subscribedskus":
        document = estate.by_id.get(f"/providers/{SUBSCRIBED_SKUS.lower()}")
        if document is not None and marker(document) is not None:
            return _graph_refusal(document)
        value = list(document["value"]) if document and isinstance(document.get("value"), list) else []
        return ok({"@odata.context": f"{context}subscribedSkus", "value": value})
    if what == "organization":
        tenant = estate.tenant
        domains = [{"name": tenant.default_domain, "isDefault": True, "isInitial": False, "type": "Managed"}]
        entry: dict[str, Any] = {
            "id": tenant.id,
            "displayName": tenant.display_name,
            "tenantType": "AAD",
            "verifiedDomains": domains if tenant.default_domain else [],
        }
        return ok({"@odata.context": f"{context}organization", "value": [entry]})
    segment = what.partition("/")[0]
    return error(400, "BadRequest", f"Resource not found for the segment '{segment}'.")


def _graph_refusal(document: dict[str, Any]) -> Answer:
    detail = document[str(marker(document))]
    status = detail.get("status")
    if not isinstance(status, int) or status == 403:
        code = str(detail.get("code") or "Authorization_RequestDenied")
        return error(403, code, "Insufficient privileges to complete the operation.")
    headers = {"Retry-After": "1"} if status in (429, 503) else {}
    return error(status, str(detail.get("code") or "UnknownError"), str(detail.get("reason") or ""), headers=headers)

"""Signing in: a credential for each way of doing it, and what its token says about who we are."""

from __future__ import annotations

import asyncio
import base64
import logging
import os
import re
import sys
import time
from collections.abc import Callable
from typing import Any, Final

import msgspec
from azure.core.credentials import AccessToken
from azure.core.exceptions import AzureError, ClientAuthenticationError

from auditor.errors import AuditorError, IdentityError
from auditor.sources.azure.cloud import AUTH_METHODS, PUBLIC, Options, scope
from auditor.sources.azure.pipeline import short

_RENEW_BEFORE: Final = 300  # seconds before its end that a token is asked for anew
_ATTEMPT = re.compile(r"^\s*(\w+Credential): (.*)$")
_WHERE_TO_READ_ON = re.compile(r"\s*(?:To mitigate this issue|Visit https://aka\.ms|See https://aka\.ms).*", re.DOTALL)
TRUST_HINT: Final = "set SSL_CERT_FILE to a file with the certificate authority of the proxy in between"

# Only errors: what failed is told by us, once, where it matters.
logging.getLogger("azure.identity").addHandler(logging.NullHandler())


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who the token says we are; every field is empty for a token that cannot be looked into."""

    tenant: str = ""
    principal: str = ""  # for people: name and id
    assignee: str = ""  # what `az role assignment create --assignee` takes
    application: str = ""  # id of the application, for a service principal
    object_id: str = ""
    managed: bool = False  # a managed identity: an application without a registration of its own


class Credential:
    """Hands out tokens: keeps them while they last, and remembers a refusal so that it is asked for once.

    Many reads share one audience; without the memory each of them would start the command-line tools again.
    """

    def __init__(self, inner: Any, tenant: str | None = None) -> None:
        self._inner = inner
        self._tenant = {"tenant_id": tenant} if tenant else {}
        self._tokens: dict[tuple[str, ...], AccessToken] = {}
        self._refused: dict[tuple[str, ...], AzureError] = {}

    async def get_token(self, *scopes: str, claims: str | None = None, **_: Any) -> AccessToken:
        """A token for these scopes; raises what the inner credential raised."""
        if claims is None and scopes in self._refused:
            raise self._refused[scopes]
        held = self._tokens.get(scopes)
        if claims is None and held is not None and held.expires_on - time.time() > _RENEW_BEFORE:
            return held
        try:
            asked = {**self._tenant, "claims": claims} if claims else self._tenant
            token: AccessToken = await self._inner.get_token(*scopes, **asked)
        except AzureError as error:
            if held is None:
                self._refused[scopes] = error
            raise
        except Exception as error:  # credentials run other programs and parse their output: anything may surface
            refusal = ClientAuthenticationError(message=short(error))
            if held is None:
                self._refused[scopes] = refusal
            raise refusal from error
        self._tokens[scopes] = token
        return token

    async def close(self) -> None:
        """Close what the inner credential holds open."""
        await self._inner.close()


class InThread:
    """A credential of the blocking kind (those that wait for a person), used without blocking."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """A token for these scopes."""
        token: AccessToken = await asyncio.to_thread(self._inner.get_token, *scopes, **options)
        return token

    async def close(self) -> None:
        """Close what the inner credential holds open."""
        await asyncio.to_thread(self._inner.close)


def open_credential(options: Options, transport: Any) -> Credential:
    """The credential that `--auth` names; nothing is sent yet."""
    if options.auth not in AUTH_METHODS:
        raise AuditorError(f"unknown way to sign in: {options.auth!r}", f"one of {', '.join(AUTH_METHODS)}")
    try:
        inner = _build(options, transport)
        return Credential(inner, options.tenant)
    except ValueError as error:
        raise IdentityError(f"no Azure identity is usable: {short(error)}", login_hint(options)) from error


def _build(options: Options, transport: Any) -> Any:
    from azure.identity import DeviceCodeCredential, InteractiveBrowserCredential, aio

    common: dict[str, Any] = {"authority": authority_of(options), "additionally_allowed_tenants": ["*"]}
    silent = {**common, "transport": transport, "retry_backoff_factor": options.retry_backoff}
    asking = {**common, "tenant_id": options.tenant}
    if options.ca_file:
        asking["connection_verify"] = options.ca_file
    client_id = options.client_id or os.environ.get("AZURE_CLIENT_ID")
    builders: dict[str, Callable[[], Any]] = {
        "auto": lambda: aio.DefaultAzureCredential(**silent),
        "cli": aio.AzureCliCredential,
        "powershell": aio.AzurePowerShellCredential,
        "azd": aio.AzureDeveloperCliCredential,
        "environment": lambda: aio.EnvironmentCredential(**silent),
        "client-secret": lambda: aio.ClientSecretCredential(
            *_needed(
                AZURE_TENANT_ID=options.tenant, AZURE_CLIENT_ID=client_id, AZURE_CLIENT_SECRET=options.client_secret
            ),
            **silent,
        ),
        "client-certificate": lambda: aio.CertificateCredential(
            *_needed(AZURE_TENANT_ID=options.tenant, AZURE_CLIENT_ID=client_id, AZURE_CLIENT_CERTIFICATE_PATH=None),
            password=os.environ.get("AZURE_CLIENT_CERTIFICATE_PASSWORD"),
            **silent,
        ),
        "managed-identity": lambda: aio.ManagedIdentityCredential(client_id=client_id, transport=transport),
        "workload-identity": lambda: aio.WorkloadIdentityCredential(**silent),
        "device-code": lambda: InThread(DeviceCodeCredential(prompt_callback=_prompt, **asking)),
        "browser": lambda: InThread(InteractiveBrowserCredential(**asking)),
    }
    return builders[options.auth]()


def authority_of(options: Options) -> str:
    """Where signing in happens: AZURE_AUTHORITY_HOST counts unless another cloud was chosen on the command line."""
    chosen = options.cloud.authority
    return os.environ.get("AZURE_AUTHORITY_HOST", chosen) if options.cloud == PUBLIC else chosen


def _needed(**given: str | None) -> list[str]:
    """Values as given, else from the environment variables they are named after."""
    values = {name: value or os.environ.get(name, "") for name, value in given.items()}
    missing = [name for name, value in values.items() if not value]
    if missing:
        raise ValueError(f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set")
    return list(values.values())


def _prompt(address: str, code: str, _: Any) -> None:
    sys.stderr.write(f"To sign in, open {short(address)} and enter the code {short(code)}\n")


async def sign_in(credential: Credential, options: Options) -> Identity:
    """Get the first token, so that a missing identity ends the run before it starts."""
    try:
        token = await credential.get_token(scope(options.cloud.resource_manager_audience))
    except AzureError as error:
        said = explain(error)
        hint = TRUST_HINT if "certificate" in said.lower() and "verify" in said.lower() else login_hint(options)
        raise IdentityError(f"no Azure identity is usable: {said}", hint) from error
    identity = identity_of(token.token)
    wanted = (options.tenant or "").lower()
    if re.fullmatch(r"[0-9a-f-]{36}", wanted) and identity.tenant not in ("", wanted):
        raise IdentityError(
            f"the identity in use belongs to tenant {identity.tenant}, not to {wanted}", login_hint(options)
        )
    return identity


def explain(error: AzureError) -> str:
    """What each part of the chain said, one line each."""
    lines = str(error.message).splitlines()
    attempts = [(found[1], found[2]) for line in lines if (found := _ATTEMPT.match(line))]
    if not attempts:
        return short(_WHERE_TO_READ_ON.sub("", str(error.message)))
    width = max(len(name) for name, _ in attempts)
    said = [f"  {name:<{width}}  {short(_WHERE_TO_READ_ON.sub('', text), 160)}" for name, text in attempts]
    return "\n".join(["every way to sign in failed", *said])


def login_hint(options: Options) -> str:
    """The command that gives an identity."""
    tenant = options.tenant if options.tenant and re.fullmatch(r"[\w.-]+", options.tenant) else "<tenant>"
    return f"az login --tenant {tenant}"


def identity_of(token: str) -> Identity:
    """Read a token's claims; nothing is verified, it is only about naming ourselves."""
    try:
        payload = token.split(".")[1]
        claims = msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError, msgspec.DecodeError, RecursionError):
        return Identity()
    if not isinstance(claims, dict):
        return Identity()

    def claim(*names: str) -> str:
        return next((short(value, 120) for name in names if isinstance(value := claims.get(name), str) and value), "")

    user, application = claim("upn", "unique_name", "preferred_username"), claim("appid", "azp")
    shown = user or claim("app_displayname") or application or claim("oid")
    identifier = claim("oid") if user else application
    return Identity(
        tenant=claim("tid").lower(),
        principal=f"{shown} ({identifier})" if identifier and identifier != shown else shown,
        assignee=user or application or claim("oid"),
        application="" if user else application,
        object_id=claim("oid"),
        managed=bool(claim("xms_mirid")),
    )

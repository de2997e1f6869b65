"""What an answer that is not the thing asked for means: certainly not there, never supported, or unknown."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from auditor import documents as d
from auditor.sources.azure.auth import Identity
from auditor.sources.azure.pipeline import Answer, short
from auditor.sources.azure.reads import Read

# Of a resource that was listed a moment ago these say that it has gone since; of a destination, that logs are lost.
_GONE: Final = frozenset(
    {
        "resourcenotfound",
        "resourcegroupnotfound",
        "parentresourcenotfound",
        "notfound",
        "managementpolicynotfound",
        "logprofilenotfound",
    }
)
_UNSUPPORTED: Final = frozenset({"resourcetypenotsupported", "resourcetypenotfound", "invalidresourcetype"})
# 404 and 401 of another tenant's things look alike from here: nothing is certain about them.
_ELSEWHERE: Final = frozenset({"subscriptionnotfound", "invalidauthenticationtokentenant", "tenantnotfound"})
_OUR_FAULT: Final = frozenset({"invalidapiversionparameter", "unsupportedapiversion", "invalidapiversion"})
_NOT_SUPPORTED_TEXT: Final = re.compile(
    r"does not support diagnostic settings|activitylogdiagnosticsettingconfig' doesn't exist", re.IGNORECASE
)
_DENIED: Final = re.compile(
    r"perform action '(?P<action>[\w./*-]{1,200})' over scope '(?P<scope>[^'\x00-\x1f]{1,800})'", re.IGNORECASE
)
_XML_CODE: Final = re.compile(rb"<Code>([\w.-]{1,100})</Code>", re.IGNORECASE)
_XML_MESSAGE: Final = re.compile(rb"<Message[^>]{0,200}>([^<]{1,2000})<", re.IGNORECASE)


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Azure's own name for what went wrong, and its words."""

    code: str = ""
    message: str = ""


def problem_of(answer: Answer) -> Problem:
    """Azure's error out of an answer: nested or not, JSON or XML; empty where the body tells none."""
    try:
        body = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        body = None
    if isinstance(body, Mapping):
        inner = next((e for key in ("error", "odata.error") if isinstance(e := body.get(key), Mapping)), body)
        message = inner.get("message")
        if isinstance(message, Mapping):  # OData puts the language beside it
            message = message.get("value")
        return Problem(code=_code(inner.get("code")), message=short(message, 600) if isinstance(message, str) else "")
    code, text = _XML_CODE.search(answer.body[:10_000]), _XML_MESSAGE.search(answer.body[:10_000])
    return Problem(
        code=_code(answer.headers.get("x-ms-error-code") or (code[1].decode() if code else None)),
        message=short(text[1].decode(errors="replace"), 600) if text else "",
    )


def _code(value: object) -> str:
    return short(value, 100) if isinstance(value, str) else ""


def refused(read: Read, doc_id: str, answer: Answer, identity: Identity) -> d.Document:
    """The document for an answer other than 200."""
    status, problem = answer.status, problem_of(answer)
    code = problem.code.lower()
    if code in _UNSUPPORTED and status in (400, 404):
        return no(doc_id, read.type, "$unsupported", status, problem.code)
    if status == 400 and _NOT_SUPPORTED_TEXT.search(problem.message):
        return no(doc_id, read.type, "$unsupported", status, problem.code)
    if status == 404 and code in _GONE:
        return no(doc_id, read.type, "$absent", status, problem.code)
    if status == 409 and code == "missingsubscriptionregistration":  # nothing can be set up where it is unknown
        return no(doc_id, read.type, "$absent", status, problem.code)
    if code in _ELSEWHERE:
        return d.unreadable(
            doc_id,
            read.type,
            reason=f"it is in another tenant, or its subscription is gone ({problem.code})",
            status=status,
            code=problem.code,
        )
    # An error that names no code need not be Azure's own: a gateway's 404 is no proof that something is not there.
    if code and code not in _OUR_FAULT and status in read.unsupported_on:
        return no(doc_id, read.type, "$unsupported", status, problem.code)
    if code and status == 404:
        return no(doc_id, read.type, "$absent", status, problem.code)
    if status in (401, 403):
        return _denied(read, doc_id, status, problem, identity)
    return d.unreadable(doc_id, read.type, reason=_words(answer, problem), status=status, code=problem.code or None)


def no(doc_id: str, doc_type: str, mark: str, status: int, code: str) -> d.Document:
    """The document of an answered "no"."""
    return {"id": doc_id, "type": doc_type, mark: {"status": status, "code": code}}


def _words(answer: Answer, problem: Problem) -> str:
    status = answer.status
    tail = f" ({problem.code})" if problem.code else ""
    if status == 429:
        wait = short(answer.headers.get("retry-after", ""), 40)
        return f"Azure throttled the read{f', asking for {wait} s of waiting' if wait.isdecimal() else ''}{tail}"
    if status >= 500:
        return f"the service failed with HTTP {status}{tail}"
    if 300 <= status < 400:
        return f"redirected (HTTP {status}), which is not followed"
    said = f": {short(problem.message, 160)}" if problem.message else ""
    return f"HTTP {status}{tail}{said}"


def _denied(read: Read, doc_id: str, status: int, problem: Problem, identity: Identity) -> d.Document:
    found = _DENIED.search(problem.message)
    action = found["action"] if found else read.action
    scope = short(found["scope"], 800) if found else subject_of(read, doc_id)
    grant: str | None
    if status == 401:
        reason, grant = f"the sign-in was not accepted ({problem.code or 'HTTP 401'})", None
    elif problem.code.lower() == "denyassignmentauthorizationfailed":
        reason, grant = f"a deny assignment forbids {action} (a managed application's resource)", None
    else:
        reason, grant = f"not permitted: {action} ({problem.code or f'HTTP {status}'})", grant_for(doc_id, identity)
    return d.unreadable(
        doc_id,
        read.type,
        reason=reason,
        status=status,
        code=problem.code or None,
        action=action,
        scope=scope,
        grant=grant,
    )


def subject_of(read: Read, doc_id: str) -> str:
    """The id of what a read is about: the document's id without the part that the read appends."""
    return doc_id.removesuffix(read.path.replace("{of}", "")) or "/"


# Providers of the tenant itself: Reader on a subscription does not reach them.
_TENANT_PROVIDERS: Final = (
    "/providers/Microsoft.aadiam",
    "/providers/microsoft.intune",
    "/providers/Microsoft.ADHybridHealthService",
)


def grant_for(doc_id: str, identity: Identity) -> str:
    """The least role that makes a document readable, as one command."""
    lower = doc_id.lower()
    if lower.startswith("/providers/microsoft.graph/"):
        who = "application permission" if identity.application else "permission"
        return f"Microsoft Graph {who} LicenseAssignment.Read.All, with an administrator's consent"
    for provider in _TENANT_PROVIDERS:
        if lower.startswith(f"{provider.lower()}/"):
            return assign_command(identity, "Reader", provider)
    groups = "/providers/Microsoft.Management/managementGroups"
    if lower.startswith(groups.lower()):
        rest = doc_id[len(groups) :].strip("/").split("/")[0]
        group = rest or identity.tenant or "<root group>"  # the root group is named like the tenant
        return assign_command(identity, "Reader" if rest else "Management Group Reader", f"{groups}/{group}")
    subscription = d.subscription_of(doc_id)
    return assign_command(identity, "Reader", f"/subscriptions/{subscription}" if subscription else "/")


def assign_command(identity: Identity, role: str, scope: str) -> str:
    """The command that gives the identity a role at a scope."""
    who = shlex.quote(identity.assignee) if identity.assignee else "<principal>"
    place = scope if scope.endswith("<root group>") else shlex.quote(scope)
    return f"az role assignment create --assignee {who} --role {shlex.quote(role)} --scope {place}"


def storage_refused(doc_id: str, account: Mapping[str, Any], answer: Answer, identity: Identity) -> d.Document:
    """The document for an answer other than 200 of a storage service itself (domain.md 4.2)."""
    status, problem = answer.status, problem_of(answer)
    code = problem.code.lower()
    action = "/".join(["Microsoft.Storage/storageAccounts", doc_id.split("/")[-3], "read"])
    if status == 400 and code in ("invalidqueryparametervalue", "featurenotsupportedforaccount"):
        return no(doc_id, d.STORAGE_ANALYTICS, "$unsupported", status, problem.code)
    reason, grant = _words(answer, problem), None
    if status == 403 and (
        "network" in problem.message.lower() or (code == "authorizationfailure" and behind_firewall(account))
    ):
        reason = f"the storage account's firewall keeps this host out ({problem.code})"
        grant = "run from a network that the storage account admits, or admit this host's address in its firewall"
        action = ""
    elif status == 403:
        reason, grant = f"not permitted: {action} ({problem.code or 'HTTP 403'})", grant_for(doc_id, identity)
    elif status == 401:
        reason = f"the sign-in was not accepted ({problem.code or 'HTTP 401'})"
    return d.unreadable(
        doc_id,
        d.STORAGE_ANALYTICS,
        reason=reason,
        status=status,
        code=problem.code or None,
        action=action or None if status == 403 else None,
        scope=str(account.get("id") or "") or None,
        grant=grant,
    )


def behind_firewall(account: Mapping[str, Any]) -> bool:
    """Whether a storage account's network rules keep strangers out."""
    properties = account.get("properties")
    if not isinstance(properties, Mapping):
        return False
    rules = properties.get("networkAcls")
    denies = isinstance(rules, Mapping) and str(rules.get("defaultAction", "")).lower() == "deny"
    return denies or str(properties.get("publicNetworkAccess") or "Enabled").lower() != "enabled"

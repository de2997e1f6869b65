"""What the emulator says: an answer, and Azure's errors in Azure's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from auditor.documents import (
    Document,
    marker,
    name_of,
    parent_of,
    resource_group_of,
    subscription_of,
    type_of,
)
from auditor.emulator.estate import Estate

JSON = "application/json; charset=utf-8"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP answer."""

    status: int = 200
    body: bytes = b""
    content_type: str = JSON
    headers: Mapping[str, str] = {}


def ok(value: Any, headers: Mapping[str, str] | None = None) -> Answer:
    """200 with a JSON body."""
    return Answer(body=msgspec.json.encode(value), headers=headers or {})


def error(
    status: int,
    code: str,
    message: str,
    *,
    headers: Mapping[str, str] | None = None,
    details: list[dict[str, Any]] | None = None,
    nested: bool = True,
) -> Answer:
    """An error as ARM words it; `nested` False as Microsoft.Insights does, without the `error` around it."""
    inner: dict[str, Any] = {"code": code, "message": message}
    if details:
        inner["details"] = details
    extra = {"x-ms-failure-cause": "gateway"} if status in (401, 403, 404) else {}
    body = msgspec.json.encode({"error": inner} if nested else inner)
    return Answer(status=status, body=body, headers={**extra, **(headers or {})})


def refused(estate: Estate, action: str, scope: str) -> Answer:
    """403 AuthorizationFailed: the principal lacks an action over a scope."""
    who = estate.principal
    return error(
        403,
        "AuthorizationFailed",
        f"The client '{who.app_id}' with object id '{who.object_id}' does not have authorization to perform action "
        f"'{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh your "
        "credentials.",
    )


def not_found(estate: Estate, path: str) -> Answer:
    """404 in the words ARM has for a missing subscription, resource group, lifecycle policy or resource."""
    subscription = subscription_of(path)
    if subscription and subscription not in estate.subscriptions:
        return error(404, "SubscriptionNotFound", f"The subscription '{subscription}' could not be found.")
    group = resource_group_of(path)
    if group and f"/subscriptions/{subscription}/resourcegroups/{group.lower()}" not in estate.resource_groups:
        return error(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")
    kind = type_of(path)
    if kind.lower() == "microsoft.storage/storageaccounts/managementpolicies":
        account = name_of(parent_of(path))
        return error(404, "ManagementPolicyNotFound", f"No ManagementPolicy found for account {account}")
    what = _full_name(path)
    where = f" under resource group '{group}'" if group else ""
    return error(
        404,
        "ResourceNotFound",
        f"The Resource '{what}'{where} was not found. For more details please go to "
        "https://aka.ms/ARMResourceNotFoundFix",
    )


def unsupported(kind: str) -> Answer:
    """400 ResourceTypeNotSupported: this type has no diagnostic settings."""
    message = f"The resource type '{kind.lower()}' does not support diagnostic settings."
    return error(400, "ResourceTypeNotSupported", message, nested=False)


def marked(estate: Estate, document: Document, path: str) -> Answer:
    """The error that an unreadable, absent or unsupported document stands for."""
    mark = marker(document) or "$unknown"
    detail: Mapping[str, Any] = document[mark]
    status = detail.get("status")
    if not isinstance(status, int) or not 400 <= status <= 599:
        status = {"$absent": 404, "$unsupported": 400}.get(mark, 403)
    code = str(detail.get("code") or _CODES.get(status, "InternalServerError"))
    action, scope = str(detail.get("action") or action_of(path)), str(detail.get("scope") or scope_of(path))
    if code == "AuthorizationFailed":
        return refused(estate, action, scope)
    if code == "ResourceTypeNotSupported":
        return unsupported(type_of(path.rpartition("/providers/")[0]) or type_of(path))
    headers = {"Retry-After": "1"} if status in (429, 503) else {}
    return error(status, code, _message(estate, code, path, action, scope, detail), headers=headers)


_CODES = {
    400: "BadRequest",
    401: "AuthenticationFailed",
    403: "AuthorizationFailed",
    404: "ResourceNotFound",
    409: "Conflict",
    429: "TooManyRequests",
    503: "ServiceUnavailable",
}


def _message(estate: Estate, code: str, path: str, action: str, scope: str, detail: Mapping[str, Any]) -> str:
    who, group = estate.principal, resource_group_of(path)
    texts = {
        "DenyAssignmentAuthorizationFailed": (
            f"The client '{who.app_id}' with object id '{who.object_id}' has permission to perform action '{action}' "
            f"on scope '{scope}'; however, the access is denied because of a deny assignment."
        ),
        "InvalidAuthenticationTokenTenant": (
            f"The access token is from the wrong issuer 'https://sts.windows.net/{estate.tenant.id}/'. It must match "
            "the tenant associated with this subscription."
        ),
        "ManagementPolicyNotFound": f"No ManagementPolicy found for account {name_of(parent_of(path))}",
        "MissingSubscriptionRegistration": (
            f"The subscription is not registered to use namespace '{type_of(path).partition('/')[0]}'."
        ),
        "ResourceGroupNotFound": f"Resource group '{group}' could not be found.",
        "ResourceNotFound": (
            f"The Resource '{_full_name(path)}' under resource group '{group}' was not found. For more details please "
            "go to https://aka.ms/ARMResourceNotFoundFix"
        ),
        "SubscriptionNotFound": f"The subscription '{subscription_of(path)}' could not be found.",
        "TooManyRequests": "The request was throttled. Try again after the number of seconds in Retry-After.",
    }
    return texts.get(code) or str(detail.get("reason") or "The request could not be answered.")


def _full_name(path: str) -> str:
    """`Microsoft.KeyVault/vaults/kv` for an id: what ARM puts into its "not found"."""
    return path.rpartition("/providers/")[2].strip("/")


def is_collection(path: str) -> bool:
    """Whether a path ends in a type, not in a name."""
    tail = path.rpartition("/providers/")[2].strip("/").split("/")
    return "/providers/" in path and len(tail) % 2 == 0


def action_of(path: str) -> str:
    """The action that reading a path needs: `Microsoft.KeyVault/vaults/read`."""
    _, found, tail = path.rpartition("/providers/")
    if found:
        parts = tail.strip("/").split("/")
        if parts[-1].lower() == "deletedvaults":
            return "Microsoft.KeyVault/locations/deletedVaults/read"
        return "/".join([parts[0], *parts[1::2], "read"])
    parts = path.strip("/").split("/")
    names = {"subscriptions": "subscriptions", "resourcegroups": "resourceGroups"}
    kinds = [names.get(part.lower(), part) for part in parts[::2]]
    return "/".join(["Microsoft.Resources", *kinds, "read"])


def scope_of(path: str) -> str:
    """The scope that a refusal names: what is read, or for a list what it is a list of."""
    head, found, _ = path.rpartition("/providers/")
    if found and is_collection(path):
        tail = path[len(head) :].strip("/").split("/")
        return head + ("/" + "/".join(tail[:-1]) if len(tail) > 3 else "") or "/"
    if not found and len(path.strip("/").split("/")) % 2:
        return path.rpartition("/")[0] or "/"
    return path

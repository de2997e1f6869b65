"""The body of an azapi resource: an object, or JSON as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec

from auditor.sources.terraform.plan import Instance, Plan
from auditor.sources.terraform.references import follow
from auditor.sources.terraform.types import ROWS

if TYPE_CHECKING:
    from auditor.sources.terraform.ids import Ids

# What kind of resource a field names, where only the references of a whole body are known.
_NAMES: Final = {
    "workspaceid": "microsoft.operationalinsights/workspaces",
    "workspaceresourceid": "microsoft.operationalinsights/workspaces",
    "storageaccountid": "microsoft.storage/storageaccounts",
    "storageid": "microsoft.storage/storageaccounts",
    "eventhubauthorizationruleid": "microsoft.eventhub/namespaces/authorizationrules",
}
_DEEPEST: Final = 60


def body_of(instance: Instance, ids: Ids, plan: Plan) -> Mapping[str, Any]:
    """The body, with the ids that it names as far as they can be told; `{"$unknown": …}` where none of it can."""
    body = instance.values.get("body")
    if isinstance(body, str):
        try:
            body = msgspec.json.decode(body)
        except (ValueError, RecursionError):
            return {"$unknown": {"reason": "the body is not JSON"}}
    if not isinstance(body, Mapping):
        return {}
    return body if "$unknown" in body else _linked(body, instance, ids, plan, 0)


def _linked(value: Mapping[str, Any], instance: Instance, ids: Ids, plan: Plan, depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, inner in value.items():
        if isinstance(inner, Mapping) and depth < _DEEPEST:
            kind = _NAMES.get(key.lower())
            if "$unknown" in inner and kind is not None:
                found[key] = _named(instance, kind, ids, plan) or inner
            else:
                found[key] = inner if "$unknown" in inner else _linked(inner, instance, ids, plan, depth + 1)
        else:
            found[key] = inner
    return found


def _named(instance: Instance, kind: str, ids: Ids, plan: Plan) -> str:
    """The id of the one resource of a kind that the body refers to."""
    told = follow(plan, instance, instance.expression("body"))
    fitting = [one for one in told.instances if one.type in ROWS and ROWS[one.type].type.lower() == kind]
    return ids.of(fitting[0]) if len(fitting) == 1 and not told.open else ""

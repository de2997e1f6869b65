"""Azure Policy in azurerm: definitions, initiatives, and where they are assigned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from auditor.sources.terraform.shape import Link, Row, Values, blocks, later, some

_PLACES: Final = ("subscription_id", "resource_group_id", "management_group_id", "resource_id")


def _assignment(v: Values, link: Link) -> dict[str, Any]:
    enforced = v.get("enforce")
    return {
        "properties": some(
            policyDefinitionId=link("policy_definition_id"),
            displayName=v.get("display_name"),
            parameters=v.get("parameters"),
            enforcementMode="DoNotEnforce" if enforced is False else None,
            notScopes=v.get("not_scopes"),
            scope=next((v[place] for place in _PLACES if isinstance(v.get(place), str)), None),
        )
    }


def _definition(v: Values, _: Link) -> dict[str, Any]:
    told = some(displayName=v.get("display_name"), policyRule=v.get("policy_rule"), parameters=v.get("parameters"))
    return {"properties": told}


def _initiative(v: Values, link: Link) -> dict[str, Any]:
    written = v.get("policy_definition_reference")
    number = range(len(blocks(written)))
    members = [
        some(
            policyDefinitionId=link("policy_definition_reference", n, "policy_definition_id"),
            parameters=blocks(written)[n].get("parameter_values"),
        )
        for n in number
    ]
    return {
        "properties": some(displayName=v.get("display_name"), policyDefinitions=None if later(written) else members)
    }


_ASSIGNED: Final = "Microsoft.Authorization/policyAssignments"
_SETS: Final = "Microsoft.Authorization/policySetDefinitions"

ROWS: Final[Mapping[str, Row]] = {
    **{
        f"azurerm_{place}_policy_assignment": Row(type=_ASSIGNED, build=_assignment)
        for place in ("subscription", "resource_group", "management_group", "resource")
    },
    "azurerm_policy_definition": Row(type="Microsoft.Authorization/policyDefinitions", build=_definition),
    "azurerm_policy_set_definition": Row(type=_SETS, build=_initiative),
    "azurerm_management_group_policy_set_definition": Row(type=_SETS, build=_initiative),
}

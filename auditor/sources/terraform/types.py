"""Which azurerm resource is which ARM resource, and how its attributes become the fields that rules read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

AZAPI: Final = "azapi_resource"
Values = Mapping[str, Any]
Link = Callable[..., Any]  # (path of an attribute) → the id it holds, `{"$unknown": …}`, or None
Build = Callable[[Values, Link], dict[str, Any]]


def nothing(_: Values, __: Link) -> dict[str, Any]:
    """No fields beyond name, place and tags."""
    return {"properties": {}}


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One azurerm type: the ARM type, where its id comes from, and the fields of its document."""

    type: str
    build: Build = nothing
    under: str = ""  # attribute that holds the parent's id
    names: tuple[str, ...] = ()  # attributes that hold the names of its ancestors, outermost first
    called: str = ""  # a fixed name, such as `default`


def _vault(v: Values, _: Link) -> dict[str, Any]:
    return {"properties": some(publicNetworkAccess=_enabled(v.get("public_network_access_enabled")))}


def _workspace(v: Values, _: Link) -> dict[str, Any]:
    quota = v.get("daily_quota_gb")
    return {
        "properties": some(
            sku=some(name=v.get("sku")) or None,
            retentionInDays=v.get("retention_in_days"),
            workspaceCapping=None if quota is None else {"dailyQuotaGb": quota},
        )
    }


def _enabled(value: Any) -> Any:
    return {True: "Enabled", False: "Disabled"}.get(value) if isinstance(value, bool) else value


def some(**fields: Any) -> dict[str, Any]:
    """The fields that are set."""
    return {key: value for key, value in fields.items() if value is not None}


ROWS: Final[Mapping[str, Row]] = {
    "azurerm_key_vault": Row(type="Microsoft.KeyVault/vaults", build=_vault),
    "azurerm_key_vault_managed_hardware_security_module": Row(type="Microsoft.KeyVault/managedHSMs"),
    "azurerm_log_analytics_workspace": Row(type="Microsoft.OperationalInsights/workspaces", build=_workspace),
    "azurerm_eventhub_namespace": Row(type="Microsoft.EventHub/namespaces"),
    "azurerm_eventhub_namespace_authorization_rule": Row(
        type="Microsoft.EventHub/namespaces/authorizationRules", names=("namespace_name",)
    ),
}
# Rows whose resources are looked up by their ids, and are no documents.
HIDDEN: Final = frozenset({"azurerm_eventhub_namespace_authorization_rule"})

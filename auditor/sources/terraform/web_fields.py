"""Apps, their plans and what observes them, as a plan writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from auditor.sources.terraform.shape import (
    Build,
    Link,
    Row,
    Values,
    always,
    arm,
    attribute,
    either,
    enabled,
    identity,
    later,
    named,
    one,
    opposite,
    some,
)

_SITES: Final = "Microsoft.Web/sites"
_SLOTS: Final = "Microsoft.Web/sites/slots"
_TIERS: Final = {  # letters that the name of a plan's size begins with → tier
    "F": "Free",
    "D": "Shared",
    "B": "Basic",
    "S": "Standard",
    "Y": "Dynamic",
    "FC": "FlexConsumption",
    "EP": "ElasticPremium",
    "WS": "WorkflowStandard",
    "P": "Premium",
    "I": "Isolated",
}
# Attributes that azurerm turns into the app settings of these names.
_LINKS: Final = {
    "application_insights_connection_string": "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "application_insights_key": "APPINSIGHTS_INSTRUMENTATIONKEY",
}


def _plan(v: Values, _: Link) -> dict[str, Any]:
    size = v.get("sku_name")
    if not isinstance(size, str):
        return {"properties": {}, **({"sku": size} if later(size) else {})}
    letters = size[: next((at for at, sign in enumerate(size) if sign.isdigit()), len(size))].upper()
    return {"sku": some(name=size, tier=_TIERS.get(letters)), "properties": {}}


def _app(kind: str) -> Build:
    """An app or a slot, with the names of its settings; their values are nobody's business."""
    return arm(
        {
            "kind": always(kind),
            "properties.serverFarmId": identity("service_plan_id", "app_service_plan_id"),
            "properties.siteConfig.appSettings": _settings,
        }
    )


def _settings(v: Values, _: Link) -> Any:
    written, site = v.get("app_settings"), v.get("site_config")
    for part in (written, site):
        if later(part):
            return part
    names = [str(key) for key in written] if isinstance(written, Mapping) else []
    names += [setting for name, setting in _LINKS.items() if one(site).get(name) or v.get(name)]
    return [{"name": name} for name in sorted(set(names))]


def _slot(kind: str, parent: str) -> Row:
    return Row(type=_SLOTS, build=_app(kind), under=parent)


_COMPONENT: Final = arm(
    {
        "kind": attribute("application_type"),
        "properties.WorkspaceResourceId": identity("workspace_id"),
        "properties.DisableLocalAuth": either(
            attribute("local_authentication_disabled"), opposite("local_authentication_enabled"), always(False)
        ),
        "properties.publicNetworkAccessForIngestion": enabled("internet_ingestion_enabled", otherwise=True),
        "properties.publicNetworkAccessForQuery": enabled("internet_query_enabled", otherwise=True),
    }
)


def _gateway_sku(v: Values, _: Link) -> Any:
    size = v.get("sku_name")
    return size.rpartition("_")[0] or size if isinstance(size, str) else size


_PORTAL: Final = {"$unknown": {"reason": "azurerm does not say whether the developer portal is on"}}
_GATEWAY: Final = arm(
    {
        "sku.name": _gateway_sku,
        "properties.developerPortalStatus": always(_PORTAL),
        "properties.virtualNetworkType": attribute("virtual_network_type"),
        "properties.virtualNetworkConfiguration.subnetResourceId": identity("virtual_network_configuration.subnet_id"),
    }
)


def _environment(v: Values, link: Link) -> dict[str, Any]:
    return {
        "kind": "ASEV3",
        "properties": some(
            virtualNetwork=named(link("subnet_id")), internalLoadBalancingMode=v.get("internal_load_balancing_mode")
        ),
    }


ROWS: Final[Mapping[str, Row]] = {
    "azurerm_service_plan": Row(type="Microsoft.Web/serverfarms", build=_plan),
    "azurerm_linux_web_app": Row(type=_SITES, build=_app("app,linux")),
    "azurerm_windows_web_app": Row(type=_SITES, build=_app("app")),
    "azurerm_linux_function_app": Row(type=_SITES, build=_app("functionapp,linux")),
    "azurerm_windows_function_app": Row(type=_SITES, build=_app("functionapp")),
    "azurerm_function_app_flex_consumption": Row(type=_SITES, build=_app("functionapp,linux")),
    "azurerm_logic_app_standard": Row(type=_SITES, build=_app("functionapp,workflowapp"), computed=("app_settings",)),
    "azurerm_linux_web_app_slot": _slot("app,linux", "app_service_id"),
    "azurerm_windows_web_app_slot": _slot("app", "app_service_id"),
    "azurerm_linux_function_app_slot": _slot("functionapp,linux", "function_app_id"),
    "azurerm_windows_function_app_slot": _slot("functionapp", "function_app_id"),
    "azurerm_app_service_environment_v3": Row(type="Microsoft.Web/hostingEnvironments", build=_environment),
    "azurerm_application_insights": Row(type="Microsoft.Insights/components", build=_COMPONENT),
    "azurerm_api_management": Row(type="Microsoft.ApiManagement/service", build=_GATEWAY),
    "azurerm_api_management_workspace": Row(
        type="Microsoft.ApiManagement/service/workspaces", under="api_management_id"
    ),
}

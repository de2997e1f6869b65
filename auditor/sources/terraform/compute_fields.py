"""Machines, their agents, what is collected from them, and clusters, as a plan writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from auditor import documents as d
from auditor.sources.terraform.shape import (
    Get,
    Link,
    Row,
    Values,
    always,
    arm,
    attribute,
    blocks,
    each,
    identity,
    later,
    one,
    some,
    value_at,
)

_MACHINES: Final = "Microsoft.Compute/virtualMachines"
_SCALE_SETS: Final = "Microsoft.Compute/virtualMachineScaleSets"


# --- machines ---------------------------------------------------------------------------------------------------------


def _machine(system: str) -> Row:
    return Row(type=_MACHINES, build=arm({"properties.storageProfile.osDisk.osType": always(system)}))


def _classic_machine(v: Values, _: Link) -> dict[str, Any]:
    system = value_at(v, "storage_os_disk.os_type")
    if not system:
        told = [name for name in ("Windows", "Linux") if blocks(v.get(f"os_profile_{name.lower()}_config"))]
        system = told[0] if len(told) == 1 else None
    return {"properties": {"storageProfile": {"osDisk": some(osType=system)}}}


def _inside(block: Values, link: Any) -> dict[str, Any]:
    """An IP configuration of a scale set's interface."""
    return {
        "name": block.get("name"),
        "properties": some(
            subnet=_id(link("subnet_id")),
            publicIPAddressConfiguration=one(block.get("public_ip_address")) or None,
            loadBalancerBackendAddressPools=_ids(block, link, "load_balancer_backend_address_pool_ids"),
            loadBalancerInboundNatPools=_ids(block, link, "load_balancer_inbound_nat_rules_ids"),
        ),
    }


def _ids(block: Values, link: Any, name: str) -> Any:
    written = block.get(name)
    if later(written):
        return written
    return [_id(link(name, at)) for at in range(len(written))] if isinstance(written, list) and written else None


def _id(value: Any) -> Any:
    return {"id": value} if isinstance(value, str) else value if later(value) else None


def _scale_set_interface(block: Values, link: Any) -> dict[str, Any]:
    at = block.get("ip_configuration")
    inner = [
        item if later(item) else _inside(item, lambda *path, n=n: link("ip_configuration", n, *path))
        for n, item in enumerate(blocks(at))
    ]
    return {
        "name": block.get("name"),
        "properties": some(
            networkSecurityGroup=_id(link("network_security_group_id")),
            ipConfigurations=at if later(at) else inner,
        ),
    }


def _extension(block: Values, _: Any) -> dict[str, Any]:
    return {"name": block.get("name"), "properties": some(type=block.get("type"), publisher=block.get("publisher"))}


def _scale_set(system: Get, mode: str = "Uniform") -> Row:
    profile = "properties.virtualMachineProfile"
    fields = {
        "properties.orchestrationMode": always(mode),
        f"{profile}.storageProfile.osDisk.osType": system,
        f"{profile}.extensionProfile.extensions": each("extension", _extension),
        f"{profile}.networkProfile.networkInterfaceConfigurations": each("network_interface", _scale_set_interface),
    }
    return Row(type=_SCALE_SETS, build=arm(fields), computed=("extension",))


def _orchestrated_system(v: Values, _: Link) -> Any:
    told = [name for name in ("Windows", "Linux") if value_at(v, f"os_profile.{name.lower()}_configuration")]
    return told[0] if len(told) == 1 else None


_KIND: Final = arm({"properties.type": attribute("type"), "properties.publisher": attribute("publisher")})


# --- what is collected ------------------------------------------------------------------------------------------------


def _source(**names: str) -> Any:
    """A data source of a rule: its name, its streams, and what of it is collected."""

    def build(block: Values, _: Any) -> dict[str, Any]:
        told = {field: block.get(attribute_name) for field, attribute_name in names.items()}
        return some(name=block.get("name"), streams=block.get("streams"), **told)

    return build


def _flow(block: Values, _: Any) -> dict[str, Any]:
    return some(
        streams=block.get("streams"), destinations=block.get("destinations"), transformKql=block.get("transform_kql")
    )


def _place(field: str, name: str) -> Any:
    return lambda block, link: some(name=block.get("name"), **{field: link(name)})


_TO: Final = "properties.destinations"
_FROM: Final = "properties.dataSources"
_RULE: Final = arm(
    {
        "kind": attribute("kind"),
        "properties.dataFlows": each("data_flow", _flow),
        f"{_FROM}.windowsEventLogs": each("data_sources.windows_event_log", _source(xPathQueries="x_path_queries")),
        f"{_FROM}.syslog": each("data_sources.syslog", _source(facilityNames="facility_names", logLevels="log_levels")),
        f"{_FROM}.extensions": each("data_sources.extension", _source(extensionName="extension_name")),
        f"{_TO}.logAnalytics": each(
            "destinations.log_analytics", _place("workspaceResourceId", "workspace_resource_id")
        ),
        f"{_TO}.eventHubs": each("destinations.event_hub", _place("eventHubResourceId", "event_hub_id")),
        f"{_TO}.storageAccounts": each(
            "destinations.storage_blob", _place("storageAccountResourceId", "storage_account_id")
        ),
    }
)

# --- clusters ---------------------------------------------------------------------------------------------------------


def _addons(v: Values, link: Link) -> Any:
    written = v.get("oms_agent")
    if later(written):
        return {"omsagent": written}
    if not one(written):
        return {}
    identity_used = one(written).get("msi_auth_for_monitoring_enabled")
    config = some(
        logAnalyticsWorkspaceResourceID=link("oms_agent", 0, "log_analytics_workspace_id"),
        useAADAuth=identity_used if later(identity_used) else "true" if identity_used is True else "false",
    )
    if later(identity_used):
        return {"omsagent": identity_used}
    return {"omsagent": {"enabled": True, "config": config}}


def _directory(v: Values, _: Link) -> Any:
    written = v.get("azure_active_directory_role_based_access_control")
    return written if later(written) else {"managed": True} if one(written) else None


_CLUSTER: Final = arm(
    {
        "sku.tier": attribute("sku_tier"),
        "properties.addonProfiles": _addons,
        "properties.aadProfile": _directory,
        "properties.nodeResourceGroup": attribute("node_resource_group"),
    }
)

# --- containers -------------------------------------------------------------------------------------------------------


def _app_logs(v: Values, _: Link) -> Any:
    told = v.get("logs_destination")
    return told or ("log-analytics" if v.get("log_analytics_workspace_id") else "none")


ROWS: Final[Mapping[str, Row]] = {
    "azurerm_linux_virtual_machine": _machine("Linux"),
    "azurerm_windows_virtual_machine": _machine("Windows"),
    "azurerm_virtual_machine": Row(type=_MACHINES, build=_classic_machine),
    "azurerm_linux_virtual_machine_scale_set": _scale_set(always("Linux")),
    "azurerm_windows_virtual_machine_scale_set": _scale_set(always("Windows")),
    "azurerm_orchestrated_virtual_machine_scale_set": _scale_set(_orchestrated_system, "Flexible"),
    "azurerm_virtual_machine_extension": Row(
        type=f"{_MACHINES}/extensions", build=_KIND, under="virtual_machine_id", spreads=True
    ),
    "azurerm_virtual_machine_scale_set_extension": Row(
        type=f"{_SCALE_SETS}/extensions", build=_KIND, under="virtual_machine_scale_set_id", spreads=True
    ),
    "azurerm_arc_machine": Row(type="Microsoft.HybridCompute/machines"),
    "azurerm_arc_machine_extension": Row(
        type="Microsoft.HybridCompute/machines/extensions", build=_KIND, under="arc_machine_id", spreads=True
    ),
    "azurerm_monitor_data_collection_rule": Row(type="Microsoft.Insights/dataCollectionRules", build=_RULE),
    "azurerm_monitor_data_collection_rule_association": Row(
        type=d.COLLECTION_RULE_ASSOCIATIONS,
        build=arm({"properties.dataCollectionRuleId": identity("data_collection_rule_id")}),
        on="target_resource_id",
        extends=(
            _MACHINES,
            _SCALE_SETS,
            "Microsoft.HybridCompute/machines",
            "Microsoft.ContainerService/managedClusters",
            "Microsoft.Kubernetes/connectedClusters",
        ),
        spreads=True,
    ),
    "azurerm_kubernetes_cluster": Row(type="Microsoft.ContainerService/managedClusters", build=_CLUSTER),
    "azurerm_kubernetes_automatic_cluster": Row(type="Microsoft.ContainerService/managedClusters", build=_CLUSTER),
    "azurerm_arc_kubernetes_cluster": Row(type="Microsoft.Kubernetes/connectedClusters"),
    "azurerm_container_app_environment": Row(
        type="Microsoft.App/managedEnvironments",
        build=arm({"properties.appLogsConfiguration.destination": _app_logs}),
    ),
    "azurerm_container_group": Row(
        type="Microsoft.ContainerInstance/containerGroups",
        build=arm(
            {"properties.diagnostics.logAnalytics.workspaceId": attribute("diagnostics.log_analytics.workspace_id")}
        ),
    ),
}

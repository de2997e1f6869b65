"""Types of which rules read no more than their name, place, kind and SKU: azurerm type → ARM type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from auditor.sources.terraform.shape import Row, arm, attribute, enabled

_PLAIN: Final = {
    "azurerm_active_directory_domain_service": "Microsoft.AAD/domainServices",
    "azurerm_aadb2c_directory": "Microsoft.AzureActiveDirectory/b2cDirectories",
    "azurerm_ai_services": "Microsoft.CognitiveServices/accounts",
    "azurerm_app_configuration": "Microsoft.AppConfiguration/configurationStores",
    "azurerm_attestation_provider": "Microsoft.Attestation/attestationProviders",
    "azurerm_automation_account": "Microsoft.Automation/automationAccounts",
    "azurerm_batch_account": "Microsoft.Batch/batchAccounts",
    "azurerm_cognitive_account": "Microsoft.CognitiveServices/accounts",
    "azurerm_confidential_ledger": "Microsoft.ConfidentialLedger/ledgers",
    "azurerm_container_registry": "Microsoft.ContainerRegistry/registries",
    "azurerm_dashboard_grafana": "Microsoft.Dashboard/grafana",
    "azurerm_data_factory": "Microsoft.DataFactory/factories",
    "azurerm_data_protection_backup_vault": "Microsoft.DataProtection/backupVaults",
    "azurerm_eventgrid_domain": "Microsoft.EventGrid/domains",
    "azurerm_eventgrid_namespace": "Microsoft.EventGrid/namespaces",
    "azurerm_eventgrid_partner_namespace": "Microsoft.EventGrid/partnerNamespaces",
    "azurerm_eventgrid_system_topic": "Microsoft.EventGrid/systemTopics",
    "azurerm_eventgrid_topic": "Microsoft.EventGrid/topics",
    "azurerm_express_route_circuit": "Microsoft.Network/expressRouteCircuits",
    "azurerm_iothub": "Microsoft.Devices/IotHubs",
    "azurerm_iothub_dps": "Microsoft.Devices/provisioningServices",
    "azurerm_key_vault_managed_hardware_security_module": "Microsoft.KeyVault/managedHSMs",
    "azurerm_kusto_cluster": "Microsoft.Kusto/clusters",
    "azurerm_logic_app_workflow": "Microsoft.Logic/workflows",
    "azurerm_machine_learning_workspace": "Microsoft.MachineLearningServices/workspaces",
    "azurerm_nat_gateway": "Microsoft.Network/natGateways",
    "azurerm_network_ddos_protection_plan": "Microsoft.Network/ddosProtectionPlans",
    "azurerm_network_manager": "Microsoft.Network/networkManagers",
    "azurerm_network_security_perimeter": "Microsoft.Network/networkSecurityPerimeters",
    "azurerm_point_to_site_vpn_gateway": "Microsoft.Network/p2sVpnGateways",
    "azurerm_purview_account": "Microsoft.Purview/accounts",
    "azurerm_recovery_services_vault": "Microsoft.RecoveryServices/vaults",
    "azurerm_search_service": "Microsoft.Search/searchServices",
    "azurerm_signalr_service": "Microsoft.SignalRService/SignalR",
    "azurerm_spring_cloud_service": "Microsoft.AppPlatform/Spring",
    "azurerm_stream_analytics_job": "Microsoft.StreamAnalytics/streamingjobs",
    "azurerm_virtual_desktop_application_group": "Microsoft.DesktopVirtualization/applicationGroups",
    "azurerm_virtual_desktop_host_pool": "Microsoft.DesktopVirtualization/hostPools",
    "azurerm_virtual_desktop_workspace": "Microsoft.DesktopVirtualization/workspaces",
    "azurerm_virtual_hub": "Microsoft.Network/virtualHubs",
    "azurerm_vpn_gateway": "Microsoft.Network/vpnGateways",
    "azurerm_web_pubsub": "Microsoft.SignalRService/WebPubSub",
    "azurerm_web_pubsub_socketio": "Microsoft.SignalRService/WebPubSub",
}
_FIELDS: Final = {"kind": attribute("kind"), "sku.name": attribute("sku.name", "sku_name", "sku")}


def _row(kind: str) -> Row:
    return Row(type=kind, build=arm(_FIELDS))


ROWS: Final[Mapping[str, Row]] = {
    **{name: _row(kind) for name, kind in _PLAIN.items()},
    "azurerm_aadb2c_directory": Row(type=_PLAIN["azurerm_aadb2c_directory"], named="domain_name"),
    "azurerm_cognitive_account_project": Row(
        type="Microsoft.CognitiveServices/accounts/projects", under="cognitive_account_id"
    ),
    "azurerm_key_vault": Row(
        type="Microsoft.KeyVault/vaults",
        build=arm({"properties.publicNetworkAccess": enabled("public_network_access_enabled")}),
    ),
}

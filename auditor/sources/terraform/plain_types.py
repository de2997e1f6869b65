"""Types of which rules read no more than their name, place, kind and SKU: azurerm type → ARM type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from auditor.sources.terraform.shape import Row, arm, attribute, enabled

_PLAIN: Final = {
    "azurerm_aadb2c_directory": "Microsoft.AzureActiveDirectory/b2cDirectories",
    "azurerm_active_directory_domain_service": "Microsoft.AAD/domainServices",
    "azurerm_ai_services": "Microsoft.CognitiveServices/accounts",
    "azurerm_analysis_services_server": "Microsoft.AnalysisServices/servers",
    "azurerm_app_configuration": "Microsoft.AppConfiguration/configurationStores",
    "azurerm_application_load_balancer": "Microsoft.ServiceNetworking/trafficControllers",
    "azurerm_attestation_provider": "Microsoft.Attestation/attestationProviders",
    "azurerm_automation_account": "Microsoft.Automation/automationAccounts",
    "azurerm_batch_account": "Microsoft.Batch/batchAccounts",
    "azurerm_bot_channels_registration": "Microsoft.BotService/botServices",
    "azurerm_bot_service_azure_bot": "Microsoft.BotService/botServices",
    "azurerm_chaos_studio_experiment": "Microsoft.Chaos/experiments",
    "azurerm_cognitive_account": "Microsoft.CognitiveServices/accounts",
    "azurerm_communication_service": "Microsoft.Communication/communicationServices",
    "azurerm_confidential_ledger": "Microsoft.ConfidentialLedger/ledgers",
    "azurerm_container_registry": "Microsoft.ContainerRegistry/registries",
    "azurerm_cosmosdb_cassandra_cluster": "Microsoft.DocumentDB/cassandraClusters",
    "azurerm_cosmosdb_postgresql_cluster": "Microsoft.DBforPostgreSQL/serverGroupsv2",
    "azurerm_custom_provider": "Microsoft.CustomProviders/resourceProviders",
    "azurerm_dashboard_grafana": "Microsoft.Dashboard/grafana",
    "azurerm_data_factory": "Microsoft.DataFactory/factories",
    "azurerm_data_protection_backup_vault": "Microsoft.DataProtection/backupVaults",
    "azurerm_data_share_account": "Microsoft.DataShare/accounts",
    "azurerm_dev_center": "Microsoft.DevCenter/devcenters",
    "azurerm_digital_twins_instance": "Microsoft.DigitalTwins/digitalTwinsInstances",
    "azurerm_eventgrid_domain": "Microsoft.EventGrid/domains",
    "azurerm_eventgrid_namespace": "Microsoft.EventGrid/namespaces",
    "azurerm_eventgrid_partner_namespace": "Microsoft.EventGrid/partnerNamespaces",
    "azurerm_eventgrid_system_topic": "Microsoft.EventGrid/systemTopics",
    "azurerm_eventgrid_topic": "Microsoft.EventGrid/topics",
    "azurerm_eventhub_cluster": "Microsoft.EventHub/clusters",
    "azurerm_express_route_circuit": "Microsoft.Network/expressRouteCircuits",
    "azurerm_healthcare_service": "Microsoft.HealthcareApis/services",
    "azurerm_iothub": "Microsoft.Devices/IotHubs",
    "azurerm_iothub_dps": "Microsoft.Devices/provisioningServices",
    "azurerm_key_vault_managed_hardware_security_module": "Microsoft.KeyVault/managedHSMs",
    "azurerm_kubernetes_fleet_manager": "Microsoft.ContainerService/fleets",
    "azurerm_kusto_cluster": "Microsoft.Kusto/clusters",
    "azurerm_load_test": "Microsoft.LoadTestService/loadTests",
    "azurerm_logic_app_integration_account": "Microsoft.Logic/integrationAccounts",
    "azurerm_logic_app_workflow": "Microsoft.Logic/workflows",
    "azurerm_machine_learning_workspace": "Microsoft.MachineLearningServices/workspaces",
    "azurerm_managed_devops_pool": "Microsoft.DevOpsInfrastructure/pools",
    "azurerm_managed_lustre_file_system": "Microsoft.StorageCache/amlFilesystems",
    "azurerm_mariadb_server": "Microsoft.DBforMariaDB/servers",
    "azurerm_monitor_autoscale_setting": "Microsoft.Insights/autoscaleSettings",
    "azurerm_monitor_workspace": "Microsoft.Monitor/accounts",
    "azurerm_mysql_server": "Microsoft.DBforMySQL/servers",
    "azurerm_nat_gateway": "Microsoft.Network/natGateways",
    "azurerm_network_ddos_protection_plan": "Microsoft.Network/ddosProtectionPlans",
    "azurerm_network_function_azure_traffic_collector": "Microsoft.NetworkFunction/azureTrafficCollectors",
    "azurerm_network_manager": "Microsoft.Network/networkManagers",
    "azurerm_network_security_perimeter": "Microsoft.Network/networkSecurityPerimeters",
    "azurerm_nginx_deployment": "NGINX.NGINXPLUS/nginxDeployments",
    "azurerm_notification_hub_namespace": "Microsoft.NotificationHubs/namespaces",
    "azurerm_oracle_autonomous_database": "Oracle.Database/autonomousDatabases",
    "azurerm_oracle_cloud_vm_cluster": "Oracle.Database/cloudVmClusters",
    "azurerm_oracle_exadata_infrastructure": "Oracle.Database/cloudExadataInfrastructures",
    "azurerm_point_to_site_vpn_gateway": "Microsoft.Network/p2sVpnGateways",
    "azurerm_postgresql_server": "Microsoft.DBforPostgreSQL/servers",
    "azurerm_powerbi_embedded": "Microsoft.PowerBIDedicated/capacities",
    "azurerm_purview_account": "Microsoft.Purview/accounts",
    "azurerm_recovery_services_vault": "Microsoft.RecoveryServices/vaults",
    "azurerm_relay_namespace": "Microsoft.Relay/namespaces",
    "azurerm_search_service": "Microsoft.Search/searchServices",
    "azurerm_signalr_service": "Microsoft.SignalRService/SignalR",
    "azurerm_spring_cloud_service": "Microsoft.AppPlatform/Spring",
    "azurerm_static_web_app": "Microsoft.Web/staticSites",
    "azurerm_storage_mover": "Microsoft.StorageMover/storageMovers",
    "azurerm_stream_analytics_job": "Microsoft.StreamAnalytics/streamingjobs",
    "azurerm_traffic_manager_profile": "Microsoft.Network/trafficManagerProfiles",
    "azurerm_trusted_signing_account": "Microsoft.CodeSigning/codeSigningAccounts",
    "azurerm_video_indexer_account": "Microsoft.VideoIndexer/accounts",
    "azurerm_virtual_desktop_application_group": "Microsoft.DesktopVirtualization/applicationGroups",
    "azurerm_virtual_desktop_host_pool": "Microsoft.DesktopVirtualization/hostPools",
    "azurerm_virtual_desktop_scaling_plan": "Microsoft.DesktopVirtualization/scalingPlans",
    "azurerm_virtual_desktop_workspace": "Microsoft.DesktopVirtualization/workspaces",
    "azurerm_virtual_hub": "Microsoft.Network/virtualHubs",
    "azurerm_vmware_private_cloud": "Microsoft.AVS/privateClouds",
    "azurerm_vpn_gateway": "Microsoft.Network/vpnGateways",
    "azurerm_web_pubsub": "Microsoft.SignalRService/WebPubSub",
    "azurerm_web_pubsub_socketio": "Microsoft.SignalRService/WebPubSub",
    "azurerm_workloads_sap_discovery_virtual_instance": "Microsoft.Workloads/sapVirtualInstances",
    "azurerm_workloads_sap_single_node_virtual_instance": "Microsoft.Workloads/sapVirtualInstances",
    "azurerm_workloads_sap_three_tier_virtual_instance": "Microsoft.Workloads/sapVirtualInstances",
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
    "azurerm_healthcare_dicom_service": Row(
        type="Microsoft.HealthcareApis/workspaces/dicomservices", under="workspace_id"
    ),
    "azurerm_healthcare_fhir_service": Row(
        type="Microsoft.HealthcareApis/workspaces/fhirservices", under="workspace_id"
    ),
    "azurerm_healthcare_medtech_service": Row(
        type="Microsoft.HealthcareApis/workspaces/iotconnectors", under="workspace_id"
    ),
    "azurerm_healthcare_workspace": Row(type="Microsoft.HealthcareApis/workspaces"),
    "azurerm_netapp_volume": Row(
        type="Microsoft.NetApp/netAppAccounts/capacityPools/volumes", names=("account_name", "pool_name")
    ),
    "azurerm_notification_hub": Row(
        type="Microsoft.NotificationHubs/namespaces/notificationHubs", names=("namespace_name",)
    ),
    "azurerm_key_vault": Row(
        type="Microsoft.KeyVault/vaults",
        build=arm({"properties.publicNetworkAccess": enabled("public_network_access_enabled")}),
    ),
}

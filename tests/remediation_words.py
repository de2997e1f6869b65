"""What remediations may say: commands of az with their arguments, and what azurerm no longer takes.

A command that is not listed is not thereby wrong, only not looked up: look it up in the reference of the Azure CLI
(https://learn.microsoft.com/cli/azure/reference-index) and add it with the arguments that are used.
"""

GLOBAL = frozenset(
    {"--output", "-o", "--query", "--subscription", "--only-show-errors", "--ids", "--resource-group", "-g"}
)

# Command → arguments besides the global ones.
AZ = {
    "account list": "",
    "account management-group subscription add": "--name",
    "account set": "",
    "account show": "",
    "dns-resolver policy create": "--name --resource-group --location --tags",  # extension dns-resolver
    "dns-resolver policy vnet-link create": "--policy-name --name --resource-group --location --virtual-network --tags",
    "eventhubs eventhub create": "--name --namespace-name --cleanup-policy --partition-count --retention-time "
    "--retention-time-in-hours",
    "eventhubs namespace update": "--name --disable-local-auth --public-network-access --minimum-tls-version",
    "eventhubs namespace network-rule-set update": "--namespace-name --default-action "
    "--enable-trusted-service-access --public-network-access",
    "eventhubs namespace authorization-rule create": "--name --namespace-name --rights",
    "lock create": "--name --lock-type --resource --resource-name --resource-type --notes --namespace",
    "monitor action-group create": "--name --action --short-name",
    "monitor action-group update": "--name --add-action --set --enabled",
    "monitor activity-log alert create": "--name --condition --scope --action-group --description --all-of --location",
    "monitor activity-log alert update": "--name --enabled --condition --description",
    "network public-ip update": "--name --sku",
    "monitor log-analytics cluster update": "--name --key-vault-uri --key-name --key-version",
    "monitor private-link-scope scoped-resource create": "--name --scope-name --linked-resource",
    "monitor log-analytics workspace linked-service create": "--name --workspace-name --write-access-resource-id",
    "aks enable-addons": "--addons --name --workspace-resource-id --enable-msi-auth-for-monitoring",
    "containerapp env update": "--name --logs-destination --logs-workspace-id --logs-workspace-key",
    "monitor app-insights component create": "--app --location --workspace --kind --application-type",
    "monitor app-insights component update": "--app --workspace --ingestion-access --query-access",
    "monitor data-collection rule association create": "--name --association-name --rule-id --resource "
    "--data-collection-rule-id",
    "monitor data-collection rule create": "--name --location --rule-file --kind --data-flows --destinations "
    "--data-sources --log-analytics --syslog --windows-event-logs",
    "monitor data-collection rule update": "--name --data-flows --set --add",
    "monitor diagnostic-settings categories list": "--resource",
    "monitor diagnostic-settings create": "--name --resource --workspace --logs --metrics --storage-account "
    "--event-hub --event-hub-rule --export-to-resource-specific --marketplace-partner-id",
    "monitor diagnostic-settings delete": "--name --resource",
    "monitor diagnostic-settings list": "--resource",
    "monitor diagnostic-settings show": "--name --resource",
    "monitor diagnostic-settings update": "--name --resource --set --add --remove",
    "monitor diagnostic-settings subscription create": "--name --location --workspace --logs --storage-account "
    "--event-hub-name --event-hub-auth-rule",
    "monitor diagnostic-settings subscription delete": "--name",
    "monitor diagnostic-settings subscription list": "",
    "monitor log-analytics workspace create": "--name --workspace-name --location --retention-time --sku",
    "monitor log-analytics workspace recover": "--workspace-name",
    "monitor log-analytics workspace table update": "--name --workspace-name --retention-time "
    "--total-retention-time --plan",
    "monitor log-analytics workspace update": "--workspace-name --name --retention-time --quota --query-access "
    "--ingestion-access --set",
    "mysql flexible-server parameter set": "--server-name --name --value --source",
    "network watcher configure": "--locations --enabled --tags",
    "network watcher flow-log create": "--location --name --vnet --subnet --nic --storage-account --workspace "
    "--traffic-analytics --interval --enabled --format --log-version --retention",
    "network watcher flow-log delete": "--location --name",
    "network watcher flow-log list": "--location",
    "network watcher flow-log update": "--location --name --enabled --storage-account --workspace --retention "
    "--traffic-analytics --interval --vnet --subnet --nic",
    "postgres flexible-server parameter set": "--server-name --name --value --source",
    "postgres flexible-server restart": "--name",
    "resource update": "--set --name --resource-type --api-version --namespace --parent",
    "rest": "--method --url --uri --body --headers --resource",
    "security automation create_or_update": "--name --scopes --sources --actions --location --isEnabled --description",
    "security contact create": "--name --emails --phone --alert-notifications --notifications-by-role "
    "--alerts-admins --is-enabled --notifications-sources",
    "security pricing create": "--name --tier --subplan --extensions",
    "sentinel onboarding-state create": "--name --workspace-name --customer-managed-key",
    "sql db audit-policy update": "--name --server --state --log-analytics-target-state "
    "--log-analytics-workspace-resource-id --actions --blob-storage-target-state --storage-account --retention-days",
    "sql server audit-policy show": "--name",
    "sql server audit-policy update": "--name --state --log-analytics-target-state --actions --retention-days "
    "--log-analytics-workspace-resource-id --blob-storage-target-state --storage-account --storage-endpoint "
    "--event-hub-target-state --event-hub-authorization-rule-id --event-hub --set",
    "sql server ms-support audit-policy update": "--name --state --log-analytics-target-state "
    "--log-analytics-workspace-resource-id --blob-storage-target-state --storage-account",
    "sql server update": "--name --assign-identity",
    "storage account blob-service-properties update": "--account-name --enable-delete-retention "
    "--delete-retention-days --enable-container-delete-retention --container-delete-retention-days",
    "storage account management-policy create": "--account-name --policy",
    "storage account management-policy show": "--account-name",
    "storage account network-rule add": "--account-name --ip-address --subnet --vnet-name",
    "storage account update": "--name --https-only --bypass --default-action --allow-shared-key-access --min-tls-version "
    "--public-network-access --allow-blob-public-access --encryption-key-source --encryption-key-vault "
    "--encryption-key-name --set",
    "storage container immutability-policy create": "--account-name --container-name --period "
    "--allow-protected-append-writes --allow-protected-append-writes-all",
    "storage container immutability-policy lock": "--account-name --container-name --if-match",
    "storage container set-permission": "--account-name --name --public-access --auth-mode",
    "storage container-rm update": "--storage-account --name --public-access",
    "storage logging off": "--services --account-name --auth-mode",
    "synapse sql audit-policy update": "--workspace-name --state --actions --retention-days --storage-account "
    "--blob-storage-target-state --log-analytics-target-state --log-analytics-workspace-resource-id",
    "vm extension delete": "--name --vm-name",
    "vm extension set": "--name --publisher --vm-name --enable-auto-upgrade --version --settings",
    "vmss extension delete": "--name --vmss-name",
    "vmss extension set": "--name --publisher --vmss-name --enable-auto-upgrade --settings",
    "connectedmachine extension create": "--name --publisher --type --machine-name --location "
    "--enable-automatic-upgrade",
    "connectedmachine extension delete": "--name --machine-name",
    "webapp log config": "--name --slot --web-server-logging --application-logging --detailed-error-messages",
}  # fmt: skip

# azurerm, what is no longer taken: resource → removed path of blocks and arguments → release.
# https://github.com/hashicorp/terraform-provider-azurerm, website/docs: guides/4.0-upgrade-guide, 5.0-upgrade-guide
REMOVED_ARGUMENTS = {
    "azurerm_application_insights": {
        "disable_ip_masking": "5.0", "local_authentication_disabled": "5.0",
        "daily_data_cap_notifications_disabled": "5.0",
    },
    "azurerm_cosmosdb_account": {"local_authentication_disabled": "5.0"},
    "azurerm_eventhub": {"namespace_name": "5.0", "resource_group_name": "5.0"},
    "azurerm_key_vault": {"enable_rbac_authorization": "5.0", "contact": "5.0"},
    "azurerm_log_analytics_linked_storage_account": {"workspace_resource_id": "5.0"},
    "azurerm_log_analytics_workspace": {"local_authentication_disabled": "5.0"},
    "azurerm_monitor_aad_diagnostic_setting": {"log": "4.0", "enabled_log.retention_policy": "5.0"},
    "azurerm_monitor_diagnostic_setting": {
        "log": "4.0", "metric": "5.0", "metric.retention_policy": "5.0", "enabled_log.retention_policy": "5.0",
    },
    "azurerm_mysql_flexible_server": {"public_network_access_enabled": "5.0"},
    "azurerm_network_watcher_flow_log": {"network_security_group_id": "5.0"},
    "azurerm_policy_set_definition": {"management_group_id": "5.0"},
    "azurerm_recovery_services_vault": {"soft_delete_enabled": "5.0"},
    "azurerm_storage_account": {"queue_properties": "5.0", "static_website": "5.0"},
    "azurerm_storage_container": {"storage_account_name": "5.0", "resource_manager_id": "5.0"},
    "azurerm_storage_queue": {"storage_account_name": "5.0", "resource_manager_id": "5.0"},
    "azurerm_storage_share": {"storage_account_name": "5.0", "resource_manager_id": "5.0"},
    "azurerm_storage_table": {"storage_account_name": "5.0"},
}  # fmt: skip
REMOVED_RESOURCES = {
    "azurerm_app_service": "5.0", "azurerm_app_service_plan": "5.0", "azurerm_app_service_slot": "5.0",
    "azurerm_function_app": "5.0", "azurerm_function_app_slot": "5.0", "azurerm_monitor_log_profile": "4.0",
    "azurerm_postgresql_server": "5.0", "azurerm_postgresql_configuration": "5.0", "azurerm_mysql_server": "4.0",
    "azurerm_mysql_configuration": "4.0", "azurerm_mariadb_server": "4.0", "azurerm_mariadb_configuration": "4.0",
    "azurerm_security_center_auto_provisioning": "5.0", "azurerm_network_packet_capture": "4.0",
    "azurerm_redis_enterprise_cluster": "5.0", "azurerm_sql_server": "4.0", "azurerm_sql_database": "4.0",
}  # fmt: skip

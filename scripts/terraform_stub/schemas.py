"""Schemas of the azurerm resources that Contoso's configuration makes, as far as it writes them (see provider.py)."""

_HEAD = "name! location! resource_group_name! tags?:m id^ "
_LOG = {
    "enabled_log": ["category? category_group?", {"retention_policy": ["enabled!:b days?:n"]}],
    "enabled_metric": ["category!"],
}
_POLICY = (
    "storage_endpoint? storage_account_subscription_id? storage_account_access_key? retention_in_days?:n "
    "log_monitoring_enabled?:b audit_actions_and_groups?:l enabled?:b id^"
)
_APP = (
    _HEAD + "service_plan_id! https_only?:b enabled?:b app_settings?:m",
    {"site_config": ["always_on?:b application_insights_connection_string?"]},
)
_SOURCE = "name! streams!:l"
_EXTENSION = "name! publisher! type! type_handler_version! settings? tags?:m id^"

RESOURCES: dict[str, list] = {
    "azurerm_key_vault": [_HEAD + "tenant_id! sku_name! public_network_access_enabled?:b vault_uri^"],
    "azurerm_log_analytics_workspace": [_HEAD + "sku? retention_in_days~:n daily_quota_gb?:n workspace_id^"],
    "azurerm_monitor_diagnostic_setting": [
        "name! target_resource_id! log_analytics_workspace_id? log_analytics_destination_type~ storage_account_id? "
        "eventhub_name? eventhub_authorization_rule_id? partner_solution_id? id^",
        _LOG,
    ],
    "azurerm_storage_account": [
        _HEAD + "account_tier! account_replication_type! account_kind? min_tls_version? https_traffic_only_enabled?:b "
        "allow_nested_items_to_be_public?:b shared_access_key_enabled?:b primary_blob_endpoint^",
        {"network_rules": ["default_action! bypass?:S"]},
    ],
    "azurerm_mssql_server": [_HEAD + "version! administrator_login? fully_qualified_domain_name^"],
    "azurerm_mssql_database": ["name! server_id! sku_name? id^"],
    "azurerm_mssql_server_extended_auditing_policy": ["server_id! " + _POLICY],
    "azurerm_mssql_server_microsoft_support_auditing_policy": [
        "server_id! enabled?:b log_monitoring_enabled?:b blob_storage_endpoint? id^"
    ],
    "azurerm_postgresql_flexible_server": [_HEAD + "version? sku_name? fqdn^"],
    "azurerm_postgresql_flexible_server_configuration": ["name! server_id! value! id^"],
    "azurerm_mysql_flexible_server": [_HEAD + "sku_name? fqdn^"],
    "azurerm_mysql_flexible_server_configuration": ["name! resource_group_name! server_name! value! id^"],
    "azurerm_cosmosdb_account": [_HEAD + "offer_type! kind? endpoint^", {"capabilities": ["name!"]}],
    "azurerm_redis_cache": [_HEAD + "capacity!:n family! sku_name! hostname^"],
    "azurerm_databricks_workspace": [_HEAD + "sku! managed_resource_group_name~ workspace_url^"],
    "azurerm_service_plan": [_HEAD + "os_type! sku_name!"],
    "azurerm_linux_web_app": [*_APP],
    "azurerm_application_insights": [
        _HEAD + "application_type! workspace_id? local_authentication_disabled?:b internet_ingestion_enabled?:b "
        "internet_query_enabled?:b connection_string^"
    ],
    "azurerm_kubernetes_cluster": [
        _HEAD + "sku_tier? node_resource_group~",
        {
            "azure_active_directory_role_based_access_control": ["azure_rbac_enabled?:b tenant_id~"],
            "oms_agent": ["log_analytics_workspace_id! msi_auth_for_monitoring_enabled?:b"],
        },
    ],
    "azurerm_monitor_data_collection_rule": [
        _HEAD + "kind? immutable_id^",
        {
            "data_sources": [
                "",
                {
                    "extension": [_SOURCE + " extension_name! extension_json?"],
                    "syslog": [_SOURCE + " facility_names!:l log_levels!:l"],
                    "windows_event_log": [_SOURCE + " x_path_queries!:l"],
                },
            ],
            "destinations": ["", {"log_analytics": ["name! workspace_resource_id!"]}],
            "data_flow": ["streams!:l destinations!:l transform_kql?"],
        },
    ],
    "azurerm_monitor_data_collection_rule_association": [
        "name? target_resource_id! data_collection_rule_id? data_collection_endpoint_id? id^"
    ],
    "azurerm_api_management": [_HEAD + "publisher_name! publisher_email! sku_name! virtual_network_type? gateway_url^"],
    "azurerm_servicebus_namespace": [_HEAD + "sku! minimum_tls_version?"],
    "azurerm_eventhub_namespace": [
        _HEAD + "sku! capacity?:n minimum_tls_version?",
        {"network_rulesets": ["default_action! trusted_service_access_enabled?:b"]},
    ],
    "azurerm_container_app_environment": [_HEAD + "logs_destination? log_analytics_workspace_id?"],
    "azurerm_logic_app_workflow": [_HEAD],
    "azurerm_recovery_services_vault": [_HEAD + "sku!"],
    "azurerm_virtual_network": [_HEAD + "address_space?:l guid^"],
    "azurerm_subnet": ["name! resource_group_name! virtual_network_name! address_prefixes?:l id^"],
    "azurerm_network_security_group": [
        _HEAD,
        {"security_rule": ["name! priority!:n direction! access! protocol! source_address_prefix?"]},
    ],
    "azurerm_subnet_network_security_group_association": ["subnet_id! network_security_group_id! id^"],
    "azurerm_network_interface": [
        _HEAD + "private_ip_address^",
        {
            "ip_configuration": [
                "name! subnet_id? private_ip_address_allocation! public_ip_address_id? private_ip_address~"
            ]
        },
    ],
    "azurerm_network_watcher_flow_log": [
        _HEAD.replace("location!", "location~")
        + "network_watcher_name! target_resource_id? storage_account_id! enabled!:b version?:n",
        {
            "retention_policy": ["enabled!:b days!:n"],
            "traffic_analytics": ["enabled!:b workspace_id! workspace_region! workspace_resource_id!"],
        },
    ],
    "azurerm_firewall_policy": [
        _HEAD + "sku? base_policy_id?",
        {"intrusion_detection": ["mode?"], "dns": ["proxy_enabled?:b"]},
    ],
    "azurerm_firewall": [_HEAD + "sku_name! sku_tier! firewall_policy_id? dns_proxy_enabled~:b"],
    "azurerm_bastion_host": [_HEAD + "sku?", {"ip_configuration": ["name! subnet_id! public_ip_address_id?"]}],
    "azurerm_express_route_circuit": [_HEAD + "service_provider_name?"],
    "azurerm_linux_virtual_machine": [_HEAD + "size! network_interface_ids?:l"],
    "azurerm_windows_virtual_machine": [_HEAD + "size! network_interface_ids?:l"],
    "azurerm_virtual_machine_extension": ["virtual_machine_id! " + _EXTENSION],
}
DATA: dict[str, list] = {}

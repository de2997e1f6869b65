# Apps, clusters, gateways and what passes messages between them.

resource "azurerm_service_plan" "all" {
  for_each            = toset(["claims", "crm", "docs", "hr"])
  name                = "asp-${each.key}-prod"
  resource_group_name = "rg-${each.key}-prod"
  location            = local.we
  os_type             = "Linux"
  sku_name            = "P1v3"
}

resource "azurerm_linux_web_app" "all" {
  for_each            = azurerm_service_plan.all
  name                = "app-${each.key}-prod"
  resource_group_name = each.value.resource_group_name
  location            = each.value.location
  service_plan_id     = each.value.id
  https_only          = true
  site_config {}
}

resource "azurerm_monitor_diagnostic_setting" "app_claims" {
  name                       = "send-to-law-contoso-sec"
  target_resource_id         = azurerm_linux_web_app.all["claims"].id
  log_analytics_workspace_id = local.sec
  enabled_log {
    category_group = "allLogs"
  }
}

resource "azurerm_monitor_diagnostic_setting" "app_crm" {
  name                       = "selected"
  target_resource_id         = azurerm_linux_web_app.all["crm"].id
  log_analytics_workspace_id = local.sec
  enabled_log {
    category = "AppServiceHTTPLogs"
  }
}

resource "azurerm_monitor_diagnostic_setting" "app_hr" {
  name                       = "metrics"
  target_resource_id         = azurerm_linux_web_app.all["hr"].id
  log_analytics_workspace_id = azurerm_log_analytics_workspace.app.id
  enabled_metric {
    category = "AllMetrics"
  }
}

resource "azurerm_application_insights" "claims" {
  name                = "appi-claims-prod"
  resource_group_name = "rg-claims-prod"
  location            = local.we
  application_type    = "web"
  workspace_id        = azurerm_log_analytics_workspace.app.id
}

resource "azurerm_application_insights" "strict" {
  name                          = "appi-strict"
  resource_group_name           = "rg-shop-prod"
  location                      = local.we
  application_type              = "web"
  workspace_id                  = azurerm_log_analytics_workspace.app.id
  local_authentication_disabled = true
  internet_ingestion_enabled    = false
}

resource "azurerm_kubernetes_cluster" "lake" {
  name                = "aks-lake-prod"
  resource_group_name = "rg-lake-prod"
  location            = local.we
  sku_tier            = "Standard"
  azure_active_directory_role_based_access_control {
    azure_rbac_enabled = true
  }
}

resource "azurerm_kubernetes_cluster" "fleet" {
  name                = "aks-fleet-prod"
  resource_group_name = "rg-fleet-prod"
  location            = "swedencentral"
  sku_tier            = "Standard"
}

resource "azurerm_kubernetes_cluster" "pos" {
  name                = "aks-pos-prod"
  resource_group_name = "rg-pos-prod"
  location            = local.we
  sku_tier            = "Standard"
  azure_active_directory_role_based_access_control {
    azure_rbac_enabled = true
  }
  oms_agent {
    log_analytics_workspace_id      = local.sec
    msi_auth_for_monitoring_enabled = true
  }
}

resource "azurerm_monitor_data_collection_rule" "pos" {
  name                = "MSCI-westeurope-aks-pos-prod"
  resource_group_name = "rg-pos-prod"
  location            = local.we
  data_sources {
    extension {
      name           = "ContainerInsightsExtension"
      extension_name = "ContainerInsights"
      streams        = ["Microsoft-ContainerInsights-Group-Default"]
    }
  }
  destinations {
    log_analytics {
      name                  = "sec"
      workspace_resource_id = local.sec
    }
  }
  data_flow {
    streams      = ["Microsoft-ContainerInsights-Group-Default"]
    destinations = ["sec"]
  }
}

resource "azurerm_monitor_data_collection_rule_association" "pos" {
  name                    = "collection"
  target_resource_id      = azurerm_kubernetes_cluster.pos.id
  data_collection_rule_id = azurerm_monitor_data_collection_rule.pos.id
}

resource "azurerm_monitor_diagnostic_setting" "aks_lake" {
  name                       = "selected"
  target_resource_id         = azurerm_kubernetes_cluster.lake.id
  log_analytics_workspace_id = local.sec
  enabled_log {
    category = "kube-scheduler"
  }
}

resource "azurerm_monitor_diagnostic_setting" "aks_pos" {
  name                           = "selected"
  target_resource_id             = azurerm_kubernetes_cluster.pos.id
  log_analytics_workspace_id     = local.sec
  log_analytics_destination_type = "Dedicated"
  enabled_log {
    category = "kube-audit-admin"
  }
  enabled_log {
    category = "guard"
  }
}

resource "azurerm_api_management" "shop" {
  name                = "apim-shop"
  resource_group_name = "rg-api-prod"
  location            = local.we
  publisher_name      = "Contoso"
  publisher_email     = "api@contoso.com"
  sku_name            = "Standard_1"
}

resource "azurerm_api_management" "open" {
  name                = "apim-open"
  resource_group_name = "rg-api-prod"
  location            = local.we
  publisher_name      = "Contoso"
  publisher_email     = "api@contoso.com"
  sku_name            = "StandardV2_1"
}

resource "azurerm_monitor_diagnostic_setting" "apim_open" {
  name                       = "send-to-law-contoso-sec"
  target_resource_id         = azurerm_api_management.open.id
  log_analytics_workspace_id = local.sec
  enabled_log {
    category_group = "allLogs"
  }
}

resource "azurerm_servicebus_namespace" "pay" {
  name                = "sb-pay-prod"
  resource_group_name = "rg-pay-prod"
  location            = local.we
  sku                 = "Premium"
}

resource "azurerm_monitor_diagnostic_setting" "sb_pay" {
  name                       = "send-to-law-contoso-sec"
  target_resource_id         = azurerm_servicebus_namespace.pay.id
  log_analytics_workspace_id = local.sec
  enabled_log {
    category_group = "allLogs"
  }
}

resource "azurerm_eventhub_namespace" "fleet" {
  name                = "evhns-fleet-prod"
  resource_group_name = "rg-fleet-prod"
  location            = local.we
  sku                 = "Standard"
  capacity            = 2
}

resource "azurerm_container_app_environment" "shop" {
  name                = "cae-shop"
  resource_group_name = "rg-web-prod"
  location            = local.we
  logs_destination    = "log-analytics"
}

resource "azurerm_container_app_environment" "web" {
  name                = "cae-web"
  resource_group_name = "rg-web-prod"
  location            = local.we
  logs_destination    = "azure-monitor"
}

resource "azurerm_logic_app_workflow" "orders" {
  name                = "logic-orders"
  resource_group_name = "rg-shop-prod"
  location            = local.we
}

resource "azurerm_logic_app_workflow" "invoices" {
  name                = "logic-invoices"
  resource_group_name = "rg-shop-prod"
  location            = local.we
}

resource "azurerm_monitor_diagnostic_setting" "orders" {
  name                       = "send-to-law-contoso-sec"
  target_resource_id         = azurerm_logic_app_workflow.orders.id
  log_analytics_workspace_id = local.sec
  enabled_log {
    category_group = "allLogs"
  }
}

resource "azurerm_recovery_services_vault" "ne" {
  name                = "rsv-prod-ne"
  resource_group_name = "rg-backup-prod"
  location            = local.ne
  sku                 = "RS0"
}

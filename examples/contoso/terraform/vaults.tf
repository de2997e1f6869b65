# Exported whole, by group, by name, to an archive, to an event hub; and all the ways not to be exported.

locals {
  vaults = {
    kv-docs-prod-02  = "rg-docs-prod"
    kv-docs-prod-04  = "rg-docs-prod"
    kv-board-prod-02 = "rg-board"
    kv-pay-prod-02   = "rg-pay-prod"
    kv-pay-prod-03   = "rg-pay-prod"
    kv-crm-prod-02   = "rg-secrets-prod"
    kv-fleet-prod-01 = "rg-secrets-prod"
    kv-hr-prod-01    = "rg-secrets-prod"
    kv-hr-prod-02    = "rg-secrets-prod"
    kv-loans-prod-01 = "rg-secrets-prod"
    kv-loans-prod-03 = "rg-secrets-prod"
  }
}

resource "azurerm_key_vault" "all" {
  for_each            = local.vaults
  name                = each.key
  resource_group_name = each.value
  location            = local.we
  tenant_id           = local.tenant
  sku_name            = "standard"
}

resource "azurerm_monitor_diagnostic_setting" "vaults" {
  for_each                       = { kv-docs-prod-02 = "by-policy", kv-hr-prod-01 = "send-to-law-contoso-sec" }
  name                           = each.value
  target_resource_id             = azurerm_key_vault.all[each.key].id
  log_analytics_workspace_id     = local.sec
  log_analytics_destination_type = "Dedicated"
  enabled_log {
    category_group = "allLogs"
  }
}

resource "azurerm_monitor_diagnostic_setting" "docs_again" {
  name                       = "by-hand"
  target_resource_id         = azurerm_key_vault.all["kv-docs-prod-02"].id
  log_analytics_workspace_id = local.sec
  enabled_log {
    category = "AuditEvent"
  }
}

resource "azurerm_monitor_diagnostic_setting" "docs_archive" {
  name               = "archive"
  target_resource_id = azurerm_key_vault.all["kv-docs-prod-04"].id
  storage_account_id = local.archive.we
  enabled_log {
    category_group = "audit"
    retention_policy {
      enabled = true
      days    = 365
    }
  }
}

resource "azurerm_monitor_diagnostic_setting" "board" {
  name                       = "to-law-contoso-app"
  target_resource_id         = azurerm_key_vault.all["kv-board-prod-02"].id
  log_analytics_workspace_id = azurerm_log_analytics_workspace.app.id
  enabled_log {
    category_group = "allLogs"
  }
}

resource "azurerm_monitor_diagnostic_setting" "pay_group" {
  name                       = "audit-to-sec"
  target_resource_id         = azurerm_key_vault.all["kv-pay-prod-02"].id
  log_analytics_workspace_id = local.sec
  enabled_log {
    category_group = "audit"
  }
}

resource "azurerm_monitor_diagnostic_setting" "pay_category" {
  name                       = "audit"
  target_resource_id         = azurerm_key_vault.all["kv-pay-prod-03"].id
  log_analytics_workspace_id = local.sec
  enabled_log {
    category = "AuditEvent"
  }
}

resource "azurerm_monitor_diagnostic_setting" "crm" {
  name                           = "to-evhns-contoso-siem"
  target_resource_id             = azurerm_key_vault.all["kv-crm-prod-02"].id
  eventhub_authorization_rule_id = local.siem
  eventhub_name                  = "evhns-contoso-siem"
  enabled_log {
    category_group = "allLogs"
  }
}

resource "azurerm_monitor_diagnostic_setting" "hr_both" {
  name                       = "to-both"
  target_resource_id         = azurerm_key_vault.all["kv-hr-prod-02"].id
  log_analytics_workspace_id = local.sec
  storage_account_id         = local.archive.we
  enabled_log {
    category_group = "audit"
  }
  enabled_log {
    category_group = "allLogs"
  }
}

resource "azurerm_monitor_diagnostic_setting" "loans_other_category" {
  name                       = "policy"
  target_resource_id         = azurerm_key_vault.all["kv-loans-prod-01"].id
  log_analytics_workspace_id = local.sec
  enabled_log {
    category = "AzurePolicyEvaluationDetails"
  }
}

resource "azurerm_monitor_diagnostic_setting" "loans_metrics" {
  name                       = "metrics"
  target_resource_id         = azurerm_key_vault.all["kv-loans-prod-03"].id
  log_analytics_workspace_id = azurerm_log_analytics_workspace.app.id
  enabled_metric {
    category = "AllMetrics"
  }
}

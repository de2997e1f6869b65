terraform {
  required_providers {
    azurerm = { source = "hashicorp/azurerm", version = "4.40.0" }
    azapi   = { source = "azure/azapi", version = "2.5.0" }
  }
}
provider "azurerm" {
  subscription_id = "11111111-1111-1111-1111-111111111111"
  features {}
}
variable "workspace_elsewhere" { default = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg-sec/providers/Microsoft.OperationalInsights/workspaces/law-sec" }
variable "primary" { default = true }
data "azurerm_client_config" "current" {}
locals {
  rg     = "rg-app"
  place  = "westeurope"
  tenant = data.azurerm_client_config.current.tenant_id
}
resource "azurerm_log_analytics_workspace" "law" {
  name                = "law-app"
  location            = local.place
  resource_group_name = local.rg
}
resource "azurerm_key_vault" "kv" {
  for_each            = toset(["a", "b", "c", "d"])
  name                = "kv-${each.key}"
  location            = local.place
  resource_group_name = local.rg
  tenant_id           = local.tenant
  sku_name            = "standard"
}
resource "azurerm_monitor_diagnostic_setting" "either" {
  name                       = "audit"
  target_resource_id         = var.primary ? azurerm_key_vault.kv["a"].id : azurerm_key_vault.kv["b"].id
  log_analytics_workspace_id = azurerm_log_analytics_workspace.law.id
  enabled_log { category = "AuditEvent" }
}
resource "azurerm_monitor_diagnostic_setting" "later" {
  name                       = "audit"
  target_resource_id         = azurerm_key_vault.kv["c"].id
  log_analytics_workspace_id = azurerm_log_analytics_workspace.law.id
  dynamic "enabled_log" {
    for_each = toset([azurerm_log_analytics_workspace.law.workspace_id])
    content { category = enabled_log.value }
  }
}

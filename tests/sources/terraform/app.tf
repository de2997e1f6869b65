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
  ids    = { a = azurerm_key_vault.local_a.id }
}
resource "azurerm_resource_group" "rg" {
  name     = local.rg
  location = local.place
}
resource "azurerm_log_analytics_workspace" "law" {
  name                = "law-app"
  location            = azurerm_resource_group.rg.location
  resource_group_name = azurerm_resource_group.rg.name
  retention_in_days   = 180
}
# audited directly
resource "azurerm_key_vault" "app" {
  name                = "kv-app"
  location            = local.place
  resource_group_name = local.rg
  tenant_id           = local.tenant
  sku_name            = "standard"
}
resource "azurerm_monitor_diagnostic_setting" "app" {
  name                       = "audit"
  target_resource_id         = azurerm_key_vault.app.id
  log_analytics_workspace_id = azurerm_log_analytics_workspace.law.id
  enabled_log { category = "AuditEvent" }
}
# its name contains another's, and it has metrics only; the setting is named like the other vault
resource "azurerm_key_vault" "app2" {
  name                = "kv-app-2"
  location            = local.place
  resource_group_name = local.rg
  tenant_id           = local.tenant
  sku_name            = "standard"
}
resource "azurerm_monitor_diagnostic_setting" "metrics" {
  name                       = "kv-app"
  target_resource_id         = azurerm_key_vault.app2.id
  log_analytics_workspace_id = azurerm_log_analytics_workspace.law.id
  enabled_metric { category = "AllMetrics" }
}
# for_each with equal keys
resource "azurerm_key_vault" "fe" {
  for_each            = toset(["one", "two"])
  name                = "kv-fe-${each.key}"
  location            = local.place
  resource_group_name = local.rg
  tenant_id           = local.tenant
  sku_name            = "standard"
}
resource "azurerm_monitor_diagnostic_setting" "fe" {
  for_each                   = toset(["one"])
  name                       = "audit"
  target_resource_id         = azurerm_key_vault.fe[each.key].id
  log_analytics_workspace_id = var.workspace_elsewhere
  enabled_log { category_group = "audit" }
}
# for_each over the vaults themselves
resource "azurerm_key_vault" "chain" {
  for_each            = toset(["x", "y"])
  name                = "kv-chain-${each.key}"
  location            = local.place
  resource_group_name = local.rg
  tenant_id           = local.tenant
  sku_name            = "standard"
}
resource "azurerm_monitor_diagnostic_setting" "chain" {
  for_each                   = azurerm_key_vault.chain
  name                       = "audit"
  target_resource_id         = each.value.id
  log_analytics_workspace_id = azurerm_log_analytics_workspace.law.id
  enabled_log { category_group = "allLogs" }
}
# count
resource "azurerm_key_vault" "cnt" {
  count               = 2
  name                = "kv-cnt-${count.index}"
  location            = local.place
  resource_group_name = local.rg
  tenant_id           = local.tenant
  sku_name            = "standard"
}
resource "azurerm_monitor_diagnostic_setting" "cnt" {
  name                       = "audit"
  target_resource_id         = azurerm_key_vault.cnt[0].id
  log_analytics_workspace_id = azurerm_log_analytics_workspace.law.id
  enabled_log { category = "AuditEvent" }
}
# for_each over a local: the plan cannot tell
resource "azurerm_key_vault" "local_a" {
  name                = "kv-local-a"
  location            = local.place
  resource_group_name = local.rg
  tenant_id           = local.tenant
  sku_name            = "standard"
}
module "kv" {
  for_each  = toset(["a/b", "c"])
  source    = "./m/kv"
  name      = "kv-mod-${substr(each.key, 0, 1)}"
  workspace = azurerm_log_analytics_workspace.law.id
}
module "bare" {
  source = "./m/kv"
  name   = "kv-bare"
  watch  = false
}
module "outside" {
  source = "./m/kv"
  name   = "kv-outside"
  watch  = false
}
resource "azurerm_monitor_diagnostic_setting" "outside" {
  name                       = "audit"
  target_resource_id         = module.outside.id
  log_analytics_workspace_id = azurerm_log_analytics_workspace.law.id
  enabled_log { category = "AuditEvent" }
}
resource "azurerm_storage_account" "sa" {
  name                     = "stapp"
  location                 = local.place
  resource_group_name      = local.rg
  account_tier             = "Standard"
  account_replication_type = "LRS"
}
resource "azurerm_monitor_diagnostic_setting" "blob" {
  name                       = "logs"
  target_resource_id         = "${azurerm_storage_account.sa.id}/blobServices/default"
  log_analytics_workspace_id = azurerm_log_analytics_workspace.law.id
  enabled_log { category_group = "allLogs" }
}
resource "azurerm_storage_account" "each" {
  name                     = "steach"
  location                 = local.place
  resource_group_name      = local.rg
  account_tier             = "Standard"
  account_replication_type = "LRS"
}
resource "azurerm_monitor_diagnostic_setting" "each" {
  for_each                   = toset(["blob", "queue", "table"])
  name                       = "logs"
  target_resource_id         = "${azurerm_storage_account.each.id}/${each.key}Services/default"
  log_analytics_workspace_id = azurerm_log_analytics_workspace.law.id
  enabled_log { category = "StorageRead" }
  enabled_log { category = "StorageWrite" }
  enabled_log { category = "StorageDelete" }
}
resource "azapi_resource" "kv" {
  type      = "Microsoft.KeyVault/vaults@2023-07-01"
  name      = "kv-azapi"
  parent_id = azurerm_resource_group.rg.id
  location  = local.place
  body = { properties = { tenantId = local.tenant, sku = { family = "A", name = "standard" } } }
}
resource "azapi_resource" "kvdiag" {
  type      = "Microsoft.Insights/diagnosticSettings@2021-05-01-preview"
  name      = "audit"
  parent_id = azapi_resource.kv.id
  body = { properties = { workspaceId = azurerm_log_analytics_workspace.law.id, logs = [{ category = "AuditEvent", enabled = true }] } }
}
resource "azapi_resource" "kv2" {
  type      = "Microsoft.KeyVault/vaults@2023-07-01"
  name      = "kv-azapi-text"
  parent_id = azurerm_resource_group.rg.id
  location  = local.place
  body      = jsonencode({ properties = { sku = { family = "A", name = "standard" } } })
}
resource "azapi_resource" "kv2diag" {
  type      = "Microsoft.Insights/diagnosticSettings@2021-05-01-preview"
  name      = "audit"
  parent_id = azapi_resource.kv2.id
  body      = jsonencode({ properties = { workspaceId = azurerm_log_analytics_workspace.law.id, logs = [{ category = "AuditEvent", enabled = true }] } })
}
# network
resource "azurerm_virtual_network" "v" {
  name                = "vnet-app"
  location            = local.place
  resource_group_name = local.rg
  address_space       = ["10.0.0.0/16"]
}
resource "azurerm_subnet" "s" {
  name                 = "snet-app"
  resource_group_name  = local.rg
  virtual_network_name = azurerm_virtual_network.v.name
  address_prefixes     = ["10.0.1.0/24"]
}
resource "azurerm_network_security_group" "n" {
  name                = "nsg-app"
  location            = local.place
  resource_group_name = local.rg
  security_rule {
    name = "https"
    priority = 100
    direction = "Inbound"
    access = "Allow"
    protocol = "Tcp"
    source_port_range = "*"
    destination_port_range = "443"
    source_address_prefix = "Internet"
    destination_address_prefix = "*"
  }
}
resource "azurerm_subnet_network_security_group_association" "a" {
  subnet_id                 = azurerm_subnet.s.id
  network_security_group_id = azurerm_network_security_group.n.id
}
resource "azurerm_public_ip" "p" {
  name                = "pip-app"
  location            = local.place
  resource_group_name = local.rg
  allocation_method   = "Static"
  sku                 = "Standard"
}
resource "azurerm_network_interface" "i" {
  name                = "nic-app"
  location            = local.place
  resource_group_name = local.rg
  ip_configuration {
    name = "main"
    subnet_id = azurerm_subnet.s.id
    private_ip_address_allocation = "Dynamic"
    public_ip_address_id = azurerm_public_ip.p.id
  }
}
resource "azurerm_network_watcher_flow_log" "f" {
  name                 = "fl-app"
  network_watcher_name = "NetworkWatcher_westeurope"
  resource_group_name  = "NetworkWatcherRG"
  target_resource_id   = azurerm_virtual_network.v.id
  storage_account_id   = azurerm_storage_account.sa.id
  location             = local.place
  enabled              = false
  retention_policy {
    enabled = true
    days    = 90
  }
}
resource "azurerm_mssql_server" "sql" {
  name                = "sql-app"
  location            = local.place
  resource_group_name = local.rg
  version             = "12.0"
}
resource "azurerm_mssql_database" "db" {
  name      = "orders"
  server_id = azurerm_mssql_server.sql.id
}
resource "azurerm_mssql_server_extended_auditing_policy" "sql" {
  server_id              = azurerm_mssql_server.sql.id
  enabled                = true
  log_monitoring_enabled = true
}
resource "azurerm_monitor_diagnostic_setting" "master" {
  name                       = "audit"
  target_resource_id         = "${azurerm_mssql_server.sql.id}/databases/master"
  log_analytics_workspace_id = azurerm_log_analytics_workspace.law.id
  enabled_log { category = "SQLSecurityAuditEvents" }
}
resource "azurerm_eventhub_namespace" "eh" {
  name                = "eh-app"
  location            = local.place
  resource_group_name = local.rg
  sku                 = "Standard"
}
resource "azurerm_eventhub_namespace_authorization_rule" "eh" {
  name                = "send"
  namespace_name      = azurerm_eventhub_namespace.eh.name
  resource_group_name = local.rg
  send                = true
}
resource "azurerm_key_vault" "stream" {
  name                = "kv-stream"
  location            = local.place
  resource_group_name = local.rg
  tenant_id           = local.tenant
  sku_name            = "standard"
}
resource "azurerm_monitor_diagnostic_setting" "stream" {
  name                           = "audit"
  target_resource_id             = azurerm_key_vault.stream.id
  eventhub_authorization_rule_id = azurerm_eventhub_namespace_authorization_rule.eh.id
  eventhub_name                  = "logs"
  enabled_log { category = "AuditEvent" }
}
data "azurerm_subscription" "current" {}
resource "azurerm_monitor_diagnostic_setting" "activity" {
  name                       = "activity"
  target_resource_id         = data.azurerm_subscription.current.id
  log_analytics_workspace_id = azurerm_log_analytics_workspace.law.id
  enabled_log { category = "Administrative" }
}
resource "azurerm_monitor_aad_diagnostic_setting" "entra" {
  name                       = "entra"
  log_analytics_workspace_id = azurerm_log_analytics_workspace.law.id
  enabled_log { category = "AuditLogs" }
}

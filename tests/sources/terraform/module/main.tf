variable "name" {}
variable "workspace" { default = null }
variable "watch" { default = true }
resource "azurerm_key_vault" "this" {
  name                = var.name
  location            = "westeurope"
  resource_group_name = "rg-app"
  tenant_id           = "00000000-0000-0000-0000-000000000001"
  sku_name            = "standard"
}
resource "azurerm_monitor_diagnostic_setting" "this" {
  count                      = var.watch ? 1 : 0
  name                       = "audit"
  target_resource_id         = azurerm_key_vault.this.id
  log_analytics_workspace_id = var.workspace
  enabled_log { category = "AuditEvent" }
}
output "id" { value = azurerm_key_vault.this.id }

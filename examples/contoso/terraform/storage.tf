# All four services logged, one of them only, and none; a premium account has but one.

locals {
  services = toset(["blob", "queue", "table", "file"])
}

resource "azurerm_storage_account" "lake" {
  for_each                        = { stlakeprod01 = local.we, stlakeprod02 = local.ne }
  name                            = each.key
  resource_group_name             = "rg-data-prod"
  location                        = each.value
  account_tier                    = "Standard"
  account_replication_type        = "LRS"
  account_kind                    = "StorageV2"
  allow_nested_items_to_be_public = false
}

resource "azurerm_monitor_diagnostic_setting" "lake" {
  for_each                   = local.services
  name                       = "send-to-law-contoso-sec"
  target_resource_id         = "${azurerm_storage_account.lake["stlakeprod01"].id}/${each.key}Services/default"
  log_analytics_workspace_id = local.sec
  enabled_log {
    category_group = "allLogs"
  }
}

resource "azurerm_storage_account" "web" {
  name                            = "stwebnoprod01"
  resource_group_name             = "rg-web-prod"
  location                        = local.ne
  account_tier                    = "Standard"
  account_replication_type        = "LRS"
  account_kind                    = "StorageV2"
  allow_nested_items_to_be_public = false
}

resource "azurerm_monitor_diagnostic_setting" "web" {
  for_each           = toset(["blob"])
  name               = "to-stcontosoarchne"
  target_resource_id = "${azurerm_storage_account.web.id}/${each.key}Services/default"
  storage_account_id = local.archive.ne
  enabled_log {
    category_group = "allLogs"
  }
}

resource "azurerm_storage_account" "shares" {
  name                            = "stshares01"
  resource_group_name             = "rg-data-prod"
  location                        = "uksouth"
  account_tier                    = "Premium"
  account_replication_type        = "LRS"
  account_kind                    = "FileStorage"
  allow_nested_items_to_be_public = false
}

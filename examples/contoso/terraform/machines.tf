# Machines with the agent and a rule that collects sign-ins, with a rule that collects figures, and with agents that are gone.

resource "azurerm_linux_virtual_machine" "all" {
  for_each            = { vm-claims-web-1 = "rg-claims-prod", vm-claims-web-2 = "rg-claims-prod", vm-crm-web-2 = "rg-crm-prod" }
  name                = each.key
  resource_group_name = each.value
  location            = local.we
  size                = "Standard_D4s_v5"
}

resource "azurerm_windows_virtual_machine" "all" {
  for_each            = { vm-claims-sql-1 = "rg-claims-prod", vm-crm-sql-1 = "rg-crm-prod" }
  name                = each.key
  resource_group_name = each.value
  location            = local.we
  size                = "Standard_D4s_v5"
}

resource "azurerm_virtual_machine_extension" "linux" {
  for_each             = azurerm_linux_virtual_machine.all
  name                 = "AzureMonitorLinuxAgent"
  virtual_machine_id   = each.value.id
  publisher            = "Microsoft.Azure.Monitor"
  type                 = "AzureMonitorLinuxAgent"
  type_handler_version = "1.33"
}

resource "azurerm_virtual_machine_extension" "windows" {
  name                 = "AzureMonitorWindowsAgent"
  virtual_machine_id   = azurerm_windows_virtual_machine.all["vm-claims-sql-1"].id
  publisher            = "Microsoft.Azure.Monitor"
  type                 = "AzureMonitorWindowsAgent"
  type_handler_version = "1.33"
}

resource "azurerm_virtual_machine_extension" "gone" {
  for_each             = toset(["IaaSDiagnostics", "MicrosoftMonitoringAgent"])
  name                 = each.key
  virtual_machine_id   = azurerm_windows_virtual_machine.all["vm-crm-sql-1"].id
  publisher            = "Microsoft.EnterpriseCloud.Monitoring"
  type                 = each.key
  type_handler_version = "1.0"
}

resource "azurerm_monitor_data_collection_rule" "windows" {
  provider            = azurerm.platform
  name                = "dcr-windows-security"
  resource_group_name = "rg-logging"
  location            = local.we
  data_sources {
    windows_event_log {
      name           = "security"
      streams        = ["Microsoft-SecurityEvent"]
      x_path_queries = ["Security!*[System[(EventID=4624 or EventID=4625)]]"]
    }
  }
  destinations {
    log_analytics {
      name                  = "sec"
      workspace_resource_id = local.sec
    }
  }
  data_flow {
    streams      = ["Microsoft-SecurityEvent"]
    destinations = ["sec"]
  }
}

resource "azurerm_monitor_diagnostic_setting" "windows" {
  name                       = "send-to-law-contoso-sec"
  target_resource_id         = azurerm_monitor_data_collection_rule.windows.id
  log_analytics_workspace_id = local.sec
  enabled_log {
    category_group = "allLogs"
  }
}

resource "azurerm_monitor_data_collection_rule" "linux" {
  provider            = azurerm.platform
  name                = "dcr-linux-syslog"
  resource_group_name = "rg-logging"
  location            = local.we
  data_sources {
    syslog {
      name           = "logins"
      streams        = ["Microsoft-Syslog"]
      facility_names = ["auth", "authpriv", "daemon"]
      log_levels     = ["Info", "Warning", "Error"]
    }
  }
  destinations {
    log_analytics {
      name                  = "sec"
      workspace_resource_id = local.sec
    }
  }
  data_flow {
    streams      = ["Microsoft-Syslog"]
    destinations = ["sec"]
  }
}

resource "azurerm_monitor_data_collection_rule" "figures" {
  provider            = azurerm.platform
  name                = "dcr-vm-performance"
  resource_group_name = "rg-logging"
  location            = local.we
  destinations {
    log_analytics {
      name                  = "sec"
      workspace_resource_id = local.sec
    }
  }
  data_flow {
    streams      = ["Microsoft-Perf"]
    destinations = ["sec"]
  }
}

resource "azurerm_monitor_data_collection_rule_association" "sql" {
  name                    = "collection"
  target_resource_id      = azurerm_windows_virtual_machine.all["vm-claims-sql-1"].id
  data_collection_rule_id = azurerm_monitor_data_collection_rule.windows.id
}

resource "azurerm_monitor_data_collection_rule_association" "web_1" {
  name                    = "collection"
  target_resource_id      = azurerm_linux_virtual_machine.all["vm-claims-web-1"].id
  data_collection_rule_id = azurerm_monitor_data_collection_rule.linux.id
}

resource "azurerm_monitor_data_collection_rule_association" "web_2" {
  name                    = "collection"
  target_resource_id      = azurerm_linux_virtual_machine.all["vm-claims-web-2"].id
  data_collection_rule_id = azurerm_monitor_data_collection_rule.figures.id
}

resource "azurerm_monitor_data_collection_rule_association" "crm" {
  name                    = "collection"
  target_resource_id      = azurerm_linux_virtual_machine.all["vm-crm-web-2"].id
  data_collection_rule_id = azurerm_monitor_data_collection_rule.windows.id
}

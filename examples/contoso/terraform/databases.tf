# Servers whose events go nowhere, databases that log half, parameters that keep the log empty.

locals {
  groups = ["SUCCESSFUL_DATABASE_AUTHENTICATION_GROUP", "FAILED_DATABASE_AUTHENTICATION_GROUP", "BATCH_COMPLETED_GROUP"]
}

resource "azurerm_mssql_server" "all" {
  for_each            = toset(["pay", "crm", "legal", "hr"])
  name                = "sql-${each.key}-prod"
  resource_group_name = "rg-${each.key}-prod"
  location            = local.we
  version             = "12.0"
}

resource "azurerm_mssql_database" "all" {
  for_each  = azurerm_mssql_server.all
  name      = "sqldb-${each.key}"
  server_id = each.value.id
  sku_name  = "GP_Gen5_2"
}

resource "azurerm_mssql_server_extended_auditing_policy" "monitor" {
  for_each                 = { pay = local.groups, crm = ["BATCH_COMPLETED_GROUP"], hr = local.groups }
  server_id                = azurerm_mssql_server.all[each.key].id
  log_monitoring_enabled   = true
  audit_actions_and_groups = each.value
}

resource "azurerm_mssql_server_extended_auditing_policy" "legal" {
  server_id                       = azurerm_mssql_server.all["legal"].id
  storage_endpoint                = "https://stcontosoarchwe.blob.core.windows.net/"
  storage_account_subscription_id = "35f26f30-f3f6-5141-8100-11cd27c88021"
  log_monitoring_enabled          = false
  audit_actions_and_groups        = local.groups
}

resource "azurerm_monitor_diagnostic_setting" "sql" {
  for_each                   = toset(["pay", "legal"])
  name                       = "send-to-law-contoso-sec"
  target_resource_id         = azurerm_mssql_database.all[each.key].id
  log_analytics_workspace_id = local.sec
  enabled_log {
    category_group = "allLogs"
  }
}

resource "azurerm_monitor_diagnostic_setting" "sql_crm" {
  name                       = "selected"
  target_resource_id         = azurerm_mssql_database.all["crm"].id
  log_analytics_workspace_id = local.sec
  dynamic "enabled_log" {
    for_each = toset(["Deadlocks", "Errors", "Timeouts"])
    content {
      category = enabled_log.key
    }
  }
}

# A plan does not tell the master database from its server: what depends on it is not known.
resource "azurerm_monitor_diagnostic_setting" "master_pay" {
  name                       = "selected"
  target_resource_id         = "${azurerm_mssql_server.all["pay"].id}/databases/master"
  log_analytics_workspace_id = local.sec
  enabled_log {
    category = "SQLSecurityAuditEvents"
  }
  enabled_log {
    category = "DevOpsOperationsAudit"
  }
}

resource "azurerm_mssql_server_microsoft_support_auditing_policy" "pay" {
  server_id              = azurerm_mssql_server.all["pay"].id
  log_monitoring_enabled = true
}

resource "azurerm_monitor_diagnostic_setting" "master_crm" {
  name                       = "selected"
  target_resource_id         = "${azurerm_mssql_server.all["crm"].id}/databases/master"
  log_analytics_workspace_id = local.sec
  enabled_log {
    category = "SQLSecurityAuditEvents"
  }
}

resource "azurerm_postgresql_flexible_server" "all" {
  for_each            = toset(["crm", "docs", "fleet", "pos"])
  name                = "psql-${each.key}-prod"
  resource_group_name = "rg-${each.key}-prod"
  location            = local.we
  version             = "16"
}

resource "azurerm_postgresql_flexible_server_configuration" "disconnections" {
  for_each  = toset(["crm", "pos"])
  name      = "log_disconnections"
  server_id = azurerm_postgresql_flexible_server.all[each.key].id
  value     = "off"
}

resource "azurerm_postgresql_flexible_server_configuration" "libraries" {
  for_each  = azurerm_postgresql_flexible_server.all
  name      = "shared_preload_libraries"
  server_id = each.value.id
  value     = each.key == "docs" ? "pg_cron,pg_stat_statements" : "pg_cron,pg_stat_statements,pgaudit"
}

resource "azurerm_postgresql_flexible_server_configuration" "fleet" {
  name      = "pgaudit.log"
  server_id = azurerm_postgresql_flexible_server.all["fleet"].id
  value     = "write,ddl,role"
}

resource "azurerm_monitor_diagnostic_setting" "postgresql" {
  for_each                   = toset(["crm", "fleet"])
  name                       = "send-to-law-contoso-sec"
  target_resource_id         = azurerm_postgresql_flexible_server.all[each.key].id
  log_analytics_workspace_id = local.sec
  enabled_log {
    category_group = "allLogs"
  }
}

resource "azurerm_monitor_diagnostic_setting" "postgresql_metrics" {
  name                       = "metrics"
  target_resource_id         = azurerm_postgresql_flexible_server.all["docs"].id
  log_analytics_workspace_id = azurerm_log_analytics_workspace.app.id
  enabled_metric {
    category = "AllMetrics"
  }
}

resource "azurerm_monitor_diagnostic_setting" "postgresql_sessions" {
  name                       = "selected"
  target_resource_id         = azurerm_postgresql_flexible_server.all["pos"].id
  log_analytics_workspace_id = local.sec
  enabled_log {
    category = "PostgreSQLFlexSessions"
  }
}

resource "azurerm_mysql_flexible_server" "all" {
  for_each            = toset(["mail", "pos", "web"])
  name                = "mysql-${each.key}-prod"
  resource_group_name = "rg-${each.key}-prod"
  location            = local.we
}

resource "azurerm_mysql_flexible_server_configuration" "mail" {
  for_each            = { audit_log_enabled = "ON", audit_log_events = "CONNECTION_V2,DDL" }
  name                = each.key
  resource_group_name = "rg-mail-prod"
  server_name         = azurerm_mysql_flexible_server.all["mail"].name
  value               = each.value
}

resource "azurerm_monitor_diagnostic_setting" "mysql" {
  for_each                   = toset(["mail", "pos"])
  name                       = "selected"
  target_resource_id         = azurerm_mysql_flexible_server.all[each.key].id
  log_analytics_workspace_id = local.sec
  enabled_log {
    category = "MySqlAuditLogs"
  }
}

resource "azurerm_cosmosdb_account" "fleet" {
  name                = "cosmos-fleet-prod"
  resource_group_name = "rg-fleet-prod"
  location            = local.we
  offer_type          = "Standard"
}

resource "azurerm_cosmosdb_account" "web" {
  name                = "cosmos-web-prod"
  resource_group_name = "rg-web-prod"
  location            = local.we
  offer_type          = "Standard"
  kind                = "MongoDB"
  capabilities {
    name = "EnableMongo"
  }
}

resource "azurerm_monitor_diagnostic_setting" "cosmos_fleet" {
  name                           = "selected"
  target_resource_id             = azurerm_cosmosdb_account.fleet.id
  log_analytics_workspace_id     = local.sec
  log_analytics_destination_type = "Dedicated"
  enabled_log {
    category = "DataPlaneRequests"
  }
  enabled_log {
    category = "ControlPlaneRequests"
  }
}

resource "azurerm_monitor_diagnostic_setting" "cosmos_web" {
  name                           = "selected"
  target_resource_id             = azurerm_cosmosdb_account.web.id
  log_analytics_workspace_id     = local.sec
  log_analytics_destination_type = "Dedicated"
  dynamic "enabled_log" {
    for_each = toset(["ControlPlaneRequests", "DataPlaneRequests"])
    content {
      category = enabled_log.key
    }
  }
}

resource "azurerm_redis_cache" "all" {
  for_each            = toset(["crm", "pos", "web"])
  name                = "redis-${each.key}-prod"
  resource_group_name = "rg-${each.key}-prod"
  location            = local.we
  capacity            = 1
  family              = "C"
  sku_name            = "Standard"
}

resource "azurerm_monitor_diagnostic_setting" "redis_pos" {
  name                       = "selected"
  target_resource_id         = azurerm_redis_cache.all["pos"].id
  log_analytics_workspace_id = local.sec
  enabled_log {
    category = "ConnectedClientList"
  }
}

resource "azurerm_monitor_diagnostic_setting" "redis_web" {
  name                       = "to-app-team"
  target_resource_id         = azurerm_redis_cache.all["web"].id
  log_analytics_workspace_id = azurerm_log_analytics_workspace.app.id
  enabled_log {
    category_group = "allLogs"
  }
}

resource "azurerm_databricks_workspace" "all" {
  for_each            = toset(["lake", "risk"])
  name                = "dbw-${each.key}-prod"
  resource_group_name = "rg-${each.key}-prod"
  location            = local.we
  sku                 = "premium"
}

resource "azurerm_monitor_diagnostic_setting" "databricks_lake" {
  name                       = "send-to-law-contoso-sec"
  target_resource_id         = azurerm_databricks_workspace.all["lake"].id
  log_analytics_workspace_id = local.sec
  enabled_log {
    category_group = "allLogs"
  }
}

resource "azurerm_monitor_diagnostic_setting" "databricks_risk" {
  name                       = "selected"
  target_resource_id         = azurerm_databricks_workspace.all["risk"].id
  log_analytics_workspace_id = local.sec
  dynamic "enabled_log" {
    for_each = toset(["clusters", "jobs"])
    content {
      category = enabled_log.key
    }
  }
}

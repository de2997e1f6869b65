"""Databases other than those of SQL servers, and their parameters, as a plan writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from auditor import documents as d
from auditor.sources.terraform.shape import Link, Row, Values, arm, attribute, each, identity, later
from auditor.sources.terraform.sql_fields import policy_row

_COSMOS: Final = arm(
    {
        "kind": attribute("kind", otherwise="GlobalDocumentDB"),
        "properties.capabilities": each("capabilities", lambda block, _: {"name": block.get("name")}),
    }
)
_PARAMETER: Final = arm({"properties.value": attribute("value")})
_CACHE: Final = arm({"properties.sku.name": attribute("sku_name")})


def _databricks(v: Values, _: Link) -> dict[str, Any]:
    group, sku = v.get("managed_resource_group_name"), v.get("sku")
    return {
        "properties": {"managedResourceGroupId": f"/resourceGroups/{group}"} if isinstance(group, str) else {},
        **({"sku": sku} if later(sku) else {"sku": {"name": sku}} if sku else {}),
    }


_INSTANCE: Final = arm(
    {
        "sku.name": attribute("sku_name"),
        "properties.subnetId": identity("subnet_id"),
        "properties.publicDataEndpointEnabled": attribute("public_data_endpoint_enabled"),
    }
)

ROWS: Final[Mapping[str, Row]] = {
    "azurerm_cosmosdb_account": Row(
        type="Microsoft.DocumentDB/databaseAccounts", build=_COSMOS, computed=("capabilities",)
    ),
    "azurerm_mongo_cluster": Row(type="Microsoft.DocumentDB/mongoClusters"),
    "azurerm_postgresql_flexible_server": Row(type="Microsoft.DBforPostgreSQL/flexibleServers"),
    "azurerm_postgresql_flexible_server_configuration": Row(
        type=d.POSTGRESQL_PARAMETERS, build=_PARAMETER, under="server_id", spreads=True
    ),
    "azurerm_mysql_flexible_server": Row(type="Microsoft.DBforMySQL/flexibleServers"),
    "azurerm_mysql_flexible_server_configuration": Row(
        type=d.MYSQL_PARAMETERS, build=_PARAMETER, names=("server_name",), spreads=True
    ),
    "azurerm_mssql_managed_instance": Row(type="Microsoft.Sql/managedInstances", build=_INSTANCE),
    "azurerm_synapse_workspace": Row(type="Microsoft.Synapse/workspaces"),
    "azurerm_synapse_sql_pool": Row(type="Microsoft.Synapse/workspaces/sqlPools", under="synapse_workspace_id"),
    "azurerm_synapse_workspace_extended_auditing_policy": policy_row(d.SYNAPSE_AUDIT, "synapse_workspace_id"),
    "azurerm_synapse_sql_pool_extended_auditing_policy": policy_row(d.SYNAPSE_POOL_AUDIT, "sql_pool_id"),
    "azurerm_redis_cache": Row(type="Microsoft.Cache/redis", build=_CACHE),
    "azurerm_redis_enterprise_cluster": Row(type="Microsoft.Cache/redisEnterprise"),
    "azurerm_redis_enterprise_database": Row(
        type="Microsoft.Cache/redisEnterprise/databases", under="cluster_id", called="default"
    ),
    "azurerm_managed_redis": Row(type="Microsoft.Cache/redisEnterprise"),
    "azurerm_databricks_workspace": Row(type="Microsoft.Databricks/workspaces", build=_databricks),
}

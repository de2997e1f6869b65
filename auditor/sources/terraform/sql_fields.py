"""SQL servers, databases and their auditing policies as a plan writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from auditor import documents as d
from auditor.sources.terraform.shape import Link, Row, Values, later, some

# What Azure records where no action group is named.
_DEFAULT_GROUPS: Final = [
    "SUCCESSFUL_DATABASE_AUTHENTICATION_GROUP",
    "FAILED_DATABASE_AUTHENTICATION_GROUP",
    "BATCH_COMPLETED_GROUP",
]


def _server(_: Values, __: Link) -> dict[str, Any]:
    return {"kind": "v12.0", "properties": {}}


def _database(v: Values, _: Link) -> dict[str, Any]:
    sku = v.get("sku_name")
    return {"kind": "v12.0,user", "properties": {}, **({"sku": {"name": sku}} if isinstance(sku, str) else {})}


def _policy(v: Values, link: Link) -> dict[str, Any]:
    enabled, monitor = v.get("enabled"), v.get("log_monitoring_enabled")
    groups = v.get("audit_actions_and_groups")
    endpoint = v.get("storage_endpoint") or v.get("blob_storage_endpoint")
    return {
        "properties": some(
            state=enabled if later(enabled) else "Disabled" if enabled is False else "Enabled",
            isAzureMonitorTargetEnabled=True if monitor is None else monitor,
            storageEndpoint=_endpoint(endpoint, v, link) or None,
            storageAccountSubscriptionId=v.get("storage_account_subscription_id"),
            retentionDays=v.get("retention_in_days"),
            auditActionsAndGroups=groups or _DEFAULT_GROUPS,
            predicateExpression=v.get("predicate_expression") or None,
            isManagedIdentityInUse=not v.get("storage_account_access_key") if endpoint else None,
        )
    }


def _endpoint(endpoint: Any, v: Values, link: Link) -> Any:
    """The endpoint, or that of the account that it will be of."""
    if not later(endpoint):
        return endpoint
    attribute = "storage_endpoint" if v.get("storage_endpoint") else "blob_storage_endpoint"
    account = link(attribute, of="microsoft.storage/storageaccounts")
    return f"https://{d.name_of(account)}.blob.core.windows.net/" if isinstance(account, str) else endpoint


def policy_row(kind: str, owner: str) -> Row:
    """The auditing policy of a server, a database, or a part of Synapse."""
    return Row(type=kind, build=_policy, under=owner, called="default", spreads=True)


ROWS: Final[Mapping[str, Row]] = {
    "azurerm_mssql_server": Row(type="Microsoft.Sql/servers", build=_server),
    "azurerm_mssql_database": Row(type="Microsoft.Sql/servers/databases", build=_database, under="server_id"),
    "azurerm_mssql_server_extended_auditing_policy": policy_row(d.SQL_EXTENDED_AUDIT, "server_id"),
    "azurerm_mssql_server_microsoft_support_auditing_policy": policy_row(d.SQL_SUPPORT_AUDIT, "server_id"),
    "azurerm_mssql_database_extended_auditing_policy": policy_row(d.SQL_DATABASE_AUDIT, "database_id"),
}

"""Which azurerm resource is which ARM resource, and how its attributes become the fields that rules read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from auditor import documents as d
from auditor.documents import Document
from auditor.sources.terraform import network_fields, policy_fields, sql_fields
from auditor.sources.terraform.shape import Link, Row, Values, blocks, later, one, some, switch

AZAPI: Final = "azapi_resource"


def _vault(v: Values, _: Link) -> dict[str, Any]:
    return {"properties": some(publicNetworkAccess=switch(v.get("public_network_access_enabled")))}


def _workspace(v: Values, _: Link) -> dict[str, Any]:
    quota, sku = v.get("daily_quota_gb"), v.get("sku")
    return {
        "properties": some(
            sku=None if sku is None else {"name": sku},
            retentionInDays=v.get("retention_in_days"),
            workspaceCapping=None if quota is None else {"dailyQuotaGb": quota},
        )
    }


def _table(v: Values, _: Link) -> dict[str, Any]:
    return {
        "properties": some(
            plan=v.get("plan"),
            retentionInDays=v.get("retention_in_days"),
            totalRetentionInDays=v.get("total_retention_in_days"),
        )
    }


def _namespace(v: Values, _: Link) -> dict[str, Any]:
    return {
        "sku": some(name=v.get("sku")),
        "properties": some(publicNetworkAccess=switch(v.get("public_network_access_enabled"))),
    }


def _account(v: Values, _: Link) -> dict[str, Any]:
    tier, copies = v.get("account_tier"), v.get("account_replication_type")
    told = isinstance(tier, str) and isinstance(copies, str)
    rules = v.get("network_rules")
    return {
        "kind": v.get("account_kind") if isinstance(v.get("account_kind"), str) else "StorageV2",
        "sku": {"name": f"{tier}_{copies}" if told else tier if later(tier) else copies},
        "properties": some(
            networkAcls=rules if later(rules) else network_acls(one(rules)) or None,
            publicNetworkAccess=switch(v.get("public_network_access_enabled")),
            dnsEndpointType=v.get("dns_endpoint_type"),
        ),
    }


def network_acls(v: Values) -> dict[str, Any]:
    """The firewall of a storage account; what may bypass it is one text."""
    bypass = v.get("bypass")
    if isinstance(bypass, list):
        bypass = ", ".join(str(word) for word in bypass)
    return some(defaultAction=v.get("default_action"), bypass=bypass)


def _classic(v: Values, account: str) -> Iterator[Document]:
    """Classic logging of the queue service, the only one that azurerm sets."""
    written = v.get("queue_properties")
    logging = one(one(written).get("logging"))
    if later(written) or logging:
        shown = d.storage_analytics_id(account, "queue")
        days = logging.get("retention_policy_days")
        policy = {"enabled": days is not None, "days": days}
        told = some(version=logging.get("version"), **{key: logging.get(key) for key in ("delete", "read", "write")})
        properties = written if later(written) else {"logging": {**told, "retentionPolicy": policy}}
        yield {"id": shown, "type": d.STORAGE_ANALYTICS, "properties": properties}


def _lifecycle(v: Values, _: Link) -> dict[str, Any]:
    written = v.get("rule")
    rules: Any = written if later(written) else [_expiry(rule) for rule in blocks(written)]
    return {"properties": {"policy": {"rules": rules}}}


_AGES: Final = {
    "delete_after_days_since_modification_greater_than": "daysAfterModificationGreaterThan",
    "delete_after_days_since_creation_greater_than": "daysAfterCreationGreaterThan",
    "delete_after_days_since_last_access_time_greater_than": "daysAfterLastAccessTimeGreaterThan",
}


def _expiry(rule: Values) -> Mapping[str, Any]:
    if later(rule):
        return rule
    filters, base = one(rule.get("filters")), one(one(rule.get("actions")).get("base_blob"))
    ages = {field: base[key] for key, field in _AGES.items() if base.get(key) is not None}
    ages = {field: age for field, age in ages.items() if later(age) or (isinstance(age, int | float) and age >= 0)}
    definition = {
        "filters": some(
            prefixMatch=filters.get("prefix_match"),
            blobTypes=filters.get("blob_types"),
            blobIndexMatch=filters.get("match_blob_index_tag") or None,
        ),
        "actions": {"baseBlob": {"delete": ages} if ages else {}},
    }
    return {"name": rule.get("name"), "enabled": rule.get("enabled"), "definition": definition}


def _sku(v: Values, _: Link) -> dict[str, Any]:
    sku = v.get("sku") if v.get("sku") is not None else v.get("sku_name")
    return {"sku": {"name": sku}, "properties": {}} if isinstance(sku, str) or later(sku) else {"properties": {}}


_ALIKE: Final = {  # no rule reads more of these than their type and SKU
    "azurerm_key_vault_managed_hardware_security_module": "Microsoft.KeyVault/managedHSMs",
    "azurerm_app_configuration": "Microsoft.AppConfiguration/configurationStores",
    "azurerm_automation_account": "Microsoft.Automation/automationAccounts",
    "azurerm_bastion_host": "Microsoft.Network/bastionHosts",
    "azurerm_cognitive_account": "Microsoft.CognitiveServices/accounts",
    "azurerm_container_registry": "Microsoft.ContainerRegistry/registries",
    "azurerm_data_factory": "Microsoft.DataFactory/factories",
    "azurerm_databricks_workspace": "Microsoft.Databricks/workspaces",
    "azurerm_eventgrid_topic": "Microsoft.EventGrid/topics",
    "azurerm_kusto_cluster": "Microsoft.Kusto/clusters",
    "azurerm_search_service": "Microsoft.Search/searchServices",
    "azurerm_servicebus_namespace": "Microsoft.ServiceBus/namespaces",
    "azurerm_stream_analytics_job": "Microsoft.StreamAnalytics/streamingjobs",
}

ROWS: Final[Mapping[str, Row]] = {
    "azurerm_key_vault": Row(type="Microsoft.KeyVault/vaults", build=_vault),
    "azurerm_log_analytics_workspace": Row(type="Microsoft.OperationalInsights/workspaces", build=_workspace),
    "azurerm_log_analytics_workspace_table": Row(type=d.TABLES, build=_table, under="workspace_id", spreads=True),
    "azurerm_eventhub_namespace": Row(type="Microsoft.EventHub/namespaces", build=_namespace),
    "azurerm_eventhub_namespace_authorization_rule": Row(
        type="Microsoft.EventHub/namespaces/authorizationRules", names=("namespace_name",)
    ),
    "azurerm_storage_account": Row(
        type="Microsoft.Storage/storageAccounts",
        build=_account,
        computed=("network_rules", "queue_properties"),
        more=_classic,
    ),
    "azurerm_storage_management_policy": Row(
        type=d.LIFECYCLE, build=_lifecycle, under="storage_account_id", called="default", spreads=True
    ),
    **{name: Row(type=kind, build=_sku) for name, kind in _ALIKE.items()},
    **network_fields.ROWS,
    **sql_fields.ROWS,
    **policy_fields.ROWS,
}
# Rows whose resources are looked up by their ids, and are no documents.
HIDDEN: Final = frozenset({"azurerm_eventhub_namespace_authorization_rule"})

"""Where logs are kept, as a plan writes it: workspaces, storage accounts, event hubs, and the locks on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from auditor import documents as d
from auditor.documents import Document
from auditor.sources.terraform.shape import (
    Link,
    Row,
    Values,
    always,
    arm,
    attribute,
    blocks,
    either,
    enabled,
    identity,
    later,
    one,
    opposite,
    some,
    switch,
    value_at,
)

# --- workspaces -------------------------------------------------------------------------------------------------------


def _capping(v: Values, _: Link) -> Any:
    quota = v.get("daily_quota_gb")
    return None if quota is None else {"dailyQuotaGb": quota}


def _access(kind: str) -> Any:
    """Azure lets every network in where nobody says otherwise."""
    return either(attribute(f"internet_{kind}_access_type"), enabled(f"internet_{kind}_enabled"), always("Enabled"))


_WORKSPACE: Final = arm(
    {
        "properties.sku.name": attribute("sku"),
        "properties.retentionInDays": attribute("retention_in_days"),
        "properties.workspaceCapping": _capping,
        "properties.features.disableLocalAuth": either(
            attribute("local_authentication_disabled"), opposite("local_authentication_enabled"), always(False)
        ),
        "properties.features.immediatePurgeDataOn30Days": attribute("immediate_data_purge_on_30_days_enabled"),
        "properties.publicNetworkAccessForIngestion": _access("ingestion"),
        "properties.publicNetworkAccessForQuery": _access("query"),
    }
)


def _table(v: Values, _: Link) -> dict[str, Any]:
    return {
        "properties": some(
            plan=v.get("plan"),
            retentionInDays=v.get("retention_in_days"),
            totalRetentionInDays=v.get("total_retention_in_days"),
        )
    }


_TABLE: Final = Row(type=d.TABLES, build=_table, under="workspace_id", spreads=True)

# --- storage accounts -------------------------------------------------------------------------------------------------


def _account(v: Values, link: Link) -> dict[str, Any]:
    tier, copies = v.get("account_tier"), v.get("account_replication_type")
    told = isinstance(tier, str) and isinstance(copies, str)
    rules = v.get("network_rules")
    return {
        "kind": v.get("account_kind") if isinstance(v.get("account_kind"), str) else "StorageV2",
        "sku": {"name": f"{tier}_{copies}" if told else tier if later(tier) else copies},
        "properties": {
            **some(
                networkAcls=rules if later(rules) else network_acls(one(rules)) or None,
                publicNetworkAccess=switch(v.get("public_network_access_enabled")),
                dnsEndpointType=v.get("dns_endpoint_type"),
                immutableStorageWithVersioning=_immutable(v.get("immutability_policy")),
            ),
            **_SAFETY(v, link)["properties"],
        },
    }


_SAFETY: Final = arm(  # what is not written is as azurerm makes it
    {
        "properties.supportsHttpsTrafficOnly": attribute(
            "https_traffic_only_enabled", "enable_https_traffic_only", otherwise=True
        ),
        "properties.minimumTlsVersion": attribute("min_tls_version", otherwise="TLS1_2"),
        "properties.allowSharedKeyAccess": attribute("shared_access_key_enabled"),
        "properties.allowBlobPublicAccess": attribute("allow_nested_items_to_be_public"),
        "properties.encryption.keySource": lambda v, _: (
            key
            if later(key := v.get("customer_managed_key"))
            else "Microsoft.Keyvault"
            if one(key)
            else "Microsoft.Storage"
        ),
    }
)


def _immutable(written: Any) -> Any:
    if later(written) or not one(written):
        return written if later(written) else None
    policy = one(written)
    return {
        "enabled": True,
        "immutabilityPolicy": some(
            state=policy.get("state"),
            immutabilityPeriodSinceCreationInDays=policy.get("period_since_creation_in_days"),
            allowProtectedAppendWrites=policy.get("allow_protected_append_writes"),
        ),
    }


def network_acls(v: Values) -> dict[str, Any]:
    """The firewall of a storage account; what may bypass it is one text."""
    bypass = v.get("bypass")
    if isinstance(bypass, list):
        bypass = next((w for w in bypass if later(w)), None) or ", ".join(str(word) for word in bypass)
    return some(defaultAction=v.get("default_action"), bypass=bypass)


def _beside_account(v: Values, account: str) -> Iterator[Document]:
    yield from classic_logging(v.get("queue_properties"), account)
    blob = v.get("blob_properties")
    policy = value_at(v, "blob_properties.delete_retention_policy")
    if blob or later(blob):
        days = {"enabled": True, "days": one(policy).get("days", 7)} if one(policy) else {"enabled": False}
        properties = blob if later(blob) else {"deleteRetentionPolicy": policy if later(policy) else days}
        yield {"id": d.storage_service_id(account, "blob"), "type": d.BLOB_SERVICE, "properties": properties}


def classic_logging(written: Any, account: str) -> Iterator[Document]:
    """Classic logging of the queue service, the only one that azurerm sets."""
    logging = one(one(written).get("logging"))
    if later(written) or logging:
        shown = d.storage_analytics_id(account, "queue")
        days = logging.get("retention_policy_days")
        policy = {"enabled": days is not None, "days": days}
        told = some(version=logging.get("version"), **{key: logging.get(key) for key in ("delete", "read", "write")})
        properties = written if later(written) else {"logging": {**told, "retentionPolicy": policy}}
        yield {"id": shown, "type": d.STORAGE_ANALYTICS, "properties": properties}


def _queue_properties(v: Values, _: Link) -> dict[str, Any]:
    made = next(classic_logging([dict(v)], ""), None)
    return {"properties": made["properties"] if made else {"logging": {"read": False, "write": False, "delete": False}}}


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


# --- event hubs -------------------------------------------------------------------------------------------------------

_NAMESPACE: Final = arm(
    {
        "sku.name": attribute("sku"),
        "properties.publicNetworkAccess": enabled("public_network_access_enabled"),
        "properties.minimumTlsVersion": attribute("minimum_tls_version", otherwise="1.2"),
        "properties.clusterArmId": identity("dedicated_cluster_id"),
    }
)


def _namespace_rules(v: Values, namespace: str) -> Iterator[Document]:
    written = v.get("network_rulesets", v.get("network_rule_set"))
    rules = one(written)
    if later(written) or rules:
        told = some(
            defaultAction=rules.get("default_action"),
            trustedServiceAccessEnabled=rules.get("trusted_service_access_enabled"),
            publicNetworkAccess=switch(rules.get("public_network_access_enabled")),
        )
        properties = written if later(written) else told
        yield {"id": f"{namespace}/networkRuleSets/default", "type": d.HUB_NETWORK, "properties": properties}


_CAPTURED: Final = "capture_description.destination"
_HUB: Final = arm(
    {
        "properties.status": attribute("status"),
        "properties.retentionDescription.cleanupPolicy": attribute("retention_description.cleanup_policy"),
        "properties.captureDescription.enabled": attribute("capture_description.enabled"),
        "properties.captureDescription.destination.properties.storageAccountResourceId": identity(
            f"{_CAPTURED}.storage_account_id"
        ),
        "properties.captureDescription.destination.properties.blobContainer": attribute(
            f"{_CAPTURED}.blob_container_name"
        ),
    }
)

_PLACES: Final = (
    "microsoft.operationalinsights/workspaces",
    "microsoft.storage/storageaccounts",
    "microsoft.eventhub/namespaces",
)

ROWS: Final[Mapping[str, Row]] = {
    "azurerm_log_analytics_workspace": Row(
        type="Microsoft.OperationalInsights/workspaces", build=_WORKSPACE, computed=("retention_in_days", "sku")
    ),
    "azurerm_log_analytics_workspace_table": _TABLE,
    "azurerm_log_analytics_workspace_table_custom_log": _TABLE,
    "azurerm_log_analytics_workspace_table_microsoft": _TABLE,
    "azurerm_log_analytics_cluster": Row(type="Microsoft.OperationalInsights/clusters"),
    "azurerm_log_analytics_solution": Row(
        type="Microsoft.OperationsManagement/solutions",
        build=arm({"properties.workspaceResourceId": identity("workspace_resource_id")}),
        named="{solution_name}({workspace_name})",
    ),
    "azurerm_sentinel_log_analytics_workspace_onboarding": Row(
        type=d.SENTINEL,
        build=lambda _, __: {"name": "default", "properties": {}},
        on="workspace_id",
        extends=_PLACES[:1],
        called="default",
        spreads=True,
    ),
    "azurerm_storage_account": Row(
        type="Microsoft.Storage/storageAccounts",
        build=_account,
        computed=("network_rules", "queue_properties", "blob_properties"),
        more=_beside_account,
    ),
    "azurerm_storage_management_policy": Row(
        type=d.LIFECYCLE, build=_lifecycle, under="storage_account_id", called="default", spreads=True
    ),
    "azurerm_storage_account_queue_properties": Row(
        type=d.STORAGE_ANALYTICS,
        build=_queue_properties,
        under="storage_account_id",
        called="/queueServices/default/storageAnalytics",
        extends=_PLACES[1:2],
        spreads=True,
    ),
    "azurerm_eventhub_namespace": Row(
        type="Microsoft.EventHub/namespaces",
        build=_NAMESPACE,
        computed=("network_rulesets", "network_rule_set"),
        more=_namespace_rules,
    ),
    "azurerm_eventhub": Row(type=d.EVENT_HUBS, build=_HUB, under="namespace_id", names=("namespace_name",)),
    "azurerm_servicebus_namespace": Row(
        type="Microsoft.ServiceBus/namespaces",
        build=arm({"sku.name": attribute("sku"), "properties.minimumTlsVersion": attribute("minimum_tls_version")}),
    ),
    "azurerm_management_lock": Row(
        type=d.LOCKS,
        build=arm({"properties.level": attribute("lock_level")}),
        on="scope",
        extends=_PLACES,
        spreads=True,
    ),
}

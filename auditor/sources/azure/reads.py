"""What is read, and how: one row for each kind of document. A new read is one more row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from auditor import documents as d


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of read: where it is, and what its answer becomes.

    `path` is appended to the id of what is read (`{id}` is the whole id of the document, for lists its own). Lists
    become one list document, unless `items` are documents in themselves.
    """

    type: str  # document type
    path: str  # `{of}` is the id of the resource, subscription or group that the read is about
    api_version: str
    action: str  # the permission it takes
    is_list: bool = True
    # How to take a refusal that names no known code: what 400 and 404 mean here.
    unsupported_on: frozenset[int] = frozenset()

    def id(self, of: str = "") -> str:
        """The id of the document that the answer becomes."""
        return self.path.format(of=of.rstrip("/"))


TENANTS: Final = Read(
    type=d.TENANT, path="/tenants", api_version="2022-12-01", action="Microsoft.Resources/tenants/read"
)
SUBSCRIPTIONS: Final = Read(
    type=d.SUBSCRIPTION,
    path="/subscriptions",
    api_version="2022-12-01",
    action="Microsoft.Resources/subscriptions/read",
)
LOCATIONS: Final = Read(
    type=d.LOCATIONS,
    path="{of}/locations",
    api_version="2022-12-01",
    action="Microsoft.Resources/subscriptions/locations/read",
)
RESOURCES: Final = Read(
    type=d.RESOURCE_LIST,
    path="{of}/resources",
    api_version="2021-04-01",
    action="Microsoft.Resources/subscriptions/resources/read",
)
RESOURCE_GROUPS: Final = Read(
    type=d.RESOURCE_GROUPS,
    path="{of}/resourcegroups",
    api_version="2021-04-01",
    action="Microsoft.Resources/subscriptions/resourceGroups/read",
)
MANAGEMENT_GROUPS: Final = Read(
    type=d.MANAGEMENT_GROUP,
    path="/providers/Microsoft.Management/managementGroups",
    api_version="2023-04-01",
    action="Microsoft.Management/managementGroups/read",
)
DESCENDANTS: Final = Read(
    type=d.DESCENDANTS,
    path="{of}/descendants",
    api_version="2023-04-01",
    action="Microsoft.Management/managementGroups/descendants/read",
)
SETTINGS: Final = Read(
    type=d.DIAGNOSTIC_SETTINGS,
    path="{of}/providers/Microsoft.Insights/diagnosticSettings",
    api_version="2021-05-01-preview",
    action="Microsoft.Insights/diagnosticSettings/read",
)
CATEGORIES: Final = Read(
    type=d.DIAGNOSTIC_CATEGORIES,
    path="{of}/providers/Microsoft.Insights/diagnosticSettingsCategories",
    api_version="2021-05-01-preview",
    action="Microsoft.Insights/diagnosticSettingsCategories/read",
    unsupported_on=frozenset({400, 404, 405}),  # types without logs answer in many ways (domain.md 6.3)
)
# A type that is known to log has categories: an odd refusal is a fault there, and no proof that it has none.
KNOWN_CATEGORIES: Final = msgspec.structs.replace(CATEGORIES, unsupported_on=frozenset[int]())
ENTRA_SETTINGS: Final = Read(
    type=d.ENTRA_SETTINGS,
    path="/providers/microsoft.aadiam/diagnosticSettings",
    api_version="2017-04-01",
    action="microsoft.aadiam/diagnosticSettings/read",
)
ENTRA_CATEGORIES: Final = Read(
    type=d.ENTRA_CATEGORIES,
    path="/providers/microsoft.aadiam/diagnosticSettingsCategories",
    api_version="2017-04-01-preview",
    action="microsoft.aadiam/diagnosticSettingsCategories/read",
)
INTUNE_SETTINGS: Final = Read(
    type=d.INTUNE_SETTINGS,
    path="/providers/microsoft.intune/diagnosticSettings",
    api_version="2017-04-01-preview",
    action="microsoft.intune/diagnosticSettings/read",
)
HEALTH_SERVICES: Final = Read(
    type=d.HEALTH_SERVICES,
    path="/providers/Microsoft.ADHybridHealthService/services",
    api_version="2014-01-01",
    action="Microsoft.ADHybridHealthService/services/read",
)
SUBSCRIBED_SKUS: Final = Read(  # from Graph, whose path and version differ: see collect.py
    type=d.SUBSCRIBED_SKUS,
    path="/providers/microsoft.graph/subscribedSkus",
    api_version="v1.0",
    action="LicenseAssignment.Read.All",
)
LOG_PROFILES: Final = Read(
    type=d.LOG_PROFILES,
    path="{of}/providers/Microsoft.Insights/logProfiles",
    api_version="2016-03-01",
    action="Microsoft.Insights/logProfiles/read",
    unsupported_on=frozenset({410}),  # retired in 2026
)
DELETED_VAULTS: Final = Read(
    type=d.DELETED_VAULTS,
    path="{of}/providers/Microsoft.KeyVault/deletedVaults",
    api_version="2022-07-01",
    action="Microsoft.KeyVault/locations/deletedVaults/read",
)
FLOW_LOGS: Final = Read(
    type=d.FLOW_LOGS,
    path="{of}/flowLogs",
    api_version="2025-05-01",
    action="Microsoft.Network/networkWatchers/flowLogs/read",
)
SECURITY_POLICIES: Final = Read(
    type=d.SECURITY_POLICIES,
    path="{of}/securityPolicies",
    api_version="2024-02-01",
    action="Microsoft.Cdn/profiles/securityPolicies/read",
    unsupported_on=frozenset({400}),  # a CDN profile from before Front Door has none
)
TABLES: Final = Read(
    type=d.TABLES,
    path="{of}/tables",
    api_version="2022-10-01",
    action="Microsoft.OperationalInsights/workspaces/tables/read",
)
LIFECYCLE: Final = Read(
    type=d.LIFECYCLE,
    path="{of}/managementPolicies/default",
    api_version="2023-05-01",
    action="Microsoft.Storage/storageAccounts/managementPolicies/read",
    is_list=False,
)
CONTAINERS: Final = Read(
    type=d.CONTAINERS,
    path="{of}/blobServices/default/containers",
    api_version="2023-05-01",
    action="Microsoft.Storage/storageAccounts/blobServices/containers/read",
)
EVENT_HUBS: Final = Read(
    type=d.EVENT_HUBS,
    path="{of}/eventhubs",
    api_version="2024-01-01",
    action="Microsoft.EventHub/namespaces/eventhubs/read",
)
BLOB_SERVICE: Final = Read(
    type=d.BLOB_SERVICE,
    path="{of}/blobServices/default",
    api_version="2023-05-01",
    action="Microsoft.Storage/storageAccounts/blobServices/read",
    is_list=False,
)
HUB_RULES: Final = Read(
    type=d.HUB_RULES,
    path="{of}/authorizationRules",
    api_version="2024-01-01",
    action="Microsoft.EventHub/namespaces/authorizationRules/read",
)
HUB_NETWORK: Final = Read(
    type=d.HUB_NETWORK,
    path="{of}/networkRuleSets/default",
    api_version="2024-01-01",
    action="Microsoft.EventHub/namespaces/networkRuleSets/read",
    is_list=False,
)
LOCKS: Final = Read(  # of a subscription: those of its resource groups and resources, too
    type=d.LOCKS,
    path="{of}/providers/Microsoft.Authorization/locks",
    api_version="2016-09-01",
    action="Microsoft.Authorization/locks/read",
)
COLLECTION_RULE_ASSOCIATIONS: Final = Read(
    type=d.COLLECTION_RULE_ASSOCIATIONS,
    path="{of}/providers/Microsoft.Insights/dataCollectionRuleAssociations",
    api_version="2022-06-01",
    action="Microsoft.Insights/dataCollectionRuleAssociations/read",
)
SQL_AUDIT: Final = Read(
    type=d.SQL_AUDIT,
    path="{of}/auditingSettings/default",
    api_version="2021-11-01",
    action="Microsoft.Sql/servers/auditingSettings/read",
    is_list=False,
)
SQL_EXTENDED_AUDIT: Final = Read(
    type=d.SQL_EXTENDED_AUDIT,
    path="{of}/extendedAuditingSettings/default",
    api_version="2021-11-01",
    action="Microsoft.Sql/servers/extendedAuditingSettings/read",
    is_list=False,
)
SQL_SUPPORT_AUDIT: Final = Read(
    type=d.SQL_SUPPORT_AUDIT,
    path="{of}/devOpsAuditingSettings/default",
    api_version="2021-11-01",
    action="Microsoft.Sql/servers/devOpsAuditingSettings/read",
    is_list=False,
)
SQL_DATABASE_AUDIT: Final = Read(
    type=d.SQL_DATABASE_AUDIT,
    path="{of}/auditingSettings/default",
    api_version="2021-11-01",
    action="Microsoft.Sql/servers/databases/auditingSettings/read",
    is_list=False,
    unsupported_on=frozenset({400}),  # BlobAuditingIsNotSupportedOnResourceType: it can have no policy of its own
)
SYNAPSE_AUDIT: Final = Read(
    type=d.SYNAPSE_AUDIT,
    path="{of}/auditingSettings/default",
    api_version="2021-06-01",
    action="Microsoft.Synapse/workspaces/auditingSettings/read",
    is_list=False,
)
SYNAPSE_POOL_AUDIT: Final = Read(
    type=d.SYNAPSE_POOL_AUDIT,
    path="{of}/auditingSettings/default",
    api_version="2021-06-01",
    action="Microsoft.Synapse/workspaces/sqlPools/auditingSettings/read",
    is_list=False,
    unsupported_on=frozenset({400}),
)
POSTGRESQL_PARAMETERS: Final = Read(
    type=d.POSTGRESQL_PARAMETERS,
    path="{of}/configurations",
    api_version="2022-12-01",
    action="Microsoft.DBforPostgreSQL/flexibleServers/configurations/read",
)
MYSQL_PARAMETERS: Final = Read(
    type=d.MYSQL_PARAMETERS,
    path="{of}/configurations",
    api_version="2023-06-30",
    action="Microsoft.DBforMySQL/flexibleServers/configurations/read",
)

DEFENDER_PLANS: Final = Read(
    type=d.DEFENDER_PLANS,
    path="{of}/providers/Microsoft.Security/pricings",
    api_version="2024-01-01",
    action="Microsoft.Security/pricings/read",
    unsupported_on=frozenset({400, 409}),  # "Subscription Not Registered": nobody ever switched anything on
)
DEFENDER_STORAGE: Final = Read(
    type=d.DEFENDER_STORAGE,
    path="{of}/providers/Microsoft.Security/defenderForStorageSettings/current",
    api_version="2025-06-01",
    action="Microsoft.Security/defenderForStorageSettings/read",
    is_list=False,
    unsupported_on=frozenset({400, 409}),  # nobody registered Defender for Cloud, or it knows no such account
)
DEFENDER_SQL: Final = Read(
    type=d.DEFENDER_SQL,
    path="{of}/advancedThreatProtectionSettings/Default",
    api_version="2023-08-01",
    action="Microsoft.Sql/servers/advancedThreatProtectionSettings/read",
    is_list=False,
)
SECURITY_CONTACT: Final = Read(
    type=d.SECURITY_CONTACT,
    path="{of}/providers/Microsoft.Security/securityContacts/default",
    api_version="2023-12-01-preview",
    action="Microsoft.Security/securityContacts/read",
    is_list=False,
    unsupported_on=frozenset({400, 409}),
)
SENTINEL: Final = Read(
    type=d.SENTINEL,
    path="{of}/providers/Microsoft.SecurityInsights/onboardingStates/default",
    api_version="2024-09-01",
    action="Microsoft.SecurityInsights/onboardingStates/read",
    is_list=False,
)
SENTINEL_CONNECTORS: Final = Read(
    type=d.SENTINEL_CONNECTORS,
    path="{of}/providers/Microsoft.SecurityInsights/dataConnectors",
    api_version="2025-07-01-preview",  # stable versions leave the connector of a whole tenant out
    action="Microsoft.SecurityInsights/dataConnectors/read",
)

RESOURCE_GRAPH: Final = Read(
    type="Microsoft.ResourceGraph/resources",
    path="/providers/Microsoft.ResourceGraph/resources",
    api_version="2022-10-01",
    action="Microsoft.ResourceGraph/resources/read",
)
STORAGE_VERSION: Final = "2021-12-02"  # x-ms-version of the storage services; OAuth needs 2017-11-09 or later

# Types that can be read one by one: a destination in another subscription, or all when Resource Graph is out of reach.
RESOURCE_VERSIONS: Final = {
    "Microsoft.ApiManagement/service": "2024-05-01",
    "Microsoft.App/managedEnvironments": "2024-03-01",
    "Microsoft.AzureActiveDirectory/b2cDirectories": "2021-04-01",
    "Microsoft.AzureActiveDirectory/ciamDirectories": "2023-05-17-preview",
    "Microsoft.Cache/redis": "2024-03-01",
    "Microsoft.Compute/virtualMachineScaleSets": "2024-07-01",
    "Microsoft.Compute/virtualMachines": "2024-07-01",
    "Microsoft.Compute/virtualMachines/extensions": "2024-07-01",
    "Microsoft.ContainerInstance/containerGroups": "2023-05-01",
    "Microsoft.ContainerService/managedClusters": "2024-05-01",
    "Microsoft.Databricks/workspaces": "2024-05-01",
    "Microsoft.DocumentDB/databaseAccounts": "2024-11-15",
    "Microsoft.EventHub/namespaces": "2024-01-01",
    "Microsoft.EventHub/namespaces/eventhubs": "2024-01-01",
    "Microsoft.HybridCompute/machines": "2024-07-10",
    "Microsoft.HybridCompute/machines/extensions": "2024-07-10",
    "Microsoft.Insights/actionGroups": "2023-01-01",
    "Microsoft.Insights/activityLogAlerts": "2020-10-01",
    "Microsoft.Insights/components": "2020-02-02",
    "Microsoft.Insights/dataCollectionRules": "2023-03-11",
    "Microsoft.KeyVault/managedHSMs": "2022-07-01",
    "Microsoft.KeyVault/vaults": "2022-07-01",
    "Microsoft.Network/applicationGateways": "2024-05-01",
    "Microsoft.Network/azureFirewalls": "2024-05-01",
    "Microsoft.Network/bastionHosts": "2024-05-01",
    "Microsoft.Network/dnsResolverPolicies/virtualNetworkLinks": "2025-05-01",
    "Microsoft.Network/dnsResolvers/inboundEndpoints": "2025-05-01",
    "Microsoft.Network/firewallPolicies": "2024-05-01",
    "Microsoft.Network/frontDoors": "2021-06-01",
    "Microsoft.Network/loadBalancers": "2024-05-01",
    "Microsoft.Network/natGateways": "2024-05-01",
    "Microsoft.Network/networkInterfaces": "2024-05-01",
    "Microsoft.Network/networkSecurityGroups": "2024-05-01",
    "Microsoft.Network/networkWatchers": "2024-05-01",
    "Microsoft.Network/networkWatchers/flowLogs": "2025-05-01",
    "Microsoft.Network/p2sVpnGateways": "2024-05-01",
    "Microsoft.Network/publicIPAddresses": "2024-05-01",
    "Microsoft.Network/virtualHubs": "2024-05-01",
    "Microsoft.Network/virtualNetworkGateways": "2024-05-01",
    "Microsoft.Network/virtualNetworks": "2024-05-01",
    "Microsoft.OperationalInsights/clusters": "2023-09-01",
    "Microsoft.Network/vpnGateways": "2024-05-01",
    "Microsoft.OperationalInsights/workspaces": "2023-09-01",
    "Microsoft.Security/automations": "2023-12-01-preview",
    "Microsoft.Sql/managedInstances": "2021-11-01",
    "Microsoft.Sql/servers": "2021-11-01",
    "Microsoft.Sql/servers/databases": "2021-11-01",
    "Microsoft.Storage/storageAccounts": "2023-05-01",
    "Microsoft.Web/hostingEnvironments": "2023-12-01",
    "Microsoft.Web/serverfarms": "2023-12-01",
    "Microsoft.Web/sites": "2023-12-01",
    "Microsoft.Web/sites/slots": "2023-12-01",
}
# Partner solutions that take logs, read only to see whether they are still there.
PARTNER_VERSIONS: Final = {
    "Dynatrace.Observability/monitors": "2021-09-01",
    "Microsoft.Confluent/organizations": "2021-12-01",
    "Microsoft.Datadog/monitors": "2021-03-01",
    "Microsoft.Elastic/monitors": "2020-07-01",
    "Microsoft.Logz/monitors": "2020-10-01",
    "NewRelic.Observability/monitors": "2022-07-01",
}


def resource_read(resource_type: str) -> Read | None:
    """How one resource of a type is read by its id; None where no api-version is known."""
    return _by_id(RESOURCE_VERSIONS, resource_type)


def partner_read(resource_type: str) -> Read | None:
    """How one partner solution of a type is read by its id; None where no api-version is known."""
    return _by_id(PARTNER_VERSIONS, resource_type)


def _by_id(versions: Mapping[str, str], resource_type: str) -> Read | None:
    wanted = resource_type.lower()
    for name, version in versions.items():
        if name.lower() == wanted:
            return Read(type=name, path="{of}", api_version=version, action=f"{name}/read", is_list=False)
    return None

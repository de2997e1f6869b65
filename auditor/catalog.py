"""What each resource type can log: its categories, what they are good for, and the tables they land in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Final

import msgspec

FLOW_LOG: Final = "FlowLog"  # ours: Azure knows flow logs as resources, not as a category
AZURE_DIAGNOSTICS: Final = "AzureDiagnostics"  # the table that types share in the older table mode


class Category(msgspec.Struct, frozen=True, kw_only=True):
    """One log category of a type.

    `relevance` is `audit`, `security`, `traffic` or `operational`; `audit` whether the group of that name contains it
    (None: not published); `licence` the Entra licence that offers it; `own` marks those that are ours, not Azure's.
    """

    name: str
    display_name: str = ""
    relevance: str = "operational"
    table: str | None = None
    alt_tables: tuple[str, ...] = ()
    audit: bool | None = None
    export_costs: bool | None = None
    licence: str = ""
    documented: bool = True
    own: bool = False


class LogType(msgspec.Struct, frozen=True, kw_only=True):
    """One resource type that can log; `pseudo` ones (a subscription, the Entra tenant) have settings of another kind.

    `groups` are the category groups it offers (None: not published), `policies` the ids of the built-in policies that
    export it, by kind of destination and group.
    """

    name: str
    categories: tuple[Category, ...] = ()
    pseudo: bool = False
    groups: tuple[str, ...] | None = None
    groups_partial: bool = False
    incomplete: bool = False
    policies: Mapping[str, Mapping[str, str]] = {}
    other_policies: tuple[str, ...] = ()


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where the catalog's facts are from, and under which licence."""

    name: str
    licence: str


class _File(msgspec.Struct, frozen=True, kw_only=True):
    as_of: str
    sources: tuple[Source, ...]
    types: dict[str, LogType]


_FLOW_TYPES: Final = ("microsoft.network/networksecuritygroups", "microsoft.network/virtualnetworks")
_FLOW: Final = Category(name=FLOW_LOG, display_name="Flow log", relevance="traffic", own=True)
# Their settings exist (2021-05-01-preview), but no published list of log categories names them.
_MANAGEMENT_GROUPS: Final = LogType(
    name="Microsoft.Management/managementGroups",
    pseudo=True,
    categories=tuple(
        Category(name=name, display_name=name, relevance="audit", table="AzureActivity")
        for name in ("Administrative", "Policy")
    ),
    groups=("allLogs",),
)

_INTUNE: Final = LogType(  # its categories are no resource's either
    name="microsoft.intune/tenants",
    pseudo=True,
    categories=(
        Category(name="AuditLogs", display_name="AuditLogs", relevance="audit", table="IntuneAuditLogs"),
        Category(
            name="DeviceComplianceOrg",
            display_name="DeviceComplianceOrg",
            relevance="security",
            table="IntuneDeviceComplianceOrg",
        ),
        Category(name="Devices", display_name="Devices", relevance="security", table="IntuneDevices"),
        Category(
            name="OperationalLogs", display_name="OperationalLogs", relevance="security", table="IntuneOperationalLogs"
        ),
        Category(
            name="Windows365AuditLogs",
            display_name="Windows365AuditLogs",
            relevance="audit",
            table="Windows365AuditLogs",
        ),
    ),
    groups=(),
)

# Membership of the group `audit` is hardly published; Key Vault's documentation says this much.
_IN_AUDIT: Final = (("microsoft.keyvault/vaults", "auditevent"),)

# Types that write to AzureDiagnostics unless a setting asks for resource-specific ("Dedicated") tables, though the
# published lists name the resource-specific table only. All other such types know no other mode.
_TWO_MODES: Final = frozenset(
    {
        "microsoft.apimanagement/service",
        "microsoft.datafactory/factories",
        "microsoft.documentdb/databaseaccounts",
        "microsoft.network/azurefirewalls",
        "microsoft.recoveryservices/vaults",
    }
)

# Common types that have no logs of their own, so that they are spelled alike whatever Azure answers.
_SILENT_TYPES: Final = (
    "Auditor/logDestinations",
    "Auditor/storageAnalytics",
    "Microsoft.Authorization/locks",
    "Microsoft.Authorization/policyAssignments",
    "Microsoft.Authorization/roleAssignments",
    "Microsoft.Compute/availabilitySets",
    "Microsoft.Compute/disks",
    "Microsoft.Compute/galleries",
    "Microsoft.Compute/images",
    "Microsoft.Compute/snapshots",
    "Microsoft.Compute/sshPublicKeys",
    "Microsoft.Compute/virtualMachineScaleSets",
    "Microsoft.Compute/virtualMachines/extensions",
    "Microsoft.EventHub/clusters",
    "Microsoft.EventHub/namespaces/eventhubs",
    "Microsoft.HybridCompute/machines",
    "Microsoft.HybridCompute/machines/extensions",
    "Microsoft.Insights/actionGroups",
    "Microsoft.Insights/activityLogAlerts",
    "Microsoft.Insights/dataCollectionEndpoints",
    "Microsoft.Insights/dataCollectionRuleAssociations",
    "Microsoft.Insights/diagnosticSettings",
    "Microsoft.Insights/diagnosticSettingsCategories",
    "Microsoft.Insights/logProfiles",
    "Microsoft.Insights/metricAlerts",
    "Microsoft.Insights/scheduledQueryRules",
    "Microsoft.Insights/workbooks",
    "Microsoft.KeyVault/deletedVaults",
    "Microsoft.ManagedIdentity/userAssignedIdentities",
    "Microsoft.Network/applicationSecurityGroups",
    "Microsoft.Network/ddosProtectionPlans",
    "Microsoft.Network/dnsForwardingRulesets",
    "Microsoft.Network/dnsResolverDomainLists",
    "Microsoft.Network/dnsResolverPolicies/virtualNetworkLinks",
    "Microsoft.Network/dnsResolvers",
    "Microsoft.Network/dnsResolvers/inboundEndpoints",
    "Microsoft.Network/dnsResolvers/outboundEndpoints",
    "Microsoft.Network/dnsZones",
    "Microsoft.Network/firewallPolicies",
    "Microsoft.Network/localNetworkGateways",
    "Microsoft.Network/networkInterfaces",
    "Microsoft.Network/networkWatchers",
    "Microsoft.Network/networkWatchers/flowLogs",
    "Microsoft.Network/privateDnsZones",
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
    "Microsoft.Network/privateEndpoints",
    "Microsoft.Network/privateLinkServices",
    "Microsoft.Network/routeTables",
    "Microsoft.Network/virtualNetworks/subnets",
    "Microsoft.Network/virtualWans",
    "Microsoft.OperationalInsights/clusters",
    "Microsoft.OperationalInsights/workspaces/tables",
    "Microsoft.OperationsManagement/solutions",
    "Microsoft.Resources/resourceGroups",
    "Microsoft.Resources/tenants",
    "Microsoft.Security/automations",
    "Microsoft.Security/pricings",
    "Microsoft.Sql/servers",
    "Microsoft.Sql/servers/auditingSettings",
    "Microsoft.Storage/storageAccounts",
    "Microsoft.Storage/storageAccounts/blobServices/containers",
    "Microsoft.Storage/storageAccounts/managementPolicies",
    "microsoft.aadiam/diagnosticSettings",
    "microsoft.aadiam/diagnosticSettingsCategories",
    "microsoft.intune/diagnosticSettings",
    "Microsoft.AzureActiveDirectory/b2cDirectories",
    "Microsoft.AzureActiveDirectory/ciamDirectories",
    "microsoft.graph/subscribedSkus",
)


@lru_cache(maxsize=1)
def _file() -> _File:
    return msgspec.json.decode(files("auditor").joinpath("catalog.json").read_bytes(), type=_File)


@lru_cache(maxsize=1)
def catalog() -> Mapping[str, LogType]:
    """Every type that can log, by its lower-case name; Azure's categories, and ours for flow logs."""
    types = dict(_file().types)
    for ours in (_MANAGEMENT_GROUPS, _INTUNE):
        types[ours.name.lower()] = ours
    for key in _FLOW_TYPES:
        types[key] = msgspec.structs.replace(types[key], categories=(*types[key].categories, _FLOW))
    for key, name in _IN_AUDIT:
        types[key] = msgspec.structs.replace(types[key], categories=tuple(_audited(types[key].categories, name)))
    return types


def _audited(categories: tuple[Category, ...], name: str) -> Iterator[Category]:
    for one in categories:
        yield msgspec.structs.replace(one, audit=True) if one.name.lower() == name else one


def sources() -> tuple[Source, ...]:
    """Where the catalog's facts are from, with their licences."""
    return _file().sources


def as_of() -> str:
    """The day on which the catalog's facts were compiled."""
    return _file().as_of


def can_log(resource_type: str) -> bool:
    """Whether resources of this type can have diagnostic settings for logs, as far as is published."""
    known = catalog().get(resource_type.lower())
    return known is not None and not known.pseudo


@lru_cache(maxsize=1)
def _spellings() -> dict[str, str]:
    spellings = {name.lower(): name for name in _SILENT_TYPES}
    spellings.update((key, known.name) for key, known in catalog().items())
    return spellings


def canonical_type(resource_type: str) -> str:
    """The type in the spelling of Azure's documentation; one that is not known stays as it was given."""
    return _spellings().get(resource_type.lower(), resource_type)


def known_type(resource_type: str) -> bool:
    """Whether this is a type that we know how to spell, whether it can log or not."""
    return resource_type.lower() in _spellings()


@lru_cache(maxsize=1)
def _index() -> dict[str, dict[str, Category]]:
    return {key: {c.name.lower(): c for c in known.categories} for key, known in catalog().items()}


def category(resource_type: str, name: str) -> Category | None:
    """The category of this name that the type can log, whatever the case."""
    return _index().get(resource_type.lower(), {}).get(name.lower())


def categories_of(resource_type: str) -> tuple[str, ...]:
    """The names of the categories that the type can log, in alphabetical order; ours come last."""
    known = catalog().get(resource_type.lower())
    return tuple(c.name for c in known.categories) if known else ()


def relevance(resource_type: str, name: str) -> str:
    """What a category is good for: `audit`, `security`, `traffic`, `operational`; one not known is `operational`."""
    known = category(resource_type, name)
    return known.relevance if known else "operational"


@lru_cache(maxsize=4096)
def tables(resource_type: str, name: str, dedicated: bool) -> tuple[str, ...]:
    """The workspace tables that a category lands in; empty where that is not documented.

    `dedicated` is the setting's table mode: resource-specific tables, or the shared `AzureDiagnostics`.
    """
    known = category(resource_type, name)
    if known is None:
        return ()
    own = tuple(t for t in (known.table, *known.alt_tables) if t and t != AZURE_DIAGNOSTICS)
    if dedicated:
        return known.alt_tables or own or ((known.table,) if known.table else ())
    if known.table == AZURE_DIAGNOSTICS or (own and resource_type.lower() in _TWO_MODES):
        return (AZURE_DIAGNOSTICS,)
    return own


@lru_cache(maxsize=4096)
def has_own_table(resource_type: str, name: str) -> bool:
    """Whether a category has a table of its own, and lands in the shared one unless a setting asks for it."""
    shared = (AZURE_DIAGNOSTICS,)
    return tables(resource_type, name, False) == shared != tables(resource_type, name, True)


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    return frozenset(name for categories in _index().values() for name in categories)


def known_category(name: str) -> bool:
    """Whether any type can log a category of this name, whatever the case."""
    return name.lower() in _names()

"""What is read about each resource of a type, subscription or tenant, beside its log settings: a new read is a row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from auditor import documents as d
from auditor.sources.azure import reads
from auditor.sources.azure.reads import Read

OF_SUBSCRIPTION: Final[tuple[Read, ...]] = (
    *(reads.LOCATIONS, reads.RESOURCE_GROUPS, reads.SETTINGS, reads.LOG_PROFILES, reads.DELETED_VAULTS),
    *(reads.DEFENDER_PLANS, reads.SECURITY_CONTACT),
)
OF_TENANT: Final[tuple[Read, ...]] = (
    reads.ENTRA_SETTINGS,
    reads.ENTRA_CATEGORIES,
    reads.INTUNE_SETTINGS,
    reads.HEALTH_SERVICES,
)
OF_TYPE: Final[Mapping[str, tuple[Read, ...]]] = {  # by lower-case resource type
    "microsoft.cdn/profiles": (reads.SECURITY_POLICIES,),
    "microsoft.dbformysql/flexibleservers": (reads.MYSQL_PARAMETERS,),
    "microsoft.dbforpostgresql/flexibleservers": (reads.POSTGRESQL_PARAMETERS,),
    "microsoft.network/networkwatchers": (reads.FLOW_LOGS,),
    "microsoft.sql/servers": (
        *(reads.SQL_AUDIT, reads.SQL_EXTENDED_AUDIT, reads.SQL_SUPPORT_AUDIT),
        reads.DEFENDER_SQL,
    ),
    "microsoft.storage/storageaccounts": (reads.DEFENDER_STORAGE,),
    "microsoft.synapse/workspaces": (reads.SYNAPSE_AUDIT,),
}


# Agents that collect by data collection rules, as the `type` of a machine's extension says.
AGENTS: Final = frozenset({"azuremonitorwindowsagent", "azuremonitorlinuxagent"})


def collects_by_rules(resource: Mapping[str, Any]) -> str:
    """The id of what a listed resource shows to collect by data collection rules; empty where it shows nothing.

    The agent is an extension of its machine, part of a scale set, or an addon of a cluster. Where that cannot be told,
    the associations are read too.
    """
    kind, doc_id = str(resource.get("type") or "").lower(), str(resource["id"])
    properties = resource.get("properties")
    known = isinstance(properties, Mapping) and "$unknown" not in properties
    shown = properties if isinstance(properties, Mapping) else {}
    if kind in ("microsoft.compute/virtualmachines/extensions", "microsoft.hybridcompute/machines/extensions"):
        return d.parent_of(doc_id) if not known or str(shown.get("type")).lower() in AGENTS else ""
    if kind == "microsoft.compute/virtualmachinescalesets":
        return doc_id if not known or any(name in str(shown).lower() for name in AGENTS) else ""
    if kind == "microsoft.containerservice/managedclusters":
        addons = shown.get("addonProfiles")
        return doc_id if not known or (isinstance(addons, Mapping) and "omsagent" in str(list(addons)).lower()) else ""
    return ""


def reads_of(resource_type: str) -> tuple[Read, ...]:
    """What is read about each resource of a type, whatever its case."""
    return OF_TYPE.get(resource_type.lower(), ())

"""What is read about each resource of a type, subscription or tenant, beside its log settings: a new read is a row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

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
    "microsoft.sql/servers": (reads.SQL_AUDIT, reads.SQL_EXTENDED_AUDIT, reads.SQL_SUPPORT_AUDIT),
    "microsoft.synapse/workspaces": (reads.SYNAPSE_AUDIT,),
}


def reads_of(resource_type: str) -> tuple[Read, ...]:
    """What is read about each resource of a type, whatever its case."""
    return OF_TYPE.get(resource_type.lower(), ())

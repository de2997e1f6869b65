"""The facts of single types, worked out from documents alone: a new fact is a row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor import documents as d
from auditor.documents import Document
from auditor.facts.compute import COMPUTE
from auditor.facts.defender import subscription_facts
from auditor.facts.dns import DNS_FACTS
from auditor.facts.edge import EDGE_FACTS
from auditor.facts.hierarchy import group_facts, inherited_facts
from auditor.facts.log_loops import LOOP_FACTS, loop_facts
from auditor.facts.look import Look, TypeFacts
from auditor.facts.sentinel import sentinel_facts
from auditor.facts.server_parameters import mysql_facts, postgresql_facts
from auditor.facts.tenants import LINKED_TENANTS
from auditor.facts.vaults import vault_facts
from auditor.facts.watched import blob_facts, server_facts


def _subscription_facts(key: str, document: Document, look: Look) -> dict[str, Any]:
    return subscription_facts(key, document, look) | inherited_facts(key, document, look)


def _blob_facts(key: str, document: Document, look: Look) -> dict[str, Any]:
    return loop_facts(key, document, look) | blob_facts(key, document, look)


FACTS_OF_TYPE: Mapping[str, TypeFacts] = {
    **COMPUTE,
    "microsoft.dbformysql/flexibleservers": mysql_facts,
    "microsoft.dbforpostgresql/flexibleservers": postgresql_facts,
    **DNS_FACTS,
    **EDGE_FACTS,
    **LOOP_FACTS,
    d.SUBSCRIPTION.lower(): _subscription_facts,
    "microsoft.keyvault/vaults": vault_facts,
    "microsoft.operationalinsights/workspaces": sentinel_facts,
    d.MANAGEMENT_GROUP.lower(): group_facts,
    **LINKED_TENANTS,
    "microsoft.sql/servers": server_facts,
    "microsoft.storage/storageaccounts/blobservices": _blob_facts,
}

"""An estate file, checked and indexed: the documents that the emulator serves, found by id, type and subscription."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final

import msgspec

from auditor.documents import (
    COLLECTION_RULE_ASSOCIATIONS,
    CONTAINERS,
    DEFENDER_PLANS,
    DEFENDER_SQL,
    DEFENDER_STORAGE,
    DELETED_VAULTS,
    DIAGNOSTIC_CATEGORIES,
    DIAGNOSTIC_SETTINGS,
    ENTRA,
    ENTRA_CATEGORIES,
    ENTRA_SETTINGS,
    EVENT_HUBS,
    FLOW_LOGS,
    HEALTH_SERVICES,
    HUB_NETWORK,
    HUB_RULES,
    INTUNE,
    INTUNE_SETTINGS,
    LIFECYCLE,
    LOCATIONS,
    LOCKS,
    LOG_PROFILES,
    MANAGEMENT_GROUP,
    MYSQL_PARAMETERS,
    POSTGRESQL_PARAMETERS,
    RESOURCE_LIST,
    SECURITY_CONTACT,
    SECURITY_POLICIES,
    SENTINEL,
    SENTINEL_CONNECTORS,
    SQL_AUDIT,
    SQL_DATABASE_AUDIT,
    SQL_EXTENDED_AUDIT,
    SQL_SUPPORT_AUDIT,
    STORAGE_SERVICES,
    SUBSCRIBED_SKUS,
    SUBSCRIPTION,
    SYNAPSE_AUDIT,
    SYNAPSE_POOL_AUDIT,
    TABLES,
    TENANT,
    Document,
    marker,
    name_of,
    normal_id,
    resource_group_of,
    storage_service_id,
    storage_services,
    subscription_of,
    type_of,
)
from auditor.errors import SourceError

RESOURCE_GROUP: Final = "microsoft.resources/subscriptions/resourcegroups"
STORAGE_ACCOUNT: Final = "microsoft.storage/storageaccounts"

# Neither Resource Graph's `resources` table nor ARM's list of resources holds these.
_NOT_LISTED: Final = frozenset(
    kind.lower()
    for kind in (
        *(CONTAINERS, DELETED_VAULTS, DIAGNOSTIC_CATEGORIES, DIAGNOSTIC_SETTINGS, ENTRA, ENTRA_CATEGORIES),
        *(ENTRA_SETTINGS, EVENT_HUBS, HUB_NETWORK, HUB_RULES, LIFECYCLE, LOCATIONS, LOCKS, LOG_PROFILES),
        *(MANAGEMENT_GROUP, MYSQL_PARAMETERS, POSTGRESQL_PARAMETERS, RESOURCE_GROUP, RESOURCE_LIST, SECURITY_POLICIES),
        COLLECTION_RULE_ASSOCIATIONS,
        *(HEALTH_SERVICES, INTUNE, INTUNE_SETTINGS),
        *(SQL_AUDIT, SQL_DATABASE_AUDIT, SQL_EXTENDED_AUDIT, SQL_SUPPORT_AUDIT, SYNAPSE_AUDIT, SYNAPSE_POOL_AUDIT),
        *(DEFENDER_PLANS, DEFENDER_SQL, DEFENDER_STORAGE, SECURITY_CONTACT, SENTINEL, SENTINEL_CONNECTORS),
        *(SUBSCRIBED_SKUS, SUBSCRIPTION, TABLES, TENANT),
        *(f"{STORAGE_ACCOUNT}/{service}" for service in STORAGE_SERVICES.values()),
        "Microsoft.KeyVault/locations/deletedVaults",
        "Microsoft.Network/networkSecurityGroups/securityRules",
        "Microsoft.Network/virtualNetworks/subnets",
        "Microsoft.OperationalInsights/workspaces/dataExports",
    )
)


class TenantInfo(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The Entra tenant the estate belongs to."""

    id: str
    display_name: str = ""
    default_domain: str = ""


class Principal(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The application that signs in, and as whom Azure's refusals name it."""

    app_id: str = "7f1c0c1e-2b57-4c39-9a0e-6f5a1f4f9d01"
    object_id: str = "0d6d7b0a-5b9e-4a55-8b43-3a2d9f0f7c02"
    name: str = "logging-auditor"


class Estate(msgspec.Struct, frozen=True, kw_only=True, rename="camel", dict=True):
    """Everything the emulator knows of one Azure."""

    format: int
    tenant: TenantInfo
    principal: Principal = Principal()
    page_size: int = 100
    as_of: str = ""
    documents: list[Document]

    @cached_property
    def by_id(self) -> dict[str, Document]:
        """Documents by normal id; the ones that deny a whole subscription are not among them."""
        return {normal_id(d["id"]): d for d in self.documents if str(d["type"]).lower() != RESOURCE_LIST.lower()}

    @cached_property
    def items(self) -> dict[str, Document]:
        """Members of list documents by normal id, so that one can be read alone, as in ARM."""
        found: dict[str, Document] = {}
        for document in self.documents:
            for item in document.get("value") or ():
                if isinstance(item, dict) and isinstance(item.get("id"), str):
                    found.setdefault(normal_id(item["id"]), item)
        return found

    @cached_property
    def by_type(self) -> dict[str, list[Document]]:
        """Answers that are one resource, by lower-case type, in id order."""
        index: dict[str, list[Document]] = {}
        for key in sorted(self.by_id):
            document = self.by_id[key]
            if marker(document) is None and "value" not in document:
                index.setdefault(str(document["type"]).lower(), []).append(document)
        return index

    @cached_property
    def subscriptions(self) -> dict[str, Document]:
        """Subscriptions that the principal sees, by lower-case id."""
        return {subscription_of(d["id"]): d for d in self.by_type.get(SUBSCRIPTION.lower(), ())}

    @cached_property
    def denied(self) -> frozenset[str]:
        """Subscriptions that are seen, but nothing in them may be read."""
        return frozenset(
            subscription_of(d["id"])
            for d in self.documents
            if str(d["type"]).lower() == RESOURCE_LIST.lower() and marker(d) == "$unknown"
        ) - {""}

    @cached_property
    def foreign(self) -> frozenset[str]:
        """Subscriptions of the same tenant that are not seen, known only because something in them is refused."""
        refused = (key for key, d in self.by_id.items() if (d.get("$unknown") or {}).get("status", 403) == 403)
        return frozenset(subscription_of(key) for key in refused) - self.subscriptions.keys() - {""}

    @cached_property
    def resources(self) -> list[Document]:
        """What a list of resources shows: ARM resources of readable subscriptions, in id order, flow logs included."""
        seen = dict(self.by_id)
        for document in self.documents:  # Resource Graph holds flow logs as resources of their own
            if str(document["type"]).lower() == FLOW_LOGS.lower():
                for item in document.get("value") or ():
                    if isinstance(item, dict) and isinstance(item.get("id"), str):
                        seen.setdefault(normal_id(item["id"]), {"type": FLOW_LOGS, **item})
        return [seen[key] for key in sorted(seen) if self._listed(key, seen[key])]

    def _listed(self, key: str, document: Document) -> bool:
        kind = str(document["type"]).lower()
        return (
            marker(document) is None
            and "value" not in document
            and "/providers/" in key
            and kind not in _NOT_LISTED
            and not kind.startswith("auditor/")
            and subscription_of(key) in self.subscriptions.keys() - self.denied
        )

    @cached_property
    def resource_groups(self) -> dict[str, Document]:
        """Resource groups by normal id: those with a document, and those that something is in."""
        found: dict[str, Document] = {}
        for key in sorted(self.by_id):
            document = self.by_id[key]
            group = resource_group_of(document["id"])
            if not group or marker(document) is not None:
                continue
            group_id = f"/subscriptions/{subscription_of(key)}/resourceGroups/{group}"
            derived = {
                "id": group_id,
                "name": group,
                "type": "Microsoft.Resources/resourceGroups",
                "location": document.get("location") or "",
                "properties": {"provisioningState": "Succeeded"},
            }
            found.setdefault(normal_id(group_id), derived)
        found.update({normal_id(d["id"]): d for d in self.by_type.get(RESOURCE_GROUP, ())})
        return found

    @cached_property
    def accounts(self) -> dict[str, Document]:
        """Storage accounts by name, lower case: the name is unique in all of Azure."""
        return {str(d.get("name") or name_of(d["id"])).lower(): d for d in self.by_type.get(STORAGE_ACCOUNT, ())}

    @cached_property
    def services(self) -> dict[str, Document]:
        """Storage services by normal id, for those that have no document of their own."""
        found: dict[str, Document] = {}
        for account in self.accounts.values():
            for service in storage_services(account):
                service_id = storage_service_id(account["id"], service)
                found[normal_id(service_id)] = {
                    "id": service_id,
                    "name": "default",
                    "type": f"Microsoft.Storage/storageAccounts/{STORAGE_SERVICES[service]}",
                    "properties": {"cors": {"corsRules": []}},
                }
        return found

    def find(self, key: str) -> Document | None:
        """The answer to reading this normal id, whatever kind of document holds it."""
        return self.by_id.get(key) or self.items.get(key) or self.services.get(key) or self.resource_groups.get(key)

    def children(self, kind: str, below: str) -> Iterator[Document]:
        """Resources of a type (lower case) under a path (normal id), in id order."""
        for document in self.by_type.get(kind, ()):
            if normal_id(document["id"]).startswith(below + "/"):
                yield document


def load_estate(file: Path | str | Traversable) -> Estate:
    """Read and check an estate file."""
    path = Path(file) if isinstance(file, str) else file
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise SourceError(
            f"{path}: cannot read the estate file: {error.strerror or error}", "Give the path of an estate file."
        ) from error
    return parse_estate(raw, str(path))


_HINT = 'An estate file is JSON: {"format": 1, "tenant": {"id": …}, "documents": [{"id": …, "type": …}, …]}.'


def parse_estate(raw: bytes, name: str = "estate") -> Estate:
    """Check the text of an estate file."""
    try:
        estate = msgspec.json.decode(raw, type=Estate)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SourceError(f"{name}: not an estate file: {error}", _HINT) from error
    if estate.format != 1:
        raise SourceError(f"{name}: estate format {estate.format} is not known, only 1", _HINT)
    if not estate.tenant.id.strip():
        raise SourceError(f"{name}: the tenant has no id", _HINT)
    if not 1 <= estate.page_size <= 10_000:
        raise SourceError(f"{name}: pageSize is {estate.page_size}, and has to be 1 to 10000", _HINT)
    seen: dict[tuple[str, str], int] = {}
    for position, document in enumerate(estate.documents):
        problem = _problem(document)
        if problem:
            raise SourceError(f"{name}: documents[{position}]: {problem}", _HINT)
        key = (normal_id(document["id"]), str(document["type"]).lower())
        if key in seen:
            raise SourceError(
                f"{name}: documents[{position}]: {document['id']} is there already, as documents[{seen[key]}]",
                "Every id is one document; ids compare without regard to case.",
            )
        seen[key] = position
    return estate


def _problem(document: dict[str, Any]) -> str:
    for key in ("id", "type"):
        if not isinstance(document.get(key), str) or not document[key]:
            return f"no {key}"
    if "value" in document and not isinstance(document["value"], list):
        return f"{document['id']}: value is not a list"
    mark = marker(document)
    if mark and not isinstance(document[mark], dict):
        return f"{document['id']}: {mark} is not an object"
    return ""


def kind_of(document: Document) -> str:
    """The type of a document, from its id where it names none (members of lists often do not)."""
    return str(document.get("type") or type_of(document["id"]))

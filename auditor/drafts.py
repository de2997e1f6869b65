"""Documents → the resources they speak of, before any fact is asked of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from auditor import documents as d
from auditor.catalog import canonical_type, known_type
from auditor.documents import Document, Run, kind_key, marker, normal_id, normal_location
from auditor.facts.shapes import entries, explain, mapping, text
from auditor.facts.unread import unread
from auditor.inventory import Origin, Unknown

# Lists whose members are resources of their own: where one could not be read, a stand-in is judged instead.
MEMBER_LISTS = frozenset(kind.lower() for kind in (d.FLOW_LOGS, d.TABLES, d.LOG_PROFILES, d.DELETED_VAULTS))
# Documents that speak of a resource, and are none.
_ABOUT = d.ABOUT | {d.RESOURCE_LIST.lower()}
_STORAGE = "microsoft.storage/storageaccounts"
KindKey = tuple[str, ...]


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A resource as its document tells it.

    `settings_id` and `categories_id` name the documents that tell how it logs; `kind` groups resources that offer the
    same categories; `service` is set for a storage service (`blob` …) of the account `document`.
    """

    document: Document
    id: str
    shown_id: str
    type: str
    name: str
    kind: KindKey
    location: str = ""
    properties: Mapping[str, Any] | Unknown = {}
    settings_id: str = ""
    categories_id: str = ""
    service: str = ""
    stand_in: Unknown | None = None

    @property
    def parent(self) -> str:
        """The normal id of what it is a child of; empty for none."""
        return normal_id(text(self.document.get("id"))) if self.service else normal_parent(self.id)


def normal_parent(resource_id: str) -> str:
    """The normal id of a child resource's parent; empty for a top-level one."""
    return d.parent_of(resource_id)


def with_members(documents: list[Document]) -> dict[str, Document]:
    """Documents by normal id, with the members of lists (flow logs, tables …) beside the lists themselves."""
    index: dict[str, Document] = {}
    for document in documents:
        index[normal_id(str(document.get("id") or ""))] = document
    for document in documents:
        kind = text(document.get("type"))
        members = document.get("value")
        if kind.lower() in MEMBER_LISTS and isinstance(members, list):
            for member in members:
                shown = text(mapping(member).get("id"))
                if shown:
                    # A list read from the service is newer and fuller than Resource Graph's row of the same thing.
                    index[normal_id(shown)] = {**member, "type": text(member.get("type")) or kind}
    return index


def drafts_of(documents: Mapping[str, Document], run: Run) -> Iterator[Draft]:
    """Every resource, storage service, subscription, tenant and stand-in that the documents tell of."""
    regions = _regions(documents)
    for key, document in documents.items():
        kind = text(document.get("type")).lower()
        mark = marker(document)
        if kind in _ABOUT or mark in ("$absent", "$unsupported"):
            continue
        if kind in MEMBER_LISTS and (mark == "$unknown" or "value" in document) and _is_list(key, kind):
            if mark == "$unknown":
                yield _stand_in(key, document)
            continue
        draft = _draft(key, document, regions)
        yield draft
        if kind == _STORAGE:
            yield from _services(draft)
    yield from _tenant(documents, run)


def _is_list(key: str, kind: str) -> bool:
    return key.rpartition("/")[2] == kind.rpartition("/")[2]


def _regions(documents: Mapping[str, Document]) -> dict[str, str]:
    """A region's name by its display name, as the subscriptions list their locations."""
    regions = {}
    for document in documents.values():
        if text(document.get("type")).lower() == d.LOCATIONS.lower():
            for item in entries(document.get("value")):
                name, shown = text(item.get("name")), text(item.get("displayName"))
                if name and shown:
                    regions[normal_location(shown)] = normal_location(name)
    return regions


def _draft(key: str, document: Document, regions: Mapping[str, str]) -> Draft:
    shown = text(document.get("id")) or key
    kind = text(document.get("type")) or d.type_of(shown)
    location = normal_location(text(document.get("location")))
    return Draft(
        document=document,
        id=key,
        shown_id=shown,
        type=_type(kind, shown),
        name=_name(document, shown, kind),
        kind=kind_key(document),
        location=regions.get(location, location),
        properties=_properties(document, kind),
        settings_id=normal_id(d.settings_id(key)),
        categories_id=normal_id(d.categories_id(key)),
    )


def _type(kind: str, shown: str) -> str:
    """A type in the spelling that we know; one that we do not in that of the id, since lists spell types at will."""
    told = d.type_of(shown)
    return told if not known_type(kind) and told.lower() == kind.lower() else canonical_type(kind)


def _name(document: Document, shown: str, kind: str) -> str:
    if kind.lower() in (d.SUBSCRIPTION.lower(), d.MANAGEMENT_GROUP.lower()):
        told = text(document.get("displayName")) or text(mapping(document.get("properties")).get("displayName"))
        if told:
            return told
    # ARM names a child `parent/child`; the last part is what people know it by.
    return (text(document.get("name")) or d.name_of(shown)).rpartition("/")[2]


def _properties(document: Document, kind: str) -> Mapping[str, Any] | Unknown:
    if marker(document):
        return unread(document, "the resource")
    properties = document.get("properties")
    if kind.lower() == d.SUBSCRIPTION.lower() and not isinstance(properties, Mapping):
        return {k: v for k, v in document.items() if k not in ("id", "type")}  # ARM gives these at the top
    if isinstance(properties, Mapping):
        return unread(properties, "its properties") if "$unknown" in properties else properties
    return {}


def _stand_in(key: str, document: Document) -> Draft:
    shown = text(document.get("id")) or key
    owner = d.name_of(shown.rpartition("/")[0])
    if "/providers/microsoft.insights" in key or "/providers/microsoft.keyvault" in key:  # listed by subscription
        owner = d.subscription_of(key)
    why = unread(document, f"the list of {d.name_of(text(document.get('type')))}")
    return Draft(
        document=document, id=key, shown_id=shown, type=canonical_type(text(document.get("type"))), name=owner,
        kind=(), properties=why, stand_in=why,
    )  # fmt: skip


def _services(account: Draft) -> Iterator[Draft]:
    """The services of a storage account that can log, each a resource of its own: logs are set there."""
    for service in d.storage_services(account.document):
        shown = d.storage_service_id(account.shown_id, service)
        yield Draft(
            document=account.document,
            id=normal_id(shown),
            shown_id=shown,
            type=canonical_type(f"{account.type}/{d.STORAGE_SERVICES[service]}"),
            name=f"{account.name}/{service}",
            kind=(*account.kind, service),
            location=account.location,
            properties=account.properties,
            settings_id=normal_id(d.settings_id(shown)),
            categories_id=normal_id(d.categories_id(shown)),
            service=service,
        )


def _tenant(documents: Mapping[str, Document], run: Run) -> Iterator[Draft]:
    """Entra ID and Intune as things that log; a template or plan that does not speak of them has none."""
    settings_id = normal_id(f"/providers/{d.ENTRA_SETTINGS}")
    intune_id = normal_id(f"/providers/{d.INTUNE_SETTINGS}")
    tenants = [doc for doc in documents.values() if text(doc.get("type")).lower() == d.TENANT.lower()]
    readable = {text(doc.get("tenantId")).lower(): doc for doc in tenants if not marker(doc)}
    tenant = run.tenant.lower() or (next(iter(sorted(readable))) if len(readable) == 1 else "")
    document = readable.get(tenant, {})
    if tenant or settings_id in documents:
        yield _of_tenant(d.ENTRA, document, tenant, settings_id, normal_id(f"/providers/{d.ENTRA_CATEGORIES}"))
    if intune_id in documents:
        yield _of_tenant(d.INTUNE, document, tenant, intune_id)


def _of_tenant(kind: str, document: Document, tenant: str, settings_id: str, categories_id: str = "") -> Draft:
    shown = f"/providers/{kind}/{tenant}" if tenant else f"/providers/{kind}"
    return Draft(
        document=document,
        id=normal_id(shown),
        shown_id=shown,
        type=kind,
        name=text(document.get("defaultDomain")) or text(document.get("displayName")) or tenant or "tenant",
        kind=(),
        properties={k: v for k, v in document.items() if k not in ("id", "type")},
        settings_id=settings_id,
        categories_id=categories_id,
    )


def origin_of(document: Mapping[str, Any]) -> Origin | None:
    """Where a template or plan wrote this, as its source noted in `$origin`."""
    origin = document.get("$origin")
    if not isinstance(origin, Mapping) or not isinstance(origin.get("file"), str):
        return None
    line, end_line, address = origin.get("line"), origin.get("end_line"), origin.get("address")
    return Origin(
        file=origin["file"],
        line=line if isinstance(line, int) else None,
        end_line=end_line if isinstance(end_line, int) else None,
        address=address if isinstance(address, str) else None,
    )


def perhaps_of(document: Mapping[str, Any]) -> Unknown | None:
    """Why a template or plan may not make this at all, as its source noted in `$perhaps`."""
    why = document.get("$perhaps")
    return explain({"$unknown": why}, text(why.get("why")) or "perhaps not there") if isinstance(why, Mapping) else None

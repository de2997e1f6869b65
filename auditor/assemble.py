"""Documents → Inventory: every fact is asked once, in order, of every resource."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import msgspec

from auditor import documents as d
from auditor.catalog import FLOW_LOG
from auditor.completeness import count_reads, unread_in
from auditor.documents import Collection, Document, marker, normal_id
from auditor.drafts import Draft, KindKey, drafts_of, origin_of, perhaps_of, with_members
from auditor.facts.classic import classic_logging, classic_only
from auditor.facts.destinations import Resolver, destination_index
from auditor.facts.elsewhere import ONCE, with_others
from auditor.facts.evidence import protected_somewhere, with_evidence
from auditor.facts.exposure import exposure, open_without_group
from auditor.facts.flows import FlowCover, Flows, flow_facts
from auditor.facts.look import Look
from auditor.facts.managed import Managed, managed_facts, managed_groups
from auditor.facts.network_index import index_network
from auditor.facts.of_type import FACTS_OF_TYPE
from auditor.facts.offers import Groups, entra_withheld, offers_none, offers_of, unread_offers, without
from auditor.facts.places import Places, as_destination, place_resources
from auditor.facts.regions import region_facts
from auditor.facts.setting_faults import retention_facts
from auditor.facts.settings import routes_of, setting_facts, settings_of, silent_facts, unread_settings
from auditor.facts.shapes import entries, mapping, text
from auditor.facts.sku_limits import Withheld, withheld
from auditor.facts.sql_coverage import with_sql_audit
from auditor.facts.table_modes import table_facts
from auditor.facts.tenants import TENANTS, Held, held_of, tenant_facts, tenant_offers
from auditor.facts.unread import unread
from auditor.focus import Sight
from auditor.inventory import Destination, Inventory, LogSetting, Resource, Subscription, Unknown
from auditor.retirements import LOG_PROFILES, end_of

Settings = tuple[LogSetting, ...] | Unknown
Offers = tuple[frozenset[str], frozenset[str], Groups]  # offered, perhaps offered, groups

# A resource that was listed and is gone when its settings are asked for: Resource Graph is minutes behind.
_GONE = frozenset({"resourcenotfound", "resourcegroupnotfound", "parentresourcenotfound"})
_STAND_IN_FACTS = (
    "exported", "settings_count", "settings_without_logs", "retired", "target_kind", "target_exists", "enabled",
    "succeeded", "storage_exists", "storage_accepts", "same_region", "traffic_analytics", "retention_days", "delivers",
    "full", "only_cover", "days_left", "receives", "interactive_days", "plan",
)  # fmt: skip


class _Estate(msgspec.Struct, kw_only=True):
    """What is worked out once for all resources."""

    documents: dict[str, Document]
    drafts: list[Draft]
    declared: bool  # a template or plan: what is not there is not there
    look: Look
    scope: frozenset[str]  # subscriptions that were scanned
    managed: Managed  # resource groups
    sight: Sight
    categories: Mapping[KindKey, Document]
    resolve: Resolver
    places: Places  # that are being gathered
    held: Held  # licences of the tenant
    offers: dict[tuple[str, int, bool, Withheld], Offers] = {}  # by type, list of categories, and SKU
    routed: set[tuple[str, frozenset[str], bytes]] = set()


class Shared(msgspec.Struct, frozen=True, kw_only=True):
    """What a part of an estate must know of the rest (see survey.py); `judged` are the part's own subscriptions."""

    judged: frozenset[str]  # lower-case ids; "" for what is in none
    documents: Sequence[Document] = ()
    categories: Mapping[KindKey, Document] = {}  # read of one resource of a kind, wherever that is
    protected: bool = False  # some network somewhere has DDoS protection
    places: Places = msgspec.field(default_factory=Places)  # where logs go, and what each place receives
    accounts: Mapping[str, str] = {}  # storage accounts that auditing policies name: name → normal id


def assemble(collection: Collection, *, today: str = "", shared: Shared | None = None) -> Inventory:
    """Turn documents into an inventory; `today` (ISO date) decides about features that retire.

    Without `today`, it is the day on which the documents were collected. With `shared`, the documents are a part of an
    estate, and only the part's own resources are there to be judged.
    """
    estate = _estate(collection, today, shared)
    documents = estate.documents
    net = index_network(documents)
    flows = flow_facts(net, today=_day(estate), destination=estate.resolve)
    resources = [_resource(draft, estate) for draft in estate.drafts if not _stale(draft, documents)]
    resources = with_sql_audit(resources, estate.look)
    estate.places.audited(resources)
    _flow_places(flows, estate, shared)
    places = estate.places if shared is None else shared.places
    exposed = {key: found.facts for key, found in exposure(net).items()}
    exposed |= {key: {"open_without_group": is_open} for key, is_open in open_without_group(net).items()}
    resources = [_with_network(resource, exposed.get(resource.id, {}), flows) for resource in resources]
    resources = [as_destination(r, places, documents, estate.resolve, declared=estate.declared) for r in resources]
    protected = (shared is not None and shared.protected) or protected_somewhere(resources)
    resources = [with_evidence(resource, ddos=protected) for resource in resources]
    own = [place for place in places.all() if shared is None or d.subscription_of(place.id) in shared.judged]
    resources += place_resources(
        own, places, documents, estate.resolve, estate.scope, estate.sight, declared=estate.declared
    )
    return Inventory(
        resources=tuple(sorted(resources, key=lambda r: (r.id, r.type))),
        run=collection.run,
        subscriptions=tuple(_subscriptions(documents)),
        unread=tuple(unread_in([*collection.documents, *_elsewhere(shared)])),
        reads=count_reads(collection.documents, within=documents.values()),
        judged=None if shared is None else shared.judged,
        ddos_protected=protected,
    )


def places_of(collection: Collection, shared: Shared, *, today: str = "") -> Places:
    """Where a part's own resources send their logs, and what each place receives of them."""
    estate = _estate(collection, today, shared)
    drafts = (draft for draft in estate.drafts if d.subscription_of(draft.id) in shared.judged)
    resources = [_resource(draft, estate) for draft in drafts if not _stale(draft, estate.documents)]
    estate.places.audited(with_sql_audit(resources, estate.look))
    flows = flow_facts(index_network(estate.documents), today=_day(estate), destination=estate.resolve)
    _flow_places(flows, estate, shared)
    return estate.places


def _estate(collection: Collection, today: str, shared: Shared | None) -> _Estate:
    run = collection.run
    documents = with_members([*(shared.documents if shared else ()), *collection.documents])
    skus = documents.get(normal_id(f"/providers/{d.SUBSCRIBED_SKUS}"))
    drafts = list(drafts_of(documents, run))
    declared = run.source != "azure"
    resolve = destination_index(documents, declared=declared)
    return _Estate(
        documents=documents,
        drafts=drafts,
        declared=declared,
        look=Look(
            documents=documents,
            resolve=resolve,
            declared=declared,
            today=today or run.finished_at[:10],
            shared_accounts=shared.accounts if shared else {},
        ),
        scope=frozenset() if declared else frozenset(_scope(documents)),
        managed=managed_groups(collection.documents),
        sight=Sight(run.focus, documents, narrowed=run.narrowed),
        categories=shared.categories if shared else categories_by_kind(drafts, documents),
        resolve=resolve,
        places=Places(collection.documents),
        held=held_of(skus),
    )


def _elsewhere(shared: Shared | None) -> Iterator[Document]:
    """The shared documents that belong to other parts."""
    for document in shared.documents if shared else ():
        if shared and d.subscription_of(text(document.get("id"))) not in shared.judged:
            yield document


def _day(estate: _Estate) -> date:
    return date.fromisoformat(estate.look.today) if estate.look.today else date.min


# --- what is common to all ------------------------------------------------------------------------------------------


def _subscriptions(documents: Mapping[str, Document]) -> Iterator[Subscription]:
    kind = d.SUBSCRIPTION.lower()
    found = {key: doc for key, doc in documents.items() if str(doc.get("type")).lower() == kind and not marker(doc)}
    tenants = {key: d.tenant_of(document) for key, document in found.items()}
    several = len(set(tenants.values()) - {""}) > 1
    for key, document in sorted(found.items()):
        guid, tenant = d.subscription_of(key), tenants[key]
        if guid:
            name = text(document.get("displayName")) or guid
            yield Subscription(
                id=guid,
                name=f"{name} (tenant {tenant[:8]})" if several and tenant else name,
                state=text(document.get("state")) or "Enabled",
                tenant=tenant,
            )


def _scope(documents: Mapping[str, Document]) -> Iterator[str]:
    """The subscriptions that were asked for, also one that did not say its own name."""
    for key, document in documents.items():
        if text(document.get("type")).lower() == d.SUBSCRIPTION.lower() and marker(document) in (None, "$unknown"):
            yield d.subscription_of(key)


def categories_by_kind(drafts: Iterable[Draft], documents: Mapping[str, Document]) -> dict[KindKey, Document]:
    """The list of categories that was read for each kind; resources of one kind offer the same."""
    found: dict[KindKey, Document] = {}
    for draft in drafts:
        document = documents.get(draft.categories_id)
        if document is not None and draft.kind and (draft.kind not in found or marker(found[draft.kind])):
            found[draft.kind] = document
    return {kind: document for kind, document in found.items() if marker(document) != "$absent"}


def _stale(draft: Draft, documents: Mapping[str, Document]) -> bool:
    document = documents.get(draft.settings_id, {})
    absent = document.get("$absent")
    return isinstance(absent, Mapping) and text(absent.get("code")).lower() in _GONE and "/providers/" in draft.id


# --- one resource ---------------------------------------------------------------------------------------------------


def _resource(draft: Draft, estate: _Estate) -> Resource:
    subscription = d.subscription_of(draft.id)
    in_scope = not estate.scope or not subscription or subscription in estate.scope
    in_focus = estate.sight.sees(draft.id, draft.type, draft.document, named_only=not in_scope)
    limits = withheld(draft.document, estate.look.get)
    offers, may_offer, groups = _offers(draft, estate, limits, in_scope=in_scope)
    settings = _settings(draft, estate, offers, groups)
    if offers or settings != () or draft.stand_in is not None:
        facts = setting_facts(settings, offers - {FLOW_LOG}, groups, in_scope=in_scope)
    else:
        facts = dict(silent_facts(in_scope))
    if estate.declared and draft.type.lower() in ONCE and not isinstance(settings, Unknown):
        settings, facts = with_others(draft.id, offers | may_offer, groups, settings, facts)
    if settings != ():
        written = estate.documents.get(draft.settings_id)
        facts |= retention_facts(written) | table_facts(written, settings, draft.type)
        facts |= region_facts(draft.location, settings, estate.documents)
    facts |= limits.facts()
    facts |= managed_facts(draft.id, estate.managed)
    facts |= unread_offers(draft.type, estate.categories.get(draft.kind)) if in_scope else {}
    facts |= _own_facts(draft, estate, facts.get("exported"))
    if draft.service:
        settings, facts = _with_classic(draft, estate, offers, settings, facts)
    if isinstance(settings, Unknown):
        estate.places.doubt(subscription, len(offers | may_offer), draft.type if draft.stand_in is not None else "")
    elif settings:
        estate.places.name(settings, in_use=in_focus)
        _route(draft, estate, offers, groups)
    tags = draft.document.get("tags")
    return Resource(
        id=draft.id,
        shown_id=draft.shown_id,
        type=draft.type,
        name=draft.name,
        kind=text(draft.document.get("kind")),
        sku=draft.document.get("sku"),
        subscription=subscription,
        resource_group=d.resource_group_of(draft.shown_id),
        location=draft.location,
        parent=draft.parent,
        tags=tags if isinstance(tags, Mapping) else {},
        properties=draft.properties,
        settings=settings,
        offers=offers,
        may_offer=may_offer,
        facts=facts,
        origin=origin_of(draft.document),
        perhaps=perhaps_of(draft.document),
        in_focus=in_focus,
    )


def _route(draft: Draft, estate: _Estate, offers: frozenset[str], groups: Groups) -> None:
    """Note what the destinations receive; settings that differ in nothing but their names are looked at once."""
    document = estate.documents.get(draft.settings_id)
    written = [item.get("properties") for item in entries(mapping(document).get("value"))]
    key = (draft.type, offers, msgspec.json.encode(written))
    if key not in estate.routed:
        estate.routed.add(key)
        estate.places.route(draft.type, routes_of(document, draft.type, offers, groups))
        estate.places.access(written)


def _offers(draft: Draft, estate: _Estate, limits: Withheld, *, in_scope: bool) -> Offers:
    """(offered, perhaps offered, groups). What is outside the scan is a destination only, and judged for no logs."""
    nothing: frozenset[str] = frozenset()
    if draft.stand_in is not None or not in_scope:
        return nothing, nothing, {}
    own = estate.documents.get(draft.categories_id)
    settings = estate.documents.get(draft.settings_id)
    if draft.type in TENANTS:
        return *tenant_offers(draft.type, own, settings, estate.held), {}
    if own is None or (marker(own) and not offers_none(own, settings)):
        own = estate.categories.get(draft.kind, own)
    if draft.type == "Microsoft.Storage/storageAccounts":
        return nothing, nothing, {}  # the account itself has metrics only (domain.md 4.1)
    key = (draft.type, id(own), offers_none(own, settings), limits)
    if key not in estate.offers:
        estate.offers[key] = without(limits, *offers_of(draft.type, own, settings=settings))
    return estate.offers[key]


def _settings(draft: Draft, estate: _Estate, offers: frozenset[str], groups: Groups) -> Settings:
    document = estate.documents.get(draft.settings_id) if draft.settings_id else None
    if draft.stand_in is not None:
        return draft.stand_in
    if document is None and estate.declared and marker(draft.document) == "$unknown":
        return unread(draft.document, "the resource")  # it may not be there at all
    if document is None and (estate.declared or not offers - {FLOW_LOG}):
        return ()  # it logs nothing, or whoever declared it declared no setting
    found = settings_of(document, draft.type, offers, groups, estate.resolve)
    if draft.type != d.ENTRA or estate.held.licence != "free" or isinstance(found, Unknown):
        return found
    # A setting from the days when there was a licence still names what is not exported any more.
    withheld = entra_withheld(estate.held.licence, estate.held.workload)
    return tuple(msgspec.structs.replace(setting, categories=setting.categories - withheld) for setting in found)


def _with_classic(
    draft: Draft, estate: _Estate, offers: frozenset[str], settings: Settings, facts: dict[str, Any]
) -> tuple[Settings, dict[str, Any]]:
    document = estate.documents.get(normal_id(f"{draft.id}/storageAnalytics"))
    if draft.service not in d.classic_services(draft.document):
        document = {"$unsupported": {}}
    elif document is None and estate.declared:
        document = {"properties": {"logging": {"read": False, "write": False, "delete": False}}}
    classic = classic_logging(document, draft.parent, draft.service)
    facts |= classic.facts()
    facts["classic_only"] = classic_only(classic.state, settings)
    if isinstance(settings, Unknown):
        if classic.setting is None:
            return settings, facts
        return (classic.setting, unread_settings(draft.id, offers, settings)), facts
    if classic.setting is not None:
        return (*settings, classic.setting), facts
    if isinstance(classic.state, Unknown):
        return (*settings, _perhaps_classic(draft.parent, classic.state)), facts
    return settings, facts


def _perhaps_classic(account_id: str, why: Unknown) -> LogSetting:
    """Classic logging that could not be read may log everything; nothing is known of it."""
    return LogSetting(
        id=normal_id(f"{account_id}/storageAnalytics"),
        name="Storage Analytics",
        kind="storage-analytics",
        possible=frozenset({"StorageRead", "StorageWrite", "StorageDelete"}),
        destinations=(Destination(kind="storage", id=account_id, retention_days=why, interactive_days=why),),
        doubt=why,
    )


def _own_facts(draft: Draft, estate: _Estate, exported: object) -> dict[str, Any]:
    """Facts of single types."""
    kind = draft.type.lower()
    if draft.stand_in is not None:
        return {**dict.fromkeys(_STAND_IN_FACTS, draft.stand_in), "stand_in": True, "in_scope": True}
    if kind == d.LOG_PROFILES.lower():
        day = estate.look.today
        return {"retired": not day or day >= end_of(LOG_PROFILES).isoformat()}
    if kind in TENANTS:
        return tenant_facts(kind, estate.held, exported, estate.look)
    asked = FACTS_OF_TYPE.get(kind)
    return dict(asked(draft.id, draft.document, estate.look)) if asked is not None else {}


# --- the network ----------------------------------------------------------------------------------------------------


def _flow_places(flows: Flows, estate: _Estate, shared: Shared | None) -> None:
    """Where flow logs go are destinations like any other; in use are those of judged flow logs and judged networks."""
    sees = estate.sight.sees
    covers = {**flows.groups, **flows.networks, **flows.subnets}
    judged = [cover for key, cover in covers.items() if sees(key, d.type_of(key))]
    in_use = {setting.id for cover in judged for setting in (*cover.settings, *cover.part)}
    for key in sorted(flows.logs):
        if shared is None or d.subscription_of(key) in shared.judged:
            setting = flows.logs[key].setting
            estate.places.flow_log(setting, in_use=setting.id in in_use or sees(key, d.FLOW_LOGS))


def _with_network(resource: Resource, exposed: Mapping[str, Any], flows: Flows) -> Resource:
    """Security groups, interfaces, networks, subnets and flow logs with what is known of exposure and flow logs."""
    key = resource.id
    facts = dict(exposed)
    if key in flows.logs:
        facts |= flows.logs[key].facts
    cover = flows.groups.get(key) or flows.networks.get(key) or flows.subnets.get(key)
    if cover is None:
        return msgspec.structs.replace(resource, facts={**resource.facts, **facts}) if facts else resource
    settings = _with_flow_logs(resource, cover)
    return msgspec.structs.replace(resource, settings=settings, facts={**resource.facts, **facts, **cover.facts})


def _with_flow_logs(resource: Resource, cover: FlowCover) -> Settings:
    found = (*cover.settings, *cover.part)
    if isinstance(resource.settings, Unknown):
        return (*found, unread_settings(resource.id, resource.offers - {FLOW_LOG}, resource.settings))
    return (*resource.settings, *found)

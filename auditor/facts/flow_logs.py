"""What one flow log records, whether it works, and for how long its records are kept (domain.md 3.2 to 3.5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

import msgspec

from auditor.documents import FLOW_LOGS, Document, subscription_of
from auditor.facts.archives import flow_container
from auditor.facts.destinations import Resolver
from auditor.facts.network import NSG, VNET, Network, look, owner_of, vnet_of
from auditor.facts.numbers import number
from auditor.facts.shapes import entries, explain, is_unknown, location, mapping, name, props, ref, refs, short, text
from auditor.inventory import Destination, Unknown
from auditor.retirements import NSG_FLOW_LOGS, end_of

RETIREMENT: Final = end_of(NSG_FLOW_LOGS)  # Azure deletes all flow logs on network security groups

_TABLES = {True: "AzureNetworkAnalytics_CL", False: "NTANetAnalytics"}  # Traffic Analytics, by whether it retires

Region = tuple[str, str]  # subscription (lower case), region; "" for any


class FlowLog(msgspec.Struct, frozen=True, kw_only=True):
    """One flow log: what it is set on, and whether it covers that.

    `covers`: it is on, and its records reach storage that is not gone; one on a security group only until its
    retirement. `full`: it leaves no record out. `facts` are named as rules read them.
    """

    id: str
    name: str
    kind: str | Unknown = ""  # nsg, vnet, subnet, nic
    target: str = ""
    covers: bool | Unknown = False
    full: bool | Unknown = True
    retiring: bool = False
    destinations: tuple[Destination, ...] = ()
    facts: Mapping[str, Any] = {}


def both(*truths: bool | Unknown) -> bool | Unknown:
    """False if any is False, else the first Unknown, else True."""
    if any(truth is False for truth in truths):
        return False
    return next((truth for truth in truths if isinstance(truth, Unknown)), True)


def flow_log_documents(net: Network) -> dict[str, Document]:
    """Every flow log that was listed, by its id: as a resource, or as a member of a network watcher's list."""
    found: dict[str, Document] = {}
    for key in net.by_type.get(FLOW_LOGS.lower(), ()):
        document = net.documents[key]
        for item in entries(document.get("value")):
            if ref(item):
                found[ref(item)] = dict(item)
        if "value" not in document and not key.endswith("/flowlogs") and "$absent" not in document:
            found.setdefault(key, document)
    return dict(sorted(found.items()))


def unread_flow_logs(net: Network, logs: Mapping[str, Document]) -> dict[Region, Unknown]:
    """Where flow logs may exist that are not known: lists that failed, and flow logs that could not be read."""
    answer = {(subscription, ""): why for subscription, why in net.unlisted.items()}
    for key in net.by_type.get(FLOW_LOGS.lower(), ()):
        document = net.documents[key]
        if key.endswith("/flowlogs") and "$unknown" in document:
            watcher = key.removesuffix("/flowlogs")
            # Without its document, the watcher's default name tells the region.
            region = location(net.documents.get(watcher, {})) or short(watcher).partition("networkwatcher_")[2]
            why = explain(document, f"the flow logs of network watcher {short(watcher)} could not be read")
            answer[subscription_of(key), region] = why
    for key, document in logs.items():
        if "$unknown" in document or not isinstance(document.get("properties"), Mapping):
            why = explain(document, f"flow log {short(key)} could not be read")
        elif is_unknown(props(document)) or is_unknown({"id": props(document).get("targetResourceId")}):
            why = explain(props(document), f"what flow log {short(key)} is set on is not known")
        else:
            continue
        answer[subscription_of(key), location(document)] = why
    return answer


def read_flow_logs(net: Network, logs: Mapping[str, Document], today: date, destination: Resolver) -> Iterator[FlowLog]:
    """Every flow log, and one in doubt for each that a network or security group names but that was not listed."""
    for key, document in logs.items():
        yield _read(net, key, document, today, destination)
    for kind, word in ((NSG, "nsg"), (VNET, "vnet")):
        for target in net.by_type.get(kind, ()):
            for key in refs(props(net.documents[target]).get("flowLogs")):
                if key not in logs and "$absent" not in net.documents.get(key, {}):
                    why = Unknown(reason=f"flow log {short(key)} of {short(target)} is not among those that were read")
                    yield FlowLog(
                        id=key, name=short(key), kind=word, target=target, covers=why, full=why, retiring=kind == NSG
                    )


_ALL_FACTS = (
    "target_kind", "target_exists", "enabled", "succeeded", "storage_exists", "storage_accepts", "same_region",
    "traffic_analytics", "retention_days", "delivers", "full", "only_cover", "days_left",
)  # fmt: skip


def _read(net: Network, key: str, document: Document, today: date, destination: Resolver) -> FlowLog:
    shown = name(document, short(key)).rpartition("/")[2]  # templates write `watcher/name`
    body = document.get("properties")
    if "$unknown" in document or not isinstance(body, Mapping) or "$unknown" in body:
        unread = document if "$unknown" in document else body
        why = explain(unread, f"flow log {shown} could not be read")
        return FlowLog(id=key, name=shown, kind=why, covers=why, full=why, facts=dict.fromkeys(_ALL_FACTS, why))
    target = ref({"id": body.get("targetResourceId")})
    kind = _kind(target, body, shown)
    retiring = kind == "nsg"
    enabled = _flag(body.get("enabled"), f"whether flow log {shown} is enabled is not known")
    succeeded = _succeeded(body, shown)
    own = _own_retention(body, shown)
    storage = _storage(body, destination, retiring)
    analytics = _analytics(body, destination, retiring)
    kept = 0.0 if storage.exists is False else _shorter(own, storage.retention_days)  # nothing arrives there
    works = both(enabled, succeeded, storage.exists is not False)  # where that could not be read, it counts
    exists = _target_exists(net, target, kind)
    region = _same_region(net, document, target, storage)
    destinations: tuple[Destination, ...] = ()
    if storage.id:
        destinations = (msgspec.structs.replace(storage, retention_days=kept),)
    if isinstance(analytics, Destination):
        destinations += (analytics,)
    full = _full(body, shown)
    days_left = (RETIREMENT - today).days
    return FlowLog(
        id=key,
        name=shown,
        kind=kind,
        target=target,
        covers=both(works, not retiring or today < RETIREMENT),
        full=full,
        retiring=retiring,
        destinations=destinations,
        facts={
            "target_kind": kind,
            "target_exists": exists,
            "enabled": enabled,
            "succeeded": succeeded,
            "storage_exists": storage.exists,
            "storage_accepts": storage.accepts,
            "same_region": region,
            "traffic_analytics": analytics if isinstance(analytics, bool | Unknown) else analytics.exists is not False,
            "retention_days": kept,
            "delivers": both(
                enabled,
                succeeded,
                exists,
                storage.exists,
                storage.accepts,
                region,
                not retiring or today < RETIREMENT,
            ),
            "full": full,
            "only_cover": False,
            "days_left": days_left if retiring else None,
        },
    )


def _kind(target: str, body: Mapping[str, Any], shown: str) -> str | Unknown:
    for part, kind in (
        ("/networkinterfaces/", "nic"),
        ("/networksecuritygroups/", "nsg"),
        ("/subnets/", "subnet"),
        ("/virtualnetworks/", "vnet"),
    ):
        if part in target:
            return kind
    return explain(body.get("targetResourceId"), f"what flow log {shown} is set on is not known")


def _flag(value: object, what: str) -> bool | Unknown:
    return value if isinstance(value, bool) else explain(value, what)


def _succeeded(body: Mapping[str, Any], shown: str) -> bool | Unknown:
    written = body.get("provisioningState")
    state = text(written).lower()
    if is_unknown(written) or state in ("updating", "creating"):
        return explain(written, f"the state of flow log {shown} is not settled")
    return state in ("succeeded", "")  # a template has no state yet


def _own_retention(body: Mapping[str, Any], shown: str) -> float | Unknown:
    """Days after which the flow log itself deletes; switched off, 0 days and null are all "never" (trap 32)."""
    policy = body.get("retentionPolicy")
    if policy is None:
        return float("inf")
    if not isinstance(policy, Mapping) or "$unknown" in policy:
        return explain(policy, f"the retention of flow log {shown} is not known")
    if policy.get("enabled") is False or policy.get("days") is None:
        return float("inf")
    days = number(policy.get("days"))
    if days is None or is_unknown(policy.get("enabled")):
        return explain(policy.get("days"), f"the retention of flow log {shown} is not known")
    return days if days > 0 else float("inf")


def _shorter(own: float | Unknown, storage: float | Unknown) -> float | Unknown:
    if isinstance(own, Unknown):
        return own
    return storage if isinstance(storage, Unknown) else min(own, storage)


def _storage(body: Mapping[str, Any], destination: Resolver, retiring: bool) -> Destination:
    written = body.get("storageId")
    if isinstance(written, str) and written.strip():
        return destination("storage", ref({"id": written}), flow_container(retiring=retiring))
    if is_unknown({"id": written}):
        return destination("storage", "", flow_container(retiring=retiring))
    return Destination(kind="storage", id="", exists=False, accepts=False)


def _analytics(body: Mapping[str, Any], destination: Resolver, retiring: bool) -> Destination | bool | Unknown:
    """Where Traffic Analytics writes; False if it is off."""
    outer = body.get("flowAnalyticsConfiguration")
    inner = mapping(outer).get("networkWatcherFlowAnalyticsConfiguration")
    written = mapping(inner)
    for value in (outer, inner, written.get("enabled")):
        if is_unknown(value):
            return explain(value, "whether Traffic Analytics is on is not known")
    if written.get("enabled") is not True:
        return False
    workspace = written.get("workspaceResourceId")
    if is_unknown({"id": workspace}):
        return explain(workspace, "the workspace of Traffic Analytics is not known")
    place = ref({"id": workspace})
    return destination("log-analytics", place, _TABLES[retiring]) if place else False


def _full(body: Mapping[str, Any], shown: str) -> bool | Unknown:
    """Whether no record is left out: no filter, and records of begin, deny and at least one of continue and end."""
    criteria, types = body.get("enabledFilteringCriteria"), body.get("recordTypes")
    if is_unknown(criteria) or not isinstance(types, str | list | None):
        value = criteria if is_unknown(criteria) else types
        return explain(value, f"what flow log {shown} leaves out is not known")
    if criteria not in (None, "", [], {}) and not (isinstance(criteria, str) and not criteria.strip()):
        return False
    listed = types if isinstance(types, list) else text(types).split(",")
    letters = {text(part).upper()[:1] for part in listed} - {""}
    return not letters or ({"B", "D"} <= letters and bool(letters & {"C", "E"}))


def _target_exists(net: Network, target: str, kind: str | Unknown) -> bool | Unknown:
    if isinstance(kind, Unknown):
        return kind
    if kind == "subnet":
        found = look(net.documents, vnet_of(target), "virtual network")
        if target in net.subnets:
            return True
        if isinstance(found, Mapping):
            return False
    owner = owner_of(f"{target}/ipconfigurations/x") if kind == "nic" else target
    owner = vnet_of(owner) if kind == "subnet" else owner
    document = net.documents.get(target, net.documents.get(owner))
    if document is None:  # only an answer that it is gone says so for certain: lists lag, and may end at a scope
        return Unknown(reason=f"{short(target)} is not among the resources that could be read")
    if "$unknown" in document:
        return explain(document, f"{short(target)} could not be read")
    return "$absent" not in document


def _same_region(net: Network, document: Document, target: str, storage: Destination) -> bool | Unknown:
    place = net.documents.get(storage.id, {})
    here = location(document) or location(net.documents.get(vnet_of(target), {}))
    there = location(place)
    if here and there:
        return here == there
    if isinstance(storage.exists, Unknown):
        return storage.exists
    return Unknown(reason="the region of the flow log's storage account is not known")

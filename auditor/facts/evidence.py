"""Which of the logs that a resource offers would be evidence here, so that their absence is a gap?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from auditor.catalog import category
from auditor.documents import SUBSCRIPTION
from auditor.facts.shapes import entries, explain, is_unknown, mapping, text
from auditor.inventory import Resource, Unknown

_SUBSCRIPTION: Final = frozenset({"Administrative", "Security", "Policy", "Alert"})  # CIS Azure, "Activity Log"
_VNET: Final = "microsoft.network/virtualnetworks"
_PUBLIC_IP: Final = "microsoft.network/publicipaddresses"
_COSMOS: Final = "microsoft.documentdb/databaseaccounts"
_COMPONENT: Final = "microsoft.insights/components"
_SQL_DATABASE: Final = "microsoft.sql/servers/databases"

# Pairs that tell of the same events, so that one of the two is enough; the first is the one to ask for.
_EITHER: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "microsoft.network/azurefirewalls": (
        ("AZFWApplicationRule", "AzureFirewallApplicationRule"),
        ("AZFWNetworkRule", "AzureFirewallNetworkRule"),
        ("AZFWDnsQuery", "AzureFirewallDnsProxy"),
    ),
    **dict.fromkeys(
        (
            "microsoft.containerservice/fleets",
            "microsoft.containerservice/managedclusters",
            "microsoft.kubernetes/connectedclusters",
            "microsoft.redhatopenshift/hcpopenshiftclusters",
        ),
        (("kube-audit", "kube-audit-admin"),),
    ),
    _COSMOS: (("DataPlaneRequests", "DataPlaneRequests5M"), ("DataPlaneRequests", "DataPlaneRequests15M")),
}
# Requests of an API of Cosmos DB, which only accounts with that API have.
_COSMOS_APIS: Final = {
    "CassandraRequests": "enablecassandra",
    "GremlinRequests": "enablegremlin",
    "TableApiRequests": "enabletable",
}

# What decides whether events can come about: type, how the names of the categories begin, property.
_DECIDED_BY: Final = (
    (_COSMOS, ("mongorequests", *(name.lower() for name in _COSMOS_APIS)), "capabilities"),
    (_VNET, ("vmprotectionalerts",), "enableDdosProtection"),
    (_PUBLIC_IP, ("ddos",), "ddosSettings"),
)

_WHEN: Final[Mapping[tuple[str, str], str]] = {  # what `_can_occur` and `_EITHER` ask of a resource, for people
    (_SQL_DATABASE, "DevOpsOperationsAudit"): "on the database master",
    (_VNET, "VMProtectionAlerts"): "where the network has DDoS protection",
    (_COSMOS, "MongoRequests"): "where the account has the API for MongoDB",
    (_COSMOS, "CassandraRequests"): "where the account has the API for Cassandra",
    (_COSMOS, "GremlinRequests"): "where the account has the API for Gremlin",
    (_COSMOS, "TableApiRequests"): "where the account has the API for Table",
}


def expected_when(resource_type: str, name: str) -> str:
    """When a category that a type offers is expected to be exported: `always`, under a condition, or never (empty)."""
    kind, known = resource_type.lower(), category(resource_type, name)
    if kind == SUBSCRIPTION.lower():
        return "always" if name in _SUBSCRIPTION else ""
    if known is None:
        return ""
    if known.own:  # a flow log is expected of networks, and watches what is in them
        return "where the network holds anything that talks" if kind == _VNET else ""
    if known.relevance == "operational":
        return ""
    if kind == _PUBLIC_IP and name.lower().startswith("ddos"):
        return "where the address has DDoS protection"
    if kind == _COMPONENT:
        return "without a workspace, where all its records are anyway"
    if (kind, name) in _WHEN:
        return _WHEN[kind, name]
    others = [pair[pair[0] == name] for pair in _EITHER.get(kind, ()) if name in pair]
    return f"it or {' or '.join(others)}" if others else "always"


def protected_somewhere(resources: Iterable[Resource]) -> bool:
    """Whether any of these virtual networks has, or may have, DDoS protection, which its public IPs inherit."""
    return any(_protected(resource) for resource in resources if resource.type.lower() == _VNET)


def evidence_of(resource: Resource, *, ddos: bool, exported: Iterable[str] = ()) -> list[str]:
    """The categories of a resource that would be evidence, in order; flow logs are counted with their network.

    `ddos`: some network has DDoS protection. Of two categories that tell of the same, the one that is `exported`.
    """
    kind = resource.type.lower()
    names = {name for name in resource.offers | resource.may_offer if _is_evidence(resource, kind, name, ddos)}
    sent = frozenset(exported)
    for wanted, other in _EITHER.get(kind, ()):
        if {wanted, other} <= names:
            names.discard(wanted if other in sent and wanted not in sent else other)
    return sorted(names)


def with_evidence(resource: Resource, *, ddos: bool) -> Resource:
    """The resource with the facts `security_expected` and `security_missing`, where it offers logs that are evidence.

    What its group `audit` certainly contains is left to the rule about audit logs, so that nothing is judged twice.
    """
    if not resource.offers or resource.is_stand_in:
        return resource
    settings = () if isinstance(resource.settings, Unknown) else resource.settings
    living = [setting for setting in settings if setting.living and setting.partial is None]
    sent = frozenset(name for setting in living for name in setting.categories)
    audit = resource.facts.get("audit_offered")
    told = frozenset(audit) if isinstance(audit, list) else frozenset[str]()
    expected = [name for name in evidence_of(resource, ddos=ddos, exported=sent) if name not in told]
    facts = {**resource.facts, "security_expected": expected, "security_missing": _missing(resource, expected, sent)}
    return msgspec.structs.replace(resource, facts=facts)


def _missing(resource: Resource, expected: Iterable[str], sent: frozenset[str]) -> list[str] | Unknown:
    lacks = [name for name in expected if name not in sent]
    if isinstance(resource.settings, Unknown):
        return resource.settings if lacks else []
    perhaps = {
        name: setting.why_possible for setting in resource.settings if setting.living for name in setting.possible
    }
    perhaps |= {name: why for name in lacks if (why := cannot_tell(resource, name)) is not None}
    certain = [name for name in lacks if name not in perhaps]
    if certain or not lacks:
        return certain
    return perhaps[lacks[0]]


def _is_evidence(resource: Resource, kind: str, name: str, ddos: bool) -> bool:
    known = category(kind, name)
    if kind == SUBSCRIPTION.lower():
        return name in _SUBSCRIPTION
    if known is None:  # newer than the catalog: what Azure itself counts as audit is evidence
        audit = resource.facts.get("audit_offered")
        return isinstance(audit, list) and name in audit
    return known.relevance != "operational" and not known.own and _can_occur(resource, kind, name, ddos)


def _can_occur(resource: Resource, kind: str, name: str, ddos: bool) -> bool:
    """Whether such events can come about, and be lost (domain.md 8).

    Not where nothing is protected, where no such API is there, or where a workspace holds them without any setting.
    """
    if kind == _SQL_DATABASE and name == "DevOpsOperationsAudit":
        return resource.name.lower() == "master"  # which carries them for all databases of the server
    if kind == _COMPONENT:
        return resource.facts.get("workspace") is not True
    if kind == _VNET and name == "VMProtectionAlerts":
        return _protected(resource)
    if kind == _PUBLIC_IP and name.lower().startswith("ddos"):
        return _public_ip_protected(resource, ddos)
    if kind == _COSMOS and not isinstance(resource.properties, Unknown):
        found = {text(entry.get("name")).lower() for entry in entries(resource.properties.get("capabilities"))}
        if is_unknown(resource.properties.get("capabilities")):
            return True
        if name == "MongoRequests":
            return resource.kind.lower() == "mongodb" or "enablemongo" in found
        return name not in _COSMOS_APIS or _COSMOS_APIS[name] in found
    return True


def cannot_tell(resource: Resource, name: str) -> Unknown | None:
    """Why it is not known whether events of a category can come about; None where that is known."""
    kind = resource.type.lower()
    key = next((key for of, names, key in _DECIDED_BY if of == kind and name.lower().startswith(names)), None)
    if key is None:
        return None
    if isinstance(resource.properties, Unknown):
        return resource.properties
    told = resource.properties.get(key)
    return explain(told, f"{resource.name}'s {key}") if is_unknown(told) else None


def _protected(network: Resource) -> bool:
    return isinstance(network.properties, Unknown) or has_protection(network.properties)


def has_protection(properties: object) -> bool:
    """Whether a virtual network with these properties has DDoS protection, or may have."""
    found = mapping(properties)
    return "$unknown" in found or found.get("enableDdosProtection") not in (None, False)


def _public_ip_protected(address: Resource, ddos: bool) -> bool:
    if isinstance(address.properties, Unknown):
        return True
    mode = text(mapping(address.properties.get("ddosSettings")).get("protectionMode")).lower()
    return mode == "enabled" or (mode != "disabled" and ddos)

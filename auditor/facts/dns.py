"""Who answers the DNS queries of a virtual network, and is what it was asked kept?

Azure's own resolver logs by the DNS security policy that is linked to the network, an Azure Firewall as a DNS proxy by
itself, the inbound endpoint of a private resolver by the policy of the resolver's network. What any other DNS server
logs, Resource Manager does not tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from auditor import documents as d
from auditor.catalog import categories_of
from auditor.documents import Document, parent_of, settings_id
from auditor.facts.edge import firewall_facts
from auditor.facts.hierarchy import parents
from auditor.facts.look import Look, TypeFacts
from auditor.facts.network import VNET
from auditor.facts.settings import settings_of
from auditor.facts.shapes import entries, is_unknown, mapping, props, ref, short, text
from auditor.facts.unread import properties_of, unclear, undecided, unread
from auditor.inventory import Unknown
from auditor.truth import Truth, every, some

_POLICY: Final = "microsoft.network/dnsresolverpolicies"
_LINK: Final = f"{_POLICY}/virtualnetworklinks"
_FIREWALL: Final = "microsoft.network/azurefirewalls"
_ENDPOINT: Final = "microsoft.network/dnsresolvers/inboundendpoints"
_AZURE: Final = "168.63.129.16"  # Azure's own resolver, by its address
_QUERIES: Final = {_POLICY: ("DnsResponse",), _FIREWALL: ("AZFWDnsQuery", "AzureFirewallDnsProxy")}

_Doubts = list[Unknown]


def network_facts(network: str, document: Document, look: Look) -> dict[str, Any]:
    """`dns_logged` of a virtual network, and `dns_servers`, those that were written down for it.

    A plan or template is not asked unless it says so itself: the policy is often declared elsewhere.
    """
    properties = properties_of(document, "the network")
    if isinstance(properties, Unknown):
        return {"dns_logged": properties, "dns_servers": properties}
    written = mapping(properties.get("dhcpOptions")).get("dnsServers")
    if undecided(properties.get("dhcpOptions")) or undecided(written):
        found = unclear("the DNS servers of the network", written)
        return {"dns_logged": found, "dns_servers": found}
    servers = sorted({text(server) for server in written if text(server)}) if isinstance(written, list) else []
    doubts: _Doubts = []
    truth = every(_answers(server, network, properties, look, doubts) for server in servers or [_AZURE])
    if look.declared and truth is not True:
        return {"dns_servers": servers}
    logged = doubts[0] if truth is None else truth
    return {"dns_logged": logged, "dns_servers": servers}


def _answers(server: str, network: str, properties: Mapping[str, Any], look: Look, doubts: _Doubts) -> Truth:
    """Whether what this server is asked from the network is kept; why that cannot be told goes into `doubts`."""
    if server == _AZURE:
        return _by_policy(network, look, doubts)
    peerings = entries(properties.get("virtualNetworkPeerings"))
    near = {network, *(ref(props(peering).get("remoteVirtualNetwork")) for peering in peerings)}
    found: set[Truth] = set()
    for resource in look.once(_by_address).get(server, ()):
        own = _networks(props(look.documents[resource]))
        if d.type_of(resource) == _ENDPOINT and own & near:
            found |= {_by_policy(resolver, look, doubts) for resolver in sorted(own & near)}
        elif d.type_of(resource) == _FIREWALL and (own & near or not own):
            found.add(_by_firewall(resource, look, doubts))
    if len(found) == 1:
        return found.pop()
    what = "several may be meant, of which not all log" if found else "what it logs is not told by Resource Manager"
    doubts.append(Unknown(reason=f"the DNS server {server}: {what}"))
    return None


def _by_address(look: Look) -> dict[str, list[str]]:
    """Firewalls and inbound endpoints of private resolvers by their private addresses."""
    found: dict[str, list[str]] = {}
    for resource in (*look.of_type(_FIREWALL), *look.of_type(_ENDPOINT)):
        for address in sorted(_addresses(props(look.documents[resource]))):
            found.setdefault(address, []).append(resource)
    return found


class _Links(msgspec.Struct, frozen=True):
    """The DNS security policies that are linked to each network, and why there may be more."""

    of: Mapping[str, Sequence[str]]
    doubts: Sequence[Unknown]


def _linked(look: Look) -> _Links:
    found: dict[str, list[str]] = {}
    doubts: _Doubts = []
    for link in look.of_type(_LINK):
        properties = properties_of(look.documents[link], "a link of a DNS security policy")
        target = properties if isinstance(properties, Unknown) else properties.get("virtualNetwork")
        if isinstance(target, Unknown):
            doubts.append(target)
        elif is_unknown(target):
            why = target if undecided(target) else mapping(target).get("id")
            doubts.append(unclear("a link of a DNS security policy", why))
        elif ref(target):
            found.setdefault(ref(target), []).append(parent_of(link))
    scanned = set(look.of_type(d.SUBSCRIPTION))
    below_groups = [key for key in look.once(parents) if d.type_of(key) == d.SUBSCRIPTION]
    for subscription in sorted(scanned.union(below_groups)):
        hidden = look.unlisted(subscription)
        what = f"whether a DNS security policy of subscription {short(subscription)} is linked to the network"
        if hidden is not None:
            doubts.append(unread(hidden, what))
        elif subscription not in scanned:
            doubts.append(Unknown(reason=f"{what}: that subscription was not scanned"))
    return _Links(found, doubts)


def _by_policy(network: str, look: Look, doubts: _Doubts) -> Truth:
    """Whether a DNS security policy that sees the network's queries sends them to a place that is there."""
    links = look.once(_linked)
    policies = links.of.get(network)
    if policies:  # a network has one at most
        return some(_exported(policy, _POLICY, look, doubts) for policy in policies)
    doubts += links.doubts[:1]
    return None if links.doubts else False


def _by_firewall(firewall: str, look: Look, doubts: _Doubts) -> Truth:
    proxy = firewall_facts(firewall, look.documents[firewall], look)["dns_proxy"]
    exported = _exported(firewall, _FIREWALL, look, doubts)
    if isinstance(proxy, Unknown):
        doubts.append(proxy)
        return None if exported is not False else False
    return exported if proxy else False


def _exported(resource: str, kind: str, look: Look, doubts: _Doubts) -> Truth:
    document = look.get(settings_id(resource))
    if document is None and look.declared:
        return False
    settings = settings_of(document, kind, frozenset(categories_of(kind)), {}, look.resolve)
    if isinstance(settings, Unknown):
        doubts.append(settings)
        return None
    living = [setting for setting in settings if setting.living]
    if any(name in setting.categories for setting in living for name in _QUERIES[kind]):
        return True
    for setting in living:
        if any(name in setting.possible for name in _QUERIES[kind]):
            doubts.append(setting.why_possible)
            return None
    return False


def _addresses(properties: Mapping[str, Any]) -> set[str]:
    """The private addresses of a firewall or an endpoint."""
    parts = [mapping(properties.get("hubIPAddresses"))]
    for part in entries(properties.get("ipConfigurations")):
        parts += [part, props(part)]
    return {text(part.get(key)) for part in parts for key in ("privateIPAddress", "privateIpAddress")} - {""}


def _networks(properties: Mapping[str, Any]) -> set[str]:
    """The networks that a firewall or an endpoint stands in; none for a firewall of a virtual hub."""
    parts: Iterable[Mapping[str, Any]] = entries(properties.get("ipConfigurations"))
    subnets = {ref(part.get("subnet")) or ref(props(part).get("subnet")) for part in parts}
    return {parent_of(subnet) for subnet in subnets if subnet}


DNS_FACTS: Final[Mapping[str, TypeFacts]] = {VNET: network_facts}

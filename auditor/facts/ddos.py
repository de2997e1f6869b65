"""Is a public IP address protected against DDoS, by itself or by the network that it stands in?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from auditor.documents import Document, marker, subscription_of
from auditor.facts.evidence import has_protection
from auditor.facts.look import Look
from auditor.facts.network import NIC, SCALE_SET, VNET, vnet_of
from auditor.facts.shapes import entries, is_unknown, location, mapping, props, ref, refs, text
from auditor.facts.unread import fields, unclear, undecided, unread
from auditor.inventory import Unknown

_PARTS: Final = ("ipConfigurations", "gatewayIPConfigurations", "frontendIPConfigurations")
_FORWARDED: Final = ("loadBalancerBackendAddressPools", "loadBalancerInboundNatRules", "loadBalancerInboundNatPools")
_NOT_TOLD: Final = "whether the network of the address has DDoS protection cannot be told"


def ddos_facts(address_id: str, address: Document, look: Look) -> dict[str, Any]:
    """`ddos_protected` of a public IP address."""
    return {"ddos_protected": _protected(address_id, address, look)}


def _protected(address_id: str, address: Document, look: Look) -> bool | Unknown:
    properties = fields(address.get("properties"))
    if marker(address) or properties is None:
        return unread(address, "the address") if marker(address) else unclear("the address", address.get("properties"))
    settings = properties.get("ddosSettings")
    mode = settings if undecided(settings) else mapping(settings).get("protectionMode")
    if undecided(mode):
        return unclear("the protection of the address", mode)
    if text(mode).lower() in ("enabled", "disabled"):
        return text(mode).lower() == "enabled"
    configuration = properties.get("ipConfiguration")
    if configuration is None and not look.declared:
        return False  # it is attached to nothing, or to a NAT gateway, which no plan protects
    return _by_network(address_id, address, ref(configuration), look)


def _by_network(address_id: str, address: Document, configuration: str, look: Look) -> bool | Unknown:
    """What the address inherits: of the network in which its owner says it is, else of all that it may be in."""
    networks = _networks(configuration, look)
    if networks:
        answers = {_has_network(network, look) for network in networks}
        return answers.pop() if len(answers) == 1 else Unknown(reason=_NOT_TOLD)
    # An address, what it belongs to and the network of that are always in one subscription and region.
    near = [
        _has(look.documents[key])
        for key in look.of_type(VNET)
        if subscription_of(key) == subscription_of(address_id)
        and (look.declared or location(look.documents[key]) in ("", location(address)))
    ]
    if not any(found is not False for found in near):
        return False
    return True if all(found is True for found in near) and not look.declared else Unknown(reason=_NOT_TOLD)


def _networks(configuration: str, look: Look) -> list[str]:
    """The networks that the owner of an IP configuration names, or the machines behind it: most often one."""
    owner = configuration.rpartition("/")[0].rpartition("/")[0]
    document = look.get(owner)
    if document is None:
        return []
    named = [subnet for part in _PARTS for item in entries(props(document).get(part)) if (subnet := _subnet(item))]
    return sorted({vnet_of(subnet) for subnet in named} or look.once(_behind_balancers).get(owner, set()))


def _behind_balancers(look: Look) -> dict[str, set[str]]:
    """Load balancer → the networks of the interfaces and scale sets that it forwards to."""
    found: dict[str, set[str]] = {}
    for item in _configurations(look):
        subnet = _subnet(item)
        for part in _FORWARDED if subnet else ():
            for forwarded in refs(props(item).get(part)):
                balancer = forwarded.rpartition("/")[0].rpartition("/")[0]
                found.setdefault(balancer, set()).add(vnet_of(subnet))
    return found


def _configurations(look: Look) -> Iterator[Mapping[str, Any]]:
    for key in look.of_type(NIC):
        yield from entries(props(look.documents[key]).get("ipConfigurations"))
    for key in look.of_type(SCALE_SET):
        profile = mapping(mapping(props(look.documents[key]).get("virtualMachineProfile")).get("networkProfile"))
        for nic in entries(profile.get("networkInterfaceConfigurations")):
            yield from entries(props(nic).get("ipConfigurations"))


def _subnet(item: Mapping[str, Any]) -> str:
    return ref(props(item).get("subnet"))


def _has_network(network: str, look: Look) -> bool | Unknown:
    document = look.get(network)
    return Unknown(reason=_NOT_TOLD) if document is None else _has(document)


def _has(network: Document) -> bool | Unknown:
    enabled = props(network).get("enableDdosProtection")
    if marker(network) or is_unknown(network.get("properties")) or undecided(enabled):
        return Unknown(reason=_NOT_TOLD)
    return has_protection(network.get("properties"))

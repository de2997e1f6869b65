"""The network of an estate, indexed once: subnets, security groups, and the IP configurations that traffic ends at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from auditor.documents import Document, subscription_of, type_of
from auditor.facts.addresses import ALL4, ALL6, NOTHING, AddressSet, parse_prefix
from auditor.facts.shapes import (
    explain,
    mapping,
    props,
    short,
    text,
)
from auditor.inventory import Unknown

Ports = tuple[tuple[int, int], ...]
ALL_PORTS: Ports = ((0, 65535),)
PORT_PROTOCOLS = ("tcp", "udp")
PROTOCOLS = (*PORT_PROTOCOLS, "icmp", "esp", "ah")

NSG = "microsoft.network/networksecuritygroups"
VNET = "microsoft.network/virtualnetworks"
NIC = "microsoft.network/networkinterfaces"
# Network interfaces of scale set instances, which Resource Graph keeps in a table of its own.
INSTANCE_NIC = "microsoft.compute/virtualmachinescalesets/virtualmachines/networkinterfaces"
SCALE_SET = "microsoft.compute/virtualmachinescalesets"
LOAD_BALANCER = "microsoft.network/loadbalancers"


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """One way in from the internet to an IP configuration: by which protocols, to which ports, and through what."""

    label: str  # "public IP pip-web on nic-web-01"
    protocols: tuple[str, ...] = PROTOCOLS
    ports: Ports = ALL_PORTS
    family: int = 0  # 4 or 6; 0: cannot be told
    open: bool | Unknown = False  # lets everything in where no security group filters (Basic SKU)
    keeps: AddressSet | None = None  # floating IP: packets arrive addressed to these, the frontend's, addresses
    doubt: Unknown | None = None  # why the way may not exist at all


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One IP configuration at which traffic ends, and the security group on its interface."""

    id: str
    owner: str  # id of the network interface, scale set or service
    name: str
    kind: str = "nic"  # nic, scale-set, or the service's own word
    subnet: str = ""
    nsg: str | Unknown | None = None  # on the interface; the subnet may have another
    addresses: AddressSet = NOTHING  # private; empty: not known
    family: int = 0
    groups: frozenset[str] = frozenset()  # application security groups
    pools: tuple[str, ...] = ()
    nat: tuple[str, ...] = ()  # inbound NAT rules and pools
    ways: tuple[Way, ...] = ()
    seen: bool = True  # a flow log can see its traffic
    nsg_logs: bool = True  # even one of the retiring kind, set on the security group


class Subnet(msgspec.Struct, frozen=True, kw_only=True):
    """A subnet, the security group on it, and the ids of what Azure says is inside."""

    id: str
    vnet: str
    name: str  # vnet-hub/snet-app
    nsg: str | Unknown | None = None
    prefixes: AddressSet = NOTHING
    blind: bool = False  # no flow log sees the traffic of what is inside
    loose: bool = False  # its security group is named, but not known yet (a template's unknown value)
    members: tuple[str, ...] = ()


class SecurityGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A network security group, and what it says it is attached to."""

    id: str
    document: Document
    properties: Mapping[str, Any] | Unknown
    subnets: tuple[str, ...] = ()
    nics: tuple[str, ...] = ()


class Missing(msgspec.Struct, frozen=True, kw_only=True):
    """Something with IP configurations that a subnet or security group names, but that could not be read."""

    owner: str
    subnet: str
    why: Unknown


class Network(msgspec.Struct, frozen=True, kw_only=True):
    """The index. Ids are normal ids throughout."""

    documents: Mapping[str, Document]
    by_type: Mapping[str, list[str]]
    groups: dict[str, SecurityGroup]
    subnets: dict[str, Subnet]
    subnets_of: dict[str, list[str]]  # virtual network → its subnets
    claims: dict[str, str]  # subnet or interface → security group that says it is attached to it
    endpoints: list[Endpoint]
    by_subnet: dict[str, list[Endpoint]]
    by_nsg: dict[str, list[Endpoint]]  # security groups on interfaces
    nsg_subnets: dict[str, list[str]]
    loose: Unknown | None  # an attachment whose security group is not known yet
    unlisted: dict[str, Unknown]  # subscription → why not all of its resources are known; "": any of them
    unplaced: dict[str, Unknown]  # subscription → why the subnet of one of its services is not known

    def subnet_nsg(self, subnet: str) -> str | Unknown | None:
        """The security group on a subnet; Unknown if neither the network nor a security group tells."""
        if not subnet:
            return None
        found = self.subnets.get(subnet)
        if found is not None:
            return found.nsg
        if subnet in self.claims:
            return self.claims[subnet]
        vnet = vnet_of(subnet)
        answer = look(self.documents, vnet, "virtual network")
        if answer is None:
            return None
        if isinstance(answer, Unknown):
            return answer
        return Unknown(reason=f"subnet {short(subnet)} is not among those read of virtual network {short(vnet)}")

    def missing_in(self, subnet: str) -> Iterator[Missing]:
        """What a subnet says is inside it but could not be read."""
        found = self.subnets.get(subnet)
        seen: set[str] = set()
        for member in found.members if found else ():
            owner = owner_of(member)
            if owner and owner not in seen:
                seen.add(owner)
                why = _gone_or_unread(self.documents, owner)
                if why is not None:
                    yield Missing(owner=owner, subnet=subnet, why=why)

    def missing_nics(self, group: SecurityGroup) -> Iterator[Missing]:
        """Network interfaces a security group says it is on but that could not be read."""
        seen: set[str] = set()
        for nic in group.nics:
            owner = owner_of(f"{nic}/ipconfigurations/x")
            if owner not in seen:
                seen.add(owner)
                why = _gone_or_unread(self.documents, owner)
                if why is not None:
                    yield Missing(owner=owner, subnet="", why=why)

    def missing_subnets(self, group: SecurityGroup) -> Iterator[Missing]:
        """Subnets a security group is on, or says it is on, but that could not be read."""
        for key in dict.fromkeys((*self.nsg_subnets.get(group.id, ()), *group.subnets)):
            if key not in self.subnets:
                vnet = look(self.documents, vnet_of(key), "virtual network")
                if isinstance(vnet, Mapping):
                    vnet = Unknown(reason=f"subnet {short(key)} is not among those read of {short(vnet_of(key))}")
                if vnet is not None:
                    yield Missing(owner=key, subnet=key, why=vnet)

    def attached(self, group: SecurityGroup) -> bool | Unknown:
        """Whether a security group filters anything."""
        if group.subnets or group.nics or group.id in self.by_nsg or group.id in self.nsg_subnets:
            return True
        if isinstance(group.properties, Unknown):
            return group.properties
        return False if self.loose is None else self.loose

    def unlisted_for(self, resource_id: str) -> Unknown | None:
        """Why resources next to this one may be unknown, if they may."""
        return self.unlisted.get(subscription_of(resource_id), self.unlisted.get(""))


def vnet_of(subnet: str) -> str:
    """The virtual network's id in a subnet's."""
    return subnet.partition("/subnets/")[0]


def owner_of(configuration: str) -> str:
    """The interface, scale set or service in the id of an IP configuration; empty for what has no traffic of its own.

    Instances of a uniform scale set are not resources: the scale set stands for them.
    """
    if "/virtualmachinescalesets/" in configuration:
        return configuration.partition("/virtualmachines/")[0]
    for part in ("/networkinterfaces/", "/applicationgateways/", "/bastionhosts/"):
        head, found, tail = configuration.partition(part)
        if found:
            return f"{head}{part}{tail.partition('/')[0]}"
    return ""


def look(documents: Mapping[str, Document], resource_id: str, what: str) -> Mapping[str, Any] | Unknown | None:
    """A document's properties; None if it certainly does not exist; Unknown if it or they could not be read."""
    document = documents.get(resource_id)
    if document is None:
        return Unknown(reason=f"{what} {short(resource_id)} is not among the resources that could be read")
    if "$absent" in document:
        return None
    if "$unknown" in document:
        return explain(document, f"{what} {short(resource_id)} could not be read")
    properties = document.get("properties")
    if not isinstance(properties, Mapping) or "$unknown" in properties:
        return explain(properties, f"the properties of {what} {short(resource_id)} could not be read")
    return properties


def _gone_or_unread(documents: Mapping[str, Document], owner: str) -> Unknown | None:
    kind = type_of(owner).rpartition("/")[2]
    words = {"networkinterfaces": "network interface", "virtualmachinescalesets": "scale set"}
    answer = look(documents, owner, words.get(kind, "resource"))
    return answer if isinstance(answer, Unknown) else None


def is_basic(documents: Mapping[str, Document], public_ip: str) -> bool | Unknown:
    """Whether a public IP is of the retired Basic SKU, which is open where no security group closes it."""
    document = documents.get(public_ip)
    if document is None or "$unknown" in document:
        return explain(document, f"public IP {short(public_ip)} could not be read")
    return text(mapping(document.get("sku")).get("name")).lower() == "basic"


def public_family(public_ips: Iterable[Mapping[str, Any]], private: int) -> int:
    """4 or 6 from the private side, else from public IP documents; 0 where nothing says."""
    if private:
        return private
    for document in public_ips:
        body = props(document)
        version = text(body.get("publicIPAddressVersion")).lower()
        if version in ("ipv4", "ipv6"):
            return int(version[-1])
        address = parse_prefix(text(body.get("ipAddress")))
        if isinstance(address, AddressSet):
            return 4 if address <= ALL4 else 6 if address <= ALL6 else 0
    return 0

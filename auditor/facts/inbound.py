"""The ways in from the internet to each IP configuration (edges E1 to E6 of domain.md 3.6).

What only lets traffic out makes no way in (E9): a NAT gateway, a load balancer's outbound rules. Where a firewall or
proxy stands between (E7, E8), the security group sees that one's address, and the log belongs there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from auditor.documents import Document
from auditor.facts.addresses import NOTHING, AddressSet, parse_prefix
from auditor.facts.network import (
    ALL_PORTS,
    LOAD_BALANCER,
    NIC,
    PROTOCOLS,
    Endpoint,
    Network,
    Ports,
    Way,
    is_basic,
    look,
    owner_of,
    public_family,
)
from auditor.facts.shapes import child_id, entries, is_unknown, mapping, name, props, ref, short, text
from auditor.inventory import Unknown

_RULE_PROTOCOLS = {"tcp": ("tcp",), "udp": ("udp",), "all": PROTOCOLS}


class _Ways(msgspec.Struct, frozen=True):
    """Ways through load balancers: by backend pool, NAT rule or NAT pool; and by IP configuration."""

    by_part: dict[str, list[Way]]
    by_endpoint: dict[str, list[Way]]
    strays: list[Endpoint]  # addresses in a backend pool that no known interface has


def inbound(net: Network) -> Iterator[tuple[Endpoint, tuple[Way, ...]]]:
    """Every IP configuration with a way in from the internet, or perhaps with one, in the order of the index."""
    ways = _load_balancers(net)
    for endpoint in (*net.endpoints, *ways.strays):
        found = dict.fromkeys(endpoint.ways)
        for part in (*endpoint.pools, *endpoint.nat):
            found.update(dict.fromkeys(ways.by_part.get(part, ())))
            doubt = _unread_balancer(net, part)
            if doubt is not None:
                label = f"load balancer {short(_balancer_of(part))}"
                found[Way(label=label, open=doubt, doubt=doubt)] = None
        found.update(dict.fromkeys(ways.by_endpoint.get(endpoint.id, ())))
        if found:
            yield endpoint, tuple(found)


def strays(net: Network) -> list[Endpoint]:
    """Addresses that a load balancer sends the internet to, and that nothing known in their subnet has."""
    return _load_balancers(net).strays


def _balancer_of(part: str) -> str:
    return "/".join(part.split("/")[:-2])


def _unread_balancer(net: Network, part: str) -> Unknown | None:
    answer = look(net.documents, _balancer_of(part), "load balancer")
    return answer if isinstance(answer, Unknown) else None


def _load_balancers(net: Network) -> _Ways:
    balancers = net.by_type.get(LOAD_BALANCER, [])
    chained = _chained_frontends(net, balancers)
    by_part: dict[str, list[Way]] = defaultdict(list)
    by_endpoint: dict[str, list[Way]] = defaultdict(list)
    strays: list[Endpoint] = []
    places = _Places(net)
    apart: dict[str, list[Document]] = defaultdict(list)  # NAT rules that a template writes on their own
    for child in net.by_type.get(f"{LOAD_BALANCER}/inboundnatrules", ()):
        apart[_balancer_of(child)].append(net.documents[child])
    for key in balancers:
        document = net.documents[key]
        if not isinstance(look(net.documents, key, "load balancer"), Mapping):
            continue
        balancer = _Balancer(net, key, chained)
        for rule in entries(props(document).get("loadBalancingRules")):
            pools = {ref(props(rule).get("backendAddressPool"))}
            pools |= {ref(item) for item in entries(props(rule).get("backendAddressPools"))}
            for way in balancer.ways(rule, "rule"):
                for pool in pools - {""}:
                    by_part[pool].append(way)
        for kind in ("inboundNatRules", "inboundNatPools"):
            listed = entries(props(document).get(kind))
            for rule in (*listed, *(apart.get(key, ()) if kind == "inboundNatRules" else ())):
                for way in balancer.ways(rule, "NAT rule" if kind == "inboundNatRules" else "NAT pool"):
                    for part in {child_id(key, kind, rule), ref(props(rule).get("backendAddressPool"))} - {""}:
                        by_part[part].append(way)
                    target = ref(props(rule).get("backendIPConfiguration"))
                    for endpoint in places.of_configuration(target):
                        by_endpoint[endpoint].append(way)
        for item in entries(props(document).get("backendAddressPools")):
            found = by_part.get(child_id(key, "backendAddressPools", item), [])
            if found:
                _join_members(places, item, found, by_endpoint, strays)
    return _Ways(by_part, by_endpoint, strays)


def _join_members(
    places: _Places,
    pool: Mapping[str, Any],
    ways: list[Way],
    by_endpoint: dict[str, list[Way]],
    strays: list[Endpoint],
) -> None:
    """The pool's members as the load balancer tells them; interfaces and scale sets tell theirs themselves."""
    joined: set[str] = set()
    for item in entries(props(pool).get("backendIPConfigurations")):
        joined.update(places.of_configuration(ref(item)))
    for endpoint in sorted(joined):
        by_endpoint[endpoint] += ways
    for item in entries(props(pool).get("loadBalancerBackendAddresses")):
        body = props(item)
        named = ref(body.get("networkInterfaceIPConfiguration"))
        if named:
            for endpoint in places.of_configuration(named):
                if endpoint not in joined:
                    by_endpoint[endpoint] += ways
            continue
        address = parse_prefix(text(body.get("ipAddress")))
        if not isinstance(address, AddressSet):
            continue
        subnet = ref(body.get("subnet"))
        vnet = ref(body.get("virtualNetwork")) or subnet.partition("/subnets/")[0]
        found, certain, subnet = places.of_address(vnet, subnet, address)
        for endpoint in found:
            by_endpoint[endpoint] += ways if certain else [_doubted(way, text(body.get("ipAddress"))) for way in ways]
        if not found and subnet:
            label = f"address {text(body.get('ipAddress'))}"
            strays.append(
                Endpoint(id=f"{subnet}|{label}", owner=subnet, name=label, subnet=subnet, addresses=address,
                         ways=tuple(ways))
            )  # fmt: skip


def _doubted(way: Way, address: str) -> Way:
    if way.doubt is not None:
        return way
    doubt = Unknown(reason=f"which scale set has address {address} in {way.label} is not known")
    return msgspec.structs.replace(way, doubt=doubt)


class _Places:
    """Finds IP configurations by what load balancers call them; its indexes are built when first asked."""

    def __init__(self, net: Network) -> None:
        self._net = net
        self._ids = {endpoint.id for endpoint in net.endpoints if endpoint.kind == "nic"}
        self._scale_sets: dict[str, list[Endpoint]] = defaultdict(list)
        self._addresses: dict[tuple[str, AddressSet], list[str]] | None = None
        for endpoint in net.endpoints:
            if endpoint.kind == "scale-set":
                self._scale_sets[endpoint.owner].append(endpoint)

    def of_configuration(self, configuration: str) -> list[str]:
        """Endpoints of an IP configuration's id; one of a scale set's instance stands for the scale set's own."""
        if configuration in self._ids:
            return [configuration]
        owner = owner_of(configuration) if configuration else ""
        candidates = self._scale_sets.get(owner, ())
        parts = configuration.split("/")
        named = f"{owner}/{parts[-3]}/{parts[-1]}" if len(parts) > 3 else ""
        exact = [endpoint.id for endpoint in candidates if endpoint.id == named]
        return exact or [endpoint.id for endpoint in candidates]

    def of_address(self, vnet: str, subnet: str, address: AddressSet) -> tuple[list[str], bool, str]:
        """Endpoints that have an address, whether that is certain, and the subnet the address is in."""
        if self._addresses is None:
            self._addresses = defaultdict(list)
            for endpoint in self._net.endpoints:
                if endpoint.kind == "nic" and endpoint.addresses:
                    place = endpoint.subnet.partition("/subnets/")[0]
                    self._addresses[place, endpoint.addresses].append(endpoint.id)
        exact = self._addresses.get((vnet, address), [])
        if exact:
            return exact, True, subnet
        if not subnet:
            inside = (s for s in self._net.subnets_of.get(vnet, ()) if address <= self._net.subnets[s].prefixes)
            subnet = next(inside, "")
        # Addresses of a scale set's instances are not among the resources; its model tells only the subnet.
        sets = [e.id for e in self._net.by_subnet.get(subnet, ()) if e.kind == "scale-set"]
        return sets, len(sets) == 1, subnet


def _chained_frontends(net: Network, balancers: list[str]) -> set[str]:
    """Frontends of gateway load balancers that a public frontend or address sends its traffic through (E12)."""
    chained: set[str] = set()
    for key in balancers:
        for item in entries(props(net.documents[key]).get("frontendIPConfigurations")):
            if _is_public(props(item)):
                chained.add(ref(props(item).get("gatewayLoadBalancer")))
    for key in net.by_type.get(NIC, ()):
        for item in entries(props(net.documents[key]).get("ipConfigurations")):
            if ref(props(item).get("publicIPAddress")):
                chained.add(ref(props(item).get("gatewayLoadBalancer")))
    return chained - {""}


def _is_public(frontend: Mapping[str, Any]) -> bool:
    return any(
        ref(frontend.get(key)) or (is_unknown(frontend.get(key)) and "$unknown" not in mapping(frontend.get(key)))
        for key in ("publicIPAddress", "publicIPPrefix")
    )


class _Balancer:
    """One load balancer's public frontends, and the ways that its rules make of them."""

    def __init__(self, net: Network, key: str, chained: set[str]) -> None:
        self._documents = net.documents
        self._label = f"load balancer {name(net.documents[key], short(key))}"
        self._frontends: dict[str, Mapping[str, Any]] = {}
        self._private: set[str] = set()
        for item in entries(props(net.documents[key]).get("frontendIPConfigurations")):
            written = props(item)
            place = child_id(key, "frontendIPConfigurations", item)
            if _is_public(written) or place in chained:
                self._frontends[place] = written
            elif ref(written.get("subnet")) or text(written.get("privateIPAddress")):
                self._private.add(place)

    def ways(self, rule: Mapping[str, Any], word: str) -> Iterator[Way]:
        """The way a rule makes, if its frontend is public; a doubted one if the frontend cannot be told."""
        body = props(rule)
        frontend = ref(body.get("frontendIPConfiguration"))
        if frontend in self._private:
            return
        label = f"{self._label} {word} {name(rule, '(unnamed)')}"
        written = self._frontends.get(frontend)
        doubt = None if written is not None else Unknown(reason=f"the frontend of {label} is not known")
        public_ip = ref(mapping(written).get("publicIPAddress"))
        document = self._documents.get(public_ip, {})
        private = {"ipv4": 4, "ipv6": 6}.get(text(mapping(written).get("privateIPAddressVersion")).lower(), 0)
        protocol = text(body.get("protocol")).lower()
        floating = body.get("enableFloatingIP") is True
        port = body.get("frontendPort") if floating else body.get("backendPort")
        if doubt is None and not isinstance(port, int) and protocol != "all":
            doubt = Unknown(reason=f"the port of {label} is not known")
        yield Way(
            label=label,
            protocols=_RULE_PROTOCOLS.get(protocol, PROTOCOLS),
            ports=_span(port),
            family=public_family([document], private),
            open=is_basic(self._documents, public_ip) if public_ip else False,
            keeps=_public_address(document) if floating else None,
            doubt=doubt,
        )


def _span(port: object) -> Ports:
    # Port 0 is a high-availability rule: all ports. What is not told may be any.
    return ((port, port),) if isinstance(port, int) and 0 < port <= 65535 else ALL_PORTS


def _public_address(document: Mapping[str, Any]) -> AddressSet:
    address = parse_prefix(text(props(document).get("ipAddress")))
    return address if isinstance(address, AddressSet) and (address.size4 + address.size6) else NOTHING

"""Is this network security group open to the internet, how wide, and through what (domain.md 3.6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from auditor.documents import subscription_of
from auditor.facts.addresses import BREADTHS, EVERYTHING, AddressSet, breadth, family
from auditor.facts.admission import OPEN, Decision, Segment, Target, admitted, decide, meets
from auditor.facts.inbound import inbound
from auditor.facts.network import NSG, PORT_PROTOCOLS, PROTOCOLS, Endpoint, Network, SecurityGroup, Way
from auditor.facts.security_rules import Policy, compile_rules, merge_ports
from auditor.facts.shapes import first_of, short
from auditor.inventory import Unknown
from auditor.truth import Truth

# Ways to run commands on a machine, or to log on to its data: telnet, SSH, RPC, NetBIOS, SMB, SQL Server, MySQL,
# Remote Desktop, PostgreSQL, VNC, WinRM.
MANAGEMENT_PORTS = (22, 23, 135, 139, 445, 1433, 3306, 3389, 5432, 5900, 5985, 5986)
_MOST = 50  # entries in a list of evidence


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """What the internet can reach through one network security group; `facts` are named as rules read them.

    `attached`; `public`: something it filters can be reached from the internet; `breadth` of the largest set of
    sources; `exposed_ports`; `management_ports`: one of those is exposed; `exposed_through`: the ways in;
    `public_rules`: the security rules that admit; `permissive`: it would let the internet in, but there is no way in.
    """

    facts: dict[str, Any]

    @property
    def public(self) -> bool | Unknown:
        """Whether something behind it can be reached from the internet."""
        found: bool | Unknown = self.facts["public"]
        return found


class _Found:
    """What has been found out about one security group so far."""

    def __init__(self) -> None:
        self.spans: dict[str, set[tuple[int, int]]] = {}
        self.breadth = "none"
        self.through: set[str] = set()
        self.rules: set[str] = set()
        self.doubts: list[Unknown] = []
        self.perhaps_management = False


class _Rules:
    """The rules of every security group, compiled and decided when first asked."""

    def __init__(self, net: Network) -> None:
        self._net = net
        self._policies: dict[str, Policy] = {}
        self._decisions: dict[tuple[str, tuple[Truth, ...], int, bool], Decision] = {}
        self._apart: dict[str, list[Mapping[str, Any]]] = {}  # rules that a template writes on their own
        for child in net.by_type.get(f"{NSG}/securityrules", ()):
            self._apart.setdefault(child.partition("/securityrules/")[0], []).append(net.documents[child])

    def policy(self, nsg: str) -> Policy:
        if nsg not in self._policies:
            group = self._net.groups.get(nsg)
            unread = Unknown(reason=f"network security group {short(nsg)} is not among the resources that were read")
            self._policies[nsg] = compile_rules(group.properties if group else unread, self._apart.get(nsg, ()))
        return self._policies[nsg]

    def decision(self, nsg: str, target: Target, number: int, *, generous: bool) -> Decision:
        policy = self.policy(nsg)
        rules = policy.possible if generous else policy.certain
        subject = meets(rules, target)
        # Where nothing is left open, both readings are the same, and many targets are alike.
        generous = generous and (policy.possible is not policy.certain or None in subject)
        key = (nsg, subject, number, generous)
        if key not in self._decisions:
            self._decisions[key] = decide(rules, subject, number, generous=generous)
        return self._decisions[key]

    def lets_in(self, nsg: str, *, perhaps: bool) -> bool:
        """Whether the group by itself lets any public source in to any place; `perhaps`: or may do."""
        policy = self.policy(nsg)
        rules = policy.possible if perhaps else policy.certain
        if not rules or rules[0].allow:
            return bool(rules)
        return bool(decide(rules, meets(rules, Target()), 0, generous=True))


def exposure(net: Network) -> dict[str, Exposure]:
    """What the internet reaches through each network security group that was listed, by the group's id."""
    rules = _Rules(net)
    found = {key: _Found() for key in net.groups}
    perhaps = {key: rules.lets_in(key, perhaps=True) for key in net.groups}
    done: set[tuple[Any, ...]] = set()
    for endpoint, ways in inbound(net):
        filters = _filters(net, endpoint)
        known = [nsg for nsg in filters if isinstance(nsg, str)]
        if not known or not all(perhaps.get(nsg, True) for nsg in known):
            continue
        for way in ways:
            for target in _targets(net, endpoint, way):
                _reach(rules, found, endpoint, way, filters, target, done)
    answer: dict[str, Exposure] = {}
    for key, group in net.groups.items():
        entry = found[key]
        if perhaps[key] and not entry.spans:
            entry.doubts += _unread(net, group)
        answer[key] = Exposure(facts=_facts(net, group, entry, rules, perhaps[key]))
    return answer


def open_without_group(net: Network) -> dict[str, bool | Unknown]:
    """For each network interface: is it open to the internet because no security group filters it at all?

    Only Basic public IPs and load balancers let everything in then; a Standard one drops it (domain.md 3.6, step 5).
    """
    answer: dict[str, bool | Unknown] = {e.owner: False for e in net.endpoints if e.kind == "nic"}
    for endpoint, ways in inbound(net):
        filters = _filters(net, endpoint)
        if endpoint.owner not in answer or answer[endpoint.owner] is True or any(isinstance(f, str) for f in filters):
            continue
        for way in ways:
            doubts = [why for why in (*filters, way.doubt, way.open) if isinstance(why, Unknown)]
            if doubts and way.open is not False:
                answer[endpoint.owner] = first_of(doubts)
            elif way.open is True:
                answer[endpoint.owner] = True
                break
    return answer


def _filters(net: Network, endpoint: Endpoint) -> list[str | Unknown]:
    """The security groups that inbound traffic passes, in order: the subnet's, then the interface's."""
    both = (net.subnet_nsg(endpoint.subnet), endpoint.nsg)
    return [nsg for nsg in both if nsg is not None]


def _targets(net: Network, endpoint: Endpoint, way: Way) -> Iterator[Target]:
    """Where packets are addressed to when they meet the rules: after translation, so to the private address."""
    subnet = net.subnets.get(endpoint.subnet)
    inside = endpoint.addresses or (subnet.prefixes if subnet else None) or EVERYTHING
    inside = (inside & family(way.family)) or (EVERYTHING & family(way.family))
    yield Target(addresses=inside, groups=endpoint.groups)
    if way.keeps is not None:  # with floating IP the address is not translated
        yield Target(addresses=way.keeps or EVERYTHING & family(way.family), groups=endpoint.groups)


def _reach(
    rules: _Rules,
    found: dict[str, _Found],
    endpoint: Endpoint,
    way: Way,
    filters: list[str | Unknown],
    target: Target,
    done: set[tuple[Any, ...]],
) -> None:
    """Enter what comes by one way to one target under every security group it passes."""
    known = [nsg for nsg in filters if isinstance(nsg, str)]
    doubts = [why for why in (way.doubt, *filters) if isinstance(why, Unknown)]
    if not doubts:
        decisions = [rules.decision(nsg, target, way.family, generous=False) for nsg in known]
        through = admitted(decisions, way.protocols, way.ports, generous=False)
        if through:
            for nsg, decision in zip(known, decisions, strict=True):
                entry = found.get(nsg)
                if entry is None:
                    continue
                entry.through.add(way.label)
                # Thousands of interfaces may share one group and one kind of way: the ports are entered once.
                key = (nsg, *map(id, decisions), way.protocols, way.ports)
                if key not in done:
                    done.add(key)
                    _enter(entry, through, decision)
    wider = [rules.decision(nsg, target, way.family, generous=True) for nsg in known]
    wider += [OPEN] * (len(filters) - len(known))
    if not doubts and (through or len(known) == 1) and all(a is b for a, b in zip(wider, decisions, strict=True)):
        return
    possible = admitted(wider, way.protocols, way.ports, generous=True)
    if not possible or (not doubts and possible == through):
        return
    for nsg in known:
        entry = found.get(nsg)
        if entry is not None:
            if len(entry.doubts) < _MOST:
                entry.doubts += doubts or [_unclear(way, known)]
            entry.perhaps_management = entry.perhaps_management or _management(_spans(possible))


def _unclear(way: Way, known: list[str]) -> Unknown:
    groups = " and ".join(sorted(short(nsg) for nsg in known))
    return Unknown(reason=f"whether {groups} let the internet in by {way.label} cannot be told from what was read")


def _enter(entry: _Found, through: Decision, decision: Decision) -> None:
    for protocol, segments in through.items():
        entry.spans.setdefault(protocol, set()).update((s.low, s.high) for s in segments)
        for segment in segments:
            width = breadth(segment.sources) if segment.sources else "service-tag"
            entry.breadth = max(entry.breadth, width, key=BREADTHS.index)
            for part in decision.get(protocol, ()):
                if part.low <= segment.high and segment.low <= part.high and _shared(part, segment):
                    entry.rules |= part.rules


def _shared(part: Segment, segment: Segment) -> bool:
    common: AddressSet = part.sources & segment.sources
    return bool(common) or bool(part.tags & segment.tags) or not segment.sources


def _unread(net: Network, group: SecurityGroup) -> list[Unknown]:
    """What could not be read and might hold a way in through this group."""
    reasons = [missing.why for missing in net.missing_nics(group)]
    for subnet in net.nsg_subnets.get(group.id, ()):
        reasons += [missing.why for missing in net.missing_in(subnet)]
    reasons += [missing.why for missing in net.missing_subnets(group)]
    if isinstance(group.properties, Unknown):
        reasons.append(group.properties)
    unlisted = net.unlisted_for(group.id)
    unplaced = net.unplaced.get(subscription_of(group.id))
    return [*reasons, *(why for why in (unlisted, unplaced) if why is not None)]


_NOTHING_EXPOSED: dict[str, Any] = {
    "breadth": "none",
    "exposed_ports": [],
    "management_ports": False,
    "exposed_through": [],
    "public_rules": [],
}


def _facts(net: Network, group: SecurityGroup, entry: _Found, rules: _Rules, perhaps: bool) -> dict[str, Any]:
    attached = net.attached(group)
    facts: dict[str, Any] = {"attached": attached, "public": False, "permissive": False, **_NOTHING_EXPOSED}
    if entry.spans:
        management: bool | Unknown = _management({key: tuple(value) for key, value in entry.spans.items()})
        if not management and entry.perhaps_management:
            management = first_of(entry.doubts)
        return facts | {
            "public": True,
            "breadth": entry.breadth,
            "exposed_ports": _shown_ports(entry.spans),
            "management_ports": management,
            "exposed_through": sorted(entry.through)[:_MOST],
            "public_rules": sorted(entry.rules)[:_MOST],
        }
    if attached is False or not perhaps:
        return facts | {"permissive": perhaps and rules.lets_in(group.id, perhaps=False)}
    if isinstance(attached, Unknown):
        entry.doubts.append(attached)
    if entry.doubts:
        why = first_of(entry.doubts)
        return facts | dict.fromkeys(("public", "permissive", *_NOTHING_EXPOSED), why)
    certainly = rules.lets_in(group.id, perhaps=False)
    unclear = Unknown(reason=f"some rules of {short(group.id)} could not be read")
    return facts | {"permissive": certainly or unclear}


def _spans(decision: Decision) -> dict[str, tuple[tuple[int, int], ...]]:
    return {protocol: tuple((s.low, s.high) for s in segments) for protocol, segments in decision.items()}


def _management(spans: Mapping[str, tuple[tuple[int, int], ...]]) -> bool:
    return any(
        low <= port <= high
        for protocol in PORT_PROTOCOLS
        for low, high in spans.get(protocol, ())
        for port in (MANAGEMENT_PORTS if protocol == "tcp" else (3389,))  # Remote Desktop speaks UDP as well
    )


def _shown_ports(spans: Mapping[str, set[tuple[int, int]]]) -> list[str]:
    """`tcp/22`, `udp/1000-2000`, `any/*`: TCP and UDP alike are `any`."""
    merged = {protocol: AddressSet(v4=merge_ports(found)) for protocol, found in spans.items()}
    nothing = AddressSet()
    both = merged.get("tcp", nothing) & merged.get("udp", nothing)
    groups = [("any", both), *((p, merged.get(p, nothing) - both) for p in PORT_PROTOCOLS)]
    shown = [(low, _span_text(word, low, high)) for word, ports in groups for low, high in ports.v4]
    words = [text for _, text in sorted(shown)]
    if "any/*" not in words:
        words += [f"{protocol}/*" for protocol in PROTOCOLS if protocol not in PORT_PROTOCOLS and protocol in merged]
    return words[:_MOST]


def _span_text(word: str, low: int, high: int) -> str:
    if (low, high) == (0, 65535):
        return f"{word}/*"
    return f"{word}/{low}" if low == high else f"{word}/{low}-{high}"

"""What comes through security rules from the internet, port by port (step 3 of domain.md 3.6)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping

import msgspec

from auditor.facts.addresses import EVERYTHING, NOTHING, PUBLIC, AddressSet, breadth, family
from auditor.facts.network import ALL_PORTS, PORT_PROTOCOLS, PROTOCOLS, Ports
from auditor.facts.security_rules import Rule
from auditor.truth import Truth


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """What is let in on one range of ports: public addresses, service tags, and the rules that admit them."""

    low: int
    high: int
    sources: AddressSet = NOTHING
    tags: frozenset[str] = frozenset()
    rules: frozenset[str] = frozenset()


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Where traffic goes: the addresses it may be, all of them if unknown, and the application security groups."""

    addresses: AddressSet = EVERYTHING
    groups: frozenset[str] | None = None  # None: not known


Decision = Mapping[str, tuple[Segment, ...]]  # protocol → what is let in, by port
SHUT: Decision = {}
OPEN: Decision = {
    protocol: (Segment(low=0, high=65535, sources=PUBLIC),) for protocol in PROTOCOLS
}  # no security group filters


def meets(rules: tuple[Rule, ...], target: Target) -> tuple[Truth, ...]:
    """For each rule whether traffic to the target is subject to it; None if it may be, or part of it is."""
    return tuple(_meets(rule, target) for rule in rules)


def _meets(rule: Rule, target: Target) -> Truth:
    if rule.to is None and rule.to_groups is None:
        return True
    if rule.to_groups is not None and target.groups is None:
        return None
    if rule.to_groups is not None and target.groups is not None and rule.to_groups & target.groups:
        return True
    if rule.to is not None and rule.to:
        if target.addresses <= rule.to:
            return True
        if rule.to & target.addresses:
            return None
    return False


def decide(rules: tuple[Rule, ...], subject: tuple[Truth, ...], number: int, *, generous: bool) -> Decision:
    """What the rules let in from the internet to a target, by IPv4 (4), IPv6 (6) or both (0).

    `subject` tells which rules concern the target (see `meets`); where that cannot be told, a `generous` reading lets
    in what may be let in.
    """
    start = _SPACES[number]
    applying = [
        rule for rule, truth in zip(rules, subject, strict=True) if truth or (truth is None and rule.allow == generous)
    ]
    decision: dict[str, tuple[Segment, ...]] = {}
    done: dict[tuple[int, ...], tuple[Segment, ...]] = {}
    if not any(rule.allow for rule in applying):
        return SHUT
    for protocol in PROTOCOLS:
        chosen = [rule for rule in applying if protocol in rule.protocols]
        has_ports = protocol in PORT_PROTOCOLS
        if not has_ports:
            # Protocols without ports: a rule for that very protocol, or one for all protocols and all ports.
            chosen = [rule for rule in chosen if len(rule.protocols) == 1 or rule.ports == ALL_PORTS]
        if not any(rule.allow for rule in chosen):
            continue
        key = (has_ports, *map(id, chosen))
        if key not in done:
            done[key] = _sweep(chosen, start, has_ports)
        if done[key]:
            decision[protocol] = done[key]
    return decision


def _sweep(rules: list[Rule], start: AddressSet, has_ports: bool) -> tuple[Segment, ...]:
    """Go through the rules in order, and keep for each port what is still undecided (the boxes of domain.md 3.6)."""
    cuts = {0, 65536}
    if has_ports:
        for rule in rules:
            for low, high in rule.ports:
                cuts |= {low, high + 1}
    edges = sorted(cuts)
    count = len(edges) - 1
    undecided = [start] * count
    allowed = [NOTHING] * count
    decided_tags: list[frozenset[str]] = [frozenset()] * count
    tags: list[frozenset[str]] = [frozenset()] * count
    names: list[frozenset[str]] = [frozenset()] * count
    for rule in rules:
        parted: dict[int, tuple[AddressSet, AddressSet]] = {}  # most ports have one and the same set undecided
        for low, high in rule.ports if has_ports else ALL_PORTS:
            for i in range(bisect_left(edges, low), bisect_left(edges, high + 1)):
                left = undecided[i]
                if not left:
                    continue
                if rule.sources is PUBLIC:
                    hit, rest = left, NOTHING
                elif id(left) in parted:
                    hit, rest = parted[id(left)]
                else:
                    hit, rest = parted[id(left)] = left & rule.sources, left - rule.sources
                # A tag's addresses are public ones: once all of those are decided, so is every tag.
                fresh = {tag for tag in rule.tags if not _covered(tag, decided_tags[i])}
                if rule.allow and (hit or fresh):
                    allowed[i] |= hit
                    tags[i] |= fresh
                    names[i] |= {rule.name}
                undecided[i] = rest
                decided_tags[i] |= fresh
    return tuple(
        Segment(low=edges[i], high=edges[i + 1] - 1, sources=allowed[i], tags=tags[i], rules=names[i])
        for i in range(count)
        if allowed[i] or tags[i]
    )


def _covered(tag: str, decided: frozenset[str]) -> bool:
    """Whether a tag is decided, itself or as a region of a tag (`azurecloud.westeurope` of `azurecloud`)."""
    return tag in decided or tag.partition(".")[0] in decided


def admitted(decisions: list[Decision], protocols: Iterable[str], ports: Ports, *, generous: bool) -> Decision:
    """What comes through all of these decisions (those of subnet and interface) by these protocols and ports."""
    answer: dict[str, tuple[Segment, ...]] = {}
    for protocol in protocols:
        spans = ports if protocol in PORT_PROTOCOLS else ALL_PORTS
        segments = [Segment(low=low, high=high, sources=PUBLIC) for low, high in spans]
        for index, decision in enumerate(decisions):
            clip: Callable[[Segment, Segment], Segment] = _clip if index == 0 else _both(generous)
            segments = _overlay(segments, decision.get(protocol, ()), clip)
        if segments:
            answer[protocol] = tuple(segments)
    return answer


def _overlay(a: list[Segment], b: tuple[Segment, ...], join: Callable[[Segment, Segment], Segment]) -> list[Segment]:
    if a and a[0].low == 0 and a[0].high == 65535 and join is _clip:
        return list(b)
    found = (join(x, y) for x in a for y in b if x.low <= y.high and y.low <= x.high)
    return [segment for segment in found if segment.sources or segment.tags]


def _clip(a: Segment, b: Segment) -> Segment:
    return msgspec.structs.replace(b, low=max(a.low, b.low), high=min(a.high, b.high))


_SPACES = {0: PUBLIC, 4: PUBLIC & family(4), 6: PUBLIC & family(6)}


def _both(generous: bool) -> Callable[[Segment, Segment], Segment]:
    def join(a: Segment, b: Segment) -> Segment:
        # A tag that only one of the two names passes the other if that lets in all or most of the internet;
        # whether listed addresses there belong to the tag cannot be told.
        tags = a.tags & b.tags
        for one, other in ((a, b), (b, a)):
            if one.tags and other.sources and (generous or breadth(other.sources) == "any"):
                tags |= one.tags
        return Segment(
            low=max(a.low, b.low),
            high=min(a.high, b.high),
            sources=a.sources & b.sources,
            tags=tags,
        )

    return join

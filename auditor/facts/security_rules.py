"""What a network security group lets in from the internet: its inbound rules, evaluated in order (domain.md 3.6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from auditor.facts.addresses import EVERYTHING, NOTHING, PRIVATE_TAGS, PUBLIC, AddressSet, parse_prefix
from auditor.facts.network import ALL_PORTS, PROTOCOLS, Ports
from auditor.facts.shapes import entries, name, props, refs, text
from auditor.inventory import Unknown


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One inbound rule, as far as it concerns public sources."""

    name: str
    priority: float
    allow: bool
    protocols: tuple[str, ...] = PROTOCOLS
    ports: Ports = ALL_PORTS
    sources: AddressSet = PUBLIC
    tags: tuple[str, ...] = ()  # service tags as sources, lower case
    to: AddressSet | None = None  # None: any destination in the network
    to_groups: frozenset[str] | None = None  # application security groups; None: not limited to such


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """The inbound rules of a security group in order, read in two ways.

    `certain` lets in only what is certainly let in, `possible` all that may be, where a rule could not be read. The
    two are one object where everything was. Default rules are left out: they never let the internet in, whoever reads
    them, and what no rule decides is denied.
    """

    certain: tuple[Rule, ...]
    possible: tuple[Rule, ...]


def compile_rules(properties: Mapping[str, Any] | Unknown, others: Iterable[Mapping[str, Any]] = ()) -> Policy:
    """Read a security group's `properties`, and rules that a template keeps outside of it."""
    anything = Rule(name="(unread)", priority=0, allow=True)
    if isinstance(properties, Unknown):
        return Policy(certain=(), possible=(anything,))
    written = properties.get("securityRules")
    certain: list[Rule] = []
    possible: list[Rule] = []
    if written is not None and not isinstance(written, list):
        certain.append(msgspec.structs.replace(anything, allow=False))
        possible.append(anything)
    for item in (*entries(written), *others):
        narrow, wide = _read(item)
        certain += narrow
        possible += wide
    if certain == possible:
        possible = certain
    ordered = tuple(sorted(certain, key=_order))
    return Policy(
        certain=ordered,
        possible=ordered if possible is certain else tuple(sorted(possible, key=_order)),
    )


def _order(rule: Rule) -> tuple[float, str]:
    return rule.priority, rule.name


_WORDS = {"allow": True, "deny": False}
_PROTOCOL_WORDS = {"*": PROTOCOLS, "any": PROTOCOLS, "all": PROTOCOLS, "icmpv6": ("icmp",)}


def _read(item: Mapping[str, Any]) -> tuple[list[Rule], list[Rule]]:
    """One rule in both readings; nothing where it does not concern inbound traffic from the internet."""
    body = props(item)
    if text(body.get("direction")).lower() == "outbound":
        return [], []
    allow = _WORDS.get(text(body.get("access")).lower())
    inbound = text(body.get("direction")).lower() == "inbound"
    # A key that is absent limits nothing. Azure never leaves one out, so this is only for templates; a denial with a
    # key missing denies nothing for certain.
    absent = "*" if allow else None
    ports = _ports(_values(body, "destinationPortRange", absent))
    protocols = _protocols(body, absent)
    sources = _sources(body, absent)
    to = _destination(body, absent)
    priority = body.get("priority")
    if sources is not None and not sources[0] and not sources[1]:
        return [], []
    if not allow and _limited(_values(body, "sourcePortRange", "*")):
        return [], []  # whoever sends chooses the port to send from, so this keeps nobody out
    label = name(item, "(unnamed)")
    if (
        allow is not None
        and inbound
        and None not in (ports, protocols, sources, to)
        and isinstance(priority, int | float)
        and sources is not None
        and to is not None
    ):
        rule = Rule(
            name=label,
            priority=priority,
            allow=allow,
            ports=ports or (),
            protocols=protocols or (),
            sources=sources[0],
            tags=sources[1],
            to=to[0],
            to_groups=to[1],
        )
        return [rule], [rule]

    def reading(permit: bool, wide: bool) -> list[Rule]:
        if not wide and (not inbound or None in (ports, protocols, sources, to)):
            return []
        found = sources or (PUBLIC, ())
        number = priority if isinstance(priority, int | float) else (0 if wide else 65_000)
        where = to or (None, None)
        return [
            Rule(
                name=label,
                priority=number,
                allow=permit,
                ports=ports or ALL_PORTS,
                protocols=protocols or PROTOCOLS,
                sources=found[0],
                tags=found[1],
                to=where[0],
                to_groups=where[1],
            )
        ]

    if allow is None:
        return reading(False, True), reading(True, True)
    # What certainly comes in: an allowance as narrow, a denial as wide as it may be; the other way for what may.
    return reading(allow, not allow), reading(allow, allow)


def _values(body: Mapping[str, Any], key: str, absent: str | None) -> list[str | None]:
    """The texts under `key` and its plural; None for each that is no text."""
    one, many = body.get(key), body.get(f"{key}es" if key.endswith("Prefix") else f"{key}s")
    listed: list[Any] = many if isinstance(many, list) else [] if many is None else [many]
    found = [*([] if one in (None, "") else [one]), *listed]
    if not found:
        return [absent]
    values: list[str | None] = []
    for value in found:
        if isinstance(value, int) and not isinstance(value, bool):
            values.append(str(value))
        elif isinstance(value, str):
            values += value.split(",")
        else:
            values.append(None)
    return values


def _ports(values: list[str | None]) -> Ports | None:
    found: list[tuple[int, int]] = []
    for value in values:
        if value is None:
            return None
        if value.strip().lower() in ("*", "any"):
            return ALL_PORTS
        first, _, last = value.partition("-")
        try:
            low = int(first)
            high = int(last) if last else low
        except ValueError:
            return None
        if not 0 <= low <= high <= 65535:
            return None
        found.append((low, high))
    # `0-65535`, and halves of it, are all ports.
    return merge_ports(found)


def merge_ports(spans: Iterable[tuple[int, int]]) -> Ports:
    """Port ranges in order, with those joined that overlap or touch."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(spans):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)


def _limited(values: list[str | None]) -> bool:
    return _ports(values) != ALL_PORTS


def _protocols(body: Mapping[str, Any], absent: str | None) -> tuple[str, ...] | None:
    written = body.get("protocol", absent)
    word = text(written).lower()
    return _PROTOCOL_WORDS.get(word) or ((word,) if word in PROTOCOLS else None)


def _sources(body: Mapping[str, Any], absent: str | None) -> tuple[AddressSet, tuple[str, ...]] | None:
    groups = refs(body.get("sourceApplicationSecurityGroups"))  # never the internet
    addresses, tags = NOTHING, []
    for value in _values(body, "sourceAddressPrefix", "" if groups else absent):
        if value == "" and groups:
            continue
        found = _public_part(value) if value is not None else None
        if found is None:
            return None
        if isinstance(found, AddressSet):
            addresses |= found
        elif found not in PRIVATE_TAGS:
            tags.append(found)
    # One object for the whole internet, so that it is known at a glance.
    return PUBLIC if addresses == PUBLIC else addresses, tuple(sorted(set(tags)))


@lru_cache(maxsize=65_536)
def _public_part(text: str) -> AddressSet | str | None:
    found = parse_prefix(text)
    return found & PUBLIC if isinstance(found, AddressSet) else found


def _destination(body: Mapping[str, Any], absent: str | None) -> tuple[AddressSet | None, frozenset[str] | None] | None:
    groups = refs(body.get("destinationApplicationSecurityGroups"))
    addresses = NOTHING
    for value in _values(body, "destinationAddressPrefix", "" if groups else absent):
        if value == "" and groups:
            continue
        found = parse_prefix(value) if value is not None else None
        if found is None:
            return None
        if found in ("virtualnetwork", EVERYTHING):
            return None, None
        if isinstance(found, AddressSet):  # another service tag is not an address inside the network
            addresses |= found
    return addresses, frozenset(groups) if groups else None

"""Sets of IP addresses, and what Azure's prefixes and service tags mean as such sets."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from functools import lru_cache

import msgspec

Ranges = tuple[tuple[int, int], ...]  # sorted, disjoint, not touching; both ends belong to the range

_TOP4 = 2**32 - 1
_TOP6 = 2**128 - 1


def _union(a: Ranges, b: Ranges) -> Ranges:
    if not a or a == b:
        return b
    if not b:
        return a
    merged: list[tuple[int, int]] = []
    for low, high in sorted(a + b):
        if merged and low <= merged[-1][1] + 1:
            if high > merged[-1][1]:
                merged[-1] = (merged[-1][0], high)
        else:
            merged.append((low, high))
    return tuple(merged)


def _intersect(a: Ranges, b: Ranges) -> Ranges:
    if a is b or not a or not b:
        return a if b else ()
    found: list[tuple[int, int]] = []
    i = j = 0
    while i < len(a) and j < len(b):
        low, high = max(a[i][0], b[j][0]), min(a[i][1], b[j][1])
        if low <= high:
            found.append((low, high))
        if a[i][1] < b[j][1]:
            i += 1
        else:
            j += 1
    return tuple(found)


def _subtract(a: Ranges, b: Ranges) -> Ranges:
    if not a or not b:
        return a
    if a is b:
        return ()
    left: list[tuple[int, int]] = []
    j = 0
    for low, high in a:
        start = low
        while j < len(b) and b[j][1] < start:
            j += 1
        k = j
        while k < len(b) and b[k][0] <= high:
            if b[k][0] > start:
                left.append((start, b[k][0] - 1))
            start = max(start, b[k][1] + 1)
            k += 1
        if start <= high:
            left.append((start, high))
    return tuple(left)


class AddressSet(msgspec.Struct, frozen=True):
    """A set of IPv4 and IPv6 addresses, as ranges of integers."""

    v4: Ranges = ()
    v6: Ranges = ()

    def __bool__(self) -> bool:
        return bool(self.v4 or self.v6)

    def __or__(self, other: AddressSet) -> AddressSet:
        return AddressSet(_union(self.v4, other.v4), _union(self.v6, other.v6))

    def __and__(self, other: AddressSet) -> AddressSet:
        return AddressSet(_intersect(self.v4, other.v4), _intersect(self.v6, other.v6))

    def __sub__(self, other: AddressSet) -> AddressSet:
        return AddressSet(_subtract(self.v4, other.v4), _subtract(self.v6, other.v6))

    def __le__(self, other: AddressSet) -> bool:
        return not (self - other)

    @property
    def size4(self) -> int:
        """How many IPv4 addresses."""
        return sum(high - low + 1 for low, high in self.v4)

    @property
    def size6(self) -> int:
        """How many IPv6 addresses."""
        return sum(high - low + 1 for low, high in self.v6)


def networks(prefixes: Iterable[str]) -> AddressSet:
    """The addresses of all these CIDR prefixes together."""
    answer = NOTHING
    for prefix in prefixes:
        parsed = ipaddress.ip_network(prefix, strict=False)
        ends = ((int(parsed.network_address), int(parsed.broadcast_address)),)
        answer |= AddressSet(v4=ends) if parsed.version == 4 else AddressSet(v6=ends)
    return answer


NOTHING = AddressSet()
ALL4 = AddressSet(v4=((0, _TOP4),))
ALL6 = AddressSet(v6=((0, _TOP6),))
EVERYTHING = ALL4 | ALL6

# What nobody on the internet can have as a source address. The documentation and benchmark networks stay public: no
# packet comes from them either, but a rule that names one means an address on the internet. 168.63.129.16 is Azure's
# own platform (health probes, DNS) in every virtual network, whatever it looks like.
PUBLIC = (
    ALL4 | networks(["2000::/3"])  # the only IPv6 space given out for the internet
) - networks(
    [
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "224.0.0.0/3",
    ]
)

# `0.0.0.0/1` and `128.0.0.0/1` are each half of IPv4; the upper one holds fewer public addresses.
_HALF4 = (PUBLIC & networks(["128.0.0.0/1"])).size4
_HALF6 = PUBLIC.size6 // 2
_BROAD4 = 65_536
_BROAD6 = 65_536 * 2**64  # one IPv6 LAN is a /64, so it is networks that are counted

BREADTHS = ("none", "service-tag", "narrow", "broad", "any")  # ascending


def breadth(addresses: AddressSet) -> str:
    """How much of the internet a set of public addresses is: `any`, `broad`, `narrow` or `none` (domain.md 3.6)."""
    if addresses.size4 >= _HALF4 or addresses.size6 >= _HALF6:
        return "any"
    if addresses.size4 >= _BROAD4 or addresses.size6 >= _BROAD6:
        return "broad"
    return "narrow" if addresses else "none"


_EVERYWHERE = frozenset({"*", "any"})
# Never the internet: the virtual network with what is joined to it, and the platform's own health probes.
PRIVATE_TAGS = frozenset({"virtualnetwork", "azureloadbalancer"})
_TAG = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[._-][A-Za-z0-9]+)*", re.ASCII)
_LONGEST = 100  # characters of a prefix or tag; anything longer is no such thing


@lru_cache(maxsize=65_536)
def parse_prefix(text: str) -> AddressSet | str | None:
    """The addresses of one prefix of a security rule; a service tag as its lower-case name; None if it is neither.

    `Internet` is returned as the public space: Azure means by it everything outside the virtual network, so private
    addresses that it may hold as well are of no matter here.
    """
    text = text.strip()
    lower = text.lower()
    if lower in _EVERYWHERE:
        return EVERYTHING
    if lower == "internet":
        return PUBLIC
    if not text or len(text) > _LONGEST:
        return None
    if _TAG.fullmatch(text):
        return lower
    try:
        if "-" in text:
            first, _, last = text.partition("-")
            return _range(first.strip(), last.strip())
        return networks([text])
    except ValueError:
        return None


def _range(first: str, last: str) -> AddressSet | None:
    low, high = ipaddress.ip_address(first), ipaddress.ip_address(last)
    if low.version != high.version or int(low) > int(high):
        return None
    ends = ((int(low), int(high)),)
    return AddressSet(v4=ends) if low.version == 4 else AddressSet(v6=ends)


def family(number: int) -> AddressSet:
    """All addresses of IPv4 (4) or IPv6 (6); of both for any other number."""
    return {4: ALL4, 6: ALL6}.get(number, EVERYTHING)

"""Address sets against Python's own `ipaddress`, and Azure's prefixes and tags."""

import ipaddress
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.facts.addresses import (
    ALL4,
    ALL6,
    EVERYTHING,
    NOTHING,
    PUBLIC,
    AddressSet,
    breadth,
    networks,
    parse_prefix,
)

# Small networks close together, so that they overlap, touch and nest often.
_NETS = st.tuples(st.integers(0, 255), st.integers(24, 32)).map(lambda t: f"10.0.0.{t[0]}/{t[1]}")
_NETS6 = st.tuples(st.integers(0, 255), st.integers(120, 128)).map(lambda t: f"2001:db8::{t[0]:x}/{t[1]}")
_SETS = st.lists(st.one_of(_NETS, _NETS6), max_size=8)


def _members(prefixes: list[str]) -> set[tuple[int, int]]:
    found = [ipaddress.ip_network(prefix, strict=False) for prefix in prefixes]
    return {(net.version, int(address)) for net in found for address in net}


def _spelled(addresses: AddressSet) -> set[tuple[int, int]]:
    return {(4, n) for low, high in addresses.v4 for n in range(low, high + 1)} | {
        (6, n) for low, high in addresses.v6 for n in range(low, high + 1)
    }


@settings(deadline=None)
@given(_SETS, _SETS)
def test_operations_agree_with_sets_of_addresses(a, b):
    x, y = networks(a), networks(b)
    assert _spelled(x | y) == _members(a) | _members(b)
    assert _spelled(x & y) == _members(a) & _members(b)
    assert _spelled(x - y) == _members(a) - _members(b)
    assert (x <= y) == (_members(a) <= _members(b))
    assert x.size4 + x.size6 == len(_members(a))


@settings(deadline=None)
@given(_SETS, _SETS)
def test_ranges_stay_sorted_and_apart(a, b):
    for result in (networks(a) | networks(b), networks(a) - networks(b), EVERYTHING - networks(a)):
        for ranges in (result.v4, result.v6):
            assert all(low <= high for low, high in ranges)
            assert all(one[1] + 1 < two[0] for one, two in itertools.pairwise(ranges))


@settings(deadline=None)
@given(_SETS, _SETS)
def test_laws(a, b):
    x, y = networks(a), networks(b)
    assert (x - y) | (x & y) == x
    assert EVERYTHING - (EVERYTHING - x) == x
    assert x | x == x
    assert x - x == NOTHING
    assert (x - y) & y == NOTHING


def test_the_halves_of_ipv4_add_up():
    assert networks(["0.0.0.0/1"]) | networks(["128.0.0.0/1"]) == ALL4


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*", EVERYTHING),
        ("Any", EVERYTHING),
        ("Internet", PUBLIC),
        ("INTERNET", PUBLIC),
        ("0.0.0.0/0", ALL4),
        ("::/0", ALL6),
        (" 203.0.113.7 ", networks(["203.0.113.7/32"])),
        ("203.0.113.77/24", networks(["203.0.113.0/24"])),
        ("203.0.113.0-203.0.113.255", networks(["203.0.113.0/24"])),
        ("2a00::1-2a00::2", networks(["2a00::1", "2a00::2"])),
        ("2a00:1450::/32", networks(["2a00:1450::/32"])),
        ("fe80::1", networks(["fe80::1"])),
    ],
)
def test_prefixes(text, expected):
    assert parse_prefix(text) == expected


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("VirtualNetwork", "virtualnetwork"),
        ("AzureLoadBalancer", "azureloadbalancer"),
        ("AzureFrontDoor.Backend", "azurefrontdoor.backend"),
        ("Storage.WestEurope", "storage.westeurope"),
    ],
)
def test_service_tags(text, tag):
    assert parse_prefix(text) == tag


@pytest.mark.parametrize(
    "text",
    ["", "10.0.0", "10.0.0.0/33", "300.1.1.1", "2.2.2.2-1.1.1.1", "1.1.1.1-::1", "${var.cidr}", "a" * 101, "1" * 5000],
)
def test_what_is_no_prefix_is_not_read_as_one(text):
    assert parse_prefix(text) is None


@pytest.mark.parametrize(
    ("prefix", "public"),
    [
        ("10.0.0.0/8", False),
        ("172.16.0.0/12", False),
        ("192.168.0.0/16", False),
        ("100.64.0.0/10", False),
        ("169.254.0.0/16", False),
        ("127.0.0.0/8", False),
        ("224.0.0.0/4", False),
        ("168.63.129.16", False),  # Azure's platform: health probes
        ("fc00::/7", False),
        ("fe80::/10", False),
        ("::1", False),
        ("8.8.8.8", True),
        ("172.32.0.0/12", True),
        ("203.0.113.7", True),  # documentation networks stand for real ones
        ("2a00:1450::/32", True),
    ],
)
def test_public_space(prefix, public):
    assert bool(networks([prefix]) & PUBLIC) is public


@pytest.mark.parametrize(
    ("prefixes", "expected"),
    [
        (["0.0.0.0/0"], "any"),
        (["0.0.0.0/1"], "any"),
        (["128.0.0.0/1"], "any"),
        (["::/0"], "any"),
        (["2000::/4"], "any"),
        (["20.0.0.0/8"], "broad"),
        (["20.0.0.0/16"], "broad"),
        (["2a00:1450::/32"], "broad"),
        (["20.0.0.0/17"], "narrow"),
        (["8.8.8.8"], "narrow"),
        (["2a00:1450:1:2::/64"], "narrow"),
        (["10.0.0.0/8"], "none"),
        ([], "none"),
    ],
)
def test_breadth_of_the_public_part(prefixes, expected):
    assert breadth(networks(prefixes) & PUBLIC) == expected


def test_two_large_parts_of_ipv4_that_make_more_than_half_are_any():
    quarters = networks(["0.0.0.0/2", "64.0.0.0/2", "128.0.0.0/2"])
    assert breadth(networks(["0.0.0.0/2"]) & PUBLIC) == "broad"
    assert breadth(quarters & PUBLIC) == "any"

"""Whose resolver a virtual network asks, and whether what it was asked is kept."""

from typing import Any

import pytest

from auditor.documents import Document, normal_id
from auditor.facts.dns import network_facts
from auditor.facts.look import Look
from auditor.inventory import Destination, Unknown

GROUP = "/subscriptions/s/resourceGroups/rg/providers"
NET = f"{GROUP}/Microsoft.Network/virtualNetworks/vnet"
SHOUTED = NET.upper()
HUB = f"{GROUP}/Microsoft.Network/virtualNetworks/hub"
POLICY = f"{GROUP}/Microsoft.Network/dnsResolverPolicies/p"
FIREWALL = f"{GROUP}/Microsoft.Network/azureFirewalls/f"
RULES = f"{GROUP}/Microsoft.Network/firewallPolicies/r"
WORKSPACE = f"{GROUP}/Microsoft.OperationalInsights/workspaces/w"
AZURE, ADDRESS = "168.63.129.16", "10.0.0.4"
REFUSED = {"$unknown": {"status": 403, "reason": "HTTP 403"}}
LATER = {"$unknown": {"reason": "decided later"}}


def link(policy: str = POLICY, network: Any = SHOUTED, **marks: Any) -> Document:
    shown = f"{policy}/virtualNetworkLinks/l"
    body = marks or {"properties": {"virtualNetwork": {"id": network}}}
    return {"id": shown, "type": "Microsoft.Network/dnsResolverPolicies/virtualNetworkLinks", **body}


def exports(
    resource: str = POLICY, *categories: str, workspace: str = WORKSPACE, enabled: Any = True, **marks: Any
) -> Document:
    logs = [{"category": name, "enabled": enabled} for name in categories]
    setting = {"name": "s", "properties": {"workspaceId": workspace, "logs": logs}}
    kind = "Microsoft.Insights/diagnosticSettings"
    return {"id": f"{resource}/providers/{kind}", "type": kind, **(marks or {"value": [setting]})}


def firewall(network: str = HUB, **more: Any) -> Document:
    inside = {"privateIPAddress": ADDRESS, "subnet": {"id": f"{network}/subnets/AzureFirewallSubnet"}}
    properties = {"ipConfigurations": [{"properties": inside}], "firewallPolicy": {"id": RULES}, **more}
    return {"id": FIREWALL, "type": "Microsoft.Network/azureFirewalls", "properties": properties}


def proxy(on: Any = True) -> Document:
    kind = "Microsoft.Network/firewallPolicies"
    return {"id": RULES, "type": kind, "properties": {"dnsSettings": {"enableProxy": on}}}


def endpoint(network: str = HUB) -> Document:
    inside = {"privateIpAddress": ADDRESS, "subnet": {"id": f"{network}/subnets/in"}}
    kind = "Microsoft.Network/dnsResolvers/inboundEndpoints"
    shown = f"{GROUP}/Microsoft.Network/dnsResolvers/d/inboundEndpoints/e"
    return {"id": shown, "type": kind, "properties": {"ipConfigurations": [inside]}}


HIDDEN = [
    {"id": "/subscriptions/other", "type": "Microsoft.Resources/subscriptions"},
    {"id": "/subscriptions/other/resources", "type": "Microsoft.Resources/subscriptions/resources", **REFUSED},
]
LEFT_OUT: list[Document] = [
    {"id": "/subscriptions/s", "type": "Microsoft.Resources/subscriptions"},
    {
        "id": "/providers/Microsoft.Management/managementGroups/t/descendants",
        "type": "Microsoft.Management/managementGroups/descendants",
        "value": [
            {"name": name, "type": "Microsoft.Management/managementGroups/subscriptions",
             "properties": {"parent": {"id": "/providers/Microsoft.Management/managementGroups/t"}}}
            for name in ("S", "other")
        ],
    },
]  # fmt: skip
SENT = exports(POLICY, "DnsResponse")
WATCHED = exports(FIREWALL, "AZFWDnsQuery")


def resolve(kind: str, place: str, _part: str | None) -> Destination:
    return Destination(kind=kind, id=place, exists="gone" not in place)


def dns(servers: Any, *documents: Document, peers: tuple[str, ...] = (HUB,), declared: bool = False) -> Any:
    peerings = [{"properties": {"remoteVirtualNetwork": {"id": peer}}} for peer in peers]
    properties = {"virtualNetworkPeerings": peerings, "dhcpOptions": {"dnsServers": servers}}
    network = {"id": NET, "type": "Microsoft.Network/virtualNetworks", "properties": properties}
    known = {normal_id(str(one["id"])): one for one in (network, *documents)}
    facts = network_facts(normal_id(NET), network, Look(documents=known, resolve=resolve, declared=declared))
    found = facts.get("dns_logged")
    return found.reason if isinstance(found, Unknown) else found


@pytest.mark.parametrize(
    ("documents", "answer"),
    [
        pytest.param([link(), SENT], True, id="linked and exported"),
        pytest.param([link(), exports(POLICY)], False, id="linked, nothing exported"),
        pytest.param([link(), exports(POLICY, "DnsResponse", workspace="/gone")], False, id="to a place that is gone"),
        pytest.param([link(), exports(POLICY, "DnsResponse", workspace="")], False, id="to nowhere"),
        pytest.param([SENT], False, id="no link"),
        pytest.param([link(network=HUB), SENT], False, id="a link to another network"),
        pytest.param([link(), exports(**REFUSED)], "the diagnostic settings: HTTP 403", id="settings refused"),
        pytest.param([link()], "the diagnostic settings: not read", id="settings not read"),
        pytest.param(
            [link(), exports(POLICY, "DnsResponse", enabled=LATER)], "not decided yet: decided later", id="perhaps on"
        ),
        pytest.param([link(**REFUSED)], "a link of a DNS security policy: HTTP 403", id="link refused"),
        pytest.param(
            [link(properties={"$unknown": "not asked"})], "a link of a DNS security policy: not asked", id="link hidden"
        ),
        pytest.param([link(network=LATER)], "a link of a DNS security policy: decided later", id="a link to come"),
        pytest.param([link(), SENT, *HIDDEN], True, id="a hidden subscription cannot take the link away"),
        pytest.param([link(), exports(POLICY), *HIDDEN], False, id="a network has one link, so nothing is hidden"),
        pytest.param([link(), SENT, *LEFT_OUT], True, id="nor does one that was left out"),
        pytest.param(
            LEFT_OUT,
            "whether a DNS security policy of subscription other is linked to the network: "
            "that subscription was not scanned",
            id="the policy may be in a subscription that was left out",
        ),
        pytest.param(
            HIDDEN,
            "whether a DNS security policy of subscription other is linked to the network: HTTP 403",
            id="the policy may be in a hidden subscription",
        ),
    ],
)
@pytest.mark.parametrize("servers", [None, [], [AZURE]], ids=["null", "none", "Azure's by its address"])
def test_azure_s_own_resolver(servers: Any, documents: list[Document], answer: Any) -> None:
    assert dns(servers, *documents) == answer


SEVERAL = f"the DNS server {ADDRESS}: several may be meant, of which not all log"
NOT_TOLD = f"the DNS server {ADDRESS}: what it logs is not told by Resource Manager"


@pytest.mark.parametrize(
    ("documents", "peers", "answer"),
    [
        pytest.param([firewall(), proxy(), WATCHED], (HUB,), True, id="a firewall"),
        pytest.param([firewall(NET), proxy(), WATCHED], (), True, id="in the network itself"),
        pytest.param(
            [firewall(), proxy(), exports(FIREWALL, "AzureFirewallDnsProxy")], (HUB,), True, id="the log of before"
        ),
        pytest.param([firewall(), proxy(), exports(FIREWALL, "AZFWNetworkRule")], (HUB,), False, id="another log"),
        pytest.param([firewall(), proxy(False), WATCHED], (HUB,), False, id="no proxy"),
        pytest.param([firewall(), WATCHED], (HUB,), "the policy of the firewall: not read", id="proxy not readable"),
        pytest.param([firewall(), exports(FIREWALL)], (HUB,), False, id="proxy or not, nothing is exported"),
        pytest.param([firewall(), proxy(), WATCHED], (), NOT_TOLD, id="the address of a network that is no peer"),
        pytest.param(
            [firewall(ipConfigurations=None, hubIPAddresses={"privateIPAddress": ADDRESS}), proxy(), WATCHED],
            (),
            True,
            id="of a virtual hub",
        ),
        pytest.param([endpoint(), link(network=HUB), SENT], (HUB,), True, id="a resolver whose network has a policy"),
        pytest.param([endpoint(), link(), SENT], (HUB,), False, id="a resolver whose network has none"),
        pytest.param([endpoint(), link(network=HUB), SENT], (), NOT_TOLD, id="a resolver out of reach"),
        pytest.param([endpoint(), link(network=HUB), SENT, firewall(), proxy(), exports(FIREWALL)], (HUB,), SEVERAL,
                     id="two of one address"),
        pytest.param([link(), SENT], (HUB,), NOT_TOLD, id="a server of one's own"),
    ],
)  # fmt: skip
def test_a_server_that_is_written_down(documents: list[Document], peers: tuple[str, ...], answer: Any) -> None:
    assert dns([ADDRESS], *documents, peers=peers) == answer


def test_every_server_counts() -> None:
    assert dns([AZURE, ADDRESS], link(), SENT) == NOT_TOLD
    assert dns([ADDRESS, AZURE]) is False
    assert dns([AZURE, ADDRESS], link(), SENT, firewall(), proxy(), WATCHED) is True


def test_servers_to_come_leave_it_open() -> None:
    assert dns(LATER) == "the DNS servers of the network: decided later"


def test_a_network_that_was_not_read() -> None:
    network: Document = {"id": NET, **REFUSED}
    facts = network_facts(normal_id(NET), network, Look(documents={}, resolve=resolve))
    assert isinstance(facts["dns_logged"], Unknown)


@pytest.mark.parametrize(
    ("documents", "answer"),
    [
        pytest.param([link(), SENT], True, id="it says so"),
        pytest.param([], None, id="it is silent"),
        pytest.param([link()], None, id="it declares no export"),
    ],
)
def test_a_plan_is_asked_only_where_it_says_so(documents: list[Document], answer: Any) -> None:
    assert dns([], *documents, declared=True) is answer

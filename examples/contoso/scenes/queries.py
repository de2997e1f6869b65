"""Who answers the DNS queries of Contoso's networks, and whether what they were asked is kept."""

from __future__ import annotations

from scenes.covers import HUB_FIREWALL
from scenes.edge import HUB_ADDRESSES
from scenes.estate import NE, WE, Doc, Estate, Plan, Status
from scenes.places import ALL_SEC, DENIED, NOTHING
from scenes.things import place
from scenes.watchers import VNETS

POLICY = "Microsoft.Network/dnsResolverPolicies"
RESOLVER = "Microsoft.Network/dnsResolvers"
RULE = "virtual-network-dns-logs"
INBOUND = "10.1.4.10"
AZURE = "168.63.129.16"


def build(estate: Estate) -> None:
    """Policies, a resolver and custom servers, in the networks that other scenes placed; every network is answered."""
    told: dict[str, tuple[Status, str]] = {}
    for name, plan, status, networks in (
        ("dnspol-we", ALL_SEC, "pass", ("vnet-claims-we", "vnet-hub-we")),
        ("dnspol-crm-we", NOTHING, "fail", ("vnet-crm-we",)),
        ("dnspol-hr-we", DENIED, "unknown", ("vnet-hr-we",)),
    ):
        _policy(estate, name, plan, *networks)
        told |= dict.fromkeys(networks, (status, f"{name} is linked to it, and {plan.why}"))  # type: ignore[dict-item]
        shown = next(doc["id"] for doc in estate.documents.values() if doc.get("name") == name)
        estate.answer("resource-security-logs-exported", shown, status, plan.why)  # type: ignore[arg-type]
    _resolver(estate)
    hub = _network(estate, "vnet-hub-we")["id"]
    for name, servers, peer, status, why in (
        ("vnet-fleet-we", [HUB_FIREWALL], hub, "pass", "it asks the hub's firewall, a proxy whose log is exported"),
        (
            "vnet-loans-we",
            [HUB_ADDRESSES[NE]],
            "",
            "fail",
            "it asks the firewall of a virtual hub, which exports nothing",
        ),
        ("vnet-docs-we", [INBOUND], hub, "pass", "it asks the resolver in the hub, whose network has a policy"),
        ("vnet-pay-we", [AZURE, "10.1.3.4"], "", "unknown", "it also asks a machine, whose log nobody can read"),
        ("vnet-pos-we", [HUB_FIREWALL], "", "unknown", "the hub is no peer of it, so that address is somebody else's"),
    ):
        document = _network(estate, name)
        document["properties"]["dhcpOptions"] = {"dnsServers": servers}
        if peer:
            peering: Doc = {"name": "to-hub", "properties": {"remoteVirtualNetwork": {"id": peer}}}
            document["properties"]["virtualNetworkPeerings"] = [peering]
        told[name] = (status, why)  # type: ignore[assignment]
    hidden = "no policy that can be seen is linked to it, and contoso-ma-legacy shows nothing"
    for subject, *_ in list(estate.answers[VNETS].values()):
        name = subject.rpartition("/")[2]
        own, why = told.get(name, ("unknown", hidden))
        estate.answer(RULE, subject, own, why)


def _network(estate: Estate, name: str) -> Doc:
    kind = "microsoft.network/virtualnetworks"
    return next(d for d in estate.documents.values() if d.get("name") == name and d["type"].lower() == kind)


def _policy(estate: Estate, name: str, plan: Plan, *networks: str) -> None:
    place(estate, POLICY, name, plan, app="network")
    for number, network in enumerate(networks, start=1):
        target = {"virtualNetwork": {"id": _network(estate, network)["id"]}}
        place(estate, f"{POLICY}/virtualNetworkLinks", f"link-{number}", None, app="network", parents=(name,), **target)


def _resolver(estate: Estate) -> None:
    hub = _network(estate, "vnet-hub-we")["id"]
    place(estate, RESOLVER, "dnspr-hub-we", None, app="network", region=WE, virtualNetwork={"id": hub})
    configuration = {
        "subnet": {"id": f"{hub}/subnets/snet-endpoints"},
        "privateIpAddress": INBOUND,
        "privateIpAllocationMethod": "Static",
    }
    place(
        estate, f"{RESOLVER}/inboundEndpoints", "inbound", None,
        app="network", parents=("dnspr-hub-we",), ipConfigurations=[configuration],
    )  # fmt: skip

"""Where traffic comes in and goes out: Front Door, firewalls of hubs, bastions, and what is switched on in them."""

from __future__ import annotations

from scenes.cables import NET, address, attach, network, subnet
from scenes.estate import MSP, NE, PROD, SE, UK, UNSUPPORTED, WE, Doc, Estate, Plan, Status, denied, rid
from scenes.places import ALL_SEC, DENIED, LAW_SEC, NOTHING, only
from scenes.things import part, place

AFD = "Microsoft.Cdn/profiles"
POLICIES = f"{AFD}/securityPolicies"
FIREWALL = "Microsoft.Network/azureFirewalls"
POLICY = "Microsoft.Network/firewallPolicies"
BASTION = "Microsoft.Network/bastionHosts"


def build(estate: Estate) -> None:
    """Place them all."""
    _front_doors(estate)
    _firewalls(estate)
    _bastions(estate)
    _protected_networks(estate)
    _others(estate)


# --- Front Door -------------------------------------------------------------------------------------------------------


def _front_doors(estate: Estate) -> None:
    access = part("the access log, but not the firewall's", "fail", "FrontDoorAccessLog")
    _front_door(estate, "afd-contoso-web", access, "pass", firewall="fail", sku="Premium_AzureFrontDoor")
    _front_door(estate, "afd-contoso-shop", ALL_SEC, "pass", firewall="pass")
    _front_door(estate, "afd-contoso-static", NOTHING, "fail", firewall=None)  # no policy: nothing to ask
    hidden = _front_door(estate, "afd-contoso-api", DENIED, "unknown", firewall="unknown", listed=False)
    refused = denied(f"{POLICIES}/read", hidden)
    estate.put({"id": f"{hidden}/securityPolicies", "type": POLICIES, "$unknown": refused})
    old = _front_door(
        estate, "cdn-contoso-media", NOTHING, "fail", firewall=None, sku="Standard_Microsoft", listed=False
    )
    estate.put(
        {"id": f"{old}/securityPolicies", "type": POLICIES, "$unsupported": {"status": 400, "code": "BadRequest"}}
    )


def _front_door(
    estate: Estate,
    name: str,
    plan: Plan,
    access: Status,
    *,
    firewall: Status | None,
    sku: str = "Standard_AzureFrontDoor",
    listed: bool = True,
) -> str:
    """A profile; `firewall` is what must be said of its firewall's log, None where it has no firewall."""
    profile = place(estate, AFD, name, plan, app="web", region="Global", sku=sku, resourceState="Active")
    estate.answer("front-door-access-logs", profile, access, plan.why)
    if firewall:
        estate.answer("front-door-firewall-logs", profile, firewall, plan.why)
    if listed:
        waf = rid(PROD, "rg-web-prod", "Microsoft.Network/frontDoorWebApplicationFirewallPolicies", "wafcontoso")
        domains = [{"id": f"{profile}/afdEndpoints/www"}]
        parameters: Doc = {
            "type": "WebApplicationFirewall",
            "wafPolicy": {"id": waf},
            "associations": [{"domains": domains, "patternsToMatch": ["/*"]}],
        }
        policy: Doc = {"id": f"{profile}/securityPolicies/waf", "type": POLICIES, "name": "waf"}
        policy["properties"] = {"provisioningState": "Succeeded", "parameters": parameters}
        estate.listing(f"{profile}/securityPolicies", POLICIES, [policy] if firewall else [])
    return profile


# --- firewalls of virtual hubs ----------------------------------------------------------------------------------------


def _firewalls(estate: Estate) -> None:
    both_on = _policy(estate, "afwp-vwan", intrusionDetection={"mode": "Alert"}, dnsSettings={"enableProxy": True})
    based = _policy(estate, "afwp-vwan-child", basePolicy={"id": both_on})
    all_off = _policy(estate, "afwp-vwan-plain", tier="Standard", dnsSettings={"enableProxy": False})
    hidden = rid(MSP, "rg-soc", POLICY, "afwp-msp")

    _firewall(estate, "afw-vwan-ne", NE, NOTHING, both_on, rules="fail", idps="fail", dns="fail")
    _firewall(estate, "afw-vwan-we", WE, DENIED, both_on, rules="unknown", idps="unknown", dns="unknown")
    some = part("network and application rules, no more", "pass", "AZFWNetworkRule", "AZFWApplicationRule")
    _firewall(estate, "afw-vwan-uks", UK, some, all_off, tier="Standard", rules="fail")
    told = "the two logs of before, which tell of intrusions too; whether there is a DNS proxy cannot be seen"
    legacy = only(LAW_SEC, "AzureFirewallNetworkRule", "AzureFirewallApplicationRule", audit="pass", why=told)
    _firewall(estate, "afw-vwan-sdc", SE, legacy, hidden, rules="pass", idps="pass", dns="unknown")
    told = "no setting; only the base of its policy has intrusion detection and the proxy on"
    _firewall(estate, "afw-vwan-spare", WE, Plan(told, "fail", "fail", None), based,
              rules="fail", idps="unknown", dns="unknown")  # fmt: skip


def _policy(estate: Estate, name: str, *, tier: str = "Premium", **properties: object) -> str:
    sku = {"sku": {"tier": tier}}
    policy = rid(PROD, "rg-network-prod", POLICY, name)
    body = {"provisioningState": "Succeeded", "threatIntelMode": "Alert", **sku, **properties}
    estate.put({"id": policy, "type": POLICY, "name": name, "location": WE, "tags": {}, "properties": body})
    return policy


HUB_ADDRESSES = {WE: "10.200.0.132", NE: "10.201.0.132", SE: "10.202.0.132", UK: "10.203.0.132"}


def _firewall(
    estate: Estate,
    name: str,
    region: str,
    plan: Plan,
    policy: str,
    *,
    rules: Status,
    idps: Status | None = None,
    dns: Status | None = None,
    tier: str = "Premium",
) -> None:
    firewall = rid(PROD, "rg-network-prod", FIREWALL, name)
    body: Doc = {
        "provisioningState": "Succeeded",
        "sku": {"name": "AZFW_Hub", "tier": tier},
        "firewallPolicy": {"id": policy},
        "hubIPAddresses": {"privateIPAddress": HUB_ADDRESSES[region], "publicIPs": {"count": 1}},
    }
    document: Doc = {"id": firewall, "type": FIREWALL, "name": name, "location": region, "tags": {}, "properties": body}
    estate.add(document, plan)
    answers = {"rule": rules, "idps": idps, "dns": dns}
    for kind, status in answers.items():
        if status:
            estate.answer(f"azure-firewall-{kind}-logs", firewall, status, plan.why)


# --- bastions ---------------------------------------------------------------------------------------------------------


def _bastions(estate: Estate) -> None:
    for name, plan in (("bas-spoke-ne", NOTHING), ("bas-spoke-we", DENIED)):
        bastion = place(estate, BASTION, name, plan, app="network", sku="Basic", scaleUnits=2)
        estate.answer("bastion-audit-logs", bastion, plan.audit, plan.why)
    place(estate, BASTION, "bas-lab", UNSUPPORTED, app="network", sku="Developer")  # writes no log: nothing is asked


# --- networks with a DDoS plan, and gateways to dial in to ------------------------------------------------------------


def _protected_networks(estate: Estate) -> None:
    """Each has a VPN gateway whose address inherits the protection; another address has its own, and one refuses it."""
    for octet, (name, plan) in enumerate((("pass", ALL_SEC), ("fail", NOTHING), ("hidden", DENIED)), start=201):
        net = network(estate, PROD, "rg-edge-prod", WE, f"vnet-edge-{name}", octet, plan)
        net.document["properties"]["enableDdosProtection"] = True
        estate.answer("virtual-network-ddos-alerts", net.id, plan.logs, plan.why)
        within = subnet(net, "GatewaySubnet")
        public = address(net, f"pip-vgw-edge-{name}", plan=plan)
        estate.answer("public-ip-ddos-logs", public["id"], plan.logs, plan.why)
        gateway = net.child(f"{NET}/virtualNetworkGateways", f"vgw-edge-{name}")
        configuration = f"{gateway}/ipConfigurations/default"
        inner = {"subnet": {"id": within["id"]}, "publicIPAddress": attach(public, configuration)}
        pool = {"addressPrefixes": [f"172.16.{octet}.0/24"]}
        net.place(
            f"{NET}/virtualNetworkGateways",
            f"vgw-edge-{name}",
            plan,
            gatewayType="Vpn",
            vpnType="RouteBased",
            sku={"name": "VpnGw2AZ", "tier": "VpnGw2AZ", "capacity": 2},
            vpnClientConfiguration={"vpnClientAddressPool": pool, "vpnAuthenticationTypes": ["Certificate"]},
            ipConfigurations=[{"name": "default", "id": configuration, "properties": inner}],
        )
        for rule in ("vpn-gateway-logs", "point-to-site-vpn-logs"):
            estate.answer(rule, gateway, plan.logs, plan.why)
    own = address(net, "pip-edge-own")
    own["properties"]["ddosSettings"] = {"protectionMode": "Enabled"}
    estate.answer("public-ip-ddos-logs", own["id"], "fail", "protection of its own, and no setting")
    address(net, "pip-edge-off")["properties"]["ddosSettings"] = {"protectionMode": "Disabled"}


# --- what there are a few of ------------------------------------------------------------------------------------------


def _others(estate: Estate) -> None:
    kinds = (
        ("network-manager-change-logs", f"{NET}/networkManagers", "nm"),
        ("network-security-perimeter-logs", f"{NET}/networkSecurityPerimeters", "nsp"),
        ("express-route-circuit-logs", f"{NET}/expressRouteCircuits", "erc"),
        ("network-security-group-logs", f"{NET}/networkSecurityGroups", "nsg-spare"),
        ("load-balancer-health-logs", f"{NET}/loadBalancers", "lbi"),
        ("attestation-audit-logs", "Microsoft.Attestation/attestationProviders", "att"),
        ("confidential-ledger-logs", "Microsoft.ConfidentialLedger/ledgers", "led"),
    )
    for rule, kind, short in kinds:
        for name, plan in (("pass", ALL_SEC), ("fail", NOTHING), ("hidden", DENIED)):
            sku = "Standard" if "Balancers" in kind else ""
            more = {"securityRules": [], "defaultSecurityRules": []} if "Groups" in kind else {}
            thing = place(estate, kind, f"{short}-edge-{name}", plan, app="edge", sku=sku, **more)
            estate.answer(rule, thing, plan.logs, plan.why)

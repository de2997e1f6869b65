"""Networks with flow logs in the main region: full, on parts, filtered, broken, retiring, and with nothing to see."""

from __future__ import annotations

from scenes.cables import (
    NET,
    Network,
    address,
    allow,
    balancer,
    interface,
    join,
    machine,
    network,
    security_group,
    subnet,
)
from scenes.dmz import gateway, scale_set
from scenes.estate import MSP, PROD, WE, Doc, Estate, Place, Plan, rid
from scenes.places import (
    ACCOUNT,
    ALL_DEDICATED,
    ALL_SEC,
    ARCH_GONE,
    AUDIT_SEC,
    DENIED,
    FLOW_NE,
    FLOW_WE,
    LAW_MSP,
    LAW_NET,
    NOTHING,
    everything,
)
from scenes.things import part
from scenes.watchers import GOOD, OPEN, VNETS, Watcher, flow_log

HUB_FIREWALL = "10.1.0.4"
HIDDEN_STORE = Place(
    "storage",
    rid(MSP, "rg-soc", ACCOUNT, "stmspflows"),
    "unknown",
    "in the provider's subscription; ARM answers 403",
)


def build(estate: Estate, prod: Watcher) -> None:
    """Place the networks of the main region, whose flow logs belong to the watcher `prod`."""
    _full(estate, prod)
    _parts(estate, prod)
    _broken(estate, prod)
    _retiring(estate, prod)
    _blind(estate)
    _cluster(estate, prod)


def _vnet(estate: Estate, name: str, octet: int, status: str, why: str, *, plan: Plan = NOTHING) -> Network:
    net = network(estate, PROD, "rg-network-prod", WE, name, octet, plan)
    estate.answer(VNETS, net.id, status, why)  # type: ignore[arg-type]
    return net


def _one_machine(net: Network, name: str) -> Doc:
    return machine(net, f"vm-{name}", subnet(net, f"snet-{name}", security_group(net, f"nsg-{name}")))


# --- full cover -------------------------------------------------------------------------------------------------------


def _full(estate: Estate, prod: Watcher) -> None:
    hub = _vnet(estate, "vnet-hub-we", 1, "pass", "a VNet flow log", plan=ALL_SEC)
    flow_log(prod, "fl-vnet-hub-we", hub.id, FLOW_WE, "ppp-", GOOD, retention=(True, 365))
    inside = subnet(hub, "AzureFirewallSubnet")
    to_law = everything(LAW_NET, dedicated=True)
    public = address(hub, "pip-afw-hub", plan=AUDIT_SEC)
    firewall = hub.child(f"{NET}/azureFirewalls", "afw-hub-we")
    configuration = f"{firewall}/azureFirewallIpConfigurations/public"
    public["properties"]["ipConfiguration"] = {"id": configuration}
    hub.place(
        f"{NET}/azureFirewalls",
        "afw-hub-we",
        to_law,
        sku={"name": "AZFW_VNet", "tier": "Premium"},
        firewallPolicy={"id": hub.child(f"{NET}/firewallPolicies", "afwp-hub")},
        ipConfigurations=[
            {
                "name": "public",
                "id": configuration,
                "properties": {
                    "privateIPAddress": HUB_FIREWALL,
                    "subnet": {"id": inside["id"]},
                    "publicIPAddress": {"id": public["id"]},
                },
            }
        ],
    )
    hub.place(
        f"{NET}/firewallPolicies",
        "afwp-hub",
        sku={"tier": "Premium"},
        threatIntelMode="Deny",
        intrusionDetection={"mode": "Deny"},
        dnsSettings={"servers": [], "enableProxy": True},
    )
    for rule in ("azure-firewall-rule-logs", "azure-firewall-idps-logs", "azure-firewall-dns-logs"):
        estate.answer(rule, firewall, "pass", to_law.why)
    _gateways(hub)
    bastion_group = security_group(hub, "nsg-hub-bastion", allow("https", 120, "443"), plan=ALL_SEC)
    _bastion(hub, "bas-hub-we", subnet(hub, "AzureBastionSubnet", bastion_group), ALL_SEC)
    estate.answer(OPEN, bastion_group["id"], "pass", "Bastion's public side; a VNet flow log watches it")
    shared = subnet(hub, "snet-shared", security_group(hub, "nsg-hub-shared"))
    for number in (1, 2):
        machine(hub, f"vm-dns-{number}", shared)
    nic = interface(hub, "nic-pep-kv-pay", subnet(hub, "snet-endpoints"))
    endpoint = hub.place(f"{NET}/privateEndpoints", "pep-kv-pay", networkInterfaces=[{"id": nic["id"]}])
    nic["properties"]["privateEndpoint"] = {"id": endpoint["id"]}

    web = _vnet(estate, "vnet-web-we", 2, "pass", "a VNet flow log")
    flow_log(prod, "fl-vnet-web-we", web.id, FLOW_WE, "ppp-", "0 days, so kept for ever", retention=(True, 0))
    group = security_group(web, "nsg-web-front", allow("https", 100, "443", "Internet"), plan=ALL_SEC)
    front = subnet(web, "snet-front", group)
    machine(web, "vm-web-front-1", front, public=address(web, "pip-web-front-1"))
    estate.answer(OPEN, group["id"], "pass", "HTTPS on a public IP; a VNet flow log watches it")
    group = security_group(
        web, "nsg-web-agw", allow("https", 100, "443"), allow("m", 110, "65200-65535", "GatewayManager")
    )
    gateway(web, "agw-web-we", subnet(web, "snet-agw", group), address(web, "pip-agw-web"), plan=ALL_SEC)
    within = web.document["properties"]["subnets"][-1]
    gateway(web, "agw-web-intern", within, address(web, "pip-agw-intern"), plan=DENIED)
    waf_only = part("the firewall's log, but not the access log", "pass", "ApplicationGatewayFirewallLog")
    gateway(web, "agw-web-shop", within, address(web, "pip-agw-shop"), plan=waf_only, access="fail")
    gateway(web, "agw-web-plain", within, address(web, "pip-agw-plain"), tier="Standard_v2")
    estate.answer(OPEN, group["id"], "pass", "HTTPS to an application gateway; a VNet flow log watches it")
    group = security_group(web, "nsg-web-api", allow("https", 100, "443"), allow("m", 110, "3443", "ApiManagement"))
    within = subnet(web, "snet-api", group)
    _api_management(web, within, ALL_DEDICATED)
    estate.answer(OPEN, group["id"], "pass", "API Management with a public side; a VNet flow log watches it")
    group = security_group(web, "nsg-web-afd", allow("front-door", 100, "443", "AzureFrontDoor.Backend"))
    machine(web, "vm-web-afd", subnet(web, "snet-afd", group), public=address(web, "pip-web-afd"))
    estate.answer(OPEN, group["id"], "pass", "open to Front Door's public addresses; a VNet flow log watches it")
    # Storage in another region: Azure refuses this today, but old templates left some behind.
    flow_log(prod, "fl-snet-front", front["id"], FLOW_NE, "fpf-", "its storage account is in another region")


def _gateways(hub: Network) -> None:
    inside = subnet(hub, "GatewaySubnet")
    public = address(hub, "pip-vpn-hub")
    gateway_id = hub.child(f"{NET}/virtualNetworkGateways", "vgw-hub-we")
    hub.estate.answer("vpn-gateway-logs", gateway_id, "pass", ALL_SEC.why)
    configuration = f"{gateway_id}/ipConfigurations/default"
    public["properties"]["ipConfiguration"] = {"id": configuration}
    hub.place(
        f"{NET}/virtualNetworkGateways",
        "vgw-hub-we",
        ALL_SEC,
        gatewayType="Vpn",
        vpnType="RouteBased",
        sku={"name": "VpnGw2AZ", "tier": "VpnGw2AZ", "capacity": 2},
        ipConfigurations=[
            {
                "name": "default",
                "id": configuration,
                "properties": {"subnet": {"id": inside["id"]}, "publicIPAddress": {"id": public["id"]}},
            }
        ],
    )


def _bastion(net: Network, name: str, within: Doc, plan: Plan) -> None:
    public = address(net, f"pip-{name}")
    bastion_id = net.child(f"{NET}/bastionHosts", name)
    net.estate.answer("bastion-audit-logs", bastion_id, plan.audit, plan.why)
    configuration = f"{bastion_id}/bastionHostIpConfigurations/default"
    public["properties"]["ipConfiguration"] = {"id": configuration}
    within["properties"]["ipConfigurations"].append({"id": configuration})
    inner = {"subnet": {"id": within["id"]}, "publicIPAddress": {"id": public["id"]}}
    net.place(
        f"{NET}/bastionHosts",
        name,
        plan,
        sku="Standard",
        ipConfigurations=[{"name": "default", "id": configuration, "properties": inner}],
    )


def _api_management(net: Network, within: Doc, plan: Plan) -> None:
    document = net.place(
        "Microsoft.ApiManagement/service",
        "apim-contoso-prod",
        plan,
        publisherEmail="api@contoso.com",
        gatewayUrl="https://apim-contoso-prod.azure-api.net",
        virtualNetworkType="External",
        virtualNetworkConfiguration={"subnetResourceId": within["id"]},
        publicIPAddresses=["20.86.13.7"],
    )
    document["sku"] = {"name": "Premium", "capacity": 2}


# --- cover of parts ---------------------------------------------------------------------------------------------------


def _parts(estate: Estate, prod: Watcher) -> None:
    net = _vnet(estate, "vnet-subnets-we", 3, "pass", "each of its subnets has a flow log")
    for name in ("app", "db"):
        within = subnet(net, f"snet-{name}", security_group(net, f"nsg-subnets-{name}"))
        machine(net, f"vm-subnets-{name}", within)
        flow_log(prod, f"fl-subnets-{name}", within["id"], FLOW_WE, "ppp-", GOOD, retention=None)

    net = _vnet(estate, "vnet-parts-we", 4, "fail", "one subnet and one interface have flow logs, one machine has none")
    group = security_group(net, "nsg-parts-seen", allow("https", 100, "443"))
    seen = subnet(net, "snet-seen", group)
    machine(net, "vm-parts-seen", seen, public=address(net, "pip-parts-seen"))
    flow_log(prod, "fl-parts-subnet", seen["id"], FLOW_WE, "ppp-", GOOD)
    estate.answer(OPEN, group["id"], "pass", "HTTPS on a public IP; its subnet has a flow log")
    dark = subnet(net, "snet-dark")
    group = security_group(net, "nsg-parts-nic", allow("https", 100, "443"))
    nic = machine(net, "vm-parts-nic", dark, public=address(net, "pip-parts-nic"), group=group)
    flow_log(prod, "fl-parts-nic", nic["id"], FLOW_WE, "ppp-", GOOD)
    estate.answer(OPEN, group["id"], "pass", "HTTPS on a public IP; its interface has a flow log")
    group = security_group(net, "nsg-parts-half", allow("https", 100, "443"))
    lit = machine(net, "vm-parts-half-1", dark, public=address(net, "pip-parts-half-1"), group=group)
    machine(net, "vm-parts-half-2", dark, public=address(net, "pip-parts-half-2"), group=group)
    flow_log(prod, "fl-parts-half", lit["id"], FLOW_WE, "pfp-", "Traffic Analytics is off", analytics_on=False)
    estate.answer(OPEN, group["id"], "fail", "HTTPS on two public IPs, and only one interface has a flow log")

    net = _vnet(estate, "vnet-filter-we", 5, "fail", "its flow log records only what a filter lets through")
    group = security_group(net, "nsg-filter", allow("ssh", 100, "22", "Internet"))
    machine(net, "vm-filter", subnet(net, "snet-filter", group), public=address(net, "pip-filter"))
    flow_log(prod, "fl-vnet-filter", net.id, FLOW_WE, "ppp-", f"{GOOD}; its filter is no fault of delivery",
             filtering="dstport == 443")  # fmt: skip
    estate.answer(OPEN, group["id"], "fail", "SSH on a public IP; the flow log records port 443 only", "critical")

    net = _vnet(estate, "vnet-records-we", 6, "fail", "its flow log records beginnings of flows only")
    _one_machine(net, "records")
    flow_log(prod, "fl-vnet-records", net.id, FLOW_WE, "ppp-", GOOD, records="B")


# --- flow logs that deliver nothing -----------------------------------------------------------------------------------


def _broken(estate: Estate, prod: Watcher) -> None:
    net = _vnet(estate, "vnet-off-we", 7, "fail", "its flow log is disabled")
    _one_machine(net, "off")
    flow_log(prod, "fl-vnet-off", net.id, FLOW_WE, "f---", "it is disabled", enabled=False)
    net = _vnet(estate, "vnet-failed-we", 8, "fail", "its flow log is in state Failed")
    group = security_group(net, "nsg-failed", allow("https", 100, "443"))
    machine(net, "vm-failed", subnet(net, "snet-failed", group), public=address(net, "pip-failed"))
    flow_log(prod, "fl-vnet-failed", net.id, FLOW_WE, "fpp-", "it is in state Failed", state="Failed")
    estate.answer(OPEN, group["id"], "fail", "HTTPS on a public IP; the only flow log has failed")
    net = _vnet(estate, "vnet-nostore-we", 9, "fail", "the storage account of its flow log was deleted")
    _one_machine(net, "nostore")
    flow_log(prod, "fl-vnet-nostore", net.id, ARCH_GONE, "fpf-", "its storage account was deleted; kept 30 days",
             retention=(True, 30))  # fmt: skip
    gone = rid(PROD, "rg-network-prod", f"{NET}/virtualNetworks", "vnet-removed-we")
    estate.put({"id": gone, "type": f"{NET}/virtualNetworks", "$absent": {"status": 404, "code": "ResourceNotFound"}})
    flow_log(prod, "fl-vnet-removed", gone, FLOW_WE, "fpp-", "its network was deleted")
    net = _vnet(estate, "vnet-provider-we", 10, "pass", "a flow log into storage that cannot be shown to be gone")
    _one_machine(net, "provider")
    estate.answer("log-storage-lifecycle", HIDDEN_STORE.id, "unknown", f"flow logs go there, {HIDDEN_STORE.why}")
    estate.put({"id": HIDDEN_STORE.id, "type": ACCOUNT, "$unknown": _refused(HIDDEN_STORE.id)})
    why = "storage and workspace are the provider's (403), which does not make them gone"
    flow_log(prod, "fl-vnet-provider", net.id, HIDDEN_STORE, "upu-", why, analytics=LAW_MSP)


def _refused(scope: str) -> Doc:
    action = f"{ACCOUNT}/read"
    return {
        "reason": "HTTP 403 AuthorizationFailed",
        "status": 403,
        "code": "AuthorizationFailed",
        "action": action,
        "scope": scope,
    }


# --- NSG flow logs ----------------------------------------------------------------------------------------------------


def _retiring(estate: Estate, prod: Watcher) -> None:
    net = _vnet(estate, "vnet-classic-we", 11, "pass", "NSG flow logs on all its groups, until 30 September 2027")
    web = security_group(net, "nsg-classic-web", allow("https", 100, "443"))
    app = security_group(net, "nsg-classic-app")
    front = subnet(net, "snet-web", web)
    pool, _ = balancer(net, "lb-classic-web", address(net, "pip-lb-classic"), ports=((443, 443),))
    join(net, pool, machine(net, "vm-classic-web", front, pools=(pool,)))
    machine(net, "vm-classic-app", subnet(net, "snet-app", app))
    alone = "the only flow log that sees this traffic, with 312 days left"
    for group in (web, app):
        flow_log(prod, f"fl-{group['name']}", group["id"], FLOW_WE, "pppf", alone, retention=(True, 90))
    estate.answer(OPEN, web["id"], "pass", "HTTPS through a load balancer; an NSG flow log watches it until 2027")

    net = _vnet(estate, "vnet-mixed-we", 12, "pass", "a VNet flow log, and an NSG flow log beside it")
    group = security_group(net, "nsg-mixed", allow("https", 100, "443"))
    machine(net, "vm-mixed", subnet(net, "snet-mixed", group), public=address(net, "pip-mixed"))
    flow_log(prod, "fl-vnet-mixed", net.id, FLOW_WE, "ppp-", GOOD)
    flow_log(prod, "fl-nsg-mixed", group["id"], FLOW_WE, "pffp", "a VNet flow log sees the same; kept for 30 days",
             retention=(True, 30), analytics=None)  # fmt: skip
    estate.answer(OPEN, group["id"], "pass", "HTTPS on a public IP; two flow logs watch it")

    net = _vnet(estate, "vnet-legacy-we", 13, "fail", "the NSG flow log of its only group is disabled")
    group = security_group(net, "nsg-legacy", allow("rdp", 100, "3389", "*"))
    machine(net, "vm-legacy", subnet(net, "snet-legacy", group), public=address(net, "pip-legacy"), windows=True)
    flow_log(prod, "fl-nsg-legacy", group["id"], FLOW_WE, "f---", "it is disabled", enabled=False)
    estate.answer(OPEN, group["id"], "fail", "RDP on a public IP; the only flow log is disabled", "critical")


# --- a cluster's own group --------------------------------------------------------------------------------------------


def _cluster(estate: Estate, prod: Watcher) -> None:
    """What AKS makes by itself, in a resource group that its owner did not name."""
    group = "MC_rg-pos-prod_aks-pos-prod_westeurope"
    shown = f"/subscriptions/{PROD}/resourceGroups/{group}"
    cluster = rid(PROD, "rg-pos-prod", "Microsoft.ContainerService/managedClusters", "aks-pos-prod")
    estate.add(
        {"id": shown, "type": "Microsoft.Resources/subscriptions/resourceGroups", "name": group, "location": WE,
         "managedBy": cluster, "properties": {"provisioningState": "Succeeded"}}
    )  # fmt: skip
    net = network(estate, PROD, group, WE, "aks-vnet-29331170", 16)
    estate.answer(VNETS, net.id, "pass", "a VNet flow log")
    flow_log(prod, "fl-aks-pos", net.id, FLOW_WE, "ppp-", GOOD)
    rule = allow("k8s-azure-lb_allow_IPv4_556f7044ec033071ec0dcf7cd85bc93d", 500, ["80", "443"], "Internet")
    nodes = security_group(net, "aks-agentpool-29331170-nsg", rule)
    within = subnet(net, "aks-subnet", nodes)
    pool, _ = balancer(net, "kubernetes", address(net, "kubernetes-a3f9"), ports=((443, 443),))
    scale_set(net, "aks-nodepool1-29331170-vmss", within, pool=pool)
    estate.answer(OPEN, nodes["id"], "pass", "a cluster's balancer leads to its nodes; a VNet flow log watches them")


# --- nothing to watch -------------------------------------------------------------------------------------------------


def _blind(estate: Estate) -> None:
    """Networks without anything that emits flows: the rule does not ask about them."""
    network(estate, PROD, "rg-network-prod", WE, "vnet-reserved-we", 14)
    net = network(estate, PROD, "rg-network-prod", WE, "vnet-data-we", 15)
    for service in ("Microsoft.DBforPostgreSQL/flexibleServers", "Microsoft.Web/serverFarms"):
        subnet(net, f"snet-{service.split('/')[1].lower()}", security_group(net, f"nsg-data-{service[10:13].lower()}"),
               delegation=service)  # fmt: skip

"""Security groups in a network that no flow log watches: each open to the internet in its own way, or not at all."""

from __future__ import annotations

from scenes.cables import (
    NET,
    Network,
    address,
    allow,
    attach,
    balancer,
    deny,
    interface,
    join,
    machine,
    network,
    security_group,
    subnet,
)
from scenes.estate import MA, PROD, WE, Doc, Estate, Plan, Status, rid
from scenes.places import ALL_SEC, NOTHING

RULE = "public-nsg-flow-logs"


def build(estate: Estate) -> None:
    """Place the network, its machines and what leads to them from outside."""
    net = network(estate, PROD, "rg-dmz-prod", WE, "vnet-dmz-we", 20)
    estate.answer("virtual-network-flow-logs", net.id, "fail", "no flow log watches it")
    _by_address(estate, net)
    _by_balancer(estate, net)
    _by_other_ways(estate, net)
    _closed(net)


def _open(estate: Estate, group: Doc, why: str, severity: str = "") -> None:
    estate.answer(RULE, group["id"], "fail", f"{why}; no flow log sees it", severity)


# --- E1: a public IP address on the interface -------------------------------------------------------------------------


def _by_address(estate: Estate, net: Network) -> None:
    def exposed(name: str, why: str, *rules: Doc, v6: bool = False, sku: str = "Standard", severity: str = "") -> Doc:
        group = security_group(net, f"nsg-dmz-{name}", *rules)
        within = subnet(net, f"snet-{name}", group)
        public = address(net, f"pip-{name}", sku=sku)
        sixth = address(net, f"pip-{name}-v6", v6=True) if v6 else None
        machine(net, f"vm-dmz-{name}", within, public=public, public_v6=sixth)
        _open(estate, group, why, severity)
        return group

    exposed("jump", "SSH from anywhere, on a public IP", allow("ssh", 100, "22", "*"), severity="critical")
    exposed("any", "everything from Any", allow("all", 100, "*", "Any", protocol="*"), severity="critical")
    halves = ["0.0.0.0/1", "128.0.0.0/1"]
    exposed("halves", "the internet written as two halves", allow("split", 100, "443", halves))
    exposed("list", "a list of ports from 0.0.0.0/0", allow("list", 100, ["80", "8080-8090"], "0.0.0.0/0"))
    partners = ["20.61.0.0/16", "40.74.28.0/23"]
    exposed("partners", "SFTP from listed public prefixes", allow("partners", 100, "22", partners), severity="critical")
    exposed("v6", "IPv6 only, but from ::/0", allow("six", 100, "443", "::/0"), v6=True)
    exposed(
        "basic", "RDP on an old Basic address", allow("rdp", 100, "3389", "Internet"), sku="Basic", severity="critical"
    )
    shadow_too_late = (allow("web", 100, "443"), deny("no-web", 200, "443", "Internet"))
    exposed("late", "the deny comes after the allow", *shadow_too_late)

    group = security_group(net, "nsg-dmz-nic", allow("https", 300, ["443"], "Internet"))
    within = subnet(net, "snet-nic-only")
    machine(net, "vm-dmz-nic", within, public=address(net, "pip-nic"), group=group)
    _open(estate, group, "HTTPS, on a group that only the interface has")


# --- E2, E3: through a load balancer ----------------------------------------------------------------------------------


def _by_balancer(estate: Estate, net: Network) -> None:
    group = security_group(net, "nsg-dmz-web", allow("https", 100, "443"))
    within = subnet(net, "snet-web", group)
    pool, _ = balancer(net, "lb-dmz-web", address(net, "pip-lb-web"), ports=((443, 443), (80, 8080)))
    for number in (1, 2):
        join(net, pool, machine(net, f"vm-dmz-web-{number}", within, pools=(pool,)))
    _open(estate, group, "HTTPS through a load balancer's rule")

    group = security_group(net, "nsg-dmz-rdp", allow("rdp", 100, "3389", "Internet"))
    within = subnet(net, "snet-rdp", group)
    _, nat = balancer(net, "lb-dmz-rdp", address(net, "pip-lb-rdp"), nat=((50001, 3389),))
    machine(net, "vm-dmz-rdp", within, nat_rules=tuple(nat), windows=True)
    _open(estate, group, "RDP through a load balancer's NAT rule", "critical")

    # The rule lets SSH in, but the balancer only forwards HTTPS: nothing meets.
    group = security_group(net, "nsg-dmz-mismatch", allow("ssh", 100, "22"))
    within = subnet(net, "snet-mismatch", group)
    pool, _ = balancer(net, "lb-dmz-mismatch", address(net, "pip-lb-mismatch"), ports=((443, 443),))
    join(net, pool, machine(net, "vm-dmz-mismatch", within, pools=(pool,)))

    # A balancer in the subscription that may not be read: it may lead anywhere.
    group = security_group(net, "nsg-dmz-migrated", allow("https", 100, "443"))
    within = subnet(net, "snet-migrated", group)
    hidden = rid(MA, "rg-ma-network", f"{NET}/loadBalancers", "lb-ma-frontdoor")
    machine(net, "vm-dmz-migrated", within, pools=(f"{hidden}/backendAddressPools/pool",))
    estate.answer(RULE, group["id"], "unknown", "its machine is behind a load balancer that ARM refuses to show")

    inside = subnet(net, "snet-internal", security_group(net, "nsg-dmz-internal", allow("app", 100, "8443", "*")))
    pool, _ = balancer(net, "lb-dmz-internal", None, ports=((8443, 8443),), within=inside)
    join(net, pool, machine(net, "vm-dmz-internal", inside, pools=(pool,)))  # an internal balancer: nobody comes in


# --- E4, E5 -----------------------------------------------------------------------------------------------------------


def _by_other_ways(estate: Estate, net: Network) -> None:
    group = security_group(net, "nsg-dmz-vmss", allow("https", 100, "443"))
    within = subnet(net, "snet-vmss", group)
    scale_set(net, "vmss-dmz-edge", within, public=True)
    _open(estate, group, "HTTPS to a scale set whose instances have public IPs")

    group = security_group(
        net, "nsg-dmz-agw", allow("https", 100, "443"), allow("manager", 110, "65200-65535", "GatewayManager")
    )
    within = subnet(net, "snet-agw", group)
    gateway(net, "agw-dmz", within, address(net, "pip-agw-dmz"))
    _open(estate, group, "HTTPS to an application gateway")


def scale_set(
    net: Network, name: str, within: Doc, *, public: bool = False, pool: str = "", group: Doc | None = None
) -> Doc:
    """Place a virtual machine scale set."""
    configuration: Doc = {"subnet": {"id": within["id"]}, "primary": True, "privateIPAddressVersion": "IPv4"}
    if public:
        configuration["publicIPAddressConfiguration"] = {
            "name": "instance-ip",
            "sku": {"name": "Standard"},
            "properties": {"idleTimeoutInMinutes": 15},
        }
    if pool:
        configuration["loadBalancerBackendAddressPools"] = [{"id": pool}]
    nic: Doc = {"primary": True, "ipConfigurations": [{"name": "ipconfig1", "properties": configuration}]}
    if group:
        nic["networkSecurityGroup"] = {"id": group["id"]}
    profile = {"networkInterfaceConfigurations": [{"name": f"nic-{name}", "properties": nic}]}
    document = net.place(
        "Microsoft.Compute/virtualMachineScaleSets",
        name,
        orchestrationMode="Uniform",
        upgradePolicy={"mode": "Manual"},
        virtualMachineProfile={
            "networkProfile": profile,
            "osProfile": {"computerNamePrefix": name[:9]},
            "storageProfile": {"osDisk": {"osType": "Linux", "createOption": "FromImage"}},
        },
    )
    document["sku"] = {"name": "Standard_D2s_v5", "tier": "Standard", "capacity": 2}
    return document


def gateway(
    net: Network,
    name: str,
    within: Doc,
    public: Doc,
    *,
    plan: Plan = NOTHING,
    tier: str = "WAF_v2",
    access: Status | None = None,
) -> Doc:
    """Place an application gateway with a public listener on 443; its access log fares as its logs do, unless told."""
    gateway_id = net.child(f"{NET}/applicationGateways", name)
    front = f"{gateway_id}/frontendIPConfigurations/public"
    port = f"{gateway_id}/frontendPorts/https"
    own = f"{gateway_id}/gatewayIPConfigurations/gateway"
    within["properties"].setdefault("applicationGatewayIPConfigurations", []).append({"id": own})
    net.estate.answer("application-gateway-access-logs", gateway_id, access or plan.logs, plan.why)
    if tier == "WAF_v2":
        net.estate.answer("application-gateway-firewall-logs", gateway_id, plan.logs, plan.why)
    return net.place(
        f"{NET}/applicationGateways",
        name,
        plan,
        sku={"name": tier, "tier": tier},
        operationalState="Running",
        gatewayIPConfigurations=[{"name": "gateway", "id": own, "properties": {"subnet": {"id": within["id"]}}}],
        frontendIPConfigurations=[
            {"name": "public", "id": front, "properties": {"publicIPAddress": attach(public, front)}}
        ],
        frontendPorts=[{"name": "https", "id": port, "properties": {"port": 443}}],
        httpListeners=[
            {
                "name": "https",
                "id": f"{gateway_id}/httpListeners/https",
                "properties": {
                    "protocol": "Https",
                    "frontendIPConfiguration": {"id": front},
                    "frontendPort": {"id": port},
                },
            }
        ],
        backendAddressPools=[{"name": "web", "id": f"{gateway_id}/backendAddressPools/web", "properties": {}}],
    )


# --- not public -------------------------------------------------------------------------------------------------------


def _closed(net: Network) -> None:
    """None of these is public facing, so the rule does not ask about them."""
    nat_ip = address(net, "pip-nat-dmz", plan=ALL_SEC)
    nat = net.place(f"{NET}/natGateways", "ng-dmz", NOTHING, sku="Standard", publicIpAddresses=[{"id": nat_ip["id"]}])
    nat_ip["properties"]["natGateway"] = {"id": nat["id"]}
    group = security_group(net, "nsg-dmz-egress", allow("all", 100, "*", "*", protocol="*"))
    machine(net, "vm-dmz-egress", subnet(net, "snet-egress", group, nat=nat["id"]))  # E9: outbound only

    shadowed = security_group(net, "nsg-dmz-shadowed", deny("none", 100, "*", "Internet"), allow("ssh", 200, "22"))
    machine(net, "vm-dmz-shadowed", subnet(net, "snet-shadowed", shadowed), public=address(net, "pip-shadowed"))

    outer = security_group(net, "nsg-dmz-outer", allow("https", 100, "443"))
    inner = security_group(net, "nsg-dmz-inner", deny("none", 100, "443", "Internet"))
    within = subnet(net, "snet-both", outer)
    machine(net, "vm-dmz-both", within, public=address(net, "pip-both"), group=inner)  # both must let it in

    permissive = security_group(net, "nsg-dmz-permissive", allow("all", 100, "*", "*", protocol="*"))
    machine(net, "vm-dmz-permissive", subnet(net, "snet-permissive", permissive))  # no way in from outside

    plain = security_group(net, "nsg-dmz-plain")
    machine(net, "vm-dmz-plain", subnet(net, "snet-plain", plain), public=address(net, "pip-plain"))  # defaults only

    security_group(net, "nsg-dmz-orphan", allow("all", 100, "*", "*", protocol="*"))  # attached to nothing
    office = allow("office", 100, "22", ["10.0.0.0/8", "192.168.0.0/16", "100.64.0.0/10"])
    private = security_group(net, "nsg-dmz-office", office)
    machine(net, "vm-dmz-office", subnet(net, "snet-office", private), public=address(net, "pip-office"))
    interface(
        net, "nic-dmz-bare", subnet(net, "snet-bare"), public=address(net, "pip-bare")
    )  # Standard, no group: shut

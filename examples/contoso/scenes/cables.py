"""The parts networks are made of: networks, subnets, security groups, addresses, interfaces, machines, watchers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from scenes.estate import Doc, Estate, Plan, guid, rid
from scenes.places import NOTHING

NET = "Microsoft.Network"
NSG = f"{NET}/networkSecurityGroups"


@dataclass
class Network:
    """A virtual network under construction."""

    estate: Estate
    subscription: str
    group: str
    region: str
    name: str
    octet: int
    document: Doc = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Its ARM id."""
        return rid(self.subscription, self.group, f"{NET}/virtualNetworks", self.name)

    def child(self, kind: str, name: str) -> str:
        """The id of something in the same resource group."""
        return rid(self.subscription, self.group, kind, name)

    def place(self, kind: str, name: str, plan: Plan | None = None, *, sku: str | Doc = "", **properties: Any) -> Doc:
        """Place something in the same group and region; some types have their SKU, then a mapping, as a property."""
        document: Doc = {"id": self.child(kind, name), "type": kind, "name": name, "location": self.region, "tags": {}}
        if isinstance(sku, dict):
            properties = {"sku": sku, **properties}
        elif sku:
            document["sku"] = {"name": sku, "tier": "Regional" if kind.endswith(("Addresses", "Balancers")) else sku}
        document["properties"] = {"provisioningState": "Succeeded", **properties}
        self.estate.add(document, plan)
        return document


def network(
    estate: Estate,
    subscription: str,
    group: str,
    region: str,
    name: str,
    octet: int,
    plan: Plan = NOTHING,
) -> Network:
    """Place a virtual network 10.{octet}.0.0/16 without subnets."""
    net = Network(estate, subscription, group, region, name, octet)
    space = {"addressPrefixes": [f"10.{octet}.0.0/16", f"fd00:{octet:x}::/48"]}
    net.document = net.place(
        f"{NET}/virtualNetworks", name, plan, addressSpace=space, subnets=[], enableDdosProtection=False
    )
    return net


def subnet(net: Network, name: str, group: Doc | None = None, nat: str = "", delegation: str = "") -> Doc:
    """Add a subnet /24."""
    subnets = net.document["properties"]["subnets"]
    properties: Doc = {
        "provisioningState": "Succeeded",
        "addressPrefix": f"10.{net.octet}.{len(subnets)}.0/24",
        "ipConfigurations": [],
        "delegations": [],
        "privateEndpointNetworkPolicies": "Disabled",
    }
    made = {"id": f"{net.id}/subnets/{name}", "name": name, "type": f"{NET}/virtualNetworks/subnets"}
    if group:
        properties["networkSecurityGroup"] = {"id": group["id"]}
        group["properties"].setdefault("subnets", []).append({"id": made["id"]})
    if nat:
        properties["natGateway"] = {"id": nat}
    if delegation:
        properties["delegations"] = [{"name": "delegation", "properties": {"serviceName": delegation}}]
    made["properties"] = properties
    subnets.append(made)
    return made


# --- security groups --------------------------------------------------------------------------------------------------


def allow(name: str, priority: int, ports: str | list[str], source: str | list[str] = "Internet", **more: str) -> Doc:
    """An inbound rule; lists go into the plural fields, as Azure writes them. `access`, `protocol`, `direction`."""
    many_ports, many_sources = isinstance(ports, list), isinstance(source, list)
    return {
        "name": name,
        "properties": {
            "provisioningState": "Succeeded",
            "protocol": more.get("protocol", "Tcp"),
            "sourcePortRange": "*",
            "destinationPortRange": "" if many_ports else ports,
            "destinationPortRanges": ports if many_ports else [],
            "sourceAddressPrefix": "" if many_sources else source,
            "sourceAddressPrefixes": source if many_sources else [],
            "destinationAddressPrefix": more.get("destination", "*"),
            "destinationAddressPrefixes": [],
            "access": more.get("access", "Allow"),
            "priority": priority,
            "direction": more.get("direction", "Inbound"),
        },
    }


def deny(name: str, priority: int, ports: str = "*", source: str = "*", protocol: str = "*") -> Doc:
    """An inbound rule that refuses."""
    return allow(name, priority, ports, source, access="Deny", protocol=protocol)


_DEFAULTS = (
    ("AllowVnetInBound", 65000, "VirtualNetwork", "VirtualNetwork", "Allow", "Inbound"),
    ("AllowAzureLoadBalancerInBound", 65001, "AzureLoadBalancer", "*", "Allow", "Inbound"),
    ("DenyAllInBound", 65500, "*", "*", "Deny", "Inbound"),
    ("AllowVnetOutBound", 65000, "VirtualNetwork", "VirtualNetwork", "Allow", "Outbound"),
    ("AllowInternetOutBound", 65001, "*", "Internet", "Allow", "Outbound"),
    ("DenyAllOutBound", 65500, "*", "*", "Deny", "Outbound"),
)


def security_group(net: Network, name: str, *rules: Doc, plan: Plan = NOTHING) -> Doc:
    """Place a network security group."""
    group_id = net.child(NSG, name)
    own = [{**rule, "id": f"{group_id}/securityRules/{rule['name']}"} for rule in rules]
    defaults = [
        {
            "id": f"{group_id}/defaultSecurityRules/{rule}",
            **allow(rule, priority, "*", source, protocol="*", destination=to, access=access, direction=direction),
        }
        for rule, priority, source, to, access, direction in _DEFAULTS
    ]
    net.estate.answer("network-security-group-logs", group_id, plan.logs, plan.why)
    return net.place(NSG, name, plan, securityRules=own, defaultSecurityRules=defaults)


# --- addresses, interfaces, machines ----------------------------------------------------------------------------------


def address(net: Network, name: str, *, sku: str = "Standard", plan: Plan = NOTHING, v6: bool = False) -> Doc:
    """Place a public IP address, not yet attached."""
    number = net.estate.random.randrange(1, 250)
    shown = f"2001:db8:{net.octet:x}::{number:x}" if v6 else f"198.51.100.{number}"
    return net.place(
        f"{NET}/publicIPAddresses",
        name,
        plan,
        sku=sku,
        ipAddress=shown,
        publicIPAddressVersion="IPv6" if v6 else "IPv4",
        publicIPAllocationMethod="Static" if sku == "Standard" else "Dynamic",
        idleTimeoutInMinutes=4,
    )


def attach(public: Doc, configuration_id: str) -> Doc:
    """Say on a public IP address what owns it; gives the reference to it."""
    public["properties"]["ipConfiguration"] = {"id": configuration_id}
    return {"id": public["id"]}


def interface(
    net: Network,
    name: str,
    within: Doc,
    *,
    public: Doc | None = None,
    public_v6: Doc | None = None,
    group: Doc | None = None,
    pools: tuple[str, ...] = (),
    nat_rules: tuple[str, ...] = (),
    machine: str = "",
) -> Doc:
    """Place a network interface in a subnet."""
    nic_id = net.child(f"{NET}/networkInterfaces", name)
    used = len(within["properties"]["ipConfigurations"])
    base = within["properties"]["addressPrefix"].removesuffix("0/24")

    def configuration(label: str, version: str, private: str, owned: Doc | None) -> Doc:
        config_id = f"{nic_id}/ipConfigurations/{label}"
        inner: Doc = {
            "provisioningState": "Succeeded",
            "privateIPAddress": private,
            "privateIPAddressVersion": version,
            "privateIPAllocationMethod": "Dynamic",
            "primary": version == "IPv4",
            "subnet": {"id": within["id"]},
        }
        if owned:
            inner["publicIPAddress"] = attach(owned, config_id)
        within["properties"]["ipConfigurations"].append({"id": config_id})
        return {"name": label, "id": config_id, "properties": inner}

    configurations = [configuration("ipconfig1", "IPv4", f"{base}{used + 4}", public)]
    if public_v6:
        configurations.append(configuration("ipconfig6", "IPv6", f"fd00:{net.octet:x}::{used + 4:x}", public_v6))
    first = configurations[0]["properties"]
    if pools:
        first["loadBalancerBackendAddressPools"] = [{"id": pool} for pool in pools]
    if nat_rules:
        first["loadBalancerInboundNatRules"] = [{"id": rule} for rule in nat_rules]
    properties: Doc = {
        "ipConfigurations": configurations,
        "macAddress": "00-0D-3A-2B-4C-5D",
        "enableIPForwarding": False,
    }
    if group:
        properties["networkSecurityGroup"] = {"id": group["id"]}
        group["properties"].setdefault("networkInterfaces", []).append({"id": nic_id})
    if machine:
        properties["virtualMachine"] = {"id": machine}
    return net.place(f"{NET}/networkInterfaces", name, **properties)


def machine(net: Network, name: str, within: Doc, *, plan: Plan = NOTHING, windows: bool = False, **wiring: Any) -> Doc:
    """Place a virtual machine with its disk and its interface; gives the interface."""
    vm_id = net.child("Microsoft.Compute/virtualMachines", name)
    nic = interface(net, f"nic-{name}", within, machine=vm_id, **wiring)
    disk = net.place(
        "Microsoft.Compute/disks",
        f"osdisk-{name}",
        sku="Premium_LRS",
        diskSizeGB=127,
        diskState="Attached",
        osType="Windows" if windows else "Linux",
    )
    disk["managedBy"] = vm_id
    net.place(
        "Microsoft.Compute/virtualMachines",
        name,
        plan,
        vmId=guid(f"vm/{vm_id}"),
        hardwareProfile={"vmSize": "Standard_D4s_v5"},
        storageProfile={"osDisk": {"osType": "Windows" if windows else "Linux", "managedDisk": {"id": disk["id"]}}},
        osProfile={"computerName": name[:15]},
        networkProfile={"networkInterfaces": [{"id": nic["id"]}]},
    )
    return nic


def balancer(
    net: Network,
    name: str,
    public: Doc | None,
    *,
    ports: tuple[tuple[int, int], ...] = (),
    nat: tuple[tuple[int, int], ...] = (),
    within: Doc | None = None,
    sku: str = "Standard",
    plan: Plan = NOTHING,
) -> tuple[str, list[str]]:
    """Place a load balancer, public or internal; gives the id of its pool and those of its NAT rules."""
    lb_id = net.child(f"{NET}/loadBalancers", name)
    if sku != "Basic":
        net.estate.answer("load-balancer-health-logs", lb_id, plan.logs, plan.why)
    front = f"{lb_id}/frontendIPConfigurations/front"
    pool = f"{lb_id}/backendAddressPools/pool"
    inner: Doc = {"provisioningState": "Succeeded"}
    if public:
        inner["publicIPAddress"] = attach(public, front)
    elif within:
        inner |= {"subnet": {"id": within["id"]}, "privateIPAddress": f"10.{net.octet}.0.250"}
    rules = [
        {
            "name": f"rule-{outside}",
            "id": f"{lb_id}/loadBalancingRules/rule-{outside}",
            "properties": {
                "protocol": "Tcp",
                "frontendPort": outside,
                "backendPort": inside,
                "frontendIPConfiguration": {"id": front},
                "backendAddressPool": {"id": pool},
            },
        }
        for outside, inside in ports
    ]
    nat_rules = [
        {
            "name": f"nat-{outside}",
            "id": f"{lb_id}/inboundNatRules/nat-{outside}",
            "properties": {
                "protocol": "Tcp",
                "frontendPort": outside,
                "backendPort": inside,
                "frontendIPConfiguration": {"id": front},
            },
        }
        for outside, inside in nat
    ]
    net.place(
        f"{NET}/loadBalancers",
        name,
        plan,
        sku=sku,
        frontendIPConfigurations=[{"name": "front", "id": front, "properties": inner}],
        backendAddressPools=[{"name": "pool", "id": pool, "properties": {"backendIPConfigurations": []}}],
        loadBalancingRules=rules,
        inboundNatRules=nat_rules,
        inboundNatPools=[],
        outboundRules=[],
        probes=[],
    )
    return pool, [rule["id"] for rule in nat_rules]


def join(net: Network, pool: str, nic: Doc) -> None:
    """Write an interface into a pool, as the load balancer's own document shows it."""
    lb = net.estate.documents[pool.rpartition("/backendAddressPools/")[0].lower()]
    configuration = nic["properties"]["ipConfigurations"][0]["id"]
    lb["properties"]["backendAddressPools"][0]["properties"]["backendIPConfigurations"].append({"id": configuration})

"""Is a network security group open to the internet? One case for each edge and trap of domain.md 3.6 and 11."""

from __future__ import annotations

import pytest

from auditor.documents import normal_id, unreadable
from auditor.facts.exposure import exposure, open_without_group
from auditor.facts.network_index import index_network
from auditor.inventory import Unknown

BASE = "/subscriptions/S1/resourceGroups/Rg/providers"
NETWORK = f"{BASE}/Microsoft.Network"
SUBNET = f"{NETWORK}/virtualNetworks/vnet/subnets/app"
OTHER = f"{NETWORK}/virtualNetworks/vnet/subnets/other"


def doc(kind, name, properties=None, **more):
    return {
        "id": f"{BASE}/{kind}/{name}",
        "type": kind,
        "name": name,
        "location": "westeurope",
        "properties": {} if properties is None else properties,
        **more,
    }


def ref(kind, name):
    return {"id": f"{NETWORK}/{kind}/{name}"}


def rule(name="in", *, source="*", ports="*", access="Allow", priority=100, protocol="*", to="*", **more):
    body = {
        "access": access,
        "direction": "Inbound",
        "priority": priority,
        "protocol": protocol,
        "sourcePortRange": "*",
        **({"sourceAddressPrefixes": source} if isinstance(source, list) else {"sourceAddressPrefix": source}),
        **({"destinationPortRanges": ports} if isinstance(ports, list) else {"destinationPortRange": ports}),
        **({"destinationAddressPrefixes": to} if isinstance(to, list) else {"destinationAddressPrefix": to}),
        **more,
    }
    return {"name": name, "properties": body}


def nsg(*rules, name="nsg", subnets=(), nics=()):
    defaults = [
        rule("AllowVnetInBound", source="VirtualNetwork", to="VirtualNetwork", priority=65000),
        rule("AllowAzureLoadBalancerInBound", source="AzureLoadBalancer", priority=65001),
        rule("DenyAllInBound", access="Deny", priority=65500),
    ]
    body = {"securityRules": list(rules), "defaultSecurityRules": defaults}
    body |= {"subnets": [{"id": s} for s in subnets]} if subnets else {}
    body |= {"networkInterfaces": [{"id": n} for n in nics]} if nics else {}
    return doc("Microsoft.Network/networkSecurityGroups", name, body)


def vnet(**subnets):
    """A virtual network; each subnet's value is its security group's name or None, or all of its properties."""
    listed = []
    for number, (name, value) in enumerate(subnets.items()):
        body = {"addressPrefix": f"10.0.{number}.0/24"}
        if isinstance(value, dict):
            body |= value
        elif value:
            body["networkSecurityGroup"] = ref("networkSecurityGroups", value)
        listed.append({"id": f"{NETWORK}/virtualNetworks/vnet/subnets/{name}", "name": name, "properties": body})
    return doc("Microsoft.Network/virtualNetworks", "vnet", {"subnets": listed})


def config(*, pip=None, subnet=SUBNET, ip="10.0.0.4", **more):
    body = {"subnet": {"id": subnet}, "privateIPAddress": ip, **more}
    if pip:
        body["publicIPAddress"] = ref("publicIPAddresses", pip)
    return {"name": "ipconfig1", "properties": body}


def nic(name="nic", *configs, group=None, **more):
    listed = [
        {**c, "id": f"{NETWORK}/networkInterfaces/{name}/ipConfigurations/{c['name']}"} for c in configs or (config(),)
    ]
    body = {"ipConfigurations": listed, **more}
    if group:
        body["networkSecurityGroup"] = ref("networkSecurityGroups", group)
    return doc("Microsoft.Network/networkInterfaces", name, body)


def pip(name="pip", sku="Standard", **properties):
    return doc("Microsoft.Network/publicIPAddresses", name, {"ipAddress": "20.1.2.3", **properties}, sku={"name": sku})


LB = f"{NETWORK}/loadBalancers/lb"


def balancer(*, frontend=None, **parts):
    body = {
        "frontendIPConfigurations": [
            {
                "id": f"{LB}/frontendIPConfigurations/front",
                "name": "front",
                "properties": frontend or {"publicIPAddress": ref("publicIPAddresses", "pip-lb")},
            }
        ],
        "backendAddressPools": [{"id": f"{LB}/backendAddressPools/pool", "name": "pool", "properties": {}}],
        **parts,
    }
    return doc("Microsoft.Network/loadBalancers", "lb", body, sku={"name": "Standard"})


def lb_rule(name="http", protocol="Tcp", port=8080, pools=None, **more):
    return {
        "name": name,
        "properties": {
            "frontendIPConfiguration": {"id": f"{LB}/frontendIPConfigurations/front"},
            **(pools or {"backendAddressPool": {"id": f"{LB}/backendAddressPools/pool"}}),
            "protocol": protocol,
            "frontendPort": 80,
            "backendPort": port,
            **more,
        },
    }


POOLED = {"loadBalancerBackendAddressPools": [{"id": f"{LB}/backendAddressPools/pool"}]}


def estate(*documents):
    return {normal_id(d["id"]): d for d in documents}


def facts(*documents, name="nsg"):
    answer = exposure(index_network(estate(*documents)))
    return answer[normal_id(f"{NETWORK}/networkSecurityGroups/{name}")].facts


def behind_public_ip(*rules, **more):
    """The facts of a security group on a subnet in which an interface has a public IP."""
    return facts(nsg(*rules), vnet(app="nsg"), nic("nic", config(pip="pip", **more)), pip())


# --- E1: a public IP on an interface ----------------------------------------------------------------------------------


def test_e1_public_ip_on_an_interface():
    found = behind_public_ip(rule("ssh", ports="22", protocol="Tcp"))
    assert found == {
        "attached": True,
        "public": True,
        "breadth": "any",
        "exposed_ports": ["tcp/22"],
        "management_ports": True,
        "exposed_through": ["public IP pip on nic"],
        "public_rules": ["ssh"],
        "permissive": False,
    }


SOURCES = [
    ("star", "*", "any"),
    ("any", "Any", "any"),
    ("internet", "internet", "any"),
    ("zero", "0.0.0.0/0", "any"),
    ("trap-38-split-halves-in-a-list", ["0.0.0.0/1", "128.0.0.0/1"], "any"),
    ("trap-38-list-with-one-public", ["10.0.0.0/8", "20.0.0.0/8"], "broad"),
    ("one-address", "8.8.8.8", "narrow"),
    ("range", "8.8.8.1-8.8.8.9", "narrow"),
    ("documentation-network", "203.0.113.0/24", "narrow"),
    ("service-tag", "AzureCloud", "service-tag"),
    ("service-tag-with-region", "Storage.WestEurope", "service-tag"),
    ("tag-and-prefix", ["AzureCloud", "8.8.8.8"], "narrow"),
    ("virtual-network", "VirtualNetwork", "none"),
    ("load-balancer-probe", "AzureLoadBalancer", "none"),
    ("probe-address", "168.63.129.16/32", "none"),
    ("private", ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"], "none"),
    ("carrier-grade-nat", "100.64.0.0/10", "none"),
    ("link-local", "169.254.0.0/16", "none"),
    ("empty-list", [], "any"),  # nothing said limits nothing
]


@pytest.mark.parametrize(("source", "expected"), [s[1:] for s in SOURCES], ids=[s[0] for s in SOURCES])
def test_sources_and_breadth(source, expected):
    found = behind_public_ip(rule(source=source))
    assert (found["public"], found["breadth"]) == (expected != "none", expected)


def test_split_halves_in_two_rules_add_up():
    found = behind_public_ip(rule("low", source="0.0.0.0/1"), rule("high", source="128.0.0.0/1", priority=101))
    assert found["breadth"] == "any"
    assert found["public_rules"] == ["high", "low"]


def test_application_security_groups_are_never_the_internet():
    written = rule(source="")
    written["properties"]["sourceApplicationSecurityGroups"] = [{"id": f"{NETWORK}/applicationSecurityGroups/web"}]
    assert behind_public_ip(written)["public"] is False


@pytest.mark.parametrize(
    ("version", "source", "public"),
    [
        ("IPv4", "::/0", False),
        ("IPv6", "::/0", True),
        ("IPv6", "0.0.0.0/0", False),
        ("IPv4", "0.0.0.0/0", True),
        ("IPv6", "*", True),
    ],
)
def test_sources_of_the_other_ip_version_cannot_come(version, source, public):
    assert behind_public_ip(rule(source=source), privateIPAddressVersion=version)["public"] is public


PORTS = [
    ("all", "*", "*", ["any/*"]),
    ("all-in-numbers", "0-65535", "*", ["any/*"]),
    ("trap-38-list", ["80", "443", "8000-8010"], "Tcp", ["tcp/80", "tcp/443", "tcp/8000-8010"]),
    ("touching", ["80", "81"], "Tcp", ["tcp/80-81"]),
    ("both-protocols", "53", "*", ["any/53"]),
    ("udp", "1000-2000", "UDP", ["udp/1000-2000"]),
    ("icmp", "*", "Icmp", ["icmp/*"]),
    ("esp", "*", "Esp", ["esp/*"]),
]


@pytest.mark.parametrize(("ports", "protocol", "expected"), [p[1:] for p in PORTS], ids=[p[0] for p in PORTS])
def test_ports_and_protocols(ports, protocol, expected):
    assert behind_public_ip(rule(ports=ports, protocol=protocol))["exposed_ports"] == expected


@pytest.mark.parametrize(
    ("ports", "protocol", "management"),
    [("22", "Tcp", True), ("22", "Udp", False), ("3380-3390", "Tcp", True), ("443", "Tcp", False), ("*", "*", True)],
)
def test_management_ports(ports, protocol, management):
    assert behind_public_ip(rule(ports=ports, protocol=protocol))["management_ports"] is management


# --- step 3: order of rules -------------------------------------------------------------------------------------------


def test_trap_39_a_denial_of_better_priority_shadows():
    found = behind_public_ip(rule("deny", access="Deny", priority=100), rule("allow", priority=200))
    assert found["public"] is False
    assert found["permissive"] is False


def test_a_denial_of_worse_priority_shadows_nothing():
    found = behind_public_ip(rule("allow", priority=100, ports="22"), rule("deny", access="Deny", priority=200))
    assert found["exposed_ports"] == ["any/22"]


def test_a_denial_of_some_ports_leaves_the_others():
    found = behind_public_ip(
        rule("no-ssh", access="Deny", ports="22", protocol="Tcp"), rule("tcp", priority=200, protocol="Tcp")
    )
    assert found["exposed_ports"] == ["tcp/0-21", "tcp/23-65535"]
    assert found["public_rules"] == ["tcp"]


def test_a_denial_of_one_half_leaves_the_other():
    found = behind_public_ip(rule("deny", access="Deny", source="0.0.0.0/1"), rule("allow", priority=200))
    assert found["breadth"] == "any"
    found = behind_public_ip(
        rule("deny", access="Deny", source=["0.0.0.0/1", "128.0.0.0/1", "::/0"]), rule("allow", priority=200)
    )
    assert found["public"] is False


def test_a_denial_of_the_internet_shadows_a_service_tag_too():
    tag = rule("tag", source="AzureCloud", priority=200)
    assert behind_public_ip(rule("deny", access="Deny", source="Internet"), tag)["public"] is False
    assert behind_public_ip(rule("deny", access="Deny", source="AzureCloud"), tag)["public"] is False
    assert behind_public_ip(rule("deny", access="Deny", source="8.8.8.8"), tag)["breadth"] == "service-tag"


def test_a_denial_of_certain_source_ports_keeps_nobody_out():
    found = behind_public_ip(rule("deny", access="Deny", sourcePortRange="1024"), rule("allow", priority=200))
    assert found["public"] is True


def test_outbound_rules_are_of_no_matter():
    assert behind_public_ip(rule(direction="Outbound"))["public"] is False


def test_default_rules_never_let_the_internet_in():
    assert behind_public_ip()["public"] is False


def test_default_rules_may_be_missing_from_the_document():
    bare = doc("Microsoft.Network/networkSecurityGroups", "nsg", {"securityRules": [rule(ports="443")]})
    found = facts(bare, vnet(app="nsg"), nic("nic", config(pip="pip")), pip())
    assert found["exposed_ports"] == ["any/443"]


DESTINATIONS = [
    ("this-address", "10.0.0.4", True),
    ("its-subnet", "10.0.0.0/24", True),
    ("in-a-list", ["10.9.9.9", "10.0.0.4/32"], True),
    ("virtual-network", "VirtualNetwork", True),
    ("another-address", "10.0.0.5", False),
    ("the-public-address", "20.1.2.3", False),  # rules see the private one
    ("service-tag", "Storage", False),
]


@pytest.mark.parametrize(("to", "public"), [d[1:] for d in DESTINATIONS], ids=[d[0] for d in DESTINATIONS])
def test_destinations(to, public):
    assert behind_public_ip(rule(to=to))["public"] is public


@pytest.mark.parametrize(("member", "public"), [("web", True), ("db", False)])
def test_destination_application_security_group(member, public):
    written = rule(to="")
    written["properties"]["destinationApplicationSecurityGroups"] = [{"id": f"{NETWORK}/applicationSecurityGroups/web"}]
    found = behind_public_ip(
        written, applicationSecurityGroups=[{"id": f"{NETWORK}/ApplicationSecurityGroups/{member}"}]
    )
    assert found["public"] is public
    assert found["permissive"] is not public


# --- both groups on the way -------------------------------------------------------------------------------------------


def both(subnet_rules, nic_rules):
    documents = (
        nsg(*subnet_rules, name="on-subnet"),
        nsg(*nic_rules, name="on-nic"),
        vnet(app="on-subnet"),
        nic("nic", config(pip="pip"), group="on-nic"),
        pip(),
    )
    return facts(*documents, name="on-subnet"), facts(*documents, name="on-nic")


def test_trap_39_subnet_and_interface_group_must_both_allow():
    outer, inner = both([rule("all")], [])
    assert (outer["public"], inner["public"]) == (False, False)
    assert (outer["permissive"], inner["permissive"]) == (True, False)


def test_where_both_allow_only_what_both_let_in_is_exposed():
    outer, inner = both(
        [rule("web", ports="80-443"), rule("ssh", ports="22", source="8.8.8.8", priority=110)],
        [rule("tls", ports="443"), rule("any-ssh", ports="22", priority=110)],
    )
    assert outer["exposed_ports"] == inner["exposed_ports"] == ["any/22", "any/443"]
    assert outer["public_rules"] == ["ssh", "web"]
    assert inner["public_rules"] == ["any-ssh", "tls"]


def test_a_service_tag_passes_a_group_that_lets_in_the_whole_internet():
    outer, inner = both([rule(source="AzureCloud")], [rule()])
    assert (outer["breadth"], inner["breadth"]) == ("service-tag", "service-tag")


def test_whether_a_listed_address_belongs_to_a_tag_cannot_be_told():
    outer, inner = both([rule(source="AzureCloud")], [rule(source="8.8.8.8")])
    assert isinstance(outer["public"], Unknown)
    assert isinstance(inner["public"], Unknown)


# --- E2, E3: load balancers -------------------------------------------------------------------------------------------


def behind_balancer(*rules, lb, members=None, more=()):
    members = [nic("nic", config(**POOLED))] if members is None else members
    return facts(nsg(*rules), vnet(app="nsg"), pip("pip-lb"), lb, *members, *more)


def test_e2_load_balancing_rule():
    found = behind_balancer(rule(), lb=balancer(loadBalancingRules=[lb_rule()]))
    assert found["exposed_ports"] == ["tcp/8080"]
    assert found["exposed_through"] == ["load balancer lb rule http"]


def test_e2_several_pools_in_one_rule():
    pools = {"backendAddressPools": [{"id": f"{LB}/backendAddressPools/x"}, {"id": f"{LB}/BackendAddressPools/POOL"}]}
    assert behind_balancer(rule(), lb=balancer(loadBalancingRules=[lb_rule(pools=pools)]))["public"] is True


def test_e2_high_availability_ports_are_all_ports():
    found = behind_balancer(rule(), lb=balancer(loadBalancingRules=[lb_rule(protocol="All", port=0)]))
    assert found["exposed_ports"] == ["any/*"]


def test_e2_the_group_must_allow_the_backend_port():
    found = behind_balancer(rule(ports="80"), lb=balancer(loadBalancingRules=[lb_rule(port=8080)]))
    assert (found["public"], found["permissive"]) == (False, True)


def test_e2_a_private_frontend_is_no_way_in():
    private = {"subnet": {"id": SUBNET}, "privateIPAddress": "10.0.0.9"}
    found = behind_balancer(rule(), lb=balancer(frontend=private, loadBalancingRules=[lb_rule()]))
    assert found["public"] is False


def test_e2_public_ip_prefix_as_frontend():
    prefix = {"publicIPPrefix": ref("publicIPPrefixes", "ippre")}
    assert behind_balancer(rule(), lb=balancer(frontend=prefix, loadBalancingRules=[lb_rule()]))["public"] is True


def test_e2_membership_told_by_the_load_balancer_only():
    pool = {
        "id": f"{LB}/backendAddressPools/pool",
        "name": "pool",
        "properties": {
            "backendIPConfigurations": [{"id": f"{NETWORK}/NetworkInterfaces/NIC/ipConfigurations/IPCONFIG1"}]
        },
    }
    lb = balancer(loadBalancingRules=[lb_rule()], backendAddressPools=[pool])
    assert behind_balancer(rule(), lb=lb, members=[nic()])["public"] is True


@pytest.mark.parametrize(
    ("place", "members"),
    [
        ({"virtualNetwork": ref("virtualNetworks", "vnet"), "ipAddress": "10.0.0.4"}, [nic()]),
        ({"subnet": {"id": SUBNET}, "ipAddress": "10.0.0.4"}, [nic()]),
        ({"virtualNetwork": ref("virtualNetworks", "vnet"), "ipAddress": "10.0.0.99"}, []),
    ],
    ids=["by-network", "by-subnet", "address-of-no-known-interface"],
)
def test_e2_pool_by_ip_address(place, members):
    pool = {"name": "pool", "properties": {"loadBalancerBackendAddresses": [{"name": "a", "properties": place}]}}
    lb = balancer(loadBalancingRules=[lb_rule()], backendAddressPools=[pool])
    assert behind_balancer(rule(), lb=lb, members=members)["public"] is True


def test_e2_address_of_one_of_two_scale_sets_cannot_be_told():
    place = {"virtualNetwork": ref("virtualNetworks", "vnet"), "ipAddress": "10.0.0.99"}
    pool = {"name": "pool", "properties": {"loadBalancerBackendAddresses": [{"name": "a", "properties": place}]}}
    lb = balancer(loadBalancingRules=[lb_rule()], backendAddressPools=[pool])
    assert behind_balancer(rule(), lb=lb, members=[scale_set("one")])["public"] is True
    found = behind_balancer(rule(), lb=lb, members=[scale_set("one"), scale_set("two")])
    assert isinstance(found["public"], Unknown)


def test_e2_floating_ip_keeps_the_public_address_as_destination():
    lb = balancer(loadBalancingRules=[lb_rule(enableFloatingIP=True)])
    found = behind_balancer(rule(to="20.1.2.3", ports="80"), lb=lb)  # as Kubernetes writes them
    assert found["exposed_ports"] == ["tcp/80"]


def test_e3_inbound_nat_rule():
    nat = {
        "id": f"{LB}/inboundNatRules/rdp",
        "name": "rdp",
        "properties": {
            "frontendIPConfiguration": {"id": f"{LB}/frontendIPConfigurations/front"},
            "backendIPConfiguration": {"id": f"{NETWORK}/networkInterfaces/nic/ipConfigurations/ipconfig1"},
            "protocol": "Tcp",
            "frontendPort": 50001,
            "backendPort": 3389,
        },
    }
    found = behind_balancer(rule(), lb=balancer(inboundNatRules=[nat]), members=[nic()])
    assert found["exposed_ports"] == ["tcp/3389"]
    assert found["management_ports"] is True
    assert found["exposed_through"] == ["load balancer lb NAT rule rdp"]


def test_e3_nat_rule_told_by_the_interface():
    nat = {
        "id": f"{LB}/inboundNatRules/ssh",
        "name": "ssh",
        "properties": {
            "frontendIPConfiguration": {"id": f"{LB}/frontendIPConfigurations/front"},
            "protocol": "Tcp",
            "backendPort": 22,
        },
    }
    member = nic("nic", config(loadBalancerInboundNatRules=[{"id": f"{LB}/InboundNatRules/SSH"}]))
    assert behind_balancer(rule(), lb=balancer(inboundNatRules=[nat]), members=[member])["exposed_ports"] == ["tcp/22"]


def test_e9_outbound_rules_alone_let_nothing_in():
    outbound = {"name": "out", "properties": {"backendAddressPool": {"id": f"{LB}/backendAddressPools/pool"}}}
    found = behind_balancer(rule(), lb=balancer(outboundRules=[outbound]))
    assert (found["public"], found["permissive"]) == (False, True)


def test_e9_trap_37_nat_gateway_lets_nothing_in():
    net = vnet(
        app={"networkSecurityGroup": ref("networkSecurityGroups", "nsg"), "natGateway": ref("natGateways", "gw")}
    )
    outbound = pip(natGateway=ref("natGateways", "gw"))
    gateway = doc("Microsoft.Network/natGateways", "gw", {"publicIpAddresses": [ref("publicIPAddresses", "pip")]})
    found = facts(nsg(rule()), net, nic(), outbound, gateway)
    assert (found["public"], found["permissive"]) == (False, True)


def test_e12_gateway_load_balancer_takes_what_the_public_frontend_passes_on():
    chain = {
        "publicIPAddress": ref("publicIPAddresses", "pip-lb"),
        "gatewayLoadBalancer": {"id": f"{LB}/frontendIPConfigurations/front"},
    }
    public = doc(
        "Microsoft.Network/loadBalancers", "outer", {"frontendIPConfigurations": [{"name": "f", "properties": chain}]}
    )
    inner = balancer(
        frontend={"subnet": {"id": SUBNET}, "privateIPAddress": "10.0.0.9"},
        loadBalancingRules=[lb_rule(protocol="All", port=0)],
    )
    assert behind_balancer(rule(), lb=inner, more=[public])["public"] is True
    assert behind_balancer(rule(), lb=inner)["public"] is False


# --- E4: scale sets ---------------------------------------------------------------------------------------------------


def scale_set(name="vmss", group=None, **configuration):
    body = {"subnet": {"id": SUBNET}, **configuration}
    inner = {"ipConfigurations": [{"name": "ipconfig", "properties": body}]}
    if group:
        inner["networkSecurityGroup"] = ref("networkSecurityGroups", group)
    profile = {"networkInterfaceConfigurations": [{"name": "nic", "properties": inner}]}
    return doc(
        "Microsoft.Compute/virtualMachineScaleSets", name, {"virtualMachineProfile": {"networkProfile": profile}}
    )


def test_e4_scale_set_with_public_addresses():
    found = facts(nsg(rule(ports="22")), vnet(app="nsg"), scale_set(publicIPAddressConfiguration={"name": "pub"}))
    assert found["exposed_through"] == ["public IP configuration pub of scale set vmss"]


def test_e4_group_on_the_scale_set_itself():
    found = facts(nsg(rule()), vnet(app=None), scale_set(group="nsg", publicIPAddressConfiguration={"name": "pub"}))
    assert (found["attached"], found["public"]) == (True, True)


def test_scale_set_behind_a_load_balancer_and_nat_pool():
    nat = {
        "id": f"{LB}/inboundNatPools/ssh",
        "name": "ssh",
        "properties": {
            "frontendIPConfiguration": {"id": f"{LB}/frontendIPConfigurations/front"},
            "protocol": "Tcp",
            "backendPort": 22,
        },
    }
    lb = balancer(loadBalancingRules=[lb_rule()], inboundNatPools=[nat])
    member = scale_set(**POOLED, loadBalancerInboundNatPools=[{"id": f"{LB}/inboundNatPools/ssh"}])
    found = behind_balancer(rule(), lb=lb, members=[member])
    assert found["exposed_ports"] == ["tcp/22", "tcp/8080"]
    assert found["exposed_through"] == ["load balancer lb NAT pool ssh", "load balancer lb rule http"]


def test_pool_members_named_as_instances_stand_for_their_scale_set():
    instance = f"{BASE}/Microsoft.Compute/virtualMachineScaleSets/vmss/virtualMachines/0/networkInterfaces/nic/ipConfigurations/ipconfig"
    pool = {"name": "pool", "properties": {"backendIPConfigurations": [{"id": instance}]}}
    lb = balancer(loadBalancingRules=[lb_rule()], backendAddressPools=[pool])
    assert behind_balancer(rule(), lb=lb, members=[scale_set()])["public"] is True


def test_interfaces_of_instances_need_not_be_listed():
    claimed = f"{BASE}/Microsoft.Compute/virtualMachineScaleSets/vmss/virtualMachines/0/networkInterfaces/nic"
    found = facts(nsg(rule(), nics=[claimed]), vnet(app=None), scale_set(group="nsg"))
    assert found["public"] is False


# --- E5, E6: services in a subnet -------------------------------------------------------------------------------------


def gateway(frontend, port=443):
    me = f"{NETWORK}/applicationGateways/agw"
    body = {
        "sku": {"name": "WAF_v2", "tier": "WAF_v2"},
        "gatewayIPConfigurations": [{"name": "ip", "properties": {"subnet": {"id": SUBNET}}}],
        "frontendIPConfigurations": [
            {"id": f"{me}/frontendIPConfigurations/pub", "name": "pub", "properties": {"publicIPAddress": ref("publicIPAddresses", "pip")}},
            {"id": f"{me}/frontendIPConfigurations/priv", "name": "priv", "properties": {"subnet": {"id": SUBNET}}},
        ],
        "frontendPorts": [{"id": f"{me}/frontendPorts/p", "name": "p", "properties": {"port": port}}],
        "httpListeners": [
            {
                "name": "site",
                "properties": {
                    "frontendIPConfiguration": {"id": f"{me}/frontendIPConfigurations/{frontend}"},
                    "frontendPort": {"id": f"{me}/frontendPorts/p"},
                },
            }
        ],
    }  # fmt: skip
    return doc("Microsoft.Network/applicationGateways", "agw", body)


GATEWAY_MANAGER = rule("manage", source="GatewayManager", ports="65200-65535", priority=200)


def test_e5_application_gateway_exposes_its_own_subnets_group():
    found = facts(nsg(rule("web", ports="443"), GATEWAY_MANAGER), vnet(app="nsg"), gateway("pub"), pip())
    assert found["exposed_ports"] == ["tcp/443"]
    assert found["exposed_through"] == ["application gateway agw listener site"]
    assert found["public_rules"] == ["web"]  # the platform's own ports are no exposure


def test_e5_private_listener_is_no_way_in():
    assert facts(nsg(rule()), vnet(app="nsg"), gateway("priv"), pip())["public"] is False


def test_e8_backends_of_a_gateway_are_not_exposed_themselves():
    backend = nic("nic", config(subnet=OTHER, applicationGatewayBackendAddressPools=[{"id": "/x"}]))
    found = facts(nsg(rule()), vnet(app=None, other="nsg"), gateway("pub"), pip(), backend)
    assert found["public"] is False


def service(kind, name, **properties):
    return doc(kind, name, properties)


E6 = [
    ("bastion", service("Microsoft.Network/bastionHosts", "bas", ipConfigurations=[
        {"name": "ip", "properties": {"subnet": {"id": SUBNET}, "publicIPAddress": ref("publicIPAddresses", "pip")}}
    ]), ["tcp/443"]),
    ("bastion-private-only", service("Microsoft.Network/bastionHosts", "bas", ipConfigurations=[
        {"name": "ip", "properties": {"subnet": {"id": SUBNET}}}
    ]), []),
    ("api-management-external", service("Microsoft.ApiManagement/service", "apim", virtualNetworkType="External",
        virtualNetworkConfiguration={"subnetResourceId": SUBNET}), ["tcp/80", "tcp/443"]),
    ("api-management-internal", service("Microsoft.ApiManagement/service", "apim", virtualNetworkType="Internal",
        virtualNetworkConfiguration={"subnetResourceId": SUBNET}), []),
    ("sql-managed-instance-public", service("Microsoft.Sql/managedInstances", "mi", subnetId=SUBNET,
        publicDataEndpointEnabled=True), ["tcp/3342"]),
    ("sql-managed-instance", service("Microsoft.Sql/managedInstances", "mi", subnetId=SUBNET,
        publicDataEndpointEnabled=False), []),
    ("app-service-environment", service("Microsoft.Web/hostingEnvironments", "ase", virtualNetwork={"id": SUBNET},
        internalLoadBalancingMode="None"), ["tcp/80", "tcp/443"]),
    ("app-service-environment-internal", service("Microsoft.Web/hostingEnvironments", "ase",
        virtualNetwork={"id": SUBNET}, internalLoadBalancingMode="Web, Publishing"), []),
]  # fmt: skip


@pytest.mark.parametrize(("document", "ports"), [e[1:] for e in E6], ids=[e[0] for e in E6])
def test_e6_services_with_a_public_side(document, ports):
    assert facts(nsg(rule()), vnet(app="nsg"), document)["exposed_ports"] == ports


def test_e6_bastion_that_only_its_subnet_tells_of():
    member = f"{NETWORK}/bastionHosts/bas/bastionHostIpConfigurations/ip"
    subnet = {"networkSecurityGroup": ref("networkSecurityGroups", "nsg"), "ipConfigurations": [{"id": member}]}
    assert facts(nsg(rule()), vnet(AzureBastionSubnet=subnet))["exposed_through"] == ["Bastion bas"]


# --- step 5: special cases --------------------------------------------------------------------------------------------


def test_unattached():
    found = facts(nsg(rule()), vnet(app=None), nic("nic", config(pip="pip")), pip())
    assert (found["attached"], found["public"], found["breadth"]) == (False, False, "none")


def test_permissive_without_a_way_in():
    found = facts(nsg(rule()), vnet(app="nsg"), nic())
    assert (found["attached"], found["public"], found["permissive"]) == (True, False, True)


@pytest.mark.parametrize(("sku", "is_open"), [("Standard", False), ("Basic", True)])
def test_trap_37_without_a_group_basic_is_open_and_standard_closed(sku, is_open):
    net = index_network(estate(vnet(app=None), nic("nic", config(pip="pip")), pip(sku=sku)))
    assert open_without_group(net) == {normal_id(f"{NETWORK}/networkInterfaces/nic"): is_open}


def test_open_without_a_group_is_not_known_of_an_unreadable_public_ip():
    net = index_network(estate(vnet(app=None), nic("nic", config(pip="pip"))))
    assert isinstance(open_without_group(net)[normal_id(f"{NETWORK}/networkInterfaces/nic")], Unknown)


def test_a_group_anywhere_closes_what_basic_opens():
    net = index_network(estate(nsg(), vnet(app="nsg"), nic("nic", config(pip="pip")), pip(sku="Basic")))
    assert open_without_group(net) == {normal_id(f"{NETWORK}/networkInterfaces/nic"): False}


# --- what could not be read -------------------------------------------------------------------------------------------


def denied(kind, name):
    return unreadable(f"{BASE}/{kind}/{name}", kind, reason="access denied", status=403, action="read")


UNREAD = [
    ("load-balancer-missing", [vnet(app="nsg"), nic("nic", config(**POOLED))], "load balancer lb"),
    ("load-balancer-denied", [vnet(app="nsg"), nic("nic", config(**POOLED)), denied("Microsoft.Network/loadBalancers", "lb")], "load balancer lb"),
    ("interface-in-the-subnet", [vnet(app={"networkSecurityGroup": ref("networkSecurityGroups", "nsg"), "ipConfigurations": [{"id": f"{NETWORK}/networkInterfaces/nic/ipConfigurations/a"}]})], "network interface nic"),
    ("gateway-in-the-subnet", [vnet(app={"networkSecurityGroup": ref("networkSecurityGroups", "nsg"), "applicationGatewayIPConfigurations": [{"id": f"{NETWORK}/applicationGateways/agw/gatewayIPConfigurations/a"}]})], "agw"),
    ("interface-without-properties", [vnet(app={"networkSecurityGroup": ref("networkSecurityGroups", "nsg"), "ipConfigurations": [{"id": f"{NETWORK}/networkInterfaces/nic/ipConfigurations/a"}]}), doc("Microsoft.Network/networkInterfaces", "nic", {"$unknown": {"reason": "later"}})], "network interface nic"),
]  # fmt: skip


@pytest.mark.parametrize(("documents", "named"), [u[1:] for u in UNREAD], ids=[u[0] for u in UNREAD])
def test_what_could_not_be_read_leaves_an_allowing_group_in_doubt(documents, named):
    found = facts(nsg(rule()), *documents)
    for fact in ("public", "breadth", "exposed_ports", "management_ports", "exposed_through", "permissive"):
        assert isinstance(found[fact], Unknown)
    assert named in found["public"].reason
    assert found["attached"] is True


@pytest.mark.parametrize("documents", [u[1] for u in UNREAD], ids=[u[0] for u in UNREAD])
def test_a_group_that_lets_nobody_in_is_closed_whatever_could_not_be_read(documents):
    assert facts(nsg(rule(source="VirtualNetwork")), *documents)["public"] is False


@pytest.mark.parametrize("documents", [u[1] for u in UNREAD], ids=[u[0] for u in UNREAD])
def test_a_certain_way_in_outweighs_what_could_not_be_read(documents):
    extra = nic("seen", config(pip="pip"))
    assert facts(nsg(rule(ports="443")), *documents, extra, pip())["public"] is True


def test_a_doubtful_way_in_leaves_management_ports_in_doubt():
    documents = [vnet(app="nsg"), nic("nic", config(**POOLED)), nic("gw", config(pip="pip", ip="10.0.0.9")), pip()]
    found = facts(
        nsg(rule("tls", ports="443", to="10.0.0.9"), rule("ssh", ports="22", to="10.0.0.4", priority=110)), *documents
    )
    assert (found["public"], found["exposed_ports"]) == (True, ["any/443"])
    assert isinstance(found["management_ports"], Unknown)


def test_a_certainly_deleted_load_balancer_is_no_doubt():
    gone = {"id": LB, "type": "Microsoft.Network/loadBalancers", "$absent": {"status": 404}}
    assert facts(nsg(rule()), vnet(app="nsg"), nic("nic", config(**POOLED)), gone)["public"] is False


def test_an_unreadable_public_ip_is_a_way_in_all_the_same():
    assert facts(nsg(rule()), vnet(app="nsg"), nic("nic", config(pip="pip")))["public"] is True


def test_group_on_the_interface_while_the_subnets_group_is_not_known():
    documents = [
        nsg(rule(), name="nsg", nics=[f"{NETWORK}/networkInterfaces/nic"]),
        nic("nic", config(pip="pip"), group="nsg"),
        pip(),
    ]
    assert isinstance(facts(*documents)["public"], Unknown)
    # Another group's own word for it will do in place of the network's document.
    assert facts(*documents, nsg(rule(), name="outer", subnets=[SUBNET]))["public"] is True
    assert facts(*documents, nsg(name="outer", subnets=[SUBNET]))["public"] is False


def test_subnet_group_in_a_network_that_could_not_be_read():
    found = facts(nsg(rule(), subnets=[SUBNET]), denied("Microsoft.Network/virtualNetworks", "vnet"))
    assert isinstance(found["public"], Unknown)
    assert found["public"].status == 403


def test_unreadable_group():
    secret = denied("Microsoft.Network/networkSecurityGroups", "nsg")
    assert isinstance(facts(secret)["attached"], Unknown)
    assert isinstance(facts(secret)["public"], Unknown)
    found = facts(secret, vnet(app="nsg"), nic("nic", config(pip="pip")), pip())
    assert found["attached"] is True
    assert isinstance(found["public"], Unknown)


@pytest.mark.parametrize("unlisted", ["s1", ""])
def test_resources_that_could_not_be_listed_leave_doubt(unlisted):
    documents = estate(nsg(rule()), vnet(app="nsg"), nic())
    net = index_network(documents, unlisted={unlisted: Unknown(reason="throttled")})
    assert isinstance(exposure(net)[normal_id(f"{NETWORK}/networkSecurityGroups/nsg")].public, Unknown)
    elsewhere = index_network(documents, unlisted={"s2": Unknown(reason="throttled")})
    assert exposure(elsewhere)[normal_id(f"{NETWORK}/networkSecurityGroups/nsg")].public is False


@pytest.mark.parametrize(
    "kind", ["Microsoft.ApiManagement/service", "Microsoft.Sql/managedInstances", "Microsoft.Web/hostingEnvironments"]
)
def test_a_service_that_may_sit_in_any_subnet_leaves_doubt(kind):
    found = facts(nsg(rule()), vnet(app="nsg"), nic(), doc(kind, "svc", {"$unknown": {"reason": "not asked for"}}))
    assert isinstance(found["public"], Unknown)
    assert "svc" in found["public"].reason
    assert facts(nsg(rule()), vnet(app="nsg"), nic(), doc(kind, "svc", {}))["public"] is False


UNREADABLE_RULES = [
    ("source", {"sourceAddressPrefix": {"$unknown": {"reason": "known after apply"}}}),
    ("port", {"destinationPortRange": {"$unknown": {"reason": "known after apply"}}}),
    ("access", {"access": {"$unknown": {"reason": "known after apply"}}}),
    ("priority", {"priority": None}),
    ("nonsense", {"sourceAddressPrefix": "300.1.1.1"}),
]


@pytest.mark.parametrize("change", [u[1] for u in UNREADABLE_RULES], ids=[u[0] for u in UNREADABLE_RULES])
def test_a_rule_that_cannot_be_read_is_neither_open_nor_shut(change):
    written = rule(ports="22")
    written["properties"] |= change
    if "priority" in change:
        assert behind_public_ip(written)["public"] is True  # alone, its place in the order is of no matter
        assert isinstance(behind_public_ip(written, rule("deny", access="Deny"))["public"], Unknown)
    else:
        assert isinstance(behind_public_ip(written)["public"], Unknown)


def test_an_unreadable_denial_leaves_the_allowance_in_doubt():
    unclear = rule("deny", access="Deny", source={"$unknown": {}}, priority=50)
    assert isinstance(behind_public_ip(unclear, rule())["public"], Unknown)
    assert (
        behind_public_ip(rule(), {**unclear, "properties": {**unclear["properties"], "priority": 500}})["public"]
        is True
    )


ODD = [None, [], "text", 7, {"id": None}, [None, "x", {"id": 5}], {"$unknown": "later"}]


@pytest.mark.parametrize("odd", ODD, ids=[repr(o)[:20] for o in ODD])
def test_odd_shapes_never_crash(odd):
    kinds = [
        "networkSecurityGroups",
        "virtualNetworks",
        "networkInterfaces",
        "publicIPAddresses",
        "loadBalancers",
        "applicationGateways",
        "bastionHosts",
    ]
    whole = [doc(f"Microsoft.Network/{kind}", f"whole{n}", {}) | {"properties": odd} for n, kind in enumerate(kinds)]
    keys = [
        "securityRules",
        "subnets",
        "networkInterfaces",
        "ipConfigurations",
        "networkSecurityGroup",
        "frontendIPConfigurations",
        "loadBalancingRules",
        "inboundNatRules",
        "inboundNatPools",
        "backendAddressPools",
        "httpListeners",
        "frontendPorts",
        "gatewayIPConfigurations",
        "flowLogs",
        "virtualMachineProfile",
        "delegations",
        "addressPrefixes",
        "sku",
    ]
    inner = [doc(f"Microsoft.Network/{kind}", f"inner{n}", dict.fromkeys(keys, odd)) for n, kind in enumerate(kinds)]
    deep = [
        nsg({"name": odd, "properties": dict.fromkeys(rule()["properties"], odd)}, name="deep"),
        nsg({"name": "r", "properties": odd}, name="deeper"),
        vnet(app=dict.fromkeys(("networkSecurityGroup", "ipConfigurations", "delegations", "addressPrefix"), odd)),
        nic("odd", {"name": "x", "properties": dict.fromkeys(("subnet", "publicIPAddress", "privateIPAddress"), odd)}),
        nic("odder", {"name": "x", "properties": odd}),
        balancer(
            frontend=odd if isinstance(odd, dict) else None, loadBalancingRules=[{"name": "r", "properties": odd}]
        ),
        doc("Microsoft.Compute/virtualMachineScaleSets", "vmss", {"virtualMachineProfile": odd}),
    ]
    net = index_network(estate(*whole, *inner, *deep))
    assert len(exposure(net)) == 4
    assert open_without_group(net)


# --- ids, order, size -------------------------------------------------------------------------------------------------


def test_ids_in_any_case_are_the_same():
    upper = nic("nic", config(pip="pip"))
    upper["properties"]["ipConfigurations"][0]["properties"]["subnet"]["id"] = SUBNET.upper() + "/"
    assert facts(nsg(rule()), vnet(app="NSG"), upper, pip())["public"] is True


def test_documents_of_templates_with_parts_of_their_own():
    subnet = {"id": SUBNET, "type": "Microsoft.Network/virtualNetworks/subnets", "name": "vnet/app"}
    subnet["properties"] = {"networkSecurityGroup": ref("networkSecurityGroups", "nsg")}
    apart = {"id": f"{NETWORK}/networkSecurityGroups/nsg/securityRules/ssh", **rule("ssh", ports="22")}
    apart["type"] = "Microsoft.Network/networkSecurityGroups/securityRules"
    found = facts(nsg(), vnet(), subnet, apart, nic("nic", config(pip="pip")), pip())
    assert (found["exposed_ports"], found["public_rules"]) == (["any/22"], ["ssh"])


def test_an_attachment_not_known_yet_leaves_unattached_groups_in_doubt():
    later = nic("nic", config(pip="pip"))
    later["properties"]["networkSecurityGroup"] = {"id": {"$unknown": {"reason": "known after apply"}}}
    found = facts(nsg(rule()), vnet(app=None), later, pip())
    assert isinstance(found["attached"], Unknown)
    assert isinstance(found["public"], Unknown)


def test_the_order_of_documents_does_not_matter():
    documents = [nsg(rule("b", ports="1-5"), rule("a", ports="7", priority=9)), vnet(app="nsg"), pip()]
    documents += [nic(f"nic{n}", config(pip=f"pip{n}", ip=f"10.0.0.{n}")) for n in range(1, 5)]
    assert facts(*documents) == facts(*reversed(documents))


def test_lists_of_evidence_are_bounded():
    documents = [nic(f"nic{n}", config(pip=f"pip{n}", ip=f"10.0.0.{n}")) for n in range(1, 80)]
    rules = [rule(f"r{n:03}", ports=str(n * 2), priority=n + 100) for n in range(1, 80)]
    found = facts(nsg(*rules), vnet(app="nsg"), *documents)
    assert [len(found[key]) for key in ("exposed_ports", "exposed_through", "public_rules")] == [50, 50, 50]

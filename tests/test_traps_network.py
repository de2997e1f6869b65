"""What fools auditors of networks, security groups and flow logs, end to end."""

from __future__ import annotations

import pytest
from estates import (
    ARCHIVE,
    CENTRAL,
    LAW,
    SUB,
    S,
    account,
    case,
    check,
    denied,
    expire,
    gone,
    judged,
    lifecycle,
    res,
    rid,
    settings,
    subscription,
    tables,
    workspace,
)

NET = "Microsoft.Network"
VNET = rid(f"{NET}/virtualNetworks", "vnet")
APP, DATA = f"{VNET}/subnets/app", f"{VNET}/subnets/data"
NSG = rid(f"{NET}/networkSecurityGroups", "nsg")
NSG2 = rid(f"{NET}/networkSecurityGroups", "nsg2")
NIC = rid(f"{NET}/networkInterfaces", "nic")
PIP = rid(f"{NET}/publicIPAddresses", "pip")
LB = rid(f"{NET}/loadBalancers", "lb")
POOL = f"{LB}/backendAddressPools/pool"
ASG = rid(f"{NET}/applicationSecurityGroups", "asg")
WATCHER = rid(f"{NET}/networkWatchers", "nw")
FLOW = f"{WATCHER}/flowLogs/fl"
FLOW_TYPE = f"{NET}/networkWatchers/flowLogs"
PUBLIC, NETWORK, DELIVERS = "public-nsg-flow-logs", "virtual-network-flow-logs", "flow-log-delivers"
KEPT, ANALYSED, RETIRING = "flow-log-retention", "flow-log-traffic-analytics", "nsg-flow-log-retirement"
REGION = "network-watcher-per-region"


def ref(shown):
    return {"id": shown}


def rule(priority=100, source="*", ports="22", access="Allow", protocol="Tcp", to="*", **more):
    body = {"priority": priority, "direction": "Inbound", "access": access, "protocol": protocol,
            "sourceAddressPrefix": source, "sourcePortRange": "*", "destinationAddressPrefix": to,
            "destinationPortRange": ports, **more}  # fmt: skip
    return {"name": f"r{priority}", "properties": body}


def nsg(*rules, name="nsg", subnets=(), nics=()):
    return res(f"{NET}/networkSecurityGroups", name, {
        "securityRules": list(rules), "subnets": [ref(x) for x in subnets],
        "networkInterfaces": [ref(x) for x in nics],
    })  # fmt: skip


def vnet(app=NSG, data=None, location="westeurope", **more):
    """Two subnets, `app` and `data`, with their security groups."""

    def subnet(shown, group, prefix):
        body = {"addressPrefix": prefix, "networkSecurityGroup": ref(group) if group else None}
        return {"id": shown, "name": shown.rpartition("/")[2], "properties": body}

    listed = [subnet(APP, app, "10.0.0.0/24"), subnet(DATA, data, "10.0.1.0/24")]
    return res(f"{NET}/virtualNetworks", "vnet", {"subnets": listed, **more}, location=location)


def config(public=PIP, subnet=APP, address="10.0.0.4", **more):
    return {"name": "ip", "properties": {
        "privateIPAddress": address, "privateIPAddressVersion": "IPv4", "subnet": ref(subnet),
        "publicIPAddress": ref(public) if public else None, **more}}  # fmt: skip


def nic(*configs, name="nic", group=None, **more):
    shown = rid(f"{NET}/networkInterfaces", name)
    listed = [{**c, "id": f"{shown}/ipConfigurations/ip{n}"} for n, c in enumerate(configs or [config()])]
    return res(f"{NET}/networkInterfaces", name, {
        "ipConfigurations": listed, "networkSecurityGroup": ref(group) if group else None, **more})  # fmt: skip


def pip(sku="Standard", **more):
    return res(f"{NET}/publicIPAddresses", "pip", {
        "ipAddress": "20.50.1.2", "publicIPAddressVersion": "IPv4", **more}, sku={"name": sku})  # fmt: skip


def flow(target=VNET, name="fl", storage=ARCHIVE, enabled=True, days=0, analytics=True, location="westeurope", **more):
    body = {
        "targetResourceId": target, "storageId": storage, "enabled": enabled, "provisioningState": "Succeeded",
        "retentionPolicy": {"days": days, "enabled": days > 0}, "format": {"type": "JSON", "version": 2},
        "flowAnalyticsConfiguration": {"networkWatcherFlowAnalyticsConfiguration": {
            "enabled": analytics, "workspaceResourceId": LAW, "trafficAnalyticsInterval": 10}}, **more,
    }  # fmt: skip
    return {"id": f"{WATCHER}/flowLogs/{name}", "type": FLOW_TYPE.lower(), "name": name, "location": location,
            "properties": body}  # fmt: skip


def watcher(location="westeurope", name="nw", sub=S, state="Succeeded"):
    return res(f"{NET}/networkWatchers", name, {"provisioningState": state}, sub, location=location)


STORE = [account(), lifecycle(), workspace(), tables(LAW)]
SILENT = [settings(NSG), settings(VNET)]


def open_estate(*rules, documents=(), status="fail", **others):
    """A machine with a public IP in the subnet of a security group with these rules, and no flow log."""
    base = [subscription(), vnet(), nsg(*rules), nic(), pip(), watcher(), *SILENT]
    replaced = {doc["id"].lower() for doc in documents}
    return [*(doc for doc in base if doc["id"].lower() not in replaced), *documents], {(PUBLIC, NSG): status}


OPEN = rule()
BACKEND = {"loadBalancerBackendAddressPools": [ref(POOL)]}


def balancer(frontend=None, sku="Standard", **parts):
    body = {"frontendIPConfigurations": [{"id": f"{LB}/frontendIPConfigurations/f", "name": "f", "properties":
                                          frontend or {"publicIPAddress": ref(PIP)}}],
            "backendAddressPools": [{"id": POOL, "name": "pool", "properties": {}}], **parts}  # fmt: skip
    return res(f"{NET}/loadBalancers", "lb", body, sku={"name": sku})


def lb_rule(port=22, protocol="Tcp"):
    return {"name": "rule", "properties": {
        "frontendIPConfiguration": ref(f"{LB}/frontendIPConfigurations/f"), "backendAddressPool": ref(POOL),
        "protocol": protocol, "frontendPort": port, "backendPort": port}}  # fmt: skip


def scale_set(name="vmss", capacity=2, **configuration):
    body = {"orchestrationMode": "Uniform", "virtualMachineProfile": {"networkProfile": {
        "networkInterfaceConfigurations": [{"name": "nic", "properties": {"primary": True, "ipConfigurations": [
            {"name": "ip", "properties": {"subnet": ref(APP), **configuration}}]}}]}}}  # fmt: skip
    return res("Microsoft.Compute/virtualMachineScaleSets", name, body, sku={"name": "Standard_D2s_v5",
                                                                              "capacity": capacity})  # fmt: skip


PRIVATE_NIC = nic(config(public=None))
BARE_NIC = {**PRIVATE_NIC, "properties": {"ipConfigurations": []}}
IN_POOL = {"name": "a", "properties": {"ipAddress": "10.0.0.77", "virtualNetwork": ref(VNET)}}
STRAY = balancer(
    loadBalancingRules=[lb_rule()],
    backendAddressPools=[{"id": POOL, "name": "pool", "properties": {"loadBalancerBackendAddresses": [IN_POOL]}}],
)
DENY = rule(90, access="Deny", protocol="*", ports="*")
EXPOSURE = [
    case("the internet reaches a port", *open_estate(OPEN)),
    case("no rule lets it in", *open_estate(rule(source="10.0.0.0/8"), status=None)),
    case("trap 38: Any", *open_estate(rule(source="Any"))),
    case("trap 38: Internet", *open_estate(rule(source="internet"))),
    case("trap 38: 0.0.0.0/0", *open_estate(rule(source="0.0.0.0/0"))),
    case("trap 38: a list of sources", *open_estate(
        rule(source=None, sourceAddressPrefixes=["10.0.0.0/8", "198.51.100.0/24"]))),
    case("trap 38: split halves", *open_estate(rule(source=None, sourceAddressPrefixes=["0.0.0.0/1", "128.0.0.0/1"]))),
    case("trap 38: a list of ports", *open_estate(rule(ports="", destinationPortRanges=["80", "3389-3390"]))),
    case("trap 38: IPv6 from everywhere to a machine that has only IPv4", *open_estate(rule(source="::/0"), status=None)),
    case("trap 38: IPv6 from everywhere to a machine that has it", *open_estate(
        rule(source="::/0"), documents=[
            nic(config(privateIPAddressVersion="IPv6", address="fd00::4")),
            pip(publicIPAddressVersion="IPv6", ipAddress="2603:1020::5")])),
    case("a service tag", *open_estate(rule(source="AzureCloud"))),
    case("the virtual network and the load balancer's probes are not the internet", *open_estate(
        rule(source="VirtualNetwork"), rule(101, source="AzureLoadBalancer"), status=None)),
    case("an application security group as source", *open_estate(
        rule(source=None, sourceApplicationSecurityGroups=[ref(ASG)]), status=None)),
    case("an application security group as target, the machine in it", *open_estate(
        rule(to=None, destinationApplicationSecurityGroups=[ref(ASG)]),
        documents=[nic(config(applicationSecurityGroups=[ref(ASG)]))])),
    case("an application security group as target, the machine not in it", *open_estate(
        rule(to=None, destinationApplicationSecurityGroups=[ref(ASG)]), status=None)),
    case("trap 39: a denial of better priority shadows", *open_estate(OPEN, DENY, status=None)),
    case("trap 39: a denial of worse priority does not", *open_estate(
        OPEN, rule(4000, access="Deny", protocol="*", ports="*"))),
    case("trap 39: subnet and interface must both allow", *open_estate(
        OPEN, documents=[nsg(DENY, name="nsg2"), nic(group=NSG2), settings(NSG2)], status=None)),
    case("trap 39: both allow", *open_estate(OPEN, documents=[nsg(OPEN, name="nsg2"), nic(group=NSG2)])),
    case("the destination is another machine", *open_estate(rule(to="10.0.0.99"), status=None)),
    case("an outbound rule", *open_estate(rule(direction="Outbound"), status=None)),
    case("no way in: no public IP", *open_estate(OPEN, documents=[PRIVATE_NIC], status=None)),
    case("E2: a load balancer's rule to the port that is open", *open_estate(
        OPEN, documents=[nic(config(public=None, **BACKEND)), balancer(loadBalancingRules=[lb_rule()])])),
    case("E2: a load balancer's rule to another port", *open_estate(
        OPEN, documents=[nic(config(public=None, **BACKEND)), balancer(loadBalancingRules=[lb_rule(443)])], status=None)),
    case("E2: all ports", *open_estate(
        OPEN, documents=[nic(config(public=None, **BACKEND)), balancer(loadBalancingRules=[lb_rule(0, "All")])])),
    case("E2: an internal load balancer", *open_estate(
        OPEN, documents=[nic(config(public=None, **BACKEND)),
                         balancer({"subnet": ref(DATA), "privateIPAddress": "10.0.1.9"},
                                  loadBalancingRules=[lb_rule()])], status=None)),
    case("E2: a public IP prefix", *open_estate(
        OPEN, documents=[nic(config(public=None, **BACKEND)),
                         balancer({"publicIPPrefix": ref(PIP)}, loadBalancingRules=[lb_rule()])])),
    case("E9: a load balancer's outbound rules only", *open_estate(
        OPEN, documents=[nic(config(public=None, **BACKEND)), balancer(outboundRules=[{"name": "o", "properties": {
            "frontendIPConfigurations": [ref(f"{LB}/frontendIPConfigurations/f")], "backendAddressPool": ref(POOL)}}])],
        status=None)),
    case("trap 37, E9: a NAT gateway's public IP", *open_estate(
        OPEN, documents=[PRIVATE_NIC, pip(natGateway=ref(rid(f"{NET}/natGateways", "nat")))], status=None)),
    case("the load balancer could not be read", *open_estate(
        OPEN, documents=[nic(config(public=None, **BACKEND)), denied(LB, f"{NET}/loadBalancers")], status="unknown")),
    case("E4: a scale set with public addresses", *open_estate(
        OPEN, documents=[PRIVATE_NIC, scale_set(publicIPAddressConfiguration={"name": "p", "properties": {}})])),
    case("E4: a scale set without", *open_estate(OPEN, documents=[PRIVATE_NIC, scale_set()], status=None)),
    case("E11: nodes of AKS behind its load balancer", *open_estate(
        OPEN, documents=[PRIVATE_NIC, scale_set("aks-pool-vmss", **BACKEND), balancer(loadBalancingRules=[lb_rule()])])),
    case("E2: a pool of addresses with an address that no known interface has", *open_estate(
        OPEN, documents=[BARE_NIC, STRAY], status="unknown")),
    case("E2: likewise, and a flow log on the network sees it whatever it is", *open_estate(
        OPEN, documents=[BARE_NIC, STRAY, flow(), *STORE], status="pass")),
    case("E5: an application gateway's own subnet", *open_estate(
        rule(ports="443"), documents=[PRIVATE_NIC, gateway := res(f"{NET}/applicationGateways", "agw", {
            "sku": {"name": "WAF_v2", "tier": "WAF_v2"},
            "gatewayIPConfigurations": [{"name": "g", "properties": {"subnet": ref(APP)}}],
            "frontendIPConfigurations": [{"id": "/agw/f", "name": "f", "properties": {"publicIPAddress": ref(PIP)}}],
            "frontendPorts": [{"id": "/agw/p", "name": "p", "properties": {"port": 443}}],
            "httpListeners": [{"name": "l", "properties": {
                "frontendIPConfiguration": ref("/agw/f"), "frontendPort": ref("/agw/p")}}]})])),
    case("E5: only what the platform itself needs is open", *open_estate(
        rule(source="GatewayManager", ports="65200-65535"), documents=[PRIVATE_NIC, gateway], status=None)),
    case("a security group on nothing", [subscription(), nsg(OPEN), settings(NSG)], {(PUBLIC, NSG): None}),
    case("the public IP could not be read", *open_estate(OPEN, documents=[denied(PIP, f"{NET}/publicIPAddresses")])),
    case("the security group could not be read", *open_estate(
        documents=[denied(NSG, f"{NET}/networkSecurityGroups")], status="unknown")),
    case("the interface could not be read", *open_estate(
        OPEN, documents=[nsg(OPEN, nics=[NIC]), denied(NIC, f"{NET}/networkInterfaces")], status="unknown")),
    case("not everything was listed", *open_estate(
        OPEN, documents=[PRIVATE_NIC, denied(f"{SUB}/resources", "Microsoft.Resources/subscriptions/resources")],
        status="unknown")),
]  # fmt: skip


@pytest.mark.parametrize(("documents", "expected", "today"), EXPOSURE)
def test_exposure(documents, expected, today):
    check(documents, expected, today)


def test_a_public_ip_with_no_security_group_at_all_is_no_finding_of_one():
    check(
        [subscription(), vnet(app=None), nic(), pip(), settings(VNET)], {(PUBLIC, NSG): None, (NETWORK, VNET): "fail"}
    )


def covered(*logs, group="fail", network="fail", documents=(), today="2026-11-22", **flow_rules):
    """A machine open to the internet, with these flow logs."""
    base, _ = open_estate(OPEN, documents=documents)
    expected = {(PUBLIC, NSG): group, (NETWORK, VNET): network}
    names = {"delivers": DELIVERS, "kept": KEPT, "analysed": ANALYSED, "retiring": RETIRING}
    expected |= {(names[key], FLOW): status for key, status in flow_rules.items()}
    return [*base, *(doc for doc in STORE if doc["id"] not in {d["id"] for d in documents}), *logs], expected, today


def covering(name, built):
    documents, expected, today = built
    return case(name, documents, expected, today)


BOTH = {"group": "pass", "network": "pass"}
LISTED = {"id": f"{WATCHER}/flowLogs", "type": FLOW_TYPE}
ELSEWHERE = denied(rid(f"{NET}/networkWatchers", "nw-north") + "/flowLogs", FLOW_TYPE)
NORTH = watcher("northeurope", "nw-north")
FOREIGN = ARCHIVE.replace(S, CENTRAL)
FLOW_CASES = [
    covering("none", covered()),
    covering("section 3 (13): on the virtual network", covered(
        flow(), **BOTH, delivers="pass", kept="pass", analysed="pass", retiring=None)),
    covering("section 3 (13): on the subnet", covered(flow(APP), **BOTH)),
    covering("section 3 (13): on the interface", covered(flow(NIC), **BOTH)),
    covering("trap 31: on the other subnet", covered(flow(DATA), delivers="pass")),
    covering("trap 31: on another network", covered(flow(VNET + "2"))),
    covering("trap 34: on the security group, while those last", covered(flow(NSG), **BOTH, retiring="fail")),
    covering("trap 34: and more than a year before they end", covered(
        flow(NSG), **BOTH, retiring="pass", today="2026-06-01")),
    covering("trap 34: on the security group beside one on the network", covered(
        flow(NSG), flow(name="fl2"), **BOTH, retiring="pass")),
    covering("trap 34: on the last day but one", covered(flow(NSG), **BOTH, today="2027-09-29")),
    covering("trap 34: on the day that they end", covered(flow(NSG), delivers="fail", today="2027-09-30")),
    covering("section 3 (13), trap 36: switched off", covered(flow(enabled=False), delivers="fail", kept=None)),
    covering("trap 36: failed", covered(flow(provisioningState="Failed"), delivers="fail")),
    covering("trap 36: being made", covered(
        flow(provisioningState="Updating"), group="unknown", network="unknown", delivers="unknown")),
    covering("trap 35: filtered", covered(flow(enabledFilteringCriteria="dstIP=10.0.0.0/8"), delivers="pass")),
    covering("trap 35: an empty filter", covered(flow(enabledFilteringCriteria=""), **BOTH)),
    covering("trap 35: beginnings only", covered(flow(recordTypes="B"))),
    covering("trap 35: all types", covered(flow(recordTypes="B,C,E,D"), **BOTH)),
    covering("trap 32: retention null", covered(flow(retentionPolicy=None), **BOTH, kept="pass")),
    covering("section 3 (14): retention 0 and enabled", (*covered(flow(retentionPolicy={"days": 0, "enabled": True}), kept="pass")[:1], {(KEPT, FLOW): "pass"}, "2026-11-22")),
    covering("trap 13: 30 days, disabled, so for ever", covered(
        flow(retentionPolicy={"days": 30, "enabled": False}), **BOTH, kept="pass")),
    covering("30 days", covered(flow(days=30), **BOTH, kept="fail")),
    covering("90 days", covered(flow(days=90), **BOTH, kept="pass")),
    covering("a lifecycle rule for block blobs deletes flow logs", covered(
        flow(), documents=[lifecycle(ARCHIVE, expire(30, types=["blockBlob"]))], **BOTH, kept="fail")),
    covering("a lifecycle rule for append blobs does not", covered(
        flow(), documents=[lifecycle(ARCHIVE, expire(30, types=["appendBlob"]))], **BOTH, kept="pass")),
    covering("the lifecycle policy may not be read", covered(
        flow(), documents=[denied(f"{ARCHIVE}/managementPolicies/default",
                                  "Microsoft.Storage/storageAccounts/managementPolicies")], **BOTH, kept="unknown")),
    covering("archive only", covered(flow(analytics=False), **BOTH, analysed="fail")),
    covering("the storage account is gone", covered(
        flow(), documents=[gone(ARCHIVE, "Microsoft.Storage/storageAccounts")], delivers="fail", kept="fail")),
    covering("the storage account is in a subscription that may not be read", covered(
        flow(storage=FOREIGN), denied(FOREIGN, "Microsoft.Storage/storageAccounts"), **BOTH, delivers="unknown",
        kept="unknown")),
    covering("the storage account is in another subscription", covered(
        flow(storage=FOREIGN), subscription(CENTRAL), account(FOREIGN, CENTRAL), lifecycle(FOREIGN), **BOTH,
        delivers="pass")),
    covering("the storage account is in another region", covered(
        flow(), documents=[{**account(), "location": "northeurope"}], **BOTH, delivers="fail")),
    covering("the storage account is premium", covered(
        flow(), documents=[account(sku="Premium_LRS", kind="BlockBlobStorage")], **BOTH, delivers="fail")),
    covering("the target is gone", covered(
        flow(VNET + "-old"), gone(VNET + "-old", f"{NET}/virtualNetworks"), delivers="fail")),
    covering("the target is out of sight", covered(flow(VNET + "-old"), delivers="unknown")),
    covering("ids in capitals", covered(flow(VNET.upper()), **BOTH)),
    covering("the flow logs of this region may not be read", covered(
        denied(f"{WATCHER}/flowLogs", FLOW_TYPE), group="unknown", network="unknown")),
    covering("the flow logs of another region may not be read", covered(NORTH, ELSEWHERE)),
    covering("an empty list is an answer", covered({**LISTED, "value": []})),
    covering("told by the watcher's list alone", covered(
        {**LISTED, "value": [{k: v for k, v in flow().items() if k != "type"}]}, **BOTH, delivers="pass")),
    covering("trap 39: groups on subnet and interface, a flow log on one of them", covered(
        flow(NSG), documents=[nsg(OPEN, name="nsg2"), nic(group=NSG2)], group="pass", network="fail")),
    covering("an application gateway of version 2 is not seen by a security group's flow log", covered(
        flow(NSG), documents=[PRIVATE_NIC, gateway, nsg(rule(ports="443"))])),
]  # fmt: skip


@pytest.mark.parametrize(("documents", "expected", "today"), FLOW_CASES)
def test_flow_logs(documents, expected, today):
    check(documents, expected, today)


def test_an_account_that_deletes_flow_logs_too_soon_deletes_logs_too_soon():
    documents, _, _ = covered(flow(), documents=[lifecycle(ARCHIVE, expire(30, types=["blockBlob"]))])
    check(documents, {("log-storage-lifecycle", ARCHIVE): "fail"})


def private_endpoint():
    return nic(config(public=None), name="pe", privateEndpoint=ref(rid(f"{NET}/privateEndpoints", "pe")))


EMPTY = [
    case("trap 41: a network with nothing inside need not be covered", [subscription(), vnet(), settings(VNET)],
         {(NETWORK, VNET): None}),
    case("private endpoints are seen at the other side", [
        subscription(), vnet(), private_endpoint(), settings(VNET)], {(NETWORK, VNET): None}),
    case("a network of scale sets", [subscription(), vnet(), scale_set(), settings(VNET)], {(NETWORK, VNET): "fail"}),
    case("one of two subnets", [
        subscription(), vnet(), nic(config(public=None)), nic(config(public=None, subnet=DATA), name="nic2"),
        flow(APP), *STORE, settings(VNET)], {(NETWORK, VNET): "fail"}),
    case("each of two subnets", [
        subscription(), vnet(), nic(config(public=None)), nic(config(public=None, subnet=DATA), name="nic2"),
        flow(APP), flow(DATA, name="fl2"), *STORE, settings(VNET)], {(NETWORK, VNET): "pass"}),
]  # fmt: skip


@pytest.mark.parametrize(("documents", "expected", "today"), EMPTY)
def test_networks(documents, expected, today):
    check(documents, expected, today)


HERE, THERE = f"{S}/westeurope", f"{CENTRAL}/westeurope"
ABROAD = res(f"{NET}/virtualNetworks", "vnet", {"subnets": []}, CENTRAL)
PLACES_OF = {
    "id": f"{SUB}/locations", "type": "Microsoft.Resources/subscriptions/locations",
    "value": [{"name": "westeurope", "displayName": "West Europe"}, {"name": "jioindiawest",
                                                                     "displayName": "Jio India West"}],
}  # fmt: skip
WATCHERS = [
    case("one in the region", [subscription(), vnet(), watcher()], {(REGION, HERE): "pass"}),
    case("none", [subscription(), vnet()], {(REGION, HERE): "fail"}),
    case("one in another region", [subscription(), vnet(), watcher("northeurope")], {(REGION, HERE): "fail"}),
    case("section 3 (13): one in another subscription of the same region", [
        subscription(), subscription(CENTRAL), vnet(), ABROAD, watcher(sub=CENTRAL)],
        {(REGION, HERE): "fail", (REGION, THERE): "pass"}),
    case("one that failed", [subscription(), vnet(), watcher(state="Failed")], {(REGION, HERE): "fail"}),
    case("trap 3: a region by its display name", [
        subscription(), PLACES_OF, vnet(location="West Europe"), watcher()], {(REGION, HERE): "pass"}),
    case("trap 33: no region in use", [subscription(), PLACES_OF, watcher()], {(REGION, HERE): None}),
    case("trap 3: global things are in no region", [
        subscription(), res("Microsoft.Cdn/profiles", "afd", location="global"),
        res(f"{NET}/virtualNetworks", "v", {"subnets": []}, location="global")], {(REGION, f"{S}/global"): None}),
    case("an interface alone makes a region used", [
        subscription(), nic(config(public=None))], {(REGION, HERE): "fail"}),
    case("the watcher could not be read", [subscription(), vnet(), denied(WATCHER, f"{NET}/networkWatchers")],
         {(REGION, HERE): "unknown"}),
    case("not everything was listed", [
        subscription(), vnet(), denied(f"{SUB}/resources", "Microsoft.Resources/subscriptions/resources")],
        {(REGION, HERE): "unknown"}),
]  # fmt: skip


@pytest.mark.parametrize(("documents", "expected", "today"), WATCHERS)
def test_network_watchers(documents, expected, today):
    check(documents, expected, today)


def test_evidence_tells_what_is_exposed():
    documents, _ = open_estate(OPEN)
    found = next(f for f in judged(documents).findings if f.rule == PUBLIC)
    assert found.evidence["facts.management_ports"] is True
    assert found.evidence["facts.exposed_ports"] == ["tcp/22"]
    assert found.evidence["facts.exposed_through"] == ["public IP pip on nic"]
    assert found.evidence["facts.public_rules"] == ["r100"]
    assert found.evidence["facts.flow_gaps"] == ["vnet/app"]

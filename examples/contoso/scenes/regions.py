"""Network watchers, region by region, and the plainer networks that belong to them."""

from __future__ import annotations

from scenes import covers
from scenes.cables import NET, address, allow, balancer, join, machine, network, security_group, subnet
from scenes.estate import DEV, NE, PROD, RETIRED, SE, SHARED, UK, WE, Estate
from scenes.places import ALL_SEC, FLOW_NE, FLOW_SE, FLOW_UK, FLOW_WE, LAW_OLD, LOGS_GROUP, NOTHING
from scenes.watchers import GOOD, OPEN, VNETS, WATCHERS, Watcher, close, flow_log, watcher


def build(estate: Estate) -> None:
    """Place the watchers of each subscription and region, and the networks in them."""
    prod = watcher(estate, PROD, WE)
    estate.answer(WATCHERS, f"{PROD}/{WE}", "pass", "a watcher in state Succeeded")
    covers.build(estate, prod)
    _apps(estate, prod)
    close(prod)
    _north(estate)
    _without_watchers(estate)
    _others(estate)


# --- networks of applications -----------------------------------------------------------------------------------------

APPS = ("claims", "crm", "docs", "fleet", "hr", "loans", "pos", "pay")


def _apps(estate: Estate, prod: Watcher) -> None:
    """A plain network for each application: two subnets, a few machines, an internal load balancer, a flow log."""
    for number, app in enumerate(APPS, start=30):
        net = network(estate, PROD, f"rg-{app}-prod", WE, f"vnet-{app}-we", number)
        estate.answer(VNETS, net.id, "pass", "a VNet flow log")
        retention = estate.random.choice(((True, 90), (True, 180), (False, 0)))
        flow_log(prod, f"fl-vnet-{app}-we", net.id, FLOW_WE, "ppp-", GOOD, retention=retention)
        web = subnet(net, "snet-web", security_group(net, f"nsg-{app}-web", allow("lb", 100, "443", "10.0.0.0/8")))
        data = subnet(net, "snet-data", security_group(net, f"nsg-{app}-data", allow("web", 100, "1433", "10.0.0.0/8")))
        pool, _ = balancer(net, f"lb-{app}-int", None, ports=((443, 443),), within=web, plan=NOTHING)
        for machine_number in (1, 2):
            nic = machine(net, f"vm-{app}-web-{machine_number}", web, pools=(pool,))
            join(net, pool, nic)
        machine(net, f"vm-{app}-sql-1", data, windows=True, plan=ALL_SEC if app == "pay" else NOTHING)


# --- other regions, other subscriptions -------------------------------------------------------------------------------


def _north(estate: Estate) -> None:
    north = watcher(estate, PROD, NE)
    estate.answer(WATCHERS, f"{PROD}/{NE}", "pass", "a watcher in state Succeeded")
    net = network(estate, PROD, "rg-network-prod", "North Europe", "vnet-docs-ne", 40)
    estate.answer(VNETS, net.id, "pass", "a VNet flow log")
    machine(net, "vm-docs-ne", subnet(net, "snet-docs", security_group(net, "nsg-docs-ne")))
    target = net.id.replace("/resourceGroups/", "/resourcegroups/").replace("vnet-docs-ne", "VNET-Docs-NE")
    flow_log(north, "fl-vnet-docs-ne", target, FLOW_NE, "ppf-", "a lifecycle rule deletes flow logs after 60 days")
    net = network(estate, PROD, "rg-network-prod", NE, "vnet-mail-ne", 41)
    estate.answer(VNETS, net.id, "pass", "a VNet flow log")
    machine(net, "vm-mail-ne", subnet(net, "snet-mail", security_group(net, "nsg-mail-ne")))
    flow_log(north, "fl-vnet-mail-ne", net.id, FLOW_NE, "pff-", "kept for 30 days, and analysed nowhere",
             retention=(True, 30), analytics=None)  # fmt: skip
    close(north)


def _without_watchers(estate: Estate) -> None:
    net = network(estate, PROD, "rg-network-prod", UK, "vnet-claims-uks", 42)
    estate.answer(VNETS, net.id, "fail", "no flow log watches it, and there is no watcher to make one")
    machine(net, "vm-claims-uks", subnet(net, "snet-claims", security_group(net, "nsg-claims-uks")))
    estate.answer(WATCHERS, f"{PROD}/{UK}", "fail", "no watcher, though contoso-dev has one in this region")
    failed = watcher(estate, PROD, SE, state="Failed")
    estate.answer(WATCHERS, f"{PROD}/{SE}", "fail", "its watcher is in state Failed")
    net = network(estate, PROD, "rg-network-prod", SE, "vnet-fleet-sdc", 43)
    estate.answer(VNETS, net.id, "pass", "a flow log made while the watcher still worked")
    machine(net, "vm-fleet-sdc", subnet(net, "snet-fleet", security_group(net, "nsg-fleet-sdc")))
    flow_log(failed, "fl-vnet-fleet-sdc", net.id, FLOW_SE, "pfp-", "its workspace was deleted", analytics=LAW_OLD)
    close(failed)
    net = network(estate, RETIRED, "rg-old", WE, "vnet-old-we", 44)
    subnet(net, "default")
    estate.answer(WATCHERS, f"{RETIRED}/{WE}", "fail", "a network, but no watcher")


def _others(estate: Estate) -> None:
    shared = watcher(estate, SHARED, WE)
    estate.answer(WATCHERS, f"{SHARED}/{WE}", "pass", "a watcher in state Succeeded")
    net = network(estate, SHARED, LOGS_GROUP, WE, "vnet-shared-we", 50)
    estate.answer(VNETS, net.id, "pass", "a VNet flow log")
    machine(net, "vm-build-1", subnet(net, "snet-build", security_group(net, "nsg-build")))
    flow_log(shared, "fl-vnet-shared-we", net.id, FLOW_WE, "ppp-", GOOD)
    close(shared)

    dev = watcher(estate, DEV, UK)
    estate.answer(WATCHERS, f"{DEV}/{UK}", "pass", "a watcher in state Succeeded")
    net = network(estate, DEV, "rg-network-dev", UK, "vnet-dev-uks", 51)
    estate.answer(VNETS, net.id, "pass", "a VNet flow log")
    machine(net, "vm-dev-uks", subnet(net, "snet-dev", security_group(net, "nsg-dev-uks")))
    flow_log(dev, "fl-vnet-dev-uks", net.id, FLOW_UK, "pfp-", "Traffic Analytics is off", analytics=None)
    close(dev)

    # The watcher is there, but its flow logs may not be listed: nothing is known of this region's cover.
    north = watcher(estate, DEV, NE)
    estate.answer(WATCHERS, f"{DEV}/{NE}", "pass", "a watcher in state Succeeded")
    flows = f"{north.id}/flowLogs"
    estate.unread(flows, f"{NET}/networkWatchers/flowLogs", f"{NET}/networkWatchers/flowLogs/read")
    for rule in ("flow-log-delivers", "flow-log-traffic-analytics", "flow-log-retention", "nsg-flow-log-retirement"):
        estate.answer(rule, flows, "unknown", "ARM refuses to list the flow logs of this watcher")
    net = network(estate, DEV, "rg-network-dev", NE, "vnet-dev-ne", 52)
    estate.answer(VNETS, net.id, "unknown", "the flow logs of its region may not be listed")
    group = security_group(net, "nsg-dev-jump", allow("ssh", 100, "22", "*"))
    machine(net, "vm-dev-jump", subnet(net, "snet-jump", group), public=address(net, "pip-dev-jump"))
    estate.answer(
        OPEN, group["id"], "unknown", "SSH on a public IP; the flow logs of its region may not be listed", "critical"
    )
    closed = security_group(net, "nsg-dev-app")
    machine(net, "vm-dev-app", subnet(net, "snet-app", closed))

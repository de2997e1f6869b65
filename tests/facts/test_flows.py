"""Which flow logs cover what? One case for each statement and trap of domain.md 3.2 to 3.6 and 11."""

from __future__ import annotations

from datetime import date

import pytest

from auditor.documents import normal_id, unreadable
from auditor.facts.flows import flow_facts
from auditor.facts.network_index import index_network
from auditor.inventory import Destination, LogSetting, Unknown

BASE = "/subscriptions/S1/resourceGroups/Rg/providers"
NETWORK = f"{BASE}/Microsoft.Network"
VNET = f"{NETWORK}/virtualNetworks/vnet"
WATCHER = f"{NETWORK}/networkWatchers/nw"
STORAGE = f"{BASE}/Microsoft.Storage/storageAccounts/logs"
WORKSPACE = f"{BASE}/Microsoft.OperationalInsights/workspaces/law"
TODAY = date(2026, 11, 22)
UNREADABLE = Unknown(reason="foreign subscription")
INF = float("inf")


def doc(kind, name, properties, **more):
    base = {"id": f"{BASE}/{kind}/{name}", "type": kind, "name": name, "location": "westeurope"}
    return {**base, "properties": properties, **more}


def ref(kind, name):
    return {"id": f"{NETWORK}/{kind}/{name}"}


def subnet_id(name):
    return f"{VNET}/subnets/{name}"


def nsg(name="nsg", **properties):
    return doc("Microsoft.Network/networkSecurityGroups", name, {"securityRules": [], **properties})


def vnet(**subnets):
    """A virtual network; each subnet's value is its security group's name or None, or all of its properties."""
    listed = []
    for name, value in subnets.items():
        body = value if isinstance(value, dict) else {}
        if isinstance(value, str):
            body = {"networkSecurityGroup": ref("networkSecurityGroups", value)}
        listed.append({"id": subnet_id(name), "name": name, "properties": body})
    return doc("Microsoft.Network/virtualNetworks", "vnet", {"subnets": listed})


def nic(name="nic", subnet="app", group=None, **properties):
    item = {
        "id": f"{NETWORK}/networkInterfaces/{name}/ipConfigurations/a",
        "properties": {"subnet": {"id": subnet_id(subnet)}},
    }
    body = {"ipConfigurations": [item], **properties}
    if group:
        body["networkSecurityGroup"] = ref("networkSecurityGroups", group)
    return doc("Microsoft.Network/networkInterfaces", name, body)


TARGETS = {
    "vnet": VNET,
    "nsg": f"{NETWORK}/networkSecurityGroups/nsg",
    "nic": f"{NETWORK}/networkInterfaces/nic",
    "app": subnet_id("app"),
    "data": subnet_id("data"),
}


def flow_log(target="vnet", name=None, **properties):
    body = {
        "targetResourceId": TARGETS.get(target, target),
        "enabled": True,
        "provisioningState": "Succeeded",
        "storageId": STORAGE,
        "retentionPolicy": {"days": 0, "enabled": False},
        **properties,
    }
    name = name or f"fl-{target}"
    return {
        "id": f"{WATCHER}/flowLogs/{name}",
        "type": "Microsoft.Network/networkWatchers/flowLogs",
        "name": name,
        "location": "westeurope",
        "properties": {key: value for key, value in body.items() if value != "absent"},
    }


def analytics(workspace=WORKSPACE, enabled=True):
    inner = {"enabled": enabled, "workspaceResourceId": workspace, "trafficAnalyticsInterval": 10}
    return {"networkWatcherFlowAnalyticsConfiguration": inner}


def storage(location="westeurope"):
    return {
        "id": STORAGE,
        "type": "Microsoft.Storage/storageAccounts",
        "name": "logs",
        "location": location,
        "properties": {},
    }


def ask(*documents, today=TODAY, places=None, unread=None, unlisted=None):
    places = {normal_id(key): value for key, value in (places or {}).items()}
    asked = []

    def destination(kind, place, part):
        asked.append(part)
        return Destination(**{"kind": kind, "id": place, **places.get(place, {})})

    net = index_network({normal_id(d["id"]): d for d in documents}, unlisted=unlisted)
    answer = flow_facts(net, today=today, destination=destination, unread=unread)
    assert all(asked)  # what it holds decides how long a place keeps it
    return answer


def group(*documents, name="nsg", **more):
    return ask(*documents, **more).groups[normal_id(f"{NETWORK}/networkSecurityGroups/{name}")]


def network(*documents, **more):
    return ask(*documents, **more).networks[normal_id(VNET)]


def log(*documents, name, **more):
    return ask(*documents, **more).logs[normal_id(f"{WATCHER}/flowLogs/{name}")]


PLAIN = (nsg(), vnet(app="nsg"), nic())  # one interface in one subnet with one security group


# --- which targets cover ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["vnet", "app", "nic", "nsg"])
def test_any_target_on_the_path_covers_the_group_and_the_network(target):
    documents = (*PLAIN, flow_log(target), storage())
    ends = "2027-09-30" if target == "nsg" else None
    for cover in (group(*documents), network(*documents)):
        assert (cover.facts["flow_coverage"], cover.facts["flow_gaps"]) == ("covered", [])
        assert cover.facts["flow_ends"] == ends
        assert [s.name for s in cover.settings] == [f"fl-{target}"]
        setting = cover.settings[0]
        assert (setting.kind, setting.categories, setting.ends) == ("flow-log", {"FlowLog"}, ends)
        assert setting.destinations == (Destination(kind="storage", id=normal_id(STORAGE)),)


def test_no_flow_log_at_all():
    cover = group(*PLAIN)
    assert cover.facts == {"flow_coverage": "uncovered", "flow_gaps": ["vnet/app"], "flow_ends": None}
    assert cover.settings == cover.part == ()
    assert network(*PLAIN).facts["observable"] is True


def test_trap_31_a_flow_log_on_another_network_covers_nothing_here():
    other = flow_log(f"{NETWORK}/virtualNetworks/other", name="fl")
    assert group(*PLAIN, other).facts["flow_coverage"] == "uncovered"


def test_ids_in_any_case():
    assert group(*PLAIN, flow_log(VNET.upper() + "/", name="fl")).facts["flow_coverage"] == "covered"


def test_flow_logs_as_members_of_their_watchers_list():
    items = {"id": f"{WATCHER}/flowLogs", "type": "Microsoft.Network/networkWatchers/flowLogs", "value": [flow_log()]}
    assert group(*PLAIN, items).facts["flow_coverage"] == "covered"
    assert list(ask(*PLAIN, items).logs) == [normal_id(f"{WATCHER}/flowLogs/fl-vnet")]


def test_nsg_flow_log_of_one_of_two_groups_does_not_see_all_of_the_network():
    documents = [nsg(), nsg("inner"), vnet(app="nsg"), nic(group="inner"), flow_log("nsg")]
    assert group(*documents).facts["flow_coverage"] == "covered"
    assert group(*documents, name="inner").facts["flow_coverage"] == "uncovered"
    assert network(*documents).facts["flow_coverage"] == "uncovered"
    second = flow_log(f"{NETWORK}/networkSecurityGroups/inner", name="fl-inner")
    assert network(*documents, second).facts["flow_coverage"] == "covered"
    assert network(*documents, second).facts["flow_ends"] == "2027-09-30"


# --- what does not cover ----------------------------------------------------------------------------------------------

DEAD = [
    ("trap-36-disabled", {"enabled": False}),
    ("trap-36-failed", {"provisioningState": "Failed"}),
    ("deleting", {"provisioningState": "Deleting"}),
    ("no-storage", {"storageId": None}),
    ("empty-storage", {"storageId": ""}),
]


@pytest.mark.parametrize("change", [d[1] for d in DEAD], ids=[d[0] for d in DEAD])
def test_flow_logs_that_do_not_work_cover_nothing(change):
    cover = group(*PLAIN, flow_log(**change))
    assert cover.facts["flow_coverage"] == "uncovered"
    assert cover.settings == ()
    assert log(*PLAIN, flow_log(**change), name="fl-vnet").facts["delivers"] is False


def test_storage_that_is_gone_never_covers_and_unreadable_storage_does():
    gone = group(*PLAIN, flow_log(), places={STORAGE: {"exists": False}})
    assert gone.facts["flow_coverage"] == "uncovered"
    foreign = group(*PLAIN, flow_log(), places={STORAGE: {"exists": UNREADABLE}})
    assert foreign.facts["flow_coverage"] == "covered"
    assert foreign.settings[0].destinations[0].exists == UNREADABLE


def test_a_state_that_is_not_settled_cannot_be_told():
    assert isinstance(group(*PLAIN, flow_log(provisioningState="Updating")).facts["flow_coverage"], Unknown)
    assert group(*PLAIN, flow_log(provisioningState="absent")).facts["flow_coverage"] == "covered"  # a template


def test_trap_34_nsg_flow_logs_end_on_30_september_2027():
    documents = (*PLAIN, flow_log("nsg"))
    assert group(*documents, today=date(2027, 9, 29)).facts["flow_coverage"] == "covered"
    after = group(*documents, today=date(2027, 9, 30))
    assert after.facts["flow_coverage"] == "uncovered"
    assert network(*documents, today=date(2028, 1, 1)).facts["flow_coverage"] == "uncovered"
    assert group(*PLAIN, flow_log("vnet"), today=date(2028, 1, 1)).facts["flow_coverage"] == "covered"


FULL = [
    ("nothing-said", {}, True),
    ("empty-filter", {"enabledFilteringCriteria": "", "recordTypes": ""}, True),
    ("all-types", {"recordTypes": "B,C,E,D"}, True),
    ("begin-deny-end", {"recordTypes": "B, D ,e"}, True),
    ("as-list", {"recordTypes": ["B", "C", "D"]}, True),
    ("trap-35-only-begin", {"recordTypes": "B"}, False),
    ("no-denials", {"recordTypes": "B,C,E"}, False),
    ("no-end-nor-continue", {"recordTypes": "B,D"}, False),
    ("trap-35-filter", {"enabledFilteringCriteria": "dstPort=443"}, False),
]


@pytest.mark.parametrize(("change", "full"), [f[1:] for f in FULL], ids=[f[0] for f in FULL])
def test_filtered_flow_logs(change, full):
    documents = (*PLAIN, flow_log(**change))
    cover = group(*documents)
    assert cover.facts["flow_coverage"] == ("covered" if full else "filtered")
    assert bool(cover.settings) is full
    assert [s.partial for s in cover.part] == ([] if full else ["filtered"])
    assert cover.facts["flow_gaps"] == ([] if full else ["vnet/app"])
    assert log(*documents, name="fl-vnet").facts["full"] is full


def test_an_unknown_filter_cannot_be_told():
    cover = group(*PLAIN, flow_log(enabledFilteringCriteria={"$unknown": {"reason": "known after apply"}}))
    assert isinstance(cover.facts["flow_coverage"], Unknown)
    assert isinstance(group(*PLAIN, flow_log(recordTypes=7)).facts["flow_coverage"], Unknown)


# --- several units, several flow logs ---------------------------------------------------------------------------------

TWO = (nsg(), vnet(app="nsg", data="nsg"), nic(), nic("db", subnet="data"))


def test_one_of_two_subnets_is_partial():
    for cover in (group(*TWO, flow_log("app")), network(*TWO, flow_log("app"))):
        assert cover.facts["flow_coverage"] == "partial"
        assert cover.facts["flow_gaps"] == ["vnet/data"]
        assert cover.settings == ()
        assert [(s.name, s.partial) for s in cover.part] == [("fl-app", "partial")]


def test_gaps_inside_a_subnet_name_the_interface():
    documents = (nsg(), vnet(app="nsg"), nic(), nic("other"), flow_log("nic"))
    assert group(*documents).facts["flow_gaps"] == ["other"]


def test_one_full_and_one_filtered_subnet_are_filtered():
    cover = group(*TWO, flow_log("app"), flow_log("data", recordTypes="B"))
    assert (cover.facts["flow_coverage"], cover.facts["flow_gaps"]) == ("filtered", ["vnet/data"])
    assert [(s.name, s.partial) for s in cover.part] == [("fl-app", "partial"), ("fl-data", "filtered")]


def test_a_full_flow_log_outweighs_a_filtered_one():
    assert group(*TWO, flow_log("vnet"), flow_log("data", recordTypes="B")).facts["flow_coverage"] == "covered"


def places_of(setting: LogSetting):
    return {d.kind: (d.id.rpartition("/")[2], d.exists, d.accepts, d.retention_days) for d in setting.destinations}


def test_several_flow_logs_together_are_one_setting_as_weak_as_the_weakest():
    cover = group(
        *TWO,
        flow_log("app", flowAnalyticsConfiguration=analytics()),
        flow_log("data", storageId=f"{STORAGE}2", retentionPolicy={"enabled": True, "days": 30}),
        places={STORAGE: {"retention_days": 365.0}, f"{STORAGE}2": {"exists": UNREADABLE, "accepts": UNREADABLE}},
    )
    assert cover.facts["flow_coverage"] == "covered"
    (setting,) = cover.settings
    assert setting.name == "fl-app, fl-data"
    assert setting.categories == {"FlowLog"}
    assert setting.ends is None
    # Only one of them is analysed, so no workspace has it all.
    assert places_of(setting) == {"storage": ("logs2", UNREADABLE, UNREADABLE, 30)}


def test_together_they_reach_a_workspace_only_if_each_does():
    cover = group(
        *TWO,
        flow_log("app", flowAnalyticsConfiguration=analytics()),
        flow_log("data", flowAnalyticsConfiguration=analytics(f"{WORKSPACE}2")),
        places={WORKSPACE: {"retention_days": 90.0}, f"{WORKSPACE}2": {"retention_days": 30.0}},
    )
    assert places_of(cover.settings[0]) == {
        "storage": ("logs", True, True, INF),
        "log-analytics": ("law2", True, True, 30.0),
    }


def test_of_two_flow_logs_on_one_unit_the_better_one_counts():
    cover = group(
        *TWO,
        flow_log("vnet", retentionPolicy={"enabled": True, "days": 7}),
        flow_log("app", retentionPolicy={"enabled": True, "days": 90}),
        flow_log("data", retentionPolicy={"enabled": True, "days": 365}),
    )
    assert [s.name for s in cover.settings] == ["fl-vnet", "fl-app, fl-data, fl-vnet"]
    assert [places_of(s)["storage"][3] for s in cover.settings] == [7, 90]


def test_cover_that_needs_an_nsg_flow_log_ends_with_it():
    documents = [nsg(), vnet(app="nsg", data="nsg"), nic(), nic("db", subnet="data")]
    cover = group(*documents, flow_log("nsg"), flow_log("app"))
    assert cover.facts["flow_ends"] == "2027-09-30"
    assert {s.ends for s in cover.settings} == {"2027-09-30"}
    cover = group(*documents, flow_log("nsg"), flow_log("vnet"))
    assert cover.facts["flow_ends"] is None
    assert [(s.name, s.ends) for s in cover.settings] == [("fl-vnet", None), ("fl-nsg", "2027-09-30")]


def test_one_flow_log_for_all_is_a_setting_of_its_own_with_everything_it_reaches():
    cover = group(
        *TWO, flow_log(flowAnalyticsConfiguration=analytics()), places={WORKSPACE: {"exists": False, "accepts": False}}
    )
    assert places_of(cover.settings[0]) == {
        "storage": ("logs", True, True, INF),
        "log-analytics": ("law", False, False, INF),
    }


# --- nothing to see ---------------------------------------------------------------------------------------------------


def test_unattached():
    assert group(nsg(), vnet(app=None), nic()).facts["flow_coverage"] == "unattached"


def test_a_group_on_empty_subnets_has_nothing_to_observe_yet():
    assert group(nsg(), vnet(app="nsg")).facts["flow_coverage"] == "not-observable"
    assert group(nsg(), vnet(app="nsg"), flow_log()).facts["flow_coverage"] == "covered"


def test_an_empty_subnet_is_no_gap():
    assert group(nsg(), vnet(app="nsg", data="nsg"), nic(), flow_log("app")).facts["flow_coverage"] == "covered"


def test_an_empty_network_is_not_observable_and_can_be_covered():
    assert network(vnet(app=None)).facts == {
        "flow_coverage": "not-observable",
        "flow_gaps": [],
        "flow_ends": None,
        "observable": False,
    }
    cover = network(vnet(app=None), flow_log())
    assert (cover.facts["flow_coverage"], cover.facts["observable"]) == ("covered", False)


@pytest.mark.parametrize(
    "service",
    [
        "Microsoft.Web/serverFarms",
        "Microsoft.ContainerInstance/containerGroups",
        "Microsoft.DBforPostgreSQL/flexibleServers",
        "Microsoft.Netapp/volumes",
        "Microsoft.Network/dnsResolvers",
    ],
)
def test_delegated_subnets_that_no_flow_log_sees(service):
    subnet = {
        "networkSecurityGroup": ref("networkSecurityGroups", "nsg"),
        "delegations": [{"name": "d", "properties": {"serviceName": service}}],
        "ipConfigurations": [{"id": f"{NETWORK}/networkInterfaces/hidden/ipConfigurations/a"}],
    }
    assert group(nsg(), vnet(app=subnet), flow_log()).facts["flow_coverage"] == "not-observable"
    assert network(vnet(app=subnet)).facts["observable"] is False


@pytest.mark.parametrize("name", ["GatewaySubnet", "AzureFirewallSubnet"])
def test_trap_41_gateway_and_firewall_subnets_are_no_gap(name):
    member = {"ipConfigurations": [{"id": f"{NETWORK}/networkInterfaces/hidden/ipConfigurations/a"}]}
    assert network(vnet(app=None, **{name: member}), nic(), flow_log("app")).facts["flow_coverage"] == "covered"


def test_private_endpoints_are_seen_at_the_other_side():
    endpoint = nic(privateEndpoint=ref("privateEndpoints", "pe"))
    assert network(vnet(app=None), endpoint).facts["observable"] is False


def scale_set():
    item = {"name": "ip", "properties": {"subnet": {"id": subnet_id("app")}}}
    inner = {"ipConfigurations": [item], "networkSecurityGroup": ref("networkSecurityGroups", "nsg")}
    profile = {"networkInterfaceConfigurations": [{"name": "nic", "properties": inner}]}
    return doc(
        "Microsoft.Compute/virtualMachineScaleSets", "vmss", {"virtualMachineProfile": {"networkProfile": profile}}
    )


def test_scale_sets_emit_flows():
    documents = (nsg(), vnet(app=None), scale_set())
    assert group(*documents).facts["flow_coverage"] == "uncovered"
    assert group(*documents, flow_log("app")).facts["flow_coverage"] == "covered"
    instance = f"{BASE}/Microsoft.Compute/virtualMachineScaleSets/vmss/virtualMachines/0/networkInterfaces/nic"
    one = flow_log(instance, name="fl-one")
    assert group(*documents, one).facts["flow_coverage"] == "uncovered"  # the next instance has none
    assert log(*documents, one, name="fl-one").facts["target_exists"] is True


def gateway(tier):
    body = {
        "sku": {"tier": tier},
        "gatewayIPConfigurations": [{"name": "ip", "properties": {"subnet": {"id": subnet_id("app")}}}],
    }
    return doc("Microsoft.Network/applicationGateways", "agw", body)


@pytest.mark.parametrize(("tier", "coverage"), [("WAF_v2", "uncovered"), ("WAF", "covered")])
def test_nsg_flow_logs_do_not_see_version_2_gateways(tier, coverage):
    documents = (nsg(), vnet(app="nsg"), gateway(tier))
    assert group(*documents, flow_log("nsg")).facts["flow_coverage"] == coverage
    assert group(*documents, flow_log("app")).facts["flow_coverage"] == "covered"


# --- what could not be read -------------------------------------------------------------------------------------------


def denied(path, kind):
    return unreadable(path, kind, reason="access denied", status=403)


LIST = denied(f"{WATCHER}/flowLogs", "Microsoft.Network/networkWatchers/flowLogs")
HERE = doc("Microsoft.Network/networkWatchers", "nw", {}, location="West Europe")
ELSEWHERE = doc("Microsoft.Network/networkWatchers", "nw", {}, location="eastus")


def test_unread_flow_logs_leave_uncovered_in_doubt():
    cover = group(*PLAIN, LIST, HERE)
    assert all(isinstance(cover.facts[key], Unknown) for key in ("flow_coverage", "flow_gaps", "flow_ends"))
    assert cover.facts["flow_coverage"].status == 403
    (setting,) = cover.settings
    assert (setting.categories, setting.possible) == (frozenset(), {"FlowLog"})
    assert all(isinstance(d.exists, Unknown) and isinstance(d.retention_days, Unknown) for d in setting.destinations)
    assert network(*PLAIN, LIST, HERE).facts["observable"] is True


def test_unread_flow_logs_do_not_matter_to_what_is_covered_or_elsewhere():
    assert group(*PLAIN, LIST, HERE, flow_log()).facts["flow_coverage"] == "covered"
    assert group(*PLAIN, LIST, ELSEWHERE).facts["flow_coverage"] == "uncovered"


def test_the_region_of_a_watcher_that_is_not_known():
    assert isinstance(group(*PLAIN, LIST).facts["flow_coverage"], Unknown)
    for region, unknown in (("eastus", False), ("westeurope", True)):
        path = f"{NETWORK}/networkWatchers/NetworkWatcher_{region}/flowLogs"
        listed = denied(path, "Microsoft.Network/networkWatchers/flowLogs")
        assert isinstance(group(*PLAIN, listed).facts["flow_coverage"], Unknown) is unknown


@pytest.mark.parametrize(
    ("place", "unknown"),
    [
        (("s1", "westeurope"), True),
        (("s1", ""), True),
        (("", ""), True),
        (("s1", "eastus"), False),
        (("s2", ""), False),
    ],
)
def test_unread_places_told_from_outside(place, unknown):
    cover = group(*PLAIN, unread={place: UNREADABLE})
    assert isinstance(cover.facts["flow_coverage"], Unknown) is unknown


def test_a_flow_log_that_could_not_be_read():
    secret = denied(f"{WATCHER}/flowLogs/fl", "Microsoft.Network/networkWatchers/flowLogs")
    assert isinstance(group(*PLAIN, secret).facts["flow_coverage"], Unknown)
    found = log(*PLAIN, secret, name="fl").facts
    assert all(isinstance(value, Unknown) for value in found.values())


def test_a_flow_log_that_only_its_target_names():
    named = nsg(flowLogs=[{"id": f"{WATCHER}/flowLogs/hidden"}])
    assert isinstance(group(named, *PLAIN[1:]).facts["flow_coverage"], Unknown)
    gone = {"id": f"{WATCHER}/flowLogs/hidden", "type": "x", "$absent": {"status": 404}}
    assert group(named, *PLAIN[1:], gone).facts["flow_coverage"] == "uncovered"


def test_an_interface_that_could_not_be_read():
    hidden = {"id": f"{NETWORK}/networkInterfaces/hidden/ipConfigurations/a"}
    subnet = {"networkSecurityGroup": ref("networkSecurityGroups", "nsg"), "ipConfigurations": [hidden]}
    alone = (nsg(), vnet(app=subnet))
    assert isinstance(group(*alone).facts["flow_coverage"], Unknown)
    assert isinstance(network(*alone).facts["observable"], Unknown)
    assert group(*alone, flow_log("app")).facts["flow_coverage"] == "covered"
    beside = (*alone, nic())
    assert group(*beside).facts["flow_coverage"] == "uncovered"  # for the one that is known, certainly
    assert isinstance(group(*beside, flow_log("nic")).facts["flow_coverage"], Unknown)


def test_a_network_that_could_not_be_read():
    secret = denied(VNET, "Microsoft.Network/virtualNetworks")
    attached = nsg(subnets=[{"id": subnet_id("app")}])
    assert isinstance(group(attached, secret).facts["flow_coverage"], Unknown)
    assert group(attached, secret, flow_log()).facts["flow_coverage"] == "covered"
    cover = network(secret)
    assert isinstance(cover.facts["flow_coverage"], Unknown)
    assert isinstance(cover.facts["observable"], Unknown)
    assert network(secret, flow_log()).facts["flow_coverage"] == "covered"


def test_a_group_that_could_not_be_read():
    secret = denied(f"{NETWORK}/networkSecurityGroups/nsg", "Microsoft.Network/networkSecurityGroups")
    assert isinstance(group(secret).facts["flow_coverage"], Unknown)
    assert group(secret, flow_log("nsg")).facts["flow_coverage"] == "covered"


def test_resources_that_could_not_be_listed():
    unlisted = {"s1": UNREADABLE}
    assert isinstance(network(vnet(app=None), unlisted=unlisted).facts["observable"], Unknown)
    assert isinstance(
        network(vnet(app=None), nic(), flow_log("nic"), unlisted=unlisted).facts["flow_coverage"], Unknown
    )
    assert network(vnet(app=None), nic(), flow_log(), unlisted=unlisted).facts["flow_coverage"] == "covered"


# --- what a flow log itself does --------------------------------------------------------------------------------------


def test_facts_of_a_working_flow_log():
    found = log(*PLAIN, flow_log(flowAnalyticsConfiguration=analytics()), storage(), name="fl-vnet")
    assert found.facts == {
        "target_kind": "vnet",
        "target_exists": True,
        "enabled": True,
        "succeeded": True,
        "storage_exists": True,
        "storage_accepts": True,
        "same_region": True,
        "traffic_analytics": True,
        "retention_days": INF,
        "delivers": True,
        "full": True,
        "only_cover": False,
        "days_left": None,
    }
    assert [d.kind for d in found.setting.destinations] == ["storage", "log-analytics"]


@pytest.mark.parametrize("target", ["vnet", "nsg", "nic"])
def test_target_kind(target):
    assert log(*PLAIN, flow_log(target), name=f"fl-{target}").facts["target_kind"] == target
    assert log(*PLAIN, flow_log("app"), name="fl-app").facts["target_kind"] == "subnet"


@pytest.mark.parametrize("target", ["vnet", "nsg", "nic", "app"])
def test_target_that_is_gone_or_not_in_sight(target):
    watcher = flow_log(target)
    there = log(*PLAIN, watcher, name=f"fl-{target}").facts
    assert there["target_exists"] is True
    place = VNET if target == "app" else TARGETS[target]
    kind = "Microsoft.Network/" + place.split("/")[-2]
    absent = {"id": place, "type": kind, "$absent": {"status": 404}}
    gone = log(watcher, absent, name=f"fl-{target}").facts
    assert (gone["target_exists"], gone["delivers"]) == (False, False)
    for document in ([], [denied(place, kind)]):
        assert isinstance(log(watcher, *document, name=f"fl-{target}").facts["target_exists"], Unknown)


def test_subnet_that_its_network_no_longer_has():
    assert log(vnet(data=None), flow_log("app"), name="fl-app").facts["target_exists"] is False


RETENTION = [
    ("trap-32-null", None, INF, INF),
    ("off", {"days": 30, "enabled": False}, INF, INF),
    ("zero", {"days": 0, "enabled": True}, INF, INF),
    ("days", {"days": 90, "enabled": True}, INF, 90),
    ("storage-deletes-sooner", {"days": 90, "enabled": True}, 30.0, 30.0),
    ("storage-keeps-longer", {"days": 30, "enabled": True}, 90.0, 30),
    ("storage-alone", {"days": 0, "enabled": False}, 60.0, 60.0),
]


@pytest.mark.parametrize(("policy", "stored", "kept"), [r[1:] for r in RETENTION], ids=[r[0] for r in RETENTION])
def test_retention_is_the_shorter_of_flow_log_and_storage(policy, stored, kept):
    found = log(*PLAIN, flow_log(retentionPolicy=policy), name="fl-vnet", places={STORAGE: {"retention_days": stored}})
    assert found.facts["retention_days"] == kept
    assert found.setting.destinations[0].retention_days == kept


def test_retention_of_unreadable_storage_is_not_known():
    places = {STORAGE: {"exists": UNREADABLE, "retention_days": UNREADABLE}}
    assert log(*PLAIN, flow_log(), name="fl-vnet", places=places).facts["retention_days"] == UNREADABLE


@pytest.mark.parametrize(
    ("configuration", "expected"),
    [(None, False), ({}, False), (analytics(enabled=False), False), (analytics(None), False), (analytics(), True)],
)
def test_traffic_analytics(configuration, expected):
    document = flow_log(flowAnalyticsConfiguration=configuration)
    assert log(*PLAIN, document, name="fl-vnet").facts["traffic_analytics"] is expected


@pytest.mark.parametrize(("exists", "expected"), [(False, False), (UNREADABLE, True)])
def test_traffic_analytics_needs_its_workspace(exists, expected):
    document = flow_log(flowAnalyticsConfiguration=analytics())
    found = log(*PLAIN, document, name="fl-vnet", places={WORKSPACE: {"exists": exists}})
    assert found.facts["traffic_analytics"] is expected


def test_delivers():
    def delivers(*extra, target="vnet", today=TODAY, **place):
        answer = log(*PLAIN, flow_log(target), *extra, name=f"fl-{target}", today=today, places={STORAGE: place})
        return answer.facts["delivers"]

    assert delivers(storage()) is True
    assert delivers(storage("West Europe")) is True
    assert delivers(storage("eastus")) is False  # trap 23
    assert delivers(storage(), accepts=False) is False  # trap 24
    assert delivers(storage(), exists=False) is False
    assert delivers(exists=UNREADABLE) == UNREADABLE
    assert delivers(storage(), accepts=UNREADABLE) == UNREADABLE
    assert delivers(storage(), target="nsg") is True
    assert delivers(storage(), target="nsg", today=date(2027, 10, 1)) is False


ONLY = [
    ("alone", [flow_log("nsg")], True),
    ("beside-network", [flow_log("nsg"), flow_log("vnet")], False),
    ("beside-subnet", [flow_log("nsg"), flow_log("app")], False),
    ("beside-a-filtered-one", [flow_log("nsg"), flow_log("vnet", recordTypes="B")], True),
    ("beside-a-disabled-one", [flow_log("nsg"), flow_log("vnet", enabled=False)], True),
    ("disabled-itself", [flow_log("nsg", enabled=False)], False),
]


@pytest.mark.parametrize(("logs", "only"), [o[1:] for o in ONLY], ids=[o[0] for o in ONLY])
def test_nsg_flow_log_as_the_only_cover(logs, only):
    for today in (TODAY, date(2028, 1, 1)):
        assert log(*PLAIN, *logs, name="fl-nsg", today=today).facts["only_cover"] is only


def test_only_cover_where_other_flow_logs_could_not_be_read():
    assert isinstance(log(*PLAIN, flow_log("nsg"), LIST, HERE, name="fl-nsg").facts["only_cover"], Unknown)
    assert log(*PLAIN, flow_log("nsg"), flow_log(), LIST, HERE, name="fl-nsg").facts["only_cover"] is False


def test_only_cover_of_nothing():
    assert log(nsg(), vnet(app=None), flow_log("nsg"), name="fl-nsg").facts["only_cover"] is False


def test_days_left():
    assert log(*PLAIN, flow_log("nsg"), name="fl-nsg").facts["days_left"] == 312
    assert log(*PLAIN, flow_log("nsg"), name="fl-nsg", today=date(2027, 10, 30)).facts["days_left"] == -30


# --- odd shapes, order ------------------------------------------------------------------------------------------------

ODD = [None, [], "text", 7, {"id": None}, [None, "x", {"id": 5}], {"$unknown": "later"}]


@pytest.mark.parametrize("odd", ODD, ids=[repr(o)[:20] for o in ODD])
def test_odd_shapes_never_crash(odd):
    keys = [
        "targetResourceId",
        "storageId",
        "enabled",
        "provisioningState",
        "retentionPolicy",
        "flowAnalyticsConfiguration",
        "recordTypes",
        "enabledFilteringCriteria",
    ]
    single = [flow_log(name=f"odd-{key}", **{key: odd}) for key in keys]
    whole = {**flow_log(name="whole"), "properties": odd}
    every = {**flow_log(name="every"), "properties": dict.fromkeys(keys, odd)}
    inner = flow_log(name="inner", flowAnalyticsConfiguration={"networkWatcherFlowAnalyticsConfiguration": odd})
    policy = flow_log(name="policy", retentionPolicy={"enabled": odd, "days": odd})
    listed = {"id": f"{WATCHER}/flowLogs", "type": "Microsoft.Network/networkWatchers/flowLogs", "value": odd}
    answer = ask(nsg(flowLogs=odd), *PLAIN[1:], *single, whole, every, inner, policy, listed)
    assert len(answer.logs) == len(keys) + 4
    assert answer.groups[normal_id(f"{NETWORK}/networkSecurityGroups/nsg")].facts["flow_coverage"] == "covered"


def test_the_order_of_documents_does_not_matter():
    documents = [*TWO, flow_log("app"), flow_log("data"), flow_log("nsg"), storage()]
    assert ask(*documents).groups == ask(*reversed(documents)).groups
    assert ask(*documents).networks == ask(*reversed(documents)).networks


def test_gaps_are_bounded():
    names = {f"s{n:02}": "nsg" for n in range(60)}
    documents = [nsg(), vnet(**names), *(nic(f"nic-{name}", subnet=name) for name in names)]
    assert len(group(*documents).facts["flow_gaps"]) == 50


def test_subnets_that_are_documents_of_their_own():
    subnet = {
        "id": subnet_id("app"),
        "type": "Microsoft.Network/virtualNetworks/subnets",
        "name": "vnet/app",
        "properties": {"networkSecurityGroup": ref("networkSecurityGroups", "nsg")},
    }
    answer = ask(nsg(), vnet(), subnet, nic(), flow_log("app"))
    assert answer.subnets[normal_id(subnet_id("app"))].facts["flow_coverage"] == "covered"
    assert answer.networks[normal_id(VNET)].facts["flow_coverage"] == "covered"

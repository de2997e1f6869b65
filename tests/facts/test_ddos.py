"""Facts of DDoS protection: a public IP address has it of its own, or inherits it from the network it is used in."""

import pytest

from auditor.documents import normal_id
from auditor.facts.ddos import ddos_facts
from auditor.facts.look import Look
from auditor.inventory import Unknown

NET = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network"
IP = f"{NET}/publicIPAddresses/pip"
REFUSED = {"$unknown": {"status": 403, "reason": "HTTP 403"}}


def look(*documents, declared=False):
    return Look(documents={normal_id(d["id"]): d for d in documents}, resolve=lambda *_: None, declared=declared)


def thing(kind, name, location="westeurope", sub="s", **properties):
    found = f"/subscriptions/{sub}{NET.removeprefix('/subscriptions/s')}/{kind}/{name}"
    return {"id": found, "type": f"Microsoft.Network/{kind}", "location": location, "properties": properties}


def vnet(name, on, **where):
    return thing("virtualNetworks", name, enableDdosProtection=on, **where)


def configured(vnet_name, **more):
    subnet = {"id": f"{NET}/virtualNetworks/{vnet_name}/subnets/one"}
    return {"name": "default", "properties": {"subnet": subnet, **more}}


def nic(vnet_name, **more):
    return thing("networkInterfaces", "nic", ipConfigurations=[configured(vnet_name, **more)])


AT_NIC = {"ipConfiguration": {"id": f"{NET}/networkInterfaces/NIC/ipConfigurations/default"}}
AT_LB = {"ipConfiguration": {"id": f"{NET}/loadBalancers/lb/frontendIPConfigurations/front"}}
LB = thing("loadBalancers", "lb", frontendIPConfigurations=[{"name": "front", "properties": {}}])
POOL = {"loadBalancerBackendAddressPools": [{"id": f"{NET}/loadBalancers/LB/backendAddressPools/pool"}]}
SET = {
    "id": "/subscriptions/s/resourcegroups/rg/providers/microsoft.compute/virtualmachinescalesets/vmss",
    "type": "Microsoft.Compute/virtualMachineScaleSets",
    "properties": {"virtualMachineProfile": {"networkProfile": {"networkInterfaceConfigurations": [
        {"properties": {"ipConfigurations": [configured("on", **POOL)]}}]}}},
}  # fmt: skip
ON, OFF = vnet("on", True), vnet("off", False)


@pytest.mark.parametrize(
    ("address", "others", "expected"),
    [
        ({"ddosSettings": {"protectionMode": "Enabled"}}, [], True),
        ({"ddosSettings": {"protectionMode": "disabled"}, **AT_NIC}, [ON, nic("on")], False),
        ({"ddosSettings": REFUSED}, [ON], "unknown"),
        ({}, [ON], False),  # attached to nothing
        ({"natGateway": {"id": f"{NET}/natGateways/ng"}}, [ON], False),
        (AT_NIC, [ON, OFF, nic("on")], True),
        (AT_NIC, [ON, OFF, nic("off")], False),
        ({"ddosSettings": {"protectionMode": "VirtualNetworkInherited"}, **AT_NIC}, [ON, OFF, nic("on")], True),
        (AT_NIC, [ON, nic("gone")], "unknown"),
        (AT_NIC, [{**ON, "properties": REFUSED}, nic("on")], "unknown"),
        (AT_NIC, [vnet("on", REFUSED), nic("on")], "unknown"),
        (AT_NIC, [ON, OFF], "unknown"),  # the interface could not be read
        (AT_NIC, [ON], True),  # wherever it is, it is protected
        (AT_NIC, [OFF], False),
        (AT_NIC, [], False),
        (AT_NIC, [vnet("on", True, location="northeurope"), vnet("on", True, sub="other"), OFF], False),
        (AT_LB, [LB, ON, OFF, nic("on", **POOL)], True),
        (AT_LB, [LB, ON, OFF, nic("off", **POOL)], False),
        (AT_LB, [LB, ON, OFF, SET], True),
        (AT_LB, [LB, ON, OFF, SET, nic("off", **POOL)], "unknown"),  # two networks that differ
        (AT_LB, [LB, ON, OFF], "unknown"),  # nothing is known to be behind it
        (REFUSED, [ON], "unknown"),
    ],
)
def test_an_address_is_protected_by_itself_or_by_its_network(address, others, expected):
    document = {"id": IP, "location": "West Europe", "properties": address}
    found = ddos_facts(normal_id(IP), document, look(document, *others))["ddos_protected"]
    assert ("unknown" if isinstance(found, Unknown) else found) == expected


@pytest.mark.parametrize(("others", "expected"), [([], False), ([OFF], False), ([ON], "unknown")])
def test_a_template_does_not_say_what_an_address_will_belong_to(others, expected):
    document = {"id": IP, "location": "westeurope", "properties": {}}
    found = ddos_facts(normal_id(IP), document, look(document, *others, declared=True))["ddos_protected"]
    assert ("unknown" if isinstance(found, Unknown) else found) == expected


def test_an_address_that_could_not_be_read():
    found = ddos_facts(normal_id(IP), {"id": IP, **REFUSED}, look())["ddos_protected"]
    assert isinstance(found, Unknown) and found.status == 403

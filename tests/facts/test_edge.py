"""Facts of what stands at the edge: firewalls before Front Door, intrusion detection and DNS proxies of Azure Firewall."""

import pytest

from auditor.documents import normal_id
from auditor.facts.edge import classic_front_door_facts, firewall_facts, front_door_facts
from auditor.facts.look import Look
from auditor.inventory import Unknown

GROUP = "/subscriptions/s/resourcegroups/rg/providers"
PROFILE = f"{GROUP}/microsoft.cdn/profiles/afd"
POLICIES = "Microsoft.Cdn/profiles/securityPolicies"
WAF = {"id": f"{GROUP}/microsoft.network/frontdoorwebapplicationfirewallpolicies/waf"}
POLICY = f"{GROUP}/Microsoft.Network/firewallPolicies/afwp"
BASE = f"{GROUP}/Microsoft.Network/firewallPolicies/base"
REFUSED = {"$unknown": {"status": 403, "reason": "HTTP 403"}}


def look(*documents, declared=False):
    return Look(documents={normal_id(d["id"]): d for d in documents}, resolve=lambda *_: None, declared=declared)


def told(value):
    return "unknown" if isinstance(value, Unknown) else value


def security_policy(**parameters):
    return {"id": f"{PROFILE}/securityPolicies/one", "type": POLICIES, "properties": {"parameters": parameters}}


def policies(*items, **marks):
    return {"id": f"{PROFILE}/securityPolicies", "type": POLICIES, **(marks or {"value": list(items)})}


@pytest.mark.parametrize(
    ("sku", "documents", "declared", "expected"),
    [
        ("Standard_AzureFrontDoor", [policies(security_policy(wafPolicy=WAF))], False, True),
        ("PREMIUM_AZUREFRONTDOOR", [policies(security_policy(wafPolicy=WAF))], False, True),
        ("Standard_AzureFrontDoor", [policies()], False, False),
        ("Standard_AzureFrontDoor", [policies(security_policy(wafPolicy=None))], False, False),
        ("Standard_AzureFrontDoor", [policies(security_policy(wafPolicy=REFUSED))], False, True),
        ("Standard_AzureFrontDoor", [policies({"properties": {"parameters": REFUSED}})], False, "unknown"),
        ("Standard_AzureFrontDoor", [policies({"properties": None}, security_policy(wafPolicy=WAF))], False, True),
        ("Standard_AzureFrontDoor", [policies(**REFUSED)], False, "unknown"),
        ("Standard_AzureFrontDoor", [policies(value=None)], False, "unknown"),
        ("Standard_AzureFrontDoor", [], False, "unknown"),
        ("Standard_Microsoft", [], False, False),
        ("", [policies(**{"$unsupported": {"status": 400}})], False, False),
        ("", [policies(**{"$absent": {"status": 404}})], False, "unknown"),
        ("Standard_AzureFrontDoor", [], True, False),  # a template that declares none
        ("Standard_AzureFrontDoor", [security_policy(wafPolicy=WAF)], True, True),
        ("Standard_AzureFrontDoor", [security_policy(wafPolicy=None)], True, False),
    ],
)
def test_a_front_door_has_a_firewall_where_a_security_policy_names_one(sku, documents, declared, expected):
    profile = {"id": PROFILE, "type": "Microsoft.Cdn/profiles", "sku": {"name": sku}}
    facts = front_door_facts(PROFILE, profile, look(profile, *documents, declared=declared))
    assert told(facts["firewall_attached"]) == expected


def test_a_policy_of_another_profile_is_no_matter():
    other = {**security_policy(wafPolicy=WAF), "id": f"{GROUP}/microsoft.cdn/profiles/other/securitypolicies/one"}
    facts = front_door_facts(PROFILE, {"sku": {"name": "Standard_AzureFrontDoor"}}, look(other, declared=True))
    assert facts["firewall_attached"] is False


@pytest.mark.parametrize(
    ("door", "declared", "expected"),
    [
        ({"frontendEndpoints": [{"properties": {"webApplicationFirewallPolicyLink": WAF}}]}, False, True),
        ({"frontendEndpoints": [{"properties": {"webApplicationFirewallPolicyLink": None}}]}, False, False),
        ({"frontendEndpoints": [{"properties": {}}, {"properties": {"webApplicationFirewallPolicyLink": WAF}}]}, False, True),
        ({"frontendEndpoints": [{"properties": {"webApplicationFirewallPolicyLink": REFUSED}}]}, False, True),
        ({"frontendEndpoints": []}, False, False),
        ({"frontendEndpoints": [None]}, False, "unknown"),
        ({}, False, "unknown"),
        ({}, True, False),
        (None, False, "unknown"),
    ],
)  # fmt: skip
def test_a_classic_front_door_has_a_firewall_where_an_endpoint_names_one(door, declared, expected):
    document = {"id": "/fd", "properties": door} if door is not None else {"id": "/fd", **REFUSED}
    assert told(classic_front_door_facts("/fd", document, look(declared=declared))["firewall_attached"]) == expected


def firewall(tier="Premium", **properties):
    return {"id": f"{GROUP}/afw", "properties": {"sku": {"tier": tier}, **properties}}


def policy(policy_id=POLICY, **properties):
    return {"id": policy_id, "type": "Microsoft.Network/firewallPolicies", "properties": properties}


LINK = {"firewallPolicy": {"id": POLICY.upper()}}
ON = {"intrusionDetection": {"mode": "Alert"}, "dnsSettings": {"enableProxy": True}}
OFF = {"intrusionDetection": {"mode": "Off"}, "dnsSettings": {"enableProxy": False}}


@pytest.mark.parametrize(
    ("subject", "documents", "expected"),
    [
        (firewall(**LINK), [policy(**ON)], (True, True)),
        (firewall(**LINK), [policy(intrusionDetection={"mode": "Deny"})], (True, False)),
        (firewall(**LINK), [policy(**OFF)], (False, False)),
        (firewall(**LINK), [policy()], (False, False)),
        (firewall("Standard", **LINK), [policy(**ON)], (False, True)),
        (firewall(REFUSED, **LINK), [policy(**OFF)], ("unknown", False)),
        (firewall(**LINK), [], ("unknown", "unknown")),
        (firewall(**LINK), [{"id": POLICY, **REFUSED}], ("unknown", "unknown")),
        (firewall(**LINK), [policy(intrusionDetection=REFUSED, dnsSettings={"enableProxy": REFUSED})],
         ("unknown", "unknown")),
        (firewall(**LINK), [policy(intrusionDetection={"mode": "Sometimes"}, dnsSettings={"enableProxy": 7})],
         ("unknown", "unknown")),
        (firewall(**LINK), [policy(basePolicy={"id": BASE}), policy(BASE, **ON)], ("unknown", "unknown")),
        (firewall(**LINK), [policy(basePolicy={"id": BASE}), policy(BASE, **OFF)], (False, False)),
        (firewall(**LINK), [policy(basePolicy={"id": BASE}, **OFF), policy(BASE, **ON)], (False, False)),
        (firewall(**LINK), [policy(basePolicy={"id": POLICY})], ("unknown", "unknown")),  # its own base, for ever
        (firewall(firewallPolicy=REFUSED), [], ("unknown", "unknown")),
        (firewall(), [], (False, False)),
        (firewall("Standard", additionalProperties={"Network.DNS.EnableProxy": "true"}), [], (False, True)),
        (firewall("Standard", additionalProperties={"Network.DNS.EnableProxy": "false"}), [], (False, False)),
        (firewall("Standard", additionalProperties={"Network.DNS.EnableProxy": REFUSED}), [], (False, "unknown")),
        ({"id": "/afw", **REFUSED}, [], ("unknown", "unknown")),
        ({"id": "/afw", "properties": REFUSED}, [], ("unknown", "unknown")),
    ],
)  # fmt: skip
def test_what_a_firewall_has_on_is_told_by_its_policy(subject, documents, expected):
    facts = firewall_facts(subject["id"], subject, look(*documents))
    assert (told(facts["intrusion_detection"]), told(facts["dns_proxy"])) == expected

"""Has a Front Door a firewall, and which of its features has an Azure Firewall switched on, so that there are logs?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from auditor.documents import SECURITY_POLICIES, Document, marker, parent_of
from auditor.facts.ddos import ddos_facts
from auditor.facts.look import Look, TypeFacts
from auditor.facts.shapes import entries, is_unknown, mapping, props, ref, text
from auditor.facts.unread import fields, listed, unclear, undecided, unread
from auditor.inventory import Unknown

_FRONT_DOORS: Final = ("standard_azurefrontdoor", "premium_azurefrontdoor")
_MOST_BASES: Final = 5  # policies may have a base, which has none in its turn; whatever is written beyond is no policy
_ON: Final = {"true": True, "false": False}


def front_door_facts(profile_id: str, profile: Document, look: Look) -> dict[str, Any]:
    """`firewall_attached` of a Front Door or CDN profile: some security policy puts a firewall before its domains."""
    return {"firewall_attached": _attached(profile_id, profile, look)}


def classic_front_door_facts(_: str, door: Document, look: Look) -> dict[str, Any]:
    """`firewall_attached` of a classic Front Door: some endpoint names a firewall policy."""
    return {"firewall_attached": _linked(door, look)}


def firewall_facts(_: str, firewall: Document, look: Look) -> dict[str, Any]:
    """`intrusion_detection` and `dns_proxy` of an Azure Firewall: whether its policy has them switched on."""
    return {"intrusion_detection": _intrusion_detection(firewall, look), "dns_proxy": _dns_proxy(firewall, look)}


# --- Front Door -------------------------------------------------------------------------------------------------------


def _attached(profile_id: str, profile: Document, look: Look) -> bool | Unknown:
    sku = text(mapping(profile.get("sku")).get("name")).lower()
    if sku and sku not in _FRONT_DOORS:
        return False  # the CDN of before logs its firewall at the policy
    what = "the security policies of the profile"
    document = look.get(f"{profile_id}/securityPolicies")
    own = [  # a template writes each on its own
        found
        for key in look.of_type(SECURITY_POLICIES)
        if parent_of(key) == profile_id and (found := look.documents[key]) is not document
    ]
    if document is not None and marker(document) == "$unsupported":
        return False
    policies = [] if document is None and look.declared else listed(document, what)
    if isinstance(policies, Unknown) and not own:
        return policies
    written = [*(policies if isinstance(policies, list) else ()), *own]
    answers = [_names_policy(policy, what) for policy in written]
    if True in answers:
        return True
    doubts = [answer for answer in answers if isinstance(answer, Unknown)]
    return doubts[0] if doubts else policies if isinstance(policies, Unknown) else False


def _names_policy(policy: object, what: str) -> bool | Unknown:
    properties = fields(mapping(policy).get("properties"))
    parameters = fields(mapping(properties).get("parameters"))
    if parameters is None:
        return unclear(what)
    return bool(ref(parameters.get("wafPolicy"))) or is_unknown(parameters.get("wafPolicy"))


def _linked(door: Document, look: Look) -> bool | Unknown:
    what = "the endpoints of the Front Door"
    if marker(door):
        return unread(door, what)
    endpoints = props(door).get("frontendEndpoints")
    if endpoints is None and look.declared:
        return False
    if not isinstance(endpoints, list):
        return unclear(what, endpoints)
    links = [props(endpoint).get("webApplicationFirewallPolicyLink") for endpoint in entries(endpoints)]
    if any(ref(link) or is_unknown(link) for link in links):
        return True
    return unclear(what) if len(links) != len(endpoints) else False


# --- Azure Firewall ---------------------------------------------------------------------------------------------------


def _intrusion_detection(firewall: Document, look: Look) -> bool | Unknown:
    properties = _properties(firewall, "the firewall")
    if isinstance(properties, Unknown):
        return properties
    sku = properties.get("sku")
    if undecided(sku) or undecided(mapping(sku).get("tier")):
        return unclear("the tier of the firewall", mapping(sku).get("tier") if fields(sku) is not None else sku)
    if text(mapping(sku).get("tier")).lower() != "premium":
        return False  # other tiers cannot
    return _of_policy(properties, "intrusionDetection", "mode", {"off": False, "alert": True, "deny": True}, look)


def _dns_proxy(firewall: Document, look: Look) -> bool | Unknown:
    properties = _properties(firewall, "the firewall")
    if isinstance(properties, Unknown):
        return properties
    if properties.get("firewallPolicy") is None:  # rules of the firewall itself
        written = mapping(properties.get("additionalProperties")).get("Network.DNS.EnableProxy")
        return unclear("the DNS proxy", written) if undecided(written) else text(str(written)).lower() == "true"
    return _of_policy(properties, "dnsSettings", "enableProxy", _ON, look)


def _of_policy(
    properties: Mapping[str, Any], part: str, key: str, words: Mapping[str, bool], look: Look
) -> bool | Unknown:
    """What the firewall's policy says of a switch; what its base says is not certainly what holds."""
    link, own = properties.get("firewallPolicy"), True
    for _ in range(_MOST_BASES):
        if link is None:
            return False
        if is_unknown(link) or not ref(link):
            return unclear("the policy of the firewall", link)
        policy = _properties(look.get(ref(link)), "the policy of the firewall")
        if isinstance(policy, Unknown):
            return policy
        section = policy.get(part)
        written = section if undecided(section) else mapping(section).get(key)
        if undecided(written):
            return unclear("the policy of the firewall", written)
        if written is not None:
            found = words.get(str(written).lower())
            if found is None:
                return unclear("the policy of the firewall")
            return found if own or not found else Unknown(reason="only the base of the firewall's policy has it on")
        link, own = policy.get("basePolicy"), False
    return unclear("the bases of the firewall's policy")


def _properties(document: Document | None, what: str) -> Mapping[str, Any] | Unknown:
    if document is None or marker(document):
        return unread(document, what)
    properties = document.get("properties")
    found = fields(properties)
    return unclear(what, properties) if found is None else found


EDGE_FACTS: Final[Mapping[str, TypeFacts]] = {
    "microsoft.cdn/profiles": front_door_facts,
    "microsoft.network/azurefirewalls": firewall_facts,
    "microsoft.network/frontdoors": classic_front_door_facts,
    "microsoft.network/publicipaddresses": ddos_facts,
}

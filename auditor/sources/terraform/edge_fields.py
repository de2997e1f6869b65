"""What stands between networks and the internet, as a plan writes it: gateways, firewalls, Front Door, addresses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from auditor import documents as d
from auditor.sources.terraform.shape import (
    Link,
    Row,
    Values,
    arm,
    attribute,
    each,
    later,
    named,
    one,
    refers,
    some,
    value_at,
)


def _configuration(block: Values, link: Any) -> dict[str, Any]:
    inside = some(
        subnet=named(link("subnet_id")),
        publicIPAddress=named(link("public_ip_address_id")),
        publicIPPrefix=named(link("public_ip_prefix_id")),
        privateIPAddress=block.get("private_ip_address"),
        privateIPAddressVersion=block.get("private_ip_address_version"),
        gatewayLoadBalancer=named(link("gateway_load_balancer_frontend_ip_configuration_id")),
    )
    return {"name": block.get("name"), "properties": inside}


# --- application gateways ---------------------------------------------------------------------------------------------


def _listener(block: Values, _: Any) -> dict[str, Any]:
    inside = some(
        frontendIPConfiguration=_part("frontendIPConfigurations", block.get("frontend_ip_configuration_name")),
        frontendPort=_part("frontendPorts", block.get("frontend_port_name")),
    )
    return {"name": block.get("name"), "properties": inside}


def _part(kind: str, name: Any) -> Any:
    """A reference to a part of the same resource, by its name."""
    return {"id": f"/{kind}/{name}"} if isinstance(name, str) and name else name if later(name) else None


_FIREWALL_ON: Final = "properties.webApplicationFirewallConfiguration.enabled"
_GATEWAY: Final = arm(
    {
        "properties.sku.name": attribute("sku.name"),
        "properties.sku.tier": attribute("sku.tier"),
        "properties.firewallPolicy": refers("firewall_policy_id"),
        _FIREWALL_ON: attribute("waf_configuration.enabled"),
        "properties.gatewayIPConfigurations": each("gateway_ip_configuration", _configuration),
        "properties.frontendIPConfigurations": each("frontend_ip_configuration", _configuration),
        "properties.frontendPorts": each(
            "frontend_port", lambda block, _: {"name": block.get("name"), "properties": some(port=block.get("port"))}
        ),
        "properties.httpListeners": each("http_listener", _listener),
        "properties.listeners": each("listener", _listener),
    }
)

# --- Azure Firewall ---------------------------------------------------------------------------------------------------


def _own_proxy(v: Values, _: Link) -> Any:
    told = v.get("dns_proxy_enabled")
    if told is None and v.get("dns_servers"):
        return "true"
    return str(told).lower() if isinstance(told, bool) else told


_FIREWALL: Final = arm(
    {
        "properties.sku.name": attribute("sku_name"),
        "properties.sku.tier": attribute("sku_tier", otherwise="Standard"),
        "properties.firewallPolicy": refers("firewall_policy_id"),
        "properties.ipConfigurations": each("ip_configuration", _configuration),
        "properties.virtualHub": refers("virtual_hub.virtual_hub_id"),
    }
)


def _firewall(v: Values, link: Link) -> dict[str, Any]:
    made = _FIREWALL(v, link)
    proxy = _own_proxy(v, link)
    if proxy is not None:
        made["properties"]["additionalProperties"] = {"Network.DNS.EnableProxy": proxy}
    return made


_POLICY: Final = arm(
    {
        "properties.sku.tier": attribute("sku", otherwise="Standard"),
        "properties.basePolicy": refers("base_policy_id"),
        "properties.intrusionDetection.mode": attribute("intrusion_detection.mode"),
        "properties.dnsSettings.enableProxy": attribute("dns.proxy_enabled"),
    }
)

# --- Front Door -------------------------------------------------------------------------------------------------------

_SECURITY: Final = "security_policies.firewall.cdn_frontdoor_firewall_policy_id"
_DOOR: Final = arm(
    {
        "properties.frontendEndpoints": each(
            "frontend_endpoint",
            lambda block, link: {
                "name": block.get("name"),
                "properties": some(
                    webApplicationFirewallPolicyLink=named(link("web_application_firewall_policy_link_id"))
                ),
            },
        )
    }
)

# --- VPN and addresses ------------------------------------------------------------------------------------------------


def _virtual_gateway(v: Values, link: Link) -> dict[str, Any]:
    client = v.get("vpn_client_configuration")
    pool = value_at(v, "vpn_client_configuration.address_space")
    made = _VIRTUAL_GATEWAY(v, link)
    if later(client) or one(client):
        told = {"vpnClientAddressPool": {"addressPrefixes": pool}}
        made["properties"]["vpnClientConfiguration"] = client if later(client) else told
    return made


_VIRTUAL_GATEWAY: Final = arm(
    {
        "properties.gatewayType": attribute("type"),
        "properties.sku.name": attribute("sku"),
        "properties.ipConfigurations": each("ip_configuration", _configuration),
    }
)
_ADDRESS: Final = arm(
    {
        "sku.name": attribute("sku", otherwise="Standard"),
        "properties.publicIPAddressVersion": attribute("ip_version"),
        "properties.ipAddress": attribute("ip_address"),
        "properties.ddosSettings.protectionMode": attribute("ddos_protection_mode"),
    }
)
_BASTION: Final = arm(
    {
        "sku.name": attribute("sku", otherwise="Basic"),
        "properties.ipConfigurations": each("ip_configuration", _configuration),
    }
)
_BALANCER: Final = arm(
    {
        "sku.name": attribute("sku", otherwise="Standard"),
        "properties.frontendIPConfigurations": each("frontend_ip_configuration", _configuration),
    }
)


def _balancer(v: Values, link: Link) -> dict[str, Any]:
    made = _BALANCER(v, link)
    for name in ("backendAddressPools", "loadBalancingRules", "inboundNatRules", "inboundNatPools"):
        made["properties"][name] = []  # resources of their own, joined to it later
    return made


ROWS: Final[Mapping[str, Row]] = {
    "azurerm_application_gateway": Row(type="Microsoft.Network/applicationGateways", build=_GATEWAY),
    "azurerm_firewall": Row(type="Microsoft.Network/azureFirewalls", build=_firewall, computed=("dns_proxy_enabled",)),
    "azurerm_firewall_policy": Row(type="Microsoft.Network/firewallPolicies", build=_POLICY),
    "azurerm_cdn_frontdoor_profile": Row(type="Microsoft.Cdn/profiles", build=arm({"sku.name": attribute("sku_name")})),
    "azurerm_cdn_profile": Row(type="Microsoft.Cdn/profiles", build=arm({"sku.name": attribute("sku")})),
    "azurerm_cdn_frontdoor_security_policy": Row(
        type=d.SECURITY_POLICIES,
        build=arm({"properties.parameters.wafPolicy": refers(_SECURITY)}),
        under="cdn_frontdoor_profile_id",
        spreads=True,
    ),
    "azurerm_frontdoor": Row(type="Microsoft.Network/frontDoors", build=_DOOR),
    "azurerm_virtual_network_gateway": Row(type="Microsoft.Network/virtualNetworkGateways", build=_virtual_gateway),
    "azurerm_public_ip": Row(type="Microsoft.Network/publicIPAddresses", build=_ADDRESS),
    "azurerm_bastion_host": Row(type="Microsoft.Network/bastionHosts", build=_BASTION),
    "azurerm_lb": Row(type="Microsoft.Network/loadBalancers", build=_balancer),
}

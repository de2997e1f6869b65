"""Which azurerm resource is which ARM resource, and how its attributes become the fields that rules read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from auditor.sources.terraform import (
    compute_fields,
    data_fields,
    edge_fields,
    network_fields,
    plain_types,
    policy_fields,
    sql_fields,
    store_fields,
    watch_fields,
    web_fields,
)
from auditor.sources.terraform.shape import Row

AZAPI: Final = "azapi_resource"

# Looked up by their ids, and no documents.
_NAMED: Final[Mapping[str, Row]] = {
    "azurerm_cdn_frontdoor_firewall_policy": Row(type="Microsoft.Network/frontDoorWebApplicationFirewallPolicies"),
    "azurerm_eventhub_namespace_authorization_rule": Row(
        type="Microsoft.EventHub/namespaces/authorizationRules", names=("namespace_name",)
    ),
    "azurerm_frontdoor_firewall_policy": Row(type="Microsoft.Network/frontDoorWebApplicationFirewallPolicies"),
    "azurerm_lb_backend_address_pool": Row(
        type="Microsoft.Network/loadBalancers/backendAddressPools", under="loadbalancer_id"
    ),
    "azurerm_lb_nat_rule": Row(type="Microsoft.Network/loadBalancers/inboundNatRules", under="loadbalancer_id"),
    "azurerm_public_ip_prefix": Row(type="Microsoft.Network/publicIPPrefixes"),
    "azurerm_web_application_firewall_policy": Row(
        type="Microsoft.Network/applicationGatewayWebApplicationFirewallPolicies"
    ),
}
ROWS: Final[Mapping[str, Row]] = {
    **_NAMED,
    **plain_types.ROWS,
    **store_fields.ROWS,
    **network_fields.ROWS,
    **edge_fields.ROWS,
    **sql_fields.ROWS,
    **data_fields.ROWS,
    **compute_fields.ROWS,
    **web_fields.ROWS,
    **watch_fields.ROWS,
    **policy_fields.ROWS,
}
HIDDEN: Final = frozenset(_NAMED)

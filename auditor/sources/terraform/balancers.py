"""Rules, pools and members of load balancers, each a resource of its own in Terraform, joined to what they are of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from auditor.documents import Document
from auditor.sources.terraform.shape import Link, Values, add_to, blocks, later, named, some

_TYPE: Final = "microsoft.network/loadbalancers"
_PARTS: Final = {
    "azurerm_lb_rule": "loadBalancingRules",
    "azurerm_lb_nat_rule": "inboundNatRules",
    "azurerm_lb_nat_pool": "inboundNatPools",
    "azurerm_lb_backend_address_pool": "backendAddressPools",
}
_FIELDS: Final = {
    "azurerm_network_interface_backend_address_pool_association": (
        "backend_address_pool_id",
        "loadBalancerBackendAddressPools",
    ),
    "azurerm_network_interface_nat_rule_association": ("nat_rule_id", "loadBalancerInboundNatRules"),
}
_ADDRESS: Final = "azurerm_lb_backend_address_pool_address"
MEMBERS: Final = frozenset({*_FIELDS, _ADDRESS})
JOINS: Final = MEMBERS | _PARTS.keys()
Find = Callable[[str], Document | None]


def join(kind: str, v: Values, link: Link, find: Find, every: list[Document]) -> None:
    """Put a part of a load balancer into its document, or what it forwards to into that of an interface.

    Where the plan does not tell whose it is, it may be of any: those balancers, or interfaces, are not known.
    """
    if kind in _PARTS:
        balancer = _of(link("loadbalancer_id"), find)
        if balancer is None:
            _unsettle(link("loadbalancer_id"), _TYPE, every, _PARTS[kind])
        else:
            add_to(balancer["properties"], _PARTS[kind], _part(v, link, str(balancer["id"])))
    elif kind == _ADDRESS:
        pool = link("backend_address_pool_id")
        body = some(ipAddress=v.get("ip_address"), virtualNetwork=named(link("virtual_network_id")))
        for item in _pools(pool, find):
            add_to(item["properties"], "loadBalancerBackendAddresses", {"properties": body})
    else:
        attribute, field = _FIELDS[kind]
        nic = _of(link("network_interface_id"), find)
        for item in blocks(nic["properties"].get("ipConfigurations")) if nic is not None else ():
            if item.get("name") == v.get("ip_configuration_name") or later(v.get("ip_configuration_name")):
                inside = item.get("properties")
                if isinstance(inside, dict):
                    add_to(inside, field, named(link(attribute)))


def _of(target: Any, find: Find) -> Document | None:
    document = find(target) if isinstance(target, str) else None
    return document if document is not None and not later(document.get("properties")) else None


def _part(v: Values, link: Link, balancer: str) -> dict[str, Any]:
    front = v.get("frontend_ip_configuration_name")
    told = v.get("backend_address_pool_ids")
    pools = [named(link("backend_address_pool_ids", at)) for at in range(len(told))] if isinstance(told, list) else None
    return {
        "name": v.get("name"),
        "properties": some(
            frontendIPConfiguration=named(f"{balancer}/frontendIPConfigurations/{front}")
            if isinstance(front, str)
            else front,
            backendAddressPools=pools,
            backendAddressPool=named(link("backend_address_pool_id")),
            protocol=v.get("protocol"),
            frontendPort=v.get("frontend_port"),
            frontendPortRangeStart=v.get("frontend_port_start"),
            frontendPortRangeEnd=v.get("frontend_port_end"),
            backendPort=v.get("backend_port"),
            enableFloatingIP=v.get("floating_ip_enabled", v.get("enable_floating_ip")),
        ),
    }


def _unsettle(target: Any, kind: str, every: list[Document], field: str) -> None:
    for document in every:
        if later(target) and str(document["type"]).lower() == kind and not later(document.get("properties")):
            document["properties"][field] = target


def _pools(pool: Any, find: Find) -> list[Any]:
    """The pool in the document of its balancer."""
    if not isinstance(pool, str):
        return []
    balancer = _of(pool.partition("/backendAddressPools/")[0], find)
    items = blocks(balancer["properties"].get("backendAddressPools")) if balancer is not None else []
    name = pool.rstrip("/").rpartition("/")[2].lower()
    return [item for item in items if str(item.get("name")).lower() == name]

"""Networks as a plan writes them: security rules, subnets, interfaces, flow logs, and what is attached to what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from auditor.documents import Document, normal_id, parent_of
from auditor.sources.terraform.shape import Link, Row, Values, add_to, blocks, later, named, one, some, value_at

_RULE: Final = {
    "priority": "priority",
    "direction": "direction",
    "access": "access",
    "protocol": "protocol",
    "source_port_range": "sourcePortRange",
    "source_port_ranges": "sourcePortRanges",
    "destination_port_range": "destinationPortRange",
    "destination_port_ranges": "destinationPortRanges",
    "source_address_prefix": "sourceAddressPrefix",
    "source_address_prefixes": "sourceAddressPrefixes",
    "destination_address_prefix": "destinationAddressPrefix",
    "destination_address_prefixes": "destinationAddressPrefixes",
}
_UNDECIDED_GROUP: Final = "/undecided"  # an application security group; whichever it is, it is never the internet


def _group(v: Values, _: Link) -> dict[str, Any]:
    written = v.get("security_rule")
    if later(written):
        return {"properties": {"securityRules": written}}
    rules = [{"name": rule.get("name"), "properties": _rule(rule)} for rule in blocks(written)]
    return {"properties": {"securityRules": rules}}


def _rule(v: Values) -> dict[str, Any]:
    if later(v):
        return dict(v)
    body = {field: v[attribute] for attribute, field in _RULE.items() if v.get(attribute) is not None}
    sources, targets = (v.get(f"{end}_application_security_group_ids") for end in ("source", "destination"))
    if later(sources):
        body["sourceApplicationSecurityGroups"] = [{"id": _UNDECIDED_GROUP}]
    elif sources:
        body["sourceApplicationSecurityGroups"] = _ids(sources, _UNDECIDED_GROUP)
    if later(targets) or any(not isinstance(target, str) for target in blocks_or_ids(targets)):
        body["destinationAddressPrefix"] = targets if later(targets) else {"$unknown": {"reason": "known after apply"}}
    elif targets:
        body["destinationApplicationSecurityGroups"] = _ids(targets, _UNDECIDED_GROUP)
    return body


def blocks_or_ids(value: Any) -> list[Any]:
    """The items of a list."""
    return value if isinstance(value, list) else []


def _ids(value: Any, otherwise: str) -> list[dict[str, str]]:
    return [{"id": item if isinstance(item, str) else otherwise} for item in blocks_or_ids(value)]


def _network(v: Values, link: Link) -> dict[str, Any]:
    written = v.get("subnet")
    subnets = []
    for at, block in enumerate(blocks(written)):
        prefixes = block.get("address_prefixes") or [block.get("address_prefix")]
        group = link("subnet", at, "security_group")
        inside = some(addressPrefixes=prefixes, networkSecurityGroup=named(group))
        subnets.append({"name": block.get("name"), "properties": inside})
    space = v.get("address_space")
    protected = value_at(v, "ddos_protection_plan.enable")
    return {
        "properties": some(
            addressSpace={"addressPrefixes": space} if space else None, subnets=subnets, enableDdosProtection=protected
        )
    }


def _subnet(v: Values, _: Link) -> dict[str, Any]:
    delegations = [
        {"name": block.get("name"), "properties": {"serviceName": one(block.get("service_delegation")).get("name")}}
        for block in blocks(v.get("delegation"))
    ]
    return {"properties": some(addressPrefixes=v.get("address_prefixes"), delegations=delegations)}


def _interface(v: Values, link: Link) -> dict[str, Any]:
    configurations = []
    for at, block in enumerate(blocks(v.get("ip_configuration"))):
        inside = some(
            subnet=named(link("ip_configuration", at, "subnet_id")),
            publicIPAddress=named(link("ip_configuration", at, "public_ip_address_id")),
            privateIPAddress=block.get("private_ip_address"),
            privateIPAddressVersion=block.get("private_ip_address_version"),
        )
        configurations.append({"name": block.get("name"), "properties": inside})
    return {"properties": {"ipConfigurations": configurations}}


def _flow_log(v: Values, link: Link) -> dict[str, Any]:
    analytics = v.get("traffic_analytics")
    inner = some(
        enabled=one(analytics).get("enabled"), workspaceResourceId=link("traffic_analytics", 0, "workspace_resource_id")
    )
    policy = v.get("retention_policy")
    configuration = {"networkWatcherFlowAnalyticsConfiguration": inner} if inner else None
    return {
        "properties": some(
            targetResourceId=link("target_resource_id") or link("network_security_group_id"),
            storageId=link("storage_account_id"),
            enabled=v.get("enabled"),
            retentionPolicy=policy if later(policy) else one(policy) or None,
            flowAnalyticsConfiguration=analytics if later(analytics) else configuration,
        )
    }


ROWS: Final[Mapping[str, Row]] = {
    "azurerm_network_security_group": Row(type="Microsoft.Network/networkSecurityGroups", build=_group),
    "azurerm_network_security_rule": Row(
        type="Microsoft.Network/networkSecurityGroups/securityRules",
        build=lambda v, _: {"properties": _rule(v)},
        names=("network_security_group_name",),
        spreads=True,
    ),
    "azurerm_virtual_network": Row(type="Microsoft.Network/virtualNetworks", build=_network),
    "azurerm_subnet": Row(
        type="Microsoft.Network/virtualNetworks/subnets", build=_subnet, names=("virtual_network_name",)
    ),
    "azurerm_network_interface": Row(type="Microsoft.Network/networkInterfaces", build=_interface),
    "azurerm_network_watcher": Row(type="Microsoft.Network/networkWatchers"),
    "azurerm_network_watcher_flow_log": Row(
        type="Microsoft.Network/networkWatchers/flowLogs", build=_flow_log, names=("network_watcher_name",)
    ),
}


# --- attachments ------------------------------------------------------------------------------------------------------

_ON: Final = {
    "azurerm_subnet_network_security_group_association": "subnet_id",
    "azurerm_network_interface_security_group_association": "network_interface_id",
}
ATTACHMENTS: Final = frozenset(_ON)
_GROUP_TYPE: Final = "microsoft.network/networksecuritygroups"
_RULE_TYPE: Final = "microsoft.network/networksecuritygroups/securityrules"
_NIC_TYPE: Final = "microsoft.network/networkinterfaces"


def attach(kind: str, link: Link, find: Callable[[str], Document | None], every: list[Document]) -> None:
    """Put a security group on a subnet or interface, as an association says; in whichever document is there.

    Where it is not known on what, every security group may be on something that is not known.
    """
    target, group = link(_ON[kind]), link("network_security_group_id")
    attached = find(target) if isinstance(target, str) else None
    if attached is not None:
        attached.setdefault("properties", {})["networkSecurityGroup"] = named(group)
        return
    own = find(group) if isinstance(group, str) else None
    if isinstance(target, str) and own is not None:
        part = "subnets" if kind.startswith("azurerm_subnet") else "networkInterfaces"
        add_to(own.setdefault("properties", {}), part, {"id": target})
    elif not isinstance(target, str):
        _undecided([own] if own is not None else every)


def rules_apart(every: list[Document]) -> None:
    """Where a group's rules are resources of their own, it has none inside: azurerm knows one way at a time."""
    apart = {parent_of(normal_id(str(d["id"]))) for d in every if str(d.get("type")).lower() == _RULE_TYPE}
    for document in every:
        if normal_id(str(document["id"])) in apart and later(document["properties"].get("securityRules")):
            document["properties"]["securityRules"] = []


def loose_interfaces(every: list[Document]) -> None:
    """Where the subnet of an interface is not known, it may be behind any security group."""
    for document in every:
        if str(document.get("type")).lower() != _NIC_TYPE:
            continue
        for item in blocks(document["properties"].get("ipConfigurations")):
            if later(item["properties"].get("subnet")):
                _undecided(every)
                return


def _undecided(every: list[Document]) -> None:
    for document in every:
        if str(document.get("type")).lower() == _GROUP_TYPE and not later(document.get("properties")):
            where = str(document["id"]).partition("/providers/")[0]
            undecided = {"id": f"{where}/providers/Microsoft.Network/networkInterfaces/not-decided-yet"}
            add_to(document.setdefault("properties", {}), "networkInterfaces", undecided)

"""The estate as Resource Manager itself lists it: what is there now, where Resource Graph may be minutes behind.

Its list of all resources tells no properties. The services' own lists do, each in one read; so those are asked for the
types that have one, and the rest of what rules look into is read one by one. Imported only for `--inventory arm`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

import msgspec

from auditor import documents as d
from auditor.sources.azure import inventory, reads
from auditor.sources.azure.arm_clients import TypedList, typed_list
from auditor.sources.azure.reader import Listed, Reader
from auditor.sources.azure.reads import Read
from auditor.sources.azure.type_reads import OF_TYPE, reads_of

SUBSCRIPTIONS: Final = TypedList(read=reads.SUBSCRIPTIONS, client="subscriptions", method="subscriptions.list")
RESOURCES: Final = TypedList(read=reads.RESOURCES, client="resource", method="resources.list")
_METHODS: Final[Mapping[str, tuple[str, str]]] = {  # lists of a whole subscription, whose items have properties
    "Microsoft.Insights/actionGroups": ("monitor", "action_groups.list_by_subscription_id"),
    "Microsoft.Insights/activityLogAlerts": ("monitor", "activity_log_alerts.list_by_subscription_id"),
    "Microsoft.Insights/dataCollectionRules": ("monitor", "data_collection_rules.list_by_subscription"),
    "Microsoft.KeyVault/managedHSMs": ("keyvault", "managed_hsms.list_by_subscription"),
    "Microsoft.KeyVault/vaults": ("keyvault", "vaults.list_by_subscription"),
    "Microsoft.Network/applicationGateways": ("network", "application_gateways.list_all"),
    "Microsoft.Network/azureFirewalls": ("network", "azure_firewalls.list_all"),
    "Microsoft.Network/bastionHosts": ("network", "bastion_hosts.list"),
    "Microsoft.Network/loadBalancers": ("network", "load_balancers.list_all"),
    "Microsoft.Network/natGateways": ("network", "nat_gateways.list_all"),
    "Microsoft.Network/networkInterfaces": ("network", "network_interfaces.list_all"),
    "Microsoft.Network/networkSecurityGroups": ("network", "network_security_groups.list_all"),
    "Microsoft.Network/networkWatchers": ("network", "network_watchers.list_all"),
    "Microsoft.Network/publicIPAddresses": ("network", "public_ip_addresses.list_all"),
    "Microsoft.Network/virtualNetworks": ("network", "virtual_networks.list_all"),
    "Microsoft.Storage/storageAccounts": ("storage", "storage_accounts.list"),
}


def _typed_lists() -> tuple[TypedList, ...]:
    rows = []
    for kind, (client, method) in _METHODS.items():
        one = reads.resource_read(kind)
        if one is None:
            raise AssertionError(f"{kind} has no api-version in reads.RESOURCE_VERSIONS")
        read = msgspec.structs.replace(one, path=f"{{of}}/providers/{kind}", is_list=True)
        rows.append(TypedList(read=read, client=client, method=method))
    return tuple(rows)


TYPED_LISTS: Final = _typed_lists()
_PAGE: Final = 1000  # resources of a list of all


def listing_reads(tally: Mapping[tuple[str, str], int], guids: Sequence[str]) -> Counter[str]:
    """The reads that listing takes in each subscription, by how many resources of each type it has."""
    listed = {row.read.type.lower() for row in TYPED_LISTS}
    told_by_parent = {read.type.lower() for rows in OF_TYPE.values() for read in rows}
    found = Counter({guid: len(TYPED_LISTS) for guid in guids})
    resources = Counter(dict.fromkeys(guids, 1))  # an empty list is a read too
    for (kind, guid), number in tally.items():
        resources[guid] += number
        if kind not in listed | told_by_parent and reads.resource_read(kind) is not None:
            found[guid] += number
    return found + Counter({guid: math.ceil(number / _PAGE) for guid, number in resources.items()})


async def list_subscriptions(reader: Reader) -> Listed:
    """The list of subscriptions, as the typed client asks for it."""
    return await typed_list(reader, SUBSCRIPTIONS)


async def list_resources(reader: Reader, guid: str, found: inventory.Found) -> list[d.Document]:
    """List a subscription and keep what has come with its properties; returns what is known of the others.

    A service's list that fails loses nothing that the list of all resources shows: that is then read one by one, and if
    it cannot be, its properties are unknown. Only a list of all resources that fails makes the listing unknown.
    """
    left: list[d.Document] = []
    scope = f"/subscriptions/{guid}"
    async with reader.work("inventory") as work:
        work.add([(scope, partial(_all_resources, reader, guid, left))])
        work.add((scope, partial(_keep_typed, reader, row, guid, found)) for row in TYPED_LISTS)
    left = [row for row in left if reader.kept(row["id"], row["type"]) is None]
    await _fill_from_parents(reader, left, found)
    return [row for row in left if reader.kept(row["id"], row["type"]) is None]


async def _all_resources(reader: Reader, guid: str, left: list[d.Document]) -> None:
    left.extend(await inventory.list_directly(reader, guid, await typed_list(reader, RESOURCES, guid)))


async def _keep_typed(reader: Reader, row: TypedList, guid: str, found: inventory.Found) -> None:
    items, _ = await typed_list(reader, row, guid)
    wanted = row.read.type.lower()
    own = (item for item in inventory.rows_of(items) if d.subscription_of(item["id"]) == guid)
    right = (item for item in own if item["type"].lower() == wanted == d.type_of(item["id"]).lower())
    found(inventory.new_resources(reader, right))


async def _fill_from_parents(reader: Reader, left: Sequence[d.Document], found: inventory.Found) -> None:
    """Keep children, such as flow logs, that a list which is read of each parent anyway shows with their properties."""
    lists: dict[tuple[str, str], tuple[Read, str]] = {}
    for row in left:
        parent = d.parent_of(row["id"])
        for read in reads_of(d.type_of(parent)) if parent else ():
            if read.type.lower() == row["type"].lower() and reader.kept(parent, d.type_of(parent)) is not None:
                lists[d.normal_id(parent), row["type"].lower()] = (read, parent)
    async with reader.work("inventory") as work:
        work.add(reader.job(read, parent) for read, parent in lists.values())
    for row in left:
        of = lists.get((d.normal_id(d.parent_of(row["id"])), row["type"].lower()))
        document = reader.kept(of[0].id(of[1]), of[0].type) if of else None
        for item in (document or {}).get("value") or ():
            if isinstance(item.get("id"), str) and d.normal_id(item["id"]) == d.normal_id(row["id"]):
                found(inventory.new_resources(reader, [{**row, **item, "type": row["type"]}]))

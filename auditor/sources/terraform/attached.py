"""What resources of their own say of others: security groups on subnets, firewalls and keys of storage accounts …"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from auditor.documents import Document, normal_id
from auditor.sources.terraform.balancers import JOINS, MEMBERS, join
from auditor.sources.terraform.network_fields import ATTACHMENTS, attach, loose_interfaces, rules_apart
from auditor.sources.terraform.plan import Instance
from auditor.sources.terraform.shape import Link, later
from auditor.sources.terraform.store_fields import network_acls

_ACCOUNT: Final = "microsoft.storage/storageaccounts"
_CLUSTER: Final = "microsoft.operationalinsights/clusters"
_WORKSPACE: Final = "microsoft.operationalinsights/workspaces"
_SLOT: Final = "microsoft.web/sites/slots"
Revise = Callable[[Document, Instance, Link], None]


def attach_all(instances: Iterable[Instance], link_of: Callable[[Instance], Link], every: list[Document]) -> None:
    """Revise the documents by what other resources say of them."""
    by_id = {normal_id(str(document["id"])): document for document in every}

    def find(shown: str) -> Document | None:
        return by_id.get(normal_id(shown))

    for instance in sorted(instances, key=lambda one: one.type in MEMBERS):  # members after the pools that they join
        if instance.type in ATTACHMENTS:
            attach(instance.type, link_of(instance), find, every)
        elif instance.type in JOINS:
            join(instance.type, instance.values, link_of(instance), find, every)
        elif instance.type in _SAY:
            attribute, kind, revise = _SAY[instance.type]
            link = link_of(instance)
            for document in _said_of(link(attribute), kind, find, every):
                revise(document, instance, link)
    _inherit_plans(every, find)
    rules_apart(every)
    loose_interfaces(every)


def _said_of(
    target: Any, kind: str, find: Callable[[str], Document | None], every: list[Document]
) -> Iterator[Document]:
    """The resource that something is said of; where the plan does not tell which, every one of its type."""
    found = [find(target)] if isinstance(target, str) else every if later(target) else []
    for document in found:
        if document is not None and str(document["type"]).lower() == kind and not later(document.get("properties")):
            yield document


def _told(instance: Instance, link: Link, attribute: str, value: Any) -> Any:
    """A value that holds for the resource that is named; not known where it may be of another, or is not there."""
    target = link(attribute)
    if instance.conditions:
        return {"$unknown": {"reason": f"whether {instance.address} is made depends on {min(instance.conditions)}"}}
    return target if later(target) else value


def _firewall(document: Document, instance: Instance, link: Link) -> None:
    document["properties"]["networkAcls"] = _told(instance, link, "storage_account_id", network_acls(instance.values))


def _key(document: Document, instance: Instance, link: Link) -> None:
    document["properties"]["encryption"] = {
        "keySource": _told(instance, link, "storage_account_id", "Microsoft.Keyvault")
    }


def _cluster_key(document: Document, instance: Instance, link: Link) -> None:
    """A cluster's key: that it is set is what counts; which vault it is in, is in its name."""
    key: Any = instance.values.get("key_vault_key_id")
    named = key if isinstance(key, str) else "not-made-yet"
    told = {"keyVaultUri": named, "keyName": named.rstrip("/").rpartition("/")[2]}
    document["properties"]["keyVaultProperties"] = _told(instance, link, "log_analytics_cluster_id", told)


def _linked_cluster(document: Document, instance: Instance, link: Link) -> None:
    if instance.values.get("write_access_id") is None:
        return
    cluster = link("write_access_id")
    features = document["properties"].setdefault("features", {})
    if not later(features):
        features["clusterResourceId"] = _told(instance, link, "workspace_id", cluster)


_SAY: Final[Mapping[str, tuple[str, str, Revise]]] = {  # attribute that names what it is said of, and its type
    "azurerm_storage_account_network_rules": ("storage_account_id", _ACCOUNT, _firewall),
    "azurerm_storage_account_customer_managed_key": ("storage_account_id", _ACCOUNT, _key),
    "azurerm_log_analytics_cluster_customer_managed_key": ("log_analytics_cluster_id", _CLUSTER, _cluster_key),
    "azurerm_log_analytics_linked_service": ("workspace_id", _WORKSPACE, _linked_cluster),
}
SAYING: Final = frozenset({*_SAY, *ATTACHMENTS, *JOINS})


def _inherit_plans(every: list[Document], find: Callable[[str], Document | None]) -> None:
    """A slot runs on its app's plan where it names none."""
    for document in every:
        properties = document.get("properties")
        if (
            str(document["type"]).lower() == _SLOT
            and isinstance(properties, dict)
            and not properties.get("serverFarmId")
        ):
            app = find(str(document["id"]).rpartition("/slots/")[0])
            plan = (app or {}).get("properties", {}).get("serverFarmId")
            if plan is not None:
                properties["serverFarmId"] = plan

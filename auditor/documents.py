"""The contract between sources and the inventory: what a document is, and the document types that are ours.

A *document* is one ARM-shaped object as a source gave it: `{"id", "type", "name", "location", "kind", "sku", "tags",
"properties"}`, exactly as ARM returned it. Four more forms exist:

* a **list document** is one list read: `{"id": <path of the list>, "type", "value": [...]}`. So an empty list is an
  answer, and differs from a list that was never read.
* an **unreadable document** stands for a read that failed: `{"id", "type", "$unknown": {"reason", "status", "code",
  "action", "scope", "grant"}}`.
* a **document in doubt** has `"$perhaps": {"reason", ...}`: a template or plan may make it, or may not.
* an **answered "no"**: `{"id", "type", "$absent": {"status", "code"}}` for what is certainly not there (404), and
  `{"id", "type", "$unsupported": {"status", "code"}}` for a question the resource does not know (400).

Documents of files (plans, templates, code) have two keys more: `$origin`, where they are written
(`{"file", "line", "end_line", "address"}`), and `$accept`, the risks that are accepted in the code beside them: a list
of `{"rule", "reason", "until", "file", "line"}`, or with `problem` and `hint` in place of the first three.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

Document = dict[str, Any]

# Document types of reads that are lists or have no ARM type of their own. Compare without regard to case.
SUBSCRIPTION: Final = "Microsoft.Resources/subscriptions"
LOCATIONS: Final = "Microsoft.Resources/subscriptions/locations"  # list, id /subscriptions/{s}/locations
RESOURCE_GROUPS: Final = "Microsoft.Resources/subscriptions/resourceGroups"  # list, id {s}/resourcegroups
RESOURCE_LIST: Final = "Microsoft.Resources/subscriptions/resources"  # only as $unknown: a scope not listed
TENANT: Final = "Microsoft.Resources/tenants"  # id /tenants/{tenant id}
MANAGEMENT_GROUP: Final = "Microsoft.Management/managementGroups"
DESCENDANTS: Final = "Microsoft.Management/managementGroups/descendants"  # list, id {group}/descendants
DIAGNOSTIC_SETTINGS: Final = "Microsoft.Insights/diagnosticSettings"  # list, id {resource}/providers/{type}
DIAGNOSTIC_CATEGORIES: Final = "Microsoft.Insights/diagnosticSettingsCategories"  # list, likewise
ENTRA: Final = "microsoft.aadiam/tenants"  # the Entra ID tenant as something that logs (made by the inventory)
ENTRA_SETTINGS: Final = "microsoft.aadiam/diagnosticSettings"  # list, id /providers/microsoft.aadiam/...
ENTRA_CATEGORIES: Final = "microsoft.aadiam/diagnosticSettingsCategories"  # list
INTUNE: Final = "microsoft.intune/tenants"  # Intune of the tenant as something that logs (made by the inventory)
INTUNE_SETTINGS: Final = "microsoft.intune/diagnosticSettings"  # list, id /providers/microsoft.intune/...
# Services onboarded to Entra Connect Health: list, id /providers/{type}
HEALTH_SERVICES: Final = "Microsoft.ADHybridHealthService/services"
SUBSCRIBED_SKUS: Final = "microsoft.graph/subscribedSkus"  # list, id /providers/microsoft.graph/subscribedSkus
LOG_PROFILES: Final = "Microsoft.Insights/logProfiles"  # list, id /subscriptions/{s}/providers/{type}
FLOW_LOGS: Final = "Microsoft.Network/networkWatchers/flowLogs"  # list, id {watcher}/flowLogs; and each of its items
DELETED_VAULTS: Final = "Microsoft.KeyVault/deletedVaults"  # list, id /subscriptions/{s}/providers/{type}
TABLES: Final = "Microsoft.OperationalInsights/workspaces/tables"  # list, id {workspace}/tables; and each of its items
SECURITY_POLICIES: Final = "Microsoft.Cdn/profiles/securityPolicies"
LIFECYCLE: Final = "Microsoft.Storage/storageAccounts/managementPolicies"  # id {account}/managementPolicies/default
CONTAINERS: Final = "Microsoft.Storage/storageAccounts/blobServices/containers"  # list, id {account}/blobServices/...
BLOB_SERVICE: Final = "Microsoft.Storage/storageAccounts/blobServices"  # id {account}/blobServices/default
EVENT_HUBS: Final = "Microsoft.EventHub/namespaces/eventhubs"  # list, id {namespace}/eventhubs
HUB_RULES: Final = "Microsoft.EventHub/namespaces/authorizationRules"  # list, id {namespace}/authorizationRules
HUB_NETWORK: Final = "Microsoft.EventHub/namespaces/networkRuleSets"  # id {namespace}/networkRuleSets/default
LOCKS: Final = "Microsoft.Authorization/locks"  # list of a whole subscription, id /subscriptions/{s}/providers/{type}
# list, id {machine or cluster}/providers/{type}
COLLECTION_RULE_ASSOCIATIONS: Final = "Microsoft.Insights/dataCollectionRuleAssociations"
ACTIVITY_ALERTS: Final = "Microsoft.Insights/activityLogAlerts"
DEFENDER_PLANS: Final = "Microsoft.Security/pricings"  # list, id /subscriptions/{s}/providers/{type}
DEFENDER_STORAGE: Final = "Microsoft.Security/defenderForStorageSettings"  # id {account}/providers/{type}/current
DEFENDER_SQL: Final = "Microsoft.Sql/servers/advancedThreatProtectionSettings"  # id {server}/…/Default
SECURITY_CONTACT: Final = "Microsoft.Security/securityContacts"  # id /subscriptions/{s}/providers/{type}/default
SENTINEL: Final = "Microsoft.SecurityInsights/onboardingStates"  # id {workspace}/providers/{type}/default
SENTINEL_CONNECTORS: Final = "Microsoft.SecurityInsights/dataConnectors"  # list, id {workspace}/providers/{type}
# Auditing policies: one document each, id {server}/auditingSettings/default. No resource listing holds them.
SQL_AUDIT: Final = "Microsoft.Sql/servers/auditingSettings"
SQL_EXTENDED_AUDIT: Final = "Microsoft.Sql/servers/extendedAuditingSettings"  # the same, with the filter on events
SQL_SUPPORT_AUDIT: Final = "Microsoft.Sql/servers/devOpsAuditingSettings"  # what Microsoft's engineers do
SQL_DATABASE_AUDIT: Final = "Microsoft.Sql/servers/databases/auditingSettings"
SYNAPSE_AUDIT: Final = "Microsoft.Synapse/workspaces/auditingSettings"
SYNAPSE_POOL_AUDIT: Final = "Microsoft.Synapse/workspaces/sqlPools/auditingSettings"
POSTGRESQL_PARAMETERS: Final = "Microsoft.DBforPostgreSQL/flexibleServers/configurations"  # list
MYSQL_PARAMETERS: Final = "Microsoft.DBforMySQL/flexibleServers/configurations"  # list
# Classic Storage Analytics logging of one service, read from the data plane: id {account}/blobServices/default/
# storageAnalytics; properties {"logging": {"version", "delete", "read", "write", "retentionPolicy": {...}}}
STORAGE_ANALYTICS: Final = "Auditor/storageAnalytics"
# One per place that any log setting names, whether it exists or not (made by the inventory). Its id is the place's.
LOG_DESTINATION: Final = "Auditor/logDestinations"
ACCEPTED_IN_CODE: Final = "Auditor/acceptances"  # what a file accepts beside nothing; id /auditor/acceptances/{file}

# Documents that speak of a resource and are none, each read by itself.
ABOUT: Final = frozenset(
    kind.lower()
    for kind in (
        *(LOCATIONS, RESOURCE_GROUPS, TENANT, DESCENDANTS, DIAGNOSTIC_SETTINGS, DIAGNOSTIC_CATEGORIES),
        *(ENTRA_SETTINGS, ENTRA_CATEGORIES, INTUNE_SETTINGS, HEALTH_SERVICES, SUBSCRIBED_SKUS, LIFECYCLE),
        *(SECURITY_POLICIES, CONTAINERS, BLOB_SERVICE, EVENT_HUBS, HUB_RULES, HUB_NETWORK, LOCKS),
        *(COLLECTION_RULE_ASSOCIATIONS, STORAGE_ANALYTICS, DEFENDER_PLANS, SECURITY_CONTACT, SENTINEL),
        *(DEFENDER_STORAGE, DEFENDER_SQL),
        *(SENTINEL_CONNECTORS, SQL_AUDIT, SQL_EXTENDED_AUDIT, SQL_SUPPORT_AUDIT, SQL_DATABASE_AUDIT),
        *(SYNAPSE_AUDIT, SYNAPSE_POOL_AUDIT, POSTGRESQL_PARAMETERS, MYSQL_PARAMETERS, ACCEPTED_IN_CODE),
    )
)


# Why properties are unknown that Resource Manager's list of resources leaves out, and that no rule of ours looks into.
NOT_ASKED: Final = {"reason": "its properties were not asked for: Resource Manager's list of resources tells none"}


class Focus(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What of the estate is judged; the rest is only known, so that what is judged is judged rightly (see `focus`).

    All kinds of filters must be met, of each kind one is enough. Everything may have `*` and `?`; case is ignored.
    """

    resource_groups: tuple[str, ...] = ()  # names, or whole ids
    exclude_resource_groups: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()  # `key` or `key=value`
    exclude_tags: tuple[str, ...] = ()
    types: tuple[str, ...] = ()  # resource types; what is below one is part of it
    exclude_types: tuple[str, ...] = ()


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """Where, when and as whom documents were collected; the same for a live scan and for its snapshot."""

    source: str = "azure"  # what was read: azure, terraform-plan, arm-template ...
    root: str = ""  # where files are named from, as a path from the top of their repository
    tool_version: str = ""
    cloud: str = "public"
    tenant: str = ""  # tenant id
    principal: str = ""  # who asked: application or user, as the token says
    started_at: str = ""  # RFC 3339, UTC, whole seconds
    finished_at: str = ""
    requests: int = 0
    throttled: int = 0
    denied: int = 0
    inventory: str = ""  # who listed the resources: `graph`, `arm`, or `graph+arm` where Resource Graph was silent
    api_versions: dict[str, str] = msgspec.field(default_factory=dict)  # document type → api-version asked
    interrupted: bool = False
    resumed: int = 0  # how often it was cut off and taken up again; requests and throttled are of the last time
    planned: int = 0  # reads, each of which ended as one of the next three; 0 where nothing was counted
    answered: int = 0
    not_supported: int = 0
    unknown: int = 0
    focus: tuple[Focus, ...] = ()  # the filters that were applied, one after the other: all are met
    left_out: int = 0  # resources that were listed, but do not meet them
    declares: tuple[str, ...] = ()  # of types that exist once, such as subscriptions, those that a file sets logs of
    places: dict[str, str] = msgspec.field(default_factory=dict)  # made-up subscriptions: which folder each stands for
    not_mapped: dict[str, int] = msgspec.field(default_factory=dict)  # types in a file that are not judged: how many
    narrowed: bool = False  # log settings of what was left out were not read, since nothing judged depends on them


class Collection(msgspec.Struct, frozen=True, kw_only=True):
    """All that a source gives: the documents, and how they were come by."""

    documents: list[Document]
    run: Run


NO_SUBSCRIPTION: Final = "00000000-0000-0000-0000-000000000000"  # of what a file does not say where to deploy


def normal_id(value: str) -> str:
    """An ARM id for comparing: lower case, one leading slash, no doubled or trailing ones (domain.md, traps 1)."""
    if value[:1] == "/" and "//" not in value and value[-1] not in "/ \n\t" and len(value) > 1:
        return value.lower()
    return "/" + re.sub(r"/+", "/", value.strip()).strip("/").lower()


def normal_location(value: str | None) -> str:
    """A region for comparing: `West Europe` is `westeurope`."""
    return (value or "").replace(" ", "").lower()


_SUBSCRIPTION_OF = re.compile(r"^/subscriptions/([^/]+)", re.IGNORECASE)
_GROUP_OF = re.compile(r"^/subscriptions/[^/]+/resourcegroups/([^/]+)", re.IGNORECASE)


def subscription_of(resource_id: str) -> str:
    """The subscription id inside an ARM id, lower case; empty where there is none."""
    found = _SUBSCRIPTION_OF.match(resource_id)
    return found.group(1).lower() if found else ""


def tenant_of(subscription: Mapping[str, Any]) -> str:
    """The id of the tenant that a subscription document belongs to, lower case; empty where it does not say.

    Seen through Azure Lighthouse, some tools name the tenant signed in to `tenantId` and the owner `homeTenantId`.
    """
    told = (subscription.get(key) for key in ("homeTenantId", "tenantId"))
    return next((value.strip().lower() for value in told if isinstance(value, str) and value.strip()), "")


def resource_group_of(resource_id: str) -> str:
    """The resource group's name inside an ARM id, as written; empty where there is none."""
    found = _GROUP_OF.match(resource_id)
    return found.group(1) if found else ""


def _at_provider(resource_id: str) -> tuple[str, str, str]:
    """An id before, at and after its last `/providers/`, however that is written."""
    at = resource_id.lower().rfind("/providers/")
    return ("", "", resource_id) if at < 0 else (resource_id[:at], "/providers/", resource_id[at + 11 :])


def type_of(resource_id: str) -> str:
    """The resource type an ARM id speaks of: `Microsoft.KeyVault/vaults`; `` where it has no provider part."""
    _, found, tail = _at_provider(resource_id)
    if not found:
        return SUBSCRIPTION if re.fullmatch(r"/subscriptions/[^/]+/?", resource_id, re.IGNORECASE) else ""
    parts = tail.strip("/").split("/")
    return "/".join([parts[0], *parts[1::2]])


def name_of(resource_id: str) -> str:
    """The last part of an ARM id."""
    return resource_id.rstrip("/").rpartition("/")[2]


def parent_of(resource_id: str) -> str:
    """The id of the resource that an ARM id's resource is a child of; empty for a top-level one."""
    head, _, tail = _at_provider(resource_id)
    parts = tail.strip("/").split("/")
    return f"{head}/providers/{'/'.join(parts[:-2])}" if len(parts) > 3 else ""


def settings_id(resource_id: str) -> str:
    """The id of the list document that holds a resource's diagnostic settings."""
    return f"{resource_id.rstrip('/')}/providers/{DIAGNOSTIC_SETTINGS}"


def categories_id(resource_id: str) -> str:
    """The id of the list document that holds the categories a resource can log."""
    return f"{resource_id.rstrip('/')}/providers/{DIAGNOSTIC_CATEGORIES}"


def kind_key(document: Mapping[str, Any]) -> tuple[str, str, str]:
    """(type, kind, SKU): resources alike in these offer the same categories, so one list is read for all of them."""
    sku = document.get("sku")
    sku_name = sku.get("name") if isinstance(sku, Mapping) else None
    if not isinstance(sku_name, str):  # workspaces, vaults, gateways carry it inside, apps the tier of their plan
        properties = document.get("properties")
        inner = properties.get("sku") if isinstance(properties, Mapping) else None
        sku_name = inner.get("name") if isinstance(inner, Mapping) else inner if isinstance(inner, str) else ""
    return (
        str(document.get("type") or "").lower(),
        str(document.get("kind") or "").lower(),
        str(sku_name or "").lower(),
    )


STORAGE_SERVICES: Final = {
    "blob": "blobServices",
    "queue": "queueServices",
    "table": "tableServices",
    "file": "fileServices",
}


def storage_services(account: Mapping[str, Any]) -> Iterator[str]:
    """The services of a storage account document (`blob`, `queue`, `table`, `file`) that can log.

    Decided from `primaryEndpoints`, kind and SKU, because premium and single-purpose accounts lack services
    (domain.md 4.3); an account whose properties could not be read yields none.
    """
    properties = account.get("properties")
    if not isinstance(properties, Mapping):
        return
    kind = str(account.get("kind") or "StorageV2").lower()
    allowed = {"blobstorage": ("blob",), "blockblobstorage": ("blob",), "filestorage": ("file",)}.get(
        kind, tuple(STORAGE_SERVICES)
    )
    sku = account.get("sku")
    if kind == "storagev2" and isinstance(sku, Mapping) and str(sku.get("name", "")).lower().startswith("premium"):
        allowed = ("blob",)  # premium page blobs
    endpoints = properties.get("primaryEndpoints")
    for service in STORAGE_SERVICES:
        if service in allowed and (not isinstance(endpoints, Mapping) or endpoints.get(service)):
            yield service


def classic_services(account: Mapping[str, Any]) -> Iterator[str]:
    """The services of an account that can have classic Storage Analytics logging (domain.md 4.3).

    Files never do; of premium accounts only those for block blobs.
    """
    sku = account.get("sku")
    premium = isinstance(sku, Mapping) and str(sku.get("name") or "").lower().startswith("premium")
    if premium and str(account.get("kind") or "").lower() != "blockblobstorage":
        return
    yield from (service for service in storage_services(account) if service != "file")


def storage_service_id(account_id: str, service: str) -> str:
    """The id of a storage service, the scope at which its logs are set: `…/blobServices/default`."""
    return f"{account_id.rstrip('/')}/{STORAGE_SERVICES[service]}/default"


def sentinel_health_id(workspace_id: str) -> str:
    """The id of what Microsoft Sentinel's own health and audit events are logged as, in a workspace that it is on."""
    return f"{workspace_id.rstrip('/')}/providers/Microsoft.SecurityInsights/settings/SentinelHealth"


def storage_analytics_id(account_id: str, service: str) -> str:
    """The id of the document that holds a service's classic Storage Analytics logging."""
    return f"{storage_service_id(account_id, service)}/storageAnalytics"


_SINGLE_DESTINATIONS = {
    "workspaceId": "log-analytics",
    "storageAccountId": "storage",
    "eventHubAuthorizationRuleId": "event-hub",
    "serviceBusRuleId": "event-hub",
    "marketplacePartnerId": "partner",
}


def destinations_of(properties: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(kind, id) of each destination that a diagnostic setting's `properties` name; null and "" are none.

    Kinds: `log-analytics`, `storage`, `event-hub`, `partner`. An event hub is named by its namespace's id, or by the
    hub's when the setting or the rule names one.
    """
    for key, kind in _SINGLE_DESTINATIONS.items():
        value = properties.get(key)
        if not isinstance(value, str) or not value.strip():
            continue
        if kind == "event-hub":
            if key == "serviceBusRuleId" and properties.get("eventHubAuthorizationRuleId"):
                continue  # the old name of the same field
            yield kind, _event_hub(value, properties.get("eventHubName"))
        else:
            yield kind, value.rstrip("/")


def access_rules(properties: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(normal id of the place, name of the rule) of each event hub that a diagnostic setting sends to."""
    for key in ("eventHubAuthorizationRuleId", "serviceBusRuleId"):
        value = properties.get(key)
        parts = re.split(r"/authorizationrules/", value, flags=re.IGNORECASE) if isinstance(value, str) else []
        if len(parts) == 2 and parts[1].strip("/ "):
            yield normal_id(_event_hub(parts[0], properties.get("eventHubName"))), parts[1].strip("/ ")


def _event_hub(rule_id: str, hub: object) -> str:
    place = re.split(r"/authorizationrules/", rule_id, flags=re.IGNORECASE)[0].rstrip("/")
    if "/eventhubs/" not in place.lower() and isinstance(hub, str) and hub.strip():
        return f"{place}/eventhubs/{hub.strip()}"
    return place


SET_BY_POLICY: Final = "set-by-policy"
# Codes of `$unknown` documents of files that were read whole: only what they will become is not known.
_UNDECIDED: Final = frozenset(
    {"conditional", "known-after-apply", "known-at-deployment", "plan-suffix-lost", "unresolved",
     "unresolved-parameter", "unresolved-variable", SET_BY_POLICY}
)  # fmt: skip


def is_undecided(document: Mapping[str, Any]) -> bool:
    """Whether an `$unknown` document stands for what a later deployment decides, and not for a failed read."""
    detail = document.get("$unknown")
    code = detail.get("code") if isinstance(detail, Mapping) else None
    return isinstance(code, str) and code.partition("(")[0] in _UNDECIDED


_MARKERS = ("$unknown", "$absent", "$unsupported")


def marker(document: Mapping[str, Any]) -> str | None:
    """`$unknown`, `$absent` or `$unsupported` for a document that is no answer in itself, else None."""
    for mark in _MARKERS:
        if mark in document:
            return mark
    return None


def unreadable(
    doc_id: str,
    doc_type: str,
    *,
    reason: str,
    status: int | None = None,
    code: str | None = None,
    action: str | None = None,
    scope: str | None = None,
    grant: str | None = None,
) -> Document:
    """The document that stands for a read that failed."""
    detail = {"reason": reason, "status": status, "code": code, "action": action, "scope": scope, "grant": grant}
    return {"id": doc_id, "type": doc_type, "$unknown": {k: v for k, v in detail.items() if v is not None}}

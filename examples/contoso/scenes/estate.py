"""What a scene writes to: the documents Azure would answer with, and the answer sheet beside them."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass, field
from typing import Any, Literal

Doc = dict[str, Any]
Status = Literal["pass", "fail", "unknown", "not-applicable"]

SEED = 20261122
NAMESPACE = uuid.UUID("6b1d6f0e-0000-5000-8000-c0de00000001")

PROD, SHARED, DEV, MA, RETIRED, MSP = (
    str(uuid.uuid5(NAMESPACE, f"subscription/{name}"))
    for name in ("contoso-prod", "contoso-shared", "contoso-dev", "contoso-ma-legacy", "contoso-retired", "msp")
)
"""The five subscriptions of Contoso, and the one of its service provider, which Contoso may not list."""

TENANT = str(uuid.uuid5(NAMESPACE, "tenant/contoso.com"))
PRINCIPAL = str(uuid.uuid5(NAMESPACE, "principal/sp-logging-audit"))
APP = str(uuid.uuid5(NAMESPACE, "application/sp-logging-audit"))

WE, NE, UK, SE = "westeurope", "northeurope", "uksouth", "swedencentral"
SHORT = {WE: "we", NE: "ne", UK: "uks", SE: "sdc"}


def guid(name: str) -> str:
    """The same GUID for the same name, always."""
    return str(uuid.uuid5(NAMESPACE, name))


def rid(subscription: str, group: str, kind: str, *names: str) -> str:
    """An ARM id: `rid(PROD, "rg-pay", "Microsoft.Sql/servers/databases", "sql-1", "db-1")`."""
    provider, *types = kind.split("/")
    path = "/".join(f"{t}/{n}" for t, n in zip(types, names, strict=True))
    return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{provider}/{path}"


def denied(action: str, scope: str, code: str = "AuthorizationFailed") -> Doc:
    """The body of an `$unknown` document: ARM answered 403."""
    return {"reason": f"HTTP 403 {code}", "status": 403, "code": code, "action": action, "scope": scope}


# --- what the types can log -------------------------------------------------------------------------------------------

# Type → whether its category list has a group `audit` with members. A type that is not here has no log categories.
LOGS: dict[str, bool] = {
    "Microsoft.AAD/domainServices": True,
    "Microsoft.ApiManagement/service": True,
    "Microsoft.App/managedEnvironments": False,
    "Microsoft.AppConfiguration/configurationStores": True,
    "Microsoft.Attestation/attestationProviders": True,
    "Microsoft.Automation/automationAccounts": True,
    "Microsoft.Batch/batchAccounts": True,
    "Microsoft.Cache/redis": True,
    "Microsoft.Cache/redisEnterprise/databases": True,
    "Microsoft.Cdn/profiles": True,
    "Microsoft.CognitiveServices/accounts": True,
    "Microsoft.Compute/virtualMachines": False,
    "Microsoft.ConfidentialLedger/ledgers": False,
    "Microsoft.ContainerInstance/containerGroups": False,
    "Microsoft.ContainerRegistry/registries": True,
    "Microsoft.ContainerService/managedClusters": False,
    "Microsoft.Dashboard/grafana": True,
    "Microsoft.DataFactory/factories": False,
    "Microsoft.DataProtection/backupVaults": False,
    "Microsoft.DBforMySQL/flexibleServers": True,
    "Microsoft.DBforPostgreSQL/flexibleServers": True,
    "Microsoft.Databricks/workspaces": False,
    "Microsoft.DesktopVirtualization/hostPools": False,
    "Microsoft.Devices/IotHubs": True,
    "Microsoft.DocumentDB/databaseAccounts": True,
    "Microsoft.DocumentDB/mongoClusters": True,
    "Microsoft.EventGrid/topics": True,
    "Microsoft.EventHub/namespaces": True,
    "Microsoft.HealthcareApis/services": False,
    "Microsoft.Insights/components": False,
    "Microsoft.Insights/dataCollectionRules": False,
    "Microsoft.KeyVault/managedHSMs": True,
    "Microsoft.KeyVault/vaults": True,
    "Microsoft.Kusto/clusters": True,
    "Microsoft.Logic/workflows": False,
    "Microsoft.MachineLearningServices/workspaces": True,
    "Microsoft.Network/applicationGateways": False,
    "Microsoft.Network/azureFirewalls": False,
    "Microsoft.Network/bastionHosts": True,
    "Microsoft.Network/dnsResolverPolicies": False,
    "Microsoft.Network/expressRouteCircuits": False,
    "Microsoft.Network/loadBalancers": False,
    "Microsoft.Network/natGateways": False,
    "Microsoft.Network/networkManagers": True,
    "Microsoft.Network/networkSecurityGroups": False,
    "Microsoft.Network/networkSecurityPerimeters": False,
    "Microsoft.Network/publicIPAddresses": True,
    "Microsoft.Network/virtualNetworkGateways": True,
    "Microsoft.Network/virtualNetworks": False,
    "Microsoft.OperationalInsights/workspaces": True,
    "Microsoft.Purview/accounts": True,
    "Microsoft.RecoveryServices/vaults": False,
    "Microsoft.Search/searchServices": True,
    "Microsoft.ServiceBus/namespaces": True,
    "Microsoft.SignalRService/SignalR": True,
    "Microsoft.Sql/managedInstances": True,
    "Microsoft.Sql/servers/databases": True,
    "Microsoft.Storage/storageAccounts/blobServices": False,
    "Microsoft.Storage/storageAccounts/fileServices": False,
    "Microsoft.Storage/storageAccounts/queueServices": False,
    "Microsoft.Storage/storageAccounts/tableServices": False,
    "Microsoft.StreamAnalytics/streamingjobs": False,
    "Microsoft.Synapse/workspaces": True,
    "Microsoft.Synapse/workspaces/sqlPools": True,
    "Microsoft.Web/serverfarms": False,
    "Microsoft.Web/sites": False,
    "Microsoft.Web/sites/slots": False,
}


# Those whose logs have tables of their own in a workspace, but land in AzureDiagnostics unless a setting asks for them.
OWN_TABLES = frozenset(
    {
        "Microsoft.ApiManagement/service",
        "Microsoft.ContainerService/managedClusters",
        "Microsoft.DataFactory/factories",
        "Microsoft.DBforPostgreSQL/flexibleServers",
        "Microsoft.DocumentDB/databaseAccounts",
        "Microsoft.KeyVault/vaults",
        "Microsoft.Network/applicationGateways",
        "Microsoft.Network/azureFirewalls",
        "Microsoft.RecoveryServices/vaults",
        "Microsoft.Synapse/workspaces",
    }
)


# --- places that logs go to -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """A destination as a setting names it, and whether an auditor must find it there."""

    kind: Literal["log-analytics", "storage", "event-hub", "partner"]
    id: str
    exists: Status = "pass"
    why: str = "it is there and readable"


@dataclass(frozen=True)
class Setting:
    """One diagnostic setting: its ARM properties, and the places it names."""

    name: str
    properties: Doc
    places: tuple[Place, ...] = ()


def setting(
    name: str,
    *places: Place,
    groups: tuple[str, ...] = (),
    categories: tuple[str, ...] = (),
    disabled: tuple[str, ...] = (),
    metrics: bool = False,
    dedicated: bool = False,
    nulls: bool = False,
    empty: bool = False,
    days: int = 0,
) -> Setting:
    """A diagnostic setting; `nulls` and `empty` are the two ways ARM writes a destination that is not set."""
    off = {"enabled": days > 0, "days": days}
    properties: Doc = {}
    blank: str | None = "" if empty else None
    if nulls or empty:
        keys = ("storageAccountId", "workspaceId", "eventHubAuthorizationRuleId", "eventHubName")
        properties |= dict.fromkeys(keys, blank)
    for place in places:
        if place.kind == "log-analytics":
            properties["workspaceId"] = place.id
        elif place.kind == "storage":
            properties["storageAccountId"] = place.id
        elif place.kind == "partner":
            properties["marketplacePartnerId"] = place.id
        else:
            namespace, _, hub = place.id.partition("/eventhubs/")
            properties["eventHubAuthorizationRuleId"] = f"{namespace}/authorizationrules/RootManageSharedAccessKey"
            properties["eventHubName"] = hub or None
    if dedicated:
        properties["logAnalyticsDestinationType"] = "Dedicated"
    logs: list[Doc] = [{"category": None, "categoryGroup": g, "enabled": True, "retentionPolicy": off} for g in groups]
    logs += [{"category": c, "categoryGroup": None, "enabled": True, "retentionPolicy": off} for c in categories]
    logs += [{"category": c, "categoryGroup": None, "enabled": False, "retentionPolicy": off} for c in disabled]
    properties["logs"] = logs
    properties["metrics"] = [{"category": "AllMetrics", "enabled": metrics, "retentionPolicy": off}]
    return Setting(name, properties, places)


@dataclass(frozen=True)
class Plan:
    """How a resource logs, with what the three general rules must say of it.

    `logs`: some log leaves for a place that is there. `audit`: all of the group `audit` does. `hollow`: whether every
    setting that names a destination sends logs; None where the resource has no setting, so that nothing is asked.
    `based`: on a workspace, which has its records without any setting, so that `logs` is not asked.
    """

    why: str
    logs: Status
    audit: Status
    hollow: Status | None = "pass"
    settings: tuple[Setting, ...] = ()
    denied: bool = False
    based: bool = False


# Azure itself answers that this one has no diagnostic settings, so the general rules ask nothing of it.
UNSUPPORTED = Plan("Azure answers that it has no diagnostic settings", "not-applicable", "not-applicable", None)


# --- the estate -------------------------------------------------------------------------------------------------------


@dataclass
class Estate:
    """Documents by lower-case id; answers by rule and subject; the places that settings name."""

    documents: dict[str, Doc] = field(default_factory=dict)
    answers: dict[str, dict[str, tuple[str, Status, str, str]]] = field(default_factory=dict)
    named: dict[str, Place] = field(default_factory=dict)
    repeats: set[str] = field(default_factory=set)
    blobs: list[tuple[str, Status, str]] = field(default_factory=list)  # accounts: is any access to blobs logged?
    random: random.Random = field(default_factory=lambda: random.Random(SEED))

    def put(self, document: Doc) -> str:
        """Add one document; its id must be new."""
        key = document["id"].lower()
        if key in self.documents:
            raise ValueError(f"placed twice: {document['id']}")
        self.documents[key] = document
        return str(document["id"])

    def answer(self, rule: str, subject: str, status: Status, why: str, severity: str = "") -> None:
        """Write one line of the answer sheet; `severity` where it is not the rule's own."""
        sheet = self.answers.setdefault(rule, {})
        if subject.lower() in sheet:
            raise ValueError(f"answered twice: {rule}: {subject}")
        sheet[subject.lower()] = (subject, status, severity, why)

    def name_place(self, place: Place) -> None:
        """Remember that a setting names this place."""
        known = self.named.setdefault(place.id.lower(), place)
        if known.exists != place.exists:
            raise ValueError(f"two opinions of {place.id}")

    def listing(self, list_id: str, kind: str, items: list[Doc]) -> None:
        """Add a list document."""
        self.put({"id": list_id, "type": kind, "value": items})

    def unread(self, doc_id: str, kind: str, action: str, code: str = "AuthorizationFailed") -> None:
        """Add a document that stands for a read ARM refuses."""
        scope = doc_id.partition("/providers/Microsoft.Insights/")[0]
        self.put({"id": doc_id, "type": kind, "$unknown": denied(action, scope, code)})

    def settings(self, resource_id: str, *given: Setting, answers: bool = True) -> None:
        """Add the list of a resource's diagnostic settings, with what is asked of any such list."""
        if answers and given:
            kept = any(log["retentionPolicy"]["enabled"] for one in given for log in one.properties["logs"])
            archived = any(place.kind == "storage" for one in given for place in one.places)
            dead = "a setting still carries days" if kept else "no setting carries days"
            if kept or archived:
                self.answer("diagnostic-setting-retention-days", resource_id, "fail" if kept else "pass", dead)
        if answers and len(given) > 1:
            full: Status = "fail" if len(given) == 5 else "pass"
            self.answer("diagnostic-setting-room", resource_id, full, f"{len(given)} of five settings")
            if resource_id.count("/") > 2:  # a subscription's are asked about by another rule
                twice: Status = "fail" if resource_id.lower() in self.repeats else "pass"
                self.answer("resource-logs-sent-twice", resource_id, twice, "as the scene says")
        base = f"{resource_id}/providers/Microsoft.Insights/diagnosticSettings"
        items = []
        for one in given:
            for place in one.places:
                self.name_place(place)
            items.append(
                {
                    "id": f"{base}/{one.name}",
                    "type": "Microsoft.Insights/diagnosticSettings",
                    "name": one.name,
                    "location": None,
                    "kind": None,
                    "tags": None,
                    "properties": one.properties,
                    "identity": None,
                }
            )
        self.listing(base, "Microsoft.Insights/diagnosticSettings", items)

    def deny_settings(self, resource_id: str) -> None:
        """Make a resource's diagnostic settings unreadable, and with them what is asked of any."""
        for rule in ("resource-logs-sent-twice", "diagnostic-setting-room", "diagnostic-setting-retention-days"):
            self.answer(rule, resource_id, "unknown", "ARM refuses to show its diagnostic settings")
        self.unread(
            f"{resource_id}/providers/Microsoft.Insights/diagnosticSettings",
            "Microsoft.Insights/diagnosticSettings",
            "Microsoft.Insights/diagnosticSettings/read",
        )

    def log(self, resource_id: str, kind: str, plan: Plan) -> None:
        """Give a resource its settings, and answer the general rules for it as its plan says."""
        if plan is UNSUPPORTED:
            code = {"status": 400, "code": "ResourceTypeNotSupported"}
            settings = "Microsoft.Insights/diagnosticSettings"
            self.put({"id": f"{resource_id}/providers/{settings}", "type": settings, "$unsupported": code})
            return
        if kind in OWN_TABLES:
            self._tables(resource_id, plan)
        if plan.denied:
            self.deny_settings(resource_id)
        elif plan.settings:
            self.settings(resource_id, *plan.settings)
        if not plan.based:
            self.answer("resource-logs-exported", resource_id, plan.logs, plan.why)
        if LOGS[kind]:
            self.answer("resource-audit-logs-exported", resource_id, plan.audit, plan.why)
        if plan.hollow:
            self.answer("diagnostic-setting-without-logs", resource_id, plan.hollow, plan.why)

    def _tables(self, resource_id: str, plan: Plan) -> None:
        rule = "resource-logs-own-tables"
        to_workspace = [
            one.properties.get("logAnalyticsDestinationType") == "Dedicated"
            for one in plan.settings
            # The older categories of a firewall have no other table.
            if any(
                log["enabled"] and not str(log["category"]).startswith("AzureFirewall")
                for log in one.properties["logs"]
            )
            and any(place.kind == "log-analytics" and place.exists != "fail" for place in one.places)
        ]
        if plan.denied:
            self.answer(rule, resource_id, "unknown", plan.why)
        elif to_workspace:
            own = all(to_workspace)
            self.answer(
                rule, resource_id, "pass" if own else "fail", "its setting asks for them" if own else "nobody asked"
            )

    def add(self, document: Doc, plan: Plan | None = None) -> str:
        """Place a resource; one whose type can log needs a plan, any other must have none."""
        kind = document["type"]
        canonical = next((known for known in LOGS if known.lower() == kind.lower()), None)
        if (canonical is None) != (plan is None):
            raise ValueError(f"{kind} {'needs a' if canonical else 'takes no'} plan: {document['id']}")
        self.put(document)
        if canonical and plan:
            self.log(document["id"], canonical, plan)
        return str(document["id"])

"""Applications and what they run on: what the rules of single types must say, of what is placed here and elsewhere."""

from __future__ import annotations

from scenes.estate import DEV, NE, PROD, RETIRED, SHARED, Doc, Estate, Plan, Status
from scenes.places import ALL_APP, ALL_SEC, DENIED, IN_WORKSPACE, LAW_APP, LAW_OLD, METRICS, NOTHING, everything, gone
from scenes.places import SIEM as HUB
from scenes.things import part, place

Told = dict[str, tuple[Status, str]]
P: Status = "pass"
F: Status = "fail"
U: Status = "unknown"
ALL, NONE, HID = "everything is exported", "nothing is exported", "its settings are not readable"
SITES, SLOTS = "Microsoft.Web/sites", "Microsoft.Web/sites/slots"
LOGIC, AKS, ACR = (
    "Microsoft.Logic/workflows",
    "Microsoft.ContainerService/managedClusters",
    "Microsoft.ContainerRegistry/registries",
)
APIM, EVENTS, BUS = (
    "Microsoft.ApiManagement/service",
    "Microsoft.EventHub/namespaces",
    "Microsoft.ServiceBus/namespaces",
)
GRID, HUBS = "Microsoft.EventGrid/topics", "Microsoft.Devices/IotHubs"
AUTO, BATCH = "Microsoft.Automation/automationAccounts", "Microsoft.Batch/batchAccounts"
RSV, BV = "Microsoft.RecoveryServices/vaults", "Microsoft.DataProtection/backupVaults"
AI, ML = "Microsoft.CognitiveServices/accounts", "Microsoft.MachineLearningServices/workspaces"
SEARCH, AVD, GRAFANA = (
    "Microsoft.Search/searchServices",
    "Microsoft.DesktopVirtualization/hostPools",
    "Microsoft.Dashboard/grafana",
)
SIGNALR, PURVIEW = "Microsoft.SignalRService/SignalR", "Microsoft.Purview/accounts"
CAE, ACI = "Microsoft.App/managedEnvironments", "Microsoft.ContainerInstance/containerGroups"
INSIGHTS = "Microsoft.Insights/components"


def build(estate: Estate) -> None:
    """Place what no other scene has, then answer for all of it."""
    _web(estate)
    _insights(estate)
    _integration(estate)
    _intelligence(estate)
    _containers(estate)
    for rule, kinds, told in ANSWERS:
        _answer(estate, rule, kinds, told)
    for subscription, status, why in PRESENT:
        estate.answer("application-insights-present", f"{subscription}/{SITES}", status, why)


def _answer(estate: Estate, rule: str, kinds: tuple[str, ...], told: Told) -> None:
    """Answer for the resources of these types by their names."""
    seen = set()
    for document in list(estate.documents.values()):
        name = document.get("name", "").rpartition("/")[2]
        if document["type"] in kinds and name in told:
            status, why = told[name]
            estate.answer(rule, document["id"], status, why)
            seen.add(name)
    if told.keys() - seen:
        raise ValueError(f"{rule}: nothing is called {sorted(told.keys() - seen)}")


# --- places -----------------------------------------------------------------------------------------------------------


def _web(estate: Estate) -> None:
    place(estate, SLOTS, "staging", NOTHING, app="pay", parents=("app-pay-prod",), flavour="app,linux", state="Running")
    place(estate, SITES, "app-old", NOTHING, app="old", subscription=RETIRED, flavour="app", state="Running")
    standard = part("runs only", "fail", "WorkflowRuntime")
    place(estate, SITES, "logic-std-prod", standard, app="shop", flavour="functionapp,workflowapp", state="Running")
    place(estate, SITES, "func-pos-prod", METRICS, app="pos", flavour="functionapp", state="Running")


def _insights(estate: Estate) -> None:
    told: tuple[tuple[str, Doc], ...] = (
        ("appi-classic", {"Application_Type": "web", "IngestionMode": "ApplicationInsights"}),
        ("appi-lost", {"Application_Type": "web", "WorkspaceResourceId": LAW_OLD.id}),
        ("appi-strict", {"WorkspaceResourceId": LAW_APP.id, "DisableLocalAuth": True,
                         "publicNetworkAccessForIngestion": "Disabled"}),
    )  # fmt: skip
    for name, properties in told:
        plan = IN_WORKSPACE if name == "appi-strict" else NOTHING
        place(estate, INSIGHTS, name, plan, app="shop", flavour="web", **properties)


def _integration(estate: Estate) -> None:
    portal = {"developerPortalStatus": "Enabled", "publisherEmail": "api@contoso.com"}
    gateway = part("calls, not the portal", "fail", "GatewayLogs")
    for name, sku, plan in (
        ("apim-partners", "Developer", gateway),
        ("apim-shop", "Standard", NOTHING),
        ("apim-hr", "Basic", DENIED),
    ):
        place(estate, APIM, name, plan, app="api", sku=sku, **portal)
    place(estate, APIM, "apim-open", ALL_SEC, app="api", sku="StandardV2", **portal)
    place(estate, LOGIC, "logic-payroll", DENIED, app="hr", state="Enabled")
    for name, plan in (("evgt-orders", ALL_SEC), ("evgt-files", NOTHING), ("evgt-hr", DENIED)):
        place(estate, GRID, name, plan, app="shop", sku="Basic")
    connections = part("connections only", "fail", "Connections")
    for name, plan in (("iot-fleet-prod", ALL_SEC), ("iot-lab-prod", connections), ("iot-pos-prod", DENIED)):
        place(estate, HUBS, name, plan, app="fleet", sku="S1")
    place(estate, AUTO, "aa-hr", DENIED, app="hr", sku="Basic", state="Ok")
    audit = part("audit only", "pass", "AuditLog")
    for name, plan in (("batchrender", ALL_SEC), ("batchrisk", audit), ("batchlab", DENIED)):
        place(estate, BATCH, name, plan, app="lake", poolAllocationMode="BatchService")
    place(estate, BV, "bv-prod-ne", DENIED, app="backup", region=NE)


def _intelligence(estate: Estate) -> None:
    place(estate, AI, "vision-pos-prod", DENIED, app="pos", sku="S0", flavour="ComputerVision")
    jobs = part("jobs and clusters only", "fail", "AmlComputeClusterEvent", "AmlComputeJobEvent")
    for name, plan in (("mlw-lake-prod", ALL_SEC), ("mlw-risk-prod", jobs), ("mlw-lab-prod", DENIED)):
        place(estate, ML, name, plan, app="lake", flavour="Default")
    for name, plan in (("srch-web-prod", NOTHING), ("srch-hr-prod", DENIED)):
        place(estate, SEARCH, name, plan, app="web", sku="standard2")
    connections = part("connections, no management", "fail", "Connection")
    for name, plan in (("vdpool-office", ALL_SEC), ("vdpool-partners", connections), ("vdpool-hr", DENIED)):
        place(estate, AVD, name, plan, app="desktop", hostPoolType="Pooled")
    place(estate, GRAFANA, "graf-ops", everything(HUB), subscription=SHARED, sku="Standard")
    place(estate, PURVIEW, "pview-contoso", DENIED, app="lake")


def _containers(estate: Estate) -> None:
    place(estate, ACR, "crcontosolab", DENIED, app="build", sku="Standard", loginServer="crcontosolab.azurecr.io")
    both = part("console and system by name", "pass", "ContainerAppConsoleLogs", "ContainerAppSystemLogs")
    environments: tuple[tuple[str, str | None, Plan], ...] = (
        ("cae-shop", "log-analytics", NOTHING),
        ("cae-pos", "azure-monitor", both),
        ("cae-web", "azure-monitor", NOTHING),
        ("cae-lab", None, ALL_APP),
        ("cae-hr", "azure-monitor", DENIED),
    )
    for name, destination, plan in environments:
        place(estate, CAE, name, plan, app="web", appLogsConfiguration={"destination": destination})
    named = {"logAnalytics": {"workspaceId": "8c1e5f1e-5c65-4b52-9f43-5c9a7a6e0a11"}}
    groups: tuple[tuple[str, Doc | None, Plan], ...] = (
        ("aci-import", named, NOTHING),
        ("aci-export", None, gone(LAW_OLD)),
        ("aci-hr", None, DENIED),
    )
    for name, diagnostics, plan in groups:
        place(estate, ACI, name, plan, app="lake", osType="Linux", diagnostics=diagnostics)


# --- answers ----------------------------------------------------------------------------------------------------------

_SITES: Told = {
    "app-claims-prod": (P, ALL), "app-fleet-prod": (P, ALL), "app-pay-prod": (P, ALL),
    "app-docs-prod": (F, NONE), "app-pos-prod": (F, NONE), "app-hr-prod": (F, "metrics only"),
    "app-loans-prod": (U, HID), "staging": (F, "the app is exported, its slot is not"), "app-old": (F, NONE),
    **{f"app-{app}-dev": (F, NONE) for app in ("claims", "crm", "docs", "fleet", "hr", "loans", "pos", "pay")},
}  # fmt: skip
_LINKS = {f"appi-{app}-{env}": app for env in ("prod", "dev") for app in
          ("claims", "crm", "docs", "fleet", "hr", "loans", "pos", "pay")}  # fmt: skip
_KEYS: Told = dict.fromkeys((*_LINKS, "appi-classic", "appi-lost"), (F, "never said, so keys are taken"))
ANSWERS: tuple[tuple[str, tuple[str, ...], Told], ...] = (
    ("app-service-http-logs", (SITES, SLOTS), {**_SITES, "app-crm-prod": (P, "HTTP logs by name")}),
    ("app-service-audit-logs", (SITES, SLOTS), {**_SITES, "app-crm-prod": (F, "HTTP logs only")}),
    ("function-app-logs", (SITES,), {
        "func-claims-prod": (P, "by name"),
        "func-mail-prod": (U, "not exported; its app settings may name Application Insights"),
        "func-pos-prod": (U, "metrics only; its app settings may name Application Insights"),
    }),
    ("kubernetes-audit-logs", (AKS,), {
        "aks-pos-prod": (P, "kube-audit-admin by name"), "aks-web-prod": (P, ALL),
        "aks-lake-prod": (F, "the scheduler's log only"), "aks-fleet-prod": (F, NONE), "aks-loans-prod": (U, HID),
    }),
    ("kubernetes-guard-logs", (AKS,), {  # aks-fleet-prod has no Entra ID
        "aks-pos-prod": (P, "guard by name"), "aks-web-prod": (P, ALL), "aks-lake-prod": (F, "the scheduler only"),
        "aks-loans-prod": (U, HID),
    }),
    ("container-registry-logs", (ACR,), {
        "crcontosoprod": (P, ALL), "crcontosobuild": (F, "sign-ins only"), "crcontosodev": (F, NONE),
        "crcontosolab": (U, HID),
    }),
    ("api-management-gateway-logs", (APIM,), {
        "apim-contoso-prod": (P, ALL), "apim-partners": (P, "by name"), "apim-shop": (F, NONE), "apim-hr": (U, HID),
        "apim-open": (P, ALL),
    }),
    ("api-management-portal-logs", (APIM,), {  # apim-contoso-prod has no portal
        "apim-open": (P, ALL), "apim-partners": (F, "calls only"), "apim-shop": (F, NONE), "apim-hr": (U, HID),
    }),
    ("logic-app-runs", (LOGIC, SITES), {
        "logic-orders": (P, ALL), "logic-returns": (P, ALL), "logic-invoices": (F, NONE), "logic-=cmd|calc": (F, NONE),
        "logic-payroll": (U, HID), "logic-std-prod": (P, "by name"),
    }),
    ("messaging-audit-logs", (EVENTS, BUS), {
        "sb-pay-prod": (P, ALL), "sb-shop-prod": (U, HID), "sb-mail-prod": (F, "metrics only"),
        "evhns-pos-prod": (P, "OperationalLogs, all of the two that Standard has"), "evhns-fleet-prod": (F, NONE),
        "evhns-contoso-siem": (P, ALL),
    }),
    ("event-grid-access-logs", (GRID,), {"evgt-orders": (P, ALL), "evgt-files": (F, NONE), "evgt-hr": (U, HID)}),
    ("iot-device-logs", (HUBS,), {
        "iot-fleet-prod": (P, ALL), "iot-lab-prod": (F, "connections only"), "iot-pos-prod": (U, HID),
    }),
    ("automation-logs", (AUTO,), {
        "aa-onboarding": (P, ALL), "aa-patching": (F, "jobs and output, no AuditEvent"), "aa-hr": (U, HID),
    }),
    ("batch-logs", (BATCH,), {"batchrender": (P, ALL), "batchrisk": (F, "audit only"), "batchlab": (U, HID)}),
    ("backup-logs", (RSV, BV), {"rsv-prod-we": (P, ALL), "rsv-prod-ne": (F, NONE), "bv-prod-ne": (U, HID)}),
    ("ai-service-logs", (AI,), {
        "oai-contoso-prod": (P, ALL), "ai-docs-prod": (P, "both by name"), "speech-mail-prod": (F, "Trace only"),
        "vision-pos-prod": (U, HID),
    }),
    ("machine-learning-logs", (ML,), {
        "mlw-lake-prod": (P, ALL), "mlw-risk-prod": (F, "jobs and clusters only"), "mlw-lab-prod": (U, HID),
    }),
    ("search-service-logs", (SEARCH,), {
        "srch-docs-prod": (P, "by name"), "srch-web-prod": (F, NONE), "srch-hr-prod": (U, HID),
    }),
    ("virtual-desktop-logs", (AVD,), {
        "vdpool-office": (P, ALL), "vdpool-partners": (F, "connections only"), "vdpool-hr": (U, HID),
    }),
    ("platform-access-logs", (GRAFANA, SIGNALR, PURVIEW), {
        "graf-ops": (P, ALL), "sigr-pos-prod": (F, NONE), "pview-contoso": (U, HID),
    }),
    ("container-apps-logs", (CAE,), {
        "cae-shop": (P, "it names a workspace"), "cae-pos": (P, "Azure Monitor, and a setting with both logs"),
        "cae-web": (F, "Azure Monitor, and no setting"), "cae-lab": (F, "a setting, but no destination to feed it"),
        "cae-hr": (U, HID),
    }),
    ("container-instance-logs", (ACI,), {
        "aci-import": (P, "it names a workspace"), "aci-export": (F, "its workspace was deleted"), "aci-hr": (U, HID),
    }),
    ("app-insights-workspace", (INSIGHTS,), {
        **dict.fromkeys((*_LINKS, "appi-strict"), (P, "law-contoso-app")), "appi-classic": (F, "classic, no workspace"),
        "appi-lost": (F, "its workspace was deleted"),
    }),
    ("app-insights-local-auth", (INSIGHTS,), {**_KEYS, "appi-strict": (P, "identities only")}),
    ("app-insights-public-ingestion", (INSIGHTS,), {
        **dict.fromkeys(_KEYS, (F, "never said, so open")), "appi-strict": (P, "closed"),
    }),
)  # fmt: skip
PRESENT: tuple[tuple[str, Status, str], ...] = (
    (PROD, "pass", "there are several"),
    (DEV, "pass", "there are several"),
    (RETIRED, "fail", "one application, no Application Insights"),
)

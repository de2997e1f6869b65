"""Everything else a company runs: applications, clusters, gateways, queues, and what has no logs at all."""

from __future__ import annotations

from scenes.central import namespace
from scenes.estate import (
    DEV,
    NE,
    PROD,
    RETIRED,
    SE,
    SHARED,
    UK,
    UNSUPPORTED,
    WE,
    Doc,
    Estate,
    Plan,
    Status,
    guid,
    rid,
)  # fmt: skip
from scenes.places import (
    ALL_APP,
    ALL_SEC,
    AUDIT_SEC,
    DENIED,
    IN_WORKSPACE,
    LAW_APP,
    LAW_OLD,
    LAW_SEC,
    METRICS,
    NOTHING,
    SIEM,
    everything,
)
from scenes.things import GROUP, part, place


def build(estate: Estate) -> None:
    """Place it all."""
    _applications(estate)
    _containers(estate)
    _messaging(estate)
    _operations(estate)
    _edge(estate)
    _silent(estate)


# --- applications -----------------------------------------------------------------------------------------------------


def _applications(estate: Estate) -> None:
    http = part("HTTP logs only", "fail", "AppServiceHTTPLogs")
    plans = (ALL_SEC, http, NOTHING, ALL_APP, METRICS, DENIED, NOTHING, ALL_SEC)
    for number, app in enumerate(("claims", "crm", "docs", "fleet", "hr", "loans", "pos", "pay")):
        for subscription in (PROD, DEV):
            env = GROUP[subscription]
            region = WE if subscription == PROD else NE
            site = plans[number] if subscription == PROD else NOTHING
            farm = place(
                estate,
                "Microsoft.Web/serverfarms",
                f"asp-{app}-{env}",
                NOTHING,
                app=app,
                region=region,
                subscription=subscription,
                flavour="linux",
                sku={"name": "P1v3", "tier": "PremiumV3"},
            )
            place(
                estate,
                "Microsoft.Web/sites",
                f"app-{app}-{env}",
                site,
                app=app,
                region=region,
                flavour="app,linux",
                subscription=subscription,
                serverFarmId=farm,
                state="Running",
                httpsOnly=True,
            )
            place(
                estate,
                "Microsoft.Insights/components",
                f"appi-{app}-{env}",
                IN_WORKSPACE,
                app=app,
                region=region,
                subscription=subscription,
                flavour="web",
                Application_Type="web",
                WorkspaceResourceId=LAW_APP.id,
            )
            place(
                estate,
                "Microsoft.ManagedIdentity/userAssignedIdentities",
                f"id-{app}-{env}",
                None,
                app=app,
                region=region,
                subscription=subscription,
                clientId=guid(f"id/{app}/{env}"),
            )
    for app, plan in (("claims", part("function logs", "fail", "FunctionAppLogs")), ("mail", NOTHING)):
        place(
            estate,
            "Microsoft.Web/sites",
            f"func-{app}-prod",
            plan,
            app=app,
            flavour="functionapp,linux",
            state="Running",
        )
    # A Consumption plan answers "not supported" where others have logs: nothing to ask of it.
    dynamic = rid(PROD, "rg-mail-prod", "Microsoft.Web/serverfarms", "asp-mail-consumption")
    estate.put(
        {
            "id": dynamic,
            "type": "Microsoft.Web/serverfarms",
            "name": "asp-mail-consumption",
            "location": WE,
            "kind": "functionapp",
            "sku": {"name": "Y1", "tier": "Dynamic"},
            "tags": {},
            "properties": {"provisioningState": "Succeeded", "status": "Ready"},
        }
    )
    estate.log(dynamic, "Microsoft.Web/serverfarms", UNSUPPORTED)
    categories = "Microsoft.Insights/diagnosticSettingsCategories"
    code = {"status": 400, "code": "ResourceTypeNotSupported"}
    estate.put({"id": f"{dynamic}/providers/{categories}", "type": categories, "$unsupported": code})
    for name, plan in (
        ("orders", ALL_SEC),
        ("invoices", NOTHING),
        ("returns", everything(SIEM)),
        ("=cmd|calc", NOTHING),
    ):
        place(
            estate,
            "Microsoft.Logic/workflows",
            f"logic-{name}",
            plan,
            app="shop",
            state="Enabled",
            tags={"note": '=HYPERLINK("http://example.com")'} if "cmd" in name else None,
        )
    partial = part("Audit by name, HttpRequest not", "fail", "Audit")
    stores: tuple[tuple[str, Plan, Status], ...] = (
        ("web", AUDIT_SEC, "pass"),
        ("crm", partial, "pass"),
        ("hr", NOTHING, "fail"),
        ("pos", DENIED, "unknown"),
    )
    for app, plan, audit in stores:
        kind = "Microsoft.AppConfiguration/configurationStores"
        store = place(estate, kind, f"appcs-{app}-prod", plan, app=app, sku="standard")
        estate.answer("app-configuration-audit-logs", store, audit, plan.why)
    place(
        estate,
        "Microsoft.CognitiveServices/accounts",
        "oai-contoso-prod",
        ALL_SEC,
        app="lake",
        region=SE,
        sku="S0",
        flavour="OpenAI",
        publicNetworkAccess="Enabled",
    )
    trace = part("Audit and RequestResponse, no network events", "fail", "Audit", "RequestResponse")
    place(
        estate,
        "Microsoft.CognitiveServices/accounts",
        "ai-docs-prod",
        trace,
        app="docs",
        sku="S0",
        flavour="FormRecognizer",
    )
    told = "some categories by name; what the group audit holds may not be read"
    speech = place(
        estate,
        "Microsoft.CognitiveServices/accounts",
        "speech-mail-prod",
        part(told, "unknown", "Trace"),
        app="mail",
        sku="S0",
        flavour="SpeechServices",
    )
    estate.unread(f"{speech}/providers/{categories}", categories, f"{categories}/read")
    place(
        estate,
        "Microsoft.Search/searchServices",
        "srch-docs-prod",
        part("by name", "pass", "OperationLogs"),
        app="docs",
        sku="standard",
    )
    place(
        estate,
        "Microsoft.SignalRService/SignalR",
        "sigr-pos-prod",
        NOTHING,
        app="pos",
        sku="Standard_S1",
        flavour="SignalR",
    )
    runs = part("runs", "pass", "PipelineRuns")
    factory = place(estate, "Microsoft.DataFactory/factories", "adf-lake-prod", runs, app="lake")
    estate.answer("data-factory-run-logs", factory, "fail", "runs of pipelines, not of their activities")


# --- containers -------------------------------------------------------------------------------------------------------


def _containers(estate: Estate) -> None:
    admin = part("administrative API calls and sign-ins", "pass", "kube-audit-admin", "guard", dedicated=True)
    nothing_useful = part("the scheduler's log only", "pass", "kube-scheduler")
    by_rule = {"enabled": True, "config": {"logAnalyticsWorkspaceResourceID": LAW_SEC.id, "useAADAuth": "true"}}
    by_key = {"enabled": True, "config": {"logAnalyticsWorkspaceResourceID": LAW_OLD.id}}
    clusters: tuple[tuple[str, str, Plan, Doc | None], ...] = (
        ("pos", WE, admin, by_rule),
        ("web", WE, everything(SIEM), by_key),
        ("lake", WE, nothing_useful, {"enabled": False}),
        ("fleet", SE, NOTHING, None),
        ("loans", WE, DENIED, by_rule),
    )
    for app, region, plan, insights in clusters:
        name = f"aks-{app}-prod"
        place(
            estate,
            "Microsoft.ContainerService/managedClusters",
            name,
            plan,
            app=app,
            region=region,
            sku={"name": "Base", "tier": "Standard"},
            kubernetesVersion="1.31.3",
            dnsPrefix=name,
            nodeResourceGroup=f"MC_rg-{app}-prod_{name}_{region}",
            aadProfile=None if app == "fleet" else {"managed": True, "enableAzureRBAC": True},
            addonProfiles={"omsagent": insights} if insights else None,
            enableRBAC=True,
        )
    one = part("sign-ins only, not pushes and pulls", "fail", "ContainerRegistryLoginEvents")
    for name, plan in (("crcontosoprod", ALL_SEC), ("crcontosobuild", one)):
        place(
            estate,
            "Microsoft.ContainerRegistry/registries",
            name,
            plan,
            app="build",
            sku="Premium",
            adminUserEnabled=False,
            loginServer=f"{name}.azurecr.io",
        )
    place(
        estate,
        "Microsoft.ContainerRegistry/registries",
        "crcontosodev",
        NOTHING,
        app="build",
        subscription=DEV,
        region=NE,
        sku="Basic",
        adminUserEnabled=True,
        loginServer="crcontosodev.azurecr.io",
    )


# --- messaging --------------------------------------------------------------------------------------------------------


def _messaging(estate: Estate) -> None:
    for app, plan, region in (
        ("fleet", NOTHING, WE),
        ("pos", part("operations only, not what networks were let in", "fail", "OperationalLogs"), WE),
    ):
        space = namespace(f"evhns-{app}-prod", f"rg-{app}-prod", PROD, region)
        estate.add(space, plan)
        estate.listing(f"{space['id']}/eventhubs", "Microsoft.EventHub/namespaces/eventhubs", [])
    for app, plan in (("pay", ALL_SEC), ("shop", DENIED), ("mail", METRICS)):
        place(
            estate, "Microsoft.ServiceBus/namespaces", f"sb-{app}-prod", plan, app=app, sku="Premium", status="Active"
        )


# --- operations -------------------------------------------------------------------------------------------------------


def _operations(estate: Estate) -> None:
    jobs = part("jobs only, no AuditEvent", "fail", "JobLogs", "JobStreams")
    for name, plan in (("aa-patching", jobs), ("aa-onboarding", ALL_SEC)):
        place(
            estate, "Microsoft.Automation/automationAccounts", name, plan, subscription=SHARED, sku="Basic", state="Ok"
        )
    for name, region, plan in (("rsv-prod-we", WE, ALL_SEC), ("rsv-prod-ne", NE, NOTHING)):
        place(estate, "Microsoft.RecoveryServices/vaults", name, plan, app="backup", region=region, sku="RS0")
    for app in ("claims", "crm", "docs"):
        place(estate, "Microsoft.Compute/disks", f"disk-{app}-data", None, app=app, sku="Premium_LRS", diskSizeGB=512)
        place(estate, "Microsoft.Compute/snapshots", f"snap-{app}-2026-11", None, app=app, sku="Standard_LRS")
    place(estate, "Microsoft.Compute/disks", "disk-old", None, subscription=RETIRED, sku="Standard_LRS", diskSizeGB=64)
    place(
        estate,
        "Microsoft.OperationsManagement/solutions",
        "SecurityInsights(law-contoso-sec)",
        None,
        subscription=SHARED,
        workspaceResourceId=LAW_SEC.id,
    )


# --- the edge ---------------------------------------------------------------------------------------------------------


def _edge(estate: Estate) -> None:
    for zone in ("contoso.com", "contoso-shop.eu"):
        place(estate, "Microsoft.Network/dnsZones", zone, None, app="dns", region="global", numberOfRecordSets=42)
    for zone in ("privatelink.vaultcore.azure.net", "privatelink.blob.core.windows.net"):
        place(estate, "Microsoft.Network/privateDnsZones", zone, None, app="dns", region="global", numberOfRecordSets=7)
    for name in ("rt-spokes", "rt-hub"):
        place(estate, "Microsoft.Network/routeTables", name, None, app="network", disableBgpRoutePropagation=True)


def _silent(estate: Estate) -> None:
    for name, region in (("asg-web", WE), ("asg-data", WE), ("asg-web-uk", UK)):
        place(estate, "Microsoft.Network/applicationSecurityGroups", name, None, app="network", region=region)
    for name in ("wb-logging", "wb-identity"):
        place(estate, "Microsoft.Insights/workbooks", guid(name), None, subscription=SHARED, displayName=name)
    hostile = {"owner": "mallory\u202e", "formula": "=1+1|cmd", "html": "<b>bold</b>", "empty": ""}
    place(estate, "Microsoft.ManagedIdentity/userAssignedIdentities", "id-</script>-01", None, app="lab", tags=hostile)

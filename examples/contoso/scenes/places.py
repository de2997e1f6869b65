"""Where Contoso's logs go: workspaces, archive accounts, event hubs; those that are there, gone, or someone else's."""

from __future__ import annotations

from dataclasses import replace

from scenes.estate import DEV, MSP, PROD, SHARED, Place, Plan, rid, setting

LAW = "Microsoft.OperationalInsights/workspaces"
ACCOUNT = "Microsoft.Storage/storageAccounts"
HUBS = "Microsoft.EventHub/namespaces"
LOGS_GROUP = "rg-logging"


def _law(subscription: str, name: str, group: str = LOGS_GROUP, **told: str) -> Place:
    return Place("log-analytics", rid(subscription, group, LAW, name), **told)  # type: ignore[arg-type]


def _archive(subscription: str, name: str, group: str = LOGS_GROUP, **told: str) -> Place:
    return Place("storage", rid(subscription, group, ACCOUNT, name), **told)  # type: ignore[arg-type]


def _hub(name: str, *hub: str, **told: str) -> Place:
    kind = f"{HUBS}/eventhubs" if hub else HUBS
    return Place("event-hub", rid(SHARED, LOGS_GROUP, kind, name, *hub), **told)  # type: ignore[arg-type]


LAW_SEC = _law(SHARED, "law-contoso-sec")
LAW_NET = _law(SHARED, "law-contoso-net")
LAW_APP = _law(PROD, "law-contoso-app")
LAW_DEV = _law(DEV, "law-contoso-dev")
LAW_LAB = _law(DEV, "law-contoso-lab")
LAW_OLD = _law(PROD, "law-contoso-old", exists="fail", why="deleted: ARM answers 404 ResourceNotFound")
LAW_FABRIKAM = _law(
    PROD, "law-fabrikam", "rg-fabrikam", exists="fail", why="its whole group is gone: 404 ResourceGroupNotFound"
)
LAW_MSP = _law(MSP, "law-msp-soc", "rg-soc", exists="unknown", why="the provider's workspace; ARM answers 403")
LAW_ABROAD = _law(
    MSP, "law-msp-abroad", "rg-soc", exists="unknown", why="in another tenant: 401 InvalidAuthenticationTokenTenant"
)
LAW_MSP_SHARED = _law(MSP, "law-msp-contoso", "rg-soc", why="in a subscription not listed, but readable")

ARCH_WE = _archive(SHARED, "stcontosoarchwe")
ARCH_NE = _archive(SHARED, "stcontosoarchne")
ARCH_UK = _archive(SHARED, "stcontosoarchuks")
ARCH_SE = _archive(SHARED, "stcontosoarchsdc")
ARCH_PREFIX = _archive(SHARED, "stcontosomixedwe")
ARCH_PAUSED = _archive(SHARED, "stcontosopausedwe")
ARCH_WIDE = _archive(SHARED, "stcontosocleanwe")
ARCH_DENIED = _archive(DEV, "stcontosodevlogs")
ARCH_GONE = _archive(PROD, "stcontosoarchold", exists="fail", why="deleted: ARM answers 404 ResourceNotFound")
FLOW_WE = _archive(SHARED, "stcontosoflowwe")
FLOW_NE = _archive(SHARED, "stcontosoflowne")
FLOW_UK = _archive(SHARED, "stcontosoflowuks")
FLOW_SE = _archive(SHARED, "stcontosoflowsdc")

SIEM = _hub("evhns-contoso-siem", "insights-logs")
SIEM_DEFAULT = _hub("evhns-contoso-siem", why="no hub is named, so Azure makes one for each category")
SIEM_MISSING = _hub(
    "evhns-contoso-siem", "insights-entra", exists="fail", why="the namespace is there, the hub of that name is not"
)
SIEM_COMPACTED = _hub("evhns-contoso-siem", "asset-state", why="it is there, though compacted")
DATADOG = Place("partner", rid(SHARED, LOGS_GROUP, "Microsoft.Datadog/monitors", "dd-contoso"))


# --- how bulk resources log -------------------------------------------------------------------------------------------

NOTHING = Plan("it has no diagnostic setting", "fail", "fail", None)
IN_WORKSPACE = replace(NOTHING, based=True)
DENIED = Plan("ARM refuses to show its diagnostic settings", "unknown", "unknown", "unknown", denied=True)
ALL_SEC = Plan(
    "everything goes to law-contoso-sec",
    "pass",
    "pass",
    settings=(setting("send-to-law-contoso-sec", LAW_SEC, groups=("allLogs",)),),
)
ALL_DEDICATED = Plan(
    "everything goes to the tables of its own in law-contoso-sec",
    "pass",
    "pass",
    settings=(setting("send-to-law-contoso-sec", LAW_SEC, groups=("allLogs",), dedicated=True, nulls=True),),
)
ALL_APP = Plan(
    "everything goes to law-contoso-app",
    "pass",
    "pass",
    settings=(setting("to-app-team", LAW_APP, groups=("allLogs",), metrics=True),),
)
ALL_DEV = Plan(
    "everything goes to law-contoso-dev",
    "pass",
    "pass",
    settings=(setting("dev-logs", LAW_DEV, groups=("allLogs",)),),
)
AUDIT_SEC = Plan(
    "the group audit goes to law-contoso-sec",
    "pass",
    "pass",
    settings=(setting("audit-to-sec", LAW_SEC, groups=("audit",)),),
)
METRICS = Plan(
    "its only setting sends metrics",
    "fail",
    "fail",
    "fail",
    settings=(setting("metrics", LAW_APP, metrics=True),),
)


def gone(place: Place) -> Plan:
    """Everything is sent to a place that is no longer there."""
    name = place.id.rpartition("/")[2]
    return Plan(
        f"everything goes to {name}, which was deleted",
        "fail",
        "fail",
        settings=(setting("to-siem", place, groups=("allLogs",)),),
    )


def everything(place: Place, **more: bool) -> Plan:
    """Everything is sent to one place that is there, or that cannot be proved to be gone."""
    name = place.id.rpartition("/")[2]
    return Plan(
        f"everything goes to {name}",
        "pass",
        "pass",
        settings=(setting(f"to-{name}", place, groups=("allLogs",), **more),),
    )


def only(
    place: Place,
    *categories: str,
    audit: str,
    why: str,
    off: tuple[str, ...] = (),
    groups: tuple[str, ...] = (),
    dedicated: bool = False,
) -> Plan:
    """Some categories, by name or group, to one place."""
    return Plan(
        why,
        "pass",
        audit,  # type: ignore[arg-type]
        settings=(setting("selected", place, groups=groups, categories=categories, disabled=off, dedicated=dedicated),),
    )

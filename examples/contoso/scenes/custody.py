"""How safely the places keep what they are sent: locks, networks, keys, immutability, and whose logs they hold.

It comes last, since it speaks of every place that any other scene names. By default a place is as its team made it:
without a lock, open to all networks, with keys that are shared.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from scenes.accounts import account, exporting, silent
from scenes.central import hub, namespace
from scenes.estate import DEV, MSP, PROD, SHARED, WE, Doc, Estate, Place, Status, denied, rid
from scenes.places import (
    ACCOUNT,
    ALL_SEC,
    ARCH_DENIED,
    ARCH_NE,
    ARCH_PREFIX,
    ARCH_SE,
    ARCH_UK,
    ARCH_WE,
    ARCH_WIDE,
    FLOW_WE,
    HUBS,
    LAW_APP,
    LAW_DEV,
    LAW_LAB,
    LAW_MSP_SHARED,
    LAW_NET,
    LAW_SEC,
    LOGS_GROUP,
    NOTHING,
    everything,
)

CLUSTERS = "Microsoft.OperationalInsights/clusters"
LOCKS = "Microsoft.Authorization/locks"
Verdict = tuple[Status, str]
# Places that hold logs of their own subscription: what cannot be listed (contoso-ma-legacy) may send there as well, so
# that none of them certainly holds too many.
NEAR: dict[str, Verdict] = {
    LAW_APP.id.lower(): ("unknown", "a team's own: all that is seen comes from the same subscription"),
    LAW_DEV.id.lower(): ("unknown", "a team's own: all that is seen comes from the same subscription"),
    LAW_LAB.id.lower(): ("unknown", "a team's own: all that is seen comes from the same subscription"),
    LAW_SEC.id.lower(): ("unknown", "a fifth of what is seen comes from archives, workspaces and tools beside it"),
    ARCH_DENIED.id.lower(): ("unknown", "nothing near is seen, but not all settings of its subscription are"),
    LAW_NET.id.lower(): ("pass", "only its own query audit, one log source of more than forty"),
    FLOW_WE.id.lower(): ("pass", "only the shared network's flow log, one of more than twenty"),
    ARCH_UK.id.lower(): ("unknown", "half of what is seen there are its own access logs"),
}


def build(estate: Estate) -> None:
    """Make the places what they are, and say it of each."""
    _refusing(estate)
    _locks(estate)
    _workspaces(estate)
    _accounts(estate)
    _namespaces(estate)
    _whose(estate)
    _segregated(estate)
    _skus(estate)


def _tell(estate: Estate, rule: str, kind: str, told: dict[str, Verdict], default: Verdict) -> None:
    """One answer for each place of a kind that is there, or may be: its own, or else what holds by default."""
    owners = {
        place.id.partition("/eventhubs/")[0].lower(): place
        for place in estate.named.values()
        if place.kind == kind and (place.exists != "fail" or "/eventhubs/" in place.id)
    }
    for key, place in sorted(owners.items()):
        subject = place.id.partition("/eventhubs/")[0]
        hidden: Verdict = ("unknown", place.why)
        estate.answer(rule, subject, *told.get(key, hidden if place.exists == "unknown" else default))


def _of(*told: tuple[Place, Status, str]) -> dict[str, Verdict]:
    return {place.id.partition("/eventhubs/")[0].lower(): (status, why) for place, status, why in told}


def _change(estate: Estate, place: Place, **properties: Any) -> None:
    document = estate.documents[place.id.lower()]
    document["properties"] = {**document["properties"], **properties}


# --- what takes no logs, and what may not be seen ---------------------------------------------------------------------

WALLED = Place("storage", rid(SHARED, LOGS_GROUP, ACCOUNT, "stcontosowalledwe"))
PREMIUM = Place("storage", rid(SHARED, LOGS_GROUP, ACCOUNT, "stcontosofastwe"))
EAST = Place("event-hub", rid(SHARED, LOGS_GROUP, f"{HUBS}/eventhubs", "evhns-contoso-east", "logs"))
ABROAD = "the provider's; ARM answers 403"
ARCH_MSP = Place("storage", rid(MSP, "rg-soc", ACCOUNT, "stmsparchive"), "unknown", ABROAD)
HUB_MSP = Place("event-hub", rid(MSP, "rg-soc", HUBS, "evhns-msp-soc"), "unknown", ABROAD)


def _refusing(estate: Estate) -> None:
    """Places that a few components of Application Insights send to, and nobody else."""
    deny = {"bypass": "None", "defaultAction": "Deny", "ipRules": [], "virtualNetworkRules": []}
    watched = {"blob": exporting(ALL_SEC), "queue": silent(), "table": silent(), "file": silent()}
    account(
        estate,
        SHARED,
        LOGS_GROUP,
        "stcontosowalledwe",
        WE,
        watched,
        grave=tuple(watched),
        networkAcls=deny,
        allowSharedKeyAccess=False,
    )
    account(estate, SHARED, LOGS_GROUP, "stcontosofastwe", WE, watched, grave=tuple(watched), sku="Premium_LRS")
    for place in (WALLED, PREMIUM):
        estate.answer("log-storage-lifecycle", place.id, "pass", "it has no lifecycle rules: kept for ever")
    east = estate.add(namespace("evhns-contoso-east", LOGS_GROUP, SHARED, WE), NOTHING)
    estate.documents[east.lower()]["properties"]["minimumTlsVersion"] = "1.0"
    estate.answer("messaging-audit-logs", east, "fail", "it has no diagnostic setting")
    estate.listing(f"{east}/eventhubs", f"{HUBS}/eventhubs", [hub(east, "logs")])
    for place, kind in ((ARCH_MSP, ACCOUNT), (HUB_MSP, HUBS)):
        estate.put({"id": place.id, "type": kind, "$unknown": denied(f"{kind}/read", place.id)})
    estate.answer("log-storage-lifecycle", ARCH_MSP.id, "unknown", ABROAD)
    for number, place in enumerate((WALLED, PREMIUM, EAST, ARCH_MSP, HUB_MSP), start=1):
        name = f"appi-custody-{number}"
        component = estate.add(
            {
                "id": rid(PROD, "rg-custody-prod", "Microsoft.Insights/components", name),
                "type": "Microsoft.Insights/components",
                "name": name,
                "location": WE,
                "kind": "web",
                "tags": {"app": "custody", "env": "prod"},
                "properties": {"Application_Type": "web", "WorkspaceResourceId": LAW_SEC.id},
            },
            replace(everything(place), based=True),
        )
        estate.answer("app-insights-workspace", component, "pass", "it is based on law-contoso-sec")
        estate.answer("app-insights-local-auth", component, "fail", "it takes its instrumentation key")
        estate.answer("app-insights-public-ingestion", component, "fail", "open to all networks")


# --- locks ------------------------------------------------------------------------------------------------------------


def _lock(scope: str, name: str, level: str = "CanNotDelete") -> Doc:
    properties = {"level": level, "notes": "Holds logs: ask secops first"}
    return {"id": f"{scope}/providers/{LOCKS}/{name}", "name": name, "type": LOCKS, "properties": properties}


def _locks(estate: Estate) -> None:
    group = f"/subscriptions/{PROD}/resourceGroups/rg-pay-prod"
    held = [_lock(LAW_SEC.id, "keep-logs"), _lock(ARCH_WE.id.upper(), "archive", "ReadOnly"), _lock(ARCH_NE.id, "keep")]
    estate.listing(f"/subscriptions/{SHARED}/providers/{LOCKS}", LOCKS, held)
    estate.listing(f"/subscriptions/{PROD}/providers/{LOCKS}", LOCKS, [_lock(group, "pay")])
    estate.unread(f"/subscriptions/{DEV}/providers/{LOCKS}", LOCKS, f"{LOCKS}/read")
    estate.put({"id": f"/subscriptions/{MSP}/providers/{LOCKS}", "type": LOCKS,
                "$unknown": denied(f"{LOCKS}/read", f"/subscriptions/{MSP}")})  # fmt: skip
    told = _of(
        (LAW_SEC, "pass", "a lock of its own"),
        (ARCH_WE, "pass", "a read-only lock, on its id in capitals"),
        (ARCH_NE, "pass", "a lock of its own"),
        (LAW_APP, "fail", "the only lock of its subscription is on another group"),
    )
    for place in estate.named.values():
        if place.exists == "pass" and place.id.split("/")[2] in (DEV, MSP):
            told |= _of((place, "unknown", "ARM refuses to list the locks of its subscription"))
    for kind in ("log-analytics", "storage", "event-hub"):
        _tell(estate, "log-destination-delete-lock", kind, told, ("fail", "no lock is on it, its group, subscription"))


# --- workspaces -------------------------------------------------------------------------------------------------------


def _workspaces(estate: Estate) -> None:
    cluster = rid(SHARED, LOGS_GROUP, CLUSTERS, "lac-contoso")
    hidden = rid(MSP, "rg-soc", CLUSTERS, "lac-msp")
    key = {"keyVaultUri": "https://kv-shared-platform.vault.azure.net/", "keyName": "logs", "keyVersion": ""}
    estate.add(
        {
            "id": cluster,
            "type": CLUSTERS,
            "name": "lac-contoso",
            "location": WE,
            "sku": {"name": "CapacityReservation", "capacity": 100},
            "tags": {"owner": "secops@contoso.com"},
            "properties": {"provisioningState": "Succeeded", "keyVaultProperties": key},
        }
    )
    features = estate.documents[LAW_SEC.id.lower()]["properties"]["features"]
    closed = {"publicNetworkAccessForIngestion": "Disabled", "publicNetworkAccessForQuery": "Disabled"}
    _change(estate, LAW_SEC, features={**features, "disableLocalAuth": True, "clusterResourceId": cluster}, **closed)
    _change(estate, LAW_NET, publicNetworkAccessForIngestion="Disabled")
    _change(estate, LAW_MSP_SHARED, features={**features, "clusterResourceId": hidden})

    def tell(rule: str, default: Verdict, *told: tuple[Place, Status, str]) -> None:
        _tell(estate, rule, "log-analytics", _of(*told), default)

    tell("workspace-daily-cap", ("pass", "it has no cap"), (LAW_NET, "fail", "5 GB a day"))
    tell(
        "workspace-network-access",
        ("fail", "open to all networks"),
        (LAW_SEC, "pass", "closed to both"),
        (LAW_NET, "fail", "closed to ingestion, not to queries"),
    )
    tell("workspace-local-authentication", ("fail", "it takes its shared key"), (LAW_SEC, "pass", "keys are refused"))
    tell(
        "workspace-customer-key",
        ("fail", "it is linked to no cluster"),
        (LAW_SEC, "pass", "its cluster has a key of Contoso's"),
        (LAW_MSP_SHARED, "unknown", "its cluster may not be read"),
    )
    for place in estate.named.values():
        document = estate.documents.get(place.id.lower(), {})
        if place.kind == "log-analytics" and "properties" in document and place.id.split("/")[2] != MSP:
            _, status, _, why = estate.answers["resource-logs-exported"][place.id.lower()]
            estate.answer("workspace-query-audit", place.id, status, why)


# --- accounts ---------------------------------------------------------------------------------------------------------


def _accounts(estate: Estate) -> None:
    policy = {"immutabilityPeriodSinceCreationInDays": 400, "state": "Locked", "allowProtectedAppendWrites": True}
    deny = {"bypass": "AzureServices", "defaultAction": "Deny", "ipRules": [], "virtualNetworkRules": []}
    own = {"keySource": "Microsoft.Keyvault", "keyvaultproperties": {"keyname": "logs"}}
    _change(estate, ARCH_WE, allowSharedKeyAccess=False, networkAcls=deny, encryption=own)
    _change(estate, ARCH_WE, immutableStorageWithVersioning={"enabled": True, "immutabilityPolicy": policy})
    _change(estate, FLOW_WE, networkAcls=deny)
    _change(estate, ARCH_SE, allowBlobPublicAccess=True, minimumTlsVersion="TLS1_0")
    _change(estate, ARCH_UK, allowBlobPublicAccess=True)
    _change(estate, ARCH_WIDE, allowBlobPublicAccess=True)

    def held(place: Place, *containers: Doc) -> None:
        list_id = f"{place.id}/blobServices/default/containers"
        estate.listing(list_id, f"{ACCOUNT}/blobServices/containers", [*containers])

    def container(name: str, access: str = "None", days: int = 0) -> Doc:
        inner = {"immutabilityPeriodSinceCreationInDays": days, "state": "Unlocked", "allowProtectedAppendWrites": True}
        properties: Doc = {"publicAccess": access, "hasImmutabilityPolicy": bool(days), "hasLegalHold": False}
        if days:
            properties["immutabilityPolicy"] = {"etag": '"8d"', "updateHistory": [], "properties": inner}
        return {"name": name, "properties": properties}

    held(ARCH_NE, container("insights-logs-storageread", days=365), container("insights-logs-storagewrite", days=365))
    held(ARCH_SE, container("insights-logs-storageread", access="Container"), container("photos", access="Blob"))
    held(ARCH_UK, container("insights-logs-storageread"), container("photos", access="Blob"))
    held(ARCH_PREFIX, container("insights-logs-storageread", days=30))
    kind = f"{ACCOUNT}/blobServices/containers"
    estate.unread(f"{ARCH_WIDE.id}/blobServices/default/containers", kind, f"{kind}/read")
    service = f"{ACCOUNT}/blobServices"
    for place, days in ((ARCH_PREFIX, 30), (ARCH_UK, 3)):
        kept = {"deleteRetentionPolicy": {"enabled": True, "days": days}, "isVersioningEnabled": False}
        estate.put({"id": f"{place.id}/blobServices/default", "name": "default", "type": service, "properties": kept})
    estate.unread(f"{ARCH_WIDE.id}/blobServices/default", service, f"{service}/read")

    def tell(rule: str, default: Verdict, *told: tuple[Place, Status, str]) -> None:
        _tell(estate, rule, "storage", _of(*told), default)

    unread = "ARM refuses to list its containers"
    tell(
        "log-containers-private",
        ("pass", "the account lets nobody read without signing in"),
        (ARCH_SE, "fail", "a log container is open, and the account lets it"),
        (ARCH_UK, "pass", "what is open holds no logs"),
        (ARCH_WIDE, "unknown", unread),
    )
    tell("log-storage-customer-key", ("fail", "Microsoft's keys"), (ARCH_WE, "pass", "a key of Contoso's"))
    tell(
        "log-storage-immutable",
        ("fail", "anybody who may write may delete"),
        (ARCH_WE, "pass", "the account's own policy, 400 days"),
        (ARCH_NE, "pass", "365 days in each container"),
        (ARCH_PREFIX, "fail", "30 days only"),
        (ARCH_WIDE, "unknown", unread),
    )
    tell(
        "log-storage-soft-delete",
        ("fail", "deleted is gone"),
        (ARCH_WE, "pass", "off, but nothing can be deleted"),
        (ARCH_NE, "pass", "off, but nothing can be deleted"),
        (ARCH_PREFIX, "pass", "30 days"),
        (ARCH_UK, "fail", "3 days only"),
        (ARCH_WIDE, "unknown", "ARM refuses to show its blob service"),
    )
    tell(
        "log-storage-hardened",
        ("fail", "it takes shared keys from any network"),
        (ARCH_WE, "pass", "no keys, chosen networks, TLS 1.2"),
        (FLOW_WE, "pass", "Network Watcher needs its keys; the rest is closed"),
        (WALLED, "pass", "no keys, and a firewall that lets nobody in, Azure Monitor neither"),
    )


# --- event hubs -------------------------------------------------------------------------------------------------------


def _namespaces(estate: Estate) -> None:
    siem, east = (rid(SHARED, LOGS_GROUP, HUBS, name) for name in ("evhns-contoso-siem", "evhns-contoso-east"))
    root = {"name": "RootManageSharedAccessKey", "properties": {"rights": ["Listen", "Manage", "Send"]}}
    listen = {"name": "siem-reader", "properties": {"rights": ["Listen"]}}
    estate.listing(f"{siem}/authorizationRules", f"{HUBS}/authorizationRules", [root, listen])
    estate.listing(f"{east}/authorizationRules", f"{HUBS}/authorizationRules", [listen])
    rules = {"defaultAction": "Deny", "trustedServiceAccessEnabled": True, "publicNetworkAccess": "Enabled"}
    estate.put({"id": f"{siem}/networkRuleSets/default", "name": "default", "type": f"{HUBS}/networkRuleSets",
                "properties": rules})  # fmt: skip
    told: dict[str, Verdict] = {siem.lower(): ("pass", "the rule is there and may send")}
    _tell(estate, "event-hub-access-rule", "event-hub", told, ("fail", "the rule that settings send with is gone"))
    told = {siem.lower(): ("pass", "chosen networks, TLS 1.2")}
    _tell(estate, "event-hub-network-access", "event-hub", told, ("fail", "any network, TLS 1.0"))


# --- the places themselves --------------------------------------------------------------------------------------------


def _whose(estate: Estate) -> None:
    refusing = {
        WALLED.id.lower(): "its firewall lets nobody in",
        PREMIUM.id.lower(): "a premium account takes no logs",
    }
    for place in estate.named.values():
        if place.exists == "fail":
            continue
        if place.exists == "unknown":
            estate.answer("log-destination-accepts", place.id, "unknown", place.why)
        elif place.id.lower() in refusing:
            estate.answer("log-destination-accepts", place.id, "fail", refusing[place.id.lower()])
        elif place.id.endswith("/asset-state"):
            estate.answer("log-destination-accepts", place.id, "fail", "the hub is compacted")
        elif place == ARCH_WIDE:
            estate.answer("log-destination-accepts", place.id, "unknown", "whether its containers can be appended to")
        else:
            estate.answer("log-destination-accepts", place.id, "pass", "nothing keeps Azure Monitor out")


def _segregated(estate: Estate) -> None:
    for place in estate.named.values():
        if place.exists == "fail" or place.kind not in ("log-analytics", "storage"):
            continue
        default: Verdict = ("pass", "none of what it holds comes from its own subscription")
        if place.id.split("/")[2] in (PROD, DEV):
            default = ("unknown", "it lies among what logs there, or may: not all settings beside it can be read")
        status, why = NEAR.get(place.id.lower(), default)
        estate.answer("log-destination-segregated", place.id, status, why)


SMALL = {"basic", "free", "consumption"}
SIZED = (
    "Microsoft.ApiManagement/service",
    "Microsoft.Cache/redis",
    "Microsoft.Network/loadBalancers",
    "Microsoft.Network/publicIPAddresses",
    "Microsoft.Network/virtualNetworkGateways",
    "Microsoft.Sql/servers/databases",
)


def _skus(estate: Estate) -> None:
    sized = {kind.lower() for kind in SIZED}
    for document in list(estate.documents.values()):
        if document["type"].lower() in sized and "properties" in document:
            names = [(document.get("sku") or {}).get("name"), (document["properties"].get("sku") or {}).get("name")]
            small = [name for name in names if isinstance(name, str) and name.lower() in SMALL]
            status: Status = "fail" if small else "pass"
            estate.answer(
                "resource-sku-can-log",
                document["id"],
                status,
                f"SKU {small[0]}" if small else "a SKU with all its logs",
            )

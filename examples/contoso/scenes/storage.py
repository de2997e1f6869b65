"""Storage accounts of every kind, and every way in which their reads, writes and deletes are logged or not."""

from __future__ import annotations

from scenes.accounts import FULL, Classic, Service, account, exporting, silent
from scenes.estate import DEV, NE, PROD, RETIRED, SE, SHARED, UK, UNSUPPORTED, WE, Estate, Place, Plan, rid, setting
from scenes.places import (
    ACCOUNT,
    ALL_DEV,
    ALL_SEC,
    ARCH_DENIED,
    ARCH_NE,
    ARCH_PAUSED,
    ARCH_PREFIX,
    ARCH_SE,
    ARCH_UK,
    ARCH_WE,
    ARCH_WIDE,
    DENIED,
    LAW_MSP,
    LAW_OLD,
    LAW_SEC,
    METRICS,
    NOTHING,
    SIEM,
    everything,
    gone,
)

RWD = ("StorageRead", "StorageWrite", "StorageDelete")
WATCHED = exporting(ALL_SEC)
SILENT = silent()


def build(estate: Estate) -> None:
    """Place all accounts but those that receive logs."""
    _ways(estate)
    _classic(estate)
    _kinds(estate)
    _bulk(estate)
    _loops(estate)


def _plan(why: str, logs: str, hollow: str, *given: object) -> Plan:
    return Plan(why, logs, logs, hollow, given)  # type: ignore[arg-type]


def _ways(estate: Estate) -> None:
    pay = {"app": "payments", "data": "confidential", "owner": "payments@contoso.com"}
    account(estate, PROD, "rg-pay-prod", "stpayprod01", WE, WATCHED, tags=pay)
    by_name = _plan("each category by name", "pass", "pass", setting("by-name", LAW_SEC, categories=RWD))
    split = _plan(
        "reads go to law-contoso-sec, writes and deletes to an archive",
        "pass",
        "pass",
        setting("reads", LAW_SEC, categories=RWD[:1], disabled=RWD[1:]),
        setting("changes", ARCH_WE, categories=RWD[1:], disabled=RWD[:1]),
    )
    changes = _plan("no reads", "pass", "pass", setting("changes", LAW_SEC, categories=RWD[1:]))
    shouted = _plan(
        "each category by name, in other letters", "pass", "pass",
        setting("by-name", SIEM, categories=("STORAGEREAD", "storagewrite", "StorageDELETE")),
    )  # fmt: skip
    services = {
        "blob": exporting(by_name),
        "queue": exporting(split),
        "table": Service(changes, "fail", "reads are not exported"),
        "file": exporting(shouted),
    }
    account(estate, PROD, "rg-pay-prod", "stpayprod02", WE, services, tags=pay, grave=tuple(services))

    off = _plan("all its logs are listed, none is on", "fail", "fail", setting("off", LAW_SEC, disabled=RWD))
    blank = _plan("logs are on, but the destination is empty", "fail", "pass", setting("x", categories=RWD, empty=True))
    null = _plan("logs are on, but the destination is null", "fail", "pass", setting("x", categories=RWD, nulls=True))
    services = {
        "blob": Service(METRICS, "fail"),
        "queue": Service(off, "fail"),
        "table": Service(blank, "fail"),
        "file": Service(null, "fail"),
    }
    account(estate, PROD, "rg-shop-prod", "stshopprod01", WE, services)
    services = {
        "blob": Service(gone(LAW_OLD), "fail"),
        "queue": Service(DENIED, "unknown"),
        "table": exporting(everything(LAW_MSP)),
        "file": SILENT,
    }
    account(estate, PROD, "rg-shop-prod", "stshopprod02", WE, services)

    # A setting on the account itself can only carry metrics; its services are separate scopes.
    # Its containers may be public: anybody may read what is in one, without a sign-in.
    public = {"allowBlobPublicAccess": True}
    rooted = account(estate, PROD, "rg-shop-prod", "stshopprod03", WE, SILENT, grave=("blob",), **public)
    estate.settings(rooted, setting("account-metrics", LAW_SEC, metrics=True))
    for place, region in ((ARCH_NE, NE), (ARCH_UK, UK), (ARCH_SE, SE)):
        name = f"stweb{region[:2]}prod01"
        account(estate, PROD, "rg-web-prod", name, region, {**_quiet(), "blob": exporting(everything(place))})
    for number, place in enumerate((ARCH_PREFIX, ARCH_PAUSED, ARCH_WIDE, ARCH_DENIED), start=1):
        name = f"stmedia0{number}"
        account(estate, PROD, "rg-media-prod", name, WE, {**_quiet(), "blob": exporting(everything(place))})
    itself = f"/subscriptions/{PROD}/resourcegroups/RG-LOANS-PROD/providers/microsoft.storage/storageaccounts/STLOANS01"
    account(
        estate, PROD, "rg-loans-prod", "stloans01", "West Europe", WATCHED,
        shown_id=itself, tags={"app": "loans", "note": "</script><script>alert(1)</script>"},
    )  # fmt: skip


def _quiet() -> dict[str, Service]:
    return dict.fromkeys(("blob", "queue", "table", "file"), SILENT)


def _classic(estate: Estate) -> None:
    # Classic logs stay in the account: records of access, but not what the general rules call exported.
    why = "classic logging records all three"
    full = Service(NOTHING, "pass", why, classic=FULL, classic_only="fail")
    for_ever = Classic(read=True, write=True, delete=True)
    services = {
        "blob": full,
        "queue": full,
        "table": Service(NOTHING, "pass", why, classic=for_ever, classic_only="fail"),
        "file": SILENT,
    }
    account(estate, PROD, "rg-legacy-prod", "stlegacyfiles01", WE, services, kind="Storage", sku="Standard_RAGRS")
    mixed = _plan(
        "classic logging records reads, Azure Monitor the rest", "pass", "pass",
        setting("changes", LAW_SEC, categories=RWD[1:]),
    )  # fmt: skip
    services = {
        "blob": Service(NOTHING, "fail", "only reads", classic=Classic(read=True), classic_only="fail"),
        "queue": Service(
            NOTHING, "fail", "no reads", classic=Classic(write=True, delete=True, days=7), classic_only="fail"
        ),
        "table": Service(mixed, "pass", classic=Classic(read=True), classic_only="fail"),
        "file": SILENT,
    }
    account(estate, PROD, "rg-legacy-prod", "stlegacyfiles02", WE, services)
    both = Service(ALL_SEC, "pass", classic=FULL, classic_only="pass")
    account(estate, PROD, "rg-legacy-prod", "stlegacyfiles03", WE, {**_quiet(), "blob": both, "queue": WATCHED})

    behind = Classic(denied="AuthorizationFailure")  # the account's firewall turns the auditor away
    services = {
        "blob": Service(
            NOTHING,
            "unknown",
            "no setting, and the firewall hides classic logging",
            classic=behind,
            classic_only="unknown",
        ),
        "queue": Service(ALL_SEC, "pass", classic=behind, classic_only="pass"),
        "table": Service(
            DENIED, "unknown", classic=Classic(denied="AuthorizationPermissionMismatch"), classic_only="unknown"
        ),
        "file": Service(DENIED, "unknown"),
    }
    firewall = {"bypass": "AzureServices", "defaultAction": "Deny", "ipRules": [], "virtualNetworkRules": []}
    account(estate, PROD, "rg-hr-prod", "sthrprod01", WE, services, networkAcls=firewall, tags={"app": "hr"})


def _kinds(estate: Estate) -> None:
    account(estate, PROD, "rg-data-prod", "stprofiles01", WE, WATCHED, kind="FileStorage", sku="Premium_ZRS")
    account(estate, PROD, "rg-data-prod", "stfastblob01", WE, WATCHED, kind="BlockBlobStorage", sku="Premium_LRS")
    account(estate, PROD, "rg-data-prod", "stfastblob02", NE, SILENT, kind="BlockBlobStorage", sku="Premium_LRS")
    account(estate, PROD, "rg-data-prod", "stoldblob01", NE, SILENT, kind="BlobStorage", accessTier="Cool")
    pages = Service(UNSUPPORTED, "not-applicable", "Azure offers neither way of logging", Classic(unsupported=True))
    account(estate, PROD, "rg-data-prod", "stpages01", WE, pages, sku="Premium_LRS")
    account(estate, PROD, "rg-data-prod", "stlakeprod01", WE, WATCHED, isHnsEnabled=True, tags={"app": "lake"})
    account(estate, PROD, "rg-data-prod", "stlakeprod02", NE, SILENT, isHnsEnabled=True, tags={"app": "lake"})
    account(estate, PROD, "rg-data-prod", "stshares01", UK, SILENT, kind="FileStorage", sku="Premium_LRS")


def _bulk(estate: Estate) -> None:
    apps = ("claims", "crm", "docs", "fleet", "hr", "loans", "mail", "pos")
    for app in apps:
        region = estate.random.choice((WE, WE, NE, UK))
        group = f"rg-{app}-prod"
        if app not in ("loans",):
            account(estate, PROD, group, f"st{app}prod10", region, WATCHED, tags={"app": app, "env": "prod"})
        account(estate, PROD, group, f"st{app}prod11", region, SILENT, tags={"app": app, "env": "prod"})
    for app in apps[:5]:
        exported = {**_quiet(), "blob": exporting(ALL_DEV)}
        account(
            estate, DEV, f"rg-{app}-dev", f"st{app}dev01", NE, exported if app < "d" else SILENT, tags={"env": "dev"}
        )
    account(estate, SHARED, "rg-shared-tools", "stcontosoartifacts", WE, WATCHED, tags={"app": "build"})
    account(estate, SHARED, "rg-shared-tools", "stcontosotfstate", WE, WATCHED, tags={"app": "terraform"})
    for number in (1, 2):
        account(estate, RETIRED, "rg-old", f"stcontosoold0{number}", WE, SILENT, kind="Storage")


def _loops(estate: Estate) -> None:
    """One account that logs into itself, and two that log into each other."""
    itself, one, other = (Place("storage", rid(PROD, "rg-media-prod", ACCOUNT, f"stloop0{n}")) for n in (1, 2, 3))
    told = (("stloop01", itself, "into itself"), ("stloop02", other, "round"), ("stloop03", one, "round"))
    for name, place, way in told:
        plan = everything(place)
        blob = Service(plan, "pass", f"its logs go {way}: {plan.why}", loop="fail")
        quiet = ("queue", "table", "file")  # logs lie here, so that access to it weighs more
        account(estate, PROD, "rg-media-prod", name, WE, {**_quiet(), "blob": blob}, grave=quiet)
    for place in (itself, one, other):
        estate.answer("log-storage-lifecycle", place.id, "pass", "it has no lifecycle rule, so nothing is ever deleted")

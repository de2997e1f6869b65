"""Key vaults and managed HSMs: every way in which AuditEvent is exported, or only seems to be."""

from __future__ import annotations

from scenes.estate import (
    DEV,
    NE,
    PROD,
    RETIRED,
    SE,
    SHARED,
    TENANT,
    UK,
    WE,
    Doc,
    Estate,
    Plan,
    Setting,
    Status,
    rid,
    setting,
)
from scenes.places import (
    ALL_DEDICATED,
    ALL_DEV,
    ALL_SEC,
    ARCH_GONE,
    ARCH_WE,
    AUDIT_SEC,
    DATADOG,
    DENIED,
    LAW_ABROAD,
    LAW_APP,
    LAW_FABRIKAM,
    LAW_LAB,
    LAW_MSP,
    LAW_MSP_SHARED,
    LAW_OLD,
    LAW_SEC,
    METRICS,
    NOTHING,
    SIEM,
    SIEM_COMPACTED,
    SIEM_DEFAULT,
    SIEM_MISSING,
    everything,
    gone,
)

VAULT = "Microsoft.KeyVault/vaults"
HSM = "Microsoft.KeyVault/managedHSMs"


def build(estate: Estate) -> None:
    """Place all vaults and HSMs."""
    _good(estate)
    _bad(estate)
    _habits(estate)
    _unsure(estate)
    _bulk(estate)
    _hsms(estate)


def _vault(
    estate: Estate,
    name: str,
    plan: Plan,
    *,
    subscription: str = PROD,
    group: str = "rg-secrets-prod",
    region: str = WE,
    sku: str = "standard",
    tags: dict[str, str] | None = None,
    shown_id: str = "",
    audit: Status | None = None,
    severity: str = "",
) -> str:
    """A vault; its audit events fare as its plan's audit logs do, unless told otherwise."""
    document: Doc = {
        "id": shown_id or rid(subscription, group, VAULT, name),
        "type": VAULT if not shown_id else VAULT.lower(),
        "name": name,
        "location": region,
        "tags": tags or {"app": name.split("-")[1], "env": name.split("-")[2] if name.count("-") > 2 else "prod"},
        "properties": {
            "sku": {"family": "A", "name": sku},
            "tenantId": TENANT,
            "enableRbacAuthorization": True,
            "enableSoftDelete": True,
            "softDeleteRetentionInDays": 90,
            "enablePurgeProtection": True,
            "publicNetworkAccess": "Enabled",
            "vaultUri": f"https://{name}.vault.azure.net/",
            "provisioningState": "Succeeded",
        },
    }
    vault_id = estate.add(document, plan)
    estate.answer("keyvault-audit-logs", vault_id, audit or plan.audit, plan.why, severity)
    estate.answer("keyvault-both-log-groups", vault_id, _letter(plan, "audit", "allLogs"), plan.why)
    estate.answer("keyvault-policy-evaluation-logs", vault_id, _policy_details(plan), plan.why)
    return vault_id


def _living(plan: Plan) -> list[Setting]:
    return [one for one in plan.settings if any(place.exists != "fail" for place in one.places)]


def _letter(plan: Plan, *groups: str) -> Status:
    """Whether one setting names all these groups."""
    named = [{log["categoryGroup"] for log in one.properties["logs"] if log["enabled"]} for one in _living(plan)]
    return "unknown" if plan.denied else "pass" if any(one.issuperset(groups) for one in named) else "fail"


def _policy_details(plan: Plan) -> Status:
    """Whether what policies find is sent: the group allLogs holds it, audit does not."""
    logs = [log for one in _living(plan) for log in one.properties["logs"] if log["enabled"]]
    sent = any(log["category"] == "AzurePolicyEvaluationDetails" or log["categoryGroup"] == "allLogs" for log in logs)
    return "unknown" if plan.denied else "pass" if sent else "fail"


def _plan(why: str, answers: str, *given: Setting) -> Plan:
    """Answers: logs, audit, hollow, one letter each."""
    words: dict[str, Status] = {"p": "pass", "f": "fail", "u": "unknown"}
    logs, audit, hollow = (words[letter] for letter in answers)
    return Plan(why, logs, audit, hollow, given)


def _good(estate: Estate) -> None:
    _vault(estate, "kv-pay-prod-01", ALL_SEC, group="rg-pay-prod")
    _vault(estate, "kv-pay-prod-02", AUDIT_SEC, group="rg-pay-prod")
    by_name = setting("audit", LAW_SEC, categories=("AuditEvent",), disabled=("AzurePolicyEvaluationDetails",))
    _vault(estate, "kv-pay-prod-03", _plan("AuditEvent by name", "ppp", by_name), group="rg-pay-prod")
    shouted = setting("audit", LAW_SEC, categories=("AUDITEVENT",))
    _vault(estate, "kv-shop-prod-01", _plan("AuditEvent by name, in capitals", "ppp", shouted))
    halves = (
        setting("policy", LAW_SEC, categories=("AzurePolicyEvaluationDetails",), disabled=("AuditEvent",)),
        setting("audit", SIEM, categories=("AuditEvent",), disabled=("AzurePolicyEvaluationDetails",)),
    )
    _vault(estate, "kv-shop-prod-02", _plan("two settings, one of which has AuditEvent", "ppp", *halves))
    spare = (setting("old", LAW_OLD, groups=("allLogs",)), setting("archive", ARCH_WE, groups=("audit",)))
    _vault(
        estate, "kv-shop-prod-03", _plan("one setting's workspace is gone, the other's archive is not", "ppp", *spare)
    )
    _vault(estate, "kv-shop-prod-04", everything(ARCH_WE))
    _vault(estate, "kv-crm-prod-01", everything(SIEM))
    _vault(estate, "kv-crm-prod-02", everything(SIEM_DEFAULT))
    _vault(estate, "kv-crm-prod-03", everything(DATADOG))
    _vault(estate, "kv-crm-prod-04", everything(LAW_MSP))
    _vault(estate, "kv-crm-prod-05", everything(LAW_MSP_SHARED))
    _vault(estate, "kv-crm-prod-06", everything(LAW_ABROAD))
    _vault(estate, "kv-hr-prod-01", ALL_DEDICATED)
    both = setting("to-both", LAW_SEC, ARCH_WE, groups=("audit", "allLogs"), metrics=True)
    _vault(estate, "kv-hr-prod-02", _plan("one setting with two places", "ppp", both))
    odd = f"/subscriptions/{PROD}/resourcegroups/RG-HR-PROD/providers/microsoft.keyvault/vaults/KV-HR-prod-03"
    _vault(estate, "KV-HR-prod-03", ALL_SEC, shown_id=odd, region="West Europe")


def _bad(estate: Estate) -> None:
    policy = setting("policy", LAW_SEC, categories=("AzurePolicyEvaluationDetails",))
    _vault(estate, "kv-loans-prod-01", _plan("policy details only, no AuditEvent", "pfp", policy))
    tags = {"app": "loans", "Criticality": "Mission-critical"}
    _vault(estate, "kv-loans-prod-03", METRICS, tags=tags, severity="critical")
    names = ("AuditEvent", "AzurePolicyEvaluationDetails")
    off = setting("all-off", LAW_SEC, disabled=names)
    _vault(estate, "kv-loans-prod-04", _plan("its logs are listed, none is on", "fff", off))
    stripped = setting("stripped", LAW_SEC, metrics=True)
    _vault(estate, "kv-loans-prod-05", _plan("logs is an empty list", "fff", stripped))
    blank = setting("nowhere", groups=("allLogs",), empty=True)
    _vault(estate, "kv-loans-prod-06", _plan('on, but every destination is ""', "ffp", blank))
    null = setting("nowhere", categories=("AuditEvent",), nulls=True)
    _vault(estate, "kv-loans-prod-07", _plan("on, but every destination is null", "ffp", null))
    _vault(estate, "kv-loans-prod-08", gone(LAW_OLD))
    _vault(estate, "kv-loans-prod-09", gone(LAW_FABRIKAM))
    _vault(estate, "kv-loans-prod-10", gone(ARCH_GONE))
    _vault(estate, "kv-loans-prod-11", gone(SIEM_MISSING))
    crossed = (
        setting("logs-nowhere", categories=("AuditEvent",), nulls=True),
        setting("place-no-logs", LAW_SEC, disabled=names),
    )
    _vault(estate, "kv-loans-prod-12", _plan("one setting has the log, the other the place", "fff", *crossed))
    hostile = {"</script><img src=x onerror=alert(1)>": "=cmd|' /C calc'!A0", "rtl": "\u202egnp.exe", "a|b": "c|d\n# e"}
    _vault(estate, "kv-fleet-prod-01", NOTHING, tags=hostile)
    _vault(estate, "kv-lab-dev-01", everything(LAW_LAB), subscription=DEV, group="rg-lab-dev", region=NE)


def _habits(estate: Estate) -> None:
    """Settings that do export, and yet are not as they should be."""
    again = rid(PROD, "rg-docs-prod", VAULT, "kv-docs-prod-02")
    estate.repeats.add(again.lower())
    twice = (
        setting("by-policy", LAW_SEC, groups=("allLogs",), dedicated=True),
        setting("by-hand", LAW_SEC, categories=("AuditEvent",)),
    )
    _vault(
        estate,
        "kv-docs-prod-02",
        _plan("AuditEvent goes to law-contoso-sec twice", "ppp", *twice),
        group="rg-docs-prod",
    )
    five = tuple(
        setting(name, place, groups=("audit",))
        for name, place in (("sec", LAW_SEC), ("app", LAW_APP), ("archive", ARCH_WE), ("siem", SIEM), ("dd", DATADOG))
    )
    _vault(
        estate,
        "kv-docs-prod-03",
        _plan("five settings, each to a place of its own", "ppp", *five),
        group="rg-docs-prod",
    )
    kept = setting("archive", ARCH_WE, groups=("audit",), days=365)
    _vault(
        estate,
        "kv-docs-prod-04",
        _plan("archived, with 365 days that Azure ignores", "ppp", kept),
        group="rg-docs-prod",
    )
    far = setting("archive", ARCH_WE, groups=("audit",))
    plan = _plan("archived, but in another region than its own", "ppp", far)
    _vault(estate, "kv-docs-prod-05", plan, group="rg-docs-prod", region=NE)


def _unsure(estate: Estate) -> None:
    _vault(estate, "kv-board-prod-01", DENIED, group="rg-board")
    hsm_backed = _vault(estate, "kv-board-prod-02", everything(LAW_APP), group="rg-board", sku="premium")
    # Only this vault is premium, so nobody else's category list says what its groups hold; allLogs is all the same.
    categories = f"{hsm_backed}/providers/Microsoft.Insights/diagnosticSettingsCategories"
    kind = "Microsoft.Insights/diagnosticSettingsCategories"
    estate.unread(categories, kind, f"{kind}/read")
    compacted = _plan(
        "a compacted hub takes no logs, but it is there", "ppp", setting("c", SIEM_COMPACTED, groups=("audit",))
    )
    _vault(estate, "kv-board-prod-03", compacted, group="rg-board")


def _bulk(estate: Estate) -> None:
    for app in ("claims", "docs", "mail", "pos", "web", "lake", "media", "build"):
        region = estate.random.choice((WE, NE, UK, SE))
        _vault(estate, f"kv-{app}-prod-01", ALL_SEC, group=f"rg-{app}-prod", region=region)
    for app in ("claims", "crm", "docs", "fleet", "hr", "loans"):
        plan = ALL_DEV if app < "e" else NOTHING
        _vault(estate, f"kv-{app}-dev-01", plan, subscription=DEV, group=f"rg-{app}-dev", region=NE)
    _vault(estate, "kv-shared-platform", ALL_SEC, subscription=SHARED, group="rg-shared-tools")
    _vault(estate, "kv-old-prod-01", NOTHING, subscription=RETIRED, group="rg-old")


def _hsms(estate: Estate) -> None:
    for number, plan in enumerate((ALL_SEC, NOTHING, DENIED, AUDIT_SEC), start=1):
        name = f"hsm-pay-prod-0{number}"
        hsm = estate.add(
            {
                "id": rid(PROD, "rg-pay-prod", HSM, name),
                "type": HSM,
                "name": name,
                "location": WE if number < 4 else UK,
                "sku": {"family": "B", "name": "Standard_B1"},
                "tags": {"app": "payments", "pci": "true"},
                "properties": {
                    "tenantId": TENANT,
                    "hsmUri": f"https://{name}.managedhsm.azure.net/",
                    "provisioningState": "Succeeded",
                    "enableSoftDelete": True,
                    "enablePurgeProtection": True,
                    "statusMessage": "The Managed HSM is provisioned and ready to use.",
                },
            },
            plan,
        )
        estate.answer("managed-hsm-audit-logs", hsm, plan.audit, plan.why)

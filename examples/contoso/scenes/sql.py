"""SQL servers, their auditing, and the database master that carries it."""

from __future__ import annotations

from dataclasses import dataclass

from scenes.estate import PROD, Doc, Estate, Place, Plan, Status, guid, rid
from scenes.places import (
    ALL_SEC,
    ARCH_DENIED,
    ARCH_UK,
    ARCH_WE,
    DENIED,
    LAW_OLD,
    LAW_SEC,
    METRICS,
    NOTHING,
    SIEM,
    everything,
    only,
)
from scenes.things import place

SERVERS = "Microsoft.Sql/servers"
DATABASES = f"{SERVERS}/databases"
GROUPS = [
    "SUCCESSFUL_DATABASE_AUTHENTICATION_GROUP",
    "FAILED_DATABASE_AUTHENTICATION_GROUP",
    "BATCH_COMPLETED_GROUP",
]
OFF: Doc = {"state": "Disabled"}
REFUSED: Doc = {}
Answer = tuple[Status, str] | None
YES: Answer = ("pass", "as it ought to be")


def to_monitor(*groups: str) -> Doc:
    """Auditing on, to Azure Monitor."""
    return {"isAzureMonitorTargetEnabled": True, "auditActionsAndGroups": list(groups or GROUPS)}


def to_storage(account: Place, days: int, *, identity: bool = False) -> Doc:
    """Auditing on, to a storage account."""
    name = account.id.rpartition("/")[2]
    return {
        "storageEndpoint": f"https://{name}.blob.core.windows.net/",
        "storageAccountSubscriptionId": account.id.split("/")[2],
        "retentionDays": days,
        "isManagedIdentityInUse": identity,
        "auditActionsAndGroups": GROUPS,
    }


def policy(estate: Estate, owner: str, kind: str, given: Doc, name: str = "auditingSettings") -> None:
    """Write an auditing policy as ARM answers it; one that is refused is a document too."""
    shown = f"{owner}/{name}/Default"
    doc_type = f"{kind}/{name}"
    if not given:
        estate.unread(shown, doc_type, f"{doc_type}/read")
        return
    full = {
        "state": "Enabled",
        "storageEndpoint": "",
        "storageAccountAccessKey": "",
        "retentionDays": 0,
        "auditActionsAndGroups": [],
        "storageAccountSubscriptionId": "00000000-0000-0000-0000-000000000000",
        "isStorageSecondaryKeyInUse": False,
        "isAzureMonitorTargetEnabled": False,
        "isManagedIdentityInUse": False,
        **given,
    }
    estate.put({"id": shown, "type": doc_type, "name": "Default", "properties": full})


@dataclass(frozen=True)
class Server:
    """A server with master and one database, and what each rule must say of them."""

    app: str
    audit: Doc
    master: Plan
    user: Plan
    audited: Answer  # the server
    carried: Answer  # by master
    kept: Answer
    groups: Answer
    support_audit: Doc
    support: Answer
    identity: Answer
    database: Answer
    health: Answer
    own: Doc | None = None  # the database's own policy; None: nobody asks for it
    predicate: str = ""


def _plan(why: str, logs: Status, audit: Status, like: Plan) -> Plan:
    """The settings of another plan, and other answers: auditing decides as well."""
    return Plan(why, logs, audit, like.hollow, like.settings, like.denied)


def _servers() -> tuple[Server, ...]:
    both = only(
        LAW_SEC, "SQLSecurityAuditEvents", "DevOpsOperationsAudit", audit="pass", why="both audit categories by name"
    )
    events = only(LAW_SEC, "SQLSecurityAuditEvents", audit="fail", why="only SQLSecurityAuditEvents")
    errors = only(LAW_SEC, "Errors", "Timeouts", "Deadlocks", audit="pass", why="three logs; its server audits it")
    by_group = only(LAW_SEC, audit="fail", why="the group audit, while auditing is off", groups=("audit",))
    gone = everything(LAW_OLD)
    hidden: Answer = ("unknown", "ARM refuses to show the policy")
    covered = ("pass", "its server's auditing covers it")
    no_health: Answer = ("fail", "no log of errors and locks leaves it")
    return (
        Server(
            "pay", to_monitor(), both, ALL_SEC,
            ("pass", "to Azure Monitor, carried by master"), ("pass", "master sends it by name"), None, YES,
            to_monitor(), ("pass", "master sends DevOpsOperationsAudit"), None, covered, ("pass", "everything goes"),
        ),
        Server(
            "crm", to_monitor("BATCH_COMPLETED_GROUP"), events, errors,
            ("pass", "to Azure Monitor, carried by master"), ("pass", "master sends it by name"), None,
            ("fail", "sign-ins are not recorded"), OFF, ("fail", "it is switched off"), None, covered,
            ("fail", "neither Blocks nor SQLInsights"),
        ),
        Server(
            "claims", OFF, by_group,
            _plan("no setting, but its own policy writes to an archive", "pass", "pass", NOTHING),
            ("fail", "a diagnostic setting with the group audit is no auditing"), None, None, None,
            REFUSED, ("unknown", "ARM refuses to show the support audit"), None,
            ("pass", "off for the server, on for the database"), no_health, own=to_storage(ARCH_WE, 0),
        ),
        Server(
            "hr", to_monitor(), NOTHING, NOTHING,
            ("fail", "master has no diagnostic setting"), ("fail", "master has no diagnostic setting"), None, YES,
            to_monitor(), ("fail", "master has no diagnostic setting"), None, ("fail", "neither way"), no_health,
            own=OFF,
        ),
        Server(
            "docs", to_storage(ARCH_WE, 30), everything(SIEM),
            _plan("its setting sends to a workspace that is gone, but its server audits into an archive",
                  "pass", "pass", gone),
            ("pass", "into an archive"), None, ("fail", "the policy deletes after 30 days"),
            ("fail", "a predicate leaves statements out"), to_storage(ARCH_WE, 0), ("pass", "into an archive"),
            ("fail", "with an account key"), covered, ("fail", "its workspace was deleted"),
            predicate="statement not like '[select ]%'",
        ),
        Server(
            "legal", to_storage(ARCH_WE, 0, identity=True),
            _plan("no setting: the audit itself goes to an archive, that of support does not", "pass", "fail", NOTHING),
            ALL_SEC, ("pass", "into an archive"), None, ("pass", "no expiry in the policy, 400 days in the account"),
            YES, OFF, ("fail", "it is switched off"), ("pass", "with the server's identity"), covered,
            ("pass", "everything goes"),
        ),
        Server(
            "fax", to_storage(ARCH_UK, 0),
            _plan("no setting: the audit itself goes to an archive, that of support does not", "pass", "fail", NOTHING),
            _plan("metrics only; its server audits into an archive", "pass", "pass", METRICS),
            ("pass", "into an archive"), None, ("fail", "a lifecycle rule deletes after 30 days"), YES, OFF,
            ("fail", "it is switched off"), ("fail", "with an account key"), covered, no_health,
        ),
        Server(
            "audit", to_storage(ARCH_DENIED, 365),
            _plan("no setting: the audit itself goes to an archive, that of support does not", "pass", "fail", NOTHING),
            ALL_SEC, ("pass", "into an archive"), None, ("unknown", "ARM refuses to show the lifecycle rules"), YES,
            OFF, ("fail", "it is switched off"), ("fail", "with an account key"), covered, ("pass", "everything goes"),
        ),
        Server(
            "lab", {"auditActionsAndGroups": GROUPS}, NOTHING, METRICS,
            ("fail", "enabled, with no destination"), None, None, YES, OFF, ("fail", "it is switched off"), None,
            ("fail", "neither way"), no_health, own=OFF,
        ),
        Server(
            "risk", REFUSED, DENIED, DENIED,
            hidden, hidden,
            hidden, hidden,
            REFUSED, ("unknown", "ARM refuses to show the support audit"), hidden,
            ("unknown", "ARM refuses to show either policy"), ("unknown", "ARM refuses to show its settings"),
            own=REFUSED,
        ),
    )  # fmt: skip


def build(estate: Estate) -> None:
    """Place them all."""
    for server in _servers():
        _place(estate, server)


def _place(estate: Estate, server: Server) -> None:
    app, name = server.app, f"sql-{server.app}-prod"
    server_id = place(
        estate, SERVERS, name, None, app=app, flavour="v12.0", version="12.0", state="Ready",
        publicNetworkAccess="Disabled", minimalTlsVersion="1.2",
        fullyQualifiedDomainName=f"{name}.database.windows.net",
    )  # fmt: skip
    policy(estate, server_id, SERVERS, server.audit)
    extended = {**server.audit, "predicateExpression": server.predicate} if server.audit else REFUSED
    policy(estate, server_id, SERVERS, extended, "extendedAuditingSettings")
    policy(estate, server_id, SERVERS, server.support_audit, "devOpsAuditingSettings")
    for database, plan, kind in (("master", server.master, "system"), (f"sqldb-{app}", server.user, "user")):
        place(
            estate, DATABASES, database, plan, app=app, parents=(name,), flavour=f"v12.0,{kind}",
            sku={"name": "System0" if kind == "system" else "GP_Gen5_2"}, status="Online",
            databaseId=guid(f"{name}/{database}"),
        )  # fmt: skip
    database_id = rid(PROD, f"rg-{app}-prod", DATABASES, name, f"sqldb-{app}")
    if server.own is not None:
        policy(estate, database_id, DATABASES, server.own)
    for rule, answer in (
        ("sql-server-auditing", server.audited),
        ("sql-audit-on-master", server.carried),
        ("sql-audit-retention", server.kept),
        ("sql-audit-action-groups", server.groups),
        ("sql-support-auditing", server.support),
        ("sql-audit-managed-identity", server.identity),
    ):
        if answer is not None:
            estate.answer(rule, server_id, *answer)
    for rule, answer in (("sql-database-auditing", server.database), ("sql-database-health-logs", server.health)):
        if answer is not None:
            estate.answer(rule, database_id, *answer)
    for given in (server.audit, server.support_audit, server.own or {}):
        for account in (ARCH_WE, ARCH_UK, ARCH_DENIED):
            if f"//{account.id.rpartition('/')[2]}." in str(given.get("storageEndpoint", "")):
                estate.name_place(account)

"""Where data is brought together: Synapse, Databricks, Data Explorer, factories, streams, managed instances."""

from __future__ import annotations

from scenes.estate import Doc, Estate, Plan, Status
from scenes.places import ALL_SEC, ARCH_WE, DENIED, LAW_SEC, METRICS, NOTHING, only
from scenes.sql import OFF, REFUSED, policy, to_monitor, to_storage
from scenes.things import part, place

SYNAPSE = "Microsoft.Synapse/workspaces"
POOLS = f"{SYNAPSE}/sqlPools"
Answer = tuple[Status, str]


def build(estate: Estate) -> None:
    """Place it all."""
    _managed_instances(estate)
    _synapse(estate)
    _databricks(estate)
    _rest(estate)


def _managed_instances(estate: Estate) -> None:
    for app, plan, status in (("pay", ALL_SEC, "pass"), ("crm", NOTHING, "fail"), ("hr", DENIED, "unknown")):
        instance = place(estate, "Microsoft.Sql/managedInstances", f"sqlmi-{app}-prod", plan, app=app,
                         sku="GP_Gen5", state="Ready", publicDataEndpointEnabled=False)  # fmt: skip
        estate.answer("sql-managed-instance-audit-logs", instance, status, plan.why)  # type: ignore[arg-type]


def _synapse(estate: Estate) -> None:
    roles = part("role changes only; SQL is audited into an archive", "fail", "SynapseRbacOperations")
    deaf = Plan("its only setting sends metrics", "fail", "fail", "fail", settings=METRICS.settings)
    both = {**to_monitor(), **to_storage(ARCH_WE, 0)}
    unread: Answer = ("unknown", "ARM refuses to show it")
    workspaces: tuple[tuple[str, Doc, Plan, Answer, Answer, Answer | None], ...] = (
        ("lake", both, ALL_SEC, ("pass", "to Azure Monitor and into an archive"), ("pass", "everything goes"),
         ("pass", "no expiry in the policy, 400 days in the account")),
        ("risk", to_storage(ARCH_WE, 30), roles, ("pass", "into an archive"), ("fail", "role changes only"),
         ("fail", "the policy deletes after 30 days")),
        ("web", OFF, deaf, ("fail", "it is switched off"), ("fail", "metrics only"), None),
        ("hr", REFUSED, DENIED, unread, unread, unread),
    )  # fmt: skip
    for app, audit, plan, audited, logs, kept in workspaces:
        workspace = place(estate, SYNAPSE, f"syn-{app}-prod", plan, app=app, managedVirtualNetwork="default")
        policy(estate, workspace, SYNAPSE, audit)
        estate.answer("synapse-sql-auditing", workspace, *audited)
        estate.answer("synapse-audit-logs", workspace, *logs)
        if kept is not None:
            estate.answer("synapse-audit-retention", workspace, *kept)
    estate.name_place(ARCH_WE)
    covered = Plan("no setting; its workspace audits it", "pass", "pass", None)
    pool = place(
        estate, POOLS, "dwlake", covered, app="lake", parents=("syn-lake-prod",), sku="DW100c", status="Online"
    )
    estate.answer("sql-database-auditing", pool, "pass", "its workspace's auditing covers it")
    pool = place(estate, POOLS, "dwweb", NOTHING, app="web", parents=("syn-web-prod",), sku="DW100c", status="Paused")
    policy(estate, pool, POOLS, OFF)
    estate.answer("sql-database-auditing", pool, "fail", "neither its workspace's auditing nor its own is on")


def _databricks(estate: Estate) -> None:
    some = part("two of its logs", "pass", "clusters", "jobs")
    for app, plan, tier, status in (
        ("lake", ALL_SEC, "premium", "pass"),
        ("risk", some, "premium", "fail"),
        ("hr", DENIED, "premium", "unknown"),
        ("web", NOTHING, "standard", None),
    ):
        workspace = place(
            estate, "Microsoft.Databricks/workspaces", f"dbw-{app}-prod", plan, app=app, sku={"name": tier}
        )
        if status is not None:
            estate.answer("databricks-audit-logs", workspace, status, plan.why)  # type: ignore[arg-type]


def _rest(estate: Estate) -> None:
    commands = part("commands, but no queries", "fail", "Command")
    runs = only(LAW_SEC, "PipelineRuns", audit="pass", why="runs of pipelines, not of their activities")
    for rule, kind, prefix, half in (
        ("data-explorer-audit-logs", "Microsoft.Kusto/clusters", "adx", commands),
        ("data-factory-run-logs", "Microsoft.DataFactory/factories", "adf", runs),
        ("stream-analytics-logs", "Microsoft.StreamAnalytics/streamingjobs", "asa", NOTHING),
    ):
        for app, plan, status in (("risk", ALL_SEC, "pass"), ("pos", half, "fail"), ("hr", DENIED, "unknown")):
            thing = place(estate, kind, f"{prefix}-{app}-prod", plan, app=app)
            estate.answer(rule, thing, status, plan.why)  # type: ignore[arg-type]

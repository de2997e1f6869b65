"""SQL auditing: policies of servers, databases and Synapse workspaces, and what carries their events away."""

from math import inf

import pytest
from estates import (
    ARCHIVE,
    CENTRAL,
    LAW,
    account,
    categories,
    denied,
    expire,
    gone,
    group,
    lifecycle,
    on,
    res,
    rid,
    settings,
    subscription,
    tables,
    unsupported,
    workspace,
)

from auditor.assemble import assemble
from auditor.coverage import coverage_rows
from auditor.documents import Collection, Focus, Run
from auditor.focus import focused
from auditor.inventory import Unknown

SQL = "Microsoft.Sql/servers"
DATABASES = f"{SQL}/databases"
SERVER, MASTER, APP = rid(SQL, "srv"), rid(DATABASES, "srv/master"), rid(DATABASES, "srv/app")
BASE = [
    subscription(),
    res(SQL, "srv", kind="v12.0"),
    res(DATABASES, "srv/master", kind="v12.0,system"),
    res(DATABASES, "srv/app", kind="v12.0,user"),
    workspace(),
    tables(LAW),
    account(),
    lifecycle(),
]
ALL_GROUPS = [
    "SUCCESSFUL_DATABASE_AUTHENTICATION_GROUP",
    "FAILED_DATABASE_AUTHENTICATION_GROUP",
    "BATCH_COMPLETED_GROUP",
]
AUDIT = "SQLSecurityAuditEvents"
ENDPOINT = "https://starchive.blob.core.windows.net/"


def policy(of=SERVER, name="auditingSettings", kind=None, **told):
    body = {"state": "Enabled", "auditActionsAndGroups": ALL_GROUPS, "retentionDays": 0, "storageEndpoint": "", **told}
    return {"id": f"{of}/{name}/Default", "type": kind or f"{SQL}/{name}", "name": "Default", "properties": body}


def own(**told):
    return policy(APP, kind=f"{DATABASES}/auditingSettings", **told)


def inventory(*documents, source="azure", leave_out=""):
    base = [document for document in BASE if document["id"] != leave_out]
    run = Run(source=source, finished_at="2026-11-22T07:00:00Z")
    return assemble(Collection(documents=[*base, *documents], run=run))


def facts(*documents, of=SERVER, **more):
    return inventory(*documents, **more).get(of).facts


def cell(found, of=APP):
    row = next(row for row in coverage_rows(found) if row.id.lower() == of.lower())
    return next(cell for cell in row.cells if cell.category == AUDIT)


MONITOR = policy(isAzureMonitorTargetEnabled=True)
STORAGE = policy(storageEndpoint=ENDPOINT)
BY_NAME = settings(MASTER, ([LAW], on(AUDIT)))
LIVE_CATEGORIES = categories(MASTER, **{AUDIT: ["audit"], "DevOpsOperationsAudit": ["audit"], "Errors": []})

DELIVERS = [
    ("monitor, and master sends the events", [MONITOR, BY_NAME], True),
    ("monitor as text", [policy(isAzureMonitorTargetEnabled="true"), BY_NAME], True),
    ("trap: monitor, but no setting on master", [MONITOR], None),
    ("trap: monitor, and master has an empty list of settings", [MONITOR, settings(MASTER)], False),
    ("trap: the setting is on a database, not on master", [MONITOR, settings(MASTER), settings(APP, ([LAW], on(AUDIT)))], False),
    ("trap: master sends, but auditing is off", [policy(state="Disabled"), BY_NAME], False),
    ("trap: on, but with no destination", [policy(), settings(MASTER)], False),
    ("trap: an empty answer is no policy", [policy() | {"properties": {}}, BY_NAME], None),
    ("trap: an answer without properties", [{"id": f"{SERVER}/auditingSettings/default", "type": f"{SQL}/auditingSettings"}], None),
    ("master sends other logs only", [MONITOR, settings(MASTER, ([LAW], on("Errors")))], False),
    ("master's setting is switched off", [MONITOR, settings(MASTER, ([LAW], on(AUDIT, enabled=False)))], False),
    ("everything goes from master", [MONITOR, settings(MASTER, ([LAW], group("allLogs")))], True),
    ("master sends the group audit, of which the list is known", [MONITOR, settings(MASTER, ([LAW], group("audit"))), LIVE_CATEGORIES], True),
    ("master sends the group audit, of which nothing is known", [MONITOR, settings(MASTER, ([LAW], group("audit")))], None),
    ("master sends to a workspace that is gone", [MONITOR, settings(MASTER, ([f"{LAW}-old"], on(AUDIT))), gone(f"{LAW}-old", "Microsoft.OperationalInsights/workspaces")], False),
    ("master's settings are refused", [MONITOR, denied(f"{MASTER}/providers/Microsoft.Insights/diagnosticSettings", "Microsoft.Insights/diagnosticSettings")], None),
    ("the policy is refused", [denied(f"{SERVER}/auditingSettings/default", f"{SQL}/auditingSettings"), BY_NAME], None),
    ("the policy was not read", [BY_NAME], None),
    ("storage, found by its name", [STORAGE, settings(MASTER)], True),
    ("storage in mixed case", [policy(storageEndpoint="HTTPS://StArchive.Blob.Core.Windows.Net"), settings(MASTER)], True),
    ("storage that is in no subscription read", [policy(storageEndpoint="https://stother.blob.core.windows.net", storageAccountSubscriptionId=CENTRAL), settings(MASTER)], True),
    ("trap: storage that ought to have been found", [policy(storageEndpoint="https://stother.blob.core.windows.net", storageAccountSubscriptionId=BASE[0]["subscriptionId"]), settings(MASTER)], None),
    ("storage, of which not even the subscription is known", [policy(storageEndpoint="https://stother.blob.core.windows.net", storageAccountSubscriptionId="00000000-0000-0000-0000-000000000000"), settings(MASTER)], None),
    ("either of two is enough", [policy(storageEndpoint=ENDPOINT, isAzureMonitorTargetEnabled=True), settings(MASTER)], True),
]  # fmt: skip


@pytest.mark.parametrize(("documents", "expected"), [d[1:] for d in DELIVERS], ids=[d[0] for d in DELIVERS])
def test_where_a_servers_events_go(documents, expected):
    found = facts(*documents)["audit_delivers"]
    assert isinstance(found, Unknown) if expected is None else found is expected


@pytest.mark.parametrize(("documents", "expected"), [d[1:] for d in DELIVERS], ids=[d[0] for d in DELIVERS])
def test_the_coverage_of_a_database_says_the_same(documents, expected):
    found = cell(inventory(*documents, own(state="Disabled"), settings(APP)))
    assert found.state == {True: "exported", False: "missing", None: "unassessed"}[expected]


DATABASES_AUDITED = [
    ("the server's policy covers it", [MONITOR, BY_NAME], True),
    ("the server's covers it, whatever its own is", [MONITOR, BY_NAME, own(state="Disabled")], True),
    ("off on the server, on for the database, in storage",
     [policy(state="Disabled"), settings(MASTER), own(storageEndpoint=ENDPOINT)], True),
    ("off on the server, on for the database, by its own setting",
     [policy(state="Disabled"), own(isAzureMonitorTargetEnabled=True), settings(APP, ([LAW], on(AUDIT)))], True),
    ("trap: a database's own policy is not carried by master",
     [policy(state="Disabled"), BY_NAME, own(isAzureMonitorTargetEnabled=True), settings(APP)], False),
    ("off on both", [policy(state="Disabled"), own(state="Disabled")], False),
    ("trap: a diagnostic setting without auditing is no audit",
     [policy(state="Disabled"), own(state="Disabled"), settings(APP, ([LAW], group("allLogs")))], False),
    ("off on the server, its own refused",
     [policy(state="Disabled"), denied(f"{APP}/auditingSettings/default", f"{DATABASES}/auditingSettings")], None),
    ("off on the server, its own not asked for", [policy(state="Disabled")], None),
    ("off on the server, and it can have none of its own",
     [policy(state="Disabled"), unsupported(f"{APP}/auditingSettings/default", f"{DATABASES}/auditingSettings")], False),
    ("refused for the server, on for the database",
     [denied(f"{SERVER}/auditingSettings/default", f"{SQL}/auditingSettings"), own(storageEndpoint=ENDPOINT)], True),
]  # fmt: skip


@pytest.mark.parametrize(
    ("documents", "expected"), [d[1:] for d in DATABASES_AUDITED], ids=[d[0] for d in DATABASES_AUDITED]
)
def test_whether_a_database_is_audited(documents, expected):
    found = facts(*documents, of=APP)["audited"]
    assert isinstance(found, Unknown) if expected is None else found is expected


def test_a_database_of_a_server_that_was_not_listed_is_not_judged_by_guess():
    found = facts(own(state="Disabled"), of=APP, leave_out=SERVER)
    assert isinstance(found["audited"], Unknown)


def test_master_itself_exports_audit_events_only_while_auditing_is_on():
    off = inventory(policy(state="Disabled"), settings(MASTER, ([LAW], group("allLogs"))), LIVE_CATEGORIES).get(MASTER)
    assert AUDIT not in off.facts["exported"]
    assert off.facts["audit_missing"] == [AUDIT]
    assert cell(inventory(policy(state="Disabled"), BY_NAME), MASTER).state == "missing"
    live = inventory(MONITOR, settings(MASTER, ([LAW], group("allLogs"))), LIVE_CATEGORIES).get(MASTER)
    assert live.facts["audit_missing"] == []
    assert cell(inventory(MONITOR, BY_NAME), MASTER).destinations == [LAW.lower()]


def test_a_database_without_settings_exports_what_its_server_audits():
    app = inventory(MONITOR, BY_NAME, settings(APP), LIVE_CATEGORIES, categories(APP, **{
        AUDIT: ["audit"], "DevOpsOperationsAudit": ["audit"], "Errors": []})).get(APP)  # fmt: skip
    assert app.facts["exported"] == [AUDIT]
    assert (app.facts["audit_offered"], app.facts["audit_missing"]) == ([AUDIT], [])
    assert app.facts["settings_count"] == 0


def test_refused_settings_of_a_database_hide_no_audit():
    refused = denied(f"{APP}/providers/Microsoft.Insights/diagnosticSettings", "Microsoft.Insights/diagnosticSettings")
    assert cell(inventory(MONITOR, BY_NAME, refused)).state == "exported"


def test_support_operations_are_only_missing_on_master():
    rows = {row.name: {c.category for c in row.cells} for row in coverage_rows(inventory(MONITOR, BY_NAME))}
    assert "DevOpsOperationsAudit" in rows["master"]
    assert "DevOpsOperationsAudit" not in rows["app"]


RETENTION = [
    ("trap: 0 is for ever", {"retentionDays": 0}, [lifecycle()], (inf, inf)),
    ("none is for ever", {"retentionDays": None}, [lifecycle()], (inf, inf)),
    ("its own days", {"retentionDays": 30}, [lifecycle()], (30, inf)),
    ("a lifecycle rule deletes sooner", {"retentionDays": 365}, [lifecycle(ARCHIVE, expire(60))], (365, 60)),
    ("a lifecycle rule of other containers",
     {"retentionDays": 365}, [lifecycle(ARCHIVE, expire(7, prefixes=["insights-logs-"]))], (365, inf)),
    ("a lifecycle rule of the audit container",
     {"retentionDays": 0}, [lifecycle(ARCHIVE, expire(7, prefixes=["sqldbauditlogs/"]))], (inf, 7)),
    ("a lifecycle rule for blobs of another type",
     {"retentionDays": 0}, [lifecycle(ARCHIVE, expire(7, types=["blockBlob"]))], (inf, inf)),
    ("days that make no sense", {"retentionDays": "soon"}, [lifecycle()], (None, inf)),
]  # fmt: skip


@pytest.mark.parametrize(("told", "documents", "expected"), [r[1:] for r in RETENTION], ids=[r[0] for r in RETENTION])
def test_how_long_events_are_kept(told, documents, expected):
    found = facts(policy(storageEndpoint=ENDPOINT, **told), *documents, leave_out=lifecycle()["id"])
    days = found["audit_retention_days"], found["audit_container_days"]
    assert tuple(None if isinstance(one, Unknown) else one for one in days) == expected


@pytest.mark.parametrize(
    ("told", "missing"),
    [
        pytest.param(ALL_GROUPS, [], id="all three"),
        pytest.param([*map(str.lower, ALL_GROUPS), "DATABASE_OPERATION_GROUP"], [], id="in any case, among others"),
        pytest.param(["BATCH_COMPLETED_GROUP"], [ALL_GROUPS[1], ALL_GROUPS[0]], id="queries only"),
        pytest.param([], sorted(ALL_GROUPS), id="none"),
        pytest.param(None, None, id="not told"),
    ],
)
def test_action_groups(told, missing):
    found = facts(policy(storageEndpoint=ENDPOINT, auditActionsAndGroups=told))["audit_groups_missing"]
    assert (None if isinstance(found, Unknown) else found) == missing


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        pytest.param([policy(name="extendedAuditingSettings", predicateExpression="")], False, id="no filter"),
        pytest.param([policy(name="extendedAuditingSettings")], False, id="none told"),
        pytest.param(
            [policy(name="extendedAuditingSettings", predicateExpression="object_name <> 'orders'")],
            True,
            id="a filter",
        ),
        pytest.param([], None, id="not read"),
    ],
)
def test_filter(documents, expected):
    found = facts(STORAGE, *documents)["audit_filtered"]
    assert isinstance(found, Unknown) if expected is None else found is expected


SUPPORT = "devOpsAuditingSettings"
SUPPORT_BY_NAME = settings(MASTER, ([LAW], on("DevOpsOperationsAudit")))


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        pytest.param([policy(name=SUPPORT, isAzureMonitorTargetEnabled=True), SUPPORT_BY_NAME], True, id="monitor"),
        pytest.param([policy(name=SUPPORT, isAzureMonitorTargetEnabled=True), BY_NAME], False, id="not carried"),
        pytest.param([policy(name=SUPPORT, storageEndpoint=ENDPOINT), settings(MASTER)], True, id="storage"),
        pytest.param([policy(name=SUPPORT, state="Disabled"), SUPPORT_BY_NAME], False, id="off"),
        pytest.param([SUPPORT_BY_NAME], None, id="not read"),
    ],
)
def test_support_audit(documents, expected):
    found = facts(*documents)["support_audit_delivers"]
    assert isinstance(found, Unknown) if expected is None else found is expected


def test_what_is_declared_is_all_there_is():
    assert facts(source="terraform-plan")["audit_delivers"] is False
    assert facts(source="terraform-plan", of=APP)["audited"] is False
    extended = policy(name="extendedAuditingSettings", isAzureMonitorTargetEnabled=True)
    assert facts(extended, BY_NAME, source="terraform-plan", leave_out=MASTER)["audit_delivers"] is True
    assert facts(extended, source="terraform-plan", leave_out=MASTER)["audit_delivers"] is False


def test_a_value_decided_later_is_not_known():
    later = policy(isAzureMonitorTargetEnabled={"$unknown": {"reason": "known after apply"}})
    assert isinstance(facts(later, BY_NAME)["audit_delivers"], Unknown)
    elsewhere = policy(storageEndpoint={"$unknown": {"reason": "known after apply"}})
    assert isinstance(facts(elsewhere, settings(MASTER))["audit_delivers"], Unknown)


# --- Synapse --------------------------------------------------------------------------------------------------------

SYNAPSE = "Microsoft.Synapse/workspaces"
WORKSPACE, POOL = rid(SYNAPSE, "syn"), rid(f"{SYNAPSE}/sqlPools", "syn/dw")
SYNAPSE_BASE = [res(SYNAPSE, "syn"), res(f"{SYNAPSE}/sqlPools", "syn/dw")]
SYNAPSE_AUDIT = f"{SYNAPSE}/auditingSettings"
ON_ITSELF = settings(WORKSPACE, ([LAW], on(AUDIT)))


@pytest.mark.parametrize(
    ("documents", "workspace_delivers", "pool"),
    [
        pytest.param([policy(WORKSPACE, kind=SYNAPSE_AUDIT, isAzureMonitorTargetEnabled=True), ON_ITSELF], True,
                     "exported", id="the workspace's own setting carries it"),
        pytest.param([policy(WORKSPACE, kind=SYNAPSE_AUDIT, storageEndpoint=ENDPOINT), settings(WORKSPACE)], True,
                     "exported", id="storage"),
        pytest.param([policy(WORKSPACE, kind=SYNAPSE_AUDIT, state="Disabled"), ON_ITSELF], False, "unassessed",
                     id="off; the pool's own policy was not read"),
        pytest.param([policy(WORKSPACE, kind=SYNAPSE_AUDIT, state="Disabled"), ON_ITSELF,
                      policy(POOL, kind=f"{SYNAPSE}/sqlPools/auditingSettings", state="Disabled"), settings(POOL)],
                     False, "missing", id="off on both"),
    ],
)  # fmt: skip
def test_synapse(documents, workspace_delivers, pool):
    found = inventory(*SYNAPSE_BASE, *documents)
    assert found.get(WORKSPACE).facts["audit_delivers"] is workspace_delivers
    assert cell(found, POOL).state == pool


# --- through a filter -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [SQL, DATABASES, f"{DATABASES}*"])
def test_a_filter_that_leaves_out_master_or_the_server_changes_no_answer(kind):
    documents = [*BASE, MONITOR, BY_NAME, settings(APP), LIVE_CATEGORIES, own(state="Disabled")]
    whole = Collection(documents=documents, run=Run(tenant="t", finished_at="2026-11-22T07:00:00Z"))
    seen = focused(whole, Focus(types=(kind,), exclude_resource_groups=("other",)))
    assert seen.run.narrowed
    assert assemble(seen).get(SERVER).facts["audit_delivers"] is True
    assert assemble(seen).get(APP).facts["audited"] is True

"""Databases and caches, but for SQL servers."""

from __future__ import annotations

from scenes.estate import Doc, Estate, Plan, Status
from scenes.places import ALL_APP, ALL_DEDICATED, ALL_SEC, DENIED, METRICS, NOTHING
from scenes.things import part, place

POSTGRESQL, MYSQL = "Microsoft.DBforPostgreSQL/flexibleServers", "Microsoft.DBforMySQL/flexibleServers"
COSMOS, CLUSTERS = "Microsoft.DocumentDB/databaseAccounts", "Microsoft.DocumentDB/mongoClusters"
REDIS, ENTERPRISE = "Microsoft.Cache/redis", "Microsoft.Cache/redisEnterprise"
Answer = tuple[Status, str]


def build(estate: Estate) -> None:
    """Place them all."""
    _postgresql(estate)
    _mysql(estate)
    _cosmos(estate)
    _caches(estate)


def _parameters(estate: Estate, server: str, kind: str, values: dict[str, str] | None) -> None:
    """A server's parameters as ARM lists them; None where it refuses to."""
    list_id, list_type = f"{server}/configurations", f"{kind}/configurations"
    if values is None:
        estate.unread(list_id, list_type, f"{list_type}/read")
        return
    items: list[Doc] = [
        {
            "id": f"{list_id}/{name}",
            "type": list_type,
            "name": name,
            "properties": {"value": value, "source": "user-override"},
        }
        for name, value in values.items()
    ]
    estate.listing(list_id, list_type, items)


def _postgresql(estate: Estate) -> None:
    good = {
        "log_checkpoints": "on",
        "log_connections": "on",
        "log_disconnections": "on",
        "shared_preload_libraries": "pg_cron,pg_stat_statements,pgaudit",
        "pgaudit.log": "write,ddl,role",
    }
    bare = {**good, "shared_preload_libraries": "pg_cron,pg_stat_statements", "pgaudit.log": "none"}
    silent = {**good, "log_disconnections": "off", "pgaudit.log": "none"}
    sessions = part("sessions only", "fail", "PostgreSQLFlexSessions")
    servers: tuple[tuple[str, Plan, dict[str, str] | None, Answer, Answer], ...] = (
        ("fleet", ALL_SEC, good, ("pass", "written and exported"), ("pass", "loaded, with three classes")),
        ("docs", METRICS, bare, ("fail", "written, and never exported"), ("fail", "it is not loaded")),
        ("pos", sessions, silent, ("fail", "neither written nor exported"), ("fail", "loaded, but records nothing")),
        ("crm", ALL_SEC, silent, ("fail", "disconnections are not written"), ("fail", "loaded, but records nothing")),
        ("hr", ALL_SEC, None, ("unknown", "ARM refuses to show its parameters"),
         ("unknown", "ARM refuses to show its parameters")),
    )  # fmt: skip
    for app, plan, values, log, audit in servers:
        server = place(
            estate, POSTGRESQL, f"psql-{app}-prod", plan, app=app, sku="Standard_D4ds_v5", version="16", state="Ready"
        )
        _parameters(estate, server, POSTGRESQL, values)
        estate.answer("postgresql-connection-logs", server, *log)
        estate.answer("postgresql-pgaudit", server, *audit)


def _mysql(estate: Estate) -> None:
    by_name = part("audit by name", "pass", "MySqlAuditLogs")
    on = {"audit_log_enabled": "ON", "audit_log_events": "CONNECTION_V2,DDL"}
    off = {"audit_log_enabled": "OFF", "audit_log_events": "CONNECTION"}
    servers: tuple[tuple[str, Plan, dict[str, str] | None, Answer], ...] = (
        ("mail", by_name, on, ("pass", "written and exported")),
        ("web", NOTHING, off, ("fail", "neither written nor exported")),
        ("pos", by_name, off, ("fail", "exported, and never written")),
        ("hr", by_name, None, ("unknown", "ARM refuses to show its parameters")),
    )
    for app, plan, values, answer in servers:
        server = place(
            estate, MYSQL, f"mysql-{app}-prod", plan, app=app, sku="Standard_D2ds_v4", version="8.0.21", state="Ready"
        )
        _parameters(estate, server, MYSQL, values)
        estate.answer("mysql-audit-logs", server, *answer)


def _cosmos(estate: Estate) -> None:
    requests = part(
        "two of the eight audit categories", "fail", "DataPlaneRequests", "ControlPlaneRequests", dedicated=True
    )
    accounts: tuple[tuple[str, Plan, str, Answer], ...] = (
        ("pos", ALL_DEDICATED, "GlobalDocumentDB", ("pass", "everything goes")),
        ("fleet", requests, "GlobalDocumentDB", ("pass", "requests to its data and to itself")),
        ("web", requests, "MongoDB", ("fail", "an account for MongoDB without MongoRequests")),
        ("loans", DENIED, "GlobalDocumentDB", ("unknown", "ARM refuses to show its settings")),
    )
    for app, plan, kind, answer in accounts:
        account = place(
            estate,
            COSMOS,
            f"cosmos-{app}-prod",
            plan,
            app=app,
            flavour=kind,
            capabilities=[{"name": "EnableMongo"}] if kind == "MongoDB" else [],
            databaseAccountOfferType="Standard",
            publicNetworkAccess="Enabled",
        )
        estate.answer("cosmos-db-audit-logs", account, *answer)
    for app, plan, status in (("docs", ALL_SEC, "pass"), ("web", NOTHING, "fail"), ("loans", DENIED, "unknown")):
        cluster = place(estate, CLUSTERS, f"mongo-{app}-prod", plan, app=app, serverVersion="7.0")
        estate.answer("cosmos-db-mongo-cluster-logs", cluster, status, plan.why)  # type: ignore[arg-type]


def _caches(estate: Estate) -> None:
    clients = part("clients by name, Entra sign-ins not", "fail", "ConnectedClientList")
    for app, plan, status in (
        ("pos", clients, "pass"),
        ("web", ALL_APP, "pass"),
        ("crm", NOTHING, "fail"),
        ("hr", DENIED, "unknown"),
    ):
        cache = place(estate, REDIS, f"redis-{app}-prod", plan, app=app, sslPort=6380, minimumTlsVersion="1.2")
        estate.answer("redis-connection-logs", cache, status, plan.why)  # type: ignore[arg-type]
    for app, plan, status in (("fleet", ALL_SEC, "pass"), ("lake", NOTHING, "fail")):
        place(estate, ENTERPRISE, f"amr-{app}-prod", None, app=app, sku="Balanced_B10")
        database = place(
            estate, f"{ENTERPRISE}/databases", "default", plan, app=app, parents=(f"amr-{app}-prod",), port=10000
        )
        estate.answer("redis-connection-logs", database, status, plan.why)  # type: ignore[arg-type]

"""Databases and caches."""

from __future__ import annotations

from scenes.estate import WE, Estate, Plan, guid
from scenes.places import (
    ALL_APP,
    ALL_DEDICATED,
    ALL_SEC,
    AUDIT_SEC,
    DENIED,
    LAW_OLD,
    METRICS,
    NOTHING,
    SIEM,
    everything,
    gone,
)
from scenes.things import part, place


def build(estate: Estate) -> None:
    """Place them all."""
    audit_events = part("only SQLSecurityAuditEvents", "fail", "SQLSecurityAuditEvents")
    both = part("both audit categories by name", "pass", "SQLSecurityAuditEvents", "DevOpsOperationsAudit")
    errors = part("errors and timeouts only", "fail", "Errors", "Timeouts", "Deadlocks")
    servers: tuple[tuple[str, str, Plan, Plan], ...] = (
        ("pay", WE, both, ALL_SEC),
        ("crm", WE, audit_events, errors),
        ("claims", WE, AUDIT_SEC, NOTHING),
        ("hr", WE, NOTHING, NOTHING),
        ("docs", WE, everything(SIEM), gone(LAW_OLD)),
    )
    for app, region, master, user in servers:
        server = f"sql-{app}-prod"
        place(
            estate,
            "Microsoft.Sql/servers",
            server,
            None,
            app=app,
            region=region,
            flavour="v12.0",
            version="12.0",
            state="Ready",
            publicNetworkAccess="Disabled",
            minimalTlsVersion="1.2",
            fullyQualifiedDomainName=f"{server}.database.windows.net",
        )
        for database, plan, system in (("master", master, True), (f"sqldb-{app}", user, False)):
            place(
                estate,
                "Microsoft.Sql/servers/databases",
                database,
                plan,
                app=app,
                region=region,
                parents=(server,),
                flavour=f"v12.0,{'system' if system else 'user'}",
                sku={"name": "System0" if system else "GP_Gen5_2"},
                status="Online",
                databaseId=guid(f"{server}/{database}"),
            )
    for app, plan in (
        ("fleet", ALL_SEC),
        ("docs", METRICS),
        ("pos", part("sessions only", "fail", "PostgreSQLFlexSessions")),
    ):
        place(
            estate,
            "Microsoft.DBforPostgreSQL/flexibleServers",
            f"psql-{app}-prod",
            plan,
            app=app,
            sku="Standard_D4ds_v5",
            version="16",
            state="Ready",
        )
    for app, plan in (("mail", part("audit by name", "pass", "MySqlAuditLogs")), ("web", NOTHING)):
        place(
            estate,
            "Microsoft.DBforMySQL/flexibleServers",
            f"mysql-{app}-prod",
            plan,
            app=app,
            sku="Standard_D2ds_v4",
            version="8.0.21",
            state="Ready",
        )
    requests = part(
        "two of the eight audit categories", "fail", "DataPlaneRequests", "ControlPlaneRequests", dedicated=True
    )
    for app, plan in (("pos", ALL_DEDICATED), ("fleet", requests), ("loans", DENIED)):
        place(
            estate,
            "Microsoft.DocumentDB/databaseAccounts",
            f"cosmos-{app}-prod",
            plan,
            app=app,
            flavour="GlobalDocumentDB",
            databaseAccountOfferType="Standard",
            publicNetworkAccess="Enabled",
        )
    clients = part("clients by name, Entra sign-ins not", "fail", "ConnectedClientList")
    for app, plan in (("pos", clients), ("web", ALL_APP), ("crm", NOTHING)):
        place(
            estate, "Microsoft.Cache/redis", f"redis-{app}-prod", plan, app=app, sslPort=6380, minimumTlsVersion="1.2"
        )

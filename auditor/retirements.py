"""What Azure retires, or has retired, that logs depend on: from when, what becomes of it, and what takes its place."""

from __future__ import annotations

from datetime import date
from typing import Final

import msgspec


class Retirement(msgspec.Struct, frozen=True, kw_only=True):
    """One feature with its end; days as ISO dates, empty where none was announced."""

    key: str
    what: str  # plural
    ends: str = ""
    closed: str = ""  # since then no new one can be made
    effect: str
    instead: str
    source: str


NSG_FLOW_LOGS: Final = "nsg-flow-logs"
LOG_PROFILES: Final = "log-profiles"
SETTING_RETENTION: Final = "setting-retention"
CLASSIC_STORAGE: Final = "classic-storage-logging"
LOG_ANALYTICS_AGENT: Final = "log-analytics-agent"
CLASSIC_INSIGHTS: Final = "classic-application-insights"
POSTGRESQL_SINGLE: Final = "postgresql-single-server"
MYSQL_SINGLE: Final = "mysql-single-server"

_LEARN: Final = "https://learn.microsoft.com/azure"
RETIREMENTS: Final = (
    Retirement(
        key=NSG_FLOW_LOGS,
        what="flow logs of network security groups",
        closed="2025-06-30",
        ends="2027-09-30",
        effect="Azure deletes them; what they wrote stays",
        instead="flow logs of virtual networks",
        source=f"{_LEARN}/network-watcher/nsg-flow-logs-migrate",
    ),
    Retirement(
        key=LOG_PROFILES,
        what="log profiles",
        closed="2025-09-15",
        ends="2026-09-15",
        effect="they export nothing any more",
        instead="diagnostic settings of subscriptions",
        source=f"{_LEARN}/azure-monitor/platform/activity-log",
    ),
    Retirement(
        key=SETTING_RETENTION,
        what="diagnostic settings with a retention of their own",
        closed="2023-03-31",
        ends="2025-09-30",
        effect="the days in them are ignored",
        instead="lifecycle rules of the storage account",
        source=f"{_LEARN}/azure-monitor/platform/migrate-to-azure-storage-lifecycle-policy",
    ),
    Retirement(
        key=CLASSIC_STORAGE,
        what="storage services with classic (Storage Analytics) logging",
        effect="its metrics ended on 9 January 2024; for its logs no end was announced",
        instead="diagnostic settings of storage services",
        source=f"{_LEARN}/storage/common/storage-analytics-logging",
    ),
    Retirement(
        key=LOG_ANALYTICS_AGENT,
        what="machines with the Log Analytics agent",
        ends="2024-08-31",
        effect="it is not supported, and what it sends may stop at any time",
        instead="the Azure Monitor agent with data collection rules",
        source=f"{_LEARN}/azure-monitor/agents/azure-monitor-agent-migration",
    ),
    Retirement(
        key=CLASSIC_INSIGHTS,
        what="classic Application Insights components",
        ends="2024-02-29",
        effect="they are not supported, and keep their data outside of any workspace",
        instead="components that are based on a workspace",
        source=f"{_LEARN}/azure-monitor/app/convert-classic-resource",
    ),
    Retirement(
        key=MYSQL_SINGLE,
        what="MySQL single servers",
        ends="2024-09-16",
        effect="the service has ended",
        instead="flexible servers",
        source=f"{_LEARN}/mysql/migrate/whats-happening-to-mysql-single-server",
    ),
    Retirement(
        key=POSTGRESQL_SINGLE,
        what="PostgreSQL single servers",
        ends="2025-03-28",
        effect="the service has ended",
        instead="flexible servers",
        source=f"{_LEARN}/postgresql/migrate/whats-happening-to-postgresql-single-server",
    ),
)
_BY_KEY: Final = {one.key: one for one in RETIREMENTS}


def retirement(key: str) -> Retirement:
    """The retirement of this key."""
    return _BY_KEY[key]


def end_of(key: str) -> date:
    """The day on which it ends."""
    return date.fromisoformat(_BY_KEY[key].ends)

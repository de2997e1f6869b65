"""Parameters of PostgreSQL and MySQL flexible servers: what they let be logged."""

import pytest
from estates import denied, res, rid, subscription

from auditor.assemble import assemble
from auditor.documents import Collection, Run
from auditor.inventory import Unknown

POSTGRESQL, MYSQL = "Microsoft.DBforPostgreSQL/flexibleServers", "Microsoft.DBforMySQL/flexibleServers"


def parameters(kind, values):
    base = f"{rid(kind, 'db')}/configurations"
    items = [
        {"id": f"{base}/{name}", "name": name, "type": f"{kind}/configurations", "properties": {"value": value}}
        for name, value in values.items()
    ]
    return {"id": base, "type": f"{kind}/configurations", "value": items}


def facts(kind, *documents, source="azure"):
    collection = Collection(documents=[subscription(), res(kind, "db"), *documents], run=Run(source=source))
    return assemble(collection).get(rid(kind, "db")).facts


GOOD = {
    "log_checkpoints": "on",
    "log_connections": "on",
    "log_disconnections": "ON",
    "shared_preload_libraries": "pg_cron,PGAUDIT, pg_stat_statements",
    "pgaudit.log": "write, ddl",
}


@pytest.mark.parametrize(
    ("changed", "fact", "expected"),
    [
        pytest.param({}, "parameters_off", [], id="all three are on"),
        pytest.param({"log_connections": "OFF"}, "parameters_off", ["log_connections"], id="one is off"),
        pytest.param({"log_connections": "receipt,authentication"}, "parameters_off", [], id="stages of version 18"),
        pytest.param({"log_connections": ""}, "parameters_off", ["log_connections"], id="no stage"),
        pytest.param({"log_connections": {"$unknown": {"reason": "known after apply"}}}, "parameters_off", None,
                     id="decided later"),
        pytest.param({}, "pgaudit_loaded", True, id="loaded among others"),
        pytest.param({"shared_preload_libraries": "pgauditlogtofile"}, "pgaudit_loaded", False, id="a name alike"),
        pytest.param({"shared_preload_libraries": ""}, "pgaudit_loaded", False, id="nothing is loaded"),
        pytest.param({}, "pgaudit_records", True, id="two classes"),
        pytest.param({"pgaudit.log": "NONE"}, "pgaudit_records", False, id="none"),
        pytest.param({"pgaudit.log": ""}, "pgaudit_records", False, id="empty"),
        pytest.param({"pgaudit.log": "all,-misc"}, "pgaudit_records", True, id="all but one"),
        pytest.param({"pgaudit.log": "-misc"}, "pgaudit_records", False, id="only left out"),
    ],
)  # fmt: skip
def test_postgresql(changed, fact, expected):
    found = facts(POSTGRESQL, parameters(POSTGRESQL, {**GOOD, **changed}))[fact]
    assert isinstance(found, Unknown) if expected is None else found == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param({"audit_log_enabled": "ON", "audit_log_events": "CONNECTION,DDL"}, [], id="on, with connections"),
        pytest.param({"audit_log_enabled": "on", "audit_log_events": "connection_v2"}, [], id="their newer kind"),
        pytest.param({"audit_log_enabled": "OFF", "audit_log_events": "CONNECTION"}, ["audit_log_enabled"], id="off"),
        pytest.param({"audit_log_enabled": "ON", "audit_log_events": "DDL,DML"}, ["audit_log_events"], id="others"),
        pytest.param({"audit_log_enabled": "ON"}, None, id="one is not in the list"),
        pytest.param({"audit_log_enabled": "OFF"}, ["audit_log_enabled"], id="certainly off, whatever the other"),
        pytest.param({}, None, id="an empty list says nothing"),
    ],
)
def test_mysql(values, expected):
    found = facts(MYSQL, parameters(MYSQL, values))["parameters_off"]
    assert isinstance(found, Unknown) if expected is None else found == expected


def test_what_was_refused_is_not_known():
    refused = denied(f"{rid(POSTGRESQL, 'db')}/configurations", f"{POSTGRESQL}/configurations")
    assert all(isinstance(facts(POSTGRESQL, refused)[name], Unknown) for name in ("parameters_off", "pgaudit_loaded"))


def test_a_template_that_declares_nothing_leaves_the_services_defaults():
    assert facts(POSTGRESQL, source="terraform-plan")["parameters_off"] == []
    assert facts(POSTGRESQL, source="terraform-plan")["pgaudit_loaded"] is False
    assert facts(MYSQL, source="terraform-plan")["parameters_off"] == ["audit_log_enabled"]
    one = {
        "id": f"{rid(MYSQL, 'db')}/configurations/audit_log_enabled",
        "type": f"{MYSQL}/configurations",
        "properties": {"value": "ON"},
    }
    assert facts(MYSQL, one, source="terraform-plan")["parameters_off"] == []

"""Plans that are huge, odd or half unknown: read in bounded time, never a crash, never a pass where logs are unknown."""

import contextlib
import copy
import json
import resource
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plans import made, plan, write

from auditor.applicable import applicable
from auditor.assemble import assemble
from auditor.errors import SourceError
from auditor.judge import judge
from auditor.rule import load_rules
from auditor.sources import open_file, terraform

HERE = Path(__file__).parent
PLANS = [json.loads((HERE / "app.plan.json").read_text())]
RULES = load_rules()
FEW = [rule for rule in RULES if rule.id.startswith(("keyvault-", "storage-", "sql-", "public-nsg", "resource-logs"))]
MANY = settings(
    max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def statuses(told, path, rules=RULES):
    path.write_text(json.dumps(told))
    collection = terraform.read(path)
    asked = applicable(rules, collection.run.source, collection.run.declares)
    return {(f.rule, f.subject.id): f.status for f in judge(assemble(collection), asked).findings}


# --- size -------------------------------------------------------------------------------------------------------------


def test_a_plan_of_50_mb_is_read_in_bounded_time_and_memory(tmp_path):
    path = tmp_path / "plan.json"
    told = plan(*(made("azurerm_key_vault", f"kv-{n}", tags={"note": "x" * 25_000}) for n in range(1000)))
    path.write_text(json.dumps({**told, "prior_state": {"note": "y" * 25_000_000}}))
    assert path.stat().st_size > 50_000_000
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    assert terraform.recognises(path)
    assert len(open_file(path).documents) == 1000
    assert time.process_time() - began < 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 600_000  # KB


def test_many_settings_on_what_nobody_knows_do_not_multiply(tmp_path):
    vaults = [made("azurerm_key_vault", f"kv-{n}") for n in range(300)]
    loose = [
        made("azurerm_monitor_diagnostic_setting", f"s-{n}", {"target_resource_id": ["local.any"]},
             enabled_log=[{"category": "AuditEvent"}], log_analytics_workspace_id="/subscriptions/s/w")
        for n in range(300)
    ]  # fmt: skip
    parts = [
        made("azurerm_virtual_machine_extension", f"e-{n}", {"virtual_machine_id": ["local.any"]}) for n in range(300)
    ]
    machines = [made("azurerm_linux_virtual_machine", f"vm-{n}") for n in range(100)]
    documents = open_file(write(tmp_path, *vaults, *loose, *parts, *machines)).documents
    assert len(documents) == 300 + 100 + 400 + 100  # one list each, and one extension that stands for all


def deep(levels):
    return "[" * levels + "]" * levels


@pytest.mark.parametrize("levels", [50, 900, 5_000, 200_000])
def test_deep_nesting_is_read_or_refused(tmp_path, levels):
    path = tmp_path / "plan.json"
    body = '{"properties": {"a": ' + deep(levels) + "}}"
    resources = [
        made("azurerm_key_vault", "kv", tags={"a": "DEEP"}),
        made("azapi_resource", "a", body={"properties": "DEEP"}, type="Microsoft.KeyVault/vaults@2023-01-01"),
        made("azapi_resource", "b", body=body, type="Microsoft.Insights/diagnosticSettings@2021-05-01-preview"),
    ]
    path.write_text(json.dumps(plan(*resources)).replace('"DEEP"', deep(levels)))
    try:
        collection = terraform.read(path)
    except SourceError as error:
        assert "nested too deeply" in str(error)
    else:
        assert judge(assemble(collection), RULES[:5])


# --- wrong types ------------------------------------------------------------------------------------------------------

ODD = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False), st.text(max_size=8),
    st.just([]), st.just({}), st.just([None]), st.just([[]]), st.just([{"": None}]), st.just({"$unknown": 3}),
    st.just({"references": [3, None, "module.", "each.value", "a.b[\"", "local.x"]}),
)  # fmt: skip


def places(value, path=()):
    """The path of everything inside a decoded plan."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield (*path, key)
        yield from places(one, (*path, key))


def put(told, path, value):
    for step in path[:-1]:
        told = told[step]
    told[path[-1]] = value


EVERY = [list(places(one)) for one in PLANS]


@MANY
@given(data=st.data())
def test_wrong_types_anywhere_are_read_or_refused(tmp_path, data):
    told = copy.deepcopy(PLANS[0])
    for path in data.draw(st.lists(st.sampled_from(EVERY[0]), min_size=1, max_size=6, unique=True)):
        try:
            put(told, path, copy.deepcopy(data.draw(ODD)))
        except (KeyError, IndexError, TypeError):
            continue  # what was there is gone already
    with contextlib.suppress(SourceError):
        statuses(told, tmp_path / "plan.json")


@pytest.mark.parametrize("odd", [None, 3, True, "x", [], {}, [None], {"a": 1}, [[]], [{}]], ids=repr)
def test_wrong_types_in_every_attribute_of_every_type(tmp_path, odd):
    """Each azurerm type once, with every attribute that any type has set to the same oddity."""
    from auditor.sources.terraform.attached import SAYING
    from auditor.sources.terraform.types import ROWS

    names = {name for row in ROWS.values() for name in (row.under, row.on, *row.names, *row.computed)} - {""}
    names |= COMMON
    resources = [(kind, "x", dict.fromkeys(names, odd), {}) for kind in sorted({*ROWS, *SAYING})]
    path = write(tmp_path, *resources)
    collection = open_file(path)
    asked = applicable(RULES, collection.run.source, collection.run.declares)
    assert judge(assemble(collection), asked).findings is not None


COMMON = {
    "location", "tags", "sku", "sku_name", "kind", "app_settings", "site_config", "oms_agent", "extension", "action",
    "network_interface", "data_flow", "data_sources", "destinations", "criteria", "scopes", "source", "schedule",
    "condition", "frontend_ip_configuration", "ip_configuration", "http_listener", "frontend_port", "capabilities",
    "vpn_client_configuration", "security_rule", "subnet", "rule", "queue_properties", "blob_properties", "logging",
    "network_rulesets", "network_rules", "customer_managed_key", "immutability_policy", "enabled_log", "log",
    "retention_policy", "traffic_analytics", "delegation", "backend_address_pool_ids", "email_receiver", "enabled",
    "account_tier", "account_replication_type", "daily_quota_gb", "diagnostics", "security_policies", "dns",
    "intrusion_detection", "storage_os_disk", "os_profile", "add_action_group_ids", "bypass", "default_action",
    "ddos_protection_plan", "value", "write_access_id", "key_vault_key_id", "target_resource_id", "parent_id", "body",
}  # fmt: skip


# --- unknown ----------------------------------------------------------------------------------------------------------

VALUES = [
    (number, name)
    for number, one in enumerate(PLANS[0]["planned_values"]["root_module"]["resources"])
    for name in one.get("values", ())
    if name not in ("name", "resource_group_name", "location")  # these are the identity of a resource
]


@MANY
@given(chosen=st.lists(st.sampled_from(VALUES), min_size=1, max_size=4, unique=True))
def test_what_becomes_unknown_turns_no_failure_into_a_pass(tmp_path, chosen):
    certain = {"pass", "fail"}
    before = statuses(PLANS[0], tmp_path / "before.json", FEW)
    told = copy.deepcopy(PLANS[0])
    for number, name in chosen:
        one = told["planned_values"]["root_module"]["resources"][number]
        one["values"].pop(name, None)
        for change in told["resource_changes"]:
            if change["address"] == one["address"]:
                change["change"]["after_unknown"][name] = True
    after = statuses(told, tmp_path / "after.json", FEW)
    turned = {key: (before[key], status) for key, status in after.items() if {before.get(key), status} == certain}
    assert not turned

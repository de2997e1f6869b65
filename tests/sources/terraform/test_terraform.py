"""Terraform plans, made by real Terraform from the .tf files beside them: what is told, and what must stay unknown."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from auditor.applicable import applicable
from auditor.assemble import assemble
from auditor.cli import main
from auditor.errors import SourceError
from auditor.judge import judge
from auditor.rule import load_rules
from auditor.sources import open_file, terraform

HERE = Path(__file__).parent
APP = HERE / "app.plan.json"
VAULT_RULE = "keyvault-audit-logs"


def judged(path, rule_id=VAULT_RULE):
    """address → (status, message) of one rule's findings."""
    collection = open_file(path)
    rules = [rule for rule in applicable(load_rules(), collection.run.source) if rule.id == rule_id]
    report = judge(assemble(collection), rules)
    return {
        f.subject.origin.address if f.subject.origin else f.subject.id: (f.status, f.message) for f in report.findings
    }


def statuses(path, rule_id=VAULT_RULE):
    return {address: status for address, (status, _) in judged(path, rule_id).items()}


def changed(tmp_path, change, source=APP):
    told = json.loads(source.read_text())
    change(told)
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(told))
    return path


def resource(told, address):
    return next(r for r in told["planned_values"]["root_module"]["resources"] if r["address"] == address)


def test_a_setting_covers_the_vault_it_refers_to_and_no_other():
    assert statuses(APP) == {
        "azurerm_key_vault.app": "pass",
        "azurerm_key_vault.app2": "fail",  # metrics only; named like the setting's vault and one more
        'azurerm_key_vault.fe["one"]': "pass",  # for_each with equal keys
        'azurerm_key_vault.fe["two"]': "fail",
        'azurerm_key_vault.chain["x"]': "pass",  # for_each over the vaults
        'azurerm_key_vault.chain["y"]': "pass",
        "azurerm_key_vault.cnt[0]": "pass",
        "azurerm_key_vault.cnt[1]": "fail",
        "azurerm_key_vault.local_a": "fail",
        "azurerm_key_vault.stream": "pass",  # through an authorization rule of an event hub namespace
        'module.kv["a/b"].azurerm_key_vault.this': "pass",  # inside a module, whose key looks like a path
        'module.kv["c"].azurerm_key_vault.this': "pass",
        "module.bare.azurerm_key_vault.this": "fail",
        "module.outside.azurerm_key_vault.this": "pass",  # by an output of the module
        "azapi_resource.kv": "pass",  # body as an object
        "azapi_resource.kv2": "unknown",  # body as text, all of which only the apply decides
    }


def test_a_target_that_a_local_decides_may_be_any_vault():
    found = judged(HERE / "target_in_local.plan.json")
    assert {address[-3]: status for address, (status, _) in found.items()} == {
        "a": "unknown", "b": "pass", "c": "unknown", "d": "unknown",
    }  # fmt: skip
    assert 'azurerm_monitor_diagnostic_setting.by_local["one"]' in found['azurerm_key_vault.kv["a"]'][1]


def test_a_target_that_a_condition_decides_may_be_either_vault():
    found = judged(HERE / "target_by_condition.plan.json")
    assert {address[-3]: status for address, (status, _) in found.items()} == {
        "a": "unknown", "b": "unknown",
        "c": "unknown",  # its categories are known after the apply
        "d": "fail",
    }  # fmt: skip
    assert "var.primary" in found['azurerm_key_vault.kv["a"]'][1]


def test_an_index_that_is_counted_on_is_not_taken_for_the_same_index(tmp_path):
    def shift(told):
        for block in told["configuration"]["root_module"]["resources"]:
            if block["address"] == "azurerm_monitor_diagnostic_setting.cnt":
                block["expressions"]["target_resource_id"]["references"] = ["azurerm_key_vault.cnt", "count.index"]
        setting = resource(told, "azurerm_monitor_diagnostic_setting.cnt")
        setting["index"] = 0  # x[count.index + 1] reads the same

    found = statuses(changed(tmp_path, shift))
    assert found["azurerm_key_vault.cnt[0]"] == found["azurerm_key_vault.cnt[1]"] == "unknown"


def test_a_target_by_a_data_source_that_is_read_later_may_be_any_vault(tmp_path):
    def later(told):
        for block in told["configuration"]["root_module"]["resources"]:
            if block["address"] == "azurerm_monitor_diagnostic_setting.app":
                block["expressions"]["target_resource_id"]["references"] = ["data.azurerm_key_vault.x.id"]

    found = statuses(changed(tmp_path, later))
    assert found["azurerm_key_vault.app"] == found["azurerm_key_vault.app2"] == "unknown"
    assert found["azurerm_key_vault.cnt[0]"] == "pass"


def test_ids_that_are_known_are_compared_without_case(tmp_path):
    known = (
        "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-app/providers/Microsoft.KeyVault/vaults/"
    )

    def exists(told):
        resource(told, "azurerm_key_vault.local_a")["values"]["id"] = f"{known}kv-local-a"
        setting = resource(told, "azurerm_monitor_diagnostic_setting.metrics")
        setting["values"] |= {
            "target_resource_id": f"{known}KV-LOCAL-A".replace("resourceGroups", "resourcegroups"),
            "enabled_log": [{"category": "AuditEvent"}],
        }
        for change in told["resource_changes"]:
            change["change"]["after_unknown"].pop("target_resource_id", None) if "metrics" in change[
                "address"
            ] else None
            change["change"]["after_unknown"].pop("id", None) if "local_a" in change["address"] else None

    found = statuses(changed(tmp_path, exists))
    assert found["azurerm_key_vault.local_a"] == "pass"
    assert found["azurerm_key_vault.app2"] == "fail"


def test_a_plan_that_is_not_complete_fails_nothing_for_what_it_lacks(tmp_path):
    found = judged(changed(tmp_path, lambda told: told.update(complete=False)))
    assert {status for status, _ in found.values()} == {"pass", "unknown"}
    assert "-target" in found["azurerm_key_vault.app2"][1]


@pytest.mark.parametrize(
    ("policy", "status"),
    [
        pytest.param([{"enabled": True, "days": 365}], "fail", id="days"),
        pytest.param([{"enabled": False, "days": 0}], "pass", id="off"),
        pytest.param([], "pass", id="none"),
    ],
)
def test_days_that_an_older_provider_wrote_into_a_setting_are_told(tmp_path, policy, status):
    vault = "/subscriptions/s/resourceGroups/rg-app/providers/Microsoft.KeyVault/vaults/one"
    kept = {"category": "AuditEvent", "retention_policy": policy}
    values = {
        "name": "a",
        "target_resource_id": vault,
        "storage_account_id": "/subscriptions/s/a",
        "enabled_log": [kept],
    }
    inside = [
        {"address": "azurerm_key_vault.one", "mode": "managed", "type": "azurerm_key_vault", "name": "one",
         "values": {"id": vault, "name": "one", "location": "westeurope"}},
        {"address": "azurerm_monitor_diagnostic_setting.a", "mode": "managed",
         "type": "azurerm_monitor_diagnostic_setting", "name": "a", "values": values},
    ]  # fmt: skip
    path = tmp_path / "state.json"
    state = {"values": {"root_module": {"resources": inside}}, "terraform_version": "1.9", "format_version": "1.0"}
    path.write_text(json.dumps(state))
    assert statuses(path, "diagnostic-setting-retention-days") == {"azurerm_key_vault.one": status}


def test_a_state_has_no_configuration_and_needs_none(tmp_path):
    known = "/subscriptions/s/resourceGroups/rg-app/providers/Microsoft.KeyVault/vaults/"

    def vault(name):
        values = {"id": f"{known}{name}", "name": name, "location": "westeurope"}
        return {"address": f"azurerm_key_vault.{name}", "mode": "managed", "type": "azurerm_key_vault", "name": name,
                "values": values}  # fmt: skip

    setting = {
        "address": "azurerm_monitor_diagnostic_setting.a", "mode": "managed",
        "type": "azurerm_monitor_diagnostic_setting", "name": "a",
        "values": {"name": "a", "target_resource_id": f"{known}one", "log_analytics_workspace_id": "/subscriptions/s/w",
                   "log": [{"category": "AuditEvent", "enabled": True}]},
    }  # fmt: skip
    path = tmp_path / "state.json"
    inside = {"resources": [vault("one"), vault("two"), setting]}
    path.write_text(
        json.dumps({"values": {"root_module": inside}, "terraform_version": "1.9", "format_version": "1.0"})
    )
    assert open_file(path).run.source == "terraform-state"
    assert statuses(path) == {"azurerm_key_vault.one": "pass", "azurerm_key_vault.two": "fail"}


def test_sensitive_values_are_never_shown(tmp_path):
    def hide(told):
        vault = resource(told, "azapi_resource.kv")
        vault["values"]["body"]["properties"]["secret"] = "hunter2"
        vault["sensitive_values"]["body"]["properties"]["secret"] = True
        resource(told, "azurerm_key_vault.app")["values"]["tags"] = {"token": "hunter2"}
        resource(told, "azurerm_key_vault.app")["sensitive_values"]["tags"] = True

    assert "hunter2" not in json.dumps(open_file(changed(tmp_path, hide)).documents)


def test_the_order_of_a_plan_does_not_matter(tmp_path):
    def turn(told):
        told["planned_values"]["root_module"]["resources"].reverse()
        told["resource_changes"].reverse()
        told["configuration"]["root_module"]["resources"].reverse()

    turned = open_file(changed(tmp_path, turn)).documents
    as_written = open_file(changed(tmp_path, lambda told: None)).documents
    assert turned == as_written


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_what_a_windows_shell_writes_is_read(tmp_path, encoding):
    path = tmp_path / "plan.json"
    path.write_bytes(APP.read_text().encode(encoding))
    assert len(open_file(path).documents) == len(open_file(APP).documents)


def test_keys_may_be_in_any_order(tmp_path):
    told = json.loads(APP.read_text())
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(dict(sorted(told.items(), reverse=True)), indent=2))
    assert terraform.recognises(path)


MISTAKES = [
    ("cut short", APP.read_text()[:5000], "not a whole Terraform plan"),
    ("failed", '{"format_version": "1.2", "planned_values": {}, "errored": true}', "the plan failed"),
    ("new format", '{"format_version": "2.0", "planned_values": {}}', "format 2.0"),
    ("no resources", '{"format_version": "1.2"}', "no planned values"),
    ("deep", '{"format_version": "1.2", "planned_values": ' + '{"a":' * 100_000, "nested too deeply"),
    ("odd bytes", b'{"format_version": "1.2", "planned_values": "\xff\xfe"}', "not a whole Terraform plan"),
]


@pytest.mark.parametrize(("content", "said"), [m[1:] for m in MISTAKES], ids=[m[0] for m in MISTAKES])
def test_a_file_that_is_no_whole_plan_is_refused(tmp_path, content, said):
    path = tmp_path / "plan.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SourceError, match=said):
        open_file(path)


NOISE = [None, [], {}, "x", 3, True, [None], {"root_module": 3}, {"root_module": {"resources": [None, 3, {}]}}]


@pytest.mark.parametrize("key", ["planned_values", "resource_changes", "configuration", "variables", "prior_state"])
@pytest.mark.parametrize("noise", NOISE, ids=repr)
def test_a_strange_shape_is_an_error_or_read_but_no_crash(tmp_path, key, noise):
    path = changed(tmp_path, lambda told: told.update({key: noise}))
    try:
        open_file(path)
    except SourceError:
        assert key == "planned_values"


def test_modules_that_refer_to_each_other_come_to_an_end(tmp_path):
    def circle(told):
        calls = told["configuration"]["root_module"]["module_calls"]
        calls["outside"]["module"]["outputs"]["id"]["expression"]["references"] = ["var.name"]
        calls["outside"]["expressions"]["name"] = {"references": ["module.outside.id", "module.outside"]}

    assert statuses(changed(tmp_path, circle))["azurerm_key_vault.app"] == "pass"


def test_rules_about_the_whole_subscription_are_left_out_and_counted(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["scan", str(APP), "-f", "json"]) == 0
    report = json.loads(capsys.readouterr().out)
    judged_rules = {rule["id"] for rule in report["rules"]}
    for rule_id in ("activity-log-profile-retired", "alert-service-health", "network-watcher-per-region"):
        assert rule_id in report["rules_left_out"]
    assert judged_rules.isdisjoint(report["rules_left_out"])
    assert f"{len(report['rules_left_out'])} rules about whole" in report["summary"]["line"]
    assert len(judged_rules) + len(report["rules_left_out"]) <= len(load_rules())


def test_a_plan_is_scanned_without_the_azure_sdk(tmp_path):
    script = (
        "import sys; from auditor.cli import main; main(['scan', sys.argv[1]]); "
        "print([m for m in sys.modules if m.partition('.')[0] in ('azure', 'aiohttp', 'msal')])"
    )
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", script, str(APP)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_documents_of_the_plan():
    """The golden file: what the plan is read as. UPDATE_GOLDEN=1 writes it anew."""
    golden = HERE / "app.documents.json"
    documents = open_file(APP).documents
    for document in documents:
        for one in (document, *(document.get("value") or ())):
            one["$origin"] = one.get("$origin", {}).get("address")
    text = json.dumps(documents, indent=1, sort_keys=True) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text)
    assert text == golden.read_text()


# --- storage, SQL, networks -------------------------------------------------------------------------------------------


def by_name(path, rule_id):
    """name of the subject → status"""
    collection = open_file(path)
    rules = [rule for rule in load_rules() if rule.id == rule_id]
    return {f.subject.name: f.status for f in judge(assemble(collection), rules).findings}


def test_which_service_of_an_account_a_setting_is_on_is_lost_but_for_the_key_of_for_each():
    for service in ("blob", "queue", "table", "file"):
        found = by_name(APP, f"storage-{service}-access-logs")
        assert found[f"stapp/{service}"] == "unknown"  # one setting on ${account.id}/blobServices/default
        assert found[f"steach/{service}"] == ("fail" if service == "file" else "pass")


def test_whether_a_setting_is_on_master_is_lost():
    assert by_name(APP, "sql-server-auditing") == {"sql-app": "unknown"}


def test_a_known_suffix_is_told_apart(tmp_path):
    base = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-app/providers"

    def exists(told):
        for name, kind, suffix in (
            ("blob", "Microsoft.Storage/storageAccounts/stapp", "blobServices/default"),
            ("master", "Microsoft.Sql/servers/sql-app", "databases/master"),
        ):
            setting = resource(told, f"azurerm_monitor_diagnostic_setting.{name}")
            setting["values"]["target_resource_id"] = f"{base}/{kind}/{suffix}"
            for change in told["resource_changes"]:
                if change["address"] == setting["address"]:
                    del change["change"]["after_unknown"]["target_resource_id"]

    path = changed(tmp_path, exists)
    assert by_name(path, "storage-blob-access-logs")["stapp/blob"] == "pass"
    assert by_name(path, "storage-queue-access-logs")["stapp/queue"] == "fail"
    assert by_name(path, "sql-server-auditing") == {"sql-app": "pass"}
    assert by_name(path, "sql-database-auditing") == {"orders": "pass"}


def test_a_server_without_an_auditing_policy_fails(tmp_path):
    def drop(told):
        root = told["planned_values"]["root_module"]
        root["resources"] = [r for r in root["resources"] if "auditing_policy" not in r["type"]]

    assert by_name(changed(tmp_path, drop), "sql-server-auditing") == {"sql-app": "fail"}


def test_a_policy_of_a_server_that_is_not_known_may_be_of_any(tmp_path):
    def move(told):
        for block in told["configuration"]["root_module"]["resources"]:
            if "auditing_policy" in block["address"]:
                block["expressions"]["server_id"]["references"] = ["local.server"]

    assert by_name(changed(tmp_path, move), "sql-server-auditing") == {"sql-app": "unknown"}


def test_a_disabled_flow_log_covers_nothing_and_a_diagnostic_setting_is_no_flow_log(tmp_path):
    assert by_name(APP, "public-nsg-flow-logs") == {"nsg-app": "fail"}
    assert by_name(APP, "virtual-network-flow-logs") == {"vnet-app": "fail"}

    def enable(told):
        resource(told, "azurerm_network_watcher_flow_log.f")["values"]["enabled"] = True

    on = changed(tmp_path, enable)
    assert by_name(on, "public-nsg-flow-logs") == {"nsg-app": "pass"}
    assert by_name(on, "virtual-network-flow-logs") == {"vnet-app": "pass"}


def test_a_security_group_on_a_subnet_that_is_not_known_may_be_public(tmp_path):
    def loosen(told):
        for block in told["configuration"]["root_module"]["resources"]:
            if block["address"] == "azurerm_subnet_network_security_group_association.a":
                block["expressions"]["subnet_id"]["references"] = ["local.subnet"]

    assert by_name(changed(tmp_path, loosen), "public-nsg-flow-logs") == {"nsg-app": "unknown"}


def test_an_interface_in_a_subnet_that_is_not_known_may_be_behind_any_group(tmp_path):
    def loosen(told):
        for block in told["configuration"]["root_module"]["resources"]:
            if block["address"] == "azurerm_network_interface.i":
                block["expressions"]["ip_configuration"][0]["subnet_id"]["references"] = ["local.subnet"]

    assert by_name(changed(tmp_path, loosen), "public-nsg-flow-logs") == {"nsg-app": "unknown"}


def test_a_rule_apart_opens_the_group_that_it_refers_to(tmp_path):
    def apart(told):
        group = resource(told, "azurerm_network_security_group.n")
        rule = group["values"]["security_rule"].pop()
        root = told["planned_values"]["root_module"]["resources"]
        address = "azurerm_network_security_rule.https"
        values = {**rule, "network_security_group_name": "nsg-app", "resource_group_name": "rg-app"}
        root.append(
            {
                "address": address,
                "mode": "managed",
                "type": "azurerm_network_security_rule",
                "name": "https",
                "values": values,
            }
        )

    assert by_name(changed(tmp_path, apart), "public-nsg-flow-logs") == {"nsg-app": "fail"}


def test_a_lifecycle_policy_shortens_what_an_account_keeps(tmp_path):
    def expire(told):
        action = {"base_blob": [{"delete_after_days_since_modification_greater_than": 30,
                                 "delete_after_days_since_creation_greater_than": -1}]}  # fmt: skip
        rule = {
            "name": "all",
            "enabled": True,
            "filters": [{"blob_types": ["blockBlob", "appendBlob"]}],
            "actions": [action],
        }
        account = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-app/providers"
        values = {"rule": [rule], "storage_account_id": f"{account}/Microsoft.Storage/storageAccounts/stapp"}
        told["planned_values"]["root_module"]["resources"].append(
            {"address": "azurerm_storage_management_policy.p", "mode": "managed",
             "type": "azurerm_storage_management_policy", "name": "p", "values": values}
        )  # fmt: skip

    assert by_name(APP, "log-storage-lifecycle") == {"stapp": "pass"}
    assert by_name(changed(tmp_path, expire), "log-storage-lifecycle") == {"stapp": "fail"}


def unset(told, address, attribute):
    """As azurerm plans an attribute that Azure sets where nobody did."""
    resource(told, address)["values"].pop(attribute, None)
    for change in told["resource_changes"]:
        if change["address"] == address:
            change["change"]["after_unknown"][attribute] = True
    for block in told["configuration"]["root_module"]["resources"]:
        if block["address"] == address:
            block["expressions"].pop(attribute, None)


def test_what_azure_sets_where_nobody_did_is_as_azure_makes_it(tmp_path):
    def plain(told):
        for attribute in ("network_rules", "queue_properties"):
            unset(told, "azurerm_storage_account.each", attribute)
            unset(told, "azurerm_storage_account.sa", attribute)

    documents = {d["id"]: d for d in open_file(changed(tmp_path, plain)).documents}
    assert documents == {d["id"]: d for d in open_file(changed(tmp_path, lambda told: None)).documents}


def test_rules_of_a_group_that_only_the_apply_decides_may_let_anything_in(tmp_path):
    path = changed(tmp_path, lambda told: unset(told, "azurerm_network_security_group.n", "security_rule"))
    assert by_name(path, "public-nsg-flow-logs") == {"nsg-app": "unknown"}


def test_a_group_with_rules_apart_has_none_inside(tmp_path):
    def apart(told):
        unset(told, "azurerm_network_security_group.n", "security_rule")
        values = {"name": "ssh", "priority": 100, "direction": "Inbound", "access": "Deny", "protocol": "*",
                  "source_port_range": "*", "destination_port_range": "*", "source_address_prefix": "*",
                  "destination_address_prefix": "*", "network_security_group_name": "nsg-app",
                  "resource_group_name": "rg-app"}  # fmt: skip
        rule = {
            "address": "azurerm_network_security_rule.r",
            "mode": "managed",
            "type": "azurerm_network_security_rule",
        }
        told["planned_values"]["root_module"]["resources"].append({**rule, "name": "r", "values": values})

    assert by_name(changed(tmp_path, apart), "public-nsg-flow-logs") == {}


def test_a_service_that_azapi_sets_is_the_account_s_own(tmp_path):
    def service(told):
        account = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-app/providers"
        values = {"type": "Microsoft.Storage/storageAccounts/blobServices@2023-05-01", "name": "default",
                  "parent_id": f"{account}/Microsoft.Storage/storageAccounts/stapp", "body": {"properties": {}}}  # fmt: skip
        told["planned_values"]["root_module"]["resources"].append(
            {
                "address": "azapi_resource.blob",
                "mode": "managed",
                "type": "azapi_resource",
                "name": "blob",
                "values": values,
            }
        )

    collection = open_file(changed(tmp_path, service))
    names = [r.name for r in assemble(collection).resources if r.type.endswith("/blobServices")]
    assert sorted(names) == ["stapp/blob", "steach/blob"]


@pytest.mark.parametrize("logs", [[None], [3], ["x"], [{}], [{"category": 3}], "x", 3, {"a": 1}], ids=repr)
def test_strange_logs_of_a_body_are_no_crash(tmp_path, logs):
    def strange(told):
        resource(told, "azapi_resource.kvdiag")["values"]["body"]["properties"]["logs"] = logs
        for block in told["configuration"]["root_module"]["resources"]:
            if block["address"] == "azapi_resource.kvdiag":
                block["expressions"]["parent_id"]["references"] = ["local.x"]

    assert statuses(changed(tmp_path, strange))["azapi_resource.kv"] in ("fail", "unknown")


def test_terraform_s_own_files_are_refused_with_the_way_to_read_them(tmp_path):
    saved = tmp_path / "tfplan"
    with zipfile.ZipFile(saved, "w") as archive:
        archive.writestr("tfplan", b"\x0a")
    state = tmp_path / "terraform.tfstate"
    state.write_text('{\n  "version": 4,\n  "terraform_version": "1.11.4",\n  "serial": 1,\n  "lineage": "x"\n}')
    for path in (saved, state):
        with pytest.raises(SourceError) as refused:
            open_file(path)
        assert "terraform show -json" in refused.value.hint

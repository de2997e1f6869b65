"""What the evaluator of Terraform's code hides: each case here could turn a failure into a pass, or the other way."""

from __future__ import annotations

import json
import time

import pytest
from hcl_code import PROVIDER, SETTING, VAULT, WORKSPACE, findings, statuses, write

from auditor.sources import open_file

pytestmark = pytest.mark.usefixtures("in_process")
BASE = PROVIDER + WORKSPACE


def scanned(folder, files, **more):
    return open_file(write(folder, files), **more)


def vault(name, extra=""):
    return f'resource "azurerm_key_vault" "{name}" {{\n  name = "kv-{name}"\n{extra}}}\n'


def setting(name, target="azurerm_key_vault.a.id", logs='enabled_log { category = "AuditEvent" }', extra="", law=None):
    law = law or "azurerm_log_analytics_workspace.law.id"
    return (
        f'resource "azurerm_monitor_diagnostic_setting" "{name}" {{\n  name = "s"\n  target_resource_id = {target}\n'
        f"  log_analytics_workspace_id = {law}\n  {logs}\n{extra}}}\n"
    )


def answer(folder, text, **files):
    """The status of the vault `a` under a configuration."""
    collection = scanned(folder, {"main.tf": BASE + text, **files})
    found = statuses(collection)
    return found.get("azurerm_key_vault.a") or found.get("azurerm_key_vault.a[0]") or found


def test_a_file_with_a_mistake_is_named_and_what_is_in_it_stays_unknown(tmp_path):
    broken = VAULT.replace('"a"', '"b"') + 'resource "azurerm_monitor_diagnostic_setting" "x" {\n  name = \n}\n'
    collection = scanned(tmp_path, {"main.tf": BASE + VAULT, "log.tf": broken})
    found = {f.subject.origin.address: (f.status, f.message) for f in findings(collection)}
    assert {status for status, _ in found.values()} == {"unknown"}
    assert len(found) == 2
    assert "log.tf:" in found["azurerm_key_vault.a"][1]
    (unread,) = {d["$unknown"]["code"].partition(":")[0] for d in collection.documents if "$unknown" in d}
    assert unread == "parse-error(log.tf"


CASES = [
    # what is written → what becomes of the vault `a`, which has no other setting
    ("plain", VAULT, "fail"),
    ("covered", VAULT + SETTING, "pass"),
    ("for_each over a variable without a value",
     'variable "x" { type = set(string) }\n' + VAULT + setting("s", extra="  for_each = var.x\n"), "unknown"),
    ("for_each over a data source",
     'data "azurerm_resources" "d" {}\n' + VAULT
     + setting("s", "each.value.id", extra="  for_each = { for r in data.azurerm_resources.d.resources : r.name => r }\n"),
     "unknown"),
    ("for_each over what is empty", 'variable "x" { default = [] }\n' + VAULT
     + setting("s", extra="  for_each = toset(var.x)\n"), "fail"),
    ("for_each over the vaults", VAULT.replace("{\n", '{\n  for_each = toset(["p", "q"])\n', 1)
     + setting("s", "each.value.id", extra="  for_each = azurerm_key_vault.a\n"),
     {'azurerm_key_vault.a["p"]': "pass", 'azurerm_key_vault.a["q"]': "pass"}),
    ("for_each over a map of ids", VAULT + vault("b")
     + "locals {\n  ids = { one = azurerm_key_vault.a.id }\n}\n"
     + setting("s", "each.value", extra="  for_each = local.ids\n"),
     "pass"),
    ("count over a variable without a value", 'variable "on" { type = bool }\n' + VAULT
     + setting("s", extra="  count = var.on ? 1 : 0\n"), "unknown"),
    ("count over a length that is not known", 'variable "l" { type = list(string) }\n' + VAULT
     + setting("s", extra="  count = length(var.l)\n"), "unknown"),
    ("count of none", VAULT + setting("s", extra="  count = 0\n"), "fail"),
    ("count by a default", 'variable "on" { default = true }\n' + VAULT
     + setting("s", extra="  count = var.on ? 1 : 0\n"), "pass"),
    ("count by an id", VAULT
     + setting("s", extra='  count = azurerm_log_analytics_workspace.law.id != "" ? 1 : 0\n'), "pass"),
    ("a vault that may be there", 'variable "on" { type = bool }\n' + vault("a", "  count = var.on ? 1 : 0\n"),
     "unknown"),
    ("a vault and its setting on one condition", 'variable "on" { type = bool }\n'
     + vault("a", "  count = var.on ? 1 : 0\n")
     + setting("s", "azurerm_key_vault.a[0].id", extra="  count = var.on ? 1 : 0\n"), "pass"),
    ("a vault that may be there with a setting that may be elsewhere", 'variable "on" { type = bool }\n'
     + 'variable "too" { type = bool }\n' + vault("a", "  count = var.on ? 1 : 0\n")
     + setting("s", "azurerm_key_vault.a[0].id", extra="  count = var.too ? 1 : 0\n"), "unknown"),
    ("dynamic over a variable without a value", 'variable "c" { type = list(string) }\n' + VAULT
     + setting("s", logs='dynamic "enabled_log" {\n    for_each = var.c\n    content {\n'
               "      category = enabled_log.value\n    }\n  }"), "unknown"),
    ("dynamic over a default", 'variable "c" { default = ["AuditEvent"] }\n' + VAULT
     + setting("s", logs='dynamic "enabled_log" {\n    for_each = var.c\n    content {\n'
               "      category = enabled_log.value\n    }\n  }"), "pass"),
    ("dynamic over nothing", 'variable "c" { default = [] }\n' + VAULT
     + setting("s", logs='dynamic "enabled_log" {\n    for_each = var.c\n    content {\n'
               "      category = enabled_log.value\n    }\n  }"), "fail"),
    ("dynamic beside what is written", 'variable "c" { type = list(string) }\n' + VAULT
     + setting("s", logs='enabled_log { category = "AuditEvent" }\n  dynamic "enabled_log" {\n    for_each = var.c\n'
               "    content {\n      category = enabled_log.value\n    }\n  }"), "pass"),
    ("a category without a value", 'variable "c" {}\n' + VAULT
     + setting("s", logs="enabled_log { category = var.c }"), "unknown"),
    ("a destination without a value", 'variable "w" {}\n' + VAULT + setting("s", law="var.w"), "pass"),
    ("a target without a value", 'variable "t" {}\n' + VAULT + setting("s", "var.t"), "fail"),
    ("a target by a condition", 'variable "on" {}\n' + VAULT + vault("b")
     + setting("s", "var.on ? azurerm_key_vault.a.id : azurerm_key_vault.b.id"), "unknown"),
    ("a target by a guess", 'variable "t" {}\n' + VAULT + setting("s", "try(var.t, azurerm_key_vault.a.id)"), "unknown"),
    ("a target by a data source", 'data "azurerm_key_vault" "k" {\n  name = "kv-a"\n}\n' + VAULT
     + setting("s", "data.azurerm_key_vault.k.id"), "unknown"),
    ("a category by a function that is not known", VAULT
     + setting("s", logs='enabled_log { category = provider::x::pick("AuditEvent") }'), "unknown"),
    ("a category by the workspace's name", VAULT
     + setting("s", logs='enabled_log { category = terraform.workspace == "default" ? "AuditEvent" : "x" }'), "unknown"),
    ("metrics alone", VAULT + setting("s", logs='enabled_metric { category = "AllMetrics" }'), "fail"),
    ("an old log that is off", VAULT
     + setting("s", logs='log {\n    category = "AuditEvent"\n    enabled = false\n  }'), "fail"),
    ("a module that is not on disk", VAULT
     + 'module "d" {\n  source = "app.example.com/logs/azurerm"\n  targets = [azurerm_key_vault.a.id]\n}\n', "unknown"),
    ("a module that is not on disk and is handed nothing", VAULT
     + 'module "d" {\n  source = "Azure/naming/azurerm"\n  suffix = ["x"]\n}\n', "fail"),
    ("an azapi body in which something has no value", 'variable "on" {}\n' + VAULT
     + 'resource "azapi_resource" "s" {\n  type = "Microsoft.Insights/diagnosticSettings@2021-05-01-preview"\n'
       '  name = "s"\n  parent_id = azurerm_key_vault.a.id\n  body = { properties = { logs = [{ category = "AuditEvent",'
       " enabled = var.on }], workspaceId = azurerm_log_analytics_workspace.law.id } }\n}\n", "unknown"),
    ("an azapi body as text in which something has no value", 'variable "w" {}\n' + VAULT
     + 'resource "azapi_resource" "s" {\n  type = "Microsoft.Insights/diagnosticSettings@2021-05-01-preview"\n'
       '  name = "s"\n  parent_id = azurerm_key_vault.a.id\n  body = jsonencode({ properties = { logs = [{ category ='
       ' "AuditEvent", enabled = true }], workspaceId = var.w } })\n}\n', "pass"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_is_not_decided_is_unknown(tmp_path, text, expected):
    assert answer(tmp_path, text) == expected


def test_the_reason_names_the_variable_and_the_way_out(tmp_path):
    text = 'variable "c" {}\n' + VAULT + setting("s", logs="enabled_log { category = var.c }")
    (found,) = findings(scanned(tmp_path, {"main.tf": BASE + text}))
    assert [(why.code, why.grant) for why in found.why_unknown] == [
        ("unresolved-variable(var.c)", "--var-file with a value for it")
    ]


def test_files_of_variables_are_loaded_as_terraform_does(tmp_path):
    text = 'variable "on" { type = bool }\n' + VAULT + setting("s", extra="  count = var.on ? 1 : 0\n")
    assert answer(tmp_path / "a", text, **{"terraform.tfvars": "on = true\n"}) == "pass"
    assert answer(tmp_path / "b", text, **{"x.auto.tfvars.json": '{"on": false}'}) == "fail"
    assert answer(tmp_path / "c", text, **{"prod.tfvars": "on = true\n"}) == "unknown"
    assert (
        answer(tmp_path / "d", text, **{"terraform.tfvars": "on = false\n", "x.auto.tfvars": "on = true\n"}) == "pass"
    )


def test_an_override_replaces_what_it_sets_and_makes_no_second_vault(tmp_path):
    override = {"main_override.tf": 'resource "azurerm_key_vault" "a" {\n  name = "kv-over"\n}\n'}
    collection = scanned(tmp_path, {"main.tf": BASE + VAULT + SETTING, **override})
    assert [(f.subject.name, f.status, f.subject.origin.line) for f in findings(collection)] == [("kv-over", "pass", 8)]
    blocks = 'resource "azurerm_monitor_diagnostic_setting" "a" {\n  enabled_log { category = "Other" }\n}\n'
    assert answer(tmp_path, VAULT + SETTING, **{"z_override.tf": blocks}) == "fail"


MODULE = 'variable "name" {}\noutput "id" {\n  value = azurerm_key_vault.this.id\n}\n' + vault("this")


def test_a_module_that_calls_itself_ends_and_passes_nothing(tmp_path):
    started = time.monotonic()
    collection = scanned(tmp_path, {"main.tf": BASE + VAULT + 'module "m" {\n  source = "./"\n}\n'})
    assert time.monotonic() - started < 5
    assert statuses(collection)["azurerm_key_vault.a"] != "pass"
    assert any("never end" in d["$unknown"]["reason"] for d in collection.documents if "$unknown" in d)


def test_of_many_roots_each_is_judged_and_the_modules_through_their_callers(tmp_path):
    call = 'module "kv" {\n  source = "../modules/kv"\n  name = "kv"\n}\n'
    cover = setting("s", "module.kv.id")
    files = {"modules/kv/main.tf": MODULE, "dev/main.tf": BASE + call, "prod/main.tf": BASE + call + cover}
    found = findings(scanned(tmp_path, files))
    assert sorted((f.status, f.subject.origin.file, f.subject.origin.address) for f in found) == [
        ("fail", "modules/kv/main.tf", "module.kv.azurerm_key_vault.this in dev"),
        ("pass", "modules/kv/main.tf", "module.kv.azurerm_key_vault.this in prod"),
    ]


def test_a_library_module_fails_for_nothing_that_its_caller_decides(tmp_path):
    library = scanned(tmp_path / "alone", {"main.tf": MODULE})
    (found,) = findings(library)
    assert found.status == "unknown"
    assert "callers decide" in found.message
    own = MODULE + setting("s", "azurerm_key_vault.this.id", law="var.name")
    assert [f.status for f in findings(scanned(tmp_path / "own", {"main.tf": own}))] == ["pass"]


def test_json_syntax_is_read(tmp_path):
    told = {
        "provider": {"azurerm": {"features": {}}},
        "resource": {
            "azurerm_key_vault": {"a": {"name": "kv-a"}, "b": {"name": "kv-b"}},
            "azurerm_log_analytics_workspace": {"law": {"name": "law"}},
            "azurerm_monitor_diagnostic_setting": {
                "s": {
                    "name": "s",
                    "target_resource_id": "${azurerm_key_vault.a.id}",
                    "log_analytics_workspace_id": "${azurerm_log_analytics_workspace.law.id}",
                    "enabled_log": [{"category": "AuditEvent"}],
                }
            },
        },
    }
    found = statuses(scanned(tmp_path, {"main.tf.json": json.dumps(told)}))
    assert found == {"azurerm_key_vault.a": "pass", "azurerm_key_vault.b": "fail"}

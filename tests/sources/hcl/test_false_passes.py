"""Code in which a vault looks as if it logged and does not: none may pass."""

from __future__ import annotations

import pytest
from hcl_code import PROVIDER, VAULT, WORKSPACE, statuses, write

from auditor.sources import open_file

pytestmark = pytest.mark.usefixtures("in_process")
BASE = PROVIDER + WORKSPACE
ID = "azurerm_key_vault.a.id"


def vault(name, extra=""):
    return f'resource "azurerm_key_vault" "{name}" {{\n  name = "kv-{name}"\n{extra}}}\n'


def setting(target=ID, extra="", category='"AuditEvent"'):
    return (
        f'resource "azurerm_monitor_diagnostic_setting" "s" {{\n  name = "s"\n  target_resource_id = {target}\n'
        "  log_analytics_workspace_id = azurerm_log_analytics_workspace.law.id\n"
        f"  enabled_log {{\n    category = {category}\n  }}\n{extra}}}\n"
    )


def answer(folder, text, **files):
    """The status of the vault `a`."""
    found = statuses(open_file(write(folder, {"main.tf": BASE + text, **files})))
    return found.get("azurerm_key_vault.a", found)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (f'replace({ID}, "kv-a", "kv-b")', "unknown"),
        (f'trimsuffix({ID}, "a")', "unknown"),
        ("local.other", "unknown"),
        ('one([for v in [azurerm_key_vault.a] : replace(v.id, "kv-a", "kv-b")])', "unknown"),
        (f"try({ID}, null)", "pass"),
        ("element([azurerm_key_vault.b.id, azurerm_key_vault.a.id], 1)", "pass"),
    ],
)
def test_what_is_made_of_the_letters_of_an_id_is_not_known(tmp_path, target, expected):
    local = f'locals {{\n  other = join("/", slice(split("/", {ID}), 0, 5))\n}}\n'
    assert answer(tmp_path, VAULT + vault("b") + local + setting(target)) == expected


def test_a_function_on_a_name_that_is_written_is_computed(tmp_path):
    text = VAULT + setting(category='replace(azurerm_key_vault.a.name, "kv-a", "AuditEvent")')
    assert answer(tmp_path, text) == "pass"


def test_a_key_that_is_taken_apart_still_names_its_vault(tmp_path):
    vaults = vault("a", '  for_each = toset(["p", "q"])\n')
    text = vaults + setting('azurerm_key_vault.a[trimsuffix(each.key, "-log")].id', '  for_each = toset(["p-log"])\n')
    assert answer(tmp_path, text) == {'azurerm_key_vault.a["p"]': "pass", 'azurerm_key_vault.a["q"]': "fail"}


ON_B = setting("azurerm_key_vault.b.id")


@pytest.mark.parametrize(
    ("own", "override", "expected"),
    [
        ("", "count = 0", "fail"),
        ("  count = 2\n", "count = 0", "fail"),
        ("  count = 0\n", "count = 1", "pass"),
        ('  for_each = toset(["x"])\n', "for_each = toset([])", "fail"),
        ('  for_each = toset(["x"])\n', "target_resource_id = azurerm_key_vault.b.id", "fail"),
        ("  count = 1\n", "log_analytics_workspace_id = null", "fail"),
    ],
)
def test_an_override_file_decides_how_many_there_are(tmp_path, own, override, expected):
    over = f'resource "azurerm_monitor_diagnostic_setting" "s" {{\n  {override}\n}}\n'
    text = VAULT + vault("b") + setting(extra=own)
    assert answer(tmp_path, text, **{"z_override.tf": over}) == expected


@pytest.mark.parametrize(
    ("own", "override", "expected"),
    [("", "count = 0", "fail"), ("  count = 1\n", "count = 0", "fail"), ("", "id = azurerm_key_vault.b.id", "fail")],
)
def test_an_override_file_decides_how_many_modules_there_are(tmp_path, own, override, expected):
    made = 'variable "id" {}\nvariable "law" {}\n' + setting("var.id").replace(
        "azurerm_log_analytics_workspace.law.id", "var.law"
    )
    call = f'module "m" {{\n  source = "./m"\n  id = {ID}\n  law = azurerm_log_analytics_workspace.law.id\n{own}}}\n'
    text = VAULT + vault("b") + call
    assert answer(tmp_path, text, **{"m/main.tf": made}) == "pass"
    over = f'module "m" {{\n  {override}\n}}\n'
    assert answer(tmp_path, text, **{"z_override.tf": over}) == expected


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (f'{ID} != "/subscriptions/x" ? {ID} : azurerm_key_vault.b.id', "unknown"),
        (f"{ID} != null ? {ID} : azurerm_key_vault.b.id", "pass"),
        (f'azurerm_key_vault.a.name == "kv-a" ? {ID} : azurerm_key_vault.b.id', "pass"),
        (f'azurerm_key_vault.a.name == "kv-b" ? {ID} : azurerm_key_vault.b.id', "fail"),
    ],
)
def test_what_an_id_is_compared_with_is_not_known(tmp_path, target, expected):
    assert answer(tmp_path, VAULT + vault("b") + setting(target)) == expected


@pytest.mark.parametrize(
    ("enabled", "expected"), [("false", "unknown"), ("var.on", "unknown"), ("true", "pass"), ("!true", "unknown")]
)
def test_a_setting_that_open_tofu_may_switch_off(tmp_path, enabled, expected):
    switch = f"  lifecycle {{\n    enabled = {enabled}\n  }}\n"
    assert answer(tmp_path, VAULT + 'variable "on" {\n  default = false\n}\n' + setting(extra=switch)) == expected


@pytest.mark.parametrize(
    ("count", "expected"),
    [("local.c.on", "unknown"), ("local.c.number", "pass"), ("local.c.none", "fail"), ('"1"', "pass"), ("1", "pass")],
)
def test_a_count_that_is_no_number_makes_nothing_certain(tmp_path, count, expected):
    local = 'locals {\n  c = yamldecode("on: false\\nnumber: 1\\nnone: 0")\n}\n'
    assert answer(tmp_path, VAULT + local + setting(extra=f"  count = {count}\n")) == expected

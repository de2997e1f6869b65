"""Small Terraform configurations, and what is found in them."""

from functools import cache

from auditor.applicable import applicable
from auditor.assemble import assemble
from auditor.judge import judge
from auditor.rule import load_rules

VAULT_RULE = "keyvault-audit-logs"
PROVIDER = 'provider "azurerm" {\n  subscription_id = "11111111-1111-1111-1111-111111111111"\n  features {}\n}\n'
VAULT = 'resource "azurerm_key_vault" "a" {\n  name = "kv-a"\n}\n'
WORKSPACE = 'resource "azurerm_log_analytics_workspace" "law" {\n  name = "law"\n}\n'
SETTING = """resource "azurerm_monitor_diagnostic_setting" "a" {
  name                       = "audit"
  target_resource_id         = azurerm_key_vault.a.id
  log_analytics_workspace_id = azurerm_log_analytics_workspace.law.id
  enabled_log { category = "AuditEvent" }
}
"""


def write(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


@cache
def shipped():
    return load_rules()


def findings(collection, rule_id=VAULT_RULE):
    rules = [rule for rule in applicable(shipped(), collection.run.source) if rule.id == rule_id]
    return judge(assemble(collection), rules).findings


def statuses(collection, rule_id=VAULT_RULE):
    return {f.subject.origin.address: f.status for f in findings(collection, rule_id)}

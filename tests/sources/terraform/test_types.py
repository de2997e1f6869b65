"""Every azurerm type that a rule judges: how its attributes become what rules read, and what stays unknown."""

from fnmatch import fnmatchcase

import pytest
from plans import GROUP, SUBSCRIPTION, made, ref, write

from auditor.applicable import applicable
from auditor.assemble import assemble
from auditor.catalog import catalog
from auditor.judge import judge
from auditor.rule import load_rules
from auditor.sources import open_file
from auditor.sources.terraform.types import ROWS
from auditor.sums import last_line

RULES = load_rules()


def found(tmp_path, rule_id, *resources):
    """name of the subject → status, of those that the rule applies to"""
    collection = open_file(write(tmp_path, *resources))
    asked = applicable(RULES, collection.run.source, collection.run.declares)
    report = judge(assemble(collection), [rule for rule in asked if rule.id == rule_id])
    return {f.subject.name: f.status for f in report.findings if f.status != "not-applicable"}


def setting(name, target, *categories, **more):
    logs = [{"category": category} for category in categories] or [{"category_group": "allLogs"}]
    refs = {"target_resource_id": ref(target), "log_analytics_workspace_id": ref("azurerm_log_analytics_workspace.law")}
    return made("azurerm_monitor_diagnostic_setting", name, refs, enabled_log=logs, **more)


LAW = made("azurerm_log_analytics_workspace", "law")
PLAN = "azurerm_service_plan.x"
APP = {"service_plan_id": ref(PLAN)}
AMA = {"type": "AzureMonitorLinuxAgent", "publisher": "Microsoft.Azure.Monitor"}
VM = made("azurerm_linux_virtual_machine", "vm")
AGENT = made(
    "azurerm_virtual_machine_extension", "ama", {"virtual_machine_id": ref("azurerm_linux_virtual_machine.vm")}, **AMA
)
SYSLOG = made(
    "azurerm_monitor_data_collection_rule",
    "dcr",
    {"destinations.0.log_analytics.0.workspace_resource_id": ref("azurerm_log_analytics_workspace.law")},
    data_flow=[{"streams": ["Microsoft-Syslog"], "destinations": ["law"]}],
    data_sources=[
        {"syslog": [{"name": "s", "streams": ["Microsoft-Syslog"], "facility_names": ["*"], "log_levels": ["*"]}]}
    ],
    destinations=[{"log_analytics": [{"name": "law"}]}],
)
ASSOCIATED = made(
    "azurerm_monitor_data_collection_rule_association",
    "a",
    {
        "target_resource_id": ref("azurerm_linux_virtual_machine.vm"),
        "data_collection_rule_id": ref("azurerm_monitor_data_collection_rule.dcr"),
    },
)
ASSOCIATED_LATER = made(
    "azurerm_monitor_data_collection_rule_association",
    "a",
    {"target_resource_id": ["local.vm"], "data_collection_rule_id": ref("azurerm_monitor_data_collection_rule.dcr")},
)
PG = made("azurerm_postgresql_flexible_server", "pg")
PG_ID = {"server_id": ref("azurerm_postgresql_flexible_server.pg")}


def parameter(name, value, refs=PG_ID):
    return made(
        "azurerm_postgresql_flexible_server_configuration", f"c-{value}", refs, **{"name": name, "value": value}
    )


FIREWALL = made(
    "azurerm_firewall",
    "fw",
    {"firewall_policy_id": ref("azurerm_firewall_policy.p")},
    sku_name="AZFW_VNet",
    sku_tier="Premium",
)
GATEWAY = {"sku": [{"name": "WAF_v2", "tier": "WAF_v2"}]}
FRONT = made("azurerm_cdn_frontdoor_profile", "fd", sku_name="Premium_AzureFrontDoor")
WAF = made(
    "azurerm_cdn_frontdoor_security_policy",
    "sp",
    {
        "cdn_frontdoor_profile_id": ref("azurerm_cdn_frontdoor_profile.fd"),
        "security_policies.0.firewall.0.cdn_frontdoor_firewall_policy_id": ref(
            "azurerm_cdn_frontdoor_firewall_policy.w"
        ),
    },
    security_policies=[{"firewall": [{}]}],
)
OMS = {"log_analytics_workspace_id": ref("azurerm_log_analytics_workspace.law")}
VAULT = made("azurerm_key_vault", "kv")
VAULT_LOGS = setting("s", "azurerm_key_vault.kv", "AuditEvent")


def pricing(plan, tier="Standard"):
    return made("azurerm_security_center_subscription_pricing", plan, resource_type=plan, tier=tier)


LOCKED = made(
    "azurerm_management_lock", "keep", {"scope": ref("azurerm_log_analytics_workspace.law")}, lock_level="CanNotDelete"
)
SENTINEL = made(
    "azurerm_sentinel_log_analytics_workspace_onboarding",
    "s",
    {"workspace_id": ref("azurerm_log_analytics_workspace.law")},
)
QUERIES = setting("q", "azurerm_log_analytics_workspace.law")
CASES = [
    # rule, what the plan makes, what is found
    ("app-service-http-logs", [made("azurerm_linux_web_app", "web", APP), LAW, setting("s", "azurerm_linux_web_app.web")], {"web": "pass"}),
    ("app-service-http-logs", [made("azurerm_windows_web_app", "web", APP)], {"web": "fail"}),
    ("app-service-http-logs", [made("azurerm_linux_function_app", "fn", APP)], {}),
    ("function-app-logs", [made("azurerm_linux_function_app", "fn", APP, site_config=[{"application_insights_key": "k"}])], {"fn": "pass"}),
    ("function-app-logs", [made("azurerm_windows_function_app", "fn", {**APP, "site_config.0.application_insights_connection_string": ref("azurerm_application_insights.ai")}, site_config=[{}])], {"fn": "pass"}),
    ("function-app-logs", [made("azurerm_windows_function_app", "fn", APP, app_settings={"A": "b"})], {"fn": "fail"}),
    ("function-app-logs", [made("azurerm_windows_function_app", "fn", {**APP, "app_settings": ["local.s"]})], {"fn": "unknown"}),
    ("logic-app-runs", [made("azurerm_logic_app_standard", "la"), made("azurerm_logic_app_workflow", "wf")], {"la": "fail", "wf": "fail"}),
    ("app-insights-workspace", [made("azurerm_application_insights", "ai", {"workspace_id": ref("azurerm_log_analytics_workspace.law")}), LAW], {"ai": "pass"}),
    ("app-insights-workspace", [made("azurerm_application_insights", "ai")], {"ai": "fail"}),
    ("kubernetes-audit-logs", [made("azurerm_kubernetes_cluster", "aks"), LAW, setting("s", "azurerm_kubernetes_cluster.aks", "kube-audit")], {"aks": "pass"}),
    ("kubernetes-guard-logs", [made("azurerm_kubernetes_cluster", "aks", azure_active_directory_role_based_access_control=[{"tenant_id": "t"}])], {"aks": "fail"}),
    ("kubernetes-guard-logs", [made("azurerm_kubernetes_cluster", "aks")], {}),
    ("kubernetes-container-logs", [LAW, made("azurerm_kubernetes_cluster", "aks", {f"oms_agent.0.{k}": v for k, v in OMS.items()}, oms_agent=[{}])], {"aks": "pass"}),
    ("kubernetes-container-logs", [LAW, made("azurerm_kubernetes_cluster", "aks", {f"oms_agent.0.{k}": v for k, v in OMS.items()}, oms_agent=[{"msi_auth_for_monitoring_enabled": True}])], {"aks": "fail"}),
    ("kubernetes-container-logs", [made("azurerm_kubernetes_cluster", "aks")], {"aks": "fail"}),
    ("machine-security-events", [VM], {"vm": "fail"}),
    ("machine-security-events", [VM, AGENT, LAW, SYSLOG, ASSOCIATED], {"vm": "pass"}),
    ("machine-security-events", [VM, AGENT, LAW, SYSLOG], {"vm": "fail"}),
    ("machine-security-events", [VM, AGENT, LAW, SYSLOG, ASSOCIATED_LATER], {"vm": "unknown"}),
    ("postgresql-connection-logs", [PG, LAW, setting("s", "azurerm_postgresql_flexible_server.pg"), parameter("log_connections", "off")], {"pg": "fail"}),
    ("postgresql-connection-logs", [PG, LAW, setting("s", "azurerm_postgresql_flexible_server.pg")], {"pg": "pass"}),
    ("postgresql-connection-logs", [PG, LAW, setting("s", "azurerm_postgresql_flexible_server.pg"), parameter("log_connections", "off", {"server_id": ["local.s"]})], {"pg": "unknown"}),
    ("postgresql-pgaudit", [PG, parameter("shared_preload_libraries", "pgaudit"), parameter("pgaudit.log", "all")], {"pg": "pass"}),
    ("mysql-audit-logs", [made("azurerm_mysql_flexible_server", "my"), made("azurerm_mysql_flexible_server_configuration", "c", server_name="my", value="ON") ], {"my": "fail"}),
    ("cosmos-db-audit-logs", [made("azurerm_cosmosdb_account", "c", {"capabilities": None}), LAW, setting("s", "azurerm_cosmosdb_account.c", "DataPlaneRequests", "ControlPlaneRequests")], {"c": "pass"}),
    ("cosmos-db-audit-logs", [made("azurerm_cosmosdb_account", "c", kind="MongoDB"), LAW, setting("s", "azurerm_cosmosdb_account.c", "DataPlaneRequests", "ControlPlaneRequests")], {"c": "fail"}),
    ("api-management-gateway-logs", [made("azurerm_api_management", "api", sku_name="Developer_1")], {"api": "fail"}),
    ("api-management-gateway-logs", [made("azurerm_api_management", "api", sku_name="Consumption_0")], {}),
    ("databricks-audit-logs", [made("azurerm_databricks_workspace", "dbx", sku="standard")], {}),
    ("databricks-audit-logs", [made("azurerm_databricks_workspace", "dbx", sku="premium")], {"dbx": "fail"}),
    ("synapse-sql-auditing", [made("azurerm_synapse_workspace", "syn"), made("azurerm_synapse_workspace_extended_auditing_policy", "p", {"synapse_workspace_id": ref("azurerm_synapse_workspace.syn")}, storage_endpoint="https://stsyn.blob.core.windows.net/"), made("azurerm_storage_account", "stsyn")], {"syn": "pass"}),
    ("synapse-sql-auditing", [made("azurerm_synapse_workspace", "syn")], {"syn": "fail"}),
    ("messaging-audit-logs", [made("azurerm_servicebus_namespace", "sb", sku="Premium"), made("azurerm_eventhub_namespace", "eh", sku="Standard")], {"sb": "fail", "eh": "fail"}),
    ("azure-firewall-idps-logs", [FIREWALL, made("azurerm_firewall_policy", "p", intrusion_detection=[{"mode": "Alert"}])], {"fw": "fail"}),
    ("azure-firewall-idps-logs", [FIREWALL, made("azurerm_firewall_policy", "p")], {}),
    ("azure-firewall-dns-logs", [FIREWALL, made("azurerm_firewall_policy", "p", dns=[{"proxy_enabled": True}])], {"fw": "fail"}),
    ("application-gateway-firewall-logs", [made("azurerm_application_gateway", "agw", **GATEWAY)], {"agw": "fail"}),
    ("application-gateway-firewall-logs", [made("azurerm_application_gateway", "agw", sku=[{"tier": "Standard_v2"}])], {}),
    ("front-door-firewall-logs", [FRONT, WAF], {"fd": "fail"}),
    ("front-door-firewall-logs", [FRONT], {}),
    ("point-to-site-vpn-logs", [made("azurerm_virtual_network_gateway", "vgw", type="Vpn", sku="VpnGw1", vpn_client_configuration=[{"address_space": ["10.9.0.0/24"]}])], {"vgw": "fail"}),
    ("vpn-gateway-logs", [made("azurerm_virtual_network_gateway", "vgw", type="ExpressRoute", sku="Standard")], {}),
    ("bastion-audit-logs", [made("azurerm_bastion_host", "b", sku="Developer"), made("azurerm_bastion_host", "c")], {"c": "fail"}),
    ("public-ip-ddos-logs", [made("azurerm_public_ip", "ip", ddos_protection_mode="Enabled"), made("azurerm_public_ip", "no", ddos_protection_mode="Disabled")], {"ip": "fail"}),
    ("virtual-network-ddos-alerts", [made("azurerm_virtual_network", "v", ddos_protection_plan=[{"enable": True}])], {"v": "fail"}),
    ("redis-connection-logs", [made("azurerm_redis_cache", "r", sku_name="Standard")], {"r": "fail"}),
    ("resource-sku-can-log", [made("azurerm_redis_cache", "r", sku_name="Basic"), made("azurerm_lb", "lb", sku="Standard")], {"r": "fail", "lb": "pass"}),
    ("container-apps-logs", [made("azurerm_container_app_environment", "a", logs_destination="log-analytics"), made("azurerm_container_app_environment", "b")], {"a": "pass", "b": "fail"}),
    ("container-instance-logs", [made("azurerm_container_group", "cg", diagnostics=[{"log_analytics": [{"workspace_id": "w", "workspace_key": "hunter2"}]}])], {"cg": "pass"}),
    ("keyvault-logs-or-defender", [VAULT, pricing("KeyVaults")], {"kv": "pass"}),
    ("keyvault-logs-or-defender", [VAULT, pricing("KeyVaults", "Free")], {"kv": "fail"}),
    ("keyvault-logs-or-defender", [VAULT, pricing("VirtualMachines")], {"kv": "unknown"}),
    ("log-destination-delete-lock", [VAULT, VAULT_LOGS, LAW, LOCKED], {"law": "pass"}),
    ("log-destination-delete-lock", [VAULT, VAULT_LOGS, LAW, made("azurerm_management_lock", "keep", {"scope": ["local.s"]}, lock_level="CanNotDelete")], {"law": "unknown"}),
    ("workspace-retention", [VAULT, VAULT_LOGS, made("azurerm_log_analytics_workspace", "law", {"retention_in_days": None})], {"law": "fail"}),
    ("workspace-local-authentication", [VAULT, VAULT_LOGS, made("azurerm_log_analytics_workspace", "law", local_authentication_enabled=False)], {"law": "pass"}),
    ("workspace-query-audit", [VAULT, VAULT_LOGS, LAW, QUERIES], {"law": "pass"}),
    # The setting may be on Sentinel's health, which a plan does not tell from its workspace.
    ("workspace-query-audit", [VAULT, VAULT_LOGS, LAW, QUERIES, SENTINEL], {"law": "unknown"}),
    ("sentinel-health-logs", [VAULT, VAULT_LOGS, LAW, QUERIES, SENTINEL], {"law": "unknown"}),
    ("sentinel-health-logs", [VAULT, VAULT_LOGS, LAW, SENTINEL], {"law": "unknown"}),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "resources", "expected"), CASES, ids=[f"{n}-{c[0]}" for n, c in enumerate(CASES)])
def test_what_a_plan_makes_is_judged(tmp_path, rule, resources, expected):
    assert found(tmp_path, rule, *resources) == expected


def test_no_secret_of_a_resource_is_kept(tmp_path):
    resources = [
        made("azurerm_container_group", "cg", diagnostics=[{"log_analytics": [{"workspace_id": "w", "workspace_key": "hunter2"}]}]),
        made("azurerm_linux_web_app", "web", APP, app_settings={"PASSWORD": "hunter2"}),
        made("azurerm_monitor_action_group", "ag", webhook_receiver=[{"name": "w", "service_uri": "https://hunter2"}]),
        made("azurerm_security_center_automation", "c", action=[{"type": "EventHub", "connection_string": "hunter2"}]),
    ]  # fmt: skip
    assert "hunter2" not in repr(open_file(write(tmp_path, *resources)).documents)


# --- what exists once -------------------------------------------------------------------------------------------------

WHOLE = f"/subscriptions/{SUBSCRIPTION}"


def activity(name, *categories):
    logs = [{"category": category} for category in categories]
    refs = {"log_analytics_workspace_id": ref("azurerm_log_analytics_workspace.law")}
    return made("azurerm_monitor_diagnostic_setting", name, refs, target_resource_id=WHOLE, enabled_log=logs)


def test_a_plan_is_asked_only_about_what_it_makes_of_a_subscription(tmp_path):
    rule = "activity-log-security-categories"
    assert found(tmp_path, rule, LAW) == {}
    every = activity("all", "Administrative", "Security", "Policy", "Alert")
    assert found(tmp_path, rule, LAW, every) == {SUBSCRIPTION: "pass"}
    # Another setting, made elsewhere, may export the rest.
    assert found(tmp_path, rule, LAW, activity("some", "Administrative")) == {SUBSCRIPTION: "unknown"}
    assert found(tmp_path, "activity-log-exported", LAW, activity("some", "Policy")) == {SUBSCRIPTION: "pass"}
    twice = [activity("one", "Policy"), activity("two", "Policy")]
    assert found(tmp_path, "activity-log-sent-twice", LAW, *twice) == {SUBSCRIPTION: "fail"}
    assert found(tmp_path, "diagnostic-setting-without-logs", LAW, activity("none")) == {SUBSCRIPTION: "fail"}


def test_a_plan_that_sets_logs_of_entra_is_asked_about_them(tmp_path):
    refs = {"log_analytics_workspace_id": ref("azurerm_log_analytics_workspace.law")}
    entra = made("azurerm_monitor_aad_diagnostic_setting", "e", refs, enabled_log=[{"category": "AuditLogs"}])
    assert found(tmp_path, "entra-audit-logs", LAW, entra) == {"tenant": "pass"}
    assert found(tmp_path, "entra-provisioning-logs", LAW, entra) == {"tenant": "unknown"}
    assert found(tmp_path, "entra-audit-logs", LAW) == {}


CALLED = made(
    "azurerm_monitor_action_group", "ag", email_receiver=[{"name": "soc", "email_address": "soc@contoso.com"}]
)


def alert(**more):
    values = {
        "scopes": [WHOLE],
        "criteria": [{"category": "Administrative", "operation_name": "Microsoft.Network/networkSecurityGroups/write"}],
        "action": [{}],
        **more,
    }
    refs = {"action.0.action_group_id": ref("azurerm_monitor_action_group.ag")} if values["action"] else {}
    return made("azurerm_monitor_activity_log_alert", "a", refs, **values)


@pytest.mark.parametrize(
    ("resources", "status"),
    [
        ([alert(), CALLED], "pass"),
        ([alert(enabled=False), CALLED], "unknown"),  # another rule, made elsewhere, may do it
        ([alert(action=[]), CALLED], "unknown"),
        ([alert(scopes=[f"{WHOLE}/resourceGroups/rg"]), CALLED], None),
        ([alert(criteria=[{"category": "Policy"}]), CALLED], None),  # says nothing of this operation
        ([CALLED], None),
    ],
)
def test_alert_rules_of_a_plan(tmp_path, resources, status):
    told = found(tmp_path, "alert-network-security-group-write", *resources)
    assert told == ({SUBSCRIPTION: status} if status else {})


# --- what has no row --------------------------------------------------------------------------------------------------

NOT_MADE = {
    "microsoft.aadiam/tenants": "its settings are read",
    "microsoft.intune/tenants": "azurerm makes no setting of it; those of azapi are read",
    "microsoft.resources/subscriptions": "its settings and alert rules are read",
    "microsoft.management/managementgroups": "what exists once is judged by what Azure tells",
    "microsoft.insights/logprofiles": "retired, and gone from azurerm",
    "auditor/logdestinations": "made by the inventory",
    "microsoft.storage/storageaccounts/blobservices": "told by the account",
    "microsoft.storage/storageaccounts/fileservices": "told by the account",
    "microsoft.storage/storageaccounts/queueservices": "told by the account",
    "microsoft.storage/storageaccounts/tableservices": "told by the account",
    "microsoft.azureactivedirectory/ciamdirectories": "azurerm has none",
    "microsoft.machinelearningservices/registries": "azurerm has none",
    "microsoft.machinelearningservices/workspaces/onlineendpoints": "azurerm has none",
}


def test_every_type_that_a_rule_names_has_a_row_or_a_reason():
    have = {row.type.lower() for row in ROWS.values()}
    patterns = {pattern.lower() for rule in RULES for pattern in rule.resources} - {"*"}
    named = {p for p in patterns if "*" not in p} | {k for p in patterns for k in catalog() if fnmatchcase(k, p)}
    assert {kind for kind in named if kind not in have} == NOT_MADE.keys() & named
    assert not have & NOT_MADE.keys()


def test_types_without_a_row_are_counted_and_told(tmp_path):
    role, extra = made("azurerm_role_assignment", "r"), made("azapi_update_resource", "u", type="Microsoft.X/y@1")
    foreign = made("random_id", "i")
    path = write(tmp_path, VAULT, role, made("azurerm_role_assignment", "s"), extra, foreign)
    collection = open_file(path)
    assert collection.run.not_mapped == {"azapi_update_resource": 1, "azurerm_role_assignment": 2}
    line = last_line(judge(assemble(collection), []))
    assert "3 resources of no type known to log: azurerm_role_assignment (2), azapi_update_resource (1)" in line


def test_a_slot_runs_on_the_plan_of_its_app(tmp_path):
    slot = made("azurerm_linux_web_app_slot", "slot", {"app_service_id": ref("azurerm_linux_web_app.web")})
    app = made("azurerm_linux_web_app", "web", APP)
    documents = open_file(write(tmp_path, made("azurerm_service_plan", "x", sku_name="P1v3"), app, slot)).documents
    (found_slot,) = [document for document in documents if document["type"] == "Microsoft.Web/sites/slots"]
    assert found_slot["id"] == f"{GROUP}/Microsoft.Web/sites/web/slots/slot"
    assert found_slot["properties"]["serverFarmId"] == f"{GROUP}/Microsoft.Web/serverfarms/x"

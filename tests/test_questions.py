"""What the library was to answer: every question has its rules or a reason, and every rule answers a question."""

import importlib
import re
from pathlib import Path

import pytest

from auditor.catalog import category
from auditor.rule import load_rules

SCRIPTS = Path(__file__).parents[1] / "scripts"
RULES = {rule.id for rule in load_rules()}
HOW_MANY = {"AL": 8, "SK": 19, "EN": 10, "NW": 18, "ST": 8, "KV": 5, "DB": 17, "AP": 18, "DG": 9, "AT": 13, "DF": 5}


@pytest.fixture(scope="module")
def scripts():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPTS))
        yield importlib.import_module


@pytest.fixture(scope="module")
def questions(scripts):
    return scripts("question_page").questions()


def test_no_question_is_left_out(questions):
    rows = [one["row"] for one in questions]
    assert len(rows) == len(set(rows))
    numbered = {f"{area}-{number:03}" for area, count in HOW_MANY.items() for number in range(1, count + 1)}
    assert set(rows) == numbered | {"KV-001L"}


def test_every_question_has_rules_that_there_are_or_a_reason(questions):
    for one in questions:
        assert set(one) <= {"row", "asks", "rules", "not"}
        assert one["asks"].endswith("?") and (one.get("rules") or one.get("not")), one["row"]
        assert set(one.get("rules", [])) <= RULES, one["row"]


def test_every_rule_answers_a_question(questions):
    unasked = sorted(RULES - {rule for one in questions for rule in one.get("rules", [])})
    assert not unasked, f"docs/questions.yaml: write down which question these answer: {unasked}"


def test_the_page_shows_them_all(questions, scripts):
    page = scripts("question_page").page()
    assert re.findall(r"^\| ([A-Z]{2}-\d{3}L?) \|", page, re.MULTILINE) == [one["row"] for one in questions]


# --- what of each type is needed for security: rules.md, section 2 ------------------------------------------------------

NEEDED = [
    ("Microsoft.Resources/subscriptions", "Administrative Security Policy Alert"),
    ("Microsoft.KeyVault/vaults", "AuditEvent"),
    ("Microsoft.KeyVault/managedHSMs", "AuditEvent"),
    *((f"Microsoft.Storage/storageAccounts/{service}Services", "StorageRead StorageWrite StorageDelete")
      for service in ("blob", "queue", "table", "file")),
    ("Microsoft.Network/networkSecurityGroups", "NetworkSecurityGroupEvent NetworkSecurityGroupRuleCounter"),
    ("Microsoft.Network/applicationGateways", "ApplicationGatewayAccessLog ApplicationGatewayFirewallLog"),
    ("Microsoft.Cdn/profiles", "FrontDoorAccessLog FrontDoorWebApplicationFirewallLog"),
    ("Microsoft.Network/frontDoors", "FrontdoorAccessLog FrontdoorWebApplicationFirewallLog"),
    ("Microsoft.Network/azureFirewalls", "AZFWNetworkRule AZFWApplicationRule AZFWNatRule AZFWThreatIntel "
                                         "AZFWIdpsSignature AZFWDnsQuery AzureFirewallNetworkRule "
                                         "AzureFirewallApplicationRule"),
    ("Microsoft.Network/publicIPAddresses", "DDoSProtectionNotifications DDoSMitigationFlowLogs DDoSMitigationReports"),
    ("Microsoft.Network/bastionHosts", "BastionAuditLogs"),
    ("Microsoft.Network/virtualNetworkGateways", "GatewayDiagnosticLog IKEDiagnosticLog P2SDiagnosticLog "
                                                 "TunnelDiagnosticLog RouteDiagnosticLog"),
    ("Microsoft.Network/p2sVpnGateways", "GatewayDiagnosticLog IKEDiagnosticLog P2SDiagnosticLog"),
    ("Microsoft.Sql/servers/databases", "SQLSecurityAuditEvents Errors Timeouts Blocks Deadlocks"),
    ("Microsoft.Sql/managedInstances", "SQLSecurityAuditEvents"),
    ("Microsoft.DBforMySQL/flexibleServers", "MySqlAuditLogs"),
    ("Microsoft.DBforPostgreSQL/flexibleServers", "PostgreSQLLogs"),
    ("Microsoft.DocumentDB/databaseAccounts", "DataPlaneRequests ControlPlaneRequests MongoRequests"),
    ("Microsoft.Cache/redis", "ConnectedClientList"),
    ("Microsoft.Cache/redisEnterprise/databases", "ConnectionEvents"),
    ("Microsoft.Databricks/workspaces", "accounts clusters jobs notebook workspace sqlPermissions secrets unityCatalog"),
    ("Microsoft.Web/sites", "AppServiceHTTPLogs AppServiceAuditLogs AppServiceIPSecAuditLogs "
                            "AppServiceAuthenticationLogs FunctionAppLogs"),
    ("Microsoft.Web/sites/slots", "AppServiceHTTPLogs AppServiceAuditLogs AppServiceIPSecAuditLogs"),
    ("Microsoft.ContainerService/managedClusters", "kube-audit kube-audit-admin guard"),
    ("Microsoft.ContainerRegistry/registries", "ContainerRegistryLoginEvents ContainerRegistryRepositoryEvents"),
    ("Microsoft.ApiManagement/service", "GatewayLogs DeveloperPortalAuditLogs"),
    ("Microsoft.EventHub/namespaces", "RuntimeAuditLogs OperationalLogs"),
    ("Microsoft.ServiceBus/namespaces", "RuntimeAuditLogs OperationalLogs"),
    ("Microsoft.Logic/workflows", "WorkflowRuntime"),
    ("Microsoft.Automation/automationAccounts", "AuditEvent JobLogs JobStreams"),
    ("Microsoft.Batch/batchAccounts", "AuditLog ServiceLog"),
    ("Microsoft.RecoveryServices/vaults", "CoreAzureBackup AddonAzureBackupJobs AddonAzureBackupPolicy "
                                          "AddonAzureBackupProtectedInstance"),
    ("Microsoft.Search/searchServices", "OperationLogs"),
    ("Microsoft.Synapse/workspaces", "SQLSecurityAuditEvents SynapseRbacOperations GatewayApiRequests"),
    ("Microsoft.StreamAnalytics/streamingJobs", "Authoring Execution"),
    ("Microsoft.DataLakeStore/accounts", "Audit Requests"),
    ("Microsoft.DataLakeAnalytics/accounts", "Audit Requests"),
    ("Microsoft.ContainerInstance/containerGroups", "ContainerInstanceLog ContainerEvent"),
    ("microsoft.aadiam/tenants", "AuditLogs SignInLogs NonInteractiveUserSignInLogs ServicePrincipalSignInLogs "
                                 "ManagedIdentitySignInLogs RiskyUsers UserRiskEvents ProvisioningLogs "
                                 "MicrosoftGraphActivityLogs"),
    ("microsoft.intune/tenants", "AuditLogs OperationalLogs DeviceComplianceOrg Devices"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "names"), NEEDED, ids=[kind for kind, _ in NEEDED])
def test_what_a_type_needs_for_security_is_asked_for(kind, names, scripts):
    asked_by = scripts("expected_logs").asked_by
    for name in names.split():
        known = category(kind, name)
        assert known is not None, f"the catalog does not know {name}"
        assert asked_by(kind, known), f"no rule asks for {name}"


@pytest.mark.parametrize("kind", [
    "Microsoft.AVS/privateClouds", "Microsoft.CognitiveServices/accounts", "Microsoft.DevCenter/devcenters",
    "Microsoft.LoadTestService/loadTests", "Microsoft.MachineLearningServices/workspaces",
    "Microsoft.NetApp/netAppAccounts/capacityPools/volumes", "Microsoft.NotificationHubs/namespaces",
])  # fmt: skip
def test_any_other_type_is_asked_for_what_is_evidence(kind, scripts):
    pages = scripts("expected_logs")
    known = pages.catalog()[kind.lower()]
    evidence = [one for one in known.categories if pages.expected_when(kind, one.name) == "always"]
    assert evidence and any(pages.asked_by(kind, one) for one in evidence)

"""A made-up report on infrastructure code: findings with files and lines, instances, modules, and what has no line."""

from auditor.documents import Run
from auditor.inventory import Origin, Unknown
from auditor.report import BlindTo, Completeness, Finding, Report, RuleInfo, Subject, fingerprint

ID = "/subscriptions/0000/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/"
RULE = RuleInfo(
    id="keyvault-audit-logs",
    title="Key Vault audit events are exported",
    severity="high",
    resource="Microsoft.KeyVault/vaults",
    rationale="Without `AuditEvent` nobody can tell who read a secret.",
    remediation={"cli": 'az monitor diagnostic-settings create --resource "$id"', "portal": "Open `$name`."},
    blind_to=BlindTo(questions=["Who read the secret?"], attack=["T1555.006"]),
    references=["https://learn.microsoft.com/azure/key-vault/general/logging"],
)
CAP = RuleInfo(
    id="workspace-daily-cap",
    title="No cap stops the collection",
    severity="low",
    resource="Microsoft.OperationalInsights/workspaces",
    rationale="A cap is a switch for whoever fills it.",
    remediation={"portal": "Take it away."},
)


def found(name, status="fail", *, rule=RULE, severity=None, origin=None, **more):
    subject = Subject(id=ID + name, type=rule.resource, name=name, resource_group="rg", origin=origin)
    more.setdefault("message", f"{name} sends no AuditEvent log to any destination that exists.")
    return Finding(
        rule=rule.id,
        status=status,
        severity=severity or rule.severity,
        fingerprint=fingerprint(rule.id, subject.id),
        subject=subject,
        **more,
    )


def at(line, address, end_line=None, file="main.tf"):
    return Origin(file=file, line=line, end_line=end_line, address=address)


WHY = Unknown(reason="var.workspace is known after the apply")


def coded_report(findings=None, *, source="terraform", root="infra/prod", **more):
    """One of everything, unless other findings are given."""
    if findings is None:
        findings = [
            found("kv-one", origin=at(12, "azurerm_key_vault.one", 20)),
            found("kv-a", origin=at(30, 'azurerm_key_vault.each["a"]')),
            found("kv-b", origin=at(30, 'azurerm_key_vault.each["b"]'), severity="critical", severity_because="it is prod"),
            found("kv-c", origin=at(30, 'azurerm_key_vault.each["c"]')),
            found("kv-m", origin=at(None, 'module.net["x"].azurerm_key_vault.v[0]', file="modules/net/main.tf")),
            found("kv-n", origin=at(None, 'module.net["y"].azurerm_key_vault.v[0]', file="modules/net/main.tf")),
            found("kv-ok", "pass", origin=at(50, "azurerm_key_vault.ok"), message=RULE.title),
            found("kv-accepted", "accepted", origin=at(60, "azurerm_key_vault.accepted"), acceptance="a-1"),
            found("kv-known", origin=at(70, "azurerm_key_vault.known"), is_new=False),
            found("kv-unknown", "unknown", origin=at(80, "azurerm_key_vault.unknown"), why_unknown=[WHY],
                  message=f"Cannot tell for kv-unknown: {WHY.reason}"),
            found("kv-gone", "not-applicable", origin=at(90, "azurerm_key_vault.gone"), message="Not deployed."),
            found("law", rule=CAP, origin=at(5, "azurerm_log_analytics_workspace.law"), message="law has a cap of 1 GB."),
        ]  # fmt: skip
    return Report(
        generated_at="2026-11-22T07:20:44Z",
        run=Run(source=source, root=root, tool_version="0.1.0"),
        rules=[RULE, CAP],
        findings=findings,
        completeness=Completeness(planned=1, answered=1, not_supported=0, unknown=0),
        **more,
    )

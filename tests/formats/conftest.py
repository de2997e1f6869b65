"""Made-up reports: a realistic estate, a very large one, an empty one, and one in which every name is hostile."""

import random

import pytest

from auditor.documents import SUBSCRIPTION, Run, name_of, resource_group_of, settings_id, subscription_of
from auditor.formats.words import type_label
from auditor.inventory import Origin, Subscription, Unknown
from auditor.report import (
    BlindTo,
    Cell,
    ChangeInfo,
    Completeness,
    ControlInfo,
    DestinationInfo,
    Finding,
    FrameworkInfo,
    ProfileInfo,
    Report,
    Row,
    RuleInfo,
    Subject,
    UnreadInfo,
    fingerprint,
)

PROD, SHARED, DEV, LEGACY, SANDBOX = (f"{n}0000000-aaaa-bbbb-cccc-{n}11111111111" for n in "12345")
SUBSCRIPTIONS = {
    PROD: "contoso-prod",
    SHARED: "contoso-shared",
    DEV: "contoso-dev",
    LEGACY: "contoso-ma-legacy",
    SANDBOX: "contoso-sandbox",
}
TENANT = "9a40c1de-0000-4f00-8000-00000000c0de"
ENTRA = f"/providers/microsoft.aadiam/tenants/{TENANT}"
WORKSPACE = (
    f"/subscriptions/{SHARED}/resourceGroups/rg-sec/providers/Microsoft.OperationalInsights/workspaces/law-contoso-sec"
)

DENIED = Unknown(
    reason="Microsoft.Insights/diagnosticSettings/read is denied",
    status=403,
    code="AuthorizationFailed",
    action="Microsoft.Insights/diagnosticSettings/read",
    scope=f"/subscriptions/{LEGACY}",
    grant="Reader on the subscription",
)
THROTTLED = Unknown(reason="still throttled after 6 attempts over 94 seconds", status=429, code="TooManyRequests")
NOT_LISTED = Unknown(
    reason="the subscription is named in the management group, but it may not be read",
    status=403,
    code="AuthorizationFailed",
    action="Microsoft.Resources/subscriptions/resources/read",
    grant="Reader on the subscription",
)

# type, name prefix, how many, categories with their evidence class
TYPES = [
    ("Microsoft.KeyVault/vaults", "kv", 14, [("AuditEvent", "data"), ("AzurePolicyEvaluationDetails", "control-plane")]),
    ("Microsoft.Storage/storageAccounts/blobServices", "st", 16,
     [("StorageRead", "data"), ("StorageWrite", "data"), ("StorageDelete", "data")]),
    ("Microsoft.Sql/servers/databases", "sqldb", 9, [("SQLSecurityAuditEvents", "data")]),
    ("Microsoft.DocumentDB/databaseAccounts", "cosmos", 4,
     [("ControlPlaneRequests", "control-plane"), ("DataPlaneRequests", "data")]),
    ("Microsoft.ContainerService/managedClusters", "aks", 5,
     [("kube-audit-admin", "control-plane"), ("guard", "identity"), ("kube-audit", "data")]),
    ("Microsoft.ContainerRegistry/registries", "acr", 3,
     [("ContainerRegistryLoginEvents", "identity"), ("ContainerRegistryRepositoryEvents", "data")]),
    ("Microsoft.Web/sites", "app", 12, [("AppServiceHTTPLogs", "network"), ("AppServiceAuditLogs", "identity")]),
    ("Microsoft.Network/virtualNetworks", "vnet", 7, [("FlowLog", "network")]),
    ("Microsoft.Network/azureFirewalls", "afw", 2,
     [("AZFWNetworkRule", "network"), ("AZFWApplicationRule", "network"), ("AZFWDnsQuery", "network")]),
    ("Microsoft.Network/applicationGateways", "agw", 3,
     [("ApplicationGatewayAccessLog", "network"), ("ApplicationGatewayFirewallLog", "network")]),
]  # fmt: skip
ENTRA_CATEGORIES = (
    "AuditLogs",
    "ManagedIdentitySignInLogs",
    "NonInteractiveUserSignInLogs",
    "ServicePrincipalSignInLogs",
    "SignInLogs",
)
QUESTIONS = {
    "Microsoft.KeyVault/vaults": ("Which secrets were read, and by whom?", ["T1555.006"]),
    "Microsoft.Storage/storageAccounts/blobServices": (
        "Which files left the storage accounts?",
        ["T1530", "T1537", "T1619"],
    ),
    "Microsoft.Sql/servers/databases": ("Which tables did a stolen login read?", ["T1213.006"]),
    "Microsoft.DocumentDB/databaseAccounts": ("Which tables did a stolen login read?", ["T1530"]),
    "Microsoft.ContainerService/managedClusters": ("Who ran commands in the Kubernetes clusters?", ["T1609", "T1613"]),
    "Microsoft.ContainerRegistry/registries": ("Who replaced a container image?", ["T1525"]),
    "Microsoft.Web/sites": ("Which web requests came before the break-in?", ["T1190", "T1505.003"]),
    "Microsoft.Network/virtualNetworks": ("Where did the intruder connect to from inside?", ["T1046", "T1048"]),
    "Microsoft.Network/azureFirewalls": ("Where did the intruder connect to from inside?", ["T1071.004"]),
    "Microsoft.Network/applicationGateways": ("Which web requests came before the break-in?", ["T1190"]),
}
SEVERITY = {"data": "high", "identity": "high", "control-plane": "medium", "network": "medium", "host": "low"}
CLI = """az monitor diagnostic-settings create --name security-audit \\
  --resource "$RESOURCE_ID" \\
  --workspace "$WORKSPACE_ID" \\
  --logs '[{{"category":"{category}","enabled":true}}]'
"""
BICEP = """resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {{
  name: 'security-audit'
  scope: target
  properties: {{
    workspaceId: workspaceId
    logs: [ {{ category: '{category}', enabled: true }} ]
  }}
}}
"""


def make_rule(rule_id, resource, **fields):
    """A rule's description with everything a report shows of it."""
    words = fields.pop("category", "Audit")
    return RuleInfo(
        id=rule_id,
        resource=resource,
        title=fields.pop("title", f"{words} logs of every {resource.rpartition('/')[2]} are exported"),
        severity=fields.pop("severity", "high"),
        rationale=fields.pop(
            "rationale",
            f"`{words}` is the only record of who did what here. Metrics count requests, but do not name the caller.",
        ),
        remediation=fields.pop(
            "remediation",
            {
                "cli": CLI.format(category=words),
                "bicep": BICEP.format(category=words),
                "portal": f"Open the resource, then *Diagnostic settings*, and add `{words}` to a setting.",
            },
        ),
        frameworks=fields.pop("frameworks", {"CIS Azure Foundations 5.0": ["6.1.1.4"], "MCSB": ["LT-3"]}),
        references=fields.pop("references", ["https://learn.microsoft.com/azure/azure-monitor/essentials/diagnostic-settings"]),
        **fields,
    )  # fmt: skip


def make_finding(rule, resource_id, status, **fields):
    """A finding of a rule about a resource."""
    name = fields.pop("name", name_of(resource_id))
    subject = Subject(
        id=resource_id,
        type=fields.pop("type", rule.resource),
        name=name,
        subscription=subscription_of(resource_id),
        location=fields.pop("location", "westeurope"),
        resource_group=resource_group_of(resource_id),
        origin=fields.pop("origin", None),
    )
    return Finding(
        rule=rule.id,
        status=status,
        severity=rule.severity,
        message=fields.pop("message", f"{name} sends no log of this kind to any destination that exists."),
        fingerprint=fingerprint(rule.id, resource_id),
        subject=subject,
        **fields,
    )


def resource_id(subscription, resource_type, name, group="rg-app"):
    """An ARM id; a child type gets its parent's name in the middle."""
    provider, *parts = resource_type.split("/")
    names = [f"{name}-parent"] * (len(parts) - 1) + [name]
    inner = "/".join(f"{part}/{own}" for part, own in zip(parts, names, strict=True))
    return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{provider}/{inner}"


def realistic_report(scale=1, seed=7):
    """A middling estate: 12 types, some 25 failing rules; `scale` multiplies the resources."""
    chance = random.Random(seed)
    rows, findings, rules, unread = [], [], [], []
    scopes = (PROD, PROD, PROD, SHARED, DEV, LEGACY)

    def state(scope, share):
        if scope == LEGACY:
            return "unassessed"
        return chance.choices(["exported", "partly", "missing"], [share, 0.05, 0.95 - share])[0]

    def add_row(row_id, row_type, name, cells, location="westeurope"):
        rows.append(
            Row(id=row_id, type=row_type, name=name, subscription=subscription_of(row_id), location=location,
                resource_group=resource_group_of(row_id), cells=cells)
        )  # fmt: skip

    def judge_rows(rule, members, category):
        for row in members:
            cell = next(cell for cell in row.cells if cell.category == category)
            found = {"exported": "pass", "unassessed": "unknown"}.get(cell.state, "fail")
            extra = {}
            if found == "fail":
                extra["evidence"] = {"missing": [category]}
                if chance.random() < 0.3:
                    extra["evidence"]["settings"] = [
                        {"name": "to-old", "kind": "diagnostic-setting", "categories": [], "destinations": []}
                    ]
                extra["message"] = f"{row.name} sends no {category} log to any destination that exists."
            elif found == "unknown":
                extra["why_unknown"] = [DENIED]
                extra["message"] = f"Cannot tell for {row.name}: {DENIED.reason}"
            findings.append(
                make_finding(rule, row.id, found, name=row.name, location=row.location, type=row.type, **extra)
            )

    add_row(ENTRA, "microsoft.aadiam/tenants", "contoso.com", [
        Cell(category=category, state="exported" if category in ("AuditLogs", "SignInLogs") else "missing",
             evidence_class="identity", destinations=[WORKSPACE] if category in ("AuditLogs", "SignInLogs") else [])
        for category in ENTRA_CATEGORIES
    ], "")  # fmt: skip
    for category in ENTRA_CATEGORIES:
        rule = make_rule(
            f"entra-{category.lower()}",
            "microsoft.aadiam/tenants",
            category=category,
            title=f"Entra ID exports {category}",
            severity="critical",
            blind_to=BlindTo(
                questions=["Did a stolen application credential sign in, and from where?"],
                attack=["T1078.004", "T1528"],
                attack_version="19.1",
            ),
        )
        rules.append(rule)
        judge_rows(rule, [rows[0]], category)

    subscriptions = [f"/subscriptions/{s}" for s in (PROD, SHARED, DEV, LEGACY)]
    for place in subscriptions:
        scope = subscription_of(place)
        add_row(place, SUBSCRIPTION, SUBSCRIPTIONS[scope], [
            Cell(category=category, state="unassessed" if scope == LEGACY else "missing" if scope == DEV else "exported",
                 evidence_class="control-plane")
            for category in ("Administrative", "Alert", "Policy", "Security")
        ], "")  # fmt: skip
    rule = make_rule(
        "activity-log-exported",
        SUBSCRIPTION,
        category="Administrative",
        title="Administrative events of every subscription leave the subscription",
        blind_to=BlindTo(questions=["Did anyone turn logging off?"], attack=["T1685.002"], attack_version="19.1"),
    )
    rules.append(rule)
    judge_rows(rule, [row for row in rows if row.type == SUBSCRIPTION], "Administrative")

    for resource_type, prefix, amount, categories in TYPES:
        members = []
        share = chance.uniform(0.2, 0.7)
        for number in range(amount * scale):
            scope = chance.choice(scopes)
            name = f"{prefix}-{chance.choice(['pay', 'hr', 'crm', 'shop', 'erp'])}-{number + 1:02d}"
            place = resource_id(
                scope, resource_type, name, f"rg-{name.split('-')[1]}-{SUBSCRIPTIONS[scope].split('-')[1]}"
            )
            states = [state(scope, share) for _ in categories]
            cells = [
                Cell(category=category, state=value, evidence_class=kind,
                     destinations=[WORKSPACE] if value == "exported" else [])
                for (category, kind), value in zip(categories, states, strict=True)
            ]  # fmt: skip
            add_row(place, resource_type, name, cells, chance.choice(["westeurope", "westeurope", "northeurope"]))
            members.append(rows[-1])
            if scope == LEGACY:
                unread.append(
                    UnreadInfo(
                        id=settings_id(place), type="Microsoft.Insights/diagnosticSettings", scope=LEGACY, why=DENIED
                    )
                )
        for category, kind in categories:
            question, attack = QUESTIONS[resource_type]
            rule = make_rule(
                f"{prefix}-{category.lower()}",
                resource_type,
                title=f"Every {type_label(resource_type)} exports {category}",
                category=category,
                severity=SEVERITY[kind],
                blind_to=BlindTo(questions=[question], attack=attack, attack_version="19.1"),
            )
            rules.append(rule)
            judge_rows(rule, members, category)

    # rules that are not about an export: a passed one, one that does not apply, one judged per region, one unknown
    retention = make_rule(
        "workspace-retention",
        "Microsoft.OperationalInsights/workspaces",
        title="Workspaces that receive logs keep them for a year",
        severity="medium",
        params={"days": 365},
    )
    region = make_rule(
        "network-watcher-per-region",
        "Microsoft.Network/virtualNetworks",
        title="Every region in use has a Network Watcher",
        severity="low",
        remediation={"cli": "az network watcher configure --locations $location --enabled true"},
    )
    hsm = make_rule(
        "hsm-audit-exported", "Microsoft.KeyVault/managedHSMs", title="Managed HSM audit events are exported"
    )
    quota = make_rule(
        "workspace-daily-cap",
        "Microsoft.OperationalInsights/workspaces",
        title="No daily cap can stop the collection of logs",
        severity="info",
    )
    rules += [retention, region, hsm, quota]
    findings += [
        make_finding(retention, WORKSPACE, "pass", message=retention.title),
        make_finding(
            retention,
            WORKSPACE.replace("law-contoso-sec", "law-contoso-dev"),
            "fail",
            message="law-contoso-dev keeps logs for 30 days; 365 are asked for.",
            evidence={"facts.retention_days": 30, "facts.interactive_days": 30},
        ),
        make_finding(
            region,
            f"{DEV}/northeurope",
            "fail",
            name=f"{DEV}/northeurope",
            message="contoso-dev has networks in northeurope, but no Network Watcher there.",
            evidence={"count": 2, "resources": ["vnet-hr-02", "vnet-shop-05"]},
            location="northeurope",
        ),
        make_finding(hsm, WORKSPACE, "not-applicable", message="Nothing to judge."),
        make_finding(
            quota,
            WORKSPACE,
            "unknown",
            message=f"Cannot tell for law-contoso-sec: {THROTTLED.reason}",
            why_unknown=[THROTTLED],
        ),
    ]
    unread += [
        UnreadInfo(id=f"/subscriptions/{SANDBOX}/resources", type="Microsoft.Resources/subscriptions/resources",
                   scope=SANDBOX, why=NOT_LISTED, lists=True),
        UnreadInfo(id=f"{WORKSPACE}/tables", type="Microsoft.OperationalInsights/workspaces/tables", scope=SHARED,
                   why=THROTTLED),
    ]  # fmt: skip
    order = ["critical", "high", "medium", "low", "info"]
    return Report(
        generated_at="2026-11-22T07:20:44Z",
        run=Run(
            tool_version="0.1.0",
            tenant=TENANT,
            principal="sp-logging-audit (6f0e33c4-1111-4222-8333-44445555c41b)",
            started_at="2026-11-22T07:14:03Z",
            finished_at="2026-11-22T07:20:44Z",
            requests=1284,
            throttled=7,
            denied=len(unread),
            api_versions={
                "Microsoft.Insights/diagnosticSettings": "2021-05-01-preview",
                "Microsoft.KeyVault/vaults": "2023-07-01",
                "Microsoft.Network/networkWatchers/flowLogs": "2024-05-01",
            },
        ),
        subscriptions=[Subscription(id=key, name=name) for key, name in SUBSCRIPTIONS.items()],
        resource_count=450 * scale,
        rules=rules,
        findings=sorted(findings, key=lambda f: (order.index(f.severity), f.rule, f.subject.id.lower())),
        coverage=rows,
        destinations=[
            DestinationInfo(id=WORKSPACE, kind="log-analytics", name="law-contoso-sec", subscription=SHARED,
                            location="westeurope", retention="730 days", retention_days=730, interactive_days=90,
                            details={"daily cap": "none", "plan": "PerGB2018"}, sources=187),
            DestinationInfo(id=WORKSPACE.replace("sec", "dev"), kind="log-analytics", name="law-contoso-dev",
                            subscription=DEV, location="westeurope", retention="30 days", retention_days=30,
                            interactive_days=30, details={"daily cap": "20 GB"}, sources=49),
            DestinationInfo(id=WORKSPACE.replace("contoso-sec", "old"), kind="log-analytics", name="law-old",
                            subscription=PROD, exists=False, accepts=False, sources=3),
            DestinationInfo(id=f"/subscriptions/{PROD}/resourceGroups/rg/providers/Microsoft.EventHub/namespaces/evh-siem",
                            kind="event-hub", name="evh-siem", subscription=PROD, exists=None, accepts=None,
                            retention="unknown: not readable", sources=11),
        ],
        unread=unread,
        profile=ProfileInfo(
            name="acme",
            title="Acme",
            extends=["pci-4.0.1"],
            changes=[ChangeInfo(rule="workspace-retention", what="days", value=365, default=180, by="configuration")],
        ),
        frameworks=[
            FrameworkInfo(
                name="PCI DSS 4.0.1",
                profile="pci-4.0.1",
                title="PCI DSS 4.0.1",
                about="Requirement 10.",
                controls=[
                    ControlInfo(id="10.2.1", title="Logs are on", status="fail", rules=["kv-auditevent", "hsm-audit-exported"]),
                    ControlInfo(id="10.5.1", title="Logs are kept", status="not-judged", note="Twelve months.",
                                because="left out of this scan: table-retention", rules=["workspace-retention"]),
                    ControlInfo(id="10.6.1", title="Clocks agree", status="not-covered", because="nobody tells"),
                ],
            ),
            FrameworkInfo(
                name="SOC 2",
                profile="soc2",
                title="SOC 2",
                controls=[ControlInfo(id="CC7.2", title="Watched", status="unknown", rules=["workspace-daily-cap"])],
            ),
        ],
        completeness=Completeness(planned=940, answered=880, not_supported=60 - len(unread), unknown=len(unread)),
    )  # fmt: skip


def big_report(findings=5000, resources=3000):
    """As many failed findings over 40 rules, and as many resources, each with two log sources."""
    kinds = [kind for kind, *_ in TYPES]
    rows = []
    for number in range(resources):
        scope = list(SUBSCRIPTIONS)[number % 4]
        kind = kinds[number % len(kinds)]
        name = f"{kind.rpartition('/')[2][:8].lower()}-prod-{number:05d}"
        place = resource_id(scope, kind, name, f"rg-team-{number % 60:02d}-prod")
        cells = [
            Cell(category="AuditEvent", state=("exported", "missing", "unassessed")[number % 3], evidence_class="data"),
            Cell(category="RequestLogs", state=("missing", "partly")[number % 2], evidence_class="network"),
        ]
        rows.append(Row(id=place, type=kind, name=name, subscription=scope, location="westeurope",
                        resource_group=resource_group_of(place), cells=cells))  # fmt: skip
    rules = [make_rule(f"rule-number-{n:02d}", kinds[n % len(kinds)], category=f"Category{n}") for n in range(40)]
    found = []
    for number in range(findings):
        rule, row = rules[number % 40], rows[(number * 7) % resources]
        found.append(
            make_finding(
                rule,
                row.id,
                "fail",
                name=row.name,
                type=row.type,
                message=f"{row.name} sends no {rule.id} log to any destination that exists.",
                evidence={"missing": ["AuditEvent"], "settings": [{"name": f"to-law-{number % 9}", "categories": []}]},
            )
        )
    return Report(
        generated_at="2026-11-22T07:20:44Z",
        run=Run(tenant=TENANT, tool_version="0.1.0"),
        subscriptions=[Subscription(id=key, name=name) for key, name in SUBSCRIPTIONS.items()],
        resource_count=resources,
        rules=rules,
        findings=found,
        coverage=rows,
        completeness=Completeness(planned=resources, answered=resources, not_supported=0, unknown=0),
    )


HOSTILE = [
    "</script><script>alert('script')</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg onload=alert(2)>",
    "`code` ``more`` ```fence",
    "a|b||c",
    "@octocat and mail@example.com",
    "=cmd|' /C calc'!A0",
    "-->\n<!-- [link](javascript:alert(3)) ![i](https://evil.example/i.png)",
    "invoice\u202egnp.exe\u2066x\u200b",
    "n" * 260,
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f525",
    "line\nbreak\r\ttab\x00nul\x1b[31m",
    "https://evil.example www.evil.example #1 ~~x~~ **b** _i_ $x$ {{ 7*7 }} {% raw %}",
    "# heading",
    "&lt;b&gt; &amp;",
    "::error file=x::a%0A::b ##vso[task.setvariable variable=PATH;isoutput=true]/tmp ##[add-path]x",
]


def hostile_report():
    """Every place that someone else fills holds something that means mischief."""
    names = HOSTILE
    rows, findings, unread, destinations = [], [], [], []
    rules = []
    for number, name in enumerate(names):
        why = Unknown(reason=name, status=403, code=name, action=name, scope=name, grant=name)
        rule = make_rule(
            f"rule-{number}",
            "Microsoft.KeyVault/vaults",
            title=f"Title {name}",
            rationale=name,
            remediation={"cli": name, "portal": name, name[:40]: name},
            frameworks={name: [name]},
            references=[name, "javascript:alert(4)", "http://plain.example", 'https://x.example/"onmouseover=alert(5)'],
            params={name: name},
            blind_to=BlindTo(questions=[name], attack=[name], attack_version=name),
        )
        rules.append(rule)
        place = f"/subscriptions/{PROD}/resourceGroups/{name}/providers/Microsoft.KeyVault/vaults/{name}"
        common = {
            "name": name,
            "evidence": {name: [name, {"name": name}]},
            "location": name,
            "message": f"{name} {name}",
        }
        findings.append(make_finding(rule, place, "fail", **common))
        findings.append(make_finding(rule, place + "2", "fail", **common | {"message": name}))
        findings.append(make_finding(rule, place + "3", "unknown", **common, why_unknown=[why]))
        findings.append(make_finding(rule, place + "4", "fail", **common, origin=Origin(file=name, line=3)))
        states = ("exported", "partly", "missing", "accepted", "unassessed")
        rows.append(Row(id=place, type=f"Microsoft.{name}/x", name=name, subscription=name, location=name,
                        resource_group=name, cells=[Cell(category=f"{s}{name}", state=s, evidence_class=name,
                                                         destinations=[name]) for s in states]))  # fmt: skip
        unread.append(
            UnreadInfo(id=f"/subscriptions/{name}/providers/x/y/{name}", type=name, scope=name, why=why, lists=True)
        )
        unread.append(UnreadInfo(id=f"/subscriptions/{name}/resources", type="Microsoft.Resources/subscriptions/resources",
                                 scope=name, why=why, lists=True))  # fmt: skip
        destinations.append(DestinationInfo(id=name, kind=name, name=name, subscription=name, location=name,
                                            retention=name, details={name: name}))  # fmt: skip
    text = names[0] + names[1]
    return Report(
        generated_at=text,
        title=text,
        run=Run(source="azure", tool_version=text, cloud=text, tenant=text, principal=text, started_at=text,
                finished_at=text, api_versions={name: name for name in names}, interrupted=True),
        subscriptions=[Subscription(id=name, name=name) for name in names],
        rules=rules,
        findings=findings,
        coverage=rows,
        destinations=destinations,
        unread=unread,
        profile=ProfileInfo(
            name=text, title=text, extends=[text],
            changes=[ChangeInfo(rule=n, what=n, value=n, default=[n], by=n) for n in names],
        ),
        frameworks=[
            FrameworkInfo(name=n, profile=n, title=n, about=n, controls=[
                ControlInfo(id=n, title=n, status="unknown", because=n, note=n, rules=[n, "rule-1"])])
            for n in names
        ],
        completeness=Completeness(planned=3, answered=1, not_supported=1, unknown=1),
    )  # fmt: skip


def empty_report():
    """Nothing was found, nothing was judged."""
    return Report(run=Run(), completeness=Completeness(planned=0, answered=0, not_supported=0, unknown=0))


@pytest.fixture(scope="session")
def realistic():
    return realistic_report()


@pytest.fixture(scope="session")
def big():
    return big_report()


@pytest.fixture(scope="session")
def hostile():
    return hostile_report()


@pytest.fixture(scope="session")
def hostile_names():
    return HOSTILE


@pytest.fixture(scope="session")
def empty():
    return empty_report()

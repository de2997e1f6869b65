"""The groupings that reports are made of: the answer, gaps, blind spots, priorities."""

import re

import msgspec
import pytest
from coded import coded_report, found

from auditor.documents import Run, settings_id
from auditor.formats import words
from auditor.formats.affected import affected, columns, subject_name
from auditor.formats.blindspots import blind_spots
from auditor.formats.gaps import gaps, unexplained
from auditor.formats.html import bar, level
from auditor.formats.priorities import priorities
from auditor.formats.remedies import filled, remedies
from auditor.formats.view import build_view, scope_names
from auditor.formats.words import about, count, duration, listing, noun, period, state_of, type_label, when
from auditor.inventory import Origin, Subscription, Unknown
from auditor.report import (
    BlindTo,
    Cell,
    Completeness,
    DestinationInfo,
    Finding,
    Report,
    Row,
    RuleInfo,
    Subject,
    UnreadInfo,
    fingerprint,
)
from auditor.sums import RuleResult, Tally, tally_rows

SUB = "11111111-0000-0000-0000-000000000000"
VAULT = f"/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/"
DENIED = Unknown(
    reason="denied", status=403, code="AuthorizationFailed", action="a/read", grant="Reader on the subscription"
)


def rule(rule_id="r1", severity="high", question="Who read it?", title="Logs are exported"):
    return RuleInfo(
        id=rule_id, title=title, severity=severity, resource="Microsoft.KeyVault/vaults", rationale="Because.",
        remediation={"cli": "az"}, blind_to=BlindTo(questions=[question]) if question else None,
    )  # fmt: skip


def finding(status="fail", name="kv", info=None, **fields):
    info = info or rule()
    subject = Subject(
        id=VAULT + name, type="Microsoft.KeyVault/vaults", name=name, subscription=SUB, resource_group="rg"
    )
    return Finding(rule=info.id, status=status, severity=info.severity, fingerprint=fingerprint(info.id, VAULT + name),
                   subject=fields.pop("subject", subject), message=fields.pop("message", f"{name} sends none."), **fields)  # fmt: skip


def row(name="kv", **states):
    cells = [Cell(category=category, state=state, evidence_class="data") for category, state in states.items()]
    return Row(id=VAULT + name, type="Microsoft.KeyVault/vaults", name=name, subscription=SUB, cells=cells)


def report(**fields):
    fields.setdefault("completeness", Completeness(planned=1, answered=1, not_supported=0, unknown=0))
    fields.setdefault("subscriptions", [Subscription(id=SUB, name="prod")])
    return Report(run=fields.pop("run", Run(principal="6f0e33c4-1111-4222-8333-44445555c41b")), **fields)


def unread(read_id, why=DENIED, scope=SUB, **fields):
    return UnreadInfo(
        id=read_id, type=fields.pop("type", "Microsoft.Insights/diagnosticSettings"), scope=scope, why=why, **fields
    )


NOT_LISTED = unread(f"/subscriptions/{SUB}/resources", type="Microsoft.Resources/subscriptions/resources", lists=True)


class TestAnswer:
    @pytest.mark.parametrize(
        ("answer", "fields"),
        [
            pytest.param("Unknown", {}, id="nothing at all"),
            pytest.param("Yes", {"coverage": [row(a="exported")]}, id="all exported, no failure"),
            pytest.param("No", {"coverage": [row(a="missing")]}, id="nothing exported"),
            pytest.param("Partly", {"coverage": [row(a="exported", b="missing")]}, id="some missing"),
            pytest.param("Partly", {"coverage": [row(a="exported", b="accepted")]}, id="accepting does not make it whole"),
            pytest.param("No", {"coverage": [row(a="partly")]}, id="partly counts as nothing"),
            pytest.param("Unknown", {"coverage": [row(a="unassessed")]}, id="nothing assessed"),
            pytest.param("Unknown", {"coverage": [row(a="exported", b="unassessed")]}, id="the rest is not known"),
            pytest.param("Unknown", {"coverage": [row(a="missing", b="unassessed", c="unassessed")]}, id="mostly unread"),
            pytest.param("Unknown", {"coverage": [row(a="exported")], "unread": [NOT_LISTED]}, id="a scope not listed"),
            pytest.param("Unknown", {"coverage": [row(a="exported")], "rules": [rule()], "findings": [finding("unknown")]},
                         id="a finding unknown"),
            pytest.param("Partly", {"coverage": [row(a="exported")], "rules": [rule()], "findings": [finding("fail")]},
                         id="exported, but a rule fails"),
        ],
    )  # fmt: skip
    def test_word(self, answer, fields):
        assert build_view(report(**fields)).answer == answer

    def test_yes_is_never_said_of_nothing_judged(self):
        view = build_view(report(coverage=[row(a="unassessed")], rules=[rule()], findings=[finding("not-applicable")]))
        assert view.answer == "Unknown"
        assert view.sentences[0] == "No log source could be assessed."


class TestGaps:
    def test_reads_of_one_scope_that_fail_alike_are_one_gap_with_all_it_leaves_open(self):
        found = gaps(
            report(
                coverage=[
                    row("kv1", a="unassessed", b="unassessed"),
                    row("kv2", a="unassessed"),
                    row("kv3", a="exported"),
                ],
                unread=[
                    unread(settings_id(VAULT + "kv1")),
                    unread(settings_id(VAULT + "KV2").upper()),
                    unread("/else"),
                ],
                rules=[rule()],
                findings=[
                    finding("unknown", "kv1", why_unknown=[DENIED]),
                    finding("unknown", "kv2", why_unknown=[DENIED]),
                ],
            ),
            {SUB: "prod"},
        )
        [gap] = found
        assert (gap.where, gap.reads, gap.sources, gap.findings) == ("prod", 3, 3, 2)

    def test_different_remedies_are_different_gaps(self):
        other = msgspec.structs.replace(DENIED, grant="Log Analytics Reader")
        assert len(gaps(report(unread=[unread("/a"), unread("/b", other)]), {})) == 2

    def test_what_one_grant_closes_is_one_gap_that_names_every_permission(self):
        other = msgspec.structs.replace(DENIED, action="b/read", reason="not permitted: b/read (AuthorizationFailed)")
        reads = [unread(settings_id(VAULT + name)) for name in ("kv4", "kv3", "kv2", "kv1")] + [
            unread(VAULT + "kv9", other)
        ]
        [gap] = gaps(report(unread=reads), {SUB: "prod"})
        assert [(c.action, c.reason, c.answer, c.reads, c.examples) for c in gap.causes] == [
            ("a/read", "denied", "403 AuthorizationFailed", 4, ["kv1", "kv2", "kv3", "…"]),
            ("b/read", "", "403 AuthorizationFailed", 1, ["kv9"]),
        ]
        assert gap.remedy == "Reader on prod"

    def test_findings_count_though_a_fact_put_words_before_the_reason(self):
        told = msgspec.structs.replace(DENIED, reason="the settings: denied")
        [gap] = gaps(
            report(unread=[unread("/a")], rules=[rule()], findings=[finding("unknown", why_unknown=[told])]), {}
        )
        assert gap.findings == 1

    def test_a_read_of_something_below_a_resource_says_nothing_of_the_resource_s_logs(self):
        [gap] = gaps(report(coverage=[row("kv", a="unassessed")], unread=[unread(VAULT + "kv/tables")]), {})
        assert gap.sources == 0

    @pytest.mark.parametrize(
        ("why", "remedy"),
        [
            (Unknown(reason="throttled", status=429), "Scan again"),
            (Unknown(reason="server error", status=503), "Scan again"),
            (Unknown(reason="connection reset"), "Scan again"),
            (Unknown(reason="another tenant", status=401), "Not known: the answer names no permission"),
            (Unknown(reason="firewall", status=403, grant="let this host in"), "Let this host in"),
            (
                Unknown(reason="x", status=403, grant='az role assignment create --role "Log Reader" -x'),
                "Log Reader on prod",
            ),
        ],
    )
    def test_remedy(self, why, remedy):
        [gap] = gaps(report(unread=[unread("/x", why)]), {SUB: "prod"})
        assert gap.remedy == remedy

    def test_a_subscription_outside_of_the_scan_is_called_so(self):
        [gap] = gaps(report(unread=[unread("/x", scope="ABC")]), {SUB: "prod"})
        assert gap.where == "ABC (not part of this scan)"

    def test_an_entra_read_leaves_the_tenant_s_sources_open(self):
        entra = Row(id="/providers/microsoft.aadiam/tenants/t", type="microsoft.aadiam/tenants", name="t",
                    cells=[Cell(category="AuditLogs", state="unassessed")])  # fmt: skip
        place = "/providers/microsoft.aadiam/diagnosticSettings"
        [gap] = gaps(report(coverage=[entra], unread=[unread(place, scope="tenant")]), scope_names(report()))
        assert (gap.where, gap.sources) == ("Tenant", 1)
        assert gap.command.endswith("--scope /providers/Microsoft.aadiam")

    def test_a_scope_not_listed_is_in_no_figure_and_comes_first(self):
        other = msgspec.structs.replace(DENIED, grant="Log Analytics Reader")
        reads = [unread(settings_id(VAULT + "kv"), other), NOT_LISTED]
        found = gaps(report(unread=reads, coverage=[row(a="unassessed")]), {})
        assert [gap.unlisted_scope for gap in found] == [True, False]
        assert found[0].sources == 0

    def test_sources_that_no_read_explains_are_counted(self):
        assert unexplained(report(coverage=[row("kv1", a="unassessed"), row("kv2", b="unassessed")],
                                  unread=[unread(settings_id(VAULT + "kv1"))])) == 1  # fmt: skip

    @pytest.mark.parametrize(
        ("why", "command"),
        [
            pytest.param(DENIED, f"--role Reader \\\n  --assignee 6f0e33c4-1111-4222-8333-44445555c41b \\\n"
                                 f"  --scope /subscriptions/{SUB}", id="denied"),
            pytest.param(msgspec.structs.replace(DENIED, scope="/subscriptions/x y; rm"), "--scope '/subscriptions/x y; rm'",
                         id="quoted"),
            pytest.param(msgspec.structs.replace(DENIED, grant="Log Analytics Reader"), "--role 'Log Analytics Reader'",
                         id="the role that is named"),
            pytest.param(msgspec.structs.replace(DENIED, grant="az login"), "az login", id="a command already"),
            pytest.param(msgspec.structs.replace(DENIED, grant="Security Reader in Entra ID"), "", id="a directory role"),
            pytest.param(msgspec.structs.replace(DENIED, grant="Graph LicenseAssignment.Read.All"), "", id="Graph"),
            pytest.param(msgspec.structs.replace(DENIED, grant="allow the network in"), "", id="no role helps"),
            pytest.param(msgspec.structs.replace(DENIED, status=429, grant=None), "", id="throttled"),
        ],
    )  # fmt: skip
    def test_command(self, why, command):
        [gap] = gaps(report(unread=[unread(settings_id(VAULT + "kv"), why)]), {})
        assert command in gap.command
        assert bool(command) == bool(gap.command)


class TestBlindSpots:
    @pytest.mark.parametrize(
        ("statuses", "answer"),
        [
            (["fail"], "No"),
            (["fail", "unknown"], "No"),
            (["fail", "pass"], "Partly"),
            (["unknown"], "Unknown"),
            (["unknown", "pass"], "Unknown"),
            (["pass"], None),
            (["not-applicable"], None),
        ],
    )
    def test_answer(self, statuses, answer):
        result = RuleResult(info=rule(), findings=[finding(s, str(n)) for n, s in enumerate(statuses)])
        assert [spot.answer for spot in blind_spots([result], [])] == ([answer] if answer else [])

    def test_a_rule_that_passes_makes_the_answer_to_a_shared_question_partly(self):
        results = [
            RuleResult(info=rule("bad"), findings=[finding("fail")]),
            RuleResult(info=rule("good", question="who  read it?"), findings=[finding("pass")]),
        ]
        [spot] = blind_spots(results, [])
        assert (spot.answer, spot.rules, spot.questions) == ("Partly", ["bad"], ["Who read it?"])

    def test_gravest_first_and_scopes_not_listed_last(self):
        low, critical = rule("low", "low", "Q1"), rule("critical", "critical", "Q2")
        results = [
            RuleResult(info=low, findings=[finding("fail", info=low)]),
            RuleResult(info=critical, findings=[finding("fail", info=critical)]),
        ]
        spots = blind_spots(results, ["sandbox"])
        assert [(s.id, s.questions) for s in spots] == [
            ("B1", ["Q2"]),
            ("B2", ["Q1"]),
            ("B3", ["What happened in sandbox?"]),
        ]

    def test_questions_that_the_same_rules_answer_are_one_blind_spot(self):
        info = msgspec.structs.replace(rule(), blind_to=BlindTo(questions=["Q1", "Q2"], attack=["T2", "T1"]))
        [spot] = blind_spots([RuleResult(info=info, findings=[finding("fail")])], [])
        assert (spot.questions, spot.attack) == (["Q1", "Q2"], ["T1", "T2"])

    def test_reasons_count_what_fails_and_what_is_not_known(self):
        result = RuleResult(info=rule(), findings=[finding("fail", "1"), finding("pass", "2"), finding("unknown", "3")])
        [[why]] = [spot.because for spot in blind_spots([result], [])]
        assert why.before + why.after == "1 of 2 vaults does not meet; 1 more could not be told."


class TestDestinations:
    def test_what_bears_on_logs_is_told_and_first_why_something_is_unknown(self):
        place = DestinationInfo(
            id="/x", kind="storage", name="x", retention="unknown: the destination: not permitted",
            details={"SKU": "Standard_GRS", "shared keys": "allowed", "lifecycle": "no rule deletes log blobs",
                     "network rule": "Allow by default, let through: AzureServices", "Basic tables": "T"},
        )  # fmt: skip
        told = ["lifecycle: no rule deletes log blobs", "shared keys: allowed", "Basic tables: T"]
        assert about(place) == ["Not permitted", *told]
        assert about(msgspec.structs.replace(place, exists=False)) == told
        assert about(DestinationInfo(id="/y", kind="partner", name="y", retention="no expiry")) == []


class TestPriorities:
    def gained(self, coverage, *failed):
        results = [RuleResult(info=rule(name), findings=found) for name, found in failed]
        total = tally_rows(coverage)
        found = priorities(report(coverage=coverage), results, total)
        return [(p.result.info.id, p.gained) for p in found.rules], found.after

    def test_each_rule_gains_only_what_those_before_it_do_not(self):
        rows = [row("k1", a="missing", b="missing", c="exported"), row("k2", a="missing")]
        both = finding(name="k1", evidence={"missing": ["A", "b"]})
        overlap = [finding(name="k1", evidence={"missing": ["a"]}), finding(name="K2", evidence={"missing": ["a"]})]
        assert self.gained(rows, ("both", [both]), ("overlap", overlap)) == ([("overlap", 2), ("both", 1)], "100%")
        assert self.gained(rows, ("both", [both]), ("less", [overlap[0]])) == ([("both", 2)], "75%")

    def test_the_gravest_come_first_then_what_records_for_all_that_is_below(self):
        def failing(severity, resource, failures):
            info = msgspec.structs.replace(rule(f"{severity}-{resource}", severity), resource=resource)
            return RuleResult(info=info, findings=[finding(name=f"{n}", info=info) for n in range(failures)])

        vaults, whole = "Microsoft.KeyVault/vaults", "Microsoft.Resources/subscriptions"
        results = [failing("medium", vaults, 90), failing("high", vaults, 9), failing("high", whole, 1)]
        found = priorities(report(), [*results, failing("critical", vaults, 1)], Tally())
        assert [p.result.info.id for p in found.rules] == [
            f"critical-{vaults}", f"high-{whole}", f"high-{vaults}", f"medium-{vaults}",
        ]  # fmt: skip

    def test_what_is_grave_and_left_out_is_counted(self):
        many = [RuleResult(info=rule(f"r{n:02}", "high"), findings=[finding()]) for n in range(11)]
        found = priorities(report(), many, Tally())
        assert (len(found.rules), found.grave_left) == (7, 4)

    def test_what_is_left_out_because_nothing_remains_to_be_gained_is_counted_too(self):
        told = finding(evidence={"missing": ["a"]})
        many = [RuleResult(info=rule(f"r{n}", "high"), findings=[told]) for n in range(2)]
        found = priorities(report(coverage=[row(a="missing")]), many, Tally(missing=1))
        assert (len(found.rules), found.grave_left) == (1, 1)

    def test_what_is_exported_accepted_or_not_assessed_is_no_gain(self):
        rows = [row("k1", a="exported", b="accepted", c="unassessed")]
        assert self.gained(rows, ("r", [finding(name="k1", evidence={"missing": ["a", "b", "c"]})])) == ([("r", 0)], "")

    def test_a_failure_that_names_no_category_gains_nothing(self):
        assert self.gained([row("k1", a="missing")], ("r", [finding(name="k1", evidence={"days": 3})])) == (
            [("r", 0)],
            "",
        )


class TestAffected:
    def result(self, *findings):
        return RuleResult(info=rule(), findings=list(findings))

    def test_what_all_share_is_said_once(self):
        found = affected(self.result(finding(name="kv1"), finding(name="kv2")), {}, None, evidence=True)
        assert found.shared == "… sends none."
        assert [r.text for r in found.rows] == ["", ""]

    def test_what_differs_is_said_in_its_row(self):
        found = affected(
            self.result(finding(name="kv1"), finding(name="kv2"), finding(name="kv3", message="kv3 is odd.")), {}, None,
            evidence=True,
        )  # fmt: skip
        assert [r.text for r in found.rows] == ["", "", "… is odd."]

    def test_what_all_share_around_their_names_is_said_once(self):
        told = [finding(name=name, message=f"Vault {name} sends none.") for name in ("kv1", "kv2")]
        found = affected(self.result(*told), {}, None, evidence=True)
        assert found.shared == "Vault … sends none."
        assert [r.text for r in found.rows] == ["", ""]
        assert affected(self.result(told[0]), {}, None, evidence=True).shared == "Vault kv1 sends none."

    def test_what_two_facts_say_alike_is_said_once(self):
        odd = {"facts.audit_missing": ["A", "B"], "facts.audit_offered": ["A", "B"], "facts.days": 3, "facts.n": 3}
        found = affected(self.result(finding(evidence=odd), finding(name="b")), {}, None, evidence=True)
        assert found.rows[0].evidence == "audit missing and audit offered: A, B · days: 3 · n: 3"

    def test_an_id_in_the_evidence_is_shown_by_its_end(self):
        odd = {"properties.targetResourceId": f"{VAULT}kv-far"}
        found = affected(self.result(finding(evidence=odd), finding(name="b")), {}, None, evidence=True)
        assert found.rows[0].evidence == "target resource id: kv-far"
        assert f"{VAULT}kv-far" in found.evidence

    def test_a_name_inside_of_a_word_stays(self):
        found = affected(self.result(finding(name="a", message="apples and a pear")), {}, None, evidence=True)
        assert found.shared == "apples and a pear"

    def test_evidence_in_a_row_is_where_it_differs_from_most(self):
        usual = {"missing": ["a"], "facts.flow_gaps": 3, "off": None}
        odd = usual | {"facts.flow_gaps": 9, "settings": [{"name": "to-law"}], "location": "here"}
        found = affected(
            self.result(*(finding(name=f"kv{n}", evidence=odd if n == 2 else usual) for n in range(4))),
            {}, None, evidence=True,
        )  # fmt: skip
        assert found.usual == "flow gaps: 3 · off: null"
        assert [r.evidence for r in found.rows] == ["", "", "flow gaps: 9 · settings: to-law", ""]

    @pytest.mark.parametrize(
        ("setting", "shown"),
        [
            ({"name": "to-law", "categories": ["A"], "destinations": ["/x/workspaces/law (deleted)"]},
             "to-law (A → law (deleted))"),
            ({"name": "bare", "categories": [], "destinations": []}, "bare (no log → nowhere)"),
        ],
    )  # fmt: skip
    def test_a_log_setting_is_told_in_short(self, setting, shown):
        plain = [finding(name=f"kv{n}") for n in range(3)]
        found = affected(self.result(*plain, finding(evidence={"settings": [setting]})), {}, None, evidence=True)
        assert found.rows[3].evidence == f"settings: {shown}"

    def test_the_first_evidence_is_shown_in_full(self):
        found = affected(self.result(finding(evidence={"missing": ["a"], "days": 3})), {}, None, evidence=True)
        assert (found.evidence_of, found.evidence) == ("kv", '{"missing": ["a"], "days": 3}')
        assert (found.usual, found.rows[0].evidence) == ("", "")

    def test_a_severity_that_is_not_the_rule_s_own_is_a_column_with_its_reason_and_comes_first(self):
        worse = msgspec.structs.replace(finding(name="kv9"), severity="critical", severity_because="it is tagged")
        found = self.result(finding(name="kv1"), finding("unknown", name="kv2"), worse)
        item = affected(found, {}, None, evidence=True)
        assert [(row.name, row.severity) for row in item.rows] == [
            ("kv9", "Critical: it is tagged"), ("kv1", "High"), ("kv2", "High"),
        ]  # fmt: skip
        assert next(head for head, _ in columns(item)) == "Severity"
        assert (found.severity, found.severities) == ("critical", {"critical": 1, "high": 1})
        assert (words.mixed(found), words.gravest(found)) == ("1 critical, 1 high", " (1 critical)")

    def test_severities_that_are_all_the_rule_s_own_are_no_column(self):
        found = self.result(finding(name="kv1"), finding(name="kv2"))
        assert "Severity" not in [head for head, _ in columns(affected(found, {}, None, evidence=True))]
        assert (words.mixed(found), words.gravest(found)) == ("", "")

    def test_a_type_is_a_column_where_there_are_several(self):
        other = Subject(id="/x", type="Microsoft.Web/sites", name="app")
        found = affected(
            self.result(finding(message="kv (Microsoft.KeyVault/vaults) is dark."),
                        finding(subject=other, message="app (Microsoft.Web/sites) is dark.")), {}, None, evidence=True,
        )  # fmt: skip
        assert [r.kind for r in found.rows] == ["Key Vault", "App Service"]
        assert found.shared == "… is dark."

    def test_failed_come_before_unknown_and_rows_beyond_the_limit_are_counted(self):
        findings = [finding("unknown", "u"), finding("fail", "f1"), finding("fail", "f2"), finding("pass", "p")]
        found = affected(self.result(*findings), {}, 2, evidence=False)
        assert [r.name for r in found.rows] == ["f1", "f2"]
        assert found.left_out == 1

    def test_a_group_is_named_by_its_subscription(self):
        subject = Subject(id=f"{SUB}/westeurope", type="subscription × location", name=f"{SUB}/westeurope")
        assert subject_name(finding(subject=subject), {SUB: "prod"}) == "prod / westeurope"


def test_what_nobody_knows_how_to_tell_is_no_advice():
    why = [
        Unknown(reason="nobody says"),
        Unknown(reason="is elsewhere", code="not-in-input", grant="scan Azure itself"),
    ]
    odd = [found(f"kv-{n}", "unknown", why_unknown=[one]) for n, one in enumerate(why)]
    view = build_view(coded_report(odd))
    assert [(gap.where, gap.remedy) for gap in view.gaps] == [
        ("not told", "Not known"),
        ("not-in-input", "Scan Azure itself"),
    ]
    assert [gap.where for gap in view.best_gaps] == ["not-in-input"]


class TestMendingCode:
    VAULT = ("Microsoft.KeyVault/vaults", "/s/vaults/kv")
    ACCOUNT = ("Microsoft.Storage/storageAccounts/blobServices", "/s/storageAccounts/st/blobServices/default")
    DATABASE = ("Microsoft.Sql/servers/databases", "/s/servers/sql/databases/master")

    def told(self, kind, resource_id, address, file="main.tf", text='x = "$id"'):
        origin = None if address is None else Origin(file=file, line=3, address=address)
        subject = Subject(id=resource_id, type=kind, name="kv", origin=origin)
        ways = {"cli": "az $id", "bicep": "b $id", "terraform": text}
        return remedies(finding(subject=subject), ways, {})

    @pytest.mark.parametrize(
        ("of", "address", "wanted"),
        [
            (VAULT, "azurerm_key_vault.kv", "x = azurerm_key_vault.kv.id"),
            (VAULT, 'module.a["x"].module.b[0].azurerm_key_vault.kv["k"]', 'x = azurerm_key_vault.kv["k"].id'),
            (ACCOUNT, "azurerm_storage_account.st", 'x = "${azurerm_storage_account.st.id}/blobServices/default"'),
            (DATABASE, "azurerm_mssql_server.sql", 'x = "${azurerm_mssql_server.sql.id}/databases/master"'),
            (DATABASE, "azurerm_mssql_database.db", "x = azurerm_mssql_database.db.id"),
        ],
    )
    def test_of_terraform_code_in_its_own_words_first(self, of, address, wanted):
        assert self.told(*of, address)[0] == ("terraform", wanted)

    def test_what_is_below_the_resource(self):
        told = self.told(*self.VAULT, "azurerm_mssql_server.sql", text='x = "$id/databases/master"')
        assert told[0] == ("terraform", 'x = "${azurerm_mssql_server.sql.id}/databases/master"')

    def test_of_a_template_in_bicep_first(self):
        assert [way for way, _ in self.told(*self.VAULT, "vault", "main.bicep")] == ["bicep", "cli", "terraform"]

    def test_of_azure_as_the_rule_has_it(self):
        assert self.told(*self.VAULT, None) == [
            ("cli", "az /s/vaults/kv"),
            ("bicep", "b /s/vaults/kv"),
            ("terraform", 'x = "/s/vaults/kv"'),
        ]

    @pytest.mark.parametrize(
        "address", ['azurerm_key_vault.kv["$(rm)"]', "azurerm_key_vault.kv\nrm", "azurerm_key_vault.kv;rm", "x.y"]
    )
    def test_nothing_odd_is_filled_in(self, address):
        assert dict(self.told(*self.VAULT, address))["terraform"] == 'x = "/s/vaults/kv"'

    def test_nor_an_odd_part(self):
        odd = ("Microsoft.Sql/servers/databases", '/s/servers/sql/databases/"${x}')
        assert dict(self.told(*odd, "azurerm_mssql_server.sql"))["terraform"] == 'x = "$id"'


class TestRemedies:
    def filled(self, text, **fields):
        subject = Subject(
            id=VAULT + "kv", type="T/t", name=fields.pop("name", "kv"), subscription=SUB, location="westeurope"
        )
        return filled(text, finding(subject=subject, **fields), {SUB: "prod"})

    def test_a_subject_is_filled_in_and_variables_stay(self):
        text = (
            'az x --name "$name" --id "$id" -l ${location} --s $subscription_name --w "$$WORKSPACE_ID" $missing $kind'
        )
        assert self.filled(text, evidence={"missing": ["a", "b"]}) == (
            f'az x --name "kv" --id "{VAULT}kv" -l westeurope --s prod --w "$WORKSPACE_ID" a, b $kind'
        )

    @pytest.mark.parametrize("name", ["$(id)", "`id`", 'a"; id; "', "a\nb", "--help", "a'b", "a\\b", "\u202ea", ""])
    def test_a_name_that_could_mean_something_to_a_shell_stays_a_placeholder(self, name):
        assert self.filled('rm "$name"', name=name) == 'rm "$name"'


def test_subscriptions_of_one_name_are_told_apart():
    both = report(subscriptions=[Subscription(id="aaaaaaaa-1", name="x"), Subscription(id="bbbbbbbb-2", name="x")])
    assert set(scope_names(both).values()) == {"x (aaaaaaaa)", "x (bbbbbbbb)", "Tenant"}


def test_a_scope_not_listed_is_a_row_without_figures():
    view = build_view(report(coverage=[row(a="exported")], unread=[unread("/subscriptions/zz/resources", scope="ZZ",
                             type="Microsoft.Resources/subscriptions/resources", lists=True)]))  # fmt: skip
    assert [(s.name, s.listed, s.tally.percent) for s in view.scopes] == [
        ("prod", True, "100%"),
        ("ZZ", False, "unknown"),
    ]
    assert view.unlisted == ["ZZ"]


@pytest.mark.parametrize(
    ("tally", "word", "map_level"),
    [
        (Tally(exported=3), "All exported", "e full"),
        (Tally(exported=3, unassessed=1), "Partly assessed", "e full"),
        (Tally(exported=2, missing=1), "Some missing", "e most"),
        (Tally(exported=1, missing=2), "Some missing", "p some"),
        (Tally(missing=2), "Missing", "x"),
        (Tally(partly=1, missing=1), "Partly", "x"),
        (Tally(accepted=2), "Accepted", "a"),
        (Tally(unassessed=2), "Not assessed", "q"),
        (Tally(), "Not assessed", "q"),
    ],
)
def test_state_of_a_resource_and_level_of_a_cell(tally, word, map_level):
    assert state_of(tally)[1] == word
    assert level(tally) == map_level


@pytest.mark.parametrize(
    "tally", [Tally(exported=1, missing=999_999), Tally(exported=5, unassessed=5, partly=1), Tally(missing=1)]
)
def test_a_bar_fills_its_width_and_hides_no_state(tally):
    lengths = [float(n) for n in re.findall(r"h([\d.]+)", bar(tally, 1000, 30, 2))]
    assert min(lengths) >= 2
    assert sum(lengths) + 2 * (len(lengths) - 1) == pytest.approx(1000, abs=1)


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (noun("Microsoft.KeyVault/vaults", 2), "vaults"),
        (noun("Microsoft.KeyVault/vaults", 1), "vault"),
        (noun("Microsoft.ContainerRegistry/registries", 1), "registry"),
        (noun("Microsoft.Network/publicIPAddresses", 1), "public IP address"),
        (noun("Microsoft.Network/publicIPAddresses", 2), "public IP addresses"),
        (noun("Microsoft.KeyVault/managedHSMs", 2), "managed HSMs"),
        (noun("Microsoft.KeyVault/managedHSMs", 1), "managed HSM"),
        (noun("Microsoft.Cache/redis", 1), "redis"),
        (noun("a/b, c/d", 2), "resources"),
        (noun("Microsoft.Network/*", 1), "resource"),
        (type_label("MICROSOFT.KEYVAULT/vaults"), "Key Vault"),
        (type_label("Contoso.Odd/thingBoxes"), "Thing boxes"),
        (count(1, "rule"), "1 rule"),
        (count(1284, "query", "queries"), "1,284 queries"),
        (listing([]), ""),
        (listing(["a"]), "a"),
        (listing(["a", "b", "c"]), "a, b and c"),
        (listing(["a", "b", "c", "d"]), "a, b, c and 1 more"),
        (when("2026-11-22T07:14:03Z"), "22 Nov 2026, 07:14 UTC"),
        (when("2026-11-22T09:14:03+02:00"), "22 Nov 2026, 07:14 UTC"),
        (when("soon"), "soon"),
        (period("2026-11-22T07:14:03Z", "2026-11-22T07:20:44Z"), "22 Nov 2026, 07:14–07:20 UTC"),
        (period("2026-11-22T23:50:00Z", "2026-11-23T00:10:00Z"), "22 Nov 2026, 23:50 – 23 Nov 2026, 00:10 UTC"),
        (period("", "2026-11-23T00:10:00Z"), "23 Nov 2026, 00:10 UTC"),
        (duration("2026-11-22T07:14:03Z", "2026-11-22T07:20:44Z"), "6 min 41 s"),
        (duration("2026-11-22T07:14:03Z", "2026-11-22T09:14:03Z"), "2 h 0 min 0 s"),
        (duration("", ""), ""),
    ],
)
def test_words(made, text):
    assert made == text

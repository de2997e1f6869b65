"""The gate on files: what counts, what is told, and which exit code comes of it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from auditor import sources
from auditor.cli import main
from auditor.documents import Collection, Run
from auditor.sources.comments import acceptances_in

APP = Path(__file__).parents[1] / "sources/terraform/app.plan.json"
GROUP = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg"


def vault(name, comment="", line=7):
    shown = f"{GROUP}/providers/Microsoft.KeyVault/vaults/{name}"
    origin = {"file": "main.tf", "line": line, "address": f"azurerm_key_vault.{name}"}
    accept = acceptances_in(comment, "main.tf", line - 1)
    return {"id": shown, "type": "Microsoft.KeyVault/vaults", "name": name, "properties": {}, "$origin": origin,
            "$accept": accept}  # fmt: skip


@pytest.fixture
def scan(monkeypatch, capsys):
    """Scan documents as if a file of code had given them: (exit code, stdout, stderr)."""

    def run(documents, *options, source="terraform"):
        run = Run(source=source, finished_at="2026-11-22T00:00:00Z")
        collection = Collection(documents=list(documents), run=run)
        monkeypatch.setitem(sources.SOURCES, "terraform", (lambda _: True, lambda _: collection))
        code = main(["scan", str(APP), "--select", "keyvault-audit-logs", *options])
        return code, *capsys.readouterr()

    return run


def test_an_acceptance_in_code_satisfies_the_gate_and_a_mistake_in_one_is_told(scan):
    good = '# auditor:accept keyvault-audit-logs reason="Lab" until=2027-03-31'
    code, out, err = scan([vault("kv", good)], "--fail-on", "low")
    assert (code, "1 accepted" in out, "warning" in err) == (0, True, False)
    code, _, err = scan([vault("kv", good.replace("audit-logs", "audit-log"))] * 2, "--fail-on", "low")
    assert code == 1
    assert err.count("warning: ") == 1
    assert 'warning: main.tf:6: auditor:accept: there is no rule "keyvault-audit-log" (did you mean' in err


def undecided(name):
    """A vault's settings, of which the code does not tell."""
    shown = f"{vault(name)['id']}/providers/Microsoft.Insights/diagnosticSettings"
    setting = {"id": f"{shown}/x", "name": "x", "properties": {"logs": {"$unknown": {"reason": "var.logs is not known"}},
               "workspaceId": "/subscriptions/1/resourceGroups/r/providers/Microsoft.OperationalInsights/workspaces/w"}}  # fmt: skip
    return {"id": shown, "type": "Microsoft.Insights/diagnosticSettings", "value": [setting]}


def test_strict_fails_the_gate_for_what_cannot_be_told_and_leaves_it_unknown(scan, tmp_path):
    documents = [vault("kv"), undecided("kv")]
    assert scan(documents, "--fail-on", "low")[0] == 0
    file = tmp_path / "findings.json"
    code, out, err = scan(documents, "--fail-on", "low", "--strict", "-f", "console", "-f", f"json={file}")
    assert code == 1
    assert "Gate failed: 1 high that cannot be told (keyvault-audit-logs 1); --fail-on is low, --strict. Exit 1." in err
    assert "Cannot be told, and fails the gate, which is strict: 1 finding" in out
    told = json.loads(file.read_text())
    assert [finding["status"] for finding in told["findings"]] == ["unknown"]
    assert told["gate"]["unknown"] == {"high": 1} and told["gate"]["failed"] == {}
    assert scan(documents, "--fail-on", "critical", "--strict")[0] == 0  # it is high
    assert scan(documents, "--strict")[0] == 1  # alone it asks at every severity
    assert scan([vault("kv")], "--strict")[0] == 1
    assert scan(documents, "--strict", "--exit-zero")[0] == 0


def test_strict_by_configuration_and_in_every_readable_report(scan, tmp_path):
    configuration = tmp_path / "auditor.yaml"
    configuration.write_text("gate: {fail_on: high, strict: true}\n")
    for name in ("markdown", "markdown-summary", "html"):
        code, out, _ = scan([vault("kv"), undecided("kv")], "-c", str(configuration), "-f", name)
        assert code == 1
        assert re.search(
            "Gate failed .at or above high; strict: what cannot be told counts.*1 high cannot be told", out
        )


def test_what_could_not_be_told_before_is_known_to_a_strict_gate(scan, tmp_path):
    before = tmp_path / "before.json"
    scan([vault("kv"), undecided("kv"), vault("old")], "-f", f"json={before}")
    known = ("--strict", "--baseline", str(before))
    assert scan([vault("kv"), undecided("kv"), vault("old")], *known)[0] == 0
    code, out, err = scan([vault("kv"), vault("old"), undecided("old")], *known)
    assert (code, "Gate failed: 1 new high; --fail-on" in err) == (1, True)  # it fails now, which nobody knew
    assert "1 new, 0 known" in out  # what failed and cannot be told now is neither
    code, _, err = scan([vault("kv"), undecided("kv"), vault("two"), undecided("two")], *known)
    assert (code, "Gate failed: 1 new high that cannot be told" in err) == (1, True)


@pytest.mark.parametrize("options", [(), ("--fail-on", "high"), ("--strict",)])
def test_nothing_to_judge_is_never_a_pass(scan, options):
    code, _, err = scan([], *options)
    assert (code, "Nothing to judge: no resource that the auditor knows is in Terraform code." in err) == (3, True)
    assert "Gate passed" not in err
    assert scan([], *options, "--exit-zero")[0] == 0


@pytest.mark.parametrize("options", [("--fail-on", "high"), ("--strict",), ()])
def test_no_rule_to_judge_by_is_never_a_pass(scan, options):
    code, _, err = scan([vault("kv")], "--ignore", "*", *options)
    assert (code, "Nothing to judge: no rule is chosen." in err, "passed" in err) == (3, True, False)
    code, _, err = scan([vault("kv")], "--select", "entra-*", "--ignore", "keyvault-*", *options)
    assert (code, "Nothing to judge: no rule is chosen, and" in err, "passed" in err) == (3, True, False)
    assert "rules cannot be asked of Terraform code." in err


def test_what_passes_only_since_nobody_knows_is_counted(scan):
    documents = [vault("kv"), undecided("kv")]
    _, _, err = scan(documents, "--fail-on", "high")
    assert "no failure at or above high; 1 finding there cannot be told, which --strict counts." in err
    assert "cannot be told" not in scan(documents, "--fail-on", "critical")[2]


def test_filters_that_leave_nothing_are_no_pass(scan):
    assert scan([vault("kv")], "--fail-on", "high", "--type", "Microsoft.Web/sites")[0] == 2


def test_a_plan_without_azure_is_no_pass(tmp_path, capsys):
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps({"format_version": "1.2", "planned_values": {"root_module": {}}, "configuration": {}}))
    assert main(["scan", str(plan), "--fail-on", "high"]) == 3
    assert "Nothing to judge: no resource that the auditor knows is in a Terraform plan." in capsys.readouterr().err


@pytest.mark.parametrize("name", ["console", "markdown", "markdown-summary", "html"])
def test_a_file_is_neither_a_tenant_nor_a_subscription(scan, name):
    _, out, _ = scan([vault("kv")], "-f", name, source="terraform-plan")
    head = out[: out.find("keyvault-audit-logs")] if name == "markdown-summary" else out
    assert "Only what is in a Terraform plan is judged: what is made elsewhere is not known." in head
    for lie in ("Tenant", "0 subscriptions", "1 subscription,", "100 %", "100%</dd>", "planned read", "Read as",
                "Reads answered", "this estate", "0 sent", ">not recorded", "| not recorded"):  # fmt: skip
        assert lie not in head, lie


def test_what_of_a_file_could_not_be_read_leaves_the_gate_open(scan):
    lost = {"id": f"{GROUP}/providers/Microsoft.KeyVault/vaults/lost", "type": "Microsoft.KeyVault/vaults",
            "$unknown": {"reason": "main.tf is broken"}}  # fmt: skip
    code, out, err = scan([lost], "--fail-on", "low")
    assert (code, "Incomplete: 1 of 1 inputs could not be read; --max-unassessed allows 0." in err) == (3, True)
    assert "1 part not readable" in out


def test_what_fails_a_strict_gate_is_plain_in_every_format_for_machines(scan):
    documents = [vault("kv"), undecided("kv"), vault("two", line=9)]
    said = "Cannot tell for kv: "
    lenient = {name: scan(documents, "-f", name)[1] for name in ("sarif", "junit", "github", "gitlab")}
    strict = {name: scan(documents, "-f", name, "--strict")[1] for name in lenient}
    for name in ("sarif", "github", "gitlab"):
        assert said not in lenient[name].replace("could not be told", ""), name
        assert strict[name].count(said) == 1, name
        assert "The gate is strict, so it fails for this." in strict[name], name
    (run,) = json.loads(strict["sarif"])["runs"]
    told = {result["properties"].get("status", "fail"): result for result in run["results"]}
    assert told["unknown"]["locations"][0]["physicalLocation"]["region"]["startLine"] == 7
    assert told["unknown"]["partialFingerprints"] != told["fail"]["partialFingerprints"]
    assert "1 of them is a result here, since the gate is strict" in strict["sarif"]
    assert 'failures="1" errors="0" skipped="1"' in lenient["junit"]
    assert 'failures="2" errors="0" skipped="0"' in strict["junit"]
    assert 'type="unknown"' in strict["junit"]
    assert "could not be told" in lenient["github"] and "could not be told" not in strict["github"]


def test_what_lies_elsewhere_is_not_called_unread(scan):
    away = undecided("kv")
    properties = away["value"][0]["properties"]
    properties["logs"] = [{"category": "AzurePolicyEvaluationDetails", "enabled": True}]
    evidence = json.loads(scan([vault("kv"), away], "-f", "json")[1])["findings"][0]["evidence"]
    assert evidence["settings"][0]["destinations"][0].endswith("/w (not in what was scanned)")
    assert evidence["destinations_not_in_what_was_scanned"] and "destinations_not_read" not in evidence
    for name in ("markdown", "html"):
        out = scan([vault("kv"), away], "-f", name)[1]
        assert "not readable)" not in out and "not read:" not in out
        assert "answered from the logs that are set here" in out and "time not recorded" not in out


@pytest.mark.parametrize("name", ["markdown", "html", "csv"])
def test_a_subscription_that_a_file_does_not_tell_is_not_made_up(tmp_path, capsys, name):
    template = tmp_path / "t.json"
    vaulted = {"type": "Microsoft.KeyVault/vaults", "apiVersion": "2023-07-01", "name": "kv", "properties": {}}
    schema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
    template.write_text(json.dumps({"$schema": schema, "contentVersion": "1.0.0.0", "resources": [vaulted]}))
    main(["scan", str(template), "-f", name])
    out = capsys.readouterr().out
    assert "subscription not told" in out
    assert not re.search("[>|,] ?00000000-0000-0000-0000-000000000000 ?[<|,]", out)


def test_what_could_not_be_read_is_told_where_only_failures_are(tmp_path, capsys):
    (tmp_path / "main.tf").write_text('resource "azurerm_key_vault" "kv" {\n  name = \n')
    said = "1 of 1 inputs could not be read"
    for name in ("sarif", "github", "azure-pipelines"):
        assert main(["scan", str(tmp_path), "-f", name, "--fail-on", "high"]) == 3
        told = capsys.readouterr()
        assert said in told.out and f"Incomplete: {said};" in told.err


def test_each_unknown_has_a_code_and_the_way_out(capsys):
    main(["scan", str(APP), "-f", "json"])
    told = [why for f in json.loads(capsys.readouterr().out)["findings"] for why in f["why_unknown"]]
    codes = {why["code"].partition("(")[0]: why["grant"] for why in told if why["code"]}
    assert codes["plan-suffix-lost"].startswith("--source-root ")
    assert "state" in codes["known-after-apply"]
    assert codes["not-in-input"] == "scan Azure itself"
    assert not [why for why in told if why["reason"].endswith(": not read")]
    for name, way in (("console", "--source-root"), ("markdown", "--source-root with"), ("html", "--source-root with")):
        main(["scan", str(APP), "-f", name])
        out = capsys.readouterr().out
        assert re.search(f"plan-suffix-lost.*{way}", out), name
        assert "No read failed" not in out and "permission and collection gaps" not in out


def test_an_input_that_sets_no_log_at_all_reads_as_one_line(scan):
    documents = [vault(f"kv-{number:02}", line=number + 2) for number in range(12)]
    said = "No log is set on anything here: 12 findings of 1 rule about 12 resources fail for that"
    assert said in " ".join(scan(documents)[1].split())
    assert said in scan(documents, "-f", "markdown-summary")[1]
    whole = scan(documents, "-f", "markdown")[1]
    assert whole.count(f"**{said}.**") == 2  # in the summary, and over the rules that fail for it
    assert "2 more in the JSON" in whole and whole.index("fail for nothing else") < whole.index("`keyvault-audit-logs`")
    page = scan(documents, "-f", "html")[1]
    assert (
        f"<p class=warn>{said}." in page
        and f"<h3 class=part>Rules that fail since no log is set</h3>\n<p>{said}." in page
    )
    (run,) = json.loads(scan(documents, "-f", "sarif")[1])["runs"]
    assert len(run["results"]) == 1
    assert run["results"][0]["message"]["text"].startswith(f"{said}. The gravest: kv-00 ")
    assert scan(documents, "-f", "github")[1].count("::error") == 1
    assert len(json.loads(scan(documents, "-f", "json")[1])["findings"]) == 12
    code, _, err = scan(documents, "--fail-on", "high")
    assert (code, "Gate failed: 12 high" in err) == (1, True)


@pytest.mark.parametrize("more", [10, 11])
def test_few_findings_or_any_setting_are_told_one_by_one(scan, more):
    documents = [vault(f"kv-{number:02}", line=number + 2) for number in range(more)]
    documents += [undecided("kv-00")] if more > 10 else []
    assert "No log is set on anything" not in scan(documents, "-f", "html")[1]
    (run,) = json.loads(scan(documents, "-f", "sarif")[1])["runs"]
    assert len(run["results"]) == 10


def _plan(folder):
    values = {"name": "kv", "location": "westeurope", "resource_group_name": "rg"}
    vaulted = {"address": "azurerm_key_vault.kv", "mode": "managed", "type": "azurerm_key_vault", "name": "kv",
               "values": values}  # fmt: skip
    told = {"format_version": "1.2", "planned_values": {"root_module": {"resources": [vaulted]}}, "configuration": {}}
    (folder / "plan.json").write_text(json.dumps(told))
    return "plan.json"


def _code(folder):
    written = 'name = "kv"\n  location = "westeurope"\n  resource_group_name = "rg"\n'
    (folder / "infra").mkdir()
    (folder / "infra/main.tf").write_text(f'resource "azurerm_key_vault" "kv" {{\n  {written}}}\n')
    return "infra"


def _template(folder):
    resource = {"type": "Microsoft.KeyVault/vaults", "apiVersion": "2023-07-01", "name": "kv", "location": "westeurope"}
    schema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
    told = {"$schema": schema, "contentVersion": "1.0.0.0", "resources": [resource]}
    (folder / "azuredeploy.json").write_text(json.dumps(told))
    return "azuredeploy.json"


@pytest.mark.parametrize("made", [_plan, _code, _template])
def test_the_gate_works_alike_for_every_kind_of_file(made, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795305600")  # 2026-11-22
    words = ["scan", made(tmp_path), "--select", "keyvault-audit-logs"]
    assert main([*words, "--fail-on", "high", "-f", "json=before.json"]) == 1
    assert main([*words, "--fail-on", "critical"]) == 0
    assert main([*words, "--fail-on", "high", "--baseline", "before.json"]) == 0
    accepted = {"rule": "keyvault-audit-logs", "scope": "*/vaults/kv", "reason": "Lab", "approved_by": "T",
                "created": "2026-11-01", "expires": "2027-03-31"}  # fmt: skip
    (tmp_path / "acceptances.yaml").write_text(json.dumps([accepted]))
    capsys.readouterr()
    assert main([*words, "--fail-on", "high", "--acceptances", "acceptances.yaml"]) == 0
    assert "1 accepted" in capsys.readouterr().out

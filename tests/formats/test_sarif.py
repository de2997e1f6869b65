"""SARIF 2.1.0: valid by its schema and by Microsoft's validator, and what GitHub makes of it."""

import json
import os
import subprocess
from pathlib import Path

import jsonschema
import pytest
from coded import CAP, ID, RULE, at, coded_report, found

from auditor.formats import sarif
from auditor.report import fingerprint

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((Path(__file__).parent / "schemas" / "sarif-schema-2.1.0.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft4Validator(SCHEMA, format_checker=jsonschema.FormatChecker())
MULTITOOL = ROOT / "node_modules" / "@microsoft" / "sarif-multitool-linux" / "Sarif.Multitool"


def run_of(report):
    told = json.loads(sarif.render(report))
    VALIDATOR.validate(told)
    assert len(told["runs"]) == 1
    return told["runs"][0]


def results(report):
    return run_of(report)["results"]


def physical(result):
    return result["locations"][0]["physicalLocation"]


@pytest.fixture(scope="module")
def coded():
    return run_of(coded_report())


def test_the_schema_is_the_one_that_refuses():
    told = json.loads(sarif.render(coded_report()))
    told["runs"][0]["results"][0]["level"] = "high"
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(told)


@pytest.mark.parametrize("name", ["realistic", "empty", "hostile"])
def test_every_report_meets_the_schema(name, request):
    run_of(request.getfixturevalue(name))


def test_microsofts_validator_and_its_github_rules_have_nothing_to_say(tmp_path, hostile):
    if not MULTITOOL.exists():
        missing = "the SARIF validator is not installed: run scripts/test_tools.sh to test with it"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    files = {"coded": coded_report(), "hostile": hostile}
    for name, report in files.items():
        (tmp_path / f"{name}.sarif").write_text(sarif.render(report), encoding="utf-8")
    golden = ROOT / "examples" / "contoso" / "reports" / "contoso-dev.sarif"
    done = subprocess.run(
        [MULTITOOL, "validate", *(f"{name}.sarif" for name in files), golden, "--rule-kind", "Sarif;Ghas"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"},
    )  # fmt: skip
    assert "3 files scanned" in done.stdout, done.stdout + done.stderr
    said = [line for line in done.stdout.splitlines() if "warning " in line or "error " in line]
    # The project has no address on the web that could be named; a made-up version is none.
    assert [line for line in said if "'informationUri'" not in line and "hostile.sarif" not in line] == []
    assert not any(": error" in line for line in said)


def test_failures_are_results_the_gravest_first_and_nothing_else_is(coded):
    told = [(r["level"], r["ruleId"], physical(r)["artifactLocation"]["uri"]) for r in coded["results"]]
    assert told == [
        ("error", RULE.id, "infra/prod/main.tf"),  # critical
        ("error", RULE.id, "infra/prod/main.tf"),
        ("error", RULE.id, "infra/prod/modules/net/main.tf"),
        ("note", CAP.id, "infra/prod/main.tf"),
    ]
    assert {r["kind"] for r in coded["results"]} == {"fail"}
    for result in coded["results"]:
        assert coded["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]


def test_a_result_is_on_the_lines_of_its_block(coded):
    one = coded["results"][1]
    assert physical(one)["region"] == {"startLine": 12, "endLine": 20}
    assert [place["fullyQualifiedName"] for place in one["locations"][0]["logicalLocations"]] == [
        "azurerm_key_vault.one",
        f"{ID}kv-one",
    ]
    assert set(one["partialFingerprints"]) == {"auditor/v1"}
    assert one["properties"]["findings"] == [fingerprint(RULE.id, f"{ID}kv-one")]


def test_instances_of_a_block_are_one_result(coded):
    each = coded["results"][0]
    assert each["message"]["text"] == (
        "kv-b sends no AuditEvent log to any destination that exists. Written in the same place, 2 more fail: kv-a, kv-c."
    )
    assert each["properties"] == {
        "severity": "critical",
        "severityBecause": "it is prod",
        "findings": [fingerprint(RULE.id, f"{ID}kv-{name}") for name in "bac"],
    }


def test_instances_without_a_line_are_one_result_that_keeps_its_fingerprint():
    def block(*names):
        return results(
            coded_report([found(n, origin=at(None, f'module.net["{n}"].azurerm_key_vault.v')) for n in names])
        )

    (one,) = block("a", "b")
    for names in ("a", "b"), ("c",), ("a", "b", "c"):
        assert block(*names)[0]["partialFingerprints"] == one["partialFingerprints"]
    assert one["partialFingerprints"]["primaryLocationLineHash"] == one["partialFingerprints"]["auditor/v1"] + ":1"
    assert physical(one)["region"] == {"startLine": 1}


def test_blocks_of_one_address_have_fingerprints_of_their_own():
    same = [found(name, origin=at(line, "[parameters('name')]")) for name, line in (("a", 3), ("b", 9))]
    keys = [r["partialFingerprints"]["auditor/v1"] for r in results(coded_report(same))]
    assert len(set(keys)) == 2
    moved = [found(name, origin=at(line, "[parameters('name')]")) for name, line in (("a", 13), ("b", 19))]
    assert keys == [r["partialFingerprints"]["auditor/v1"] for r in results(coded_report(moved))]


def test_a_moved_block_keeps_its_own_fingerprint():
    before, after = (results(coded_report([found("kv", origin=at(n, "azurerm_key_vault.kv"))]))[0] for n in (3, 33))
    assert before["partialFingerprints"] == after["partialFingerprints"]


def test_what_could_not_be_told_is_a_notification_with_its_reason(coded):
    (invocation,) = coded["invocations"]
    assert invocation["executionSuccessful"] is True
    first, of_rule = invocation["toolExecutionNotifications"]
    assert first["message"]["text"] == "1 finding could not be told, and is no result here."
    assert of_rule["associatedRule"]["id"] == RULE.id
    assert (
        of_rule["message"]["text"] == f"{RULE.id} could not be told for 1: var.workspace is known after the apply (1)"
    )


def test_a_rule_says_all_that_github_shows(coded):
    rule = coded["tool"]["driver"]["rules"][0]
    assert rule["name"] == "KeyvaultAuditLogs"
    assert rule["shortDescription"]["text"] == RULE.title
    assert rule["properties"] == {
        "precision": "high",
        "security-severity": "8.0",
        "tags": ["security", "azure", "logging", "T1555.006"],
    }
    assert rule["helpUri"] == RULE.references[0]
    assert '```sh\naz monitor diagnostic-settings create --resource "<id>"\n```' in rule["help"]["markdown"]
    assert "Open `<name>`." in rule["help"]["text"]
    assert "kv-one" not in json.dumps(rule)


def test_uploads_of_different_inputs_do_not_replace_each_other():
    kinds = [
        coded_report(),
        coded_report(root="infra/dev"),
        coded_report(source="bicep"),
        coded_report([found("kv", origin=at(1, "a", file="dev.plan.json"))], root="", source="terraform-plan"),
        coded_report([found("kv", origin=at(1, "a", file="prod.plan.json"))], root="", source="terraform-plan"),
    ]
    ids = [run_of(report)["automationDetails"]["id"] for report in kinds]
    assert len(set(ids)) == len(ids)
    assert all(one.startswith("auditor/") and one.endswith("/") for one in ids)


def test_a_resource_that_no_file_makes_is_apart_from_every_other(realistic):
    told = results(realistic)
    keys = {
        (r["ruleId"], physical(r)["artifactLocation"]["uri"], r["partialFingerprints"]["primaryLocationLineHash"])
        for r in told
    }
    assert len(keys) == len(told) == sum(finding.status == "fail" for finding in realistic.findings)
    assert all(key[1].startswith(("subscriptions/", "providers/")) or "/" in key[1] for key in keys)


def test_what_a_plan_does_not_name_is_in_the_plan():
    (first, second) = results(
        coded_report([found("a", origin=at(7, "x.a", file="plan.json")), found("b")], root="", source="terraform-plan")
    )
    assert physical(first)["artifactLocation"] == physical(second)["artifactLocation"] == {"uri": "plan.json"}
    assert first["partialFingerprints"] != second["partialFingerprints"]


@pytest.mark.parametrize(
    ("file", "root", "uri"),
    [
        pytest.param("main.tf", "", "main.tf", id="as it is"),
        pytest.param("./a//b/../main.tf", "x/y", "x/y/a/main.tf", id="plain"),
        pytest.param("../../../etc/passwd", "x", "etc/passwd", id="never out of the folder"),
        pytest.param("/builds/x/main.tf", "infra", "builds/x/main.tf", id="never absolute"),
        pytest.param("C:\\builds\\x.tf", "infra", "C%3A/builds/x.tf", id="nor on Windows"),
        pytest.param("a b/ü#?%.tf", "", "a%20b/%C3%BC%23%3F%25.tf", id="encoded"),
        pytest.param("a\\b.tf", "", "a/b.tf", id="backslash"),
        pytest.param("..", "", "unknown", id="nothing left"),
    ],
)
def test_files_are_relative_addresses(file, root, uri):
    (told,) = results(coded_report([found("kv", origin=at(1, "a", file=file))], root=root))
    assert physical(told)["artifactLocation"]["uri"] == uri


def test_no_more_than_github_keeps_and_the_rest_is_counted():
    findings = [found(f"kv-{n}", severity="critical" if n > 5000 else "low") for n in range(5003)]
    run = json.loads(sarif.render(coded_report(findings)))["runs"][0]
    assert [r["properties"]["severity"] for r in run["results"]] == ["critical"] * 2 + ["low"] * 4998
    assert run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"] == (
        "3 results left out: only the gravest 5,000 are here."
    )


def test_a_name_cannot_become_a_link_or_fill_the_file():
    (told,) = results(
        coded_report([found("x", message="[here](https://evil.example)" + "n" * 9000, origin=at(1, "a"))])
    )
    assert told["message"]["text"].startswith("[here] (https")
    assert len(told["message"]["text"]) <= 1000


def test_an_interrupted_collection_is_not_told_as_a_success(hostile):
    (invocation,) = run_of(hostile)["invocations"]
    assert invocation["executionSuccessful"] is False

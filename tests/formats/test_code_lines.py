"""From real code to a gate's outputs: every failure is on the line that begins the block which its address names."""

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import jsonschema
import pytest

from auditor.cli import main

SOURCES = Path(__file__).parents[1] / "sources"
SCHEMA = json.loads((Path(__file__).parent / "schemas" / "sarif-schema-2.1.0.json").read_text(encoding="utf-8"))
TEMPLATE = """{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "resources": [
    {
      // one vault, and no setting
      "type": "Microsoft.KeyVault/vaults",
      "apiVersion": "2023-07-01",
      "name": "kv-template",
      "properties": {}
    }
  ]
}
"""


@pytest.fixture
def repository(tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    (tmp_path / "infra" / "app").mkdir(parents=True)
    (tmp_path / "arm").mkdir()
    (tmp_path / "infra" / "app" / "main.tf").write_bytes((SOURCES / "terraform" / "app.tf").read_bytes())
    (tmp_path / "arm" / "vault.json").write_text(TEMPLATE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def scan(target, capsys, *more):
    formats = [word for name in ("sarif", "gitlab", "junit") for word in ("-f", f"{name}=out.{name}")]
    assert main(["scan", target, *more, "-q", "-f", "github", *formats, "--fail-on", "high"]) == 1
    run = json.loads(Path("out.sarif").read_text())
    jsonschema.validate(run, SCHEMA, cls=jsonschema.Draft4Validator)
    return run["runs"][0], json.loads(Path("out.gitlab").read_text()), capsys.readouterr().out.splitlines()


def test_terraform_code(repository, capsys):
    run, quality, annotations = scan("infra/app", capsys)
    lines = (repository / "infra" / "app" / "main.tf").read_text().splitlines()
    placed = set()
    for result in run["results"]:
        place = result["locations"][0]
        region = place["physicalLocation"]["region"]
        address = place["logicalLocations"][0]["fullyQualifiedName"]
        kind, name = re.fullmatch(r"(?:data\.)?(\w+)\.(\w+)(?:\[.+\])?", address).groups()
        assert place["physicalLocation"]["artifactLocation"] == {"uri": "infra/app/main.tf"}
        assert lines[region["startLine"] - 1].startswith(f'resource "{kind}" "{name}"'), address
        assert lines[region["endLine"] - 1] == "}"
        placed.add((result["ruleId"], region["startLine"]))
    assert len(placed) == len(run["results"]) > 30
    assert run["automationDetails"]["id"] == "auditor/terraform/infra-app/"
    assert {(one["check_name"], one["location"]["lines"]["begin"]) for one in quality} == placed
    assert {one["location"]["path"] for one in quality} == {"infra/app/main.tf"}
    assert all(
        re.match(r"::(error|warning|notice) file=infra/app/main\.tf,line=\d+,endLine=\d+,", a) for a in annotations[:-1]
    )
    cases = [case for case in ET.parse("out.junit").iter("testcase") if case.find("failure") is not None]
    assert {(case.get("classname"), int(case.get("line"))) for case in cases} == placed


def test_a_plan_with_its_code(repository, capsys):
    (repository / "plan.json").write_bytes((SOURCES / "terraform" / "app.plan.json").read_bytes())
    for target in ("plan.json", str(repository / "plan.json")):
        run, _, _ = scan(target, capsys, "--source-root", "infra/app")
        lines = (repository / "infra" / "app" / "main.tf").read_text().splitlines()
        files = {}
        for result in run["results"]:
            place = result["locations"][0]["physicalLocation"]
            files.setdefault(place["artifactLocation"]["uri"], []).append(place["region"]["startLine"])
        assert set(files) <= {"infra/app/main.tf", "plan.json"}
        assert len(files["infra/app/main.tf"]) > 30
        assert all(re.match(r'(resource|module) "', lines[line - 1]) for line in files["infra/app/main.tf"])


def test_a_template(repository, capsys):
    run, _, annotations = scan("arm/vault.json", capsys)
    lines = TEMPLATE.splitlines()
    told = {result["ruleId"]: result["locations"][0] for result in run["results"]}
    place = told["keyvault-audit-logs"]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "arm/vault.json"}
    assert lines[place["region"]["startLine"] - 1].strip() == "{"
    assert lines[place["region"]["endLine"] - 1].strip() == "}"
    assert (place["region"]["startLine"], place["region"]["endLine"]) == (5, 11)
    assert annotations[0].startswith("::error file=arm/vault.json,line=5,endLine=11,")

"""Modules that are not on disk: what they make is not judged, and that is told."""

from __future__ import annotations

import pytest
from hcl_code import PROVIDER, SETTING, VAULT, WORKSPACE, write

from auditor.cli import main
from auditor.sources import open_file
from auditor.sources.ways import Ways

pytestmark = pytest.mark.usefixtures("in_process")
BASE = PROVIDER + WORKSPACE + VAULT + SETTING


def call(name, source, extra=""):
    return f'module "{name}" {{\n  source = "{source}"\n{extra}}}\n'


def told(folder, text, **more):
    """What is not assessed of a configuration, as (code, file, line), and what is said on the way."""
    said = []
    collection = open_file(write(folder, {"main.tf": text, **more}), Ways(notice=said.append))
    unread = [(d["$unknown"]["code"], d["$origin"]["file"], d["$origin"].get("line"))
              for d in collection.documents if "$unknown" in d]  # fmt: skip
    return unread, said


def test_each_is_something_not_assessed_and_one_note_names_them(tmp_path):
    text = call("kv", "Azure/example/azurerm", '  version = "1.0"\n') + call("net", "git::https://example.com/net.git")
    unread, said = told(tmp_path, text + BASE)
    assert unread == [
        ("remote-module(Azure/example/azurerm)", "main.tf", 1),
        ("remote-module(git::https://example.com/net.git)", "main.tf", 5),
    ]
    (note,) = said
    assert "module.kv (main.tf:1), module.net (main.tf:5)" in note
    assert "terraform init" in note


def test_a_gate_does_not_pass_what_it_could_not_look_into(tmp_path, capsys):
    write(tmp_path, {"main.tf": BASE})
    gated = ["scan", str(tmp_path), "--fail-on", "low", "--select", "keyvault-audit-logs"]
    assert main(gated) == 0
    write(tmp_path, {"more.tf": call("kv", "Azure/example/azurerm")})
    assert main(gated) == 3
    assert main([*gated, "--max-unassessed", "1"]) == 0
    write(tmp_path, {"main.tf": PROVIDER})
    assert main([*gated, "--max-unassessed", "1"]) == 3
    assert "Nothing to judge" in capsys.readouterr().err


@pytest.mark.parametrize(
    "source", ["Azure/naming/azurerm", "Azure/avm-utl-regions/azurerm//modules/x", "terraform-aws-modules/vpc/aws"]
)
def test_one_that_makes_nothing_in_azure_is_none(tmp_path, source):
    assert told(tmp_path, call("x", source) + BASE) == ([], [])


def test_one_that_is_not_called_is_none(tmp_path):
    assert told(tmp_path, call("x", "Azure/example/azurerm", "  count = 0\n") + BASE) == ([], [])


def test_one_of_several_instances_is_told_once(tmp_path):
    unread, _ = told(tmp_path, call("x", "Azure/example/azurerm", '  for_each = toset(["a", "b"])\n') + BASE)
    assert unread == [("remote-module(Azure/example/azurerm)", "main.tf", 1)]


def test_a_folder_that_is_missing_is_named_with_another_way_out(tmp_path):
    collection = open_file(write(tmp_path, {"main.tf": call("x", "./modules/x") + BASE}))
    (why,) = [d["$unknown"] for d in collection.documents if "$unknown" in d]
    assert why["code"] == "remote-module(./modules/x)"
    assert "init" not in why["grant"]


def test_one_that_was_fetched_is_read(tmp_path):
    fetched = {
        ".terraform/modules/modules.json": '{"Modules":[{"Key":"x","Source":"s","Dir":".terraform/modules/x"}]}',
        ".terraform/modules/x/main.tf": 'output "a" {\n  value = 1\n}\n',
    }
    assert told(tmp_path, call("x", "Azure/example/azurerm") + BASE, **fetched) == ([], [])

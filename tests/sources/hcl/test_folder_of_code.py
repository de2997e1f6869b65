"""Folders of Terraform code: what the code decides is judged like a plan, what it does not stays unknown."""

from __future__ import annotations

from pathlib import Path

import pytest
from hcl_code import PROVIDER, SETTING, VAULT, WORKSPACE, findings, statuses, write

from auditor.documents import DIAGNOSTIC_SETTINGS, SUBSCRIPTION
from auditor.sources import open_file

PLANS = Path(__file__).parents[1] / "terraform"


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """The configuration of which the plan beside it was made."""
    root = tmp_path_factory.mktemp("app")
    write(root, {"app.tf": (PLANS / "app.tf").read_text(), "m/kv/main.tf": (PLANS / "module" / "main.tf").read_text()})
    return open_file(root)


def test_a_folder_has_findings_with_the_right_file_and_line(tmp_path):
    collection = open_file(write(tmp_path, {"main.tf": PROVIDER + VAULT + WORKSPACE}))
    assert collection.run.source == "terraform"
    (found,) = findings(collection)
    assert (found.status, found.subject.name) == ("fail", "kv-a")
    origin = found.subject.origin
    assert (origin.file, origin.line, origin.address) == ("main.tf", 5, "azurerm_key_vault.a")
    assert statuses(open_file(write(tmp_path, {"log.tf": SETTING}))) == {"azurerm_key_vault.a": "pass"}


def test_code_is_judged_as_its_plan_is_and_tells_more(app):
    planned = statuses(open_file(PLANS / "app.plan.json"))
    coded = statuses(app)
    assert coded.keys() == planned.keys()
    told = {address for address in planned if planned[address] != coded[address]}
    assert told == {"azapi_resource.kv2"}  # a body as text, of which a plan shows nothing
    assert coded["azapi_resource.kv2"] == "pass"


def test_code_yields_the_ids_of_its_plan(app):
    def ids(collection):
        # Which subscription a data source stands for, only a plan knows.
        return {d["id"] for d in collection.documents if d["type"] not in (DIAGNOSTIC_SETTINGS, SUBSCRIPTION)}

    assert ids(open_file(PLANS / "app.plan.json")) == ids(app)


def test_suffixes_that_a_plan_loses_are_read(app):
    by_name = {f.subject.name: f.status for f in findings(app, "storage-blob-access-logs")}
    assert by_name == {"stapp/blob": "pass", "steach/blob": "pass"}
    by_name = {f.subject.name: f.status for f in findings(app, "storage-queue-access-logs")}
    assert by_name == {"stapp/queue": "fail", "steach/queue": "pass"}
    assert [f.status for f in findings(app, "sql-server-auditing")] == ["pass"]

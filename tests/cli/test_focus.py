"""Filters by resource group, tag and type on the command line, in the configuration, and in what a run says of itself."""

from __future__ import annotations

import json

import pytest

from auditor.cli import main
from auditor.documents import Focus
from auditor.emulator import running
from auditor.sources import open_file, snapshot

VAULTS = "Microsoft.KeyVault/vaults"


@pytest.fixture(scope="module")
def saved(tmp_path_factory, collection):
    file = tmp_path_factory.mktemp("focus") / "contoso.zip"
    snapshot.write(file, collection)
    return file


@pytest.fixture
def scanned(tmp_path, monkeypatch, capsys, saved):
    monkeypatch.chdir(tmp_path)

    def scan(*arguments):
        code = main(["scan", str(saved), *arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return scan


@pytest.fixture
def azure(contoso, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, value in contoso.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AUDITOR_CONFIG", str(contoso.config_file))


def test_every_format_says_that_it_is_a_part(scanned, tmp_path):
    outputs = [f"-f={name}={name}" for name in ("console", "markdown", "markdown-summary", "html", "json")]
    code, _, err = scanned("--type", VAULTS, *outputs)
    assert code == 0
    report = json.loads((tmp_path / "json").read_text())
    left_out = report["run"]["left_out"]
    assert report["run"]["focus"] == [{"types": [VAULTS]}]
    assert {finding["subject"]["type"] for finding in report["findings"]} == {VAULTS}
    told = f"Only a part of the estate is judged (type {VAULTS}): {left_out:,} resources are left out."
    for name in ("console", "markdown", "markdown-summary", "html"):
        text = " ".join((tmp_path / name).read_text().split()).replace("\\", "")
        assert told in text, name
    assert f"filtered: {left_out:,} resources left out" in err


def test_without_filters_nothing_is_said_of_them(scanned):
    _, out, _ = scanned()
    assert "left out" not in out


def test_filters_come_from_the_configuration_and_flags_outrank_them(scanned, tmp_path):
    (tmp_path / "auditor.yaml").write_text("scope: {types: [Microsoft.KeyVault], exclude_tags: [env=nowhere]}\n")
    scanned("-f=json=a")
    scanned("-f=json=b", "--type", "Microsoft.Network/virtualNetworks")
    focus = [json.loads((tmp_path / name).read_text())["run"]["focus"] for name in "ab"]
    assert focus == [
        [{"types": ["Microsoft.KeyVault"], "exclude_tags": ["env=nowhere"]}],
        [{"types": ["Microsoft.Network/virtualNetworks"], "exclude_tags": ["env=nowhere"]}],
    ]


@pytest.mark.parametrize(
    ("arguments", "error", "hint"),
    [
        (
            ["--type", "Microsoft.KeyVault/vualts"],
            "no resource has such a type",
            "did you mean microsoft.keyvault/vaults",
        ),
        (["-g", "rg-nowhere-at-all"], "no resource has such a resource group", "there are "),
        (["--tag", "=x"], "--tag: '=x' has no key", "key or key=value"),
        (["--type", VAULTS, "--exclude-type", VAULTS], "no resource meets all of", "leave a filter out"),
    ],
)
def test_a_filter_that_chooses_nothing_ends_with_2_and_near_misses(scanned, arguments, error, hint):
    code, out, err = scanned(*arguments)
    assert (code, out) == (2, "")
    assert error in err
    assert hint in err


def test_a_snapshot_remembers_its_filters_and_takes_more(azure, tmp_path, capsys):
    assert main(["collect", "-o", "part.zip", "--type", "Microsoft.KeyVault", "-q"]) == 0
    run = open_file(tmp_path / "part.zip").run
    assert run.focus == (Focus(types=("Microsoft.KeyVault",)),)
    assert run.narrowed
    assert run.left_out > 100
    capsys.readouterr()
    assert main(["scan", "part.zip", "--type", VAULTS]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert f"(type Microsoft.KeyVault; and type {VAULTS})" in out


def test_the_doctor_counts_by_resource_group(tmp_path, monkeypatch, capsys):
    guid = "aaaaaaaa-0000-4000-8000-000000000001"
    known = [{"id": f"/subscriptions/{guid}", "type": "Microsoft.Resources/subscriptions", "displayName": "One"}]
    known += [
        {"id": f"/subscriptions/{guid}/resourceGroups/{group}/providers/{VAULTS}/kv-{n}", "type": VAULTS,
         "name": f"kv-{n}", "properties": {}}
        for group in ("rg-app", "rg-web") for n in range(10)
    ]  # fmt: skip
    estate = tmp_path / "estate.json"
    estate.write_text(json.dumps({"format": 1, "tenant": {"id": guid}, "documents": known}))
    monkeypatch.chdir(tmp_path)
    with running(estate) as emulator:
        for name, value in emulator.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AUDITOR_CONFIG", str(emulator.config_file))
        main(["doctor", "-f", "json", "-g", "RG-*", "--exclude-resource-group", "rg-web"])
        told = json.loads(capsys.readouterr().out)["estimate"]
        main(["doctor", "-g", "rg-app"])
        text = " ".join(capsys.readouterr().out.split())
    assert (told["resources"], told["judged"], told["at_most"]) == (20, 10, False)
    assert "for 20 resources, 10 of them to be judged" in text


def test_the_doctor_estimates_what_filters_leave(azure, tmp_path, capsys):

    def estimate(*arguments):
        main(["doctor", "-f", "json", *arguments])
        return json.loads(capsys.readouterr().out)["estimate"]

    whole, vaults, tagged, group, storage = (
        estimate(*arguments)
        for arguments in (
            [], ["--type", VAULTS], ["--type", VAULTS, "--tag", "env"], ["-g", "rg-logging", "--type", VAULTS],
            ["--type", "Microsoft.Storage"],
        )
    )  # fmt: skip
    assert whole["judged"] is None
    assert 0 < vaults["judged"] < whole["resources"]
    assert vaults["reads"] < whole["reads"]
    assert (vaults["at_most"], tagged["at_most"]) == (False, True)
    assert (group["judged"], group["at_most"]) == (vaults["judged"], True)  # too many groups to count by
    assert storage["reads"] == whole["reads"]  # logs can be sent there: all are asked whether they do

"""Bicep: compiled by whatever compiler is there, judged with the lines of the Bicep code.

No compiler is on the machines that these tests run on. `bicep` below is a small script that prints the checked-in
template beside the code, which is written as the compiler documents its output.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from auditor.applicable import applicable
from auditor.assemble import assemble
from auditor.errors import SourceError
from auditor.judge import judge
from auditor.rule import load_rules
from auditor.sources import open_file
from auditor.sources.arm import bicep
from auditor.sources.arm.bicep_source import masked, read
from auditor.sources.ways import Ways

HERE = Path(__file__).parent / "bicep"
RULE = [rule for rule in load_rules() if rule.id == "keyvault-audit-logs"]
FAKE = """#!{python}
import json, pathlib, sys
word, *options, file = sys.argv[1:]
assert options == ["--stdout", "--no-restore"], options
file = pathlib.Path(file)
{body}
"""
PRINTS = """
compiled = file.with_suffix(".json").read_text()
if word == "build-params":
    compiled = json.dumps({"templateJson": compiled, "parametersJson": json.dumps(
        {"parameters": {"prefix": {"value": "app"}, "workspaceId": {"value": ""}}})})
print(compiled)
"""


@pytest.fixture
def fake(tmp_path):
    def made(body=PRINTS):
        path = tmp_path / "bicep"
        path.write_text(FAKE.format(python=sys.executable, body=body))
        path.chmod(0o755)
        return str(path)

    return made


def places(collection):
    report = judge(assemble(collection), applicable(RULE, collection.run.source))
    return {
        f.subject.name: (f.status, Path(f.subject.origin.file).relative_to(HERE).as_posix(), f.subject.origin.line)
        for f in report.findings
    }


EXPECTED = {
    "[parameters('prefix')]-kv": ("pass", "main.bicep", 8),
    "[parameters('prefix')]-audited": ("unknown", "modules/vault.bicep", 7),  # if workspaceId is not empty
    "[parameters('prefix')]-bare": ("fail", "modules/vault.bicep", 7),
}


def test_bicep_is_judged_with_the_lines_of_its_own_code(fake):
    collection = open_file(HERE / "main.bicep", Ways(bicep=fake()))
    assert collection.run.source == "bicep"
    assert places(collection) == EXPECTED
    accepted = {d.get("name"): [r["line"] for r in d["$accept"]] for d in collection.documents if d.get("$accept")}
    assert accepted == {"[parameters('prefix')]-audited": [5], "[parameters('prefix')]-bare": [5]}


def test_lines_are_found_by_symbolic_names_too(fake):
    collection = open_file(HERE / "main.bicep", Ways(bicep=fake(PRINTS.replace(".json", ".symbolic.json", 1))))
    assert places(collection) == EXPECTED


def test_a_file_of_bicep_parameters_is_compiled_with_its_template(fake, tmp_path):
    (tmp_path / "main.bicepparam").write_text("using './main.bicep'\nparam prefix = 'app'\n")
    for name in ("main.bicep", "main.json"):
        (tmp_path / name).write_text((HERE / name).read_text())
    documents = open_file(tmp_path / "main.bicepparam", Ways(bicep=fake())).documents
    vaults = {d["name"]: d["$origin"].get("line") for d in documents if d["type"] == "Microsoft.KeyVault/vaults"}
    assert vaults["app-kv"] == 8
    assert {Path(d["$origin"]["file"]).name for d in documents if "$origin" in d} == {"main.bicep"}


def test_without_a_compiler_the_way_out_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("AZURE_CONFIG_DIR", str(tmp_path))
    with pytest.raises(SourceError, match="there is no `bicep` on PATH") as error:
        open_file(HERE / "main.bicep")
    assert "--bicep PATH" in error.value.hint
    with pytest.raises(SourceError, match="there is no such program"):
        open_file(HERE / "main.bicep", Ways(bicep=str(tmp_path / "none")))


def test_the_compilers_first_error_is_ours(fake):
    body = 'print(f"WARNING: x\\n{file}(12,5) : Error BCP057: The name \\"y\\" does not exist.", file=sys.stderr); sys.exit(1)'
    with pytest.raises(SourceError, match=r"main\.bicep:12: it does not compile: BCP057"):
        open_file(HERE / "main.bicep", Ways(bicep=fake(body)))
    body = f'print(f"{{file}}(1,1) : Error BCP190: The artifact with reference {"br:x"} has not been restored.", file=sys.stderr); sys.exit(1)'
    with pytest.raises(SourceError) as error:
        open_file(HERE / "main.bicep", Ways(bicep=fake(body)))
    assert error.value.hint == "fetch its modules first: bicep restore main.bicep"


@pytest.mark.parametrize("printed", ["", "[]", "{}", "not json", "\x00"])
def test_what_is_no_template_is_no_result(fake, printed):
    with pytest.raises(SourceError):
        open_file(HERE / "main.bicep", Ways(bicep=fake(f"sys.stdout.write({printed!r})")))


def test_a_compiler_that_hangs_is_stopped(fake):
    with pytest.raises(SourceError, match="did not end"):
        bicep.run(HERE / "main.bicep", "build", fake("import time; time.sleep(60)"), limit=0.3)


def test_code_is_told_from_texts_and_comments(tmp_path):
    path = tmp_path / "x.bicep"
    path.write_text(
        "var a = '''\nresource no 'A.B/c@1' = {\n'''\r\n"
        "var b = 'x${concat('}', '{ // no')}y' // yes\n"
        "/* resource no 'A.B/c@1' = {\n*/\n"
        "resource all 'A.B/c@1' = [for x in y: if (x == '}') {\n"
        "  name: 'n${x}'\n"
        "  resource part 'd' existing = {\n"
        "    name: 'z'\n"
        "  }\n"
        "}]\n"
        "resource open 'A.B/c@1' = {\n"
    )
    code = read(path, "x.bicep")
    told = [(s.symbol, s.what, s.line, s.end, s.existing, s.name) for s in code.statements]
    assert told == [
        ("all", "A.B/c", 7, 12, False, ("n", "x")),
        ("part", "A.B/c/d", 9, 11, True, ("z",)),
        ("open", "A.B/c", 13, 14, False, ()),
    ]
    assert [line for line, _ in code.comments] == [4, 5]
    assert masked("'${'${'${")[0].strip() == "'"


def test_the_checked_in_templates_are_whole():
    for name in ("main.json", "main.symbolic.json"):
        assert json.loads((HERE / name).read_text())["metadata"]["_generator"]["name"] == "bicep"

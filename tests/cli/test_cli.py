"""The command line: exit codes, the last line, and what is said when something is wrong."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import CONTOSO

from auditor.catalog import catalog
from auditor.cli import main, tell
from auditor.cli.new_rule import rule_text
from auditor.cli.parser import AUTH_NAMES, CLOUD_NAMES, FORMAT_NAMES, SEVERITY_NAMES, build
from auditor.cli.progress import _plain, _summed
from auditor.cli.repository import root_of
from auditor.errors import AuditorError
from auditor.formats import FORMATS
from auditor.formats.rule_page import area_name
from auditor.report import SEVERITIES
from auditor.rule import area, load_rules, parse_rule, unfilled
from auditor.rule_mutants import survivors
from auditor.rule_tests import run_tests
from auditor.sources import snapshot
from auditor.sources.azure.cloud import AUTH_METHODS, CLOUDS
from auditor.sources.azure.progress import Progress

README = (CONTOSO.parents[1] / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def saved(collection, tmp_path_factory):
    file = tmp_path_factory.mktemp("contoso") / "contoso.snapshot"
    snapshot.write(file, collection)
    return str(file)


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    def call(*argv):
        code = main([str(word) for word in argv])
        out, err = capsys.readouterr()
        return code, out, err

    return call


LAST_LINE = re.compile(r"\d+ failed \(.*\), \d+ passed, \d+ unknown, \d+ not applicable · \d+\.\d % readable")


def test_a_scan_of_a_snapshot_ends_with_the_line_that_counts_everything(run, saved):
    code, out, _ = run("scan", saved)
    assert code == 0
    assert LAST_LINE.fullmatch(out.splitlines()[-1])


def test_the_words_of_the_parser_are_those_of_the_rooms():
    assert tuple(FORMATS) == FORMAT_NAMES
    assert SEVERITIES == SEVERITY_NAMES
    assert tuple(CLOUDS) == CLOUD_NAMES
    assert set(AUTH_METHODS) == set(AUTH_NAMES)


def test_a_gate(run, saved):
    code, _, err = run("scan", saved, "--fail-on", "critical", "--max-unassessed", "100%")
    assert code == 1
    assert re.search(r"Gate failed: \d+ critical; --fail-on is critical\.", err)
    assert run("scan", saved, "--fail-on", "critical", "--exit-zero")[0] == 0


def test_a_gate_that_could_not_look_does_not_pass(run, saved):
    only = ["--select", "resource-audit-logs-exported", "--fail-on", "critical"]
    code, _, err = run("scan", saved, *only)
    assert code == 3
    assert re.search(r"Incomplete: [\d,]+ of [\d,]+ reads failed; --max-unassessed allows 0\.", err)
    code, _, err = run("scan", saved, *only, "--max-unassessed", "10%")
    assert code == 0
    assert "Gate passed" in err


def test_a_gate_goes_by_the_severity_of_what_fails(run, saved, tmp_path):
    only = ["--select", "keyvault-audit-logs", "--fail-on", "critical", "--max-unassessed", "10%"]
    code, _, err = run("scan", saved, *only)
    assert code == 1
    assert "Gate failed: 1 critical; --fail-on is critical." in err  # the vault that is tagged so
    (tmp_path / "auditor.yaml").write_text("version: 1\nrules: {severity: {keyvault-audit-logs: high}}\n")
    assert run("scan", saved, *only, "-c", str(tmp_path / "auditor.yaml"))[0] == 0


def test_findings_outrank_incompleteness(run, saved):
    code, _, err = run("scan", saved, "--fail-on", "high")
    assert code == 1
    assert "Incomplete" in err and "Gate failed" in err


def test_without_a_gate_nothing_fails(run, saved):
    assert run("scan", saved)[0] == 0
    assert run("scan", saved, "--max-unassessed", "0")[0] == 3


def test_formats_go_where_they_are_told(run, saved, tmp_path):
    code, out, err = run("scan", saved, "-f", "json,html", "-f", "markdown-summary=deep/summary.md", "-o", "out/")
    assert code == 0
    assert out == ""
    assert LAST_LINE.search(err)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["findings.json", "report.html"]
    assert (tmp_path / "deep" / "summary.md").read_text().startswith("<!-- auditor:summary")


def test_one_format_goes_to_stdout(run, saved):
    code, out, _ = run("scan", saved, "-f", "json", "--select", "entra-*")
    assert code == 0
    assert {f["rule"] for f in json.loads(out)["findings"]} == {
        "entra-audit-logs",
        "entra-sign-in-logs",
        "entra-graph-activity-logs",
        "entra-federation-sign-in-logs",
        "entra-logs-retention",
        "entra-new-log-categories",
        "entra-provisioning-logs",
        "entra-risk-logs",
        "entra-logs-in-sentinel",
    }


def test_report_renders_from_the_findings_alone(run, saved, tmp_path):
    run("scan", saved, "-f", "json=findings.json", "-f", "html=a.html", "-f", "markdown=a.md")
    code, _, _ = run("report", "findings.json", "-f", "html=b.html", "-f", "markdown=b.md", "-f", "json=again.json")
    assert code == 0
    for one, two in (("a.html", "b.html"), ("a.md", "b.md"), ("findings.json", "again.json")):
        assert (tmp_path / one).read_bytes() == (tmp_path / two).read_bytes()


@pytest.fixture
def signed_in(contoso, monkeypatch):
    for name, value in contoso.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AUDITOR_CONFIG", str(contoso.config_file))


def test_collect_then_scan_gives_what_a_live_scan_gives(run, signed_in, tmp_path):
    assert run("collect", "-q", "-o", "contoso.snapshot")[0] == 0
    code, _, err = run("scan", "-q", "-f", "json=live.json")
    assert code == 0
    assert LAST_LINE.search(err)
    run("scan", "contoso.snapshot", "-f", "json=kept.json")
    live, kept = (json.loads((tmp_path / name).read_text()) for name in ("live.json", "kept.json"))
    for timed in (live, kept):
        timed["generated_at"] = timed["run"] = None
    assert live == kept


def test_one_subscription_by_name(run, signed_in):
    code, out, _ = run("scan", "-q", "-s", "contoso-shared", "-f", "json")
    assert code == 0
    told = json.loads(out)
    assert [s["name"] for s in told["subscriptions"]] == ["contoso-shared"]
    subject = {f["subject"]["id"] for f in told["findings"] if f["rule"] == "activity-log-exported"}
    assert len(subject) == 1


def test_all_but_some_subscriptions_by_flag_or_configuration(run, signed_in, contoso, tmp_path):
    unwanted = ("contoso-prod", "contoso-dev", "contoso-ma-legacy", "contoso-retired")
    by_flag = [word for name in unwanted for word in ("--exclude-subscription", name)]
    code, out, err = run("scan", "-q", "-f", "json", *by_flag)
    assert (code, err) == (0, "")
    assert [s["name"] for s in json.loads(out)["subscriptions"]] == ["contoso-shared"]
    (tmp_path / "scope.yaml").write_text(f"{contoso.configuration()}scope: {{exclude: [{', '.join(unwanted)}]}}\n")
    code, configured, _ = run("scan", "-q", "-f", "json", "-c", "scope.yaml")
    assert json.loads(configured)["findings"] == json.loads(out)["findings"]


def test_a_name_that_several_subscriptions_share_is_told(run, signed_in, monkeypatch):
    monkeypatch.setattr("auditor.sources.azure.inventory.namesakes", lambda *_: ["2 are called 'a\x1b[31m'"])
    code, _, err = run("scan", "-q", "-s", "contoso-shared", "-f", "json")
    assert code == 0
    assert err == "note: 2 are called 'a\ufffd[31m'\n"


def test_progress_is_on_stderr(run, signed_in):
    code, out, err = run("scan", "-s", "contoso-shared", "-f", "json")
    assert code == 0
    assert json.loads(out)
    assert "settings:" in err and "denied" in err


def test_an_unknown_subscription(run, signed_in):
    code, _, err = run("scan", "-q", "-s", "contoso-prd")
    assert code == 2
    assert "contoso-prd" in err
    assert "contoso-prod" in err.partition("hint:")[2]


def test_each_way_to_sign_in_has_a_line(capsys):
    tell(AuditorError("every way failed\n  EnvironmentCredential  no\x1b[2J"))
    assert capsys.readouterr().err == "error: every way failed\n  EnvironmentCredential  no\ufffd[2J\n"


def test_no_credentials(run):
    code, _, err = run("scan", "-q", "--auth", "environment")
    assert code == 4
    assert err.startswith("error: ")
    assert "hint: " in err


MISTAKES = [
    ("no such file", ["scan", "nope.snapshot"], "there is no such file", "hint:"),
    ("no such format", ["scan", "x", "-f", "pdf"], 'there is no format "pdf"', "console, controls"),
    ("several formats, no place", ["scan", "x", "-f", "json,html"], "2 formats, but one output", "-o out/"),
    ("-o is not az's", ["scan", "x", "-o", "json"], "-o names a file", "did you mean -f json?"),
    ("a rule misspelt", ["scan", "x", "--select", "keyvault-audit-log"], "no rule matches", "keyvault-audit-logs"),
    ("a profile misspelt", ["scan", "x", "--profile", "pci"], 'there is no profile "pci"', "pci-4.0.1"),
    (
        "a profile's file misspelt",
        ["rules", "list", "--profile", "my/pci.yaml"],
        "there is no such profile",
        "my/pci.yaml",
    ),
    ("no such folder of rules", ["scan", "x", "--rules", "nope"], "no such folder", ""),
    ("no such severity", ["scan", "x", "--fail-on", "hihg"], "invalid choice: 'hihg'", "--help"),
    ("a limit that is none", ["scan", "x", "--max-unassessed", "some"], "neither a number nor a percentage", "5%"),
    ("no such command", ["scna"], "invalid choice: 'scna'", "--help"),
    ("no such configuration", ["scan", "x", "-c", "nope.yaml"], "nope.yaml: the configuration cannot be read", ""),
    ("no such rule to show", ["rules", "show", "keyvault-logs"], "there is no rule", "keyvault-audit-logs"),
    ("no such type", ["rules", "new", "mine", "--resource", "Microsoft.KeyVault/vault"], "no resource type", "vaults"),
    ("no type at all", ["rules", "new", "mine", "--resource", "x: {y/z"], "no resource type", "as Azure does"),
    ("no such option", ["scan", "--fial-on", "high"], 'there is no option "--fial-on"', "did you mean --fail-on?"),
    ("two targets", ["scan", "a", "b"], 'one word too many: "b"', "auditor scan --help"),
    ("a place that cannot be", ["demo", "-q", "-o", "/dev/null"], "/dev/null: is a file", "folder"),
    ("no findings file", ["report", "nope.json"], "nope.json", ""),
    ("a snapshot into a folder", ["collect", "-o", "."], "is a folder", ""),
]


@pytest.mark.parametrize(("argv", "said", "hint"), [m[1:] for m in MISTAKES], ids=[m[0] for m in MISTAKES])
def test_a_mistake_gets_one_clear_error(run, argv, said, hint):
    code, out, err = run(*argv)
    assert code == 2
    assert out == ""
    assert err.startswith("error: ")
    assert said in err
    assert hint in err
    assert "Traceback" not in err


def test_a_file_of_another_kind(run, tmp_path):
    (tmp_path / "plan").write_text("hello")
    code, _, err = run("scan", "plan")
    assert code == 2
    assert "not a file the auditor knows" in err


def test_a_file_that_is_no_findings_file(run, tmp_path):
    (tmp_path / "x.json").write_text('{"schema_version": 99}')
    code, _, err = run("report", "x.json")
    assert code == 2
    assert "schema version 99, wanted 1" in err
    (tmp_path / "x.json").write_text("[1,2")
    assert run("report", "x.json")[0] == 2


def test_a_broken_rule_names_file_and_line(run, saved, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "my-rule.yaml").write_text("id: my-rule\ntitel: x\n")
    code, _, err = run("scan", saved, "--rules", folder)
    assert code == 2
    assert f'{folder / "my-rule.yaml"}:2: unknown key "titel"' in err
    assert 'hint: did you mean "title"?' in err


def test_a_mistake_in_the_configuration(run, saved, tmp_path):
    (tmp_path / "auditor.yaml").write_text("version: 1\ngate:\n  fail_onn: high\n")
    code, _, err = run("scan", saved)
    assert code == 2
    assert 'auditor.yaml:3: unknown key "fail_onn"' in err
    assert 'did you mean "fail_on"?' in err


def test_an_endpoint_without_tls_is_refused(run, tmp_path):
    (tmp_path / "auditor.yaml").write_text("endpoints: {resource_manager: 'http://127.0.0.1:8080'}\n")
    code, _, err = run("scan", "-q", "--auth", "environment")
    assert code == 2
    assert "https://" in err


def test_the_configuration_tunes_rules_and_flags_outrank_it(run, saved, tmp_path):
    (tmp_path / "auditor.yaml").write_text(
        "rules:\n  select: [workspace-retention]\n  severity: {workspace-retention: info}\n"
        "  params: {workspace-retention: {days: 7}}\ngate: {fail_on: info, max_unassessed: 100%}\n"
    )
    code, out, err = run("scan", saved, "-f", "json")
    told = json.loads(out)
    assert code == 0 and "Gate passed" in err
    assert [(r["id"], r["severity"], r["params"]["days"]) for r in told["rules"]] == [
        ("workspace-retention", "info", 7)
    ]
    assert run("scan", saved, "--select", "entra-*")[0] == 1
    (tmp_path / "auditor.yaml").write_text("rules: {params: {workspace-retention: {dais: 7}}}\n")
    code, _, err = run("scan", saved)
    assert code == 2 and 'there is no parameter "dais"' in err and "parameters: days" in err


def test_rules_list_counts_per_area_what_the_readme_counts(run):
    code, out, err = run("rules", "list")
    asked = [rule for rule in load_rules() if not rule.optional]
    optional = [rule for rule in load_rules() if rule.optional]
    assert code == 0 and sorted(line.split()[1] for line in out.splitlines()) == sorted(rule.id for rule in asked)
    told, left_out = err.splitlines()
    assert told.startswith(f"{len(asked)} rules of profile recommended: ")
    assert left_out.partition(": ")[2].split(", ") == sorted(rule.id for rule in optional)
    counts = dict(re.findall(r"^\| \[([^]]+)\]\(docs/rules/README\.md#\S+\) \| (\d+) \|", README, re.MULTILINE))
    for rule in optional:
        counts[area_name(area(rule))] = str(int(counts[area_name(area(rule))]) - 1)
    assert told.partition(": ")[2].split(", ") == [f"{number} {name}" for name, number in counts.items()]
    assert f"{len(load_rules())} rules in all, {len(optional)} of them optional." in README


def test_rules_show_test_new_schema(run, tmp_path):
    code, out, _ = run("rules", "show", "keyvault-audit-logs")
    assert code == 0 and out == (CONTOSO.parents[1] / "docs/rules/keyvault-audit-logs.md").read_text()
    code, _, err = run("rules", "new", "registry-sign-ins", "-o", "mine")
    assert code == 0 and "registry-sign-ins.yaml" in err
    code, out, err = run("rules", "test", "mine")
    assert (code, out) == (0, "3 passed, 0 failed\n")
    assert err == "warning: mine/registry-sign-ins.yaml: to be filled in (FILL-IN): rationale, blind_to\n"
    assert run("rules", "new", "registry-sign-ins", "-o", "mine")[0] == 2
    assert run("rules", "new", "Not_Kebab", "-o", "mine")[0] == 2
    code, out, _ = run("rules", "schema")
    assert code == 0 and out == (CONTOSO.parents[1] / "rules" / "rule.schema.json").read_text()


def test_a_failing_rule_test_exits_with_1(run, tmp_path):
    run("rules", "new", "mine", "-o", ".", "--resource", "microsoft.keyvault/VAULTS")
    file = tmp_path / "mine.yaml"
    file.write_text(file.read_text().replace("bare: fail", "bare: unknown").replace("denied: unknown", "denied: fail"))
    code, out, _ = run("rules", "test", ".")
    assert code == 1
    said = "bare: expected unknown, got fail\n    line 7: AuditEvent is not exported: no setting has it\n"
    assert said in out
    assert "denied: expected fail, got unknown\n    line 7: the settings are not known: the test says so\n" in out
    assert "FAILED mine: each category counts when it reaches a destination that is not gone  (mine.yaml:" in out


@pytest.mark.parametrize("kind", list(catalog()))
def test_a_rule_can_be_started_for_every_type_that_logs(kind):
    text = rule_text("my-rule", kind)
    rule = parse_rule(text, "my-rule.yaml")
    assert [outcome for outcome in run_tests(rule) if outcome.differences] == []
    tried, left = survivors(text, "my-rule.yaml")
    assert tried and left == []


def test_a_type_without_logs_gets_a_rule_about_its_properties():
    rule = parse_rule(rule_text("my-rule", "Microsoft.Sql/servers"), "my-rule.yaml")
    assert [o.differences for o in run_tests(rule)] == [()]
    assert unfilled(rule) == ["title", "message", "rationale", "remediation", "blind_to"]


def test_demo(run, tmp_path):
    code, out, _ = run("demo", "-q")
    assert code == 0
    for name in ("report.html", "report.md", "summary.md", "findings.json", "contoso.snapshot"):
        assert (tmp_path / "demo" / name).stat().st_size > 1000
        assert f"demo/{name}" in out
    assert LAST_LINE.fullmatch(out.splitlines()[-1])


def test_a_custom_rule_judges_contoso(run, saved, tmp_path):
    run("rules", "new", "registry-sign-ins", "-o", "mine")
    code, out, _ = run("scan", saved, "--rules", "mine", "--select", "registry-sign-ins", "-f", "json")
    assert code == 0
    assert {f["rule"] for f in json.loads(out)["findings"]} == {"registry-sign-ins"}


@pytest.mark.parametrize(
    "option", [["-s", "contoso-prod"], ["--management-group", "mg"], ["--tenant", "t"], ["--auth", "cli"]]
)
def test_a_file_is_judged_whole_and_what_would_narrow_it_is_refused(run, saved, option):
    code, out, err = run("scan", saved, *option)
    assert code == 2
    assert out == ""
    assert "judged whole" in err and "auditor collect" in err


def _bytes(*argv, **environ):
    done = subprocess.run(
        [sys.executable, "-m", "auditor", *argv], capture_output=True, check=False, cwd=CONTOSO.parents[1],
        env={**os.environ, **environ},
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr.decode()


@pytest.mark.parametrize(
    "environ",
    [{"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "cp1252"}, {"TERM": "dumb"},
     {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}],
    ids=lambda environ: ",".join(f"{k}={v}" for k, v in environ.items()),
)  # fmt: skip
def test_a_terminal_without_our_characters_gets_plain_ones(saved, environ):
    code, out, err = _bytes("scan", saved, **environ)
    assert (code, err) == (0, "")
    assert out.isascii()
    assert re.search(rb"^  #+\+*\.+\?+$", out, re.MULTILINE)
    assert _bytes("rules", "show", "keyvault-audit-logs", **environ)[0] == 0


def test_every_other_format_on_stdout_is_the_file_it_would_be(saved, tmp_path):
    assert _bytes("scan", saved, "-f", "html", "-o", f"{tmp_path}/a.html")[0] == 0
    code, out, _ = _bytes("scan", saved, "-f", "html", PYTHONIOENCODING="ascii")
    assert code == 0
    assert out == (tmp_path / "a.html").read_bytes()


def test_the_summary_fits_80_columns(run, saved):
    lines = run("scan", saved)[1].splitlines()[:-1]
    assert max(map(len, lines)) <= 80


def _imported(*argv):
    script = (
        "import sys\nfrom auditor.cli import main\n"
        f"main({list(argv)!r})\n"
        "print('|'.join(sorted({m.partition('.')[0] for m in sys.modules})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=CONTOSO.parents[1]
    )
    return set(done.stdout.splitlines()[-1].split("|"))


def test_the_version_starts_fast():
    assert not _imported("--version") & {"azure", "aiohttp", "jinja2", "rich", "yaml", "msgspec", "cryptography"}


def test_a_file_is_judged_without_the_azure_sdk(saved, tmp_path):
    loaded = _imported("scan", saved, "-f", f"json={tmp_path}/a.json", "-f", f"html={tmp_path}/a.html")
    assert (tmp_path / "a.html").exists()
    assert not loaded & {"azure", "aiohttp", "msal", "cryptography", "rich"}


def test_exit_codes_are_the_same_everywhere():
    readme = (CONTOSO.parents[1] / "README.md").read_text(encoding="utf-8")
    for line in build().epilog.splitlines()[1:]:
        code, meaning = line.split(maxsplit=1)
        assert f"| {code} | {meaning.split(';')[0].split(' at ')[0]}" in readme.replace("`", "")


def test_every_command_of_the_readme_exists():
    readme = (CONTOSO.parents[1] / "README.md").read_text(encoding="utf-8")
    commands = set(re.findall(r"^auditor ([a-z]+)", readme, re.MULTILINE))
    assert {"scan", "collect", "report", "rules"} <= commands
    known = build()._subparsers._group_actions[0].choices
    assert commands <= set(known)
    lines = "\n".join(line for line in readme.splitlines() if line.startswith("auditor ") or "`--" in line)
    for flag in set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", lines)):
        words = [w for p in known.values() for g in [p._subparsers] if g for w in g._group_actions[0].choices.values()]
        helped = " ".join(p.format_help() for p in [build(), *known.values(), *words])
        assert flag in helped, flag


def test_help_fits_80_columns(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = run("--help")
    assert code == 0
    assert max(len(line) for line in out.splitlines()) <= 90


def test_an_internal_error_is_told_as_one(run, saved, monkeypatch):
    monkeypatch.setattr("auditor.cli.run.judged", lambda *_, **__: 1 / 0)
    code, _, err = run("scan", saved)
    assert code == 5
    assert "a bug" in err and "Traceback" not in err


def test_ctrl_c(run, saved, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("auditor.cli.run.judged", interrupt)
    assert run("scan", saved)[0] == 130


def test_source_date_epoch_is_the_clock(run, saved, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1800000000")
    assert json.loads(run("scan", saved, "-f", "json")[1])["generated_at"] == "2027-01-15T08:00:00Z"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "soon")
    assert run("scan", saved)[0] == 2


def test_the_file_is_where_it_was_asked_for_or_not_at_all(run, saved, tmp_path):
    (tmp_path / "occupied").write_text("a file, not a folder")
    code, _, err = run("scan", saved, "-f", "json=occupied/findings.json")
    assert code == 2
    assert err.startswith("error: ")
    assert Path("occupied").read_text() == "a file, not a folder"


def test_a_device_stays_a_device(run, saved):
    import stat

    before = Path("/dev/null").stat()
    assert run("scan", saved, "-f", "json=/dev/null")[0] == 0
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    assert Path("/dev/null").stat().st_ino == before.st_ino


def test_a_file_for_another_command_is_told_which(run, saved, tmp_path):
    run("scan", saved, "-f", "json=findings.json")
    code, _, err = run("scan", "findings.json")
    assert code == 2 and "hint: auditor report findings.json" in err
    code, _, err = run("report", saved)
    assert code == 2 and f"hint: auditor scan {saved}" in err


def test_plain_progress_is_a_line_when_a_stage_ends_and_every_half_minute(capsys):
    times = iter([0, 10, 29, 31, 31, 40, 50])
    with _plain(lambda: next(times)) as show:
        for stage, done in (
            ("destinations", 0),
            ("destinations", 1),
            ("destinations", 2),
            ("destinations", 4),
            ("retention", 1),
        ):
            show(Progress(stage=stage, done=done, total=4, denied=1, throttled=0))
    assert [line.split("  ")[0] for line in capsys.readouterr().err.splitlines()] == [
        "destinations: 2 of 4",
        "destinations: 4 of 4",
        "retention: 1 of 4",
    ]


def test_a_stage_in_several_rounds_is_one_stage():
    told = []
    show = _summed(lambda progress: told.append((progress.stage, progress.done, progress.total)))
    for stage, done, total in (("a", 0, 2), ("a", 2, 2), ("b", 0, 1), ("a", 0, 1), ("a", 1, 1)):
        show(Progress(stage=stage, done=done, total=total, denied=0, throttled=0))
    assert told == [("a", 0, 2), ("a", 2, 2), ("b", 0, 1), ("a", 2, 3), ("a", 3, 3)]


def test_files_are_named_from_the_top_of_the_repository(tmp_path, monkeypatch):
    infra = tmp_path / "repo" / "infra"
    infra.mkdir(parents=True)
    monkeypatch.chdir(infra)
    assert root_of(infra) == "", "no repository, and where the command runs"
    (tmp_path / "repo" / ".git").write_text("gitdir: elsewhere\n")  # as in a worktree
    assert root_of(infra) == root_of(Path("plan.json")) == "infra"
    assert root_of(tmp_path) == "", "not below where the command runs"
    assert root_of(tmp_path / "repo") == ""


def test_a_plan_as_sarif_names_its_file_from_the_top_of_the_repository(run, tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    (tmp_path / "infra").mkdir()
    plan = CONTOSO.parents[1] / "tests" / "sources" / "terraform" / "app.plan.json"
    (tmp_path / "infra" / "plan.json").write_bytes(plan.read_bytes())
    monkeypatch.chdir(tmp_path / "infra")
    for name in ("plan.json", tmp_path / "infra" / "plan.json"):
        code, out, err = run("scan", name, "-f", "sarif", "--fail-on", "high", "--max-unassessed", "100%")
        told = json.loads(out)["runs"][0]["results"]
        assert code == 1 and "Gate failed" in err
        places = [place["physicalLocation"] for result in told for place in result["locations"]]
        assert {place["artifactLocation"]["uri"] for place in places} == {"infra/plan.json"}
        assert str(tmp_path) not in out

"""The places that a gate runs in: their files parse, their commands are ours, and no input becomes shell text."""

import json
import os
import re
import shlex
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from auditor.cli import main
from auditor.cli.output import Output
from auditor.cli.parser import build
from auditor.formats import FORMATS

ROOT = Path(__file__).parents[1]
PLAN = ROOT / "tests" / "sources" / "terraform" / "app.plan.json"
EXAMPLES = sorted((ROOT / "examples" / "ci").glob("*.y*ml"))
FILES = [ROOT / "action.yml", ROOT / "ci" / "azure-pipelines.yml", ROOT / "ci" / "gitlab.yml",
         ROOT / ".pre-commit-hooks.yaml", *EXAMPLES]  # fmt: skip
HOSTILE = ["$(touch pwned) `touch pwned`; touch pwned", "\" && touch pwned #\n' && touch pwned #", "-x a b"]


def read(file):
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def action_step(name):
    return next(step for step in read(ROOT / "action.yml")["runs"]["steps"] if step.get("name") == name)


def azure_step(name):
    return next(s for s in read(ROOT / "ci" / "azure-pipelines.yml")["steps"] if s.get("displayName") == name)


def scripts(value):
    """Every piece of shell text in a file."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("run", "bash") and isinstance(inner, str):
                yield inner
            elif key in ("script", "before_script") and isinstance(inner, list):
                yield from inner
            else:
                yield from scripts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from scripts(inner)


def commands(text):
    """The commands of the auditor in a shell text, with their continued lines, as words."""
    for line in text.replace("\\\n", " ").splitlines():
        found = re.search(
            r"(?:^|\s)(?:auditor|azure-logging-auditor|\"\$AUDITOR\") ((?:scan|report|rules|accept)\b.*)", line
        )
        if found:
            yield shlex.split(found[1].partition(" > ")[0])


def accepts(words):
    """The parser takes these words, and every format in them exists."""
    arguments, odd = build().parse_known_args(words)
    assert odd == [], words
    Output.parse(arguments.formats, arguments.output)
    return arguments


@pytest.fixture
def checkout(tmp_path):
    """A checkout with a plan in it, and the auditor where the install step puts it."""
    for name in ("code", "bin", "temp/azure-logging-auditor/bin"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "code" / "plan.json").write_bytes(PLAN.read_bytes())
    for place in (tmp_path / "bin", tmp_path / "temp/azure-logging-auditor/bin"):
        executable(place / "auditor", f'exec {shlex.quote(sys.executable)} -m auditor "$@"')
    return tmp_path


def executable(file, text):
    file.write_text(f"#!/bin/bash\n{text}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


def shell(text, checkout, **env):
    known = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(checkout)}
    file = checkout / "step.sh"
    file.write_text(text)
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", file],
        cwd=checkout / "code", env=known | env, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def github(checkout, **inputs):
    """The scan step of the action with these inputs; its result and outputs."""
    action = read(ROOT / "action.yml")
    step = action_step("Scan")
    env = {"BIN": str(checkout / "bin")}
    for name, value in step["env"].items():
        found = re.fullmatch(r"\$\{\{ inputs\.([\w-]+) \}\}", value)
        if found:
            env[name] = inputs.get(found[1].replace("-", "_"), action["inputs"][found[1]].get("default", ""))
    for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
        (checkout / name).write_text("")
        env[name] = str(checkout / name)
    done = shell(step["run"], checkout, **env)
    outputs = dict(line.split("=", 1) for line in (checkout / "GITHUB_OUTPUT").read_text().splitlines())
    return done, outputs


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_file_parses_and_no_shell_text_has_an_expression_in_it(file):
    for text in scripts(read(file)):
        assert "${{" not in text, "an input would become shell text: give it through the environment"
        assert subprocess.run(["bash", "-n"], input=text, text=True, check=False).returncode == 0


@pytest.mark.parametrize("file", FILES[:3], ids=lambda file: file.name)
def test_every_flag_of_a_script_that_builds_its_command_exists(file):
    lines = [line for text in scripts(read(file)) for line in text.splitlines() if "set -- " in line]
    flags = {flag for line in lines for flag in re.findall(r"(?<=\s)(?:--[a-z][a-z-]+|-f)\b", line)}
    assert len(flags) >= 4
    scan = build().parse_args(["scan"]).parser
    assert flags <= {option for action in scan._actions for option in action.option_strings}
    for name in {name for line in lines for name in re.findall(r"-f [\"]?([a-z-]+)\b", line)}:
        assert name in FORMATS


@pytest.mark.parametrize("file", [*EXAMPLES, ROOT / "examples" / "ci" / "README.md"], ids=lambda file: file.name)
def test_every_command_in_an_example_is_one_of_ours(file):
    text = file.read_text(encoding="utf-8")
    found = list(commands(text))
    if file.suffix == ".md":
        assert len(found) >= 5
    for words in found:
        accepts(words)


def test_the_readme_shows_commands_of_ours():
    text = (ROOT / "README.md").read_text(encoding="utf-8").partition("## In a pipeline")[2].partition("\n## ")[0]
    assert text
    for words in commands(text):
        accepts(words)


def test_the_action_judges_annotates_summarises_and_leaves_the_gate_to_its_last_step(checkout):
    done, outputs = github(checkout, path="plan.json", max_unassessed="100%")
    assert done.returncode == 0, done.stderr
    assert outputs == {"exit-code": "1", "sarif": "auditor.sarif", "findings": "auditor-findings.json"}
    assert all(line.startswith("::") for line in done.stdout.splitlines()), "nothing but annotations"
    assert "Gate failed: " in done.stderr
    assert json.loads((checkout / "code" / "auditor.sarif").read_text())["version"] == "2.1.0"
    assert (checkout / "GITHUB_STEP_SUMMARY").read_text().startswith("<!-- auditor:summary ")


def test_the_action_takes_every_input(checkout):
    (checkout / "code" / "accepted.yaml").write_text("[]\n")
    first, outputs = github(checkout, path="plan.json", findings_file="before.json")
    assert outputs["exit-code"] == "1", first.stderr
    done, outputs = github(
        checkout, path="plan.json", fail_on="low", max_unassessed="100%", baseline="before.json", acceptances="accepted.yaml",
        profile="recommended", sarif_file="out/my file.sarif", args="--ignore\n\nmachine-security-events\n",
    )  # fmt: skip
    assert outputs == {"exit-code": "0", "sarif": "out/my file.sarif", "findings": "auditor-findings.json"}, done.stderr
    assert json.loads((checkout / "code" / "out" / "my file.sarif").read_text())["runs"][0]["results"] == []


def test_an_input_of_the_action_is_never_a_command(checkout):
    for value in HOSTILE:
        done, outputs = github(checkout, path=value, profile=value, args=value, fail_on="high")
        assert outputs == {"exit-code": "2"}, done.stderr
    done, outputs = github(checkout, path="--help")
    assert outputs == {"exit-code": "2"}, "a path is never an option"
    assert not list(checkout.rglob("pwned"))


def test_a_sarif_file_of_an_earlier_run_is_not_uploaded_again(checkout):
    (checkout / "code" / "auditor.sarif").write_text("old")
    _, outputs = github(checkout, path="nowhere.json")
    assert outputs == {"exit-code": "2"}


def test_the_last_step_of_the_action_is_the_gate(checkout):
    steps = read(ROOT / "action.yml")["runs"]["steps"]
    assert steps[-1]["name"] == "Gate" and steps[-1]["if"] == "always()"
    for code, expected in (("0", 0), ("1", 1), ("3", 3), ("", 5)):
        assert shell(steps[-1]["run"], checkout, CODE=code).returncode == expected


def test_the_action_installs_itself_into_a_place_of_its_own(checkout):
    executable(checkout / "bin" / "python", 'mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; echo "$@" >> "$CALLS"')
    output, calls = checkout / "output", checkout / "calls"
    done = shell(
        action_step("Install the auditor")["run"], checkout, GITHUB_OUTPUT=str(output), SOURCE="/action dir",
        PLACE=str(checkout / "venv"), CALLS=str(calls), PATH=f"{checkout / 'bin'}:{os.environ['PATH']}",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert output.read_text() == f"bin={checkout / 'venv' / 'bin'}\n"
    assert calls.read_text().splitlines() == [
        f"-m venv {checkout / 'venv'}",
        "-m pip install --quiet --disable-pip-version-check /action dir",
    ]


def test_the_steps_for_azure_pipelines(checkout):
    step = azure_step("Scan")
    env = dict.fromkeys(step["env"], "") | {"AGENT_TEMPDIRECTORY": str(checkout / "temp")}
    done = shell(step["bash"], checkout, **env | {"WITH_TARGET": "plan.json", "WITH_FAIL_ON": "high",
                                                  "WITH_MAX_UNASSESSED": "100%"})  # fmt: skip
    out = checkout / "temp" / "auditor"
    assert done.returncode == 1, done.stderr
    assert all(line.startswith("##vso[task.") for line in done.stdout.splitlines())
    assert done.stdout.splitlines()[-1] == f"##vso[task.uploadsummary]{out / 'summary.md'}"
    assert sorted(file.name for file in out.rglob("*.*")) == [
        "auditor.sarif",
        "findings.json",
        "junit.xml",
        "summary.md",
    ]
    done = shell(step["bash"], checkout, **env | {"WITH_TARGET": "$(touch pwned)", "WITH_ARGS": "`touch pwned`"})
    assert done.returncode == 2
    assert not list(checkout.rglob("pwned"))


def test_the_azure_template_hands_on_every_parameter_and_the_example_gives_those_that_it_must():
    template = read(ROOT / "ci" / "azure-pipelines.yml")
    names = {parameter["name"]: parameter for parameter in template["parameters"]}
    text = (ROOT / "ci" / "azure-pipelines.yml").read_text(encoding="utf-8")
    assert set(re.findall(r"\$\{\{ parameters\.(\w+) \}\}", text)) == set(names)
    given = read(ROOT / "examples" / "ci" / "azure-pipelines.yml")["steps"][-1]["parameters"]
    assert {name for name, parameter in names.items() if "default" not in parameter} <= set(given) <= set(names)


def test_the_job_for_gitlab(checkout):
    job = read(ROOT / "ci" / "gitlab.yml")[".azure-logging-auditor"]
    env = {**job["variables"], "PATH": f"{checkout / 'bin'}:{os.environ['PATH']}"}
    done = shell(
        job["script"][0], checkout, **env | {"AUDITOR_TARGET": "plan.json", "AUDITOR_ARGS": "--max-unassessed\n100%"}
    )
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("Azure logging coverage")
    written = {file.name for file in (checkout / "code").iterdir()}
    assert {*job["artifacts"]["paths"], *job["artifacts"]["reports"].values()} <= written
    example = read(ROOT / "examples" / "ci" / "gitlab-ci.yml")["azure-logging"]["variables"]
    assert set(example) <= set(job["variables"])


def test_the_example_for_github_updates_the_comment_of_the_last_run(checkout):
    job = read(ROOT / "examples" / "ci" / "github-actions.yml")["jobs"]["audit"]
    uses = next(step for step in job["steps"] if "azure-logging-auditor" in step.get("uses", ""))
    assert set(uses["with"]) <= set(read(ROOT / "action.yml")["inputs"])
    assert main(["scan", str(PLAN), "-q", "-f", f"json={checkout / 'code' / 'auditor-findings.json'}"]) == 0
    (step,) = (step for step in job["steps"] if "run" in step)
    executable(checkout / "bin" / "gh", 'echo "$@" >> "$CALLS"; if [ "$2" = --paginate ]; then cat "$FOUND"; fi')
    env = {"PATH": f"{checkout / 'bin'}:{os.environ['PATH']}", "FINDINGS": "auditor-findings.json", "COMMENTS": "all",
           "ONE": "one", "AUDITOR": str(checkout / "bin" / "auditor"), "CALLS": str(checkout / "calls"),
           "FOUND": str(checkout / "found")}  # fmt: skip
    for found, expected in (("", "api --method POST all"), ("7\n8\n", "api --method PATCH one/7")):
        (checkout / "found").write_text(found)
        done = shell(step["run"], checkout, **env)
        assert done.returncode == 0, done.stderr
        assert (checkout / "calls").read_text().splitlines()[-1] == f"{expected} -F body=@summary.md --silent"
    assert (checkout / "code" / "summary.md").read_text().startswith("<!-- auditor:summary terraform-plan -->\n")


def test_the_hooks_call_what_there_is():
    hooks = {hook["id"]: hook for hook in read(ROOT / ".pre-commit-hooks.yaml")}
    for hook in hooks.values():
        program, *words = shlex.split(hook["entry"])
        assert program in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
        assert accepts([*words, *hook["args"]]).target == "."
        assert hook["pass_filenames"] is False and hook["require_serial"] is True
        assert re.search(hook["files"], "infra/main.tf") and not re.search(hook["files"], "docs/readme.md")
    assert re.search(hooks["azure-logging-auditor"]["files"], "infra/main.bicep")
    for hook in read(ROOT / "examples" / "ci" / "pre-commit-config.yaml")["repos"][0]["hooks"]:
        accepts(["scan", *hook["args"]])
        assert hook["id"] in hooks


def test_the_image_holds_what_the_wheel_needs_and_runs_without_rights():
    text = (ROOT / "Containerfile").read_text(encoding="utf-8")
    copied = {word for line in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE) for word in line.split()}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
    assert set(wheel) | {"pyproject.toml", "README.md", "LICENSE"} == copied
    assert all((ROOT / name).exists() for name in copied)
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert kept == copied
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", text, re.MULTILINE)
    assert json.loads(re.search(r"^ENTRYPOINT (.+)$", text, re.MULTILINE)[1]) == ["auditor"]
    last = text.rpartition("\nFROM ")[2]
    assert "pip install" not in last

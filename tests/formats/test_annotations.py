"""What GitHub Actions and Azure Pipelines read in a log: every line is one command, and all of it is ours."""

import re

import pytest
from coded import at, coded_report, found

from auditor.formats import renderer

GITHUB = re.compile(r"::(error|warning|notice)(?: ([^:]*))?::(.*)")
AZURE = re.compile(r"##vso\[task\.logissue ([^\]]*)\](.*)")


def github(report):
    """Kind, properties and text of each command, as the runner reads them."""
    told = []
    for line in renderer("github")(report).splitlines():
        kind, values, text = GITHUB.fullmatch(line).groups()
        pairs = dict(part.split("=", 1) for part in (values or "").split(",") if part)
        told.append((kind, {key: _decoded(value) for key, value in pairs.items()}, _decoded(text)))
    return told


def azure(report):
    told = []
    for line in renderer("azure-pipelines")(report).splitlines():
        values, text = AZURE.fullmatch(line).groups()
        told.append((dict(part.split("=", 1) for part in values.split(";") if part), text))
    return told


def _decoded(text):
    return re.sub("%(2C|3A|0A|0D|25)", lambda found: chr(int(found[1], 16)), text)


def test_github_shows_the_gravest_on_its_lines_first():
    told = github(coded_report())
    assert told[0] == (
        "error",
        {"file": "infra/prod/main.tf", "line": "30", "endLine": "30",
         "title": "keyvault-audit-logs: Key Vault audit events are exported"},
        "kv-b sends no AuditEvent log to any destination that exists. Written in the same place, 2 more fail: kv-a, kv-c.",
    )  # fmt: skip
    assert told[1][1]["endLine"] == "20"
    assert "line" not in told[2][1], "of a module only the file is known"
    assert told[3][:2] == (
        "notice",
        {
            "file": "infra/prod/main.tf",
            "line": "5",
            "endLine": "5",
            "title": "workspace-daily-cap: No cap stops the collection",
        },
    )
    assert told[4] == ("notice", {}, "Azure Logging Auditor: 1 finding could not be told. The report has all of it.")


def test_azure_pipelines_shows_the_same():
    told = azure(coded_report())
    assert told[0][0] == {
        "type": "error", "sourcepath": "infra/prod/main.tf", "linenumber": "30", "code": "keyvault-audit-logs",
    }  # fmt: skip
    assert [values["type"] for values, _ in told] == ["error", "error", "error", "warning", "warning"]


@pytest.mark.parametrize("read", [github, azure])
def test_no_more_than_are_shown_and_the_rest_is_counted(read):
    findings = [
        found(f"kv-{n}", origin=at(n + 1, f"v.k{n}"), severity=s) for n, s in enumerate(["high"] * 12 + ["low"] * 11)
    ]
    told = read(coded_report(findings))
    assert len(told) == 20
    assert told[-1][-1] == "Azure Logging Auditor: 4 more fail (2 high, 2 low). The report has all of it."


@pytest.mark.parametrize("name", ["github", "azure-pipelines"])
def test_nothing_that_fails_is_nothing_to_print(name, empty):
    assert renderer(name)(empty) == ""


@pytest.mark.parametrize("read", [github, azure])
def test_names_stay_inside_of_their_command(read, hostile):
    told = read(hostile)
    assert 0 < len(told) <= 20
    for *_, values, text in told:
        assert set(values) <= {"file", "line", "endLine", "title", "type", "sourcepath", "linenumber", "code"}
        assert len(text) <= 4000


def test_percent_signs_and_separators_are_encoded():
    report = coded_report(
        [found("x", origin=at(1, "a", file="a,b:c;d].tf"), message="100% of ::error::%0A x")], root=""
    )
    (line,) = renderer("github")(report).splitlines()
    assert "file=a%2Cb%3Ac;d].tf," in line and line.endswith("::100%25 of ::error::%250A x")
    (line,) = renderer("azure-pipelines")(report).splitlines()
    assert "sourcepath=a,b:c%3Bd%5D.tf;" in line and line.endswith("]100%AZP25 of ::error::%AZP250A x")


def test_what_no_file_makes_is_named_by_its_id(realistic):
    kind, values, text = github(realistic)[0]
    assert set(values) == {"title"}
    assert kind == "error" and re.search(r" \(/\S+\)$", text)

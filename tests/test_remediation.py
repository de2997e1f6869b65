"""Every remediation that a rule ships is read by a parser of its language, and says nothing that is no longer taken."""

import json
import re
import shlex
from collections.abc import Mapping
from itertools import pairwise
from string import Template

import hcl2
import pytest
from pycep import BicepParser
from remediation_words import AZ, GLOBAL, REMOVED_ARGUMENTS, REMOVED_RESOURCES

from auditor.catalog import known_category
from auditor.rule import PLACEHOLDERS, load_rules

FILLED = dict.fromkeys(PLACEHOLDERS, "example") | {
    "id": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Test/things/example", "location": "westeurope",
}  # fmt: skip
RULES = load_rules()
BICEP = BicepParser()


def written(way):
    """(rule id, text) of every remediation of a kind, filled in as a report does."""
    found = [(rule.id, rule.info.remediation[way]) for rule in RULES if way in rule.info.remediation]
    return [pytest.param(Template(text).safe_substitute(FILLED), id=rule_id) for rule_id, text in found]


# --- Azure CLI --------------------------------------------------------------------------------------------------------


def commands(text):
    """The words of each command of a script: shell comments, continuations, quotes, `;`, `&&` and `|` understood."""
    lexer = shlex.shlex(text.replace("\\\n", " "), posix=True, punctuation_chars=";|&\n")
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t\r", True, ""
    found, words = [], []
    for word in without_comments(lexer):
        if set(word) <= set(";|&\n"):
            found.append(words)
            words = []
        else:
            words.append(word)
    return [words for words in [*found, words] if words]


def without_comments(words):
    comment = False
    for word in words:
        if "\n" in word and set(word) <= set(";|&\n"):
            comment = False
        comment = comment or word.startswith("#")
        if not comment:
            yield word


def known(words):
    """The entry of the table that a command is, or None."""
    plain = []
    for word in words[1:]:
        if word.startswith("-"):
            break
        plain.append(word)
    for number in range(len(plain), 0, -1):
        if " ".join(plain[:number]) in AZ:
            return " ".join(plain[:number])
    return None


@pytest.mark.parametrize("text", written("cli"))
def test_az(text):
    script = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    for words in commands(script):
        assert words[0] == "az", f"not a command of az: {' '.join(words)}"
        command = known(words)
        assert command, f"look up `{' '.join(words[:6])}` and add it to tests/remediation_words.py"
        taken = GLOBAL | set(AZ[command].split())
        used = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
        assert used <= taken, f"`az {command}` is not known to take {sorted(used - taken)}; tests/remediation_words.py"


@pytest.mark.parametrize("text", written("cli"))
def test_logs_given_to_az_are_json_and_categories_exist(text):
    script = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    for words in commands(script):
        for option, value in pairwise(words):
            if option == "--logs":
                for log in json.loads(value):
                    assert isinstance(log["enabled"], bool)
                    assert "retentionPolicy" not in log
                    assert log.get("categoryGroup") in ("allLogs", "audit") or known_category(log["category"])


# --- Terraform --------------------------------------------------------------------------------------------------------


def resources(text):
    """(type, body) of each resource."""
    for block in hcl2.loads(text).get("resource", []):
        for kind, named in block.items():
            for body in named.values():
                yield kind.strip('"'), body


def keys(body, start=""):
    """The dotted path of every argument and block, a dynamic block under its own name."""
    for key, value in body.items():
        name = key.strip('"')
        for one in value if isinstance(value, list) else [value]:
            if name == "dynamic" and isinstance(one, Mapping):
                for label, inner in one.items():
                    yield start + label.strip('"')
                    for content in inner.get("content", []):
                        yield from keys(content, f"{start}{label.strip(chr(34))}.")
            else:
                yield start + name
                if isinstance(one, Mapping):
                    yield from keys(one, f"{start}{name}.")


@pytest.mark.parametrize("text", written("terraform"))
def test_terraform(text):
    for kind, body in resources(text):
        assert kind not in REMOVED_RESOURCES, f"azurerm {REMOVED_RESOURCES.get(kind)} has no {kind}"
        gone = {path: REMOVED_ARGUMENTS[kind][path] for path in keys(body) if path in REMOVED_ARGUMENTS.get(kind, {})}
        assert not gone, f"{kind}: removed in azurerm {gone}"


BAD_TERRAFORM = [
    ('resource "azurerm_monitor_diagnostic_setting" "x" {\n  log {\n    category = "A"\n  }\n}', {"log"}),
    ('resource "azurerm_monitor_diagnostic_setting" "x" {\n  enabled_log {\n    retention_policy {\n      days = 1\n    }\n  }\n}',
     {"enabled_log.retention_policy"}),
    ('resource "azurerm_monitor_diagnostic_setting" "x" {\n  dynamic "metric" {\n    for_each = []\n    content {\n      a = 1\n    }\n  }\n}',
     {"metric"}),
    ('resource "azurerm_network_watcher_flow_log" "x" {\n  network_security_group_id = "y"\n}', {"network_security_group_id"}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "gone"), BAD_TERRAFORM)
def test_what_azurerm_removed_is_found(text, gone):
    [(kind, body)] = resources(text)
    assert gone == set(keys(body)) & set(REMOVED_ARGUMENTS[kind])


# --- Bicep ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", written("bicep"))
def test_bicep(text):
    parsed = BICEP.parse(text=text)
    assert parsed.get("resources") or parsed.get("modules")
    for resource in parsed.get("resources", {}).values():
        assert re.fullmatch(r"[A-Za-z]+(\.[A-Za-z]+)+(/[A-Za-z]+)+", resource["type"]), resource["type"]
        assert re.fullmatch(r"20\d\d-\d\d-\d\d(-preview)?", resource["api_version"])
        if resource["type"].lower() == "microsoft.insights/diagnosticsettings":
            assert "retentionPolicy" not in str(resource["config"])
            logs = resource["config"].get("properties", {}).get("logs", [])
            for log in logs if isinstance(logs, list) else []:
                if isinstance(log, Mapping) and "category" in log and log["category"] != "category":
                    assert known_category(log["category"]), log["category"]


def test_what_is_not_bicep_is_refused():
    with pytest.raises(Exception, match=r"Unexpected|Expected"):
        BICEP.parse(text="resource x 'a/b@2020-01-01' = {\n  name: \n")


def test_az_scripts_are_read_as_a_shell_reads_them():
    text = "az a b --x 'one # two' \\\n  --y \"$Z\"\naz c --w=1 && az d; az e | az f\n"
    assert commands(text) == [
        ["az", "a", "b", "--x", "one # two", "--y", "$Z"], ["az", "c", "--w=1"], ["az", "d"], ["az", "e"], ["az", "f"],
    ]  # fmt: skip

"""The JSON schema of rule files, for editors; generated from the very types that read them."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from auditor.match import OPERATORS
from auditor.report import SEVERITIES, Report
from auditor.rule import VERBS
from auditor.rule_file import RuleFile

_CONDITION = {
    "description": "A plain value (text without regard to case), a list (one of), `$path`, operators, or nested lines.",
    "anyOf": [
        {"type": ["string", "number", "boolean", "null"]},
        {"type": "array", "items": {"type": ["string", "number", "boolean", "null"]}},
        {"$ref": "#/$defs/Operators"},
        {"$ref": "#/$defs/Match"},
    ],
}
_MATCH = {
    "description": "Lines of `path: condition`; all must hold. `any_of` takes a list of matches.",
    "type": "object",
    "minProperties": 1,
    "propertyNames": {"not": {"enum": list(OPERATORS)}},
    "properties": {"any_of": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/Match"}}},
    "additionalProperties": {"$ref": "#/$defs/Condition"},
}
_NUMBER = {"anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^\$[^$]"}]}
_OPERATORS = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": False,
    "properties": {
        **{name: {"$ref": "#/$defs/Condition"} for name in ("any", "all", "not", "count")},
        "present": {"type": "boolean"},
        "like": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
        "tagged": {
            "anyOf": [
                {"type": "array", "minItems": 1, "items": {"type": "string", "pattern": "="}},
                {"type": "string", "pattern": r"^\$[^$]"},
            ]
        },
        "at_least": _NUMBER,
        "at_most": _NUMBER,
    },
}


def rule_schema() -> str:
    """The schema as indented JSON text."""
    schema = msgspec.json.schema(RuleFile)
    definitions: dict[str, Any] = schema["$defs"]
    definitions |= {"Condition": _CONDITION, "Match": _MATCH, "Operators": _OPERATORS}
    match = {"$ref": "#/$defs/Match"}
    definitions["RuleFile"]["properties"]["where"] = match
    definitions["RuleFile"]["properties"]["id"]["pattern"] = "^[a-z0-9]+(-[a-z0-9]+)*$"
    definitions["RuleFile"]["required"].append("tests")
    require = definitions["RequireFile"]["properties"]
    require["match"] = match
    require["to"] = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}, match]}
    definitions["RequireFile"]["oneOf"] = [{"required": [verb]} for verb in VERBS]
    definitions["ExistsFile"]["properties"]["where"] = match
    definitions["SeverityFile"]["properties"]["where"] = match
    expect = definitions["TestFile"]["properties"]["expect"]
    expect["additionalProperties"]["pattern"] = f"^(pass|not-applicable|(fail|unknown)( ({'|'.join(SEVERITIES)}))?)$"
    return _text(schema, "Rule of the Azure Logging Auditor")


def findings_schema() -> str:
    """The schema of the findings file (`--format json`)."""
    schema = msgspec.json.schema(Report)
    schema["$defs"]["Report"]["properties"]["summary"] = {"type": "object", "description": "Sums, for readers."}
    return _text(schema, "Findings file of the Azure Logging Auditor")


def _text(schema: dict[str, Any], title: str) -> str:
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **schema}
    return json.dumps(whole, indent=2, sort_keys=False, ensure_ascii=False) + "\n"

"""Rules as they are written: the keys of a rule's file, and what each holds."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from auditor.report import BlindTo, Severity


class ExistsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`exists`: some other resource meets this."""

    resource: str
    where: dict[str, Any] | None = None


class RequireFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What must hold: exactly one of `logs` (with `to`), `alerts`, `exists`, `match`, `any_of`, `all_of`.

    `logs: exported` asks of whatever the resource exports that matters for security.
    """

    logs: list[str] | Literal["exported"] | None = None
    to: str | list[str] | dict[str, Any] | None = None
    alerts: list[str] | None = None
    exists: ExistsFile | None = None
    match: dict[str, Any] | None = None
    any_of: list[RequireFile] | None = None
    all_of: list[RequireFile] | None = None


class RemediationFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How to put it right, at least one way."""

    cli: str = ""
    bicep: str = ""
    terraform: str = ""
    portal: str = ""


class TestFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One test of a rule: resources in shorthand, and the status of every subject, with its severity if wanted."""

    __test__ = False

    name: str
    given: list[dict[str, Any]]
    expect: dict[str, str]
    params: dict[str, Any] = {}


class SeverityFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A subject that meets `where` is judged with another severity, `because` of what that says of it."""

    where: dict[str, Any]
    severity: Severity
    because: str


class RuleFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A rule as written: every resource of a type (where …) must …"""

    id: str
    title: str
    severity: Severity
    severity_when: list[SeverityFile] = []
    resource: str | list[str]
    where: dict[str, Any] | None = None
    per: list[str] | None = None
    require: RequireFile
    message: str = ""
    evidence: list[str] = []
    rationale: str
    remediation: RemediationFile
    blind_to: BlindTo | None = None
    frameworks: dict[str, list[str]] = {}
    references: list[str] = []
    params: dict[str, Any] = {}
    optional: bool = False
    tests: list[TestFile] = []

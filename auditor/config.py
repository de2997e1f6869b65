"""The configuration file: what to scan, which rules, when to fail. A flag outranks it; it holds no secrets."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from auditor.errors import AuditorError, RuleError
from auditor.profile import AcceptedDestinations
from auditor.report import Severity
from auditor.sources.azure.cloud import CLOUDS, Cloud, custom_cloud
from auditor.strict_yaml import convert, load

DEFAULT_NAME = "auditor.yaml"


class Endpoints(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a cloud answers: base URLs, and the audiences its tokens are for. What is not given stays the cloud's."""

    authority: str = ""
    resource_manager: str = ""
    graph: str = ""
    resource_manager_audience: str = ""
    graph_audience: str = ""
    storage_audience: str = ""
    storage_domains: list[str] = []


class ScopeFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to scan: everything the identity can see, unless narrowed; `exclude` names subscriptions to leave out.

    The last six choose what is judged of it.
    """

    tenant: str = ""
    subscriptions: list[str] = []
    exclude: list[str] = []
    management_group: str = ""
    resource_groups: list[str] = []
    exclude_resource_groups: list[str] = []
    tags: list[str] = []
    exclude_tags: list[str] = []
    types: list[str] = []
    exclude_types: list[str] = []


class RulesFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which rules judge, and with which parameters and severities."""

    folders: list[str] = []
    select: list[str] = []
    ignore: list[str] = []
    severity: dict[str, Severity] = {}
    params: dict[str, dict[str, Any]] = {}
    accepted_destinations: AcceptedDestinations = AcceptedDestinations()


class GateFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a run fails: at which severity, and how many reads may stay unknown (a number, or `5%`).

    `baseline` is an earlier findings file: what failed in it is known, and fails no more. With `strict`, what cannot
    be told fails the gate as well.
    """

    fail_on: Severity | None = None
    strict: bool = False
    max_unassessed: str | int | None = None
    baseline: str = ""


class CollectFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to read Azure."""

    auth: str = "auto"
    concurrency: int = 128
    inventory: Literal["graph", "arm"] = "graph"
    arm_batch: bool = False


class ReportFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How reports are headed, and which are written."""

    title: str = "Azure logging coverage"
    formats: list[str] = []


class Configuration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole configuration file (`auditor.yaml`)."""

    version: int = 1
    profile: str = ""
    cloud: str = "public"
    endpoints: Endpoints = Endpoints()
    scope: ScopeFile = ScopeFile()
    rules: RulesFile = RulesFile()
    acceptances: str = ""
    gate: GateFile = GateFile()
    collect: CollectFile = CollectFile()
    report: ReportFile = ReportFile()


def read_configuration(path: str | None, environ: Mapping[str, str] = os.environ) -> Configuration:
    """The configuration named by a flag or `AUDITOR_CONFIG`, else `auditor.yaml` here, else the defaults."""
    named = path or environ.get("AUDITOR_CONFIG")
    file = Path(named or DEFAULT_NAME)
    if not named and not file.is_file():
        return Configuration()
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise AuditorError(
            f"{file}: the configuration cannot be read: {reason}",
            "-c names it" if path else "AUDITOR_CONFIG names it",
        ) from None
    raw, lines = load(text, str(file))
    if raw is None:
        return Configuration()
    if not isinstance(raw, dict):
        raise RuleError(str(file), 1, "a configuration is a mapping of keys", "the README shows one")
    configuration = convert(raw, Configuration, lines, str(file))
    if configuration.version != 1:
        raise RuleError(str(file), lines.of(["version"]), "the version of a configuration is 1")
    cloud_of(configuration)
    return configuration


def cloud_of(configuration: Configuration, name: str | None = None) -> Cloud:
    """The cloud to talk to: one of the known ones, with the configured endpoints put in place of its own."""
    wanted = name or configuration.cloud
    if wanted not in CLOUDS:
        raise AuditorError(
            f'there is no cloud "{wanted}"', f"clouds: {', '.join(CLOUDS)}; or set endpoints in the configuration"
        )
    base, ends = CLOUDS[wanted], configuration.endpoints
    if ends == Endpoints():
        return base
    cloud = custom_cloud(
        resource_manager=ends.resource_manager or base.resource_manager,
        authority=ends.authority or base.authority,
        graph=ends.graph or base.graph,
        storage_domains=tuple(ends.storage_domains),
        base=base,
    )
    audiences = {
        field: getattr(ends, field) or getattr(base, field)
        for field in ("resource_manager_audience", "graph_audience", "storage_audience")
    }
    return msgspec.structs.replace(cloud, **audiences)


def unassessed_limit(text: str | int | None, planned: int) -> float | None:
    """How many reads may be unknown: `12`, or `5%` of those planned; None for no limit."""
    if text is None or text == "":
        return None
    word = str(text).strip()
    try:
        value = float(word.rstrip("%"))
    except ValueError:
        value = -1
    if not 0 <= value < float("inf") or (word.endswith("%") and value > 100):
        raise AuditorError(f'--max-unassessed: "{text}" is neither a number nor a percentage', "such as 0, 12 or 5%")
    return planned * value / 100 if word.endswith("%") else value

"""A rule's remediation, written for one subject."""

from __future__ import annotations

import re
from collections.abc import Mapping
from string import Template

from auditor.report import Finding, Subject

# A name is someone else's input, and a remediation is copied into a shell: only what can mean nothing there is filled
# in. Azure allows no more in the ids of the resources that are judged; anything else stays a placeholder.
_HARMLESS = re.compile(r"[A-Za-z0-9_./@ ,-]+")

_CODE = re.compile(r'(?:module\.[\w-]+(?:\[[^\]]*\])?\.)*((?:azurerm|azapi)_\w+\.[\w-]+(?:\[(?:\d+|"[\w./ -]+")\])?)')
_WHOLE_ID = re.compile(r'"\$id([^"$]*)"')
# What code has no resource for, so that it stands in the place of what it is a part of: resource → types of its parts.
_PARTS = {
    "azurerm_storage_account": "microsoft.storage/storageaccounts/",
    "azurerm_mssql_server": "microsoft.sql/servers/databases",
}


def remedies(finding: Finding, ways: Mapping[str, str], subscription_names: Mapping[str, str]) -> list[tuple[str, str]]:
    """Each way to mend a finding and its text; of what is written as code, the way of that code comes first."""
    code = written_as(finding.subject)
    ordered = sorted(ways.items(), key=lambda told: told[0] != code)
    return [(way, filled(_in_code(way, text, finding.subject), finding, subscription_names)) for way, text in ordered]


def written_as(subject: Subject) -> str:
    """The way of mending that fits the code which a subject is written in; empty where it is read from Azure."""
    if subject.origin is None:
        return ""
    return "terraform" if _CODE.fullmatch(subject.origin.address or "") else "bicep"


def _in_code(way: str, text: str, subject: Subject) -> str:
    """A text for Terraform that speaks of the resource as the code calls it, since its id is not known there."""
    found = _CODE.fullmatch((subject.origin and subject.origin.address) or "") if way == "terraform" else None
    if found is None:
        return text
    kind = _PARTS.get(found[1].partition(".")[0])
    part = "/".join(["", *subject.id.split("/")[-2:]]) if kind and subject.type.lower().startswith(kind) else ""
    if part and not _HARMLESS.fullmatch(part):
        return text

    def named(match: re.Match[str]) -> str:
        rest = part + match[1]
        return f'"$${{{found[1]}.id}}{rest}"' if rest else f"{found[1]}.id"

    return _WHOLE_ID.sub(named, text)


def filled(text: str, finding: Finding, subscription_names: Mapping[str, str]) -> str:
    """The text with `$id`, `$name`, `$location` … of a finding's subject; `$$X` is a variable for the reader to set."""
    subject = finding.subject
    missing = finding.evidence.get("missing")
    values = {
        "id": subject.id,
        "name": subject.name,
        "type": subject.type,
        "location": subject.location,
        "subscription": subject.subscription,
        "subscription_name": subscription_names.get(subject.subscription.lower(), ""),
        "resource_group": subject.resource_group,
        "missing": ", ".join(map(str, missing)) if isinstance(missing, list) else "",
    }
    known = {key: value for key, value in values.items() if _HARMLESS.fullmatch(value) and not value.startswith("-")}
    return Template(text).safe_substitute(known)

"""A rule's remediation, written for one subject."""

from __future__ import annotations

import re
from collections.abc import Mapping
from string import Template

from auditor.report import Finding

# A name is someone else's input, and a remediation is copied into a shell: only what can mean nothing there is filled
# in. Azure allows no more in the ids of the resources that are judged; anything else stays a placeholder.
_HARMLESS = re.compile(r"[A-Za-z0-9_./@ ,-]+")


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

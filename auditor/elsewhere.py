"""What a file does not hold, in words that are true of it: it was not left unread, it is elsewhere."""

from __future__ import annotations

from typing import Any

import msgspec

from auditor.inventory import Unknown
from auditor.report import Finding

_NOT_READ = ": not read"  # see facts/unread.py
_NOT_IN_IT = ": not in what was scanned"
_NOT_PUBLISHED = " is not published"  # what a category group contains: see facts/settings.py
_NOT_READABLE = " (not readable)"  # of a destination: see judge.py
_ELSEWHERE = " (not in what was scanned)"
_KEYS = {"destinations_not_read": "destinations_not_in_what_was_scanned"}


def of_file(finding: Finding) -> Finding:
    """What a file has no document of is elsewhere, and Azure itself would tell."""
    return msgspec.structs.replace(
        finding,
        message=_reworded(finding.message),
        why_unknown=[_elsewhere(why) for why in finding.why_unknown],
        evidence={_KEYS.get(key, key): _told(value) for key, value in finding.evidence.items()},
    )


def _elsewhere(why: Unknown) -> Unknown:
    if why.code or not why.reason.endswith((_NOT_READ, _NOT_PUBLISHED)):
        return why
    return msgspec.structs.replace(why, reason=_reworded(why.reason), code="not-in-input", grant="scan Azure itself")


def _reworded(text: str) -> str:
    return f"{text.removesuffix(_NOT_READ)}{_NOT_IN_IT}" if text.endswith(_NOT_READ) else text


def _told(value: Any) -> Any:
    if isinstance(value, str):
        if value.startswith("unknown: "):
            return _reworded(value)
        return f"{value.removesuffix(_NOT_READABLE)}{_ELSEWHERE}" if value.endswith(_NOT_READABLE) else value
    if isinstance(value, dict):
        return {key: _told(inner) for key, inner in value.items()}
    return [_told(inner) for inner in value] if isinstance(value, list) else value

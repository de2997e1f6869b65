"""What exists once, and of which a file therefore hardly sets all logs: subscriptions and tenants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from auditor import documents as d
from auditor.facts.offers import Groups
from auditor.facts.settings import setting_facts, unread_settings
from auditor.inventory import LogSetting, Unknown

ONCE: Final = frozenset(kind.lower() for kind in (d.SUBSCRIPTION, d.ENTRA, d.INTUNE))
_ELSEWHERE: Final = Unknown(reason="settings made elsewhere than in this file may export it")


def with_others(
    resource_id: str,
    offers: frozenset[str],
    groups: Groups,
    settings: tuple[LogSetting, ...],
    facts: Mapping[str, Any],
) -> tuple[tuple[LogSetting, ...], dict[str, Any]]:
    """The settings and facts of what a file makes settings of: others may be made elsewhere, and export the rest."""
    every = (*settings, unread_settings(resource_id, offers, _ELSEWHERE))
    told = setting_facts(every, offers, groups)
    own = ("settings_count", "settings_without_logs")  # of the file's own settings alone
    twice = facts["sent_twice"]
    if not isinstance(twice, Unknown):
        twice = twice or _ELSEWHERE
    return every, told | {key: facts[key] for key in own} | {"sent_twice": twice}

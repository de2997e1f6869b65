"""What is wrong with diagnostic settings that do export: the same thing twice, or days that nobody counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import permutations
from typing import Any

from auditor.facts.numbers import number
from auditor.facts.shapes import entries, mapping, text
from auditor.facts.unread import listed, unclear, undecided
from auditor.inventory import UNPUBLISHED, LogSetting, Unknown

_RETENTION = "the days of retention in the diagnostic settings"


def sent_twice(settings: Iterable[LogSetting]) -> list[str] | Unknown:
    """`category → destination` of whatever two diagnostic settings send to the same place, to be paid for twice.

    A workspace is one place, whichever of its tables each setting asks for; so Azure sees it, too.
    """
    own = [setting for setting in settings if setting.kind == "diagnostic-setting"]
    sent: dict[tuple[str, str], set[str]] = {}
    perhaps: dict[tuple[str, str], set[str]] = {}
    for setting in own:
        for destination in setting.living:
            for name in setting.categories:
                sent.setdefault((name, destination.id), set()).add(setting.id)
            for name in setting.possible:
                perhaps.setdefault((name, destination.id), set()).add(setting.id)
    twice = sorted(f"{name} → {place}" for (name, place), ids in sent.items() if place and len(ids) > 1)
    if twice:
        return twice
    if any(place and len(ids | sent.get((name, place), set())) > 1 for (name, place), ids in perhaps.items()):
        return UNPUBLISHED
    doubts = [why for one, other in permutations(own, 2) if (why := _may_meet(one, other)) is not None]
    return doubts[0] if doubts else []


def _may_meet(one: LogSetting, other: LogSetting) -> Unknown | None:
    """Why it cannot be told whether a setting sends to a place of another's: it is not decided yet where to."""
    if one.id == other.id or not (one.categories | one.possible) & (other.categories | other.possible):
        return None
    kinds = {destination.kind for destination in other.living}
    for destination in one.living:
        if not destination.id and destination.kind in kinds:
            return destination.exists if isinstance(destination.exists, Unknown) else unclear("a destination")
    return None


def retention_facts(document: Mapping[str, Any] | None) -> dict[str, Any]:
    """Facts about days of retention in diagnostic settings, which Azure ignores.

    `settings_with_retention`: `name: days` of those that carry some for a log that is on. `sent_to_storage`: whether
    any setting names a storage account, for which such days were.
    """
    read = listed(document, _RETENTION)
    if isinstance(read, Unknown):
        return {"settings_with_retention": read, "sent_to_storage": read}
    found: list[str] = []
    unsure: list[Unknown] = []
    accounts = []
    for item in entries(read):
        properties = mapping(item.get("properties"))
        accounts.append(properties.get("storageAccountId"))
        kept = [_days(log) for log in entries(properties.get("logs"))]
        unsure += [days for days in kept if isinstance(days, Unknown)]
        most = max((days for days in kept if isinstance(days, int)), default=0)
        if most:
            found.append(f"{text(item.get('name'))}: {most} days")
    return {
        "settings_with_retention": sorted(found) if found or not unsure else unsure[0],
        "sent_to_storage": any(text(account) or undecided(account) for account in accounts),
    }


def _days(log: Mapping[str, Any]) -> int | Unknown:
    policy = log.get("retentionPolicy")
    if log.get("enabled") is False or mapping(policy).get("enabled") is False:
        return 0
    parts = (policy, mapping(policy).get("enabled"), mapping(policy).get("days"))
    undecided_one = next((part for part in parts if undecided(part)), None)
    if undecided_one is not None:
        return unclear(_RETENTION, undecided_one)
    days = number(mapping(policy).get("days")) or 0
    return int(days) if mapping(policy).get("enabled") is True and days > 0 else 0

"""Diagnostic settings that somebody declared, as the documents that Azure would give of them.

What a plan or template does not tell, such as on which resource a setting is, is there as what may be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from auditor import documents as d
from auditor.documents import Document

# Settings of a whole tenant: type of the setting → type of their list. What they are set on is not written.
OF_TENANT: Final = {kind.lower(): kind for kind in (d.ENTRA_SETTINGS, d.INTUNE_SETTINGS)}
_TOLD: Final = 3  # settings in a reason


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One setting: its properties, where it is certainly set, and else where it may be."""

    name: str
    properties: Mapping[str, Any]
    origin: Mapping[str, Any]
    target: str = ""  # id
    perhaps: tuple[str, ...] = ()  # ids
    anywhere: bool = False
    unknown: Mapping[str, Any] = {}  # what is not told: reason, code, grant


def setting_documents(
    settings: Iterable[Setting], resources: Iterable[str], lacking: Mapping[str, Any] | None = None
) -> Iterator[Document]:
    """The list of each resource's settings; what may be set on it is there with its logs not known to be on.

    `resources` are the ids of all that can have settings; `lacking` tells why not all settings are there.
    """
    settings = list(settings)
    lists: dict[str, list[dict[str, Any]]] = {}
    shown: dict[str, str] = {}

    def add(target: str, item: Mapping[str, Any]) -> None:
        key = d.normal_id(target)
        shown.setdefault(key, target)
        lists.setdefault(key, []).append({**item, "id": f"{_list_of(shown[key])[0]}/{item['name']}"})

    for setting in settings:
        if not (setting.target or setting.perhaps):
            continue
        item = {"name": setting.name, "properties": setting.properties, "$origin": setting.origin}
        if setting.target:
            add(setting.target, item)
        logs = setting.properties.get("logs")
        unsure = {**item, "properties": {**setting.properties, "logs": doubtful(logs, setting.unknown)}}
        for target in setting.perhaps if logs != [] else ():  # metrics alone are no logs
            add(target, unsure)
    loose = _loose([setting for setting in settings if setting.anywhere], lacking)
    for target in resources if loose is not None else ():
        add(target, loose or {})
    for key in sorted(lists):
        list_id, kind = _list_of(shown[key])
        yield {"id": list_id, "type": kind, "value": _apart(lists[key])}


def _list_of(target: str) -> tuple[str, str]:
    """(id, type) of the list of settings of what they are set on."""
    tenant = OF_TENANT.get(target.lower().removeprefix("/providers/"))
    if tenant is not None:
        return f"/providers/{tenant}", tenant
    return d.settings_id(target), d.DIAGNOSTIC_SETTINGS


def _apart(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Settings in the order of their ids, no two with the same one."""
    seen: dict[str, int] = {}
    for item in items:
        number = seen[item["id"].lower()] = seen.get(item["id"].lower(), 0) + 1
        if number > 1:
            item["id"] = f"{item['id']}~{number}"
    return sorted(items, key=lambda item: item["id"])


def doubtful(logs: Any, why: Mapping[str, Any]) -> Any:
    """Logs that are on if the setting is on this resource at all."""
    unknown = {"$unknown": dict(why)}
    if not isinstance(logs, list):
        return unknown
    return [
        (log if log.get("enabled") is False else {**log, "enabled": unknown}) if isinstance(log, Mapping) else unknown
        for log in logs
    ]


def _loose(settings: list[Setting], lacking: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """One setting in place of all that may be anywhere, so that their number does not multiply."""
    if not settings and not lacking:
        return None
    reason = "; ".join(str(setting.unknown.get("reason")) for setting in settings[:_TOLD])
    if len(settings) > _TOLD:
        reason += f" and {len(settings) - _TOLD} more"
    told = lacking or {**settings[0].unknown, "reason": reason}
    unknown = {"$unknown": {"code": "input-incomplete", **told}}
    every = [setting.properties.get("logs") for setting in settings]
    logs: Any = unknown
    if not lacking and all(map(_told, every)):
        keys = ("category", "categoryGroup")
        on = {
            tuple(str(log.get(k) or "") for k in keys)
            for one in every
            for log in one or ()
            if log.get("enabled") is not False
        }
        if not on:
            return None  # metrics alone
        logs = [{keys[not one]: one or group, "enabled": unknown} for one, group in sorted(on)]
    return {"name": "not decided yet", "properties": {"logs": logs, "workspaceId": unknown}}


def _told(logs: Any) -> bool:
    """Whether the categories and groups of logs are known."""
    return isinstance(logs, list) and all(
        isinstance(log, Mapping)
        and "enabled" in log
        and isinstance(log.get("category") or log.get("categoryGroup"), str)
        for log in logs
    )

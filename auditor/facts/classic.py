"""Does a storage service keep classic Storage Analytics logs (`$logs`), and for how long?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from auditor.documents import marker, normal_id, storage_analytics_id
from auditor.facts.numbers import number
from auditor.facts.unread import unclear, unread
from auditor.inventory import Destination, LogSetting, Unknown

STORAGE_CATEGORIES: Final = {"read": "StorageRead", "write": "StorageWrite", "delete": "StorageDelete"}
_WHAT = "classic storage logging"
_NAME = "Storage Analytics"


class Classic(msgspec.Struct, frozen=True, kw_only=True):
    """Classic logging of one storage service.

    `state` is `full`, `partly`, `off`, or `none` where the service has no classic logging; `setting` is what it means
    as a log setting, None where nothing is logged; `retention_days` its own policy (`inf`: no expiry).
    """

    state: str | Unknown
    retention_days: float | Unknown = math.inf
    setting: LogSetting | None = None

    def facts(self) -> dict[str, Any]:
        """`classic` and `classic_retention_days`, as rules read them."""
        return {"classic": self.state, "classic_retention_days": self.retention_days}


def classic_logging(document: Mapping[str, Any] | None, account_id: str, service: str) -> Classic:
    """What a Storage Analytics document says of one service (`blob`, `queue`, `table`, `file`) of an account."""
    if service == "file" or (document is not None and marker(document) in ("$absent", "$unsupported")):
        return Classic(state="none")  # premium page blobs and the like answer 400, missing endpoints 404
    if document is None or marker(document):
        why = unread(document, _WHAT)
        return Classic(state=why, retention_days=why)
    properties = document.get("properties")
    logging = properties.get("logging") if isinstance(properties, Mapping) else None
    if not isinstance(logging, Mapping):
        return _unclear()
    flags = {category: _flag(logging.get(flag)) for flag, category in STORAGE_CATEGORIES.items()}
    if None in flags.values():
        return _unclear()
    enabled = frozenset(category for category, on in flags.items() if on)
    if not enabled:
        return Classic(state="off")
    retention = _retention(logging.get("retentionPolicy"))
    account = Destination(
        kind="storage", id=normal_id(account_id), retention_days=retention, interactive_days=0.0
    )  # $logs is in the account itself, and nothing can be queried there at once
    setting = LogSetting(
        id=normal_id(storage_analytics_id(account_id, service)),
        name=_NAME,
        kind="storage-analytics",
        categories=enabled,
        destinations=(account,),
    )
    full = len(enabled) == len(STORAGE_CATEGORIES)
    return Classic(state="full" if full else "partly", retention_days=retention, setting=setting)


def classic_only(state: str | Unknown, settings: tuple[LogSetting, ...] | Unknown) -> bool | Unknown:
    """Whether classic logs are on and Azure Monitor does not export reads, writes and deletes as well."""
    if isinstance(state, str) and state in ("off", "none"):
        return False
    if isinstance(settings, Unknown):
        return settings
    live = [s for s in settings if s.kind == "diagnostic-setting" and s.living]
    wanted = frozenset(STORAGE_CATEGORIES.values())
    if wanted <= frozenset().union(*(s.categories for s in live)):
        return False
    if isinstance(state, Unknown):
        return state
    if wanted <= frozenset().union(*(s.categories | s.possible for s in live)):
        return Unknown(reason="which categories the setting's group contains is not known")
    return True


def _unclear() -> Classic:
    why = unclear(_WHAT)
    return Classic(state=why, retention_days=why)


def _flag(value: object) -> bool | None:
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return value if isinstance(value, bool) else None


def _retention(policy: object) -> float | Unknown:
    """Days of the service's own policy; switched off, or 0 days, means that nothing ever expires."""
    if not isinstance(policy, Mapping):
        return unclear("classic retention")
    enabled = _flag(policy.get("enabled"))
    if enabled is not True:
        return math.inf if enabled is False else unclear("classic retention")
    days = number(policy.get("days"))
    return unclear("classic retention") if days is None or days < 0 else days or math.inf

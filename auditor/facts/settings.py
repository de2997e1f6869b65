"""Which settings watch this resource, and which categories, groups spelled out, does each send where?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

import msgspec

from auditor.catalog import catalog, category, tables
from auditor.documents import destinations_of, marker, normal_id
from auditor.facts.archives import container_of
from auditor.facts.offers import Groups, Members
from auditor.facts.setting_faults import sent_twice
from auditor.facts.shapes import entries, explain, mapping, text
from auditor.facts.unread import fields, listed, unclear, undecided
from auditor.inventory import UNPUBLISHED, Destination, LogSetting, Unknown

Resolver = Callable[[str, str, str | None], Destination]
Settings = tuple[LogSetting, ...]

MAX_SETTINGS: Final = 5  # of one resource, as Azure allows
_WHAT: Final = "the diagnostic settings"
_AUDIT_UNPUBLISHED: Final = Unknown(reason="which categories the group audit contains is not published")
_KINDS: Final = {
    "workspaceId": "log-analytics",
    "storageAccountId": "storage",
    "eventHubAuthorizationRuleId": "event-hub",
    "marketplacePartnerId": "partner",
}


class Route(msgspec.Struct, frozen=True):
    """One category on its way: from one setting to one part (table, container, hub) of one destination."""

    setting: str
    kind: str
    destination: str
    category: str
    part: str


def settings_of(
    document: Mapping[str, Any] | None,
    resource_type: str,
    offers: frozenset[str],
    groups: Groups,
    destination: Resolver,
) -> Settings | Unknown:
    """The log settings in a list of diagnostic settings, in the order of their ids.

    Only enabled categories count, groups are spelled out, and a setting that names no destination has none. A setting
    whose categories are kept for different times appears once for each. A resource type that has no settings has ().
    """
    found: list[LogSetting] = []
    read = _read(document)
    if isinstance(read, Unknown):
        return read
    for position, item in enumerate(read):
        setting = _setting(item, position, resource_type, offers, groups, destination)
        if setting is None:
            return unclear(_WHAT, mapping(item).get("properties"))
        found += setting
    return tuple(sorted(found, key=lambda s: (s.id, sorted(s.categories), sorted(s.possible))))


def routes_of(
    document: Mapping[str, Any] | None, resource_type: str, offers: frozenset[str], groups: Groups
) -> Iterator[Route]:
    """Every way that an enabled category takes, as far as the settings could be read."""
    read = _read(document)
    for position, item in enumerate(() if isinstance(read, Unknown) else read):
        properties = fields(mapping(item).get("properties"))
        if properties is None:
            continue
        enabled, _, _ = _enabled(properties.get("logs"), resource_type, offers, groups)
        setting_id = identity_of(item, position)[0]
        for kind, place in destinations_of(properties):
            for name in sorted(enabled):
                for part in _parts(kind, resource_type, name, _dedicated(properties)):
                    yield Route(setting_id, kind, normal_id(place), name, part)


def _read(document: Mapping[str, Any] | None) -> list[Any] | Unknown:
    if document is not None and marker(document) in ("$absent", "$unsupported"):
        return []  # 404: nothing there; 400: the type has no diagnostic settings
    return listed(document, _WHAT)


def _setting(
    item: object,
    position: int,
    resource_type: str,
    offers: frozenset[str],
    groups: Groups,
    resolve: Resolver,
) -> list[LogSetting] | None:
    properties = fields(mapping(item).get("properties"))
    if not isinstance(item, Mapping) or properties is None:
        return None
    enabled, possible, written = _enabled(properties.get("logs"), resource_type, offers, groups)
    setting_id, name = identity_of(item, position)
    places, dedicated, doubt = _places(properties), _dedicated(properties), _doubt(properties.get("logs"))
    ways: dict[tuple[Destination, ...], tuple[set[str], set[str]]] = {}
    for names, slot in ((enabled, 0), (possible - enabled, 1)):
        for one in sorted(names):
            way = tuple(_reach(kind, place, resource_type, one, dedicated, resolve) for kind, place in places)
            ways.setdefault(way, (set(), set()))[slot].add(one)
    if not ways:
        ways[tuple(resolve(kind, place, None) for kind, place in places)] = (set(), set())
    return [
        LogSetting(
            id=setting_id,
            name=name,
            categories=frozenset(certain),
            possible=frozenset(perhaps),
            groups=written,
            destinations=way,
            doubt=doubt if perhaps else None,
        )
        for way, (certain, perhaps) in ways.items()
    ]


def _doubt(logs: object) -> Unknown | None:
    """Why it is not decided yet what a template's or a plan's setting exports, where it says so."""
    found = [logs]
    for entry in entries(logs):
        found += [entry, *(entry.get(key) for key in ("enabled", "category", "categoryGroup"))]
    return next((explain(one, "not decided yet") for one in found if undecided(one)), None)


def identity_of(item: Mapping[str, Any], position: int) -> tuple[str, str]:
    """(normal id, name) of a diagnostic setting; its place in the list serves where it has neither."""
    shown, name = text(item.get("id")), text(item.get("name"))
    setting_id = normal_id(shown) if shown else name.lower() or f"#{position}"
    return setting_id, name or setting_id.rpartition("/")[2]


def _dedicated(properties: Mapping[str, Any]) -> bool:
    return text(properties.get("logAnalyticsDestinationType")).lower() == "dedicated"


def _places(properties: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """(kind, id) of the destinations; one that is set but not decided yet has the id ""."""
    undecided_kinds = [(kind, "") for key, kind in _KINDS.items() if undecided(properties.get(key))]
    return tuple(sorted({*destinations_of(properties), *undecided_kinds}))


def _parts(kind: str, resource_type: str, name: str, dedicated: bool) -> tuple[str, ...]:
    if kind == "log-analytics":
        return tables(resource_type, name, dedicated) or ("",)
    return (container_of(resource_type, name),)


def _reach(kind: str, place: str, resource_type: str, name: str, dedicated: bool, resolve: Resolver) -> Destination:
    """The destination as this category sees it; of several tables the one that keeps least."""
    seen = [resolve(kind, place, part) for part in _parts(kind, resource_type, name, dedicated)]
    least = seen[0]
    for other in seen[1:]:
        if isinstance(least.retention_days, Unknown):
            break
        if isinstance(other.retention_days, Unknown) or other.retention_days < least.retention_days:
            least = other
    return least


def _enabled(
    logs: object, resource_type: str, offers: frozenset[str], groups: Groups
) -> tuple[frozenset[str], frozenset[str], tuple[str, ...]]:
    """(categories enabled, categories perhaps enabled, groups as written) of a setting's `logs`."""
    if logs is None:
        return frozenset(), frozenset(), ()
    every = _azure_only(resource_type, offers)
    if not isinstance(logs, list):
        return frozenset(), every, ()
    certain: set[str] = set()
    perhaps: set[str] = set()
    written: list[str] = []
    for entry in logs:
        if not isinstance(entry, Mapping) or undecided(entry):
            perhaps |= every
            continue
        switch = _switch(entry.get("enabled"))
        if switch is False:
            continue
        one, group = entry.get("category"), entry.get("categoryGroup")
        if text(one):
            found = Members(frozenset({_spelling(resource_type, text(one), offers)}))
        elif text(group):
            if switch:
                written.append(text(group))
            found = expand(resource_type, text(group), offers, groups)
        else:
            found = Members(frozenset(), every if undecided(one) or undecided(group) else frozenset())
        perhaps |= found.possible
        (certain if switch else perhaps).update(found.certain)
    return frozenset(certain), frozenset(perhaps - certain), tuple(sorted(set(written), key=str.lower))


def _switch(enabled: object) -> bool | None:
    """Whether an entry is on; None where that is decided later. Missing means off, and text may stand for a truth."""
    if isinstance(enabled, bool):
        return enabled
    if enabled is None or text(enabled).lower() == "false":
        return False
    return True if text(enabled).lower() == "true" else None


def _spelling(resource_type: str, name: str, offers: frozenset[str]) -> str:
    known = category(resource_type, name)
    if known is not None:
        return known.name
    return name if name in offers else next((o for o in sorted(offers) if o.lower() == name.lower()), name)


@lru_cache(maxsize=4096)
def _azure_only(resource_type: str, offers: frozenset[str]) -> frozenset[str]:
    """Without those that are ours: no diagnostic setting carries a flow log."""
    return frozenset(o for o in offers if not ((known := category(resource_type, o)) and known.own))


def expand(resource_type: str, group: str, offers: frozenset[str], groups: Groups) -> Members:
    """The categories that a group stands for; `allLogs` is every one offered, whatever else is known."""
    every = _azure_only(resource_type, offers)
    if group.lower() == "alllogs":
        return Members(every)
    known = groups.get(group.lower())
    if known is not None:
        return known
    # The list of categories names no such group, yet a setting does: it may be any but those known to be outside.
    outside = frozenset(c.name for c in _catalogued(resource_type) if c.audit is False and group.lower() == "audit")
    return Members(frozenset(), every - outside)


def _catalogued(resource_type: str) -> tuple[Any, ...]:
    known = catalog().get(resource_type.lower())
    return known.categories if known else ()


def setting_facts(
    settings: Settings | Unknown,
    offers: frozenset[str],
    groups: Groups,
    *,
    in_scope: bool = True,
) -> dict[str, Any]:
    """What rules read of any resource that has settings: what it offers and exports, and what of `audit` is missing."""
    facts: dict[str, Any] = {"offered": sorted(offers), "in_scope": in_scope}
    audit = groups.get("audit", Members(frozenset()))
    facts["audit_offered"] = _AUDIT_UNPUBLISHED if audit.possible else sorted(audit.certain)
    if isinstance(settings, Unknown):
        names = ("exported", "audit_missing", "settings_count", "settings_without_logs", "sent_twice")
        return {**facts, **dict.fromkeys(names, settings)}
    live = [s for s in settings if s.living]
    exported = frozenset().union(*(s.categories for s in live))
    perhaps = frozenset().union(*(s.possible for s in live)) - exported
    unsure = _why(live, UNPUBLISHED)
    facts["exported"] = sorted(exported) if exported or not perhaps else unsure  # one certain category is enough
    facts["audit_missing"] = _audit_missing(audit, exported, perhaps, live)
    facts["settings_count"] = _count([s for s in settings if s.kind == "diagnostic-setting"])
    facts["settings_without_logs"] = _without_logs(settings)
    facts["sent_twice"] = sent_twice(settings) if len(settings) > 1 else []
    return facts


def _count(settings: list[LogSetting]) -> int | Unknown:
    """How many settings there are; not known where that is more than Azure takes only with some that may not be."""
    count, sure = len({s.id for s in settings}), len({s.id for s in settings if s.doubt is None})
    return _why(settings, Unknown(reason="which settings are made")) if count >= MAX_SETTINGS > sure else count


@lru_cache(maxsize=2)
def silent_facts(in_scope: bool) -> dict[str, Any]:
    """The facts of what logs nothing: most of a large estate, so they are worked out once."""
    return setting_facts((), frozenset(), {}, in_scope=in_scope)


def _audit_missing(
    audit: Members, exported: frozenset[str], perhaps: frozenset[str], live: list[LogSetting]
) -> list[str] | Unknown:
    if any(group.lower() in ("audit", "alllogs") for setting in live for group in setting.groups):
        return []  # the group itself is exported, whatever it contains
    missing, unsure = audit.certain - exported, audit.possible - exported
    if unsure or missing & perhaps:
        return _why(live, _AUDIT_UNPUBLISHED)
    return sorted(missing)


def _why(settings: Iterable[LogSetting], otherwise: Unknown) -> Unknown:
    return next((setting.doubt for setting in settings if setting.doubt is not None), otherwise)


def _without_logs(settings: Settings) -> list[str] | Unknown:
    """Names of settings that have a destination but no log enabled: metrics only, or everything switched off."""
    logs: dict[tuple[str, str], tuple[set[str], set[str]]] = {}
    for setting in settings:  # one that was split, because its categories are kept for different times, counts as one
        if setting.kind == "diagnostic-setting" and setting.destinations:
            certain, possible = logs.setdefault((setting.name, setting.id), (set(), set()))
            certain |= setting.categories
            possible |= setting.possible
    empty = sorted({name for (name, _), (certain, possible) in logs.items() if not certain and not possible})
    if not empty and any(possible and not certain for certain, possible in logs.values()):
        return _why(settings, UNPUBLISHED)
    return empty


def unread_settings(resource_id: str, offers: Iterable[str], why: Unknown) -> LogSetting:
    """Diagnostic settings that could not be read, beside others that could: they may export everything."""
    return LogSetting(
        id=f"{resource_id}/diagnosticSettings",
        name="diagnostic settings that could not be read",
        possible=frozenset(offers),
        destinations=(Destination(kind="log-analytics", id="", exists=why, retention_days=why, interactive_days=why),),
        doubt=why,
    )

"""Which databases are audited, and through what: their own policy, their server's, and what carries the events away.

Auditing is a switch beside the diagnostic settings: a setting with SQLSecurityAuditEvents exports nothing where no
policy sends events to Azure Monitor, and a policy that does needs such a setting, on `master` for a server's (domain.md
8). So the category counts where both are there, or where the policy writes to a storage account.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from auditor.documents import settings_id
from auditor.facts.look import Look
from auditor.facts.offers import offers_of
from auditor.facts.settings import settings_of, unread_settings
from auditor.facts.sql_audit import (
    OFF,
    Policy,
    Told,
    container_days,
    either,
    filtered,
    groups_missing,
    policy_in,
    policy_of,
    storage_of,
    storage_reached,
    unread_policy,
)
from auditor.inventory import LogSetting, Resource, Unknown
from auditor.named import audit_carrier

AUDIT: Final = "SQLSecurityAuditEvents"
SUPPORT: Final = "DevOpsOperationsAudit"  # written through `master` alone
Settings = tuple[LogSetting, ...] | Unknown


_OWNERS: Final = frozenset({"microsoft.sql/servers", "microsoft.synapse/workspaces"})  # a policy covers all parts
_PARTS: Final = frozenset({"microsoft.sql/servers/databases", "microsoft.synapse/workspaces/sqlpools"})


class _Owner(msgspec.Struct, frozen=True, kw_only=True):
    """A server or workspace: its policy, what carries it, and what that makes of its parts' logs."""

    policy: Policy
    delivers: Told
    settings: tuple[LogSetting, ...]  # what its policy logs of every part
    carrier: str


_WHY: Final = Unknown(reason="its server was not listed")
_NOT_LISTED: Final = _Owner(policy=unread_policy(_WHY), delivers=_WHY, settings=(), carrier="")


def with_sql_audit(resources: Iterable[Resource], look: Look) -> list[Resource]:
    """The resources, with the facts and log settings that auditing policies mean for servers and databases."""
    found = list(resources)
    mine = {r.id: r for r in found if r.type.lower() in _OWNERS | _PARTS and not r.is_stand_in}
    if not mine:
        return found
    owners: dict[str, _Owner] = {}
    facts: dict[str, dict[str, Any]] = {}
    for key, resource in mine.items():
        if resource.type.lower() in _OWNERS and resource.facts.get("in_scope") is not False:
            owners[key], facts[key] = _owner(resource, audit_carrier(key, resource.type), mine, look)
    return [_revised(r, owners, facts.get(r.id, {}), look) if r.id in mine else r for r in found]


# --- servers and workspaces -----------------------------------------------------------------------------------------


def _owner(
    resource: Resource, carrier: str, known: Mapping[str, Resource], look: Look
) -> tuple[_Owner, dict[str, Any]]:
    document = policy_in(look, resource.id, "auditingsettings", "extendedauditingsettings")
    policy = policy_of(document, declared=look.declared)
    carried = _settings_of(carrier, known, look)
    by_monitor = _and(policy.monitor, carries(carried, AUDIT))
    place = storage_of(policy, look)
    by_storage = storage_reached(policy, place, look)
    delivers = either(by_monitor, by_storage)
    facts: dict[str, Any] = {
        "audit_enabled": policy.enabled,
        "audit_delivers": delivers,
        "audit_to_monitor": policy.monitor,
        "audit_monitor_delivers": by_monitor,
        "audit_to_storage": policy.storage,
        "audit_storage_delivers": by_storage,
        "audit_by_identity": policy.identity,
        "audit_groups_missing": groups_missing(policy) if policy.enabled is not False else [],
        "audit_retention_days": policy.days,
        "audit_container_days": container_days(policy, look) if policy.storage is True else policy.storage,
    }
    if resource.type.lower() == "microsoft.sql/servers":
        facts["audit_filtered"] = filtered(look.get(f"{resource.id}/extendedauditingsettings/default"),
                                           declared=look.declared)  # fmt: skip
        facts["support_audit_delivers"] = _support(resource.id, carried, look)
    settings = [*_by_monitor(policy, carried), *_by_storage(policy, place, by_storage, resource)]
    return _Owner(policy=policy, delivers=delivers, settings=tuple(settings), carrier=carrier), facts


def _settings_of(carrier: str, known: Mapping[str, Resource], look: Look) -> Settings:
    """The settings of `master` (or of the workspace itself), also where only they are declared."""
    resource = known.get(carrier)
    if resource is not None:
        return resource.settings
    document = look.get(settings_id(carrier))
    if document is None:
        return () if look.declared else Unknown(reason="the database master was not listed")
    offers, groups = offers_of("Microsoft.Sql/servers/databases", None, settings=document)
    return settings_of(document, "Microsoft.Sql/servers/databases", offers, groups, look.resolve)


def carries(settings: Settings, category: str) -> Told:
    """Whether diagnostic settings send a category to a destination that is not known to be gone."""
    if isinstance(settings, Unknown):
        return settings
    living = [s for s in settings if s.kind == "diagnostic-setting" and s.living]
    if any(category in s.categories for s in living):
        return True
    perhaps = next((s for s in living if category in s.possible), None)
    return False if perhaps is None else perhaps.why_possible


def _support(server: str, carried: Settings, look: Look) -> Told:
    """Whether what Microsoft's engineers do on the server is recorded and kept somewhere."""
    policy = policy_of(look.get(f"{server}/devopsauditingsettings/default"), declared=look.declared)
    place = storage_of(policy, look)
    return either(_and(policy.monitor, carries(carried, SUPPORT)), storage_reached(policy, place, look))


# --- what a policy means as log settings ----------------------------------------------------------------------------


def _by_monitor(policy: Policy, carried: Settings) -> Iterable[LogSetting]:
    """The carrier's settings, as far as they carry audit events, as settings of every database."""
    if policy.monitor is False or isinstance(carried, Unknown):
        why = carried if isinstance(carried, Unknown) else None
        if policy.monitor is not False and why is not None:
            yield msgspec.structs.replace(unread_settings("", (AUDIT,), why), kind="sql-audit", name="SQL auditing")
        return
    for setting in carried:
        sure = AUDIT in setting.categories and policy.monitor is True
        if setting.kind == "diagnostic-setting" and (sure or AUDIT in setting.categories | setting.possible):
            doubt = policy.monitor if isinstance(policy.monitor, Unknown) else setting.doubt
            yield msgspec.structs.replace(
                setting,
                kind="sql-audit",
                categories=frozenset({AUDIT} if sure else ()),
                possible=frozenset(() if sure else {AUDIT}),
                groups=(),
                doubt=None if sure else doubt,
            )


def _by_storage(policy: Policy, place: Any, reached: Told, owner: Resource) -> Iterable[LogSetting]:
    if isinstance(reached, Unknown) and place is None:  # the policy could not be read: it may name any account
        unread = unread_settings(owner.id, (AUDIT,), reached)
        policy_id = f"{owner.id}/auditingsettings/default"
        yield msgspec.structs.replace(unread, id=policy_id, kind="sql-audit", name=f"SQL auditing of {owner.name}")
    if place is None or reached is False:
        return
    sure = reached is True
    yield LogSetting(
        id=f"{owner.id}/auditingsettings/default",
        name=f"SQL auditing of {owner.name}",
        kind="sql-audit",
        categories=frozenset({AUDIT} if sure else ()),
        possible=frozenset(() if sure else {AUDIT}),
        destinations=(place,),
        doubt=reached if isinstance(reached, Unknown) else None,
    )


# --- databases ------------------------------------------------------------------------------------------------------


def _revised(resource: Resource, owners: Mapping[str, _Owner], facts: dict[str, Any], look: Look) -> Resource:
    """A server with its facts; a database, or a workspace, with what is really exported of its audit events."""
    if resource.type.lower() == "microsoft.sql/servers":
        return msgspec.structs.replace(resource, facts={**resource.facts, **facts})
    owner = owners.get(resource.id) or owners.get(resource.parent) or _NOT_LISTED
    if resource.facts.get("in_scope") is False:
        return resource
    if resource.id == owner.carrier:
        settings = _settings(resource, owner.policy.monitor, _from_storage(owner))
        told = {**facts, "audited": owner.delivers}
    else:
        own = _own_policy(resource, owner, look)
        place = storage_of(own, look)
        by_storage = storage_reached(own, place, look)
        extra = (*owner.settings, *_by_storage(own, place, by_storage, resource))
        settings = _settings(resource, own.monitor, extra)
        mine = either(_and(own.monitor, carries(resource.settings, AUDIT)), by_storage)
        told = {"audited": either(owner.delivers, mine), "audit_own": own.enabled}
    return msgspec.structs.replace(
        resource, settings=settings, facts={**resource.facts, **told, **_general(resource, settings, owner.carrier)}
    )


def _from_storage(owner: _Owner) -> tuple[LogSetting, ...]:
    """Of a policy's settings those that the carrier has not by itself."""
    return tuple(s for s in owner.settings if s.id.endswith("/auditingsettings/default"))


def _own_policy(resource: Resource, owner: _Owner, look: Look) -> Policy:
    document = policy_in(look, resource.id, "auditingsettings", "extendedauditingsettings")
    if document is None and owner.delivers is True:
        return OFF  # not asked for: the server's covers the database, and both would only record twice
    return policy_of(document, declared=look.declared)


def _settings(resource: Resource, monitor: Told, extra: tuple[LogSetting, ...]) -> Settings:
    """A resource's settings with audit events only where a policy sends them, and what policies add."""
    if isinstance(resource.settings, Unknown):
        rest = resource.offers - {AUDIT} if monitor is False else resource.offers
        return (*extra, unread_settings(resource.id, rest, resource.settings)) if extra else resource.settings
    kept = [_gated(setting, monitor) for setting in resource.settings]
    return (*kept, *extra)


def _gated(setting: LogSetting, monitor: Told) -> LogSetting:
    if monitor is True or AUDIT not in setting.categories | setting.possible:
        return setting
    mine = frozenset({AUDIT})
    if monitor is False:
        return msgspec.structs.replace(setting, categories=setting.categories - mine, possible=setting.possible - mine)
    return msgspec.structs.replace(
        setting, categories=setting.categories - mine, possible=setting.possible | mine, doubt=monitor
    )


def _general(resource: Resource, settings: Settings, carrier: str) -> dict[str, Any]:
    """The facts of anything that logs, once audit events are counted as they are."""
    if isinstance(settings, Unknown):
        return {}
    living = [s for s in settings if s.living]
    exported = frozenset().union(*(s.categories for s in living))
    doubts = {name: setting.why_possible for setting in living for name in sorted(setting.possible - exported)}
    facts: dict[str, Any] = {"exported": sorted(exported) if exported or not doubts else next(iter(doubts.values()))}
    audit, missing = resource.facts.get("audit_offered"), resource.facts.get("audit_missing")
    if not isinstance(audit, list):
        if missing == [] and AUDIT in resource.offers and AUDIT not in exported:
            facts["audit_missing"] = audit  # the group is exported, but auditing fills it only where it is on
        return facts
    if resource.id != carrier:
        audit = facts["audit_offered"] = [name for name in audit if name != SUPPORT]
    if exported.issuperset(audit):
        facts["audit_missing"] = []
    elif isinstance(missing, list):
        lacking = (set(missing) - {SUPPORT if resource.id != carrier else ""}) | ({AUDIT} & set(audit))
        open_ones = sorted(lacking & doubts.keys())
        facts["audit_missing"] = doubts[open_ones[0]] if open_ones else sorted(lacking - exported)
    return facts


def _and(one: Told, other: Told) -> Told:
    """Whether both hold: False if either certainly does not."""
    if one is False or other is False:
        return False
    return one if isinstance(one, Unknown) else other

"""Diagnostic settings of a plan, and the resources that they are, or may be, set on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec

from auditor import documents as d
from auditor.sources import declared
from auditor.sources.declared import OF_TENANT
from auditor.sources.terraform.azapi import body_of
from auditor.sources.terraform.ids import Ids
from auditor.sources.terraform.plan import AFTER, DECIDED, Instance, Plan, code_of, not_known
from auditor.sources.terraform.references import Found, follow, resolve
from auditor.sources.terraform.shape import later, one
from auditor.sources.terraform.types import AZAPI

SETTING: Final = "azurerm_monitor_diagnostic_setting"
ENTRA_SETTING: Final = "azurerm_monitor_aad_diagnostic_setting"
_SETTING_TYPE: Final = d.DIAGNOSTIC_SETTINGS.lower()
_DESTINATIONS: Final = {
    "log_analytics_workspace_id": "workspaceId",
    "storage_account_id": "storageAccountId",
    "eventhub_authorization_rule_id": "eventHubAuthorizationRuleId",
    "eventhub_name": "eventHubName",
    "partner_solution_id": "marketplacePartnerId",
    "log_analytics_destination_type": "logAnalyticsDestinationType",
}
# Data sources that are no resource, so that nothing of a plan is meant by them.
_NO_TARGETS: Final = frozenset({"azurerm_subscription", "azurerm_management_group", "azurerm_client_config"})
_PLAIN: Final = frozenset({"azurerm_resource_group"})  # part of other ids, and no target
_MOST: Final = 50  # resources that one setting may be on; where there are more, it may be on any
_UNKNOWN: Final[dict[str, Any]] = {"logs": not_known(None), "workspaceId": not_known(None)}


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One setting: its properties, where it is certainly set, and else where it may be."""

    instance: Instance
    properties: dict[str, Any]
    target: str = ""  # id
    perhaps: tuple[str, ...] = ()  # ids
    anywhere: bool = False
    why: str = ""  # what the plan does not tell
    code: str = ""
    grant: str = ""  # what would tell it


def is_setting(instance: Instance) -> bool:
    """Whether an instance is a diagnostic setting, of a resource, a subscription or a tenant."""
    kind = _kind(instance)
    return kind == _SETTING_TYPE or kind in OF_TENANT


def _kind(instance: Instance) -> str:
    if instance.type == AZAPI:
        return str(instance.values.get("type") or "").partition("@")[0].lower()
    return {SETTING: _SETTING_TYPE, ENTRA_SETTING: d.ENTRA_SETTINGS.lower()}.get(instance.type, "")


def settings_in(
    plan: Plan, ids: Ids, targets: Mapping[str, Instance], parts: Mapping[str, list[str]]
) -> Iterator[Setting]:
    """Every diagnostic setting of a plan.

    `targets` are the instances that can have some, by address; `parts` the ids of what is below an instance, by
    address: of `${account.id}/blobServices/default`, a plan keeps only the account.
    """
    kept = {d.normal_id(i): one for one in targets.values() for i in (ids.of(one), *parts.get(one.address, ()))}
    for instance in plan.instances:
        if is_setting(instance):
            written = "parent_id" if instance.type == AZAPI else "target_resource_id"
            properties = _azapi(instance, ids, plan) if instance.type == AZAPI else _azurerm(instance, ids)
            told = instance.values.get(written)
            if _kind(instance) in OF_TENANT:
                yield _if_there(
                    Setting(instance=instance, properties=properties, target=f"/providers/{_kind(instance)}"), kept
                )
            elif isinstance(told, str):
                yield _if_there(Setting(instance=instance, properties=properties, target=told), kept)
            elif told is not None:
                placed = _placed(instance, properties, resolve(plan, instance, written), ids, targets, parts)
                yield _if_there(placed, kept)
    for call in plan.remote:
        yield from _from_away(plan, call, ids, targets, parts)
    for instance in targets.values():
        if instance.conditions:  # what is not there for certain may have settings, and fails for none
            on = (ids.of(instance), *parts.get(instance.address, ()))
            yield _unless(Setting(instance=instance, properties=_UNKNOWN), on, instance.conditions)


def set_elsewhere(plan: Plan, shown: Callable[[Instance], str]) -> Iterator[Setting]:
    """The settings of a plan on what is not made in it, as they may be on anything that is made elsewhere."""
    ids = Ids(plan)
    for instance in plan.instances:
        if not is_setting(instance):
            continue
        written = "parent_id" if instance.type == AZAPI else "target_resource_id"
        found = resolve(plan, instance, written) if attribute_is_later(instance.values.get(written)) else Found()
        if found.outside or any(kind not in _NO_TARGETS for kind in found.data):
            properties = _azapi(instance, ids, plan) if instance.type == AZAPI else _azurerm(instance, ids)
            why = f"{shown(instance)}: {instance.address} is set on what the code does not tell ({found.words})"
            yield Setting(instance=instance, properties=properties, anywhere=True, why=why)


def _if_there(setting: Setting, kept: Mapping[str, Instance]) -> Setting:
    """A setting that is there on conditions is certain only on what is there on the same."""
    owner = kept.get(d.normal_id(setting.target)) if setting.target else None
    more = setting.instance.conditions - (owner.conditions if owner is not None else frozenset())
    if not setting.target or not more:
        return setting
    return _unless(setting, (setting.target,), more)


def _unless(setting: Setting, perhaps: tuple[str, ...], conditions: frozenset[str]) -> Setting:
    """A setting that is there only on conditions."""
    told = min(conditions).partition(": ")[2]
    return Setting(
        instance=setting.instance, properties=setting.properties, perhaps=perhaps,
        why=f"whether {setting.instance.address} is made depends on {told}", code=f"conditional({told})",
        grant=DECIDED,
    )  # fmt: skip


def _from_away(
    plan: Plan, call: Instance, ids: Ids, targets: Mapping[str, Instance], parts: Mapping[str, list[str]]
) -> Iterator[Setting]:
    """What a module that is not on disk may set on the resources that are handed to it."""
    expressions = call.block.get("expressions")
    given = expressions.values() if isinstance(expressions, Mapping) else ()
    handed = {one.address: one for told in given for one in follow(plan, call, told).instances}
    on = tuple(i for key in sorted(handed) if key in targets for i in (ids.of(targets[key]), *parts.get(key, ())))
    why = f"{call.address} ({call.values.get('source')}) is not on disk, and may set it"
    if on:
        yield Setting(
            instance=call, properties=_UNKNOWN, perhaps=on, why=why,
            code=f"remote-module({call.values.get('source')})", grant="terraform init",
        )  # fmt: skip


def _placed(
    instance: Instance,
    properties: dict[str, Any],
    found: Found,
    ids: Ids,
    targets: Mapping[str, Instance],
    parts: Mapping[str, list[str]],
) -> Setting:
    fitting = [one for one in found.instances if one.address in targets]
    others = [one for one in found.instances if one.address not in targets and one.type not in _PLAIN]
    sure = (
        fitting[0] if len(fitting) == 1 and not others and found.exact and not (found.open or found.outside) else None
    )
    why = f"{instance.address} is set on what only the apply decides ({found.words or 'not told'})"
    suffix = _expression(instance).get("suffix")
    if sure is not None and isinstance(suffix, str):
        return Setting(instance=instance, properties=properties, target=f"{ids.of(sure)}{suffix}")
    if sure is not None:
        below = parts.get(sure.address, [])
        if not below:
            return Setting(instance=instance, properties=properties, target=ids.of(sure))
        named = _named_part(instance, below)
        if named:
            return Setting(instance=instance, properties=properties, target=named)
        if properties.get("logs") == []:  # metrics of the resource or of a part of it: no log either way
            return Setting(instance=instance, properties=properties, target=ids.of(sure))
        why = f"{instance.address} is set on {sure.address} or on a part of it, which a plan does not tell apart"
        return Setting(
            instance=instance, properties=properties, perhaps=tuple(below), why=why,
            code=f"plan-suffix-lost({instance.address})", grant="--source-root with the folder of the plan's code",
        )  # fmt: skip
    unread = [kind for kind in found.data if kind not in _NO_TARGETS]
    anywhere = found.open or bool(unread) or (not fitting and not others and not found.data and not found.outside)
    perhaps = [i for one in fitting for i in (ids.of(one), *parts.get(one.address, []))]
    if len(perhaps) > _MOST:
        perhaps, anywhere = [], True
    return Setting(
        instance=instance, properties=properties, perhaps=tuple(perhaps), anywhere=anywhere, why=why,
        code=code_of(found.words), **AFTER,
    )  # fmt: skip


def _expression(instance: Instance) -> Mapping[str, Any]:
    """What a setting is set on, as it is written; with the text behind the id where there is code to tell of it."""
    return instance.expression("target_resource_id" if instance.type == SETTING else "parent_id")


def _named_part(instance: Instance, below: list[str]) -> str:
    """The part that the key of a setting names: `blob` in `${account.id}/${each.key}Services/default`."""
    refs = _expression(instance).get("references")
    if not isinstance(instance.index, str) or not isinstance(refs, list) or "each.key" not in refs:
        return ""
    key = instance.index.lower().strip("/").removesuffix("/default").removesuffix("services")
    hits = [i for i in below if i.lower().split("/")[-2:] == [f"{key}services", "default"]]
    return hits[0] if len(hits) == 1 else ""


def _azurerm(instance: Instance, ids: Ids) -> dict[str, Any]:
    values = instance.values
    properties: dict[str, Any] = {}
    for attribute, field in _DESTINATIONS.items():
        value = values.get(attribute)
        if value is not None:
            properties[field] = ids.linked(instance, attribute) or value
    if attribute_is_later(properties.get("logAnalyticsDestinationType")):
        del properties["logAnalyticsDestinationType"]  # Azure's to choose where nobody did
    properties["logs"] = [*_logs(values.get("enabled_log"), new=True), *_logs(values.get("log"), new=False)]
    for attribute in ("enabled_log", "log"):
        if attribute_is_later(values.get(attribute)):
            properties["logs"] = values[attribute]
    return properties


def attribute_is_later(value: object) -> bool:
    """Whether only the apply decides a value."""
    return isinstance(value, Mapping) and "$unknown" in value


def _logs(blocks: object, *, new: bool) -> Iterator[dict[str, Any]]:
    for block in blocks if isinstance(blocks, list) else ():
        if not isinstance(block, Mapping) or "$unknown" in block:
            yield dict(block) if isinstance(block, Mapping) else not_known(None)
            continue
        enabled = True if new or block.get("enabled") is None else block["enabled"]
        entry: dict[str, Any] = {
            "category": block.get("category") or None,
            "categoryGroup": block.get("category_group") or None,
        }
        policy = block.get("retention_policy")  # providers before 4 have it
        entry["retentionPolicy"] = policy if later(policy) else dict(one(policy)) or None
        yield {**{key: value for key, value in entry.items() if value is not None}, "enabled": enabled}


def _azapi(instance: Instance, ids: Ids, plan: Plan) -> dict[str, Any]:
    body = body_of(instance, ids, plan)
    properties = body.get("properties")
    if isinstance(properties, Mapping):
        return {**properties, "logs": properties.get("logs") or []}
    why = body if "$unknown" in body else not_known(None)
    return {"logs": why, "workspaceId": why} if "$unknown" in body or attribute_is_later(properties) else {"logs": []}


# --- as documents -----------------------------------------------------------------------------------------------------


def setting_documents(
    settings: list[Setting], resources: list[str], lacking: str, origin: Mapping[str, dict[str, Any]]
) -> Iterator[d.Document]:
    """The list of each resource's settings; what may be set on it is there with its logs not known to be on.

    `resources` are the ids of all that can have settings, `origin` tells by address where something is written.
    """
    made = [
        declared.Setting(
            name=_name(one.instance),
            properties=one.properties,
            origin=origin.get(one.instance.address, {}),
            target=one.target,
            perhaps=one.perhaps,
            anywhere=one.anywhere,
            unknown=_reason(one),
        )
        for one in settings
    ]
    yield from declared.setting_documents(made, resources, {"reason": lacking} if lacking else None)


def _name(instance: Instance) -> str:
    name = instance.values.get("name")
    return name if isinstance(name, str) and name else instance.address


def _reason(setting: Setting) -> dict[str, str]:
    told = {"reason": setting.why, "code": setting.code, "grant": setting.grant}
    return {key: value for key, value in told.items() if value}

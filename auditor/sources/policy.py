"""Log settings that Azure Policy makes: a file that assigns such a policy tells of settings that are not in it.

Whether the policy has done its work, on what, and with which identity is known to Azure alone. So a resource that an
assignment of the file covers may have the setting: what asks for it is unknown until Azure itself is read, not failed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

import msgspec

from auditor import documents as d
from auditor.catalog import catalog
from auditor.documents import Collection, Document, normal_id

GRANT: Final = "scan Azure itself once the policy has been applied"
ASSIGNMENTS: Final = "microsoft.authorization/policyassignments"
DEFINITIONS: Final = "microsoft.authorization/policydefinitions"
SETS: Final = "microsoft.authorization/policysetdefinitions"

# Built-in initiatives: category group and kind of destination, for every type that has such a policy.
_INITIATIVES: Final[Mapping[str, tuple[str, str]]] = {
    "f5b29bc4-feca-4cc6-a58a-772dd5e290a5": ("audit", "log_analytics"),
    "0884adba-2312-4468-abeb-5422caed1038": ("allLogs", "log_analytics"),
    "1020d527-2764-4230-92cc-7035e4fcf8a7": ("audit", "event_hub"),
    "85175a36-2f12-419a-96b4-18d5b0096531": ("allLogs", "event_hub"),
    "8d723fb6-6680-45be-9d37-b1a4adb52207": ("audit", "storage"),
    "b6b86da9-e527-49de-ac59-6af0a9db10b8": ("allLogs", "storage"),
}
# Built-in policies that make flow logs, of networks and (in former times) of security groups.
_FLOW_LOGS: Final = frozenset(
    {
        "3e9965dc-cc13-47ca-8259-a4252fd0cf7b",
        "cd6f7aff-2845-4dab-99f2-6d1754a754b0",
        "052c180e-287d-44c3-86ef-01aeae2d9774",
        "6d7c9ba4-b4b9-4d38-9e86-f1bc6b322bde",
        "0db34a60-64f4-4bf6-bd44-f95c16cf34b9",
        "e920df7f-9a64-4066-9b58-52684c02a091",
        "5e1cd26a-5090-4fdb-9d6a-84a90335e22d",
    }
)
# Built-in policies about log settings that only look at them, and set nothing.
_LOOK_ONLY: Final = frozenset(
    {
        "057ef27e-665e-4328-8ea3-04b3122bd9fb",
        "138ff14d-b687-4faa-a81c-898c91a87fa2",
        "1b4d1c4e-934c-4703-944c-27c82c06bebb",
        "245fc9df-fa96-4414-9a0b-3738c2f7341c",
        "34f95f76-5386-4de7-b824-0d8478470c9d",
        "383856f8-de7f-44a2-81fc-e5135b5c2aa4",
        "428256e6-1fac-4f48-a757-df34c2b3336d",
        "752154a7-1e0f-45c6-a880-ac75a7e4f648",
        "83a214f7-d01a-484b-91a9-ed54470c9a6a",
        "8a04f872-51e9-4313-97fb-fc1c35430fd8",
        "8a04f872-51e9-4313-97fb-fc1c3543011c",
        "91a78b24-f231-4a8a-8da9-02c35b2b6510",
        "a2a5b911-5617-447e-a49e-59dbe0e0434b",
        "afe0c3be-ba3b-4544-ba52-0c99672a8ad6",
        "b4330a05-a843-4bc8-bf9a-cacce50c67f4",
        "c95c74d9-38fe-4f0d-af86-0c7d626a315c",
        "cd906338-3453-47ba-9334-2d654bf845af",
        "cf820ca0-f99e-4f3e-84fb-66e913812d21",
        "d639b3af-a535-4bef-8dcf-15078cddf5e2",
        "d9f1f9a9-8795-49f9-9e7b-e11db14caeb2",
        "ee8a7be2-e9b5-47b9-9d37-d9b141ea78a4",
        "f8d36e2f-389b-4ee4-898d-21aeb69a0f45",
        "f9be5368-9bf5-4b84-9e0a-7850da98bb46",
    }
)
_MAKES: Final = "deployifnotexists"
_NOT_MAKING: Final = ("disabled", "auditifnotexists", "audit")
_SPEAKS: Final = re.compile(r"diag|loganalytics|resource.?log|log.?analytics|flow.?log", re.IGNORECASE)
_GUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_FLOW: Final = "flow logs"  # in place of a type
_EVERY: Final = "*"
_DEEPEST: Final = 50
_MOST_TEXT: Final = 1_000_000  # characters of a policy rule
_LOOKS: Final = re.compile(r"(?:audit|deny)[-_ ]", re.IGNORECASE)  # how one that sets nothing begins to be called
_EFFECT: Final = re.compile(r"\[\s*parameters\(\s*'([^']+)'\s*\)\s*\]")
_MADE_UP: Final = "00000000-0000-0000-"  # how the subscription begins of what does not tell which


class _Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What a definition or initiative sets logs of: types in lower case, "*" for any, `_FLOW` for flow logs."""

    types: frozenset[str] = frozenset()
    effect: str = "effect"  # the parameter that says whether it does so at all
    default: str = ""  # what that is where an assignment does not say


class _Assigned(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    types: frozenset[str]
    scope: str = ""  # normal id; empty for what is above subscriptions, or not known
    without: tuple[str, ...] = ()  # normal ids of what is left out


def with_policies(collection: Collection) -> Collection:
    """The documents of a file, with what its policy assignments may set on its resources."""
    if collection.run.source == "azure":
        return collection
    assigned = list(_assigned(collection.documents))
    if not assigned:
        return collection
    index = {normal_id(str(document.get("id") or "")): document for document in collection.documents}
    more: list[Document] = []
    for document in collection.documents:
        for target, kind in _targets(document):
            names = [each.name for each in assigned if _covers(each, kind, target)]
            if names:
                _set(index, more, target, names)
    for subscription in sorted({d.subscription_of(key) for key in index} - {""}):
        flows = [each.name for each in assigned if _FLOW in each.types and _meets(each, subscription)]
        if flows:
            more.append(_flow_logs(subscription, flows))
    return msgspec.structs.replace(collection, documents=[*collection.documents, *more])


# --- what is assigned -------------------------------------------------------------------------------------------------


def _assigned(documents: Iterable[Document]) -> Iterator[_Assigned]:
    by_kind: dict[str, list[Document]] = {ASSIGNMENTS: [], DEFINITIONS: [], SETS: []}
    for document in documents:
        kind = str(document.get("type") or "").lower()
        if kind in by_kind:
            by_kind[kind].append(document)
    if not by_kind[ASSIGNMENTS]:
        return
    made = {normal_id(str(each["id"])): _definition(_body(each)) for each in by_kind[DEFINITIONS]}
    for each in by_kind[SETS]:
        members = _body(each).get("policyDefinitions")
        found: set[str] = set()
        for member in members if isinstance(members, list) else [None]:
            told = member if isinstance(member, Mapping) else {}
            policy = _of_id(told.get("policyDefinitionId"), made, each)
            found |= frozenset() if _is_off(told, policy) else policy.types
        made[normal_id(str(each["id"]))] = _Policy(types=frozenset(found))
    for each in by_kind[ASSIGNMENTS]:
        body = _body(each)
        policy = _of_id(body.get("policyDefinitionId"), made, each)
        if _is_off(body, policy):
            continue
        types = policy.types
        listed = _parameter(body, "resourceTypeList")
        if isinstance(listed, list) and all(isinstance(kind, str) for kind in listed):
            chosen = frozenset(kind.lower() for kind in listed)
            types = chosen if _EVERY in types else types & chosen
        if types:
            without = body.get("notScopes")
            yield _Assigned(
                name=str(each.get("name") or "")[:100],
                types=types,
                scope=_scope(each, body),
                without=tuple(normal_id(one) for one in without if isinstance(one, str) and one.strip(" /"))
                if isinstance(without, list)
                else (),
            )


def _body(document: Document) -> Mapping[str, Any]:
    body = document.get("properties")
    return body if isinstance(body, Mapping) else {}


def _scope(document: Document, body: Mapping[str, Any]) -> str:
    told = body.get("scope")
    shown = (
        told
        if isinstance(told, str)
        else str(document.get("id") or "").lower().rpartition(f"/providers/{ASSIGNMENTS}")[0]
    )
    scope = normal_id(shown)
    return scope if scope.startswith("/subscriptions/") else ""


def _is_off(body: Mapping[str, Any], policy: _Policy) -> bool:
    effect = _parameter(body, policy.effect)
    effect = policy.default if effect is None else effect
    return str(body.get("enforcementMode") or "").lower() == "donotenforce" or (
        isinstance(effect, str) and effect.lower() in _NOT_MAKING
    )


def _parameter(body: Mapping[str, Any], name: str) -> object:
    parameters = _decoded(body.get("parameters"))
    told = parameters.get(name) if isinstance(parameters, Mapping) else None
    return told.get("value") if isinstance(told, Mapping) else None


def _decoded(value: object) -> object:
    """JSON that Terraform holds as a text."""
    if isinstance(value, str):
        try:
            return json.loads(value) if len(value) <= _MOST_TEXT else None
        except (ValueError, RecursionError):
            return None
    return value


def _of_id(told: object, made: Mapping[str, _Policy], speaker: Document) -> _Policy:
    """What a definition or initiative sets logs of, by its id; of an unknown one by what it is called."""
    if isinstance(told, str):
        name = told.rstrip("/").rpartition("/")[2].lower()
        known = made.get(normal_id(told))
        if known is not None:
            return known
        if (
            name in _INITIATIVES
            or name in _built_in()
            or re.fullmatch(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", name)
        ):
            return _Policy(types=_built_in().get(name, frozenset()))
    called = told.rstrip("/").rpartition("/")[2] if isinstance(told, str) else ""
    said = [
        str(speaker.get("name") or ""),
        *(str(_body(speaker).get(key) or "") for key in ("displayName", "parameters")),
    ]
    text = " ".join(part[:_MOST_TEXT] for part in (*said, called))
    if not _SPEAKS.search(text) or _LOOKS.match(called or said[1] or said[0]):
        return _Policy()
    return _Policy(types=frozenset({_EVERY, _FLOW} if re.search("flow.?log", text, re.IGNORECASE) else {_EVERY}))


@lru_cache(maxsize=1)
def _built_in() -> Mapping[str, frozenset[str]]:
    """The types of each built-in policy and initiative that makes log settings."""
    found: dict[str, set[str]] = {name: set() for name in _INITIATIVES}
    for kind, told in catalog().items():
        for places in told.policies.values():
            for policy in places.values():
                found.setdefault(policy, set()).add(kind.lower())
        for policy in told.other_policies:
            if policy not in _LOOK_ONLY:
                found.setdefault(policy, set()).add(kind.lower())
        for name, (group, place) in _INITIATIVES.items():
            if group in told.policies.get(place, {}):
                found[name].add(kind.lower())
    return {
        **{name: frozenset(kinds) for name, kinds in found.items()},
        **dict.fromkeys(_FLOW_LOGS, frozenset({_FLOW})),
    }


def _definition(body: Mapping[str, Any]) -> _Policy:
    """What a definition of the file's own sets logs of: nothing where it does something else."""
    rule = _decoded(body.get("policyRule"))
    if not isinstance(rule, Mapping) or "$unknown" in rule:
        return _Policy(types=frozenset({_EVERY} if _SPEAKS.search(str(body.get("displayName") or "")) else ()))
    then = rule.get("then")
    details = then.get("details") if isinstance(then, Mapping) else None
    effect = str(then.get("effect") or "").lower() if isinstance(then, Mapping) else ""
    if not isinstance(details, Mapping) or not (effect == _MAKES or effect.startswith("[")):
        return _Policy()
    asked = _EFFECT.fullmatch(str(then["effect"])) if isinstance(then, Mapping) else None
    name = asked[1] if asked else "" if effect == _MAKES else "effect"
    return _Policy(types=_types_of(rule, details), effect=name, default=_default(body, name))


def _default(body: Mapping[str, Any], name: str) -> str:
    parameters = _decoded(body.get("parameters"))
    told = parameters.get(name) if isinstance(parameters, Mapping) else None
    default = told.get("defaultValue") if isinstance(told, Mapping) else None
    return default if isinstance(default, str) else ""


def _types_of(rule: Mapping[str, Any], details: Mapping[str, Any]) -> frozenset[str]:
    made = str(details.get("type") or "").lower().partition("@")[0]
    if made == d.FLOW_LOGS.lower():
        return frozenset({_FLOW})
    if made.removesuffix("/") != d.DIAGNOSTIC_SETTINGS.lower() and not made.endswith("/providers/diagnosticsettings"):
        return frozenset()
    types = frozenset(_named(rule.get("if"), 0))
    return types if types and not any("[" in kind or "*" in kind for kind in types) else frozenset({_EVERY})


def _named(condition: object, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        yield _EVERY
    elif isinstance(condition, list):
        for part in condition:
            yield from _named(part, depth + 1)
    elif isinstance(condition, Mapping):
        if str(condition.get("field") or "").lower() == "type":
            told = condition.get("equals", condition.get("in", condition.get("like")))
            for kind in told if isinstance(told, list) else [told]:
                yield kind.lower() if isinstance(kind, str) else _EVERY
        for key in ("allOf", "anyOf"):
            yield from _named(condition.get(key), depth + 1)


# --- what it may set --------------------------------------------------------------------------------------------------


def _targets(document: Document) -> Iterator[tuple[str, str]]:
    """(id, lower-case type) of what logs by itself in a document."""
    shown, kind = str(document.get("id") or ""), str(document.get("type") or "").lower()
    if "/providers/" not in shown.lower() or kind in d.ABOUT or d.marker(document):
        return
    yield shown, kind
    if kind == "microsoft.storage/storageaccounts":
        for service in d.storage_services(document):
            yield d.storage_service_id(shown, service), f"{kind}/{d.STORAGE_SERVICES[service]}".lower()
    if kind == "microsoft.sql/servers":
        yield f"{shown}/databases/master", f"{kind}/databases"


def _covers(assigned: _Assigned, kind: str, target: str) -> bool:
    if kind not in assigned.types and not (_EVERY in assigned.types and kind in _logging()):
        return False
    key = normal_id(target)
    return _meets(assigned, key) and not any(_is_in(key, scope) for scope in assigned.without)


def _meets(assigned: _Assigned, target: str) -> bool:
    """Whether a normal id, or a subscription by itself, may be in what is assigned to."""
    if "/" in target:
        return not assigned.scope or _is_in(target, assigned.scope)
    return not assigned.scope or _same(target, d.subscription_of(assigned.scope))


def _is_in(target: str, scope: str) -> bool:
    """Whether a resource is in a scope, by normal ids; where one does not tell its subscription, by the rest."""
    _, _, subscription, *inner = scope.split("/")
    _, _, own, *rest = f"{target}///".split("/")
    return _same(subscription, own) and rest[: len(inner)] == inner


def _same(one: str, other: str) -> bool:
    return one == other or one.startswith(_MADE_UP) or other.startswith(_MADE_UP)


@lru_cache(maxsize=1)
def _logging() -> frozenset[str]:
    return frozenset(kind.lower() for kind in catalog())


def _why(names: list[str]) -> dict[str, Any]:
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return {"$unknown": {"reason": f"set by policy ({shown}): verify live", "code": d.SET_BY_POLICY, "grant": GRANT}}


def _set(index: dict[str, Document], more: list[Document], target: str, names: list[str]) -> None:
    why, shown = _why(names), d.settings_id(target)
    setting = {
        "id": f"{shown}/by-policy",
        "name": "by policy",
        "properties": {"logs": why, "workspaceId": why},
    }
    held = index.get(normal_id(shown))
    if held is None:
        held = {"id": shown, "type": d.DIAGNOSTIC_SETTINGS, "value": []}
        index[normal_id(shown)] = held
        more.append(held)
    value = held.get("value")
    if isinstance(value, list):
        held["value"] = [*value, setting]


def _flow_logs(subscription: str, names: list[str]) -> Document:
    watcher = (
        f"/subscriptions/{subscription}/resourceGroups/NetworkWatcherRG/providers/Microsoft.Network/networkWatchers"
    )
    return {"id": f"{watcher}/by-policy/flowLogs", "type": d.FLOW_LOGS, **_why(names)}

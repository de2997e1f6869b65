"""A plan or state, as `terraform show -json` tells it: resources in their end state, and their configuration."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Final

import msgspec

Index = str | int | None
Path = tuple[tuple[str, Index], ...]  # of modules, outermost first: (name, key)

_STEP: Final = re.compile(r'module\.([\w-]+)(?:\[("(?:[^"\\]|\\.)*"|\d+)\])?\.?')
_EMPTY: Final[Mapping[str, Any]] = {}
_MOST_WORDS: Final = 120  # characters of an expression in a reason
_DEEPEST: Final = 60  # levels inside a value; no resource of Azure has as many
_TOO_DEEP: Final = {"$unknown": {"reason": "nested too deeply to be read"}}
DECIDED: Final = "scan the plan (`terraform show -json`), for which it is decided"
AFTER: Final = {"grant": "scan the state (`terraform show -json`) after the apply"}
_SENSITIVE: Final = {"$unknown": {"reason": "sensitive: Terraform does not show it"}}


class Instance(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One resource as it will be: `values` has `{"$unknown": …}` where only the apply decides."""

    address: str
    module: Path
    type: str
    name: str
    index: Index
    values: Mapping[str, Any]
    block: Mapping[str, Any]  # its configuration; empty in a state
    conditions: frozenset[str] = frozenset()  # it is there only if these hold, which the code does not tell

    def expression(self, *path: str | int) -> Mapping[str, Any]:
        """The expression that an attribute is set by; empty where the configuration does not tell."""
        found: Any = self.block.get("expressions")
        for step in path:
            if isinstance(step, int):
                # A dynamic block may have fewer descriptions than it makes blocks.
                blocks = found if isinstance(found, list) else [found]
                found = blocks[step] if step < len(blocks) else blocks[0] if len(blocks) == 1 else None
            else:
                found = found.get(step) if isinstance(found, Mapping) else None
        return found if isinstance(found, Mapping) else _EMPTY


class Plan(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """All resources of a plan or state, and the configuration that made them."""

    instances: tuple[Instance, ...]
    root: Mapping[str, Any]  # configuration of the root module
    providers: Mapping[str, Any]
    variables: Mapping[str, Any]
    data: tuple[Mapping[str, Any], ...]  # data sources that are read already
    lacking: str = ""  # why not all of it is there
    remote: tuple[Instance, ...] = ()  # calls of modules that are not on disk
    subscription: str = ""  # stands for the one that nothing tells of

    @cached_property
    def by_block(self) -> dict[tuple[Path, str, str], dict[Index, Instance]]:
        """The instances of each resource block in each instance of its module."""
        found: dict[tuple[Path, str, str], dict[Index, Instance]] = {}
        for instance in self.instances:
            found.setdefault((instance.module, instance.type, instance.name), {})[instance.index] = instance
        return found

    @cached_property
    def modules(self) -> dict[Path, dict[str, list[Index]]]:
        """The keys of each module call's instances, as far as anything is inside them."""
        found: dict[Path, dict[str, list[Index]]] = {}
        for path in sorted({i.module[:n] for i in self.instances for n in range(1, len(i.module) + 1)}, key=str):
            name, key = path[-1]
            found.setdefault(path[:-1], {}).setdefault(name, []).append(key)
        return found

    def call(self, path: Path) -> Mapping[str, Any]:
        """The configuration of the module call at a path."""
        module, call = self.root, _EMPTY
        for name, _ in path:
            call = _at(module, "module_calls", name)
            module = _at(call, "module")
        return call

    def inside(self, path: Path) -> Mapping[str, Any]:
        """The configuration of the module at a path."""
        return _at(self.call(path), "module") if path else self.root


def _at(value: Any, *steps: str) -> Mapping[str, Any]:
    for step in steps:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else _EMPTY


def module_path(address: str) -> Path:
    """`module.kv["x"].module.y[0]` as (("kv", "x"), ("y", 0))."""
    return tuple((name, key_of(key)) for name, key in _STEP.findall(address))


def key_of(written: str | None) -> Index:
    """An instance key as Terraform writes it between brackets."""
    if not written:
        return None
    if written[0] != '"':
        return int(written)
    try:
        return str(json.loads(written))
    except ValueError:
        return written[1:-1]


def plan_of(told: Mapping[str, Any]) -> Plan:
    """The resources of a decoded plan or state."""
    planned = "planned_values" in told
    ending = _at(told, "planned_values" if planned else "values", "root_module")
    root = _at(told, "configuration", "root_module")
    unknown = {
        str(change.get("address")): _at(change, "change").get("after_unknown")
        for change in _objects(told.get("resource_changes"))
    }
    blocks: dict[tuple[str, ...], Mapping[str, Mapping[str, Any]]] = {}
    bare = Plan(instances=(), root=root, providers={}, variables={}, data=())
    instances: list[Instance] = []
    for path, resource in _resources(ending):
        if resource.get("mode") != "managed":
            continue
        names = tuple(name for name, _ in path)
        if names not in blocks:
            inside = bare.inside(path)
            blocks[names] = {f"{b.get('type')}.{b.get('name')}": b for b in _objects(inside.get("resources"))}
        kind, name, index = str(resource.get("type")), str(resource.get("name")), resource.get("index")
        block = blocks[names].get(f"{kind}.{name}", _EMPTY)
        address = str(resource.get("address"))
        values = _with_unknown(
            resource.get("values"), unknown.get(address), resource.get("sensitive_values"), block.get("expressions")
        )
        instances.append(
            Instance(
                address=address,
                module=path,
                type=kind,
                name=name,
                index=index if isinstance(index, str | int) else None,
                values=values if isinstance(values, Mapping) else _EMPTY,
                block=block,
            )
        )
    prior = _at(told, "prior_state", "values", "root_module") if planned else ending
    return Plan(
        instances=tuple(sorted(instances, key=lambda i: i.address)),
        root=root,
        providers=_at(told, "configuration", "provider_config"),
        variables={name: _at(told, "variables", name).get("value") for name in _at(told, "variables")},
        data=tuple(resource for _, resource in _resources(prior) if resource.get("mode") == "data"),
        lacking=_lacking(told) if planned else "",
    )


def _lacking(told: Mapping[str, Any]) -> str:
    if told.get("deferred_changes"):
        return "the plan defers some changes"
    return "the plan is not complete, as with -target" if told.get("complete") is False else ""


def _resources(root: Mapping[str, Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Every resource, with the path of its module."""
    waiting = [root]
    while waiting:
        module = waiting.pop()
        path = module_path(str(module.get("address") or ""))
        for resource in _objects(module.get("resources")):
            yield path, resource
        waiting += _objects(module.get("child_modules"))


def _objects(value: object) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _with_unknown(value: Any, unknown: Any, sensitive: Any, expression: Any, depth: int = 0) -> Any:
    """A value with what is not known yet, and what must not be shown, marked as such."""
    if unknown is True:
        return not_known(expression)
    if depth > _DEEPEST:
        return _TOO_DEEP
    if sensitive is True and value is not None:
        return _SENSITIVE
    if isinstance(value, Mapping) or (isinstance(unknown, Mapping) and value is None):
        inner, hidden, told = _mapping(value), _mapping(sensitive), _mapping(expression)
        later = _mapping(unknown)
        keys = [*inner, *(key for key in later if key not in inner and later[key])]
        found = {
            key: _with_unknown(inner.get(key), later.get(key), hidden.get(key), told.get(key), depth + 1)
            for key in keys
        }
        return {key: one for key, one in found.items() if one is not None}
    if isinstance(value, list):
        open_ones, secret = _list(unknown), _list(sensitive)
        return [
            _with_unknown(_nth(value, at), _nth(open_ones, at), _nth(secret, at), _told_at(expression, at), depth + 1)
            for at in range(max(len(value), len(open_ones)))
            if at < len(value) or _nth(open_ones, at)
        ]
    return value


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _nth(value: list[Any], at: int) -> Any:
    return value[at] if at < len(value) else None


def _told_at(expression: Any, at: int) -> Any:
    """What is written of one of several blocks; one that is dynamic may stand for all of them."""
    if not isinstance(expression, list):
        return expression
    return expression[0] if len(expression) == 1 else _nth(expression, at)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else _EMPTY


def not_known(expression: object) -> dict[str, Any]:
    """The value that only the apply decides, with the references that it comes from."""
    told = words_of(expression)
    return {"$unknown": {"reason": f"known after apply{f': {told}' if told else ''}", "code": code_of(told), **AFTER}}


def code_of(told: str) -> str:
    """The code of what only the apply decides."""
    return f"known-after-apply({told})" if told else "known-after-apply"


def words_of(expression: object) -> str:
    """The references of an expression, as a reader wants them."""
    told = ", ".join(shortest(expression))
    return told if len(told) <= _MOST_WORDS else f"{told[:_MOST_WORDS]}…"


def shortest(expression: object) -> list[str]:
    """An expression's references without those that only begin another: `a.b.id`, not `a.b` as well."""
    listed = expression.get("references") if isinstance(expression, Mapping) else None
    refs = [ref for ref in listed if isinstance(ref, str)] if isinstance(listed, list) else []
    begun = {ref[:at] for ref in refs for at, sign in enumerate(ref) if sign in ".["}
    return sorted({ref for ref in refs if ref not in begun})

"""A Terraform configuration → the same `Plan` that Terraform would make of it, as far as the code decides it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from auditor.documents import NO_SUBSCRIPTION
from auditor.sources.hcl.certain import Certainty
from auditor.sources.hcl.code import Call, Code
from auditor.sources.hcl.configuration import configuration, provider_key
from auditor.sources.hcl.expression import Expr
from auditor.sources.hcl.layers import laid, steers
from auditor.sources.hcl.syntax import Block
from auditor.sources.hcl.values import META, UUID, Values, open_value
from auditor.sources.terraform.ids import Ids
from auditor.sources.terraform.plan import Index, Instance, Path, Plan, key_of, module_path
from auditor.sources.terraform.types import AZAPI, ROWS

Answer = Mapping[str, list[Mapping[str, Any]]]
_ADDRESS: Final = re.compile(
    r'((?:module\.[\w-]+(?:\[(?:"(?:[^"\\]|\\.)*"|\d+)\])?\.)*)([\w-]+)\.([\w-]+)(?:\[(.*)\])?'
)
_DEEPEST: Final = 12  # ids in ids
_LONGEST: Final = 4000  # characters of an id; more are those of ids that hold each other
_MOST: Final = 100_000  # instances


_OF_DEFAULT_PROVIDER: Final = Instance(
    address="", module=(), type="", name="", index=None, values={}, block={"provider_config_key": "azurerm"}
)


class _Raw(msgspec.Struct, frozen=True, kw_only=True):
    """One instance before ids are put in place: what the evaluator said, or None where it said nothing."""

    module: Path
    call: Call
    block: Block
    index: Index
    told: Mapping[str, Any] | None
    conditions: frozenset[str]

    @property
    def address(self) -> str:
        kind, name = self.block.labels
        repeated = self.index is None and not self.block.attributes.keys().isdisjoint(("count", "for_each"))
        last = "[*]" if repeated else "" if self.index is None else f"[{_key(self.index)}]"
        return f"{module_address(self.module)}{kind}.{name}{last}"


def module_address(path: Path) -> str:
    """A module's path as Terraform writes it before a resource: `module.kv["a"].`."""
    return "".join(f"module.{name}{'' if key is None else f'[{_key(key)}]'}." for name, key in path)


def _key(index: Index) -> str:
    return json.dumps(index, ensure_ascii=False)


class Builder:
    """Puts together what was evaluated, what was only seen, and what is missing."""

    def __init__(self, code: Code, answer: Answer | None, given: frozenset[str], subscription: str = "") -> None:
        self._code = code
        self._answer = answer
        self._certainty = Certainty(code, given)
        self._subscription = subscription or NO_SUBSCRIPTION
        self._outputs: dict[str, str] = {}  # id of a module → the id that its output `id` is
        self._root = configuration(code, code.main)
        self._subscriptions: dict[str, str] = {}  # id of the data source of a subscription → its own, if it is written
        self._data: dict[str, str] = {}  # id of a data source → its address
        self.remote: list[Instance] = []

    def plan(self, lacking: str) -> Plan:
        """The plan. What is certain to be there is there; what may be is there on conditions."""
        self._read_ids()
        raws: dict[str, _Raw] = {}
        for raw in self._raws():
            raws.setdefault(raw.address, raw)
        by_id = {str(raw.told["id"]): raw.address for raw in raws.values() if raw.told and raw.told.get("id")}
        instances = {address: self._instance(raw) for address, raw in raws.items()}
        plan = self._as_plan(list(instances.values()), lacking)
        ids = self._ids(plan, {by_id[key]: key for key in by_id})
        filled = [self._filled(instance, ids) for instance in plan.instances]
        return self._as_plan(filled, lacking)

    def _as_plan(self, instances: list[Instance], lacking: str) -> Plan:
        return Plan(
            instances=tuple(sorted(instances, key=lambda one: one.address)),
            root=self._root,
            providers=self._providers(),
            variables={},
            data=(),
            lacking=lacking,
            remote=tuple(self.remote),
            subscription=self._subscription,
        )

    # --- which instances there are ------------------------------------------------------------------------------------

    def _raws(self) -> Iterator[_Raw]:
        evaluated = self._evaluated()
        keys = {block: frozenset(index for index, _ in found) for block, found in evaluated.items()}
        count = 0
        for path, conditions in self._places():
            call = self._code.call(tuple(name for name, _ in path))
            for (kind, name), block in call.module.resources.items() if call is not None else ():
                assert call is not None  # noqa: S101 - as the line above says
                told = None if _misled(call) else evaluated.get((path, kind, name), [])
                found = laid(told, block.steered_in) if told is not None else None
                for raw in self._of_block(path, call, block, found, conditions, keys):
                    count += 1
                    if count > _MOST:
                        return
                    yield raw

    def _of_block(
        self,
        path: Path,
        call: Call,
        block: Block,
        found: Mapping[Index, Mapping[str, Any] | None] | None,
        outer: frozenset[str],
        keys: Mapping[tuple[Path, str, str], frozenset[Index]],
    ) -> Iterator[_Raw]:
        steer = next((block.attributes[key] for key in ("count", "for_each") if key in block.attributes), None)
        doubt = self._certainty.of(steer, call)
        switch = _switch(block)
        if switch is not None:  # OpenTofu's, which the evaluator does not know
            outer = outer | {f"{module_address(path)}: {switch.text}"}
        condition = outer | {f"{module_address(path)}: {steer.text}"} if steer is not None else outer
        for index, told in (found or {}).items():
            guessed = isinstance((told or {}).get("count"), Mapping)  # not computed, and taken for one
            uncounted = doubt.resources and not _counted(told or {}, index)
            sure = steer is None or not (doubt.word or guessed or uncounted)
            yield _Raw(
                module=path, call=call, block=block, index=index, told=told, conditions=outer if sure else condition
            )
        decided = steer is not None and self._answer is not None and found is not None
        if found or (decided and not doubt.word and not doubt.resources):
            return  # none, as the code says
        over = keys.get((path, *steer.inner_reference)) if steer is not None and found is not None else None
        for index in sorted(over or (), key=str) or [None]:
            sure = steer is None or bool(over)
            yield _Raw(
                module=path, call=call, block=block, index=index, told=None, conditions=outer if sure else condition
            )

    def _open(self, block: Block, call: Call) -> str:
        """The expression that decides how many there are of a module, where it is open."""
        expr = next((block.attributes[key] for key in ("count", "for_each") if key in block.attributes), None)
        if expr is None:
            return ""
        doubt = self._certainty.of(expr, call)
        return expr.text if doubt.word or doubt.resources or self._answer is None else ""

    def _evaluated(self) -> dict[tuple[Path, str, str], list[tuple[Index, Mapping[str, Any]]]]:
        """What the evaluator says of each instance, by module, type and name."""
        found: dict[tuple[Path, str, str], list[tuple[Index, Mapping[str, Any]]]] = {}
        for items in (self._answer or {}).values():
            for item in items:
                meta = item.get(META)
                if not isinstance(meta, Mapping) or meta.get("type") != "resource":
                    continue
                parts = _ADDRESS.fullmatch(str(meta.get("path")))
                if parts is not None:
                    module, kind, name, key = parts.groups()
                    index = key_of(key) if key is not None else None
                    found.setdefault((module_path(module), kind, name), []).append((index, item))
        return found

    def _places(self) -> list[tuple[Path, frozenset[str]]]:
        """Every instance of every module, with the conditions on which it is there."""
        evaluated: dict[tuple[str, ...], list[tuple[Path, Mapping[str, Any]]]] = {}
        for item in (self._answer or {}).get("module", ()):
            meta = item.get(META)
            path = module_path(str(meta.get("path"))) if isinstance(meta, Mapping) else ()
            evaluated.setdefault(tuple(name for name, _ in path), []).append((path, item))
        found: list[tuple[Path, frozenset[str]]] = []
        waiting: list[tuple[Path, frozenset[str]]] = [((), frozenset())]
        while waiting and len(found) < _MOST:
            path, conditions = waiting.pop()
            found.append((path, conditions))
            names = tuple(name for name, _ in path)
            call = self._code.call(names)
            for name, block in call.module.calls.items() if call is not None else ():
                assert call is not None  # noqa: S101 - as the line above says
                word = self._open(block, call)
                inner = conditions | {f"{module_address(path)}: {word}"} if word else conditions
                told = evaluated.get((*names, name), [])
                here = [*dict.fromkeys(p for p, item in told if p[:-1] == path and steers(item, block.steered_in))]
                steered = not block.attributes.keys().isdisjoint(("count", "for_each"))
                if not here and (not steered or word or self._answer is None):
                    here = [(*path, (name, None))]
                for one in here:
                    if self._code.call((*names, name)) is None:
                        self._away(one, block)
                    else:
                        waiting.append((one, inner))
        return found

    def _away(self, path: Path, block: Block) -> None:
        """A module that is not on disk, and whatever it may set on what is handed to it."""
        source = block.attributes["source"].literal if "source" in block.attributes else "no source"
        source = source if isinstance(source, str) else block.attributes["source"].text
        told = self._inside(path[:-1])["module_calls"].get(path[-1][0], {})
        self.remote.append(
            Instance(
                address=module_address(path).rstrip("."), module=path[:-1], type="module", name=path[-1][0],
                index=path[-1][1], values={"source": source}, block=told,
            )
        )  # fmt: skip

    # --- their values -------------------------------------------------------------------------------------------------

    def _read_ids(self) -> None:
        outputs: dict[str, str] = {}
        for item in (self._answer or {}).get("output", ()):
            path, value = str(item.get(META, {}).get("path")), item.get("value")
            if path.endswith(".output.id") and isinstance(value, str):
                outputs[path.removesuffix(".output.id")] = value
        for item in (self._answer or {}).get("module", ()):
            path = str(item.get(META, {}).get("path"))
            self._outputs[str(item.get("id"))] = outputs.get(path, "")
        for items in (self._answer or {}).values():
            for item in items:
                meta = item.get(META)
                if isinstance(meta, Mapping) and meta.get("type") == "data":
                    key, told = str(item.get("id")), item.get("subscription_id")
                    if meta.get("label") == "azurerm_subscription" and (told is None or _is_guid(told)):
                        self._subscriptions[key] = str(told or "").lower()
                    else:
                        self._data[key] = str(meta.get("path"))

    def _instance(self, raw: _Raw) -> Instance:
        def substitute(text: str) -> Any:
            for found in set(UUID.findall(text)):
                if found in self._outputs:
                    if not self._outputs[found]:
                        return open_value("a module")
                    text = text.replace(found, self._outputs[found])
            for found in set(UUID.findall(text)):
                if found in self._data:
                    return open_value(self._data[found])
            return text

        values = Values(self._certainty, raw.call, raw.block, substitute).told(raw.told)
        kind, name = raw.block.labels
        inside = self._inside(raw.module)
        return Instance(
            address=raw.address,
            module=raw.module,
            type=kind,
            name=name,
            index=raw.index,
            values=values,
            block=inside["by_name"][f"{kind}.{name}"] | {"provider_config_key": provider_key(raw.call, raw.block)},
            conditions=raw.conditions,
        )

    def _inside(self, path: Path) -> Mapping[str, Any]:
        """The configuration of the module at a path, all of which are on disk."""
        inside: Mapping[str, Any] = self._root
        for name, _ in path:
            inside = inside["module_calls"][name]["module"]
        return inside

    def _ids(self, plan: Plan, keys: Mapping[str, str]) -> dict[str, str]:
        """The id of each instance, by the evaluator's own for it."""
        ids = Ids(plan)
        made: dict[str, str] = {}
        for instance in plan.instances:
            key = keys.get(instance.address)
            known = instance.type in ROWS or instance.type in (AZAPI, "azurerm_resource_group")
            if key is not None and known:
                made[key] = ids.of(instance)
        for key, named in self._subscriptions.items():
            made[key] = f"/subscriptions/{named or ids.subscription(_OF_DEFAULT_PROVIDER)}"
        for _ in range(_DEEPEST):
            nested = {key: _put(value, made) for key, value in made.items()}
            if nested == made:
                break
            made = {key: value if len(value) < _LONGEST else f"/{key}" for key, value in nested.items()}
        self._evaluators = frozenset({*keys.values(), *self._subscriptions})
        return made

    def _filled(self, instance: Instance, ids: Mapping[str, str]) -> Instance:
        """An instance with the ids that its values name."""

        def fill(value: Any) -> Any:
            if isinstance(value, str):
                named = [one for one in UUID.findall(value) if one in self._evaluators]
                if any(one not in ids for one in named):
                    return open_value("what only the apply decides")
                return _put(value, ids)
            if isinstance(value, Mapping):
                return {key: fill(inner) for key, inner in value.items()}
            return [fill(inner) for inner in value] if isinstance(value, list) else value

        return msgspec.structs.replace(instance, values=fill(instance.values))

    def _providers(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for item in (self._answer or {}).get("provider", ()):
            meta = item.get(META)
            path = str(meta.get("path")) if isinstance(meta, Mapping) else ""
            name, alias, told = path.removeprefix("provider."), item.get("alias"), item.get("subscription_id")
            if path.startswith("provider.") and name in ("azurerm", "azapi"):
                key = f"{name}.{alias}" if isinstance(alias, str) else name
                value = told if isinstance(told, str) and told not in self._data else None
                found[key] = {"name": name, "expressions": {"subscription_id": {"constant_value": value}}}
        return found


def _misled(call: Call) -> bool:
    """Whether the evaluator was in a module with other arguments than an override file gives it."""
    above: Call | None = call
    while above is not None:
        if above.block is not None and above.block.changed:
            return True
        above = above.outer
    return False


def _is_guid(value: object) -> bool:
    return isinstance(value, str) and UUID.fullmatch(value.lower()) is not None


def _put(text: str, ids: Mapping[str, str]) -> str:
    return UUID.sub(lambda found: ids.get(found[0], found[0]), text)


def _switch(block: Block) -> Expr | None:
    """What decides by `enabled` in `lifecycle` whether a block makes anything, unless it plainly does."""
    inner = [
        one.attributes["enabled"] for one in block.blocks if one.kind == "lifecycle" and "enabled" in one.attributes
    ]
    return next((expr for expr in inner if expr.text != "true"), None)


def _counted(told: Mapping[str, Any], index: Index) -> bool:
    """Whether an instance is one of those that were counted, with ids in the count."""
    count = told.get("count")
    if isinstance(index, str):
        return True
    return isinstance(count, int) and not isinstance(count, bool) and isinstance(index, int) and index < count

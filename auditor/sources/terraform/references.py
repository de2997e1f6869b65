"""What does an expression of the configuration speak of? A plan has no ids yet, only references."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from auditor.sources.terraform.plan import Index, Instance, Path, Plan, key_of, shortest, words_of

_KEY: Final = r'(?:\[("(?:[^"\\]|\\.)*"|\d+)\])?'
_MODULE: Final = re.compile(rf"module\.([\w-]+){_KEY}(?:\.([\w-]+))?")
_RESOURCE: Final = re.compile(rf"([\w-]+)\.([\w-]+){_KEY}(?:\.(.+))?")
_DEEPEST: Final = 40  # references through modules
_MOST: Final = 10_000  # steps for one expression
_SETTLED: Final = frozenset({"path", "terraform", "self", "count", "ephemeral"})


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """The instances that an expression may mean; `open`: or something that the plan does not tell.

    `exact`: it takes the ids of these, nothing made from other attributes of theirs. `data` are types of data sources.
    """

    instances: tuple[Instance, ...] = ()
    open: bool = False
    exact: bool = True
    data: tuple[str, ...] = ()
    outside: bool = False  # variables of the root, or modules that are not on disk, have part in it
    words: str = ""

    @property
    def only(self) -> Instance | None:
        """The one instance that is meant for certain."""
        return (
            self.instances[0] if len(self.instances) == 1 and not (self.open or self.outside) and self.exact else None
        )


class _At(msgspec.Struct, frozen=True, kw_only=True):
    """Where an expression stands: in which module, and for which key of which `for_each` or `count`."""

    module: Path
    index: Index = None
    block: Mapping[str, Any] = {}
    keys: frozenset[Index] = frozenset()  # of the block's instances


class _Search:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.instances: dict[str, Instance] = {}
        self.open = False
        self.exact = True
        self.data: set[str] = set()
        self.outside = False
        self.steps = 0

    def follow(self, expression: object, at: _At, depth: int = 0) -> None:
        refs = shortest(expression)
        # Code tells, unlike a plan, what is not the id itself: `replace(azurerm_key_vault.a.id, …)`.
        self.open = self.open or (isinstance(expression, Mapping) and bool(expression.get("bent")))
        for ref in refs:
            self.steps += 1
            if depth > _DEEPEST or self.steps > _MOST:
                self.open = True
                return
            self._one(ref, refs, at, depth + 1)

    def _one(self, ref: str, refs: list[str], at: _At, depth: int) -> None:
        head, _, rest = ref.partition(".")
        if head == "each":
            if rest.partition(".")[0] == "value":
                self._each_value(rest, at, depth)
        elif head == "var":
            self._variable(re.split(r"[.\[]", rest)[0], at, depth)
        elif head == "module":
            self._module(ref, refs, at, depth)
        elif head == "data":
            self.data.add(rest.partition(".")[0])
        elif head == "local":
            self._local(re.split(r"[.\[]", rest)[0], at, depth)
        elif head not in _SETTLED:
            self._resource(ref, refs, at)

    def _each_value(self, rest: str, at: _At, depth: int) -> None:
        expression = at.block.get("for_each_expression")
        over = shortest(expression)
        blocks = self._block(over[0], at) if len(over) == 1 else {}
        if len(over) == 1 and at.index in blocks and _RESOURCE.fullmatch(over[0]):
            self._add([blocks[at.index]])  # for_each over the resources themselves
            self.exact = self.exact and rest in ("value", "value.id")
        else:
            self.follow(expression, _At(module=at.module), depth)  # a `for_each` has no `each` of its own
            self.open = self.open or not over

    def _local(self, name: str, at: _At, depth: int) -> None:
        """A local, where there is code beside the plan to tell of it."""
        told = self.plan.inside(at.module).get("locals")
        expression = told.get(name) if isinstance(told, Mapping) else None
        if expression is None:
            self.open = True
        else:
            self.follow(expression, _At(module=at.module), depth)

    def _variable(self, name: str, at: _At, depth: int) -> None:
        if not at.module:
            self.outside = "by_name" in self.plan.root  # in a plan, a variable of the root module is known
            return
        call = self.plan.call(at.module)
        given = call.get("expressions")
        outer = at.module[:-1]
        name_of_call, index = at.module[-1]
        keys = frozenset(self.plan.modules.get(outer, {}).get(name_of_call, ()))
        where = _At(module=outer, index=index, block=call, keys=keys)
        self.follow(given.get(name) if isinstance(given, Mapping) else None, where, depth)

    def _module(self, ref: str, refs: list[str], at: _At, depth: int) -> None:
        found = _MODULE.match(ref)
        if found is None:
            self.open = True
            return
        name, key, output = found.groups()
        keys = self.plan.modules.get(at.module, {}).get(name, [])
        calls = self.plan.inside(at.module).get("module_calls")
        call = calls.get(name) if isinstance(calls, Mapping) else None
        if isinstance(call, Mapping) and call.get("away"):
            self.outside = True
            return
        if not keys:
            self.open = True  # nothing that is known is inside
        for chosen in _paired(keys, key, refs, at):
            inside: Path = (*at.module, (name, chosen))
            outputs = self.plan.inside(inside).get("outputs")
            told = outputs.get(output) if isinstance(outputs, Mapping) and output else None
            if isinstance(told, Mapping):
                self.follow(told.get("expression"), _At(module=inside), depth)
            else:  # which output of the module is not said
                here = [i for i in self.plan.instances if i.module[: len(inside)] == inside]
                self._add(here)
                self.exact = self.exact and len(here) == 1

    def _resource(self, ref: str, refs: list[str], at: _At) -> None:
        found = _RESOURCE.match(ref)
        blocks = self._block(ref, at)
        if found is None or not blocks:
            self.open = True
            return
        chosen = _paired(list(blocks), found[3], refs, at)
        self._add([blocks[key] for key in chosen if key in blocks])
        self.exact = self.exact and found[4] in (None, "id")

    def _block(self, ref: str, at: _At) -> Mapping[Index, Instance]:
        found = _RESOURCE.match(ref)
        return self.plan.by_block.get((at.module, found[1], found[2]), {}) if found else {}

    def _add(self, instances: Iterable[Instance]) -> None:
        self.instances.update((instance.address, instance) for instance in instances)


def _paired(keys: list[Index], written: str | None, refs: list[str], at: _At) -> list[Index]:
    """The keys that are meant of several: the one written, or for `x[each.key]` the one with the equal key."""
    if written:
        return [key_of(written)]
    if isinstance(at.index, str):
        paired = "each.key" in refs and at.index in keys
    else:  # `x[count.index + 1]` reads the same, so only equally many are paired
        paired = at.index is not None and "count.index" in refs and at.keys == frozenset(keys)
    return [at.index] if paired else keys


def resolve(plan: Plan, instance: Instance, *path: str | int) -> Found:
    """What an attribute of an instance that is not known yet will name."""
    return follow(plan, instance, instance.expression(*path))


def follow(plan: Plan, instance: Instance, expression: object) -> Found:
    """What an expression in an instance's block names."""
    search = _Search(plan)
    keys = frozenset(plan.by_block.get((instance.module, instance.type, instance.name), ()))
    at = _At(module=instance.module, index=instance.index, block=instance.block, keys=keys)
    search.follow(expression, at)
    instances = tuple(search.instances[key] for key in sorted(search.instances))
    return Found(
        instances=instances,
        open=search.open or not (instances or search.data or search.outside),
        outside=search.outside,
        exact=search.exact,
        data=tuple(sorted(search.data)),
        words=words_of(expression),
    )

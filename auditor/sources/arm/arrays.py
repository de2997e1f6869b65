"""Functions of the template language for arrays and objects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from auditor.sources.arm.values import Later, Sym, Value, has, here, member, show, sure

MAX_ITEMS: Final = 10_000


def _union(*values: Value) -> Value:
    if all(isinstance(value, list) for value in values):
        found: list[Value] = []
        seen: set[str] = set()
        for item in (item for value in values for item in value):
            if (key := show(item)) not in seen:
                seen.add(key)
                found.append(item)
        return found
    merged: dict[str, Value] = {}
    for value in values:
        if value is not None:
            merged = _merged(merged, here(value))
    return merged


def _merged(first: Mapping[str, Value], second: Mapping[str, Value], *, deep: bool = True) -> dict[str, Value]:
    spelled = {key.lower(): key for key in first}
    made = dict(first)
    for key, value in second.items():
        old = spelled.get(key.lower(), key)
        both = deep and isinstance(made.get(old), Mapping) and isinstance(value, Mapping)
        made[old] = _merged(made[old], value) if both else value
    return made


def _shallow_merge(values: Value) -> Value:
    made: dict[str, Value] = {}
    for value in here(values):
        made = _merged(made, here(value), deep=False)
    return made


def _intersection(first: Value, *others: Value) -> Value:
    if isinstance(first, list):
        return [item for item in sure(first) if all(item in sure(other) for other in others)]
    return {key: value for key, value in sure(first).items() if all(sure(o).get(key) == value for o in others)}


def _contains(of: Value, what: Value) -> Value:
    if isinstance(of, list):
        wanted = show(what)
        if any(show(item) == wanted for item in of):
            return True
        sure(of)
        sure(what)
        return False
    if isinstance(of, Mapping):
        return has(of, str(sure(what)).lower())
    if isinstance(of, Sym):
        if isinstance(what, str) and any(isinstance(part, str) and what in part for part in of.parts):
            return True
        raise Later
    return str(sure(what)) in of


def _empty(value: Value) -> Value:
    if isinstance(value, Sym):
        if value.only is None:  # it has some letters of its own
            return False
        raise Later
    return value is None or len(value) == 0


def _length(value: Value) -> Value:
    return len(here(value))


def _slice(*, skip: bool) -> Callable[[Value, int], Value]:
    def sliced(value: Value, count: int) -> Value:
        count = max(0, int(sure(count)))
        value = here(value)
        return value[count:] if skip else value[:count]

    return sliced


def _end(at: int) -> Callable[[Value], Value]:
    def end(value: Value) -> Value:
        value = here(value)
        return value[at] if len(value) else ("" if isinstance(value, str) else None)

    return end


def _range(start: int, count: int) -> Value:
    if count > MAX_ITEMS:
        raise Later
    return list(range(start, start + count))


def _items(value: Value) -> Value:
    return [{"key": key, "value": item} for key, item in sorted(here(value).items())]


def _create_object(*values: Value) -> Value:
    return {sure(values[at]): values[at + 1] for at in range(0, len(values), 2)}


def _flatten(values: Value) -> Value:
    return [item for inner in here(values) for item in here(inner)]


def _array(value: Value) -> Value:
    if isinstance(value, Sym) and value.only:
        raise Later
    return value if isinstance(value, list) else [value]


def _try_get(of: Value, *keys: Value) -> Value:
    for key in keys:
        if of is None:
            return None
        try:
            of = member(of, key)
        except LookupError:
            return None
    return of


def _from_end(of: Value, at: int) -> Value:
    return here(of)[-at]


def _index(of: Value, what: Value) -> Value:
    sure(of)
    if isinstance(of, str):
        return of.lower().find(str(sure(what)).lower())
    return of.index(what) if what in of else -1


def _last_index(of: Value, what: Value) -> Value:
    if isinstance(sure(of), str):
        return of.lower().rfind(str(sure(what)).lower())
    return len(of) - 1 - of[::-1].index(what) if what in of else -1


def _most(choose: Callable[[Any], Any]) -> Callable[..., Value]:
    def most(*values: Value) -> Value:
        listed = values[0] if len(values) == 1 and isinstance(values[0], list) else list(values)
        return choose(sure(listed))

    return most


COLLECTIONS: Final[Mapping[str, Callable[..., Value]]] = {
    "array": _array,
    "createarray": lambda *values: list(values),
    "createobject": _create_object,
    "union": _union,
    "shallowmerge": _shallow_merge,
    "intersection": _intersection,
    "contains": _contains,
    "empty": _empty,
    "length": _length,
    "skip": _slice(skip=True),
    "take": _slice(skip=False),
    "first": _end(0),
    "last": _end(-1),
    "range": _range,
    "items": _items,
    "objectkeys": lambda value: sorted(here(value)),
    "flatten": _flatten,
    "tryget": _try_get,
    "indexfromend": _from_end,
    "tryindexfromend": lambda of, at: here(of)[-at] if 0 < at <= len(here(of)) else None,
    "indexof": _index,
    "lastindexof": _last_index,
    "max": _most(max),
    "min": _most(min),
}

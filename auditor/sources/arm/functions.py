"""Functions of the template language that need nothing but their arguments.

Each is given values and raises `Later` where a token among them decides the answer.
"""

from __future__ import annotations

import base64
import ipaddress
import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote, unquote, urljoin

from auditor.sources.arm.values import Sym, Value, joined, known, show, split, token

MAX_TEXT: Final = 200_000
MAX_ITEMS: Final = 10_000


class Later(Exception):
    """Only the deployment can tell."""


def _sure(value: Value) -> Value:
    if not known(value):
        raise Later
    return value


def _here(value: Value) -> Value:
    """A value whose shape is known, whatever is in it."""
    if isinstance(value, Sym):
        raise Later
    return value


def member(of: Value, key: Value) -> Value:
    """`of.key` or `of[key]`; keys have no case. Raises `LookupError` where there is none."""
    of, key = _here(of), _here(key)
    if isinstance(of, Mapping):
        if key in of:
            return of[key]
        wanted = str(key).lower()
        return next(v for k, v in of.items() if k.lower() == wanted) if _has(of, wanted) else _missing(key)
    if isinstance(of, list) and isinstance(key, int) and 0 <= key < len(of):
        return of[key]
    return _missing(key)


def _missing(key: object) -> Value:
    raise LookupError(key)


def _has(of: Mapping[str, Any], key: str) -> bool:
    return any(k.lower() == key for k in of)


# --- text ---------------------------------------------------------------------------------------------------------


def _concat(*values: Value) -> Value:
    if values and all(isinstance(value, list) for value in values):
        return [item for value in values for item in value]
    if any(isinstance(value, list | Mapping) for value in values):
        raise Later
    if len(values) == 1:
        return values[0]
    return joined(value if isinstance(value, Sym) else _string(value) for value in values)


def _string(value: Value) -> Value:
    if isinstance(value, str | Sym):
        return value
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, list | Mapping):
        return json.dumps(_sure(value), separators=(",", ":"))
    return "" if value is None else str(value)


_HOLE: Final = re.compile(r"\{\{|\}\}|\{(\d{1,3})(?:,-?\d{1,3})?(?::([^{}]{1,40}))?\}")


def _format(pattern: Value, *values: Value) -> Value:
    pieces: list[str | Sym] = []
    at = 0
    for hole in _HOLE.finditer(_sure(pattern)):
        pieces.append(pattern[at : hole.start()])
        at = hole.end()
        if hole[1] is None:
            pieces.append(hole[0][0])
            continue
        value = values[int(hole[1])]
        digits = re.fullmatch(r"[dD](\d{1,2})|(0{1,20})", hole[2] or "")
        if digits and isinstance(value, int):
            pieces.append(str(value).zfill(int(digits[1]) if digits[1] else len(digits[2])))
        elif hole[2]:
            raise Later
        else:
            pieces.append(_string(value))
    return joined([*pieces, pattern[at:]])


def _cased(change: Callable[[str], str], name: str) -> Callable[[Value], Value]:
    def cased(value: Value) -> Value:
        if not isinstance(value, Sym):
            return change(value)
        return joined(
            change(part) if isinstance(part, str) else token(f"{name}({part.text})", folded=part.folded or part.text)
            for part in value.parts
        )

    return cased


def _replace(value: Value, old: Value, new: Value) -> Value:
    return _sure(value).replace(_sure(old), _sure(new))


def _split(value: Value, signs: Value) -> Value:
    if isinstance(value, Sym):
        if signs != "/" or not isinstance(value.parts[0], str) or not value.parts[0].startswith("/"):
            raise Later
        return list(split(value))
    return re.split("|".join(re.escape(sign) for sign in ([signs] if isinstance(signs, str) else signs)), value)


def _substring(value: Value, start: int, length: int | None = None) -> Value:
    value = _sure(value)
    if start < 0 or (length is not None and start + length > len(value)):
        raise Later  # Azure refuses it
    return value[start:] if length is None else value[start : start + length]


def _pad(value: Value, width: int, sign: str = " ") -> Value:
    if width > MAX_TEXT:
        raise Later
    return str(_sure(value)).rjust(width, sign)


def _join(values: Value, sign: Value) -> Value:
    pieces: list[str | Sym] = []
    for number, value in enumerate(_here(values)):
        pieces += [sign, _string(value)] if number else [_string(value)]
    return joined(pieces)


def _decoded(value: Value) -> Value:
    return base64.b64decode(_sure(value)).decode()


def _data_uri(value: Value) -> Value:
    return f"data:text/plain;charset=utf8;base64,{base64.b64encode(_sure(value).encode()).decode()}"


# --- arrays and objects ---------------------------------------------------------------------------------------------


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
            merged = _merged(merged, _here(value))
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
    for value in _here(values):
        made = _merged(made, _here(value), deep=False)
    return made


def _intersection(first: Value, *others: Value) -> Value:
    if isinstance(first, list):
        return [item for item in _sure(first) if all(item in _sure(other) for other in others)]
    return {key: value for key, value in _sure(first).items() if all(_sure(o).get(key) == value for o in others)}


def _contains(of: Value, what: Value) -> Value:
    if isinstance(of, list):
        wanted = show(what)
        if any(show(item) == wanted for item in of):
            return True
        _sure(of)
        _sure(what)
        return False
    if isinstance(of, Mapping):
        return _has(of, str(_sure(what)).lower())
    if isinstance(of, Sym):
        if isinstance(what, str) and any(isinstance(part, str) and what in part for part in of.parts):
            return True
        raise Later
    return str(_sure(what)) in of


def _empty(value: Value) -> Value:
    if isinstance(value, Sym):
        if value.only is None:  # it has some letters of its own
            return False
        raise Later
    return value is None or len(value) == 0


def _length(value: Value) -> Value:
    return len(_here(value))


def _slice(*, skip: bool) -> Callable[[Value, int], Value]:
    def sliced(value: Value, count: int) -> Value:
        count = max(0, int(_sure(count)))
        value = _here(value)
        return value[count:] if skip else value[:count]

    return sliced


def _end(at: int) -> Callable[[Value], Value]:
    def end(value: Value) -> Value:
        value = _here(value)
        return value[at] if len(value) else ("" if isinstance(value, str) else None)

    return end


def _range(start: int, count: int) -> Value:
    if count > MAX_ITEMS:
        raise Later
    return list(range(start, start + count))


def _items(value: Value) -> Value:
    return [{"key": key, "value": item} for key, item in sorted(_here(value).items())]


def _create_object(*values: Value) -> Value:
    return {_sure(values[at]): values[at + 1] for at in range(0, len(values), 2)}


def _flatten(values: Value) -> Value:
    return [item for inner in _here(values) for item in _here(inner)]


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
    return _here(of)[-at]


def _index(of: Value, what: Value) -> Value:
    _sure(of)
    if isinstance(of, str):
        return of.lower().find(str(_sure(what)).lower())
    return of.index(what) if what in of else -1


def _last_index(of: Value, what: Value) -> Value:
    if isinstance(_sure(of), str):
        return of.lower().rfind(str(_sure(what)).lower())
    return len(of) - 1 - of[::-1].index(what) if what in of else -1


def _most(choose: Callable[[Any], Any]) -> Callable[..., Value]:
    def most(*values: Value) -> Value:
        listed = values[0] if len(values) == 1 and isinstance(values[0], list) else list(values)
        return choose(_sure(listed))

    return most


# --- logic and numbers ----------------------------------------------------------------------------------------------


def truth(value: Value) -> bool:
    """A truth; text may stand for one. Raises `Later`."""
    if isinstance(value, bool):
        return value
    told = str(_sure(value)).lower()
    if told in ("true", "1", "false", "0"):
        return told in ("true", "1")
    raise Later


def _decided(value: Value) -> bool | None:
    try:
        return truth(value)
    except Later:
        return None


def _and(*values: Value) -> Value:
    told = [_decided(value) for value in values]
    if False in told:
        return False
    if None in told:
        raise Later
    return True


def _or(*values: Value) -> Value:
    told = [_decided(value) for value in values]
    if True in told:
        return True
    if None in told:
        raise Later
    return False


def _equals(first: Value, second: Value) -> Value:
    if known(first) and known(second):
        if isinstance(first, str) and isinstance(second, str):
            return first.lower() == second.lower()
        return first == second and isinstance(first, bool) == isinstance(second, bool)
    if show(first) == show(second):
        return True
    for one, other in ((first, second), (second, first)):  # text with letters of its own is neither empty nor a number
        if isinstance(one, Sym) and one.only is None and (not isinstance(other, str | Sym) or other == ""):
            return False
    raise Later


def _compared(compare: Callable[[Any, Any], bool]) -> Callable[[Value, Value], Value]:
    return lambda first, second: compare(_sure(first), _sure(second))


def _coalesce(*values: Value) -> Value:
    for value in values:
        if isinstance(value, Sym) and value.only:
            raise Later
        if value is not None:
            return value
    return None


def _number(compute: Callable[[int, int], Any]) -> Callable[[Value, Value], Value]:
    def number(first: Value, second: Value) -> Value:
        found = compute(_sure(first), _sure(second))
        if isinstance(found, int) and abs(found) >= 2**63:
            raise Later
        return found

    return number


def _json(value: Value) -> Value:
    return json.loads(_sure(value))


# --- addresses ------------------------------------------------------------------------------------------------------


def _cidr_subnet(network: Value, prefix: int, at: int) -> Value:
    whole = ipaddress.ip_network(_sure(network), strict=False)
    size = 2 ** (whole.max_prefixlen - prefix)
    first = int(whole.network_address) + at * size
    return f"{type(whole.network_address)(first)}/{prefix}"


def _cidr_host(network: Value, at: int) -> Value:
    whole = ipaddress.ip_network(_sure(network), strict=False)
    return str(whole.network_address + at + 1)


Function = Callable[..., Value]

FUNCTIONS: Final[Mapping[str, Function]] = {
    "concat": _concat,
    "format": _format,
    "string": _string,
    "tolower": _cased(str.lower, "toLower"),
    "toupper": _cased(str.upper, "toUpper"),
    "trim": lambda value: _sure(value).strip(),
    "replace": _replace,
    "split": _split,
    "substring": _substring,
    "padleft": _pad,
    "join": _join,
    "startswith": lambda value, start: _sure(value).lower().startswith(_sure(start).lower()),
    "endswith": lambda value, end: _sure(value).lower().endswith(_sure(end).lower()),
    "base64": lambda value: base64.b64encode(_sure(value).encode()).decode(),
    "base64tostring": _decoded,
    "base64tojson": lambda value: json.loads(_decoded(value)),
    "datauri": _data_uri,
    "datauritostring": lambda value: _decoded(_sure(value).partition(",")[2]),
    "uri": lambda base, part: urljoin(_sure(base), _sure(part)),
    "uricomponent": lambda value: quote(_sure(value), safe="-_.~"),
    "uricomponenttostring": lambda value: unquote(_sure(value)),
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
    "objectkeys": lambda value: sorted(_here(value)),
    "flatten": _flatten,
    "tryget": _try_get,
    "indexfromend": _from_end,
    "tryindexfromend": lambda of, at: _here(of)[-at] if 0 < at <= len(_here(of)) else None,
    "indexof": _index,
    "lastindexof": _last_index,
    "max": _most(max),
    "min": _most(min),
    "and": _and,
    "or": _or,
    "not": lambda value: not truth(value),
    "bool": truth,
    "true": lambda: True,
    "false": lambda: False,
    "null": lambda: None,
    "equals": _equals,
    "less": _compared(lambda a, b: a < b),
    "lessorequals": _compared(lambda a, b: a <= b),
    "greater": _compared(lambda a, b: a > b),
    "greaterorequals": _compared(lambda a, b: a >= b),
    "coalesce": _coalesce,
    "add": _number(lambda a, b: a + b),
    "sub": _number(lambda a, b: a - b),
    "mul": _number(lambda a, b: a * b),
    "div": _number(lambda a, b: math.trunc(a / b)),
    "mod": _number(lambda a, b: int(math.fmod(a, b))),
    "int": lambda value: int(_sure(value)),
    "float": lambda value: float(_sure(value)),
    "json": _json,
    "cidrsubnet": _cidr_subnet,
    "cidrhost": _cidr_host,
}
# How functions that cannot be worked out are spelled in a reason.
SPELLED: Final[Mapping[str, str]] = {
    name.lower(): name
    for name in (
        *("toLower", "toUpper", "uniqueString", "newGuid", "utcNow", "resourceGroup", "resourceId", "padLeft"),
        *("createArray", "createObject", "shallowMerge", "objectKeys", "tryGet", "indexOf", "lastIndexOf"),
        *("lessOrEquals", "greaterOrEquals", "startsWith", "endsWith", "copyIndex", "listKeys", "dateTimeAdd"),
        *("uriComponent", "cidrSubnet", "cidrHost", "pickZones", "managementGroup", "lambdaVariables"),
    )
}

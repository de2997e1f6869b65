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

from auditor.sources.arm.arrays import COLLECTIONS
from auditor.sources.arm.values import Later, Sym, Value, here, joined, known, show, split, sure, token

MAX_TEXT: Final = 200_000


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
        return json.dumps(sure(value), separators=(",", ":"))
    return "" if value is None else str(value)


_HOLE: Final = re.compile(r"\{\{|\}\}|\{(\d{1,3})(?:,-?\d{1,3})?(?::([^{}]{1,40}))?\}")


def _format(pattern: Value, *values: Value) -> Value:
    pieces: list[str | Sym] = []
    at = 0
    for hole in _HOLE.finditer(sure(pattern)):
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
    return sure(value).replace(sure(old), sure(new))


def _split(value: Value, signs: Value) -> Value:
    if isinstance(value, Sym):
        if signs != "/" or not isinstance(value.parts[0], str) or not value.parts[0].startswith("/"):
            raise Later
        return list(split(value))
    return re.split("|".join(re.escape(sign) for sign in ([signs] if isinstance(signs, str) else signs)), value)


def _substring(value: Value, start: int, length: int | None = None) -> Value:
    value = sure(value)
    if start < 0 or (length is not None and start + length > len(value)):
        raise Later  # Azure refuses it
    return value[start:] if length is None else value[start : start + length]


def _pad(value: Value, width: int, sign: str = " ") -> Value:
    if width > MAX_TEXT:
        raise Later
    return str(sure(value)).rjust(width, sign)


def _join(values: Value, sign: Value) -> Value:
    pieces: list[str | Sym] = []
    for number, value in enumerate(here(values)):
        pieces += [sign, _string(value)] if number else [_string(value)]
    return joined(pieces)


def _decoded(value: Value) -> Value:
    return base64.b64decode(sure(value)).decode()


def _data_uri(value: Value) -> Value:
    return f"data:text/plain;charset=utf8;base64,{base64.b64encode(sure(value).encode()).decode()}"


# --- logic and numbers ----------------------------------------------------------------------------------------------


def truth(value: Value) -> bool:
    """A truth; text may stand for one. Raises `Later`."""
    if isinstance(value, bool):
        return value
    told = str(sure(value)).lower()
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
    return lambda first, second: compare(sure(first), sure(second))


def _number(compute: Callable[[int, int], Any]) -> Callable[[Value, Value], Value]:
    def number(first: Value, second: Value) -> Value:
        found = compute(sure(first), sure(second))
        if isinstance(found, int) and abs(found) >= 2**63:
            raise Later
        return found

    return number


def _json(value: Value) -> Value:
    return json.loads(sure(value))


# --- addresses ------------------------------------------------------------------------------------------------------


def _cidr_subnet(network: Value, prefix: int, at: int) -> Value:
    whole = ipaddress.ip_network(sure(network), strict=False)
    size = 2 ** (whole.max_prefixlen - prefix)
    first = int(whole.network_address) + at * size
    return f"{type(whole.network_address)(first)}/{prefix}"


def _cidr_host(network: Value, at: int) -> Value:
    whole = ipaddress.ip_network(sure(network), strict=False)
    return str(whole.network_address + at + 1)


Function = Callable[..., Value]

FUNCTIONS: Final[Mapping[str, Function]] = {
    **COLLECTIONS,
    "concat": _concat,
    "format": _format,
    "string": _string,
    "tolower": _cased(str.lower, "toLower"),
    "toupper": _cased(str.upper, "toUpper"),
    "trim": lambda value: sure(value).strip(),
    "replace": _replace,
    "split": _split,
    "substring": _substring,
    "padleft": _pad,
    "join": _join,
    "startswith": lambda value, start: sure(value).lower().startswith(sure(start).lower()),
    "endswith": lambda value, end: sure(value).lower().endswith(sure(end).lower()),
    "base64": lambda value: base64.b64encode(sure(value).encode()).decode(),
    "base64tostring": _decoded,
    "base64tojson": lambda value: json.loads(_decoded(value)),
    "datauri": _data_uri,
    "datauritostring": lambda value: _decoded(sure(value).partition(",")[2]),
    "uri": lambda base, part: urljoin(sure(base), sure(part)),
    "uricomponent": lambda value: quote(sure(value), safe="-_.~"),
    "uricomponenttostring": lambda value: unquote(sure(value)),
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
    "add": _number(lambda a, b: a + b),
    "sub": _number(lambda a, b: a - b),
    "mul": _number(lambda a, b: a * b),
    "div": _number(lambda a, b: math.trunc(a / b)),
    "mod": _number(lambda a, b: int(math.fmod(a, b))),
    "int": lambda value: int(sure(value)),
    "float": lambda value: float(sure(value)),
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

"""Values of a template as documents hold them: what only the deployment knows is `{"$unknown": …}`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from auditor.sources.arm.place import told
from auditor.sources.arm.values import Sym, Value, shown, tokens, words_of

_PARAMETER: Final = re.compile(r"parameters\('([^']{1,100})'\)")
_WAY_OUT: Final = "--parameters with a value for it"
LINKED: Final = {"code": "linked-template", "grant": "scan the result of a what-if, which follows links"}
_MOST: Final = 3  # conditions in a reason


def not_known(value: Value) -> dict[str, Any]:
    """The value that only the deployment decides, with the expression that it comes from."""
    return {"$unknown": why(f"known at deployment: {words_of(value)}", value)}


def why(reason: str, value: Value = None) -> dict[str, str]:
    """What is not known and, where a parameter would tell, how to tell it."""
    for text in (*(token.text for token in tokens(value)), reason):
        found = _PARAMETER.search(text)
        if found is not None:
            return {"reason": reason, "code": f"unresolved-parameter({found[1]})", "grant": _WAY_OUT}
    return {"reason": reason, "code": "known-at-deployment"}


def conditional(address: str, conditions: Iterable[str]) -> dict[str, str]:
    """Why something may not be there at all."""
    every = sorted(conditions)
    listed = " and ".join(one if len(one) <= 120 else f"{one[:120]}…" for one in every[:_MOST])
    more = f" and {len(every) - _MOST} more" if len(every) > _MOST else ""
    return why(f"{address} is made only if {listed}{more}")


def rendered(value: Value) -> Any:
    """A value with `{"$unknown": …}` for what is not known; an id stays text, its tokens between brackets."""
    if isinstance(value, Sym):
        return told(value) if _is_id(value) else not_known(value)
    if isinstance(value, Mapping):
        return {key: rendered(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [rendered(inner) for inner in value]
    return value


def _is_id(value: Sym) -> bool:
    first = value.parts[0]
    return isinstance(first, str) and first.startswith("/") and "/providers/" in told(value)


def body_of(body: Mapping[str, Value], places: frozenset[str]) -> dict[str, Any]:
    """The fields of a resource. Its location is told if it is certain, or one of `places`."""
    made: dict[str, Any] = {}
    for key, value in body.items():
        field = key.lower()
        if field == "location":
            place = place_told(value)
            if isinstance(value, str) or place in places:
                made["location"] = place
        elif field == "tags":
            if isinstance(value, Mapping):
                made["tags"] = {k: shown(v) for k, v in value.items() if isinstance(v, str | Sym)}
        elif field == "kind" and not isinstance(value, str):
            continue
        else:
            made[field if field in ("properties", "sku", "kind", "identity") else key] = rendered(value)
    return made


def place_told(value: Value) -> str:
    """A location as a document holds it."""
    return shown(value) if isinstance(value, str | Sym) else ""

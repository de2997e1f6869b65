"""Value × condition → True, False or None (cannot tell).

Conditions are compiled once to closures; every `Unknown` that was met is noted in the scope, so that a finding can
say why it could not tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase, translate
from functools import lru_cache
from re import IGNORECASE, Pattern
from re import compile as compile_pattern
from typing import Any

import msgspec

from auditor.inventory import Unknown
from auditor.truth import Truth, every, negate, some


class Scope:
    """What a condition may refer to: the judged resource (`$path`), the rule's parameters (`$params.x`)."""

    __slots__ = ("params", "seen", "subject")

    def __init__(self, subject: Any, params: Mapping[str, Any] | None = None) -> None:
        self.subject = subject
        self.params = params or {}
        self.seen: list[Unknown] = []


Matcher = Callable[[Any, Scope], Truth]
Path = tuple[str | int, ...]


class ConditionError(Exception):
    """A condition is written wrongly; `path` leads to the place."""

    def __init__(self, path: Path, problem: str, hint: str = "") -> None:
        super().__init__(problem)
        self.path = path
        self.problem = problem
        self.hint = hint


MOST_KEYS = 1000  # of a mapping that is searched without case
OPERATORS = ("any", "all", "not", "present", "like", "tagged", "at_least", "at_most", "count")


# --- values ---------------------------------------------------------------------------------------------------------


def lookup(thing: Any, path: Iterable[str]) -> Any:
    """The value at a dotted path of a resource, destination or mapping; None where there is none.

    Property names compare exactly first, then without case (Resource Graph and ARM differ now and then).
    """
    for step in path:
        # Asked millions of times in a large estate: the exact types come before the slow abstract ones.
        kind = type(thing)
        if kind is dict:
            thing = thing[step] if step in thing else _without_case(thing, step)
        elif kind is Unknown:
            return thing
        elif isinstance(thing, msgspec.Struct):
            thing = getattr(thing, step, None)
        elif isinstance(thing, Mapping):
            thing = thing[step] if step in thing else _without_case(thing, step)
        else:
            return None
        if type(thing) is dict and "$unknown" in thing:
            return to_unknown(thing["$unknown"])
    return thing


def _without_case(mapping: Mapping[str, Any], key: str) -> Any:
    if len(mapping) > MOST_KEYS:
        return None
    lower = key.lower()
    for known in mapping:
        if len(known) == len(key) and known.lower() == lower:
            return mapping[known]
    return None


def to_unknown(detail: Any) -> Unknown:
    """The `Unknown` that a document's `$unknown` mark stands for."""
    if isinstance(detail, Mapping):
        status = detail.get("status")
        told = {f: detail[f] for f in ("code", "action", "scope", "grant") if isinstance(detail.get(f), str)}
        return Unknown(
            reason=str(detail.get("reason") or detail.get("code") or "not readable"),
            status=status if isinstance(status, int) else None,
            **told,
        )
    return Unknown(reason=str(detail))


def _equal(value: Any, wanted: Any) -> Truth:
    if isinstance(value, Unknown):
        return None
    if isinstance(value, str) and isinstance(wanted, str):
        return value.casefold() == wanted.casefold()
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    return bool(value == wanted)


# --- compiling ------------------------------------------------------------------------------------------------------


def compile_match(raw: Any, path: Path, paths: list[str]) -> Matcher:
    """A match: lines of `path: condition`, all of which must hold. Paths met are added to `paths`."""
    if not isinstance(raw, Mapping) or not raw:
        raise ConditionError(path, "a match is one or more lines of `path: condition`")
    lines = [_line(key, raw[key], (*path, key), paths) for key in raw]
    return lines[0] if len(lines) == 1 else _every(lines)


def _every(parts: list[Matcher]) -> Matcher:
    def holds(thing: Any, scope: Scope) -> Truth:
        answer: Truth = True
        for part in parts:  # `every`, spelled out: this is the innermost loop of judging
            truth = part(thing, scope)
            if truth is False:
                return False
            if truth is None:
                answer = None
        return answer

    return holds


def _line(key: str, raw: Any, path: Path, paths: list[str]) -> Matcher:
    if key == "any_of":
        if not isinstance(raw, list) or not raw:
            raise ConditionError(path, "any_of takes a list of matches")
        branches = [compile_match(branch, (*path, i), paths) for i, branch in enumerate(raw)]
        return lambda thing, scope: some(branch(thing, scope) for branch in branches)
    if key in OPERATORS:
        raise ConditionError(path, f'"{key}" is an operator and needs a path before it')
    paths.append(key)
    steps = key.split(".")
    condition = compile_condition(raw, path, paths, prefix=key)
    if len(steps) == 2 and steps[0] == "facts":
        return _fact(steps[1], condition)
    if steps[0] == "params":  # what the rule was given, so that it can keep silent where it was given nothing
        return lambda _, scope: condition(lookup(scope.params, steps[1:]), scope)
    return lambda thing, scope: condition(lookup(thing, steps), scope)


def _fact(name: str, condition: Matcher) -> Matcher:
    """A line about a fact: those are ours, so their names need no search without case."""

    def holds(thing: Any, scope: Scope) -> Truth:
        facts = getattr(thing, "facts", None)
        return condition(facts.get(name) if facts is not None else lookup(thing, ("facts", name)), scope)

    return holds


def compile_condition(raw: Any, path: Path, paths: list[str], prefix: str = "") -> Matcher:
    """A condition on one value: plain, list, `$path`, operators, or nested lines."""
    if isinstance(raw, Mapping):
        names = [key for key in raw if key in OPERATORS]
        if not names:
            return _nested(compile_match(raw, path, _Prefixed(paths, prefix)))
        if len(names) != len(raw):
            odd = next(key for key in raw if key not in OPERATORS)
            raise ConditionError((*path, odd), f'"{odd}" is no operator', f"operators: {', '.join(OPERATORS)}")
        parts = [_operator(name, raw[name], (*path, name), paths, prefix) for name in names]
        return parts[0] if len(parts) == 1 else _every(parts)
    if isinstance(raw, list):
        if raw and all(isinstance(item, str) and not item.startswith("$") for item in raw):
            return _one_of(frozenset(item.casefold() for item in raw))
        options = [_plain(item, (*path, i)) for i, item in enumerate(raw)]
        return lambda value, scope: some(option(value, scope) for option in options)
    return _plain(raw, path)


class _Prefixed(list[str]):
    """Adds nested paths to the list of all paths, with what is before them."""

    def __init__(self, paths: list[str], prefix: str) -> None:
        super().__init__()
        self._paths, self._prefix = paths, prefix

    def append(self, path: str) -> None:
        self._paths.append(f"{self._prefix}.{path}" if self._prefix else path)


def _nested(matcher: Matcher) -> Matcher:
    def holds(value: Any, scope: Scope) -> Truth:
        if isinstance(value, Unknown):
            scope.seen.append(value)
            return None
        return matcher(value, scope) if isinstance(value, Mapping | msgspec.Struct) else False

    return holds


def _reference(text: str) -> Callable[[Scope], Any]:
    steps = text[1:].split(".")
    if steps[0] == "params":
        return lambda scope: lookup(scope.params, steps[1:])
    return lambda scope: lookup(scope.subject, steps)


def is_reference(raw: Any) -> bool:
    """Whether a condition is `$path`; `$$…` is the text `$…`."""
    return isinstance(raw, str) and raw.startswith("$") and not raw.startswith("$$")


def params_used(raw: Any, path: Path = ()) -> Iterable[tuple[Path, str]]:
    """(where, name) of each parameter that conditions name, as `params.name` or `$params.name`."""
    if isinstance(raw, Mapping):
        for key, value in raw.items():
            if key.startswith("params."):
                yield (*path, key), key.split(".")[1]
            yield from params_used(value, (*path, key))
    elif isinstance(raw, list):
        for i, item in enumerate(raw):
            yield from params_used(item, (*path, i))
    elif isinstance(raw, str) and raw.startswith("$params."):
        yield path, raw.split(".")[1]


def _plain(raw: Any, path: Path) -> Matcher:
    if isinstance(raw, Mapping | list):
        raise ConditionError(path, "a list in a condition holds plain values")
    if is_reference(raw):
        resolve = _reference(raw)

        def holds(value: Any, scope: Scope) -> Truth:
            wanted = resolve(scope)
            if isinstance(wanted, Unknown):
                scope.seen.append(wanted)
                return None
            options = wanted if isinstance(wanted, list | tuple | frozenset) else [wanted]
            return some(_noted(value, option, scope) for option in options)

        return holds
    if isinstance(raw, str):
        return _one_of(frozenset([raw.removeprefix("$").casefold() if raw.startswith("$$") else raw.casefold()]))
    return lambda value, scope: _noted(value, raw, scope)


def _one_of(folded: frozenset[str]) -> Matcher:
    def holds(value: Any, scope: Scope) -> Truth:
        if type(value) is str:
            return value.casefold() in folded
        if isinstance(value, Unknown):
            scope.seen.append(value)
            return None
        return isinstance(value, str) and value.casefold() in folded

    return holds


def _noted(value: Any, wanted: Any, scope: Scope) -> Truth:
    if isinstance(value, Unknown):
        scope.seen.append(value)
        return None
    return _equal(value, wanted)


def _operator(name: str, raw: Any, path: Path, paths: list[str], prefix: str) -> Matcher:
    match name:
        case "not":
            inner = compile_condition(raw, path, paths, prefix)
            return lambda value, scope: negate(inner(value, scope))
        case "any" | "all":
            inner = compile_condition(raw, path, _Silent(), prefix)
            combine = some if name == "any" else every
            return _on_known(lambda value, scope: combine(inner(item, scope) for item in _items(value)))
        case "count":
            inner = compile_condition(raw, path, _Silent(), prefix)
            return _on_known(lambda value, scope: inner(len(_items(value)), scope))
        case "present":
            if not isinstance(raw, bool):
                raise ConditionError(path, "present takes true or false")
            return _on_known(lambda value, _: (value is not None and value not in ("", [], {})) is raw)
        case "like":
            return _like(raw, path)
        case "tagged":
            return _tagged(raw, path)
        case _:
            return _compare(raw, path, at_least=name == "at_least")


def _like(raw: Any, path: Path) -> Matcher:
    if is_reference(raw):
        resolve = _reference(raw)
        return _on_known(lambda value, scope: _meets(value, resolve(scope)))
    patterns = [raw] if isinstance(raw, str) else raw
    if not isinstance(patterns, list) or not all(isinstance(pattern, str) for pattern in patterns):
        raise ConditionError(path, "like takes a text with * and ?, a list of such texts, or $params.name")
    return _on_known(lambda value, _: _meets(value, patterns))


def _meets(value: Any, patterns: Any) -> bool:
    """Whether a text meets one of these patterns, which may be a single one."""
    options = patterns if isinstance(patterns, list | tuple) else [patterns]
    return isinstance(value, str) and any(
        _pattern(option).match(value) is not None for option in options if isinstance(option, str)
    )


@lru_cache(maxsize=4096)
def _pattern(text: str) -> Pattern[str]:
    return compile_pattern(translate(text), IGNORECASE)


def _tagged(raw: Any, path: Path) -> Matcher:
    """Tags of which one is as a `name=value` says, `*` and `?` being wild in both."""
    if not is_reference(raw) and not (isinstance(raw, list) and raw and all(isinstance(item, str) for item in raw)):
        raise ConditionError(path, "tagged takes a list of name=value, or $params.name")
    resolve = _reference(raw) if is_reference(raw) else lambda _: raw

    def holds(tags: Any, scope: Scope) -> Truth:
        wanted = _items(resolve(scope))  # one is as good as a list of one
        told = [f"{name}={value}" for name, value in tags.items()] if isinstance(tags, Mapping) else _items(tags)
        pairs = [pair.casefold() for pair in told if isinstance(pair, str)]
        return any(fnmatchcase(pair, str(pattern).casefold()) for pattern in wanted for pair in pairs)

    return _on_known(holds)


class _Silent(list[str]):
    """Swallows the paths inside lists: they are not paths of the resource."""

    def append(self, path: str) -> None:
        return None


def _compare(raw: Any, path: Path, *, at_least: bool) -> Matcher:
    if is_reference(raw):
        resolve = _reference(raw)
    elif isinstance(raw, int | float) and not isinstance(raw, bool):
        resolve = lambda _: raw  # noqa: E731
    else:
        raise ConditionError(path, "at_least and at_most take a number or $params.name")

    def holds(value: Any, scope: Scope) -> Truth:
        bound = resolve(scope)
        for met in (value, bound):
            if isinstance(met, Unknown):
                scope.seen.append(met)
                return None
        if not _is_number(value) or not _is_number(bound):
            return False
        return bool(value >= bound) if at_least else bool(value <= bound)

    return holds


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _items(value: Any) -> list[Any]:
    if isinstance(value, list | tuple | frozenset | set):
        return list(value)
    if isinstance(value, Mapping):
        return list(value.values())
    return [] if value is None else [value]


def _on_known(inner: Matcher) -> Matcher:
    def holds(value: Any, scope: Scope) -> Truth:
        if isinstance(value, Unknown):
            scope.seen.append(value)
            return None
        return inner(value, scope)

    return holds

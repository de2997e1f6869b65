"""Does every part of a rule matter to its own tests? Each is dropped or turned round, and some test must notice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from auditor.errors import RuleError
from auditor.match import OPERATORS
from auditor.rule import VERBS, Rule, compile_rule
from auditor.rule_tests import run_tests
from auditor.strict_yaml import load

Path = tuple[str | int, ...]
Change = tuple[Path, str, Any]  # where, what was done, and what stands there instead; `_GONE` for nothing

MOST_SHOWN = 60
_GONE = object()
_ALWAYS = {"match": {"id": {"present": True}}}
_NEVER = {"match": {"id": {"present": False}}}
_LISTS = ("any", "all", "not", "count")  # operators that hold a condition


class Mutant(msgspec.Struct, frozen=True, kw_only=True):
    """One change of one part of a rule."""

    line: int
    part: str  # `require.match.facts.enabled`
    change: str  # `dropped`, `turned round` …
    was: str  # what stands there, in short

    @property
    def name(self) -> str:
        """How a list of exceptions names it."""
        return f"{self.part}: {self.change}"


def survivors(text: str, file: str) -> tuple[int, list[Mutant]]:
    """How many changes of a rule were tried, and those that none of its tests noticed."""
    raw, lines = load(text, file)
    tried = 0
    found: list[Mutant] = []
    for path, change, instead in _changes(raw):
        mutated = _with(raw, path, instead)
        try:
            noticed = _noticed(compile_rule(mutated, lines, file))
        except RuleError:
            continue  # such a rule is refused: nobody could write it
        tried += 1
        if not noticed:
            part, was = ".".join(map(str, path)), _short(_at(raw, path))
            found.append(Mutant(line=lines.of(path) or 1, part=part, change=change, was=was))
    return tried, found


def _noticed(rule: Rule) -> bool:
    return any(outcome.differences for outcome in run_tests(rule))


def _short(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"


def _at(raw: Any, path: Path) -> Any:
    for step in path:
        raw = raw[step]
    return raw


# --- changes --------------------------------------------------------------------------------------------------------


def _changes(raw: Mapping[str, Any]) -> Iterator[Change]:
    where = raw.get("where")
    if isinstance(where, Mapping):
        yield from _match(where, ("where",))
    yield from _requirement(raw["require"], ("require",))
    for i, case in enumerate(raw.get("severity_when", ())):
        yield ("severity_when", i), "dropped", _GONE
        yield from _match(case["where"], ("severity_when", i, "where"))


def _requirement(raw: Mapping[str, Any], path: Path) -> Iterator[Change]:
    yield path, "always met", _ALWAYS
    yield path, "never met", _NEVER
    verb = next(verb for verb in VERBS if raw.get(verb) is not None)
    value = raw[verb]
    if verb == "match":
        yield from _match(value, (*path, verb))
    elif verb == "exists" and isinstance(value.get("where"), Mapping):
        yield from _match(value["where"], (*path, verb, "where"))
    elif verb == "alerts":
        yield from _each_dropped(value, (*path, verb))
    elif verb == "logs":
        yield from _each_dropped(value, (*path, verb))
        if isinstance(raw.get("to"), Mapping):
            yield from _match(raw["to"], (*path, "to"))
        elif "to" in raw:
            yield (*path, "to"), "dropped", _GONE
            yield from _each_dropped(raw["to"], (*path, "to"))
    elif verb in ("any_of", "all_of"):
        for i, option in enumerate(value):
            yield from _requirement(option, (*path, verb, i))


def _each_dropped(values: Any, path: Path) -> Iterator[Change]:
    if isinstance(values, Sequence) and not isinstance(values, str) and len(values) > 1:
        for i in range(len(values)):
            yield (*path, i), "dropped", _GONE


def _match(raw: Mapping[str, Any], path: Path) -> Iterator[Change]:
    for key, condition in raw.items():
        line = (*path, key)
        yield (line, "dropped", _GONE) if len(raw) > 1 else (path, "always met", {"id": {"present": True}})
        if key == "any_of":
            yield from _each_dropped(condition, line)
            for i, branch in enumerate(condition):
                yield from _match(branch, (*line, i))
        else:
            yield line, "turned round", _turned(condition)
            yield from _condition(condition, line)


def _turned(condition: Any) -> Any:
    if isinstance(condition, Mapping) and set(condition) == {"not"}:
        return condition["not"]
    return {"not": condition}


def _condition(raw: Any, path: Path) -> Iterator[Change]:
    """The parts of a condition: what is in its lists, its operators, the lines nested in it."""
    if not isinstance(raw, Mapping):
        yield from _each_dropped(raw, path)
    elif not any(name in raw for name in OPERATORS):
        yield from _match(raw, path)
    else:
        for name, inner in raw.items():
            if len(raw) > 1:
                yield (*path, name), "dropped", _GONE
            if name in _LISTS:
                yield from _condition(inner, (*path, name))


def _with(raw: Any, path: Path, instead: Any) -> Any:
    """A copy of what was read with one place changed."""
    if not path:
        return instead
    step, rest = path[0], path[1:]
    if isinstance(raw, Mapping):
        copy: Any = dict(raw)
    else:
        copy = list(raw)
    if not rest and instead is _GONE:
        del copy[step]
    else:
        copy[step] = _with(raw[step], rest, instead)
    return copy

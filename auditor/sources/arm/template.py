"""The resources of a template, however they are written: alone, nested, repeated, conditional, in other deployments."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec

from auditor.sources.arm.evaluate import Budget, Frame, TooMuch
from auditor.sources.arm.jsonc import Object
from auditor.sources.arm.nested import DEPLOYMENT, Nested
from auditor.sources.arm.place import place_of
from auditor.sources.arm.turn import At, Declared, Turn
from auditor.sources.arm.values import Sym, Value, token, words_of

MAX_RESOURCES: Final = 50_000


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What a template makes, and why that is not all."""

    resources: list[Declared]
    lacking: list[str]
    linked: bool = False  # part of it is a template that is elsewhere


def resources_of(template: Mapping[str, Any], given: Mapping[str, Any] | None) -> Found:
    """The resources of a template. `given` are the values of a parameter file. Raises `TooMuch`."""
    values = {name: _thunk(value) for name, value in (given or {}).items()}
    place = place_of(template.get("$schema"))
    frame = Frame(template, place, Budget(), given=values, alone=given is None)
    walk = _Walk()
    walk.template(template, At(env=frame.env(), place=place), frame)
    return Found(resources=walk.found, lacking=sorted(set(walk.lacking)), linked=walk.linked)


def _thunk(value: Any) -> Callable[[], Value]:
    return lambda: value


class _Walk:
    def __init__(self) -> None:
        self.found: list[Declared] = []
        self.lacking: list[str] = []
        self.linked = False

    def lacks(self, why: str, *, linked: bool = False) -> None:
        """Hear that something is not told, or that it is in a template elsewhere."""
        self.lacking.append(why)
        self.linked = self.linked or linked

    def template(self, template: Mapping[str, Any], at: At, frame: Frame) -> None:
        """Go through one template."""
        turns, later = self.names(template, at, frame)
        for turn in turns:
            if turn.kind.lower() != DEPLOYMENT:
                self._resource(turn)
        for nested in later:
            nested.walk()

    def names(self, template: Mapping[str, Any], at: At, frame: Frame) -> tuple[list[Turn], list[Nested]]:
        """The resources as they are written; deployments and symbols become known by name."""
        raw = template.get("resources")
        if isinstance(raw, str):
            raw = at.env.value(raw)
        turns = list(self._turns(raw, at))
        later = []
        for turn in turns:
            if turn.kind.lower() == DEPLOYMENT:
                later.append(self._deployment(turn, frame))
            if turn.symbol and not turn.looped:
                frame.symbols[turn.symbol.lower()] = turn.own_id
        return turns, later

    def _turns(self, raw: Any, at: At) -> Iterator[Turn]:
        """Each resource once for each of its copies."""
        if raw is None:
            return
        if isinstance(raw, Mapping):
            lines = raw.lines if isinstance(raw, Object) else {}
            listed = [(symbol, one, lines.get(symbol)) for symbol, one in raw.items()]
        elif isinstance(raw, list):
            listed = [("", one, None) for one in raw]
        else:
            self.lacks(f"which resources there are is not told: {words_of(raw)}")
            return
        for symbol, one, line in listed:
            if isinstance(one, Mapping):
                yield from self._copies(symbol, one, line, at)

    def _copies(self, symbol: str, raw: Mapping[str, Any], line: int | None, at: At) -> Iterator[Turn]:
        fields = {key.lower(): value for key, value in raw.items()}
        loop = fields.get("copy")
        turn = Turn(raw=raw, fields=fields, symbol=symbol, line=line, at=at)
        if not isinstance(loop, Mapping) or "count" not in loop:
            yield turn.decided(self.lacks)
            return
        name, count = str(loop.get("name") or ""), at.env.count(loop["count"])
        if isinstance(count, Sym):
            conditions = at.conditions | {f"{count.words} is not 0"}
            index = token(f"copyIndex({count.words})")
            env = at.env.turn(name, index, resource=True)
            inside = msgspec.structs.replace(at, env=env, conditions=conditions)
            yield msgspec.structs.replace(turn, at=inside, looped="[…]").decided(self.lacks)
            return
        for number in range(count):
            inside = msgspec.structs.replace(at, env=at.env.turn(name, number, resource=True))
            yield msgspec.structs.replace(turn, at=inside, looped=f"[{number}]").decided(self.lacks)

    def _resource(self, turn: Turn) -> None:
        if turn.never:
            return
        made = turn.declared()
        self.found.append(made)
        if len(self.found) > MAX_RESOURCES:
            raise TooMuch(f"it makes more than {MAX_RESOURCES:,} resources")
        inside = turn.fields.get("resources")
        if inside:
            at = msgspec.structs.replace(turn.at, parent=made, conditions=made.conditions)
            for child in list(self._turns(inside, at)):
                self._resource(child)

    def _deployment(self, turn: Turn, frame: Frame) -> Nested:
        nested = Nested(turn, frame, self)
        if not turn.never:
            for key in turn.called():
                frame.deployments.setdefault(key, nested.outputs)
        return nested

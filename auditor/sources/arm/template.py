"""The resources of a template, however they are written: alone, nested, repeated, conditional, in other deployments."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec

from auditor.sources.arm.evaluate import Budget, Env, Frame, TooMuch
from auditor.sources.arm.functions import Later, truth
from auditor.sources.arm.jsonc import Object
from auditor.sources.arm.place import Id, Place, below, key_of, names_in, own_id, place_of, scoped_id
from auditor.sources.arm.values import Sym, Value, joined, show, shown, token, words_of

DEPLOYMENT: Final = "microsoft.resources/deployments"
_CONTROL: Final = frozenset({"copy", "condition", "dependson", "apiversion", "comments", "resources", "scope", "existing"})
MAX_NESTED: Final = 30  # deployments inside deployments
MAX_RESOURCES: Final = 50_000


class Declared(msgspec.Struct, frozen=True, kw_only=True):
    """One resource of a template, as far as it can be told before the deployment."""

    kind: str  # type
    name: Id
    id: Id | None  # None: what it is a part of is not told
    body: Mapping[str, Value]
    address: str
    line: int | None = None
    end: int | None = None
    conditions: frozenset[str] = frozenset()  # what is not known and decides whether it is made at all
    existing: bool = False
    scopes: tuple[Id, ...] = ()  # where it may be set, if one of these is it
    scope_words: str = ""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What a template makes, and why that is not all."""

    resources: list[Declared]
    lacking: list[str]


class _At(msgspec.Struct, frozen=True, kw_only=True):
    """Where resources stand: what is known of the deployment and the resource around them."""

    env: Env
    place: Place
    conditions: frozenset[str] = frozenset()
    path: str = ""  # addresses of the deployments around
    depth: int = 0
    parent: Declared | None = None
    language: bool = False  # symbolic names


def resources_of(template: Mapping[str, Any], given: Mapping[str, Any] | None) -> Found:
    """The resources of a template. `given` are the values of a parameter file. Raises `TooMuch`."""
    values = {name: _thunk(value) for name, value in (given or {}).items()}
    place = place_of(template.get("$schema"))
    frame = Frame(template, place, Budget(), given=values, alone=given is None)
    walk = _Walk()
    walk.template(template, _At(env=frame.env(), place=place), frame)
    return Found(resources=walk.found, lacking=sorted(set(walk.lacking)))


def _thunk(value: Any) -> Callable[[], Value]:
    return lambda: value


class _Walk:
    def __init__(self) -> None:
        self.found: list[Declared] = []
        self.lacking: list[str] = []

    def template(self, template: Mapping[str, Any], at: _At, frame: Frame) -> None:
        turns, later = self.names(template, at, frame)
        for turn in turns:
            if turn.kind.lower() != DEPLOYMENT:
                self._resource(turn)
        for nested in later:
            nested.walk(self)

    def names(self, template: Mapping[str, Any], at: _At, frame: Frame) -> tuple[list[_Turn], list[_Nested]]:
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

    def _turns(self, raw: Any, at: _At) -> Iterator[_Turn]:
        """Each resource once for each of its copies."""
        if raw is None:
            return
        if isinstance(raw, Mapping):
            listed = [(symbol, one, raw.lines.get(symbol) if isinstance(raw, Object) else None) for symbol, one in raw.items()]
        elif isinstance(raw, list):
            listed = [("", one, None) for one in raw]
        else:
            self.lacking.append(f"which resources there are is not told: {words_of(raw)}")
            return
        for symbol, one, line in listed:
            if isinstance(one, Mapping):
                yield from self._copies(symbol, one, line, at)

    def _copies(self, symbol: str, raw: Mapping[str, Any], line: int | None, at: _At) -> Iterator[_Turn]:
        fields = {key.lower(): value for key, value in raw.items()}
        loop = fields.get("copy")
        turn = _Turn(raw=raw, fields=fields, symbol=symbol, line=line, at=at)
        if not isinstance(loop, Mapping) or "count" not in loop:
            yield turn.decided(self)
            return
        name, count = str(loop.get("name") or ""), at.env.count(loop["count"])
        if isinstance(count, Sym):
            conditions = at.conditions | {f"copies: {count.words}"}
            index = token(f"copyIndex({count.words})")
            env = at.env.turn(name, index, resource=True)
            yield msgspec.structs.replace(
                turn, at=msgspec.structs.replace(at, env=env, conditions=conditions), looped="[…]"
            ).decided(self)
            return
        for index in range(count):
            env = at.env.turn(name, index, resource=True)
            yield msgspec.structs.replace(
                turn, at=msgspec.structs.replace(at, env=env), looped=f"[{index}]"
            ).decided(self)

    def _resource(self, turn: _Turn) -> None:
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

    def _deployment(self, turn: _Turn, frame: Frame) -> _Nested:
        nested = _Nested(turn, frame)
        if not turn.never:
            for key in turn.called():
                frame.deployments.setdefault(key, nested.outputs)
        return nested


class _Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One copy of one resource as it is written."""

    raw: Mapping[str, Any]
    fields: Mapping[str, Any]  # by lower-case name
    symbol: str
    line: int | None
    at: _At
    looped: str = ""
    never: bool = False
    kind: str = ""

    def decided(self, walk: _Walk) -> _Turn:
        """The same, with its type and what its condition says."""
        kind = self.at.env.value(self.fields.get("type") or "")
        if not isinstance(kind, str):
            walk.lacking.append(f"the type of a resource is not told: {words_of(kind)}")
            kind = "unknown/unknown"
        kind = kind.partition("@")[0]
        if "condition" not in self.fields:
            return msgspec.structs.replace(self, kind=kind)
        told = self.at.env.value(self.fields["condition"])
        try:
            return msgspec.structs.replace(self, kind=kind, never=not truth(told))
        except Later:
            at = msgspec.structs.replace(self.at, conditions=self.at.conditions | {_condition(told)})
            return msgspec.structs.replace(self, kind=kind, at=at)

    @property
    def name(self) -> Id:
        """Its name, with that of the resource around it."""
        found = self.at.env.value(self.fields.get("name", ""))
        if not isinstance(found, str | Sym):
            found = show(found)
        parent = self.at.parent
        return found if parent is None or self._whole(parent) else joined([parent.name, "/", found])

    @property
    def whole_kind(self) -> str:
        """Its type, with that of the resource around it."""
        parent = self.at.parent
        return self.kind if parent is None or self._whole(parent) else f"{parent.kind}/{self.kind}"

    def _whole(self, parent: Declared) -> bool:
        return self.kind.lower().startswith(f"{parent.kind.lower()}/")

    @property
    def address(self) -> str:
        """How somebody who wrote it would call it."""
        own = self.symbol or f"{self.whole_kind}/{shown(self.name)}"
        return f"{self.at.path}{own}{self.looped if self.symbol else ''}"

    def own_id(self) -> Value:
        """Its id; a token where that is not told."""
        found, _ = self._placed()
        return found if found is not None else token(f"{self.at.path}{self.symbol}.id")

    def _placed(self) -> tuple[Id | None, tuple[Id, ...]]:
        """Its id, and else the scopes of which one is its own."""
        kind, name = self.whole_kind, self.name
        if "scope" not in self.fields:
            return own_id(self.at.place, kind, name), ()
        scope = self.at.env.value(self.fields["scope"])
        if isinstance(scope, str | Sym):
            found = scoped_id(self.at.place, scope)
            if found is not None:
                return below("" if found == "/" else found, kind, names_in(name)), ()
            if isinstance(scope, Sym) and scope.only:
                options = [scoped_id(self.at.place, one) for one in scope.only.options if isinstance(one, str | Sym)]
                if options and len(options) == len(scope.only.options) and None not in options:
                    return None, tuple(one for one in options if one is not None)
        return None, ()

    def declared(self) -> Declared:
        """The resource that this makes."""
        kind = self.whole_kind
        found, scopes = self._placed()
        body = {
            key: self.at.env.value(value)
            for key, value in self.raw.items()
            if key.lower() not in _CONTROL and key.lower() not in ("type", "name")
        }
        self.at.env.frame.budget.weigh(body)
        raw = self.raw
        return Declared(
            kind=kind,
            name=self.name,
            id=found,
            body=body,
            address=self.address,
            line=self.line or (raw.line if isinstance(raw, Object) else None),
            end=raw.end if isinstance(raw, Object) else None,
            conditions=self.at.conditions,
            existing=self.fields.get("existing") is True,
            scopes=scopes,
            scope_words=words_of(self.at.env.value(self.fields["scope"])) if "scope" in self.fields else words_of(self.name),
        )

    def called(self) -> Iterator[str]:
        """By what other resources name a deployment."""
        found = self.own_id()
        if isinstance(found, str | Sym):
            yield key_of(found)
        yield key_of(self.name)
        if self.symbol and not self.looped:
            yield self.symbol.lower()


def _condition(told: Value) -> str:
    return told.words if isinstance(told, Sym) else show(told)


class _Nested:
    """A deployment inside a template, worked out when somebody asks for it."""

    def __init__(self, turn: _Turn, frame: Frame) -> None:
        self._turn = turn
        self._outer = frame
        self._frame: Frame | None = None
        self._outputs: Value = None
        self._asked = False
        properties = turn.fields.get("properties")
        self._properties = {k.lower(): v for k, v in properties.items()} if isinstance(properties, Mapping) else {}
        template = self._properties.get("template")
        self._template: Mapping[str, Any] | None = template if isinstance(template, Mapping) else None

    def _inner(self) -> bool:
        options = self._properties.get("expressionevaluationoptions")
        scope = options.get("scope") if isinstance(options, Mapping) else None
        return isinstance(scope, str) and scope.lower() == "inner"

    def place(self) -> Place:
        """Where it deploys to."""
        turn, place = self._turn, self._turn.at.place
        told = {key: turn.at.env.value(turn.fields[key]) for key in ("subscriptionid", "resourcegroup", "scope") if key in turn.fields}
        subscription, group, scope = (told.get(key) for key in ("subscriptionid", "resourcegroup", "scope"))
        if isinstance(subscription, str | Sym):
            place = msgspec.structs.replace(place, subscription=subscription, level="subscription")
        if isinstance(group, str | Sym):
            place = msgspec.structs.replace(place, group=group, level="resourceGroup")
        if scope == "/":
            return msgspec.structs.replace(place, level="tenant")
        if isinstance(scope, str | Sym):
            names = names_in(scope)
            if len(names) > 1 and str(names[-2]).lower() == "managementgroups":
                return msgspec.structs.replace(place, level="managementGroup", management_group=names[-1])
        return place

    def frame(self) -> Frame | None:
        """What its own expressions see; None for one whose template is elsewhere."""
        if self._frame is None and self._template is not None:
            turn = self._turn
            if not self._inner():
                self._frame = turn.at.env.frame
            else:
                self._frame = Frame(
                    self._template,
                    self.place(),
                    self._outer.budget,
                    given=self._given(),
                    path=f"{turn.address}: ",
                    alone=False,
                )
        return self._frame

    def _given(self) -> dict[str, Callable[[], Value]]:
        env = self._turn.at.env
        raw = self._properties.get("parameters")
        if isinstance(raw, str):
            raw = env.value(raw)
        found: dict[str, Callable[[], Value]] = {}
        for name, one in raw.items() if isinstance(raw, Mapping) else ():
            found[name] = self._one(env, name, one)
        return found

    def _one(self, env: Env, name: str, one: Any) -> Callable[[], Value]:
        def given() -> Value:
            told = env.value(one) if isinstance(one, str) else one
            if isinstance(told, Mapping) and "value" in told:
                return env.value(told["value"])
            return token(f"{self._turn.address}: parameters({show(name)})")

        return given

    def outputs(self) -> Value:
        """What it gives to others, each `{"value": …}`."""
        unknown = token(f"reference({show(self._turn.address)}).outputs")
        frame = self.frame()
        if frame is None or self._template is None:
            return unknown
        if not self._asked:
            self._asked = True
            self._outputs = unknown  # for one that asks for itself
            self._register(frame)
            raw = self._template.get("outputs")
            env = self._turn.at.env if not self._inner() else frame.env()
            with frame.budget.inside():
                self._outputs = {
                    name: {"value": self._output(env, one)}
                    for name, one in (raw.items() if isinstance(raw, Mapping) else ())
                    if isinstance(one, Mapping)
                }
        return self._outputs

    @staticmethod
    def _output(env: Env, one: Mapping[str, Any]) -> Value:
        loop = one.get("copy")
        if isinstance(loop, Mapping) and "count" in loop:
            return env.repeated({"name": "", **loop})
        return env.value(one.get("value"))

    def _register(self, frame: Frame) -> None:
        """Make the deployments and symbols inside known, which outputs may name."""
        if self._inner() and self._template is not None and not frame.deployments and not frame.symbols:
            _Walk().names(self._template, self._at(frame), frame)

    def _at(self, frame: Frame) -> _At:
        turn = self._turn
        env = frame.env() if self._inner() else turn.at.env
        return _At(
            env=env,
            place=self.place(),
            conditions=turn.at.conditions,
            path=f"{turn.address}/",
            depth=turn.at.depth + 1,
        )

    def walk(self, walk: _Walk) -> None:
        """The resources that it makes."""
        turn = self._turn
        if turn.never:
            return
        frame = self.frame()
        if frame is None or self._template is None:
            link = self._properties.get("templatelink")
            where = turn.at.env.value(link) if link is not None else None
            told = next((where[k] for k in ("uri", "relativePath", "id") if k in where), "") if isinstance(where, Mapping) else where
            walk.lacking.append(f"the template of {turn.address} is elsewhere ({words_of(told)})")
            return
        if turn.at.depth > MAX_NESTED:
            raise TooMuch("deployments are nested too deeply")
        with frame.budget.inside():
            walk.template(self._template, self._at(frame), frame)

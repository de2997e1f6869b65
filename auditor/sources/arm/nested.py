"""Deployments inside a template: their own templates, what these are given, and what they give to others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import msgspec

from auditor.sources.arm.evaluate import Env, Frame, TooMuch
from auditor.sources.arm.place import Place, names_in
from auditor.sources.arm.turn import At, Turn
from auditor.sources.arm.values import Sym, Value, show, token, words_of

DEPLOYMENT: Final = "microsoft.resources/deployments"
MAX_NESTED: Final = 30  # deployments inside deployments


class Walker(Protocol):
    """What goes through the resources of templates (see `template`)."""

    def template(self, template: Mapping[str, Any], at: At, frame: Frame) -> None:
        """Go through one."""

    def names(self, template: Mapping[str, Any], at: At, frame: Frame) -> object:
        """Make the deployments and symbols of one known."""

    def lacks(self, why: str, *, linked: bool = False) -> None:
        """Hear that something is not told, or that it is in a template elsewhere."""


class Nested:
    """A deployment inside a template, worked out when somebody asks for it."""

    def __init__(self, turn: Turn, frame: Frame, walker: Walker) -> None:
        self._walker = walker
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
        names = ("subscriptionid", "resourcegroup", "scope")
        subscription, group, scope = (turn.at.env.value(turn.fields.get(name)) for name in names)
        if isinstance(subscription, str | Sym):
            place = msgspec.structs.replace(place, subscription=subscription, level="subscription")
        if isinstance(group, str | Sym):
            place = msgspec.structs.replace(place, group=group, level="resourceGroup")
        if scope == "/":
            return msgspec.structs.replace(place, level="tenant")
        if isinstance(scope, str | Sym):
            parts = names_in(scope)
            if len(parts) > 1 and str(parts[-2]).lower() == "managementgroups":
                return msgspec.structs.replace(place, level="managementGroup", management_group=parts[-1])
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
            if isinstance(one, Mapping) and "value" in one:
                return env.value(one["value"])
            told = env.value(one)
            if isinstance(told, Mapping) and "value" in told:
                return told["value"]
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
            self._walker.names(self._template, self._at(frame), frame)

    def _at(self, frame: Frame) -> At:
        turn = self._turn
        env = frame.env() if self._inner() else turn.at.env
        return At(
            env=env,
            place=self.place(),
            conditions=turn.at.conditions,
            path=f"{turn.address}/",
            depth=turn.at.depth + 1,
        )

    def walk(self) -> None:
        """The resources that it makes."""
        turn = self._turn
        if turn.never:
            return
        frame = self.frame()
        if frame is None or self._template is None:
            link = self._properties.get("templatelink")
            where = turn.at.env.value(link) if link is not None else None
            if isinstance(where, Mapping):
                where = next((where[key] for key in ("uri", "relativePath", "id") if key in where), "")
            self._walker.lacks(f"the template of {turn.address} is elsewhere ({words_of(where)})", linked=True)
            return
        if turn.at.depth > MAX_NESTED:
            raise TooMuch("deployments are nested too deeply")
        with frame.budget.inside():
            self._walker.template(self._template, self._at(frame), frame)

"""Working out the expressions of a template, as far as anything is known before the deployment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import msgspec

from auditor.sources.arm import expressions, scope_functions
from auditor.sources.arm.expressions import Call, Literal, Node, expression_of, parse, plain
from auditor.sources.arm.functions import FUNCTIONS, SPELLED, truth
from auditor.sources.arm.place import Place
from auditor.sources.arm.values import Later, Sym, Value, known, member, show, token

MAX_DEPTH: Final = 150  # of what is worked out inside something else
MAX_STEPS: Final = 4_000_000
MAX_COPIES: Final = 10_000
_WRONG: Final = (
    Later,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    StopIteration,
)


class TooMuch(Exception):  # noqa: N818
    """A template that would take too long, or grow too large."""


class Budget:
    """What may still be done for one input."""

    def __init__(self, steps: int | None = None) -> None:
        self.left = MAX_STEPS if steps is None else steps
        self._inside = 0

    @contextmanager
    def inside(self) -> Iterator[None]:
        """While one thing is worked out for another. Raises `TooMuch` where that goes on and on."""
        if self._inside > MAX_DEPTH:
            raise TooMuch("it refers to itself, or is nested too deeply")
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1

    def take(self, steps: int = 1) -> None:
        """Use some of it up. Raises `TooMuch` where there is none left."""
        self.left -= steps
        if self.left < 0:
            raise TooMuch("it does not come to an end, or grows too large")

    def weigh(self, value: Value) -> None:
        """Use up as much as a value is large."""
        if isinstance(value, str | int | Sym) or value is None:
            self.take(_letters(value))
            return
        waiting = [value]
        left = self.left
        while waiting and left >= 0:
            one = waiting.pop()
            left -= _letters(one)
            if isinstance(one, dict):
                waiting += one.values()
            elif isinstance(one, list):
                waiting += one
        self.left = left
        self.take(0)


def _letters(value: Value) -> int:
    """How much one value by itself counts."""
    if isinstance(value, str):
        return 1 + len(value) // 100
    return 1 + sum(_letters(part) for part in value.parts) if isinstance(value, Sym) else 1


Given = Callable[[], Value]


class Frame:
    """One template at work: its parameters, variables and functions, and where it deploys to."""

    def __init__(
        self,
        template: Mapping[str, Any],
        place: Place,
        budget: Budget,
        *,
        given: Mapping[str, Given] | None = None,
        path: str = "",
        alone: bool = True,
    ) -> None:
        self.place = place
        self.budget = budget
        self.path = path  # names of the deployments it is inside
        self.alone = alone  # whether parameters that are left out may still be given
        self._given = {name.lower(): value for name, value in (given or {}).items()}
        self._parameters = _lowered(template.get("parameters"))
        self._variables = _variables(template.get("variables"))
        self.functions = _functions(template.get("functions"))
        self._known: dict[tuple[str, str], Value] = {}
        self.deployments: dict[str, Callable[[], Value]] = {}  # by normal id, name and symbol → outputs
        self.symbols: dict[str, Callable[[], Value]] = {}  # symbolic name → id

    def token(self, words: str, *, nothing: bool = False) -> Sym:
        """What only this template's own deployment knows."""
        return token(f"{self.path}{words}", nothing=nothing)

    def parameter(self, name: str) -> Value:
        """The value of a parameter: given, else its default."""
        spelled, declared = self._parameters.get(name.lower(), (name, {}))
        return self._once("parameters", spelled, lambda: self._parameter(spelled, declared))

    def _parameter(self, name: str, declared: Any) -> Value:
        given = self._given.get(name.lower())
        if given is not None:
            return given()
        if isinstance(declared, Mapping):
            if "defaultValue" in declared:
                return self.env(asked=name).value(declared["defaultValue"])
            if declared.get("nullable") is True and not self.alone:
                return None
        left_out = isinstance(declared, Mapping) and declared.get("nullable") is True
        return self.token(f"parameters({show(name)})", nothing=left_out)

    def variable(self, name: str) -> Value:
        """The value of a variable."""
        found = self._variables.get(name.lower())
        if found is None:
            return self.token(f"variables({show(name)})")
        spelled, raw = found
        if isinstance(raw, _Repeated):
            return self._once("variables", spelled, lambda: self.env().repeated(raw.loop))
        return self._once("variables", spelled, lambda: self.env().value(raw))

    def _once(self, kind: str, name: str, work: Callable[[], Value]) -> Value:
        key = (kind, name.lower())
        if key not in self._known:
            self._known[key] = self.token(f"{kind}({show(name)})")  # for one that asks for itself
            with self.budget.inside():
                self._known[key] = work()
        return self._known[key]

    def env(self, **more: Any) -> Env:
        """Where nothing is repeated."""
        return Env(frame=self, **more)


class Env(msgspec.Struct, frozen=True, kw_only=True):
    """Where an expression stands: in which template, and for which turn of which loops."""

    frame: Frame
    copies: Mapping[str, Value] = {}  # name of a loop, lower case → its index; "" is the innermost one of resources
    names: Mapping[str, Value] = {}  # of lambdas
    own: Mapping[str, Value] | None = None  # parameters of a user's function
    asked: str = ""  # whose default this is
    depth: int = 0

    def deeper(self, **more: Any) -> Env:
        """The same, one level down. Raises `TooMuch` where that is too deep."""
        if self.depth > MAX_DEPTH:
            raise TooMuch("it refers to itself, or is nested too deeply")
        return msgspec.structs.replace(self, depth=self.depth + 1, **more)

    def value(self, raw: Any) -> Value:
        """A value of the template with its expressions worked out."""
        budget = self.frame.budget
        if isinstance(raw, str):
            budget.take()
            inner = expression_of(raw)
            return plain(raw) if inner is None else self.expression(inner)
        if isinstance(raw, Mapping):
            return self._object(raw)
        if isinstance(raw, list):
            inside = self.deeper()
            return [inside.value(item) for item in raw]
        return raw

    def expression(self, text: str) -> Value:
        """The value of what is between the brackets."""
        try:
            node = parse(text)
        except expressions.Wrong:
            return self.frame.token(text)
        return self.node(node)

    def _object(self, raw: Mapping[str, Any]) -> Value:
        inside = self.deeper()
        made: dict[str, Value] = {}
        for key, inner in raw.items():
            if key.lower() == "copy" and isinstance(inner, list) and all(map(_is_loop, inner)):
                for loop in inner:
                    made[str(loop["name"])] = inside.repeated(loop)
                continue
            spelled: Value = key
            if key[:1] == "[":
                spelled = inside.value(key)
            made[spelled if isinstance(spelled, str) else show(spelled)] = inside.value(inner)
        return made

    def repeated(self, loop: Mapping[str, Any]) -> Value:
        """The values of a property or variable that is repeated."""
        name, count = str(loop["name"]), self.count(loop.get("count"))
        if isinstance(count, Sym):
            return token(f"copy {name} of {count.words}")
        return [self.turn(name, at).value(loop.get("input")) for at in range(count)]

    def count(self, raw: Any) -> int | Sym:
        """How often something is repeated. Raises `TooMuch` where that is more often than Azure would."""
        found = self.value(raw)
        if isinstance(found, str) and found.isdigit():
            found = int(found)
        if isinstance(found, float) and found.is_integer():
            found = int(found)
        if not isinstance(found, int) or isinstance(found, bool) or found < 0:
            return found if isinstance(found, Sym) else token(f"copies: {show(found)}")
        if found > MAX_COPIES:
            raise TooMuch(f"it makes {found:,} copies, and Azure makes 800 at most")
        self.frame.budget.take(found)
        return found

    def turn(self, name: str, at: Value, *, resource: bool = False) -> Env:
        """Inside one turn of a loop."""
        return self.deeper(copies={**self.copies, name.lower(): at, **({"": at} if resource else {})})

    def node(self, node: Node) -> Value:
        """The value of an expression, a token where it cannot be worked out."""
        self.frame.budget.take()
        if isinstance(node, Literal):
            return node.value
        inside = self.deeper()
        if isinstance(node, Call):
            return inside.call(node)
        of, key = inside.node(node.of), inside.node(node.key)
        if isinstance(of, Sym):
            self.frame.budget.weigh(of)
        try:
            return member(of, key)
        except LookupError:
            if node.safe:
                return None
            return token(f"{show(of)}{_step(key)}")
        except Later:
            if isinstance(of, Sym) and of.only and of.only.options and known(key):
                return self._chosen(of, key, node)
            return token(f"{show(of)}{_step(key)}", nothing=node.safe)

    def _chosen(self, of: Sym, key: Value, node: expressions.Member) -> Value:
        found = of.only
        options = []
        for option in found.options if found else ():
            try:
                options.append(member(option, key))
            except LookupError:
                if not node.safe:
                    return token(f"{show(of)}{_step(key)}")
                options.append(None)
            except Later:
                return token(f"{show(of)}{_step(key)}")
        return token(f"{show(of)}{_step(key)}", options=tuple(options))

    def call(self, node: Call) -> Value:
        """What a function gives."""
        if node.name == "if":
            return self._if(node)
        special = scope_functions.SPECIAL.get(node.name.removeprefix("sys."))
        if special is not None:
            try:
                return special(self, node)
            except _WRONG:
                return token(f"{self.frame.path}{self._words(node)}")
        given = [self.node(argument) for argument in node.arguments]
        if "." in node.name and node.name in self.frame.functions:
            return self._own(node.name, given)
        known_as = node.name.removeprefix("sys.")
        for value in given:
            self.frame.budget.weigh(value)
        function = FUNCTIONS.get(known_as)
        if function is not None:
            try:
                found = function(*given)
            except _WRONG:
                pass
            else:
                self.frame.budget.weigh(found)
                return found
        words = f"{SPELLED.get(known_as, known_as)}({', '.join(map(show, given))})"
        return token(words, nothing=known_as == "tryget")

    def _words(self, node: Call) -> str:
        spelled = SPELLED.get(node.name, node.spelled)
        given = [self.node(argument) for argument in node.arguments]
        self.frame.budget.weigh(given)
        return f"{spelled}({', '.join(map(show, given))})"

    def _if(self, node: Call) -> Value:
        if len(node.arguments) != 3:
            return token(self._words(node))
        condition = self.node(node.arguments[0])
        try:
            return self.node(node.arguments[1] if truth(condition) else node.arguments[2])
        except Later:
            options = [self.node(argument) for argument in node.arguments[1:]]
        self.frame.budget.weigh(options)
        return _either(show(condition), *options)

    def _own(self, name: str, given: list[Value]) -> Value:
        declared = self.frame.functions[name]
        named = declared.get("parameters")
        names = [str(p.get("name")).lower() for p in named if isinstance(p, Mapping)] if isinstance(named, list) else []
        output = declared.get("output")
        raw = output.get("value") if isinstance(output, Mapping) else None
        return self.deeper(own=dict(zip(names, given, strict=False)), names={}, copies={}).value(raw)


def _either(condition: str, then: Value, otherwise: Value) -> Value:
    """What a condition that is not known chooses; of two objects with the same keys, what it chooses for each."""
    if isinstance(then, dict) and isinstance(otherwise, dict) and then and then.keys() == otherwise.keys():
        return {key: _either(condition, then[key], otherwise[key]) for key in then}
    words = show(then), show(otherwise)
    if words[0] == words[1]:
        return then
    return token(f"if({condition}, {words[0]}, {words[1]})", options=(then, otherwise))


def _step(key: Value) -> str:
    return f".{key}" if isinstance(key, str) else f"[{show(key)}]"


def _is_loop(value: object) -> bool:
    return isinstance(value, Mapping) and "name" in value and "count" in value


def _lowered(value: object) -> dict[str, tuple[str, Any]]:
    return {key.lower(): (key, inner) for key, inner in value.items()} if isinstance(value, Mapping) else {}


def _variables(value: object) -> dict[str, tuple[str, Any]]:
    """Variables by lower-case name; one that is repeated as the loop that makes it."""
    found = _lowered(value)
    _, loops = found.pop("copy", ("", None))
    for loop in loops if isinstance(loops, list) else ():
        if _is_loop(loop):
            name = str(loop["name"])
            found[name.lower()] = (name, _Repeated(loop))
    return found


class _Repeated(msgspec.Struct, frozen=True):
    """A variable that is made by a loop."""

    loop: Mapping[str, Any]


def _functions(value: object) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for group in value if isinstance(value, list) else ():
        members = group.get("members") if isinstance(group, Mapping) else None
        for name, declared in members.items() if isinstance(members, Mapping) else ():
            if isinstance(declared, Mapping):
                found[f"{group.get('namespace')}.{name}".lower()] = declared
    return found

"""YAML as people think it is: 1.2 booleans, no repeated keys, no tags, no dates, and the line of every value.

PyYAML alone reads `on` as true (PostgreSQL's `log_checkpoints` is `on`) and keeps the last of two equal keys.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, TypeVar

import msgspec
import yaml

from auditor.errors import RuleError

MAX_BYTES = 1_000_000
MAX_VALUES = 100_000  # after aliases are spelled out

Path = tuple[str | int, ...]
T = TypeVar("T")


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """A loader whose only plain scalars of meaning are null, true/false, integers and floats."""

    yaml_implicit_resolvers: dict[str, Any] = {}


_PLAIN = (
    ("tag:yaml.org,2002:null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("tag:yaml.org,2002:bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("tag:yaml.org,2002:int", r"[-+]?[0-9]+", list("-+0123456789")),
    ("tag:yaml.org,2002:float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)",
     list("-+.0123456789")),
)  # fmt: skip
for _tag, _pattern, _first in _PLAIN:
    _Loader.add_implicit_resolver(_tag, re.compile(f"^(?:{_pattern})$"), _first)


class Lines:
    """The line of each value and key of a YAML file, by path."""

    def __init__(self) -> None:
        self._values: dict[Path, int] = {}
        self._keys: dict[Path, int] = {}

    def of(self, path: Sequence[str | int]) -> int | None:
        """The line of the value at a path, or of the nearest value around it."""
        for end in range(len(path), -1, -1):
            line = self._keys.get(tuple(path[:end])) or self._values.get(tuple(path[:end]))
            if line:
                return line
        return None


def load(text: str, file: str) -> tuple[Any, Lines]:
    """Read one YAML document; every problem is a `RuleError` with file and line."""
    if len(text) > MAX_BYTES:
        raise RuleError(file, None, f"larger than {MAX_BYTES:,} characters")
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise RuleError(file, mark.line + 1 if mark else None, error.problem or "not YAML") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise RuleError(file, None, f"not YAML: {str(error).splitlines()[0][:120]}") from None
    lines = Lines()
    budget = [MAX_VALUES]
    return (_value(node, (), lines, file, budget, 0) if node is not None else None), lines


def _value(node: yaml.Node, path: Path, lines: Lines, file: str, budget: list[int], depth: int) -> Any:
    line = node.start_mark.line + 1
    budget[0] -= 1
    if budget[0] < 0 or depth > 50:
        raise RuleError(file, line, "nested or aliased too deeply")
    lines._values.setdefault(path, line)
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node, file)
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, (*path, i), lines, file, budget, depth + 1) for i, item in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        raise RuleError(file, line, "neither text, list nor mapping")
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = _scalar(key_node, file) if isinstance(key_node, yaml.ScalarNode) else None
        key_line = key_node.start_mark.line + 1
        if not isinstance(key, str):
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
        if not isinstance(key, str) or not key:
            raise RuleError(file, key_line, "a key must be text")
        if key in result:
            raise RuleError(file, key_line, f'the key "{key}" is there twice')
        lines._keys[(*path, key)] = key_line
        result[key] = _value(value_node, (*path, key), lines, file, budget, depth + 1)
    return result


def _scalar(node: yaml.ScalarNode, file: str) -> Any:
    text = str(node.value)
    match node.tag.rpartition(":")[2]:
        case "str":
            return text
        case "null":
            return None
        case "bool":
            return text.lower() == "true"
        case "int":
            return int(text) if len(text) < 20 else text
        case "float":
            return float(text.lower().replace(".inf", "inf"))
        case _:
            raise RuleError(file, node.start_mark.line + 1, f"the tag {node.tag} is not allowed")


def convert(value: Any, kind: type[T], lines: Lines, file: str) -> T:
    """Turn what `load` gave into a struct; unknown keys and wrong types are errors with their line."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise _explain(str(error), kind, value, lines, file) from None


_STEP = re.compile(r"\.([^.\[\]`]+)|\[(\d+)\]|\[\.\.\.\]")


def _explain(message: str, kind: type, value: Any, lines: Lines, file: str) -> RuleError:
    what, _, where = message.partition(" - at `")
    path: list[str | int] = []
    for name, index in _STEP.findall(where.rstrip("`").removeprefix("$").removeprefix("key in ")):
        path.append(int(index) if index else name)
        if not name and not index:
            path.pop()
            break
    unknown = re.match(r"Object contains unknown field `(.*)`", what)
    if unknown:
        key = unknown.group(1)
        near = get_close_matches(key, _fields_at(kind, path), n=1)
        hint = f'did you mean "{near[0]}"?' if near else f"known keys: {', '.join(_fields_at(kind, path))}"
        return RuleError(file, lines.of([*path, key]), f'unknown key "{key}"', hint)
    missing = re.match(r"Object missing required field `(.*)`", what)
    if missing:
        return RuleError(file, lines.of(path), f'the key "{missing.group(1)}" is missing{_at(path)}')
    return RuleError(file, lines.of(path), f"{what[:1].lower()}{what[1:]}{_at(path)}")


def _at(path: Sequence[str | int]) -> str:
    return f" (at {'.'.join(str(step) for step in path)})" if path else ""


def _fields_at(kind: Any, path: Sequence[str | int]) -> list[str]:
    """The field names of the struct a path leads to, for hints."""
    info: Any = msgspec.inspect.type_info(kind)
    for step in path:
        options = info.types if isinstance(info, msgspec.inspect.UnionType) else (info,)
        info = next((o for o in options if not isinstance(o, msgspec.inspect.NoneType)), None)
        if isinstance(info, msgspec.inspect.StructType):
            info = next((f.type for f in info.fields if f.encode_name == step), None)
        elif isinstance(info, msgspec.inspect.ListType | msgspec.inspect.VarTupleType):
            info = info.item_type
        elif isinstance(info, msgspec.inspect.DictType):
            info = info.value_type
    options = info.types if isinstance(info, msgspec.inspect.UnionType) else (info,)
    found = next((o for o in options if isinstance(o, msgspec.inspect.StructType)), None)
    return [f.encode_name for f in found.fields] if found else []

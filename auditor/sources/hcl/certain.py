"""Is the value of an expression decided by the code alone? The evaluator does not tell: it guesses, or leaves out.

An expression is in doubt when anything that it is made of, through variables, locals and modules, has no value here.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from auditor.sources.hcl.code import Call, Code
from auditor.sources.hcl.expression import Expr
from auditor.sources.hcl.syntax import Block

_DEEPEST: Final = 60
_KEYS: Final = frozenset({"each.key", "count.index"})  # made of what is repeated, and no id
_KEPT: Final = 60  # characters of what is in doubt
# What the evaluator computes as Terraform does. Of others, and of what differs each time, the value is not known.
_FUNCTIONS: Final = frozenset(
    (
        *("abs", "alltrue", "anytrue", "base64decode", "base64encode", "basename", "can", "ceil", "chomp"),
        *("chunklist", "cidrhost", "cidrnetmask", "cidrsubnet", "cidrsubnets", "coalesce", "coalescelist"),
        *("compact", "concat", "contains", "defaults", "dirname", "distinct", "element", "endswith", "file"),
        *("flatten", "floor", "format", "formatlist", "indent", "index", "join", "jsondecode", "jsonencode"),
        *("keys", "length", "list", "lookup", "lower", "map", "max", "md5", "merge", "min", "nonsensitive"),
        *("one", "optional", "parseint", "pow", "range", "regex", "regexall", "replace", "reverse"),
        *("sensitive", "setintersection", "setproduct", "setsubtract", "setunion", "sha1", "sha256"),
        *("signum", "slice", "sort", "split", "startswith", "strrev", "substr", "sum", "title", "tobool"),
        *("tolist", "tomap", "tonumber", "toset", "tostring", "transpose", "trim", "trimprefix", "trimspace"),
        *("trimsuffix", "try", "upper", "urlencode", "values", "yamldecode", "yamlencode", "zipmap"),
    )
)
_FILE: Final = re.compile(r"\bfile\s*\(")
_PLAIN_FILE: Final = re.compile(r'\bfile\s*\(\s*"(?:\$\{path\.(?:module|root|cwd)\}/)?([^"$%]*)"\s*\)')


class Doubt(msgspec.Struct, frozen=True, kw_only=True):
    """What of an expression has no value here, empty where all has; and whether resources, and their ids, are in it.

    The evaluator knows of a resource only what is written in its block, so of such an expression even a null is open.
    """

    word: str = ""
    resources: bool = False
    ids: bool = False


_NONE: Final = Doubt()


class Certainty:
    """Doubts about the expressions of a configuration, each followed once."""

    def __init__(self, code: Code, given: frozenset[str]) -> None:
        self._code = code
        self._given = given  # variables that files set
        self._known: dict[tuple[tuple[str, ...], str], Doubt] = {}

    def of(self, expr: Expr | None, call: Call, block: Block | None = None, depth: int = 0) -> Doubt:
        """What of an expression in a block of a module is in doubt."""
        if expr is None:
            return _NONE
        if depth > _DEEPEST:
            return Doubt(word=_short(expr.text))
        for function in expr.functions:
            if function.removeprefix("core::") not in _FUNCTIONS:
                return Doubt(word=f"{function}()")
        if "file" in expr.functions and not self._files_inside(expr, call):
            return Doubt(word=_short(expr.text))
        resources = ids = False
        for ref in expr.refs:
            found = self._ref(ref, call, block, depth)
            resources, ids = resources or found.resources, ids or found.ids
            if found.word:
                return Doubt(word=found.word, resources=resources, ids=ids)
        # What is made of the letters of an id: the evaluator has other ids than Azure.
        given = [self.of(one, call, block, depth + 1) for one in expr.bent] if ids else []
        bent = any(one.ids or one.word for one in given)
        if ids and not bent:
            compared = {ref for one in expr.compared for ref in one.refs} - _KEYS
            bent = any(self._ref(ref, call, block, depth).ids for ref in sorted(compared))
        return Doubt(word=_short(expr.text) if bent else "", resources=resources, ids=ids)

    def _files_inside(self, expr: Expr, call: Call) -> bool:
        """Whether the files that an expression reads are named in it, and lie in the folder that is scanned."""
        text = (expr.node.text or b"").decode("utf-8", "replace")
        named = _PLAIN_FILE.findall(text)
        if len(named) != len(_FILE.findall(text)):
            return False
        paths = [path for name in named for path in (name, f"{call.module.place}/{name}")]
        return all(
            (self._code.root / path).resolve().is_relative_to(self._code.within) and self._code.holds(path)
            for path in paths
        )

    def _ref(self, ref: str, call: Call, block: Block | None, depth: int) -> Doubt:
        head, _, rest = ref.partition(".")
        if head in ("each", "count", "self") or (block is not None and _iterated(head, block)):
            return self._repeated(head, call, block, depth)
        if head == "path":
            return _NONE
        key = (call.names, _stem(ref))
        if key not in self._known:
            self._known[key] = _NONE  # meanwhile, for what goes round in a circle
            self._known[key] = self._followed(head, rest, ref, call, depth + 1)
        return self._known[key]

    def _repeated(self, head: str, call: Call, block: Block | None, depth: int) -> Doubt:
        if block is None or head == "self":
            return Doubt(word=head)
        if head in ("each", "count"):
            return self.of(block.attributes.get("for_each" if head == "each" else "count"), call, None, depth + 1)
        over = _iterated(head, block)
        return self.of(over.attributes.get("for_each") if over else None, call, _without(block, over), depth + 1)

    def _followed(self, head: str, rest: str, ref: str, call: Call, depth: int) -> Doubt:
        name = re.split(r"[.\[]", rest)[0]
        if head == "var":
            return self._variable(name, call, depth)
        if head == "local":
            expr = call.module.locals.get(name)
            return self.of(expr, call, None, depth) if expr is not None else Doubt(word=_short(ref))
        if head == "module":
            return self._output(name, rest, ref, call, depth)
        if head == "data":
            attribute = re.sub(r"\[[^\]]*\]", "", rest).split(".")[2:]
            return Doubt(word="" if attribute[:1] in ([], ["id"]) else _short(ref), resources=True, ids=True)
        block = call.module.resources.get((head, name))
        if block is None:
            return Doubt(word=_short(ref), resources=True)
        attribute = re.sub(r"\[[^\]]*\]", "", rest).split(".")[1:]
        if attribute[:1] in ([], ["id"]):
            return Doubt(resources=True, ids=True)
        expr = block.attributes.get(attribute[0])
        if expr is None:
            return Doubt(word=_short(ref), resources=True)
        found = self.of(expr, call, block, depth)
        return Doubt(word=found.word, resources=True, ids=found.ids)

    def _variable(self, name: str, call: Call, depth: int) -> Doubt:
        block = call.module.variables.get(name)
        if call.outer is None or call.block is None:
            told = name in self._given or (block is not None and "default" in block.attributes)
            return _NONE if told else Doubt(word=_short(f"var.{name}"))
        expr = call.block.attributes.get(name)
        if expr is not None:
            return self.of(expr, call.outer, call.block, depth)
        told = block is not None and "default" in block.attributes
        return _NONE if told else Doubt(word=_short(f"var.{name}"))

    def _output(self, name: str, rest: str, ref: str, call: Call, depth: int) -> Doubt:
        inside = self._code.call((*call.names, name))
        steps = re.sub(r"\[[^\]]*\]", "", rest).split(".")
        output = inside.module.outputs.get(steps[1]) if inside is not None and len(steps) > 1 else None
        if inside is None or output is None or "value" not in output.attributes:
            return Doubt(word=_short(ref), resources=True)
        return self.of(output.attributes["value"], inside, None, depth)


def _stem(ref: str) -> str:
    """A reference without keys and without what is below an attribute, so that much asks the same."""
    return ".".join(re.sub(r"\[[^\]]*\]", "", ref).split(".")[:5])


def _iterated(head: str, block: Block) -> Block | None:
    """The `dynamic` block around, of which a name is the iterator."""
    waiting = list(block.blocks)
    while waiting:
        inner = waiting.pop()
        waiting += inner.blocks
        if inner.kind == "dynamic" and inner.labels:
            iterator = inner.attributes.get("iterator")
            if head == (iterator.text if iterator is not None else inner.labels[0]):
                return inner
    return None


def _without(block: Block, over: Block | None) -> Block:
    return msgspec.structs.replace(block, blocks=tuple(inner for inner in block.blocks if inner is not over))


def _short(text: str) -> str:
    return text if len(text) <= _KEPT else f"{text[:_KEPT]}…"

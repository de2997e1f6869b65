"""The configuration as a plan tells it: what each expression refers to, and with the locals that a plan leaves out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from auditor.sources.hcl.code import Call, Code
from auditor.sources.hcl.expression import UNTOLD, Expr
from auditor.sources.hcl.syntax import Block

_PLAIN: Final = ("each.key", "count.", "path.")  # no ids


def configuration(code: Code, call: Call) -> dict[str, Any]:
    """A module and all below it, as `configuration.root_module` of a plan has it."""
    resources = {f"{kind}.{name}": _resource(block) for (kind, name), block in call.module.resources.items()}
    calls: dict[str, Any] = {}
    for name, block in call.module.calls.items():
        inside = code.call((*call.names, name))
        told: dict[str, Any] = {"expressions": expressions(block), **_steered(block)}
        if inside is not None:
            told["module"] = configuration(code, inside)
        else:
            told["away"] = True
        calls[name] = told
    return {
        "resources": list(resources.values()),
        "by_name": resources,
        "module_calls": calls,
        "outputs": {
            name: {"expression": expression(block.attributes["value"])}
            for name, block in call.module.outputs.items()
            if "value" in block.attributes
        },
        "locals": {name: expression(expr) for name, expr in call.module.locals.items()},
    }


def _resource(block: Block) -> dict[str, Any]:
    kind, name = block.labels
    return {
        "address": f"{kind}.{name}",
        "type": kind,
        "name": name,
        "expressions": expressions(block),
        **_steered(block),
    }


def _steered(block: Block) -> dict[str, Any]:
    return {f"{key}_expression": expression(block.attributes[key]) for key in ("count", "for_each")
            if key in block.attributes}  # fmt: skip


def expressions(block: Block) -> dict[str, Any]:
    """The expressions of a block's attributes, and lists of those of its blocks."""
    found: dict[str, Any] = {name: expression(expr) for name, expr in block.attributes.items()}
    for inner in block.blocks:
        contents = [inner] if inner.kind != "dynamic" else [b for b in inner.blocks if b.kind == "content"]
        kind = inner.labels[0] if inner.kind == "dynamic" and inner.labels else inner.kind
        told = found.setdefault(kind, [])
        if isinstance(told, list):
            told += [expressions(content) for content in contents]
    return found


def expression(expr: Expr) -> dict[str, Any]:
    """One expression: its value, or what it refers to."""
    if expr.literal is not UNTOLD:
        return {"constant_value": expr.literal}
    bent = any(not ref.startswith(_PLAIN) for given in expr.bent for ref in given.refs)
    return {"references": list(expr.refs), **({"bent": True} if bent else {})} if expr.refs else {}


def provider_key(call: Call, block: Block) -> str:
    """The provider of a resource as the root module knows it: `azurerm`, or `azurerm.alias`."""
    written = block.attributes.get("provider")
    key = written.text if written is not None else block.labels[0].partition("_")[0]
    above: Call | None = call
    while above is not None and above.outer is not None and above.block is not None:
        handed = above.block.attributes.get("providers")
        items: Mapping[str, Expr] = (handed.items if handed is not None else None) or {}
        key = items[key].text if key in items else key
        above = above.outer
    return key

"""A Terraform plan or state with the code that it was made of: files and lines, and what the plan leaves out.

The code is believed only where it names what the plan names too, since it may be newer or older than the plan.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from auditor.documents import Collection
from auditor.errors import SourceError
from auditor.sources import terraform
from auditor.sources.hcl.beside import accepted, with_accepted
from auditor.sources.hcl.certain import Certainty
from auditor.sources.hcl.code import Call, Code, terraform_files
from auditor.sources.hcl.configuration import expression
from auditor.sources.hcl.expression import Expr
from auditor.sources.hcl.place import block_of, place_of
from auditor.sources.hcl.syntax import Block
from auditor.sources.hcl.values import Values
from auditor.sources.terraform.plan import Index, Instance, Plan, shortest
from auditor.sources.terraform.shape import later
from auditor.sources.terraform.types import AZAPI

_DEEPEST = 20  # locals in locals


def read(path: Path, root: Path, notice: Callable[[str], None]) -> Collection:
    """The documents of a plan or state, with the code in `root`. Raises `SourceError` where there is no code."""
    if not root.is_dir() or not terraform_files(root):
        raise SourceError(f"{root}: no Terraform code", "--source-root names the folder that `terraform plan` ran in")
    plan, run = terraform.parsed(path)
    code = Code(root)
    without = [one.address for one in plan.instances if block_of(code, one) is None]
    for mistake in code.mistakes[:3]:
        notice(f"{mistake.file}{f':{mistake.line}' if mistake.line else ''}: {mistake.text}")
    if without:
        more = f" and {len(without) - 1} more" if len(without) > 1 else ""
        notice(f"{root} does not hold the code of {without[0]}{more}: `terraform init` fetches modules")
    found = terraform.documents_of(with_code(plan, code), lambda one: place_of(code, one) or {"file": path.as_posix()})
    return terraform.collection(with_accepted(found, plan, code, accepted(code), lambda _: {}), run)


def with_code(plan: Plan, code: Code) -> Plan:
    """The plan, with the locals of its modules and what its expressions say beyond the references."""
    if not plan.root:
        return plan  # a state has no expressions, and needs none
    instances = tuple(_told(instance, code) for instance in plan.instances)
    root = _with_locals(plan.root, code, ())
    return msgspec.structs.replace(plan, instances=instances, root=root)


def _with_locals(module: Mapping[str, Any], code: Code, names: tuple[str, ...]) -> dict[str, Any]:
    call = code.call(names)
    told = dict(module)
    if call is None:
        return told
    told["locals"] = {name: expression(expr) for name, expr in call.module.locals.items()}
    calls = module.get("module_calls")
    told["module_calls"] = {
        name: {**inner, "module": _with_locals(inner["module"], code, (*names, name))}
        if isinstance(inner, Mapping) and isinstance(inner.get("module"), Mapping)
        else inner
        for name, inner in (calls.items() if isinstance(calls, Mapping) else ())
    }
    return told


def _told(instance: Instance, code: Code) -> Instance:
    """An instance with what the code says of each attribute that the plan does not know."""
    block = block_of(code, instance)
    call = code.call(tuple(name for name, _ in instance.module))
    open_ones = [name for name, value in instance.values.items() if later(value)]
    written = instance.block.get("expressions")
    if block is None or call is None or not open_ones or not isinstance(written, Mapping):
        return instance
    values, expressions = dict(instance.values), dict(written)
    for name in open_ones:
        expr = block.attributes.get(name)
        if expr is None or set(shortest(written.get(name))) != set(shortest({"references": list(expr.refs)})):
            continue  # not the code that the plan was made of
        if name == "body" and instance.type == AZAPI:
            values[name] = _body(code, call, block)
            continue
        meant = _meant(expr, call, block, instance.index)
        base, suffix = _apart(meant, instance.index)
        if base is not None:
            expressions[name] = {**expression(base), "suffix": suffix}
    return _replaced(instance, values, {**instance.block, "expressions": expressions})


def _replaced(instance: Instance, values: Mapping[str, Any], block: Mapping[str, Any]) -> Instance:
    return msgspec.structs.replace(instance, values=values, block=block)


def _body(code: Code, call: Call, block: Block) -> Any:
    """A body that is encoded as text, of which a plan hides all where anything in it is open."""
    variables = frozenset(code.main.module.variables)
    told = Values(Certainty(code, variables), call, block, lambda text: text).told(None)
    return told.get("body")


def _meant(expr: Expr, call: Call, block: Block, index: Index) -> Expr:
    """The expression that another stands for: that of a local, or of one key of a `for_each`."""
    for _ in range(_DEEPEST):
        head, _, rest = expr.text.partition(".")
        name, *steps = rest.split(".")
        found: Expr | None = None
        if expr.refs != (expr.text,):
            break
        if head == "local":
            found = call.module.locals.get(name)
        elif head == "each" and name == "value" and isinstance(index, str):
            over = block.attributes.get("for_each")
            over = _meant(over, call, block, None) if over is not None else None
            found = (over.items or {}).get(index) if over is not None else None
        for step in steps:
            found = (found.items or {}).get(step) if found is not None else None
        if found is None:
            break
        expr = found
    return expr


def _apart(expr: Expr, index: Index) -> tuple[Expr | None, str]:
    """An expression that is an id, and the text behind it: `…/blobServices/default`."""
    if expr.parts is None:
        return (expr, "") if expr.refs == (expr.text,) else (None, "")
    base, *rest = expr.parts
    if isinstance(base, str) or base.refs != (base.text,):
        return None, ""
    suffix = ""
    for part in rest:
        if isinstance(part, str):
            suffix += part
        elif part.text == "each.key" and isinstance(index, str):
            suffix += index
        else:
            return None, ""
    return base, suffix

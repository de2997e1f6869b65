"""Where in the code is what makes an instance?"""

from __future__ import annotations

from typing import Any

from auditor.sources.hcl.code import Code
from auditor.sources.hcl.syntax import Block
from auditor.sources.terraform.plan import Instance


def block_of(code: Code, instance: Instance) -> Block | None:
    """The block that makes an instance."""
    call = code.call(tuple(name for name, _ in instance.module))
    if call is None:
        return None
    if instance.type == "module":
        return call.module.calls.get(instance.name)
    return call.module.resources.get((instance.type, instance.name))


def place_of(code: Code, instance: Instance) -> dict[str, Any]:
    """File and lines of the block that makes an instance; empty where there is none."""
    block = block_of(code, instance)
    if block is None:
        return {}
    return {"file": code.path(block.file), **({"line": block.line, "end_line": block.end} if block.line else {})}

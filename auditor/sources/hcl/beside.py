"""What comments accept beside the block that they stand in or directly above."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from auditor.documents import Document
from auditor.sources.comments import acceptances_in, loose
from auditor.sources.hcl.code import Code
from auditor.sources.hcl.syntax import Block, File
from auditor.sources.terraform.plan import Instance, Plan

Record = dict[str, Any]
Place = tuple[str, int]  # file and line of a block


def accepted(code: Code) -> dict[Place, list[Record]]:
    """What is accepted, by the block that it stands beside; line 0 for what stands beside none."""
    found: dict[Place, list[Record]] = {}
    for module in code.modules:
        for file in module.files:
            for line, text in file.comments:
                records = acceptances_in(text, code.path(file.name), line)
                if records:
                    block = _owner(file, line, line + text.rstrip().count("\n"))
                    found.setdefault((file.name, block.line if block is not None else 0), []).extend(records)
    return found


def _owner(file: File, first: int, last: int) -> Block | None:
    """The block around a comment, or the next one where only comments are between."""
    inside = next((block for block in file.blocks if block.line <= first <= block.end), None)
    if inside is not None:
        return inside
    commented = {line + n for line, text in file.comments for n in range(text.rstrip().count("\n") + 1)}
    below = last + 1
    while below in commented:
        below += 1
    return next((block for block in file.blocks if block.line == below), None)


def with_accepted(
    documents: list[Document],
    plan: Plan,
    code: Code,
    records: Mapping[Place, list[Record]],
    place: Callable[[Instance], Mapping[str, Any]],
) -> list[Document]:
    """The documents with what is accepted of each: beside its block, or beside a call of its module."""
    if not records:
        return documents
    by_block: dict[str, list[Place]] = {}
    for instance in plan.instances:
        call = code.call(tuple(name for name, _ in instance.module))
        block = call.module.resources.get((instance.type, instance.name)) if call is not None else None
        places = [(block.file, block.line)] if block is not None else []
        while call is not None and call.block is not None:
            places.append((call.block.file, call.block.line))
            call = call.outer
        by_block[str(place(instance).get("address", instance.address))] = [
            place for place in places if place in records and place[1]
        ]
    used: set[Place] = set()
    found: list[Document] = []
    for document in documents:
        places = by_block.get(str(document.get("$origin", {}).get("address")), [])
        told = [record for place in places for record in records[place]]
        used.update(places)
        found.append({**document, "$accept": told} if told else document)
    return [*found, *loose(record for place, told in records.items() if place not in used for record in told)]

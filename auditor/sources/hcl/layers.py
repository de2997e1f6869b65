"""The instances of a block that override files change: the evaluator takes each file's part for a block of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from auditor.sources.hcl.code import is_override
from auditor.sources.hcl.values import META
from auditor.sources.terraform.plan import Index

Item = Mapping[str, Any]


def laid(items: Sequence[tuple[Index, Item]], steered_in: str) -> dict[Index, Item | None]:
    """What all files set of each instance; None where the evaluator has but the part of an override file.

    `steered_in` is the file with the `count` or `for_each` that holds, where override files have part in a block.
    """
    parts = sorted(items, key=lambda one: is_override(_file(one[1])))
    keys = [index for index, item in parts if steers(item, steered_in)]
    found: dict[Index, Item | None] = {}
    for key in keys:
        here = [item for index, item in parts if index is None or index == key]
        told: dict[str, Any] = {}
        for item in here:
            told |= item
        found[key] = None if all(is_override(_file(item)) for item in here) else told
    return found


def steers(item: Item, steered_in: str) -> bool:
    """Whether this part of a block decides how many there are of it."""
    return not steered_in or _file(item) == steered_in.rpartition("/")[2]


def _file(item: Item) -> str:
    meta = item.get(META)
    return str(meta.get("filename")).replace("\\", "/").rpartition("/")[2] if isinstance(meta, Mapping) else ""

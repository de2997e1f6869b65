"""What a row of the table of azurerm types is, and how values of a plan are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from auditor.documents import Document

Values = Mapping[str, Any]
Link = Callable[..., Any]  # (path of an attribute) → the id it holds, `{"$unknown": …}`, or None
Build = Callable[[Values, Link], dict[str, Any]]


def nothing(_: Values, __: Link) -> dict[str, Any]:
    """No fields beyond name, place and tags."""
    return {"properties": {}}


def _no_more(_: Values, __: str) -> Iterator[Document]:
    yield from ()


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One azurerm type: the ARM type, where its id comes from, and the fields of its document."""

    type: str
    build: Build = nothing
    under: str = ""  # attribute that holds the parent's id
    names: tuple[str, ...] = ()  # attributes that hold the names of its ancestors, outermost first
    called: str = ""  # a fixed name, such as `default`
    spreads: bool = False  # where its parent is not known, any resource of the parent's type may have it
    # Attributes that Azure sets where nobody did: not set, they are as Azure makes them. A dynamic block over a
    # collection that only the apply decides looks the same, and is not met in practice.
    computed: tuple[str, ...] = ()
    more: Callable[[Values, str], Iterator[Document]] = _no_more  # documents beside it, from its values and id


def later(value: object) -> bool:
    """Whether only the apply decides a value, or it is not shown."""
    return isinstance(value, Mapping) and "$unknown" in value


def blocks(value: object) -> list[Mapping[str, Any]]:
    """The blocks of an attribute."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def one(value: object) -> Mapping[str, Any]:
    """The one block of an attribute; empty where there is none."""
    return next(iter(blocks(value)), {})


def some(**fields: Any) -> dict[str, Any]:
    """The fields that are set."""
    return {key: value for key, value in fields.items() if value is not None}


def switch(value: Any) -> Any:
    """`Enabled` or `Disabled` of a truth."""
    return ("Enabled" if value else "Disabled") if isinstance(value, bool) else value

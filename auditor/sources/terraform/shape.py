"""What a row of the table of azurerm types is, and how values of a plan are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from auditor.documents import Document

Values = Mapping[str, Any]
Link = Callable[..., Any]  # (path of an attribute) → the id it holds, `{"$unknown": …}`, or None
Build = Callable[[Values, Link], dict[str, Any]]
Get = Callable[[Values, Link], Any]  # one field of a document; None where it is not set


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
    named: str = "name"  # attribute that holds its name
    called: str = ""  # a fixed name, such as `default`
    on: str = ""  # attribute that holds the id of what it extends
    extends: tuple[str, ...] = ()  # types that it may extend, where the plan does not tell which resource it is
    of_subscription: bool = False  # it is directly below the subscription
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


# --- fields by their ARM names ----------------------------------------------------------------------------------------


def arm(fields: Mapping[str, Get]) -> Build:
    """What builds a document of the fields that are set: `properties.sku.name` and how it is read."""

    def build(v: Values, link: Link) -> dict[str, Any]:
        made: dict[str, Any] = {"properties": {}}
        for path, get in fields.items():
            value = get(v, link)
            if value is None:
                continue
            *outer, last = path.split(".")
            if outer == ["sku"] and later(value):  # a SKU of which a part is not known is not known
                made["sku"] = value
                continue
            place = made
            for step in outer:
                place = place.setdefault(step, {})
            if "$unknown" not in place:
                place[last] = value
        return made

    return build


def value_at(v: Values, path: str) -> Any:
    """The value of an attribute, through the one block of each on the way; what is not known where that is not."""
    found: Any = v
    for step in path.split("."):
        if later(found):
            return found
        inner = one(found) if isinstance(found, list) else found if isinstance(found, Mapping) else {}
        found = inner.get(step)
        if isinstance(found, list) and len(found) == 1 and later(found[0]):
            found = found[0]
    return found


def attribute(*paths: str, otherwise: Any = None) -> Get:
    """The first of several spellings of an attribute that is set; else what azurerm sets by itself."""

    def get(v: Values, _: Link) -> Any:
        return next((found for path in paths if (found := value_at(v, path)) is not None), otherwise)

    return get


def always(value: Any) -> Get:
    """The same for all."""
    return lambda _, __: value


def identity(*paths: str) -> Get:
    """The id that an attribute holds or will hold."""

    def get(v: Values, link: Link) -> Any:
        for path in paths:
            if value_at(v, path) is not None:
                return link(*steps(v, path)) or None
        return None

    return get


def steps(v: Values, path: str) -> list[str | int]:
    """The path of an attribute with the number of the one block wherever there are blocks."""
    found: Any = v
    made: list[str | int] = []
    for step in path.split("."):
        if isinstance(found, list):
            made.append(0)
            found = found[0] if found else None
        made.append(step)
        found = found.get(step) if isinstance(found, Mapping) else None
    return made


def refers(*paths: str) -> Get:
    """`{"id": …}` of the id that an attribute holds."""
    get = identity(*paths)
    return lambda v, link: named(get(v, link))


def add_to(fields: dict[str, Any], name: str, item: Any) -> None:
    """Put one more into a list of fields, unless what is in the list is not known anyway."""
    if isinstance(found := fields.setdefault(name, []), list):
        found.append(item)


def named(value: Any) -> Any:
    """`{"id": …}` of an id, a value that is not known yet as it is."""
    return {"id": value} if isinstance(value, str) and value else value if later(value) else None


def enabled(*paths: str, otherwise: bool | None = None) -> Get:
    """`Enabled` or `Disabled` of a truth."""
    get = attribute(*paths, otherwise=otherwise)
    return lambda v, link: switch(get(v, link))


def opposite(*paths: str) -> Get:
    """The truth that an attribute denies."""
    get = attribute(*paths)

    def turned(v: Values, link: Link) -> Any:
        value = get(v, link)
        return not value if isinstance(value, bool) else value

    return turned


def either(*gets: Get) -> Get:
    """The first that is set."""
    return lambda v, link: next((found for get in gets if (found := get(v, link)) is not None), None)


def each(path: str, build: Callable[[Values, Callable[..., Any]], Any]) -> Get:
    """What is made of each block of an attribute; `build` is given the block, and a link from inside of it."""

    def get(v: Values, link: Link) -> Any:
        written = value_at(v, path)
        if later(written):
            return written
        before = steps(v, path)
        return [
            item if later(item) else build(item, lambda *inner, at=at, **of: link(*before, at, *inner, **of))
            for at, item in enumerate(blocks(written))
        ]

    return get

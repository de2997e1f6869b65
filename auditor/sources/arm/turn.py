"""One resource as it is written in a template: its type, name, id and body for one turn of the loops around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec

from auditor.sources.arm.evaluate import Env
from auditor.sources.arm.functions import truth
from auditor.sources.arm.jsonc import Object
from auditor.sources.arm.naming import last_part, short, written
from auditor.sources.arm.place import Id, Place, below, key_of, names_in, own_id, scoped_id
from auditor.sources.arm.values import Later, Sym, Value, joined, show, shown, token, words_of

_CONTROL: Final = frozenset(
    {"type", "name", "copy", "condition", "dependson", "apiversion", "comments", "resources", "scope", "existing"}
)


class Declared(msgspec.Struct, frozen=True, kw_only=True):
    """One resource of a template, as far as it can be told before the deployment."""

    kind: str  # type
    name: Id
    shown: str = ""  # how that reads
    id: Id | None  # None: what it is a part of is not told
    body: Mapping[str, Value]
    address: str
    line: int | None = None
    end: int | None = None
    file: str = ""  # where that is not the file of the template
    conditions: frozenset[str] = frozenset()  # what is not known and decides whether it is made at all
    existing: bool = False
    scopes: tuple[Id, ...] = ()  # where it may be set, if one of these is it
    scope_words: str = ""


class At(msgspec.Struct, frozen=True, kw_only=True):
    """Where resources stand: what is known of the deployment and the resource around them."""

    env: Env
    place: Place
    conditions: frozenset[str] = frozenset()
    path: str = ""  # addresses of the deployments around
    depth: int = 0
    parent: Declared | None = None
    language: bool = False  # symbolic names


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One copy of one resource as it is written."""

    raw: Mapping[str, Any]
    fields: Mapping[str, Any]  # by lower-case name
    symbol: str
    line: int | None
    at: At
    looped: str = ""
    never: bool = False
    kind: str = ""

    def decided(self, lacking: Callable[[str], None]) -> Turn:
        """The same, with its type and what its condition says; `lacking` hears what cannot be told."""
        kind = self.at.env.value(self.fields.get("type") or "")
        if not isinstance(kind, str):
            lacking(f"the type of a resource is not told: {words_of(kind)}")
            kind = "unknown/unknown"
        kind = kind.partition("@")[0]
        if "condition" not in self.fields:
            return msgspec.structs.replace(self, kind=kind)
        told = self.at.env.value(self.fields["condition"])
        try:
            return msgspec.structs.replace(self, kind=kind, never=not truth(told))
        except Later:
            at = msgspec.structs.replace(self.at, conditions=self.at.conditions | {_condition(told)})
            return msgspec.structs.replace(self, kind=kind, at=at)

    @property
    def name(self) -> Id:
        """Its name, with that of the resource around it."""
        found = self.at.env.value(self.fields.get("name", ""))
        if not isinstance(found, str | Sym):
            found = show(found)
        parent = self.at.parent
        return found if parent is None or self._whole(parent) else joined([parent.name, "/", found])

    @property
    def whole_kind(self) -> str:
        """Its type, with that of the resource around it."""
        parent = self.at.parent
        return self.kind if parent is None or self._whole(parent) else f"{parent.kind}/{self.kind}"

    def _whole(self, parent: Declared) -> bool:
        return self.kind.lower().startswith(f"{parent.kind.lower()}/")

    @property
    def address(self) -> str:
        """How somebody who wrote it would call it."""
        own = self.symbol or f"{self.whole_kind}/{shown(self.name)}"
        return f"{self.at.path}{own}{self.looped if self.symbol else ''}"

    @property
    def shown(self) -> str:
        """The last part of its name as a reader finds it in the template."""
        name = shown(self.name)
        raw = self.fields.get("name", "")
        return last_part(name if short(name) or not isinstance(raw, str) else written(raw, self.at.env))

    def own_id(self) -> Value:
        """Its id; a token where that is not told."""
        found, _ = self._placed()
        return found if found is not None else token(f"{self.at.path}{self.symbol}.id")

    def _placed(self) -> tuple[Id | None, tuple[Id, ...]]:
        """Its id, and else the scopes of which one is its own."""
        kind, name = self.whole_kind, self.name
        if "scope" not in self.fields:
            return own_id(self.at.place, kind, name), ()
        scope = self.at.env.value(self.fields["scope"])
        if isinstance(scope, str | Sym):
            found = scoped_id(self.at.place, scope)
            if found is not None:
                return below("" if found == "/" else found, kind, names_in(name)), ()
            if isinstance(scope, Sym) and scope.only:
                options = [scoped_id(self.at.place, one) for one in scope.only.options if isinstance(one, str | Sym)]
                if options and len(options) == len(scope.only.options) and None not in options:
                    return None, tuple(one for one in options if one is not None)
        return None, ()

    def declared(self) -> Declared:
        """The resource that this makes."""
        kind = self.whole_kind
        found, scopes = self._placed()
        body = {key: self.at.env.value(value) for key, value in self.raw.items() if key.lower() not in _CONTROL}
        self.at.env.frame.budget.weigh(body)
        raw = self.raw
        return Declared(
            kind=kind,
            name=self.name,
            shown=self.shown,
            id=found,
            body=body,
            address=self.address,
            line=self.line or (raw.line if isinstance(raw, Object) else None) or None,
            end=(raw.end if isinstance(raw, Object) else None) or None,
            file=raw.file if isinstance(raw, Object) else "",
            conditions=self.at.conditions,
            existing=self.fields.get("existing") is True,
            scopes=scopes,
            scope_words=words_of(self.at.env.value(self.fields["scope"]) if "scope" in self.fields else self.name),
        )

    def called(self) -> Iterator[str]:
        """By what other resources name a deployment."""
        found = self.own_id()
        if isinstance(found, str | Sym):
            yield key_of(found)
        yield key_of(self.name)
        if self.symbol and not self.looped:
            yield self.symbol.lower()


def _condition(told: Value) -> str:
    return told.words if isinstance(told, Sym) else show(told)

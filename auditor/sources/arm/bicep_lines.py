"""Files and lines of Bicep code for the resources of a compiled template, as far as the two can be matched."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from auditor.sources.arm import bicep_source
from auditor.sources.arm.bicep_source import Code, Statement
from auditor.sources.arm.jsonc import Object
from auditor.sources.arm.nested import DEPLOYMENT

_MOST_FILES: Final = 2000
_DEEPEST: Final = 30


class Lines:
    """The Bicep files that a compiled template came from."""

    def __init__(self, path: Path, shown: str) -> None:
        self._read: dict[Path, Code | None] = {}
        self._main = self._code(path, shown)
        self._shown = shown

    @property
    def files(self) -> list[Code]:
        """Every file that was read."""
        return [code for code in self._read.values() if code is not None]

    def place(self, template: Mapping[str, Any]) -> None:
        """Give each resource of a compiled template the file and line of its statement; none where it is not clear."""
        self._template(template, self._main, (self._shown, 0, 0), 0)

    def _code(self, path: Path, shown: str) -> Code | None:
        if path not in self._read and len(self._read) < _MOST_FILES:
            self._read[path] = bicep_source.read(path, shown)
        return self._read.get(path)

    def _template(self, template: Any, code: Code | None, around: tuple[str, int, int], depth: int) -> None:
        """`around`: where the resources of a module are declared whose own code is not at hand."""
        resources = template.get("resources") if isinstance(template, Mapping) else None
        for symbol, raw in _each(resources):
            found = self._statement(code, symbol, raw) if code is not None else None
            where = around
            if found is not None and code is not None:
                where = (code.shown, found.line, found.end)
            elif code is not None:
                where = (code.shown, 0, 0)
            raw.file, raw.line, raw.end = where
            if symbol and isinstance(resources, Object):
                resources.lines[symbol] = where[1]
            properties = raw.get("properties")
            inner = properties.get("template") if isinstance(properties, Mapping) else None
            if inner is not None and depth < _DEEPEST:
                self._template(inner, self._module(code, found), where, depth + 1)

    @staticmethod
    def _statement(code: Code, symbol: str, raw: Object) -> Statement | None:
        kind = str(raw.get("type") or "").partition("@")[0]
        if kind.lower() == DEPLOYMENT:
            return code.called("module", symbol) if symbol else code.module(raw.get("name"))
        return code.called("resource", symbol) if symbol else code.of_type(kind, raw.get("name"))

    def _module(self, code: Code | None, found: Statement | None) -> Code | None:
        """The code of a module; None for one of a registry."""
        if code is None or found is None or ":" in found.what:
            return None
        path = Path(os.path.normpath(code.path.parent / found.what))
        shown = os.path.normpath(Path(code.shown).parent / found.what).replace(os.sep, "/")
        return self._code(path, shown) if path.suffix.lower() == ".bicep" else None


def _each(resources: Any) -> Iterator[tuple[str, Object]]:
    listed = resources.items() if isinstance(resources, Mapping) else [("", one) for one in resources or ()]
    for symbol, one in listed:
        if isinstance(one, Object):
            yield symbol, one

"""Parameter files: the values that a template is deployed with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from auditor.errors import SourceError
from auditor.sources.arm import jsonc
from auditor.sources.arm.values import show, token


def beside(template: Path) -> Path | None:
    """`app.parameters.json` beside `app.json`, if it is there."""
    found = template.with_name(f"{template.stem}.parameters.json")
    return found if found.is_file() else None


def given_by(path: Path | None) -> dict[str, Any] | None:
    """The values by parameter; None where there is no file. What a vault holds is known at deployment."""
    if path is None:
        return None
    return given_in(jsonc.load(path, 16 * 1024**2)[0], str(path))


def given_in(told: Any, path: str) -> dict[str, Any]:
    """The values that a parameter file gives."""
    if not isinstance(told, Mapping):
        raise SourceError(f"{path}: not a parameter file", "it is one JSON object with `parameters`")
    listed = told.get("parameters", None if "$schema" in told else told)
    if not isinstance(listed, Mapping):
        raise SourceError(f"{path}: no `parameters`", 'a parameter file gives each parameter as {"value": …}')
    return {name: _value(name, one) for name, one in listed.items()}


def _value(name: str, one: Any) -> Any:
    if isinstance(one, Mapping) and "value" in one:
        return one["value"]
    return token(f"parameters({show(name)})")

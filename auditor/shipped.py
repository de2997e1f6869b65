"""Where rules, profiles, report templates and the Contoso estate are: in the wheel, or at the top of a checkout."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

_CHECKOUT = {"rules": "rules", "profiles": "profiles", "templates": "reports/templates", "contoso": "examples/contoso"}


def shipped(name: str) -> Traversable:
    """The folder `rules`, `profiles`, `templates` or `contoso`, in a wheel, a zipped wheel or a bare checkout."""
    wheel = files("auditor").joinpath("_data", name)
    return wheel if wheel.is_dir() else Path(__file__).parents[1] / _CHECKOUT[name]


def walk(folder: Traversable) -> Iterator[Traversable]:
    """Every file below a folder, in name order (`Traversable` has no `rglob`)."""
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from walk(entry)
        else:
            yield entry

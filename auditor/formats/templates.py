"""The report templates: found in the wheel or the checkout, compiled once, escaping by default."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jinja2

from auditor.shipped import shipped


@lru_cache(maxsize=32)
def source(name: str) -> str:
    """The text of a file in the templates folder, such as `parts/summary.html.j2`."""
    return shipped("templates").joinpath(*name.split("/")).read_text(encoding="utf-8")


def environment(
    finalize: Callable[[Any], Any], *, autoescape: bool, filters: dict[str, Callable[..., Any]]
) -> jinja2.Environment:
    """A Jinja environment in which an undefined name is an error and every value passes `finalize`."""
    found = jinja2.Environment(
        autoescape=autoescape,  # noqa: S701 - Markdown is escaped by `finalize`
        finalize=finalize,
        loader=jinja2.FunctionLoader(source),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    found.filters.update(filters)
    return found

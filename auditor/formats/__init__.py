"""Out: Report → text. Each format is one module with `render(report) -> str`, imported when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from auditor.report import Report

# name → (module, function, file suffix)
FORMATS: dict[str, tuple[str, str, str]] = {
    "console": ("console", "render", ".txt"),
    "json": ("json", "render", ".json"),
    "markdown": ("markdown", "render", ".md"),
    "markdown-summary": ("markdown", "render_summary", "-summary.md"),
    "html": ("html", "render", ".html"),
}


def renderer(name: str) -> Callable[[Report], str]:
    """The function that renders a format."""
    module, function, _ = FORMATS[name]
    render: Callable[[Report], str] = getattr(import_module(f"auditor.formats.{module}"), function)
    return render

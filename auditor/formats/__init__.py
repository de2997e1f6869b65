"""Out: Report → text. Each format is one module with `render(report) -> str`, imported when it is asked for.

One whose text can be very long has `chunks(report) -> Iterator[str]` too, which gives it piece by piece.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module

from auditor.report import Report

# name → (module, function, file suffix)
FORMATS: dict[str, tuple[str, str, str]] = {
    "console": ("console", "render", ".txt"),
    "controls": ("controls", "render", ".txt"),
    "json": ("json", "render", ".json"),
    "markdown": ("markdown", "render", ".md"),
    "markdown-summary": ("markdown", "render_summary", "-summary.md"),
    "html": ("html", "render", ".html"),
    "sarif": ("sarif", "render", ".sarif"),
    "junit": ("junit", "render", ".xml"),
    "csv": ("csv", "render", ".csv"),
    "csv-coverage": ("csv_coverage", "render", "-coverage.csv"),
    "github": ("annotations", "render_github", "-github.txt"),
    "azure-pipelines": ("annotations", "render_azure", "-azure-pipelines.txt"),
    "gitlab": ("gitlab", "render", "-gitlab.json"),
}


def renderer(name: str) -> Callable[[Report], str]:
    """The function that renders a format."""
    module, function, _ = FORMATS[name]
    render: Callable[[Report], str] = getattr(import_module(f"auditor.formats.{module}"), function)
    return render


def pieces(name: str, report: Report) -> Iterable[str]:
    """A report in a format, to be written piece by piece where the whole could be very long."""
    module, _, _ = FORMATS[name]
    chunks: Callable[[Report], Iterable[str]] | None = getattr(
        import_module(f"auditor.formats.{module}"), "chunks", None
    )
    return chunks(report) if chunks is not None else [renderer(name)(report)]

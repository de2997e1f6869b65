"""The coverage matrix as a table for a spreadsheet: a row for each resource and log category expected of it."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.documents import name_of
from auditor.formats.csv import row
from auditor.formats.view import scope_names
from auditor.formats.words import STATE_WORDS
from auditor.report import Report

HEAD = (
    "Resource", "Type", "Subscription", "Resource group", "Location", "Category", "Class", "State", "Destinations",
    "Kept", "Id",
)  # fmt: skip


def render(report: Report) -> str:
    """Every log source with its state, where it goes and how long it is kept there."""
    return "".join(chunks(report))


def chunks(report: Report) -> Iterator[str]:
    """The same row by row."""
    names = scope_names(report)
    yield "\ufeff" + row(HEAD)
    for resource in report.coverage:
        for source in resource.cells:
            yield row(
                (
                    *(resource.name, resource.type, names.get(resource.subscription.lower(), resource.subscription)),
                    *(resource.resource_group, resource.location, source.category, source.evidence_class),
                    *(STATE_WORDS[source.state], "; ".join(map(name_of, source.destinations)), source.kept),
                    resource.id,
                )
            )

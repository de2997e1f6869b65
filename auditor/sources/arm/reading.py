"""Resources that are declared somewhere → a collection of documents, within bounds."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from auditor import __version__
from auditor.documents import Collection, Run
from auditor.errors import SourceError
from auditor.sources.arm.documents import documents_of
from auditor.sources.arm.evaluate import TooMuch
from auditor.sources.arm.template import Found, resources_of
from auditor.sources.once import declares_of, subscriptions_in

_DEEP: Final = 6_000  # Python's own calls: an expression inside an expression takes several
_REFUSED: Final = "Azure would not deploy it either"


def collection_of(
    template: Mapping[str, Any], given: Mapping[str, Any] | None, file: str, *, source: str
) -> Collection:
    """The documents of a template that was read already."""
    return _bounded(lambda: resources_of(template, given), file, source)


def collected(found: Found, file: str, *, source: str) -> Collection:
    """The documents of resources that are known already."""
    return _bounded(lambda: found, file, source)


def _bounded(find: Callable[[], Found], file: str, source: str) -> Collection:
    try:
        with _deep():
            documents = list(documents_of(find(), file))
    except TooMuch as error:
        raise SourceError(f"{file}: {error}", _REFUSED) from None
    except RecursionError:
        raise SourceError(f"{file}: nested too deeply", _REFUSED) from None
    documents += subscriptions_in(documents)
    documents.sort(key=lambda document: (str(document["id"]).lower(), str(document["type"]).lower()))
    return Collection(
        documents=documents, run=Run(source=source, tool_version=__version__, declares=declares_of(documents))
    )


@contextmanager
def _deep() -> Iterator[None]:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _DEEP))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)

"""Resources that are declared somewhere → a collection of documents, within bounds."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import msgspec

from auditor import __version__
from auditor.documents import NO_SUBSCRIPTION, Collection, Document, Run
from auditor.errors import SourceError
from auditor.sources.arm.accepted import with_accepted
from auditor.sources.arm.documents import documents_of, set_elsewhere
from auditor.sources.arm.evaluate import TooMuch
from auditor.sources.arm.template import Found, resources_of
from auditor.sources.arm.turn import Declared
from auditor.sources.once import declares_of, subscriptions_in

_DEEP: Final = 6_000  # Python's own calls: an expression inside an expression takes several
_REFUSED: Final = "Azure would not deploy it either"


Comments = tuple[tuple[int, str], ...]  # line on which one begins, text


class Deployed(msgspec.Struct, frozen=True, kw_only=True):
    """What one input deploys: its resources, what it is (as `Run.source`), and the comments of its files."""

    found: Found
    file: str
    source: str
    comments: tuple[tuple[str, Comments], ...] = ()

    @property
    def abroad(self) -> list[Declared]:
        """The settings that are on nothing that it deploys itself."""
        return set_elsewhere(self.found)


def deployed(
    template: Mapping[str, Any],
    given: Mapping[str, Any] | None,
    file: str,
    source: str,
    comments: tuple[tuple[str, Comments], ...] = (),
) -> Deployed:
    """What a template that was read already deploys."""
    with _bounded(file):
        return Deployed(found=resources_of(template, given), file=file, source=source, comments=comments)


def documents_from(
    made: Deployed, abroad: Iterable[tuple[str, Declared]] = (), *, subscription: str = ""
) -> list[Document]:
    """The documents of an input; `abroad` are settings of other inputs, each with its file, that may be on its own.

    `subscription` is what the one that it does not name is called.
    """
    with _bounded(made.file):
        documents = list(documents_of(made.found, made.file, abroad))
    for file, comments in made.comments:
        if any("auditor:" in text for _, text in comments):
            documents = with_accepted(documents, comments, file)
    documents += subscriptions_in(documents)
    documents.sort(key=lambda document: (str(document["id"]).lower(), str(document["type"]).lower()))
    if not subscription or subscription == NO_SUBSCRIPTION:
        return documents
    renamed = msgspec.json.encode(documents).replace(NO_SUBSCRIPTION.encode(), subscription.encode())
    return msgspec.json.decode(renamed, type=list[dict[str, Any]])


def collection_from(made: Deployed) -> Collection:
    """The documents of one input by itself."""
    documents = documents_from(made)
    run = Run(source=made.source, tool_version=__version__, declares=declares_of(documents))
    return Collection(documents=documents, run=run)


@contextmanager
def _bounded(file: str) -> Iterator[None]:
    try:
        with _deep():
            yield
    except TooMuch as error:
        raise SourceError(f"{file}: {error}", _REFUSED) from None
    except RecursionError:
        raise SourceError(f"{file}: nested too deeply", _REFUSED) from None


@contextmanager
def _deep() -> Iterator[None]:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _DEEP))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)

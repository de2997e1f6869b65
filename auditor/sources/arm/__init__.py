"""ARM templates → documents, as Azure would give them after the deployment.

Nothing is deployed and nothing is asked: what parameters, conditions and references do not tell is `{"$unknown": …}`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from auditor import __version__
from auditor.documents import Collection, Run
from auditor.errors import SourceError
from auditor.sources.arm import jsonc
from auditor.sources.arm.documents import documents_of
from auditor.sources.arm.evaluate import TooMuch
from auditor.sources.arm.parameters import beside, given_by
from auditor.sources.arm.template import resources_of

_SCHEMA: Final = re.compile(
    rb'"\$schema"\s*:\s*"[^"\n]{0,200}/(?:subscription|managementGroup|tenant)?deploymentTemplate\.json#?"',
    re.IGNORECASE,
)
_DEEP: Final = 6_000  # Python's own calls: an expression inside an expression takes several


def recognises(path: Path) -> bool:
    """Whether a file is an ARM template, by the schema that it names."""
    try:
        with path.open("rb") as file:
            start = file.read(1024 * 1024)
    except OSError:
        return False
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        start = start.decode("utf-16", "replace").encode()
    return _SCHEMA.search(start) is not None


def read(path: Path, parameters: Path | None = None) -> Collection:
    """The documents of a template, with the values of a parameter file; by default that beside it."""
    template, _ = jsonc.load(path)
    if not isinstance(template, Mapping):
        raise SourceError(f"{path}: not an ARM template", "a template is one JSON object")
    given = given_by(parameters or beside(path))
    return collection_of(template, given, path.as_posix(), source="arm")


def collection_of(
    template: Mapping[str, Any], given: Mapping[str, Any] | None, file: str, *, source: str
) -> Collection:
    """The documents of a template that was read already."""
    try:
        with _deep():
            documents = list(documents_of(resources_of(template, given), file))
    except TooMuch as error:
        raise SourceError(f"{file}: {error}", "Azure would not deploy it either") from None
    except RecursionError:
        raise SourceError(f"{file}: nested too deeply", "Azure would not deploy it either") from None
    documents.sort(key=lambda document: (str(document["id"]).lower(), str(document["type"]).lower()))
    return Collection(documents=documents, run=Run(source=source, tool_version=__version__))


@contextmanager
def _deep() -> Iterator[None]:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _DEEP))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)

"""ARM templates → documents, as Azure would give them after the deployment.

Nothing is deployed and nothing is asked: what parameters, conditions and references do not tell is `{"$unknown": …}`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from auditor.documents import Collection
from auditor.errors import SourceError
from auditor.sources.arm import jsonc
from auditor.sources.arm.parameters import beside, given_by
from auditor.sources.arm.reading import Deployed, collection_from, deployed
from auditor.sources.ways import Ways

_SCHEMA: Final = re.compile(
    rb'"\$schema"\s*:\s*"[^"\n]{0,200}/(?:subscription|managementGroup|tenant)?deploymentTemplate\.json#?"',
    re.IGNORECASE,
)


def recognises(path: Path) -> bool:
    """Whether a file is an ARM template, by the schema that it names."""
    try:
        with path.open("rb") as file:
            start = file.read(64 * 1024)
    except OSError:
        return False
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        start = start.decode("utf-16", "replace").encode()
    return _SCHEMA.search(start) is not None


def read(path: Path, ways: Ways | None = None) -> Collection:
    """The documents of a template, with the values of a parameter file: by default that beside it, which is told."""
    return collection_from(opened(path, ways or Ways()))


def opened(path: Path, ways: Ways, shown: str = "") -> Deployed:
    """What a template deploys; its resources are said to be in the file `shown`."""
    template, text = jsonc.load(path)
    if not isinstance(template, Mapping):
        raise SourceError(f"{path}: not an ARM template", "a template is one JSON object")
    file = shown or path.as_posix()
    comments = tuple(jsonc.comments(text)) if "auditor:" in text else ()
    return deployed(template, given_for(path, ways), file, "arm", ((file, comments),))


def given_for(path: Path, ways: Ways) -> dict[str, Any] | None:
    """The values for a template: of the file that was named, else of that beside it; None where there is none."""
    file = ways.parameters or beside(path)
    if file is not None and ways.parameters is None:
        ways.notice(f"{path.name} is read with the parameters of {file.name} beside it")
    return given_by(file)

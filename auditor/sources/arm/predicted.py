"""What Azure or Bicep predict of a deployment: `what-if` results and `bicep snapshot` → documents.

Their ids are those of Azure. What they leave out is no proof that it is missing, as soon as anything was not predicted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from auditor.documents import DIAGNOSTIC_SETTINGS, Collection, type_of
from auditor.errors import SourceError
from auditor.sources.arm.evaluate import Budget, Env, Frame
from auditor.sources.arm.jsonc import MAX_BYTES, decoded
from auditor.sources.arm.place import Place
from auditor.sources.arm.reading import Deployed, collection_from
from auditor.sources.arm.template import Found
from auditor.sources.arm.turn import Declared
from auditor.sources.arm.values import Sym, shown, token

_START: Final = 64 * 1024
_SETTING: Final = DIAGNOSTIC_SETTINGS.lower()
_STAYS: Final = ("create", "modify", "nochange", "noeffect", "deploy")
_STOPPED: Final = frozenset({"nesteddeploymentshortcircuited", "nesteddeploymentskippedfrominternalexpansion"})
_WHAT_IF: Final = "write it with `az deployment group what-if --no-pretty-print -o json > what-if.json`"
_SNAPSHOT: Final = "write it with `bicep snapshot main.bicepparam`"
_MOST: Final = 3


def is_what_if(path: Path) -> bool:
    """Whether a file is the result of a what-if."""
    start = _start(path)
    return b'"changes"' in start and (b'"changeType"' in start or b'"potentialChanges"' in start)


def is_snapshot(path: Path) -> bool:
    """Whether a file is what `bicep snapshot` writes."""
    return b'"predictedResources"' in _start(path)


def _start(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            start = file.read(_START)
    except OSError:
        return b""
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        start = start.decode("utf-16", "replace").encode()
    return start if start.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{" else b""


def read_what_if(path: Path) -> Collection:
    """The documents of what will be after a deployment, as a what-if predicts it."""
    told = _object(path, _WHAT_IF)
    inner = told.get("properties")
    body = inner if isinstance(inner, Mapping) and "changes" in inner else told
    changes = body.get("changes")
    if told.get("error") or body.get("error") or str(told.get("status") or "").lower() == "failed":
        raise SourceError(f"{path}: the what-if failed, so it does not tell what will be", "run it again")
    if not isinstance(changes, list):
        raise SourceError(f"{path}: holds no changes", _WHAT_IF)
    env = _env()
    found = [one for change in changes if isinstance(change, Mapping) for one in _changed(change, env)]
    potential = body.get("potentialChanges")
    for change in potential if isinstance(potential, list) else ():
        if isinstance(change, Mapping):
            doubt = frozenset({"the what-if calls it a potential change"})
            found += [msgspec.structs.replace(one, conditions=doubt) for one in _changed(change, env)]
    lacking = _unsupported(changes) + _stopped(told.get("diagnostics") or body.get("diagnostics"))
    predicted = Found(resources=found, lacking=lacking)
    return collection_from(Deployed(found=predicted, file=path.as_posix(), source="what-if"))


def read_snapshot(path: Path) -> Collection:
    """The documents of what a snapshot predicts; expressions that it leaves are known at deployment."""
    told = _object(path, _SNAPSHOT)
    resources = told.get("predictedResources")
    if not isinstance(resources, list):
        raise SourceError(f"{path}: holds no predicted resources", _SNAPSHOT)
    env = _env()
    found = [_declared(one.get("id"), one, env) for one in resources if isinstance(one, Mapping)]
    predicted = Found(resources=found, lacking=[])
    return collection_from(Deployed(found=predicted, file=path.as_posix(), source="bicep-snapshot"))


def _object(path: Path, hint: str) -> Mapping[str, Any]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SourceError(f"{path}: larger than {MAX_BYTES // 1024**2} MB", "scan its parts by themselves")
        told = msgspec.json.decode(decoded(path.read_bytes(), str(path)).lstrip("\ufeff").encode())
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}", hint) from None
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{path}: not whole JSON ({str(error)[:120]})", hint) from None
    if not isinstance(told, Mapping):
        raise SourceError(f"{path}: not a JSON object", hint)
    return told


def _env() -> Env:
    return Frame({}, Place(), Budget()).env()


def _changed(change: Mapping[str, Any], env: Env) -> Iterator[Declared]:
    """The resource that a change leaves there; of what is not in the template, what is known to be there already."""
    kind = str(change.get("changeType") or "").lower()
    after, before, shown_id = change.get("after"), change.get("before"), change.get("resourceId")
    is_setting = isinstance(shown_id, str) and type_of(shown_id).lower() == _SETTING
    if kind in _STAYS:
        known = after if isinstance(after, Mapping) else None
        yield _declared(shown_id, known or _untold("the what-if tells no properties"), env)
    elif kind == "ignore" and is_setting:
        known = after if isinstance(after, Mapping) else before if isinstance(before, Mapping) else None
        yield _declared(shown_id, known or _untold("the what-if tells no properties"), env)
    elif kind == "unsupported" and is_setting:
        yield _declared(shown_id, _untold("the what-if does not support it"), env)
    elif kind == "ignore":
        yield msgspec.structs.replace(_declared(shown_id, {}, env), existing=True)


def _untold(why: str) -> Mapping[str, Any]:
    return {"properties": token(why)}


def _declared(shown_id: Any, body: Mapping[str, Any], env: Env) -> Declared:
    told = env.value(shown_id) if isinstance(shown_id, str) else None
    made = told if (isinstance(told, str) and told.startswith("/")) or isinstance(told, Sym) else None
    if isinstance(made, Sym) and not (isinstance(made.parts[0], str) and made.parts[0].startswith("/")):
        made = None
    words = shown(told) if isinstance(told, str | Sym) else str(body.get("name") or "")
    kind = type_of(made) if isinstance(made, str) else str(body.get("type") or "unknown/unknown")
    known = {key: value for key, value in body.items() if key not in ("id", "type", "name", "apiVersion", "dependsOn")}
    return Declared(
        kind=kind,
        name=words.rpartition("/")[2],
        id=made,
        body={key: value if isinstance(value, Sym) else env.value(value) for key, value in known.items()},
        address=words,
        scope_words=words,
    )


def _unsupported(changes: list[Any]) -> list[str]:
    """Why what is not among the changes may be there all the same."""
    found = [
        str(change.get("resourceId") or "")
        for change in changes
        if isinstance(change, Mapping) and str(change.get("changeType") or "").lower() == "unsupported"
    ]
    if not found:
        return []
    more = f" and {len(found) - _MOST} more" if len(found) > _MOST else ""
    return [f"the what-if could not predict {', '.join(one[:200] for one in sorted(found)[:_MOST])}{more}"]


def _stopped(diagnostics: Any) -> list[str]:
    return sorted(
        {
            f"the what-if left out {str(one.get('target') or 'a nested deployment')[:200]}"
            for one in (diagnostics if isinstance(diagnostics, list) else ())
            if isinstance(one, Mapping) and str(one.get("code") or "").lower() in _STOPPED
        }
    )

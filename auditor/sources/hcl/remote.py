"""Calls of modules that are not on disk: what they make is not judged, and that must not look like a pass."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from auditor import documents as d
from auditor.documents import Document
from auditor.sources.hcl.code import Code
from auditor.sources.hcl.place import place_of
from auditor.sources.terraform.plan import Plan

_REGISTRY: Final = re.compile(r"(?:[\w.-]+\.[\w.-]+/)?([\w-]+)/([\w-]+)/([\w-]+)(?://.*)?")  # host, namespace, name
# Providers that make nothing in Azure, and modules that only compute something.
_FOREIGN: Final = frozenset({"aws", "google", "github", "gitlab", "kubernetes", "helm", "cloudflare", "datadog"})
_COMPUTES: Final = frozenset({"azure/naming", "azure/regions"})
_TOLD: Final = 5  # calls in a note
_FETCH: Final = "`terraform init` in that folder, or scan the plan"
_MEND: Final = "put the folder there, or scan the plan"


class Away(msgspec.Struct, frozen=True, kw_only=True):
    """One block that calls a module which is not on disk."""

    address: str
    source: str
    file: str
    line: int | None

    @property
    def shown(self) -> str:
        """File and line."""
        return f"{self.file}:{self.line}" if self.line else self.file


def away(code: Code, plan: Plan) -> list[Away]:
    """The calls whose modules are not on disk and may make something in Azure, each once."""
    found: dict[str, Away] = {}
    for call in plan.remote:
        source = str(call.values["source"])
        names = [*(name for name, _ in call.module), call.name]
        place = place_of(code, call)
        if not (_makes_nothing(source) or code.endless):
            address = ".".join(f"module.{name}" for name in names)
            found[address] = Away(address=address, source=source, file=place["file"], line=place.get("line"))
    return [found[address] for address in sorted(found)]


def _makes_nothing(source: str) -> bool:
    parts = _REGISTRY.fullmatch(source)
    if parts is None:
        return False
    namespace, name, provider = (part.lower() for part in parts.groups())
    module = f"{namespace}/{name}"
    return provider in _FOREIGN or module in _COMPUTES or module.startswith("azure/avm-utl-")


def unread(calls: Iterable[Away]) -> Iterator[Document]:
    """The documents that stand for what modules make that are not on disk."""
    for call in calls:
        local = call.source.startswith(("./", "../"))
        told = {
            "reason": f"{call.address} calls {call.source}, which is not on disk, so what it makes is not judged",
            "code": f"remote-module({call.source})",
            "grant": _MEND if local else _FETCH,
        }
        origin: dict[str, Any] = {"file": call.file} | ({"line": call.line} if call.line else {})
        yield {"id": f"{call.shown}/{call.address}", "type": d.RESOURCE_LIST, "$unknown": told, "$origin": origin}


def note(calls: Iterable[Away]) -> str:
    """What is said once of all of them; empty where there are none."""
    named = [f"{call.address} ({call.shown})" for call in calls]
    more = f" and {len(named) - _TOLD} more" if len(named) > _TOLD else ""
    return (
        f"not judged, since the modules are not on disk (`terraform init` fetches them): "
        f"{', '.join(named[:_TOLD])}{more}"
        if named
        else ""
    )

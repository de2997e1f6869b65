"""Terraform plans and states (`terraform show -json`) → documents, as Azure would give them after the apply.

A plan has no ids for what is yet to be made, so that ids are made of names and addresses, and what refers to what is
told by the configuration inside the plan. What that does not tell is `{"$unknown": {"reason": …}}`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from auditor import __version__
from auditor import documents as d
from auditor.documents import Collection, Document, Run
from auditor.errors import SourceError
from auditor.sources.once import declares_of, subscriptions_in
from auditor.sources.terraform.attached import SAYING, attach_all
from auditor.sources.terraform.azapi import body_of
from auditor.sources.terraform.ids import Ids, below, escaped
from auditor.sources.terraform.plan import AFTER, DECIDED, Instance, Plan, code_of, plan_of
from auditor.sources.terraform.settings import Setting, is_setting, setting_documents, settings_in
from auditor.sources.terraform.shape import Link, later
from auditor.sources.terraform.types import AZAPI, HIDDEN, ROWS

MAX_BYTES: Final = 512 * 1024**2
_GROUP: Final = "azurerm_resource_group"
_ONBOARDING: Final = f"/providers/{d.SENTINEL}/".lower()
_ACCOUNT: Final = "microsoft.storage/storageaccounts"
_LISTS: Final = {kind.lower(): kind for kind in (d.TABLES, d.DEFENDER_PLANS)}
_SERVICES: Final = frozenset(f"{_ACCOUNT}/{service}".lower() for service in d.STORAGE_SERVICES.values())
_HINT: Final = "write it with `terraform show -json PLANFILE > plan.json`"
_MARKS: Final = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig"))


class _Head(msgspec.Struct):
    """What tells a plan or a state from any other JSON."""

    format_version: str
    terraform_version: str = ""
    planned_values: msgspec.Raw = msgspec.Raw()
    values: msgspec.Raw = msgspec.Raw()


def recognises(path: Path) -> bool:
    """Whether a file is the JSON form of a Terraform plan or state, whole or not."""
    try:
        with path.open("rb") as file:
            start = _plain(file.read(8192)).lstrip()
        if start[:1] != b"{":
            return False
        if b'"format_version"' in start:
            return True
        head = msgspec.json.decode(_plain(path.read_bytes()), type=_Head)  # its keys may be in any order
    except (OSError, ValueError, RecursionError):
        return False
    return bool(bytes(head.planned_values) or bytes(head.values))


def read(path: Path) -> Collection:
    """The documents of a plan or state. Raises `SourceError` for one that is broken, failed or of a new format."""
    plan, run = parsed(path)
    return collection(documents_of(plan, lambda _: {"file": path.as_posix()}), run)


def collection(documents: list[Document], run: Run) -> Collection:
    """Documents with their run, which tells what of them exists once."""
    return Collection(documents=documents, run=msgspec.structs.replace(run, declares=declares_of(documents)))


def parsed(path: Path) -> tuple[Plan, Run]:
    """A plan or state before its documents are made. Raises `SourceError` as `read` does."""
    told = _decoded(path)
    plan = plan_of(told)
    planned = "planned_values" in told
    timestamp = told.get("timestamp")
    run = Run(
        not_mapped=not_mapped(plan),
        source="terraform-plan" if planned else "terraform-state",
        tool_version=__version__,
        finished_at=timestamp if isinstance(timestamp, str) else "",
    )
    return plan, run


def documents_of(
    plan: Plan, place: Callable[[Instance], dict[str, Any]], abroad: Iterable[Setting] = ()
) -> list[Document]:
    """The documents of a plan in the order of their ids; `place` tells file and line of what made each.

    `abroad` are settings that are made elsewhere, and may be on anything here.
    """
    origin = {i.address: {"address": i.address, **place(i)} for i in (*plan.instances, *plan.remote)}
    every = [*_documents(plan, origin, abroad)]
    return sorted(
        [*every, *subscriptions_in(every)],
        key=lambda document: (str(document["id"]).lower(), str(document["type"]).lower()),
    )


def not_mapped(plan: Plan) -> dict[str, int]:
    """The Azure resources that are not judged because their type is not known here: type → how many."""
    found = Counter(
        instance.type
        for instance in plan.instances
        if instance.type.startswith(("azurerm_", "azapi_"))
        and not (instance.type in ROWS or instance.type in SAYING or instance.type in (AZAPI, _GROUP))
        and not is_setting(instance)
    )
    return dict(sorted(found.items()))


def _plain(data: bytes) -> bytes:
    """UTF-8, whatever a shell made of the output: PowerShell's `>` writes UTF-16."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding, "replace").encode()
    return data


def _decoded(path: Path) -> Mapping[str, Any]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SourceError(f"{path}: larger than {MAX_BYTES // 1024**2} MB", "scan the plans of its parts")
        told = msgspec.json.decode(_plain(path.read_bytes()))
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}", _HINT) from None
    except RecursionError:
        raise SourceError(f"{path}: nested too deeply for a Terraform plan", _HINT) from None
    except ValueError as error:
        raise SourceError(f"{path}: not a whole Terraform plan ({str(error)[:120]})", _HINT) from None
    version = told.get("format_version") if isinstance(told, Mapping) else None
    if not isinstance(told, Mapping) or not isinstance(version, str) or version.partition(".")[0] not in ("0", "1"):
        raise SourceError(f"{path}: Terraform's format {str(version)[:20]} is not known", "update the auditor")
    if told.get("errored") is True:
        raise SourceError(f"{path}: the plan failed, so it does not tell what will be", "plan again, then scan that")
    if not any(isinstance(told.get(key), Mapping) for key in ("planned_values", "values")):
        raise SourceError(f"{path}: holds no planned values and no state", _HINT)
    return told


def _documents(plan: Plan, origin: Mapping[str, dict[str, Any]], abroad: Iterable[Setting]) -> Iterator[Document]:
    ids = Ids(plan)
    targets: dict[str, Instance] = {}
    made: dict[str, Document] = {}
    loose: list[Instance] = []
    more: list[Document] = []
    for instance in plan.instances:
        if instance.type in HIDDEN or is_setting(instance) or not (instance.type == AZAPI or instance.type in ROWS):
            continue
        if instance.type in ROWS and ROWS[instance.type].spreads and ids.is_loose(instance):
            loose.append(instance)
            continue
        targets[instance.address] = instance
        made[instance.address] = {**_document(instance, ids, plan), "$origin": origin[instance.address]}
        if instance.type in ROWS:
            more += ROWS[instance.type].more(_set(instance), ids.of(instance))
    attach_all(plan.instances, lambda instance: link_of(instance, ids), list(made.values()))
    yield from _listed([*made.values(), *more, *_spread(loose, list(made.values()), origin)])
    parts = _parts(made)
    resources = [str(made[address]["id"]) for address in targets] + [i for below in parts.values() for i in below]
    settings = [*settings_in(plan, ids, targets, parts), *abroad]
    yield from setting_documents(settings, sorted(set(resources)), plan.lacking or _untyped(plan), origin)


def _untyped(plan: Plan) -> str:
    """Why any resource may have settings that are not seen: something has a type that only the apply decides."""
    odd = [i.address for i in plan.instances if i.type == AZAPI and not isinstance(i.values.get("type"), str)]
    return f"the type of {odd[0]} is not known yet" if odd else ""


def _document(instance: Instance, ids: Ids, plan: Plan) -> Document:
    values = instance.values
    shown = ids.of(instance)
    head: Document = {"id": shown, "name": d.name_of(shown)}
    if isinstance(values.get("location"), str):
        head["location"] = values["location"]
    if isinstance(values.get("tags"), Mapping):
        head["tags"] = values["tags"]
    if instance.type == AZAPI:
        body = body_of(instance, ids, plan)
        inner = {"properties": body} if "$unknown" in body else dict(body)
        return {**inner, **head, "type": str(values.get("type") or "").partition("@")[0]}

    row = ROWS[instance.type]
    if instance.conditions and (row.spreads or row.on):  # part of another resource, and not there for certain
        return {**head, "type": row.type, **_open(instance)}
    if instance.conditions and row.type == d.FLOW_LOGS:
        instance = msgspec.structs.replace(instance, values={**instance.values, "enabled": _open(instance)})
    return {**head, "type": row.type, **row.build(_set(instance), link_of(instance, ids))}


def _open(instance: Instance) -> dict[str, Any]:
    """A value that depends on whether an instance is made at all."""
    told = min(instance.conditions).partition(": ")[2]
    reason = f"whether it is made depends on {told}"
    return {"$unknown": {"reason": reason, "code": f"conditional({told})", "grant": DECIDED}}


def _set(instance: Instance) -> Mapping[str, Any]:
    """The values without what nobody set and Azure sets as it always does."""
    written = instance.block.get("expressions")
    written = written if isinstance(written, Mapping) else {}
    unset = {name for name in ROWS[instance.type].computed if later(instance.values.get(name)) and name not in written}
    return {key: value for key, value in instance.values.items() if key not in unset}


def link_of(instance: Instance, ids: Ids) -> Link:
    """What tells the ids that attributes of an instance hold, or will hold."""

    def link(*path: str | int, of: str = "") -> Any:
        found: Any = instance.values
        for step in path:
            if later(found):
                return found
            if isinstance(found, Mapping):
                found = found.get(str(step))
            else:
                found = found[step] if isinstance(found, list) and isinstance(step, int) and step < len(found) else None
        if not isinstance(found, Mapping):
            return found
        return (ids.meant(instance, of, *path) if of else ids.linked(instance, *path)) or found

    return link


def _parts(made: Mapping[str, Document]) -> dict[str, list[str]]:
    """By the address of an account or server, the ids of what is below it and logs by itself."""
    parts: dict[str, list[str]] = {}
    databases: dict[str, set[str]] = {}
    for document in made.values():
        if str(document["type"]).lower() == "microsoft.sql/servers/databases":
            shown = str(document["id"])
            databases.setdefault(d.parent_of(d.normal_id(shown)), set()).add(shown)
    onboarded = {
        d.normal_id(str(document["id"]).lower().partition(_ONBOARDING)[0])
        for document in made.values()
        if str(document["type"]).lower() == d.SENTINEL.lower()
    }
    for address, document in made.items():
        kind, shown = str(document["type"]).lower(), str(document["id"])
        if d.normal_id(shown) in onboarded:  # Sentinel's own health is set on a part of the workspace
            parts[address] = [shown, d.sentinel_health_id(shown)]
        elif kind == _ACCOUNT:
            parts[address] = [d.storage_service_id(shown, service) for service in d.storage_services(document)]
        elif kind == "microsoft.sql/servers":
            parts[address] = sorted({*databases.get(d.normal_id(shown), ()), f"{shown}/databases/master"})
    return parts


def _spread(loose: list[Instance], every: list[Document], origin: Mapping[str, dict[str, Any]]) -> Iterator[Document]:
    """For parts of something that the plan does not name: each may be of any that has none of its own."""
    own = {(str(document["type"]).lower(), d.parent_of(d.normal_id(str(document["id"])))) for document in every}
    first: dict[str, Instance] = {}
    for instance in loose:
        first.setdefault(instance.type, instance)  # one stands for all, so that their number does not multiply
    for instance in first.values():
        row = ROWS[instance.type]
        kinds = {kind.lower() for kind in row.extends or (row.type.rpartition("/")[0],)}
        for document in every:
            parent = str(document["id"])
            taken = row.called and (row.type.lower(), d.normal_id(parent)) in own
            if str(document["type"]).lower() in kinds and not taken:
                why = f"{instance.address} is of what only the apply decides"
                yield {
                    "id": below(row, parent, row.called or escaped(instance.address)),
                    "type": row.type,
                    "$unknown": {"reason": why, "code": code_of(instance.address), **AFTER},
                    "$origin": origin[instance.address],
                }


def _listed(documents: list[Document]) -> Iterator[Document]:
    """The documents, with tables of a workspace and plans of Defender as lists, as Azure gives them."""
    tables: dict[tuple[str, str], list[Document]] = {}
    for document in documents:
        kind = str(document["type"]).lower()
        if kind in _SERVICES:
            continue  # the account tells of its services
        if kind in _LISTS:
            tables.setdefault((str(document["id"]).rpartition("/")[0], _LISTS[kind]), []).append(document)
        else:
            yield document
    for (shown, kind), members in tables.items():
        unread = next((member["$unknown"] for member in members if "$unknown" in member), None)
        told = {"value": members} if unread is None else {"$unknown": unread}
        yield {"id": shown, "type": kind, **told}

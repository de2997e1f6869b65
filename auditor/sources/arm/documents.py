"""The resources of a template → documents, as Azure would give them after the deployment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from msgspec.structs import replace

from auditor import documents as d
from auditor.documents import Document
from auditor.sources.arm.match import Candidate, Candidates
from auditor.sources.arm.nested import DEPLOYMENT
from auditor.sources.arm.place import Id, kind_of, told
from auditor.sources.arm.render import LINKED, body_of, conditional, not_known, place_told, why
from auditor.sources.arm.setting import written_in
from auditor.sources.arm.template import Found
from auditor.sources.arm.turn import Declared
from auditor.sources.arm.values import Sym, joined, renamed, shown, split, words_of
from auditor.sources.comments import acceptances_of
from auditor.sources.declared import Setting, setting_documents

_SETTING: Final = d.DIAGNOSTIC_SETTINGS.lower()
_SETTINGS: Final = (_SETTING, "/providers/diagnosticsettings")
_ACCOUNT: Final = "microsoft.storage/storageaccounts"
_SERVER: Final = "microsoft.sql/servers"
_GROUPS: Final = frozenset({"microsoft.resources/resourcegroups", "microsoft.resources/subscriptions/resourcegroups"})
# Parts of an account that its own document tells of.
_SERVICES: Final = frozenset(
    f"{_ACCOUNT}/{service}".lower() for service in d.STORAGE_SERVICES.values() if service != "blobServices"
)
# What Azure gives as one list for everything below the same path.
_LISTS: Final = {
    kind.lower(): kind
    for kind in (
        *(d.TABLES, d.DEFENDER_PLANS, d.COLLECTION_RULE_ASSOCIATIONS, d.EVENT_HUBS, d.HUB_RULES, d.CONTAINERS, d.LOCKS),
        *(
            d.SECURITY_POLICIES,
            d.POSTGRESQL_PARAMETERS,
            d.MYSQL_PARAMETERS,
            d.SENTINEL_CONNECTORS,
            d.ENTRA_SETTINGS,
            d.INTUNE_SETTINGS,
        ),
    )
}
# What decides about other resources: where it may not be there, neither is known of these.
_DECIDES: Final = d.ABOUT | {
    "microsoft.network/publicipaddresses",
    "microsoft.network/networksecuritygroups/securityrules",
    "microsoft.network/virtualnetworks/subnets",
}
_INTERFACE: Final = "microsoft.network/networkinterfaces"
_FLOW_LOG: Final = d.FLOW_LOGS.lower()
_EXISTS: Final = "exists already, and what it exports is not told here"
_MOST: Final = 50  # resources that one setting may be on; where there are more, it may be on any


Abroad = Iterable[tuple[str, Declared]]  # settings of other templates, each with its file


def documents_of(found: Found, file: str, abroad: Abroad = ()) -> Iterator[Document]:
    """Every document that a template's resources come to; `abroad` may be on some of them."""
    settings = [one for one in found.resources if _is_setting(one)]
    resources = [one for one in found.resources if not _is_setting(one) and one.kind.lower() != DEPLOYMENT]
    lacking = found.lacking + [
        f"what {one.address} is a part of is known at deployment: {one.scope_words}"
        for one in resources
        if one.id is None and not one.existing
    ]
    missing = why("; ".join(sorted(lacking)[:3])) | (LINKED if found.linked else {}) if lacking else None
    shown_ids = _shown_ids(resources)
    places = _places(resources)
    made: list[Document | None] = []
    for one, shown_id in shown_ids:
        if not one.existing:
            made.append(_document(one, shown_id, places, file, missing))
    yield from _listed(document for document in made if document is not None)
    candidates = list(_candidates(shown_ids))
    judged = sorted({c.shown for c in _candidates((o, s) for o, s in shown_ids if not o.existing)})
    known = Candidates(candidates)
    told_settings = [_setting(one, known, file) for one in settings]
    foreign = (_from_abroad(one, known, where) for where, one in abroad)
    told_settings += [setting for setting in foreign if setting is not None]
    yield from setting_documents(told_settings, judged, missing)


def _is_setting(one: Declared) -> bool:
    kind = one.kind.lower()
    return kind == _SETTING or kind.endswith(_SETTINGS[1])


def _shown_ids(resources: Iterable[Declared]) -> list[tuple[Declared, str]]:
    """Each resource with the id of its document; never the same one twice, nor one that is made as existing too."""
    seen: dict[str, int] = {}
    found = []
    for one in sorted(resources, key=lambda one: one.existing):
        if one.id is None or kind_of(one.id) in _GROUPS or "/resourcegroups" in one.kind.lower():
            continue
        shown_id = told(one.id)
        number = seen[shown_id.lower()] = seen.get(shown_id.lower(), 0) + 1
        if number == 1 or not one.existing:
            found.append((one, shown_id if number == 1 else f"{shown_id}~{number}"))
    return found


def _places(resources: Iterable[Declared]) -> frozenset[str]:
    """The one location of everything, if nothing is said to be anywhere else: then it need not be known."""
    every = {place_told(one.body.get("location")) for one in resources if "location" in one.body}
    every -= {"", "global"}
    return frozenset(every if len(every) == 1 else ())


def _document(
    one: Declared, shown_id: str, places: frozenset[str], file: str, missing: Mapping[str, Any] | None
) -> Document | None:
    kind = d.type_of(shown_id) or one.kind
    if kind.lower() in _SERVICES:
        return None  # the account tells of its services
    origin = {"file": one.file or file, "line": one.line, "end_line": one.end, "address": one.address}
    head: Document = {
        "id": shown_id,
        "type": kind,
        "name": d.name_of(shown_id),
        "$origin": {key: value for key, value in origin.items() if value is not None},
    }
    accepted = acceptances_of(one.body.get("metadata"), one.file or file, one.line)
    if accepted:
        head["$accept"] = accepted
    doubt = conditional(one.address, one.conditions) if one.conditions else None
    if doubt is not None and kind.lower() in _DECIDES:
        return {**head, "$unknown": doubt}
    document = {"properties": {}, **body_of(one.body, places), **head}
    if doubt is not None and kind.lower() == _FLOW_LOG and isinstance(document["properties"], Mapping):
        document["properties"] = {**document["properties"], "enabled": {"$unknown": doubt}}
    if doubt is not None and kind.lower() == _INTERFACE:
        document["properties"] = _perhaps_public(document["properties"], doubt)
    if doubt is not None or missing is not None:
        document["$perhaps"] = doubt or {**(missing or {}), "why": "not all that is deployed is here"}
    return document


def _perhaps_public(properties: Any, doubt: Mapping[str, Any]) -> Any:
    """The properties of an interface that may not be made: then what is behind it has no public address by it."""
    configurations = properties.get("ipConfigurations") if isinstance(properties, Mapping) else None
    if not isinstance(configurations, list):
        return properties
    made = []
    for one in configurations:
        inner = one.get("properties") if isinstance(one, Mapping) else None
        if isinstance(inner, Mapping) and inner.get("publicIPAddress"):
            one = {**one, "properties": {**inner, "publicIPAddress": {"$unknown": doubt}}}  # noqa: PLW2901
        made.append(one)
    return {**properties, "ipConfigurations": made}


def _listed(documents: Iterable[Document]) -> Iterator[Document]:
    """The documents, with those that Azure gives as lists in one each."""
    lists: dict[str, tuple[str, list[Document]]] = {}
    for document in documents:
        kind = _LISTS.get(str(document["type"]).lower())
        if kind is None:
            yield document
            continue
        shown_id = str(document["id"])
        where = shown_id.rpartition("/")[0]
        if kind == d.LOCKS:
            where = f"/subscriptions/{d.subscription_of(shown_id)}/providers/{kind}"
        lists.setdefault(where.lower(), (where, []))[1].append(document)
    for where, members in lists.values():
        unread = next((member["$unknown"] for member in members if "$unknown" in member), None)
        kind = _LISTS[str(members[0]["type"]).lower()]
        yield {"id": where, "type": kind, **({"value": members} if unread is None else {"$unknown": unread})}


def _candidates(resources: Iterable[tuple[Declared, str]]) -> Iterator[Candidate]:
    """All that settings can be on: resources, and the parts of them that log by themselves."""
    for one, shown_id in resources:
        if one.id is None:
            continue
        yield Candidate(id=one.id, shown=shown_id, conditions=one.conditions)
        kind = kind_of(one.id)
        if kind == _ACCOUNT:
            for service in d.STORAGE_SERVICES.values():
                part = f"/{service}/default"
                yield Candidate(id=joined([one.id, part]), shown=f"{shown_id}{part}", conditions=one.conditions)
        elif kind == _SERVER:
            part = "/databases/master"
            yield Candidate(id=joined([one.id, part]), shown=f"{shown_id}{part}", conditions=one.conditions)


# --- settings ---------------------------------------------------------------------------------------------------------


def _setting(one: Declared, candidates: Candidates, file: str) -> Setting:
    origin = {"file": one.file or file, "line": one.line, "end_line": one.end, "address": one.address}
    properties = one.body.get("properties")
    if isinstance(properties, Mapping) and not one.existing:
        written = written_in(properties, one.address)
    elif one.existing or isinstance(properties, Sym):
        unknown = {"$unknown": why(f"{one.address} {_EXISTS}")} if one.existing else not_known(properties)
        written = {"logs": unknown, "workspaceId": unknown}
    else:
        written = {"logs": []}
    base = Setting(
        name=d.name_of(told(one.id)) if one.id is not None else shown(one.name).rpartition("/")[2],
        properties=written,
        origin={key: value for key, value in origin.items() if value is not None},
    )
    return _placed(base, one, candidates)


def set_elsewhere(found: Found) -> list[Declared]:
    """The settings that are on something that their template does not make, but names."""
    resources = [one for one in found.resources if not _is_setting(one) and not one.existing]
    known = Candidates(_candidates(_shown_ids(resources)))
    settings = (one for one in found.resources if _is_setting(one) and not one.existing)
    return [one for one in settings if (target := _target(one.id)) is not None and not known.exactly(target)]


def _from_abroad(one: Declared, candidates: Candidates, file: str) -> Setting | None:
    """A setting of another template, if it may be on something here: their tokens have nothing in common."""
    base, target = _setting(one, Candidates(()), file), _target(one.id)
    if target is None:
        return None
    perhaps = [c.shown for c in candidates.perhaps(renamed(target, file))]
    if not perhaps or len(perhaps) > _MOST:
        return None
    if isinstance(target, str) and candidates.exactly(target):
        return _placed(base, one, candidates)
    unknown = why(f"{one.address} in {file} may be set on it: {words_of(target)}")
    return replace(base, target="", perhaps=tuple(perhaps), anywhere=False, unknown=unknown)


def _placed(base: Setting, one: Declared, candidates: Candidates) -> Setting:
    if one.id is None and one.scopes:
        unknown = why(f"{one.address} is set on what is known at deployment: {one.scope_words}")
        chosen = {c.shown for scope in one.scopes for c in candidates.exactly(scope) or candidates.perhaps(scope)}
        return replace(base, perhaps=tuple(sorted(chosen)), unknown=unknown)
    target = _target(one.id)
    if target is None:
        unknown = why(f"{one.address} is set on what is known at deployment: {one.scope_words}")
        return replace(base, anywhere=True, unknown=unknown)
    exact = candidates.exactly(target)
    if not exact:
        unknown = why(f"{one.address} is set on what is known at deployment: {words_of(target)}")
        perhaps = [c.shown for c in candidates.perhaps(target)]
        if len(perhaps) > _MOST:
            return replace(base, anywhere=True, unknown=unknown)
        surely = "" if one.conditions or perhaps else told(target)
        return replace(base, target=surely, perhaps=tuple(perhaps), unknown=unknown)
    sure = [c.shown for c in exact if one.conditions <= c.conditions]
    unsure = [c.shown for c in exact if c.shown not in sure]
    unknown = conditional(one.address, one.conditions)
    if len(sure) == 1 and not unsure:
        return replace(base, target=sure[0])
    return replace(base, target=sure[0] if sure else "", perhaps=(*sure[1:], *unsure), unknown=unknown)


def _target(setting: Id | None) -> Id | None:
    """The id of what a setting's own id says that it is on."""
    if setting is None:
        return None
    parts = split(setting)
    at = max((n for n, part in enumerate(parts) if isinstance(part, str) and part.lower() == "providers"), default=0)
    if not at or str(parts[at + 1]).lower() != "microsoft.insights":
        return None
    pieces: list[Id] = []
    for part in parts[1:at]:
        pieces += ["/", part]
    return joined(pieces)

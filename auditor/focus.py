"""What of an estate is judged: by resource group, tag and type; the rest stays known, and decides with.

A filter chooses subjects, never answers: a destination, network or watcher outside it is still looked at, so whatever
is judged has the status that it has without a filter. Log settings are read of what is judged alone, except where a
place that can receive logs is among it: then those of all, since each may send there.

What lies in no resource group (tenant, management groups, subscriptions) has no group and no tags to be chosen by: it
stays, unless a filter by type leaves it out. What has no tags takes those of what it is a part of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, Final

import msgspec

from auditor import documents as d
from auditor.documents import Collection, Document, Focus, normal_id
from auditor.errors import AuditorError
from auditor.named import audit_carrier

# Types that logs can be sent to; the last ones are partner solutions.
DESTINATION_TYPES: Final = frozenset(
    kind.lower()
    for kind in (
        "Microsoft.OperationalInsights/workspaces",
        "Microsoft.Storage/storageAccounts",
        "Microsoft.EventHub/namespaces",
        "Dynatrace.Observability/monitors",
        "Microsoft.Confluent/organizations",
        "Microsoft.Datadog/monitors",
        "Microsoft.Elastic/monitors",
        "Microsoft.Logz/monitors",
        "NewRelic.Observability/monitors",
    )
)
# Types of what is judged without being listed as a resource.
_UNLISTED: Final = tuple(
    kind.lower() for kind in (d.SUBSCRIPTION, d.ENTRA, d.INTUNE, d.MANAGEMENT_GROUP, d.LOG_PROFILES, d.DELETED_VAULTS)
)
# Types of their parts that are not listed as resources either.
_PARTS: Final = (
    *(f"microsoft.storage/storageaccounts/{name.lower()}" for name in d.STORAGE_SERVICES.values()),
    d.TABLES.lower(),
    d.EVENT_HUBS.lower(),
)
_SETTINGS: Final = frozenset(
    kind.lower() for kind in (d.DIAGNOSTIC_SETTINGS, d.STORAGE_ANALYTICS, d.SQL_DATABASE_AUDIT, d.SYNAPSE_POOL_AUDIT)
)
_FLAGS: Final = {
    "resource_groups": ("--resource-group", "resource group"),
    "tags": ("--tag", "tag"),
    "types": ("--type", "type"),
}
_MOST_TOLD: Final = 10
_MOST_TEXT: Final = 1000


def checked(focus: Focus) -> Focus:
    """The same filters, after a look at how they are written."""
    for field in focus.__struct_fields__:
        for word in getattr(focus, field):
            what = f"--{field.replace('_', '-').removesuffix('s')}"
            if not word.strip() or len(word) > _MOST_TEXT or not word.isprintable():
                raise AuditorError(f"{what}: {word[:80]!r} names nothing", "give a name; * and ? stand for any letters")
            if field.endswith("tags") and not word.partition("=")[0].strip():
                raise AuditorError(f"{what}: {word[:80]!r} has no key", "a tag is written key or key=value")
    return focus


def is_active(focus: Focus) -> bool:
    """Whether anything is filtered at all."""
    return focus != Focus()


class Sight:
    """Filters as applied to one estate, whose documents (by normal id) tell what untagged things are parts of.

    `narrowed` says that not all of it was asked where it sends logs.
    """

    def __init__(self, focus: Iterable[Focus], documents: Mapping[str, Document], *, narrowed: bool = False) -> None:
        self._focus = [each for each in focus if is_active(each)]
        self._documents = documents
        self._narrowed = narrowed

    def sees(self, key: str, kind: str, document: Mapping[str, Any] | None = None, *, named_only: bool = False) -> bool:
        """Whether something with this normal id and type is judged.

        What is known only because logs are sent there (`named_only`) is, if all were asked whether they send there.
        """
        if not self._focus:
            return True
        if named_only and self._narrowed:
            return False
        kind = kind.lower()
        return all(_of_type(each, kind) and self._placed(each, key, document) for each in self._focus)

    def _placed(self, focus: Focus, key: str, document: Mapping[str, Any] | None) -> bool:
        group = d.resource_group_of(key)
        if not group:
            return True
        place = f"/subscriptions/{d.subscription_of(key)}/resourcegroups/{group}"
        if focus.resource_groups and not any(_in_group(place, group, word) for word in focus.resource_groups):
            return False
        if any(_in_group(place, group, word) for word in focus.exclude_resource_groups):
            return False
        if not focus.tags and not focus.exclude_tags:
            return True
        tags = self._tags(key, document)
        if focus.tags and not any(has_tag(tags, word) for word in focus.tags):
            return False
        return not any(has_tag(tags, word) for word in focus.exclude_tags)

    def _tags(self, key: str, document: Mapping[str, Any] | None) -> Mapping[str, Any]:
        while key:
            found = document if document is not None else self._documents.get(key)
            tags = (found or {}).get("tags")
            if isinstance(tags, Mapping) and tags:
                return tags
            key, document = d.parent_of(key), None
        return {}


def _of_type(focus: Focus, kind: str) -> bool:
    if focus.types and not any(_type_meets(kind, word.lower()) for word in focus.types):
        return False
    return not any(_type_meets(kind, word.lower()) for word in focus.exclude_types)


@lru_cache(maxsize=8192)
def _type_meets(kind: str, word: str) -> bool:
    return _like(kind, word) or _like(kind, f"{word}/*")


def _in_group(place: str, group: str, word: str) -> bool:
    word = word.strip().lower()
    return _like(place, normal_id(word)) if word.startswith("/") else _like(group.lower(), word)


def has_tag(tags: Mapping[str, Any], word: str) -> bool:
    """Whether a tag is as `name` or `name=value` says, `*` and `?` being wild in both, whatever the case."""
    key, equals, value = word.casefold().partition("=")
    return any(
        _like(str(name).casefold(), key.strip()) and (not equals or _like(str(told).casefold(), value.strip()))
        for name, told in tags.items()
    )


def _like(text: str, pattern: str) -> bool:
    return text == pattern or fnmatchcase(text, pattern)


# --- a whole estate -------------------------------------------------------------------------------------------------


def listed_resources(documents: Iterable[Document]) -> Iterator[Document]:
    """The resources among documents, as they were listed or read, in the subscriptions that were scanned."""
    known = list(documents)
    kind = d.SUBSCRIPTION.lower()
    scanned = {d.subscription_of(str(doc["id"])) for doc in known if str(doc.get("type") or "").lower() == kind}
    for document in known:
        if is_resource(document) and (not scanned or d.subscription_of(document["id"]) in scanned):
            yield document


def is_resource(document: Document) -> bool:
    """Whether a document is a resource, as it was listed or read."""
    if d.marker(document) is not None or "value" in document:
        return False
    if str(document.get("type") or "").lower() in d.ABOUT:
        return False
    return "/providers/" in document["id"].lower() and bool(d.subscription_of(document["id"]))


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """The listed resources that filters choose, by normal id."""

    listed: frozenset[str]
    judged: frozenset[str]
    deep: frozenset[str]  # of which log settings are read
    narrowed: bool  # those are not all, because no place that logs are sent to is judged

    @property
    def left_out(self) -> int:
        """How many resources are not judged."""
        return len(self.listed) - len(self.judged)


def choose(focus: Sequence[Focus], resources: Iterable[Document]) -> Chosen:
    """Which of the listed resources filters choose, and of which log settings are needed to judge them."""
    by_id = {normal_id(document["id"]): document for document in resources}
    sight = Sight(focus, by_id)
    kinds = {key: str(document.get("type") or "").lower() for key, document in by_id.items()}
    judged = frozenset(key for key, kind in kinds.items() if sight.sees(key, kind, by_id[key]))
    everything = frozenset(by_id)
    places = [key for key, kind in kinds.items() if kind in DESTINATION_TYPES]
    if not any(map(is_active, focus)) or any(key in judged or _sees_part(sight, key, kinds[key]) for key in places):
        return Chosen(listed=everything, judged=judged, deep=everything, narrowed=False)
    carriers = everything & {audit_carrier(key, kinds[key]) for key in judged}
    return Chosen(listed=everything, judged=judged, deep=judged | carriers, narrowed=True)


def _sees_part(sight: Sight, key: str, kind: str) -> bool:
    """Whether a part of a place that logs are sent to is judged, which a filter can name without the whole."""
    parts = (part for part in _PARTS if part.startswith(f"{kind}/"))
    return any(sight.sees(f"{key}/{part.rpartition('/')[2]}/default", part) for part in parts)


def focused(collection: Collection, focus: Focus, notice: Callable[[str], None] | None = None) -> Collection:
    """The same documents, to be judged through one more filter: as if they had been collected with it."""
    if not is_active(focus) or focus in collection.run.focus:
        return collection
    wanted = (*collection.run.focus, focus)
    resources = list(listed_resources(collection.documents))
    chosen = choose(wanted, resources)
    lists = d.RESOURCE_LIST.lower()
    whole = not any(str(doc.get("type") or "").lower() == lists for doc in collection.documents)
    for sentence in check_met(focus, resources, chosen, whole=whole):
        if notice is not None:
            notice(sentence)
    narrowed = collection.run.narrowed or chosen.narrowed
    run = msgspec.structs.replace(collection.run, focus=wanted, left_out=chosen.left_out, narrowed=narrowed)
    if not narrowed:
        return Collection(documents=collection.documents, run=run)
    return Collection(documents=[doc for doc in collection.documents if not _left_unread(doc, chosen)], run=run)


def _left_unread(document: Document, chosen: Chosen) -> bool:
    """Whether this is a log setting that is not read with these filters."""
    if str(document.get("type") or "").lower() not in _SETTINGS:
        return False
    key = normal_id(document["id"])
    if "/providers/microsoft.insights/" in key:
        key = key.rpartition("/providers/microsoft.insights/")[0]
    while key and key not in chosen.listed:
        key = d.parent_of(key)
    return bool(key) and key not in chosen.deep


# --- filters that meet nothing --------------------------------------------------------------------------------------


def check_met(focus: Focus, resources: Sequence[Document], chosen: Chosen, *, whole: bool) -> list[str]:
    """Refuse a filter that chooses nothing.

    Where not all could be listed (`whole` is False) it may choose something there, which is only said, unless nothing
    at all would be judged.
    """
    told: list[str] = []
    for field, (flag, what) in _FLAGS.items():
        for word in getattr(focus, field):
            only = Focus(**{field: (word,)})
            if field == "types" and _names_unlisted(word.lower(), resources):
                continue
            if choose([only], _in_groups(resources)).judged:
                continue
            problem = f"{flag} {word[:80]!r}: no resource has such a {what}"
            if whole or not chosen.judged:
                raise AuditorError(problem, _near(field, word, resources))
            told.append(f"{problem} among those that could be listed")
    other = any(_names_unlisted(word.lower(), resources) for word in focus.types)
    if not chosen.judged and not other:
        raise AuditorError(f"no resource meets all of: {words_of(focus)}", "leave a filter out, or widen one")
    return told


def _in_groups(resources: Iterable[Document]) -> Iterator[Document]:
    return (resource for resource in resources if d.resource_group_of(resource["id"]))


def _names_unlisted(word: str, resources: Iterable[Document]) -> bool:
    """Whether a type is one of what is not listed, or of a part of a listed resource."""
    if any(_type_meets(kind, word) for kind in _UNLISTED):
        return True
    return any(word.startswith(f"{str(resource.get('type') or '').lower()}/") for resource in resources)


def _near(field: str, word: str, resources: Sequence[Document]) -> str:
    names: Counter[str] = Counter()
    for resource in resources:
        if field == "resource_groups":
            names[d.resource_group_of(resource["id"])] += 1
        elif field == "types":
            names[str(resource.get("type") or "")] += 1
        else:
            for key, value in (resource.get("tags") or {}).items():
                names[f"{key}={value}" if "=" in word else str(key)] += 1
    names.pop("", None)
    folded = {name.lower(): name for name in sorted(names)}
    close = get_close_matches(word.lower(), folded, n=3, cutoff=0.7)
    if close:
        return f"did you mean {' or '.join(_safe(folded[key]) for key in close)}?"
    if not names:
        return "none has any"
    common = sorted(names, key=lambda name: (-names[name], name))[:_MOST_TOLD]
    more = f" and {len(names) - len(common):,} more" if len(names) > len(common) else ""
    return f"there are {', '.join(map(_safe, common))}{more}"


def _safe(name: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in name[:80])


def words_of(focus: Focus) -> str:
    """Filters in words: `resource group rg-app or rg-web; not tag env=test`."""
    parts = []
    for field, (_, what) in _FLAGS.items():
        for start, words in (("", getattr(focus, field)), ("not ", getattr(focus, f"exclude_{field}"))):
            if words:
                more = f" and {len(words) - _MOST_TOLD:,} more" if len(words) > _MOST_TOLD else ""
                parts.append(f"{start}{what} {' or '.join(map(_safe, words[:_MOST_TOLD]))}{more}")
    return "; ".join(parts)

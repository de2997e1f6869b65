"""One look at a large estate, by which it can be judged in parts: what belongs together, and what every part must know.

A part is made of whole subscriptions. Subscriptions whose networks refer to each other stay together, since only both
tell what is exposed and which flow log covers it. What is looked up from everywhere goes into every part: tenant-wide
documents, the categories of each kind of resource, destinations of logs with what decides how long they keep them, and
the types that rules and facts look for across subscriptions.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final

import msgspec

from auditor import documents as d
from auditor.assemble import categories_by_kind
from auditor.documents import Document, Run, normal_id
from auditor.drafts import KindKey, drafts_of
from auditor.facts.evidence import has_protection
from auditor.facts.look import SHARED_TYPES
from auditor.facts.network import INSTANCE_NIC, LOAD_BALANCER, NIC, NSG, SCALE_SET, VNET
from auditor.facts.services import SERVICES
from auditor.facts.shapes import text
from auditor.named import Named

# Types that the facts of a network are worked out from.
_LINKED: Final = frozenset(
    {
        *(NSG, f"{NSG}/securityrules", VNET, f"{VNET}/subnets", NIC, INSTANCE_NIC, SCALE_SET, LOAD_BALANCER),
        *(f"{LOAD_BALANCER}/inboundnatrules", "microsoft.network/publicipaddresses", d.FLOW_LOGS.lower(), *SERVICES),
    }
)
# What these name without their exposure or their flow logs depending on it.
_NO_LINKS: Final = frozenset({"virtualnetworkpeerings", "storageid", "flowanalyticsconfiguration", "tags"})
_TENANT_WIDE: Final = frozenset(kind.lower() for kind in (d.SUBSCRIPTION, d.RESOURCE_LIST))
_CATEGORIES: Final = d.DIAGNOSTIC_CATEGORIES.lower()
_DEEPEST: Final = 60  # levels of a document that are searched for ids


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Groups of documents that are judged together, and whose: lower-case subscription ids, "" for the tenant."""

    groups: tuple[str, ...]
    judged: frozenset[str]


class Survey:
    """What one look at every group of documents tells; a group holds all documents of its subscriptions.

    `looked_for` are the patterns of types that rules look for in every subscription.
    """

    def __init__(self, looked_for: Iterable[str] = ()) -> None:
        self.documents: list[Document] = []  # that every part must know, but for those of `named`
        self.categories: dict[KindKey, Document] = {}
        self.protected = False
        self.named: set[str] = set()  # normal ids of destinations and of what is looked for
        self.accounts: dict[str, str] = {}  # storage accounts that auditing policies name: name → normal id
        self._names = Named()
        self._patterns = tuple(pattern.lower() for pattern in looked_for)
        self._wanted: dict[str, bool] = {}  # type → is looked for
        self._sizes: dict[str, int] = {}  # group → documents
        self._owners: dict[str, set[str]] = {}  # group → subscriptions
        self._links: set[tuple[str, str]] = set()  # between subscriptions
        self._regions: set[bytes] = set()

    def add(self, group: str, documents: Sequence[Document], run: Run) -> None:
        """Look at the documents of one group."""
        self._sizes[group] = len(documents)
        owners = self._owners.setdefault(group, set())
        lists: list[Document] = []
        for document in documents:
            kind = text(document.get("type")).lower()
            owner = d.subscription_of(text(document.get("id")))
            owners.add(owner)
            self._names.add(document)
            if kind == _CATEGORIES:
                lists.append(document)
            elif kind == d.EVENT_HUBS.lower():  # a hub's Capture goes on to a storage account
                self.named.update(map(normal_id, ids_in(document)))
            if self._is_looked_for(kind):
                self.named.add(normal_id(text(document.get("id"))))
            elif not owner or kind in _TENANT_WIDE or (kind == d.LOCATIONS.lower() and self._is_new(document)):
                self.documents.append(document)
            if kind in _LINKED:
                others = {d.subscription_of(found) for found in ids_in(document)}
                self._links.update((owner, other) for other in others - {owner, ""})
            if kind == VNET:
                unread = d.marker(document) == "$unknown"
                self.protected = self.protected or unread or has_protection(document.get("properties"))
        for kind_key, found in _categories(lists, documents, run).items():
            if kind_key not in self.categories or d.marker(self.categories[kind_key]):
                self.categories[kind_key] = found

    def _is_looked_for(self, kind: str) -> bool:
        if kind not in self._wanted:
            asked = any(fnmatchcase(kind, pattern) for pattern in self._patterns)
            self._wanted[kind] = asked or kind in SHARED_TYPES
        return self._wanted[kind]

    def _is_new(self, regions: Document) -> bool:
        """Whether no other subscription calls its regions the same."""
        told = msgspec.json.encode(regions.get("value"))
        new = told not in self._regions
        self._regions.add(told)
        return new

    def parts(self, size: int) -> list[Part]:
        """Parts of about `size` documents, more where what belongs together has more; the first has the tenant too."""
        self.accounts = {name: normal_id(account) for name, account in self._names.audited_accounts().items()}
        self.named.update(self._names.destinations())
        chosen: list[list[str]] = [[]]
        held = 0
        for together in self._together():
            number = sum(self._sizes[group] for group in together)
            if chosen[-1] and held + number > size:
                chosen.append([])
                held = 0
            chosen[-1] += together
            held += number
        owned = [frozenset[str]().union(*(self._owners[group] for group in groups)) - {""} for groups in chosen]
        # Places in subscriptions of which nothing was read are judged with the tenant.
        elsewhere = {d.subscription_of(place) for place in self.named}.difference(*owned)
        judged = [owned[0] | elsewhere | {""}, *owned[1:]]
        return [Part(groups=tuple(g), judged=frozenset(j)) for g, j in zip(chosen, judged, strict=True)]

    def _together(self) -> list[list[str]]:
        """Groups in order, the tenant's first, each with those that its networks are linked to."""
        home = {owner: group for group in sorted(self._owners) for owner in self._owners[group]}
        leader = {group: group for group in self._sizes}

        def lead(group: str) -> str:
            while leader[group] != group:
                leader[group] = leader[leader[group]]
                group = leader[group]
            return group

        for one, other in sorted(self._links):
            if one in home and other in home:
                first, second = sorted((lead(home[one]), lead(home[other])))
                leader[second] = first
        found: dict[str, list[str]] = {}
        for group in sorted(self._sizes, key=lambda group: ("" not in self._owners[group], group)):
            found.setdefault(lead(group), []).append(group)
        return list(found.values())


def looked_up(documents: Iterable[Document], named: Container[str]) -> Iterator[Document]:
    """Those documents that every part must know by name (`Survey.named`), and what is below them."""
    for document in documents:
        key = normal_id(text(document.get("id")))
        if key in named or top_level(key) in named:
            yield document


def _categories(lists: list[Document], documents: Sequence[Document], run: Run) -> dict[KindKey, Document]:
    """The categories of each kind of resource, which were read of one of them."""
    index = {normal_id(text(document.get("id"))): document for document in lists}
    owners = {key.rpartition("/providers/")[0] for key in index}
    owners |= {top_level(key) for key in owners}  # the account of a storage service
    for document in documents:
        key = normal_id(text(document.get("id")))
        if key in owners:
            index[key] = document
    return categories_by_kind(drafts_of(index, run), index)


def top_level(key: str) -> str:
    """The normal id of the resource that a child resource, or a document about one, belongs to in the end."""
    head, found, tail = key.partition("/providers/")
    return f"{head}{found}{'/'.join(tail.split('/')[:3])}"


def ids_in(value: Any, depth: int = 0) -> Iterator[str]:
    """Every text inside a document that is the id of something in a subscription."""
    if isinstance(value, str):
        if value[:15].lower() == "/subscriptions/":
            yield value
    elif depth < _DEEPEST:
        if isinstance(value, dict):
            for key, inner in value.items():
                if key.lower() not in _NO_LINKS:
                    yield from ids_in(inner, depth + 1)
        elif isinstance(value, list):
            for inner in value:
                yield from ids_in(inner, depth + 1)

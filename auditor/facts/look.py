"""What a fact may look at: every document by id and by type, and what is known of destinations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, TypeVar

import msgspec

from auditor.documents import RESOURCE_LIST, Document, marker, normal_id
from auditor.facts.destinations import Resolver
from auditor.facts.shapes import text

_Made = TypeVar("_Made")

# Types that facts look for in other subscriptions than the resource's own; destinations of logs are always known.
SHARED_TYPES: Final[frozenset[str]] = frozenset(
    {
        "microsoft.alertsmanagement/actionrules",
        "microsoft.insights/actiongroups",
        "microsoft.insights/activitylogalerts",
        "microsoft.insights/datacollectionrules",
        "microsoft.network/azurefirewalls",
        "microsoft.network/dnsresolverpolicies",
        "microsoft.network/dnsresolvers",
        "microsoft.network/firewallpolicies",
        "microsoft.operationalinsights/clusters",
    }
)
TypeFacts = Callable[[str, Document, "Look"], Mapping[str, Any]]
"""(normal id, document, what else there is) → the facts of one resource of the type that the function is listed for."""


class Look(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """An estate's documents, members of lists included; `declared` where nothing but a template or plan is known."""

    documents: Mapping[str, Document]  # by normal id
    resolve: Resolver
    declared: bool = False
    today: str = ""  # ISO date
    shared_accounts: Mapping[str, str] = {}  # storage accounts elsewhere in the estate, by name

    def get(self, doc_id: str) -> Document | None:
        """The document with this id, whatever its case; None where it was not read."""
        return self.documents.get(normal_id(doc_id))

    def unlisted(self, subscription: str) -> Document | None:
        """The document that says why the resources of a subscription (normal id) are not known; None if they are."""
        for key in (subscription, f"{subscription}/{RESOURCE_LIST.rpartition('/')[2]}"):
            document = self.documents.get(key)
            if document is not None and marker(document) == "$unknown":
                return document
        return None

    def of_type(self, doc_type: str) -> Sequence[str]:
        """The normal ids of all documents of a type, lists and unreadable ones too, in order."""
        return self._by_type.get(doc_type.lower(), ())

    @cached_property
    def accounts(self) -> Mapping[str, str]:
        """Normal ids of the storage accounts that are there, by name, which is unique in all of Azure."""
        ids = self.of_type("Microsoft.Storage/storageAccounts")
        here = {key.rpartition("/")[2]: key for key in ids if marker(self.documents[key]) is None}
        return {**self.shared_accounts, **here}

    @cached_property
    def _by_type(self) -> dict[str, list[str]]:
        index: dict[str, list[str]] = {}
        for key in sorted(self.documents):
            index.setdefault(text(self.documents[key].get("type")).lower(), []).append(key)
        return index

    def once(self, make: Callable[[Look], _Made]) -> _Made:
        """What a function makes of the whole estate, worked out when first asked for."""
        if make not in self._made:
            self._made[make] = make(self)
        found: _Made = self._made[make]
        return found

    @cached_property
    def _made(self) -> dict[Callable[[Look], Any], Any]:
        return {}

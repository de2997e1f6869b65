"""The nouns: what Azure holds, how it logs, where the logs go, and what could not be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any, NoReturn

import msgspec

from auditor.documents import Run, normal_id


class Unknown(msgspec.Struct, frozen=True, kw_only=True):
    """Something that could not be read: why, and what would fix it. It has no truth value."""

    reason: str
    status: int | None = None  # HTTP status of the read
    code: str | None = None  # Azure's error code
    action: str | None = None  # the permission that was missing
    scope: str | None = None
    grant: str | None = None  # the role or change that would make it readable

    def __bool__(self) -> NoReturn:
        raise TypeError(f"an Unknown is neither true nor false: {self.reason}")


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where in a template or plan a resource was written."""

    file: str
    line: int | None = None
    end_line: int | None = None
    address: str | None = None


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """One place that logs go to, as seen by one category of one setting.

    `kind` is `log-analytics`, `storage`, `event-hub` or `partner`; `id` the normal ARM id. `exists` False means
    certainly gone. `retention_days` is how long a record is kept in all (`inf`: no expiry), `interactive_days` how
    long it can be queried at once; `tags` are its tags, each as `name=value`;
    `sentinel` says whether Microsoft Sentinel watches a workspace.
    """

    kind: str
    id: str
    exists: bool | Unknown = True
    accepts: bool | Unknown = True
    retention_days: float | Unknown = float("inf")
    interactive_days: float | Unknown = float("inf")
    tags: tuple[str, ...] | Unknown = ()
    sentinel: bool | Unknown = False


# Azure lists the categories that a resource can log, and says of few groups which of them they contain.
UNPUBLISHED = Unknown(reason="which categories a setting's group contains is not published")


class LogSetting(msgspec.Struct, frozen=True, kw_only=True):
    """Anything that sends a resource's logs somewhere.

    `kind`: `diagnostic-setting`, `flow-log`, `storage-analytics`. `categories` are the enabled ones, groups spelled
    out, in the catalog's spelling; `possible` are those that an enabled group may or may not contain; `groups` as
    written. A setting whose categories are kept for different times appears once for each.
    """

    id: str
    name: str
    kind: str = "diagnostic-setting"
    categories: frozenset[str] = frozenset()
    possible: frozenset[str] = frozenset()
    groups: tuple[str, ...] = ()
    destinations: tuple[Destination, ...] = ()
    ends: str | None = None  # ISO date on which a retiring feature stops
    partial: str | None = None  # why it sees only part of the traffic: "filtered", "partial"
    doubt: Unknown | None = None  # why `possible` is not certain, where a read failed

    @property
    def why_possible(self) -> Unknown:
        """Why it is not certain that the setting sends its `possible` categories."""
        return UNPUBLISHED if self.doubt is None else self.doubt

    @property
    def living(self) -> tuple[Destination, ...]:
        """The destinations that are not known to be gone; one that could not be read counts."""
        return tuple(destination for destination in self.destinations if destination.exists is not False)


class Resource(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One thing in Azure that has an id: what it is, what it can log and what watches it."""

    id: str  # normal_id
    shown_id: str  # as Azure wrote it
    type: str  # canonical case
    name: str
    kind: str = ""
    sku: Any = None
    subscription: str = ""  # id
    resource_group: str = ""
    location: str = ""  # normal_location
    parent: str = ""  # normal_id
    tags: Mapping[str, str] = {}
    properties: Mapping[str, Any] | Unknown = {}
    settings: tuple[LogSetting, ...] | Unknown = ()
    offers: frozenset[str] = frozenset()  # categories it can log, in the catalog's spelling
    may_offer: frozenset[str] = frozenset()  # categories it can perhaps log (licence unknown)
    facts: Mapping[str, Any] = {}
    origin: Origin | None = None
    perhaps: Unknown | None = None  # why it may not be there at all, so that it can pass but never fail
    in_focus: bool = True  # False: filters leave it out, so that it only decides with

    @property
    def managed_by(self) -> str:
        """The id of the service that made the resource group for itself; empty where its owner did, or nobody knows."""
        manager = self.facts.get("managed_by")
        return manager if isinstance(manager, str) else ""

    @property
    def is_stand_in(self) -> bool:
        """Whether this stands for a list that could not be read, so that nothing about its members is known."""
        return bool(self.facts.get("stand_in"))


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription and its state (`Enabled`, `Disabled`, `Warned`, `PastDue`, `Deleted`).

    `tenant` is the id of the tenant that it belongs to: with Azure Lighthouse not always the one signed in to.
    """

    id: str
    name: str
    state: str = "Enabled"
    tenant: str = ""


class Unread(msgspec.Struct, frozen=True, kw_only=True):
    """A read that failed: which document is missing, and why."""

    id: str
    type: str
    why: Unknown


class Inventory(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Everything known of an estate at one time, indexed by id and by type."""

    resources: tuple[Resource, ...]
    run: Run
    subscriptions: tuple[Subscription, ...] = ()
    destinations: tuple[Destination, ...] = ()  # one per distinct place, with the place's own (default) retention
    unread: tuple[Unread, ...] = ()
    reads: Mapping[str, int] = {}  # answered, not_supported, unknown
    judged: frozenset[str] | None = None  # of a part of an estate: its own subscriptions, "" for what is in none
    ddos_protected: bool = False  # some network of the estate has DDoS protection

    @cached_property
    def by_id(self) -> dict[str, Resource]:
        """Resources by normal id; stand-ins and log destinations are left out."""
        return {r.id: r for r in self.resources if not r.type.startswith("Auditor/") and not r.is_stand_in}

    @cached_property
    def by_type(self) -> dict[str, tuple[Resource, ...]]:
        """Resources by lower-case type, in id order."""
        index: dict[str, list[Resource]] = {}
        for resource in self.resources:
            index.setdefault(resource.type.lower(), []).append(resource)
        return {key: tuple(value) for key, value in index.items()}

    @cached_property
    def subscription_names(self) -> dict[str, str]:
        """Subscription id → display name."""
        return {s.id: s.name for s in self.subscriptions}

    def is_own(self, subscription: str) -> bool:
        """Whether what is in this subscription is judged here, and not only there to be looked up."""
        return self.judged is None or subscription in self.judged

    def get(self, resource_id: str) -> Resource | None:
        """The resource with this id, whatever its case."""
        return self.by_id.get(normal_id(resource_id))

    def of_type(self, pattern: str) -> Iterator[Resource]:
        """Every resource whose type meets a pattern (`*` and `?` are wild); never those of type `Auditor/*` by `*`."""
        pattern = pattern.lower()
        if pattern in self.by_type:
            yield from self.by_type[pattern]
        elif any(c in pattern for c in "*?["):
            for key in sorted(self.by_type):
                if fnmatchcase(key, pattern) and (not key.startswith("auditor/") or pattern.startswith("auditor/")):
                    yield from self.by_type[key]

    def unread_scopes(self) -> Iterable[Unread]:
        """The failed reads that were to list resources: what is below them is not known at all."""
        return (u for u in self.unread if u.type.lower() == "microsoft.resources/subscriptions/resources")

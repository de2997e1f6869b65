"""What a scan needs to be let see, and what each of it is for; no Azure SDK is needed to read this."""

from __future__ import annotations

from typing import Final

import msgspec

from auditor import documents as d
from auditor.sources.azure.type_reads import OF_SUBSCRIPTION, OF_TYPE


class Capability(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to be let see: the document types read by it, and the resource types judged from them.

    `judges` holds `*` for everything that Resource Manager lists. A capability that is not `essential` has a way round.
    """

    key: str
    title: str
    reads: tuple[str, ...]
    judges: tuple[str, ...] = ()
    licensed: bool = False  # only categories that a licence offers depend on it
    essential: bool = True


def _managed() -> tuple[str, ...]:
    """What is read about subscriptions and resources over Resource Manager."""
    rows = [*OF_SUBSCRIPTION, *(read for several in OF_TYPE.values() for read in several)]
    return tuple(dict.fromkeys((*(read.type for read in rows), d.COLLECTION_RULE_ASSOCIATIONS)))


SUBSCRIPTIONS: Final = Capability(
    key="subscriptions",
    title="Subscriptions",
    reads=(d.RESOURCE_LIST, d.DIAGNOSTIC_CATEGORIES, *_managed()),
    judges=("*",),
)
MANAGEMENT_GROUPS: Final = Capability(
    key="management-groups",
    title="Management groups",
    reads=(d.MANAGEMENT_GROUP, d.DESCENDANTS, d.DIAGNOSTIC_SETTINGS),
    judges=(d.MANAGEMENT_GROUP,),
)
ENTRA: Final = Capability(
    key="entra-settings",
    title="Entra ID settings",
    reads=(d.ENTRA_SETTINGS, d.ENTRA_CATEGORIES, d.HEALTH_SERVICES),
    judges=(d.ENTRA,),
)
INTUNE: Final = Capability(
    key="intune-settings",
    title="Intune settings",
    reads=(d.INTUNE_SETTINGS,),
    judges=(d.INTUNE,),
)
LICENCE: Final = Capability(
    key="entra-licence",
    title="Entra ID licence",
    reads=(d.SUBSCRIBED_SKUS,),
    judges=(d.ENTRA, d.INTUNE),
    licensed=True,
)
RESOURCE_GRAPH: Final = Capability(
    key="resource-graph",
    title="Resource Graph",
    reads=("Microsoft.ResourceGraph/resources",),
    essential=False,
)
STORAGE: Final = Capability(
    key="storage-data-plane",
    title="Storage services",
    reads=(d.STORAGE_ANALYTICS,),
    judges=tuple(
        f"Microsoft.Storage/storageAccounts/{part}" for name, part in d.STORAGE_SERVICES.items() if name != "file"
    ),
)
DESTINATIONS: Final = Capability(
    key="destinations-elsewhere",
    title="Log destinations",
    reads=(
        "Microsoft.OperationalInsights/workspaces",
        d.TABLES,
        "Microsoft.Storage/storageAccounts",
        d.LIFECYCLE,
        d.CONTAINERS,
        d.BLOB_SERVICE,
        "Microsoft.EventHub/namespaces",
        d.EVENT_HUBS,
        d.HUB_RULES,
        d.HUB_NETWORK,
        d.LOCKS,
    ),
    judges=(
        d.LOG_DESTINATION,
        "Microsoft.OperationalInsights/workspaces",
        d.TABLES,
        "Microsoft.Storage/storageAccounts",
        "Microsoft.EventHub/namespaces",
    ),
)
CAPABILITIES: Final = (
    SUBSCRIPTIONS,
    MANAGEMENT_GROUPS,
    ENTRA,
    INTUNE,
    LICENCE,
    RESOURCE_GRAPH,
    STORAGE,
    DESTINATIONS,
)


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """What would let the identity see: a role, where, and the command that gives it (empty where there is none)."""

    role: str
    scope: str
    command: str = ""


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that cannot be seen: what, why, and what would mend it."""

    what: str
    reason: str
    grant: Grant | None = None
    remedy: str = ""  # where no role would help


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """How far a capability is there: `yes`, `partly`, `no`, `unknown`, `not probed`."""

    capability: str
    state: str
    detail: str
    gaps: list[Gap] = []
    all_at_once: Grant | None = None  # one grant that would close all of several gaps


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One endpoint: `reachable`, `not reachable` or `not probed`, and why."""

    name: str
    host: str
    state: str
    reason: str = ""


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks: `application`, `managed identity`, `user`, or `unknown` for a token that cannot be looked into."""

    kind: str
    name: str
    object_id: str
    application: str
    tenant: str


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """A visible subscription, and whether it can be read: `yes`, `no`, `unknown`, `not probed`."""

    id: str
    name: str
    state: str
    tenant: str
    readable: str


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """What a scan would take: reads, and the seconds below which Azure's limits do not let it be done."""

    resources: int
    reads: int
    seconds: int
    fullest: str  # the subscription that takes longest; empty where the split is not known
    fullest_reads: int
    judged: int | None = None  # resources that the filters choose; None without filters
    at_most: bool = False  # filters that were not counted with choose fewer


class Examination(msgspec.Struct, frozen=True, kw_only=True):
    """All that was found out about who asks, what answers, and what may be seen."""

    tool_version: str
    cloud: str
    tenant: str  # the one asked for, or the identity's
    principal: Principal | None
    problem: str = ""  # why there is no identity
    hint: str = ""
    places: list[Place] = []
    clock_skew: int | None = None  # seconds by which this machine's clock is ahead; None: nobody told the time
    subscriptions: list[Subscription] = []
    checks: list[Check] = []
    estimate: Estimate | None = None
    requests: int = 0

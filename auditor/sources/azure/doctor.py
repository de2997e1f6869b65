"""What this identity could read, found out with a handful of reads before the first scan."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import zip_longest
from typing import Any, Final
from urllib.parse import quote

import msgspec
from azure.core.pipeline import AsyncPipeline

from auditor import documents as d
from auditor.errors import IdentityError
from auditor.focus import is_active
from auditor.sources.azure import capabilities as c
from auditor.sources.azure import inventory, reads
from auditor.sources.azure.auth import Identity, authority_of, open_credential, sign_in
from auditor.sources.azure.cloud import Options, origin
from auditor.sources.azure.estimate import Tally, count_judged, count_resources, estimate
from auditor.sources.azure.pipeline import Counts, Guard, Meter, Pipelines, Refused, send, short
from auditor.sources.azure.probes import (
    GUID,
    answered,
    entra_check,
    graph_check,
    groups_check,
    intune_check,
    licence_check,
    probe_storage,
    subscriptions_check,
)
from auditor.sources.azure.reader import Reader
from auditor.sources.azure.transport import NoAnswer, ReadBody, SharedTransport, open_transport

MOST_PROBED: Final = 50  # subscriptions
_BRISK: Final = {"connect_timeout": 5.0, "read_timeout": 20.0, "retry_after_cap": 10.0}  # a person is waiting


def _now() -> datetime:
    return datetime.now(UTC)


def examine_now(
    options: Options,
    notice: Callable[[str], None] | None = None,
    clock: Callable[[], datetime] = _now,
) -> c.Examination:
    """Find out and wait for it."""
    return asyncio.run(examine(options, notice=notice, clock=clock))


async def examine(
    options: Options,
    *,
    notice: Callable[[str], None] | None = None,
    clock: Callable[[], datetime] = _now,
) -> c.Examination:
    """Who asks, what answers, and what may be seen; a missing identity is an answer, not an error."""
    options = msgspec.structs.replace(
        options, **{key: min(getattr(options, key), most) for key, most in _BRISK.items()}
    )
    counts = Counts()
    async with AsyncExitStack() as stack:
        transport = open_transport(options)
        stack.push_async_callback(transport.session.close)
        touch = _Touch(transport, counts, clock)
        sign_in_place = await touch("sign-in", sign_in_page(options))
        try:
            credential = open_credential(options, transport)
            stack.push_async_callback(credential.close)
            identity = await sign_in(credential, options)
        except IdentityError as error:
            cloud = options.cloud
            manager = (
                f"{cloud.resource_manager}{reads.SUBSCRIPTIONS.path}?api-version={reads.SUBSCRIPTIONS.api_version}"
            )
            places = [
                sign_in_place,
                await touch("Resource Manager", manager),
                await touch("Microsoft Graph", f"{cloud.graph}/{reads.SUBSCRIBED_SKUS.api_version}/subscribedSkus"),
            ]
            return c.Examination(
                tool_version=options.tool_version,
                cloud=cloud.name,
                tenant=options.tenant or "",
                principal=None,
                problem=error.message,
                hint=error.hint,
                places=places,
                clock_skew=touch.skew,
                requests=counts.requests,
            )
        reader = Reader(options, Pipelines(options, credential, transport, counts), identity, counts, notice=notice)
        found = await _examined(reader, sign_in_place)
    return msgspec.structs.replace(found, clock_skew=touch.skew, requests=counts.requests)


# --- endpoints ---


class _Touch:
    """Asks an address for anything, without a token; whatever HTTP answer comes shows that it can be reached."""

    def __init__(self, transport: SharedTransport, counts: Counts, clock: Callable[[], datetime]) -> None:
        self.skew: int | None = None
        self._transport = transport
        self._counts = counts
        self._clock = clock

    async def __call__(self, name: str, url: str) -> c.Place:
        """The place at an address; the first answer that tells the time sets `skew`."""
        pipeline: AsyncPipeline[Any, Any] = AsyncPipeline(
            self._transport, [Guard(lambda sent: origin(sent) == origin(url)), Meter(self._counts), ReadBody()]
        )
        try:
            answer = await send(pipeline, "GET", url)
        except Refused:
            return c.Place(name=name, host=shown_host(url), state="not reachable", reason="it is no https:// address")
        except NoAnswer as error:
            return c.Place(name=name, host=shown_host(url), state="not reachable", reason=str(error))
        if self.skew is None:
            self.skew = _skew(answer.headers.get("date"), self._clock())
        odd = f"but it answers with HTTP {answer.status}" if answer.status >= 500 else ""
        return c.Place(name=name, host=shown_host(url), state="reachable", reason=odd)


def _skew(told: str | None, here: datetime) -> int | None:
    """Seconds by which the clock here is ahead of the one that told a `Date`."""
    try:
        there = parsedate_to_datetime(told or "")
    except (ValueError, TypeError, OverflowError):
        return None
    there = there if there.tzinfo else there.replace(tzinfo=UTC)
    return round((here - there).total_seconds())


def sign_in_page(options: Options) -> str:
    """The address at which the sign-in service describes itself, to anyone."""
    authority = authority_of(options).strip().rstrip("/")
    tenant = quote(options.tenant or "common", safe="")
    return (
        f"{authority if '://' in authority else f'https://{authority}'}/{tenant}/v2.0/.well-known/openid-configuration"
    )


def shown_host(url: str) -> str:
    """The host of an address, with its port where that is not the usual one."""
    _, host, port = origin(url)
    return short(host, 120) if port in (443, -1, None) else f"{short(host, 120)}:{port}"


def _place(name: str, url: str, document: d.Document | None) -> c.Place:
    """What a read tells about its endpoint: any status at all came from there."""
    unknown = (document or {}).get("$unknown") or {}
    reason = str(unknown.get("reason") or "")
    if not unknown or unknown.get("status") is not None:
        return c.Place(name=name, host=shown_host(url), state="reachable")
    state = "not probed" if reason.startswith("sign-in failed") else "not reachable"
    return c.Place(name=name, host=shown_host(url), state=state, reason=reason)


# --- what may be seen ---


async def _examined(reader: Reader, sign_in_place: c.Place) -> c.Examination:
    options, cloud = reader.options, reader.options.cloud
    visible, listing = await inventory.visible_subscriptions(reader)
    picked, hidden = await _picked(reader, visible)
    guids = [d.subscription_of(s["id"]) for s in picked]
    (groups, no_groups), entra, intune, licence, (tally, why_not), settings = await asyncio.gather(
        reader.items(reads.MANAGEMENT_GROUPS),
        reader.fetch(reads.ENTRA_SETTINGS),
        reader.fetch(reads.INTUNE_SETTINGS),
        _licence(reader),
        _counted(reader, guids),
        _settings(reader, picked[:MOST_PROBED]),
    )
    storage, endpoint, storage_check = await probe_storage(reader, guids, tally)
    subscriptions = [_subscription(s, doc) for s, doc in zip_longest(picked, settings)]
    identity = reader.identity
    checks = [
        subscriptions_check(identity, subscriptions, settings, listing, hidden),
        groups_check(identity, groups, no_groups),
        entra_check(identity, entra, cloud.graph),
        intune_check(identity, intune, cloud.graph),
        licence_check(identity, licence, cloud.graph),
        graph_check(tally, why_not, len(guids)),
        storage_check,
        c.Check(
            capability=c.DESTINATIONS.key,
            state="not probed",
            detail="which places the logs go to is known only after the settings are read; where they are in "
            "subscriptions not listed here, Reader is needed there too",
        ),
    ]
    return c.Examination(
        tool_version=options.tool_version,
        cloud=cloud.name,
        tenant=identity.tenant or options.tenant or "",
        principal=_principal(identity),
        places=[
            sign_in_place,
            _place("Resource Manager", cloud.resource_manager, listing),
            _place("Microsoft Graph", cloud.graph, licence),
            _place("storage", endpoint, storage) if endpoint else _no_storage(storage_check),
        ],
        subscriptions=subscriptions,
        checks=checks,
        estimate=await _estimated(reader, tally, guids, len(groups)) if tally is not None else None,
    )


async def _picked(reader: Reader, visible: Sequence[d.Document]) -> tuple[list[d.Document], list[str]]:
    """The visible subscriptions that a scan with these options would read, and ids of those it should and cannot."""
    options = reader.options
    if not visible:
        return [], []
    for sentence in inventory.namesakes(visible, (*options.subscriptions, *options.exclude_subscriptions)):
        reader.tell(sentence)
    within, hidden = list(visible), set[str]()
    if options.management_group:
        below, _ = await inventory.below_group(reader, options.management_group)
        within = [s for s in visible if d.subscription_of(s["id"]) in below]
        hidden = {guid for guid in below - {d.subscription_of(s["id"]) for s in visible} if GUID.fullmatch(guid)}
    left_out = inventory.excluded(visible, options.exclude_subscriptions, hidden)
    picked = [s for s in inventory.chosen(within, options.subscriptions) if d.subscription_of(s["id"]) not in left_out]
    return picked, sorted(hidden - left_out)


async def _settings(reader: Reader, subscriptions: Sequence[d.Document]) -> list[d.Document]:
    """The Activity Log settings of each subscription: the cheapest read that Reader allows and little else does."""
    return await asyncio.gather(*(reader.fetch(reads.SETTINGS, s["id"]) for s in subscriptions))


async def _licence(reader: Reader) -> d.Document:
    read = reads.SUBSCRIBED_SKUS
    url = f"{reader.options.cloud.graph}/{read.api_version}/subscribedSkus"
    items, failure = await reader.pages(read, read.id(), url, pipeline=reader.pipelines.graph)
    return failure or {"id": read.id(), "type": read.type, "value": items}


async def _estimated(reader: Reader, tally: Tally, guids: list[str], groups: int) -> c.Estimate:
    inventory_by = reader.options.inventory
    if not is_active(reader.options.focus):
        return estimate(tally, guids, groups, inventory_by)
    judged, exact = await count_judged(reader, guids)
    if not all(guid for _, guid in tally):  # counted by type alone
        judged = None
    return estimate(tally, guids, groups, inventory_by, judged, exact=exact and judged is not None)


async def _counted(reader: Reader, guids: list[str]) -> tuple[Tally | None, str]:
    return await count_resources(reader, guids) if guids else (None, "there is no subscription to ask about")


def _subscription(subscription: d.Document, settings: d.Document | None) -> c.Subscription:
    guid = d.subscription_of(subscription["id"])
    return c.Subscription(
        id=guid,
        name=short(subscription.get("displayName") or guid, 120),
        state=short(subscription.get("state") or "Enabled", 40),
        tenant=d.tenant_of(subscription),
        readable="not probed" if settings is None else answered(settings)[0],
    )


def _principal(identity: Identity) -> c.Principal:
    kind = "managed identity" if identity.managed else "application" if identity.application else "user"
    return c.Principal(
        kind=kind if identity.principal else "unknown",
        name=identity.principal,
        object_id=identity.object_id,
        application=identity.application,
        tenant=identity.tenant,
    )


def _no_storage(check: c.Check) -> c.Place:
    return c.Place(name="storage", host="", state="not probed", reason=check.detail)

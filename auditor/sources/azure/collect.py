"""Reading a live Azure: what is asked, in which order."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from auditor import documents as d
from auditor.catalog import can_log
from auditor.errors import AuditorError, IdentityError
from auditor.sources.azure import inventory, reads
from auditor.sources.azure.auth import Identity, login_hint, open_credential, sign_in
from auditor.sources.azure.classic import read_classic
from auditor.sources.azure.cloud import Options
from auditor.sources.azure.destinations import read_destinations
from auditor.sources.azure.pipeline import Counts, Pipelines
from auditor.sources.azure.progress import Progress
from auditor.sources.azure.reader import Job, Reader
from auditor.sources.azure.refusals import grant_for
from auditor.sources.azure.transport import open_transport

_STORAGE: Final = "microsoft.storage/storageaccounts"
_WATCHER: Final = "microsoft.network/networkwatchers"
_TRIES: Final = 5  # resources of a kind that are asked for its categories before it counts as unknown
_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _now() -> datetime:
    return datetime.now(UTC)


def collect_now(
    options: Options,
    progress: Callable[[Progress], None] | None = None,
    keep: Callable[[d.Document], None] | None = None,
    clock: Callable[[], datetime] = _now,
    notice: Callable[[str], None] | None = None,
) -> d.Collection:
    """Read a live Azure and wait for it; Ctrl-C gives what was read until then, marked as interrupted."""
    return asyncio.run(_collect(options, progress, keep, clock, notice, interruptible=True))


async def collect(
    options: Options,
    *,
    progress: Callable[[Progress], None] | None = None,
    keep: Callable[[d.Document], None] | None = None,
    clock: Callable[[], datetime] = _now,
    notice: Callable[[str], None] | None = None,
) -> d.Collection:
    """Read all that bears on logging, as documents; `keep` is given each as soon as it is there.

    Only a missing identity, or one that can read nothing at all, ends it with an error.
    """
    return await _collect(options, progress, keep, clock, notice, interruptible=False)


async def _collect(
    options: Options,
    progress: Callable[[Progress], None] | None,
    keep: Callable[[d.Document], None] | None,
    clock: Callable[[], datetime],
    notice: Callable[[str], None] | None,
    *,
    interruptible: bool,
) -> d.Collection:
    started = clock()
    counts = Counts()
    async with AsyncExitStack() as stack:
        transport = open_transport(options)
        stack.push_async_callback(transport.session.close)
        credential = open_credential(options, transport)
        stack.push_async_callback(credential.close)
        identity = await sign_in(credential, options)
        pipelines = Pipelines(options, credential, transport, counts)
        reader = Reader(options, pipelines, identity, counts, progress, keep, notice)
        interrupted = False
        try:
            await _read_all(reader)
        except asyncio.CancelledError:
            if not interruptible:
                raise
            interrupted = True
    run = d.Run(
        tool_version=options.tool_version,
        cloud=options.cloud.name,
        tenant=reader.tenant or identity.tenant,
        principal=identity.principal,
        started_at=_stamp(started),
        finished_at=_stamp(clock()),
        requests=counts.requests,
        throttled=counts.throttled,
        denied=reader.denied,
        api_versions=dict(sorted(reader.api_versions.items())),
        interrupted=interrupted,
    )
    documents = sorted(reader.documents, key=lambda doc: (str(doc["id"]).lower(), str(doc["type"]).lower()))
    return d.Collection(documents=documents, run=run)


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


async def _read_all(reader: Reader) -> None:
    subscriptions = await _subscriptions(reader)
    reader.tenant = await inventory.tenant(reader, subscriptions)
    groups = await inventory.management_groups(reader)
    await reader.each("tenant", _tenant_jobs(reader, groups))
    if not subscriptions and not _anything(reader):
        raise _nothing_readable(reader)
    await reader.each("subscriptions", _subscription_jobs(reader, subscriptions))
    resources = await inventory.resources(reader, subscriptions)
    await _read_settings(reader, resources)
    await read_destinations(reader, resources)


async def _subscriptions(reader: Reader) -> list[d.Document]:
    """The subscriptions to read, kept as documents, with a gap for each that ought to be visible and is not."""
    options = reader.options
    visible, failure = await inventory.visible_subscriptions(reader)
    if failure is not None:
        reader.keep(d.unreadable(failure["id"], failure["type"], **_detail(failure)))
        if (options.subscriptions or options.exclude_subscriptions) and not visible:
            raise _nothing_readable(reader)
    for sentence in inventory.namesakes(visible, (*options.subscriptions, *options.exclude_subscriptions)):
        reader.tell(sentence)
    within, hidden = visible, set[str]()
    if options.management_group:
        below, _ = await inventory.below_group(reader, options.management_group)
        within = [s for s in visible if d.subscription_of(s["id"]) in below]
        hidden = {guid for guid in below - {d.subscription_of(s["id"]) for s in visible} if _GUID.fullmatch(guid)}
    left_out = inventory.excluded(visible, options.exclude_subscriptions, hidden)
    for guid in sorted(hidden - left_out):
        reader.keep(_not_visible(reader.identity, guid))
    picked = [s for s in inventory.chosen(within, options.subscriptions) if d.subscription_of(s["id"]) not in left_out]
    if left_out and within and not picked:
        raise AuditorError("every subscription of the scope is excluded", "exclude fewer, by flag or configuration")
    for subscription in picked:
        reader.keep(subscription)
    return picked


def _not_visible(identity: Identity, guid: str) -> d.Document:
    doc_id = reads.RESOURCES.id(f"/subscriptions/{guid}")
    return d.unreadable(
        doc_id,
        d.RESOURCE_LIST,
        reason="the subscription is below the management group, but not visible",
        action=reads.SUBSCRIPTIONS.action,
        scope=f"/subscriptions/{guid}",
        grant=grant_for(doc_id, identity),
    )


def _detail(failure: d.Document) -> dict[str, Any]:
    detail = failure.get("$unknown") or failure.get("$absent") or failure.get("$unsupported") or {}
    return {"reason": 'the answer was "no"', **detail}


def _tenant_jobs(reader: Reader, groups: Iterable[d.Document]) -> list[Job]:
    return [
        *(reader.job(reads.SETTINGS, group["id"]) for group in groups),
        reader.job(reads.ENTRA_SETTINGS),
        reader.job(reads.ENTRA_CATEGORIES),
        ("//graph", partial(_subscribed_skus, reader)),
    ]


async def _subscribed_skus(reader: Reader) -> None:
    read = reads.SUBSCRIBED_SKUS
    url = f"{reader.options.cloud.graph}/{read.api_version}/subscribedSkus"
    items, failure = await reader.pages(read, read.id(), url, pipeline=reader.pipelines.graph)
    reader.keep(failure or {"id": read.id(), "type": read.type, "value": items})


def _subscription_jobs(reader: Reader, subscriptions: Iterable[d.Document]) -> list[Job]:
    asked = (reads.LOCATIONS, reads.SETTINGS, reads.LOG_PROFILES, reads.DELETED_VAULTS)
    return [reader.job(read, s["id"]) for s in subscriptions for read in asked]


def _anything(reader: Reader) -> bool:
    """Whether something that can be judged was read; that the tenant shows its name does not count."""
    worth = {reads.ENTRA_SETTINGS.type.lower(), d.SUBSCRIBED_SKUS.lower(), d.MANAGEMENT_GROUP.lower()}
    return any(d.marker(doc) is None and str(doc["type"]).lower() in worth for doc in reader.documents)


def _nothing_readable(reader: Reader) -> IdentityError:
    listing = reader.kept(reads.SUBSCRIPTIONS.id(), d.SUBSCRIPTION)
    why = listing["$unknown"]["reason"] if listing is not None else "the identity sees no subscription"
    who = f" as {reader.identity.principal}" if reader.identity.principal else ""
    grant = grant_for("/subscriptions/<subscription>/", reader.identity)
    return IdentityError(
        f"nothing could be read{who}: {why}",
        f"{login_hint(reader.options)}, or give the identity a role: {grant}",
    )


# --- resources ---


async def _read_settings(reader: Reader, resources: Sequence[d.Document]) -> None:
    """Diagnostic settings of all that can log, categories once for each kind, and the other ways of logging."""
    kinds: dict[tuple[str, ...], list[d.Document]] = {}
    jobs: list[Job] = []
    for resource in sorted(resources, key=lambda r: str(r["id"]).lower()):
        kind = d.kind_key(resource)
        if kind[0] == _STORAGE:  # its own id carries metrics only; each service logs by itself
            for service in d.storage_services(resource):
                part = {"id": d.storage_service_id(resource["id"], service), "type": f"{kind[0]}/{service}"}
                kinds.setdefault((*kind, service), []).append(part)
                jobs.append(reader.job(reads.SETTINGS, part["id"]))
            classic = d.classic_services(resource)
            jobs += [("//storage", partial(read_classic, reader, resource, service)) for service in classic]
            continue
        kinds.setdefault(kind, []).append(resource)
        if can_log(kind[0]):
            jobs.append(reader.job(reads.SETTINGS, resource["id"]))
        if kind[0] == _WATCHER:
            jobs.append(reader.job(reads.FLOW_LOGS, resource["id"]))
    unlisted: list[d.Document] = []
    for _, members in sorted(kinds.items()):
        jobs.append((members[0]["id"], partial(_read_categories, reader, members, unlisted)))
    await reader.each("settings", jobs)
    await reader.each("settings", [reader.job(reads.SETTINGS, r["id"]) for r in unlisted])


async def _read_categories(reader: Reader, members: Sequence[d.Document], unlisted: list[d.Document]) -> None:
    """Ask resources of one kind for its categories until one answers.

    The resources of a type that the catalog does not hold, but that turns out to log, are put into `unlisted`.
    """
    kind = str(members[0]["type"]).lower()
    catalogued = kind.startswith(_STORAGE) or can_log(kind)
    for resource in members[:_TRIES]:
        answer = await reader.document(reads.CATEGORIES, resource["id"])
        if d.marker(answer) is None:
            if not catalogued and _offers_logs(answer["value"]):
                unlisted.extend(members)
            return
        if not catalogued and d.marker(answer) == "$unsupported":
            return


def _offers_logs(categories: Iterable[Any]) -> bool:
    return any(
        isinstance(category, dict)
        and isinstance(properties := category.get("properties"), dict)
        and str(properties.get("categoryType") or "").lower() == "logs"
        for category in categories
    )

"""Reading a live Azure: what is asked, in which order."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack, closing
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, Unpack

import msgspec

from auditor import documents as d
from auditor.errors import AuditorError, IdentityError
from auditor.focus import check_met, checked, choose, is_active, listed_resources
from auditor.sources.azure import inventory, reads
from auditor.sources.azure.arm_batch import Batcher
from auditor.sources.azure.auth import TRUST_HINT, Identity, login_hint, open_credential, sign_in
from auditor.sources.azure.cloud import Options
from auditor.sources.azure.destinations import detail_jobs, place_jobs, read_destinations, rule_jobs
from auditor.sources.azure.outage import Watch
from auditor.sources.azure.pipeline import Answer, Counts, Pipelines, send
from auditor.sources.azure.reader import Hooks, Reader
from auditor.sources.azure.refusals import grant_for
from auditor.sources.azure.settings import category_jobs, settings_jobs, slim
from auditor.sources.azure.sql_audit import audit_jobs
from auditor.sources.azure.transport import open_transport
from auditor.sources.azure.type_reads import OF_SUBSCRIPTION, OF_TENANT
from auditor.sources.azure.work import Job, Work
from auditor.sources.journal import Journal, scope_of
from auditor.sources.spool import Spool

# The options that decide what is read; answers to others do not belong into the same snapshot.
DECIDES: Final = (
    "subscriptions", "exclude_subscriptions", "management_group", "focus", "inventory", "tool_version",
)  # fmt: skip
_GOODBYE: Final = 0.1  # seconds in which connections broken off in the middle may close
_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _now() -> datetime:
    return datetime.now(UTC)


def collect_now(options: Options, **hooks: Unpack[Hooks]) -> d.Collection:
    """Like `spool_now`, with all documents in memory."""
    with closing(spool_now(options, **hooks)) as spool:
        return spool.collection()


def spool_now(options: Options, **hooks: Unpack[Hooks]) -> Spool:
    """Read a live Azure and wait for it; Ctrl-C gives what was read until then, marked as interrupted.

    With a journal it goes on where that ends, and stops with an error when there is no network or sign-in any more.
    """
    return asyncio.run(_collect(options, hooks, interruptible=True))


async def collect(options: Options, **hooks: Unpack[Hooks]) -> d.Collection:
    """Read all that bears on logging, as documents.

    Only a missing identity, or one that can read nothing at all, ends it with an error.
    """
    with closing(await _collect(options, hooks, interruptible=False)) as spool:
        return spool.collection()


async def _collect(options: Options, hooks: Hooks, *, interruptible: bool) -> Spool:
    clock = hooks.get("clock", _now)
    journal = hooks.get("journal")
    checked(options.focus)
    started = clock()
    counts = Counts()
    async with AsyncExitStack() as stack:
        transport = open_transport(options)
        stack.push_async_callback(transport.session.close)
        credential = open_credential(options, transport)
        stack.push_async_callback(credential.close)
        identity = await sign_in(credential, options)
        pipelines = Pipelines(options, credential, transport, counts)
        reader = Reader(options, pipelines, identity, counts, **hooks)
        if options.arm_batch:
            reader.batcher = Batcher(options, pipelines, reader.tell)
        if journal is not None:
            _begin(reader, journal, _stamp(started))
        interrupted = False
        try:
            await _read_all(reader)
            if reader.watch is not None:
                await reader.watch.check()
        except asyncio.CancelledError:
            if not interruptible:
                raise
            interrupted = True
            _plan_rest(reader)
            await asyncio.sleep(_GOODBYE)
        except AuditorError:
            await asyncio.sleep(_GOODBYE)
            raise
        for doc_id, doc_type in reader.plan.open():
            reader.keep(d.unreadable(doc_id, doc_type, reason="interrupted before it was read"))
    ends = reader.plan.counts()
    reader.spool.run = d.Run(
        tool_version=options.tool_version,
        cloud=options.cloud.name,
        tenant=reader.tenant or identity.tenant,
        principal=identity.principal,
        started_at=(journal.began if journal is not None else "") or _stamp(started),
        finished_at=_stamp(clock()),
        requests=counts.requests,
        throttled=counts.throttled,
        denied=reader.denied,
        inventory="graph+arm" if reader.helped_out else options.inventory,
        api_versions=dict(sorted(reader.api_versions.items())),
        interrupted=interrupted,
        resumed=journal.resumed if journal is not None else 0,
        planned=sum(ends.values()),
        answered=ends["answered"],
        not_supported=ends["not_supported"],
        unknown=ends["unknown"],
        **_focus_of(reader),
    )
    return reader.spool


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _begin(reader: Reader, journal: Journal, now: str) -> None:
    """Go on with a journal, or start it; it must be of the same tenant, identity and scope."""
    options, cloud = reader.options, reader.options.cloud
    decides = {name: getattr(options, name) for name in DECIDES}
    decides["focus"] = msgspec.json.encode(options.focus).decode() if is_active(options.focus) else ""
    places = {"cloud": cloud.name, "resource manager": cloud.resource_manager, "graph": cloud.graph}
    mine = {"tenant": reader.identity.tenant or options.tenant, "principal": reader.identity.principal}
    if journal.begin(scope_of({**decides, **places, **mine}), now):
        reader.tell(f"continuing the collection of {journal.began}: {journal.answers:,} answers are there already")

    async def probe() -> Answer:
        url = reader.url(reads.TENANTS.path, reads.TENANTS.api_version)
        return await send(reader.pipelines.resource_manager, "GET", url)

    reader.watch = Watch(probe, f"{login_hint(options)}; then the same command continues")


def _focus_of(reader: Reader) -> dict[str, Any]:
    """What a run says of its filters."""
    if not is_active(reader.options.focus):
        return {}
    focus = (reader.options.focus,)
    left_out = choose(focus, listed_resources(reader.spool.collection().documents)).left_out
    return {"focus": focus, "left_out": left_out, "narrowed": reader.narrowed}


def _aim(reader: Reader, resources: Sequence[d.Document], *, check: bool = True) -> None:
    """Decide of which of the listed resources log settings are read: those that the filters choose, or all."""
    focus = reader.options.focus
    if not is_active(focus):
        return
    chosen = choose([focus], resources)
    if check:
        whole = d.RESOURCE_LIST.lower() not in reader.failed
        for sentence in check_met(focus, resources, chosen, whole=whole):
            reader.tell(sentence)
    reader.narrowed = chosen.narrowed
    reader.deep = lambda resource: d.normal_id(resource["id"]) in chosen.deep


def _plan_rest(reader: Reader) -> None:
    """Plan what would have been read about what was: an interrupted run says of all of it that it was not."""
    _aim(reader, reader.resources, check=False)
    settings_jobs(reader, reader.resources)
    category_jobs(reader, reader.resources)
    audit_jobs(reader, reader.resources)
    known = {d.normal_id(resource["id"]) for resource in reader.resources}
    rule_jobs(reader, known)
    place_jobs(reader, known)
    detail_jobs(reader, known)


async def _read_all(reader: Reader) -> None:
    for read in (reads.SUBSCRIPTIONS, *OF_TENANT, reads.SUBSCRIBED_SKUS):
        reader.plan.add(read.id(), read.type)
    subscriptions = await _subscriptions(reader)
    about_each = _subscription_jobs(reader, subscriptions)
    filtered = is_active(reader.options.focus)

    # Azure's allowances fill only while they are used, so everything begins as soon as it is known.
    async with reader.work("settings", len(subscriptions)) as work:

        def found(resources: list[d.Document]) -> None:
            reader.resources.extend(resources if filtered else map(slim, resources))
            if not filtered:  # else it takes all of them to tell whose settings are needed
                work.add(settings_jobs(reader, resources))

        work.add([*about_each, ("//tenant", partial(_tenant, reader, subscriptions, work))])
        await inventory.resources(reader, subscriptions, found)
        if filtered:
            _aim(reader, reader.resources)
            work.add(settings_jobs(reader, reader.resources))
        work.add(category_jobs(reader, reader.resources, work), first=True)
        work.announce()
    if not subscriptions and not _anything(reader):
        raise _nothing_readable(reader)
    await reader.each("settings", audit_jobs(reader, reader.resources))
    await read_destinations(reader, reader.resources)


async def _subscriptions(reader: Reader) -> list[d.Document]:
    """The subscriptions to read, kept as documents, with a gap for each that ought to be visible and is not."""
    options = reader.options
    visible, failure = await inventory.visible_subscriptions(reader)
    if failure is not None:
        reader.keep(d.unreadable(failure["id"], failure["type"], **_detail(failure)))
        if (options.subscriptions or options.exclude_subscriptions) and not visible:
            raise _nothing_readable(reader)
    else:
        reader.plan.drop(reads.SUBSCRIPTIONS.id(), d.SUBSCRIPTION)  # each subscription stands for itself
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
        reader.plan.add(reads.RESOURCES.id(subscription["id"]), d.RESOURCE_LIST)
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


async def _tenant(reader: Reader, subscriptions: Sequence[d.Document], work: Work) -> None:
    """Read what there is of the tenant itself."""
    work.add([*(reader.job(read) for read in OF_TENANT), ("//graph", partial(_subscribed_skus, reader))])
    reader.tenant = await inventory.tenant(reader, subscriptions)
    groups = await inventory.management_groups(reader)
    work.add(reader.job(reads.SETTINGS, group["id"]) for group in groups)
    # The list of groups does not say which is above which. The top one, the tenant's namesake, tells of the whole tree.
    tops = [g for g in groups if d.name_of(g["id"]).lower() == reader.tenant.lower()] or groups
    work.add(reader.job(reads.DESCENDANTS, group["id"]) for group in tops)


async def _subscribed_skus(reader: Reader) -> None:
    read = reads.SUBSCRIBED_SKUS
    url = f"{reader.options.cloud.graph}/{read.api_version}/subscribedSkus"

    async def ask() -> d.Document:
        items, failure = await reader.pages(read, read.id(), url, pipeline=reader.pipelines.graph)
        return failure or {"id": read.id(), "type": read.type, "value": items}

    reader.keep(await reader.once(read.id(), read.type, read.api_version, ask))


def _subscription_jobs(reader: Reader, subscriptions: Iterable[d.Document]) -> list[Job]:
    return [reader.job(read, s["id"]) for s in subscriptions for read in OF_SUBSCRIPTION]


def _anything(reader: Reader) -> bool:
    """Whether something that can be judged was read; that the tenant shows its name does not count."""
    worth = {reads.ENTRA_SETTINGS.type.lower(), d.SUBSCRIBED_SKUS.lower(), d.MANAGEMENT_GROUP.lower()}
    return not worth.isdisjoint(reader.answered)


def _nothing_readable(reader: Reader) -> IdentityError:
    listing = reader.kept(reads.SUBSCRIPTIONS.id(), d.SUBSCRIPTION)
    why = listing["$unknown"]["reason"] if listing is not None else "the identity sees no subscription"
    who = f" as {reader.identity.principal}" if reader.identity.principal else ""
    if listing is not None and "status" not in listing["$unknown"]:  # no answer: a role would not help
        way_out = TRUST_HINT if "TLS" in why else "check the network, the proxy (HTTPS_PROXY, NO_PROXY) and --cloud"
    else:
        grant = grant_for("/subscriptions/<subscription>/", reader.identity)
        way_out = f"{login_hint(reader.options)}, or give the identity a role: {grant}"
    return IdentityError(f"nothing could be read{who}: {why}", way_out)

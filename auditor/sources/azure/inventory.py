"""What there is: the tenant, its management groups and subscriptions, and every resource in them."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any, Final

from auditor import documents as d
from auditor.errors import AuditorError
from auditor.focus import is_resource
from auditor.sources.azure import reads
from auditor.sources.azure.pipeline import Answer, Refused, send, short
from auditor.sources.azure.reader import Listed, Reader
from auditor.sources.azure.refusals import grant_for
from auditor.sources.azure.transport import NoAnswer
from auditor.sources.azure.work import Work
from auditor.sources.spool import key_of

QUERY: Final = (
    "resources | project id, name, type, location, kind, sku, tags, properties, identity, zones, managedBy, plan"
    " | order by id asc"  # pages without an order repeat rows and lose others
)
_CHUNK: Final = 1000  # subscriptions in one query
_QUERIES: Final = 8  # at least so many side by side, since the pages of one come one after the other
_MAX_PAGES: Final = 10_000
_PAGE: Final = 1000  # rows of a journal that are handed over together
Found = Callable[[list[d.Document]], None]
"""Is given resources as soon as they are known."""


async def visible_subscriptions(reader: Reader) -> tuple[list[d.Document], d.Document | None]:
    """The subscriptions that the identity sees, disabled ones too, by id; and the failure if not all are known."""
    items, failure = await _list_subscriptions(reader)
    found = [{**item, "id": f"/subscriptions/{guid}", "type": d.SUBSCRIPTION} for item in items if (guid := _own(item))]
    return sorted(found, key=lambda s: str(s["id"]).lower()), failure


async def _list_subscriptions(reader: Reader) -> Listed:
    if reader.options.inventory != "arm":
        return await reader.listing(reads.SUBSCRIPTIONS)
    from auditor.sources.azure import arm_inventory

    return await arm_inventory.list_subscriptions(reader)


def _own(item: d.Document) -> str:
    guid = item.get("subscriptionId")
    return guid if isinstance(guid, str) else d.subscription_of(str(item.get("id") or ""))


def chosen(visible: Sequence[d.Document], wanted: Sequence[str]) -> list[d.Document]:
    """The subscriptions that were asked for, by id or display name; all when none were named."""
    if not wanted:
        return list(visible)
    picked = {str(s["id"]): s for name in wanted for s in _called(name, visible)}
    return sorted(picked.values(), key=lambda s: str(s["id"]).lower())


def excluded(visible: Sequence[d.Document], unwanted: Sequence[str], hidden: Iterable[str] = ()) -> set[str]:
    """Ids of the subscriptions to leave out; `hidden` are ids that are known of, though not visible."""
    known = set(hidden)
    bare = {name: _bare(name) for name in unwanted}
    left_out = {key for key in bare.values() if key in known}
    return left_out | {_guid(s) for name, key in bare.items() if key not in known for s in _called(name, visible)}


def namesakes(visible: Sequence[d.Document], names: Iterable[str]) -> list[str]:
    """One sentence for each name that several subscriptions share: all of them are meant."""
    told = []
    for name in dict.fromkeys(names):
        ids = sorted(_guid(s) for s in visible if _bare(name) == str(s.get("displayName") or "").casefold())
        if len(ids) > 1:
            told.append(f"{len(ids)} subscriptions are called {short(name, 80)!r}, all are meant: {', '.join(ids)}")
    return told


def _called(name: str, visible: Sequence[d.Document]) -> list[d.Document]:
    hits = [s for s in visible if _bare(name) in (_guid(s), str(s.get("displayName") or "").casefold())]
    if not hits:
        shown = [f"{short(s.get('displayName') or '', 60)} ({_guid(s)})" for s in visible]
        listed = ", ".join(shown[:10]) + (f" and {len(shown) - 10} more" if len(shown) > 10 else "")
        raise AuditorError(
            f"no visible subscription is called {short(name, 80)!r}",
            f"visible: {listed}" if shown else "the identity sees no subscription; grant it the Reader role",
        )
    return hits


def _bare(name: str) -> str:
    return name.strip().strip("/").casefold().removeprefix("subscriptions/")


def _guid(subscription: Mapping[str, Any]) -> str:
    return d.subscription_of(str(subscription["id"]))


async def below_group(reader: Reader, group: str) -> tuple[set[str], set[str]]:
    """Ids of the subscriptions and of the management groups below a management group, itself included, lower case."""
    name = group.strip().rstrip("/").rpartition("/")[2]
    group_id = f"{reads.MANAGEMENT_GROUPS.path}/{name}"
    items, failure = await reader.listing(reads.DESCENDANTS, group_id)
    if failure is not None:
        detail = failure.get("$unknown") or {"reason": "there is no such group"}
        raise AuditorError(
            f"management group {short(name, 80)!r} could not be read: {detail['reason']}",
            str(detail.get("grant") or f"name the group by its id; {grant_for(group_id, reader.identity)}"),
        )
    subscriptions, groups = set[str](), {name.lower()}
    for item in items:
        is_subscription = str(item.get("type") or "").lower().endswith("/subscriptions")
        # A descendant's `name` is the bare id, whichever of the two forms its `id` has.
        (subscriptions if is_subscription else groups).add(str(item.get("name") or "").lower())
    return subscriptions, groups


async def management_groups(reader: Reader) -> list[d.Document]:
    """Every management group that the identity sees, kept as documents; a failed list is kept as its failure."""
    items, failure = await reader.listing(reads.MANAGEMENT_GROUPS)
    if failure is not None:
        reader.keep(failure)
    groups = []
    for item in items:
        name = item.get("name")
        if isinstance(name, str) and name:
            groups.append({**item, "id": f"{reads.MANAGEMENT_GROUPS.path}/{name}", "type": d.MANAGEMENT_GROUP})
            reader.keep(groups[-1])
    return groups


async def tenant(reader: Reader, subscriptions: Sequence[d.Document]) -> str:
    """Keep the tenant's document and return its id; guests see other tenants too, which are not part of the scan."""
    items, failure = await reader.listing(reads.TENANTS)
    found = {str(item["tenantId"]).lower(): item for item in items if isinstance(item.get("tenantId"), str)}
    mine = reader.identity.tenant
    if not mine:  # the token could not be looked into
        homes = {str(s.get("tenantId") or "").lower() for s in subscriptions} - {""}
        candidates = homes if len(homes) == 1 else set(found) if len(found) == 1 else set()
        mine = next(iter(candidates), "")
    if mine in found:
        reader.plan.add(f"/tenants/{mine}", d.TENANT)
        reader.keep({**found[mine], "id": f"/tenants/{mine}", "type": d.TENANT})
    elif failure is not None:
        reader.keep({**failure, "id": f"/tenants/{mine}" if mine else "/tenants"})
    return mine


async def resources(reader: Reader, subscriptions: Sequence[d.Document], found: Found = lambda _: None) -> None:
    """Every resource of these subscriptions, kept as documents; `found` is given them as they come.

    Resource Graph leaves out what it must not show and what it does not know yet, without a word; so each
    subscription of which it shows nothing is asked itself (domain.md 6.5).
    """
    guids = [_guid(s) for s in subscriptions]
    async with reader.work("inventory", len(guids)) as work:
        if reader.options.inventory == "arm":
            work.add((f"/subscriptions/{guid}", partial(_by_lists, reader, guid, found, work)) for guid in guids)
        else:
            size = max(1, min(_CHUNK, math.ceil(len(guids) / _QUERIES)))
            chunks = [guids[start : start + size] for start in range(0, len(guids), size)]
            work.add(("//graph", partial(_by_graph, reader, chunk, found, work)) for chunk in chunks)
        work.announce()


async def _by_graph(reader: Reader, guids: list[str], found: Found, work: Work) -> None:
    """Keep what Resource Graph shows of some subscriptions, and have those listed that it may not know."""
    asked, shown = frozenset(guids), set[str]()

    def take(rows: list[d.Document]) -> None:
        own = [row for row in rows if d.subscription_of(row["id"]) in asked]
        shown.update(d.subscription_of(row["id"]) for row in own)
        found(new_resources(reader, own))

    why = await _graph_rows(reader, guids, take)
    for guid in guids:
        if guid in shown and not why:
            reader.plan.end(reads.RESOURCES.id(f"/subscriptions/{guid}"), d.RESOURCE_LIST)
        else:
            work.add([(f"/subscriptions/{guid}", partial(_directly, reader, guid, why, found, work))])


async def _directly(reader: Reader, guid: str, why: str, found: Found, work: Work) -> None:
    rows = await list_directly(reader, guid)
    if rows and not reader.helped_out:
        reader.helped_out = True
        silent = "is silent about subscriptions that have resources: Resource Manager lists those"
        unfinished = f"did not list everything ({why}): Resource Manager lists what is left"
        reader.tell(f"Resource Graph {unfinished if why else silent}")
    work.add((row["id"], partial(_read_one, reader, row, found)) for row in rows)


async def _by_lists(reader: Reader, guid: str, found: Found, work: Work) -> None:
    from auditor.sources.azure import arm_inventory

    rows = await arm_inventory.list_resources(reader, guid, found)
    work.add((row["id"], partial(_read_one, reader, row, found)) for row in rows)


def new_resources(reader: Reader, documents: Iterable[d.Document]) -> list[d.Document]:
    """Keep what was listed or read; returns the resources among it that were not there already."""
    return [document for document in documents if reader.keep(document) and is_resource(document)]


async def _graph_rows(reader: Reader, guids: list[str], take: Found) -> str:
    """Hand over, page by page, what Resource Graph shows; returns why that is not all it has, empty when it is."""
    reader.api_versions[reads.RESOURCE_GRAPH.type] = reads.RESOURCE_GRAPH.api_version
    journal = reader.journal
    if journal is None:
        return await _ask_graph(reader, guids, take)
    name = f"{reads.RESOURCE_GRAPH.type} {hashlib.sha256(' '.join(guids).encode()).hexdigest()[:32]}"
    known = journal.items(name)
    if known is not None:
        while rows := list(islice(known, _PAGE)):
            take(rows)
        return ""

    def note(rows: list[d.Document]) -> None:
        journal.note_page(name, rows)
        take(rows)

    why = await _ask_graph(reader, guids, note)
    if not why:
        journal.note_end(name)
    return why


async def _ask_graph(reader: Reader, guids: list[str], take: Found) -> str:
    came: set[int] = set()  # the rows themselves would not go into memory
    token: str | None = None
    seen = set[str]()
    url = reader.url(reads.RESOURCE_GRAPH.path, reads.RESOURCE_GRAPH.api_version)
    for _ in range(_MAX_PAGES):
        options: dict[str, Any] = {"$top": reader.options.page_size, "resultFormat": "objectArray"}
        if token is not None:
            options["$skipToken"] = token
        query = {"subscriptions": guids, "query": QUERY, "options": options}
        try:
            answer = await send(reader.pipelines.resource_manager, "POST", url, body=query)
        except (NoAnswer, Refused) as error:
            return str(error)
        page = reader.body_of(reads.RESOURCE_GRAPH, reads.RESOURCE_GRAPH.path, answer)
        data = page.get("data")
        if isinstance(data, Mapping):
            data = _from_table(data)
        if d.marker(page) or not isinstance(data, list):
            detail = page.get("$unknown")
            return str(detail["reason"]) if isinstance(detail, Mapping) else "the answer holds no rows"
        rows = rows_of(data)
        came.update(key_of(row["id"], "") for row in rows)
        take(rows)
        token = page.get("$skipToken")
        if not token:
            return _cut_short(page, answer, len(came))
        if not isinstance(token, str) or token in seen:
            return _ENDLESS
        seen.add(token)
    return _ENDLESS


_ENDLESS: Final = "its pages do not end"


def _cut_short(page: d.Document, answer: Answer, rows: int) -> str:
    """Why the last page of a query is not the end of all that there is; empty when it is."""
    total = page.get("totalRecords")
    if isinstance(total, int) and rows < total:
        return f"{rows:,} of {total:,} rows came"
    if answer.headers.get("x-ms-tenant-subscription-limit-hit", "").lower() == "true":
        return "there are more subscriptions than it looks into"
    truncated = str(page.get("resultTruncated", "false")).lower() == "true"
    return "it cut its answer short" if truncated else ""


def rows_of(items: Iterable[Any]) -> list[d.Document]:
    """Rows as ARM would show the resources: a projection fills what a resource has not with null."""
    told = [item for item in items if isinstance(item, dict) and isinstance(item.get("id"), str)]
    rows = [{key: value for key, value in item.items() if value is not None} for item in told]
    for row in rows:
        row["type"] = row["type"] if isinstance(row.get("type"), str) else d.type_of(row["id"])
    return [row for row in rows if row["type"]]


def _from_table(data: Mapping[str, Any]) -> list[Any] | None:
    """Rows as objects, where a service gives columns and rows although asked for objects."""
    columns, rows = data.get("columns"), data.get("rows")
    if not isinstance(columns, list) or not isinstance(rows, list):
        return None
    names = [str(column.get("name")) for column in columns if isinstance(column, Mapping)]
    return [dict(zip(names, row, strict=False)) for row in rows if isinstance(row, list)]


async def list_directly(reader: Reader, guid: str, listing: Listed | None = None) -> list[d.Document]:
    """List a subscription's resources over ARM; returns those that are not known yet."""
    items, failure = listing or await reader.listing(reads.RESOURCES, f"/subscriptions/{guid}")
    if failure is not None:
        detail = failure.get("$unknown")
        if detail is None:  # the subscription is visible, so that a "no" does not mean an empty list
            answered = failure.get("$absent") or failure.get("$unsupported") or {}
            failure = d.unreadable(
                failure["id"],
                failure["type"],
                reason="the subscription's resources could not be listed",
                status=answered.get("status"),
                code=answered.get("code"),
            )
        reader.keep(failure)
    else:
        reader.plan.end(reads.RESOURCES.id(f"/subscriptions/{guid}"), d.RESOURCE_LIST)
    return [row for row in rows_of(items) if reader.kept(row["id"], row["type"]) is None]


async def _read_one(reader: Reader, listed: d.Document, found: Found) -> None:
    read = reads.resource_read(listed["type"])
    if read is None:  # no rule of ours looks into it; one that does cannot tell
        found(new_resources(reader, [{**listed, "properties": {"$unknown": d.NOT_ASKED}}]))
        return
    document = await reader.fetch(read, listed["id"])
    if d.marker(document) == "$absent":
        return  # deleted between the list and now
    unread = d.marker(document) is not None
    if unread:
        detail = document.get("$unknown") or {"reason": "not in Resource Graph"}
        document = {**listed, "properties": {"$unknown": detail}}
    new = new_resources(reader, [{**document, "type": listed["type"]}])
    if unread:  # otherwise it was part of the listing
        reader.plan.end(listed["id"], listed["type"], {"$unknown": document["properties"]})
    found(new)

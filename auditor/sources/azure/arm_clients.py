"""Microsoft's typed clients, which know Resource Manager's lists, over our pipeline and keeping what came as it was.

Left to themselves these clients write: told that a subscription is not registered for a service, they register it. They
also make models of what comes, which cost more than the reads, and drop or rename fields. So they are given our way out
(guard, token buckets, retry, sign-in) for theirs, and see of each page only where the next one is. This module is
imported only for `--inventory arm`; a client is imported when the first list of it is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from operator import attrgetter
from typing import Any, Final, Never

import msgspec
from azure.core.exceptions import AzureError
from azure.core.pipeline import PipelineContext, PipelineResponse
from azure.core.rest import HttpRequest

from auditor import documents as d
from auditor.sources.azure.pages import Lost, Pages
from auditor.sources.azure.reader import Listed, Reader
from auditor.sources.azure.reads import Read

CLIENTS: Final[Mapping[str, tuple[str, str]]] = {
    "keyvault": ("azure.mgmt.keyvault.aio", "KeyVaultManagementClient"),
    "monitor": ("azure.mgmt.monitor.aio", "MonitorManagementClient"),
    "network": ("azure.mgmt.network.aio", "NetworkManagementClient"),
    "resource": ("azure.mgmt.resource.resources.aio", "ResourceManagementClient"),
    "storage": ("azure.mgmt.storage.aio", "StorageManagementClient"),
    "subscriptions": ("azure.mgmt.resource.subscriptions.aio", "SubscriptionClient"),
}
_DECODED: Final = "deserialized_data"  # where the older clients look for a page that a policy has decoded


class TypedList(msgspec.Struct, frozen=True, kw_only=True):
    """One list that a typed client can ask for."""

    read: Read  # what is listed and in which version; the path is the client's own
    client: str  # of CLIENTS
    method: str  # `group.method`


class _Failed(Exception):  # noqa: N818
    """A list that did not come to its end, with the document that says why."""

    def __init__(self, failure: d.Document) -> None:
        super().__init__()
        self.failure = failure


class _Page:
    """An answer as a typed client needs to see it: done, without items, and where the next page is."""

    status_code: Final = 200

    def __init__(self, following: str) -> None:
        # Braces would be filled in as in a template.
        link = following.replace("{", "%7B").replace("}", "%7D")
        self.body: dict[str, Any] = {"value": [], "nextLink": link or None}

    def json(self) -> dict[str, Any]:
        """The page."""
        return self.body


class _Walk:
    """One list on its way: takes the client's requests, and keeps what comes."""

    def __init__(self, reader: Reader, read: Read, doc_id: str) -> None:
        self._reader = reader
        self._read = read
        self._doc_id = doc_id
        self.pages = Pages()
        self.following = ""  # the next page's address

    async def page(self, request: HttpRequest) -> PipelineResponse[Any, Any]:
        """Send one request of the client; `_Failed` if no page came of it."""
        body = await self._reader.json(self._read, self._doc_id, request.url, method=request.method)
        if d.marker(body):
            raise _Failed(body)
        self.following = self.pages.take(request.url, body)
        shown = _Page(self.following)
        context = PipelineContext(None)
        context[_DECODED] = shown.body
        return PipelineResponse(request, shown, context)


class _Wire:
    """What typed clients take for their pipeline."""

    async def run(self, request: HttpRequest, *, walk: _Walk, **_: Any) -> PipelineResponse[Any, Any]:
        """Send a request on behalf of the list that it belongs to."""
        return await walk.page(request)


class _NoCredential:
    """Stands where a credential must: the pipeline signs in, and a client that tried to would fail."""

    async def get_token(self, *_: Any, **__: Any) -> Never:
        """Refuse."""
        raise AssertionError("a typed client must not sign in by itself")

    async def close(self) -> None:
        """There is nothing to close."""


async def typed_list(reader: Reader, row: TypedList, guid: str = "") -> Listed:
    """Every item of a typed list of a subscription, or of the tenant, as it came; from the journal if it is there."""

    async def ask(read: Read, of: str) -> Listed:
        walk = _Walk(reader, read, read.id(of))
        try:
            client = _client(reader, row, guid)
            async for _ in attrgetter(row.method)(client)(walk=walk, api_version=read.api_version):
                raise AssertionError("a typed client was shown an item")
            while walk.following:  # some clients take their list to have one page
                await walk.page(HttpRequest("GET", walk.following))
        except _Failed as stop:
            return walk.pages.items, stop.failure
        except (Lost, AzureError, ValueError, LookupError, AttributeError) as error:  # of the client: an odd link
            reason = (
                str(error) if isinstance(error, Lost) else f"the list could not be followed ({type(error).__name__})"
            )
            return walk.pages.items, d.unreadable(read.id(of), read.type, reason=reason)
        return walk.pages.items, None

    return await reader.listing(row.read, f"/subscriptions/{guid}" if guid else "", ask)


def _client(reader: Reader, row: TypedList, guid: str) -> Any:
    module, name = CLIENTS[row.client]
    given: dict[str, Any] = {"subscription_id": guid} if guid else {}
    return getattr(import_module(module), name)(
        credential=_NoCredential(),
        base_url=reader.options.cloud.resource_manager,
        api_version=row.read.api_version,
        pipeline=_Wire(),
        policies=[],  # none of theirs
        **given,
    )

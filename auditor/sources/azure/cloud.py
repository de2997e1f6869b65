"""Where an Azure cloud answers, and how a scan of it is asked for; no Azure SDK is needed to read this."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

import msgspec

from auditor import __version__
from auditor.documents import Focus
from auditor.errors import AuditorError


class Cloud(msgspec.Struct, frozen=True, kw_only=True):
    """The hosts of one Azure cloud, and the audiences that tokens for them are issued to."""

    name: str
    authority: str  # https address of the sign-in service
    resource_manager: str  # https address of Azure Resource Manager
    graph: str  # https address of Microsoft Graph
    resource_manager_audience: str
    graph_audience: str
    storage_audience: str = "https://storage.azure.com"  # the same in every cloud
    storage_domains: tuple[str, ...] = ()  # a storage token goes to hosts of these domains alone


PUBLIC: Final = Cloud(
    name="public",
    authority="https://login.microsoftonline.com",
    resource_manager="https://management.azure.com",
    graph="https://graph.microsoft.com",
    resource_manager_audience="https://management.azure.com",
    graph_audience="https://graph.microsoft.com",
    storage_domains=("core.windows.net", "storage.azure.net"),
)
USGOV: Final = Cloud(
    name="usgov",
    authority="https://login.microsoftonline.us",
    resource_manager="https://management.usgovcloudapi.net",
    graph="https://graph.microsoft.us",
    resource_manager_audience="https://management.core.usgovcloudapi.net",
    graph_audience="https://graph.microsoft.us",
    storage_domains=("core.usgovcloudapi.net",),
)
CHINA: Final = Cloud(
    name="china",
    authority="https://login.chinacloudapi.cn",
    resource_manager="https://management.chinacloudapi.cn",
    graph="https://microsoftgraph.chinacloudapi.cn",
    resource_manager_audience="https://management.chinacloudapi.cn",
    graph_audience="https://microsoftgraph.chinacloudapi.cn",
    storage_domains=("core.chinacloudapi.cn",),
)
CLOUDS: Final = {cloud.name: cloud for cloud in (PUBLIC, USGOV, CHINA)}

AUTH_METHODS: Final = (
    "auto",
    "cli",
    "powershell",
    "azd",
    "environment",
    "client-secret",
    "client-certificate",
    "managed-identity",
    "workload-identity",
    "device-code",
    "browser",
)


INVENTORIES: Final = ("graph", "arm")


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be read, and as whom."""

    cloud: Cloud = PUBLIC
    tenant: str | None = None  # id or domain
    subscriptions: tuple[str, ...] = ()  # ids or display names; none: every visible one
    exclude_subscriptions: tuple[str, ...] = ()  # ids or display names, left out of what the others chose
    management_group: str | None = None  # id of a group: only subscriptions below it
    focus: Focus = Focus()  # resource groups, tags and types to judge; whatever else decides with is read too
    auth: str = "auto"  # one of AUTH_METHODS
    inventory: str = "graph"  # one of INVENTORIES: who lists the resources, Resource Graph or Resource Manager
    client_id: str | None = None  # of an application or managed identity; else from the environment
    client_secret: str | None = None  # likewise; only for `client-secret`
    arm_batch: bool = False  # send log settings and categories in batches, to an endpoint that is not documented
    concurrency: int = 128  # reads under way at once
    page_size: int = 1000  # Resource Graph rows asked for at once, 1 to 1000
    ca_file: str | None = None  # certificates trusted beside the system's and SSL_CERT_FILE's
    tool_version: str = __version__
    connect_timeout: float = 10  # seconds
    read_timeout: float = 60  # seconds without a byte
    retry_backoff: float = 0.8  # seconds; doubles with each attempt
    retry_after_cap: float = 120  # seconds; asked to wait longer, a read is given up as unknown


def custom_cloud(
    *,
    resource_manager: str,
    authority: str,
    graph: str,
    storage_domains: tuple[str, ...] = (),
    base: Cloud = PUBLIC,
    name: str = "custom",
) -> Cloud:
    """A cloud at other addresses, such as a local one; audiences are those of `base`, storage is on the same host."""
    places = {"Resource Manager": resource_manager, "sign-in": authority, "Graph": graph}
    for what, url in places.items():
        split = urlsplit(url)
        if split.scheme != "https" or not split.hostname:
            raise AuditorError(
                f"the {what} address {url!r} is not an https:// address",
                "a token may only travel over TLS; give https://host[:port]",
            )
    return Cloud(
        name=name,
        authority=authority.rstrip("/"),
        resource_manager=resource_manager.rstrip("/"),
        graph=graph.rstrip("/"),
        resource_manager_audience=base.resource_manager_audience,
        graph_audience=base.graph_audience,
        storage_audience=base.storage_audience,
        storage_domains=(*storage_domains, *base.storage_domains, str(urlsplit(resource_manager).hostname)),
    )


def scope(audience: str) -> str:
    """The OAuth scope for everything an identity may do at an audience."""
    return f"{audience.rstrip('/')}/.default"


def origin(url: str) -> tuple[str, str, int | None]:
    """(scheme, host, port) of an address, for comparing; a port that is not a number makes it equal to nothing."""
    try:
        split = urlsplit(url)
        port = split.port or {"https": 443, "http": 80}.get(split.scheme)
    except ValueError:
        return ("", "", -1)
    return (split.scheme.lower(), (split.hostname or "").lower(), port)


def in_domain(url: str, domains: tuple[str, ...]) -> bool:
    """Whether an https address lies in one of these domains (or is one)."""
    scheme, host, _ = origin(url)
    return scheme == "https" and any(host == domain or host.endswith(f".{domain}") for domain in domains)

"""Services in a subnet that answer the internet there: gateways, Bastion, API Management, SQL MI, App Service."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from auditor.documents import Document, subscription_of
from auditor.facts.network import Endpoint, Ports, Subnet, Way, owner_of
from auditor.facts.shapes import entries, explain, is_unknown, mapping, name, props, ref, short, text
from auditor.inventory import Unknown

APPLICATION_GATEWAY = "microsoft.network/applicationgateways"
BASTION = "microsoft.network/bastionhosts"
API_MANAGEMENT = "microsoft.apimanagement/service"
SQL_MANAGED_INSTANCE = "microsoft.sql/managedinstances"
APP_SERVICE_ENVIRONMENT = "microsoft.web/hostingenvironments"

SERVICES = (APPLICATION_GATEWAY, BASTION, API_MANAGEMENT, SQL_MANAGED_INSTANCE, APP_SERVICE_ENVIRONMENT)

_HTTPS: Ports = ((443, 443),)
_WEB: Ports = ((80, 80), (443, 443))


def service_endpoints(
    documents: Mapping[str, Document], by_type: Mapping[str, list[str]], subnets: Iterable[Subnet]
) -> Iterator[Endpoint]:
    """An endpoint for each service and subnet it sits in, with the ways in that the service itself opens."""
    readers: dict[str, Callable[[str, Document], Iterator[Endpoint]]] = {
        APPLICATION_GATEWAY: _application_gateway,
        BASTION: _bastion,
        API_MANAGEMENT: _api_management,
        SQL_MANAGED_INSTANCE: _sql_managed_instance,
        APP_SERVICE_ENVIRONMENT: _app_service_environment,
    }
    for kind, read in readers.items():
        for key in by_type.get(kind, ()):
            yield from read(key, documents[key])
    yield from _unread_bastions(documents, subnets)


def unplaced_services(documents: Mapping[str, Document], by_type: Mapping[str, list[str]]) -> dict[str, Unknown]:
    """Subscriptions with a service that could not be read, and that no subnet tells of: it may sit in any of theirs."""
    found: dict[str, Unknown] = {}
    for kind in (API_MANAGEMENT, SQL_MANAGED_INSTANCE, APP_SERVICE_ENVIRONMENT):
        for key in by_type.get(kind, ()):
            document = documents[key]
            why = document if "$unknown" in document else document.get("properties")
            if isinstance(why, Mapping) and "$unknown" in why:
                shown = f"the subnet of {short(kind)} {name(document, short(key))} is not known"
                found.setdefault(subscription_of(key), explain(why, shown))
    return found


def _make(key: str, document: Mapping[str, Any], subnet: str, ways: tuple[Way, ...], **more: Any) -> Endpoint:
    return Endpoint(id=f"{key}|{subnet}", owner=key, name=name(document, short(key)), subnet=subnet, ways=ways, **more)


def _application_gateway(key: str, document: Document) -> Iterator[Endpoint]:
    body = props(document)
    public = {
        ref(item) or name(item).lower()
        for item in entries(body.get("frontendIPConfigurations"))
        if ref(props(item).get("publicIPAddress")) or is_unknown(props(item).get("publicIPAddress"))
    }
    ports: dict[str, int] = {}
    for item in entries(body.get("frontendPorts")):
        number = props(item).get("port")
        if isinstance(number, int):
            ports[ref(item) or name(item).lower()] = number
    shown = name(document, short(key))
    ways: list[Way] = []
    for listener in (*entries(body.get("httpListeners")), *entries(body.get("listeners"))):
        written = props(listener)
        if _pick(written.get("frontendIPConfiguration"), public) is None:
            continue
        port = _pick(written.get("frontendPort"), ports)
        # A listener whose port is not told may be any below those that are the platform's own (65200 to 65535).
        span: Ports = ((ports[port], ports[port]),) if port else ((0, 65199),)
        label = f"application gateway {shown} listener {name(listener, '(unnamed)')}"
        doubt = None if port else Unknown(reason=f"the port of {label} is not known")
        ways.append(Way(label=label, protocols=("tcp",), ports=span, doubt=doubt))
    # Security group flow logs do not work on subnets of version 2 gateways.
    tier = text(mapping(body.get("sku")).get("tier")).lower()
    for item in entries(body.get("gatewayIPConfigurations")):
        subnet = ref(props(item).get("subnet"))
        if subnet:
            yield _make(
                key, document, subnet, tuple(ways), kind="application-gateway", nsg_logs=not tier.endswith("v2")
            )


def _pick(written: object, known: Iterable[str]) -> str | None:
    """The key of what a reference inside a document names, by its id or by the name its id ends with."""
    wanted = ref(written)
    known = known if isinstance(known, set | dict) else set(known)
    return next((key for key in (wanted, short(wanted)) if key and key in known), None)


def _bastion(key: str, document: Document) -> Iterator[Endpoint]:
    shown = name(document, short(key))
    for item in entries(props(document).get("ipConfigurations")):
        written = props(item)
        subnet, public = ref(written.get("subnet")), written.get("publicIPAddress")
        way = Way(label=f"Bastion {shown}", protocols=("tcp",), ports=_HTTPS)
        if subnet:
            yield _make(key, document, subnet, (way,) if ref(public) or is_unknown(public) else (), kind="bastion")


def _unread_bastions(documents: Mapping[str, Document], subnets: Iterable[Subnet]) -> Iterator[Endpoint]:
    """A Bastion that only its subnet tells of: it has a public address, save the rare private-only one."""
    for subnet in subnets:
        for member in subnet.members:
            owner = owner_of(member) if "/bastionhosts/" in member else ""
            if owner and not props(documents.get(owner, {})) and "$absent" not in documents.get(owner, {}):
                way = Way(label=f"Bastion {short(owner)}", protocols=("tcp",), ports=_HTTPS)
                yield _make(owner, {}, subnet.id, (way,), kind="bastion")


def _api_management(key: str, document: Document) -> Iterator[Endpoint]:
    body = props(document)
    subnet = text(mapping(body.get("virtualNetworkConfiguration")).get("subnetResourceId"))
    kind = text(body.get("virtualNetworkType")).lower()
    if not subnet or kind not in ("external", "internal"):
        return
    way = Way(label=f"API Management {name(document, short(key))}", protocols=("tcp",), ports=_WEB)
    # Of flow logs only those of virtual networks see API Management.
    ways = (way,) if kind == "external" else ()
    yield _make(key, document, ref({"id": subnet}), ways, kind="api-management", nsg_logs=False)


def _sql_managed_instance(key: str, document: Document) -> Iterator[Endpoint]:
    body = props(document)
    subnet = ref({"id": body.get("subnetId")})
    if not subnet:
        return
    label = f"public endpoint of SQL managed instance {name(document, short(key))}"
    way = Way(label=label, protocols=("tcp",), ports=((3342, 3342),))
    ways = (way,) if body.get("publicDataEndpointEnabled") is True else ()
    yield _make(key, document, subnet, ways, kind="sql-managed-instance")


def _app_service_environment(key: str, document: Document) -> Iterator[Endpoint]:
    body = props(document)
    subnet = ref(body.get("virtualNetwork"))
    if not subnet:
        return
    way = Way(label=f"App Service Environment {name(document, short(key))}", protocols=("tcp",), ports=_WEB)
    internal = text(body.get("internalLoadBalancingMode")).lower()  # "Web, Publishing" keeps all of it inside
    ways = () if "web" in internal else (way,)
    yield _make(key, document, subnet, ways, kind="app-service-environment", seen=False)

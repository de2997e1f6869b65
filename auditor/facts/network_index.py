"""From ARM documents to the index of the network that `exposure` and `flow_facts` ask."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from auditor.documents import RESOURCE_LIST, Document, subscription_of, type_of
from auditor.facts.addresses import NOTHING, AddressSet, parse_prefix
from auditor.facts.network import (
    INSTANCE_NIC,
    NIC,
    NSG,
    SCALE_SET,
    VNET,
    Endpoint,
    Network,
    SecurityGroup,
    Subnet,
    Way,
    is_basic,
    look,
    public_family,
    vnet_of,
)
from auditor.facts.services import service_endpoints, unplaced_services
from auditor.facts.shapes import (
    child_id,
    entries,
    explain,
    is_unknown,
    mapping,
    name,
    props,
    ref,
    refs,
    short,
    text,
)
from auditor.inventory import Unknown

# Delegated subnets whose traffic no flow log sees (domain.md 3.4), as beginnings of the service's name.
_BLIND_DELEGATIONS = (
    "microsoft.containerinstance/",
    "microsoft.dbformariadb/",
    "microsoft.dbformysql/",
    "microsoft.dbforpostgresql/",
    "microsoft.logic/",
    "microsoft.netapp/",
    "microsoft.network/dnsresolvers",
    "microsoft.web/",
)
# Subnets that have no security group by design; their traffic is logged at the firewall or gateway itself.
_BLIND_NAMES = frozenset({"azurefirewallsubnet", "azurefirewallmanagementsubnet", "gatewaysubnet"})


def index_network(documents: Mapping[str, Document], *, unlisted: Mapping[str, Unknown] | None = None) -> Network:
    """Index ARM documents (by normal id) for `exposure` and `flow_facts`.

    `unlisted` names subscriptions (lower case; "" for all) of which some network resources could not be listed, beside
    those that an unreadable resource list among the documents tells of.
    """
    by_type: dict[str, list[str]] = defaultdict(list)
    for key in sorted(documents):  # so that answers do not depend on the order in which things were read
        by_type[text(documents[key].get("type")).lower() or type_of(key).lower()].append(key)
    groups, claims = _security_groups(documents, by_type)
    subnets = {subnet.id: subnet for subnet in _subnets(documents, by_type, claims)}
    endpoints = [*_nics(documents, by_type, claims), *_scale_sets(documents, by_type)]
    endpoints += service_endpoints(documents, by_type, subnets.values())
    subnets_of: dict[str, list[str]] = defaultdict(list)
    nsg_subnets: dict[str, list[str]] = defaultdict(list)
    by_subnet: dict[str, list[Endpoint]] = defaultdict(list)
    by_nsg: dict[str, list[Endpoint]] = defaultdict(list)
    loose: Unknown | None = None
    for subnet in subnets.values():
        subnets_of[subnet.vnet].append(subnet.id)
        if isinstance(subnet.nsg, str):
            nsg_subnets[subnet.nsg].append(subnet.id)
        if subnet.loose and isinstance(subnet.nsg, Unknown):
            loose = subnet.nsg if loose is None else loose
    for claimed, nsg in claims.items():  # of subnets whose network could not be read
        if "/subnets/" in claimed and claimed not in subnets:
            nsg_subnets[nsg].append(claimed)
    for endpoint in endpoints:
        by_subnet[endpoint.subnet].append(endpoint)
        if isinstance(endpoint.nsg, str):
            by_nsg[endpoint.nsg].append(endpoint)
        elif isinstance(endpoint.nsg, Unknown):
            loose = endpoint.nsg if loose is None else loose
    by_subnet.pop("", None)
    return Network(
        documents=documents,
        by_type=dict(by_type),
        groups=groups,
        subnets=subnets,
        subnets_of=dict(subnets_of),
        claims=claims,
        endpoints=endpoints,
        by_subnet=dict(by_subnet),
        by_nsg=dict(by_nsg),
        nsg_subnets=dict(nsg_subnets),
        loose=loose,
        unlisted={**_unlisted(documents, by_type), **(unlisted or {})},
        unplaced=unplaced_services(documents, by_type),
    )


def _unlisted(documents: Mapping[str, Document], by_type: Mapping[str, list[str]]) -> dict[str, Unknown]:
    return {
        subscription_of(key): explain(documents[key], "not all resources could be listed")
        for key in by_type.get(RESOURCE_LIST.lower(), ())
        if "$unknown" in documents[key]
    }


def _security_groups(
    documents: Mapping[str, Document], by_type: Mapping[str, list[str]]
) -> tuple[dict[str, SecurityGroup], dict[str, str]]:
    groups: dict[str, SecurityGroup] = {}
    claims: dict[str, str] = {}
    for key in by_type.get(NSG, ()):
        properties = look(documents, key, "network security group")
        if properties is None:
            continue
        body = mapping(properties) if not isinstance(properties, Unknown) else mapping(None)
        subnets, nics = refs(body.get("subnets")), refs(body.get("networkInterfaces"))
        groups[key] = SecurityGroup(id=key, document=documents[key], properties=properties, subnets=subnets, nics=nics)
        claims.update(dict.fromkeys((*subnets, *nics), key))
    return groups, claims


def _subnets(
    documents: Mapping[str, Document], by_type: Mapping[str, list[str]], claims: Mapping[str, str]
) -> Iterator[Subnet]:
    for key in by_type.get(VNET, ()):
        for item in entries(props(documents[key]).get("subnets")):
            yield _subnet(child_id(key, "subnets", item), name(documents[key], short(key)), item, claims)
    for key in by_type.get(f"{VNET}/subnets", ()):  # templates write subnets on their own as well
        item = documents[key]
        if isinstance(item.get("properties"), Mapping) and not is_unknown(item) and not is_unknown(props(item)):
            yield _subnet(key, short(vnet_of(key)), item, claims)


def _subnet(key: str, vnet_name: str, item: Mapping[str, Any], claims: Mapping[str, str]) -> Subnet:
    body = props(item)
    written = body.get("networkSecurityGroup")
    where = f"subnet {short(key)}"
    nsg: str | Unknown | None = ref(written) or claims.get(key)
    if nsg is None and is_unknown(written):
        nsg = explain(written, f"the security group of {where} is not known")
    elif nsg is None and (is_unknown(item.get("properties")) or not isinstance(item.get("properties"), Mapping)):
        nsg = explain(item.get("properties"), f"the properties of {where} could not be read")
    prefixes = NOTHING
    listed = body.get("addressPrefixes")
    for prefix in (body.get("addressPrefix"), *(listed if isinstance(listed, list) else ())):
        found = parse_prefix(prefix) if isinstance(prefix, str) else None
        prefixes |= found if isinstance(found, AddressSet) else NOTHING
    delegations = [text(props(d).get("serviceName")).lower() for d in entries(body.get("delegations"))]
    return Subnet(
        id=key,
        vnet=vnet_of(key),
        name=f"{vnet_name}/{name(item, short(key)).rpartition('/')[2]}",
        nsg=nsg,
        prefixes=prefixes,
        blind=short(key) in _BLIND_NAMES or any(d.startswith(_BLIND_DELEGATIONS) for d in delegations),
        loose=is_unknown(written),
        members=(*refs(body.get("ipConfigurations")), *refs(body.get("applicationGatewayIPConfigurations"))),
    )


def _nics(
    documents: Mapping[str, Document], by_type: Mapping[str, list[str]], claims: Mapping[str, str]
) -> Iterator[Endpoint]:
    for key in (*by_type.get(NIC, ()), *by_type.get(INSTANCE_NIC, ())):
        document = documents[key]
        body = props(document)
        # A private endpoint's traffic is seen at the machine that sends it, never here (domain.md 3.4).
        seen = not (ref(body.get("privateEndpoint")) or is_unknown(body.get("privateEndpoint")))
        shown = name(document, short(key))
        nsg = _nsg_of(body, f"network interface {shown}")
        nsg = claims.get(key) if nsg is None else nsg
        for item in entries(body.get("ipConfigurations")):
            yield _endpoint(documents, key, item, kind="nic", shown=shown, nsg=nsg, seen=seen)


def _scale_sets(documents: Mapping[str, Document], by_type: Mapping[str, list[str]]) -> Iterator[Endpoint]:
    for key in by_type.get(SCALE_SET, ()):
        document = documents[key]
        shown = name(document, short(key))
        profile = mapping(mapping(props(document).get("virtualMachineProfile")).get("networkProfile"))
        for nic in entries(profile.get("networkInterfaceConfigurations")):
            nsg = _nsg_of(props(nic), f"scale set {shown}")
            for item in entries(props(nic).get("ipConfigurations")):
                yield _endpoint(
                    documents, key, item, kind="scale-set", shown=shown, nsg=nsg, part=f"{name(nic).lower()}/"
                )


def _nsg_of(body: Mapping[str, Any], where: str) -> str | Unknown | None:
    written = body.get("networkSecurityGroup")
    if is_unknown(written):
        return explain(written, f"the security group of {where} is not known")
    return ref(written) or None


def _endpoint(
    documents: Mapping[str, Document],
    owner: str,
    item: Mapping[str, Any],
    *,
    kind: str,
    shown: str,
    nsg: str | Unknown | None,
    seen: bool = True,
    part: str = "",
) -> Endpoint:
    body = props(item)
    family = {"ipv4": 4, "ipv6": 6}.get(text(body.get("privateIPAddressVersion")).lower(), 0)
    address = parse_prefix(text(body.get("privateIPAddress")))
    # A scale set's model gives its configurations no ids; its instances' say which they are by interface and name.
    configuration = (
        child_id(owner, "ipconfigurations", item) if kind == "nic" else f"{owner}/{part}{name(item).lower()}"
    )
    return Endpoint(
        id=configuration,
        owner=owner,
        name=shown,
        kind=kind,
        subnet=ref(body.get("subnet")),
        nsg=nsg,
        addresses=address if isinstance(address, AddressSet) else NOTHING,
        family=family,
        groups=frozenset(refs(body.get("applicationSecurityGroups"))),
        pools=refs(body.get("loadBalancerBackendAddressPools")),
        nat=(*refs(body.get("loadBalancerInboundNatRules")), *refs(body.get("loadBalancerInboundNatPools"))),
        ways=_own_ways(documents, body, kind, shown, family),
        seen=seen,
    )


def _own_ways(
    documents: Mapping[str, Document], body: Mapping[str, Any], kind: str, shown: str, family: int
) -> tuple[Way, ...]:
    if kind == "scale-set":
        made = body.get("publicIPAddressConfiguration")
        if not isinstance(made, Mapping):
            return ()
        basic = text(mapping(made.get("sku")).get("name")).lower() == "basic"
        label = f"public IP configuration {name(made, 'of each instance')} of scale set {shown}"
        return (Way(label=label, family=public_family([mapping(made)], family), open=basic),)
    written = body.get("publicIPAddress")
    if not isinstance(written, Mapping) or not (ref(written) or is_unknown(written)):
        return ()
    if not ref(written) and "$unknown" in written:
        doubt = explain(written, f"whether {shown} has a public IP is not known")
        return (Way(label=f"a public IP on {shown}", family=family, open=doubt, doubt=doubt),)
    key = ref(written)
    label = f"public IP {name(documents.get(key, {}), short(key)) if key else '(new)'} on {shown}"
    return (Way(label=label, family=public_family([documents.get(key, {})], family), open=is_basic(documents, key)),)

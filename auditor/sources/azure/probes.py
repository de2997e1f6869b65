"""What came of each probe of the doctor: what may be seen, and which grant would show the rest."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from auditor import documents as d
from auditor.sources.azure import capabilities as c
from auditor.sources.azure.auth import Identity
from auditor.sources.azure.classic import read_classic
from auditor.sources.azure.estimate import Tally, all_rows
from auditor.sources.azure.reader import Reader
from auditor.sources.azure.refusals import assign_command, behind_firewall

_ROOT: Final = "/providers/Microsoft.Management/managementGroups"
_AADIAM: Final = "/providers/Microsoft.aadiam"
_INTUNE: Final = "/providers/microsoft.intune"
_GRAPH_APP: Final = "00000003-0000-0000-c000-000000000000"
_READ_LICENCES: Final = "e2f98668-2877-4f38-a2f4-8202e0717aa1"  # LicenseAssignment.Read.All, for applications
_GLOBAL_READER: Final = "f2ef992c-3afb-46b9-b7cf-a126ee74c451"
_STORAGE: Final = "microsoft.storage/storageaccounts"
GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
ACCOUNTS: Final = (
    f"resources | where type =~ '{_STORAGE}' | project id, name, type, kind, sku, properties"
    " | order by id asc | take 20"
)


# --- grants ---


def reader_grant(identity: Identity, scope: str, role: str = "Reader") -> c.Grant:
    """A role in Resource Manager."""
    return c.Grant(role=role, scope=scope, command=assign_command(identity, role, scope))


def root_scope(identity: Identity) -> str:
    """The root management group, which is named like the tenant."""
    return f"{_ROOT}/{identity.tenant or '<root group>'}"


def _directory_role(identity: Identity, graph: str) -> c.Grant:
    """A role in Entra ID, which is what a person needs."""
    who = identity.object_id if GUID.fullmatch(identity.object_id) else "<object id>"
    body = {"principalId": who, "roleDefinitionId": _GLOBAL_READER, "directoryScopeId": "/"}
    url = shlex.quote(f"{graph}/v1.0/roleManagement/directory/roleAssignments")
    command = f"az rest --method POST --url {url} --body {shlex.quote(msgspec.json.encode(body).decode())}"
    return c.Grant(role="Global Reader (Entra ID)", scope="/", command=command)


def _licence_grant(identity: Identity, graph: str) -> c.Grant:
    if not identity.application:
        return _directory_role(identity, graph)
    role, scope = "LicenseAssignment.Read.All (application permission)", "Microsoft Graph"
    if identity.managed:  # it has no registration that a command could change
        return c.Grant(role=role, scope=scope)
    app = shlex.quote(identity.application)
    command = (
        f"az ad app permission add --id {app} --api {_GRAPH_APP} --api-permissions {_READ_LICENCES}=Role"
        f" && az ad app permission admin-consent --id {app}"
    )
    return c.Grant(role=role, scope=scope, command=command)


# --- from documents to checks ---


def answered(document: Mapping[str, Any]) -> tuple[str, str]:
    """`yes`, `no` or `unknown`, and the reason, that a read's document gives."""
    detail = document.get("$unknown")
    if detail is None:  # an answered "no" is an answer: the provider is not registered, the service has no such thing
        return "yes", ""
    # A deny assignment or a token that is not taken is no lack of a role.
    lacking = detail.get("status") == 403 and detail.get("grant")
    return "no" if lacking else "unknown", str(detail.get("reason") or "it could not be read")


def _single(key: str, document: d.Document, there: str, grant: c.Grant) -> c.Check:
    state, reason = answered(document)
    if state == "yes":
        return c.Check(capability=key, state=state, detail=there)
    gap = c.Gap(what=there, reason=reason, grant=grant if state == "no" else None)
    return c.Check(capability=key, state=state, detail=reason, gaps=[gap])


def subscriptions_check(
    identity: Identity,
    subscriptions: Sequence[c.Subscription],
    settings: Sequence[d.Document],
    listing: d.Document | None,
    hidden: Sequence[str] = (),
) -> c.Check:
    """Whether the Activity Log settings of each subscription may be read, and whether all subscriptions are listed.

    `hidden` are ids of those that are known to be in scope, though they are not shown.
    """
    key = c.SUBSCRIPTIONS.key
    gaps: list[c.Gap] = []
    everywhere = reader_grant(identity, root_scope(identity))
    if listing is not None:
        state, reason = answered(listing)
        needed = everywhere if state == "no" else None
        gaps.append(c.Gap(what="the list of subscriptions", reason=reason or "it is not there", grant=needed))
    elif not subscriptions:
        gaps.append(c.Gap(what="every subscription", reason="the identity sees no subscription", grant=everywhere))
    for subscription, document in zip(subscriptions, settings, strict=False):
        state, reason = answered(document)
        if state != "yes":
            own = reader_grant(identity, f"/subscriptions/{subscription.id}") if state == "no" else None
            gaps.append(c.Gap(what=subscription.name, reason=reason, grant=own))
    for guid in hidden:
        grant = reader_grant(identity, f"/subscriptions/{guid}")
        gaps.append(c.Gap(what=guid, reason="it is below the management group, but not visible", grant=grant))
    read = Counter(s.readable for s in subscriptions)
    detail = f"{read['yes']:,} of {len(subscriptions) - read['not probed']:,} can be read"
    if read["not probed"]:
        detail += f"; {read['not probed']:,} more were not probed"
    if not gaps:
        return c.Check(capability=key, state="yes", detail=detail)
    lacking = sum(gap.grant is not None for gap in gaps)
    return c.Check(
        capability=key,
        state="partly" if read["yes"] else "no" if lacking else "unknown",
        detail=detail,
        gaps=gaps,
        all_at_once=everywhere if lacking > 1 else None,
    )


def groups_check(identity: Identity, groups: Sequence[d.Document], failure: d.Document | None) -> c.Check:
    """Whether management groups are shown; none at all is no failure, since a tenant need not use them."""
    key = c.MANAGEMENT_GROUPS.key
    if failure is None:
        shown = f"{len(groups):,} visible" if groups else "none is visible: none is used, or none may be seen"
        return c.Check(capability=key, state="yes", detail=shown)
    grant = reader_grant(identity, root_scope(identity), "Management Group Reader")
    return _single(key, failure, "management groups and their settings", grant)


def entra_check(identity: Identity, document: d.Document, graph: str) -> c.Check:
    """Whether the diagnostic settings of Entra ID may be read."""
    grant = reader_grant(identity, _AADIAM) if identity.application else _directory_role(identity, graph)
    return _single(c.ENTRA.key, document, "diagnostic settings of Entra ID", grant)


def intune_check(identity: Identity, document: d.Document, graph: str) -> c.Check:
    """Whether the diagnostic settings of Intune may be read."""
    grant = reader_grant(identity, _INTUNE) if identity.application else _directory_role(identity, graph)
    return _single(c.INTUNE.key, document, "diagnostic settings of Intune", grant)


def licence_check(identity: Identity, document: d.Document, graph: str) -> c.Check:
    """Whether the licence may be read, without which nobody knows what Entra ID could export."""
    return _single(c.LICENCE.key, document, "licences of the tenant", _licence_grant(identity, graph))


def graph_check(tally: Tally | None, why_not: str, subscriptions: int) -> c.Check:
    """Whether Resource Graph answers, and of how many subscriptions it shows anything."""
    key = c.RESOURCE_GRAPH.key
    if tally is None:
        return c.Check(
            capability=key,
            state="unknown" if subscriptions else "not probed",
            detail=f"{why_not}; a scan then lists each subscription itself, which takes longer",
        )
    shown = {guid for _, guid in tally if guid}
    split = f" in {len(shown):,} of {subscriptions:,} subscriptions" if shown else ""
    return c.Check(capability=key, state="yes", detail=f"it shows {sum(tally.values()):,} resources{split}")


async def probe_storage(
    reader: Reader, guids: list[str], tally: Tally | None
) -> tuple[d.Document | None, str, c.Check]:
    """Ask one service of one storage account for its classic logging: the document, the address, and the check."""
    key = c.STORAGE.key

    def unprobed(why: str) -> tuple[None, str, c.Check]:
        return None, "", c.Check(capability=key, state="not probed", detail=why)

    if tally is None:
        return unprobed("no storage account is known without Resource Graph")
    if not any(kind == _STORAGE for kind, _ in tally):
        return unprobed("no storage account is visible")
    rows, reason = await all_rows(reader, guids, ACCOUNTS)
    named = [row for row in rows or [] if isinstance(row.get("id"), str) and d.subscription_of(row["id"])]
    # An account that admits this host tells more about permissions than one whose firewall answers for it.
    named.sort(key=behind_firewall)
    account = next((row for row in named if next(d.classic_services(row), "")), None)
    if account is None:
        return unprobed(reason or "no storage account with classic logging is visible")
    service = next(d.classic_services(account))
    await read_classic(reader, account, service)
    document = reader.kept(d.storage_analytics_id(account["id"], service), d.STORAGE_ANALYTICS) or {}
    properties = account.get("properties")
    endpoints = properties.get("primaryEndpoints") if isinstance(properties, Mapping) else None
    endpoint = endpoints.get(service) if isinstance(endpoints, Mapping) else None
    subject = f"{service} service of {d.name_of(account['id'])}"
    grant = reader_grant(reader.identity, f"/subscriptions/{d.subscription_of(account['id'])}")
    check = _single(key, document, f"{subject}, as one of many" if d.marker(document) is None else subject, grant)
    given = str((document.get("$unknown") or {}).get("grant") or "")
    if check.state == "no" and given and not given.startswith("az "):  # a firewall: no role would help
        gap = msgspec.structs.replace(check.gaps[0], grant=None, remedy=given)
        check = msgspec.structs.replace(check, gaps=[gap])
    return document, endpoint if isinstance(endpoint, str) else "", check

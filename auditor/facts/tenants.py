"""What the tenant holds licences for, and so what Entra ID and Intune can log; and tenants that only share the bill."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from auditor import documents as d
from auditor.catalog import catalog, category
from auditor.documents import Document, marker
from auditor.facts.licence import Licence, intune, licence, secure_access, workload_identities
from auditor.facts.look import Look, TypeFacts
from auditor.facts.offers import entra_offers, offers_none
from auditor.facts.settings import settings_of
from auditor.facts.shapes import entries, text
from auditor.facts.unread import fields, listed, unclear, unread
from auditor.inventory import Unknown

TENANTS: Final = frozenset({d.ENTRA.lower(), d.INTUNE.lower()})
_NO_LICENCE: Final = "The tenant has no Entra ID P1 or P2 licence, which exporting these logs needs: a licence gap."
_NOT_INCLUDED: Final = "The tenant's licences do not include these logs: a licence gap."
_NO_INTUNE: Final = "The tenant has no Intune licence, so that there is nothing to log."
_FEDERATION: Final = "adfederationservice"


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What the tenant's subscribed SKUs say of each licence that decides about logs."""

    licence: Licence | Unknown
    workload: bool | Unknown
    secure_access: bool | Unknown
    intune: bool | Unknown


def held_of(skus: Mapping[str, Any] | None) -> Held:
    """Every licence that matters here, from the list of subscribed SKUs."""
    return Held(
        licence=licence(skus),
        workload=workload_identities(skus),
        secure_access=secure_access(skus),
        intune=intune(skus),
    )


def tenant_offers(
    kind: str, categories: Document | None, settings: Document | None, held: Held
) -> tuple[frozenset[str], frozenset[str]]:
    """(offered, perhaps offered) categories of Entra ID or Intune under the licences of the tenant."""
    if kind.lower() == d.ENTRA.lower():
        return entra_offers(
            categories, held.licence, held.workload, secure_access=held.secure_access, settings=settings
        )
    names = frozenset(c.name for c in catalog()[d.INTUNE.lower()].categories)
    if held.intune is False or offers_none(None, settings):
        return frozenset(), frozenset()
    return (frozenset(), names) if isinstance(held.intune, Unknown) else (names, frozenset())


def tenant_facts(kind: str, held: Held, exported: object, look: Look) -> dict[str, Any]:
    """Licences, what is in use, and what is new; `exported` are the categories that some setting exports."""
    if kind.lower() == d.INTUNE.lower():
        facts: dict[str, Any] = {"licence": held.intune}
        if held.intune is False:
            facts["why_not_offered"] = _NO_INTUNE
        if isinstance(held.intune, Unknown):
            facts["why_may_offer"] = held.intune
        return facts
    facts = {"licence": held.licence, "secure_access": held.secure_access, "federation": _federation(look)}
    facts["new_categories"] = _new(look.get(f"/providers/{d.ENTRA_CATEGORIES}"), exported)
    if held.licence == "free":
        facts["why_not_offered"] = _NO_LICENCE
    if held.licence in ("p1", "p2"):
        facts["why_not_offered"] = _NOT_INCLUDED
    if isinstance(held.licence, Unknown):
        facts["why_may_offer"] = held.licence
    elif isinstance(held.workload, Unknown):
        facts["why_may_offer"] = held.workload
    return facts


def _federation(look: Look) -> bool | Unknown:
    """Whether an AD FS farm reports to Entra Connect Health, which is what brings its sign-ins to Entra ID."""
    document, what = look.get(f"/providers/{d.HEALTH_SERVICES}"), "the services of Entra Connect Health"
    if document is not None and marker(document) == "$absent":
        return False
    services = listed(document, what)
    if isinstance(services, Unknown):
        return services
    if len(entries(services)) != len(services):
        return unclear(what)
    farms = [service for service in entries(services) if text(service.get("type")).lower() == _FEDERATION]
    return any(farm.get("disabled") is not True for farm in farms)


def _new(categories: Document | None, exported: object) -> list[str] | Unknown:
    """Categories that Entra ID lists, that no catalog of ours knows yet, and that no setting exports."""
    what = "the categories of Entra ID"
    value = listed(categories, what)
    if isinstance(value, Unknown):
        return value
    if len(entries(value)) != len(value):
        return unclear(what)
    names = {text(item.get("name")) for item in entries(value)} - {""}
    new = {name for name in names if category(d.ENTRA, name) is None}
    if not new:
        return []
    if isinstance(exported, Unknown):
        return exported
    sent = {str(name).casefold() for name in exported} if isinstance(exported, list) else set()
    return sorted(name for name in new if name.casefold() not in sent)


def linked_tenant_facts(_key: str, document: Document, look: Look) -> dict[str, Any]:
    """What of its own logs a customers' tenant exports (`exported_there`), which only a scan of that tenant can read.

    A subscription pays for such a tenant and shows it as a resource; its settings are behind another sign-in.
    """
    properties = fields(document.get("properties"))
    if properties is None or marker(document):
        return {"exported_there": unread(document, "the tenant") if marker(document) else unclear("the tenant")}
    guid = text(properties.get("tenantId")).lower()
    if guid and guid in _signed_in(look):
        names = frozenset(c.name for c in catalog()[d.ENTRA.lower()].categories)
        found = settings_of(look.get(f"/providers/{d.ENTRA_SETTINGS}"), d.ENTRA, names, {}, look.resolve)
        if isinstance(found, Unknown):
            return {"exported_there": found}
        return {"exported_there": sorted(frozenset[str]().union(*(s.categories for s in found if s.living)))}
    called = f"tenant {guid}" if guid else "that tenant"
    why = Unknown(reason=f"the logs of {called} are set in it: they are read only by a scan that signs in there")
    return {"exported_there": why}


def _signed_in(look: Look) -> frozenset[str]:
    """The tenant that was signed in to: a scan keeps no other's document."""
    tenants = (look.documents[key] for key in look.of_type(d.TENANT))
    return frozenset(text(tenant.get("tenantId")).lower() for tenant in tenants if not marker(tenant)) - {""}


LINKED_TENANTS: Final[Mapping[str, TypeFacts]] = {
    "microsoft.azureactivedirectory/b2cdirectories": linked_tenant_facts,
    "microsoft.azureactivedirectory/ciamdirectories": linked_tenant_facts,
}

"""Which Entra ID licence does the tenant hold, and so which of its logs can it export?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Literal

from auditor.documents import marker
from auditor.facts.unread import unclear, unread
from auditor.inventory import Unknown

Licence = Literal["free", "p1", "p2"]

# Service plans, not SKU names, decide: bundles change, plan ids do not (domain: Entra ID licences).
_P1: Final = "41781fb2-bc02-4b7c-bd55-b576c07bb09d"  # AAD_PREMIUM
_P2: Final = "eec0eb4f-6444-4f95-aba0-50c24d67f998"  # AAD_PREMIUM_P2
_WORKLOAD: Final = (
    "84c289f0-efcb-486f-8581-07f44fc9efad",  # AAD_WRKLDID_P1
    "7dc0e92d-bf15-401d-907e-0884efe7c760",  # AAD_WRKLDID_P2
)
_INTUNE: Final = "c1ec4a95-1f05-45b3-a911-aa3fa01094f5"  # INTUNE_A
# Plans of that name which are no Intune: device management of Office 365, settings of Defender for Endpoint.
_NO_INTUNE: Final = ("intune_o365", "intune_defender")
_SECURE_ACCESS: Final = (
    "8d23cb83-ab07-418f-8517-d7aca77307dc",  # Entra_Premium_Internet_Access
    "f057aab1-b184-49b2-85c0-881b02a405c5",  # Entra_Premium_Private_Access
)


def licence(skus: Mapping[str, Any] | None) -> Licence | Unknown:
    """`free`, `p1` or `p2`, from the list of subscribed SKUs; Unknown where it was not read or says too little."""
    plans = _plans(skus)
    if isinstance(plans, Unknown):
        return plans
    if plans.get(_P2):
        return "p2"
    if plans.get(_P1) and _P2 not in plans:
        return "p1"
    if _P1 in plans or _P2 in plans:
        return Unknown(reason="the subscribed SKUs do not tell whether an Entra ID premium plan is in force")
    return "free"


def workload_identities(skus: Mapping[str, Any] | None) -> bool | Unknown:
    """Whether the tenant holds Workload Identities Premium, which risk logs of service principals need."""
    return _any_of(skus, _WORKLOAD, "Workload Identities")


def secure_access(skus: Mapping[str, Any] | None) -> bool | Unknown:
    """Whether the tenant holds Internet Access or Private Access, the plans of Global Secure Access."""
    return _any_of(skus, _SECURE_ACCESS, "Global Secure Access")


def intune(skus: Mapping[str, Any] | None) -> bool | Unknown:
    """Whether the tenant holds any plan of Intune."""
    return _any_of(skus, (_INTUNE,), "Intune")


def _any_of(skus: Mapping[str, Any] | None, wanted: Iterable[str], what: str) -> bool | Unknown:
    plans = _plans(skus)
    if isinstance(plans, Unknown):
        return plans
    held = [plans[plan] for plan in wanted if plan in plans]
    if any(held):
        return True
    return Unknown(reason=f"the subscribed SKUs do not tell whether {what} is in force") if held else False


def _plans(skus: Mapping[str, Any] | None) -> dict[str, bool] | Unknown:
    """Plan id → True for those in force, False for those of which that cannot be told; others are left out."""
    if skus is None or marker(skus):
        return unread(skus, "the tenant's licences")
    value = skus.get("value")
    if not isinstance(value, list) or not all(isinstance(sku, Mapping) for sku in value):
        return unclear("the tenant's licences")
    plans: dict[str, bool] = {}
    for sku in value:
        in_force = _in_force(sku)
        if in_force is False:
            continue
        for plan_id, alive in _service_plans(sku):
            if alive is not False:
                plans[plan_id] = plans.get(plan_id, False) or (in_force is True and alive is True)
    return plans


def _in_force(sku: Mapping[str, Any]) -> bool | None:
    """Whether a SKU counts: it is enabled or in grace, and has at least one such seat; None where it does not say."""
    status, units = sku.get("capabilityStatus"), sku.get("prepaidUnits")
    if isinstance(status, str) and status.lower() not in ("enabled", "warning"):
        return False
    if not isinstance(units, Mapping):
        return None
    seats = [units.get(key) or 0 for key in ("enabled", "warning")]
    if not all(isinstance(count, (int, float)) for count in seats):
        return None
    if sum(seats) <= 0:
        return False
    return True if isinstance(status, str) else None


def _service_plans(sku: Mapping[str, Any]) -> Iterator[tuple[str, bool | None]]:
    plans = sku.get("servicePlans")
    if not isinstance(plans, list):  # it may hold any of them
        yield from ((plan, None) for plan in (_P1, _P2, _INTUNE, *_WORKLOAD, *_SECURE_ACCESS))
        return
    for plan in plans:
        plan_id = plan.get("servicePlanId") if isinstance(plan, Mapping) else None
        if isinstance(plan_id, str):
            status = plan.get("provisioningStatus")
            alive = status.lower() != "disabled" if isinstance(status, str) else None
            yield plan_id.lower(), alive
            # Intune is sold as many plans (of schools, of devices, of governments), all of which do.
            called = str(plan.get("servicePlanName") or "").lower()
            if called.startswith("intune") and not called.startswith(_NO_INTUNE):
                yield _INTUNE, alive

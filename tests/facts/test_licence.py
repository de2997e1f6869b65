from typing import Any

import pytest

from auditor.facts.licence import intune, licence, secure_access, workload_identities
from auditor.inventory import Unknown

P1 = "41781fb2-bc02-4b7c-bd55-b576c07bb09d"
P2 = "eec0eb4f-6444-4f95-aba0-50c24d67f998"
WORKLOAD = "84c289f0-efcb-486f-8581-07f44fc9efad"
EXCHANGE = "9aaf7827-d63c-4b61-89c3-182f06f82e5c"


def sku(*plans: str, status: Any = "Enabled", units: Any = None, provisioning: Any = "Success") -> dict[str, Any]:
    return {
        "skuPartNumber": "ANY",
        "capabilityStatus": status,
        "prepaidUnits": {"enabled": 5, "warning": 0, "suspended": 0, "lockedOut": 0} if units is None else units,
        "servicePlans": [{"servicePlanId": p, "provisioningStatus": provisioning} for p in plans],
    }


def read(*skus: Any) -> dict[str, Any]:
    return {"id": "/providers/microsoft.graph/subscribedSkus", "type": "x", "value": list(skus)}


@pytest.mark.parametrize(
    ("skus", "answer"),
    [
        pytest.param([], "free", id="no SKU at all"),
        pytest.param([sku(EXCHANGE)], "free", id="SKUs without Entra plans"),
        pytest.param([sku(P1)], "p1", id="P1 plan"),
        pytest.param([sku(P1.upper())], "p1", id="plan ids compare without case"),
        pytest.param([sku(P2)], "p2", id="P2 plan"),
        pytest.param([sku(EXCHANGE, P1), sku(P1, P2)], "p2", id="the best of several SKUs"),
        pytest.param([sku(P2, status="Warning")], "p2", id="in grace"),
        pytest.param([sku(P2, status="Suspended")], "free", id="trap 42: suspended"),
        pytest.param([sku(P2, status="LockedOut"), sku(P1)], "p1", id="trap 42: locked out"),
        pytest.param([sku(P2, status="Deleted")], "free", id="deleted"),
        pytest.param([sku(P2, provisioning="Disabled"), sku(P1)], "p1", id="the plan is disabled in its SKU"),
        pytest.param([sku(P1, provisioning="PendingActivation")], "p1", id="pending counts"),
        pytest.param([sku(P1, units={"enabled": 0, "warning": 3})], "p1", id="seats in grace only"),
        pytest.param([sku(P1, units={"enabled": 0, "warning": 0, "suspended": 9})], "free", id="no living seat"),
        pytest.param([sku(P1, units={"enabled": None, "warning": 1})], "p1", id="null counts"),
    ],
)
def test_licence(skus: list[Any], answer: str) -> None:
    assert licence(read(*skus)) == answer


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(None, id="never read"),
        pytest.param({"id": "x", "type": "y", "$unknown": {"reason": "denied", "status": 403}}, id="403"),
        pytest.param({"id": "x", "type": "y", "$absent": {"status": 404}}, id="404"),
        pytest.param({"id": "x", "type": "y"}, id="no value"),
        pytest.param(read("text"), id="an entry that is no object"),
        pytest.param(read(sku(P1, units="many")), id="seats that are no object"),
        pytest.param(read(sku(P1, status=None)), id="no status"),
        pytest.param(read(sku(P1), sku(P2, provisioning=None)), id="P1 certainly, P2 perhaps"),
        pytest.param(read({**sku(), "servicePlans": None}), id="a SKU in force without plans"),
    ],
)
def test_the_licence_is_unknown(document: dict[str, Any] | None) -> None:
    assert isinstance(licence(document), Unknown)


def test_the_reason_is_kept() -> None:
    why = licence({"id": "x", "type": "y", "$unknown": {"reason": "denied", "status": 403, "code": "Forbidden"}})
    assert isinstance(why, Unknown)
    assert ("denied" in why.reason, why.status, why.code) == (True, 403, "Forbidden")


def test_an_uncertain_sku_does_not_spoil_a_certain_p2() -> None:
    assert licence(read(sku(P2), sku(P2, units=None, status=None), sku(P1, provisioning=None))) == "p2"


def test_workload_identities() -> None:
    assert workload_identities(read(sku(WORKLOAD))) is True
    assert workload_identities(read(sku(P2))) is False
    assert workload_identities(read(sku(WORKLOAD, status="Suspended"))) is False
    assert isinstance(workload_identities(read(sku(WORKLOAD, status=None))), Unknown)
    assert isinstance(workload_identities(None), Unknown)


INTERNET, INTUNE = "8d23cb83-ab07-418f-8517-d7aca77307dc", "c1ec4a95-1f05-45b3-a911-aa3fa01094f5"


def named(name: str, **changes: Any) -> dict[str, Any]:
    plan = {"servicePlanId": EXCHANGE, "servicePlanName": name, "provisioningStatus": "Success"}
    return {**sku(**changes), "servicePlans": [plan]}


@pytest.mark.parametrize(
    ("skus", "answer"),
    [
        pytest.param([sku(INTUNE)], True, id="by its id"),
        pytest.param([named("INTUNE_EDU")], True, id="another plan of Intune, by its name"),
        pytest.param([named("INTUNE_A_GOV", status="Suspended")], False, id="suspended"),
        pytest.param([named("INTUNE_O365")], False, id="device management of Office 365 is no Intune"),
        pytest.param([named("Intune_Defender")], False, id="nor are the settings of Defender"),
        pytest.param([sku(EXCHANGE)], False, id="none"),
        pytest.param([{**sku(), "servicePlans": None}], None, id="plans not told"),
    ],
)
def test_intune(skus: list[Any], answer: bool | None) -> None:
    found = intune(read(*skus))
    assert isinstance(found, Unknown) if answer is None else found is answer


@pytest.mark.parametrize(
    ("skus", "answer"),
    [([sku(INTERNET)], True), ([sku(P1)], False), ([sku(INTERNET, provisioning=None)], None)],
)
def test_secure_access(skus: list[Any], answer: bool | None) -> None:
    found = secure_access(read(*skus))
    assert isinstance(found, Unknown) if answer is None else found is answer

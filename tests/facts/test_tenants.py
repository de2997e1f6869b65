"""Licences, what is in use of Entra ID and Intune, and tenants that only share the bill."""

import pytest

from auditor.documents import ENTRA, INTUNE, unreadable
from auditor.facts.destinations import destination_index
from auditor.facts.look import Look
from auditor.facts.tenants import Held, linked_tenant_facts, tenant_facts, tenant_offers
from auditor.inventory import Unknown

WHY = Unknown(reason="refused")
HERE, THERE = "11111111-0000-0000-0000-000000000001", "22222222-0000-0000-0000-000000000002"
SERVICES, CATEGORIES = "Microsoft.ADHybridHealthService/services", "microsoft.aadiam/diagnosticSettingsCategories"
SETTINGS = "microsoft.aadiam/diagnosticSettings"


def look(*documents, declared=False):
    by_id = {document["id"].lower(): document for document in documents}
    return Look(documents=by_id, resolve=destination_index(by_id, declared=declared), declared=declared)


def listing(kind, *items):
    return {"id": f"/providers/{kind}", "type": kind, "value": list(items)}


def refused(kind):
    return unreadable(f"/providers/{kind}", kind, reason="HTTP 403", status=403)


def held(licence="p1", workload=False, secure_access=False, intune=False):
    return Held(licence=licence, workload=workload, secure_access=secure_access, intune=intune)


# --- what is offered --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("licences", "offered", "perhaps"),
    [
        pytest.param(held("free"), set(), set(), id="free"),
        pytest.param(held("p1"), set(), set(), id="P1 has no risk logs"),
        pytest.param(held("p2"), {"RiskyUsers"}, set(), id="P2 without Workload Identities"),
        pytest.param(held("p2", workload=True), {"RiskyUsers", "RiskyServicePrincipals"}, set(), id="both"),
        pytest.param(held("p2", workload=WHY), {"RiskyUsers"}, {"RiskyServicePrincipals"}, id="workload not told"),
        pytest.param(held(WHY, workload=WHY), set(), {"RiskyUsers", "RiskyServicePrincipals"}, id="nothing told"),
    ],
)
def test_risk_logs_by_licence(licences, offered, perhaps):
    risk = {"RiskyUsers", "RiskyServicePrincipals"}
    found, maybe = tenant_offers(ENTRA, None, listing(SETTINGS), licences)
    assert (found & risk, maybe & risk) == (offered, perhaps)


@pytest.mark.parametrize(
    ("licences", "offered", "perhaps"),
    [
        pytest.param(held("p1"), False, True, id="not held: part of it comes with P1"),
        pytest.param(held("p1", secure_access=True), True, False, id="held"),
        pytest.param(held("p1", secure_access=WHY), False, True, id="not told"),
        pytest.param(held("free", secure_access=True), False, False, id="without P1 nothing is exported"),
    ],
)
def test_global_secure_access_by_licence(licences, offered, perhaps):
    found, maybe = tenant_offers(ENTRA, None, listing(SETTINGS), licences)
    assert ("NetworkAccessTrafficLogs" in found, "NetworkAccessTrafficLogs" in maybe) == (offered, perhaps)


@pytest.mark.parametrize(
    ("answer", "offered", "perhaps"),
    [
        pytest.param(True, True, False, id="licensed"),
        pytest.param(False, False, False, id="not licensed"),
        pytest.param(WHY, False, True, id="not told"),
    ],
)
def test_intune_by_licence(answer, offered, perhaps):
    found, maybe = tenant_offers(INTUNE, None, refused("microsoft.intune/diagnosticSettings"), held(intune=answer))
    assert ("AuditLogs" in found, "AuditLogs" in maybe) == (offered, perhaps)


def test_each_reason_is_told():
    assert "licence" in tenant_facts(ENTRA, held("free"), [], look())["why_not_offered"]
    assert "licences" in tenant_facts(ENTRA, held("p1"), [], look())["why_not_offered"]
    assert "Intune" in tenant_facts(INTUNE, held(intune=False), [], look())["why_not_offered"]
    assert "why_not_offered" not in tenant_facts(INTUNE, held(intune=True), [], look())
    assert tenant_facts(ENTRA, held(WHY), [], look())["why_may_offer"] == WHY
    assert tenant_facts(ENTRA, held("p2", workload=WHY), [], look())["why_may_offer"] == WHY
    assert tenant_facts(INTUNE, held(intune=WHY), [], look())["why_may_offer"] == WHY


# --- AD FS ------------------------------------------------------------------------------------------------------------

FARM = {"id": "x", "type": "AdFederationService", "disabled": False}


@pytest.mark.parametrize(
    ("documents", "answer"),
    [
        pytest.param([listing(SERVICES, FARM)], True, id="a farm"),
        pytest.param([listing(SERVICES, {**FARM, "type": "adfederationSERVICE"})], True, id="whatever the case"),
        pytest.param([listing(SERVICES, {**FARM, "disabled": True})], False, id="a farm that is disabled"),
        pytest.param([listing(SERVICES, {**FARM, "disabled": True}, FARM)], True, id="one of two is disabled"),
        pytest.param([listing(SERVICES, {**FARM, "type": "AadSyncService"})], False, id="synchronisation only"),
        pytest.param([listing(SERVICES)], False, id="none"),
        pytest.param([{"id": f"/providers/{SERVICES}", "type": SERVICES, "$absent": {"status": 404}}], False, id="404"),
        pytest.param([refused(SERVICES)], None, id="refused"),
        pytest.param([listing(SERVICES, "nonsense")], None, id="makes no sense"),
        pytest.param([], None, id="never read"),
    ],
)
def test_federation(documents, answer):
    found = tenant_facts(ENTRA, held(), [], look(*documents))["federation"]
    assert isinstance(found, Unknown) if answer is None else found is answer


# --- new categories ---------------------------------------------------------------------------------------------------


def category(name):
    return {"id": f"/providers/{CATEGORIES}/{name}", "name": name, "properties": {"categoryType": "Logs"}}


@pytest.mark.parametrize(
    ("listed", "exported", "answer"),
    [
        pytest.param(["AuditLogs", "SignInLogs"], [], [], id="nothing new"),
        pytest.param(["AuditLogs", "PasskeyLogs"], ["AuditLogs"], ["PasskeyLogs"], id="trap 45: a new one"),
        pytest.param(["PasskeyLogs"], ["passkeylogs"], [], id="a new one that is exported"),
        pytest.param(["auditlogs"], [], [], id="known, whatever the case"),
        pytest.param(["AuditLogs"], WHY, [], id="nothing new, settings refused"),
        pytest.param(["PasskeyLogs"], WHY, None, id="a new one, settings refused"),
    ],
)
def test_new_categories(listed, exported, answer):
    documents = look(listing(CATEGORIES, *map(category, listed)))
    found = tenant_facts(ENTRA, held(), exported, documents)["new_categories"]
    assert isinstance(found, Unknown) if answer is None else found == answer


@pytest.mark.parametrize("document", [refused(CATEGORIES), listing(CATEGORIES, "nonsense"), None])
def test_new_categories_that_were_not_read(document):
    found = tenant_facts(ENTRA, held(), [], look(*([document] if document else [])))["new_categories"]
    assert isinstance(found, Unknown)


# --- linked tenants ---------------------------------------------------------------------------------------------------


def directory(tenant):
    kind = "Microsoft.AzureActiveDirectory/b2cDirectories"
    return {"id": f"/subscriptions/s/resourceGroups/g/providers/{kind}/x", "type": kind,
            "properties": {"tenantId": tenant} if tenant else {}}  # fmt: skip


SIGNED_IN = {"id": f"/tenants/{HERE}", "type": "Microsoft.Resources/tenants", "tenantId": HERE}
EXPORTS = listing(
    SETTINGS,
    {
        "name": "out",
        "properties": {
            "storageAccountId": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a",
            "logs": [{"category": "AuditLogs", "enabled": True}, {"category": "SignInLogs", "enabled": False}],
        },
    },
)


def exported_there(document, *others):
    return linked_tenant_facts(document["id"].lower(), document, look(document, *others))["exported_there"]


def test_another_tenant_is_named():
    found = exported_there(directory(THERE), SIGNED_IN, EXPORTS)
    assert isinstance(found, Unknown)
    assert THERE in found.reason


def test_the_tenant_that_was_scanned_is_told():
    assert exported_there(directory(HERE.upper()), SIGNED_IN, EXPORTS) == ["AuditLogs"]
    assert exported_there(directory(HERE), SIGNED_IN, listing(SETTINGS)) == []
    assert isinstance(exported_there(directory(HERE), SIGNED_IN, refused(SETTINGS)), Unknown)


def test_a_tenant_without_id_is_unknown():
    assert isinstance(exported_there(directory(""), SIGNED_IN, EXPORTS), Unknown)
    assert isinstance(exported_there({**directory(HERE), "properties": {"$unknown": {"reason": "no"}}}), Unknown)

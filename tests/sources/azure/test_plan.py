"""Every planned read ends, and the run counts them as the documents do."""

from __future__ import annotations

import pytest

from auditor.completeness import count_reads
from auditor.documents import settings_id
from auditor.sources.azure.plan import Plan

WORKSPACES = "Microsoft.OperationalInsights/workspaces"
DENIED = (403, {"error": {"code": "AuthorizationFailed", "message": ""}})


def test_a_plan_counts_each_read_once() -> None:
    plan = Plan()
    for doc_id in ("/a", "/b", "/c", "/d", "/e", "/A/"):
        plan.add(doc_id, "Kind")
    plan.end("/A", "kind", {"value": []})
    plan.end("/b", "Kind", {"$absent": {}})
    plan.end("/c", "Kind", {"$unsupported": {}})
    plan.end("/d", "Kind", {"$unknown": {}})
    plan.end("/f", "Kind")
    plan.add("/g", "Kind")
    plan.drop("/g", "Kind")

    assert plan.open() == [("/e", "Kind")]
    assert plan.counts() == {"answered": 3, "not_supported": 1, "unknown": 2}


@pytest.mark.parametrize("answer", ["found", DENIED, (404, {"error": {"code": "ResourceNotFound"}})], ids=str)
@pytest.mark.parametrize("where", ["scanned", "elsewhere"])
def test_a_place_that_was_looked_up_counts_as_the_documents_tell(azure, where: str, answer) -> None:
    guid = azure.SUB if where == "scanned" else "eeeeeeee-0000-4000-8000-00000000000e"
    place = f"/subscriptions/{guid}/resourceGroups/rg/providers/{WORKSPACES}/law"
    azure.resources(azure.vault())
    azure[settings_id(azure.VAULT)] = {"value": [{"properties": {"workspaceId": place}}]}
    azure[place] = {"id": place, "type": WORKSPACES, "properties": {}} if answer == "found" else answer

    collection = azure.scan()

    run = collection.run
    assert azure.one(collection, place)
    assert {"answered": run.answered, "not_supported": run.not_supported, "unknown": run.unknown} == count_reads(
        collection.documents
    )


def test_an_answer_of_another_type_is_still_the_answer(azure) -> None:
    place = f"/subscriptions/eeeeeeee-0000-4000-8000-00000000000e/resourceGroups/rg/providers/{WORKSPACES}/law"
    azure.resources(azure.vault())
    azure[settings_id(azure.VAULT)] = {"value": [{"properties": {"workspaceId": place}}]}
    azure[place] = {"id": place, "type": ["Microsoft.Compute/disks"], "properties": {"a": 1}}

    document = azure.one(azure.scan(), place)

    assert document == {"id": place, "type": WORKSPACES, "properties": {"a": 1}}

"""What the management groups above a subscription export."""

import pytest

from auditor.documents import unreadable
from auditor.facts.destinations import destination_index
from auditor.facts.hierarchy import group_facts, inherited_facts
from auditor.facts.look import Look
from auditor.inventory import Unknown

TENANT = "11111111-0000-0000-0000-000000000001"
SUB = "/subscriptions/33333333-0000-0000-0000-000000000003"
KIND = "Microsoft.Management/managementGroups"
SETTINGS = "Microsoft.Insights/diagnosticSettings"
STORAGE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a"


def group(name):
    return f"/providers/{KIND}/{name}"


def listed(name):
    return {"id": group(name), "type": KIND, "name": name, "properties": {"tenantId": TENANT}}


def settings(name, *categories, group_of="category"):
    properties = {"storageAccountId": STORAGE, "logs": [{group_of: c, "enabled": True} for c in categories]}
    value = [{"name": "out", "properties": properties}] if categories else []
    return {"id": f"{group(name)}/providers/{SETTINGS}", "type": SETTINGS, "value": value}


def refused(name):
    return unreadable(f"{group(name)}/providers/{SETTINGS}", SETTINGS, reason="HTTP 403", status=403)


def below(root, **parents):
    """The list of what is below a group: child → parent; `sub` is the subscription."""
    value = [
        {
            "id": SUB if child == "sub" else group(child),
            "type": "/subscriptions" if child == "sub" else KIND,
            "name": SUB.rpartition("/")[2] if child == "sub" else child,
            "properties": {"parent": {"id": group(parent.replace("root", TENANT))}},
        }
        for child, parent in parents.items()
    ]
    return {"id": f"{group(root)}/descendants", "type": f"{KIND}/descendants", "value": value}


ROOT = {"id": f"/tenants/{TENANT}", "type": "Microsoft.Resources/tenants", "tenantId": TENANT}
TREE = (ROOT, listed(TENANT), listed("apps"), below(TENANT, apps="root", sub="apps"))


def look(*documents, declared=False):
    by_id = {document["id"].lower(): document for document in documents}
    return Look(documents=by_id, resolve=destination_index(by_id, declared=declared), declared=declared)


def inherited(*documents, declared=False, chain=()):
    subscription = {"id": SUB, "managementGroupAncestorsChain": [{"name": name} for name in chain]}
    return inherited_facts(SUB, subscription, look(*documents, declared=declared))


@pytest.mark.parametrize(
    ("documents", "answer"),
    [
        pytest.param((settings("apps"), settings(TENANT)), [], id="no group has a setting"),
        pytest.param((settings("apps", "Administrative"), settings(TENANT)), ["Administrative"], id="nearest"),
        pytest.param((settings("apps"), settings(TENANT, "Policy")), ["Policy"], id="the root group"),
        pytest.param(
            (settings("apps", "Policy"), settings(TENANT, "Administrative")), ["Administrative", "Policy"], id="both"
        ),
        pytest.param(
            (settings("apps"), settings(TENANT, "allLogs", group_of="categoryGroup")),
            ["Administrative", "Policy"],
            id="by group of categories",
        ),
        pytest.param((refused("apps"), settings(TENANT)), None, id="nearest refused"),
        pytest.param((refused("apps"), settings(TENANT, "Policy")), ["Policy"], id="refused, but another exports"),
        pytest.param((settings("apps"),), None, id="the root group's never read"),
    ],
)
def test_what_a_subscription_inherits(documents, answer):
    found = inherited(*TREE, *documents)["inherited"]
    assert isinstance(found, Unknown) if answer is None else found == answer


def test_a_deleted_destination_exports_nothing():
    gone = {"id": STORAGE, "type": "Microsoft.Storage/storageAccounts", "$absent": {"status": 404}}
    assert inherited(*TREE, settings("apps"), settings(TENANT, "Policy"), gone)["inherited"] == []


def test_the_chain_that_a_subscription_tells_itself():
    found = inherited(settings("apps"), settings(TENANT, "Policy"), chain=("apps", TENANT))
    assert found == {"inherited": ["Policy"], "groups_above": ["apps", TENANT]}


def test_a_subscription_that_is_below_no_visible_group_is_unknown():
    assert isinstance(inherited(ROOT, listed("apps"), settings("apps", "Policy"))["inherited"], Unknown)


def test_a_chain_that_ends_below_the_root_group_is_unknown():
    part = (ROOT, listed("apps"), below("apps", sub="apps"))
    assert isinstance(inherited(*part, settings("apps"))["inherited"], Unknown)
    assert inherited(*part, settings("apps", "Policy"))["inherited"] == ["Policy"]


def test_groups_that_are_above_each_other_end_somewhere():
    circle = (ROOT, below("a", sub="a", a="b", b="a"), settings("a"), settings("b"))
    assert inherited(*circle)["inherited"] == []


def test_a_template_that_declares_no_group_inherits_nothing():
    assert inherited(declared=True)["inherited"] == []


@pytest.mark.parametrize(
    ("documents", "answer"),
    [
        pytest.param((settings("apps", "Policy"), settings(TENANT, "Administrative")), ["Administrative", "Policy"], id="own and above"),
        pytest.param((settings("apps"), settings(TENANT)), [], id="none"),
        pytest.param((settings("apps", "Policy"), refused(TENANT)), None, id="one is certain, the other is not"),
        pytest.param((settings("apps", "Administrative", "Policy"), refused(TENANT)), ["Administrative", "Policy"], id="all certain"),
    ],
)  # fmt: skip
def test_what_is_exported_of_a_group(documents, answer):
    facts = group_facts(group("apps").lower(), {}, look(*TREE, *documents))
    assert isinstance(facts["inherited"], Unknown) if answer is None else facts["inherited"] == answer
    assert facts["groups_above"] == [TENANT]


def test_the_root_group_has_none_above():
    facts = group_facts(group(TENANT).lower(), {}, look(*TREE, settings(TENANT, "Policy")))
    assert facts == {"inherited": ["Policy"], "groups_above": []}

"""Subscriptions as reports show them: by tenant, with their state; and whose resource group something lies in."""

from __future__ import annotations

import msgspec
import pytest
from estates import TENANT, res, rid, subscription

from auditor.assemble import assemble
from auditor.documents import RESOURCE_GROUPS, Collection, Run
from auditor.formats import renderer
from auditor.formats.view import build_view
from auditor.judge import judge
from auditor.report import Report
from auditor.rule import load_rules

CUSTOMER, ANOTHER = "cccccccc-0000-4000-8000-00000000000c", "bbbbbbbb-0000-4000-8000-00000000000b"
STATES = {"Enabled": "", "Disabled": "disabled", "Warned": "warned", "PastDue": "past due", "Deleted": "deleted"}


def report(*documents: dict) -> Report:
    run = Run(tenant=TENANT, finished_at="2026-11-22T07:00:00Z", started_at="2026-11-22T06:59:00Z")
    return judge(assemble(Collection(documents=list(documents), run=run)), load_rules())


def shown(name: str, found: Report) -> str:
    return renderer(name)(found)


def guid(number: int) -> str:
    return f"aaaaaaaa-0000-4000-8000-{number:012}"


@pytest.fixture(scope="module")
def every_state() -> Report:
    return report(*(subscription(guid(n), state, f"sub-{n}") for n, state in enumerate(STATES)))


def test_every_subscription_is_judged_whatever_its_state(every_state: Report) -> None:
    judged = {f.subject.id for f in every_state.findings if f.rule == "activity-log-exported"}
    assert judged == {f"/subscriptions/{guid(n)}" for n in range(len(STATES))}


def test_a_state_other_than_enabled_is_told(every_state: Report) -> None:
    told = {scope.name: scope.state for scope in build_view(every_state).scopes if scope.id}
    assert told == {f"sub-{n}": state for n, state in enumerate(STATES.values())}
    html, markdown, console = (shown(name, every_state) for name in ("html", "markdown", "console"))
    for n, state in list(enumerate(STATES.values()))[1:]:
        assert f"sub-{n} <i class=q>{state}</i>" in html
        assert f"sub-{n} ({state})" in markdown.replace("\\", "")
    assert "1 deleted, 1 disabled, 1 past due, 1 warned among the subscriptions" in console


def test_a_state_that_azure_may_invent_is_told_as_it_is() -> None:
    odd = report(subscription(guid(1), "Frozen<b>"))
    assert [scope.state for scope in build_view(odd).scopes if scope.id] == ["frozen<b>"]
    assert "frozen&lt;b&gt;" in shown("html", odd)


def test_subscriptions_of_customers_follow_the_own_ones_by_tenant() -> None:
    homes = {"a-customer": CUSTOMER, "b-own": TENANT, "c-customer": CUSTOMER, "d-another": ANOTHER, "e-own": TENANT}
    documents = [
        {**subscription(guid(n), name=name), "tenantId": home, "homeTenantId": home}
        for n, (name, home) in enumerate(homes.items())
    ]
    names = [scope.name for scope in build_view(report(*documents)).scopes if scope.id]
    assert [name.partition(" ")[0] for name in names] == ["b-own", "e-own", "d-another", "a-customer", "c-customer"]
    assert names[2] == "d-another (tenant bbbbbbbb)"


def test_a_resource_in_a_group_that_a_service_made_names_the_service() -> None:
    own, theirs = guid(1), "MC_app_aks_westeurope"
    cluster = rid("Microsoft.ContainerService/managedClusters", "aks-one", own)
    group = {"id": f"/subscriptions/{own}/resourceGroups/{theirs}", "managedBy": cluster}
    vault = {**res("Microsoft.KeyVault/vaults", "kv", {}, own)}
    vault["id"] = f"{group['id']}/providers/Microsoft.KeyVault/vaults/kv"
    beside = res("Microsoft.KeyVault/vaults", "kv-own", {}, own)
    groups = {"id": f"/subscriptions/{own}/resourcegroups", "type": RESOURCE_GROUPS, "value": [group]}
    found = report(subscription(own), groups, vault, beside)

    managers = {f.subject.name: f.subject.managed_by for f in found.findings if f.rule == "keyvault-audit-logs"}
    assert managers == {"kv": cluster, "kv-own": ""}
    assert {row.name: row.managed_by for row in found.coverage if row.name.startswith("kv")} == managers
    for name in ("html", "markdown"):
        text = shown(name, found).replace("\\", "")
        assert f"{theirs} (managed by aks-one)" in text
        assert "deny assignments" in text
    without = msgspec.structs.replace(found, findings=[], coverage=[])
    assert "deny assignments" not in shown("html", without)

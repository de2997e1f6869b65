"""What a SKU keeps a resource from logging, and apps with their plans and Application Insights."""

from typing import Any

import pytest
from estates import LAW, res, rid

from auditor.catalog import categories_of
from auditor.documents import kind_key, normal_id
from auditor.facts.applications import app_facts, component_facts
from auditor.facts.destinations import destination_index
from auditor.facts.look import Look
from auditor.facts.offers import Members, without
from auditor.facts.sku_limits import NOTHING, withheld
from auditor.inventory import Unknown

PLAN = rid("Microsoft.Web/serverfarms", "asp")
HUBS, BUS, APIM, SITE = (
    "Microsoft.EventHub/namespaces", "Microsoft.ServiceBus/namespaces", "Microsoft.ApiManagement/service",
    "Microsoft.Web/sites",
)  # fmt: skip


def look(*documents: Any, declared: bool = False) -> Look:
    by_id = {normal_id(d["id"]): d for d in documents}
    return Look(documents=by_id, resolve=destination_index(by_id, declared=declared), declared=declared)


@pytest.mark.parametrize(
    ("kind", "sku", "properties", "lacks"),
    [
        pytest.param(HUBS, "Standard", {}, "RuntimeAuditLogs", id="hubs below Premium"),
        pytest.param(HUBS, "basic", {}, "RuntimeAuditLogs", id="hubs, basic"),
        pytest.param(BUS, "Standard", {}, "RuntimeAuditLogs", id="bus below Premium"),
        pytest.param(BUS, "Standard", {}, "VNetAndIPFilteringLogs", id="bus below Premium has no network of its own"),
        pytest.param(APIM, "Consumption", {}, "GatewayLogs", id="gateway by consumption"),
        pytest.param(SITE, "", {"sku": "Dynamic"}, "AppServiceFileAuditLogs", id="app by consumption"),
    ],
)
def test_lacking(kind: str, sku: str, properties: Any, lacks: str) -> None:
    limits = withheld(res(kind, "x", properties, sku={"name": sku}), lambda _: None)
    assert limits.has(lacks)
    assert "does not offer" in limits.facts()["why_not_offered"]
    assert lacks in categories_of(kind)  # a name that nobody logs would hold nothing back


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(res(HUBS, "x", {}, sku={"name": "Premium"}), id="premium hubs"),
        pytest.param(res(HUBS, "x", {"clusterArmId": "/c"}, sku={"name": "Standard"}), id="dedicated cluster"),
        pytest.param(res(BUS, "x", {}), id="SKU not told"),
        pytest.param(res(APIM, "x", {}, sku={"name": "Developer"}), id="developer gateway"),
        pytest.param(res(SITE, "x", {"sku": "PremiumV3"}), id="premium plan"),
        pytest.param(res("Microsoft.KeyVault/vaults", "x", {}, sku={"name": "standard"}), id="another type"),
    ],
)
def test_nothing_lacking(document: Any) -> None:
    assert withheld(document, lambda _: None) == NOTHING


HIDDEN = {"$unknown": {"reason": "HTTP 403"}}


@pytest.mark.parametrize(
    "document",
    [
        pytest.param({"id": "/x", "type": HUBS, **HIDDEN}, id="hubs"),
        pytest.param({"id": "/x", "type": BUS, **HIDDEN}, id="bus"),
        pytest.param({"id": "/x", "type": APIM, **HIDDEN}, id="gateway"),
        pytest.param({"id": "/x", "type": SITE, **HIDDEN}, id="app"),
        pytest.param(res(HUBS, "x", {"clusterArmId": HIDDEN}, sku={"name": "Standard"}), id="perhaps a cluster"),
        pytest.param({**res(HUBS, "x", {}, sku={"name": "Standard"}), "properties": HIDDEN}, id="hidden properties"),
        pytest.param(res(BUS, "x", {}, sku=HIDDEN), id="bus decided later"),
        pytest.param(res(APIM, "x", {}, sku=HIDDEN), id="gateway decided later"),
        pytest.param(res(SITE, "x", {"serverFarmId": PLAN}), id="plan not read"),
    ],
)
def test_a_sku_that_is_not_known_leaves_it_open(document: Any) -> None:
    limits = withheld(document, lambda _: None)
    assert isinstance(limits.unsure, Unknown)
    assert limits.facts() == {"why_may_offer": limits.unsure}
    offers, perhaps, left = without(limits, frozenset({"RuntimeAuditLogs", "AppServiceFileAuditLogs", "GatewayLogs"}), {
        "audit": Members(frozenset({"RuntimeAuditLogs", "AppServiceFileAuditLogs", "GatewayLogs"}))})  # fmt: skip
    assert perhaps
    assert not offers & perhaps
    assert left["audit"] == Members(offers, perhaps)


def test_management_logs_are_in_every_tier() -> None:
    for kind in (HUBS, BUS):
        assert not withheld(res(kind, "x", {}, sku={"name": "Basic"}), lambda _: None).has("OperationalLogs")


def test_the_plan_outranks_what_the_app_says() -> None:
    plan = res("Microsoft.Web/serverfarms", "asp", {}, sku={"name": "P1v3", "tier": "PremiumV3"})
    app = res(SITE, "app", {"serverFarmId": PLAN.upper(), "sku": "Standard"})
    assert app_facts(app["id"], app, look(plan))["plan_tier"] == "PremiumV3"
    assert withheld(app, look(plan).get) == NOTHING
    assert app_facts(app["id"], app, look())["plan_tier"] == "Standard"


def test_offers_and_groups_lose_what_is_lacking() -> None:
    limits = withheld(res(HUBS, "x", {}, sku={"name": "Standard"}), lambda _: None)
    groups = {"audit": Members(frozenset({"OperationalLogs", "RuntimeAuditLogs"}), frozenset({"ArchiveLogs"}))}
    offers, perhaps, left = without(limits, frozenset({"OperationalLogs", "RuntimeAuditLogs", "ArchiveLogs"}), groups)
    assert offers == {"OperationalLogs", "ArchiveLogs"}
    assert perhaps == frozenset()
    assert left["audit"] == Members(frozenset({"OperationalLogs"}), frozenset({"ArchiveLogs"}))


def test_apps_of_other_plans_are_asked_for_their_categories_apart() -> None:
    keys = {kind_key(res(SITE, "x", {"sku": tier}, kind="app")) for tier in ("Standard", "PremiumV3", "premiumv3")}
    assert len(keys) == 2


# --- Application Insights ---------------------------------------------------------------------------------------------

COMPONENT = rid("Microsoft.Insights/components", "appi")


def function(tags: Any = None, properties: Any = None) -> dict[str, Any]:
    return {**res(SITE, "fn", properties or {}, kind="functionapp,linux"), "tags": tags or {}}


def linked(document: Any, *others: Any, declared: bool = False) -> Any:
    return app_facts(normal_id(document["id"]), document, look(document, *others, declared=declared))["app_insights"]


def test_a_live_function_app_is_linked_or_it_is_not_known() -> None:
    component = res("Microsoft.Insights/components", "appi", {})
    tagged = function({"hidden-link: /app-insights-resource-id": COMPONENT.upper()})
    assert linked(tagged, component) is True
    assert isinstance(linked(tagged), Unknown)  # what the tag names was not read
    assert isinstance(linked(function()), Unknown)
    assert isinstance(linked(function({"hidden-link: /app-insights-resource-id": None}), component), Unknown)


@pytest.mark.parametrize(
    ("properties", "answer"),
    [
        pytest.param(
            {"siteConfig": {"appSettings": [{"name": "ApplicationInsights_Connection_String"}]}}, True, id="set"
        ),
        pytest.param({"siteConfig": {"appSettings": [{"name": "OTHER"}]}}, False, id="not set"),
        pytest.param({}, False, id="no settings"),
        pytest.param({"siteConfig": {"appSettings": {"$unknown": "later"}}}, None, id="decided later"),
    ],
)
def test_a_declared_function_app_says_its_settings(properties: Any, answer: bool | None) -> None:
    found = linked(function(properties=properties), declared=True)
    assert isinstance(found, Unknown) if answer is None else found is answer


def test_settings_declared_beside_the_app_count() -> None:
    document = function()
    beside = {"id": f"{document['id']}/config/appsettings", "type": f"{SITE}/config",
              "properties": {"APPINSIGHTS_INSTRUMENTATIONKEY": "x"}}  # fmt: skip
    assert linked(document, beside, declared=True) is True


def test_an_app_that_could_not_be_read_may_be_of_any_kind() -> None:
    hidden = app_facts("/x", {"id": "/x", "type": SITE, **HIDDEN}, look())
    assert isinstance(hidden["app_kind"], Unknown)
    assert isinstance(hidden["app_insights"], Unknown)
    kinds = {"app,linux": "web", "": "web", "functionapp,linux": "function", "functionapp,workflowapp": "workflow"}
    for kind, wanted in kinds.items():
        assert app_facts("/x", res(SITE, "x", {}, kind=kind), look())["app_kind"] == wanted


def test_web_apps_have_no_such_fact() -> None:
    assert "app_insights" not in app_facts("/x", res(SITE, "x", {}, kind="app"), look())


def test_the_workspace_of_application_insights() -> None:
    law = res("Microsoft.OperationalInsights/workspaces", "law", {})
    gone = {"id": LAW, "type": "x", "$absent": {"status": 404}}
    hidden = {"id": LAW, "type": "x", "$unknown": {"reason": "HTTP 403", "status": 403}}
    based = res("Microsoft.Insights/components", "appi", {"WorkspaceResourceId": LAW})
    assert component_facts("", based, look(law)) == {"workspace": True}
    assert component_facts("", based, look(hidden)) == {"workspace": True}
    assert component_facts("", based, look(gone)) == {"workspace": False}
    assert component_facts("", res("Microsoft.Insights/components", "a", {}), look()) == {"workspace": False}
    for unread in (res("Microsoft.Insights/components", "a", HIDDEN), {"id": COMPONENT, "type": "x", **HIDDEN}):
        assert isinstance(component_facts("", unread, look())["workspace"], Unknown)

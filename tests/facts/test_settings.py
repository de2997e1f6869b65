import math
from collections.abc import Mapping
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.catalog import catalog, categories_of
from auditor.documents import normal_id
from auditor.facts.offers import Members, entra_offers, offers_of
from auditor.facts.settings import Route, routes_of, setting_facts, settings_of
from auditor.inventory import Destination, LogSetting, Unknown

VAULT = "Microsoft.KeyVault/vaults"
BLOB = "Microsoft.Storage/storageAccounts/blobServices"
GROUP = "Microsoft.Network/networkSecurityGroups"
ENTRA = "microsoft.aadiam/tenants"
SUBSCRIPTION = "Microsoft.Resources/subscriptions"
W = "/subscriptions/S/resourceGroups/rg/providers/Microsoft.OperationalInsights/workspaces/W"
A = "/subscriptions/S/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/A"
NS = "/subscriptions/S/resourceGroups/rg/providers/Microsoft.EventHub/namespaces/N"
P = "/subscriptions/S/resourceGroups/rg/providers/Microsoft.Datadog/monitors/D"
ID = "/subscriptions/S/x/providers/Microsoft.Insights/diagnosticSettings/"


UNREGISTERED = "MissingSubscriptionRegistration"


def known(kind: str, place: str, part: str | None) -> Destination:
    """A destination that exists and keeps everything."""
    return Destination(
        kind=kind, id=normal_id(place) if place else "", exists=True if place else Unknown(reason="later")
    )


def listed(*settings: Any) -> dict[str, Any]:
    return {"id": "x", "type": "Microsoft.Insights/diagnosticSettings", "value": list(settings)}


def setting(name: str = "s", logs: Any = (), **properties: Any) -> dict[str, Any]:
    logs = list(logs) if isinstance(logs, tuple) else logs
    return {"id": ID + name, "name": name, "properties": {"workspaceId": W, "logs": logs, **properties}}


def on(name: str, enabled: Any = True) -> dict[str, Any]:
    return {"category": name, "enabled": enabled}


def group(name: str, enabled: Any = True) -> dict[str, Any]:
    return {"category": None, "categoryGroup": name, "enabled": enabled}


def live(*entries: tuple[str, Any] | dict[str, Any], kind: Any = "Logs") -> dict[str, Any]:
    value = [
        entry
        if isinstance(entry, dict)
        else {"name": entry[0], "properties": {"categoryType": kind, "categoryGroups": entry[1]}}
        for entry in entries
    ]
    return {"id": "x", "type": "Microsoft.Insights/diagnosticSettingsCategories", "value": value}


LIVE = live(("AuditEvent", ["audit", "allLogs"]), ("AzurePolicyEvaluationDetails", ["allLogs"]))


def read(*settings: Any, resource_type: str = VAULT, categories: Any = LIVE, resolve: Any = known) -> Any:
    offers, groups = offers_of(resource_type, categories)
    return settings_of(listed(*settings), resource_type, offers, groups, resolve)


def enabled(found: tuple[LogSetting, ...]) -> set[str]:
    return {name for one in found for name in one.categories}


# --- what a resource offers -----------------------------------------------------------------------------------------


def names(members: Members) -> tuple[list[str], list[str]]:
    return sorted(members.certain), sorted(members.possible)


def test_the_live_list_wins_over_the_catalog() -> None:
    offers, groups = offers_of(VAULT, live(("auditevent", ["Audit"]), ("BrandNew", None)))
    assert offers == {"AuditEvent", "BrandNew"}
    assert names(groups["audit"]) == (["AuditEvent"], [])
    assert names(groups["alllogs"]) == (["AuditEvent", "BrandNew"], [])


def test_metrics_are_no_logs() -> None:
    metrics = {"name": "AllMetrics", "properties": {"categoryType": "Metrics"}}
    offers, _ = offers_of(VAULT, live(("AuditEvent", []), metrics))
    assert offers == {"AuditEvent"}


@pytest.mark.parametrize(
    ("entry", "offered"),
    [
        ({"name": "AuditEvent", "properties": None}, {"AuditEvent"}),
        ({"name": "AuditEvent"}, {"AuditEvent"}),
        ({"name": "AllMetrics", "properties": {}}, set()),
        ({"name": "AuditEvent", "properties": {"categoryType": "logs", "categoryGroups": "audit"}}, {"AuditEvent"}),
        ({"name": "AuditEvent", "properties": {"categoryType": "Logs", "categoryGroups": [None, 3]}}, {"AuditEvent"}),
        ({"name": None, "properties": {"categoryType": "Logs"}}, set()),
    ],
)
def test_odd_entries_of_the_live_list(entry: dict[str, Any], offered: set[str]) -> None:
    offers, groups = offers_of(VAULT, live(entry))
    assert offers == offered
    assert set(groups) == {"alllogs"}


@pytest.mark.parametrize(
    "categories",
    [
        pytest.param(None, id="never read"),
        pytest.param({"id": "x", "$unknown": {"reason": "denied"}}, id="denied"),
        pytest.param({"id": "x", "value": None}, id="no value"),
        pytest.param({"id": "x", "value": ["AuditEvent"]}, id="entries that are no objects"),
    ],
)
def test_without_a_live_list_the_catalog_speaks(categories: Any) -> None:
    offers, groups = offers_of(VAULT, categories)
    assert offers == set(categories_of(VAULT))
    assert names(groups["audit"]) == (["AuditEvent"], ["AzurePolicyEvaluationDetails"])
    _, without = offers_of(GROUP, categories)
    assert set(without) == {"alllogs"}  # the catalog knows that this type has no audit group
    assert offers_of("Contoso/things", categories) == (frozenset(), {})


@pytest.mark.parametrize("code", ["ResourceTypeNotSupported", "ResourceTypeNotFound", "InvalidResourceType"])
def test_trap_14_unsupported_types_offer_nothing(code: str) -> None:
    assert offers_of(VAULT, no("$unsupported", 400, code), settings=listed()) == (frozenset(), {})
    assert offers_of(VAULT, live()) == (frozenset(), {"alllogs": Members(frozenset())})


def no(mark: str, status: int, code: str) -> dict[str, Any]:
    return {"id": "x", mark: {"status": status, "code": code}}


@pytest.mark.parametrize(
    ("categories", "settings"),
    [
        pytest.param(no("$absent", 409, UNREGISTERED), no("$absent", 409, UNREGISTERED), id="monitor not registered"),
        pytest.param(no("$absent", 404, "NotFound"), listed(), id="404 beside settings"),
        pytest.param(no("$unsupported", 400, "BadRequest"), listed(), id="400 of another kind"),
        pytest.param(no("$absent", 404, "NotFound"), {"id": "x", "$unknown": {"reason": "denied"}}, id="404 and 403"),
    ],
)
def test_a_no_that_does_not_speak_of_the_type_leaves_the_catalog(categories: Any, settings: Any) -> None:
    offers, groups = offers_of(VAULT, categories, settings=settings)
    assert offers == set(categories_of(VAULT))
    assert set(groups) == {"alllogs", "audit"}
    assert offers_of("Contoso/things", categories, settings=settings) == (frozenset(), {})


@pytest.mark.parametrize("code", ["NotFound", "ResourceNotFound"])
def test_what_answers_404_to_both_questions_offers_nothing(code: str) -> None:
    gone = no("$absent", 404, code)
    assert offers_of(VAULT, gone, settings=gone) == (frozenset(), {})
    assert offers_of(VAULT, no("$unsupported", 400, "BadRequest"), settings=gone) == (frozenset(), {})


def test_trap_14_a_list_may_name_categories_that_cannot_be_set() -> None:
    assert offers_of(VAULT, LIVE, settings={"id": "x", "$unsupported": {"status": 400}}) == (frozenset(), {})


def test_flow_logs_stay_offered_whatever_the_list_says() -> None:
    for categories in (
        None,
        live(("NetworkSecurityGroupEvent", ["allLogs"])),
        {"id": "x", "$unsupported": {"code": "ResourceTypeNotSupported"}},
    ):
        offers, groups = offers_of(GROUP, categories)
        assert "FlowLog" in offers
        assert "FlowLog" not in groups.get("alllogs", Members(frozenset())).certain


# --- which categories a setting enables -----------------------------------------------------------------------------

BOTH = {"AuditEvent", "AzurePolicyEvaluationDetails"}


@pytest.mark.parametrize(
    ("logs", "categories"),
    [
        pytest.param((), set(), id="trap 6: logs: []"),
        pytest.param(None, set(), id="trap 6: logs: null"),
        pytest.param((on("AuditEvent", False), on("AzurePolicyEvaluationDetails", False)), set(), id="trap 6: all off"),
        pytest.param((on("AuditEvent"), on("AzurePolicyEvaluationDetails", False)), {"AuditEvent"}, id="one is on"),
        pytest.param((group("allLogs"),), BOTH, id="trap 7: allLogs hides the category"),
        pytest.param((group("ALLLOGS"),), BOTH, id="a group in other case"),
        pytest.param((group("audit"),), {"AuditEvent"}, id="trap 7: audit is enough"),
        pytest.param((group("audit", False), group("allLogs")), BOTH, id="the disabled sibling does not spoil it"),
        pytest.param((group("allLogs", False),), set(), id="a disabled group"),
        pytest.param(({"categoryGroup": "audit", "enabled": True},), {"AuditEvent"}, id="trap 8: no key category"),
        pytest.param(({"enabled": True},), set(), id="trap 8: neither key"),
        pytest.param((on("auditevent"),), {"AuditEvent"}, id="in the catalog's spelling"),
        pytest.param((on("BrandNew"),), {"BrandNew"}, id="trap 45: unknown names stay as written"),
        pytest.param((on("AuditEvent", "true"),), {"AuditEvent"}, id="text for a truth"),
        pytest.param(
            (on("AuditEvent", "false"), on("AzurePolicyEvaluationDetails", None)), set(), id="off as text, null"
        ),
        pytest.param(
            ({"category": "AuditEvent", "enabled": False, "retentionPolicy": {"enabled": True, "days": 365}},),
            set(),
            id="trap 12: a leftover retention enables nothing",
        ),
    ],
)
def test_enabled_categories(logs: Any, categories: set[str]) -> None:
    (found,) = read(setting(logs=logs))
    assert (found.categories, found.possible) == (categories, frozenset())
    assert [d.kind for d in found.destinations] == ["log-analytics"]


def test_groups_are_kept_as_written() -> None:
    (found,) = read(setting(logs=(group("allLogs"), group("Audit"), group("gone", False))))
    assert found.groups == ("allLogs", "Audit")


def test_trap_7_a_group_without_a_live_list() -> None:
    (every,) = read(setting(logs=(group("allLogs"),)), categories=None)
    assert (every.categories, every.possible) == (BOTH, frozenset())
    (audit,) = read(setting(logs=(group("audit"),)), categories=None)
    assert (audit.categories, audit.possible) == ({"AuditEvent"}, {"AzurePolicyEvaluationDetails"})
    (storage,) = read(setting(logs=(group("audit"),)), resource_type=BLOB, categories=None)
    assert (storage.categories, storage.possible) == (frozenset(), {"StorageRead", "StorageWrite", "StorageDelete"})


def test_trap_10_a_list_that_names_no_groups_is_not_believed_about_them() -> None:
    silent = live(("StorageRead", None), ("StorageWrite", None))
    (audit,) = read(setting(logs=(group("audit"),)), resource_type=BLOB, categories=silent)
    assert (audit.categories, audit.possible) == (frozenset(), {"StorageRead", "StorageWrite"})
    (none,) = read(setting(logs=(group("audit"),)), resource_type=GROUP, categories=None)
    assert none.possible == frozenset()  # the catalog knows that nothing of this type is in such a group


def test_all_logs_never_contains_a_flow_log() -> None:
    (found,) = read(setting(logs=(group("allLogs"),)), resource_type=GROUP, categories=None)
    assert "FlowLog" not in found.categories | found.possible
    assert found.categories


def test_what_is_decided_later_is_possible() -> None:
    later = {"$unknown": {"reason": "known after apply"}}
    (switch,) = read(setting(logs=(on("AuditEvent", later),)))
    assert (switch.categories, switch.possible) == (frozenset(), {"AuditEvent"})
    for logs in ((on(later),), (later,), later, "odd", (None,)):  # type: ignore[arg-type]
        (found,) = read(setting(logs=logs))
        assert (found.categories, found.possible) == (frozenset(), BOTH)
    (certain,) = read(setting(logs=(on("AuditEvent"), later)))
    assert (certain.categories, certain.possible) == ({"AuditEvent"}, {"AzurePolicyEvaluationDetails"})


# --- where it sends them --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("properties", "places"),
    [
        pytest.param({"workspaceId": None}, [], id="trap 6: null"),
        pytest.param({"workspaceId": "", "storageAccountId": " "}, [], id="trap 6: empty text"),
        pytest.param({"workspaceId": W + "/"}, [("log-analytics", normal_id(W))], id="trap 1: trailing slash, case"),
        pytest.param({"workspaceId": None, "storageAccountId": A}, [("storage", normal_id(A))], id="storage"),
        pytest.param(
            {"workspaceId": None, "eventHubAuthorizationRuleId": f"{NS}/authorizationRules/Root", "eventHubName": "h"},
            [("event-hub", normal_id(f"{NS}/eventhubs/h"))],
            id="event hub by name",
        ),
        pytest.param(
            {"workspaceId": None, "eventHubAuthorizationRuleId": f"{NS}/eventhubs/h/authorizationRules/Send"},
            [("event-hub", normal_id(f"{NS}/eventhubs/h"))],
            id="event hub by the rule's scope",
        ),
        pytest.param(
            {"workspaceId": None, "eventHubAuthorizationRuleId": f"{NS}/authorizationrules/R", "eventHubName": ""},
            [("event-hub", normal_id(NS))],
            id="event hub namespace",
        ),
        pytest.param({"workspaceId": None, "marketplacePartnerId": P}, [("partner", normal_id(P))], id="partner"),
        pytest.param(
            {"storageAccountId": A, "marketplacePartnerId": P},
            [("log-analytics", normal_id(W)), ("partner", normal_id(P)), ("storage", normal_id(A))],
            id="three at once",
        ),
        pytest.param({"workspaceId": {"$unknown": "later"}}, [("log-analytics", "")], id="set, but decided later"),
        pytest.param({"workspaceId": 7}, [], id="a wrong type"),
    ],
)
def test_destinations(properties: dict[str, Any], places: list[tuple[str, str]]) -> None:
    (found,) = read(setting(logs=(on("AuditEvent"),), **properties))
    assert [(d.kind, d.id) for d in found.destinations] == places
    assert found.categories == {"AuditEvent"}


def test_trap_9_categories_are_split_over_settings() -> None:
    found = read(
        setting("b", (on("AzurePolicyEvaluationDetails"),), workspaceId=None, storageAccountId=A),
        setting("a", (on("AuditEvent"),)),
    )
    assert [(s.name, set(s.categories), s.destinations[0].kind) for s in found] == [
        ("a", {"AuditEvent"}, "log-analytics"),
        ("b", {"AzurePolicyEvaluationDetails"}, "storage"),
    ]


KEPT = {"AZKVAuditLogs": 365.0, "AZKVPolicyEvaluationDetailsLogs": 30.0, "AzureDiagnostics": 90.0}


def by_table(kind: str, place: str, part: str | None) -> Destination:
    days = KEPT.get(part or "", 7.0) if kind == "log-analytics" else math.inf
    return Destination(kind=kind, id=normal_id(place), retention_days=days)


def test_categories_kept_for_different_times_are_settings_of_their_own() -> None:
    made = setting(logs=(group("allLogs"),), logAnalyticsDestinationType="Dedicated", storageAccountId=A)
    found = read(made, resolve=by_table)
    assert [(set(s.categories), [d.retention_days for d in s.destinations]) for s in found] == [
        ({"AuditEvent"}, [365, math.inf]),
        ({"AzurePolicyEvaluationDetails"}, [30, math.inf]),
    ]
    assert {(s.id, s.name, s.groups) for s in found} == {(normal_id(ID + "s"), "s", ("allLogs",))}
    assert setting_facts(found, *offers_of(VAULT, LIVE))["settings_count"] == 1


@pytest.mark.parametrize("mode", [None, "", "AzureDiagnostics", 3])
def test_in_the_shared_table_they_are_kept_alike(mode: Any) -> None:
    (found,) = read(setting(logs=(group("allLogs"),), logAnalyticsDestinationType=mode), resolve=by_table)
    assert (set(found.categories), found.destinations[0].retention_days) == (BOTH, 90)


def test_each_category_is_asked_for_where_it_lands() -> None:
    asked: list[tuple[str, str | None]] = []

    def note(kind: str, place: str, part: str | None) -> Destination:
        asked.append((kind, part))
        return known(kind, place, part)

    read(setting(logs=(on("StorageRead"),), storageAccountId=A), resource_type=BLOB, categories=None, resolve=note)
    read(setting(logs=(on("Policy"),), storageAccountId=A), resource_type=SUBSCRIPTION, categories=None, resolve=note)
    read(setting(logs=(on("Unheard"),)), categories=None, resolve=note)
    read(setting(), categories=None, resolve=note)
    assert asked == [
        ("log-analytics", "StorageBlobLogs"),
        ("storage", "insights-logs-storageread"),
        ("log-analytics", "AzureActivity"),
        ("storage", "insights-activity-logs"),
        ("log-analytics", ""),  # the table is not published
        ("log-analytics", None),  # nothing is sent: the place's own answer
    ]


def test_routes() -> None:
    document = listed(
        setting("a", (group("audit"),), logAnalyticsDestinationType="Dedicated", storageAccountId=A),
        setting("b", (group("audit", False),)),
        {"id": ID + "c", "name": "c", "properties": None},
    )
    offers, groups = offers_of(VAULT, LIVE)
    assert list(routes_of(document, VAULT, offers, groups)) == [
        Route(normal_id(ID + "a"), "log-analytics", normal_id(W), "AuditEvent", "AZKVAuditLogs"),
        Route(normal_id(ID + "a"), "storage", normal_id(A), "AuditEvent", "insights-logs-auditevent"),
    ]
    assert list(routes_of({"id": "x", "$unknown": {"reason": "denied"}}, VAULT, offers, groups)) == []


# --- documents that are no list -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "answer"),
    [
        pytest.param(listed(), (), id="an empty list"),
        pytest.param({"id": "x", "$absent": {"status": 404}}, (), id="trap 46: gone"),
        pytest.param({"id": "x", "$unsupported": {"status": 400}}, (), id="trap 14: not supported"),
        pytest.param({"id": "x", "$unknown": {"reason": "denied", "status": 403}}, None, id="trap 20: denied"),
        pytest.param(None, None, id="never read"),
        pytest.param({"id": "x"}, None, id="no value"),
        pytest.param({"id": "x", "value": {"name": "s"}}, None, id="a value that is no list"),
        pytest.param(listed("s"), None, id="a setting that is no object"),
        pytest.param(
            listed(setting(logs=(on("AuditEvent"),)), {"name": "s", "properties": None}), None, id="no content"
        ),
        pytest.param(listed({"name": "s", "properties": {"$unknown": {"reason": "later"}}}), None, id="content later"),
    ],
)
def test_documents(document: Any, answer: tuple[LogSetting, ...] | None) -> None:
    found = settings_of(document, VAULT, *offers_of(VAULT, LIVE), known)
    assert isinstance(found, Unknown) if answer is None else found == answer


def test_a_denied_read_keeps_its_reason() -> None:
    document = {"id": "x", "$unknown": {"reason": "denied", "status": 403, "action": "read it", "grant": "Reader"}}
    found = settings_of(document, VAULT, *offers_of(VAULT, LIVE), known)
    assert isinstance(found, Unknown)
    assert (found.status, found.action, found.grant) == (403, "read it", "Reader")


def test_settings_without_name_or_id_stay_apart() -> None:
    nameless = {"properties": {"workspaceId": W, "logs": [on("AuditEvent")]}}
    found = read(nameless, nameless)
    assert len({s.id for s in found}) == 2


# --- facts ----------------------------------------------------------------------------------------------------------


def facts(*settings: Any, resource_type: str = VAULT, categories: Any = LIVE, resolve: Any = known) -> dict[str, Any]:
    offers, groups = offers_of(resource_type, categories)
    return setting_facts(settings_of(listed(*settings), resource_type, offers, groups, resolve), offers, groups)


def plain(value: Mapping[str, Any]) -> dict[str, Any]:
    return {key: "unknown" if isinstance(v, Unknown) else v for key, v in value.items()}


NONE = {
    "offered": ["AuditEvent", "AzurePolicyEvaluationDetails"],
    "in_scope": True,
    "audit_offered": ["AuditEvent"],
    "exported": [],
    "audit_missing": ["AuditEvent"],
    "settings_count": 0,
    "settings_without_logs": [],
    "sent_twice": [],
}


@pytest.mark.parametrize(
    ("settings", "changes"),
    [
        pytest.param([], {}, id="no setting"),
        pytest.param(
            [setting(logs=(on("AuditEvent"),))],
            {"exported": ["AuditEvent"], "audit_missing": [], "settings_count": 1},
            id="exported",
        ),
        pytest.param(
            [setting(logs=(on("AzurePolicyEvaluationDetails"),))],
            {"exported": ["AzurePolicyEvaluationDetails"], "settings_count": 1},
            id="exported, but no audit evidence",
        ),
        pytest.param(
            [setting("m"), setting("l", (on("AuditEvent", False),))],
            {"settings_count": 2, "settings_without_logs": ["l", "m"]},
            id="trap 6: metrics only",
        ),
        pytest.param(
            [setting(workspaceId="", logs=(on("AuditEvent"),))], {"settings_count": 1}, id="trap 6: no destination"
        ),
        pytest.param([setting(workspaceId=None)], {"settings_count": 1}, id="neither destination nor logs"),
        pytest.param(
            [
                setting("a", (on("AuditEvent"),)),
                setting("b", (on("AzurePolicyEvaluationDetails"),), storageAccountId=A),
            ],
            {
                "exported": ["AuditEvent", "AzurePolicyEvaluationDetails"],
                "audit_missing": [],
                "settings_count": 2,
            },
            id="trap 9: the union over settings",
        ),
    ],
)
def test_facts(settings: list[Any], changes: dict[str, Any]) -> None:
    assert facts(*settings) == {**NONE, **changes}


def place(exists: bool | Unknown) -> Any:
    return lambda kind, place, part: Destination(kind=kind, id=normal_id(place), exists=exists)


def test_trap_21_a_deleted_workspace_receives_nothing() -> None:
    found = facts(setting(logs=(group("allLogs"),)), resolve=place(False))
    assert (found["exported"], found["audit_missing"]) == ([], ["AuditEvent"])


def test_trap_22_a_foreign_workspace_counts() -> None:
    found = facts(setting(logs=(group("allLogs"),)), resolve=place(Unknown(reason="denied")))
    assert found["audit_missing"] == []


def test_unread_settings_make_the_facts_unknown_but_not_what_is_offered() -> None:
    offers, groups = offers_of(VAULT, LIVE)
    found = setting_facts(Unknown(reason="denied"), offers, groups, in_scope=False)
    assert plain(found) == {
        "offered": ["AuditEvent", "AzurePolicyEvaluationDetails"],
        "in_scope": False,
        "audit_offered": ["AuditEvent"],
        "exported": "unknown",
        "audit_missing": "unknown",
        "settings_count": "unknown",
        "settings_without_logs": "unknown",
        "sent_twice": "unknown",
    }


def test_trap_11_what_audit_contains_is_not_guessed() -> None:
    found = plain(facts(setting(logs=(on("StorageRead"),)), resource_type=BLOB, categories=None))
    assert (found["audit_offered"], found["audit_missing"], found["exported"]) == (
        "unknown",
        "unknown",
        ["StorageRead"],
    )
    found = plain(facts(setting(logs=(group("audit"),)), resource_type=BLOB, categories=None))
    assert (found["audit_missing"], found["exported"], found["settings_without_logs"]) == ([], "unknown", "unknown")
    found = plain(facts(setting(logs=(group("allLogs"),)), resource_type=BLOB, categories=None))
    assert (found["audit_missing"], found["exported"]) == ([], ["StorageDelete", "StorageRead", "StorageWrite"])


def test_a_setting_split_by_retention_is_not_empty_in_part() -> None:
    split = facts(
        setting(logs=(group("audit"),), logAnalyticsDestinationType="Dedicated"), categories=None, resolve=by_table
    )
    assert split["settings_without_logs"] == []


# --- Entra ID -------------------------------------------------------------------------------------------------------

ALL_ENTRA = live(*((name, None) for name in categories_of(ENTRA)))


@pytest.mark.parametrize("categories", [None, ALL_ENTRA, {"id": "x", "$unknown": {"reason": "denied"}}])
@pytest.mark.parametrize(
    ("licence", "offered", "perhaps", "neither"),
    [
        ("free", ["AuditLogs"], [], ["SignInLogs", "RiskyUsers", "RiskyServicePrincipals", "NetworkAccessTrafficLogs"]),
        ("p1", ["AuditLogs", "SignInLogs"], ["RiskyServicePrincipals", "NetworkAccessTrafficLogs"], ["RiskyUsers"]),
        ("p2", ["AuditLogs", "SignInLogs", "RiskyUsers"], ["RiskyServicePrincipals"], []),
        (Unknown(reason="403"), ["AuditLogs"], ["SignInLogs", "RiskyUsers", "NetworkAccessTrafficLogs"], []),
    ],
    ids=["trap 42: free", "p1", "p2", "licence unread"],
)
def test_entra_offers(
    categories: Any, licence: Any, offered: list[str], perhaps: list[str], neither: list[str]
) -> None:
    sure, may = entra_offers(categories, licence)
    assert set(offered) <= sure
    assert set(perhaps) <= may
    assert not (sure | may) & set(neither)
    assert not sure & may


def test_trap_45_new_categories_are_perhaps_offered_and_old_ones_go() -> None:
    sure, may = entra_offers(live(("AuditLogs", None), ("BrandNewLogs", None)), "p2")
    assert (sure, may) == ({"AuditLogs"}, {"BrandNewLogs"})


def test_undocumented_categories_count_only_where_the_tenant_lists_them() -> None:
    assert "AzureADGraphActivityLogs" in entra_offers(None, "p1")[1]
    assert "AzureADGraphActivityLogs" in entra_offers(ALL_ENTRA, "p1")[0]


@pytest.mark.parametrize(("held", "where"), [(True, 0), (False, None), (Unknown(reason="403"), 1), (None, 1)])
def test_workload_identities_have_a_licence_of_their_own(held: Any, where: int | None) -> None:
    found = entra_offers(None, "p2", held)
    assert [("RiskyServicePrincipals" in names) for names in found] == [where == 0, where == 1]


def test_the_entra_tenant_answers_that_it_has_none() -> None:
    assert entra_offers(no("$unsupported", 400, "ResourceTypeNotSupported"), "p2") == (frozenset(), frozenset())
    assert entra_offers(no("$absent", 404, "NotFound"), "p2", settings=no("$absent", 404, "NotFound")) == (
        frozenset(),
        frozenset(),
    )


def test_an_entra_tenant_whose_settings_answer_has_what_the_catalog_says() -> None:
    assert entra_offers(no("$absent", 404, "NotFound"), "p1", settings=listed()) == entra_offers(None, "p1")


# --- properties -----------------------------------------------------------------------------------------------------

steady = hypothesis.settings(deadline=None, derandomize=True)  # the same examples on a busy machine
TYPES = sorted(known.name for known in catalog().values() if known.categories)
some_type = st.sampled_from(TYPES)
groups_of_names = st.lists(st.sampled_from(["audit", "allLogs", "other", "AUDIT"]), max_size=3)


@st.composite
def live_lists(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    resource_type = draw(some_type)
    azure = [c for c in categories_of(resource_type) if c != "FlowLog"]
    chosen = draw(st.lists(st.sampled_from(azure), unique=True)) if azure else []
    return resource_type, live(*((name, draw(st.none() | groups_of_names)) for name in chosen))


@steady
@given(live_lists())
def test_all_logs_is_everything_offered_and_audit_is_within_it(case: tuple[str, dict[str, Any]]) -> None:
    resource_type, categories = case
    offers, _ = offers_of(resource_type, categories)
    (every,) = read(setting(logs=(group("allLogs"),)), resource_type=resource_type, categories=categories)
    (audit,) = read(setting(logs=(group("audit"),)), resource_type=resource_type, categories=categories)
    assert every.categories == offers - {"FlowLog"}
    assert every.possible == frozenset()
    assert audit.categories | audit.possible <= every.categories
    assert not audit.categories & audit.possible


@steady
@given(live_lists())
def test_naming_every_category_equals_all_logs(case: tuple[str, dict[str, Any]]) -> None:
    resource_type, categories = case
    offers, _ = offers_of(resource_type, categories)
    spelled = tuple(on(name.upper()) for name in sorted(offers - {"FlowLog"}))
    (by_name,) = read(setting(logs=spelled), resource_type=resource_type, categories=categories)
    (by_group,) = read(setting(logs=(group("allLogs"),)), resource_type=resource_type, categories=categories)
    assert by_name.categories == by_group.categories


@steady
@given(some_type, st.lists(st.sampled_from(["audit", "allLogs"]), max_size=2))
def test_one_more_entry_never_takes_a_category_away(resource_type: str, written: list[str]) -> None:
    offers, groups = offers_of(resource_type, None)

    def reach(entries: list[str]) -> tuple[set[str], set[str]]:
        document = listed(setting(logs=tuple(group(name) for name in entries)))
        found = settings_of(document, resource_type, offers, groups, known)
        assert not isinstance(found, Unknown)
        return enabled(found), enabled(found) | {name for one in found for name in one.possible}

    fewer, more = reach(written[:-1]), reach(written)
    assert fewer[0] <= more[0]
    assert fewer[1] <= more[1]


odd = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 9) | st.sampled_from(["", "true", "audit", "AuditEvent", W, "Logs"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "name",
                    "id",
                    "properties",
                    "logs",
                    "category",
                    "categoryGroup",
                    "categoryGroups",
                    "enabled",
                    "workspaceId",
                    "storageAccountId",
                    "value",
                    "$unknown",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=25,
)


@steady
@given(odd, odd)
def test_no_shape_is_too_odd(settings: Any, categories: Any) -> None:
    offers, groups = offers_of(VAULT, {"id": "x", "value": categories})
    found = settings_of({"id": "x", "value": settings}, VAULT, offers, groups, known)
    made = setting_facts(found, offers, groups)
    assert isinstance(found, Unknown) == isinstance(made["settings_count"], Unknown)

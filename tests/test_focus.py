"""Filters choose subjects, never answers: whatever a filtered scan judges has the status that it has in a whole one."""

from __future__ import annotations

from functools import cache

import pytest
from conftest import AS_OF
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.assemble import assemble
from auditor.documents import ENTRA, SUBSCRIPTION, Collection, Focus, Run, normal_id, type_of
from auditor.errors import AuditorError
from auditor.focus import DESTINATION_TYPES, Sight, checked, focused, is_resource, words_of
from auditor.judge import judge
from auditor.parts import Held, judge_in_parts
from auditor.report import Report
from auditor.rule import load_rules
from auditor.sources.azure.collect import collect_now
from auditor.sources.azure.reads import PARTNER_VERSIONS

S = "aaaaaaaa-0000-4000-8000-000000000001"
VAULTS, SERVERS = "Microsoft.KeyVault/vaults", "Microsoft.Sql/servers"


def place(kind: str, name: str, group: str = "rg-app") -> str:
    return f"/subscriptions/{S}/resourceGroups/{group}/providers/{kind}/{name}"


def res(kind: str, name: str, group: str = "rg-app", **tags: str) -> dict:
    shown = place(kind, name, group)
    return {"id": shown, "type": kind, "name": shown.rpartition("/")[2], "location": "westeurope", "tags": tags}


def sees(focus: Focus, kind: str, shown: str, *documents: dict) -> bool:
    index = {normal_id(document["id"]): document for document in documents}
    return Sight([focus], index).sees(normal_id(shown), kind, index.get(normal_id(shown)))


# --- one filter -----------------------------------------------------------------------------------------------------

VAULT = res(VAULTS, "kv", Env="Prod", owner="soc")


@pytest.mark.parametrize(
    ("focus", "seen"),
    [
        (Focus(), True),
        (Focus(resource_groups=("RG-APP",)), True),
        (Focus(resource_groups=("rg-*",)), True),
        (Focus(resource_groups=("rg-ap",)), False),
        (Focus(resource_groups=("rg-web", "rg-app")), True),
        (Focus(resource_groups=(f"/subscriptions/{S.upper()}/resourcegroups/rg-app",)), True),
        (Focus(resource_groups=("/subscriptions/other/resourceGroups/rg-app",)), False),
        (Focus(exclude_resource_groups=("rg-app",)), False),
        (Focus(exclude_resource_groups=("*-web",)), True),
        (Focus(tags=("env",)), True),
        (Focus(tags=("env=prod",)), True),
        (Focus(tags=("env=p*",)), True),
        (Focus(tags=("env=test",)), False),
        (Focus(tags=("env=test", "owner")), True),
        (Focus(tags=("en",)), False),
        (Focus(exclude_tags=("owner=soc",)), False),
        (Focus(exclude_tags=("owner=",)), True),
        (Focus(types=(VAULTS.upper(),)), True),
        (Focus(types=("microsoft.keyvault/*",)), True),
        (Focus(types=("Microsoft.KeyVault",)), True),
        (Focus(types=("Microsoft.KeyVault/vault",)), False),
        (Focus(exclude_types=("*/vaults",)), False),
        (Focus(types=(VAULTS,), tags=("env=test",)), False),
        (Focus(types=("*",), exclude_types=(SERVERS,)), True),
    ],
)
def test_a_filter_sees(focus: Focus, seen: bool) -> None:
    assert sees(focus, VAULTS, VAULT["id"], VAULT) is seen


def test_all_kinds_of_filters_and_all_that_were_applied_one_after_the_other_must_be_met() -> None:
    index = {normal_id(VAULT["id"]): VAULT}
    both = Sight([Focus(tags=("env",)), Focus(tags=("owner=nobody",))], index)
    assert not both.sees(normal_id(VAULT["id"]), VAULTS, VAULT)


def test_a_type_stands_for_its_parts_too() -> None:
    database = res(f"{SERVERS}/databases", "sql/databases/db")
    shown = place(SERVERS, "sql") + "/databases/db"
    assert sees(Focus(types=(SERVERS,)), f"{SERVERS}/databases", shown, database)
    assert not sees(Focus(types=(SERVERS,), exclude_types=(f"{SERVERS}/databases",)), f"{SERVERS}/databases", shown)


def test_a_part_without_tags_has_those_of_its_whole() -> None:
    server = res(SERVERS, "sql", env="prod")
    shown = f"{server['id']}/databases/db"
    kind = f"{SERVERS}/databases"
    bare, tagged = ({"id": shown, "type": kind, "tags": tags} for tags in (None, {"env": "test"}))
    assert sees(Focus(tags=("env=prod",)), kind, shown, server)
    assert sees(Focus(tags=("env=prod",)), kind, shown, server, bare)
    assert not sees(Focus(tags=("env=prod",)), kind, shown, server, tagged)
    assert not sees(Focus(exclude_tags=("env=prod",)), kind, shown, server, bare)


def test_what_lies_in_no_resource_group_stays_unless_its_type_is_left_out() -> None:
    subscription = {"id": f"/subscriptions/{S}", "type": SUBSCRIPTION}
    for focus in (Focus(resource_groups=("rg-app",)), Focus(tags=("x",)), Focus(exclude_tags=("x",))):
        assert sees(focus, SUBSCRIPTION, subscription["id"], subscription)
        assert sees(focus, ENTRA, f"/providers/{ENTRA}/t")
    assert not sees(Focus(types=(VAULTS,)), SUBSCRIPTION, subscription["id"])
    assert sees(Focus(types=(VAULTS, SUBSCRIPTION)), SUBSCRIPTION, subscription["id"])
    assert not sees(Focus(exclude_types=(ENTRA,)), ENTRA, f"/providers/{ENTRA}/t")


def test_odd_tags_harm_nothing() -> None:
    odd = {**VAULT, "tags": {"a[b": "x]", 7: None}}
    assert sees(Focus(tags=("a[b=x]",)), VAULTS, VAULT["id"], odd)
    assert not sees(Focus(tags=("[z-a]",)), VAULTS, VAULT["id"], {**VAULT, "tags": ["env"]})


@pytest.mark.parametrize(
    "focus", [Focus(tags=("=x",)), Focus(types=("",)), Focus(resource_groups=(" ",)), Focus(exclude_tags=("a\nb",))]
)
def test_a_filter_that_says_nothing_is_refused(focus: Focus) -> None:
    with pytest.raises(AuditorError, match=r"--(exclude-)?(tag|type|resource-group)"):
        checked(focus)


def test_filters_are_told_in_words() -> None:
    focus = Focus(resource_groups=("rg-a", "rg-b"), exclude_tags=("env=test",), types=(VAULTS,))
    assert words_of(focus) == f"resource group rg-a or rg-b; not tag env=test; type {VAULTS}"


def test_every_type_that_logs_can_be_sent_to_is_one_that_makes_all_senders_matter() -> None:
    assert {kind.lower() for kind in PARTNER_VERSIONS} < DESTINATION_TYPES


# --- filters that choose nothing ------------------------------------------------------------------------------------

SMALL = [
    {"id": f"/subscriptions/{S}", "type": SUBSCRIPTION, "displayName": "One", "state": "Enabled"},
    VAULT,
    res(SERVERS, "sql", "rg-data", env="test"),
]


def small(*more: dict) -> Collection:
    return Collection(documents=[*SMALL, *more], run=Run(tenant="t", finished_at="2026-11-22T07:00:00Z"))


@pytest.mark.parametrize(
    ("focus", "message", "hint"),
    [
        (Focus(resource_groups=("rg-app", "rg-dat")), "--resource-group 'rg-dat'", "did you mean rg-data?"),
        (Focus(resource_groups=("zzz",)), "no resource has such a resource group", "there are rg-app, rg-data"),
        (Focus(tags=("env=prd",)), "--tag 'env=prd'", "did you mean Env=Prod?"),
        (Focus(tags=("onwer",)), "--tag 'onwer'", "did you mean owner?"),
        (Focus(types=("Microsoft.KeyVault/vualts",)), "--type", f"did you mean {VAULTS}?"),
        (Focus(types=(SERVERS,), tags=("env=prod",)), "no resource meets all of: tag env=prod; type", "leave a filter"),
        (Focus(exclude_types=("*",)), "no resource meets all of: not type *", "leave a filter"),
    ],
)
def test_a_filter_that_chooses_nothing_is_a_mistake_of_usage(focus: Focus, message: str, hint: str) -> None:
    with pytest.raises(AuditorError) as error:
        focused(small(), focus)
    assert message in error.value.message
    assert hint in error.value.hint
    assert error.value.exit_code == 2


def test_a_filter_by_the_type_of_what_is_not_listed_chooses_something() -> None:
    for kind in (SUBSCRIPTION, ENTRA, f"{SERVERS}/databases"):
        assert focused(small(), Focus(types=(kind,))).run.left_out >= 1


def test_where_not_all_was_listed_a_filter_that_chooses_nothing_is_only_told() -> None:
    gap = {"id": "/subscriptions/x/resources", "type": "Microsoft.Resources/subscriptions/resources",
           "$unknown": {"reason": "refused"}}  # fmt: skip
    told: list[str] = []
    found = focused(small(gap), Focus(resource_groups=("rg-web", "rg-app")), told.append)
    assert found.run.left_out == 1
    assert told == ["--resource-group 'rg-web': no resource has such a resource group among those that could be listed"]
    with pytest.raises(AuditorError, match="rg-web"):
        focused(small(gap), Focus(resource_groups=("rg-web",)))


# --- a whole estate -------------------------------------------------------------------------------------------------


@cache
def rules():
    return load_rules()


def judged(collection: Collection) -> Report:
    return judge(assemble(collection), rules())


def statuses(report: Report) -> dict[tuple[str, str], str]:
    return {(finding.rule, finding.subject.id.lower()): finding.status for finding in report.findings}


PARTS = (
    "Microsoft.Storage/storageAccounts/blobServices",
    "Microsoft.OperationalInsights/workspaces/tables",
    "Microsoft.Network/networkWatchers/flowLogs",
)


def _words(collection: Collection) -> dict[str, list[str]]:
    found = [document for document in collection.documents if is_resource(document)]
    types = {str(document["type"]) for document in found}
    tags = {(k, v) for document in found for k, v in (document.get("tags") or {}).items()}
    groups = {normal_id(document["id"]).split("/")[4] for document in found}
    return {
        "resource_groups": sorted({*groups, *(f"{group[:4]}*" for group in groups)}),
        "tags": sorted({*(k for k, _ in tags), *(f"{k}={v}" for k, v in tags)}) or ["none"],
        "types": sorted({*types, *PARTS, *(kind.partition("/")[0] for kind in types), SUBSCRIPTION, ENTRA, "*"}),
    }


def _some(most: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(0, 9999), max_size=most, unique=True)


# Which of an estate's words each kind of filter names; the last ones leave out.
PICKS = st.tuples(_some(3), _some(2), _some(3), _some(1), _some(1), _some(2))


def _focus(words: dict[str, list[str]], picks: tuple[list[int], ...]) -> Focus:
    fields = [*words, *(f"exclude_{field}" for field in words)]
    chosen = {
        field: tuple(known[n % len(known)] for n in pick)
        for field, pick in zip(fields, picks, strict=True)
        for known in [words[field.removeprefix("exclude_")]]
    }
    return Focus(**chosen)


def check_same_answers(whole: Report, part: Report, collection: Collection) -> None:
    """Each finding that is left has the status that it has in the whole, and exactly what is in focus is left."""
    run = part.run
    sight = Sight(run.focus, {normal_id(document["id"]): document for document in collection.documents})
    listed = {normal_id(document["id"]) for document in collection.documents if is_resource(document)}
    scanned = {s.id for s in whole.subscriptions}
    before, after = statuses(whole), statuses(part)
    assert {key: before.get(key) for key in after} == after
    per = {finding.rule for finding in whole.findings if "×" in finding.subject.type}
    expected = set()
    for finding in whole.findings:
        subject, kind = normal_id(finding.subject.id), finding.subject.type
        if finding.rule in per:
            continue
        place = kind == "Auditor/logDestinations"
        owner = subject.partition("/eventhubs/")[0] if place else subject
        seen = sight.sees(owner, type_of(owner) if place else kind)
        foreign = finding.subject.subscription and finding.subject.subscription not in scanned
        unlisted = foreign or (place and owner not in listed)
        if seen and not (unlisted and run.narrowed):
            expected.add((finding.rule, finding.subject.id.lower()))
    assert {key for key in after if key[0] not in per} == expected


@settings(deadline=None, derandomize=True, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(picks=PICKS)
def test_no_filter_ever_changes_an_answer(collection: Collection, report: Report, picks: tuple[list[int], ...]) -> None:
    try:
        part = judged(focused(collection, _focus(_words(collection), picks)))
    except AuditorError:
        return  # it chose nothing
    check_same_answers(report, part, collection)
    assert part.resource_count + part.run.left_out == report.resource_count


LIVE = {
    "by a part of what logs go to": Focus(types=("Microsoft.Storage/storageAccounts/fileServices",)),
    "by type, which asks for little": Focus(types=("Microsoft.KeyVault",)),
    "by type, with a place that logs go to": Focus(types=("Microsoft.OperationalInsights/workspaces",)),
    "all but some": Focus(exclude_types=tuple(sorted(DESTINATION_TYPES))),
}


@pytest.mark.parametrize("case", LIVE)
def test_a_live_scan_with_filters_judges_as_the_whole_one_filtered(contoso, collection, report, case: str) -> None:
    focus = LIVE[case]
    live = collect_now(contoso.scan_options(focus=focus), clock=lambda: AS_OF)
    part, filtered = judged(live), judged(focused(collection, focus))

    check_same_answers(report, part, collection)
    assert part.findings == filtered.findings
    assert part.coverage == filtered.coverage
    assert part.destinations == filtered.destinations
    assert (live.run.focus, live.run.left_out, live.run.narrowed) == (
        filtered.run.focus, filtered.run.left_out, filtered.run.narrowed
    )  # fmt: skip
    assert live.run.planned == live.run.answered + live.run.not_supported + live.run.unknown
    narrow = "little" in case or "all but" in case
    assert live.run.narrowed is narrow
    assert (live.run.planned < collection.run.planned) is narrow


@pytest.mark.parametrize("case", LIVE)
def test_an_estate_judged_in_parts_obeys_filters_too(collection, case: str) -> None:
    part = focused(collection, LIVE[case])
    whole = judged(part)
    assert judge_in_parts(Held(part), rules, size=1) == whole


def test_a_collection_that_was_filtered_can_be_filtered_again(contoso, collection, report) -> None:
    live = collect_now(contoso.scan_options(focus=Focus(types=("Microsoft.KeyVault",))), clock=lambda: AS_OF)
    assert focused(live, Focus(types=("Microsoft.KeyVault",))) is live
    twice = focused(live, Focus(types=("Microsoft.KeyVault/managedHSMs", "Microsoft.Storage")))
    assert twice.run.narrowed
    part = judged(twice)
    check_same_answers(report, part, collection)
    assert {finding.subject.type for finding in part.findings} == {"Microsoft.KeyVault/managedHSMs"}

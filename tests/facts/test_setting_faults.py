from typing import Any

import pytest

from auditor.facts.setting_faults import retention_facts, sent_twice
from auditor.inventory import Destination, LogSetting, Unknown

W, X, A = "/w/central", "/w/team", "/a/archive"
LATER = Unknown(reason="known after apply")


def to(place: str, kind: str = "log-analytics", exists: Any = True) -> Destination:
    return Destination(kind=kind, id=place, exists=exists)


def sends(name: str, *categories: str, place: Destination = to(W), **more: Any) -> LogSetting:  # noqa: B008
    return LogSetting(id=name, name=name, categories=frozenset(categories), destinations=(place,), **more)


AUDIT = "AuditEvent"
MEETS = "AuditEvent → /w/central"


@pytest.mark.parametrize(
    ("settings", "answer"),
    [
        pytest.param([], [], id="none"),
        pytest.param([sends("a", AUDIT)], [], id="one setting"),
        pytest.param([sends("a", AUDIT), sends("b", AUDIT)], [MEETS], id="the same twice"),
        pytest.param([sends("a", AUDIT), sends("b", AUDIT, place=to(X))], [], id="to different workspaces"),
        pytest.param([sends("a", AUDIT), sends("b", AUDIT, place=to(A, "storage"))], [], id="to another kind"),
        pytest.param([sends("a", AUDIT), sends("b", "Other")], [], id="different categories"),
        pytest.param([sends("a", AUDIT), sends("a", "Other")], [], id="one setting, split by how long it is kept"),
        pytest.param(
            [sends("a", AUDIT, place=to(W, exists=False)), sends("b", AUDIT)],
            [],
            id="a place that is gone costs nothing",
        ),
        pytest.param(
            [sends("a", AUDIT, place=to(W, exists=LATER)), sends("b", AUDIT)],
            [MEETS],
            id="a place that is not readable",
        ),
        pytest.param([sends("a", AUDIT), sends("b", AUDIT, kind="flow-log")], [], id="a flow log is no setting"),
        pytest.param(
            [sends("a", AUDIT), sends("b", possible=frozenset({AUDIT}))],
            "which categories a setting's group contains is not published",
            id="a group that may contain it",
        ),
        pytest.param(
            [sends("a", AUDIT), sends("b", AUDIT, possible=frozenset({AUDIT}))], [MEETS], id="certain beside a group"
        ),
        pytest.param(
            [sends("a", AUDIT), sends("b", AUDIT, place=to("", exists=LATER))], LATER.reason, id="where to comes later"
        ),
        pytest.param(
            [sends("a", AUDIT, place=to("", exists=LATER)), sends("b", AUDIT, place=to("", exists=LATER))],
            LATER.reason,
            id="both come later",
        ),
        pytest.param(
            [sends("a", AUDIT), sends("b", AUDIT, place=to("", "storage", LATER))], [], id="later, but of another kind"
        ),
        pytest.param(
            [sends("a", AUDIT), sends("b", "Other", place=to("", exists=LATER))], [], id="later, but another category"
        ),
    ],
)
def test_what_is_sent_twice(settings: list[LogSetting], answer: list[str] | str) -> None:
    found = sent_twice(settings)
    assert (found.reason if isinstance(found, Unknown) else found) == answer


def log(policy: Any, enabled: Any = True) -> dict[str, Any]:
    return {"category": "A", "enabled": enabled, "retentionPolicy": policy}


@pytest.mark.parametrize(
    ("logs", "answer"),
    [
        pytest.param([log({"enabled": True, "days": 30})], ["s: 30 days"], id="days that are on"),
        pytest.param([log({"enabled": False, "days": 30})], [], id="off"),
        pytest.param([log({"enabled": True, "days": 0})], [], id="for ever"),
        pytest.param([log(None)], [], id="none"),
        pytest.param([log({"enabled": True, "days": 30}, enabled=False)], [], id="of a log that is off"),
        pytest.param(
            [log({"enabled": True, "days": 30}), log({"enabled": True, "days": 365})], ["s: 365 days"], id="the most"
        ),
        pytest.param([log("x"), log({"enabled": "yes", "days": "7"})], [], id="nonsense"),
        pytest.param([log({"enabled": True, "days": {"$unknown": "later"}})], "later", id="days that come later"),
        pytest.param([log({"$unknown": "later"})], "later", id="all of it comes later"),
        pytest.param(
            [log({"$unknown": "later"}), log({"enabled": True, "days": 7})], ["s: 7 days"], id="some come later"
        ),
        pytest.param([], [], id="no logs"),
    ],
)
def test_days_in_a_setting(logs: list[Any], answer: Any) -> None:
    setting = {"name": "s", "properties": {"storageAccountId": A, "logs": logs}}
    found = retention_facts({"value": [setting]})["settings_with_retention"]
    assert (found.reason.rpartition(": ")[2] if isinstance(found, Unknown) else found) == answer


@pytest.mark.parametrize(
    ("properties", "answer"),
    [
        pytest.param({"workspaceId": W}, False, id="a workspace"),
        pytest.param({"storageAccountId": ""}, False, id="an empty id names nothing"),
        pytest.param({"storageAccountId": None}, False, id="null"),
        pytest.param({"storageAccountId": {"$unknown": "later"}}, True, id="an account to come"),
        pytest.param({"storageAccountId": A}, True, id="an account"),
    ],
)
def test_what_is_sent_to_an_account(properties: Any, answer: bool) -> None:
    plain = {"name": "t", "properties": {"workspaceId": W}}
    found = retention_facts({"value": [{"name": "s", "properties": properties}, plain, "x"]})
    assert found == {"sent_to_storage": answer, "settings_with_retention": []}


@pytest.mark.parametrize("document", [None, {"$unknown": {"reason": "HTTP 403"}}])
def test_settings_that_were_not_read_leave_the_days_open(document: Any) -> None:
    assert all(isinstance(answer, Unknown) for answer in retention_facts(document).values())

import math
from typing import Any

import pytest

from auditor.facts.classic import classic_logging, classic_only
from auditor.inventory import Destination, LogSetting, Unknown

ACCOUNT = "/subscriptions/S/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/logs"
ALL = ("StorageRead", "StorageWrite", "StorageDelete")


def document(read: Any = True, write: Any = True, delete: Any = True, retention: Any = None) -> dict[str, Any]:
    policy = {"enabled": False} if retention is None else retention
    logging = {"version": "2.0", "read": read, "write": write, "delete": delete, "retentionPolicy": policy}
    return {"id": "x", "type": "Auditor/storageAnalytics", "properties": {"logging": logging}}


@pytest.mark.parametrize(
    ("doc", "state", "categories"),
    [
        pytest.param(document(), "full", ALL, id="all three"),
        pytest.param(document("true", "TRUE", "True"), "full", ALL, id="flags as text"),
        pytest.param(document(read=False), "partly", ("StorageWrite", "StorageDelete"), id="no reads"),
        pytest.param(document(read="false", write=False), "partly", ("StorageDelete",), id="deletes only"),
        pytest.param(document(False, False, "false"), "off", None, id="all off"),
        pytest.param({"id": "x", "$unsupported": {"status": 400}}, "none", None, id="premium page blobs answer 400"),
        pytest.param({"id": "x", "$absent": {"status": 404}}, "none", None, id="no such endpoint"),
    ],
)
def test_state(doc: dict[str, Any], state: str, categories: tuple[str, ...] | None) -> None:
    classic = classic_logging(doc, ACCOUNT, "blob")
    assert classic.state == state
    assert (classic.setting.categories if classic.setting else None) == (frozenset(categories) if categories else None)


def test_files_have_no_classic_logging() -> None:
    assert classic_logging(None, ACCOUNT, "file").facts() == {"classic": "none", "classic_retention_days": math.inf}


@pytest.mark.parametrize(
    ("policy", "days"),
    [
        pytest.param({"enabled": True, "days": 90}, 90, id="90 days"),
        pytest.param({"enabled": "true", "days": "7"}, 7, id="as text"),
        pytest.param({"enabled": False, "days": 90}, math.inf, id="trap 13: switched off is for ever"),
        pytest.param({"enabled": "false"}, math.inf, id="switched off, as text"),
        pytest.param({"enabled": True, "days": 0}, math.inf, id="trap 13: 0 days is for ever"),
    ],
)
def test_retention_is_the_services_own(policy: dict[str, Any], days: float) -> None:
    classic = classic_logging(document(retention=policy), ACCOUNT, "table")
    assert classic.retention_days == days
    assert classic.setting is not None
    (place,) = classic.setting.destinations
    assert (place.kind, place.id, place.retention_days, place.interactive_days) == ("storage", ACCOUNT.lower(), days, 0)
    assert classic.setting.kind == "storage-analytics"
    assert classic.setting.id == f"{ACCOUNT.lower()}/tableservices/default/storageanalytics"


@pytest.mark.parametrize("policy", [{"enabled": True}, {"enabled": True, "days": "soon"}, {}, "off", {"enabled": None}])
def test_a_policy_that_makes_no_sense_is_unknown(policy: Any) -> None:
    classic = classic_logging(document(retention=policy), ACCOUNT, "blob")
    assert isinstance(classic.retention_days, Unknown)
    assert classic.state == "full"


@pytest.mark.parametrize(
    "doc",
    [
        pytest.param(None, id="never read"),
        pytest.param({"id": "x", "$unknown": {"reason": "firewall", "status": 403}}, id="behind its firewall"),
        pytest.param({"id": "x", "properties": None}, id="no properties"),
        pytest.param({"id": "x", "properties": {"logging": []}}, id="logging of a wrong type"),
        pytest.param(document(read="maybe"), id="a flag that is no truth"),
        pytest.param(document(read=None), id="a flag that is null"),
    ],
)
def test_unread_is_unknown(doc: dict[str, Any] | None) -> None:
    classic = classic_logging(doc, ACCOUNT, "queue")
    assert isinstance(classic.state, Unknown)
    assert isinstance(classic.retention_days, Unknown)
    assert classic.setting is None


def setting(*categories: str, possible: tuple[str, ...] = (), exists: Any = True, places: int = 1) -> LogSetting:
    place = Destination(kind="log-analytics", id="/w", exists=exists)
    return LogSetting(
        id="a", name="a", categories=frozenset(categories), possible=frozenset(possible), destinations=(place,) * places
    )


WHY = Unknown(reason="denied")


@pytest.mark.parametrize(
    ("state", "settings", "answer"),
    [
        pytest.param("full", (), True, id="no setting"),
        pytest.param("partly", (setting(*ALL[:2]),), True, id="Azure Monitor lacks deletes"),
        pytest.param("full", (setting(*ALL),), False, id="both"),
        pytest.param("full", (setting(ALL[0]), setting(*ALL[1:])), False, id="trap 9: over two settings"),
        pytest.param("full", (setting(*ALL, exists=False),), True, id="to a deleted workspace"),
        pytest.param("full", (setting(*ALL, exists=WHY),), False, id="trap 22: to a foreign workspace"),
        pytest.param("full", (setting(*ALL, places=0),), True, id="to nowhere"),
        pytest.param("off", (), False, id="classic is off"),
        pytest.param("none", WHY, False, id="no classic logging at all"),
        pytest.param(WHY, (setting(*ALL),), False, id="classic unread, but exported"),
        pytest.param(WHY, (), None, id="classic unread, nothing exported"),
        pytest.param("full", WHY, None, id="settings unread"),
        pytest.param("full", (setting(possible=ALL),), None, id="a group not spelled out"),
    ],
)
def test_classic_only(state: Any, settings: Any, answer: bool | None) -> None:
    found = classic_only(state, settings)
    assert isinstance(found, Unknown) if answer is None else found is answer


def test_the_classic_setting_itself_is_no_export() -> None:
    classic = classic_logging(document(), ACCOUNT, "blob")
    assert classic.setting is not None
    assert classic_only(classic.state, (classic.setting,)) is True

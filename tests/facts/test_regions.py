from typing import Any

import pytest

from auditor.facts.regions import region_facts
from auditor.inventory import Destination, LogSetting, Unknown

A = "/subscriptions/s/resourcegroups/rg/providers/microsoft.storage/storageaccounts/a"
HUB = "/subscriptions/s/resourcegroups/rg/providers/microsoft.eventhub/namespaces/n/eventhubs/h"
W = "/subscriptions/s/resourcegroups/rg/providers/microsoft.operationalinsights/workspaces/w"
WE = "westeurope"


def to(what: str, place: str, exists: Any = True, **more: Any) -> LogSetting:
    return LogSetting(
        id="s",
        name="s",
        **{"categories": frozenset({"AuditEvent"}), **more},
        destinations=(Destination(kind=what, id=place, exists=exists),),
    )


def told(settings: Any, location: str = WE, **regions: Any) -> Any:
    documents = {
        place: ({"id": place, "location": found} if not isinstance(found, dict) else {"id": place, **found})
        for place, found in ((A, regions.get("a")), (HUB.partition("/eventhubs/")[0], regions.get("n")))
        if found is not None
    }
    facts = region_facts(location, settings, documents)
    found = facts.get("destination_region")
    return found.reason.rpartition(": ")[2] if isinstance(found, Unknown) else (found, facts.get("far_destinations"))


SAME, NOTHING = ("same", []), (None, None)


@pytest.mark.parametrize(
    ("settings", "regions", "answer"),
    [
        pytest.param([to("storage", A)], {"a": "West Europe"}, SAME, id="an account at home"),
        pytest.param([to("storage", A)], {"a": "northeurope"}, ("other", ["a (northeurope)"]), id="an account abroad"),
        pytest.param([to("event-hub", HUB)], {"n": WE}, SAME, id="a hub is where its namespace is"),
        pytest.param([to("event-hub", HUB)], {"n": "uksouth"}, ("other", ["h (uksouth)"]), id="a hub abroad"),
        pytest.param([to("log-analytics", W)], {}, NOTHING, id="a workspace may be anywhere"),
        pytest.param([to("storage", A, exists=False)], {}, NOTHING, id="an account that is gone"),
        pytest.param([to("storage", A, categories=frozenset())], {"a": "uksouth"}, NOTHING, id="no log"),
        pytest.param([to("storage", A, kind="sql-audit")], {"a": "uksouth"}, NOTHING, id="not by a diagnostic setting"),
        pytest.param([to("storage", A)], {}, "not read", id="an account that was not read"),
        pytest.param([to("storage", A)], {"a": {"$unknown": {"reason": "HTTP 403"}}}, "HTTP 403", id="refused"),
        pytest.param([to("storage", A)], {"a": {"location": {"$unknown": "later"}}}, "later", id="a region to come"),
        pytest.param([to("storage", A)], {"a": {}}, "the answer could not be understood", id="no region"),
        pytest.param(
            [to("storage", A), to("event-hub", HUB)], {"n": "uksouth"}, ("other", ["h (uksouth)"]), id="one is certain"
        ),
        pytest.param([to("storage", A), to("event-hub", HUB)], {"n": WE}, "not read", id="the other may be abroad"),
        pytest.param(
            [to("storage", A, categories=frozenset(), possible=frozenset({"X"}))], {"a": WE}, SAME, id="perhaps a log"
        ),
        pytest.param(Unknown(reason="HTTP 403"), {}, "HTTP 403", id="settings that were not read"),
        pytest.param((), {}, NOTHING, id="no setting"),
    ],
)
def test_where_destinations_are(settings: Any, regions: dict[str, Any], answer: Any) -> None:
    assert told(settings if isinstance(settings, Unknown) else tuple(settings), **regions) == answer


@pytest.mark.parametrize("location", ["", "global"])
def test_what_is_in_no_region_may_send_anywhere(location: str) -> None:
    assert told((to("storage", A),), location, a="uksouth") == NOTHING
    assert told(Unknown(reason="HTTP 403"), location) == NOTHING

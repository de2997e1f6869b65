"""Whatever goes wrong, in whichever order: nothing that a scan claims differs from what a scan in peace claims."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

import pytest
from faulty import Faulty, changes, serving, sum_is_intact
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.emulator import Fault
from auditor.errors import IdentityError

# Where faults strike: one kind of request, one subscription, or all.
PLACES = {
    name: re.compile(pattern, re.IGNORECASE)
    for name, pattern in {
        "everything": r".*",
        "settings": r".*/diagnosticsettings",
        "categories": r".*/diagnosticsettingscategories",
        "resource graph": r"/providers/microsoft\.resourcegraph/resources",
        "one subscription": r"/subscriptions/aaaaaaaa-0000-4000-8000-000000000002/.*",
        "the tenant": r"/(tenants|subscriptions|providers/(?!microsoft\.resourcegraph).*|v1\.0/.*)",
        "the data plane": r"/\$storage/.*",
        "flow logs": r".*/flowlogs",
        "where logs go": r".*/workspaces/law/.*|.*/(managementpolicies/default|containers|eventhubs)",
    }.items()
}
ERROR = {"error": {"code": "ServerError", "message": "something broke"}}
REFUSED = {"error": {"code": "AuthorizationFailed", "message": "does not have authorization"}}
KINDS = {
    "denied": Fault(status=403, body=REFUSED),
    "denied in no words": Fault(status=403, body="<html>"),
    "not signed in": Fault(status=401, body={"error": {"code": "ExpiredAuthenticationToken", "message": ""}}),
    "a gateway's 404": Fault(status=404, body="<html>nothing here</html>"),
    "a refusal of no known kind": Fault(status=400, body={"error": {"code": "BadRequest", "message": "no"}}),
    "throttled": Fault(status=429, headers={"Retry-After": "1"}),
    "throttled without a word": Fault(status=429),
    "throttled for a day": Fault(status=429, headers={"Retry-After": "86400"}),
    "500": Fault(status=500, body=ERROR),
    "503": Fault(status=503, headers={"Retry-After": "2"}),
    "redirected": Fault(status=302, headers={"Location": "https://evil.example/"}),
    "reset": Fault(reset=True),
    "closed": Fault(hang_up=True),
    "cut": Fault(truncate=True),
    "half a JSON": Fault(status=200, body='{"value": [{"id": "/subscriptions/'),
    "no list": Fault(status=200, body={"value": None}),
    "a sign-in page": Fault(status=200, body="<html>Sign in to the network</html>"),
    "nothing": Fault(status=200),
    "pages in a circle": Fault(status=200, body={"value": [], "nextLink": "?"}),
    "a page elsewhere": Fault(status=200, body={"value": [], "nextLink": "https://evil.example/x"}),
}
STRIKES = st.tuples(
    st.sampled_from(sorted(PLACES)),
    st.sampled_from(sorted(KINDS)),
    st.sampled_from([5, 30, 100]),  # percent of the requests there
    st.sampled_from([1, 3, 1000]),  # tries that it lasts
    st.integers(0, 2**16),
)


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faulty]:
    with serving(tmp_path_factory.mktemp("faults")) as faulty:
        faulty.calm = faulty.scan()
        yield faulty


@settings(deadline=None, derandomize=True, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(strikes=st.lists(STRIKES, min_size=1, max_size=4))
def test_no_fault_ever_changes_what_is_claimed(azure: Faulty, strikes: list[tuple[str, str, int, int, int]]) -> None:
    def plan(method: str, path: str, nth: int) -> Fault | None:
        for place, kind, share, tries, seed in strikes:
            struck = zlib.crc32(f"{seed} {method} {path}".encode()) % 100 < share
            if nth <= tries and struck and PLACES[place].fullmatch(path):
                return KINDS[kind]
        return None

    try:
        stormy = azure.scan(plan)
    except IdentityError:
        return  # nothing at all could be read, and so nothing is claimed

    assert not changes(azure.calm, stormy)
    assert sum_is_intact(stormy)
    assert stormy.completeness.unknown >= len(stormy.unread)

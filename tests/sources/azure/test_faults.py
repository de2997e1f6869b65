"""A live scan of an Azure that fails: every failure becomes a document, and nothing is invented."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.documents import settings_id
from auditor.errors import AuditorError, IdentityError

EMPTY: dict[str, Any] = {"value": []}


def error(status: int, code: str, message: str = "", **headers: str) -> tuple[int, Any, dict[str, str]]:
    body = {"error": {"code": code, "message": message}}
    return status, body, {key.replace("_", "-"): value for key, value in headers.items()}


def denied(action: str, scope: str) -> tuple[int, Any, dict[str, str]]:
    message = f"The client 'x' does not have authorization to perform action '{action}' over scope '{scope}' or …"
    return error(403, "AuthorizationFailed", message)


SETTINGS_FAULTS = {
    "not permitted": (
        denied("Microsoft.Insights/diagnosticSettings/read", "/the/scope"),
        {"status": 403, "code": "AuthorizationFailed", "scope": "/the/scope"},
        "not permitted: Microsoft.Insights/diagnosticSettings/read",
    ),
    "a deny assignment": (error(403, "DenyAssignmentAuthorizationFailed"), {"status": 403}, "a deny assignment"),
    "sign-in not accepted": (error(401, "ExpiredAuthenticationToken"), {"status": 401}, "sign-in was not accepted"),
    "another tenant": (error(401, "InvalidAuthenticationTokenTenant"), {"status": 401}, "another tenant"),
    "the subscription is gone": (error(404, "SubscriptionNotFound"), {"status": 404}, "another tenant, or"),
    "a 404 that no Azure service sent": ((404, "<html>nothing here"), {"status": 404}, "HTTP 404"),
    "a 403 that no Azure service sent": ((403, "<html>blocked"), {"status": 403}, "not permitted"),
    "throttled for too long": (
        error(429, "TooManyRequests", retry_after="100000"),
        {"status": 429, "code": "TooManyRequests"},
        "asking for 100000 s",
    ),
    "the service is down": (error(503, "ServiceUnavailable"), {"status": 503}, "failed with HTTP 503"),
    "the service is broken": ((500, ""), {"status": 500}, "failed with HTTP 500"),
    "the connection is broken off": ("reset", {}, "broken off"),
    "the body is cut short": ("cut", {}, "cut short"),
    "not JSON": ((200, "<html>Sign in to the network"), {"status": 200}, "not JSON"),
    "empty": ((200, b""), {"status": 200}, "not JSON"),
    "no content": ((204, b""), {"status": 204}, "HTTP 204"),
    "nested too deep": ((200, '{"value":' * 100_000), {"status": 200}, "not JSON"),
    "JSON, but no object": ((200, "[]"), {"status": 200}, "not a JSON object"),
    "no list": ({"value": None}, {}, "not a list"),
    "a list of something else": ({"value": ["a"]}, {}, "not a list"),
    "an answer that looks like one of our marks": ({"$absent": {"status": 404}}, {"status": 200}, "not a JSON object"),
    "a redirect": ((302, "", {"Location": "https://example.org/"}), {"status": 302}, "not followed"),
    "an unknown compression": ((200, b"x", {"Content-Encoding": "br"}), {}, "compressed in an unknown way"),
    "a 400 of an unknown kind": (error(400, "BadRequest", "no"), {"status": 400, "code": "BadRequest"}, "HTTP 400"),
    "an api-version refused": (error(400, "InvalidApiVersionParameter"), {"status": 400}, "HTTP 400"),
}


@pytest.mark.parametrize("case", SETTINGS_FAULTS)
def test_a_failed_read_of_settings_is_unknown(azure, case: str) -> None:
    answer, expected, reason = SETTINGS_FAULTS[case]
    azure.resources(azure.vault())
    azure[settings_id(azure.VAULT)] = answer

    collection = azure.scan(retry_after_cap=1)

    document = azure.one(collection, settings_id(azure.VAULT))
    assert document.keys() == {"id", "type", "$unknown"}
    assert reason in document["$unknown"]["reason"]
    assert expected.items() <= document["$unknown"].items()
    assert azure.one(collection, azure.VAULT)["properties"] == azure.vault()["properties"]  # the run went on


@pytest.mark.parametrize(
    ("answer", "mark"),
    [
        pytest.param(error(400, "ResourceTypeNotSupported"), "$unsupported", id="type without settings"),
        pytest.param(error(404, "ResourceTypeNotFound"), "$unsupported", id="type not known"),
        pytest.param(
            (400, {"code": "BadRequest", "message": "The resource type 'x' does not support diagnostic settings."}),
            "$unsupported",
            id="said in words, error not nested",
        ),
        pytest.param(error(404, "ResourceNotFound"), "$absent", id="deleted since it was listed"),
        pytest.param(error(404, "ResourceGroupNotFound"), "$absent", id="deleted with its group"),
        pytest.param((404, {"code": "ResourceNotFound", "message": ""}), "$absent", id="deleted, error not nested"),
        pytest.param(error(409, "MissingSubscriptionRegistration"), "$absent", id="provider not registered"),
    ],
)
def test_an_answered_no_is_no_failure(azure, answer: Any, mark: str) -> None:
    azure.resources(azure.vault())
    azure[settings_id(azure.VAULT)] = answer

    document = azure.one(azure.scan(), settings_id(azure.VAULT))

    assert document.keys() == {"id", "type", mark}
    assert document[mark]["status"] == answer[0]


def test_passing_faults_are_waited_out(azure) -> None:
    azure.resources(azure.vault())
    throttled = error(429, "TooManyRequests", retry_after="0.05")
    azure[settings_id(azure.VAULT)] = [throttled, throttled, (503, ""), "reset", "cut", EMPTY]

    collection = azure.scan()

    assert azure.one(collection, settings_id(azure.VAULT))["value"] == []
    assert collection.run.throttled == 2


def test_many_throttled_answers_are_borne(azure) -> None:
    azure.resources(azure.vault())
    azure[settings_id(azure.VAULT)] = [*[error(429, "TooManyRequests", retry_after="0.01")] * 8, EMPTY]

    collection = azure.scan()

    assert azure.one(collection, settings_id(azure.VAULT))["value"] == []
    assert collection.run.throttled == 8


def test_a_broken_service_is_not_asked_for_ever(azure) -> None:
    azure.resources(azure.vault())
    azure[settings_id(azure.VAULT)] = (500, "")

    azure.scan()

    assert sum(seen.path == settings_id(azure.VAULT).lower() for seen in azure.seen) == 4


def test_a_wait_that_is_nonsense_is_not_waited_for(azure) -> None:
    azure.resources(azure.vault())
    azure[settings_id(azure.VAULT)] = [error(429, "TooManyRequests", retry_after="tomorrow"), EMPTY]

    assert azure.one(azure.scan(), settings_id(azure.VAULT))["value"] == []


def test_an_answer_that_is_too_large_is_not_read_to_its_end(azure, monkeypatch: pytest.MonkeyPatch) -> None:
    import gzip

    monkeypatch.setattr("auditor.sources.azure.transport.MAX_BODY", 100_000)
    azure.resources(azure.vault())
    azure[settings_id(azure.VAULT)] = (200, gzip.compress(b" " * 10_000_000), {"Content-Encoding": "gzip"})

    document = azure.one(azure.scan(), settings_id(azure.VAULT))

    assert document["$unknown"]["reason"] == "the answer is too large"


def test_a_token_that_has_expired_is_asked_for_anew_once(azure) -> None:
    azure.resources(azure.vault())
    azure[settings_id(azure.VAULT)] = [error(401, "ExpiredAuthenticationToken"), EMPTY]

    collection = azure.scan()

    assert azure.one(collection, settings_id(azure.VAULT))["value"] == []
    tokens = {seen.headers["authorization"] for seen in azure.seen if seen.place == "manager"}
    assert len(tokens) == 2


def test_a_sign_in_that_stays_refused_is_not_tried_for_ever(azure) -> None:
    azure.resources(azure.vault())
    azure[settings_id(azure.VAULT)] = error(401, "ExpiredAuthenticationToken")

    azure.scan()

    assert sum(seen.path == settings_id(azure.VAULT).lower() for seen in azure.seen) == 2


# --- pages ---


def test_pages_are_followed_to_the_end(azure) -> None:
    """Peers' faults, section 3 (10): a second page that nobody asks for."""
    path = f"/subscriptions/{azure.SUB}/providers/Microsoft.KeyVault/deletedVaults"
    azure[path] = lambda seen: (
        {"value": [{"id": "b"}]}
        if seen.query.get("page") == "2"
        else {"value": [{"id": "a"}], "nextLink": f"{{manager}}{path}?page=2&api-version=2022-07-01"}
    )

    assert azure.one(azure.scan(), path)["value"] == [{"id": "a"}, {"id": "b"}]


@pytest.mark.parametrize(
    ("link", "reason"),
    [
        ("https://evil.example/subscriptions", "on another host (evil.example)"),
        ("{graph}/subscriptions", "on another host"),  # the same host, another port
        ("http://127.0.0.1/subscriptions", "on another host"),
        ("//evil.example/x", "on another host (evil.example)"),
        ("https://127.0.0.1:bad/x", "on another host"),
        ("https://management.azure.com@evil.example/x", "on another host (evil.example)"),
        ({"url": "x"}, "not one"),
        ("?api-version=2022-07-01", "do not end"),
    ],
)
def test_a_link_that_leads_astray_is_not_followed(azure, link: Any, reason: str) -> None:
    path = f"/subscriptions/{azure.SUB}/providers/Microsoft.KeyVault/deletedVaults"
    azure[path] = {"value": [{"id": "a"}], "nextLink": link}

    document = azure.one(azure.scan(), path)

    assert "value" not in document, "part of a list must not look like the list"
    assert reason in document["$unknown"]["reason"]
    assert all(seen.path != "/x" for seen in azure.seen)


def test_pages_without_end_are_given_up(azure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditor.sources.azure.pages.MAX_PAGES", 5)
    path = f"/subscriptions/{azure.SUB}/providers/Microsoft.KeyVault/deletedVaults"
    azure[path] = lambda seen: {
        "value": [],
        "nextLink": f"{{manager}}{path}?n={int(seen.query.get('n', 0)) + 1}",
    }

    document = azure.one(azure.scan(), path)

    assert "do not end" in document["$unknown"]["reason"]
    assert sum(seen.path == path.lower() for seen in azure.seen) == 5


def test_a_failed_later_page_makes_the_list_unknown(azure) -> None:
    path = f"/subscriptions/{azure.SUB}/providers/Microsoft.KeyVault/deletedVaults"
    azure[path] = [{"value": [{"id": "a"}], "nextLink": f"{{manager}}{path}?page=2"}, (403, "")]

    document = azure.one(azure.scan(), path)

    assert document["$unknown"]["status"] == 403


# --- nothing at all ---


def test_nothing_readable_is_no_report(azure) -> None:
    azure["/subscriptions"] = EMPTY

    with pytest.raises(
        IdentityError, match=f"nothing could be read as auditor .{azure.APP}.: .* no subscription"
    ) as got:
        azure.scan()

    assert "az role assignment create" in got.value.hint


def test_an_azure_out_of_reach_is_not_a_matter_of_roles(azure) -> None:
    azure["/subscriptions"] = "reset"

    with pytest.raises(IdentityError, match="the connection was broken off") as got:
        azure.scan()

    assert "check the network" in got.value.hint
    assert "role assignment" not in got.value.hint


def test_a_tenant_without_subscriptions_can_be_scanned(azure) -> None:
    azure["/subscriptions"] = EMPTY
    azure["/providers/microsoft.aadiam/diagnosticSettings"] = EMPTY

    collection = azure.scan()

    assert azure.one(collection, "/providers/microsoft.aadiam/diagnosticSettings")["value"] == []


def test_an_unreachable_azure_says_why(azure) -> None:
    azure["/subscriptions"] = "reset"

    with pytest.raises(IdentityError, match="the connection was broken off"):
        azure.scan(subscriptions=("Production",))


def test_a_certificate_that_is_not_trusted_ends_the_run_with_a_hint(azure, monkeypatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)

    with pytest.raises(IdentityError, match="certificate") as got:
        azure.scan(ca_file=None)

    assert "SSL_CERT_FILE" in got.value.hint


def test_ssl_cert_file_is_looked_at_when_the_scan_starts(azure, monkeypatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(azure.ca_file))

    assert azure.scan(ca_file=None).documents


def test_a_ca_file_that_is_missing_is_a_mistake_of_usage(azure) -> None:
    with pytest.raises(AuditorError, match=r"no-such-file\.pem"):
        azure.scan(ca_file="no-such-file.pem")

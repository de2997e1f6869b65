"""Classic Storage Analytics logging, read from the storage services themselves."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.documents import classic_services, storage_analytics_id
from auditor.sources.azure.classic import BadProperties, parse_logging

REAL = """\ufeff<?xml version="1.0" encoding="utf-8"?><StorageServiceProperties><Logging><Version>2.0</Version>\
<Read>true</Read><Write>true</Write><Delete>false</Delete><RetentionPolicy><Enabled>true</Enabled><Days>30</Days>\
</RetentionPolicy></Logging><HourMetrics><Version>1.0</Version><Enabled>false</Enabled></HourMetrics>\
</StorageServiceProperties>"""
LOGGING = {
    "version": "2.0",
    "read": True,
    "write": True,
    "delete": False,
    "retentionPolicy": {"enabled": True, "days": 30},
}


def test_the_logging_of_a_service_is_read(azure) -> None:
    azure.resources(azure.account())
    azure["/stone/blob/"] = lambda seen: (
        (200, REAL) if seen.query == {"restype": "service", "comp": "properties"} else (400, "")
    )

    document = azure.one(azure.scan(), storage_analytics_id(azure.ACCOUNT, "blob"))

    assert document["properties"] == {"logging": LOGGING}
    (request,) = [seen for seen in azure.seen if seen.place == "storage"]
    assert request.headers["x-ms-version"] == "2021-12-02"
    assert request.headers["x-ms-date"].endswith("GMT")


@pytest.mark.parametrize(
    ("xml", "logging"),
    [
        pytest.param(REAL, LOGGING, id="all of it"),
        pytest.param(
            "<StorageServiceProperties><Logging><Version>1.0</Version><Read>false</Read><Write>false</Write>"
            "<Delete>false</Delete><RetentionPolicy><Enabled>false</Enabled></RetentionPolicy></Logging>"
            "</StorageServiceProperties>",
            {"version": "1.0", "read": False, "write": False, "delete": False, "retentionPolicy": {"enabled": False}},
            id="all off",
        ),
        pytest.param(
            "<StorageServiceProperties>\n <Logging>\n  <Version>1.0</Version><Read> true </Read><Write>TRUE</Write>"
            "<Delete>true</Delete><!-- c --><RetentionPolicy><Enabled>false</Enabled></RetentionPolicy></Logging>"
            "</StorageServiceProperties>",
            {"version": "1.0", "read": True, "write": True, "delete": True, "retentionPolicy": {"enabled": False}},
            id="spaces and comments",
        ),
    ],
)
def test_service_properties(xml: str, logging: dict[str, Any]) -> None:
    assert parse_logging(xml.encode()) == logging


BOMB = (
    '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><StorageServiceProperties>&b;</StorageServiceProperties>'
)


@pytest.mark.parametrize(
    ("xml", "reason"),
    [
        pytest.param(BOMB.encode(), "document type", id="entities"),
        pytest.param(BOMB.encode("utf-16"), "document type", id="entities in UTF-16"),
        pytest.param(b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>', "document type", id="a file"),
        pytest.param(b"", "not XML", id="empty"),
        pytest.param(b"{}", "not XML", id="JSON"),
        pytest.param(b"<a><b></a>", "not XML", id="broken"),
        pytest.param(REAL.encode()[:200], "not XML", id="cut short"),
        pytest.param(b'<?xml version="1.0" encoding="ebcdic-x"?><a/>', "not XML", id="unknown encoding"),
        pytest.param(b"<html/>", "nothing about logging", id="something else"),
        pytest.param(b"<a><StorageServiceProperties><Logging/></StorageServiceProperties></a>", "nothing", id="inside"),
        pytest.param(b"<a>" * 50 + b"</a>" * 50, "too deep", id="deep"),
        pytest.param(b" " * (2**20 + 1), "too large", id="large"),
        pytest.param(REAL.replace("<Read>true", "<Read>maybe").encode(), "whether Read is on", id="neither on nor off"),
        pytest.param(REAL.replace("<Delete>false</Delete>", "").encode(), "whether Delete is on", id="incomplete"),
        pytest.param(REAL.replace("30", "-1").encode(), "not a number", id="odd days"),
    ],
)
def test_service_properties_that_are_none(xml: bytes, reason: str) -> None:
    with pytest.raises(BadProperties, match=reason):
        parse_logging(xml)


def storage_error(status: int, code: str, message: str = "") -> tuple[int, Any, dict[str, str]]:
    body = f'\ufeff<?xml version="1.0"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return status, body, {"x-ms-error-code": code}


CLOSED = {"networkAcls": {"defaultAction": "Deny"}}


@pytest.mark.parametrize(
    ("answer", "properties", "mark", "expected"),
    [
        (storage_error(403, "AuthorizationFailure"), CLOSED, "$unknown", "firewall"),
        (storage_error(403, "AuthorizationFailure"), {"publicNetworkAccess": "Disabled"}, "$unknown", "firewall"),
        (storage_error(403, "AuthorizationFailure"), {"publicNetworkAccess": "Enabled"}, "$unknown", "not permitted"),
        (storage_error(403, "Forbidden", "not allowed using this network"), {}, "$unknown", "firewall"),
        (storage_error(403, "AuthorizationPermissionMismatch"), CLOSED, "$unknown", "blobServices/read"),
        (storage_error(401, "InvalidAuthenticationInfo"), {}, "$unknown", "sign-in was not accepted"),
        (storage_error(400, "InvalidQueryParameterValue"), {}, "$unsupported", ""),
        (storage_error(400, "FeatureNotSupportedForAccount"), {}, "$unsupported", ""),
        (storage_error(400, "InvalidHeaderValue"), {}, "$unknown", "InvalidHeaderValue"),
        (storage_error(404, "ResourceNotFound"), {}, "$unknown", "HTTP 404"),
        ((409, "{}"), {}, "$unknown", "HTTP 409"),
        ((200, "<html>"), {}, "$unknown", "not XML"),
        ("reset", {}, "$unknown", "broken off"),
    ],
)
def test_a_service_that_does_not_tell(azure, answer: Any, properties: dict, mark: str, expected: str) -> None:
    azure.resources(azure.account(**properties))
    azure["/stone/blob/"] = answer

    document = azure.one(azure.scan(), storage_analytics_id(azure.ACCOUNT, "blob"))

    assert document.keys() == {"id", "type", mark}
    assert expected in document[mark].get("reason", "")
    if expected == "blobServices/read":
        assert document[mark]["grant"].endswith(f"--role Reader --scope /subscriptions/{azure.SUB}")


@pytest.mark.parametrize(
    ("endpoint", "reason"),
    [
        ("https://stone.blob.example.org/", "no token was sent"),
        ("http://stone.blob.core.windows.net/", "no token was sent"),
        ("https://stone.blob.core.windows.net.evil.example/", "no token was sent"),
        ("https://nothing.invalid:port/", "no token was sent"),
        (7, "does not say where"),
    ],
)
def test_no_token_goes_to_an_address_that_is_no_storage(azure, endpoint: Any, reason: str) -> None:
    azure.resources(azure.account(primaryEndpoints={"blob": endpoint}))

    document = azure.one(azure.scan(), storage_analytics_id(azure.ACCOUNT, "blob"))

    assert reason in document["$unknown"]["reason"]
    assert "storage" not in {seen.place for seen in azure.seen}


def test_a_name_that_does_not_resolve_is_told(azure) -> None:
    azure.resources(azure.account(primaryEndpoints={"blob": "https://no-such-host.localhost.invalid/"}))
    azure.storage_domains = ("localhost.invalid",)

    document = azure.one(azure.scan(), storage_analytics_id(azure.ACCOUNT, "blob"))

    assert "does not resolve" in document["$unknown"]["reason"]


ALL = {"blob": "x", "queue": "x", "table": "x", "file": "x"}


@pytest.mark.parametrize(
    ("kind", "sku", "endpoints", "services"),
    [
        ("StorageV2", "Standard_LRS", ALL, ["blob", "queue", "table"]),
        ("Storage", "Standard_LRS", ALL, ["blob", "queue", "table"]),
        ("StorageV2", "Standard_LRS", {"blob": "x"}, ["blob"]),
        ("BlobStorage", "Standard_LRS", {"blob": "x", "table": "x"}, ["blob"]),
        ("BlockBlobStorage", "Premium_LRS", {"blob": "x"}, ["blob"]),
        ("FileStorage", "Premium_LRS", {"file": "x"}, []),
        ("StorageV2", "Premium_LRS", {"blob": "x"}, []),
        ("Storage", "Premium_LRS", {"blob": "x"}, []),
    ],
)
def test_only_services_that_have_classic_logging_are_asked(kind, sku, endpoints, services) -> None:
    account = {"kind": kind, "sku": {"name": sku}, "properties": {"primaryEndpoints": endpoints}}

    assert list(classic_services(account)) == services

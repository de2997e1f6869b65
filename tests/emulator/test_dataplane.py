"""Classic storage logging, read from the data plane as Azure gives it."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

import pytest

PROPERTIES = "?restype=service&comp=properties"


def read(client: Any, target: str, **headers: str) -> Any:
    token = client.token("https://storage.azure.com")
    return client.send(
        "GET", target, headers={"Authorization": f"Bearer {token}", "x-ms-version": "2021-12-02", **headers}
    )


def logging_of(answer: Any) -> dict[str, str | None]:
    logging = ET.fromstring(answer.raw).find("Logging")
    assert logging is not None
    return {element.tag: element.text for element in logging.iter() if not len(element)}


@pytest.mark.parametrize(
    ("target", "host"),
    [
        ("/$storage/stone/blob/", None),
        ("/%24storage/Stone/blob/", None),
        ("/", "stone.blob.core.windows.net"),
        ("/", "stone.blob.core.windows.net:443"),
    ],
    ids=["by-path", "quoted", "by-host", "by-host-and-port"],
)
def test_logging_as_the_estate_says(client: Any, target: str, host: str | None) -> None:
    answer = read(client, target + PROPERTIES, **({"Host": host} if host else {}))
    assert (answer.status, answer.headers["Content-Type"].split(";")[0]) == (200, "application/xml")
    assert answer.raw.startswith(b"\xef\xbb\xbf<?xml"), "Azure starts with a byte order mark"
    assert logging_of(answer) == {
        "Version": "2.0", "Read": "true", "Write": "true", "Delete": "false", "Enabled": "true", "Days": "30",
    }  # fmt: skip


def test_logging_is_off_where_nothing_is_said(client: Any) -> None:
    assert logging_of(read(client, f"/$storage/stone/table/{PROPERTIES}")) == {
        "Version": "1.0", "Read": "false", "Write": "false", "Delete": "false", "Enabled": "false",
    }  # fmt: skip


def test_files_have_no_classic_logging(client: Any) -> None:
    answer = read(client, f"/$storage/stone/file/{PROPERTIES}")
    assert answer.status == 200
    assert ET.fromstring(answer.raw).find("Logging") is None


@pytest.mark.parametrize(
    ("target", "headers", "status", "code"),
    [
        pytest.param(f"/$storage/stone/queue/{PROPERTIES}", {}, 403, "AuthorizationFailure", id="told-unreadable"),
        pytest.param(f"/$storage/nobody/blob/{PROPERTIES}", {}, 404, "ResourceNotFound", id="unknown-account"),
        pytest.param("/$storage/stone/blob/?comp=list", {}, 403, "AuthorizationPermissionMismatch", id="containers"),
        pytest.param(f"/$storage/stone/blob/$logs{PROPERTIES}", {}, 403, "AuthorizationPermissionMismatch", id="blob"),
        pytest.param(
            f"/$storage/stone/blob/{PROPERTIES}", {"x-ms-version": "2015-04-05"}, 403, "AuthenticationFailed", id="old"
        ),
        pytest.param(
            f"/$storage/stone/table/{PROPERTIES}", {"x-ms-version": "2019-12-12"}, 403, "AuthenticationFailed",
            id="old-for-tables",
        ),
        pytest.param(
            f"/$storage/stone/blob/{PROPERTIES}", {"x-ms-version": ""}, 400, "MissingRequiredHeader", id="no-version"
        ),
        pytest.param(
            f"/$storage/stone/blob/{PROPERTIES}", {"Authorization": ""}, 401, "NoAuthenticationInformation", id="no-token"
        ),
        pytest.param(
            f"/$storage/stone/blob/{PROPERTIES}", {"Authorization": "Bearer x"}, 401, "InvalidAuthenticationInfo",
            id="bad-token",
        ),
    ],
)  # fmt: skip
def test_refusals(client: Any, target: str, headers: dict[str, str], status: int, code: str) -> None:
    answer = read(client, target, **headers)
    assert (answer.status, answer.headers["x-ms-error-code"]) == (status, code)
    assert ET.fromstring(answer.raw).findtext("Code") == code


@pytest.mark.parametrize(
    ("kind", "sku", "service", "status"),
    [
        ("BlockBlobStorage", "Premium_LRS", "blob", 200),
        ("BlockBlobStorage", "Premium_LRS", "queue", 404),
        ("FileStorage", "Premium_LRS", "file", 200),
        ("FileStorage", "Premium_LRS", "blob", 404),
        pytest.param("StorageV2", "Premium_LRS", "blob", 400, id="premium-page-blobs"),
        ("Storage", "Standard_GRS", "table", 200),
    ],
)
def test_services_by_kind_of_account(
    serving: Any, at: dict[str, str], kind: str, sku: str, service: str, status: int
) -> None:
    client = serving(
        [
            {"id": f"/subscriptions/{at['OPEN']}", "type": "Microsoft.Resources/subscriptions"},
            {
                "id": at["ACCOUNT"],
                "type": "microsoft.storage/storageaccounts",
                "kind": kind,
                "sku": {"name": sku},
                "properties": {},
            },
        ]
    )
    assert read(client, f"/$storage/stone/{service}/{PROPERTIES}").status == status

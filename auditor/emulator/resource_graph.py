"""Azure Resource Graph: the estate as tables, and a query over them answered as the service answers it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from auditor.documents import (
    MANAGEMENT_GROUP,
    SUBSCRIPTION,
    Document,
    marker,
    name_of,
    normal_id,
    resource_group_of,
    subscription_of,
)
from auditor.emulator.answers import Answer, error, marked, ok
from auditor.emulator.estate import Estate, kind_of
from auditor.emulator.graph_query import QueryError, Row, Table, run_query
from auditor.emulator.lists import decode_token, encode_token, with_endpoints
from auditor.emulator.management_groups import ancestors

PATH: Final = "/providers/microsoft.resourcegraph/resources"
COLUMNS: Final = (
    *("id", "name", "type", "tenantId", "kind", "location", "resourceGroup", "subscriptionId", "managedBy", "sku"),
    *("plan", "properties", "tags", "identity", "zones", "extendedLocation"),
)
_EMPTY_TEXT: Final = ("kind", "location", "managedBy")  # the service writes "" there, and null in the others
_QUOTA: Final = {"x-ms-user-quota-remaining": "14", "x-ms-user-quota-resets-after": "00:00:05"}
_MOST_ROWS: Final = 1000


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a Resource Graph request."""

    query: str
    subscriptions: list[str] | None = None
    management_groups: list[str] | None = msgspec.field(default=None, name="managementGroups")
    options: dict[str, Any] | None = None


def graph_answer(estate: Estate, body: bytes, query: Mapping[str, str], host: str) -> Answer:
    """The answer to a query; rows of subscriptions that may not be read are left out without a word."""
    if not query.get("api-version"):
        return error(
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    refusal = estate.by_id.get(PATH)
    if refusal is not None and marker(refusal) is not None:
        return marked(estate, refusal, "/providers/Microsoft.ResourceGraph/resources")
    try:
        question = msgspec.json.decode(body, type=Question)
        start, size = _window(question.options or {}, estate.page_size)
    except (msgspec.DecodeError, ValueError, RecursionError) as problem:
        return _bad("InvalidPayload", f"The request body is not valid: {problem}")
    scope = _scope(estate, question)
    if not scope and (question.subscriptions is not None or question.management_groups is not None):
        return _bad(
            "NoValidSubscriptionsInQueryRequest",
            "There must be at least one subscription that is eligible to contain resources.",
        )
    try:
        table = run_query(question.query, _tables(estate, scope, host))
    except QueryError as problem:
        return _bad("InvalidQuery", f"Query is invalid: {problem}")
    return ok(_shown(table, start, size, str((question.options or {}).get("resultFormat") or "objectArray")), _QUOTA)


def _bad(code: str, message: str) -> Answer:
    return error(400, "BadRequest", message, details=[{"code": code, "message": message}], headers=_QUOTA)


def _window(options: Mapping[str, Any], page_size: int) -> tuple[int, int]:
    numbers = {}
    for key, default, least in (("$top", _MOST_ROWS, 1), ("$skip", 0, 0)):
        value = options.get(key)
        value = default if value is None else value
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= 1_000_000:
            raise ValueError(f"{key} is {value!r}")
        numbers[key] = value
    token = options.get("$skipToken")
    start = decode_token(token) if isinstance(token, str) and token else numbers["$skip"]
    # The service may give fewer rows than were asked for, so the estate's page size holds here as well.
    return start, min(numbers["$top"], _MOST_ROWS, page_size)


def _scope(estate: Estate, question: Question) -> set[str]:
    """Ids of the subscriptions that are asked about and readable."""
    readable = set(estate.subscriptions) - estate.denied
    if question.subscriptions is not None:
        return readable & {s.lower() for s in question.subscriptions}
    if question.management_groups is not None:
        asked = {name_of(group).lower() for group in question.management_groups}
        if estate.tenant.id.lower() in asked:  # the root group has the tenant's id
            return readable
        return {s for s in readable if asked & {name.lower() for name in ancestors(estate.subscriptions[s])}}
    return readable


def _tables(estate: Estate, scope: set[str], host: str) -> dict[str, Table]:
    resources = [_row(estate, with_endpoints(d, host)) for d in estate.resources if subscription_of(d["id"]) in scope]
    groups = [
        {**_row(estate, d), "type": "microsoft.resources/subscriptions/resourcegroups"}
        for key, d in sorted(estate.resource_groups.items())
        if subscription_of(key) in scope
    ]
    subscriptions = [_subscription_row(estate, d) for s, d in sorted(estate.subscriptions.items()) if s in scope]
    above = [_row(estate, d) for d in estate.by_type.get(MANAGEMENT_GROUP.lower(), ())]
    return {
        "resources": Table(columns=list(COLUMNS), rows=resources),
        "resourcecontainers": Table(columns=list(COLUMNS), rows=[*above, *groups, *subscriptions]),
    }


def _row(estate: Estate, document: Document) -> dict[str, Any]:
    row: dict[str, Any] = {column: document.get(column) for column in COLUMNS}
    for column in _EMPTY_TEXT:
        row[column] = row[column] or ""
    row["type"] = kind_of(document).lower()
    row["name"] = document.get("name") or name_of(document["id"])
    row["subscriptionId"] = subscription_of(document["id"])
    row["resourceGroup"] = resource_group_of(document["id"]).lower()
    row["tenantId"] = estate.tenant.id
    return row


def _subscription_row(estate: Estate, document: Document) -> dict[str, Any]:
    inner = document.get("properties")
    properties = dict(inner) if isinstance(inner, dict) else {}
    for key in ("state", "subscriptionPolicies", "managedByTenants", "managementGroupAncestorsChain"):
        if key in document:
            properties.setdefault(key, document[key])
    properties.setdefault("state", "Enabled")
    shown = document.get("displayName") or properties.pop("displayName", None) or document.get("name")
    row = _row(estate, {**document, "name": shown, "properties": properties})
    return {**row, "id": normal_id(document["id"]), "type": SUBSCRIPTION.lower()}


def _shown(table: Table, start: int, size: int, result_format: str) -> dict[str, Any]:
    rows = table.rows[start : start + size]
    more = start + len(rows) < len(table.rows)
    # Without a column that tells rows apart, or after `take`, the service cannot go on: it says so and gives no token.
    pages = more and "id" in table.columns and not table.taken
    answer: dict[str, Any] = {
        "totalRecords": len(table.rows),
        "count": len(rows),
        "data": _as_table(table, rows) if result_format.lower() == "table" else rows,
        "facets": [],
        "resultTruncated": "true" if more and not pages else "false",
    }
    if pages:
        answer["$skipToken"] = encode_token(start + len(rows))
    return answer


def _as_table(table: Table, rows: Any) -> dict[str, Any]:
    def kind(column: str) -> str:
        values: list[Row] = [row.get(column) for row in rows]
        if any(isinstance(value, dict | list) for value in values):
            return "object"
        return "integer" if values and all(isinstance(value, int) for value in values) else "string"

    return {
        "columns": [{"name": column, "type": kind(column)} for column in table.columns],
        "rows": [[row.get(column) for column in table.columns] for row in rows],
    }

"""Which azurerm resource is which ARM resource, and how its attributes become the fields that rules read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from auditor.sources.terraform import (
    compute_fields,
    data_fields,
    edge_fields,
    network_fields,
    plain_types,
    sql_fields,
    store_fields,
    watch_fields,
    web_fields,
)
from auditor.sources.terraform.shape import Row

AZAPI: Final = "azapi_resource"

ROWS: Final[Mapping[str, Row]] = {
    **plain_types.ROWS,
    **store_fields.ROWS,
    **network_fields.ROWS,
    **edge_fields.ROWS,
    **sql_fields.ROWS,
    **data_fields.ROWS,
    **compute_fields.ROWS,
    **web_fields.ROWS,
    **watch_fields.ROWS,
}
# Rows whose resources are looked up by their ids, and are no documents.
HIDDEN: Final = frozenset({"azurerm_eventhub_namespace_authorization_rule"})

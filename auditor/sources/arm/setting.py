"""The properties of one diagnostic setting of a template, as Azure would give them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from auditor.sources.arm.render import rendered, why
from auditor.sources.arm.values import Sym, Value, may_be_nothing, words_of
from auditor.sources.declared import doubtful

_PLACES: Final = (
    *("workspaceId", "storageAccountId", "eventHubAuthorizationRuleId", "marketplacePartnerId", "serviceBusRuleId"),
)
_KEYS: Final = {
    key.lower(): key
    for key in (
        *_PLACES,
        *("logs", "metrics", "eventHubName", "logAnalyticsDestinationType"),
        *("category", "categoryGroup", "enabled", "retentionPolicy", "days", "timeGrain"),
    )
}


def written_in(properties: Mapping[str, Value], address: str) -> dict[str, Any]:
    """The properties of a setting. Where it may be that it names no destination, its logs are not known to be on."""
    given = {_KEYS.get(key.lower(), key): value for key, value in properties.items() if value is not None}
    written = {"logs": [], **{key: rendered(_spelled(value)) for key, value in given.items()}}
    places = [given[key] for key in _PLACES if key in given]
    perhaps = [place for place in places if isinstance(place, Sym) and may_be_nothing(place)]
    if perhaps and all(not place or place in perhaps for place in places):
        words = words_of(perhaps[0])
        written["logs"] = doubtful(written["logs"], why(f"{address} may name no destination: {words}", perhaps[0]))
    return written


def _spelled(value: Value) -> Value:
    """The same with the keys of settings in Azure's own spelling; there, case does not matter."""
    if isinstance(value, Mapping):
        return {_KEYS.get(key.lower(), key): _spelled(inner) for key, inner in value.items()}
    return [_spelled(inner) for inner in value] if isinstance(value, list) else value

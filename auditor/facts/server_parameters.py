"""What do the parameters of a PostgreSQL or MySQL flexible server let it write to its log?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from auditor.documents import MYSQL_PARAMETERS, POSTGRESQL_PARAMETERS, Document, marker, name_of
from auditor.facts.look import Look
from auditor.facts.shapes import entries, mapping, text
from auditor.facts.unread import unclear, undecided, unread
from auditor.inventory import Unknown

_WHAT: Final = "the server's parameters"
# CIS asks for these; the service itself switches them on for new servers.
_POSTGRESQL: Final = ("log_checkpoints", "log_connections", "log_disconnections")
# What the service sets where nobody declares anything else.
_DEFAULTS: Final[Mapping[str, str]] = {
    **dict.fromkeys(_POSTGRESQL, "on"),
    "shared_preload_libraries": "",
    "pgaudit.log": "none",
    "audit_log_enabled": "OFF",
    "audit_log_events": "CONNECTION",
}
Value = str | Unknown


def postgresql_facts(server: str, document: Document, look: Look) -> dict[str, Any]:
    """Which logging parameters are off, and whether the audit extension is loaded and told what to record.

    Whether the extension was created in each database cannot be seen from outside.
    """
    values = _values(server, look)
    return {
        "parameters_off": _off({name: _on(_value(values, name, look)) for name in _POSTGRESQL}),
        "pgaudit_loaded": _holds(_value(values, "shared_preload_libraries", look), "pgaudit"),
        "pgaudit_log": _value(values, "pgaudit.log", look),
        "pgaudit_records": _records(_value(values, "pgaudit.log", look)),
    }


def mysql_facts(server: str, document: Document, look: Look) -> dict[str, Any]:
    """Which parameters keep connections out of the audit log: it is off, or records other events only."""
    values = _values(server, look)
    events = _value(values, "audit_log_events", look)
    connections = events if isinstance(events, Unknown) else bool(_words(events) & {"connection", "connection_v2"})
    return {
        "parameters_off": _off(
            {"audit_log_enabled": _on(_value(values, "audit_log_enabled", look)), "audit_log_events": connections}
        )
    }


def _values(server: str, look: Look) -> Mapping[str, Any] | Unknown:
    """The server's parameters by lower-case name, from their list or, where they are declared, one by one."""
    document = look.get(f"{server}/configurations")
    if document is None and look.declared:
        below = f"{server}/configurations/"
        kinds = (POSTGRESQL_PARAMETERS, MYSQL_PARAMETERS)
        found = [key for kind in kinds for key in look.of_type(kind) if key.startswith(below)]
        doubt = next((look.documents[key] for key in found if marker(look.documents[key])), None)
        if doubt is not None:
            return unread(doubt, _WHAT)
        return {name_of(key): mapping(look.documents[key].get("properties")).get("value") for key in found}
    if document is None or marker(document):
        return unread(document, _WHAT)
    if not isinstance(document.get("value"), list):
        return unclear(_WHAT, document.get("value"))
    return {
        text(item.get("name")).lower(): mapping(item.get("properties")).get("value")
        for item in entries(document["value"])
    }


def _value(values: Mapping[str, Any] | Unknown, name: str, look: Look) -> Value:
    if isinstance(values, Unknown):
        return values
    if name not in values:
        return _DEFAULTS[name] if look.declared else Unknown(reason=f"{_WHAT}: {name} is not among them")
    value = values[name]
    if undecided(value):
        return unclear(_WHAT, value)
    return value.strip() if isinstance(value, str) else ""


def _on(value: Value) -> bool | Unknown:
    """Newer versions name the stages of a connection to log where older ones say `on`."""
    return value if isinstance(value, Unknown) else value.lower() not in ("", "off", "false", "no", "0")


def _words(value: str) -> set[str]:
    return {word.strip().lower() for word in value.split(",")} - {""}


def _holds(value: Value, word: str) -> bool | Unknown:
    return value if isinstance(value, Unknown) else word in _words(value)


def _records(value: Value) -> bool | Unknown:
    """Whether pgaudit records any class of statements; one named with a minus is left out of those before it."""
    if isinstance(value, Unknown):
        return value
    return any(not word.startswith("-") for word in _words(value) - {"none"})


def _off(states: Mapping[str, bool | Unknown]) -> list[str] | Unknown:
    """The parameters that are certainly not as they ought to be; not known where none is, and one could not be read."""
    off = sorted(name for name, state in states.items() if state is False)
    unknown = [state for state in states.values() if isinstance(state, Unknown)]
    return off if off or not unknown else unknown[0]

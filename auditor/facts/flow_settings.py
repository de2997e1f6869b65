"""Flow logs as log settings: one each where one is enough, one for all where only several together cover."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from auditor.catalog import FLOW_LOG
from auditor.facts.flow_logs import RETIREMENT, FlowLog, both
from auditor.facts.shapes import first_of
from auditor.inventory import Destination, LogSetting, Unknown

_ENDS = RETIREMENT.isoformat()
_NAMED = 5  # flow logs that the name of a joint cover lists


def setting_of(log: FlowLog) -> LogSetting:
    """A flow log as the setting that it is."""
    return LogSetting(
        id=log.id,
        name=log.name,
        kind="flow-log",
        categories=frozenset({FLOW_LOG}),
        destinations=log.destinations,
        ends=_ENDS if log.retiring else None,
    )


def joint(a: FlowLog, b: FlowLog) -> FlowLog:
    """Two flow logs that only together see the traffic: as weak in everything as the weaker one."""
    if a.id == b.id:
        return a
    return FlowLog(
        id=f"{a.id} + {b.id}",
        name=f"{a.name} + {b.name}",
        covers=both(a.covers, b.covers),
        full=both(a.full, b.full),
        retiring=a.retiring or b.retiring,
        destinations=_weakest([[a], [b]]),
    )


def settings_over(subject: str, units: Sequence[Sequence[FlowLog]]) -> tuple[tuple[LogSetting, ...], str | None]:
    """The settings of a subject whose every unit is covered by each flow log in that unit's list, and when they end.

    A flow log that covers all units is a setting of its own. Where units are covered by different ones, one setting
    stands for all: what holds of it holds for every unit. Flow logs that do not retire are preferred.
    """
    distinct = list({tuple(sorted(log.id for log in unit)): unit for unit in units}.values())
    lasting = [[log for log in unit if not log.retiring] for unit in distinct]
    if all(lasting):
        retiring = [[log for log in unit if log.retiring] for unit in distinct]
        extra = [setting_of(log) for log in _common(retiring)]
        return (*_attach(subject, lasting), *extra), None
    return tuple(_attach(subject, distinct)), _ENDS


def _common(units: Sequence[Sequence[FlowLog]]) -> list[FlowLog]:
    everywhere = set.intersection(*({log.id for log in unit} for unit in units))
    return sorted((log for log in units[0] if log.id in everywhere), key=lambda log: log.id)


def _attach(subject: str, units: Sequence[Sequence[FlowLog]]) -> list[LogSetting]:
    common = _common(units)
    settings = [setting_of(log) for log in common]
    if any(len(unit) > len(common) for unit in units):
        logs = {log.id: log for unit in units for log in unit}
        names = sorted({log.name for log in logs.values()})
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        settings.append(
            LogSetting(
                id=f"{subject}/flowLogs",
                name=", ".join(names[:_NAMED]) + more,
                kind="flow-log",
                categories=frozenset({FLOW_LOG}),
                destinations=_weakest(units),
                ends=_ENDS if any(log.retiring for log in logs.values()) else None,
            )
        )
    return settings


def _weakest(units: Sequence[Sequence[FlowLog]]) -> tuple[Destination, ...]:
    """For each kind of place that every unit's records reach: the least that holds for all units.

    For one unit the best of its flow logs counts, over the units the worst; the place named is the worst unit's.
    """
    found: list[Destination] = []
    for kind in ("storage", "log-analytics"):
        reached = [
            [d for log in unit for d in log.destinations if d.kind == kind and d.exists is not False] for unit in units
        ]
        if reached and all(reached):
            best = [_best(places) for places in reached]
            worst = min(best, key=lambda d: (d.exists is True, d.accepts is True, _rank(d.retention_days), d.id))
            found.append(
                Destination(
                    kind=kind,
                    id=worst.id,
                    exists=both(*(d.exists for d in best)),
                    accepts=both(*(d.accepts for d in best)),
                    retention_days=_least([d.retention_days for d in best]),
                    interactive_days=_least([d.interactive_days for d in best]),
                )
            )
    return tuple(found)


def _best(places: list[Destination]) -> Destination:
    """Of one unit's places the best in each respect, under the id of the one that keeps longest."""
    first = max(places, key=lambda d: (d.exists is True, d.accepts is True, _rank(d.retention_days), d.id))
    return msgspec.structs.replace(
        first,
        accepts=first.accepts if first.accepts is not False else any(d.accepts is True for d in places),
        retention_days=_most([d.retention_days for d in places]),
        interactive_days=_most([d.interactive_days for d in places]),
    )


def _rank(days: float | Unknown) -> float:
    return -1 if isinstance(days, Unknown) else days


def _least(days: list[float | Unknown]) -> float | Unknown:
    unknown = [value for value in days if isinstance(value, Unknown)]
    return first_of(unknown) if unknown else min(value for value in days if not isinstance(value, Unknown))


def _most(days: list[float | Unknown]) -> float | Unknown:
    known = [value for value in days if not isinstance(value, Unknown)]
    unknown = [value for value in days if isinstance(value, Unknown)]
    if unknown and float("inf") not in known:
        return first_of(unknown)
    return max(known)

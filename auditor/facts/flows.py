"""Which flow logs cover this network security group, virtual network or subnet, and with what gaps (domain.md 3.4)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

import msgspec

from auditor.catalog import FLOW_LOG
from auditor.documents import subscription_of
from auditor.facts.destinations import Resolver
from auditor.facts.flow_logs import (
    FlowLog,
    Region,
    both,
    flow_log_documents,
    read_flow_logs,
    unread_flow_logs,
)
from auditor.facts.flow_settings import joint, setting_of, settings_over
from auditor.facts.inbound import strays
from auditor.facts.network import VNET, Missing, Network, SecurityGroup, look, vnet_of
from auditor.facts.shapes import first_of, location, short
from auditor.inventory import Destination, LogSetting, Unknown

_MOST = 50  # entries in a list of evidence


class FlowCover(msgspec.Struct, frozen=True, kw_only=True):
    """How far flow logs cover one security group, virtual network or subnet.

    `settings` to add to the resource's: those that see all of its traffic; where that cannot be told, one setting in
    which `FlowLog` is possible, sent to places that are not known (id ""). `part` are those that see only some of it.
    """

    settings: tuple[LogSetting, ...] = ()
    part: tuple[LogSetting, ...] = ()
    facts: dict[str, Any]


class FlowLogAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to say of one flow log: its facts, and where it sends (as a setting, whether it works or not)."""

    setting: LogSetting
    facts: dict[str, Any]


class Flows(msgspec.Struct, frozen=True, kw_only=True):
    """All answers on flow logs, by normal id."""

    groups: dict[str, FlowCover]
    networks: dict[str, FlowCover]
    subnets: dict[str, FlowCover]  # those that are documents of their own, as templates have them
    logs: dict[str, FlowLogAnswer]


class _Unit(msgspec.Struct, frozen=True, kw_only=True):
    """Something that emits flows: an interface, scale set or gateway in one subnet."""

    owner: str
    name: str
    subnet: str
    filters: tuple[str | Unknown, ...] = ()  # security groups its traffic passes
    nsg_logs: bool = True  # flow logs on those see it
    missing: Unknown | None = None  # it could not be read, so it may emit none, or be covered elsewhere


def flow_facts(
    net: Network, *, today: date, destination: Resolver, unread: Mapping[Region, Unknown] | None = None
) -> Flows:
    """How flow logs cover every network security group and virtual network, and what each flow log does.

    `destination` says what a place is (as for diagnostic settings). `unread` tells of subscriptions and regions
    (lower case, "" for any) whose flow logs could not be listed, beside those that the documents tell of.
    """
    documents = flow_log_documents(net)
    logs = list(read_flow_logs(net, documents, today, destination))
    estate = _Estate(net, logs, {**unread_flow_logs(net, documents), **(unread or {})})
    return Flows(
        groups={key: estate.group(group) for key, group in net.groups.items()},
        networks={key: estate.network(key) for key in net.by_type.get(VNET, ()) if "$absent" not in net.documents[key]},
        subnets={key: estate.subnet(key) for key in net.by_type.get(f"{VNET}/subnets", ()) if key in net.subnets},
        logs={
            log.id: FlowLogAnswer(setting=setting_of(log), facts={**log.facts, "only_cover": estate.only_cover(log)})
            for log in logs
            if log.id in documents
        },
    )


class _Estate:
    """The units of every subnet and group, and the flow logs on every target."""

    def __init__(self, net: Network, logs: Iterable[FlowLog], unread: Mapping[Region, Unknown]) -> None:
        self._net = net
        self._unread = unread
        self._logs: dict[str, list[FlowLog]] = defaultdict(list)
        for log in logs:
            if log.target:
                self._logs[log.target].append(log)
        self._units: dict[str, list[_Unit]] = defaultdict(list)  # by subnet
        self._own: dict[str, list[_Unit]] = defaultdict(list)  # by the security group on the interface
        self._where: dict[str, str] = {}  # what could not be read → its subnet
        self._index()

    def _index(self) -> None:
        net = self._net
        seen: set[tuple[str, str]] = set()
        for endpoint in net.endpoints:
            subnet = net.subnets.get(endpoint.subnet)
            key = (endpoint.owner, endpoint.subnet)
            if key in seen or not endpoint.seen or (subnet and subnet.blind):
                continue
            seen.add(key)
            filters = (net.subnet_nsg(endpoint.subnet), endpoint.nsg)
            unit = _Unit(
                owner=endpoint.owner,
                name=endpoint.name,
                subnet=endpoint.subnet,
                filters=tuple(nsg for nsg in filters if nsg is not None),
                nsg_logs=endpoint.nsg_logs,
            )
            self._units[endpoint.subnet].append(unit)
            if isinstance(endpoint.nsg, str):
                self._own[endpoint.nsg].append(unit)
        for stray in strays(net):
            subnet = net.subnets.get(stray.subnet)
            if subnet is None or not subnet.blind:
                why = Unknown(
                    reason=f"what has {stray.name} in subnet {short(stray.subnet)} is not among what was read"
                )
                self._units[stray.subnet].append(
                    self._missing(Missing(owner=stray.owner, subnet="", why=why), stray.subnet)
                )
        for subnet in net.subnets.values():
            if subnet.blind:
                continue
            for missing in net.missing_in(subnet.id):
                self._where.setdefault(missing.owner, subnet.id)
                if (missing.owner, subnet.id) not in seen:
                    self._units[subnet.id].append(self._missing(missing, subnet.id))
            unlisted = net.unlisted_for(subnet.id)
            if unlisted is not None:
                self._units[subnet.id].append(
                    _Unit(owner=subnet.id, name=subnet.name, subnet=subnet.id, missing=unlisted)
                )

    def _missing(self, missing: Missing, subnet: str) -> _Unit:
        filters = (self._net.subnet_nsg(subnet), missing.why)
        return _Unit(
            owner=missing.owner,
            name=short(missing.owner),
            subnet=subnet,
            filters=tuple(nsg for nsg in filters if nsg is not None),
            missing=missing.why,
        )

    # --- who is asked about ------------------------------------------------------------------------------------------

    def group(self, group: SecurityGroup) -> FlowCover:
        attached = self._net.attached(group)
        if attached is False:
            return FlowCover(facts={"flow_coverage": "unattached", "flow_gaps": [], "flow_ends": None})
        units, empty = self._units_of(group)

        def logs_of(unit: _Unit) -> list[FlowLog]:
            return [*self._above(unit), *(self._logs.get(group.id, ()) if unit.nsg_logs else ())]

        return self._cover(group.id, units, empty, logs_of)

    def _units_of(self, group: SecurityGroup) -> tuple[list[_Unit], list[_Unit]]:
        """What a security group filters, and a unit that stands for each subnet of it with nothing inside."""
        net = self._net
        units = {(unit.owner, unit.subnet): unit for unit in self._own.get(group.id, ())}
        empty: list[_Unit] = []
        for missing in net.missing_subnets(group):
            key = missing.subnet
            units[key, key] = _Unit(owner=key, name=short(key), subnet=key, missing=missing.why)
        for key in net.nsg_subnets.get(group.id, ()):
            subnet = net.subnets.get(key)
            inside = self._units.get(key, ())
            units.update({(unit.owner, unit.subnet): unit for unit in inside})
            if subnet is not None and not inside and not subnet.blind:
                empty.append(_Unit(owner=key, name=subnet.name, subnet=key))
        for missing in net.missing_nics(group):
            where = self._where.get(missing.owner, "")
            units.setdefault((missing.owner, where), self._missing(missing, where))
        doubt = group.properties if isinstance(group.properties, Unknown) else None
        attached = net.attached(group)
        if doubt is None and isinstance(attached, Unknown):
            doubt = attached
        if doubt is not None:  # it may filter more than is known: only a flow log on the group itself covers that
            units[group.id, ""] = _Unit(owner=group.id, name=short(group.id), subnet="", missing=doubt)
        return list(units.values()), empty

    def network(self, key: str) -> FlowCover:
        subnets = self._net.subnets_of.get(key, [])
        units = [unit for subnet in subnets for unit in self._units.get(subnet, ())]
        empty = [_Unit(owner=key, name=short(key), subnet=f"{key}/subnets/")]
        body = look(self._net.documents, key, "virtual network")
        if isinstance(body, Unknown):
            units.append(_Unit(owner=key, name=short(key), subnet=f"{key}/subnets/", missing=body))
        return self._observed(key, units, empty)

    def subnet(self, key: str) -> FlowCover:
        empty = [_Unit(owner=key, name=self._net.subnets[key].name, subnet=key)]
        return self._observed(key, self._units.get(key, []), empty)

    def _observed(self, key: str, units: list[_Unit], empty: list[_Unit]) -> FlowCover:
        cover = self._cover(key, units, empty, self._all_over)
        certain = any(unit.missing is None for unit in units)
        doubts = [unit.missing for unit in units if unit.missing is not None]
        observable: bool | Unknown = certain or (first_of(doubts) if doubts else False)
        return msgspec.structs.replace(cover, facts={**cover.facts, "observable": observable})

    def only_cover(self, log: FlowLog) -> bool | Unknown:
        """Whether something a security group's flow log records would be recorded by no other once it is retired."""
        works = both(log.facts["enabled"], log.facts["succeeded"], log.facts["storage_exists"] is not False)
        if isinstance(log.kind, Unknown):
            return log.kind
        if not log.retiring or works is False or log.facts["target_exists"] is False:
            return False
        group = self._net.groups.get(log.target)
        if group is None:
            return Unknown(
                reason=f"network security group {short(log.target)} is not among the resources that were read"
            )
        units = [unit for unit in self._units_of(group)[0] if unit.nsg_logs]
        doubts: list[Unknown] = [works] if isinstance(works, Unknown) else []
        alone = False
        for unit in units:
            full, _, why = self._state(self._above(unit), self._not_listed(group.id), unit)
            if not full:
                doubts += why
                alone = alone or not why
        if alone and works is True:
            return True
        return first_of(doubts) if doubts else False

    # --- which flow logs see a unit ----------------------------------------------------------------------------------

    def _above(self, unit: _Unit) -> list[FlowLog]:
        """Flow logs on its interface, subnet and network; any of them will do."""
        logs = self._logs
        return [
            *logs.get(unit.owner, ()),
            *(logs.get(unit.subnet, ()) if unit.subnet != unit.owner else ()),
            *(logs.get(vnet_of(unit.subnet), ()) if vnet_of(unit.subnet) != unit.owner else ()),
        ]

    def _all_over(self, unit: _Unit) -> list[FlowLog]:
        """Those, and flow logs on security groups where each group that the traffic passes has one."""
        found = self._above(unit)
        if not unit.nsg_logs or not unit.filters:
            return found
        each = [self._logs.get(nsg, []) if isinstance(nsg, str) else [] for nsg in unit.filters]
        if all(each):
            found += each[0] if len(each) == 1 else [joint(a, b) for a in each[0] for b in each[1]]
        return found

    def _not_listed(self, subject: str) -> Unknown | None:
        """Why there may be flow logs for a subject that are not known, if there may."""
        if not self._unread:
            return None
        subscription = subscription_of(subject)
        region = location(self._net.documents.get(vnet_of(subject), {}))
        for place in ((subscription, region), (subscription, ""), ("", "")):
            if place in self._unread:
                return self._unread[place]
        if not region:
            return next((why for place, why in sorted(self._unread.items()) if place[0] == subscription), None)
        return None

    @staticmethod
    def _state(
        logs: list[FlowLog], not_listed: Unknown | None, unit: _Unit
    ) -> tuple[list[FlowLog], list[FlowLog], list[Unknown]]:
        """The flow logs that see all of a unit's traffic; else those that see some; and why it cannot be told."""
        seeing = [log for log in logs if log.covers is True]
        full = [log for log in seeing if log.full is True]
        if full:
            return full, [], []
        doubts = [why for log in logs for why in (both(log.covers, log.full),) if isinstance(why, Unknown)]
        doubts += [why for why in (not_listed, unit.missing) if why is not None]
        return [], seeing, doubts

    # --- the verdict -------------------------------------------------------------------------------------------------

    def _cover(
        self, subject: str, units: list[_Unit], empty: list[_Unit], logs_of: Callable[[_Unit], list[FlowLog]]
    ) -> FlowCover:
        not_listed = self._not_listed(subject)
        states = [(unit, *self._state(logs_of(unit), not_listed, unit)) for unit in units]
        if not states:
            # Nothing there emits flows now. A flow log that waits for what will still counts.
            waiting = [self._state(logs_of(unit), None, unit)[0] for unit in empty]
            if not waiting or not all(waiting):
                return FlowCover(facts={"flow_coverage": "not-observable", "flow_gaps": [], "flow_ends": None})
            states = [(unit, full, [], []) for unit, full in zip(empty, waiting, strict=True)]
        covered = [full for _, full, _, _ in states if full]
        if len(covered) == len(states):
            settings, ends = settings_over(subject, covered)
            return FlowCover(settings=settings, facts={"flow_coverage": "covered", "flow_gaps": [], "flow_ends": ends})
        gaps = [(unit, seeing) for unit, full, seeing, doubts in states if not full and not doubts]
        if not gaps:
            why = first_of([why for *_, doubts in states for why in doubts])
            facts = dict.fromkeys(("flow_coverage", "flow_gaps", "flow_ends"), why)
            return FlowCover(settings=(_perhaps(subject, why),), facts=facts)
        filtered = all(seeing for _, seeing in gaps)
        some = covered or any(seeing for _, seeing in gaps)
        word = "filtered" if filtered else "partial" if some else "uncovered"
        partly = {log.id: log for _, full, seeing, _ in states for log in (*full, *seeing)}
        return FlowCover(
            part=tuple(
                msgspec.structs.replace(
                    setting_of(partly[key]), partial="partial" if partly[key].full is True else "filtered"
                )
                for key in sorted(partly)[:_MOST]
            ),
            facts={"flow_coverage": word, "flow_gaps": self._names(states), "flow_ends": None},
        )

    def _names(self, states: list[tuple[_Unit, list[FlowLog], list[FlowLog], list[Unknown]]]) -> list[str]:
        """The gaps: a subnet's name where nothing in it is covered, else what in it is not."""
        lit = {unit.subnet for unit, full, _, _ in states if full}
        names: set[str] = set()
        for unit, full, _, _ in states:
            subnet = self._net.subnets.get(unit.subnet)
            if not full:
                names.add(subnet.name if subnet and unit.subnet not in lit else unit.name)
        return sorted(names)[:_MOST]


def _perhaps(subject: str, why: Unknown) -> LogSetting:
    """A setting that may be there: with it, whatever asks for the flow log gets no answer rather than a wrong one."""
    places = tuple(
        Destination(kind=kind, id="", exists=why, accepts=why, retention_days=why, interactive_days=why)
        for kind in ("log-analytics", "storage")
    )
    return LogSetting(
        id=f"{subject}/flowLogs",
        name="flow logs that could not be read",
        kind="flow-log",
        possible=frozenset({FLOW_LOG}),
        destinations=places,
    )

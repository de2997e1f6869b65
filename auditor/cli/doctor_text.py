"""What the doctor found, for a person at a terminal of 80 columns."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterator

from auditor.formats.console import clean
from auditor.sources.azure.capabilities import CAPABILITIES, Check, Estimate, Examination, Grant, Principal

WIDTH = 80
MOST_GAPS = 5  # of one capability
_SKEW = 300  # seconds beyond which tokens are refused
_TITLES = {capability.key: capability.title for capability in CAPABILITIES}


def render(found: Examination, unlocks: dict[str, list[str]], code: int) -> str:
    """The whole text; every line of it is at most 80 columns, but for a command that cannot be broken."""
    lines = [*_who(found), "", *_places(found), ""]
    if found.principal is not None:
        lines += [*_subscriptions(found), "", *_permissions(found), "", *_needs(found, unlocks), ""]
        lines += [*_estimate(found.estimate, {s.id: s.name for s in found.subscriptions}), ""]
    return "\n".join(line.rstrip() for line in [*lines, *_end(found, code)]) + "\n"


def _wrapped(text: str, indent: str, first: str | None = None) -> list[str]:
    start = indent if first is None else first
    return textwrap.wrap(
        clean(text), WIDTH, initial_indent=start, subsequent_indent=indent, break_long_words=False,
        break_on_hyphens=False,
    ) or [start]  # fmt: skip


def _line(label: str, text: str) -> list[str]:
    return _wrapped(text, " " * 12, f"{label:<12}")


def _who(found: Examination) -> Iterator[str]:
    yield f"auditor {found.tool_version}  doctor"
    yield ""
    who = found.principal
    if who is None:
        yield from _line("Identity", "none is usable")
        for line in found.problem.splitlines():
            yield from _wrapped(line.strip(), " " * 14, " " * 12)
    else:
        yield from _identity(who)
    yield from _line("Tenant", found.tenant or "not known")
    yield from _line("Cloud", found.cloud)
    yield from _line("Clock", _clock(found.clock_skew))


def _identity(who: Principal) -> Iterator[str]:
    yield from _line("Identity", f"{who.kind} {who.name}".rstrip())
    if who.object_id:
        yield from _line("Object id", who.object_id)


def _clock(skew: int | None) -> str:
    if skew is None:
        return "not compared: no endpoint told the time"
    if abs(skew) <= _SKEW:
        return "right, within 5 minutes"
    way = "ahead of" if skew > 0 else "behind"
    return f"WARNING: {abs(skew):,} s {way} Azure's; tokens may be refused until it is set right"


def _places(found: Examination) -> Iterator[str]:
    yield "Endpoints"
    for place in found.places:
        yield from _wrapped(f"{place.state:<15}{place.name:<18}{place.host}".rstrip(), " " * 17, "  ")
        if place.reason:
            yield from _wrapped(place.reason, " " * 17)


def _subscriptions(found: Examination) -> Iterator[str]:
    states = Counter(subscription.state for subscription in found.subscriptions)
    told = ", ".join(f"{count:,} {clean(state)}" for state, count in sorted(states.items()))
    yield from _wrapped(f"Subscriptions: {len(found.subscriptions):,} to read{f' ({told})' if told else ''}", "  ", "")
    others = [s for s in found.subscriptions if s.tenant and s.tenant != found.tenant]
    if others:
        tenants = len({s.tenant for s in others})
        yield from _wrapped(
            f"{len(others):,} of them in {tenants:,} other tenant{'s' if tenants > 1 else ''} (Azure Lighthouse)", "  "
        )


def _permissions(found: Examination) -> Iterator[str]:
    yield "Permissions"
    for check in found.checks:
        yield from _wrapped(check.detail, " " * 31, f"  {check.state:<11}{_TITLES[check.capability]:<18}")
    gaps = [(check, gap) for check in found.checks for gap in check.gaps]
    if gaps:
        yield ""
        yield "Missing, and what would mend it"
    for check in found.checks:
        yield from _gaps(check)


def _gaps(check: Check) -> Iterator[str]:
    for gap in check.gaps[:MOST_GAPS]:
        yield from _wrapped(f"{_TITLES[check.capability]}: {gap.what}", "    ", "  ")
        yield from _wrapped(gap.reason, "    ")
        if gap.remedy:
            yield from _wrapped(gap.remedy, "    ")
        if gap.grant is not None:
            yield from _grant(gap.grant)
    if len(check.gaps) > MOST_GAPS:
        yield f"  and {len(check.gaps) - MOST_GAPS:,} more of these (-f json lists all)"
    if check.all_at_once is not None:
        yield "  All of these at once"
        yield from _grant(check.all_at_once)


def _grant(grant: Grant) -> Iterator[str]:
    yield from _wrapped(f"role   {grant.role}", " " * 11, "    ")
    yield from _wrapped(f"scope  {grant.scope}", " " * 11, "    ")
    if grant.command:
        yield from _command(clean(grant.command))


def _command(command: str) -> Iterator[str]:
    """A command over several lines, to be copied as it stands: broken before its options alone."""
    line = "   "
    parts = re.split(r" (?=--[a-z]|&& )", command)
    for index, part in enumerate(parts):
        tail = " \\" if index < len(parts) - 1 else ""
        if len(f"{line} {part}{tail}") > WIDTH and line.strip():
            yield f"{line} \\"
            line = "     "
        line = f"{line} {part}"
    yield line


def _needs(found: Examination, unlocks: dict[str, list[str]]) -> Iterator[str]:
    yield "What each is for: the documents read by it, and the rules that judge by them"
    states = {check.capability: check.state for check in found.checks}
    for capability in CAPABILITIES:
        rules = unlocks[capability.key]
        yield from _wrapped(f"{capability.title} ({states.get(capability.key, 'not probed')})", "    ", "  ")
        yield from _wrapped(", ".join(capability.reads), " " * 11, "    reads  ")
        yield from _wrapped(", ".join(rules) or "none by itself", " " * 11, "    rules  ")


def _estimate(estimate: Estimate | None, names: dict[str, str]) -> Iterator[str]:
    if estimate is None:
        yield from _line("Estimate", "unknown: Resource Graph did not tell how many resources there are")
        return
    about = "at most" if estimate.at_most else "about"
    chosen = f", {estimate.judged:,} of them to be judged" if estimate.judged is not None else ""
    where = f" for {names.get(estimate.fullest, estimate.fullest)}" if estimate.fullest else ""
    yield from _line(
        "Estimate",
        f"{about} {estimate.reads:,} reads for {estimate.resources:,} resources{chosen}, and a few for each place that "
        f"logs go to. Azure allows 25 reads a second in each subscription, so at least {_duration(estimate.seconds)} "
        f"({estimate.fullest_reads:,} reads{where}).",
    )


def _duration(seconds: int) -> str:
    if seconds < 60:
        return f"{seconds} s" if seconds else "a few seconds"
    minutes = -(-seconds // 60)
    return f"{minutes} minute{'s' if minutes > 1 else ''}"


def _end(found: Examination, code: int) -> list[str]:
    if found.principal is None:
        hint = [f"hint: {clean(found.hint)}"] if found.hint else []
        return [*hint, f"Nothing can be assessed without an identity. Exit {code}."]
    if not code:
        return [f"Everything that a scan needs is there. Exit {code}."]
    missing = [check for check in found.checks if check.gaps]
    told = ", ".join(
        f"{_TITLES[check.capability]} ({', '.join(gap.what for gap in check.gaps[:3])}"
        f"{f' and {len(check.gaps) - 3:,} more' if len(check.gaps) > 3 else ''})"
        for check in missing
    )
    return _wrapped(f"Cannot be assessed: {told}. Exit {code}.", "")

"""Profiles: what is expected. Which rules judge, with which parameters, and for which controls of which framework."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final

import msgspec

from auditor.choose import choose, matching, near_ids
from auditor.errors import AuditorError, RuleError
from auditor.report import ChangeInfo, Severity
from auditor.rule import Rule, with_severity
from auditor.shipped import shipped
from auditor.strict_yaml import Lines, convert, load

DEFAULT: Final = "recommended"


class AcceptedDestinations(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The places that logs may be sent to: ids with `*`, or kinds such as `log-analytics`; and tags as `name=value`."""

    ids: list[str] = []
    tags: list[str] = []


class ControlFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A control of the framework: which rules map to it stands in the rules, or why none can."""

    title: str
    not_covered: str = ""
    note: str = ""


class RulesOfProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which rules are added to, or taken from, those of the framework and of what is extended; and their settings."""

    select: list[str] = []
    ignore: list[str] = []
    severity: dict[str, Severity] = {}
    params: dict[str, dict[str, Any]] = {}
    accepted_destinations: AcceptedDestinations = AcceptedDestinations()


class ProfileFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A profile as written."""

    title: str = ""
    about: str = ""
    extends: str = ""
    framework: str = ""
    show: list[str] = []
    rules: RulesOfProfile = RulesOfProfile()
    controls: dict[str, ControlFile] = {}


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a profile and of what it extends."""

    name: str
    file: str
    written: ProfileFile
    lines: Lines


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """A profile with all that it extends, the furthest first."""

    steps: tuple[Step, ...]

    @property
    def name(self) -> str:
        """A built-in profile's name, or that of the file."""
        return self.steps[-1].name

    @property
    def title(self) -> str:
        """What it is called in reports."""
        return self.steps[-1].written.title or self.name

    @property
    def extends(self) -> list[str]:
        """The names of the profiles that it extends, the nearest first."""
        return [step.name for step in reversed(self.steps[:-1])]

    @property
    def framework(self) -> str:
        """The framework whose controls it speaks for, by the name that rules give it; empty for none."""
        return next((step.written.framework for step in reversed(self.steps) if step.written.framework), "")

    @property
    def about(self) -> str:
        """What is to be known of the framework as a whole."""
        return next((step.written.about for step in reversed(self.steps) if step.written.about), "")

    @property
    def controls(self) -> dict[str, ControlFile]:
        """The controls of its framework, those of the profile itself in place of those that it extends."""
        own = (step.written for step in self.steps if step.written.framework in ("", self.framework))
        return {key: control for written in own for key, control in written.controls.items()}

    @property
    def show(self) -> list[str]:
        """The names of other profiles whose controls a report shows too."""
        return next((step.written.show for step in reversed(self.steps) if step.written.show), [])


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Severities and parameters of rules, and who says so."""

    by: str
    severity: dict[str, Severity] = {}
    params: dict[str, dict[str, Any]] = {}
    accepted: AcceptedDestinations = AcceptedDestinations()


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """The rules that judge, as the profile, the configuration and flags choose and set them."""

    profile: Profile
    rules: list[Rule]
    changes: list[ChangeInfo]
    known: list[Rule]  # all of them, chosen or not


# --- reading --------------------------------------------------------------------------------------------------------


def built_in() -> list[str]:
    """The names of the profiles that are shipped, the default first."""
    names = sorted(
        file.name.removesuffix(".yaml") for file in shipped("profiles").iterdir() if file.name.endswith(".yaml")
    )
    return sorted(names, key=lambda name: name != DEFAULT)


def read_profile(word: str = DEFAULT) -> Profile:
    """A profile by its name, or by the path of its file."""
    steps: list[Step] = []
    seen: list[str] = []
    place = _place(word, None, "")
    while True:
        name = _name(place)
        key = str(place.resolve()) if isinstance(place, Path) else str(place)
        if key in seen:
            chain = " extends ".join([*(step.name for step in steps), name])
            raise RuleError(steps[-1].file, steps[-1].lines.of(["extends"]), f"profiles go round in a circle: {chain}")
        seen.append(key)
        steps.append(_read(name, place))
        extended = steps[-1].written.extends
        if not extended:
            return Profile(steps=tuple(reversed(steps)))
        where = f"{steps[-1].file}:{steps[-1].lines.of(['extends'])}: "
        place = _place(extended, place, where)


def _place(word: str, beside: Traversable | None, where: str) -> Traversable:
    if word.endswith((".yaml", ".yml")) or "/" in word or "\\" in word:
        path = Path(word)
        if isinstance(beside, Path) and not path.is_absolute():
            path = beside.parent / path
        if not path.is_file():
            raise AuditorError(f"{where}{word}: there is no such profile", f"it would be the file {path}")
        return path
    if word not in built_in():
        near = get_close_matches(word, built_in(), n=3, cutoff=0.4)
        hint = f"did you mean {', '.join(near)}?" if near else f"profiles: {', '.join(built_in())}; or a file"
        raise AuditorError(f'{where}there is no profile "{word}"', hint)
    return shipped("profiles").joinpath(f"{word}.yaml")


def _name(place: Traversable) -> str:
    return place.name.removesuffix(".yaml").removesuffix(".yml")


def _read(name: str, place: Traversable) -> Step:
    file = str(place)
    try:
        text = place.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise AuditorError(f"{file}: the profile cannot be read: {reason}") from None
    raw, lines = load(text, file)
    if not isinstance(raw, dict):
        raise RuleError(file, 1, "a profile is a mapping of keys", "such as `extends: recommended`")
    written = convert(raw, ProfileFile, lines, file)
    for shown in written.show:
        if shown not in built_in():
            raise RuleError(
                file, lines.of(["show"]), f'there is no profile "{shown}"', f"profiles: {', '.join(built_in())}"
            )
    return Step(name=name, file=file, written=written, lines=lines)


# --- choosing and setting -------------------------------------------------------------------------------------------


def apply(
    profile: Profile,
    known: Sequence[Rule],
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    configured: Settings | None = None,
) -> Choice:
    """The rules of a profile, narrowed by words, with the severities and parameters that the highest sets."""
    layers = [_settings(step, known, f"profile {profile.name}") for step in profile.steps]
    picked = choose(known, select, ignore, chosen_by(profile, known))
    changes: list[ChangeInfo] = []
    if configured:
        layers.append(configured)
    rules = [_tuned(rule, layers, changes) for rule in picked]
    return Choice(profile=profile, rules=rules, changes=changes, known=list(known))


def chosen_by(profile: Profile, known: Sequence[Rule]) -> set[str]:
    """The ids of a profile's rules: those that map to its framework and those it selects, less what it ignores."""
    chosen: set[str] = set()
    for step in profile.steps:
        written = step.written
        if written.framework:
            chosen |= {rule.id for rule in known if written.framework in rule.info.frameworks and not rule.optional}
        for i, word in enumerate(written.rules.select):
            hits = _matching(step, ("rules", "select", i), known, word)
            chosen |= {rule.id for rule in known if rule.id in hits and (not rule.optional or rule.id == word.lower())}
        for i, word in enumerate(written.rules.ignore):
            chosen -= _matching(step, ("rules", "ignore", i), known, word)
    if not chosen:
        last = profile.steps[-1]
        raise RuleError(last.file, None, "the profile chooses no rule", "extends: recommended, or rules: select: [...]")
    return chosen


def _matching(step: Step, path: tuple[str | int, ...], known: Sequence[Rule], word: str) -> set[str]:
    try:
        return matching(known, word)
    except RuleError as error:
        raise RuleError(step.file, step.lines.of(path), error.problem, error.hint) from None


def _settings(step: Step, known: Iterable[Rule], by: str) -> Settings:
    rules = step.written.rules
    params = {rule.id: rule.info.params for rule in known}
    for key, named in (("severity", rules.severity), ("params", rules.params)):
        for rule_id in named:
            if rule_id not in params:
                hint = near_ids(rule_id, params) or "auditor rules list"
                raise RuleError(
                    step.file, step.lines.of(["rules", key, rule_id]), f'there is no rule "{rule_id}"', hint
                )
    for rule_id, given in rules.params.items():
        for name in given:
            if name not in params[rule_id]:
                known_names = ", ".join(params[rule_id]) or "none"
                line = step.lines.of(["rules", "params", rule_id, name])
                raise RuleError(step.file, line, f'{rule_id} has no parameter "{name}"', f"parameters: {known_names}")
    return Settings(by=by, severity=rules.severity, params=rules.params, accepted=rules.accepted_destinations)


def _tuned(rule: Rule, layers: Sequence[Settings], changes: list[ChangeInfo]) -> Rule:
    """The rule with its parameters and severity as the last layer sets them; what differs is put into `changes`."""
    params, who = dict(rule.info.params), dict.fromkeys(rule.info.params, "")
    severity, severity_by = None, ""
    for layer in layers:
        # Said once, for every rule that asks where logs go; a rule's own parameters outrank it.
        common = {"accepted": layer.accepted.ids, "accepted_tags": layer.accepted.tags}
        given = {name: value for name, value in common.items() if value and name in params}
        for name, value in {**given, **layer.params.get(rule.id, {})}.items():
            params[name], who[name] = value, layer.by
        if rule.id in layer.severity:
            severity, severity_by = layer.severity[rule.id], layer.by
    if severity is not None and (severity != rule.info.severity or rule.severity_when):
        changes.append(
            ChangeInfo(rule=rule.id, what="severity", value=severity, default=rule.info.severity, by=severity_by)
        )
    changes += [
        ChangeInfo(rule=rule.id, what=name, value=value, default=rule.info.params[name], by=who[name])
        for name, value in params.items()
        if value != rule.info.params[name]
    ]
    tuned = msgspec.structs.replace(rule, info=msgspec.structs.replace(rule.info, params=params))
    return tuned if severity is None else with_severity(tuned, severity)

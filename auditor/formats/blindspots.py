"""What an investigator could not answer today, from the rules that failed or could not be told."""

from __future__ import annotations

from typing import Literal

import msgspec

from auditor.formats.words import subjects
from auditor.report import SEVERITIES
from auditor.sums import RuleResult

Answer = Literal["No", "Partly", "Unknown"]
ANSWERS: tuple[Answer, ...] = ("No", "Partly", "Unknown")


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why one rule leaves a question open: `before` “title of the rule” `after`."""

    before: str
    rule: str
    title: str
    after: str


class BlindSpot(msgspec.Struct, frozen=True, kw_only=True):
    """Questions of an incident responder that the same rules leave open, and why the logs do not answer them."""

    id: str  # B1, B2 ...
    questions: list[str]
    answer: Answer
    because: list[Reason] = []  # none where a whole scope is unknown
    attack: list[str] = []  # ATT&CK technique ids

    @property
    def rules(self) -> list[str]:
        """Ids of the rules that leave it open."""
        return [reason.rule for reason in self.because]


def blind_spots(results: list[RuleResult], unlisted: list[str]) -> list[BlindSpot]:
    """Questions that failed and unknown rules leave open, gravest first; then one for each scope never listed."""
    by_question: dict[str, list[RuleResult]] = {}
    spelling: dict[str, str] = {}
    for result in results:
        for question in result.info.blind_to.questions if result.info.blind_to else ():
            key = " ".join(question.split())
            spelling.setdefault(key.casefold(), key)
            by_question.setdefault(key.casefold(), []).append(result)
    together: dict[tuple[str, ...], tuple[list[str], list[RuleResult]]] = {}
    for key, answering in by_question.items():
        if any(result.outcome in ("failed", "unknown") for result in answering):
            rules = tuple(result.info.id for result in answering)
            together.setdefault(rules, ([], answering))[0].append(spelling[key])
    ordered = sorted(together.values(), key=lambda item: _gravity(*item))
    spots = [_spot(number, *item) for number, item in enumerate(ordered, 1)]
    return spots + [
        BlindSpot(id=f"B{number}", questions=[f"What happened in {name}?"], answer="Unknown")
        for number, name in enumerate(unlisted, len(spots) + 1)
    ]


def _answer(results: list[RuleResult]) -> Answer:
    """`Partly` needs something that is certainly recorded; `No` needs a certain failure."""
    if not any(result.count("fail") for result in results):
        return "Unknown"
    return "Partly" if any(result.count("pass") for result in results) else "No"


def _gravity(questions: list[str], results: list[RuleResult]) -> tuple[int, int, int, str]:
    failing = [result for result in results if result.outcome in ("failed", "unknown")]
    return (
        min(SEVERITIES.index(result.severity) for result in failing),
        ANSWERS.index(_answer(results)),
        -sum(result.count("fail") for result in failing),
        questions[0].casefold(),
    )


def _spot(number: int, questions: list[str], results: list[RuleResult]) -> BlindSpot:
    failing = [result for result in results if result.outcome in ("failed", "unknown")]
    attack = {technique for r in failing if r.info.blind_to for technique in r.info.blind_to.attack}
    return BlindSpot(
        id=f"B{number}",
        questions=questions,
        answer=_answer(results),
        because=[reason(result) for result in failing],
        attack=sorted(attack),
    )


def reason(result: RuleResult) -> Reason:
    """`13 of 37 vaults do not meet “Key Vault audit events are exported”; 4 more could not be told.`"""
    failed, assessed, unknown = result.count("fail"), result.assessed, result.count("unknown")
    if failed:
        kind = subjects(result, assessed)
        if failed == assessed:
            before = f"None of the {assessed:,} {kind} meets" if failed > 1 else f"The {kind} does not meet"
        else:
            before = f"{failed:,} of {assessed:,} {kind} {'does' if failed == 1 else 'do'} not meet"
        after = f"; {unknown:,} more could not be told." if unknown else "."
    else:
        before = f"{unknown:,} {subjects(result, unknown)} could not be told for"
        after = f"; {assessed:,} {'is' if assessed == 1 else 'are'} in order." if assessed else "."
    return Reason(before=before, rule=result.info.id, title=result.info.title.rstrip("."), after=after)

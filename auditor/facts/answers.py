"""Three truths that carry their reason: True, False, or the Unknown that says why it cannot be told."""

from __future__ import annotations

from collections.abc import Iterable

from auditor.inventory import Unknown

Answer = bool | Unknown


def all_of(answers: Iterable[Answer]) -> Answer:
    """False as soon as one is certainly false; else the first reason why one cannot be told; else True."""
    return _until(False, answers)


def any_of(answers: Iterable[Answer]) -> Answer:
    """True as soon as one is certainly true; else the first reason why one cannot be told; else False."""
    return _until(True, answers)


def _until(decisive: bool, answers: Iterable[Answer]) -> Answer:
    doubt: Unknown | None = None
    for answer in answers:
        if answer is decisive:
            return decisive
        if isinstance(answer, Unknown) and doubt is None:
            doubt = answer
    return not decisive if doubt is None else doubt

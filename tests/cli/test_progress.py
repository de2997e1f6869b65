"""What a run says of itself while it goes on."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.cli.progress import outlook, rate, shown
from auditor.sources.azure.progress import Progress


def at(done: int, seconds: float = 0, total: int = 4000, stage: str = "settings", **rest: Any) -> Progress:
    return Progress(stage=stage, done=done, total=total, denied=2, throttled=1, seconds=seconds, **rest)


def told(capsys: pytest.CaptureFixture[str], *progress: Progress) -> list[str]:
    with shown(quiet=False) as show:
        assert show is not None
        for one in progress:
            show(one)
    return capsys.readouterr().err.splitlines()


def test_before_the_long_part_it_is_told_how_long_it_will_take(capsys) -> None:
    lines = told(capsys, at(0, stage="tenant"), at(0, floor=157.3), at(0, floor=157.3))

    expected = "4,000 reads to go, at least 3 min: Azure allows 25 a second for each subscription"
    assert lines.count(expected) == 1
    assert lines.index(expected) == 1, "after the short stages, before the long one"


def test_the_outlook_is_on_what_is_left(capsys) -> None:
    assert "3,000 reads to go, at least 2 min:" in outlook(at(1000, seconds=30, floor=157.3))
    assert told(capsys, at(4000, 400)) == ["settings: 4,000 of 4,000  10.0/s  denied 2  throttled 1"]


@pytest.mark.parametrize(
    ("floor", "words"),
    [(0, "about a minute or less"), (89, "about a minute or less"), (91, "at least 2 min"), (3600, "at least 60 min")],
)
def test_the_outlook_is_in_minutes(floor: float, words: str) -> None:
    assert words in outlook(at(0, floor=floor))


def test_nothing_to_read_needs_no_outlook(capsys) -> None:
    assert told(capsys, at(0, total=0)) == ["settings: done  denied 2  throttled 1"]


def test_a_line_tells_how_fast_it_goes(capsys) -> None:
    lines = told(capsys, at(300, 30, stage="tables"), at(4000, 400, stage="tables"))

    assert lines == ["tables: 4,000 of 4,000  10.0/s  denied 2  throttled 1"]


@pytest.mark.parametrize(("done", "seconds"), [(0, 5), (1, 5), (100, 0.5)])
def test_a_rate_is_not_told_before_there_is_one(done: int, seconds: float) -> None:
    assert rate(at(done, seconds)) == ""


def test_quiet_is_quiet() -> None:
    with shown(quiet=True) as show:
        assert show is None


def test_a_terminal_gets_a_live_line_with_rate_denied_and_throttled(capsys, monkeypatch) -> None:
    import sys

    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("FORCE_COLOR", "1")

    said = "\n".join(told(capsys, at(0, floor=240), at(400, 40, floor=240)))

    assert "4,000 reads to go, at least 4 min" in said
    assert "10.0/s" in said
    assert "denied 2  throttled 1" in said

"""Journals: what was noted is there again, a damaged end costs only itself, and answers never mix."""

import os
import subprocess
import sys

import msgspec
import pytest

from auditor.documents import unreadable
from auditor.errors import SourceError
from auditor.sources.journal import open_journal

SCOPE = {"tenant": "t", "cloud": "public", "principal": "app (1)"}
NOW, LATER = "2026-11-22T07:00:00Z", "2026-11-22T08:00:00Z"
KIND = "Microsoft.KeyVault/vaults"


def vault(name):
    return {"id": f"/subscriptions/s/providers/{KIND}/{name}", "type": KIND, "name": name, "tags": {"ä": "</script>"}}


@pytest.fixture
def output(tmp_path):
    return tmp_path / "deep" / "contoso.snapshot"


@pytest.fixture
def partial(output):
    """A journal with three documents, as a killed process leaves it."""
    path = output.with_name("contoso.snapshot.partial")
    with open_journal(output) as journal:
        journal.begin(SCOPE, NOW)
        for name in "abc":
            journal.note(vault(name)["id"], KIND, vault(name))
    return path


def held(output, scope=SCOPE, **options):
    """Names of the documents that a new start finds."""
    with open_journal(output, **options) as journal:
        journal.begin(scope, LATER)
        return [n for n in "abcd" if journal.document(vault(n)["id"].upper(), KIND.lower()) == vault(n)]


def test_what_was_noted_is_there_again(output, partial):
    with open_journal(output) as journal:
        assert journal.begin(SCOPE, LATER)
        assert journal.document(vault("a")["id"], KIND) == vault("a")
        assert journal.document(vault("a")["id"], "Microsoft.KeyVault/managedHSMs") is None
        assert (journal.began, journal.resumed, journal.answers) == (NOW, 1, 3)
        journal.note(vault("d")["id"], KIND, vault("d"))
    assert held(output) == ["a", "b", "c", "d"]
    with open_journal(output) as journal:
        journal.begin(SCOPE, LATER)
        assert journal.resumed == 3


def test_every_line_is_json_and_only_its_owner_may_read_it(partial):
    lines = [msgspec.json.decode(line) for line in partial.read_bytes().splitlines()]
    assert [len(line) for line in lines] == [2, 2, 2, 2]
    assert lines[0][1]["scope"] == SCOPE
    assert partial.stat().st_mode & 0o077 == 0


def test_what_could_not_be_read_is_no_answer(output):
    with open_journal(output) as journal:
        journal.begin(SCOPE, NOW)
        journal.note("/a", KIND, unreadable("/a", KIND, reason="not permitted", status=403))
        journal.note("/b", KIND, {"id": "/b", "type": KIND, "$absent": {"status": 404}})
        journal.note("/c", KIND, {"id": "/c", "type": KIND, "$unsupported": {"status": 400}})
    with open_journal(output) as journal:
        journal.begin(SCOPE, LATER)
        assert journal.document("/a", KIND) is None
        assert "$absent" in journal.document("/b", KIND)
        assert "$unsupported" in journal.document("/c", KIND)


def test_a_line_torn_anywhere_costs_only_itself(output, partial):
    whole = partial.read_bytes()
    last = whole.rindex(b"\n", 0, -1) + 1
    for end in range(last, len(whole)):
        partial.write_bytes(whole[:end])
        assert held(output) == ["a", "b"], end
    partial.write_bytes(whole + b"\0" * 4096)  # what some file systems leave after a power cut
    assert held(output) == ["a", "b", "c"]


def test_a_torn_end_is_written_over(output, partial):
    partial.write_bytes(partial.read_bytes()[:-9])
    with open_journal(output) as journal:
        journal.begin(SCOPE, LATER)
        journal.note(vault("c")["id"], KIND, vault("c"))
        journal.note(vault("d")["id"], KIND, vault("d"))
    assert held(output) == ["a", "b", "c", "d"]


DAMAGE = {
    "a changed letter": (lambda lines: [*lines[:2], lines[2].replace(b'"name"', b'"nome"'), lines[3]], ["a"]),
    "a line left out": (lambda lines: [lines[0], *lines[2:]], []),
    "lines exchanged": (lambda lines: [*lines[:2], lines[3], lines[2]], ["a"]),
    "a line twice": (lambda lines: [*lines[:3], lines[2], lines[3]], ["a", "b"]),
    "a line of something else": (lambda lines: [*lines[:2], b"hello\n", *lines[2:]], ["a"]),
    "a checksum that is none": (lambda lines: [*lines[:2], b'["",' + lines[2][20:], lines[3]], ["a"]),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_stands_before_damage_counts_and_no_more(output, partial, damage):
    change, left = DAMAGE[damage]
    partial.write_bytes(b"".join(change(partial.read_bytes().splitlines(keepends=True))))
    assert held(output) == left


@pytest.mark.parametrize("start", [b"", b'["0123', b"\0" * 100])
def test_a_first_line_torn_by_a_crash_begins_anew(output, partial, start):
    partial.write_bytes(start)
    with open_journal(output) as journal:
        assert not journal.begin(SCOPE, LATER)
        assert journal.began == LATER


@pytest.mark.parametrize(
    "other",
    [{"tenant": "u"}, {"cloud": "china"}, {"principal": "someone"}, {"subscriptions": "a, b"}, {"tool_version": "9"}],
    ids=lambda other: next(iter(other)),
)
def test_another_collection_is_not_continued(output, partial, other):
    before = partial.read_bytes()
    with pytest.raises(SourceError, match="belongs to another collection") as error:
        held(output, {**SCOPE, **other})
    assert next(iter(other)) in error.value.message
    assert "contoso.snapshot.partial" in error.value.hint and "--fresh" in error.value.hint
    assert partial.read_bytes() == before


def test_another_version_is_not_continued(output, partial, monkeypatch):
    monkeypatch.setattr("auditor.sources.journal.VERSION", 2)
    with pytest.raises(SourceError, match="another version") as error:
        held(output)
    assert "--fresh" in error.value.hint


@pytest.mark.parametrize("content", [b"my notes\n", b"PK\x03\x04", b"{}\n"])
def test_a_file_that_is_no_journal_is_left_alone(output, content):
    path = output.with_name("contoso.snapshot.partial")
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(SourceError, match="not a journal"):
        held(output)
    assert path.read_bytes() == content


def test_fresh_begins_anew(output, partial):
    assert held(output, {**SCOPE, "tenant": "u"}, fresh=True) == []
    assert not partial.exists()


def test_one_process_at_a_time(output, partial):
    script = (
        "import sys; from pathlib import Path; from auditor.sources.journal import open_journal\n"
        "from auditor.errors import SourceError\n"
        "try:\n    with open_journal(Path(sys.argv[1])): print('mine')\n"
        "except SourceError as error: print(error)\n"
    )

    def other():
        command = [sys.executable, "-c", script, str(output)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    with open_journal(output):
        assert "another process is collecting into this file" in other()
        with pytest.raises(SourceError, match="another process"), open_journal(output):
            pass
    assert other() == "mine\n"
    assert held(output) == ["a", "b", "c"]


def test_a_file_removed_while_waiting_for_it_is_not_written_to(output, partial, monkeypatch):
    from auditor.sources import journal as module

    lock, calls = module._lock, []

    def finished_meanwhile(file):
        if not calls:
            partial.unlink()
        calls.append(file)
        lock(file)

    monkeypatch.setattr(module, "_lock", finished_meanwhile)
    with open_journal(output) as journal:
        assert not journal.begin(SCOPE, LATER)
        journal.note(vault("d")["id"], KIND, vault("d"))
    assert len(calls) == 2
    assert held(output) == ["d"]


def test_pages_of_several_lists_come_in_any_order_and_count_only_with_their_ends(output):
    rows = [vault(name) for name in "abcd"]
    with open_journal(output) as journal:
        journal.begin(SCOPE, NOW)
        journal.note("/x", KIND, {"id": "/x", "type": KIND})
        journal.note_page("one", rows[:2])
        journal.note_page("other", rows[2:3])
        journal.note_page("one", rows[2:])
        journal.note_end("one")
        assert list(journal.items("one")) == rows
    with open_journal(output) as journal:
        journal.begin(SCOPE, LATER)
        assert list(journal.items("one")) == rows
        assert journal.items("other") is None, "its last pages never came"


def test_lists_count_only_when_whole(output):
    rows = [vault(name) for name in "abc"]
    with open_journal(output) as journal:
        journal.begin(SCOPE, NOW)
        journal.note("/x", KIND, {"id": "/x", "type": KIND})
        journal.note_items("rows", rows)
        journal.note_items("empty", [])
    path = output.with_name("contoso.snapshot.partial")
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    with open_journal(output) as journal:
        journal.begin(SCOPE, LATER)
        assert journal.items("rows") is None
        journal.note_items("rows", rows)
    with open_journal(output) as journal:
        journal.begin(SCOPE, LATER)
        assert list(journal.items("rows")) == rows, "not those of the torn list as well"
        assert journal.items("empty") is None, "it may fill when a permission is granted"


def test_nothing_worth_going_on_with_leaves_no_file(output):
    with open_journal(output) as journal:
        assert journal.path.exists()
    assert not journal.path.exists()
    with open_journal(output) as journal:
        journal.begin(SCOPE, NOW)
        journal.note_items("subscriptions", [{"id": "/subscriptions/s"}])
    assert not journal.path.exists()


def test_a_finished_journal_is_gone(output, partial):
    with open_journal(output) as journal:
        journal.begin(SCOPE, LATER)
        journal.finish()
        assert not partial.exists()
    assert not partial.exists()


def test_a_full_disk_is_told_and_loses_nothing(output, partial, monkeypatch):
    with open_journal(output) as journal:
        journal.begin(SCOPE, LATER)
        monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        monkeypatch.setattr("auditor.sources.journal._SYNC_EVERY", -1)
        with pytest.raises(SourceError, match="cannot be written: No space left") as error:
            journal.note(vault("d")["id"], KIND, vault("d"))
        assert "the same command continues" in error.value.hint
    monkeypatch.undo()
    assert held(output)[:3] == ["a", "b", "c"]


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "occupied").mkdir()
    (tmp_path / "occupied.partial").mkdir()
    with pytest.raises(SourceError, match=r"occupied\.partial"), open_journal(tmp_path / "occupied"):
        pass

"""Snapshots: what was written is read again, and anything else is refused."""

import zipfile

import pytest

from auditor.documents import Collection, Run
from auditor.errors import SourceError
from auditor.sources import open_file, snapshot

DOCUMENTS = [
    {
        "id": "/subscriptions/s/providers/Microsoft.KeyVault/vaults/a",
        "type": "Microsoft.KeyVault/vaults",
        "name": "ä</script>",
    },
    {"id": "/subscriptions/s", "type": "Microsoft.Resources/subscriptions", "displayName": "S", "state": "Enabled"},
    {"id": "/x", "type": "../../etc/passwd", "value": []},
]
COLLECTION = Collection(documents=DOCUMENTS, run=Run(tenant="t", finished_at="2026-11-22T07:20:00Z", requests=3))


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "deep" / "contoso.snapshot"
    snapshot.write(path, COLLECTION)
    return path


def test_what_was_written_is_read_again(file):
    read = open_file(file)
    assert read.run == COLLECTION.run
    assert sorted(read.documents, key=str) == sorted(DOCUMENTS, key=str)


def test_the_same_documents_give_the_same_bytes(file, tmp_path):
    again = tmp_path / "again"
    snapshot.write(again, Collection(documents=DOCUMENTS[::-1], run=COLLECTION.run))
    assert again.read_bytes() == file.read_bytes()


def test_no_part_is_named_by_a_document(file):
    with zipfile.ZipFile(file) as archive:
        assert all(name == "manifest.json" or name.startswith("documents/") for name in archive.namelist())
        assert not any(".." in name.removesuffix(".jsonl") and "/../" in name for name in archive.namelist())


def test_an_old_file_survives_a_failed_write(file, monkeypatch):
    before = file.read_bytes()
    monkeypatch.setattr(snapshot, "_add", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        snapshot.write(file, COLLECTION)
    assert file.read_bytes() == before
    assert [p.name for p in file.parent.iterdir()] == [file.name]


def _rewrite(file, change):
    with zipfile.ZipFile(file) as archive:
        parts, comment = {name: archive.read(name) for name in archive.namelist()}, archive.comment
    parts = change(parts)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
        archive.comment = comment


def _of_s(parts):
    return next(name for name in parts if name == "documents/s.jsonl")


TAMPERED = {
    "a changed document": lambda p: {**p, _of_s(p): p[_of_s(p)].replace(b'"name"', b'"nome"')},
    "a part taken out": lambda p: {k: v for k, v in p.items() if k != _of_s(p)},
    "a part added": lambda p: {**p, "documents/more.jsonl": b"{}"},
    "a changed manifest": lambda p: {
        **p,
        "manifest.json": p["manifest.json"].replace(b'"tenant": "t"', b'"tenant": "u"'),
    },
}


@pytest.mark.parametrize("change", TAMPERED.values(), ids=TAMPERED.keys())
def test_a_tampered_snapshot_is_refused(file, change):
    _rewrite(file, change)
    with pytest.raises(SourceError, match="not as it was written") as error:
        open_file(file)
    assert error.value.exit_code == 2
    assert error.value.hint


@pytest.mark.parametrize("keep", [0.2, 0.5, 0.9, 0.999])
def test_a_truncated_snapshot_is_refused(file, keep):
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(SourceError, match="not a whole snapshot") as error:
        open_file(file)
    assert "cut short" in error.value.hint


def test_a_foreign_archive_is_refused(tmp_path):
    path = tmp_path / "photos.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("cat.jpg", b"meow")
    with pytest.raises(SourceError, match="no snapshot of this tool"):
        open_file(path)


def test_a_bomb_is_refused(file):
    _rewrite(file, lambda p: {**p, _of_s(p): b" " * 50_000_000})
    with pytest.raises(SourceError, match="unpacks to"):
        open_file(file)


def test_a_later_version_is_told_apart(file, monkeypatch):
    monkeypatch.setattr(snapshot, "VERSION", snapshot.VERSION + 1)
    snapshot.write(file, COLLECTION)
    monkeypatch.undo()
    with pytest.raises(SourceError, match="later version"):
        open_file(file)


@pytest.mark.parametrize("content", [b"", b"hello", b"{}", b"\x89PNG\r\n"])
def test_a_file_of_another_kind_is_refused(tmp_path, content):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(SourceError, match="not a file the auditor knows"):
        open_file(path)


def test_no_such_file(tmp_path):
    with pytest.raises(SourceError, match="no such file"):
        open_file(tmp_path / "nope")


def test_the_parts_of_an_older_version_were_providers(file, monkeypatch):
    monkeypatch.setattr(snapshot, "VERSION", 1)
    groups = [("documents/all.jsonl", sorted(COLLECTION.documents, key=snapshot.by_id))]
    snapshot.write_groups(file, groups, COLLECTION.run)
    monkeypatch.undo()
    assert open_file(file).documents == sorted(COLLECTION.documents, key=snapshot.by_id)
    assert snapshot.open_parts(file) is None


def test_parts_hold_whole_subscriptions(file):
    parts = snapshot.open_parts(file)
    assert parts.run == COLLECTION.run
    assert parts.count == len(COLLECTION.documents)
    documents = [doc for group in parts.groups() for doc in parts.documents(group)]
    assert sorted(documents, key=snapshot.by_id) == sorted(COLLECTION.documents, key=snapshot.by_id)

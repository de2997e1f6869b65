"""Documents on disk: each once, found whatever the case, by subscription, and bounded."""

import pytest

from auditor.documents import Run
from auditor.errors import SourceError
from auditor.sources import snapshot
from auditor.sources.spool import Spool, packed, unpacked

KIND = "Microsoft.KeyVault/vaults"


def vault(name, sub="s"):
    return {
        "id": f"/subscriptions/{sub}/providers/{KIND}/{name}",
        "type": KIND,
        "name": name,
        "tags": {"ä": "</script>"},
    }


@pytest.fixture
def spool():
    spool = Spool()
    for document in (vault("b"), vault("a"), vault("c", "T"), {"id": "/tenants/t", "type": "x", "n": 2**70}):
        assert spool.add(document)
    return spool


def test_a_document_is_kept_once_and_found_whatever_its_case(spool):
    again = {**vault("a"), "id": vault("a")["id"].upper(), "name": "other"}
    assert not spool.add(again)
    assert spool.get(again["id"], KIND.lower()) == vault("a")
    assert spool.get(again["id"], "Microsoft.KeyVault/managedHSMs") is None
    assert spool.count == 4


def test_what_is_added_between_reads_is_found(spool):
    assert spool.get(vault("b")["id"], KIND) == vault("b")
    spool.add(vault("d"))
    assert spool.get(vault("d")["id"], KIND) == vault("d")
    assert spool.documents("s") == [vault("b"), vault("a"), vault("d")]


def test_documents_by_subscription(spool):
    assert spool.groups() == ["", "s", "t"]
    assert spool.documents("t") == [vault("c", "T")]
    assert spool.documents("") == [{"id": "/tenants/t", "type": "x", "n": 2**70}]


def test_a_snapshot_of_it_is_that_of_the_collection(spool, tmp_path):
    spool.run = Run(tenant="t")
    snapshot.write_spool(tmp_path / "a.snapshot", spool)
    snapshot.write(tmp_path / "b.snapshot", spool.collection())
    assert (tmp_path / "a.snapshot").read_bytes() == (tmp_path / "b.snapshot").read_bytes()
    assert snapshot.read(tmp_path / "a.snapshot") == spool.collection()


def test_subscriptions_that_would_have_one_name_share_a_part(tmp_path):
    spool = Spool()
    for name in ("a.b", "a:b"):
        spool.add(vault("v", name))
    snapshot.write_spool(tmp_path / "a.snapshot", spool)
    assert [len(snapshot.open_parts(tmp_path / "a.snapshot").documents("documents/a_b.jsonl"))] == [2]


@pytest.mark.parametrize("place", [(0, 0), (1, 2), (2**33, 2**30 - 1)])
def test_places(place):
    assert unpacked(packed(*place)) == place


@pytest.mark.parametrize("place", [(2**34, 1), (0, 2**30)])
def test_what_cannot_be_held_is_refused(place):
    with pytest.raises(SourceError, match="more to read"):
        packed(*place)


def test_a_full_disk_is_told(spool, monkeypatch):
    class Full:
        def write(self, data):
            raise OSError(28, "No space left on device")

        def close(self):
            pass

    spool.close()
    monkeypatch.setattr(spool, "_file", Full())
    with pytest.raises(SourceError, match="No space left") as error:
        spool.add(vault("z"))
    assert "TMPDIR" in error.value.hint

"""A snapshot of a million resources, to be judged by `auditor scan`: `python benchmarks/large.py write FILE`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from cases import documents

from auditor.documents import Document, Run, subscription_of
from auditor.sources import snapshot

SUBSCRIPTIONS, EACH = 200, 5_000
_GUID = "00000000-0000-0000-0000-000000000000"


def groups() -> Iterator[tuple[str, Sequence[Document]]]:
    """The same subscription again and again under other ids, all sending their logs to a workspace in the first."""
    made = list(documents(EACH, 1))
    central = next(d["id"] for d in made if d["type"].endswith("/workspaces"))
    shared = [d for d in made if d["id"].startswith(central)]
    once = {id(d) for d in made if d["id"].startswith(central) or d["type"].endswith("Categories")}
    text = msgspec.json.encode([d for d in made if id(d) not in once]).decode().replace(central, "@central@")
    for number in range(SUBSCRIPTIONS):
        guid = f"00000000-0000-0000-0000-{number:012d}"
        own = msgspec.json.decode(text.replace(_GUID, guid).replace("@central@", central))
        if number == 0:
            own += [*shared, *(d for d in made if id(d) in once and d not in shared)]
        assert {subscription_of(d["id"]) for d in own} == {guid}
        yield snapshot.part_name(guid), sorted(own, key=snapshot.by_id)


if __name__ == "__main__":
    snapshot.write_groups(Path(sys.argv[2]), groups(), Run(finished_at="2026-11-22T07:20:00Z"))

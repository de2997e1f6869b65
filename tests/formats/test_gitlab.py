"""GitLab's code quality report."""

import json

from coded import at, coded_report, found

from auditor.formats import gitlab


def read(report):
    return json.loads(gitlab.render(report))


def test_failures_with_their_place_the_gravest_first():
    told = read(coded_report())
    assert [(one["severity"], one["location"]["path"], one["location"]["lines"]["begin"]) for one in told] == [
        ("blocker", "infra/prod/main.tf", 30),
        ("critical", "infra/prod/main.tf", 12),
        ("critical", "infra/prod/modules/net/main.tf", 1),
        ("minor", "infra/prod/main.tf", 5),
    ]
    assert told[1]["check_name"] == "keyvault-audit-logs"
    assert told[1]["description"] == "kv-one sends no AuditEvent log to any destination that exists."


def test_fingerprints_are_unique_and_do_not_move_with_the_line(realistic):
    told = read(realistic)
    assert len({one["fingerprint"] for one in told}) == len(told) > 50
    before, after = (read(coded_report([found("kv", origin=at(line, "v.kv"))])) for line in (1, 100))
    assert before[0]["fingerprint"] == after[0]["fingerprint"]


def test_paths_never_leave_the_repository_and_texts_are_bounded(hostile, empty):
    assert read(empty) == []
    for one in read(hostile):
        path = one["location"]["path"]
        assert not path.startswith("/") and ".." not in path.split("/")
        assert len(one["description"]) <= 1000

"""Acceptances in comments: what is understood, and that a mistake never accepts anything."""

import pytest

from auditor.sources.comments import MOST_LINES, acceptances_in, acceptances_of, loose

GOOD = {"rule": "keyvault-audit-logs", "reason": "Lab", "until": "2027-03-31", "file": "main.tf", "line": 7}
SAID = 'auditor:accept keyvault-audit-logs reason="Lab" until=2027-03-31'
UNDERSTOOD = {
    "hash": f"# {SAID}",
    "slashes": f"// {SAID}",
    "slashes, Windows": f"// {SAID}\r\n",
    "one line of stars": f"/* {SAID} */",
    "stars at once": f"/*{SAID}*/",
    "without a delimiter": SAID,
    "the other way round": '# auditor:accept keyvault-audit-logs until=2027-03-31 reason="Lab"',
    "quotes everywhere": '# Auditor:Accept keyvault-audit-logs until="2027-03-31" Reason = Lab',
    "after other words": f"# TODO (see #12) {SAID}",
    "spaces in the reason": '# auditor:accept keyvault-audit-logs reason=" Lab " until=2027-03-31',
}


@pytest.mark.parametrize("comment", UNDERSTOOD.values(), ids=UNDERSTOOD)
def test_what_is_understood(comment):
    assert acceptances_in(comment, "main.tf", 7) == [GOOD]


def test_several_rules_lines_and_quotes():
    comment = '/* why:\n * auditor:accept a-b, c-d,a-b reason="\\"Lab\\" */ = no" until=2027-03-31\n */'
    found = acceptances_in(comment, "x", 1)
    assert [(each["rule"], each["reason"], each["line"]) for each in found] == [
        ("a-b", '"Lab" */ = no', 2), ("c-d", '"Lab" */ = no', 2),
    ]  # fmt: skip


MISTAKES = {
    "no rule": ("auditor:accept", "names no rule"),
    "no rule but words": ('auditor:accept reason="x" until=2027-03-31', "names no rule"),
    "no reason": ("auditor:accept a until=2027-03-31", "gives no reason"),
    "an empty reason": ('auditor:accept a reason=" " until=2027-03-31', "gives no reason"),
    "no day": ('auditor:accept a reason="x"', "gives no last day"),
    "a day that is none": ('auditor:accept a reason="x" until=2027-02-30', '"2027-02-30" is not a day'),
    "a day of another form": ('auditor:accept a reason="x" until=20270330', "is not a day"),
    "no quotes": ("auditor:accept a reason=only a lab until=2027-03-31", '"a" is not understood'),
    "quotes left open": ('auditor:accept a reason="lab until=2027-03-31', "is not understood"),
    "a word of one's own": ('auditor:accept a reason="x" until=2027-03-31 ticket=7', '"ticket=7" is not understood'),
    "another tool's word": ('auditor:ignore a reason="x" until=2027-03-31', '"auditor:ignore" means nothing'),
    "all rules": ('auditor:accept * reason="x" until=2027-03-31', "names no rule"),
    "long": (f'auditor:accept a reason="{"x" * 3000}" until=2027-03-31', "longer than 2,000 characters"),
    "many rules": (f'auditor:accept {",".join(map(str, range(60)))} reason="x" until=2027-03-31', "more than 50 rules"),
}  # fmt: skip


@pytest.mark.parametrize(("said", "problem"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_accepts_nothing_and_says_what_it_is(said, problem):
    (found,) = acceptances_in(f"# {said}", "main.tf", 3)
    assert problem in found["problem"]
    assert (found["file"], found["line"]) == ("main.tf", 3)
    assert "rule" not in found


@pytest.mark.parametrize("comment", ["# the auditor: accept nothing", "# my-auditor:accept a", "# auditor:accepted a",
                                     "", "/*", "# https://auditor:8080/x"])  # fmt: skip
def test_other_comments_mean_nothing(comment):
    assert acceptances_in(comment, "main.tf", 1) == []


def test_hostile_comments_are_bounded():
    assert len(acceptances_in("auditor:accept\n" * 50_000, "x", 1)) == MOST_LINES
    assert len(acceptances_in("auditor:accept " + 'a="' * 600 + "," * 100_000, "x", 1)) == 1
    assert acceptances_in("auditor:" * 100_000, "x", 1) == []
    (found,) = acceptances_in('auditor:accept a reason="' + "\\" * 1500, "x", 1)
    assert "problem" in found


def test_metadata_of_a_template_says_the_same():
    entry = {"rule": "a, b", "reason": "Lab", "until": "2027-03-31"}
    found = acceptances_of({"auditor": {"accept": [entry]}}, "t.json", 4)
    assert [each["rule"] for each in found] == ["a", "b"]
    assert acceptances_of({"auditor": {"accept": entry}}, "t.json", 4) == found
    for odd in (None, {}, [], {"auditor": 1}, {"auditor": {}}):
        assert acceptances_of(odd, "t.json", 4) == []
    for odd in ("x", {"rule": 1}, {**entry, "until": None}, {**entry, "reason": ["x"]}, []):
        (wrong,) = acceptances_of({"auditor": {"accept": [odd]}}, "t.json", 4)
        assert "problem" in wrong


def test_what_stands_beside_nothing_has_a_document_of_its_own():
    (document,) = loose([GOOD, {**GOOD, "line": 9}])
    assert document["type"] == "Auditor/acceptances"
    assert [record["line"] for record in document["$accept"]] == [7, 9]

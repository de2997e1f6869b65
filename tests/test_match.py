"""value × condition → True, False, None, in one table."""

import pytest

from auditor.inventory import Destination, Resource, Unknown
from auditor.match import ConditionError, Scope, compile_match

U = Unknown(reason="403 AuthorizationFailed")
RESOURCE = Resource(
    id="/subscriptions/s/x",
    shown_id="/subscriptions/S/x",
    type="Microsoft.Test/things",
    name="Thing-1",
    subscription="s",
    location="westeurope",
    tags={"env": "Prod"},
    properties={
        "state": "Succeeded",
        "on": "on",
        "days": 30,
        "none": None,
        "flag": False,
        "list": ["a", "B"],
        "empty": [],
        "later": {"$unknown": "known after apply"},
        "rules": [{"access": "Allow", "port": 22}, {"access": "Deny", "port": 80}],
        "nested": {"deep": {"x": 1}},
    },
    facts={"public": True, "coverage": U, "kept": float("inf")},
)

CASES = [
    ("text without case", {"properties.state": "succeeded"}, True),
    ("other text", {"properties.state": "Failed"}, False),
    ("property name without case", {"properties.STATE": "Succeeded"}, True),
    ("yaml on stays text", {"properties.on": "ON"}, True),
    ("number", {"properties.days": 30}, True),
    ("a boolean is no number", {"properties.flag": 0}, False),
    ("one of a list", {"location": ["northeurope", "WestEurope"]}, True),
    ("one of none", {"location": []}, False),
    ("missing value", {"properties.nope": "x"}, False),
    ("null equals null", {"properties.none": None}, True),
    ("missing equals null", {"properties.nope": None}, True),
    ("reference", {"subscription": "$subscription"}, True),
    ("reference to a parameter", {"properties.days": {"at_least": "$params.days"}}, False),
    ("reference to a list parameter", {"location": "$params.regions"}, True),
    ("a doubled dollar is text", {"name": "$$name"}, False),
    ("tagged", {"tags": {"tagged": ["ENV=prod"]}}, True),
    ("tagged with wildcards", {"tags": {"tagged": ["app=*", "e?v=pro*"]}}, True),
    ("tagged is anchored", {"tags": {"tagged": ["env=pro", "nv=prod"]}}, False),
    ("tagged by a parameter", {"tags": {"tagged": "$params.tags"}}, True),
    ("tagged by a parameter that is a number", {"tags": {"tagged": "$params.days"}}, False),
    ("tagged by a parameter that is one", {"tags": {"tagged": "$params.tag"}}, True),
    ("what has no tags is not tagged", {"properties.nope": {"tagged": ["env=prod"]}}, False),
    ("tags that are not known", {"facts.coverage": {"tagged": ["env=prod"]}}, None),
    ("not", {"location": {"not": "westeurope"}}, False),
    ("not unknown", {"facts.coverage": {"not": "covered"}}, None),
    ("any", {"properties.list": {"any": "b"}}, True),
    ("any of nested", {"properties.rules": {"any": {"access": "allow", "port": 22}}}, True),
    ("any needs one that meets all lines", {"properties.rules": {"any": {"access": "deny", "port": 22}}}, False),
    ("all", {"properties.list": {"all": ["a", "b"]}}, True),
    ("all of an empty list", {"properties.empty": {"all": "x"}}, True),
    ("any of an empty list", {"properties.empty": {"any": "x"}}, False),
    ("present", {"properties.state": {"present": True}}, True),
    ("an empty list is not present", {"properties.empty": {"present": True}}, False),
    ("absent", {"properties.nope": {"present": False}}, True),
    ("like", {"name": {"like": "thing-*"}}, True),
    ("like is anchored", {"name": {"like": "hing"}}, False),
    ("like one of a list", {"name": {"like": ["x*", "THING-?"]}}, True),
    ("like one of a parameter", {"location": {"like": "$params.regions"}}, True),
    ("like none of an empty parameter", {"location": {"like": "$params.nothing"}}, False),
    ("like a parameter that is one text", {"location": {"like": "$params.one"}}, True),
    ("an unknown like a parameter", {"facts.coverage": {"like": "$params.regions"}}, None),
    ("a parameter that was given", {"params.regions": {"present": True}}, True),
    ("a parameter that was given nothing", {"params.nothing": {"present": True}}, False),
    (
        "a parameter that was given nothing spares what follows",
        {"params.nothing": {"present": True}, "facts.coverage": "covered"},
        False,
    ),
    ("at least", {"properties.days": {"at_least": 30}}, True),
    ("between", {"properties.days": {"at_least": 1, "at_most": 29}}, False),
    ("no expiry is at least anything", {"facts.kept": {"at_least": 99999}}, True),
    ("a missing number is not at least", {"properties.nope": {"at_least": 0}}, False),
    ("text is not at least", {"properties.state": {"at_least": 0}}, False),
    ("count", {"properties.list": {"count": 2}}, True),
    ("count with an operator", {"properties.empty": {"count": {"at_least": 1}}}, False),
    ("count of nothing", {"properties.nope": {"count": 0}}, True),
    ("nested lines", {"properties.nested": {"deep.x": 1}}, True),
    ("nested lines on text", {"properties.state": {"x": 1}}, False),
    ("tags", {"tags.env": "prod"}, True),
    ("unknown", {"facts.coverage": "covered"}, None),
    ("below an unknown", {"facts.coverage.more": 1}, None),
    ("unknown is not present or absent", {"facts.coverage": {"present": True}}, None),
    ("known after apply", {"properties.later": "x"}, None),
    ("unknown and false is false", {"facts.coverage": "covered", "facts.public": False}, False),
    ("unknown and true is unknown", {"facts.coverage": "covered", "facts.public": True}, None),
    ("any_of with one true", {"any_of": [{"facts.coverage": "x"}, {"facts.public": True}]}, True),
    ("any_of with none", {"any_of": [{"facts.public": False}, {"name": "x"}]}, False),
    ("any_of with an unknown", {"any_of": [{"facts.public": False}, {"facts.coverage": "x"}]}, None),
]


@pytest.mark.parametrize(("condition", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_table(condition, expected):
    params = {"days": 90, "regions": ["uksouth", "westeurope"], "nothing": [], "one": "west*"}
    scope = Scope(RESOURCE, {**params, "tags": ["a=b", "env=*"], "tag": "env=prod"})
    assert compile_match(condition, (), [])(RESOURCE, scope) is expected


def test_the_tags_of_a_destination_are_a_list_of_texts():
    tagged = compile_match({"tags": {"tagged": "$params.tags"}}, (), [])
    scope = Scope(RESOURCE, {"tags": ["logs=cent*"]})
    assert tagged(Destination(kind="storage", id="/d", tags=("env=prod", "Logs=Central")), scope) is True
    assert tagged(Destination(kind="storage", id="/d", tags=("env=prod",)), scope) is False
    assert tagged(Destination(kind="storage", id="/d", tags=U), scope) is None


def test_why_it_cannot_be_told_is_noted():
    scope = Scope(RESOURCE)
    compile_match({"facts.coverage": "covered"}, (), [])(RESOURCE, scope)
    assert scope.seen == [U]


def test_a_destination_can_be_matched():
    kept = compile_match({"retention_days": {"at_least": 90}}, (), [])
    assert kept(Destination(kind="storage", id="/d", retention_days=30.0), Scope(RESOURCE)) is False
    assert kept(Destination(kind="storage", id="/d", retention_days=U), Scope(RESOURCE)) is None


BROKEN = [
    ("no lines", {}, ()),
    ("operator without a path", {"any": 1}, ("any",)),
    ("a word that is no operator", {"days": {"at_least": 1, "at_lest": 2}}, ("days", "at_lest")),
    ("tagged takes a list", {"tags": {"tagged": "env=prod"}}, ("tags", "tagged")),
    ("tagged takes texts", {"tags": {"tagged": [{"env": "prod"}]}}, ("tags", "tagged")),
    ("at_least takes a number", {"days": {"at_least": "many"}}, ("days", "at_least")),
    ("like takes text", {"days": {"like": 3}}, ("days", "like")),
    ("like takes a list of texts", {"days": {"like": ["a", 3]}}, ("days", "like")),
    ("present takes true or false", {"days": {"present": "yes"}}, ("days", "present")),
    ("any_of takes a list", {"any_of": {"a": 1}}, ("any_of",)),
    ("a list holds plain values", {"days": [[1]]}, ("days", 0)),
]


@pytest.mark.parametrize(("condition", "path"), [c[1:] for c in BROKEN], ids=[c[0] for c in BROKEN])
def test_a_wrong_condition_names_its_place(condition, path):
    with pytest.raises(ConditionError) as error:
        compile_match(condition, (), [])
    assert error.value.path == path

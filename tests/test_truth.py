"""Three-valued logic: the laws that every judgement leans on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.inventory import Unknown
from auditor.truth import every, negate, some

TRUTHS = st.lists(st.sampled_from([True, False, None]), max_size=8)


@given(TRUTHS)
def test_de_morgan(truths):
    assert negate(every(truths)) is some(negate(t) for t in truths)


@given(TRUTHS, TRUTHS)
def test_order_and_grouping_do_not_matter(left, right):
    assert every(left + right) is every([every(left), every(right)]) is every(right + left)


@given(TRUTHS)
def test_learning_an_unknown_never_overturns_a_certain_answer(truths):
    for combine in (every, some):
        certain = combine(truths)
        if certain is not None:
            for guess in (True, False):
                assert combine([guess if t is None else t for t in truths]) is certain


def test_an_unknown_has_no_truth_value():
    with pytest.raises(TypeError, match="403"):
        bool(Unknown(reason="403"))

"""Evaluate Terraform's code in this process: one child for each small folder would take most of a test's time."""

from __future__ import annotations

import pytest


@pytest.fixture
def in_process(monkeypatch):
    """No child process for the evaluator; what is about that process does without this."""
    import tfparse

    from auditor.sources import hcl
    from auditor.sources.hcl import evaluator

    def evaluate(folder, variables=(), *, limit=0.0):
        try:
            told = tfparse.load_from_path(str(folder), vars_paths=list(variables) or None)
        except tfparse.ParseError as error:
            raise evaluator.LostError(str(error)) from None
        return evaluator.shaped(told)

    monkeypatch.setattr(hcl, "evaluate", evaluate)

# Needs Python 3.11 or newer and make. Every target sets up what it needs in .venv.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test check bench format clean

demo: .venv/installed
	$(BIN)/auditor demo -o demo

test: .venv/dev scripts/test_tools.sh
	scripts/test_tools.sh
	$(BIN)/python -m pytest -n 2

check: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/make_generated.py --check
	$(BIN)/python scripts/mutate_rules.py

bench: .venv/dev
	$(BIN)/python benchmarks/run.py

format: .venv/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python scripts/make_generated.py

clean:
	rm -rf .venv node_modules demo

.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -e .
	touch $@

.venv/dev: .venv/installed
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@

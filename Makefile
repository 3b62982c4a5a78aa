.PHONY: setup run test lint coverage bench chaos
PYTHON ?= python3
BIN := .venv/bin

setup: .venv/installed
.venv/installed: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --requirement requirements.lock
	@touch $@

run: setup
	$(BIN)/python main.py demo

test: setup
	$(BIN)/python -m pytest -n 2 --dist loadfile

# The servers that tests start are measured too, but those that are killed: the real figures are higher.
coverage: setup
	$(BIN)/python -m pytest -n 2 --dist loadfile --cov --cov-report=
	for room in accounts generation handlers server storage; do $(BIN)/coverage report --include="$$room/*" --fail-under=90 || exit 1; done

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Also needs the Debian packages wrk and nginx-light. ARGS="--quick", ARGS="polls --out report.md"; --help tells more.
bench: setup bench/.venv/installed
	$(BIN)/python -m bench $(ARGS)

bench/.venv/installed: bench/requirements.txt
	$(PYTHON) -m venv bench/.venv
	bench/.venv/bin/pip install --quiet --disable-pip-version-check --requirement bench/requirements.txt
	@touch $@

# The long runs: about 40 minutes. ARGS="--quick", ARGS="--only SIGSTOP --seed 7".
chaos: setup
	$(BIN)/python -m tests.chaos $(ARGS)

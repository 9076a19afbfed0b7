# Two commands to know: `make demo` shows warden at work, `make test` tests it.
# Everything lives in $(VENV); delete it to start afresh.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
DEMO_DIR ?= demo-out
UNIT := systemd/warden.service
REPLICATES ?= 20
STATEFUL_EXAMPLES ?= 250
FUZZ_SECONDS ?= 30

.PHONY: help demo test test-slow test-crash test-stateful test-fuzz test-long-life test-faults lint types check format bench bench-engine bench-detection bench-backtest bench-delivery docs test-systemd test-systemd-static clean

help:
	@echo "make demo                 the main job on this machine, with no account"
	@echo "make test                 all tests"
	@echo "make test-slow            those that take minutes: backtests of years, kill loops"
	@echo "make test-stateful        random lives beside a model (STATEFUL_EXAMPLES=250 STATEFUL_SEED=7)"
	@echo "make test-fuzz            damaged input, anew at each run (FUZZ_SECONDS=600, FUZZ_ONLY=rules:17, FUZZ_START=…)"
	@echo "make test-long-life       a year of daily polls: what grows, and what must not (LONG_DAYS=365)"
	@echo "make test-faults          a running daemon under each fault of a list (as root: full disks too)"
	@echo "make test-crash           lives killed at system calls and at random (CRASH=all KILLS=1000)"
	@echo "make lint types           ruff, mypy"
	@echo "make docs                 docs/rules.md from the models"
	@echo "make bench                the benchmarks"
	@echo "make bench-engine         the engine beside ElastAlert 2 and PostGIS"
	@echo "make bench-detection      detectors side by side; floors held (REPLICATES=20)"
	@echo "make bench-backtest       50,000 events, eight years by weeks, all shipped rules"
	@echo "make bench-delivery       webhooks a second and kill -9, beside Alertmanager"
	@echo "make test-systemd         the service in a container booted by systemd (as root)"
	@echo "make test-systemd-static  the unit, by systemd's own checkers"
	@echo "make clean                remove what these made"

demo: $(VENV)/.demo
	@$(BIN)/python -m warden demo --directory $(DEMO_DIR)

# Half as many again as there are cores: many tests wait for a process or a clock.
test: $(VENV)/.test
	@PYTEST_XDIST_AUTO_NUM_WORKERS=$${PYTEST_XDIST_AUTO_NUM_WORKERS:-$$(( ($$(nproc) * 3 + 1) / 2 ))} \
	  $(BIN)/python -m pytest $(PYTEST_ARGS)

test-slow: $(VENV)/.test
	@$(BIN)/python -m pytest -m slow --timeout 1200 --ignore tests/systemd \
	  --ignore tests/crash --ignore tests/stateful --ignore tests/fuzz --ignore tests/long_life \
	  --ignore tests/faults $(PYTEST_ARGS)

test-crash: $(VENV)/.test
	@CRASH="$(CRASH)" KILLS="$(KILLS)" $(BIN)/python -m pytest -n0 -m slow tests/crash $(PYTEST_ARGS)

test-faults: $(VENV)/.test
	@command -v strace >/dev/null || { \
	  echo "make: strace is missing; as root: apt-get install strace" >&2; exit 1; }
	@$(BIN)/python -m pytest -n2 -m "slow or not slow" tests/faults $(PYTEST_ARGS)

test-stateful: $(VENV)/.test
	@STATEFUL_EXAMPLES=$(STATEFUL_EXAMPLES) STATEFUL_SEED=$(STATEFUL_SEED) \
	  $(BIN)/python -m pytest -n0 -m slow tests/stateful $(PYTEST_ARGS)

test-fuzz: $(VENV)/.test
	@FUZZ_SECONDS=$(FUZZ_SECONDS) FUZZ_ONLY="$(FUZZ_ONLY)" FUZZ_START="$(FUZZ_START)" \
	  $(BIN)/python -m pytest -n0 -s -m slow tests/fuzz $(PYTEST_ARGS)

test-long-life: $(VENV)/.test
	@LONG_DAYS=$(LONG_DAYS) nice $(BIN)/python -m pytest -n0 -s -m slow tests/long_life $(PYTEST_ARGS)

lint: $(VENV)/.lint
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: $(VENV)/.lint
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

types: $(VENV)/.lint
	@$(BIN)/mypy

check: lint types test test-systemd-static

bench: $(VENV)/.test
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python "$$script"; done

bench-engine: $(VENV)/.test
	@nice -n 10 $(BIN)/python benchmarks/engine.py $(BENCH_ARGS)

bench-detection: $(VENV)/.test
	@nice -n 10 $(BIN)/python benchmarks/detection.py --replicates $(REPLICATES) --processes 2 $(BENCH_ARGS)

bench-backtest: $(VENV)/.test
	@$(BIN)/python benchmarks/backtest.py $(BENCH_ARGS)

bench-delivery: $(VENV)/.test
	@$(BIN)/python benchmarks/delivery.py $(BENCH_ARGS)

docs: $(VENV)/.demo
	@$(BIN)/python -m warden.rulebook.reference docs/rules.md

test-systemd: $(VENV)/.test
	@$(BIN)/python -m pytest -n0 -m slow --timeout 1200 tests/systemd/test_container.py

test-systemd-static:
	@command -v systemd-analyze >/dev/null || { \
	  echo "make: systemd-analyze is missing; as root: apt-get install systemd" >&2; exit 1; }
	@place=$$(mktemp -d); trap 'rm -rf "$$place"' EXIT; \
	  sed 's#^ExecStart=[^ ]*#ExecStart=/bin/true#' $(UNIT) > "$$place/warden.service"; \
	  said=$$(systemd-analyze verify "$$place/warden.service" 2>&1) || { echo "$$said"; exit 1; }; \
	  if [ -n "$$said" ]; then echo "$$said"; exit 1; fi; \
	  systemd-analyze security --offline=true --threshold=15 --no-pager \
	    "$$place/warden.service" | tail -n 1; \
	  systemd-sysusers --dry-run --root="$$place" "$$PWD/systemd/warden.sysusers" >/dev/null 2>&1; \
	  echo "systemd/: verified"

clean:
	@rm -rf $(VENV) $(DEMO_DIR) .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage htmlcov

# --- the environment --------------------------------------------------------------------------
# A stamp file per set of extras, renewed when pyproject.toml changes. On a fresh Debian python3
# comes without venv: installed when we may, explained when we may not.

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "make: warden needs Python 3.11 or later as '$(PYTHON)'" \
	       "(another one: make PYTHON=/path/to/python)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "Installing python3-venv"; \
	    export DEBIAN_FRONTEND=noninteractive; \
	    apt-get update -qq && \
	    apt-get install -y -qq --no-install-recommends python3-venv >/dev/null; \
	  else \
	    echo "make: python3-venv is missing; as root: apt-get install python3-venv" >&2; exit 1; \
	  fi; }
	@[ -x $(BIN)/python ] || { echo "Making $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@touch $@

$(VENV)/.demo $(VENV)/.test $(VENV)/.lint: $(VENV)/.%: pyproject.toml | $(VENV)/.made
	@echo "Installing warden and what '$*' needs into $(VENV) (a minute or two)"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-input \
	  --root-user-action=ignore -e '.[$*]'
	@touch $@

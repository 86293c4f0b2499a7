# Firmament from a fresh clone: python3 (3.11 or newer) and make are all it takes. `make` lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# The first Python that is new enough; `make PYTHON=... setup` names another.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo "$$python"; exit; fi; \
	done; echo python3)
VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready
CORES := --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

# Airflow's configuration of whoever calls must not reach the tests or the stack.
unexport AIRFLOW_HOME

.PHONY: help setup airflow demo test test-fast lint up down health psql bench truth trust soak lock ranges clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## create .venv with the locked packages; does nothing when they are there

$(READY): requirements-dev.txt .ci/install.py
	@command -v $(PYTHON) >/dev/null || { \
		echo "setup: python3 was not found; install Python 3.11 or newer, or: make PYTHON=/path/to/python3 setup" >&2; exit 1; }
	@$(PYTHON) .ci/install.py
	@touch $@

airflow: $(READY) ## put another Airflow into .venv, for tests: make airflow AIRFLOW=3.2.2
	@test -n "$(AIRFLOW)" || { echo "airflow: name the version: make airflow AIRFLOW=3.2.2" >&2; exit 1; }
	@$(PY) .ci/install.py "apache-airflow==$(AIRFLOW)"

demo: $(READY) ## load two firms of real data, run their DAGs in Airflow, show what came out
	@$(PY) -m include.demo

test: $(READY) ## run the whole test suite
	@$(PY) -m pytest $(CORES)

test-fast: $(READY) ## run the tests that start no Airflow
	@$(PY) -m pytest $(CORES) -m "not airflow"

lint: $(READY) ## check style, types, SQL and the direction of imports
	@$(PY) -m ruff check
	@$(PY) -m ruff format --check
	@$(PY) -m mypy
	@$(PY) -m sqlfluff lint --disable-progress-bar include/sql
	@$(PY) -m pytest -q tests/test_imports.py

up: $(READY) ## start PostgreSQL and Airflow, and wait until every part is healthy
	@$(PY) -m include.stack up

down: $(READY) ## end all of it
	@$(PY) -m include.stack down

health: $(READY) ## say what is wrong with each part
	@$(PY) -m include.stack health

psql: $(READY) ## open psql on the warehouse
	@$(PY) -m include.stack psql

bench: $(READY) ## run the paired benchmarks and write docs/bench.json
	@$(PY) -m bench
	@$(PY) -m bench.views

truth: $(READY) ## measure predictions out of time beside simple rivals, write docs/truth.json
	@$(PY) -m bench.truth

trust: $(READY) ## inject faults, fuzz, print the scorecard and write docs/trust.json
	@$(PY) -m trust

soak: $(READY) ## open pages in a browser (needs Debian's package chromium), run Airflow with 1,000 firms
	@$(PY) -m pytest soak

LOCK := $(PY) -m uv pip compile --quiet --universal --python-version 3.11 --custom-compile-command "make lock"

lock: $(READY) ## compile requirements*.in into the pinned requirements*.txt
	@$(LOCK) requirements.in --output-file requirements.txt
	@$(PY) -m tools.write_ranges
	@$(LOCK) requirements-dev.in --constraints requirements.txt --output-file requirements-dev.txt

ranges: $(READY) ## resolve requirements-ranges.in beside the oldest and the newest Airflow
	@$(PY) -m tools.write_ranges --resolve

clean: down ## end the stack and delete all it kept, the warehouse included
	@rm -rf .firmament

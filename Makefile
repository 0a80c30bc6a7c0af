# Two commands do everything on a fresh machine: `make run` and `make test`. They need make and Python >= 3.11.
.DEFAULT_GOAL := help
SHELL := /bin/sh

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
EXPERIMENT ?= experiments/quick.yaml
# Some Pythons (those of container images) come without compiled modules and without leave to write any: a second
# more at every start of a process. So compiled modules have a place of their own.
export PYTHONPYCACHEPREFIX := $(CURDIR)/$(VENV)/pycache
# The first Python that is new enough; `make PYTHON=/path/to/python run` takes another.
PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,$(shell \
	$(name) -c 'import sys, venv, ensurepip; sys.version_info >= (3, 11) and print("$(name)")' 2>/dev/null)))

.PHONY: help run test check generate format bench bench-load bench-aa bench-analysis bench-compile stack stack-check stack-down lock clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(INSTALLED)  ## run the quick experiment (about 15 minutes) and write its report under reports/
	@$(BIN)/sloproof run $(EXPERIMENT) || case $$? in 1|3|4) ;; *) exit 1 ;; esac

test: $(INSTALLED)  ## run every test: unit, then integration with real servers, containers, a browser
	$(BIN)/pytest

check: $(INSTALLED)  ## lint, types, import contracts and formatting: everything that is fast
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sloproof validate slo/*.yaml
	$(BIN)/sloproof generate --check

generate: $(INSTALLED)  ## compile slo/ to rules, alerts, their tests and dashboards
	$(BIN)/sloproof generate

format: $(INSTALLED)  ## format the code
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(INSTALLED)  ## time the hot parts, and how well the load generator keeps its schedule
	$(BIN)/pytest tests/benchmarks --benchmark-only

bench-load: $(INSTALLED)  ## what a request costs each load generator, and how many it keeps up with
	$(BIN)/python tests/benchmarks/bench_load.py

bench-aa: $(INSTALLED)  ## repeat an A/A experiment: how often does a comparison find what is not there?
	$(BIN)/python tests/benchmarks/bench_aa.py

bench-analysis: $(INSTALLED)  ## time and weigh the report of a run of ten million requests
	$(BIN)/python tests/benchmarks/bench_analysis.py

bench-compile: $(INSTALLED)  ## time and weigh the compilation of 1,000 SLOs
	$(BIN)/python tests/benchmarks/bench_compile.py

stack:  ## bring up the service, Prometheus, Alertmanager, Grafana and Jaeger; with RUN=reports/… a run's series too
	RUN_USER=$$(id -u):$$(id -g) docker compose -f docker-compose.yml $(if $(RUN),-f deploy/run.compose.yaml) up -d

stack-check: $(INSTALLED)  ## bring up what has an image on this machine, prove that it works, take it down
	$(BIN)/python -m deploy.stack_check

stack-down:  ## stop and remove the stack; what was recorded stays
	@# To the files of the stack alone the Prometheus of a run is an orphan.
	docker compose down --remove-orphans

lock: $(INSTALLED)  ## pin the newest versions that pyproject.toml allows (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --upgrade \
		--group dev pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		-c requirements.lock --group pyproject.toml:service -o service/requirements.lock

clean:  ## remove the virtual environment and every cache; reports stay
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .benchmarks .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(INSTALLED): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { \
		echo "sloproof needs Python 3.11 or newer with venv, and found none (Debian: apt install python3-venv)" >&2; exit 1; }
	@echo "Installing into $(VENV) with $(PYTHON), once (about a minute)"
	@$(PYTHON) -m venv --clear $(VENV)
	@# The lock is complete, so nothing is left to resolve: a package published after it cannot get in the way.
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

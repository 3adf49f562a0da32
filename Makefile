# Everything that people and CI do with a checkout. `make help` lists it.
.DEFAULT_GOAL := help
.PHONY: help setup demo test test-servers lint types ui lock screenshots docs clean

PORT ?= 8080
ONCE ?=
STORES ?=
PYTHON ?=
ARGS ?=
BIN := .venv/bin
BOOTSTRAP := PYTHON="$(PYTHON)" sh scripts/python.sh scripts/bootstrap.py
WITH_TESTS := $(BOOTSTRAP) dev --ui-tests

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup:  ## make .venv with everything for development, and the page
	@$(WITH_TESTS)
	@sh scripts/browser.sh

demo:  ## load a year of flights through Airflow and show it (PORT=8080, ONCE=1 to stop after the table, STORES=real)
	@$(BOOTSTRAP) $(if $(filter real,$(STORES)),dev,demo)
	@exec $(ON_SERVERS) $(BIN)/lupus demo --port $(PORT) $(if $(filter real,$(STORES)),--use-connections) $(if $(filter-out 0 false no,$(ONCE)),--once)

test: setup  ## set up, then run everything that CI runs (ARGS: options of pytest)
	@$(MAKE) --no-print-directory lint types
	cd lupus_provider/ui && $(NPM_ENV) npm test
	$(BIN)/python scripts/run_tests.py $(ARGS)

test-servers:  ## start Elasticsearch, Hive, Spark Thrift Server, S3 and Postgres on this machine until Ctrl-C, no Docker (ARGS="--only s3 hive")
	@$(BOOTSTRAP) dev
	@exec $(BIN)/python scripts/test_servers.py $(ARGS)

lint:  ## ruff, layers, eslint
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	cd lupus_provider/ui && $(NPM_ENV) npm run lint

types:  ## pyright, tsc
	$(BIN)/pyright
	cd lupus_provider/ui && $(NPM_ENV) npx tsc --noEmit

ui:  ## build the page
	@$(BOOTSTRAP) demo

lock:  ## compile the lock files anew; all.lock holds the versions, the other two are parts of it
	$(BIN)/uv pip compile setup.cfg --extra all --extra dev --python-version 3.11.5 --upgrade -o requirements/all.lock $(LOCK)
	$(BIN)/uv pip compile setup.cfg --extra demo --python-version 3.11.5 -c requirements/all.lock -o requirements/demo.lock $(LOCK)
	$(BIN)/uv pip compile setup.cfg --extra dev --python-version 3.11.5 -c requirements/all.lock -o requirements/dev.lock $(LOCK)

screenshots:  ## take the pictures of docs/ from the demo that is running
	$(BIN)/python docs/make_screenshots.py .lupus

docs:  ## write docs/reference.md from the code
	$(BIN)/python docs/make_reference.py

clean:  ## remove what make made, the demo's home included
	rm -rf .venv .lupus build dist *.egg-info lupus_provider/ui/dist lupus_provider/ui/node_modules

# STORES=real: the demo on real S3, Hive and Elasticsearch servers, which stop with it.
ON_SERVERS = $(if $(filter real,$(STORES)),$(BIN)/python scripts/test_servers.py --only s3 hive elasticsearch --run)

# Node of a Python wheel, where scripts/bootstrap.py found none on the machine.
NPM_ENV = PATH="$(CURDIR)/.venv/node/bin:$$PATH"
LOCK = --quiet --no-annotate --no-strip-extras --custom-compile-command "make lock"

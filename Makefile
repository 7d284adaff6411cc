# Citizen Services Portal. `make` lists the commands; each works as the first one after a clone and asks nothing.
# Settings pass through the environment: `PORTAL_PORT=8600 make run` (the README has the table).

SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
# Two processes use both cores; a file stays in one, so that what its tests share is built once.
PYTEST := $(BIN)/python -m pytest
WORKERS ?= 2
PARALLEL := -n $(WORKERS) --dist loadfile --no-loadscope-reorder

.PHONY: help install run test soak check lint bench fix city pins

help:  ## this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install:  ## build .venv, where `portal` is the command
	@sh .ci/install run

run: install  ## serve the portal with a demo city (made on the first run) on PORTAL_PORT, 8501 by default
	@$(BIN)/portal demo-city --if-empty
	@exec $(BIN)/portal run --demo

test: tools  ## every test on both databases and in a browser; ARGS="tests/billing -k proration" for some
	@$(PYTEST) $(PARALLEL) $(ARGS)

soak: tools  ## the long fault and load runs
	@$(PYTEST) -m soak $(ARGS)

check: lint test  ## what CI runs: format, lint, types, walls, then the tests

lint: install-test  ## format, lint, types and walls, without the tests
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check
	@$(BIN)/ty check --no-progress
	@$(BIN)/lint-imports --no-logo

bench: tools  ## CPU and time per interaction of each main page, as a ratio to a trivial page
	@$(BIN)/python -m tests.bench $(ARGS)

fix: install-test  ## format the code and repair what lint can repair
	@$(BIN)/ruff check --fix --quiet || true
	@$(BIN)/ruff format

city: install  ## a demo city in the database of PORTAL_DATABASE_URL; ARGS="--accounts 2000 --years 3 --seed 7"
	@$(BIN)/portal demo-city $(ARGS)

pins: install-test  ## write the lock files anew from pyproject.toml; UPGRADE=1 for the newest versions allowed
	@sh .ci/pins

.PHONY: install-test tools
install-test:
	@sh .ci/install test

# PostgreSQL and Node come with the locked packages; this finds or installs a browser and the npm parts.
tools: install-test
	@$(BIN)/python tests/tools.py

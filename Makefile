# Needs make and Python 3.11 or later; uses uv if it is there. Everything is installed in .venv.

python := .venv/bin/python
ready := .venv/.ready
# What Oyez itself needs is enough for the demonstration on files.
installed := $(if $(KAFKA),.venv/.ready,$(firstword $(wildcard .venv/.ready) .venv/.installed))
packages := oyez.schemas oyez.producers oyez.consumers visits fastapi_shop
# coreutils' timeout, where it exists: $(call limit,SECONDS) COMMAND
limit = $(if $(shell command -v timeout),timeout --kill-after=10 $(1),)

export PYTHONPATH := $(CURDIR)/examples
# The many processes of tests read compiled modules: where none are written, each compiles all that it imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test quick lint types tests test-long docs screenshots soak bench compat rooms dev wheel release-check test-compose clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | sort | awk -F '\t' '{printf "make %-14s %s\n", $$1, $$2}'

demo: $(installed) ## the reference application on traffic that it makes, ending with its check; KAFKA=1: on a real Kafka
	$(call limit,900) $(python) -m visits demo $(if $(KAFKA),--kafka)

test: lint types tests ## lint, types, and the whole suite against a real Kafka and PostgreSQL

quick: lint ## while working: lint, the packages' types, and the tests that need no services and no patience
	$(call limit,600) $(python) -m mypy $(packages:%=-p %)
	$(call limit,600) $(python) -m pytest -q -m "not services and not slow" --numprocesses 2 --dist loadfile --no-loadscope-reorder $(ARGS)

lint: $(ready) ## ruff: rules and format
	$(python) -m ruff check
	$(python) -m ruff format --check

types: $(ready) wheel ## mypy strict: our packages, a project that uses the installed ones, and one of Django's
	$(call limit,600) $(python) -m mypy $(packages:%=-p %)
	$(call limit,600) $(python) tests/wheel/installed_types.py dist
	cd examples/shop-django && PYTHONPATH=. $(call limit,600) ../../$(python) -m mypy --config-file mypy.ini -p django_shop

tests: $(ready) ## the suite alone, in PROCESSES=4; ARGS="-k name" chooses
	$(python) -m compileall -q -j 0 schemas producers consumers examples tests
	$(call limit,1800) $(python) -m pytest --numprocesses $(or $(PROCESSES),4) --dist loadfile --no-loadscope-reorder $(ARGS)

test-long: export TEST_LONG = 1
test-long: $(ready) ## the tests that take long: tests/long.txt
	$(call limit,7200) $(python) -m pytest $(ARGS) $(addprefix tests/,$(shell cat tests/long.txt))

docs: export PYTHONPATH := $(CURDIR)/tools
docs: export NO_MKDOCS_2_WARNING := 1 # it says when mkdocs-material ends: docs/decisions/270-mkdocs-and-a-hook.md
docs: $(ready) ## the documentation site, in site; every link is checked
	$(call limit,600) $(python) -m mkdocs build --strict --quiet
	@echo "docs: site/index.html"

screenshots: export PYTHONPATH := $(CURDIR)/examples:$(CURDIR)/tests
screenshots: $(ready) ## the pictures of the dashboard in docs/images, taken anew in Debian's Chromium
	$(call limit,600) $(python) -m support.screenshots

soak: export PYTHONPATH := $(CURDIR)/examples:$(CURDIR)/tests
soak: $(ready) ## the scenarios of tests/soak in full size, about an hour; ARGS="killing --seed 2" chooses
	$(call limit,7200) $(python) -m soak $(ARGS)

compat: export PYTHONPATH := $(CURDIR)/examples:$(CURDIR)/tests
compat: $(ready) ## some tests with each Kafka, PostgreSQL, Python and set of dependencies; ARGS="lowest kafka-3.9" chooses
	$(call limit,7200) $(python) -m compatibility $(or $(ARGS),--save docs/compatibility.md)

bench: $(ready) ## the benchmarks, ours beside the loop written by hand; ARGS="exact" chooses
	$(call limit,7200) $(python) benchmarks/run.py $(ARGS)

rooms: export PYTHONPATH := $(CURDIR)/tests
rooms: $(ready) ## the rooms of the packages, the imports between them, and what climbs
	$(python) -m house

dev: $(ready) ## a real Kafka and PostgreSQL in the foreground
	.venv/bin/oyez dev

wheel: $(ready) ## the wheel, in dist
	rm -rf dist
	$(call limit,300) $(python) -m build --wheel --outdir dist . > /dev/null

release-check: $(ready) ## sdist and wheel of what is committed, built twice and checked, in dist
	$(call limit,900) tools/release-check

test-compose: $(ready) ## docker-compose.yml on a Docker engine: tests/compose, and tests/integration against it
	$(subst after=10,after=90,$(call limit,3600)) tools/test-compose $(ARGS) # it has to take down what it brought up

clean: ## remove .venv and all that was made
	rm -rf .venv dist build site .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(ready): pyproject.toml tools/setup
	tools/setup
	@touch $@

.venv/.installed: pyproject.toml tools/setup
	tools/setup alone
	@touch $@

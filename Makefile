# Two commands to begin with: `make demo` and `make test`. Everything they need goes into .venv.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
REQUIREMENTS := functions/requirements.txt local/requirements.txt tests/requirements.txt constraints.txt

.PHONY: demo up test soak conformance browser check format clean help

help:
	@echo "make demo    run four example jobs through the laptop cloud and show the images"
	@echo "make up      the laptop cloud in the foreground, until Ctrl-C"
	@echo "make test    all tests"
	@echo "make soak    SEEDS=100000 FIRST_SEED=1: that many runs of the simulation"
	@echo "make conformance   clients written elsewhere against the laptop cloud"
	@echo "make browser the page in headless Chromium (Debian: apt-get install chromium)"
	@echo "make check   ruff (lint and format) and mypy --strict"
	@echo "make clean   remove .venv, caches and the laptop cloud's data"

$(READY): $(REQUIREMENTS)
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r tests/requirements.txt -c constraints.txt
	@touch $(READY)

demo: $(READY)
	@$(BIN)/python -m local.demo

up: $(READY)
	@$(BIN)/python -m local.up

test: $(READY)
	$(BIN)/python -m pytest -n 2 --dist loadfile

SEEDS ?= 100000
FIRST_SEED ?= 1
soak: $(READY)
	$(BIN)/python -m tests.simulation.run --jobs $$(nproc) \
	  --seeds $(FIRST_SEED):$$(($(FIRST_SEED) + $(SEEDS)))

# The two SDKs bring packages that quarrel with ours (both own the crcmod folder): each has its own venv.
.venv-oss-v2/.ready: tests/conformance/requirements-oss-v2.txt
	$(PYTHON) -m venv .venv-oss-v2
	.venv-oss-v2/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

.venv-dashscope/.ready: tests/conformance/requirements-dashscope.txt
	$(PYTHON) -m venv .venv-dashscope
	.venv-dashscope/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

conformance: $(READY) .venv-oss-v2/.ready .venv-dashscope/.ready
	.venv-oss-v2/bin/python -m pytest tests/conformance/oss_v2
	.venv-dashscope/bin/python -m pytest tests/conformance/dashscope

browser: $(READY)
	$(BIN)/python -m pytest tests/browser

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf .venv .venv-oss-v2 .venv-dashscope .local build .pytest_cache .mypy_cache .ruff_cache

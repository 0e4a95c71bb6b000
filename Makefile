# Two commands to begin with: `make demo` and `make test`. Everything they need goes into .venv.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
REQUIREMENTS := functions/requirements.txt local/requirements.txt tests/requirements.txt constraints.txt

.PHONY: demo up test check format clean help

help:
	@echo "make demo    run four example jobs through the laptop cloud and show the images"
	@echo "make up      the laptop cloud in the foreground, until Ctrl-C"
	@echo "make test    all tests"
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

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf .venv .local build .pytest_cache .mypy_cache .ruff_cache

# Two commands to begin with: `make demo` and `make test`. Everything they need goes into .venv.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
REQUIREMENTS := functions/requirements.txt local/requirements.txt tests/requirements.txt constraints.txt

.PHONY: demo up package lock publish deployable check-deploy test soak bench scale conformance browser template check format clean help

help:
	@echo "make demo    run four example jobs through the laptop cloud and show the images"
	@echo "make up      the laptop cloud in the foreground, until Ctrl-C"
	@echo "make package one zip per function under build/ (RUNTIME=python3.12 for the other runtime);"
	@echo "             make up PACKAGED=1 runs the laptop cloud from them"
	@echo "make publish BUCKET=my-bucket: the zips into OSS, for template.yml"
	@echo "make check-deploy  s.yaml, s.dev.yaml and template.yml, without the cloud (needs node)"
	@echo "make lock    pin the packages' dependencies anew, from requirements.txt and constraints.txt"
	@echo "make test    all tests"
	@echo "make soak    SEEDS=100000 FIRST_SEED=1: that many runs of the simulation"
	@echo "make bench   measure on this computer, into docs/benchmarks.json (about 15 minutes)"
	@echo "make scale   simulate a million jobs a day, into docs/scale.json (some minutes)"
	@echo "make conformance   clients written elsewhere against the laptop cloud"
	@echo "make browser the page in headless Chromium (Debian: apt-get install chromium)"
	@echo "make template  template.yml's functions and roles, from s.yaml and deploy/permissions.yaml"
	@echo "make check   ruff, mypy --strict, which way imports run, and whether generated files are fresh"
	@echo "make clean   remove .venv, caches and the laptop cloud's data"

$(READY): $(REQUIREMENTS)
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r tests/requirements.txt -c constraints.txt
	@touch $(READY)

demo: $(READY)
	@$(BIN)/python -m local.demo

# make up PACKAGED=1 runs what would be deployed: the packages, in their own Python, read-only.
up: $(READY) $(if $(PACKAGED),package)
	@$(BIN)/python -m local.up $(if $(PACKAGED),--packages build)

RUNTIME ?= python3.10
package: $(READY)
	$(BIN)/python -m deploy.packaging --runtime $(RUNTIME)

lock: $(READY)
	$(BIN)/python -m deploy.packaging.lock

PREFIX ?= code/
publish: package
	$(BIN)/python -m deploy.packaging.publish --bucket '$(BUCKET)' --prefix '$(PREFIX)'

# What s.yaml runs before a deployment.
deployable: $(READY)
	@$(BIN)/python -m deploy.ready
	@$(MAKE) --no-print-directory package RUNTIME=$${WANX_RUNTIME:-$(RUNTIME)}

# What only the checks of the deployment need: descriptions of the cloud's types, and `s` itself.
TOOLS := tests/deploy/requirements-tools.txt tests/deploy/node/package.json \
         tests/deploy/node/package-lock.json
.deploy-tools/.ready: $(TOOLS) | $(READY)
	rm -rf .deploy-tools && mkdir -p .deploy-tools/node
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
	  --only-binary :all: --target .deploy-tools/python -r tests/deploy/requirements-tools.txt
	cp tests/deploy/node/package.json tests/deploy/node/package-lock.json .deploy-tools/node/
	npm ci --silent --ignore-scripts --no-audit --no-fund --prefix .deploy-tools/node
	@touch $@

deploy-tools: .deploy-tools/.ready
.PHONY: deploy-tools

check-deploy: $(READY) .deploy-tools/.ready
	$(BIN)/python -m deploy.checks

test: $(READY) .deploy-tools/.ready package
	$(BIN)/python -m pytest -n 2 --dist loadfile

SEEDS ?= 100000
FIRST_SEED ?= 1
soak: $(READY)
	$(BIN)/python -m tests.simulation.run --jobs $$(nproc) \
	  --seeds $(FIRST_SEED):$$(($(FIRST_SEED) + $(SEEDS)))

# Beside the dashscope SDK and from the packages, so both are made first.
bench: .venv-dashscope/.ready package
	$(BIN)/python -m tests.bench

scale: $(READY)
	$(BIN)/python -m tests.bench.scale

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

# What is generated: roles and functions of template.yml, docs/permissions.md.
template: $(READY)
	@$(BIN)/python -m deploy.policies --write
	@$(BIN)/python -m deploy.template --write

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/python -m deploy.policies --check
	$(BIN)/python -m deploy.template --check

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf .venv .venv-oss-v2 .venv-dashscope .deploy-tools .local build .pytest_cache .mypy_cache .ruff_cache

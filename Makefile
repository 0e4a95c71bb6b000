# Two commands to begin with: `make demo` and `make test`. They install what they need into .venv.
PYTHON ?= python3
BIN := .venv/bin
LAPTOP := .venv/.laptop
TOOLS := .venv/.tools
INSTALL := @$(PYTHON) -m local.install

# The tests start many processes; without bytecode each one compiles the project again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help:
	@echo "Use it"
	@echo "  make demo            run four example jobs through the laptop cloud and show the images"
	@echo "  make up              the laptop cloud in the foreground, until Ctrl-C (PORT=9480: the first"
	@echo "                       of three ports; PACKAGED=1: run the packages instead of functions/)"
	@echo
	@echo "Change it"
	@echo "  make quick           lint, types, the quick unit tests and 200 seeds of the simulation"
	@echo "  make test            unit, contract and end-to-end tests, 500 seeds, 40 kills"
	@echo "  make test-all        make test, and then 2,000 seeds with mutations, 200 kills, deployment"
	@echo "                       (needs node and npm), conformance, browser (Debian: chromium)"
	@echo "  make check           ruff, mypy --strict, which way imports run, whether generated files are fresh"
	@echo "  make format          format and mend what ruff can"
	@echo "  make soak            SEEDS=100000 FIRST_SEED=1: that many runs of the simulation"
	@echo "  make conformance     clients written elsewhere against the laptop cloud"
	@echo "  make page-test       what of the page needs no browser (needs node)"
	@echo "  make browser         the page in headless Chromium (Debian: apt-get install chromium)"
	@echo "  make page-check      the page's sources: types and eslint (needs node and npm)"
	@echo
	@echo "Deploy it"
	@echo "  make package         one zip per function under build/ (RUNTIME=python3.12: the other runtime)"
	@echo "  make wheel           the command line as a package under build/, for pipx and pip"
	@echo "  make check-deploy    s.yaml, s.dev.yaml and template.yml, without the cloud (needs node)"
	@echo "  make publish         BUCKET=my-bucket: the zips into OSS, for template.yml"
	@echo
	@echo "Measure it"
	@echo "  make bench           measure on this computer, into docs/benchmarks.json and .md (under 20 minutes)"
	@echo "  make scale           simulate a million jobs a day, into docs/scale.json (some minutes)"
	@echo
	@echo "Keep it"
	@echo "  make page            web/build, from web/js and web/css (needs node and npm)"
	@echo "  make template        what template.yml and docs/ have from s.yaml and deploy/*.yaml"
	@echo "  make lock            write every lock file again, from the requirements files"
	@echo "  make clean           remove .venv, caches and the laptop cloud's data"

# Set up. Every file of a package is checked by the hash in a lock (docs/architecture.md, "Dependencies").

$(LAPTOP): local/lock-build.txt local/lock.txt
	$(INSTALL) $^ --about "the laptop cloud, 100 MB to download, 360 MB on disk, about half a minute"
	@touch $@

$(TOOLS): tests/lock.txt $(LAPTOP)
	$(INSTALL) $< --about "the tests' tools, 150 MB to download, 600 MB on disk, about a minute"
	@touch $@

# The SDKs bring packages that conflict with ours (both own the crcmod folder): each has its own venv.
.venv-%/.ready: tests/conformance/lock-%.txt local/lock-build.txt
	$(INSTALL) local/lock-build.txt $< --venv .venv-$* --about "a client written elsewhere, half a minute"
	@touch $@

# What needs Node.js: `s` itself, and what bundles the page. And descriptions of the cloud's types.
DESCRIPTIONS := tests/deploy/requirements-tools.txt tests/deploy/node/package.json \
                tests/deploy/node/package-lock.json
.deploy-tools/.ready: $(DESCRIPTIONS) | $(LAPTOP)
	@command -v npm >/dev/null || { echo "make: npm is needed for s.yaml's own tool and to bundle the page; install Node.js" >&2; exit 1; }
	@echo "Installing into .deploy-tools: what checks a deployment and bundles the page, about half a minute ..."
	@rm -rf .deploy-tools && mkdir -p .deploy-tools/node
	@$(BIN)/pip install -qq --disable-pip-version-check --no-deps --require-hashes \
	  --only-binary :all: --target .deploy-tools/python -r tests/deploy/requirements-tools.txt
	@cp tests/deploy/node/package.json tests/deploy/node/package-lock.json .deploy-tools/node/
	@npm ci --silent --ignore-scripts --no-audit --no-fund --prefix .deploy-tools/node
	@touch $@

.PHONY: deploy-tools page template lock clean
deploy-tools: .deploy-tools/.ready

# uv resolves for every Python and platform at once; a version that still fits is kept.
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
           --no-annotate --custom-compile-command "make lock"
lock: $(TOOLS)
	$(COMPILE) local/requirements-build.txt -o local/lock-build.txt
	$(COMPILE) local/requirements.txt -o local/lock.txt
	$(COMPILE) tests/requirements.txt -c local/lock.txt -o tests/lock.txt
	for sdk in dashscope openai oss-v2; do \
	  $(COMPILE) tests/conformance/requirements-$$sdk.txt -o tests/conformance/lock-$$sdk.txt; done
	$(BIN)/python -m deploy.packaging.lock

# What is generated: web/build, parts of template.yml and of docs/logs.md, docs/permissions.md.
page: .deploy-tools/.ready
	@$(BIN)/python -m deploy.bundle --write

template: $(LAPTOP)
	@$(BIN)/python -m deploy.policies --write
	@$(BIN)/python -m deploy.template --write
	@$(BIN)/python -m deploy.monitoring --write

clean:
	rm -rf .venv .venv-oss-v2 .venv-dashscope .venv-openai .deploy-tools .local build .pytest_cache .mypy_cache .ruff_cache

# Use it.

.PHONY: demo up
demo: $(LAPTOP)
	@$(BIN)/python -m local.demo

# make up PACKAGED=1 runs what would be deployed: the packages, in their own Python, read-only.
up: $(LAPTOP) $(if $(PACKAGED),package)
	@$(BIN)/python -m local.up $(if $(PORT),--ports $(PORT)) $(if $(PACKAGED),--packages build)

# Change it. SEEDS, KILLS and WORKERS say how many: make test SEEDS=2000 KILLS=200 WORKERS=8

.PHONY: quick test test-all test-rest check format soak conformance page-test page-check browser
WORKERS ?= 4
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

quick: $(TOOLS)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	SEEDS=$(or $(SEEDS),200) $(PYTEST) tests/unit tests/simulation/test_seeds.py -m "not slow"

test: $(TOOLS)
	SEEDS=$(or $(SEEDS),500) KILLS=$(or $(KILLS),40) $(PYTEST) \
	  tests/unit tests/contract tests/e2e tests/simulation/test_seeds.py tests/integration

test-all: test test-rest

# Nothing is installed twice: the rest repeats of `make test` what it has more of.
test-rest: $(TOOLS) .deploy-tools/.ready package
	SEEDS=$(or $(SEEDS),2000) KILLS=$(or $(KILLS),200) $(PYTEST) \
	  tests/simulation tests/integration tests/deploy
	@$(MAKE) --no-print-directory page-test page-check conformance browser

check: $(TOOLS)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=clients/python $(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/python -m deploy.policies --check
	$(BIN)/python -m deploy.template --check
	$(BIN)/python -m deploy.monitoring --check
	$(if $(wildcard .deploy-tools/node/node_modules/.bin/esbuild),$(BIN)/python -m deploy.bundle --check,\
	  @echo "web/build: NOT CHECKED, because esbuild is not installed; run: make deploy-tools")

format: $(TOOLS)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

soak: $(TOOLS)
	$(BIN)/python -m tests.simulation.run --jobs $$(nproc) --seeds \
	  $(or $(FIRST_SEED),1):$$(($(or $(FIRST_SEED),1) + $(or $(SEEDS),100000)))

conformance: $(LAPTOP) .venv-oss-v2/.ready .venv-dashscope/.ready .venv-openai/.ready
	.venv-oss-v2/bin/python -m pytest tests/conformance/oss_v2
	.venv-dashscope/bin/python -m pytest tests/conformance/dashscope
	.venv-openai/bin/python -m pytest tests/conformance/openai

page-test:
	@command -v node >/dev/null || { echo "make: node is needed for the tests of the page; install Node.js" >&2; exit 1; }
	node --test tests/page/*.test.js

# The page's sources: the types in their comments, and what eslint finds.
NODE_MODULES := .deploy-tools/node/node_modules
page-check: .deploy-tools/.ready
	$(NODE_MODULES)/.bin/tsc -p web
	NODE_PATH=$(NODE_MODULES) $(NODE_MODULES)/.bin/eslint -c web/eslint.config.cjs web/js tests/page

browser: $(TOOLS) .deploy-tools/.ready
	$(BIN)/python -m pytest tests/browser

# Deploy it.

.PHONY: package wheel publish deployable check-deploy
RUNTIME ?= python3.10
package: $(LAPTOP)
	$(BIN)/python -m deploy.packaging --runtime $(RUNTIME)

# What setuptools left of an earlier build would be in this one.
wheel: $(LAPTOP)
	@rm -rf build/wheel
	@$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation \
		--wheel-dir build .
	@ls build/*.whl

PREFIX ?= code/
PUBLISH := $(BIN)/python -m deploy.packaging.publish --bucket '$(BUCKET)' --prefix '$(PREFIX)'
# Building takes minutes: bucket and keys are looked at before.
publish: $(LAPTOP)
	@$(PUBLISH) --only-look
	@$(MAKE) --no-print-directory package
	@$(PUBLISH)

# What s.yaml runs before a deployment.
deployable: $(LAPTOP)
	@$(BIN)/python -m deploy.ready
	@$(MAKE) --no-print-directory package RUNTIME=$${WANX_RUNTIME:-$(RUNTIME)}

check-deploy: $(LAPTOP) .deploy-tools/.ready
	$(BIN)/python -m deploy.checks

# Measure it.

.PHONY: bench scale
# Beside the dashscope SDK and from the packages, so both are made first.
bench: $(TOOLS) .venv-dashscope/.ready package
	$(BIN)/python -m tests.bench

scale: $(TOOLS)
	$(BIN)/python -m tests.bench.scale

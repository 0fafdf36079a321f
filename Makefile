# Everything runs in .venv, made from the hash-locked requirements: nothing global is touched.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
LOCKED := locks/dev.txt
SOURCES := operator slackbot tests tools
PYTEST := $(BIN)/python -m pytest

.NOTPARALLEL:
.PHONY: install demo test unit contract integration e2e check act-kills api-examples bench chaos chaos-sample pod-kills generate lock clean help

help: ## Show this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## (.*)/make \1\t\2/' | expand -t 18

install: $(STAMP) ## Make the virtual environment

$(STAMP): $(LOCKED) pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("finops needs Python 3.11 or newer, found " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: -r $(LOCKED)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/pip check --disable-pip-version-check
	@touch $@

demo: $(STAMP) ## Run the whole loop on this machine until Ctrl-C; ARGS=--headless: by script, to an end
	@DEMO_STARTED_BY=$$PPID exec $(BIN)/finops demo $(ARGS)

test: unit contract integration ## Run every test; the cluster's too when FINOPS_TEST_KUBECONFIG is set
	@if [ -n "$$FINOPS_TEST_KUBECONFIG" ]; then $(PYTEST) tests/e2e -q; \
	else echo "FINOPS_TEST_KUBECONFIG is not set: the cluster tests did not run"; fi

unit: $(STAMP) ## Run the fast tests with branch coverage of the pure code
	$(PYTEST) tests/unit tests/meta -q -n 2 --dist loadfile --cov --cov-report=
	$(BIN)/coverage report --fail-under=95

contract: $(STAMP) ## Run the behaviour suites of doubles and real parts
	$(PYTEST) tests/contract -q -n 2 --dist loadfile

integration: $(STAMP) ## Run the tests that start whole programs on this machine
	$(PYTEST) tests/integration -q -n 4 --dist loadfile # they wait as long as they work: four keep two processors busy

e2e: $(STAMP) ## Run the cluster tests alone
	$(PYTEST) tests/e2e -q

chaos: $(STAMP) ## Disturb every act at every boundary; RUNS=100 SEED=7 a sample, CASE=… one
	$(BIN)/python -m tests.chaos.chaos_program --runs $(or $(RUNS),0) --seed $(or $(SEED),1) $(if $(CASE),--case $(CASE))

chaos-sample: $(STAMP) ## Disturb each action once, in every way among them; SEED=7 chooses others
	$(BIN)/python -m tests.chaos.chaos_program --small --seed $(or $(SEED),1)

act-kills: $(STAMP) ## Kill the executor of each action at every boundary; ACTION=ebs_volume_delete one
	FINOPS_ACT_KILLS=all $(PYTEST) tests/integration/act/test_act_kills.py -q -s -k '$(or $(ACTION),any_boundary)'

pod-kills: $(STAMP) ## Kill pods of the test cluster while acts are under way; RUNS=200 SEED=1
	$(BIN)/python -m tests.e2e.loop.kills.pod_kills_program --runs $(or $(RUNS),200) --seed $(or $(SEED),1) $(if $(FOLDER),--folder $(FOLDER))

api-examples: $(STAMP) ## Ask every endpoint of the API a thousand things; ENDPOINTS='GET /api/costs' some
	FINOPS_API_EXAMPLES=$(or $(EXAMPLES),1000) FINOPS_API_ENDPOINTS='$(ENDPOINTS)' \
	$(PYTEST) tests/integration/web/test_api_description.py -k whatever -q -s

bench: $(STAMP) ## Run the benchmarks
	$(PYTEST) tests/benchmarks -q -s

check: $(STAMP) ## Lint, format, types, import rules, spelling, generated files
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy operator slackbot tests tools
	$(BIN)/lint-imports
	$(BIN)/codespell operator slackbot tests tools docs charts README.md CONTRIBUTING.md CHANGELOG.md SECURITY.md
	$(BIN)/python -m finops.crds.generate --check
	$(BIN)/python tools/build_values_schema.py --check
	$(BIN)/python tools/build_docs.py --check
	$(BIN)/python tools/build_kind_facts.py --check
	$(BIN)/python tools/build_architecture.py --check
	$(BIN)/python tools/build_benchmarks.py --check

generate: $(STAMP) ## Write all generated files anew
	$(BIN)/python -m finops.crds.generate
	$(BIN)/python tools/build_values_schema.py
	$(BIN)/python tools/build_docs.py
	$(BIN)/python tools/build_kind_facts.py
	$(BIN)/python tools/build_architecture.py
	$(BIN)/python tools/build_benchmarks.py

lock: ## Resolve the dependencies anew (needs uv)
	for extra in cli operator parquet slackbot web demo dev; do \
	  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	    --extra $$extra pyproject.toml --output-file locks/$$extra.txt || exit 1; \
	done
	echo 'hatchling==1.33.0' | uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	  - --output-file locks/build.txt

clean: ## Remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist

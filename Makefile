# Everything runs in .venv, made from the hash-locked requirements: nothing global is touched.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCK := locks/dev.txt
STAMP := $(VENV)/.installed

.PHONY: install demo test check e2e bench lock generate clean

install: $(STAMP)

$(STAMP): $(LOCK) pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("finops needs Python 3.11 or newer, found " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: --no-binary antlr4-python3-runtime -r $(LOCK)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

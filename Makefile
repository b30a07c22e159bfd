# Everything that a newcomer needs: `make demo`, `make test`. Python 3.11 or newer and make are all it takes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SECONDS_TO_RUN ?= 90
KILLS ?= 200
SHARE ?= 1
ONLY ?=
JOBS ?= auto
# Long tests mostly wait, for brokers and for time to pass: one process more than there are processors.
LONG_JOBS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)

# Tests start many processes; where bytecode is kept, these need not compile the code again.
PYTEST := env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest

.PHONY: demo test verify faults bench lint clean

$(VENV)/demo: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[demo,page]'
	touch $@

$(VENV)/dev: $(VENV)/demo
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

$(VENV)/verify: $(VENV)/dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[verify]'
	if command -v npm >/dev/null; then npm install --silent --no-fund --prefix $(VENV)/asyncapi @asyncapi/parser@3.6.6; fi
	if command -v npm >/dev/null; then npm install --silent --no-fund --prefix $(VENV)/sparkplug sparkplug-client@3.2.4; fi
	if command -v npm >/dev/null; then npm install --silent --no-fund --prefix $(VENV)/node-red node-red@4; fi
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade --target $(VENV)/sparkplug/pypi pysparkplug==0.6.1
	$(PYTHON) -m venv $(VENV)/quix && $(VENV)/quix/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[quix]'
	$(PYTHON) -m venv $(VENV)/spark && $(VENV)/spark/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[spark]'
	touch $@

$(VENV)/bench: $(VENV)/dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[bench]'
	touch $@

demo: $(VENV)/demo
	$(BIN)/edgewarden demo --seconds $(SECONDS_TO_RUN)

test: $(VENV)/dev
	@echo "about five minutes on two idle cores; make verify runs the long tests"
	$(PYTEST) -m "not long" --numprocesses $(JOBS) --dist worksteal

verify: $(VENV)/verify
	@echo "about half an hour on two idle cores; make faults is the long form"
	$(PYTEST) -m long --numprocesses $(LONG_JOBS) --dist worksteal
	$(PYTEST) -m "not long" tests/cloud tests/edge/fleet tests/config/test_monitoring.py tests/edge/commands/test_asyncapi.py tests/edge/test_sparkplug_nodes.py tests/docs/test_recipes.py
	$(BIN)/python tests/faults --kills 10 --share 0.05

faults: $(VENV)/dev
	$(BIN)/python tests/faults --kills $(KILLS) --share $(SHARE) $(if $(ONLY),--only $(ONLY))

bench: $(VENV)/bench
	$(BIN)/python benchmarks/bench.py $(BENCH)

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist

# Needs Python 3.11 or newer and nothing else; everything is installed into .venv.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: help demo test test-long unit integration conformance conformance-next browser bench storm fuzz audit lint shape docs clean
help:
	@echo "make demo         start the backend and the proxy on free ports and print what to try"
	@echo "make test         the tests, in about two minutes"
	@echo "make test-long    the tests that take their time: fuzzing, slow clients, raw requests to four servers"
	@echo "make conformance  sign-in beside the real Auth.js (needs Node and npm)"
	@echo "make conformance-next  the documented route handlers on the real Next.js beside ours (needs Node and npm)"
	@echo "make browser      sign-in in a real browser (installs Chromium; needs Node and npm)"
	@echo "make audit        known holes in the dependencies, and bandit"
	@echo "make bench        what a request costs beside nginx and others (installs nginx and wrk); BENCH=--next adds Next.js"
	@echo "make storm        a thousand parallel requests with one stale session (installs redis-server)"
	@echo "make fuzz         coverage-guided fuzzing, SECONDS=30 for each target (Python 3.11 to 3.13)"
	@echo "make lint         ruff and mypy"
	@echo "make shape        the sizes of functions and modules, against their bars"
	@echo "make docs         write the generated pages of docs/ anew"
	@echo "make clean        remove what the other commands made"

$(STAMP): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $(STAMP)

demo: $(STAMP)
	@$(BIN)/python examples/demo.py

test: $(STAMP) shape
	$(BIN)/python -m pytest -m 'not long'
	cd examples/backend && ../../$(BIN)/python manage.py test --verbosity=1

test-long: $(STAMP)
	$(BIN)/python -m pytest -m long

unit: $(STAMP)
	$(BIN)/python -m pytest -m 'not integration and not long'

integration: $(STAMP)
	$(BIN)/python -m pytest -m integration

conformance: $(STAMP)
	npm ci --prefix tests/conformance --no-audit --no-fund --silent
	$(BIN)/python -m tests.conformance.run
	$(BIN)/python -m tests.conformance.run --mutations

conformance-next: $(STAMP)
	$(BIN)/python -m tests.conformance_next.run --build

browser: $(STAMP)
	which chromium >/dev/null || { apt-get update -qq && apt-get install -y -qq chromium; }
	$(BIN)/python -m tests.browser.run --install

audit: $(STAMP)
	$(BIN)/bandit -q -c pyproject.toml -r wsgiproxy_hs
	$(BIN)/python tools/audit.py

bench: $(STAMP)
	which nginx wrk || { apt-get update -qq && apt-get install -y -qq nginx-light wrk; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[gunicorn,granian,gevent,limits]' 'WSGIProxy2>=0.5'
	$(BIN)/python -m bench.run $(BENCH)

storm: $(STAMP)
	which redis-server >/dev/null || { apt-get update -qq && apt-get install -y -qq redis-server; }
	$(BIN)/python -m bench.storm

fuzz: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[fuzz]'
	$(BIN)/python -m tests.fuzz.run --seconds $(or $(SECONDS),30)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

shape: $(STAMP)
	$(BIN)/python tools/shape.py

docs: $(STAMP)
	$(BIN)/python tools/generated_pages.py

clean:
	rm -rf .venv .tox build dist var *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage*

# `make demo` and `make test` need Python 3.11 or later, with venv, and nothing else.
PYTHON ?= python3
VENV ?= .venv
OLDEST ?= .venv-oldest
BIN = $(VENV)/bin
FUZZ_SECONDS ?= 200
PIP = $(BIN)/python -m pip --disable-pip-version-check --quiet install --no-compile # modules are compiled as they are imported

.PHONY: help demo demo-cluster dist test test-each check check-oldest format bench site fuzz clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: $(VENV)/demo ## install, then fit and select on the Old Faithful data
	$(BIN)/em fit sample_data/faithful.csv -k 2 --out runs/faithful --plots --report --force --format human
	$(BIN)/em select sample_data/faithful.csv --k-range 1-6 --covariance full,tied,diag,spherical --out runs/faithful-select --plots --report --force --format human
	@echo "Open runs/faithful/report.html: the two kinds of eruption on one page."

dist: $(VENV)/dev ## build wheel and sdist, check them, and try the wheel in an environment of its own
	rm -rf dist
	$(BIN)/python -m build --quiet
	$(BIN)/twine check --strict dist/*
	$(PYTHON) -m venv --clear dist/venv
	dist/venv/bin/python -m pip --disable-pip-version-check --quiet install "$$(ls dist/*.whl)[plots]"
	cd dist && venv/bin/em --version && venv/bin/em demo --force demo > demo.txt && venv/bin/em export demo/faithful-k2.em --to sql > score.sql
	test -f dist/venv/share/man/man1/em-fit.1
	rm -rf dist/venv dist/demo dist/demo.txt dist/score.sql

demo-cluster: $(VENV)/cluster ## 5e6 rows on 4 processes, one of which is killed on the way: the same answer
	$(BIN)/python tests/bench/cluster.py

test: $(VENV)/test ## install what the tests need, and run them
	$(BIN)/python -m pytest -n auto --dist worksteal

check: $(VENV)/dev ## format, lint, types, layers, tests, README examples
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n auto --dist worksteal

test-each: ## make test with every Python from 3.11 up that there is
	@for version in 11 12 13 14 15; do \
	  ! python3.$$version -c "" 2>/dev/null || $(MAKE) test PYTHON=python3.$$version VENV=$(VENV)-3.$$version || exit 1; \
	done

check-oldest: $(OLDEST)/bin/python ## every command once with the lowest versions of the libraries that are allowed
	$(OLDEST)/bin/python tests/oldest/lowest.py > $(OLDEST)/lowest.txt
	$(OLDEST)/bin/python -m pip --disable-pip-version-check --quiet install --no-compile --constraint $(OLDEST)/lowest.txt --editable '.[excel,onnx,parquet,plots,remote,zst]'
	$(OLDEST)/bin/python tests/oldest/smoke.py

format: $(VENV)/dev ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/bench ## measure speed and search beside scikit-learn; PARTS="passes search" does some of it
	$(BIN)/python tests/bench/run.py $(PARTS)

site: $(VENV)/site ## the guide as pages of HTML that need no network, its examples run and drawn, in build/site
	rm -rf build/docs build/site && mkdir -p build/docs
	cp em_cli/guide/*.md em_cli/guide/iframe-worker.js build/docs
	sed 's#(em_cli/guide/#(#g; s#](\(em_cli\|tests\)/[^)]*)#]#g; s#](LICENSE)#]#; s#](CHANGELOG.md)#](changelog.md)#' README.md > build/docs/index.md
	cp CHANGELOG.md build/docs/changelog.md
	$(BIN)/python tests/gallery.py build/docs
	$(BIN)/python -m mkdocs build --quiet --strict --config-file em_cli/guide/mkdocs.yml
	sed -i 's#https://[^"]*iframe-worker/shim#iframe-worker.js#' build/site/*.html
	! grep -l '<script[^>]*src="http' build/site/*.html
	@echo "Open build/site/index.html"

fuzz: $(VENV)/dev ## give random inputs to the readers of data, configurations and models; FUZZ_SECONDS for each
	$(BIN)/python tests/fuzz/fuzz.py table $(FUZZ_SECONDS)
	$(BIN)/python tests/fuzz/fuzz.py config $(FUZZ_SECONDS)
	$(BIN)/python tests/fuzz/fuzz.py model $(FUZZ_SECONDS)

clean: ## remove what the other targets made
	rm -rf $(VENV) $(VENV)-3.* $(OLDEST) runs build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/bin/python $(OLDEST)/bin/python:
	@$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11)' || { echo "em needs Python 3.11 or later: make PYTHON=python3.12 …"; exit 1; }
	$(PYTHON) -m venv $(@D)/..

$(VENV)/demo: $(VENV)/bin/python pyproject.toml
	$(PIP) --editable '.[plots]'
	@touch $@

$(VENV)/test: $(VENV)/bin/python pyproject.toml
	$(PIP) --editable '.[test]'
	@touch $@ $(VENV)/demo

$(VENV)/cluster: $(VENV)/bin/python pyproject.toml
	$(PIP) --editable '.[dask]'
	@touch $@ $(VENV)/demo

$(VENV)/bench: $(VENV)/bin/python pyproject.toml
	$(PIP) --editable '.[bench]'
	@touch $@ $(VENV)/demo

$(VENV)/site: $(VENV)/bin/python pyproject.toml
	$(PIP) --editable '.[plots,site]'
	@touch $@

$(VENV)/dev: $(VENV)/bin/python pyproject.toml
	$(PIP) --editable '.[dev]'
	@touch $@ $(VENV)/test $(VENV)/demo

# make run   set everything up and open the window (without a display: the embedded patient, headless)
# make test  set everything up, check the code and run every test
# make check ruff, mypy and the import contracts, in the environment that is there

VENV ?= .venv
PY := $(VENV)/bin/python

.PHONY: run test check setup clean

run: setup
	@ECHO3D_PYTHON=$(PY) sh setup.sh open

test: setup check
	xvfb-run -a -s "-screen 0 1920x1200x24" $(PY) -m pytest -q

check:
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-cache

setup:
	@VENV=$(VENV) sh setup.sh install

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache

# make run   set everything up and open the window (without a display: the embedded patient, headless)
# make test  set everything up, check the code and run every test
# make package  build the program that needs no Python: dist/echo3d and its archive
# make check ruff, mypy and the import contracts, in the environment that is there

VENV ?= .venv
PY := $(VENV)/bin/python

.PHONY: run package test test-window test-rest check setup clean

run: setup
	@ECHO3D_PYTHON=$(PY) sh setup.sh open

# The window's tests mostly wait for events, the others mostly compute: side by side they take about as long as the longer of the two.
test: setup check
	@$(MAKE) --no-print-directory -j2 --output-sync=target test-window test-rest

test-window:
	OMP_NUM_THREADS=1 xvfb-run -a -n 160 -s "-screen 0 1920x1200x24" $(PY) -m pytest -q --durations=15 tests/gui echo3d/gui

test-rest:
	OMP_NUM_THREADS=1 xvfb-run -a -n 180 -s "-screen 0 1920x1200x24" $(PY) -m pytest -q --durations=15 --ignore=tests/gui --ignore=echo3d/gui

check:
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-cache

setup:
	@VENV=$(VENV) sh setup.sh install

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache

# One folder with two executables, and a .tar.xz of it, in dist/; takes minutes, so that no test does it.
package: setup
	@$(PY) -m pip --disable-pip-version-check -q install -c constraints.txt -e ".[build]"
	@$(PY) packaging/build.py

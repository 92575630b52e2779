# make run   set everything up and open the window (without a display: the embedded patient, headless)
# make test  set everything up, check the code and run every test
# make package  build the program that needs no Python: dist/echo3d and its archive
# make check ruff, mypy and the import contracts, in the environment that is there

VENV ?= .venv
PY := $(VENV)/bin/python

.PHONY: run package test test-window test-long test-half test-rest check setup clean

run: setup
	@ECHO3D_PYTHON=$(PY) sh setup.sh open

# Four parts, two at a time: the window's tests mostly wait for events, those of training for other processes, the others mostly compute.
LONG := tests/dataset tests/jobs tests/selftest tests/training
HALF := tests/anatomy tests/cohort tests/io tests/reconstruction tests/registration tests/style
PYTEST = OMP_NUM_THREADS=1 xvfb-run -a -n $(1) -s "-screen 0 1920x1200x24" $(PY) -m pytest -q --durations=15

test: setup check
	@$(MAKE) --no-print-directory -j2 --output-sync=target test-window test-long test-half test-rest

test-window:
	$(call PYTEST,160) tests/gui echo3d/gui

test-long:
	$(call PYTEST,180) $(LONG)

test-half:
	$(call PYTEST,200) $(HALF)

test-rest:
	$(call PYTEST,220) $(addprefix --ignore=,tests/gui echo3d/gui $(LONG) $(HALF))

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

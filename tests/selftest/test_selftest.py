"""The self-test does what it says, from sources, and says so where something is wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from echo3d.errors import EngineError
from echo3d.jobs.registry import list_jobs
from echo3d.selftest.clips import SYNTAXES, speckle
from echo3d.selftest.course import NotHereError, _tried
from echo3d.selftest.steps import cut, decoded
from echo3d.selftest.training import _weights, resumed


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda one: one.name)
def test_every_transfer_syntax_comes_out_as_it_went_in(syntax, tmp_path: Path) -> None:
    told = decoded(speckle(), syntax, tmp_path)
    assert ("exact" in told) == (syntax.error == 0)


def test_a_decoder_that_changes_the_picture_is_found_out(tmp_path: Path) -> None:
    plain = SYNTAXES[0]
    wrong = replace(plain, encode=lambda frames: plain.encode((frames // 2).astype(np.uint8)))
    step = _tried("Decode", partial(decoded, speckle(), wrong), tmp_path)
    assert step.state == "failed" and "within 0 on average" in step.found


def test_what_cannot_be_tried_here_is_no_failure(tmp_path: Path) -> None:
    def without_screen(_: Path) -> str:
        raise NotHereError("no screen")

    assert _tried("Window", without_screen, tmp_path).state == "absent"
    assert _tried("Broken", lambda _: str(1 / 0), tmp_path).found.startswith("ZeroDivisionError")


def test_slices_show_the_ventricles(tmp_path: Path) -> None:
    assert cut(tmp_path).startswith("six views")


def test_a_run_without_weights_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="must write weights"):
        _weights(tmp_path)


@pytest.mark.slow
def test_a_training_that_takes_too_long_leaves_no_process_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECHO3D_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("ECHO3D_JOBS_DIR", raising=False)
    monkeypatch.setattr("echo3d.selftest.training.WAIT_S", 1.0)
    with pytest.raises(EngineError, match="must end within 1 s"):
        resumed(tmp_path)
    stood = list_jobs(tmp_path / "home" / "jobs")
    assert len(stood) == 2 and not any(status.state.alive for status in stood)


@pytest.mark.gl
@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_the_whole_of_it(tmp_path: Path) -> None:
    known = os.environ | {"ECHO3D_HOME": str(tmp_path / "home"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "echo3d", "doctor", "--self-test", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1400, check=False, env=known)
    told = json.loads(done.stdout)
    states = {step["name"]: step["state"] for step in told["steps"]}
    assert done.returncode == 0 and set(states.values()) == {"ok"}, told
    assert len(states) == len(SYNTAXES) + 5
    assert not (tmp_path / "home" / "jobs").exists(), "the user's own folders are left alone"

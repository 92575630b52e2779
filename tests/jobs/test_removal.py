"""A job that has ended can be deleted, one at work cannot; a data set goes with its own files only."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from echo3d.dataset.folder import HEARTS, KIND, PLAN, delete_set
from echo3d.errors import InputError
from echo3d.jobs.lock import held
from echo3d.jobs.registry import list_jobs
from echo3d.jobs.removal import delete_job
from echo3d.jobs.spec import JobSpec
from echo3d.jobs.store import LOCK, SPEC, append, make_job

ONE = JobSpec("count", "Count", "tests.jobs.targets:count", {"steps": 1})


def test_an_ended_job_goes_and_a_damaged_one_too(tmp_path: Path) -> None:
    for damaged in (False, True):
        folder = make_job(tmp_path, ONE)
        append(folder, "failed", sentence="no")
        if damaged:
            (folder / SPEC).write_text("{", encoding="utf-8")
        delete_job(folder)
        assert list_jobs(tmp_path) == [] and list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match="gone already"):
        delete_job(folder)


def test_a_job_at_work_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("echo3d.jobs.removal.LOCK_WAIT_S", 0.0)
    folder = make_job(tmp_path, ONE)
    with held(folder / LOCK), pytest.raises(InputError, match="cancel it first"):
        delete_job(folder)
    assert folder.is_dir()


def test_a_data_set_goes_and_strangers_stay(tmp_path: Path) -> None:
    out = tmp_path / "set"
    (out / HEARTS).mkdir(parents=True)
    with pytest.raises(InputError, match=r"plan\.json"):
        delete_set(out)
    (out / PLAN).write_text(json.dumps({"kind": KIND}), encoding="utf-8")
    (out / HEARTS / "000000.npz").touch()
    (out / "notes.txt").touch()
    delete_set(out)
    assert [path.name for path in out.iterdir()] == ["notes.txt"]

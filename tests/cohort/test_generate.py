"""A cohort comes out whole, the same on every executor, and is read back as it was drawn."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from echo3d.anatomy.cohort import build_heart, record_from_json
from echo3d.anatomy.material import load_material
from echo3d.cli import main
from echo3d.cohort.executor import open_executor, run_all
from echo3d.cohort.generate import generate, read_cohort, read_points
from echo3d.cohort.spec import CohortSpec
from echo3d.errors import InputError
from tests.cohort.inline import Inline

SPEC = CohortSpec(3, seed=5)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("cohorts") / "cohort"
    generate(SPEC, out, Inline())
    return out


def test_records_rebuild_the_fields(cohort: Path) -> None:
    about, lines = read_cohort(cohort)
    assert about["hearts"] == 3 and about["phases"] == 2
    assert about["rejected"] == sum(sum(line["rejected"].values()) for line in lines)
    count = load_material().count
    for line in lines[:2]:
        heart, points = build_heart(record_from_json(line["record"])), read_points(cohort, line["index"])
        assert points.shape == (2, count, 3)
        assert np.abs(points[0] - heart.ed[:count]).max() < 0.04
        assert np.abs(points[1] - heart.es[:count]).max() < 0.04
        assert line["measures"]["ef"] == pytest.approx(line["record"]["beat"]["ef"], abs=0.002)


def test_a_damaged_cohort_is_refused(cohort: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="made by echo3d cohort generate"):
        read_cohort(tmp_path)
    with pytest.raises(InputError, match="fields of heart 99"):
        read_points(cohort, 99)
    half = tmp_path / "half"
    half.mkdir()
    (half / "cohort.json").write_text((cohort / "cohort.json").read_text())
    (half / "records.jsonl").write_text("".join((cohort / "records.jsonl").read_text().splitlines(keepends=True)[:1]))
    with pytest.raises(InputError, match="whole"):
        read_cohort(half)


def test_what_cannot_be_drawn_is_refused(tmp_path: Path) -> None:
    for change in ({"count": 0}, {"mixture": {"flu": 1.0}}, {"families": ("waltz",)}):
        with pytest.raises(InputError):
            CohortSpec(**{"count": 3} | change)
    with pytest.raises(InputError, match="at least one worker"), open_executor(workers=0):
        pass
    assert main(["cohort", "generate", "--count", "2", "--groups", "normal=x", "--out", str(tmp_path / "o")]) == 2
    assert not (tmp_path / "o").exists()


def test_results_come_with_their_number_and_few_are_in_flight() -> None:
    with ThreadPoolExecutor(3) as pool:
        found = dict(run_all(pool, pow, [(k, 2) for k in range(40)]))
    assert found == {k: k * k for k in range(40)}


SCHEDULER = """
import asyncio, sys
from distributed import Scheduler
async def run():
    async with Scheduler(host="127.0.0.1", port=0, dashboard=False, dashboard_address=None) as scheduler:
        print(scheduler.address, flush=True)
        await scheduler.finished()
asyncio.run(run())
"""

WORKER = """
import asyncio, sys
from distributed import Worker
async def run():
    async with Worker(sys.argv[1], nthreads=1, name=sys.argv[2], dashboard=False, dashboard_address=None) as worker:
        print("ready", flush=True)
        await worker.finished()
asyncio.run(run())
"""


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[str]]]]:
    """Yield the address of a scheduler and its two workers, each a process of its own on loopback."""
    pytest.importorskip("distributed", reason="needs the extra [cluster]")
    processes: list[subprocess.Popen[str]] = []
    space = os.environ | {"DASK_TEMPORARY_DIRECTORY": str(tmp_path), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

    def start(code: str, *words: str) -> str:
        process = subprocess.Popen([sys.executable, "-c", code, *words], stdout=subprocess.PIPE, text=True, env=space, cwd=Path.cwd())
        processes.append(process)
        assert process.stdout is not None
        return process.stdout.readline().strip()

    address = start(SCHEDULER)
    for name in ("one", "two"):
        assert start(WORKER, address, name) == "ready"
    yield address, processes[1:]
    for process in reversed(processes):
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_a_lost_worker_of_a_cluster_changes_nothing(cluster: tuple[str, list[subprocess.Popen[str]]], tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("echo3d.cohort.spec.CHUNK", 1)
    monkeypatch.setattr("echo3d.cohort.generate.CHUNK", 1)
    spec = CohortSpec(5, seed=5)
    generate(spec, tmp_path / "here", Inline())
    address, workers = cluster
    killed: list[float] = []

    def kill_one(share: float, _: str, /) -> None:
        if not killed:
            workers[0].send_signal(signal.SIGKILL)
            workers[0].wait()
            killed.append(share)

    with open_executor(scheduler=address) as executor:
        about = generate(spec, tmp_path / "there", executor, progress=kill_one)
    assert killed and killed[0] < 1 and about["hearts"] == 5
    assert (tmp_path / "there/records.jsonl").read_text() == (tmp_path / "here/records.jsonl").read_text()
    for k in range(5):
        assert np.array_equal(read_points(tmp_path / "there", k), read_points(tmp_path / "here", k))


def test_no_scheduler_at_the_address_is_said_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed", reason="needs the extra [cluster]")

    def refuse(*_: object, **__: object) -> None:
        raise OSError("timed out")

    monkeypatch.setattr(distributed, "Client", refuse)
    with pytest.raises(InputError, match="scheduler must answer"), open_executor(scheduler="tcp://127.0.0.1:1"):
        pass


def test_the_command_prints_one_object(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "small"
    assert (
        main(["cohort", "generate", "--count", "1", "--seed", "8", "--workers", "1", "--groups", "dcm", "--out", str(out), "--json"]) == 0
    )
    answer = json.loads(capfd.readouterr().out)
    assert answer["groups"] == {"dcm": 1} and answer["hearts"] == 1
    start = time.monotonic()
    assert main(["cohort", "generate", "--count", "1", "--out", str(out)]) == 2
    assert time.monotonic() - start < 5, "a folder in the way is refused before anything is drawn"

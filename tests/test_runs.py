"""A run's log is read bit by bit, and says the same as read at once."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from echo3d.runs import TOTAL, differences, follow, read_config, sheets


def note(out: Path, **values: object) -> None:
    with (out / "log.jsonl").open("a") as stream:
        stream.write(json.dumps(values) + "\n")


def test_a_log_is_read_as_it_grows(tmp_path: Path) -> None:
    trace = follow(tmp_path)
    assert trace.offset == 0 and not trace.curves
    note(tmp_path, at=0, course={"steps": 4}, processes=1)
    note(tmp_path, step=2, minutes=0.5, samples_per_s=8.0, points=3.0, ef=1.0, ed_mm=4.0)
    trace = follow(tmp_path, trace)
    with (tmp_path / "log.jsonl").open("a") as stream:
        stream.write('{"step": 4, "points"')  # a line that is being written
    same = follow(tmp_path, trace)
    assert same.offset == trace.offset and same.step == 2
    with (tmp_path / "log.jsonl").open("a") as stream:
        stream.write(': 2.0, "ef": 0.5, "ed_mm": 3.5}\n')
    trace = follow(tmp_path, same)
    assert trace.step == 4 and trace.numbers["samples_per_s"] == 8.0
    assert trace.curves["points"].tolist() == [[2, 4], [3, 2]] and trace.curves[TOTAL].tolist() == [[2, 4], [4, 2.5]]
    assert trace.losses[0] == TOTAL and trace.measured == ["ed_mm"]
    whole = follow(tmp_path)
    assert whole.curves.keys() == trace.curves.keys()
    assert all(np.array_equal(whole.curves[name], trace.curves[name]) for name in whole.curves)


def test_lessons_follow_each_other_and_a_resumed_run_says_nothing_twice(tmp_path: Path) -> None:
    for lesson, step in (("true maps", 500), ("true maps", 1000), ("pictures", 500)):
        note(tmp_path, lesson=lesson, step=step, points=1.0)
    trace = follow(tmp_path)
    assert trace.curves["points"][0].tolist() == [500, 1000, 1500]
    note(tmp_path, lesson="pictures", step=250, points=2.0)  # gone on with from a checkpoint at 200
    trace = follow(tmp_path, trace)
    assert trace.curves["points"][0].tolist() == [500, 1000, 1250] and trace.step == 1250
    assert follow(tmp_path).curves["points"].tolist() == trace.curves["points"].tolist()


def test_lessons_may_count_on_and_a_log_that_was_cut_is_read_again(tmp_path: Path) -> None:
    for lesson, step in (("encoder", 100), ("encoder", 200), ("true maps", 300), ("pictures", 400)):
        note(tmp_path, lesson=lesson, step=step, points=1.0)
    trace = follow(tmp_path)
    assert trace.curves["points"][0].tolist() == [100, 200, 300, 400]
    assert trace.lessons == ((0, "encoder"), (200, "true maps"), (300, "pictures"))
    lines = (tmp_path / "log.jsonl").read_text().splitlines()[:3]
    (tmp_path / "part").write_text("\n".join(lines) + "\n")
    (tmp_path / "part").replace(tmp_path / "log.jsonl")
    for step in (350, 400, 450):  # by now the log is longer than before
        note(tmp_path, lesson="pictures", step=step, points=2.0)
    assert follow(tmp_path, trace).curves["points"].tolist() == [[100, 200, 300, 350, 400, 450], [1, 1, 1, 2, 2, 2]]


def test_a_log_that_was_begun_anew_is_read_from_its_start(tmp_path: Path) -> None:
    note(tmp_path, step=100, loss=1.0)
    trace = follow(tmp_path)
    (tmp_path / "log.jsonl").write_text("")
    note(tmp_path, step=5, loss=2)
    assert follow(tmp_path, trace).curves[TOTAL].tolist() == [[5], [2]]


def test_what_is_no_number_is_passed_over_and_reasons_are_kept(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text('nonsense\n[1]\n{"step": 3, "loss": NaN, "ok": true}\n')
    note(tmp_path, step=3, batch=4, why="the GPU's memory was too small for twice as many samples")
    trace = follow(tmp_path)
    assert not trace.curves and trace.step == 3 and trace.notes[0].startswith("the GPU's memory")


def test_settings_that_differ_are_listed_also_within_others(tmp_path: Path) -> None:
    one, two = {"rate": 1e-3, "network": {"side": 64}}, {"rate": 1e-3, "network": {"side": 128}, "new": "x"}
    assert [(line.name, line.values) for line in differences([one, two])] == [("network.side", ("64", "128")), ("new", ("–", "x"))]
    assert len(differences([one])) == 2
    assert read_config(tmp_path) == {} and sheets(tmp_path) == []

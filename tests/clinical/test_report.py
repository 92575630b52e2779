"""The report is one page and says what it must, and nothing it must not."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from echo3d.clinical.report import write_report
from echo3d.clinical.shown import NOTICE
from echo3d.core.mesh import Template
from echo3d.core.result import Beat, StudyResult

needs_poppler = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler's pdftotext is not installed")


def text_of(folder: Path, result: StudyResult, template: Template) -> str:
    """Write the report and return its text."""
    path = folder / "report.pdf"
    overlays = {(view, phase): np.full((100, 150, 3), 80, np.uint8) for view in result.clips for phase in ("ed", "es")}
    write_report(path, result, template, overlays)
    done = subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True, text=True, check=True)
    assert done.stdout.count("\f") == 1
    return done.stdout


@needs_poppler
def test_all_numbers_stand_on_one_page(tmp_path: Path, ball_result: StudyResult, ball_template: Template) -> None:
    text = text_of(tmp_path, ball_result, ball_template)
    for words in (
        NOTICE,
        "P-0123abcd",
        "49 %",
        "40 to 55 %",
        "65 ml",
        "60 to 70 ml",
        "Apical 4-chamber",
        "frame 2",
        "one sentence",
        "Model: lean",
    ):
        assert words in text


@needs_poppler
def test_volumes_are_withheld_without_calibration(tmp_path: Path, ball_result: StudyResult, ball_template: Template) -> None:
    text = text_of(tmp_path, replace(ball_result, calibrated=False), ball_template)
    assert "49 %" in text
    assert "65 ml" not in text
    assert text.count("withheld") == 3


@needs_poppler
def test_nothing_is_claimed_without_trust(tmp_path: Path, ball_result: StudyResult, ball_template: Template) -> None:
    text = text_of(tmp_path, replace(ball_result, trust=0.1), ball_template)
    assert "49 %" not in text
    assert "not trusted" in text


@needs_poppler
def test_a_still_and_many_warnings_fit_the_page(tmp_path: Path, ball_result: StudyResult, ball_template: Template) -> None:
    still = Beat(ball_result.beat.points[:1], ball_result.beat.times_ms[:1], ball_result.beat.lv_ml[:1])
    notes = tuple(f"Warning number {k} <of> many & more, long enough to fill a good part of the line with words." for k in range(60))
    text = text_of(tmp_path, replace(ball_result, beat=still, warnings=notes), ball_template)
    assert "do not move" in text
    assert "<of> many & more" in text
    assert "more in result.json" in text

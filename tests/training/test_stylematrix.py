"""The matrix of styles: what it says of the mixture, and a whole report from shipped weights."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from echo3d.cli import main
from training.samples import heart_samples, write_shard
from training.stylematrix import Rival, verdicts
from training.styles import drawer, style_shard


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return test samples of one patient in two styles."""
    out = tmp_path_factory.mktemp("test")
    samples, record = heart_samples((5, 3), probes=1, labels_only=True)
    write_shard(out, "0005_00000", samples, [record])
    for style in ("speckle", "flat"):
        style_shard(out / "0005_00000.npz", style, drawer(style), 3)
    return out


def rival(name: str, *styles: str) -> Rival:
    return Rival(name, styles, None)  # type: ignore[arg-type]


def row(**errors: float) -> dict[str, dict[str, float]]:
    return {style: {"surface_mm": error, "ef_mae": 2 * error} for style, error in errors.items()}


def test_verdicts_compare_with_the_best_that_saw_a_style_and_the_best_that_did_not() -> None:
    rivals = [rival("a", "a"), rival("b", "b"), rival("mixture", "a", "b")]
    rows = {"a": row(a=1.0, b=4.0, c=3.0), "b": row(a=5.0, b=2.0, c=2.5), "mixture": row(a=1.1, b=2.0, c=2.0)}
    found = {(line["style"], line["figure"]): line for line in verdicts(rivals, rows)}
    assert found["a", "surface_mm"]["seen"] == {"best": "a", "value": 1.0, "ratio": 1.1}
    assert found["a", "surface_mm"]["unseen"] == {"best": "b", "value": 5.0, "ratio": 0.22}
    assert found["c", "ef_mae"]["unseen"] == {"best": "b", "value": 5.0, "ratio": 0.8}
    assert "seen" not in found["c", "ef_mae"]


def test_a_report_of_shipped_weights(folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    clip = Path(__file__).parents[2] / "resources" / "demo" / "psax_mid.dcm"
    words = ["evaluate", "style", "lean", "--data", str(folder), "--clip", f"psax_mid={clip}", "--out", str(tmp_path / "out"), "--json"]
    assert main(words) == 0
    told = json.loads(capfd.readouterr().out)
    assert json.loads((tmp_path / "out" / "matrix.json").read_text())["matrix"] == told["matrix"]
    assert set(told["matrix"]["lean"]) == {"speckle", "flat"}
    assert 0.3 < told["matrix"]["lean"]["speckle"]["surface_mm"] < 3
    clips = told["clips"][0]["networks"]["lean"]
    assert clips["judged"] == 1.0 and clips["contrast"] > 0.1 and abs(clips["offset_mm"]) <= 3
    page = (tmp_path / "out" / "report.html").read_text()
    assert "echo3d evaluate style lean" in page and str(clip) not in page and str(folder) not in page
    assert np.asarray(Image.open(tmp_path / "out" / "clip1_psax_mid.png")).std() > 10


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["evaluate", "beauty", "lean"], "must be told one of reconstruction, style"),
        (["evaluate", "style"], "must have networks to compare"),
        (["evaluate", "style", "lean", "lean"], "must have names of their own"),
        (["evaluate", "style", "nothing"], "nothing"),
        (["evaluate", "style", "lean", "--keep", "kept"], "--keep must go with"),
    ],
)
def test_wrong_words_are_refused_in_a_sentence(
    words: list[str], said: str, folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--data", str(folder), "--out", str(tmp_path / "out")]) in (2, 3)
    error = capfd.readouterr().err
    assert said in error and error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_samples_without_pictures_are_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    assert main(["evaluate", "style", "lean", "--data", str(tmp_path / "empty"), "--out", str(tmp_path / "out")]) == 2
    assert "must hold samples with pictures" in capfd.readouterr().err

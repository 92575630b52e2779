"""The report on reconstruction: whole, from shipped weights on four drawn hearts, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from echo3d.cli import main
from echo3d.reconstruction.pix2vox import Pix2VoxConfig
from training import voxelnets
from training.reconstructionfigures import box_plot, case_sheet, strain_plot
from training.samples import heart_samples, write_shard
from training.styles import drawer, style_shard


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return test samples of four patients in two styles."""
    out = tmp_path_factory.mktemp("test")
    drawn = [heart_samples((5, seed), probes=1, labels_only=True) for seed in (3, 4, 5, 6)]
    write_shard(out, "0005_00000", [sample for samples, _ in drawn for sample in samples], [record for _, record in drawn])
    for style in ("speckle", "binary"):
        style_shard(out / "0005_00000.npz", style, drawer(style), 3)
    return out


@pytest.fixture(scope="module")
def rival(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a small voxel network that learned for two steps."""
    out = tmp_path_factory.mktemp("rival")
    small = Pix2VoxConfig(picture=64, encoder=((1, 32, 1), (3, 16, 1), (1, 16, 1)), decoder=(72, 8, 8, 4, 4), merger=(5, 2, 1))
    words = {"styles": ("speckle", "binary"), "steps": 2, "batch": 2, "held": 1, "statistics": 1, "rise": 1, "device": "cpu"}
    settings = {"data": folder, "val": folder, "network": small, "filled": 2, "name": "Small"}
    voxelnets.run(voxelnets.Settings.model_validate(words | settings), out)
    return out


def test_a_report_of_shipped_weights_and_a_rival(folder: Path, rival: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = [
        "evaluate",
        "reconstruction",
        "lean",
        str(rival),
        "--data",
        str(folder),
        "--hearts",
        "2",
        "--keep",
        str(tmp_path / "kept"),
        "--out",
        str(tmp_path / "out"),
        "--json",
    ]
    assert main(words) == 0
    assert len(list((tmp_path / "kept").iterdir())) == 2 and all((one / "cost.pt").is_file() for one in (tmp_path / "kept").iterdir())
    told = json.loads(capfd.readouterr().out)
    assert told["patients"] == 4 and told["patients_with_surfaces"] == 2 and sorted(told["styles"]) == ["binary", "speckle"]
    lean = told["contestants"]["lean"]
    assert set(lean["views"]) == {"6", "4", "2", "1"} and lean["kind"] == "network"
    six = lean["views"]["6"]
    assert 1 < six["points_mm"] < 5 and 0.3 < six["surface_mm"] < 3 and 0.2 < six["iou"] < 0.9
    assert six["points_mm"] < lean["views"]["1"]["points_mm"] < told["contestants"]["template"]["views"]["6"]["points_mm"]
    assert 0.3 < lean["views"]["2"]["surface_mm"] < 4 and "iou" not in lean["views"]["2"]
    assert told["contestants"]["noise"]["views"]["6"]["mse_cm2"] > 10 > told["contestants"]["template"]["views"]["6"]["mse_cm2"]
    assert told["contestants"]["similarity"]["views"]["6"]["mse_cm2"] < told["contestants"]["template"]["views"]["6"]["mse_cm2"]
    assert six["mse_cm2"] < told["contestants"]["lean, swapped"]["views"]["6"]["mse_cm2"]
    assert sum(row["patients"] for row in lean["groups"].values()) == 4
    assert lean["trust"]["noise_auroc"] > 0.8 and lean["cost"]["latency_ms"] > 0 and lean["cost"]["peak_mb"] > 10
    assert told["table3"]["printed_r"] == -0.8557 and len(told["table3"]["pairs"]["lean"]) == 4
    cases = told["cases"]["lean"]
    assert [case["mse_cm2"] for case in cases] == [six["mse_cm2_least"], six["mse_cm2_most"]]
    verdicts = {line["figure"]: line["networks"]["lean"] for line in told["bars"]}
    assert verdicts["Points, mm"]["value"] == six["points_mm"] and verdicts["Points, mm"]["met"] == (six["points_mm"] <= 2)
    small = told["contestants"]["Small"]
    assert small["kind"] == "rival" and set(small["views"]) == {"6"} and small["views"]["6"]["iou"] < six["iou"]
    lead = verdicts["IoU on the metric grid, points above the best rival's median"]
    assert lead["met"] and lead["value"] == pytest.approx(100 * (six["iou_median"] - small["views"]["6"]["iou_median"]), abs=0.02)
    page = (tmp_path / "out" / "report.html").read_text()
    assert "echo3d evaluate reconstruction lean" in page and str(folder) not in page
    stored = json.loads((tmp_path / "out" / "report.json").read_text())
    assert stored["contestants"] == told["contestants"]
    for name in ("figure3_metric", "figure3_own", "figure4", "figure5", "table3"):
        assert np.asarray(Image.open(tmp_path / "out" / f"{name}.png")).std() > 10


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--data", "nowhere"], "--data must hold samples"),
        (["--clip", "a4c=heart.dcm"], "--clip must go with"),
    ],
)
def test_what_cannot_be_evaluated_is_one_sentence(
    folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    data = [] if "--data" in words else ["--data", str(folder)]
    assert main(["evaluate", "reconstruction", "lean", *data, *words, "--out", str(tmp_path / "out")]) == 2
    assert told in capfd.readouterr().err and not (tmp_path / "out").exists()


def test_names_must_differ(folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "reconstruction", "lean", "lean", "--data", str(folder), "--out", str(tmp_path / "out")]) == 2
    assert "names of their own" in capfd.readouterr().err


def test_figures_show_what_they_are_given() -> None:
    from echo3d.anatomy.template import load_template

    plot = box_plot("IoU", {"ours": np.linspace(0.7, 0.9, 20), "theirs": np.linspace(0.2, 0.4, 20)}, ("ours",))
    red, blue = (np.abs(plot.astype(int) - colour).sum(axis=2) < 60 for colour in ((214, 60, 52), (52, 102, 175)))
    assert np.nonzero(red)[1].mean() > np.nonzero(blue)[1].mean() + 100, "the better one lies further right"
    assert np.nonzero(red)[0].mean() < np.nonzero(blue)[0].mean(), "and higher up"
    assert strain_plot(np.array([-20.0, -10.0, -15.0]), {"lean": np.array([0.6, 0.3, 0.45])}).std() > 10
    points = np.array(load_template().points, dtype=np.float32)
    picture = case_sheet([("grown", points, 1.1 * points), ("shrunk", points, 0.8 * points)], size=80)
    red = (picture[..., 0] > 120) & (picture[..., 2] < 90)
    band = picture.shape[0] // 4
    assert red[3 * band :].sum() > 2 * red[band : 2 * band].sum(), "too small a heart hides in the target, too large a one hides it"

"""Measure S2MNet on hearts it never saw, calibrate its intervals, and export weights with their card.

    python -m training.evaluate --run runs/lean --cal runs/cal --test runs/test --outofspan runs/outofspan --out FILE

The tables are of speckle pictures, as are the three hearts out of span; ``styles`` has a row for each style of the test samples. Intervals
are calibrated on ``--cal-styles`` in turn.
"""

from __future__ import annotations

import argparse
import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from echo3d.anatomy.template import load_template
from echo3d.core.modelcard import ModelCard
from echo3d.core.structures import CHAMBER_KEYS
from echo3d.core.views import View
from echo3d.io.weights import shortened, write_weights
from echo3d.reconstruction.s2mnet import VIEWS, S2MNet, S2MNetConfig
from echo3d.reconstruction.uncertainty import conformal_quantile
from training.data import Shards
from training.distance import surface_distance
from training.losses import volumes_ml
from training.outofspan import FRACTIONS
from training.s2mnet import stored_pictures
from training.styles import STYLES, UNSEEN
from training.template import CREDIT

SUBSETS: dict[int, tuple[View, ...]] = {
    6: tuple(View),
    5: (View.A4C, View.A2C, View.A3C, View.PSAX_BASAL, View.PSAX_MID),
    4: (View.A4C, View.A2C, View.PSAX_BASAL, View.PSAX_MID),
    3: (View.A4C, View.A2C, View.A3C),
    2: (View.A4C, View.A2C),
    1: (View.A4C,),
}
"""Which views stand for a number of views."""


def present_of(views: tuple[View, ...], rows: int) -> Tensor:
    """Return (rows, V) bool with the named views present."""
    present = torch.zeros(rows, VIEWS, dtype=torch.bool)
    present[:, [int(view) for view in views]] = True
    return present


@torch.inference_mode()
def answers(network: S2MNet, samples: dict[str, Tensor], views: tuple[View, ...]) -> dict[str, Tensor]:
    """Return points (S, N, 3), planes (S, V, 9) and trust (S, V) for stored samples seen through some views."""
    parts = []
    for start in range(0, len(samples["field"]), 40):
        part = {key: value[start : start + 40] for key, value in samples.items()}
        parts.append(network(stored_pictures(part), present_of(views, len(part["field"]))))
    return {key: torch.cat([getattr(part, key) for part in parts]) for key in ("points", "planes", "trust")}


def cavity_faces() -> list[Tensor]:
    """Return the triangles of the four chambers."""
    template = load_template()
    return [torch.from_numpy(np.array(template.cavities[key])).long() for key in CHAMBER_KEYS]


def table_row(points: Tensor, samples: dict[str, Tensor], rng: np.random.Generator, surfaces: bool = True) -> dict[str, float]:
    """Return the mean errors of hearts (S, N, 3): mm, per cent of volume, EF points; the distances of surfaces take most of the time."""
    template = load_template()
    wanted = samples["field"].float() + torch.from_numpy(np.array(template.points)).float()
    distance = (points - wanted).norm(dim=2).mean(dim=1)
    volumes, true = volumes_ml(points, cavity_faces()), samples["volumes"]
    relative = ((volumes - true) / true).abs().mean(dim=0) * 100
    ef = 100 * ((1 - volumes[1::2, 0] / volumes[::2, 0]) - (1 - true[1::2, 0] / true[::2, 0]))
    row = {"points_mm": distance.mean(), "points_ed_mm": distance[::2].mean(), "points_es_mm": distance[1::2].mean()}
    hearts = np.arange(0, len(points) // 2, max(1, len(points) // 100))
    some = np.stack([2 * hearts, 2 * hearts + 1], axis=1).ravel()  # both phases of each
    measured = (("surface_mm", template.mesh.faces), ("lv_endo_mm", template.cavities["lv"])) if surfaces else ()
    for name, faces in measured:
        row[name] = np.mean([surface_distance(points[i].numpy(), wanted[i].numpy(), faces, rng) for i in some])
    row |= {f"{key}_pc": value for key, value in zip(CHAMBER_KEYS, relative, strict=True)}
    row |= {"ef_mae": ef.abs().mean(), "ef_bias": ef.mean()}
    return {name: round(float(value), 2) for name, value in row.items()}


def table(network: S2MNet, samples: dict[str, Tensor], per_heart: int = 1) -> dict[str, dict[str, float]]:
    """Return the table of errors by number of views with the two baselines; ``per_heart`` pairs in a row are of one heart."""
    rng = np.random.default_rng(0)
    rows = {}
    for number in (6, 4, 2, 1):
        rows[f"{number} views"] = table_row(answers(network, samples, SUBSETS[number])["points"], samples, rng)
    plain = torch.from_numpy(np.array(load_template().points)).float().expand(len(samples["field"]), -1, -1)
    rows["template as answer"] = table_row(plain, samples, rng)
    swapped = answers(network, samples, SUBSETS[6])["points"].reshape(-1, 2, *plain.shape[1:]).roll(per_heart, dims=0).reshape(plain.shape)
    rows["another heart's images"] = table_row(swapped, samples, rng)
    return rows


def plane_errors(network: S2MNet, samples: dict[str, Tensor]) -> dict[str, float]:
    """Return the mean errors of the predicted planes with six views: mm of the probe, degrees of the plane's normal and of the beam."""
    planes = answers(network, samples, SUBSETS[6])["planes"]
    true = samples["sectors"]
    shift = (planes[..., :3] - true[..., :3]).norm(dim=-1).mean()
    normals = [torch.linalg.cross(p[..., 6:9], p[..., 3:6]) for p in (planes, true)]
    tilt, beam = _angle(*normals), _angle(planes[..., 3:6], true[..., 3:6])
    return {"probe_mm": round(float(shift), 2), "normal_deg": round(float(tilt), 2), "beam_deg": round(float(beam), 2)}


def _angle(a: Tensor, b: Tensor) -> Tensor:
    return torch.rad2deg(torch.arccos(torch.nn.functional.cosine_similarity(a, b, dim=-1).clamp(-1, 1))).mean()


def calibrate(network: S2MNet, samples: dict[str, Tensor]) -> tuple[dict[str, dict[str, float]], NDArray[np.float32]]:
    """Return 90 % bounds by number of views (shares of the value; EF absolute) and the points' expected error (V + 1, N) in mm."""
    template = load_template()
    wanted = samples["field"].float() + torch.from_numpy(np.array(template.points)).float()
    bounds, sigma = {}, np.zeros((VIEWS + 1, len(template.points)), dtype=np.float32)
    true = samples["volumes"][:, 0].numpy()
    for number, views in SUBSETS.items():
        points = answers(network, samples, views)["points"]
        sigma[number] = (points - wanted).square().sum(dim=2).mean(dim=0).sqrt().numpy()
        lv = volumes_ml(points, cavity_faces()[:1])[:, 0].numpy()
        bounds[str(number)] = {name: round(conformal_quantile(error), 4) for name, error in _errors(lv, true).items()}
    return bounds, sigma


def _errors(lv: NDArray, true: NDArray) -> dict[str, NDArray]:
    ed, es, true_ed, true_es = lv[::2], lv[1::2], true[::2], true[1::2]
    return {
        "edv_ml": np.abs(true_ed / ed - 1),
        "esv_ml": np.abs(true_es / es - 1),
        "sv_ml": np.abs((true_ed - true_es) / np.maximum(ed - es, 1.0) - 1),
        "ef": np.abs(es / ed - true_es / true_ed),
    }


def load_all(folder: Path, styles: tuple[str, ...] = ()) -> dict[str, Tensor]:
    """Return every sample of a folder, the pictures of these styles in turn, or those that lie in the shards themselves.

    Raises
    ------
    FileNotFoundError
        If there are none.
    """
    shards = Shards(folder, styles=styles)
    if not shards.refresh():
        raise FileNotFoundError("a folder of samples must hold pictures in the styles asked for; draw them with training.styles")
    return shards.all()


def style_rows(network: S2MNet, folder: Path) -> dict[str, dict[str, float]]:
    """Return a row of errors, all six views, for each style that a folder's samples are drawn in."""
    rows = {}
    for style in (*STYLES, *UNSEEN):
        if (folder / style).is_dir():
            samples = load_all(folder, (style,))
            rows[style] = table_row(answers(network, samples, SUBSETS[6])["points"], samples, np.random.default_rng(0))
    return rows


def recipe_of(run: Path) -> dict[str, Any]:
    """Return styles and strength that a run was trained with, nothing where it does not say."""
    path = run / "recipe.json"
    told = json.loads(path.read_text()) if path.is_file() else {}
    return {key: told[key] for key in ("styles", "strength") if key in told}


def trained(run: Path) -> tuple[S2MNet, dict]:
    """Return the network of a run in the half precision it is shipped in, and the run's state."""
    state = torch.load(run / "network.pt", weights_only=True, map_location="cpu")
    network = S2MNet(S2MNetConfig(**state["config"]), len(state["network"]["template"])).eval()
    network.load_state_dict({key: shortened(v).to(v.dtype) for key, v in state["network"].items()})
    return network.to(memory_format=torch.channels_last), state


def main() -> None:
    """Measure, calibrate and export."""
    from training.groups import group_rows, read_records

    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("run", "cal", "test", "outofspan", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--name", default="lean")
    parser.add_argument("--command", default="")
    parser.add_argument("--style-test", type=Path, help="test samples in every style; --test where not given")
    parser.add_argument("--cal-styles", nargs="+", default=["speckle", "cyclegan"])
    options = parser.parse_args()
    torch.set_num_threads(2)
    network, state = trained(options.run)
    calibration = load_all(options.cal, tuple(options.cal_styles))
    bounds, sigma = calibrate(network, calibration)
    test, foreign = load_all(options.test, ("speckle",)), load_all(options.outofspan)
    metrics = {
        "conformal90": bounds,
        "calibration_patients": len(calibration["field"]) // 2,
        "synthetic": table(network, test),
        "calibration_styles": options.cal_styles,
        "synthetic_patients": len(test["field"]) // 2,
        "styles": style_rows(network, options.style_test or options.test),
        "groups": group_rows(network, test, read_records(options.test)),
        "out_of_span": table(network, foreign, len(FRACTIONS)),
        "planes": plane_errors(network, test),
        "trust": trust_figures(network, test),
    }
    log = [json.loads(line) for line in (options.run / "log.jsonl").read_text().splitlines()]
    card = ModelCard(
        name=options.name,
        kind="s2mnet",
        trained={
            "date": date.today().isoformat(),
            "command": options.command,
            **recipe_of(options.run),
            "samples": state["samples"],
            "hearts_of_label_slices": state["hearts"],
            "log": log[-1],
        },
        template_sha256=load_template().sha256,
        image_hw=(state["config"]["raster"],) * 2,
        config=state["config"],
        metrics=metrics,
        data_credits=(CREDIT,),
    )
    write_weights(options.out, dict(network.state_dict()) | {"sigma_mm": torch.from_numpy(sigma)}, card)
    print(json.dumps(metrics, indent=1))


def trust_figures(network: S2MNet, samples: dict[str, Tensor]) -> dict[str, float]:
    """Return the share of genuine views trusted (above one half) and of views taken for another view."""
    trust = answers(network, samples, SUBSETS[6])["trust"]
    wrong = {**samples, "echo": samples["echo"].roll(1, dims=1), "fans": samples["fans"].roll(1, dims=1)}
    other = answers(network, wrong, SUBSETS[6])["trust"]
    return {
        "genuine_trusted": round(float((trust > 0).float().mean()), 3),
        "wrong_view_trusted": round(float((other > 0).float().mean()), 3),
    }


if __name__ == "__main__":
    main()

"""Measure S2MNet on hearts it never saw, calibrate its intervals, and export weights with their card.

    python -m training.evaluate --run runs/lean --cal runs/cal --test runs/test --outofspan runs/outofspan --out FILE

The tables are of speckle pictures, as are the three hearts out of span; ``styles`` has a row for each style of the test samples. Intervals
are calibrated on ``--cal-styles`` in turn.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
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
from echo3d.io.weights import follow, read_card, read_weights, shortened, weights_path, write_weights
from echo3d.reconstruction.reconstruct import S2MModel, load_model, predict
from echo3d.reconstruction.s2mnet import VIEWS, Prediction, S2MNet, S2MNetConfig
from echo3d.reconstruction.uncertainty import fit_bounds, half_widths, quantities
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


Reader = Callable[[Tensor, Tensor], Prediction]
"""What answers pictures (B, V, 2, H, W) of the views present (B, V), ED and ES in turn: a network, or a refined one."""


def reader_of(model: S2MModel) -> Reader:
    """Return how a model answers, refined where it can."""

    def read(pictures: Tensor, present: Tensor) -> Prediction:
        together = [tuple(range(row, min(row + 2, len(pictures)))) for row in range(0, len(pictures), 2)]
        return predict(model, pictures, present, together)

    return read


def question(pictures: Tensor, present: Tensor) -> str:
    """Return a name for what is asked: pictures (B, V, 2, H, W) of the views present (B, V)."""
    return hashlib.blake2b(pictures.numpy().tobytes() + present.numpy().tobytes(), digest_size=20).hexdigest()


def remembering(reader: Reader) -> Reader:
    """Return a reader that answers the same question once only; refined answers take a tenth of a second each."""
    known: dict[str, Prediction] = {}

    def read(pictures: Tensor, present: Tensor) -> Prediction:
        key = question(pictures, present)
        if key not in known:
            known[key] = reader(pictures, present)
        return known[key]

    return read


@torch.inference_mode()
def answers(network: Reader, samples: dict[str, Tensor], views: tuple[View, ...]) -> dict[str, Tensor]:
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


def table(network: Reader, samples: dict[str, Tensor], per_heart: int = 1) -> dict[str, dict[str, float]]:
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


def plane_errors(network: Reader, samples: dict[str, Tensor]) -> dict[str, float]:
    """Return the mean errors of the predicted planes with six views: mm of the probe, degrees of the plane's normal and of the beam."""
    planes = answers(network, samples, SUBSETS[6])["planes"]
    true = samples["sectors"]
    shift = (planes[..., :3] - true[..., :3]).norm(dim=-1).mean()
    normals = [torch.linalg.cross(p[..., 6:9], p[..., 3:6]) for p in (planes, true)]
    tilt, beam = _angle(*normals), _angle(planes[..., 3:6], true[..., 3:6])
    return {"probe_mm": round(float(shift), 2), "normal_deg": round(float(tilt), 2), "beam_deg": round(float(beam), 2)}


def _angle(a: Tensor, b: Tensor) -> Tensor:
    return torch.rad2deg(torch.arccos(torch.nn.functional.cosine_similarity(a, b, dim=-1).clamp(-1, 1))).mean()


def calibration(network: Reader, samples: dict[str, Tensor], few: int | None = None) -> tuple[dict[str, Tensor], NDArray[np.float32]]:
    """Return by number of views the chamber volumes (S, 4) in ml that are read, and the points' expected error (V + 1, N) in mm.

    Parameters
    ----------
    few : patients that are read through fewer than six views; all without
    """
    template = load_template()
    wanted = samples["field"].float() + torch.from_numpy(np.array(template.points)).float()
    read, sigma = {}, np.zeros((VIEWS + 1, len(template.points)), dtype=np.float32)
    for number, views in SUBSETS.items():
        count = len(wanted) if number == VIEWS or few is None else min(2 * few, len(wanted))
        points = answers(network, {key: value[:count] for key, value in samples.items()}, views)["points"]
        sigma[number] = (points - wanted[:count]).square().sum(dim=2).mean(dim=0).sqrt().numpy()
        read[str(number)] = volumes_ml(points, cavity_faces())
    return read, sigma


def bounds_of(read: Mapping[str, Tensor], true: Tensor) -> dict[str, dict[str, Any]]:
    """Return by number of views the bounds of ``uncertainty.fit_bounds`` for volumes read and true (S, 4) ml."""
    return {number: fit_bounds(by_chamber(volumes), by_chamber(true[: len(volumes)])) for number, volumes in read.items()}


def by_chamber(volumes: Tensor) -> dict[str, NDArray[np.float64]]:
    """Return the quantities that have intervals, (S / 2,) each, of chamber volumes (S, 4) in ml, ED and ES in turn."""
    parts = {(key, phase): volumes[row::2, k].numpy() for k, key in enumerate(CHAMBER_KEYS) for row, phase in enumerate(("ed", "es"))}
    return quantities(parts)


def coverage(network: Reader, samples: dict[str, Tensor], bounds: Mapping[str, Any], kinds: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return how many of the true values lie in their intervals, in per cent, all six views: of all patients and of each kind.

    Parameters
    ----------
    samples : pairs of ED and ES, one pair a patient
    bounds : of :func:`bounds_of`
    kinds : each patient's group
    """
    found, true = by_chamber(volumes_ml(answers(network, samples, SUBSETS[6])["points"], cavity_faces())), by_chamber(samples["volumes"])
    halves, names = half_widths(bounds["6"], found), np.array(kinds)
    inside = {name: np.abs(found[name] - true[name]) <= half for name, half in halves.items()}
    rows = {"all": np.ones(len(names), dtype=bool)} | {f"group {kind}": names == kind for kind in sorted(set(names.tolist()))}
    table = {kind: {name: round(100 * float(kept[mask].mean()), 1) for name, kept in inside.items()} for kind, mask in rows.items()}
    return table | {"half width": {name: round(float(half.mean()) * (100 if name == "ef" else 1), 2) for name, half in halves.items()}}


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


def style_rows(network: Reader, folder: Path) -> dict[str, dict[str, float]]:
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


def measured(reader: Reader, options: argparse.Namespace) -> tuple[dict[str, Any], NDArray[np.float32]]:
    """Return all figures of a card and the points' expected error (V + 1, N) in mm."""
    from training.groups import group_rows, read_records

    drawn = load_all(options.cal, tuple(options.cal_styles))
    read, sigma = calibration(reader, drawn, options.few)
    if options.keep:
        torch.save({"read": read, "true": drawn["volumes"]}, options.keep)
    bounds = bounds_of(read, drawn["volumes"])
    reader = remembering(reader)
    test, foreign = load_all(options.test, ("speckle",)), load_all(options.outofspan)
    records, mixed = read_records(options.test), load_all(options.test, tuple(options.cal_styles))
    metrics = {
        "conformal90": bounds,
        "calibration_patients": len(drawn["field"]) // 2,
        "calibration_patients_of_fewer_views": min(options.few or len(drawn["field"]), len(drawn["field"]) // 2),
        "calibration_styles": options.cal_styles,
        "coverage": coverage(reader, mixed, bounds, [record["group"] for record in records]),
        "synthetic": table(reader, test),
        "synthetic_patients": len(test["field"]) // 2,
        "styles": style_rows(reader, options.style_test or options.test),
        "groups": group_rows(reader, test, records),
        "out_of_span": table(reader, foreign, len(FRACTIONS)),
        "planes": plane_errors(reader, test),
        "trust": trust_figures(reader, test),
    }
    return metrics, sigma


def exported_run(options: argparse.Namespace) -> tuple[dict[str, Tensor], ModelCard]:
    """Return tensors and card of a run's network."""
    network, state = trained(options.run)
    metrics, sigma = measured(network, options)
    log = [json.loads(line) for line in (options.run / "log.jsonl").read_text().splitlines()]
    told = {"samples": state["samples"], "hearts_of_label_slices": state["hearts"], "log": log[-1]}
    card = ModelCard(
        name=options.name,
        kind="s2mnet",
        trained={"date": date.today().isoformat(), "command": options.command, **recipe_of(options.run), **told},
        template_sha256=load_template().sha256,
        image_hw=(state["config"]["raster"],) * 2,
        config=state["config"],
        metrics=metrics,
        data_credits=(CREDIT,),
    )
    return dict(network.state_dict()) | {"sigma_mm": torch.from_numpy(sigma)}, card


def measured_again(options: argparse.Namespace) -> tuple[dict[str, Tensor], ModelCard]:
    """Return tensors and card of installed weights with figures measured anew; such as those of ``training.refinement``, which has none."""
    model = load_model(options.model, "cpu")
    metrics, sigma = measured(reader_of(model), options)
    told = model.card.trained | {"date": date.today().isoformat()} | ({"command": options.command} if options.command else {})
    tensors = read_weights(weights_path(options.model)) | {"sigma_mm": torch.from_numpy(sigma)}
    return tensors, replace(model.card, metrics=metrics, trained=told)


def main() -> None:
    """Measure, calibrate and export."""
    parser = argparse.ArgumentParser(description=__doc__)
    network = parser.add_mutually_exclusive_group(required=True)
    network.add_argument("--run", type=Path, help="a run to make weights of")
    network.add_argument("--model", help="installed weights to measure again")
    for name in ("cal", "test", "outofspan", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--name", default="lean")
    parser.add_argument("--command", default="")
    parser.add_argument("--style-test", type=Path, help="test samples in every style; --test where not given")
    parser.add_argument("--few", type=int, help="patients to calibrate fewer than six views on; all where not given")
    parser.add_argument("--keep", type=Path, help="a file for the volumes that intervals are calibrated on")
    parser.add_argument("--cal-styles", nargs="+", default=["speckle", "cyclegan"])
    options = parser.parse_args()
    torch.set_num_threads(1)
    tensors, card = exported_run(options) if options.run else measured_again(options)
    write_weights(options.out, tensors, card)
    if options.model:
        follow(options.out.parent, card.sha256, read_card(options.out).sha256)
    print(json.dumps(card.metrics, indent=1))


def trust_figures(network: Reader, samples: dict[str, Tensor]) -> dict[str, float]:
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

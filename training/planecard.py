"""Measure the slice plane network on hearts it never saw, beside S2MNet's own plane head, and export its weights with their card.

python -m training.planecard --run runs/sliceplane/lean --test runs/testmini --out resources/weights/sliceplane.safetensors
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from echo3d.anatomy.template import load_template
from echo3d.core.modelcard import ModelCard
from echo3d.core.views import View
from echo3d.io.weights import shortened, write_weights
from echo3d.reconstruction.planes import KIND, PlaneModel, own_planes, predict_planes
from echo3d.reconstruction.reconstruct import S2MModel, load_model
from echo3d.reconstruction.s2mnet import VIEWS
from echo3d.reconstruction.sliceplane import PRESETS, UNKNOWN, SlicePlaneNet, squared
from training.overlayscore import means, scores, see, some
from training.planedata import plain
from training.sliceplane import plane_measures
from training.styles import STYLES
from training.template import CREDIT

MODES = ("six views", "three apical views", "alone", "alone, unnamed", "S2MNet, six views", "S2MNet, alone")
APICAL = (View.A4C, View.A2C, View.A3C)


def trained(run: Path) -> tuple[SlicePlaneNet, dict[str, Any]]:
    """Return the network of a run in the half precision it is shipped in, and the run's state."""
    state = torch.load(run / "network.pt", weights_only=True, map_location="cpu")
    network = SlicePlaneNet(PRESETS[state["preset"]]).eval()
    network.load_state_dict({key: shortened(value).to(value.dtype) for key, value in state["network"].items()})
    return network, state


def parts_of(samples: dict[str, Tensor], size: int = 40) -> Iterator[dict[str, Tensor]]:
    """Return samples in parts."""
    for start in range(0, len(samples["echo"]), size):
        yield {key: value[start : start + size] for key, value in samples.items()}


@torch.inference_mode()
def answers(network: SlicePlaneNet, model: S2MModel, samples: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the planes (S, V, 9) that each of ``MODES`` gives for stored samples; with three views the last three hold the mean plane."""
    found: dict[str, list[Tensor]] = {mode: [] for mode in MODES}
    for part in parts_of(samples):
        pictures = plain(part["echo"], part["fans"])
        present = torch.ones(pictures.shape[:2], dtype=torch.bool)
        shares = model.network.structures(pictures, present)
        looks = shares if network.config.reads == "structures" else pictures
        some_views = present.clone()
        some_views[:, len(APICAL) :] = False
        lead = PlaneModel(network, model.card)
        everyone = torch.ones(len(present), dtype=torch.bool)
        planes = (
            predict_planes(lead, model, pictures, present),
            predict_planes(lead, model, pictures, some_views),
            predict_planes(lead, model, pictures, present, together=False),
            network(looks, present, views=torch.full_like(present, UNKNOWN, dtype=torch.long), together=False),
            own_planes(model.network, shares, present, everyone),
            own_planes(model.network, shares, present, ~everyone),
        )
        for mode, one in zip(MODES, planes, strict=True):
            found[mode].append(torch.cat([one[..., :3], squared(one[..., 3:])], dim=-1))
    return {mode: torch.cat(part) for mode, part in found.items()}


def table(found: dict[str, Tensor], true: Tensor) -> dict[str, dict[str, float]]:
    """Return the errors of each mode over the views it was shown."""
    shown = {mode: len(APICAL) if mode == "three apical views" else VIEWS for mode in found}
    return {mode: plane_measures(planes[:, : shown[mode]], true[:, : shown[mode]]) for mode, planes in found.items()}


def measured(network: SlicePlaneNet, model: S2MModel, test: Path, pairs: int) -> dict[str, Any]:
    """Return the errors of planes in all styles together and in each, by view, and the overlaps of some pairs."""
    samples = some(test, 1_000_000)
    found, true = answers(network, model, samples), samples["sectors"]
    style = torch.arange(len(true)) // 2 % len(STYLES)  # as ``Shards.whole`` deals them out
    by_style = {name: plane_measures(found["six views"][style == k], true[style == k]) for k, name in enumerate(STYLES)}
    card = ModelCard("", KIND, {}, model.card.template_sha256, (0, 0), {})
    seen = see(model, PlaneModel(network, card), some(test, pairs))
    return {
        "patients": len(true) // 2,
        "planes": table(found, true),
        "styles": by_style,
        "views": {view.key: plane_measures(found["six views"][:, view], true[:, view]) for view in View},
        "overlay_pairs": pairs,
        "overlay_iou": {case: means(rows) for case, rows in scores(seen).items()},
    }


def main() -> None:
    """Measure and export."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--test", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pairs", type=int, default=60, help="pairs whose overlays are measured")
    parser.add_argument("--model", default="lean", help="S2MNet weights that read the pictures and give the hearts")
    parser.add_argument("--command", default="echo3d train sliceplane")
    options = parser.parse_args()
    torch.set_num_threads(1)
    network, state = trained(options.run)
    model = load_model(options.model, "cpu")
    metrics = measured(network, model, options.test, options.pairs)
    settings = json.loads((options.run / "config.json").read_text())
    kept = {key: value for key, value in settings.items() if key not in ("data", "slices", "val", "device")}
    told = {"date": date.today().isoformat(), "command": options.command, "settings": kept}
    told |= {"sets_shown": state["samples"], "core_minutes": round(state["core_minutes"], 2), "reader_sha256": model.card.sha256}
    card = ModelCard(KIND, KIND, told, load_template().sha256, (112, 112), network.config.model_dump(), metrics, (CREDIT,))
    write_weights(options.out, dict(network.state_dict()), card)
    print(json.dumps(metrics, indent=1))


if __name__ == "__main__":
    main()

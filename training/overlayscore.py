"""How well the heart, cut at the plane that a picture is believed to show, covers what the picture shows.

    python -m training.overlayscore --data runs/testmini --pairs 40

The cut's labels are held against the label slice that the picture was drawn from: intersection over union of the whole heart (tissue and
blood) and of each cavity, on the network's raster, over the views that show it. Putting the truth in place of the heart or of the plane
says which of the two costs more; with both true, what is left is the difference between cutting surfaces and looking up voxels.

*Source:* paper section 5.3, which shows such overlays without a figure of agreement.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from echo3d.anatomy.template import load_template
from echo3d.clinical.overlay import section_labels
from echo3d.core.sector import Sector, sector_towards
from echo3d.core.structures import CHAMBER_KEYS, Structure
from echo3d.reconstruction.planes import PlaneModel, load_planes, predict_planes
from echo3d.reconstruction.raster import NETWORK_GRID
from echo3d.reconstruction.reconstruct import S2MModel, load_model, predict
from training.data import Shards
from training.planedata import plain
from training.styles import STYLES

CAVITIES = dict(zip(CHAMBER_KEYS, (Structure.LV_CAVITY, Structure.RV_CAVITY, Structure.LA_CAVITY, Structure.RA_CAVITY), strict=True))

LEAST_PIXELS = 60
"""Pixels of 1.6 mm (1.5 cm2) that a structure must have in the truth for a view to count for it; a corner of one is no cavity."""

CASES = ("heart and plane found", "plane found", "heart found", "plane by S2MNet", "both true", "plane alone")


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """S samples as they are and as they were found.

    Parameters
    ----------
    echo : (S, V, H, W) uint8 pictures
    labels : (S, V, H, W) uint8, the truth
    fans : (S, V, 2) half angle (degrees) and depth (mm)
    points : by "true" and "found" (S, N, 3) mm
    planes : by "true", "found", "alone" (no other view heard) and "s2mnet" (S, V, 9)
    """

    echo: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    fans: NDArray[np.float64]
    points: dict[str, NDArray[np.float64]]
    planes: dict[str, NDArray[np.float64]]


def sector_of(plane: NDArray, fan: NDArray) -> Sector:
    """Return the fan of a plane (9,), its half angle and depth (2,)."""
    return sector_towards(plane[:3], plane[:3] + plane[3:6], plane[6:9], float(fan[0]), float(fan[1]))


def overlap(found: NDArray, true: NDArray) -> dict[str, float]:
    """Return the intersection over union of the heart and of each cavity in two label pictures; what the truth hardly shows is left out.

    >>> picture = np.zeros((9, 9), np.uint8)
    >>> picture[:, 1:] = 101
    >>> overlap(picture, picture)
    {'heart': 1.0, 'lv': 1.0}
    """
    pairs = {"heart": (found > 0, true > 0)} | {key: (found == value, true == value) for key, value in CAVITIES.items()}
    shown = {key: (one, other) for key, (one, other) in pairs.items() if other.sum() >= LEAST_PIXELS}
    return {key: float((one & other).sum() / (one | other).sum()) for key, (one, other) in shown.items()}


def see(model: S2MModel, planes: PlaneModel, part: dict[str, torch.Tensor]) -> Seen:
    """Return what both networks find in stored samples, all six views."""
    pictures = plain(part["echo"], part["fans"])
    present = torch.ones(pictures.shape[:2], dtype=torch.bool)
    answer = predict(model, pictures, present)
    template = np.array(load_template().points)
    joint, alone = (predict_planes(planes, model, pictures, present, together=together).numpy() for together in (True, False))
    return Seen(
        echo=part["echo"].numpy(),
        labels=part["labels"].numpy(),
        fans=part["fans"].double().numpy(),
        points={"true": part["field"].numpy().astype(float) + template, "found": answer.points.numpy().astype(float)},
        planes={"true": part["sectors"].numpy(), "found": joint, "alone": alone, "s2mnet": answer.planes.numpy()},
    )


def cut(seen: Seen, row: int, view: int, which: tuple[str, str]) -> NDArray[np.uint8]:
    """Return the labels (H, W) of a sample's heart, at a view's plane; ``which`` heart and which plane, as :class:`Seen` names them."""
    heart, plane = which
    return section_labels(
        load_template(), seen.points[heart][row], sector_of(seen.planes[plane][row, view].astype(float), seen.fans[row, view]), NETWORK_GRID
    )


def scores(seen: Seen) -> dict[str, list[dict[str, float]]]:
    """Return the overlaps of every picture for each of ``CASES``."""
    which = (("found", "found"), ("true", "found"), ("found", "true"), ("found", "s2mnet"), ("true", "true"), ("found", "alone"))
    rows, views = seen.labels.shape[:2]
    places = [(row, view) for row in range(rows) for view in range(views)]
    return {case: [overlap(cut(seen, r, v, pair), seen.labels[r, v]) for r, v in places] for case, pair in zip(CASES, which, strict=True)}


def means(found: Iterable[dict[str, float]]) -> dict[str, float]:
    """Return the mean of each name over the pictures that have it."""
    rows = list(found)
    names = [name for name in ("heart", *CAVITIES) if any(name in row for row in rows)]
    return {name: round(float(np.mean([row[name] for row in rows if name in row])), 4) for name in names}


def some(folder: Path, pairs: int, styles: tuple[str, ...] = STYLES) -> dict[str, torch.Tensor]:
    """Return the first ``pairs`` pairs of end-diastole and end-systole of each style's share, evenly over a folder.

    Raises
    ------
    FileNotFoundError
        If there are none.
    """
    shards = Shards(folder, styles=styles)
    if not shards.refresh():
        raise FileNotFoundError("a folder of samples must hold pictures in the styles asked for; draw them with training.styles")
    samples = shards.all()
    first = np.linspace(0, len(samples["field"]) // 2 - 1, min(pairs, len(samples["field"]) // 2)).astype(int)
    rows = torch.from_numpy(np.stack([2 * first, 2 * first + 1], axis=1).ravel())
    return {key: value[rows] for key, value in samples.items()}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pairs", type=int, default=40)
    parser.add_argument("--styles", nargs="+", default=list(STYLES))
    parser.add_argument("--model", default="lean")
    parser.add_argument("--planes", default="sliceplane", help="name of installed weights")
    options = parser.parse_args()
    torch.set_num_threads(1)
    model = load_model(options.model, "cpu")
    seen = see(model, load_planes(model, options.planes), some(options.data, options.pairs, tuple(options.styles)))
    print(json.dumps({case: means(rows) for case, rows in scores(seen).items()}, indent=1))


if __name__ == "__main__":
    main()

"""Draw training samples: hearts of both phases, six jittered fans each, label slices and speckle pictures on the network's raster.

    python -m training.samples --out runs/samples --count 16000 --seed 1 --shard 0/2

With ``--labels-only`` the pictures are left to ``training.styles``, which draws them in any style from what is stored.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from echo3d.anatomy.cohort import Heart, record_to_json, sound_heart
from echo3d.anatomy.material import GRID_SIDE, load_material
from echo3d.anatomy.template import field_grid, load_label_volume, load_template
from echo3d.core.field import FieldGrid
from echo3d.core.pose import rigid_between
from echo3d.core.sector import Sector
from echo3d.core.views import View
from echo3d.reconstruction.raster import NETWORK_GRID
from echo3d.slicing.labelvolume import anchored
from echo3d.slicing.standard import draw_sector, jittered, standard_sectors
from echo3d.style.polar import PolarGrid
from echo3d.style.scene import Scene
from echo3d.style.speckle import draw_speckle, speckle_image

POLAR = (224, 88)
"""Samples and lines of the polar raster that training pictures are simulated on."""

Arrays = dict[str, NDArray]


@dataclass(frozen=True, slots=True, eq=False)
class TorchLabels:
    """The label volume of one heart in torch: the fast twin of ``slicing.labelvolume.WarpedLabels``."""

    inverse: torch.Tensor
    low: torch.Tensor
    high: torch.Tensor

    def look_up(self, points: NDArray) -> NDArray[np.uint8]:
        """Return the structure at world points (..., 3) mm."""
        world = torch.from_numpy(points.reshape(-1, 3).astype(np.float32))
        flat, shape, origin = _constants()
        rest = world + _sample(self.inverse, (world - self.low) / (self.high - self.low) * 2 - 1)
        index = torch.round(rest - origin).long()
        valid = ((index >= 0) & (index < shape)).all(dim=1)
        index = torch.minimum(index.clamp(min=0), shape - 1)
        labels = flat[(index[:, 0] * shape[1] + index[:, 1]) * shape[2] + index[:, 2]]
        return (labels * valid).numpy().reshape(points.shape[:-1])


_CACHE: dict[str, tuple[torch.Tensor, ...]] = {}


def _constants() -> tuple[torch.Tensor, ...]:
    """Return the template's label volume as tensors, made once per process."""
    if not _CACHE:
        volume = load_label_volume()
        flat = torch.from_numpy(np.array(volume.labels).ravel())
        origin = torch.from_numpy(np.array(volume.affine[:3, 3], dtype=np.float32))
        _CACHE["all"] = (flat, torch.tensor(volume.labels.shape), origin)
    return _CACHE["all"]


def _sample(field: torch.Tensor, place: torch.Tensor) -> torch.Tensor:
    """Return field (1, 3, D, D, D) at places (P, 3) in [-1, 1], (P, 3)."""
    picked = torch.nn.functional.grid_sample(field, place.flip(1)[None, :, None, None], align_corners=True, padding_mode="border")
    return picked[0, :, :, 0, 0].T


def invert(x: NDArray) -> TorchLabels:
    """Return the labels of the heart that has all material positions at ``x`` (M, 3) mm."""
    material = load_material()
    nodes, surface = x[material.count :], slice(0, material.count)
    grid = field_grid(GRID_SIDE)
    wide = grid.around(x[surface])
    low, high = _corners(grid)
    world = torch.from_numpy(wide.nodes().astype(np.float32))
    ahead = torch.from_numpy(nodes.astype(np.float32)) - torch.from_numpy(grid.nodes().astype(np.float32))
    forward = ahead.T.reshape(1, 3, GRID_SIDE, GRID_SIDE, GRID_SIDE)
    back = -ahead
    for _ in range(12):
        back = back - 0.7 * (back + _sample(forward, (world + back - low) / (high - low) * 2 - 1))
    side = (GRID_SIDE,) * 3
    right = anchored(wide, back.numpy().reshape(*side, 3), material.rest[surface], x[surface])
    return TorchLabels(torch.from_numpy(right.reshape(-1, 3)).T.reshape(1, 3, *side), *_corners(wide))


def _corners(grid: FieldGrid) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the first and last node (3,) of a raster."""
    low, high = (torch.from_numpy(np.array(v, dtype=np.float32)) for v in (grid.low, grid.high))
    return low, high


def moved_sector(sector: Sector, rotation: NDArray, shift: NDArray) -> NDArray[np.float32]:
    """Return (9,) origin, axis and lateral of a fan moved rigidly."""
    return np.concatenate([rotation @ sector.origin + shift, rotation @ sector.axis, rotation @ sector.lateral]).astype(np.float32)


def label_slices(labels: TorchLabels, fans: dict[View, Sector]) -> Arrays:
    """Return ``labels`` (6, H, W) uint8 on the network's raster and ``polar`` (6, S, L) uint8 along the beams of one phase."""
    slices, polar = [], []
    plane = NETWORK_GRID.plane_mm()
    for fan in fans.values():
        inside = NETWORK_GRID.inside(fan.half_angle, fan.depth)
        slices.append(np.where(inside, labels.look_up(fan.world(plane)), 0))
        polar.append(labels.look_up(fan.world(PolarGrid(*POLAR, fan.half_angle, fan.depth).plane_mm())))
    return {"labels": np.stack(slices).astype(np.uint8), "polar": np.stack(polar)}


def speckle_pictures(sample: Arrays, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return the speckle pictures (6, H, W) uint8 of a sample's ``polar`` slices; each view is another machine's."""
    echoes = []
    for polar, (half_angle, depth), share in zip(sample["polar"], sample["fans"], sample["long_axis"], strict=True):
        fan, scene = PolarGrid(*POLAR, float(half_angle), float(depth)), Scene(long_axis=min(1.0, float(share)))
        echoes.append(np.rint(255 * speckle_image(polar, fan, NETWORK_GRID, draw_speckle(rng), scene=scene)))
    return np.stack(echoes).astype(np.uint8)


def phase_sample(x: NDArray, labels: TorchLabels, fans: dict[View, Sector], rng: np.random.Generator) -> Arrays:
    """Return one sample with its speckle pictures as ``echo``."""
    sample = plain_sample(x, labels, fans)
    return sample | {"echo": speckle_pictures(sample, rng)}


def plain_sample(x: NDArray, labels: TorchLabels, fans: dict[View, Sector]) -> Arrays:
    """Return one sample without pictures.

    Label slices, the true displacement and fans in the frame aligned to the template, chamber volumes in ml, and ``long_axis`` (6,), the
    share of the LV's long axis that lies within each plane.
    """
    material, template = load_material(), load_template()
    points = x[: material.count]
    rotation, shift = rigid_between(points, template.points)
    volumes = template.volumes_ml(points)
    return label_slices(labels, fans) | {
        "field": (points @ rotation.T + shift - template.points).astype(np.float16),
        "sectors": np.stack([moved_sector(fan, rotation, shift) for fan in fans.values()]),
        "fans": np.array([[fan.half_angle, fan.depth] for fan in fans.values()], dtype=np.float32),
        "volumes": np.array([volumes[key] for key in ("lv", "rv", "la", "ra")], dtype=np.float32),
        "long_axis": np.array([within_plane(fan, long_axis(points)) for fan in fans.values()], dtype=np.float32),
    }


def long_axis(points: NDArray) -> NDArray[np.float64]:
    """Return (3,) the unit vector from the mitral valve to the LV apex of material points."""
    template = load_template()
    way = template.landmark(points, "lv_apex_endo") - template.landmark(points, "mitral")
    return np.asarray(way / np.linalg.norm(way))


def within_plane(fan: Sector, direction: NDArray) -> float:
    """Return which share of a unit vector (3,) lies within a fan's plane."""
    return float(np.hypot(direction @ fan.axis, direction @ fan.lateral))


def draw_fans(heart: Heart, rng: np.random.Generator) -> dict[View, Sector]:
    """Return six jittered fans of a heart, one hand for all of them."""
    template = load_template()
    draws = {view: draw_sector(rng) for view in View}
    level = float(rng.uniform(0, 1))
    standard = standard_sectors(template, heart.ed[: len(template.points)], level=level)
    return {view: jittered(standard[view], draws[view]) for view in View}


def heart_samples(seed: tuple[int, ...], probes: int = 2, *, labels_only: bool = False) -> tuple[list[Arrays], dict]:
    """Return samples of one drawn heart, ED and ES in turn for each of ``probes`` hands, and its record."""
    rng = np.random.default_rng(seed)
    heart = sound_heart(rng)
    return samples_of(heart, rng, probes, labels_only=labels_only), record_to_json(heart.record)


def samples_of(heart: Heart, rng: np.random.Generator, probes: int = 2, *, labels_only: bool = False) -> list[Arrays]:
    """Return samples of a heart, ED and ES in turn for each of ``probes`` hands; without pictures where ``labels_only`` says so."""
    samples: list[Arrays] = []
    phases = [(x, invert(x)) for x in (heart.ed, heart.es)]
    for _ in range(probes):
        fans = draw_fans(heart, rng)
        if labels_only:
            samples += [plain_sample(x, seen, fans) for x, seen in phases]
        else:
            samples += [phase_sample(x, seen, fans, rng) for x, seen in phases]
    return samples


def write_shard(out: Path, name: str, samples: list[Arrays], records: list[dict]) -> None:
    """Write a shard whole or not at all."""
    arrays = {key: np.stack([sample[key] for sample in samples]) for key in samples[0]}
    partial = out / f"{name}.partial"
    with partial.open("wb") as stream:
        np.savez(stream, records=np.array(json.dumps(records)), **arrays)  # type: ignore[arg-type]
    partial.rename(out / f"{name}.npz")


def main() -> None:
    """Write shards until ``--count`` samples exist in this shard's share."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=16000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shard", default="0/1")
    parser.add_argument("--probes", type=int, default=2)
    parser.add_argument("--labels-only", action="store_true", help="leave the pictures to training.styles")
    options = parser.parse_args()
    torch.set_num_threads(1)
    part, parts = map(int, options.shard.split("/"))
    options.out.mkdir(parents=True, exist_ok=True)
    per_shard, start = 120, time.monotonic()
    for block in range(part, -(-options.count // per_shard), parts):
        name = f"{options.seed:04d}_{block:05d}"
        if (options.out / f"{name}.npz").exists():
            continue
        samples: list[Arrays] = []
        records: list[dict] = []
        while len(samples) < per_shard:
            new, record = heart_samples((options.seed, block, len(records)), options.probes, labels_only=options.labels_only)
            samples += new
            records.append(record)
        write_shard(options.out, name, samples, records)
        print(json.dumps({"shard": name, "seconds": round(time.monotonic() - start, 1)}), flush=True)


if __name__ == "__main__":
    main()

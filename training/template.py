"""Build the template, its label volume and its modes from the published shape model.

python -m training.template --data ../shared/data/hearts/rodero_ssm --out resources/template
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pyvista as pv
from numpy.typing import NDArray

from echo3d.anatomy.landmarks import aha_segments, find_landmarks
from echo3d.core.field import FieldGrid, LabelVolume
from echo3d.core.mesh import enclosed_ml
from echo3d.core.pose import rigid_between
from echo3d.core.structures import CHAMBER_KEYS
from training.template_mesh import Interface, region_faces, smoothed, thinned, voxel_interface
from training.template_volume import chamber_labels, resampled, wall_labels

HEARTS = (1, 2, 3, 5, 6, 7, 8, 10, 11, 13, 14, 16, 17)
"""The shared rows of momenta, in their order."""

HELD_OUT = (5, 10, 16)
"""Hearts that stay out of everything that is trained: the out-of-span test hearts."""

KERNEL_MM = 10.0
CREDIT = (
    "Rodero et al., Virtual cohort of adult healthy four-chamber heart meshes from CT images (PLOS Comput Biol 2021), CC BY 4.0; "
    "shape model files by M. Marciniak, CardiacMeshConstruction, MIT"
)


def shoot(points: NDArray, control: NDArray, momenta: NDArray) -> NDArray[np.float64]:
    """Return where the flow of the momenta carries ``points`` (N, 3), mm.

    *Source:* the shape model's kernel and ten Euler steps (data README, "How the momenta make a heart").
    """
    moved, q, p = points.astype(float), control.astype(float), momenta.astype(float)
    for _ in range(10):
        kernel = gaussian(q, q)
        turn = kernel * (p @ p.T)
        push = 2 / KERNEL_MM**2 * (turn.sum(axis=1)[:, None] * q - turn @ q)
        step = np.concatenate([gaussian(block, q) @ p for block in np.array_split(moved, max(1, len(moved) // 4000))])
        moved, q, p = moved + 0.1 * step, q + 0.1 * (kernel @ p), p + 0.1 * push
    return moved


def gaussian(a: NDArray, b: NDArray) -> NDArray[np.float64]:
    """Return the (len(a), len(b)) kernel matrix."""
    square = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
    return np.exp(-np.maximum(square, 0) / KERNEL_MM**2)


def read_momenta(data: Path) -> tuple[NDArray[np.float64], dict[int, NDArray[np.float64]]]:
    """Return the control points (Q, 3) and per heart its momenta (Q, 3)."""
    control = np.loadtxt(data / "control_points.txt")
    rows = np.atleast_2d(np.loadtxt(data / "momenta_13_hearts.csv", delimiter=","))
    return control, {heart: row.reshape(3, -1).T for heart, row in zip(HEARTS, rows, strict=True)}


def heart_flow(data: Path, heart: int, points: NDArray) -> NDArray[np.float64]:
    """Return ``points`` of the template carried onto one of the shared hearts, mm, in the source's frame."""
    control, momenta = read_momenta(data)
    return shoot(points, control, momenta[heart])


def build_surface(data: Path, seed: int) -> tuple[Interface, LabelVolume]:
    """Return the template's surface and its fine label volume."""
    source = pv.read(data / "template_24parts.vtp")
    volume = chamber_labels(wall_labels(source, 0.6))
    return thinned(smoothed(voxel_interface(volume), 10), 10_200, np.random.default_rng(seed)), volume


def write_template(surface: Interface, out: Path) -> NDArray[np.float64]:
    """Write template.npz and return its material points (N, 3)."""
    landmarks = find_landmarks(surface.points, surface.faces, surface.sides)
    points = np.concatenate([surface.points, np.array(list(landmarks.values()))])
    np.savez_compressed(
        out / "template.npz",
        points=points.astype(np.float32),
        faces=surface.faces.astype(np.int32),
        sides=surface.sides,
        landmark_names=np.array(list(landmarks)),
        aha=aha_segments(points, surface.faces, surface.sides, landmarks),
    )
    return points


def write_modes(data: Path, points: NDArray, side: int, out: Path) -> NDArray[np.float64]:
    """Write modes.npz (mean and modes of the training hearts on a node raster); return the modes' standard deviations in mm."""
    grid = FieldGrid(points.min(axis=0) - 18.0, points.max(axis=0) + 18.0, side)
    nodes, fields = grid.nodes(), []
    for heart in (h for h in HEARTS if h not in HELD_OUT):
        moved = heart_flow(data, heart, np.concatenate([points, nodes]))
        rotation, shift = rigid_between(moved[: len(points)], points)
        fields.append(moved[len(points) :] @ rotation.T + shift - nodes)
    stack = np.stack(fields).reshape(len(fields), -1)
    mean = stack.mean(axis=0)
    _, size, axes = np.linalg.svd(stack - mean, full_matrices=False)
    deviation = (size / np.sqrt(len(fields) - 1))[:-1]
    modes = (deviation[:, None] * axes[:-1]).reshape(len(deviation), side, side, side, 3)
    np.savez_compressed(out / "modes.npz", mean=mean.reshape(side, side, side, 3).astype(np.float16), modes=modes.astype(np.float16))
    return deviation / np.sqrt(side**3)


def check_table(surface: Interface, volume: LabelVolume) -> dict[str, dict[str, float]]:
    """Return per chamber the volume by the divergence theorem beside the voxel count, ml."""
    count = np.bincount(volume.labels.ravel(), minlength=128) * volume.voxel_ml
    return {
        key: {"surface_ml": round(enclosed_ml(surface.points, region_faces(surface, label)), 2), "voxels_ml": round(float(count[label]), 2)}
        for key, label in CHAMBER_KEYS.items()
    }


def main() -> None:
    """Build all template resources and their card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("resources/template"))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    surface, fine = build_surface(options.data, options.seed)
    points = write_template(surface, options.out)
    coarse = resampled(fine, 1.0)
    np.savez_compressed(options.out / "labels.npz", labels=coarse.labels, affine=coarse.affine)
    deviation = write_modes(options.data, points, 36, options.out)
    card = {
        "command": f"python -m training.template --data ../shared/data/hearts/rodero_ssm --out resources/template --seed {options.seed}",
        "data_credits": [CREDIT],
        "points": len(points),
        "faces": len(surface.faces),
        "chambers": check_table(surface, fine),
        "hearts_in_modes": [h for h in HEARTS if h not in HELD_OUT],
        "hearts_held_out": list(HELD_OUT),
        "mode_rms_mm": [round(float(d), 3) for d in deviation],
    }
    (options.out / "card.json").write_text(json.dumps(card, indent=1) + "\n")
    print(json.dumps(card, indent=1))


if __name__ == "__main__":
    main()

"""Measure registration: drawn hearts remeshed and shuffled, of which every point's true place is known, and real hearts where they are.

python -m training.registration --hearts 20 --seed 61
python -m training.registration --hearts 4 --methods shape --untagged
python -m training.registration --turns 64
python -m training.registration --real ../shared/data/hearts
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyvista as pv
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from echo3d.anatomy.cohort import sound_heart
from echo3d.anatomy.template import load_template
from echo3d.core.structures import TAGS
from echo3d.errors import Echo3dError
from echo3d.hearts import Source
from echo3d.registration.parts import template_parts
from echo3d.registration.register import RegisterConfig, Registration, Target, register
from echo3d.registrations import Heart, open_target
from training.remesh import remeshed

FITTED_PARTS = {"EPICARDIAL": "VENTRICLES", "LV_ENDOCARDIAL": "LV_CAVITY", "RV_ENDOCARDIAL": "RV_CAVITY"}
FITTED_PHASES = (0, 5, 10, 15, 20)
"""Phases of the fitted beat that are measured; 0 is end-diastole, 10 end-systole."""

COARSE = RegisterConfig(surface_mm=4.0, most_mm=1e3)
COARSE_POINTS = 12_000
"""Settings and mesh for many start rotations, which are to tell whether a registration ends right, not how well."""

RIGHT_MM = 1.0

HEAD = "| case | method | point error, mm | 95 %, mm | surface, mm | surface 95 %, mm | folds | LV RV LA RA, % | s |"


def drawn(seed: int, number: int, tagged: bool, count: int = 60_000) -> tuple[str, NDArray, Target]:
    """Return name, true material points (N, 3) and the surface, of ``count`` points, of a drawn heart, turned and shifted at random."""
    template, rng = load_template(), np.random.default_rng((seed, number))
    heart = sound_heart(rng)
    phase = "ED" if number % 2 == 0 else "ES"
    points = (heart.ed if phase == "ED" else heart.es)[: len(template.points)]
    points = points @ Rotation.random(rng=rng).as_matrix().T + rng.uniform(-200, 200, 3)
    faces, tags = template_parts(template, [int(tag) for tag in TAGS] if tagged else [0])
    return f"{heart.record.group} {phase}", points, remeshed(points, faces, tags, rng, count=count)


def line(name: str, method: str, found: Registration, seconds: float, truth: NDArray | None = None) -> tuple[str, list[float]]:
    """Return a row of the table and its figures; ``truth`` (N, 3) gives point errors and true volumes."""
    template = load_template()
    error = np.full(1, np.nan) if truth is None else np.linalg.norm(found.points - truth, axis=1)
    own = template.volumes_ml(found.points)
    off = [] if truth is None else [100 * (own[key] / ml - 1) for key, ml in template.volumes_ml(truth).items()]
    figures = [float(error.mean()), float(np.quantile(error, 0.95)), found.distance_mm, found.distance95_mm, found.folded, seconds]
    shown = " ".join(f"{value:+.1f}" for value in off)
    row = "| {} | {} | {:.2f} | {:.2f} | {:.2f} | {:.2f} | {} | {} | {:.1f} |".format(name, method, *figures[:5], shown, seconds)
    return row, figures


def measure_drawn(options: argparse.Namespace) -> None:
    """Print a row per heart and method, and the means."""
    means: dict[str, list[list[float]]] = {method: [] for method in options.methods}
    for number in range(options.hearts):
        name, truth, target = drawn(options.seed, number, not options.untagged)
        for method in options.methods:
            start = time.perf_counter()
            try:
                found = register(load_template(), target, RegisterConfig(method=method, most_mm=1e3))
            except Echo3dError as exc:
                print(f"| {name} | {method} | {exc} |", flush=True)
                continue
            row, figures = line(name, method, found, time.perf_counter() - start, truth)
            means[method].append(figures)
            print(row, flush=True)
    for method, rows in means.items():
        values = np.mean(rows, axis=0)
        print(f"| mean of {len(rows)} | {method} | " + " | ".join(f"{value:.2f}" for value in values[:5]) + f" | | {values[5]:.1f} |")


def measure_turns(options: argparse.Namespace) -> None:
    """Print how many start rotations of one heart end right: the mean error of its points within ``RIGHT_MM`` of the best start's."""
    for tagged in (True, False):
        name, truth, target = drawn(options.seed, 0, tagged, COARSE_POINTS)
        errors = np.array([turned_error(truth, target, turn) for turn in Rotation.random(options.turns, rng=options.seed).as_matrix()])
        right = errors < np.nanmin(errors) + RIGHT_MM
        said = f"{right.sum()} of {len(errors)} right, error {errors[right].mean():.2f} mm, worst of these {errors[right].max():.2f}"
        others = ", ".join(f"{error:.1f}" for error in errors[~right])
        print(f"{name}, {'parts known' if tagged else 'no parts known'}: {said}; others: {others or 'none'}", flush=True)


def turned_error(truth: NDArray, target: Target, rotation: NDArray) -> float:
    """Return the mean error (mm) of the points of a heart that is turned before it is registered, not a number where that fails."""
    seen = Target(target.points @ rotation.T, target.faces, target.tags)
    try:
        found = register(load_template(), seen, COARSE)
    except Echo3dError:
        return float("nan")
    return float(np.linalg.norm(found.points - truth @ rotation.T, axis=1).mean())


def real_hearts(folder: Path) -> Iterator[tuple[str, Heart]]:
    """Yield name and surface of every real heart that is there."""
    files = [*sorted((folder / "rodero_ssm" / "hearts").glob("*.vtp")), folder / "visible_human_male" / "VH_M_Heart.glb"]
    files += [folder / "cobiveco_geo1" / "heart.vtp", folder / "heartdeformnets_templates" / "wh_template.vtp"]
    yield from ((path.stem, open_target(Source(path))) for path in files if path.exists())
    for phase in FITTED_PHASES:
        parts = [folder / "bivme_patient1" / "fitted" / f"patient1_{kind}_{phase:03d}.vtk" for kind in FITTED_PARTS]
        if all(path.exists() for path in parts):
            yield f"fitted {phase}", fitted(parts)


def fitted(parts: Sequence[Path]) -> Heart:
    """Return the surface of both ventricles that lies in a file for each part, in the order of ``FITTED_PARTS``."""
    pieces = [pv.read(path).extract_surface(algorithm="dataset_surface").triangulate() for path in parts]
    with tempfile.TemporaryDirectory() as folder:
        path, mapping = Path(folder) / "heart.vtp", Path(folder) / "parts.json"
        for number, piece in enumerate(pieces, 1):
            piece.cell_data["part"] = np.full(piece.n_cells, number, np.int32)
        pv.merge(pieces, merge_points=False).extract_surface(algorithm="dataset_surface").save(path)
        mapping.write_text(json.dumps({str(number): name for number, name in enumerate(FITTED_PARTS.values(), 1)}), encoding="utf-8")
        return open_target(Source(path, units="mm", mapping=mapping, array="part"))


def measure_real(folder: Path, methods: list[str]) -> None:
    """Print a row per real heart and method, with the volumes against the file's own."""
    for name, heart in real_hearts(folder):
        for method in methods:
            start = time.perf_counter()
            try:
                found = register(load_template(), heart.target, RegisterConfig(method=method))  # type: ignore[arg-type]
            except Echo3dError as exc:
                print(f"| {name} | {method} | {exc} |", flush=True)
                continue
            row, _ = line(name, method, found, time.perf_counter() - start)
            own = load_template().volumes_ml(found.points)
            print(row, " ".join(f"{key} {100 * (own[key] / ml - 1):+.1f} %" for key, ml in heart.volumes_ml.items()), flush=True)


def main() -> None:
    """Print the tables asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hearts", type=int, default=0)
    parser.add_argument("--seed", type=int, default=61)
    parser.add_argument("--methods", nargs="+", default=["transport", "spline", "pointpwc", "shape"])
    parser.add_argument("--untagged", action="store_true", help="tell no parts apart")
    parser.add_argument("--turns", type=int, default=0, help="start rotations of one heart, with its parts known and not")
    parser.add_argument("--real", type=Path, help="folder of real hearts")
    options = parser.parse_args()
    torch.set_num_threads(2)
    if options.turns:
        measure_turns(options)
        return
    print(HEAD + "\n" + "| --- " * 9 + "|")
    if options.hearts:
        measure_drawn(options)
    if options.real:
        measure_real(options.real, options.methods)


if __name__ == "__main__":
    main()

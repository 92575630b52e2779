"""Print a network's errors on drawn patients by group and by law of motion, all six views: the shipped weights', or those of runs.

python -m training.groups --data runs/test
python -m training.groups --data runs/test --run runs/lean runs/lean_without_wringing --no-surfaces
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from echo3d.io.weights import read_card, weights_path
from echo3d.reconstruction.reconstruct import load_model
from training.evaluate import SUBSETS, Reader, answers, cavity_faces, load_all, reader_of, table_row, trained
from training.heartmeasures import interval_table, plane_table
from training.losses import volumes_ml
from training.tables import markdown


def read_records(folder: Path) -> list[dict]:
    """Return the records of a folder's patients, one per pair of samples (``--probes 1``)."""
    records: list[dict] = []
    for path in sorted(folder.glob("*.npz")):
        with np.load(path, allow_pickle=False) as data:
            records += json.loads(str(data["records"]))
    return records


def group_rows(
    network: Reader, samples: dict[str, Tensor], records: list[dict], surfaces: bool = True, bounds: Mapping[str, Any] | None = None
) -> dict[str, dict[str, float]]:
    """Return a row of errors for all patients, for each group and for each law of motion, with the number of patients in it.

    Parameters
    ----------
    samples : pairs of ED and ES, one pair a patient
    records : the patients' records, in the same order
    surfaces : whether to measure the distances of surfaces, which take most of the time
    bounds : of the card's ``conformal90`` for six views, where intervals are to be measured
    """
    said = answers(network, samples, SUBSETS[6])
    points = said["points"]
    kinds = {"all": np.ones(len(records), dtype=bool)}
    for key, of in (("group", lambda r: r["group"]), ("law", lambda r: r["beat"]["family"])):
        names = np.array([of(record) for record in records])
        kinds |= {f"{key} {name}": names == name for name in sorted(set(names.tolist()))}
    rows = {}
    for name, mask in kinds.items():
        kept = torch.from_numpy(np.repeat(mask, 2))
        row = table_row(points[kept], {key: value[kept] for key, value in samples.items()}, np.random.default_rng(0), surfaces)
        row |= left_ventricle(points[kept], samples["volumes"][kept])
        row |= planes_of(said["planes"][kept], samples["sectors"][kept], samples["fans"][kept][..., 1])
        if bounds is not None:
            row |= covered(points[kept], samples["volumes"][kept], bounds)
        rows[name] = row | {"patients": int(mask.sum())}
    return rows


def planes_of(planes: Tensor, true: Tensor, depth: Tensor) -> dict[str, float]:
    """Return the mean errors of planes (S, V, 9) of fans so deep (S, V) mm: at the probe, half way down the beam (mm), and of angles."""
    found = plane_table(planes, true, depth)
    return {name: round(float(found[name].mean()), 2) for name in ("probe_mm", "centre_mm", "normal_deg", "beam_deg")}


def covered(points: Tensor, volumes: Tensor, bounds: Mapping[str, Any]) -> dict[str, float]:
    """Return how often 90 % intervals of hearts (S, N, 3) hold the truth, per cent: over all quantities, and of the least one."""
    inside = interval_table(volumes_ml(points, cavity_faces()), volumes, bounds)
    rates = [float(values.mean()) for name, values in inside.items() if name.startswith("covered_")]
    return {"covered_pc": round(float(np.mean(rates)), 1), "covered_least_pc": round(min(rates), 1)}


def left_ventricle(points: Tensor, volumes: Tensor) -> dict[str, float]:
    """Return the mean error of the left ventricle's volume in ml and, at each phase, its bias in per cent.

    Parameters
    ----------
    points : (S, N, 3) hearts, end-diastole and end-systole in turn
    volumes : (S, 4) ml, the truth
    """
    true = volumes[:, 0]
    gap = volumes_ml(points, cavity_faces()[:1])[:, 0] - true
    share = 100 * gap / true
    row = {"lv_ml": gap.abs().mean(), "lv_ed_bias_pc": share[::2].mean(), "lv_es_bias_pc": share[1::2].mean()}
    return {name: round(float(value), 2) for name, value in row.items()}


def shipped(name: str) -> Reader:
    """Return how shipped weights answer, refined where they can."""
    return reader_of(load_model(name, "cpu"))


def main() -> None:
    """Print one table for each network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="where training.samples --probes 1 wrote")
    parser.add_argument("--model", default="lean")
    parser.add_argument("--run", type=Path, nargs="*", default=[], help="runs to measure instead of shipped weights")
    parser.add_argument("--styles", nargs="*", default=(), help="of training.styles; none for pictures that lie in the shards")
    parser.add_argument("--surfaces", action=argparse.BooleanOptionalAction, default=True, help="measure surfaces as well (minutes)")
    options = parser.parse_args()
    samples, records = load_all(options.data, tuple(options.styles)), read_records(options.data)
    if len(samples["field"]) != 2 * len(records):
        parser.error("--data must hold one pair of samples per patient; draw them with training.samples --probes 1")
    networks: dict[str, Reader] = {run.name: trained(run)[0] for run in options.run} or {options.model: shipped(options.model)}
    bounds = None if options.run else read_card(weights_path(options.model)).metrics.get("conformal90", {}).get("6")
    for name, network in networks.items():
        print(f"{name}\n\n{markdown(group_rows(network, samples, records, options.surfaces, bounds))}\n")


if __name__ == "__main__":
    main()

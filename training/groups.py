"""Print the shipped weights' errors on drawn patients by group and by law of motion, all six views.

python -m training.groups --data runs/cohort
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from echo3d.reconstruction.reconstruct import load_model
from training.evaluate import SUBSETS, answers, load_all, table_row

COLUMNS = ("points_mm", "surface_mm", "lv_pc", "rv_pc", "la_pc", "ra_pc", "ef_mae", "ef_bias")


def read_records(folder: Path) -> list[dict]:
    """Return the records of a folder's patients, one per pair of samples (``--probes 1``)."""
    records: list[dict] = []
    for path in sorted(folder.glob("*.npz")):
        with np.load(path, allow_pickle=False) as data:
            records += json.loads(str(data["records"]))
    return records


def main() -> None:
    """Print one row for all patients and one for each group and law."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="where training.samples --probes 1 wrote")
    parser.add_argument("--model", default="lean")
    options = parser.parse_args()
    samples, records = load_all(options.data), read_records(options.data)
    if len(samples["field"]) != 2 * len(records):
        parser.error("--data must hold one pair of samples per patient; draw them with training.samples --probes 1")
    points = answers(load_model(options.model, "cpu").network, samples, SUBSETS[6])["points"]
    kinds = {"all": np.ones(len(records), dtype=bool)}
    for key, of in (("group", lambda r: r["group"]), ("law", lambda r: r["beat"]["family"])):
        names = np.array([of(record) for record in records])
        kinds |= {f"{key} {name}": names == name for name in sorted(set(names.tolist()))}
    print("| | patients | " + " | ".join(COLUMNS) + " |\n" + "| --- " * (len(COLUMNS) + 2) + "|")
    for name, mask in kinds.items():
        rows = torch.from_numpy(np.repeat(mask, 2))
        row = table_row(points[rows], {key: value[rows] for key, value in samples.items()}, np.random.default_rng(0))
        print(f"| {name} | {int(mask.sum())} | " + " | ".join(f"{row[key]:.2f}" for key in COLUMNS) + " |")


if __name__ == "__main__":
    main()

"""Make the principal shapes that registration leans on, from the fields of drawn hearts.

python -m training.shapes --slices runs/slices --out resources/registration
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from echo3d.anatomy.template import load_template

LEVELS = 2000
"""Steps from zero to a mode's largest displacement; what is lost lies far below a tenth of a millimetre."""


def principal(fields: NDArray[np.float32], count: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the mean (N, 3) and the ``count`` principal modes (K, N, 3) of fields (S, N, 3), one standard deviation each.

    >>> line = np.linspace(-1, 1, 101, dtype=np.float32)[:, None, None] * np.ones((1, 2, 3), np.float32)
    >>> float(abs(principal(line, 1)[1]).max().round(2))
    0.58
    """
    flat = torch.from_numpy(fields.reshape(len(fields), -1))
    mean = flat.mean(dim=0)
    flat = flat - mean
    values, vectors = torch.linalg.eigh((flat @ flat.T).double())
    values, vectors = values.flip(0)[:count], vectors.flip(1)[:, :count]
    modes = vectors.float().T @ flat / len(flat) ** 0.5
    return mean.numpy().reshape(fields.shape[1:]), modes.numpy().reshape(count, *fields.shape[1:])


def main() -> None:
    """Read the fields, write the shapes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=Path, required=True, help="where training.slices wrote")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--shards", type=int, default=60, help="shards read, of 50 hearts in two phases each")
    parser.add_argument("--modes", type=int, default=100)
    options = parser.parse_args()
    fields = []
    for path in sorted(options.slices.glob("*.npz"))[: options.shards]:
        with np.load(path, allow_pickle=False) as data:
            fields.append(data["field"].astype(np.float32))
    mean, modes = principal(np.concatenate(fields), options.modes)
    steps = np.abs(modes).max(axis=(1, 2)) / LEVELS
    whole = {"modes": np.rint(modes / steps[:, None, None]).astype(np.int16), "steps": steps.astype(np.float32), "mean": mean}
    options.out.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(options.out / "shape.npz", template_sha256=np.array(load_template().sha256), **whole)


if __name__ == "__main__":
    main()

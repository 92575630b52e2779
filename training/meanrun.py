"""Write the mean of runs of ``training.quick``, ``training.secondlook`` or ``training.throughheart`` that parted from one, as a run.

python -m training.meanrun runs/quick3 runs/quick5 --out runs/quick6

*Source:* Wortsman et al. 2022, model soups; McMahan et al. 2017 for runs that part and are averaged.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch

from training.quick import NETWORK as QUICK
from training.secondlook import NETWORK as SECOND
from training.secondlook import mean_encoder

KINDS = {QUICK: "quick", SECOND: "second"}


def kind_of(runs: Sequence[Path]) -> str:
    """Return the file that all runs ended with.

    Raises
    ------
    ValueError
        If there is none that all have.
    """
    for file in KINDS:
        if all((run / file).is_file() for run in runs):
            return file
    raise ValueError("a mean needs finished runs of one kind, quick or secondlook or throughheart; name such folders")


def main() -> None:
    """Write the mean."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    try:
        file = kind_of(options.runs)
    except ValueError as exc:
        parser.error(str(exc))
    options.out.mkdir(parents=True, exist_ok=True)
    torch.save({KINDS[file]: mean_encoder(options.runs, file, KINDS[file])}, options.out / file)


if __name__ == "__main__":
    main()

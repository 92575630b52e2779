"""How far the notch over the sternum lies below the deepest point of the front of the neck, as a share of stature.

python -m training.neckpit BODY.glb BODY.obj ...

Give whole bodies: their notch is taken 0.184 of stature below the vertex (ANSUR 1988), and the mean over them is
``PIT_TO_NOTCH`` of ``echo3d.anatomy.bodymarks``. The shipped value comes from four public bodies, named in NOTICE; no file of theirs is
contained.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from echo3d.anatomy.bodymarks import VERTEX_TO_NOTCH, neck_pit
from echo3d.io.bodies import read_body


def pit_to_notch(path: Path) -> float:
    """Return the way down from the pit of the neck to the notch of one whole body, over its stature."""
    body = read_body(path).mesh
    height = float(np.ptp(body.points[:, 2]))
    return (neck_pit(body) - (float(body.points[:, 2].max()) - VERTEX_TO_NOTCH * height)) / height


def main() -> None:
    """Print the share of each body and their mean."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bodies", nargs="+", type=Path)
    shares = {path.name: pit_to_notch(path) for path in parser.parse_args().bodies}
    for name, share in shares.items():
        print(f"{name}: {share:.4f}")
    print(f"mean {np.mean(list(shares.values())):.4f}")


if __name__ == "__main__":
    main()

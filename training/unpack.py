"""Take shipped weights apart, so that a course can go on from them: ``encoder.pt`` and ``base.pt``, as ``training.lean`` reads them.

python -m training.unpack --model lean --out runs/shipped
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from echo3d.reconstruction.reconstruct import load_model


def unpack(name: str, out: Path) -> None:
    """Write encoder and whole network of shipped weights into a folder.

    Raises
    ------
    ModelError
        If there are no such weights.
    """
    network = load_model(name, "cpu").network
    out.mkdir(parents=True, exist_ok=True)
    torch.save({"encoder": network.encoder.state_dict(), "step": 0, "minutes": 0.0}, out / "encoder.pt")
    torch.save(network.state_dict(), out / "base.pt")


def main() -> None:
    """Parse the command line and unpack."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="lean")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    unpack(options.model, options.out)


if __name__ == "__main__":
    main()

"""Take shipped weights apart, so that a course can go on from them.

    python -m training.unpack --model accurate --out runs/shipped

``encoder.pt`` and ``base.pt`` are what ``training.lean`` reads, ``quick.pt`` and ``second.pt``, where the weights look quickly or again,
what runs of quick, secondlook and throughheart end with: name the folder as their ``begin``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from echo3d.io.weights import read_card, read_weights, weights_path, weights_that_are
from echo3d.reconstruction.reconstruct import QUICK, REFINED, load_model
from training import quick, secondlook

SECOND = "second."
"""What the names of a second look's tensors begin with."""


def unpack(name: str, out: Path) -> None:
    """Write encoder and whole network of shipped weights into a folder, and the encoders that look quickly and again.

    Raises
    ------
    ModelError
        If there are no such weights.
    """
    network = load_model(name, "cpu").network
    out.mkdir(parents=True, exist_ok=True)
    torch.save({"encoder": network.encoder.state_dict(), "step": 0, "minutes": 0.0}, out / "encoder.pt")
    torch.save(network.state_dict(), out / "base.pt")
    path = weights_path(name)
    card, paths = read_card(path), [path]
    if card.kind == REFINED:
        paths.append(weights_that_are(card.config["network_sha256"], card.config["network"]))
    tensors = {key: value.float() for one in paths for key, value in read_weights(one).items()}
    for file, kind, prefix in ((quick.NETWORK, "quick", f"{QUICK}encoder."), (secondlook.NETWORK, "second", SECOND)):
        own = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
        if own:
            torch.save({kind: own, "model": name, "steps": 0}, out / file)


def main() -> None:
    """Parse the command line and unpack."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="lean")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    unpack(options.model, options.out)


if __name__ == "__main__":
    main()

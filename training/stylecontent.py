"""Measure whether the trained style keeps the heart: what a reader of echo pictures sees in pseudo images, their translations, and speckle.

    python -m training.stylecontent --data runs/test --count 240 --encoder runs/proof/speckle/encoder.pt

The guard of the training judges by the shipped encoder; another one, which the generator never learned from, judges without favour.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from echo3d.reconstruction.s2mnet import Encoder, S2MNetConfig
from echo3d.style.transfer import echo_styled, load_generator
from training.cyclegan import area_figures
from training.domains import Drawn, Slices, echo_of, pseudo_of, read_slices
from training.judge import judged, load_reader, true_shares

AT_ONCE = 30


def all_slices(folder: Path, limit: int) -> Slices:
    """Return the slices of every heart of a folder of shards; none of them may have been learned from."""
    dealt = read_slices(folder, limit)
    parts = (dealt.pseudo, dealt.echo, dealt.held)
    fields = {name: [getattr(part, name) for part in parts] for name in Slices.__dataclass_fields__}
    return Slices(**{name: np.concatenate(arrays) for name, arrays in fields.items() if arrays[0] is not None})


def figures(reader: nn.Module, pictures: Tensor, x: Drawn) -> dict[str, float]:
    """Return what a reader sees in pictures (P, 1, H, W) that show what the pseudo images ``x`` do."""
    if x.labels is None or x.views is None:
        raise ValueError("labels and views must be known")
    true = true_shares(x.labels, "cpu")
    parts = [slice(at, at + AT_ONCE) for at in range(0, len(pictures), AT_ONCE)]
    with torch.inference_mode():
        verdicts = [judged(reader, pictures[part], x.inside[part], (true[part], x.views[part])) for part in parts]
    ratio = torch.cat([verdict.ratio for verdict in verdicts])
    told = {"pictures": float(len(ratio)), "places": float(torch.stack([verdict.places for verdict in verdicts]).mean())}
    return {key: round(value, 4) for key, value in (told | area_figures(ratio)).items()}


def read_encoder(path: Path) -> nn.Module:
    """Return an encoder of ``training.encoder`` or of a course of the lean network."""
    encoder = Encoder(S2MNetConfig())
    encoder.load_state_dict(torch.load(path, weights_only=True, map_location="cpu")["encoder"])
    return encoder.eval().requires_grad_(False)


def main() -> None:
    """Print one line for each reader and sort of picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="shards of training.samples that nothing was learned from")
    parser.add_argument("--count", type=int, default=240, help="slices, spread evenly")
    parser.add_argument("--encoder", type=Path, help="another reader than the shipped one")
    parser.add_argument("--generator", type=Path, help="weights instead of the shipped ones")
    parser.add_argument("--seed", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    slices, rng = all_slices(options.data, 10_000), np.random.default_rng(options.seed)
    rows = np.linspace(0, len(slices) - 1, options.count).astype(int)
    x, y = pseudo_of(slices, rows, rng), echo_of(slices, rows, rng)
    made = echo_styled(x.pictures[:, 0].numpy(), x.inside[:, 0].numpy() > 0, load_generator(options.generator))
    sorts = {"pseudo": x.pictures, "translated": torch.from_numpy(made)[:, None], "speckle": y.pictures}
    readers = {"shipped": load_reader("cpu")} | ({} if options.encoder is None else {"other": read_encoder(options.encoder)})
    for reader, network in readers.items():
        for sort, pictures in sorts.items():
            print(json.dumps({"reader": reader, "pictures of": sort} | figures(network, pictures, x)), flush=True)


if __name__ == "__main__":
    main()

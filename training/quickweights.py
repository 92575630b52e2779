"""Put a run of ``training.quick`` beside the network that it serves: its encoder, what leads its moves, a correction, and its trust.

    python -m training.quickweights --model lean --run runs/quick --data runs/held --styles binary pseudo speckle cyclegan \
        --out resources/weights/lean.safetensors

The network's own numbers stay as they are. Weights in the same folder that refine its answers go on doing so: their cards are told the new
file's SHA-256. Measuring and calibrating is ``training.evaluate``'s.
"""

from __future__ import annotations

import argparse
import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from echo3d.io.weights import follow, read_card, read_weights, shortened, weights_path, write_weights
from echo3d.reconstruction.quick import MODES, QuickEncoder, QuickLook, maps_of, quick_mover
from echo3d.reconstruction.reconstruct import QUICK, S2MModel, load_model, quick_answer
from echo3d.reconstruction.s2mnet import VIEWS, S2MNet, pooled
from echo3d.reconstruction.slicer import template_slicer
from training.data import Shards
from training.evaluate import load_all
from training.quick import NETWORK
from training.refinement import correction_of, factors, quick_maps
from training.s2mnet import stored_pictures
from training.trust import TrustCourse, draw_looks, learn


def quick_pairs(model: S2MModel, samples: dict[str, Tensor], present: Tensor) -> tuple[Tensor, Tensor]:
    """Return coefficients (S, R) as read and as moved, of stored samples seen in the views present (S, V)."""
    if model.quick is None:
        raise ValueError("pairs to be moved quickly need a model with a quick look")
    before, after = [], []
    for rows in torch.arange(len(present)).split(40):
        pictures = stored_pictures({key: value[rows] for key, value in samples.items()})
        pairs = [(row, row + 1) for row in range(0, len(rows), 2)]
        _, read, fits = quick_answer(model.quick, pictures, present[rows], pairs)
        before.append(read.fused)
        after.append(torch.stack([fits[row].coefficients for row in range(len(rows))]))
    return torch.cat(before), torch.cat(after)


def quickened(
    model: S2MModel, run: Path, samples: dict[str, Tensor], course: tuple[float, Sequence[int]], refined: int
) -> dict[str, Tensor]:
    """Return the tensors of a quick look: its encoder's, and by number of views the covariance's factor and the correction.

    Parameters
    ----------
    model : whose network it serves
    run : folder of ``training.quick``
    samples : that neither saw
    course : how much the disagreement of a cell counts, and steps; of each number of steps cells are chosen anew
    refined : most samples that are moved for the correction of six views
    """
    encoder, state = encoder_of(model, run), learned(run)
    prior = factors(model.network, samples, maps=quick_maps(encoder, samples))
    covariance = {number: prior[f"factor.{number}"] @ prior[f"factor.{number}"].T for number in range(1, VIEWS + 1)}
    mover = quick_mover(template_slicer(model.network.principal, model.network.config.grid), covariance, *course)
    model = replace(model, quick=QuickLook(encoder, model.network, mover, {}))
    made = {f"encoder.{key}": value for key, value in state.items()} | prior
    return made | {f"correction.{number}": correction_of(model, samples, number, refined, refine=quick_pairs) for number in covariance}


def trust_of(network: S2MNet, encoder: QuickEncoder, shards: Shards, course: tuple[int, int], seed: int = 0) -> dict[str, Tensor]:
    """Return the tensors of a trust that is learned from what a quick look sees.

    Parameters
    ----------
    network : whose reading is trusted; it stays as it is
    shards : pictures that the encoder never saw
    course : pairs that are looked at, and steps
    """
    torch.manual_seed(seed)
    looks = draw_looks(lambda pictures, present: pooled(maps_of(encoder, pictures, present)[0]), shards, course[0], seed + 7)
    learned_one = learn(copy.deepcopy(network), looks, TrustCourse(steps=course[1]))
    return {f"trust.{key}": value for key, value in learned_one.trust.state_dict().items()}


def encoder_of(model: S2MModel, run: Path) -> QuickEncoder:
    """Return the encoder that a run ended with, as it is stored."""
    state = learned(run)
    encoder = QuickEncoder(model.network.config, waist_of(state)).eval()
    encoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    encoder.load_state_dict({key: shortened(value).float() for key, value in state.items()})
    return encoder


def learned(run: Path) -> dict[str, Tensor]:
    """Return the weights of the encoder that a run ended with."""
    found: dict[str, Tensor] = torch.load(run / NETWORK, weights_only=True, map_location="cpu")["quick"]
    return found


def waist_of(weights: Mapping[str, Tensor]) -> float:
    """Return the share of an encoder's channels between two convolutions."""
    between, channels = weights["fine.3.first.weight"].shape[:2]
    return between / channels


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="lean", help="weights that the run began as")
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="samples that the network and the run never saw")
    parser.add_argument("--styles", nargs="+", required=True)
    parser.add_argument("--weight", type=float, default=5.0, help="how much the disagreement of a cell counts")
    parser.add_argument("--moves", type=int, nargs="+", default=[3, 2], help="steps of Gauss-Newton, of each number cells chosen anew")
    parser.add_argument("--refined", type=int, default=4000, help="most samples that are moved for the correction")
    parser.add_argument("--looked", type=int, default=4000, help="pairs that trust is learned from")
    parser.add_argument("--trusted", type=int, default=4000, help="steps of learning trust")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    path = weights_path(options.model)
    model, card, tensors = load_model(options.model, "cpu"), read_card(path), read_weights(path)
    course = (options.weight, options.moves)
    made = quickened(model, options.run, load_all(options.data, tuple(options.styles)), course, options.refined)
    shards = Shards(options.data, styles=tuple(options.styles))
    shards.refresh()
    made |= trust_of(model.network, encoder_of(model, options.run), shards, (options.looked, options.trusted))
    tensors = {key: value for key, value in tensors.items() if not key.startswith(QUICK)} | {QUICK + key: made[key] for key in made}
    config = card.config | {
        "quick": {"waist": waist_of(learned(options.run)), "weight": options.weight, "steps": options.moves, "modes": MODES}
    }
    write_weights(options.out, tensors, replace(card, name=options.out.stem, config=config))
    print(", ".join(follow(options.out.parent, card.sha256, read_card(options.out).sha256)) or "nothing", "follows")


if __name__ == "__main__":
    main()

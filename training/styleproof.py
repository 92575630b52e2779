r"""The same lean network trained under the same budget with each style of pictures: what ``echo3d evaluate style`` compares.

    python -m training.styleproof --data runs/samples --slices runs/slices --val runs/val --out runs/proof --limit 4800
    python -m training.styleproof ... --recipe mixture        one recipe only, so that machines can share the work

The part behind the structure maps first learns from true maps, once for all recipes: that lesson knows no pictures (or all begin with the
same network, ``--base``). Then each recipe's encoder, from random weights, and the last lesson see pictures of that recipe alone.
Budgets are steps, so that a loaded machine trains no worse than an idle one.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import torch

from training import lean
from training.styles import STYLES


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a network is shown: pictures of these styles in equal parts, randomised this strongly."""

    styles: tuple[str, ...]
    strength: float = 0.0


RECIPES = {style: Recipe((style,)) for style in STYLES} | {
    "mixture": Recipe(STYLES, 1.0),
    "plain mixture": Recipe(STYLES),
    "randomised speckle": Recipe(("speckle",), 1.0),
}
"""The five of the proof, then what the mixture's two ingredients do alone."""

CHOSEN = (*STYLES, "mixture")


def folder_of(out: Path, recipe: str) -> Path:
    """Return where a recipe's run lies.

    >>> folder_of(Path("runs"), "plain mixture").name
    'plain_mixture'
    """
    return out / recipe.replace(" ", "_")


def train_recipe(name: str, settings: lean.Settings, out: Path) -> None:
    """Train one recipe's network into its folder; what is finished there already is kept."""
    recipe, folder = RECIPES[name], folder_of(out, name)
    folder.mkdir(parents=True, exist_ok=True)
    lean.run(settings.model_copy(update={"name": name, "styles": recipe.styles, "strength": recipe.strength}), folder)


def main() -> None:
    """Train the recipes that are missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("data", "slices", "val", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--recipe", nargs="+", choices=list(RECIPES), default=list(CHOSEN))
    parser.add_argument("--limit", type=int, default=4800, help="most samples")
    parser.add_argument("--look-limit", type=int, default=2400, help="most samples of the last lesson")
    parser.add_argument("--base", type=Path, help="a network to begin with behind the maps instead of learning the lesson on true maps")
    for lesson, steps in (("encoder", 1500), ("truth", 2000), ("pictures", 500)):
        parser.add_argument(f"--{lesson}-steps", type=int, default=steps)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    words = {key: value for key, value in vars(options).items() if key not in ("out", "recipe")}
    settings = lean.Settings(**words | {"base": options.base or options.out / "base.pt"}, trust_steps=500, seed=1)
    for name in options.recipe:
        train_recipe(name, settings, options.out)


if __name__ == "__main__":
    main()

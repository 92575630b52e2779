"""A small piece of work for the training loop, run in processes of its own: python -m tests.training.loopwork FOLDER COURSE [resume]."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from training.loop import Course, learn


class Line:
    """Learn a linear law from noisy points, by a network with dropout where ``dropout`` is above 0."""

    def __init__(self, seed: int = 0, dropout: float = 0.0) -> None:
        torch.manual_seed(seed)
        self.network: nn.Module = nn.Sequential(nn.Linear(6, 16), nn.LayerNorm(16), nn.Tanh(), nn.Dropout(dropout), nn.Linear(16, 1))

    def draw(self, rng: np.random.Generator, count: int) -> dict[str, Tensor]:
        x = torch.from_numpy(rng.normal(size=(count, 6)).astype(np.float32))
        return {"x": x, "y": x.sum(dim=1, keepdim=True) + 0.1 * torch.randn(count, 1)}

    def terms(self, network: nn.Module, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"squares": (network(batch["x"]) - batch["y"]).square().mean()}

    def validated(self, network: nn.Module) -> dict[str, float]:
        x = torch.randn(200, 6, generator=torch.Generator().manual_seed(1))
        return {"held": float((network(x)[:, 0] - x.sum(dim=1)).abs().mean())}


def main() -> None:
    folder, course = Path(sys.argv[1]), Course(**json.loads(sys.argv[2]))
    pause = float(os.environ.get("PAUSE", "0"))
    learn(Line(dropout=0.2 if pause else 0.0), course, folder, resume="resume" in sys.argv, progress=lambda *_: time.sleep(pause))


if __name__ == "__main__":
    main()

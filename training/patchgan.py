"""What plays against the generators: the patch discriminator, its losses, and the pool of earlier pictures.

*Source:* paper equations 1 to 3; the published CycleGAN's defaults (reference science.md D.1).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

POOL = 50


class PatchDiscriminator(nn.Module):
    """Says of each patch of a picture whether it is a real one; with three layers a patch is 70 pixels wide.

    Parameters
    ----------
    width : features of the first layer (ndf)
    layers : steps to half the size
    """

    def __init__(self, width: int = 64, layers: int = 3) -> None:
        super().__init__()
        parts: list[nn.Module] = [nn.Conv2d(1, width, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        before = width
        for number in range(1, layers + 1):
            after = width * min(2**number, 8)
            stride = 2 if number < layers else 1
            parts += [nn.Conv2d(before, after, 4, stride=stride, padding=1), nn.InstanceNorm2d(after), nn.LeakyReLU(0.2)]
            before = after
        self.parts = nn.Sequential(*parts, nn.Conv2d(before, 1, 4, padding=1))

    def forward(self, pictures: Tensor) -> Tensor:
        """Return logits (P, 1, h, w) of pictures (P, 1, H, W) in [0, 1]."""
        return self.parts(2 * pictures - 1)


def fooled(logits: Tensor, loss: str) -> Tensor:
    """Return what the generator pays for logits of its pictures; with the log loss -log D, whose gradient does not fade.

    *Source:* equation 1; Goodfellow et al. 2014, section 3, for -log D in place of log(1 - D).
    """
    real = torch.ones_like(logits)
    return functional.binary_cross_entropy_with_logits(logits, real) if loss == "log" else functional.mse_loss(logits, real)


def told_apart(real: Tensor, made: Tensor, loss: str) -> Tensor:
    """Return what the discriminator pays, halved as published.

    *Source:* equation 1.
    """
    if loss == "log":
        return 0.5 * (functional.softplus(-real) + functional.softplus(made)).mean()
    return 0.5 * ((real - 1).square().mean() + made.square().mean())


class ImagePool:
    """Earlier pictures, of which the discriminator is shown one half of the time, so that it does not forget.

    Parameters
    ----------
    size : pictures kept; 0 for none
    """

    def __init__(self, size: int = POOL) -> None:
        self.size = size
        self.kept: list[Tensor] = []

    def swapped(self, pictures: Tensor, rng: np.random.Generator) -> Tensor:
        """Return (P, 1, H, W) of which about half are older ones, whose place these have taken."""
        answer = []
        for picture in pictures.detach():
            if len(self.kept) < self.size:
                self.kept.append(picture.clone())
                answer.append(picture)
            elif self.size and rng.random() < 0.5:
                place = int(rng.integers(self.size))
                answer.append(self.kept[place])
                self.kept[place] = picture.clone()
            else:
                answer.append(picture)
        return torch.stack(answer)

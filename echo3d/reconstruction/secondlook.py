"""A second look at a picture, by one who knows which heart was made of the first.

The structure maps of a first look are of each picture alone. Once a heart was fitted to all of them, its slices say what each picture
should show; an encoder that sees picture and slice together tells better which of both is wrong.

*Source:* our own; the idea is that of feedback networks (Carreira et al. 2016, iterative error feedback).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from echo3d.reconstruction.classes import CLASSES
from echo3d.reconstruction.s2mnet import Encoder, S2MNetConfig


class SecondEncoder(Encoder):
    """One picture, its mask, and the slice of a heart to the picture's structure map.

    Without training it answers as the encoder does whose weights it is given.
    """

    def __init__(self, config: S2MNetConfig) -> None:
        super().__init__(config)
        width = config.channels[0]
        last = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)  # type: ignore[arg-type]
        self.slice = nn.Sequential(nn.Conv2d(CLASSES - 1, width, 3, padding=1), nn.ReLU(), last)

    def forward(self, pictures: Tensor, views: Tensor, slices: Tensor | None = None) -> Tensor:
        """Return class logits (P, CLASSES, h, w).

        Parameters
        ----------
        pictures : (P, 2, H, W)
        views : (P,)
        slices : (P, CLASSES - 1, h, w) shares of every class but the first that the heart of the first look shows; a first look without
        """
        fine = self.features(pictures)
        return self.read(fine if slices is None else fine + self.slice(slices), views)

    def looking(self, pictures: Tensor, views: Tensor) -> Callable[[Tensor], Tensor]:
        """Return what takes slices of hearts (B, V, CLASSES - 1, h, w) and returns shares of the same shape, as often as it is asked.

        Parameters
        ----------
        pictures : (B, V, 2, H, W)
        views : (V,) of every row
        """
        fine = self.features(pictures.flatten(0, 1).to(self.view.dtype).contiguous(memory_format=torch.channels_last))
        rows = views.repeat(len(pictures))

        def look(slices: Tensor) -> Tensor:
            logits = self.read(fine + self.slice(slices.flatten(0, 1).to(fine.dtype)), rows)
            return torch.softmax(logits.float(), dim=1)[:, 1:].reshape(slices.shape)

        return look

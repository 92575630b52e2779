"""The discriminators: what a patch sees, what each side pays, and the pool."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import nn

from training.patchgan import ImagePool, PatchDiscriminator, fooled, told_apart


def test_a_patch_is_seventy_pixels_wide() -> None:
    network = PatchDiscriminator(4)
    plain = nn.Sequential(*(part for part in network.parts if not isinstance(part, nn.InstanceNorm2d)))
    picture = torch.rand(1, 1, 160, 160, requires_grad=True)
    said = plain(picture)
    said[0, 0, said.shape[2] // 2, said.shape[3] // 2].backward()
    assert picture.grad is not None
    seen = picture.grad[0, 0].abs().sum(dim=0).nonzero()
    assert int(seen.max() - seen.min()) + 1 == 70


def test_what_each_side_pays() -> None:
    """Nobody knows anything: log 2 each; a discriminator that is right pays nothing, and a generator that is seen through much."""
    zero, sure = torch.zeros(1, 1, 3, 3), torch.full((1, 1, 3, 3), 20.0)
    assert math.isclose(float(told_apart(zero, zero, "log")), math.log(2), rel_tol=1e-6)
    assert math.isclose(float(fooled(zero, "log")), math.log(2), rel_tol=1e-6)
    assert float(told_apart(sure, -sure, "log")) < 1e-6 and float(fooled(-sure, "log")) > 19
    assert float(told_apart(zero + 1, zero, "squares")) == 0 and float(fooled(zero, "squares")) == 1


def test_the_pool_gives_back_older_pictures() -> None:
    rng, pool = np.random.default_rng(0), ImagePool(5)
    first = torch.arange(5.0).view(5, 1, 1, 1)
    assert torch.equal(pool.swapped(first, rng), first)
    given = [float(pool.swapped(torch.full((1, 1, 1, 1), 10.0 + k), rng)) for k in range(200)]
    older = [value != 10.0 + k for k, value in enumerate(given)]
    assert 70 < sum(older) < 130 and len(pool.kept) == 5
    assert len(set(given)) == len(given)  # a picture that was given away is gone
    assert torch.equal(ImagePool(0).swapped(first, rng), first)

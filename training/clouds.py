"""Pairs of clouds of which every point's way is known: the template's surface, and that of a heart of the cohort's shapes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from echo3d.anatomy.template import load_template
from echo3d.core.structures import BLOOD
from echo3d.registration.flow import CM
from echo3d.registration.parts import template_parts
from echo3d.registration.pointpwc import PARTS
from echo3d.registration.shape import load_shape

DEVIATION = 1.15
"""Spread of the coefficients drawn, a little wider than the cohort's own."""

BENDS, BEND_MM, BEND_WIDTH_MM = 24, 2.5, 25.0
"""Smooth bends beside the shapes, so that hearts are met which no mode makes: how many, their size, and their width."""

TURN, SHIFT_MM, SCALES, JITTER_MM = 8.0, 5.0, (0.93, 1.07), 0.1
"""What prealignment leaves: degrees, millimetres, sizes; and what a segmentation adds. *Source:* science.md B.5, in our units."""

FIRST_BLOOD = int(BLOOD[0])

SOME, NAMELESS = 0.4, 0.25
"""Share of the pairs that show some parts only, tissues and bloods mixed, and of those that show all tissue and do not say what is what."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """A batch.

    Parameters
    ----------
    source, target : (B, N, 6 + parts) places in cm, normals, and which part each belongs to
    way : (B, N, 3) cm, from each source point to where it truly belongs
    """

    source: Tensor
    target: Tensor
    way: Tensor


class CloudPairs:
    """Draws pairs; the same numbers give the same pairs.

    Parameters
    ----------
    seed : of everything that is drawn
    count : points of a cloud
    device : where they are drawn
    """

    def __init__(self, seed: int, count: int, device: str = "cpu") -> None:
        template = load_template()
        prior = load_shape(template.sha256)
        faces, tags = template_parts(template, PARTS)

        def sent(values: np.ndarray, kind: torch.dtype = torch.float32) -> Tensor:
            return torch.from_numpy(np.array(values)).to(device, kind)

        self.seed, self.count, self.device = seed, count, device
        self.points, self.mean, self.modes = sent(template.points), sent(prior.mean), sent(prior.modes)
        self.faces, self.tags = sent(faces, torch.long), sent(tags, torch.long)
        self.parts = torch.tensor(PARTS, device=device)

    def draw(self, step: int, batch: int) -> Pairs:
        """Return the pairs of a step."""
        dice = torch.Generator(self.device).manual_seed(self.seed * 1_000_003 + step)
        drawn = [self._pair(dice) for _ in range(batch)]
        return Pairs(*(torch.stack(parts) for parts in zip(*drawn, strict=True)))

    def _pair(self, dice: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        moved = self._posed(self._heart(dice), dice)
        shown, named = self._shown(dice)
        faces, tags = self.faces[shown], self.tags[shown] * named
        source, of, share = _sampled(self.points, faces, self.count, dice)
        way = (moved[faces[of]] * share[..., None]).sum(dim=1) - source[:, :3]
        target, there, _ = _sampled(moved, faces, self.count, dice)
        target[:, :3] += JITTER_MM * self._normal(self.count, 3, dice=dice)
        scale = torch.tensor([CM] * 3 + [1.0] * 3, device=self.device)
        ours, theirs = (torch.cat([cloud * scale, tags[row, None] == self.parts], dim=1) for cloud, row in ((source, of), (target, there)))
        return ours, theirs, way * CM

    def _heart(self, dice: torch.Generator) -> Tensor:
        """Return the material points (N, 3) of a heart of the shapes, bent a little further."""
        coefficients = DEVIATION * self._normal(len(self.modes), dice=dice)
        points = self.points + self.mean + torch.tensordot(coefficients, self.modes, dims=1)
        middles = points[torch.randint(len(points), (BENDS,), generator=dice, device=self.device)]
        near = torch.exp(-((torch.cdist(points, middles) / BEND_WIDTH_MM) ** 2) / 2)
        return points + near @ self._normal(BENDS, 3, dice=dice) * (BEND_MM / 2)

    def _posed(self, points: Tensor, dice: torch.Generator) -> Tensor:
        """Return points turned, scaled and shifted as prealignment may leave them."""
        axis = self._normal(3, dice=dice)
        angle = np.radians(TURN) * torch.rand(1, generator=dice, device=self.device)
        x, y, z = (axis / axis.norm() * angle).tolist()
        turn = torch.linalg.matrix_exp(torch.tensor([[0, -z, y], [z, 0, -x], [-y, x, 0]], device=self.device))
        size = SCALES[0] + (SCALES[1] - SCALES[0]) * torch.rand(1, generator=dice, device=self.device)
        shift = SHIFT_MM * (2 * torch.rand(3, generator=dice, device=self.device) - 1)
        middle = points.mean(dim=0)
        return (points - middle) @ turn.T * size + middle + shift

    def _shown(self, dice: torch.Generator) -> tuple[Tensor, int]:
        """Return which triangles (F,) bool a pair shows, and 1 where it says which parts they belong to, else 0."""
        share = torch.rand(2, generator=dice, device=self.device)
        tissue = self.parts < FIRST_BLOOD
        if share[0] < SOME:
            tissue = torch.rand(len(self.parts), generator=dice, device=self.device) < 0.2 + 0.6 * share[1]
            tissue[0] = True
        return torch.isin(self.tags, self.parts[tissue]), int(share[0] < 1 - NAMELESS)

    def _normal(self, *shape: int, dice: torch.Generator) -> Tensor:
        return torch.randn(*shape, generator=dice, device=self.device)


def _sampled(points: Tensor, faces: Tensor, count: int, dice: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Return points evenly over a surface and normals (K, 6), the triangle (K,) each lies in, the shares (K, 3) of its corners."""
    corners = points[faces]
    normal = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = normal.norm(dim=1)
    chosen = torch.multinomial(area, count, replacement=True, generator=dice)
    a, b = torch.rand(2, count, generator=dice, device=points.device)
    root = a.sqrt()
    share = torch.stack([1 - root, root * (1 - b), root * b], dim=1)
    places = (corners[chosen] * share[..., None]).sum(dim=1)
    return torch.cat([places, normal[chosen] / area[chosen, None]], dim=1), chosen, share

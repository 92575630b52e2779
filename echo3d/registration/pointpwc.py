"""PointPWC-Net: the flow that carries one cloud onto another, from coarse to fine, each level by a cost volume of what lies near.

*Source:* Wu et al., "PointPWC-Net", ECCV 2020 (arXiv 1911.12408); sizes from reference science.md B. Written from the paper.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from echo3d.core.foreign import Role
from echo3d.core.structures import BLOOD, TAGS
from echo3d.registration.neighbours import farthest, gathered, interpolated, nearest

LEAK = 0.1
"""Slope of the rectifiers below zero. *Source:* the paper's."""

MOST_FLOW = 200.0
"""A flow's components stay within this. *Source:* the paper's; a thousand times more than a heart needs."""


PARTS: tuple[int, ...] = (*(int(tag) for tag in TAGS), *(int(tag) for tag in BLOOD), int(Role.VENTRICLES))
"""Parts that a network can be told of, each by a feature of its own."""

TURN_CM, PART_CM = 0.8, 3.0
"""Centimetres that a normal turned by a radian, and another part, count as where points are sought by them too. Our choice."""


class PointPWCConfig(BaseModel):
    """Sizes of the network; the defaults are the paper's, of 7.7 million parameters. The unit of length is the centimetre."""

    model_config = ConfigDict(frozen=True)

    counts: tuple[int, ...] = Field((8192, 2048, 512, 256, 64), description="Points of each level, finest first.")
    widths: tuple[int, ...] = Field((32, 64, 128, 256, 256), description="Features of each level.")
    given: int = Field(3, ge=0, description="Features given with each point beside its place: its normal, and which part it belongs to.")
    marked: bool = Field(False, description="Points of the other cloud are sought by normal and part as well, not by place alone.")
    estimator: int = Field(128, ge=4, description="Width of the flow estimators; half of it goes up to the finer level.")
    kernel: int = Field(16, ge=1, description="Weights that each place in a neighbourhood is given.")
    group: int = Field(16, ge=1, description="Neighbours gathered from level to level.")
    reach: int = Field(32, ge=1, description="Points of the other cloud that a cost volume looks at, and neighbours it is summed over.")
    near: int = Field(9, ge=1, description="Neighbours of the flow estimators.")


PAPER = PointPWCConfig()
LEAN = PointPWCConfig(
    counts=(512, 256, 96, 48, 24), widths=(24, 48, 96, 128, 128), given=3 + len(PARTS), marked=True, estimator=64, kernel=8, reach=16
)
"""Ours, for processors without a GPU: a sixteenth of the points, drawn several times over, a fifth of the weights, and parts told apart."""

PRESETS: dict[Literal["paper", "lean"], PointPWCConfig] = {"paper": PAPER, "lean": LEAN}


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """A cloud at one resolution.

    Parameters
    ----------
    points : (B, N, 3) cm
    features : (B, N, C)
    rows : (B, N) which points of the whole cloud these are
    marks : (B, N, G) normal and part in cm, G is 0 where they do not count
    """

    points: Tensor
    features: Tensor
    rows: Tensor
    marks: Tensor

    def sought(self, points: Tensor) -> Tensor:
        """Return places with the marks (B, N, 3 + G) by which this level's points, or they moved to ``points`` (B, N, 3), are sought."""
        return torch.cat([points, self.marks], dim=2)


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    """A flow at one resolution.

    Parameters
    ----------
    vectors : (B, N, 3) cm
    points : (B, N, 3) cm, where they start
    rows : (B, N) which points of the whole cloud these are
    """

    vectors: Tensor
    points: Tensor
    rows: Tensor


class PointPWC(nn.Module):
    """Two clouds in, the flow of the first out, at every level but the coarsest."""

    def __init__(self, config: PointPWCConfig = PAPER) -> None:
        super().__init__()
        self.config = config
        w, up = config.widths, config.estimator // 2
        self.pyramid = Pyramid(config)
        self.lower = nn.ModuleList(_layer(b, a) for a, b in pairwise(w))
        self.costs = nn.ModuleList(CostVolume(2 * a, a, config) for a in w[:-1])
        coarsest = len(w) - 2
        self.estimators = nn.ModuleList(FlowEstimator(2 * a + (0 if k == coarsest else up + 3), config) for k, a in enumerate(w[:-1]))

    def forward(self, source: Tensor, target: Tensor) -> list[Flow]:
        """Return the flows of the source, finest first.

        Parameters
        ----------
        source : (B, N, 3 + given) places in cm and the features given with them
        target : (B, M, 3 + given) alike
        """
        ours, theirs = self.pyramid(source), self.pyramid(target)
        flows: list[Flow] = []
        up, flow = None, None  # what the coarser level says, on this level's points
        for k in reversed(range(len(ours) - 1)):
            a, b = (self._joined(k, levels) for levels in (ours, theirs))
            moved = a.points if flow is None else a.points + flow
            cost = self.costs[k](a, moved, b)
            known = [ours[k].features, cost] + ([] if up is None or flow is None else [up, flow])
            features, step = self.estimators[k](a.points, torch.cat(known, dim=2))
            flow = step if flow is None else flow + step
            flow = flow.clamp(-MOST_FLOW, MOST_FLOW)
            flows.insert(0, Flow(flow, a.points, a.rows))
            if k:
                both = interpolated(torch.cat([features, flow], dim=2), a.points, ours[k - 1].points)  # (B, N', up + 3)
                up, flow = both[..., :-3], both[..., -3:]
        return flows

    def _joined(self, k: int, levels: list[Level]) -> Level:
        """Return a level whose features have what the coarser level knows beside its own."""
        fine, coarse = levels[k], levels[k + 1]
        below = self.lower[k](interpolated(coarse.features, coarse.points, fine.points))
        return replace(fine, features=torch.cat([fine.features, below], dim=2))


class Pyramid(nn.Module):
    """A cloud at every resolution, with features gathered from the finer level's neighbourhoods."""

    def __init__(self, config: PointPWCConfig) -> None:
        super().__init__()
        self.config = config
        w = config.widths
        self.first = nn.Sequential(_layer(3 + config.given, w[0]), _layer(w[0], w[0]))
        self.lifts = nn.ModuleList(_layer(a, 2 * a) for a in w[:-1])
        self.gather = nn.ModuleList(PointConv(2 * a, b, config.kernel) for a, b in pairwise(w))
        self.after = nn.ModuleList(_layer(b, b) for b in w[1:-1])

    def forward(self, cloud: Tensor) -> list[Level]:
        """Return the levels of a cloud (B, N, 3 + given), finest first."""
        points, middle = cloud[..., :3].contiguous(), cloud[..., :3].mean(dim=1, keepdim=True)
        rows = torch.arange(points.shape[1], device=points.device).expand(len(points), -1)
        first = torch.cat([(points - middle) / 10, cloud[..., 3:]], dim=2)
        levels = [Level(points, self.first(first), rows, self._marks(cloud))]
        for k, count in enumerate(self.config.counts[1:]):
            last = levels[-1]
            chosen = farthest(last.points, min(count, last.points.shape[1]))
            at = gathered(last.points, chosen)
            near = nearest(at, last.points, self.config.group)
            features = F.leaky_relu(self.gather[k](at, last.points, self.lifts[k](last.features), near), LEAK)
            if k < len(self.after):
                features = self.after[k](features)
            levels.append(Level(at, features, torch.gather(last.rows, 1, chosen), gathered(last.marks, chosen)))
        return levels

    def _marks(self, cloud: Tensor) -> Tensor:
        """Return what points (B, N, G) are sought by beside their place."""
        if not self.config.marked:
            return cloud[..., :0]
        return torch.cat([TURN_CM * cloud[..., 3:6], PART_CM / 2**0.5 * cloud[..., 6:]], dim=2)


class PointConv(nn.Module):
    """A convolution on points: features of a neighbourhood times weights that a small network reads off the places."""

    def __init__(self, width: int, out: int, kernel: int) -> None:
        super().__init__()
        self.weights = WeightNet(kernel)
        self.mix = nn.Linear((width + 3) * kernel, out)

    def forward(self, at: Tensor, points: Tensor, features: Tensor, near: Tensor) -> Tensor:
        """Return (B, M, out) at places (B, M, 3) from points (B, N, 3), their features (B, N, C) and neighbours (B, M, K)."""
        way = gathered(points, near) - at[:, :, None]  # (B, M, K, 3)
        seen = torch.cat([way, gathered(features, near)], dim=3)  # (B, M, K, 3 + C)
        return self.mix((seen.transpose(2, 3) @ self.weights(way)).flatten(2))


class WeightNet(nn.Module):
    """Weights of a neighbour by where it lies."""

    def __init__(self, kernel: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, kernel), nn.ReLU())

    def forward(self, way: Tensor) -> Tensor:
        """Return weights (..., kernel) of ways (..., 3) in cm."""
        return self.layers(way)


class CostVolume(nn.Module):
    """How well each point's surroundings match the other cloud's: first from the point to a patch there, then summed over a patch here."""

    def __init__(self, width: int, out: int, config: PointPWCConfig) -> None:
        super().__init__()
        self.reach = config.reach
        self.ours, self.theirs, self.way = nn.Linear(width, out), nn.Linear(width, out, bias=False), nn.Linear(3, out, bias=False)
        self.second = _layer(out, out)
        self.there, self.here = WeightNet(out), WeightNet(out)

    def forward(self, source: Level, moved: Tensor, target: Level) -> Tensor:
        """Return costs (B, N, out) of source points that a coarser flow has moved (B, N, 3).

        The first layer over (ours, theirs, way) is applied before the neighbours are gathered, which is the same and cheaper.
        """
        near = nearest(source.sought(moved), target.sought(target.points), self.reach)
        way = gathered(target.points, near) - moved[:, :, None]  # (B, N, K, 3)
        pair = self.ours(source.features)[:, :, None] + gathered(self.theirs(target.features), near) + self.way(way)
        cost = (self.there(way) * self.second(F.leaky_relu(pair, LEAK))).sum(dim=2)  # (B, N, out)
        around = nearest(source.points, source.points, self.reach)
        here = gathered(source.points, around) - source.points[:, :, None]
        return (self.here(here) * gathered(cost, around)).sum(dim=2)


class FlowEstimator(nn.Module):
    """The flow that costs and features tell, and features for the finer level."""

    def __init__(self, width: int, config: PointPWCConfig) -> None:
        super().__init__()
        wide, self.near = config.estimator, config.near
        self.convolve = nn.ModuleList([PointConv(width, wide, config.kernel), PointConv(wide, wide, config.kernel)])
        self.norms = nn.ModuleList([nn.BatchNorm1d(wide), nn.BatchNorm1d(wide)])
        self.mix = nn.Sequential(_layer(wide, wide), _layer(wide, wide // 2))
        self.flow = nn.Linear(wide // 2, 3)

    def forward(self, points: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return features (B, N, estimator / 2) and the flow's step (B, N, 3) at points (B, N, 3) from what is known there (B, N, C)."""
        near = nearest(points, points, self.near)
        for convolve, norm in zip(self.convolve, self.norms, strict=True):
            features = F.leaky_relu(norm(convolve(points, points, features, near).transpose(1, 2)).transpose(1, 2), LEAK)
        features = self.mix(features)
        return features, self.flow(features)


def _layer(width: int, out: int) -> nn.Sequential:
    """Return a linear layer with a leaky rectifier."""
    return nn.Sequential(nn.Linear(width, out), nn.LeakyReLU(LEAK))

"""Speckle of a simulated cine moves with the heart's own tissue."""

import sys

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from echo3d.anatomy.cohort import position_at, sound_heart
from echo3d.anatomy.template import load_template
from echo3d.anatomy.timing import PHASES, moments
from echo3d.core.sector import Sector
from echo3d.core.structures import Structure
from echo3d.core.views import View
from echo3d.simulate import _labels
from echo3d.slicing.labelvolume import WarpedLabels, cut_polar, rest_polar
from echo3d.slicing.standard import standard_sectors
from echo3d.style.draws import SpeckleDraw
from echo3d.style.polar import PolarGrid, polar_of
from echo3d.style.scene import Scene
from echo3d.style.speckle import envelope


def amplitude(labels: WarpedLabels, sector: Sector, fan: PolarGrid, frame: int) -> NDArray[np.float32]:
    """Return the echo of one even tissue that moves as the heart does, so that no border gives the motion away."""
    scene = Scene(rest_mm=rest_polar(labels, sector, fan.plane_mm()))
    return envelope(np.full((fan.samples, fan.lines), Structure.LV_MYOCARDIUM, np.uint8), fan, SpeckleDraw(7, frame=frame), scene=scene)


def carried(points: NDArray, before: WarpedLabels, after: WarpedLabels) -> NDArray[np.float64]:
    """Return where tissue at points (P, 3) mm lies in the next frame: where the same place at rest is found again."""
    target, there = before.rest(points), points.copy()
    for _ in range(30):
        there = there - 0.5 * (after.rest(there) - target)
    return there


def read_at(field: NDArray, points: NDArray, sector: Sector, fan: PolarGrid) -> NDArray[np.float64]:
    """Return a field (S, L) at world points, as they lie in the plane."""
    deep, aside, _ = sector.plane(points).T
    row = np.hypot(deep, aside) / fan.step_mm - 0.5
    line = (np.degrees(np.arctan2(aside, deep)) + fan.half_angle) / fan.line_deg - 0.5
    return np.asarray(ndimage.map_coordinates(field, [row, line], order=1))


@pytest.mark.parametrize(("view", "least"), [(View.A4C, 0.75), (View.PSAX_MID, 0.45)])
def test_speckle_is_found_again_along_the_motion_and_not_where_it_was(view: View, least: float) -> None:
    heart = sound_heart(np.random.default_rng([3, 0]))
    course = moments(heart.record.beat, PHASES)
    template = load_template()
    sector = standard_sectors(template, heart.ed[: len(template.points)], level=0.5)[view]
    fan = polar_of(sector, 384, 128)
    tracked, untracked = [], []
    for now in (2, 4, 6):
        before, after = (_labels(position_at(heart, course[phase])) for phase in (now, now + 1))
        muscle = cut_polar(before, sector, fan.plane_mm()) == Structure.LV_MYOCARDIUM
        points = sector.world(fan.plane_mm())[muscle]
        first, second = amplitude(before, sector, fan, now), amplitude(after, sector, fan, now + 1)
        found = read_at(second, carried(points, before, after), sector, fan)
        tracked.append(np.corrcoef(first[muscle], found)[0, 1])
        untracked.append(np.corrcoef(first[muscle], second[muscle])[0, 1])
    sys.stdout.write(f"\n{view.key}: {np.mean(tracked):.2f} along the motion, {np.mean(untracked):.2f} where it was\n")
    assert min(tracked) > least
    assert np.mean(tracked) > np.mean(untracked) + 0.3

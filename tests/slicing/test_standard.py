"""The six fans: Table 1 on the template, textbook pictures, and drawn departures."""

from __future__ import annotations

import numpy as np
import pytest

from echo3d.anatomy.material import GRID_SIDE
from echo3d.anatomy.template import field_grid, load_label_volume, load_template
from echo3d.core.structures import Structure
from echo3d.core.views import View
from echo3d.slicing.labelvolume import cut, warp
from echo3d.slicing.standard import APICAL_PROBE, SectorDraw, carried_probe, draw_sector, jittered, standard_sectors


@pytest.fixture(scope="module")
def pictures() -> dict[View, np.ndarray]:
    template, grid = load_template(), field_grid(GRID_SIDE)
    labels = warp(load_label_volume(), grid, grid.nodes(), rest=template.points, moved=template.points)
    fans = standard_sectors(template, template.points)
    return {view: cut(labels, fan, view=view, grid=256).labels for view, fan in fans.items()}


def middle(picture: np.ndarray, structure: Structure) -> np.ndarray:
    assert (picture == structure).sum() > 20, structure.title
    return np.argwhere(picture == structure).mean(axis=0)


def test_the_four_chamber_view_shows_four_chambers_rv_on_the_left(pictures: dict[View, np.ndarray]) -> None:
    a4c = pictures[View.A4C]
    lv, rv, la, ra = (middle(a4c, s) for s in (Structure.LV_CAVITY, Structure.RV_CAVITY, Structure.LA_CAVITY, Structure.RA_CAVITY))
    assert rv[1] < lv[1] and ra[1] < la[1]
    assert lv[0] < la[0] and rv[0] < ra[0]


def test_two_and_three_chamber_views_show_what_they_are_named_for(pictures: dict[View, np.ndarray]) -> None:
    a2c, a3c = pictures[View.A2C], pictures[View.A3C]
    assert (a2c == Structure.RA_CAVITY).sum() == 0
    assert middle(a2c, Structure.LV_CAVITY)[0] < middle(a2c, Structure.LA_CAVITY)[0]
    assert middle(a3c, Structure.AORTA_LUMEN)[1] > middle(a3c, Structure.LA_CAVITY)[1]


@pytest.mark.parametrize("view", [View.PSAX_BASAL, View.PSAX_MID, View.PSAX_APICAL])
def test_short_axes_show_a_ring_with_the_rv_on_the_left(pictures: dict[View, np.ndarray], view: View) -> None:
    picture = pictures[view]
    right = Structure.RV_MYOCARDIUM if view is View.PSAX_APICAL else Structure.RV_CAVITY
    lv, rv = middle(picture, Structure.LV_CAVITY), middle(picture, right)
    assert rv[1] < lv[1] and rv[0] < lv[0]
    assert not np.isin(picture, [Structure.LA_CAVITY, Structure.RA_CAVITY]).any()


def test_short_axes_shrink_towards_the_apex(pictures: dict[View, np.ndarray]) -> None:
    sizes = [(pictures[v] == Structure.LV_CAVITY).sum() for v in (View.PSAX_BASAL, View.PSAX_MID, View.PSAX_APICAL)]
    assert sizes[0] > sizes[1] > sizes[2]


def test_table_one_is_kept_on_the_template() -> None:
    template = load_template()
    assert np.allclose(carried_probe(template, template.points), APICAL_PROBE)
    fans = standard_sectors(template, template.points)
    corners = [template.landmark(template.points, name) for name in ("lv_apex_epi", "la", "ra")]
    assert np.allclose(fans[View.A4C].plane(np.array(corners))[:, 2], 0, atol=1e-6)
    for view, point in (
        (View.PSAX_BASAL, (16.27, -8.42, -9.61)),
        (View.PSAX_MID, (39.04, -20.21, -23.07)),
        (View.PSAX_APICAL, (45.55, -23.58, -26.91)),
    ):
        assert abs(fans[view].plane(np.array(point))[2]) < 0.02


def test_fans_move_with_a_rigidly_moved_heart() -> None:
    template = load_template()
    fans = standard_sectors(template, template.points)
    moved = standard_sectors(template, template.points + np.array([5.0, -3.0, 2.0]))
    for view in View:
        assert np.allclose(moved[view].origin, fans[view].origin + np.array([5.0, -3.0, 2.0]))


def test_a_drawn_departure_turns_by_what_it_says() -> None:
    fan = standard_sectors(load_template(), load_template().points)[View.A4C]
    turned = jittered(fan, SectorDraw(tilt=7, half_angle=35, depth=150))
    assert np.degrees(np.arccos(turned.axis @ fan.axis)) == pytest.approx(7)
    assert (turned.half_angle, turned.depth) == (35, 150)
    assert np.degrees(np.arccos(jittered(fan, SectorDraw(rotate=9)).lateral @ fan.lateral)) == pytest.approx(9)
    drawn = [draw_sector(np.random.default_rng(s)) for s in range(200)]
    assert all(30 <= d.half_angle <= 45 and (d.depth == 0 or 120 <= d.depth <= 200) for d in drawn)

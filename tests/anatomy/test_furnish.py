"""Chests of our making in foreign skins."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from echo3d.anatomy.furnish import furnished
from echo3d.anatomy.placement import placed_points
from echo3d.anatomy.template import load_template
from echo3d.anatomy.torso import body_at
from echo3d.anatomy.window import best_window
from echo3d.core.body import BodyMesh, BodyPart, joined, part_surface
from echo3d.core.mesh import enclosed_ml
from echo3d.core.views import View
from echo3d.io.bodies import read_body
from echo3d.slicing.standard import standard_sectors


def depths(body: BodyMesh, part: BodyPart) -> NDArray:
    """Return how deep (mm) the points of a part lie under the skin."""
    import pyvista as pv

    skin = pv.PolyData.from_regular_faces(*part_surface(body, BodyPart.SKIN))
    return -np.asarray(pv.PolyData(part_surface(body, part)[0]).compute_implicit_distance(skin)["implicit_distance"])


@pytest.mark.parametrize("who", [(175.6, 78.5, "m"), (163.0, 62.0, "f")])
def test_our_own_skin_gets_about_its_own_chest_back(who: tuple[float, float, str]) -> None:
    own = body_at(*who)
    skin = joined({BodyPart.SKIN: part_surface(own.mesh, BodyPart.SKIN)})
    found = furnished(skin, sex=who[2], stature_mm=10 * who[0])
    for part in (BodyPart.RIBS, BodyPart.STERNUM, BodyPart.LUNG_LEFT):
        there, here = (part_surface(mesh, part)[0] for mesh in (found.mesh, own.mesh))
        np.testing.assert_allclose(there.min(axis=0), here.min(axis=0), atol=18, err_msg=part.key)
        np.testing.assert_allclose(there.max(axis=0), here.max(axis=0), atol=18, err_msg=part.key)
        assert enclosed_ml(*part_surface(found.mesh, part)) > 0


@pytest.mark.parametrize(
    ("name", "sex", "least"),
    [
        ("visible_human_male/VH_M_Skin.glb", "m", 3.0),
        ("smpl_mean/human_man.obj", "m", 3.0),
        ("smpl_mean/human_neutral.obj", "f", 3.0),
        ("makehuman/base.obj", "f", -8.0),  # its shoulders slope so steeply that the first rib shows
        ("vtk_torso/Torso.vtp", "m", 3.0),
    ],
)
def test_chests_fit_into_shared_bodies(shared: Path, name: str, sex: str, least: float) -> None:
    found = furnished(read_body(shared / "data/bodies" / name).mesh, sex=sex)
    for part in (BodyPart.RIBS, BodyPart.CARTILAGES, BodyPart.STERNUM, BodyPart.LUNG_LEFT, BodyPart.LUNG_RIGHT):
        assert depths(found.mesh, part).min() > least, part.key


@pytest.mark.parametrize("view", [View.A4C, View.PSAX_MID])
def test_the_visible_human_has_windows(shared: Path, view: View) -> None:
    found = furnished(read_body(shared / "data/bodies/visible_human_male/VH_M_Skin.glb").mesh)
    template, points = load_template(), placed_points(found.heart)
    fan = standard_sectors(template, points, level=0.5)[view]
    _, window = best_window(found.mesh, template.heart(points), fan)
    assert window.share < 0.25

"""Other people's hearts: tags to chambers, landmarks and fans; shared hearts of four origins."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from echo3d.anatomy.conventions import axes_from_letters
from echo3d.anatomy.published import ForeignHeart, Reading, check_order, foreign_heart, mean_landmarks, own_heart
from echo3d.anatomy.tagorders import HEART_FAILURE, roles_of
from echo3d.anatomy.template import load_label_volume, load_template
from echo3d.core.foreign import TaggedSurface, tetra_boundaries
from echo3d.core.mesh import HeartMesh
from echo3d.core.structures import CHAMBER_KEYS, Structure
from echo3d.errors import InputError
from tests.tetrahedra import wall_tetrahedra


def template_ml() -> dict[str, float]:
    volume = load_label_volume()
    return {key: float((volume.labels == tag).sum()) * volume.voxel_ml for key, tag in CHAMBER_KEYS.items()}


@pytest.fixture(scope="module")
def tissue() -> TaggedSurface:
    """The template's 24 tags as the boundaries of voxel tetrahedra, without any blood."""
    points, tetrahedra, tags = wall_tetrahedra(1.0)
    faces, owner = tetra_boundaries(tetrahedra, tags.astype(int))
    return TaggedSurface(points, faces, owner, {}, "elemTag")


@pytest.fixture(scope="module")
def heart(tissue: TaggedSurface) -> ForeignHeart:
    return foreign_heart(tissue)


def test_chambers_come_back_from_walls_alone(heart: ForeignHeart) -> None:
    assert heart.missing == ()
    assert heart.guessed == ()
    for key, volume in template_ml().items():
        assert heart.volumes_ml[key] == pytest.approx(volume, rel=0.03), key


def test_labels_are_the_templates(heart: ForeignHeart) -> None:
    volume = load_label_volume()
    index = np.argwhere(volume.labels > 0)[::97]
    world = index @ volume.affine[:3, :3].T + volume.affine[:3, 3]
    assert (heart.volume.look_up(world) == volume.labels[tuple(index.T)]).mean() > 0.98


def test_landmarks_lie_where_the_templates_do(heart: ForeignHeart) -> None:
    for name, at in mean_landmarks().items():
        assert np.linalg.norm(heart.landmarks[name] - at) < (16 if name == "heart" else 4), name


def test_other_units_axes_and_order_are_put_right(tissue: TaggedSurface, heart: ForeignHeart) -> None:
    back = {int(role): tag for tag, role in HEART_FAILURE.items()}
    turned = TaggedSurface(
        tissue.points @ np.linalg.inv(axes_from_letters("ASR")).T / 1000.0,
        tissue.faces,
        [back[int(tag)] for tag in tissue.tags],
        {},
        "elemTag",
    )
    assert roles_of(tissue)[1].startswith("tags in the published")
    assert "part 14" in roles_of(turned)[1]
    found = foreign_heart(turned, Reading(order="heart-failure"))
    assert "heart-failure order, as asked" in found.assumed[0]
    assert found.size_known
    assert "unit m" in found.assumed[1]
    assert found.volumes_ml == pytest.approx(heart.volumes_ml, rel=0.02)
    for name, at in heart.landmarks.items():
        assert np.linalg.norm(found.landmarks[name] - at) < 2.5, name
    assert np.abs(found.mesh.points - heart.mesh.points).max() < 1e-6
    index = np.argwhere(found.volume.labels == Structure.RV_CAVITY)[::501]
    world = index @ found.volume.affine[:3, :3].T + found.volume.affine[:3, 3]
    assert (heart.volume.look_up(world) == Structure.RV_CAVITY).mean() > 0.97


def test_axes_asked_for_are_taken(tissue: TaggedSurface) -> None:
    found = foreign_heart(tissue, Reading(axes="RAS"), voxel_mm=2.0)
    assert np.allclose(found.mesh.points, tissue.points[np.unique(tissue.faces)] * [-1, -1, 1])


def test_our_own_surface_is_known_by_its_triangles() -> None:
    template = load_template()
    found = own_heart(template.mesh)
    assert found is not None
    assert found.missing == ()
    for key, volume in template_ml().items():
        assert found.volumes_ml[key] == pytest.approx(volume, rel=0.03), key
    for name, at in mean_landmarks().items():
        assert np.linalg.norm(found.landmarks[name] - at) < 1.0, name
    assert own_heart(HeartMesh(template.mesh.points, template.mesh.faces[:, ::-1], template.mesh.labels)) is None


def only(tissue: TaggedSurface, kept: tuple[int, ...]) -> TaggedSurface:
    chosen = np.isin(tissue.tags, kept)
    return TaggedSurface(tissue.points, tissue.faces[chosen], tissue.tags[chosen], {}, "elemTag")


def test_half_a_heart_is_a_heart_that_says_what_is_missing(tissue: TaggedSurface) -> None:
    found = foreign_heart(only(tissue, (1, 2, 7, 8, 9, 10)))
    assert {Structure.LA_WALL, Structure.RA_CAVITY, Structure.AORTA_LUMEN} <= set(found.missing)
    assert {"la", "ra"} == set(found.guessed)
    assert set(found.volumes_ml) == {"lv", "rv"}
    for name in ("la", "ra"):
        assert np.linalg.norm(found.landmarks[name] - mean_landmarks()[name]) < 6


def test_a_heart_without_a_left_ventricle_is_refused(tissue: TaggedSurface) -> None:
    with pytest.raises(InputError, match="left ventricle"):
        foreign_heart(only(tissue, (2, 4, 8)))
    with pytest.raises(InputError, match="order of tags"):
        check_order("alphabetical")


ORIGINS = {
    "rodero_ssm/hearts/heart_05.vtp": ({"lv": 81.2, "rv": 101.1, "la": 63.6, "ra": 61.7}, 0.02, "x left, y back, z head", 0),
    "rodero_ssm/template_24parts.vtp": ({"lv": 126.0, "rv": 149.0, "la": 63.3, "ra": 78.7}, 0.02, "x left, y back, z head", 0),
    "heartdeformnets_templates/wh_template.vtp": ({"lv": 49.0, "rv": 66.9, "la": 97.5, "ra": 113.9}, 0.1, "x left, y back, z head", 23),
    "cobiveco_geo1/heart.vtp": ({"lv": 147.8, "rv": 166.9}, 0.02, "no patient", 26),
    "visible_human_male/VH_M_Heart.glb": ({"lv": 48.0, "rv": 72.0, "la": 33.0, "ra": 85.0}, 0.1, "x left, y head, z front", 18),
}
"""Per shared heart: chamber volumes, tolerance, axes, parts not there.

The volumes are the finer voxels' of the template's build for the first two; of the third, whose size the file does not tell, its published
label volume's; of the fourth the capped surfaces' own; of the last this reader's at the time of writing.
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(ORIGINS))
def test_shared_hearts(shared: Path, name: str) -> None:
    from echo3d.io.surfaces import read_surface

    volumes, tolerance, axes, missing = ORIGINS[name]
    surface = read_surface(shared / "data/hearts" / name)
    found = foreign_heart(surface)
    assert found.volumes_ml == pytest.approx(volumes, rel=tolerance)
    assert axes in " ".join(found.assumed)
    assert len(found.missing) == missing
    assert found.size_known == ("heartdeformnets" not in name)
    away = found.landmarks["lv_apex_epi"] - found.landmarks["heart"]
    assert away[0] > 0 and away[1] < 0 and away[2] < 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["heart_03", "heart_10", "heart_16"])
def test_published_hearts_have_four_chambers_in_time(shared: Path, name: str) -> None:
    """Heart 10 leaks where its parts meet: a plain flood fill runs from the LV into the LA."""
    from echo3d.io.surfaces import read_surface

    surface = read_surface(shared / f"data/hearts/rodero_ssm/hearts/{name}.vtp")
    start = time.process_time()
    found = foreign_heart(surface)
    assert time.process_time() - start < 10  # to reach: 5 s, see tests/benchmarks
    assert all(20 < found.volumes_ml[key] < 260 for key in CHAMBER_KEYS), found.volumes_ml
    assert found.missing == ()

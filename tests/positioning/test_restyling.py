"""Previews in the trained style: what is asked for, what is shown, and what is said where nobody can translate."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from echo3d.core.views import View
from echo3d.errors import InputError
from echo3d.io.images import read_png
from echo3d.positioning.hearts import Moment
from echo3d.positioning.outputs import Shot, write_views
from echo3d.positioning.previews import DRAGGED, LARGE, Previewer, Request
from echo3d.positioning.restyling import Plain, plain_of
from echo3d.positioning.state import Picture, Scene
from echo3d.style.transfer import echo_styled, load_generator


def here(pictures: Sequence[Plain]) -> list[NDArray[np.float32]]:
    """Translate in this process."""
    return [echo_styled(one.pseudo[None], one.inside[None], load_generator(), pixel_mm=one.pixel_mm)[0] for one in pictures]


def request(scene: Scene, picture: Picture, *, settled: bool = False, large: View | None = None) -> Request:
    assert scene.heart is not None
    return Request(1, scene, Moment(scene.heart.mesh.points, scene.heart.labels), picture, settled, large)


def test_previews_are_the_pseudo_images_translated(scene: Scene) -> None:
    plain = Previewer().answer(request(scene, Picture.PSEUDO)).previews
    made = Previewer(here).answer(request(scene, Picture.CYCLEGAN)).previews
    for view in View:
        piece, pixels = made[view].piece, made[view].pixels
        assert pixels.shape == (DRAGGED, DRAGGED, 4) and not pixels[~piece.inside].any() and (pixels[piece.inside, 3] == 255).all()
        wanted = here([plain_of(piece)])[0]
        assert np.abs(pixels[..., 0] - 255 * wanted).mean() < 1
        assert np.abs(pixels[..., 0].astype(int) - plain[view].pixels[..., 0]).mean() > 3


def test_pictures_of_two_sizes_go_together(scene: Scene) -> None:
    made = Previewer(here).answer(request(scene, Picture.CYCLEGAN, settled=True, large=View.A4C)).previews
    assert made[View.A4C].pixels.shape == (LARGE, LARGE, 4) and made[View.A2C].pixels.shape[0] < LARGE


def test_without_anybody_to_ask_it_is_a_sentence(scene: Scene, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="inference process"):
        Previewer().answer(request(scene, Picture.CYCLEGAN))
    assert scene.heart is not None
    shot = Shot(scene, Moment(scene.heart.mesh.points, scene.heart.labels), 0, Picture.CYCLEGAN, 96)
    with pytest.raises(InputError, match="inference process"):
        write_views(shot, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    write_views(shot, tmp_path / "out", restyle=here)
    assert read_png(tmp_path / "out" / "a4c_cyclegan.png").shape == (96, 96, 3)

"""The pseudo image against the recipe written down a second time with SciPy."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from echo3d.core.sector import PictureGrid
from echo3d.core.structures import Structure
from echo3d.errors import ShapeError
from echo3d.style.pseudo import PseudoDraw, draw_pseudo, pseudo_image


def ring(size: int) -> NDArray[np.uint8]:
    """Return a ring of muscle around blood in the middle of a picture."""
    at = (np.arange(size) + 0.5) / size - 0.5
    radius = np.hypot(at[:, None], at)
    return np.select([radius < 0.15, radius < 0.28], [Structure.LV_CAVITY, Structure.LV_MYOCARDIUM], 0).astype(np.uint8)


def by_the_recipe(labels: NDArray[np.uint8], draw: PseudoDraw) -> NDArray[np.float32]:
    """Return the recipe of science.md C.7 at 224 pixels, step by step."""
    rng = np.random.default_rng(draw.seed)
    image = ((labels >= 1) & (labels <= 24)).astype(np.float32)
    image *= np.kron(rng.random((28, 28), np.float32), np.ones((8, 8), np.float32))
    rows, columns = np.mgrid[:224, :224] + 0.5
    spot = draw.spot_amplitude * np.exp(-((rows - draw.spot_row) ** 2 + (columns - draw.spot_column) ** 2) / (2 * draw.spot_variance))
    image = np.clip(image + (1 if draw.spot_bright else -1) * spot, 0, 1).astype(np.float32)
    image = np.clip(image + (rng.random((224, 224), np.float32) - 0.5) * 200 / 255, 0, 1)
    image[labels > 100] *= 0.6
    for sigma in ((4, 2), (6, 2)):
        image = gaussian_filter(image, sigma, mode="reflect", truncate=8)
    for side in (112, 37):
        index = np.arange(224) * side // 224
        for sign in (1, -1):
            noise = sign * rng.standard_normal((side, side), np.float32) * 10 / 255
            image = np.clip(image + noise[index][:, index], 0, 1)
    return image * draw.maximum / 255 / image.max()


@pytest.mark.parametrize("bright", [True, False])
def test_the_steps_stand_in_the_order_of_the_recipe(bright: bool) -> None:
    labels = ring(224)
    draw = replace(draw_pseudo(np.random.default_rng(4)), spot_bright=bright, spot_row=90.0)
    image = pseudo_image(labels, np.ones((224, 224), bool), draw)
    np.testing.assert_allclose(image, by_the_recipe(labels, draw), atol=2e-5)


def test_the_constants_are_those_of_the_recipe() -> None:
    draw = draw_pseudo(np.random.default_rng(0))
    assert (draw.multiplicative_block, draw.additive_level, draw.blood_factor) == (8, 100.0, 0.6)
    assert (draw.first_blur, draw.second_blur) == ((4.0, 2.0), (6.0, 2.0))
    assert (draw.normal_level, draw.normal_blocks) == (10.0, (2, 6))


def test_the_draws_follow_the_recipe() -> None:
    rng = np.random.default_rng(1)
    draws = [draw_pseudo(rng) for _ in range(2000)]
    assert np.mean([d.spot_bright for d in draws]) == pytest.approx(0.5, abs=0.04)
    assert np.mean([d.spot_column for d in draws]) == pytest.approx(100, abs=8)
    assert np.mean([d.spot_row for d in draws]) == pytest.approx(0, abs=8)
    assert np.mean([d.spot_amplitude for d in draws]) == pytest.approx(0.3, abs=0.005)
    assert np.mean([d.spot_variance for d in draws]) == pytest.approx(4 * 224 + 4000, abs=40)
    levels = [d.maximum for d in draws]
    assert min(levels) >= 230 and max(levels) <= 250


@pytest.mark.parametrize("size", [64, 112, 224, 256])
def test_pictures_of_every_size_look_alike(size: int) -> None:
    grid = PictureGrid(size, size, 160 / size)
    inside = grid.inside(33.75, 160)
    rng = np.random.default_rng(2)
    labels = ring(size)
    pictures = np.stack([pseudo_image(labels, inside, draw_pseudo(rng)) for _ in range(20)])
    assert pictures.dtype == np.float32 and pictures.shape[1:] == (size, size)
    assert pictures.min() >= 0 and pictures.max() <= 250 / 255 + 1e-6
    assert not pictures[:, ~inside].any()
    muscle, blood = pictures[:, labels == 1].mean(), pictures[:, labels == 101].mean()
    assert muscle > 2 * blood


def test_the_brightest_pixel_has_the_drawn_level() -> None:
    draw = replace(draw_pseudo(np.random.default_rng(3)), maximum=240.0)
    assert pseudo_image(ring(112), np.ones((112, 112), bool), draw).max() == pytest.approx(240 / 255, abs=1e-6)


def test_the_same_draw_gives_the_same_picture() -> None:
    draw, inside = draw_pseudo(np.random.default_rng(5)), np.ones((112, 112), bool)
    np.testing.assert_array_equal(pseudo_image(ring(112), inside, draw), pseudo_image(ring(112), inside, draw))
    assert (pseudo_image(ring(112), inside, draw) != pseudo_image(ring(112), inside, replace(draw, seed=draw.seed + 1))).any()


def test_pictures_of_two_shapes_are_refused() -> None:
    with pytest.raises(ShapeError, match="one shape"):
        pseudo_image(ring(64), np.ones((64, 63), bool), draw_pseudo(np.random.default_rng(1)))

"""The shipped generator at work: any size of picture, the fan, the heart where it was, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from echo3d.core.sector import PictureGrid
from echo3d.errors import ModelError, ShapeError
from echo3d.style import transfer
from echo3d.style.pseudo import draw_pseudo, pseudo_image
from echo3d.style.transfer import StyleGenerator, echo_styled, load_generator


@pytest.fixture(scope="module")
def generator() -> StyleGenerator:
    return load_generator()


def ring(size: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return a short-axis slice of 179 mm: blood of 24 mm radius within a wall of 12 mm."""
    grid = PictureGrid(size, size, 112 * 1.6 / size)
    mm = grid.plane_mm() - np.array([85.0, 0.0])
    radius = np.hypot(mm[..., 0], mm[..., 1])
    labels = np.where(radius < 24, 101, np.where(radius < 36, 1, 0)).astype(np.uint8)
    return labels, grid.inside(40, 160)


def styled(size: int, seeds: range, generator: StyleGenerator) -> NDArray[np.float32]:
    labels, inside = ring(size)
    made = np.stack([pseudo_image(labels, inside, draw_pseudo(np.random.default_rng(seed))) for seed in seeds])
    return echo_styled(made, np.broadcast_to(inside, made.shape), generator)


def test_blood_is_dark_and_the_wall_where_it_was(generator: StyleGenerator) -> None:
    """The mean of many pictures: blood is darker than the wall, and the edge between them lies where it lies in the labels."""
    for size in (112, 224):
        labels, _ = ring(size)
        mean = styled(size, range(24), generator).mean(axis=0)
        wall = mean[ndimage.binary_erosion(labels == 1, iterations=size // 112)].mean()
        blood = mean[ndimage.binary_erosion(labels == 101, iterations=4 * size // 112)].mean()
        assert wall > 1.8 * blood
        assert edge_mm(mean, (wall + blood) / 2) == pytest.approx(24, abs=2.5), size


def edge_mm(picture: NDArray[np.float32], level: float) -> float:
    """Return how far from the middle of the blood the mean over all directions first reaches a level."""
    pixel_mm = 112 * 1.6 / len(picture)
    radii, angles = np.arange(4, 40, 0.5), np.linspace(0, 2 * np.pi, 90, endpoint=False)
    rows = (85 + radii[:, None] * np.cos(angles)) / pixel_mm - 0.5
    columns = radii[:, None] * np.sin(angles) / pixel_mm + picture.shape[1] / 2 - 0.5
    profile = ndimage.map_coordinates(picture, [rows, columns], order=1).mean(axis=1)
    return float(radii[np.argmax(profile >= level)])


def test_any_size_shows_the_same_heart(generator: StyleGenerator) -> None:
    for size in (112, 150, 224, 320):
        labels, inside = ring(size)
        made = styled(size, range(3), generator)
        assert made.shape == (3, size, size) and made.dtype == np.float32
        assert float(made.min()) >= 0 and float(made.max()) <= 1 and not made[:, ~inside].any()
        mean = made.mean(axis=0)
        assert mean[labels == 1].mean() > 1.4 * mean[labels == 101].mean(), size
        assert 0.02 < made[:, inside].mean() < 0.6, size


def test_batches_change_nothing(generator: StyleGenerator) -> None:
    many = styled(112, range(transfer.BATCH + 2), generator)
    assert np.allclose(many[-2:], styled(112, range(transfer.BATCH, transfer.BATCH + 2), generator), atol=1e-5)
    assert echo_styled(np.zeros((0, 112, 112)), np.zeros((0, 112, 112), bool), generator).shape == (0, 112, 112)


def test_the_edge_of_the_fan_is_neither_dark_nor_bright(generator: StyleGenerator) -> None:
    """At a size between the trained and its double, where masks of both sizes do not agree pixel by pixel."""
    _, inside = ring(178)
    mean = styled(178, range(8), generator).mean(axis=0)
    rim = inside & ~ndimage.binary_erosion(inside, iterations=2)
    behind = ndimage.binary_erosion(inside, iterations=4) & ~ndimage.binary_erosion(inside, iterations=8)
    assert 0.4 < mean[rim].mean() / mean[behind].mean() < 1.6


def test_what_is_refused(generator: StyleGenerator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ShapeError, match="stacks"):
        echo_styled(np.zeros((112, 112)), np.zeros((112, 112), bool), generator)
    for name in ("monet", "../weights/lean"):
        with pytest.raises(ModelError, match="cyclegan"):
            load_generator(name)
    folder = tmp_path / "style"
    folder.mkdir()
    for suffix in ("json", "safetensors"):
        (folder / f"damaged.{suffix}").write_bytes((transfer.resource("style") / f"cyclegan.{suffix}").read_bytes())
    (folder / "damaged.safetensors").write_bytes(b"cut short")
    monkeypatch.setattr(transfer, "resource", lambda _: folder)
    with pytest.raises(ModelError, match="SHA-256"):
        load_generator("damaged")

"""Agreement of an outline with its picture: exact on a drawn disc, and worse where the outline lies wrong."""

from __future__ import annotations

import numpy as np
import pytest

from echo3d.clinical.agreement import Agreement, endocardial_agreement, mean_agreement
from echo3d.core.images import EchoImage
from echo3d.core.sector import Fan
from echo3d.core.structures import Structure
from echo3d.core.views import View

PIXEL = (1.0, 1.0)


def rings(radius: float, size: int = 120) -> np.ndarray:
    """Return a cavity of that radius (mm) with a wall of 8 mm and a valve on its lower quarter."""
    rows, columns = np.mgrid[:size, :size] + 0.5 - size / 2
    distance = np.hypot(rows, columns)
    labels = np.where(distance <= radius, Structure.LV_CAVITY, np.where(distance <= radius + 8, Structure.LV_MYOCARDIUM, 0))
    return np.where((labels == Structure.LV_MYOCARDIUM) & (rows > 0.7 * distance), Structure.MITRAL_VALVE, labels).astype(np.uint8)


def picture(radius: float = 25.0) -> EchoImage:
    """Return a dark disc in grey tissue; below, where the valve lies, it is dark as well."""
    size = 120
    rows, columns = np.mgrid[:size, :size] + 0.5 - size / 2
    distance = np.hypot(rows, columns)
    grey = np.where((distance <= radius) | (rows > 0.7 * distance), 0.2, 0.6).astype(np.float32)
    return EchoImage(View.A4C, grey, PIXEL, Fan(0.0, 60.0, 80.0, 200.0))


def test_an_outline_on_the_edge_agrees_exactly() -> None:
    found = endocardial_agreement(picture(), rings(25.0), PIXEL)
    assert found is not None
    assert found.contrast == pytest.approx(0.5, abs=0.03)
    assert abs(found.offset_mm) <= 1
    assert found.profile[:10] == pytest.approx(0.2, abs=0.02) and found.profile[14:18] == pytest.approx(0.6, abs=0.05)


@pytest.mark.parametrize("radius", [18.0, 32.0])
def test_an_outline_beside_the_edge_agrees_less_and_says_by_how_much(radius: float) -> None:
    right, wrong = (endocardial_agreement(picture(), rings(r), PIXEL) for r in (25.0, radius))
    assert right is not None and wrong is not None
    assert wrong.contrast < 0.2 and wrong.gradient < 0.3 * right.gradient
    assert wrong.offset_mm == pytest.approx(25.0 - radius, abs=1.5)


def test_no_cavity_gives_no_figure_and_counts_as_not_judged() -> None:
    labels = np.zeros((120, 120), np.uint8)
    assert endocardial_agreement(picture(), labels, PIXEL) is None
    right = endocardial_agreement(picture(), rings(25.0), PIXEL)
    assert isinstance(right, Agreement)
    means = mean_agreement([right, None])
    assert means["judged"] == 0.5 and means["contrast"] == pytest.approx(right.contrast)
    assert mean_agreement([None]) == {"judged": 0.0}

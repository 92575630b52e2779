"""Validation sheets: what a picture shows and what a network says it shows, in colour over the picture, for all six views.

A column a view; two rows for end-diastole, the truth above the answer, and two for end-systole.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from echo3d.anatomy.template import load_template
from echo3d.clinical.overlay import draw_overlay, section_labels
from echo3d.core.views import View
from echo3d.io.images import write_png
from echo3d.reconstruction.raster import NETWORK_GRID
from training.data import Shards
from training.overlayscore import sector_of

ZOOM, GAP, DARK = 2, 4, 24
KEYS = ("echo", "labels", "fans", "sectors", "field")

Sample = Mapping[str, NDArray]
"""End-diastole and end-systole of one heart: echo and labels (2, V, H, W) uint8, fans (2, V, 2), sectors (2, V, 9), field (2, N, 3) mm."""


def first_pair(shards: Shards) -> Sample:
    """Return the first heart of some samples, in the pictures of their first style."""
    part = shards.parts[0]
    return {key: np.asarray(shards.whole(part, key)[:2]) for key in KEYS}


def true_points(sample: Sample) -> NDArray[np.float64]:
    """Return the sample's hearts, (2, N, 3) mm."""
    return np.array(load_template().points) + sample["field"].astype(float)


def sections(points: NDArray | Tensor, planes: NDArray | Tensor, fans: NDArray) -> NDArray[np.uint8]:
    """Return the labels (2, V, H, W) of two hearts (2, N, 3) mm cut at planes (2, V, 9) with fans (2, V, 2)."""
    template = load_template()
    hearts, cuts = (np.asarray(part, dtype=float) for part in (points, planes))
    rows = [
        [section_labels(template, heart, sector_of(cut[view], fan[view].astype(float)), NETWORK_GRID) for view in range(len(cut))]
        for heart, cut, fan in zip(hearts, cuts, fans, strict=True)
    ]
    return np.array(rows, dtype=np.uint8)


def write_sections(path: Path, sample: Sample, found: NDArray) -> None:
    """Write the sheet of a sample and the labels (2, V, H, W) that a network answers with."""
    rows = [row for phase in range(2) for row in (_row(sample, sample["labels"], phase), _row(sample, found, phase))]
    write_png(path, _stacked(rows, 0))


def _row(sample: Sample, labels: NDArray, phase: int) -> NDArray[np.uint8]:
    """Return the six pictures of one phase with labels over them."""
    pictures = [draw_overlay(_large(sample["echo"][phase, v]) / 255.0, _large(labels[phase, v].astype(np.uint8))) for v in range(len(View))]
    return _stacked(pictures, 1)


def _large(picture: NDArray) -> NDArray:
    return picture.repeat(ZOOM, axis=0).repeat(ZOOM, axis=1)


def _stacked(pictures: list[NDArray[np.uint8]], axis: int) -> NDArray[np.uint8]:
    """Return pictures with gaps between them, along an axis."""
    shape = list(pictures[0].shape)
    shape[axis] = GAP
    gap = np.full(shape, DARK, np.uint8)
    return np.concatenate([part for picture in pictures for part in (picture, gap)][:-1], axis=axis)

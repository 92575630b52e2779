"""Networks on real clips, where nobody knows the truth: trust, agreement of the outline with the picture, and how smoothly the LV beats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from echo3d.beat import lv_curve
from echo3d.clinical.agreement import endocardial_agreement, mean_agreement
from echo3d.clinical.function import unsteadiness
from echo3d.clinical.overlay import draw_overlay, image_labels
from echo3d.cohort.figures import sheet
from echo3d.core.images import EchoClip, EchoImage, EchoSet
from echo3d.core.views import View
from echo3d.io.studies import load_study
from echo3d.reconstruction.raster import pixel_size
from echo3d.reconstruction.reconstruct import S2MModel, reconstruct

PHASES = 8
SCALE = 0.9


@dataclass(frozen=True, slots=True, eq=False)
class ClipAnswer:
    """What a network makes of every frame of a clip.

    Parameters
    ----------
    labels : (T, H, W) uint8 structures under the pixels
    lv_ml : (T,) LV volume, not smoothed over time
    trust : (T,) in [0, 1]
    agreement : see :func:`echo3d.clinical.agreement.mean_agreement`
    """

    labels: NDArray[np.uint8]
    lv_ml: NDArray[np.float64]
    trust: NDArray[np.float64]
    agreement: dict[str, float]

    def figures(self) -> dict[str, float]:
        """Return the figures of a report, plain numbers."""
        curve = self.lv_ml
        told = {"trust": float(self.trust.mean()), "unsteadiness": unsteadiness(curve), "ef": float(1 - curve.min() / curve.max())}
        return {key: round(value, 4) for key, value in (told | self.agreement).items()}


def read_clip(path: Path, view: View, models: Sequence[S2MModel]) -> tuple[EchoClip, list[ClipAnswer]]:
    """Return a clip and what each network makes of it when it is told the view.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    (clip,) = load_study((), views={view: path}).by_view().values()
    return clip, [answer_of(model, replace(clip, view=view), view) for model in models]


def answer_of(model: S2MModel, clip: EchoClip, view: View) -> ClipAnswer:
    """Return what a network makes of every frame."""
    images = [clip.image(k) for k in range(len(clip.frames))]
    hearts = reconstruct(model, [EchoSet({view: image}) for image in images], ["frame"] * len(images))
    labels = [image_labels(model.template, heart.points, heart.planes[view], image) for heart, image in zip(hearts, images, strict=True)]
    found = [endocardial_agreement(image, seen, pixel_size(image)) for image, seen in zip(images, labels, strict=True)]
    trust = np.array([heart.trust for heart in hearts])
    return ClipAnswer(np.stack(labels), lv_curve(model.template, hearts), trust, mean_agreement(found))


def overlay_sheet(clip: EchoClip, answers: Sequence[tuple[str, ClipAnswer]]) -> NDArray[np.uint8]:
    """Return the picture alone and under each network's outline, at eight frames equally spaced over the clip."""
    frames = [round(k * (len(clip.frames) - 1) / (PHASES - 1)) for k in range(PHASES)]
    rows = [("picture", [(f"frame {k}", _shown(clip.image(k), None)) for k in frames])]
    for name, answer in answers:
        rows.append((name, [(f"LV {answer.lv_ml[k]:.0f} ml", _shown(clip.image(k), answer.labels[k])) for k in frames]))
    return sheet(rows)


def _shown(image: EchoImage, labels: NDArray[np.uint8] | None) -> NDArray[np.uint8]:
    """Return a frame cropped to its fan, brightened for looking at, with the structures over it."""
    seen = image.fan.mask(*image.pixels.shape[:2])
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    bright = np.sqrt(np.clip(image.pixels, 0, 1)) * seen
    drawn = draw_overlay(bright, np.zeros_like(seen, np.uint8) if labels is None else labels)[box]
    size = round(drawn.shape[1] * SCALE), round(drawn.shape[0] * SCALE)
    return np.asarray(Image.fromarray(drawn).resize(size, Image.Resampling.BICUBIC))

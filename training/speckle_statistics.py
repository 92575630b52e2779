"""Speckle of the simulator beside speckle of real clips: ``python -m training.speckle_statistics [--clips DIR]``.

Every picture is read along its beams and searched for two windows of the same size: the most even one among the brightest tenth (tissue),
and the most even one among the darkest third that is not black, if there is one (blood). Both are told by grey values alone, the same way
for all. Of the tissue the correlation lengths are taken, the dynamic range at which it would scatter as Rayleigh speckle does, and its
distance from a Rayleigh distribution at that range. See ``echo3d.style.statistics`` for what a displayed picture can and cannot tell;
the choice of an even window raises the range a little more (by 16 % for known speckle in the tests).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from echo3d.core.sector import Fan, grid_for
from echo3d.core.views import View
from echo3d.errors import InputError, ShapeError
from echo3d.style.statistics import along_beams, correlation_length, first_order, undisplayed

CLIPS = Path("../shared/data/echo")
SUFFIXES = (".dcm", ".mp4", ".avi")
PERCENTILES = (5, 25, 50, 75, 95, 99)
_LINES = 160
_DEEP, _WIDE = 0.12, 0.16
_STEPS = 24
_FRAMES = 6


@dataclass(frozen=True, slots=True)
class Row:
    """What one picture tells, or the median of several.

    Parameters
    ----------
    name : of the clip, or the simulator's preset
    percentiles : grey values within the fan at ``PERCENTILES``
    tissue, blood : mean grey value of the two windows
    range_db : at which the tissue would scatter as Rayleigh speckle does
    distance : of the tissue from a Rayleigh distribution at that range
    axial_px, lateral_px : correlation lengths of the tissue
    depth_px : at which the tissue lies
    radius_px : of the fan
    pixel_mm : NaN where it is not known
    """

    name: str
    percentiles: tuple[float, ...]
    tissue: float
    blood: float
    range_db: float
    distance: float
    axial_px: float
    lateral_px: float
    depth_px: float
    radius_px: float
    pixel_mm: float


def windows(polar: NDArray[np.float32]) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Return the windows of tissue and of blood in a picture (S, L) along its beams, grey values 0 to 255.

    Raises
    ------
    ShapeError
        If nothing bright fills a window.
    """
    high, wide = int(_DEEP * polar.shape[0]), int(_WIDE * polar.shape[1])
    corners = [
        (int(top), int(left))
        for top in np.linspace(0.15 * polar.shape[0], 0.98 * polar.shape[0] - high, _STEPS)
        for left in np.linspace(0.04 * polar.shape[1], 0.96 * polar.shape[1] - wide, _STEPS)
    ]
    pieces = [(slice(top, top + high), slice(left, left + wide)) for top, left in corners]
    means = np.array([polar[piece].mean() for piece in pieces])
    shown = np.array([(polar[piece] > 2).mean() for piece in pieces])
    even = np.array([_unevenness(polar[piece]) for piece in pieces])
    bright, dark = (means >= np.quantile(means, 0.9)) & (shown > 0.8), means <= np.quantile(means, 0.34)
    if not bright.any():
        raise ShapeError("a picture must have tissue that fills a window, found none; give another")
    dark &= shown >= min(0.5, float(shown[dark].max()))
    return pieces[int(np.where(bright, even, np.inf).argmin())], pieces[int(np.where(dark, even, np.inf).argmin())]


def _unevenness(piece: NDArray[np.float32]) -> float:
    """Return how much a window varies beyond its grain: its thirds' standard deviation over its mean."""
    rows, columns = (side // 3 for side in piece.shape)
    parts = piece[: 3 * rows, : 3 * columns].reshape(3, rows, 3, columns).mean(axis=(1, 3))
    return float(parts.std() / max(parts.mean(), 1.0))


def row_of(name: str, picture: NDArray, fan: Fan, pixel_mm: float | None) -> Row:
    """Return what a picture (H, W) of grey values 0 to 255 tells.

    Raises
    ------
    ShapeError
        If the picture has no tissue or no blood to be measured.
    """
    polar, apart = along_beams(picture, fan, lines=_LINES)
    tissue, blood = windows(polar)
    back, range_db = undisplayed(polar[tissue] / 255)
    depth = (tissue[0].start + tissue[0].stop) / 2
    inside = picture[fan.mask(*picture.shape)]
    return Row(
        name,
        tuple(np.percentile(inside, PERCENTILES).tolist()),
        float(polar[tissue].mean()),
        float(polar[blood].mean()),
        range_db,
        first_order(back).distance,
        correlation_length(back, 0),
        correlation_length(back, 1) * np.radians(apart) * depth,
        depth,
        fan.radius,
        np.nan if pixel_mm is None else pixel_mm,
    )


def median(rows: Sequence[Row]) -> Row:
    """Return the medians of the rows' figures, under the first one's name.

    Raises
    ------
    ShapeError
        If there is no row.
    """
    if not rows:
        raise ShapeError("a median needs pictures that could be measured, found none; give others")
    middle = {name: float(np.median([getattr(row, name) for row in rows])) for name in Row.__dataclass_fields__ if name not in _NOT_NUMBERS}
    return Row(rows[0].name, tuple(np.median([row.percentiles for row in rows], axis=0).tolist()), **middle)


_NOT_NUMBERS = ("name", "percentiles")


def real_rows(folder: Path) -> Iterator[Row]:
    """Yield a row for every clip of a folder that can be read, the median over its frames; says why others cannot."""
    from echo3d.io.studies import load_study

    for path in sorted(p for p in folder.rglob("*") if p.suffix in SUFFIXES):
        try:
            clips = load_study([path]).clips
        except InputError as exc:
            print(f"{path.name}: left out. {exc}")
            continue
        for clip in clips:
            frames = [np.asarray(clip.frames[i], np.float32) for i in np.linspace(0, len(clip.frames) - 1, _FRAMES).astype(int)]
            grey = [frame if frame.ndim == 2 else frame.mean(axis=2) for frame in frames]
            rows = list(_measured(path.stem[:24], grey, clip.fan, None if clip.pixel_mm is None else clip.pixel_mm[0]))
            if rows:
                yield median(rows)
            else:
                print(f"{path.name}: left out. No frame has tissue that fills a window.")


def _measured(name: str, pictures: Sequence[NDArray], fan: Fan, pixel_mm: float | None) -> Iterator[Row]:
    """Yield the rows of those pictures that can be measured."""
    for picture in pictures:
        try:
            yield row_of(name, picture, fan, pixel_mm)
        except ShapeError:
            continue


def simulated_rows(hearts: int, seed: int) -> Iterator[Row]:
    """Yield the simulator's row for each kind of imaging and each look: the median over hearts and the six views."""
    rows: dict[str, list[Row]] = {}
    for number in range(hearts):
        for name, picture, fan, pixel_mm in _drawn(np.random.default_rng([seed, number])):
            for row in _measured(name, [picture], fan, pixel_mm):
                for key in name.split():
                    rows.setdefault(key, []).append(row)
    for key, found in sorted(rows.items()):
        middle = median(found)
        yield Row(f"simulated, {key} ({len(found)})", *(getattr(middle, name) for name in Row.__dataclass_fields__ if name != "name"))


def _drawn(rng: np.random.Generator) -> Iterator[tuple[str, NDArray[np.float32], Fan, float]]:
    """Yield six views of a drawn heart at end-diastole: presets, picture, fan, and pixel size."""
    from echo3d.anatomy.cohort import sound_heart
    from echo3d.anatomy.template import load_template
    from echo3d.simulate import _labels
    from echo3d.slicing.labelvolume import cut_polar
    from echo3d.slicing.standard import draw_sector, jittered, standard_sectors
    from echo3d.style.polar import polar_of
    from echo3d.style.scene import Scene, long_axis_of
    from echo3d.style.speckle import draw_speckle, speckle_image

    heart, template = sound_heart(rng), load_template()
    labels = _labels(heart.ed)
    for view, standard in standard_sectors(template, heart.ed[: len(template.points)], level=0.5).items():
        sector, look = jittered(standard, draw_sector(rng)), draw_speckle(rng)
        fan, grid = polar_of(sector, 384, 128), grid_for(sector, 320)
        scene = Scene(long_axis=long_axis_of(View(view)))
        picture = 255 * speckle_image(cut_polar(labels, sector, fan.plane_mm()), fan, grid, look, scene=scene)
        on_screen = Fan(0.0, grid.width / 2, sector.half_angle, sector.depth / grid.pixel_mm)
        yield f"all {look.imaging} {look.processing}", np.rint(picture), on_screen, grid.pixel_mm


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table; lengths in px, in mm where the picture is calibrated, and in thousandths of the fan's radius."""
    head = ["picture", *(f"{p} %" for p in PERCENTILES), "tissue", "blood", "range, dB", "KS", "axial", "lateral", "depth"]
    lines = [head, ["---"] * len(head)]
    for row in rows:
        lengths = [f"{px:.1f} px" + _mm(px, row) + f", {1000 * px / row.radius_px:.0f} ‰" for px in (row.axial_px, row.lateral_px)]
        levels = [f"{value:.0f}" for value in (*row.percentiles, row.tissue, row.blood, row.range_db)]
        lines.append([row.name, *levels, f"{row.distance:.3f}", *lengths, f"{row.depth_px / row.radius_px:.2f}"])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _mm(px: float, row: Row) -> str:
    """Return a length in mm, nothing where the picture is not calibrated."""
    return "" if np.isnan(row.pixel_mm) else f", {px * row.pixel_mm:.1f} mm"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Print speckle statistics of real clips beside the simulator's.")
    parser.add_argument("--clips", type=Path, default=CLIPS, help="folder of real clips")
    parser.add_argument("--hearts", type=int, default=12, help="drawn hearts, six views each")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    print(table([*real_rows(asked.clips), *simulated_rows(asked.hearts, asked.seed)]))


if __name__ == "__main__":
    main()

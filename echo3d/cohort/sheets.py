"""Pictures of hearts for a cohort's page: modes, hearts of every group at both phases, and their six views."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from echo3d.anatomy.cohort import Heart, build_heart, record_from_json
from echo3d.anatomy.groups import GROUPS
from echo3d.anatomy.material import GRID_SIDE, near_material
from echo3d.anatomy.record import HeartRecord
from echo3d.anatomy.shape import aligned, load_modes, shaped
from echo3d.anatomy.template import field_grid, load_label_volume, load_template
from echo3d.clinical.overlay import palette
from echo3d.clinical.render import chamber_camera, front_camera, render_heart
from echo3d.cohort.figures import Picture, sheet
from echo3d.core.sector import SectorSlice
from echo3d.slicing.labelvolume import cut, warp
from echo3d.slicing.standard import standard_sectors

HEART_PIXELS, VIEW_PIXELS = 150, 150


def mode_sheet(size: int = HEART_PIXELS, most: int = 6) -> Picture:
    """Return the first modes of shape at minus and plus two standard deviations, seen from the front and cut open."""
    count = len(load_modes()[1])
    rows = []
    for k in range(min(most, count)):
        cells = []
        for way in (-2.0, 2.0):
            record = HeartRecord(modes=tuple(way if i == k else 0.0 for i in range(count)))
            points = aligned(near_material(), shaped(record))[: near_material().count]
            cells += [(f"{way:+.0f} SD", _front(points, size)), (f"{way:+.0f} SD, open", _open(points, size))]
        rows.append((f"Mode {k + 1}", cells))
    return sheet(rows, margin=64)


def heart_sheet(hearts: Sequence[Heart], size: int = HEART_PIXELS) -> Picture:
    """Return hearts at both phases, whole and cut open, one per row."""
    count = near_material().count
    rows = []
    for heart in hearts:
        cells = [(f"{name}{how}", draw(x[:count], size)) for how, draw in (("", _front), (", open", _open)) for name, x in _phases(heart)]
        rows.append((_name(heart), cells))
    return sheet(rows)


def view_sheet(hearts: Sequence[Heart], phase: str = "ED", size: int = VIEW_PIXELS) -> Picture:
    """Return the six standard views of hearts at one phase as coloured labels, one heart per row."""
    template = load_template()
    rows = []
    for heart in hearts:
        x = dict(_phases(heart))[phase]
        rest, nodes = template.mesh.points, x[len(template.points) :]
        labels = warp(load_label_volume(), field_grid(GRID_SIDE), nodes, rest=rest, moved=x[: len(rest)])
        fans = standard_sectors(template, heart.ed[: len(template.points)], level=1.0)
        cells = [(view.title, _coloured(cut(labels, replace(fan, half_angle=42.0), view=view, grid=size))) for view, fan in fans.items()]
        rows.append((_name(heart), cells))
    return sheet(rows)


def one_of_each(lines: Sequence[dict[str, Any]]) -> list[Heart]:
    """Return the first heart of each group among a cohort's lines, rebuilt from its record."""
    found: dict[str, Heart] = {}
    for line in lines:
        group = line["record"]["group"]
        if group not in found:
            found[group] = build_heart(record_from_json(line["record"]))
    return [found[group] for group in GROUPS if group in found]


def _phases(heart: Heart) -> list[tuple[str, NDArray[np.float64]]]:
    return [("ED", heart.ed), ("ES", heart.es)]


def _name(heart: Heart) -> str:
    beat = heart.record.beat
    return "\n".join([*GROUPS[heart.record.group].title.split(", "), f"EF {100 * beat.ef:.0f} %", beat.family])


def _front(points: NDArray, size: int) -> Picture:
    return render_heart(load_template(), points, front_camera(points, size))


def _open(points: NDArray, size: int) -> Picture:
    return render_heart(load_template(), points, chamber_camera(load_template(), points, size), cut=True)


def _coloured(seen: SectorSlice) -> Picture:
    """Return a slice in the structures' colours on black, the fan's outside grey."""
    tint, _ = palette()
    picture = tint[seen.labels]
    picture[~seen.inside] = 238.0
    return np.asarray(picture.astype(np.uint8))

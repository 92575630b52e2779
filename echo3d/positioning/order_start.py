"""Where an order for a data set begins: at the heart, the pose and the probes that the workspace shows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from echo3d.anatomy.groups import MIXTURE
from echo3d.core.pose import Pose
from echo3d.core.views import View
from echo3d.dataset.spec import POSE_LIMITS, PROBE_LIMITS, Range
from echo3d.positioning.bodies import WorkBody
from echo3d.positioning.orders import Ends, Order
from echo3d.positioning.poses import angles_of, pose_of, values_of
from echo3d.positioning.probes import Adjustment
from echo3d.positioning.state import Picture, Placement, Workspace
from echo3d.slicing.standard import TABLE_1

_STAGES = {
    Picture.LABELS: "labels",
    Picture.BINARY: "binary",
    Picture.PSEUDO: "pseudo",
    Picture.ECHO: "echo",
    Picture.CYCLEGAN: "cyclegan",
}
_POSE_SPREAD = {"x": 5.0, "y": 5.0, "z": 5.0, "rx": 5.0, "ry": 5.0, "rz": 5.0, "scale": 0.05}
_PROBE_USUAL: dict[str, Range] = {
    "tilt": (-12, 12),
    "rotate": (-18, 18),
    "angulate": (-15, 15),
    "slide_lateral": (-10, 10),
    "slide_elevation": (-10, 10),
    "standoff": (-14, 10),
    "depth": (120, 200),
    "half_angle": (30, 45),
    "level": (0, 1),
}
"""About what ``slicing.standard.draw_sector`` draws; shown where nothing else is asked for."""
_SPREAD = {"tilt": 3.0, "rotate": 3.0, "angulate": 3.0, "slide_lateral": 3.0, "slide_elevation": 3.0, "standoff": 3.0, "depth": 10.0}


def departure(placement: Placement) -> Pose:
    """Return the pose as seen from the one that the probes are aimed at: what the pose of a data set means.

    >>> values_of(departure(Placement(pose=Pose(np.array([3.0, 0, 0]), np.zeros(3)))))[:3]
    (3.0, 0.0, 0.0)
    """
    pose, aim = placement.pose, placement.aim
    shift = aim.matrix.T @ (pose.translation - aim.translation) / aim.scale
    angles = angles_of(aim.matrix.T @ pose.matrix)
    return pose_of((*(shift.round(6) + 0.0), *(angles.round(6) + 0.0), round(pose.scale / aim.scale, 6)))


def pose_ranges(placement: Placement) -> dict[str, Ends]:
    """Return the ranges of the pose: those numbers that depart are asked for, a little to both sides of where they are."""
    rest = dict(zip(POSE_LIMITS, (0.0,) * 6 + (1.0,), strict=True))
    now = dict(zip(POSE_LIMITS, values_of(departure(placement)), strict=True))
    ends = {name: (now[name] - spread, now[name] + spread) for name, spread in _POSE_SPREAD.items()}
    return {
        name: _ends(_readable(*ends[name], 100 if name == "scale" else 10), limits, on=abs(now[name] - rest[name]) > 1e-3)
        for name, limits in POSE_LIMITS.items()
    }


def probe_ranges(placement: Placement) -> dict[str, Ends]:
    """Return the ranges of the probes: those numbers that a hand has changed in any view, from the least to the most of all six."""
    held = [_hand(placement.probe(view)) for view in View]
    usual, found = _hand(Adjustment()), {}
    for name in PROBE_LIMITS:
        values = [hand[name] for hand in held] if name != "level" else [placement.level]
        changed = any(value != usual.get(name, 0.0) for value in values)
        seen = [value for value in values if not (name == "depth" and value == 0)]
        spread = _SPREAD.get(name, 0.0)
        ends = _readable(min(seen) - spread, max(seen) + spread) if changed else _PROBE_USUAL[name]
        found[name] = _ends(ends, PROBE_LIMITS[name], on=changed)
    return found


def _hand(adjustment: Adjustment) -> Mapping[str, float]:
    """Return an adjustment in the words of a data set."""
    names = ("tilt", "rotate", "angulate", "slide_lateral", "slide_elevation", "depth", "half_angle")
    return {name: float(getattr(adjustment, name)) for name in names} | {"standoff": -adjustment.press + 0.0}


def _readable(low: float, high: float, steps: int = 10) -> Range:
    """Return a range that holds another and ends at whole tenths, or other parts of one, which a field has room for.

    >>> _readable(-12.3505, 5.76833), _readable(0.95, 1.0512, 100)
    ((-12.4, 5.8), (0.95, 1.06))
    """
    return float(np.floor(round(steps * low, 6)) / steps), float(np.ceil(round(steps * high, 6)) / steps)


def _ends(ends: Range, limits: Range, *, on: bool) -> Ends:
    low, high = (float(np.clip(end, *limits)) for end in ends)
    return Ends(on, f"{low:.6g}", f"{high:.6g}")


def body_word(body: WorkBody | None) -> str:
    """Return the word of ``bodies.open_body`` for a body of the workspace, empty for none."""
    if body is None:
        return ""
    if body.path is not None:
        return str(body.path)
    height, weight = (float(str(body.origin[name])) for name in ("height_cm", "weight_kg"))
    return f"{body.origin['sex']}:{height:g}:{weight:g}"


def left_out(placement: Placement) -> str:
    """Return a sentence on what of the workspace a data set cannot take over, or nothing.

    >>> left_out(Placement())
    ''
    """
    flipped = any(placement.probe(view).flipped for view in View)
    parts = [
        *(["the changed table of views"] if placement.table != TABLE_1 else []),
        *(["mirrored index markers"] if flipped else []),
    ]
    return f"Not taken over from the workspace: {' and '.join(parts)}; data sets stand on Table 1, unmirrored." if parts else ""


def order_of(workspace: Workspace, *, path: str = "", out: str = "") -> Order:
    """Return the order that the dialog opens with.

    Parameters
    ----------
    workspace : as it is now
    path : of the file or cohort folder of its heart, where that comes from one
    out : folder to propose
    """
    scene, order = workspace.scene, Order(out=out)
    origin = {} if scene.heart is None else scene.heart.origin
    shares = dict(order.shares)
    if origin.get("kind") == "drawn" and origin.get("group") in MIXTURE:
        shares = {key: "100" if key == origin["group"] else "0" for key in MIXTURE}
    still = bool(path) and scene.heart is not None and scene.heart.beat is None
    return Order(
        given=bool(path),
        hearts=(path,) if path else (),
        shares=shares,
        stage=_STAGES[workspace.picture],
        phases=("ed",) if still else order.phases,
        body=body_word(scene.body),
        pose=pose_ranges(scene.placement),
        probe=probe_ranges(scene.placement),
        out=out,
    )

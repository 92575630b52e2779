"""Two hearts in one body: by how much their poses differ, and how far their points lie apart where they correspond."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from echo3d.core.pose import Pose, place
from echo3d.positioning.hearts import WorkHeart
from echo3d.positioning.poses import differences
from echo3d.positioning.state import Scene, Workspace, posed

_MOST_POINTS = 20_000
"""Of larger hearts only every so many points are measured."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a heart stands against another.

    Parameters
    ----------
    ways : Δx, Δy, Δz (mm), θx, θy, θz (degrees) above those of the other, and the scale as a ratio
    centres_mm : distance of the two centres
    turn : degrees about one axis that bring the other's turn to this one's
    mean_mm, most_mm : distance of points that correspond, None where no correspondence is known
    """

    ways: tuple[float, ...]
    centres_mm: float
    turn: float
    mean_mm: float | None = None
    most_mm: float | None = None


def comparison_of(workspace: Workspace) -> Comparison | None:
    """Return how the scene's heart stands against the one that it is compared with, None where there is none; both at end-diastole."""
    heart, reference = workspace.scene.heart, workspace.reference
    if heart is None or reference is None:
        return None
    pose, ghost = workspace.scene.placement.pose, workspace.ghost or heart
    apart = pose.translation + heart.pivot - reference.translation - ghost.pivot
    cosine = (np.trace(pose.matrix.T @ reference.matrix) - 1) / 2
    turn = float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
    distances = _distances(heart, pose, ghost, reference) if correspond(heart, ghost) else ()
    return Comparison(differences(pose, reference), float(np.linalg.norm(apart)), turn, *distances)


def correspond(one: WorkHeart, other: WorkHeart) -> bool:
    """Return whether two hearts have the same points one for one: ours do, and those of files with the same triangles."""
    if one is other or (one.ours and other.ours):
        return True
    alike = len(one.mesh.points) == len(other.mesh.points) and one.mesh.faces.shape == other.mesh.faces.shape
    return alike and bool(np.array_equal(one.mesh.faces, other.mesh.faces))


def _distances(heart: WorkHeart, pose: Pose, other: WorkHeart, reference: Pose) -> tuple[float, float]:
    """Return mean and largest distance of points that correspond, mm."""
    step = max(len(heart.mesh.points) // _MOST_POINTS, 1)
    here = place(heart.mesh.points[::step], pose, heart.pivot)
    there = place(other.mesh.points[::step], reference, other.pivot)
    away = np.linalg.norm(here - there, axis=1)
    return float(away.mean()), float(away.max())


def kept(workspace: Workspace) -> Workspace:
    """Return the workspace that keeps heart and pose, as they are now, to be compared with."""
    return replace(workspace, reference=workspace.scene.placement.pose, ghost=workspace.scene.heart)


def let_go(workspace: Workspace) -> Workspace:
    """Return the workspace that compares with nothing."""
    return replace(workspace, reference=None, ghost=None)


def swapped(scene: Scene, workspace: Workspace) -> Scene:
    """Return the scene with the heart and pose that a workspace compares with; unchanged where there is none."""
    if workspace.reference is None:
        return scene
    return posed(replace(scene, heart=workspace.ghost or scene.heart), workspace.reference)


def comparison_lines(comparison: Comparison) -> tuple[str, ...]:
    """Return what there is to say beside the seven numbers.

    >>> comparison_lines(Comparison((0.0,) * 6 + (1.0,), 5.04, 0.0, 5.0, 5.6))
    ('Centres 5.0 mm apart, turned by 0.0°.', 'Points 5.0 mm apart on average, 5.6 mm at most.')
    >>> comparison_lines(Comparison((0.0,) * 6 + (1.0,), 5.04, 0.0))[1]
    'No point of one is known to be a point of the other.'
    """
    first = f"Centres {comparison.centres_mm:.1f} mm apart, turned by {comparison.turn:.1f}°."
    if comparison.mean_mm is None or comparison.most_mm is None:
        return first, "No point of one is known to be a point of the other."
    return first, f"Points {comparison.mean_mm:.1f} mm apart on average, {comparison.most_mm:.1f} mm at most."

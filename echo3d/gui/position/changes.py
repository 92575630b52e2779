"""What a change of the workspace asks for: new pictures, or a scene that is one of many."""

from __future__ import annotations

from echo3d.positioning.state import Workspace


def pictures_differ(old: Workspace, new: Workspace) -> bool:
    """Return whether the live pictures must be made again."""
    same = old.scene is new.scene and old.picture is new.picture and old.moment == new.moment and old.playing is new.playing
    look = (old.enlarged, old.selected, old.clip, old.clip_mm) == (new.enlarged, new.selected, new.clip, new.clip_mm)
    return not (same and look)


def moves(old: Workspace, new: Workspace) -> bool:
    """Return whether a change is one of many that follow each other: of pose, probe, moment, cut or opacity."""
    same = old.scene.heart is new.scene.heart and old.scene.body is new.scene.body
    fields = ("scene", "moment", "clip_mm", "skin", "opacities")
    return same and any(getattr(old, field) != getattr(new, field) for field in fields)

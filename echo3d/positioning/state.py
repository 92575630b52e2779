"""Frozen state of the positioning workspace and pure functions that change it; no Qt.

What undo brings back is the :class:`Scene`: heart, body and placement. How it is looked at is not undone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import Enum

from echo3d.core.body import BodyPart
from echo3d.core.pose import Pose, identity_pose
from echo3d.core.structures import BLOOD, Structure
from echo3d.core.views import View
from echo3d.errors import InputError
from echo3d.positioning import poses
from echo3d.positioning.bodies import WorkBody, default_pose
from echo3d.positioning.hearts import WorkHeart
from echo3d.positioning.probes import STANDARD, Adjustment, adjusted_by, adjustment_from_json, adjustment_json
from echo3d.slicing.standard import TABLE_1, ViewTable


class Picture(Enum):
    """What the six pictures show."""

    LABELS = "Labels"
    BINARY = "Binary"
    PSEUDO = "Pseudo"
    ECHO = "Echo"
    CYCLEGAN = "CycleGAN"


class Clip(Enum):
    """Where the scene is cut open."""

    NONE = "Whole"
    VIEW = "View"
    SAGITTAL = "Sagittal"
    CORONAL = "Coronal"
    AXIAL = "Axial"


@dataclass(frozen=True, slots=True, eq=False)
class Placement:
    """Where the heart stands and how the probes are held.

    Parameters
    ----------
    pose : of the heart
    anchor : the pose that the probes are aimed at; they stay on the skin while the heart moves
    follows : whether the probes go along with the heart instead
    probes : per view how a hand moved its probe; views without an entry stand as the table says
    level : 0 for the table's short-axis planes, 1 for the heights at which sonographers cut
    table : where the six views stand on the mean heart
    """

    pose: Pose = field(default_factory=identity_pose)
    anchor: Pose = field(default_factory=identity_pose)
    follows: bool = False
    probes: Mapping[View, Adjustment] = field(default_factory=dict)
    level: float = 0.0
    table: ViewTable = TABLE_1

    def probe(self, view: View) -> Adjustment:
        """Return how a probe is held."""
        return self.probes.get(view, STANDARD)

    @property
    def aim(self) -> Pose:
        """The pose that the probes are aimed at now."""
        return self.pose if self.follows else self.anchor


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What undo brings back: heart, body and placement."""

    heart: WorkHeart | None = None
    body: WorkBody | None = None
    placement: Placement = field(default_factory=Placement)


def heart_of(scene: Scene) -> WorkHeart:
    """Return the scene's heart.

    Raises
    ------
    InputError
        If there is none.
    """
    if scene.heart is None:
        raise InputError("a scene needs a heart for this, found none; open or draw one")
    return scene.heart


PARTS_AT_FIRST = frozenset({BodyPart.SKIN, BodyPart.RIBS, BodyPart.CARTILAGES, BodyPart.STERNUM})


@dataclass(frozen=True, slots=True, eq=False)
class Workspace:
    """Everything that the workspace shows.

    Parameters
    ----------
    scene : heart, body and placement
    picture : what the six pictures show
    selected : the view whose probe is adjusted
    enlarged : whether the selected picture is shown large
    hidden : structures not drawn in 3D
    opacities : of structures in 3D where not 1
    parts : body parts drawn
    skin : opacity of the skin
    fans, marks : whether fans and landmarks are drawn in 3D
    clip, clip_mm : where the scene is cut open, and how far beyond the heart's centre
    moment : of the beat, from 0 at end-diastole
    playing : whether the beat runs
    reference : a pose to compare with, or None
    searched : per view how the last search for windows left its probe
    ghost : the heart that stands in that pose, None for the scene's own
    doing : what is being made, or empty
    error : one sentence, or empty
    """

    scene: Scene = field(default_factory=Scene)
    picture: Picture = Picture.LABELS
    selected: View = View.A4C
    enlarged: bool = False
    hidden: frozenset[Structure] = frozenset(BLOOD)
    opacities: Mapping[Structure, float] = field(default_factory=dict)
    parts: frozenset[BodyPart] = PARTS_AT_FIRST
    skin: float = 0.22
    fans: bool = True
    marks: bool = False
    clip: Clip = Clip.NONE
    clip_mm: float = 0.0
    moment: int = 0
    playing: bool = False
    reference: Pose | None = None
    searched: Mapping[View, Adjustment] = field(default_factory=dict)
    ghost: WorkHeart | None = None
    doing: str = ""
    error: str = ""


# -- changes of the scene ------------------------------------------------------------------------------------------------------------


def with_heart(scene: Scene, heart: WorkHeart) -> Scene:
    """Return the scene with another heart, standing where it stands by default."""
    return at_default(replace(scene, heart=heart))


def with_body(scene: Scene, body: WorkBody | None) -> Scene:
    """Return the scene with another body or none, the heart standing where it stands there by default."""
    return at_default(replace(scene, body=body))


def with_both(scene: Scene, heart: WorkHeart | None, body: WorkBody | None) -> Scene:
    """Return the scene with another heart in another body, standing where it stands there by default."""
    return at_default(replace(scene, heart=heart, body=body))


def at_default(scene: Scene) -> Scene:
    """Return the scene with heart and probes at their anatomical default; adjustments of probes stay."""
    pose = default_pose(scene.heart, scene.body)
    return replace(scene, placement=replace(scene.placement, pose=pose, anchor=pose))


def posed(scene: Scene, pose: Pose) -> Scene:
    """Return the scene with the heart in another pose; probes stay where they are unless they follow."""
    return replace(scene, placement=replace(scene.placement, pose=pose))


def nudged(scene: Scene, number: int, steps: float) -> Scene:
    """Return the scene with one of the seven numbers changed by so many of its steps."""
    pose = scene.placement.pose
    return posed(scene, poses.with_value(pose, number, poses.values_of(pose)[number] + steps * poses.FIELDS[number].step))


def reset_value(scene: Scene, number: int) -> Scene:
    """Return the scene with one of the seven numbers as it is by default."""
    rest = poses.values_of(default_pose(scene.heart, scene.body))
    return posed(scene, poses.with_value(scene.placement.pose, number, rest[number]))


def mirrored(scene: Scene) -> Scene:
    """Return the scene with the heart's pose mirrored to the other side of the body's middle plane."""
    if scene.heart is None:
        return scene
    midline = 0.0 if scene.body is None else scene.body.marks.midline
    return posed(scene, poses.mirrored(scene.placement.pose, scene.heart.pivot, midline))


def aimed(scene: Scene) -> Scene:
    """Return the scene with the probes aimed at the heart as it stands now."""
    return replace(scene, placement=replace(scene.placement, anchor=scene.placement.pose))


def following(scene: Scene, follows: bool) -> Scene:
    """Return the scene with the probes going along with the heart, or staying where they are."""
    return replace(scene, placement=replace(scene.placement, follows=follows, anchor=scene.placement.aim))


def with_probe(scene: Scene, view: View, key: str, value: float | bool) -> Scene:
    """Return the scene with one number of one probe changed."""
    probes = {**scene.placement.probes, view: adjusted_by(scene.placement.probe(view), key, value)}
    return replace(scene, placement=replace(scene.placement, probes=probes))


def reset_probe(scene: Scene, *views: View) -> Scene:
    """Return the scene with some probes as the table says; all where none are named."""
    gone = set(views) or set(View)
    probes = {view: adjustment for view, adjustment in scene.placement.probes.items() if view not in gone}
    return replace(scene, placement=replace(scene.placement, probes=probes))


def with_level(scene: Scene, level: float) -> Scene:
    """Return the scene with the short-axis planes at Table 1's heights (0), the clinical ones (1) or between."""
    return replace(scene, placement=replace(scene.placement, level=min(max(level, 0.0), 1.0)))


def with_table(scene: Scene, table: ViewTable) -> Scene:
    """Return the scene with the six views standing on other numbers."""
    return replace(scene, placement=replace(scene.placement, table=table))


def hold_of(workspace: Workspace, view: View) -> str:
    """Return how a probe came to be held as it is: by the "table", by a "search" for windows, or "moved" otherwise.

    >>> hold_of(Workspace(), View.A4C)
    'table'
    """
    held = workspace.scene.placement.probe(view)
    if held == STANDARD:
        return "table"
    return "search" if workspace.searched.get(view) == held else "moved"


# -- as JSON -------------------------------------------------------------------------------------------------------------------------


def placement_json(placement: Placement) -> dict[str, object]:
    """Return a placement as plain JSON values; a reader of poses alone finds a pose in it."""
    return poses.pose_json(placement.pose) | {
        "anchor": poses.pose_json(placement.anchor),
        "follows": placement.follows,
        "level": placement.level,
        "table": {name: list(value) for name, value in asdict(placement.table).items()},
        "probes": {view.key: adjustment_json(adjustment) for view, adjustment in placement.probes.items()},
    }


def pasted(scene: Scene, content: Mapping[str, object]) -> Scene:
    """Return the scene with the pose, and whatever else of a placement there is, of plain JSON values.

    Raises
    ------
    InputError
        If they are none.
    """
    placement = replace(scene.placement, pose=poses.pose_from_json(dict(content)))
    if "anchor" in content:
        placement = replace(placement, anchor=poses.pose_from_json(content["anchor"]))
    if "probes" in content:
        placement = replace(placement, probes=_probes(content["probes"]))
    if "table" in content:
        placement = replace(placement, table=_table(content["table"]))
    for name, kind in (("follows", bool), ("level", float)):
        value = content.get(name)
        if isinstance(value, (bool, int, float)):
            placement = replace(placement, **{name: kind(value)})  # type: ignore[arg-type]
    return replace(scene, placement=placement)


def _table(content: object) -> ViewTable:
    rule = "the table of a placement holds probe, end and shares of three numbers each"
    if not isinstance(content, dict) or set(content) != {"probe", "end", "shares"}:
        raise InputError(f"{rule}, found others; correct it")
    try:
        rows = [tuple(float(value) for value in content[name]) for name in ("probe", "end", "shares")]
    except (TypeError, ValueError) as exc:
        raise InputError(f"{rule}, found no numbers ({type(exc).__name__}); correct it") from exc
    if any(len(row) != 3 or not all(abs(value) <= 300 for value in row) for row in rows):
        raise InputError(f"{rule}, each at most 300 mm from the centre, found others; correct it")
    return ViewTable(*rows)  # type: ignore[arg-type]


def _probes(content: object) -> dict[View, Adjustment]:
    keys = {view.key: view for view in View}
    if not isinstance(content, dict) or not set(content) <= set(keys):
        raise InputError(f"the probes of a placement are named {', '.join(keys)}, found others; correct them")
    return {keys[key]: adjustment_from_json(value) for key, value in content.items()}


# -- changes of the look -------------------------------------------------------------------------------------------------------------


def shown(workspace: Workspace, structures: frozenset[Structure], show: bool) -> Workspace:
    """Return the workspace with some structures shown or hidden."""
    hidden = workspace.hidden - structures if show else workspace.hidden | structures
    return replace(workspace, hidden=hidden)


def with_opacity(workspace: Workspace, structures: frozenset[Structure], opacity: float) -> Workspace:
    """Return the workspace with some structures drawn at an opacity."""
    others = {structure: value for structure, value in workspace.opacities.items() if structure not in structures}
    return replace(workspace, opacities=others if opacity >= 1 else others | dict.fromkeys(structures, opacity))


def with_part(workspace: Workspace, parts: frozenset[BodyPart], show: bool) -> Workspace:
    """Return the workspace with some parts of the body drawn or not."""
    return replace(workspace, parts=workspace.parts | parts if show else workspace.parts - parts)

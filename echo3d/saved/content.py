"""What a session file says, section by section; each section is checked by itself, so that a damaged one does not take the others along."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, TypeAdapter, ValidationError, model_validator

from echo3d.core.body import BodyPart
from echo3d.core.pose import Pose
from echo3d.core.structures import BLOOD, Structure
from echo3d.core.views import View
from echo3d.errors import InputError
from echo3d.positioning.poses import pose_from_json, pose_json
from echo3d.positioning.state import PARTS_AT_FIRST, Clip, Picture, Placement, Scene, pasted, placement_json
from echo3d.saved.files import FileRef
from echo3d.session import SPEEDS, Drawing

_Kind = TypeVar("_Kind", bound=Enum)


def _by_name(kind: type[_Kind]) -> tuple[BeforeValidator, PlainSerializer]:
    """Return how a member of an enumeration is read from its name and written as it."""

    def member(value: object) -> _Kind:
        if isinstance(value, kind):
            return value
        try:
            return kind[str(value).upper()]
        except KeyError as exc:
            raise ValueError(f"one of {', '.join(one.name.lower() for one in kind)}") from exc

    return BeforeValidator(member), PlainSerializer(lambda value: value.name.lower(), return_type=str)


ViewName = Annotated[View, *_by_name(View)]
StructureName = Annotated[Structure, *_by_name(Structure)]
PartName = Annotated[BodyPart, *_by_name(BodyPart)]
Share = Annotated[float, Field(ge=0, le=1)]
Frame = Annotated[int, Field(ge=0, le=1_000_000)]
Triple = tuple[float, float, float]


class Part(BaseModel):
    """Base of all sections: frozen, exact about types, without other fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


# -- the patient's workspace -------------------------------------------------------------------------------------------------------------


class Outcome(Part):
    """Which numbers a study gave when the session was saved, so that other ones are noticed."""

    model: str = Field(max_length=100, description="Name of the weights.")
    edv_ml: float = Field(description="End-diastolic volume of the left ventricle.")
    esv_ml: float = Field(description="End-systolic volume of the left ventricle.")
    ef: float = Field(description="Ejection fraction as a fraction.")


class SavedStudy(Part):
    """The study of a session: where it lies and what the user corrected; never whose it is."""

    demo: bool = Field(False, description="Whether it is the embedded patient.")
    paths: Annotated[tuple[FileRef, ...], Field(strict=False)] = Field((), description="Its files and folders.")
    views: dict[ViewName, FileRef] = Field(default_factory=dict, description="Files that the user gave a view.")
    ed: dict[ViewName, Frame] = Field(default_factory=dict, description="End-diastolic frames chosen by the user.")
    es: dict[ViewName, Frame] = Field(default_factory=dict, description="End-systolic frames chosen by the user.")
    outcome: Outcome | None = Field(None, description="The numbers of its heart.")


class StudyLook(Part):
    """How the patient's workspace is looked at."""

    selected: ViewName = Field(View.A4C, description="The view that leads.")
    opacity: Share = Field(0.35, description="Of the overlay's fill.")
    fill: bool = Field(True, description="Whether structures are filled.")
    outlines: bool = Field(True, description="Whether structures are outlined.")
    labels: bool = Field(False, description="Whether chambers are named.")
    drawing: Annotated[Drawing, *_by_name(Drawing)] = Field(Drawing.CUT, description="How the heart is drawn.")
    as_echo: bool = Field(False, description="Whether it is seen as the echo view sees it.")
    listed: bool = Field(False, description="Whether the list of structures is open.")
    hidden: Annotated[frozenset[StructureName], Field(strict=False)] = Field(frozenset(BLOOD), description="Structures not drawn.")
    speed: float = Field(1.0, description="Of the cine.")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """Check what a single field's rule cannot say."""
        if self.speed not in SPEEDS:
            raise ValueError(f"speed is one of {SPEEDS}")
        return self


# -- the positioning workspace -----------------------------------------------------------------------------------------------------------


class TemplateHeart(Part):
    """The embedded heart."""

    kind: Literal["template"] = "template"


class DrawnHeart(Part):
    """A heart drawn from a group, rebuilt from its number."""

    kind: Literal["drawn"] = "drawn"
    group: str = Field(max_length=60, description="Key of the group.")
    seed: int = Field(ge=0, lt=2**53, description="Number of the draw.")


class MemberHeart(Part):
    """A heart of a cohort's folder."""

    kind: Literal["cohort"] = "cohort"
    file: FileRef = Field(description="The list of the cohort's records.")
    number: int = Field(ge=0, lt=10**9, description="Of the heart in the folder.")


class FileHeart(Part):
    """A heart of a file."""

    kind: Literal["file"] = "file"
    file: FileRef = Field(description="Mesh, label volume or record.")


Heart = TemplateHeart | DrawnHeart | MemberHeart | FileHeart


class NoBody(Part):
    """The heart stands alone."""

    kind: Literal["none"] = "none"


class OwnBody(Part):
    """A body of ours."""

    kind: Literal["own"] = "own"
    sex: Literal["m", "f"] = Field(description="m or f.")
    height_cm: float = Field(ge=1, le=300, description="Stature.")
    weight_kg: float = Field(ge=1, le=500, description="Weight.")


class FileBody(Part):
    """The skin of a file, with a chest of our making."""

    kind: Literal["file"] = "file"
    file: FileRef = Field(description="Surface of the skin.")
    sex: Literal["m", "f"] = Field("m", description="Whose chest is fitted in.")


Body = NoBody | OwnBody | FileBody


class SceneLook(Part):
    """How the positioning workspace is looked at; ``reference`` is the pose to compare with."""

    picture: Annotated[Picture, *_by_name(Picture)] = Field(Picture.LABELS, description="What the six pictures show.")
    selected: ViewName = Field(View.A4C, description="The view whose probe is adjusted.")
    enlarged: bool = Field(False, description="Whether its picture is shown large.")
    hidden: Annotated[frozenset[StructureName], Field(strict=False)] = Field(frozenset(BLOOD), description="Structures not drawn.")
    opacities: dict[StructureName, Share] = Field(default_factory=dict, description="Of structures where not 1.")
    parts: Annotated[frozenset[PartName], Field(strict=False)] = Field(PARTS_AT_FIRST, description="Parts of the body that are drawn.")
    skin: Share = Field(0.22, description="Opacity of the skin.")
    fans: bool = Field(True, description="Whether fans are drawn.")
    marks: bool = Field(False, description="Whether landmarks are drawn.")
    clip: Annotated[Clip, *_by_name(Clip)] = Field(Clip.NONE, description="Where the scene is cut open.")
    clip_mm: float = Field(0.0, ge=-1000, le=1000, description="How far beyond the heart's centre.")
    moment: int = Field(0, ge=0, le=10_000, description="Of the beat.")
    reference: dict[str, Any] | None = Field(None, description="The pose to compare with.")

    def reference_pose(self) -> Pose | None:
        """Return the pose to compare with."""
        return None if self.reference is None else pose_from_json(self.reference)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """Check the pose to compare with."""
        try:
            self.reference_pose()
        except InputError as exc:
            raise ValueError("reference is no pose") from exc
        return self


class CameraView(Part):
    """Where a scene is looked at from: the point looked at, mm, unit vectors to the viewer and up, and the size of what is seen.

    ``size`` is half the height of what is seen where lines stay parallel, mm, and the distance from the point looked at elsewhere.
    """

    focus: Triple = Field(strict=False, description="Point looked at, mm.")
    towards: Triple = Field(strict=False, description="To the viewer.")
    up: Triple = Field(strict=False, description="Upwards on the screen.")
    size: float = Field(gt=0.01, lt=1e5, description="Half height or distance, mm.")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """Check that the directions are ones."""
        across = (
            self.towards[1] * self.up[2] - self.towards[2] * self.up[1],
            self.towards[2] * self.up[0] - self.towards[0] * self.up[2],
            self.towards[0] * self.up[1] - self.towards[1] * self.up[0],
        )
        if math.hypot(*self.focus) > 1e5 or not 0.9 < math.hypot(*self.towards) < 1.1 or math.hypot(*across) < 1e-3:
            raise ValueError("towards and up are directions across each other")
        return self


# -- the whole ---------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Content:
    """All that a session file says.

    Parameters
    ----------
    place : the workspace shown
    study : the patient's study, None without one
    study_look : how it is looked at
    heart, body : of the positioning workspace, None where that was never opened
    placement : pose of the heart and of the probes, None for the default
    scene_look : how that workspace is looked at
    cameras : by workspace
    """

    place: str = "patient"
    study: SavedStudy | None = None
    study_look: StudyLook = field(default_factory=StudyLook)
    heart: Heart | None = None
    body: Body | None = None
    placement: Placement | None = None
    scene_look: SceneLook = field(default_factory=SceneLook)
    cameras: Mapping[str, CameraView] = field(default_factory=dict)

    @property
    def positioned(self) -> bool:
        """Whether it says anything of a heart in a body."""
        return self.heart is not None or self.body is not None or self.placement is not None


def content_json(content: Content) -> dict[str, Any]:
    """Return the content as plain JSON values."""
    placement = None if content.placement is None else placement_json(content.placement)
    return {
        "place": content.place,
        "study": _dumped(content.study),
        "study_look": _dumped(content.study_look),
        "heart": _dumped(content.heart),
        "body": _dumped(content.body),
        "placement": placement,
        "scene_look": _dumped(content.scene_look),
        "cameras": {place: _dumped(camera) for place, camera in content.cameras.items()},
    }


def reference_json(pose: Pose | None) -> dict[str, Any] | None:
    """Return a pose to compare with as plain JSON values."""
    return None if pose is None else pose_json(pose)


def _dumped(part: Part | None) -> dict[str, Any] | None:
    if part is None:
        return None
    values = part.model_dump(mode="json")
    return {name: sorted(value) if name in ("hidden", "parts") else value for name, value in values.items()}


def content_from_json(values: Mapping[str, Any]) -> tuple[Content, tuple[str, ...]]:
    """Return the content of plain JSON values, and a sentence for each section that had to be left out.

    A section that is missing is as it is at first.
    """
    problems: list[str] = []
    plain = Content()

    def take(name: str, title: str, read: Callable[[Any], Any]) -> Any:
        value = values.get(name)
        if value is None:
            return getattr(plain, name)
        try:
            return read(value)
        except (ValidationError, InputError, OverflowError, RecursionError) as exc:
            problems.append(f"{title} of a session must be as echo3d wrote it, found {_found(exc)}; it was left out, set it again")
            return getattr(plain, name)

    content = Content(
        place=take("place", "the workspace", _PLACE.validate_python),
        study=take("study", "the study", SavedStudy.model_validate),
        study_look=take("study_look", "the look of the study", StudyLook.model_validate),
        heart=take("heart", "the heart", _HEART.validate_python),
        body=take("body", "the body", _BODY.validate_python),
        placement=take("placement", "the pose", _placement),
        scene_look=take("scene_look", "the look of the scene", SceneLook.model_validate),
        cameras=take("cameras", "the camera", _CAMERAS.validate_python),
    )
    return content, tuple(problems)


_PLACE: TypeAdapter[str] = TypeAdapter(Literal["patient", "position", "training"])
_HEART: TypeAdapter[Heart] = TypeAdapter(Annotated[Heart, Field(discriminator="kind")])
_BODY: TypeAdapter[Body] = TypeAdapter(Annotated[Body, Field(discriminator="kind")])
_CAMERAS: TypeAdapter[dict[Literal["patient", "position"], CameraView]] = TypeAdapter(dict[Literal["patient", "position"], CameraView])


def _placement(value: Any) -> Placement:
    """Return the placement of plain JSON values; all of it must be one."""
    if not isinstance(value, dict) or not set(value) >= {"translation", "rotation", "scale"}:
        raise InputError("no pose")
    placement = pasted(Scene(), value).placement
    if not 0 <= placement.level <= 1:
        raise InputError("a level of short-axis planes beyond 0 to 1")
    return placement


def _found(exc: Exception) -> str:
    """Return in a few words what was wrong; values of the file are not repeated."""
    if isinstance(exc, ValidationError):
        first = exc.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"] if str(part).isidentifier())
        return f"{where or 'its value'} wrong ({first['type'].replace('_', ' ')})"
    return "one that cannot be" if not isinstance(exc, InputError) else "another"

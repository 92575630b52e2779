"""From what the window shows to what a session file says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from echo3d.core.views import View
from echo3d.errors import InputError
from echo3d.paths import resource
from echo3d.positioning.bodies import WorkBody
from echo3d.positioning.cohorts import index_of
from echo3d.positioning.hearts import WorkHeart
from echo3d.positioning.state import Workspace
from echo3d.saved.content import (
    Body,
    CameraView,
    Content,
    DrawnHeart,
    FileBody,
    FileHeart,
    Heart,
    MemberHeart,
    NoBody,
    Outcome,
    OwnBody,
    SavedStudy,
    SceneLook,
    StudyLook,
    TemplateHeart,
    reference_json,
)
from echo3d.saved.files import FileRef, rebased, refer
from echo3d.session import Session

Refer = Callable[[Path], FileRef]
_Source = TypeVar("_Source", bound=BaseModel)


@dataclass(frozen=True, slots=True, eq=False)
class Lost:
    """What a session named and could not be found; it is saved again as it was, as long as nothing took its place.

    Parameters
    ----------
    base : folder that the files are named from
    paths, views : of the study, while the session's paths are the same object as ``study``
    heart : while ``stand_in`` is the heart shown
    body : while no body is shown
    """

    base: Path = Path()
    study: tuple[Path, ...] | None = None
    paths: tuple[FileRef, ...] = ()
    views: Mapping[View, FileRef] = field(default_factory=dict)
    stand_in: WorkHeart | None = None
    heart: Heart | None = None
    body: Body | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """What the window shows at one moment.

    Parameters
    ----------
    place : the workspace shown
    session, workspace : the states of both
    cameras : by workspace
    lost : what could not be found
    """

    place: str
    session: Session
    workspace: Workspace
    cameras: Mapping[str, CameraView] = field(default_factory=dict)
    lost: Lost = field(default_factory=Lost)


def content_of(snapshot: Snapshot, base: Path, digest: Callable[[Path], str]) -> Content:
    """Return what the file of a session says.

    Parameters
    ----------
    snapshot : what the window shows
    base : folder of the session's file
    digest : returns the hash of a file; may take long
    """

    def named(path: Path) -> FileRef:
        return refer(path, base, digest)

    scene, lost = snapshot.workspace.scene, snapshot.lost
    opened = scene.heart is not None
    return Content(
        place=snapshot.place,
        study=_study(snapshot, base, named),
        study_look=study_look(snapshot.session),
        heart=_heart(scene.heart, lost, base, named),
        body=_body(scene.body, lost, base, named) if opened else None,
        placement=scene.placement if opened else None,
        scene_look=scene_look(snapshot.workspace),
        cameras=snapshot.cameras,
    )


def is_demo(session: Session) -> bool:
    """Return whether the open study is the embedded one."""
    try:
        return session.paths == (resource("demo"),)
    except InputError:
        return False


def study_look(session: Session) -> StudyLook:
    """Return how the patient's workspace is looked at."""
    return StudyLook(**{name: getattr(session, name) for name in StudyLook.model_fields})


def scene_look(workspace: Workspace) -> SceneLook:
    """Return how the positioning workspace is looked at."""
    kept = {name: getattr(workspace, name) for name in SceneLook.model_fields if name not in ("reference", "opacities")}
    return SceneLook(**kept, opacities=dict(workspace.opacities), reference=reference_json(workspace.reference))


def _study(snapshot: Snapshot, base: Path, named: Refer) -> SavedStudy | None:
    session, lost = snapshot.session, snapshot.lost
    gone = lost if lost.study is session.paths else Lost()
    if not session.paths and not session.views and not gone.paths and not gone.views:
        return None
    demo = is_demo(session)
    found = () if demo else tuple(named(path) for path in session.paths)
    views = {view: rebased(ref, gone.base, base) for view, ref in gone.views.items()}
    return SavedStudy(
        demo=demo,
        paths=(*found, *(rebased(ref, gone.base, base) for ref in gone.paths)),
        views=views | {view: named(path) for view, path in session.views.items()},
        ed=session.ed,
        es=session.es,
        outcome=outcome_of(session),
    )


def outcome_of(session: Session) -> Outcome | None:
    """Return the numbers of the open study's heart, None before it is made."""
    if session.result is None:
        return None
    function = session.result.function
    return Outcome(model=session.result.model, edv_ml=float(function.edv_ml), esv_ml=float(function.esv_ml), ef=float(function.ef))


def _heart(heart: WorkHeart | None, lost: Lost, base: Path, named: Refer) -> Heart | None:
    if heart is None:
        return None
    if lost.heart is not None and heart is lost.stand_in:
        return _elsewhere(lost.heart, lost.base, base)
    origin = heart.origin
    if origin["kind"] == "drawn":
        return DrawnHeart(group=str(origin["group"]), seed=int(str(origin["seed"])))
    if heart.path is None:
        return TemplateHeart()
    if origin["kind"] == "cohort":
        return MemberHeart(file=named(index_of(heart.path)), number=int(str(origin["number"])))
    return FileHeart(file=named(heart.path))


def _body(body: WorkBody | None, lost: Lost, base: Path, named: Refer) -> Body:
    if body is None:
        return NoBody() if lost.body is None else _elsewhere(lost.body, lost.base, base)
    if body.path is not None:
        return FileBody.model_validate({"file": named(body.path), "sex": body.origin["sex"]})
    return OwnBody.model_validate({name: body.origin[name] for name in ("sex", "height_cm", "weight_kg")})


def _elsewhere(source: _Source, old: Path, new: Path) -> _Source:
    """Return a source with its file named from another folder."""
    file = getattr(source, "file", None)
    return source if file is None else source.model_copy(update={"file": rebased(file, old, new)})

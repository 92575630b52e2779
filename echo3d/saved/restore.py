"""From what a session file says to what the window shows; what cannot be found is said, and all the rest is restored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from echo3d.core.views import View
from echo3d.errors import InputError
from echo3d.hearts import Source
from echo3d.paths import resource
from echo3d.positioning.bodies import WorkBody, body_of_file, own_body
from echo3d.positioning.cohorts import heart_of_cohort
from echo3d.positioning.hearts import WorkHeart, drawn_heart, embedded_heart, heart_of_file
from echo3d.positioning.state import Scene, Workspace, at_default
from echo3d.saved.content import (
    Body,
    Content,
    DrawnHeart,
    FileBody,
    FileHeart,
    Heart,
    MemberHeart,
    OwnBody,
    SavedStudy,
    SceneLook,
    StudyLook,
)
from echo3d.saved.files import Digests, FileRef, Found, find
from echo3d.session import Session

_Made = TypeVar("_Made")


@dataclass(frozen=True, slots=True, eq=False)
class FoundStudy:
    """Where the study of a session lies now.

    Parameters
    ----------
    paths, views, ed, es : as the window's session has them
    lost_paths, lost_views : what was not found
    problems, notes : one sentence each; notes are no problems
    """

    paths: tuple[Path, ...] = ()
    views: dict[View, Path] = field(default_factory=dict)
    ed: dict[View, int] = field(default_factory=dict)
    es: dict[View, int] = field(default_factory=dict)
    lost_paths: tuple[FileRef, ...] = ()
    lost_views: Mapping[View, FileRef] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class FoundScene:
    """The scene of a session, made anew.

    Parameters
    ----------
    scene : heart, body and placement
    lost_heart, lost_body : what was not found; the template stands in for a heart
    problems, notes : one sentence each
    """

    scene: Scene
    lost_heart: Heart | None = None
    lost_body: Body | None = None
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class _Search:
    """Finds a session's files and collects what is to be said."""

    def __init__(self, base: Path, digests: Digests) -> None:
        self.base, self.digests = base, digests
        self.problems: list[str] = []
        self.notes: list[str] = []
        self.changed = False

    def file(self, ref: FileRef, what: str, consequence: str) -> Found:
        """Return where a file lies; say so where it is another or elsewhere."""
        found = find(ref, self.base, self.digests, what=what)
        if found.changed:
            self.changed = True
            self.problems.append(
                f"{what} of a session must be as it was when the session was saved, found another content in {ref.name}; {consequence}"
            )
        if found.moved:
            self.notes.append(f"{ref.name} was found elsewhere by its content.")
        return found

    def tried(self, make: Callable[[], _Made]) -> _Made | None:
        """Return what is made, None where it cannot be, which is said."""
        try:
            return make()
        except InputError as exc:
            self.problems.append(str(exc))
            return None


# -- the patient's workspace -------------------------------------------------------------------------------------------------------------


def find_study(saved: SavedStudy, base: Path, digests: Digests) -> FoundStudy:
    """Return where the study of a session lies; frames that were chosen are used for the same clips alone.

    Parameters
    ----------
    saved : the study
    base : folder of the session's file
    digests : hashes
    """
    search = _Search(base, digests)
    again = "it was read as it is now, the chosen ED and ES frames were left out; choose them again"

    def place(ref: FileRef, what: str) -> Path | None:
        found = search.tried(lambda: search.file(ref, what, again))
        return None if found is None else found.path

    paths = [(ref, place(ref, "the study")) for ref in saved.paths]
    views = {view: (ref, place(ref, f"the file of {view.title}")) for view, ref in saved.views.items()}
    demo = search.tried(lambda: resource("demo")) if saved.demo else None
    there = tuple(path for _, path in paths if path is not None)
    keeps = not search.changed and all(path is not None for _, path in (*paths, *views.values()))
    return FoundStudy(
        paths=there if demo is None else (demo, *there),
        views={view: path for view, (_, path) in views.items() if path is not None},
        ed=saved.ed if keeps else {},
        es=saved.es if keeps else {},
        lost_paths=tuple(ref for ref, path in paths if path is None),
        lost_views={view: ref for view, (ref, path) in views.items() if path is None},
        problems=tuple(search.problems),
        notes=tuple(search.notes),
    )


def looked_at(session: Session, look: StudyLook) -> Session:
    """Return the patient's session with a saved look."""
    return replace(session, **{name: getattr(look, name) for name in StudyLook.model_fields})


# -- the positioning workspace -----------------------------------------------------------------------------------------------------------


def find_scene(content: Content, base: Path, digests: Digests) -> FoundScene:
    """Return the scene of a session, its heart and body read or built anew; takes seconds.

    Parameters
    ----------
    content : what the session's file says
    base : folder of the file
    digests : hashes
    """
    search = _Search(base, digests)
    heart = search.tried(lambda: _heart(content.heart, search))
    body = search.tried(lambda: _body(content.body, search))
    scene = Scene(heart if heart is not None else embedded_heart(), body)
    scene = at_default(scene) if content.placement is None else replace(scene, placement=content.placement)
    return FoundScene(
        scene,
        lost_heart=content.heart if heart is None else None,
        lost_body=content.body if body is None and isinstance(content.body, (OwnBody, FileBody)) else None,
        problems=tuple(search.problems),
        notes=tuple(search.notes),
    )


def _heart(saved: Heart | None, search: _Search) -> WorkHeart:
    pose = "it was read as it is now; check its pose"
    if isinstance(saved, DrawnHeart):
        return drawn_heart(saved.group, saved.seed)
    if isinstance(saved, MemberHeart):
        index = search.file(saved.file, "the cohort", pose).path
        return heart_of_cohort(index.parent, saved.number)
    if isinstance(saved, FileHeart):
        return heart_of_file(Source(search.file(saved.file, "the heart", pose).path))
    return embedded_heart()


def _body(saved: Body | None, search: _Search) -> WorkBody | None:
    if isinstance(saved, OwnBody):
        return own_body(saved.sex, saved.height_cm, saved.weight_kg)
    if isinstance(saved, FileBody):
        found = search.file(saved.file, "the body", "it was read as it is now; check where the heart stands")
        return body_of_file(found.path, sex=saved.sex)
    return None


def workspace_of(scene: Scene, look: SceneLook) -> Workspace:
    """Return the positioning workspace with a scene and a saved look; at end-diastole, because no other moment is made yet."""
    shown = {name: getattr(look, name) for name in SceneLook.model_fields if name not in ("reference", "moment")}
    return Workspace(scene, **shown, reference=look.reference_pose())

"""What of a session counts as its content: what saving it would change."""

from __future__ import annotations

from echo3d.positioning.state import Workspace
from echo3d.saved.capture import is_demo
from echo3d.saved.content import Outcome, SceneLook, StudyLook
from echo3d.session import Session

_STUDY = tuple(name for name in StudyLook.model_fields if name != "selected")
_SCENE = tuple(name for name in SceneLook.model_fields if name not in ("selected", "enlarged", "moment"))
_EF, _VOLUME_ML = 0.005, 1.0


def substance(session: Session, workspace: Workspace, *, titled: bool) -> tuple[object, ...]:
    """Return what two states of the window are compared by; what undo keeps of the positioning workspace is not among it.

    Views that were given to files and chosen frames are work. Which study is open and how things are looked at belongs to a session that
    has a file; without one it is not worth a question when the window closes. Cameras, time and selection never are.

    Parameters
    ----------
    session, workspace : the states of both workspaces
    titled : whether the session has a file
    """
    work = dict(session.views), dict(session.ed), dict(session.es)
    if not titled:
        return work
    paths = () if is_demo(session) else session.paths
    looks = tuple(getattr(session, name) for name in _STUDY), tuple(getattr(workspace, name) for name in _SCENE)
    return (*work, paths, *looks)


def surprise(before: Outcome, now: Outcome) -> str:
    """Return a sentence where a study's heart has other numbers than when its session was saved, else an empty text.

    >>> one = Outcome(model="lean", edv_ml=120.0, esv_ml=60.0, ef=0.5)
    >>> surprise(one, one)
    ''
    >>> surprise(one, Outcome(model="lean", edv_ml=120.0, esv_ml=48.0, ef=0.6))
    'this heart had EF 50 %, EDV 120 ml when the session was saved, found EF 60 %, EDV 120 ml now; the program or its model has changed'
    """
    if abs(before.ef - now.ef) <= _EF and abs(before.edv_ml - now.edv_ml) <= _VOLUME_ML:
        return ""
    then, found = (f"EF {100 * one.ef:.0f} %, EDV {one.edv_ml:.0f} ml" for one in (before, now))
    return f"this heart had {then} when the session was saved, found {found} now; the program or its model has changed"
